/*
 * hide_context.h
 *	  Errors without a CONTEXT of the extension's insides.
 */
#ifndef EV_HIDE_CONTEXT_H
#define EV_HIDE_CONTEXT_H

/*
 * For C functions that PL/pgSQL functions of ours call by PERFORM: the CONTEXT of
 * their errors lacks that statement.  Where others call them, nothing happens.
 */
extern void ev_hide_calling_statement(void);

#endif							/* EV_HIDE_CONTEXT_H */
