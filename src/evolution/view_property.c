/*
 * view_property.c
 *	  A property of an event as a value of an SQL type, for the columns of
 *	  create_event_view.
 *
 * The result depends only on the event and not on settings, time zone or
 * locale, so the functions are IMMUTABLE and can be used in an index.  They
 * never raise errors for an event, since one bad row in a million must not
 * break a report.  They return NULL if the property is absent, null or not a
 * value of the type; for the last case, there is a WARNING once for each call
 * site in a query.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/event_log.h"
#include "base/shown_text.h"
#include "evolution/view_property.h"
#include "format/format_internal.h"
#include "jsonb/jsonb_number.h"
#include "jsonb/jsonb_value.h"
#include "registry/extension_objects.h"

PG_FUNCTION_INFO_V1(ev_event_view_value);
PG_FUNCTION_INFO_V1(ev_event_bigint);
PG_FUNCTION_INFO_V1(ev_event_numeric);
PG_FUNCTION_INFO_V1(ev_event_boolean);
PG_FUNCTION_INFO_V1(ev_event_timestamptz);
PG_FUNCTION_INFO_V1(ev_event_date);
PG_FUNCTION_INFO_V1(ev_event_uuid);
PG_FUNCTION_INFO_V1(ev_event_property);

/* ---------- the value ---------- */

/*
 * Finds a property, whose name is the second argument, in the event, which is
 * the first.  Returns false if it is absent or null, or if the event is not an
 * object.  The value points into the detoasted argument.
 */
static bool
find_property(FunctionCallInfo fcinfo, JsonbValue *value)
{
	Jsonb	   *event = PG_GETARG_JSONB_P(0);
	text	   *name = PG_GETARG_TEXT_PP(1);

	if (!JB_ROOT_IS_OBJECT(event))
		return false;
	return getKeyJsonValueFromContainer(&event->root, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name),
										value) != NULL &&
		value->type != jbvNull;
}

static EvInstance
as_instance(const JsonbValue *value)
{
	EvInstance	instance = {.type = EV_NULL};

	switch (value->type)
	{
		case jbvString:
			instance = (EvInstance) {EV_STRING, value->val.string.len, value->val.string.val};
			break;
		case jbvNumeric:
			instance = (EvInstance) {EV_NUMBER, 0, (const char *) value->val.numeric};
			break;
		case jbvBool:
			instance.type = value->val.boolean ? EV_TRUE : EV_FALSE;
			break;
		case jbvBinary:
			instance.type = JsonContainerIsArray(value->val.binary.data) ? EV_ARRAY : EV_OBJECT;
			instance.data = (const char *) value->val.binary.data;
			break;
		default:
			break;
	}
	return instance;
}

/* Returns NULL for a value that is not of the type, and warns once. */
static Datum
misfit(FunctionCallInfo fcinfo, const JsonbValue *value, const char *type)
{
	static char told;			/* only its address is used */

	if (fcinfo->flinfo->fn_extra != &told)
	{
		text	   *name = PG_GETARG_TEXT_PP(1);
		EvInstance	instance = as_instance(value);
		char	   *shown = ev_quote_values ? psprintf(": %s", ev_value_show(&instance)) : "";

		fcinfo->flinfo->fn_extra = &told;
		ereport(WARNING,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("property %s of an event is not a valid %s and is shown as null%s",
						ev_string_show(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)), type, shown),
				 errdetail("Further values in this query are not reported."),
				 errhint("The event itself has the value.")));
	}
	PG_RETURN_NULL();
}

/* ---------- numbers ---------- */

static Numeric
int8_limit(bool lower)
{
	static Numeric limits[2];

	if (limits[lower] == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

		limits[lower] = int64_to_numeric(lower ? PG_INT64_MIN : PG_INT64_MAX);
		MemoryContextSwitchTo(caller);
	}
	return limits[lower];
}

bool
ev_number_fits_int8(Numeric number, bool lower)
{
	int			order = ev_number_compare(number, int8_limit(lower));

	return lower ? order >= 0 : order <= 0;
}

/* Reads an integer of at most 18 digits, in place; false for other numbers. */
static bool
read_small(Numeric number, int64 *result)
{
	EvDigits	n = ev_number_read(number);
	int64		value = 0;

	if (n.count == 0)
	{
		*result = 0;
		return true;
	}
	if (n.weight < 0 || n.weight > 3 || n.count > n.weight + 1)
		return false;
	for (int i = 0; i <= n.weight; i++)
		value = value * 10000 + (i < n.count ? n.digits[i] : 0);
	*result = n.negative ? -value : value;
	return true;
}

Datum
ev_event_bigint(PG_FUNCTION_ARGS)
{
	JsonbValue	value;
	int64		result;

	if (!find_property(fcinfo, &value))
		PG_RETURN_NULL();
	if (value.type != jbvNumeric)
		return misfit(fcinfo, &value, "bigint");
	if (read_small(value.val.numeric, &result))
		PG_RETURN_INT64(result);
	if (!ev_number_is_integer(value.val.numeric) ||
		!ev_number_fits_int8(value.val.numeric, true) ||
		!ev_number_fits_int8(value.val.numeric, false))
		return misfit(fcinfo, &value, "bigint");
	return DirectFunctionCall1(numeric_int8, NumericGetDatum(value.val.numeric));
}

static inline bool
is_ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
ev_is_decimal(const char *string, int length)
{
	const char *p = string;
	const char *end = string + length;
	int			digits = 0;

	/* numeric_in accepts longer ones, which do not occur in practice */
	if (length > 1000)
		return false;
	if (p < end && (*p == '+' || *p == '-'))
		p++;
	for (; p < end && is_ascii_digit(*p); p++)
		digits++;
	if (p < end && *p == '.')
		for (p++; p < end && is_ascii_digit(*p); p++)
			digits++;
	return p == end && digits > 0;
}

Datum
ev_event_numeric(PG_FUNCTION_ARGS)
{
	JsonbValue	value;

	if (!find_property(fcinfo, &value))
		PG_RETURN_NULL();
	if (value.type == jbvNumeric)
		return datumCopy(NumericGetDatum(value.val.numeric), false, -1);
	if (value.type == jbvString && ev_is_decimal(value.val.string.val, value.val.string.len))
		return DirectFunctionCall3(numeric_in,
								   CStringGetDatum(pnstrdup(value.val.string.val, value.val.string.len)),
								   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return misfit(fcinfo, &value, "numeric");
}

/* ---------- times ---------- */

/* Returns the value of two digits. */
static inline int
pair(const char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/*
 * Returns the days since 2000-01-01 of a full-date.  Year 0000 is 1 BC, as in
 * ISO 8601.
 */
static inline int
days_of(const char *date)
{
	return date2j(pair(date) * 100 + pair(date + 2), pair(date + 5), pair(date + 8)) - POSTGRES_EPOCH_JDATE;
}

/*
 * Returns the microseconds of a fraction's digits, rounded like the type's own
 * input.  Advances *p to the end of the digits.
 */
static int
microseconds_of(const char **p, const char *end)
{
	int			result = 0;
	int			count = 0;
	int			rest = 0;		/* the rest: 0 nothing, 1 less than a half, 2
								 * a half, 3 more */

	for (; *p < end && is_ascii_digit(**p); (*p)++, count++)
	{
		int			digit = **p - '0';

		if (count < 6)
			result = result * 10 + digit;
		else if (count == 6)
			rest = digit > 5 ? 3 : digit == 5 ? 2 : digit > 0 ? 1 : 0;
		else if (digit > 0)
			rest |= 1;
	}
	for (; count < 6; count++)
		result *= 10;
	return result + (rest == 3 || (rest == 2 && result % 2 == 1));
}

/*
 * Returns the time of an RFC 3339 date-time.  A leap second becomes the first
 * second of the next minute, as in the type's own input.
 */
static TimestampTz
instant_of(const char *string, int length)
{
	const char *p = string + 19;
	const char *end = string + length;
	int64		seconds = days_of(string) * (int64) SECS_PER_DAY;
	int			microseconds = 0;
	int			offset = 0;

	seconds += pair(string + 11) * SECS_PER_HOUR + pair(string + 14) * SECS_PER_MINUTE + pair(string + 17);
	if (*p == '.')
	{
		p++;
		microseconds = microseconds_of(&p, end);
	}
	if (*p == '+' || *p == '-')
	{
		offset = pair(p + 1) * SECS_PER_HOUR + pair(p + 4) * SECS_PER_MINUTE;
		if (*p == '-')
			offset = -offset;
	}
	return (seconds - offset) * USECS_PER_SEC + microseconds;
}

Datum
ev_event_timestamptz(PG_FUNCTION_ARGS)
{
	JsonbValue	value;

	if (!find_property(fcinfo, &value))
		PG_RETURN_NULL();
	if (value.type != jbvString || !ev_format_date_time(value.val.string.val, value.val.string.len))
		return misfit(fcinfo, &value, "date-time");
	PG_RETURN_TIMESTAMPTZ(instant_of(value.val.string.val, value.val.string.len));
}

Datum
ev_event_date(PG_FUNCTION_ARGS)
{
	JsonbValue	value;

	if (!find_property(fcinfo, &value))
		PG_RETURN_NULL();
	if (value.type != jbvString || !ev_format_date(value.val.string.val, value.val.string.len))
		return misfit(fcinfo, &value, "date");
	PG_RETURN_DATEADT(days_of(value.val.string.val));
}


Datum
ev_event_boolean(PG_FUNCTION_ARGS)
{
	JsonbValue	value;

	if (!find_property(fcinfo, &value))
		PG_RETURN_NULL();
	if (value.type != jbvBool)
		return misfit(fcinfo, &value, "boolean");
	PG_RETURN_BOOL(value.val.boolean);
}

static inline int
hexadecimal(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

Datum
ev_event_uuid(PG_FUNCTION_ARGS)
{
	JsonbValue	value;
	pg_uuid_t  *result;
	const char *p;

	if (!find_property(fcinfo, &value))
		PG_RETURN_NULL();
	if (value.type != jbvString || !ev_format_uuid(value.val.string.val, value.val.string.len))
		return misfit(fcinfo, &value, "uuid");
	result = palloc(sizeof(pg_uuid_t));
	p = value.val.string.val;
	for (int i = 0; i < UUID_LEN; i++, p += 2)
	{
		if (*p == '-')
			p++;
		result->data[i] = hexadecimal(p[0]) << 4 | hexadecimal(p[1]);
	}
	PG_RETURN_UUID_P(result);
}

/* event_jsonb: returns the value itself; NULL for the JSON value null. */
Datum
ev_event_property(PG_FUNCTION_ARGS)
{
	JsonbValue	value;

	if (!find_property(fcinfo, &value))
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(JsonbValueToJsonb(&value));
}

/* ---------- in a view ---------- */

/* The functions above, by the types of a view's columns. */
static const struct
{
	Oid			type;
	const char *function;
}			readers[] = {
	{INT8OID, "event_bigint"},
	{NUMERICOID, "event_numeric"},
	{BOOLOID, "event_boolean"},
	{TIMESTAMPTZOID, "event_timestamptz"},
	{DATEOID, "event_date"},
	{UUIDOID, "event_uuid"},
	{JSONBOID, "event_property"},
};

/*
 * event_view_value(document text, property text, column_type regtype) returns
 * text
 *
 * Returns SQL that reads a property of the document (which is SQL) as a value
 * of the type, for any search_path.
 */
Datum
ev_event_view_value(PG_FUNCTION_ARGS)
{
	const char *document = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *property = quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	Oid			type = PG_GETARG_OID(2);

	if (type == TEXTOID)
		PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s OPERATOR(pg_catalog.->>) %s", document, property)));
	for (int i = 0; i < (int) lengthof(readers); i++)
		if (readers[i].type == type)
			PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s(%s, %s::pg_catalog.text)",
													  quote_qualified_identifier(get_namespace_name(ev_extension_namespace()),
																				 readers[i].function),
													  document, property)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a view has no columns of type %s", format_type_be(type))));
}
