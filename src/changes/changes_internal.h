/*
 * changes_internal.h
 *	  What the parts of the comparison of schemas share.
 *
 *	  changes_budget.c	how much work and memory it may take
 *	  changes_sets.c	sets of schemas, sameness
 *	  changes_facts.c	from keywords to facts, the same for all dialects
 *	  changes_gather.c	the same, for keywords without subschemas
 *	  changes_value.c	is a value valid?
 *	  changes_witness.c	values that tell two schemas apart
 *	  changes_prove.c	does one schema imply another?
 *	  changes_object.c	the same, for objects and arrays
 *	  changes_list.c	the differences, one by one
 *	  changes.c			puts it together
 *	  view_columns.c	types of columns, by the facts of one schema
 *
 * All of it lives in one memory context that is deleted after the comparison.
 * Subschemas are the compiler's; nothing here changes them.
 */
#ifndef EV_CHANGES_INTERNAL_H
#define EV_CHANGES_INTERNAL_H

#include <setjmp.h>

#include "changes/changes.h"
#include "schema/keyword_values.h"
#include "schema/schema_graph.h"

/* The kinds of facts, as a set: what is to be proved. */
#define EV_FACT_TYPE			0x00000001
#define EV_FACT_ENUM			0x00000002
#define EV_FACT_LOWER			0x00000004
#define EV_FACT_UPPER			0x00000008
#define EV_FACT_MULTIPLE		0x00000010
#define EV_FACT_MIN_LENGTH		0x00000020
#define EV_FACT_MAX_LENGTH		0x00000040
#define EV_FACT_PATTERN			0x00000080
#define EV_FACT_FORMAT			0x00000100
#define EV_FACT_CONTENT			0x00000200
#define EV_FACT_MIN_ITEMS		0x00000400
#define EV_FACT_MAX_ITEMS		0x00000800
#define EV_FACT_UNIQUE			0x00001000
#define EV_FACT_ITEMS			0x00002000
#define EV_FACT_CONTAINS		0x00004000
#define EV_FACT_REQUIRED		0x00008000
#define EV_FACT_MIN_PROPERTIES	0x00010000
#define EV_FACT_MAX_PROPERTIES	0x00020000
#define EV_FACT_PROPERTIES		0x00040000
#define EV_FACT_NAMES			0x00080000
#define EV_FACT_DEPENDENCIES	0x00100000
#define EV_FACT_GROUPS			0x00200000
#define EV_FACT_NOT				0x00400000
#define EV_FACT_CONDITIONS		0x00800000
#define EV_FACT_OPAQUE			0x01000000
#define EV_FACT_ALL				0x01FFFFFF

/* Yes, no, or not known. */
typedef enum EvTruth
{
	EV_NO,
	EV_MAYBE,
	EV_YES
} EvTruth;

/* Where a fact comes from. */
typedef struct EvOrigin
{
	const EvSubschema *subschema;	/* NULL: from nowhere in a document */
	const char *tail;			/* "/minimum" */
} EvOrigin;

typedef struct EvNumberFact
{
	Numeric		value;			/* NULL: there is none */
	bool		exclusive;		/* of bounds */
	EvOrigin	origin;
} EvNumberFact;

typedef struct EvCountFact
{
	uint32		value;			/* 0 or EV_NO_MAXIMUM: there is none */
	EvOrigin	origin;
} EvCountFact;

/* A pattern, or the name of a property. */
typedef struct EvTextFact
{
	EvString	text;
	EvPattern  *pattern;		/* of patterns */
	EvOrigin	origin;
} EvTextFact;

typedef struct EvFormatFact
{
	const EvFormat *format;
	EvOrigin	origin;
} EvFormatFact;

/* contentEncoding and contentMediaType of draft 7 */
typedef struct EvContentFact
{
	bool		base64;
	bool		json;
	EvOrigin	origin;
} EvContentFact;

/* enum or const */
typedef struct EvEnumFact
{
	List	   *values;			/* of JsonbValue */
	bool		is_const;
	EvOrigin	origin;
} EvEnumFact;

typedef struct EvNamedSchema
{
	EvString	name;			/* or a pattern's source */
	EvPattern  *pattern;		/* NULL: a name */
	EvSubschema *schema;
	const char *tail;
} EvNamedSchema;

/*
 * properties, patternProperties and additionalProperties of one schema, which
 * belong together; or unevaluatedProperties with what it does not concern.
 */
typedef struct EvObjectShape
{
	const EvSubschema *subschema;
	List	   *names;			/* of EvNamedSchema */
	List	   *patterns;		/* of EvNamedSchema */
	EvSubschema *rest;			/* of all other properties */
	const char *rest_tail;		/* NULL: the keyword is not there */
	bool		evaluates;		/* not unevaluatedProperties */
} EvObjectShape;

/* prefixItems and items of one schema, or unevaluatedItems. */
typedef struct EvArrayShape
{
	const EvSubschema *subschema;
	List	   *prefix;			/* of EvNamedSchema without names */
	EvSubschema *rest;
	const char *rest_tail;		/* NULL: the keyword is not there */
} EvArrayShape;

typedef struct EvContainsFact
{
	EvSubschema *schema;
	uint32		minimum;
	uint32		maximum;
	EvOrigin	origin;
} EvContainsFact;

/* dependentRequired, dependentSchemas, dependencies: of one property */
typedef struct EvDependencyFact
{
	EvString	property;
	List	   *required;		/* of EvString *; NIL if schema */
	EvSubschema *schema;
	EvOrigin	origin;
} EvDependencyFact;

/* anyOf or oneOf */
typedef struct EvGroupFact
{
	bool		one;
	List	   *members;		/* of EvSubschema */
	EvOrigin	origin;
} EvGroupFact;

typedef struct EvSchemaFact
{
	EvSubschema *schema;
	EvOrigin	origin;
} EvSchemaFact;

typedef struct EvConditionFact
{
	EvSubschema *test;
	EvSubschema *then;			/* the schema true if there is none */
	EvSubschema *otherwise;
	EvOrigin	origin;
} EvConditionFact;

/* A keyword about which nothing is known. */
typedef struct EvOpaqueFact
{
	bool		is_reference;
	EvOrigin	origin;
} EvOpaqueFact;

/*
 * What a set of schemas that all apply says, with what $ref and allOf bring
 * in.  What is exact is the same in both forms; where a keyword can't be
 * expressed exactly, EV_NECESSARY facts say less than the schemas do (whatever is
 * valid obeys them), and EV_SUFFICIENT ones say more.
 */
typedef enum EvFactsForm
{
	EV_NECESSARY,
	EV_SUFFICIENT
} EvFactsForm;

typedef struct EvFacts
{
	bool		exact;
	List	   *schemas;		/* Subschemas: those of the set, and what $ref
								 * and allOf lead to */
	uint32		types;			/* what "type" allows */
	bool		integer;		/* of numbers, integers only */
	uint32		possible;		/* types of which there can be instances, as
								 * far as other facts tell; weak form only */
	EvOrigin	type_origin;
	List	   *enums;			/* of EvEnumFact */
	List	   *values;			/* of JsonbValue: what all enums allow */
	EvNumberFact lower;
	EvNumberFact upper;
	List	   *multiples;		/* of EvNumberFact */
	EvCountFact min_length;
	EvCountFact max_length;
	List	   *patterns;		/* of EvTextFact */
	List	   *formats;		/* of EvFormatFact */
	List	   *contents;		/* of EvContentFact */
	EvCountFact min_items;
	EvCountFact max_items;
	EvOrigin	unique;			/* subschema NULL: not so */
	List	   *array_shapes;
	List	   *contains;
	List	   *required;		/* of EvTextFact */
	EvCountFact min_properties;
	EvCountFact max_properties;
	List	   *object_shapes;
	List	   *names;			/* of EvSchemaFact: propertyNames */
	List	   *dependencies;
	List	   *groups;
	List	   *nots;			/* of EvSchemaFact */
	List	   *conditions;
	List	   *opaques;
} EvFacts;

/*
 * Schemas that all apply to an instance.  Made once for the same members, so
 * that sets can be compared by their addresses.
 */
typedef struct EvSchemaSet
{
	List	   *members;		/* of EvSubschema; true is never among them */
	List	   *excluded;		/* of EvSubschema: these must not apply */
	List	   *required;		/* of EvString *: properties that are there */
	uint32		types;			/* no other types */
	EvFacts    *facts[2];		/* by EvFactsForm, made when asked for */
} EvSchemaSet;

/*
 * What the lenient reading needs to know of one place in the instance: all
 * that either schema could say about it, whichever branches are taken.
 */
typedef struct EvScope
{
	EvSchemaSet *old;
	EvSchemaSet *new;
	List	   *old_cover;		/* of EvFacts */
	List	   *new_cover;
} EvScope;

typedef struct EvProver
{
	EvCompiler	old;
	EvCompiler	new;
	EvSubschema *old_root;
	EvSubschema *new_root;
	EvSubschema truth;			/* the schema true, */
	EvSubschema falsehood;		/* and false */
	EvSchemaSet *anything;
	HTAB	   *sets;			/* SetBucket by hash */
	List	   *scopes;
	HTAB	   *judgements;		/* Judgement by key */
	HTAB	   *sames;			/* pairs of Subschemas, the same or not */
	HTAB	   *samples;		/* Samples by the sets */
	int			sampled;		/* sets */
	int			tried;			/* values */
	bool		comparing_roots;	/* all of both documents, not parts */
	bool		roots_same;
	List	   *assumed_same;	/* pairs that are being compared */
	int			running;		/* judgements within judgements */
	int			round;
	List	   *made;			/* Judgements, in this round */
	List	   *to_make;		/* those that were assumed in this round */
	bool		disappointed;	/* one that was assumed is not proved */
	int			splits;			/* cases within cases */
	int			proofs;			/* how many more may be made */
	List	   *changes;		/* EvChanges that are listed so far */

	/* the budget, see changes_budget.c */
	MemoryContext context;		/* of all this */
	Size		memory_before;	/* what it had when the comparison began */
	int64		most_work;		/* that it may do */
	int64		work;			/* that it did, up to the last look */
	int64		unseen;			/* and since then */
	sigjmp_buf *give_up;		/* where to go when the budget is spent; NULL:
								 * raise an error */
	const char *spent;			/* what of the budget is spent, as a text */
} EvProver;

/* ---------- changes_budget.c ---------- */

#define EV_LOOK_INTERVAL	50000	/* work between two looks at the budget */

/* Starts the budget of a prover, whose memory is CurrentMemoryContext. */
extern void ev_budget_start(EvProver *prover, int64 most_work);

/* Looks for interrupts and at the budget; leaves the comparison if it is spent. */
extern void ev_budget_look(EvProver *prover);

/*
 * Notes work: some 10 ns a unit, as a comparison of two short strings takes.
 * Each loop over what a schema may make long notes its rounds, before or while it
 * makes them, so that work is bounded and a cancel is heard.
 */
static inline void
ev_spend(EvProver *prover, int64 work)
{
	prover->unseen += work + 1;
	if (unlikely(prover->unseen > EV_LOOK_INTERVAL))
		ev_budget_look(prover);
}

/* The work of looking at a value: that of its bytes. */
static inline int64
ev_value_work(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return value->val.string.len / 64;
		case jbvNumeric:
			return VARSIZE_ANY(value->val.numeric) / 64;
		case jbvBinary:
			return 16 + value->val.binary.len / 2;
		default:
			return 0;
	}
}

/* ---------- changes.c ---------- */

/*
 * Reads a document and all that it refers to, in CurrentMemoryContext; its
 * root.  Raises where it is not valid.
 */
extern EvSubschema *ev_prover_read(EvCompiler *compiler, const EvDocument *document, EvResolver resolver);

/* ---------- changes_facts.c ---------- */

extern void ev_prover_init(EvProver *prover);

/* The set of these members; none of the lists is changed or kept. */
extern EvSchemaSet *ev_set_make(EvProver *prover, const List *members, const List *excluded,
								const List *required, uint32 types);
extern EvSchemaSet *ev_set_of(EvProver *prover, EvSubschema *schema);

/* A set with one more member, or one more excluded. */
extern EvSchemaSet *ev_set_with(EvProver *prover, const EvSchemaSet *set, EvSubschema *schema);
extern EvSchemaSet *ev_set_without(EvProver *prover, const EvSchemaSet *set, EvSubschema *schema);

/* A set with the instance's type among these; with a property that is there. */
extern EvSchemaSet *ev_set_of_types(EvProver *prover, const EvSchemaSet *set, uint32 types);
extern EvSchemaSet *ev_set_requiring(EvProver *prover, const EvSchemaSet *set, const EvString *property);

extern EvFacts *ev_facts(EvProver *prover, EvSchemaSet *set, EvFactsForm form);

/* What the facts say about a property, about other ones, about an item. */
extern EvSchemaSet *ev_facts_property(EvProver *prover, const EvFacts *facts, const EvString *name);
extern EvSchemaSet *ev_facts_item(EvProver *prover, const EvFacts *facts, uint32 index);

/* The length of the longest prefixItems. */
extern uint32 ev_facts_prefix(const EvFacts *facts);

extern const EvTextFact *ev_facts_requires(EvProver *prover, const EvFacts *facts, const EvString *name);
extern bool ev_strings_equal(const EvString *a, const EvString *b);
extern bool ev_json_equal(const JsonbValue *a, const JsonbValue *b);

/* Is a string among these, a list of EvString *? */
extern bool ev_string_among(EvProver *prover, const List *strings, const EvString *string);

/* Is a value among these? */
extern bool ev_json_among(EvProver *prover, const List *values, const JsonbValue *value);

/*
 * Is a number of a size that we calculate with?  Sums, products and quotients of
 * the largest would overflow, or take long.
 */
extern bool ev_number_is_moderate(Numeric number);

/* Does a string match; EV_MAYBE where it has no UTF-8 form. */
extern EvTruth ev_string_matches(EvProver *prover, const EvPattern *pattern, const EvString *string);

/* Are two schemas the same but for annotations, through their references? */
extern bool ev_schemas_same(EvProver *prover, const EvSubschema *a, const EvSubschema *b);

/* Are the two documents the same but for annotations, with all they refer to? */
extern bool ev_roots_same(EvProver *prover);

/* The compiler that a schema belongs to. */
extern EvCompiler *ev_compiler_of(EvProver *prover, const EvSubschema *schema);

/* The bound as it is for integers, if that is what numbers must be. */
extern EvNumberFact ev_facts_lower(const EvFacts *facts);
extern EvNumberFact ev_facts_upper(const EvFacts *facts);

/* ---------- changes_value.c ---------- */

/* Is a value valid under a set?  Under the facts of some kinds? */
extern EvTruth ev_value_valid(EvProver *prover, const JsonbValue *value, EvSchemaSet *set, uint32 kinds);

/* ---------- changes_prove.c ---------- */

/*
 * Is it proved that each instance of `a` has the facts of these kinds that
 * `b` states?  scope: NULL in the strict reading.
 */
extern bool ev_prove(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds);

/* Is it proved that a set has no instance? */
extern bool ev_prove_empty(EvProver *prover, EvSchemaSet *set);

/*
 * The same about a part of the instance.  Within a proof the answer is
 * provisional.
 */
extern bool ev_prove_child(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);
extern bool ev_prove_child_empty(EvProver *prover, EvSchemaSet *set);

extern EvScope *ev_scope_make(EvProver *prover, EvSchemaSet *old, EvSchemaSet *new);
extern EvScope *ev_scope_property(EvProver *prover, EvScope *scope, const EvString *name);
extern EvScope *ev_scope_rest(EvProver *prover, EvScope *scope);
extern EvScope *ev_scope_item(EvProver *prover, EvScope *scope, uint32 index);

/* Does the lenient reading assume that a property, unless required, is not there? */
extern bool ev_scope_absent(EvProver *prover, EvScope *scope, const EvString *name);

/* ---------- changes_object.c ---------- */

extern bool ev_prove_properties(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);
extern bool ev_prove_property(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope,
							  const EvString *name);
extern bool ev_prove_rest(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);
extern bool ev_prove_item(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 index);
extern bool ev_prove_names(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);
extern bool ev_prove_dependencies(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);
extern bool ev_prove_items(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);
extern bool ev_prove_contains(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);
extern uint32 ev_most_items(EvProver *prover, EvSchemaSet *set);
extern uint32 ev_most_properties(EvProver *prover, EvSchemaSet *set);
extern bool ev_object_impossible(EvProver *prover, EvSchemaSet *set);
extern bool ev_array_impossible(EvProver *prover, EvSchemaSet *set);

/* What the facts say about properties that neither name nor pattern tells. */
extern EvSchemaSet *ev_facts_rest(EvProver *prover, const EvFacts *facts);

/* The names that the facts of two sets speak of: List of EvString *. */
extern List *ev_names_of(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b);

/* ---------- changes_witness.c ---------- */

/*
 * A value that is valid under `a` and does not have the facts of these kinds
 * that `b` states; NULL where none was found.
 */
extern JsonbValue *ev_witness(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds);

/* Could values of one of these types be made that are valid under `a`? */
extern bool ev_has_samples(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, uint32 types);

/* ---------- changes_list.c ---------- */

/* The differences between two sets, as EvChanges, in prover->changes. */
extern void ev_list_changes(EvProver *prover, EvSchemaSet *old, EvSchemaSet *new, EvScope *scope);

#endif							/* EV_CHANGES_INTERNAL_H */
