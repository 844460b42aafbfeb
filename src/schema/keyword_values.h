/*
 * keyword_values.h
 *	  Reads the keywords of a subschema and checks the shapes of their values.
 */
#ifndef EV_KEYWORD_VALUES_H
#define EV_KEYWORD_VALUES_H

#include "schema/schema_graph.h"

/* The keywords of one subschema. */
typedef struct EvKeywordValues
{
	JsonbValue	values[EV_KEYWORD_COUNT];	/* by EvKeywordSymbol */
	bool		present[EV_KEYWORD_COUNT];
	uint32		types;			/* that the keywords are about; EV_ALL_TYPES
								 * and EV_UNEVALUATED are left out */
} EvKeywordValues;

/* Does $ref disable its siblings?  It does up to draft 7 (draft 7 core, 8.3). */
static inline bool
ev_ref_hides_siblings(const EvSubschema *subschema, const EvKeywordValues *keywords)
{
	return keywords->present[EV_KW_REF] && subschema->resource->draft <= EV_DRAFT7;
}

/* Reads the keywords of a subschema that its dialect has. */
extern void ev_read_keywords(const EvSubschema *subschema, EvKeywordValues *keywords);

/*
 * Checks the shape of a keyword's value.  Subschemas inside it are walked
 * later, not here.
 */
extern bool ev_check_value(EvCompiler *c, const EvLocation *location, const char *tail,
						   int keyword, const JsonbValue *value);

/*
 * Adds a hint to the fault about a value of a keyword, if another dialect allows
 * this value.
 */
extern void ev_hint_at_dialect(EvCompiler *compiler, const char *keyword, const JsonbValue *value);

/* Checks that a value is an array of strings. */
extern bool ev_check_strings(EvCompiler *c, const EvLocation *location, const char *tail, const JsonbValue *value);

/*
 * Returns the set of types that a checked value of "type" allows.  With
 * *integer, numbers must be integers.
 */
extern uint32 ev_type_set(const JsonbValue *value, bool *integer);

/*
 * Returns a pattern in the program's context; equal patterns of the schema are
 * compiled once.  Returns NULL if there is a fault.
 */
extern EvPattern *ev_compile_pattern(EvCompiler *compiler, const EvLocation *location, const char *tail,
									 const char *string, int length);

#endif							/* EV_KEYWORD_VALUES_H */
