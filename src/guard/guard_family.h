/*
 * guard_family.h
 *	  Guards that a table shares with its children by inheritance.
 */
#ifndef EV_GUARD_FAMILY_H
#define EV_GUARD_FAMILY_H

#include "nodes/pg_list.h"
#include "utils/rel.h"

/* The guard of a child. */
typedef struct EvFamilyGuard
{
	Oid			relation;
	Oid			trigger;
} EvFamilyGuard;

/*
 * Returns the table to which a guard belongs, given its trigger on a relation:
 * the table of which the trigger is a clone, or the topmost ancestor by
 * inheritance with an equal guard; otherwise the relation.  If the trigger no
 * longer exists, returns the relation.  Takes no lock on tables.
 */
extern Oid	ev_guard_family_table(Oid relation, Oid trigger);

/*
 * Returns the trigger of a parent's guard that is one with this guard, and its table: one
 * step towards the result of ev_guard_family_table(), or InvalidOid at its end.  Takes no
 * lock on tables.
 */
extern Oid	ev_guard_of_parent(Oid trigger, Oid *relation);

/*
 * Does a guard belong to another table, as ev_guard_family_table() says?  Looks at the
 * parents only, however deep a table of another role is below others.
 */
extern bool ev_guard_is_of_parent(Oid trigger);

/*
 * Returns the OIDs of all tables of which a relation is a partition or a child,
 * directly or not, in CurrentMemoryContext: the result of
 * ev_guard_family_table() can change only if one of them, or the relation, is
 * changed.  Takes no lock on tables.
 */
extern List *ev_guard_family_ancestors(Oid relation);

/*
 * Returns the guards of a table's children, and of theirs, that are equal to
 * its own: a list of EvFamilyGuard *, in CurrentMemoryContext.  Takes no lock
 * on tables.
 */
extern List *ev_guard_family_children(Oid relation, Oid trigger);

/*
 * Does an INSERT into the table store rows in this child by itself?  This is
 * so if an extension manages the schema of the child, as TimescaleDB does for
 * chunks.
 */
extern bool ev_guard_is_routed(Oid child);

#endif							/* EV_GUARD_FAMILY_H */
