/*
 * guard_expression.h
 *	  The event in a row: expressions over a table's columns for its data, type
 *	  and version, written as text.
 */
#ifndef EV_GUARD_EXPRESSION_H
#define EV_GUARD_EXPRESSION_H

#include "nodes/primnodes.h"
#include "utils/rel.h"

typedef enum EvOperand
{
	EV_DATA,					/* jsonb, json or text */
	EV_TYPE,					/* text, or a string type or an enum */
	EV_VERSION					/* int2, int4 or int8 */
} EvOperand;

#define EV_OPERANDS		3

/* What the argument that holds the operand's expression is called. */
extern const char *ev_operand_argument(EvOperand operand);

/*
 * Analyzes the name of a column (as it is, or as SQL writes it) or an
 * expression over a row of the relation, which must be open: its
 * columns are Vars of varno 1.  Names are looked up along the search_path as
 * it is.  The result has the type text where the operand is EV_TYPE, int4 or
 * int8 where it is EV_VERSION (int2 is cast), and jsonb, json or a string
 * type, or a domain over these, where it is EV_DATA.  In CurrentMemoryContext.
 *
 * Raises where it is no expression, or one that a BEFORE trigger could not
 * evaluate: with generated columns, system columns or the whole row.
 */
extern Node *ev_guard_expression(Relation relation, EvOperand operand, const char *text);

/* The same, with nothing but pg_catalog in the search_path. */
extern Node *ev_guard_expression_pinned(Relation relation, EvOperand operand, const char *text);

/*
 * The expression as text that means the same whatever the search_path is, in
 * CurrentMemoryContext.
 */
extern char *ev_guard_expression_text(Relation relation, Node *expression);

/* The column that an expression is, as far as its bytes matter; or 0. */
extern AttrNumber ev_guard_expression_column(Node *expression);

/*
 * Could evaluating the expression raise an error because of the values in the
 * row?  True where we can't tell.
 */
extern bool ev_guard_expression_may_raise(Node *expression);

#endif							/* EV_GUARD_EXPRESSION_H */
