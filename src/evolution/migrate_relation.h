/*
 * migrate_relation.h
 *	  The requirements of migrate_events: rights on a table, and writable columns.
 */
#ifndef EV_MIGRATE_RELATION_H
#define EV_MIGRATE_RELATION_H

#include "access/attnum.h"
#include "utils/rel.h"

/*
 * Raises insufficient_privilege where the current user may not read and update
 * a table, or some of its columns.  It needs no lock: it is asked before the
 * table is locked, and again when it is.  A table that is gone is let through.
 */
extern void ev_migrate_check_rights(Oid table);

/*
 * The same for a table and all below it, so that a call that cannot do all of
 * its work does none; for a partitioned table only for what is below it, if
 * anything is.
 */
extern void ev_migrate_check_all_rights(Oid table);

/* Raises insufficient_privilege where row security would hide rows. */
extern void ev_migrate_check_row_security(Oid table);

/* Is one of two columns part of a partition key above a table? */
extern bool ev_migrate_is_partition_key(Oid table, const char *data, const char *version);

/*
 * The column of this name, written as it is or as in SQL; InvalidAttrNumber
 * where there is none.
 */
extern AttrNumber ev_migrate_find_column(Relation relation, const char *text);

/* Is a column of the type that its part of the event, data or version, needs? */
extern bool ev_migrate_is_of_type(Relation relation, AttrNumber number, bool is_data);

/* Raises datatype_mismatch where it is not, or invalid_column_reference where it is generated. */
extern void ev_migrate_check_column(Relation relation, AttrNumber number, bool is_data);

/*
 * The name of the column that a text says, in CurrentMemoryContext.  Raises
 * undefined_column, and as ev_migrate_check_column.
 */
extern char *ev_migrate_resolve_column(Relation relation, const char *text, bool is_data);

#endif							/* EV_MIGRATE_RELATION_H */
