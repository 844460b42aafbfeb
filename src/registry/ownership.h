/*
 * ownership.h
 *	  The owner of a type: the role that registers its versions, its upcasts
 *	  and its policy.
 *
 * A type belongs to the owner of its lowest registered version.  If it has no
 * version, it belongs to the owner of its policy, unless that is the
 * database's owner.  Any role with CREATE on event_schema can begin a type
 * without an owner.  Rights are those of the current user.
 */
#ifndef EV_OWNERSHIP_H
#define EV_OWNERSHIP_H

#include "access/htup.h"

/*
 * Does the current user have the rights of the database's owner?  Such a role
 * may change everything that is registered, for example to restore a dump.
 */
extern bool ev_ownership_is_privileged(void);

/* Does the current user have the rights of a function's owner? */
extern bool ev_ownership_has_function(HeapTuple function);

/*
 * Does a type belong to the current user?  A type without an owner does not.
 * `self`, a function of the type that is being created, is ignored;
 * InvalidOid: none is.
 */
extern bool ev_ownership_has_type(const char *type, int length, Oid self);

/*
 * The same for the type of a schema version, or for any other function in
 * event_schema itself.
 */
extern bool ev_ownership_has_document(HeapTuple function);

/*
 * Raises insufficient_privilege if a type belongs to another role.  Takes no lock.
 * `self` is as above.
 */
extern void ev_ownership_require_type(const char *type, int length, Oid self);

/*
 * Checks that the type belongs to the user before registering, and raises
 * insufficient_privilege if it belongs to another role; then waits for transactions that
 * register for the type, locks it as ev_type_lock does, and checks again.
 */
extern void ev_ownership_lock_type(const char *type, int length, Oid self);

/*
 * Can objects of a role prevent a change of a registered function on which they
 * depend?  They can if the role has CREATE on event_schema, or the rights of the
 * function's owner: any role can create a function or an index that uses it.
 */
extern bool ev_ownership_counts(Oid role, Oid function);

/*
 * Raises insufficient_privilege unless the current user may set the policy of all
 * types without one, which the database's owner may.
 */
extern void ev_ownership_require_default_policy(void);

/* Raises insufficient_privilege without CREATE on event_schema. */
extern void ev_ownership_require_create(void);

/*
 * Raises insufficient_privilege if the current user lacks the rights of the
 * function's owner.
 */
extern void ev_ownership_require_function(HeapTuple function);

#endif							/* EV_OWNERSHIP_H */
