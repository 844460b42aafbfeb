/*
 * match.h
 *	  Runs a program on a document.
 */
#ifndef EV_MATCH_H
#define EV_MATCH_H

#include "program.h"

/* One place where a document is not what the schema asks for. */
typedef struct EvViolation
{
	const char *instance_location;	/* JSON Pointer into the document */
	const char *keyword_location;	/* JSON Pointer, by way of "$ref" */
	const char *keyword;
	const char *message;		/* lower case, no full stop */
} EvViolation;

/*
 * Gets the violations.  add is called for each of the first `limit`, with
 * strings that live until it returns; the rest are only counted.
 */
typedef struct EvCollector
{
	void		(*add) (struct EvCollector *collector, const EvViolation *violation);
	int64		limit;
	int64		count;
} EvCollector;

/*
 * Does the document match?  What it allocates, for rare keywords, is in
 * CurrentMemoryContext and freed.  Raises statement_too_complex where the
 * nesting is too deep for the stack, program_limit_exceeded where a regular
 * expression needs too much, and query_canceled.
 */
extern bool ev_match(const EvProgram *program, const Jsonb *document);

/* The same, and every violation goes to the collector. */
extern bool ev_match_collect(const EvProgram *program, const Jsonb *document,
							 EvCollector *collector);

#endif							/* EV_MATCH_H */
