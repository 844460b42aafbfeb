/*
 * wrappers.h
 *	  Functions that call check_event for a constraint.
 */
#ifndef EV_WRAPPERS_H
#define EV_WRAPPERS_H

#include "nodes/pg_list.h"
#include "rows/event_calls.h"

/*
 * Returns the functions that CHECK constraints call and that call one of these
 * functions, directly or through others: OIDs, in CurrentMemoryContext.  Reads
 * only a limited amount of text of the functions of each role that lacks the
 * rights of the user.  Takes no locks but on catalogs, for the time of the
 * call.
 */
extern List *ev_find_wrappers(const EvEventFunctions *functions, Oid user);

#endif							/* EV_WRAPPERS_H */
