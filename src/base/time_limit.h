/*
 * time_limit.h
 *	  A limit on the time that code of other roles takes.
 */
#ifndef EV_TIME_LIMIT_H
#define EV_TIME_LIMIT_H

#include "base/subtransaction.h"

/*
 * Calls work(arg) as ev_in_subtransaction does.  Work that takes longer is
 * canceled (query_canceled), as by statement_timeout.  Code that catches this
 * is canceled again at once.  0 means no limit.  A limit inside another limit
 * has no effect: the outer one ends both.
 *
 * Returns NULL, or a copy of the error in CurrentMemoryContext.  Sets *ran_out
 * if the error came after the end of the time.  Raises the error of a
 * cancellation that the user has requested (pg_cancel_backend,
 * statement_timeout), also if the work has caught it.
 */
extern ErrorData *ev_in_limited_time(void (*work) (void *arg), void *arg, EvKeep keep,
									 int milliseconds, bool *ran_out);

/*
 * Calls work(arg), which runs no code of users and holds only memory, without a
 * subtransaction, so also in parallel workers.  Returns true if it was canceled after
 * the end of the time: the work returned early because of QueryCancelPending, or it was
 * ended by the error of CHECK_FOR_INTERRUPTS(), which is dropped; the caller must then raise an error.  A
 * limit inside another limit has no effect.  Raises the other errors of the work, and a
 * cancellation that the user has requested.
 */
extern bool ev_compute_in_limited_time(void (*work) (void *arg), void *arg, int milliseconds);

#endif							/* EV_TIME_LIMIT_H */
