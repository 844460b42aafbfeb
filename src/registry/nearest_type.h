/*
 * nearest_type.h
 *	  Finds the registered type that was probably meant.
 */
#ifndef EV_NEAREST_TYPE_H
#define EV_NEAREST_TYPE_H

/*
 * Returns the registered type most similar to an unregistered name, in
 * CurrentMemoryContext; NULL if none is similar.
 */
extern char *ev_nearest_type(const char *name, int length);

#endif							/* EV_NEAREST_TYPE_H */
