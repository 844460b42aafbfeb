/*
 * claims.h
 *	  The URIs that registered documents are found by, and who refers to them.
 *
 *	  A document claims its own name (TYPE@VERSION, or its URI) and what it
 *	  gives itself as $id.  A name belongs to who has it; a $id to the owners of
 *	  the documents that have it.  The $id of a schema in a document is claimed
 *	  by no role.  Everything is compared by the name of the
 *	  function that a URI would have (ev_uri_name), so a URI that is too long
 *	  for a name is known by its hash.
 */
#ifndef EV_CLAIMS_H
#define EV_CLAIMS_H

#include "nodes/pg_list.h"

#include "registry/uri_index.h"
#include "schema/document.h"

/* The schemas below its root that a document can have URIs for, for others. */
#define EV_CLAIMS_MOST_PARTS	1000

/*
 * The names that the document of a function in event_schema claims for itself,
 * the function's first; and these and the names of the schemas in it.
 */
extern List *ev_claims_roots(const EvDocument *document);
extern List *ev_claims_names(const EvDocument *document);

/*
 * The names of the schemas in a document, none where there are more than
 * EV_CLAIMS_MOST_PARTS, and those of the documents that it refers to.
 */
extern void ev_claims_mentioned(const EvDocument *document, List **parts, List **references);

/*
 * Writes the rows of a function's document in the index of URIs; one that is
 * not registered has only those of its references.
 */
extern void ev_claims_record(const EvDocument *document, bool is_registered);

/*
 * A document was just created, or replaced, in event_schema.  Locks the URIs
 * that it claims against who refers to them, until the end of the transaction.
 * Raises invalid_parameter_value where its $id is another event's URI,
 * insufficient_privilege where a URI is somebody else's, and duplicate_object
 * where references of others would lead to it that led elsewhere, or would be
 * ambiguous.
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
 * their bodies say, except one function.  In CurrentMemoryContext.
 */
extern List *ev_claims_referrers(List *names, Oid but);

#endif							/* EV_CLAIMS_H */
