/*
 * pattern_nfa.c
 *	  From the tree of a pattern to positions, an NFA.
 *
 * It is built from the end of the scan backward, so that each position knows
 * the next one.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "pattern/pattern_automaton.h"

#define MAX_POSITIONS		70000

static int	build(EvPositions *b, const EvNode *node, int next);

static int
add_position(EvPositions *b, EvPositionKind kind, int next)
{
	EvPosition *position;

	if (b->position_count == MAX_POSITIONS)
	{
		b->failed = true;
		return 0;
	}
	if (b->position_count == b->position_allocated)
	{
		b->position_allocated = Max(64, b->position_allocated * 2);
		if (b->positions == NULL)
			b->positions = palloc(b->position_allocated * sizeof(EvPosition));
		else
			b->positions = repalloc(b->positions,
									b->position_allocated * sizeof(EvPosition));
	}
	position = &b->positions[b->position_count];
	memset(position, 0, sizeof(EvPosition));
	position->kind = kind;
	position->group = b->current_group;
	position->next = next;
	return b->position_count++;
}

/*
 * If a node, in the direction of the scan, depends on no more than the next
 * symbol, adds the symbols that it accepts to the bitmap.
 */
static bool
add_next_symbols(EvPositions *b, const EvNode *node, uint64 *symbols)
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
				symbols[i] |= ev_set_symbols(b->classes, node->set)[i];
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

/* Builds child, min to max times, before next. */
static int
build_repeat(EvPositions *b, const EvNode *node, int next)
{
	int			min = node->min;
	int			max = node->max;
	int			start = next;

	/* repeating an empty match changes nothing */
	if ((min > 1 || max > 1) && node->child->zero_width)
	{
		min = Min(min, 1);
		max = 1;
	}

	if (max == EV_UNBOUNDED)
	{
		int			loop = add_position(b, EV_POSITION_SPLIT, 0);
		int			body = build(b, node->child, loop);

		if (b->failed)
			return 0;
		b->positions[loop].next = body;
		b->positions[loop].other = next;
		/* with min > 0, the loop contains the last required round */
		start = min > 0 ? body : loop;
		min -= min > 0 ? 1 : 0;
	}
	else
	{
		for (int i = min; i < max && !b->failed; i++)
		{
			int			split = add_position(b, EV_POSITION_SPLIT, 0);
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
build_sequence(EvPositions *b, const EvNode *node, int next)
{
	const EvNode **children;
	int			count = 0;

	/* build in reverse order of the scan */
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
build_choice(EvPositions *b, const EvNode *node, int next)
{
	int			start = build(b, node->child, next);

	for (const EvNode *child = node->child->next; child != NULL; child = child->next)
	{
		int			branch = build(b, child, next);
		int			split = add_position(b, EV_POSITION_SPLIT, start);

		if (b->failed)
			return 0;
		b->positions[split].other = branch;
		start = split;
	}
	return start;
}

/*
 * Builds a lookaround that depends on the next symbol only, as a condition on
 * it.
 */
static int
build_look_at_next(EvPositions *b, const EvNode *node, int next)
{
	uint64	   *symbols = palloc0(b->classes->symbol_words * sizeof(uint64));
	int			position;

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
	position = add_position(b, EV_POSITION_NEXT, next);
	if (!b->failed)
		b->positions[position].symbols = symbols;
	return position;
}

/*
 * Returns the number of the lookbehind group for a node's child.  Copies of
 * the node, made by a quantifier, share it.
 */
static int
find_group(EvPositions *b, const EvNode *node)
{
	int			outer = b->current_group;

	/*
	 * A group gets its number when it is complete, so that a nested group has
	 * a smaller number.  Until then, its positions have a provisional number,
	 * counted from the top.
	 */
	int			provisional = outer - 1;
	int			first = b->position_count;
	int			start;
	int			group;

	for (group = 0; group < b->group_count; group++)
	{
		if (b->groups[group].node == node)
			return group;
	}
	if (provisional < EV_MAX_GROUPS)
	{
		b->failed = true;
		return 0;
	}
	b->current_group = provisional;
	start = build(b, node->child, add_position(b, EV_POSITION_MATCH, 0));
	b->current_group = outer;
	if (b->failed || b->group_count >= EV_MAX_GROUPS - 1)
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
	return group;
}

static int
build_look_behind(EvPositions *b, const EvNode *node, int next)
{
	int			group = find_group(b, node);
	int			position;

	if (b->failed)
		return 0;
	position = add_position(b, EV_POSITION_BEHIND, next);
	if (!b->failed)
	{
		b->positions[position].behind = group;
		b->positions[position].negative = node->negative;
	}
	return position;
}

/* Builds a look-around whose places are known when the scan begins. */
static int
build_look_by_number(EvPositions *b, const EvNode *node, int next)
{
	int			position = add_position(b, EV_POSITION_LOOK, next);

	if (!b->failed)
	{
		b->positions[position].other = b->look_numbers[node->first];
		b->positions[position].negative = node->negative;
	}
	return position;
}

/*
 * Builds the positions of a node, in the direction of the scan, which continue
 * at `next`.  Returns the first one; the result is undefined if b->failed.
 */
static int
build(EvPositions *b, const EvNode *node, int next)
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
			position = add_position(b, EV_POSITION_SYMBOL, next);
			if (!b->failed)
				b->positions[position].symbols = ev_set_symbols(b->classes, node->set);
			return position;

		case EV_NODE_SEQUENCE:
			return build_sequence(b, node, next);

		case EV_NODE_CHOICE:
			return build_choice(b, node, next);

		case EV_NODE_REPEAT:
			return build_repeat(b, node, next);

		case EV_NODE_GROUP:
			return build(b, node->child, next);

		case EV_NODE_LOOK:
			if (b->look_numbers != NULL)
				return build_look_by_number(b, node, next);
			return node->ahead != b->backward ? build_look_at_next(b, node, next) :
				build_look_behind(b, node, next);

		case EV_NODE_START:
		case EV_NODE_END:
			if ((node->kind == EV_NODE_START) != b->backward)
				return add_position(b, EV_POSITION_START, next);
			position = add_position(b, EV_POSITION_NEXT, next);
			if (!b->failed)
			{
				uint64	   *symbols = palloc0(b->classes->symbol_words * sizeof(uint64));

				add_next_symbols(b, node, symbols);
				b->positions[position].symbols = symbols;
			}
			return position;

		case EV_NODE_WORD_BOUNDARY:
			position = add_position(b, EV_POSITION_WORD, next);
			if (!b->failed)
				b->positions[position].negative = node->negative;
			return position;

		case EV_NODE_BACKREFERENCE:
			break;
	}
	b->failed = true;
	return 0;
}

/* ---- properties of groups ---- */

/*
 * Can a group begin elsewhere than at the start of the scan?  True if not
 * known. `seen` and `stack` have room for all positions.
 */
static bool
group_restarts(const EvPositions *b, int start, bool *seen, int *stack)
{
	int			depth = 0;

	memset(seen, 0, b->position_count * sizeof(bool));
	stack[depth++] = start;
	while (depth > 0)
	{
		int			position = stack[--depth];
		const EvPosition *p = &b->positions[position];

		if (seen[position])
			continue;
		seen[position] = true;
		if (p->kind == EV_POSITION_SYMBOL || p->kind == EV_POSITION_MATCH)
			return true;
		if (p->kind == EV_POSITION_SPLIT)
			stack[depth++] = p->other;
		if (p->kind != EV_POSITION_START)
			stack[depth++] = p->next;
	}
	return false;
}

/*
 * Does the group, or a group that it depends on, have a position that needs
 * the next symbol?
 */
static bool
group_waits(const EvPositions *b, int group)
{
	for (int i = 0; i < b->position_count; i++)
	{
		const EvPosition *p = &b->positions[i];

		if (p->group == group &&
			(p->kind == EV_POSITION_NEXT || p->kind == EV_POSITION_WORD ||
			 (p->kind == EV_POSITION_BEHIND && b->groups[p->behind].waits)))
			return true;
	}
	return false;
}

bool
ev_positions_build(EvPositions *positions, const EvClasses *classes,
				   const EvNode *node, bool backward)
{
	return ev_positions_build_looks(positions, classes, node, backward, NULL);
}

bool
ev_positions_build_looks(EvPositions *positions, const EvClasses *classes,
						 const EvNode *node, bool backward, const int *look_numbers)
{
	bool	   *seen;
	int		   *stack;
	int			start;

	memset(positions, 0, sizeof(EvPositions));
	positions->classes = classes;
	positions->backward = backward;
	positions->look_numbers = look_numbers;
	positions->current_group = UINT8_MAX;
	start = build(positions, node, add_position(positions, EV_POSITION_MATCH, 0));
	if (positions->failed)
		return false;

	/* the pattern itself is the last group */
	for (int i = 0; i < positions->position_count; i++)
	{
		if (positions->positions[i].group == UINT8_MAX)
			positions->positions[i].group = positions->group_count;
	}
	positions->groups[positions->group_count++].start = start;

	seen = palloc(positions->position_count * sizeof(bool));
	stack = palloc((2 * positions->position_count + 2) * sizeof(int));
	for (int group = 0; group < positions->group_count; group++)
	{
		EvPositionGroup *g = &positions->groups[group];

		g->restarts = group_restarts(positions, g->start, seen, stack);
		g->waits = group_waits(positions, group);
	}
	pfree(seen);
	pfree(stack);
	positions->look_numbers = NULL;
	return true;
}
