/*
 * row_key.h
 *	  A row's primary key, for errors about the row.
 */
#ifndef EV_ROW_KEY_H
#define EV_ROW_KEY_H

#include "access/htup.h"
#include "utils/rel.h"

/*
 * Returns "(id)=(42)": the columns of the primary key and their values,
 * escaped and cut like all values in messages.  Returns NULL if the table has
 * no primary key, if a column of it is not computed yet, or if the current
 * user may not read its columns, for example because of row-level security.
 * In CurrentMemoryContext.
 */
extern char *ev_row_key(Relation relation, HeapTuple row);

#endif							/* EV_ROW_KEY_H */
