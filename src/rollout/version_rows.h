/*
 * version_rows.h
 *	  The rows that carry a type and version, where a site of the catalog says
 *	  which those are.
 *
 * A row carries the version that a call of check_event in its table's
 * constraint, or its guard, reads from it: whatever else the constraint says.
 */
#ifndef EV_VERSION_ROWS_H
#define EV_VERSION_ROWS_H

#include "rollout/usage_sites.h"

/*
 * Is there a row at the site that carries one of search->versions?  Gives it,
 * or NULL.  To be called as ev_look calls its work.  Raises what the table's
 * expressions raise, where it cannot tell without them.
 */
extern EvVersion *ev_version_in_rows(const EvSite *site, const EvSearch *search);

/*
 * SQL for the version that an expression gives, as bigint: NULL, instead of an
 * error, where it is a cast of a text that is no number.
 */
extern char *ev_soft_version(Node *version, List *context);

/*
 * What a guard reads from a row, in CurrentMemoryContext; false where the guard
 * is gone.  The search_path must be pinned.
 */
extern bool ev_guarded_operands(const EvSite *site, Node **type, Node **version);

#endif							/* EV_VERSION_ROWS_H */
