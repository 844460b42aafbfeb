/*
 * schema_warnings.h
 *	  The warnings of registration, one for each kind.
 */
#ifndef EV_SCHEMA_WARNINGS_H
#define EV_SCHEMA_WARNINGS_H

#include "schema/document.h"

/*
 * Gives a WARNING for each kind among the warnings about a document, a List of
 * EvWarning: what is probably misspelled first, with its count and its first
 * places.  Where there are very many kinds, the rest is one WARNING a rule.
 * Notes are left out.
 */
extern void ev_schema_warn(const EvDocument *document, List *warnings);

/* Raises invalid_parameter_value with these warnings, if there are any but notes. */
extern void ev_schema_refuse_warnings(const EvDocument *document, List *warnings);

/* The name of a rule, and of its severity, as lint_event_schema shows them. */
extern const char *ev_rule_name(EvRule rule);
extern const char *ev_rule_severity(EvRule rule);

#endif							/* EV_SCHEMA_WARNINGS_H */
