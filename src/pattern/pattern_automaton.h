/*
 * pattern_automaton.h
 *	  What the steps from a pattern's tree to its automaton hand on: classes of
 *	  characters, positions (a non-deterministic automaton), states (a
 *	  deterministic one), from which pattern_automaton.c writes its table.
 *
 * All of it is in CurrentMemoryContext, which is the caller's to delete.
 * Private to these four files and pattern_lazy.c.  Include postgres.h first.
 */
#ifndef EV_PATTERN_AUTOMATON_H
#define EV_PATTERN_AUTOMATON_H

#include "pattern/pattern_internal.h"

/*
 * pattern_classes.c: what ev_classes_make() gives.
 *
 * A symbol is a class of characters or, as the one after the last class, the
 * end of the string.
 */
typedef struct EvClassSegment
{
	uint32		first;			/* up to the next segment */
	int			class;
} EvClassSegment;

struct EvClasses
{
	int			count;
	EvClassSegment *segments;	/* of all code points, in order */
	int			segment_count;
	int			word_set;		/* set number, or -1 */
	int			symbol_words;	/* words of a bitmap of symbols */
	uint64	   *members;		/* symbol_words for each set */
};

static inline bool
ev_symbol_in(const uint64 *bitmap, int symbol)
{
	return (bitmap[symbol / 64] >> (symbol % 64)) & 1;
}

/* The symbols that are in a set of the pattern. */
static inline const uint64 *
ev_set_symbols(const EvClasses *classes, int set)
{
	return classes->members + (Size) set * classes->symbol_words;
}

/* pattern_nfa.c */
#define EV_MAX_GROUPS		32	/* the pattern, and those that look behind */

typedef enum EvPositionKind
{
	EV_POSITION_SYMBOL,			/* reads a symbol of the bitmap, goes to next */
	EV_POSITION_SPLIT,			/* goes to next and to other */
	EV_POSITION_START,			/* goes to next where the scan starts */
	EV_POSITION_NEXT,			/* goes to next if the next symbol is in the
								 * bitmap */
	EV_POSITION_WORD,			/* goes to next at a word boundary, negative:
								 * elsewhere */
	EV_POSITION_BEHIND,			/* goes to next if the group has just matched,
								 * negative: has not */
	EV_POSITION_MATCH,			/* the group has matched */
} EvPositionKind;

typedef struct EvPosition
{
	uint8		kind;			/* EvPositionKind */
	bool		negative;		/* WORD, BEHIND */
	uint8		group;			/* whose position this is */
	uint8		behind;			/* BEHIND: the group looked for */
	int			next;
	int			other;			/* SPLIT */
	const uint64 *symbols;		/* SYMBOL, NEXT: bitmap of symbols */
} EvPosition;

typedef struct EvPositionGroup
{
	int			start;
	bool		restarts;		/* can begin elsewhere than at the start */
	bool		waits;			/* may need the next symbol to be decided */
	const EvNode *node;			/* LOOK whose child this is, or NULL: the
								 * pattern itself, always the last */
} EvPositionGroup;

typedef struct EvPositions
{
	const EvClasses *classes;
	bool		backward;

	EvPosition *positions;
	int			position_count;
	EvPositionGroup groups[EV_MAX_GROUPS];	/* what a group looks for has a
											 * smaller number */
	int			group_count;

	/* while they are built */
	int			position_allocated;
	int			current_group;
	bool		failed;			/* cannot be expressed, or too large */
} EvPositions;

/*
 * The positions of a node, in one direction of the scan.  False where it
 * cannot be expressed, or is too large.
 */
extern bool ev_positions_build(EvPositions *positions, const EvClasses *classes,
							   const EvNode *node, bool backward);

/* pattern_dfa.c */
#define EV_REJECT_STATE		0	/* the answer is no, or yes, */
#define EV_ACCEPT_STATE		1	/* whatever follows */
#define EV_FIRST_STATE		2	/* of the others */

typedef struct EvStates
{
	int			symbol_count;
	int			state_count;
	int			start;
	int		   *cells;			/* the next state: symbol_count for each state */
} EvStates;

/*
 * The states that the positions come to, as few as can be; some may not be
 * reached.  False where there would be more than max_cells cells, or another
 * bound is exceeded.
 */
extern bool ev_states_make(EvStates *states, const EvPositions *positions, int max_cells,
						   EvPatternBudget *budget);

/*
 * The same states one by one, as a scan comes to them, and not minimized.  What
 * a maker holds is in the context it is made in, which must be the current one
 * when more states are made, and is bounded: where there are too many, it forgets
 * all but the last.
 */
typedef struct EvStatesMaker EvStatesMaker;

extern EvStatesMaker *ev_states_maker(const EvPositions *positions);

/* The state that a scan begins in. */
extern int	ev_states_first(EvStatesMaker *maker);

/* The state that a symbol leads to; numbers of other states hold no more. */
extern int	ev_states_next(EvStatesMaker *maker, int state, int symbol);

/* The same if it is known already; -1 if it is not. */
extern int	ev_states_known(const EvStatesMaker *maker, int state, int symbol);

#endif							/* EV_PATTERN_AUTOMATON_H */
