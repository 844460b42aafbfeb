/*
 * pattern_code_set.c
 *	  Sets of code points while a pattern is parsed.
 */
#include "postgres.h"

#include "pattern/pattern_parser.h"

static int
compare_ranges(const void *a, const void *b)
{
	const EvCodeRange *x = a;
	const EvCodeRange *y = b;

	return x->first < y->first ? -1 : x->first > y->first ? 1 : 0;
}

void
ev_set_normalize(EvSetBuilder *builder)
{
	int			kept = 0;
	bool		sorted = true;

	for (int i = 1; i < builder->count && sorted; i++)
		sorted = builder->ranges[i - 1].first <= builder->ranges[i].first;
	if (!sorted)
		qsort(builder->ranges, builder->count, sizeof(EvCodeRange), compare_ranges);

	for (int i = 0; i < builder->count; i++)
	{
		EvCodeRange range = builder->ranges[i];

		if (kept > 0 && range.first <= builder->ranges[kept - 1].last + 1)
			builder->ranges[kept - 1].last = Max(builder->ranges[kept - 1].last, range.last);
		else
			builder->ranges[kept++] = range;
	}
	builder->count = builder->normalized = kept;
}

void
ev_set_add_ranges(EvSetBuilder *builder, const EvCodeRange *ranges, int count)
{
	if (builder->count + count > builder->allocated)
	{
		/* repeated ranges must not accumulate */
		if (builder->count > 2 * builder->normalized + 64)
			ev_set_normalize(builder);
		if (builder->count + count > builder->allocated)
		{
			builder->allocated = Max(16, (builder->count + count) * 2);
			if (builder->ranges == NULL)
				builder->ranges = palloc(builder->allocated * sizeof(EvCodeRange));
			else
				builder->ranges = repalloc(builder->ranges,
										   builder->allocated * sizeof(EvCodeRange));
		}
	}
	memcpy(builder->ranges + builder->count, ranges, count * sizeof(EvCodeRange));
	builder->count += count;
}

void
ev_set_add_complement(EvSetBuilder *builder, const EvCodeRange *ranges, int count)
{
	uint32		next = 0;

	for (int i = 0; i <= count; i++)
	{
		uint32		first = i < count ? ranges[i].first : EV_MAX_CODE + 1;

		if (first > next)
		{
			EvCodeRange gap = {next, first - 1};

			ev_set_add_ranges(builder, &gap, 1);
		}
		if (i < count)
			next = ranges[i].last + 1;
	}
}

static uint32
hash_ranges(const EvCodeRange *ranges, int count)
{
	uint32		hash = count;

	for (int i = 0; i < count; i++)
	{
		hash = (hash ^ ranges[i].first) * 0x9E3779B1;
		hash = (hash ^ (hash >> 15) ^ ranges[i].last) * 0x85EBCA77;
	}
	return hash ^ (hash >> 16);
}

static void
grow_set_index(EvPatternParser *parser)
{
	EvPatternTree *tree = parser->tree;

	if (parser->set_index != NULL)
		pfree(parser->set_index);
	parser->set_index_size = parser->set_index_size == 0 ? 64 : parser->set_index_size * 2;
	parser->set_index = palloc(parser->set_index_size * sizeof(int));
	for (int i = 0; i < parser->set_index_size; i++)
		parser->set_index[i] = -1;
	for (int i = 0; i < tree->set_count; i++)
	{
		uint32		slot = hash_ranges(tree->sets[i].ranges, tree->sets[i].count);

		while (parser->set_index[slot & (parser->set_index_size - 1)] >= 0)
			slot++;
		parser->set_index[slot & (parser->set_index_size - 1)] = i;
	}
}

/* Returns the number of a set in the tree; equal sets have one number. */
int
ev_set_store(EvPatternParser *parser, const EvCodeRange *ranges, int count)
{
	static const EvCodeRange none = {0, 0};
	EvPatternTree *tree = parser->tree;
	EvCodeRange *copy;
	uint32		slot;

	if (count == 0)
		ranges = &none;			/* memcmp and memcpy must not see NULL */
	if (tree->set_count * 2 >= parser->set_index_size)
		grow_set_index(parser);
	for (slot = hash_ranges(ranges, count);; slot++)
	{
		int			i = parser->set_index[slot & (parser->set_index_size - 1)];

		if (i < 0)
			break;
		if (tree->sets[i].count == count &&
			memcmp(tree->sets[i].ranges, ranges, count * sizeof(EvCodeRange)) == 0)
			return i;
	}

	if (tree->set_count == parser->sets_allocated)
	{
		parser->sets_allocated = Max(16, parser->sets_allocated * 2);
		if (tree->sets == NULL)
			tree->sets = palloc(parser->sets_allocated * sizeof(EvCodeSet));
		else
			tree->sets = repalloc(tree->sets, parser->sets_allocated * sizeof(EvCodeSet));
	}
	copy = palloc(Max(count, 1) * sizeof(EvCodeRange));
	memcpy(copy, ranges, count * sizeof(EvCodeRange));
	parser->range_count += count;
	tree->sets[tree->set_count].ranges = copy;
	tree->sets[tree->set_count].count = count;
	parser->set_index[slot & (parser->set_index_size - 1)] = tree->set_count;
	return tree->set_count++;
}
