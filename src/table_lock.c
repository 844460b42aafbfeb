/*
 * table_lock.c
 *	  Locks on tables that are in use, without keeping writers waiting for long.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "table_lock.h"

PG_FUNCTION_INFO_V1(ev_lock_event_table);

/* How long we wait for all locks together, in milliseconds, and how often we try */
#define WAIT	400
#define TRIES	20

/* How often we try where some of them are enough: for six seconds in all */
#define SOME_TRIES	8

/* After how many deadlocks we believe that letting go of our locks ends none */
#define DEADLOCKS	3

/* When an autovacuum is told to give way, in milliseconds */
#define GIVE_WAY	100

static void
set_option(const char *name, const char *value)
{
	set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * An autovacuum is told to give way when whoever waits for it looks for
 * deadlocks, which by default is after a second: too late for those who wait
 * for less.
 */
static void
look_for_deadlocks_after(int milliseconds)
{
	if (milliseconds < DeadlockTimeout)
		set_option("deadlock_timeout", psprintf("%d", Max(milliseconds, 1)));
}

/* Locks tables, and what they reach; by a time, if there is one. */
static void
lock_until(List *tables, LOCKMODE mode, TimestampTz deadline)
{
	ListCell   *cell;

	foreach(cell, tables)
	{
		List	   *members = list_make1_oid(lfirst_oid(cell));

		for (int i = 0; i < list_length(members); i++)
		{
			if (deadline != DT_NOEND)
				set_option("lock_timeout",
						   psprintf("%ld", Max(TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline), 1)));
			LockRelationOid(list_nth_oid(members, i), mode);
			/* none of them comes or goes once the table is locked */
			if (i == 0 && (mode == AccessExclusiveLock ||
						   get_rel_relkind(lfirst_oid(cell)) == RELKIND_PARTITIONED_TABLE))
				members = find_all_inheritors(lfirst_oid(cell), NoLock, NULL);
		}
		list_free(members);
	}
}

/* One go of ev_lock_tables; NULL, or the error that ended it, with nothing locked. */
static ErrorData *
try_lock_tables(List *tables, LOCKMODE mode, bool again)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		int			guc_level = NewGUCNestLevel();

		look_for_deadlocks_after(GIVE_WAY);
		/* whom we wait for is in the log once, where that is wanted */
		if (again)
			set_option("log_lock_waits", "off");
		lock_until(tables, mode, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), WAIT));
		AtEOXact_GUC(false, guc_level);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();

		/*
		 * whatever the error is: who catches it knows nothing of this
		 * subtransaction
		 */
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE &&
			error->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED)
			ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return error;
}

/* Waits, whatever else wakes us. */
static void
pause_for(int milliseconds)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), milliseconds);
	long		rest = milliseconds;

	while (rest > 0)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(rest, milliseconds), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		rest = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), until);
	}
}

void
ev_lock_tables(List *tables, LOCKMODE mode)
{
	ErrorData  *error;
	int			deadlocks = 0;

	if (LockTimeout > 0)
	{
		int			guc_level = NewGUCNestLevel();

		if (LockTimeout <= DeadlockTimeout)
			look_for_deadlocks_after(Min(LockTimeout / 2, GIVE_WAY));
		lock_until(tables, mode, DT_NOEND);
		AtEOXact_GUC(false, guc_level);
		return;
	}
	for (int tries = 1; (error = try_lock_tables(tables, mode, tries > 1)) != NULL; tries++)
	{
		/*
		 * A deadlock in which we have a part by the tables that were locked
		 * first has ended, for we let go of them.  One that comes again and
		 * again is with what the transaction holds from before.
		 */
		if (error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED && ++deadlocks == DEADLOCKS)
			ReThrowError(error);
		FreeErrorData(error);
		if (tries == TRIES)
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 list_length(tables) == 1 ?
					 errmsg("could not lock table \"%s\"", get_rel_name(linitial_oid(tables))) :
					 errmsg("could not lock all guarded tables"),
					 mode == AccessExclusiveLock ?
					 errdetail("Other transactions are using it, or one of its partitions or children, and do not end.") :
					 errdetail("Other transactions are writing to it, or to one of its partitions, and do not end."),
					 errhint("Try again when they have ended. With lock_timeout set, the call waits so long in one go, and all who come later wait behind it.")));
		pause_for(Min(tries, 10) * 100);
	}
}

/* Locks a table by a time; false where it could not be had. */
static bool
try_lock_table(Oid table, LOCKMODE mode, TimestampTz deadline)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool result = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		lock_until(list_make1_oid(table), mode, deadline);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE &&
			error->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED)
			ReThrowError(error);
		FreeErrorData(error);
		result = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return result;
}

/*
 * One go of ev_lock_some_tables: those that were locked, and those that were
 * not.  Keeps the locks where it has all of them, or where it is the last.
 */
static void
try_lock_some(List *tables, LOCKMODE mode, bool again, bool last, List **locked, List **busy)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	*locked = *busy = NIL;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		int			guc_level = NewGUCNestLevel();
		TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
														   LockTimeout > 0 ? Min(LockTimeout, WAIT) : WAIT);
		ListCell   *cell;

		look_for_deadlocks_after(GIVE_WAY);
		if (again)
			set_option("log_lock_waits", "off");
		foreach(cell, tables)
		{
			if (try_lock_table(lfirst_oid(cell), mode, deadline))
				*locked = lappend_oid(*locked, lfirst_oid(cell));
			else
				*busy = lappend_oid(*busy, lfirst_oid(cell));
		}
		AtEOXact_GUC(false, guc_level);
		if (*busy == NIL || last)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		/* as in try_lock_tables */
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
}

List *
ev_lock_some_tables(List *tables, LOCKMODE mode)
{
	TimestampTz start = GetCurrentTimestamp();
	List	   *locked;
	List	   *busy;

	for (int tries = 1;; tries++)
	{
		int			pause = tries * 100;
		bool		last = tries == SOME_TRIES ||
			(LockTimeout > 0 && TimestampDifferenceExceeds(start, GetCurrentTimestamp(), LockTimeout - WAIT));

		try_lock_some(tables, mode, tries > 1, last, &locked, &busy);
		if (busy == NIL || last)
			return locked;
		/* what was busy waits last, so that the others have their time */
		tables = list_concat(locked, busy);
		pause_for(pause);
	}
}

/* As regclass shows it, with its schema; or its OID, where it is gone. */
static char *
table_name(Oid table)
{
	char	   *name = get_rel_name(table);

	return name == NULL ? psprintf("%u", table) :
		quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), name);
}

/*
 * lock_event_table(relation regclass)
 *
 * Takes the lock that ALTER TABLE needs.  Raises insufficient_privilege unless
 * the caller owns the table, and what ev_lock_tables raises.
 */
Datum
ev_lock_event_table(PG_FUNCTION_ARGS)
{
	Oid			table = PG_GETARG_OID(0);
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	char		kind = '\0';
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		kind = ((Form_pg_class) GETSTRUCT(tuple))->relkind;
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	if (kind == RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is a foreign table: its rows are written elsewhere, where no check is asked",
						table_name(table))));
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is not a table", table_name(table))));
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s", table_name(table))));
	ev_lock_tables(list_make1_oid(table), AccessExclusiveLock);
	PG_RETURN_VOID();
}
