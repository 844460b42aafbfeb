/*
 * run_as_owner.h
 *	  Running code of another role with that role's rights.
 */
#ifndef EV_RUN_AS_OWNER_H
#define EV_RUN_AS_OWNER_H

#include "postgres_ext.h"

/* The search_path for code that must mean the same for all callers. */
#define EV_PINNED_SEARCH_PATH	"pg_catalog, pg_temp"

/*
 * Sets search_path to that until the end of the current GUC nesting level
 * (NewGUCNestLevel).
 */
extern void ev_pin_search_path(void);

/* The state before, owned by the caller. */
typedef struct EvRunAs
{
	Oid			user;
	int			security;
	int			guc_level;
} EvRunAs;

/*
 * Makes this role the current user, adds these bits (SECURITY_...) to the
 * security context, and sets search_path to pg_catalog.  Changed settings are
 * restored at the end, as for functions in an index.
 *
 * Begin and end must be in the same subtransaction.  An error that ends this
 * subtransaction restores everything.  Code that catches an error without
 * ending it must call ev_run_as_end().  May be used in parallel workers.
 */
extern void ev_run_as_begin(EvRunAs *state, Oid owner, int security);

/* The same, but with the session's search_path. */
extern void ev_run_as_begin_with_path(EvRunAs *state, Oid owner, int security);

extern void ev_run_as_end(const EvRunAs *state);

#endif							/* EV_RUN_AS_OWNER_H */
