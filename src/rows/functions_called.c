/*
 * functions_called.c
 *	  The functions that an expression calls, apart from PostgreSQL's own.
 *
 * The text of a stored expression is resolved anew where it is parsed.  A call of
 * a polymorphic or variadic function, or one that leaves out arguments, can then
 * mean another function of the same schema and name, which fits its arguments
 * better.  Who may create objects in that schema can add one.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"

#include "rows/functions_called.h"

/* ---------- which functions ---------- */

static bool
note_function(Oid function, void *context)
{
	List	  **functions = (List **) context;

	if (function >= FirstNormalObjectId)
		*functions = list_append_unique_oid(*functions, function);
	return false;
}

static bool
functions_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	check_functions_in_node(node, note_function, context);
	return expression_tree_walker(node, functions_walker, context);
}

List *
ev_functions_called(Node *expression)
{
	List	   *functions = NIL;

	functions_walker(expression, &functions);
	return functions;
}

/* ---------- whether calls are exact ---------- */

/* A call that gives a function exactly its arguments has no better match. */
static bool
is_exact_call(const FuncExpr *call)
{
	Oid		   *types;
	int			count;
	ListCell   *cell;

	get_func_signature(call->funcid, &types, &count);
	if (call->funcvariadic || OidIsValid(get_func_variadictype(call->funcid)) || count != list_length(call->args))
		return false;
	foreach(cell, call->args)
		if (IsA(lfirst(cell), NamedArgExpr) || exprType(lfirst(cell)) != types[foreach_current_index(cell)])
		return false;
	return true;
}

/*
 * The owner of a type can add a cast of it at any time, also in place of the
 * types' input and output functions, or replace one.  Casts ignore domains.
 */
static bool
is_exact_cast(Node *cast, Node *argument)
{
	return getBaseType(exprType(cast)) < FirstNormalObjectId && getBaseType(exprType(argument)) < FirstNormalObjectId;
}

static bool
is_exact_function(FuncExpr *call)
{
	if (call->funcformat == COERCE_EXPLICIT_CAST || call->funcformat == COERCE_IMPLICIT_CAST)
		return is_exact_cast((Node *) call, linitial(call->args));
	return call->funcid < FirstNormalObjectId || is_exact_call(call);
}

/*
 * An operator of another schema is written with its schema, in which one that
 * fits better can be added.
 */
static bool
is_exact_operator(const OpExpr *operation)
{
	Oid			left;
	Oid			right;

	if (operation->opno < FirstNormalObjectId)
		return true;
	op_input_types(operation->opno, &left, &right);
	return exprType(llast(operation->args)) == right &&
		(!OidIsValid(left) || exprType(linitial(operation->args)) == left);
}

static bool
is_users_function(Oid function, void *context pg_attribute_unused())
{
	return function >= FirstNormalObjectId;
}

static bool
all_built_in(const List *operators)
{
	ListCell   *cell;

	foreach(cell, operators)
	{
		if (lfirst_oid(cell) >= FirstNormalObjectId)
			return false;
	}
	return true;
}

/* CASE value WHEN ... is written without the operators, which are looked up anew. */
static bool
is_exact_case(const CaseExpr *expression)
{
	ListCell   *cell;

	foreach(cell, expression->arg != NULL ? expression->args : NIL)
	{
		Node	   *test = (Node *) lfirst_node(CaseWhen, cell)->expr;

		if (!IsA(test, OpExpr) || castNode(OpExpr, test)->opno >= FirstNormalObjectId)
			return false;
	}
	return true;
}

static bool
is_exact(Node *node)
{
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			return is_exact_function(castNode(FuncExpr, node));
		case T_OpExpr:
			return is_exact_operator(castNode(OpExpr, node));
		case T_ScalarArrayOpExpr:
			return castNode(ScalarArrayOpExpr, node)->opno < FirstNormalObjectId;
		case T_DistinctExpr:	/* these two are written without the operator */
		case T_NullIfExpr:
			return ((OpExpr *) node)->opno < FirstNormalObjectId;
		case T_RowCompareExpr:
			return all_built_in(castNode(RowCompareExpr, node)->opnos);
		case T_CaseExpr:
			return is_exact_case(castNode(CaseExpr, node));
		case T_CoerceViaIO:
			return is_exact_cast(node, (Node *) castNode(CoerceViaIO, node)->arg);
		case T_ArrayCoerceExpr:
			return is_exact_cast(node, (Node *) castNode(ArrayCoerceExpr, node)->arg);
		case T_ConvertRowtypeExpr:
			return false;
		case T_RowExpr:			/* its fields are cast to those of its type */
			return castNode(RowExpr, node)->row_typeid < FirstNormalObjectId;
		default:
			return !check_functions_in_node(node, is_users_function, NULL);
	}
}

static bool
inexact_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return !is_exact(node) || expression_tree_walker(node, inexact_walker, context);
}

bool
ev_calls_are_exact(Node *expression)
{
	return !inexact_walker(expression, NULL);
}
