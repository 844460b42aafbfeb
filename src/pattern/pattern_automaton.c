/*
 * pattern_automaton.c
 *	  Patterns as table-driven automata.
 *
 * A pattern without back-references is lowered to a DFA over classes of
 * characters (pattern_classes.c, pattern_nfa.c, pattern_dfa.c).  A string is
 * scanned once, forward or backward.  Each character costs one look-up of its
 * class and one of the next state, and the scan ends as soon as the answer is
 * known.
 *
 * Assertions are exact.  In the direction of the scan:
 *
 * - Everything before the current position is known.  A lookbehind has NFA
 *   states of its own, which start anew at each position and are part of the
 *   same set.  Whether it has just matched is known, so it can be negated.
 * - Of what comes after, the automaton can wait only for the next character, or
 *   for the end: "$", \b, and lookaheads of one character.  The states behind
 *   such a condition are entered when the character is read.
 *
 * So a forward scan can run any lookbehind, and a backward scan any lookahead,
 * at any depth, negated or not.  The choice of direction also helps against
 * size: (a|b)*a(a|b){40}$ is huge forward and small backward.
 *
 * The states, the table, the memory and the work to build it are bounded.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "pattern/pattern_automaton.h"

static int
merge_classes(const EvStates *s, const int *order, int order_count, int *merged)
{
	int			class_count = s->symbol_count - 1;
	int			count = 0;
	int		   *first = palloc(class_count * sizeof(int));
	uint32	   *hashes = palloc0(class_count * sizeof(uint32));

	for (int i = 0; i < order_count; i++)
	{
		for (int class = 0; class < class_count; class++)
			hashes[class] = (hashes[class] ^
							 (uint32) s->cells[(Size) order[i] * s->symbol_count + class]) *
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
				const int  *row = s->cells + (Size) order[i] * s->symbol_count;

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

/*
 * Returns the class of a code point; code points must come in ascending order.
 * `segment` keeps the position between calls and starts at 0.
 */
static inline int
next_class(const EvClasses *classes, int *segment, uint32 code)
{
	while (*segment + 1 < classes->segment_count &&
		   classes->segments[*segment + 1].first <= code)
		(*segment)++;
	return classes->segments[*segment].class;
}

/*
 * Returns the code point beyond ASCII from which on all characters have the
 * class `last`.
 */
static uint32
find_limit(const EvClasses *classes, const int *merged, int last)
{
	uint32		limit = 0x80;

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
	return limit;
}

/*
 * Writes the classes of characters beyond ASCII in blocks; equal blocks are
 * stored once.
 */
static void
emit_blocks(EvAutomaton *a, const EvClasses *classes, const int *merged, uint32 limit,
			MemoryContext result)
{
	int			block_count = (limit + 0xFF) >> 8;
	uint16	   *blocks = MemoryContextAlloc(result, block_count * sizeof(uint16));
	uint8	   *block_classes = palloc(block_count * 256);
	int			stored = 0;
	int			segment = 0;

	for (int block = 0; block < block_count; block++)
	{
		uint8	   *bytes = block_classes + stored * 256;
		int			same;

		for (int code = block * 256; code < (block + 1) * 256;)
		{
			int			class = merged[next_class(classes, &segment, code)];
			int			end = (block + 1) * 256;

			if (segment + 1 < classes->segment_count)
				end = Min(end, (int) classes->segments[segment + 1].first);
			memset(bytes + (code & 0xFF), class, end - code);
			code = end;
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
	a->block_limit = (uint32) block_count << 8;
	a->blocks = blocks;
	a->block_classes = memcpy(MemoryContextAlloc(result, stored * 256),
							  block_classes, stored * 256);
	pfree(block_classes);
}

/* Writes the classes of all characters. */
static void
emit_classes(EvAutomaton *a, const EvClasses *classes, const int *merged,
			 int unchanging_column, MemoryContext result)
{
	int			segment = 0;
	int			last = merged[classes->segments[classes->segment_count - 1].class];
	uint32		limit = find_limit(classes, merged, last);

	for (int code = 0; code < 0x80; code++)
		a->byte_class[code] = merged[next_class(classes, &segment, code)];
	a->last_class = last;
	a->bytewise = (limit <= 0x80);
	if (a->bytewise)
	{
		memset(a->byte_class + 0x80, unchanging_column, 0x40);
		memset(a->byte_class + 0xC0, last, 0x40);
	}
	else
		emit_blocks(a, classes, merged, limit, result);
}

/*
 * Puts the reachable states into `order`, in ascending order, and their rows
 * into `row_of`.  Returns the number of rows.
 */
static int
order_states(const EvStates *s, int *order, int *row_of)
{
	int			order_count = EV_FIRST_STATE;

	for (int state = 0; state < s->state_count; state++)
		row_of[state] = state < EV_FIRST_STATE ? state : -1;
	order[EV_REJECT_STATE] = EV_REJECT_STATE;
	order[EV_ACCEPT_STATE] = EV_ACCEPT_STATE;
	if (row_of[s->start] < 0)
	{
		row_of[s->start] = order_count;
		order[order_count++] = s->start;
	}
	for (int i = EV_FIRST_STATE; i < order_count; i++)
	{
		for (int symbol = 0; symbol < s->symbol_count; symbol++)
		{
			int			to = s->cells[(Size) order[i] * s->symbol_count + symbol];

			if (row_of[to] < 0)
			{
				row_of[to] = order_count;
				order[order_count++] = to;
			}
		}
	}
	return order_count;
}

/* Makes the finished automaton, in the context `result`. */
static EvAutomaton *
emit(const EvStates *s, const EvClasses *classes, bool backward, MemoryContext result)
{
	int			n = s->symbol_count;
	EvAutomaton *a = MemoryContextAllocZero(result, sizeof(EvAutomaton));
	int		   *order = palloc(s->state_count * sizeof(int));
	int		   *row_of = palloc(s->state_count * sizeof(int));
	int		   *merged = palloc(n * sizeof(int));
	int			order_count = order_states(s, order, row_of);
	int			class_count = merge_classes(s, order, order_count, merged);
	uint32	   *table;

	a->backward = backward;
	emit_classes(a, classes, merged, class_count + 1, result);
	a->end_column = class_count;
	a->width = class_count + (a->bytewise ? 2 : 1);

	table = MemoryContextAlloc(result, (Size) order_count * a->width * sizeof(uint32));
	for (int i = 0; i < order_count; i++)
	{
		const int  *from = s->cells + (Size) order[i] * n;
		uint32	   *row = table + (Size) i * a->width;

		for (int class = 0; class < n - 1; class++)
			row[merged[class]] = row_of[from[class]] * a->width;
		row[a->end_column] = row_of[from[n - 1]] * a->width;
		if (a->bytewise)
			row[class_count + 1] = i * a->width;
	}
	a->table = table;
	a->state_count = order_count;
	a->start = row_of[s->start] * a->width;
	return a;
}

EvAutomaton *
ev_automaton_make(const EvClasses *classes, const EvNode *node, bool backward, int max_cells,
				  EvPatternBudget *budget)
{
	static const EvPatternBudget whole = EV_PATTERN_BUDGET;
	MemoryContext result = CurrentMemoryContext;
	MemoryContext work;
	EvAutomaton *automaton = NULL;
	EvPositions positions;
	EvStates	states;

	/* half of the memory is kept for patterns that need no table */
	if (budget->work <= 0 || budget->bytes <= whole.bytes / 2)
		return NULL;
	work = AllocSetContextCreate(result, "event_validate pattern", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(work);
	if (ev_positions_build(&positions, classes, node, backward))
	{
		budget->work -= positions.position_count;
		if (ev_states_make(&states, &positions, max_cells, budget))
			automaton = emit(&states, classes, backward, result);
	}
	MemoryContextSwitchTo(result);
	MemoryContextDelete(work);
	if (automaton != NULL)
		budget->bytes -= automaton->state_count * automaton->width * sizeof(uint32);
	return automaton;
}

void
ev_automaton_free(EvAutomaton *a)
{
	pfree(unconstify(uint32 *, a->table));
	if (a->blocks != NULL)
	{
		pfree(unconstify(uint16 *, a->blocks));
		pfree(unconstify(uint8 *, a->block_classes));
	}
	pfree(a);
}

char *
ev_automaton_kind(const EvAutomaton *a)
{
	return psprintf("automaton, %d states of %d columns, %s", a->state_count, a->width,
					a->backward ? "backward" : "forward");
}
