/*
 * program.h
 *	  A compiled schema, which compile/ makes and match/ runs.
 *
 * A program is one flat array of instructions.  Each subschema is a block: a
 * sequence of instructions that ends with RETURN and is entered with one
 * instance.  A block has first the keywords that apply to all instances, then
 * TYPE, then the keywords of each type.  An applicator refers to the blocks of
 * its subschemas by the index of their first instruction.
 *
 * Data that only messages need (locations, keywords) are in another array,
 * parallel to the instructions.
 */
#ifndef EV_PROGRAM_H
#define EV_PROGRAM_H

#include "format/format.h"
#include "jsonb/jsonb_number.h"
#include "jsonb/jsonb_value.h"
#include "pattern/pattern.h"
#include "schema/location.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

/*
 * The instructions.  Assertions and applicators have the names of their
 * keywords.  X(name, description; the member of the union that it uses)
 */
#define EV_OPCODES(X) \
	X(RETURN, "end of the block") \
	X(FAIL, "the schema false") \
	X(TYPE, "type: the instance's type is in the set (type)") \
	X(SKIP_UNLESS, "jump to target unless the instance's type is in the set (type)") \
	X(ENUM, "enum, const: the instance equals one of the values (enumeration)") \
	X(ENUM_STRINGS, "enum, const of strings only (enumeration)") \
	X(LENGTH, "minLength, maxLength (size)") \
	X(PATTERN, "pattern (pattern)") \
	X(FORMAT, "format (format)") \
	X(CONTENT, "contentEncoding, contentMediaType of draft 7 (content)") \
	X(BOUND, "minimum, maximum and their exclusive forms, one of them (bound)") \
	X(MULTIPLE_OF, "multipleOf (bound)") \
	X(OBJECT, "all of an object's own keywords in one merge over its keys (object)") \
	X(DEPENDENT_REQUIRED, "dependentRequired, dependencies: one property's (dependency)") \
	X(DEPENDENT_SCHEMA, "dependentSchemas, dependencies: one property's (dependency)") \
	X(ARRAY, "all of an array's own keywords in one pass over its items (array)") \
	X(CALL, "allOf, one member: the block at target applies too") \
	X(CALL_REF, "$ref: the block at target applies too") \
	X(CALL_DYNAMIC, "$dynamicRef, $recursiveRef (dynamic)") \
	X(REMEMBER, "the block at target applies, and its answer is remembered (check)") \
	X(SCOPE, "the rest of the block runs in the dynamic scope of a resource (resource)") \
	X(ANY_OF, "anyOf (branches)") \
	X(ONE_OF, "oneOf (branches)") \
	X(NOT, "not: the block at target must not apply") \
	X(IF, "if, then, else (condition)") \
	X(ANNOTATE, "an annotation, in programs for reports only (annotation)") \
	X(TRACK, "the rest of the block marks the evaluated children (tracked)") \
	X(UNEVALUATED_PROPERTIES, "the block at target applies to unevaluated children") \
	X(UNEVALUATED_ITEMS, "the block at target applies to unevaluated children")

typedef enum EvOpcode
{
#define EV_OPCODE(name, description) EVOP_##name,
	EV_OPCODES(EV_OPCODE)
#undef EV_OPCODE
} EvOpcode;

/*
 * Values for blocks that need no code; EV_BLOCK_NONE means that the keyword is
 * absent.
 */
#define EV_BLOCK_TRUE	((uint32) 0xFFFFFFFE)	/* the schema true */

/* A bound that is absent. */
#define EV_NO_MAXIMUM	((uint32) 0xFFFFFFFF)

struct EvObject;
struct EvArray;
struct EvEnum;
struct EvBounds;
struct EvSeenKeys;

/*
 * A check, to which a block reduces for the fast path, which then runs it
 * without a call.  block_check.c derives checks from blocks.  A block that is
 * more than one check is EV_CHECK_BLOCK.
 *
 * X(name, the types whose values it examines, description)
 */
#define EV_CHECKS(X) \
	X(TRUE, 0, "every value is valid") \
	X(BLOCK, EV_ALL_TYPES, "run the block") \
	X(TYPE, 0, "the type only") \
	X(LENGTH, EV_BIT(EV_STRING), "a string's length (size)") \
	X(WORD, EV_BIT(EV_STRING), "a string equals one of up to 8 bytes (length, word)") \
	X(STRINGS, EV_BIT(EV_STRING), "a string is one of a few (enumeration)") \
	X(SHAPE, EV_BIT(EV_STRING), "a string has a shape (shape)") \
	X(PATTERN, EV_BIT(EV_STRING), "a string matches (pattern)") \
	X(FORMAT, EV_BIT(EV_STRING), "a string has a format (format)") \
	X(NUMBER, EV_BIT(EV_NUMBER), "a number is within bounds (bounds)") \
	X(SIGN, EV_BIT(EV_NUMBER), "a number is not negative (zero_is_valid)") \
	X(NUMBERS, EV_BIT(EV_NUMBER), "a number is one of a few (enumeration)") \
	X(OBJECT, EV_BIT(EV_OBJECT), "an object's own keywords (object)") \
	X(ARRAY, EV_BIT(EV_ARRAY), "an array's own keywords (array)") \
	X(BRANCHES, EV_ALL_TYPES, "anyOf or oneOf, usually with a discriminator (branches)") \
	X(ALL, EV_ALL_TYPES, "several checks, of schemas that all apply (all)") \
	X(PENDING, 0, "pending: unevaluated unless one of these sources matched (sources)")

typedef enum EvCheckKind
{
#define EV_CHECK(name, checked, description) EV_CHECK_##name,
	EV_CHECKS(EV_CHECK)
#undef EV_CHECK
} EvCheckKind;

typedef struct EvCheck
{
	uint8		kind;			/* EvCheckKind */
	uint8		types;			/* set of the valid types */
	uint8		checked;		/* set of the types whose values are examined;
								 * other valid types need no check of the
								 * value */
	bool		integer;		/* NUMBER, TYPE: numbers must be integers */
	union
	{
		uint32		block;		/* the block that the check is derived from */
		uint32		length;		/* WORD */
	};
	union
	{
		uint64		word;		/* WORD, see ev_tail_word */
		struct
		{
			uint32		minimum;
			uint32		maximum;
		}			size;		/* LENGTH */
		const struct EvEnum *enumeration;	/* STRINGS, NUMBERS */
		const EvPatternShape *shape;	/* SHAPE */
		const EvPattern *pattern;	/* PATTERN */
		EvFormatFunction format;	/* FORMAT */
		const struct EvBounds *bounds;	/* NULL: none */
		bool		zero_is_valid;	/* SIGN */
		const struct EvObject *object;	/* OBJECT */
		const struct EvArray *array;	/* ARRAY */
		const struct EvBranches *branches;	/* BRANCHES */
		const struct EvChecks *all; /* ALL */
		uint64		sources;	/* PENDING: one bit for each, see EvObject */
	}			u;
} EvCheck;

typedef struct EvChecks
{
	uint32		count;
	EvCheck		checks[FLEXIBLE_ARRAY_MEMBER];
} EvChecks;

typedef struct EvProperty
{
	EvString	name;
	uint32		block;			/* EV_BLOCK_NONE: only in "required" */
	bool		required;
	uint64		words[2];		/* of the name, see short_string.h */
	EvCheck		check;			/* of the block */
} EvProperty;

StaticAssertDecl(sizeof(EvProperty) <= 64, "a property fits a cache line");

typedef struct EvPatternProperty
{
	EvPattern  *pattern;
	uint64		prefix;			/* up to 8 bytes that each match begins with, */
	uint64		prefix_mask;	/* and a mask of these bytes, see ev_word */
	uint32		block;
	EvCheck		check;			/* of the block */
} EvPatternProperty;

/* Names of at least this length are looked up together. */
#define EV_LONG_NAME	32

#define EV_NO_SOURCE	255

/*
 * The keywords of an object.  On the fast path, it may have those of several
 * schemas, merged (see merge_allof.c); then its checks are used instead of its
 * blocks.
 */
typedef struct EvObject
{
	EvProperty *properties;		/* sorted as jsonb sorts keys: by length, then
								 * by bytes */
	uint32		property_count;
	uint32		required_count;
	uint32		min_properties;
	uint32		max_properties;
	uint32		most_properties;	/* valid objects have at most this number */
	uint32		pattern_count;
	EvPatternProperty *patterns;
	uint32		additional;		/* block for additional properties */
	uint32		names;			/* block for property names */
	uint32	   *by_length;		/* index of the first name of each length;
								 * NULL if there are few names */
	EvCheck		additional_check;
	EvCheck		names_check;
	bool		has_key_sets;	/* the key layout cache is used */
	bool		is_map;			/* has no properties and no patterns */
	bool		only_requires;	/* has a few required names, and nothing else */
	bool		is_open;		/* additional properties are valid */
	bool		is_resolved;	/* the checks of properties include those of
								 * patterns */
	uint8		source;			/* a number, if evaluated properties of a
								 * branch are tracked */
	struct EvSeenKeys *seen;	/* modified while objects are matched */
} EvObject;

/* The keywords of an array. */
typedef struct EvArray
{
	uint32		min_items;
	uint32		max_items;
	uint32		prefix_count;
	uint32	   *prefix;			/* one block for each of the first items */
	uint32		items;			/* block for the remaining items */
	EvCheck    *prefix_checks;
	EvCheck		items_check;
	uint32		contains;		/* block */
	uint32		min_contains;
	uint32		max_contains;
	bool		unique_items;
	bool		contains_evaluates; /* "contains" evaluates the items that it
									 * matches */
	EvCheck		contains_check;
} EvArray;

typedef struct EvEnum
{
	EvInstance *values;			/* sorted by length, then bytes, if all are
								 * strings */
	EvInstance *shown;			/* the same in the order of the schema, for
								 * messages */
	uint32		count;
	uint32		types;			/* set of the values' types */
	bool		is_const;
	uint64	   *words;			/* two for each value and its length, if all
								 * are strings */
	int32	   *slots;			/* hash table of indexes; -1: free.  NULL if
								 * there are few values, not all strings */
	uint32		slot_mask;
	uint32		hash_shift;
	EvDigits   *digits;			/* of the values, if all are numbers */
} EvEnum;

/*
 * Returns the slot at which the search for a value starts, in an enumeration
 * with slots.
 */
static inline uint32
ev_value_slot(const EvEnum *enumeration, const EvInstance *value)
{
	uint64		hash = ev_value_hash(value) * UINT64CONST(0x9E3779B97F4A7C15);

	return (uint32) (hash >> enumeration->hash_shift);
}

typedef enum EvBoundKind
{
	EV_MINIMUM,
	EV_EXCLUSIVE_MINIMUM,
	EV_MAXIMUM,
	EV_EXCLUSIVE_MAXIMUM
} EvBoundKind;

/* A lower and an upper bound; a Numeric is NULL if there is none. */
typedef struct EvBounds
{
	Numeric		low;
	Numeric		high;
	EvDigits	low_digits;
	EvDigits	high_digits;
	bool		low_exclusive;
	bool		high_exclusive;
	int64		low_integer;	/* the bounds for integers of up to 16 decimal
								 * digits */
	int64		high_integer;
} EvBounds;

/*
 * anyOf and oneOf, one entry for each branch.  If a property of the instance
 * discriminates between the branches (each branch requires it, with different
 * constant strings), only the branch with the property's value can match.
 */
typedef struct EvBranches
{
	uint32	   *blocks;
	uint8	   *types;			/* sets of the types that can match */
	uint32		count;
	bool		disjoint;		/* no type can match two branches */
	EvString	discriminator;	/* the property; data is NULL if there is none */
	uint32		value_count;
	struct EvBranchValue *values;	/* sorted by length, then bytes */
	EvEnum	   *strings;		/* the same values */
	EvCheck    *checks;			/* one for each branch */

	/* OpenAPI's "discriminator", for messages only */
	EvString	tag;			/* the property that it names; data NULL: none */
	struct EvBranchValue *tag_values;	/* of its mapping, and the branches'
										 * names */
	uint32		tag_value_count;
} EvBranches;

typedef struct EvBranchValue
{
	EvString	value;
	uint32		branch;
} EvBranchValue;

typedef struct EvDependency
{
	EvString	property;		/* if the object has this property, */
	EvString   *required;		/* it must have these */
	uint32		required_count;
} EvDependency;

/* $dynamicRef: the block for a resource in the dynamic scope */
typedef struct EvDynamicTarget
{
	uint32		resource;
	uint32		block;
} EvDynamicTarget;

/*
 * The targets of one name, in the order of their resources.  A program has one
 * for each name.
 */
typedef struct EvAnchor
{
	const char *name;
	uint32		index;			/* in EvProgram.anchors */
	EvDynamicTarget *targets;
	uint32		target_count;
} EvAnchor;

typedef struct EvDynamic
{
	const EvAnchor *anchor;
	uint32		initial;		/* block to run if no resource in scope has
								 * the name */
} EvDynamic;

/*
 * unevaluatedProperties and unevaluatedItems, as far as known at compile time
 */
typedef struct EvTracked
{
	const EvObject *object;		/* for objects; NULL: run the instructions
								 * after it */
	const EvArray *array;		/* for arrays; NULL: run the instructions
								 * after it */
	uint32		types;			/* that can be valid */
	uint32		rest;			/* block with the other keywords for objects */
	EvCheck		unevaluated;	/* for unevaluated properties */
} EvTracked;

typedef struct EvInstruction
{
	uint16		opcode;
	uint32		target;			/* a block, or the target of a jump */
	union
	{
		struct
		{
			uint32		types;	/* set of EvType */
			bool		integer;	/* numbers must be integers */
		}			type;		/* TYPE, SKIP_UNLESS */
		struct
		{
			uint32		minimum;
			uint32		maximum;
		}			size;		/* LENGTH: in code points */
		struct
		{
			Numeric		value;
			uint32		kind;	/* EvBoundKind */
		}			bound;		/* BOUND, MULTIPLE_OF */
		struct
		{
			EvPattern  *compiled;
			const EvPatternShape *shape;	/* NULL: not a shape */
			const char *source; /* as in the schema */
		}			pattern;	/* PATTERN */
		const EvFormat *format; /* FORMAT */
		struct
		{
			bool		base64;
			bool		json;
		}			content;	/* CONTENT */
		const EvEnum *enumeration;	/* ENUM, ENUM_STRINGS */
		const EvObject *object; /* OBJECT */
		const EvArray *array;	/* ARRAY */
		const EvDependency *dependency; /* DEPENDENT_REQUIRED,
										 * DEPENDENT_SCHEMA */
		const EvBranches *branches; /* ANY_OF, ONE_OF */
		struct
		{
			uint32		if_block;
			uint32		then_block;
			uint32		else_block;
		}			condition;	/* IF */
		const EvDynamic *dynamic;	/* CALL_DYNAMIC */
		uint32		resource;	/* SCOPE */
		const EvCheck *check;	/* of the block */
		const Jsonb *annotation;	/* ANNOTATE */
		const EvTracked *tracked;	/* NULL: nothing is known */
	}			u;
} EvInstruction;

StaticAssertDecl(sizeof(EvInstruction) <= 64, "an instruction fits a cache line");

/* The data of an instruction that messages need. */
typedef struct EvSource
{
	const char *keyword;
	const char *path;			/* JSON Pointer from the block's schema,
								 * "/type" */
	uint32		block;			/* index into EvProgram.blocks */
} EvSource;

/* The data of a block that messages need. */
typedef struct EvBlock
{
	uint32		start;			/* index of its first instruction */
	const EvLocation *location;
} EvBlock;

struct EvProgram;

/*
 * Does a document match?  Returns a Datum, so that an SQL function can call it
 * last (as a tail call).
 */
typedef Datum (*EvMatchFunction) (const struct EvProgram *program, const JsonbContainer *root);

typedef struct EvProgram
{
	EvMatchFunction match;		/* the entry function, see interpret.h */
	EvCheck		root;			/* of the first block */
	bool		is_utf8;		/* of the server encoding */
	bool		remembers;		/* has REMEMBER instructions */
	EvInstruction *code;		/* starts at index 0 */
	uint32		length;
	uint32		code_length;	/* includes the blocks after the end, which
								 * only the fast path runs */
	EvSource   *sources;		/* parallel to code */
	EvBlock    *blocks;
	uint32		block_count;
	EvAnchor  **anchors;		/* for $dynamicRef and $recursiveRef */
	uint32		anchor_count;
} EvProgram;

/*
 * Returns the end of a block's code, including the part after its first
 * RETURN.  Blocks that only the fast path runs are not among these.
 */
static inline uint32
ev_block_end(const EvProgram *program, uint32 index)
{
	return index + 1 < program->block_count ? program->blocks[index + 1].start : program->length;
}

/*
 * Calls a function for each reference to a block in an instruction, except the
 * targets of its anchor. in_place means that the block is run for the same
 * instance.
 */
typedef void (*EvBlockVisitor) (uint32 *block, bool in_place, void *arg);
extern void ev_visit_blocks(EvInstruction *instruction, EvBlockVisitor visit, void *arg);

/* The same for the targets of all anchors. */
extern void ev_visit_targets(EvProgram *program, EvBlockVisitor visit, void *arg);

/*
 * Returns the block of an anchor in a resource; EV_BLOCK_NONE if it has none
 * there.
 */
static inline uint32
ev_anchor_target(const EvAnchor *anchor, uint32 resource)
{
	uint32		low = 0;
	uint32		high = anchor->target_count;

	while (low < high)
	{
		uint32		middle = (low + high) / 2;

		if (anchor->targets[middle].resource == resource)
			return anchor->targets[middle].block;
		if (anchor->targets[middle].resource < resource)
			low = middle + 1;
		else
			high = middle;
	}
	return EV_BLOCK_NONE;
}

#endif							/* EV_PROGRAM_H */
