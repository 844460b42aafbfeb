/*
 * row_key.h
 *	  A row's primary key, for errors about the row.
 */
#ifndef EV_ROW_KEY_H
#define EV_ROW_KEY_H

#include "access/htup.h"
#include "utils/rel.h"

/*
 * "(id)=(42)": the columns of the primary key and their values, escaped and cut as
 * values in messages are.  NULL where the table has no primary key, where a part of
 * it is not computed yet, or where the current user may not read its columns, also
 * because of row-level security.  In CurrentMemoryContext.
 */
extern char *ev_row_key(Relation relation, HeapTuple row);

#endif							/* EV_ROW_KEY_H */
