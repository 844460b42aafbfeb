/*
 * row_json.h
 *	  A row as jsonb that can become the same row again.
 */
#ifndef EV_ROW_JSON_H
#define EV_ROW_JSON_H

#include "access/htup.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

/*
 * The row of a relation as an object with a member for each column, in
 * CurrentMemoryContext.
 *
 *	numbers, booleans	as such (NaN and infinities as strings)
 *	jsonb				the document itself; an SQL NULL is left out, as null
 *						is a document
 *	json				the document where jsonb holds all of it, else its text
 *						as a string; an SQL NULL is left out
 *	all else			a string: the type's text form, that can be read back
 *						under ev_row_pin_settings; null for an SQL NULL
 *
 * Generated columns are left out.
 */
extern Jsonb *ev_row_to_jsonb(Relation relation, HeapTuple row);

/*
 * SQL that makes rows out of such objects: INSERT INTO the relation, with the
 * object as parameter $1.  Columns that the object lacks get their defaults
 * (json and jsonb columns that can be null: NULL).  Means the same under any
 * search_path.  In CurrentMemoryContext.  Raises invalid_parameter_value where
 * what is given is no object, as does ev_row_stray_member.
 */
extern char *ev_row_insert_command(Relation relation, Jsonb *row);

/*
 * Settings under which the command makes the row that it was.  The result is
 * for AtEOXact_GUC.
 */
extern int	ev_row_pin_settings(void);

/*
 * The name of a member that is no column of the relation and not null, which
 * the command would leave out; NULL where there is none.  In
 * CurrentMemoryContext.
 */
extern char *ev_row_stray_member(Relation relation, Jsonb *row);

/*
 * JSON text as jsonb, in CurrentMemoryContext; NULL, with what is wrong in
 * *fault, where its syntax is not JSON's.  Raises where jsonb cannot hold it
 * (a number out of range, a string too long).
 */
extern Jsonb *ev_jsonb_from_text(const text *json, char **fault);

#endif							/* EV_ROW_JSON_H */
