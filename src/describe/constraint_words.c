/*
 * constraint_words.c
 *	  What a schema demands, in words.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/encoding.h"
#include "base/shown_text.h"
#include "describe/constraint_words.h"

#define MOST_VALUES		20		/* of enum that are shown */
#define SHOWN_VALUE		120		/* characters of one value */
#define MANY_STEPS		10000	/* after which less is shown */
#define MOST_LEVELS		4		/* of alternatives in alternatives */

static char *value_words(const JsonbValue *value);
static uint32 types_of(EvDescribed *d, const List *parts, bool *integer, int levels);

/* ---------- types ---------- */

static uint32
types_of_values(const JsonbValue *list, bool *integer)
{
	uint32		types = 0;

	*integer = false;
	if (!ev_node_is_array(list))
		return EV_ALL_TYPES;
	for (uint32 i = 0; i < JsonContainerSize(list->val.binary.data); i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(list->val.binary.data, i);

		CHECK_FOR_INTERRUPTS();
		types |= EV_BIT(ev_value_type(value));
		pfree(value);
	}
	return types;
}

/* Returns the types that one of the members of anyOf or oneOf allows. */
static uint32
types_of_members(EvDescribed *d, const EvPart *part, const JsonbValue *members, bool *integer, int levels)
{
	uint32		types = 0;

	*integer = true;
	if (!ev_node_is_array(members) || levels >= MOST_LEVELS)
	{
		*integer = false;
		return EV_ALL_TYPES;
	}
	for (uint32 i = 0; i < JsonContainerSize(members->val.binary.data); i++)
	{
		EvSubschema *member = ev_described_child(d, part->schema, getIthJsonbValueFromContainer(members->val.binary.data, i));
		bool		only_integer;
		uint32		own = types_of(d, ev_add_parts(d, NIL, member), &only_integer, levels + 1);

		types |= own;
		if ((own & EV_BIT(EV_NUMBER)) != 0 && !only_integer)
			*integer = false;
	}
	return types;
}

static uint32
types_of(EvDescribed *d, const List *parts, bool *integer, int levels)
{
	uint32		types = EV_ALL_TYPES;
	ListCell   *cell;

	check_stack_depth();
	*integer = false;
	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);
		bool		only_integer = false;

		if (part->schema->is_boolean && !part->schema->boolean)
			return 0;
		if (ev_part_has(part, EV_KW_TYPE))
		{
			types &= ev_type_set(&part->keywords->values[EV_KW_TYPE], &only_integer);
			*integer |= only_integer;
		}
		if (ev_part_has(part, EV_KW_CONST))
			types &= EV_BIT(ev_value_type(&part->keywords->values[EV_KW_CONST]));
		if (ev_part_has(part, EV_KW_ENUM))
			types &= types_of_values(&part->keywords->values[EV_KW_ENUM], &only_integer);
		for (int i = 0; i < 2; i++)
		{
			int			keyword = i == 0 ? EV_KW_ANY_OF : EV_KW_ONE_OF;

			if (!ev_part_has(part, keyword))
				continue;
			types &= types_of_members(d, part, &part->keywords->values[keyword], &only_integer, levels);
			*integer |= only_integer && (types & EV_BIT(EV_NUMBER)) != 0;
		}
	}
	return types;
}

char *
ev_type_words(EvDescribed *d, const List *parts)
{
	static const struct
	{
		uint32		types;
		const char *name;
	}			names[] = {
		{EV_BIT(EV_OBJECT), "object"}, {EV_BIT(EV_ARRAY), "array"}, {EV_BIT(EV_STRING), "string"}, {EV_BIT(EV_NUMBER), "number"},
		{EV_BOOLEAN_BITS, "boolean"}, {EV_BIT(EV_NULL), "null"}
	};
	bool		integer;
	uint32		types = types_of(d, parts, &integer, 0);
	StringInfoData words;

	if (types == EV_ALL_TYPES)
		return "any type";
	if (types == 0)
		return "never present";
	initStringInfo(&words);
	for (int i = 0; i < (int) lengthof(names); i++)
		if ((types & names[i].types) != 0)
			appendStringInfo(&words, "%s%s", words.len > 0 ? " or " : "",
							 integer && names[i].types == EV_BIT(EV_NUMBER) ? "integer" : names[i].name);
	return words.data;
}

/* ---------- constraints ---------- */

char *
ev_constraint_text(const EvConstraint *constraint)
{
	const char *at = constraint->value != NULL ? strstr(constraint->words, "%s") : NULL;

	if (at == NULL)
		return pstrdup(constraint->words);
	return psprintf("%.*s%s%s", (int) (at - constraint->words), constraint->words, constraint->value, at + 2);
}

static char *
value_words(const JsonbValue *value)
{
	return ev_visible_cut(ev_described_json(value), SHOWN_VALUE);
}

static List *
add_constraint(List *constraints, const char *words, const char *value)
{
	EvConstraint *constraint;
	ListCell   *cell;

	foreach(cell, constraints)
	{
		constraint = lfirst(cell);
		if (strcmp(constraint->words, words) == 0 &&
			(value == constraint->value || (value != NULL && constraint->value != NULL && strcmp(value, constraint->value) == 0)))
			return constraints;
	}
	constraint = palloc(sizeof(EvConstraint));
	constraint->words = words;
	constraint->value = value;
	return lappend(constraints, constraint);
}

static List *
add_enum(List *constraints, const JsonbValue *list)
{
	StringInfoData values;
	uint32		count;

	if (!ev_node_is_array(list))
		return constraints;
	count = JsonContainerSize(list->val.binary.data);
	initStringInfo(&values);
	for (uint32 i = 0; i < Min(count, MOST_VALUES); i++)
		appendStringInfo(&values, "%s%s", i > 0 ? ", " : "", value_words(getIthJsonbValueFromContainer(list->val.binary.data, i)));
	return add_constraint(constraints, count > MOST_VALUES ? psprintf("one of %%s and %u more", count - MOST_VALUES) : count == 1 ? "is %s" : "one of %s",
						  values.data);
}

static List *
add_numbers(List *constraints, const EvPart *part)
{
	static const struct
	{
		int			keyword;
		const char *words;
	}			bounds[] = {
		{EV_KW_EXCLUSIVE_MINIMUM, "more than %s"}, {EV_KW_EXCLUSIVE_MAXIMUM, "less than %s"},
		{EV_KW_MULTIPLE_OF, "a multiple of %s"}, {EV_KW_MIN_LENGTH, "at least %s characters"}, {EV_KW_MAX_LENGTH, "at most %s characters"},
		{EV_KW_MIN_ITEMS, "at least %s items"}, {EV_KW_MAX_ITEMS, "at most %s items"},
		{EV_KW_MIN_PROPERTIES, "at least %s properties"}, {EV_KW_MAX_PROPERTIES, "at most %s properties"}
	};
	const EvKeywordValues *keywords = part->keywords;

	for (int i = 0; i < 2; i++)
	{
		int			keyword = i == 0 ? EV_KW_MINIMUM : EV_KW_MAXIMUM;
		int			exclusive = i == 0 ? EV_KW_EXCLUSIVE_MINIMUM_DRAFT4 : EV_KW_EXCLUSIVE_MAXIMUM_DRAFT4;
		bool		is_exclusive = ev_part_has(part, exclusive) && keywords->values[exclusive].type == jbvBool && keywords->values[exclusive].val.boolean;

		if (ev_part_has(part, keyword))
			constraints = add_constraint(constraints, i == 0 ? (is_exclusive ? "more than %s" : "at least %s") : (is_exclusive ? "less than %s" : "at most %s"),
										 value_words(&keywords->values[keyword]));
	}
	for (int i = 0; i < (int) lengthof(bounds); i++)
		if (ev_part_has(part, bounds[i].keyword))
			constraints = add_constraint(constraints, bounds[i].words, value_words(&keywords->values[bounds[i].keyword]));
	return constraints;
}

static List *
add_string(List *constraints, const EvPart *part)
{
	const JsonbValue *values = part->keywords->values;

	if (ev_part_has(part, EV_KW_PATTERN) && values[EV_KW_PATTERN].type == jbvString)
		constraints = add_constraint(constraints, "matches %s", ev_visible_cut(ev_node_string(&values[EV_KW_PATTERN]), EV_SHOWN_PATTERN));
	if (ev_part_has(part, EV_KW_FORMAT) && values[EV_KW_FORMAT].type == jbvString)
	{
		const JsonbValue *format = &values[EV_KW_FORMAT];
		bool		asserted = ev_asserted_format(part->schema->resource, format->val.string.val, format->val.string.len) != NULL;

		constraints = add_constraint(constraints, asserted ? "format %s" : "format %s (not checked)",
									 ev_visible_cut(ev_node_string(format), SHOWN_VALUE));
	}
	if (ev_part_has(part, EV_KW_CONTENT_ENCODING) && values[EV_KW_CONTENT_ENCODING].type == jbvString)
		constraints = add_constraint(constraints, "encoded as %s", ev_visible_cut(ev_node_string(&values[EV_KW_CONTENT_ENCODING]), SHOWN_VALUE));
	if (ev_part_has(part, EV_KW_CONTENT_MEDIA_TYPE) && values[EV_KW_CONTENT_MEDIA_TYPE].type == jbvString)
		constraints = add_constraint(constraints, "contains %s", ev_visible_cut(ev_node_string(&values[EV_KW_CONTENT_MEDIA_TYPE]), SHOWN_VALUE));
	return constraints;
}

static bool
is_false(const EvPart *part, int keyword)
{
	return ev_part_has(part, keyword) && part->keywords->values[keyword].type == jbvBool && !part->keywords->values[keyword].val.boolean;
}

/* What one of the alternatives says, in a few words. */
static void
append_alternative(EvDescribed *d, StringInfo out, EvSubschema *member, int levels)
{
	List	   *parts = ev_add_parts(d, NIL, member);
	ListCell   *cell;
	const char *separator = " (";

	appendStringInfoString(out, ev_type_words(d, parts));
	if (levels >= MOST_LEVELS)
		return;
	foreach(cell, ev_constraint_words(d, parts))
	{
		appendStringInfo(out, "%s%s", separator, ev_constraint_text(lfirst(cell)));
		separator = ", ";
	}
	if (separator[0] == ',')
		appendStringInfoChar(out, ')');
}

/* Allows a schema only null?  The types say so. */
static bool
is_null_only(EvDescribed *d, EvSubschema *schema)
{
	bool		integer;

	return types_of(d, ev_add_parts(d, NIL, schema), &integer, MOST_LEVELS - 1) == EV_BIT(EV_NULL);
}

/* Adds what the only alternative beside null demands: it is demanded of values other than null. */
static List *
add_only_alternative(EvDescribed *d, List *constraints, EvSubschema *member)
{
	ListCell   *cell;

	foreach(cell, ev_constraint_words(d, ev_add_parts(d, NIL, member)))
	{
		const EvConstraint *constraint = lfirst(cell);

		constraints = add_constraint(constraints, constraint->words, constraint->value);
	}
	return constraints;
}

/* Alternatives without children: "any of: string (format date), or integer". */
static List *
add_alternatives(EvDescribed *d, List *constraints, const EvPart *part, int keyword)
{
	const JsonbValue *members = &part->keywords->values[keyword];
	StringInfoData words;
	List	   *shown = NIL;
	int			number = 0;
	ListCell   *cell;

	if (!ev_part_has(part, keyword) || !ev_node_is_array(members) || ev_alternatives(d, part, keyword) != NIL)
		return constraints;
	for (uint32 i = 0; i < JsonContainerSize(members->val.binary.data) && ev_describe_step(d); i++)
	{
		EvSubschema *member = ev_described_child(d, part->schema, getIthJsonbValueFromContainer(members->val.binary.data, i));

		if (member != NULL && !is_null_only(d, member))
			shown = lappend(shown, member);
	}
	if (list_length(shown) == 1)
		return add_only_alternative(d, constraints, linitial(shown));
	initStringInfo(&words);
	foreach(cell, shown)
	{
		if (number >= MOST_VALUES)
			break;
		appendStringInfoString(&words, number++ > 0 ? ", or " : "");
		append_alternative(d, &words, lfirst(cell), d->steps > MANY_STEPS ? MOST_LEVELS : 0);
	}
	if (list_length(shown) > MOST_VALUES)
		appendStringInfo(&words, ", or %d more", list_length(shown) - MOST_VALUES);
	if (words.len == 0)
		return constraints;
	return add_constraint(constraints, keyword == EV_KW_ONE_OF ? "exactly one of: %s" : "any of: %s",
						  ev_visible_cut(words.data, 5 * SHOWN_VALUE));
}

static List *
add_object(List *constraints, const EvPart *part)
{
	const JsonbValue *values = part->keywords->values;
	const JsonbValue *demands = &values[EV_KW_DEPENDENT_REQUIRED];
	ListCell   *cell;

	if (is_false(part, EV_KW_ADDITIONAL_PROPERTIES) || is_false(part, EV_KW_UNEVALUATED_PROPERTIES))
		constraints = add_constraint(constraints, "no other properties", NULL);
	if (ev_part_has(part, EV_KW_PROPERTY_NAMES))
		constraints = add_constraint(constraints, "names are restricted", NULL);
	if (ev_part_has(part, EV_KW_DEPENDENT_REQUIRED))
		foreach(cell, ev_object_keys(demands))
	{
		const EvString *key = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		constraints = add_constraint(constraints, "%s",
									 psprintf("%s requires %s", ev_string_show(key->data, key->length), value_words(ev_object_value(demands, key))));
	}
	if (ev_part_has(part, EV_KW_UNIQUE_ITEMS) && values[EV_KW_UNIQUE_ITEMS].type == jbvBool && values[EV_KW_UNIQUE_ITEMS].val.boolean)
		constraints = add_constraint(constraints, "unique items", NULL);
	if (is_false(part, EV_KW_ADDITIONAL_ITEMS) || is_false(part, EV_KW_UNEVALUATED_ITEMS) || is_false(part, EV_KW_ITEMS))
		constraints = add_constraint(constraints, "no other items", NULL);
	return constraints;
}

List *
ev_constraint_words(EvDescribed *d, const List *parts)
{
	List	   *constraints = NIL;
	ListCell   *cell;

	check_stack_depth();
	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);

		if (part->keywords == NULL || part->only_describes || !ev_describe_step(d))
			continue;
		if (ev_part_has(part, EV_KW_CONST))
			constraints = add_constraint(constraints, "is %s", value_words(&part->keywords->values[EV_KW_CONST]));
		if (ev_part_has(part, EV_KW_ENUM))
			constraints = add_enum(constraints, &part->keywords->values[EV_KW_ENUM]);
		constraints = add_numbers(constraints, part);
		constraints = add_string(constraints, part);
		constraints = add_object(constraints, part);
		constraints = add_alternatives(d, constraints, part, EV_KW_ANY_OF);
		constraints = add_alternatives(d, constraints, part, EV_KW_ONE_OF);
		if (ev_part_has(part, EV_KW_CONTAINS))
		{
			StringInfoData words;

			initStringInfo(&words);
			append_alternative(d, &words, ev_described_child(d, part->schema, &part->keywords->values[EV_KW_CONTAINS]), MOST_LEVELS);
			constraints = add_constraint(constraints, "contains an item that is %s", words.data);
		}
		if (ev_part_has(part, EV_KW_NOT))
		{
			StringInfoData words;

			initStringInfo(&words);
			append_alternative(d, &words, ev_described_child(d, part->schema, &part->keywords->values[EV_KW_NOT]), 0);
			constraints = add_constraint(constraints, "not: %s", ev_visible_cut(words.data, 2 * SHOWN_VALUE));
		}
	}
	return constraints;
}

/* ---------- children ---------- */

bool
ev_has_children(const List *parts)
{
	static const int about_children[] = {EV_KW_PROPERTIES, EV_KW_PATTERN_PROPERTIES, EV_KW_ITEMS, EV_KW_ITEMS_DRAFT4, EV_KW_PREFIX_ITEMS, EV_KW_REQUIRED, EV_KW_IF};
	ListCell   *cell;

	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);

		for (int i = 0; i < (int) lengthof(about_children); i++)
			if (ev_part_has(part, about_children[i]))
				return true;
		if (ev_part_has(part, EV_KW_ADDITIONAL_PROPERTIES) && part->keywords->values[EV_KW_ADDITIONAL_PROPERTIES].type != jbvBool)
			return true;
	}
	return false;
}

static bool
is_structured(EvDescribed *d, EvSubschema *schema, int levels)
{
	List	   *parts = ev_add_parts(d, NIL, schema);
	ListCell   *cell;

	check_stack_depth();
	if (ev_has_children(parts))
		return true;
	if (levels >= MOST_LEVELS)
		return false;
	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);

		for (int i = 0; i < 2; i++)
		{
			int			keyword = i == 0 ? EV_KW_ANY_OF : EV_KW_ONE_OF;
			const JsonbValue *members;

			if (!ev_part_has(part, keyword) || !ev_node_is_array(members = &part->keywords->values[keyword]))
				continue;
			for (uint32 k = 0; k < JsonContainerSize(members->val.binary.data) && ev_describe_step(d); k++)
				if (is_structured(d, ev_described_child(d, part->schema, getIthJsonbValueFromContainer(members->val.binary.data, k)), levels + 1))
					return true;
		}
	}
	return false;
}

List *
ev_alternatives(EvDescribed *d, const EvPart *part, int keyword)
{
	const JsonbValue *members;
	List	   *result = NIL;
	bool		structured = false;

	if (!ev_part_has(part, keyword))
		return NIL;
	members = &part->keywords->values[keyword];
	if (!ev_node_is_array(members))
		return NIL;
	for (uint32 i = 0; i < JsonContainerSize(members->val.binary.data) && ev_describe_step(d); i++)
	{
		EvSubschema *member = ev_described_child(d, part->schema, getIthJsonbValueFromContainer(members->val.binary.data, i));

		if (member == NULL)
			continue;
		structured = structured || is_structured(d, member, 0);
		result = lappend(result, member);
	}
	return structured ? result : NIL;
}

EvSubschema *
ev_only_structured(EvDescribed *d, const List *members)
{
	EvSubschema *result = NULL;
	ListCell   *cell;

	foreach(cell, members)
	{
		bool		integer;

		if (is_structured(d, lfirst(cell), 0))
		{
			if (result != NULL)
				return NULL;
			result = lfirst(cell);
		}
		else if ((types_of(d, ev_add_parts(d, NIL, lfirst(cell)), &integer, 0) & (EV_BIT(EV_OBJECT) | EV_BIT(EV_ARRAY))) != 0)
			return NULL;
	}
	return result;
}
