/*
 * facts.h
 *	  The facts of a violation besides its message: the property, the expected and
 *	  the actual value.
 */
#ifndef EV_FACTS_H
#define EV_FACTS_H

#include "jsonb/jsonb_value.h"
#include "program/program.h"

/* Facts that have more bytes as jsonb are left out. */
#define EV_FACT_SIZE		1024

/* Strings in facts are cut at this number of characters. */
#define EV_FACT_CHARACTERS	256

typedef struct EvViolationFacts
{
	EvString	property;		/* the missing or extra one; data NULL: none */
	const Jsonb *expected;		/* or NULL */
	const EvInstance *actual;	/* or NULL */
} EvViolationFacts;

/*
 * Return a value as jsonb, in CurrentMemoryContext: strings are cut and end in "...".
 * NULL if it has more than EV_FACT_SIZE bytes.
 */
extern Jsonb *ev_fact_value(const EvInstance *value);
extern Jsonb *ev_fact_string(const char *data, int length);
extern Jsonb *ev_fact_number(Numeric number);
extern Jsonb *ev_fact_count(uint32 count);

/* Returns the names of types: a string, or an array if there are several. */
extern Jsonb *ev_fact_types(uint32 types, bool integer);

/* Returns an array of values, without the last ones if it is too large. */
extern Jsonb *ev_fact_values(const EvInstance *values, uint32 count);

/* Returns the value of "const", or the values of "enum". */
extern Jsonb *ev_fact_enum(const EvEnum *enumeration);

#endif							/* EV_FACTS_H */
