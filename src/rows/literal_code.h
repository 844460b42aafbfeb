/*
 * literal_code.h
 *	  Does reading the text of an expression run code of another role?
 */
#ifndef EV_LITERAL_CODE_H
#define EV_LITERAL_CODE_H

#include "nodes/pg_list.h"

/*
 * Can parsing the text of an analyzed expression run code of a role that does
 * not have the rights of `role`?  It can if a type in it allows such code to
 * be added at any time.
 */
extern bool ev_literals_run_code(Node *expression, Oid role);

/*
 * Does the owner of the type, such as a domain, have the rights of a role?  False if the
 * type was dropped.
 */
extern bool ev_is_own_type(Oid type, Oid role);

#endif							/* EV_LITERAL_CODE_H */
