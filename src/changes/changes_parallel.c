/*
 * changes_parallel.c
 *	  Does one schema imply another one that is written in the same way?
 *
 * Most schemas of a new version have the same keywords as before, and few of
 * their subschemas changed.  If each pair of subschemas is in the right relation,
 * the whole is, too: whatever the keywords mean together, also for keywords that
 * depend on annotations.  So schemas are compared keyword by keyword before their
 * facts are.
 *
 * A schema that implies another one in this sense accepts no more instances, and
 * evaluates no more properties and items of those that it accepts.
 *
 * changes_prove.c proves the pairs of subschemas, and calls this file for them:
 * these files are one recursion over the schemas, with changes_branch.c and changes_object.c.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "changes/changes_classes.h"

/* Two schemas that are compared. */
typedef struct Parallel
{
	EvProver   *prover;
	EvScope    *scope;			/* cautious, or NULL */
	const EvSubschema *a;
	const EvSubschema *b;
	EvKeywordValues values_a;
	EvKeywordValues values_b;
} Parallel;

static bool imply(EvProver *p, const EvSubschema *a, const EvSubschema *b, EvScope *scope);

/* ---------- children ---------- */

static bool
prove_child(Parallel *c, const EvSubschema *a, const EvSubschema *b, EvScope *scope)
{
	EvProver   *p = c->prover;

	return ev_prove_child(p, ev_set_of(p, unconstify(EvSubschema *, a)), ev_set_of(p, unconstify(EvSubschema *, b)), scope);
}

static bool
has_key(const JsonbValue *map, const EvString *name)
{
	JsonbValue	value;

	return map->type == jbvBinary &&
		getKeyJsonValueFromContainer(map->val.binary.data, name->data, name->length, &value) != NULL;
}

/*
 * Proves a statement about the values of properties that "properties" of neither
 * side names.
 */
static bool
prove_unnamed(Parallel *c, const EvSubschema *a, const EvSubschema *b)
{
	EvProver   *p = c->prover;
	ListCell   *cell;

	if (ev_schemas_same(p, a, b))
		return true;
	if (!prove_child(c, a, b, ev_scope_rest(p, c->scope)))
		return false;

	/* other schemas may name some of them */
	foreach(cell, ev_scope_names(p, c->scope))
	{
		const EvString *name = lfirst(cell);

		ev_spend(p, 10);
		if (c->values_a.present[EV_KW_PROPERTIES] && has_key(&c->values_a.values[EV_KW_PROPERTIES], name) &&
			has_key(&c->values_b.values[EV_KW_PROPERTIES], name))
			continue;
		if (!prove_child(c, a, b, ev_scope_property(p, c->scope, name)))
			return false;
	}
	return true;
}

/* The same for names that match a pattern, which "properties" can name, too. */
static bool
prove_matching(Parallel *c, const EvSubschema *a, const EvSubschema *b)
{
	EvProver   *p = c->prover;
	ListCell   *cell;

	if (ev_schemas_same(p, a, b))
		return true;
	if (!prove_child(c, a, b, ev_scope_rest(p, c->scope)))
		return false;
	foreach(cell, ev_scope_names(p, c->scope))
	{
		if (!prove_child(c, a, b, ev_scope_property(p, c->scope, lfirst(cell))))
			return false;
	}
	return true;
}

/* Proves it for the items from a position on. */
static bool
prove_items_from(Parallel *c, const EvSubschema *a, const EvSubschema *b, uint32 first)
{
	EvProver   *p = c->prover;
	uint32		last = Max(first, ev_scope_prefix(c->scope));

	if (ev_schemas_same(p, a, b))
		return true;
	for (uint32 i = first; i <= last; i++)
		if (!prove_child(c, a, b, ev_scope_item(p, c->scope, i)))
			return false;
	return true;
}

/* ---------- keywords ---------- */

/* Compares the members of two maps; those that only one has are absent. */
static bool
imply_properties(Parallel *c, const JsonbValue *a, const JsonbValue *b)
{
	EvProver   *p = c->prover;

	for (int side = 0; side < 2; side++)
	{
		JsonbIterator *iterator = JsonbIteratorInit((side == 0 ? b : a)->val.binary.data);
		JsonbIteratorToken token;
		JsonbValue	key;
		JsonbValue	value;
		JsonbValue	other;

		while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
		{
			const EvSubschema *x;
			const EvSubschema *y;
			EvString	name;

			if (token != WJB_KEY)
				continue;
			JsonbIteratorNext(&iterator, &value, true);
			ev_spend(p, 15);
			name = ev_string_of(&key);
			if (getKeyJsonValueFromContainer((side == 0 ? a : b)->val.binary.data, name.data, name.length, &other) == NULL)
			{
				if (!ev_scope_absent(p, c->scope, &name))
					return false;
				continue;
			}
			if (side == 1)
				continue;
			x = ev_class_child(p, &other);
			y = ev_class_child(p, &value);
			if (x == NULL || y == NULL ||
				(!ev_schemas_same(p, x, y) && !prove_child(c, x, y, ev_scope_property(p, c->scope, &name))))
				return false;
		}
	}
	return true;
}

/*
 * Compares maps with equal keys.  in_place: the members apply to the instance
 * itself; otherwise, to properties.
 */
static bool
imply_maps(Parallel *c, const JsonbValue *a, const JsonbValue *b, bool in_place)
{
	EvProver   *p = c->prover;
	JsonbIterator *iterator = JsonbIteratorInit(a->val.binary.data);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue	other;

	if (JsonContainerSize(a->val.binary.data) != JsonContainerSize(b->val.binary.data))
		return false;
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		const EvSubschema *x;
		const EvSubschema *y;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		ev_spend(p, 15);
		if (getKeyJsonValueFromContainer(b->val.binary.data, key.val.string.val, key.val.string.len, &other) == NULL ||
			ev_node_is_array(&value) != ev_node_is_array(&other))
			return false;
		if (ev_node_is_array(&value))
		{
			if (!ev_json_equal(&value, &other))
				return false;
			continue;
		}
		x = ev_class_child(p, &value);
		y = ev_class_child(p, &other);
		if (x == NULL || y == NULL || (in_place ? !imply(p, x, y, c->scope) : !prove_matching(c, x, y)))
			return false;
	}
	return true;
}

/* Does each member of a list imply the one at the same place? */
static bool
imply_arrays(Parallel *c, int keyword, const JsonbValue *a, const JsonbValue *b)
{
	EvProver   *p = c->prover;
	uint32		count = JsonContainerSize(a->val.binary.data);

	if (count != JsonContainerSize(b->val.binary.data))
		return false;
	for (uint32 i = 0; i < count; i++)
	{
		const EvSubschema *x = ev_class_child(p, getIthJsonbValueFromContainer(a->val.binary.data, i));
		const EvSubschema *y = ev_class_child(p, getIthJsonbValueFromContainer(b->val.binary.data, i));

		ev_spend(p, 15);
		if (x == NULL || y == NULL)
			return false;
		if (ev_schemas_same(p, x, y))
			continue;
		if (keyword == EV_KW_PREFIX_ITEMS || keyword == EV_KW_ITEMS_DRAFT4)
		{
			if (!prove_child(c, x, y, ev_scope_item(p, c->scope, i)))
				return false;
		}
		else if (!imply(p, x, y, c->scope) || (keyword == EV_KW_ONE_OF && !imply(p, y, x, c->scope)))
			return false;
	}
	return true;
}

/* Returns the number of positions that have a schema of their own. */
static uint32
prefix_of(const EvKeywordValues *values)
{
	for (int i = 0; i < 2; i++)
	{
		int			keyword = i == 0 ? EV_KW_PREFIX_ITEMS : EV_KW_ITEMS_DRAFT4;

		if (values->present[keyword] && ev_node_is_array(&values->values[keyword]))
			return JsonContainerSize(values->values[keyword].val.binary.data);
	}
	return 0;
}

static bool
imply_schema(Parallel *c, int keyword, const JsonbValue *a, const JsonbValue *b)
{
	EvProver   *p = c->prover;
	const EvSubschema *x = ev_class_child(p, a);
	const EvSubschema *y = ev_class_child(p, b);

	if (x == NULL || y == NULL)
		return false;
	if (ev_schemas_same(p, x, y))
		return true;
	switch (keyword)
	{
		case EV_KW_ADDITIONAL_PROPERTIES:
			return prove_unnamed(c, x, y);
		case EV_KW_UNEVALUATED_PROPERTIES:
			return prove_matching(c, x, y);
		case EV_KW_ITEMS:
		case EV_KW_ITEMS_DRAFT4:
		case EV_KW_ADDITIONAL_ITEMS:
			return prove_items_from(c, x, y, prefix_of(&c->values_a));
		case EV_KW_UNEVALUATED_ITEMS:
			return prove_items_from(c, x, y, 0);
		case EV_KW_NOT:
			return imply(p, y, x, c->scope);
		case EV_KW_IF:
			return imply(p, x, y, c->scope) && imply(p, y, x, c->scope);
		case EV_KW_THEN:
		case EV_KW_ELSE:
			return imply(p, x, y, c->scope);
		default:
			return false;
	}
}

/* Does the first schema require each property of a list? */
static bool
requires_all(Parallel *c, const JsonbValue *wanted)
{
	EvProver   *p = c->prover;
	const EvFacts *facts = ev_facts(p, ev_set_of(p, unconstify(EvSubschema *, c->a)), EV_NECESSARY);

	for (uint32 i = 0; i < JsonContainerSize(wanted->val.binary.data); i++)
	{
		JsonbValue *string = getIthJsonbValueFromContainer(wanted->val.binary.data, i);
		EvString	name = ev_string_of(string);

		if (ev_facts_requires(p, facts, &name) == NULL)
			return false;
	}
	return true;
}

static bool
imply_keyword(Parallel *c, int keyword)
{
	const JsonbValue *a = &c->values_a.values[keyword];
	const JsonbValue *b = &c->values_b.values[keyword];

	if (keyword == EV_KW_REQUIRED)
		return ev_node_is_array(b) && requires_all(c, b);
	switch (ev_keywords[keyword].shape)
	{
		case EV_SCHEMA:
			return imply_schema(c, keyword, a, b);
		case EV_SCHEMAS:
		case EV_SCHEMA_OR_SCHEMAS:
			if (ev_node_is_array(a) != ev_node_is_array(b))
				return false;
			return ev_node_is_array(a) ? imply_arrays(c, keyword, a, b) : imply_schema(c, keyword, a, b);
		case EV_SCHEMA_MAP:
			return keyword == EV_KW_PROPERTIES ? imply_properties(c, a, b) : imply_maps(c, a, b, true);
		case EV_PATTERN_SCHEMA_MAP:
			return imply_maps(c, a, b, false);
		case EV_DEPENDENCIES:
			return imply_maps(c, a, b, true);
		default:
			ev_spend(c->prover, 5 + ev_value_work(a));
			return ev_json_equal(a, b);
	}
}

static bool
imply_references(Parallel *c)
{
	ListCell   *cell;
	ListCell   *other;

	if (list_length(c->a->references) != list_length(c->b->references))
		return false;
	forboth(cell, c->a->references, other, c->b->references)
	{
		const EvReference *x = lfirst(cell);
		const EvReference *y = lfirst(other);

		if (strcmp(x->keyword, y->keyword) != 0 || x->dynamic_anchor != NULL || y->dynamic_anchor != NULL ||
			x->target == NULL || y->target == NULL || !imply(c->prover, x->target, y->target, c->scope))
			return false;
	}
	return true;
}

/* ---------- schemas ---------- */

static bool
has_schemas(int keyword)
{
	switch (ev_keywords[keyword].shape)
	{
		case EV_SCHEMA:
		case EV_SCHEMAS:
		case EV_SCHEMA_OR_SCHEMAS:
		case EV_SCHEMA_MAP:
		case EV_PATTERN_SCHEMA_MAP:
		case EV_DEPENDENCIES:
			return true;
		default:
			return false;
	}
}

/* Does each keyword of one schema imply the same one of the other? */
static bool
imply_keywords(Parallel *c)
{
	bool		result = true;

	/* plain keywords first: most pairs that differ in other things end here */
	for (int round = 0; round < 2; round++)
		for (int keyword = 0; keyword < EV_KEYWORD_COUNT && result; keyword++)
		{
			if (ev_class_ignores(keyword) || has_schemas(keyword) != (round == 1))
				continue;
			if (c->values_a.present[keyword] != c->values_b.present[keyword])
				result = keyword == EV_KW_REQUIRED && c->values_a.present[keyword];
			else if (c->values_a.present[keyword])
				result = imply_keyword(c, keyword);
		}
	return result;
}

/* A pair of schemas that was compared in a round of proofs. */
typedef struct ParallelPair
{
	const EvSubschema *a;		/* these three are the hash key */
	const EvSubschema *b;
	EvScope    *scope;
	int			round;
	bool		implied;
} ParallelPair;

static ParallelPair *
find_pair(EvProver *p, const EvSubschema *a, const EvSubschema *b, EvScope *scope)
{
	ParallelPair key = {.a = a, .b = b, .scope = scope};
	ParallelPair *pair;
	bool		found;

	if (p->parallels == NULL)
	{
		HASHCTL		control = {.keysize = offsetof(ParallelPair, round), .entrysize = sizeof(ParallelPair), .hcxt = p->context};

		p->parallels = hash_create("event_validate parallel schemas", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	ev_spend(p, 5);
	pair = hash_search(p->parallels, &key, HASH_ENTER, &found);
	if (!found)
		pair->round = 0;
	return pair;
}

static bool
imply(EvProver *p, const EvSubschema *a, const EvSubschema *b, EvScope *scope)
{
	Parallel   *c;
	ParallelPair *pair;
	bool		result;

	a = ev_same_schema(p, a);
	b = ev_same_schema(p, b);
	if (a == b || a == &p->falsehood)
		return true;
	if (a->is_boolean || b->is_boolean || a->resource->draft != b->resource->draft ||
		a->resource->vocabularies != b->resource->vocabularies ||
		a->resource->assert_format != b->resource->assert_format ||
		a->resource->except_formats != b->resource->except_formats)
		return false;
	pair = find_pair(p, a, b, scope);
	if (pair->round == p->round)
		return pair->implied;
	check_stack_depth();
	ev_spend(p, 200 + 10 * (JsonContainerSize(a->container) + JsonContainerSize(b->container)));
	c = palloc(sizeof(Parallel));
	c->prover = p;
	c->scope = scope;
	c->a = a;
	c->b = b;
	ev_read_keywords(a, &c->values_a);
	ev_read_keywords(b, &c->values_b);
	result = !ev_ref_hides_siblings(a, &c->values_a) && !ev_ref_hides_siblings(b, &c->values_b) &&
		imply_keywords(c) && imply_references(c);
	pfree(c);
	pair = find_pair(p, a, b, scope);
	pair->round = p->round;
	pair->implied = result;
	return result;
}

bool
ev_prove_parallel(EvProver *p, const List *schemas, const EvSubschema *b, EvScope *scope)
{
	ListCell   *cell;

	foreach(cell, schemas)
	{
		if (imply(p, lfirst(cell), b, ev_scope_cautious(p, scope)))
			return true;
	}
	return false;
}
