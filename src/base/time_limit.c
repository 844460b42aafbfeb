/*
 * time_limit.c
 *	  A limit on the time that code of other roles takes.
 *
 * A timer requests a cancellation, as statement_timeout does.  PL/pgSQL can
 * catch that (EXCEPTION WHEN query_canceled) and continue.  Catching an error
 * rolls a subtransaction back, so each rollback after the end of the time
 * requests another cancellation: it cancels the exception's handler, outside
 * the block that caught the first one.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "base/time_limit.h"

static TimeoutId timer;
static bool has_timer = false;

static volatile sig_atomic_t is_running = false;
static volatile sig_atomic_t has_run_out = false;

static void
ask_for_cancellation(void)
{
	if (!is_running)
		return;
	has_run_out = true;
	InterruptPending = true;
	QueryCancelPending = true;
}

static void
subtransaction_ended(SubXactEvent event, SubTransactionId subtransaction pg_attribute_unused(),
					 SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	if (event == SUBXACT_EVENT_ABORT_SUB && has_run_out)
		ask_for_cancellation();
}

void
ev_time_limit_start(int milliseconds)
{
	if (!has_timer)
	{
		timer = RegisterTimeout(USER_TIMEOUT, ask_for_cancellation);
		RegisterSubXactCallback(subtransaction_ended, NULL);
		has_timer = true;
	}
	Assert(!is_running);
	has_run_out = false;
	is_running = true;
	enable_timeout_after(timer, Max(milliseconds, 1));
}

bool
ev_time_limit_is_running(void)
{
	return is_running;
}

bool
ev_time_limit_stop(void)
{
	bool		result = has_run_out;

	if (is_running)
	{
		disable_timeout(timer, false);
		is_running = false;
		result = has_run_out;
		has_run_out = false;
		/* clear our request if nothing has handled it */
		if (result)
			QueryCancelPending = false;
	}
	return result;
}

bool
ev_is_statement_over(void)
{
	return StatementTimeout > 0 &&
		TimestampDifferenceExceeds(GetCurrentStatementStartTimestamp(), GetCurrentTimestamp(), StatementTimeout);
}
