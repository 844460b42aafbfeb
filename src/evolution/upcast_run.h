/*
 * upcast_run.h
 *	  Running upcasts on events.
 */
#ifndef EV_UPCAST_RUN_H
#define EV_UPCAST_RUN_H

#include "evolution/upcast.h"
#include "registry/schema_cache.h"
#include "utils/jsonb.h"

/* A path that is ready to be run, for some calls. */
typedef struct EvUpcastRun EvUpcastRun;

/*
 * Makes it, in CurrentMemoryContext, where it must live as long as it is run.
 * Raises insufficient_privilege where the current user may not execute the
 * upcasts, or their owners what they call.  Runs users' functions, as the
 * upcasts' owners.
 */
extern EvUpcastRun *ev_upcast_prepare(const text *type, List *path);

/* Is the current user the one that it was made for? */
extern bool ev_upcast_is_runnable(const EvUpcastRun *run);

/*
 * Runs a step, from 0, as the owner of its upcast: its result (NULL: an SQL
 * NULL), not validated, and the schema that this must match.
 */
extern int	ev_upcast_step_count(const EvUpcastRun *run);
extern Jsonb *ev_upcast_step(EvUpcastRun *run, int step, Jsonb *data, EvSchema **schema);

/* Has a function changed since?  Then paths and runs are to be made anew. */
extern uint64 ev_upcast_generation(void);

/* Registers the invalidation callback; called once, by _PG_init. */
extern void ev_upcast_init(void);

#endif							/* EV_UPCAST_RUN_H */
