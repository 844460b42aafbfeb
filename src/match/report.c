/*
 * report.c
 *	  The output formats of JSON Schema.
 *
 * A run in EV_COLLECT mode yields a tree: a node for each subschema that was
 * applied to a location of the instance, with its violations, its annotations
 * and the nodes below it.  Each format writes this tree in another form.
 *
 * Annotations of a schema that does not match are dropped (2020-12 core,
 * 7.7.1.2).  So are the violations of a branch if its keyword holds because of
 * another branch.
 *
 * References can make the tree exponentially larger than schema and document.
 * So it has a limited number of parts.  From there on the rest is evaluated
 * without a report, which remembers answers, and the report says in its last part
 * that the rest is left out.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "match/interpret.h"
#include "match/report.h"

/* A violation or an annotation. */
typedef struct ReportEntry
{
	char	   *keyword;
	char	   *keyword_location;
	char	   *absolute_location;
	char	   *message;		/* of a violation, otherwise NULL */
	char	   *property;		/* of a violation, as in EvViolation */
	Jsonb	   *expected;
	Jsonb	   *actual;
	const Jsonb *value;			/* of an annotation */
} ReportEntry;

typedef struct ReportNode
{
	struct ReportNode *parent;
	const EvLocation *location;
	char	   *instance_location;
	char	   *keyword_location;
	bool		valid;
	bool		forgiven;		/* it does not match, but its keyword holds */
	bool		is_cut;			/* what came later is left out */
	int			units;			/* count_units and one more; 0: not known */
	List	   *violations;		/* of ReportEntry */
	List	   *annotations;	/* of ReportEntry */
	List	   *children;		/* of ReportNode */
} ReportNode;

typedef struct Reporter
{
	EvCollector collector;
	MemoryContext context;		/* of the tree */
	ReportNode *root;
	ReportNode *current;
	int			parts;			/* nodes and leaves */
	bool		is_cut;			/* the rest is left out */
} Reporter;

#define MOST_PARTS	20000

/* This is as much as a jsonb may have in the end. */
#define MAX_TREE	((Size) 256 * 1024 * 1024)

/* ---------- making the tree ---------- */

/*
 * Switches to the tree's memory context; raises program_limit_exceeded if it
 * is too large.
 */
static MemoryContext
switch_to_tree(Reporter *reporter)
{
	if (MemoryContextMemAllocated(reporter->context, false) > MAX_TREE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("report is too large"),
				 errdetail("The evaluation of the schema takes more than %d MB.", (int) (MAX_TREE / (1024 * 1024)))));
	return MemoryContextSwitchTo(reporter->context);
}

/*
 * Counts a part that was added to the tree.  After the last one, the
 * evaluation continues without a report.  A keyword forgives its branches only
 * after they were run, which is not recorded any more then.  So branches of
 * open nodes that do not match are left out too.
 */
static void
count_part(Reporter *reporter)
{
	if (++reporter->parts < MOST_PARTS)
		return;
	reporter->is_cut = true;
	reporter->collector.enter = NULL;
	reporter->collector.annotate = NULL;
	reporter->collector.forgive = NULL;
	reporter->collector.limit = 0;
	for (ReportNode *node = reporter->current; node != NULL; node = node->parent)
		node->is_cut = true;
}

/* URI and JSON Pointer: "https://example.com/schema#/properties/a". */
static char *
absolute_location(const EvLocation *location, const char *path)
{
	const EvLocation *root = location;

	while (root->resource == NULL && root->parent != NULL)
		root = root->parent;
	return psprintf("%s#%s%s", root->resource != NULL ? root->resource : "",
					ev_location_pointer(location, true), path);
}

static void
report_enter(EvCollector *collector, const char *instance_location,
			 const char *keyword_location, const EvLocation *location)
{
	Reporter   *reporter = (Reporter *) collector;
	MemoryContext caller = switch_to_tree(reporter);
	ReportNode *node = palloc0(sizeof(ReportNode));

	node->parent = reporter->current;
	node->location = location;
	node->instance_location = pstrdup(instance_location);
	node->keyword_location = pstrdup(keyword_location);
	if (node->parent != NULL)
		node->parent->children = lappend(node->parent->children, node);
	else
		reporter->root = node;
	reporter->current = node;
	MemoryContextSwitchTo(caller);
	count_part(reporter);
}

/* A branch that a keyword may forgive. */
static bool
is_branch(const ReportNode *node)
{
	const char *keyword = node->location->keyword;

	return keyword != NULL &&
		(strcmp(keyword, "anyOf") == 0 || strcmp(keyword, "oneOf") == 0 || strcmp(keyword, "if") == 0);
}

static void
report_leave(EvCollector *collector, bool valid)
{
	Reporter   *reporter = (Reporter *) collector;
	ListCell   *cell;

	if (reporter->current->is_cut)
		foreach(cell, reporter->current->children)
			((ReportNode *) lfirst(cell))->forgiven |= !((ReportNode *) lfirst(cell))->valid && is_branch(lfirst(cell));
	reporter->current->valid = valid;
	reporter->current = reporter->current->parent;
}

static void
report_forgive(EvCollector *collector, const char *keyword)
{
	Reporter   *reporter = (Reporter *) collector;
	ListCell   *cell;

	foreach(cell, reporter->current->children)
	{
		ReportNode *child = lfirst(cell);

		if (!child->valid && child->location->keyword != NULL && strcmp(child->location->keyword, keyword) == 0)
			child->forgiven = true;
	}
}

/* NULL stays NULL. */
static Jsonb *
copy_jsonb(const Jsonb *jsonb)
{
	Jsonb	   *copy = NULL;

	if (jsonb != NULL)
	{
		copy = palloc(VARSIZE(jsonb));
		memcpy(copy, jsonb, VARSIZE(jsonb));
	}
	return copy;
}

static void
report_add(EvCollector *collector, const EvViolation *violation)
{
	Reporter   *reporter = (Reporter *) collector;
	MemoryContext caller;
	ReportEntry *leaf;

	if (reporter->is_cut)
		return;
	caller = switch_to_tree(reporter);
	leaf = palloc0(sizeof(ReportEntry));
	leaf->keyword = pstrdup(violation->keyword);
	leaf->keyword_location = pstrdup(violation->keyword_location);
	leaf->absolute_location = absolute_location(violation->location, violation->path);
	leaf->message = pstrdup(violation->message);
	leaf->property = violation->property != NULL ? pstrdup(violation->property) : NULL;
	leaf->expected = copy_jsonb(violation->expected);
	leaf->actual = copy_jsonb(violation->actual);
	reporter->current->violations = lappend(reporter->current->violations, leaf);
	MemoryContextSwitchTo(caller);
	count_part(reporter);
}

static void
report_annotate(EvCollector *collector, const char *keyword, const Jsonb *value)
{
	Reporter   *reporter = (Reporter *) collector;
	ReportNode *node = reporter->current;
	MemoryContext caller = switch_to_tree(reporter);
	ReportEntry *entry = palloc0(sizeof(ReportEntry));
	char	   *path = psprintf("/%s", keyword);

	entry->keyword = pstrdup(keyword);
	entry->keyword_location = psprintf("%s%s", node->keyword_location, path);
	entry->absolute_location = absolute_location(node->location, path);
	entry->value = value;
	node->annotations = lappend(node->annotations, entry);
	MemoryContextSwitchTo(caller);
	count_part(reporter);
}

/* The last part of a report that is cut, for the formats that have parts. */
static void
add_last_part(Reporter *reporter)
{
	MemoryContext caller = MemoryContextSwitchTo(reporter->context);
	ReportNode *node = palloc0(sizeof(ReportNode));
	ReportEntry *leaf = palloc0(sizeof(ReportEntry));
	char	   *message = psprintf("the report has more than %d parts: the rest is left out", MOST_PARTS);

	*node = (ReportNode)
	{
		.parent = reporter->root, .location = reporter->root->location, .instance_location = "",
			.keyword_location = "",.valid = reporter->root->valid
	};
	leaf->keyword = "$comment";
	leaf->keyword_location = "/$comment";
	leaf->absolute_location = absolute_location(node->location, leaf->keyword_location);
	if (node->valid)
	{
		JsonbValue	value = {.type = jbvString};

		value.val.string.val = message;
		value.val.string.len = strlen(message);
		leaf->value = JsonbValueToJsonb(&value);
		node->annotations = list_make1(leaf);
	}
	else
	{
		leaf->message = message;
		node->violations = list_make1(leaf);
	}
	reporter->root->children = lappend(reporter->root->children, node);
	MemoryContextSwitchTo(caller);
}

/* ---------- writing it down ---------- */

static void
append_member(StringInfo text, const char *name, const char *value)
{
	appendStringInfo(text, ",\"%s\":", name);
	escape_json(text, value);
}

static void
append_value(StringInfo text, const Jsonb *value)
{
	(void) JsonbToCString(text, unconstify(JsonbContainer *, &value->root), VARSIZE(value));
}

/* Appends the facts of a violation as members of an object, the first one after `before`. */
static void
append_facts(StringInfo text, const ReportEntry *entry, const char *before)
{
	if (entry->property != NULL)
	{
		appendStringInfo(text, "%s\"property\":", before);
		escape_json(text, entry->property);
		before = ",";
	}
	if (entry->expected != NULL)
	{
		appendStringInfo(text, "%s\"expected\":", before);
		append_value(text, entry->expected);
		before = ",";
	}
	if (entry->actual != NULL)
	{
		appendStringInfo(text, "%s\"actual\":", before);
		append_value(text, entry->actual);
	}
}

/* Appends the beginning of an output unit: "{", validity and locations. */
static void
begin_unit(StringInfo text, bool valid, const char *keyword_location,
		   const char *absolute, const char *instance_location)
{
	appendStringInfo(text, "{\"valid\":%s", valid ? "true" : "false");
	append_member(text, "keywordLocation", keyword_location);
	append_member(text, "absoluteKeywordLocation", absolute);
	append_member(text, "instanceLocation", instance_location);
}

static void
append_entry(StringInfo text, const ReportNode *node, const ReportEntry *entry)
{
	begin_unit(text, entry->message == NULL, entry->keyword_location,
			   entry->absolute_location, node->instance_location);
	if (entry->message != NULL)
	{
		append_member(text, "error", entry->message);
		append_facts(text, entry, ",");
	}
	else
	{
		appendStringInfoString(text, ",\"annotation\":");
		append_value(text, entry->value);
	}
	appendStringInfoChar(text, '}');
}

static void
separate(StringInfo text, bool *first)
{
	if (!*first)
		appendStringInfoChar(text, ',');
	*first = false;
}

/*
 * Appends the relevant entries of a node and the nodes below it, in one list.
 */
static void
append_entries(StringInfo text, const ReportNode *node, bool valid, bool *first)
{
	ListCell   *cell;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (node->valid != valid || node->forgiven)
		return;
	foreach(cell, valid ? node->annotations : node->violations)
	{
		separate(text, first);
		append_entry(text, node, lfirst(cell));
	}
	foreach(cell, node->children)
		append_entries(text, lfirst(cell), valid, first);
}

static void
write_basic(StringInfo text, const ReportNode *root)
{
	bool		first = true;

	begin_unit(text, root->valid, root->keyword_location,
			   absolute_location(root->location, ""), root->instance_location);
	appendStringInfo(text, ",\"%s\":[", root->valid ? "annotations" : "errors");
	append_entries(text, root, root->valid, &first);
	appendStringInfoString(text, "]}");
}

/* Counts the units of a node, up to 2. */
static int
count_units(ReportNode *node, bool valid)
{
	int			count;
	ListCell   *cell;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (node->valid != valid || node->forgiven)
		return 0;
	if (node->units > 0)
		return node->units - 1;
	count = list_length(valid ? node->annotations : node->violations);
	foreach(cell, node->children)
	{
		if (count >= 2)
			break;
		count += Min(count_units(lfirst(cell), valid), 1);
	}
	node->units = count + 1;
	return count;
}

/*
 * Appends a node.  A node with only one unit is replaced by this unit; a node
 * without units is left out (2020-12 core, 12.4.3).
 */
static void
append_detailed(StringInfo text, ReportNode *node, bool valid, bool is_root, bool *first)
{
	int			units = count_units(node, valid);
	bool		inner_first = true;
	ListCell   *cell;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (units == 0 && !is_root)
		return;
	if (units != 1 || is_root)
	{
		separate(text, first);
		begin_unit(text, valid, node->keyword_location,
				   absolute_location(node->location, ""), node->instance_location);
		appendStringInfo(text, ",\"%s\":[", valid ? "annotations" : "errors");
		first = &inner_first;
	}
	foreach(cell, valid ? node->annotations : node->violations)
	{
		separate(text, first);
		append_entry(text, node, lfirst(cell));
	}
	foreach(cell, node->children)
		append_detailed(text, lfirst(cell), valid, false, first);
	if (units != 1 || is_root)
		appendStringInfoString(text, "]}");
}

/* ---------- the formats of v1 ---------- */

/*
 * Appends entries, grouped by keyword.  Violations of one keyword, such as
 * several names of "required", share one message.
 */
static void
append_entry_members(StringInfo text, const char *name, const List *entries)
{
	StringInfoData message;
	bool		first = true;

	if (entries == NIL)
		return;
	appendStringInfo(text, ",\"%s\":{", name);
	initStringInfo(&message);
	for (int i = 0; i < list_length(entries); i++)
	{
		const ReportEntry *entry = list_nth(entries, i);
		bool		written = false;

		/* an annotation is the only entry of its keyword */
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < i && entry->message != NULL && !written; j++)
			written = strcmp(((ReportEntry *) list_nth(entries, j))->keyword, entry->keyword) == 0;
		if (written)
			continue;
		separate(text, &first);
		escape_json(text, entry->keyword);
		appendStringInfoChar(text, ':');
		if (entry->message == NULL)
		{
			append_value(text, entry->value);
			continue;
		}
		resetStringInfo(&message);
		for (int j = i; j < list_length(entries); j++)
		{
			const ReportEntry *other = list_nth(entries, j);

			if (strcmp(other->keyword, entry->keyword) == 0)
				appendStringInfo(&message, "%s%s", message.len > 0 ? "; " : "", other->message);
		}
		escape_json(text, message.data);
	}
	appendStringInfoChar(text, '}');
}

/* The facts of violations, by their keywords: {"required": [{"property": "a"}, {"property": "b"}]} */
static void
append_fact_members(StringInfo text, const List *violations)
{
	bool		first = true;

	if (violations == NIL)
		return;
	appendStringInfoString(text, ",\"facts\":{");
	for (int i = 0; i < list_length(violations); i++)
	{
		const ReportEntry *entry = list_nth(violations, i);
		bool		written = false;
		bool		first_of_keyword = true;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < i && !written; j++)
			written = strcmp(((ReportEntry *) list_nth(violations, j))->keyword, entry->keyword) == 0;
		if (written)
			continue;
		separate(text, &first);
		escape_json(text, entry->keyword);
		appendStringInfoString(text, ":[");
		for (int j = i; j < list_length(violations); j++)
		{
			const ReportEntry *other = list_nth(violations, j);

			if (strcmp(other->keyword, entry->keyword) != 0)
				continue;
			separate(text, &first_of_keyword);
			appendStringInfoChar(text, '{');
			append_facts(text, other, "");
			appendStringInfoChar(text, '}');
		}
		appendStringInfoChar(text, ']');
	}
	appendStringInfoChar(text, '}');
}

static void
append_node(StringInfo text, const ReportNode *node, bool with_children)
{
	ListCell   *cell;
	bool		first = true;

	check_stack_depth();
	appendStringInfo(text, "{\"valid\":%s", node->valid ? "true" : "false");
	append_member(text, "evaluationPath", node->keyword_location);
	append_member(text, "schemaLocation", absolute_location(node->location, ""));
	append_member(text, "instanceLocation", node->instance_location);
	append_entry_members(text, "errors", node->violations);
	append_fact_members(text, node->violations);
	append_entry_members(text, node->valid ? "annotations" : "droppedAnnotations", node->annotations);
	if (with_children && node->children != NIL)
	{
		appendStringInfoString(text, ",\"details\":[");
		foreach(cell, node->children)
		{
			separate(text, &first);
			append_node(text, lfirst(cell), true);
		}
		appendStringInfoChar(text, ']');
	}
	appendStringInfoChar(text, '}');
}

static void
append_list(StringInfo text, const ReportNode *node, bool *first)
{
	ListCell   *cell;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	separate(text, first);
	append_node(text, node, false);
	foreach(cell, node->children)
		append_list(text, lfirst(cell), first);
}

Jsonb *
ev_report(const EvProgram *program, const Jsonb *document, const char *format)
{
	static const char *const formats[] = {"flag", "basic", "detailed", "list", "hierarchical"};
	Reporter	reporter = {
		.collector = {report_add, PG_INT64_MAX, 0, report_enter, report_leave, report_annotate, report_forgive, true, false, false},
	};
	StringInfoData text;
	Jsonb	   *result;
	MemoryContext caller = CurrentMemoryContext;
	bool		known = false;
	bool		first = true;

	for (int i = 0; i < (int) lengthof(formats); i++)
		known |= strcmp(formats[i], format) == 0;
	if (!known)
		return NULL;

	reporter.context = AllocSetContextCreate(caller, "event_validate report", ALLOCSET_DEFAULT_SIZES);
	ev_match_collect(program, document, &reporter.collector);
	if (reporter.is_cut)
		add_last_part(&reporter);
	MemoryContextSwitchTo(reporter.context);

	initStringInfo(&text);
	if (strcmp(format, "flag") == 0)
		appendStringInfo(&text, "{\"valid\":%s}", reporter.root->valid ? "true" : "false");
	else if (strcmp(format, "basic") == 0)
		write_basic(&text, reporter.root);
	else if (strcmp(format, "detailed") == 0)
		append_detailed(&text, reporter.root, reporter.root->valid, true, &first);
	else if (strcmp(format, "list") == 0)
	{
		appendStringInfo(&text, "{\"valid\":%s,\"details\":[", reporter.root->valid ? "true" : "false");
		append_list(&text, reporter.root, &first);
		appendStringInfoString(&text, "]}");
	}
	else
		append_node(&text, reporter.root, true);

	MemoryContextSwitchTo(caller);
	result = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
	MemoryContextDelete(reporter.context);
	return result;
}
