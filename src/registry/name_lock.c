/*
 * name_lock.c
 *	  Locks on the names of registered functions.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_control.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "base/compat.h"
#include "base/subtransaction.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"

/* A transaction that locks more names tries to lock all names at once. */
#define MANY_LOCKS	256

/*
 * The maximum number of locks on names and functions in a transaction.  The lock
 * table of the server has place for some thousands, and whoever fills it makes the
 * commands of all others fail.  The owner of the database locks all names at once
 * instead; others get an error.
 */
#define MOST_LOCKS	2048

/* How long to wait for a lock, in milliseconds, if lock_timeout is not set */
#define NAME_WAIT	5000

/* ---------- the number of locks ---------- */

/* Locks that a (sub)transaction took, and those that its committed subtransactions took. */
typedef struct LockCount
{
	int			level;			/* GetCurrentTransactionNestLevel */
	int			count;
	struct LockCount *outer;
} LockCount;

/* Of the transaction, in its context; the innermost level first */
static LockCount *lock_counts = NULL;
static LocalTransactionId counted_transaction = InvalidLocalTransactionId;

static bool
is_counted(void)
{
	return lock_counts != NULL && counted_transaction == EV_LOCAL_TRANSACTION;
}

/* A subtransaction's locks become those of its parent, or are released. */
static void
at_subtransaction_end(SubXactEvent event, SubTransactionId mine pg_attribute_unused(),
					  SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	int			level = GetCurrentTransactionNestLevel();

	if (!is_counted() || (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB))
		return;
	while (lock_counts != NULL && lock_counts->level >= level)
	{
		LockCount  *ended = lock_counts;
		LockCount  *outer = ended->outer;

		if (event == SUBXACT_EVENT_ABORT_SUB)
			lock_counts = outer;
		else if (outer != NULL && outer->level >= level - 1)
		{
			outer->count += ended->count;
			lock_counts = outer;
		}
		else
		{
			ended->level = level - 1;
			break;
		}
	}
}

static void
count_locks(int difference)
{
	static bool is_registered = false;
	int			level = GetCurrentTransactionNestLevel();

	if (!is_registered)
		RegisterSubXactCallback(at_subtransaction_end, NULL);
	is_registered = true;
	if (!is_counted())
		lock_counts = NULL;
	counted_transaction = EV_LOCAL_TRANSACTION;
	if (lock_counts == NULL || lock_counts->level != level)
	{
		LockCount  *inner = MemoryContextAllocZero(TopTransactionContext, sizeof(LockCount));

		inner->level = level;
		inner->outer = lock_counts;
		lock_counts = inner;
	}
	lock_counts->count += difference;
}

static int
locks_held(void)
{
	int			sum = 0;

	if (is_counted())
		for (const LockCount *count = lock_counts; count != NULL; count = count->outer)
			sum += count->count;
	return sum;
}

static void
refuse_more_locks(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a transaction of role \"%s\" cannot lock more than %d names of schemas",
					GetUserNameFromId(GetUserId(), false), MOST_LOCKS),
			 errdetail("They would fill the lock table, which all sessions of the server share."),
			 errhint("Register the schemas in several transactions, or as the owner of the database, for which all names are locked at once.")));
}

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
	if (LockAcquire(wait->tag, wait->mode, false, false) == LOCKACQUIRE_OK)
		count_locks(1);
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
	LockAcquireResult result;
	ErrorData  *error;
	char	   *holder;

	result = LockAcquire(tag, mode, false, true);
	if (result == LOCKACQUIRE_NOT_AVAIL && LockTimeout > 0)
		result = LockAcquire(tag, mode, false, false);
	if (result != LOCKACQUIRE_NOT_AVAIL)
	{
		if (result == LOCKACQUIRE_OK)
			count_locks(1);
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
 * no sub-objects.  Names are distinguished by 47 bits of a hash.  It begins with a
 * secret of the server, so that nobody can look for a name whose lock is that of
 * another one, and keep it.
 */
static void
set_name_tag(LOCKTAG *tag, const char *name)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	StringInfoData secret;
	uint32		object;
	uint16		part;

	initStringInfo(&secret);
	appendBinaryStringInfo(&secret, GetMockAuthenticationNonce(), MOCK_AUTH_NONCE_LEN);
	appendStringInfoString(&secret, name);
	ev_sha256(secret.data, secret.len, digest);
	pfree(secret.data);
	memcpy(&object, digest, sizeof(object));
	memcpy(&part, digest + sizeof(object), sizeof(part));
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, LanguageRelationId, object, (uint16) (part | 0x8000));
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

/* Returns false if others have locked names; with wait, waits for them as long as for a name. */
static bool
lock_all_names(bool wait)
{
	LOCKTAG		tag;

	set_all_names_tag(&tag);
	if (LockAcquire(&tag, ShareRowExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL)
		return true;
	if (wait)
		acquire(&tag, ShareRowExclusiveLock, EV_SCHEMA_NAMESPACE);
	return wait;
}

static void
share_all_names(void)
{
	LOCKTAG		tag;

	set_all_names_tag(&tag);
	acquire(&tag, RowExclusiveLock, EV_SCHEMA_NAMESPACE);
}

/* Locks all names instead of another one, if the transaction has locked, or will lock, so many. */
static bool
lock_all_instead(int count)
{
	if (count < MANY_LOCKS)
		return false;
	if (has_privs_of_role(GetUserId(), ROLE_PG_DATABASE_OWNER))
		return lock_all_names(count >= MOST_LOCKS);
	if (count >= MOST_LOCKS)
		refuse_more_locks();
	return false;
}

static void
require_namespace(void)
{
	if (!OidIsValid(ev_namespace_oid()) || !OidIsValid(ev_language_oid()))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist", EV_SCHEMA_NAMESPACE)));
}

void
ev_name_lock(const char *name, LOCKMODE mode)
{
	LOCKTAG		tag;

	require_namespace();
	set_name_tag(&tag, name);
	if (!lock_all_instead(locks_held()))
	{
		share_all_names();
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
	int			count = 0;
	ListCell   *cell;

	list_sort(names, compare_names);
	foreach(cell, names)
	{
		const EvNameToLock *lock = lfirst(cell);

		if (last == NULL || strcmp(lock->name, last) != 0)
			count++;
		last = lock->name;
	}
	if (count == 0)
		return;
	require_namespace();
	/* look before the first lock whether there are too many */
	if (lock_all_instead(locks_held() + count))
	{
		AcceptInvalidationMessages();
		return;
	}
	last = NULL;
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

static void
set_function_tag(LOCKTAG *tag, Oid function)
{
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, ProcedureRelationId, function, 0);
}

/* The function that was locked last, unless the transaction had locked it before */
static Oid	counted_function = InvalidOid;

void
ev_function_lock(Oid function, LOCKMODE mode, const char *name)
{
	LOCKTAG		tag;
	int			before = locks_held();

	if (before >= MOST_LOCKS && !has_privs_of_role(GetUserId(), ROLE_PG_DATABASE_OWNER))
		refuse_more_locks();
	set_function_tag(&tag, function);
	acquire(&tag, mode, name);
	counted_function = locks_held() > before ? function : InvalidOid;
	AcceptInvalidationMessages();
}

void
ev_function_unlock(Oid function, LOCKMODE mode)
{
	LOCKTAG		tag;

	set_function_tag(&tag, function);
	LockRelease(&tag, mode, false);
	if (function == counted_function)
		count_locks(-1);
	counted_function = InvalidOid;
}
