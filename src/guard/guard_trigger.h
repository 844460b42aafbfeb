/*
 * guard_trigger.h
 *	  guard_event(), the row trigger that keeps a table's events valid.
 *
 * (ddl_triggers.c has the event triggers that protect registered schemas.)
 */
#ifndef EV_GUARD_TRIGGER_H
#define EV_GUARD_TRIGGER_H

#include "access/htup.h"
#include "fmgr.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

/* pg_trigger_depth() */
extern int	ev_trigger_depth(void);

/*
 * Would the guard accept a row of the relation?  Errors caused by the row's
 * data count as violations; others are raised.  The caller keeps `function`
 * for all rows, like the executor for a trigger.
 */
extern bool ev_guard_accepts(FmgrInfo *function, Relation relation, const Trigger *trigger, HeapTuple row);

/*
 * Returns an array with one violation without a keyword, in
 * CurrentMemoryContext. sqlstate may be NULL.
 */
extern Jsonb *ev_single_violation(const char *message, const char *sqlstate);

#endif							/* EV_GUARD_TRIGGER_H */
