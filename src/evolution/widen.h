/*
 * widen.h
 *	  May a published schema be replaced by a wider one?
 */
#ifndef EV_WIDEN_H
#define EV_WIDEN_H

#include "schema/document.h"

/*
 * Raises unless it is proved that whatever a registered schema accepts is
 * accepted by a new document too, and unless nothing that is stored depends on
 * its answers: an index, a generated column, a partition key, a constraint
 * that wants the answer false; also of the schemas that refer to it.  Both
 * documents have the function's OID, name and URI.
 */
extern void ev_widen_check(const EvDocument *old, const EvDocument *new);

#endif							/* EV_WIDEN_H */
