/*
 * pattern.c
 *	  Compiles a pattern to the cheapest form that can run it.
 *
 * A pattern is parsed into a tree (pattern_parse.c).  The tree is lowered to
 * the first of these forms that can express it: a shape (pattern_shape.c),
 * literals (pattern_literal.c), an automaton with a table
 * (pattern_automaton.c), an automaton without a table (pattern_lazy.c) if the
 * table would be too large or the schema's budget is spent, or a regular
 * expression of PostgreSQL's engine (pattern_regex.c), for back-references.  A
 * pattern that is anchored at its start and begins with lookaheads can also be
 * split into several patterns, all of which must match.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "pattern/pattern_internal.h"

#define MAX_PARTS			64	/* in a conjunction */
#define MAX_CELLS			(256 * 1024)	/* in an automaton's table */
#define SMALL_CELLS			(8 * 1024)	/* if another form can be tried */

static EvPattern *
make_part(EvPatternShape *shape, EvAutomaton *automaton, EvRegex *regex)
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
			  const EvNode *term, bool is_look, bool allow_regex,
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
	if (automaton == NULL && allow_regex && classes != NULL)
		lazy = ev_lazy_make(tree, classes, &anchored, budget);
	if (automaton == NULL && lazy == NULL && allow_regex && is_self_contained(&anchored, &anchored))
		regex = ev_regex_compile(tree, &anchored, budget, error);
	if (automaton == NULL && lazy == NULL && regex == NULL)
		return NULL;
	part = make_part(NULL, automaton, regex);
	part->lazy = lazy;
	part->negated = is_look && term->negative;
	return part;
}

/*
 * Splits a pattern of the form "^", lookaheads, rest.  It matches if the rest
 * matches and each lookahead agrees, all anchored at the start of the string.
 * Returns NULL if the pattern does not have this form, or if a part cannot be
 * made.  It reports no error, since the caller then tries another form.
 */
static EvPattern *
make_conjunction(const EvPatternTree *tree, const EvClasses *classes,
				 bool allow_regex, EvPatternBudget *budget, EvPatternError *error)
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
		part = make_anchored(tree, classes, sequence, term, is_look, allow_regex, budget, error);
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

static EvPattern *
lower(const EvPatternTree *tree, const EvClasses *classes, EvPatternBudget *budget, EvPatternError *error)
{
	EvAutomaton *automaton = NULL;
	EvPattern  *parts = NULL;
	EvRegex    *regex;
	EvPatternShape *shape = ev_shape_make(tree);
	EvLiterals *literals;
	EvLazy	   *lazy = NULL;

	if (shape != NULL)
		return make_part(shape, NULL, NULL);
	literals = ev_literals_make(tree);
	if (literals != NULL)
	{
		parts = make_part(NULL, NULL, NULL);
		parts->literals = literals;
		return parts;
	}

	/*
	 * Forward first: a forward scan of an anchored pattern fails early.  One
	 * small automaton is better than several, and several are better than a
	 * large one.
	 */
	if (classes != NULL)
	{
		automaton = ev_automaton_make(classes, tree->root, false, MAX_CELLS, budget);
		if (automaton == NULL && tree->has_look)
		{
			automaton = ev_automaton_make(classes, tree->root, true, SMALL_CELLS, budget);
			if (automaton == NULL)
				parts = make_conjunction(tree, classes, false, budget, error);
		}
		if (automaton == NULL && parts == NULL)
			automaton = ev_automaton_make(classes, tree->root, true, MAX_CELLS, budget);
		if (automaton != NULL)
			return make_part(NULL, automaton, NULL);
		if (parts == NULL)
			lazy = ev_lazy_make(tree, classes, tree->root, budget);
		if (lazy != NULL)
		{
			parts = make_part(NULL, NULL, NULL);
			parts->lazy = lazy;
		}
	}
	if (parts == NULL && tree->has_look)
		parts = make_conjunction(tree, classes, true, budget, error);
	if (parts != NULL)
		return parts;

	regex = ev_regex_compile(tree, tree->root, budget, error);
	return regex == NULL ? NULL : make_part(NULL, NULL, regex);
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
			compiled = lower(&tree, classes, budget, error);
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
			pattern->lazy == NULL)
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

	initStringInfo(&kind);
	for (; pattern != NULL; pattern = pattern->next)
		appendStringInfo(&kind, "%s%s%s", kind.len > 0 ? "; " : "", pattern->negated ? "not " : "",
						 pattern->shape != NULL ? ev_shape_kind(pattern->shape) :
						 pattern->literals != NULL ? ev_literals_kind(pattern->literals) :
						 pattern->automaton != NULL ? ev_automaton_kind(pattern->automaton) :
						 pattern->lazy != NULL ? ev_lazy_kind(pattern->lazy) :
						 "regular expression engine");
	return kind.data;
}
