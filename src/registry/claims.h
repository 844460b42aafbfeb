/*
 * claims.h
 *	  The URIs by which references find registered documents, and the
 *	  references to them.
 *
 * A document claims its own name (TYPE@VERSION, or its URI) and its $ids.  A
 * name belongs to the document that has it, a $id to the owners of the
 * documents that have it.  URIs are compared by the name of the function that
 * each URI would have (ev_uri_name), so a URI that is too long for a name is
 * compared by its hash.
 */
#ifndef EV_CLAIMS_H
#define EV_CLAIMS_H

#include "schema/document.h"
#include "nodes/pg_list.h"

/*
 * Returns the name of the function that a reference to this URI looks for
 * first, in CurrentMemoryContext: TYPE@VERSION, or a URI's.
 */
extern char *ev_claims_name(const char *uri);

/*
 * Returns all names that the document of a function in event_schema claims,
 * its own name first.
 */
extern List *ev_claims_names(const EvDocument *document);

/*
 * Checks a document that was just created or replaced in event_schema.  Locks
 * the URIs that it claims until the end of the transaction, against new
 * references to them.  Raises invalid_parameter_value if its $id is the URI of
 * another event schema, insufficient_privilege if a URI belongs to another
 * role, and duplicate_object if references of other documents would change
 * their target.
 */
extern void ev_claims_check(const EvDocument *document);

/* A registered document that refers to another one. */
typedef struct EvReferrer
{
	Oid			function;
	Oid			owner;			/* of the function */
	char	   *name;			/* of the function */
	char	   *by;				/* the given name by which it refers */
	char	   *uri;			/* absolute URI of its reference */
} EvReferrer;

/*
 * Returns the registered documents (EvReferrer *) whose bodies refer to one of
 * these names, except one function, in CurrentMemoryContext.  Reads all
 * bodies.
 */
extern List *ev_claims_referrers(List *names, Oid but);

#endif							/* EV_CLAIMS_H */
