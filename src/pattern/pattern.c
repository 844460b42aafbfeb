/*
 * pattern.c
 *	  Compiles a pattern to the cheapest form that can run it.
 *
 * A pattern is parsed into a tree (pattern_parse.c).  The tree is lowered to
 * the first of these forms that can express it: a shape (pattern_shape.c),
 * literals (pattern_literal.c), an automaton with a table
 * (pattern_automaton.c), an automaton without a table (pattern_lazy.c) if the
 * table would be too large or the schema's budget is spent, scans for each
 * look-around (pattern_looks.c), or a regular
 * expression of PostgreSQL's engine (pattern_regex.c), for back-references.  A
 * pattern that is anchored at its start and begins with lookaheads can also be
 * split into several patterns, all of which must match.
 *
 * A table that takes long to build is built only when many strings have been
 * matched (pattern_later.c).  So a session that uses a schema once does not
 * wait for it.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "pattern/pattern_internal.h"

/* Tables are built at once that take so much of EvPatternBudget.work, some 0.3 ms. */
#define FIRST_WORK			20000

/*
 * Makes automata: with tables if these are cheap, otherwise with tables that are
 * built later, otherwise without a table.  Returns NULL if there is none.
 */
static EvPattern *
make_automata(const char *pattern, int length, const EvPatternTree *tree, const EvClasses *classes,
			  EvPatternBudget *budget)
{
	EvPatternBudget first = *budget;
	EvPattern  *parts;
	EvLazy	   *lazy = NULL;
	EvLater    *later = NULL;

	first.work = Min(budget->work, FIRST_WORK);
	budget->work -= first.work;
	parts = ev_tables_make(tree, classes, &first);
	budget->work += first.work;
	budget->bytes = first.bytes;
	if (parts != NULL)
		return parts;

	if (first.work <= 0 && budget->work > 0)
	{
		later = ev_later_make(pattern, length, tree, classes, budget);
		if (later == NULL)
			parts = ev_tables_make(tree, classes, budget);
	}
	if (later == NULL && parts == NULL)
		lazy = ev_lazy_make(tree, classes, tree->root, budget);
	if (later != NULL || lazy != NULL)
	{
		parts = ev_part_make(NULL, NULL, NULL);
		parts->later = later;
		parts->lazy = lazy;
	}
	return parts;
}

static EvPattern *
lower(const char *pattern, int length, const EvPatternTree *tree, const EvClasses *classes,
	  EvPatternBudget *budget, EvPatternError *error)
{
	EvPattern  *parts = NULL;
	EvRegex    *regex;
	EvLooks    *looks;
	EvPatternShape *shape = ev_shape_make(tree);
	EvLiterals *literals;

	if (shape != NULL)
		return ev_part_make(shape, NULL, NULL);
	literals = ev_literals_make(tree);
	if (literals != NULL)
	{
		parts = ev_part_make(NULL, NULL, NULL);
		parts->literals = literals;
		return parts;
	}
	if (classes != NULL)
		parts = make_automata(pattern, length, tree, classes, budget);
	if (parts == NULL && tree->has_look)
		parts = ev_conjunction_make(tree, classes, true, classes == NULL, budget, error);
	if (parts != NULL)
		return parts;
	if (classes != NULL && tree->has_look && (looks = ev_looks_make(pattern, length, budget)) != NULL)
	{
		parts = ev_part_make(NULL, NULL, NULL);
		parts->looks = looks;
		return parts;
	}

	/*
	 * the engine takes time that grows faster than the string, so it is the
	 * last resort
	 */
	if (classes != NULL && tree->has_look)
	{
		int64		engine = budget->engine;

		parts = ev_conjunction_make(tree, classes, true, true, budget, error);
		if (parts != NULL)
			return parts;
		budget->engine = engine;
	}

	regex = ev_regex_compile(tree, tree->root, budget, error);
	return regex == NULL ? NULL : ev_part_make(NULL, NULL, regex);
}

EvPattern *
ev_pattern_compile(const char *pattern, int length, EvPatternBudget *budget, EvPatternError *error)
{
	MemoryContext result = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(result, "event_validate pattern",
											   ALLOCSET_DEFAULT_SIZES);
	EvPatternTree tree;
	EvPattern  *compiled = NULL;

	memset(error, 0, sizeof(EvPatternError));
	MemoryContextSwitchTo(work);
	if (ev_pattern_parse(pattern, length, true, &tree, error))
	{
		/* a pattern of n bytes may use n ranges for free */
		budget->ranges -= Max(tree.range_count - length, 0);
		if (budget->ranges < 0)
		{
			error->message = "the character classes of the schema's patterns are too large together";
			error->unsupported = true;
		}
		else
		{
			EvClasses  *classes = tree.reference_count == 0 ? ev_classes_make(&tree) : NULL;

			MemoryContextSwitchTo(result);
			compiled = lower(pattern, length, &tree, classes, budget, error);
		}
	}
	MemoryContextSwitchTo(result);
	if (compiled == NULL)
		error->message = pstrdup(error->message);
	MemoryContextDelete(work);
	return compiled;
}

bool
ev_pattern_is_linear(const EvPattern *pattern)
{
	for (; pattern != NULL; pattern = pattern->next)
		if (pattern->shape == NULL && pattern->literals == NULL && pattern->automaton == NULL &&
			pattern->lazy == NULL && pattern->later == NULL && pattern->looks == NULL)
			return false;
	return true;
}

const EvPatternShape *
ev_pattern_shape(const EvPattern *pattern)
{
	return pattern->shape;
}

const char *
ev_pattern_kind(const EvPattern *pattern)
{
	StringInfoData kind;

	if (pattern->later != NULL)
	{
		const EvPattern *tables = ev_later_build(pattern->later);

		if (tables == NULL)
			return ev_lazy_kind(ev_later_lazy(pattern->later));
		pattern = tables;
	}
	initStringInfo(&kind);
	for (; pattern != NULL; pattern = pattern->next)
		appendStringInfo(&kind, "%s%s%s", kind.len > 0 ? "; " : "", pattern->negated ? "not " : "",
						 pattern->shape != NULL ? ev_shape_kind(pattern->shape) :
						 pattern->literals != NULL ? ev_literals_kind(pattern->literals) :
						 pattern->automaton != NULL ? ev_automaton_kind(pattern->automaton) :
						 pattern->lazy != NULL ? ev_lazy_kind(pattern->lazy) :
						 pattern->looks != NULL ? ev_looks_kind(pattern->looks) :
						 "regular expression engine");
	return kind.data;
}
