/*
 * pure_expression.c
 *	  Does an expression run only PostgreSQL's own functions, and only compute?
 *
 * IMMUTABLE functions of the server only compute.  STABLE ones can read tables
 * (table_to_xml reads a view, which calls functions of its owner), call casts
 * of users' types (to_jsonb), or depend on the current user.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "rows/pure_expression.h"

/*
 * Functions that make jsonb are STABLE only because of times and users' types.
 * The labels of an enum are data.
 */
static bool
is_impure_function(Oid function, void *context)
{
	switch (function)
	{
		case F_JSONB_BUILD_OBJECT_:
		case F_JSONB_BUILD_OBJECT_ANY:
		case F_JSONB_BUILD_ARRAY_:
		case F_JSONB_BUILD_ARRAY_ANY:
		case F_TO_JSONB:
		case F_ENUM_OUT:
			return false;
		default:
			return !list_member_oid((List *) context, function) &&
				(function >= FirstNormalObjectId || func_volatile(function) != PROVOLATILE_IMMUTABLE);
	}
}

/*
 * Can values of a type contain values of a user's type?  Its input function
 * and casts are then users' code.  A record's fields can have any type.
 */
static bool
is_users_type(Oid type)
{
	return type >= FirstNormalObjectId || type == RECORDOID || type == RECORDARRAYOID;
}

/* Reading a column runs no function, whatever its type is. */
static bool
reads_column(Node *node)
{
	return node != NULL && IsA(node, Var);
}

static bool
impure_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_List:
		case T_CaseWhen:
			return expression_tree_walker(node, impure_walker, context);
		case T_FieldSelect:
			if (reads_column((Node *) castNode(FieldSelect, node)->arg))
				return is_users_type(exprType(node));
			break;
		case T_RelabelType:
			if (reads_column((Node *) castNode(RelabelType, node)->arg))
				return is_users_type(exprType(node));
			break;
		case T_CoerceViaIO:
			if (reads_column((Node *) castNode(CoerceViaIO, node)->arg))
				return is_users_type(exprType(node)) ||
					check_functions_in_node(node, is_impure_function, context);
			break;
		case T_Const:
		case T_Param:
		case T_Var:
		case T_FuncExpr:
		case T_NamedArgExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_BoolExpr:
		case T_CaseExpr:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_CollateExpr:
		case T_CoerceToDomainValue:
		case T_ArrayExpr:
		case T_NullTest:
		case T_BooleanTest:
			break;
		default:
			return true;
	}
	return is_users_type(exprType(node)) ||
		check_functions_in_node(node, is_impure_function, context) ||
		expression_tree_walker(node, impure_walker, context);
}

bool
ev_is_pure(Node *expression, List *functions)
{
	return !impure_walker(expression, functions);
}
