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
 * This file calls changes_parallel.c for schemas that are written alike,
 * changes_object.c for the facts about children, and changes_branch.c for those
 * about branches and for cases, and all call this file: they are one recursion over
 * the schemas.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"

#define MOST_RUNNING	150		/* nesting depth of judgements */
#define MOST_PROOFS		20000	/* of statements, for one question */
#define MOST_WORK_FIRST INT64CONST(4000000) /* on the question about the whole
											 * documents, */
#define MOST_WORK		INT64CONST(400000)	/* and on another one */
#define MOST_WORK_SINGLE	INT64CONST(40000)	/* and on one about a single
												 * fact */
#define QUESTION_SHARE	16		/* the part of the limit on all work that one
								 * question can take */
#define MOST_SIMPLE		20		/* listed values that are tried at once */
#define MOST_INTEGERS	64		/* number of integers between bounds that are
								 * tried */
#define MOST_EXCLUDED	4		/* excluded schemas whose combinations are
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
	bool		has_no_simple;	/* no simple value refutes it */
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

/* Are the limits of this question reached? */
static bool
is_cut_short(const EvProver *p)
{
	return p->proofs <= 0 || ev_work_counted(p) > p->question_end;
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
	if (is_cut_short(p))
		return false;
	if (judgement->round == p->round)
		return true;
	if (p->running >= MOST_RUNNING)
		return false;

	if (key->b != NULL && key->kinds == EV_FACT_ALL && ev_witness_is_known(p, key->a, key->b, key->scope))
	{
		judgement->refused = true;
		p->disappointed = p->disappointed || judgement->assumed;
		return false;
	}
	p->proofs--;
	p->running++;
	judgement->running = true;
	result = key->b != NULL ? prove_set(p, key->a, key->b, key->scope, key->kinds) :
		prove_no_instance(p, key->a);
	judgement->running = false;
	p->running--;

	if (!result && judgement->assumed)
		p->disappointed = true;
	/* another question can have enough left for it */
	if (!result && is_cut_short(p))
		return false;
	judgement->round = p->round;
	judgement->refused = !result;
	p->made = lappend(p->made, judgement);
	return result;
}

/*
 * Runs rounds until all assumptions of a round are proved.  A round begins
 * with all statements that are not refused yet.
 */
static bool
make_in_rounds(EvProver *p, Judgement *judgement)
{
	int			outer = p->question;
	bool		result;
	ListCell   *cell;

	if (judgement->proved || judgement->refused)
		return judgement->proved;
	p->proofs = MOST_PROOFS;
	p->question = ++p->questions;
	p->question_end = ev_work_counted(p) + Min(p->is_first ? MOST_WORK_FIRST : p->is_single ? MOST_WORK_SINGLE : MOST_WORK,
											   p->most_work / QUESTION_SHARE);
	do
	{
		p->round++;
		p->disappointed = false;
		p->made = p->to_make = NIL;
		p->splits = 0;
		result = make(p, judgement);
		for (int i = 0; i < list_length(p->to_make) && result; i++)
		{
			Judgement  *assumed = list_nth(p->to_make, i);

			p->splits = 0;

			/* neither proved nor refused: the limit on proofs is reached */
			if (!make(p, assumed) && !assumed->refused)
				result = false;
		}
	} while (result && p->disappointed);

	/* the same question would not end earlier */
	if (is_cut_short(p) && !p->is_first && !p->is_single)
		judgement->refused = !result;
	p->question = outer;
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
	Judgement  *judgement;

	/* a set of schemas does not say in which dynamic scope they are */
	if (p->is_ambiguous)
		return false;
	judgement = find_judgement(p, a, b, scope, kinds);
	return p->running > 0 ? make(p, judgement) : make_in_rounds(p, judgement);
}

/*
 * Is one of the simplest values valid under a set and, unless `b` is NULL, not
 * under `b`?  Then nothing need be assumed.
 */
static bool
has_simple_instance(EvProver *p, EvSchemaSet *a, EvSchemaSet *b)
{
	static const JsonbValue simple[] = {
		{.type = jbvNull}, {.type = jbvBool}, {.type = jbvString,.val.string = {.len = 0, .val = ""}},
	};
	const EvFacts *f = ev_facts(p, a, EV_NECESSARY);
	ListCell   *cell;

	for (int i = 0; i < (int) lengthof(simple) && f->enums == NIL; i++)
		if ((f->possible & EV_BIT(ev_value_type(&simple[i]))) != 0 &&
			ev_value_valid(p, &simple[i], a, EV_FACT_ALL) == EV_YES &&
			(b == NULL || ev_value_valid(p, &simple[i], b, EV_FACT_ALL) == EV_NO))
			return true;
	foreach(cell, f->values)
	{
		if (foreach_current_index(cell) >= MOST_SIMPLE)
			break;
		if (ev_value_valid(p, lfirst(cell), a, EV_FACT_ALL) == EV_YES &&
			(b == NULL || ev_value_valid(p, lfirst(cell), b, EV_FACT_ALL) == EV_NO))
			return true;
	}
	return false;
}

/* Assumes a statement about a part of the instance, to be proved later. */
static bool
assume(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	Judgement  *judgement;

	if (p->is_ambiguous)
		return false;
	judgement = find_judgement(p, a, b, scope, b != NULL ? EV_FACT_ALL : 0);
	if (p->running == 0)
		return make_in_rounds(p, judgement);
	if (judgement->proved || judgement->refused)
		return judgement->proved;
	if (!judgement->has_no_simple && has_simple_instance(p, a, b))
	{
		judgement->refused = true;
		return false;
	}
	judgement->has_no_simple = true;
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
	a = a->proper;
	b = b->proper;
	if (b == p->anything || a == b)
		return true;
	return judge(p, a, b, scope, kinds);
}

bool
ev_prove_first(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	bool		result;

	p->is_first = true;
	result = ev_prove(p, a, b, scope, EV_FACT_ALL);
	p->is_first = false;
	return result;
}

bool
ev_prove_empty(EvProver *p, EvSchemaSet *set)
{
	set = set->proper;
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

/*
 * Returns the least common multiple of a's values of multipleOf; NULL if there
 * is none.
 */
static Numeric
common_multiple(EvProver *p, const EvFacts *a)
{
	Numeric		result = a->integer ? int64_to_numeric(1) : NULL;
	ListCell   *cell;

	foreach(cell, a->multiples)
	{
		Numeric		of = ((EvNumberFact *) lfirst(cell))->value;

		ev_spend(p, 50);
		if (!ev_number_is_moderate(of) || (result != NULL && !ev_number_is_moderate(result)))
			continue;
		result = result == NULL ? of :
			DatumGetNumeric(DirectFunctionCall2(numeric_lcm, NumericGetDatum(result), NumericGetDatum(of)));
	}
	return result;
}

static bool
prove_multiples(EvProver *p, const EvFacts *a, const EvFacts *b)
{
	Numeric		common = b->multiples != NIL ? common_multiple(p, a) : NULL;
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, b->multiples)
	{
		Numeric		of = ((EvNumberFact *) lfirst(cell))->value;
		bool		proved = common != NULL && is_multiple(common, of);

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
		const EvString *text = &((EvTextFact *) lfirst(cell))->text;
		bool		proved = false;

		ev_spend(p, list_length(a->patterns));
		foreach(other, a->patterns)
			proved |= ev_strings_equal(text, &((EvTextFact *) lfirst(other))->text);
		if (!proved && !ev_strings_match(p, a, text))
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
			proved |= ev_format_implies(((EvFormatFact *) lfirst(other))->format,
										((EvFormatFact *) lfirst(cell))->format);
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

		if (fact->is_reference || !ev_schema_among(p, a->schemas, fact->origin.subschema))
			return false;
	}
	foreach(cell, a->opaques)
	{
		EvOpaqueFact *fact = lfirst(cell);

		if (!fact->is_reference && !ev_schema_among(p, b->schemas, fact->origin.subschema))
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
		CHECK(MIN_LENGTH, ev_strings_have_length(p, a, b->min_length.value, EV_NO_MAXIMUM));
		CHECK(MAX_LENGTH, ev_strings_have_length(p, a, 0, b->max_length.value));
		CHECK(PATTERN, prove_patterns(p, a, b));
		CHECK(FORMAT, prove_formats(p, a, b));
		CHECK(CONTENT, prove_contents(p, a, b));
	}
	if ((a->possible & EV_BIT(EV_ARRAY)) != 0)
	{
		CHECK(MIN_ITEMS, a->min_items.value >= b->min_items.value);
		CHECK(MAX_ITEMS, b->max_items.value == EV_NO_MAXIMUM || ev_most_items(p, set_a) <= b->max_items.value);
		CHECK(UNIQUE, b->unique.subschema == NULL || a->unique.subschema != NULL || ev_items_differ(p, set_a));
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
	CHECK(GROUPS, ev_prove_groups(p, set_a, set_b, scope));
	CHECK(NOT, ev_prove_nots(p, set_a, set_b, scope));
	CHECK(CONDITIONS, ev_prove_conditions(p, set_a, set_b, scope));
	CHECK(OPAQUE, prove_opaques(p, a, b));
#undef CHECK
	return result;
}

/* ---------- a whole set ---------- */

static bool
prove_set(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds)
{
	const EvFacts *facts = ev_facts(p, a, EV_NECESSARY);
	List	   *values;
	List	   *cases;
	ListCell   *cell;
	bool		all = b->excluded == NIL && b->required == NIL && b->types == EV_ALL_TYPES;
	uint32		left;

	/* is each schema of b one of a, or written like one? */
	foreach(cell, b->members)
	{
		ev_spend(p, list_length(facts->schemas) / 8);
		all = all && (list_member_ptr(facts->schemas, lfirst(cell)) ||
					  ev_prove_parallel(p, facts->schemas, lfirst(cell), scope));
	}
	if (all || ev_prove_empty(p, a))
		return true;

	if (all_values(facts, &values))
		return prove_values(p, a, b, values, kinds);
	left = unproved(p, a, b, scope, kinds);
	if (left == 0)
		return true;
	if ((facts->possible & EV_BIT(EV_STRING)) != 0 && ev_prove_strings(p, a, b, left))
		return ev_prove(p, ev_set_of_types(p, a, ~EV_BIT(EV_STRING)), b, scope, left);

	if (p->splits >= EV_MOST_SPLITS)
		return false;
	cases = ev_cases(p, a, b, (left & (EV_FACT_GROUPS | EV_FACT_CONDITIONS | EV_FACT_NOT | EV_FACT_ENUM |
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
		List	   *others = NIL;
		EvSchemaSet *rest;

		/* this comes here again without each one: 2^n combinations */
		if (list_length(set->excluded) <= MOST_EXCLUDED)
			others = list_delete_ptr(list_copy(set->excluded), schema);
		rest = ev_set_make(p, set->members, others, set->required, set->types);
		list_free(others);
		if (ev_prove(p, rest, ev_set_of(p, schema), NULL, EV_FACT_ALL))
			return true;
	}
	if ((possible & EV_BIT(EV_OBJECT)) != 0 && ev_object_impossible(p, set))
		possible &= ~EV_BIT(EV_OBJECT);
	if ((possible & EV_BIT(EV_ARRAY)) != 0 && ev_array_impossible(p, set))
		possible &= ~EV_BIT(EV_ARRAY);
	if ((possible & EV_BIT(EV_STRING)) != 0 && ev_prove_strings(p, set, NULL, 0))
		possible &= ~EV_BIT(EV_STRING);
	if (possible == 0)
		return true;

	if (p->splits >= EV_MOST_SPLITS)
		return false;
	cases = ev_cases(p, set, NULL, false);
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
