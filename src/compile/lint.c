/*
 * lint.c
 *	  Warnings about valid schemas that are probably mistakes, and notes about
 *	  keywords for other tools.
 *
 * Runs once for each subschema of a document that is being registered.  These
 * include subschemas outside of keywords, if a reference leads to them.  The
 * output of common generators of schemas (Pydantic, TypeBox, zod) must give no
 * warnings, so only constructs without a sensible meaning are reported.
 */
#include "postgres.h"

#include "fmgr.h"
#include "port/pg_bitutils.h"
#include "utils/fmgrprotos.h"

#include "base/json_pointer.h"
#include "compile/endless.h"
#include "compile/lint.h"
#include "format/format.h"
#include "jsonb/jsonb_number.h"
#include "schema/keyword_values.h"
#include "schema/schema_graph.h"

/* Is it an annotation of OpenAPI's schemas? */
static bool
is_openapi_annotation(const char *name)
{
	static const char *const names[] = {"discriminator", "example", "externalDocs", "xml"};

	for (int i = 0; i < (int) lengthof(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static char *
tail_of_key(const char *name)
{
	StringInfoData tail;

	initStringInfo(&tail);
	appendStringInfoChar(&tail, '/');
	ev_pointer_append_key(&tail, name, strlen(name));
	return tail.data;
}

/*
 * Reports an unknown keyword, which is an annotation (2020-12 core, 6.5), with
 * the most similar known keyword.
 */
static void
lint_unknown_keyword(EvCompiler *c, const EvSubschema *subschema, const char *name, const JsonbValue *value)
{
	EvDraft		draft = subschema->resource->draft;
	const char *shown = ev_name_show(name, strlen(name));
	const char *tail = tail_of_key(name);
	const char *nearest;
	bool		elsewhere = false;
	bool		describes = false;

	for (int other = 0; other < EV_DRAFT_COUNT; other++)
	{
		int			keyword = ev_keyword_find(name, strlen(name), other);

		elsewhere |= keyword >= 0;
		describes |= keyword >= 0 && ev_keywords[keyword].vocabulary == EV_METADATA;
	}

	/*
	 * extensions by convention; an annotation has the same meaning in all
	 * dialects
	 */
	if (strncmp(name, "x-", 2) == 0 || describes)
		return;
	if (strcmp(name, "nullable") == 0 && value->type == jbvBool && value->val.boolean)
		ev_compile_warn(c, EV_RULE_NULLABLE, subschema->location, tail,
						"keyword \"nullable\" of OpenAPI 3.0 is ignored: null is allowed by \"null\" among the types of \"type\"");
	else if (is_openapi_annotation(name) || strcmp(name, "nullable") == 0)
		ev_compile_warn(c, EV_RULE_OPENAPI_KEYWORD, subschema->location, tail,
						psprintf("keyword %s of OpenAPI is an annotation", shown));
	else if (elsewhere)
		ev_compile_warn(c, EV_RULE_OTHER_DIALECT, subschema->location, tail,
						psprintf("keyword %s is ignored: it does not exist in dialect %s",
								 shown, ev_draft_uri(draft)));
	else if ((nearest = ev_keyword_nearest(name, strlen(name), draft)) != NULL)
		ev_compile_warn(c, EV_RULE_MISSPELLED_KEYWORD, subschema->location, tail,
						psprintf("unknown keyword %s is ignored: did you mean \"%s\"?", shown, nearest));
	else
		ev_compile_warn(c, EV_RULE_UNKNOWN_KEYWORD, subschema->location, tail,
						psprintf("unknown keyword %s is ignored", shown));
}

static void
lint_unknown(EvCompiler *c, const EvSubschema *subschema)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, subschema->container));
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		ev_compiler_look(c);
		JsonbIteratorNext(&iterator, &value, true);
		if (ev_keyword_find(key.val.string.val, key.val.string.len, subschema->resource->draft) < 0)
			lint_unknown_keyword(c, subschema, ev_node_string(&key), &value);
	}
}

/* Does a keyword apply to one type only, other than as an annotation? */
static bool
is_about_one_type(int keyword)
{
	uint32		types = ev_keywords[keyword].types;

	return (ev_keywords[keyword].vocabulary & (EV_METADATA | EV_CONTENT)) == 0 && (types & (types - 1)) == 0;
}

/* Is the format checked?  All formats that are checked are for strings. */
static bool
is_checked_format(const EvSubschema *subschema, const JsonbValue *format)
{
	return ev_format_find(format->val.string.val, format->val.string.len, subschema->resource->draft) != NULL;
}

static void
lint_types(EvCompiler *c, const EvSubschema *subschema, const EvKeywordValues *keywords)
{
	uint32		allowed;
	bool		integer;

	if (!keywords->present[EV_KW_TYPE])
		return;
	allowed = ev_type_set(&keywords->values[EV_KW_TYPE], &integer);
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT; keyword++)
	{
		const char *name = ev_keywords[keyword].name;
		uint32		types = ev_keywords[keyword].types;

		/* other formats can be for any type: "int32" is for numbers */
		if (keyword == EV_KW_FORMAT && keywords->present[keyword] &&
			!is_checked_format(subschema, &keywords->values[keyword]))
			continue;
		if (keywords->present[keyword] && is_about_one_type(keyword) && (allowed & types) == 0)
			ev_compile_warn(c, EV_RULE_WRONG_TYPE, subschema->location, psprintf("/%s", name),
							psprintf("keyword \"%s\" never applies: it is for type %s, which \"type\" does not allow",
									 name, ev_type_name((EvType) pg_rightmost_one_pos32(types))));
	}
}

/* Reports keywords that have no effect without another one. */
static void
lint_companions(EvCompiler *c, const EvSubschema *subschema, const EvKeywordValues *keywords)
{
	static const struct
	{
		int			keyword;
		int			needs;
	}			companions[] = {
		{EV_KW_THEN, EV_KW_IF},
		{EV_KW_ELSE, EV_KW_IF},
		{EV_KW_MIN_CONTAINS, EV_KW_CONTAINS},
		{EV_KW_MAX_CONTAINS, EV_KW_CONTAINS},
		{EV_KW_ADDITIONAL_ITEMS, EV_KW_ITEMS_DRAFT4},
		{EV_KW_EXCLUSIVE_MINIMUM_DRAFT4, EV_KW_MINIMUM},
		{EV_KW_EXCLUSIVE_MAXIMUM_DRAFT4, EV_KW_MAXIMUM},
	};

	for (int i = 0; i < (int) lengthof(companions); i++)
	{
		const char *name = ev_keywords[companions[i].keyword].name;

		if (keywords->present[companions[i].keyword] && !keywords->present[companions[i].needs])
			ev_compile_warn(c, EV_RULE_MISSING_COMPANION, subschema->location, psprintf("/%s", name),
							psprintf("keyword \"%s\" never applies without \"%s\"", name,
									 ev_keywords[companions[i].needs].name));
	}
}

/* Reports lower bounds above upper bounds. */
static void
lint_bounds(EvCompiler *c, const EvSubschema *subschema, const EvKeywordValues *keywords)
{
	static const struct
	{
		int			low;
		int			high;
		bool		exclusive;
	}			bounds[] = {
		{EV_KW_MINIMUM, EV_KW_MAXIMUM, false},
		{EV_KW_MINIMUM, EV_KW_EXCLUSIVE_MAXIMUM, true},
		{EV_KW_EXCLUSIVE_MINIMUM, EV_KW_MAXIMUM, true},
		{EV_KW_EXCLUSIVE_MINIMUM, EV_KW_EXCLUSIVE_MAXIMUM, true},
		{EV_KW_MIN_LENGTH, EV_KW_MAX_LENGTH, false},
		{EV_KW_MIN_ITEMS, EV_KW_MAX_ITEMS, false},
		{EV_KW_MIN_PROPERTIES, EV_KW_MAX_PROPERTIES, false},
		{EV_KW_MIN_CONTAINS, EV_KW_MAX_CONTAINS, false},
	};

	for (int i = 0; i < (int) lengthof(bounds); i++)
	{
		int			order;

		if (!keywords->present[bounds[i].low] || !keywords->present[bounds[i].high])
			continue;
		order = ev_number_compare(keywords->values[bounds[i].low].val.numeric,
								  keywords->values[bounds[i].high].val.numeric);
		if (order > 0 || (order == 0 && bounds[i].exclusive))
			ev_compile_warn(c, EV_RULE_EMPTY_RANGE, subschema->location, psprintf("/%s", ev_keywords[bounds[i].low].name),
							psprintf("no value satisfies both \"%s\" and \"%s\"",
									 ev_keywords[bounds[i].low].name, ev_keywords[bounds[i].high].name));
	}
}

/*
 * Reports names that are required although additionalProperties: false forbids
 * them.
 */
static void
lint_required(EvCompiler *c, const EvSubschema *subschema, const EvKeywordValues *keywords)
{
	const JsonbValue *additional = &keywords->values[EV_KW_ADDITIONAL_PROPERTIES];
	JsonbContainer *names;

	if (!keywords->present[EV_KW_REQUIRED] || !keywords->present[EV_KW_ADDITIONAL_PROPERTIES] ||
		additional->type != jbvBool || additional->val.boolean ||
		keywords->present[EV_KW_PATTERN_PROPERTIES])
		return;
	names = keywords->values[EV_KW_REQUIRED].val.binary.data;
	for (uint32 i = 0; i < JsonContainerSize(names); i++)
	{
		JsonbValue *name = getIthJsonbValueFromContainer(names, i);
		JsonbValue	found;

		if (keywords->present[EV_KW_PROPERTIES] &&
			getKeyJsonValueFromContainer(keywords->values[EV_KW_PROPERTIES].val.binary.data,
										 name->val.string.val, name->val.string.len, &found) != NULL)
			continue;
		ev_compile_warn(c, EV_RULE_FORBIDDEN_REQUIRED, subschema->location, psprintf("/required/%u", i),
						psprintf("property %s is required, but \"additionalProperties\" forbids it",
								 ev_name_show(name->val.string.val, name->val.string.len)));
	}
}

static void
lint_format(EvCompiler *c, const EvSubschema *subschema, const EvKeywordValues *keywords)
{
	const JsonbValue *format = &keywords->values[EV_KW_FORMAT];
	const char *name = format->val.string.val;
	int			length = format->val.string.len;
	const char *meaning;

	if (!keywords->present[EV_KW_FORMAT] ||
		is_checked_format(subschema, format))
		return;
	meaning = ev_format_of_openapi(name, length);
	if (meaning != NULL)
		ev_compile_warn(c, EV_RULE_OPENAPI_FORMAT, subschema->location, "/format",
						psprintf("format %s of OpenAPI is an annotation (%s)",
								 ev_name_show(name, length), meaning));
	else
		ev_compile_warn(c, EV_RULE_UNKNOWN_FORMAT, subschema->location, "/format",
						psprintf("unknown format %s is not checked", ev_name_show(name, length)));
}

static void
lint_reference(EvCompiler *c, const EvSubschema *subschema, const EvKeywordValues *keywords)
{
	if (!ev_ref_hides_siblings(subschema, keywords))
		return;
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT; keyword++)
		if (keywords->present[keyword] &&
			(ev_keywords[keyword].vocabulary & (EV_APPLICATOR | EV_VALIDATION | EV_FORMAT)) != 0)
			ev_compile_warn(c, EV_RULE_HIDDEN_BY_REF, subschema->location, psprintf("/%s", ev_keywords[keyword].name),
							psprintf("keyword \"%s\" is ignored: up to draft 7, keywords beside \"$ref\" have no effect",
									 ev_keywords[keyword].name));
}

static void
lint_subschema(EvCompiler *c, const EvSubschema *subschema)
{
	EvKeywordValues keywords;
	ListCell   *cell;

	ev_read_keywords(subschema, &keywords);
	/* the functions below rely on values of the right shapes */
	foreach(cell, subschema->faulty)
		keywords.present[lfirst_int(cell)] = false;
	lint_unknown(c, subschema);
	lint_types(c, subschema, &keywords);
	lint_companions(c, subschema, &keywords);
	lint_bounds(c, subschema, &keywords);
	lint_required(c, subschema, &keywords);
	lint_format(c, subschema, &keywords);
	lint_reference(c, subschema, &keywords);
}

void
ev_lint(EvCompiler *c)
{
	ListCell   *cell;

	foreach(cell, c->written)
	{
		ev_compiler_look(c);
		lint_subschema(c, lfirst(cell));
	}
	if (c->fault->message == NULL)
		ev_lint_endless(c);
}
