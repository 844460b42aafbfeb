/*
 * pattern_later.c
 *	  Patterns whose table is built when it pays.
 *
 * The table of some patterns takes milliseconds to build.  Until many strings have
 * been matched, such a pattern runs without a table: its positions and states are in
 * the pool of pattern_lazy.c, and nothing is kept but its text.
 *
 * Such a pattern cannot be refused later.  If its table would be too large, or the
 * budget is spent, it goes on without one.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "pattern/pattern_internal.h"

#define MAX_LAZY_BYTES	(256 * 1024)	/* of positions, in the pool */
#define TABLE_BYTES		(64 * 1024) /* of strings, before a table is built */
#define REMAKE_BYTES	4096	/* what making the positions anew costs, in
								 * bytes of strings */

struct EvLater
{
	const char *pattern;		/* UTF-8 */
	int			length;
	MemoryContext context;		/* of the pattern */
	EvPatternBudget *budget;	/* for tables; shared by the patterns of a
								 * schema */
	EvPattern  *tables;			/* NULL: none */
	bool		tried;			/* building them */
	int64		scanned;		/* bytes of strings so far */
	EvLazy	   *lazy;			/* in the pool; valid only */
	uint64		generation;		/* while the pool has this generation */
};

EvLater *
ev_later_make(const char *pattern, int length, const EvPatternTree *tree, const EvClasses *classes,
			  EvPatternBudget *budget)
{
	MemoryContext result = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(result, "event_validate pattern", ALLOCSET_DEFAULT_SIZES);
	EvPatternBudget one = EV_PATTERN_BUDGET;
	EvLater    *later = NULL;

	one.bytes = MAX_LAZY_BYTES;
	MemoryContextSwitchTo(work);
	if (ev_lazy_make(tree, classes, tree->root, &one) != NULL)
	{
		MemoryContextSwitchTo(result);
		if (budget->later == NULL)
		{
			budget->later = palloc(sizeof(EvPatternBudget));
			*budget->later = (EvPatternBudget) EV_PATTERN_BUDGET;
		}
		later = palloc0(sizeof(EvLater));
		later->pattern = pnstrdup(pattern, length);
		later->length = length;
		later->context = result;
		later->budget = budget->later;
	}
	MemoryContextSwitchTo(result);
	MemoryContextDelete(work);
	return later;
}

const EvPattern *
ev_later_build(EvLater *later)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	EvPattern  *tables;

	if (later->tried)
		return later->tables;
	context = AllocSetContextCreate(caller, "event_validate pattern", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(context);
	tables = ev_tables_make_again(later->pattern, later->length, later->budget);
	MemoryContextSwitchTo(caller);
	later->tried = true;
	if (tables == NULL)
		MemoryContextDelete(context);
	else
		MemoryContextSetParent(context, later->context);
	later->tables = tables;
	return tables;
}

const EvPattern *
ev_later_tables(EvLater *later, int length)
{
	if (!later->tried && later->scanned > TABLE_BYTES)
		(void) ev_later_build(later);
	if (later->tables == NULL)
		later->scanned += length;
	return later->tables;
}

EvLazy *
ev_later_lazy(EvLater *later)
{
	if (later->lazy == NULL || !ev_lazy_lives(later->generation))
	{
		later->lazy = NULL;
		later->scanned += REMAKE_BYTES;
		later->lazy = ev_lazy_make_pooled(later->pattern, later->length, &later->generation);
	}
	return later->lazy;
}
