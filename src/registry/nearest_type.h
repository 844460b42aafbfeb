/*
 * nearest_type.h
 *	  Which registered event type was meant?
 */
#ifndef EV_NEAREST_TYPE_H
#define EV_NEAREST_TYPE_H

/*
 * The registered type nearest to a name that none has, in
 * CurrentMemoryContext; NULL where none is near.
 */
extern char *ev_nearest_type(const char *name, int length);

#endif							/* EV_NEAREST_TYPE_H */
