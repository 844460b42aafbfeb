/*
 * in_place.h
 *	  Schemas that a caller passes as an argument, compiled once a call site.
 */
#ifndef EV_IN_PLACE_H
#define EV_IN_PLACE_H

#include "fmgr.h"

#include "program/program.h"
#include "registry/schema_cache.h"
#include "schema/document.h"

/* A schema that is an argument, with its options. */
typedef struct EvInPlaceSchema
{
	Datum		schema;			/* jsonb, or text or json */
	bool		is_text;		/* not jsonb */
	bool		assert_format;
	const struct varlena *except_formats;	/* text[], not toasted; NULL: none */
} EvInPlaceSchema;

/* The compiled schema of a call site. */
typedef struct EvInPlace
{
	MemoryContext context;		/* for program and schema */
	const void *constant;		/* the schema's argument, if it is a constant
								 * of the expression, refers to nothing, and
								 * asserts all formats or none; otherwise NULL */
	const struct varlena *schema;	/* a copy of the argument, not toasted */
	bool		assert_format;
	const struct varlena *except_formats;	/* a copy; NULL: none */
	bool		has_references; /* to registered documents */
	bool		has_warned;		/* of a schema without keywords */
	uint64		generation;		/* of the registry at that time */
	EvProgram  *program;		/* NULL: none is compiled */
} EvInPlace;

/*
 * Returns the program of a schema, which is argument 0 of a function.  It is in
 * the memory of the call site, until the next call.  Returns NULL, with *fault filled, if the argument is not a schema.
 * Raises a WARNING once a call site if it is an object without any keyword: then
 * it is probably an instance.
 * Raises an error if it is not JSON, or if a limit is exceeded.
 */
extern EvProgram *ev_in_place_find(FmgrInfo *function, const EvInPlaceSchema *schema, EvFault *fault);

/* The same, but raises an error if the argument is not a schema. */
extern EvProgram *ev_in_place_require(FmgrInfo *function, const EvInPlaceSchema *schema);

/*
 * Returns the program if the argument is the constant that was met last, without
 * formats that are left out; NULL if one of the functions above must be called.
 */
static inline const EvProgram *
ev_in_place_constant(const FmgrInfo *function, Datum schema, bool assert_format)
{
	const EvInPlace *kept = (const EvInPlace *) function->fn_extra;

	if (likely(kept != NULL && kept->constant == DatumGetPointer(schema) && kept->assert_format == assert_format))
		return kept->program;
	return NULL;
}

/*
 * Is this a schema, jsonb, or text or json?  Compiles it in CurrentMemoryContext.
 * Raises an error if it is not JSON, or if a limit is exceeded.
 */
extern bool ev_in_place_is_valid(Datum schema, bool is_text);

#endif							/* EV_IN_PLACE_H */
