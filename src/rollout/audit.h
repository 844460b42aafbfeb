/*
 * audit.h
 *	  Violations of stored events, counted by kind, without raising for any of
 *	  them.
 */
#ifndef EV_AUDIT_H
#define EV_AUDIT_H

#include "program/program.h"

/* Violations of one kind. */
typedef struct EvKind
{
	const char *instance_location;	/* array indexes are "*" */
	const char *keyword_location;
	const char *keyword;		/* "": no keyword finds it */
	const char *name;			/* tells kinds apart where nothing else does */
	const char *message;		/* of the first of them */
	int64		count;
} EvKind;

/*
 * Calls `put` for each kind of violations of a document, with strings that
 * live until it returns.  A resource limit, such as can be the document's
 * fault, is one too.  Needs a lot of memory, in CurrentMemoryContext, which
 * the caller should reset.
 */
extern void ev_audit_kinds(const EvProgram *program, const Jsonb *document,
						   void (*put) (const EvKind *kind, void *arg), void *arg);

/* Puts a kind as a row into a function's result, a ReturnSetInfo. */
extern void ev_audit_put(const EvKind *kind, void *result);

#endif							/* EV_AUDIT_H */
