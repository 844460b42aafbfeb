/*
 * table_look.c
 *	  Reads the rows of another role's table safely, whatever its expressions
 *	  do.
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
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/run_as_owner.h"
#include "base/steady_time.h"
#include "base/time_limit.h"
#include "rows/table_look.h"
#include "rows/table_rights.h"

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

/* The least time for a table, in milliseconds. */
#define LEAST_TIME	10

typedef struct LookTime
{
	Oid			owner;
	int			used;			/* milliseconds */
} LookTime;

static LookTime *
find_look_time(EvOwnerTimes *times, Oid owner)
{
	LookTime   *time;
	ListCell   *cell;

	foreach(cell, times->owners)
		if (((LookTime *) lfirst(cell))->owner == owner)
		return lfirst(cell);
	time = palloc0(sizeof(LookTime));
	time->owner = owner;
	times->owners = lappend(times->owners, time);
	return time;
}

ErrorData *
ev_look(EvLook *look)
{
	LookTime   *time = NULL;
	TimestampTz start = ev_steady_time();
	int			milliseconds = look->milliseconds;
	ErrorData  *error;

	look->readable = ev_may_read_all(look->relation, look->user);
	if (look->times != NULL && milliseconds > 0)
	{
		time = find_look_time(look->times, ev_table_owner(look->relation));
		milliseconds = Min(milliseconds, Max(look->times->most - time->used, LEAST_TIME));
	}
	look->used_up = milliseconds < look->milliseconds;
	error = ev_in_limited_time(look_as_owner, look, EV_LET_GO, milliseconds, &look->overdue);
	if (time != NULL)
		time->used += (int) Min(TimestampDifferenceMilliseconds(start, ev_steady_time()), look->times->most);
	return error;
}

char *
ev_look_reason(const EvLook *look, const ErrorData *error)
{
	if (look->overdue && look->used_up)
		return psprintf("Reading the tables of its owner took longer than %g s.", look->times->most / 1000.0);
	if (look->overdue)
		return psprintf("Reading its rows took longer than %g s.", look->milliseconds / 1000.0);
	if (!look->readable)
		return pstrdup("Its rows could not be read.  The error is shown only to roles that may read the table.");
	return psprintf("Its rows could not be read: %s", error->message);
}
