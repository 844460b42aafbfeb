/*
 * event_checks.h
 *	  Expressions over the rows of a table, as SQL.
 */
#ifndef EV_EVENT_CHECKS_H
#define EV_EVENT_CHECKS_H

#include "rows/row_expression.h"

/*
 * Returns the text's expression as SQL over one row of the relation, with
 * casts to jsonb, text or integer if needed, in CurrentMemoryContext.  It must
 * be used with the relation's own name (no alias), and under the current
 * search_path.
 *
 * If tolerant, the casts raise no errors: a document that is not jsonb is
 * returned as text, and a version outside int4 as -1.
 *
 * Raises the errors of ev_row_analyze() and, before it locks the relation,
 * those of ev_require_any_privilege().
 */
extern char *ev_row_expression(Oid relation, const char *text, EvRowPart part, bool tolerant);

/*
 * Returns the same expression analyzed, without a CASE for large versions.  Keeps no
 * lock.
 */
extern Node *ev_row_meant(Oid relation, const char *text, EvRowPart part, bool tolerant);

#endif							/* EV_EVENT_CHECKS_H */
