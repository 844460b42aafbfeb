/*
 * time_limit.h
 *	  A limit on the time that code of other roles takes.
 */
#ifndef EV_TIME_LIMIT_H
#define EV_TIME_LIMIT_H

/*
 * From now on until ev_time_limit_stop(), code that runs longer than this is
 * canceled (query_canceled), as by statement_timeout.  Code that catches the
 * error is canceled again at once, until the error reaches the caller of this
 * function.  The caller must run the code in a subtransaction of its own, and
 * must call ev_time_limit_stop() directly after it, with or without an error.
 *
 * There is one limit at a time.
 */
extern void ev_time_limit_start(int milliseconds);

/* Is a limit running?  Code under a limit must not start another. */
extern bool ev_time_limit_is_running(void);

/*
 * Stops the limit.  Returns true if the time was over.  Harmless if there is
 * no limit.
 */
extern bool ev_time_limit_stop(void);

/*
 * Has the time of statement_timeout passed?  Its cancel request can have been
 * taken for one of a limit.
 */
extern bool ev_is_statement_over(void);

#endif							/* EV_TIME_LIMIT_H */
