/*
 * changes_facts.c
 *	  From the keywords of schemas to facts, the same for all dialects.
 *
 * A set of schemas that all apply becomes one record: $ref and allOf are
 * followed, draft 4's booleans become exclusive bounds, an array in "items"
 * becomes a prefix.  Keywords that depend on annotations
 * (unevaluatedProperties and unevaluatedItems) have a necessary and a
 * sufficient form, see changes_internal.h.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/encoding.h"
#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"

/* The state of gathering. */
typedef struct Gatherer
{
	EvProver   *prover;
	EvFacts    *facts;
	EvFactsForm form;
	const EvSubschema *subschema;	/* the one being read */
	EvKeywordValues keywords;	/* of this subschema */
} Gatherer;

/* ---------- helpers ---------- */

static EvString
string_of(const JsonbValue *value)
{
	return (EvString) {value->val.string.val, value->val.string.len};
}

/* Returns the subschema of a node in a document; {} is the schema true. */
static EvSubschema *
child_of(Gatherer *g, const JsonbValue *node)
{
	EvProver   *p = g->prover;
	EvSubschema *child;

	ev_spend(p, 10);
	if (node->type == jbvBool)
		return node->val.boolean ? &p->truth : &p->falsehood;
	if (JsonContainerSize(node->val.binary.data) == 0)
		return &p->truth;
	child = ev_subschema_find(&p->old, node);
	if (child == NULL)
		child = ev_subschema_find(&p->new, node);
	if (child == NULL)
		elog(ERROR, "subschema was not read");
	return child;
}

static EvOrigin
origin_of(Gatherer *g, int keyword)
{
	return (EvOrigin) {g->subschema, psprintf("/%s", ev_keywords[keyword].name)};
}

static inline bool
has(Gatherer *g, int keyword)
{
	return g->keywords.present[keyword];
}

static inline JsonbValue *
value_of(Gatherer *g, int keyword)
{
	return &g->keywords.values[keyword];
}

/* Returns a count, limited to one that no jsonb reaches. */
static uint32
count_of(const JsonbValue *value)
{
	if (ev_number_compare(value->val.numeric, int64_to_numeric(EV_NO_MAXIMUM - 1)) >= 0)
		return EV_NO_MAXIMUM - 1;
	return (uint32) DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
}

/* ---------- keywords of all types ---------- */

static void
gather_types(Gatherer *g)
{
	static const struct
	{
		const char *name;
		uint32		types;
	}			names[] = {
		{"null", EV_BIT(EV_NULL)},
		{"boolean", EV_BOOLEAN_BITS},
		{"object", EV_BIT(EV_OBJECT)},
		{"array", EV_BIT(EV_ARRAY)},
		{"number", EV_BIT(EV_NUMBER)},
		{"string", EV_BIT(EV_STRING)},
	};
	JsonbValue *type = value_of(g, EV_KW_TYPE);
	uint32		types = 0;
	bool		integer = false;
	uint32		count;

	if (!has(g, EV_KW_TYPE))
		return;
	count = ev_node_is_array(type) ? JsonContainerSize(type->val.binary.data) : 1;
	ev_spend(g->prover, 10 * (int64) count);
	for (uint32 i = 0; i < count; i++)
	{
		char	   *name = ev_node_string(ev_node_is_array(type) ?
										  getIthJsonbValueFromContainer(type->val.binary.data, i) : type);

		integer |= strcmp(name, "integer") == 0;
		for (int j = 0; j < (int) lengthof(names); j++)
			if (strcmp(names[j].name, name) == 0)
				types |= names[j].types;
	}
	if ((types & EV_BIT(EV_NUMBER)) != 0)
		integer = false;
	if (integer)
		types |= EV_BIT(EV_NUMBER);

	g->facts->types &= types;
	g->facts->integer |= integer;
	g->facts->type_origin = origin_of(g, EV_KW_TYPE);
}

static void
gather_enum(Gatherer *g, int keyword)
{
	EvEnumFact *fact;

	if (!has(g, keyword))
		return;
	fact = palloc0(sizeof(EvEnumFact));
	fact->is_const = keyword == EV_KW_CONST;
	fact->origin = origin_of(g, keyword);
	if (fact->is_const)
	{
		JsonbValue *copy = palloc(sizeof(JsonbValue));

		*copy = *value_of(g, keyword);
		fact->values = list_make1(copy);
	}
	else
	{
		JsonbContainer *array = value_of(g, keyword)->val.binary.data;

		for (uint32 i = 0; i < JsonContainerSize(array); i++)
		{
			ev_spend(g->prover, 5);
			fact->values = lappend(fact->values, getIthJsonbValueFromContainer(array, i));
		}
	}
	g->facts->enums = lappend(g->facts->enums, fact);
}

static EvSchemaFact *
schema_fact(Gatherer *g, int keyword)
{
	EvSchemaFact *fact = palloc(sizeof(EvSchemaFact));

	fact->schema = child_of(g, value_of(g, keyword));
	fact->origin = origin_of(g, keyword);
	return fact;
}

/* Adds a subschema that applies to the same instance. */
static void
add_schema(Gatherer *g, EvSubschema *schema)
{
	ev_spend(g->prover, list_length(g->facts->schemas) / 8);
	if (schema != &g->prover->truth && !list_member_ptr(g->facts->schemas, schema))
		g->facts->schemas = lappend(g->facts->schemas, schema);
}

static void
add_opaque(Gatherer *g, const char *keyword, bool is_reference)
{
	EvOpaqueFact *fact = palloc(sizeof(EvOpaqueFact));
	const char *tail = psprintf("/%s", keyword);

	fact->is_reference = is_reference;
	fact->origin = (EvOrigin) {g->subschema, tail};
	g->facts->opaques = lappend(g->facts->opaques, fact);
}

/*
 * Returns the target of a dynamic reference, if only one schema has the
 * anchor; otherwise NULL.
 */
static EvSubschema *
only_target(EvProver *p, const EvSubschema *schema, const EvReference *reference)
{
	EvSubschema *only = reference->target;
	ListCell   *cell;
	ListCell   *anchor_cell;

	foreach(cell, ev_compiler_of(p, schema)->resources)
	{
		EvResource *resource = lfirst(cell);
		EvSubschema *target = NULL;

		ev_spend(p, list_length(resource->anchors) + 1);
		if (reference->dynamic_anchor[0] == '\0')
			target = resource->recursive_anchor ? resource->root : NULL;
		else
		{
			foreach(anchor_cell, resource->anchors)
			{
				EvSchemaAnchor *anchor = lfirst(anchor_cell);

				if (anchor->dynamic && strcmp(anchor->name, reference->dynamic_anchor) == 0)
					target = anchor->target;
			}
		}
		if (target == NULL || target == only)
			continue;
		if (only != NULL)
			return NULL;
		only = target;
	}
	return only;
}

static void
gather_references(Gatherer *g)
{
	ListCell   *cell;

	foreach(cell, g->subschema->references)
	{
		EvReference *reference = lfirst(cell);
		EvSubschema *target = reference->target;

		if (reference->dynamic_anchor != NULL)
			target = only_target(g->prover, g->subschema, reference);
		if (target == NULL)
			add_opaque(g, reference->keyword, true);
		else if (target->is_boolean)
			add_schema(g, target->boolean ? &g->prover->truth : &g->prover->falsehood);
		else
			add_schema(g, target);
	}
}

static void
gather_group(Gatherer *g, int keyword)
{
	EvGroupFact *fact;
	JsonbContainer *array;

	if (!has(g, keyword))
		return;
	fact = palloc0(sizeof(EvGroupFact));
	fact->one = keyword == EV_KW_ONE_OF;
	fact->origin = origin_of(g, keyword);
	array = value_of(g, keyword)->val.binary.data;
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
		fact->members = lappend(fact->members, child_of(g, getIthJsonbValueFromContainer(array, i)));
	g->facts->groups = lappend(g->facts->groups, fact);
}

static void
gather_applicators(Gatherer *g)
{
	EvFacts    *f = g->facts;

	if (has(g, EV_KW_ALL_OF))
	{
		JsonbContainer *array = value_of(g, EV_KW_ALL_OF)->val.binary.data;

		for (uint32 i = 0; i < JsonContainerSize(array); i++)
			add_schema(g, child_of(g, getIthJsonbValueFromContainer(array, i)));
	}
	gather_group(g, EV_KW_ANY_OF);
	gather_group(g, EV_KW_ONE_OF);
	if (has(g, EV_KW_NOT))
		f->nots = lappend(f->nots, schema_fact(g, EV_KW_NOT));
	if (has(g, EV_KW_IF))
	{
		EvConditionFact *fact = palloc(sizeof(EvConditionFact));

		fact->origin = origin_of(g, EV_KW_IF);
		fact->test = child_of(g, value_of(g, EV_KW_IF));
		fact->then = has(g, EV_KW_THEN) ? child_of(g, value_of(g, EV_KW_THEN)) : &g->prover->truth;
		fact->otherwise = has(g, EV_KW_ELSE) ? child_of(g, value_of(g, EV_KW_ELSE)) : &g->prover->truth;
		f->conditions = lappend(f->conditions, fact);
	}
}

/* Gathers the keywords that have no gatherer, see EvGatherer. */
static void
gather_opaques(Gatherer *g)
{
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT; keyword++)
		if (ev_keywords[keyword].gatherer == EV_OPAQUE && has(g, keyword))
			add_opaque(g, ev_keywords[keyword].name, false);
}

/* ---------- keywords of one type ---------- */

static void
gather_bound(Gatherer *g, int keyword, bool exclusive, bool is_lower)
{
	EvNumberFact *bound = is_lower ? &g->facts->lower : &g->facts->upper;
	Numeric		value;
	int			order = 0;

	if (!has(g, keyword))
		return;
	value = value_of(g, keyword)->val.numeric;
	ev_spend(g->prover, ev_value_work(value_of(g, keyword)));
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
		bound->origin = origin_of(g, keyword);
	}
}

static void
gather_numbers(Gatherer *g)
{
	/*
	 * in draft 4, exclusiveMinimum and exclusiveMaximum are booleans (5.1.2
	 * and 5.1.3)
	 */
	bool		exclusive_minimum = has(g, EV_KW_EXCLUSIVE_MINIMUM_DRAFT4) &&
		value_of(g, EV_KW_EXCLUSIVE_MINIMUM_DRAFT4)->val.boolean;
	bool		exclusive_maximum = has(g, EV_KW_EXCLUSIVE_MAXIMUM_DRAFT4) &&
		value_of(g, EV_KW_EXCLUSIVE_MAXIMUM_DRAFT4)->val.boolean;

	gather_bound(g, EV_KW_MINIMUM, exclusive_minimum, true);
	gather_bound(g, EV_KW_EXCLUSIVE_MINIMUM, true, true);
	gather_bound(g, EV_KW_MAXIMUM, exclusive_maximum, false);
	gather_bound(g, EV_KW_EXCLUSIVE_MAXIMUM, true, false);
	if (has(g, EV_KW_MULTIPLE_OF))
	{
		EvNumberFact *fact = palloc0(sizeof(EvNumberFact));

		fact->value = value_of(g, EV_KW_MULTIPLE_OF)->val.numeric;
		fact->origin = origin_of(g, EV_KW_MULTIPLE_OF);
		g->facts->multiples = lappend(g->facts->multiples, fact);
	}
}

static void
gather_minimum(Gatherer *g, int keyword, EvCountFact *fact)
{
	if (has(g, keyword) && count_of(value_of(g, keyword)) > fact->value)
		*fact = (EvCountFact) {count_of(value_of(g, keyword)), origin_of(g, keyword)};
}

static void
gather_maximum(Gatherer *g, int keyword, EvCountFact *fact)
{
	if (has(g, keyword) && count_of(value_of(g, keyword)) < fact->value)
		*fact = (EvCountFact) {count_of(value_of(g, keyword)), origin_of(g, keyword)};
}

static bool
is_string(const JsonbValue *value, const char *string)
{
	return (size_t) value->val.string.len == strlen(string) &&
		memcmp(value->val.string.val, string, value->val.string.len) == 0;
}

static void
gather_strings(Gatherer *g)
{
	EvFacts    *f = g->facts;
	EvResource *resource = g->subschema->resource;

	gather_minimum(g, EV_KW_MIN_LENGTH, &f->min_length);
	gather_maximum(g, EV_KW_MAX_LENGTH, &f->max_length);
	if (has(g, EV_KW_PATTERN))
	{
		EvTextFact *fact = palloc0(sizeof(EvTextFact));

		fact->text = string_of(value_of(g, EV_KW_PATTERN));
		fact->pattern = ev_compile_pattern(ev_compiler_of(g->prover, g->subschema), g->subschema->location,
										   "/pattern", fact->text.data, fact->text.length);
		fact->origin = origin_of(g, EV_KW_PATTERN);
		f->patterns = lappend(f->patterns, fact);
	}
	if (has(g, EV_KW_FORMAT) &&
		(resource->assert_format || (resource->vocabularies & EV_FORMAT_ASSERTION) != 0))
	{
		JsonbValue *name = value_of(g, EV_KW_FORMAT);
		const EvFormat *format = ev_format_find(name->val.string.val, name->val.string.len, resource->draft);

		if (format != NULL)
		{
			EvFormatFact *fact = palloc(sizeof(EvFormatFact));

			fact->format = format;
			fact->origin = origin_of(g, EV_KW_FORMAT);
			f->formats = lappend(f->formats, fact);
		}
	}
	if (resource->draft == EV_DRAFT7 && resource->assert_format)
	{
		bool		base64 = has(g, EV_KW_CONTENT_ENCODING) && is_string(value_of(g, EV_KW_CONTENT_ENCODING), "base64");
		bool		json = has(g, EV_KW_CONTENT_MEDIA_TYPE) &&
			is_string(value_of(g, EV_KW_CONTENT_MEDIA_TYPE), "application/json");

		if (base64 || json)
		{
			EvContentFact *fact = palloc(sizeof(EvContentFact));

			fact->base64 = base64;
			fact->json = json;
			fact->origin = origin_of(g, base64 ? EV_KW_CONTENT_ENCODING : EV_KW_CONTENT_MEDIA_TYPE);
			f->contents = lappend(f->contents, fact);
		}
	}
}

/* Returns the members of properties and patternProperties. */
static List *
named_schemas(Gatherer *g, int keyword)
{
	List	   *result = NIL;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!has(g, keyword))
		return NIL;
	iterator = JsonbIteratorInit(value_of(g, keyword)->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		EvNamedSchema *named;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		named = palloc0(sizeof(EvNamedSchema));
		named->name = string_of(&key);
		named->schema = child_of(g, &value);
		named->tail = ev_tail_name(ev_keywords[keyword].name, key.val.string.val, key.val.string.len);
		if (keyword == EV_KW_PATTERN_PROPERTIES)
			named->pattern = ev_compile_pattern(ev_compiler_of(g->prover, g->subschema), g->subschema->location,
												named->tail, key.val.string.val, key.val.string.len);
		result = lappend(result, named);
	}
	return result;
}

static List *
strings_of(EvProver *p, const JsonbValue *array)
{
	List	   *result = NIL;

	for (uint32 i = 0; i < JsonContainerSize(array->val.binary.data); i++)
	{
		EvString   *string = palloc(sizeof(EvString));

		ev_spend(p, 5);
		*string = string_of(getIthJsonbValueFromContainer(array->val.binary.data, i));
		result = lappend(result, string);
	}
	return result;
}

static void
add_required(EvProver *p, EvFacts *facts, const EvString *name, EvOrigin origin)
{
	EvTextFact *fact;

	if (ev_facts_requires(p, facts, name) != NULL)
		return;
	fact = palloc0(sizeof(EvTextFact));
	fact->text = *name;
	fact->origin = origin;
	facts->required = lappend(facts->required, fact);
}

static void
gather_dependencies(Gatherer *g, int keyword)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!has(g, keyword))
		return;
	iterator = JsonbIteratorInit(value_of(g, keyword)->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		EvDependencyFact *fact;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		fact = palloc0(sizeof(EvDependencyFact));
		fact->property = string_of(&key);
		fact->origin.subschema = g->subschema;
		fact->origin.tail = ev_tail_name(ev_keywords[keyword].name, key.val.string.val, key.val.string.len);
		if (ev_node_is_array(&value))
			fact->required = strings_of(g->prover, &value);
		else
			fact->schema = child_of(g, &value);
		if (fact->required != NIL || (fact->schema != NULL && fact->schema != &g->prover->truth))
			g->facts->dependencies = lappend(g->facts->dependencies, fact);
	}
}

static void
gather_objects(Gatherer *g)
{
	EvFacts    *f = g->facts;

	if (has(g, EV_KW_PROPERTIES) || has(g, EV_KW_PATTERN_PROPERTIES) || has(g, EV_KW_ADDITIONAL_PROPERTIES))
	{
		EvObjectShape *shape = palloc0(sizeof(EvObjectShape));

		shape->subschema = g->subschema;
		shape->names = named_schemas(g, EV_KW_PROPERTIES);
		shape->patterns = named_schemas(g, EV_KW_PATTERN_PROPERTIES);
		shape->rest = &g->prover->truth;
		shape->evaluates = true;
		if (has(g, EV_KW_ADDITIONAL_PROPERTIES))
		{
			shape->rest = child_of(g, value_of(g, EV_KW_ADDITIONAL_PROPERTIES));
			shape->rest_tail = "/additionalProperties";
		}
		f->object_shapes = lappend(f->object_shapes, shape);
	}
	if (has(g, EV_KW_REQUIRED))
	{
		ListCell   *cell;
		int			i = 0;

		foreach(cell, strings_of(g->prover, value_of(g, EV_KW_REQUIRED)))
			add_required(g->prover, f, lfirst(cell), (EvOrigin) {g->subschema, psprintf("/required/%d", i++)});
	}
	gather_minimum(g, EV_KW_MIN_PROPERTIES, &f->min_properties);
	gather_maximum(g, EV_KW_MAX_PROPERTIES, &f->max_properties);
	if (has(g, EV_KW_PROPERTY_NAMES))
		f->names = lappend(f->names, schema_fact(g, EV_KW_PROPERTY_NAMES));
	gather_dependencies(g, EV_KW_DEPENDENT_REQUIRED);
	gather_dependencies(g, EV_KW_DEPENDENT_SCHEMAS);
	gather_dependencies(g, EV_KW_DEPENDENCIES);
}

static List *
indexed_schemas(Gatherer *g, int keyword)
{
	List	   *result = NIL;
	JsonbContainer *array = value_of(g, keyword)->val.binary.data;

	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		EvNamedSchema *named = palloc0(sizeof(EvNamedSchema));

		named->schema = child_of(g, getIthJsonbValueFromContainer(array, i));
		named->tail = ev_tail_index(ev_keywords[keyword].name, i);
		result = lappend(result, named);
	}
	return result;
}

static void
gather_arrays(Gatherer *g)
{
	EvFacts    *f = g->facts;
	EvArrayShape *shape = palloc0(sizeof(EvArrayShape));
	int			rest = -1;

	shape->subschema = g->subschema;
	shape->rest = &g->prover->truth;
	if (has(g, EV_KW_PREFIX_ITEMS))
		shape->prefix = indexed_schemas(g, EV_KW_PREFIX_ITEMS);
	if (has(g, EV_KW_ITEMS))
		rest = EV_KW_ITEMS;
	if (has(g, EV_KW_ITEMS_DRAFT4))
	{
		/* additionalItems has no effect without an array in items */
		if (ev_node_is_array(value_of(g, EV_KW_ITEMS_DRAFT4)))
		{
			shape->prefix = indexed_schemas(g, EV_KW_ITEMS_DRAFT4);
			rest = has(g, EV_KW_ADDITIONAL_ITEMS) ? EV_KW_ADDITIONAL_ITEMS : -1;
		}
		else
			rest = EV_KW_ITEMS_DRAFT4;
	}
	if (rest >= 0)
	{
		shape->rest = child_of(g, value_of(g, rest));
		shape->rest_tail = psprintf("/%s", ev_keywords[rest].name);
	}
	if (shape->prefix != NIL || rest >= 0)
		f->array_shapes = lappend(f->array_shapes, shape);

	gather_minimum(g, EV_KW_MIN_ITEMS, &f->min_items);
	gather_maximum(g, EV_KW_MAX_ITEMS, &f->max_items);
	if (has(g, EV_KW_UNIQUE_ITEMS) && value_of(g, EV_KW_UNIQUE_ITEMS)->val.boolean)
		f->unique = origin_of(g, EV_KW_UNIQUE_ITEMS);
	if (has(g, EV_KW_CONTAINS))
	{
		EvContainsFact *fact = palloc(sizeof(EvContainsFact));

		fact->schema = child_of(g, value_of(g, EV_KW_CONTAINS));
		fact->minimum = has(g, EV_KW_MIN_CONTAINS) ? count_of(value_of(g, EV_KW_MIN_CONTAINS)) : 1;
		fact->maximum = has(g, EV_KW_MAX_CONTAINS) ? count_of(value_of(g, EV_KW_MAX_CONTAINS)) : EV_NO_MAXIMUM;
		fact->origin = origin_of(g, EV_KW_CONTAINS);

		/* even without a minimum, it evaluates the items that it matches */
		f->contains = lappend(f->contains, fact);
	}
}

/* ---------- unevaluatedProperties and unevaluatedItems ---------- */

/* The children that a schema's in-place applicators can evaluate. */
typedef struct Evaluated
{
	List	   *names;			/* of EvNamedSchema */
	List	   *patterns;
	bool		all_properties;
	uint32		prefix;
	bool		all_items;
	bool		some_items;		/* "contains" evaluates the items that it
								 * matches */
	bool		has_branches;
} Evaluated;

/*
 * Gathers the children that a schema and its in-place applicators evaluate.
 * Optional branches count only for the necessary form: there, more evaluated
 * children mean fewer that are restricted.
 */
static void
gather_evaluated(Gatherer *g, EvSubschema *schema, bool is_root, Evaluated *e)
{
	EvFacts    *f;
	ListCell   *cell;
	ListCell   *member;

	check_stack_depth();
	ev_spend(g->prover, 10);
	if (schema->is_boolean)
		return;

	/* facts of this schema alone, without the keyword itself */
	if (is_root)
		f = g->facts;
	else
		f = ev_facts(g->prover, ev_set_of(g->prover, schema), g->form);

	if (f->opaques != NIL)
	{
		e->has_branches = true;
		if (g->form == EV_NECESSARY)
			e->all_properties = e->all_items = true;
	}
	foreach(cell, f->object_shapes)
	{
		EvObjectShape *shape = lfirst(cell);

		ev_spend(g->prover, list_length(e->names) + list_length(shape->names) +
				 list_length(e->patterns) + list_length(shape->patterns));
		if (!shape->evaluates || (shape->rest_tail != NULL))
			e->all_properties = true;
		e->names = list_concat_copy(e->names, shape->names);
		e->patterns = list_concat_copy(e->patterns, shape->patterns);
	}
	foreach(cell, f->array_shapes)
	{
		EvArrayShape *shape = lfirst(cell);

		if (shape->rest_tail != NULL)
			e->all_items = true;
		e->prefix = Max(e->prefix, (uint32) list_length(shape->prefix));
	}
	/* "contains" evaluates items since 2020-12 (2020-12 core, 10.3.1.3) */
	if (f->contains != NIL)
		e->some_items = true;

	if (f->groups != NIL || f->conditions != NIL || f->dependencies != NIL || f->contains != NIL)
		e->has_branches = true;
	if (g->form == EV_SUFFICIENT)
		return;
	foreach(cell, f->groups)
	{
		foreach(member, ((EvGroupFact *) lfirst(cell))->members)
			gather_evaluated(g, lfirst(member), false, e);
	}
	foreach(cell, f->conditions)
	{
		EvConditionFact *condition = lfirst(cell);

		gather_evaluated(g, condition->test, false, e);
		gather_evaluated(g, condition->then, false, e);
		gather_evaluated(g, condition->otherwise, false, e);
	}
	foreach(cell, f->dependencies)
	{
		EvDependencyFact *dependency = lfirst(cell);

		if (dependency->schema != NULL)
			gather_evaluated(g, dependency->schema, false, e);
	}
}

static List *
as_true(Gatherer *g, List *named)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, named)
	{
		EvNamedSchema *copy = palloc(sizeof(EvNamedSchema));

		ev_spend(g->prover, 2);
		*copy = *(EvNamedSchema *) lfirst(cell);
		copy->schema = &g->prover->truth;
		result = lappend(result, copy);
	}
	return result;
}

static void
gather_unevaluated(Gatherer *g, EvFacts *own)
{
	Evaluated	e = {0};
	EvFacts    *all = g->facts;

	if (!has(g, EV_KW_UNEVALUATED_PROPERTIES) && !has(g, EV_KW_UNEVALUATED_ITEMS))
		return;

	g->facts = own;
	gather_evaluated(g, unconstify(EvSubschema *, g->subschema), true, &e);
	g->facts = all;
	if (has(g, EV_KW_UNEVALUATED_PROPERTIES) && !e.all_properties)
	{
		EvObjectShape *shape = palloc0(sizeof(EvObjectShape));

		shape->subschema = g->subschema;
		shape->names = as_true(g, e.names);
		shape->patterns = as_true(g, e.patterns);
		shape->rest = child_of(g, value_of(g, EV_KW_UNEVALUATED_PROPERTIES));
		shape->rest_tail = "/unevaluatedProperties";
		all->object_shapes = lappend(all->object_shapes, shape);
	}
	if (has(g, EV_KW_UNEVALUATED_ITEMS) && !e.all_items && !(e.some_items && g->form == EV_NECESSARY))
	{
		EvArrayShape *shape = palloc0(sizeof(EvArrayShape));

		shape->subschema = g->subschema;
		for (uint32 i = 0; i < e.prefix; i++)
		{
			EvNamedSchema *named = palloc0(sizeof(EvNamedSchema));

			ev_spend(g->prover, 2);
			named->schema = &g->prover->truth;
			shape->prefix = lappend(shape->prefix, named);
		}
		shape->rest = child_of(g, value_of(g, EV_KW_UNEVALUATED_ITEMS));
		shape->rest_tail = "/unevaluatedItems";
		all->array_shapes = lappend(all->array_shapes, shape);
	}
	if (e.has_branches)
		all->exact = false;
}

/* ---------- gathering ---------- */

static void gather(Gatherer *g, EvSubschema *schema);

/*
 * Returns the facts of one schema object with its $ref and allOf, but without
 * its own unevaluated keywords, which depend on these facts.
 */
static EvFacts *
own_facts(Gatherer *g, EvSubschema *schema)
{
	Gatherer	own = *g;
	EvFacts    *f = palloc0(sizeof(EvFacts));

	f->types = EV_ALL_TYPES;
	f->max_length.value = f->max_items.value = f->max_properties.value = EV_NO_MAXIMUM;
	own.facts = f;
	own.keywords.present[EV_KW_UNEVALUATED_PROPERTIES] = false;
	own.keywords.present[EV_KW_UNEVALUATED_ITEMS] = false;
	own.subschema = schema;
	gather_references(&own);
	gather_opaques(&own);
	gather_applicators(&own);
	gather_objects(&own);
	gather_arrays(&own);
	for (int i = 0; i < list_length(f->schemas); i++)
		gather(&own, list_nth(f->schemas, i));
	return f;
}

static void
gather(Gatherer *g, EvSubschema *schema)
{
	bool		hides_siblings;

	check_stack_depth();
	ev_spend(g->prover, 100);
	if (schema == &g->prover->falsehood || (schema->is_boolean && !schema->boolean))
	{
		g->facts->types = 0;
		return;
	}
	if (schema->is_boolean)
		return;
	g->subschema = schema;
	ev_spend(g->prover, 5 * JsonContainerSize(schema->container));
	ev_read_keywords(schema, &g->keywords);

	/* $ref disables its siblings up to draft 7 (draft 7 core, 8.3) */
	hides_siblings = schema->resource->draft <= EV_DRAFT7 && has(g, EV_KW_REF);
	gather_references(g);
	if (hides_siblings)
		return;
	gather_opaques(g);
	gather_types(g);
	gather_enum(g, EV_KW_ENUM);
	gather_enum(g, EV_KW_CONST);
	gather_applicators(g);
	gather_numbers(g);
	gather_strings(g);
	gather_objects(g);
	gather_arrays(g);
	if (has(g, EV_KW_UNEVALUATED_PROPERTIES) || has(g, EV_KW_UNEVALUATED_ITEMS))
		gather_unevaluated(g, own_facts(g, schema));
}

/*
 * Applies the dependencies of required properties.  Only for necessary facts,
 * which may include consequences; sufficient facts are only those that must be
 * proved.
 */
static void
apply_dependencies(Gatherer *g)
{
	EvFacts    *f = g->facts;
	ListCell   *cell;
	ListCell   *name;

	foreach(cell, f->dependencies)
	{
		EvDependencyFact *dependency = lfirst(cell);

		if (ev_facts_requires(g->prover, f, &dependency->property) == NULL)
			continue;
		foreach(name, dependency->required)
			add_required(g->prover, f, lfirst(name), dependency->origin);
		if (dependency->schema != NULL)
			add_schema(g, dependency->schema);
	}
}

/* Finds the values that all enums allow; the EvEnumFacts stay unchanged. */
static void
combine_enums(EvProver *p, EvFacts *f)
{
	EvEnumFact *first;
	ListCell   *cell;
	ListCell   *value;

	if (f->enums == NIL)
		return;
	first = linitial(f->enums);
	foreach(value, first->values)
	{
		bool		in_all = true;

		for_each_from(cell, f->enums, 1)
			in_all = in_all && ev_json_among(p, ((EvEnumFact *) lfirst(cell))->values, lfirst(value));
		if (in_all)
			f->values = lappend(f->values, lfirst(value));
	}
}

/* Removes types without instances, as far as simple facts show. */
static void
find_possible_types(EvProver *p, EvFacts *f)
{
	EvNumberFact lower = ev_facts_lower(f);
	EvNumberFact upper = ev_facts_upper(f);
	ListCell   *cell;
	ListCell   *member;

	f->possible = f->types;
	if (lower.value != NULL && upper.value != NULL)
	{
		int			order = ev_number_compare(lower.value, upper.value);

		if (order > 0 || (order == 0 && (lower.exclusive || upper.exclusive)))
			f->possible &= ~EV_BIT(EV_NUMBER);
	}
	if (f->min_length.value > f->max_length.value)
		f->possible &= ~EV_BIT(EV_STRING);
	if (f->min_items.value > f->max_items.value)
		f->possible &= ~EV_BIT(EV_ARRAY);
	if (f->min_properties.value > f->max_properties.value ||
		(uint32) list_length(f->required) > f->max_properties.value)
		f->possible &= ~EV_BIT(EV_OBJECT);
	foreach(cell, f->contains)
	{
		EvContainsFact *contains = lfirst(cell);

		if (contains->minimum > contains->maximum || contains->minimum > f->max_items.value)
			f->possible &= ~EV_BIT(EV_ARRAY);
	}
	if (f->enums != NIL)
	{
		uint32		types = 0;

		ev_spend(p, list_length(f->values));
		foreach(cell, f->values)
			types |= EV_BIT(ev_value_type(lfirst(cell)));
		f->possible &= types;
	}
	foreach(cell, f->groups)
	{
		EvGroupFact *group = lfirst(cell);
		uint32		types = 0;

		foreach(member, group->members)
			types |= ev_facts(p, ev_set_of(p, lfirst(member)), EV_NECESSARY)->possible;
		f->possible &= types;
	}
}

EvFacts *
ev_facts(EvProver *p, EvSchemaSet *set, EvFactsForm form)
{
	Gatherer	g = {.prover = p, .form = form};
	EvFacts    *f;
	ListCell   *cell;
	int			done = 0;

	if (set->facts[form] != NULL)
		return set->facts[form];
	check_stack_depth();

	f = palloc0(sizeof(EvFacts));
	ev_spend(p, 50 + list_length(set->members) + list_length(set->excluded));
	f->exact = true;
	f->types = set->types;
	f->max_length.value = f->max_items.value = f->max_properties.value = EV_NO_MAXIMUM;
	g.facts = f;
	foreach(cell, set->members)
		f->schemas = lappend(f->schemas, lfirst(cell));
	foreach(cell, set->required)
		add_required(p, f, lfirst(cell), (EvOrigin) {0});
	foreach(cell, set->excluded)
	{
		EvSchemaFact *fact = palloc0(sizeof(EvSchemaFact));

		fact->schema = lfirst(cell);
		f->nots = lappend(f->nots, fact);
	}
	for (;;)
	{
		int			required = list_length(f->required);

		while (done < list_length(f->schemas))
			gather(&g, list_nth(f->schemas, done++));
		if (form == EV_NECESSARY)
			apply_dependencies(&g);
		if (done == list_length(f->schemas) && required == list_length(f->required))
			break;
	}
	combine_enums(p, f);
	f->possible = f->types;
	set->facts[form] = f;
	if (form == EV_NECESSARY)
		find_possible_types(p, f);
	return f;
}
