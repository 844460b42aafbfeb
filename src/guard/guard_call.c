/*
 * guard_call.c
 *	  The state of guard_event() in a session and in a query, and how it
 *	  reads the event in a row.
 *
 * The trigger's arguments are kept for the session, by the trigger's OID,
 * until the cache entry of the relation, or of one of its ancestors, is
 * invalidated.  Columns are read directly
 * from the row.  Other expressions are compiled for each query, like CHECK
 * constraints, since the functions in them, and EXECUTE on these, can change
 * between queries.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/row_fault.h"
#include "base/subtransaction.h"
#include "guard/guard_call.h"
#include "guard/guard_family.h"

/* ---------- guards of the session ---------- */

typedef struct KeptGuard
{
	Oid			trigger;		/* hash key, must be the first member */
	EvGuard    *guard;
} KeptGuard;

static HTAB *kept_guards = NULL;
static bool any_invalid = false;	/* a kept guard is invalid */
static uint64 changes = 0;		/* of objects that guards depend on */

/* A relation (InvalidOid: any) has changed. */
static void
relation_changed(Datum arg pg_attribute_unused(), Oid relation)
{
	HASH_SEQ_STATUS status;
	KeptGuard  *kept;

	changes++;
	hash_seq_init(&status, kept_guards);
	while ((kept = hash_seq_search(&status)) != NULL)
		if (!OidIsValid(relation) || kept->guard->relation == relation ||
			list_member_oid(kept->guard->ancestors, relation))
		{
			kept->guard->valid = false;
			any_invalid = true;
		}
}

/* A function was changed or replaced; an expression may call it. */
static void
function_changed(Datum arg pg_attribute_unused(), int cache pg_attribute_unused(),
				 uint32 hash pg_attribute_unused())
{
	HASH_SEQ_STATUS status;
	KeptGuard  *kept;

	changes++;
	hash_seq_init(&status, kept_guards);
	while ((kept = hash_seq_search(&status)) != NULL)
		if (kept->guard->may_raise)
		{
			kept->guard->valid = false;
			any_invalid = true;
		}
}

/* A role has got or lost the rights of another one; a guard's family depends on those of the owners. */
static void
rights_changed(Datum arg pg_attribute_unused(), int cache pg_attribute_unused(),
			   uint32 hash pg_attribute_unused())
{
	HASH_SEQ_STATUS status;
	KeptGuard  *kept;

	changes++;
	hash_seq_init(&status, kept_guards);
	while ((kept = hash_seq_search(&status)) != NULL)
		if (kept->guard->ancestors != NIL)
		{
			kept->guard->valid = false;
			any_invalid = true;
		}
}

static void
init_guards(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(KeptGuard)};

	control.hcxt = CacheMemoryContext;
	kept_guards = hash_create("event_validate guards", 64, &control,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, function_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, rights_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, rights_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(DATABASEOID, rights_changed, (Datum) 0);
}

static void
let_go(EvGuard *guard)
{
	if (--guard->users == 0)
		MemoryContextDelete(guard->context);
}

/* Removes invalid guards from the table. */
static void
forget_invalid(void)
{
	HASH_SEQ_STATUS status;
	KeptGuard  *kept;

	if (!any_invalid)
		return;
	any_invalid = false;
	hash_seq_init(&status, kept_guards);
	while ((kept = hash_seq_search(&status)) != NULL)
		if (!kept->guard->valid)
		{
			EvGuard    *guard = kept->guard;

			hash_search(kept_guards, &kept->trigger, HASH_REMOVE, NULL);
			let_go(guard);
		}
}

static void
keep(EvGuard *guard)
{
	bool		found;
	KeptGuard  *kept = hash_search(kept_guards, &guard->trigger, HASH_ENTER, &found);

	/* a guard outside of the table would not be invalidated */
	if (found)
	{
		kept->guard->valid = false;
		let_go(kept->guard);
	}
	kept->guard = guard;
	guard->users++;
}

/* Is the mode "off" for the current statement, outside of a replay? */
static bool
is_off(const EvGuard *guard)
{
	return guard->mode == EV_GUARD_OFF && ev_replay == NULL &&
		(guard->until == DT_NOEND || guard->until > GetCurrentStatementStartTimestamp());
}

/* Is the guard valid, with all data that is needed now? */
static bool
is_usable(const EvGuard *guard)
{
	return guard->valid && (guard->has_operands || is_off(guard));
}

static void
make_operand(EvGuard *guard, EvRowPart part, Relation relation, const EvGuardArguments *arguments)
{
	EvGuardOperand *operand = &guard->operands[part];
	Node	   *expression = ev_guard_operand(relation, arguments, part);

	operand->type = getBaseType(exprType(expression));
	operand->column = ev_guard_expression_column(expression);
	if (operand->column != 0)
		operand->column_type = TupleDescAttr(RelationGetDescr(relation), operand->column - 1)->atttypid;
	else
	{
		MemoryContext caller = MemoryContextSwitchTo(guard->context);

		operand->expression = copyObject(expression);
		MemoryContextSwitchTo(caller);
		guard->has_expressions = true;
		guard->may_raise |= ev_guard_expression_may_raise(expression);
	}
}

/*
 * Is the trigger as in the catalog?  A statement continues with the triggers
 * that it began with, even if a function that it calls has changed them.
 */
static bool
is_current(Relation relation, const Trigger *trigger)
{
	const TriggerDesc *triggers = relation->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *current = &triggers->triggers[i];

		if (current->tgoid != trigger->tgoid)
			continue;
		if (current->tgnargs != trigger->tgnargs || (current->tgqual == NULL) != (trigger->tgqual == NULL) ||
			(current->tgqual != NULL && strcmp(current->tgqual, trigger->tgqual) != 0))
			return false;
		for (int j = 0; j < current->tgnargs; j++)
			if (strcmp(current->tgargs[j], trigger->tgargs[j]) != 0)
				return false;
		return true;
	}
	return false;
}

/* Finds the table to which the guard belongs. */
static void
find_family(EvGuard *guard, Relation relation)
{
	MemoryContext caller = MemoryContextSwitchTo(guard->context);

	guard->ancestors = ev_guard_family_ancestors(guard->relation);
	MemoryContextSwitchTo(caller);
	guard->table = ev_guard_family_table(guard->relation, guard->trigger);
	guard->is_child = guard->table != guard->relation && !relation->rd_rel->relispartition &&
		!ev_guard_is_routed(guard->relation);
}

static void
guard_context(void *arg)
{
	errcontext("event guard \"%s\"", ((const Trigger *) arg)->tgname);
}

/*
 * Reads the definition of a trigger.  Expressions that are text are parsed,
 * which can run users' code too (the input function for a literal of a
 * domain).  So the guard is not visible to others before it is complete.
 * Until then, its memory belongs to the caller.
 */
static EvGuard *
make_guard(Relation relation, const Trigger *trigger)
{
	ErrorContextCallback context = {error_context_stack, guard_context, (void *) trigger};
	EvGuardArguments arguments;
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "event_validate guard",
												 ALLOCSET_SMALL_SIZES);
	EvGuard    *guard = MemoryContextAllocZero(memory, sizeof(EvGuard));
	uint64		before = changes;

	error_context_stack = &context;
	guard->context = memory;
	guard->trigger = trigger->tgoid;
	guard->relation = RelationGetRelid(relation);
	ev_guard_arguments(trigger, &arguments);
	guard->mode = arguments.mode;
	guard->until = arguments.until;
	if (arguments.types != NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(memory);

		guard->types = ev_guard_types(arguments.types, &guard->type_count);
		MemoryContextSwitchTo(caller);
	}
	find_family(guard, relation);
	/* a guard that is off may have errors */
	guard->has_operands = !is_off(guard);
	for (int i = 0; guard->has_operands && i < EV_ROW_PARTS; i++)
		make_operand(guard, (EvRowPart) i, relation, &arguments);
	/* otherwise it is used for the current row only */
	guard->valid = changes == before && is_current(relation, trigger);
	error_context_stack = context.previous;
	return guard;
}

/* Returns a trigger's guard, and adds a user. */
static EvGuard *
find_guard(Relation relation, const Trigger *trigger)
{
	KeptGuard  *kept;
	EvGuard    *guard;

	if (kept_guards == NULL)
		init_guards();
	kept = hash_search(kept_guards, &trigger->tgoid, HASH_FIND, NULL);
	if (kept != NULL && is_usable(kept->guard))
		guard = kept->guard;
	else
	{
		guard = make_guard(relation, trigger);
		forget_invalid();
		if (guard->valid)
			keep(guard);
		MemoryContextSetParent(guard->context, CacheMemoryContext);
	}
	guard->users++;
	return guard;
}

/* ---------- guards of a query ---------- */

static void
make_expressions(EvGuardCall *call, Relation relation)
{
	MemoryContext caller = MemoryContextSwitchTo(call->context);

	for (int i = 0; i < EV_ROW_PARTS; i++)
	{
		Node	   *expression = copyObject(call->guard->operands[i].expression);

		if (expression != NULL)
			call->expressions[i] = ExecInitExpr(expression_planner((Expr *) expression), NULL);
	}
	call->expression_context = CreateStandaloneExprContext();
	/* with the values of columns that were added after the row */
	call->slot = MakeSingleTupleTableSlot(CreateTupleDescCopyConstr(RelationGetDescr(relation)),
										  &TTSOpsHeapTuple);
	MemoryContextSwitchTo(caller);
}

static void
let_go_of_call(void *arg)
{
	EvGuardCall *call = (EvGuardCall *) arg;

	if (call->guard != NULL)
		let_go((EvGuard *) call->guard);
	if (call->descriptor != NULL && --call->descriptor->tdrefcount == 0)
		FreeTupleDesc(call->descriptor);
}

static inline bool
has_type(const EvGuardOperand *operand, TupleDesc descriptor)
{
	return operand->column <= descriptor->natts &&
		TupleDescAttr(descriptor, operand->column - 1)->atttypid == operand->column_type;
}

/* Do the columns exist, with the types that the guard expects? */
static bool
has_types(const EvGuard *guard, TupleDesc descriptor)
{
	for (int i = 0; i < EV_ROW_PARTS; i++)
		if (guard->operands[i].column != 0 && !has_type(&guard->operands[i], descriptor))
			return false;
	return true;
}

static EvGuardCall *
make_call(FmgrInfo *function, Relation relation, const Trigger *trigger)
{
	MemoryContext context = AllocSetContextCreate(function->fn_mcxt, "event_validate guard call",
												  ALLOCSET_SMALL_SIZES);
	EvGuardCall *call = MemoryContextAllocZero(context, sizeof(EvGuardCall));

	call->context = context;
	call->let_go.func = let_go_of_call;
	call->let_go.arg = call;
	MemoryContextRegisterResetCallback(context, &call->let_go);
	call->guard = find_guard(relation, trigger);
	if (call->guard->has_operands)
	{
		TupleDesc	descriptor = RelationGetDescr(relation);

		/* kept, so that a descriptor with the same address is the same one */
		if (has_types(call->guard, descriptor))
		{
			descriptor->tdrefcount++;
			call->descriptor = descriptor;
		}
	}
	if (call->guard->has_expressions)
		make_expressions(call, relation);
	return call;
}

EvGuardCall *
ev_guard_call_make(FmgrInfo *function, EvGuardCall *call, Relation relation, const Trigger *trigger)
{
	if (call != NULL)
	{
		if (is_usable(call->guard) && call->guard->trigger == trigger->tgoid)
			return call;
		MemoryContextDelete(call->context);
	}
	return make_call(function, relation, trigger);
}

/* ---------- the event in a row ---------- */

/* Checks a column of a relation that has changed since the query began. */
static pg_noinline void
check_column(const EvGuard *guard, EvRowPart part, Relation relation)
{
	if (has_type(&guard->operands[part], RelationGetDescr(relation)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the column that holds the event's %s in table \"%s\" was changed while the guard ran",
					ev_row_part_name(part), RelationGetRelationName(relation)),
			 errhint("Look for a trigger or a function that drops or alters it.")));
}

static inline Datum
operand_value(EvGuardCall *call, EvRowPart part, Relation relation, HeapTuple row, bool *is_null)
{
	const EvGuardOperand *operand = &call->guard->operands[part];
	TupleDesc	descriptor = RelationGetDescr(relation);

	if (operand->column == 0)
		return ExecEvalExpr(call->expressions[part], call->expression_context, is_null);
	if (unlikely(descriptor != call->descriptor))
		check_column(call->guard, part, relation);
	return heap_getattr(row, operand->column, descriptor, is_null);
}

/*
 * Reads the event's type and version.  If expressions read the row, it is in
 * the slot.
 */
static void
read_type_and_version(EvGuardCall *call, Relation relation, HeapTuple row, EvRowEvent *event)
{
	bool		is_null;
	Datum		value;

	value = operand_value(call, EV_ROW_TYPE, relation, row, &is_null);
	if (!is_null)
		event->type = DatumGetTextPP(value);

	value = operand_value(call, EV_ROW_VERSION, relation, row, &is_null);
	if (!is_null && call->guard->operands[EV_ROW_VERSION].type == INT8OID)
	{
		int64		version = DatumGetInt64(value);

		event->has_version = version >= PG_INT32_MIN && version <= PG_INT32_MAX;
		event->version = event->has_version ? (int32) version : 0;
		if (!event->has_version)
		{
			event->fault = psprintf("schema version " INT64_FORMAT " is out of range", version);
			event->fault_sqlstate = ERRCODE_UNDEFINED_OBJECT;
		}
	}
	else if (!is_null)
	{
		event->has_version = true;
		event->version = DatumGetInt32(value);
	}
}

static inline void
store_row(EvGuardCall *call, HeapTuple row)
{
	if (call->guard->has_expressions)
	{
		ExecStoreHeapTuple(row, call->slot, false);
		call->expression_context->ecxt_scantuple = call->slot;
	}
}

static inline void
clear_row(EvGuardCall *call)
{
	if (call->guard->has_expressions)
		ExecClearTuple(call->slot);
}

void
ev_guard_read_identity(EvGuardCall *call, Relation relation, HeapTuple row, EvRowEvent *event)
{
	store_row(call, row);
	read_type_and_version(call, relation, row, event);
	clear_row(call);
}

/*
 * Is the guard for events of this type?  No guard is for the type NULL if it
 * lists types.
 */
static bool
is_for_type(const EvGuard *guard, const text *type)
{
	if (likely(guard->types == NULL))
		return true;
	for (int i = 0; type != NULL && i < guard->type_count; i++)
		if (VARSIZE_ANY_EXHDR(guard->types[i]) == VARSIZE_ANY_EXHDR(type) &&
			memcmp(VARDATA_ANY(guard->types[i]), VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type)) == 0)
			return true;
	return false;
}

static void
read_data(EvGuardCall *call, Relation relation, HeapTuple row, EvRowEvent *event)
{
	bool		is_null;
	Datum		value = operand_value(call, EV_ROW_DATA, relation, row, &is_null);

	if (!is_null && call->guard->operands[EV_ROW_DATA].type == JSONBOID)
		event->data = DatumGetJsonbP(value);
	else if (!is_null)
		event->json = DatumGetTextPP(value);
}

bool
ev_guard_read(EvGuardCall *call, Relation relation, HeapTuple row, EvRowEvent *event)
{
	bool		is_for_event;

	store_row(call, row);
	read_type_and_version(call, relation, row, event);
	is_for_event = is_for_type(call->guard, event->type);
	if (is_for_event)
		read_data(call, relation, row, event);
	clear_row(call);
	return is_for_event;
}

typedef struct CaughtRead
{
	EvGuardCall *call;
	Relation	relation;
	HeapTuple	row;
	EvRowEvent *event;
	bool		with_data;
	bool		is_for_event;	/* result */
} CaughtRead;

static void
read_event(void *arg)
{
	CaughtRead *read = (CaughtRead *) arg;

	if (read->with_data)
		read->is_for_event = ev_guard_read(read->call, read->relation, read->row, read->event);
	else
		ev_guard_read_identity(read->call, read->relation, read->row, read->event);
}

bool
ev_guard_read_caught(EvGuardCall *call, Relation relation, HeapTuple row, EvRowEvent *event, bool with_data)
{
	CaughtRead	read = {call, relation, row, event, with_data, true};
	ErrorData  *error = ev_in_subtransaction(read_event, &read, EV_KEEP);

	if (error == NULL)
		return read.is_for_event;
	/* the state of the expressions' functions may be inconsistent */
	call->spoiled = true;
	if (!ev_is_row_fault(error->sqlerrcode, EV_WORK_VALIDATE))
		ReThrowError(error);
	event->fault = pstrdup(error->message);
	event->fault_sqlstate = error->sqlerrcode;
	return true;
}
