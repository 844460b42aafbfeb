/*
 * shared_stats.h
 *	  The statistics of all backends, in shared memory.
 *
 * There are two kinds of items: the counts of a origin of events (EvStatsItem),
 * and those of one violation (EvFailureItem).  Each kind is divided into
 * partitions, each with a lock and a table of its own.
 */
#ifndef EV_SHARED_STATS_H
#define EV_SHARED_STATS_H

#include "datatype/timestamp.h"
#include "stats/stats_table.h"

/* Longer texts are cut at a character. */
#define EV_STATS_TYPE		512
#define EV_STATS_LOCATION	256
#define EV_STATS_KEYWORD	32
#define EV_STATS_SAMPLE		256

#define EV_STATS_PARTITIONS	16

/* What is counted. */
typedef enum EvCount
{
	EV_VALID,
	EV_INVALID,					/* refused, or one of the next two */
	EV_WARNED,					/* kept by a guard that warns */
	EV_QUARANTINED,				/* diverted by a guard */
	EV_REPLAYED,				/* moved from the quarantine to its table */
	EV_BYPASSED,				/* rows that passed a guard unseen */
	EV_COUNTS
} EvCount;

/* Why an event is not valid. */
typedef enum EvFailureReason
{
	EV_FAILED_KEYWORD,			/* of its schema */
	EV_FAILED_UNREGISTERED,		/* its type and version */
	EV_FAILED_NULL,				/* its data, type or version is NULL */
	EV_FAILED_UNREADABLE,		/* not JSON, or an expression or a limit
								 * failed */
	EV_FAILURE_REASONS
} EvFailureReason;

/* What events are counted together.  In a backend, text points to the type. */
typedef struct EvStatsOrigin
{
	Oid			database;
	Oid			role;
	Oid			relation;		/* InvalidOid: not known */
	int32		version;
	bool		has_type;
	bool		has_version;
	uint16		type_length;
	int16		encoding;		/* of the database */
	bool		is_registered;	/* were type and version registered, at some
								 * time?  Not compared */
	const char *type;
} EvStatsOrigin;

/* The same in shared memory. */
typedef struct EvStatsKey
{
	EvStatsOrigin origin;		/* without the pointer */
	char		type[EV_STATS_TYPE];
} EvStatsKey;

/* What the history is divided into; each has a ring in each item. */
typedef enum EvSpan
{
	EV_HOURS,
	EV_DAYS,					/* of UTC */
	EV_SPANS
} EvSpan;

/* The counts of one hour or day. */
typedef struct EvPeriod
{
	pg_atomic_uint64 number;	/* an int64, since 2000-01-01 00:00 UTC; 0:
								 * unused */
	pg_atomic_uint64 counts[EV_COUNTS];
} EvPeriod;

typedef struct EvStatsItem
{
	EvTableItem item;
	EvStatsKey	key;
	TimestampTz since;			/* when it was made */
	pg_atomic_uint64 counts[EV_COUNTS];
	pg_atomic_uint64 timed;		/* number of validations with a time */
	pg_atomic_uint64 nanoseconds;	/* that these took */
	pg_atomic_uint64 first_invalid; /* TimestampTz; 0: none */
	pg_atomic_uint64 last_invalid;
	EvPeriod	history[FLEXIBLE_ARRAY_MEMBER]; /* rings: hours, then days */
} EvStatsItem;

typedef struct EvFailureItem
{
	EvTableItem item;
	EvStatsKey	key;
	EvFailureReason reason;
	uint16		location_length;
	uint16		sample_length;
	char		keyword[EV_STATS_KEYWORD];
	char		location[EV_STATS_LOCATION];
	char		sample[EV_STATS_SAMPLE];
	pg_atomic_uint64 events;
	pg_atomic_uint64 first;		/* TimestampTz */
	pg_atomic_uint64 last;
} EvFailureItem;

/* Counts that a backend adds at once. */
typedef struct EvPending
{
	uint64		counts[EV_COUNTS];
	uint64		timed;
	uint64		nanoseconds;
	TimestampTz first_invalid;	/* 0: none */
	TimestampTz last_invalid;
} EvPending;

/* A violation, as it is counted. */
typedef struct EvFailure
{
	EvFailureReason reason;
	const char *keyword;		/* "" unless the reason is a keyword */
	const char *location;		/* JSON Pointer, folded */
	const char *sample;			/* NULL: none */
} EvFailure;

/* Both kinds of items. */
typedef enum EvStatsKind
{
	EV_STATS_VERDICTS,
	EV_STATS_FAILURES,
	EV_STATS_KINDS
} EvStatsKind;

/*
 * Are there statistics?  True only in processes of a server that loaded the
 * library by shared_preload_libraries.
 */
extern bool ev_stats_on;

/* event_validate.track_timing, ..._failures, ..._samples */
extern bool ev_track_timing;
extern bool ev_track_failures;
extern bool ev_track_samples;

/* Defines the settings, and asks for shared memory if that is possible; for _PG_init. */
extern void ev_shared_stats_init(void);

/* Returns a hash of a origin. */
extern uint64 ev_origin_hash(const EvStatsOrigin *origin);

/*
 * Add counts to those of a origin, and one event to those of a violation.
 * Allocate nothing and raise no error.  The hash is ev_origin_hash().
 */
extern void ev_shared_stats_add(const EvStatsOrigin *origin, uint64 hash, const EvPending *pending);
extern void ev_shared_stats_fail(const EvStatsOrigin *origin, uint64 hash, const EvFailure *failure, TimestampTz now);

/* The length of a period, in microseconds, and the number of periods in each ring. */
extern int64 ev_stats_span_length(EvSpan span);
extern int	ev_stats_periods(EvSpan span);

/* Returns the number of the period of a time; before 2000 it is negative. */
extern int64 ev_stats_period(EvSpan span, TimestampTz time);

/* Returns the number of the period that a place has; 0: none. */
static inline int64
ev_stats_period_number(const EvPeriod *place)
{
	return (int64) pg_atomic_read_u64((pg_atomic_uint64 *) &place->number);
}

/* Returns a ring of an item. */
extern EvPeriod *ev_stats_ring(EvStatsItem *item, EvSpan span);

/* Copies a partition to CurrentMemoryContext. */
extern EvTable *ev_shared_stats_copy(EvStatsKind kind, int partition);

/* Returns the number of items of a kind that others displaced, and when all were reset. */
extern int64 ev_shared_stats_evicted(EvStatsKind kind);
extern TimestampTz ev_shared_stats_reset_at(void);

/*
 * Removes the items of a database (InvalidOid: all), of an event type (NULL: all)
 * and of a version (NULL: all).
 */
extern void ev_shared_stats_reset(Oid database, const char *type, const int32 *version);

#endif							/* EV_SHARED_STATS_H */
