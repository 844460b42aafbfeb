/*
 * event_checks.h
 *	  Expressions over the rows of a table, as SQL.
 */
#ifndef EV_EVENT_CHECKS_H
#define EV_EVENT_CHECKS_H

#include "rows/row_expression.h"

/*
 * What the text says as SQL over one row of the relation, with casts to jsonb,
 * text or integer where they are needed, in CurrentMemoryContext.  It is to be
 * used with the relation's own name (no alias), and under the search_path of
 * now.
 *
 * Where it is to be tolerant, no row makes the casts raise: a document that is
 * not jsonb comes as text, and a version beyond int4 as -1.
 *
 * Raises what ev_row_analyze raises; and, before it locks the relation, what
 * ev_require_any_privilege raises.
 */
extern char *ev_row_expression(Oid relation, const char *text, EvRowPart part, bool tolerant);

#endif							/* EV_EVENT_CHECKS_H */
