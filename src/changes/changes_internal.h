/*
 * changes_internal.h
 *	  Shared parts of the comparison of schemas.
 *
 * changes_budget.c	limits on work and memory
 * changes_sets.c		sets of schemas
 * changes_classes.c	which schemas are equal?
 * changes_same.c		do the keywords of two schemas say the same?
 * changes_strings.c	which strings match patterns?
 * changes_texts.c		the same, for anyOf, oneOf, not and if
 * changes_facts.c	from keywords to facts, the same for all dialects
 * changes_gather.c	the same, for keywords without subschemas
 * changes_nots.c		the same, for schemas that must not match
 * changes_tags.c		the property that tells variants apart
 * changes_value.c	is a value valid?
 * changes_disjoint.c	do two sets exclude each other?
 * changes_make.c		the arrays and objects that are tried as witnesses, and their names
 * changes_witness.c	values that one schema accepts and the other does not
 * changes_parts.c	the witnesses that were found
 * changes_refute.c	which values are witnesses, and smaller ones
 * changes_prove.c	does one schema imply another?
 * changes_parallel.c	the same, for schemas that are written alike
 * changes_object.c	the same, for objects and arrays
 * changes_branch.c	the same, for anyOf, oneOf, not, if; and cases
 * changes_ranges.c	cases of numbers
 * changes_single.c	the proof of one fact among several
 * changes_scope.c	the lenient reading
 * changes_bounds.c	refutations of bounds without a value
 * changes_types.c	the types of a set, as text
 * changes_list.c		the list of differences
 * changes.c			the comparison's entry
 * view_columns.c		uses the facts of one schema for types of columns
 *
 * All memory is in one context that is deleted after the comparison.  The
 * subschemas belong to the compiler; nothing here changes them.
 */
#ifndef EV_CHANGES_INTERNAL_H
#define EV_CHANGES_INTERNAL_H

#include <setjmp.h>

#include "changes/changes.h"
#include "schema/keyword_values.h"
#include "schema/schema_graph.h"

/* The kinds of facts, as bits. */
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

/* those that are bounds of numbers and counts */
#define EV_FACT_BOUNDS	(EV_FACT_LOWER | EV_FACT_UPPER | EV_FACT_MIN_LENGTH | EV_FACT_MAX_LENGTH | \
						 EV_FACT_MIN_ITEMS | EV_FACT_MAX_ITEMS | EV_FACT_MIN_PROPERTIES | EV_FACT_MAX_PROPERTIES)

/* Yes, no, or not known. */
typedef enum EvTruth
{
	EV_NO,
	EV_MAYBE,
	EV_YES
} EvTruth;

/* The keyword from which a fact was made. */
typedef struct EvOrigin
{
	const EvSubschema *subschema;	/* NULL: no keyword of a document */
	const char *tail;			/* "/minimum" */
} EvOrigin;

typedef struct EvNumberFact
{
	Numeric		value;			/* NULL: none */
	bool		exclusive;		/* of bounds */
	EvOrigin	origin;
} EvNumberFact;

typedef struct EvCountFact
{
	uint32		value;			/* 0 or EV_NO_MAXIMUM: none */
	EvOrigin	origin;
} EvCountFact;

/* A pattern, or the name of a property. */
typedef struct EvTextFact
{
	EvString	text;
	EvPattern  *pattern;		/* compiled, if it is a pattern */
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
	EvString	name;			/* or source of a pattern */
	EvPattern  *pattern;		/* NULL: a name */
	EvSubschema *schema;
	const char *tail;
} EvNamedSchema;

/*
 * properties, patternProperties and additionalProperties of one schema, which
 * depend on each other; or unevaluatedProperties with the properties that it
 * does not apply to.
 */
typedef struct EvObjectShape
{
	const EvSubschema *subschema;
	List	   *names;			/* of EvNamedSchema */
	List	   *patterns;		/* of EvNamedSchema */
	EvSubschema *rest;			/* for all other properties */
	const char *rest_tail;		/* NULL: the keyword is absent */
	bool		evaluates;		/* not unevaluatedProperties; then the names
								 * are in the order of jsonb */
} EvObjectShape;

/* prefixItems and items of one schema, or unevaluatedItems. */
typedef struct EvArrayShape
{
	const EvSubschema *subschema;
	List	   *prefix;			/* of EvNamedSchema without names */
	EvSubschema *rest;
	const char *rest_tail;		/* NULL: the keyword is absent */
} EvArrayShape;

typedef struct EvContainsFact
{
	EvSubschema *schema;
	uint32		minimum;
	uint32		maximum;
	EvOrigin	origin;
} EvContainsFact;

/* dependentRequired, dependentSchemas or dependencies, of one property */
typedef struct EvDependencyFact
{
	EvString	property;
	List	   *required;		/* of EvString *; NIL for a schema */
	EvSubschema *schema;
	EvOrigin	origin;
} EvDependencyFact;

/* anyOf or oneOf */
typedef struct EvGroupFact
{
	bool		one;
	List	   *members;		/* of EvSubschema */
	EvOrigin	origin;
	bool		has_possible;	/* set once they are known: */
	uint32		possible;		/* types that an instance can have, */
	uint32		repeated;		/* and of oneOf those that it cannot, because
								 * two members match all of their values */
} EvGroupFact;

typedef struct EvSchemaFact
{
	EvSubschema *schema;
	EvOrigin	origin;
} EvSchemaFact;

/* A property that has no value that matches a schema. */
typedef struct EvExcludedFact
{
	EvString	name;
	EvSubschema *schema;		/* the schema true: the property is absent */
} EvExcludedFact;

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
 * The facts of a set of schemas that all apply, including those of $ref and
 * allOf.  Exact facts are equal in both forms.  If a keyword cannot be
 * expressed exactly, EV_NECESSARY facts are weaker than the schemas (each
 * valid instance has them), and EV_SUFFICIENT facts are stronger (each
 * instance that has them is valid).
 */
typedef enum EvFactsForm
{
	EV_NECESSARY,
	EV_SUFFICIENT
} EvFactsForm;

typedef struct EvFacts
{
	bool		exact;
	List	   *schemas;		/* EvSubschemas: those of the set, and the
								 * targets of $ref and allOf */
	uint32		types;			/* from "type" */
	bool		integer;		/* numbers must be integers */
	uint32		possible;		/* types that can have instances, as far as
								 * known from other facts; EV_NECESSARY only */
	EvOrigin	type_origin;
	List	   *enums;			/* of EvEnumFact */
	List	   *values;			/* of JsonbValue: values that all enums allow */
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
	EvOrigin	unique;			/* subschema NULL: not required */
	List	   *array_shapes;
	List	   *contains;
	List	   *required;		/* of EvTextFact */
	EvCountFact min_properties;
	EvCountFact max_properties;
	List	   *object_shapes;
	bool		declares_rest;	/* unevaluatedProperties has a schema for
								 * properties, which object_shapes can lack */
	List	   *names;			/* of EvSchemaFact: propertyNames */
	List	   *dependencies;
	List	   *groups;
	List	   *nots;			/* of EvSchemaFact */
	List	   *conditions;
	List	   *opaques;
	List	   *excluded;		/* of EvExcludedFact; EV_NECESSARY only */
	bool		as_written;		/* those of a set as written */
	HTAB	   *required_names; /* the members of `required`, if there are
								 * many, */
	int			named;			/* and how many of them are in the table */
	int64		work;			/* of making them, without that of other facts */
	int			question;		/* the last one that this work was counted for */
} EvFacts;

/*
 * Schemas that all apply to an instance.  There is one set for equal members,
 * so sets are compared by address.  The members are those that stand for their
 * classes of equal schemas, see changes_classes.c, except in a set as written:
 * the list of differences needs locations and annotations.
 */
typedef struct EvSchemaSet
{
	List	   *members;		/* of EvSubschema, without the schema true */
	List	   *excluded;		/* of EvSubschema that must not match */
	List	   *required;		/* of EvString *: properties that are present */
	uint32		types;			/* possible types */
	bool		as_written;
	struct EvSchemaSet *proper; /* with the members that stand for those as
								 * written; itself if it is not as written */
	EvFacts    *facts[2];		/* by EvFactsForm, made when needed */
} EvSchemaSet;

/*
 * Data of the lenient reading for one location in the instance: all facts that
 * apply there in either schema, in any branch.
 */
typedef struct EvScope
{
	EvSchemaSet *old;
	EvSchemaSet *new;
	List	   *old_cover;		/* of EvFacts */
	List	   *new_cover;
	bool		cautious;		/* see ev_scope_cautious() */
	HTAB	   *properties;		/* ScopeProperty by name */
	bool		has_names;		/* set once they are known: */
	List	   *names;			/* of EvString *: those of the cover */
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
	HTAB	   *scopes;			/* EvScope by its sets */
	HTAB	   *judgements;		/* Judgement by key */
	HTAB	   *parallels;		/* pairs of EvSubschemas that are written
								 * alike */
	HTAB	   *sames;			/* pairs of EvSubschemas of two whole
								 * documents: equal or not */
	HTAB	   *gathered;		/* what was made of a keyword of a subschema */
	HTAB	   *unions;			/* EvUnion by group */
	HTAB	   *groups;			/* pairs of groups: implied or not */
	HTAB	   *listed;			/* the values of long enums */
	MemoryContext scratch;		/* for making values */
	HTAB	   *languages;		/* of patterns, by their text */
	HTAB	   *answers;		/* to questions about strings */
	List	   *absences;		/* schemas that exclude a property */
	HTAB	   *samples;		/* Samples by the sets */
	List	   *witnesses;		/* of JsonbValue: that were found so far */
	HTAB	   *disjoints;		/* DisjointSets: pairs of sets */
	HTAB	   *searched;		/* SearchMade: the searches for witnesses */
	HTAB	   *parts;			/* WitnessParts: the same, by the schemas that
								 * they tell apart */
	int			sampled;		/* number of sets */
	int			tried;			/* number of values */
	int			searches;		/* number of searches */
	bool		comparing_roots;	/* whole documents, not parts */
	bool		is_ambiguous;	/* a dynamic reference of one of them has
								 * several targets */
	bool		roots_same;
	bool		proved_backward;	/* the whole is compatible, and so is each
									 * change */
	bool		proved_forward;
	List	   *assumed_same;	/* pairs that are being compared */
	int			running;		/* nesting depth of judgements */
	int			round;
	List	   *made;			/* Judgements, in this round */
	List	   *to_make;		/* that were assumed in this round */
	bool		disappointed;	/* an assumed one was not proved */
	int			splits;			/* nesting depth of cases */
	int			proofs;			/* remaining number */
	bool		is_first;		/* the question may be asked again when more
								 * is known, although it was cut short */
	bool		is_single;		/* the question is about one fact, */
	int			singles;		/* and the number of these */
	int			questions;		/* number of proofs and searches, */
	int			question;		/* and the one that is being made */
	int			text_schemas;	/* read by the proof about strings that is
								 * being made */
	int64		question_end;	/* limit on ev_work_counted() for this
								 * question, */
	int64		search_end;		/* and for this search */
	List	   *changes;		/* EvChanges found so far */

	/* the budget, see changes_budget.c */
	MemoryContext context;		/* for all of this */
	Size		memory_before;	/* size of the context at the start of the
								 * comparison */
	int64		most_work;		/* limit */
	int64		work;			/* work done, up to the last look at the
								 * budget */
	int64		unseen;			/* work done since then */
	int64		facts_work;		/* work of making facts within the facts that
								 * are being made */
	int64		owed;			/* work that earlier questions did for later
								 * ones */
	sigjmp_buf *give_up;		/* where to go when the budget is used up;
								 * NULL: raise an error */
	const char *spent;			/* the part of the budget that is used up, as
								 * text */
} EvProver;

#define EV_MOST_SPLITS	5		/* nesting depth of cases for one instance */

/* ---------- changes_budget.c ---------- */

#define EV_LOOK_INTERVAL	50000	/* work between two looks at the budget */

/* Starts the budget of a prover, whose memory is CurrentMemoryContext. */
extern void ev_budget_start(EvProver *prover, int64 most_work);

/*
 * Checks for interrupts, and the budget; ends the comparison if it is used up.
 */
extern void ev_budget_look(EvProver *prover);

/*
 * Counts work in units of about 10 ns, the time to compare two short strings.
 * Each loop whose length depends on a schema counts its rounds, before or
 * during the loop, so that work is bounded and a cancel request is handled.
 */
static inline void
ev_spend(EvProver *prover, int64 work)
{
	prover->unseen += work + 1;
	if (unlikely(prover->unseen > EV_LOOK_INTERVAL))
		ev_budget_look(prover);
}

/*
 * Returns the work that counts for the limits of one question, so far.  Facts that
 * an earlier question made count as if this one made them.  So what a question can
 * find depends neither on the questions before it nor on their order.
 */
static inline int64
ev_work_counted(const EvProver *prover)
{
	return prover->work + prover->unseen + prover->owed;
}

/* Returns the work of examining a value, which depends on its size. */
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
			return 16 + value->val.binary.len / 8;
		default:
			return 0;
	}
}

/* ---------- changes.c ---------- */

/*
 * Reads a document and all documents that it refers to, in
 * CurrentMemoryContext.  Returns its root.  Raises an error if it is not
 * valid.
 */
extern EvSubschema *ev_prover_read(EvCompiler *compiler, const EvDocument *document, EvResolver resolver);

/* ---------- changes_facts.c ---------- */

extern void ev_prover_init(EvProver *prover);

/* Returns the set of these members; does not change or keep the lists. */
extern EvSchemaSet *ev_set_make(EvProver *prover, const List *members, const List *excluded,
								const List *required, uint32 types);
extern EvSchemaSet *ev_set_of(EvProver *prover, EvSubschema *schema);

/* Returns the set of these members as written, which is for lists only. */
extern EvSchemaSet *ev_set_written(EvProver *prover, const List *members);
extern EvSchemaSet *ev_set_written_of(EvProver *prover, EvSubschema *schema);

/* Return a set with one more member, or one more excluded schema. */
extern EvSchemaSet *ev_set_with(EvProver *prover, const EvSchemaSet *set, EvSubschema *schema);
extern EvSchemaSet *ev_set_without(EvProver *prover, const EvSchemaSet *set, EvSubschema *schema);

/* Return a set restricted to these types, or with a required property. */
extern EvSchemaSet *ev_set_of_types(EvProver *prover, const EvSchemaSet *set, uint32 types);
extern EvSchemaSet *ev_set_requiring(EvProver *prover, const EvSchemaSet *set, const EvString *property);

extern EvFacts *ev_facts(EvProver *prover, EvSchemaSet *set, EvFactsForm form);

/*
 * Returns the types that an instance of anyOf or oneOf can have, as far as the members'
 * facts show.
 */
extern uint32 ev_group_types(EvProver *prover, EvGroupFact *group);

/*
 * Return the facts' schemas for a property, for all other properties, for an
 * item.
 */
extern EvSchemaSet *ev_facts_property(EvProver *prover, const EvFacts *facts, const EvString *name);
extern EvSchemaSet *ev_facts_item(EvProver *prover, const EvFacts *facts, uint32 index);

/*
 * Returns the member of a shape's names that has a name; NULL if there is none.
 */
extern EvNamedSchema *ev_shape_name(EvProver *prover, const EvObjectShape *shape, const EvString *name);

/*
 * Adds a name to a list of EvString * unless it is in it.  *known: a table for
 * this list that is made when it is long, NULL at first.
 */
extern void ev_add_name_once(EvProver *prover, List **names, HTAB **known, const EvString *name);

/* Returns the length of the longest prefixItems. */
extern uint32 ev_facts_prefix(const EvFacts *facts);

extern const EvTextFact *ev_facts_requires(EvProver *prover, const EvFacts *facts, const EvString *name);
extern bool ev_strings_equal(const EvString *a, const EvString *b);
extern bool ev_json_equal(const JsonbValue *a, const JsonbValue *b);

/* Is a string in the list, of EvString *? */
extern bool ev_string_among(EvProver *prover, const List *strings, const EvString *string);

/* Is a value in the list? */
extern bool ev_json_among(EvProver *prover, const List *values, const JsonbValue *value);

/* The same for the values of an enum, a list that does not change. */
extern bool ev_is_listed(EvProver *prover, const List *values, const JsonbValue *value);

/*
 * Can a number be used in calculations?  Results for the largest numbers would
 * overflow, or take long.
 */
extern bool ev_number_is_moderate(Numeric number);

/* Does a string match?  EV_MAYBE if it cannot be converted to UTF-8. */
extern EvTruth ev_string_matches(EvProver *prover, const EvPattern *pattern, const EvString *string);

/* Returns the value as an instance, for functions of jsonb_value.h. */
extern EvInstance ev_json_instance(const JsonbValue *value);

/* Returns the compiler to which a schema belongs. */
extern EvCompiler *ev_compiler_of(EvProver *prover, const EvSubschema *schema);

/* Return the bound, made inclusive and integer if numbers must be integers. */
extern EvNumberFact ev_facts_lower(const EvFacts *facts);
extern EvNumberFact ev_facts_upper(const EvFacts *facts);

/* Adds a required property, unless it is there. */
extern void ev_add_required(EvProver *prover, EvFacts *facts, const EvString *name, EvOrigin origin);

/* ---------- changes_nots.c ---------- */

/* Adds what follows from a schema that must not match.  Only for necessary facts. */
extern void ev_apply_not(EvProver *prover, EvFacts *facts, const EvSchemaFact *fact);

/* ---------- changes_strings.c ---------- */

/*
 * Is there a string of such a length that matches these patterns (Lists of
 * EvString *) and not those?  EV_NO is certain.  If an example is wanted, EV_YES
 * means that *example was set: it matches all patterns that are regular.
 */
extern EvTruth ev_string_exists(EvProver *prover, const List *matched, const List *unmatched,
								uint32 min_length, uint32 max_length, EvString *example);

/*
 * Returns a pattern that exactly these strings match, of EvString *; NULL if they are
 * more than 50, or longer than 2000 bytes together.
 */
extern EvString *ev_pattern_of_strings(EvProver *prover, const List *strings);

/* Returns the patterns of facts, and those for their formats. */
extern List *ev_facts_texts(EvProver *prover, const EvFacts *facts);

/* Is it proved that no string has the patterns and lengths of both? */
extern bool ev_strings_impossible(EvProver *prover, const EvFacts *a, const EvFacts *b);

/* Is it proved that each string with the facts of `a` matches a pattern, */
extern bool ev_strings_match(EvProver *prover, const EvFacts *a, const EvString *pattern);

/* or has such a length? */
extern bool ev_strings_have_length(EvProver *prover, const EvFacts *a, uint32 min_length, uint32 max_length);

/*
 * Returns strings (EvString *) that match the patterns of `a`, first some that
 * lack the facts of `b`.
 */
extern List *ev_string_examples(EvProver *prover, const EvFacts *a, const EvFacts *b);

/* Has each string of one format the other one? */
extern bool ev_format_implies(const EvFormat *a, const EvFormat *b);

/* ---------- changes_texts.c ---------- */

/*
 * Is it proved that each string that `a` accepts has the facts of `b` of these kinds
 * or, if b is NULL, that there is none?  Both are looked at as a whole: anyOf, oneOf,
 * not, if and listed values count.  False means that it is not proved.
 */
extern bool ev_prove_strings(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, uint32 kinds);

/* Returns strings (EvString *) that `a` probably accepts and `b` rejects: to be tried. */
extern List *ev_strings_between(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b);

/* ---------- changes_classes.c ---------- */

/*
 * Divides the schemas of both documents into classes of equal ones, and sets
 * EvSubschema.same, EvSubschema.wording and EvSubschema.number.
 */
extern void ev_find_equal_schemas(EvProver *prover);

/* Returns the schema that stands for all schemas that are equal to this one. */
static inline EvSubschema *
ev_same_schema(EvProver *prover, const EvSubschema *schema)
{
	if (schema->is_boolean)
		return schema->boolean ? &prover->truth : &prover->falsehood;
	return schema->same != NULL ? schema->same : unconstify(EvSubschema *, schema);
}

/* ---------- changes_same.c ---------- */

/*
 * Are two schemas equal except for annotations, including their references?
 */
extern bool ev_schemas_same(EvProver *prover, const EvSubschema *a, const EvSubschema *b);

/* Is a schema equal to one of these? */
extern bool ev_schema_among(EvProver *prover, const List *schemas, const EvSubschema *schema);

/*
 * Are the two documents equal except for annotations, including the documents
 * that they refer to?
 */
extern bool ev_roots_same(EvProver *prover);

/* ---------- changes_tags.c ---------- */

/* What a set of schemas says about the value of a property, the tag. */
typedef struct EvUnionTag
{
	bool		listed;			/* its values are listed: */
	List	   *values;			/* of JsonbValue */
	bool		present;		/* each instance is an object that has it */
} EvUnionTag;

/*
 * The members of anyOf or oneOf, the variants, and the property whose value
 * tells them apart, if there is one.
 */
typedef struct EvUnion
{
	const EvSubschema *subschema;	/* these two are the hash key */
	uintptr_t	one;
	int			count;			/* of variants */
	uint32		repeated;		/* types that no instance can have, see
								 * EvGroupFact */
	EvSchemaSet **sets;			/* of each variant, without these types */
	List	   *path;			/* of EvString *: names that lead to the tag;
								 * NIL if there is none */
	EvUnionTag *tags;			/* of each variant */
	HTAB	   *by_value;		/* numbers of variants by the hash of a value */
	List	   *without;		/* numbers of variants whose values are not
								 * listed, */
	List	   *optional;		/* or that need not have the tag */
} EvUnion;

extern EvUnion *ev_union(EvProver *prover, const EvGroupFact *group);

/* Returns what a set says about the tag of a union that has one. */
extern EvUnionTag ev_union_tag(EvProver *prover, const EvUnion *u, EvSchemaSet *set);

/*
 * Return the numbers of the variants, in order, that can have an instance with
 * this tag, or be valid for this value.  The others are excluded by the tag.
 */
extern List *ev_union_by_tag(EvProver *prover, const EvUnion *u, const EvUnionTag *tag);
extern List *ev_union_by_value(EvProver *prover, const EvUnion *u, const JsonbValue *value);

/* ---------- changes_value.c ---------- */

/* Is a value valid under a set?  Only facts of these kinds are checked. */
extern EvTruth ev_value_valid(EvProver *prover, const JsonbValue *value, EvSchemaSet *set, uint32 kinds);

/* ---------- changes_disjoint.c ---------- */

/* Does a quick look show that no instance is valid under both sets? */
extern bool ev_disjoint(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b);

/* ---------- changes_prove.c ---------- */

/*
 * Is it proved that each instance of `a` has the facts of `b` of these kinds?
 * scope: NULL for the strict reading.
 */
extern bool ev_prove(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds);

/*
 * The same for all kinds, before anything is known about parts; if this takes too
 * long, ev_prove() tries it again.
 */
extern bool ev_prove_first(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);

/*
 * Is it quickly proved that each instance of `a` has the fact of `b` of this kind and
 * origin, although it may lack others of the kind?  False, too, for kinds whose facts
 * are not listed one by one.
 */
extern bool ev_prove_single(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kind,
							EvOrigin origin);

/* Is it proved that a set has no instances? */
extern bool ev_prove_empty(EvProver *prover, EvSchemaSet *set);

/*
 * The same for a part of the instance.  During a proof, the answer is
 * provisional.
 */
extern bool ev_prove_child(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);
extern bool ev_prove_child_empty(EvProver *prover, EvSchemaSet *set);

/* ---------- changes_parallel.c ---------- */

/*
 * Is it proved, keyword by keyword, that each instance of one of these schemas,
 * which all apply, is one of `b`?
 */
extern bool ev_prove_parallel(EvProver *prover, const List *schemas, const EvSubschema *b, EvScope *scope);

/* ---------- changes_scope.c ---------- */

extern EvScope *ev_scope_make(EvProver *prover, EvSchemaSet *old, EvSchemaSet *new);
extern EvScope *ev_scope_property(EvProver *prover, EvScope *scope, const EvString *name);
extern EvScope *ev_scope_rest(EvProver *prover, EvScope *scope);
extern EvScope *ev_scope_item(EvProver *prover, EvScope *scope, uint32 index);

/*
 * Return the names of properties that a schema of either side declares, a List of
 * EvString *, and the length of the longest prefixItems.
 */
extern const List *ev_scope_names(EvProver *prover, EvScope *scope);
extern uint32 ev_scope_prefix(const EvScope *scope);

/*
 * Returns a scope for statements about schemas without their surroundings, which
 * may require a property: it assumes that a property is absent only if no schema
 * that can apply there requires it.  NULL for NULL.
 */
extern EvScope *ev_scope_cautious(EvProver *prover, EvScope *scope);

/*
 * Does the lenient reading assume that a property is absent, unless it is
 * required?
 */
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

/* Is it proved that no two items of an array are equal? */
extern bool ev_items_differ(EvProver *prover, EvSchemaSet *set);
extern uint32 ev_most_properties(EvProver *prover, EvSchemaSet *set);
extern bool ev_object_impossible(EvProver *prover, EvSchemaSet *set);
extern bool ev_array_impossible(EvProver *prover, EvSchemaSet *set);

/* Returns the facts' schemas for properties without a name or pattern. */
extern EvSchemaSet *ev_facts_rest(EvProver *prover, const EvFacts *facts);

/* ---------- changes_names.c ---------- */

/* Returns the schemas of propertyNames, restricted to strings. */
extern EvSchemaSet *ev_facts_names_set(EvProver *prover, const EvFacts *facts);

/* Adds the names in facts to a list, see ev_add_name_once(). */
extern void ev_facts_add_names(EvProver *prover, const EvFacts *facts, List **names, HTAB **known);

/* Returns the names in the facts of two sets: List of EvString *. */
extern List *ev_names_of(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b);

/* ---------- changes_branch.c ---------- */

/* Does `a` imply the facts of `b` of one kind? */
extern bool ev_prove_groups(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);
extern bool ev_prove_nots(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);
extern bool ev_prove_conditions(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);

/*
 * Splits a set into sets that together have all its instances; NIL if it
 * cannot be split.  by_type: also by the type of the instance, and by the
 * bounds of numbers in the branches of `b`, which may be NULL.
 */
extern List *ev_cases(EvProver *prover, EvSchemaSet *set, EvSchemaSet *b, bool by_type);

/*
 * Returns the set with one member of a group and, for oneOf, without those of
 * the other members that could match too.
 */
extern EvSchemaSet *ev_case_of_member(EvProver *prover, EvSchemaSet *set, const EvGroupFact *group, int index);

/* ---------- changes_ranges.c ---------- */

/*
 * Splits a set of numbers by the bounds that the branches of `b` have; NIL if
 * they do not cut it.
 */
extern List *ev_number_cases(EvProver *prover, EvSchemaSet *set, EvSchemaSet *b);

/* ---------- changes_make.c ---------- */

/* A member of an object that is made. */
typedef struct EvMember
{
	EvString	name;
	JsonbValue *value;
} EvMember;

/*
 * Return an array of these values (a List of JsonbValue), or an object of these
 * members (of EvMember), as one piece of memory in CurrentMemoryContext.
 */
extern JsonbValue *ev_array_of(EvProver *prover, const List *items);
extern JsonbValue *ev_object_of(EvProver *prover, const List *members);

/* Returns these members with one more, or with another value for this name, as a new list. */
extern List *ev_with_member(EvProver *prover, const List *members, const EvString *name, JsonbValue *value);

/*
 * Returns the names (EvString *) of properties that a witness may need, in the order
 * in which to try them: a property that has the same schema on both sides hardly makes
 * a difference.  Sets *count to the number of the other ones.
 */
extern List *ev_names_to_try(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, int *count);

/* ---------- changes_witness.c ---------- */

/*
 * Returns a value that is valid under `a` and lacks the facts of `b` of these
 * kinds; NULL if none was found.
 */
extern JsonbValue *ev_witness(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds);

/* ---------- changes_refute.c ---------- */

/*
 * Does the lenient reading consider a value, which is valid under a set?  It
 * ignores values with a property that is assumed to be absent, unless the
 * schema that they are valid under requires it.
 */
extern bool ev_value_admissible(EvProver *prover, const JsonbValue *value, EvSchemaSet *set, EvScope *scope);

/*
 * Returns a witness for two sets, or a part of it that is one, too: what is not
 * needed is left out.
 */
extern JsonbValue *ev_witness_shrink(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope,
									 JsonbValue *witness);

/* ---------- changes_parts.c ---------- */

/* Returns the witnesses for what two sets differ in: a List of JsonbValue. */
extern List *ev_known_witnesses(EvProver *prover, const EvSchemaSet *a, const EvSchemaSet *b);

/* Keeps a value that is valid under `a` and not under `b`. */
extern void ev_witness_keep(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, JsonbValue *value);

/* Was this search made?  Then *witness is what it found, or NULL.  Keeps that. */
extern bool ev_search_was_made(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds,
							   JsonbValue **witness);
extern void ev_search_keep(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds,
						   JsonbValue *witness);

/* ---------- changes_witness.c ---------- */

/* Is a witness known for what two sets differ in, and for them as well? */
extern bool ev_witness_is_known(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);

/*
 * Looks for a witness that contains one that was found before, for a part of
 * these sets; such a witness is used for what contains them.
 */
extern void ev_witness_lift(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope);

/*
 * Returns one of the witnesses that were found before, from this number on, that
 * is a witness for these sets, too; NULL if none is.
 */
extern JsonbValue *ev_witness_again(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds,
									int first);

/*
 * Were values of one of these types found that are valid under `a`?  EV_MAYBE:
 * none was, but the search was cut short.
 */
extern EvTruth ev_has_samples(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, uint32 types);

/* ---------- changes_bounds.c ---------- */

/*
 * Is it certain that `a` has an instance outside of the bounds of `b` of these
 * kinds, without making one?
 */
extern bool ev_bounds_differ(EvProver *prover, EvSchemaSet *a, EvSchemaSet *b, uint32 kinds);

/* ---------- changes_list.c ---------- */

/* Adds the differences between two sets, as EvChanges, to prover->changes. */
extern void ev_list_changes(EvProver *prover, EvSchemaSet *old, EvSchemaSet *new, EvScope *scope);

#endif							/* EV_CHANGES_INTERNAL_H */
