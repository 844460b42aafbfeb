/*
 * time_limit.h
 *	  A limit on the time that code of other roles takes.
 */
#ifndef EV_TIME_LIMIT_H
#define EV_TIME_LIMIT_H

/*
 * From now on, until ev_time_limit_stop is called, whatever runs for longer is
 * canceled (query_canceled), as by statement_timeout.  Code that catches this
 * is canceled again at once, until the error has reached who started the
 * limit.  That must be in a subtransaction of its own, and calls
 * ev_time_limit_stop first of all, after an error as without one.
 *
 * There is one limit at a time.
 */
extern void ev_time_limit_start(int milliseconds);

/* Is there one?  Code that it cancels must not start another. */
extern bool ev_time_limit_is_running(void);

/* Ends it; has the time run out?  Harmless where there is no limit. */
extern bool ev_time_limit_stop(void);

/*
 * Has the statement had all the time that statement_timeout gives it?  Its
 * cancel can have been taken for one of a limit.
 */
extern bool ev_is_statement_over(void);

#endif							/* EV_TIME_LIMIT_H */
