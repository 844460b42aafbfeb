/*
 * pattern_internal.h
 *	  What the parts of the pattern module share: the tree that the parser
 *	  makes, and the two things it is lowered to.
 *
 * Private to pattern_*.c.  Include postgres.h first.
 */
#ifndef EV_PATTERN_INTERNAL_H
#define EV_PATTERN_INTERNAL_H

#include "pattern.h"

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

/* The GROUP of that number in a node, or NULL. */
extern const EvNode *ev_pattern_find_group(const EvNode *node, int group);

/*
 * pattern_regex.c
 *
 * The pattern that a node of the tree is, run by PostgreSQL's engine.  Its
 * back-references must be to groups in the node.  Made in
 * CurrentMemoryContext; NULL, with *error filled, where it cannot be expressed
 * exactly.
 */
typedef struct EvRegex EvRegex;

extern EvRegex *ev_regex_compile(const EvPatternTree *tree, const EvNode *root,
								 EvPatternError *error);
extern bool ev_regex_matches(const EvRegex *regex, const char *string, int length);

/*
 * Length of the UTF-8 sequence that starts with this byte, in verified UTF-8.
 */
static inline int
ev_utf8_length(unsigned char lead)
{
	return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* The code point that starts here, in verified UTF-8. */
static inline uint32
ev_utf8_decode(const unsigned char *s)
{
	if (s[0] < 0x80)
		return s[0];
	if (s[0] < 0xE0)
		return (s[0] & 0x1F) << 6 | (s[1] & 0x3F);
	if (s[0] < 0xF0)
		return (s[0] & 0x0F) << 12 | (s[1] & 0x3F) << 6 | (s[2] & 0x3F);
	return (s[0] & 0x07) << 18 | (s[1] & 0x3F) << 12 | (s[2] & 0x3F) << 6 |
		(s[3] & 0x3F);
}

#endif							/* EV_PATTERN_INTERNAL_H */
