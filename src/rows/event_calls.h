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
	Oid			oids[4];		/* check_event and validate_event for jsonb,
								 * the same for json */
} EvEventFunctions;

extern void ev_event_functions_find(EvEventFunctions *functions);

static inline bool
ev_is_event_function(Oid function, const EvEventFunctions *functions)
{
	for (int i = 0; i < (int) lengthof(functions->oids); i++)
		if (OidIsValid(function) && function == functions->oids[i])
			return true;
	return false;
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
 * Returns the call that an expression consists of: alone, or as add_event_check
 * writes it for some event types, "(type = ANY (TYPES)) IS NOT TRUE OR call".
 * NULL if the expression is anything else.  *types is the constant, an array of
 * text without nulls; NULL: all types.
 */
extern FuncExpr *ev_sole_call(Node *expression, const EvEventFunctions *functions, Const **types);

/*
 * Is a node a call of a schema's function, event_schema."TYPE@VERSION"(data)?  If so,
 * sets its type, in CurrentMemoryContext, and its version.
 */
extern bool ev_is_schema_call(const Node *node, char **type, int32 *version);

/* Is such a call anywhere in an expression? */
extern bool ev_has_schema_call(Node *expression);

/*
 * Returns an argument of a call by its position (from 0), whether it is named
 * or not, without a coercion to a domain.
 */
extern Node *ev_call_argument(const FuncExpr *call, int position);

/* Returns an argument without the cast that ev_row_expression adds to it if it is not tolerant. */
extern Node *ev_without_event_cast(Node *argument);

#endif							/* EV_EVENT_CALLS_H */
