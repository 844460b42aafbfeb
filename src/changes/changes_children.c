/*
 * changes_children.c
 *	  Differences in properties, items and branches.
 *
 * Each child is a pair of schemas to list, for which this file calls
 * changes_list.c (ev_list_pair), which calls this file for their children: the two
 * files are one recursion over the schemas.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "changes/changes_list.h"

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
		List	   *named_schemas = is_pattern ? shape->patterns : shape->names;

		ev_spend(p, list_length(named_schemas));
		if (!shape->evaluates)
			continue;
		foreach(named_cell, named_schemas)
		{
			EvNamedSchema *named = lfirst(named_cell);

			if (ev_strings_equal(&named->name, name))
			{
				*origin = (EvOrigin) {shape->subschema, named->tail};
				return named;
			}
		}
	}
	return NULL;
}

/*
 * Returns the verdict on a property in one direction, for its value and its
 * presence.
 */
static EvVerdict
property_verdict(EvLister *l, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, const EvString *name)
{
	EvProver   *p = l->prover;
	const EvFacts *fa = ev_facts(p, a, EV_NECESSARY);
	const EvFacts *fb = ev_facts(p, b, EV_SUFFICIENT);

	if (ev_facts_requires(p, fb, name) != NULL && ev_facts_requires(p, fa, name) == NULL)
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
	EvVerdict	backward = property_verdict(l, pair->old, pair->new, pair->scope, name);
	EvVerdict	forward = property_verdict(l, pair->new, pair->old, pair->scope, name);
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
	const EvFacts *other = ev_facts(l->prover, is_required ? pair->old : pair->new, EV_NECESSARY);
	EvVerdict	verdict = ev_facts_requires(l->prover, other, name) != NULL ? EV_COMPATIBLE : EV_INCOMPATIBLE;

	ev_change_add(l, is_required ? EV_CHANGE_PROPERTY_BECAME_REQUIRED : EV_CHANGE_PROPERTY_BECAME_OPTIONAL,
				  ev_change_location(l, origin),
				  is_required ? verdict : EV_COMPATIBLE, is_required ? EV_COMPATIBLE : verdict,
				  is_required ? "The property %s is required now." : "The property %s is no longer required.",
				  ev_name_text(name));
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
		ev_list_pair(l, ev_facts_property(p, pair->old_facts, name), ev_facts_property(p, pair->new_facts, name),
					 ev_scope_property(p, pair->scope, name), new_origin);
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
				ev_list_pair(l, ev_set_of(p, other->schema), ev_set_of(p, named->schema),
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

/* ---------- branches ---------- */

/* Pairs equal members, then similar ones, then the rest in order. */
static List *
match_members(EvProver *p, List *old, List *new, List **old_left, List **new_left)
{
	List	   *pairs = NIL;
	ListCell   *cell;
	ListCell   *other;

	*old_left = NIL;
	*new_left = list_copy(new);
	foreach(cell, old)
	{
		EvSubschema *same = NULL;

		ev_spend(p, list_length(*new_left));
		foreach(other, *new_left)
		{
			if (same == NULL && ev_schemas_same(p, lfirst(cell), lfirst(other)))
				same = lfirst(other);
		}
		if (same != NULL)
			*new_left = list_delete_ptr(*new_left, same);
		else
			*old_left = lappend(*old_left, lfirst(cell));
	}

	/* then similar members, one of which implies the other, */
	foreach(cell, list_copy(*old_left))
	{
		EvSchemaSet *a = ev_set_of(p, lfirst(cell));
		EvSubschema *like = NULL;

		ev_spend(p, (list_length(*old_left) + list_length(*new_left)) / 8);
		foreach(other, *new_left)
		{
			EvSchemaSet *b = ev_set_of(p, lfirst(other));

			if (like == NULL && (ev_prove(p, a, b, NULL, EV_FACT_ALL) || ev_prove(p, b, a, NULL, EV_FACT_ALL)))
				like = lfirst(other);
		}
		if (like == NULL)
			continue;
		pairs = lappend(pairs, list_make2(lfirst(cell), like));
		*new_left = list_delete_ptr(*new_left, like);
		*old_left = list_delete_ptr(*old_left, lfirst(cell));
	}

	/* then, if both sides have the same number left, in order */
	if (list_length(*old_left) == list_length(*new_left))
	{
		for (int i = 0; i < list_length(*old_left); i++)
			pairs = lappend(pairs, list_make2(list_nth(*old_left, i), list_nth(*new_left, i)));
		*old_left = *new_left = NIL;
	}
	return pairs;
}

static EvOrigin
member_origin(EvProver *p, const EvGroupFact *group, const EvSubschema *member)
{
	if (member == &p->truth || member == &p->falsehood)
		return group->origin;
	return (EvOrigin) {member, ""};
}

static void
list_group(EvLister *l, EvPair *pair, const EvGroupFact *old, const EvGroupFact *new)
{
	EvProver   *p = l->prover;
	List	   *old_left;
	List	   *new_left;
	List	   *pairs = match_members(p, old->members, new->members, &old_left, &new_left);
	int			first = list_length(l->changes);
	EvVerdict	backward;
	EvVerdict	forward;
	uint32		types;
	ListCell   *cell;

	if (pairs == NIL && old_left == NIL && new_left == NIL && old->one == new->one)
		return;

	/* more members of oneOf can be incompatible, if they overlap */
	types = old->one && new_left != NIL ? 0 : EV_ALL_TYPES;
	backward = ev_change_verdict(l, pair->old, pair->new, pair->scope, EV_FACT_GROUPS, types, false);
	forward = ev_change_verdict(l, pair->new, pair->old, pair->scope, EV_FACT_GROUPS,
								old->one && !new->one ? 0 : types, false);

	if (old->one != new->one)
		ev_change_add(l, new->one ? EV_CHANGE_ANY_OF_BECAME_ONE_OF : EV_CHANGE_ONE_OF_BECAME_ANY_OF,
					  ev_change_location(l, new->origin), backward, forward,
					  new->one ? "Only one of the schemas may apply now." : "More than one of the schemas may apply now.");
	foreach(cell, old_left)
	{
		ev_change_add(l, new->one ? EV_CHANGE_ONE_OF_MEMBER_REMOVED : EV_CHANGE_ANY_OF_MEMBER_REMOVED,
					  ev_change_location(l, member_origin(p, old, lfirst(cell))), backward, forward,
					  "One schema less may apply.");
	}
	foreach(cell, new_left)
	{
		ev_change_add(l, new->one ? EV_CHANGE_ONE_OF_MEMBER_ADDED : EV_CHANGE_ANY_OF_MEMBER_ADDED,
					  ev_change_location(l, member_origin(p, new, lfirst(cell))), backward, forward,
					  "One more schema may apply.");
	}
	foreach(cell, pairs)
	{
		List	   *members = lfirst(cell);
		int			inner = list_length(l->changes);

		ev_list_pair(l, ev_set_of(p, linitial(members)), ev_set_of(p, lsecond(members)), pair->scope,
					 member_origin(p, new, lsecond(members)));

		/* a refutation for one branch does not refute the whole */
		ev_spend(p, list_length(l->changes) - inner);
		for (int i = inner; i < list_length(l->changes); i++)
		{
			EvChange   *change = list_nth(l->changes, i);

			change->backward = Min(change->backward, backward);
			change->forward = Min(change->forward, forward);
		}
	}
	ev_change_settle(l, first, backward, forward, new->origin,
					 new->one ? "The schemas of which one must apply may overlap otherwise now." :
					 "The schemas of which one must apply changed.");
}

static void
list_groups(EvLister *l, EvPair *pair)
{
	List	   *new_left = list_copy(pair->new_facts->groups);
	List	   *old_left = NIL;
	ListCell   *cell;
	ListCell   *other;

	/* first pair groups with common members, then groups of one keyword */
	for (int round = 0; round < 3; round++)
	{
		List	   *from = round == 0 ? pair->old_facts->groups : old_left;

		old_left = NIL;
		foreach(cell, from)
		{
			EvGroupFact *old = lfirst(cell);
			EvGroupFact *found = NULL;

			ev_spend(l->prover, list_length(new_left));
			foreach(other, new_left)
			{
				EvGroupFact *new = lfirst(other);
				ListCell   *a;
				ListCell   *b;

				if (found == NULL && round > 0 && (round > 1 || old->one == new->one))
					found = new;
				if (round == 0)
				{
					foreach(a, old->members)
					{
						foreach(b, new->members)
						{
							if (found == NULL && ev_schemas_same(l->prover, lfirst(a), lfirst(b)))
								found = new;
						}
					}
				}
			}
			if (found == NULL)
				old_left = lappend(old_left, old);
			else
			{
				new_left = list_delete_ptr(new_left, found);
				list_group(l, pair, old, found);
			}
		}
	}
	foreach(cell, old_left)
	{
		EvGroupFact *group = lfirst(cell);

		ev_change_report(l, pair, group->one ? EV_CHANGE_ONE_OF_REMOVED : EV_CHANGE_ANY_OF_REMOVED, EV_REMOVED,
						 group->origin, EV_FACT_GROUPS, EV_ALL_TYPES, false,
						 "None of several schemas need apply any more.");
	}
	foreach(cell, new_left)
	{
		EvGroupFact *group = lfirst(cell);

		ev_change_report(l, pair, group->one ? EV_CHANGE_ONE_OF_ADDED : EV_CHANGE_ANY_OF_ADDED, EV_ADDED,
						 group->origin, EV_FACT_GROUPS, EV_ALL_TYPES, false,
						 group->one ? "Exactly one of several schemas must apply now." :
						 "One of several schemas must apply now.");
	}
}

/* ---------- not, if, and opaque keywords ---------- */

static void
list_nots(EvLister *l, EvPair *pair)
{
	List	   *old_left = NIL;
	List	   *new_left = list_copy(pair->new_facts->nots);
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, pair->old_facts->nots)
	{
		EvSchemaFact *old = lfirst(cell);
		EvSchemaFact *same = NULL;

		ev_spend(l->prover, list_length(new_left));
		foreach(other, new_left)
		{
			if (same == NULL && ev_schemas_same(l->prover, old->schema, ((EvSchemaFact *) lfirst(other))->schema))
				same = lfirst(other);
		}
		if (same == NULL)
			old_left = lappend(old_left, old);
		else
			new_left = list_delete_ptr(new_left, same);
	}
	if (list_length(old_left) == 1 && list_length(new_left) == 1)
	{
		ev_change_report(l, pair, EV_CHANGE_NOT_CHANGED, EV_BOTH, ((EvSchemaFact *) linitial(new_left))->origin,
						 EV_FACT_NOT, EV_ALL_TYPES, false, "Another schema must not match now.");
		return;
	}
	foreach(cell, old_left)
	{
		ev_change_report(l, pair, EV_CHANGE_NOT_REMOVED, EV_REMOVED, ((EvSchemaFact *) lfirst(cell))->origin,
						 EV_FACT_NOT, EV_ALL_TYPES, false, "A schema that must not match may match now.");
	}
	foreach(cell, new_left)
	{
		ev_change_report(l, pair, EV_CHANGE_NOT_ADDED, EV_ADDED, ((EvSchemaFact *) lfirst(cell))->origin,
						 EV_FACT_NOT, EV_ALL_TYPES, false, "A schema must not match now.");
	}
}

static bool
same_conditions(EvProver *p, const EvConditionFact *a, const EvConditionFact *b)
{
	return ev_schemas_same(p, a->test, b->test) && ev_schemas_same(p, a->then, b->then) &&
		ev_schemas_same(p, a->otherwise, b->otherwise);
}

static void
list_conditions(EvLister *l, EvPair *pair)
{
	List	   *old_left = NIL;
	List	   *new_left = list_copy(pair->new_facts->conditions);
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, pair->old_facts->conditions)
	{
		EvConditionFact *old = lfirst(cell);
		EvConditionFact *same = NULL;

		ev_spend(l->prover, list_length(new_left));
		foreach(other, new_left)
		{
			if (same == NULL && same_conditions(l->prover, old, lfirst(other)))
				same = lfirst(other);
		}
		if (same == NULL)
			old_left = lappend(old_left, old);
		else
			new_left = list_delete_ptr(new_left, same);
	}
	if (list_length(old_left) == 1 && list_length(new_left) == 1)
	{
		ev_change_report(l, pair, EV_CHANGE_CONDITION_CHANGED, EV_BOTH, ((EvConditionFact *) linitial(new_left))->origin,
						 EV_FACT_CONDITIONS, EV_ALL_TYPES, false, "The condition or its consequences changed.");
		return;
	}
	foreach(cell, old_left)
	{
		ev_change_report(l, pair, EV_CHANGE_CONDITION_REMOVED, EV_REMOVED, ((EvConditionFact *) lfirst(cell))->origin,
						 EV_FACT_CONDITIONS, EV_ALL_TYPES, false, "A condition was removed.");
	}
	foreach(cell, new_left)
	{
		ev_change_report(l, pair, EV_CHANGE_CONDITION_ADDED, EV_ADDED, ((EvConditionFact *) lfirst(cell))->origin,
						 EV_FACT_CONDITIONS, EV_ALL_TYPES, false, "A condition was added.");
	}
}

static void
list_opaques(EvLister *l, EvPair *pair)
{
	const List *old = pair->old_facts->opaques;
	const List *new = pair->new_facts->opaques;
	const EvOpaqueFact *fact;

	if ((old == NIL && new == NIL) || l->prover->roots_same)
		return;
	if (ev_change_verdict(l, pair->old, pair->new, pair->scope, EV_FACT_OPAQUE, 0, false) == EV_COMPATIBLE &&
		ev_change_verdict(l, pair->new, pair->old, pair->scope, EV_FACT_OPAQUE, 0, false) == EV_COMPATIBLE)
		return;
	fact = linitial(new != NIL ? new : old);
	if (fact->is_reference)
		ev_change_report(l, pair, EV_CHANGE_REFERENCE_CHANGED, EV_BOTH, fact->origin,
						 EV_FACT_OPAQUE, EV_ALL_TYPES, false,
						 "The target of a dynamic reference depends on the instance, so it is not followed.");
	else
		ev_change_report(l, pair, EV_CHANGE_SCHEMA_CHANGED, EV_BOTH, fact->origin,
						 EV_FACT_OPAQUE, EV_ALL_TYPES, false,
						 psprintf("The keyword \"%s\" is not compared.", fact->origin.tail + 1));
}

void
ev_list_applicators(EvLister *l, EvPair *pair)
{
	list_groups(l, pair);
	list_nots(l, pair);
	list_conditions(l, pair);
	list_opaques(l, pair);
}
