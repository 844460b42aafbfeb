/*
 * claims.h
 *	  The URIs that registered documents are found by, and who refers to them.
 *
 *	  A document claims its own name (TYPE@VERSION, or its URI) and what it
 *	  gives itself as $id.  A name belongs to who has it; a $id to the owners of
 *	  the documents that have it.  Everything is compared by the name of the
 *	  function that a URI would have (ev_uri_name), so a URI that is too long
 *	  for a name is known by its hash.
 */
#ifndef EV_CLAIMS_H
#define EV_CLAIMS_H

#include "schema/document.h"
#include "nodes/pg_list.h"

/*
 * The name of the function that a reference asks for first, in
 * CurrentMemoryContext: TYPE@VERSION, or a URI's.
 */
extern char *ev_claims_name(const char *uri);

/*
 * All names that the document of a function in event_schema claims, its own
 * first.
 */
extern List *ev_claims_names(const EvDocument *document);

/*
 * A document was just created, or replaced, in event_schema.  Locks the URIs
 * that it claims against who refers to them, until the end of the transaction.
 * Raises invalid_parameter_value where its $id is another event's URI,
 * insufficient_privilege where a URI is somebody else's, and duplicate_object
 * where references of others would lead to it that led elsewhere.
 */
extern void ev_claims_check(const EvDocument *document);

/* A registered document that refers to another one. */
typedef struct EvReferrer
{
	Oid			function;
	Oid			owner;			/* of the function */
	char	   *name;			/* of the function */
	char	   *by;				/* the name, of those asked for, that it
								 * refers by */
	char	   *uri;			/* as its reference has it, absolute */
} EvReferrer;

/*
 * The registered documents (EvReferrer *) that refer to one of these names, as
 * their bodies say; but for one function.  In CurrentMemoryContext.  Looks
 * through all bodies.
 */
extern List *ev_claims_referrers(List *names, Oid but);

#endif							/* EV_CLAIMS_H */
