/*
 * rollout.h
 *	  Expressions over the rows of a table, given as text.
 */
#ifndef EV_ROLLOUT_H
#define EV_ROLLOUT_H

/* What an expression is for. */
typedef enum EvRowPart
{
	EV_ROW_DATA,				/* the document: jsonb, json or text */
	EV_ROW_TYPE,				/* the event's type: text or an enum */
	EV_ROW_VERSION				/* the schema version: an integer */
} EvRowPart;

/*
 * What the text says as SQL over one row of the relation, with casts to jsonb,
 * text or integer where they are needed, in CurrentMemoryContext.  The text is
 * the name of a column, or else an expression, which is parsed as in a CHECK
 * constraint and written out anew: it cannot be more than one expression.  It
 * is to be used with the relation's own name (no alias), and under the
 * search_path of now.
 *
 * Where it is to be tolerant, no row makes the casts raise: a document that is
 * not jsonb comes as text, and a version beyond int4 as -1.
 *
 * Raises undefined_column, datatype_mismatch, and what the parser raises.  The
 * caller has a lock on the relation, or takes what comes.
 */
extern char *ev_row_expression(Oid relation, const char *text, EvRowPart part, bool tolerant);

#endif							/* EV_ROLLOUT_H */
