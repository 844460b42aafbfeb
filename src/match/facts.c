/*
 * facts.c
 *	  The facts of a violation, as jsonb.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/compat.h"
#include "base/encoding.h"
#include "match/facts.h"

/* ---------- single values ---------- */

static JsonbValue
string_value(const char *data, int length)
{
	JsonbValue	value = {.type = jbvString};
	int			shown = ev_text_clip(data, length, EV_FACT_CHARACTERS);

	value.val.string.val = shown < length ? psprintf("%.*s...", shown, data) : pnstrdup(data, length);
	value.val.string.len = strlen(value.val.string.val);
	return value;
}

/* The bytes of a container. */
static Size
container_size(const JsonbContainer *container, EvType type)
{
	uint32		count = JsonContainerSize(container);
	uint32		entries = type == EV_OBJECT ? 2 * count : count;

	return offsetof(JsonbContainer, children) + entries * sizeof(JEntry) + getJsonbOffset(container, entries);
}

/* False where it is too large. */
static bool
read_value(const EvInstance *in, JsonbValue *value)
{
	JsonbContainer *container = (JsonbContainer *) unconstify(char *, in->data);
	Size		size;

	memset(value, 0, sizeof(*value));
	switch (in->type)
	{
		case EV_NULL:
			value->type = jbvNull;
			return true;
		case EV_FALSE:
		case EV_TRUE:
			value->type = jbvBool;
			value->val.boolean = in->type == EV_TRUE;
			return true;
		case EV_STRING:
			*value = string_value(in->data, in->length);
			return true;
		case EV_NUMBER:
			value->type = jbvNumeric;
			value->val.numeric = (Numeric) unconstify(char *, in->data);
			/* few bytes can be many digits */
			return strlen(DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)))) <= EV_FACT_SIZE;
		case EV_OBJECT:
		case EV_ARRAY:
			size = container_size(container, in->type);
			if (size > EV_FACT_SIZE)
				return false;
			value->type = jbvBinary;
			value->val.binary.data = container;
			value->val.binary.len = (int) size;
			return true;
	}
	return false;
}

Jsonb *
ev_fact_value(const EvInstance *in)
{
	JsonbValue	value;

	return read_value(in, &value) ? JsonbValueToJsonb(&value) : NULL;
}

Jsonb *
ev_fact_string(const char *data, int length)
{
	JsonbValue	value = string_value(data, length);

	return JsonbValueToJsonb(&value);
}

Jsonb *
ev_fact_number(Numeric number)
{
	EvInstance	value = {.type = EV_NUMBER, .data = (const char *) number};

	return ev_fact_value(&value);
}

Jsonb *
ev_fact_count(uint32 count)
{
	return ev_fact_number(int64_to_numeric(count));
}

/* ---------- several values ---------- */

Jsonb *
ev_fact_types(uint32 types, bool integer)
{
	JsonbInState state = {0};
	JsonbValue	name = {.type = jbvString};
	int			count = 0;

	ev_push_jsonb(&state, WJB_BEGIN_ARRAY, NULL);
	for (EvType type = 0; type < EV_TYPE_COUNT; type++)
	{
		if ((types & EV_BIT(type)) == 0 || (type == EV_FALSE && (types & EV_BIT(EV_TRUE)) != 0))
			continue;			/* booleans mostly come in pairs */
		name.val.string.val = pstrdup(type == EV_NUMBER && integer ? "integer" : ev_type_name(type));
		name.val.string.len = strlen(name.val.string.val);
		ev_push_jsonb(&state, WJB_ELEM, &name);
		count++;
	}
	ev_push_jsonb(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(count == 1 ? &name : state.result);
}

Jsonb *
ev_fact_values(const EvInstance *values, uint32 count)
{
	JsonbInState state = {0};
	Size		size = 0;

	ev_push_jsonb(&state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < count && size <= EV_FACT_SIZE; i++)
	{
		JsonbValue	value;

		if (!read_value(&values[i], &value))
			continue;
		size += sizeof(JEntry);
		if (value.type == jbvString)
			size += value.val.string.len;
		else if (value.type == jbvNumeric)
			size += VARSIZE_ANY(value.val.numeric);
		else if (value.type == jbvBinary)
			size += value.val.binary.len;
		if (size <= EV_FACT_SIZE)
			ev_push_jsonb(&state, WJB_ELEM, &value);
	}
	ev_push_jsonb(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(state.result);
}

Jsonb *
ev_fact_enum(const EvEnum *enumeration)
{
	if (enumeration->is_const)
		return ev_fact_value(&enumeration->shown[0]);
	return ev_fact_values(enumeration->shown, enumeration->count);
}
