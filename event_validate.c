/*
 * event_validate.c
 *	  The extension's entry points: validation of jsonb events by registered
 *	  JSON Schemas.
 *
 * This file only reads arguments, and makes errors and rows; schemas and
 * matching are in src/.  The functions that register and protect schemas are
 * in src/registration/validator.c, src/registration/register.c and
 * src/registration/ddl_triggers.c.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/arguments.h"
#include "base/event_log.h"
#include "base/shown_text.h"
#include "evolution/upcast_run.h"
#include "guard/guard_bypass.h"
#include "match/interpret.h"
#include "program/program_text.h"
#include "match/report.h"
#include "registration/validator.h"
#include "registry/call_site_cache.h"
#include "registry/in_place.h"
#include "registry/schema_cache.h"
#include "registry/validation_error.h"
#include "schema/document.h"
#include "stats/database_drop.h"
#include "stats/explain_events.h"
#include "stats/progress.h"
#include "stats/verdict.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(ev_jsonschema_call_handler);
PG_FUNCTION_INFO_V1(ev_validate_event);
PG_FUNCTION_INFO_V1(ev_validate_json_event);
PG_FUNCTION_INFO_V1(ev_check_event);
PG_FUNCTION_INFO_V1(ev_check_json_event);
PG_FUNCTION_INFO_V1(ev_event_violations);
PG_FUNCTION_INFO_V1(ev_event_report);
PG_FUNCTION_INFO_V1(ev_matching_event_versions);
PG_FUNCTION_INFO_V1(ev_jsonb_matches_schema);
PG_FUNCTION_INFO_V1(ev_jsonb_matches_json_schema);
PG_FUNCTION_INFO_V1(ev_json_matches_schema);
PG_FUNCTION_INFO_V1(ev_text_matches_schema);
PG_FUNCTION_INFO_V1(ev_jsonb_schema_violations);
PG_FUNCTION_INFO_V1(ev_jsonschema_is_valid);
PG_FUNCTION_INFO_V1(ev_json_is_schema);
PG_FUNCTION_INFO_V1(ev_jsonschema_validation_errors);
PG_FUNCTION_INFO_V1(ev_event_schema_program);

void		_PG_init(void);

void
_PG_init(void)
{
	ev_registry_init();
	ev_upcast_init();
	ev_guard_bypass_init();
	ev_validator_init();
	ev_shared_stats_init();
	ev_verdict_init();
	ev_database_drop_init();
	ev_progress_init();
	ev_explain_events_init();
	ev_event_log_init();
}

/* ---------- documents ---------- */

/* A document that is stored with a short header, aligned. */
typedef union ShortDocument
{
	char		data[VARHDRSZ + VARATT_SHORT_MAX];
	uint64		align;
} ShortDocument;

/*
 * A server that checks memory knows the bounds of what was allocated, to the byte,
 * but not those of a document in a buffer.
 */
#ifdef USE_VALGRIND
#define USE_BUFFER			false
#else
#define USE_BUFFER			true
#endif

/*
 * Returns a jsonb argument.  A short one, which is how tables store small
 * documents, is copied to the buffer, since that is faster than allocating it.
 */
static inline Jsonb *
get_document(Datum datum, ShortDocument *buffer)
{
	const struct varlena *stored = (const struct varlena *) DatumGetPointer(datum);

	if (USE_BUFFER && VARATT_IS_SHORT(stored) && !VARATT_IS_EXTERNAL(stored))
	{
		Size		size = VARSIZE_SHORT(stored) - VARHDRSZ_SHORT;

		SET_VARSIZE(buffer, size + VARHDRSZ);
		memcpy(VARDATA(buffer), VARDATA_SHORT(stored), size);
		return (Jsonb *) buffer;
	}
	return DatumGetJsonbP(datum);
}

static inline void
release_document(Jsonb *document, Datum datum, const ShortDocument *buffer)
{
	if ((Pointer) document != DatumGetPointer(datum) && (const void *) document != buffer)
		pfree(document);
}

/*
 * Matches a document that cannot be used in place: short, compressed or
 * external.
 */
static pg_noinline Datum
match_stored(const EvProgram *program, Datum datum)
{
	ShortDocument buffer;
	Jsonb	   *data;
	Datum		result;

	if (ev_match_is_constant(program))
		return program->match(program, NULL);
	if (!VARATT_IS_SHORT(DatumGetPointer(datum)) && ev_match_is_by_type(program))
	{
		/* its beginning is enough, so no more is decompressed or fetched */
		data = (Jsonb *) PG_DETOAST_DATUM_SLICE(datum, 0, sizeof(JsonbContainer) + sizeof(JEntry));
		result = program->match(program, &data->root);
		pfree(data);
		return result;
	}
	data = get_document(datum, &buffer);
	result = program->match(program, &data->root);
	release_document(data, datum, &buffer);
	return result;
}

#define CACHE_LINE			64
#define PREFETCHED_BYTES	512

/*
 * A document in a table's page is usually not in the CPU's cache.  All lines
 * after the first are prefetched together, since the CPU cannot predict the
 * order in which they are read.  No line that starts after the document's end is
 * prefetched.
 */
static inline void
prefetch(const struct varlena *stored)
{
#ifdef __GNUC__
	const char *data = (const char *) stored;
	uint32		size = Min(VARSIZE_4B(stored), PREFETCHED_BYTES);

	for (uint32 at = CACHE_LINE; at < size; at += CACHE_LINE)
		__builtin_prefetch(data + at);
#endif
}

/*
 * Matches a document.  The functions below call it last, without a stack frame
 * of their own.
 */
static inline Datum
match_document(const EvProgram *program, Datum datum)
{
	const struct varlena *stored = (const struct varlena *) DatumGetPointer(datum);

	if (likely(VARATT_IS_4B_U(stored)))
	{
		prefetch(stored);
		return program->match(program, &((const Jsonb *) stored)->root);
	}
	return match_stored(program, datum);
}

/* The same, and measures its time. */
static pg_noinline Datum
match_timed(EvCounters *counters, const EvProgram *program, Datum datum)
{
	instr_time	start;
	Datum		result;

	INSTR_TIME_SET_CURRENT(start);
	result = match_document(program, datum);
	ev_count_time(counters, &start);
	return result;
}

/* The same, and counts the answer.  The counters are NULL without statistics. */
static inline Datum
match_and_count(EvCounters *counters, const EvProgram *program, Datum datum)
{
	bool		valid = DatumGetBool(likely(!ev_verdict_is_timed()) ? match_document(program, datum) :
									 match_timed(counters, program, datum));

	if (unlikely((ev_watchers & EV_WATCH_TALLY) != 0))
		ev_tally_add(valid);
	if (unlikely(counters == NULL))
		PG_RETURN_BOOL(valid);
	if (likely(valid))
		ev_count_valid(counters);
	else
		ev_count_invalid(counters, program, DatumGetJsonbP(datum));
	PG_RETURN_BOOL(valid);
}

/* match_event() with a watcher, a call of its own: otherwise it needs no stack */
static pg_noinline Datum
match_and_count_event(EvSchema *schema, Datum datum)
{
	return match_and_count(ev_stats_on ? ev_schema_counters(schema) : NULL, schema->program, datum);
}

/* Matches an event with its schema. */
static inline Datum
match_event(EvSchema *schema, Datum datum)
{
	if (likely(ev_watchers == 0))
		return match_document(schema->program, datum);
	return match_and_count_event(schema, datum);
}

/* The counters of instances of schemas that are arguments. */
static inline EvCounters *
instance_counters(void)
{
	static EvCounters *last = NULL; /* lives as long as the session */

	if (unlikely(last == NULL || last->origin.role != GetUserId()))
		last = ev_counters(InvalidOid, NULL, 0, 0);
	return last;
}

static pg_noinline Datum
match_and_count_instance(const EvProgram *program, Datum datum)
{
	return match_and_count(ev_stats_on ? instance_counters() : NULL, program, datum);
}

/* Matches an instance with a schema that is an argument. */
static inline Datum
match_instance(const EvProgram *program, Datum datum)
{
	if (likely(ev_watchers == 0))
		return match_document(program, datum);
	return match_and_count_instance(program, datum);
}

/* Returns a document that is json or text as jsonb, in CurrentMemoryContext. */
static Datum
read_json(Datum document)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(TextDatumGetCString(document)));
}

/* ---------- schema functions ---------- */

static pg_noinline Datum
look_up_and_match(FunctionCallInfo fcinfo)
{
	EvSchema   *schema;

	if (PG_NARGS() < 1)
		PG_RETURN_BOOL(false);
	if (PG_ARGISNULL(0))
	{
		if ((ev_watchers & EV_WATCH_TALLY) != 0)
			ev_tally_add(false);
		if (ev_stats_on)
			ev_count_failed(ev_schema_counters(ev_registry_by_function(fcinfo->flinfo->fn_oid)), EV_FAILED_NULL);
		PG_RETURN_BOOL(false);
	}
	schema = ev_registry_by_function(fcinfo->flinfo->fn_oid);
	fcinfo->flinfo->fn_extra = schema;
	return match_event(schema, PG_GETARG_DATUM(0));
}

/*
 * The call handler of the language jsonschema.  The compiled schema is kept in
 * fn_extra; its entry is never freed.
 */
Datum
ev_jsonschema_call_handler(PG_FUNCTION_ARGS)
{
	EvSchema   *schema = fcinfo->flinfo->fn_extra;

	/* if fn_extra is set, there is an argument */
	if (likely(schema != NULL && schema->valid && !PG_ARGISNULL(0)))
	{
		schema->is_used = true;
		return match_event(schema, PG_GETARG_DATUM(0));
	}
	return look_up_and_match(fcinfo);
}

/* ---------- dispatch by type and version ---------- */

/*
 * Returns the schema of arguments 1 and 2, which are not NULL; NULL if it is
 * not registered.
 */
static EvSchema *
find_schema(FunctionCallInfo fcinfo)
{
	FmgrInfo   *function = fcinfo->flinfo;

	return ev_call_site_schema((EvCallSiteCache **) &function->fn_extra, function->fn_mcxt,
							   PG_GETARG_TEXT_PP(1), PG_GETARG_INT32(2));
}

/* Counts an event without a schema, or with an argument that is NULL. */
static pg_noinline void
count_unmatched(FunctionCallInfo fcinfo)
{
	bool		is_complete = !PG_ARGISNULL(0) && !PG_ARGISNULL(1) && !PG_ARGISNULL(2);
	int32		version = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
	EvCounters *counters;

	if ((ev_watchers & EV_WATCH_TALLY) != 0)
		ev_tally_add(false);
	if (!ev_stats_on)
		return;
	counters = ev_transient_counters(InvalidOid, PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1),
									 PG_ARGISNULL(2) ? NULL : &version);
	ev_count_failed(counters, is_complete ? EV_FAILED_UNREGISTERED : EV_FAILED_NULL);
	pfree(counters);
}

/* Returns the schema of an event; NULL, after counting the event: it cannot be matched. */
static inline EvSchema *
schema_to_match(FunctionCallInfo fcinfo)
{
	EvSchema   *schema = NULL;

	if (likely(!PG_ARGISNULL(0) && !PG_ARGISNULL(1) && !PG_ARGISNULL(2)))
		schema = find_schema(fcinfo);
	if (unlikely(schema == NULL && ev_watchers != 0))
		count_unmatched(fcinfo);
	return schema;
}

/*
 * validate_event(data jsonb, event_type text, schema_version int) returns
 * boolean
 */
Datum
ev_validate_event(PG_FUNCTION_ARGS)
{
	EvSchema   *schema = schema_to_match(fcinfo);

	if (schema == NULL)
		PG_RETURN_BOOL(false);
	return match_event(schema, PG_GETARG_DATUM(0));
}

/* validate_event(data json, event_type text, schema_version int) returns boolean */
Datum
ev_validate_json_event(PG_FUNCTION_ARGS)
{
	EvSchema   *schema = schema_to_match(fcinfo);

	if (schema == NULL)
		PG_RETURN_BOOL(false);
	return match_event(schema, read_json(PG_GETARG_DATUM(0)));
}

/* ---------- check_event ---------- */

/* The data is argument 0 as jsonb, or NULL. */
static pg_noinline void
refuse(FunctionCallInfo fcinfo, const Jsonb *data, EvSchema *schema)
{
	int32		version = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);

	ev_refuse_event(NULL, data,
					PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1),
					PG_ARGISNULL(2) ? NULL : &version,
					PG_NARGS() > 3 && !PG_ARGISNULL(3) ? text_to_cstring(PG_GETARG_TEXT_PP(3)) : NULL,
					schema);
}

/*
 * check_event(data jsonb, event_type text, schema_version int, constraint_name
 * text DEFAULT NULL) returns boolean
 */
Datum
ev_check_event(PG_FUNCTION_ARGS)
{
	EvSchema   *schema = schema_to_match(fcinfo);

	if (likely(schema != NULL && DatumGetBool(match_event(schema, PG_GETARG_DATUM(0)))))
		PG_RETURN_BOOL(true);
	refuse(fcinfo, PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0), schema);
	pg_unreachable();
}

/*
 * check_event(data json, event_type text, schema_version int, constraint_name
 * text DEFAULT NULL) returns boolean
 */
Datum
ev_check_json_event(PG_FUNCTION_ARGS)
{
	EvSchema   *schema;
	Jsonb	   *data = NULL;

	if (!PG_ARGISNULL(0))
		data = DatumGetJsonbP(read_json(PG_GETARG_DATUM(0)));
	schema = schema_to_match(fcinfo);
	if (schema != NULL && DatumGetBool(match_event(schema, JsonbPGetDatum(data))))
		PG_RETURN_BOOL(true);
	refuse(fcinfo, data, schema);
	pg_unreachable();
}

/* ---------- violations as rows ---------- */

typedef struct RowCollector
{
	EvCollector collector;
	ReturnSetInfo *result;
} RowCollector;

static void
add_row(EvCollector *collector, const EvViolation *violation)
{
	RowCollector *rows = (RowCollector *) collector;
	const char *texts[] = {
		violation->instance_location, violation->keyword_location,
		violation->keyword, violation->message, violation->property
	};
	const Jsonb *facts[] = {violation->expected, violation->actual};
	Datum		values[lengthof(texts) + lengthof(facts)];
	bool		nulls[lengthof(values)];
	int			count = 0;

	for (int i = 0; i < (int) lengthof(texts); i++, count++)
	{
		nulls[count] = texts[i] == NULL;
		values[count] = texts[i] != NULL ? CStringGetTextDatum(texts[i]) : (Datum) 0;
	}
	for (int i = 0; i < (int) lengthof(facts); i++, count++)
	{
		nulls[count] = facts[i] == NULL;
		values[count] = PointerGetDatum(facts[i]);
	}
	tuplestore_putvalues(rows->result->setResult, rows->result->setDesc, values, nulls);
}

static void
return_violations(FunctionCallInfo fcinfo, const EvProgram *program, const Jsonb *data)
{
	RowCollector rows = {.collector = {.add = add_row, .limit = PG_INT64_MAX, .wants_facts = true}};

	rows.result = (ReturnSetInfo *) fcinfo->resultinfo;
	ev_match_collect(program, data, &rows.collector);
}

/*
 * event_violations(data jsonb, event_type text, schema_version int) returns
 * SETOF (instance_location text, keyword_location text, keyword text, message
 * text, property text, expected jsonb, actual jsonb)
 */
Datum
ev_event_violations(PG_FUNCTION_ARGS)
{
	static const char *const messages[] = {
		"the event's data is null", "the event's type is null", "the event's schema version is null"
	};
	EvSchema   *schema = NULL;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		schema = find_schema(fcinfo);
		if (schema == NULL)
			ev_refuse_unregistered(PG_GETARG_TEXT_PP(1), PG_GETARG_INT32(2));
	}
	for (int i = 1; i <= (int) lengthof(messages); i++)
		if (PG_ARGISNULL(i % lengthof(messages)))
		{
			RowCollector rows = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
			EvViolation violation = {.instance_location = "",.keyword_location = "",.keyword = "",.message = messages[i % lengthof(messages)]};

			add_row(&rows.collector, &violation);
			return (Datum) 0;
		}
	return_violations(fcinfo, schema->program, PG_GETARG_JSONB_P(0));
	return (Datum) 0;
}

/*
 * event_report(data jsonb, event_type text, schema_version int, format text
 * DEFAULT 'basic') returns jsonb
 */
Datum
ev_event_report(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"data", "event_type", "schema_version", "format"};
	EvSchema   *schema;
	char	   *format;
	Jsonb	   *report;

	ev_require_arguments(fcinfo, 0, lengthof(names), names);
	schema = find_schema(fcinfo);
	if (schema == NULL)
		ev_refuse_unregistered(PG_GETARG_TEXT_PP(1), PG_GETARG_INT32(2));
	format = text_to_cstring(PG_GETARG_TEXT_PP(3));
	report = ev_report(ev_registry_annotated(schema), PG_GETARG_JSONB_P(0), format);
	if (report == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no output format %s", ev_string_show(format, strlen(format))),
				 errhint("The formats are flag, basic and detailed, and those of draft v1: list and hierarchical.")));
	PG_RETURN_JSONB_P(report);
}

/* The versions of a type, cached by a call site. */
typedef struct TypeVersions
{
	MemoryContext context;		/* for the lists */
	uint64		generation;		/* of the functions at that time */
	NameData	type;
	List	   *functions;
	List	   *versions;
} TypeVersions;

/*
 * Returns the versions from fn_extra; lists them anew for another type, or
 * after a function has changed.
 */
static TypeVersions *
type_versions(FmgrInfo *function, const text *type)
{
	TypeVersions *kept = function->fn_extra;
	const char *name = VARDATA_ANY(type);
	int			length = VARSIZE_ANY_EXHDR(type);
	uint64		generation = ev_upcast_generation();
	MemoryContext caller;

	if (kept == NULL)
	{
		kept = MemoryContextAllocZero(function->fn_mcxt, sizeof(TypeVersions));
		kept->context = AllocSetContextCreate(function->fn_mcxt, "event_validate versions",
											  ALLOCSET_SMALL_SIZES);
		function->fn_extra = kept;
	}
	else if (kept->generation == generation && length < NAMEDATALEN &&
			 strncmp(NameStr(kept->type), name, length) == 0 && NameStr(kept->type)[length] == '\0')
		return kept;

	/* no type until the lists are complete */
	memset(&kept->type, 0, sizeof(kept->type));
	kept->functions = kept->versions = NIL;
	MemoryContextReset(kept->context);
	caller = MemoryContextSwitchTo(kept->context);
	kept->functions = ev_registry_list(name, length, &kept->versions);
	MemoryContextSwitchTo(caller);
	kept->generation = generation;
	if (length < NAMEDATALEN)
		memcpy(NameStr(kept->type), name, length);
	return kept;
}

/* matching_event_versions(data jsonb, event_type text) returns int[] */
Datum
ev_matching_event_versions(PG_FUNCTION_ARGS)
{
	Jsonb	   *data;
	TypeVersions *versions;
	ListCell   *function;
	ListCell   *version;
	Datum	   *matching;
	int			count = 0;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(INT4OID));
	data = PG_GETARG_JSONB_P(0);
	versions = type_versions(fcinfo->flinfo, PG_GETARG_TEXT_PP(1));
	matching = palloc(sizeof(Datum) * (list_length(versions->functions) + 1));
	forboth(function, versions->functions, version, versions->versions)
	{
		EvSchema   *schema = ev_registry_by_function(lfirst_oid(function));

		if (ev_match(schema->program, data))
			matching[count++] = Int32GetDatum(lfirst_int(version));
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(matching, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/* ---------- schemas as arguments ---------- */

/*
 * Reads the arguments schema, assert_format and except_formats of a function;
 * one that has only the first asserts all formats.
 */
static EvInPlaceSchema
in_place_schema(FunctionCallInfo fcinfo, bool is_text)
{
	EvInPlaceSchema schema = {.schema = PG_GETARG_DATUM(0), .is_text = is_text, .assert_format = true};

	if (PG_NARGS() > 2)
		schema.assert_format = PG_GETARG_BOOL(2);
	if (PG_NARGS() > 3 && !PG_ARGISNULL(3))
	{
		ArrayType  *names = PG_GETARG_ARRAYTYPE_P(3);

		schema.except_formats = ARR_NDIM(names) == 0 ? NULL : (const struct varlena *) names;
	}
	return schema;
}

static EvProgram *
require_in_place(FunctionCallInfo fcinfo, bool is_text)
{
	EvInPlaceSchema schema = in_place_schema(fcinfo, is_text);

	return ev_in_place_require(fcinfo->flinfo, &schema);
}

static pg_noinline Datum
search_and_match(FunctionCallInfo fcinfo, bool is_text, Datum instance)
{
	return match_instance(require_in_place(fcinfo, is_text), instance);
}

/*
 * Matches an instance, which is jsonb, with the schema of argument 0.  The first
 * three arguments are not NULL.
 */
static inline Datum
match_in_place(FunctionCallInfo fcinfo, bool is_text, Datum instance)
{
	bool		assert_format = PG_NARGS() <= 2 || PG_GETARG_BOOL(2);
	bool		has_except = PG_NARGS() > 3 && !PG_ARGISNULL(3);
	const EvProgram *program = ev_in_place_constant(fcinfo->flinfo, PG_GETARG_DATUM(0), assert_format);

	if (likely(program != NULL && !has_except))
		return match_instance(program, instance);
	return search_and_match(fcinfo, is_text, instance);
}

/*
 * jsonb_matches_schema(schema jsonb, instance jsonb, assert_format boolean
 * DEFAULT true, except_formats text[] DEFAULT NULL) returns boolean
 */
Datum
ev_jsonb_matches_schema(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_BOOL(false);
	return match_in_place(fcinfo, false, PG_GETARG_DATUM(1));
}

/*
 * jsonb_matches_schema(schema json, instance jsonb) returns boolean
 *
 * Strict, like pg_jsonschema's function.
 */
Datum
ev_jsonb_matches_json_schema(PG_FUNCTION_ARGS)
{
	return match_in_place(fcinfo, true, PG_GETARG_DATUM(1));
}

/*
 * json_matches_schema(schema json, instance json, assert_format boolean DEFAULT
 * true, except_formats text[] DEFAULT NULL) returns boolean, and the same for text
 *
 * NULL for NULL, like pg_jsonschema's function.
 */
Datum
ev_json_matches_schema(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	return match_in_place(fcinfo, true, read_json(PG_GETARG_DATUM(1)));
}

/*
 * jsonb_matches_schema(schema text, instance text, assert_format boolean DEFAULT
 * true, except_formats text[] DEFAULT NULL) returns boolean
 */
Datum
ev_text_matches_schema(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_BOOL(false);
	return match_in_place(fcinfo, true, read_json(PG_GETARG_DATUM(1)));
}

/*
 * jsonb_schema_violations(schema jsonb, instance jsonb, assert_format boolean
 * DEFAULT true, except_formats text[] DEFAULT NULL) returns SETOF (instance_location text, keyword_location text,
 * keyword text, message text, property text, expected jsonb, actual jsonb)
 */
Datum
ev_jsonb_schema_violations(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"schema", "instance", "assert_format"};

	ev_require_arguments(fcinfo, 0, lengthof(names), names);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	return_violations(fcinfo, require_in_place(fcinfo, false), PG_GETARG_JSONB_P(1));
	return (Datum) 0;
}

static bool
is_schema(Datum schema, bool is_text)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "event_validate program",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	bool		result = ev_in_place_is_valid(schema, is_text);

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return result;
}

/* jsonschema_is_valid(schema jsonb) returns boolean; strict */
Datum
ev_jsonschema_is_valid(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_schema(PG_GETARG_DATUM(0), false));
}

/* jsonschema_is_valid(schema json) returns boolean, and the same for text; strict */
Datum
ev_json_is_schema(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_schema(PG_GETARG_DATUM(0), true));
}

typedef struct TextCollector
{
	EvCollector collector;
	ArrayBuildState *texts;
} TextCollector;

static void
add_text(EvCollector *collector, const EvViolation *violation)
{
	TextCollector *texts = (TextCollector *) collector;

	/* an answer, which does not depend on show_values */
	char	   *words = psprintf("%s: %s", ev_location_show(violation->instance_location), violation->message);

	texts->texts = accumArrayResult(texts->texts, CStringGetTextDatum(words), false,
									TEXTOID, texts->texts->mcontext);
}

/*
 * jsonschema_validation_errors(schema json, instance json) returns text[], and
 * the same for text; strict
 *
 * The error of an invalid schema is the only element, as in pg_jsonschema.
 */
Datum
ev_jsonschema_validation_errors(PG_FUNCTION_ARGS)
{
	TextCollector texts = {.collector = {.add = add_text, .limit = PG_INT64_MAX}};
	EvFault		fault = {0};
	char	   *detail;
	EvInPlaceSchema schema = in_place_schema(fcinfo, true);
	EvProgram  *program = ev_in_place_find(fcinfo->flinfo, &schema, &fault);
	Jsonb	   *instance = DatumGetJsonbP(read_json(PG_GETARG_DATUM(1)));

	texts.texts = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	if (program != NULL)
		ev_match_collect(program, instance, &texts.collector);
	else
		texts.texts = accumArrayResult(texts.texts, CStringGetTextDatum(ev_fault_message(&fault, NULL, &detail)), false,
									   TEXTOID, CurrentMemoryContext);
	PG_RETURN_DATUM(makeArrayResult(texts.texts, CurrentMemoryContext));
}

/* ---------- programs as text ---------- */

static void
put_line(const char *text, void *arg)
{
	ReturnSetInfo *result = arg;
	Datum		line = CStringGetTextDatum(text);
	bool		isnull = false;

	tuplestore_putvalues(result->setResult, result->setDesc, &line, &isnull);
}

/*
 * event_schema_program(event_type text, schema_version int) returns SETOF text
 */
Datum
ev_event_schema_program(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	EvSchema   *schema;
	text	   *type;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	type = PG_GETARG_TEXT_PP(0);
	schema = ev_registry_find(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), PG_GETARG_INT32(1));
	if (schema == NULL)
		ev_refuse_unregistered(type, PG_GETARG_INT32(1));
	ev_program_text(schema->program, ev_match_function_name(schema->program), put_line, result);
	return (Datum) 0;
}
