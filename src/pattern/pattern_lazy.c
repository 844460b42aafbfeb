/*
 * pattern_lazy.c
 *	  Automata whose states are made while strings are scanned.
 *
 * If a pattern's table would be too large, or would take longer to build than
 * the schema's budget allows, only its positions are kept.  A state is made
 * when a string leads to it, and kept for later strings.  All such states of
 * the backend are in one memory context, which is emptied when it is full;
 * then states are made anew.  So memory is bounded, and a string takes time
 * linear in its length, at worst multiplied by the number of positions.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "pattern/pattern_automaton.h"

/*
 * Limit for an automaton whose table is too large although the budget would
 * allow it.  Each character may visit each position, so larger ones are
 * refused.
 */
#define MAX_POSITIONS		4096
#define MAX_POOL			(8 * 1024 * 1024)	/* bytes of states, checked
												 * when a scan begins */
#define INTERRUPT_BYTES		(64 * 1024)

struct EvLazy
{
	EvClasses	classes;
	EvPositions positions;
	uint8		byte_class[0x80];
	EvStatesMaker *maker;		/* in the pool; valid only */
	uint64		generation;		/* while the pool has this generation */
	bool		is_pooled;		/* see ev_lazy_make_pooled() */
};

typedef struct StatePool
{
	MemoryContext context;
	uint64		generation;
	bool		in_use;			/* still set after an error: do not use the
								 * pool */
} StatePool;

static StatePool pool;

/* ---------- making one ---------- */

static void *
copy_of(const void *data, Size size)
{
	return memcpy(palloc(Max(size, 1)), data, size);
}

/* Returns the size of `count` bitmaps of symbols. */
static Size
bitmaps_size(const EvClasses *classes, int count)
{
	return (Size) count * classes->symbol_words * sizeof(uint64);
}

/* Copies the bitmaps of the sets together, and all others one by one. */
static void
copy_symbols(EvLazy *lazy, const EvClasses *from, int set_count)
{
	const uint64 *sets_end = from->members + (Size) set_count * from->symbol_words;

	for (int i = 0; i < lazy->positions.position_count; i++)
	{
		EvPosition *position = &lazy->positions.positions[i];

		if (position->symbols == NULL)
			continue;
		if (position->symbols >= from->members && position->symbols < sets_end)
			position->symbols = lazy->classes.members + (position->symbols - from->members);
		else
			position->symbols = copy_of(position->symbols, bitmaps_size(from, 1));
	}
}

static Size
size_of(const EvPositions *positions, int set_count)
{
	const EvClasses *classes = positions->classes;
	Size		size = sizeof(EvLazy) + positions->position_count * sizeof(EvPosition) +
		classes->segment_count * sizeof(EvClassSegment) + bitmaps_size(classes, set_count);

	for (int i = 0; i < positions->position_count; i++)
		if (positions->positions[i].kind == EV_POSITION_NEXT)
			size += bitmaps_size(classes, 1);
	return size;
}

EvLazy *
ev_lazy_make(const EvPatternTree *tree, const EvClasses *classes, const EvNode *node,
			 EvPatternBudget *budget)
{
	MemoryContext result = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(result, "event_validate pattern",
											   ALLOCSET_DEFAULT_SIZES);
	int			set_count = Max(tree->set_count, 1);
	EvPositions positions;
	EvLazy	   *lazy = NULL;
	bool		built;
	Size		size;

	MemoryContextSwitchTo(work);
	built = ev_positions_build(&positions, classes, node, false) ||
		ev_positions_build(&positions, classes, node, true);
	MemoryContextSwitchTo(result);
	built = built && (budget->work <= 0 || positions.position_count <= MAX_POSITIONS);
	size = built ? size_of(&positions, set_count) : 0;
	if (built && ev_budget_takes(budget, size))
	{
		lazy = palloc0(sizeof(EvLazy));
		lazy->classes = *classes;
		lazy->classes.segments = copy_of(classes->segments, classes->segment_count * sizeof(EvClassSegment));
		lazy->classes.members = copy_of(classes->members, bitmaps_size(classes, set_count));
		lazy->positions = positions;
		lazy->positions.classes = &lazy->classes;
		lazy->positions.positions = copy_of(positions.positions, positions.position_count * sizeof(EvPosition));
		copy_symbols(lazy, classes, set_count);
		for (int code = 0; code < 0x80; code++)
			lazy->byte_class[code] = ev_class_of(classes, code);
	}
	MemoryContextDelete(work);
	return lazy;
}

char *
ev_lazy_kind(const EvLazy *lazy)
{
	return psprintf("automaton of %d positions, %s", lazy->positions.position_count,
					lazy->positions.backward ? "backward" : "forward");
}

/* ---------- running it ---------- */

static void
empty_pool(void)
{
	if (pool.context == NULL)
		pool.context = AllocSetContextCreate(TopMemoryContext, "event_validate pattern states",
											 ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(pool.context);
	pool.generation++;
	pool.in_use = false;
}

/* Empties the pool if it is full, or if an error left it in use. */
static void
make_room(void)
{
	if (pool.context == NULL || pool.in_use || MemoryContextMemAllocated(pool.context, false) > MAX_POOL)
		empty_pool();
}

/*
 * Returns the maker of an automaton's states, with the states made so far.  For an
 * automaton in the pool, its caller has made room.
 */
static EvStatesMaker *
maker_of(EvLazy *lazy)
{
	if (!lazy->is_pooled)
		make_room();
	if (lazy->maker == NULL || lazy->generation != pool.generation)
	{
		MemoryContext caller = MemoryContextSwitchTo(pool.context);

		pool.in_use = true;
		lazy->maker = ev_states_maker(&lazy->positions);
		lazy->generation = pool.generation;
		pool.in_use = false;
		MemoryContextSwitchTo(caller);
	}
	return lazy->maker;
}

/* Returns the next state if it has not been made yet. */
static int
make_next(EvStatesMaker *maker, int state, int symbol)
{
	MemoryContext caller;

	/* before in_use is set, since an error would leave it set */
	CHECK_FOR_INTERRUPTS();
	caller = MemoryContextSwitchTo(pool.context);
	pool.in_use = true;
	state = symbol < 0 ? ev_states_first(maker) : ev_states_next(maker, state, symbol);
	pool.in_use = false;
	MemoryContextSwitchTo(caller);
	return state;
}

EvLazy *
ev_lazy_make_pooled(const char *pattern, int length, uint64 *generation)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "event_validate pattern", ALLOCSET_DEFAULT_SIZES);
	EvPatternBudget budget = EV_PATTERN_BUDGET;
	EvPatternTree tree;
	EvPatternError error;
	const EvClasses *classes;
	EvLazy	   *lazy = NULL;

	MemoryContextSwitchTo(work);
	if (ev_pattern_parse(pattern, length, true, &tree, &error) && (classes = ev_classes_make(&tree)) != NULL)
	{
		make_room();
		MemoryContextSwitchTo(pool.context);
		pool.in_use = true;
		lazy = ev_lazy_make(&tree, classes, tree.root, &budget);
		pool.in_use = false;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	if (lazy == NULL)			/* ev_later_make() has made one */
		elog(ERROR, "pattern \"%s\" has no automaton", pnstrdup(pattern, length));
	lazy->is_pooled = true;
	*generation = pool.generation;
	return lazy;
}

bool
ev_lazy_lives(uint64 generation)
{
	make_room();
	return pool.generation == generation;
}

bool
ev_lazy_matches(EvLazy *lazy, const char *string, int length)
{
	EvStatesMaker *maker = maker_of(lazy);
	bool		backward = lazy->positions.backward;
	const unsigned char *start = (const unsigned char *) string;
	const unsigned char *end = start + length;
	const unsigned char *at = backward ? end : start;
	int			state = make_next(maker, 0, -1);
	int			seen = 0;

	while (state >= EV_FIRST_STATE && at != (backward ? start : end))
	{
		int			class;
		int			next;

		if (backward)
		{
			at--;
			while ((*at & 0xC0) == 0x80)
				at--;
		}
		class = *at < 0x80 ? lazy->byte_class[*at] : ev_class_of(&lazy->classes, ev_utf8_decode(at));
		if (!backward)
			at += ev_utf8_length(*at);
		if (++seen % INTERRUPT_BYTES == 0)
			CHECK_FOR_INTERRUPTS();
		next = ev_states_known(maker, state, class);
		state = next >= 0 ? next : make_next(maker, state, class);
	}
	if (state >= EV_FIRST_STATE)
		state = make_next(maker, state, lazy->classes.count);
	return state == EV_ACCEPT_STATE;
}
