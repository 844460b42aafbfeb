/*
 * docs_page.c
 *	  event_schema_docs, event_schema_properties, event_schema_example and
 *	  event_schema_uri: documentation of a registered version.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/tuplestore.h"

#include "base/arguments.h"
#include "changes/changes.h"
#include "describe/described_uri.h"
#include "describe/example_event.h"
#include "describe/markdown.h"
#include "describe/property_rows.h"
#include "evolution/compatibility.h"
#include "evolution/upcast.h"
#include "registry/function_row.h"

PG_FUNCTION_INFO_V1(ev_event_schema_page);
PG_FUNCTION_INFO_V1(ev_event_schema_properties);
PG_FUNCTION_INFO_V1(ev_event_schema_example);
PG_FUNCTION_INFO_V1(ev_event_schema_uri);

#define MOST_TITLE			200 /* characters */
#define MOST_DESCRIPTION	4000
#define MOST_CELL			500
#define MOST_VALUE			200
#define MOST_VERSIONS		100 /* that are listed */
#define MOST_COMPARED		20	/* that are compared with the one before */
#define MOST_CHANGES		200 /* of one version */
#define MOST_PAGE			(4 * 1024 * 1024)	/* bytes, before the last
												 * parts */

/* The page that is being written. */
typedef struct DocsPage
{
	StringInfoData out;
	EvDescribed *d;
	const char *type;			/* TYPE@VERSION; the type is its beginning */
	int			type_length;
	int32		version;
	bool		has_properties;
	List	   *functions;		/* of all versions */
	List	   *versions;
} DocsPage;

/* ---------- the head ---------- */

static char *
root_string(const EvDocument *document, const char *name)
{
	JsonbValue *value = JB_ROOT_IS_OBJECT(document->schema) ?
		getKeyJsonValueFromContainer(&document->schema->root, name, strlen(name), NULL) : NULL;

	return value != NULL && value->type == jbvString ? ev_node_string(value) : NULL;
}

static void
begin_row(DocsPage *page, const char *name)
{
	appendStringInfo(&page->out, "| %s | ", name);
}

static void
put_head(DocsPage *page)
{
	StringInfo	out = &page->out;
	const EvDocument *document = &page->d->document;
	char	   *title = root_string(document, "title");
	char	   *description = root_string(document, "description");
	const char *policy;
	const char *unknown;
	bool		lenient;

	appendStringInfoString(out, "# ");
	ev_markdown_line(out, pnstrdup(page->type, page->type_length), MOST_TITLE * 3);
	appendStringInfoString(out, "\n\n");
	if (title != NULL)
	{
		appendStringInfoString(out, "**");
		ev_markdown_line(out, title, MOST_TITLE);
		appendStringInfoString(out, "**\n\n");
	}
	if (ev_document_is_deprecated(document))
		appendStringInfoString(out, "This version is **deprecated**.\n\n");
	if (description != NULL)
	{
		ev_markdown_paragraphs(out, description, MOST_DESCRIPTION);
		appendStringInfoChar(out, '\n');
	}
	appendStringInfoString(out, "| | |\n|---|---|\n");
	begin_row(page, "version");
	appendStringInfo(out, "%d%s |\n", page->version, page->version == llast_int(page->versions) ? ", the latest" : "");
	begin_row(page, "URI");
	ev_markdown_code(out, ev_described_uri(document), MOST_CELL);
	appendStringInfoString(out, " |\n");
	begin_row(page, "dialect");
	ev_markdown_code(out, ev_draft_uri(page->d->root->resource->draft), MOST_CELL);
	appendStringInfoString(out, " |\n");
	begin_row(page, "formats");
	appendStringInfo(out, "%s |\n", !document->assert_format ? "not checked" : document->except_formats != 0 ? "checked, with exceptions" : "checked");
	begin_row(page, "compatibility policy");
	if (ev_compatibility_policy(page->type, page->type_length, &policy, &lenient, &unknown))
		appendStringInfo(out, "`%s`%s |\n", policy, strcmp(policy, "none") == 0 ? "" : lenient ? ", lenient reading" : ", strict reading");
	else
		appendStringInfoString(out, "not known |\n");
	appendStringInfoChar(out, '\n');
}

/* ---------- properties ---------- */

static void
put_value(StringInfo out, const char *words, const JsonbValue *value)
{
	appendStringInfoString(out, words);
	ev_markdown_code(out, ev_described_json(value), MOST_VALUE);
}

/* The cell with what a property demands. */
static void
put_demands(StringInfo out, const EvPropertyRow *row)
{
	int			before = out->len;
	ListCell   *cell;

	foreach(cell, row->constraints)
	{
		const EvConstraint *constraint = lfirst(cell);
		const char *at = constraint->value != NULL ? strstr(constraint->words, "%s") : NULL;

		if (out->len > before)
			appendStringInfoString(out, "; ");
		ev_markdown_line(out, at == NULL ? constraint->words : pnstrdup(constraint->words, at - constraint->words), MOST_CELL);
		if (at == NULL)
			continue;
		if (at > constraint->words && at[-1] == ' ')
			appendStringInfoChar(out, ' ');
		if (strspn(constraint->value, "0123456789.") == strlen(constraint->value))
			appendStringInfoString(out, constraint->value);
		else
			ev_markdown_code(out, constraint->value, MOST_CELL);
		appendStringInfoString(out, at + 2);
	}
	if (row->default_value != NULL)
		put_value(out, out->len > before ? "; default " : "default ", row->default_value);
}

static void
put_property(DocsPage *page, const EvPropertyRow *row)
{
	StringInfo	out = &page->out;
	int			before;

	/* the row of the event is there only if it demands something */
	if (row->path[0] == '\0' && row->constraints == NIL && page->has_properties)
		return;
	appendStringInfoString(out, "| ");
	if (row->path[0] != '\0')
		ev_markdown_code(out, row->path, MOST_CELL);
	else
		appendStringInfoString(out, "the event");
	appendStringInfo(out, " | %s | %s | ", row->type, row->required ? "yes" : "");
	put_demands(out, row);
	appendStringInfoString(out, " | ");
	before = out->len;
	if (row->deprecated)
		appendStringInfoString(out, "**Deprecated.** ");
	if (row->description != NULL || row->title != NULL)
		ev_markdown_line(out, row->description != NULL ? row->description : row->title, MOST_CELL);
	if (row->examples != NULL && JsonContainerSize(row->examples->val.binary.data) > 0)
		for (uint32 i = 0; i < Min(JsonContainerSize(row->examples->val.binary.data), 3); i++)
			put_value(out, i > 0 ? ", " : out->len > before ? " For example " : "For example ",
					  getIthJsonbValueFromContainer(row->examples->val.binary.data, i));
	appendStringInfoString(out, " |\n");
}

static void
put_properties(DocsPage *page)
{
	StringInfo	out = &page->out;
	const char *condition = NULL;
	bool		first = true;
	List	   *rows = ev_property_rows(page->d);
	ListCell   *cell;

	page->has_properties = list_length(rows) > 1;
	appendStringInfoString(out, "## Properties\n\n");
	foreach(cell, rows)
	{
		EvPropertyRow *row = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (out->len > MOST_PAGE)
		{
			page->d->is_cut = true;
			break;
		}

		/* the head has them */
		if (row->path[0] == '\0')
			row->examples = NULL, row->description = row->title = NULL;
		if (first || (row->condition == NULL) != (condition == NULL) ||
			(condition != NULL && strcmp(condition, row->condition) != 0))
		{
			if (row->condition != NULL)
			{
				appendStringInfoString(out, "\nWhere ");
				ev_markdown_code(out, row->condition, MOST_CELL);
				appendStringInfoString(out, ":\n\n");
			}
			else if (!first)
				appendStringInfoString(out, "\nIn any case:\n\n");
			appendStringInfoString(out, "| property | type | required | constraints | description |\n|---|---|---|---|---|\n");
		}
		first = false;
		condition = row->condition;
		put_property(page, row);
	}
	if (page->d->is_cut)
		appendStringInfoString(out, "\nAnd more, which this page leaves out.\n");
	appendStringInfoChar(out, '\n');
}

static void
put_example(DocsPage *page)
{
	Jsonb	   *event = ev_example_event(page->d);

	if (event == NULL)
		return;
	appendStringInfoString(&page->out, "## Example\n\n");
	ev_markdown_json(&page->out, event);
	appendStringInfoChar(&page->out, '\n');
}

/* ---------- versions and changes ---------- */

static bool
read_document(Oid function, EvDocument *document)
{
	HeapTuple	row = ev_function_row(function);
	EvFault		fault;

	memset(document, 0, sizeof(EvDocument));
	return HeapTupleIsValid(row) && ev_function_document(row, document, &fault);
}

static void
put_note(StringInfo out, bool said, const char *note, int before)
{
	if (said)
		appendStringInfo(out, "%s%s", out->len > before ? ", " : "", note);
}

static void
put_versions(DocsPage *page)
{
	StringInfo	out = &page->out;
	int			count = list_length(page->versions);

	appendStringInfoString(out, "## Versions\n\n| version | title | |\n|---|---|---|\n");
	for (int i = count - 1; i >= Max(count - MOST_VERSIONS, 0); i--)
	{
		EvDocument	document;
		char	   *title;
		int			before;

		CHECK_FOR_INTERRUPTS();
		if (!read_document(list_nth_oid(page->functions, i), &document))
			continue;
		appendStringInfo(out, "| %d | ", list_nth_int(page->versions, i));
		title = root_string(&document, "title");
		if (title != NULL)
			ev_markdown_line(out, title, MOST_TITLE);
		appendStringInfoString(out, " | ");
		before = out->len;
		put_note(out, ev_document_is_deprecated(&document), "deprecated", before);
		put_note(out, document.breaking, "an intended break", before);
		put_note(out, document.accept != NIL, "accepted changes", before);
		put_note(out, !document.assert_format, "formats are not checked", before);
		appendStringInfoString(out, " |\n");
	}
	if (count > MOST_VERSIONS)
		appendStringInfo(out, "\nAnd %d earlier ones.\n", count - MOST_VERSIONS);
	appendStringInfoChar(out, '\n');
}

static void
put_change_table(StringInfo out, List *changes)
{
	ListCell   *cell;
	int			number = 0;

	if (changes == NIL)
		appendStringInfoString(out, "Nothing changes for any event.\n\n");
	if (changes == NIL)
		return;
	appendStringInfoString(out, "| location | change | backward | forward |\n|---|---|---|---|\n");
	foreach(cell, changes)
	{
		const EvChange *change = lfirst(cell);

		if (number++ >= MOST_CHANGES)
			break;
		appendStringInfoString(out, "| ");
		ev_markdown_code(out, change->location, MOST_CELL);
		appendStringInfoString(out, " | ");
		ev_markdown_line(out, change->message, MOST_CELL);
		appendStringInfo(out, " | %s | %s |\n", ev_verdict_name(change->backward), ev_verdict_name(change->forward));
	}
	if (list_length(changes) > MOST_CHANGES)
		appendStringInfo(out, "\nAnd %d more.\n", list_length(changes) - MOST_CHANGES);
	appendStringInfoChar(out, '\n');
}

/* The changes of each version from the one before it, the latest first. */
static void
put_changes(DocsPage *page)
{
	int64		work = EV_COMPARISONS_WORK;
	int			count = list_length(page->versions);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "event_validate changes", ALLOCSET_DEFAULT_SIZES);

	for (int i = count - 1; i > Max(count - 1 - MOST_COMPARED, 0); i--)
	{
		EvDocument	old;
		EvDocument	new;
		EvVerdict	forward;
		List	   *changes;

		CHECK_FOR_INTERRUPTS();
		if (page->out.len > MOST_PAGE)
			break;
		MemoryContextReset(scratch);
		MemoryContextSwitchTo(scratch);
		if (read_document(list_nth_oid(page->functions, i - 1), &old) && read_document(list_nth_oid(page->functions, i), &new))
		{
			(void) ev_compare_schemas(&old, &new, ev_registry_resolve, true, &work, &forward, &changes);
			appendStringInfo(&page->out, "### Changes from version %d to version %d\n\n",
							 list_nth_int(page->versions, i - 1), list_nth_int(page->versions, i));
			put_change_table(&page->out, changes);
		}
		MemoryContextSwitchTo(caller);
	}
	MemoryContextDelete(scratch);
}

static void
put_upcasts(DocsPage *page)
{
	StringInfo	out = &page->out;
	List	   *upcasts = ev_upcast_list(page->type, page->type_length);
	ListCell   *cell;
	int			number = 0;

	if (upcasts == NIL)
		return;
	appendStringInfoString(out, "## Upcasts and downcasts\n\n| from | to | function |\n|---|---|---|\n");
	foreach(cell, upcasts)
	{
		const EvUpcast *upcast = lfirst(cell);

		if (number++ >= MOST_VERSIONS)
			break;
		appendStringInfo(out, "| %d | %d | ", upcast->from, upcast->to);
		ev_markdown_code(out, format_procedure_qualified(upcast->function), MOST_CELL);
		appendStringInfoString(out, " |\n");
	}
	appendStringInfoChar(out, '\n');
}

/* ---------- where it is enforced ---------- */

static void
put_member(StringInfo out, const JsonbValue *row, const char *name)
{
	EvString	key = {name, strlen(name)};
	JsonbValue *value = ev_object_value(row, &key);

	if (value != NULL && value->type == jbvString)
		ev_markdown_code(out, ev_node_string(value), MOST_CELL);
	appendStringInfoString(out, " | ");
}

/* Rows of event_enforcement that the caller may see, as an array of objects; or NULL. */
static void
put_enforcement(DocsPage *page, Jsonb *sites)
{
	StringInfo	out = &page->out;
	uint32		count = sites != NULL && JB_ROOT_IS_ARRAY(sites) && !JB_ROOT_IS_SCALAR(sites) ? JB_ROOT_COUNT(sites) : 0;

	appendStringInfoString(out, "## Where it is enforced\n\n");
	if (count == 0)
	{
		appendStringInfoString(out, "In no table that you may see.\n");
		return;
	}
	appendStringInfoString(out, "| table | by | name | mode | type | version |\n|---|---|---|---|---|---|\n");
	for (uint32 i = 0; i < Min(count, 1000); i++)
	{
		const JsonbValue *row = getIthJsonbValueFromContainer(&sites->root, i);

		appendStringInfoString(out, "| ");
		put_member(out, row, "relation");
		put_member(out, row, "kind");
		put_member(out, row, "name");
		put_member(out, row, "mode");
		put_member(out, row, "type");
		put_member(out, row, "version");
		out->data[--out->len] = '\0';
		appendStringInfoChar(out, '\n');
	}
}

/* event_schema_page(event_type text, schema_version int, sites jsonb) returns text */
Datum
ev_event_schema_page(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"event_type"};
	DocsPage	page = {0};
	text	   *type;
	text	   *result;
	MemoryContext context;
	MemoryContext caller;
	Oid			function;

	ev_require_arguments(fcinfo, 0, 1, names);
	type = PG_GETARG_TEXT_PP(0);
	function = ev_described_version(type, PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1), PG_ARGISNULL(1));
	context = AllocSetContextCreate(CurrentMemoryContext, "event_validate documentation", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	initStringInfo(&page.out);
	page.d = ev_describe(function);
	page.type = page.d->document.name;
	page.type_length = VARSIZE_ANY_EXHDR(type);
	page.version = page.d->schema->version;
	page.functions = ev_registry_list(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), &page.versions);
	if (page.versions == NIL)
		elog(ERROR, "the versions of the type were dropped");
	put_head(&page);
	put_properties(&page);
	put_example(&page);
	put_versions(&page);
	put_changes(&page);
	put_upcasts(&page);
	put_enforcement(&page, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2));
	MemoryContextSwitchTo(caller);
	result = cstring_to_text_with_len(page.out.data, page.out.len);
	MemoryContextDelete(context);
	PG_RETURN_TEXT_P(result);
}

/* ---------- rows, example, URI ---------- */

static EvDescribed *
described_argument(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {"event_type"};

	ev_require_arguments(fcinfo, 0, 1, names);
	return ev_describe(ev_described_version(PG_GETARG_TEXT_PP(0), PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1), PG_ARGISNULL(1)));
}

static Datum
text_or_null(const char *string, bool *is_null)
{
	*is_null = string == NULL;
	return string != NULL ? CStringGetTextDatum(string) : (Datum) 0;
}

static Datum
json_or_null(const JsonbValue *value, bool *is_null)
{
	JsonbValue	copy;

	*is_null = value == NULL;
	if (value == NULL)
		return (Datum) 0;
	copy = *value;
	return PointerGetDatum(JsonbValueToJsonb(&copy));
}

static Datum
constraint_array(const List *constraints)
{
	Datum	   *texts = palloc(sizeof(Datum) * (list_length(constraints) + 1));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, constraints)
		texts[count++] = CStringGetTextDatum(ev_constraint_text(lfirst(cell)));
	return PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* event_schema_properties(event_type text, schema_version int) returns SETOF record */
Datum
ev_event_schema_properties(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context;
	MemoryContext row_context;
	MemoryContext caller;
	List	   *rows;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	context = AllocSetContextCreate(CurrentMemoryContext, "event_validate documentation", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	rows = ev_property_rows(described_argument(fcinfo));
	row_context = AllocSetContextCreate(context, "event_validate row", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(row_context);
	foreach(cell, rows)
	{
		const EvPropertyRow *row = lfirst(cell);
		Datum		values[10] = {0};
		bool		nulls[10] = {0};

		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum(row->path);
		values[1] = text_or_null(row->condition, &nulls[1]);
		values[2] = CStringGetTextDatum(row->type);
		values[3] = BoolGetDatum(row->required);
		values[4] = constraint_array(row->constraints);
		values[5] = text_or_null(row->title, &nulls[5]);
		values[6] = text_or_null(row->description, &nulls[6]);
		values[7] = json_or_null(row->default_value, &nulls[7]);
		values[8] = json_or_null(row->examples, &nulls[8]);
		values[9] = BoolGetDatum(row->deprecated);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return (Datum) 0;
}

/* event_schema_example(event_type text, schema_version int) returns jsonb */
Datum
ev_event_schema_example(PG_FUNCTION_ARGS)
{
	Jsonb	   *event = ev_example_event(described_argument(fcinfo));

	if (event == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(event);
}

/* event_schema_uri(event_type text, schema_version int) returns text */
Datum
ev_event_schema_uri(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"event_type"};
	EvDocument	document;
	Oid			function;

	ev_require_arguments(fcinfo, 0, 1, names);
	function = ev_described_version(PG_GETARG_TEXT_PP(0), PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1), PG_ARGISNULL(1));
	if (!read_document(function, &document))
		elog(ERROR, "schema of function %u cannot be read", function);
	PG_RETURN_TEXT_P(cstring_to_text(ev_described_uri(&document)));
}
