/*
 * pattern_automaton.c
 *	  Patterns as table-driven automata, and the entry points of the module.
 *
 * A pattern without back-references is lowered to a deterministic automaton
 * over classes of characters: the coarsest partition of the code points that
 * the sets of the pattern do not tell apart.  A string is scanned once, in
 * either direction; each character costs a look-up of its class and one of the
 * next state, and the scan ends as soon as the answer is known.
 *
 * Assertions are exact.  Seen in the direction of the scan:
 *
 *	- What lies behind is known.  A group that looks behind has states of its
 *	  own, started anew at each position and carried along in the same set;
 *	  whether it has just matched is a fact, so that its negation is one too.
 *	- Of what lies ahead, only the next character (or that there is none) can
 *	  be waited for: "$", \b, and groups that look ahead at one character.  The
 *	  states behind such a condition are entered when the character is read.
 *
 * So a forward scan does look-behind of any kind, a backward scan look-ahead
 * of any kind, at any depth, negated or not.  A pattern that is anchored at
 * its start and begins with groups that look ahead can also be taken apart
 * into automata that must all agree.  The same freedom of direction helps
 * against size: (a|b)*a(a|b){40}$ is huge forward and small backward.
 *
 * States, table, memory and work of the construction are bounded; what
 * exceeds the bounds goes to pattern_regex.c, as do back-references.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "pattern_internal.h"

#define MAX_SHAPE			256 /* bytes of fixed sets in a Shape */
#define MAX_SHAPE_SETS		8	/* different ones */
#define MAX_CLASSES			250 /* of characters */
#define MAX_SETS			2048	/* of the pattern, for the partition */
#define MAX_POSITIONS		70000	/* of the non-deterministic automaton */
#define MAX_GROUPS			32	/* that look behind */
#define MAX_PARTS			64	/* of a conjunction */
#define MAX_CELLS			(256 * 1024)	/* of the table */
#define SMALL_CELLS			(8 * 1024)	/* where there is another way to try */
#define MAX_ITEMS			(2 * 1024 * 1024)	/* in all sets of positions */
#define MAX_WORK			(8 * 1000 * 1000)	/* positions visited */
#define MAX_REFINEMENT		(2 * 1000 * 1000)	/* cells visited by minimize */
#define INTERRUPT_BYTES		(64 * 1024)

/* states of a finished table, as in EvAutomaton.table: the first two rows */
#define REJECT_ROW			0
#define ACCEPT_ROW(a)		((a)->width)

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
 * A pattern like ^[A-Z]{3}-[0-9]{1,8}$: ASCII characters of given sets, one
 * after the other, at most one set a variable number of times.  The length of
 * the string says which set each byte must be of: so all bytes are checked
 * independently of each other, where an automaton must wait for each state.
 */
typedef struct Shape
{
	int			prefix;			/* bytes before the variable part */
	int			suffix;			/* bytes after it */
	int			min;			/* bytes of the variable part, 0 without one */
	int			max;
	uint8		variable;		/* set of the variable part */
	uint8		sets[256];		/* by byte: the sets that it is in, as bits */
	uint8		required[MAX_SHAPE];	/* sets of prefix and suffix, a bit
										 * each */
} Shape;

/* one of shape, automaton and regex is there */
struct EvPattern
{
	Shape	   *shape;
	EvAutomaton *automaton;
	EvRegex    *regex;
	bool		negated;		/* must not match */
	EvPattern  *next;			/* all of a list must agree */
};

/* ---- matching ---- */

static inline int
class_of_code(const EvAutomaton *a, uint32 code)
{
	if (code >= a->block_limit)
		return a->last_class;
	return a->block_classes[((uint32) a->blocks[code >> 8] << 8) + (code & 0xFF)];
}

static pg_attribute_always_inline bool
scan(const EvAutomaton *a, const unsigned char *string, int length,
	 bool backward, bool bytewise)
{
	const uint32 *table = a->table;
	const unsigned char *at = backward ? string + length : string;
	const unsigned char *end = backward ? string : string + length;
	uint32		state = a->start;
	uint32		accept = ACCEPT_ROW(a);

	if (state <= accept)
		return state == accept;

	while (at != end)
	{
		const unsigned char *stop = end;

		if (backward ? at - end > INTERRUPT_BYTES : end - at > INTERRUPT_BYTES)
		{
			CHECK_FOR_INTERRUPTS();
			stop = backward ? at - INTERRUPT_BYTES : at + INTERRUPT_BYTES;
		}

		/* may pass stop by the rest of a character, but never end */
		while (backward ? at > stop : at < stop)
		{
			int			class;

			if (bytewise)
				class = a->byte_class[backward ? *--at : *at++];
			else if (!backward)
			{
				if (likely(*at < 0x80))
					class = a->byte_class[*at++];
				else
				{
					class = class_of_code(a, ev_utf8_decode(at));
					at += ev_utf8_length(*at);
				}
			}
			else
			{
				if (likely(*--at < 0x80))
					class = a->byte_class[*at];
				else
				{
					while ((*at & 0xC0) == 0x80)
						at--;
					class = class_of_code(a, ev_utf8_decode(at));
				}
			}
			state = table[state + class];
			if (state <= accept)
				return state == accept;
		}
	}
	return table[state + a->end_column] == accept;
}

static bool
automaton_matches(const EvAutomaton *a, const unsigned char *string, int length)
{
	if (a->bytewise)
		return a->backward ? scan(a, string, length, true, true) :
			scan(a, string, length, false, true);
	return a->backward ? scan(a, string, length, true, false) :
		scan(a, string, length, false, false);
}

static inline uint8
missing_sets(const Shape *shape, const uint8 *required, const unsigned char *bytes,
			 int count)
{
	uint8		missing = 0;

	for (int i = 0; i < count; i++)
		missing |= required[i] & ~shape->sets[bytes[i]];
	return missing;
}

static bool
shape_matches(const Shape *shape, const unsigned char *string, int length)
{
	int			count = length - shape->prefix - shape->suffix;
	const unsigned char *at = string + shape->prefix;
	uint8		missing;

	if (count < shape->min || count > shape->max)
		return false;
	missing = missing_sets(shape, shape->required, string, shape->prefix);
	while (count > 0)
	{
		int			chunk = Min(count, INTERRUPT_BYTES);

		for (int i = 0; i < chunk; i++)
			missing |= shape->variable & ~shape->sets[at[i]];
		if (missing != 0)
			return false;
		at += chunk;
		count -= chunk;
		if (unlikely(count > 0))
			CHECK_FOR_INTERRUPTS();
	}
	missing |= missing_sets(shape, shape->required + shape->prefix, at, shape->suffix);
	return missing == 0;
}

bool
ev_pattern_matches(const EvPattern *pattern, const char *string, int length)
{
	for (; pattern != NULL; pattern = pattern->next)
	{
		bool		matches;

		if (pattern->shape != NULL)
			matches = shape_matches(pattern->shape, (const unsigned char *) string, length);
		else if (pattern->automaton != NULL)
		{
			/* of short strings, a document may have millions */
			CHECK_FOR_INTERRUPTS();
			matches = automaton_matches(pattern->automaton,
										(const unsigned char *) string, length);
		}
		else
			matches = ev_regex_matches(pattern->regex, string, length);
		if (matches == pattern->negated)
			return false;
	}
	return true;
}

/* ---- classes of characters ---- */

typedef struct Segment
{
	uint32		first;			/* up to the next segment */
	int			class;
} Segment;

typedef struct Classes
{
	int			count;
	Segment    *segments;
	int			segment_count;
	int			word_set;		/* set number, or -1 */
	int			symbol_words;	/* words of a bitmap of symbols: the classes,
								 * and the end of the string as number `count` */
	uint64	   *members;		/* symbol_words for each set */
} Classes;

typedef struct Boundary
{
	uint32		code;
	int			set;			/* whose membership changes here */
} Boundary;

static int
compare_boundaries(const void *a, const void *b)
{
	const Boundary *x = a;
	const Boundary *y = b;

	return x->code < y->code ? -1 : x->code > y->code ? 1 : 0;
}

static inline bool
symbol_in(const uint64 *bitmap, int symbol)
{
	return (bitmap[symbol / 64] >> (symbol % 64)) & 1;
}

/*
 * Sweeps over the code points in order, keeping the sets that hold the
 * current one as a bitmap; equal bitmaps are one class.
 */
static bool
make_classes(const EvPatternTree *tree, Classes *classes)
{
	int			words = tree->set_count / 64 + 1;
	int			boundary_count = 0;
	int			next = 0;
	uint32		code = 0;
	Boundary   *boundaries;
	uint64	   *current;
	uint64	   *known;

	memset(classes, 0, sizeof(Classes));
	if (tree->set_count > MAX_SETS)
		return false;
	for (int set = 0; set < tree->set_count; set++)
		boundary_count += 2 * tree->sets[set].count;
	boundaries = palloc(Max(boundary_count, 1) * sizeof(Boundary));
	boundary_count = 0;
	for (int set = 0; set < tree->set_count; set++)
	{
		for (int r = 0; r < tree->sets[set].count; r++)
		{
			boundaries[boundary_count].code = tree->sets[set].ranges[r].first;
			boundaries[boundary_count++].set = set;
			boundaries[boundary_count].code = tree->sets[set].ranges[r].last + 1;
			boundaries[boundary_count++].set = set;
		}
	}
	qsort(boundaries, boundary_count, sizeof(Boundary), compare_boundaries);

	classes->word_set = tree->word_set;
	classes->segments = palloc((boundary_count + 1) * sizeof(Segment));
	current = palloc0(words * sizeof(uint64));
	known = palloc((Size) words * sizeof(uint64) * MAX_CLASSES);
	while (code <= EV_MAX_CODE)
	{
		Segment    *segment = &classes->segments[classes->segment_count++];
		int			class;

		for (; next < boundary_count && boundaries[next].code == code; next++)
			current[boundaries[next].set / 64] ^=
				UINT64CONST(1) << (boundaries[next].set % 64);

		for (class = 0; class < classes->count; class++)
		{
			if (memcmp(known + class * words, current, words * sizeof(uint64)) == 0)
				break;
		}
		if (class == classes->count)
		{
			if (class == MAX_CLASSES)
				return false;
			memcpy(known + class * words, current, words * sizeof(uint64));
			classes->count++;
		}
		segment->first = code;
		segment->class = class;
		code = next < boundary_count ? boundaries[next].code : EV_MAX_CODE + 1;
	}

	classes->symbol_words = classes->count / 64 + 1;
	classes->members = palloc0((Size) Max(tree->set_count, 1) *
							   classes->symbol_words * sizeof(uint64));
	for (int set = 0; set < tree->set_count; set++)
	{
		for (int class = 0; class < classes->count; class++)
		{
			if (symbol_in(known + class * words, set))
				classes->members[set * classes->symbol_words + class / 64] |=
					UINT64CONST(1) << (class % 64);
		}
	}
	return true;
}

/* ---- the non-deterministic automaton ---- */

typedef enum PositionKind
{
	POSITION_SYMBOL,			/* reads a character of the set, goes to next */
	POSITION_SPLIT,				/* goes to next and to other */
	POSITION_START,				/* goes to next where the scan starts */
	POSITION_NEXT,				/* goes to next if the next symbol is in the
								 * bitmap */
	POSITION_WORD,				/* goes to next at a word boundary, negative:
								 * elsewhere */
	POSITION_BEHIND,			/* goes to next if the group has just matched,
								 * negative: has not */
	POSITION_MATCH,				/* the group has matched */
} PositionKind;

typedef struct Position
{
	uint8		kind;			/* PositionKind */
	bool		negative;		/* WORD, BEHIND */
	uint8		group;			/* whose position this is */
	uint8		behind;			/* BEHIND: the group looked for */
	int			next;
	int			other;			/* SPLIT */
	const uint64 *symbols;		/* SYMBOL, NEXT: bitmap of symbols */
} Position;

typedef struct Group
{
	int			start;
	bool		restarts;		/* can begin elsewhere than at the start */
	bool		waits;			/* may need the next symbol to be decided */
	const EvNode *node;			/* LOOK whose child this is, or NULL: the
								 * pattern itself, always the last */
} Group;

typedef struct Builder
{
	const EvPatternTree *tree;
	const Classes *classes;
	bool		backward;

	Position   *positions;
	int			position_count;
	int			position_allocated;
	Group		groups[MAX_GROUPS];
	int			group_count;
	int			current_group;
	bool		failed;			/* cannot be expressed, or too large */
} Builder;

static int
add_position(Builder *b, PositionKind kind, int next)
{
	Position   *position;

	if (b->position_count == MAX_POSITIONS)
	{
		b->failed = true;
		return 0;
	}
	if (b->position_count == b->position_allocated)
	{
		b->position_allocated = Max(64, b->position_allocated * 2);
		if (b->positions == NULL)
			b->positions = palloc(b->position_allocated * sizeof(Position));
		else
			b->positions = repalloc(b->positions,
									b->position_allocated * sizeof(Position));
	}
	position = &b->positions[b->position_count];
	memset(position, 0, sizeof(Position));
	position->kind = kind;
	position->group = b->current_group;
	position->next = next;
	return b->position_count++;
}

static const uint64 *
set_symbols(Builder *b, int set)
{
	return b->classes->members + (Size) set * b->classes->symbol_words;
}

/*
 * If a node, in the direction of the scan, looks at no more than the next
 * symbol, adds those symbols to the bitmap.
 */
static bool
add_next_symbols(Builder *b, const EvNode *node, uint64 *symbols)
{
	EvNodeKind	end = b->backward ? EV_NODE_START : EV_NODE_END;
	int			end_symbol = b->classes->count;

	check_stack_depth();
	if (node->kind == end)
	{
		symbols[end_symbol / 64] |= UINT64CONST(1) << (end_symbol % 64);
		return true;
	}
	switch (node->kind)
	{
		case EV_NODE_EMPTY:
			for (int symbol = 0; symbol <= end_symbol; symbol++)
				symbols[symbol / 64] |= UINT64CONST(1) << (symbol % 64);
			return true;
		case EV_NODE_SET:
			for (int i = 0; i < b->classes->symbol_words; i++)
				symbols[i] |= set_symbols(b, node->set)[i];
			return true;
		case EV_NODE_CHOICE:
			for (const EvNode *child = node->child; child != NULL; child = child->next)
			{
				if (!add_next_symbols(b, child, symbols))
					return false;
			}
			return true;
		case EV_NODE_GROUP:
			return add_next_symbols(b, node->child, symbols);
		default:
			return false;
	}
}

static int	build(Builder *b, const EvNode *node, int next);

/* child, min to max times, before next */
static int
build_repeat(Builder *b, const EvNode *node, int next)
{
	int			min = node->min;
	int			max = node->max;
	int			start = next;

	/* once is as good as many times */
	if ((min > 1 || max > 1) && node->child->zero_width)
	{
		min = Min(min, 1);
		max = 1;
	}

	if (max == EV_UNBOUNDED)
	{
		int			loop = add_position(b, POSITION_SPLIT, 0);
		int			body = build(b, node->child, loop);

		if (b->failed)
			return 0;
		b->positions[loop].next = body;
		b->positions[loop].other = next;
		/* with min > 0 the loop's last round is one of those required */
		start = min > 0 ? body : loop;
		min -= min > 0 ? 1 : 0;
	}
	else
	{
		for (int i = min; i < max && !b->failed; i++)
		{
			int			split = add_position(b, POSITION_SPLIT, 0);
			int			body = build(b, node->child, start);

			if (b->failed)
				return 0;
			b->positions[split].next = body;
			b->positions[split].other = next;
			start = split;
		}
	}
	for (int i = 0; i < min && !b->failed; i++)
		start = build(b, node->child, start);
	return start;
}

static int
build_sequence(Builder *b, const EvNode *node, int next)
{
	const EvNode **children;
	int			count = 0;

	/* what the scan meets last is built first */
	if (b->backward)
	{
		for (const EvNode *child = node->child; child != NULL; child = child->next)
			next = build(b, child, next);
		return next;
	}
	for (const EvNode *child = node->child; child != NULL; child = child->next)
		count++;
	children = palloc(count * sizeof(EvNode *));
	count = 0;
	for (const EvNode *child = node->child; child != NULL; child = child->next)
		children[count++] = child;
	while (count > 0)
		next = build(b, children[--count], next);
	pfree(children);
	return next;
}

static int
build_look(Builder *b, const EvNode *node, int next)
{
	int			position;
	int			group;

	if (node->ahead != b->backward)
	{
		uint64	   *symbols = palloc0(b->classes->symbol_words * sizeof(uint64));

		if (!add_next_symbols(b, node->child, symbols))
		{
			b->failed = true;
			return 0;
		}
		if (node->negative)
		{
			for (int i = 0; i < b->classes->symbol_words; i++)
				symbols[i] = ~symbols[i];
		}
		position = add_position(b, POSITION_NEXT, next);
		if (!b->failed)
			b->positions[position].symbols = symbols;
		return position;
	}

	/* a copy made by a quantifier looks for the same */
	for (group = 0; group < b->group_count; group++)
	{
		if (b->groups[group].node == node)
			break;
	}
	if (group == b->group_count)
	{
		int			outer = b->current_group;
		int			start;

		/*
		 * Groups get their numbers when they are complete, so that what a
		 * group looks for has a smaller number: until then its positions
		 * carry a number from the top.
		 */
		int			provisional = b->current_group - 1;
		int			first = b->position_count;

		if (provisional < MAX_GROUPS)
		{
			b->failed = true;
			return 0;
		}
		b->current_group = provisional;
		start = build(b, node->child, add_position(b, POSITION_MATCH, 0));
		b->current_group = outer;
		if (b->failed || b->group_count >= MAX_GROUPS - 1)
		{
			b->failed = true;
			return 0;
		}
		group = b->group_count++;
		for (int i = first; i < b->position_count; i++)
		{
			if (b->positions[i].group == provisional)
				b->positions[i].group = group;
		}
		b->groups[group].node = node;
		b->groups[group].start = start;
	}
	position = add_position(b, POSITION_BEHIND, next);
	if (!b->failed)
	{
		b->positions[position].behind = group;
		b->positions[position].negative = node->negative;
	}
	return position;
}

/*
 * Positions for a node, in the direction of the scan, that go on to `next`.
 * Gives the first; nothing useful if b->failed.
 */
static int
build(Builder *b, const EvNode *node, int next)
{
	int			position;

	check_stack_depth();
	if (b->failed)
		return 0;
	switch (node->kind)
	{
		case EV_NODE_EMPTY:
			return next;

		case EV_NODE_SET:
			position = add_position(b, POSITION_SYMBOL, next);
			if (!b->failed)
				b->positions[position].symbols = set_symbols(b, node->set);
			return position;

		case EV_NODE_SEQUENCE:
			return build_sequence(b, node, next);

		case EV_NODE_CHOICE:
			{
				int			start = build(b, node->child, next);

				for (const EvNode *child = node->child->next; child != NULL; child = child->next)
				{
					int			branch = build(b, child, next);
					int			split = add_position(b, POSITION_SPLIT, start);

					if (b->failed)
						return 0;
					b->positions[split].other = branch;
					start = split;
				}
				return start;
			}

		case EV_NODE_REPEAT:
			return build_repeat(b, node, next);

		case EV_NODE_GROUP:
			return build(b, node->child, next);

		case EV_NODE_LOOK:
			return build_look(b, node, next);

		case EV_NODE_START:
		case EV_NODE_END:
			if ((node->kind == EV_NODE_START) != b->backward)
				return add_position(b, POSITION_START, next);
			position = add_position(b, POSITION_NEXT, next);
			if (!b->failed)
			{
				uint64	   *symbols = palloc0(b->classes->symbol_words * sizeof(uint64));

				add_next_symbols(b, node, symbols);
				b->positions[position].symbols = symbols;
			}
			return position;

		case EV_NODE_WORD_BOUNDARY:
			position = add_position(b, POSITION_WORD, next);
			if (!b->failed)
				b->positions[position].negative = node->negative;
			return position;

		case EV_NODE_BACKREFERENCE:
			break;
	}
	b->failed = true;
	return 0;
}

/* ---- the deterministic automaton ---- */

/* states under construction; rows of `cells` hold state numbers */
#define REJECT_STATE		0
#define ACCEPT_STATE		1
#define FIRST_STATE			2

typedef struct State
{
	int			first_item;		/* positions, in `items`, sorted */
	int			item_count;
	uint32		hash;
	bool		waiting;		/* has positions that wait for the next
								 * symbol: only then is the rest kept */
	bool		at_start;
	bool		after_word;
	uint32		hits;			/* groups that have just matched */
} State;

typedef struct Construction
{
	Builder    *b;
	int			symbol_count;	/* classes, and the end of the string */
	int			max_cells;

	State	   *states;
	int			state_count;
	int			state_allocated;
	int		   *items;
	int			item_count;
	int			item_allocated;
	int		   *cells;			/* symbol_count for each state */
	int		   *slots;			/* hash table of state numbers, 0: free */
	int			slot_count;		/* a power of 2 */
	int			start;

	uint32	   *marks;			/* positions seen in the current closure */
	uint32		mark;
	int		   *stack;
	int		   *kernel;			/* positions that a step leads to */
	int			kernel_count;
	int		   *set;			/* the closure: positions that read or wait */
	int			set_count;
	bool		set_waiting;
	uint32		hits;			/* groups that match here */
	int64		work;
} Construction;

/*
 * Adds to c->set what a position leads to without reading.  With symbol < 0
 * the next symbol is not known: positions that need it are kept as waiting.
 * True if the pattern itself matches.
 */
static bool
close_position(Construction *c, int position, bool at_start, bool after_word, int symbol)
{
	const Builder *b = c->b;
	int			depth = 0;
	bool		matched = false;

	c->stack[depth++] = position;
	while (depth > 0)
	{
		const Position *p;
		bool		pass = false;
		bool		wait = false;

		position = c->stack[--depth];
		if (c->marks[position] == c->mark)
			continue;
		c->marks[position] = c->mark;
		c->work++;
		p = &b->positions[position];
		switch ((PositionKind) p->kind)
		{
			case POSITION_SYMBOL:
				c->set[c->set_count++] = position;
				break;
			case POSITION_SPLIT:
				c->stack[depth++] = p->other;
				pass = true;
				break;
			case POSITION_START:
				pass = at_start;
				break;
			case POSITION_NEXT:
				if (symbol < 0)
					wait = true;
				else
					pass = symbol_in(p->symbols, symbol);
				break;
			case POSITION_WORD:
				if (symbol < 0)
					wait = true;
				else
				{
					bool		before_word = symbol < b->classes->count &&
						symbol_in(set_symbols(c->b, b->classes->word_set), symbol);

					pass = (after_word != before_word) != p->negative;
				}
				break;
			case POSITION_BEHIND:
				if (symbol < 0 && b->groups[p->behind].waits)
					wait = true;
				else
					pass = ((c->hits >> p->behind) & 1) != p->negative;
				break;
			case POSITION_MATCH:
				c->hits |= (uint32) 1 << p->group;
				if (p->group == b->group_count - 1)
					matched = true;
				else if (symbol < 0 && b->groups[p->group].waits)
					wait = true;	/* keep it, to know when it is needed */
				break;
		}
		if (wait)
		{
			c->set[c->set_count++] = position;
			c->set_waiting = true;
		}
		if (pass)
			c->stack[depth++] = p->next;
	}
	return matched;
}

static inline void
new_mark(Construction *c)
{
	c->mark++;
	c->work++;
	c->set_count = 0;
	c->set_waiting = false;
	c->hits = 0;
}

static int
compare_items(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

static void
sort_items(int *items, int count)
{
	/* nearly always few and nearly sorted */
	if (count > 64)
	{
		bool		sorted = true;

		for (int i = 1; i < count && sorted; i++)
			sorted = items[i - 1] < items[i];
		if (!sorted)
			qsort(items, count, sizeof(int), compare_items);
		return;
	}
	for (int i = 1; i < count; i++)
	{
		int			item = items[i];
		int			j = i;

		for (; j > 0 && items[j - 1] > item; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

/*
 * The state whose positions are the closure of c->kernel and of the starts of
 * all groups.  -1 where a bound is exceeded.
 */
static int
find_state(Construction *c, bool at_start, bool after_word)
{
	const Builder *b = c->b;
	bool		alive = false;
	uint32		hits;
	uint32		hash;
	State	   *state;
	uint32		slot;

	new_mark(c);
	for (int group = 0; group < b->group_count; group++)
	{
		bool		is_pattern = (group == b->group_count - 1);
		int			before = c->set_count;

		for (int i = 0; i < c->kernel_count; i++)
		{
			if (b->positions[c->kernel[i]].group == group &&
				close_position(c, c->kernel[i], at_start, after_word, -1))
				return ACCEPT_STATE;
		}
		if ((at_start || b->groups[group].restarts) &&
			close_position(c, b->groups[group].start, at_start, after_word, -1))
			return ACCEPT_STATE;
		if (is_pattern)
			alive = c->set_count > before || b->groups[group].restarts;
	}
	if (!alive)
		return REJECT_STATE;

	sort_items(c->set, c->set_count);
	at_start &= c->set_waiting;
	after_word &= c->set_waiting;
	hits = c->set_waiting ? c->hits : 0;
	hash = c->set_count * 4 + at_start * 2 + after_word + hits * 0x85EBCA77;
	for (int i = 0; i < c->set_count; i++)
		hash = (hash ^ (uint32) c->set[i]) * 0x9E3779B1 + (hash >> 15);
	hash ^= hash >> 16;

	for (slot = hash & (c->slot_count - 1); c->slots[slot] != 0;
		 slot = (slot + 1) & (c->slot_count - 1))
	{
		state = &c->states[c->slots[slot]];
		if (state->hash == hash && state->item_count == c->set_count &&
			state->at_start == at_start && state->after_word == after_word &&
			state->hits == hits &&
			memcmp(c->items + state->first_item, c->set, c->set_count * sizeof(int)) == 0)
			return c->slots[slot];
	}

	if ((c->state_count + 1) * c->symbol_count > c->max_cells ||
		c->item_count + c->set_count > MAX_ITEMS)
		return -1;
	if (c->item_count + c->set_count > c->item_allocated)
	{
		c->item_allocated = Max(256, (c->item_count + c->set_count) * 2);
		c->items = repalloc(c->items, c->item_allocated * sizeof(int));
	}
	if (c->state_count == c->state_allocated)
	{
		c->state_allocated *= 2;
		c->states = repalloc(c->states, c->state_allocated * sizeof(State));
		c->cells = repalloc(c->cells,
							(Size) c->state_allocated * c->symbol_count * sizeof(int));
	}
	if (c->state_count * 2 > c->slot_count)
	{
		pfree(c->slots);
		c->slot_count *= 4;
		c->slots = palloc0(c->slot_count * sizeof(int));
		for (int i = FIRST_STATE; i < c->state_count; i++)
		{
			slot = c->states[i].hash & (c->slot_count - 1);
			while (c->slots[slot] != 0)
				slot = (slot + 1) & (c->slot_count - 1);
			c->slots[slot] = i;
		}
		slot = hash & (c->slot_count - 1);
		while (c->slots[slot] != 0)
			slot = (slot + 1) & (c->slot_count - 1);
	}
	c->slots[slot] = c->state_count;
	state = &c->states[c->state_count];
	state->first_item = c->item_count;
	state->item_count = c->set_count;
	state->hash = hash;
	state->waiting = c->set_waiting;
	state->at_start = at_start;
	state->after_word = after_word;
	state->hits = hits;
	memcpy(c->items + c->item_count, c->set, c->set_count * sizeof(int));
	c->item_count += c->set_count;
	return c->state_count++;
}

/* The state that a symbol leads to from a state; -1 beyond the bounds. */
static int
step(Construction *c, int from, int symbol)
{
	const Builder *b = c->b;
	const State *state = &c->states[from];
	int			end_symbol = c->symbol_count - 1;
	const int  *items = c->items + state->first_item;
	int			item_count = state->item_count;
	bool		after_word;

	if (state->waiting)
	{
		/* now that the symbol is known, close again in a set of its own */
		new_mark(c);
		c->hits = state->hits;
		for (int group = 0; group < b->group_count; group++)
		{
			for (int i = 0; i < item_count; i++)
			{
				if (b->positions[items[i]].group == group &&
					close_position(c, items[i], state->at_start, state->after_word, symbol))
					return ACCEPT_STATE;
			}
		}
		items = c->set;
		item_count = c->set_count;
	}
	if (symbol == end_symbol)
		return REJECT_STATE;

	c->kernel_count = 0;
	for (int i = 0; i < item_count; i++)
	{
		const Position *p = &b->positions[items[i]];

		if (p->kind == POSITION_SYMBOL && symbol_in(p->symbols, symbol))
			c->kernel[c->kernel_count++] = p->next;
	}
	c->work += item_count;
	after_word = b->classes->word_set >= 0 &&
		symbol_in(set_symbols(c->b, b->classes->word_set), symbol);
	return find_state(c, false, after_word);
}

/*
 * Can a group begin elsewhere than where the scan starts?  If in doubt, yes.
 */
static bool
group_restarts(Construction *c, int start)
{
	const Builder *b = c->b;
	int			depth = 0;

	c->mark++;
	c->stack[depth++] = start;
	while (depth > 0)
	{
		int			position = c->stack[--depth];
		const Position *p = &b->positions[position];

		if (c->marks[position] == c->mark)
			continue;
		c->marks[position] = c->mark;
		if (p->kind == POSITION_SYMBOL || p->kind == POSITION_MATCH)
			return true;
		if (p->kind == POSITION_SPLIT)
			c->stack[depth++] = p->other;
		if (p->kind != POSITION_START)
			c->stack[depth++] = p->next;
	}
	return false;
}

/* All states that the pattern has.  False where a bound is exceeded. */
static bool
determinize(Construction *c, Builder *b, int max_cells)
{
	memset(c, 0, sizeof(Construction));
	c->b = b;
	c->symbol_count = b->classes->count + 1;
	c->max_cells = max_cells;
	c->state_allocated = 32;
	c->states = palloc(c->state_allocated * sizeof(State));
	c->cells = palloc(c->state_allocated * c->symbol_count * sizeof(int));
	c->item_allocated = 256;
	c->items = palloc(c->item_allocated * sizeof(int));
	c->slot_count = 128;
	c->slots = palloc0(c->slot_count * sizeof(int));
	c->marks = palloc0(b->position_count * sizeof(uint32));
	c->stack = palloc((2 * b->position_count + 2) * sizeof(int));
	c->kernel = palloc((b->position_count + 1) * sizeof(int));
	c->set = palloc((b->position_count + 1) * sizeof(int));

	for (int group = 0; group < b->group_count; group++)
	{
		b->groups[group].restarts = group_restarts(c, b->groups[group].start);
		b->groups[group].waits = false;
	}
	for (int group = 0; group < b->group_count; group++)
	{
		for (int i = 0; i < b->position_count && !b->groups[group].waits; i++)
		{
			const Position *p = &b->positions[i];

			if (p->group == group &&
				(p->kind == POSITION_NEXT || p->kind == POSITION_WORD ||
				 (p->kind == POSITION_BEHIND && b->groups[p->behind].waits)))
				b->groups[group].waits = true;
		}
	}

	for (int symbol = 0; symbol < c->symbol_count; symbol++)
	{
		c->cells[REJECT_STATE * c->symbol_count + symbol] = REJECT_STATE;
		c->cells[ACCEPT_STATE * c->symbol_count + symbol] = ACCEPT_STATE;
	}
	c->state_count = FIRST_STATE;
	c->start = find_state(c, true, false);
	if (c->start < 0)
		return false;
	for (int state = FIRST_STATE; state < c->state_count; state++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int symbol = 0; symbol < c->symbol_count; symbol++)
		{
			int			to = step(c, state, symbol);

			if (to < 0 || c->work > MAX_WORK)
				return false;
			c->cells[state * c->symbol_count + symbol] = to;
		}
	}
	return true;
}

/* Marks the states from which `goal` can be reached. */
static bool *
states_reaching(const Construction *c, const int *first_edge, const int *edges,
				int goal)
{
	bool	   *reaching = palloc0(c->state_count * sizeof(bool));
	int		   *queue = palloc(c->state_count * sizeof(int));
	int			queued = 0;

	reaching[goal] = true;
	queue[queued++] = goal;
	for (int i = 0; i < queued; i++)
	{
		for (int e = first_edge[queue[i]]; e < first_edge[queue[i] + 1]; e++)
		{
			if (!reaching[edges[e]])
			{
				reaching[edges[e]] = true;
				queue[queued++] = edges[e];
			}
		}
	}
	pfree(queue);
	return reaching;
}

/*
 * States whose answer is known become REJECT_STATE or ACCEPT_STATE, so that a
 * scan ends there.
 */
static void
decide_states(Construction *c)
{
	int			cell_count = c->state_count * c->symbol_count;
	int		   *first_edge = palloc0((c->state_count + 2) * sizeof(int));
	int		   *edges = palloc(cell_count * sizeof(int));
	int		   *decided = palloc(c->state_count * sizeof(int));
	bool	   *may_accept;
	bool	   *may_reject;

	/* the edges backward, by counting */
	for (int i = 0; i < cell_count; i++)
		first_edge[c->cells[i] + 2]++;
	for (int state = 0; state < c->state_count; state++)
		first_edge[state + 1] += first_edge[state];
	for (int i = 0; i < cell_count; i++)
		edges[first_edge[c->cells[i] + 1]++] = i / c->symbol_count;

	may_accept = states_reaching(c, first_edge, edges, ACCEPT_STATE);
	may_reject = states_reaching(c, first_edge, edges, REJECT_STATE);
	for (int state = 0; state < c->state_count; state++)
		decided[state] = !may_accept[state] ? REJECT_STATE :
			!may_reject[state] ? ACCEPT_STATE : state;
	for (int i = 0; i < cell_count; i++)
		c->cells[i] = decided[c->cells[i]];
	c->start = decided[c->start];
	pfree(first_edge);
	pfree(edges);
	pfree(decided);
	pfree(may_accept);
	pfree(may_reject);
}

/*
 * Merges equivalent states by refining a partition until it is stable.  Where
 * that takes too long (long counted chains, which have little to merge), the
 * states stay as they are.
 */
static void
minimize(Construction *c)
{
	int			n = c->symbol_count;
	int		   *part = palloc(c->state_count * sizeof(int));
	int		   *new_part = palloc(c->state_count * sizeof(int));
	int		   *representative = palloc(c->state_count * sizeof(int));
	int			slot_count = 64;
	int		   *slots;
	int			part_count = 2;
	int64		visited = 0;

	while (slot_count < 2 * c->state_count)
		slot_count *= 2;
	slots = palloc(slot_count * sizeof(int));

	for (int state = 0; state < c->state_count; state++)
		part[state] = state < FIRST_STATE ? state : FIRST_STATE;
	for (;;)
	{
		int			count = FIRST_STATE;

		visited += (int64) c->state_count * n;
		if (visited > MAX_REFINEMENT)
			return;
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < slot_count; i++)
			slots[i] = -1;
		for (int state = 0; state < FIRST_STATE; state++)
		{
			new_part[state] = state;
			representative[state] = state;
		}
		for (int state = FIRST_STATE; state < c->state_count; state++)
		{
			const int  *row = c->cells + (Size) state * n;
			uint32		hash = part[state];
			uint32		slot;

			for (int symbol = 0; symbol < n; symbol++)
				hash = (hash ^ (uint32) part[row[symbol]]) * 0x9E3779B1 + (hash >> 15);
			for (slot = (hash ^ hash >> 16) & (slot_count - 1);;
				 slot = (slot + 1) & (slot_count - 1))
			{
				const int  *other;
				int			symbol;

				if (slots[slot] < 0)
				{
					slots[slot] = count;
					representative[count] = state;
					new_part[state] = count++;
					break;
				}
				other = c->cells + (Size) representative[slots[slot]] * n;
				if (part[representative[slots[slot]]] != part[state])
					continue;
				for (symbol = 0; symbol < n; symbol++)
				{
					if (part[other[symbol]] != part[row[symbol]])
						break;
				}
				if (symbol == n)
				{
					new_part[state] = slots[slot];
					break;
				}
			}
		}
		memcpy(part, new_part, c->state_count * sizeof(int));
		if (count == part_count)
			break;
		part_count = count;
	}

	/* one row for each part; a representative has no smaller number */
	for (int p = 0; p < part_count; p++)
	{
		for (int symbol = 0; symbol < n; symbol++)
			c->cells[(Size) p * n + symbol] =
				part[c->cells[(Size) representative[p] * n + symbol]];
	}
	c->start = part[c->start];
	c->state_count = part_count;
}

/* Gives each class the smallest class with the same column; their number. */
static int
merge_classes(const Construction *c, const int *order, int order_count, int *merged)
{
	int			class_count = c->symbol_count - 1;
	int			count = 0;
	int		   *first = palloc(class_count * sizeof(int));
	uint32	   *hashes = palloc0(class_count * sizeof(uint32));

	for (int i = 0; i < order_count; i++)
	{
		for (int class = 0; class < class_count; class++)
			hashes[class] = (hashes[class] ^
							 (uint32) c->cells[(Size) order[i] * c->symbol_count + class]) *
				0x9E3779B1 + (hashes[class] >> 15);
	}
	for (int class = 0; class < class_count; class++)
	{
		int			same;

		for (same = 0; same < count; same++)
		{
			int			i = 0;

			if (hashes[first[same]] != hashes[class])
				continue;
			for (; i < order_count; i++)
			{
				const int  *row = c->cells + (Size) order[i] * c->symbol_count;

				if (row[class] != row[first[same]])
					break;
			}
			if (i == order_count)
				break;
		}
		if (same == count)
			first[count++] = class;
		merged[class] = same;
	}
	pfree(first);
	pfree(hashes);
	return count;
}

/* Fills in the classes of all characters. */
static void
emit_classes(EvAutomaton *a, const Classes *classes, const int *merged,
			 int unchanging_column, MemoryContext result)
{
	int			segment = 0;
	int			last = merged[classes->segments[classes->segment_count - 1].class];
	uint32		limit = 0x80;
	int			block_count;
	int			stored = 0;
	uint16	   *blocks;
	uint8	   *block_classes;

	for (int code = 0; code < 0x80; code++)
	{
		while (segment + 1 < classes->segment_count &&
			   classes->segments[segment + 1].first <= (uint32) code)
			segment++;
		a->byte_class[code] = merged[classes->segments[segment].class];
	}
	a->last_class = last;

	/* from where on have all characters the last class? */
	for (int i = 0; i < classes->segment_count; i++)
	{
		uint32		end = i + 1 < classes->segment_count ?
			classes->segments[i + 1].first : EV_MAX_CODE + 1;

		/* no string has surrogates */
		if (classes->segments[i].first >= 0xD800 && end <= 0xE000)
			continue;
		if (merged[classes->segments[i].class] != last)
			limit = Max(limit, end);
	}
	a->bytewise = (limit <= 0x80);
	if (a->bytewise)
	{
		memset(a->byte_class + 0x80, unchanging_column, 0x40);
		memset(a->byte_class + 0xC0, last, 0x40);
		return;
	}

	block_count = (limit + 0xFF) >> 8;
	a->block_limit = (uint32) block_count << 8;
	blocks = MemoryContextAlloc(result, block_count * sizeof(uint16));
	block_classes = palloc(block_count * 256);
	segment = 0;
	for (int block = 0; block < block_count; block++)
	{
		uint8	   *bytes = block_classes + stored * 256;
		int			same;

		for (int i = 0; i < 256; i++)
		{
			while (segment + 1 < classes->segment_count &&
				   classes->segments[segment + 1].first <= (uint32) (block * 256 + i))
				segment++;
			bytes[i] = merged[classes->segments[segment].class];
		}
		for (same = 0; same < stored; same++)
		{
			if (memcmp(block_classes + same * 256, bytes, 256) == 0)
				break;
		}
		if (same == stored)
			stored++;
		blocks[block] = same;
	}
	a->blocks = blocks;
	a->block_classes = memcpy(MemoryContextAlloc(result, stored * 256),
							  block_classes, stored * 256);
	pfree(block_classes);
}

/* The finished automaton, in `result`. */
static EvAutomaton *
emit(const Construction *c, MemoryContext result)
{
	const Classes *classes = c->b->classes;
	int			n = c->symbol_count;
	EvAutomaton *a = MemoryContextAllocZero(result, sizeof(EvAutomaton));
	int		   *order = palloc(c->state_count * sizeof(int));
	int		   *row_of = palloc(c->state_count * sizeof(int));
	int		   *merged = palloc(n * sizeof(int));
	int			order_count = FIRST_STATE;
	int			class_count;
	uint32	   *table;

	/* the states that can be reached, in the order in which they are */
	for (int state = 0; state < c->state_count; state++)
		row_of[state] = state < FIRST_STATE ? state : -1;
	order[REJECT_STATE] = REJECT_STATE;
	order[ACCEPT_STATE] = ACCEPT_STATE;
	if (row_of[c->start] < 0)
	{
		row_of[c->start] = order_count;
		order[order_count++] = c->start;
	}
	for (int i = FIRST_STATE; i < order_count; i++)
	{
		for (int symbol = 0; symbol < n; symbol++)
		{
			int			to = c->cells[(Size) order[i] * n + symbol];

			if (row_of[to] < 0)
			{
				row_of[to] = order_count;
				order[order_count++] = to;
			}
		}
	}

	class_count = merge_classes(c, order, order_count, merged);
	a->backward = c->b->backward;
	emit_classes(a, classes, merged, class_count + 1, result);
	a->end_column = class_count;
	a->width = class_count + (a->bytewise ? 2 : 1);

	table = MemoryContextAlloc(result, (Size) order_count * a->width * sizeof(uint32));
	for (int i = 0; i < order_count; i++)
	{
		const int  *from = c->cells + (Size) order[i] * n;
		uint32	   *row = table + (Size) i * a->width;

		for (int class = 0; class < n - 1; class++)
			row[merged[class]] = row_of[from[class]] * a->width;
		row[a->end_column] = row_of[from[n - 1]] * a->width;
		if (a->bytewise)
			row[class_count + 1] = i * a->width;
	}
	a->table = table;
	a->state_count = order_count;
	a->start = row_of[c->start] * a->width;
	return a;
}

/* ---- from the tree to a pattern ---- */

static void
free_automaton(EvAutomaton *a)
{
	pfree(unconstify(uint32 *, a->table));
	if (a->blocks != NULL)
	{
		pfree(unconstify(uint16 *, a->blocks));
		pfree(unconstify(uint8 *, a->block_classes));
	}
	pfree(a);
}

/*
 * The automaton for a node of the tree in one direction; NULL where it cannot
 * be expressed, or is too large.
 */
static EvAutomaton *
make_automaton(const EvPatternTree *tree, const Classes *classes, const EvNode *node,
			   bool backward, int max_cells)
{
	MemoryContext result = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(result, "event_validate pattern",
											   ALLOCSET_DEFAULT_SIZES);
	EvAutomaton *automaton = NULL;
	Builder		b;
	Construction c;
	int			start;

	MemoryContextSwitchTo(work);
	memset(&b, 0, sizeof(Builder));
	b.tree = tree;
	b.classes = classes;
	b.backward = backward;
	b.current_group = UINT8_MAX;
	start = build(&b, node, add_position(&b, POSITION_MATCH, 0));
	if (!b.failed)
	{
		/* the pattern itself is the last group */
		for (int i = 0; i < b.position_count; i++)
		{
			if (b.positions[i].group == UINT8_MAX)
				b.positions[i].group = b.group_count;
		}
		b.groups[b.group_count++].start = start;

		if (determinize(&c, &b, max_cells))
		{
			decide_states(&c);
			minimize(&c);
			automaton = emit(&c, result);
		}
	}
	MemoryContextSwitchTo(result);
	MemoryContextDelete(work);
	return automaton;
}

static const EvNode *
without_groups(const EvNode *node)
{
	while (node->kind == EV_NODE_GROUP)
		node = node->child;
	return node;
}

/* Does every back-reference below a node refer to a group below it? */
static bool
is_self_contained(const EvNode *root, const EvNode *node)
{
	check_stack_depth();
	if (node->kind == EV_NODE_BACKREFERENCE &&
		ev_pattern_find_group(root, node->group) == NULL)
		return false;
	for (const EvNode *child = node->child; child != NULL; child = child->next)
	{
		if (!is_self_contained(root, child))
			return false;
	}
	return true;
}

/* ---- shapes ---- */

typedef struct ShapeBuilder
{
	const EvPatternTree *tree;
	Shape	   *shape;
	int			sets[MAX_SHAPE_SETS];	/* of the tree, by bit */
	int			set_count;
	bool		has_variable;
} ShapeBuilder;

/* The bit of a set; 0 where it cannot have one. */
static uint8
shape_set(ShapeBuilder *b, int set)
{
	const EvCodeSet *s = &b->tree->sets[set];
	int			bit;

	for (bit = 0; bit < b->set_count; bit++)
	{
		if (b->sets[bit] == set)
			return 1 << bit;
	}
	if (bit == MAX_SHAPE_SETS || s->count == 0 || s->ranges[s->count - 1].last > 0x7F)
		return 0;
	b->sets[b->set_count++] = set;
	for (int r = 0; r < s->count; r++)
	{
		for (uint32 code = s->ranges[r].first; code <= s->ranges[r].last; code++)
			b->shape->sets[code] |= 1 << bit;
	}
	return 1 << bit;
}

/* Adds a node to the shape; false where it has no place in one. */
static bool
add_to_shape(ShapeBuilder *b, const EvNode *node)
{
	Shape	   *shape = b->shape;
	uint8		bit;

	check_stack_depth();
	switch (node->kind)
	{
		case EV_NODE_EMPTY:
			return true;

		case EV_NODE_SET:
			bit = shape_set(b, node->set);
			if (bit == 0 || shape->prefix + shape->suffix == MAX_SHAPE)
				return false;
			shape->required[shape->prefix + shape->suffix] = bit;
			if (b->has_variable)
				shape->suffix++;
			else
				shape->prefix++;
			return true;

		case EV_NODE_SEQUENCE:
			for (const EvNode *child = node->child; child != NULL; child = child->next)
			{
				if (!add_to_shape(b, child))
					return false;
			}
			return true;

		case EV_NODE_GROUP:
			return add_to_shape(b, node->child);

		case EV_NODE_REPEAT:
			if (node->min == node->max)
			{
				if (node->child->zero_width)
					return false;
				for (int i = 0; i < node->min; i++)
				{
					if (!add_to_shape(b, node->child))
						return false;
				}
				return true;
			}
			if (b->has_variable || without_groups(node->child)->kind != EV_NODE_SET)
				return false;
			b->has_variable = true;
			shape->min = node->min;
			shape->max = node->max == EV_UNBOUNDED ? PG_INT32_MAX : node->max;
			shape->variable = shape_set(b, without_groups(node->child)->set);
			return shape->variable != 0;

		default:
			return false;
	}
}

/* The shape that the pattern is, or NULL. */
static Shape *
make_shape(const EvPatternTree *tree)
{
	const EvNode *sequence = without_groups(tree->root);
	const EvNode *term;
	ShapeBuilder b = {0};
	bool		fits = true;

	if (sequence->kind != EV_NODE_SEQUENCE || sequence->child->kind != EV_NODE_START)
		return NULL;
	b.tree = tree;
	b.shape = palloc0(sizeof(Shape));
	for (term = sequence->child->next; fits && term->next != NULL; term = term->next)
		fits = add_to_shape(&b, term);
	if (fits && term->kind == EV_NODE_END)
		return b.shape;
	pfree(b.shape);
	return NULL;
}

/* ---- all of it ---- */

static EvPattern *
make_part(EvAutomaton *automaton, EvRegex *regex)
{
	EvPattern  *part = palloc0(sizeof(EvPattern));

	part->automaton = automaton;
	part->regex = regex;
	return part;
}

/*
 * "^", then groups that look ahead, then the rest: matches where the rest
 * does and each of the groups agrees, all of them anchored at the start of the
 * string.  NULL where the pattern is not of that form, or there is a part
 * that can't be made; of its own error only the caller's fallback tells.
 */
static EvPattern *
make_conjunction(const EvPatternTree *tree, const Classes *classes,
				 bool allow_regex, EvPatternError *error)
{
	const EvNode *sequence = without_groups(tree->root);
	EvPattern  *parts = NULL;
	EvPattern  *part;
	int			part_count = 0;
	bool		is_look = true;

	if (sequence->kind != EV_NODE_SEQUENCE ||
		without_groups(sequence->child)->kind != EV_NODE_START)
		return NULL;
	for (const EvNode *term = sequence->child->next; term != NULL && is_look; term = term->next)
	{
		EvAutomaton *automaton = NULL;
		EvRegex    *regex = NULL;
		EvNode		anchor = *without_groups(sequence->child);
		EvNode		anchored = *sequence;
		EvNode		looked_for;

		is_look = (term->kind == EV_NODE_LOOK && term->ahead);
		if (!is_look && parts == NULL)
			return NULL;

		/* "^" and what is looked for, or "^" and all that is left */
		anchored.next = NULL;
		anchored.child = &anchor;
		anchor.next = unconstify(EvNode *, term);
		if (is_look)
		{
			looked_for = *term->child;
			looked_for.next = NULL;
			anchor.next = &looked_for;
		}

		if (classes != NULL)
		{
			automaton = make_automaton(tree, classes, &anchored, false, MAX_CELLS);
			if (automaton == NULL)
				automaton = make_automaton(tree, classes, &anchored, true, MAX_CELLS);
		}
		if (automaton == NULL && allow_regex && is_self_contained(&anchored, &anchored))
			regex = ev_regex_compile(tree, &anchored, error);
		if ((automaton == NULL && regex == NULL) || ++part_count > MAX_PARTS)
		{
			/* regexes are the context's, which frees them */
			while ((part = parts) != NULL)
			{
				parts = part->next;
				if (part->automaton != NULL)
					free_automaton(part->automaton);
				pfree(part);
			}
			if (automaton != NULL)
				free_automaton(automaton);
			return NULL;
		}
		part = make_part(automaton, regex);
		part->negated = is_look && term->negative;
		part->next = parts;
		parts = part;
	}
	return parts;
}

static EvPattern *
lower(const EvPatternTree *tree, const Classes *classes, EvPatternError *error)
{
	EvAutomaton *automaton = NULL;
	EvPattern  *parts = NULL;
	EvRegex    *regex;
	Shape	   *shape = make_shape(tree);

	if (shape != NULL)
	{
		parts = make_part(NULL, NULL);
		parts->shape = shape;
		return parts;
	}

	/*
	 * Forward first: it ends early where an anchored pattern fails.  One
	 * small automaton is better than several; several are better than a large
	 * one.
	 */
	if (classes != NULL)
	{
		automaton = make_automaton(tree, classes, tree->root, false, MAX_CELLS);
		if (automaton == NULL && tree->has_look)
		{
			automaton = make_automaton(tree, classes, tree->root, true, SMALL_CELLS);
			if (automaton == NULL)
				parts = make_conjunction(tree, classes, false, error);
		}
		if (automaton == NULL && parts == NULL)
			automaton = make_automaton(tree, classes, tree->root, true, MAX_CELLS);
		if (automaton != NULL)
			return make_part(automaton, NULL);
	}
	if (parts == NULL && tree->has_look)
		parts = make_conjunction(tree, classes, true, error);
	if (parts != NULL)
		return parts;

	regex = ev_regex_compile(tree, tree->root, error);
	return regex == NULL ? NULL : make_part(NULL, regex);
}

EvPattern *
ev_pattern_compile(const char *pattern, int length, EvPatternError *error)
{
	MemoryContext result = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(result, "event_validate pattern",
											   ALLOCSET_DEFAULT_SIZES);
	EvPatternTree tree;
	Classes		classes;
	EvPattern  *compiled = NULL;

	memset(error, 0, sizeof(EvPatternError));
	MemoryContextSwitchTo(work);
	if (ev_pattern_parse(pattern, length, true, &tree, error))
	{
		bool		has_classes = tree.reference_count == 0 && make_classes(&tree, &classes);

		MemoryContextSwitchTo(result);
		compiled = lower(&tree, has_classes ? &classes : NULL, error);
	}
	MemoryContextSwitchTo(result);
	if (compiled == NULL)
		error->message = pstrdup(error->message);
	MemoryContextDelete(work);
	return compiled;
}

bool
ev_pattern_is_linear(const EvPattern *pattern)
{
	for (; pattern != NULL; pattern = pattern->next)
		if (pattern->shape == NULL && pattern->automaton == NULL)
			return false;
	return true;
}

const char *
ev_pattern_kind(const EvPattern *pattern)
{
	StringInfoData kind;

	initStringInfo(&kind);
	for (; pattern != NULL; pattern = pattern->next)
	{
		const EvAutomaton *a = pattern->automaton;

		appendStringInfoString(&kind, kind.len > 0 ? "; " : "");
		appendStringInfoString(&kind, pattern->negated ? "not " : "");
		if (pattern->shape != NULL)
			appendStringInfo(&kind, "shape of %d to %d bytes",
							 pattern->shape->prefix + pattern->shape->suffix + pattern->shape->min,
							 pattern->shape->max == PG_INT32_MAX ? PG_INT32_MAX :
							 pattern->shape->prefix + pattern->shape->suffix + pattern->shape->max);
		else if (a == NULL)
			appendStringInfoString(&kind, "regular expression engine");
		else
			appendStringInfo(&kind, "automaton, %d states of %d columns, %s",
							 a->state_count, a->width,
							 a->backward ? "backward" : "forward");
	}
	return kind.data;
}
