/*
 * utility_command.c
 *	  Runs utility commands that are given as parse trees.
 */
#include "postgres.h"

#include "access/xact.h"
#include "nodes/makefuncs.h"
#include "tcop/dest.h"
#include "tcop/utility.h"

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

List *
ev_qualified_name(const char *name)
{
	return list_make2(makeString(pstrdup(EV_SCHEMA_NAMESPACE)), makeString(pstrdup(name)));
}
