/*
 * guard_expression.h
 *	  What a guard reads from a row.
 */
#ifndef EV_GUARD_EXPRESSION_H
#define EV_GUARD_EXPRESSION_H

#include "rows/row_expression.h"
#include "utils/reltrigger.h"

/*
 * ev_row_analyze for a guard.  The result has the type text where the part is
 * EV_ROW_TYPE, int4 or int8 where it is EV_ROW_VERSION (int2 is cast), and
 * jsonb, json or a string type, or a domain over these, where it is
 * EV_ROW_DATA.  Raises also where a BEFORE trigger could not evaluate it: with
 * generated columns, system columns or the whole row.
 */
extern Node *ev_guard_expression(Relation relation, EvRowPart part, const char *text);

/* The same, with nothing but pg_catalog in the search_path. */
extern Node *ev_guard_expression_pinned(Relation relation, EvRowPart part, const char *text);

/*
 * The same for an expression over the relation's rows (Vars of varno 1) that is
 * analyzed already.  It is copied.
 */
extern Node *ev_guard_expression_analyzed(Relation relation, EvRowPart part, Node *expression);

/*
 * What the only CHECK constraint of the relation that calls check_event or
 * validate_event validates, if it is one such call: the operands, as
 * ev_guard_expression gives them, and the constraint's name.  NULL where there
 * is none or more than one.  All in CurrentMemoryContext.  Raises as
 * ev_guard_expression does.
 */
extern char *ev_guard_check_operands(Relation relation, Node **operands);

/*
 * The call of event_guard_reads in the WHEN condition of a trigger on
 * guard_event(): the row in it has the operands, over the new row.  NULL where
 * there is none.  In CurrentMemoryContext.
 */
extern FuncExpr *ev_guard_reads(const Trigger *trigger);

/*
 * One of its operands, as ev_guard_expression gives it.  Raises
 * datatype_mismatch where it is of another type.
 */
extern Node *ev_guard_reads_operand(Relation relation, FuncExpr *reads, EvRowPart part);

/*
 * A WHEN condition that reads the operands, which are as ev_guard_expression
 * gives them: as text, and as it is parsed, under the search_path of now.  In
 * CurrentMemoryContext.
 */
extern char *ev_guard_reads_condition(Relation relation, Node *const *operands, Node **parsed);

/* The column that an expression is, as far as its bytes matter; or 0. */
extern AttrNumber ev_guard_expression_column(Node *expression);

/*
 * Could evaluating the expression raise an error because of the values in the
 * row?  True where we can't tell.
 */
extern bool ev_guard_expression_may_raise(Node *expression);

#endif							/* EV_GUARD_EXPRESSION_H */
