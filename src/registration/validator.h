/*
 * validator.h
 *	  The validator of the language jsonschema: the form of its functions,
 *	  and their replacement.
 */
#ifndef EV_VALIDATOR_H
#define EV_VALIDATOR_H

#include "access/htup.h"
#include "schema/document.h"

/* The setting event_validate.keep_wider_schemas. */
extern bool ev_keep_wider_schemas;

/* Defines this setting; called when the library is loaded, before its prefix is reserved. */
extern void ev_validator_init(void);

/*
 * Raises invalid_function_definition unless a function of the language is
 * (jsonb) -> boolean and has no option that could change its answer.
 */
extern void ev_validator_check_function(HeapTuple function);

/*
 * Compiles a document for registration: raises an error if it is not a valid
 * schema, and gives registration's warnings.  `mentions` are those of the document.
 * If it is for event_schema, the documents that it refers to are locked against
 * replacement.  Duplicate keys, $ids
 * and anchors are rejected if it is new.  Allocates in a memory context of its own,
 * which it frees.  Returns whether there are warnings; they are given if `warn` is
 * set.
 *
 * known: NULL, or the warnings and notes of a document that ev_compile_group has
 * compiled already.
 */
extern bool ev_validator_compile(const EvDocument *document, const EvMentions *mentions, bool is_registered,
								 bool warn, List *const *known);

/*
 * Locks the documents to which a document refers against replacement until the end of
 * the transaction, as ev_name_lock does, with its errors.  Call it before something is
 * proved from them.
 */
extern void ev_validator_lock_references(const EvMentions *mentions);

/*
 * Returns all faults because of which ev_validator_compile raises an error, as a
 * List of EvFault in CurrentMemoryContext.  May itself raise one, for an ambiguous
 * reference.  own_only: see ev_compile_faults.
 */
extern List *ev_validator_faults(const EvDocument *document, bool own_only);

/*
 * The checks that the caller of CREATE FUNCTION makes instead of the
 * validator.
 */
typedef enum EvVouched
{
	EV_VOUCHED_CLAIMS,			/* ev_claims_check and
								 * ev_validator_check_annotations were called */
	EV_VOUCHED_ALL				/* they were or will be called, and the
								 * dependencies will be recorded */
} EvVouched;

/*
 * What the caller of CREATE FUNCTION has checked.  It holds for this text only: event
 * triggers of users can create functions while the command runs.
 */
typedef struct EvVouch
{
	const char *name;			/* of the document */
	const char *body;			/* the function's body */
	EvVouched	checks;
	HeapTuple	narrower;		/* the function's row of which it was proved
								 * that this accepts all that it accepts; or
								 * NULL */
} EvVouch;

/*
 * Tells the validator for which function it leaves out checks; NULL: for none.  Without
 * them, it does not compile the document either.  Returns what was set before, which must be
 * set again afterwards, also after an error.
 */
extern const EvVouch *ev_validator_vouch(const EvVouch *vouch);

/*
 * Records that a registered function depends on one to which its document refers by
 * this URI.  If the dependency would form a circle, it is left out; is_known: it
 * does not, and the target was created by this transaction.
 */
extern void ev_validator_depend(Oid function, Oid target, const char *uri, bool is_known);

/*
 * Checks a registered document that is being replaced by one with other
 * annotations.  Raises duplicate_object if another schema refers into the
 * annotations, since its answers would change.
 */
extern void ev_validator_check_annotations(const EvDocument *old, const EvDocument *new);

/*
 * Raises duplicate_object if a document has other renames than the registered one that
 * it replaces, since old events would be read in another way.
 */
extern void ev_validator_check_renames(const EvDocument *old, const EvDocument *new);

/*
 * Raises duplicate_object: the answers of a registered schema cannot change.  The
 * DETAIL has the first changes from the old document, which is NULL if it cannot be
 * read.
 */
extern void ev_validator_refuse_change(const EvDocument *old, const EvDocument *new) pg_attribute_noreturn();

#endif							/* EV_VALIDATOR_H */
