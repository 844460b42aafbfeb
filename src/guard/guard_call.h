/*
 * guard_call.h
 *	  The state of guard_event() in a session and in a query, and how it
 *	  reads the event in a row.
 *
 * The expressions of a guard are users' code, which can do anything while it
 * runs: replace the trigger, drop the objects that it reads, fire it again.
 * So after this code has run, nothing is used that others can change or free.
 *
 * EvGuard, the definition of a trigger, does not change after it was made,
 * except for the flag that it is valid.  It is freed by its last user.
 *
 * EvGuardCall, the state of one query, belongs to the code that uses it: from
 * ev_guard_call_begin to ev_guard_call_end, no other code finds it.
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

/* The column or expression of a part of the event, and its type. */
typedef struct EvGuardOperand
{
	AttrNumber	column;			/* 0: an expression */
	Oid			column_type;
	Oid			type;			/* base type of the value */
	Node	   *expression;
} EvGuardOperand;

typedef struct EvGuard
{
	Oid			trigger;
	bool		valid;			/* only this changes, and: */
	int			users;			/* calls, and one for the session */
	Oid			relation;		/* that has the trigger */
	Oid			table;			/* to which the guard was added: the relation,
								 * or one of which it is a partition or child */
	List	   *ancestors;		/* OIDs of tables on which table depends */
	bool		is_child;		/* an INSERT into the table does not store
								 * rows in the relation */
	EvGuardMode mode;
	TimestampTz until;
	text	  **types;			/* that it is for; NULL: all */
	int			type_count;
	bool		has_operands;	/* not needed where it is off */
	EvGuardOperand operands[EV_ROW_PARTS];
	bool		has_expressions;
	bool		may_raise;		/* true if evaluating the expressions can */
	MemoryContext context;		/* for all of this */
} EvGuard;

typedef struct EvGuardCall
{
	const EvGuard *guard;
	MemoryContext context;		/* for all of this; a child of the query's */
	MemoryContextCallback let_go;
	TupleDesc	descriptor;		/* the descriptor for which the columns were
								 * checked */
	bool		spoiled;		/* an error may have left the expressions in
								 * an inconsistent state */
	ExprState  *expressions[EV_ROW_PARTS];
	ExprContext *expression_context;
	TupleTableSlot *slot;
	EvCallSiteCache *dispatch;
	EvRowConstraints *constraints;	/* NULL: not needed yet */
} EvGuardCall;

/* The event in a row. */
typedef struct EvRowEvent
{
	Jsonb	   *data;			/* NULL: SQL NULL, or not read */
	text	   *type;			/* NULL: SQL NULL, or not read */
	bool		has_version;
	int32		version;
	const text *json;			/* data as JSON text, before it was parsed */
	EvSchema   *schema;			/* NULL: not registered, or not looked up */
	char	   *fault;			/* an error that was found before matching */
	int			fault_sqlstate; /* 0: the data is not JSON */
	EvCounters *counters;		/* where it was counted; NULL: nowhere */
} EvRowEvent;

/* For ev_guard_call_begin, if the kept state may be outdated. */
extern EvGuardCall *ev_guard_call_make(FmgrInfo *function, EvGuardCall *call, Relation relation,
									   const Trigger *trigger);

/*
 * Returns the query's state for the trigger that is being called; makes it if
 * there is none, or if it is no longer valid.  Raises the errors of
 * ev_guard_arguments() and ev_guard_operand().  After an error, it is freed
 * with the query's memory.
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

/*
 * Keeps the state for the query's next row.  Data that was read with it may be
 * freed.
 */
static inline void
ev_guard_call_end(FmgrInfo *function, EvGuardCall *call)
{
	if (likely(function->fn_extra == NULL && !call->spoiled))
		function->fn_extra = call;
	else
		MemoryContextDelete(call->context);
}

/*
 * Reads the event in a row of the relation into *event, which must be zero:
 * data, json, type, version, and fault.  Its memory belongs to the row or the
 * call, or is in CurrentMemoryContext.  Returns false if the guard is not for events
 * of this type; then the data is not read.  Raises errors of the expressions, and
 * datatype_mismatch if the type of a column has changed since the query began.
 */
extern bool ev_guard_read(EvGuardCall *call, Relation relation, HeapTuple row, EvRowEvent *event);

/* Reads only type and version, of any type. */
extern void ev_guard_read_identity(EvGuardCall *call, Relation relation, HeapTuple row, EvRowEvent *event);

/*
 * Like ev_guard_read or, without data, ev_guard_read_identity; but an error
 * that is caused by the row's data becomes the event's fault.  Then it returns true.
 */
extern bool ev_guard_read_caught(EvGuardCall *call, Relation relation, HeapTuple row, EvRowEvent *event,
								 bool with_data);

#endif							/* EV_GUARD_CALL_H */
