/*
 * table_rights.h
 *	  What a role may do with a table, asked before the table is locked.
 */
#ifndef EV_TABLE_RIGHTS_H
#define EV_TABLE_RIGHTS_H

#include "nodes/parsenodes.h"

/*
 * Raises undefined_table where there is no such relation, and
 * insufficient_privilege where the current user has no privilege at all on it
 * or its columns.  Takes no lock.
 */
extern void ev_require_any_privilege(Oid relation);

/*
 * May the role see all rows of a table, itself or as part of the table that it
 * is a partition of?
 */
extern bool ev_may_read_all(Oid relation, Oid role);

/*
 * Does the table belong to the role, or to one that it is a member of?  Only
 * memberships count that superusers or the database's owner have granted: a role
 * with ADMIN OPTION on another could make that one's tables anybody's.  A superuser's
 * are those of superusers and of the database's owner: the others
 * are in nobody's hands but their owners'.
 */
extern bool ev_is_own_table(Oid relation, Oid role);

/* Who owns it; InvalidOid where it is gone. */
extern Oid	ev_table_owner(Oid relation);

/*
 * Is a role, with those that have its rights, all who have a privilege on a
 * table and on the tables that it is a partition of?
 */
extern bool ev_only_owner_has(Oid relation, Oid role, AclMode privilege);

/* The table that a partition's rows count for: the top one. */
extern Oid	ev_top_table(Oid relation);

/* "schema.table" as regclass shows it; or the OID, where it is gone. */
extern char *ev_table_name(Oid relation);

/* The owner of the database. */
extern Oid	ev_database_owner(void);

#endif							/* EV_TABLE_RIGHTS_H */
