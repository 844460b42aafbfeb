/*
 * changes.h
 *	  Compares two schemas: lists the changes, and whether they are
 *	  compatible.
 *
 * Backward compatible: each instance that is valid under the old schema is
 * valid under the new one.  Forward compatible: the reverse.
 *
 * The strict reading is exactly this.  The lenient reading ignores instances
 * in which an object has an optional property that one schema declares there
 * by name and the other does not declare at all: neither by name, nor by a
 * pattern, nor by a schema for additional properties.
 */
#ifndef EV_CHANGES_H
#define EV_CHANGES_H

#include "compile/codegen.h"

/*
 * The kinds of changes.  The names are stable, since programs compare them.
 * X(name, meaning); docs/explanation/evolution.md lists both.
 */
#define EV_CHANGE_RULES(X) \
	X(ANNOTATION_CHANGED, "an annotation or an unknown keyword was added, removed or changed") \
	X(TYPE_NARROWED, "fewer types are allowed") \
	X(TYPE_WIDENED, "more types are allowed") \
	X(TYPE_CHANGED, "some types are no longer allowed, others are allowed now") \
	X(ENUM_ADDED, "only the values of a list are allowed now (enum)") \
	X(ENUM_REMOVED, "values are not restricted to a list any more (enum)") \
	X(ENUM_VALUE_ADDED, "one more value of a list is allowed") \
	X(ENUM_VALUE_REMOVED, "a value of a list is no longer allowed") \
	X(CONST_ADDED, "only a single value is allowed now (const)") \
	X(CONST_REMOVED, "values are not restricted to a single one any more (const)") \
	X(CONST_CHANGED, "another single value is allowed (const)") \
	X(MINIMUM_ADDED, "numbers have a lower bound now, exclusive or not") \
	X(MINIMUM_REMOVED, "numbers have no lower bound any more") \
	X(MINIMUM_INCREASED, "the lower bound of numbers increased, or became exclusive") \
	X(MINIMUM_DECREASED, "the lower bound of numbers decreased, or became inclusive") \
	X(MAXIMUM_ADDED, "numbers have an upper bound now, exclusive or not") \
	X(MAXIMUM_REMOVED, "numbers have no upper bound any more") \
	X(MAXIMUM_INCREASED, "the upper bound of numbers increased, or became inclusive") \
	X(MAXIMUM_DECREASED, "the upper bound of numbers decreased, or became exclusive") \
	X(MULTIPLE_OF_ADDED, "numbers must be multiples of a number now") \
	X(MULTIPLE_OF_REMOVED, "numbers need not be multiples of a number any more") \
	X(MULTIPLE_OF_CHANGED, "numbers must be multiples of another number") \
	X(MIN_LENGTH_ADDED, "strings have a minimum length now") \
	X(MIN_LENGTH_REMOVED, "strings have no minimum length any more") \
	X(MIN_LENGTH_INCREASED, "the minimum length of strings increased") \
	X(MIN_LENGTH_DECREASED, "the minimum length of strings decreased") \
	X(MAX_LENGTH_ADDED, "strings have a maximum length now") \
	X(MAX_LENGTH_REMOVED, "strings have no maximum length any more") \
	X(MAX_LENGTH_INCREASED, "the maximum length of strings increased") \
	X(MAX_LENGTH_DECREASED, "the maximum length of strings decreased") \
	X(PATTERN_ADDED, "strings must match a pattern now") \
	X(PATTERN_REMOVED, "strings need not match a pattern any more") \
	X(PATTERN_CHANGED, "strings must match another pattern") \
	X(FORMAT_ADDED, "strings must have a format now") \
	X(FORMAT_REMOVED, "strings need not have a format any more") \
	X(FORMAT_CHANGED, "strings must have another format") \
	X(CONTENT_ADDED, "the encoded content of strings is checked now (draft 7)") \
	X(CONTENT_REMOVED, "the encoded content of strings is not checked any more (draft 7)") \
	X(MIN_ITEMS_ADDED, "arrays have a minimum number of items now") \
	X(MIN_ITEMS_REMOVED, "arrays have no minimum number of items any more") \
	X(MIN_ITEMS_INCREASED, "the minimum number of items increased") \
	X(MIN_ITEMS_DECREASED, "the minimum number of items decreased") \
	X(MAX_ITEMS_ADDED, "arrays have a maximum number of items now") \
	X(MAX_ITEMS_REMOVED, "arrays have no maximum number of items any more") \
	X(MAX_ITEMS_INCREASED, "the maximum number of items increased") \
	X(MAX_ITEMS_DECREASED, "the maximum number of items decreased") \
	X(UNIQUE_ITEMS_ADDED, "items must be unique now") \
	X(UNIQUE_ITEMS_REMOVED, "items need not be unique any more") \
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
	X(PROPERTY_RENAMED, "a property has another name now, by the renames") \
	X(PATTERN_PROPERTIES_ADDED, "properties whose names match a pattern have a schema of their own now") \
	X(PATTERN_PROPERTIES_REMOVED, "properties whose names match a pattern have no schema of their own any more") \
	X(ADDITIONAL_PROPERTIES_OPENED, "undeclared properties are allowed now") \
	X(ADDITIONAL_PROPERTIES_CLOSED, "undeclared properties are no longer allowed") \
	X(PROPERTY_NAMES_ADDED, "the names of properties are restricted now") \
	X(PROPERTY_NAMES_REMOVED, "the names of properties are not restricted any more") \
	X(PROPERTY_NAMES_CHANGED, "the names of properties are restricted in another way") \
	X(MIN_PROPERTIES_ADDED, "objects have a minimum number of properties now") \
	X(MIN_PROPERTIES_REMOVED, "objects have no minimum number of properties any more") \
	X(MIN_PROPERTIES_INCREASED, "the minimum number of properties increased") \
	X(MIN_PROPERTIES_DECREASED, "the minimum number of properties decreased") \
	X(MAX_PROPERTIES_ADDED, "objects have a maximum number of properties now") \
	X(MAX_PROPERTIES_REMOVED, "objects have no maximum number of properties any more") \
	X(MAX_PROPERTIES_INCREASED, "the maximum number of properties increased") \
	X(MAX_PROPERTIES_DECREASED, "the maximum number of properties decreased") \
	X(DEPENDENT_REQUIRED_ADDED, "if a property is present, another one is required now") \
	X(DEPENDENT_REQUIRED_REMOVED, "if a property is present, another one is not required any more") \
	X(DEPENDENT_SCHEMA_ADDED, "if a property is present, its object must match a schema now") \
	X(DEPENDENT_SCHEMA_REMOVED, "if a property is present, its object need not match a schema any more") \
	X(DEPENDENT_SCHEMA_CHANGED, "if a property is present, its object must match another schema") \
	X(ANY_OF_ADDED, "at least one of several schemas must match now") \
	X(ANY_OF_REMOVED, "none of several schemas need match any more (anyOf)") \
	X(ANY_OF_MEMBER_ADDED, "one more schema may match (anyOf)") \
	X(ANY_OF_MEMBER_REMOVED, "one schema less may match (anyOf)") \
	X(ANY_OF_BECAME_ONE_OF, "only one of several schemas may match now") \
	X(ONE_OF_ADDED, "exactly one of several schemas must match now") \
	X(ONE_OF_REMOVED, "none of several schemas need match any more (oneOf)") \
	X(ONE_OF_MEMBER_ADDED, "one more schema may match, alone (oneOf)") \
	X(ONE_OF_MEMBER_REMOVED, "one schema less may match alone (oneOf)") \
	X(ONE_OF_BECAME_ANY_OF, "more than one of several schemas may match now") \
	X(NOT_ADDED, "a schema may no longer match (not)") \
	X(NOT_REMOVED, "a schema may match again (not)") \
	X(NOT_CHANGED, "another schema may not match (not)") \
	X(CONDITION_ADDED, "a condition (if) was added") \
	X(CONDITION_REMOVED, "a condition (if) was removed") \
	X(CONDITION_CHANGED, "a condition (if, then, else) changed") \
	X(REFERENCE_CHANGED, "a dynamic reference, whose target depends on the instance, was added, removed or changed") \
	X(SCHEMA_CHANGED, "the set of accepted values may have changed; no single keyword explains how") \
	X(COMPARISON_TOO_LARGE, "the comparison was given up because it takes too many steps or too much memory, or left subschemas out because there are too many; other changes may be missing")

typedef enum EvChangeRule
{
#define EV_CHANGE_RULE(name, description) EV_CHANGE_##name,
	EV_CHANGE_RULES(EV_CHANGE_RULE)
#undef EV_CHANGE_RULE
} EvChangeRule;

/* In ascending order of severity. */
typedef enum EvVerdict
{
	EV_COMPATIBLE,				/* proved */
	EV_UNKNOWN,					/* neither proved nor refuted */
	EV_INCOMPATIBLE
} EvVerdict;

/* Returns "compatible" and the like. */
extern const char *ev_verdict_name(EvVerdict verdict);

typedef struct EvChange
{
	EvChangeRule rule;
	char	   *location;		/* JSON Pointer into the new document, or into
								 * the old one for what only the old one has;
								 * after "URI#" if it is in another document */
	EvVerdict	backward;
	EvVerdict	forward;
	char	   *message;		/* a sentence */
} EvChange;

/* Is this the name of a rule? */
extern bool ev_change_rule_exists(const char *name);

/* Returns "MAXIMUM_DECREASED" and the like. */
extern const char *ev_change_rule_name(EvChangeRule rule);

/*
 * Limits on the work of one comparison, and of all comparisons of one command,
 * in units of about 10 ns; see changes_budget.c.
 */
#define EV_COMPARISON_WORK		INT64CONST(100000000)
#define EV_COMPARISONS_WORK		(10 * EV_COMPARISON_WORK)

/*
 * Compares two schemas, with all documents that they refer to.  Returns the
 * verdict for backward compatibility; sets *forward to the other verdict, and
 * *changes to EvChanges in CurrentMemoryContext, in the order of the schema.
 * A direction is compatible if and only if each change is.  Raises an error if
 * one of the schemas is not valid.
 *
 * work: the rest of EV_COMPARISONS_WORK, from which this comparison's work is
 * subtracted; or NULL.  If the work or the memory of a comparison is used up,
 * it ends, and its last change is COMPARISON_TOO_LARGE, unknown in the directions
 * without a proof.  The same holds if pairs of subschemas were left out.
 *
 * The verdicts of a change and of its undoing are the same, exchanged.
 */
extern EvVerdict ev_compare_schemas(const EvDocument *old, const EvDocument *new,
									EvResolver resolver, bool lenient, int64 *work,
									EvVerdict *forward, List **changes);

/* The same, with separate resolvers for the references of each schema. */
extern EvVerdict ev_compare_schemas_resolved(const EvDocument *old, EvResolver old_resolver,
											 const EvDocument *new, EvResolver new_resolver,
											 bool lenient, int64 *work,
											 EvVerdict *forward, List **changes);

/*
 * The same for schemas between which properties were renamed, by mappings (Jsonb, see
 * schema/renames.h), of one version after the other.  An old instance is read with its
 * new names, and a new one with its old names: backward compatible means that each old
 * instance is valid under the new schema after its upcast.  Each renamed property is a change,
 * PROPERTY_RENAMED, which is unknown if an instance may have both names, or if the old schema says
 * more about the names than the rename can follow.  Then, the schemas are compared as they are.
 *
 * is_adjacent: the renames must name properties of both schemas.
 */
extern EvVerdict ev_compare_renamed(const EvDocument *old, const EvDocument *new, const List *mappings,
									bool is_adjacent, bool lenient, int64 *work,
									EvVerdict *forward, List **changes);

#endif							/* EV_CHANGES_H */
