/*
 * claims.h
 *	  The URIs by which references find registered documents, and the
 *	  references to them.
 *
 * A document claims its own name (TYPE@VERSION, or its URI) and its $id.  A
 * name belongs to the document that has it, a $id to the owners of the
 * documents that have it.  The schemas in a document with a $id are its parts;
 * their $ids belong to no role.  URIs are compared by the name of the function
 * that each URI would have (ev_reference_name), so a URI that is too long for
 * a name is compared by its hash.
 */
#ifndef EV_CLAIMS_H
#define EV_CLAIMS_H

#include "nodes/pg_list.h"
#include "utils/hsearch.h"

#include "schema/document.h"

/*
 * If a document has more parts, other documents cannot refer to any of them.
 */
#define EV_CLAIMS_MOST_PARTS	1000

/*
 * Returns the names that the document of a function in event_schema claims,
 * its own name first.
 */
extern List *ev_claims_roots(const EvDocument *document);

/* Returns the same names, followed by those of its parts. */
extern List *ev_claims_names(const EvDocument *document);

/*
 * Returns the names to lock before a document is registered, so that no reference
 * comes in between: those that it claims, its own name first, and those of its
 * parts to which references by them can lead.  A part's name that another document
 * has itself is left out.  `function` is InvalidOid for a new document.  In
 * CurrentMemoryContext.
 */
extern List *ev_claims_to_lock(const EvDocument *document);

/*
 * Writes the rows of a function's document, which mentions these URIs, to the
 * index of URIs.  A document that is not registered has only rows for its
 * references.
 */
extern void ev_claims_record(const EvDocument *document, const EvMentions *mentions, bool is_registered);

/*
 * Checks a document that was just created or replaced in event_schema, and that
 * mentions these URIs; `old` is the document that it replaces, or NULL.  Locks
 * the URIs that it claims until the end of the transaction, against new
 * references to them.
 *
 * together: the functions that are registered with it, as a hash table whose keys
 * begin with the OID; or NULL.  Their references lead nowhere yet, so they may lead
 * to this document.
 *
 * Raises invalid_parameter_value if its $id is the URI of
 * another event schema, insufficient_privilege if a URI belongs to another
 * role, and duplicate_object if references of other documents would change
 * their target or become ambiguous.
 */
extern void ev_claims_check(const EvDocument *document, const EvMentions *mentions, const EvDocument *old,
							HTAB *together);

/* Do references by the $ids of a document lead to it? */
extern bool ev_claims_has_its_ids(const EvDocument *document);

/*
 * Checks a registered document that is being replaced by one that gives itself
 * other URIs.  Raises dependent_objects_still_exist if a reference leads to it by a
 * URI that the new one does not have, or has for a part only: one of another registered
 * document, or of a function elsewhere whose owner can prevent the change
 * (ev_ownership_counts).  Locks the URIs that it loses.
 */
extern void ev_claims_check_kept(const EvDocument *old, const EvDocument *new);

/* A registered document that refers to another one. */
typedef struct EvReferrer
{
	Oid			function;
	Oid			owner;			/* of the function */
	char	   *name;			/* of the function */
	char	   *by;				/* the name, of those asked for, to which it
								 * refers */
	char	   *uri;			/* as in its reference, absolute */
} EvReferrer;

/*
 * Returns the registered documents (EvReferrer *) whose bodies refer to one of
 * these names, except one function, in CurrentMemoryContext.
 */
extern List *ev_claims_referrers(List *names, Oid but);

#endif							/* EV_CLAIMS_H */
