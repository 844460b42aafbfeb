/*
 * guard_trigger.c
 *	  guard_event(), the row trigger that keeps a table's events valid.
 *
 * It reads a row (guard_call.c) and matches it like check_event.  If the row
 * is valid, this is all.  Otherwise the mode determines what happens.
 *
 * A row that is rejected must end in the quarantine or in an error.  Three
 * kinds of errors count as violations if the mode does not raise them:
 * resource limits during matching, JSON text that jsonb cannot store, and
 * errors of an expression caused by its data.  The first two come from code
 * that only computes, so they are caught without a subtransaction.  The last
 * needs one, which only expressions that could raise errors pay for.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/event_log.h"
#include "base/row_fault.h"
#include "base/shown_text.h"
#include "base/steady_time.h"
#include "guard/guard_bypass.h"
#include "guard/guard_call.h"
#include "guard/guard_constraint.h"
#include "guard/guard_definition.h"
#include "guard/guard_trigger.h"
#include "guard/guard_warnings.h"
#include "guard/moved_rows.h"
#include "guard/quarantine.h"
#include "jsonb/jsonb_value.h"
#include "match/interpret.h"
#include "registry/error_detail.h"
#include "registry/validation_error.h"
#include "rows/row_constraints.h"
#include "rows/row_json.h"
#include "rows/row_key.h"
#include "rows/row_rights.h"

PG_FUNCTION_INFO_V1(ev_guard_event);

/* violations of a row in the quarantine; the rest are counted */
#define KEPT_VIOLATIONS		100
/* violations in a line of the log */
#define LOGGED_VIOLATIONS	3

/* the text for an error in a row if messages quote no values */
#define UNREADABLE	"its data could not be read"

/* ---------- pure computation ---------- */

/* Parses JSON text as jsonb.  Raises an error if jsonb cannot store it. */
static void
parse_data(EvRowEvent *event)
{
	char	   *fault;

	event->data = ev_jsonb_from_text(event->json, &fault);
	if (event->data == NULL)
		event->fault = fault;
}

static bool
matches(EvRowEvent *event)
{
	if (event->data == NULL && event->json != NULL)
		parse_data(event);
	return event->data != NULL && ev_match(event->schema->program, event->data);
}

/*
 * Runs a computation on an event and returns its answer.  If it raises an
 * error that the data caused, returns false, and the error is the event's
 * fault.
 *
 * No subtransaction cleans up after an error, so the computation must hold
 * only memory when it raises: no catalog, no buffer, no lock.
 */
static bool
compute(bool (*computation) (EvRowEvent *event, void *arg), EvRowEvent *event, void *arg)
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
		if (!ev_is_row_fault(error->sqlerrcode, EV_WORK_VALIDATE))
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
matches_computation(EvRowEvent *event, void *arg pg_attribute_unused())
{
	return matches(event);
}

/* ---------- violations ---------- */

typedef struct JsonCollector
{
	EvCollector collector;
	MemoryContext context;		/* for the result */
	JsonbInState state;
	StringInfoData words;		/* the first few as text, for messages */
	StringInfoData first;
	StringInfoData reason;		/* the place of the first in the schema */
	List	   *objects;		/* char *: the first few, for a DETAIL in JSON */
} JsonCollector;

/* Why an event is not valid, as text. */
typedef struct Words
{
	char	   *first;			/* the first violation */
	char	   *all;			/* the first few */
	char	   *reason;			/* the first one without values: the same for
								 * all rows with this reason */
	char	   *json;			/* the first few as a DETAIL in JSON; NULL: it
								 * is text */
} Words;

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

/* A value, unless it is NULL. */
static void
push_fact(JsonbInState *state, const char *name, const Jsonb *fact)
{
	JsonbValue	key = {.type = jbvString};
	JsonbValue	value = {.type = jbvBinary};
	Jsonb	   *copy;

	if (fact == NULL)
		return;
	copy = palloc(VARSIZE(fact));
	memcpy(copy, fact, VARSIZE(fact));
	if (!JB_ROOT_IS_SCALAR(copy) || !JsonbExtractScalar(&copy->root, &value))
	{
		value.val.binary.data = &copy->root;
		value.val.binary.len = VARSIZE(copy) - VARHDRSZ;
	}
	key.val.string.val = pstrdup(name);
	key.val.string.len = strlen(name);
	ev_push_jsonb(state, WJB_KEY, &key);
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
	if (violation->property != NULL)
		push_member(state, "property", violation->property);
	push_fact(state, "expected", violation->expected);
	push_fact(state, "actual", violation->actual);
	if (sqlstate != NULL)
		push_member(state, "sqlstate", sqlstate);
	ev_push_jsonb(state, WJB_END_OBJECT, NULL);
}

static void
collect(EvCollector *collector, const EvViolation *violation)
{
	JsonCollector *json = (JsonCollector *) collector;
	MemoryContext caller = MemoryContextSwitchTo(json->context);
	char	   *words = ev_violation_words(violation);

	push_violation(&json->state, violation, NULL);
	if (json->first.len == 0)
	{
		appendStringInfoString(&json->first, words);
		appendStringInfo(&json->reason, "%s %s", violation->keyword_location, violation->property != NULL ? violation->property : "");
	}
	if (collector->count <= LOGGED_VIOLATIONS)
		appendStringInfo(&json->words, "%s%s", json->words.len > 0 ? "; " : "", words);
	if (ev_detail_is_json() && list_length(json->objects) < EV_DETAIL_VIOLATIONS)
		json->objects = lappend(json->objects, ev_violation_json(violation));
	MemoryContextSwitchTo(caller);
}

Jsonb *
ev_single_violation(const char *message, const char *sqlstate)
{
	JsonbInState state = {0};
	EvViolation violation = {.instance_location = "",.keyword_location = "",.keyword = "",.message = message};

	ev_push_jsonb(&state, WJB_BEGIN_ARRAY, NULL);
	push_violation(&state, &violation, sqlstate);
	ev_push_jsonb(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(state.result);
}

static bool
collect_computation(EvRowEvent *event, void *arg)
{
	JsonCollector *json = (JsonCollector *) arg;

	ev_match_collect(event->schema->program, event->data, &json->collector);
	return true;
}

/* Returns why an event is not valid, as jsonb for the quarantine and as text. */
static Jsonb *
violations_of(EvRowEvent *event, Words *words)
{
	JsonCollector json = {.collector = {.add = collect, .limit = KEPT_VIOLATIONS, .wants_facts = true}, .context = CurrentMemoryContext};
	const char *message = NULL;
	char	   *sqlstate = NULL;

	if (event->fault == NULL && event->type != NULL && event->has_version &&
		event->schema != NULL && event->data != NULL)
	{
		/*
		 * with the program that rejected it, even if it was replaced
		 * meanwhile
		 */
		ev_registry_kept_program(event->schema);
		initStringInfo(&json.words);
		initStringInfo(&json.first);
		initStringInfo(&json.reason);
		ev_push_jsonb(&json.state, WJB_BEGIN_ARRAY, NULL);
		if (compute(collect_computation, event, &json))
		{
			int64		more = json.collector.count - KEPT_VIOLATIONS;

			if (more > 0)
			{
				EvViolation violation = {.instance_location = "",.keyword_location = "",.keyword = "",.message = psprintf("and " INT64_FORMAT " more", more)};

				push_violation(&json.state, &violation, NULL);
			}
			words->first = json.first.data;
			words->all = json.words.data;
			words->reason = json.reason.data;
			words->json = ev_detail_is_json() ? ev_detail_json(json.objects, json.collector.count) : NULL;
			ev_push_jsonb(&json.state, WJB_END_ARRAY, NULL);
			return JsonbValueToJsonb(json.state.result);
		}
	}

	if (event->fault != NULL && event->fault_sqlstate == 0)
		message = psprintf("its data is not JSON: %s", ev_visible(event->fault));
	else if (event->fault != NULL)
	{
		message = ev_visible(event->fault);
		sqlstate = unpack_sql_state(event->fault_sqlstate);
	}
	else if (event->type == NULL)
		message = "its type is null";
	else if (!event->has_version)
		message = "its schema version is null";
	else if (event->schema == NULL)
	{
		message = psprintf("event schema %s version %d is not registered", ev_type_show(event->type),
						   event->version);
		sqlstate = unpack_sql_state(ERRCODE_UNDEFINED_OBJECT);
	}
	else
		message = "its data is null";
	words->first = words->all = pstrdup(event->fault != NULL && !ev_quote_values ? UNREADABLE : message);
	words->reason = event->fault != NULL ? psprintf("fault %s", sqlstate != NULL ? sqlstate : "") : words->first;
	words->json = ev_detail_is_json() ? ev_detail_json(list_make1(ev_reason_json(words->first)), 1) : NULL;
	return ev_single_violation(message, sqlstate);
}

/* ---------- rows that are not valid ---------- */

/* The names of the columns from which the data comes. */
static List *
columns_of_data(const EvGuard *guard, TupleDesc descriptor)
{
	const EvGuardOperand *operand = &guard->operands[EV_ROW_DATA];
	Bitmapset  *read = NULL;
	List	   *names = NIL;

	pull_varattnos(operand->expression, 1, &read);
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(descriptor, i);

		if (!column->attisdropped &&
			(operand->column == column->attnum ||
			 bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, read) ||
			 bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, read)))
			names = lappend(names, NameStr(column->attname));
	}
	return names;
}

/*
 * May the current user see values of the row in error messages?  Not if an
 * UPDATE of other columns reached a row that the user may not read, perhaps because
 * of row-level security, through a view, or by a foreign key, which PostgreSQL
 * updates as the table's owner; nor if an INSERT of other columns left the data
 * to a default.
 */
static bool
may_see(const EvGuard *guard, const TriggerData *data)
{
	Relation	relation = data->tg_relation;

	return (TRIGGER_FIRED_BY_INSERT(data->tg_event) && !ev_row_may_be_moved(relation) &&
			ev_row_may_be_given(relation, columns_of_data(guard, RelationGetDescr(relation)))) ||
		(!InNoForceRLSOperation() && ev_row_may_read(relation, data->tg_trigtuple));
}

/* The key of the row that an error is about. */
typedef struct RowContext
{
	ErrorContextCallback callback;
	Relation	relation;
	char	   *key;
} RowContext;

static void
row_context(void *arg)
{
	RowContext *context = (RowContext *) arg;

	errcontext("row of table \"%s\" with key %s", ev_visible(RelationGetRelationName(context->relation)), context->key);
}

/*
 * Adds the row's key to the errors that follow, if the row has one and the
 * user may read it.  `context` lives in the caller's block.  The caller
 * removes it from the stack, unless an error does.
 */
static void
push_row_context(RowContext *context, Relation relation, HeapTuple row)
{
	context->relation = relation;
	context->key = ev_quote_values ? ev_row_key(relation, row) : NULL;
	context->callback.callback = row_context;
	context->callback.arg = context;
	context->callback.previous = error_context_stack;
	if (context->key != NULL)
		error_context_stack = &context->callback;
}

static int
constraint_field(const char *constraint)
{
	return constraint != NULL ? err_generic_string(PG_DIAG_CONSTRAINT_NAME, constraint) : 0;
}

/*
 * Raises the error.  If the table has a CHECK constraint that would refuse the
 * row after the guard, the error has its name.
 */
static void
refuse(const EvGuard *guard, Relation relation, HeapTuple row, EvRowEvent *event, bool is_shown)
{
	const int32 *version = event->has_version ? &event->version : NULL;
	char	   *constraint = ev_guard_constraint(guard, relation, event->type);
	RowContext	context;

	if (!is_shown)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errtable(relation),
				 errmsg("an event in table \"%s\" is not valid", RelationGetRelationName(relation)),
				 ev_detail_of_reason("only roles that may read the row see its violations",
									 _("Only roles that may read the row see its violations.")),
				 constraint_field(constraint)));
	if (event->fault != NULL && !ev_quote_values)
	{
		ev_event_log(EV_REFUSED, relation, event->type, version, UNREADABLE);
		ereport(ERROR,
				(errcode(event->fault_sqlstate ? event->fault_sqlstate : ERRCODE_CHECK_VIOLATION),
				 errtable(relation),
				 errmsg("event is not valid: %s", UNREADABLE),
				 ev_detail_of_reason(UNREADABLE, NULL),
				 constraint_field(constraint)));
	}
	push_row_context(&context, relation, row);
	if (event->fault != NULL)
	{
		ev_event_log(EV_REFUSED, relation, event->type, version, event->fault);
		ereport(ERROR,
				(errcode(event->fault_sqlstate ? event->fault_sqlstate : ERRCODE_CHECK_VIOLATION),
				 errtable(relation),
				 event->fault_sqlstate ? errmsg("event is not valid: %s", ev_visible(event->fault)) :
				 errmsg("event is not valid: its data is not JSON"),
				 event->fault_sqlstate ? ev_detail_of_reason(ev_visible(event->fault), NULL) :
				 ev_detail_of_reason(psprintf("its data is not JSON: %s", ev_visible(event->fault)), ev_visible(event->fault)),
				 constraint_field(constraint)));
	}
	ev_refuse_event(relation, event->data, event->type, version, constraint, event->schema);
}

static void
not_diverted_context(void *arg)
{
	errcontext("the event is not diverted to the quarantine, because %s", ev_visible((char *) arg));
}

/*
 * Another role will insert the row later, so it must be a row that the user
 * could have inserted if the event had been valid.  Raises an error if not.
 */
static void
check_divertible(EvGuardCall *call, const TriggerData *data, HeapTuple row, EvRowEvent *event)
{
	ErrorContextCallback context = {error_context_stack, not_diverted_context, NULL};
	Relation	relation = data->tg_relation;
	Oid			table = call->guard->is_child ? call->guard->relation : call->guard->table;
	char	   *reason = ev_row_why_not_insert(relation, table, row);

	if (reason != NULL)
	{
		bool		is_shown = may_see(call->guard, data);

		context.arg = reason;
		error_context_stack = &context;
		refuse(call->guard, relation, row, event, is_shown);
	}
	context.arg = psprintf("table \"%s\" rejects the row for another reason",
						   RelationGetRelationName(relation));
	error_context_stack = &context;
	ev_row_check_constraints(&call->constraints, call->context, relation, row, EV_ROW_INSERTED);
	error_context_stack = context.previous;
}

/*
 * Checks that policies and constraints, which are users' code, have not
 * dropped the table.
 */
static void
check_table(const EvGuard *guard, Relation relation)
{
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(guard->table)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the table that the event guard of \"%s\" was added to was dropped while the guard ran",
						RelationGetRelationName(relation))));
}

/*
 * Counts the row for a WARNING at the end of the statement, if the user may see
 * it.
 */
static void
warn_client(EvGuardCall *call, const TriggerData *data, HeapTuple row, const EvRowEvent *event, const Words *words,
			EvWarned what, bool is_recorded)
{
	EvRowWarning warning = {
		.what = what, .relation = data->tg_relation, .table = call->guard->table, .event = event,
		.words = words->first, .reason = words->reason, .json = words->json, .is_recorded = is_recorded
	};

	if (!may_see(call->guard, data))
		return;
	warning.key = ev_quote_values ? ev_row_key(data->tg_relation, row) : NULL;
	ev_guard_warn(MemoryContextGetParent(call->context), &warning);
}

/* Leaves a row in the table in which it was before. */
static void
keep_moved(EvGuardCall *call, const TriggerData *data, HeapTuple row, const EvRowEvent *event, const Words *words)
{
	if (event->counters != NULL)
		ev_count(event->counters, EV_WARNED);
	ev_event_log(EV_KEPT, data->tg_relation, event->type, event->has_version ? &event->version : NULL, words->all);
	warn_client(call, data, row, event, words, EV_WARNED_STAYS, false);
}

/*
 * Diverts a row.  Returns true if the row is stored nevertheless: it was in the
 * table before, and is only moved.
 */
static bool
divert(EvGuardCall *call, const TriggerData *data, HeapTuple row, EvRowEvent *event)
{
	Relation	relation = data->tg_relation;
	EvDiverted	diverted = {.table = call->guard->table, .relation = relation, .is_child = call->guard->is_child, .row = row};
	Words		words;
	EvMove		move;

	/* before policies and constraints run, which may look up schemas */
	diverted.violations = violations_of(event, &words);
	move = ev_row_move(call->guard, relation, row);
	if (move == EV_MOVED)
	{
		keep_moved(call, data, row, event, &words);
		return true;
	}
	check_divertible(call, data, row, event);
	check_table(call->guard, relation);
	diverted.type = event->type;
	diverted.version = event->has_version ? &event->version : NULL;
	ev_quarantine_add(&diverted);
	if (event->counters != NULL)
		ev_count(event->counters, EV_QUARANTINED);
	ev_event_log(EV_DIVERTED, relation, diverted.type, diverted.version, words.all);
	if (move == EV_PERHAPS_MOVED)
		warn_client(call, data, row, event, &words, EV_WARNED_LEAVES, true);
	return false;
}

static void
warn(EvGuardCall *call, const TriggerData *data, HeapTuple row, EvRowEvent *event)
{
	const EvGuard *guard = call->guard;
	Relation	relation = data->tg_relation;
	EvDiverted	kept = {.table = guard->table, .relation = relation, .is_child = guard->is_child, .row = row, .kept = true};
	bool		recorded = OidIsValid(ev_quarantine_find());
	Words		words;

	kept.type = event->type;
	kept.version = event->has_version ? &event->version : NULL;
	kept.violations = violations_of(event, &words);
	if (recorded)
	{
		check_table(guard, relation);
		ev_quarantine_add(&kept);
	}
	if (event->counters != NULL)
		ev_count(event->counters, EV_WARNED);
	ev_event_log(EV_KEPT, relation, kept.type, kept.version, words.all);
	warn_client(call, data, row, event, &words, EV_WARNED_KEPT, recorded);
}

/* ---------- versions that are deprecated ---------- */

/* the interval between lines in the server's log, in each session */
#define SECONDS_BETWEEN_LINES	3600

/*
 * Did the row have this type and version before the update?  False if an
 * expression raises an error for the old row.
 */
static bool
had_version(EvGuardCall *call, Relation relation, HeapTuple old, const EvRowEvent *event)
{
	EvRowEvent	before = {.type = NULL};

	if (call->guard->may_raise)
		(void) ev_guard_read_caught(call, relation, old, &before, false);
	else
		ev_guard_read_identity(call, relation, old, &before);
	return before.fault != NULL ||
		(before.type != NULL && before.has_version && before.version == event->version &&
		 VARSIZE_ANY_EXHDR(before.type) == VARSIZE_ANY_EXHDR(event->type) &&
		 memcmp(VARDATA_ANY(before.type), VARDATA_ANY(event->type), VARSIZE_ANY_EXHDR(event->type)) == 0);
}

/*
 * Warns of a row whose version is deprecated: the client once for each
 * statement, the server's log at intervals, for each session and version.
 */
static void
warn_deprecated(Relation relation, EvSchema *schema)
{
	TimestampTz statement = GetCurrentStatementStartTimestamp();
	TimestampTz now = ev_steady_time();
	bool		is_logged;

	is_logged = schema->last_warned_log == 0 ||
		TimestampDifferenceExceeds(schema->last_warned_log, now, SECONDS_BETWEEN_LINES * 1000);
	schema->last_warned_client = statement;
	if (is_logged)
		schema->last_warned_log = now;
	ereport(is_logged ? WARNING : WARNING_CLIENT_ONLY,
			(errcode(ERRCODE_WARNING_DEPRECATED_FEATURE),
			 errmsg("event schema \"%s\" is deprecated", schema->name),
			 errdetail("Table \"%s\" gets new rows of this version.", RelationGetRelationName(relation)),
			 errhint("Let the producer send a version that is not deprecated; the view event_schemas lists them."),
			 errtable(relation)));
}

/* Warns if a row that is stored brings a deprecated version into the table. */
static inline void
heed_deprecation(EvGuardCall *call, const TriggerData *data, EvGuardMode mode, const EvRowEvent *event)
{
	if (likely(event->schema == NULL || !event->schema->deprecated) || mode == EV_GUARD_OFF)
		return;
	if (event->schema->last_warned_client == GetCurrentStatementStartTimestamp())
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
				 errmsg("function \"%s\" is called only by a BEFORE INSERT OR UPDATE row trigger", "guard_event")));
	return data;
}

/*
 * Reads the event in a row.  Returns false if the guard is not for its type;
 * then only type and version were evaluated.
 */
static inline bool
read_event(EvGuardCall *call, Relation relation, HeapTuple row, bool lenient, EvRowEvent *event)
{
	return lenient && call->guard->may_raise ? ev_guard_read_caught(call, relation, row, event, true) :
		ev_guard_read(call, relation, row, event);
}

static inline void
find_schema(EvGuardCall *call, EvRowEvent *event)
{
	if (event->fault == NULL && event->type != NULL && event->has_version)
		event->schema = ev_call_site_schema(&call->dispatch, call->context, event->type, event->version);
}

/*
 * Matches an event with its schema.  If lenient, errors that the data caused are the
 * event's fault.
 */
static inline bool
matches_schema(EvRowEvent *event, bool lenient)
{
	if (event->schema == NULL)
		return false;
	return lenient ? compute(matches_computation, event, NULL) : matches(event);
}

/* Looks up the schema of an event, and matches the event.  Runs no users' code. */
static bool
is_valid(EvGuardCall *call, EvRowEvent *event, bool lenient)
{
	find_schema(call, event);
	return matches_schema(event, lenient);
}

/* The counters of events of this schema in the guard's table. */
static EvCounters *
counters_of(EvGuardCall *call, const EvRowEvent *event)
{
	EvMet	   *met;

	if (event->schema == NULL)
		return ev_transient_counters(call->guard->table, event->type, event->has_version ? &event->version : NULL);
	met = call->dispatch->last;
	if (met->counters == NULL || met->counters->origin.role != GetUserId())
		met->counters = ev_schema_relation_counters(event->schema, call->guard->table);
	return met->counters;
}

/* The reason why an event cannot be matched. */
static EvFailureReason
failure_reason(const EvRowEvent *event)
{
	if (event->fault != NULL)
		return EV_FAILED_UNREADABLE;
	if (event->type == NULL || !event->has_version || event->schema != NULL)
		return EV_FAILED_NULL;
	return EV_FAILED_UNREGISTERED;
}

/* is_valid(), and counts the answer.  A row that is replayed counts once it is moved. */
static pg_noinline bool
is_valid_counted(EvGuardCall *call, EvRowEvent *event, bool lenient, EvReplay *replay)
{
	instr_time	start;
	bool		result;

	/* not the time to compile a schema, once in a session */
	find_schema(call, event);
	INSTR_TIME_SET_ZERO(start);
	if (ev_verdict_is_timed())
		INSTR_TIME_SET_CURRENT(start);
	result = matches_schema(event, lenient);
	if ((ev_watchers & EV_WATCH_TALLY) != 0)
		ev_tally_add(result);
	event->counters = ev_stats_on ? counters_of(call, event) : NULL;
	if (replay != NULL)
	{
		replay->counters = result ? event->counters : NULL;
		return result;
	}
	if (event->schema != NULL && !INSTR_TIME_IS_ZERO(start))
		ev_count_time(event->counters, &start);
	if (event->counters == NULL)
		return result;
	if (result)
		ev_count_valid(event->counters);
	else if (event->schema != NULL && event->data != NULL && event->fault == NULL)
		ev_count_invalid(event->counters, ev_registry_kept_program(event->schema), event->data);
	else
		ev_count_failed(event->counters, failure_reason(event));
	return result;
}

bool
ev_guard_accepts(FmgrInfo *function, Relation relation, const Trigger *trigger, HeapTuple row)
{
	EvGuardCall *call = ev_guard_call_begin(function, relation, trigger);
	EvRowEvent	event = {.type = NULL};
	bool		result = !read_event(call, relation, row, true, &event) || is_valid(call, &event, true);

	ev_guard_call_end(function, call);
	return result;
}

/* The row that is to be stored; NULL: none is. */
static HeapTuple
guard_row(EvGuardCall *call, const TriggerData *data)
{
	const EvGuard *guard = call->guard;
	Relation	relation = data->tg_relation;
	bool		is_insert = TRIGGER_FIRED_BY_INSERT(data->tg_event);
	HeapTuple	row = is_insert ? data->tg_trigtuple : data->tg_newtuple;
	EvGuardMode mode = guard->mode;
	EvReplay   *replay = ev_replay;
	bool		lenient;		/* errors in the data count as violations */
	EvRowEvent	event = {.type = NULL};

	if (replay != NULL &&
		!(is_insert && (replay->table == guard->table || replay->table == guard->relation) &&
		  replay->depth == ev_trigger_depth()))
		replay = NULL;
	if (guard->until != DT_NOEND && guard->until <= GetCurrentStatementStartTimestamp())
		mode = EV_GUARD_ENFORCE;
	if (mode == EV_GUARD_OFF && replay == NULL)
		return row;
	if (unlikely(ev_bypass_guard) && replay == NULL)
	{
		ev_guard_bypassed(relation);
		if (ev_stats_on)
			ev_count(ev_counters(guard->table, NULL, 0, 0), EV_BYPASSED);
		return row;
	}
	Assert(guard->has_operands);
	lenient = replay != NULL || mode == EV_GUARD_WARN || (mode == EV_GUARD_QUARANTINE && is_insert);

	if (!read_event(call, relation, row, lenient, &event))
		return row;

	/* no users' code from here to where the violations are known */
	if (likely(ev_watchers == 0) ? is_valid(call, &event, lenient) : is_valid_counted(call, &event, lenient, replay))
	{
		heed_deprecation(call, data, mode, &event);
		return row;
	}

	if (replay != NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(replay->context);
		Words		words;

		replay->violations = violations_of(&event, &words);
		replay->left_out++;
		MemoryContextSwitchTo(caller);
		return NULL;
	}
	if (mode == EV_GUARD_WARN)
	{
		warn(call, data, row, &event);
		heed_deprecation(call, data, mode, &event);
		return row;
	}
	if (mode == EV_GUARD_QUARANTINE && is_insert)
	{
		if (!divert(call, data, row, &event))
			return NULL;
		heed_deprecation(call, data, mode, &event);
		return row;
	}
	refuse(guard, relation, row, &event, may_see(guard, data));
	pg_unreachable();
}

/*
 * guard_event(mode, data_expr, type_expr, version_expr, until, types) → trigger
 */
Datum
ev_guard_event(PG_FUNCTION_ARGS)
{
	const TriggerData *data = trigger_data(fcinfo);
	EvGuardCall *call = ev_guard_call_begin(fcinfo->flinfo, data->tg_relation, data->tg_trigger);
	HeapTuple	row = guard_row(call, data);

	ev_guard_call_end(fcinfo->flinfo, call);
	return PointerGetDatum(row);
}
