/*
 * table_lock.h
 *	  Locks on tables that are in use.
 */
#ifndef EV_TABLE_LOCK_H
#define EV_TABLE_LOCK_H

#include "nodes/pg_list.h"
#include "storage/lockdefs.h"

/*
 * Locks tables, given by their OIDs, all or none, each with what a command that
 * needs the lock would reach from it: the partitions of a partitioned table,
 * and with ACCESS EXCLUSIVE, as ALTER TABLE takes it, the children of any.  The
 * locks are kept until the transaction ends.  Checks no privilege.
 *
 * Whoever comes while we wait, waits behind us, so we wait for a moment only,
 * for all of them together, let the others through, and try again; an
 * autovacuum gives way, and so do we where others wait for us in a deadlock.
 * Where the session has a lock_timeout, that says how long to wait for each.
 * Raises lock_not_available, or deadlock_detected where the transaction has a
 * part in a deadlock by what it locked before.
 */
extern void ev_lock_tables(List *tables, LOCKMODE mode);

/*
 * The same for tables on which the user need not have a right: whatever the
 * session's lock_timeout, nobody waits for us longer than for that moment.
 */
extern void ev_lock_others_tables(List *tables, LOCKMODE mode);

/* Would one try of it do for this table?  Lets it go again. */
extern bool ev_can_lock_table(Oid table, LOCKMODE mode);

/* Waits for ACCESS SHARE.  False where the table is gone. */
extern bool ev_share_table(Oid table);

/*
 * Locks as many of the tables as can be had within a few seconds, however many
 * there are, and gives their OIDs, in CurrentMemoryContext.  No lock is held
 * for more than a moment while another is waited for: who keeps one table
 * locked keeps no writer of another waiting.
 */
extern List *ev_lock_some_tables(List *tables, LOCKMODE mode);

#endif							/* EV_TABLE_LOCK_H */
