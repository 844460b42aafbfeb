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

#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/encoding.h"
#include "changes/changes_gather.h"
#include "jsonb/jsonb_number.h"

/* Returns the subschema of a node in a document; {} is the schema true. */
static EvSubschema *
child_of(EvGathering *g, const JsonbValue *node)
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
	return g->facts->as_written ? child : ev_same_schema(p, child);
}

/* ---------- keywords of all types ---------- */

static EvSchemaFact *
schema_fact(EvGathering *g, int keyword)
{
	EvSchemaFact *fact = palloc(sizeof(EvSchemaFact));

	fact->schema = child_of(g, ev_gather_value(g, keyword));
	fact->origin = ev_gather_origin(g, keyword);
	return fact;
}

/* Adds a subschema that applies to the same instance. */
static void
add_schema(EvGathering *g, EvSubschema *schema)
{
	ev_spend(g->prover, list_length(g->facts->schemas) / 8);
	if (schema->is_boolean || !g->facts->as_written)
		schema = ev_same_schema(g->prover, schema);
	if (schema != &g->prover->truth && !list_member_ptr(g->facts->schemas, schema))
		g->facts->schemas = lappend(g->facts->schemas, schema);
}

static void
add_opaque(EvGathering *g, const char *keyword, bool is_reference)
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
gather_references(EvGathering *g)
{
	ListCell   *cell;

	/* the resolver has read their values */
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT; keyword++)
		if (ev_keyword_refers(keyword))
			(void) ev_gather_has(g, keyword);
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
gather_group(EvGathering *g, int keyword)
{
	EvGroupFact *fact;
	void	  **known;
	JsonbContainer *array;

	if (!ev_gather_has(g, keyword))
		return;
	known = ev_gather_known(g, keyword);
	if (*known != NULL)
	{
		g->facts->groups = lappend(g->facts->groups, *known);
		return;
	}
	*known = fact = palloc0(sizeof(EvGroupFact));
	fact->one = keyword == EV_KW_ONE_OF;
	fact->origin = ev_gather_origin(g, keyword);
	array = ev_gather_value(g, keyword)->val.binary.data;
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *member = getIthJsonbValueFromContainer(array, i);

		fact->members = lappend(fact->members, child_of(g, member));
		pfree(member);
	}
	g->facts->groups = lappend(g->facts->groups, fact);
}

static void
gather_applicators(EvGathering *g)
{
	EvFacts    *f = g->facts;
	bool		has_then = ev_gather_has(g, EV_KW_THEN);
	bool		has_else = ev_gather_has(g, EV_KW_ELSE);

	if (ev_gather_has(g, EV_KW_ALL_OF))
	{
		JsonbContainer *array = ev_gather_value(g, EV_KW_ALL_OF)->val.binary.data;

		for (uint32 i = 0; i < JsonContainerSize(array); i++)
			add_schema(g, child_of(g, getIthJsonbValueFromContainer(array, i)));
	}
	gather_group(g, EV_KW_ANY_OF);
	gather_group(g, EV_KW_ONE_OF);
	if (ev_gather_has(g, EV_KW_NOT))
		f->nots = lappend(f->nots, schema_fact(g, EV_KW_NOT));
	if (ev_gather_has(g, EV_KW_IF))
	{
		EvConditionFact *fact = palloc(sizeof(EvConditionFact));

		fact->origin = ev_gather_origin(g, EV_KW_IF);
		fact->test = child_of(g, ev_gather_value(g, EV_KW_IF));
		fact->then = has_then ? child_of(g, ev_gather_value(g, EV_KW_THEN)) : &g->prover->truth;
		fact->otherwise = has_else ? child_of(g, ev_gather_value(g, EV_KW_ELSE)) : &g->prover->truth;
		f->conditions = lappend(f->conditions, fact);
	}
}

/* ---------- keywords of one type ---------- */

/* Returns the members of properties and patternProperties. */
static List *
named_schemas(EvGathering *g, int keyword)
{
	List	   *result = NIL;
	void	  **known;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!ev_gather_has(g, keyword))
		return NIL;
	known = ev_gather_known(g, keyword);
	if (*known != NULL)
		return *known;
	iterator = JsonbIteratorInit(ev_gather_value(g, keyword)->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		EvNamedSchema *named;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		named = palloc0(sizeof(EvNamedSchema));
		named->name = ev_string_of(&key);
		named->schema = child_of(g, &value);
		named->tail = ev_tail_name(ev_keywords[keyword].name, key.val.string.val, key.val.string.len);
		if (keyword == EV_KW_PATTERN_PROPERTIES)
			named->pattern = ev_compile_pattern(ev_compiler_of(g->prover, g->subschema), g->subschema->location,
												named->tail, key.val.string.val, key.val.string.len);
		result = lappend(result, named);
	}
	*known = result;
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
		*string = ev_string_of(getIthJsonbValueFromContainer(array->val.binary.data, i));
		result = lappend(result, string);
	}
	return result;
}

void
ev_add_required(EvProver *p, EvFacts *facts, const EvString *name, EvOrigin origin)
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
gather_dependencies(EvGathering *g, int keyword)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!ev_gather_has(g, keyword))
		return;
	iterator = JsonbIteratorInit(ev_gather_value(g, keyword)->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		EvDependencyFact *fact;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		fact = palloc0(sizeof(EvDependencyFact));
		fact->property = ev_string_of(&key);
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
gather_objects(EvGathering *g)
{
	EvFacts    *f = g->facts;
	bool		has_properties = ev_gather_has(g, EV_KW_PROPERTIES);
	bool		has_patterns = ev_gather_has(g, EV_KW_PATTERN_PROPERTIES);
	bool		has_additional = ev_gather_has(g, EV_KW_ADDITIONAL_PROPERTIES);

	if (has_properties || has_patterns || has_additional)
	{
		EvObjectShape *shape = palloc0(sizeof(EvObjectShape));

		shape->subschema = g->subschema;
		shape->names = named_schemas(g, EV_KW_PROPERTIES);
		shape->patterns = named_schemas(g, EV_KW_PATTERN_PROPERTIES);
		shape->rest = &g->prover->truth;
		shape->evaluates = true;
		if (has_additional)
		{
			shape->rest = child_of(g, ev_gather_value(g, EV_KW_ADDITIONAL_PROPERTIES));
			shape->rest_tail = "/additionalProperties";
		}
		f->object_shapes = lappend(f->object_shapes, shape);
	}
	if (ev_gather_has(g, EV_KW_REQUIRED))
	{
		ListCell   *cell;
		int			i = 0;

		foreach(cell, strings_of(g->prover, ev_gather_value(g, EV_KW_REQUIRED)))
			ev_add_required(g->prover, f, lfirst(cell), (EvOrigin) {g->subschema, psprintf("/required/%d", i++)});
	}
	ev_gather_minimum(g, EV_KW_MIN_PROPERTIES, &f->min_properties);
	ev_gather_maximum(g, EV_KW_MAX_PROPERTIES, &f->max_properties);
	if (ev_gather_has(g, EV_KW_PROPERTY_NAMES))
		f->names = lappend(f->names, schema_fact(g, EV_KW_PROPERTY_NAMES));
	gather_dependencies(g, EV_KW_DEPENDENT_REQUIRED);
	gather_dependencies(g, EV_KW_DEPENDENT_SCHEMAS);
	gather_dependencies(g, EV_KW_DEPENDENCIES);
}

static List *
indexed_schemas(EvGathering *g, int keyword)
{
	List	   *result = NIL;
	JsonbContainer *array = ev_gather_value(g, keyword)->val.binary.data;

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
gather_arrays(EvGathering *g)
{
	EvFacts    *f = g->facts;
	EvArrayShape *shape = palloc0(sizeof(EvArrayShape));
	int			rest = -1;
	int			additional = ev_gather_has(g, EV_KW_ADDITIONAL_ITEMS) ? EV_KW_ADDITIONAL_ITEMS : -1;
	uint32		min_contains = ev_gather_has(g, EV_KW_MIN_CONTAINS) ? ev_gather_count(g, EV_KW_MIN_CONTAINS) : 1;
	uint32		max_contains = ev_gather_has(g, EV_KW_MAX_CONTAINS) ? ev_gather_count(g, EV_KW_MAX_CONTAINS) : EV_NO_MAXIMUM;

	shape->subschema = g->subschema;
	shape->rest = &g->prover->truth;
	if (ev_gather_has(g, EV_KW_PREFIX_ITEMS))
		shape->prefix = indexed_schemas(g, EV_KW_PREFIX_ITEMS);
	if (ev_gather_has(g, EV_KW_ITEMS))
		rest = EV_KW_ITEMS;
	if (ev_gather_has(g, EV_KW_ITEMS_DRAFT4))
	{
		/* additionalItems has no effect without an array in items */
		if (ev_node_is_array(ev_gather_value(g, EV_KW_ITEMS_DRAFT4)))
		{
			shape->prefix = indexed_schemas(g, EV_KW_ITEMS_DRAFT4);
			rest = additional;
		}
		else
			rest = EV_KW_ITEMS_DRAFT4;
	}
	if (rest >= 0)
	{
		shape->rest = child_of(g, ev_gather_value(g, rest));
		shape->rest_tail = psprintf("/%s", ev_keywords[rest].name);
	}
	if (shape->prefix != NIL || rest >= 0)
		f->array_shapes = lappend(f->array_shapes, shape);

	ev_gather_minimum(g, EV_KW_MIN_ITEMS, &f->min_items);
	ev_gather_maximum(g, EV_KW_MAX_ITEMS, &f->max_items);
	if (ev_gather_has(g, EV_KW_UNIQUE_ITEMS) && ev_gather_value(g, EV_KW_UNIQUE_ITEMS)->val.boolean)
		f->unique = ev_gather_origin(g, EV_KW_UNIQUE_ITEMS);
	if (ev_gather_has(g, EV_KW_CONTAINS))
	{
		EvContainsFact *fact = palloc(sizeof(EvContainsFact));

		fact->schema = child_of(g, ev_gather_value(g, EV_KW_CONTAINS));
		fact->minimum = min_contains;
		fact->maximum = max_contains;
		fact->origin = ev_gather_origin(g, EV_KW_CONTAINS);

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
gather_evaluated(EvGathering *g, EvSubschema *schema, bool is_root, Evaluated *e)
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
as_true(EvGathering *g, List *named)
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

static EvFacts *own_facts(EvGathering *g);

static void
gather_unevaluated(EvGathering *g)
{
	Evaluated	e = {0};
	EvFacts    *all = g->facts;
	bool		has_properties = ev_gather_has(g, EV_KW_UNEVALUATED_PROPERTIES);
	bool		has_items = ev_gather_has(g, EV_KW_UNEVALUATED_ITEMS);

	if (!has_properties && !has_items)
		return;

	g->facts = own_facts(g);
	gather_evaluated(g, unconstify(EvSubschema *, g->subschema), true, &e);
	g->facts = all;
	if (has_properties && !child_of(g, ev_gather_value(g, EV_KW_UNEVALUATED_PROPERTIES))->is_boolean)
		all->declares_rest = true;
	if (has_properties && !e.all_properties)
	{
		EvObjectShape *shape = palloc0(sizeof(EvObjectShape));

		shape->subschema = g->subschema;
		shape->names = as_true(g, e.names);
		shape->patterns = as_true(g, e.patterns);
		shape->rest = child_of(g, ev_gather_value(g, EV_KW_UNEVALUATED_PROPERTIES));
		shape->rest_tail = "/unevaluatedProperties";
		all->object_shapes = lappend(all->object_shapes, shape);
	}
	if (has_items && !e.all_items && !(e.some_items && g->form == EV_NECESSARY))
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
		shape->rest = child_of(g, ev_gather_value(g, EV_KW_UNEVALUATED_ITEMS));
		shape->rest_tail = "/unevaluatedItems";
		all->array_shapes = lappend(all->array_shapes, shape);
	}
	if (e.has_branches)
		all->exact = false;
}

/* ---------- gathering ---------- */

static void
run_gatherer(EvGathering *g, EvGatherer gatherer)
{
	g->running = gatherer;
	g->ran |= 1 << gatherer;
	switch (gatherer)
	{
		case EV_OPAQUE:
		case EV_NO_FACTS:
			break;
		case EV_REFERENCE_FACTS:
			gather_references(g);
			break;
		case EV_TYPE_FACTS:
			ev_gather_types(g);
			break;
		case EV_ENUM_FACTS:
			ev_gather_enums(g);
			break;
		case EV_APPLICATOR_FACTS:
			gather_applicators(g);
			break;
		case EV_NUMBER_FACTS:
			ev_gather_numbers(g);
			break;
		case EV_STRING_FACTS:
			ev_gather_strings(g);
			break;
		case EV_OBJECT_FACTS:
			gather_objects(g);
			break;
		case EV_ARRAY_FACTS:
			gather_arrays(g);
			break;
		case EV_UNEVALUATED_FACTS:
			gather_unevaluated(g);
			break;
	}
}

/*
 * Adds, as opaque, the keywords that none of the gatherers so far has read:
 * those without a gatherer, and those that their gatherer does not know.
 */
static void
gather_opaques(EvGathering *g)
{
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT; keyword++)
	{
		EvGatherer	gatherer = ev_keywords[keyword].gatherer;

		if (g->keywords.present[keyword] && !g->read[keyword] && gatherer != EV_NO_FACTS &&
			(g->ran & (1 << gatherer)) != 0)
			add_opaque(g, ev_keywords[keyword].name, false);
	}
}

static void
start_gathering(EvGathering *g)
{
	g->ran = 0;
	memset(g->read, false, sizeof(g->read));
}

static void gather(EvGathering *g, EvSubschema *schema);

/*
 * Returns the facts of one schema object with its $ref and allOf, but without
 * its own unevaluated keywords, which depend on these facts.
 */
static EvFacts *
own_facts(EvGathering *g)
{
	EvGathering own = *g;
	EvFacts    *f = palloc0(sizeof(EvFacts));

	f->as_written = g->facts->as_written;
	f->types = EV_ALL_TYPES;
	f->max_length.value = f->max_items.value = f->max_properties.value = EV_NO_MAXIMUM;
	own.facts = f;
	start_gathering(&own);
	run_gatherer(&own, EV_OPAQUE);
	run_gatherer(&own, EV_REFERENCE_FACTS);
	run_gatherer(&own, EV_APPLICATOR_FACTS);
	run_gatherer(&own, EV_OBJECT_FACTS);
	run_gatherer(&own, EV_ARRAY_FACTS);
	gather_opaques(&own);
	for (int i = 0; i < list_length(f->schemas); i++)
		gather(&own, list_nth(f->schemas, i));
	return f;
}

static void
gather(EvGathering *g, EvSubschema *schema)
{
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
	start_gathering(g);

	if (ev_ref_hides_siblings(schema, &g->keywords))
		run_gatherer(g, EV_REFERENCE_FACTS);
	else
		for (int gatherer = 0; gatherer <= EV_UNEVALUATED_FACTS; gatherer++)
			run_gatherer(g, (EvGatherer) gatherer);
	gather_opaques(g);
}

/*
 * Applies the dependencies of required properties.  Only for necessary facts,
 * which may include consequences; sufficient facts are only those that must be
 * proved.
 */
static void
apply_dependencies(EvGathering *g)
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
			ev_add_required(g->prover, f, lfirst(name), dependency->origin);
		if (dependency->schema != NULL)
			add_schema(g, dependency->schema);
	}
}

/*
 * Applies the conditions of which it is known whether they hold.  Only for
 * necessary facts, like apply_dependencies().
 */
static void
apply_conditions(EvGathering *g)
{
	EvFacts    *f = g->facts;
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, f->conditions)
	{
		EvConditionFact *condition = lfirst(cell);
		bool		holds = ev_schema_among(g->prover, f->schemas, condition->test);
		bool		fails = false;

		ev_spend(g->prover, list_length(f->schemas) + list_length(f->nots));
		foreach(other, f->nots)
			fails = fails || ev_schemas_same(g->prover, ((EvSchemaFact *) lfirst(other))->schema, condition->test);
		if (!holds && !fails)
			continue;
		add_schema(g, holds ? condition->then : condition->otherwise);
		f->conditions = foreach_delete_current(f->conditions, cell);
	}
}

/* Adds what follows from other facts.  Only for necessary facts. */
static void
add_consequences(EvProver *p, EvFacts *f)
{
	ListCell   *cell;

	foreach(cell, f->nots)
		ev_apply_not(p, f, lfirst(cell));
	foreach(cell, f->contains)
	{
		EvContainsFact *contains = lfirst(cell);

		if (contains->minimum > f->min_items.value)
			f->min_items = (EvCountFact) {contains->minimum, contains->origin};
		if (contains->schema == &p->truth && contains->maximum < f->max_items.value)
			f->max_items = (EvCountFact) {contains->maximum, contains->origin};
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
			in_all = in_all && ev_is_listed(p, ((EvEnumFact *) lfirst(cell))->values, lfirst(value));
		if (in_all)
			f->values = lappend(f->values, lfirst(value));
	}
}

/* Returns types all of whose values match a schema, as far as it says nothing but types, and more about other types. */
static uint32
whole_types(EvProver *p, EvSubschema *schema)
{
	const EvFacts *f = ev_facts(p, ev_set_of(p, schema), EV_SUFFICIENT);
	uint32		types = f->types;

	if (!f->exact || f->enums != NIL || f->groups != NIL || f->nots != NIL || f->conditions != NIL || f->opaques != NIL)
		return 0;
	if (f->integer || f->lower.value != NULL || f->upper.value != NULL || f->multiples != NIL)
		types &= ~EV_BIT(EV_NUMBER);
	if (f->min_length.value > 0 || f->max_length.value != EV_NO_MAXIMUM || f->patterns != NIL || f->formats != NIL ||
		f->contents != NIL)
		types &= ~EV_BIT(EV_STRING);
	if (f->min_items.value > 0 || f->max_items.value != EV_NO_MAXIMUM || f->unique.subschema != NULL ||
		f->array_shapes != NIL || f->contains != NIL)
		types &= ~EV_BIT(EV_ARRAY);
	if (f->required != NIL || f->min_properties.value > 0 || f->max_properties.value != EV_NO_MAXIMUM ||
		f->object_shapes != NIL || f->declares_rest || f->names != NIL || f->dependencies != NIL)
		types &= ~EV_BIT(EV_OBJECT);
	return types;
}

uint32
ev_group_types(EvProver *p, EvGroupFact *group)
{
	uint32		possible = 0;
	uint32		repeated = 0;
	uint32		whole = 0;
	ListCell   *cell;

	if (group->has_possible)
		return group->possible;
	foreach(cell, group->members)
	{
		uint32		types = group->one ? whole_types(p, lfirst(cell)) : 0;

		possible |= ev_facts(p, ev_set_of(p, lfirst(cell)), EV_NECESSARY)->possible;
		repeated |= whole & types;
		whole |= types;
	}
	group->possible = possible & ~repeated;
	group->repeated = repeated;
	group->has_possible = true;
	return group->possible;
}

/* Removes types without instances, as far as simple facts show. */
static void
find_possible_types(EvProver *p, EvFacts *f)
{
	EvNumberFact lower = ev_facts_lower(f);
	EvNumberFact upper = ev_facts_upper(f);
	const EvFacts anything = {.max_length.value = EV_NO_MAXIMUM};
	ListCell   *cell;

	f->possible = f->types;
	if (lower.value != NULL && upper.value != NULL)
	{
		int			order = ev_number_compare(lower.value, upper.value);

		if (order > 0 || (order == 0 && (lower.exclusive || upper.exclusive)))
			f->possible &= ~EV_BIT(EV_NUMBER);
	}
	if (f->min_length.value > f->max_length.value ||
		(f->patterns != NIL && (f->possible & EV_BIT(EV_STRING)) != 0 && ev_strings_impossible(p, f, &anything)))
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
		f->possible &= ev_group_types(p, lfirst(cell));
	}
}

/* Counts the work of making facts for this question, once. */
static EvFacts *
count_again(EvProver *p, EvFacts *f)
{
	if (f->question != p->question)
	{
		f->question = p->question;
		p->owed += f->work;
	}
	return f;
}

EvFacts *
ev_facts(EvProver *p, EvSchemaSet *set, EvFactsForm form)
{
	EvGathering g = {.prover = p, .form = form};
	EvFacts    *f;
	ListCell   *cell;
	int			done = 0;
	int64		before = p->work + p->unseen;
	int64		outer = p->facts_work;

	if (set->facts[form] != NULL)
		return count_again(p, set->facts[form]);
	check_stack_depth();
	p->facts_work = 0;

	f = palloc0(sizeof(EvFacts));
	ev_spend(p, 50 + list_length(set->members) + list_length(set->excluded));
	f->exact = true;
	f->question = p->question;
	f->as_written = set->as_written;
	f->types = set->types;
	f->max_length.value = f->max_items.value = f->max_properties.value = EV_NO_MAXIMUM;
	g.facts = f;
	foreach(cell, set->members)
		f->schemas = lappend(f->schemas, lfirst(cell));
	foreach(cell, set->required)
		ev_add_required(p, f, lfirst(cell), (EvOrigin) {0});
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
		{
			apply_dependencies(&g);
			apply_conditions(&g);
		}
		if (done == list_length(f->schemas) && required == list_length(f->required))
			break;
	}
	combine_enums(p, f);
	if (form == EV_NECESSARY)
		add_consequences(p, f);
	f->possible = f->types;
	set->facts[form] = f;
	if (form == EV_NECESSARY)
		find_possible_types(p, f);
	before = p->work + p->unseen - before;
	f->work = before - p->facts_work;
	p->facts_work = outer + before;
	return f;
}
