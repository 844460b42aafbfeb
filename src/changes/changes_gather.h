/*
 * changes_gather.h
 *	  Shared parts of the gatherers, which make facts of keywords.
 */
#ifndef EV_CHANGES_GATHER_H
#define EV_CHANGES_GATHER_H

#include "changes/changes_internal.h"

/* The state of gathering. */
typedef struct EvGathering
{
	EvProver   *prover;
	EvFacts    *facts;
	EvFactsForm form;
	const EvSubschema *subschema;	/* the one being read */
	EvKeywordValues keywords;	/* of this subschema */
	EvGatherer	running;		/* the gatherer that reads them */
	uint32		ran;			/* set of the gatherers that have read them */
	bool		read[EV_KEYWORD_COUNT]; /* by their own gatherer */
} EvGathering;

/*
 * Does the subschema have a keyword?  A gatherer sees only the keywords that
 * keywords.h gives it, and must ask for each of them in each run: a keyword
 * that it does not ask for is opaque.
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

/* Returns the keyword as the origin of a fact. */
extern EvOrigin ev_gather_origin(EvGathering *g, int keyword);

/*
 * Returns the place for the fact that is made of a keyword of this subschema;
 * the place holds NULL at first.  The fact is kept, since many sets have the
 * same schemas.
 */
extern void **ev_gather_known(EvGathering *g, int keyword);

/* Returns a keyword's value as a count, limited to one that no jsonb reaches. */
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
