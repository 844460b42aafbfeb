/*
 * moved_rows.h
 *	  Was an event that is inserted in its table before?
 */
#ifndef EV_MOVED_ROWS_H
#define EV_MOVED_ROWS_H

#include "access/htup.h"
#include "guard/guard_call.h"
#include "utils/rel.h"

typedef enum EvMove
{
	EV_NOT_MOVED,				/* this transaction has deleted no row of the
								 * table */
	EV_MOVED,					/* the event was in the table before */
	EV_PERHAPS_MOVED			/* rows were deleted; this one was not found */
} EvMove;

/*
 * Looks for an event that is about to be inserted into a relation of a guard
 * among the rows of the partitions and children from which this transaction has
 * deleted rows.  Scans each of these tables at most once in a statement of the
 * client.
 */
extern EvMove ev_row_move(const EvGuard *guard, Relation relation, HeapTuple row);

#endif							/* EV_MOVED_ROWS_H */
