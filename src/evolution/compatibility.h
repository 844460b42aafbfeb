/*
 * compatibility.h
 *	  The compatibility policies of event types.
 *
 * A policy is a function event_schema."TYPE@compatibility"() that returns its
 * text: the policy's name, with " strict" if it is not lenient.  If the name
 * shortens the type, the body has the whole type: see registry/function_row.h.
 */
#ifndef EV_COMPATIBILITY_H
#define EV_COMPATIBILITY_H

#include "access/htup.h"
#include "schema/document.h"
#include "nodes/pg_list.h"

/*
 * Checks a document that is about to be registered, or was just created, as
 * TYPE@VERSION (its name) against the other versions of the type, as the
 * type's policy demands.  Raises invalid_parameter_value with all reasons.
 * Keeps only a lock on the type.
 *
 * later: OIDs of functions that are left out of the comparison.  They were
 * created already, but count as registered after this document.
 */
extern void ev_compatibility_check(const EvDocument *document, const List *later);

/* Is this function, named TYPE@compatibility, a policy by its body? */
extern bool ev_compatibility_is_policy(HeapTuple function);

/*
 * Returns the event type of such a function, in CurrentMemoryContext.  Raises
 * invalid_name if its name and the type in its body do not agree.
 */
extern char *ev_compatibility_type(HeapTuple function);

/*
 * Returns the body of such a function for the policy "none", in
 * CurrentMemoryContext.
 */
extern char *ev_compatibility_none(HeapTuple function);

/*
 * Returns the OIDs of the policies of a type (NULL: of all types, in order),
 * in CurrentMemoryContext.
 */
extern List *ev_compatibility_list(const char *type, int length);

/*
 * Returns the changes that are not compatible in a direction, one on each line
 * after `prefix`; NULL if there are none.  In CurrentMemoryContext.
 */
extern char *ev_compatibility_reasons(List *changes, bool forward, const char *prefix);

#endif							/* EV_COMPATIBILITY_H */
