/*
 * event_log.c
 *	  A line in the server's log for each event that is not valid.
 *
 * The log has an ERROR in any case, with its statement and all of its data.
 * This file writes one line for each such event, also for events that raise no
 * error.  Of the data, the line has only the values that the messages show.
 * It is written at once, so it remains if the transaction is rolled back.
 *
 * Each backend limits its own rate, which is also that of the WARNINGs in the
 * log.  The next line counts the events that were left out, or a last line at
 * the end of the session.
 */
#include "postgres.h"

#include <limits.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/event_log.h"
#include "base/shown_text.h"
#include "base/steady_time.h"

/* of the violations in a line, in bytes */
#define LINE_LENGTH		1000

/* event_validate.log_violations */
typedef enum LogViolations
{
	LOG_NONE,
	LOG_REFUSED,
	LOG_ALL
} LogViolations;

static const struct config_enum_entry log_options[] = {
	{"off", LOG_NONE, false},
	{"refused", LOG_REFUSED, false},
	{"all", LOG_ALL, false},
	/* as for a boolean */
	{"on", LOG_ALL, true},
	{"true", LOG_ALL, true},
	{"yes", LOG_ALL, true},
	{"1", LOG_ALL, true},
	{"false", LOG_NONE, true},
	{"no", LOG_NONE, true},
	{"0", LOG_NONE, true},
	{NULL, 0, false}
};

static const struct config_enum_entry format_options[] = {
	{"text", EV_ERROR_TEXT, false},
	{"json", EV_ERROR_JSON, false},
	{NULL, 0, false}
};

static int	log_violations = LOG_NONE;
int			ev_error_format = EV_ERROR_TEXT;
bool		ev_quote_values = true;
static int	lines_per_second = 10;

static TimestampTz second_start = 0;
static int	lines = 0;			/* in this second */
static int64 left_out = 0;		/* since the last line */

/*
 * Was the setting given before the library is loaded: in a file, for the
 * database or the role, by the client, or in the session?  An empty value
 * counts too.  If the client has given a value that it may not set, PostgreSQL
 * refuses this value, and then does not apply the values from the other
 * sources either.  So a setting that was given gets as its default the value
 * that shows less and logs more.
 *
 * While shared_preload_libraries are loaded, there is no client yet.
 * PostgreSQL then knows the setting when a client gives it.  The default is
 * the usual one there, since the value can be removed from a file while the
 * server runs.
 */
static bool
is_given(const char *name)
{
	if (process_shared_preload_libraries_in_progress)
		return false;
	return GetConfigOption(name, true, false) != NULL;
}

void
ev_event_log_init(void)
{
	DefineCustomEnumVariable("event_validate.log_violations",
							 "Writes a line to the server log for each event that is refused or, with \"all\", also diverted or kept with a warning.",
							 NULL, &log_violations, is_given("event_validate.log_violations") ? LOG_ALL : LOG_NONE,
							 log_options, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("event_validate.log_violations_rate",
							"Sets the maximum number of such lines that a session writes in a second.",
							"0 means no limit.  The next line says how many lines were left out.",
							&lines_per_second, 10, 0, INT_MAX, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("event_validate.show_values",
							 "Quotes values and names of properties of an event that is not valid in messages and in the server log.",
							 "If off, they name the keyword of the schema instead.",
							 &ev_quote_values, !is_given("event_validate.show_values"), PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("event_validate.error_format",
							 "Sets the form of the DETAIL of the error for an event that is not valid.",
							 "With \"json\" it is a JSON array with an object for each violation.",
							 &ev_error_format, EV_ERROR_TEXT, format_options, PGC_USERSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("event_validate");
}

/* At the end of a session: reports the events that no line has counted. */
static void
report_rest(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	if (left_out > 0)
		ereport(LOG_SERVER_ONLY,
				(errmsg_internal("" INT64_FORMAT " events that are not valid were not logged by this session", left_out),
				 errhidestmt(true),
				 errhidecontext(true)));
	left_out = 0;
}

static void
leave_out(int64 events)
{
	static bool is_registered = false;

	if (!is_registered)
		on_proc_exit(report_rest, (Datum) 0);
	is_registered = true;
	left_out += events;
}

bool
ev_event_log_rate(int64 events)
{
	TimestampTz now = ev_steady_time();

	if (lines_per_second == 0)
		return true;
	if (second_start == 0 || now - second_start >= USECS_PER_SEC)
	{
		second_start = now;
		lines = 0;
	}
	if (lines >= lines_per_second)
	{
		leave_out(events);
		return false;
	}
	lines++;
	return true;
}

/*
 * Appends text from outside: cut, and without characters that would begin a
 * new line.
 */
static void
append_one_line(StringInfo line, const char *string)
{
	int			length = strlen(string);

	ev_append_visible_cut(line, string, length, pg_mbcliplen(string, length, LINE_LENGTH));
}

static const char *const fates[] = {"refused", "diverted", "kept"};

static void
append_member(StringInfo json, const char *name, const char *value)
{
	appendStringInfo(json, "%s\"%s\": ", json->len > 1 ? ", " : "", name);
	if (value != NULL)
		escape_json(json, value);
	else
		appendStringInfoString(json, "null");
}

/* The line's contents as a JSON object; the violations are cut. */
static int
json_detail(EvFate fate, Relation relation, const text *type, const int32 *version, const char *violations)
{
	StringInfoData json;

	if ((Log_destination & LOG_DESTINATION_JSONLOG) == 0)
		return 0;
	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_member(&json, "fate", fates[fate]);
	append_member(&json, "schema", relation != NULL ? get_namespace_name(RelationGetNamespace(relation)) : NULL);
	append_member(&json, "table", relation != NULL ? RelationGetRelationName(relation) : NULL);
	append_member(&json, "event_type", type != NULL ? pnstrdup(VARDATA_ANY(type), pg_mbcliplen(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), LINE_LENGTH)) : NULL);
	if (version != NULL)
		appendStringInfo(&json, ", \"schema_version\": %d", *version);
	else
		append_member(&json, "schema_version", NULL);
	append_member(&json, "violations",
				  pnstrdup(violations, pg_mbcliplen(violations, strlen(violations), LINE_LENGTH)));
	appendStringInfo(&json, ", \"left_out\": " INT64_FORMAT "}", left_out);
	return errdetail_internal("%s", json.data);
}

void
ev_event_log(EvFate fate, Relation relation, const text *type,
			 const int32 *version, const char *violations)
{
	StringInfoData line;

	if (log_violations == LOG_NONE || (log_violations == LOG_REFUSED && fate != EV_REFUSED) || !ev_event_log_rate(1))
		return;

	initStringInfo(&line);
	appendStringInfo(&line, "event %s", fates[fate]);
	if (relation != NULL)
	{
		char	   *namespace = get_namespace_name(RelationGetNamespace(relation));

		appendStringInfoString(&line, ": table \"");
		append_one_line(&line, namespace ? namespace : "");
		appendStringInfoChar(&line, '.');
		append_one_line(&line, RelationGetRelationName(relation));
		appendStringInfoChar(&line, '"');
	}
	appendStringInfo(&line, "%s type ", relation != NULL ? "," : ":");
	if (type != NULL)
		appendStringInfoString(&line, ev_type_show(type));
	else
		appendStringInfoString(&line, "null");
	if (version != NULL)
		appendStringInfo(&line, " version %d: ", *version);
	else
		appendStringInfoString(&line, " version null: ");
	append_one_line(&line, violations);
	if (left_out > 0)
		appendStringInfo(&line, " (" INT64_FORMAT " events before this one not logged)", left_out);

	ereport(LOG_SERVER_ONLY,
			(errmsg_internal("%s", line.data),
			 json_detail(fate, relation, type, version, violations),
			 errhidestmt(true),
			 errhidecontext(true)));
	left_out = 0;
	pfree(line.data);
}
