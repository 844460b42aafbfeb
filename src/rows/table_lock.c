/*
 * table_lock.c
 *	  Locks on tables in use, without delaying writers for long.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "base/hide_context.h"
#include "base/steady_time.h"
#include "base/subtransaction.h"
#include "base/table_members.h"
#include "rows/table_lock.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_lock_event_table);
PG_FUNCTION_INFO_V1(ev_share_event_relation);

/* How often to try, each time for EV_ATTEMPT_MS. */
#define TRIES	20

/*
 * How often to try if other tables are locked already: for a second in all, the
 * default of deadlock_timeout.
 */
#define BRIEF_TRIES	2

/* How often to try if some of the locks are enough: for six seconds in all. */
#define SOME_TRIES	8

/* After this number of deadlocks, releasing our locks does not end them. */
#define DEADLOCKS	3

/* The time after which an autovacuum is told to give way, in milliseconds. */
#define GIVE_WAY	100

static void
set_option(const char *name, const char *value)
{
	set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * An autovacuum is told to give way when the process that waits for it checks
 * for deadlocks.  The default of one second is longer than we wait.
 */
static void
look_for_deadlocks_after(int milliseconds)
{
	if (milliseconds < DeadlockTimeout)
		set_option("deadlock_timeout", psprintf("%d", Max(milliseconds, 1)));
}

/*
 * Locks tables and the tables that belong to them, until a time, if there is
 * one.  *at is the current table.
 */
static void
lock_until(List *tables, LOCKMODE mode, TimestampTz deadline, Oid *at)
{
	ListCell   *cell;

	foreach(cell, tables)
	{
		List	   *members = list_make1_oid(lfirst_oid(cell));

		*at = lfirst_oid(cell);
		for (int i = 0; i < list_length(members); i++)
		{
			if (deadline != DT_NOEND)
				set_option("lock_timeout",
						   psprintf("%ld", Max(TimestampDifferenceMilliseconds(ev_steady_time(), deadline), 1)));
			LockRelationOid(list_nth_oid(members, i), mode);
			/* none is added or removed while the table is locked */
			if (i == 0 && (mode == AccessExclusiveLock ||
						   get_rel_relkind(lfirst_oid(cell)) == RELKIND_PARTITIONED_TABLE))
				members = ev_table_members(lfirst_oid(cell));
		}
		list_free(members);
	}
}

/* One attempt of ev_lock_tables. */
typedef struct LockTry
{
	List	   *tables;
	LOCKMODE	mode;
	int			milliseconds;	/* for all of them */
	bool		again;			/* not the first attempt */
	Oid			at;				/* result: the table at which it ended */
} LockTry;

static void
lock_now(void *arg)
{
	LockTry    *try = (LockTry *) arg;
	int			guc_level = NewGUCNestLevel();

	look_for_deadlocks_after(GIVE_WAY);
	/* log lock waits only once */
	if (try->again)
		set_option("log_lock_waits", "off");
	lock_until(try->tables, try->mode, TimestampTzPlusMilliseconds(ev_steady_time(), try->milliseconds), &try->at);
	AtEOXact_GUC(false, guc_level);
}

/*
 * Does the error mean that a lock was not available?  Raises any other error
 * again.
 */
static bool
is_busy(ErrorData *error)
{
	if (error == NULL)
		return false;
	if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE &&
		error->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED)
		ReThrowError(error);
	return true;
}

/* Returns NULL, or the error that ended the attempt, with nothing locked. */
static ErrorData *
try_lock_tables(LockTry *try, EvKeep keep)
{
	ErrorData  *error = ev_in_subtransaction(lock_now, try, keep);

	return is_busy(error) ? error : NULL;
}

/* Waits, even if the latch is set. */
static void
pause_for(int milliseconds)
{
	TimestampTz until = TimestampTzPlusMilliseconds(ev_steady_time(), milliseconds);
	long		rest = milliseconds;

	while (rest > 0)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(rest, milliseconds), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		rest = TimestampDifferenceMilliseconds(ev_steady_time(), until);
	}
}

void
ev_lock_tables(List *tables, LOCKMODE mode)
{
	int			guc_level;
	Oid			at;

	if (LockTimeout == 0)
	{
		ev_lock_others_tables(tables, mode, false);
		return;
	}
	guc_level = NewGUCNestLevel();
	if (LockTimeout <= DeadlockTimeout)
		look_for_deadlocks_after(Min(LockTimeout / 2, GIVE_WAY));
	lock_until(tables, mode, DT_NOEND, &at);
	AtEOXact_GUC(false, guc_level);
}

static bool
lock_once(Oid table, LOCKMODE mode, int milliseconds, EvKeep keep)
{
	LockTry		try = {
		.tables = list_make1_oid(table), .mode = mode, .milliseconds = Max(Min(milliseconds, EV_ATTEMPT_MS), 1)
	};
	ErrorData  *error = try_lock_tables(&try, keep);

	if (error == NULL)
		return true;
	FreeErrorData(error);
	return false;
}

bool
ev_can_lock_table(Oid table, LOCKMODE mode, int milliseconds)
{
	return lock_once(table, mode, milliseconds, EV_LET_GO);
}

bool
ev_try_lock_table(Oid table, LOCKMODE mode, int milliseconds)
{
	return lock_once(table, mode, milliseconds, EV_KEEP);
}

bool
ev_share_table(Oid table)
{
	LockRelationOid(table, AccessShareLock);
	return get_rel_name(table) != NULL;
}

void
ev_lock_others_tables(List *tables, LOCKMODE mode, bool briefly)
{
	LockTry		try = {.tables = tables, .mode = mode, .milliseconds = EV_ATTEMPT_MS};
	ErrorData  *error;
	int			deadlocks = 0;

	for (int tries = 1; (error = try_lock_tables(&try, EV_KEEP)) != NULL; tries++)
	{
		try.again = true;

		/*
		 * If tables that were locked first caused the deadlock, it ends when
		 * they are unlocked.  One that happens repeatedly is caused by locks
		 * that the transaction held before.
		 */
		if (error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED && ++deadlocks == DEADLOCKS)
			ReThrowError(error);
		FreeErrorData(error);
		if (tries == (briefly ? BRIEF_TRIES : TRIES))
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 errmsg("could not lock table \"%s\"", get_rel_name(try.at)),
					 mode == AccessExclusiveLock ?
					 errdetail("Other transactions are using it, or one of its partitions or children, and do not end.") :
					 errdetail("Other transactions are writing to it, or to one of its partitions, and do not end."),
					 errhint("Try again when they have ended. With lock_timeout set, the call waits that long at once, and later transactions wait behind it.")));
		pause_for(Min(tries, 10) * 100);
	}
}

/* One table of ev_lock_some_tables. */
typedef struct OneLock
{
	Oid			table;
	LOCKMODE	mode;
	TimestampTz deadline;
} OneLock;

static void
lock_one(void *arg)
{
	OneLock    *one = (OneLock *) arg;
	Oid			at;

	lock_until(list_make1_oid(one->table), one->mode, one->deadline, &at);
}

/* The same, and frees the error. */
static bool
was_busy(ErrorData *error)
{
	bool		busy = is_busy(error);

	if (busy)
		FreeErrorData(error);
	return busy;
}

/* One attempt of ev_lock_some_tables. */
typedef struct SomeLocks
{
	List	   *tables;
	LOCKMODE	mode;
	bool		again;			/* not the first attempt */
	bool		last;			/* keep the locks that are available */
	List	   *locked;			/* result */
	List	   *busy;			/* result: tables that were not locked */
} SomeLocks;

/*
 * Raises lock_not_available, which releases all locks, if one is not
 * available.
 */
static void
lock_some(void *arg)
{
	SomeLocks  *some = (SomeLocks *) arg;
	int			guc_level = NewGUCNestLevel();
	TimestampTz deadline = TimestampTzPlusMilliseconds(ev_steady_time(),
													   LockTimeout > 0 ? Min(LockTimeout, EV_ATTEMPT_MS) : EV_ATTEMPT_MS);
	ListCell   *cell;

	look_for_deadlocks_after(GIVE_WAY);
	if (some->again)
		set_option("log_lock_waits", "off");
	foreach(cell, some->tables)
	{
		OneLock		one = {lfirst_oid(cell), some->mode, deadline};

		if (was_busy(ev_in_subtransaction(lock_one, &one, EV_KEEP)))
			some->busy = lappend_oid(some->busy, one.table);
		else
			some->locked = lappend_oid(some->locked, one.table);
	}
	AtEOXact_GUC(false, guc_level);
	if (some->busy != NIL && !some->last)
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("could not lock all tables")));
}

List *
ev_lock_some_tables(List *tables, LOCKMODE mode)
{
	TimestampTz start = ev_steady_time();

	for (int tries = 1;; tries++)
	{
		SomeLocks	some = {.tables = tables, .mode = mode, .again = tries > 1};

		some.last = tries == SOME_TRIES ||
			(LockTimeout > 0 && TimestampDifferenceExceeds(start, ev_steady_time(), LockTimeout - EV_ATTEMPT_MS));
		if (!was_busy(ev_in_subtransaction(lock_some, &some, EV_KEEP)))
			return some.locked;

		/*
		 * busy tables wait last, so that they do not use up the time of the
		 * others
		 */
		tables = list_concat(some.locked, some.busy);
		pause_for(tries * 100);
	}
}

/*
 * lock_event_table(relation regclass)
 *
 * Takes the lock that ALTER TABLE needs.  Raises insufficient_privilege unless
 * the caller owns the table, and the errors of ev_lock_tables().
 */
Datum
ev_lock_event_table(PG_FUNCTION_ARGS)
{
	Oid			table = PG_GETARG_OID(0);
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	char		kind = '\0';
	Oid			owner = InvalidOid;

	ev_hide_calling_statement();
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", table)));
	else
	{
		kind = ((Form_pg_class) GETSTRUCT(tuple))->relkind;
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	if (kind == RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is a foreign table: its rows are written on another server, which does not evaluate checks",
						ev_table_name(table))));
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is not a table", ev_table_name(table))));
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s", ev_table_name(table))));
	ev_lock_tables(list_make1_oid(table), AccessExclusiveLock);
	PG_RETURN_VOID();
}

/*
 * share_event_relation(relation regclass)
 *
 * Takes ACCESS SHARE, so that the types of columns stay as they are until a query
 * is built and run.  Raises an error if the caller has no privilege on the
 * relation.
 */
Datum
ev_share_event_relation(PG_FUNCTION_ARGS)
{
	relation_close(ev_open_with_any_privilege(PG_GETARG_OID(0)), NoLock);
	PG_RETURN_VOID();
}
