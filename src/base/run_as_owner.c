/*
 * run_as_owner.c
 *	  Running code of another role with that role's rights.
 *
 * Otherwise the author of a function that others run without knowing it would
 * have their rights.  The operation is security-restricted, so that the
 * function cannot leave anything that runs as the caller later: a deferred
 * trigger, a temporary table, a cursor, a prepared statement or another role.
 * Settings are restored at the end.  search_path is set to a fixed value, so
 * that the owner's code means the same for all callers.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/guc.h"

#include "base/run_as_owner.h"

void
ev_pin_search_path(void)
{
	set_config_option("search_path", EV_PINNED_SEARCH_PATH, PGC_USERSET,
					  PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

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
	ev_pin_search_path();
}

void
ev_run_as_end(const EvRunAs *state)
{
	AtEOXact_GUC(false, state->guc_level);
	SetUserIdAndSecContext(state->user, state->security);
}
