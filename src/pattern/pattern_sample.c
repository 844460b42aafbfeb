/*
 * pattern_sample.c
 *	  A string that a pattern probably matches, for examples in documentation.
 *
 * The string is made from the tree of the pattern: the first of several
 * alternatives, and as few repetitions as are allowed, or at least one.  Lookaheads and word
 * boundaries are ignored, so the caller checks the result.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "pattern/pattern_internal.h"

#define MOST_CHARACTERS	256

/* Returns a character of a set that reads well; 0 if the set is empty. */
static uint32
pleasant_code(const EvCodeSet *set)
{
	static const char wanted[] = "aA1b0x_- ";

	for (const char *p = wanted; *p != '\0'; p++)
		for (int i = 0; i < set->count; i++)
			if (set->ranges[i].first <= (uint32) *p && (uint32) *p <= set->ranges[i].last)
				return *p;
	for (int i = 0; i < set->count; i++)
		for (uint32 code = Max(set->ranges[i].first, 0x21); code <= set->ranges[i].last && code < 0x7F; code++)
			return code;
	return 0;
}

static bool
append_node(const EvPatternTree *tree, const EvNode *node, bool more, StringInfo out)
{
	uint32		code;

	check_stack_depth();
	switch (node->kind)
	{
		case EV_NODE_SET:
			code = pleasant_code(&tree->sets[node->set]);
			if (code == 0 || out->len >= MOST_CHARACTERS)
				return false;
			appendStringInfoChar(out, (char) code);
			return true;

		case EV_NODE_SEQUENCE:
			for (const EvNode *child = node->child; child != NULL; child = child->next)
				if (!append_node(tree, child, more, out))
					return false;
			return true;

		case EV_NODE_CHOICE:
		case EV_NODE_GROUP:
			return node->child == NULL || append_node(tree, node->child, more, out);

		case EV_NODE_REPEAT:
			for (int i = 0; i < (more && node->max != 0 ? Max(node->min, 1) : node->min); i++)
			{
				int			before = out->len;

				CHECK_FOR_INTERRUPTS();
				if (!append_node(tree, node->child, more, out))
					return false;
				/* nor would the other rounds append anything */
				if (out->len == before)
					break;
			}
			return true;

		case EV_NODE_EMPTY:
		case EV_NODE_LOOK:
		case EV_NODE_START:
		case EV_NODE_END:
		case EV_NODE_WORD_BOUNDARY:
			return true;

		case EV_NODE_BACKREFERENCE:
			return false;
	}
	return false;
}

bool
ev_pattern_sample(const char *pattern, int length, bool more, StringInfo out)
{
	EvPatternTree tree;
	EvPatternError error;

	return length <= EV_PATTERN_MAX_LENGTH &&
		ev_pattern_parse(pattern, length, true, &tree, &error) && append_node(&tree, tree.root, more, out);
}
