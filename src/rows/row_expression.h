/*
 * row_expression.h
 *	  The event in a row: expressions over a table's columns for its data, type
 *	  and version, given as text.
 *
 * The text is the name of a column, as it is in the catalog, or else one SQL
 * expression over the row.
 */
#ifndef EV_ROW_EXPRESSION_H
#define EV_ROW_EXPRESSION_H

#include "base/compat.h"
#include "nodes/primnodes.h"
#include "parser/parse_node.h"
#include "utils/rel.h"

/* What an expression is for. */
typedef enum EvRowPart
{
	EV_ROW_DATA,				/* the document: jsonb, json or text */
	EV_ROW_TYPE,				/* the event's type: text or an enum */
	EV_ROW_VERSION				/* the schema version: an integer */
} EvRowPart;

#define EV_ROW_PARTS	3

/* "data", "type", "version" */
extern const char *ev_row_part_name(EvRowPart part);

/* And what the arguments that hold them are called: "data_expr" and so on. */
extern const char *ev_row_part_argument(EvRowPart part);

/* Where an expression comes from, for messages. */
typedef struct EvRowSource
{
	Relation	relation;		/* open and locked */
	EvRowPart	part;
	const char *text;
} EvRowSource;

/*
 * Brings an expression to a type that the part may have, or raises
 * (ev_row_refuse_type).
 */
typedef Node *(*EvRowCast) (ParseState *pstate, Node *expression, const EvRowSource *source, void *arg);

/*
 * Analyzes the text: its columns are Vars of varno 1, names are looked up along
 * the search_path as it is.  The result is what the cast makes of it, with
 * collations assigned, in CurrentMemoryContext.
 *
 * Raises undefined_column, syntax_error, datatype_mismatch, and what the parser
 * raises, all with a context that says whose expression it is.
 */
extern Node *ev_row_analyze(const EvRowSource *source, ParseExprKind kind, EvRowCast cast, void *arg);

/* The same for an expression that has been analyzed already. */
extern Node *ev_row_cast(const EvRowSource *source, Node *expression, EvRowCast cast, void *arg);

/* Raises datatype_mismatch.  The hint can be NULL. */
extern void ev_row_refuse_type(const EvRowSource *source, Oid type, const char *hint) pg_attribute_noreturn();

/* The parse tree of a text that is a single expression; else raises syntax_error. */
extern Node *ev_row_parse(const char *text);

#endif							/* EV_ROW_EXPRESSION_H */
