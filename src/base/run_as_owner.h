/*
 * run_as_owner.h
 *	  Running code of another role with that role's rights.
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
 * From here on the current user is this role, in a security-restricted
 * operation, search_path is pg_catalog, and what is set is set until the end,
 * as PostgreSQL has it for the functions of an index.
 *
 * Begin and end must be in the same subtransaction.  An error that ends one
 * restores all; who catches an error without that must call ev_run_as_end.
 * May be used in parallel workers.
 */
extern void ev_run_as_begin(EvRunAs *state, Oid owner);
extern void ev_run_as_end(const EvRunAs *state);

#endif							/* EV_RUN_AS_OWNER_H */
