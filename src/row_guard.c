/*
 * row_guard.c
 *	  guard_event(), the row trigger that keeps a table's events valid.
 *
 * A row is read and matched like check_event does it, and a valid one passes
 * with nothing else done.  What becomes of another one is the mode's to say.
 *
 * What the trigger's arguments say is kept for the session, by the trigger's
 * OID, and forgotten when the relation's cache entry is.  Columns are read
 * straight from the row.  Other expressions are compiled for each query, as
 * CHECK constraints are, since who may execute their functions, and what these
 * are, can change between queries.
 *
 * A row that is not let through must end in the quarantine or in an error, and
 * nowhere else.  Three kinds of errors while a row is looked at count as
 * violations where the mode does not raise: resource limits while it is
 * matched, JSON text that jsonb cannot hold, and what an expression raises
 * because of its data.  The first two come from code that computes and does
 * nothing else, so they are caught without a subtransaction; the last needs
 * one, and only expressions that could raise pay for it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "dispatch.h"
#include "match.h"
#include "quarantine.h"
#include "refusal.h"
#include "row_guard.h"
#include "row_json.h"
#include "row_rights.h"
#include "value.h"
#include "violation_log.h"

PG_FUNCTION_INFO_V1(ev_guard_event);
PG_FUNCTION_INFO_V1(ev_event_guard_reads);

/* a row in the quarantine has so many violations; the rest are counted */
#define KEPT_VIOLATIONS		100
/* and so many are told in a line of the log */
#define LOGGED_VIOLATIONS	3

EvReplay   *ev_replay = NULL;

/* ---------- arguments ---------- */

static const char *const modes[] = {"enforce", "quarantine", "warn", "off"};

bool
ev_guard_mode(const char *name, EvGuardMode *mode)
{
	for (int i = 0; i < (int) lengthof(modes); i++)
		if (strcmp(name, modes[i]) == 0)
		{
			*mode = (EvGuardMode) i;
			return true;
		}
	return false;
}

void
ev_guard_arguments(const Trigger *trigger, EvGuardArguments *arguments)
{
	int			rest;			/* of the arguments, before the time */

	arguments->expressions[EV_ROW_DATA] = "data";
	arguments->expressions[EV_ROW_TYPE] = "event_type";
	arguments->expressions[EV_ROW_VERSION] = "schema_version";
	arguments->until = DT_NOEND;
	arguments->reads = ev_guard_reads(trigger);

	rest = arguments->reads == NULL ? 1 + EV_ROW_PARTS : 1;
	if (trigger->tgnargs < 1 || trigger->tgnargs > rest + 1 ||
		!ev_guard_mode(trigger->tgargs[0], &arguments->mode))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid arguments of trigger \"%s\"", trigger->tgname),
				 arguments->reads == NULL ?
				 errdetail("They are a mode (enforce, quarantine, warn or off), three expressions, and a time.") :
				 errdetail("They are a mode (enforce, quarantine, warn or off) and a time."),
				 errhint("Use add_event_guard.")));
	for (int i = 1; i < Min(trigger->tgnargs, rest); i++)
		arguments->expressions[i - 1] = trigger->tgargs[i];
	if (trigger->tgnargs == rest + 1)
		arguments->until =
			DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
													CStringGetDatum(trigger->tgargs[rest]),
													ObjectIdGetDatum(InvalidOid),
													Int32GetDatum(-1)));
}

Node *
ev_guard_operand(Relation relation, const EvGuardArguments *arguments, EvRowPart operand)
{
	if (arguments->reads != NULL)
		return ev_guard_reads_operand(relation, arguments->reads, operand);
	return ev_guard_expression_pinned(relation, operand, arguments->expressions[operand]);
}

/*
 * event_guard_reads(event record) → boolean
 *
 * Is not called, but where somebody calls it by hand.
 */
Datum
ev_event_guard_reads(PG_FUNCTION_ARGS pg_attribute_unused())
{
	PG_RETURN_BOOL(true);
}

/* ---------- what is kept for the session ---------- */

/* A part of the event in a row. */
typedef struct Operand
{
	AttrNumber	column;			/* 0: it is an expression */
	Oid			type;			/* base type of the value */
	Node	   *expression;
} Operand;

typedef struct RowGuard
{
	Oid			trigger;		/* hash key; must be first */
	bool		valid;
	uint64		made;			/* tells one making from the next */
	Oid			relation;		/* that the trigger is on */
	Oid			table;			/* that the guard was added to: the relation,
								 * or one that it is a partition of */
	EvGuardMode mode;
	TimestampTz until;
	bool		has_operands;	/* not needed where it is off */
	Operand		operands[EV_ROW_PARTS];
	bool		has_expressions;
	bool		may_raise;		/* while the expressions are evaluated */
	MemoryContext context;		/* of the expressions; NULL: freed */
} RowGuard;

static HTAB *guards = NULL;
static uint64 made = 0;

/* A relation, or with InvalidOid any, is not what it was. */
static void
relation_changed(Datum arg pg_attribute_unused(), Oid relation)
{
	HASH_SEQ_STATUS status;
	RowGuard   *guard;

	hash_seq_init(&status, guards);
	while ((guard = hash_seq_search(&status)) != NULL)
		if (!OidIsValid(relation) || guard->relation == relation)
			guard->valid = false;
}

/* A function that an expression calls may be gone, and another in its place. */
static void
function_changed(Datum arg pg_attribute_unused(), int cache pg_attribute_unused(),
				 uint32 hash pg_attribute_unused())
{
	HASH_SEQ_STATUS status;
	RowGuard   *guard;

	hash_seq_init(&status, guards);
	while ((guard = hash_seq_search(&status)) != NULL)
		if (guard->may_raise)
			guard->valid = false;
}

static void
init_guards(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(RowGuard)};

	control.hcxt = CacheMemoryContext;
	guards = hash_create("event_validate guards", 64, &control,
						 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, function_changed, (Datum) 0);
}

/* Frees what is no longer valid; the entries stay, as others point to them. */
static void
free_invalid(void)
{
	HASH_SEQ_STATUS status;
	RowGuard   *guard;

	hash_seq_init(&status, guards);
	while ((guard = hash_seq_search(&status)) != NULL)
		if (!guard->valid && guard->context != NULL)
		{
			MemoryContextDelete(guard->context);
			guard->context = NULL;
		}
}

/* The table that a trigger was created on, from its clone on a partition. */
static Oid
original_table(Oid trigger)
{
	Relation	pg_trigger = table_open(TriggerRelationId, AccessShareLock);
	Oid			table = InvalidOid;

	while (OidIsValid(trigger))
	{
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(trigger));
		scan = systable_beginscan(pg_trigger, TriggerOidIndexId, true, NULL, 1, &key);
		tuple = systable_getnext(scan);
		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "could not find trigger %u", trigger);
		table = ((Form_pg_trigger) GETSTRUCT(tuple))->tgrelid;
		trigger = ((Form_pg_trigger) GETSTRUCT(tuple))->tgparentid;
		systable_endscan(scan);
	}
	table_close(pg_trigger, AccessShareLock);
	return table;
}

/* Is the mode "off", for the statement that runs, and no replay at work? */
static bool
is_off(const RowGuard *guard)
{
	return guard->mode == EV_GUARD_OFF && ev_replay == NULL &&
		(guard->until == DT_NOEND || guard->until > GetCurrentStatementStartTimestamp());
}

/* Is what was kept all that is needed now? */
static bool
is_usable(const RowGuard *guard)
{
	return guard->valid && (guard->has_operands || is_off(guard));
}

static void
guard_context(void *arg)
{
	errcontext("event guard \"%s\"", ((const Trigger *) arg)->tgname);
}

static void
make_guard(RowGuard *guard, Relation relation, const Trigger *trigger)
{
	MemoryContext caller = CurrentMemoryContext;
	ErrorContextCallback context = {error_context_stack, guard_context, (void *) trigger};
	EvGuardArguments arguments;

	free_invalid();
	guard->relation = RelationGetRelid(relation);
	guard->made = ++made;
	guard->has_expressions = guard->may_raise = false;
	guard->context = AllocSetContextCreate(CacheMemoryContext, "event_validate guard",
										   ALLOCSET_SMALL_SIZES);
	/* valid before anything is read, so that what changes meanwhile is heeded */
	guard->valid = true;

	error_context_stack = &context;
	PG_TRY();
	{
		ev_guard_arguments(trigger, &arguments);
		guard->mode = arguments.mode;
		guard->until = arguments.until;
		guard->table = trigger->tgisclone ? original_table(trigger->tgoid) :
			RelationGetRelid(relation);
		/* what is switched off can be as wrong as it likes */
		guard->has_operands = !is_off(guard);
		for (int i = 0; guard->has_operands && i < EV_ROW_PARTS; i++)
		{
			Operand    *operand = &guard->operands[i];
			Node	   *expression = ev_guard_operand(relation, &arguments, (EvRowPart) i);

			operand->type = getBaseType(exprType(expression));
			operand->column = ev_guard_expression_column(expression);
			operand->expression = NULL;
			if (operand->column == 0)
			{
				MemoryContextSwitchTo(guard->context);
				operand->expression = copyObject(expression);
				MemoryContextSwitchTo(caller);
				guard->has_expressions = true;
				guard->may_raise |= ev_guard_expression_may_raise(expression);
			}
		}
	}
	PG_CATCH();
	{
		guard->valid = false;
		PG_RE_THROW();
	}
	PG_END_TRY();
	error_context_stack = context.previous;
}

static RowGuard *
find_guard(Relation relation, const Trigger *trigger)
{
	RowGuard   *guard;
	bool		found;

	if (guards == NULL)
		init_guards();
	guard = hash_search(guards, &trigger->tgoid, HASH_ENTER, &found);
	if (!found)
		memset((char *) guard + sizeof(Oid), 0, sizeof(RowGuard) - sizeof(Oid));
	if (!is_usable(guard))
	{
		guard->valid = false;
		make_guard(guard, relation, trigger);
	}
	return guard;
}

/* ---------- what is kept for a query ---------- */

typedef struct Call
{
	RowGuard   *guard;
	uint64		made;			/* of the guard, when this was */
	MemoryContext context;		/* of what follows but the dispatch */
	ExprState  *expressions[EV_ROW_PARTS];
	ExprContext *expression_context;
	TupleTableSlot *slot;
	EvDispatch *dispatch;
} Call;

static void
make_expressions(Call *call, Relation relation)
{
	MemoryContext caller = MemoryContextSwitchTo(call->context);
	Node	   *copies[EV_ROW_PARTS] = {NULL};

	/* planning can run functions, and these anything: the guard may change */
	for (int i = 0; i < EV_ROW_PARTS; i++)
		copies[i] = copyObject(call->guard->operands[i].expression);
	for (int i = 0; i < EV_ROW_PARTS; i++)
		call->expressions[i] = copies[i] == NULL ? NULL :
			ExecInitExpr(expression_planner((Expr *) copies[i]), NULL);
	call->expression_context = CreateStandaloneExprContext();
	call->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(relation)),
										  &TTSOpsHeapTuple);
	MemoryContextSwitchTo(caller);
}

/* The guard, and what it needs, for the trigger that is called. */
static Call *
prepare_call(FunctionCallInfo fcinfo, Relation relation, const Trigger *trigger)
{
	FmgrInfo   *function = fcinfo->flinfo;
	Call	   *call = function->fn_extra;

	if (call != NULL && call->guard != NULL && is_usable(call->guard) && call->guard->made == call->made &&
		call->guard->trigger == trigger->tgoid)
		return call;

	if (call == NULL)
	{
		call = MemoryContextAllocZero(function->fn_mcxt, sizeof(Call));
		call->context = AllocSetContextCreate(function->fn_mcxt, "event_validate guard expressions",
											  ALLOCSET_SMALL_SIZES);
		function->fn_extra = call;
	}
	call->guard = NULL;
	MemoryContextReset(call->context);
	call->guard = find_guard(relation, trigger);
	call->made = call->guard->made;
	if (call->guard->has_expressions)
	{
		RowGuard   *guard = call->guard;

		make_expressions(call, relation);
		call->guard = guard;
	}
	return call;
}

/* ---------- the event in a row ---------- */

typedef struct Event
{
	Jsonb	   *data;			/* NULL: an SQL NULL, or not read */
	text	   *type;			/* NULL: an SQL NULL, or not read */
	bool		has_version;
	int32		version;
	const text *json;			/* data as JSON text, before it was read */
	EvSchema   *schema;			/* NULL: not registered, or not looked up */
	char	   *fault;			/* what is wrong, found before any matching */
	int			fault_sqlstate; /* 0: the data is not JSON */
} Event;

static Datum
operand_value(Call *call, EvRowPart operand, Relation relation, HeapTuple row, bool *is_null)
{
	AttrNumber	column = call->guard->operands[operand].column;

	if (column != 0)
		return heap_getattr(row, column, RelationGetDescr(relation), is_null);
	return ExecEvalExpr(call->expressions[operand], call->expression_context, is_null);
}

/* The event's type and version. */
static void
read_identity(Call *call, Relation relation, HeapTuple row, Event *event)
{
	RowGuard   *guard = call->guard;
	bool		is_null;
	Datum		value;

	value = operand_value(call, EV_ROW_TYPE, relation, row, &is_null);
	if (!is_null)
		event->type = DatumGetTextPP(value);

	value = operand_value(call, EV_ROW_VERSION, relation, row, &is_null);
	if (!is_null && guard->operands[EV_ROW_VERSION].type == INT8OID)
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

static void
read_row(Call *call, Relation relation, HeapTuple row, Event *event)
{
	RowGuard   *guard = call->guard;
	bool		is_null;
	Datum		value;

	if (guard->has_expressions)
	{
		ExecStoreHeapTuple(row, call->slot, false);
		call->expression_context->ecxt_scantuple = call->slot;
	}
	read_identity(call, relation, row, event);

	value = operand_value(call, EV_ROW_DATA, relation, row, &is_null);
	if (!is_null && guard->operands[EV_ROW_DATA].type == JSONBOID)
		event->data = DatumGetJsonbP(value);
	else if (!is_null)
		event->json = DatumGetTextPP(value);

	if (guard->has_expressions)
		ExecClearTuple(call->slot);
}

/*
 * An error that the data of a row, or its size, is to blame for: data
 * exceptions and resource limits.
 */
static bool
is_violation(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return category == ERRCODE_DATA_EXCEPTION || category == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
}

/* read_row where an expression may raise.  Such an error is the event's fault. */
static void
read_row_in_subtransaction(Call *call, Relation relation, HeapTuple row, Event *event)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		read_row(call, relation, row, event);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		ExecClearTuple(call->slot);
		if (!is_violation(error))
			ReThrowError(error);
		event->fault = pstrdup(error->message);
		event->fault_sqlstate = error->sqlerrcode;
	}
	PG_END_TRY();
}

/* ---------- pure computation ---------- */

/* JSON text to jsonb.  Raises where jsonb cannot hold it. */
static void
parse_data(Event *event)
{
	char	   *fault;

	event->data = ev_jsonb_from_text(event->json, &fault);
	if (event->data == NULL)
		event->fault = fault;
}

static bool
matches(Event *event)
{
	if (event->data == NULL && event->json != NULL)
		parse_data(event);
	return event->data != NULL && ev_match(event->schema->program, event->data);
}

/*
 * Runs a computation on an event and gives its answer; false, and the error as
 * the event's fault, where that is one that the data is to blame for.
 *
 * There is no subtransaction to clean up after an error, so the computation
 * must hold nothing but memory when it raises: no catalog, no buffer, no lock.
 */
static bool
compute(bool (*computation) (Event *event, void *arg), Event *event, void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile bool result = false;

	PG_TRY();
	{
		result = computation(event, arg);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		if (!is_violation(error))
			PG_RE_THROW();
		FlushErrorState();
		event->fault = pstrdup(error->message);
		event->fault_sqlstate = error->sqlerrcode;
		FreeErrorData(error);
	}
	PG_END_TRY();
	return result;
}

static bool
matches_computation(Event *event, void *arg pg_attribute_unused())
{
	return matches(event);
}

/* ---------- violations ---------- */

typedef struct JsonCollector
{
	EvCollector collector;
	MemoryContext context;		/* of all that is collected */
	JsonbInState state;
	StringInfoData words;		/* the first of them, for messages */
	StringInfoData first;
} JsonCollector;

static void
push_member(JsonbInState *state, const char *name, const char *string)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = pstrdup(name);
	value.val.string.len = strlen(name);
	ev_push_jsonb(state, WJB_KEY, &value);
	value.val.string.val = pstrdup(string);
	value.val.string.len = strlen(string);
	ev_push_jsonb(state, WJB_VALUE, &value);
}

static void
push_violation(JsonbInState *state, const EvViolation *violation, const char *sqlstate)
{
	ev_push_jsonb(state, WJB_BEGIN_OBJECT, NULL);
	push_member(state, "instance_location", violation->instance_location);
	push_member(state, "keyword_location", violation->keyword_location);
	push_member(state, "keyword", violation->keyword);
	push_member(state, "message", violation->message);
	if (sqlstate != NULL)
		push_member(state, "sqlstate", sqlstate);
	ev_push_jsonb(state, WJB_END_OBJECT, NULL);
}

static void
collect(EvCollector *collector, const EvViolation *violation)
{
	JsonCollector *json = (JsonCollector *) collector;
	MemoryContext caller = MemoryContextSwitchTo(json->context);
	const char *location = violation->instance_location[0] != '\0' ?
		ev_location_show(violation->instance_location) : "(document)";

	push_violation(&json->state, violation, NULL);
	if (json->first.len == 0)
		appendStringInfo(&json->first, "%s: %s", location, violation->message);
	if (collector->count <= LOGGED_VIOLATIONS)
		appendStringInfo(&json->words, "%s%s: %s", json->words.len > 0 ? "; " : "",
						 location, violation->message);
	MemoryContextSwitchTo(caller);
}

Jsonb *
ev_single_violation(const char *message, const char *sqlstate)
{
	JsonbInState state = {0};
	EvViolation violation = {"", "", "", message, NULL, NULL};

	ev_push_jsonb(&state, WJB_BEGIN_ARRAY, NULL);
	push_violation(&state, &violation, sqlstate);
	ev_push_jsonb(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(state.result);
}

static bool
collect_computation(Event *event, void *arg)
{
	JsonCollector *json = (JsonCollector *) arg;

	ev_match_collect(event->schema->program, event->data, &json->collector);
	return true;
}

/*
 * Why an event is not valid, as jsonb for the quarantine and in words: the
 * first violation, and the first few.
 */
static Jsonb *
violations_of(Event *event, char **first, char **words)
{
	JsonCollector json = {.collector = {.add = collect, .limit = KEPT_VIOLATIONS}, .context = CurrentMemoryContext};
	const char *message = NULL;
	char	   *sqlstate = NULL;

	if (event->fault == NULL && event->type != NULL && event->has_version &&
		event->schema != NULL && event->data != NULL)
	{
		/* by what refused it, though it be replaced meanwhile */
		ev_registry_kept_program(event->schema);
		initStringInfo(&json.words);
		initStringInfo(&json.first);
		ev_push_jsonb(&json.state, WJB_BEGIN_ARRAY, NULL);
		if (compute(collect_computation, event, &json))
		{
			int64		more = json.collector.count - KEPT_VIOLATIONS;

			if (more > 0)
			{
				EvViolation violation = {"", "", "", psprintf("and " INT64_FORMAT " more", more), NULL, NULL};

				push_violation(&json.state, &violation, NULL);
			}
			*first = json.first.data;
			*words = json.words.data;
			ev_push_jsonb(&json.state, WJB_END_ARRAY, NULL);
			return JsonbValueToJsonb(json.state.result);
		}
	}

	if (event->fault != NULL && event->fault_sqlstate == 0)
		message = psprintf("its data is not JSON: %s", event->fault);
	else if (event->fault != NULL)
	{
		message = event->fault;
		sqlstate = unpack_sql_state(event->fault_sqlstate);
	}
	else if (event->type == NULL)
		message = "its type is null";
	else if (!event->has_version)
		message = "its schema version is null";
	else if (event->schema == NULL)
	{
		message = psprintf("event schema \"%s\" version %d is not registered",
						   text_to_cstring(event->type), event->version);
		sqlstate = unpack_sql_state(ERRCODE_UNDEFINED_OBJECT);
	}
	else
		message = "its data is null";
	*first = *words = pstrdup(message);
	return ev_single_violation(message, sqlstate);
}

/* ---------- rows that are not valid ---------- */

static void
refuse(Relation relation, Event *event)
{
	const int32 *version = event->has_version ? &event->version : NULL;

	if (event->fault != NULL)
	{
		ev_violation_log("refused", relation, event->type, version, event->fault);
		ereport(ERROR,
				(errcode(event->fault_sqlstate ? event->fault_sqlstate : ERRCODE_CHECK_VIOLATION),
				 event->fault_sqlstate ? errmsg("event is not valid: %s", event->fault) :
				 errmsg("event is not valid: its data is not JSON"),
				 event->fault_sqlstate ? 0 : errdetail_internal("%s", event->fault)));
	}
	ev_refuse_event(relation, event->data, event->type, version, NULL, event->schema);
}

static void
not_diverted_context(void *arg)
{
	errcontext("the event is not diverted to the quarantine, because %s", (char *) arg);
}

static void
divert(const RowGuard *guard, Relation relation, HeapTuple row, Event *event)
{
	EvDiverted	diverted = {.table = guard->table, .relation = relation, .row = row};
	char	   *reason;
	char	   *first;
	char	   *words;

	/* before policies are asked, which may look up schemas */
	diverted.violations = violations_of(event, &first, &words);

	/*
	 * somebody else will insert it later: only what the user could have
	 * inserted
	 */
	reason = ev_row_why_not_insert(relation, guard->table, row);
	if (reason != NULL)
	{
		ErrorContextCallback context = {error_context_stack, not_diverted_context, reason};

		error_context_stack = &context;
		refuse(relation, event);
	}
	diverted.type = event->type;
	diverted.version = event->has_version ? &event->version : NULL;
	ev_quarantine_add(&diverted);
	ev_violation_log("diverted", relation, diverted.type, diverted.version, words);
}

static void
warn(const RowGuard *guard, Relation relation, HeapTuple row, Event *event)
{
	EvDiverted	kept = {.table = guard->table, .relation = relation, .row = row, .kept = true};
	bool		recorded = OidIsValid(ev_quarantine_find());
	char	   *first;
	char	   *words;

	kept.type = event->type;
	kept.version = event->has_version ? &event->version : NULL;
	kept.violations = violations_of(event, &first, &words);
	if (recorded)
		ev_quarantine_add(&kept);
	ev_violation_log("kept", relation, kept.type, kept.version, words);
	ereport(WARNING,
			(event->type == NULL ? errmsg("event is not valid: %s", first) :
			 event->has_version ?
			 errmsg("event \"%s\" version %d is not valid: %s",
					text_to_cstring(event->type), event->version, first) :
			 errmsg("event \"%s\" is not valid: %s", text_to_cstring(event->type), first),
			 recorded ? 0 :
			 errdetail("It is not recorded, since there is no table \"event_schema.quarantine\"."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, get_namespace_name(RelationGetNamespace(relation))),
			 err_generic_string(PG_DIAG_TABLE_NAME, RelationGetRelationName(relation))));
}

/* ---------- versions that are deprecated ---------- */

/* the server's log gets so many seconds' peace, in each session */
#define SECONDS_BETWEEN_LINES	3600

/*
 * Had the row this type and version before it was updated?  An expression that
 * raises for the old row tells nothing, and then neither do we.
 */
static bool
had_version(Call *call, Relation relation, HeapTuple old, const Event *event)
{
	Event		before = {.type = NULL};

	if (call->guard->may_raise)
		read_row_in_subtransaction(call, relation, old, &before);
	else
	{
		if (call->guard->has_expressions)
		{
			ExecStoreHeapTuple(old, call->slot, false);
			call->expression_context->ecxt_scantuple = call->slot;
		}
		read_identity(call, relation, old, &before);
		if (call->guard->has_expressions)
			ExecClearTuple(call->slot);
	}
	return before.fault != NULL ||
		(before.type != NULL && before.has_version && before.version == event->version &&
		 VARSIZE_ANY_EXHDR(before.type) == VARSIZE_ANY_EXHDR(event->type) &&
		 memcmp(VARDATA_ANY(before.type), VARDATA_ANY(event->type), VARSIZE_ANY_EXHDR(event->type)) == 0);
}

/*
 * Warns of a row whose version is deprecated: the client once a statement, the
 * server's log now and then, for each session and version.
 */
static void
warn_deprecated(Relation relation, EvSchema *schema)
{
	TimestampTz statement = GetCurrentStatementStartTimestamp();
	bool		is_logged;

	if (schema->told_client == statement)
		return;
	is_logged = schema->told_log == 0 ||
		TimestampDifferenceExceeds(schema->told_log, statement, SECONDS_BETWEEN_LINES * 1000);
	schema->told_client = statement;
	if (is_logged)
		schema->told_log = statement;
	ereport(is_logged ? WARNING : WARNING_CLIENT_ONLY,
			(errcode(ERRCODE_WARNING_DEPRECATED_FEATURE),
			 errmsg("event schema \"%s\" is deprecated", NameStr(schema->name)),
			 errdetail("Table \"%s\" gets new rows of this version.", RelationGetRelationName(relation)),
			 errhint("Let the producer send a version that is not; the view event_schemas has them."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, get_namespace_name(RelationGetNamespace(relation))),
			 err_generic_string(PG_DIAG_TABLE_NAME, RelationGetRelationName(relation))));
}

/* A row is kept: does it bring a deprecated version into the table? */
static inline void
heed_deprecation(Call *call, const TriggerData *data, EvGuardMode mode, const Event *event)
{
	if (likely(event->schema == NULL || !event->schema->deprecated) || mode == EV_GUARD_OFF)
		return;
	if (TRIGGER_FIRED_BY_INSERT(data->tg_event) ||
		!had_version(call, data->tg_relation, data->tg_trigtuple, event))
		warn_deprecated(data->tg_relation, event->schema);
}

/* ---------- the trigger ---------- */

int
ev_trigger_depth(void)
{
	LOCAL_FCINFO(call, 0);

	InitFunctionCallInfoData(*call, NULL, 0, InvalidOid, NULL, NULL);
	return DatumGetInt32(pg_trigger_depth(call));
}

static const TriggerData *
trigger_data(FunctionCallInfo fcinfo)
{
	const TriggerData *data = (const TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(data->tg_event) || !TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		!(TRIGGER_FIRED_BY_INSERT(data->tg_event) || TRIGGER_FIRED_BY_UPDATE(data->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" is called by a BEFORE INSERT OR UPDATE row trigger only", "guard_event")));
	return data;
}

/*
 * guard_event(mode, data_expr, type_expr, version_expr, until) → trigger
 */
Datum
ev_guard_event(PG_FUNCTION_ARGS)
{
	const TriggerData *data = trigger_data(fcinfo);
	Relation	relation = data->tg_relation;
	bool		is_insert = TRIGGER_FIRED_BY_INSERT(data->tg_event);
	HeapTuple	row = is_insert ? data->tg_trigtuple : data->tg_newtuple;
	Call	   *call = prepare_call(fcinfo, relation, data->tg_trigger);
	const RowGuard *guard = call->guard;
	EvGuardMode mode = guard->mode;
	bool		replayed = ev_replay != NULL && is_insert &&
		(ev_replay->table == guard->table || ev_replay->table == guard->relation) &&
		ev_replay->depth == ev_trigger_depth();
	bool		lenient;		/* an error in the data is a violation */
	Event		event = {.type = NULL};
	bool		valid;

	if (guard->until != DT_NOEND && guard->until <= GetCurrentStatementStartTimestamp())
		mode = EV_GUARD_ENFORCE;
	if (mode == EV_GUARD_OFF && !replayed)
		return PointerGetDatum(row);
	Assert(guard->has_operands);
	lenient = replayed || mode == EV_GUARD_WARN || (mode == EV_GUARD_QUARANTINE && is_insert);

	if (lenient && guard->may_raise)
		read_row_in_subtransaction(call, relation, row, &event);
	else
		read_row(call, relation, row, &event);
	if (event.fault == NULL && event.type != NULL && event.has_version)
		event.schema = ev_dispatch(&call->dispatch, fcinfo->flinfo->fn_mcxt,
								   event.type, event.version);
	if (event.schema == NULL)
		valid = false;
	else if (lenient)
		valid = compute(matches_computation, &event, NULL);
	else
		valid = matches(&event);
	if (valid)
	{
		heed_deprecation(call, data, mode, &event);
		return PointerGetDatum(row);
	}

	if (replayed)
	{
		MemoryContext caller = MemoryContextSwitchTo(ev_replay->context);
		char	   *first;
		char	   *words;

		ev_replay->violations = violations_of(&event, &first, &words);
		ev_replay->left_out++;
		MemoryContextSwitchTo(caller);
		return PointerGetDatum(NULL);
	}
	if (mode == EV_GUARD_WARN)
	{
		warn(guard, relation, row, &event);
		heed_deprecation(call, data, mode, &event);
		return PointerGetDatum(row);
	}
	if (mode == EV_GUARD_QUARANTINE && is_insert)
	{
		divert(guard, relation, row, &event);
		return PointerGetDatum(NULL);
	}
	refuse(relation, &event);
	pg_unreachable();
}
