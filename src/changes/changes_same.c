/*
 * changes_same.c
 *	  Do the keywords of two schemas say the same?
 *
 * Annotations do not count, nor the order of members where it has no meaning,
 * nor whether a schema is written in place or referred to.  Subschemas are
 * compared by their classes, which changes_classes.c finds; it asks this file about single
 * schemas, so the two are one recursion.
 *
 * Two whole documents with dynamic references are compared in another way: the
 * target of such a reference depends on the path to it, so that equal parts
 * need equal surroundings.  Schemas can be recursive: a pair that is being
 * compared is assumed equal.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "changes/changes_classes.h"

typedef struct SamePair
{
	const EvSubschema *a;		/* these two are the hash key */
	const EvSubschema *b;
	bool		same;
} SamePair;

static bool same_schemas(EvProver *p, const EvSubschema *a, const EvSubschema *b);

/* ---------- values of keywords ---------- */

static bool
same_nodes(EvProver *p, const JsonbValue *a, const JsonbValue *b)
{
	const EvSubschema *x = ev_class_child(p, a);
	const EvSubschema *y = ev_class_child(p, b);

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
			return ev_node_is_array(a) ? same_arrays(p, a, b, true, ev_class_is_unordered(keyword) && !p->comparing_roots) :
				same_nodes(p, a, b);
		case EV_SCHEMA_MAP:
		case EV_PATTERN_SCHEMA_MAP:
		case EV_DEPENDENCIES:
			return same_maps(p, a, b);
		default:
			ev_spend(p, ev_value_work(a));
			are_arrays = a->type == jbvBinary && b->type == jbvBinary && ev_node_is_array(a) && ev_node_is_array(b);
			return ev_class_is_unordered(keyword) && are_arrays ? same_arrays(p, a, b, false, true) : ev_json_equal(a, b);
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

/* Does a keyword mean the same in two resources? */
static bool
same_meaning(int keyword, const EvResource *a, const EvResource *b)
{
	return ev_class_is_universal(keyword) || a == b ||
		(a->draft == b->draft && a->vocabularies == b->vocabularies &&
		 a->assert_format == b->assert_format && a->except_formats == b->except_formats);
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
		if (ev_class_ignores(keyword))
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

/* Are two schemas equal, as parts of two whole documents? */
static bool
same_parts(EvProver *p, const EvSubschema *a, const EvSubschema *b)
{
	const EvSubschema *key[2];
	SamePair   *pair;
	bool		found;
	int			first;

	ev_spend(p, 5);
	if (a == b)
		return true;
	if (a->is_boolean || b->is_boolean)
		return a->is_boolean && b->is_boolean && a->boolean == b->boolean;
	if (a->resource->draft != b->resource->draft ||
		a->resource->vocabularies != b->resource->vocabularies ||
		a->resource->assert_format != b->resource->assert_format ||
		a->resource->except_formats != b->resource->except_formats ||
		a->resource->index != b->resource->index ||
		(a == a->resource->root) != (b == b->resource->root))
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

static bool
same_schemas(EvProver *p, const EvSubschema *a, const EvSubschema *b)
{
	return p->comparing_roots ? same_parts(p, a, b) : ev_schemas_same(p, a, b);
}

bool
ev_class_fits(EvProver *p, const EvSubschema *a, const EvSubschema *b)
{
	return same_keywords(p, a, b) && same_references(p, a, b);
}

bool
ev_schemas_same(EvProver *p, const EvSubschema *a, const EvSubschema *b)
{
	ev_spend(p, 1);
	return ev_same_schema(p, a) == ev_same_schema(p, b);
}

bool
ev_schema_among(EvProver *p, const List *schemas, const EvSubschema *schema)
{
	ListCell   *cell;

	ev_spend(p, list_length(schemas) / 4);
	schema = ev_same_schema(p, schema);
	foreach(cell, schemas)
	{
		if (ev_same_schema(p, lfirst(cell)) == schema)
			return true;
	}
	return false;
}

bool
ev_roots_same(EvProver *p)
{
	HASHCTL		control = {.keysize = 2 * sizeof(EvSubschema *), .entrysize = sizeof(SamePair), .hcxt = p->context};
	bool		same;

	if (ev_schemas_same(p, p->old_root, p->new_root))
		return true;
	if (!p->old.has_dynamic || !p->new.has_dynamic)
		return false;
	p->sames = hash_create("event_validate same schemas", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	p->comparing_roots = true;
	same = same_schemas(p, p->old_root, p->new_root);
	p->comparing_roots = false;
	hash_destroy(p->sames);
	p->sames = NULL;
	list_free(p->assumed_same);
	p->assumed_same = NIL;
	return same;
}
