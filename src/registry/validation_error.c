/*
 * validation_error.c
 *	  The error for an event that is not valid.
 *
 * Not on the path of valid events: the program that rejected the document
 * matches it once more, to list the violations.  The schema is not looked up
 * anew, since another session may have replaced it by one that the document
 * does not violate.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "base/encoding.h"
#include "base/event_log.h"
#include "base/shown_text.h"
#include "jsonb/jsonb_value.h"
#include "match/interpret.h"
#include "registry/error_detail.h"
#include "registry/names.h"
#include "registry/nearest_type.h"
#include "registry/schema_cache.h"
#include "registry/validation_error.h"

/* number of violations in a line of the log; the DETAIL has EV_DETAIL_VIOLATIONS */
#define LOGGED_VIOLATIONS	3

/*
 * Collects lines for the DETAIL.  Equal texts for one location, from different
 * keywords, are one line.  More than MET_LINES are only counted.
 */
#define MET_LINES	100

typedef struct ListCollector
{
	EvCollector collector;
	MemoryContext context;		/* for the lines */
	List	   *lines;			/* of char * */
	int			repeated;
	List	   *objects;		/* the first as JSON, for a DETAIL in JSON */
} ListCollector;

char *
ev_violation_words(const EvViolation *violation)
{
	const char *keyword = violation->keyword_location;

	if (!ev_quote_values)
		return psprintf("does not match keyword %s", ev_quoted(keyword, strlen(keyword)));
	return psprintf("%s: %s", ev_location_show(violation->instance_location), violation->message);
}

static void
add_to_list(EvCollector *collector, const EvViolation *violation)
{
	ListCollector *list = (ListCollector *) collector;
	char	   *line = ev_violation_words(violation);
	MemoryContext caller;
	ListCell   *cell;

	if (ev_detail_is_json() && list_length(list->objects) < EV_DETAIL_VIOLATIONS)
	{
		caller = MemoryContextSwitchTo(list->context);
		list->objects = lappend(list->objects, ev_violation_json(violation));
		MemoryContextSwitchTo(caller);
	}
	foreach(cell, list->lines)
		if (strcmp(lfirst(cell), line) == 0)
	{
		list->repeated++;
		return;
	}
	caller = MemoryContextSwitchTo(list->context);
	list->lines = lappend(list->lines, pstrdup(line));
	MemoryContextSwitchTo(caller);
}

/*
 * Adds the CONSTRAINT NAME, and the SCHEMA NAME and TABLE NAME of the
 * relation, if they are known.
 */
static int
object_fields(Relation relation, const char *constraint)
{
	if (relation != NULL)
		errtable(relation);
	return constraint != NULL ? err_generic_string(PG_DIAG_CONSTRAINT_NAME, constraint) : 0;
}

/* Joins the first lines with a separator. */
static char *
joined(List *lines, int limit, const char *separator)
{
	StringInfoData result;

	initStringInfo(&result);
	for (int i = 0; i < Min(list_length(lines), limit); i++)
		appendStringInfo(&result, "%s%s", i > 0 ? separator : "", (char *) list_nth(lines, i));
	return result.data;
}

/* the reason if the schema's program was freed, and the document matches the current one */
#define REPLACED	"did not match the schema, which has been replaced since"

/*
 * Lists the violations of a document that the schema's program rejected.  If
 * this program was freed, the current one is used, under which the document
 * may be valid.
 */
static void
list_violations(const Jsonb *data, EvSchema *schema, ListCollector *list)
{
	*list = (ListCollector)
	{
		.collector =
		{
			.add = add_to_list, .limit = MET_LINES, .wants_facts = ev_detail_is_json()
		}, .context = CurrentMemoryContext
	};
	ev_match_collect(ev_registry_kept_program(schema), data, &list->collector);
	if (list->lines == NIL)
		list->lines = list_make1("(document): " REPLACED);
}

/*
 * Adds the DETAIL: the first violations, and the number of the others.  In
 * text, a single violation is in the message already.
 */
static int
violations_detail(const ListCollector *list)
{
	char	   *shown = joined(list->lines, EV_DETAIL_VIOLATIONS, "\n");
	int64		more = list->collector.count - list->repeated - Min(list_length(list->lines), EV_DETAIL_VIOLATIONS);

	if (ev_detail_is_json())
		return list->objects == NIL ? ev_detail_of_reason(REPLACED, NULL) :
			errdetail_internal("%s", ev_detail_json(list->objects, list->collector.count));
	if (list_length(list->lines) <= 1 && more <= 0)
		return 0;
	if (more > 0)
		shown = psprintf("%s\nand " INT64_FORMAT " more", shown, more);
	return errdetail_internal("%s", shown);
}

static void
refuse_violations(Relation relation, const Jsonb *data, const text *type, int32 version,
				  const char *constraint, EvSchema *schema)
{
	ListCollector list;

	list_violations(data, schema, &list);
	ev_event_log(EV_REFUSED, relation, type, &version,
				 joined(list.lines, LOGGED_VIOLATIONS, "; "));
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("event %s version %d is not valid: %s", ev_type_show(type), version,
					(char *) linitial(list.lines)),
			 violations_detail(&list),
			 object_fields(relation, constraint ? constraint : schema->name)));
}

/*
 * Raises undefined_object.  If an event is refused, the error has the fields of
 * its relation and constraint, where these are known.
 */
static void
refuse_unregistered(bool is_event, Relation relation, const text *type, int32 version, const char *constraint)
{
	StringInfoData hint;
	List	   *versions = NIL;
	ListCell   *cell;
	int			length = VARSIZE_ANY_EXHDR(type);
	char	   *name = pnstrdup(VARDATA_ANY(type), length);
	char	   *shown = length <= EV_TYPE_MAX ? ev_quoted(name, length) : ev_string_show(name, length);
	char	   *nearest = NULL;

	ev_registry_list(name, length, &versions);
	initStringInfo(&hint);
	foreach(cell, versions)
		appendStringInfo(&hint, "%s%d", hint.len > 0 ? ", " : "", lfirst_int(cell));
	if (versions == NIL)
		nearest = ev_nearest_type(name, length);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("event schema %s version %d is not registered", shown, version),
			 hint.len > 0 ?
			 errhint("Registered versions of %s: %s.", shown, hint.data) :
			 nearest != NULL ?
			 errhint("No version of %s is registered; did you mean \"%s\"?", shown, nearest) :
			 errhint("No version of %s is registered; register_event_schema registers one.", shown),
			 is_event ? ev_detail_of_reason(psprintf("event schema %s version %d is not registered", shown, version), NULL) : 0,
			 object_fields(relation, constraint)));
}

void
ev_refuse_unregistered(const text *type, int32 version)
{
	refuse_unregistered(false, NULL, type, version, NULL);
	pg_unreachable();
}

void
ev_refuse_event(Relation relation, const Jsonb *data, const text *type,
				const int32 *version, const char *constraint, EvSchema *schema)
{
	if (type == NULL)
	{
		ev_event_log(EV_REFUSED, relation, type, version, "its type is null");
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("event is not valid: its type is null"),
				 ev_detail_of_reason("its type is null", NULL),
				 object_fields(relation, constraint)));
	}
	if (version == NULL)
	{
		ev_event_log(EV_REFUSED, relation, type, version, "its schema version is null");
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("event %s is not valid: its schema version is null", ev_type_show(type)),
				 ev_detail_of_reason("its schema version is null", NULL),
				 object_fields(relation, constraint)));
	}
	if (data == NULL)
	{
		if (schema == NULL)
			schema = ev_registry_find(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), *version);
		ev_event_log(EV_REFUSED, relation, type, version, "its data is null");
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("event %s version %d is not valid: its data is null", ev_type_show(type), *version),
				 ev_detail_of_reason("its data is null", NULL),
				 errhint("An SQL NULL is no event; the JSON value null would be checked against the schema."),
				 object_fields(relation, constraint == NULL && schema != NULL ? schema->name : constraint)));
	}
	if (schema == NULL)
	{
		ev_event_log(EV_REFUSED, relation, type, version, "not registered");
		refuse_unregistered(true, relation, type, *version, constraint);
	}
	refuse_violations(relation, data, type, *version, constraint, schema);
	pg_unreachable();
}

void
ev_refuse_upcast(const Jsonb *data, const text *type, int32 from, int32 to, EvSchema *schema)
{
	ListCollector list;

	if (data == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("event %s version %d is not valid after its upcast from version %d: it is null",
						ev_type_show(type), to, from),
				 ev_detail_of_reason("it is null", NULL),
				 object_fields(NULL, schema->name)));
	list_violations(data, schema, &list);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("event %s version %d is not valid after its upcast from version %d: %s",
					ev_type_show(type), to, from, (char *) linitial(list.lines)),
			 violations_detail(&list),
			 object_fields(NULL, schema->name)));
	pg_unreachable();
}

HeapTuple
ev_registered_row(const text *type, int32 version, char **name)
{
	Oid			function;
	HeapTuple	row;

	*name = ev_require_event_name(type, version);
	function = ev_registered_function(*name);
	if (!OidIsValid(function))
		ev_refuse_unregistered(type, version);
	row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(row))
		elog(ERROR, "cache lookup failed for function %u", function);
	return row;
}
