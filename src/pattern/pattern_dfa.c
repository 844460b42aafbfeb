/*
 * pattern_dfa.c
 *	  From positions (an NFA) to a minimal DFA.
 *
 * A state is the set of positions that a scan can be at.  The next state for
 * each symbol is computed once.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "pattern/pattern_automaton.h"

#define MAX_ITEMS			(2 * 1024 * 1024)	/* in all sets of positions */
#define MAX_WORK			(8 * 1000 * 1000)	/* positions visited */
#define MAX_REFINEMENT		(2 * 1000 * 1000)	/* cells visited by minimize */

/* Limits for states that are made one at a time. */
#define MAX_MADE_CELLS		(64 * 1024)
#define MAX_MADE_ITEMS		(256 * 1024)	/* more than two states can need */

typedef struct State
{
	int			first_item;		/* positions, in `items`, sorted */
	int			item_count;
	uint32		hash;
	bool		waiting;		/* has positions that wait for the next
								 * symbol; only then are the members below
								 * significant */
	bool		at_start;
	bool		after_word;
	uint32		hits;			/* groups that have just matched */
} State;

typedef struct Construction
{
	const EvPositions *b;
	EvStates   *result;
	int			max_cells;
	int			max_items;
	bool		made_singly;	/* a cell is -1 until it is computed */

	State	   *states;			/* as many as result has */
	int			state_allocated;
	int		   *items;
	int			item_count;
	int			item_allocated;
	int		   *slots;			/* hash table of state numbers, 0: free */
	int			slot_count;		/* a power of 2 */

	uint32	   *marks;			/* positions in the current closure */
	uint32		mark;
	int		   *stack;
	int		   *kernel;			/* positions after a step */
	int			kernel_count;
	int		   *set;			/* the closure: positions that read or wait */
	int			set_count;
	bool		set_waiting;
	uint32		hits;			/* groups that match here */
	int64		work;
} Construction;

/* ---- closures ---- */

/*
 * Adds to c->set all positions that can be reached without reading.  If symbol
 * < 0, the next symbol is not known, and positions that need it are kept as
 * waiting.  Returns true if the pattern itself matches.
 */
static bool
close_position(Construction *c, int position, bool at_start, bool after_word, int symbol)
{
	const EvPositions *b = c->b;
	int			depth = 0;
	bool		matched = false;

	c->stack[depth++] = position;
	while (depth > 0)
	{
		const EvPosition *p;
		bool		pass = false;
		bool		wait = false;

		position = c->stack[--depth];
		if (c->marks[position] == c->mark)
			continue;
		c->marks[position] = c->mark;
		c->work++;
		p = &b->positions[position];
		switch ((EvPositionKind) p->kind)
		{
			case EV_POSITION_SYMBOL:
				c->set[c->set_count++] = position;
				break;
			case EV_POSITION_SPLIT:
				c->stack[depth++] = p->other;
				pass = true;
				break;
			case EV_POSITION_START:
				pass = at_start;
				break;
			case EV_POSITION_NEXT:
				if (symbol < 0)
					wait = true;
				else
					pass = ev_symbol_in(p->symbols, symbol);
				break;
			case EV_POSITION_WORD:
				if (symbol < 0)
					wait = true;
				else
				{
					bool		before_word = symbol < b->classes->count &&
						ev_symbol_in(ev_set_symbols(b->classes, b->classes->word_set), symbol);

					pass = (after_word != before_word) != p->negative;
				}
				break;
			case EV_POSITION_BEHIND:
				if (symbol < 0 && b->groups[p->behind].waits)
					wait = true;
				else
					pass = ((c->hits >> p->behind) & 1) != p->negative;
				break;
			case EV_POSITION_LOOK:	/* not in positions without look_numbers */
				break;
			case EV_POSITION_MATCH:
				c->hits |= (uint32) 1 << p->group;
				if (p->group == b->group_count - 1)
					matched = true;
				else if (symbol < 0 && b->groups[p->group].waits)
					wait = true;	/* keep it; the next symbol decides */
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
	if (++c->mark == 0)
	{
		memset(c->marks, 0, c->b->position_count * sizeof(uint32));
		c->mark = 1;
	}
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
	/* sets are nearly always small and nearly sorted */
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
 * Computes the closure of c->kernel and of the starts of all groups.  Returns
 * EV_ACCEPT_STATE if the pattern matches, EV_REJECT_STATE if it can no longer
 * match, and otherwise EV_FIRST_STATE.
 */
static int
close_kernel(Construction *c, bool at_start, bool after_word)
{
	const EvPositions *b = c->b;
	bool		alive = false;

	new_mark(c);
	for (int group = 0; group < b->group_count; group++)
	{
		bool		is_pattern = (group == b->group_count - 1);
		int			before = c->set_count;

		for (int i = 0; i < c->kernel_count; i++)
		{
			if (b->positions[c->kernel[i]].group == group &&
				close_position(c, c->kernel[i], at_start, after_word, -1))
				return EV_ACCEPT_STATE;
		}
		if ((at_start || b->groups[group].restarts) &&
			close_position(c, b->groups[group].start, at_start, after_word, -1))
			return EV_ACCEPT_STATE;
		if (is_pattern)
			alive = c->set_count > before || b->groups[group].restarts;
	}
	return alive ? EV_FIRST_STATE : EV_REJECT_STATE;
}

/* ---- states ---- */

/*
 * Returns the slot of the state that equals `sought` and c->set, or the free
 * slot for it.
 */
static uint32
find_slot(const Construction *c, const State *sought)
{
	uint32		slot = sought->hash & (c->slot_count - 1);

	for (; c->slots[slot] != 0; slot = (slot + 1) & (c->slot_count - 1))
	{
		const State *state = &c->states[c->slots[slot]];

		if (state->hash == sought->hash && state->item_count == c->set_count &&
			state->at_start == sought->at_start && state->after_word == sought->after_word &&
			state->hits == sought->hits &&
			memcmp(c->items + state->first_item, c->set, c->set_count * sizeof(int)) == 0)
			break;
	}
	return slot;
}

static void
grow_slots(Construction *c)
{
	pfree(c->slots);
	c->slot_count *= 4;
	c->slots = palloc0(c->slot_count * sizeof(int));
	for (int i = EV_FIRST_STATE; i < c->result->state_count; i++)
	{
		uint32		slot = c->states[i].hash & (c->slot_count - 1);

		while (c->slots[slot] != 0)
			slot = (slot + 1) & (c->slot_count - 1);
		c->slots[slot] = i;
	}
}

/*
 * Adds a state with the positions of c->set.  Returns -1 if a limit is
 * exceeded.
 */
static int
add_state(Construction *c, State *state, uint32 slot)
{
	EvStates   *result = c->result;

	if ((result->state_count + 1) * result->symbol_count > c->max_cells ||
		c->item_count + c->set_count > c->max_items)
		return -1;
	if (c->item_count + c->set_count > c->item_allocated)
	{
		c->item_allocated = Max(256, (c->item_count + c->set_count) * 2);
		c->items = repalloc(c->items, c->item_allocated * sizeof(int));
	}
	if (result->state_count == c->state_allocated)
	{
		c->state_allocated *= 2;
		c->states = repalloc(c->states, c->state_allocated * sizeof(State));
		result->cells = repalloc(result->cells,
								 (Size) c->state_allocated * result->symbol_count * sizeof(int));
	}
	if (result->state_count * 2 > c->slot_count)
	{
		grow_slots(c);
		slot = find_slot(c, state);
	}
	c->slots[slot] = result->state_count;
	state->first_item = c->item_count;
	memcpy(c->items + c->item_count, c->set, c->set_count * sizeof(int));
	c->item_count += c->set_count;
	c->states[result->state_count] = *state;
	if (c->made_singly)
		memset(result->cells + (Size) result->state_count * result->symbol_count, 0xFF,
			   result->symbol_count * sizeof(int));
	return result->state_count++;
}

/*
 * Returns the state for the closure of c->kernel and of the starts of all
 * groups; -1 if a limit is exceeded.
 */
static int
find_state(Construction *c, bool at_start, bool after_word)
{
	State		state = {0};
	int			answer = close_kernel(c, at_start, after_word);
	uint32		hash;
	uint32		slot;

	if (answer != EV_FIRST_STATE)
		return answer;

	sort_items(c->set, c->set_count);
	state.item_count = c->set_count;
	state.waiting = c->set_waiting;
	state.at_start = at_start && c->set_waiting;
	state.after_word = after_word && c->set_waiting;
	state.hits = c->set_waiting ? c->hits : 0;
	hash = c->set_count * 4 + state.at_start * 2 + state.after_word + state.hits * 0x85EBCA77;
	for (int i = 0; i < c->set_count; i++)
		hash = (hash ^ (uint32) c->set[i]) * 0x9E3779B1 + (hash >> 15);
	state.hash = hash ^ hash >> 16;

	slot = find_slot(c, &state);
	return c->slots[slot] != 0 ? c->slots[slot] : add_state(c, &state, slot);
}

/* Returns the state after a symbol; -1 if a limit is exceeded. */
static int
step(Construction *c, int from, int symbol)
{
	const EvPositions *b = c->b;
	const State *state = &c->states[from];
	int			end_symbol = c->result->symbol_count - 1;
	const int  *items = c->items + state->first_item;
	int			item_count = state->item_count;
	bool		after_word;

	if (state->waiting)
	{
		/*
		 * the symbol is known now, so compute the closure again, in another
		 * set
		 */
		new_mark(c);
		c->hits = state->hits;
		for (int group = 0; group < b->group_count; group++)
		{
			for (int i = 0; i < item_count; i++)
			{
				if (b->positions[items[i]].group == group &&
					close_position(c, items[i], state->at_start, state->after_word, symbol))
					return EV_ACCEPT_STATE;
			}
		}
		items = c->set;
		item_count = c->set_count;
	}
	if (symbol == end_symbol)
		return EV_REJECT_STATE;

	c->kernel_count = 0;
	for (int i = 0; i < item_count; i++)
	{
		const EvPosition *p = &b->positions[items[i]];

		if (p->kind == EV_POSITION_SYMBOL && ev_symbol_in(p->symbols, symbol))
			c->kernel[c->kernel_count++] = p->next;
	}
	c->work += item_count;
	after_word = b->classes->word_set >= 0 &&
		ev_symbol_in(ev_set_symbols(b->classes, b->classes->word_set), symbol);
	return find_state(c, false, after_word);
}

static void
init_construction(Construction *c, EvStates *states, const EvPositions *positions, int max_cells)
{
	memset(states, 0, sizeof(EvStates));
	memset(c, 0, sizeof(Construction));
	c->b = positions;
	c->result = states;
	c->max_cells = max_cells;
	c->max_items = MAX_ITEMS;
	c->state_allocated = 32;
	c->states = palloc(c->state_allocated * sizeof(State));
	c->item_allocated = 256;
	c->items = palloc(c->item_allocated * sizeof(int));
	c->slot_count = 128;
	c->slots = palloc0(c->slot_count * sizeof(int));
	c->marks = palloc0(positions->position_count * sizeof(uint32));
	c->stack = palloc((2 * positions->position_count + 2) * sizeof(int));
	c->kernel = palloc((positions->position_count + 1) * sizeof(int));
	c->set = palloc((positions->position_count + 1) * sizeof(int));

	states->symbol_count = positions->classes->count + 1;
	states->cells = palloc(c->state_allocated * states->symbol_count * sizeof(int));
	for (int symbol = 0; symbol < states->symbol_count; symbol++)
	{
		states->cells[EV_REJECT_STATE * states->symbol_count + symbol] = EV_REJECT_STATE;
		states->cells[EV_ACCEPT_STATE * states->symbol_count + symbol] = EV_ACCEPT_STATE;
	}
	states->state_count = EV_FIRST_STATE;
}

/* Makes all states of the pattern.  Returns false if a limit is exceeded. */
static bool
determinize(EvStates *states, const EvPositions *positions, int max_cells, EvPatternBudget *budget)
{
	Construction c;
	int64		max_work = Min(MAX_WORK, budget->work);
	bool		done;

	init_construction(&c, states, positions, max_cells);
	states->start = find_state(&c, true, false);
	done = states->start >= 0;
	for (int state = EV_FIRST_STATE; state < states->state_count && done; state++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int symbol = 0; symbol < states->symbol_count && done; symbol++)
		{
			int			to = step(&c, state, symbol);

			done = to >= 0 && c.work <= max_work;
			if (done)
				states->cells[state * states->symbol_count + symbol] = to;
		}
	}
	budget->work -= c.work;
	return done;
}

/* ---- states one by one ---- */

struct EvStatesMaker
{
	Construction construction;
	EvStates	states;
};

EvStatesMaker *
ev_states_maker(const EvPositions *positions)
{
	EvStatesMaker *maker = palloc(sizeof(EvStatesMaker));

	init_construction(&maker->construction, &maker->states, positions, MAX_MADE_CELLS);
	maker->construction.max_items = MAX_MADE_ITEMS;
	maker->construction.made_singly = true;
	maker->states.start = -1;
	return maker;
}

/* Forgets all states but `kept`.  Returns its new number. */
static int
keep_one_state(EvStatesMaker *maker, int kept)
{
	Construction *c = &maker->construction;
	State		state = c->states[kept];

	c->set_count = state.item_count;
	memcpy(c->set, c->items + state.first_item, state.item_count * sizeof(int));
	c->item_count = 0;
	c->result->state_count = EV_FIRST_STATE;
	memset(c->slots, 0, c->slot_count * sizeof(int));
	maker->states.start = -1;
	return add_state(c, &state, find_slot(c, &state));
}

int
ev_states_first(EvStatesMaker *maker)
{
	Construction *c = &maker->construction;

	c->kernel_count = 0;
	if (maker->states.start < 0)
		maker->states.start = find_state(c, true, false);
	if (maker->states.start < 0)
	{
		/* full: start again with the current state only */
		c->item_count = 0;
		c->result->state_count = EV_FIRST_STATE;
		memset(c->slots, 0, c->slot_count * sizeof(int));
		maker->states.start = find_state(c, true, false);
	}
	return maker->states.start;
}

int
ev_states_next(EvStatesMaker *maker, int state, int symbol)
{
	Construction *c = &maker->construction;
	int			to = step(c, state, symbol);

	if (to < 0)
	{
		state = keep_one_state(maker, state);
		to = step(c, state, symbol);
	}
	maker->states.cells[(Size) state * maker->states.symbol_count + symbol] = to;
	return to;
}

int
ev_states_known(const EvStatesMaker *maker, int state, int symbol)
{
	return maker->states.cells[(Size) state * maker->states.symbol_count + symbol];
}

/* ---- fewer states ---- */

/* Marks the states from which `goal` can be reached. */
static bool *
states_reaching(const EvStates *s, const int *first_edge, const int *edges,
				int goal)
{
	bool	   *reaching = palloc0(s->state_count * sizeof(bool));
	int		   *queue = palloc(s->state_count * sizeof(int));
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
 * Replaces states whose answer is already known by EV_REJECT_STATE or
 * EV_ACCEPT_STATE, so that a scan ends there.
 */
static void
decide_states(EvStates *s)
{
	int			cell_count = s->state_count * s->symbol_count;
	int		   *first_edge = palloc0((s->state_count + 2) * sizeof(int));
	int		   *edges = palloc(cell_count * sizeof(int));
	int		   *decided = palloc(s->state_count * sizeof(int));
	bool	   *may_accept;
	bool	   *may_reject;

	/* collect the edges in reverse, by counting sort */
	for (int i = 0; i < cell_count; i++)
		first_edge[s->cells[i] + 2]++;
	for (int state = 0; state < s->state_count; state++)
		first_edge[state + 1] += first_edge[state];
	for (int i = 0; i < cell_count; i++)
		edges[first_edge[s->cells[i] + 1]++] = i / s->symbol_count;

	may_accept = states_reaching(s, first_edge, edges, EV_ACCEPT_STATE);
	may_reject = states_reaching(s, first_edge, edges, EV_REJECT_STATE);
	for (int state = 0; state < s->state_count; state++)
		decided[state] = !may_accept[state] ? EV_REJECT_STATE :
			!may_reject[state] ? EV_ACCEPT_STATE : state;
	for (int i = 0; i < cell_count; i++)
		s->cells[i] = decided[s->cells[i]];
	s->start = decided[s->start];
	pfree(first_edge);
	pfree(edges);
	pfree(decided);
	pfree(may_accept);
	pfree(may_reject);
}

/* A partition of the states, with working memory for its refinement. */
typedef struct Partition
{
	int		   *part;			/* by state */
	int		   *new_part;
	int		   *representative; /* by new part, a state */
	int			slot_count;		/* a power of 2 */
	int		   *slots;			/* hash table of new parts, -1: free */
} Partition;

static bool
leads_alike(const EvStates *s, const int *part, int state, int other)
{
	const int  *row = s->cells + (Size) state * s->symbol_count;
	const int  *other_row = s->cells + (Size) other * s->symbol_count;

	if (part[other] != part[state])
		return false;
	for (int symbol = 0; symbol < s->symbol_count; symbol++)
	{
		if (part[other_row[symbol]] != part[row[symbol]])
			return false;
	}
	return true;
}

/*
 * Splits each part by the parts that its states lead to.  Returns the number
 * of parts.
 */
static int
refine(const EvStates *s, Partition *p)
{
	int			count = EV_FIRST_STATE;

	for (int i = 0; i < p->slot_count; i++)
		p->slots[i] = -1;
	for (int state = 0; state < EV_FIRST_STATE; state++)
	{
		p->new_part[state] = state;
		p->representative[state] = state;
	}
	for (int state = EV_FIRST_STATE; state < s->state_count; state++)
	{
		const int  *row = s->cells + (Size) state * s->symbol_count;
		uint32		hash = p->part[state];
		uint32		slot;

		for (int symbol = 0; symbol < s->symbol_count; symbol++)
			hash = (hash ^ (uint32) p->part[row[symbol]]) * 0x9E3779B1 + (hash >> 15);
		slot = (hash ^ hash >> 16) & (p->slot_count - 1);
		while (p->slots[slot] >= 0 &&
			   !leads_alike(s, p->part, state, p->representative[p->slots[slot]]))
			slot = (slot + 1) & (p->slot_count - 1);
		if (p->slots[slot] < 0)
		{
			p->representative[count] = state;
			p->slots[slot] = count++;
		}
		p->new_part[state] = p->slots[slot];
	}
	memcpy(p->part, p->new_part, s->state_count * sizeof(int));
	return count;
}

/*
 * Merges equivalent states by refining a partition until it is stable.  If
 * this takes too long (long counted sequences, which have few equivalent
 * states), the states stay unmerged.
 */
static void
minimize(EvStates *s, EvPatternBudget *budget)
{
	int			n = s->symbol_count;
	Partition	p = {.slot_count = 64};
	int			part_count = 2;
	int			refined = 0;
	int64		visited = 0;

	while (p.slot_count < 2 * s->state_count)
		p.slot_count *= 2;
	p.part = palloc(s->state_count * sizeof(int));
	p.new_part = palloc(s->state_count * sizeof(int));
	p.representative = palloc(s->state_count * sizeof(int));
	p.slots = palloc(p.slot_count * sizeof(int));

	for (int state = 0; state < s->state_count; state++)
		p.part[state] = Min(state, EV_FIRST_STATE);
	for (;;)
	{
		visited += (int64) s->state_count * n;
		budget->work -= (int64) s->state_count * n;
		if (visited > MAX_REFINEMENT)
			return;
		CHECK_FOR_INTERRUPTS();
		refined = refine(s, &p);
		if (refined == part_count)
			break;
		part_count = refined;
	}

	/*
	 * one row for each part; the number of a representative is never smaller
	 */
	for (int part = 0; part < part_count; part++)
	{
		for (int symbol = 0; symbol < n; symbol++)
			s->cells[(Size) part * n + symbol] =
				p.part[s->cells[(Size) p.representative[part] * n + symbol]];
	}
	s->start = p.part[s->start];
	s->state_count = part_count;
}

bool
ev_states_make(EvStates *states, const EvPositions *positions, int max_cells, EvPatternBudget *budget)
{
	if (!determinize(states, positions, max_cells, budget))
		return false;
	decide_states(states);
	minimize(states, budget);
	return true;
}
