/*
 * changes_list_branches.c
 *	  Differences in branches: anyOf, oneOf, not, if; and opaque keywords.
 *
 * Each pair of branches is listed by changes_list.c (ev_list_pair), which calls
 * this file for their branches: the two files are one recursion over the schemas.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "changes/changes_list.h"

#define MOST_NAMES		3		/* in a message about a condition */

#define MOST_SIMILAR	36		/* pairs of variants of which one may imply
								 * the other */
#define MOST_TRIED_WHOLE	32	/* variants of groups that are tried together */

/* ---------- pairs of variants ---------- */

/* The members of two groups, as numbers in their lists. */
typedef struct Matching
{
	const EvUnion *old;
	const EvUnion *new;
	List	   *pairs;			/* of two-element lists of numbers, for
								 * members that differ */
	List	   *equal;			/* the same for equal members with other
								 * annotations */
	List	   *old_left;		/* numbers of members without a counterpart */
	List	   *new_left;
} Matching;

/* Are the texts of two equal schemas different? */
static bool
differs_in_text(EvProver *p, const EvSubschema *a, const EvSubschema *b)
{
	if (a->container == NULL || b->container == NULL)
		return false;
	ev_spend(p, 20 + 10 * JsonContainerSize(a->container));
	return compareJsonbContainers(unconstify(JsonbContainer *, a->container),
								  unconstify(JsonbContainer *, b->container)) != 0;
}

/* Pairs members that are equal; of these, only annotations are listed. */
static void
match_equal(EvProver *p, const EvGroupFact *old, const EvGroupFact *new, Matching *m)
{
	ListCell   *cell;
	ListCell   *other;

	for (int i = 0; i < m->new->count; i++)
		m->new_left = lappend_int(m->new_left, i);
	foreach(cell, old->members)
	{
		bool		found = false;

		ev_spend(p, 2 * list_length(m->new_left));
		foreach(other, m->new_left)
		{
			found = ev_schemas_same(p, lfirst(cell), list_nth(new->members, lfirst_int(other)));
			if (found)
				break;
		}
		if (found)
		{
			int			number = lfirst_int(other);

			if (differs_in_text(p, lfirst(cell), list_nth(new->members, number)))
				m->equal = lappend(m->equal, list_make2_int(foreach_current_index(cell), number));
			m->new_left = list_delete_cell(m->new_left, other);
		}
		else
			m->old_left = lappend_int(m->old_left, foreach_current_index(cell));
	}
}

static void
add_match(Matching *m, int old, int new)
{
	m->pairs = lappend(m->pairs, list_make2_int(old, new));
	m->old_left = list_delete_int(m->old_left, old);
	m->new_left = list_delete_int(m->new_left, new);
}

/* Do two members list a common value of their tag? */
static bool
same_tag(EvProver *p, const Matching *m, int old, int new)
{
	EvUnionTag	tag;
	ListCell   *cell;

	if (m->new->path == NIL || !m->new->tags[new].listed)
		return false;
	tag = ev_union_tag(p, m->new, m->old->sets[old]);
	if (!tag.listed)
		return false;
	foreach(cell, tag.values)
	{
		if (ev_is_listed(p, m->new->tags[new].values, lfirst(cell)))
			return true;
	}
	return false;
}

/* Does one of two members imply the other one? */
static bool
is_similar(EvProver *p, const Matching *m, int old, int new)
{
	EvSchemaSet *a = m->old->sets[old];
	EvSchemaSet *b = m->new->sets[new];

	return !ev_disjoint(p, a, b) && (ev_prove(p, a, b, NULL, EV_FACT_ALL) || ev_prove(p, b, a, NULL, EV_FACT_ALL));
}

/* Are two locations the same place of their documents? */
static bool
same_place(EvProver *p, const EvLocation *a, const EvLocation *b)
{
	for (; a->parent != NULL && b->parent != NULL; a = a->parent, b = b->parent)
	{
		ev_spend(p, 2 + strlen(a->tail) / 64);
		if (strcmp(a->tail, b->tail) != 0)
			return false;
	}
	return a->parent == b->parent;
}

/* Do two members refer to the same place? */
static bool
same_reference(EvProver *p, const EvSubschema *old, const EvSubschema *new)
{
	const EvSubschema *a;
	const EvSubschema *b;

	if (list_length(old->references) != 1 || list_length(new->references) != 1)
		return false;
	a = ((EvReference *) linitial(old->references))->target;
	b = ((EvReference *) linitial(new->references))->target;
	if (a == NULL || b == NULL || a->location == NULL || b->location == NULL)
		return false;
	return same_place(p, a->location, b->location);
}

/*
 * Pairs equal members, then those with a common tag or reference, then similar
 * ones, then the rest in order.
 */
static void
match_members(EvProver *p, const EvGroupFact *old, const EvGroupFact *new, Matching *m)
{
	ListCell   *cell;
	ListCell   *other;

	match_equal(p, old, new, m);
	for (int round = 0; round < 2; round++)
	{
		/* one that changed, or too many to prove something about all pairs */
		if (round == 1 && ((list_length(m->old_left) == 1 && list_length(m->new_left) == 1) ||
						   list_length(m->old_left) * list_length(m->new_left) > MOST_SIMILAR))
			break;
		foreach(cell, list_copy(m->old_left))
		{
			int			found = -1;

			ev_spend(p, (list_length(m->old_left) + list_length(m->new_left)) / 8);
			foreach(other, m->new_left)
			{
				if (found < 0 && (round == 0 ? same_tag(p, m, lfirst_int(cell), lfirst_int(other)) ||
								  same_reference(p, list_nth(old->members, lfirst_int(cell)), list_nth(new->members, lfirst_int(other))) :
								  is_similar(p, m, lfirst_int(cell), lfirst_int(other))))
					found = lfirst_int(other);
			}
			if (found >= 0)
				add_match(m, lfirst_int(cell), found);
		}
	}
	if (list_length(m->old_left) == list_length(m->new_left))
	{
		while (m->old_left != NIL)
			add_match(m, linitial_int(m->old_left), linitial_int(m->new_left));
	}
}

/* ---------- verdicts on groups ---------- */

/*
 * Is there an instance of one member of a group that the other side rejects?
 */
static bool
is_refused(EvLister *l, EvSchemaSet *a, const EvGroupFact *group, int index, EvSchemaSet *b, EvScope *scope)
{
	JsonbValue *value = ev_witness(l->prover, ev_case_of_member(l->prover, a, group, index), b, scope, EV_FACT_GROUPS);

	if (value != NULL)
		ev_witness_keep(l->prover, a, b, value);
	return value != NULL;
}

/*
 * Returns the verdict on the groups in one direction.  changed, others: the
 * numbers of the members of a's group without an equal one, and of b's group.
 * witness: the number of the first witness that was found for one of these.
 */
static EvVerdict
group_verdict(EvLister *l, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, const EvGroupFact *group,
			  const EvGroupFact *b_group, const List *changed, const List *others, int witness)
{
	EvProver   *p = l->prover;
	JsonbValue *value;
	ListCell   *cell;

	if (ev_change_verdict(l, a, b, scope, EV_FACT_GROUPS, 0, false) == EV_COMPATIBLE)
		return EV_COMPATIBLE;
	value = ev_witness_again(p, a, b, scope, EV_FACT_GROUPS, witness);
	if (value != NULL)
	{
		ev_witness_keep(p, a, b, value);
		return EV_INCOMPATIBLE;
	}
	foreach(cell, changed)
	{
		if (is_refused(l, a, group, lfirst_int(cell), b, scope))
			return EV_INCOMPATIBLE;
	}

	/* instances of both a member of `a` and another member of oneOf */
	foreach(cell, b_group->one ? others : NIL)
	{
		value = ev_witness(p, ev_set_with(p, a, list_nth(b_group->members, lfirst_int(cell))), b, scope, EV_FACT_GROUPS);
		if (value != NULL)
		{
			ev_witness_keep(p, a, b, value);
			return EV_INCOMPATIBLE;
		}
	}
	if (list_length(group->members) <= MOST_TRIED_WHOLE && ev_witness(p, a, b, scope, EV_FACT_GROUPS) != NULL)
		return EV_INCOMPATIBLE;
	return EV_UNKNOWN;
}

static EvOrigin
member_origin(EvProver *p, const EvGroupFact *group, const EvSubschema *member)
{
	if (member == &p->truth || member == &p->falsehood)
		return group->origin;
	return (EvOrigin) {member, ""};
}

/* Returns the name of a variant, by its tag: "kind" = "a"; NULL if it has none. */
static char *
variant_text(const EvUnion *u, int index)
{
	StringInfoData text;
	ListCell   *cell;

	if (u->path == NIL || !u->tags[index].listed || u->tags[index].values == NIL)
		return NULL;
	initStringInfo(&text);
	foreach(cell, u->path)
		appendStringInfo(&text, "%s%s", foreach_current_index(cell) > 0 ? "." : "", ev_name_text(lfirst(cell)));
	foreach(cell, u->tags[index].values)
	{
		EvInstance	value = ev_json_instance(lfirst(cell));

		if (foreach_current_index(cell) >= 3)
		{
			appendStringInfoString(&text, ", ...");
			break;
		}
		appendStringInfo(&text, "%s%s", foreach_current_index(cell) > 0 ? ", " : " = ", ev_value_show(&value));
	}
	return text.data;
}

/* Reports members without a counterpart. */
static void
list_left(EvLister *l, EvPair *pair, const EvGroupFact *group, const EvUnion *u, const List *left, bool is_new,
		  EvChangeRule rule, EvVerdict backward, EvVerdict forward)
{
	EvVerdict	own = is_new ? forward : backward;
	ListCell   *cell;

	foreach(cell, left)
	{
		int			index = lfirst_int(cell);
		const char *variant = variant_text(u, index);
		EvVerdict	verdict = own;

		if (own == EV_INCOMPATIBLE && list_length(left) > 1 &&
			!is_refused(l, is_new ? pair->new : pair->old, group, index, is_new ? pair->old : pair->new, pair->scope))
			verdict = EV_UNKNOWN;
		ev_change_add(l, rule, ev_change_location(l, member_origin(l->prover, group, list_nth(group->members, index))),
					  is_new ? backward : verdict, is_new ? verdict : forward, "%s%s.",
					  is_new ? "One more schema may apply" : "One schema less may apply",
					  variant != NULL ? psprintf(": the one for %s", variant) : "");
	}
}

static List *
changed_members(const Matching *m, bool is_new)
{
	List	   *result = list_copy(is_new ? m->new_left : m->old_left);
	ListCell   *cell;

	foreach(cell, m->pairs)
		result = lappend_int(result, is_new ? lsecond_int(lfirst(cell)) : linitial_int(lfirst(cell)));
	return result;
}

/* Lists the differences of members that were paired; returns them. */
static List *
list_pairs(EvLister *l, EvPair *pair, const EvGroupFact *old, const EvGroupFact *new, const List *pairs)
{
	List	   *before = l->changes;
	List	   *result;
	ListCell   *cell;

	l->changes = NIL;
	l->in_branches++;
	foreach(cell, pairs)
	{
		EvSubschema *in_old = list_nth(old->members, linitial_int(lfirst(cell)));
		EvSubschema *in_new = list_nth(new->members, lsecond_int(lfirst(cell)));

		ev_list_pair(l, ev_set_written_of(l->prover, in_old), ev_set_written_of(l->prover, in_new), pair->scope,
					 member_origin(l->prover, new, in_new));
	}
	l->in_branches--;
	result = l->changes;
	l->changes = l->prover->changes = before;
	return result;
}

static void
list_group(EvLister *l, EvPair *pair, const EvGroupFact *old, const EvGroupFact *new)
{
	EvProver   *p = l->prover;
	Matching	m = {.old = ev_union(p, old), .new = ev_union(p, new)};
	int			first = list_length(l->changes);
	int			witness = list_length(p->witnesses);
	List	   *inner;
	EvVerdict	backward;
	EvVerdict	forward;
	ListCell   *cell;

	match_members(p, old, new, &m);
	l->changes = p->changes = list_concat(l->changes, list_pairs(l, pair, old, new, m.equal));
	first = list_length(l->changes);
	if (m.pairs == NIL && m.old_left == NIL && m.new_left == NIL && old->one == new->one)
		return;
	inner = list_pairs(l, pair, old, new, m.pairs);
	backward = l->prover->proved_backward ? EV_COMPATIBLE : group_verdict(l, pair->old, pair->new, pair->scope, old, new, changed_members(&m, false),
																		  changed_members(&m, true), witness);
	forward = l->prover->proved_forward ? EV_COMPATIBLE : group_verdict(l, pair->new, pair->old, pair->scope, new, old, changed_members(&m, true),
																		changed_members(&m, false), witness);

	/* so that the answer does not depend on which direction comes first */
	if (backward == EV_UNKNOWN && ev_witness_again(p, pair->old, pair->new, pair->scope, EV_FACT_GROUPS, witness) != NULL)
		backward = EV_INCOMPATIBLE;

	/* another group of the schema can be the one that is not implied */
	if (backward != EV_COMPATIBLE && ev_prove_single(p, pair->old, pair->new, pair->scope, EV_FACT_GROUPS, new->origin))
		backward = EV_COMPATIBLE;
	if (forward != EV_COMPATIBLE && ev_prove_single(p, pair->new, pair->old, pair->scope, EV_FACT_GROUPS, old->origin))
		forward = EV_COMPATIBLE;

	if (old->one != new->one)
		ev_change_add(l, new->one ? EV_CHANGE_ANY_OF_BECAME_ONE_OF : EV_CHANGE_ONE_OF_BECAME_ANY_OF,
					  ev_change_location(l, new->origin), backward, forward,
					  new->one ? "Only one of the schemas may apply now." : "More than one of the schemas may apply now.");
	list_left(l, pair, old, m.old, m.old_left, false,
			  new->one ? EV_CHANGE_ONE_OF_MEMBER_REMOVED : EV_CHANGE_ANY_OF_MEMBER_REMOVED, backward, forward);
	list_left(l, pair, new, m.new, m.new_left, true,
			  new->one ? EV_CHANGE_ONE_OF_MEMBER_ADDED : EV_CHANGE_ANY_OF_MEMBER_ADDED, backward, forward);

	/* a refutation for one branch does not refute the whole */
	ev_spend(p, list_length(inner));
	foreach(cell, inner)
	{
		EvChange   *change = lfirst(cell);

		change->backward = Min(change->backward, backward);
		change->forward = Min(change->forward, forward);
		l->changes = l->prover->changes = lappend(l->changes, change);
	}
	ev_change_settle(l, first, backward, forward, new->origin,
					 new->one ? "The schemas of which exactly one must apply may overlap in another way now." :
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

typedef bool (*SameFacts) (EvProver *p, const void *a, const void *b);

/* Takes facts of both lists out of them, pair by pair, if they say the same. */
static void
remove_same(EvProver *p, List **old, List **new, SameFacts same)
{
	List	   *old_left = NIL;
	List	   *new_left = list_copy(*new);
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, *old)
	{
		void	   *found = NULL;

		ev_spend(p, list_length(new_left));
		foreach(other, new_left)
		{
			if (found == NULL && same(p, lfirst(cell), lfirst(other)))
				found = lfirst(other);
		}
		if (found == NULL)
			old_left = lappend(old_left, lfirst(cell));
		else
			new_left = list_delete_ptr(new_left, found);
	}
	*old = old_left;
	*new = new_left;
}

static bool
same_nots(EvProver *p, const void *a, const void *b)
{
	return ev_schemas_same(p, ((const EvSchemaFact *) a)->schema, ((const EvSchemaFact *) b)->schema);
}

static void
list_nots(EvLister *l, EvPair *pair)
{
	List	   *old_left = pair->old_facts->nots;
	List	   *new_left = pair->new_facts->nots;
	ListCell   *cell;

	remove_same(l->prover, &old_left, &new_left, same_nots);
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
same_conditions(EvProver *p, const void *a, const void *b)
{
	const EvConditionFact *x = a;
	const EvConditionFact *y = b;

	return ev_schemas_same(p, x->test, y->test) && ev_schemas_same(p, x->then, y->then) &&
		ev_schemas_same(p, x->otherwise, y->otherwise);
}

/*
 * Looks for witnesses in the parts of a condition, of which the differences are
 * not listed.
 */
static void
search_condition(EvLister *l, EvPair *pair, const EvConditionFact *old, const EvConditionFact *new)
{
	EvSubschema *parts[][2] = {
		{old->test, new->test}, {old->then, new->then}, {old->otherwise, new->otherwise}
	};
	List	   *before = l->changes;

	l->changes = NIL;
	l->in_branches++;
	for (int i = 0; i < (int) lengthof(parts); i++)
		ev_list_pair(l, ev_set_written_of(l->prover, parts[i][0]), ev_set_written_of(l->prover, parts[i][1]), pair->scope,
					 new->origin);
	l->in_branches--;
	l->changes = l->prover->changes = before;
}

/* Appends the properties that one schema requires and the other does not. */
static void
append_required(EvLister *l, StringInfo text, EvSubschema *schema, EvSubschema *other, const char *when, const char *what)
{
	EvProver   *p = l->prover;
	const EvFacts *facts = ev_facts(p, ev_set_of(p, schema), EV_NECESSARY);
	const EvFacts *before = ev_facts(p, ev_set_of(p, other), EV_NECESSARY);
	int			count = 0;
	ListCell   *cell;

	foreach(cell, facts->required)
	{
		const EvString *name = &((EvTextFact *) lfirst(cell))->text;

		if (ev_facts_requires(p, before, name) != NULL)
			continue;
		if (++count <= MOST_NAMES)
			appendStringInfo(text, "%s%s", count == 1 ? when : ", ", ev_name_text(name));
	}
	if (count > MOST_NAMES)
		appendStringInfo(text, " and %d more", count - MOST_NAMES);
	if (count > 0)
		appendStringInfo(text, " %s %s.", count == 1 ? "is" : "are", what);
}

/* Returns a message with what is required under a condition; old or new is NULL if there is none. */
static char *
condition_message(EvLister *l, const EvConditionFact *old, const EvConditionFact *new, const char *message)
{
	EvSubschema *truth = &l->prover->truth;
	EvSubschema *old_then = old != NULL ? old->then : truth;
	EvSubschema *new_then = new != NULL ? new->then : truth;
	EvSubschema *old_else = old != NULL ? old->otherwise : truth;
	EvSubschema *new_else = new != NULL ? new->otherwise : truth;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, message);
	append_required(l, &text, new_then, old_then, " If it holds, ", "required now");
	append_required(l, &text, old_then, new_then, " If it holds, ", "no longer required");
	append_required(l, &text, new_else, old_else, " Otherwise, ", "required now");
	append_required(l, &text, old_else, new_else, " Otherwise, ", "no longer required");
	return text.data;
}

static void
report_changed_condition(EvLister *l, EvPair *pair, const EvConditionFact *old, const EvConditionFact *new)
{
	search_condition(l, pair, old, new);
	ev_change_report(l, pair, EV_CHANGE_CONDITION_CHANGED, EV_BOTH, new->origin,
					 EV_FACT_CONDITIONS, EV_ALL_TYPES, false,
					 condition_message(l, old, new, "The condition or its consequences changed."));
	ev_change_refine(l, pair, EV_FACT_CONDITIONS, &old->origin, &new->origin);
}

/* Reports conditions whose test is the same and takes them out of both lists. */
static void
list_same_tests(EvLister *l, EvPair *pair, List **old, List **new)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, list_copy(*old))
	{
		foreach(other, *new)
		{
			if (ev_schemas_same(l->prover, ((EvConditionFact *) lfirst(cell))->test, ((EvConditionFact *) lfirst(other))->test))
				break;
		}
		if (other == NULL)
			continue;
		report_changed_condition(l, pair, lfirst(cell), lfirst(other));
		*old = list_delete_ptr(*old, lfirst(cell));
		*new = list_delete_ptr(*new, lfirst(other));
	}
}

static void
list_conditions(EvLister *l, EvPair *pair)
{
	List	   *old_left = pair->old_facts->conditions;
	List	   *new_left = pair->new_facts->conditions;
	ListCell   *cell;

	remove_same(l->prover, &old_left, &new_left, same_conditions);
	list_same_tests(l, pair, &old_left, &new_left);
	if (list_length(old_left) == 1 && list_length(new_left) == 1)
	{
		report_changed_condition(l, pair, linitial(old_left), linitial(new_left));
		return;
	}
	foreach(cell, old_left)
	{
		ev_change_report(l, pair, EV_CHANGE_CONDITION_REMOVED, EV_REMOVED, ((EvConditionFact *) lfirst(cell))->origin,
						 EV_FACT_CONDITIONS, EV_ALL_TYPES, false,
						 condition_message(l, lfirst(cell), NULL, "A condition was removed."));
	}
	foreach(cell, new_left)
	{
		ev_change_report(l, pair, EV_CHANGE_CONDITION_ADDED, EV_ADDED, ((EvConditionFact *) lfirst(cell))->origin,
						 EV_FACT_CONDITIONS, EV_ALL_TYPES, false,
						 condition_message(l, NULL, lfirst(cell), "A condition was added."));
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
