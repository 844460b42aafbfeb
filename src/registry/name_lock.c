/*
 * name_lock.c
 *	  Locks on the names of registered functions.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_language.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/inval.h"

#include "base/compat.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"

/* A transaction that locks more names tries to lock all names at once. */
#define MANY_LOCKS	256

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
static bool
lock_all_names(bool alone)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, LanguageRelationId, ev_language_oid(), 1);
	return LockAcquire(&tag, alone ? ShareRowExclusiveLock : RowExclusiveLock, false, alone) !=
		LOCKACQUIRE_NOT_AVAIL;
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
	if (count <= MANY_LOCKS || !has_privs_of_role(GetUserId(), ROLE_PG_DATABASE_OWNER) || !lock_all_names(true))
	{
		lock_all_names(false);
		set_name_tag(&tag, name);
		LockAcquire(&tag, mode, false, false);
	}
	AcceptInvalidationMessages();
}

void
ev_type_lock(const char *type, int length)
{
	NameData	name;

	/* a type too long for a policy is locked by its own name */
	ev_name_lock(ev_policy_name(type, length, &name) ? NameStr(name) : pnstrdup(type, length), ExclusiveLock);
}
