/*
 * pattern_internal.h
 *	  Shared parts of the pattern module: the tree that the parser makes,
 *	  the forms that it is lowered to, and the compiled pattern.
 *
 * Private to pattern_*.c.  Include postgres.h first.
 */
#ifndef EV_PATTERN_INTERNAL_H
#define EV_PATTERN_INTERNAL_H

#include "base/utf8.h"
#include "pattern/pattern.h"

/*
 * Limits.  They do not depend on settings, so that a pattern is supported on
 * all servers or on none.
 */
#define EV_PATTERN_MAX_LENGTH	65536	/* of a pattern to run, in bytes */
#define EV_PATTERN_MAX_DEPTH	1000	/* of groups to run */
#define EV_PATTERN_MAX_RANGES	250000	/* in all classes together */

#define EV_MAX_CODE				0x10FFFF

typedef struct EvCodeRange
{
	uint32		first;
	uint32		last;
} EvCodeRange;

/* A set of code points: ranges sorted, disjoint and not adjacent. */
typedef struct EvCodeSet
{
	const EvCodeRange *ranges;
	int			count;
} EvCodeSet;

typedef enum EvNodeKind
{
	EV_NODE_EMPTY,				/* matches the empty string */
	EV_NODE_SET,				/* one code point of tree->sets[set] */
	EV_NODE_SEQUENCE,			/* children one after the other */
	EV_NODE_CHOICE,				/* one of the children */
	EV_NODE_REPEAT,				/* child, min to max times */
	EV_NODE_GROUP,				/* child, captured as number `group` */
	EV_NODE_LOOK,				/* lookahead or lookbehind of child */
	EV_NODE_START,				/* ^ */
	EV_NODE_END,				/* $ */
	EV_NODE_WORD_BOUNDARY,		/* \b, negative: \B */
	EV_NODE_BACKREFERENCE,		/* the text that `group` captured */
} EvNodeKind;

#define EV_UNBOUNDED	(-1)	/* EvNode.max */
#define EV_MAX_COUNT	(1 << 30)	/* larger repetition counts are cut to
									 * this */

typedef struct EvNode
{
	EvNodeKind	kind;
	int			position;		/* in the pattern, in bytes */
	struct EvNode *next;		/* sibling in a SEQUENCE or CHOICE */
	struct EvNode *child;		/* SEQUENCE, CHOICE: the first; REPEAT, GROUP,
								 * LOOK: the only one */
	int			set;			/* SET */
	int			min;			/* REPEAT */
	int			max;			/* REPEAT */
	int			group;			/* GROUP, BACKREFERENCE: from 1 */
	bool		ahead;			/* LOOK */
	bool		negative;		/* LOOK, WORD_BOUNDARY */
	bool		nullable;		/* may match the empty string; true if not
								 * known */
	bool		zero_width;		/* matches only the empty string */
	int			first;			/* numbers of the nodes in this subtree, */
	int			last;			/* inclusive: see ev_node_contains */
} EvNode;

typedef struct EvPatternTree
{
	EvNode	   *root;
	EvCodeSet  *sets;			/* all different */
	int			set_count;
	int			group_count;	/* capturing groups */
	int			word_set;		/* \w, if there is a WORD_BOUNDARY; else -1 */
	bool		has_look;
	int			range_count;	/* in all classes that were read */
	int			reference_count;	/* back-references */
} EvPatternTree;

/*
 * pattern_parse.c
 *
 * Parses a pattern by the grammar of the "u" flag and, if `lenient`, with the
 * additions of ev_pattern_compile().  Fills *tree, in CurrentMemoryContext.
 * If tree is NULL, only the syntax is checked, for patterns of any size.
 * Returns false, with *error filled, if the pattern is not valid, or if it
 * exceeds the limits above; then error->unsupported is set.
 */
extern bool ev_pattern_parse(const char *pattern, int length, bool lenient,
							 EvPatternTree *tree, EvPatternError *error);

static inline bool
ev_node_contains(const EvNode *node, const EvNode *other)
{
	return node->first <= other->first && other->last <= node->last;
}

/* Returns the node inside any number of groups. */
static inline const EvNode *
ev_node_without_groups(const EvNode *node)
{
	while (node->kind == EV_NODE_GROUP)
		node = node->child;
	return node;
}

/* Returns the GROUP node with this number below a node, or NULL. */
extern const EvNode *ev_pattern_find_group(const EvNode *node, int group);

/*
 * The functions below allocate their results in CurrentMemoryContext.  Each
 * ..._kind() returns a description for users, as a string in
 * CurrentMemoryContext.
 */

/*
 * pattern_shape.c
 *
 * Returns the shape of a pattern, or NULL if the pattern is not one. pattern.h
 * declares how it is matched.
 */
extern EvPatternShape *ev_shape_make(const EvPatternTree *tree);
extern char *ev_shape_kind(const EvPatternShape *shape);

/*
 * pattern_literal.c
 *
 * Returns the literals that a pattern is equal to, if these are few; otherwise
 * NULL.  They are searched for in UTF-8.
 */
typedef struct EvLiterals EvLiterals;

extern EvLiterals *ev_literals_make(const EvPatternTree *tree);
extern bool ev_literals_match(const EvLiterals *literals, const char *string, uint32 length);
extern char *ev_literals_kind(const EvLiterals *literals);

/*
 * pattern_classes.c
 *
 * Returns the classes of characters that the pattern's automata distinguish;
 * NULL if they are too many.
 */
typedef struct EvClasses EvClasses;

extern EvClasses *ev_classes_make(const EvPatternTree *tree);

/*
 * pattern_automaton.c
 *
 * A state is a row of the table.  The first row means that the string does not
 * match, the second that it matches, whatever follows.
 */
#define EV_ACCEPT_ROW(automaton)	((automaton)->width)

typedef struct EvAutomaton
{
	bool		backward;		/* scans from the end of the string */

	/*
	 * All characters beyond ASCII have one class.  Then the bytes of a
	 * character after the first one have a column that keeps the state, and
	 * no character is decoded.
	 */
	bool		bytewise;
	int			state_count;
	int			width;			/* columns: classes, end of string and, if
								 * bytewise, the one that keeps the state */
	uint32		start;
	int			end_column;
	const uint32 *table;		/* next states, each as the index of the first
								 * cell of its row */
	uint8		byte_class[256];

	/* classes of the characters beyond ASCII, unless bytewise */
	uint32		block_limit;	/* code points from here on have last_class */
	uint8		last_class;
	const uint16 *blocks;		/* code >> 8 to an index into block_classes */
	const uint8 *block_classes; /* 256 for each block */
} EvAutomaton;

/*
 * Returns an automaton for a node of the tree, for one direction of the scan.
 * Returns NULL if the node cannot be expressed, if the table would have more
 * than max_cells cells, or if the budget does not allow it.
 */
extern EvAutomaton *ev_automaton_make(const EvClasses *classes, const EvNode *node,
									  bool backward, int max_cells, EvPatternBudget *budget);
extern void ev_automaton_free(EvAutomaton *automaton);
extern char *ev_automaton_kind(const EvAutomaton *automaton);

/*
 * pattern_lazy.c
 *
 * Returns an automaton without a table, whose states are made while strings
 * are scanned.  Returns NULL if the node cannot be expressed, or if the budget
 * lacks memory for its positions. ev_lazy_matches() may raise out_of_memory
 * and query_canceled.
 */
typedef struct EvLazy EvLazy;

extern EvLazy *ev_lazy_make(const EvPatternTree *tree, const EvClasses *classes,
							const EvNode *node, EvPatternBudget *budget);
extern bool ev_lazy_matches(EvLazy *lazy, const char *string, int length);

/*
 * Returns such an automaton for a pattern that is known to have one, in the memory of
 * the states, and sets *generation.  That memory may be emptied whenever a scan
 * begins, so ev_lazy_lives(), which makes room in it, is called before each.
 */
extern EvLazy *ev_lazy_make_pooled(const char *pattern, int length, uint64 *generation);
extern bool ev_lazy_lives(uint64 generation);
extern char *ev_lazy_kind(const EvLazy *lazy);

/*
 * pattern_looks.c
 *
 * Returns a pattern whose look-arounds are scanned one after the other.  Returns NULL
 * if it has back-references, if its classes or positions are too many, or if the budget lacks memory for
 * them.  ev_looks_match() takes memory in CurrentMemoryContext, and frees it; it raises
 * query_canceled, and program_limit_exceeded for many look-arounds and a very
 * long string.
 */
typedef struct EvLooks EvLooks;

extern EvLooks *ev_looks_make(const char *pattern, int length, EvPatternBudget *budget);
extern bool ev_looks_match(const EvLooks *looks, const char *string, int length);
extern char *ev_looks_kind(const EvLooks *looks);

typedef struct EvRegex EvRegex;

/*
 * pattern_tables.c
 *
 * ev_part_make() returns one pattern of a list.
 *
 * ev_conjunction_make() splits a pattern of the form "^", lookaheads, rest.  It
 * matches if the rest matches and each lookahead agrees, all anchored at the start of
 * the string.  With allow_lazy, a part may be an automaton without a table.  With
 * allow_engine, a part that is no automaton is left to the regex engine.  Returns NULL
 * if the pattern does not have this form, or if a part cannot be made.  It reports no
 * error, since the caller then tries another form.
 *
 * ev_tables_make() returns automata with tables.  Returns NULL if a table would be
 * too large, or the budget does not allow it.  ev_tables_make_again() does so for a
 * pattern that was compiled before.
 */
extern EvPattern *ev_part_make(EvPatternShape *shape, EvAutomaton *automaton, EvRegex *regex);
extern EvPattern *ev_conjunction_make(const EvPatternTree *tree, const EvClasses *classes, bool allow_lazy,
									  bool allow_engine, EvPatternBudget *budget, EvPatternError *error);
extern EvPattern *ev_tables_make(const EvPatternTree *tree, const EvClasses *classes, EvPatternBudget *budget);
extern EvPattern *ev_tables_make_again(const char *pattern, int length, EvPatternBudget *budget);

/*
 * pattern_later.c
 *
 * Returns an automaton that has no tables until many strings have been matched, for a
 * pattern and its tree.  Returns NULL if the pattern could not run without tables.
 */
typedef struct EvLater EvLater;

extern EvLater *ev_later_make(const char *pattern, int length, const EvPatternTree *tree,
							  const EvClasses *classes, EvPatternBudget *budget);

/*
 * Returns the tables with which to match a string of this length.  If there are none,
 * returns NULL; then the string is matched by ev_later_lazy().  May raise
 * out_of_memory and query_canceled.
 */
extern const EvPattern *ev_later_tables(EvLater *later, int length);

/* Returns the automaton without tables, which is valid for one scan. */
extern EvLazy *ev_later_lazy(EvLater *later);

/* Builds the tables now; NULL if that is not possible. */
extern const EvPattern *ev_later_build(EvLater *later);

/*
 * pattern_regex.c
 *
 * Returns a regular expression of PostgreSQL's engine for a node of the tree.
 * Back-references in the node must be to groups in the node.  Returns NULL,
 * with *error filled, if the engine cannot express it exactly.
 */
extern EvRegex *ev_regex_compile(const EvPatternTree *tree, const EvNode *root,
								 EvPatternBudget *budget, EvPatternError *error);
extern bool ev_regex_matches(const EvRegex *regex, const char *string, int length);

/*
 * A compiled pattern, which pattern.c makes and pattern_match.c runs.  Exactly
 * one of shape, literals, later, automaton, lazy, looks and regex is set.
 */
struct EvPattern
{
	EvPatternShape *shape;		/* if set, the list has no other pattern */
	EvLiterals *literals;		/* likewise */
	EvLater    *later;			/* likewise */
	EvAutomaton *automaton;
	EvLazy	   *lazy;
	EvLooks    *looks;			/* if set, the list has no other pattern */
	EvRegex    *regex;
	bool		negated;		/* the match must fail */
	EvPattern  *next;			/* all patterns of the list must agree */
};

/*
 * Takes memory that will be kept from a budget.  Returns false if too little
 * is left.
 */
static inline bool
ev_budget_takes(EvPatternBudget *budget, Size bytes)
{
	if (budget->bytes < (int64) bytes)
		return false;
	budget->bytes -= bytes;
	return true;
}

#endif							/* EV_PATTERN_INTERNAL_H */
