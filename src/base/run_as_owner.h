/*
 * run_as_owner.h
 *	  Running what another role wrote as that role.
 */
#ifndef EV_RUN_AS_OWNER_H
#define EV_RUN_AS_OWNER_H

#include "postgres_ext.h"

/* What was before; belongs to the caller. */
typedef struct EvRunAs
{
	Oid			user;
	int			security;
	int			guc_level;
} EvRunAs;

/*
 * From here on the current user is this role, with these bits (SECURITY_...)
 * added to the security context and search_path set to pg_catalog.  Settings
 * that are changed go back at the end, as for the functions of an index.
 *
 * Begin and end must be in the same subtransaction.  An error that ends it
 * restores everything; code that catches an error without that must call
 * ev_run_as_end.  May be used in parallel workers.
 */
extern void ev_run_as_begin(EvRunAs *state, Oid owner, int security);

/* The same with the session's search_path. */
extern void ev_run_as_begin_with_path(EvRunAs *state, Oid owner, int security);

extern void ev_run_as_end(const EvRunAs *state);

#endif							/* EV_RUN_AS_OWNER_H */
