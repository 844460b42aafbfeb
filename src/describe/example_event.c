/*
 * example_event.c
 *	  A valid event as an example.
 *
 * Values are made from what a schema says: listed values, examples, bounds, patterns.
 * This does not look at everything that a schema may say, so each event is validated.  If
 * it is not valid, the next attempt makes other choices.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "base/encoding.h"
#include "describe/example_event.h"
#include "match/interpret.h"

#define MOST_ATTEMPTS	24
#define MOST_DEPTH		12		/* levels of the event */
#define MOST_BYTES		65536	/* of an event */
#define MOST_MEMBERS	1000	/* that a schema names; of larger objects, no
								 * example is made */
#define MOST_ITEMS		20		/* for minItems */
#define MOST_FILL		2000	/* characters for minLength */
#define MOST_DIGITS		40		/* of a bound that is computed with */
#define CONDITIONS_FROM	8		/* attempts that apply "then" too */

typedef struct Maker
{
	EvDescribed *d;
	StringInfoData out;			/* JSON */
	int			attempt;
} Maker;

static bool make_value(Maker *m, List *parts, int depth);

/* Are optional properties made? */
static inline bool
is_full(const Maker *m)
{
	return m->attempt % 2 == 0;
}

static inline int
choice(const Maker *m)
{
	return m->attempt / 2;
}

/* ---------- parts ---------- */

static const JsonbValue *
first_of(const List *parts, int keyword)
{
	ListCell   *cell;

	foreach(cell, parts)
		if (ev_part_has(lfirst(cell), keyword))
		return &((EvPart *) lfirst(cell))->keywords->values[keyword];
	return NULL;
}

/* Are two values the same?  No two are after the last step. */
static bool
values_same(EvDescribed *d, const JsonbValue *a, const JsonbValue *b)
{
	char	   *one;
	char	   *other;
	bool		result;

	if (!ev_describe_step(d))
		return false;
	one = ev_described_json(a);
	other = ev_described_json(b);
	result = strcmp(one, other) == 0;
	pfree(one);
	pfree(other);
	return result;
}

/* Is a value in all lists of the parts? */
static bool
is_listed(EvDescribed *d, const List *parts, const JsonbValue *value)
{
	ListCell   *cell;

	foreach(cell, parts)
	{
		const JsonbValue *list;
		bool		found = false;

		if (!ev_part_has(lfirst(cell), EV_KW_ENUM) || !ev_node_is_array(list = &((EvPart *) lfirst(cell))->keywords->values[EV_KW_ENUM]))
			continue;
		for (uint32 i = 0; !found && !d->is_cut && i < JsonContainerSize(list->val.binary.data); i++)
		{
			JsonbValue *member = getIthJsonbValueFromContainer(list->val.binary.data, i);

			found = values_same(d, value, member);
			pfree(member);
		}
		if (!found)
			return false;
	}
	return true;
}

/* Returns a value that the schema names itself, or NULL. */
static const JsonbValue *
named_value(const Maker *m, const List *parts)
{
	const JsonbValue *value = first_of(parts, EV_KW_CONST);
	const JsonbValue *list;

	if (value != NULL)
		return value;
	list = first_of(parts, EV_KW_ENUM);
	if (list != NULL && ev_node_is_array(list))
		for (uint32 i = 0; i < Min(JsonContainerSize(list->val.binary.data), 1000); i++)
		{
			value = getIthJsonbValueFromContainer(list->val.binary.data, i);
			if (is_listed(m->d, parts, value))
				return value;
		}
	list = first_of(parts, EV_KW_EXAMPLES);
	if (list != NULL && ev_node_is_array(list) && JsonContainerSize(list->val.binary.data) > 0)
		return getIthJsonbValueFromContainer(list->val.binary.data, choice(m) % JsonContainerSize(list->val.binary.data));
	value = first_of(parts, EV_KW_DEFAULT);
	return value != NULL && value->type != jbvNull ? value : NULL;
}

/* ---------- alternatives ---------- */

/* Returns the types that a schema allows, as far as its keywords "type" and "not" say. */
static uint32
allowed_types(const List *parts, bool *integer)
{
	uint32		types = EV_ALL_TYPES;
	ListCell   *cell;

	*integer = false;
	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);
		bool		only_integer = false;
		char	   *excluded;

		if (part->schema->is_boolean && !part->schema->boolean)
			return 0;
		if (ev_part_has(part, EV_KW_TYPE))
			types &= ev_type_set(&part->keywords->values[EV_KW_TYPE], &only_integer);
		*integer |= only_integer;
		if (ev_part_has(part, EV_KW_NOT) && ev_node_is_object(&part->keywords->values[EV_KW_NOT]) &&
			JsonContainerSize(part->keywords->values[EV_KW_NOT].val.binary.data) == 1 &&
			ev_get_string(part->keywords->values[EV_KW_NOT].val.binary.data, "type", &excluded) && strcmp(excluded, "null") == 0)
			types &= ~EV_BIT(EV_NULL);
	}
	return types;
}

/* Adds one member of anyOf or oneOf that allows a type which the others allow. */
static List *
with_member(Maker *m, List *parts, const EvPart *part, const JsonbValue *members)
{
	uint32		count = JsonContainerSize(members->val.binary.data);
	bool		integer;
	uint32		types = allowed_types(parts, &integer);

	for (uint32 i = 0; i < count && ev_describe_step(m->d); i++)
	{
		EvSubschema *member = ev_described_child(m->d, part->schema, getIthJsonbValueFromContainer(members->val.binary.data, (choice(m) + i) % count));

		if ((types & allowed_types(ev_add_parts(m->d, NIL, member), &integer)) != 0)
			return ev_add_parts(m->d, parts, member);
	}
	return parts;
}

/* Returns the parts of a property. */
static List *
parts_of_property(Maker *m, const List *parts, const EvString *name)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);
		JsonbValue *value = ev_part_has(part, EV_KW_PROPERTIES) ? ev_object_value(&part->keywords->values[EV_KW_PROPERTIES], name) : NULL;

		if (value != NULL)
			result = ev_add_parts(m->d, result, ev_described_child(m->d, part->schema, value));
	}
	return result;
}

/*
 * Will the value of a property that the other parts make match the schema that "if" has for
 * it?  That is known if both list values.
 */
static bool
will_match(Maker *m, const List *parts, const EvString *name, EvSubschema *condition, bool *known)
{
	const JsonbValue *value = named_value(m, parts_of_property(m, parts, name));
	List	   *wanted = ev_add_parts(m->d, NIL, condition);
	const JsonbValue *constant = first_of(wanted, EV_KW_CONST);

	*known = value != NULL && (constant != NULL || first_of(wanted, EV_KW_ENUM) != NULL);
	return *known && (constant != NULL ? values_same(m->d, value, constant) : is_listed(m->d, wanted, value));
}

/* Adds "then" or "else" of a part. */
static List *
with_condition(Maker *m, List *parts, const EvPart *part)
{
	bool		matches = true;
	bool		is_known = false;
	int			keyword;
	ListCell   *cell;
	ListCell   *inner;

	foreach(cell, ev_add_parts(m->d, NIL, ev_described_child(m->d, part->schema, &part->keywords->values[EV_KW_IF])))
	{
		const EvPart *condition = lfirst(cell);

		if (!ev_part_has(condition, EV_KW_PROPERTIES))
			continue;
		foreach(inner, ev_object_keys(&condition->keywords->values[EV_KW_PROPERTIES]))
		{
			const EvString *name = lfirst(inner);
			bool		known;
			bool		own;

			if (!ev_describe_step(m->d))
				return parts;
			own = will_match(m, parts, name, ev_described_child(m->d, condition->schema, ev_object_value(&condition->keywords->values[EV_KW_PROPERTIES], name)), &known);
			is_known |= known;
			matches &= own || !known;
		}
	}
	if (!is_known && m->attempt < CONDITIONS_FROM)
		return parts;
	keyword = matches ? EV_KW_THEN : EV_KW_ELSE;
	if (!ev_part_has(part, keyword))
		return parts;
	return ev_add_parts(m->d, parts, ev_described_child(m->d, part->schema, &part->keywords->values[keyword]));
}

/* Adds the parts of one alternative of each union, and of "then" or "else". */
static List *
with_alternatives(Maker *m, List *parts)
{
	for (int i = 0; i < list_length(parts); i++)
	{
		const EvPart *part = list_nth(parts, i);

		for (int k = 0; k < 2; k++)
		{
			int			keyword = k == 0 ? EV_KW_ANY_OF : EV_KW_ONE_OF;

			if (ev_part_has(part, keyword) && ev_node_is_array(&part->keywords->values[keyword]))
				parts = with_member(m, parts, part, &part->keywords->values[keyword]);
		}
		if (ev_part_has(part, EV_KW_IF))
			parts = with_condition(m, parts, part);
	}
	return parts;
}

/* ---------- strings ---------- */

static const char *
sample_of_format(const char *format)
{
	static const char *const samples[][2] = {
		{"date-time", "2026-01-31T12:00:00Z"}, {"date", "2026-01-31"}, {"time", "12:00:00Z"}, {"duration", "PT1H"},
		{"email", "someone@example.com"}, {"idn-email", "someone@example.com"}, {"hostname", "example.com"},
		{"idn-hostname", "example.com"}, {"ipv4", "192.0.2.1"}, {"ipv6", "2001:db8::1"}, {"uri", "https://example.com/"},
		{"uri-reference", "https://example.com/"}, {"iri", "https://example.com/"}, {"iri-reference", "https://example.com/"},
		{"uri-template", "https://example.com/{id}"}, {"uuid", "123e4567-e89b-12d3-a456-426614174000"},
		{"json-pointer", "/a/0"}, {"relative-json-pointer", "0/a"}, {"regex", "^a+$"}
	};

	for (int i = 0; i < (int) lengthof(samples); i++)
		if (strcmp(samples[i][0], format) == 0)
			return samples[i][1];
	return NULL;
}

/* Returns the value of a keyword that counts, or the default. */
static int
count_of(const List *parts, int keyword, int otherwise)
{
	const JsonbValue *value = first_of(parts, keyword);
	char	   *digits;

	if (value == NULL || value->type != jbvNumeric)
		return otherwise;
	digits = numeric_normalize(value->val.numeric);
	return strlen(digits) < 9 && strspn(digits, "0123456789") == strlen(digits) ? atoi(digits) : PG_INT32_MAX;
}

/* Does a pattern match a string of ASCII characters? */
static bool
pattern_matches(const EvUtf8 *pattern, const StringInfoData *string)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "event_validate sample", ALLOCSET_DEFAULT_SIZES);
	EvPatternBudget budget = EV_PATTERN_BUDGET;
	EvPatternError error;
	EvPattern  *compiled;
	bool		result;

	MemoryContextSwitchTo(context);
	compiled = ev_pattern_compile(pattern->data, pattern->length, &budget, &error);
	result = compiled != NULL && ev_pattern_matches(compiled, string->data, string->len);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return result;
}

/* Do all patterns of the parts match a string of ASCII characters? */
static bool
patterns_match(const List *parts, const StringInfoData *string)
{
	ListCell   *cell;

	foreach(cell, parts)
	{
		const JsonbValue *pattern;
		EvUtf8		utf8;

		CHECK_FOR_INTERRUPTS();
		if (!ev_part_has(lfirst(cell), EV_KW_PATTERN) || (pattern = &((EvPart *) lfirst(cell))->keywords->values[EV_KW_PATTERN])->type != jbvString)
			continue;
		if (!ev_utf8_from_server(pattern->val.string.val, pattern->val.string.len, &utf8))
			return false;
		if (!pattern_matches(&utf8, string))
			return false;
	}
	return true;
}

/* Makes a string for the patterns of the parts.  Returns false if there are none, or it does not match all. */
static bool
sample_of_patterns(Maker *m, const List *parts, int least, StringInfo string)
{
	ListCell   *cell;

	foreach(cell, parts)
		for (int i = 0; i < 2; i++)
	{
		const JsonbValue *pattern;
		EvUtf8		utf8;

		if (!ev_describe_step(m->d) || !ev_part_has(lfirst(cell), EV_KW_PATTERN) ||
			(pattern = &((EvPart *) lfirst(cell))->keywords->values[EV_KW_PATTERN])->type != jbvString ||
			!ev_utf8_from_server(pattern->val.string.val, pattern->val.string.len, &utf8))
			continue;
		resetStringInfo(string);
		if (ev_pattern_sample(utf8.data, utf8.length, i == 0, string) && string->len >= least && patterns_match(parts, string))
			return true;
	}
	resetStringInfo(string);
	return false;
}

static void
make_string(Maker *m, const List *parts)
{
	const JsonbValue *format = first_of(parts, EV_KW_FORMAT);
	int			least = Min(count_of(parts, EV_KW_MIN_LENGTH, 0), MOST_FILL);
	int			most = count_of(parts, EV_KW_MAX_LENGTH, PG_INT32_MAX);
	StringInfoData string;
	const char *sample = format != NULL && format->type == jbvString ? sample_of_format(ev_node_string(format)) : NULL;

	initStringInfo(&string);
	if (sample != NULL)
		appendStringInfoString(&string, sample);
	else if (!sample_of_patterns(m, parts, least, &string))
		appendBinaryStringInfo(&string, "text", Min(4, Max(most, 0)));
	while (string.len < least)
		appendStringInfoChar(&string, string.len > 0 ? string.data[string.len - 1] : 'a');
	escape_json(&m->out, string.data);
}

/* ---------- numbers ---------- */

/* Can a bound be computed with, in little time and without an overflow? */
static bool
is_small(const JsonbValue *value)
{
	return value != NULL && value->type == jbvNumeric && strlen(numeric_normalize(value->val.numeric)) < MOST_DIGITS;
}

static Numeric
numeric_of(int number)
{
	return int64_to_numeric(number);
}

#define CALL(function, a, b)	DatumGetNumeric(DirectFunctionCall2(function, NumericGetDatum(a), NumericGetDatum(b)))
#define LESS(a, b)				DatumGetBool(DirectFunctionCall2(numeric_lt, NumericGetDatum(a), NumericGetDatum(b)))

/* The greatest lower bound, or the least upper one; NULL if there is none. */
static Numeric
bound_of(const List *parts, bool is_lower, bool *exclusive)
{
	Numeric		result = NULL;
	ListCell   *cell;

	*exclusive = false;
	foreach(cell, parts)
		for (int i = 0; i < 2; i++)
	{
		int			keyword = i == 0 ? (is_lower ? EV_KW_MINIMUM : EV_KW_MAXIMUM) :
			(is_lower ? EV_KW_EXCLUSIVE_MINIMUM : EV_KW_EXCLUSIVE_MAXIMUM);
		const JsonbValue *value = ev_part_has(lfirst(cell), keyword) ? &((EvPart *) lfirst(cell))->keywords->values[keyword] : NULL;

		if (!is_small(value))
			continue;
		if (result == NULL || (is_lower ? LESS(result, value->val.numeric) : LESS(value->val.numeric, result)))
		{
			result = value->val.numeric;
			*exclusive = i == 1;
		}
	}
	return result;
}

static void
make_number(Maker *m, const List *parts, bool integer)
{
	bool		above;
	bool		below;
	Numeric		lower = bound_of(parts, true, &above);
	Numeric		upper = bound_of(parts, false, &below);
	const JsonbValue *multiple = first_of(parts, EV_KW_MULTIPLE_OF);
	Numeric		one = numeric_of(1);
	Numeric		number = one;

	if (lower != NULL && !LESS(lower, one))
		number = above ? CALL(numeric_add, lower, one) : lower;
	if (upper != NULL && (LESS(upper, number) || (below && !LESS(number, upper))))
	{
		if (lower != NULL)
			number = CALL(numeric_div, CALL(numeric_add, lower, upper), numeric_of(2));
		else
			number = below ? CALL(numeric_sub, upper, one) : upper;
	}
	if (is_small(multiple))
	{
		Numeric		unit = multiple->val.numeric;

		number = CALL(numeric_mul, unit, DatumGetNumeric(DirectFunctionCall1(numeric_ceil, NumericGetDatum(CALL(numeric_div, number, unit)))));
	}
	else if (integer)
		number = DatumGetNumeric(DirectFunctionCall1(numeric_ceil, NumericGetDatum(number)));
	appendStringInfoString(&m->out, numeric_normalize(number));
}

/* ---------- objects and arrays ---------- */

static bool
is_required(const List *parts, const EvString *name)
{
	ListCell   *cell;

	foreach(cell, parts)
	{
		const JsonbValue *list;

		if (!ev_part_has(lfirst(cell), EV_KW_REQUIRED) || !ev_node_is_array(list = &((EvPart *) lfirst(cell))->keywords->values[EV_KW_REQUIRED]))
			continue;
		for (uint32 i = 0; i < JsonContainerSize(list->val.binary.data); i++)
		{
			EvString	other = ev_string_of(getIthJsonbValueFromContainer(list->val.binary.data, i));

			if (ev_key_order(&other, name) == 0)
				return true;
		}
	}
	return false;
}

static bool
has_name(const List *names, const EvString *name)
{
	ListCell   *cell;

	foreach(cell, names)
		if (ev_key_order(lfirst(cell), name) == 0)
		return true;
	return false;
}

/* Appends a member.  Returns false if it cannot be made, but is required. */
static bool
make_member(Maker *m, const List *parts, const EvString *name, bool required, int depth)
{
	int			before = m->out.len;

	if (m->out.data[before - 1] != '{')
		appendStringInfoString(&m->out, ", ");
	escape_json(&m->out, pnstrdup(name->data, name->length));
	appendStringInfoString(&m->out, ": ");
	if (make_value(m, parts_of_property(m, parts, name), depth + 1))
		return true;
	m->out.len = before;
	m->out.data[before] = '\0';
	return !required;
}

/* Do the parts name so few properties that each can be looked for in all of them? */
static bool
is_small_object(const List *parts)
{
	uint32		count = 0;
	ListCell   *cell;

	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);

		if (ev_part_has(part, EV_KW_PROPERTIES) && ev_node_is_object(&part->keywords->values[EV_KW_PROPERTIES]))
			count += JsonContainerSize(part->keywords->values[EV_KW_PROPERTIES].val.binary.data);
		if (ev_part_has(part, EV_KW_REQUIRED) && ev_node_is_array(&part->keywords->values[EV_KW_REQUIRED]))
			count += JsonContainerSize(part->keywords->values[EV_KW_REQUIRED].val.binary.data);
	}
	return count <= 2 * MOST_MEMBERS;
}

static bool
make_object(Maker *m, const List *parts, int depth)
{
	List	   *done = NIL;
	ListCell   *cell;

	if (!is_small_object(parts))
		return false;
	appendStringInfoChar(&m->out, '{');
	for (int i = list_length(parts) - 1; i >= 0; i--)
	{
		const EvPart *part = list_nth(parts, i);

		if (!ev_part_has(part, EV_KW_PROPERTIES))
			continue;
		foreach(cell, ev_order_names(m->d, part->schema, "properties", ev_object_keys(&part->keywords->values[EV_KW_PROPERTIES])))
		{
			EvString   *name = lfirst(cell);
			bool		required;

			if (!ev_describe_step(m->d))
				return false;
			if (has_name(done, name))
				continue;
			done = lappend(done, name);
			required = is_required(parts, name);
			if ((required || (is_full(m) && depth < 4)) && !make_member(m, parts, name, required, depth))
				return false;
		}
	}
	foreach(cell, parts)
	{
		const JsonbValue *list;

		if (!ev_part_has(lfirst(cell), EV_KW_REQUIRED) || !ev_node_is_array(list = &((EvPart *) lfirst(cell))->keywords->values[EV_KW_REQUIRED]))
			continue;
		for (uint32 i = 0; i < JsonContainerSize(list->val.binary.data); i++)
		{
			EvString   *name = palloc(sizeof(EvString));

			*name = ev_string_of(getIthJsonbValueFromContainer(list->val.binary.data, i));
			if (!ev_describe_step(m->d) || (!has_name(done, name) && !make_member(m, parts, name, true, depth)))
				return false;
			done = lappend(done, name);
		}
	}
	appendStringInfoChar(&m->out, '}');
	return true;
}

/* Returns the parts of an item by its position. */
static List *
parts_of_item(Maker *m, const List *parts, uint32 position)
{
	static const int keywords[] = {EV_KW_PREFIX_ITEMS, EV_KW_ITEMS_DRAFT4, EV_KW_ITEMS, EV_KW_ADDITIONAL_ITEMS};
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);
		uint32		listed = 0;

		for (int i = 0; i < (int) lengthof(keywords); i++)
		{
			const JsonbValue *value;

			if (!ev_part_has(part, keywords[i]))
				continue;
			value = &part->keywords->values[keywords[i]];
			if (ev_node_is_array(value))
			{
				listed = JsonContainerSize(value->val.binary.data);
				if (position < listed)
					result = ev_add_parts(m->d, result, ev_described_child(m->d, part->schema, getIthJsonbValueFromContainer(value->val.binary.data, position)));
			}
			else if (position >= listed)
				result = ev_add_parts(m->d, result, ev_described_child(m->d, part->schema, value));
		}
		if (position == listed && ev_part_has(part, EV_KW_CONTAINS))
			result = ev_add_parts(m->d, result, ev_described_child(m->d, part->schema, &part->keywords->values[EV_KW_CONTAINS]));
	}
	return result;
}

static bool
make_array(Maker *m, const List *parts, int depth)
{
	uint32		least = Min(count_of(parts, EV_KW_MIN_ITEMS, 0), MOST_ITEMS);
	uint32		most = count_of(parts, EV_KW_MAX_ITEMS, PG_INT32_MAX);
	const JsonbValue *listed = first_of(parts, EV_KW_PREFIX_ITEMS);
	uint32		count = Max(least, is_full(m) || first_of(parts, EV_KW_CONTAINS) != NULL ? 1 : 0);

	if (listed == NULL)
		listed = first_of(parts, EV_KW_ITEMS_DRAFT4);
	if (listed != NULL && ev_node_is_array(listed) && is_full(m))
		count = Max(count, Min(JsonContainerSize(listed->val.binary.data), MOST_ITEMS));
	count = Min(count, most);
	appendStringInfoChar(&m->out, '[');
	for (uint32 i = 0; i < count; i++)
	{
		int			before = m->out.len;

		if (i > 0)
			appendStringInfoString(&m->out, ", ");
		if (!ev_describe_step(m->d))
			return false;
		if (!make_value(m, parts_of_item(m, parts, i), depth + 1))
		{
			if (i < least)
				return false;
			m->out.len = before;
			m->out.data[before] = '\0';
			break;
		}
	}
	appendStringInfoChar(&m->out, ']');
	return true;
}

/* ---------- values ---------- */

static bool
make_value(Maker *m, List *parts, int depth)
{
	const JsonbValue *named;
	uint32		types;
	bool		integer;
	bool		about_arrays;
	bool		about_objects;

	check_stack_depth();
	if (depth > MOST_DEPTH || m->out.len > MOST_BYTES || !ev_describe_step(m->d))
		return false;
	parts = with_alternatives(m, parts);
	types = allowed_types(parts, &integer);
	about_objects = first_of(parts, EV_KW_PROPERTIES) != NULL || first_of(parts, EV_KW_REQUIRED) != NULL;
	about_arrays = first_of(parts, EV_KW_PREFIX_ITEMS) != NULL || first_of(parts, EV_KW_ITEMS) != NULL || first_of(parts, EV_KW_ITEMS_DRAFT4) != NULL;
	if (types == 0)
		return false;

	/* properties say more than the example of an object as a whole */
	named = about_objects && first_of(parts, EV_KW_CONST) == NULL && first_of(parts, EV_KW_ENUM) == NULL ? NULL : named_value(m, parts);
	if (named != NULL)
		appendStringInfoString(&m->out, ev_described_json(named));
	else if ((types & EV_BIT(EV_OBJECT)) != 0 && (types != EV_ALL_TYPES || about_objects))
		return make_object(m, parts, depth);
	else if ((types & EV_BIT(EV_ARRAY)) != 0 && (types != EV_ALL_TYPES || about_arrays))
		return make_array(m, parts, depth);
	else if ((types & EV_BIT(EV_NUMBER)) != 0 &&
			 ((types & EV_BIT(EV_STRING)) == 0 || first_of(parts, EV_KW_MINIMUM) != NULL))
		make_number(m, parts, integer);
	else if ((types & EV_BIT(EV_STRING)) != 0)
		make_string(m, parts);
	else
		appendStringInfoString(&m->out, (types & EV_BIT(EV_TRUE)) != 0 ? "true" : (types & EV_BIT(EV_FALSE)) != 0 ? "false" : "null");
	return true;
}

/* Returns the value as a jsonb, if the schema accepts it; else NULL. */
static Jsonb *
accepted(EvDescribed *d, Jsonb *event)
{
	return VARSIZE(event) <= MOST_BYTES && ev_match(ev_registry_program(d->schema), event) ? event : NULL;
}

/* Returns a value of "examples" that the schema accepts, or NULL. */
static Jsonb *
given_example(EvDescribed *d)
{
	ListCell   *cell;

	foreach(cell, ev_add_parts(d, NIL, d->root))
	{
		const EvPart *part = lfirst(cell);
		const JsonbValue *list;

		if (part->keywords == NULL || !part->keywords->present[EV_KW_EXAMPLES] ||
			!ev_node_is_array(list = &part->keywords->values[EV_KW_EXAMPLES]))
			continue;
		for (uint32 i = 0; i < Min(JsonContainerSize(list->val.binary.data), 100); i++)
		{
			Jsonb	   *event = accepted(d, JsonbValueToJsonb(getIthJsonbValueFromContainer(list->val.binary.data, i)));

			if (event != NULL)
				return event;
		}
	}
	return NULL;
}

Jsonb *
ev_example_event(EvDescribed *d)
{
	int			steps = d->steps;
	bool		is_cut = d->is_cut;
	Jsonb	   *event;

	d->steps = 0;
	d->is_cut = false;
	event = given_example(d);
	for (int attempt = 0; event == NULL && attempt < MOST_ATTEMPTS && !d->is_cut; attempt++)
	{
		Maker		m = {.d = d, .attempt = attempt};

		initStringInfo(&m.out);
		if (make_value(&m, ev_add_parts(d, NIL, d->root), 0))
			event = accepted(d, DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(m.out.data))));
	}
	d->steps = steps;
	d->is_cut = is_cut;
	return event;
}
