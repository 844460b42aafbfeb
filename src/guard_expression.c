/*
 * guard_expression.c
 *	  The event in a row: expressions over a table's columns for its data, type
 *	  and version, written as text.
 *
 * A guard's expressions stand in the WHEN condition of its trigger:
 *
 *	WHEN (true OR event_guard_reads(NEW.data, NEW.event_type, NEW.schema_version))
 *
 * which is always true, and is found to be so when a query is planned, so that
 * event_guard_reads is never called.  There they are kept as parsed, are dumped
 * with the trigger, follow columns and functions that are renamed, are mapped
 * to the columns of partitions, and what they refer to cannot be dropped
 * without the guard: all by PostgreSQL itself.
 *
 * A trigger that was written by hand may have them as text in its arguments
 * instead, which is read with nothing but pg_catalog in the search_path: what a
 * session sets its search_path to decides about no event.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "guard_expression.h"

static const char *const arguments[EV_OPERANDS] = {"data_expr", "type_expr", "version_expr"};

const char *
ev_operand_argument(EvOperand operand)
{
	return arguments[operand];
}

/* ---------- from text ---------- */

typedef struct Origin
{
	Relation	relation;
	EvOperand	operand;
	const char *text;
} Origin;

static void
add_context(void *arg)
{
	Origin	   *origin = (Origin *) arg;

	/* the cursor position is one in this text, not in the statement */
	if (geterrposition() > 0)
	{
		internalerrposition(geterrposition());
		errposition(0);
		internalerrquery(origin->text);
	}
	errcontext("%s of the event guard on table \"%s\": %s",
			   arguments[origin->operand],
			   RelationGetRelationName(origin->relation), origin->text);
}

/* The expression in a SELECT list of one, and nothing else. */
static Node *
parse(const Origin *origin)
{
	List	   *statements = raw_parser(origin->text, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select;
	ResTarget  *target;

	select = castNode(SelectStmt, linitial_node(RawStmt, statements)->stmt);
	target = list_length(select->targetList) == 1 ?
		linitial_node(ResTarget, select->targetList) : NULL;
	if (target == NULL || target->name != NULL || target->indirection != NIL ||
		select->distinctClause != NIL || select->intoClause != NULL ||
		select->fromClause != NIL || select->whereClause != NULL ||
		select->groupClause != NIL || select->havingClause != NULL ||
		select->windowClause != NIL || select->sortClause != NIL ||
		select->limitOffset != NULL || select->limitCount != NULL ||
		select->lockingClause != NIL || select->op != SETOP_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("%s must be the name of a column or one expression over the row: %s",
						arguments[origin->operand], origin->text)));
	return target->val;
}

static bool
check_columns_walker(Node *node, void *context)
{
	const Origin *origin = (const Origin *) context;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		AttrNumber	column = castNode(Var, node)->varattno;

		if (column <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
					 errmsg("%s must not refer to %s", arguments[origin->operand],
							column == 0 ? "the whole row" : "a system column")));
		if (TupleDescAttr(RelationGetDescr(origin->relation), column - 1)->attgenerated != '\0')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
					 errmsg("%s must not refer to the generated column \"%s\"",
							arguments[origin->operand],
							NameStr(TupleDescAttr(RelationGetDescr(origin->relation), column - 1)->attname)),
					 errdetail("Generated columns are computed after the guard has run."),
					 errhint("Write the column's own expression instead.")));
		return false;
	}
	return expression_tree_walker(node, check_columns_walker, context);
}

static void
refuse_type(const Origin *origin, Oid type)
{
	static const char *const wanted[EV_OPERANDS] = {
		"jsonb, json or text", "text or an enum", "smallint, integer or bigint"
	};

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s must be of type %s, not %s", arguments[origin->operand],
					wanted[origin->operand], format_type_be(type)),
			 errhint("Write a cast in %s.", arguments[origin->operand])));
}

/* The operand's type for an expression of that type; InvalidOid: none. */
static Oid
operand_type(EvOperand operand, Oid type)
{
	Oid			base = getBaseType(type);

	if (type == UNKNOWNOID)		/* a literal */
		return operand == EV_VERSION ? INT4OID : TEXTOID;
	switch (operand)
	{
		case EV_DATA:
			if (base == JSONBOID || base == JSONOID || base == TEXTOID || base == VARCHAROID)
				return type;
			return InvalidOid;
		case EV_TYPE:
			return TypeCategory(base) == TYPCATEGORY_STRING || type_is_enum(base) ? TEXTOID : InvalidOid;
		case EV_VERSION:
			return base == INT2OID || base == INT4OID ? INT4OID : base == INT8OID ? INT8OID : InvalidOid;
	}
	return InvalidOid;
}

/* The expression, cast to the operand's type. */
static Node *
to_operand(ParseState *pstate, const Origin *origin, Node *expression)
{
	Oid			type = exprType(expression);
	Oid			wanted = operand_type(origin->operand, type);

	if (!OidIsValid(wanted))
		refuse_type(origin, type);
	if (type != wanted)
	{
		expression = coerce_to_target_type(pstate, expression, type, wanted, -1,
										   COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);
		if (expression == NULL)
			refuse_type(origin, type);
	}
	assign_expr_collations(pstate, expression);
	check_columns_walker(expression, (void *) origin);
	return expression;
}

Node *
ev_guard_expression(Relation relation, EvOperand operand, const char *text)
{
	Origin		origin = {relation, operand, text};
	ErrorContextCallback context;
	ParseState *pstate = make_parsestate(NULL);
	ParseNamespaceItem *row;
	Node	   *expression;

	context.callback = add_context;
	context.arg = &origin;
	context.previous = error_context_stack;
	error_context_stack = &context;

	/* a column may have any name */
	if (get_attnum(RelationGetRelid(relation), text) != InvalidAttrNumber)
		origin.text = text = quote_identifier(text);
	pstate->p_sourcetext = text;
	row = addRangeTableEntryForRelation(pstate, relation, AccessShareLock, NULL, false, true);
	addNSItemToQuery(pstate, row, false, true, true);
	expression = transformExpr(pstate, parse(&origin), EXPR_KIND_TRIGGER_WHEN);
	expression = to_operand(pstate, &origin, expression);
	free_parsestate(pstate);
	error_context_stack = context.previous;
	return expression;
}

Node *
ev_guard_expression_pinned(Relation relation, EvOperand operand, const char *text)
{
	int			guc_level = NewGUCNestLevel();
	Node	   *expression;

	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
					  PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	expression = ev_guard_expression(relation, operand, text);
	AtEOXact_GUC(false, guc_level);
	return expression;
}

/* ---------- in a WHEN condition ---------- */

#define READS	"event_guard_reads"

FuncExpr *
ev_guard_reads(const Trigger *trigger)
{
	Node	   *condition;
	FuncExpr   *call;

	if (trigger->tgqual == NULL)
		return NULL;
	condition = stringToNode(trigger->tgqual);
	if (is_orclause(condition) && list_length(castNode(BoolExpr, condition)->args) == 2 &&
		IsA(linitial(castNode(BoolExpr, condition)->args), Const) &&
		DatumGetBool(castNode(Const, linitial(castNode(BoolExpr, condition)->args))->constvalue))
		condition = lsecond(castNode(BoolExpr, condition)->args);
	else
		return NULL;
	if (!IsA(condition, FuncExpr))
		return NULL;
	call = castNode(FuncExpr, condition);
	if (list_length(call->args) != EV_OPERANDS ||
		get_func_namespace(call->funcid) != get_func_namespace(trigger->tgfoid) ||
		strcmp(get_func_name(call->funcid), READS) != 0 ||
		rangeTableEntry_used((Node *) call->args, PRS2_OLD_VARNO, 0))
		return NULL;
	return call;
}

Node *
ev_guard_reads_operand(Relation relation, FuncExpr *reads, EvOperand operand)
{
	Node	   *expression = copyObject(list_nth(reads->args, operand));
	Origin		origin = {relation, operand, NULL};
	ErrorContextCallback context = {error_context_stack, add_context, &origin};
	ParseState *pstate;

	ChangeVarNodes(expression, PRS2_NEW_VARNO, 1, 0);
	origin.text = deparse_expression(expression,
									 deparse_context_for(RelationGetRelationName(relation),
														 RelationGetRelid(relation)),
									 false, false);
	error_context_stack = &context;
	pstate = make_parsestate(NULL);
	expression = to_operand(pstate, &origin, expression);
	free_parsestate(pstate);
	error_context_stack = context.previous;
	return expression;
}

char *
ev_guard_reads_condition(Relation relation, Oid guard_function, Node *const *operands, Node **parsed)
{
	List	   *context = deparse_context_for("new", RelationGetRelid(relation));
	Origin		origin = {relation, EV_DATA, NULL};
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "true OR %s(",
					 quote_qualified_identifier(get_namespace_name(get_func_namespace(guard_function)), READS));
	for (int i = 0; i < EV_OPERANDS; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "",
						 deparse_expression(operands[i], context, true, false));
	appendStringInfoChar(&text, ')');
	origin.text = text.data;
	*parsed = parse(&origin);
	return text.data;
}

/* ---------- about an expression ---------- */

AttrNumber
ev_guard_expression_column(Node *expression)
{
	while (IsA(expression, RelabelType))
		expression = (Node *) castNode(RelabelType, expression)->arg;
	return IsA(expression, Var) ? castNode(Var, expression)->varattno : 0;
}

/* Functions of the server that give an answer to whatever they get. */
static bool
function_may_raise(Oid function, void *context pg_attribute_unused())
{
	switch (function)
	{
		case F_JSONB_OBJECT_FIELD:
		case F_JSONB_OBJECT_FIELD_TEXT:
		case F_JSONB_EXTRACT_PATH:
		case F_JSONB_EXTRACT_PATH_TEXT:
		case F_JSON_OBJECT_FIELD:
		case F_JSON_OBJECT_FIELD_TEXT:
		case F_TEXT_BPCHAR:
		case F_TEXT_NAME:
		case F_INT4_INT2:
			return false;
		default:
			return true;
	}
}

static bool
may_raise_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
		case T_Const:
		case T_RelabelType:
		case T_CollateExpr:
			break;
		case T_FuncExpr:
		case T_OpExpr:
			if (check_functions_in_node(node, function_may_raise, context))
				return true;
			break;
		case T_CoerceViaIO:
			if (castNode(CoerceViaIO, node)->resulttype != TEXTOID ||
				!type_is_enum(exprType((Node *) castNode(CoerceViaIO, node)->arg)))
				return true;
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, may_raise_walker, context);
}

bool
ev_guard_expression_may_raise(Node *expression)
{
	return may_raise_walker(expression, NULL);
}
