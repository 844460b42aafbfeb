/*
 * rules.h
 *	  The rules of lint_event_schema: kinds of errors, warnings and notes about a
 *	  schema.
 */
#ifndef EV_RULES_H
#define EV_RULES_H

typedef enum EvSeverity
{
	EV_SEVERITY_ERROR,			/* the schema cannot be registered */
	EV_SEVERITY_WARNING,		/* it is registered with a WARNING */
	EV_SEVERITY_NOTE			/* only lint_event_schema reports it */
} EvSeverity;

/*
 * The names are part of the API.  Warnings are shown in this order, so probable
 * misspellings come first.
 *
 * X(rule, severity)
 */
#define EV_RULES(X) \
	X(INVALID_VALUE, EV_SEVERITY_ERROR) \
	X(INVALID_JSON, EV_SEVERITY_ERROR) \
	X(DUPLICATE_KEY, EV_SEVERITY_ERROR) \
	X(DUPLICATE_ID, EV_SEVERITY_ERROR) \
	X(DUPLICATE_ANCHOR, EV_SEVERITY_ERROR) \
	X(INVALID_DIALECT, EV_SEVERITY_ERROR) \
	X(INVALID_PATTERN, EV_SEVERITY_ERROR) \
	X(INVALID_REFERENCE, EV_SEVERITY_ERROR) \
	X(ENDLESS_REFERENCE, EV_SEVERITY_ERROR) \
	X(META_SCHEMA, EV_SEVERITY_ERROR) \
	X(MISSPELLED_KEYWORD, EV_SEVERITY_WARNING) \
	X(UNKNOWN_KEYWORD, EV_SEVERITY_WARNING) \
	X(OTHER_DIALECT, EV_SEVERITY_WARNING) \
	X(NULLABLE, EV_SEVERITY_WARNING) \
	X(HIDDEN_BY_REF, EV_SEVERITY_WARNING) \
	X(WRONG_TYPE, EV_SEVERITY_WARNING) \
	X(MISSING_COMPANION, EV_SEVERITY_WARNING) \
	X(EMPTY_RANGE, EV_SEVERITY_WARNING) \
	X(FORBIDDEN_REQUIRED, EV_SEVERITY_WARNING) \
	X(UNKNOWN_FORMAT, EV_SEVERITY_WARNING) \
	X(RELATIVE_ID, EV_SEVERITY_WARNING) \
	X(ENDLESS_DEFINITION, EV_SEVERITY_WARNING) \
	X(OPENAPI_KEYWORD, EV_SEVERITY_NOTE) \
	X(OPENAPI_FORMAT, EV_SEVERITY_NOTE)

/* The first rule is the default for faults. */
typedef enum EvRule
{
#define EV_RULE(rule, severity) EV_RULE_##rule,
	EV_RULES(EV_RULE)
#undef EV_RULE
	EV_RULE_COUNT
} EvRule;

#endif							/* EV_RULES_H */
