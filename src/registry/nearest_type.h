/*
 * nearest_type.h
 *	  Finds the registered type that was probably meant.
 */
#ifndef EV_NEAREST_TYPE_H
#define EV_NEAREST_TYPE_H

#include "utils/array.h"

/*
 * Returns the registered type most similar to an unregistered name, in
 * CurrentMemoryContext; NULL if none is similar.
 */
extern char *ev_nearest_type(const char *name, int length);

/*
 * Warns of the first event types in an array of text of which no version is
 * registered: they may be misspelled.  NULLs are left out.
 */
extern void ev_warn_of_unregistered_types(const ArrayType *types);

#endif							/* EV_NEAREST_TYPE_H */
