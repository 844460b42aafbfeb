/*
 * utility_command.h
 *	  Runs utility commands that are given as parse trees.
 */
#ifndef EV_UTILITY_COMMAND_H
#define EV_UTILITY_COMMAND_H

#include "nodes/pg_list.h"

/*
 * Return the function of a name (see ev_function_name; also that of an upcast
 * or a policy) with its schema: for a command's parse tree, and as SQL.  In
 * CurrentMemoryContext.
 */
extern List *ev_qualified_name(const char *name);
extern char *ev_quoted_name(const char *name);

/*
 * Runs COMMENT ON FUNCTION for a function in event_schema, with the caller's
 * rights.  The function takes one jsonb, or no argument.
 */
extern void ev_comment_on_function(const char *name, bool takes_jsonb, const char *comment);

/*
 * Runs a utility command with the caller's rights, like a command from the
 * client.  Hooks and logs receive `text`.
 */
extern void ev_run_command(Node *command, const char *text);

#endif							/* EV_UTILITY_COMMAND_H */
