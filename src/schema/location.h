/*
 * location.h
 *	  Where a subschema stands in its document.
 */
#ifndef EV_LOCATION_H
#define EV_LOCATION_H

/* The index of a block of instructions, where there is none (yet). */
#define EV_BLOCK_NONE	((uint32) 0xFFFFFFFF)

/*
 * The location of a subschema.  JSON Pointers are made from the tails when they
 * are needed.
 */
typedef struct EvLocation
{
	const struct EvLocation *parent;	/* the schema around it; NULL for a
										 * root */
	const char *tail;			/* JSON Pointer from there, "/properties/a" */
	const char *keyword;		/* that applies it, "properties"; NULL for a
								 * root */
	const char *resource;		/* its URI, where it is the root of a schema
								 * resource ("" if it has none), else NULL */
} EvLocation;

/*
 * The JSON Pointer of a location from its document's root, or from its
 * resource's, in CurrentMemoryContext.
 */
extern char *ev_location_pointer(const EvLocation *location, bool from_resource);

#endif							/* EV_LOCATION_H */
