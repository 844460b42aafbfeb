/*
 * guard_preview.h
 *	  Counts how many of the last rows of a table a new guard would not have
 *	  accepted.
 */
#ifndef EV_GUARD_PREVIEW_H
#define EV_GUARD_PREVIEW_H

/*
 * Reports in a NOTICE how many of the last rows of a table, or of its
 * partitions, its guard does not accept.  `name` is the name of the guard's
 * trigger.  Reports nothing if the table is empty, if the caller does not own
 * it, if the expressions of the guard run users' code, or if the rows could
 * not be read in a short time.  Raises only errors of cancel requests.
 */
extern void ev_guard_preview(Oid table, const char *name);

#endif							/* EV_GUARD_PREVIEW_H */
