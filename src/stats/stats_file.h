/*
 * stats_file.h
 *	  The file that keeps the statistics while the server is down.
 */
#ifndef EV_STATS_FILE_H
#define EV_STATS_FILE_H

#include "stats/shared_stats.h"

/* What the file says of itself. */
typedef struct EvStatsFileHead
{
	uint32		magic;
	uint32		server;			/* major version of PostgreSQL */
	uint32		sizes[EV_STATS_KINDS];	/* of an item, without its history */
	int			periods[EV_SPANS];	/* in each item of the first kind */
	int64		counts[EV_STATS_KINDS]; /* of items */
	int64		evicted[EV_STATS_KINDS];
	TimestampTz reset_at;
} EvStatsFileHead;

/*
 * Writes all used items.  For the postmaster, when no other process is left.  An
 * error is only logged.
 */
extern void ev_stats_file_write(EvTable *(*table_of) (EvStatsKind kind, int partition), const int *periods, TimestampTz reset_at);

/*
 * Reads the file, calls `restore` for each item, and removes the file: after a crash,
 * there is none.  Returns false if there was none, or if it is of another
 * version or damaged; then `restore` was not called.  The memory of an item is that
 * of the file: its hours and days may be more or fewer than those in shared memory.
 */
extern bool ev_stats_file_read(EvStatsFileHead *head, void (*restore) (EvStatsKind kind, const EvTableItem *item, const int *periods));

#endif							/* EV_STATS_FILE_H */
