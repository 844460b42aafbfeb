/*
 * accept_option.h
 *	  The option accept: findings of the compatibility policy that a schema
 *	  may have, by their location and rule.
 *
 * A finding is named "LOCATION RULE", as the rows of check_event_compatibility
 * have both: "/properties/a PATTERN_CHANGED".  The name of a finding about the
 * whole document is the rule alone.  The options of a document are a List of such
 * names.
 */
#ifndef EV_ACCEPT_OPTION_H
#define EV_ACCEPT_OPTION_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

/* A document accepts so many findings. */
#define EV_ACCEPT_MOST	1000

/* Returns the name of a finding, in CurrentMemoryContext. */
extern char *ev_accept_name(const char *location, const char *rule);

/*
 * Reads a name that a user wrote, in CurrentMemoryContext, and sets *rule to the rule
 * in it.  "(document) RULE" and " RULE" are "RULE", too.  Returns NULL if there is no
 * rule.
 */
extern char *ev_accept_read(const char *text, int length, const char **rule);

/* Returns a list with one more name, unless it has it already. */
extern List *ev_accept_add(List *accept, char *name);

/* Returns a list with the names of another one as well. */
extern List *ev_accept_join(List *accept, const List *others);

/* Does the list have this name? */
extern bool ev_accept_has(const List *accept, const char *name);

/*
 * Reads the rest of a pragma line "#accept ", of this length.  Returns the name, in
 * CurrentMemoryContext, or NULL if there is none.  Control characters are written as
 * %0A and the like there, and such three characters themselves with %25.
 */
extern char *ev_accept_parse(const char *line, int length);

/* Appends a pragma line for each name. */
extern void ev_accept_append_pragmas(StringInfo body, const List *accept);

/*
 * Reads the argument accept of an SQL function, text[], in CurrentMemoryContext.
 * Raises invalid_parameter_value for a text without a rule,
 * null_value_not_allowed for NULL, and program_limit_exceeded for more than
 * EV_ACCEPT_MOST names.
 */
extern List *ev_accept_argument(Datum names);

/* Returns the names as text[], in CurrentMemoryContext. */
extern Datum ev_accept_array(const List *accept);

#endif							/* EV_ACCEPT_OPTION_H */
