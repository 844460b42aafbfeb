/*
 * row_rights.h
 *	  Could the current user have inserted a row, had it been valid?
 */
#ifndef EV_ROW_RIGHTS_H
#define EV_ROW_RIGHTS_H

#include "access/htup.h"
#include "utils/rel.h"

/*
 * NULL where the current user has the privilege to insert the row that a BEFORE
 * INSERT trigger is called for, and the policies of row security let it in; else
 * why not, in CurrentMemoryContext.  The row is one of the relation, which is
 * the table or a partition of it: either will do.
 *
 * Evaluates policies, as the current user, and raises what these raise.  Needs
 * SPI not connected.
 */
extern char *ev_row_why_not_insert(Relation relation, Oid table, HeapTuple row);

#endif							/* EV_ROW_RIGHTS_H */
