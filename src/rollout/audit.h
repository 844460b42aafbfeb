/*
 * audit.h
 *	  Counts violations of stored events by kind, without raising errors.
 */
#ifndef EV_AUDIT_H
#define EV_AUDIT_H

#include "program/program.h"

/* Violations of one kind. */
typedef struct EvKind
{
	const char *instance_location;	/* array indexes are "*" */
	const char *keyword_location;
	const char *keyword;		/* "": not of a keyword */
	const char *name;			/* distinguishes kinds that are otherwise
								 * equal */
	const char *message;		/* of the first of them */
	int64		count;
} EvKind;

/*
 * Calls `put` for each kind of violations of a document, with strings that are
 * valid only during the call.  A resource limit that the document exceeds is
 * one too.  Needs much memory in CurrentMemoryContext, which the caller should
 * reset.
 */
extern void ev_audit_kinds(const EvProgram *program, const Jsonb *document,
						   void (*put) (const EvKind *kind, void *arg), void *arg);

/*
 * Returns the loss if this text becomes jsonb, or why it cannot; NULL if only
 * white space and the order of keys would change.  In CurrentMemoryContext.
 * Raises no error for a document.
 */
extern const char *ev_json_loss(const text *document);

#endif							/* EV_AUDIT_H */
