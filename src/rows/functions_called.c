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

/* The owners of two types can replace the cast between them. */
static bool
is_exact_cast(const FuncExpr *cast)
{
	return cast->funcresulttype < FirstNormalObjectId && exprType(linitial(cast->args)) < FirstNormalObjectId;
}

static bool
is_exact_operator(const OpExpr *operation)
{
	Oid			left;
	Oid			right;

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
is_exact(Node *node)
{
	if (!check_functions_in_node(node, is_users_function, NULL))
		return true;
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			if (castNode(FuncExpr, node)->funcformat == COERCE_EXPLICIT_CAST ||
				castNode(FuncExpr, node)->funcformat == COERCE_IMPLICIT_CAST)
				return is_exact_cast(castNode(FuncExpr, node));
			return is_exact_call(castNode(FuncExpr, node));
		case T_OpExpr:
			return is_exact_operator(castNode(OpExpr, node));
		case T_CoerceViaIO:
			return true;		/* the functions of the types */
		default:
			return false;
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
