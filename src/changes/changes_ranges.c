/*
 * changes_ranges.c
 *	  Cases of numbers: the ranges between the bounds of another schema's
 *	  branches.
 *
 * [0, 100] is implied by neither [0, 50] nor [50, 100] alone.  The bounds of the
 * branches cut it into ranges, each of which is in one of them or in none.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/compat.h"
#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"

#define MOST_CUTS	16			/* bounds that cut a set */

/* A bound for which a schema is made. */
typedef struct Bound
{
	Numeric		value;
	bool		is_lower;
	bool		exclusive;
} Bound;

static void
push_key(JsonbInState *state, const char *key)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, key);
	value.val.string.len = strlen(key);
	ev_push_jsonb(state, WJB_KEY, &value);
}

/* Returns a schema with this bound, in the dialect of a resource. */
static EvSubschema *
bound_schema(EvResource *resource, const Bound *bound)
{
	bool		is_draft4 = resource->draft == EV_DRAFT4;
	const char *exclusive = bound->is_lower ? "exclusiveMinimum" : "exclusiveMaximum";
	JsonbInState state = {0};
	JsonbValue	number = {.type = jbvNumeric};
	EvSubschema *schema = palloc0(sizeof(EvSubschema));

	number.val.numeric = bound->value;
	ev_push_jsonb(&state, WJB_BEGIN_OBJECT, NULL);
	push_key(&state, bound->exclusive && !is_draft4 ? exclusive : bound->is_lower ? "minimum" : "maximum");
	ev_push_jsonb(&state, WJB_VALUE, &number);
	if (bound->exclusive && is_draft4)
	{
		JsonbValue	yes = {.type = jbvBool};

		yes.val.boolean = true;
		push_key(&state, exclusive);
		ev_push_jsonb(&state, WJB_VALUE, &yes);
	}
	ev_push_jsonb(&state, WJB_END_OBJECT, NULL);
	schema->container = &JsonbValueToJsonb(state.result)->root;
	schema->resource = resource;
	return schema;
}

/* Is a bound strictly inside the range of a set? */
static bool
cuts(EvNumberFact lower, EvNumberFact upper, Numeric value)
{
	return (lower.value == NULL || ev_number_compare(lower.value, value) < 0 ||
			(ev_number_compare(lower.value, value) == 0 && !lower.exclusive)) &&
		(upper.value == NULL || ev_number_compare(value, upper.value) < 0 ||
		 (ev_number_compare(value, upper.value) == 0 && !upper.exclusive)) &&
		!(lower.value != NULL && upper.value != NULL && ev_number_compare(lower.value, upper.value) == 0);
}

static int
compare_values(const ListCell *a, const ListCell *b)
{
	return ev_number_compare(lfirst(a), lfirst(b));
}

/* Returns the bounds of b's branches that cut a set, in ascending order. */
static List *
cutting_values(EvProver *p, const EvFacts *a, const EvFacts *b, EvResource **resource)
{
	EvNumberFact lower = ev_facts_lower(a);
	EvNumberFact upper = ev_facts_upper(a);
	List	   *values = NIL;
	ListCell   *cell;
	ListCell   *member;
	ListCell   *known;

	foreach(cell, b->groups)
	{
		EvGroupFact *group = lfirst(cell);

		foreach(member, group->members)
		{
			const EvFacts *f = ev_facts(p, ev_set_of(p, lfirst(member)), EV_NECESSARY);
			Numeric		bounds[] = {f->lower.value, f->upper.value};

			for (int i = 0; i < (int) lengthof(bounds); i++)
			{
				bool		is_new = bounds[i] != NULL && ev_number_is_moderate(bounds[i]) &&
					list_length(values) < MOST_CUTS && cuts(lower, upper, bounds[i]);

				ev_spend(p, 5 + list_length(values));
				foreach(known, values)
					is_new = is_new && ev_number_compare(lfirst(known), bounds[i]) != 0;
				if (is_new)
					values = lappend(values, bounds[i]);
			}
			*resource = group->origin.subschema->resource;
		}
	}
	list_sort(values, compare_values);
	return values;
}

static EvSchemaSet *
between(EvProver *p, EvSchemaSet *set, EvResource *resource, Numeric lower, Numeric upper, bool exclusive)
{
	Bound		low = {lower, true, exclusive};
	Bound		high = {upper, false, exclusive};

	if (lower != NULL)
		set = ev_set_with(p, set, bound_schema(resource, &low));
	if (upper != NULL)
		set = ev_set_with(p, set, bound_schema(resource, &high));
	return set;
}

List *
ev_number_cases(EvProver *p, EvSchemaSet *set, EvSchemaSet *b)
{
	const EvFacts *f = ev_facts(p, set, EV_NECESSARY);
	EvResource *resource = NULL;
	List	   *values;
	List	   *result = NIL;
	Numeric		before = NULL;
	ListCell   *cell;

	if (f->possible != EV_BIT(EV_NUMBER) || f->enums != NIL)
		return NIL;
	values = cutting_values(p, f, ev_facts(p, b, EV_SUFFICIENT), &resource);
	if (values == NIL)
		return NIL;
	foreach(cell, values)
	{
		result = lappend(result, between(p, set, resource, before, lfirst(cell), true));
		result = lappend(result, between(p, set, resource, lfirst(cell), lfirst(cell), false));
		before = lfirst(cell);
	}
	return lappend(result, between(p, set, resource, before, NULL, true));
}
