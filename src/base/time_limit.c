/*
 * time_limit.c
 *	  A limit on the time that code of other roles takes.
 *
 * A timer requests a cancellation, as statement_timeout does.  PL/pgSQL can
 * catch that (EXCEPTION WHEN query_canceled) and continue.  But a caught error
 * rolls a subtransaction back, and each rollback after the end of the time
 * requests another cancellation.  This one cancels the exception's handler,
 * outside the block that caught the first one.
 *
 * The same code can catch a cancellation that the user has requested, by
 * pg_cancel_backend or statement_timeout.  That one must end the statement.
 * The flags of a pending cancellation do not tell where it came from, and
 * requests that are pending together become one error.  So while the limit
 * runs, a signal handler of our own notes the user's requests (SIGINT).  If
 * the code catches such a cancellation, the error is raised again after the
 * code has ended.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/timeout.h"

#include "base/time_limit.h"

static TimeoutId timer;
static bool has_timer = false;
static struct sigaction other_handler;	/* of SIGINT, while the limit runs */

static volatile sig_atomic_t is_running = false;
static volatile sig_atomic_t has_run_out = false;
static volatile sig_atomic_t is_canceled = false;	/* by the user */

/* ---------- requests for cancellation ---------- */

static void
ask_for_cancellation(void)
{
	InterruptPending = true;
	QueryCancelPending = true;
}

static void
time_is_over(void)
{
	if (!is_running)
		return;
	has_run_out = true;
	ask_for_cancellation();
}

static void
subtransaction_ended(SubXactEvent event, SubTransactionId subtransaction pg_attribute_unused(),
					 SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	if (event == SUBXACT_EVENT_ABORT_SUB && is_running && (has_run_out || is_canceled))
		ask_for_cancellation();
}

/*
 * The handler of SIGINT. The process's own lock_timeout sends this signal too,
 * which is no request of the user's.  PostgreSQL's own handler takes three
 * arguments since 19.
 */
static void
cancel_came(int signal_number, siginfo_t * info, void *context)
{
	int			saved_errno = errno;

	if (info->si_pid != MyProcPid || !get_timeout_indicator(LOCK_TIMEOUT, false))
		is_canceled = true;
	if (other_handler.sa_flags & SA_SIGINFO)
		other_handler.sa_sigaction(signal_number, info, context);
	else
		other_handler.sa_handler(signal_number);
	errno = saved_errno;
}

/* ---------- the limit ---------- */

typedef struct Limited
{
	void		(*work) (void *arg);
	void	   *arg;
	int			milliseconds;
	bool		ran_out;		/* out */
	bool		is_canceled;	/* out */
} Limited;

static void
start(int milliseconds)
{
	struct sigaction handler;

	if (!has_timer)
	{
		timer = RegisterTimeout(USER_TIMEOUT, time_is_over);
		RegisterSubXactCallback(subtransaction_ended, NULL);
		has_timer = true;
	}
	has_run_out = false;
	is_canceled = false;
	sigaction(SIGINT, NULL, &other_handler);
	if (other_handler.sa_handler != SIG_IGN && other_handler.sa_handler != SIG_DFL)
	{
		handler = other_handler;
		handler.sa_sigaction = cancel_came;
		handler.sa_flags |= SA_SIGINFO;
		sigaction(SIGINT, &handler, NULL);
	}
	/* a request that came before the handler was installed */
	if (QueryCancelPending)
		is_canceled = true;
	is_running = true;
	enable_timeout_after(timer, Max(milliseconds, 1));
}

static void
stop(Limited *limited)
{
	disable_timeout(timer, false);
	is_running = false;
	limited->ran_out = has_run_out;

	/*
	 * drop our own request, or the one made for the user, if the code ended
	 * before it was handled
	 */
	if (has_run_out || is_canceled)
		QueryCancelPending = false;
	/* a request that comes from here on stays pending */
	sigaction(SIGINT, &other_handler, NULL);
	limited->is_canceled = is_canceled;
}

/*
 * Raises the user's cancellation, after the code has caught it or has ended
 * before it was handled.
 */
static void
raise_cancellation(void)
{
	ask_for_cancellation();
	CHECK_FOR_INTERRUPTS();
}

static void
run_limited(void *arg)
{
	Limited    *limited = (Limited *) arg;

	CHECK_FOR_INTERRUPTS();
	start(limited->milliseconds);
	PG_TRY();
	{
		limited->work(limited->arg);
	}
	PG_FINALLY();
	{
		stop(limited);
	}
	PG_END_TRY();
	if (limited->is_canceled)
		raise_cancellation();
}

ErrorData *
ev_in_limited_time(void (*work) (void *arg), void *arg, EvKeep keep, int milliseconds, bool *ran_out)
{
	Limited		limited = {.work = work, .arg = arg, .milliseconds = milliseconds};
	ErrorData  *error;

	if (is_running || milliseconds == 0)
		error = ev_in_subtransaction(work, arg, keep);
	else
		error = ev_in_subtransaction(run_limited, &limited, keep);
	if (error != NULL && ev_is_interrupt(error) && (limited.is_canceled || !limited.ran_out))
		ReThrowError(error);
	if (limited.is_canceled)
		raise_cancellation();
	*ran_out = error != NULL && limited.ran_out;
	return error;
}

bool
ev_compute_in_limited_time(void (*work) (void *arg), void *arg, int milliseconds)
{
	MemoryContext caller = CurrentMemoryContext;
	Limited		limited = {0};

	if (is_running)
	{
		work(arg);
		return false;
	}
	CHECK_FOR_INTERRUPTS();
	start(milliseconds);
	PG_TRY();
	{
		work(arg);
	}
	PG_CATCH();
	{
		stop(&limited);
		if (geterrcode() != ERRCODE_QUERY_CANCELED || !limited.ran_out || limited.is_canceled)
			PG_RE_THROW();
		MemoryContextSwitchTo(caller);
		FlushErrorState();
	}
	PG_END_TRY();
	if (is_running)
		stop(&limited);
	if (limited.is_canceled)
		raise_cancellation();
	return limited.ran_out;
}
