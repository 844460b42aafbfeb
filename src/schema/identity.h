/*
 * identity.h
 *	  The names that subschemas give themselves: $id and anchors.
 */
#ifndef EV_IDENTITY_H
#define EV_IDENTITY_H

#include "schema/schema_graph.h"

/* Adds an anchor to a resource. */
extern void ev_anchor_add(EvCompiler *compiler, EvResource *resource, const char *name,
						  EvSubschema *target, bool dynamic);

/* Finds the first anchor, or the first dynamic anchor, with a name; or NULL. */
extern EvSchemaAnchor *ev_anchor_find(EvCompiler *compiler, const EvResource *resource,
									  const char *name, bool dynamic_only);

/*
 * Adds the anchor in a keyword of a subschema.  Records a fault and returns false
 * if the document is new and another subschema of the resource has the anchor
 * (2020-12 core, 8.2.2).
 */
extern bool ev_anchor_read(EvCompiler *compiler, EvResource *resource, const char *keyword,
						   const char *name, EvSubschema *subschema);

/*
 * Checks the resolved URI in a keyword of a subschema.  Records a fault and
 * returns false if the document is new and another subschema has the URI (2020-12
 * core, 9.1.2).
 */
extern bool ev_id_check(EvCompiler *compiler, const EvResource *resource, const char *keyword,
						const char *uri, const char *fragment, EvSubschema *subschema);

/*
 * Warns of a relative $id without a base URI, if warnings are wanted.  The base
 * "event:TYPE@VERSION" is useful for references to other types, but no $id is
 * written for it.
 */
extern void ev_id_warn(EvCompiler *compiler, const EvSubschema *subschema, const char *keyword,
					   const char *base, const char *id, const char *uri);

#endif							/* EV_IDENTITY_H */
