/*
 * keyword_values.c
 *	  Reads the keywords of a subschema and checks the shapes of their values.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "schema/keyword_values.h"

static const char pattern_scope;	/* of the names of patterns */

void
ev_read_keywords(const EvSubschema *subschema, EvKeywordValues *keywords)
{
	const EvResource *resource = subschema->resource;
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, subschema->container));
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	memset(keywords->present, 0, sizeof(keywords->present));
	keywords->types = 0;
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		int			keyword;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		keyword = ev_keyword_find(key.val.string.val, key.val.string.len, resource->draft);
		if (keyword >= 0 && (ev_keywords[keyword].vocabulary & resource->vocabularies) != 0)
		{
			keywords->values[keyword] = value;
			keywords->present[keyword] = true;
			if (ev_keywords[keyword].types != EV_ALL_TYPES && ev_keywords[keyword].vocabulary != EV_UNEVALUATED)
				keywords->types |= ev_keywords[keyword].types;
		}
	}
}

static bool
is_integer(Numeric number)
{
	Datum		whole = DirectFunctionCall2(numeric_trunc, NumericGetDatum(number), Int32GetDatum(0));

	return DatumGetBool(DirectFunctionCall2(numeric_eq, whole, NumericGetDatum(number)));
}

static int
sign_of(Numeric number)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(number),
											 NumericGetDatum(int64_to_numeric(0))));
}

/* The types that a name in "type" stands for; 0: there is no such name. */
static uint32
types_by_name(const JsonbValue *name, bool *is_integer)
{
	static const struct
	{
		const char *name;
		uint32		types;
	}			names[] = {
		{"null", EV_BIT(EV_NULL)},
		{"boolean", EV_BOOLEAN_BITS},
		{"object", EV_BIT(EV_OBJECT)},
		{"array", EV_BIT(EV_ARRAY)},
		{"number", EV_BIT(EV_NUMBER)},
		{"string", EV_BIT(EV_STRING)},
		{"integer", EV_BIT(EV_NUMBER)},
	};

	for (int i = 0; i < (int) lengthof(names); i++)
		if (strlen(names[i].name) == (size_t) name->val.string.len &&
			memcmp(names[i].name, name->val.string.val, name->val.string.len) == 0)
		{
			*is_integer = names[i].name[0] == 'i';
			return names[i].types;
		}
	return 0;
}

uint32
ev_type_set(const JsonbValue *value, bool *integer)
{
	uint32		types = 0;
	bool		any_integer = false;
	bool		any_number = false;
	uint32		count = ev_node_is_array(value) ? JsonContainerSize(value->val.binary.data) : 1;

	for (uint32 i = 0; i < count; i++)
	{
		const JsonbValue *name = ev_node_is_array(value) ?
			getIthJsonbValueFromContainer(value->val.binary.data, i) : value;
		bool		is_integer = false;
		uint32		named = types_by_name(name, &is_integer);

		types |= named;
		any_integer |= is_integer;
		any_number |= named == EV_BIT(EV_NUMBER) && !is_integer;
	}
	*integer = any_integer && !any_number;
	return types;
}

/* Checks that a value is an array of strings. */
bool
ev_check_strings(EvCompiler *c, const EvLocation *location, const char *tail, const JsonbValue *value)
{
	JsonbContainer *array;
	uint32		count;

	if (!ev_node_is_array(value))
		return ev_compile_fault(c, location, tail, "must be an array of strings, but is %s",
								ev_node_type_name(value));
	array = value->val.binary.data;
	count = JsonContainerSize(array);
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(array, i);

		if (item->type != jbvString)
			return ev_compile_fault(c, location, psprintf("%s/%u", tail, i),
									"must be a string, but is %s", ev_node_type_name(item));
	}
	return true;
}

static bool
check_type_name(EvCompiler *c, const EvLocation *location, const char *tail, const JsonbValue *value)
{
	bool		is_integer;

	if (value->type != jbvString)
		return ev_compile_fault(c, location, tail, "must be the name of a type, but is %s",
								ev_node_type_name(value));
	if (types_by_name(value, &is_integer) == 0)
	{
		ev_compile_fault(c, location, tail, "there is no type \"%s\"", ev_node_string(value));
		if (c->fault->hint == NULL)
			c->fault->hint = "The types are null, boolean, object, array, number, string and integer.";
		return false;
	}
	return true;
}

void
ev_hint_at_dialect(EvCompiler *c, const char *keyword, const JsonbValue *value)
{
	if (c->fault->hint != NULL)
		return;
	if (strcmp(keyword, "items") == 0 && ev_node_is_array(value))
		c->fault->hint = psprintf("An array of schemas is \"prefixItems\" in this dialect; \"items\" takes it up to 2019-09, such as with \"$schema\": \"%s#\".",
								  ev_draft_uri(EV_DRAFT7));
	else if (strncmp(keyword, "exclusiveM", strlen("exclusiveM")) == 0 && value->type == jbvBool)
		c->fault->hint = psprintf("\"%s\" is a boolean in draft 4 only, that is, with \"$schema\": \"%s#\"; later it is the bound itself.",
								  keyword, ev_draft_uri(EV_DRAFT4));
	else if (strncmp(keyword, "exclusiveM", strlen("exclusiveM")) == 0 && value->type == jbvNumeric)
		c->fault->hint = psprintf("\"%s\" is a number from draft 6 on, such as with \"$schema\": \"%s#\".",
								  keyword, ev_draft_uri(EV_DRAFT7));
}

EvPattern *
ev_compile_pattern(EvCompiler *c, const EvLocation *location, const char *tail, const char *string, int length)
{
	EvPatternError error = {0};
	char	   *source = pnstrdup(string, length);
	EvPattern  *pattern = ev_find_name(c, &pattern_scope, source);
	char	   *utf8;
	MemoryContext caller;

	if (pattern != NULL)
		return pattern;
	utf8 = pg_server_to_any(source, length, PG_UTF8);
	caller = MemoryContextSwitchTo(c->program_context);
	pattern = ev_pattern_compile(utf8, strlen(utf8), &c->pattern_budget, &error);
	MemoryContextSwitchTo(caller);
	if (pattern != NULL)
		ev_add_name(c, &pattern_scope, source, pattern);
	else if (error.unsupported)
		ev_compile_fault_of(c, EV_RULE_INVALID_PATTERN, location, tail,
							"this regular expression cannot be run: %s, at byte %d of \"%s\"",
							error.message, error.position, source);
	else
		ev_compile_fault_of(c, EV_RULE_INVALID_PATTERN, location, tail,
							"must be a regular expression: %s, at byte %d of \"%s\"",
							error.message, error.position, source);
	return pattern;
}

/*
 * Checks the shape of a keyword's value.  Subschemas inside it are walked
 * later, not here.
 */
bool
ev_check_value(EvCompiler *c, const EvLocation *location, const char *tail,
			   int keyword, const JsonbValue *value)
{
	const char *found = ev_node_type_name(value);

	switch (ev_keywords[keyword].shape)
	{
		case EV_ANY_VALUE:
		case EV_SCHEMA:
		case EV_SCHEMA_OR_SCHEMAS:
			return true;

		case EV_STRING_VALUE:
			if (value->type != jbvString)
				return ev_compile_fault(c, location, tail, "must be a string, but is %s", found);
			return true;

		case EV_BOOLEAN_VALUE:
			if (value->type != jbvBool)
				return ev_compile_fault(c, location, tail, "must be true or false, but is %s", found);
			return true;

		case EV_NUMBER_VALUE:
			if (value->type != jbvNumeric)
				return ev_compile_fault(c, location, tail, "must be a number, but is %s", found);
			return true;

		case EV_POSITIVE_VALUE:
			if (value->type != jbvNumeric)
				return ev_compile_fault(c, location, tail, "must be a number greater than 0, but is %s", found);
			if (sign_of(value->val.numeric) <= 0)
				return ev_compile_fault(c, location, tail, "must be greater than 0");
			return true;

		case EV_COUNT_VALUE:
			if (value->type != jbvNumeric)
				return ev_compile_fault(c, location, tail, "must be an integer not less than 0, but is %s", found);
			if (sign_of(value->val.numeric) < 0 || !is_integer(value->val.numeric))
				return ev_compile_fault(c, location, tail, "must be an integer not less than 0");
			return true;

		case EV_ARRAY_VALUE:
			if (!ev_node_is_array(value))
				return ev_compile_fault(c, location, tail, "must be an array, but is %s", found);
			return true;

		case EV_STRINGS_VALUE:
			return ev_check_strings(c, location, tail, value);

		case EV_TYPE_VALUE:
			if (ev_node_is_array(value))
			{
				uint32		count = JsonContainerSize(value->val.binary.data);

				if (count == 0)
					return ev_compile_fault(c, location, tail, "must not be empty");
				for (uint32 i = 0; i < count; i++)
					if (!check_type_name(c, location, psprintf("%s/%u", tail, i),
										 getIthJsonbValueFromContainer(value->val.binary.data, i)))
						return false;
				return true;
			}
			return check_type_name(c, location, tail, value);

		case EV_PATTERN_VALUE:
			if (value->type != jbvString)
				return ev_compile_fault(c, location, tail, "must be a regular expression, but is %s", found);
			return ev_compile_pattern(c, location, tail, value->val.string.val, value->val.string.len) != NULL;

		case EV_SCHEMAS:
			if (!ev_node_is_array(value))
				return ev_compile_fault(c, location, tail, "must be an array of schemas, but is %s", found);
			if (JsonContainerSize(value->val.binary.data) == 0)
				return ev_compile_fault(c, location, tail, "must not be empty");
			return true;

		case EV_OBJECT_VALUE:
		case EV_STRINGS_MAP_VALUE:
		case EV_SCHEMA_MAP:
		case EV_PATTERN_SCHEMA_MAP:
		case EV_DEPENDENCIES:
			if (!ev_node_is_object(value))
				return ev_compile_fault(c, location, tail, "must be an object, but is %s", found);
			return true;
	}
	return true;
}
