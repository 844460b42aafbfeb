/*
 * wrappers.h
 *	  Functions that call check_event for a constraint, a policy or a view.
 */
#ifndef EV_WRAPPERS_H
#define EV_WRAPPERS_H

#include "nodes/pg_list.h"
#include "rows/event_calls.h"
#include "utils/hsearch.h"

/*
 * The maximum number of bytes of functions of other roles that are read for one role that asks,
 * and for one whose functions it calls.
 */
#define EV_MOST_FUNCTION_TEXT	(4 * 1024 * 1024)

/*
 * Returns the functions that CHECK constraints, policies and views call and that call one of these
 * functions, directly or through others: OIDs, in CurrentMemoryContext.  Reads
 * only a limited amount of text of the functions of roles that lack the rights
 * of the user.  *unread: the functions about which it is not known, since
 * their text, or that of a function that they call, is beyond this limit.
 * *texts: for ev_unread_text().  Takes
 * no locks but on catalogs, for the time of the call.
 */
extern List *ev_find_wrappers(const EvEventFunctions *functions, Oid user, List **unread, HTAB **texts);

/*
 * Returns the function whose text was not read, for an object (a constraint, policy or rule) that calls
 * one about which it is not known; InvalidOid if it calls none of them itself.
 */
extern Oid	ev_unread_text(Oid catalog, Oid object, HTAB *texts);

#endif							/* EV_WRAPPERS_H */
