/*
 * changes_nots.c
 *	  What follows from a schema that must not match.
 *
 * Most schemas in "not", and most tests of conditions that fail, say one thing: a
 * type, a bound, or what one property is.  Then its opposite is a fact, too.
 *
 * changes_facts.c makes the facts of such a schema, and calls this file for them: the
 * two files are one recursion over the schemas.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"

/* Makes a bound of numbers as strict as the complement of another one. */
static void
add_complement(EvFacts *f, EvNumberFact bound, bool is_lower, EvOrigin origin)
{
	EvNumberFact *known = is_lower ? &f->upper : &f->lower;
	int			order;

	if (known->value != NULL)
	{
		order = ev_number_compare(bound.value, known->value);
		if (is_lower ? order > 0 : order < 0)
			return;
		if (order == 0 && (known->exclusive || bound.exclusive))
			return;
	}
	*known = (EvNumberFact) {bound.value, !bound.exclusive, origin};
}

/*
 * Do these facts say nothing but what bounds and the keywords of objects say?  For
 * integers, that they are integers says nothing.
 */
static bool
says_only_objects(const EvFacts *f, const EvFacts *n)
{
	return n->exact && (!n->integer || f->integer) && n->enums == NIL && n->multiples == NIL && n->patterns == NIL &&
		n->formats == NIL && n->contents == NIL && n->unique.subschema == NULL && n->array_shapes == NIL &&
		n->contains == NIL && n->names == NIL && n->dependencies == NIL && n->groups == NIL && n->nots == NIL &&
		n->conditions == NIL && n->opaques == NIL;
}

/* Returns how many bounds there are. */
static int
count_bounds(const EvFacts *n)
{
	return (n->lower.value != NULL) + (n->upper.value != NULL) + (n->min_length.value > 0) +
		(n->max_length.value != EV_NO_MAXIMUM) + (n->min_items.value > 0) + (n->max_items.value != EV_NO_MAXIMUM) +
		(n->min_properties.value > 0) + (n->max_properties.value != EV_NO_MAXIMUM);
}

/* Do these facts, which say nothing else, say something about one property? */
static bool
has_one_property(EvProver *p, const EvFacts *n)
{
	const EvObjectShape *shape = n->object_shapes != NIL ? linitial(n->object_shapes) : NULL;

	if (count_bounds(n) > 0 || list_length(n->required) > 1 || list_length(n->object_shapes) > 1 || n->declares_rest)
		return false;
	if (shape == NULL)
		return n->required != NIL;
	return list_length(shape->names) == 1 && shape->patterns == NIL && shape->rest == &p->truth &&
		(n->required == NIL || ev_strings_equal(&((EvNamedSchema *) linitial(shape->names))->name,
												&((EvTextFact *) linitial(n->required))->text));
}

/*
 * Adds what follows from a schema that must not match, if it is about one
 * property: the instance is of another type, or an object whose property does not
 * match the property's schema, or is absent if the schema requires it.
 */
static void
exclude_property(EvProver *p, EvFacts *f, const EvFacts *n, EvOrigin origin)
{
	EvExcludedFact *fact;

	if ((n->types & EV_BIT(EV_OBJECT)) == 0 || !has_one_property(p, n))
		return;
	fact = palloc0(sizeof(EvExcludedFact));
	if (n->object_shapes != NIL)
	{
		const EvNamedSchema *named = linitial(((EvObjectShape *) linitial(n->object_shapes))->names);

		fact->name = named->name;
		fact->schema = named->schema;
	}
	else
	{
		fact->name = ((EvTextFact *) linitial(n->required))->text;
		fact->schema = &p->truth;
	}
	f->types &= ~n->types | EV_BIT(EV_OBJECT);
	f->excluded = lappend(f->excluded, fact);
	if (n->required == NIL)
		ev_add_required(p, f, &fact->name, origin);
}

/*
 * Returns the group of facts that say nothing but what one anyOf says, besides
 * types that all instances of the set have; NULL if they are others.
 */
static const EvGroupFact *
only_any_of(const EvFacts *f, const EvFacts *n)
{
	EvFacts		others = *n;
	const EvGroupFact *group;

	if (list_length(n->groups) != 1 || (f->types & ~n->types) != 0)
		return NULL;
	others.groups = NIL;
	group = linitial(n->groups);
	if (group->one || !says_only_objects(f, &others) || count_bounds(n) > 0 || n->required != NIL ||
		n->object_shapes != NIL || n->declares_rest)
		return NULL;
	return group;
}

/*
 * If the schema has only types and one bound, the instance is of another type, or
 * beyond the bound.  If it has only anyOf, none of the members matches.
 */
void
ev_apply_not(EvProver *p, EvFacts *f, const EvSchemaFact *fact)
{
	const EvFacts *n = ev_facts(p, ev_set_of(p, fact->schema), EV_SUFFICIENT);
	EvOrigin	origin = fact->origin;
	const EvGroupFact *any_of = only_any_of(f, n);
	uint32		bounded = 0;
	ListCell   *cell;

	check_stack_depth();
	foreach(cell, any_of != NULL ? any_of->members : NIL)
	{
		EvSchemaFact member = {lfirst(cell), origin};

		ev_spend(p, 5);
		ev_apply_not(p, f, &member);
	}
	if (count_bounds(n) > 1 || !says_only_objects(f, n))
		return;
	if (n->required != NIL || n->object_shapes != NIL || n->declares_rest)
	{
		exclude_property(p, f, n, origin);
		return;
	}
	if (n->lower.value != NULL || n->upper.value != NULL)
		bounded = EV_BIT(EV_NUMBER);
	else if (n->min_length.value > 0 || n->max_length.value != EV_NO_MAXIMUM)
		bounded = EV_BIT(EV_STRING);
	else if (n->min_items.value > 0 || n->max_items.value != EV_NO_MAXIMUM)
		bounded = EV_BIT(EV_ARRAY);
	else if (n->min_properties.value > 0 || n->max_properties.value != EV_NO_MAXIMUM)
		bounded = EV_BIT(EV_OBJECT);
	f->types &= ~n->types | bounded;
	if ((n->types & bounded) == 0)
		return;
	if (n->lower.value != NULL)
		add_complement(f, n->lower, true, origin);
	if (n->upper.value != NULL)
		add_complement(f, n->upper, false, origin);
	if (n->min_length.value > 0 && n->min_length.value - 1 < f->max_length.value)
		f->max_length = (EvCountFact) {n->min_length.value - 1, origin};
	if (n->max_length.value != EV_NO_MAXIMUM && n->max_length.value + 1 > f->min_length.value)
		f->min_length = (EvCountFact) {n->max_length.value + 1, origin};
	if (n->min_items.value > 0 && n->min_items.value - 1 < f->max_items.value)
		f->max_items = (EvCountFact) {n->min_items.value - 1, origin};
	if (n->max_items.value != EV_NO_MAXIMUM && n->max_items.value + 1 > f->min_items.value)
		f->min_items = (EvCountFact) {n->max_items.value + 1, origin};
	if (n->min_properties.value > 0 && n->min_properties.value - 1 < f->max_properties.value)
		f->max_properties = (EvCountFact) {n->min_properties.value - 1, origin};
	if (n->max_properties.value != EV_NO_MAXIMUM && n->max_properties.value + 1 > f->min_properties.value)
		f->min_properties = (EvCountFact) {n->max_properties.value + 1, origin};
}
