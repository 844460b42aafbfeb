/*
 * site_authors.h
 *	  Whose code the expressions of a table run.
 */
#ifndef EV_SITE_AUTHORS_H
#define EV_SITE_AUTHORS_H

#include "rollout/usage_sites.h"

/*
 * Raises an error if another role than the owner of its table may have written the
 * expressions of a site: one that may add triggers to the table, or that owns the
 * domain, or the table that has the policy.  Parsing or evaluating them would run its code with the owner's rights.
 */
extern void ev_site_require_author(const EvSite *site);

/* The same for expressions that are parsed, unless they only compute. */
extern void ev_site_require_trusted(const EvSite *site, const EvSearch *search, List *expressions);

/*
 * May the expressions of a table, and the domains of some columns, be evaluated as its
 * owner, for the current user?  They may if they only compute.  Otherwise the user
 * must have the owner's rights, and no domain of another role may call functions.
 */
extern bool ev_may_run_as_owner(List *expressions, const Oid *types, int count, Oid owner);

#endif							/* EV_SITE_AUTHORS_H */
