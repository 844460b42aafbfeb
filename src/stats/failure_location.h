/*
 * failure_location.h
 *	  The locations of violations, as they are counted.
 */
#ifndef EV_FAILURE_LOCATION_H
#define EV_FAILURE_LOCATION_H

/*
 * Returns a JSON Pointer into an event, in CurrentMemoryContext, with "*" for
 * each token that is not the name of a property in the schema's location of the
 * keyword.  So an index of an array is "*", and so is a key that only the event has:
 * the result says nothing of the event that its schema does not say.  It is cut at a
 * character after EV_STATS_LOCATION bytes.  Raises query_canceled at most.
 */
extern char *ev_failure_location(const char *instance_location, const char *keyword_location);

#endif							/* EV_FAILURE_LOCATION_H */
