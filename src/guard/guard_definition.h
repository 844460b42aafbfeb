/*
 * guard_definition.h
 *	  What the trigger of a guard says: its mode, and where a row has the event.
 *
 * The arguments of guard_event() are the mode, and the time from which on the
 * mode is "enforce" again.  The WHEN condition has the expressions that the
 * guard reads (guard_expression.c).
 *
 * A trigger that was written by hand may do without that condition: its
 * arguments are then the mode, the expressions for data, type and version as
 * text, and the time.  Those that are left out have the defaults of
 * add_event_guard.
 *
 * A last argument lists the event types that the guard is for, as the text of
 * an array; a time is before it then ("infinity": none).  Rows of other types
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
	EV_GUARD_QUARANTINE,		/* ... goes to the quarantine instead, where
								 * it is inserted */
	EV_GUARD_WARN,				/* ... is kept, recorded and warned about */
	EV_GUARD_OFF
} EvGuardMode;

typedef struct EvGuardArguments
{
	EvGuardMode mode;
	TimestampTz until;			/* DT_NOEND: no end */
	FuncExpr   *reads;			/* of the WHEN condition; NULL: it has none */
	const char *expressions[EV_ROW_PARTS];	/* where it has none */
	const char *types;			/* text of an array; NULL: all */
} EvGuardArguments;

/* False where there is no mode of that name. */
extern bool ev_guard_mode(const char *name, EvGuardMode *mode);

extern const char *ev_guard_mode_name(EvGuardMode mode);

/* The extension's function guard_event().  Raises undefined_function. */
extern Oid	ev_guard_function(void);

/* Has an open relation that function as a trigger, its own or its parent's? */
extern bool ev_has_guard(Relation relation, Oid function);

/*
 * The event types in the text of an array of text, in CurrentMemoryContext.
 * Raises invalid_parameter_value where one is null, and what array_in raises.
 */
extern text **ev_guard_types(const char *types, int *count);

/*
 * Reads the arguments of a trigger; the strings are the trigger's.  Raises
 * invalid_parameter_value where they are none of guard_event's.
 */
extern void ev_guard_arguments(const Trigger *trigger, EvGuardArguments *arguments);

/*
 * What the guard reads from a row of the relation that the trigger is on, as
 * ev_guard_expression gives it.  Raises what that raises.
 */
extern Node *ev_guard_operand(Relation relation, const EvGuardArguments *arguments, EvRowPart part);

/*
 * A replay that is inserting rows into a table.  While ev_replay is set, the
 * guard on the table does with a row that is inserted at this depth of
 * triggers what no mode says: one that is not valid is left out, and why is
 * left here.
 */
typedef struct EvReplay
{
	Oid			table;			/* that the guard was added to */
	int			depth;			/* pg_trigger_depth() of the guard */
	MemoryContext context;		/* for the violations */
	Jsonb	   *violations;		/* of the last row, NULL: none */
	int			left_out;		/* how many rows were */
} EvReplay;

extern EvReplay *ev_replay;

#endif							/* EV_GUARD_DEFINITION_H */
