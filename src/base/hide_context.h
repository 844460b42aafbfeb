/*
 * hide_context.h
 *	  Hides the extension's internal functions in the CONTEXT of errors.
 */
#ifndef EV_HIDE_CONTEXT_H
#define EV_HIDE_CONTEXT_H

/*
 * For C functions that our PL/pgSQL functions call by PERFORM: the CONTEXT of
 * their errors then lacks that statement.  If other code calls them, its
 * CONTEXT stays as it is.
 */
extern void ev_hide_calling_statement(void);

#endif							/* EV_HIDE_CONTEXT_H */
