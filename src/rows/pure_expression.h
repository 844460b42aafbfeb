/*
 * pure_expression.h
 *	  Expressions that only compute.
 */
#ifndef EV_PURE_EXPRESSION_H
#define EV_PURE_EXPRESSION_H

#include "nodes/pg_list.h"

/*
 * Does an expression run only PostgreSQL's own functions that compute, and the
 * functions of a list?  If so, its result does not depend on the current user,
 * and no users' code runs.  False for all node types that are not known here.
 */
extern bool ev_is_pure(Node *expression, List *functions);

#endif							/* EV_PURE_EXPRESSION_H */
