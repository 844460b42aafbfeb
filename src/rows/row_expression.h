/*
 * row_expression.h
 *	  The event in a row: expressions over a table's columns for its data,
 *	  type and version, given as text.
 *
 * The text is the name of a column, as in the catalog, or else one SQL
 * expression over the row.
 */
#ifndef EV_ROW_EXPRESSION_H
#define EV_ROW_EXPRESSION_H

#include "base/compat.h"
#include "nodes/primnodes.h"
#include "parser/parse_node.h"
#include "utils/rel.h"

/* The purpose of an expression. */
typedef enum EvRowPart
{
	EV_ROW_DATA,				/* the document: jsonb, json or text */
	EV_ROW_TYPE,				/* the event's type: text or an enum */
	EV_ROW_VERSION				/* the schema version: an integer */
} EvRowPart;

#define EV_ROW_PARTS	3

/* Returns "data", "type" or "version". */
extern const char *ev_row_part_name(EvRowPart part);

/* Returns the name of the argument for it: "data_expr" and so on. */
extern const char *ev_row_part_argument(EvRowPart part);

/* The origin of an expression, for messages. */
typedef struct EvRowSource
{
	Relation	relation;		/* open and locked */
	EvRowPart	part;
	const char *text;
} EvRowSource;

/*
 * Casts an expression to a type that the part may have, or raises an error
 * (ev_row_refuse_type).
 */
typedef Node *(*EvRowCast) (ParseState *pstate, Node *expression, const EvRowSource *source, void *arg);

/*
 * Analyzes the text.  Its columns become Vars of varno 1, and names are looked
 * up in the current search_path.  Returns the result of the cast, with
 * collations assigned, in CurrentMemoryContext.
 *
 * Raises undefined_column, syntax_error, datatype_mismatch, and errors of the
 * parser, all with a context that shows the expression.
 */
extern Node *ev_row_analyze(const EvRowSource *source, ParseExprKind kind, EvRowCast cast, void *arg);

/* The same for an expression that is already analyzed. */
extern Node *ev_row_cast(const EvRowSource *source, Node *expression, EvRowCast cast, void *arg);

/*
 * Returns the label of an enum as text, never by a cast function, which can be of
 * any role: by the enum's output if there is such a cast, or if one that is added
 * before the text of the expression is parsed must not matter (is_for_text).
 */
extern Node *ev_row_enum_label(ParseState *pstate, Node *node, bool is_for_text);

/* Raises datatype_mismatch.  The hint may be NULL. */
extern void ev_row_refuse_type(const EvRowSource *source, Oid type, const char *hint) pg_attribute_noreturn();

/*
 * Parses a text that must be a single expression; otherwise raises
 * syntax_error.
 */
extern Node *ev_row_parse(const char *text);

#endif							/* EV_ROW_EXPRESSION_H */
