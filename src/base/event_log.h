/*
 * event_log.h
 *	  A line in the server's log for each event that is not valid.
 */
#ifndef EV_EVENT_LOG_H
#define EV_EVENT_LOG_H

#include "utils/rel.h"

/*
 * Defines the settings event_validate.log_violations, ..._rate and
 * event_validate.show_values; for _PG_init.
 */
extern void ev_event_log_init(void);

/*
 * event_validate.show_values: may messages quote values and names of an event?
 * Only the text of messages depends on it.
 */
extern bool ev_quote_values;

/* What became of an event that is not valid. */
typedef enum EvFate
{
	EV_REFUSED,
	EV_DIVERTED,
	EV_KEPT
} EvFate;

/*
 * Writes the line, if that is wanted and the rate allows it: what became of
 * the event, the table where it is known (or NULL), type and version (NULL: it
 * has none), and its violations in words.  If there is a log in JSON, the line has
 * the same as a DETAIL in JSON.
 */
extern void ev_event_log(EvFate fate, Relation relation, const text *type,
						 const int32 *version, const char *violations);

/*
 * Does the rate allow a line about some events in the log?  If not, they are
 * counted: the next line, or the session's end, reports how many.
 */
extern bool ev_event_log_rate(int64 events);

#endif							/* EV_EVENT_LOG_H */
