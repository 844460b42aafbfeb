/*
 * validator.h
 *	  The functions of the language jsonschema as rows of pg_proc: what such a
 *	  function must look like, and what may become of it.
 *
 * Rows are tuples of pg_proc from the syscache.
 */
#ifndef EV_VALIDATOR_H
#define EV_VALIDATOR_H

#include "access/htup.h"
#include "base/compat.h"
#include "schema/document.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"

/* What a name in the schema event_schema stands for: the table in names.h. */
typedef enum EvNameKind
{
	EV_NAME_EVENT,				/* TYPE@VERSION */
	EV_NAME_UPCAST,				/* TYPE@FROM>TO */
	EV_NAME_POLICY,				/* TYPE@compatibility */
	EV_NAME_URI,				/* URI */
	EV_NAME_BAD
} EvNameKind;

/* The kind of a name; what is wrong with a bad one, as a sentence, in *reason. */
extern EvNameKind ev_name_kind(const char *name, const char **reason);

/* The language and the schema of registered functions; InvalidOid: no such. */
extern Oid	ev_language_oid(void);
extern Oid	ev_namespace_oid(void);

/*
 * Raises invalid_function_definition unless a function of the language is
 * (jsonb) -> boolean and has no option that could change its answer.
 */
extern void ev_language_check_function(HeapTuple function);

/* The body of a function, in CurrentMemoryContext. */
extern char *ev_language_body(HeapTuple function);

/*
 * The document of a function, in CurrentMemoryContext.  False, with *fault
 * filled, where the body does not parse; function, name and uri are filled
 * all the same.
 */
extern bool ev_language_document(HeapTuple function, EvDocument *document,
								 EvFault *fault);

/*
 * The row that this one replaced in the current transaction, a copy in
 * CurrentMemoryContext; NULL where the function was created or not touched by
 * it.
 */
extern HeapTuple ev_language_previous(HeapTuple function);

/*
 * The row of a function that the current transaction dropped, a copy in
 * CurrentMemoryContext; NULL where there is none.
 */
extern HeapTuple ev_language_dropped(Oid function);

/*
 * Locks a name in event_schema (for a URI: ev_claims_name) until the end of
 * the transaction, against others that register it, replace it or refer to it.
 * Ask for the right to do so first.
 */
extern void ev_language_lock(const char *name, LOCKMODE mode);

/*
 * Compiles a document for registration: raises where it is not a valid
 * schema; gives a WARNING for what registration warns about.  Where it is one
 * for event_schema, what it refers to is locked against replacement.  Allocates
 * in a context of its own, which it frees.
 */
extern void ev_language_compile(const EvDocument *document, bool is_registered);

/*
 * Lets the document of this function be replaced by one with other answers,
 * which were proved to be those of before and more; InvalidOid: of none.  To be
 * set back whatever happens.
 */
extern void ev_language_allow_replacement(Oid function);

/*
 * Says that ev_claims_check was asked for the document that is about to take
 * this name; NULL: for none.  To be set back whatever happens.
 */
extern void ev_language_vouch(const char *name);

/*
 * A registered document is about to be replaced, or was just now, by one with
 * other annotations.  Raises duplicate_object where another schema refers into
 * them, whose answers would change.
 */
extern void ev_language_check_annotations(const EvDocument *old, const EvDocument *new);

/* Raises duplicate_object: a registered schema cannot take another document. */
extern void ev_language_refuse_change(const char *name) pg_attribute_noreturn();

/*
 * OIDs of the registered functions that a function depends on by its record
 * in pg_depend, or of all functions, in CurrentMemoryContext.
 */
extern List *ev_language_dependencies(Oid function);
extern List *ev_language_all_dependencies(Oid function);

#endif							/* EV_VALIDATOR_H */
