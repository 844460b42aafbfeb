/*
 * changes_gather.h
 *	  What the gatherers share, which make facts of keywords.
 */
#ifndef EV_CHANGES_GATHER_H
#define EV_CHANGES_GATHER_H

#include "changes/changes_internal.h"

/* What is being gathered. */
typedef struct EvGathering
{
	EvProver   *prover;
	EvFacts    *facts;
	EvFactsForm form;
	const EvSubschema *subschema;	/* the one being read */
	EvKeywordValues keywords;	/* of it */
	EvGatherer	running;		/* the gatherer that reads it */
	uint32		ran;			/* set of the gatherers that have read it */
	bool		read[EV_KEYWORD_COUNT]; /* by the gatherer that they are of */
} EvGathering;

/*
 * Does the subschema have a keyword?  A gatherer sees only the keywords that
 * keywords.h gives it, and must ask for each of them whenever it runs:
 * gather_opaques takes those that it did not ask for as opaque.
 */
static inline bool
ev_gather_has(EvGathering *g, int keyword)
{
	if (ev_keywords[keyword].gatherer != g->running)
		return false;
	g->read[keyword] = true;
	return g->keywords.present[keyword];
}

static inline JsonbValue *
ev_gather_value(EvGathering *g, int keyword)
{
	return &g->keywords.values[keyword];
}

/* The keyword as the origin of a fact. */
extern EvOrigin ev_gather_origin(EvGathering *g, int keyword);

/* A keyword's value as a count, at most EV_NO_MAXIMUM - 1. */
extern uint32 ev_gather_count(EvGathering *g, int keyword);

/* Makes a bound of a count as strict as the keyword, if the schema has it. */
extern void ev_gather_minimum(EvGathering *g, int keyword, EvCountFact *fact);
extern void ev_gather_maximum(EvGathering *g, int keyword, EvCountFact *fact);

/* The gatherers of keywords without subschemas; see EvGatherer. */
extern void ev_gather_types(EvGathering *g);
extern void ev_gather_enums(EvGathering *g);
extern void ev_gather_numbers(EvGathering *g);
extern void ev_gather_strings(EvGathering *g);

#endif							/* EV_CHANGES_GATHER_H */
