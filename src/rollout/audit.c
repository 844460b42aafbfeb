/*
 * audit.c
 *	  Examines stored events without raising errors for any of them, for
 *	  audit_events and standardize_event_column.
 *
 * audit_events is one query: a filter that few rows pass, then their
 * violations, then an aggregate.  All of it can run in parallel workers.  So
 * errors of a single row (a resource limit, text that is not JSON) are caught
 * here without a subtransaction, which workers cannot have.  That is safe
 * because only computations are done in between: no catalog is read, no lock,
 * buffer or file is held, and memory is in a context that is reset.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/json_pointer.h"
#include "base/row_fault.h"
#include "base/shown_text.h"
#include "base/steady_time.h"
#include "match/interpret.h"
#include "registry/schema_cache.h"
#include "rollout/audit.h"
#include "stats/progress.h"

PG_FUNCTION_INFO_V1(ev_event_audit_filter);
PG_FUNCTION_INFO_V1(ev_event_audit_filter_text);
PG_FUNCTION_INFO_V1(ev_event_audit_violations);
PG_FUNCTION_INFO_V1(ev_event_audit_violations_text);
PG_FUNCTION_INFO_V1(ev_event_location_shown);
PG_FUNCTION_INFO_V1(ev_event_type_shown);
PG_FUNCTION_INFO_V1(ev_event_text_shown);
PG_FUNCTION_INFO_V1(ev_event_audit_sample_add);
PG_FUNCTION_INFO_V1(ev_event_json_loss);

/* Locations in reports are cut at this number of bytes, after their tokens. */
#define MOST_LOCATION	1000

/* ---------- errors of one row ---------- */

/*
 * Is the row at fault, not the server or the user?  If so, returns the
 * message, in the given context, and discards the error; otherwise raises it
 * again.
 */
static char *
catch_fault(MemoryContext context)
{
	ErrorData  *error;
	char	   *message;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (!ev_is_row_fault(error->sqlerrcode, EV_WORK_VALIDATE))
		PG_RE_THROW();
	FlushErrorState();
	message = pstrdup(error->message);
	FreeErrorData(error);
	return message;
}

/*
 * Parses text as a document; returns NULL, with a message, if it is not JSON.
 */
static Jsonb *
parse_document(const text *data, char **fault)
{
	MemoryContext context = CurrentMemoryContext;
	Jsonb	   *volatile result = NULL;

	PG_TRY();
	{
		result = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(data))));
	}
	PG_CATCH();
	{
		*fault = catch_fault(context);
	}
	PG_END_TRY();
	return result;
}

/*
 * Runs the program; returns false, with a message, if the document exceeds a
 * limit.
 */
static bool
run_program(const EvProgram *program, const Jsonb *document, EvCollector *collector, char **fault)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool result = false;

	PG_TRY();
	{
		result = collector != NULL ? ev_match_collect(program, document, collector) :
			ev_match(program, document);
	}
	PG_CATCH();
	{
		*fault = catch_fault(context);
	}
	PG_END_TRY();
	return result;
}

static EvSchema *
find_schema(FunctionCallInfo fcinfo)
{
	text	   *type = PG_GETARG_TEXT_PP(1);

	return ev_registry_find(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), PG_GETARG_INT32(2));
}

/* ---------- the filter ---------- */

/* Interval between two progress reports of a filter. */
#define REPORT_EVERY_MS		1000
#define ROWS_PER_LOOK		256

/* The progress of a filter. */
typedef struct Progress
{
	MemoryContext scratch;
	MemoryContextCallback end;
	int64		rows;
	int64		invalid;
	TimestampTz next;			/* when to report */
	bool		reported;
} Progress;

/*
 * Shows the query in pg_stat_activity, after a comment with the progress.
 * Each parallel worker has its own line.
 */
static void
report_progress(Progress *progress, TimestampTz now)
{
	progress->next = TimestampTzPlusMilliseconds(now, REPORT_EVERY_MS);
	progress->reported = true;
	pgstat_report_activity(STATE_RUNNING,
						   psprintf("/* " INT64_FORMAT " rows checked, " INT64_FORMAT " not valid */ %s",
									progress->rows, progress->invalid,
									debug_query_string ? debug_query_string : ""));
}

static void
end_progress(void *arg)
{
	Progress   *progress = (Progress *) arg;

	if (progress->reported)
		pgstat_report_activity(STATE_RUNNING, debug_query_string);
}

static Progress *
get_progress(FunctionCallInfo fcinfo)
{
	Progress   *progress = fcinfo->flinfo->fn_extra;

	if (progress == NULL)
	{
		progress = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Progress));
		progress->scratch = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "event_validate audit",
												  ALLOCSET_DEFAULT_SIZES);
		progress->next = TimestampTzPlusMilliseconds(ev_steady_time(), REPORT_EVERY_MS);
		progress->end.func = end_progress;
		progress->end.arg = progress;
		MemoryContextRegisterResetCallback(fcinfo->flinfo->fn_mcxt, &progress->end);
		fcinfo->flinfo->fn_extra = progress;
	}
	return progress;
}

static Datum
filter(FunctionCallInfo fcinfo, bool is_text)
{
	Progress   *progress = get_progress(fcinfo);
	MemoryContext caller;
	EvSchema   *schema;
	bool		valid = false;
	char	   *fault;

	caller = MemoryContextSwitchTo(progress->scratch);
	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1) && !PG_ARGISNULL(2) &&
		(schema = find_schema(fcinfo)) != NULL)
	{
		Jsonb	   *document = is_text ? parse_document(PG_GETARG_TEXT_PP(0), &fault) : PG_GETARG_JSONB_P(0);

		valid = document != NULL && run_program(schema->program, document, NULL, &fault);
	}
	progress->rows++;
	if (!valid)
		progress->invalid++;
	ev_progress_row(!valid);
	if (progress->rows % ROWS_PER_LOOK == 0)
	{
		TimestampTz now = ev_steady_time();

		if (now >= progress->next)
			report_progress(progress, now);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(progress->scratch);
	PG_RETURN_BOOL(!valid);
}

/*
 * event_audit_filter(data jsonb, event_type text, schema_version int) returns
 * boolean
 *
 * True if validate_event is false, or would raise an error for a resource
 * limit.
 */
Datum
ev_event_audit_filter(PG_FUNCTION_ARGS)
{
	return filter(fcinfo, false);
}

/* The same for documents in text, which may be invalid. */
Datum
ev_event_audit_filter_text(PG_FUNCTION_ARGS)
{
	return filter(fcinfo, true);
}

/* ---------- violations of a row, counted ---------- */

/* The key of a kind of violations. */
typedef struct KindKey
{
	const char *instance_location;	/* array indexes are "*" */
	const char *keyword_location;
	const char *name;			/* the message, if it distinguishes kinds */
} KindKey;

/* Violations of one kind. */
typedef struct ViolationKind
{
	KindKey		key;
	const char *keyword;
	const char *message;		/* of the first of them */
	int64		count;
	uint32		hash;
	char		status;
} ViolationKind;

static inline uint32
hash_text(const char *text)
{
	return hash_bytes((const unsigned char *) text, strlen(text));
}

static inline uint32
hash_key(KindKey key)
{
	return hash_combine(hash_combine(hash_text(key.instance_location), hash_text(key.keyword_location)),
						hash_text(key.name));
}

static inline bool
same_key(KindKey a, KindKey b)
{
	return strcmp(a.instance_location, b.instance_location) == 0 &&
		strcmp(a.keyword_location, b.keyword_location) == 0 &&
		strcmp(a.name, b.name) == 0;
}

#define SH_PREFIX			kinds
#define SH_ELEMENT_TYPE		ViolationKind
#define SH_KEY_TYPE			KindKey
#define SH_KEY				key
#define SH_HASH_KEY(tb, k)	hash_key(k)
#define SH_EQUAL(tb, a, b)	same_key(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a)	((a)->hash)
#define SH_SCOPE			static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct ViolationCounter
{
	EvCollector collector;
	const Jsonb *document;
	MemoryContext context;		/* for all strings */
	kinds_hash *kinds;
	StringInfoData location;
} ViolationCounter;

/*
 * Replaces each array index in a location by "*".  The document shows which
 * tokens are indexes.
 */
static void
fold_location(const Jsonb *document, const char *location, StringInfo out)
{
	const JsonbContainer *container = &document->root;
	StringInfoData key;

	resetStringInfo(out);
	if (strpbrk(location, "0123456789") == NULL)
	{
		appendStringInfoString(out, location);
		return;
	}
	initStringInfo(&key);
	while (*location == '/')
	{
		const char *end = location + 1 + strcspn(location + 1, "/");
		JsonbValue *value = NULL;

		CHECK_FOR_INTERRUPTS();
		if (container != NULL && JsonContainerIsArray(container))
		{
			appendStringInfoString(out, "/*");
			value = getIthJsonbValueFromContainer((JsonbContainer *) container, strtoul(location + 1, NULL, 10));
		}
		else
		{
			appendBinaryStringInfo(out, location, end - location);
			if (container != NULL && JsonContainerIsObject(container))
			{
				resetStringInfo(&key);
				ev_pointer_append_unescaped(&key, location + 1, end - (location + 1));
				value = getKeyJsonValueFromContainer((JsonbContainer *) container, key.data, key.len, NULL);
			}
		}
		container = value != NULL && value->type == jbvBinary ? value->val.binary.data : NULL;
		if (value != NULL)
			pfree(value);
		location = end;
	}
	pfree(key.data);
}

/*
 * Cuts a folded location as messages cut it: its tokens, and then its end.  In
 * CurrentMemoryContext, unless it stays as it is.
 */
static const char *
cut_location(const char *location)
{
	char	   *cut = strlen(location) > EV_SHOWN_CHARACTERS ? ev_location_cut(location) : NULL;
	char	   *result;
	int			end = MOST_LOCATION;

	if (cut == NULL)
		return location;
	if (strlen(cut) <= MOST_LOCATION)
		return cut;
	while (cut[end] != '/')
		end--;
	result = psprintf("%.*s/~...", end, cut);
	pfree(cut);
	return result;
}

/*
 * Returns the location of a keyword as part of a key: one that is long is told apart by its
 * hash, and not shown.
 */
static const char *
cut_keyword_location(const char *location)
{
	size_t		length = strlen(location);

	if (length <= MOST_LOCATION)
		return location;
	return psprintf("%.*s~" UINT64_FORMAT, pg_mbcliplen(location, length, MOST_LOCATION), location,
					hash_bytes_extended((const unsigned char *) location, length, 0));
}

/* Does the message have the name of a property that the location lacks? */
static bool
is_named(const char *keyword)
{
	return strcmp(keyword, "required") == 0 || strcmp(keyword, "dependentRequired") == 0 ||
		strcmp(keyword, "dependencies") == 0;
}

static void
count_violation(EvCollector *collector, const EvViolation *violation)
{
	ViolationCounter *counter = (ViolationCounter *) collector;
	MemoryContext caller = MemoryContextSwitchTo(counter->context);
	KindKey		key = {
		.keyword_location = cut_keyword_location(violation->keyword_location),
		.name = is_named(violation->keyword) ? violation->message : ""
	};
	ViolationKind *kind;
	bool		found;

	fold_location(counter->document, violation->instance_location, &counter->location);
	key.instance_location = cut_location(counter->location.data);
	kind = kinds_insert(counter->kinds, key, &found);
	if (!found)
	{
		kind->key.instance_location = pstrdup(key.instance_location);
		kind->key.keyword_location = pstrdup(key.keyword_location);
		kind->keyword = pstrdup(violation->keyword);
		kind->message = pstrdup(violation->message);
		kind->key.name = key.name[0] != '\0' ? kind->message : "";
		kind->count = 0;
	}
	kind->count++;
	if (key.instance_location != counter->location.data)
		pfree(unconstify(char *, key.instance_location));
	if (key.keyword_location != violation->keyword_location)
		pfree(unconstify(char *, key.keyword_location));
	MemoryContextSwitchTo(caller);
}

void
ev_audit_kinds(const EvProgram *program, const Jsonb *document,
			   void (*put) (const EvKind *kind, void *arg), void *arg)
{
	ViolationCounter counter = {
		.collector = {.add = count_violation, .limit = PG_INT64_MAX},
		.document = document, .context = CurrentMemoryContext
	};
	char	   *fault = NULL;
	kinds_iterator iterator;
	ViolationKind *kind;

	counter.kinds = kinds_create(counter.context, 8, NULL);
	initStringInfo(&counter.location);
	run_program(program, document, &counter.collector, &fault);
	kinds_start_iterate(counter.kinds, &iterator);
	while ((kind = kinds_iterate(counter.kinds, &iterator)) != NULL)
	{
		EvKind		found = {
			kind->key.instance_location, kind->key.keyword_location, kind->keyword,
			kind->key.name, kind->message, kind->count
		};

		put(&found, arg);
	}
	if (fault != NULL)
	{
		EvKind		found = {"", "", "", fault, fault, 1};

		put(&found, arg);
	}
}

/* Puts a kind as a row into a function's result, a ReturnSetInfo. */
static void
put(const EvKind *kind, void *result)
{
	ReturnSetInfo *rows = (ReturnSetInfo *) result;
	bool		nulls[6] = {0};
	Datum		values[6] = {
		CStringGetTextDatum(kind->instance_location),
		CStringGetTextDatum(kind->keyword_location),
		CStringGetTextDatum(kind->keyword),
		CStringGetTextDatum(kind->name),
		CStringGetTextDatum(kind->message),
		Int64GetDatum(kind->count)
	};

	tuplestore_putvalues(rows->setResult, rows->setDesc, values, nulls);
}

/* Adds a message that does not belong to a keyword. */
static void
put_message(FunctionCallInfo fcinfo, const char *message)
{
	EvKind		kind = {"", "", "", message, message, 1};

	put(&kind, fcinfo->resultinfo);
}

static Datum
violations(FunctionCallInfo fcinfo, bool is_text)
{
	static const char *const null_messages[] = {
		"the event's data is null", "the event's type is null", "the event's schema version is null"
	};
	MemoryContext context;
	MemoryContext caller;
	EvSchema   *schema;
	Jsonb	   *document;
	char	   *fault = NULL;

	/*
	 * use the expected descriptor, since looking up ours would leave memory
	 * behind each time
	 */
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = lengthof(null_messages) - 1; i >= 0; i--)
		if (PG_ARGISNULL(i))
		{
			put_message(fcinfo, null_messages[i]);
			return (Datum) 0;
		}
	schema = find_schema(fcinfo);
	if (schema == NULL)
	{
		put_message(fcinfo, "the schema version is not registered");
		return (Datum) 0;
	}

	/* one for all calls of a call site */
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "event_validate audit",
														 ALLOCSET_DEFAULT_SIZES);
	context = fcinfo->flinfo->fn_extra;
	caller = MemoryContextSwitchTo(context);
	document = is_text ? parse_document(PG_GETARG_TEXT_PP(0), &fault) : PG_GETARG_JSONB_P(0);
	if (document != NULL)
		ev_audit_kinds(schema->program, document, put, fcinfo->resultinfo);
	else
		put_message(fcinfo, fault);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(context);
	return (Datum) 0;
}

/*
 * event_audit_violations(data jsonb, event_type text, schema_version int)
 * returns SETOF (instance_location text, keyword_location text, keyword text,
 * name text, message text, violations bigint)
 */
Datum
ev_event_audit_violations(PG_FUNCTION_ARGS)
{
	return violations(fcinfo, false);
}

/* The same for documents in text, which may be invalid. */
Datum
ev_event_audit_violations_text(PG_FUNCTION_ARGS)
{
	return violations(fcinfo, true);
}

/*
 * Transition function of the aggregate event_audit_sample(text, int): keeps
 * the first values.
 */
Datum
ev_event_audit_sample_add(PG_FUNCTION_ARGS)
{
	ArrayType  *sample;
	int			count;
	int			place;

	/* its owner may call it directly */
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	sample = PG_GETARG_ARRAYTYPE_P(0);
	count = ArrayGetNItems(ARR_NDIM(sample), ARR_DIMS(sample));
	place = count + 1;
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || count >= PG_GETARG_INT32(2))
		PG_RETURN_POINTER(sample);
	return array_set_element(PointerGetDatum(sample), 1, &place, PG_GETARG_DATUM(1), false,
							 -1, -1, false, TYPALIGN_INT);
}

/* ---------- text to jsonb without loss ---------- */

/* Counts the keys of all objects of a document. */
static int64
count_keys(Jsonb *document)
{
	JsonbIterator *iterator = JsonbIteratorInit(&document->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	int64		count = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
			count++;
	}
	return count;
}

/* Does jsonb write a number with other characters? */
static bool
is_rewritten(const char *number, int length)
{
	bool		plain = length < 100;
	char	   *string;
	Datum		numeric;

	if (plain && memchr(number, 'e', length) == NULL && memchr(number, 'E', length) == NULL &&
		!(length > 1 && number[0] == '-' && number[1] == '0'))
		return false;
	string = pnstrdup(number, length);
	numeric = DirectFunctionCall3(numeric_in, CStringGetDatum(string), ObjectIdGetDatum(InvalidOid),
								  Int32GetDatum(-1));
	return strcmp(DatumGetCString(DirectFunctionCall1(numeric_out, numeric)), string) != 0;
}

const char *
ev_json_loss(const text *data)
{
	const char *p = VARDATA_ANY(data);
	const char *end = p + VARSIZE_ANY_EXHDR(data);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "event_validate audit",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	char	   *fault = NULL;
	bool		rewritten = false;
	int64		keys = 0;
	Jsonb	   *document = parse_document(data, &fault);
	char	   *result;

	/* from here on, the text is valid JSON */
	while (document != NULL && p < end)
	{
		CHECK_FOR_INTERRUPTS();
		if (*p == '"')
		{
			for (p++; *p != '"'; p++)
				if (*p == '\\')
					p++;
		}
		else if (*p == ':')
			keys++;
		else if (*p == '-' || (*p >= '0' && *p <= '9'))
		{
			const char *start = p;

			while (p < end && strchr("+-.eE0123456789", *p) != NULL && *p != '\0')
				p++;
			rewritten = rewritten || is_rewritten(start, p - start);
			continue;
		}
		p++;
	}
	if (document != NULL && count_keys(document) != keys)
		fault = "jsonb keeps one of several members with the same key";
	else if (rewritten)
		fault = "jsonb writes a number in another form";

	MemoryContextSwitchTo(caller);
	result = fault != NULL ? pstrdup(fault) : NULL;
	MemoryContextDelete(context);
	return result;
}

/*
 * event_json_loss(document text) returns text
 *
 * See ev_json_loss().
 */
Datum
ev_event_json_loss(PG_FUNCTION_ARGS)
{
	const char *loss = ev_json_loss(PG_GETARG_TEXT_PP(0));

	if (loss == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(loss));
}

/* ---------- words ---------- */

/*
 * event_location_shown(location text) → text
 */
Datum
ev_event_location_shown(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(ev_location_show(text_to_cstring(PG_GETARG_TEXT_PP(0)))));
}

/*
 * event_type_shown(event_type text) → text
 */
Datum
ev_event_type_shown(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(ev_type_show(PG_GETARG_TEXT_PP(0))));
}

/*
 * event_text_shown(content text) → text
 */
Datum
ev_event_text_shown(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(ev_visible(text_to_cstring(PG_GETARG_TEXT_PP(0)))));
}
