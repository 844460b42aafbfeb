/*
 * changes_sets.c
 *	  Sets of schemas that apply together, their facts about bounds and
 *	  children, and whether two schemas are equal.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/encoding.h"
#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"

/* Sets with equal hash values. */
typedef struct SetBucket
{
	uint32		hash;			/* hash key, must be the first member */
	List	   *sets;
} SetBucket;

typedef struct SamePair
{
	const EvSubschema *a;		/* these two are the hash key */
	const EvSubschema *b;
	bool		same;
} SamePair;

/* ---------- strings and values ---------- */

bool
ev_strings_equal(const EvString *a, const EvString *b)
{
	return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

bool
ev_json_equal(const JsonbValue *a, const JsonbValue *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case jbvNull:
			return true;
		case jbvBool:
			return a->val.boolean == b->val.boolean;
		case jbvNumeric:
			return ev_number_compare(a->val.numeric, b->val.numeric) == 0;
		case jbvString:
			return a->val.string.len == b->val.string.len &&
				memcmp(a->val.string.val, b->val.string.val, a->val.string.len) == 0;
		default:
			return compareJsonbContainers(a->val.binary.data, b->val.binary.data) == 0;
	}
}

bool
ev_number_is_moderate(Numeric number)
{
	EvDigits	digits = ev_number_read(number);

	return digits.count <= 100 && digits.weight >= -50 && digits.weight <= 50;
}

bool
ev_json_among(EvProver *p, const List *values, const JsonbValue *value)
{
	ListCell   *cell;
	int64		work = ev_value_work(value) + 1;

	foreach(cell, values)
	{
		ev_spend(p, work);
		if (ev_json_equal(lfirst(cell), value))
			return true;
	}
	return false;
}

EvTruth
ev_string_matches(EvProver *p, const EvPattern *pattern, const EvString *string)
{
	EvUtf8		utf8;
	bool		matches;

	ev_spend(p, 5 + string->length / (ev_pattern_is_linear(pattern) ? 8 : 1));
	if (!ev_utf8_from_server(string->data, string->length, &utf8))
		return EV_MAYBE;
	matches = ev_pattern_matches(pattern, utf8.data, utf8.length);
	ev_utf8_free(&utf8);
	return matches ? EV_YES : EV_NO;
}

EvCompiler *
ev_compiler_of(EvProver *p, const EvSubschema *schema)
{
	ev_spend(p, list_length(p->new.resources) / 8);
	return list_member_ptr(p->new.resources, schema->resource) ? &p->new : &p->old;
}

/* ---------- sets ---------- */

void
ev_prover_init(EvProver *p)
{
	HASHCTL		sets = {.keysize = sizeof(uint32), .entrysize = sizeof(SetBucket), .hcxt = CurrentMemoryContext};
	HASHCTL		sames = {.keysize = 2 * sizeof(EvSubschema *), .entrysize = sizeof(SamePair), .hcxt = CurrentMemoryContext};

	p->sets = hash_create("event_validate schema sets", 256, &sets, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	p->sames = hash_create("event_validate same schemas", 64, &sames, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	p->truth.is_boolean = true;
	p->truth.boolean = true;
	p->falsehood.is_boolean = true;
	p->anything = ev_set_make(p, NIL, NIL, NIL, EV_ALL_TYPES);
}

/* Do the lists have the same pointers, in any order? */
static bool
same_pointers(EvProver *p, const List *a, const List *b)
{
	int			length = list_length(a);
	int			same = 0;

	if (list_length(b) != length)
		return false;

	/* nearly always in the same order */
	while (same < length && list_nth(a, same) == list_nth(b, same))
		same++;
	ev_spend(p, same / 4);
	for (int i = same; i < length; i++)
	{
		ev_spend(p, length / 8);
		if (!list_member_ptr(b, list_nth(a, i)))
			return false;
	}
	return true;
}

bool
ev_string_among(EvProver *p, const List *strings, const EvString *string)
{
	ListCell   *cell;

	ev_spend(p, list_length(strings));
	foreach(cell, strings)
	{
		if (ev_strings_equal(lfirst(cell), string))
			return true;
	}
	return false;
}

/* Does not depend on the order of the list. */
static uint32
hash_pointers(EvProver *p, const List *list)
{
	uint32		hash = 0;
	ListCell   *cell;

	ev_spend(p, list_length(list));
	foreach(cell, list)
	{
		void	   *pointer = lfirst(cell);

		hash += hash_bytes((unsigned char *) &pointer, sizeof(pointer));
	}
	return hash;
}

EvSchemaSet *
ev_set_make(EvProver *p, const List *members, const List *excluded, const List *required, uint32 types)
{
	uint32		hash = hash_pointers(p, members) * 31 + hash_pointers(p, excluded) * 7 +
		list_length(required) * 131 + types;
	SetBucket  *bucket;
	EvSchemaSet *set;
	ListCell   *cell;
	ListCell   *name;
	bool		found;

	ev_spend(p, 20);
	bucket = hash_search(p->sets, &hash, HASH_ENTER, &found);
	if (!found)
		bucket->sets = NIL;
	foreach(cell, bucket->sets)
	{
		bool		same;

		set = lfirst(cell);
		ev_spend(p, 1);
		same = set->types == types && list_length(set->required) == list_length(required) &&
			same_pointers(p, set->members, members) && same_pointers(p, set->excluded, excluded);
		if (same)
		{
			foreach(name, required)
				same = same && ev_string_among(p, set->required, lfirst(name));
		}
		if (same)
			return set;
	}
	set = palloc0(sizeof(EvSchemaSet));
	set->members = list_copy(members);
	set->excluded = list_copy(excluded);
	set->required = list_copy(required);
	set->types = types;
	bucket->sets = lappend(bucket->sets, set);
	return set;
}

EvSchemaSet *
ev_set_of(EvProver *p, EvSubschema *schema)
{
	List	   *members = NIL;
	EvSchemaSet *result;

	if (schema->is_boolean)
		schema = schema->boolean ? &p->truth : &p->falsehood;
	if (schema != &p->truth)
		members = list_make1(schema);
	result = ev_set_make(p, members, NIL, NIL, EV_ALL_TYPES);
	list_free(members);
	return result;
}

EvSchemaSet *
ev_set_with(EvProver *p, const EvSchemaSet *set, EvSubschema *schema)
{
	List	   *members = list_copy(set->members);
	EvSchemaSet *result;

	if (schema->is_boolean)
		schema = schema->boolean ? &p->truth : &p->falsehood;
	if (schema != &p->truth)
		members = list_append_unique_ptr(members, schema);
	result = ev_set_make(p, members, set->excluded, set->required, set->types);
	list_free(members);
	return result;
}

EvSchemaSet *
ev_set_without(EvProver *p, const EvSchemaSet *set, EvSubschema *schema)
{
	List	   *excluded = list_append_unique_ptr(list_copy(set->excluded), schema);
	EvSchemaSet *result = ev_set_make(p, set->members, excluded, set->required, set->types);

	list_free(excluded);
	return result;
}

EvSchemaSet *
ev_set_of_types(EvProver *p, const EvSchemaSet *set, uint32 types)
{
	return ev_set_make(p, set->members, set->excluded, set->required, set->types & types);
}

EvSchemaSet *
ev_set_requiring(EvProver *p, const EvSchemaSet *set, const EvString *property)
{
	List	   *required = list_copy(set->required);
	EvSchemaSet *result;

	if (!ev_string_among(p, required, property))
		required = lappend(required, unconstify(EvString *, property));
	result = ev_set_make(p, set->members, set->excluded, required, set->types);
	list_free(required);
	return result;
}

const EvTextFact *
ev_facts_requires(EvProver *p, const EvFacts *facts, const EvString *name)
{
	ListCell   *cell;

	ev_spend(p, list_length(facts->required));
	foreach(cell, facts->required)
	{
		EvTextFact *fact = lfirst(cell);

		if (ev_strings_equal(&fact->text, name))
			return fact;
	}
	return NULL;
}

/* ---------- bounds ---------- */

/* Returns an integer bound. */
static EvNumberFact
as_integer(EvNumberFact bound, bool is_lower)
{
	Datum		whole;
	Numeric		value;

	if (bound.value == NULL || !ev_number_is_moderate(bound.value) ||
		(!bound.exclusive && ev_number_is_integer(bound.value)))
		return bound;
	whole = DirectFunctionCall1(is_lower ? numeric_ceil : numeric_floor, NumericGetDatum(bound.value));
	value = DatumGetNumeric(whole);
	if (bound.exclusive && ev_number_compare(value, bound.value) == 0)
		value = DatumGetNumeric(DirectFunctionCall2(is_lower ? numeric_add : numeric_sub, whole,
													NumericGetDatum(int64_to_numeric(1))));
	bound.value = value;
	bound.exclusive = false;
	return bound;
}

EvNumberFact
ev_facts_lower(const EvFacts *f)
{
	return f->integer ? as_integer(f->lower, true) : f->lower;
}

EvNumberFact
ev_facts_upper(const EvFacts *f)
{
	return f->integer ? as_integer(f->upper, false) : f->upper;
}

/* ---------- children ---------- */

static void
add_child(EvProver *p, List **list, EvSubschema *schema)
{
	ev_spend(p, list_length(*list) / 8);
	if (schema != &p->truth)
		*list = list_append_unique_ptr(*list, schema);
}

/* Returns the set of these schemas only; frees the list. */
static EvSchemaSet *
set_of_children(EvProver *p, List *schemas)
{
	EvSchemaSet *result = ev_set_make(p, schemas, NIL, NIL, EV_ALL_TYPES);

	list_free(schemas);
	return result;
}

EvSchemaSet *
ev_facts_property(EvProver *p, const EvFacts *facts, const EvString *name)
{
	List	   *schemas = NIL;
	ListCell   *cell;
	ListCell   *named_cell;

	foreach(cell, facts->object_shapes)
	{
		EvObjectShape *shape = lfirst(cell);
		bool		found = false;

		ev_spend(p, list_length(shape->names) / 2);
		foreach(named_cell, shape->names)
		{
			EvNamedSchema *named = lfirst(named_cell);

			if (ev_strings_equal(&named->name, name))
			{
				add_child(p, &schemas, named->schema);
				found = true;
			}
		}
		foreach(named_cell, shape->patterns)
		{
			EvNamedSchema *named = lfirst(named_cell);

			if (ev_string_matches(p, named->pattern, name) == EV_YES)
			{
				add_child(p, &schemas, named->schema);
				found = true;
			}
		}
		if (!found)
			add_child(p, &schemas, shape->rest);
	}
	return set_of_children(p, schemas);
}

EvSchemaSet *
ev_facts_item(EvProver *p, const EvFacts *facts, uint32 index)
{
	List	   *schemas = NIL;
	ListCell   *cell;

	foreach(cell, facts->array_shapes)
	{
		EvArrayShape *shape = lfirst(cell);

		if (index < (uint32) list_length(shape->prefix))
			add_child(p, &schemas, ((EvNamedSchema *) list_nth(shape->prefix, index))->schema);
		else
			add_child(p, &schemas, shape->rest);
	}
	return set_of_children(p, schemas);
}

uint32
ev_facts_prefix(const EvFacts *facts)
{
	uint32		longest = 0;
	ListCell   *cell;

	foreach(cell, facts->array_shapes)
		longest = Max(longest, (uint32) list_length(((EvArrayShape *) lfirst(cell))->prefix));
	return longest;
}

/* ---------- equality ---------- */

static bool same_schemas(EvProver *p, const EvSubschema *a, const EvSubschema *b);

/*
 * Returns a child of a schema; all true schemas are one, and all false ones.
 */
static const EvSubschema *
child_schema(EvProver *p, const JsonbValue *node)
{
	EvSubschema *child;

	if (node->type == jbvBool)
		return node->val.boolean ? &p->truth : &p->falsehood;
	child = ev_subschema_find(&p->old, node);
	return child != NULL ? child : ev_subschema_find(&p->new, node);
}

static bool
same_nodes(EvProver *p, const JsonbValue *a, const JsonbValue *b)
{
	const EvSubschema *x = child_schema(p, a);
	const EvSubschema *y = child_schema(p, b);

	return x != NULL && y != NULL && same_schemas(p, x, y);
}

static bool
same_arrays(EvProver *p, const JsonbValue *a, const JsonbValue *b)
{
	uint32		count = JsonContainerSize(a->val.binary.data);

	if (count != JsonContainerSize(b->val.binary.data))
		return false;
	ev_spend(p, count);
	for (uint32 i = 0; i < count; i++)
		if (!same_nodes(p, getIthJsonbValueFromContainer(a->val.binary.data, i),
						getIthJsonbValueFromContainer(b->val.binary.data, i)))
			return false;
	return true;
}

/*
 * Compares maps from names to subschemas or, for dependencies, to arrays of
 * strings.
 */
static bool
same_maps(EvProver *p, const JsonbValue *a, const JsonbValue *b)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (JsonContainerSize(a->val.binary.data) != JsonContainerSize(b->val.binary.data))
		return false;
	iterator = JsonbIteratorInit(a->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		JsonbValue	other;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		ev_spend(p, 10);
		if (getKeyJsonValueFromContainer(b->val.binary.data, key.val.string.val, key.val.string.len, &other) == NULL)
			return false;
		if (ev_node_is_array(&value) ? !ev_json_equal(&value, &other) : !same_nodes(p, &value, &other))
			return false;
	}
	return true;
}

static bool
same_keyword(EvProver *p, int keyword, const JsonbValue *a, const JsonbValue *b)
{
	switch (ev_keywords[keyword].shape)
	{
		case EV_SCHEMA:
			return same_nodes(p, a, b);
		case EV_SCHEMAS:
		case EV_SCHEMA_OR_SCHEMAS:
			if (ev_node_is_array(a) != ev_node_is_array(b))
				return false;
			return ev_node_is_array(a) ? same_arrays(p, a, b) : same_nodes(p, a, b);
		case EV_SCHEMA_MAP:
		case EV_PATTERN_SCHEMA_MAP:
		case EV_DEPENDENCIES:
			return same_maps(p, a, b);
		default:
			ev_spend(p, ev_value_work(a));
			return ev_json_equal(a, b);
	}
}

/*
 * Returns the target of a dynamic reference in a resource; NULL if there is
 * none.
 */
static const EvSubschema *
dynamic_target(EvProver *p, const EvResource *resource, const char *name)
{
	ListCell   *cell;

	ev_spend(p, list_length(resource->anchors));
	if (name[0] == '\0')
		return resource->recursive_anchor ? resource->root : NULL;
	foreach(cell, resource->anchors)
	{
		EvSchemaAnchor *anchor = lfirst(cell);

		if (anchor->dynamic && strcmp(anchor->name, name) == 0)
			return anchor->target;
	}
	return NULL;
}

/*
 * Do two dynamic references have equal targets in the same resources?  If so,
 * they are equal provided that everything around them is equal too, that is,
 * when whole documents are compared.
 */
static bool
same_dynamic(EvProver *p, const EvReference *a, const EvReference *b)
{
	if (!p->comparing_roots || a->dynamic_anchor == NULL || b->dynamic_anchor == NULL ||
		strcmp(a->dynamic_anchor, b->dynamic_anchor) != 0 ||
		list_length(p->old.resources) != list_length(p->new.resources))
		return false;
	for (int i = 0; i < list_length(p->old.resources); i++)
	{
		const EvSubschema *x = dynamic_target(p, list_nth(p->old.resources, i), a->dynamic_anchor);
		const EvSubschema *y = dynamic_target(p, list_nth(p->new.resources, i), b->dynamic_anchor);

		if ((x == NULL) != (y == NULL) || (x != NULL && !same_schemas(p, x, y)))
			return false;
	}
	return true;
}

/* Does each reference lead to an equal target, in the same order? */
static bool
same_references(EvProver *p, const EvSubschema *a, const EvSubschema *b)
{
	if (list_length(a->references) != list_length(b->references))
		return false;
	for (int i = 0; i < list_length(a->references); i++)
	{
		EvReference *x = list_nth(a->references, i);
		EvReference *y = list_nth(b->references, i);

		if (strcmp(x->keyword, y->keyword) != 0)
			return false;
		if ((x->dynamic_anchor != NULL || y->dynamic_anchor != NULL) && !same_dynamic(p, x, y))
			return false;
		if ((x->target == NULL) != (y->target == NULL) ||
			(x->target != NULL && !same_schemas(p, x->target, y->target)))
			return false;
	}
	return true;
}

/*
 * Is this a keyword without influence on validity, or a reference, which is
 * compared separately?
 */
static bool
is_ignored(int keyword)
{
	return ev_keyword_refers(keyword) ||
		(ev_keywords[keyword].gatherer == EV_NO_FACTS && ev_keywords[keyword].vocabulary != EV_CONTENT);
}

static bool
same_schemas(EvProver *p, const EvSubschema *a, const EvSubschema *b)
{
	const EvSubschema *key[2] = {a, b};
	EvKeywordValues *values;
	SamePair   *pair;
	bool		found;
	bool		same = true;

	ev_spend(p, 5);
	if (a == b)
		return true;
	if (a->is_boolean || b->is_boolean)
		return a->is_boolean && b->is_boolean && a->boolean == b->boolean;
	if (a->resource->draft != b->resource->draft ||
		a->resource->vocabularies != b->resource->vocabularies ||
		a->resource->assert_format != b->resource->assert_format ||
		a->resource->except_formats != b->resource->except_formats)
		return false;
	if (p->comparing_roots && (a->resource->index != b->resource->index ||
							   (a == a->resource->root) != (b == b->resource->root)))
		return false;

	/* a pair that is being compared is assumed equal */
	pair = hash_search(p->sames, key, HASH_ENTER, &found);
	if (found)
		return pair->same;
	pair->same = true;
	p->assumed_same = lappend(p->assumed_same, pair);

	check_stack_depth();
	ev_spend(p, 100 + 5 * (JsonContainerSize(a->container) + JsonContainerSize(b->container)));
	values = palloc(2 * sizeof(EvKeywordValues));
	ev_read_keywords(a, &values[0]);
	ev_read_keywords(b, &values[1]);
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT && same; keyword++)
	{
		if (is_ignored(keyword))
			continue;
		if (values[0].present[keyword] != values[1].present[keyword])
			same = false;
		else if (values[0].present[keyword])
			same = same_keyword(p, keyword, &values[0].values[keyword], &values[1].values[keyword]);
	}
	pfree(values);
	return same && same_references(p, a, b);
}

bool
ev_schemas_same(EvProver *p, const EvSubschema *a, const EvSubschema *b)
{
	bool		same = same_schemas(p, a, b);
	ListCell   *cell;

	/* assumptions that led to a "no" are not known */
	if (!same)
	{
		foreach(cell, p->assumed_same)
		{
			SamePair   *pair = lfirst(cell);

			if (pair->a == a && pair->b == b)
				pair->same = false;
			else
				hash_search(p->sames, pair, HASH_REMOVE, NULL);
		}
	}
	list_free(p->assumed_same);
	p->assumed_same = NIL;
	return same;
}

bool
ev_roots_same(EvProver *p)
{
	const EvSubschema *key[2] = {p->old_root, p->new_root};
	bool		same;

	p->comparing_roots = true;
	same = ev_schemas_same(p, p->old_root, p->new_root);
	p->comparing_roots = false;

	/* as parts of other schemas, they may differ */
	if (!same)
		hash_search(p->sames, key, HASH_REMOVE, NULL);
	return same;
}
