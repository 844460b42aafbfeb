/*
 * metaschema.h
 *	  The meta-schemas of the drafts, built in.
 */
#ifndef EV_METASCHEMA_H
#define EV_METASCHEMA_H

#include "compile/codegen.h"

/*
 * Finds a built-in meta-schema by its URI, without fragment.  Fills *document,
 * in CurrentMemoryContext; false where it is none.
 */
extern bool ev_metaschema_find(const char *uri, EvDocument *document);

/*
 * Holds a document against the meta-schema that its $schema names (none:
 * 2020-12's).  False, with *fault filled in CurrentMemoryContext, where it
 * does not match.
 */
extern bool ev_metaschema_check(const EvDocument *document, EvResolver resolver,
								EvFault *fault);

#endif							/* EV_METASCHEMA_H */
