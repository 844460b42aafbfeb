/*
 * guard_expression.h
 *	  The expressions that a guard reads from a row.
 */
#ifndef EV_GUARD_EXPRESSION_H
#define EV_GUARD_EXPRESSION_H

#include "rows/row_expression.h"
#include "utils/reltrigger.h"

/*
 * ev_row_analyze for a guard.  The result has type text for EV_ROW_TYPE; int4
 * or int8 (int2 is cast) for EV_ROW_VERSION; and jsonb, json or a string type,
 * or a domain over these, for EV_ROW_DATA.  Also raises an error if a BEFORE
 * trigger could not evaluate it: with generated columns, system columns or the
 * whole row.
 */
extern Node *ev_guard_expression(Relation relation, EvRowPart part, const char *text);

/* The same, with only pg_catalog in the search_path. */
extern Node *ev_guard_expression_pinned(Relation relation, EvRowPart part, const char *text);

/*
 * Reads the operands of the relation's event check: its only CHECK constraint
 * that calls check_event or validate_event, if it is one such call (see
 * ev_sole_call()); if it has none of these, its only one that calls a schema's
 * function, if it is one such call.  The operands are as ev_guard_expression returns them;
 * *types is the text of an array with the check's event types, or NULL for all
 * types.  Returns the constraint's name, or NULL if there is no such
 * constraint or more than one.  All results are in CurrentMemoryContext.
 * Raises the errors of ev_guard_expression; if tolerant, returns NULL for a
 * constraint that reads values that a BEFORE trigger cannot read.
 */
extern char *ev_guard_check_operands(Relation relation, Node **operands, const char **types, bool tolerant);

/*
 * Reads the operands and the types of one CHECK expression of the relation, in the
 * same form.  Returns false if it is not one such call, or if it reads values that a
 * BEFORE trigger cannot read.
 */
extern bool ev_guard_read_check(Relation relation, Node *expression, Node **operands, const char **types);

/*
 * Are an operand and one of ev_guard_check_operands the same, apart from the casts
 * that add_event_check adds?
 */
extern bool ev_guard_same_operand(Node *operand, Node *checked);

/*
 * Returns the call of event_guard_reads in the WHEN condition of a trigger on
 * guard_event(), in CurrentMemoryContext; NULL if there is none.  Its row has
 * the operands, over the new row.
 */
extern FuncExpr *ev_guard_reads(const Trigger *trigger);

/*
 * Returns one of its operands, in the form of ev_guard_expression().  Raises
 * datatype_mismatch if it has another type.
 */
extern Node *ev_guard_reads_operand(Relation relation, FuncExpr *reads, EvRowPart part);

/*
 * Makes a WHEN condition for operands in the form of ev_guard_expression(): as
 * text, and parsed under the current search_path.  In CurrentMemoryContext.
 */
extern char *ev_guard_reads_condition(Relation relation, Node *const *operands, Node **parsed);

/*
 * Returns the column that has the expression's value, perhaps with another
 * type; 0 if there is none.
 */
extern AttrNumber ev_guard_expression_column(Node *expression);

/*
 * Can evaluating the expression raise an error because of the values in the
 * row?  True if not known.
 */
extern bool ev_guard_expression_may_raise(Node *expression);

#endif							/* EV_GUARD_EXPRESSION_H */
