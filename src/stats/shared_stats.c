/*
 * shared_stats.c
 *	  The statistics of all backends, in shared memory.
 *
 * Counts are added under a shared lock, by atomic operations, so that backends do
 * not wait for each other.  A new item, a new hour or day, and a reset need the
 * exclusive lock of one partition.
 *
 * The memory is reserved when the server starts.  The postmaster reads the file
 * of the last shutdown then, and writes it at the next one (stats_file.c).
 */
#include "postgres.h"

#include <limits.h>

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "stats/shared_stats.h"
#include "stats/stats_file.h"
#include "stats/tally.h"

#define NAME	"event_validate"

typedef struct EvSharedStats
{
	LWLockPadded *locks;		/* of kind 0, then of kind 1 */
	pg_atomic_uint64 reset_at;	/* TimestampTz */
} EvSharedStats;

bool		ev_stats_on = false;
bool		ev_track_timing = false;
bool		ev_track_failures = true;
bool		ev_track_samples = false;

static int	stats_max = 1000;	/* event_validate.stats_max */

/* event_validate.stats_history_hours, ..._days */
static int	periods[EV_SPANS] = {48, 30};

static EvSharedStats *shared = NULL;
static EvTable *tables[EV_STATS_KINDS][EV_STATS_PARTITIONS];
static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

/* ---------- layout ---------- */

static Size
item_size(EvStatsKind kind)
{
	if (kind == EV_STATS_FAILURES)
		return MAXALIGN(sizeof(EvFailureItem));
	return MAXALIGN(offsetof(EvStatsItem, history) + sizeof(EvPeriod) * (periods[EV_HOURS] + periods[EV_DAYS]));
}

static int
item_count(void)
{
	return stats_max / EV_STATS_PARTITIONS;
}

static Size
shared_size(void)
{
	Size		result = CACHELINEALIGN(sizeof(EvSharedStats));

	for (int kind = 0; kind < EV_STATS_KINDS; kind++)
		result = add_size(result, mul_size(EV_STATS_PARTITIONS, ev_table_size(item_count(), item_size(kind))));
	return result;
}

static void
find_tables(void)
{
	char	   *start = (char *) shared + CACHELINEALIGN(sizeof(EvSharedStats));

	for (int kind = 0; kind < EV_STATS_KINDS; kind++)
		for (int partition = 0; partition < EV_STATS_PARTITIONS; partition++)
		{
			tables[kind][partition] = (EvTable *) start;
			start += ev_table_size(item_count(), item_size(kind));
		}
}

static EvTable *
table_of(EvStatsKind kind, int partition)
{
	return tables[kind][partition];
}

static LWLock *
lock_of(EvStatsKind kind, int partition)
{
	return &shared->locks[kind * EV_STATS_PARTITIONS + partition].lock;
}

static int
partition_of(uint64 hash)
{
	return (int) ((hash >> 32) % EV_STATS_PARTITIONS);
}

/* ---------- keys ---------- */

uint64
ev_origin_hash(const EvStatsOrigin *origin)
{
	uint32		numbers[] = {
		origin->database, origin->role, origin->relation, (uint32) origin->version,
		(uint32) origin->has_type << 1 | (uint32) origin->has_version
	};
	uint64		hash = hash_bytes_extended((const unsigned char *) numbers, sizeof(numbers), 0);

	return origin->has_type ?
		hash_bytes_extended((const unsigned char *) origin->type, origin->type_length, hash) : hash;
}

static bool
is_origin(const EvStatsKey *key, const EvStatsOrigin *origin)
{
	const EvStatsOrigin *stored = &key->origin;

	return stored->database == origin->database && stored->role == origin->role &&
		stored->relation == origin->relation &&
		stored->has_type == origin->has_type && stored->has_version == origin->has_version &&
		stored->version == origin->version && stored->type_length == origin->type_length &&
		memcmp(key->type, origin->type, origin->type_length) == 0;
}

static void
set_key(EvStatsKey *key, const EvStatsOrigin *origin)
{
	key->origin = *origin;
	key->origin.type = NULL;
	memcpy(key->type, origin->type, origin->type_length);
}

static bool
match_verdicts(const EvTableItem *item, const void *key)
{
	return is_origin(&((const EvStatsItem *) item)->key, (const EvStatsOrigin *) key);
}

typedef struct FailureKey
{
	const EvStatsOrigin *origin;
	const EvFailure *failure;
	int			location_length;
} FailureKey;

static bool
match_failure(const EvTableItem *item, const void *key)
{
	const EvFailureItem *stored = (const EvFailureItem *) item;
	const FailureKey *wanted = (const FailureKey *) key;

	return stored->reason == wanted->failure->reason &&
		stored->location_length == wanted->location_length &&
		memcmp(stored->location, wanted->failure->location, wanted->location_length) == 0 &&
		strncmp(stored->keyword, wanted->failure->keyword, EV_STATS_KEYWORD - 1) == 0 &&
		is_origin(&stored->key, wanted->origin);
}

/* ---------- history ---------- */

int64
ev_stats_span_length(EvSpan span)
{
	return span == EV_HOURS ? USECS_PER_HOUR : USECS_PER_DAY;
}

int
ev_stats_periods(EvSpan span)
{
	return periods[span];
}

EvPeriod *
ev_stats_ring(EvStatsItem *item, EvSpan span)
{
	return &item->history[span == EV_HOURS ? 0 : periods[EV_HOURS]];
}

int64
ev_stats_period(EvSpan span, TimestampTz time)
{
	int64		length = ev_stats_span_length(span);

	return time >= 0 ? time / length : -((length - 1 - time) / length);
}

/* The index of a period in a ring, where another one may be; the ring has places. */
static int
period_index(EvSpan span, int64 number)
{
	int64		index = number % periods[span];

	return (int) (index >= 0 ? index : index + periods[span]);
}

/* The place of the period of a time, and its number; NULL: there is no ring. */
static EvPeriod *
current_place(EvStatsItem *item, EvSpan span, TimestampTz now, int64 *number)
{
	/* of the last time; to divide costs more than all else */
	static struct
	{
		TimestampTz start;
		TimestampTz end;
		int64		number;
		int			index;
	}			last[EV_SPANS];

	if (periods[span] == 0)
		return NULL;
	if (now < last[span].start || now >= last[span].end)
	{
		last[span].number = ev_stats_period(span, now);
		last[span].index = period_index(span, last[span].number);
		last[span].start = last[span].number * ev_stats_span_length(span);
		last[span].end = last[span].start + ev_stats_span_length(span);
	}
	*number = last[span].number;
	return &ev_stats_ring(item, span)[last[span].index];
}

/* Do the places of this time have its periods? */
static bool
has_periods(EvStatsItem *item, TimestampTz now)
{
	for (EvSpan span = 0; span < EV_SPANS; span++)
	{
		int64		number;
		EvPeriod   *place = current_place(item, span, now, &number);

		if (place != NULL && ev_stats_period_number(place) != number)
			return false;
	}
	return true;
}

/* Begins the periods of this time: others, which are over, have their places.  Needs the exclusive lock. */
static void
begin_periods(EvStatsItem *item, TimestampTz now)
{
	for (EvSpan span = 0; span < EV_SPANS; span++)
	{
		int64		number;
		EvPeriod   *place = current_place(item, span, now, &number);

		if (place == NULL || ev_stats_period_number(place) == number)
			continue;
		for (int i = 0; i < EV_COUNTS; i++)
			pg_atomic_write_u64(&place->counts[i], 0);
		pg_atomic_write_u64(&place->number, (uint64) number);
	}
}

/* ---------- adding ---------- */

/* Of an item that was made before the type was registered. */
static void
note_registered(EvStatsKey *key, const EvStatsOrigin *origin)
{
	if (origin->is_registered)
		key->origin.is_registered = true;
}

static void
add_counts(pg_atomic_uint64 *counts, const EvPending *pending)
{
	for (int i = 0; i < EV_COUNTS; i++)
		if (pending->counts[i] > 0)
			pg_atomic_fetch_add_u64(&counts[i], (int64) pending->counts[i]);
}

/* Keeps the earliest time: the clock may have been set back.  0 is none. */
static void
note_first(pg_atomic_uint64 *first, TimestampTz time)
{
	uint64		known = pg_atomic_read_u64(first);

	while (known == 0 || (TimestampTz) known > time)
		if (pg_atomic_compare_exchange_u64(first, &known, (uint64) time))
			break;
}

/* Adds counts to an item, which has the periods of this time. */
static void
add_to_item(EvStatsItem *item, const EvPending *pending, TimestampTz now)
{
	uint64		uses = 0;

	add_counts(item->counts, pending);
	for (EvSpan span = 0; span < EV_SPANS; span++)
	{
		int64		number;
		EvPeriod   *place = current_place(item, span, now, &number);

		if (place != NULL)
			add_counts(place->counts, pending);
	}
	if (pending->timed > 0)
	{
		pg_atomic_fetch_add_u64(&item->timed, (int64) pending->timed);
		pg_atomic_fetch_add_u64(&item->nanoseconds, (int64) pending->nanoseconds);
	}
	if (pending->last_invalid != 0)
	{
		note_first(&item->first_invalid, pending->first_invalid);
		pg_atomic_write_u64(&item->last_invalid, (uint64) pending->last_invalid);
	}
	for (int i = 0; i < EV_COUNTS; i++)
		uses += pending->counts[i];
	ev_table_use(&item->item, uses, now);
}

static EvStatsItem *
new_item(EvTable *table, const EvStatsOrigin *origin, uint64 hash, TimestampTz now)
{
	EvStatsItem *item = (EvStatsItem *) ev_table_add(table, hash, origin->role, now);

	set_key(&item->key, origin);
	item->since = now;
	for (int i = 0; i < EV_COUNTS; i++)
		pg_atomic_init_u64(&item->counts[i], 0);
	pg_atomic_init_u64(&item->timed, 0);
	pg_atomic_init_u64(&item->nanoseconds, 0);
	pg_atomic_init_u64(&item->first_invalid, 0);
	pg_atomic_init_u64(&item->last_invalid, 0);
	for (int i = 0; i < periods[EV_HOURS] + periods[EV_DAYS]; i++)
	{
		pg_atomic_init_u64(&item->history[i].number, 0);
		for (int j = 0; j < EV_COUNTS; j++)
			pg_atomic_init_u64(&item->history[i].counts[j], 0);
	}
	pg_write_barrier();
	item->item.used = true;
	return item;
}

void
ev_shared_stats_add(const EvStatsOrigin *origin, uint64 hash, const EvPending *pending)
{
	int			partition = partition_of(hash);
	LWLock	   *lock = lock_of(EV_STATS_VERDICTS, partition);
	EvTable    *table = table_of(EV_STATS_VERDICTS, partition);
	TimestampTz now = GetCurrentTimestamp();
	EvStatsItem *item;

	LWLockAcquire(lock, LW_SHARED);
	item = (EvStatsItem *) ev_table_find(table, hash, match_verdicts, origin);
	if (item == NULL || !has_periods(item, now))
	{
		LWLockRelease(lock);
		LWLockAcquire(lock, LW_EXCLUSIVE);
		item = (EvStatsItem *) ev_table_find(table, hash, match_verdicts, origin);
		if (item == NULL)
			item = new_item(table, origin, hash, now);
		begin_periods(item, now);
	}
	note_registered(&item->key, origin);
	add_to_item(item, pending, now);
	LWLockRelease(lock);
}

/* Copies a text, cut at a character; returns its length. */
static uint16
copy_cut(char *to, const char *from, int room)
{
	int			length = strlen(from);

	if (length > room)
		length = pg_mbcliplen(from, length, room);
	memcpy(to, from, length);
	return (uint16) length;
}

static EvFailureItem *
new_failure(EvTable *table, const FailureKey *key, uint64 hash, TimestampTz now)
{
	EvFailureItem *item = (EvFailureItem *) ev_table_add(table, hash, key->origin->role, now);

	set_key(&item->key, key->origin);
	item->reason = key->failure->reason;
	item->location_length = key->location_length;
	memcpy(item->location, key->failure->location, key->location_length);
	/* the rest is zero */
	strncpy(item->keyword, key->failure->keyword, EV_STATS_KEYWORD - 1);
	pg_atomic_init_u64(&item->events, 0);
	pg_atomic_init_u64(&item->first, (uint64) now);
	pg_atomic_init_u64(&item->last, (uint64) now);
	pg_write_barrier();
	item->item.used = true;
	return item;
}

void
ev_shared_stats_fail(const EvStatsOrigin *origin, uint64 hash, const EvFailure *failure, TimestampTz now)
{
	FailureKey	key = {.origin = origin, .failure = failure};
	LWLock	   *lock;
	EvTable    *table;
	EvFailureItem *item;
	int			partition;
	int			length = strlen(failure->location);

	key.location_length = length > EV_STATS_LOCATION ? pg_mbcliplen(failure->location, length, EV_STATS_LOCATION) : length;
	hash = hash_bytes_extended((const unsigned char *) failure->location, key.location_length, hash + failure->reason);
	hash = hash_bytes_extended((const unsigned char *) failure->keyword, strlen(failure->keyword), hash);
	partition = partition_of(hash);
	lock = lock_of(EV_STATS_FAILURES, partition);
	table = table_of(EV_STATS_FAILURES, partition);

	LWLockAcquire(lock, LW_SHARED);
	item = (EvFailureItem *) ev_table_find(table, hash, match_failure, &key);
	if (item == NULL || (failure->sample != NULL && item->sample_length == 0))
	{
		LWLockRelease(lock);
		LWLockAcquire(lock, LW_EXCLUSIVE);
		item = (EvFailureItem *) ev_table_find(table, hash, match_failure, &key);
		if (item == NULL)
			item = new_failure(table, &key, hash, now);
		if (failure->sample != NULL && item->sample_length == 0)
			item->sample_length = copy_cut(item->sample, failure->sample, EV_STATS_SAMPLE);
	}
	note_registered(&item->key, origin);
	pg_atomic_fetch_add_u64(&item->events, 1);
	note_first(&item->first, now);
	pg_atomic_write_u64(&item->last, (uint64) now);
	ev_table_use(&item->item, 1, now);
	LWLockRelease(lock);
}

/* ---------- reading ---------- */

EvTable *
ev_shared_stats_copy(EvStatsKind kind, int partition)
{
	Size		size = ev_table_size(item_count(), item_size(kind));
	EvTable    *copy = MemoryContextAllocHuge(CurrentMemoryContext, size);

	LWLockAcquire(lock_of(kind, partition), LW_SHARED);
	memcpy(copy, table_of(kind, partition), size);
	LWLockRelease(lock_of(kind, partition));
	return copy;
}

int64
ev_shared_stats_evicted(EvStatsKind kind)
{
	int64		result = 0;

	for (int partition = 0; partition < EV_STATS_PARTITIONS; partition++)
	{
		LWLockAcquire(lock_of(kind, partition), LW_SHARED);
		result += table_of(kind, partition)->evicted;
		LWLockRelease(lock_of(kind, partition));
	}
	return result;
}

TimestampTz
ev_shared_stats_reset_at(void)
{
	return (TimestampTz) pg_atomic_read_u64(&shared->reset_at);
}

/* ---------- resetting ---------- */

static void
reset_table(EvTable *table, EvStatsKind kind, Oid database, const char *type, const int32 *version)
{
	for (int i = 0; i < table->count; i++)
	{
		EvTableItem *item = ev_table_item(table, i);
		const EvStatsKey *key = kind == EV_STATS_VERDICTS ? &((EvStatsItem *) item)->key : &((EvFailureItem *) item)->key;

		if (!item->used ||
			(OidIsValid(database) && key->origin.database != database) ||
			(type != NULL && (!key->origin.has_type || key->origin.type_length != strlen(type) ||
							  memcmp(key->type, type, key->origin.type_length) != 0)) ||
			(version != NULL && (!key->origin.has_version || key->origin.version != *version)))
			continue;
		ev_table_remove(table, item);
	}
}

void
ev_shared_stats_reset(Oid database, const char *type, const int32 *version)
{
	bool		everything = !OidIsValid(database) && type == NULL && version == NULL;

	for (int kind = 0; kind < EV_STATS_KINDS; kind++)
		for (int partition = 0; partition < EV_STATS_PARTITIONS; partition++)
		{
			EvTable    *table = table_of(kind, partition);

			LWLockAcquire(lock_of(kind, partition), LW_EXCLUSIVE);
			reset_table(table, kind, database, type, version);
			if (everything)
				table->evicted = 0;
			LWLockRelease(lock_of(kind, partition));
		}
	if (everything)
		pg_atomic_write_u64(&shared->reset_at, (uint64) GetCurrentTimestamp());
}

/* ---------- start and stop of the server ---------- */

static void
shut_down(int code, Datum arg pg_attribute_unused())
{
	/* not after a crash */
	if (code == 0 && shared != NULL)
		ev_stats_file_write(table_of, periods, ev_shared_stats_reset_at());
}

static void
request_memory(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(shared_size());
	RequestNamedLWLockTranche(NAME, EV_STATS_KINDS * EV_STATS_PARTITIONS);
}

/* Takes over the history of an item of the file, which has so many periods. */
static void
restore_history(EvStatsItem *to, const EvStatsItem *from, const int *stored_periods)
{
	const EvPeriod *next = from->history;

	for (EvSpan span = 0; span < EV_SPANS; span++)
		for (int i = 0; i < stored_periods[span]; i++, next++)
		{
			int64		number = ev_stats_period_number(next);
			EvPeriod   *place;

			if (periods[span] == 0 || number == 0)
				continue;
			place = &ev_stats_ring(to, span)[period_index(span, number)];
			if (ev_stats_period_number(place) == 0 || number > ev_stats_period_number(place))
				memcpy(place, next, sizeof(EvPeriod));
		}
}

/* Takes over an item of the file. */
static void
restore(EvStatsKind kind, const EvTableItem *stored, const int *stored_periods)
{
	EvTable    *table = table_of(kind, partition_of(stored->hash));
	EvTableItem *item = ev_table_add(table, stored->hash, stored->owner, 0);
	Size		size = kind == EV_STATS_FAILURES ? sizeof(EvFailureItem) : offsetof(EvStatsItem, history);

	memcpy((char *) item + offsetof(EvTableItem, usage), (const char *) stored + offsetof(EvTableItem, usage),
		   size - offsetof(EvTableItem, usage));
	if (kind == EV_STATS_VERDICTS)
		restore_history((EvStatsItem *) item, (const EvStatsItem *) stored, stored_periods);
	item->used = true;
}

/* Makes tables in new memory, and fills them from the file of the last shutdown. */
static void
make_tables(void)
{
	EvStatsFileHead head;

	shared->locks = GetNamedLWLockTranche(NAME);
	pg_atomic_init_u64(&shared->reset_at, (uint64) GetCurrentTimestamp());
	for (int kind = 0; kind < EV_STATS_KINDS; kind++)
		for (int partition = 0; partition < EV_STATS_PARTITIONS; partition++)
			ev_table_init(table_of(kind, partition), item_count(), item_size(kind));
	if (!ev_stats_file_read(&head, restore))
		return;
	pg_atomic_write_u64(&shared->reset_at, (uint64) head.reset_at);
	for (int kind = 0; kind < EV_STATS_KINDS; kind++)
		table_of(kind, 0)->evicted += head.evicted[kind];
}

static void
attach_memory(void)
{
	bool		found;

	if (previous_startup_hook)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct(NAME, shared_size(), &found);
	find_tables();
	if (!found)
		make_tables();
	LWLockRelease(AddinShmemInitLock);
	if (!IsUnderPostmaster)
		on_shmem_exit(shut_down, (Datum) 0);
	ev_stats_on = true;
	ev_watchers |= EV_WATCH_STATISTICS;
}

void
ev_shared_stats_init(void)
{
	bool		preloaded = process_shared_preload_libraries_in_progress;

	/* without shared memory they mean nothing, but a file may set them */
	GucContext	context = preloaded ? PGC_POSTMASTER : PGC_SIGHUP;

	DefineCustomIntVariable("event_validate.stats_max",
							"Sets the maximum number of rows of event_validation_stats, and of event_validation_failures.",
							"The least used ones leave first.",
							&stats_max, 1000, 100, 1000000, context, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("event_validate.stats_history_hours",
							"Sets the number of hours that event_validation_stats_history shows.",
							NULL, &periods[EV_HOURS], 48, 0, 9600, context, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("event_validate.stats_history_days",
							"Sets the number of days that event_validation_stats_daily shows.",
							NULL, &periods[EV_DAYS], 30, 0, 3660, context, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("event_validate.track_timing",
							 "Measures the time that validations take, for event_validation_stats.",
							 NULL, &ev_track_timing, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("event_validate.track_failures",
							 "Counts what is wrong with events that are not valid, for event_validation_failures.",
							 NULL, &ev_track_failures, true, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("event_validate.track_samples",
							 "Keeps a message for each row of event_validation_failures, which quotes an event.",
							 NULL, &ev_track_samples, false, PGC_SUSET, 0, NULL, NULL, NULL);
	if (!preloaded)
		return;
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = attach_memory;
}
