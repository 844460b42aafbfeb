/*
 * changes_tags.c
 *	  The property that tells the variants of a union apart.
 *
 * The members of most lists in anyOf and oneOf are objects with a common
 * property, for which each member lists other values: "kind": {"const":
 * "created"}.  By this tag, a value or a set of schemas finds its variants
 * without a look at the others.  The tag can be a property of a property.
 *
 * All of this uses necessary facts, so a variant that is excluded has no
 * instance in common.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "changes/changes_internal.h"

#define MOST_LEVELS		3		/* of properties that lead to a tag */
#define MOST_PATHS		40		/* that are tried for one union */
#define LOOKED_AT		3		/* variants whose properties are tried */
#define MOST_GROUP_LEVELS	2	/* of unions within a union, */
#define MOST_INNER		40		/* and members of one */

/* The variants that list a value with this hash. */
typedef struct ValueVariants
{
	uint32		hash;			/* hash key, must be the first member */
	List	   *numbers;
} ValueVariants;

/* ---------- one tag ---------- */

static EvUnionTag tag_at(EvProver *p, EvSchemaSet *set, const List *path, int level);

/*
 * Returns the tag of the members of a group, of which an instance matches at least
 * one: the values of all of them, if each lists its own.
 */
static EvUnionTag
tag_of_group(EvProver *p, const EvGroupFact *group, const List *path, int level)
{
	EvUnionTag	tag = {.listed = group->members != NIL, .present = true};
	ListCell   *cell;

	if (list_length(group->members) > MOST_INNER)
		return (EvUnionTag) {0};
	foreach(cell, group->members)
	{
		EvUnionTag	inner = tag_at(p, ev_set_of(p, lfirst(cell)), path, level + 1);

		if (!inner.listed)
			return (EvUnionTag) {0};
		tag.present = tag.present && inner.present;
		ev_spend(p, list_length(inner.values));
		tag.values = list_concat(tag.values, inner.values);
	}
	return tag;
}

static EvUnionTag
tag_at(EvProver *p, EvSchemaSet *set, const List *path, int level)
{
	const EvFacts *whole = ev_facts(p, set, EV_NECESSARY);
	const EvFacts *f = whole;
	EvUnionTag	tag = {.present = true};
	ListCell   *cell;

	foreach(cell, path)
	{
		tag.present = tag.present && f->possible == EV_BIT(EV_OBJECT) &&
			ev_facts_requires(p, f, lfirst(cell)) != NULL;
		f = ev_facts(p, ev_facts_property(p, f, lfirst(cell)), EV_NECESSARY);
	}
	tag.listed = f->enums != NIL;
	tag.values = f->values;
	if (tag.listed || level >= MOST_GROUP_LEVELS)
		return tag;

	/* the members of a union within the union can have tags of their own */
	foreach(cell, whole->groups)
	{
		EvUnionTag	inner = tag_of_group(p, lfirst(cell), path, level);

		if (inner.listed)
		{
			inner.present = inner.present || tag.present;
			return inner;
		}
	}
	return tag;
}

EvUnionTag
ev_union_tag(EvProver *p, const EvUnion *u, EvSchemaSet *set)
{
	return tag_at(p, set, u->path, 0);
}

/* ---------- finding the tag of a union ---------- */

static bool
is_among_paths(EvProver *p, const List *paths, const List *path)
{
	ListCell   *cell;

	foreach(cell, paths)
	{
		const List *other = lfirst(cell);
		bool		same = list_length(other) == list_length(path);

		ev_spend(p, 2);
		for (int i = 0; i < list_length(path) && same; i++)
			same = ev_strings_equal(list_nth(other, i), list_nth(path, i));
		if (same)
			return true;
	}
	return false;
}

/* Adds the paths from a set to properties whose values are listed. */
static void
add_paths(EvProver *p, EvSchemaSet *set, const List *path, List **paths, int level)
{
	const EvFacts *f = ev_facts(p, set, EV_NECESSARY);
	ListCell   *cell;
	ListCell   *named;

	check_stack_depth();
	foreach(cell, f->object_shapes)
	{
		foreach(named, ((EvObjectShape *) lfirst(cell))->names)
		{
			EvNamedSchema *property = lfirst(named);
			EvSchemaSet *child = ev_set_of(p, property->schema);
			List	   *longer = lappend(list_copy(path), &property->name);

			ev_spend(p, 10);
			if (list_length(*paths) >= MOST_PATHS)
				return;
			if (ev_facts(p, child, EV_NECESSARY)->enums != NIL)
			{
				if (!is_among_paths(p, *paths, longer))
					*paths = lappend(*paths, longer);
			}
			else if (list_length(longer) < MOST_LEVELS)
				add_paths(p, child, longer, paths, level);
		}
	}
	if (path != NIL || level >= MOST_GROUP_LEVELS)
		return;
	foreach(cell, f->groups)
	{
		const EvGroupFact *group = lfirst(cell);

		if (list_length(group->members) <= MOST_INNER)
			add_paths(p, ev_set_of(p, linitial(group->members)), NIL, paths, level + 1);
	}
}

/*
 * Chooses the path at which most variants list values.  Among those, the one
 * with most values in all.
 */
static void
choose_path(EvProver *p, EvUnion *u)
{
	List	   *paths = NIL;
	int64		best = 0;
	int			looked_at = 0;
	ListCell   *cell;

	for (int i = 0; i < u->count && looked_at < LOOKED_AT; i++)
		if ((ev_facts(p, u->sets[i], EV_NECESSARY)->possible & EV_BIT(EV_OBJECT)) != 0)
		{
			add_paths(p, u->sets[i], NIL, &paths, 0);
			looked_at++;
		}
	foreach(cell, paths)
	{
		int64		rating = 0;
		List	   *seen = NIL;

		for (int i = 0; i < u->count; i++)
		{
			EvUnionTag	tag = tag_at(p, u->sets[i], lfirst(cell), 0);
			bool		is_new = tag.listed && tag.values != NIL && !ev_json_among(p, seen, linitial(tag.values));

			/* a value that only one of the variants lists counts */
			rating += is_new ? (tag.present ? 2000 : 1999) : 0;
			if (is_new && list_length(seen) < 20)
				seen = lappend(seen, linitial(tag.values));
		}
		if (rating > best)
		{
			best = rating;
			u->path = lfirst(cell);
		}
	}
}

static uint32
hash_of(EvProver *p, const JsonbValue *value)
{
	EvInstance	instance = ev_json_instance(value);

	ev_spend(p, 2 + ev_value_work(value));
	return ev_value_hash(&instance);
}

static void
add_variant(EvProver *p, EvUnion *u, int number)
{
	EvUnionTag *tag = &u->tags[number];
	ListCell   *cell;

	*tag = tag_at(p, u->sets[number], u->path, 0);
	if (!tag->listed)
	{
		u->without = lappend_int(u->without, number);
		return;
	}
	if (!tag->present)
		u->optional = lappend_int(u->optional, number);
	foreach(cell, tag->values)
	{
		uint32		hash = hash_of(p, lfirst(cell));
		ValueVariants *entry;
		bool		found;

		entry = hash_search(u->by_value, &hash, HASH_ENTER, &found);
		if (!found)
			entry->numbers = NIL;
		entry->numbers = list_append_unique_int(entry->numbers, number);
		ev_spend(p, list_length(entry->numbers) / 8);
	}
}

EvUnion *
ev_union(EvProver *p, const EvGroupFact *group)
{
	struct
	{
		const EvSubschema *subschema;
		uintptr_t	one;
	}			key = {group->origin.subschema, group->one};
	EvUnion    *u;
	bool		found;
	int			i = 0;
	ListCell   *cell;

	if (p->unions == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(key), .entrysize = sizeof(EvUnion), .hcxt = p->context};

		p->unions = hash_create("event_validate unions", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	ev_spend(p, 5);
	u = hash_search(p->unions, &key, HASH_ENTER, &found);
	if (found)
		return u;
	memset((char *) u + sizeof(key), 0, sizeof(EvUnion) - sizeof(key));
	u->count = list_length(group->members);
	u->sets = palloc(sizeof(EvSchemaSet *) * (u->count + 1));
	u->tags = palloc0(sizeof(EvUnionTag) * (u->count + 1));
	(void) ev_group_types(p, unconstify(EvGroupFact *, group));
	u->repeated = group->repeated;
	foreach(cell, group->members)
	{
		EvSchemaSet *set = ev_set_of(p, lfirst(cell));

		u->sets[i++] = u->repeated == 0 ? set : ev_set_of_types(p, set, ~u->repeated);
	}
	choose_path(p, u);
	if (u->path != NIL)
	{
		HASHCTL		control = {.keysize = sizeof(uint32), .entrysize = sizeof(ValueVariants), .hcxt = p->context};

		u->by_value = hash_create("event_validate variants", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		for (i = 0; i < u->count; i++)
			add_variant(p, u, i);
	}
	return u;
}

/* ---------- finding variants ---------- */

static List *
all_variants(const EvUnion *u)
{
	List	   *result = NIL;

	for (int i = 0; i < u->count; i++)
		result = lappend_int(result, i);
	return result;
}

static int
compare_numbers(const ListCell *a, const ListCell *b)
{
	return lfirst_int(a) < lfirst_int(b) ? -1 : lfirst_int(a) > lfirst_int(b);
}

/* Returns these variants and those without a tag, in order. */
static List *
in_order(EvProver *p, const EvUnion *u, List *numbers)
{
	List	   *result = list_concat_unique_int(list_copy(u->without), numbers);

	ev_spend(p, list_length(result) * (int64) (1 + list_length(numbers) / 8));
	list_sort(result, compare_numbers);
	return result;
}

static List *
variants_with(EvProver *p, const EvUnion *u, const JsonbValue *value)
{
	uint32		hash = hash_of(p, value);
	ValueVariants *entry = hash_search(u->by_value, &hash, HASH_FIND, NULL);

	return entry == NULL ? NIL : entry->numbers;
}

List *
ev_union_by_tag(EvProver *p, const EvUnion *u, const EvUnionTag *tag)
{
	List	   *numbers = NIL;
	ListCell   *cell;

	if (u->path == NIL || !tag->listed)
		return all_variants(u);
	foreach(cell, tag->values)
	{
		ev_spend(p, list_length(numbers) / 8);
		numbers = list_concat_unique_int(numbers, variants_with(p, u, lfirst(cell)));
	}

	/* both may lack the tag */
	if (!tag->present)
		numbers = list_concat_unique_int(numbers, u->optional);
	return in_order(p, u, numbers);
}

List *
ev_union_by_value(EvProver *p, const EvUnion *u, const JsonbValue *value)
{
	JsonbValue	part = *value;
	ListCell   *cell;

	if (u->path == NIL)
		return all_variants(u);
	foreach(cell, u->path)
	{
		const EvString *name = lfirst(cell);
		JsonbValue	member;

		if (ev_value_type(&part) != EV_OBJECT ||
			getKeyJsonValueFromContainer(part.val.binary.data, name->data, name->length, &member) == NULL)
			return in_order(p, u, u->optional);
		part = member;
	}
	return in_order(p, u, variants_with(p, u, &part));
}
