/*
 * validator.h
 *	  The validator of the language jsonschema: what a function of it must
 *	  look like, and by what it may be replaced.
 */
#ifndef EV_VALIDATOR_H
#define EV_VALIDATOR_H

#include "access/htup.h"
#include "schema/document.h"

/*
 * Raises invalid_function_definition unless a function of the language is
 * (jsonb) -> boolean and has no option that could change its answer.
 */
extern void ev_validator_check_function(HeapTuple function);

/*
 * Compiles a document for registration: raises where it is not a valid
 * schema; gives a WARNING for what registration warns about.  Where it is one
 * for event_schema, what it refers to is locked against replacement.  Allocates
 * in a context of its own, which it frees.
 */
extern void ev_validator_compile(const EvDocument *document, bool is_registered);

/*
 * Lets the document of this function be replaced by one with other answers,
 * which were proved to be those of before and more; InvalidOid: of none.  To be
 * set back whatever happens.
 */
extern void ev_validator_allow_replacement(Oid function);

/*
 * Says that ev_claims_check was asked for the document that is about to take
 * this name; NULL: for none.  To be set back whatever happens.
 */
extern void ev_validator_vouch(const char *name);

/*
 * A registered document is about to be replaced, or was just now, by one with
 * other annotations.  Raises duplicate_object where another schema refers into
 * them, whose answers would change.
 */
extern void ev_validator_check_annotations(const EvDocument *old, const EvDocument *new);

/*
 * Raises duplicate_object: a registered schema cannot take another document.  The
 * DETAIL has the first changes from the old document, which is NULL where it cannot
 * be read.
 */
extern void ev_validator_refuse_change(const EvDocument *old, const EvDocument *new) pg_attribute_noreturn();

#endif							/* EV_VALIDATOR_H */
