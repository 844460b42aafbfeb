/*
 * table_rights.h
 *	  The rights of a role on a table, checked before the table is locked.
 */
#ifndef EV_TABLE_RIGHTS_H
#define EV_TABLE_RIGHTS_H

#include "nodes/parsenodes.h"
#include "utils/rel.h"

/*
 * Raises undefined_table if the relation does not exist, and
 * insufficient_privilege if the current user has no privilege on it or its
 * columns.  Takes no lock.
 */
extern void ev_require_any_privilege(Oid relation);

/*
 * Opens a relation with ACCESS SHARE, and raises the same errors.  Also where it is
 * dropped while the lock is awaited.
 */
extern Relation ev_open_with_any_privilege(Oid relation);

/*
 * May the role read all rows of a table, by a privilege on it or on a table of
 * which it is a partition?
 */
extern bool ev_may_read_all(Oid relation, Oid role);

/*
 * Does the table belong to the role, or to a role that it is a member of?
 * Memberships count only if superusers or the database's owner have granted them:
 * a role with ADMIN OPTION on another role could grant it to any role.  A
 * superuser's own tables are those of superusers and of the database's owner.
 */
extern bool ev_is_own_table(Oid relation, Oid role);

/* The same for the tables of an owner. */
extern bool ev_is_own_role(Oid owner, Oid role);

/* Returns the owner; InvalidOid if the table no longer exists. */
extern Oid	ev_table_owner(Oid relation);

/*
 * Does only this role, with roles that have its rights, have a privilege on a
 * table and on the tables of which it is a partition?
 */
extern bool ev_only_owner_has(Oid relation, Oid role, AclMode privilege);

/* Returns the topmost table of which a table is a partition. */
extern Oid	ev_top_table(Oid relation);

/* Returns the direct parents of a relation by inheritance, or of a partition. */
extern List *ev_parents(Oid relation);

/*
 * Returns "schema.table" like regclass, or the OID if the table no longer
 * exists.
 */
extern char *ev_table_name(Oid relation);

/* Returns the owner of the database. */
extern Oid	ev_database_owner(void);

#endif							/* EV_TABLE_RIGHTS_H */
