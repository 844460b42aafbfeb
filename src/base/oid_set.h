/*
 * oid_set.h
 *	  Sets of OIDs, for objects that any role can make many of: a list would be
 *	  searched in quadratic time.
 */
#ifndef EV_OID_SET_H
#define EV_OID_SET_H

#include "utils/hsearch.h"

/* Returns an empty set, in CurrentMemoryContext. */
static inline HTAB *
ev_oid_set(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(Oid), .hcxt = CurrentMemoryContext};

	return hash_create("event_validate OIDs", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Adds an OID.  Returns false if the set has it already. */
static inline bool
ev_oid_set_add(HTAB *set, Oid oid)
{
	bool		found;

	(void) hash_search(set, &oid, HASH_ENTER, &found);
	return !found;
}

static inline bool
ev_oid_set_has(HTAB *set, Oid oid)
{
	return hash_search(set, &oid, HASH_FIND, NULL) != NULL;
}

#endif							/* EV_OID_SET_H */
