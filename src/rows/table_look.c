/*
 * table_look.c
 *	  Reads the rows of another role's table, whatever its expressions do.
 *
 * The expressions of a table call its owner's code.  So they run with only the
 * owner's rights, as VACUUM runs the expressions of an index.  Their errors
 * count as a problem of the table only.  They have a time limit if the owner
 * is another role.  Error messages can contain values of the rows, which not
 * every role may see.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timeout.h"

#include "base/run_as_owner.h"
#include "base/subtransaction.h"
#include "base/time_limit.h"
#include "rows/table_look.h"
#include "rows/table_rights.h"

/* ---------- the time limit ---------- */

static TimeoutId look_timeout = MAX_TIMEOUTS;
static bool is_timing = false;	/* a look inside a look keeps the outer limit */
static volatile sig_atomic_t is_overdue = false;

static void
interrupt(void)
{
	QueryCancelPending = true;
	InterruptPending = true;
}

static void
become_overdue(void)
{
	is_overdue = true;
	interrupt();
	SetLatch(MyLatch);
}

/*
 * Is called for each error during a look: code that catches the error of the
 * time limit is canceled again at once.
 */
static void
stay_overdue(void *arg pg_attribute_unused())
{
	if (is_overdue)
		interrupt();
}

static void
start_timing(int milliseconds)
{
	if (look_timeout == MAX_TIMEOUTS)
		look_timeout = RegisterTimeout(USER_TIMEOUT, become_overdue);
	is_timing = true;
	is_overdue = false;
	enable_timeout_after(look_timeout, milliseconds);
}

static void
stop_timing(EvLook *look)
{
	disable_timeout(look_timeout, false);
	look->overdue = is_overdue;
	if (is_overdue)
		QueryCancelPending = false;
	is_timing = false;
	is_overdue = false;
}

/* ---------- as the owner ---------- */

static void
look_as_owner(void *arg)
{
	EvLook	   *look = (EvLook *) arg;
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(look->relation));
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	EvRunAs		session;
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return;					/* it was dropped in the meantime */
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);

	context = AllocSetContextCreate(caller, "event_validate look",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);

	/*
	 * Row security would hide rows from an owner who is subject to it.  The
	 * end of the subtransaction restores user and settings.
	 */
	ev_run_as_begin(&session, owner, SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
	/* an error message can contain a value of the row */
	if (!look->readable)
		set_config_option("client_min_messages", "error", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	PushCopiedSnapshot(GetLatestSnapshot());
	if (look->command != 0)
		GetActiveSnapshot()->curcid = look->command;
	look->work(look->arg);
	PopActiveSnapshot();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

ErrorData *
ev_look(EvLook *look)
{
	ErrorContextCallback context = {.callback = stay_overdue, .previous = error_context_stack};
	bool		is_timed = look->milliseconds > 0 && !is_timing;
	ErrorData  *volatile error = NULL;

	look->readable = ev_may_read_all(look->relation, look->user);
	look->overdue = false;
	if (is_timed)
	{
		error_context_stack = &context;
		start_timing(look->milliseconds);
	}
	PG_TRY();
	{
		error = ev_in_subtransaction(look_as_owner, look, EV_LET_GO);
	}
	PG_FINALLY();
	{
		if (is_timed)
			stop_timing(look);
	}
	PG_END_TRY();
	error_context_stack = context.previous;
	look->overdue = look->overdue && error != NULL;
	if (error != NULL && !look->overdue && ev_is_interrupt(error))
		ReThrowError(error);
	/* statement_timeout fires only once, and the look has ended with that */
	if (look->overdue && ev_is_statement_over())
	{
		interrupt();
		CHECK_FOR_INTERRUPTS();
	}
	return error;
}

char *
ev_look_reason(const EvLook *look, const ErrorData *error)
{
	if (look->overdue)
		return psprintf("Reading its rows took longer than %g s.", look->milliseconds / 1000.0);
	if (!look->readable)
		return pstrdup("Its rows could not be read.  The error is shown only to roles that may read the table.");
	return psprintf("Its rows could not be read: %s", error->message);
}
