/*
 * table_lock.h
 *	  Locks on tables in use.
 */
#ifndef EV_TABLE_LOCK_H
#define EV_TABLE_LOCK_H

#include "nodes/pg_list.h"
#include "storage/lockdefs.h"

/*
 * Locks tables, given by their OIDs, all or none; each with the tables that a
 * command with this lock would lock too: the partitions of a partitioned table
 * and, with ACCESS EXCLUSIVE, the children of any table, like ALTER TABLE.
 * The locks are kept until the transaction ends.  Checks no privileges.
 *
 * Other sessions queue behind a waiting lock.  So all attempts together wait
 * only briefly, let the others pass, and try again.  An autovacuum gives way
 * to us, and we give way to others in a deadlock.  If the session has a
 * lock_timeout, that is the time to wait for each lock.  Raises
 * lock_not_available; or deadlock_detected if locks that the transaction held
 * before are part of a deadlock.
 */
extern void ev_lock_tables(List *tables, LOCKMODE mode);

/*
 * The same for tables on which the user may lack privileges: no session waits
 * for us longer than the short time, whatever lock_timeout is.  Briefly: while the
 * user holds locks on other tables, so that their writers do not wait for long.
 */
extern void ev_lock_others_tables(List *tables, LOCKMODE mode, bool briefly);

/* The time of one attempt, in milliseconds, in which others wait. */
#define EV_ATTEMPT_MS	400

/*
 * Would one attempt, with a limit of this time and of EV_ATTEMPT_MS, lock this table?
 * Unlocks it again.
 */
extern bool ev_can_lock_table(Oid table, LOCKMODE mode, int milliseconds);

/*
 * Locks a table like ev_lock_tables(), but in one such attempt.  Returns false if that
 * was not enough.
 */
extern bool ev_try_lock_table(Oid table, LOCKMODE mode, int milliseconds);

/* Waits for ACCESS SHARE.  Returns false if the table no longer exists. */
extern bool ev_share_table(Oid table);

/*
 * Locks as many of the tables as are available within a few seconds, however
 * many there are.  Returns their OIDs, in CurrentMemoryContext.  No lock is
 * held for long while waiting for another one, so that a locked table does not
 * delay writers of others.
 */
extern List *ev_lock_some_tables(List *tables, LOCKMODE mode);

#endif							/* EV_TABLE_LOCK_H */
