/*
 * guard_trigger.h
 *	  guard_event(), the row trigger that keeps a table's events valid.
 *
 * (ddl_triggers.h has the event triggers that protect registered schemas.)
 */
#ifndef EV_GUARD_TRIGGER_H
#define EV_GUARD_TRIGGER_H

#include "utils/jsonb.h"

/* pg_trigger_depth() */
extern int	ev_trigger_depth(void);

/*
 * Returns an array with one violation without a keyword, in
 * CurrentMemoryContext. sqlstate may be NULL.
 */
extern Jsonb *ev_single_violation(const char *message, const char *sqlstate);

#endif							/* EV_GUARD_TRIGGER_H */
