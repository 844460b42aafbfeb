/*
 * changes_disjoint.c
 *	  Do two sets of schemas exclude each other?
 *
 * A quick look at what both say: types, listed values, bounds, and the same for
 * properties that one of them requires.  It needs no cases and no assumptions.
 * "No" means that this look does not show it.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"

#define MOST_LEVELS		4		/* of properties and of branches */
#define MOST_BRANCHES	16		/* that are looked at one by one */
#define MOST_VALUES		50		/* that are looked at one by one */
#define MOST_POSITIONS	16		/* of arrays that are looked at one by one */

static bool disjoint(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, int level);

/* Does each listed value of a set lack the facts of the other one? */
static bool
no_value_fits(EvProver *p, const EvFacts *a, EvSchemaSet *b, const EvFacts *fb)
{
	ListCell   *cell;

	if (a->enums == NIL || list_length(a->values) > MOST_VALUES)
		return false;
	foreach(cell, a->values)
	{
		if (fb->enums != NIL && !ev_is_listed(p, fb->values, lfirst(cell)))
			continue;
		if (ev_value_valid(p, lfirst(cell), b, EV_FACT_ALL) != EV_NO)
			return false;
	}
	return true;
}

static bool
is_below(EvNumberFact upper, EvNumberFact lower)
{
	int			order;

	if (upper.value == NULL || lower.value == NULL)
		return false;
	order = ev_number_compare(upper.value, lower.value);
	return order < 0 || (order == 0 && (upper.exclusive || lower.exclusive));
}

static bool
objects_disjoint(EvProver *p, const EvFacts *a, const EvFacts *b, int level)
{
	const EvFacts *sides[] = {a, b};
	ListCell   *cell;

	if (a->min_properties.value > b->max_properties.value || b->min_properties.value > a->max_properties.value)
		return true;
	for (int i = 0; i < 2; i++)
	{
		foreach(cell, sides[i]->required)
		{
			const EvString *name = &((EvTextFact *) lfirst(cell))->text;

			ev_spend(p, 10);
			if (i == 1 && ev_facts_requires(p, a, name) != NULL)
				continue;
			if (disjoint(p, ev_facts_property(p, a, name), ev_facts_property(p, b, name), level + 1))
				return true;
		}
	}
	return false;
}

/* Do they exclude each other at a position that arrays of both have? */
static bool
arrays_disjoint(EvProver *p, const EvFacts *a, const EvFacts *b, int level)
{
	uint32		prefix = Max(ev_facts_prefix(a), ev_facts_prefix(b));
	uint32		least = Max(a->min_items.value, b->min_items.value);

	if (a->min_items.value > b->max_items.value || b->min_items.value > a->max_items.value)
		return true;
	for (uint32 i = 0; i < least && i <= prefix && i < MOST_POSITIONS; i++)
	{
		ev_spend(p, 10);
		if (disjoint(p, ev_facts_item(p, a, i), ev_facts_item(p, b, i), level + 1))
			return true;
	}
	return false;
}

/* Is each branch of one group of `a` disjoint from b? */
static bool
branches_disjoint(EvProver *p, const EvFacts *a, EvSchemaSet *b, int level)
{
	ListCell   *cell;
	ListCell   *member;

	foreach(cell, a->groups)
	{
		EvGroupFact *group = lfirst(cell);
		bool		all = list_length(group->members) <= MOST_BRANCHES;

		foreach(member, group->members)
			all = all && disjoint(p, ev_set_of(p, lfirst(member)), b, level + 1);
		if (all)
			return true;
	}
	return false;
}

static bool
look(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, int level)
{
	const EvFacts *fa = ev_facts(p, a, EV_NECESSARY);
	const EvFacts *fb = ev_facts(p, b, EV_NECESSARY);
	uint32		common = fa->possible & fb->possible;

	check_stack_depth();
	ev_spend(p, 20);
	if (a == b && common != 0)
		return false;
	if (common == 0 || no_value_fits(p, fa, b, fb) || no_value_fits(p, fb, a, fa))
		return true;
	if (is_below(ev_facts_upper(fa), ev_facts_lower(fb)) || is_below(ev_facts_upper(fb), ev_facts_lower(fa)))
		common &= ~EV_BIT(EV_NUMBER);
	if (fa->min_length.value > fb->max_length.value || fb->min_length.value > fa->max_length.value ||
		((common & EV_BIT(EV_STRING)) != 0 && ev_strings_impossible(p, fa, fb)))
		common &= ~EV_BIT(EV_STRING);
	if (level < MOST_LEVELS && (common & EV_BIT(EV_ARRAY)) != 0 && arrays_disjoint(p, fa, fb, level))
		common &= ~EV_BIT(EV_ARRAY);
	if (level < MOST_LEVELS && (common & EV_BIT(EV_OBJECT)) != 0 && objects_disjoint(p, fa, fb, level))
		common &= ~EV_BIT(EV_OBJECT);
	if (common == 0)
		return true;
	return level < MOST_LEVELS && (branches_disjoint(p, fa, b, level) || branches_disjoint(p, fb, a, level));
}

/* The answer for two sets at a level of the search. */
typedef struct DisjointSets
{
	EvSchemaSet *a;				/* these three are the hash key */
	EvSchemaSet *b;
	int64		level;
	bool		disjoint;
} DisjointSets;

static bool
disjoint(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, int level)
{
	DisjointSets key = {a, b, level, false};
	DisjointSets *known;
	bool		found;

	if (p->disjoints == NULL)
	{
		HASHCTL		control = {.keysize = offsetof(DisjointSets, disjoint), .entrysize = sizeof(DisjointSets), .hcxt = p->context};

		p->disjoints = hash_create("event_validate disjoint sets", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	ev_spend(p, 5);
	known = hash_search(p->disjoints, &key, HASH_FIND, NULL);
	if (known != NULL)
		return known->disjoint;
	key.disjoint = look(p, a, b, level);
	known = hash_search(p->disjoints, &key, HASH_ENTER, &found);
	known->disjoint = key.disjoint;
	return key.disjoint;
}

bool
ev_disjoint(EvProver *p, EvSchemaSet *a, EvSchemaSet *b)
{
	return disjoint(p, a->proper, b->proper, 0);
}
