/*
 * pattern_looks.c
 *	  Patterns with look-arounds that one automaton cannot follow: those that look
 *	  both ways, and those with very many look-arounds.
 *
 * Before the string is searched for the pattern, it is scanned once for each look-around,
 * the innermost first: from the end for a lookahead, from the start for a lookbehind.
 * The scan notes in a bitmap at which places of the string the look-around's child matches, and the
 * scans after it read the bitmap.  So a string takes time linear in its length, at
 * worst multiplied by the number of positions, however deep look-arounds are nested.
 * An engine that tries them at each place takes time n^d for d levels.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "pattern/pattern_automaton.h"

#define MAX_POSITIONS		2048	/* of a pattern and its look-arounds;
									 * larger ones are left to the regex
									 * engine */
#define MAX_BITMAPS			(256 * 1024 * 1024) /* bytes, for one string */
#define INTERRUPT_WORK		100000	/* positions visited, or characters read */

/* A look-around, or the pattern itself. */
typedef struct LookPositions
{
	bool		ahead;			/* false for the pattern */
	EvPositions positions;
} LookPositions;

struct EvLooks
{
	const EvClasses *classes;
	uint8		byte_class[0x80];
	int			position_count; /* the most of one look */
	int			total;			/* of all */
	int			look_count;
	LookPositions *looks;		/* a look-around is after those inside it; the
								 * last is the pattern */
};

/* ---------- making ---------- */

/* Counts the look-arounds below a node. */
static int
count_looks(const EvNode *node)
{
	int			count = node->kind == EV_NODE_LOOK;

	check_stack_depth();
	for (const EvNode *child = node->child; child != NULL; child = child->next)
		count += count_looks(child);
	return count;
}

/* Builds the positions of a node.  Returns false if they are too many. */
static bool
add_look(EvLooks *looks, const EvNode *node, bool ahead, const int *numbers)
{
	LookPositions *look = &looks->looks[looks->look_count++];

	look->ahead = ahead;
	if (!ev_positions_build_looks(&look->positions, looks->classes, node, ahead, numbers))
		return false;
	looks->position_count = Max(looks->position_count, look->positions.position_count);
	looks->total += look->positions.position_count;
	return looks->total <= MAX_POSITIONS;
}

/* Adds the look-arounds below a node, the innermost first. */
static bool
add_looks(EvLooks *looks, const EvNode *node, int *numbers)
{
	check_stack_depth();
	for (const EvNode *child = node->child; child != NULL; child = child->next)
		if (!add_looks(looks, child, numbers))
			return false;
	if (node->kind != EV_NODE_LOOK)
		return true;
	numbers[node->first] = looks->look_count;
	return add_look(looks, node->child, node->ahead, numbers);
}

EvLooks *
ev_looks_make(const char *pattern, int length, EvPatternBudget *budget)
{
	MemoryContext result = CurrentMemoryContext;
	MemoryContext kept = AllocSetContextCreate(result, "event_validate pattern", ALLOCSET_SMALL_SIZES);
	EvPatternTree tree;
	EvPatternError error;
	EvLooks    *looks = palloc0(sizeof(EvLooks));
	bool		made = false;

	MemoryContextSwitchTo(kept);
	if (ev_pattern_parse(pattern, length, true, &tree, &error) && tree.reference_count == 0)
		looks->classes = ev_classes_make(&tree);
	if (looks->classes != NULL)
	{
		int		   *numbers = palloc0((tree.root->last + 1) * sizeof(int));

		looks->looks = palloc0((count_looks(tree.root) + 1) * sizeof(LookPositions));
		made = add_looks(looks, tree.root, numbers) && add_look(looks, tree.root, false, numbers);
		pfree(numbers);
	}
	MemoryContextSwitchTo(result);
	if (!made || !ev_budget_takes(budget, MemoryContextMemAllocated(kept, false)))
	{
		MemoryContextDelete(kept);
		pfree(looks);
		return NULL;
	}
	for (int code = 0; code < 0x80; code++)
		looks->byte_class[code] = ev_class_of(looks->classes, code);
	return looks;
}

char *
ev_looks_kind(const EvLooks *looks)
{
	return psprintf("%d positions, with %d look-arounds", looks->total, looks->look_count - 1);
}

/* ---------- running ---------- */

typedef struct LookScan
{
	const EvLooks *looks;
	const uint8 *classes;		/* of the string's characters */
	Size		length;			/* in characters */
	uint8	  **bitmaps;		/* for each look that was scanned, the places
								 * where it matches: length + 1 bits */
	const EvPositions *positions;	/* of the look that is scanned */
	int		   *stack;
	uint32	   *marks;			/* for each position, the last mark */
	uint32		mark;
	int		   *list;			/* positions that read the next character */
	int			list_count;
	int		   *next_list;
	int			work;
} LookScan;

static inline bool
is_word(const LookScan *s, Size at)
{
	const EvClasses *classes = s->looks->classes;

	return at < s->length && ev_symbol_in(ev_set_symbols(classes, classes->word_set), s->classes[at]);
}

/* Does the look-around of a position hold at a place? */
static inline bool
holds(const LookScan *s, const EvPosition *p, Size place)
{
	return (((s->bitmaps[p->other][place / 8] >> (place % 8)) & 1) != 0) != p->negative;
}

/*
 * Adds the positions that can be reached from one without reading, at a place of the
 * string.  Returns true if the look matches there.
 */
static bool
reach(LookScan *s, int position, Size place)
{
	const EvPositions *b = s->positions;
	Size		first = b->backward ? s->length : 0;
	Size		last = s->length - first;
	bool		matched = false;
	int			depth = 0;

	s->stack[depth++] = position;
	while (depth > 0)
	{
		const EvPosition *p;
		bool		pass = false;

		position = s->stack[--depth];
		if (s->marks[position] == s->mark)
			continue;
		s->marks[position] = s->mark;
		s->work++;
		p = &b->positions[position];
		switch ((EvPositionKind) p->kind)
		{
			case EV_POSITION_SYMBOL:
				s->list[s->list_count++] = position;
				break;
			case EV_POSITION_SPLIT:
				s->stack[depth++] = p->other;
				pass = true;
				break;
			case EV_POSITION_START:
				pass = place == first;
				break;
			case EV_POSITION_NEXT:
				pass = ev_symbol_in(p->symbols, place == last ? b->classes->count :
									s->classes[b->backward ? place - 1 : place]);
				break;
			case EV_POSITION_WORD:
				pass = ((place > 0 && is_word(s, place - 1)) != is_word(s, place)) != p->negative;
				break;
			case EV_POSITION_LOOK:
				pass = holds(s, p, place);
				break;
			case EV_POSITION_MATCH:
				matched = true;
				break;
			case EV_POSITION_BEHIND:
				Assert(false);
				break;
		}
		if (pass)
			s->stack[depth++] = p->next;
	}
	return matched;
}

/* Begins the positions of another place. */
static void
new_place(LookScan *s)
{
	if (++s->mark == 0)
	{
		memset(s->marks, 0, s->looks->position_count * sizeof(uint32));
		s->mark = 1;
	}
	if (++s->work > INTERRUPT_WORK)
	{
		CHECK_FOR_INTERRUPTS();
		s->work = 0;
	}
}

/*
 * Scans the string for a look, which may begin at any place.  With a bitmap, sets the bits of
 * the places where it matches.  Without, returns whether it matches anywhere.
 */
static bool
scan(LookScan *s, const EvPositions *positions, uint8 *bitmap)
{
	bool		backward = positions->backward;
	int			start = positions->groups[0].start;

	s->positions = positions;
	memset(s->marks, 0, s->looks->position_count * sizeof(uint32));
	s->mark = 0;
	s->list_count = 0;
	for (Size done = 0;; done++)
	{
		Size		place = backward ? s->length - done : done;
		int			read_count = s->list_count;
		int		   *read = s->list;
		bool		matched = false;

		new_place(s);
		s->list = s->next_list;
		s->next_list = read;
		s->list_count = 0;
		for (int i = 0; i < read_count; i++)
		{
			const EvPosition *p = &positions->positions[read[i]];

			if (ev_symbol_in(p->symbols, s->classes[backward ? place : place - 1]))
				matched |= reach(s, p->next, place);
		}
		s->work += read_count;
		matched |= reach(s, start, place);
		if (matched && bitmap == NULL)
			return true;
		if (matched)
			bitmap[place / 8] |= 1 << (place % 8);
		if (done == s->length)
			return false;
	}
}

/* Sets the classes of the string's characters, in CurrentMemoryContext. */
static void
read_classes(LookScan *s, const char *string, int length)
{
	const unsigned char *at = (const unsigned char *) string;
	const unsigned char *end = at + length;
	uint8	   *classes = palloc_extended((Size) length + 1, MCXT_ALLOC_HUGE);

	while (at < end)
	{
		if (s->length % INTERRUPT_WORK == 0)
			CHECK_FOR_INTERRUPTS();
		classes[s->length++] = *at < 0x80 ? s->looks->byte_class[*at] :
			ev_class_of(s->looks->classes, ev_utf8_decode(at));
		at += ev_utf8_length(*at);
	}
	s->classes = classes;
}

bool
ev_looks_match(const EvLooks *looks, const char *string, int length)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "event_validate look-arounds", ALLOCSET_DEFAULT_SIZES);
	LookScan	s = {.looks = looks};
	Size		bitmap;
	bool		matches;

	MemoryContextSwitchTo(work);
	read_classes(&s, string, length);
	bitmap = s.length / 8 + 1;
	if (bitmap * (looks->look_count - 1) > MAX_BITMAPS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("could not match a pattern: %d look-arounds are too many for a string of %zu characters",
						looks->look_count - 1, s.length)));
	s.bitmaps = palloc(looks->look_count * sizeof(uint8 *));
	s.marks = palloc(looks->position_count * sizeof(uint32));
	s.stack = palloc((2 * looks->position_count + 2) * sizeof(int));
	s.list = palloc(looks->position_count * sizeof(int));
	s.next_list = palloc(looks->position_count * sizeof(int));
	for (int i = 0; i < looks->look_count - 1; i++)
	{
		s.bitmaps[i] = palloc_extended(bitmap, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		(void) scan(&s, &looks->looks[i].positions, s.bitmaps[i]);
	}
	matches = scan(&s, &looks->looks[looks->look_count - 1].positions, NULL);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return matches;
}
