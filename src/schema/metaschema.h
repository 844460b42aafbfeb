/*
 * metaschema.h
 *	  The built-in meta-schemas of the drafts.
 */
#ifndef EV_METASCHEMA_H
#define EV_METASCHEMA_H

#include "schema/document.h"

/*
 * Finds a built-in meta-schema by its URI, without fragment.  Fills *document,
 * in CurrentMemoryContext; returns false if there is none.
 */
extern bool ev_metaschema_find(const char *uri, EvDocument *document);

#endif							/* EV_METASCHEMA_H */
