/*
 * guard_trigger.h
 *	  guard_event(), the row trigger that keeps a table's events valid.
 *
 * (The event triggers that keep the registered schemas are ddl_triggers.h's.)
 */
#ifndef EV_GUARD_TRIGGER_H
#define EV_GUARD_TRIGGER_H

#include "utils/jsonb.h"

/* pg_trigger_depth() */
extern int	ev_trigger_depth(void);

/*
 * An array of one violation that no keyword found, in CurrentMemoryContext.
 * The SQLSTATE is NULL where there is none.
 */
extern Jsonb *ev_single_violation(const char *message, const char *sqlstate);

#endif							/* EV_GUARD_TRIGGER_H */
