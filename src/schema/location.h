/*
 * location.h
 *	  The location of a subschema in its document.
 */
#ifndef EV_LOCATION_H
#define EV_LOCATION_H

/* The index of a block of instructions that does not exist (yet). */
#define EV_BLOCK_NONE	((uint32) 0xFFFFFFFF)

/*
 * The location of a subschema.  JSON Pointers are made from the tails when
 * needed.
 */
typedef struct EvLocation
{
	const struct EvLocation *parent;	/* the enclosing schema; NULL for a
										 * root */
	const char *tail;			/* JSON Pointer from the parent,
								 * "/properties/a" */
	const char *keyword;		/* that applies the subschema, "properties";
								 * NULL for a root */
	const char *resource;		/* URI of the schema resource of which this is
								 * the root ("" if it has none), otherwise
								 * NULL */
} EvLocation;

/*
 * Returns the JSON Pointer of a location, from the root of its document or of
 * its resource, in CurrentMemoryContext.
 */
extern char *ev_location_pointer(const EvLocation *location, bool from_resource);

#endif							/* EV_LOCATION_H */
