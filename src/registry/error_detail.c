/*
 * error_detail.c
 *	  The DETAIL of the error for an event that is not valid, in JSON.
 *
 * The objects have the names of event_violations' columns.  That function
 * answers a role that has the event; the DETAIL also reaches the server's log.
 * So of the event, the DETAIL in JSON shows what the one in text shows.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "base/event_log.h"
#include "base/encoding.h"
#include "base/shown_text.h"
#include "jsonb/jsonb_value.h"
#include "registry/error_detail.h"

/* for the object that counts the rest, within EV_DETAIL_BYTES */
#define REST_BYTES	48

bool
ev_detail_is_json(void)
{
	return ev_error_format == EV_ERROR_JSON;
}

/* Begins a member of an object. */
static void
append_name(StringInfo json, const char *name)
{
	appendStringInfo(json, "%s\"%s\": ", json->len > 1 ? ", " : "", name);
}

static void
append_string(StringInfo json, const char *name, const char *string)
{
	append_name(json, name);
	ev_append_quoted(json, string, strlen(string));
}

static char *
json_of(const Jsonb *value)
{
	return JsonbToCString(NULL, (JsonbContainer *) &value->root, VARSIZE(value));
}

/* Returns a string as long as messages show it. */
static char *
cut(const char *data, int length)
{
	int			shown = ev_text_clip(data, length, EV_SHOWN_CHARACTERS);

	return psprintf("%.*s%s", shown, data, shown < length ? "..." : "");
}

/* Appends a value, in which the characters that messages escape are escaped. */
static void
append_value(StringInfo json, const char *name, const Jsonb *value)
{
	append_name(json, name);
	appendStringInfoString(json, ev_visible(json_of(value)));
}

/*
 * Does a message quote this value?  It does so at its end: "must be > 0, but is 0",
 * "must be number, but is string "x"", "... but has 1: "x"".
 */
static bool
is_quoted(const char *message, const char *shown)
{
	static const char *const before[] = {": ", "but is ", "but is string ", "but is number ", "but is boolean "};
	int			start = (int) strlen(message) - (int) strlen(shown);

	if (start < 0 || strcmp(message + start, shown) != 0)
		return false;
	for (int i = 0; i < (int) lengthof(before); i++)
	{
		int			length = strlen(before[i]);

		if (start >= length && strncmp(message + start - length, before[i], length) == 0)
			return true;
	}
	return false;
}

/* Appends the value that is rejected, as far as the message quotes it. */
static void
append_actual(StringInfo json, const EvViolation *violation)
{
	EvInstance	value = ev_root_value(violation->actual);

	if (!is_quoted(violation->message, ev_value_show(&value)))
		return;
	if (value.type == EV_STRING)
		append_string(json, "actual", cut(value.data, value.length));
	else if (strlen(json_of(violation->actual)) <= EV_SHOWN_CHARACTERS)
		append_value(json, "actual", violation->actual);
}

char *
ev_violation_json(const EvViolation *violation)
{
	const char *keyword = violation->keyword_location;
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	if (ev_quote_values)
		append_string(&json, "instance_location", ev_location_cut(violation->instance_location));
	append_string(&json, "keyword_location", keyword);
	append_string(&json, "keyword", violation->keyword);
	append_string(&json, "message", ev_quote_values ? violation->message :
				  psprintf("does not match keyword %s", ev_quoted(keyword, strlen(keyword))));
	if (ev_quote_values)
	{
		if (violation->property != NULL)
			append_string(&json, "property", cut(violation->property, strlen(violation->property)));
		if (violation->expected != NULL)
			append_value(&json, "expected", violation->expected);
		if (violation->actual != NULL)
			append_actual(&json, violation);
	}
	appendStringInfoChar(&json, '}');
	return json.data;
}

char *
ev_detail_json(List *objects, int64 count)
{
	StringInfoData json;
	int			shown = 0;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	for (; shown < Min(list_length(objects), EV_DETAIL_VIOLATIONS); shown++)
	{
		const char *object = list_nth(objects, shown);

		if (json.len + strlen(object) > EV_DETAIL_BYTES - REST_BYTES)
			break;
		appendStringInfo(&json, "%s%s", shown > 0 ? ", " : "", object);
	}
	if (count > shown)
		appendStringInfo(&json, "%s{\"left_out\": " INT64_FORMAT "}", shown > 0 ? ", " : "", count - shown);
	appendStringInfoChar(&json, ']');
	return json.data;
}

char *
ev_reason_json(const char *reason)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_string(&json, "instance_location", "");
	append_string(&json, "keyword_location", "");
	append_string(&json, "keyword", "");
	append_string(&json, "message", reason);
	appendStringInfoChar(&json, '}');
	return json.data;
}

int
ev_detail_of_reason(const char *reason, const char *text)
{
	if (!ev_detail_is_json())
		return text != NULL ? errdetail_internal("%s", text) : 0;
	return errdetail_internal("%s", ev_detail_json(list_make1(ev_reason_json(reason)), 1));
}
