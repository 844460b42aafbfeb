/*
 * run_as_owner.c
 *	  Running what another role wrote as that role.
 *
 * Otherwise the author of a function that others run without knowing it would
 * have the rights of them all.  In a security-restricted operation the function
 * cannot leave something behind that runs as the caller later: no deferred
 * trigger, no temporary table, no cursor that outlives it, no prepared
 * statement, no other role.  Settings go back at the end.  The fixed
 * search_path gives the owner's code one meaning for all callers.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/guc.h"

#include "base/run_as_owner.h"

void
ev_run_as_begin_with_path(EvRunAs *state, Oid owner, int security)
{
	GetUserIdAndSecContext(&state->user, &state->security);
	SetUserIdAndSecContext(owner, state->security | security);
	state->guc_level = NewGUCNestLevel();
}

void
ev_run_as_begin(EvRunAs *state, Oid owner, int security)
{
	ev_run_as_begin_with_path(state, owner, security);
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
					  PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void
ev_run_as_end(const EvRunAs *state)
{
	AtEOXact_GUC(false, state->guc_level);
	SetUserIdAndSecContext(state->user, state->security);
}
