/*
 * drop_guard.h
 *	  Keeps the schema versions that rows need.
 */
#ifndef EV_DROP_GUARD_H
#define EV_DROP_GUARD_H

#include "nodes/pg_list.h"

/* A schema version, in the server encoding. */
typedef struct EvVersion
{
	char	   *type;
	int32		version;
} EvVersion;

/*
 * Raises dependent_objects_still_exist where a row of an enforced table
 * carries one of these versions (a list of EvVersion *), which are being
 * dropped by this transaction, or where that cannot be told.  Enforced is a
 * table with a CHECK constraint, or a column of a domain with one, that calls
 * check_event or validate_event of the extension, or a function that does; and a table with a guard, whatever
 * its mode.
 *
 * Keeps no lock.  When the transaction commits, and the versions are still not
 * registered, the tables are locked against writers and looked at again: that
 * raises the same, lock_not_available where writers do not end, and
 * feature_not_supported at PREPARE TRANSACTION.
 */
extern void ev_enforcement_check_unused(List *versions);

/*
 * A version whose drop is forced while this is set: a table that is not the
 * user's own is passed with a WARNING.  Raises insufficient_privilege unless
 * the user is the owner of the database, or a superuser.
 */
extern const EvVersion *ev_enforcement_forced;
extern void ev_enforcement_require_force(void);

#endif							/* EV_DROP_GUARD_H */
