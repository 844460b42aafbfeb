/*
 * utility_command.h
 *	  Runs utility commands that are given as parse trees.
 */
#ifndef EV_UTILITY_COMMAND_H
#define EV_UTILITY_COMMAND_H

#include "nodes/pg_list.h"

/* Returns event_schema.NAME, for a command's parse tree. */
extern List *ev_qualified_name(const char *name);

/*
 * Runs a utility command with the caller's rights, like a command from the
 * client.  Hooks and logs receive `text`.
 */
extern void ev_run_command(Node *command, const char *text);

#endif							/* EV_UTILITY_COMMAND_H */
