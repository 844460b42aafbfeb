/*
 * uri_index.h
 *	  An index of the URIs in documents, in pg_depend.
 *
 * A row says that a function depends on a column of the view
 * _event_validate.uri_index.  The number of the column, which does not exist,
 * has a kind and a hash of a URI's name (ev_reference_name).  The validator
 * writes the rows of a function.  So they are transactional, vanish with the
 * function, and need nothing in a dump: its CREATE FUNCTION writes them again.
 * The index of pg_depend on referenced objects leads from a URI to the
 * functions.
 *
 * A hash can be that of another URI, and a superuser can move a function past
 * the event triggers.  So callers must read the documents.
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
 * Replaces the rows of a function by those of these names of URIs.  The rows
 * are visible after the next CommandCounterIncrement.
 */
extern void ev_uri_index_record(Oid function, List *roots, List *parts, List *references);

/*
 * Returns the functions that can have a URI of this kind with this name, except
 * one: OIDs in ascending order, each once, in CurrentMemoryContext.
 */
extern List *ev_uri_index_find(EvUriKind kind, const char *name, Oid but);

/* Returns the URIs of a kind in a document, as strings in CurrentMemoryContext. */
extern List *ev_uri_index_uris(const EvDocument *document, EvUriKind kind);

#endif							/* EV_URI_INDEX_H */
