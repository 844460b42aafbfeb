/*
 * row_rights.h
 *	  Could the current user have inserted a row if it had been valid?
 */
#ifndef EV_ROW_RIGHTS_H
#define EV_ROW_RIGHTS_H

#include "access/htup.h"
#include "utils/rel.h"

/*
 * Returns NULL if the current user has the privilege to insert the row for
 * which a BEFORE INSERT trigger is called, and the policies of row security
 * allow it; otherwise the reason, in CurrentMemoryContext.  The row belongs to
 * the relation, which is the table or a partition of it; rights on either are
 * enough.
 *
 * Evaluates policies as the current user, and raises their errors.  SPI must
 * not be connected.
 */
extern char *ev_row_why_not_insert(Relation relation, Oid table, HeapTuple row);

/*
 * Can the row for which a BEFORE INSERT trigger of the relation is called come
 * from another partition, moved by an UPDATE of the current user or of a
 * foreign key?
 */
extern bool ev_row_may_be_moved(Relation relation);

/*
 * Can the current user have given a value for one of the columns (names) of the row for which a
 * BEFORE INSERT trigger of the relation is called?  By the privilege on a table that the row can come
 * through, or through a view or a rule that has the column.  SPI must not be connected.
 */
extern bool ev_row_may_be_given(Relation relation, List *columns);

/*
 * May the current user read all columns of the row, in the relation or in the table
 * that it is a partition of?  Evaluates policies, as above.
 */
extern bool ev_row_may_read(Relation relation, HeapTuple row);

#endif							/* EV_ROW_RIGHTS_H */
