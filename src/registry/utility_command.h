/*
 * utility_command.h
 *	  Running utility commands that are made as parse trees.
 */
#ifndef EV_UTILITY_COMMAND_H
#define EV_UTILITY_COMMAND_H

#include "nodes/pg_list.h"

/* event_schema.NAME, for a command's parse tree. */
extern List *ev_qualified_name(const char *name);

/*
 * Runs a utility command with the caller's rights, as if it had been typed;
 * text is what hooks and logs get to see.
 */
extern void ev_run_command(Node *command, const char *text);

#endif							/* EV_UTILITY_COMMAND_H */
