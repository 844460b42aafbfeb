/*
 * guard_definition.h
 *	  The definition of a guard in its trigger: its mode, and the columns of
 *	  the event.
 *
 * The arguments of guard_event() are the mode, and the time at which the mode
 * returns to "enforce".  The WHEN condition has the expressions that the guard
 * reads (guard_expression.c).
 *
 * A manually created trigger can omit this condition.  Its arguments are then
 * the mode, the expressions for data, type and version as text, and the time.
 * Omitted expressions have the defaults of add_event_guard.
 *
 * A last argument can list the event types that the guard checks, as the text
 * of an array, after a time ("infinity" if there is none).  Rows of other types
 * pass.
 */
#ifndef EV_GUARD_DEFINITION_H
#define EV_GUARD_DEFINITION_H

#include "datatype/timestamp.h"
#include "guard/guard_expression.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

typedef enum EvGuardMode
{
	EV_GUARD_ENFORCE,			/* an invalid row raises an error */
	EV_GUARD_QUARANTINE,		/* ... is diverted to the quarantine, if it is
								 * inserted */
	EV_GUARD_WARN,				/* ... is kept and recorded, with a warning */
	EV_GUARD_OFF
} EvGuardMode;

typedef struct EvGuardArguments
{
	EvGuardMode mode;
	TimestampTz until;			/* DT_NOEND: no end */
	FuncExpr   *reads;			/* in the WHEN condition; NULL: it has none */
	const char *expressions[EV_ROW_PARTS];	/* if it has none */
	const char *types;			/* text of an array; NULL: all */
} EvGuardArguments;

/* Finds a mode by name; false if there is none. */
extern bool ev_guard_mode(const char *name, EvGuardMode *mode);

extern const char *ev_guard_mode_name(EvGuardMode mode);

/*
 * Returns the extension's function guard_event().  Raises undefined_function.
 */
extern Oid	ev_guard_function(void);

/*
 * Does an open relation have a trigger with this function, its own or its
 * parent's?
 */
extern bool ev_has_guard(Relation relation, Oid function);

/*
 * Reads event types from the text of an array of text, in CurrentMemoryContext.
 * Raises invalid_parameter_value if one is null, and the errors of array_in.
 */
extern text **ev_guard_types(const char *types, int *count);

/*
 * Reads the arguments of a trigger, without copying the strings.  Raises
 * invalid_parameter_value if they are not valid for guard_event.
 */
extern void ev_guard_arguments(const Trigger *trigger, EvGuardArguments *arguments);

/*
 * Returns the expression that the guard reads from a row of the trigger's
 * relation, in the form of ev_guard_expression().  Raises the errors of that
 * function.
 */
extern Node *ev_guard_operand(Relation relation, const EvGuardArguments *arguments, EvRowPart part);

/*
 * A replay that is inserting rows into a table.  While ev_replay is set, the
 * table's guard ignores its mode for rows that are inserted at this depth of
 * triggers: an invalid row is left out, and its violations are stored here.
 */
typedef struct EvReplay
{
	Oid			table;			/* to which the guard was added */
	int			depth;			/* pg_trigger_depth() of the guard */
	MemoryContext context;		/* for the violations */
	Jsonb	   *violations;		/* of the last row; NULL: none */
	int			left_out;		/* number of rows */
	struct EvCounters *counters;	/* of the last row that was accepted;
									 * NULL: none */
} EvReplay;

extern EvReplay *ev_replay;

#endif							/* EV_GUARD_DEFINITION_H */
