/*
 * upcast_run.h
 *	  Running upcasts on events.
 */
#ifndef EV_UPCAST_RUN_H
#define EV_UPCAST_RUN_H

#include "evolution/upcast.h"
#include "registry/schema_cache.h"
#include "utils/jsonb.h"

/* A prepared path, which can be run several times. */
typedef struct EvUpcastRun EvUpcastRun;

/*
 * Prepares a path, in CurrentMemoryContext, which must live as long as the run
 * is used.  Raises insufficient_privilege if the current user lacks EXECUTE on
 * the upcasts, or their owners lack it on functions that these call.  Runs
 * users' functions, as the upcasts' owners.
 */
extern EvUpcastRun *ev_upcast_prepare(const text *type, List *path);

/* Was it prepared for the current user? */
extern bool ev_upcast_is_runnable(const EvUpcastRun *run);

/*
 * Runs a step, counted from 0, as the owner of its upcast.  Returns its
 * result (NULL: SQL NULL), not validated, and the schema that the result must
 * match.
 */
extern int	ev_upcast_step_count(const EvUpcastRun *run);
extern Jsonb *ev_upcast_step(EvUpcastRun *run, int step, Jsonb *data, EvSchema **schema);

/*
 * Returns a number that changes with functions.  If it has changed, paths and
 * runs must be made anew.
 */
extern uint64 ev_upcast_generation(void);

/* Registers the invalidation callback; called once, by _PG_init. */
extern void ev_upcast_init(void);

#endif							/* EV_UPCAST_RUN_H */
