/*
 * functions_called.h
 *	  The functions that an expression calls, apart from PostgreSQL's own.
 */
#ifndef EV_FUNCTIONS_CALLED_H
#define EV_FUNCTIONS_CALLED_H

#include "nodes/pg_list.h"

/*
 * Returns the functions that an analyzed expression calls, also by operators and
 * casts, each once, by OID; without those that PostgreSQL was installed with.  In
 * CurrentMemoryContext.
 */
extern List *ev_functions_called(Node *expression);

/*
 * Does each call in an analyzed expression still mean the same function if its text
 * is parsed with only pg_catalog in the search_path, whatever functions, operators
 * and casts other roles add meanwhile?  False if not known.
 */
extern bool ev_calls_are_exact(Node *expression);

#endif							/* EV_FUNCTIONS_CALLED_H */
