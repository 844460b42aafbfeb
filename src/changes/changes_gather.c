/*
 * changes_gather.c
 *	  The gatherers of keywords without subschemas: types, values, numbers,
 *	  strings, counts.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "changes/changes_gather.h"
#include "jsonb/jsonb_number.h"

/* The fact that was made of a keyword. */
typedef struct Gathered
{
	const EvSubschema *subschema;	/* these two are the hash key */
	intptr_t	keyword;		/* number, and whether as written */
	void	   *facts;
} Gathered;

EvOrigin
ev_gather_origin(EvGathering *g, int keyword)
{
	return (EvOrigin) {g->subschema, psprintf("/%s", ev_keywords[keyword].name)};
}

void	  **
ev_gather_known(EvGathering *g, int keyword)
{
	struct
	{
		const EvSubschema *subschema;
		intptr_t	keyword;
	}			key = {g->subschema, keyword * 2 + g->facts->as_written};
	Gathered   *entry;
	bool		found;

	if (g->prover->gathered == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(key), .entrysize = sizeof(Gathered), .hcxt = g->prover->context};

		g->prover->gathered = hash_create("event_validate gathered keywords", 256, &control,
										  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	ev_spend(g->prover, 5);
	entry = hash_search(g->prover->gathered, &key, HASH_ENTER, &found);
	if (!found)
		entry->facts = NULL;
	return &entry->facts;
}

uint32
ev_gather_count(EvGathering *g, int keyword)
{
	const JsonbValue *value = ev_gather_value(g, keyword);

	if (ev_number_compare(value->val.numeric, int64_to_numeric(EV_NO_MAXIMUM - 1)) >= 0)
		return EV_NO_MAXIMUM - 1;
	return (uint32) DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
}

void
ev_gather_types(EvGathering *g)
{
	const JsonbValue *type = ev_gather_value(g, EV_KW_TYPE);
	bool		integer;

	if (!ev_gather_has(g, EV_KW_TYPE))
		return;
	ev_spend(g->prover, ev_node_is_array(type) ? 10 * (int64) JsonContainerSize(type->val.binary.data) : 10);
	g->facts->types &= ev_type_set(type, &integer);
	g->facts->integer |= integer;
	g->facts->type_origin = ev_gather_origin(g, EV_KW_TYPE);
}

static void
gather_values(EvGathering *g, int keyword)
{
	EvEnumFact *fact;
	void	  **known;

	if (!ev_gather_has(g, keyword))
		return;
	known = ev_gather_known(g, keyword);
	if (*known != NULL)
	{
		g->facts->enums = lappend(g->facts->enums, *known);
		return;
	}
	*known = fact = palloc0(sizeof(EvEnumFact));
	fact->is_const = keyword == EV_KW_CONST;
	fact->origin = ev_gather_origin(g, keyword);
	if (fact->is_const)
	{
		JsonbValue *copy = palloc(sizeof(JsonbValue));

		*copy = *ev_gather_value(g, keyword);
		fact->values = list_make1(copy);
	}
	else
	{
		JsonbContainer *array = ev_gather_value(g, keyword)->val.binary.data;

		for (uint32 i = 0; i < JsonContainerSize(array); i++)
		{
			ev_spend(g->prover, 5);
			fact->values = lappend(fact->values, getIthJsonbValueFromContainer(array, i));
		}
	}
	g->facts->enums = lappend(g->facts->enums, fact);
}

void
ev_gather_enums(EvGathering *g)
{
	gather_values(g, EV_KW_ENUM);
	gather_values(g, EV_KW_CONST);
}

static void
gather_bound(EvGathering *g, int keyword, bool exclusive, bool is_lower)
{
	EvNumberFact *bound = is_lower ? &g->facts->lower : &g->facts->upper;
	Numeric		value;
	int			order = 0;

	if (!ev_gather_has(g, keyword))
		return;
	value = ev_gather_value(g, keyword)->val.numeric;
	ev_spend(g->prover, ev_value_work(ev_gather_value(g, keyword)));
	if (bound->value != NULL)
	{
		order = ev_number_compare(value, bound->value);
		if (!is_lower)
			order = -order;
	}
	if (bound->value == NULL || order > 0 || (order == 0 && exclusive && !bound->exclusive))
	{
		bound->value = value;
		bound->exclusive = exclusive;
		bound->origin = ev_gather_origin(g, keyword);
	}
}

void
ev_gather_numbers(EvGathering *g)
{
	/*
	 * in draft 4, exclusiveMinimum and exclusiveMaximum are booleans (5.1.2
	 * and 5.1.3)
	 */
	bool		exclusive_minimum = ev_gather_has(g, EV_KW_EXCLUSIVE_MINIMUM_DRAFT4) &&
		ev_gather_value(g, EV_KW_EXCLUSIVE_MINIMUM_DRAFT4)->val.boolean;
	bool		exclusive_maximum = ev_gather_has(g, EV_KW_EXCLUSIVE_MAXIMUM_DRAFT4) &&
		ev_gather_value(g, EV_KW_EXCLUSIVE_MAXIMUM_DRAFT4)->val.boolean;

	gather_bound(g, EV_KW_MINIMUM, exclusive_minimum, true);
	gather_bound(g, EV_KW_EXCLUSIVE_MINIMUM, true, true);
	gather_bound(g, EV_KW_MAXIMUM, exclusive_maximum, false);
	gather_bound(g, EV_KW_EXCLUSIVE_MAXIMUM, true, false);
	if (ev_gather_has(g, EV_KW_MULTIPLE_OF))
	{
		EvNumberFact *fact = palloc0(sizeof(EvNumberFact));

		fact->value = ev_gather_value(g, EV_KW_MULTIPLE_OF)->val.numeric;
		fact->origin = ev_gather_origin(g, EV_KW_MULTIPLE_OF);
		g->facts->multiples = lappend(g->facts->multiples, fact);
	}
}

void
ev_gather_minimum(EvGathering *g, int keyword, EvCountFact *fact)
{
	if (ev_gather_has(g, keyword) && ev_gather_count(g, keyword) > fact->value)
		*fact = (EvCountFact) {ev_gather_count(g, keyword), ev_gather_origin(g, keyword)};
}

void
ev_gather_maximum(EvGathering *g, int keyword, EvCountFact *fact)
{
	if (ev_gather_has(g, keyword) && ev_gather_count(g, keyword) < fact->value)
		*fact = (EvCountFact) {ev_gather_count(g, keyword), ev_gather_origin(g, keyword)};
}

static bool
is_string(const JsonbValue *value, const char *string)
{
	return (size_t) value->val.string.len == strlen(string) &&
		memcmp(value->val.string.val, string, value->val.string.len) == 0;
}

void
ev_gather_strings(EvGathering *g)
{
	EvFacts    *f = g->facts;
	EvResource *resource = g->subschema->resource;
	bool		base64 = false;
	bool		json = false;

	ev_gather_minimum(g, EV_KW_MIN_LENGTH, &f->min_length);
	ev_gather_maximum(g, EV_KW_MAX_LENGTH, &f->max_length);
	if (ev_gather_has(g, EV_KW_PATTERN))
	{
		EvTextFact *fact = palloc0(sizeof(EvTextFact));

		fact->text = ev_string_of(ev_gather_value(g, EV_KW_PATTERN));
		fact->pattern = ev_compile_pattern(ev_compiler_of(g->prover, g->subschema), g->subschema->location,
										   "/pattern", fact->text.data, fact->text.length);
		fact->origin = ev_gather_origin(g, EV_KW_PATTERN);
		f->patterns = lappend(f->patterns, fact);
	}
	if (ev_gather_has(g, EV_KW_FORMAT))
	{
		JsonbValue *name = ev_gather_value(g, EV_KW_FORMAT);
		const EvFormat *format = ev_asserted_format(resource, name->val.string.val, name->val.string.len);

		if (format != NULL)
		{
			EvFormatFact *fact = palloc(sizeof(EvFormatFact));

			fact->format = format;
			fact->origin = ev_gather_origin(g, EV_KW_FORMAT);
			f->formats = lappend(f->formats, fact);
		}
	}
	if (ev_gather_has(g, EV_KW_CONTENT_ENCODING))
		base64 = is_string(ev_gather_value(g, EV_KW_CONTENT_ENCODING), "base64");
	if (ev_gather_has(g, EV_KW_CONTENT_MEDIA_TYPE))
		json = is_string(ev_gather_value(g, EV_KW_CONTENT_MEDIA_TYPE), "application/json");
	if (resource->draft == EV_DRAFT7 && resource->assert_format && (base64 || json))
	{
		EvContentFact *fact = palloc(sizeof(EvContentFact));

		fact->base64 = base64;
		fact->json = json;
		fact->origin = ev_gather_origin(g, base64 ? EV_KW_CONTENT_ENCODING : EV_KW_CONTENT_MEDIA_TYPE);
		f->contents = lappend(f->contents, fact);
	}
}
