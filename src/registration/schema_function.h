/*
 * schema_function.h
 *	  Finds, creates and replaces the functions of schemas, for the functions
 *	  that register them.
 *
 * Names are TYPE@VERSION, with the whole type, or those of documents' URIs
 * (ev_uri_name).
 */
#ifndef EV_SCHEMA_FUNCTION_H
#define EV_SCHEMA_FUNCTION_H

#include "access/htup.h"
#include "lib/stringinfo.h"

#include "registration/validator.h"
#include "schema/document.h"

/*
 * Returns the function that is registered under a name; InvalidOid if there is
 * none.  If another session is dropping it with DROP FUNCTION, waits for the end
 * of its transaction.
 */
extern Oid	ev_find_and_wait(const char *name);

/*
 * Finds the function that is registered under a name, in order to register it,
 * and locks the name.  Roles that may not register only read, without a lock,
 * to find out whether anything would change.  If there is no function, raises
 * insufficient_privilege unless the caller may create it.  Without keep_lock,
 * only the name is locked after the call, and not the function itself.
 */
extern Oid	ev_find_to_register(const char *name, bool keep_lock);

/*
 * Locks a name for a command that registers, replaces or drops its function:
 * the type of a version, otherwise the name itself.
 */
extern void ev_lock_to_register(const char *name);

/*
 * Returns the row of a registered function, as a copy in CurrentMemoryContext.
 * Raises undefined_function if it was dropped meanwhile.
 */
extern HeapTuple ev_schema_row(Oid function);

/* The same, and reads its document. */
extern HeapTuple ev_schema_read(Oid function, EvDocument *document);

/*
 * Runs CREATE FUNCTION, or CREATE OR REPLACE FUNCTION for the row of a
 * function (NULL: a new one), with the caller's rights, and returns the
 * function.  `vouched` says which checks the caller has made.  With is_wider,
 * the caller has also checked that the new document is wider than the replaced
 * one.  Adds a COMMENT if the name of a new function shortens its type, or is a hash of
 * `uri`, the URI of the document ("": not known).
 */
extern Oid	ev_create_function(const char *name, const char *uri, const char *body, HeapTuple replaced,
							   EvVouched vouched, bool is_wider);

/*
 * Returns the event type of a version, in CurrentMemoryContext, if the name of its
 * function shortens it, so that the body must have it; otherwise NULL.
 */
extern char *ev_shortened_type(const char *name);

/*
 * Raises invalid_parameter_value unless this is the absolute URI of a document that
 * is no event.  Removes an empty fragment, and sets the name of the document.
 */
extern void ev_require_document_uri(char *uri, NameData *name);

/*
 * Raises invalid_parameter_value for a document with relative references whose URI
 * is too long for a name: they could not be resolved from the name, which is a hash.
 * Changes document->uri meanwhile.
 */
extern void ev_refuse_relative_references(const char *uri, EvDocument *document);

#endif							/* EV_SCHEMA_FUNCTION_H */
