/*
 * event_log.h
 *	  A line in the server's log for each event that is not valid.
 */
#ifndef EV_EVENT_LOG_H
#define EV_EVENT_LOG_H

#include "utils/rel.h"

/*
 * Defines the settings event_validate.log_violations and
 * event_validate.log_violations_rate; for _PG_init.
 */
extern void ev_event_log_init(void);

/* event_validate.log_violations */
extern bool ev_log_violations;

/*
 * Writes the line, if the setting is on and the rate allows it: what happened
 * to the event ("refused", "diverted", "kept"), the table (NULL if not known),
 * type and version (NULL if it has none), and the text of its violations.
 */
extern void ev_event_log(const char *fate, Relation relation, const text *type,
						 const int32 *version, const char *violations);

#endif							/* EV_EVENT_LOG_H */
