/*
 * row_expression.c
 *	  The event in a row: expressions over a table's columns for its data,
 *	  type and version, given as text.
 *
 * The text is parsed, so that only a single expression can get into a command
 * or a trigger.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/shown_text.h"
#include "rows/row_expression.h"

static const struct
{
	const char *name;
	const char *argument;
	const char *wanted;			/* the expected type, for messages */
}			parts[EV_ROW_PARTS] = {
	{"data", "data_expr", "of type jsonb, json or text"},
	{"type", "type_expr", "of a text type or an enum"},
	{"version", "version_expr", "an integer"}
};

const char *
ev_row_part_name(EvRowPart part)
{
	return parts[part].name;
}

const char *
ev_row_part_argument(EvRowPart part)
{
	return parts[part].argument;
}

/* ---------- messages ---------- */

/* Positions in this text are not positions in the client's command. */
static void
add_source(void *arg)
{
	const EvRowSource *source = (const EvRowSource *) arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(source->text);
	}
	errcontext("%s expression of table \"%s\"", parts[source->part].name,
			   RelationGetRelationName(source->relation));
}

void
ev_row_refuse_type(const EvRowSource *source, Oid type, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the event's %s must be %s, but \"%s\" is of type %s", parts[source->part].name,
					parts[source->part].wanted, source->text, format_type_be(type)),
			 hint ? errhint("%s", hint) : 0));
}

static bool
is_identifier(const char *text)
{
	if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || *text == '_' || IS_HIGHBIT_SET(*text)))
		return false;
	for (; *text != '\0'; text++)
		if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9') ||
			  *text == '_' || *text == '$' || IS_HIGHBIT_SET(*text)))
			return false;
	return true;
}

/* ---------- from text ---------- */

/*
 * Is this "*" or "t.*"?  The grammar allows it in a list of columns, but no expression
 * may be it: transformExpr() would read the name of a column that has none.
 */
static bool
is_star(Node *node)
{
	return IsA(node, ColumnRef) && IsA(llast(castNode(ColumnRef, node)->fields), A_Star);
}

Node *
ev_row_parse(const char *text)
{
	List	   *list = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select = NULL;
	ResTarget  *target;

	if (list_length(list) == 1 && IsA(linitial_node(RawStmt, list)->stmt, SelectStmt))
		select = castNode(SelectStmt, linitial_node(RawStmt, list)->stmt);
	if (select == NULL || list_length(select->targetList) != 1 ||
		select->distinctClause || select->intoClause || select->fromClause ||
		select->whereClause || select->groupClause || select->havingClause ||
		select->windowClause || select->valuesLists || select->sortClause ||
		select->limitOffset || select->limitCount || select->lockingClause ||
		select->withClause || select->op != SETOP_NONE)
		target = NULL;
	else
		target = linitial_node(ResTarget, select->targetList);
	if (target == NULL || target->name != NULL || target->indirection != NIL || is_star(target->val))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("\"%s\" is not a single expression", text)));
	return target->val;
}

/* Parses a text: a column by any name, or an expression. */
static Node *
parse_source(const EvRowSource *source)
{
	ColumnRef  *column;
	Node	   *node;

	if (get_attnum(RelationGetRelid(source->relation), source->text) != InvalidAttrNumber)
	{
		column = makeNode(ColumnRef);
		column->fields = list_make1(makeString(pstrdup(source->text)));
		column->location = -1;
		return (Node *) column;
	}
	node = ev_row_parse(source->text);
	/* if a column was meant, say so */
	if (IsA(node, ColumnRef) && is_identifier(source->text))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("there is no column \"%s\" in table \"%s\"",
						ev_visible_cut(source->text, EV_SHOWN_ARGUMENT),
						RelationGetRelationName(source->relation)),
				 errhint("Say which column or expression holds the event's %s.", parts[source->part].name)));
	return node;
}

Node *
ev_row_analyze(const EvRowSource *source, ParseExprKind kind, EvRowCast cast, void *arg)
{
	ErrorContextCallback context = {error_context_stack, add_source, (void *) source};
	ParseState *pstate = make_parsestate(NULL);
	ParseNamespaceItem *item;
	Node	   *expression;

	error_context_stack = &context;
	pstate->p_sourcetext = source->text;
	item = addRangeTableEntryForRelation(pstate, source->relation, AccessShareLock, NULL, true, true);
	addNSItemToQuery(pstate, item, false, true, true);
	expression = transformExpr(pstate, parse_source(source), kind);
	expression = cast(pstate, expression, source, arg);
	assign_expr_collations(pstate, expression);
	free_parsestate(pstate);
	error_context_stack = context.previous;
	return expression;
}

Node *
ev_row_cast(const EvRowSource *source, Node *expression, EvRowCast cast, void *arg)
{
	ErrorContextCallback context = {error_context_stack, add_source, (void *) source};
	ParseState *pstate = make_parsestate(NULL);

	error_context_stack = &context;
	expression = cast(pstate, expression, source, arg);
	assign_expr_collations(pstate, expression);
	free_parsestate(pstate);
	error_context_stack = context.previous;
	return expression;
}

Node *
ev_row_enum_label(ParseState *pstate, Node *node, bool is_for_text)
{
	Oid			type = exprType(node);
	Oid			function;

	if (!is_for_text &&
		find_coercion_pathway(TEXTOID, getBaseType(type), COERCION_EXPLICIT, &function) != COERCION_PATH_FUNC)
		return coerce_to_target_type(pstate, node, type, TEXTOID, -1, COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);
	node = (Node *) makeFuncExpr(F_ENUM_OUT, CSTRINGOID, list_make1(node), InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	return (Node *) makeFuncExpr(F_TEXTIN, TEXTOID, list_make1(node), DEFAULT_COLLATION_OID, InvalidOid, COERCE_EXPLICIT_CALL);
}
