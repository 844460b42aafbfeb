/*
 * interpret.h
 *	  Matches a document with a program: the entry to both engines.
 *
 * ev_match() answers true or false.  It enters the fast matcher (fast_entry.c,
 * fast_match.c), which calls the interpreter only for blocks that are more than
 * one check.
 *
 * ev_match_collect() runs the interpreter (interpret.c), which also says why the
 * document does not match: it passes each violation to a collector.
 *
 * Both give the same answer; match_internal.h says how that is tested.
 */
#ifndef EV_INTERPRET_H
#define EV_INTERPRET_H

#include "program/program.h"

/* A violation of one keyword at one location of the document. */
typedef struct EvViolation
{
	const char *instance_location;	/* JSON Pointer into the document */
	const char *keyword_location;	/* JSON Pointer, with each "$ref" that was
									 * followed */
	const char *keyword;
	const char *message;		/* lower case, no full stop; NULL for
								 * collectors that want no messages */
	const EvLocation *location; /* of the schema that has the keyword */
	const char *path;			/* of the keyword in this schema, "/type" */

	/* only for collectors that want facts; NULL if there is none */
	const char *property;		/* the missing or extra property */
	const Jsonb *expected;		/* what the keyword demands, see facts.h */
	const Jsonb *actual;		/* the value that the keyword rejects */
} EvViolation;

/*
 * Receives violations. add is called for each of the first `limit`, with
 * strings that are valid only during the call; the rest are only counted.
 *
 * The other functions are for reports; either all or none are set: enter and
 * leave are called around each subschema that is applied, annotate receives
 * the values of ANNOTATE instructions, and forgive says that a keyword of the
 * current subschema holds although some of its branches do not match.
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
	bool		wants_facts;	/* it also wants the facts of violations */
	bool		wants_no_messages;	/* nor facts; messages cost the most */
	bool		skips_valid;	/* the fast matcher looks at single values,
								 * and those that it accepts are skipped;
								 * without enter and annotate */
} EvCollector;

/*
 * Does the document match?  Rare keywords allocate in CurrentMemoryContext,
 * and free it.  Raises statement_too_complex if the nesting is too deep for
 * the stack, program_limit_exceeded if a regular expression or a division for
 * "multipleOf" takes too much, and query_canceled.
 */
static inline bool
ev_match(const EvProgram *program, const Jsonb *document)
{
	return DatumGetBool(program->match(program, &document->root));
}

/*
 * Returns the entry function of a program, for documents.  The root check must
 * be set.
 */
extern EvMatchFunction ev_match_function(const EvProgram *program);

/* Returns its name, for event_schema_program. */
extern const char *ev_match_function_name(const EvProgram *program);

/* Is the answer the same for all documents? */
extern bool ev_match_is_constant(const EvProgram *program);

/*
 * Does the type alone decide, so that a document's header and first entry are
 * enough?
 */
extern bool ev_match_is_by_type(const EvProgram *program);

/*
 * Matches with the interpreter, which passes each violation to the collector.
 */
extern bool ev_match_collect(const EvProgram *program, const Jsonb *document,
							 EvCollector *collector);

#endif							/* EV_INTERPRET_H */
