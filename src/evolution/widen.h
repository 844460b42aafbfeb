/*
 * widen.h
 *	  May a published schema be replaced by a wider one?
 */
#ifndef EV_WIDEN_H
#define EV_WIDEN_H

#include "schema/document.h"

/* What is proved about a document that would replace another one. */
typedef enum EvReplacement
{
	EV_REPLACEMENT_WIDER,		/* it accepts everything that the old one
								 * accepts */
	EV_REPLACEMENT_NARROWER,	/* the old one accepts everything that it
								 * accepts */
	EV_REPLACEMENT_OTHER		/* neither, or it is not a valid schema */
} EvReplacement;

/*
 * Compares a document with the one that it would replace.  Both have the function's
 * OID, name and URI; the function can have either of them.  Raises an error only for
 * an ambiguous reference.  Allocates in CurrentMemoryContext.
 */
extern EvReplacement ev_widen_compare(const EvDocument *old, const EvDocument *new);

/*
 * Raises an error unless it is proved that a new document accepts everything
 * that the registered schema accepts, and unless no stored object depends on
 * its answers: an index, a generated column, a partition key, or a constraint
 * that needs the answer false.  The same is checked for schemas that refer to
 * it.  Both documents have the function's OID, name and URI; the function can have
 * either of them.
 */
extern void ev_widen_check(const EvDocument *old, const EvDocument *new);

#endif							/* EV_WIDEN_H */
