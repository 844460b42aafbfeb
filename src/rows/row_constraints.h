/*
 * row_constraints.h
 *	  Would the table have stored a row, had its event been valid?
 */
#ifndef EV_ROW_CONSTRAINTS_H
#define EV_ROW_CONSTRAINTS_H

#include "access/htup.h"
#include "utils/rel.h"

/* The constraints of a relation, compiled for a query. */
typedef struct EvRowConstraints EvRowConstraints;

/*
 * Raises not_null_violation or check_violation, as PostgreSQL does, where a
 * constraint on a table would refuse a row of it; and what the constraints'
 * expressions and those of generated columns raise.  They run as the current
 * user.  CHECK constraints that check an event by functions of the extension
 * are not asked, see row_constraints.c.
 *
 * *kept is NULL at first.  What is compiled is kept there, in the context, for
 * other rows of the same relation in the same query.
 */
extern void ev_row_check_constraints(EvRowConstraints **kept, MemoryContext context, Relation relation,
									 HeapTuple row);

#endif							/* EV_ROW_CONSTRAINTS_H */
