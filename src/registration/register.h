/*
 * register.h
 *	  The functions that register, widen, drop and list schemas.
 */
#ifndef EV_REGISTER_H
#define EV_REGISTER_H

#include "base/compat.h"
#include "nodes/pg_list.h"

/*
 * TYPE@VERSION for a type and a version from SQL.  Raises
 * invalid_parameter_value, and says why, where there can be none.
 */
extern void ev_require_event_name(const text *type, int32 version, NameData *name);

/*
 * Raises undefined_object for a version that is not registered; the HINT
 * lists those that are.
 */
extern void ev_refuse_unregistered(const text *type, int32 version) pg_attribute_noreturn();

/* event_schema.NAME, for a command's parse tree. */
extern List *ev_qualified_name(const char *name);

/*
 * Runs a utility command with the caller's rights, as if it had been typed;
 * text is what hooks and logs get to see.
 */
extern void ev_run_command(Node *command, const char *text);

#endif							/* EV_REGISTER_H */
