/*
 * dependents.h
 *	  Finds the dependents of an object in pg_depend.
 */
#ifndef EV_DEPENDENTS_H
#define EV_DEPENDENTS_H

#include "catalog/dependency.h"
#include "catalog/pg_depend.h"

/*
 * Calls a function for each row of pg_depend that says that something depends
 * on an object.
 */
extern void ev_for_each_dependent(Oid class, Oid object,
								  void (*callback) (Form_pg_depend dependent, void *context),
								  void *context);

#endif							/* EV_DEPENDENTS_H */
