/*
 * update_check.h
 *	  Would an UPDATE that writes upcast events into their rows be refused?
 */
#ifndef EV_UPDATE_CHECK_H
#define EV_UPDATE_CHECK_H

#include "evolution/upcast_rows.h"
#include "storage/itemptr.h"

/* The constraints of a table, and of the tables below it. */
typedef struct EvUpdateCheck EvUpdateCheck;

/*
 * Makes a check for a table whose rows get a version.  `data` and `version` name columns,
 * as SQL or as they are.  In CurrentMemoryContext.  Raises insufficient_privilege if the
 * current user may not read all columns, or if row security applies.
 */
extern EvUpdateCheck *ev_update_check_make(Oid relation, const char *data, const char *version, int32 to);

/*
 * Checks valid results as new events of the rows at these locations.  A result whose row would
 * be refused gets a fault, and is marked as refused.  CHECK constraints, domains, generated columns and guards
 * are evaluated as the table's owner.  A table is left out if they call functions, unless the current
 * user has the owner's rights and the owner owns the domains that call them; unique keys, foreign keys and other
 * triggers are not.  Uses subtransactions, like ev_upgrade_run.
 */
extern void ev_update_check_run(EvUpdateCheck *check, const Oid *tables, const ItemPointerData * rows,
								EvUpgraded *results, int count);

#endif							/* EV_UPDATE_CHECK_H */
