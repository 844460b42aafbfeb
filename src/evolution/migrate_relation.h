/*
 * migrate_relation.h
 *	  The requirements of migrate_events: rights on a table, and writable columns.
 */
#ifndef EV_MIGRATE_RELATION_H
#define EV_MIGRATE_RELATION_H

#include "access/attnum.h"
#include "utils/rel.h"

/*
 * Raises insufficient_privilege if the current user may not read and update a
 * table, or some of its columns.  Needs no lock: it is called before the table
 * is locked, and again afterwards.  Raises nothing for a table that does not
 * exist.
 */
extern void ev_migrate_check_rights(Oid table);

/*
 * The same for a table and all tables below it.  So a call that cannot migrate
 * all of them migrates none.  For a partitioned table with partitions, only
 * these are checked.
 */
extern void ev_migrate_check_all_rights(Oid table);

/* Raises insufficient_privilege if row security would hide rows. */
extern void ev_migrate_check_row_security(Oid table);

/* Is one of two columns part of a partition key of the table or a parent? */
extern bool ev_migrate_is_partition_key(Oid table, const char *data, const char *version);

/*
 * Returns the column of this name, plain or quoted as in SQL;
 * InvalidAttrNumber if there is none.
 */
extern AttrNumber ev_migrate_find_column(Relation relation, const char *text);

/*
 * Does a column have the type that its part of the event (data or version)
 * needs?
 */
extern bool ev_migrate_is_of_type(Relation relation, AttrNumber number, bool is_data);

/*
 * Raises datatype_mismatch if it does not, or invalid_column_reference if it
 * is generated.
 */
extern void ev_migrate_check_column(Relation relation, AttrNumber number, bool is_data);

/*
 * Returns the name of the column in a text, in CurrentMemoryContext.  Raises
 * undefined_column, and the errors of ev_migrate_check_column.
 */
extern char *ev_migrate_resolve_column(Relation relation, const char *text, bool is_data);

#endif							/* EV_MIGRATE_RELATION_H */
