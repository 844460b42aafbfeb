/*
 * tally.h
 *	  What this session has validated, for those that watch one command: its
 *	  progress (progress.h), and EXPLAIN (explain_events.h).
 *
 * The same places count as for the statistics (verdict.h), which need not be on.
 */
#ifndef EV_TALLY_H
#define EV_TALLY_H

#include "portability/instr_time.h"

/* Numbers that only grow while there is a watcher. */
typedef struct EvTally
{
	uint64		validations;
	uint64		invalid;
	uint64		nanoseconds;	/* of those that were measured */
} EvTally;

/* Those that watch. */
#define EV_WATCH_STATISTICS	0x01	/* for the life of the process */
#define EV_WATCH_PROGRESS	0x02	/* until the command ends */
#define EV_WATCH_EXPLAIN	0x04	/* until the transaction ends */
#define EV_WATCH_TIME		0x08	/* the same; time is measured */

/*
 * Which watchers there are: if none, a validation does nothing but validate.  The
 * tally is kept for all of them but EV_WATCH_STATISTICS.
 */
extern int	ev_watchers;
#define EV_WATCH_TALLY	(EV_WATCH_PROGRESS | EV_WATCH_EXPLAIN | EV_WATCH_TIME)

extern EvTally ev_tally;

/* Called for each validation while EV_WATCH_PROGRESS is set; NULL otherwise. */
extern void (*ev_tally_progress) (bool valid);

/* Adds a validation. */
static inline void
ev_tally_add(bool valid)
{
	ev_tally.validations++;
	if (!valid)
		ev_tally.invalid++;
	if ((ev_watchers & EV_WATCH_PROGRESS) != 0)
		ev_tally_progress(valid);
}

#endif							/* EV_TALLY_H */
