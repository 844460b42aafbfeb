/*
 * pattern_automaton.h
 *	  The data between a pattern's tree and its automaton: classes of
 *	  characters, positions (an NFA) and states (a DFA), from which
 *	  pattern_automaton.c writes its table.
 *
 * All of it is in CurrentMemoryContext, and the caller deletes that context.
 * Private to pattern_automaton.c, pattern_classes.c, pattern_nfa.c,
 * pattern_dfa.c and pattern_lazy.c.  Include postgres.h first.
 */
#ifndef EV_PATTERN_AUTOMATON_H
#define EV_PATTERN_AUTOMATON_H

#include "pattern/pattern_internal.h"

/*
 * pattern_classes.c: the result of ev_classes_make().
 *
 * A symbol is a class of characters or, after the last class, the end of the
 * string.
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
	uint64	   *members;		/* for each set, a bitmap of symbol_words
								 * words */
};

static inline bool
ev_symbol_in(const uint64 *bitmap, int symbol)
{
	return (bitmap[symbol / 64] >> (symbol % 64)) & 1;
}

/* Returns the class of a code point. */
extern int	ev_class_of(const EvClasses *classes, uint32 code);

/* Returns the symbols that are in a set of the pattern, as a bitmap. */
static inline const uint64 *
ev_set_symbols(const EvClasses *classes, int set)
{
	return classes->members + (Size) set * classes->symbol_words;
}

/* pattern_nfa.c */
#define EV_MAX_GROUPS		32	/* the pattern, and its lookbehinds */

typedef enum EvPositionKind
{
	EV_POSITION_SYMBOL,			/* reads a symbol of the bitmap, goes to next */
	EV_POSITION_SPLIT,			/* goes to next and to other */
	EV_POSITION_START,			/* goes to next where the scan starts */
	EV_POSITION_NEXT,			/* goes to next if the next symbol is in the
								 * bitmap */
	EV_POSITION_WORD,			/* goes to next at a word boundary; if
								 * negative, elsewhere */
	EV_POSITION_BEHIND,			/* goes to next if the group has just matched;
								 * if negative, if it has not */
	EV_POSITION_LOOK,			/* goes to next if look number `other` holds
								 * at this place; if negative, if it does not */
	EV_POSITION_MATCH,			/* the group has matched */
} EvPositionKind;

typedef struct EvPosition
{
	uint8		kind;			/* EvPositionKind */
	bool		negative;		/* WORD, BEHIND, LOOK */
	uint8		group;			/* the group that this position belongs to */
	uint8		behind;			/* BEHIND: the group that must have matched */
	int			next;
	int			other;			/* SPLIT, LOOK */
	const uint64 *symbols;		/* SYMBOL, NEXT: bitmap of symbols */
} EvPosition;

typedef struct EvPositionGroup
{
	int			start;
	bool		restarts;		/* may begin elsewhere than at the start */
	bool		waits;			/* may need the next symbol */
	const EvNode *node;			/* LOOK node whose child this is; NULL for the
								 * pattern itself, always the last */
} EvPositionGroup;

typedef struct EvPositions
{
	const EvClasses *classes;
	bool		backward;

	EvPosition *positions;
	int			position_count;
	EvPositionGroup groups[EV_MAX_GROUPS];	/* a nested lookbehind has a
											 * smaller number */
	int			group_count;

	/* while the positions are built */
	int			position_allocated;
	int			current_group;
	const int  *look_numbers;	/* of LOOK nodes, by EvNode.first; NULL:
								 * look-arounds are conditions on the next
								 * symbol, or groups */
	bool		failed;			/* not expressible, or too large */
} EvPositions;

/*
 * Builds the positions of a node, for one direction of the scan.  Returns
 * false if it cannot be expressed, or is too large.
 */
extern bool ev_positions_build(EvPositions *positions, const EvClasses *classes,
							   const EvNode *node, bool backward);

/*
 * The same, with a position LOOK for each look-around that is not a condition on the next
 * symbol.  look_numbers has its number, by EvNode.first.
 */
extern bool ev_positions_build_looks(EvPositions *positions, const EvClasses *classes,
									 const EvNode *node, bool backward, const int *look_numbers);

/* pattern_dfa.c */
#define EV_REJECT_STATE		0	/* not matched, whatever follows */
#define EV_ACCEPT_STATE		1	/* matched, whatever follows */
#define EV_FIRST_STATE		2	/* of all other states */

typedef struct EvStates
{
	int			symbol_count;
	int			state_count;
	int			start;
	int		   *cells;			/* next states: symbol_count cells for each
								 * state */
} EvStates;

/*
 * Makes the minimal DFA of the positions; some states may be unreachable.
 * Returns false if it would have more than max_cells cells, or if another
 * limit is exceeded.
 */
extern bool ev_states_make(EvStates *states, const EvPositions *positions, int max_cells,
						   EvPatternBudget *budget);

/*
 * Makes the same states one at a time, when a scan needs them, without
 * minimizing.  A maker keeps its states in the memory context in which it was
 * created.  This context must be the current one when more states are made.
 * Its memory is bounded: when there are too many states, the maker forgets all
 * but the last.
 */
typedef struct EvStatesMaker EvStatesMaker;

extern EvStatesMaker *ev_states_maker(const EvPositions *positions);

/* Returns the state in which a scan begins. */
extern int	ev_states_first(EvStatesMaker *maker);

/*
 * Returns the state after a symbol.  Numbers of other states become invalid.
 */
extern int	ev_states_next(EvStatesMaker *maker, int state, int symbol);

/* Returns the state after a symbol, or -1 if it has not been made yet. */
extern int	ev_states_known(const EvStatesMaker *maker, int state, int symbol);

#endif							/* EV_PATTERN_AUTOMATON_H */
