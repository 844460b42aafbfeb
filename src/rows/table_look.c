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

#include "base/run_as_owner.h"
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

ErrorData *
ev_look(EvLook *look)
{
	look->readable = ev_may_read_all(look->relation, look->user);
	return ev_in_limited_time(look_as_owner, look, EV_LET_GO, look->milliseconds, &look->overdue);
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
