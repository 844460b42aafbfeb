/*
 * guard_change.h
 *	  Changes the trigger of a guard in place.
 */
#ifndef EV_GUARD_CHANGE_H
#define EV_GUARD_CHANGE_H

#include "nodes/pg_list.h"

/* The new properties of the trigger. */
typedef struct EvGuardChange
{
	List	   *arguments;		/* of char *; NIL: they stay */
	int16		operations;		/* a set of TRIGGER_TYPE_INSERT and
								 * TRIGGER_TYPE_UPDATE */
	char		enabled;		/* as in pg_trigger.tgenabled */
} EvGuardChange;

/*
 * Changes a trigger and its clones on partitions, and makes the change visible.
 * Its WHEN condition is not read.  The caller has checked the privileges, and has
 * locked the table and its partitions with SHARE ROW EXCLUSIVE or more.
 */
extern void ev_guard_change(Oid table, Oid trigger, const EvGuardChange *change);

#endif							/* EV_GUARD_CHANGE_H */
