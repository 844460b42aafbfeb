/*
 * migrate_failures.h
 *	  The events that migrate_events leaves as they are, by the reason why.
 */
#ifndef EV_MIGRATE_FAILURES_H
#define EV_MIGRATE_FAILURES_H

#include "rollout/audit.h"
#include "nodes/pg_list.h"

/* Starts with no kinds. */
typedef struct EvFailures
{
	MemoryContext context;		/* of all of them */
	List	   *kinds;
} EvFailures;

/* Adds a violation of a row, which is called so, of a version. */
extern void ev_failures_note(EvFailures *failures, int32 version, const char *row, const EvKind *kind);

/* A line for each kind, with samples, the most frequent first; in CurrentMemoryContext. */
extern char *ev_failures_lines(EvFailures *failures);

#endif							/* EV_MIGRATE_FAILURES_H */
