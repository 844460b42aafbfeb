/*
 * changes_bounds.c
 *	  Refutations of bounds, without building a value.
 *
 * A string of 4001 characters shows that maxLength was decreased from 5000 to
 * 4000.  It need not be made: it is enough to know that there is one, since
 * nothing else restricts strings.  The same holds for numbers, and for the
 * numbers of items and of properties.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"

#define MOST_LEVELS		4		/* of arrays and objects within each other */
#define MOST_EXCLUDED	16		/* schemas of "not" */

/* Do only keywords of single types restrict a set? */
static bool
is_plain(const EvFacts *f)
{
	return f->exact && f->enums == NIL && f->groups == NIL && f->nots == NIL && f->conditions == NIL &&
		f->opaques == NIL;
}

/*
 * Is there a count that the bounds of `a` allow, those of `b` do not, and that is
 * at most `most`?
 */
static bool
counts_differ(EvCountFact a_min, EvCountFact a_max, EvCountFact b_min, EvCountFact b_max, uint32 most)
{
	uint32		upper = Min(a_max.value, most);

	if (a_min.value > upper)
		return false;
	return upper > b_max.value || a_min.value < b_min.value;
}

static uint32 items_to_have(EvProver *p, const EvFacts *f, int level);
static uint32 properties_to_have(EvProver *p, EvSchemaSet *set, const EvFacts *f, int level);

/*
 * Is it certain that a set has a value?  Arrays and objects with many children are
 * not made for it.
 */
static bool
has_value(EvProver *p, EvSchemaSet *set, int level)
{
	const EvFacts *f;

	if (set == p->anything || ev_has_samples(p, set, set, EV_ALL_TYPES) == EV_YES)
		return true;
	f = ev_facts(p, set->proper, EV_SUFFICIENT);
	if (level >= MOST_LEVELS || !is_plain(f))
		return false;
	check_stack_depth();
	if ((f->types & EV_BIT(EV_ARRAY)) != 0 && f->min_items.value <= f->max_items.value &&
		f->min_items.value <= items_to_have(p, f, level + 1))
		return true;
	return (f->types & EV_BIT(EV_OBJECT)) != 0 &&
		Max(f->min_properties.value, (uint32) list_length(f->required)) <= f->max_properties.value &&
		Max(f->min_properties.value, (uint32) list_length(f->required)) <= properties_to_have(p, set->proper, f, level + 1);
}

/*
 * Returns how many items an array can have, as far as values for them are
 * known.
 */
static uint32
items_to_have(EvProver *p, const EvFacts *f, int level)
{
	uint32		prefix = ev_facts_prefix(f);
	List	   *counted = NIL;
	ListCell   *cell;

	if (prefix > 100)
		return 0;
	if (f->unique.subschema != NULL)
		return f->contains == NIL && f->array_shapes == NIL ? EV_NO_MAXIMUM - 1 : 0;

	/* items that are all counted are as many as any number that must be */
	foreach(cell, f->contains)
	{
		const EvContainsFact *contains = lfirst(cell);

		if (contains->maximum != EV_NO_MAXIMUM || prefix > 0)
			return 0;
		counted = lappend(counted, contains->schema);
	}
	for (uint32 i = 0; i <= prefix; i++)
	{
		EvSchemaSet *item = ev_facts_item(p, f, i);

		foreach(cell, counted)
			item = ev_set_with(p, item, lfirst(cell));
		if (!has_value(p, item, level))
			return i;
	}
	return EV_NO_MAXIMUM - 1;
}

/*
 * Returns how many properties an object can have, as far as values for them
 * are known.
 */
static uint32
properties_to_have(EvProver *p, EvSchemaSet *set, const EvFacts *f, int level)
{
	uint32		count = 0;
	ListCell   *cell;

	if (f->names != NIL || f->dependencies != NIL)
		return 0;
	foreach(cell, f->required)
	{
		if (!has_value(p, ev_facts_property(p, f, &((EvTextFact *) lfirst(cell))->text), level))
			return 0;
	}
	if (has_value(p, ev_facts_rest(p, f), level))
	{
		/* without patterns, the number of possible names is unlimited */
		bool		has_patterns = false;

		foreach(cell, f->object_shapes)
			has_patterns = has_patterns || ((EvObjectShape *) lfirst(cell))->patterns != NIL;
		if (!has_patterns)
			return EV_NO_MAXIMUM - 1;
	}
	foreach(cell, ev_names_of(p, set, p->anything))
		count += has_value(p, ev_facts_property(p, f, lfirst(cell)), level);
	return count;
}

/* Is there a number in the range of `a` that is not in that of `b`? */
static bool
ranges_differ(const EvFacts *a, EvNumberFact b_lower, EvNumberFact b_upper)
{
	EvNumberFact a_lower = ev_facts_lower(a);
	EvNumberFact a_upper = ev_facts_upper(a);
	int			order;

	/*
	 * bounds that are too large for calculations may have no integer between
	 * them
	 */
	if (a->multiples != NIL ||
		(a->integer && ((a_lower.value != NULL && !ev_number_is_moderate(a_lower.value)) ||
						(a_upper.value != NULL && !ev_number_is_moderate(a_upper.value)))))
		return false;
	if (a_lower.value != NULL && a_upper.value != NULL)
	{
		order = ev_number_compare(a_lower.value, a_upper.value);
		if (order > 0 || (order == 0 && (a_lower.exclusive || a_upper.exclusive)))
			return false;
	}
	if (b_lower.value != NULL)
	{
		order = a_lower.value == NULL ? -1 : ev_number_compare(a_lower.value, b_lower.value);
		if (order < 0 || (order == 0 && b_lower.exclusive && !a_lower.exclusive))
			return true;
	}
	if (b_upper.value != NULL)
	{
		order = a_upper.value == NULL ? 1 : ev_number_compare(a_upper.value, b_upper.value);
		if (order > 0 || (order == 0 && b_upper.exclusive && !a_upper.exclusive))
			return true;
	}
	return false;
}

/* Does no value of `a` match any member of one of b's groups, or each one a schema that b excludes? */
static bool
excludes_all(EvProver *p, EvSchemaSet *a, const EvFacts *fb, uint32 kinds)
{
	ListCell   *cell;
	ListCell   *member;

	foreach(cell, (kinds & EV_FACT_GROUPS) != 0 ? fb->groups : NIL)
	{
		bool		all = true;

		foreach(member, ((EvGroupFact *) lfirst(cell))->members)
			all = all && ev_disjoint(p, a, ev_set_of(p, lfirst(member)));
		if (all)
			return true;
	}
	/* for each row of one "not" of many, the others would be asked again */
	foreach(cell, (kinds & EV_FACT_NOT) != 0 && list_length(fb->nots) <= MOST_EXCLUDED ? fb->nots : NIL)
	{
		if (ev_prove(p, a, ev_set_of(p, ((EvSchemaFact *) lfirst(cell))->schema), NULL, EV_FACT_ALL))
			return true;
	}
	return false;
}

bool
ev_bounds_differ(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, uint32 kinds)
{
	const EvFacts *fa = ev_facts(p, a->proper, EV_SUFFICIENT);
	const EvFacts *fb = ev_facts(p, b->proper, EV_NECESSARY);

	EvCountFact no_minimum = {0};
	EvCountFact no_maximum = {EV_NO_MAXIMUM, {0}};
	EvNumberFact none = {0};

#define MINIMUM(kind, bound) ((kinds & EV_FACT_##kind) != 0 ? fb->bound : no_minimum)
#define MAXIMUM(kind, bound) ((kinds & EV_FACT_##kind) != 0 ? fb->bound : no_maximum)
	if (excludes_all(p, a->proper, fb, kinds))
		return has_value(p, a->proper, 0);
	if ((kinds & ~EV_FACT_BOUNDS) != 0 || !is_plain(fa))
		return false;
	if ((kinds & (EV_FACT_LOWER | EV_FACT_UPPER)) != 0 && (fa->types & EV_BIT(EV_NUMBER)) != 0)
		return ranges_differ(fa, (kinds & EV_FACT_LOWER) != 0 ? fb->lower : none,
							 (kinds & EV_FACT_UPPER) != 0 ? fb->upper : none);
	if ((kinds & (EV_FACT_MIN_LENGTH | EV_FACT_MAX_LENGTH)) != 0 && (fa->types & EV_BIT(EV_STRING)) != 0)
		return fa->patterns == NIL && fa->formats == NIL && fa->contents == NIL &&
			counts_differ(fa->min_length, fa->max_length, MINIMUM(MIN_LENGTH, min_length),
						  MAXIMUM(MAX_LENGTH, max_length), EV_NO_MAXIMUM - 1);
	if ((kinds & (EV_FACT_MIN_ITEMS | EV_FACT_MAX_ITEMS)) != 0 && (fa->types & EV_BIT(EV_ARRAY)) != 0)
		return counts_differ(fa->min_items, fa->max_items, MINIMUM(MIN_ITEMS, min_items),
							 MAXIMUM(MAX_ITEMS, max_items), items_to_have(p, fa, 0));
	if ((kinds & (EV_FACT_MIN_PROPERTIES | EV_FACT_MAX_PROPERTIES)) != 0 && (fa->types & EV_BIT(EV_OBJECT)) != 0)
	{
		EvCountFact least = fa->min_properties;

		least.value = Max(least.value, (uint32) list_length(fa->required));
		return counts_differ(least, fa->max_properties, MINIMUM(MIN_PROPERTIES, min_properties),
							 MAXIMUM(MAX_PROPERTIES, max_properties),
							 properties_to_have(p, a->proper, fa, 0));
	}
#undef MINIMUM
#undef MAXIMUM
	return false;
}
