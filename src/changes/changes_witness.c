/*
 * changes_witness.c
 *	  Values that one of two schemas accepts and the other does not.
 *
 * A statement that is not proved need not be false.  Values are made from the
 * contents of both schemas (bounds, lengths, names, listed values).  Those
 * that one schema certainly accepts are tried against the other.  If it
 * certainly rejects one, the change is incompatible; if no such value is
 * found, it stays unknown.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"

#define MOST_SAMPLES	24		/* kept for one set */
#define MOST_SAMPLES_OF_SAME	6	/* made for a set that is the same on both
									 * sides, apart from listed values */
#define MOST_TRIED		400		/* for one set */
#define MOST_DEPTH		5		/* levels of the instance */
#define MOST_LENGTH		600		/* of strings made for minLength */
#define MOST_ITEMS		64		/* of arrays made for minItems */
#define MOST_TRIED_IN_ALL	5000	/* in one search, */
#define MOST_TRIED_LATE	20		/* and after them for one set, so that what
								 * was found for its parts is used */
#define MOST_TRIED_TO_LIFT	300 /* to find a witness that contains another one */
#define MOST_WORK_TO_LIFT	INT64CONST(3000000) /* the same */
#define MOST_OTHER_VALUES	4	/* of one property, in an object with others */
#define MOST_WORK_TO_SEARCH	INT64CONST(2500000) /* in one search */
#define MOST_BRANCHES	12		/* of one group */
#define MOST_SETS		120		/* in one search; for other sets, only listed
								 * values are tried */

typedef struct SamplesKey
{
	EvSchemaSet *a;
	EvSchemaSet *b;
	int64		depth;
} SamplesKey;

typedef struct Samples
{
	SamplesKey	key;			/* must be the first member */
	List	   *values;			/* of JsonbValue, valid under a */
	int			search;			/* the search that made them, if it was cut
								 * short; otherwise 0 */
} Samples;

/* The state of the search. */
typedef struct Collector
{
	EvProver   *prover;
	EvSchemaSet *a;
	EvSchemaSet *b;
	int			depth;
	int			tried;
	int			late;			/* tried after MOST_TRIED_IN_ALL */
	List	   *seen;			/* hashes of the values that were tried */
	bool		few;			/* a few values are enough, since no value
								 * tells the sets apart */
	bool		wanted;			/* end the search at a witness, */
	uint32		kinds;			/* for facts of these kinds, */
	EvScope    *scope;			/* in this scope */
	JsonbValue *witness;
	List	   *telling;		/* valid under a, and not under b because of
								 * the value itself, */
	List	   *telling_below;	/* or because of a part of it */
	List	   *others;			/* valid under a */
} Collector;

static List *samples(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, int depth);

/* Was a value tried before?  Values with equal hashes are taken for equal. */
static bool
is_seen(Collector *c, const JsonbValue *value)
{
	EvInstance	instance = ev_json_instance(value);
	int			hash = (int) ev_value_hash(&instance);

	ev_spend(c->prover, 5 + ev_value_work(value) + list_length(c->seen) / 16);
	if (list_member_int(c->seen, hash))
		return true;
	c->seen = lappend_int(c->seen, hash);
	return false;
}

/* Is the limit on the work of this search reached? */
static bool
is_cut_short(const EvProver *p)
{
	return ev_work_counted(p) > p->search_end;
}

/* Is the search at an end? */
static bool
is_done(const Collector *c)
{
	return c->witness != NULL || c->tried >= MOST_TRIED || c->late >= MOST_TRIED_LATE ||
		(c->few && list_length(c->others) >= MOST_SAMPLES_OF_SAME) || is_cut_short(c->prover);
}

/*
 * Returns the list of the collector for a value, or NULL if it is not to be
 * kept.  Sets the witness if it is one.
 */
static List **
list_for(Collector *c, const JsonbValue *value)
{
	EvProver   *p = c->prover;
	EvTruth		itself;

	if (is_done(c))
		return NULL;
	c->tried++;
	if (p->tried++ >= MOST_TRIED_IN_ALL)
		c->late++;
	if (is_seen(c, value) || ev_value_valid(p, value, c->a, EV_FACT_ALL) != EV_YES)
		return NULL;
	itself = ev_value_valid(p, value, c->b, EV_FACT_ALL & ~(EV_FACT_ITEMS | EV_FACT_PROPERTIES));
	if (itself != EV_NO && ev_value_valid(p, value, c->b, EV_FACT_ALL) != EV_NO)
		return &c->others;
	if (c->wanted && ev_value_valid(p, value, c->b, c->kinds) == EV_NO && ev_value_admissible(p, value, c->a, c->scope))
	{
		c->witness = palloc(sizeof(JsonbValue));
		*c->witness = *value;
	}
	return itself == EV_NO ? &c->telling : &c->telling_below;
}

/* Keeps a copy of a value if the first set accepts it. */
static void
try_value(Collector *c, const JsonbValue *value)
{
	List	  **list = list_for(c, value);
	JsonbValue *copy;

	if (list == NULL)
		return;
	copy = palloc(sizeof(JsonbValue));
	*copy = *value;
	*list = lappend(*list, copy);
}

/*
 * The same for a value that was made for this search; it is freed if it is not
 * kept.
 */
static void
try_made(Collector *c, JsonbValue *value)
{
	List	  **list = list_for(c, value);

	if (list == NULL)
		pfree(value);
	else
		*list = lappend(*list, value);
}

static void
try_values(Collector *c, const List *values)
{
	ListCell   *cell;

	foreach(cell, values)
	{
		if (is_done(c))
			break;
		try_value(c, lfirst(cell));
	}
}

/* ---------- scalars ---------- */

static void
try_number(Collector *c, Numeric number)
{
	JsonbValue	value = {.type = jbvNumeric};

	value.val.numeric = number;
	try_value(c, &value);
}

static Numeric
numeric_of(const char *digits)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(digits),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

static Numeric
sum(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a), NumericGetDatum(b)));
}

static Numeric
product(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_mul, NumericGetDatum(a), NumericGetDatum(b)));
}

static void
try_numbers(Collector *c, const EvFacts *fa, const EvFacts *fb)
{
	static const char *const steps[] = {"0", "1", "-1", "0.5", "-0.5", "0.001", "-0.001"};
	static const char *const plain[] = {"0", "1", "-1", "0.5", "7", "1000003", "-1000003", "0.000001"};
	Numeric		bounds[] = {fa->lower.value, fa->upper.value, fb->lower.value, fb->upper.value};
	const EvFacts *both[] = {fa, fb};
	List	   *units = NIL;
	ListCell   *cell;

	for (int i = 0; i < (int) lengthof(plain); i++)
		try_number(c, numeric_of(plain[i]));
	for (int i = 0; i < (int) lengthof(bounds); i++)
		for (int j = 0; j < (int) lengthof(steps) && bounds[i] != NULL && ev_number_is_moderate(bounds[i]); j++)
			try_number(c, sum(bounds[i], numeric_of(steps[j])));

	/* multiples of each, of all, and those next to bounds */
	for (int i = 0; i < 2; i++)
	{
		foreach(cell, both[i]->multiples)
			units = lappend(units, ((EvNumberFact *) lfirst(cell))->value);
	}
	if (list_length(units) == 2 && ev_number_is_moderate(linitial(units)) && ev_number_is_moderate(lsecond(units)))
		units = lappend(units, product(linitial(units), lsecond(units)));
	if (fa->integer)
		units = lappend(units, int64_to_numeric(1));
	foreach(cell, units)
	{
		Numeric		unit = lfirst(cell);

		if (!ev_number_is_moderate(unit))
			continue;

		for (int j = -3; j <= 3; j++)
			try_number(c, product(unit, int64_to_numeric(j)));
		for (int i = 0; i < (int) lengthof(bounds); i++)
			if (bounds[i] != NULL && ev_number_is_moderate(bounds[i]))
			{
				Datum		quotient = DirectFunctionCall2(numeric_div, NumericGetDatum(bounds[i]),
														   NumericGetDatum(unit));
				Numeric		whole = DatumGetNumeric(DirectFunctionCall1(numeric_floor, quotient));

				for (int j = -1; j <= 2; j++)
					try_number(c, product(sum(whole, int64_to_numeric(j)), unit));
			}
	}
}

static void
try_string(Collector *c, const char *data, int length)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, data);
	value.val.string.len = length;
	try_value(c, &value);
}

static void
try_strings(Collector *c, const EvFacts *fa, const EvFacts *fb)
{
	static const char *const plain[] = {
		"", "a", "A", "0", " ", "-", "ab", "aB1", "abc", "ABC", "123", "a b", "AAPL", "1.5", "~!",
		"2024-02-29", "2024-02-29T23:59:58Z", "23:59:58Z", "P1DT2H", "a@example.com", "a@b",
		"example.com", "192.0.2.1", "2001:db8::1", "https://example.com/a", "/a/b",
		"123e4567-e89b-42d3-a456-426614174000", "/a", "0/a", "https://example.com/{a}",
	};
	static const char *const international[] = {"\xc3\xa4@example.com", "https://example.com/\xc3\xa4"};
	uint32		lengths[] = {
		fa->min_length.value, fa->max_length.value, fb->min_length.value, fb->max_length.value,
	};
	static const char fillers[] = {'a', '0', 'A'};
	ListCell   *cell;

	foreach(cell, ev_strings_between(c->prover, c->a, c->b))
		try_string(c, ((EvString *) lfirst(cell))->data, ((EvString *) lfirst(cell))->length);
	foreach(cell, ev_string_examples(c->prover, fa, fb))
		try_string(c, ((EvString *) lfirst(cell))->data, ((EvString *) lfirst(cell))->length);
	for (int i = 0; i < (int) lengthof(plain) && !is_done(c); i++)
		try_string(c, plain[i], strlen(plain[i]));
	for (int i = 0; i < (int) lengthof(international) && GetDatabaseEncoding() == PG_UTF8; i++)
		try_string(c, international[i], strlen(international[i]));

	/* base64 has a multiple of four characters */
	for (int i = 0; i < (int) lengthof(lengths) && !is_done(c); i++)
		for (int j = -1; j <= (fa->contents != NIL ? 4 : 1); j++)
		{
			int64		length = (int64) lengths[i] + j;

			if (length < 0 || length > MOST_LENGTH)
				continue;
			for (int k = 0; k < (int) lengthof(fillers); k++)
			{
				char	   *data = palloc(length + 1);

				memset(data, fillers[k], length);
				try_string(c, data, length);
			}
		}
}

/* ---------- arrays and objects ---------- */

/*
 * Makes an array of this size from the samples number `which` of each
 * position.
 */
static List *
items_of(List *positions, uint32 size, int which)
{
	List	   *items = NIL;

	for (uint32 i = 0; i < size; i++)
	{
		List	   *choice = list_nth(positions, Min(i, (uint32) list_length(positions) - 1));

		if (choice == NIL)
			return NIL;
		items = lappend(items, list_nth(choice, which % list_length(choice)));
	}
	return items;
}

/*
 * Tries arrays with as many items as `contains` counts, and one more or less.  Other items
 * fill up a least number of items.  positions: samples of each position, the last of all others.
 */
static void
try_counted(Collector *c, const EvFacts *fa, const EvFacts *fb, const EvContainsFact *contains, List *positions)
{
	EvProver   *p = c->prover;
	uint32		prefix = list_length(positions) - 1;
	EvSchemaSet *item_a = ev_set_with(p, ev_facts_item(p, fa, prefix), contains->schema);
	List	   *counted = samples(p, item_a, ev_facts_item(p, fb, prefix), c->depth + 1);
	uint32		counts[] = {contains->minimum, contains->maximum};

	for (int i = 0; i < (int) lengthof(counts); i++)
		for (int64 count = (int64) counts[i] - 1; count <= (int64) counts[i] + 1 && count <= MOST_ITEMS; count++)
			for (int which = 0; which < Min(3, list_length(counted)) && !is_done(c); which++)
			{
				uint32		size = prefix + Max(count, 0);
				List	   *items = items_of(positions, Max(size, Min(fa->min_items.value, MOST_ITEMS)), 0);

				if (list_length(items) < (int) size)
					break;
				for (uint32 at = prefix; at < size; at++)
					lfirst(list_nth_cell(items, at)) = list_nth(counted, which);
				try_made(c, ev_array_of(p, items));
			}
}

static void
try_arrays(Collector *c, const EvFacts *fa, const EvFacts *fb)
{
	EvProver   *p = c->prover;
	uint32		prefix = Min(Max(ev_facts_prefix(fa), ev_facts_prefix(fb)), MOST_ITEMS);
	List	   *positions = NIL;
	List	   *sizes = NIL;
	uint32		bounds[] = {fa->min_items.value, fa->max_items.value, fb->min_items.value, fb->max_items.value, prefix, prefix + 1};
	ListCell   *cell;

	for (uint32 i = 0; i <= prefix; i++)
		positions = lappend(positions, samples(p, ev_facts_item(p, fa, i), ev_facts_item(p, fb, i), c->depth + 1));
	for (int i = 0; i <= 3; i++)
		sizes = list_append_unique_int(sizes, i);
	for (int i = 0; i < (int) lengthof(bounds); i++)
		for (int j = -1; j <= 1; j++)
			if (bounds[i] <= MOST_ITEMS && (int64) bounds[i] + j >= 0)
				sizes = list_append_unique_int(sizes, (int) bounds[i] + j);

	foreach(cell, sizes)
	{
		uint32		size = lfirst_int(cell);

		if (is_done(c))
			return;

		/* equal items, then different ones */
		for (int which = 0; which < 3; which++)
		{
			List	   *items = items_of(positions, size, which);

			if (items != NIL || size == 0)
				try_made(c, ev_array_of(p, items));
		}
		for (uint32 i = 0; i < Min(size, prefix + 1); i++)
		{
			List	   *choice = list_nth(positions, i);

			for (int which = 0; which < list_length(choice) && which < 6; which++)
			{
				List	   *items = items_of(positions, size, 0);

				if (items == NIL)
					break;
				lfirst(list_nth_cell(items, i)) = list_nth(choice, which);
				try_made(c, ev_array_of(p, items));
			}
		}
		if (size >= 2)
		{
			/* different items: one sample after another */
			List	   *items = NIL;

			for (uint32 i = 0; i < size; i++)
			{
				List	   *choice = list_nth(positions, Min(i, prefix));

				if (choice != NIL && (uint32) list_length(choice) > i)
					items = lappend(items, list_nth(choice, i));
			}
			if ((uint32) list_length(items) == size)
				try_made(c, ev_array_of(p, items));
		}
	}
	foreach(cell, fa->contains)
		try_counted(c, fa, fb, lfirst(cell), positions);
	foreach(cell, fb->contains)
		try_counted(c, fa, fb, lfirst(cell), positions);
}

/*
 * Is an object with these members valid under the first set, apart from a least
 * number of properties?
 */
static bool
is_accepted(Collector *c, const List *members)
{
	JsonbValue *value = ev_object_of(c->prover, members);
	bool		result = ev_value_valid(c->prover, value, c->a, EV_FACT_ALL & ~EV_FACT_MIN_PROPERTIES) == EV_YES;

	pfree(value);
	return result;
}

/* Tries an object with one more member. */
static void
try_with(Collector *c, const List *members, const EvString *name, JsonbValue *value)
{
	List	   *more = ev_with_member(c->prover, members, name, value);

	try_made(c, ev_object_of(c->prover, more));
	pfree(llast(more));
	list_free(more);
}

/* Tries objects with these members, of which each of these properties has another value. */
static void
try_different(Collector *c, const EvFacts *fa, const EvFacts *fb, const List *members, const List *names)
{
	EvProver   *p = c->prover;
	ListCell   *cell;
	ListCell   *value;

	foreach(cell, names)
	{
		const EvString *name = lfirst(cell);

		foreach(value, samples(p, ev_facts_property(p, fa, name), ev_facts_property(p, fb, name), c->depth + 1))
		{
			if (foreach_current_index(value) >= MOST_OTHER_VALUES || is_done(c))
				break;
			try_with(c, members, name, lfirst(value));
		}
	}
}

static void
try_objects(Collector *c, const EvFacts *fa, const EvFacts *fb)
{
	EvProver   *p = c->prover;
	List	   *required = NIL;
	List	   *full = NIL;
	List	   *names;
	List	   *more;
	int			different;
	ListCell   *cell;
	ListCell   *value;

	foreach(cell, fa->required)
	{
		const EvString *name = &((EvTextFact *) lfirst(cell))->text;
		EvMember   *member;
		List	   *values = samples(p, ev_facts_property(p, fa, name), ev_facts_property(p, fb, name), c->depth + 1);

		/* values that do not refute the change are tried last */
		if (values == NIL)
			return;
		member = palloc(sizeof(EvMember));
		member->name = *name;
		member->value = llast(values);
		required = lappend(required, member);
	}
	try_made(c, ev_object_of(p, required));

	/* each property alone; `full` collects those that can be combined */
	full = required;
	names = ev_names_to_try(p, c->a, c->b, &different);
	foreach(cell, names)
	{
		EvString   *name = lfirst(cell);
		List	   *values = samples(p, ev_facts_property(p, fa, name), ev_facts_property(p, fb, name), c->depth + 1);

		if (is_done(c) ||
			(!c->wanted && foreach_current_index(cell) >= different &&
			 (c->telling != NIL || c->telling_below != NIL)))
			return;
		foreach(value, values)
		{
			if (foreach_current_index(value) >= 8)
				break;
			try_with(c, required, name, lfirst(value));
		}
		if (values != NIL && list_length(full) < MOST_ITEMS)
		{
			more = ev_with_member(p, full, name, llast(values));
			if (is_accepted(c, more))
				full = more;
		}
	}

	/* those that need others */
	if (list_length(full) > list_length(required))
		try_different(c, fa, fb, full, list_truncate(list_copy(names), different));

	/* add one after another, for schemas that count properties, */
	more = required;
	try_made(c, ev_object_of(p, full));
	foreach(cell, full)
	{
		EvMember   *member = lfirst(cell);

		more = ev_with_member(p, more, &member->name, member->value);
		try_made(c, ev_object_of(p, more));
	}

	/* and in pairs */
	foreach(cell, full)
	{
		EvMember   *first = lfirst(cell);
		List	   *with_first = ev_with_member(p, required, &first->name, first->value);

		for (int i = foreach_current_index(cell) + 1; i < list_length(full) && i < 12; i++)
		{
			EvMember   *second = list_nth(full, i);

			try_with(c, with_first, &second->name, second->value);
		}
	}
}

/* Tries objects with a property that makes a schema of the other side apply. */
static void
try_dependencies(Collector *c, const EvFacts *fb)
{
	EvProver   *p = c->prover;
	ListCell   *cell;

	foreach(cell, fb->dependencies)
	{
		const EvDependencyFact *dependency = lfirst(cell);

		if (dependency->schema != NULL && !is_done(c))
			try_values(c, samples(p, ev_set_requiring(p, c->a, &dependency->property),
								  ev_set_requiring(p, c->b, &dependency->property), c->depth + 1));
	}
}

/* ---------- witnesses that are known ---------- */

bool
ev_witness_is_known(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	ListCell   *cell;

	if (p->parts == NULL)
		return false;
	foreach(cell, ev_known_witnesses(p, a, b))
	{
		if (ev_value_valid(p, lfirst(cell), b, EV_FACT_ALL) == EV_NO &&
			ev_value_valid(p, lfirst(cell), a, EV_FACT_ALL) == EV_YES && ev_value_admissible(p, lfirst(cell), a, scope))
			return true;
	}
	return false;
}

/* ---------- the search ---------- */

/* Tries values that enum and const list for this location, at any depth. */
static void
try_listed(Collector *c, const EvFacts *f, int depth)
{
	ListCell   *cell;
	ListCell   *member;

	ev_spend(c->prover, 10);
	foreach(cell, f->enums)
		try_values(c, ((EvEnumFact *) lfirst(cell))->values);
	if (depth >= 2)
		return;
	foreach(cell, f->groups)
	{
		foreach(member, ((EvGroupFact *) lfirst(cell))->members)
			try_listed(c, ev_facts(c->prover, ev_set_of(c->prover, lfirst(member)), EV_NECESSARY), depth + 1);
	}
	foreach(cell, f->nots)
	{
		try_listed(c, ev_facts(c->prover, ev_set_of(c->prover, ((EvSchemaFact *) lfirst(cell))->schema), EV_NECESSARY),
				   depth + 1);
	}
	foreach(cell, f->conditions)
	{
		try_listed(c, ev_facts(c->prover, ev_set_of(c->prover, ((EvConditionFact *) lfirst(cell))->test), EV_NECESSARY),
				   depth + 1);
	}
}

/*
 * Returns the members of a group that instances of a set can be made for: those
 * that its tag allows, and not too many.
 */
static List *
branches_for(EvProver *p, EvSchemaSet *set, const EvGroupFact *group)
{
	const EvUnion *u = ev_union(p, group);
	EvUnionTag	tag = {0};
	List	   *result = NIL;
	ListCell   *cell;

	if (u->path != NIL)
		tag = ev_union_tag(p, u, set);
	foreach(cell, ev_union_by_tag(p, u, &tag))
	{
		if (list_length(result) >= MOST_BRANCHES)
			break;
		result = lappend(result, list_nth(group->members, lfirst_int(cell)));
	}
	return result;
}

/* Tries values that differ in what one branch of the other side says. */
static void
try_other_branches(Collector *c, const EvFacts *fb)
{
	EvProver   *p = c->prover;
	ListCell   *cell;
	ListCell   *member;

	foreach(cell, fb->groups)
	{
		foreach(member, branches_for(p, c->a, lfirst(cell)))
		{
			if (!is_done(c))
				try_values(c, samples(p, c->a, ev_set_of(p, lfirst(member)), c->depth + 1));
		}
	}
}

/* Returns a set where a test holds or fails, with what its conditions say then. */
static EvSchemaSet *
case_of_test(EvProver *p, EvSchemaSet *set, EvSubschema *test, bool holds)
{
	EvSchemaSet *result = holds ? ev_set_with(p, set, test) : ev_set_without(p, set, test);
	ListCell   *cell;

	foreach(cell, ev_facts(p, set, EV_NECESSARY)->conditions)
	{
		EvConditionFact *condition = lfirst(cell);

		ev_spend(p, 2);
		if (ev_schemas_same(p, condition->test, test))
			result = ev_set_with(p, result, holds ? condition->then : condition->otherwise);
	}
	return result;
}

/* Tries values for which the test of a condition holds, and some for which it fails. */
static void
try_condition(Collector *c, EvSubschema *test)
{
	EvProver   *p = c->prover;

	for (int holds = 1; holds >= 0 && !is_done(c); holds--)
	{
		EvSchemaSet *a = case_of_test(p, c->a, test, holds == 1);

		if (a != c->a)
			try_values(c, samples(p, a, case_of_test(p, c->b, test, holds == 1), c->depth + 1));
	}
}

/* Is a condition among these? */
static bool
has_condition(EvProver *p, const List *conditions, const EvConditionFact *condition, bool only_test)
{
	ListCell   *cell;

	foreach(cell, conditions)
	{
		const EvConditionFact *other = lfirst(cell);

		ev_spend(p, 2);
		if (ev_schemas_same(p, other->test, condition->test) &&
			(only_test || (ev_schemas_same(p, other->then, condition->then) &&
						   ev_schemas_same(p, other->otherwise, condition->otherwise))))
			return true;
	}
	return false;
}

/* Tries values for the tests of all conditions, first of those that differ. */
static void
try_conditions(Collector *c, const List *a, const List *b)
{
	EvProver   *p = c->prover;
	ListCell   *cell;

	for (int same = 0; same < 2; same++)
	{
		foreach(cell, a)
		{
			const EvConditionFact *condition = lfirst(cell);

			if (has_condition(p, b, condition, false) == (same == 1))
				try_condition(c, condition->test);
		}
		foreach(cell, same == 0 ? b : NIL)
		{
			const EvConditionFact *condition = lfirst(cell);

			if (!has_condition(p, a, condition, true))
				try_condition(c, condition->test);
		}
	}
}

/* Tries the samples of a's branches, and those for the conditions of both sides. */
static void
try_branches(Collector *c, const EvFacts *fa, const EvFacts *fb)
{
	EvProver   *p = c->prover;
	EvSchemaSet *a = c->a;
	int			depth = c->depth + 1;
	ListCell   *cell;
	ListCell   *member;

	foreach(cell, fa->groups)
	{
		foreach(member, branches_for(p, a, lfirst(cell)))
		{
			EvSchemaSet *branch = ev_set_with(p, a, lfirst(member));

			if (branch != a && !is_done(c))
				try_values(c, samples(p, branch, c->b, depth));
		}
	}
	foreach(cell, fb->nots)
		try_values(c, samples(p, ev_set_with(p, a, ((EvSchemaFact *) lfirst(cell))->schema), c->b, depth));
	try_conditions(c, fa->conditions, fb->conditions);
}

/* Tries values of all kinds, until there are enough or a witness is found. */
static void
search(Collector *c)
{
	EvProver   *p = c->prover;
	const EvFacts *fa = ev_facts(p, c->a, EV_NECESSARY);
	const EvFacts *fb = ev_facts(p, c->b, EV_NECESSARY);

	try_values(c, ev_known_witnesses(p, c->a, c->b));
	try_listed(c, fa, 0);
	try_listed(c, fb, 0);
	for (int i = 0; i < 3; i++)
	{
		JsonbValue	value = {.type = i == 0 ? jbvNull : jbvBool};

		value.val.boolean = i == 1;
		try_value(c, &value);
	}
	c->few = c->a == c->b;
	if (is_done(c) || p->sampled++ >= MOST_SETS || p->tried >= MOST_TRIED_IN_ALL)
		return;
	if ((fa->possible & EV_BIT(EV_NUMBER)) != 0 && !is_done(c))
		try_numbers(c, fa, fb);
	if ((fa->possible & EV_BIT(EV_STRING)) != 0 && !is_done(c))
		try_strings(c, fa, fb);
	if ((fa->possible & EV_BIT(EV_ARRAY)) != 0 && !is_done(c))
		try_arrays(c, fa, fb);
	if ((fa->possible & EV_BIT(EV_OBJECT)) != 0 && !is_done(c))
		try_dependencies(c, fb);
	if ((fa->possible & EV_BIT(EV_OBJECT)) != 0 && !is_done(c))
		try_objects(c, fa, fb);
	if (!is_done(c))
		try_other_branches(c, fb);
	if (!is_done(c))
		try_branches(c, fa, fb);
}

/* Returns values that are valid under `a`, first those that are not under `b`. */
static List *
samples(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, int depth)
{
	SamplesKey	key = {a, b, depth};
	Samples    *known;
	Collector	c = {.prover = p, .a = a, .b = b, .depth = depth};
	bool		found;
	List	   *result;

	if (depth > MOST_DEPTH)
		return ev_known_witnesses(p, a, b);
	check_stack_depth();
	ev_spend(p, 50);
	if (p->samples == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(SamplesKey), .entrysize = sizeof(Samples), .hcxt = p->context};

		p->samples = hash_create("event_validate samples", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	known = hash_search(p->samples, &key, HASH_FIND, NULL);
	if (known != NULL && (known->search == 0 || known->search == p->searches))
		return list_concat_unique_ptr(list_copy(ev_known_witnesses(p, a, b)), known->values);

	search(&c);

	/* keep some of each kind */
	if (list_length(c.telling) + list_length(c.telling_below) + list_length(c.others) > MOST_SAMPLES)
	{
		c.telling = list_truncate(c.telling, MOST_SAMPLES / 2);
		c.telling_below = list_truncate(c.telling_below, MOST_SAMPLES / 4);
		c.others = list_truncate(c.others, MOST_SAMPLES - list_length(c.telling) - list_length(c.telling_below));
	}
	result = list_concat_copy(list_concat_copy(c.telling, c.telling_below), c.others);
	known = hash_search(p->samples, &key, HASH_ENTER, &found);
	known->values = result;
	known->search = p->sampled >= MOST_SETS || p->tried >= MOST_TRIED_IN_ALL || is_cut_short(p) ? p->searches : 0;
	return result;
}

/*
 * Begins a search of its own, so that its result does not depend on the searches
 * before; only the budget limits all of them together.
 */
static void
begin_search(EvProver *p)
{
	p->sampled = p->tried = 0;
	p->searches++;
	p->question = ++p->questions;
	p->search_end = ev_work_counted(p) + MOST_WORK_TO_SEARCH;
}

JsonbValue *
ev_witness(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds)
{
	Collector	c = {.prover = p, .a = a->proper, .b = b->proper, .wanted = true, .kinds = kinds, .scope = scope};
	bool		made = ev_search_was_made(p, c.a, c.b, scope, kinds, &c.witness);

	if (c.witness != NULL)
		return c.witness;
	begin_search(p);
	if (made)
		try_values(&c, ev_known_witnesses(p, c.a, c.b));
	else
		search(&c);
	if (c.witness != NULL)
		ev_witness_keep(p, c.a, c.b, c.witness);
	ev_search_keep(p, c.a, c.b, scope, kinds, c.witness);
	return c.witness;
}

void
ev_witness_lift(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	Collector	c = {.prover = p, .a = a->proper, .b = b->proper, .wanted = true, .kinds = EV_FACT_ALL, .scope = scope};

	if (ev_known_witnesses(p, c.a, c.b) != NIL)
		return;
	begin_search(p);
	p->tried = MOST_TRIED_IN_ALL - MOST_TRIED_TO_LIFT;
	p->search_end = ev_work_counted(p) + MOST_WORK_TO_LIFT;
	search(&c);
	if (c.witness != NULL)
		ev_witness_keep(p, c.a, c.b, c.witness);
}

JsonbValue *
ev_witness_again(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds, int first)
{
	a = a->proper;
	b = b->proper;
	for (int i = first; i < list_length(p->witnesses); i++)
	{
		JsonbValue *value = list_nth(p->witnesses, i);

		if (ev_value_valid(p, value, a, EV_FACT_ALL) == EV_YES && ev_value_valid(p, value, b, kinds) == EV_NO &&
			ev_value_admissible(p, value, a, scope))
			return value;
	}
	return NULL;
}

EvTruth
ev_has_samples(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, uint32 types)
{
	ListCell   *cell;

	begin_search(p);
	foreach(cell, samples(p, a->proper, b->proper, 0))
	{
		if ((types & EV_BIT(ev_value_type(lfirst(cell)))) != 0)
			return EV_YES;
	}
	return is_cut_short(p) ? EV_MAYBE : EV_NO;
}
