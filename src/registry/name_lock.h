/*
 * name_lock.h
 *	  Locks on the names of registered functions.
 */
#ifndef EV_NAME_LOCK_H
#define EV_NAME_LOCK_H

#include "storage/lockdefs.h"

/*
 * Locks a name in event_schema (for a URI: ev_claims_name) until the end of
 * the transaction, against others that register it, replace it or refer to it.
 * The caller must have checked the right to do so.
 */
extern void ev_name_lock(const char *name, LOCKMODE mode);

/*
 * Waits for transactions that register versions of a type, or change its
 * policy or upcasts, and blocks others until the end of the transaction.
 */
extern void ev_type_lock(const char *type, int length);

#endif							/* EV_NAME_LOCK_H */
