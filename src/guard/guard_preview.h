/*
 * guard_preview.h
 *	  What a new guard would have done with the rows that came last.
 */
#ifndef EV_GUARD_PREVIEW_H
#define EV_GUARD_PREVIEW_H

/*
 * Says in a NOTICE how many of the last rows of a table, or of its partitions,
 * the table's guard does not accept.  Says nothing where the table is empty,
 * where the caller does not own it, or where the rows could not be read in a
 * short time.  Raises nothing but the answer to a cancel.
 */
extern void ev_guard_preview(Oid table);

#endif							/* EV_GUARD_PREVIEW_H */
