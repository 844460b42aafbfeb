/*
 * row_fault.h
 *	  Which errors are caused by the data of a row, and not by the server,
 *	  the caller or concurrent work.
 */
#ifndef EV_ROW_FAULT_H
#define EV_ROW_FAULT_H

/*
 * The work that raised the error.  Each kind accepts more errors than the one
 * before it.
 */
typedef enum EvRowWork
{
	EV_WORK_READ,				/* expressions over the row: data exceptions */
	EV_WORK_VALIDATE,			/* and its validation: also limits, for
								 * example for a document that is too deep */
	EV_WORK_UPCAST,				/* users' functions and triggers on its data:
								 * all errors that the data can cause */
	EV_WORK_INSERT				/* also errors that name an object or a
								 * privilege, for example of the table that
								 * the row is inserted into */
} EvRowWork;

/*
 * Is an error with this SQLSTATE caused by the row?  If so, the row is left
 * out or reported, and work continues with the next row; otherwise the error
 * ends the statement.
 */
extern bool ev_is_row_fault(int sqlstate, EvRowWork work);

/*
 * Returns a name for an error, equal for errors of one cause, in CurrentMemoryContext: the
 * SQLSTATE with the constraint or the column; without these "SQLSTATE: message", in which what a
 * message quotes, and words with digits, are left out.
 */
extern char *ev_row_fault_name(const ErrorData *error);

/*
 * Returns a copy of a message for a report, in CurrentMemoryContext: users' code raises
 * messages of any length, so a long one is cut and ends in "...".
 */
extern char *ev_message_cut(const char *message);

/*
 * Is an error with this SQLSTATE caused by an expression over rows: by the
 * data that it reads, or by the names and rights that it uses?
 */
extern bool ev_is_expression_fault(int sqlstate);

#endif							/* EV_ROW_FAULT_H */
