/*
 * replay_trial.h
 *	  The result of a dry run of a replay.
 */
#ifndef EV_REPLAY_TRIAL_H
#define EV_REPLAY_TRIAL_H

#include "guard/replay_row.h"
#include "utils/tuplestore.h"

/* Columns of the result of replay_event_quarantine(). */
enum
{
	EV_REPLAY_SCHEMA,
	EV_REPLAY_NAME,
	EV_REPLAY_REPLAYED,
	EV_REPLAY_REMAINING,
	EV_REPLAY_LAST_ID,
	EV_REPLAY_PROBLEM,
	EV_REPLAY_EVENT,
	EV_REPLAY_STORED,
	EV_REPLAY_VIOLATIONS,
	EV_REPLAY_COLUMNS
};

/*
 * Begins a trial, in CurrentMemoryContext: the rows of the result, of this shape, for
 * events that are tried.  It is begun before the subtransaction that is rolled
 * back, since it must survive it.
 */
extern struct EvReplayTrial *ev_trial_start(TupleDesc shape);

/* Adds rows of a table that were tried, with the reasons why they stay. */
extern void ev_trial_put(struct EvReplayTrial *trial, const char *schema, const char *name,
						 const EvReplayRow *rows, int count);

/*
 * Ends a table: the rows of one with a problem of its own are not kept.  Does nothing
 * without a trial.
 */
extern void ev_trial_end_table(struct EvReplayTrial *trial, bool keep);

/* Moves the rows of all tables to the result. */
extern void ev_trial_end(struct EvReplayTrial *trial, Tuplestorestate *result);

#endif							/* EV_REPLAY_TRIAL_H */
