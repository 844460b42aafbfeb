/*
 * changes_children.c
 *	  Differences in properties and items.
 *
 * Each child is a pair of schemas to list, for which this file calls
 * changes_list.c (ev_list_pair), which calls this file for their children: the two
 * files are one recursion over the schemas.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "changes/changes_list.h"

/* ---------- verdicts on children ---------- */

bool
ev_change_is_refuted(EvLister *l, int first, bool forward)
{
	ev_spend(l->prover, list_length(l->changes) - first);
	for (int i = first; i < list_length(l->changes); i++)
	{
		const EvChange *change = list_nth(l->changes, i);

		if ((forward ? change->forward : change->backward) == EV_INCOMPATIBLE)
			return true;
	}
	return false;
}

void
ev_change_limit(EvLister *l, int first, bool forward, EvVerdict worst)
{
	ev_spend(l->prover, list_length(l->changes) - first);
	for (int i = first; i < list_length(l->changes); i++)
	{
		EvChange   *change = list_nth(l->changes, i);
		EvVerdict  *verdict = forward ? &change->forward : &change->backward;

		*verdict = Min(*verdict, worst);
	}
}

/* ---------- properties ---------- */

/*
 * Returns the member of properties with this name, or the one of
 * patternProperties with this pattern, and its origin; NULL if there is none.
 */
static const EvNamedSchema *
find_named(EvProver *p, const EvFacts *f, bool is_pattern, const EvString *name, EvOrigin *origin)
{
	ListCell   *cell;
	ListCell   *named_cell;

	foreach(cell, f->object_shapes)
	{
		EvObjectShape *shape = lfirst(cell);
		const EvNamedSchema *found = NULL;

		if (!shape->evaluates)
			continue;
		if (!is_pattern)
			found = ev_shape_name(p, shape, name);
		else
			ev_spend(p, list_length(shape->patterns));
		foreach(named_cell, is_pattern ? shape->patterns : NIL)
		{
			if (ev_strings_equal(&((EvNamedSchema *) lfirst(named_cell))->name, name))
				found = lfirst(named_cell);
		}
		if (found != NULL)
		{
			*origin = (EvOrigin) {shape->subschema, found->tail};
			return found;
		}
	}
	return NULL;
}

/*
 * Does the fact that `b` requires a property exclude instances of `a`?  Branches of `a`
 * can require it.
 */
static bool
lacks_required(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, const EvString *name)
{
	const EvFacts *facts = ev_facts(p, a->proper, EV_NECESSARY);
	const EvTextFact *required = ev_facts_requires(p, ev_facts(p, b, EV_SUFFICIENT), name);

	if (required == NULL || ev_facts_requires(p, facts, name) != NULL)
		return false;
	return (facts->groups == NIL && facts->conditions == NIL) ||
		!ev_prove_single(p, a, b, scope, EV_FACT_REQUIRED, required->origin);
}

/*
 * Returns the verdict on a property in one direction, for its value and its
 * presence.
 */
static EvVerdict
property_verdict(EvLister *l, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, const EvString *name)
{
	EvProver   *p = l->prover;
	const EvFacts *fa = ev_facts(p, a->proper, EV_NECESSARY);
	const EvFacts *fb = ev_facts(p, b, EV_SUFFICIENT);

	if (lacks_required(p, a, b, scope, name))
		return EV_INCOMPATIBLE;
	if (ev_prove_property(p, a, b, scope, name))
		return EV_COMPATIBLE;
	return ev_change_verdict(l, ev_facts_property(p, fa, name), ev_facts_property(p, fb, name),
							 ev_scope_property(p, scope, name), EV_FACT_ALL, EV_ALL_TYPES, false);
}

static void
report_property(EvLister *l, EvPair *pair, const EvString *name, EvChangeRule rule, EvOrigin origin,
				const char *what)
{
	EvVerdict	backward = l->prover->proved_backward ? EV_COMPATIBLE : property_verdict(l, pair->old, pair->new, pair->scope, name);
	EvVerdict	forward = l->prover->proved_forward ? EV_COMPATIBLE : property_verdict(l, pair->new, pair->old, pair->scope, name);
	bool		is_lenient = pair->scope != NULL &&
		(backward < property_verdict(l, pair->old, pair->new, NULL, name) ||
		 forward < property_verdict(l, pair->new, pair->old, NULL, name));

	ev_change_add(l, rule, ev_change_location(l, origin), backward, forward, "%s%s", what,
				  is_lenient ? " (Lenient: events of a schema that does not declare it are assumed not to have it.)" : "");
}

/* Reports that a property became required, or optional. */
static void
report_required(EvLister *l, EvPair *pair, const EvString *name, EvOrigin origin, bool is_required)
{
	EvSchemaSet *other = is_required ? pair->old : pair->new;
	EvVerdict	verdict = lacks_required(l->prover, other, is_required ? pair->new : pair->old, pair->scope, name) ?
		EV_INCOMPATIBLE : EV_COMPATIBLE;

	ev_change_add(l, is_required ? EV_CHANGE_PROPERTY_BECAME_REQUIRED : EV_CHANGE_PROPERTY_BECAME_OPTIONAL,
				  ev_change_location(l, origin),
				  is_required ? verdict : EV_COMPATIBLE, is_required ? EV_COMPATIBLE : verdict,
				  is_required ? "The property %s is required now." : "The property %s is no longer required.",
				  ev_name_text(name));
}

/*
 * Lists the differences of a property.  What the schema around it excludes is not
 * part of the property's own schemas, so a value that tells these apart need not be
 * one that the property can have: then the verdict on the property in its object
 * is the worst one for each change.
 */
static void
list_property_pair(EvLister *l, EvPair *pair, const EvString *name, EvSchemaSet *old, EvSchemaSet *new, EvOrigin origin)
{
	EvProver   *p = l->prover;
	int			first = list_length(l->changes);

	ev_list_pair(l, old, new, ev_scope_property(p, pair->scope, name), origin);
	for (int forward = 0; forward < 2; forward++)
	{
		EvSchemaSet *a = forward ? pair->new : pair->old;

		if (ev_facts(p, a->proper, EV_NECESSARY)->nots != NIL && ev_change_is_refuted(l, first, forward == 1))
			ev_change_limit(l, first, forward == 1,
							property_verdict(l, a, forward ? pair->old : pair->new, pair->scope, name));
	}
}

static void
list_property(EvLister *l, EvPair *pair, const EvString *name)
{
	EvProver   *p = l->prover;
	EvOrigin	old_origin;
	EvOrigin	new_origin;
	bool		in_old = find_named(p, pair->old_facts, false, name, &old_origin) != NULL;
	bool		in_new = find_named(p, pair->new_facts, false, name, &new_origin) != NULL;
	const EvTextFact *old_required = ev_facts_requires(p, pair->old_facts, name);
	const EvTextFact *new_required = ev_facts_requires(p, pair->new_facts, name);

	if (in_new && !in_old)
	{
		if (new_required != NULL && old_required == NULL)
			report_property(l, pair, name, EV_CHANGE_PROPERTY_REQUIRED_ADDED, new_origin,
							psprintf("The property %s was added and is required.", ev_name_text(name)));
		else
			report_property(l, pair, name, EV_CHANGE_PROPERTY_OPTIONAL_ADDED, new_origin,
							psprintf("The property %s was added.", ev_name_text(name)));
		return;
	}
	if (in_old && !in_new)
	{
		if (old_required != NULL && new_required == NULL)
			report_property(l, pair, name, EV_CHANGE_PROPERTY_REQUIRED_REMOVED, old_origin,
							psprintf("The property %s, which was required, was removed.", ev_name_text(name)));
		else
			report_property(l, pair, name, EV_CHANGE_PROPERTY_OPTIONAL_REMOVED, old_origin,
							psprintf("The property %s was removed.", ev_name_text(name)));
		return;
	}
	if ((old_required != NULL) != (new_required != NULL))
		report_required(l, pair, name, in_new ? new_origin : new_required ? new_required->origin : old_required->origin,
						new_required != NULL);
	if (in_old && in_new)
	{
		EvSchemaSet *old = ev_facts_property(p, pair->old_facts, name);
		EvSchemaSet *new = ev_facts_property(p, pair->new_facts, name);

		if (!ev_worded_same(old, new))
			list_property_pair(l, pair, name, old, new, new_origin);
	}
}

/*
 * Finds the keyword for additional properties, if it has an effect; false if
 * there is none.
 */
static bool
rest_origin(EvProver *p, const EvFacts *f, EvOrigin *origin, EvSubschema **rest)
{
	ListCell   *cell;

	foreach(cell, f->object_shapes)
	{
		EvObjectShape *shape = lfirst(cell);

		if (shape->rest == &p->truth)
			continue;
		*origin = (EvOrigin) {shape->subschema, shape->rest_tail};
		*rest = shape->rest;
		return true;
	}
	return false;
}

static void
list_rest(EvLister *l, EvPair *pair)
{
	EvProver   *p = l->prover;
	EvSchemaSet *old = ev_facts_rest(p, pair->old_facts);
	EvSchemaSet *new = ev_facts_rest(p, pair->new_facts);
	EvOrigin	origin;
	EvSubschema *rest;
	bool		old_closed = ev_prove_empty(p, old);
	bool		new_closed = ev_prove_empty(p, new);

	if (old == new || (old_closed && new_closed))
		return;
	if (!rest_origin(p, pair->new_facts, &origin, &rest) && !rest_origin(p, pair->old_facts, &origin, &rest))
		return;
	if (new_closed)
		ev_change_add(l, EV_CHANGE_ADDITIONAL_PROPERTIES_CLOSED, ev_change_location(l, origin),
					  ev_prove_rest(p, pair->old, pair->new, pair->scope) ? EV_COMPATIBLE : EV_INCOMPATIBLE,
					  EV_COMPATIBLE, "Undeclared properties are no longer allowed.");
	else if (old_closed)
		ev_change_add(l, EV_CHANGE_ADDITIONAL_PROPERTIES_OPENED, ev_change_location(l, origin), EV_COMPATIBLE,
					  ev_prove_rest(p, pair->new, pair->old, pair->scope) ? EV_COMPATIBLE : EV_INCOMPATIBLE,
					  "Undeclared properties are allowed now.");
	else
		ev_list_pair(l, old, new, ev_scope_rest(p, pair->scope), origin);
}

static void
list_patterns_of(EvLister *l, EvPair *pair, const EvFacts *from, const EvFacts *to, bool is_new)
{
	EvProver   *p = l->prover;
	ListCell   *cell;
	ListCell   *named_cell;

	foreach(cell, from->object_shapes)
	{
		foreach(named_cell, ((EvObjectShape *) lfirst(cell))->patterns)
		{
			EvNamedSchema *named = lfirst(named_cell);
			const EvNamedSchema *other;
			EvOrigin	origin;
			EvOrigin	other_origin;

			if (find_named(p, from, true, &named->name, &origin) != named)
				continue;
			other = find_named(p, to, true, &named->name, &other_origin);
			if (other == NULL)
				ev_change_report(l, pair, is_new ? EV_CHANGE_PATTERN_PROPERTIES_ADDED : EV_CHANGE_PATTERN_PROPERTIES_REMOVED,
								 EV_BOTH, origin, EV_FACT_PROPERTIES, EV_BIT(EV_OBJECT), false,
								 psprintf(is_new ? "Properties whose names match %s have a schema now." :
										  "Properties whose names match %s have no schema of their own any more.",
										  ev_name_text(&named->name)));
			else if (is_new)
				ev_list_pair(l, ev_set_written_of(p, other->schema), ev_set_written_of(p, named->schema),
							 ev_scope_rest(p, pair->scope), origin);
		}
	}
}

static void
list_names(EvLister *l, EvPair *pair)
{
	const List *old = pair->old_facts->names;
	const List *new = pair->new_facts->names;
	bool		same = list_length(old) == list_length(new);

	for (int i = 0; i < list_length(old) && same; i++)
		same = ev_schemas_same(l->prover, ((EvSchemaFact *) list_nth(old, i))->schema,
							   ((EvSchemaFact *) list_nth(new, i))->schema);
	if (same)
		return;
	if (old == NIL)
		ev_change_report(l, pair, EV_CHANGE_PROPERTY_NAMES_ADDED, EV_ADDED, ((EvSchemaFact *) linitial(new))->origin,
						 EV_FACT_NAMES, EV_BIT(EV_OBJECT), false, "The names of properties are restricted now.");
	else if (new == NIL)
		ev_change_report(l, pair, EV_CHANGE_PROPERTY_NAMES_REMOVED, EV_REMOVED, ((EvSchemaFact *) linitial(old))->origin,
						 EV_FACT_NAMES, EV_BIT(EV_OBJECT), false, "The names of properties are not restricted any more.");
	else
		ev_change_report(l, pair, EV_CHANGE_PROPERTY_NAMES_CHANGED, EV_BOTH, ((EvSchemaFact *) linitial(new))->origin,
						 EV_FACT_NAMES, EV_BIT(EV_OBJECT), false, "The names of properties are restricted in another way.");
}

static const EvDependencyFact *
find_dependency(EvProver *p, const EvFacts *f, const EvDependencyFact *like)
{
	ListCell   *cell;

	ev_spend(p, list_length(f->dependencies));
	foreach(cell, f->dependencies)
	{
		EvDependencyFact *fact = lfirst(cell);

		if (ev_strings_equal(&fact->property, &like->property) && (fact->schema == NULL) == (like->schema == NULL))
			return fact;
	}
	return NULL;
}

/* Lists the dependencies that one side has and the other lacks. */
static void
list_dependencies_of(EvLister *l, EvPair *pair, const EvFacts *from, const EvFacts *to, bool is_new)
{
	EvSide		side = is_new ? EV_ADDED : EV_REMOVED;
	ListCell   *cell;
	ListCell   *name;

	foreach(cell, from->dependencies)
	{
		EvDependencyFact *dependency = lfirst(cell);
		const EvDependencyFact *other = find_dependency(l->prover, to, dependency);

		foreach(name, dependency->required)
		{
			if (other == NULL || !ev_string_among(l->prover, other->required, lfirst(name)))
				ev_change_report(l, pair, is_new ? EV_CHANGE_DEPENDENT_REQUIRED_ADDED : EV_CHANGE_DEPENDENT_REQUIRED_REMOVED,
								 side, dependency->origin, EV_FACT_DEPENDENCIES, EV_BIT(EV_OBJECT), true,
								 psprintf(is_new ? "The property %s requires %s now." : "The property %s does not require %s any more.",
										  ev_name_text(&dependency->property), ev_name_text(lfirst(name))));
		}
		if (dependency->schema == NULL)
			continue;
		if (other == NULL)
			ev_change_report(l, pair, is_new ? EV_CHANGE_DEPENDENT_SCHEMA_ADDED : EV_CHANGE_DEPENDENT_SCHEMA_REMOVED,
							 side, dependency->origin, EV_FACT_DEPENDENCIES, EV_BIT(EV_OBJECT), true,
							 psprintf(is_new ? "The property %s needs its object to match a schema now." :
									  "The property %s does not need its object to match a schema any more.",
									  ev_name_text(&dependency->property)));
		else if (is_new && !ev_schemas_same(l->prover, other->schema, dependency->schema))
			ev_change_report(l, pair, EV_CHANGE_DEPENDENT_SCHEMA_CHANGED, EV_BOTH, dependency->origin,
							 EV_FACT_DEPENDENCIES, EV_BIT(EV_OBJECT), false,
							 psprintf("The schema that the property %s needs its object to match changed.",
									  ev_name_text(&dependency->property)));
	}
}

void
ev_list_properties(EvLister *l, EvPair *pair)
{
	EvProver   *p = l->prover;
	ListCell   *cell;

	/* in the order of the new schema, then those of the old one only */
	foreach(cell, ev_names_of(p, pair->new, pair->old))
		list_property(l, pair, lfirst(cell));
	list_patterns_of(l, pair, pair->new_facts, pair->old_facts, true);
	list_patterns_of(l, pair, pair->old_facts, pair->new_facts, false);
	list_rest(l, pair);
	list_names(l, pair);
	list_dependencies_of(l, pair, pair->new_facts, pair->old_facts, true);
	list_dependencies_of(l, pair, pair->old_facts, pair->new_facts, false);
}

/* ---------- items ---------- */

static const EvNamedSchema *
prefix_item(EvProver *p, const EvFacts *f, int index, EvOrigin *origin)
{
	ListCell   *cell;

	ev_spend(p, list_length(f->array_shapes));
	foreach(cell, f->array_shapes)
	{
		EvArrayShape *shape = lfirst(cell);
		const EvNamedSchema *item;

		if (index >= list_length(shape->prefix))
			continue;
		item = list_nth(shape->prefix, index);
		if (item->tail == NULL)
			continue;
		*origin = (EvOrigin) {shape->subschema, item->tail};
		return item;
	}
	return NULL;
}

static EvVerdict
item_verdict(EvLister *l, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 index)
{
	EvProver   *p = l->prover;

	if (ev_most_items(p, a) <= index || ev_prove_item(p, a, b, scope, index))
		return EV_COMPATIBLE;
	return ev_change_verdict(l, ev_facts_item(p, ev_facts(p, a, EV_NECESSARY), index),
							 ev_facts_item(p, ev_facts(p, b, EV_SUFFICIENT), index),
							 ev_scope_item(p, scope, index), EV_FACT_ALL, EV_ALL_TYPES, false);
}

static bool
items_origin(EvProver *p, const EvFacts *f, EvOrigin *origin)
{
	ListCell   *cell;

	foreach(cell, f->array_shapes)
	{
		EvArrayShape *shape = lfirst(cell);

		if (shape->rest == &p->truth)
			continue;
		*origin = (EvOrigin) {shape->subschema, shape->rest_tail};
		return true;
	}
	return false;
}

static void
list_contains(EvLister *l, EvPair *pair)
{
	const List *old = pair->old_facts->contains;
	const List *new = pair->new_facts->contains;
	bool		same = list_length(old) == list_length(new);

	for (int i = 0; i < list_length(old) && same; i++)
	{
		EvContainsFact *a = list_nth(old, i);
		EvContainsFact *b = list_nth(new, i);

		same = a->minimum == b->minimum && a->maximum == b->maximum &&
			ev_schemas_same(l->prover, a->schema, b->schema);
	}
	if (same)
		return;
	if (old == NIL)
		ev_change_report(l, pair, EV_CHANGE_CONTAINS_ADDED, EV_ADDED, ((EvContainsFact *) linitial(new))->origin,
						 EV_FACT_CONTAINS, EV_BIT(EV_ARRAY), false, "Arrays must contain a number of certain items now.");
	else if (new == NIL)
		ev_change_report(l, pair, EV_CHANGE_CONTAINS_REMOVED, EV_REMOVED, ((EvContainsFact *) linitial(old))->origin,
						 EV_FACT_CONTAINS, EV_BIT(EV_ARRAY), false, "Arrays need not contain certain items any more.");
	else
		ev_change_report(l, pair, EV_CHANGE_CONTAINS_CHANGED, EV_BOTH, ((EvContainsFact *) linitial(new))->origin,
						 EV_FACT_CONTAINS, EV_BIT(EV_ARRAY), false, "Arrays must contain other items, or another number of them.");
}

void
ev_list_items(EvLister *l, EvPair *pair)
{
	EvProver   *p = l->prover;
	const EvFacts *old = pair->old_facts;
	const EvFacts *new = pair->new_facts;
	uint32		prefix = Max(ev_facts_prefix(old), ev_facts_prefix(new));
	EvSchemaSet *old_rest = ev_facts_item(p, old, prefix);
	EvSchemaSet *new_rest = ev_facts_item(p, new, prefix);
	EvOrigin	origin;

	for (uint32 i = 0; i < prefix; i++)
	{
		EvOrigin	old_origin;
		const EvNamedSchema *in_old = prefix_item(p, old, i, &old_origin);
		const EvNamedSchema *in_new = prefix_item(p, new, i, &origin);

		if (in_old != NULL && in_new != NULL)
			ev_list_pair(l, ev_facts_item(p, old, i), ev_facts_item(p, new, i), ev_scope_item(p, pair->scope, i), origin);
		else if (in_old != NULL || in_new != NULL)
			ev_change_add(l, in_new != NULL ? EV_CHANGE_ITEM_ADDED : EV_CHANGE_ITEM_REMOVED,
						  ev_change_location(l, in_new != NULL ? origin : old_origin),
						  item_verdict(l, pair->old, pair->new, pair->scope, i),
						  item_verdict(l, pair->new, pair->old, pair->scope, i),
						  in_new != NULL ? "Position %u has a schema of its own now." :
						  "Position %u has no schema of its own any more.", i);
	}

	if (old_rest != new_rest && (items_origin(p, new, &origin) || items_origin(p, old, &origin)))
	{
		bool		old_closed = ev_prove_empty(p, old_rest);
		bool		new_closed = ev_prove_empty(p, new_rest);

		if (new_closed && !old_closed)
			ev_change_add(l, EV_CHANGE_ITEMS_CLOSED, ev_change_location(l, origin),
						  ev_most_items(p, pair->old) <= prefix ? EV_COMPATIBLE : EV_INCOMPATIBLE, EV_COMPATIBLE,
						  "Further items are no longer allowed.");
		else if (old_closed && !new_closed)
			ev_change_add(l, EV_CHANGE_ITEMS_OPENED, ev_change_location(l, origin), EV_COMPATIBLE,
						  ev_most_items(p, pair->new) <= prefix ? EV_COMPATIBLE : EV_INCOMPATIBLE,
						  "Further items are allowed now.");
		else if (!old_closed)
			ev_list_pair(l, old_rest, new_rest, ev_scope_item(p, pair->scope, prefix), origin);
	}
	list_contains(l, pair);
}
