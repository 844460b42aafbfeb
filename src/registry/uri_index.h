/*
 * uri_index.h
 *	  An index of the URIs in registered documents, in pg_depend.
 *
 *	  Each row says: this function depends on the language, and names it by the
 *	  sub-object number, which holds a kind and a hash of a URI's name
 *	  (ev_reference_name).  The validator writes the rows of a function, so they
 *	  come and go with it, and a dump, whose CREATE FUNCTION calls the validator,
 *	  needs nothing else.  The reference index of pg_depend leads from a URI to
 *	  the functions.
 *
 *	  The index proposes: a hash may be that of another URI, and a function may
 *	  have been moved past the event triggers.  A caller looks at the documents.
 */
#ifndef EV_URI_INDEX_H
#define EV_URI_INDEX_H

#include "nodes/pg_list.h"

#include "schema/document.h"

typedef enum EvUriKind
{
	EV_URI_ROOT = 1,			/* the $id of a document in event_schema */
	EV_URI_PART,				/* the $id of a schema in such a document */
	EV_URI_REFERENCE			/* of a document in any schema */
} EvUriKind;

/*
 * Makes the rows of a function the ones of these names of URIs.  The rows are
 * seen after the next CommandCounterIncrement.
 */
extern void ev_uri_index_record(Oid function, List *roots, List *parts, List *references);

/*
 * The functions that may have a URI of this kind with this name, except one:
 * OIDs in ascending order, each once, in CurrentMemoryContext.
 */
extern List *ev_uri_index_find(EvUriKind kind, const char *name, Oid but);

/* The URIs of a kind that a document has, C strings in CurrentMemoryContext. */
extern List *ev_uri_index_uris(const EvDocument *document, EvUriKind kind);

#endif							/* EV_URI_INDEX_H */
