/*
 * verdict.c
 *	  The one place that sees each verdict on an event.
 *
 * An event that is not valid matters more than its cost: the program that rejected
 * it runs once more, to count the keywords that it violates, and these are added to
 * shared memory at once.
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/event_log.h"
#include "base/row_fault.h"
#include "base/shown_text.h"
#include "match/interpret.h"
#include "stats/failure_location.h"
#include "stats/verdict.h"

/* Counts are added to shared memory when they are older. */
#define PENDING_MS		1000

/* Violations of an event that are looked at, and counted if they differ. */
#define SEEN_VIOLATIONS		50
#define COUNTED_VIOLATIONS	10

/* Of counters in a session.  A name has one address (EvSchema.name). */
typedef struct CountersKey
{
	const char *name;
	Oid			relation;
	Oid			role;
} CountersKey;

typedef struct KnownCounters
{
	CountersKey key;			/* hash key, must be the first member */
	EvCounters	counters;
} KnownCounters;

static HTAB *known = NULL;
static EvCounters *dirty = NULL;	/* those with counts */
static TimestampTz pending_until = 0;	/* when these must be added */

/* ---------- adding ---------- */

static void
add(EvCounters *counters)
{
	ev_shared_stats_add(&counters->origin, counters->hash, &counters->pending);
	memset(&counters->pending, 0, sizeof(EvPending));
}

static void
add_all(void)
{
	while (dirty != NULL)
	{
		EvCounters *counters = dirty;

		dirty = counters->next;
		counters->is_dirty = false;
		add(counters);
	}
}

/* When counts must be added that are pending since then. */
static TimestampTz
pending_since(TimestampTz start)
{
	return TimestampTzPlusMilliseconds(start, PENDING_MS);
}

void
ev_counters_touch(EvCounters *counters)
{
	TimestampTz now;

	if (counters->is_transient)
	{
		add(counters);
		return;
	}
	if (!counters->is_dirty)
	{
		/* the clock is not read for the first counts of a statement */
		if (dirty == NULL)
			pending_until = Max(pending_until, pending_since(GetCurrentStatementStartTimestamp()));
		counters->is_dirty = true;
		counters->next = dirty;
		dirty = counters;
		return;
	}
	now = GetCurrentTimestamp();
	/* or the clock was set back */
	if (now >= pending_until || pending_since(now) < pending_until)
	{
		add_all();
		pending_until = pending_since(now);
	}
}

static void
transaction_ended(XactEvent event, void *arg pg_attribute_unused())
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
		case XACT_EVENT_PREPARE:
			add_all();
			break;
		default:
			break;
	}
}

void
ev_verdict_init(void)
{
	RegisterXactCallback(transaction_ended, NULL);
}

/* ---------- origins ---------- */

static void
set_origin(EvCounters *counters, Oid relation)
{
	memset(counters, 0, sizeof(EvCounters));
	counters->origin.database = MyDatabaseId;
	counters->origin.role = GetUserId();
	counters->origin.relation = relation;
	counters->origin.encoding = GetDatabaseEncoding();
	counters->origin.type = "";
}

EvCounters *
ev_counters(Oid relation, const char *name, int type_length, int32 version)
{
	CountersKey key = {.name = name, .relation = relation, .role = GetUserId()};
	KnownCounters *entry;
	EvCounters *counters;
	bool		found;

	if (known == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(CountersKey), .entrysize = sizeof(KnownCounters)};

		control.hcxt = TopMemoryContext;
		known = hash_create("event_validate counters", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(known, &key, HASH_ENTER, &found);
	counters = &entry->counters;
	if (found)
		return counters;
	set_origin(counters, relation);
	if (name != NULL)
	{
		counters->origin.has_type = counters->origin.has_version = counters->origin.is_registered = true;
		counters->origin.type = name;
		counters->origin.type_length = type_length;
		counters->origin.version = version;
	}
	counters->hash = ev_origin_hash(&counters->origin);
	return counters;
}

EvCounters *
ev_transient_counters(Oid relation, const text *type, const int32 *version)
{
	EvCounters *counters = palloc(sizeof(EvCounters));

	set_origin(counters, relation);
	counters->is_transient = true;
	if (type != NULL)
	{
		int			length = VARSIZE_ANY_EXHDR(type);

		counters->origin.has_type = true;
		counters->origin.type = VARDATA_ANY(type);
		counters->origin.type_length = length <= EV_STATS_TYPE ? length : pg_mbcliplen(VARDATA_ANY(type), length, EV_STATS_TYPE);
	}
	if (version != NULL)
	{
		counters->origin.has_version = true;
		counters->origin.version = *version;
	}
	counters->hash = ev_origin_hash(&counters->origin);
	return counters;
}

/* ---------- events that are not valid ---------- */

/* Returns the time. */
static TimestampTz
count_invalid(EvCounters *counters)
{
	EvPending  *pending = &counters->pending;
	TimestampTz now = GetCurrentTimestamp();

	pending->last_invalid = now;
	/* the clock can be set back */
	if (pending->first_invalid == 0 || pending->first_invalid > now)
		pending->first_invalid = now;
	ev_count(counters, EV_INVALID);
	return now;
}

void
ev_count_failed(EvCounters *counters, EvFailureReason reason)
{
	EvFailure	failure = {.reason = reason, .keyword = "",.location = ""};
	TimestampTz now = count_invalid(counters);

	if (ev_track_failures)
		ev_shared_stats_fail(&counters->origin, counters->hash, &failure, now);
}

typedef struct FailureCollector
{
	EvCollector collector;
	const EvCounters *counters;
	TimestampTz now;
	MemoryContext context;		/* for the strings */
	int			count;
	const char *keywords[COUNTED_VIOLATIONS];
	const char *locations[COUNTED_VIOLATIONS];
} FailureCollector;

/* Counts a violation, unless one with this keyword and location was counted for the event. */
static void
count_violation(EvCollector *collector, const EvViolation *violation)
{
	FailureCollector *failures = (FailureCollector *) collector;
	EvFailure	failure = {.reason = EV_FAILED_KEYWORD, .keyword = violation->keyword};
	MemoryContext caller;

	if (failures->count == COUNTED_VIOLATIONS)
		return;
	caller = MemoryContextSwitchTo(failures->context);
	failure.location = ev_failure_location(violation->instance_location, violation->keyword_location);
	for (int i = 0; i < failures->count; i++)
		if (strcmp(failures->keywords[i], failure.keyword) == 0 && strcmp(failures->locations[i], failure.location) == 0)
		{
			MemoryContextSwitchTo(caller);
			return;
		}
	failures->keywords[failures->count] = pstrdup(failure.keyword);
	failures->locations[failures->count++] = failure.location;
	if (violation->message != NULL)
		failure.sample = psprintf("%s: %s", ev_location_show(violation->instance_location), violation->message);
	ev_shared_stats_fail(&failures->counters->origin, failures->counters->hash, &failure, failures->now);
	MemoryContextSwitchTo(caller);
}

/*
 * The event was rejected without an error.  If explaining it exceeds a limit, it stays
 * rejected for its keywords so far.  No subtransaction is needed, since matching only
 * computes.
 */
static void
count_violations(const EvCounters *counters, const EvProgram *program, const Jsonb *data, TimestampTz now)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "event_validate failures", ALLOCSET_DEFAULT_SIZES);
	FailureCollector failures = {
		.collector = {.add = count_violation, .limit = SEEN_VIOLATIONS,
			.wants_no_messages = !(ev_track_samples && ev_quote_values),
		.skips_valid = !program->remembers},
		.counters = counters, .now = now, .context = context
	};

	PG_TRY();
	{
		MemoryContextSwitchTo(context);
		ev_match_collect(program, data, &failures.collector);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (!ev_is_row_fault(error->sqlerrcode, EV_WORK_VALIDATE))
			PG_RE_THROW();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

void
ev_count_invalid(EvCounters *counters, const EvProgram *program, const Jsonb *data)
{
	TimestampTz now = count_invalid(counters);

	if (ev_track_failures)
		count_violations(counters, program, data, now);
}

/* ---------- time ---------- */

void
ev_count_time(EvCounters *counters, const instr_time *start)
{
	instr_time	end;
	uint64		nanoseconds;

	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, *start);
	nanoseconds = (uint64) (INSTR_TIME_GET_DOUBLE(end) * 1000000000.0);
	if ((ev_watchers & EV_WATCH_TIME) != 0)
		ev_tally.nanoseconds += nanoseconds;
	if (counters == NULL || !ev_track_timing)
		return;
	counters->pending.timed++;
	counters->pending.nanoseconds += nanoseconds;
}
