/*
 * repeat.c
 *	  Finds the blocks that can run again and again for one value.
 *
 * Blocks call each other, for the same value or for a child of it.  If two
 * paths lead from one block to another, and both can be taken for one value,
 * the other block runs twice.  If n such pairs of paths follow each other, or
 * form a cycle, it runs 2^n times.  Such blocks get a REMEMBER instruction,
 * through which all callers call them.  All other blocks, and so nearly all
 * programs, stay unchanged.
 *
 * Paths are searched in pairs, from each block at which two paths begin: pairs
 * of positions that are reached with the same value.  A pair of equal
 * positions means that two paths meet.  Blocks below which there is little are
 * left out, since remembering would not pay.  Unknown facts are assumed to be
 * true: a pattern that is not linear matches each name, and if there are too
 * many pairs, each block with two callers is remembered.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "compile/optimize_internal.h"
#include "match/match_checks.h"

/*
 * A block that calls no more blocks than this, directly or indirectly, may run
 * twice.
 */
#define LITTLE			64

/*
 * A block that runs no more often than this for one value need not be
 * remembered.
 */
#define SELDOM			16

/* Limits on the search: steps, and steps for each instruction. */
#define STEPS			((int64) 50000)
#define STEPS_PER_INSTRUCTION	4

/* The children of a value that a call is for; those with a name are last. */
typedef enum CallKind
{
	CALL_IN_PLACE,				/* the value itself */
	CALL_PATTERN,
	CALL_ADDITIONAL,
	CALL_UNEVALUATED,			/* properties */
	CALL_NAME,
	CALL_INDEX,					/* one item */
	CALL_ITEMS,					/* all items from an index on */
	CALL_ANY_ITEM,
	CALL_PROPERTY
} CallKind;

typedef struct Call
{
	uint32		target;			/* index of a node */
	uint8		kind;			/* CallKind */
	uint8		types;			/* IN_PLACE, with an alternative: types of
								 * values for which it can be made */
	uint16		alternative;	/* IN_PLACE: of calls with the same number, if
								 * not 0, only one is made for each type */
	union
	{
		uint32		index;		/* INDEX, ITEMS */
		const EvProperty *property; /* PROPERTY */
		const EvPatternProperty *pattern;	/* PATTERN */
		const EvObject *object; /* ADDITIONAL */
	}			u;
} Call;

/* A block, or a dynamic anchor with its possible targets. */
typedef struct GraphNode
{
	uint32		first;			/* index of its first call; calls are sorted
								 * by kind */
	uint32		call_count;
	uint32		in_place;		/* number of calls in place, */
	uint32		unnamed;		/* and of all calls except PROPERTY */
	uint32		size;			/* of all that it calls, including itself; in
								 * a cycle, or not known yet: too large */
	uint32		left_out;		/* number of its calls to blocks that are left
								 * out */
	uint32		callers;
	uint32		order;			/* for finding cycles; 0: not visited */
	uint32		low;
	uint32		cycle;			/* nodes that call each other in a cycle have
								 * the same number */
	bool		is_open;
	bool		in_cycle;
	bool		meets;			/* two paths meet here, */
	bool		meets_in_cycle; /* and they begin in a cycle */
	bool		is_remembered;
	double		sum;			/* sum and maximum of the runs of its callers
								 * outside its cycle */
	double		most;
} GraphNode;

/* Two positions that are reached with one value. */
typedef struct BlockPair
{
	uint32		a;				/* twice the node; plus one for its children */
	uint32		b;
	uint32		in_cycle;		/* the paths begin in a cycle */
} BlockPair;

/* A pair that was found, in a table of many thousands: hence no HTAB. */
typedef struct FoundPair
{
	BlockPair	pair;			/* hash key */
	char		status;			/* for simplehash.h */
} FoundPair;

static inline uint32
hash_pair(BlockPair pair)
{
	return hash_combine(murmurhash32(pair.a), murmurhash32(2 * pair.b + pair.in_cycle));
}

static inline bool
same_pair(BlockPair a, BlockPair b)
{
	return a.a == b.a && a.b == b.b && a.in_cycle == b.in_cycle;
}

#define SH_PREFIX			pairs
#define SH_ELEMENT_TYPE		FoundPair
#define SH_KEY_TYPE			BlockPair
#define SH_KEY				pair
#define SH_HASH_KEY(tb, k)	hash_pair(k)
#define SH_EQUAL(tb, a, b)	same_pair(a, b)
#define SH_SCOPE			static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct RepeatSearch
{
	EvProgram  *program;
	GraphNode  *nodes;
	uint32		count;
	Call	   *calls;			/* of all nodes */
	uint32		call_count;
	uint32		call_room;
	uint32	   *finished;		/* nodes, callees before callers */
	uint32		finished_count;
	int64		steps;			/* remaining */
	pairs_hash *pairs;
	BlockPair  *queue;
	uint32		queue_length;
	uint32		queue_room;
} RepeatSearch;

#define BLOCK_OF(node)		(2 * (node))
#define CHILDREN_OF(node)	(2 * (node) + 1)

/* ---------- calls ---------- */

static Call *
add_call_of_node(RepeatSearch *s, GraphNode *node, CallKind kind, uint32 target)
{
	Call	   *call;

	if (s->call_count == s->call_room)
	{
		s->call_room *= 2;
		s->calls = repalloc_huge(s->calls, s->call_room * sizeof(Call));
	}
	call = &s->calls[s->call_count++];
	node->call_count++;
	call->target = target;
	call->kind = kind;
	call->types = 0;
	call->alternative = 0;
	return call;
}

static Call *
add_call(RepeatSearch *s, GraphNode *node, CallKind kind, uint32 block)
{
	if (block >= EV_BLOCK_TRUE)
		return NULL;
	return add_call_of_node(s, node, kind, s->program->sources[block].block);
}

static void
make_alternative(Call *call, uint32 alternative, uint8 types)
{
	if (call == NULL || alternative > PG_UINT16_MAX)
		return;
	call->alternative = alternative;
	call->types = types;
}

static void
add_alternative(RepeatSearch *s, GraphNode *node, uint32 block, uint32 alternative, uint8 types)
{
	make_alternative(add_call(s, node, CALL_IN_PLACE, block), alternative, types);
}

/* Returns the node of an anchor. */
static uint32
anchor_node(const RepeatSearch *s, const EvAnchor *anchor)
{
	return s->program->block_count + anchor->index;
}

/*
 * Adds the calls of an object's keywords: those for its properties by name, or
 * the others.
 */
static void
add_object(RepeatSearch *s, GraphNode *node, const EvObject *object, bool by_name)
{
	Call	   *call;

	for (uint32 i = 0; by_name && i < object->property_count; i++)
		if ((call = add_call(s, node, CALL_PROPERTY, object->properties[i].block)) != NULL)
			call->u.property = &object->properties[i];
	if (by_name)
		return;
	for (uint32 i = 0; i < object->pattern_count; i++)
		if ((call = add_call(s, node, CALL_PATTERN, object->patterns[i].block)) != NULL)
			call->u.pattern = &object->patterns[i];
	if ((call = add_call(s, node, CALL_ADDITIONAL, object->additional)) != NULL)
		call->u.object = object;
	add_call(s, node, CALL_NAME, object->names);
}

static void
add_array(RepeatSearch *s, GraphNode *node, const EvArray *array)
{
	Call	   *call;

	for (uint32 i = 0; i < array->prefix_count; i++)
		if ((call = add_call(s, node, CALL_INDEX, array->prefix[i])) != NULL)
			call->u.index = i;
	if ((call = add_call(s, node, CALL_ITEMS, array->items)) != NULL)
		call->u.index = array->prefix_count;
	add_call(s, node, CALL_ANY_ITEM, array->contains);
}

/* Adds calls for the value itself. */
static void
add_in_place(RepeatSearch *s, GraphNode *node, const EvInstruction *instruction, uint32 *alternatives)
{
	switch ((EvOpcode) instruction->opcode)
	{
		case EVOP_CALL:
		case EVOP_CALL_REF:
		case EVOP_NOT:
		case EVOP_DEPENDENT_SCHEMA:
			add_call(s, node, CALL_IN_PLACE, instruction->target);
			break;
		case EVOP_IF:
			++*alternatives;
			add_call(s, node, CALL_IN_PLACE, instruction->u.condition.if_block);
			add_alternative(s, node, instruction->u.condition.then_block, *alternatives, 0);
			add_alternative(s, node, instruction->u.condition.else_block, *alternatives, 0);
			break;
		case EVOP_ANY_OF:
		case EVOP_ONE_OF:
			++*alternatives;
			for (uint32 i = 0; i < instruction->u.branches->count; i++)
				add_alternative(s, node, instruction->u.branches->blocks[i], *alternatives,
								instruction->u.branches->discriminator.data != NULL ? 0 :
								instruction->u.branches->types[i]);
			break;
		case EVOP_CALL_DYNAMIC:
			++*alternatives;
			add_alternative(s, node, instruction->u.dynamic->initial, *alternatives, 0);
			make_alternative(add_call_of_node(s, node, CALL_IN_PLACE, anchor_node(s, instruction->u.dynamic->anchor)),
							 *alternatives, 0);
			break;
		default:
			break;
	}
}

/*
 * Finds the calls of a block, by kind.  The code after its first RETURN is run
 * to collect the violations of a value of the wrong type; it has the same
 * calls for the value itself again.
 */
static void
find_calls(RepeatSearch *s, uint32 index)
{
	const EvProgram *program = s->program;
	GraphNode  *node = &s->nodes[index];
	uint32		start = program->blocks[index].start;
	uint32		end = ev_block_end(program, index);
	uint32		alternatives = 0;
	bool		is_first = true;
	bool		has_children = false;

	node->first = s->call_count;
	for (uint32 at = start; at < end; at++)
	{
		const EvInstruction *instruction = &program->code[at];

		switch ((EvOpcode) instruction->opcode)
		{
			case EVOP_RETURN:
				is_first = false;
				break;
			case EVOP_OBJECT:
			case EVOP_ARRAY:
			case EVOP_UNEVALUATED_PROPERTIES:
			case EVOP_UNEVALUATED_ITEMS:
				has_children = true;
				break;
			default:
				if (is_first)
					add_in_place(s, node, instruction, &alternatives);
		}
	}
	node->in_place = node->unnamed = node->call_count;
	if (!has_children)
		return;
	for (uint32 at = start; at < end; at++)
	{
		const EvInstruction *instruction = &program->code[at];

		if (instruction->opcode == EVOP_OBJECT)
			add_object(s, node, instruction->u.object, false);
		else if (instruction->opcode == EVOP_ARRAY)
			add_array(s, node, instruction->u.array);
		else if (instruction->opcode == EVOP_UNEVALUATED_PROPERTIES)
			add_call(s, node, CALL_UNEVALUATED, instruction->target);
		else if (instruction->opcode == EVOP_UNEVALUATED_ITEMS)
			add_call(s, node, CALL_ANY_ITEM, instruction->target);
	}
	node->unnamed = node->call_count;
	for (uint32 at = start; at < end; at++)
		if (program->code[at].opcode == EVOP_OBJECT)
			add_object(s, node, program->code[at].u.object, true);
}

/* Finds the calls of an anchor, of which one is made. */
static void
find_targets(RepeatSearch *s, const EvAnchor *anchor)
{
	GraphNode  *node = &s->nodes[anchor_node(s, anchor)];

	node->first = s->call_count;
	for (uint32 i = 0; i < anchor->target_count; i++)
		add_alternative(s, node, anchor->targets[i].block, 1, 0);
	node->in_place = node->unnamed = node->call_count;
}

/* ---------- cycles and sizes ---------- */

/*
 * Removes the calls of small blocks.  Returns false if no other block has two
 * callers.
 */
static bool
leave_out(RepeatSearch *s, uint32 size)
{
	bool		is_called_twice = false;

	for (uint32 i = 0; i < s->count; i++)
	{
		GraphNode  *node = &s->nodes[i];
		Call	   *calls = &s->calls[node->first];
		uint32		count = 0;
		uint32		in_place = 0;
		uint32		unnamed = 0;

		for (uint32 j = 0; j < node->call_count; j++)
		{
			GraphNode  *target = &s->nodes[calls[j].target];

			if (target->size <= size)
				continue;
			in_place += calls[j].kind == CALL_IN_PLACE;
			unnamed += calls[j].kind != CALL_PROPERTY;
			calls[count++] = calls[j];
			is_called_twice |= ++target->callers > 1;
		}
		node->left_out += node->call_count - count;
		node->call_count = count;
		node->in_place = in_place;
		node->unnamed = unnamed;
	}
	return is_called_twice;
}

typedef struct Visit
{
	uint32		node;
	uint32		next;			/* call */
} Visit;

/* Takes the nodes of a cycle, or one node without a cycle, from the stack. */
static void
finish_cycle(RepeatSearch *s, uint32 first, uint32 *stack, uint32 *stack_length)
{
	uint32		begin = *stack_length;
	uint64		size = 0;
	bool		in_cycle;

	do
		begin--;
	while (stack[begin] != first);
	in_cycle = *stack_length - begin > 1;
	for (uint32 i = begin; i < *stack_length; i++)
	{
		GraphNode  *node = &s->nodes[stack[i]];
		const Call *calls = &s->calls[node->first];

		size += 1 + node->left_out;
		for (uint32 j = 0; j < node->call_count; j++)
		{
			in_cycle |= calls[j].target == stack[i];
			size += s->nodes[calls[j].target].size;
		}
	}
	for (uint32 i = begin; i < *stack_length; i++)
	{
		GraphNode  *node = &s->nodes[stack[i]];

		node->is_open = false;
		node->in_cycle = in_cycle;
		node->cycle = first;
		node->size = in_cycle ? PG_UINT32_MAX : (uint32) Min(size, PG_UINT32_MAX);
		s->finished[s->finished_count++] = stack[i];
	}
	*stack_length = begin;
}

/* Tarjan's algorithm, without recursion.  Returns the total size. */
static uint32
find_cycles(RepeatSearch *s)
{
	Visit	   *path = palloc_extended(sizeof(Visit) * s->count, MCXT_ALLOC_HUGE);
	uint32	   *stack = palloc_extended(sizeof(uint32) * s->count, MCXT_ALLOC_HUGE);
	uint32		depth = 0;
	uint32		stack_length = 0;
	uint32		order = 0;

	/* all blocks are called through the first one */
	path[depth++] = (Visit) {0, 0};
	while (depth > 0)
	{
		Visit	   *visit = &path[depth - 1];
		GraphNode  *node = &s->nodes[visit->node];

		CHECK_FOR_INTERRUPTS();
		if (node->order == 0)
		{
			node->order = node->low = ++order;
			node->is_open = true;
			stack[stack_length++] = visit->node;
		}
		if (visit->next < node->call_count)
		{
			uint32		target = s->calls[node->first + visit->next].target;

			if (s->nodes[target].order == 0)
				path[depth++] = (Visit) {target, 0};
			else
			{
				if (s->nodes[target].is_open)
					node->low = Min(node->low, s->nodes[target].low);
				visit->next++;
			}
			continue;
		}
		if (node->low == node->order)
			finish_cycle(s, visit->node, stack, &stack_length);
		depth--;
	}
	return s->nodes[0].size;
}

/* ---------- pairs ---------- */

static bool
may_match(const EvPattern *pattern, EvString name)
{
	return !ev_pattern_is_linear(pattern) || ev_matches_pattern(pattern, name.data, name.length);
}

/* Is a name additional for an object's keywords? */
static bool
may_be_additional(const EvObject *object, EvString name)
{
	bool		found;
	uint32		at = ev_seek_property(object, 0, name, &found);

	return !found || object->properties[at].block == EV_BLOCK_NONE;
}

/* Can both calls be for one child?  Neither is in place. */
static bool
may_meet(const Call *a, const Call *b)
{
	if (a->kind > b->kind)
		return may_meet(b, a);
	if (a->kind == CALL_NAME || b->kind == CALL_NAME)
		return a->kind == b->kind;
	if (b->kind == CALL_PROPERTY)
	{
		EvString	name = b->u.property->name;

		switch ((CallKind) a->kind)
		{
			case CALL_PROPERTY:
				return a->u.property->name.length == name.length &&
					memcmp(a->u.property->name.data, name.data, name.length) == 0;
			case CALL_PATTERN:
				return may_match(a->u.pattern->pattern, name);
			case CALL_ADDITIONAL:
				return may_be_additional(a->u.object, name);
			case CALL_UNEVALUATED:
				return true;
			default:
				return false;
		}
	}
	if (b->kind >= CALL_INDEX)
	{
		if (a->kind < CALL_INDEX)
			return false;
		if (b->kind == CALL_ANY_ITEM)
			return true;
		if (b->kind == CALL_ITEMS)
			return a->kind == CALL_ITEMS || a->u.index >= b->u.index;
		return a->u.index == b->u.index;
	}
	/* a name that matches a pattern of the same object is not additional */
	return a->kind != CALL_PATTERN || b->kind != CALL_ADDITIONAL ||
		a->u.pattern < b->u.object->patterns || a->u.pattern >= b->u.object->patterns + b->u.object->pattern_count;
}

/* Records that two paths lead to one node. */
static void
meet(RepeatSearch *s, uint32 index, bool in_cycle)
{
	GraphNode  *node = &s->nodes[index];

	if (node->meets && node->meets_in_cycle >= in_cycle)
		return;
	node->meets = true;
	node->meets_in_cycle |= in_cycle;
	/* an anchor only leads to its targets */
	for (uint32 i = 0; index >= s->program->block_count && i < node->call_count; i++)
		meet(s, s->calls[node->first + i].target, in_cycle);
}

/* Records that two paths lead to these positions. */
static void
add_pair(RepeatSearch *s, uint32 a, uint32 b, bool in_cycle)
{
	BlockPair	pair = {Min(a, b), Max(a, b), in_cycle};
	bool		found;

	CHECK_FOR_INTERRUPTS();
	if (a / 2 == b / 2)
	{
		meet(s, a / 2, in_cycle);
		return;
	}
	if (--s->steps <= 0)
		return;
	if (s->pairs == NULL)
	{
		s->pairs = pairs_create(CurrentMemoryContext, 256, NULL);
		s->queue_room = 256;
		s->queue = palloc(s->queue_room * sizeof(BlockPair));
	}
	(void) pairs_insert(s->pairs, pair, &found);
	if (found)
		return;
	if (s->queue_length == s->queue_room)
	{
		s->queue_room *= 2;
		s->queue = repalloc_huge(s->queue, s->queue_room * sizeof(BlockPair));
	}
	s->queue[s->queue_length++] = pair;
}

static void
add_children(RepeatSearch *s, const Call *a, const Call *b, bool in_cycle)
{
	s->steps--;
	if (may_meet(a, b))
		add_pair(s, BLOCK_OF(a->target), BLOCK_OF(b->target), in_cycle);
}

/* Adds the pairs of paths that begin in one block. */
static void
begin_pairs(RepeatSearch *s, uint32 index)
{
	const GraphNode *node = &s->nodes[index];
	const Call *calls = &s->calls[node->first];

	for (uint32 i = 0; i < node->unnamed && s->steps > 0; i++)
	{
		const Call *a = &calls[i];
		uint32		next = i + 1;

		/* no two alternatives without types are taken for one value */
		while (a->alternative != 0 && a->types == 0 && next < node->in_place && calls[next].alternative == a->alternative)
			next++;
		if (a->kind == CALL_IN_PLACE && node->call_count > node->in_place)
			add_pair(s, BLOCK_OF(a->target), CHILDREN_OF(index), node->in_cycle);
		for (uint32 j = next; j < node->call_count && s->steps > 0; j++)
		{
			const Call *b = &calls[j];

			if (a->kind != CALL_IN_PLACE)
				add_children(s, a, b, node->in_cycle);
			else if (b->kind != CALL_IN_PLACE)
				break;
			else if (a->alternative == 0 || a->alternative != b->alternative || (a->types & b->types) != 0)
				add_pair(s, BLOCK_OF(a->target), BLOCK_OF(b->target), node->in_cycle);
			else
				s->steps--;
		}
	}
}

/*
 * Continues a pair of paths: with a step of one path, or with a child of both
 * values.
 */
static void
continue_pair(RepeatSearch *s, BlockPair pair)
{
	const GraphNode *a = &s->nodes[pair.a / 2];
	const GraphNode *b = &s->nodes[pair.b / 2];
	const Call *a_calls = &s->calls[a->first];
	const Call *b_calls = &s->calls[b->first];

	if (pair.a % 2 == 0 || pair.b % 2 == 0)
	{
		uint32		other = pair.a % 2 == 0 ? pair.b : pair.a;
		uint32		index = (pair.a % 2 == 0 ? pair.a : pair.b) / 2;
		const GraphNode *node = &s->nodes[index];

		add_pair(s, CHILDREN_OF(index), other, pair.in_cycle);
		for (uint32 i = 0; i < node->in_place; i++)
			add_pair(s, BLOCK_OF(s->calls[node->first + i].target), other, pair.in_cycle);
		return;
	}
	for (uint32 i = a->in_place; i < a->unnamed && s->steps > 0; i++)
		for (uint32 j = b->in_place; j < b->call_count; j++)
			add_children(s, &a_calls[i], &b_calls[j], pair.in_cycle);
	for (uint32 i = a->unnamed; i < a->call_count && s->steps > 0; i++)
		for (uint32 j = b->in_place; j < b->unnamed; j++)
			add_children(s, &a_calls[i], &b_calls[j], pair.in_cycle);
	/* both are sorted by name */
	for (uint32 i = a->unnamed, j = b->unnamed; i < a->call_count && j < b->call_count; s->steps--)
	{
		int			order = ev_key_order(&a_calls[i].u.property->name, &b_calls[j].u.property->name);

		if (order == 0)
			add_pair(s, BLOCK_OF(a_calls[i].target), BLOCK_OF(b_calls[j].target), pair.in_cycle);
		i += order <= 0;
		j += order >= 0;
	}
}

static void
find_meetings(RepeatSearch *s)
{
	s->steps = STEPS + STEPS_PER_INSTRUCTION * (int64) s->program->length;
	for (uint32 i = 0; i < s->count && s->steps > 0; i++)
		begin_pairs(s, i);
	for (uint32 i = 0; i < s->queue_length && s->steps > 0; i++)
		continue_pair(s, s->queue[i]);
	if (s->steps > 0)
		return;
	for (uint32 i = 0; i < s->count; i++)
		if (s->nodes[i].callers > 1)
			meet(s, i, true);
}

/* ---------- the choice ---------- */

/*
 * Computes how often each block runs for one value, callers before callees;
 * blocks of a cycle together.  A block where no paths meet runs as often as
 * its most frequent caller, another block as often as all callers together.  A
 * block that would run more than SELDOM times is remembered, and runs once.
 */
static uint32
choose_remembered(RepeatSearch *s)
{
	uint32		chosen = 0;

	s->nodes[0].sum += 1;
	s->nodes[0].most = 1;
	for (uint32 end = s->finished_count, begin; end > 0; end = begin)
	{
		double		sum = 0;
		double		most = 1;

		for (begin = end; begin > 0 && s->nodes[s->finished[begin - 1]].cycle == s->nodes[s->finished[end - 1]].cycle;)
		{
			begin--;
			sum += s->nodes[s->finished[begin]].sum;
			most = Max(most, s->nodes[s->finished[begin]].most);
		}
		for (uint32 i = begin; i < end; i++)
		{
			GraphNode  *node = &s->nodes[s->finished[i]];
			double		runs = node->meets ? sum : most;

			if (node->meets && s->finished[i] < s->program->block_count &&
				(runs > SELDOM || (node->in_cycle && node->meets_in_cycle)))
			{
				node->is_remembered = true;
				runs = 1;
				chosen++;
			}
			for (uint32 j = 0; j < node->call_count; j++)
			{
				GraphNode  *target = &s->nodes[s->calls[node->first + j].target];

				if (target->cycle == node->cycle)
					continue;
				target->sum += runs;
				target->most = Max(target->most, runs);
			}
		}
	}
	return chosen;
}

static void
redirect(uint32 *block, bool in_place pg_attribute_unused(), void *arg)
{
	const uint32 *redirected = arg;

	if (*block < EV_BLOCK_TRUE && redirected[*block] != 0)
		*block = redirected[*block];
}

/* Writes a REMEMBER between the chosen blocks and all of their callers. */
static void
write_remember(RepeatSearch *s, uint32 chosen)
{
	EvProgram  *program = s->program;
	uint32		length = program->length;
	uint32	   *redirected = palloc_extended(sizeof(uint32) * length, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	program->remembers = true;
	program->code = repalloc_huge(program->code, sizeof(EvInstruction) * (length + 2 * chosen));
	program->sources = repalloc_huge(program->sources, sizeof(EvSource) * (length + 2 * chosen));
	for (uint32 i = 0; i < program->block_count; i++)
	{
		uint32		start = program->blocks[i].start;

		if (!s->nodes[i].is_remembered)
			continue;
		redirected[start] = program->length;
		for (int j = 0; j < 2; j++)
		{
			EvInstruction *instruction = &program->code[program->length];
			EvSource   *source = &program->sources[program->length++];

			memset(instruction, 0, sizeof(*instruction));
			instruction->opcode = j == 0 ? EVOP_REMEMBER : EVOP_RETURN;
			instruction->target = j == 0 ? start : EV_BLOCK_NONE;
			source->keyword = source->path = "";
			source->block = i;
		}
	}
	for (uint32 i = 0; i < length; i++)
		ev_visit_blocks(&program->code[i], redirect, redirected);
	ev_visit_targets(program, redirect, redirected);
}

static void
remember_some(RepeatSearch *s)
{
	uint32		chosen;

	find_meetings(s);
	chosen = choose_remembered(s);
	if (chosen > 0)
		write_remember(s, chosen);
}

void
ev_find_repeats(EvProgram *program)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch;
	RepeatSearch s = {.program = program, .count = program->block_count + program->anchor_count};

	scratch = AllocSetContextCreate(caller, "event_validate repeats", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scratch);
	s.nodes = palloc_extended(sizeof(GraphNode) * s.count, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	s.finished = palloc_extended(sizeof(uint32) * s.count, MCXT_ALLOC_HUGE);
	s.call_room = 2 * s.count;
	s.calls = palloc_extended(sizeof(Call) * s.call_room, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < s.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i < program->block_count)
			find_calls(&s, i);
		else
			find_targets(&s, program->anchors[i - program->block_count]);
		s.nodes[i].size = s.nodes[i].call_count == 0 ? 1 : PG_UINT32_MAX;
	}

	/* usually no paths meet, or few, which is found quickly */
	if (leave_out(&s, 1) && find_cycles(&s) > LITTLE + 4 * (uint64) s.count)
	{
		for (uint32 i = 0; i < s.count; i++)
			s.nodes[i].callers = 0;
		if (leave_out(&s, LITTLE))
			remember_some(&s);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}
