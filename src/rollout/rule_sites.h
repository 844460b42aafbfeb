/*
 * rule_sites.h
 *	  Row-level security policies and views WITH CHECK OPTION that validate events.
 */
#ifndef EV_RULE_SITES_H
#define EV_RULE_SITES_H

#include "rollout/usage_sites.h"

/*
 * Adds the policies and views whose conditions call check_event or validate_event,
 * outside of subqueries, directly or through a function (policies), to
 * search->sites.  Must be called after ev_find_sites().  Takes no lock on the tables.
 */
extern void ev_find_rule_sites(EvSearch *search);

/*
 * Returns the expressions of a site that is not a guard, of Node *, over the rows of
 * site->relation (Vars of varno 1), in CurrentMemoryContext; NIL if it no longer
 * exists.  Those of a policy or view can contain subqueries.  Raises
 * object_not_in_prerequisite_state if an expression reads a whole row of a table of
 * which site->relation is a partition or child.
 */
extern List *ev_site_expressions(const EvSite *site);

/* Returns the rule that makes a relation a view; InvalidOid if there is none. */
extern Oid	ev_rule_of_view(Oid view);

/* Returns the name of a policy, or its OID if it no longer exists. */
extern char *ev_security_policy_name(Oid policy);

#endif							/* EV_RULE_SITES_H */
