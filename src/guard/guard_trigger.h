/*
 * guard_trigger.h
 *	  guard_event(), the row trigger that keeps a table's events valid.
 *
 * (ddl_triggers.h has the event triggers that protect registered schemas.)
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
 * Would the guard accept a row of the relation as it is?  Errors that the row's
 * data is to blame for count as violations; raises others.  The caller keeps
 * `function` for all rows, as the executor does for a trigger.
 */
extern bool ev_guard_accepts(FmgrInfo *function, Relation relation, const Trigger *trigger, HeapTuple row);

/*
 * An array of one violation that no keyword found, in CurrentMemoryContext.
 * The SQLSTATE is NULL where there is none.
 */
extern Jsonb *ev_single_violation(const char *message, const char *sqlstate);

#endif							/* EV_GUARD_TRIGGER_H */
