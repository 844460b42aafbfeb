/*
 * name_lock.c
 *	  Locks on the names of registered functions.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/resowner.h"

#include "base/compat.h"
#include "base/subtransaction.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"

/* A transaction that locks more names tries to lock all names at once. */
#define MANY_LOCKS	256

/* How long to wait for a lock, in milliseconds, if lock_timeout is not set */
#define NAME_WAIT	5000

/* ---------- waiting ---------- */

typedef struct LockWait
{
	const LOCKTAG *tag;
	LOCKMODE	mode;
} LockWait;

static void
wait_for_lock(void *arg)
{
	const LockWait *wait = (const LockWait *) arg;
	int			guc_level = NewGUCNestLevel();

	set_config_option("lock_timeout", psprintf("%d", NAME_WAIT), PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	(void) LockAcquire(wait->tag, wait->mode, false, false);
	AtEOXact_GUC(false, guc_level);
}

/*
 * The lock belongs to the transaction's resource owner now, and the caller
 * releases it with its own.
 */
static void
give_to_caller(const LockWait *wait)
{
	ResourceOwner owner = CurrentResourceOwner;

	(void) LockAcquire(wait->tag, wait->mode, false, false);
	CurrentResourceOwner = CurTransactionResourceOwner;
	LockRelease(wait->tag, wait->mode, false);
	CurrentResourceOwner = owner;
}

/* Returns a sentence about the holder of a conflicting lock; NULL if there is none any more. */
static char *
lock_holder(const LockWait *wait)
{
	int			count;
	VirtualTransactionId *holders = GetLockConflicts(wait->tag, wait->mode, &count);
	PGPROC	   *proc;
	char	   *role;

	if (count == 0)
		return NULL;
	proc = EV_VXID_PROC(holders[0]);
	if (proc == NULL || EV_PROC_TRANSACTION(proc) != holders[0].localTransactionId)
		return pstrdup("A prepared transaction uses it (pg_prepared_xacts), or one that has just ended.");
	role = GetUserNameFromId(proc->roleId, true);
	return role != NULL ? psprintf("Process %d of role \"%s\" uses it in a transaction that has not ended.",
								   proc->pid, role) : NULL;
}

/*
 * Waits only for a limited time.  Otherwise, a role could refer to a name in a
 * transaction and keep it open, and the owner of the name would wait for it.
 */
static void
acquire(const LOCKTAG *tag, LOCKMODE mode, const char *name)
{
	LockWait	wait = {tag, mode};
	ErrorData  *error;
	char	   *holder;

	if (LockAcquire(tag, mode, false, true) != LOCKACQUIRE_NOT_AVAIL)
		return;
	if (LockTimeout > 0)
	{
		(void) LockAcquire(tag, mode, false, false);
		return;
	}
	error = ev_in_subtransaction(wait_for_lock, &wait, EV_KEEP);
	if (error == NULL)
	{
		give_to_caller(&wait);
		return;
	}
	if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		ReThrowError(error);
	holder = lock_holder(&wait);
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("could not lock \"%s\" within %d seconds", name, NAME_WAIT / 1000),
			 holder != NULL ? errdetail_internal("%s", holder) : 0,
			 errhint("Try again when that transaction has ended, or end it with pg_terminate_backend. With lock_timeout set, the call waits that long.")));
}

/* ---------- names ---------- */

/*
 * Locks a name as a sub-object of the class of languages, since languages have
 * no sub-objects.  Names are distinguished by 47 bits of a hash.
 */
static void
set_name_tag(LOCKTAG *tag, const char *name)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) name, strlen(name), 0);

	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, LanguageRelationId, (uint32) hash,
					   (uint16) ((hash >> 32) | 0x8000));
}

/*
 * Locks all names at once.  Each transaction that locks a name takes this lock
 * in a shared mode.  A transaction with many names takes it in an exclusive
 * mode instead, so that it does not fill the lock table: only if no other
 * transaction has locked a name, and only with the rights of the database's
 * owner, since it blocks all others.
 */
static void
set_all_names_tag(LOCKTAG *tag)
{
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, LanguageRelationId, ev_language_oid(), 1);
}

static bool
lock_all_names(void)
{
	LOCKTAG		tag;

	set_all_names_tag(&tag);
	return LockAcquire(&tag, ShareRowExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

static void
share_all_names(void)
{
	LOCKTAG		tag;

	set_all_names_tag(&tag);
	acquire(&tag, RowExclusiveLock, EV_SCHEMA_NAMESPACE);
}

void
ev_name_lock(const char *name, LOCKMODE mode)
{
	static LocalTransactionId transaction = InvalidLocalTransactionId;
	static int	count;
	LOCKTAG		tag;

	if (!OidIsValid(ev_namespace_oid()) || !OidIsValid(ev_language_oid()))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist", EV_SCHEMA_NAMESPACE)));
	if (transaction != EV_LOCAL_TRANSACTION)
	{
		transaction = EV_LOCAL_TRANSACTION;
		count = 0;
	}
	count++;
	if (count <= MANY_LOCKS || !has_privs_of_role(GetUserId(), ROLE_PG_DATABASE_OWNER) || !lock_all_names())
	{
		share_all_names();
		set_name_tag(&tag, name);
		acquire(&tag, mode, name);
	}
	AcceptInvalidationMessages();
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	const EvNameToLock *x = lfirst(a);
	const EvNameToLock *y = lfirst(b);
	int			order = strcmp(x->name, y->name);

	/* the stronger mode first */
	return order != 0 ? order : (int) y->mode - (int) x->mode;
}

void
ev_names_lock(List *names)
{
	const char *last = NULL;
	ListCell   *cell;

	list_sort(names, compare_names);
	foreach(cell, names)
	{
		const EvNameToLock *lock = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (last == NULL || strcmp(lock->name, last) != 0)
			ev_name_lock(lock->name, lock->mode);
		last = lock->name;
	}
}

void
ev_type_lock(const char *type, int length)
{
	NameData	name;

	/* a string that cannot be a type is locked by itself */
	ev_name_lock(ev_policy_name(type, length, &name) ? NameStr(name) : pnstrdup(type, length), ExclusiveLock);
}

void
ev_function_lock(Oid function, LOCKMODE mode, const char *name)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ProcedureRelationId, function, 0);
	acquire(&tag, mode, name);
	AcceptInvalidationMessages();
}
