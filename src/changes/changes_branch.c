/*
 * changes_branch.c
 *	  Proofs about branches: anyOf, oneOf, not and if; and the cases that a
 *	  set is divided into.
 *
 * changes_prove.c proves each branch and each case, and calls this file for their
 * branches: the two files are one recursion over the schemas.
 *
 * A branch of one schema is matched with those of the other one by its tag,
 * see changes_tags.c, then by equality, and only then by proof.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "changes/changes_internal.h"

#define MOST_CROSSED	16		/* pairs of branches that are tried before the
								 * set is divided into cases */
#define MOST_CHANGED	8		/* members that changed, of which each is
								 * compared with its counterpart */
#define MOST_ABSENCE_TRIES	2	/* variants that may exclude the absence of a
								 * tag */

/* A schema that excludes a property: {"properties": {NAME: false}} */
typedef struct Absence
{
	EvString	name;
	EvResource *resource;
	EvSubschema *schema;
} Absence;

/* Two groups, and their members without an equal one on the other side. */
typedef struct GroupPair
{
	const EvSubschema *a;		/* these three are the hash key */
	const EvSubschema *b;
	uintptr_t	ones;
	List	   *a_left;
	List	   *b_left;
} GroupPair;

/* ---------- the other variants of oneOf ---------- */

static EvSubschema *
absence_of(EvProver *p, const EvString *name, EvResource *resource)
{
	Absence    *absence;
	JsonbInState state = {0};
	JsonbValue	key = {.type = jbvString};
	JsonbValue	no = {.type = jbvBool};
	ListCell   *cell;

	foreach(cell, p->absences)
	{
		absence = lfirst(cell);
		ev_spend(p, 1);
		if (absence->resource == resource && ev_strings_equal(&absence->name, name))
			return absence->schema;
	}
	ev_push_jsonb(&state, WJB_BEGIN_OBJECT, NULL);
	key.val.string.val = "properties";
	key.val.string.len = strlen("properties");
	ev_push_jsonb(&state, WJB_KEY, &key);
	ev_push_jsonb(&state, WJB_BEGIN_OBJECT, NULL);
	key.val.string.val = unconstify(char *, name->data);
	key.val.string.len = name->length;
	ev_push_jsonb(&state, WJB_KEY, &key);
	ev_push_jsonb(&state, WJB_VALUE, &no);
	ev_push_jsonb(&state, WJB_END_OBJECT, NULL);
	ev_push_jsonb(&state, WJB_END_OBJECT, NULL);

	absence = palloc0(sizeof(Absence));
	absence->name = *name;
	absence->resource = resource;
	absence->schema = palloc0(sizeof(EvSubschema));
	absence->schema->container = &JsonbValueToJsonb(state.result)->root;
	absence->schema->resource = resource;
	p->absences = lappend(p->absences, absence);
	return absence->schema;
}

/*
 * Must an instance of this variant of oneOf have the property that is, or
 * contains, the tag?  It must if it would match another variant without the
 * property.
 */
static bool
needs_tag(EvProver *p, const EvUnion *u, int index)
{
	EvSchemaSet *without;
	int			tries = 0;

	if (u->tags[index].present || !u->tags[index].listed ||
		(ev_facts(p, u->sets[index], EV_NECESSARY)->possible & EV_BIT(EV_OBJECT)) == 0)
		return false;
	without = ev_set_with(p, u->sets[index],
						  absence_of(p, linitial(u->path), u->subschema->resource));
	for (int i = 0; i < u->count && tries < MOST_ABSENCE_TRIES; i++)
	{
		if (i == index || !u->tags[i].listed || u->tags[i].present)
			continue;
		tries++;
		if (ev_prove(p, without, u->sets[i], NULL, EV_FACT_ALL))
			return true;
	}
	return false;
}

EvSchemaSet *
ev_case_of_member(EvProver *p, EvSchemaSet *set, const EvGroupFact *group, int index)
{
	EvUnion    *u = ev_union(p, group);
	EvSchemaSet *taken = ev_set_with(p, set, list_nth(group->members, index));
	EvUnionTag	tag = {0};
	List	   *excluded;
	ListCell   *cell;

	if (!group->one)
		return taken;
	if (u->repeated != 0)
		taken = ev_set_of_types(p, taken, ~u->repeated);
	if (u->path != NIL)
	{
		tag = u->tags[index];
		if (needs_tag(p, u, index))
		{
			taken = ev_set_of_types(p, ev_set_requiring(p, taken, linitial(u->path)), EV_BIT(EV_OBJECT));
			tag = ev_union_tag(p, u, taken);
		}
	}
	excluded = list_copy(taken->excluded);
	foreach(cell, ev_union_by_tag(p, u, &tag))
	{
		EvSubschema *other = list_nth(group->members, lfirst_int(cell));

		/* equal members are one schema */
		ev_spend(p, list_length(excluded) / 8 + 1);
		if (lfirst_int(cell) != index && !ev_disjoint(p, u->sets[index], u->sets[lfirst_int(cell)]) &&
			!list_member_ptr(excluded, other))
			excluded = lappend(excluded, other);
	}
	set = ev_set_make(p, taken->members, excluded, taken->required, taken->types);
	list_free(excluded);
	return set;
}

/* ---------- groups ---------- */

/*
 * Takes those members of two lists out of them that are equal, each with one of
 * its own.
 */
static void
remove_equal(EvProver *p, List **as, List **bs)
{
	List	   *a_left = NIL;
	List	   *b_left = list_copy(*bs);
	ListCell   *cell;

	foreach(cell, *as)
	{
		List	   *rest;
		int			length = list_length(b_left);

		ev_spend(p, 1 + length / 8);
		rest = list_delete_ptr(b_left, lfirst(cell));
		if (list_length(rest) == length)
			a_left = lappend(a_left, lfirst(cell));
		b_left = rest;
	}
	*as = a_left;
	*bs = b_left;
}

/* Is each instance of one schema one of the other one, whatever surrounds them? */
static bool
implies(EvProver *p, EvSubschema *a, EvSubschema *b, EvScope *scope)
{
	return ev_prove(p, ev_set_of(p, a), ev_set_of(p, b), ev_scope_cautious(p, scope), EV_FACT_ALL);
}

static bool
equivalent(EvProver *p, EvSubschema *a, EvSubschema *b, EvScope *scope)
{
	return implies(p, a, b, scope) && implies(p, b, a, scope);
}

/* Returns the members of two groups without an equal one on the other side. */
static const GroupPair *
compare_groups(EvProver *p, const EvGroupFact *a, const EvGroupFact *b)
{
	GroupPair	key = {.a = a->origin.subschema, .b = b->origin.subschema, .ones = a->one * 2 + b->one};
	GroupPair  *pair;
	bool		found;

	if (p->groups == NULL)
	{
		HASHCTL		control = {.keysize = offsetof(GroupPair, a_left), .entrysize = sizeof(GroupPair), .hcxt = p->context};

		p->groups = hash_create("event_validate pairs of groups", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	ev_spend(p, 5);
	pair = hash_search(p->groups, &key, HASH_ENTER, &found);
	if (!found)
	{
		pair->a_left = a->members;
		pair->b_left = b->members;
		remove_equal(p, &pair->a_left, &pair->b_left);
	}
	return pair;
}

/*
 * Does a group imply another one, member by member?  Those of oneOf must
 * correspond one to one, since an instance may match only one of them; and so
 * that it matches none of the others after the change either, a member must be
 * equivalent to its counterpart.
 */
static bool
implied_group(EvProver *p, const EvGroupFact *a, const EvGroupFact *b, EvScope *scope)
{
	const GroupPair *pair;
	ListCell   *cell;
	ListCell   *other;

	if (b->one && !(a->one && list_length(a->members) == list_length(b->members)))
		return false;
	pair = compare_groups(p, a, b);
	if (list_length(pair->a_left) > MOST_CHANGED || list_length(pair->a_left) > list_length(pair->b_left))
		return false;
	forboth(cell, pair->a_left, other, pair->b_left)
	{
		if (b->one ? !equivalent(p, lfirst(cell), lfirst(other), scope) : !implies(p, lfirst(cell), lfirst(other), scope))
			return false;
	}
	return true;
}

/* May the set be divided by a group of many members? */
static bool
is_better_divided(EvProver *p, const EvFacts *f, const EvGroupFact *group)
{
	ListCell   *cell;
	ListCell   *member;

	if (p->splits >= EV_MOST_SPLITS)
		return false;
	foreach(cell, f->groups)
	{
		EvGroupFact *other = lfirst(cell);
		bool		taken = false;

		foreach(member, other->members)
		{
			ev_spend(p, list_length(f->schemas) / 8);
			taken = taken || list_member_ptr(f->schemas, lfirst(member));
		}
		if (!taken && list_length(other->members) * list_length(group->members) > MOST_CROSSED)
			return true;
	}
	return false;
}

/*
 * Is each instance valid for the member with this number and, for oneOf, for
 * none of the others?
 */
static bool
prove_member(EvProver *p, EvSchemaSet *a, const EvGroupFact *group, const EvUnion *u, int index,
			 const List *candidates, EvScope *scope)
{
	ListCell   *cell;

	if (!ev_prove(p, a, u->sets[index], scope, EV_FACT_ALL))
		return false;
	if (!group->one)
		return true;
	foreach(cell, candidates)
	{
		int			other = lfirst_int(cell);

		if (other != index && !ev_disjoint(p, a, u->sets[other]) &&
			!ev_prove_empty(p, ev_set_with(p, a, list_nth(group->members, other))))
			return false;
	}
	return true;
}

static bool
prove_group(EvProver *p, EvSchemaSet *a, const EvGroupFact *group, EvScope *scope)
{
	const EvFacts *f = ev_facts(p, a, EV_NECESSARY);
	EvUnion    *u;
	EvUnionTag	tag = {0};
	List	   *candidates;
	ListCell   *cell;
	int			equal = -1;

	foreach(cell, f->groups)
	{
		if (implied_group(p, lfirst(cell), group, scope))
			return true;
	}
	u = ev_union(p, group);
	if (u->path != NIL)
		tag = ev_union_tag(p, u, a);
	candidates = ev_union_by_tag(p, u, &tag);

	/* first a member that is equal to one of the schemas that apply */
	foreach(cell, candidates)
	{
		if (equal < 0 && ev_schema_among(p, f->schemas, list_nth(group->members, lfirst_int(cell))))
			equal = lfirst_int(cell);
	}
	if (equal >= 0)
		return prove_member(p, a, group, u, equal, candidates, scope);
	if (is_better_divided(p, f, group))
		return false;
	foreach(cell, candidates)
	{
		if (!ev_disjoint(p, a, u->sets[lfirst_int(cell)]) &&
			prove_member(p, a, group, u, lfirst_int(cell), candidates, scope))
			return true;
	}
	return false;
}

bool
ev_prove_groups(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	ListCell   *cell;

	foreach(cell, ev_facts(p, b, EV_SUFFICIENT)->groups)
	{
		if (!prove_group(p, a, lfirst(cell), scope))
			return false;
	}
	return true;
}

/* ---------- not and if ---------- */

bool
ev_prove_nots(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	const EvFacts *f = ev_facts(p, a, EV_NECESSARY);
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, ev_facts(p, b, EV_SUFFICIENT)->nots)
	{
		EvSubschema *schema = ((EvSchemaFact *) lfirst(cell))->schema;
		bool		same = false;

		foreach(other, f->nots)
			same = same || ev_schemas_same(p, ((EvSchemaFact *) lfirst(other))->schema, schema);
		foreach(other, f->nots)
			same = same || implies(p, schema, ((EvSchemaFact *) lfirst(other))->schema, scope);
		if (!same && !ev_disjoint(p, a, ev_set_of(p, schema)) && !ev_prove_empty(p, ev_set_with(p, a, schema)))
			return false;
	}
	return true;
}

/*
 * Can a condition be the other one before a change?  Of many, only those with an
 * equal part are tried.
 */
static bool
is_counterpart(EvProver *p, const EvConditionFact *a, const EvConditionFact *b)
{
	return ev_schemas_same(p, a->test, b->test) ||
		(ev_schemas_same(p, a->then, b->then) && ev_schemas_same(p, a->otherwise, b->otherwise));
}

/* Does what follows from a condition imply what follows from another one? */
static bool
prove_consequence(EvProver *p, EvSchemaSet *a, EvSubschema *own, EvSubschema *wanted, EvScope *scope)
{
	return implies(p, own, wanted, scope) || ev_prove(p, ev_set_with(p, a, own), ev_set_of(p, wanted), scope, EV_FACT_ALL);
}

/*
 * Is each instance that matches a condition's test one of `then`, and each other
 * one of `otherwise`?
 */
static bool
prove_condition(EvProver *p, EvSchemaSet *a, const EvConditionFact *condition, EvScope *scope)
{
	ListCell   *cell;

	foreach(cell, ev_facts(p, a, EV_NECESSARY)->conditions)
	{
		EvConditionFact *own = lfirst(cell);

		if (ev_schemas_same(p, own->test, condition->test) && ev_schemas_same(p, own->then, condition->then) &&
			ev_schemas_same(p, own->otherwise, condition->otherwise))
			return true;
	}
	foreach(cell, ev_facts(p, a, EV_NECESSARY)->conditions)
	{
		EvConditionFact *own = lfirst(cell);

		if (is_counterpart(p, own, condition) && equivalent(p, own->test, condition->test, scope) &&
			prove_consequence(p, ev_set_with(p, a, own->test), own->then, condition->then, scope) &&
			prove_consequence(p, ev_set_without(p, a, own->test), own->otherwise, condition->otherwise, scope))
			return true;
	}
	return ev_prove(p, ev_set_with(p, a, condition->test), ev_set_of(p, condition->then), scope, EV_FACT_ALL) &&
		ev_prove(p, ev_set_without(p, a, condition->test), ev_set_of(p, condition->otherwise), scope, EV_FACT_ALL);
}

bool
ev_prove_conditions(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	ListCell   *cell;

	foreach(cell, ev_facts(p, b, EV_SUFFICIENT)->conditions)
	{
		if (!prove_condition(p, a, lfirst(cell), scope))
			return false;
	}
	return true;
}

/* ---------- cases ---------- */

static bool
is_taken(EvProver *p, const List *members, const EvGroupFact *group)
{
	ListCell   *cell;

	foreach(cell, group->members)
	{
		ev_spend(p, list_length(members) / 8);
		if (list_member_ptr(members, lfirst(cell)))
			return true;
	}
	return false;
}

List *
ev_cases(EvProver *p, EvSchemaSet *set, EvSchemaSet *b, bool by_type)
{
	const EvFacts *f = ev_facts(p, set, EV_NECESSARY);
	List	   *cases = NIL;
	ListCell   *cell;

	foreach(cell, f->groups)
	{
		EvGroupFact *group = lfirst(cell);

		if (is_taken(p, f->schemas, group))
			continue;
		for (int i = 0; i < list_length(group->members); i++)
			cases = lappend(cases, ev_case_of_member(p, set, group, i));
		return cases;
	}
	foreach(cell, f->conditions)
	{
		EvConditionFact *condition = lfirst(cell);

		ev_spend(p, (list_length(f->schemas) + list_length(set->excluded)) / 8);
		if (list_member_ptr(f->schemas, condition->test) ||
			list_member_ptr(set->excluded, condition->test) ||
			condition->test->is_boolean ||
			(condition->then->is_boolean && condition->then->boolean &&
			 condition->otherwise->is_boolean && condition->otherwise->boolean))
			continue;
		return list_make2(ev_set_with(p, ev_set_with(p, set, condition->test), condition->then),
						  ev_set_with(p, ev_set_without(p, set, condition->test), condition->otherwise));
	}
	if (by_type && (f->possible & (f->possible - 1)) != 0)
		for (EvType type = 0; type < EV_TYPE_COUNT; type++)
			if ((f->possible & EV_BIT(type)) != 0)
				cases = lappend(cases, ev_set_of_types(p, set, EV_BIT(type)));
	if (by_type && cases == NIL && b != NULL)
		cases = ev_number_cases(p, set, b);
	return cases;
}
