/*
 * changes.h
 *	  What changed between two schemas, and is it compatible?
 *
 * Backward compatible: every instance that is valid under the old schema is
 * valid under the new one.  Forward: the other way round.
 *
 * The strict reading is just that.  The lenient one asks it only of instances
 * in which no object carries an optional property that one of the two schemas
 * declares there by its name and the other does not declare at all: neither by
 * its name, nor by a pattern, nor by a schema for further properties.
 */
#ifndef EV_CHANGES_H
#define EV_CHANGES_H

#include "compile/codegen.h"

/*
 * The kinds of changes.  The names are stable: programs look for them.
 * X(name, what it says)
 */
#define EV_CHANGE_RULES(X) \
	X(ANNOTATION_CHANGED, "a keyword that only describes, or an unknown one, was added, removed or changed") \
	X(TYPE_NARROWED, "fewer types are allowed") \
	X(TYPE_WIDENED, "more types are allowed") \
	X(TYPE_CHANGED, "some types are no longer allowed, others are now") \
	X(ENUM_ADDED, "any value was allowed, now a list of them") \
	X(ENUM_REMOVED, "a list of values was allowed, now any") \
	X(ENUM_VALUE_ADDED, "a value is allowed now") \
	X(ENUM_VALUE_REMOVED, "a value is no longer allowed") \
	X(CONST_ADDED, "any value was allowed, now a single one") \
	X(CONST_REMOVED, "a single value was allowed, now any") \
	X(CONST_CHANGED, "another single value is allowed") \
	X(MINIMUM_ADDED, "numbers have a lower bound now, exclusive or not") \
	X(MINIMUM_REMOVED, "numbers have no lower bound any more") \
	X(MINIMUM_INCREASED, "the lower bound of numbers rose, or became exclusive") \
	X(MINIMUM_DECREASED, "the lower bound of numbers fell, or became inclusive") \
	X(MAXIMUM_ADDED, "numbers have an upper bound now, exclusive or not") \
	X(MAXIMUM_REMOVED, "numbers have no upper bound any more") \
	X(MAXIMUM_INCREASED, "the upper bound of numbers rose, or became inclusive") \
	X(MAXIMUM_DECREASED, "the upper bound of numbers fell, or became exclusive") \
	X(MULTIPLE_OF_ADDED, "numbers must be multiples now") \
	X(MULTIPLE_OF_REMOVED, "numbers need not be multiples any more") \
	X(MULTIPLE_OF_CHANGED, "numbers must be multiples of another number") \
	X(MIN_LENGTH_ADDED, "strings have a least length now") \
	X(MIN_LENGTH_REMOVED, "strings have no least length any more") \
	X(MIN_LENGTH_INCREASED, "the least length of strings rose") \
	X(MIN_LENGTH_DECREASED, "the least length of strings fell") \
	X(MAX_LENGTH_ADDED, "strings have a greatest length now") \
	X(MAX_LENGTH_REMOVED, "strings have no greatest length any more") \
	X(MAX_LENGTH_INCREASED, "the greatest length of strings rose") \
	X(MAX_LENGTH_DECREASED, "the greatest length of strings fell") \
	X(PATTERN_ADDED, "strings must match a pattern now") \
	X(PATTERN_REMOVED, "strings need not match a pattern any more") \
	X(PATTERN_CHANGED, "strings must match another pattern") \
	X(FORMAT_ADDED, "strings must have a format now") \
	X(FORMAT_REMOVED, "strings need not have a format any more") \
	X(FORMAT_CHANGED, "strings must have another format") \
	X(CONTENT_ADDED, "what strings encode is checked now (draft 7)") \
	X(CONTENT_REMOVED, "what strings encode is not checked any more (draft 7)") \
	X(MIN_ITEMS_ADDED, "arrays have a least number of items now") \
	X(MIN_ITEMS_REMOVED, "arrays have no least number of items any more") \
	X(MIN_ITEMS_INCREASED, "the least number of items rose") \
	X(MIN_ITEMS_DECREASED, "the least number of items fell") \
	X(MAX_ITEMS_ADDED, "arrays have a greatest number of items now") \
	X(MAX_ITEMS_REMOVED, "arrays have no greatest number of items any more") \
	X(MAX_ITEMS_INCREASED, "the greatest number of items rose") \
	X(MAX_ITEMS_DECREASED, "the greatest number of items fell") \
	X(UNIQUE_ITEMS_ADDED, "items must differ from each other now") \
	X(UNIQUE_ITEMS_REMOVED, "items may be equal now") \
	X(ITEM_ADDED, "a position of an array has a schema of its own now") \
	X(ITEM_REMOVED, "a position of an array has no schema of its own any more") \
	X(ITEMS_OPENED, "further items are allowed now") \
	X(ITEMS_CLOSED, "further items are no longer allowed") \
	X(CONTAINS_ADDED, "arrays must contain a number of certain items now") \
	X(CONTAINS_REMOVED, "arrays need not contain certain items any more") \
	X(CONTAINS_CHANGED, "arrays must contain other items, or another number of them") \
	X(PROPERTY_OPTIONAL_ADDED, "an optional property is declared now") \
	X(PROPERTY_OPTIONAL_REMOVED, "an optional property is no longer declared") \
	X(PROPERTY_REQUIRED_ADDED, "a property is declared and required now") \
	X(PROPERTY_REQUIRED_REMOVED, "a required property is neither declared nor required any more") \
	X(PROPERTY_BECAME_REQUIRED, "a property is required now") \
	X(PROPERTY_BECAME_OPTIONAL, "a property is no longer required") \
	X(PATTERN_PROPERTIES_ADDED, "properties whose names match a pattern have a schema now") \
	X(PATTERN_PROPERTIES_REMOVED, "properties whose names match a pattern have no schema of their own any more") \
	X(ADDITIONAL_PROPERTIES_OPENED, "undeclared properties are allowed now") \
	X(ADDITIONAL_PROPERTIES_CLOSED, "undeclared properties are no longer allowed") \
	X(PROPERTY_NAMES_ADDED, "the names of properties are restricted now") \
	X(PROPERTY_NAMES_REMOVED, "the names of properties are not restricted any more") \
	X(PROPERTY_NAMES_CHANGED, "the names of properties are restricted otherwise") \
	X(MIN_PROPERTIES_ADDED, "objects have a least number of properties now") \
	X(MIN_PROPERTIES_REMOVED, "objects have no least number of properties any more") \
	X(MIN_PROPERTIES_INCREASED, "the least number of properties rose") \
	X(MIN_PROPERTIES_DECREASED, "the least number of properties fell") \
	X(MAX_PROPERTIES_ADDED, "objects have a greatest number of properties now") \
	X(MAX_PROPERTIES_REMOVED, "objects have no greatest number of properties any more") \
	X(MAX_PROPERTIES_INCREASED, "the greatest number of properties rose") \
	X(MAX_PROPERTIES_DECREASED, "the greatest number of properties fell") \
	X(DEPENDENT_REQUIRED_ADDED, "a property requires another one now") \
	X(DEPENDENT_REQUIRED_REMOVED, "a property does not require another one any more") \
	X(DEPENDENT_SCHEMA_ADDED, "a property demands something of its object now") \
	X(DEPENDENT_SCHEMA_REMOVED, "a property demands nothing of its object any more") \
	X(DEPENDENT_SCHEMA_CHANGED, "what a property demands of its object changed") \
	X(ANY_OF_ADDED, "one of several schemas must apply now") \
	X(ANY_OF_REMOVED, "none of several schemas need apply any more") \
	X(ANY_OF_MEMBER_ADDED, "one more schema may apply") \
	X(ANY_OF_MEMBER_REMOVED, "one schema less may apply") \
	X(ANY_OF_BECAME_ONE_OF, "only one of several schemas may apply now") \
	X(ONE_OF_ADDED, "exactly one of several schemas must apply now") \
	X(ONE_OF_REMOVED, "none of several schemas need apply any more") \
	X(ONE_OF_MEMBER_ADDED, "one more schema may apply, by itself") \
	X(ONE_OF_MEMBER_REMOVED, "one schema less may apply by itself") \
	X(ONE_OF_BECAME_ANY_OF, "more than one of several schemas may apply now") \
	X(NOT_ADDED, "something is no longer allowed") \
	X(NOT_REMOVED, "something that was not allowed is now") \
	X(NOT_CHANGED, "something else is not allowed") \
	X(CONDITION_ADDED, "a condition (if) was added") \
	X(CONDITION_REMOVED, "a condition (if) was removed") \
	X(CONDITION_CHANGED, "a condition (if, then, else) changed") \
	X(REFERENCE_CHANGED, "a dynamic reference, whose target depends on the instance, was added, removed or changed") \
	X(SCHEMA_CHANGED, "what the schema accepts may have changed; no single keyword tells") \
	X(COMPARISON_TOO_LARGE, "the comparison was given up: it takes too many steps, or too much memory; other changes may be missing")

typedef enum EvChangeRule
{
#define EV_CHANGE_RULE(name, description) EV_CHANGE_##name,
	EV_CHANGE_RULES(EV_CHANGE_RULE)
#undef EV_CHANGE_RULE
} EvChangeRule;

/* In the order of how bad they are. */
typedef enum EvVerdict
{
	EV_COMPATIBLE,				/* proved */
	EV_UNKNOWN,					/* neither proved nor refuted */
	EV_INCOMPATIBLE
} EvVerdict;

typedef struct EvChange
{
	EvChangeRule rule;
	char	   *location;		/* JSON Pointer into the new document, or the
								 * old one for what is there only; after
								 * "URI#" where it is in another document */
	EvVerdict	backward;
	EvVerdict	forward;
	char	   *message;		/* a sentence */
} EvChange;

/* "MAXIMUM_DECREASED" and "incompatible". */
extern const char *ev_change_rule_name(EvChangeRule rule);
extern const char *ev_verdict_name(EvVerdict verdict);

/*
 * Work that one comparison may do, and several ones for one command: some 10 ns
 * a unit, see changes_budget.c.
 */
#define EV_COMPARISON_WORK		INT64CONST(100000000)
#define EV_COMPARISONS_WORK		(10 * EV_COMPARISON_WORK)

/*
 * Compares two schemas, with all that they refer to.  The verdict for
 * backward; that for forward in *forward; EvChanges in *changes, in
 * CurrentMemoryContext, in the order of the schema.  A direction is compatible
 * if and only if each change is.  Raises where one of the schemas is not
 * valid.
 *
 * work: what is left of EV_COMPARISONS_WORK, from which this comparison's is
 * taken; or NULL.  Where the work or the memory of a comparison is spent, it
 * ends, and its last change is COMPARISON_TOO_LARGE, unknown in both directions.
 */
extern EvVerdict ev_compare_schemas(const EvDocument *old, const EvDocument *new,
									EvResolver resolver, bool lenient, int64 *work,
									EvVerdict *forward, List **changes);

/* The same where references lead elsewhere in each. */
extern EvVerdict ev_compare_schemas_resolved(const EvDocument *old, EvResolver old_resolver,
											 const EvDocument *new, EvResolver new_resolver,
											 bool lenient, int64 *work,
											 EvVerdict *forward, List **changes);

#endif							/* EV_CHANGES_H */
