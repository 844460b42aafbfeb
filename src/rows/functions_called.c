/*
 * functions_called.c
 *	  The functions that an expression or a query calls.
 *
 * A command that is built as text is resolved where it runs.  Meanwhile other roles
 * may have added a function, an operator or a cast that fits better.  So what the
 * command has stored is compared with what was meant.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"

#include "rows/functions_called.h"

static bool
note_function(Oid function, void *context)
{
	List	  **functions = (List **) context;

	*functions = list_append_unique_oid(*functions, function);
	return false;
}

static bool
functions_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	CHECK_FOR_INTERRUPTS();
	if (IsA(node, Query))
		return query_tree_walker(castNode(Query, node), functions_walker, context, 0);
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

Oid
ev_function_not_meant(Node *stored, List *meant)
{
	List	   *others = list_difference_oid(ev_functions_called(stored), meant);

	return others != NIL ? linitial_oid(others) : InvalidOid;
}
