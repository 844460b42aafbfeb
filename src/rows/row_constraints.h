/*
 * row_constraints.h
 *	  Would the table have accepted a row if its event had been valid?
 */
#ifndef EV_ROW_CONSTRAINTS_H
#define EV_ROW_CONSTRAINTS_H

#include "access/htup.h"
#include "utils/rel.h"

/* The constraints of a relation, compiled for a query. */
typedef struct EvRowConstraints EvRowConstraints;

/* What is to happen to a row. */
typedef enum EvRowUse
{
	EV_ROW_INSERTED,			/* by a guard, later; its event is not valid */
	EV_ROW_UPDATED,				/* its generated columns are computed */
	EV_ROW_MOVED				/* the same, perhaps to another partition */
} EvRowUse;

/*
 * Raises not_null_violation or check_violation, like PostgreSQL, if a
 * constraint of a table would reject a row, and the errors of expressions in
 * constraints and generated columns.  They run as the current user.  CHECK
 * constraints that check an event by functions of the extension are skipped,
 * see row_constraints.c.
 *
 * *kept is initially NULL.  It receives the compiled constraints, in the
 * context, for other rows of the same relation in the same query.
 */
extern void ev_row_check_constraints(EvRowConstraints **kept, MemoryContext context, Relation relation,
									 HeapTuple row, EvRowUse use);

/*
 * Returns the expressions that this evaluates, in CurrentMemoryContext: terms of CHECK
 * constraints and generated columns, without the bounds of a partition.
 */
extern List *ev_row_expressions(Relation relation);

/* Has a table CHECK constraints that this evaluates, at least in part? */
extern bool ev_row_has_other_constraints(Relation relation);

#endif							/* EV_ROW_CONSTRAINTS_H */
