/*
 * migrate_failures.h
 *	  Events that migrate_events does not migrate, by reason.
 */
#ifndef EV_MIGRATE_FAILURES_H
#define EV_MIGRATE_FAILURES_H

#include "rollout/audit.h"
#include "nodes/pg_list.h"

/* Starts empty. */
typedef struct EvFailures
{
	MemoryContext context;		/* of all of them */
	List	   *kinds;
} EvFailures;

/* Adds a violation of a row, given by its name, with a version. */
extern void ev_failures_note(EvFailures *failures, int32 version, const char *row, const EvKind *kind);

/*
 * Returns a line for each kind, with samples, the most frequent first; in
 * CurrentMemoryContext.  Where event_validate.show_values was off for a failure,
 * its line names the keyword and no row.
 */
extern char *ev_failures_lines(EvFailures *failures);

#endif							/* EV_MIGRATE_FAILURES_H */
