/*
 * shape.c
 *	  Patterns that are shapes.
 *
 * A pattern is one where it is anchored at both ends, and between the anchors
 * stand sets of ASCII characters, each of at most two ranges; either in a
 * fixed number, 64 at most, or one set any number of times.
 *
 * The bytes of a short string are read as two words that overlap (see
 * words.h), so that a chunk's lanes say which byte of the string they are
 * about.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "pattern_internal.h"
#include "shape.h"
#include "words.h"

#define MAX_POSITIONS	(EV_SHAPE_LANES * EV_SHAPE_CHUNKS)

/* What the pattern comes to while it is looked through. */
typedef struct Shaper
{
	const EvPatternTree *tree;
	int			sets[MAX_POSITIONS];	/* by position */
	int			count;
	bool		starts;			/* ^ was seen, and nothing before it */
	bool		ends;			/* $ was seen */
	int			run_set;		/* the set of the only repetition of a varying
								 * number; -1: none */
	int			run_min;
	int			run_max;
} Shaper;

/* At most two ranges of ASCII, and not empty. */
static bool
is_simple_set(const EvCodeSet *set)
{
	return set->count >= 1 && set->count <= 2 && set->ranges[set->count - 1].last < 0x80;
}

static bool
add_set(Shaper *shaper, int set, int min, int max)
{
	if (!shaper->starts || shaper->ends || !is_simple_set(&shaper->tree->sets[set]))
		return false;
	if (min != max)
	{
		if (shaper->count > 0 || shaper->run_set >= 0)
			return false;
		shaper->run_set = set;
		shaper->run_min = min;
		shaper->run_max = max;
		return true;
	}
	if (shaper->run_set >= 0 || shaper->count + min > MAX_POSITIONS)
		return false;
	for (int i = 0; i < min; i++)
		shaper->sets[shaper->count++] = set;
	return true;
}

static bool
add_node(Shaper *shaper, const EvNode *node)
{
	check_stack_depth();
	switch (node->kind)
	{
		case EV_NODE_EMPTY:
			return true;
		case EV_NODE_SET:
			return add_set(shaper, node->set, 1, 1);
		case EV_NODE_SEQUENCE:
			for (const EvNode *child = node->child; child != NULL; child = child->next)
				if (!add_node(shaper, child))
					return false;
			return true;
		case EV_NODE_GROUP:
			return add_node(shaper, node->child);
		case EV_NODE_REPEAT:
			if (node->child->kind == EV_NODE_SET)
				return add_set(shaper, node->child->set, node->min, node->max);
			/* a fixed number of something fixed */
			if (node->min != node->max || node->min > MAX_POSITIONS)
				return false;
			for (int i = 0; i < node->min; i++)
				if (!add_node(shaper, node->child))
					return false;
			return true;
		case EV_NODE_START:
			if (shaper->starts || shaper->count > 0 || shaper->run_set >= 0)
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
			return false;
	}
	return false;
}

static void
fill_lane(EvShapeChunk *chunk, int lane, const EvCodeSet *set)
{
	for (int i = 0; i < 2; i++)
	{
		const EvCodeRange *range = &set->ranges[Min(i, set->count - 1)];

		chunk->first[i][lane] = (uint8) range->first;
		chunk->span[i][lane] = (uint8) (range->last - range->first);
	}
}

EvPatternShape *
ev_pattern_shape(const char *pattern, int length)
{
	EvPatternTree tree = {0};
	EvPatternError error = {0};
	Shaper		shaper = {.tree = &tree, .run_set = -1};
	EvPatternShape *shape;
	int			count;

	if (!ev_pattern_parse(pattern, length, true, &tree, &error) ||
		!add_node(&shaper, tree.root) || !shaper.starts || !shaper.ends)
		return NULL;

	shape = palloc0(sizeof(EvPatternShape));
	if (shaper.run_set >= 0)
	{
		shape->minimum = shaper.run_min;
		shape->maximum = shaper.run_max == EV_UNBOUNDED ? PG_UINT32_MAX : (uint32) shaper.run_max;
		for (int lane = 0; lane < EV_SHAPE_LANES; lane++)
			fill_lane(&shape->chunks[0], lane, &tree.sets[shaper.run_set]);
		return shape;
	}

	count = shaper.count;
	if (count == 0)
		return NULL;
	shape->minimum = shape->maximum = count;
	if (count < EV_SHAPE_LANES)
	{
		/* the lanes are the bytes that ev_words() reads */
		shape->chunk_count = 1;
		for (int lane = 0; lane < EV_SHAPE_LANES; lane++)
			fill_lane(&shape->chunks[0], lane, &tree.sets[shaper.sets[ev_word_position(lane, count)]]);
		return shape;
	}
	shape->chunk_count = (count + EV_SHAPE_LANES - 1) / EV_SHAPE_LANES;
	for (uint32 i = 0; i < shape->chunk_count; i++)
	{
		/* the last chunk ends where the string does */
		int			start = i + 1 < shape->chunk_count ? (int) i * EV_SHAPE_LANES : count - EV_SHAPE_LANES;

		for (int lane = 0; lane < EV_SHAPE_LANES; lane++)
			fill_lane(&shape->chunks[i], lane, &tree.sets[shaper.sets[start + lane]]);
	}
	return shape;
}

#if defined(__GNUC__)
typedef uint8 Lanes __attribute__((vector_size(EV_SHAPE_LANES)));

typedef uint64 Words __attribute__((vector_size(EV_SHAPE_LANES)));

static inline Lanes
lanes_of_words(const uint64 words[2])
{
	return (Lanes) (Words) {words[0], words[1]};
}

static inline Lanes
lanes_of_bytes(const char *bytes)
{
	Lanes		data;

	memcpy(&data, bytes, sizeof(data));
	return data;
}

/* All ones in each lane that is within a range. */
static inline Lanes
within(const EvShapeChunk *chunk, Lanes data)
{
	Lanes		first[2];
	Lanes		span[2];

	memcpy(first, chunk->first, sizeof(first));
	memcpy(span, chunk->span, sizeof(span));
	return (Lanes) ((data - first[0] <= span[0]) | (data - first[1] <= span[1]));
}

static inline bool
all_lanes(Lanes lanes)
{
	Words		words = (Words) lanes;

	return (words[0] & words[1]) == PG_UINT64_MAX;
}
#else
typedef struct Lanes
{
	uint8		bytes[EV_SHAPE_LANES];
} Lanes;

static inline Lanes
lanes_of_bytes(const char *bytes)
{
	Lanes		data;

	memcpy(&data, bytes, sizeof(data));
	return data;
}

static inline Lanes
lanes_of_words(const uint64 words[2])
{
	return lanes_of_bytes((const char *) words);
}

static inline Lanes
within(const EvShapeChunk *chunk, Lanes data)
{
	for (int i = 0; i < EV_SHAPE_LANES; i++)
		data.bytes[i] = (uint8) (data.bytes[i] - chunk->first[0][i]) <= chunk->span[0][i] ||
			(uint8) (data.bytes[i] - chunk->first[1][i]) <= chunk->span[1][i] ? 0xFF : 0;
	return data;
}

static inline bool
all_lanes(Lanes lanes)
{
	for (int i = 0; i < EV_SHAPE_LANES; i++)
		if (lanes.bytes[i] == 0)
			return false;
	return true;
}
#endif

bool
ev_shape_matches(const EvPatternShape *shape, const char *string, uint32 length)
{
	const EvShapeChunk *chunk = shape->chunks;

	if (length < shape->minimum || length > shape->maximum)
		return false;
	if (length < EV_SHAPE_LANES)
	{
		uint64		words[2];

		if (length == 0)
			return true;
		ev_words(string, length, words);
		return all_lanes(within(chunk, lanes_of_words(words)));
	}

	if (shape->chunk_count > 0)
	{
		for (uint32 i = 0; i + 1 < shape->chunk_count; i++)
			if (!all_lanes(within(&chunk[i], lanes_of_bytes(string + i * EV_SHAPE_LANES))))
				return false;
		chunk = &chunk[shape->chunk_count - 1];
	}
	else
		for (uint32 i = 0; i + EV_SHAPE_LANES < length; i += EV_SHAPE_LANES)
			if (!all_lanes(within(chunk, lanes_of_bytes(string + i))))
				return false;
	return all_lanes(within(chunk, lanes_of_bytes(string + length - EV_SHAPE_LANES)));
}
