/*
 * literal_code.h
 *	  Does reading the text of an expression run code of another role?
 */
#ifndef EV_LITERAL_CODE_H
#define EV_LITERAL_CODE_H

#include "nodes/pg_list.h"

/*
 * Can parsing the text of an analyzed expression run code, now or when types are
 * altered meanwhile, that a role without the rights of `role` wrote?
 */
extern bool ev_literals_run_code(Node *expression, Oid role);

#endif							/* EV_LITERAL_CODE_H */
