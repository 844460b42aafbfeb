/*
 * version_rows.h
 *	  Finds the rows that have a type and version, at a usage site.
 *
 * A row has the version that a call of check_event in its table's constraint,
 * or its guard, reads from it, whatever else the constraint says.
 */
#ifndef EV_VERSION_ROWS_H
#define EV_VERSION_ROWS_H

#include "rollout/usage_sites.h"
#include "rows/stored_query.h"

/*
 * Does a row at the site have one of search->versions?  Returns the version,
 * or NULL.  Must be called as the work of ev_look().  Raises errors of the
 * table's expressions if there is no answer without them.
 */
extern EvVersion *ev_version_in_rows(const EvSite *site, const EvSearch *search);

/*
 * Returns SQL for the version that an expression gives, as bigint: NULL
 * instead of an error if it is a cast of text that is not a number.  Adds the
 * expression to the query.
 */
extern char *ev_soft_version(Node *version, EvStoredQuery *query);

/*
 * Returns the expressions that a guard reads from a row, in
 * CurrentMemoryContext; false if the guard no longer exists.  The search_path
 * must be pinned.
 */
extern bool ev_guarded_operands(const EvSite *site, Node **type, Node **version);

#endif							/* EV_VERSION_ROWS_H */
