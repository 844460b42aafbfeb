/*
 * pure_expression.h
 *	  Expressions that only compute.
 */
#ifndef EV_PURE_EXPRESSION_H
#define EV_PURE_EXPRESSION_H

#include "nodes/pg_list.h"

/*
 * Does an expression run nothing but PostgreSQL's own functions that only
 * compute, and those of a list?  Its result then does not depend on the role
 * that runs it, and nothing that a user has written runs.  False for all node
 * types that are not known here.
 */
extern bool ev_is_pure(Node *expression, List *functions);

#endif							/* EV_PURE_EXPRESSION_H */
