/*
 * changes_refute.c
 *	  Which values refute that one schema implies another, and the smallest part of
 *	  one that still does.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/compat.h"
#include "changes/changes_internal.h"

#define MOST_LEVELS		5		/* of branches within branches */
#define MOST_TRIED		300		/* smaller values */

/* ---------- the lenient reading ---------- */

/*
 * Returns a set with those of its branches that match a value.
 */
static EvSchemaSet *
with_branches(EvProver *p, EvSchemaSet *set, const JsonbValue *value)
{
	ListCell   *cell;
	ListCell   *number;

	for (int i = 0; i < MOST_LEVELS; i++)
	{
		EvSchemaSet *before = set;

		foreach(cell, ev_facts(p, set, EV_NECESSARY)->groups)
		{
			const EvUnion *u = ev_union(p, lfirst(cell));

			foreach(number, ev_union_by_value(p, u, value))
			{
				if (ev_value_valid(p, value, u->sets[lfirst_int(number)], EV_FACT_ALL) == EV_YES)
					set = ev_set_with(p, set, list_nth(((EvGroupFact *) lfirst(cell))->members, lfirst_int(number)));
			}
		}
		if (set == before)
			break;
	}
	return set;
}

bool
ev_value_admissible(EvProver *p, const JsonbValue *value, EvSchemaSet *set, EvScope *scope)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	member;
	const EvFacts *f;

	check_stack_depth();
	if (scope == NULL || value->type != jbvBinary)
		return true;
	f = ev_facts(p, with_branches(p, set, value), EV_NECESSARY);
	if (JsonContainerIsArray(value->val.binary.data))
	{
		ev_spend(p, JsonContainerSize(value->val.binary.data));
		for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
			if (!ev_value_admissible(p, getIthJsonbValueFromContainer(value->val.binary.data, i),
									 ev_facts_item(p, f, i), ev_scope_item(p, scope, i)))
				return false;
		return true;
	}
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		EvString	name;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &member, true);
		name = ev_string_of(&key);
		if (ev_scope_absent(p, scope, &name) && ev_facts_requires(p, f, &name) == NULL)
			return false;
		if (!ev_value_admissible(p, &member, ev_facts_property(p, f, &name), ev_scope_property(p, scope, &name)))
			return false;
	}
	return true;
}

/* ---------- smaller values ---------- */

/* The values that a value is a part of, up to the whole. */
typedef struct Enclosing
{
	const struct Enclosing *outer;
	JsonbValue *value;
	int			index;			/* of the part */
} Enclosing;

/* The two sets that the value is to tell apart. */
typedef struct Shrinking
{
	EvProver   *prover;
	EvSchemaSet *a;
	EvSchemaSet *b;
	EvScope    *scope;
	int			tried;
} Shrinking;

/*
 * Returns a copy of an array or object with another value at a position; NULL:
 * without it.
 */
static JsonbValue *
with_child(EvProver *p, JsonbValue *value, int index, JsonbValue *child)
{
	JsonbIterator *iterator = JsonbIteratorInit(value->val.binary.data);
	JsonbInState state = {0};
	JsonbIteratorToken token;
	JsonbValue	part;
	JsonbValue *result = palloc(sizeof(JsonbValue));
	Jsonb	   *jsonb;
	int			i = -1;

	ev_spend(p, 50 + 2 * ev_value_work(value));
	while ((token = JsonbIteratorNext(&iterator, &part, true)) != WJB_DONE)
	{
		if (token == WJB_KEY || token == WJB_ELEM)
			i++;
		if (token == WJB_BEGIN_ARRAY || token == WJB_BEGIN_OBJECT || token == WJB_END_ARRAY || token == WJB_END_OBJECT)
			ev_push_jsonb(&state, token, NULL);
		else if (i != index || (token == WJB_KEY && child != NULL))
			ev_push_jsonb(&state, token, &part);
		else if (child != NULL)
			ev_push_jsonb(&state, token, child);
	}
	jsonb = JsonbValueToJsonb(state.result);
	result->type = jbvBinary;
	result->val.binary.data = &jsonb->root;
	result->val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
	return result;
}

/* Returns the part of an array or object at a position. */
static JsonbValue *
child_of(JsonbValue *value, int index)
{
	JsonbIterator *iterator = JsonbIteratorInit(value->val.binary.data);
	JsonbIteratorToken token;
	JsonbValue *part = palloc(sizeof(JsonbValue));
	int			i = -1;

	while ((token = JsonbIteratorNext(&iterator, part, true)) != WJB_DONE)
		if ((token == WJB_VALUE || token == WJB_ELEM) && ++i == index)
			break;
	return part;
}

/* Does the whole still tell the sets apart, with this part in it? */
static bool
is_enough(Shrinking *s, const Enclosing *around, JsonbValue *part)
{
	EvProver   *p = s->prover;

	if (s->tried++ >= MOST_TRIED)
		return false;
	for (; around != NULL; around = around->outer)
		part = with_child(p, around->value, around->index, part);
	return ev_value_valid(p, part, s->a, EV_FACT_ALL) == EV_YES && ev_value_valid(p, part, s->b, EV_FACT_ALL) == EV_NO &&
		ev_value_admissible(p, part, s->a, s->scope);
}

/* Leaves out what is not needed of a part. */
static JsonbValue *
shrink(Shrinking *s, const Enclosing *around, JsonbValue *part)
{
	EvProver   *p = s->prover;

	check_stack_depth();
	if (part->type != jbvBinary)
		return part;
	for (int i = JsonContainerSize(part->val.binary.data) - 1; i >= 0; i--)
	{
		JsonbValue *smaller = with_child(p, part, i, NULL);

		if (is_enough(s, around, smaller))
			part = smaller;
	}
	for (int i = 0; i < (int) JsonContainerSize(part->val.binary.data); i++)
	{
		Enclosing	inner = {around, part, i};
		JsonbValue *child = child_of(part, i);
		JsonbValue *smaller = shrink(s, &inner, child);

		if (smaller != child)
			part = with_child(p, part, i, smaller);
	}
	return part;
}

JsonbValue *
ev_witness_shrink(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, JsonbValue *witness)
{
	Shrinking	s = {p, a->proper, b->proper, scope, 0};

	return shrink(&s, NULL, witness);
}
