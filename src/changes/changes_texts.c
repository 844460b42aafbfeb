/*
 * changes_texts.c
 *	  Proofs about strings that are allowed by one of several schemas.
 *
 * What a set of schemas says about strings is made of patterns, lengths and
 * listed values, joined by anyOf, oneOf, not and if.  It is written as a list of
 * cases: a string is in one of them.  In a case, a string matches some patterns,
 * does not match others, and has a length in a range.  A string that `a` accepts
 * and `b` rejects would be in a case of both.  If no string is in any such case,
 * all strings of `a` are strings of `b`.
 *
 * What cannot be written so is left out.  Then the cases have more strings, so a
 * proof is still one.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "changes/changes_internal.h"

#define MOST_CASES		48		/* in a list */
#define MOST_MEMBERS	16		/* of anyOf or oneOf */
#define MOST_LEVELS		6		/* of schemas within schemas */
#define MOST_TEXTS		64		/* in a case */
#define MOST_SCHEMAS	64		/* that are read for one proof */

/* Strings that match these patterns and not those, with such a length. */
typedef struct TextCase
{
	List	   *matched;		/* of EvString * */
	List	   *unmatched;		/* of EvString * */
	uint32		min_length;
	uint32		max_length;
} TextCase;

/* The cases or what they say are too many, or one of them is not understood. */
#define TOO_MANY	((List *) &too_many)
static const List too_many;

static List *cases_of(EvProver *p, EvSchemaSet *set, bool holds, uint32 kinds, int level);

/* ---------- lists of cases ---------- */

/* Returns a list with the case of all strings. */
static List *
any_string(void)
{
	TextCase   *any = palloc0(sizeof(TextCase));

	any->max_length = EV_NO_MAXIMUM;
	return list_make1(any);
}

/* Returns the case of the strings that match a pattern, or of all others. */
static List *
case_of_text(const EvString *text, bool matches)
{
	List	   *result = any_string();
	TextCase   *only = linitial(result);

	if (matches)
		only->matched = list_make1(unconstify(EvString *, text));
	else
		only->unmatched = list_make1(unconstify(EvString *, text));
	return result;
}

static List *
case_of_length(uint32 min_length, uint32 max_length)
{
	List	   *result = any_string();

	((TextCase *) linitial(result))->min_length = min_length;
	((TextCase *) linitial(result))->max_length = max_length;
	return result;
}

/* Returns the cases of either list. */
static List *
either(List *a, List *b)
{
	if (a == TOO_MANY || b == TOO_MANY || list_length(a) + list_length(b) > MOST_CASES)
		return TOO_MANY;
	return list_concat(a, b);
}

/* Is there clearly no string in a case? */
static bool
is_contradiction(EvProver *p, const TextCase *c)
{
	ListCell   *cell;

	if (c->min_length > c->max_length)
		return true;
	ev_spend(p, list_length(c->matched) * (1 + list_length(c->unmatched)));
	foreach(cell, c->matched)
	{
		if (ev_string_among(p, c->unmatched, lfirst(cell)))
			return true;
	}
	return false;
}

static List *
with_texts(EvProver *p, const List *some, const List *more)
{
	List	   *result = list_copy(some);
	ListCell   *cell;

	foreach(cell, more)
	{
		if (!ev_string_among(p, result, lfirst(cell)))
			result = lappend(result, lfirst(cell));
	}
	return result;
}

/* Returns the cases of both lists at once. */
static List *
both(EvProver *p, const List *a, const List *b)
{
	List	   *result = NIL;
	ListCell   *cell;
	ListCell   *other;

	if (a == NIL || b == NIL)
		return NIL;
	if (a == TOO_MANY || b == TOO_MANY)
		return TOO_MANY;
	foreach(cell, a)
	{
		const TextCase *one = lfirst(cell);

		foreach(other, b)
		{
			const TextCase *two = lfirst(other);
			TextCase   *joined = palloc(sizeof(TextCase));

			ev_spend(p, 20);
			if (list_length(one->matched) + list_length(two->matched) +
				list_length(one->unmatched) + list_length(two->unmatched) > MOST_TEXTS)
				return TOO_MANY;
			joined->matched = with_texts(p, one->matched, two->matched);
			joined->unmatched = with_texts(p, one->unmatched, two->unmatched);
			joined->min_length = Max(one->min_length, two->min_length);
			joined->max_length = Min(one->max_length, two->max_length);
			if (!is_contradiction(p, joined))
				result = lappend(result, joined);
		}
		if (list_length(result) > MOST_CASES)
			return TOO_MANY;
	}
	return result;
}

/* ---------- listed values ---------- */

/*
 * Returns the cases of the strings among these values, or of all others.  Many
 * values are left out: then the case is that of all strings.
 */
static List *
cases_of_values(EvProver *p, const List *values, bool listed)
{
	List	   *strings = NIL;
	EvString   *pattern;
	ListCell   *cell;

	ev_spend(p, list_length(values));
	foreach(cell, values)
	{
		const JsonbValue *value = lfirst(cell);
		EvString   *string;

		if (value->type != jbvString)
			continue;
		string = palloc(sizeof(EvString));
		*string = ev_string_of(value);
		strings = lappend(strings, string);
	}
	if (strings == NIL)
		return listed ? NIL : any_string();
	pattern = ev_pattern_of_strings(p, strings);
	return pattern != NULL ? case_of_text(pattern, listed) : any_string();
}

/* ---------- schemas ---------- */

static List *
cases_of_schema(EvProver *p, EvSubschema *schema, bool holds, int level)
{
	return cases_of(p, ev_set_of(p, schema), holds, EV_FACT_ALL, level + 1);
}

/* Returns the cases in which a condition is met, or is not. */
static List *
cases_of_condition(EvProver *p, const EvConditionFact *condition, bool holds, int level)
{
	return either(both(p, cases_of_schema(p, condition->test, true, level),
					   cases_of_schema(p, condition->then, holds, level)),
				  both(p, cases_of_schema(p, condition->test, false, level),
					   cases_of_schema(p, condition->otherwise, holds, level)));
}

/* Returns the cases in which one of the members matches. */
static List *
cases_of_members(EvProver *p, const EvGroupFact *group, int level)
{
	List	   *result = NIL;
	ListCell   *cell;

	if (list_length(group->members) > MOST_MEMBERS)
		return any_string();
	foreach(cell, group->members)
		result = either(result, cases_of_schema(p, lfirst(cell), true, level));
	return result;
}

/* Returns the cases in which no member matches or, for oneOf, two of them. */
static List *
cases_without_group(EvProver *p, const EvGroupFact *group, int level)
{
	List	   *result = any_string();
	ListCell   *cell;

	if (list_length(group->members) > MOST_MEMBERS)
		return result;
	foreach(cell, group->members)
		result = both(p, result, cases_of_schema(p, lfirst(cell), false, level));
	for (int i = 0; i < list_length(group->members) && group->one; i++)
		for (int j = 0; j < i; j++)
			result = either(result, both(p, cases_of_schema(p, list_nth(group->members, i), true, level),
										 cases_of_schema(p, list_nth(group->members, j), true, level)));
	return result;
}

/* Are there more schemas within than are read? */
static bool
too_many_facts(const EvFacts *f)
{
	return list_length(f->groups) + list_length(f->nots) + list_length(f->conditions) > MOST_SCHEMAS;
}

/* Returns the cases of all strings that the set accepts. */
static List *
cases_accepted(EvProver *p, EvSchemaSet *set, int level)
{
	const EvFacts *f = ev_facts(p, set, EV_NECESSARY);
	List	   *result;
	ListCell   *cell;

	if ((f->possible & EV_BIT(EV_STRING)) == 0)
		return NIL;

	/* it can make other keywords less strict */
	if (f->opaques != NIL || too_many_facts(f))
		return TOO_MANY;
	result = case_of_length(f->min_length.value, f->max_length.value);
	foreach(cell, ev_facts_texts(p, f))
		result = both(p, result, case_of_text(lfirst(cell), true));
	if (f->enums != NIL)
		result = both(p, result, cases_of_values(p, f->values, true));
	foreach(cell, f->groups)
		result = both(p, result, cases_of_members(p, lfirst(cell), level));
	foreach(cell, f->nots)
		result = both(p, result, cases_of_schema(p, ((EvSchemaFact *) lfirst(cell))->schema, false, level));
	foreach(cell, f->conditions)
		result = both(p, result, cases_of_condition(p, lfirst(cell), true, level));
	return result;
}

/* Returns the cases of all strings that the set rejects, because of facts of these kinds. */
static List *
cases_rejected(EvProver *p, EvSchemaSet *set, uint32 kinds, int level)
{
	const EvFacts *f = ev_facts(p, set, EV_SUFFICIENT);
	List	   *result = NIL;
	ListCell   *cell;

#define WANTED(kind) ((kinds & EV_FACT_##kind) != 0)
	if ((WANTED(TYPE) && (f->types & EV_BIT(EV_STRING)) == 0) || (WANTED(FORMAT) && f->formats != NIL) ||
		(WANTED(CONTENT) && f->contents != NIL) || f->opaques != NIL)
		return any_string();
	if (WANTED(MIN_LENGTH) && f->min_length.value > 0)
		result = case_of_length(0, f->min_length.value - 1);
	if (WANTED(MAX_LENGTH) && f->max_length.value != EV_NO_MAXIMUM)
		result = either(result, case_of_length(f->max_length.value + 1, EV_NO_MAXIMUM));
	foreach(cell, WANTED(PATTERN) ? f->patterns : NIL)
		result = either(result, case_of_text(&((EvTextFact *) lfirst(cell))->text, false));
	foreach(cell, WANTED(ENUM) ? f->enums : NIL)
		result = either(result, cases_of_values(p, ((EvEnumFact *) lfirst(cell))->values, false));
	if (result == TOO_MANY || too_many_facts(f))
		return TOO_MANY;
	foreach(cell, WANTED(GROUPS) ? f->groups : NIL)
		result = either(result, cases_without_group(p, lfirst(cell), level));
	foreach(cell, WANTED(NOT) ? f->nots : NIL)
		result = either(result, cases_of_schema(p, ((EvSchemaFact *) lfirst(cell))->schema, true, level));
	foreach(cell, WANTED(CONDITIONS) ? f->conditions : NIL)
		result = either(result, cases_of_condition(p, lfirst(cell), false, level));
#undef WANTED
	return result;
}

static List *
cases_of(EvProver *p, EvSchemaSet *set, bool holds, uint32 kinds, int level)
{
	check_stack_depth();
	if (set == p->anything)
		return holds ? any_string() : NIL;
	if (++p->text_schemas > MOST_SCHEMAS)
		return TOO_MANY;
	ev_spend(p, 50);
	if (level > MOST_LEVELS)
		return any_string();
	return holds ? cases_accepted(p, set, level) : cases_rejected(p, set, kinds, level);
}

/* Do only lengths, patterns and formats say something about strings? */
static bool
is_plain(const EvFacts *f)
{
	return f->enums == NIL && f->groups == NIL && f->nots == NIL && f->conditions == NIL;
}

/*
 * Returns the cases of all strings that `a` accepts and `b` rejects because of facts
 * of these kinds.
 */
static List *
cases_between(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, uint32 kinds)
{
	List	   *cases;

	/* such facts are looked at elsewhere */
	if (is_plain(ev_facts(p, a, EV_NECESSARY)) && (b == NULL || is_plain(ev_facts(p, b, EV_SUFFICIENT))))
		return TOO_MANY;
	p->text_schemas = 0;
	cases = cases_of(p, a, true, EV_FACT_ALL, 0);
	if (b != NULL && cases != TOO_MANY)
		cases = both(p, cases, cases_of(p, b, false, kinds, 0));
	return cases;
}

bool
ev_prove_strings(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, uint32 kinds)
{
	List	   *cases = cases_between(p, a, b, kinds);
	ListCell   *cell;

	if (cases == TOO_MANY)
		return false;
	foreach(cell, cases)
	{
		const TextCase *c = lfirst(cell);

		if (ev_string_exists(p, c->matched, c->unmatched, c->min_length, c->max_length, NULL) != EV_NO)
			return false;
	}
	return true;
}

List *
ev_strings_between(EvProver *p, EvSchemaSet *a, EvSchemaSet *b)
{
	List	   *cases = cases_between(p, a, b, EV_FACT_ALL);
	List	   *result = NIL;
	ListCell   *cell;

	if (cases == TOO_MANY)
		return NIL;
	foreach(cell, cases)
	{
		const TextCase *c = lfirst(cell);
		EvString   *example = palloc(sizeof(EvString));

		if (ev_string_exists(p, c->matched, c->unmatched, c->min_length, c->max_length, example) == EV_YES)
			result = lappend(result, example);
	}
	return result;
}
