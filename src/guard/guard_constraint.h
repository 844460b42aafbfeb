/*
 * guard_constraint.h
 *	  The CHECK constraint that a guard stands before.
 */
#ifndef EV_GUARD_CONSTRAINT_H
#define EV_GUARD_CONSTRAINT_H

#include "guard/guard_call.h"

/*
 * Returns the name of the relation's first CHECK constraint that validates what the
 * guard reads, for events of this type (NULL: of the type NULL), in
 * CurrentMemoryContext; NULL if there is none.  The relation is the guard's.
 */
extern char *ev_guard_constraint(const EvGuard *guard, Relation relation, const text *type);

#endif							/* EV_GUARD_CONSTRAINT_H */
