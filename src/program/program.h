/*
 * program.h
 *	  A compiled schema: what compile makes and match runs.
 *
 * A program is one flat array of instructions.  Each subschema is a block: a
 * run of instructions that ends with RETURN and is entered with one instance.
 * A block holds first what applies to every instance, then TYPE, then the
 * keywords of each type.  An applicator names the blocks of its subschemas by
 * the index of their first instruction.
 *
 * What only messages need (locations, keywords) stands apart, in an array
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
 * The instructions.  Assertion and applicator names are the keywords'.
 * X(name, what it does; the member of the union that it uses)
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
	X(TRACK, "the rest of the block notes which children were evaluated (tracked)") \
	X(UNEVALUATED_PROPERTIES, "the block at target applies to what was not evaluated") \
	X(UNEVALUATED_ITEMS, "the block at target applies to what was not evaluated")

typedef enum EvOpcode
{
#define EV_OPCODE(name, description) EVOP_##name,
	EV_OPCODES(EV_OPCODE)
#undef EV_OPCODE
} EvOpcode;

/* A block that needs no code, beside EV_BLOCK_NONE for a keyword that is not there. */
#define EV_BLOCK_TRUE	((uint32) 0xFFFFFFFE)	/* the schema true */

/* A bound that is not there. */
#define EV_NO_MAXIMUM	((uint32) 0xFFFFFFFF)

struct EvObject;
struct EvArray;
struct EvEnum;
struct EvBounds;
struct EvSeenKeys;

/*
 * A block that comes to one check, for the fast path: entering it costs no
 * call.  block_check.c makes checks of the blocks; a block that is no single check
 * is EV_CHECK_BLOCK.
 *
 * X(name, the types whose values it looks at, what it does)
 */
#define EV_CHECKS(X) \
	X(TRUE, 0, "nothing is left to check") \
	X(BLOCK, EV_ALL_TYPES, "run the block") \
	X(TYPE, 0, "the type only") \
	X(LENGTH, EV_BIT(EV_STRING), "a string's length (size)") \
	X(WORD, EV_BIT(EV_STRING), "a string is this one, of up to 8 bytes (length, word)") \
	X(STRINGS, EV_BIT(EV_STRING), "a string is one of a few (enumeration)") \
	X(SHAPE, EV_BIT(EV_STRING), "a string has a shape (shape)") \
	X(PATTERN, EV_BIT(EV_STRING), "a string matches (pattern)") \
	X(FORMAT, EV_BIT(EV_STRING), "a string has a format (format)") \
	X(NUMBER, EV_BIT(EV_NUMBER), "a number is within bounds (bounds)") \
	X(SIGN, EV_BIT(EV_NUMBER), "a number is not negative (zero_is_valid)") \
	X(NUMBERS, EV_BIT(EV_NUMBER), "a number is one of a few (enumeration)") \
	X(OBJECT, EV_BIT(EV_OBJECT), "an object's own keywords (object)") \
	X(ARRAY, EV_BIT(EV_ARRAY), "an array's own keywords (array)") \
	X(BRANCHES, EV_ALL_TYPES, "anyOf or oneOf, whose branches are mostly told apart (branches)") \
	X(ALL, EV_ALL_TYPES, "several checks, of schemas that all apply (all)") \
	X(PENDING, 0, "nothing yet: it is unevaluated unless one of these matched (sources)")

typedef enum EvCheckKind
{
#define EV_CHECK(name, checked, description) EV_CHECK_##name,
	EV_CHECKS(EV_CHECK)
#undef EV_CHECK
} EvCheckKind;

typedef struct EvCheck
{
	uint8		kind;			/* EvCheckKind */
	uint8		types;			/* set of the types that are valid */
	uint8		checked;		/* set of the types whose values are looked
								 * at; others are valid by their type alone */
	bool		integer;		/* NUMBER, TYPE: numbers must be integers */
	union
	{
		uint32		block;		/* the same as a block */
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
		const struct EvBounds *bounds;	/* NUMBER; NULL: none */
		bool		zero_is_valid;	/* SIGN */
		const struct EvObject *object;	/* OBJECT */
		const struct EvArray *array;	/* ARRAY */
		const struct EvBranches *branches;	/* BRANCHES */
		const struct EvChecks *all; /* ALL */
		uint64		sources;	/* PENDING: a bit for each, see EvObject */
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
	uint32		block;			/* EV_BLOCK_NONE: only required names it */
	bool		required;
	uint64		words[2];		/* the name's, see short_string.h */
	EvCheck		check;			/* of the block */
} EvProperty;

StaticAssertDecl(sizeof(EvProperty) <= 64, "a property fits a cache line");

typedef struct EvPatternProperty
{
	EvPattern  *pattern;
	uint64		prefix;			/* up to 8 bytes that every name begins with, */
	uint64		prefix_mask;	/* and which these are, see ev_word */
	uint32		block;
	EvCheck		check;			/* of the block */
} EvPatternProperty;

/* Names of this length and longer ones are looked up together. */
#define EV_LONG_NAME	32

#define EV_NO_SOURCE	255

/*
 * An object's own keywords; on the fast path also those of several schemas, put
 * together (see merge_allof.c): its checks count then, not its blocks.
 */
typedef struct EvObject
{
	EvProperty *properties;		/* sorted as jsonb sorts keys: by length, then
								 * by bytes */
	uint32		property_count;
	uint32		required_count;
	uint32		min_properties;
	uint32		max_properties;
	uint32		most_properties;	/* valid objects have no more than that */
	uint32		pattern_count;
	EvPatternProperty *patterns;
	uint32		additional;		/* block for the other properties */
	uint32		names;			/* block for the names */
	uint32	   *by_length;		/* where the names of a length begin; NULL
								 * where they are few */
	EvCheck		additional_check;
	EvCheck		names_check;
	bool		has_key_sets;	/* the keys of objects are remembered */
	bool		is_map;			/* it names no property and no pattern */
	bool		only_requires;	/* a few names, and nothing else */
	bool		is_open;		/* what it does not name is valid */
	bool		is_resolved;	/* the checks of properties include those of
								 * patterns */
	uint8		source;			/* a number, where what a branch evaluates is
								 * tracked */
	struct EvSeenKeys *seen;	/* changes as objects are matched */
} EvObject;

/* An array's own keywords. */
typedef struct EvArray
{
	uint32		min_items;
	uint32		max_items;
	uint32		prefix_count;
	uint32	   *prefix;			/* a block for each of the first items */
	uint32		items;			/* block for the other items */
	EvCheck    *prefix_checks;
	EvCheck		items_check;
	uint32		contains;		/* block */
	uint32		min_contains;
	uint32		max_contains;
	bool		unique_items;
	bool		contains_evaluates; /* items that match contains are evaluated */
	EvCheck		contains_check;
} EvArray;

typedef struct EvEnum
{
	EvInstance *values;			/* sorted by length, then bytes, where all are
								 * strings */
	EvInstance *shown;			/* the same as written, for messages */
	uint32		count;
	uint32		types;			/* set of the types of its values */
	bool		is_const;
	uint64	   *words;			/* two for each value and its length, where
								 * all are strings */
	int32	   *slots;			/* values by hash; -1: none.  NULL: they are
								 * few, and not strings */
	uint32		slot_mask;
	uint32		hash_shift;
	EvDigits   *digits;			/* of the values, where all are numbers */
} EvEnum;

/* Where the search for a value of an enumeration with slots begins. */
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

/* A lower and an upper bound; a Numeric is NULL where there is none. */
typedef struct EvBounds
{
	Numeric		low;
	Numeric		high;
	EvDigits	low_digits;
	EvDigits	high_digits;
	bool		low_exclusive;
	bool		high_exclusive;
	int64		low_integer;	/* what they are to integers of up to 16
								 * decimal digits */
	int64		high_integer;
} EvBounds;

/*
 * anyOf and oneOf, one row for each branch.  Where a property of the instance
 * tells the branches apart (each requires it, with constant strings of its
 * own), only the branch that has its value can match.
 */
typedef struct EvBranches
{
	uint32	   *blocks;
	uint8	   *types;			/* sets of the types that may match */
	uint32		count;
	bool		disjoint;		/* no type may match two branches */
	EvString	discriminator;	/* the property; data NULL: none */
	uint32		value_count;
	struct EvBranchValue *values;	/* sorted by length, then bytes */
	EvEnum	   *strings;		/* the same values */
	EvCheck    *checks;			/* of the blocks */

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
	EvString	property;		/* where this one is there ... */
	EvString   *required;		/* ... these must be */
	uint32		required_count;
} EvDependency;

/* $dynamicRef: which block, by the resource in the dynamic scope */
typedef struct EvDynamicTarget
{
	uint32		resource;
	uint32		block;
} EvDynamicTarget;

/* The targets of one name, in order of their resources; of a program, one each. */
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
	uint32		initial;		/* block where no resource in scope has it */
} EvDynamic;

/* unevaluatedProperties and unevaluatedItems, as far as known in advance */
typedef struct EvTracked
{
	const EvObject *object;		/* for objects; NULL: run what follows */
	const EvArray *array;		/* for arrays; NULL: run what follows */
	uint32		types;			/* that may be valid */
	uint32		rest;			/* block of what else an object must match */
	EvCheck		unevaluated;	/* for properties that prove to be so */
} EvTracked;

typedef struct EvInstruction
{
	uint16		opcode;
	uint32		target;			/* a block, or where to jump */
	union
	{
		struct
		{
			uint32		types;	/* set of EvType */
			bool		integer;	/* a number must be an integer */
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
			const EvPatternShape *shape;	/* NULL: it has none */
			const char *source; /* as written */
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
		const EvCheck *check;	/* REMEMBER: of the block */
		const Jsonb *annotation;	/* ANNOTATE */
		const EvTracked *tracked;	/* TRACK; NULL: nothing is known */
	}			u;
} EvInstruction;

StaticAssertDecl(sizeof(EvInstruction) <= 64, "an instruction fits a cache line");

/* What messages need of an instruction. */
typedef struct EvSource
{
	const char *keyword;
	const char *path;			/* JSON Pointer from the block's schema,
								 * "/type" */
	uint32		block;			/* index into EvProgram.blocks */
} EvSource;

/* What messages need of a block. */
typedef struct EvBlock
{
	uint32		start;			/* its first instruction */
	const EvLocation *location;
} EvBlock;

struct EvProgram;

/* Does a document match?  A Datum, so that a function's call can end in it. */
typedef Datum (*EvMatchFunction) (const struct EvProgram *program, const JsonbContainer *root);

typedef struct EvProgram
{
	EvMatchFunction match;		/* the entry point, see interpret.h */
	EvCheck		root;			/* of the first block */
	bool		is_utf8;		/* the server encoding is */
	bool		remembers;		/* it has REMEMBER instructions */
	EvInstruction *code;		/* entered at 0 */
	uint32		length;
	uint32		code_length;	/* with the blocks after these, which only the
								 * fast path runs */
	EvSource   *sources;		/* parallel to code */
	EvBlock    *blocks;
	uint32		block_count;
	EvAnchor  **anchors;		/* for $dynamicRef and $recursiveRef */
	uint32		anchor_count;
} EvProgram;

/*
 * Calls a function on every mention of a block in an instruction, but for the
 * targets of its anchor; in_place says that the block is run for the same
 * instance.
 */
typedef void (*EvBlockVisitor) (uint32 *block, bool in_place, void *arg);
extern void ev_visit_blocks(EvInstruction *instruction, EvBlockVisitor visit, void *arg);

/* The same for the targets of all anchors. */
extern void ev_visit_targets(EvProgram *program, EvBlockVisitor visit, void *arg);

/* The block that an anchor has in a resource; EV_BLOCK_NONE: it has none there. */
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
