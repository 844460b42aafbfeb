/*
 * event_log.c
 *	  A line in the server's log for each event that is not valid.
 *
 * The log has an ERROR in any case, with its statement and all of its data.
 * This file writes one line for each such event, also for events that raise no
 * error.  Of the data, the line has only the values that the messages show.
 * It is written at once, so it remains if the transaction is rolled back.
 *
 * Each backend limits its own rate.  The next line counts the lines that were
 * left out.
 */
#include "postgres.h"

#include <limits.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/event_log.h"
#include "base/shown_text.h"

/* of the violations in a line, in bytes */
#define LINE_LENGTH		1000

static bool log_violations = false; /* event_validate.log_violations */
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
	DefineCustomBoolVariable("event_validate.log_violations",
							 "Writes a line to the server log for each event that is refused, diverted or kept with a warning.",
							 NULL, &log_violations, is_given("event_validate.log_violations"), PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("event_validate.log_violations_rate",
							"Sets the maximum number of such lines that a session writes in a second.",
							"0 means no limit.  The next line says how many lines were left out.",
							&lines_per_second, 10, 0, INT_MAX, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("event_validate.show_values",
							 "Quotes values and names of properties of an event that is not valid in messages and in the server log.",
							 "If off, they name the keyword of the schema instead.",
							 &ev_quote_values, !is_given("event_validate.show_values"), PGC_SUSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("event_validate");
}

/* May another line be written in this second? */
static bool
within_rate(void)
{
	TimestampTz now = GetCurrentTimestamp();

	if (lines_per_second == 0)
		return true;
	if (now - second_start >= USECS_PER_SEC || now < second_start)
	{
		second_start = now;
		lines = 0;
	}
	if (lines >= lines_per_second)
	{
		left_out++;
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

void
ev_event_log(const char *fate, Relation relation, const text *type,
			 const int32 *version, const char *violations)
{
	StringInfoData line;

	if (!log_violations || !within_rate())
		return;

	initStringInfo(&line);
	appendStringInfo(&line, "event %s", fate);
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
	left_out = 0;

	ereport(LOG_SERVER_ONLY,
			(errmsg_internal("%s", line.data),
			 errhidestmt(true),
			 errhidecontext(true)));
	pfree(line.data);
}
