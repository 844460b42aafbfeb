/*
 * pattern_tables.c
 *	  Patterns as automata with tables, and as lists of patterns that must all agree.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "pattern/pattern_internal.h"

#define MAX_PARTS			64	/* in a conjunction */
#define MAX_CELLS			(256 * 1024)	/* in an automaton's table */
#define SMALL_CELLS			(8 * 1024)	/* if another form can be tried */

EvPattern *
ev_part_make(EvPatternShape *shape, EvAutomaton *automaton, EvRegex *regex)
{
	EvPattern  *part = palloc0(sizeof(EvPattern));

	part->shape = shape;
	part->automaton = automaton;
	part->regex = regex;
	return part;
}

/*
 * Frees a list of patterns, except regexes, which their memory context frees.
 */
static void
free_parts(EvPattern *parts)
{
	while (parts != NULL)
	{
		EvPattern  *part = parts;

		parts = part->next;
		if (part->automaton != NULL)
			ev_automaton_free(part->automaton);
		pfree(part);
	}
}

/* Makes an automaton in either direction; forward, if both are possible. */
static EvAutomaton *
make_automaton(const EvClasses *classes, const EvNode *node, EvPatternBudget *budget)
{
	EvAutomaton *automaton = ev_automaton_make(classes, node, false, MAX_CELLS, budget);

	return automaton != NULL ? automaton : ev_automaton_make(classes, node, true, MAX_CELLS, budget);
}

/* Is each back-reference below the node to a group below the node? */
static bool
is_self_contained(const EvNode *root, const EvNode *node)
{
	check_stack_depth();
	if (node->kind == EV_NODE_BACKREFERENCE &&
		ev_pattern_find_group(root, node->group) == NULL)
		return false;
	for (const EvNode *child = node->child; child != NULL; child = child->next)
	{
		if (!is_self_contained(root, child))
			return false;
	}
	return true;
}

/*
 * Makes one pattern of a conjunction: "^" and the content of a lookahead or,
 * from a term that is no lookahead, "^" and the rest of the pattern.  Returns
 * NULL if it cannot be made.
 */
static EvPattern *
make_anchored(const EvPatternTree *tree, const EvClasses *classes, const EvNode *sequence,
			  const EvNode *term, bool is_look, bool allow_lazy, bool allow_engine,
			  EvPatternBudget *budget, EvPatternError *error)
{
	EvNode		anchor = *ev_node_without_groups(sequence->child);
	EvNode		anchored = *sequence;
	EvNode		looked_for;
	EvAutomaton *automaton = NULL;
	EvLazy	   *lazy = NULL;
	EvRegex    *regex = NULL;
	EvPattern  *part;

	anchored.next = NULL;
	anchored.child = &anchor;
	anchor.next = unconstify(EvNode *, term);
	if (is_look)
	{
		looked_for = *term->child;
		looked_for.next = NULL;
		anchor.next = &looked_for;
	}

	if (classes != NULL)
		automaton = make_automaton(classes, &anchored, budget);
	if (automaton == NULL && allow_lazy && classes != NULL)
		lazy = ev_lazy_make(tree, classes, &anchored, budget);
	if (automaton == NULL && lazy == NULL && allow_engine && is_self_contained(&anchored, &anchored))
		regex = ev_regex_compile(tree, &anchored, budget, error);
	if (automaton == NULL && lazy == NULL && regex == NULL)
		return NULL;
	part = ev_part_make(NULL, automaton, regex);
	part->lazy = lazy;
	part->negated = is_look && term->negative;
	return part;
}

EvPattern *
ev_conjunction_make(const EvPatternTree *tree, const EvClasses *classes,
					bool allow_lazy, bool allow_engine, EvPatternBudget *budget, EvPatternError *error)
{
	const EvNode *sequence = ev_node_without_groups(tree->root);
	EvPattern  *parts = NULL;
	int			part_count = 0;
	bool		is_look = true;

	if (sequence->kind != EV_NODE_SEQUENCE ||
		ev_node_without_groups(sequence->child)->kind != EV_NODE_START)
		return NULL;
	for (const EvNode *term = sequence->child->next; term != NULL && is_look; term = term->next)
	{
		EvPattern  *part;

		is_look = (term->kind == EV_NODE_LOOK && term->ahead);
		if (!is_look && parts == NULL)
			return NULL;
		part = make_anchored(tree, classes, sequence, term, is_look, allow_lazy, allow_engine, budget, error);
		if (part != NULL)
		{
			part->next = parts;
			parts = part;
		}
		if (part == NULL || ++part_count > MAX_PARTS)
		{
			free_parts(parts);
			return NULL;
		}
	}
	return parts;
}

/*
 * Forward first: a forward scan of an anchored pattern fails early.  One small
 * automaton is better than several, and several are better than a large one.
 */
EvPattern *
ev_tables_make(const EvPatternTree *tree, const EvClasses *classes, EvPatternBudget *budget)
{
	EvAutomaton *automaton = ev_automaton_make(classes, tree->root, false, MAX_CELLS, budget);
	EvPattern  *parts = NULL;
	EvPatternError error;

	if (automaton == NULL && tree->has_look)
	{
		automaton = ev_automaton_make(classes, tree->root, true, SMALL_CELLS, budget);
		if (automaton == NULL)
			parts = ev_conjunction_make(tree, classes, false, false, budget, &error);
	}
	if (automaton == NULL && parts == NULL)
		automaton = ev_automaton_make(classes, tree->root, true, MAX_CELLS, budget);
	return automaton != NULL ? ev_part_make(NULL, automaton, NULL) : parts;
}

EvPattern *
ev_tables_make_again(const char *pattern, int length, EvPatternBudget *budget)
{
	MemoryContext result = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(result, "event_validate pattern",
											   ALLOCSET_DEFAULT_SIZES);
	EvPatternTree tree;
	EvPatternError error;
	EvClasses  *classes = NULL;
	EvPattern  *parts = NULL;

	MemoryContextSwitchTo(work);
	if (ev_pattern_parse(pattern, length, true, &tree, &error))
		classes = ev_classes_make(&tree);
	MemoryContextSwitchTo(result);
	if (classes != NULL)
		parts = ev_tables_make(&tree, classes, budget);
	MemoryContextDelete(work);
	return parts;
}
