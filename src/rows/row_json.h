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
 * Returns a row of a relation as an object with a member for each column, in
 * CurrentMemoryContext.
 *
 * numbers, booleans	unchanged (NaN and infinities as strings)
 * jsonb				the document itself; an SQL NULL is left out, since null
 * 					is a document
 * json				the document if jsonb keeps all of it, otherwise its text
 * 					as a string; an SQL NULL is left out
 * all others			a string with the type's text form, which can be read
 * 					back under ev_row_pin_settings; null for an SQL NULL
 *
 * Generated columns are left out.
 */
extern Jsonb *ev_row_to_jsonb(Relation relation, HeapTuple row);

/*
 * Returns SQL that inserts such an object into the relation as a row;
 * parameter $1 is the object.  Columns that the object lacks get their
 * defaults (nullable json and jsonb columns: NULL).  It means the same under
 * any search_path.  In CurrentMemoryContext.  Like ev_row_stray_member, raises
 * invalid_parameter_value if the value is not an object.
 */
extern char *ev_row_insert_command(Relation relation, Jsonb *row);

/*
 * Sets the settings under which the command restores the original row.  The
 * result is for AtEOXact_GUC.
 */
extern int	ev_row_pin_settings(void);

/*
 * Returns the name of a member that is not null and is not a column of the
 * relation; the command would leave it out.  Returns NULL if there is none.
 * In CurrentMemoryContext.
 */
extern char *ev_row_stray_member(Relation relation, Jsonb *row);

/*
 * Parses JSON text as jsonb, in CurrentMemoryContext.  Returns NULL, with a
 * message in *fault, for a syntax error.  Raises an error if jsonb cannot
 * store it (a number out of range, a string too long).
 */
extern Jsonb *ev_jsonb_from_text(const text *json, char **fault);

#endif							/* EV_ROW_JSON_H */
