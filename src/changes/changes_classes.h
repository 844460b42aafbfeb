/*
 * changes_classes.h
 *	  Shared parts of the search for equal schemas: changes_classes.c, which
 *	  divides all schemas into classes, and changes_same.c, which compares
 *	  two of them.
 */
#ifndef EV_CHANGES_CLASSES_H
#define EV_CHANGES_CLASSES_H

#include "changes/changes_internal.h"

/*
 * Returns a child of a schema; all true schemas are one, and all false ones.
 * NULL if the resolver did not read it.
 */
extern const EvSubschema *ev_class_child(EvProver *prover, const JsonbValue *node);

/*
 * Is this a keyword without influence on validity, or a reference, which is
 * compared separately?
 */
extern bool ev_class_ignores(int keyword);

/*
 * Is the order of an array without meaning?  It is for enum, type and
 * required, and for allOf, anyOf and oneOf.
 */
extern bool ev_class_is_unordered(int keyword);

/*
 * Does a keyword mean the same in all dialects?  Keywords that have another
 * meaning in another dialect have another number there, except for these.
 */
static inline bool
ev_class_is_universal(int keyword)
{
	return ev_keywords[keyword].vocabulary != EV_FORMAT && ev_keywords[keyword].vocabulary != EV_CONTENT &&
		ev_keywords[keyword].vocabulary != EV_UNEVALUATED && keyword != EV_KW_CONTAINS;
}

/*
 * Do the keywords and references of two schemas say the same if all schemas of a
 * class are equal?
 */
extern bool ev_class_fits(EvProver *prover, const EvSubschema *a, const EvSubschema *b);

#endif							/* EV_CHANGES_CLASSES_H */
