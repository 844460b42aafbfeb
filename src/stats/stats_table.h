/*
 * stats_table.h
 *	  A hash table of fixed size in shared memory.
 *
 * When it is full, a new item takes the place of the least used one.  If its owner
 * has more than a quarter of the items, it takes that of one of the owner's, or of an
 * item that was not used for a day.  So no owner drives out most of the others' items.
 *
 * The caller holds the lock of the table: in share mode to find an item and to change
 * its atomic members, and in exclusive mode for all else.
 */
#ifndef EV_STATS_TABLE_H
#define EV_STATS_TABLE_H

#include "datatype/timestamp.h"
#include "port/atomics.h"

/* The beginning of each item; the caller's members follow it. */
typedef struct EvTableItem
{
	uint64		hash;
	int32		next;			/* in its bucket or in the free list; -1: none */
	Oid			owner;
	bool		used;
	pg_atomic_uint64 usage;		/* number of uses, which decays */
	pg_atomic_uint64 last_used; /* TimestampTz */
} EvTableItem;

typedef struct EvTable
{
	Size		item_size;
	int32		count;			/* of items */
	int32		mask;			/* the number of buckets, less one */
	int32		free;			/* the first free item; -1: none */
	int64		evicted;		/* number of items whose place others took */
	int32		buckets[FLEXIBLE_ARRAY_MEMBER]; /* first item of each; -1:
												 * none */
} EvTable;

/* Does the item have this key? */
typedef bool (*EvTableMatch) (const EvTableItem *item, const void *key);

/* The size of a table, in bytes, aligned so that another one may follow it. */
extern Size ev_table_size(int count, Size item_size);

/* Makes an empty table in memory of this size. */
extern void ev_table_init(EvTable *table, int count, Size item_size);

/* Returns one of the `count` items, used or not. */
extern EvTableItem *ev_table_item(const EvTable *table, int index);

/* Returns the item with this key; NULL: there is none. */
extern EvTableItem *ev_table_find(const EvTable *table, uint64 hash, EvTableMatch match, const void *key);

/*
 * Returns a new item whose members after the head are zero.  The caller fills
 * them, and sets `used` at last: until then the item is not found.
 */
extern EvTableItem *ev_table_add(EvTable *table, uint64 hash, Oid owner, TimestampTz now);

/* Removes an item. */
extern void ev_table_remove(EvTable *table, EvTableItem *item);

/* Notes uses of an item; for a shared lock. */
static inline void
ev_table_use(EvTableItem *item, uint64 uses, TimestampTz now)
{
	pg_atomic_fetch_add_u64(&item->usage, (int64) uses);
	pg_atomic_write_u64(&item->last_used, (uint64) now);
}

#endif							/* EV_STATS_TABLE_H */
