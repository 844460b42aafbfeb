/*
 * event_calls.h
 *	  Calls of check_event and validate_event in expressions.
 */
#ifndef EV_EVENT_CALLS_H
#define EV_EVENT_CALLS_H

#include "nodes/primnodes.h"

/* The OIDs of the extension's own functions; InvalidOid if there is none. */
typedef struct EvEventFunctions
{
	Oid			oids[2];		/* check_event, validate_event */
} EvEventFunctions;

extern void ev_event_functions_find(EvEventFunctions *functions);

static inline bool
ev_is_event_function(Oid function, const EvEventFunctions *functions)
{
	return OidIsValid(function) &&
		(function == functions->oids[0] || function == functions->oids[1]);
}

/*
 * Is a node a call of one of them?  Functions in other schemas can have the
 * same names.
 */
static inline bool
ev_is_event_call(const Node *node, const EvEventFunctions *functions)
{
	return IsA(node, FuncExpr) && ev_is_event_function(((const FuncExpr *) node)->funcid, functions);
}

/* Is such a call anywhere in an expression? */
extern bool ev_has_event_call(Node *expression, const EvEventFunctions *functions);

/*
 * Returns an argument of a call by its position (from 0), whether it is named
 * or not.
 */
extern Node *ev_call_argument(const FuncExpr *call, int position);

/* Returns an argument without the cast that ev_row_expression adds to it if it is not tolerant. */
extern Node *ev_without_event_cast(Node *argument);

#endif							/* EV_EVENT_CALLS_H */
