/*
 * name_lock.h
 *	  Locks on the names of registered functions.
 */
#ifndef EV_NAME_LOCK_H
#define EV_NAME_LOCK_H

#include "nodes/pg_list.h"
#include "storage/lockdefs.h"

/*
 * Locks a name in event_schema (for a URI: ev_reference_name) until the end of
 * the transaction, against others that register it, replace it or refer to it.
 * Check the right to do so first.  Raises lock_not_available, with the holder
 * of the lock, after five seconds, or after lock_timeout if that is set, and
 * program_limit_exceeded if the transaction of a role without the rights of the
 * database's owner holds too many.
 */
extern void ev_name_lock(const char *name, LOCKMODE mode);

typedef struct EvNameToLock
{
	char	   *name;
	LOCKMODE	mode;
} EvNameToLock;

/*
 * Sorts names (EvNameToLock *), and locks them in this order, each once in its strongest
 * mode, as ev_name_lock does: two transactions that lock all their names by one call each
 * cannot wait for each other.
 */
extern void ev_names_lock(List *names);

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

/* Releases the lock that the last call of ev_function_lock took. */
extern void ev_function_unlock(Oid function, LOCKMODE mode);

#endif							/* EV_NAME_LOCK_H */
