/*
 * schema_warnings.h
 *	  The warnings of registration, one for each kind.
 */
#ifndef EV_SCHEMA_WARNINGS_H
#define EV_SCHEMA_WARNINGS_H

#include "schema/document.h"

/*
 * Raises a WARNING for each kind among the warnings about a document, a List
 * of EvWarning.  Probable misspellings come first.  Each WARNING has the
 * number of locations and the first of them.  If there are too many kinds, the
 * rest gets one WARNING for each rule.  Notes are omitted.
 */
extern void ev_schema_warn(const EvDocument *document, List *warnings);

/* Are there warnings in the list, not only notes? */
extern bool ev_schema_has_warnings(List *warnings);

/* Raises invalid_parameter_value if there are warnings.  Notes are allowed. */
extern void ev_schema_refuse_warnings(const EvDocument *document, List *warnings);

/* The name of a rule, and that of its severity.  Both are static. */
extern const char *ev_rule_name(EvRule rule);
extern const char *ev_rule_severity(EvRule rule);

#endif							/* EV_SCHEMA_WARNINGS_H */
