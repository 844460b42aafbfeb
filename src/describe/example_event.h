/*
 * example_event.h
 *	  A valid event as an example.
 */
#ifndef EV_EXAMPLE_EVENT_H
#define EV_EXAMPLE_EVENT_H

#include "describe/described.h"

/*
 * Returns an event that the schema accepts, in CurrentMemoryContext: the first of its
 * "examples" that does, or else one that is made from the schema.  Returns NULL if none
 * was found, which does not mean that there is none.
 */
extern Jsonb *ev_example_event(EvDescribed *d);

#endif							/* EV_EXAMPLE_EVENT_H */
