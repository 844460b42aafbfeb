/*
 * explain_events.h
 *	  What the validations of a statement cost, in EXPLAIN ANALYZE.
 */
#ifndef EV_EXPLAIN_EVENTS_H
#define EV_EXPLAIN_EVENTS_H

/* Defines event_validate.explain, and installs hooks; for _PG_init. */
extern void ev_explain_events_init(void);

#endif							/* EV_EXPLAIN_EVENTS_H */
