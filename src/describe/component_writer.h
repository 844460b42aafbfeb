/*
 * component_writer.h
 *	  Writes a schema as a component of an AsyncAPI or OpenAPI document.
 */
#ifndef EV_COMPONENT_WRITER_H
#define EV_COMPONENT_WRITER_H

#include "describe/described.h"

/* How references are written, and in which dialect schemas are. */
typedef struct EvComponents
{
	HTAB	   *names;			/* EvComponentName by function */
	const char *suffix;			/* of the pointer to a component's schema: "",
								 * or "/schema" */
	bool		as_draft7;		/* translate later dialects to draft 7 */
	bool		discriminator_is_name;	/* as in AsyncAPI, and not an object */
	int64		most;			/* bytes of a component */
	bool		is_too_long;	/* set with the error: it had more */
} EvComponents;

typedef struct EvComponentName
{
	Oid			function;		/* hash key, must be the first member */
	char	   *name;
} EvComponentName;

/*
 * Returns the schema as JSON text, in CurrentMemoryContext, with its references led to
 * components, and without what names it ($id, $anchor, $schema).  Sets *left_out to a List
 * of char *: what could not be written, so that the component accepts more than the schema.
 * Raises program_limit_exceeded if it becomes longer than components->most.
 */
extern char *ev_component_write(EvDescribed *d, EvComponents *components, List **left_out);

/* Raises program_limit_exceeded if a component with so many bytes is longer than components->most. */
extern void ev_component_limit(EvComponents *components, int64 bytes);

/* Returns the name of the component of a function; NULL if it has none. */
extern const char *ev_component_name(const EvComponents *components, Oid function);

#endif							/* EV_COMPONENT_WRITER_H */
