/*
 * pattern_language.c
 *	  Questions about all strings that patterns match.
 *
 * The automata of several patterns are run together, by a breadth-first search
 * over the tuples of their states.  Their characters are divided into those
 * that no pattern distinguishes.  If lengths matter, a state includes the
 * number of characters so far, up to the largest one that makes a difference.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "pattern/pattern_automaton.h"
#include "pattern/pattern_language.h"

#define MOST_CELLS		(128 * 1024)	/* of one automaton's table */
#define MOST_SYMBOLS	512		/* that are distinguished together */
#define MOST_NODES		40000	/* of one search */

struct EvLanguage
{
	EvStates	states;
	EvClasses  *classes;
	bool		backward;
};

/* ---------- making ---------- */

EvLanguage *
ev_language_make(const char *pattern, int length, bool backward, int64 *work)
{
	static const EvPatternBudget whole = EV_PATTERN_BUDGET;
	EvPatternBudget budget = whole;
	EvPatternError error = {0};
	MemoryContext result = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(result, "event_validate language", ALLOCSET_DEFAULT_SIZES);
	EvPatternTree tree;
	EvPositions positions;
	EvStates	states;
	EvClasses  *classes = NULL;
	EvLanguage *language = NULL;

	MemoryContextSwitchTo(scratch);
	if (ev_pattern_parse(pattern, length, true, &tree, &error) && tree.reference_count == 0)
		classes = ev_classes_make(&tree);
	if (classes != NULL && ev_positions_build(&positions, classes, tree.root, backward) &&
		ev_states_make(&states, &positions, MOST_CELLS, &budget))
	{
		Size		cells = (Size) states.state_count * states.symbol_count * sizeof(int);

		language = MemoryContextAllocZero(result, sizeof(EvLanguage));
		language->backward = backward;
		language->states = states;
		language->states.cells = memcpy(MemoryContextAlloc(result, cells), states.cells, cells);
		language->classes = MemoryContextAllocZero(result, sizeof(EvClasses));
		language->classes->segment_count = classes->segment_count;
		language->classes->segments = memcpy(MemoryContextAlloc(result, classes->segment_count * sizeof(EvClassSegment)),
											 classes->segments, classes->segment_count * sizeof(EvClassSegment));
	}
	MemoryContextSwitchTo(result);
	MemoryContextDelete(scratch);
	*work += whole.work - budget.work;
	return language;
}

/* ---------- characters ---------- */

/* A character that stands for all those that no language distinguishes from it. */
typedef struct Symbol
{
	uint32		code;
	int			classes[EV_LANGUAGE_MAX_PATTERNS];
} Symbol;

typedef struct Tuple
{
	int			states[EV_LANGUAGE_MAX_PATTERNS];
	uint32		length;			/* of the string so far, up to the cap */
	int			parent;			/* -1: the start */
	uint32		code;			/* the last character */
} Tuple;

typedef struct Search
{
	const EvLanguage *const *languages;
	const bool *wanted;
	int			count;
	uint32		cap;			/* longer strings do not differ */
	int64	   *work;
	Symbol	   *symbols;
	int			symbol_count;
	Tuple	   *nodes;
	int			node_count;
	int			node_allocated;
	int		   *slots;			/* hash table of node numbers, -1: free */
	uint32		slot_count;
} Search;

/* Is a code point better in an example?  Letters and digits are best. */
static int
readability(uint32 code)
{
	if ((code >= 'a' && code <= 'z') || (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z'))
		return 3;
	if (code > ' ' && code < 0x7F)
		return 2;
	return code == ' ' ? 1 : 0;
}

/* Adds the characters from a code on that have these classes. */
static bool
add_symbol(Search *s, const int *classes, uint32 code)
{
	for (int i = 0; i < s->symbol_count; i++)
		if (memcmp(s->symbols[i].classes, classes, s->count * sizeof(int)) == 0)
		{
			if (readability(code) > readability(s->symbols[i].code))
				s->symbols[i].code = code;
			*s->work -= i / 4;
			return true;
		}
	if (s->symbol_count >= MOST_SYMBOLS)
		return false;
	s->symbols[s->symbol_count].code = code;
	memcpy(s->symbols[s->symbol_count++].classes, classes, s->count * sizeof(int));
	return true;
}

/*
 * Divides all characters.  Returns false if too many are distinguished.
 */
static bool
find_symbols(Search *s)
{
	int			at[EV_LANGUAGE_MAX_PATTERNS] = {0};
	int			classes[EV_LANGUAGE_MAX_PATTERNS] = {0};
	uint32		code = 1;

	s->symbols = palloc(MOST_SYMBOLS * sizeof(Symbol));
	while (code <= EV_MAX_CODE)
	{
		uint32		next = EV_MAX_CODE + 1;
		uint32		best = code;

		for (int i = 0; i < s->count; i++)
		{
			const EvClasses *c = s->languages[i]->classes;

			while (at[i] + 1 < c->segment_count && c->segments[at[i] + 1].first <= code)
				at[i]++;
			classes[i] = c->segments[at[i]].class;
			if (at[i] + 1 < c->segment_count)
				next = Min(next, c->segments[at[i] + 1].first);
		}
		*s->work -= 5 * s->count;

		/* no string has surrogates */
		if (code < 0xD800 && next > 0xD800)
			next = 0xD800;
		if (code >= 0xD800 && code < 0xE000)
		{
			code = Min(next, 0xE000);
			continue;
		}

		/* the most readable one of this range */
		for (uint32 other = code; other < next && other < 0x80; other++)
			if (readability(other) > readability(best))
				best = other;
		if (!add_symbol(s, classes, best))
			return false;
		code = next;
	}
	return true;
}

/* ---------- the search ---------- */

static int
next_state(const EvStates *states, int state, int symbol)
{
	return state < EV_FIRST_STATE ? state : states->cells[(Size) state * states->symbol_count + symbol];
}

/* Is the string of a node one that is searched? */
static bool
is_found(const Search *s, const Tuple *node, uint32 min_length, uint32 max_length)
{
	if (node->length < min_length || node->length > max_length)
		return false;
	for (int i = 0; i < s->count; i++)
	{
		const EvStates *states = &s->languages[i]->states;
		bool		matches = next_state(states, node->states[i], states->symbol_count - 1) == EV_ACCEPT_STATE;

		if (matches != s->wanted[i])
			return false;
	}
	return true;
}

/* Can no continuation of a node be searched, since an answer is final? */
static bool
is_dead(const Search *s, const Tuple *node)
{
	for (int i = 0; i < s->count; i++)
		if (node->states[i] == (s->wanted[i] ? EV_REJECT_STATE : EV_ACCEPT_STATE))
			return true;
	return false;
}

/* Adds a node, unless it is known.  Returns false if there are too many. */
static bool
add_node(Search *s, const Tuple *node)
{
	uint32		hash = hash_bytes((const unsigned char *) node->states, s->count * sizeof(int)) + node->length * 31;
	uint32		slot;

	for (slot = hash % s->slot_count; s->slots[slot] >= 0; slot = (slot + 1) % s->slot_count)
	{
		const Tuple *known = &s->nodes[s->slots[slot]];

		if (known->length == node->length && memcmp(known->states, node->states, s->count * sizeof(int)) == 0)
			return true;
	}
	if (s->node_count >= MOST_NODES)
		return false;
	if (s->node_count >= s->node_allocated)
	{
		s->node_allocated *= 2;
		s->nodes = repalloc(s->nodes, s->node_allocated * sizeof(Tuple));
	}
	s->slots[slot] = s->node_count;
	s->nodes[s->node_count++] = *node;
	return true;
}

/* Writes the string of a node. */
static void
write_string(const Search *s, int node, char **string, int *length)
{
	int			count = 0;
	uint32	   *codes;
	unsigned char *end;

	for (int i = node; s->nodes[i].parent >= 0; i = s->nodes[i].parent)
		count++;
	codes = palloc((count + 1) * sizeof(uint32));

	/* the last node has the last character that was read */
	for (int i = node, at = s->languages[0]->backward ? 0 : count - 1; s->nodes[i].parent >= 0; i = s->nodes[i].parent)
	{
		codes[at] = s->nodes[i].code;
		at += s->languages[0]->backward ? 1 : -1;
	}
	*string = palloc(count * 4 + 1);
	end = (unsigned char *) *string;
	for (int i = 0; i < count; i++)
	{
		unicode_to_utf8(codes[i], end);
		end += codes[i] < 0x80 ? 1 : codes[i] < 0x800 ? 2 : codes[i] < 0x10000 ? 3 : 4;
	}
	*length = (char *) end - *string;
	pfree(codes);
}

/* Returns the number of the node that is searched; -1: none; -2: unknown. */
static int
run(Search *s, uint32 min_length, uint32 max_length)
{
	Tuple		start = {.parent = -1};

	for (int i = 0; i < s->count; i++)
		start.states[i] = s->languages[i]->states.start;
	add_node(s, &start);
	for (int i = 0; i < s->node_count; i++)
	{
		if (is_found(s, &s->nodes[i], min_length, max_length))
			return i;
		CHECK_FOR_INTERRUPTS();
		*s->work -= 10 + s->symbol_count * (3 + s->count);
		if (*s->work < 0)
			return -2;
		if (s->nodes[i].length >= max_length || is_dead(s, &s->nodes[i]))
			continue;
		for (int symbol = 0; symbol < s->symbol_count; symbol++)
		{
			Tuple		node = {.parent = i, .code = s->symbols[symbol].code};

			node.length = Min(s->nodes[i].length + 1, s->cap);
			for (int k = 0; k < s->count; k++)
				node.states[k] = next_state(&s->languages[k]->states, s->nodes[i].states[k],
											s->symbols[symbol].classes[k]);
			if (!is_dead(s, &node) && !add_node(s, &node))
				return -2;
		}
	}
	return -1;
}

EvLanguageAnswer
ev_language_find(const EvLanguage *const *languages, const bool *wanted, int count,
				 uint32 min_length, uint32 max_length, int64 *work, char **string, int *length)
{
	Search		s = {.languages = languages, .wanted = wanted, .count = count, .work = work};
	MemoryContext result = CurrentMemoryContext;
	MemoryContext scratch;
	EvLanguageAnswer answer = EV_LANGUAGE_UNKNOWN;
	int			found = -2;

	Assert(count <= EV_LANGUAGE_MAX_PATTERNS);
	if (min_length > max_length)
		return EV_LANGUAGE_NONE;
	scratch = AllocSetContextCreate(result, "event_validate language search", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scratch);

	/* lengths beyond the cap do not differ */
	s.cap = max_length == EV_LANGUAGE_ANY_LENGTH ? min_length : max_length;
	s.node_allocated = 64;
	s.nodes = palloc(s.node_allocated * sizeof(Tuple));
	s.slot_count = 2 * MOST_NODES;
	s.slots = palloc(s.slot_count * sizeof(int));
	memset(s.slots, -1, s.slot_count * sizeof(int));
	*work -= s.slot_count / 64;
	if (find_symbols(&s))
		found = run(&s, min_length, max_length);
	MemoryContextSwitchTo(result);
	if (found >= 0)
	{
		answer = EV_LANGUAGE_FOUND;
		if (string != NULL)
			write_string(&s, found, string, length);
	}
	else if (found == -1)
		answer = EV_LANGUAGE_NONE;
	MemoryContextDelete(scratch);
	return answer;
}
