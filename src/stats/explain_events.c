/*
 * explain_events.c
 *	  What the validations of a statement cost, in EXPLAIN ANALYZE.
 *
 * PostgreSQL shows the time of triggers, and so of guards, but not that of CHECK
 * constraints, domains and conditions.  The numbers are those of this process: what
 * parallel workers validate is not among them.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "base/explain_hooks.h"
#include "stats/explain_events.h"
#include "stats/tally.h"

static bool always = false;		/* event_validate.explain */

/* Of the statement that runs, if EXPLAIN does not run it. */
static EvTally statement_tally;
static TimestampTz statement = 0;

static void
watch(bool is_timed)
{
	ev_watchers |= EV_WATCH_EXPLAIN | (is_timed ? EV_WATCH_TIME : 0);
}

static void *
begin(ExplainState *es)
{
	EvTally    *begun = palloc(sizeof(EvTally));

	*begun = ev_tally;
	watch(es->timing);
	return begun;
}

/* Also called for the statements that a statement runs. */
static void
begin_statement(void)
{
	if (statement == GetCurrentStatementStartTimestamp())
		return;
	statement = GetCurrentStatementStartTimestamp();
	statement_tally = ev_tally;
	watch(true);
}

static void
put(ExplainState *es, void *begun)
{
	const EvTally *before = begun != NULL ? (const EvTally *) begun : &statement_tally;
	uint64		validations = ev_tally.validations - before->validations;
	uint64		invalid = ev_tally.invalid - before->invalid;
	double		milliseconds = (double) (ev_tally.nanoseconds - before->nanoseconds) / 1000000.0;

	/* auto_explain shows a statement that was not watched */
	if (begun == NULL && statement != GetCurrentStatementStartTimestamp())
		return;
	if (es->format == EXPLAIN_FORMAT_TEXT)
	{
		appendStringInfoSpaces(es->str, es->indent * 2);
		appendStringInfo(es->str, "Event Validations: calls=" UINT64_FORMAT " invalid=" UINT64_FORMAT, validations, invalid);
		if (es->timing)
			appendStringInfo(es->str, " time=%.3f", milliseconds);
		appendStringInfoChar(es->str, '\n');
		return;
	}
	ExplainOpenGroup("Event Validations", "Event Validations", true, es);
	ExplainPropertyUInteger("Calls", NULL, validations, es);
	ExplainPropertyUInteger("Invalid", NULL, invalid, es);
	if (es->timing)
		ExplainPropertyFloat("Time", "ms", milliseconds, 3, es);
	ExplainCloseGroup("Event Validations", "Event Validations", true, es);
}

/* EXPLAIN may have ended with an error; the next one begins again. */
static void
transaction_ended(XactEvent event pg_attribute_unused(), void *arg pg_attribute_unused())
{
	ev_watchers &= ~(EV_WATCH_EXPLAIN | EV_WATCH_TIME);
	statement = 0;
}

void
ev_explain_events_init(void)
{
	static const EvExplainHooks hooks = {
		.option = "event_validate",.always = &always,
		.begin = begin, .begin_statement = begin_statement, .put = put
	};

	DefineCustomBoolVariable("event_validate.explain",
							 "Shows in each EXPLAIN ANALYZE how many events a statement validates, and how long that takes.",
							 NULL, &always, false, PGC_USERSET, 0, NULL, NULL, NULL);
	RegisterXactCallback(transaction_ended, NULL);
	ev_explain_hooks_init(&hooks);
}
