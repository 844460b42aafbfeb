/*
 * described_uri.h
 *	  The URI that names a schema to others, as CloudEvents' "dataschema" does.
 */
#ifndef EV_DESCRIBED_URI_H
#define EV_DESCRIBED_URI_H

#include "schema/document.h"

/*
 * Returns the URI of a document, in CurrentMemoryContext: the absolute $id of its root
 * without an empty fragment, or else the URI that it is registered under, such as
 * "event:TYPE@VERSION".
 */
extern char *ev_described_uri(const EvDocument *document);

#endif							/* EV_DESCRIBED_URI_H */
