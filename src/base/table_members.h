/*
 * table_members.h
 *	  The partitions and children of a table, read without locks.
 */
#ifndef EV_TABLE_MEMBERS_H
#define EV_TABLE_MEMBERS_H

#include "nodes/pg_list.h"

/*
 * Returns the OIDs of the tables that are partitions or children of a table,
 * sorted, in CurrentMemoryContext.
 */
extern List *ev_table_children(Oid table);

/*
 * Returns the OIDs of a table and of all tables below it, each once and after one of
 * its parents, in CurrentMemoryContext.  Takes no lock on them: each can be dropped
 * at any time, also before this returns.
 */
extern List *ev_table_members(Oid table);

#endif							/* EV_TABLE_MEMBERS_H */
