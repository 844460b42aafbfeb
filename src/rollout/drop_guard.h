/*
 * drop_guard.h
 *	  Prevents drops of schema versions that rows need.
 */
#ifndef EV_DROP_GUARD_H
#define EV_DROP_GUARD_H

#include "nodes/pg_list.h"

/* A schema version, in the server encoding. */
typedef struct EvVersion
{
	char	   *type;
	int32		version;
	Oid			function;		/* the dropped one; InvalidOid: not known */
} EvVersion;

/*
 * Raises dependent_objects_still_exist if a row of an enforced table has one
 * of these versions (a list of EvVersion *), which this transaction is
 * dropping, or if that cannot be decided.  A table is enforced if it has a
 * guard in any mode, or if it or the domain of a column has a CHECK constraint
 * that calls check_event or validate_event of the extension, directly or
 * through a function.
 *
 * Keeps no lock.  If the versions are still not registered when the
 * transaction commits, or are registered with other answers, the tables are
 * locked against writers and searched again.  This raises the same error,
 * lock_not_available if writers do not finish, and feature_not_supported at
 * PREPARE TRANSACTION.
 */
extern void ev_enforcement_check_unused(List *versions);

/*
 * While this is set, the drop of this version is forced: for tables of other
 * roles, a WARNING replaces the error.  Raises insufficient_privilege unless
 * the user is the owner of the database, or a superuser.
 */
extern const EvVersion *ev_enforcement_forced;
extern void ev_enforcement_require_force(void);

#endif							/* EV_DROP_GUARD_H */
