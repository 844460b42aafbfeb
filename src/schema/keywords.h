/*
 * keywords.h
 *	  Every keyword of every dialect, in one list.
 */
#ifndef EV_KEYWORDS_H
#define EV_KEYWORDS_H

#include "base/dialect.h"

/*
 * Vocabularies: the groups that $vocabulary of a meta-schema switches on and
 * off (2019-09, section 8.1.2).  Earlier drafts have them all.
 */
#define EV_CORE				0x01
#define EV_APPLICATOR		0x02
#define EV_UNEVALUATED		0x04
#define EV_VALIDATION		0x08
#define EV_METADATA			0x10
#define EV_FORMAT			0x20
#define EV_FORMAT_ASSERTION	0x40
#define EV_CONTENT			0x80
#define EV_ALL_VOCABULARIES	(0xFF & ~EV_FORMAT_ASSERTION)

/* What a keyword's value must look like, and where its subschemas are. */
typedef enum EvShape
{
	EV_ANY_VALUE,
	EV_STRING_VALUE,
	EV_BOOLEAN_VALUE,
	EV_NUMBER_VALUE,
	EV_POSITIVE_VALUE,			/* a number > 0 */
	EV_COUNT_VALUE,				/* an integer >= 0 */
	EV_ARRAY_VALUE,
	EV_STRINGS_VALUE,			/* an array of unique strings */
	EV_TYPE_VALUE,				/* a type's name or an array of them */
	EV_PATTERN_VALUE,			/* a regular expression */
	EV_OBJECT_VALUE,
	EV_STRINGS_MAP_VALUE,		/* an object of arrays of unique strings */
	EV_SCHEMA,					/* one subschema */
	EV_SCHEMAS,					/* an array of subschemas, not empty */
	EV_SCHEMA_OR_SCHEMAS,		/* either (items before 2020-12) */
	EV_SCHEMA_MAP,				/* an object of subschemas */
	EV_PATTERN_SCHEMA_MAP,		/* the same, its names are patterns */
	EV_DEPENDENCIES				/* an object of subschemas and arrays of
								 * strings */
} EvShape;

/* X(symbol, name, drafts, vocabulary, shape) */
#define EV_KEYWORDS(X) \
	X(SCHEMA, "$schema", EV_ALL_DRAFTS, EV_CORE, EV_STRING_VALUE) \
	X(ID_DRAFT4, "id", EV_IN(EV_DRAFT4), EV_CORE, EV_STRING_VALUE) \
	X(ID, "$id", EV_SINCE(EV_DRAFT6), EV_CORE, EV_STRING_VALUE) \
	X(REF, "$ref", EV_ALL_DRAFTS, EV_CORE, EV_STRING_VALUE) \
	X(ANCHOR, "$anchor", EV_SINCE(EV_DRAFT2019), EV_CORE, EV_STRING_VALUE) \
	X(DYNAMIC_REF, "$dynamicRef", EV_SINCE(EV_DRAFT2020), EV_CORE, EV_STRING_VALUE) \
	X(DYNAMIC_ANCHOR, "$dynamicAnchor", EV_SINCE(EV_DRAFT2020), EV_CORE, EV_STRING_VALUE) \
	X(RECURSIVE_REF, "$recursiveRef", EV_IN(EV_DRAFT2019), EV_CORE, EV_STRING_VALUE) \
	X(RECURSIVE_ANCHOR, "$recursiveAnchor", EV_IN(EV_DRAFT2019), EV_CORE, EV_BOOLEAN_VALUE) \
	X(VOCABULARY, "$vocabulary", EV_SINCE(EV_DRAFT2019), EV_CORE, EV_OBJECT_VALUE) \
	X(COMMENT, "$comment", EV_ALL_DRAFTS, EV_CORE, EV_STRING_VALUE) \
	X(DEFS, "$defs", EV_ALL_DRAFTS, EV_CORE, EV_SCHEMA_MAP) \
	X(DEFINITIONS, "definitions", EV_ALL_DRAFTS, EV_CORE, EV_SCHEMA_MAP) \
	X(ALL_OF, "allOf", EV_ALL_DRAFTS, EV_APPLICATOR, EV_SCHEMAS) \
	X(ANY_OF, "anyOf", EV_ALL_DRAFTS, EV_APPLICATOR, EV_SCHEMAS) \
	X(ONE_OF, "oneOf", EV_ALL_DRAFTS, EV_APPLICATOR, EV_SCHEMAS) \
	X(NOT, "not", EV_ALL_DRAFTS, EV_APPLICATOR, EV_SCHEMA) \
	X(IF, "if", EV_SINCE(EV_DRAFT7), EV_APPLICATOR, EV_SCHEMA) \
	X(THEN, "then", EV_SINCE(EV_DRAFT7), EV_APPLICATOR, EV_SCHEMA) \
	X(ELSE, "else", EV_SINCE(EV_DRAFT7), EV_APPLICATOR, EV_SCHEMA) \
	X(DEPENDENT_SCHEMAS, "dependentSchemas", EV_SINCE(EV_DRAFT2019), EV_APPLICATOR, EV_SCHEMA_MAP) \
	X(DEPENDENCIES, "dependencies", EV_ALL_DRAFTS, EV_APPLICATOR, EV_DEPENDENCIES) \
	X(PROPERTIES, "properties", EV_ALL_DRAFTS, EV_APPLICATOR, EV_SCHEMA_MAP) \
	X(PATTERN_PROPERTIES, "patternProperties", EV_ALL_DRAFTS, EV_APPLICATOR, EV_PATTERN_SCHEMA_MAP) \
	X(ADDITIONAL_PROPERTIES, "additionalProperties", EV_ALL_DRAFTS, EV_APPLICATOR, EV_SCHEMA) \
	X(PROPERTY_NAMES, "propertyNames", EV_SINCE(EV_DRAFT6), EV_APPLICATOR, EV_SCHEMA) \
	X(ITEMS_DRAFT4, "items", EV_UNTIL(EV_DRAFT2019), EV_APPLICATOR, EV_SCHEMA_OR_SCHEMAS) \
	X(ITEMS, "items", EV_SINCE(EV_DRAFT2020), EV_APPLICATOR, EV_SCHEMA) \
	X(PREFIX_ITEMS, "prefixItems", EV_SINCE(EV_DRAFT2020), EV_APPLICATOR, EV_SCHEMAS) \
	X(ADDITIONAL_ITEMS, "additionalItems", EV_UNTIL(EV_DRAFT2019), EV_APPLICATOR, EV_SCHEMA) \
	X(CONTAINS, "contains", EV_SINCE(EV_DRAFT6), EV_APPLICATOR, EV_SCHEMA) \
	X(UNEVALUATED_ITEMS, "unevaluatedItems", EV_SINCE(EV_DRAFT2019), EV_UNEVALUATED, EV_SCHEMA) \
	X(UNEVALUATED_PROPERTIES, "unevaluatedProperties", EV_SINCE(EV_DRAFT2019), EV_UNEVALUATED, EV_SCHEMA) \
	X(TYPE, "type", EV_ALL_DRAFTS, EV_VALIDATION, EV_TYPE_VALUE) \
	X(ENUM, "enum", EV_ALL_DRAFTS, EV_VALIDATION, EV_ARRAY_VALUE) \
	X(CONST, "const", EV_SINCE(EV_DRAFT6), EV_VALIDATION, EV_ANY_VALUE) \
	X(MULTIPLE_OF, "multipleOf", EV_ALL_DRAFTS, EV_VALIDATION, EV_POSITIVE_VALUE) \
	X(MAXIMUM, "maximum", EV_ALL_DRAFTS, EV_VALIDATION, EV_NUMBER_VALUE) \
	X(EXCLUSIVE_MAXIMUM_DRAFT4, "exclusiveMaximum", EV_IN(EV_DRAFT4), EV_VALIDATION, EV_BOOLEAN_VALUE) \
	X(EXCLUSIVE_MAXIMUM, "exclusiveMaximum", EV_SINCE(EV_DRAFT6), EV_VALIDATION, EV_NUMBER_VALUE) \
	X(MINIMUM, "minimum", EV_ALL_DRAFTS, EV_VALIDATION, EV_NUMBER_VALUE) \
	X(EXCLUSIVE_MINIMUM_DRAFT4, "exclusiveMinimum", EV_IN(EV_DRAFT4), EV_VALIDATION, EV_BOOLEAN_VALUE) \
	X(EXCLUSIVE_MINIMUM, "exclusiveMinimum", EV_SINCE(EV_DRAFT6), EV_VALIDATION, EV_NUMBER_VALUE) \
	X(MAX_LENGTH, "maxLength", EV_ALL_DRAFTS, EV_VALIDATION, EV_COUNT_VALUE) \
	X(MIN_LENGTH, "minLength", EV_ALL_DRAFTS, EV_VALIDATION, EV_COUNT_VALUE) \
	X(PATTERN, "pattern", EV_ALL_DRAFTS, EV_VALIDATION, EV_PATTERN_VALUE) \
	X(MAX_ITEMS, "maxItems", EV_ALL_DRAFTS, EV_VALIDATION, EV_COUNT_VALUE) \
	X(MIN_ITEMS, "minItems", EV_ALL_DRAFTS, EV_VALIDATION, EV_COUNT_VALUE) \
	X(UNIQUE_ITEMS, "uniqueItems", EV_ALL_DRAFTS, EV_VALIDATION, EV_BOOLEAN_VALUE) \
	X(MAX_CONTAINS, "maxContains", EV_SINCE(EV_DRAFT2019), EV_VALIDATION, EV_COUNT_VALUE) \
	X(MIN_CONTAINS, "minContains", EV_SINCE(EV_DRAFT2019), EV_VALIDATION, EV_COUNT_VALUE) \
	X(MAX_PROPERTIES, "maxProperties", EV_ALL_DRAFTS, EV_VALIDATION, EV_COUNT_VALUE) \
	X(MIN_PROPERTIES, "minProperties", EV_ALL_DRAFTS, EV_VALIDATION, EV_COUNT_VALUE) \
	X(REQUIRED, "required", EV_ALL_DRAFTS, EV_VALIDATION, EV_STRINGS_VALUE) \
	X(DEPENDENT_REQUIRED, "dependentRequired", EV_SINCE(EV_DRAFT2019), EV_VALIDATION, EV_STRINGS_MAP_VALUE) \
	X(FORMAT, "format", EV_ALL_DRAFTS, EV_FORMAT, EV_STRING_VALUE) \
	X(CONTENT_ENCODING, "contentEncoding", EV_SINCE(EV_DRAFT7), EV_CONTENT, EV_STRING_VALUE) \
	X(CONTENT_MEDIA_TYPE, "contentMediaType", EV_SINCE(EV_DRAFT7), EV_CONTENT, EV_STRING_VALUE) \
	X(CONTENT_SCHEMA, "contentSchema", EV_SINCE(EV_DRAFT2019), EV_CONTENT, EV_SCHEMA) \
	X(TITLE, "title", EV_ALL_DRAFTS, EV_METADATA, EV_STRING_VALUE) \
	X(DESCRIPTION, "description", EV_ALL_DRAFTS, EV_METADATA, EV_STRING_VALUE) \
	X(DEFAULT, "default", EV_ALL_DRAFTS, EV_METADATA, EV_ANY_VALUE) \
	X(DEPRECATED, "deprecated", EV_SINCE(EV_DRAFT2019), EV_METADATA, EV_BOOLEAN_VALUE) \
	X(READ_ONLY, "readOnly", EV_SINCE(EV_DRAFT7), EV_METADATA, EV_BOOLEAN_VALUE) \
	X(WRITE_ONLY, "writeOnly", EV_SINCE(EV_DRAFT7), EV_METADATA, EV_BOOLEAN_VALUE) \
	X(EXAMPLES, "examples", EV_SINCE(EV_DRAFT6), EV_METADATA, EV_ARRAY_VALUE)

typedef enum EvKeywordSymbol
{
#define EV_KEYWORD(symbol, name, drafts, vocabulary, shape) EV_KW_##symbol,
	EV_KEYWORDS(EV_KEYWORD)
#undef EV_KEYWORD
	EV_KEYWORD_COUNT
} EvKeywordSymbol;

typedef struct EvKeyword
{
	const char *name;
	int			drafts;			/* set of drafts */
	int			vocabulary;
	EvShape		shape;
} EvKeyword;

/* Indexed by EvKeywordSymbol. */
extern const EvKeyword ev_keywords[EV_KEYWORD_COUNT];

/*
 * The keyword of that name in that draft, or -1 where the draft has none.
 * Vocabularies are the caller's to heed.
 */
extern int	ev_keyword_find(const char *name, int length, EvDraft draft);

/*
 * The keyword nearest to an unknown one, for "did you mean"; NULL where none
 * is near.
 */
extern const char *ev_keyword_nearest(const char *name, int length, EvDraft draft);

/* The drafts by the URI of their meta-schema ("#" at its end or not); -1: none. */
extern int	ev_draft_of_uri(const char *uri);

/* The URI of a draft's meta-schema. */
extern const char *ev_draft_uri(EvDraft draft);

#endif							/* EV_KEYWORDS_H */
