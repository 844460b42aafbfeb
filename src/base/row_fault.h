/*
 * row_fault.h
 *	  Which errors are the fault of a row, and not of the server, the caller or
 *	  the situation.
 */
#ifndef EV_ROW_FAULT_H
#define EV_ROW_FAULT_H

/* What raised the error.  Each accepts more errors than the one before it. */
typedef enum EvRowWork
{
	EV_WORK_READ,				/* expressions over the row: data exceptions */
	EV_WORK_VALIDATE,			/* and its check against a schema: also
								 * limits, as for a document that is too deep */
	EV_WORK_UPCAST,				/* users' functions and triggers on its data:
								 * all that its data can make them raise */
	EV_WORK_INSERT				/* also errors that name an object or a right,
								 * as of the table that the row is put into */
} EvRowWork;

/*
 * Is an error with this SQLSTATE the fault of the row?  Then the row is left
 * out, or reported, and the others go on; else the error ends the statement.
 */
extern bool ev_is_row_fault(int sqlstate, EvRowWork work);

/*
 * Is it the fault of an expression over rows: of the data that it reads, or of
 * the names and rights that it uses?
 */
extern bool ev_is_expression_fault(int sqlstate);

#endif							/* EV_ROW_FAULT_H */
