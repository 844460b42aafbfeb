/*
 * compatibility_advice.h
 *	  The sentences of a HINT that say what to do about a version that the policy refuses.
 */
#ifndef EV_COMPATIBILITY_ADVICE_H
#define EV_COMPATIBILITY_ADVICE_H

#include "evolution/compatibility.h"

/*
 * Returns sentences, each with a space after it, that say how the change can be made without an
 * accepted finding: by renames, without a required property, by the idiom of a pattern.  "" if nothing is known.
 * In CurrentMemoryContext.
 */
extern char *ev_advice_without(const EvDocument *document, int32 version, bool lenient, const List *findings);

/*
 * Returns a sentence, with a space before it, about the events of an earlier version that need an upcast if
 * the findings are accepted; "" if there are none.  In CurrentMemoryContext.
 */
extern const char *ev_advice_with(int32 version, const List *findings);

#endif							/* EV_COMPATIBILITY_ADVICE_H */
