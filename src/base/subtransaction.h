/*
 * subtransaction.h
 *	  Runs a function in a subtransaction, so that an error ends only the
 *	  subtransaction.
 */
#ifndef EV_SUBTRANSACTION_H
#define EV_SUBTRANSACTION_H

/*
 * What happens to work that raises no error.  Work that raises an error is
 * always rolled back, and its locks are released.
 */
typedef enum EvKeep
{
	EV_KEEP,					/* it becomes part of the transaction */
	EV_LET_GO					/* it is rolled back too: its results are in
								 * memory, and its locks are released */
} EvKeep;

/*
 * Calls work(arg) in a subtransaction, in the current memory context.  Returns
 * NULL, or a copy of the error in that context.  It catches all errors.  So
 * the caller must rethrow (ReThrowError) those that it does not handle, above
 * all interrupts.
 */
extern ErrorData *ev_in_subtransaction(void (*work) (void *arg), void *arg, EvKeep keep);

/*
 * Was an error raised by a cancel request or by statement_timeout?  A user's
 * function may raise the same SQLSTATE, but not from that source location.
 */
extern bool ev_is_interrupt(const ErrorData *error);

#endif							/* EV_SUBTRANSACTION_H */
