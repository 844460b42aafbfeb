/*
 * keywords.h
 *	  All keywords of all dialects, in one list.
 */
#ifndef EV_KEYWORDS_H
#define EV_KEYWORDS_H

#include "base/dialect.h"
#include "jsonb/jsonb_value.h"

/*
 * Vocabularies: groups of keywords that $vocabulary of a meta-schema enables
 * (2019-09, section 8.1.2).  Earlier drafts have all of them.
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

/* The shape of a keyword's value, and the subschemas in it. */
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
	EV_TYPE_VALUE,				/* the name of a type, or an array of these */
	EV_PATTERN_VALUE,			/* a regular expression */
	EV_OBJECT_VALUE,
	EV_STRINGS_MAP_VALUE,		/* an object of arrays of unique strings */
	EV_SCHEMA,					/* one subschema */
	EV_SCHEMAS,					/* a non-empty array of subschemas */
	EV_SCHEMA_OR_SCHEMAS,		/* either of these (items before 2020-12) */
	EV_SCHEMA_MAP,				/* an object of subschemas */
	EV_PATTERN_SCHEMA_MAP,		/* the same, with patterns as names */
	EV_DEPENDENCIES				/* an object of subschemas and arrays of
								 * strings */
} EvShape;

/*
 * The gatherer of changes/changes_facts.c that makes facts of a keyword, for
 * the comparison of schemas.  They run in this order.  A keyword of EV_OPAQUE,
 * or one that its gatherer does not read, is opaque: a comparison that depends
 * on it answers "unknown".
 */
typedef enum EvGatherer
{
	EV_OPAQUE,
	EV_NO_FACTS,				/* the keyword never makes an instance invalid */
	EV_REFERENCE_FACTS,
	EV_TYPE_FACTS,
	EV_ENUM_FACTS,
	EV_APPLICATOR_FACTS,
	EV_NUMBER_FACTS,
	EV_STRING_FACTS,
	EV_OBJECT_FACTS,
	EV_ARRAY_FACTS,
	EV_UNEVALUATED_FACTS
} EvGatherer;

/*
 * The column "types" is the set of the types whose instances the keyword can
 * make invalid.
 *
 * X(symbol, name, drafts, vocabulary, shape, types, gatherer)
 */
#define EV_KEYWORDS(X) \
	X(SCHEMA, "$schema", EV_ALL_DRAFTS, EV_CORE, EV_STRING_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(ID_DRAFT4, "id", EV_IN(EV_DRAFT4), EV_CORE, EV_STRING_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(ID, "$id", EV_SINCE(EV_DRAFT6), EV_CORE, EV_STRING_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(REF, "$ref", EV_ALL_DRAFTS, EV_CORE, EV_STRING_VALUE, EV_ALL_TYPES, EV_REFERENCE_FACTS) \
	X(ANCHOR, "$anchor", EV_SINCE(EV_DRAFT2019), EV_CORE, EV_STRING_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(DYNAMIC_REF, "$dynamicRef", EV_SINCE(EV_DRAFT2020), EV_CORE, EV_STRING_VALUE, EV_ALL_TYPES, EV_REFERENCE_FACTS) \
	X(DYNAMIC_ANCHOR, "$dynamicAnchor", EV_SINCE(EV_DRAFT2020), EV_CORE, EV_STRING_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(RECURSIVE_REF, "$recursiveRef", EV_IN(EV_DRAFT2019), EV_CORE, EV_STRING_VALUE, EV_ALL_TYPES, EV_REFERENCE_FACTS) \
	X(RECURSIVE_ANCHOR, "$recursiveAnchor", EV_IN(EV_DRAFT2019), EV_CORE, EV_BOOLEAN_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(VOCABULARY, "$vocabulary", EV_SINCE(EV_DRAFT2019), EV_CORE, EV_OBJECT_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(COMMENT, "$comment", EV_ALL_DRAFTS, EV_CORE, EV_STRING_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(DEFS, "$defs", EV_ALL_DRAFTS, EV_CORE, EV_SCHEMA_MAP, EV_ALL_TYPES, EV_NO_FACTS) \
	X(DEFINITIONS, "definitions", EV_ALL_DRAFTS, EV_CORE, EV_SCHEMA_MAP, EV_ALL_TYPES, EV_NO_FACTS) \
	X(ALL_OF, "allOf", EV_ALL_DRAFTS, EV_APPLICATOR, EV_SCHEMAS, EV_ALL_TYPES, EV_APPLICATOR_FACTS) \
	X(ANY_OF, "anyOf", EV_ALL_DRAFTS, EV_APPLICATOR, EV_SCHEMAS, EV_ALL_TYPES, EV_APPLICATOR_FACTS) \
	X(ONE_OF, "oneOf", EV_ALL_DRAFTS, EV_APPLICATOR, EV_SCHEMAS, EV_ALL_TYPES, EV_APPLICATOR_FACTS) \
	X(NOT, "not", EV_ALL_DRAFTS, EV_APPLICATOR, EV_SCHEMA, EV_ALL_TYPES, EV_APPLICATOR_FACTS) \
	X(IF, "if", EV_SINCE(EV_DRAFT7), EV_APPLICATOR, EV_SCHEMA, EV_ALL_TYPES, EV_APPLICATOR_FACTS) \
	X(THEN, "then", EV_SINCE(EV_DRAFT7), EV_APPLICATOR, EV_SCHEMA, EV_ALL_TYPES, EV_APPLICATOR_FACTS) \
	X(ELSE, "else", EV_SINCE(EV_DRAFT7), EV_APPLICATOR, EV_SCHEMA, EV_ALL_TYPES, EV_APPLICATOR_FACTS) \
	X(DEPENDENT_SCHEMAS, "dependentSchemas", EV_SINCE(EV_DRAFT2019), EV_APPLICATOR, EV_SCHEMA_MAP, EV_BIT(EV_OBJECT), EV_OBJECT_FACTS) \
	X(DEPENDENCIES, "dependencies", EV_ALL_DRAFTS, EV_APPLICATOR, EV_DEPENDENCIES, EV_BIT(EV_OBJECT), EV_OBJECT_FACTS) \
	X(PROPERTIES, "properties", EV_ALL_DRAFTS, EV_APPLICATOR, EV_SCHEMA_MAP, EV_BIT(EV_OBJECT), EV_OBJECT_FACTS) \
	X(PATTERN_PROPERTIES, "patternProperties", EV_ALL_DRAFTS, EV_APPLICATOR, EV_PATTERN_SCHEMA_MAP, EV_BIT(EV_OBJECT), EV_OBJECT_FACTS) \
	X(ADDITIONAL_PROPERTIES, "additionalProperties", EV_ALL_DRAFTS, EV_APPLICATOR, EV_SCHEMA, EV_BIT(EV_OBJECT), EV_OBJECT_FACTS) \
	X(PROPERTY_NAMES, "propertyNames", EV_SINCE(EV_DRAFT6), EV_APPLICATOR, EV_SCHEMA, EV_BIT(EV_OBJECT), EV_OBJECT_FACTS) \
	X(ITEMS_DRAFT4, "items", EV_UNTIL(EV_DRAFT2019), EV_APPLICATOR, EV_SCHEMA_OR_SCHEMAS, EV_BIT(EV_ARRAY), EV_ARRAY_FACTS) \
	X(ITEMS, "items", EV_SINCE(EV_DRAFT2020), EV_APPLICATOR, EV_SCHEMA, EV_BIT(EV_ARRAY), EV_ARRAY_FACTS) \
	X(PREFIX_ITEMS, "prefixItems", EV_SINCE(EV_DRAFT2020), EV_APPLICATOR, EV_SCHEMAS, EV_BIT(EV_ARRAY), EV_ARRAY_FACTS) \
	X(ADDITIONAL_ITEMS, "additionalItems", EV_UNTIL(EV_DRAFT2019), EV_APPLICATOR, EV_SCHEMA, EV_BIT(EV_ARRAY), EV_ARRAY_FACTS) \
	X(CONTAINS, "contains", EV_SINCE(EV_DRAFT6), EV_APPLICATOR, EV_SCHEMA, EV_BIT(EV_ARRAY), EV_ARRAY_FACTS) \
	X(UNEVALUATED_ITEMS, "unevaluatedItems", EV_SINCE(EV_DRAFT2019), EV_UNEVALUATED, EV_SCHEMA, EV_BIT(EV_ARRAY), EV_UNEVALUATED_FACTS) \
	X(UNEVALUATED_PROPERTIES, "unevaluatedProperties", EV_SINCE(EV_DRAFT2019), EV_UNEVALUATED, EV_SCHEMA, EV_BIT(EV_OBJECT), EV_UNEVALUATED_FACTS) \
	X(TYPE, "type", EV_ALL_DRAFTS, EV_VALIDATION, EV_TYPE_VALUE, EV_ALL_TYPES, EV_TYPE_FACTS) \
	X(ENUM, "enum", EV_ALL_DRAFTS, EV_VALIDATION, EV_ARRAY_VALUE, EV_ALL_TYPES, EV_ENUM_FACTS) \
	X(CONST, "const", EV_SINCE(EV_DRAFT6), EV_VALIDATION, EV_ANY_VALUE, EV_ALL_TYPES, EV_ENUM_FACTS) \
	X(MULTIPLE_OF, "multipleOf", EV_ALL_DRAFTS, EV_VALIDATION, EV_POSITIVE_VALUE, EV_BIT(EV_NUMBER), EV_NUMBER_FACTS) \
	X(MAXIMUM, "maximum", EV_ALL_DRAFTS, EV_VALIDATION, EV_NUMBER_VALUE, EV_BIT(EV_NUMBER), EV_NUMBER_FACTS) \
	X(EXCLUSIVE_MAXIMUM_DRAFT4, "exclusiveMaximum", EV_IN(EV_DRAFT4), EV_VALIDATION, EV_BOOLEAN_VALUE, EV_BIT(EV_NUMBER), EV_NUMBER_FACTS) \
	X(EXCLUSIVE_MAXIMUM, "exclusiveMaximum", EV_SINCE(EV_DRAFT6), EV_VALIDATION, EV_NUMBER_VALUE, EV_BIT(EV_NUMBER), EV_NUMBER_FACTS) \
	X(MINIMUM, "minimum", EV_ALL_DRAFTS, EV_VALIDATION, EV_NUMBER_VALUE, EV_BIT(EV_NUMBER), EV_NUMBER_FACTS) \
	X(EXCLUSIVE_MINIMUM_DRAFT4, "exclusiveMinimum", EV_IN(EV_DRAFT4), EV_VALIDATION, EV_BOOLEAN_VALUE, EV_BIT(EV_NUMBER), EV_NUMBER_FACTS) \
	X(EXCLUSIVE_MINIMUM, "exclusiveMinimum", EV_SINCE(EV_DRAFT6), EV_VALIDATION, EV_NUMBER_VALUE, EV_BIT(EV_NUMBER), EV_NUMBER_FACTS) \
	X(MAX_LENGTH, "maxLength", EV_ALL_DRAFTS, EV_VALIDATION, EV_COUNT_VALUE, EV_BIT(EV_STRING), EV_STRING_FACTS) \
	X(MIN_LENGTH, "minLength", EV_ALL_DRAFTS, EV_VALIDATION, EV_COUNT_VALUE, EV_BIT(EV_STRING), EV_STRING_FACTS) \
	X(PATTERN, "pattern", EV_ALL_DRAFTS, EV_VALIDATION, EV_PATTERN_VALUE, EV_BIT(EV_STRING), EV_STRING_FACTS) \
	X(MAX_ITEMS, "maxItems", EV_ALL_DRAFTS, EV_VALIDATION, EV_COUNT_VALUE, EV_BIT(EV_ARRAY), EV_ARRAY_FACTS) \
	X(MIN_ITEMS, "minItems", EV_ALL_DRAFTS, EV_VALIDATION, EV_COUNT_VALUE, EV_BIT(EV_ARRAY), EV_ARRAY_FACTS) \
	X(UNIQUE_ITEMS, "uniqueItems", EV_ALL_DRAFTS, EV_VALIDATION, EV_BOOLEAN_VALUE, EV_BIT(EV_ARRAY), EV_ARRAY_FACTS) \
	X(MAX_CONTAINS, "maxContains", EV_SINCE(EV_DRAFT2019), EV_VALIDATION, EV_COUNT_VALUE, EV_BIT(EV_ARRAY), EV_ARRAY_FACTS) \
	X(MIN_CONTAINS, "minContains", EV_SINCE(EV_DRAFT2019), EV_VALIDATION, EV_COUNT_VALUE, EV_BIT(EV_ARRAY), EV_ARRAY_FACTS) \
	X(MAX_PROPERTIES, "maxProperties", EV_ALL_DRAFTS, EV_VALIDATION, EV_COUNT_VALUE, EV_BIT(EV_OBJECT), EV_OBJECT_FACTS) \
	X(MIN_PROPERTIES, "minProperties", EV_ALL_DRAFTS, EV_VALIDATION, EV_COUNT_VALUE, EV_BIT(EV_OBJECT), EV_OBJECT_FACTS) \
	X(REQUIRED, "required", EV_ALL_DRAFTS, EV_VALIDATION, EV_STRINGS_VALUE, EV_BIT(EV_OBJECT), EV_OBJECT_FACTS) \
	X(DEPENDENT_REQUIRED, "dependentRequired", EV_SINCE(EV_DRAFT2019), EV_VALIDATION, EV_STRINGS_MAP_VALUE, EV_BIT(EV_OBJECT), EV_OBJECT_FACTS) \
	X(FORMAT, "format", EV_ALL_DRAFTS, EV_FORMAT, EV_STRING_VALUE, EV_BIT(EV_STRING), EV_STRING_FACTS) \
	X(CONTENT_ENCODING, "contentEncoding", EV_SINCE(EV_DRAFT7), EV_CONTENT, EV_STRING_VALUE, EV_BIT(EV_STRING), EV_STRING_FACTS) \
	X(CONTENT_MEDIA_TYPE, "contentMediaType", EV_SINCE(EV_DRAFT7), EV_CONTENT, EV_STRING_VALUE, EV_BIT(EV_STRING), EV_STRING_FACTS) \
	X(CONTENT_SCHEMA, "contentSchema", EV_SINCE(EV_DRAFT2019), EV_CONTENT, EV_SCHEMA, EV_BIT(EV_STRING), EV_NO_FACTS) \
	X(TITLE, "title", EV_ALL_DRAFTS, EV_METADATA, EV_STRING_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(DESCRIPTION, "description", EV_ALL_DRAFTS, EV_METADATA, EV_STRING_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(DEFAULT, "default", EV_ALL_DRAFTS, EV_METADATA, EV_ANY_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(DEPRECATED, "deprecated", EV_SINCE(EV_DRAFT2019), EV_METADATA, EV_BOOLEAN_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(READ_ONLY, "readOnly", EV_SINCE(EV_DRAFT7), EV_METADATA, EV_BOOLEAN_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(WRITE_ONLY, "writeOnly", EV_SINCE(EV_DRAFT7), EV_METADATA, EV_BOOLEAN_VALUE, EV_ALL_TYPES, EV_NO_FACTS) \
	X(EXAMPLES, "examples", EV_SINCE(EV_DRAFT6), EV_METADATA, EV_ARRAY_VALUE, EV_ALL_TYPES, EV_NO_FACTS)

typedef enum EvKeywordSymbol
{
#define EV_KEYWORD(symbol, name, drafts, vocabulary, shape, types, gatherer) EV_KW_##symbol,
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
	uint32		types;			/* set of types */
	EvGatherer	gatherer;
} EvKeyword;

/* Indexed by EvKeywordSymbol. */
extern const EvKeyword ev_keywords[EV_KEYWORD_COUNT];

/*
 * Returns the keyword with this name in a draft, or -1 if the draft has none.
 * The caller checks vocabularies.
 */
extern int	ev_keyword_find(const char *name, int length, EvDraft draft);

/*
 * Returns the known keyword most similar to an unknown one, for "did you
 * mean"; NULL if none is similar.
 */
extern const char *ev_keyword_nearest(const char *name, int length, EvDraft draft);

/* Is the value of a keyword a reference: $ref and its dynamic forms? */
static inline bool
ev_keyword_refers(int keyword)
{
	return keyword == EV_KW_REF || keyword == EV_KW_DYNAMIC_REF || keyword == EV_KW_RECURSIVE_REF;
}

/*
 * Returns the draft with this meta-schema URI (with or without "#" at its
 * end); -1 if there is none.
 */
extern int	ev_draft_of_uri(const char *uri);

/* Returns the URI of a draft's meta-schema. */
extern const char *ev_draft_uri(EvDraft draft);

#endif							/* EV_KEYWORDS_H */
