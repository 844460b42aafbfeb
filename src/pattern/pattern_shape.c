/*
 * pattern_shape.c
 *	  Patterns that are shapes: ^[A-Z]{3}-[0-9]{1,8}$.
 *
 * A pattern is a shape if it is anchored at both ends and is a sequence of
 * sets of ASCII characters, at most one of which is repeated a variable number
 * of times (the run).  So the length of the string determines the set for each
 * byte.  All bytes are checked independently, while an automaton must wait for
 * each state.
 *
 * If each set is at most two ranges, and there is either no run or only the
 * run, sixteen bytes are checked at a time.  The bytes of a short string are
 * read as two words that overlap (see short_string.h), and the lanes of a
 * chunk are in the order of these words.  Any other shape has a table of the
 * sets that contain each byte.
 *
 * No set contains a byte beyond ASCII, so strings can be checked in any server
 * encoding.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/short_string.h"
#include "base/simd.h"
#include "pattern/pattern_internal.h"

#define MAX_FIXED			256 /* characters outside the run */
#define MAX_SETS			8	/* different sets in a table */
#define INTERRUPT_BYTES		(64 * 1024)

/* Sixteen bytes, each of which must be in one of two ranges. */
typedef struct Chunk
{
	uint8		first[2][EV_LANES];
	uint8		span[2][EV_LANES];	/* last - first */
} Chunk;

typedef struct SetTable
{
	int			prefix;			/* bytes before the run */
	int			suffix;			/* bytes after it */
	uint8		run;			/* set of the run, as a bit */
	uint8		sets[256];		/* by byte: the sets that contain it, as bits */
	uint8		required[MAX_FIXED];	/* sets of prefix and suffix, each as
										 * a bit */
} SetTable;

struct EvPatternShape
{
	uint32		minimum;		/* bytes */
	uint32		maximum;
	const SetTable *table;		/* NULL: use the chunks */
	uint32		chunk_count;	/* for a fixed length; 0: the first chunk
								 * applies to all bytes */
	Chunk		chunks[FLEXIBLE_ARRAY_MEMBER];
};

/* ---- recognising them ---- */

/* A pattern while it is examined. */
typedef struct Shaper
{
	const EvPatternTree *tree;
	bool		starts;			/* ^ was seen, with nothing before it */
	bool		ends;			/* $ was seen */
	int			sets[MAX_FIXED];	/* by position, without the run */
	int			count;
	int			run_set;		/* -1: none so far */
	int			run_at;			/* position of the run */
	int			run_min;
	int			run_max;
} Shaper;

static bool
add_set(Shaper *shaper, int set, int min, int max)
{
	const EvCodeSet *codes = &shaper->tree->sets[set];

	if (!shaper->starts || shaper->ends || codes->count == 0 ||
		codes->ranges[codes->count - 1].last > 0x7F)
		return false;
	if (min != max)
	{
		if (shaper->run_set >= 0)
			return false;
		shaper->run_set = set;
		shaper->run_at = shaper->count;
		shaper->run_min = min;
		shaper->run_max = max;
		return true;
	}
	if (min > MAX_FIXED - shaper->count)
		return false;
	for (int i = 0; i < min; i++)
		shaper->sets[shaper->count++] = set;
	return true;
}

/* Adds a node; false if it cannot be part of a shape. */
static bool
add_node(Shaper *shaper, const EvNode *node)
{
	const EvNode *child;

	check_stack_depth();
	switch (node->kind)
	{
		case EV_NODE_EMPTY:
			return true;
		case EV_NODE_SET:
			return add_set(shaper, node->set, 1, 1);
		case EV_NODE_SEQUENCE:
			for (child = node->child; child != NULL; child = child->next)
				if (!add_node(shaper, child))
					return false;
			return true;
		case EV_NODE_GROUP:
			return add_node(shaper, node->child);
		case EV_NODE_REPEAT:
			child = ev_node_without_groups(node->child);
			if (child->kind == EV_NODE_SET)
				return add_set(shaper, child->set, node->min, node->max);
			/* a fixed number of copies of something of fixed length */
			if (node->min != node->max || child->zero_width)
				return false;
			for (int i = 0; i < node->min; i++)
				if (!add_node(shaper, child))
					return false;
			return true;
		case EV_NODE_START:
			if (shaper->starts)
				return false;
			shaper->starts = true;
			return true;
		case EV_NODE_END:
			if (!shaper->starts || shaper->ends)
				return false;
			shaper->ends = true;
			return true;
		case EV_NODE_CHOICE:
		case EV_NODE_LOOK:
		case EV_NODE_WORD_BOUNDARY:
		case EV_NODE_BACKREFERENCE:
			break;
	}
	return false;
}

/* ---- shapes as chunks ---- */

static bool
is_two_ranges(const Shaper *shaper, int set)
{
	return shaper->tree->sets[set].count <= 2;
}

static bool
fits_chunks(const Shaper *shaper)
{
	if (shaper->run_set >= 0)
		return shaper->count == 0 && is_two_ranges(shaper, shaper->run_set);
	for (int i = 0; i < shaper->count; i++)
		if (!is_two_ranges(shaper, shaper->sets[i]))
			return false;
	return shaper->count > 0;
}

static void
fill_lane(Chunk *chunk, int lane, const EvCodeSet *set)
{
	for (int i = 0; i < 2; i++)
	{
		const EvCodeRange *range = &set->ranges[Min(i, set->count - 1)];

		chunk->first[i][lane] = (uint8) range->first;
		chunk->span[i][lane] = (uint8) (range->last - range->first);
	}
}

static EvPatternShape *
make_with_chunks(const Shaper *shaper)
{
	const EvCodeSet *sets = shaper->tree->sets;
	int			count = shaper->count;
	int			chunk_count = shaper->run_set >= 0 ? 0 : (count + EV_LANES - 1) / EV_LANES;
	EvPatternShape *shape = palloc0(offsetof(EvPatternShape, chunks) +
									Max(chunk_count, 1) * sizeof(Chunk));

	shape->chunk_count = chunk_count;
	if (chunk_count == 0)
	{
		for (int lane = 0; lane < EV_LANES; lane++)
			fill_lane(&shape->chunks[0], lane, &sets[shaper->run_set]);
	}
	else if (count < EV_LANES)
	{
		/* the lanes have the bytes in the order of ev_words() */
		for (int lane = 0; lane < EV_LANES; lane++)
			fill_lane(&shape->chunks[0], lane, &sets[shaper->sets[ev_word_position(lane, count)]]);
	}
	else
		for (int i = 0; i < chunk_count; i++)
		{
			/* the last chunk ends at the end of the string */
			int			start = i + 1 < chunk_count ? i * EV_LANES : count - EV_LANES;

			for (int lane = 0; lane < EV_LANES; lane++)
				fill_lane(&shape->chunks[i], lane, &sets[shaper->sets[start + lane]]);
		}
	return shape;
}

/* ---- any other shape ---- */

/* Returns the bit of a set; 0 if there are too many sets. */
static uint8
set_bit(SetTable *table, const EvPatternTree *tree, int set, int *known, int *known_count)
{
	const EvCodeSet *codes = &tree->sets[set];
	int			bit = 0;

	while (bit < *known_count && known[bit] != set)
		bit++;
	if (bit == MAX_SETS)
		return 0;
	if (bit < *known_count)
		return 1 << bit;
	known[(*known_count)++] = set;
	for (int i = 0; i < codes->count; i++)
		for (uint32 code = codes->ranges[i].first; code <= codes->ranges[i].last; code++)
			table->sets[code] |= 1 << bit;
	return 1 << bit;
}

/* Returns NULL if there are too many sets. */
static EvPatternShape *
make_with_table(const Shaper *shaper)
{
	SetTable   *table = palloc0(sizeof(SetTable));
	int			known[MAX_SETS];
	int			known_count = 0;
	bool		fits = true;
	EvPatternShape *shape;

	table->prefix = shaper->run_set >= 0 ? shaper->run_at : shaper->count;
	table->suffix = shaper->count - table->prefix;
	for (int i = 0; i < shaper->count && fits; i++)
	{
		table->required[i] = set_bit(table, shaper->tree, shaper->sets[i], known, &known_count);
		fits = table->required[i] != 0;
	}
	if (fits && shaper->run_set >= 0)
	{
		table->run = set_bit(table, shaper->tree, shaper->run_set, known, &known_count);
		fits = table->run != 0;
	}
	if (!fits)
	{
		pfree(table);
		return NULL;
	}
	shape = palloc0(offsetof(EvPatternShape, chunks));
	shape->table = table;
	return shape;
}

/* ---- the shape of a pattern ---- */

EvPatternShape *
ev_shape_make(const EvPatternTree *tree)
{
	Shaper		shaper = {.tree = tree, .run_set = -1};
	EvPatternShape *shape;

	if (!add_node(&shaper, tree->root) || !shaper.ends)
		return NULL;
	shape = fits_chunks(&shaper) ? make_with_chunks(&shaper) : make_with_table(&shaper);
	if (shape == NULL)
		return NULL;
	shape->minimum = shape->maximum = shaper.count;
	if (shaper.run_set >= 0)
	{
		shape->minimum += shaper.run_min;
		shape->maximum = shaper.run_max == EV_UNBOUNDED ? PG_INT32_MAX :
			shape->maximum + shaper.run_max;
	}
	return shape;
}

char *
ev_shape_kind(const EvPatternShape *shape)
{
	return psprintf("shape of %u to %u bytes", shape->minimum, shape->maximum);
}

/* ---- matching ---- */

/* Returns all ones in each lane that is within a range. */
static inline EvLanes
within(const Chunk *chunk, EvLanes data)
{
#ifdef EV_LANES_ARE_VECTORS
	EvLanes		first[2];
	EvLanes		span[2];

	memcpy(first, chunk->first, sizeof(first));
	memcpy(span, chunk->span, sizeof(span));
	return (EvLanes) ((data - first[0] <= span[0]) | (data - first[1] <= span[1]));
#else
	for (int i = 0; i < EV_LANES; i++)
		data.bytes[i] = (uint8) (data.bytes[i] - chunk->first[0][i]) <= chunk->span[0][i] ||
			(uint8) (data.bytes[i] - chunk->first[1][i]) <= chunk->span[1][i] ? 0xFF : 0;
	return data;
#endif
}

static inline uint8
missing_sets(const SetTable *table, const uint8 *required, const unsigned char *bytes,
			 int count)
{
	uint8		missing = 0;

	for (int i = 0; i < count; i++)
		missing |= required[i] & ~table->sets[bytes[i]];
	return missing;
}

/* not inlined, so that ev_shape_matches has no registers to save for it */
static pg_noinline bool
table_matches(const SetTable *table, const unsigned char *string, uint32 length)
{
	uint32		count = length - table->prefix - table->suffix;
	const unsigned char *at = string + table->prefix;
	uint8		missing = missing_sets(table, table->required, string, table->prefix);

	while (count > 0)
	{
		uint32		chunk = Min(count, INTERRUPT_BYTES);

		for (uint32 i = 0; i < chunk; i++)
			missing |= table->run & ~table->sets[at[i]];
		if (missing != 0)
			return false;
		at += chunk;
		count -= chunk;
		if (unlikely(count > 0))
			CHECK_FOR_INTERRUPTS();
	}
	missing |= missing_sets(table, table->required + table->prefix, at, table->suffix);
	return missing == 0;
}

bool
ev_shape_matches(const EvPatternShape *shape, const char *string, uint32 length)
{
	const Chunk *chunk = shape->chunks;

	if (length < shape->minimum || length > shape->maximum)
		return false;
	if (unlikely(shape->table != NULL))
		return table_matches(shape->table, (const unsigned char *) string, length);
	if (length < EV_LANES)
	{
		uint64		words[2];

		if (length == 0)
			return true;
		ev_words(string, length, words);
		return ev_all_lanes(within(chunk, ev_lanes_of_words(words)));
	}

	if (shape->chunk_count > 0)
	{
		for (uint32 i = 0; i + 1 < shape->chunk_count; i++)
			if (!ev_all_lanes(within(&chunk[i], ev_lanes_of_bytes(string + i * EV_LANES))))
				return false;
		chunk = &chunk[shape->chunk_count - 1];
	}
	else
		for (uint32 i = 0; i + EV_LANES < length; i += EV_LANES)
			if (!ev_all_lanes(within(chunk, ev_lanes_of_bytes(string + i))))
				return false;
	return ev_all_lanes(within(chunk, ev_lanes_of_bytes(string + length - EV_LANES)));
}
