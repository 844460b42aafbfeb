/*
 * widen.h
 *	  May a published schema be replaced by a wider one?
 */
#ifndef EV_WIDEN_H
#define EV_WIDEN_H

#include "schema/document.h"

/*
 * Raises an error unless it is proved that a new document accepts everything
 * that the registered schema accepts, and unless no stored object depends on
 * its answers: an index, a generated column, a partition key, or a constraint
 * that needs the answer false.  The same is checked for schemas that refer to
 * it.  Both documents have the function's OID, name and URI.
 */
extern void ev_widen_check(const EvDocument *old, const EvDocument *new);

#endif							/* EV_WIDEN_H */
