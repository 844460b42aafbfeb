/*
 * verdict.h
 *	  The one place that sees each verdict on an event.
 *
 * All ways of validating come here, if there are statistics (ev_stats_on): schema
 * functions, validate_event, check_event, schemas passed as arguments, and guards.
 * Functions that explain (event_violations, event_report), audits, and the
 * validations of upcasts and migrations do not: their events are not new.
 *
 * A backend counts in its own memory (EvCounters).  The counts are added to those in
 * shared memory at the end of each transaction, whether it commits or not, and about
 * once a second during a long one.
 */
#ifndef EV_VERDICT_H
#define EV_VERDICT_H

#include "portability/instr_time.h"
#include "program/program.h"
#include "stats/shared_stats.h"
#include "stats/tally.h"

/* What a backend has counted of one origin and not added yet. */
typedef struct EvCounters
{
	EvPending	pending;
	EvStatsOrigin origin;
	uint64		hash;
	bool		is_dirty;		/* is in the list of those with counts */
	bool		is_transient;	/* is added at once */
	struct EvCounters *next;	/* in this list */
} EvCounters;

/* Registers the callback for the end of transactions; for _PG_init. */
extern void ev_verdict_init(void);

/*
 * Returns the counters of events of the current user.  They live as long as the
 * session.  The name has the type at its beginning, and is never freed; NULL: there
 * is no type and no version.  The relation is InvalidOid where it is not known.
 */
extern EvCounters *ev_counters(Oid relation, const char *name, int type_length, int32 version);

/*
 * The same for an event whose schema is not known; type and version can be NULL.
 * They are in CurrentMemoryContext, and what is counted in them is added at once.
 */
extern EvCounters *ev_transient_counters(Oid relation, const text *type, const int32 *version);

/* For the functions below: notes that there are counts, and adds them if it is time. */
extern void ev_counters_touch(EvCounters *counters);

/* Counts an event. */
static inline void
ev_count(EvCounters *counters, EvCount what)
{
	counters->pending.counts[what]++;
	ev_counters_touch(counters);
}

/* The clock is read after so many valid events. */
#define EV_TOUCH_EVERY	64

static inline void
ev_count_valid(EvCounters *counters)
{
	if (unlikely(counters->pending.counts[EV_VALID]++ % EV_TOUCH_EVERY == 0))
		ev_counters_touch(counters);
}

/*
 * Count an event that is not valid: one that the program rejected, with the keywords
 * that it violates, and another one.  The first raises query_canceled at most.
 */
extern void ev_count_invalid(EvCounters *counters, const EvProgram *program, const Jsonb *data);
extern void ev_count_failed(EvCounters *counters, EvFailureReason reason);

/* Is the time of validations measured? */
static inline bool
ev_verdict_is_timed(void)
{
	return (ev_track_timing && ev_stats_on) || (ev_watchers & EV_WATCH_TIME) != 0;
}

/*
 * Counts the time since the start of a validation.  The caller counts the event,
 * too.  The counters are NULL without statistics.
 */
extern void ev_count_time(EvCounters *counters, const instr_time *start);

#endif							/* EV_VERDICT_H */
