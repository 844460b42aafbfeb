/*
 * changes_value.c
 *	  Is a value valid under a set of schemas?
 *
 * It uses the same facts as the proofs, so that values of enum and const, and
 * witnesses, can be tried against any set that the prover makes.  The answer
 * is EV_MAYBE if there are opaque facts; YES and NO are certain.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/numeric.h"

#include "base/encoding.h"
#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"
#include "match/match_checks.h"

static EvTruth
truth_of(bool truth)
{
	return truth ? EV_YES : EV_NO;
}

static EvTruth
and(EvTruth a, EvTruth b)
{
	return Min(a, b);
}

static EvTruth
or(EvTruth a, EvTruth b)
{
	return Max(a, b);
}

static EvTruth
not(EvTruth a)
{
	return a == EV_YES ? EV_NO : a == EV_NO ? EV_YES : EV_MAYBE;
}

static EvTruth
valid(EvProver *p, const JsonbValue *value, EvSubschema *schema)
{
	return ev_value_valid(p, value, ev_set_of(p, schema), EV_FACT_ALL);
}

/* ---------- types ---------- */

static EvTruth
number_valid(EvProver *p, const EvFacts *f, Numeric number, uint32 kinds)
{
	EvTruth		result = EV_YES;
	ListCell   *cell;

	ev_spend(p, 1 + VARSIZE_ANY(number) / 32);
	if ((kinds & EV_FACT_TYPE) != 0 && f->integer && !ev_number_is_integer(number))
		return EV_NO;
	if ((kinds & EV_FACT_LOWER) != 0 && f->lower.value != NULL)
	{
		int			order = ev_number_compare(number, f->lower.value);

		if (order < 0 || (order == 0 && f->lower.exclusive))
			return EV_NO;
	}
	if ((kinds & EV_FACT_UPPER) != 0 && f->upper.value != NULL)
	{
		int			order = ev_number_compare(number, f->upper.value);

		if (order > 0 || (order == 0 && f->upper.exclusive))
			return EV_NO;
	}
	if ((kinds & EV_FACT_MULTIPLE) != 0)
	{
		foreach(cell, f->multiples)
		{
			Numeric		unit = ((EvNumberFact *) lfirst(cell))->value;

			ev_spend(p, 10);
			if (!ev_number_is_moderate(number) || !ev_number_is_moderate(unit))
				result = EV_MAYBE;
			else if (!ev_number_is_multiple(number, unit))
				return EV_NO;
		}
	}
	return result;
}

static EvTruth
string_valid(EvProver *p, const EvFacts *f, const EvString *string, uint32 kinds)
{
	uint32		length = ev_text_length(string->data, string->length);
	EvTruth		result = EV_YES;
	EvUtf8		utf8;
	ListCell   *cell;

	ev_spend(p, 1 + string->length / 16);
	if ((kinds & EV_FACT_MIN_LENGTH) != 0 && length < f->min_length.value)
		return EV_NO;
	if ((kinds & EV_FACT_MAX_LENGTH) != 0 && length > f->max_length.value)
		return EV_NO;
	if ((kinds & EV_FACT_PATTERN) != 0)
	{
		foreach(cell, f->patterns)
			result = and(result, ev_string_matches(p, ((EvTextFact *) lfirst(cell))->pattern, string));
	}
	if ((kinds & EV_FACT_FORMAT) != 0 && f->formats != NIL)
	{
		if (!ev_utf8_from_server(string->data, string->length, &utf8))
			return and(result, EV_MAYBE);
		foreach(cell, f->formats)
		{
			ev_spend(p, 10 + string->length / 4);
			result = and(result, truth_of(((EvFormatFact *) lfirst(cell))->format->matches(utf8.data, utf8.length)));
		}
		ev_utf8_free(&utf8);
	}
	if ((kinds & EV_FACT_CONTENT) != 0)
	{
		EvInstance	instance = {.type = EV_STRING, .data = string->data, .length = string->length};

		foreach(cell, f->contents)
		{
			EvContentFact *content = lfirst(cell);

			ev_spend(p, 50 + string->length);
			result = and(result, truth_of(ev_matches_content(&instance, content->base64, content->json)));
		}
	}
	return result;
}

static EvTruth
items_valid(EvProver *p, const EvFacts *f, JsonbContainer *array, uint32 kinds)
{
	uint32		count = JsonContainerSize(array);
	EvTruth		result = EV_YES;
	ListCell   *cell;

	if ((kinds & EV_FACT_MIN_ITEMS) != 0 && count < f->min_items.value)
		return EV_NO;
	if ((kinds & EV_FACT_MAX_ITEMS) != 0 && count > f->max_items.value)
		return EV_NO;
	if ((kinds & EV_FACT_ITEMS) != 0 && f->array_shapes != NIL)
		for (uint32 i = 0; i < count && result != EV_NO; i++)
			result = and(result, ev_value_valid(p, getIthJsonbValueFromContainer(array, i),
												ev_facts_item(p, f, i), EV_FACT_ALL));
	if ((kinds & EV_FACT_UNIQUE) != 0 && f->unique.subschema != NULL)
		for (uint32 i = 1; i < count; i++)
		{
			JsonbValue *item = getIthJsonbValueFromContainer(array, i);
			int64		work = 10 + ev_value_work(item);

			for (uint32 j = 0; j < i; j++)
			{
				JsonbValue *other = getIthJsonbValueFromContainer(array, j);
				bool		same = ev_json_equal(item, other);

				ev_spend(p, work);
				pfree(other);
				if (same)
					return EV_NO;
			}
		}
	if ((kinds & EV_FACT_CONTAINS) != 0)
	{
		foreach(cell, f->contains)
		{
			EvContainsFact *contains = lfirst(cell);
			uint32		surely = 0;
			uint32		maybe = 0;

			for (uint32 i = 0; i < count; i++)
			{
				EvTruth		is_one = valid(p, getIthJsonbValueFromContainer(array, i), contains->schema);

				surely += is_one == EV_YES;
				maybe += is_one != EV_NO;
			}
			if (maybe < contains->minimum || surely > contains->maximum)
				return EV_NO;
			if (surely < contains->minimum || maybe > contains->maximum)
				result = and(result, EV_MAYBE);
		}
	}
	return result;
}

static bool
has_property(JsonbContainer *object, const EvString *name)
{
	JsonbValue	value;

	return getKeyJsonValueFromContainer(object, name->data, name->length, &value) != NULL;
}

static EvTruth
properties_valid(EvProver *p, const EvFacts *f, JsonbContainer *object, uint32 kinds)
{
	uint32		count = JsonContainerSize(object);
	EvTruth		result = EV_YES;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	ListCell   *cell;
	ListCell   *name;

	if ((kinds & EV_FACT_MIN_PROPERTIES) != 0 && count < f->min_properties.value)
		return EV_NO;
	if ((kinds & EV_FACT_MAX_PROPERTIES) != 0 && count > f->max_properties.value)
		return EV_NO;
	if ((kinds & EV_FACT_REQUIRED) != 0)
	{
		ev_spend(p, 5 * list_length(f->required));
		foreach(cell, f->required)
		{
			if (!has_property(object, &((EvTextFact *) lfirst(cell))->text))
				return EV_NO;
		}
	}

	iterator = JsonbIteratorInit(object);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE && result != EV_NO)
	{
		EvString	string;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		ev_spend(p, 5);
		string = ev_string_of(&key);
		if ((kinds & EV_FACT_PROPERTIES) != 0)
			result = and(result, ev_value_valid(p, &value, ev_facts_property(p, f, &string), EV_FACT_ALL));
		if ((kinds & EV_FACT_NAMES) != 0)
		{
			foreach(cell, f->names)
				result = and(result, valid(p, &key, ((EvSchemaFact *) lfirst(cell))->schema));
		}
	}

	if ((kinds & EV_FACT_DEPENDENCIES) != 0)
	{
		foreach(cell, f->dependencies)
		{
			EvDependencyFact *dependency = lfirst(cell);
			JsonbValue	self = {.type = jbvBinary};

			if (!has_property(object, &dependency->property))
				continue;
			foreach(name, dependency->required)
			{
				if (!has_property(object, lfirst(name)))
					return EV_NO;
			}
			ev_spend(p, 10 + 5 * list_length(dependency->required));
			self.val.binary.data = object;
			if (dependency->schema != NULL)
				result = and(result, valid(p, &self, dependency->schema));
		}
	}
	return result;
}

/* ---------- any value ---------- */

static EvTruth
group_valid(EvProver *p, const EvGroupFact *group, const JsonbValue *value)
{
	EvTruth		any = EV_NO;
	int			surely = 0;
	int			maybe = 0;
	const EvUnion *u = ev_union(p, group);
	List	   *candidates = ev_union_by_value(p, u, value);
	ListCell   *cell;

	foreach(cell, candidates)
	{
		EvTruth		member = ev_value_valid(p, value, u->sets[lfirst_int(cell)], EV_FACT_ALL);

		any = or(any, member);
		surely += member == EV_YES;
		maybe += member != EV_NO;
	}
	list_free(candidates);
	if (!group->one)
		return any;
	if (surely > 1 || maybe == 0)
		return EV_NO;
	return surely == 1 && maybe == 1 ? EV_YES : EV_MAYBE;
}

static EvTruth
facts_valid(EvProver *p, const EvFacts *f, const JsonbValue *value, uint32 kinds)
{
	EvType		type = ev_value_type(value);
	EvTruth		result = EV_YES;
	ListCell   *cell;

	if ((kinds & EV_FACT_TYPE) != 0 && (f->types & EV_BIT(type)) == 0)
		return EV_NO;
	if ((kinds & EV_FACT_ENUM) != 0)
	{
		foreach(cell, f->enums)
		{
			if (!ev_is_listed(p, ((EvEnumFact *) lfirst(cell))->values, value))
				return EV_NO;
		}
	}

	switch (type)
	{
		case EV_NUMBER:
			result = number_valid(p, f, value->val.numeric, kinds);
			break;
		case EV_STRING:
			{
				EvString	string = {value->val.string.val, value->val.string.len};

				result = string_valid(p, f, &string, kinds);
				break;
			}
		case EV_ARRAY:
			result = items_valid(p, f, value->val.binary.data, kinds);
			break;
		case EV_OBJECT:
			result = properties_valid(p, f, value->val.binary.data, kinds);
			break;
		default:
			break;
	}
	if (result == EV_NO)
		return EV_NO;

	if ((kinds & EV_FACT_GROUPS) != 0)
	{
		foreach(cell, f->groups)
			result = and(result, group_valid(p, lfirst(cell), value));
	}
	if ((kinds & EV_FACT_NOT) != 0)
	{
		foreach(cell, f->nots)
			result = and(result, not(valid(p, value, ((EvSchemaFact *) lfirst(cell))->schema)));
	}
	if ((kinds & EV_FACT_CONDITIONS) != 0)
	{
		foreach(cell, f->conditions)
		{
			EvConditionFact *condition = lfirst(cell);
			EvTruth		test = valid(p, value, condition->test);

			/* both only if needed: conditions can be nested deeply */
			EvTruth		then = test != EV_NO ? valid(p, value, condition->then) : EV_MAYBE;
			EvTruth		otherwise = test != EV_YES ? valid(p, value, condition->otherwise) : EV_MAYBE;

			result = and(result, test == EV_YES ? then : test == EV_NO ? otherwise :
						 then == otherwise ? then : EV_MAYBE);
		}
	}
	if ((kinds & EV_FACT_OPAQUE) != 0 && f->opaques != NIL)
		result = and(result, EV_MAYBE);
	return result;
}

EvTruth
ev_value_valid(EvProver *p, const JsonbValue *value, EvSchemaSet *set, uint32 kinds)
{
	EvFacts    *sufficient;
	EvTruth		result;

	check_stack_depth();
	ev_spend(p, 20);
	set = set->proper;
	if (set == p->anything)
		return EV_YES;

	/*
	 * a value with the sufficient facts is valid, one without the necessary
	 * facts is not
	 */
	sufficient = ev_facts(p, set, EV_SUFFICIENT);
	result = facts_valid(p, sufficient, value, kinds);
	if (result == EV_YES || sufficient->exact)
		return result;
	return facts_valid(p, ev_facts(p, set, EV_NECESSARY), value, kinds) == EV_NO ? EV_NO : EV_MAYBE;
}
