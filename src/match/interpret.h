/*
 * interpret.h
 *	  Matches a document with a program, and explains why it does not match.
 */
#ifndef EV_INTERPRET_H
#define EV_INTERPRET_H

#include "program/program.h"

/* A violation of one keyword at one location of the document. */
typedef struct EvViolation
{
	const char *instance_location;	/* JSON Pointer into the document */
	const char *keyword_location;	/* JSON Pointer, by way of "$ref" */
	const char *keyword;
	const char *message;		/* lower case, no full stop */
	const EvLocation *location; /* of the schema that the keyword stands in */
	const char *path;			/* of the keyword in it, "/type" */

	/* what follows is for collectors that want facts; NULL: there is none */
	const char *property;		/* the missing or extra one */
	const Jsonb *expected;		/* what the keyword demands; see facts.h */
	const Jsonb *actual;		/* the value that it rejects */
} EvViolation;

/*
 * Gets the violations.  add is called for each of the first `limit`, with
 * strings that live until it returns; the rest are only counted.
 *
 * The other functions are for reports, all or none: enter and leave frame each
 * subschema that is applied, annotate gets what ANNOTATE instructions say, and
 * forgive says that a keyword of the subschema at hand holds, whatever those
 * of its branches say that do not match.
 */
typedef struct EvCollector
{
	void		(*add) (struct EvCollector *collector, const EvViolation *violation);
	int64		limit;
	int64		count;
	void		(*enter) (struct EvCollector *collector, const char *instance_location,
						  const char *keyword_location, const EvLocation *location);
	void		(*leave) (struct EvCollector *collector, bool valid);
	void		(*annotate) (struct EvCollector *collector, const char *keyword,
							 const Jsonb *value);
	void		(*forgive) (struct EvCollector *collector, const char *keyword);
	bool		wants_facts;	/* not only words */
} EvCollector;

/*
 * Does the document match?  What it allocates, for rare keywords, is in
 * CurrentMemoryContext and freed.  Raises statement_too_complex where the
 * nesting is too deep for the stack, program_limit_exceeded where a regular
 * expression or a division for "multipleOf" needs too much, and
 * query_canceled.
 */
static inline bool
ev_match(const EvProgram *program, const Jsonb *document)
{
	return DatumGetBool(program->match(program, &document->root));
}

/* The entry point for documents of a program; its root check is known. */
extern EvMatchFunction ev_match_function(const EvProgram *program);

/* Its name, for event_schema_program. */
extern const char *ev_match_function_name(const EvProgram *program);

/* Is the answer the same for all documents? */
extern bool ev_match_is_constant(const EvProgram *program);

/* Does the type decide, so that a document's header and first entry are enough? */
extern bool ev_match_is_by_type(const EvProgram *program);

/* The same by the interpreter, which hands every violation to the collector. */
extern bool ev_match_collect(const EvProgram *program, const Jsonb *document,
							 EvCollector *collector);

#endif							/* EV_INTERPRET_H */
