/*
 * event_calls.c
 *	  Calls of check_event and validate_event in expressions.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "registry/extension_objects.h"
#include "rows/event_calls.h"

void
ev_event_functions_find(EvEventFunctions *functions)
{
	static const Oid types[] = {JSONBOID, TEXTOID, INT4OID, TEXTOID};

	functions->oids[0] = ev_extension_function("check_event", 4, types);
	functions->oids[1] = ev_extension_function("validate_event", 3, types);
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
