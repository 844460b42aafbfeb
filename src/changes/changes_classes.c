/*
 * changes_classes.c
 *	  Divides the schemas of both documents into classes of equal ones.
 *
 * Most of a new version is a copy of the old one.  So equal schemas are found
 * before anything is proved: each class has one schema that stands for all of
 * them, the first one, and the prover sees only these.  What is the same on both
 * sides is then the same pointer, wherever it stands.
 *
 * Annotations do not count, nor the order of members where it has no meaning,
 * nor whether a schema is written in place or referred to.
 *
 * The schemas of both documents are the nodes of one graph, with an edge to each
 * subschema and each target of a reference.  A node's signature is a hash of what
 * it says and of the classes of its children.  Nodes without a way into a cycle
 * get their classes from the leaves upward.  The nodes of cycles begin in classes
 * by what they say, which are divided by the signatures until none is divided
 * any more.  The nodes above come last.
 *
 * Hashes are not trusted: each node is compared with the first one of its class.
 * If all are equal provided that the members of each class are equal, they are
 * equal.  If some are not, they are put apart, and the search is repeated.
 *
 * The same search, with annotations, finds schemas of equal wording.
 *
 * changes_same.c compares single schemas by the classes of their children: the two files
 * are one recursion.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "changes/changes_classes.h"

#define MOST_SEARCHES		4	/* before no schemas count as equal */

/* A schema of either document. */
typedef struct SchemaNode
{
	const EvSubschema *schema;
	uint64		says;			/* hash of its keywords without subschemas */
	uint64		wording;		/* the same with annotations */
	int			first;			/* its edges */
	int			count;
	int			inner;			/* node that it only wraps; itself if it says
								 * more */
	int			class;
} SchemaNode;

typedef struct SchemaEdge
{
	uint64		label;			/* hash of keyword and place */
	int			child;			/* number of a node */
} SchemaEdge;

typedef struct Graph
{
	EvProver   *prover;
	SchemaNode *nodes;			/* the first two are true and false */
	int			count;
	int			space;
	SchemaEdge *edges;
	int			edge_count;
	int			edge_space;
	int		   *parents;		/* numbers of nodes, by child */
	int		   *first_parent;	/* by node, and the end */
	int			classes;		/* number of classes so far */
} Graph;

/* The class that has a signature. */
typedef struct Signature
{
	uint64		hash;			/* hash key, must be the first member */
	int			class;
} Signature;

/* ---------- hashes ---------- */

static uint64
mix(uint64 a, uint64 b)
{
	uint64		x = a * UINT64CONST(0x9E3779B97F4A7C15) + b;

	x = (x ^ (x >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

static uint64
hash_text(const char *data, int length)
{
	return hash_bytes_extended((const unsigned char *) data, length, 0);
}

static uint64
hash_value(EvProver *p, const JsonbValue *value)
{
	EvInstance	instance = ev_json_instance(value);

	ev_spend(p, 5 + ev_value_work(value));
	if (instance.type == EV_STRING)
		return hash_text(instance.data, instance.length);
	return mix(instance.type, ev_value_hash(&instance));
}

/* ---------- keywords ---------- */

const EvSubschema *
ev_class_child(EvProver *p, const JsonbValue *node)
{
	EvSubschema *child;

	if (node->type == jbvBool)
		return node->val.boolean ? &p->truth : &p->falsehood;
	if (JsonContainerSize(node->val.binary.data) == 0)
		return &p->truth;
	child = ev_subschema_find(&p->old, node);
	return child != NULL ? child : ev_subschema_find(&p->new, node);
}

bool
ev_class_ignores(int keyword)
{
	return ev_keyword_refers(keyword) ||
		(ev_keywords[keyword].gatherer == EV_NO_FACTS && ev_keywords[keyword].vocabulary != EV_CONTENT);
}

bool
ev_class_is_unordered(int keyword)
{
	return keyword == EV_KW_ENUM || keyword == EV_KW_TYPE || keyword == EV_KW_REQUIRED ||
		keyword == EV_KW_ALL_OF || keyword == EV_KW_ANY_OF || keyword == EV_KW_ONE_OF;
}

/*
 * Returns the schema that a schema wraps, if it says nothing itself: a $ref, or
 * allOf with one member; otherwise NULL.  anyOf with one member is equal to the
 * member, too, but makes facts of another kind.
 */
static const EvSubschema *
wrapped(EvProver *p, const EvSubschema *schema, EvKeywordValues *keywords)
{
	int			only = -1;
	int			count = 0;

	if (list_length(schema->references) > 1)
		return NULL;
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT; keyword++)
		if (keywords->present[keyword] && !ev_class_ignores(keyword))
		{
			only = keyword;
			count++;
		}
	if (schema->references != NIL)
	{
		EvReference *reference = linitial(schema->references);

		return reference->dynamic_anchor == NULL && (count == 0 || ev_ref_hides_siblings(schema, keywords)) ?
			reference->target : NULL;
	}
	if (count == 0)
		return &p->truth;
	if (count == 1 && only == EV_KW_ALL_OF &&
		JsonContainerSize(keywords->values[only].val.binary.data) == 1)
		return ev_class_child(p, getIthJsonbValueFromContainer(keywords->values[only].val.binary.data, 0));
	return NULL;
}

/* ---------- the graph ---------- */

/* Returns the number of a schema's node, which is made if it is new. */
static int
node_of(Graph *g, const EvSubschema *schema)
{
	SchemaNode *node;

	if (schema->is_boolean)
		return schema->boolean ? 0 : 1;
	if (schema->wording != 0)
		return schema->wording;
	if (g->count >= g->space)
	{
		g->space *= 2;
		g->nodes = repalloc(g->nodes, g->space * sizeof(SchemaNode));
	}
	node = &g->nodes[g->count];
	memset(node, 0, sizeof(SchemaNode));
	node->schema = schema;
	node->inner = g->count;

	/* its number, until the wording is known */
	unconstify(EvSubschema *, schema)->wording = g->count;
	unconstify(EvSubschema *, schema)->number = g->count;
	return g->count++;
}

static void
add_edge(Graph *g, uint64 label, int child)
{
	if (g->edge_count >= g->edge_space)
	{
		g->edge_space *= 2;
		g->edges = repalloc_huge(g->edges, g->edge_space * sizeof(SchemaEdge));
	}
	g->edges[g->edge_count++] = (SchemaEdge) {label, child};
}

/* Adds an edge to a subschema.  One that was not read makes its parent unique. */
static void
add_child(Graph *g, int number, uint64 label, const JsonbValue *value)
{
	const EvSubschema *child = ev_class_child(g->prover, value);

	ev_spend(g->prover, 20);
	if (child == NULL)
		g->nodes[number].says = mix(g->nodes[number].says, number);
	else
		add_edge(g, label, node_of(g, child));
}

static void
add_array(Graph *g, int number, int keyword, const JsonbValue *array)
{
	for (uint32 i = 0; i < JsonContainerSize(array->val.binary.data); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(array->val.binary.data, i);

		add_child(g, number, mix(keyword, ev_class_is_unordered(keyword) ? 0 : i), item);
		pfree(item);
	}
}

/* Adds the members of a map to subschemas or, for dependencies, to arrays. */
static void
add_map(Graph *g, int number, int keyword, const JsonbValue *map)
{
	JsonbIterator *iterator = JsonbIteratorInit(map->val.binary.data);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		uint64		label;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		label = mix(keyword, hash_text(key.val.string.val, key.val.string.len));
		if (ev_node_is_array(&value))
			g->nodes[number].says += mix(label, hash_value(g->prover, &value));
		else
			add_child(g, number, label, &value);
	}
}

/* Returns a hash of a keyword's value without subschemas. */
static uint64
hash_plain(EvProver *p, int keyword, const JsonbValue *value)
{
	uint64		hash = 0;

	if (!ev_class_is_unordered(keyword) || !ev_node_is_array(value))
		return hash_value(p, value);
	for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(value->val.binary.data, i);

		hash += mix(1, hash_value(p, item));
		pfree(item);
	}
	return hash;
}

static void
add_keyword(Graph *g, int number, int keyword, const JsonbValue *value)
{
	g->nodes[number].says += mix(keyword, 1);
	switch (ev_keywords[keyword].shape)
	{
		case EV_SCHEMA:
			add_child(g, number, mix(keyword, 2), value);
			break;
		case EV_SCHEMAS:
		case EV_SCHEMA_OR_SCHEMAS:
			if (ev_node_is_array(value))
				add_array(g, number, keyword, value);
			else
				add_child(g, number, mix(keyword, 2), value);
			break;
		case EV_SCHEMA_MAP:
		case EV_PATTERN_SCHEMA_MAP:
		case EV_DEPENDENCIES:
			add_map(g, number, keyword, value);
			break;
		default:
			g->nodes[number].says += mix(keyword, hash_plain(g->prover, keyword, value));
	}
}

/* Adds the targets of references; dynamic ones make their schema unique. */
static void
add_references(Graph *g, int number)
{
	ListCell   *cell;

	foreach(cell, g->nodes[number].schema->references)
	{
		EvReference *reference = lfirst(cell);

		ev_spend(g->prover, 10);
		if (reference->dynamic_anchor != NULL || reference->target == NULL)
			g->nodes[number].says = mix(g->nodes[number].says, number);
		else
			add_edge(g, mix(hash_text(reference->keyword, strlen(reference->keyword)), foreach_current_index(cell)),
					 node_of(g, reference->target));
	}
}

/* Returns a hash of a schema's annotations, unknown keywords among them. */
static uint64
hash_annotations(EvProver *p, const EvSubschema *schema, bool only_references)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, schema->container));
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	uint64		hash = 0;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		int			keyword;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		keyword = ev_keyword_find(key.val.string.val, key.val.string.len, schema->resource->draft);

		/* what is referred to counts where the reference is */
		if (keyword == EV_KW_DEFS || keyword == EV_KW_DEFINITIONS || (keyword >= 0 && ev_keyword_refers(keyword)))
			continue;
		if (only_references || keyword < 0 || ev_class_ignores(keyword) ||
			(ev_keywords[keyword].vocabulary & schema->resource->vocabularies) == 0)
			hash += mix(hash_text(key.val.string.val, key.val.string.len), hash_value(p, &value));
	}
	return hash;
}

/* Reads what a schema says, and adds its edges. */
static void
read_node(Graph *g, int number, EvKeywordValues *keywords)
{
	EvProver   *p = g->prover;
	const EvSubschema *schema = g->nodes[number].schema;
	const EvResource *resource = schema->resource;
	const EvSubschema *inner;
	bool		hides;

	ev_spend(p, 100 + 10 * JsonContainerSize(schema->container));
	g->nodes[number].first = g->edge_count;
	ev_read_keywords(schema, keywords);
	hides = ev_ref_hides_siblings(schema, keywords);
	if (hides)
		g->nodes[number].says = 1;
	for (int keyword = 0; keyword < EV_KEYWORD_COUNT && !hides; keyword++)
	{
		if (!keywords->present[keyword] || ev_class_ignores(keyword))
			continue;
		add_keyword(g, number, keyword, &keywords->values[keyword]);
		if (!ev_class_is_universal(keyword))
			g->nodes[number].says += mix(mix(resource->draft, resource->vocabularies),
										 mix(resource->assert_format, resource->except_formats));
	}
	add_references(g, number);
	g->nodes[number].count = g->edge_count - g->nodes[number].first;
	g->nodes[number].wording = mix(g->nodes[number].says, hash_annotations(p, schema, hides));
	inner = wrapped(p, schema, keywords);
	if (inner != NULL)
	{
		int			other = node_of(g, inner);

		g->nodes[number].inner = other;
	}
}

/* Finds what is inside of wrappers around wrappers. */
static void
skip_wrappers(Graph *g)
{
	for (int i = 0; i < g->count; i++)
	{
		int			inner = i;
		int			steps = 0;
		int			next;

		/* the compiler refuses schemas that refer to themselves without end */
		for (; g->nodes[inner].inner != inner && steps <= g->count; steps++)
			inner = g->nodes[inner].inner;
		ev_spend(g->prover, steps);
		if (steps > g->count)
			elog(ERROR, "endless reference");
		for (int on_way = i; on_way != inner; on_way = next)
		{
			next = g->nodes[on_way].inner;
			g->nodes[on_way].inner = inner;
		}
	}
}

static void
find_parents(Graph *g)
{
	int		   *next = palloc0((g->count + 1) * sizeof(int));

	g->first_parent = palloc0((g->count + 1) * sizeof(int));
	g->parents = palloc_extended((g->edge_count + 1) * sizeof(int), MCXT_ALLOC_HUGE);
	ev_spend(g->prover, g->count + g->edge_count);
	for (int i = 0; i < g->edge_count; i++)
		g->first_parent[g->edges[i].child + 1]++;
	for (int i = 0; i < g->count; i++)
		g->first_parent[i + 1] += g->first_parent[i];
	memcpy(next, g->first_parent, (g->count + 1) * sizeof(int));
	for (int i = 0; i < g->count; i++)
		for (int j = 0; j < g->nodes[i].count; j++)
			g->parents[next[g->edges[g->nodes[i].first + j].child]++] = i;
	pfree(next);
}

static void
make_graph(Graph *g)
{
	EvProver   *p = g->prover;
	EvKeywordValues *keywords = palloc(sizeof(EvKeywordValues));

	g->space = 256;
	g->nodes = palloc0(g->space * sizeof(SchemaNode));
	g->edge_space = 1024;
	g->edges = palloc(g->edge_space * sizeof(SchemaEdge));
	g->nodes[0] = (SchemaNode) {.schema = &p->truth, .says = 1, .wording = 1, .inner = 0};
	g->nodes[1] = (SchemaNode) {.schema = &p->falsehood, .says = 2, .wording = 2, .inner = 1};
	g->count = 2;
	(void) node_of(g, p->old_root);
	(void) node_of(g, p->new_root);
	for (int i = 2; i < g->count; i++)
		read_node(g, i, keywords);
	pfree(keywords);
	skip_wrappers(g);
	find_parents(g);
}

/* ---------- classes ---------- */

static uint64
signature(Graph *g, int number, bool by_wording)
{
	const SchemaNode *node = &g->nodes[number];
	uint64		hash = by_wording ? node->wording : node->says;

	ev_spend(g->prover, 1 + node->count / 2);
	for (int i = 0; i < node->count; i++)
	{
		const SchemaEdge *edge = &g->edges[node->first + i];
		int			child = by_wording ? edge->child : g->nodes[edge->child].inner;

		hash += mix(edge->label, g->nodes[child].class);
	}
	return mix(hash, node->count);
}

static HTAB *
make_signatures(Graph *g)
{
	HASHCTL		control = {.keysize = sizeof(uint64), .entrysize = sizeof(Signature), .hcxt = CurrentMemoryContext};

	return hash_create("event_validate signatures", g->count, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Returns the class of a signature; if it is new, that is the given one. */
static int
class_of(Graph *g, HTAB *signatures, uint64 hash, int new_class)
{
	bool		found;
	Signature  *entry;

	ev_spend(g->prover, 5);
	entry = hash_search(signatures, &hash, HASH_ENTER, &found);
	if (!found)
		entry->class = new_class;
	return entry->class;
}

/* Divides the classes of these nodes, until the number of classes stays the same. */
static void
divide(Graph *g, const int *nodes, int count, bool by_wording)
{
	int		   *classes = palloc((count + 1) * sizeof(int));
	int			before = 0;

	for (int i = 0; i < count; i++)
		g->nodes[nodes[i]].class = 0;
	for (;;)
	{
		HTAB	   *signatures = make_signatures(g);
		int			first = g->classes;

		for (int i = 0; i < count; i++)
		{
			uint64		hash = mix(signature(g, nodes[i], by_wording), g->nodes[nodes[i]].class);

			classes[i] = class_of(g, signatures, hash, g->classes);
			g->classes += classes[i] == g->classes;
		}
		for (int i = 0; i < count; i++)
			g->nodes[nodes[i]].class = classes[i];
		hash_destroy(signatures);
		if (g->classes - first == before)
			break;
		before = g->classes - first;
	}
	pfree(classes);
}

/* Finds the classes of all nodes. */
static void
find_classes(Graph *g, bool by_wording)
{
	HTAB	   *signatures = make_signatures(g);
	int		   *left = palloc((g->count + 1) * sizeof(int));
	int		   *order = palloc((g->count + 1) * sizeof(int));
	bool	   *done = palloc0(g->count + 1);
	int			ordered = 0;
	int			below;
	int			core = 0;

	/* nodes whose children are done, from the leaves upward */
	for (int i = 0; i < g->count; i++)
	{
		left[i] = g->nodes[i].count;
		if (left[i] == 0)
			order[ordered++] = i;
	}
	for (int i = 0; i < ordered; i++)
	{
		int			number = order[i];

		done[number] = true;
		g->nodes[number].class = class_of(g, signatures, signature(g, number, by_wording), g->classes + 1);
		g->classes = Max(g->classes, g->nodes[number].class);
		for (int j = g->first_parent[number]; j < g->first_parent[number + 1]; j++)
			if (--left[g->parents[j]] == 0)
				order[ordered++] = g->parents[j];
	}
	below = ordered;

	/* of the others, those that no cycle leads to */
	for (int i = 0; i < g->count; i++)
	{
		left[i] = 0;
		for (int j = g->first_parent[i]; j < g->first_parent[i + 1]; j++)
			left[i] += !done[g->parents[j]];
		if (left[i] == 0 && !done[i])
			order[ordered++] = i;
	}
	for (int i = below; i < ordered; i++)
	{
		const SchemaNode *node = &g->nodes[order[i]];

		done[order[i]] = true;
		for (int j = 0; j < node->count; j++)
		{
			int			child = g->edges[node->first + j].child;

			if (--left[child] == 0 && !done[child])
				order[ordered++] = child;
		}
	}

	/* the rest, then those above, from below upward */
	for (int i = 0; i < g->count; i++)
		if (!done[i])
			left[core++] = i;
	g->classes++;
	divide(g, left, core, by_wording);
	for (int i = 0; i < core; i++)
		(void) class_of(g, signatures, signature(g, left[i], by_wording), g->nodes[left[i]].class);
	for (int i = ordered - 1; i >= below; i--)
	{
		g->nodes[order[i]].class = class_of(g, signatures, signature(g, order[i], by_wording), g->classes);
		g->classes += g->nodes[order[i]].class == g->classes;
	}
	hash_destroy(signatures);
	pfree(left);
	pfree(order);
	pfree(done);
}

/* ---------- the result ---------- */

/* Returns the size of a container in bytes. */
static Size
container_size(const JsonbContainer *container)
{
	int			count = JsonContainerSize(container) * (JsonContainerIsObject(container) ? 2 : 1);

	return offsetof(JsonbContainer, children) + count * sizeof(JEntry) +
		(count > 0 ? getJsonbOffset(container, count) : 0);
}

/* Are two schemas written in the same way, with children of the same classes? */
static bool
is_copy(Graph *g, const SchemaNode *a, const SchemaNode *b)
{
	const EvResource *x = a->schema->resource;
	const EvResource *y = b->schema->resource;
	Size		size = container_size(a->schema->container);

	ev_spend(g->prover, 10 + size / 64 + a->count);
	if (a->count != b->count || x->draft != y->draft || x->vocabularies != y->vocabularies ||
		x->assert_format != y->assert_format || x->except_formats != y->except_formats ||
		size != container_size(b->schema->container) ||
		memcmp(a->schema->container, b->schema->container, size) != 0)
		return false;
	for (int i = 0; i < a->count; i++)
	{
		const SchemaEdge *p = &g->edges[a->first + i];
		const SchemaEdge *q = &g->edges[b->first + i];

		if (p->label != q->label ||
			g->nodes[g->nodes[p->child].inner].class != g->nodes[g->nodes[q->child].inner].class)
			return false;
	}
	return true;
}

/*
 * Gives each schema the first one of its class.  Returns false, and puts nodes
 * apart, if some of them do not fit into their class.
 */
static bool
set_same(Graph *g, uint64 search)
{
	int		   *first = palloc0((g->classes + 2) * sizeof(int));
	bool		fit = true;

	for (int i = 0; i < g->count; i++)
	{
		int			inner = g->nodes[i].inner;
		int			class = g->nodes[inner].class;

		ev_spend(g->prover, 1);
		if (first[class] == 0)
			first[class] = inner + 1;
		unconstify(EvSubschema *, g->nodes[i].schema)->same =
			unconstify(EvSubschema *, g->nodes[first[class] - 1].schema);
	}
	for (int i = 2; i < g->count; i++)
	{
		SchemaNode *node = &g->nodes[i];
		const SchemaNode *other = &g->nodes[first[g->nodes[node->inner].class] - 1];

		if (node->inner != i || node == other || is_copy(g, other, node))
			continue;
		if (other->schema->is_boolean || !ev_class_fits(g->prover, other->schema, node->schema))
		{
			node->says = mix(node->says, search);
			fit = false;
		}
	}
	pfree(first);
	return fit;
}

void
ev_find_equal_schemas(EvProver *p)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "event_validate classes", ALLOCSET_DEFAULT_SIZES);
	Graph		g = {.prover = p};
	uint64		search = 0;
	bool		fit;

	MemoryContextSwitchTo(work);
	make_graph(&g);
	do
	{
		g.classes = 0;
		find_classes(&g, false);
		fit = set_same(&g, ++search);
	} while (!fit && search < MOST_SEARCHES);
	if (!fit)
		for (int i = 2; i < g.count; i++)
			unconstify(EvSubschema *, g.nodes[i].schema)->same = NULL;

	g.classes = 0;
	find_classes(&g, true);
	for (int i = 2; i < g.count; i++)
		unconstify(EvSubschema *, g.nodes[i].schema)->wording = g.nodes[i].class + 1;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
}
