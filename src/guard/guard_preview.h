/*
 * guard_preview.h
 *	  The effect that a new guard would have had on the last rows of its
 *	  table.
 */
#ifndef EV_GUARD_PREVIEW_H
#define EV_GUARD_PREVIEW_H

/*
 * Reports in a NOTICE how many of the last rows of a table, or of its
 * partitions, the table's guard does not accept.  Reports nothing if the table
 * is empty, if the caller does not own it, or if the rows could not be read in
 * a short time.  Raises only errors of cancel requests.
 */
extern void ev_guard_preview(Oid table);

#endif							/* EV_GUARD_PREVIEW_H */
