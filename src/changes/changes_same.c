/*
 * changes_same.c
 *	  Are two schemas equal?
 *
 * Annotations do not count, nor the order of members where it has no meaning,
 * nor whether a schema is written in place or referred to.  So most pairs that
 * are compared are different or were copied from each other.  Each schema has a
 * hash of its upper levels, and only pairs with equal hashes are compared.
 *
 * Schemas can be recursive: a pair that is being compared is assumed equal.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "changes/changes_internal.h"

#define HASHED_LEVELS		5	/* of subschemas that a hash depends on */
#define MOST_WRAPPERS		20	/* around one schema that are skipped */

typedef struct SamePair
{
	const EvSubschema *a;		/* these two are the hash key */
	const EvSubschema *b;
	bool		same;
} SamePair;

typedef struct SchemaHash
{
	const EvSubschema *schema;	/* hash key, must be the first member */
	uint32		hashes[HASHED_LEVELS + 1];	/* by number of levels */
	bool		known[HASHED_LEVELS + 1];
	const EvSubschema *inner;	/* without what only wraps it; NULL: not known */
} SchemaHash;

static bool same_schemas(EvProver *p, const EvSubschema *a, const EvSubschema *b);
static uint32 hash_schema(EvProver *p, const EvSubschema *schema, int levels);

/* ---------- wrappers ---------- */

static SchemaHash *
find_hash(EvProver *p, const EvSubschema *schema)
{
	SchemaHash *entry;
	bool		found;

	if (p->hashes == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(EvSubschema *), .entrysize = sizeof(SchemaHash)};

		control.hcxt = p->context;
		p->hashes = hash_create("event_validate schema hashes", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	ev_spend(p, 5);
	entry = hash_search(p->hashes, &schema, HASH_ENTER, &found);
	if (!found)
		memset((char *) entry + sizeof(EvSubschema *), 0, sizeof(SchemaHash) - sizeof(EvSubschema *));
	return entry;
}

/* Returns a child of a schema; all true schemas are one, and all false ones. */
static const EvSubschema *
child_schema(EvProver *p, const JsonbValue *node)
{
	EvSubschema *child;

	if (node->type == jbvBool)
		return node->val.boolean ? &p->truth : &p->falsehood;
	if (JsonContainerSize(node->val.binary.data) == 0)
		return &p->truth;
	child = ev_subschema_find(&p->old, node);
	return child != NULL ? child : ev_subschema_find(&p->new, node);
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

/*
 * Returns the schema that a schema wraps, if it says nothing itself: a $ref, or
 * a list of one member; otherwise NULL.
 */
static const EvSubschema *
wrapped(EvProver *p, const EvSubschema *schema)
{
	EvKeywordValues *keywords;
	int			only = -1;
	int			count = 0;
	const EvSubschema *result = NULL;

	if (schema->is_boolean || list_length(schema->references) > 1)
		return NULL;
	ev_spend(p, 100 + 5 * JsonContainerSize(schema->container));
	keywords = palloc(sizeof(EvKeywordValues));
	ev_read_keywords(schema, keywords);
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT; keyword++)
		if (keywords->present[keyword] && !is_ignored(keyword))
		{
			only = keyword;
			count++;
		}
	if (schema->references != NIL)
	{
		EvReference *reference = linitial(schema->references);

		if (reference->dynamic_anchor == NULL && (count == 0 || ev_ref_hides_siblings(schema, keywords)))
			result = reference->target;
	}
	else if (count == 0)
		result = &p->truth;
	else if (count == 1 && (only == EV_KW_ALL_OF || only == EV_KW_ANY_OF || only == EV_KW_ONE_OF) &&
			 JsonContainerSize(keywords->values[only].val.binary.data) == 1)
		result = child_schema(p, getIthJsonbValueFromContainer(keywords->values[only].val.binary.data, 0));
	pfree(keywords);
	return result;
}

/* Returns a schema without what only wraps it. */
static const EvSubschema *
unwrap(EvProver *p, const EvSubschema *schema)
{
	const EvSubschema *inner = schema;
	SchemaHash *entry;

	/* in a whole document, dynamic references depend on the path to them */
	if (p->comparing_roots)
		return schema;
	if (schema->is_boolean)
		return schema->boolean ? &p->truth : &p->falsehood;
	entry = find_hash(p, schema);
	if (entry->inner != NULL)
		return entry->inner;
	for (int i = 0; i < MOST_WRAPPERS; i++)
	{
		const EvSubschema *next = wrapped(p, inner);

		if (next == NULL)
			break;
		inner = next->is_boolean ? (next->boolean ? &p->truth : &p->falsehood) : next;
	}
	find_hash(p, schema)->inner = inner;
	return inner;
}

/* ---------- hashes ---------- */

/*
 * Is the order of an array without meaning?  It is for enum, type and
 * required, and for allOf, anyOf and oneOf.
 */
static bool
is_unordered(int keyword)
{
	return keyword == EV_KW_ENUM || keyword == EV_KW_TYPE || keyword == EV_KW_REQUIRED ||
		keyword == EV_KW_ALL_OF || keyword == EV_KW_ANY_OF || keyword == EV_KW_ONE_OF;
}

static uint32
hash_value(EvProver *p, const JsonbValue *value)
{
	EvInstance	instance = ev_json_instance(value);

	ev_spend(p, 5 + ev_value_work(value));
	return ev_value_hash(&instance);
}

static uint32
hash_node(EvProver *p, const JsonbValue *node, int levels)
{
	const EvSubschema *child = child_schema(p, node);

	return levels == 0 ? 0 : child == NULL ? 1 : hash_schema(p, child, levels);
}

static uint32
hash_array(EvProver *p, const JsonbValue *array, bool of_schemas, bool unordered, int levels)
{
	uint32		hash = 0;

	for (uint32 i = 0; i < JsonContainerSize(array->val.binary.data); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(array->val.binary.data, i);
		uint32		one = of_schemas ? hash_node(p, item, levels) : hash_value(p, item);

		hash = unordered ? hash + murmurhash32(one) : hash_combine(hash, one);
		pfree(item);
	}
	return hash;
}

static uint32
hash_map(EvProver *p, const JsonbValue *map, int levels)
{
	uint32		hash = 0;
	JsonbIterator *iterator = JsonbIteratorInit(map->val.binary.data);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		hash += hash_combine(hash_value(p, &key),
							 ev_node_is_array(&value) ? hash_value(p, &value) : hash_node(p, &value, levels));
	}
	return hash;
}

static uint32
hash_keyword(EvProver *p, int keyword, const JsonbValue *value, int levels)
{
	switch (ev_keywords[keyword].shape)
	{
		case EV_SCHEMA:
			return hash_node(p, value, levels);
		case EV_SCHEMAS:
		case EV_SCHEMA_OR_SCHEMAS:
			return ev_node_is_array(value) ? hash_array(p, value, true, is_unordered(keyword), levels) :
				hash_node(p, value, levels);
		case EV_SCHEMA_MAP:
		case EV_PATTERN_SCHEMA_MAP:
		case EV_DEPENDENCIES:
			return hash_map(p, value, levels);
		default:
			return is_unordered(keyword) && ev_node_is_array(value) ? hash_array(p, value, false, true, 0) :
				hash_value(p, value);
	}
}

/* Returns a hash of this many levels of a schema; equal schemas have equal hashes. */
static uint32
hash_schema(EvProver *p, const EvSubschema *schema, int levels)
{
	EvKeywordValues *keywords;
	SchemaHash *entry;
	uint32		hash = 0;

	check_stack_depth();
	schema = unwrap(p, schema);
	if (schema->is_boolean)
		return schema->boolean ? 2 : 3;
	entry = find_hash(p, schema);
	if (entry->known[levels])
		return entry->hashes[levels];
	ev_spend(p, 100 + 5 * JsonContainerSize(schema->container));
	keywords = palloc(sizeof(EvKeywordValues));
	ev_read_keywords(schema, keywords);
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT; keyword++)
		if (keywords->present[keyword] && !is_ignored(keyword))
			hash += hash_combine(keyword, hash_keyword(p, keyword, &keywords->values[keyword], levels - 1));
	pfree(keywords);
	hash = hash_combine(hash, list_length(schema->references));
	entry = find_hash(p, schema);
	entry->known[levels] = true;
	entry->hashes[levels] = hash;
	return hash;
}

/* ---------- values of keywords ---------- */

static bool
same_nodes(EvProver *p, const JsonbValue *a, const JsonbValue *b)
{
	const EvSubschema *x = child_schema(p, a);
	const EvSubschema *y = child_schema(p, b);

	return x != NULL && y != NULL && same_schemas(p, x, y);
}

static bool
same_members(EvProver *p, const JsonbValue *a, const JsonbValue *b, bool of_schemas)
{
	return of_schemas ? same_nodes(p, a, b) : ev_json_equal(a, b);
}

/*
 * Compares arrays.  If the order has no meaning, each member of one is equal to
 * another member of the other.
 */
static bool
same_arrays(EvProver *p, const JsonbValue *a, const JsonbValue *b, bool of_schemas, bool unordered)
{
	uint32		count = JsonContainerSize(a->val.binary.data);
	bool	   *taken;

	if (count != JsonContainerSize(b->val.binary.data))
		return false;
	ev_spend(p, count + ev_value_work(a));
	taken = palloc0(count + 1);
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *x = getIthJsonbValueFromContainer(a->val.binary.data, i);
		bool		found = false;

		/* nearly always at the same position */
		for (uint32 k = 0; k < (unordered ? count : 1) && !found; k++)
		{
			uint32		j = (i + k) % count;
			JsonbValue *y;

			if (taken[j])
				continue;
			y = getIthJsonbValueFromContainer(b->val.binary.data, j);
			ev_spend(p, 5);
			found = taken[j] = same_members(p, x, y, of_schemas);
			pfree(y);
		}
		pfree(x);
		if (!found)
			return false;
	}
	pfree(taken);
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
		if (ev_node_is_array(&value) != ev_node_is_array(&other))
			return false;
		if (ev_node_is_array(&value) ? !ev_json_equal(&value, &other) : !same_nodes(p, &value, &other))
			return false;
	}
	return true;
}

static bool
same_keyword(EvProver *p, int keyword, const JsonbValue *a, const JsonbValue *b)
{
	bool		are_arrays;

	switch (ev_keywords[keyword].shape)
	{
		case EV_SCHEMA:
			return same_nodes(p, a, b);
		case EV_SCHEMAS:
		case EV_SCHEMA_OR_SCHEMAS:
			if (ev_node_is_array(a) != ev_node_is_array(b))
				return false;
			return ev_node_is_array(a) ? same_arrays(p, a, b, true, is_unordered(keyword) && !p->comparing_roots) :
				same_nodes(p, a, b);
		case EV_SCHEMA_MAP:
		case EV_PATTERN_SCHEMA_MAP:
		case EV_DEPENDENCIES:
			return same_maps(p, a, b);
		default:
			ev_spend(p, ev_value_work(a));
			are_arrays = a->type == jbvBinary && b->type == jbvBinary && ev_node_is_array(a) && ev_node_is_array(b);
			return is_unordered(keyword) && are_arrays ? same_arrays(p, a, b, false, true) : ev_json_equal(a, b);
	}
}

/* ---------- references ---------- */

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

/* ---------- schemas ---------- */

/*
 * Does a keyword mean the same in both dialects?  Keywords that have another
 * meaning in another dialect have another number there, except for these.
 */
static bool
same_meaning(int keyword, const EvResource *a, const EvResource *b)
{
	if (a == b || (a->draft == b->draft && a->vocabularies == b->vocabularies &&
				   a->assert_format == b->assert_format && a->except_formats == b->except_formats))
		return true;
	return ev_keywords[keyword].vocabulary != EV_FORMAT && ev_keywords[keyword].vocabulary != EV_CONTENT &&
		ev_keywords[keyword].vocabulary != EV_UNEVALUATED && keyword != EV_KW_CONTAINS;
}

static bool
same_keywords(EvProver *p, const EvSubschema *a, const EvSubschema *b)
{
	EvKeywordValues *values = palloc(2 * sizeof(EvKeywordValues));
	bool		same = true;

	ev_spend(p, 100 + 5 * (JsonContainerSize(a->container) + JsonContainerSize(b->container)));
	ev_read_keywords(a, &values[0]);
	ev_read_keywords(b, &values[1]);
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT && same; keyword++)
	{
		if (is_ignored(keyword))
			continue;
		if (values[0].present[keyword] != values[1].present[keyword])
			same = false;
		else if (values[0].present[keyword])
			same = same_meaning(keyword, a->resource, b->resource) &&
				same_keyword(p, keyword, &values[0].values[keyword], &values[1].values[keyword]);
	}
	if (same && ev_ref_hides_siblings(a, &values[0]) != ev_ref_hides_siblings(b, &values[1]))
		same = false;
	pfree(values);
	return same;
}

static bool
same_schemas(EvProver *p, const EvSubschema *a, const EvSubschema *b)
{
	const EvSubschema *key[2];
	SamePair   *pair;
	bool		found;
	int			first;

	ev_spend(p, 5);
	if (a == b)
		return true;
	a = unwrap(p, a);
	b = unwrap(p, b);
	if (a == b)
		return true;
	if (a->is_boolean || b->is_boolean)
		return a->is_boolean && b->is_boolean && a->boolean == b->boolean;
	if (p->comparing_roots)
	{
		if (a->resource->draft != b->resource->draft ||
			a->resource->vocabularies != b->resource->vocabularies ||
			a->resource->assert_format != b->resource->assert_format ||
			a->resource->except_formats != b->resource->except_formats ||
			a->resource->index != b->resource->index ||
			(a == a->resource->root) != (b == b->resource->root))
			return false;
	}
	else if (hash_schema(p, a, HASHED_LEVELS) != hash_schema(p, b, HASHED_LEVELS))
		return false;

	/* a pair that is being compared is assumed equal */
	first = list_length(p->assumed_same) + 1;
	key[0] = a;
	key[1] = b;
	pair = hash_search(p->sames, key, HASH_ENTER, &found);
	if (found)
		return pair->same;
	pair->same = true;
	p->assumed_same = lappend(p->assumed_same, pair);
	check_stack_depth();
	if (same_keywords(p, a, b) && same_references(p, a, b))
		return true;

	/*
	 * no assumption makes a pair different; but what was found since then may
	 * depend on the assumption that this pair is equal
	 */
	pair->same = false;
	ev_spend(p, list_length(p->assumed_same) - first);
	for (int i = first; i < list_length(p->assumed_same); i++)
	{
		SamePair   *other = list_nth(p->assumed_same, i);

		if (other->same)
			hash_search(p->sames, other, HASH_REMOVE, NULL);
	}
	p->assumed_same = list_truncate(p->assumed_same, first);
	return false;
}

bool
ev_schemas_same(EvProver *p, const EvSubschema *a, const EvSubschema *b)
{
	bool		same;

	if (p->sames == NULL)
	{
		HASHCTL		control = {.keysize = 2 * sizeof(EvSubschema *), .entrysize = sizeof(SamePair), .hcxt = p->context};

		p->sames = hash_create("event_validate same schemas", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	same = same_schemas(p, a, b);
	list_free(p->assumed_same);
	p->assumed_same = NIL;
	return same;
}

bool
ev_schema_among(EvProver *p, const List *schemas, const EvSubschema *schema)
{
	ListCell   *cell;

	foreach(cell, schemas)
	{
		if (ev_schemas_same(p, lfirst(cell), schema))
			return true;
	}
	return false;
}

/* Forgets all pairs: as parts of other schemas, they may differ. */
static void
forget_pairs(EvProver *p)
{
	if (p->sames != NULL)
		hash_destroy(p->sames);
	p->sames = NULL;
}

bool
ev_roots_same(EvProver *p)
{
	bool		same;

	forget_pairs(p);
	p->comparing_roots = true;
	same = ev_schemas_same(p, p->old_root, p->new_root);
	p->comparing_roots = false;
	forget_pairs(p);
	return same;
}
