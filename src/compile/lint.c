/*
 * lint.c
 *	  Warnings about valid schemas that are probably mistakes.
 *
 * Runs once for each subschema of a document that is being registered.  The
 * output of common generators of schemas (Pydantic, TypeBox, zod) must give no
 * warnings, so only constructs without a sensible meaning are reported.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/fmgrprotos.h"

#include "compile/lint.h"
#include "format/format.h"
#include "jsonb/jsonb_number.h"
#include "schema/keyword_values.h"
#include "schema/schema_graph.h"

/*
 * Reports unknown keywords, which are annotations (2020-12 core, 6.5), with
 * the most similar known keyword.
 */
static void
lint_unknown(EvCompiler *c, const EvSubschema *subschema)
{
	EvDraft		draft = subschema->resource->draft;
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, subschema->container));
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		const char *nearest;
		bool		elsewhere = false;
		bool		describes = false;
		char	   *name;
		char	   *tail;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		if (ev_keyword_find(key.val.string.val, key.val.string.len, draft) >= 0)
			continue;
		name = ev_node_string(&key);

		/*
		 * extensions by convention, and OpenAPI's "discriminator", which
		 * Pydantic writes
		 */
		if (strncmp(name, "x-", 2) == 0 || strcmp(name, "discriminator") == 0)
			continue;

		tail = psprintf("/%s", name);
		for (int other = 0; other < EV_DRAFT_COUNT; other++)
		{
			int			keyword = ev_keyword_find(name, key.val.string.len, other);

			elsewhere |= keyword >= 0;
			describes |= keyword >= 0 && ev_keywords[keyword].vocabulary == EV_METADATA;
		}
		/* an annotation has the same meaning in every dialect */
		if (describes)
			continue;
		nearest = elsewhere ? NULL : ev_keyword_nearest(name, key.val.string.len, draft);
		if (nearest != NULL)
			ev_compile_warn(c, subschema->location, tail,
							psprintf("unknown keyword \"%s\" is ignored: did you mean \"%s\"?", name, nearest));
		else if (elsewhere)
			ev_compile_warn(c, subschema->location, tail,
							psprintf("keyword \"%s\" is ignored: it is not one of the dialect %s",
									 name, ev_draft_uri(draft)));
		else
			ev_compile_warn(c, subschema->location, tail,
							psprintf("unknown keyword \"%s\" is ignored", name));
	}
}

/*
 * Returns the name of the JSON type that a keyword applies to; NULL if it
 * applies to all types, or only annotates.
 */
static const char *
type_of_keyword(int keyword)
{
	if ((ev_keywords[keyword].vocabulary & (EV_METADATA | EV_CONTENT)) == 0)
		for (int type = 0; type < EV_TYPE_COUNT; type++)
			if (ev_keywords[keyword].types == (uint32) EV_BIT(type))
				return ev_type_name((EvType) type);
	return NULL;
}

static bool
allows_type(const JsonbValue *type, const char *name)
{
	uint32		count = ev_node_is_array(type) ? JsonContainerSize(type->val.binary.data) : 1;

	for (uint32 i = 0; i < count; i++)
	{
		const JsonbValue *item = ev_node_is_array(type) ?
			getIthJsonbValueFromContainer(type->val.binary.data, i) : type;
		char	   *allowed;

		if (item->type != jbvString)
			return true;
		allowed = ev_node_string(item);
		if (strcmp(allowed, name) == 0 ||
			(strcmp(name, "number") == 0 && strcmp(allowed, "integer") == 0))
			return true;
	}
	return false;
}

static void
lint_types(EvCompiler *c, const EvSubschema *subschema, const EvKeywordValues *keywords)
{
	if (!keywords->present[EV_KW_TYPE])
		return;
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT; keyword++)
	{
		const char *type = keywords->present[keyword] ? type_of_keyword(keyword) : NULL;
		const char *name = ev_keywords[keyword].name;

		if (type != NULL && !allows_type(&keywords->values[EV_KW_TYPE], type))
			ev_compile_warn(c, subschema->location, psprintf("/%s", name),
							psprintf("keyword \"%s\" never applies: it is about type %s, which \"type\" does not allow",
									 name, type));
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
			ev_compile_warn(c, subschema->location, psprintf("/%s", name),
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
			ev_compile_warn(c, subschema->location, psprintf("/%s", ev_keywords[bounds[i].low].name),
							psprintf("nothing satisfies both \"%s\" and \"%s\"",
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
		ev_compile_warn(c, subschema->location, psprintf("/required/%u", i),
						psprintf("property \"%s\" is required, but \"additionalProperties\" forbids it",
								 ev_node_string(name)));
	}
}

static void
lint_format(EvCompiler *c, const EvSubschema *subschema, const EvKeywordValues *keywords)
{
	const JsonbValue *format = &keywords->values[EV_KW_FORMAT];

	if (!keywords->present[EV_KW_FORMAT] ||
		ev_format_find(format->val.string.val, format->val.string.len, subschema->resource->draft) != NULL)
		return;
	ev_compile_warn(c, subschema->location, "/format",
					psprintf("unknown format \"%s\" is not checked", ev_node_string(format)));
}

/* Up to draft 7, a $ref disables all keywords beside it. */
static void
lint_reference(EvCompiler *c, const EvSubschema *subschema, const EvKeywordValues *keywords)
{
	if (!keywords->present[EV_KW_REF] || subschema->resource->draft > EV_DRAFT7)
		return;
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT; keyword++)
		if (keywords->present[keyword] &&
			(ev_keywords[keyword].vocabulary & (EV_APPLICATOR | EV_VALIDATION | EV_FORMAT)) != 0)
			ev_compile_warn(c, subschema->location, psprintf("/%s", ev_keywords[keyword].name),
							psprintf("keyword \"%s\" is ignored: up to draft 7 \"$ref\" hides what stands beside it",
									 ev_keywords[keyword].name));
}

void
ev_lint(EvCompiler *c, const EvSubschema *subschema)
{
	EvKeywordValues keywords;

	ev_read_keywords(subschema, &keywords);
	lint_unknown(c, subschema);
	lint_types(c, subschema, &keywords);
	lint_companions(c, subschema, &keywords);
	lint_bounds(c, subschema, &keywords);
	lint_required(c, subschema, &keywords);
	lint_format(c, subschema, &keywords);
	lint_reference(c, subschema, &keywords);
}
