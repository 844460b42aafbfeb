/*
 * stats_table.c
 *	  A hash table of fixed size in shared memory.
 *
 * Items stand in an array, and are chained in their buckets by their index.  So
 * a copy of the memory is a copy of the table.
 *
 * Each eviction takes away a sixteenth of the usage of all items that may leave, so
 * that those that were used much, long ago, leave too.  An item with a usage below 16 keeps
 * it, so that items that are used only once never drive out those that were used
 * more often.
 */
#include "postgres.h"

#include "storage/shmem.h"

#include "stats/stats_table.h"

#define DECAY_SHIFT		4

/* Items that were not used for so long belong to nobody. */
#define IDLE			USECS_PER_DAY

static int32
bucket_count(int count)
{
	int32		result = 1;

	while (result < count)
		result *= 2;
	return result;
}

static Size
items_offset(int count)
{
	return CACHELINEALIGN(offsetof(EvTable, buckets) + sizeof(int32) * bucket_count(count));
}

Size
ev_table_size(int count, Size item_size)
{
	return CACHELINEALIGN(add_size(items_offset(count), mul_size(count, item_size)));
}

EvTableItem *
ev_table_item(const EvTable *table, int index)
{
	return (EvTableItem *) ((char *) table + items_offset(table->count) + table->item_size * index);
}

static int32
index_of(const EvTable *table, const EvTableItem *item)
{
	return (int32) (((const char *) item - (const char *) ev_table_item(table, 0)) / table->item_size);
}

void
ev_table_init(EvTable *table, int count, Size item_size)
{
	table->item_size = item_size;
	table->count = count;
	table->mask = bucket_count(count) - 1;
	table->evicted = 0;
	table->free = -1;
	for (int i = 0; i <= table->mask; i++)
		table->buckets[i] = -1;
	for (int i = count - 1; i >= 0; i--)
	{
		EvTableItem *item = ev_table_item(table, i);

		memset(item, 0, item_size);
		item->next = table->free;
		table->free = i;
	}
}

EvTableItem *
ev_table_find(const EvTable *table, uint64 hash, EvTableMatch match, const void *key)
{
	int32		index = table->buckets[hash & table->mask];

	while (index >= 0)
	{
		EvTableItem *item = ev_table_item(table, index);

		if (item->hash == hash && item->used && match(item, key))
			return item;
		index = item->next;
	}
	return NULL;
}

void
ev_table_remove(EvTable *table, EvTableItem *item)
{
	int32		index = index_of(table, item);
	int32	   *link = &table->buckets[item->hash & table->mask];

	item->used = false;
	while (*link != index && *link >= 0)
		link = &ev_table_item(table, *link)->next;
	*link = item->next;
	item->next = table->free;
	table->free = index;
}

/* Has this owner more than a quarter of the items? */
static bool
has_many(const EvTable *table, Oid owner)
{
	int			owned = 0;

	for (int i = 0; i < table->count && owned <= table->count / 4; i++)
		owned += ev_table_item(table, i)->owner == owner;
	return owned > table->count / 4;
}

/* Was it not used for long?  A use in the future was before the clock was set back. */
static bool
is_idle(EvTableItem *item, TimestampTz now)
{
	TimestampTz used = (TimestampTz) pg_atomic_read_u64(&item->last_used);

	return used <= now - IDLE || used >= now + IDLE;
}

/*
 * Removes the least used item; of several, the one that was not used for longest.
 * All items are used, and an owner makes a new one.
 */
static void
evict(EvTable *table, Oid owner, TimestampTz now)
{
	EvTableItem *least = NULL;
	bool		spares_others = has_many(table, owner);

	for (int i = 0; i < table->count; i++)
	{
		EvTableItem *item = ev_table_item(table, i);
		uint64		usage = pg_atomic_read_u64(&item->usage);

		if (spares_others && item->owner != owner && !is_idle(item, now))
			continue;
		usage -= usage >> DECAY_SHIFT;
		pg_atomic_write_u64(&item->usage, usage);
		if (least == NULL || usage < pg_atomic_read_u64(&least->usage) ||
			(usage == pg_atomic_read_u64(&least->usage) &&
			 (int64) pg_atomic_read_u64(&item->last_used) < (int64) pg_atomic_read_u64(&least->last_used)))
			least = item;
	}
	ev_table_remove(table, least);
	table->evicted++;
}

EvTableItem *
ev_table_add(EvTable *table, uint64 hash, Oid owner, TimestampTz now)
{
	EvTableItem *item;
	int32		index;

	if (table->free < 0)
		evict(table, owner, now);
	index = table->free;
	item = ev_table_item(table, index);
	table->free = item->next;
	memset(item, 0, table->item_size);
	item->hash = hash;
	item->owner = owner;
	pg_atomic_init_u64(&item->usage, 0);
	pg_atomic_init_u64(&item->last_used, (uint64) now);
	item->next = table->buckets[hash & table->mask];
	table->buckets[hash & table->mask] = index;
	return item;
}
