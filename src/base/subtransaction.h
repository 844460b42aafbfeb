/*
 * subtransaction.h
 *	  Running a function in a subtransaction, so that an error ends only that.
 */
#ifndef EV_SUBTRANSACTION_H
#define EV_SUBTRANSACTION_H

/*
 * What becomes of work that raises nothing.  Work that raises is rolled back
 * always, and with it its locks.
 */
typedef enum EvKeep
{
	EV_KEEP,					/* it is part of the transaction */
	EV_LET_GO					/* it is rolled back too: what it has found is
								 * in memory, and its locks are gone */
} EvKeep;

/*
 * Calls work(arg) in a subtransaction, with CurrentMemoryContext as it is.
 * Gives NULL, or a copy of the error in that context.  Takes what comes: it is
 * for the caller to raise again (ReThrowError) what is not meant to be caught,
 * above all an interrupt.
 */
extern ErrorData *ev_in_subtransaction(void (*work) (void *arg), void *arg, EvKeep keep);

/*
 * Is an error the answer to a cancel or to a statement_timeout?  A user's
 * function may raise the same SQLSTATE, but not from there.
 */
extern bool ev_is_interrupt(const ErrorData *error);

#endif							/* EV_SUBTRANSACTION_H */
