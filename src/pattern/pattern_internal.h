/*
 * pattern_internal.h
 *	  What the parts of the pattern module share: the tree that the parser
 *	  makes, the four things it is lowered to, and the pattern of these.
 *
 * Private to pattern_*.c.  Include postgres.h first.
 */
#ifndef EV_PATTERN_INTERNAL_H
#define EV_PATTERN_INTERNAL_H

#include "base/utf8.h"
#include "pattern/pattern.h"

/*
 * Bounds.  They do not depend on settings, so that a pattern is supported
 * everywhere or nowhere.
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
	EV_NODE_LOOK,				/* child, looked for ahead or behind */
	EV_NODE_START,				/* ^ */
	EV_NODE_END,				/* $ */
	EV_NODE_WORD_BOUNDARY,		/* \b, negative: \B */
	EV_NODE_BACKREFERENCE,		/* what `group` captured */
} EvNodeKind;

#define EV_UNBOUNDED	(-1)	/* EvNode.max */
#define EV_MAX_COUNT	(1 << 30)	/* larger counts of a repetition are cut
									 * to this */

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
	bool		nullable;		/* may match the empty string; if in doubt,
								 * set */
	bool		zero_width;		/* matches nothing but the empty string */
	int			first;			/* numbers of the nodes in it, itself */
	int			last;			/* included: see ev_node_contains */
} EvNode;

typedef struct EvPatternTree
{
	EvNode	   *root;
	EvCodeSet  *sets;			/* different from each other */
	int			set_count;
	int			group_count;	/* capturing groups */
	int			word_set;		/* \w, if there is a WORD_BOUNDARY; else -1 */
	bool		has_look;
	int			range_count;	/* of characters, in all classes that were
								 * read */
	int			reference_count;	/* back-references */
} EvPatternTree;

/*
 * pattern_parse.c
 *
 * Parses a pattern by the grammar of the "u" flag; with `lenient`, also what
 * ev_pattern_compile allows beyond it.  Fills *tree, in CurrentMemoryContext;
 * tree NULL checks the syntax only, whatever the pattern's size.  False, with
 * *error filled, where the pattern is not valid, or exceeds the bounds above
 * (unsupported then).
 */
extern bool ev_pattern_parse(const char *pattern, int length, bool lenient,
							 EvPatternTree *tree, EvPatternError *error);

static inline bool
ev_node_contains(const EvNode *node, const EvNode *other)
{
	return node->first <= other->first && other->last <= node->last;
}

/* The node that one in any number of groups is. */
static inline const EvNode *
ev_node_without_groups(const EvNode *node)
{
	while (node->kind == EV_NODE_GROUP)
		node = node->child;
	return node;
}

/* The GROUP of that number in a node, or NULL. */
extern const EvNode *ev_pattern_find_group(const EvNode *node, int group);

/*
 * What follows makes what it gives in CurrentMemoryContext; each ..._kind says
 * for people what it is, there too.
 */

/*
 * pattern_shape.c
 *
 * The shape that a pattern is; NULL where it says more than a shape can.  How
 * it is matched is for all to know: see pattern.h.
 */
extern EvPatternShape *ev_shape_make(const EvPatternTree *tree);
extern char *ev_shape_kind(const EvPatternShape *shape);

/*
 * pattern_literal.c
 *
 * The literals that a pattern comes to, where these are few, and how they are
 * found in UTF-8; NULL where it is anything else.
 */
typedef struct EvLiterals EvLiterals;

extern EvLiterals *ev_literals_make(const EvPatternTree *tree);
extern bool ev_literals_match(const EvLiterals *literals, const char *string, uint32 length);
extern char *ev_literals_kind(const EvLiterals *literals);

/*
 * pattern_classes.c
 *
 * The classes of characters that a pattern tells apart, for its automata; NULL
 * where they are too many.
 */
typedef struct EvClasses EvClasses;

extern EvClasses *ev_classes_make(const EvPatternTree *tree);

/*
 * pattern_automaton.c
 *
 * A state is a row of the table.  Those of the first two rows say that the
 * string is not, or is, matched, whatever follows.
 */
#define EV_ACCEPT_ROW(automaton)	((automaton)->width)

typedef struct EvAutomaton
{
	bool		backward;		/* scans from the end of the string */

	/*
	 * All characters beyond ASCII have one class: then the bytes of a
	 * character other than the first have a column in which nothing changes,
	 * and no character is ever decoded.
	 */
	bool		bytewise;
	int			state_count;
	int			width;			/* columns: classes, end of string, and the
								 * unchanging one if bytewise */
	uint32		start;
	int			end_column;
	const uint32 *table;		/* next states, each as the index of the first
								 * cell of its row */
	uint8		byte_class[256];

	/* classes of the characters beyond ASCII, unless bytewise */
	uint32		block_limit;	/* code points from here on have last_class */
	uint8		last_class;
	const uint16 *blocks;		/* code >> 8 to an index into block_classes */
	const uint8 *block_classes; /* 256 a block */
} EvAutomaton;

/*
 * The automaton for a node of the tree, that scans in one direction; NULL where
 * it cannot be expressed, its table would have more than max_cells cells, or the
 * budget does not allow it.
 */
extern EvAutomaton *ev_automaton_make(const EvClasses *classes, const EvNode *node,
									  bool backward, int max_cells, EvPatternBudget *budget);
extern void ev_automaton_free(EvAutomaton *automaton);
extern char *ev_automaton_kind(const EvAutomaton *automaton);

/*
 * pattern_lazy.c
 *
 * An automaton without a table, whose states are made while strings are
 * scanned.  NULL where the node cannot be expressed, or the budget has no
 * memory for its positions.  ev_lazy_matches may raise out of memory and
 * query_canceled.
 */
typedef struct EvLazy EvLazy;

extern EvLazy *ev_lazy_make(const EvPatternTree *tree, const EvClasses *classes,
							const EvNode *node, EvPatternBudget *budget);
extern bool ev_lazy_matches(EvLazy *lazy, const char *string, int length);
extern char *ev_lazy_kind(const EvLazy *lazy);

/*
 * pattern_regex.c
 *
 * The pattern that a node of the tree is, run by PostgreSQL's engine.  Its
 * back-references must be to groups in the node.  NULL, with *error filled,
 * where it cannot be expressed exactly.
 */
typedef struct EvRegex EvRegex;

extern EvRegex *ev_regex_compile(const EvPatternTree *tree, const EvNode *root,
								 EvPatternBudget *budget, EvPatternError *error);
extern bool ev_regex_matches(const EvRegex *regex, const char *string, int length);

/*
 * What pattern.c makes of them, and pattern_match.c runs: one of shape,
 * literals, automaton, lazy and regex is there.
 */
struct EvPattern
{
	EvPatternShape *shape;		/* then it is the only one */
	EvLiterals *literals;		/* likewise */
	EvAutomaton *automaton;
	EvLazy	   *lazy;
	EvRegex    *regex;
	bool		negated;		/* must not match */
	EvPattern  *next;			/* all of a list must agree */
};

/* Takes memory to be kept from a budget.  False where there is too little. */
static inline bool
ev_budget_takes(EvPatternBudget *budget, Size bytes)
{
	if (budget->bytes < (int64) bytes)
		return false;
	budget->bytes -= bytes;
	return true;
}

#endif							/* EV_PATTERN_INTERNAL_H */
