/*
 * utility_command.c
 *	  Runs utility commands that are given as parse trees.
 */
#include "postgres.h"

#include "access/xact.h"
#include "nodes/makefuncs.h"
#include "parser/parser.h"
#include "tcop/dest.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

#include "registry/names.h"
#include "registry/utility_command.h"

void
ev_run_command(Node *command, const char *text)
{
	PlannedStmt *statement = makeNode(PlannedStmt);

	statement->commandType = CMD_UTILITY;
	statement->canSetTag = false;
	statement->utilityStmt = command;
	statement->stmt_location = -1;
	statement->stmt_len = 0;
	ProcessUtility(statement, text, false, PROCESS_UTILITY_QUERY, NULL, NULL,
				   None_Receiver, NULL);
	CommandCounterIncrement();
}

static const char *
function_name(const char *name, NameData *function)
{
	if (!ev_function_name(name, function))
		elog(ERROR, "\"%s\" is too long for a function's name", name);
	return NameStr(*function);
}

List *
ev_qualified_name(const char *name)
{
	NameData	function;

	return list_make2(makeString(pstrdup(EV_SCHEMA_NAMESPACE)), makeString(pstrdup(function_name(name, &function))));
}

char *
ev_quoted_name(const char *name)
{
	NameData	function;

	return quote_qualified_identifier(EV_SCHEMA_NAMESPACE, function_name(name, &function));
}

void
ev_comment_on_function(const char *name, bool takes_jsonb, const char *comment)
{
	CommentStmt *command = makeNode(CommentStmt);
	ObjectWithArgs *object = makeNode(ObjectWithArgs);

	object->objname = ev_qualified_name(name);
	object->objargs = takes_jsonb ? list_make1(SystemTypeName(pstrdup("jsonb"))) : NIL;
	command->objtype = OBJECT_FUNCTION;
	command->object = (Node *) object;
	command->comment = pstrdup(comment);
	ev_run_command((Node *) command,
				   psprintf("COMMENT ON FUNCTION %s(%s) IS %s", ev_quoted_name(name), takes_jsonb ? "jsonb" : "",
							quote_literal_cstr(comment)));
}
