/*
 * functions_called.h
 *	  The functions that an expression or a query calls.
 */
#ifndef EV_FUNCTIONS_CALLED_H
#define EV_FUNCTIONS_CALLED_H

#include "nodes/pg_list.h"

/*
 * Returns the functions that an analyzed expression or query calls, also by
 * operators, casts and subqueries, each once, by OID.  In CurrentMemoryContext.
 */
extern List *ev_functions_called(Node *expression);

/*
 * Returns a function that an expression or query calls and that is not in a list;
 * InvalidOid if there is none.
 */
extern Oid	ev_function_not_meant(Node *stored, List *meant);

#endif							/* EV_FUNCTIONS_CALLED_H */
