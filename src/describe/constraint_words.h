/*
 * constraint_words.h
 *	  What a schema demands, in words.
 */
#ifndef EV_CONSTRAINT_WORDS_H
#define EV_CONSTRAINT_WORDS_H

#include "describe/described.h"

/* A demand: words, in which "%s" stands for values of the schema. */
typedef struct EvConstraint
{
	const char *words;
	const char *value;			/* of the schema, as JSON or as a pattern;
								 * NULL: none */
} EvConstraint;

/* Returns the types that all parts allow, in words: "string or null". */
extern char *ev_type_words(EvDescribed *d, const List *parts);

/*
 * Returns what the parts demand beside types, properties and alternatives: a List of
 * EvConstraint, each once, in CurrentMemoryContext.
 */
extern List *ev_constraint_words(EvDescribed *d, const List *parts);

/* Returns a constraint as text, in CurrentMemoryContext. */
extern char *ev_constraint_text(const EvConstraint *constraint);

/* Do the parts say anything of properties or items, or have they alternatives? */
extern bool ev_has_children(const List *parts);

/*
 * Returns the members of anyOf and oneOf of a part, of which at least one has children, as
 * a List of EvSubschema; NIL if there are none.
 */
extern List *ev_alternatives(EvDescribed *d, const EvPart *part, int keyword);

/*
 * Returns the member of such a list that alone has children, if all others allow neither
 * objects nor arrays; else NULL.
 */
extern EvSubschema *ev_only_structured(EvDescribed *d, const List *members);

#endif							/* EV_CONSTRAINT_WORDS_H */
