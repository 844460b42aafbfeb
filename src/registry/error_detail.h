/*
 * error_detail.h
 *	  The DETAIL of the error for an event that is not valid: lines of text, or
 *	  a JSON array, as event_validate.error_format says.
 */
#ifndef EV_ERROR_DETAIL_H
#define EV_ERROR_DETAIL_H

#include "match/interpret.h"
#include "nodes/pg_list.h"

/* The most violations in a DETAIL; the rest are counted. */
#define EV_DETAIL_VIOLATIONS	10

/* The most bytes of a DETAIL in JSON. */
#define EV_DETAIL_BYTES			8192

/* Is the DETAIL a JSON array? */
extern bool ev_detail_is_json(void);

/*
 * Returns a violation as a JSON object in one line, in CurrentMemoryContext.  It
 * shows no more of the event than ev_violation_words(): keys of more than
 * EV_SHOWN_CHARACTERS characters are cut, "actual" is there if the message
 * quotes the value, and is cut as there.  If event_validate.show_values is
 * off, it has only the keyword and its location.
 */
extern char *ev_violation_json(const EvViolation *violation);

/*
 * Returns the DETAIL in JSON, in CurrentMemoryContext: an array of the first of
 * these objects (char *) that EV_DETAIL_VIOLATIONS and EV_DETAIL_BYTES allow.
 * If there are more violations, a last object counts those.
 */
extern char *ev_detail_json(List *objects, int64 count);

/*
 * Returns a reason other than violations as such an object, in
 * CurrentMemoryContext: its message is the reason, and its locations are empty.
 */
extern char *ev_reason_json(const char *reason);

/*
 * For ereport(): adds the DETAIL of an event that is refused for a reason other
 * than its violations.  In JSON it is an array of one object with the reason as
 * its message; otherwise it is `text`, or none if that is NULL.
 */
extern int	ev_detail_of_reason(const char *reason, const char *text);

#endif							/* EV_ERROR_DETAIL_H */
