/*
 * pattern_classes.c
 *	  Classes of characters: the coarsest partition of the code points in
 *	  which each set of the pattern is a union of classes.
 */
#include "postgres.h"

#include "pattern/pattern_automaton.h"

#define MAX_CLASSES			250
#define MAX_SETS			2048	/* in the pattern */

typedef struct Boundary
{
	uint32		code;
	int			set;			/* the set that begins or ends here */
} Boundary;

static int
compare_boundaries(const void *a, const void *b)
{
	const Boundary *x = a;
	const Boundary *y = b;

	return x->code < y->code ? -1 : x->code > y->code ? 1 : 0;
}

/* Lists where sets begin and end, in the order of code points. */
static Boundary *
make_boundaries(const EvPatternTree *tree, int *boundary_count)
{
	int			count = 0;
	Boundary   *boundaries;

	for (int set = 0; set < tree->set_count; set++)
		count += 2 * tree->sets[set].count;
	boundaries = palloc(Max(count, 1) * sizeof(Boundary));
	count = 0;
	for (int set = 0; set < tree->set_count; set++)
	{
		for (int r = 0; r < tree->sets[set].count; r++)
		{
			boundaries[count].code = tree->sets[set].ranges[r].first;
			boundaries[count++].set = set;
			boundaries[count].code = tree->sets[set].ranges[r].last + 1;
			boundaries[count++].set = set;
		}
	}
	qsort(boundaries, count, sizeof(Boundary), compare_boundaries);
	*boundary_count = count;
	return boundaries;
}

/*
 * Fills the bitmap of each set's classes; `known` has the sets of each class.
 */
static void
fill_members(const EvPatternTree *tree, EvClasses *classes, const uint64 *known, int words)
{
	classes->symbol_words = classes->count / 64 + 1;
	classes->members = palloc0((Size) Max(tree->set_count, 1) *
							   classes->symbol_words * sizeof(uint64));
	for (int set = 0; set < tree->set_count; set++)
	{
		for (int class = 0; class < classes->count; class++)
		{
			if (ev_symbol_in(known + class * words, set))
				classes->members[set * classes->symbol_words + class / 64] |=
					UINT64CONST(1) << (class % 64);
		}
	}
}

/*
 * Goes through the code points in order, with a bitmap of the sets that
 * contain the current one.  Code points with equal bitmaps are one class.
 */
EvClasses *
ev_classes_make(const EvPatternTree *tree)
{
	EvClasses  *classes;
	int			words = tree->set_count / 64 + 1;
	int			boundary_count;
	int			next = 0;
	uint32		code = 0;
	Boundary   *boundaries;
	uint64	   *current;
	uint64	   *known;

	if (tree->set_count > MAX_SETS)
		return NULL;
	classes = palloc0(sizeof(EvClasses));
	boundaries = make_boundaries(tree, &boundary_count);

	classes->word_set = tree->word_set;
	classes->segments = palloc((boundary_count + 1) * sizeof(EvClassSegment));
	current = palloc0(words * sizeof(uint64));
	known = palloc((Size) words * sizeof(uint64) * MAX_CLASSES);
	while (code <= EV_MAX_CODE)
	{
		EvClassSegment *segment = &classes->segments[classes->segment_count++];
		int			class;

		for (; next < boundary_count && boundaries[next].code == code; next++)
			current[boundaries[next].set / 64] ^=
				UINT64CONST(1) << (boundaries[next].set % 64);

		for (class = 0; class < classes->count; class++)
		{
			if (memcmp(known + class * words, current, words * sizeof(uint64)) == 0)
				break;
		}
		if (class == classes->count)
		{
			if (class == MAX_CLASSES)
				return NULL;
			memcpy(known + class * words, current, words * sizeof(uint64));
			classes->count++;
		}
		segment->first = code;
		segment->class = class;
		code = next < boundary_count ? boundaries[next].code : EV_MAX_CODE + 1;
	}

	fill_members(tree, classes, known, words);
	return classes;
}

int
ev_class_of(const EvClasses *classes, uint32 code)
{
	int			low = 0;
	int			high = classes->segment_count - 1;

	while (low < high)
	{
		int			middle = (low + high + 1) / 2;

		if (classes->segments[middle].first <= code)
			low = middle;
		else
			high = middle - 1;
	}
	return classes->segments[low].class;
}
