/*
 * event_calls.c
 *	  Calls of check_event and validate_event in expressions.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"

#include "registry/extension_objects.h"
#include "rows/event_calls.h"

void
ev_event_functions_find(EvEventFunctions *functions)
{
	static const Oid types[] = {JSONBOID, TEXTOID, INT4OID, TEXTOID};

	functions->oids[0] = ev_extension_function("check_event", 4, types);
	functions->oids[1] = ev_extension_function("validate_event", 3, types);
}

static bool
call_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return ev_is_event_call(node, (const EvEventFunctions *) context) ||
		expression_tree_walker(node, call_walker, context);
}

bool
ev_has_event_call(Node *expression, const EvEventFunctions *functions)
{
	return call_walker(expression, (void *) functions);
}

Node *
ev_call_argument(const FuncExpr *call, int position)
{
	for (int i = 0; i < list_length(call->args); i++)
	{
		Node	   *argument = (Node *) list_nth(call->args, i);

		if (IsA(argument, NamedArgExpr))
		{
			NamedArgExpr *named = castNode(NamedArgExpr, argument);

			if (named->argnumber == position)
				return (Node *) named->arg;
		}
		else if (i == position)
			return argument;
	}
	elog(ERROR, "call of function %u has no argument %d", call->funcid, position);
}

Node *
ev_without_event_cast(Node *argument)
{
	if (IsA(argument, CoerceViaIO) && castNode(CoerceViaIO, argument)->resulttype == JSONBOID)
		return (Node *) castNode(CoerceViaIO, argument)->arg;
	if (IsA(argument, FuncExpr) && castNode(FuncExpr, argument)->funcid == F_INT4_INT8)
		return (Node *) linitial(castNode(FuncExpr, argument)->args);
	return argument;
}
