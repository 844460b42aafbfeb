/*
 * compatibility.h
 *	  The compatibility policies of event types.
 *
 * A policy is a function event_schema."TYPE@compatibility"() that returns its
 * text: the policy's name, with " strict" if it is not lenient, and with
 * " unknown warn" if what is unknown gives a WARNING only.  If the name
 * shortens the type, the body has the whole type: see registry/function_row.h.
 * event_schema."@compatibility"() is the policy of all types without one.
 */
#ifndef EV_COMPATIBILITY_H
#define EV_COMPATIBILITY_H

#include "access/htup.h"
#include "changes/changes.h"
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

/* How a pattern is widened, as a sentence of a HINT. */
#define EV_PATTERN_IDIOM	"A pattern is widened by \"anyOf\": [{\"pattern\": OLD}, {\"pattern\": NEW}] in its place."

/* What registration does about a finding. */
typedef enum EvTreatment
{
	EV_REFUSED,
	EV_TOLERATED,				/* it is unknown, and the policy says so */
	EV_ACCEPTED					/* the document accepts it */
} EvTreatment;

/* A change that is not compatible, in a direction that the policy demands. */
typedef struct EvFinding
{
	int32		against;		/* the version compared with */
	bool		forward;		/* the direction; otherwise backward */
	bool		is_adjacent;	/* the other is the version before it */
	const EvChange *change;
	const List *changes;		/* EvChange: all of this comparison */
	const char *name;			/* see schema/accept_option.h */
	EvVerdict	verdict;
	EvTreatment treatment;
} EvFinding;

/*
 * Returns the findings (EvFinding *) that ev_compatibility_check would
 * refuse, warn of or accept for a document named TYPE@VERSION, in their order, in
 * CurrentMemoryContext; gives the WARNING about accepted findings that there are not.
 * The version need not be registered.  Takes no lock.
 */
extern List *ev_compatibility_findings(const EvDocument *document);

/* Returns "incompatible", "unknown", "warned" or "accepted". */
extern const char *ev_finding_verdict(const EvFinding *finding);

/*
 * Sets the parts of the policy that holds for a type: its name, the reading, and what
 * happens to what is unknown ("refuse", "warn").  Returns false if a function that should
 * hold the policy does not.  Takes no lock.
 */
extern bool ev_compatibility_policy(const char *type, int length, const char **name, bool *lenient,
									const char **unknown);

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
