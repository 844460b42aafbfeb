/*
 * name_lock.h
 *	  Locks on the names of registered functions.
 */
#ifndef EV_NAME_LOCK_H
#define EV_NAME_LOCK_H

#include "storage/lockdefs.h"

/*
 * Locks a name in event_schema (for a URI: ev_reference_name) until the end of
 * the transaction, against others that register it, replace it or refer to it.
 * Ask for the right to do so first.  Raises lock_not_available, with the holder of the
 * lock, after five seconds, or after lock_timeout if that is set.
 */
extern void ev_name_lock(const char *name, LOCKMODE mode);

/*
 * Waits for transactions that register versions of a type, or change its
 * policy or upcasts, and blocks others until the end of the transaction.
 */
extern void ev_type_lock(const char *type, int length);

/*
 * Takes the lock of PostgreSQL on a function in event_schema, which DROP takes too,
 * with the same bound.  The name is for the message.
 */
extern void ev_function_lock(Oid function, LOCKMODE mode, const char *name);

#endif							/* EV_NAME_LOCK_H */
