/*
 * changes_prove.c
 *	  Does one set of schemas imply another?
 *
 * To prove that each instance of `a` is one of `b`, the necessary facts of `a`
 * must imply each of the sufficient facts of `b`.  If some are not implied,
 * `a` is divided into cases (its types, the members of anyOf and oneOf, if and
 * else), and each case is proved.  If no proof is found, the answer is no,
 * which means "not proved".
 *
 * Schemas can be recursive.  Statements about parts of an instance are
 * assumed, and put on a list to be proved later.  If such a proof fails,
 * everything is proved again without the assumption.  In the end, all
 * assumptions are proved from assumptions about smaller parts: that is
 * induction on the size of the instance.  If a statement about the same
 * instance is needed for its own proof, the answer is no.
 *
 * Steps, depth and cases are limited.
 *
 * This file and changes_object.c, which proves the facts about children, call
 * each other.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"

#define MOST_RUNNING	150		/* nesting depth of judgements */
#define MOST_SPLITS		5		/* nesting depth of cases for one instance */
#define MOST_INTEGERS	64		/* number of integers between bounds that are
								 * tried */

/* A statement that is being proved, or is known.  For emptiness, b is NULL. */
typedef struct JudgementKey
{
	EvSchemaSet *a;
	EvSchemaSet *b;
	EvScope    *scope;
	uint64		kinds;
} JudgementKey;

typedef struct Judgement
{
	JudgementKey key;			/* must be the first member */
	bool		proved;
	bool		refused;		/* not proved, finally */
	bool		running;
	bool		assumed;
	int			round;			/* of the last proof */
	int			queued;			/* round in which it was last put on the list */
} Judgement;

/* ---------- judgements ---------- */

static bool prove_set(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds);
static bool prove_no_instance(EvProver *p, EvSchemaSet *set);

static Judgement *
find_judgement(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds)
{
	JudgementKey key = {a, b, scope, kinds};
	Judgement  *judgement;
	bool		found;

	ev_spend(p, 10);
	if (p->judgements == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(JudgementKey), .entrysize = sizeof(Judgement)};

		control.hcxt = CurrentMemoryContext;
		p->judgements = hash_create("event_validate judgements", 256, &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	judgement = hash_search(p->judgements, &key, HASH_ENTER, &found);
	if (!found)
		memset((char *) judgement + sizeof(JudgementKey), 0, sizeof(Judgement) - sizeof(JudgementKey));
	return judgement;
}

/* Tries a proof, unless that was done in this round. */
static bool
make(EvProver *p, Judgement *judgement)
{
	const JudgementKey *key = &judgement->key;
	bool		result;

	check_stack_depth();
	ev_spend(p, 10);
	if (judgement->proved || judgement->refused)
		return judgement->proved;
	if (judgement->running)
		return false;
	if (judgement->round == p->round)
		return true;
	if (p->running >= MOST_RUNNING || p->proofs <= 0)
		return false;

	p->proofs--;
	p->running++;
	judgement->running = true;
	result = key->b != NULL ? prove_set(p, key->a, key->b, key->scope, key->kinds) :
		prove_no_instance(p, key->a);
	judgement->running = false;
	p->running--;

	judgement->round = p->round;
	judgement->refused = !result;
	if (!result && judgement->assumed)
		p->disappointed = true;
	p->made = lappend(p->made, judgement);
	return result;
}

/*
 * Runs rounds until no assumption turns out not to be proved.  A round begins
 * with all statements that are not refused yet.
 */
static bool
make_in_rounds(EvProver *p, Judgement *judgement)
{
	bool		result;
	ListCell   *cell;

	if (judgement->proved || judgement->refused)
		return judgement->proved;
	do
	{
		p->round++;
		p->disappointed = false;
		p->made = p->to_make = NIL;
		p->splits = 0;
		result = make(p, judgement);
		for (int i = 0; i < list_length(p->to_make) && result; i++)
		{
			p->splits = 0;
			make(p, list_nth(p->to_make, i));
		}
	} while (result && p->disappointed);

	ev_spend(p, list_length(p->made));
	foreach(cell, p->made)
	{
		Judgement  *made = lfirst(cell);

		made->proved = result && !made->refused;
	}
	return result;
}

static bool
judge(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds)
{
	Judgement  *judgement = find_judgement(p, a, b, scope, kinds);

	return p->running > 0 ? make(p, judgement) : make_in_rounds(p, judgement);
}

/* Assumes a statement about a part of the instance, to be proved later. */
static bool
assume(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	Judgement  *judgement = find_judgement(p, a, b, scope, b != NULL ? EV_FACT_ALL : 0);

	if (p->running == 0)
		return make_in_rounds(p, judgement);
	if (judgement->proved || judgement->refused)
		return judgement->proved;
	judgement->assumed = true;
	if (judgement->queued != p->round)
	{
		judgement->queued = p->round;
		p->to_make = lappend(p->to_make, judgement);
	}
	return true;
}

bool
ev_prove(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds)
{
	if (b == p->anything || a == b)
		return true;
	return judge(p, a, b, scope, kinds);
}

bool
ev_prove_empty(EvProver *p, EvSchemaSet *set)
{
	if (set == p->anything)
		return false;
	return judge(p, set, NULL, NULL, 0);
}

bool
ev_prove_child(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	return b == p->anything || a == b || assume(p, a, b, scope);
}

bool
ev_prove_child_empty(EvProver *p, EvSchemaSet *set)
{
	return set != p->anything && assume(p, set, NULL, NULL);
}

/* ---------- the lenient reading ---------- */

static void
add_cover(EvProver *p, EvSchemaSet *set, List **cover)
{
	EvFacts    *f = ev_facts(p, set, EV_NECESSARY);
	ListCell   *cell;
	ListCell   *member;

	check_stack_depth();
	ev_spend(p, list_length(*cover) / 8);
	if (list_member_ptr(*cover, f))
		return;
	*cover = lappend(*cover, f);
	foreach(cell, f->groups)
	{
		foreach(member, ((EvGroupFact *) lfirst(cell))->members)
			add_cover(p, ev_set_of(p, lfirst(member)), cover);
	}
	foreach(cell, f->conditions)
	{
		EvConditionFact *condition = lfirst(cell);

		add_cover(p, ev_set_of(p, condition->test), cover);
		add_cover(p, ev_set_of(p, condition->then), cover);
		add_cover(p, ev_set_of(p, condition->otherwise), cover);
	}
	foreach(cell, f->dependencies)
	{
		EvDependencyFact *dependency = lfirst(cell);

		if (dependency->schema != NULL)
			add_cover(p, ev_set_of(p, dependency->schema), cover);
	}
}

EvScope *
ev_scope_make(EvProver *p, EvSchemaSet *old, EvSchemaSet *new)
{
	EvScope    *scope;
	ListCell   *cell;

	ev_spend(p, list_length(p->scopes) / 4);
	foreach(cell, p->scopes)
	{
		scope = lfirst(cell);
		if (scope->old == old && scope->new == new)
			return scope;
	}
	scope = palloc0(sizeof(EvScope));
	scope->old = old;
	scope->new = new;
	add_cover(p, old, &scope->old_cover);
	add_cover(p, new, &scope->new_cover);
	p->scopes = lappend(p->scopes, scope);
	return scope;
}

/* Returns the schemas of a cover for a property (index < 0) or an item. */
static EvSchemaSet *
cover_child(EvProver *p, List *cover, const EvString *name, int64 index)
{
	List	   *members = NIL;
	ListCell   *cell;

	foreach(cell, cover)
	{
		EvSchemaSet *child = index < 0 ? ev_facts_property(p, lfirst(cell), name) :
			ev_facts_item(p, lfirst(cell), (uint32) index);

		ev_spend(p, (int64) list_length(members) * list_length(child->members) / 8);
		members = list_concat_unique_ptr(members, child->members);
	}
	return ev_set_make(p, members, NIL, NIL, EV_ALL_TYPES);
}

EvScope *
ev_scope_property(EvProver *p, EvScope *scope, const EvString *name)
{
	if (scope == NULL)
		return NULL;
	return ev_scope_make(p, cover_child(p, scope->old_cover, name, -1),
						 cover_child(p, scope->new_cover, name, -1));
}

EvScope *
ev_scope_item(EvProver *p, EvScope *scope, uint32 index)
{
	if (scope == NULL)
		return NULL;
	return ev_scope_make(p, cover_child(p, scope->old_cover, NULL, index),
						 cover_child(p, scope->new_cover, NULL, index));
}

/* Returns the schemas of a cover for properties without a declaration. */
static EvSchemaSet *
cover_rest(EvProver *p, List *cover)
{
	List	   *members = NIL;
	ListCell   *cell;
	ListCell   *shape_cell;
	ListCell   *named;

	foreach(cell, cover)
	{
		foreach(shape_cell, ((EvFacts *) lfirst(cell))->object_shapes)
		{
			EvObjectShape *shape = lfirst(shape_cell);

			ev_spend(p, (1 + list_length(shape->patterns)) * (1 + list_length(members) / 8));
			if (shape->rest != &p->truth)
				members = list_append_unique_ptr(members, shape->rest);
			foreach(named, shape->patterns)
			{
				if (((EvNamedSchema *) lfirst(named))->schema != &p->truth)
					members = list_append_unique_ptr(members, ((EvNamedSchema *) lfirst(named))->schema);
			}
		}
	}
	return ev_set_make(p, members, NIL, NIL, EV_ALL_TYPES);
}

EvScope *
ev_scope_rest(EvProver *p, EvScope *scope)
{
	if (scope == NULL)
		return NULL;
	return ev_scope_make(p, cover_rest(p, scope->old_cover), cover_rest(p, scope->new_cover));
}

/*
 * Is a property declared by name or, if by_name is false, by a pattern or by
 * an effective schema for additional properties?
 */
static bool
declares(EvProver *p, List *cover, const EvString *name, bool by_name)
{
	ListCell   *cell;
	ListCell   *shape_cell;
	ListCell   *named_cell;

	foreach(cell, cover)
	{
		foreach(shape_cell, ((EvFacts *) lfirst(cell))->object_shapes)
		{
			EvObjectShape *shape = lfirst(shape_cell);

			ev_spend(p, list_length(shape->names));
			foreach(named_cell, shape->names)
			{
				if (ev_strings_equal(&((EvNamedSchema *) lfirst(named_cell))->name, name))
					return true;
			}
			if (by_name)
				continue;
			if (!shape->rest->is_boolean)
				return true;
			foreach(named_cell, shape->patterns)
			{
				if (ev_string_matches(p, ((EvNamedSchema *) lfirst(named_cell))->pattern, name) != EV_NO)
					return true;
			}
		}
	}
	return false;
}

bool
ev_scope_absent(EvProver *p, EvScope *scope, const EvString *name)
{
	return scope != NULL &&
		((declares(p, scope->old_cover, name, true) && !declares(p, scope->new_cover, name, false)) ||
		 (declares(p, scope->new_cover, name, true) && !declares(p, scope->old_cover, name, false)));
}

/* ---------- values ---------- */

/* Lists all instances of a set, if there are few.  Returns false otherwise. */
static bool
all_values(const EvFacts *f, List **values)
{
	*values = f->values;
	if (f->enums != NIL)
		return true;

	if ((f->possible & EV_BIT(EV_NUMBER)) != 0 && f->integer)
	{
		EvNumberFact lower = ev_facts_lower(f);
		EvNumberFact upper = ev_facts_upper(f);
		Numeric		span;
		Numeric		value;

		if (lower.value == NULL || upper.value == NULL || lower.exclusive ||
			!ev_number_is_moderate(lower.value) || !ev_number_is_moderate(upper.value))
			return false;
		span = DatumGetNumeric(DirectFunctionCall2(numeric_sub, NumericGetDatum(upper.value),
												   NumericGetDatum(lower.value)));
		if (ev_number_compare(span, int64_to_numeric(MOST_INTEGERS)) > 0)
			return false;
		for (value = lower.value; ev_number_compare(value, upper.value) <= 0;
			 value = DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(value),
														 NumericGetDatum(int64_to_numeric(1)))))
		{
			JsonbValue *number = palloc(sizeof(JsonbValue));

			number->type = jbvNumeric;
			number->val.numeric = value;
			*values = lappend(*values, number);
		}
	}
	else if ((f->possible & EV_BIT(EV_NUMBER)) != 0)
		return false;
	if ((f->possible & (EV_BIT(EV_STRING) | EV_BIT(EV_ARRAY) | EV_BIT(EV_OBJECT))) != 0)
		return false;

	for (EvType type = 0; type < EV_TYPE_COUNT; type++)
		if ((f->possible & EV_BIT(type)) != 0 && type != EV_NUMBER)
		{
			JsonbValue *value = palloc(sizeof(JsonbValue));

			value->type = type == EV_NULL ? jbvNull : jbvBool;
			value->val.boolean = type == EV_TRUE;
			*values = lappend(*values, value);
		}
	return true;
}

static bool
prove_values(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, List *values, uint32 kinds)
{
	ListCell   *cell;

	foreach(cell, values)
	{
		if (ev_value_valid(p, lfirst(cell), b, kinds) != EV_YES &&
			ev_value_valid(p, lfirst(cell), a, EV_FACT_ALL) != EV_NO)
			return false;
	}
	return true;
}

/* ---------- one kind of facts after another ---------- */

static bool
prove_bound(EvNumberFact a, EvNumberFact b, bool is_lower)
{
	int			order;

	if (b.value == NULL)
		return true;
	if (a.value == NULL)
		return false;
	order = ev_number_compare(a.value, b.value);
	if (!is_lower)
		order = -order;
	return order > 0 || (order == 0 && (a.exclusive || !b.exclusive));
}

/* Large numbers are only multiples of themselves. */
static bool
is_multiple(Numeric number, Numeric of)
{
	if (ev_number_is_moderate(number) && ev_number_is_moderate(of))
		return ev_number_is_multiple(number, of);
	return ev_number_compare(number, of) == 0;
}

static bool
prove_multiples(EvProver *p, const EvFacts *a, const EvFacts *b)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, b->multiples)
	{
		Numeric		of = ((EvNumberFact *) lfirst(cell))->value;
		bool		proved = a->integer && is_multiple(int64_to_numeric(1), of);

		ev_spend(p, list_length(a->multiples) * (4 + VARSIZE_ANY(of) / 64));
		foreach(other, a->multiples)
			proved |= is_multiple(((EvNumberFact *) lfirst(other))->value, of);
		if (!proved)
			return false;
	}
	return true;
}

static bool
is_integer(const EvFacts *f)
{
	ListCell   *cell;

	if (f->integer)
		return true;
	foreach(cell, f->multiples)
	{
		if (ev_number_is_integer(((EvNumberFact *) lfirst(cell))->value))
			return true;
	}
	return false;
}

static bool
prove_patterns(EvProver *p, const EvFacts *a, const EvFacts *b)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, b->patterns)
	{
		bool		proved = false;

		ev_spend(p, list_length(a->patterns));
		foreach(other, a->patterns)
			proved |= ev_strings_equal(&((EvTextFact *) lfirst(cell))->text, &((EvTextFact *) lfirst(other))->text);
		if (!proved)
			return false;
	}
	return true;
}

static bool
prove_formats(EvProver *p, const EvFacts *a, const EvFacts *b)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, b->formats)
	{
		bool		proved = false;

		ev_spend(p, list_length(a->formats));
		foreach(other, a->formats)
		{
			proved |= ((EvFormatFact *) lfirst(cell))->format->matches ==
				((EvFormatFact *) lfirst(other))->format->matches;
		}
		if (!proved)
			return false;
	}
	return true;
}

static bool
prove_contents(EvProver *p, const EvFacts *a, const EvFacts *b)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, b->contents)
	{
		EvContentFact *wanted = lfirst(cell);
		bool		proved = false;

		ev_spend(p, list_length(a->contents));
		foreach(other, a->contents)
		{
			proved |= ((EvContentFact *) lfirst(other))->base64 == wanted->base64 &&
				((EvContentFact *) lfirst(other))->json == wanted->json;
		}
		if (!proved)
			return false;
	}
	return true;
}

static bool
prove_required(EvProver *p, const EvFacts *a, const EvFacts *b)
{
	ListCell   *cell;

	foreach(cell, b->required)
	{
		if (ev_facts_requires(p, a, &((EvTextFact *) lfirst(cell))->text) == NULL)
			return false;
	}
	return true;
}

/* Is each instance valid for one member and, for oneOf, for no other one? */
static bool
prove_group(EvProver *p, EvSchemaSet *a, const EvGroupFact *group, EvScope *scope)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, group->members)
	{
		bool		alone = true;

		if (!ev_prove(p, a, ev_set_of(p, lfirst(cell)), scope, EV_FACT_ALL))
			continue;
		if (!group->one)
			return true;
		foreach(other, group->members)
		{
			if (foreach_current_index(other) != foreach_current_index(cell))
				alone = alone && ev_prove_empty(p, ev_set_with(p, a, lfirst(other)));
		}
		return alone;
	}
	return false;
}

static bool
prove_groups(EvProver *p, EvSchemaSet *a, const EvFacts *b, EvScope *scope)
{
	ListCell   *cell;

	foreach(cell, b->groups)
	{
		if (!prove_group(p, a, lfirst(cell), scope))
			return false;
	}
	return true;
}

static bool
prove_nots(EvProver *p, EvSchemaSet *a, const EvFacts *b)
{
	ListCell   *cell;

	foreach(cell, b->nots)
	{
		if (!ev_prove_empty(p, ev_set_with(p, a, ((EvSchemaFact *) lfirst(cell))->schema)))
			return false;
	}
	return true;
}

static bool
prove_conditions(EvProver *p, EvSchemaSet *a, const EvFacts *b, EvScope *scope)
{
	ListCell   *cell;

	foreach(cell, b->conditions)
	{
		EvConditionFact *condition = lfirst(cell);

		if (!ev_prove(p, ev_set_with(p, a, condition->test), ev_set_of(p, condition->then), scope, EV_FACT_ALL) ||
			!ev_prove(p, ev_set_without(p, a, condition->test), ev_set_of(p, condition->otherwise), scope,
					  EV_FACT_ALL))
			return false;
	}
	return true;
}

/* Is one of the schemas equal to this one? */
static bool
has_same(EvProver *p, List *schemas, const EvSubschema *schema)
{
	ListCell   *cell;

	foreach(cell, schemas)
	{
		if (ev_schemas_same(p, lfirst(cell), schema))
			return true;
	}
	return false;
}

/*
 * An opaque keyword is proved if `a` has an equal schema.  A keyword about
 * which nothing is known must be on both sides, since it could also make other
 * keywords of its schema less strict, as minContains does with contains.
 */
static bool
prove_opaques(EvProver *p, const EvFacts *a, const EvFacts *b)
{
	ListCell   *cell;

	foreach(cell, b->opaques)
	{
		EvOpaqueFact *fact = lfirst(cell);

		if (!has_same(p, a->schemas, fact->origin.subschema))
			return false;
	}
	foreach(cell, a->opaques)
	{
		EvOpaqueFact *fact = lfirst(cell);

		if (!fact->is_reference && !has_same(p, b->schemas, fact->origin.subschema))
			return false;
	}
	return true;
}

/* Returns the kinds of facts of b that are not proved. */
static uint32
unproved(EvProver *p, EvSchemaSet *set_a, EvSchemaSet *set_b, EvScope *scope, uint32 kinds)
{
	const EvFacts *a = ev_facts(p, set_a, EV_NECESSARY);
	const EvFacts *b = ev_facts(p, set_b, EV_SUFFICIENT);
	uint32		result = 0;

#define CHECK(kind, proof) \
	do { \
		if ((kinds & EV_FACT_##kind) != 0 && !(proof)) \
			result |= EV_FACT_##kind; \
	} while (0)

	CHECK(TYPE, (a->possible & ~b->types) == 0 &&
		  (!b->integer || (a->possible & EV_BIT(EV_NUMBER)) == 0 || is_integer(a)));
	CHECK(ENUM, b->enums == NIL);	/* values were tried before */
	if ((a->possible & EV_BIT(EV_NUMBER)) != 0)
	{
		CHECK(LOWER, prove_bound(ev_facts_lower(a), b->lower, true));
		CHECK(UPPER, prove_bound(ev_facts_upper(a), b->upper, false));
		CHECK(MULTIPLE, prove_multiples(p, a, b));
	}
	if ((a->possible & EV_BIT(EV_STRING)) != 0)
	{
		CHECK(MIN_LENGTH, a->min_length.value >= b->min_length.value);
		CHECK(MAX_LENGTH, a->max_length.value <= b->max_length.value);
		CHECK(PATTERN, prove_patterns(p, a, b));
		CHECK(FORMAT, prove_formats(p, a, b));
		CHECK(CONTENT, prove_contents(p, a, b));
	}
	if ((a->possible & EV_BIT(EV_ARRAY)) != 0)
	{
		CHECK(MIN_ITEMS, a->min_items.value >= b->min_items.value);
		CHECK(MAX_ITEMS, b->max_items.value == EV_NO_MAXIMUM || ev_most_items(p, set_a) <= b->max_items.value);
		CHECK(UNIQUE, b->unique.subschema == NULL || a->unique.subschema != NULL || ev_most_items(p, set_a) <= 1);
		CHECK(ITEMS, ev_prove_items(p, set_a, set_b, scope));
		CHECK(CONTAINS, ev_prove_contains(p, set_a, set_b, scope));
	}
	if ((a->possible & EV_BIT(EV_OBJECT)) != 0)
	{
		CHECK(REQUIRED, prove_required(p, a, b));
		CHECK(MIN_PROPERTIES, Max(a->min_properties.value, (uint32) list_length(a->required)) >= b->min_properties.value);
		CHECK(MAX_PROPERTIES, b->max_properties.value == EV_NO_MAXIMUM ||
			  ev_most_properties(p, set_a) <= b->max_properties.value);
		CHECK(PROPERTIES, ev_prove_properties(p, set_a, set_b, scope));
		CHECK(NAMES, ev_prove_names(p, set_a, set_b, scope));
		CHECK(DEPENDENCIES, ev_prove_dependencies(p, set_a, set_b, scope));
	}
	CHECK(GROUPS, prove_groups(p, set_a, b, scope));
	CHECK(NOT, prove_nots(p, set_a, b));
	CHECK(CONDITIONS, prove_conditions(p, set_a, b, scope));
	CHECK(OPAQUE, prove_opaques(p, a, b));
#undef CHECK
	return result;
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

/*
 * Returns a set with one member of a group and, for oneOf, without the others.
 */
static EvSchemaSet *
case_of_member(EvProver *p, EvSchemaSet *set, const EvGroupFact *group, int index)
{
	EvSchemaSet *taken = ev_set_with(p, set, list_nth(group->members, index));
	List	   *excluded;
	ListCell   *cell;

	if (!group->one)
		return taken;
	excluded = list_copy(set->excluded);
	foreach(cell, group->members)
	{
		EvSubschema *other = lfirst(cell);

		/* only true and false can occur twice */
		ev_spend(p, list_length(set->excluded) / 8);
		if (foreach_current_index(cell) != index && !list_member_ptr(set->excluded, other) &&
			!((other == &p->truth || other == &p->falsehood) && list_member_ptr(excluded, other)))
			excluded = lappend(excluded, other);
	}
	set = ev_set_make(p, taken->members, excluded, taken->required, taken->types);
	list_free(excluded);
	return set;
}

/*
 * Splits a set into sets that together have all its instances; NIL if it
 * cannot be split.
 */
static List *
cases_of(EvProver *p, EvSchemaSet *set, bool by_type)
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
			cases = lappend(cases, case_of_member(p, set, group, i));
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
	return cases;
}

static bool
prove_set(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds)
{
	const EvFacts *facts = ev_facts(p, a, EV_NECESSARY);
	List	   *values;
	List	   *cases;
	ListCell   *cell;
	ListCell   *other;
	bool		all = b->excluded == NIL && b->required == NIL && b->types == EV_ALL_TYPES;
	uint32		left;

	/* is each schema of b one of a, or equal to one? */
	foreach(cell, b->members)
	{
		bool		found = list_member_ptr(facts->schemas, lfirst(cell));

		ev_spend(p, list_length(facts->schemas) / 8);
		foreach(other, a->members)
			found = found || ev_schemas_same(p, lfirst(other), lfirst(cell));
		all = all && found;
	}
	if (all || ev_prove_empty(p, a))
		return true;

	if (all_values(facts, &values))
		return prove_values(p, a, b, values, kinds);
	left = unproved(p, a, b, scope, kinds);
	if (left == 0)
		return true;

	if (p->splits >= MOST_SPLITS)
		return false;
	cases = cases_of(p, a, (left & (EV_FACT_GROUPS | EV_FACT_CONDITIONS | EV_FACT_NOT | EV_FACT_ENUM |
									EV_FACT_OPAQUE)) != 0);
	if (cases == NIL)
		return false;
	p->splits++;
	foreach(cell, cases)
	{
		if (!ev_prove(p, lfirst(cell), b, scope, left))
			break;
	}
	p->splits--;
	return cell == NULL;
}

/* ---------- emptiness ---------- */

static bool
prove_no_instance(EvProver *p, EvSchemaSet *set)
{
	const EvFacts *f = ev_facts(p, set, EV_NECESSARY);
	uint32		possible = f->possible;
	List	   *values;
	List	   *cases;
	ListCell   *cell;

	if (possible == 0)
		return true;
	if (all_values(f, &values))
	{
		foreach(cell, values)
		{
			if (ev_value_valid(p, lfirst(cell), set, EV_FACT_ALL) != EV_NO)
				return false;
		}
		return true;
	}
	foreach(cell, f->nots)
	{
		EvSubschema *schema = ((EvSchemaFact *) lfirst(cell))->schema;
		List	   *others = list_delete_ptr(list_copy(set->excluded), schema);
		EvSchemaSet *rest = ev_set_make(p, set->members, others, set->required, set->types);

		list_free(others);
		if (ev_prove(p, rest, ev_set_of(p, schema), NULL, EV_FACT_ALL))
			return true;
	}
	if ((possible & EV_BIT(EV_OBJECT)) != 0 && ev_object_impossible(p, set))
		possible &= ~EV_BIT(EV_OBJECT);
	if ((possible & EV_BIT(EV_ARRAY)) != 0 && ev_array_impossible(p, set))
		possible &= ~EV_BIT(EV_ARRAY);
	if (possible == 0)
		return true;

	if (p->splits >= MOST_SPLITS)
		return false;
	cases = cases_of(p, set, false);
	if (cases == NIL)
		return false;
	p->splits++;
	foreach(cell, cases)
	{
		if (!ev_prove_empty(p, lfirst(cell)))
			break;
	}
	p->splits--;
	return cell == NULL;
}
