/*
 * guard_call.h
 *	  What guard_event() keeps for the session and for a query, and how it reads
 *	  the event in a row by that.
 *
 * The expressions of a guard are users' code.  It can do anything while it
 * runs: replace the trigger, drop what it reads, fire it again.  So nothing
 * that others can change or free is used after it ran:
 *
 * EvGuard, what a trigger says, is never changed once it is made, but for the
 * flag that says whether it is still true.  It is freed when the last call that
 * uses it lets it go.
 *
 * EvGuardCall, the state of one query, belongs to the code that is using it: from
 * ev_guard_call_begin to ev_guard_call_end nobody else finds it.
 */
#ifndef EV_GUARD_CALL_H
#define EV_GUARD_CALL_H

#include "access/htup.h"
#include "registry/call_site_cache.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "nodes/execnodes.h"
#include "guard/guard_definition.h"
#include "rows/row_constraints.h"
#include "utils/elog.h"
#include "utils/memutils.h"

/* A part of the event in a row: where it is, and of what type, together. */
typedef struct EvGuardOperand
{
	AttrNumber	column;			/* 0: it is an expression */
	Oid			column_type;
	Oid			type;			/* base type of the value */
	Node	   *expression;
} EvGuardOperand;

typedef struct EvGuard
{
	Oid			trigger;
	bool		valid;			/* the only thing that changes, and this: */
	int			users;			/* calls, and one for the session */
	Oid			relation;		/* that the trigger is on */
	Oid			table;			/* that the guard was added to: the relation,
								 * or one that it is a partition of */
	EvGuardMode mode;
	TimestampTz until;
	text	  **types;			/* that it is for; NULL: all */
	int			type_count;
	bool		has_operands;	/* not needed where it is off */
	EvGuardOperand operands[EV_ROW_PARTS];
	bool		has_expressions;
	bool		may_raise;		/* while the expressions are evaluated */
	MemoryContext context;		/* of all this */
} EvGuard;

typedef struct EvGuardCall
{
	const EvGuard *guard;
	MemoryContext context;		/* of all this; a child of the query's */
	MemoryContextCallback let_go;
	TupleDesc	descriptor;		/* in which the columns have their types */
	bool		spoiled;		/* an error left the expressions half done */
	ExprState  *expressions[EV_ROW_PARTS];
	ExprContext *expression_context;
	TupleTableSlot *slot;
	EvCallSiteCache *dispatch;
	EvRowConstraints *constraints;	/* NULL: not needed yet */
} EvGuardCall;

/* The event in a row. */
typedef struct EvRowEvent
{
	Jsonb	   *data;			/* NULL: an SQL NULL, or not read */
	text	   *type;			/* NULL: an SQL NULL, or not read */
	bool		has_version;
	int32		version;
	const text *json;			/* data as JSON text, before it was read */
	EvSchema   *schema;			/* NULL: not registered, or not looked up */
	char	   *fault;			/* what is wrong, found before any matching */
	int			fault_sqlstate; /* 0: the data is not JSON */
} EvRowEvent;

/* For ev_guard_call_begin, if the kept state may be outdated. */
extern EvGuardCall *ev_guard_call_make(FmgrInfo *function, EvGuardCall *call, Relation relation,
									   const Trigger *trigger);

/*
 * What the query keeps for the trigger that is called, made where there is
 * none or it is no longer true.  Raises what ev_guard_arguments and
 * ev_guard_operand raise.  After an error it goes with the query's memory.
 */
static inline EvGuardCall *
ev_guard_call_begin(FmgrInfo *function, Relation relation, const Trigger *trigger)
{
	EvGuardCall *call = function->fn_extra;

	function->fn_extra = NULL;
	if (likely(call != NULL && call->guard->valid && call->guard->has_operands &&
			   call->guard->trigger == trigger->tgoid))
		return call;
	return ev_guard_call_make(function, call, relation, trigger);
}

/* Keeps it for the query's next row.  What was read by it may go with it. */
static inline void
ev_guard_call_end(FmgrInfo *function, EvGuardCall *call)
{
	if (likely(function->fn_extra == NULL && !call->spoiled))
		function->fn_extra = call;
	else
		MemoryContextDelete(call->context);
}

/*
 * Reads the event in a row of the relation, which must be zero before: data,
 * json, type, version, and fault.  What it points to is the row's, the call's
 * or in CurrentMemoryContext.  Raises what the expressions raise, and
 * datatype_mismatch where a column is not of the type any more that it had when
 * the query began.
 */
extern void ev_guard_read(EvGuardCall *call, Relation relation, HeapTuple row, EvRowEvent *event);

/* The same without the data. */
extern void ev_guard_read_identity(EvGuardCall *call, Relation relation, HeapTuple row, EvRowEvent *event);

/* Is the guard for events of this type?  NULL is the type of none. */
extern bool ev_guard_has_type(const EvGuard *guard, const text *type);

/*
 * The same as ev_guard_read, or without data as ev_guard_read_identity, where
 * an error that the row's data is to blame for is the event's fault.
 */
extern void ev_guard_read_caught(EvGuardCall *call, Relation relation, HeapTuple row, EvRowEvent *event,
								 bool with_data);

#endif							/* EV_GUARD_CALL_H */
