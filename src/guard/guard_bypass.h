/*
 * guard_bypass.h
 *	  The setting event_validate.bypass_guard, and the log of what it let through.
 */
#ifndef EV_GUARD_BYPASS_H
#define EV_GUARD_BYPASS_H

#include "utils/rel.h"

/* event_validate.bypass_guard */
extern bool ev_bypass_guard;

/* Defines the setting; for _PG_init. */
extern void ev_guard_bypass_init(void);

/*
 * Counts a row that the guard of a relation let through unseen.  The server's
 * log gets a line for each relation at the end of the transaction.
 */
extern void ev_guard_bypassed(Relation relation);

#endif							/* EV_GUARD_BYPASS_H */
