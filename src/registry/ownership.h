/*
 * ownership.h
 *	  The owner of a type: the role that registers its versions, its upcasts and
 *	  its policy.
 *
 *	  A type belongs to the owner of its lowest registered version; while it has
 *	  none, to the owner of its policy, unless that is the database's owner.
 *	  A type without an owner can be begun by any role with CREATE on event_schema.
 *	  Rights are those of the current user.
 */
#ifndef EV_OWNERSHIP_H
#define EV_OWNERSHIP_H

#include "access/htup.h"

/*
 * Has the current user the rights of the database's owner?  Then everything
 * that is registered is open to it; a dump is restored by such a role.
 */
extern bool ev_ownership_is_privileged(void);

/* Has the current user the rights of a function's owner? */
extern bool ev_ownership_has_function(HeapTuple function);

/*
 * Is a type the current user's?  That is more than that it may be begun.
 * `self`, a function of the type that is being created, does not count;
 * InvalidOid: all count.
 */
extern bool ev_ownership_has_type(const char *type, int length, Oid self);

/*
 * The same of what a function in event_schema belongs to: the type of a schema
 * version, or else the function itself.
 */
extern bool ev_ownership_has_document(HeapTuple function);

/*
 * Raises insufficient_privilege where a type is somebody else's.  Takes no
 * lock.
 */
extern void ev_ownership_require_type(const char *type, int length, Oid self);

/*
 * The same for who is about to register: looks first, then waits for whoever
 * registers for the type, locks it as ev_type_lock does, and
 * looks again.
 */
extern void ev_ownership_lock_type(const char *type, int length, Oid self);

/*
 * Do objects of a role that depend on a registered function hold up a change
 * of it?  They do if the role has CREATE on event_schema, or the rights of the
 * function's owner: anybody can create a function or an index that uses it.
 */
extern bool ev_ownership_counts(Oid role, Oid function);

/* Raises insufficient_privilege without CREATE on event_schema. */
extern void ev_ownership_require_create(void);

/*
 * Raises insufficient_privilege where the current user has not the rights of
 * the function's owner.
 */
extern void ev_ownership_require_function(HeapTuple function);

#endif							/* EV_OWNERSHIP_H */
