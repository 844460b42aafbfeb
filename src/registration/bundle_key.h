/*
 * bundle_key.h
 *	  The keys of a bundle: which schema does each name?
 */
#ifndef EV_BUNDLE_KEY_H
#define EV_BUNDLE_KEY_H

#include "registration/registered_list.h"

/*
 * Is this the name of a function that is a hash of the URI, as event_schema_ddl writes
 * it?
 */
extern bool ev_bundle_key_is_hash(const char *key);

/*
 * Sets the name of *registered and, of an event schema, the type and version, from a
 * key.  Returns the URI of the document; "" if it is not known.  Both are in
 * CurrentMemoryContext.  Raises an error if the key names no schema.
 */
extern char *ev_bundle_key_read(const char *key, EvRegistered *registered);

/*
 * Raises invalid_name if the text of a schema has a line with an event type (NULL: it
 * has none) that is not the one of its key.
 */
extern void ev_bundle_key_check_type(const char *key, const EvRegistered *registered, const char *event_type);

#endif							/* EV_BUNDLE_KEY_H */
