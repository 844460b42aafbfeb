/*
 * pattern_literal.c
 *	  Patterns that are a few literals: needle, ^x-, \.csv$, halt|split.
 *
 * A pattern is one where all that it matches can be listed: literals, each of
 * which stands anywhere, at the start of the string, at its end, or is all of
 * it.  Those that stand at a place are compared, the others searched for.
 *
 * Strings are UTF-8, in which no character's bytes are found within another's,
 * so that bytes are compared and no character is decoded.  A literal is
 * searched for by two of its bytes, at sixteen places at a time: its first, and
 * the last one that differs from the first.  Only where both are there the
 * others are looked at; so a string of one repeated character costs no more
 * than any other.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "pattern_internal.h"
#include "pattern_lanes.h"

#define MAX_LITERALS		8
#define MAX_LENGTH			256 /* of a literal, in bytes */
#define MAX_EMPTY_REPEATS	8	/* of what may be empty */
#define INTERRUPT_BYTES		(64 * 1024)

typedef struct Literal
{
	uint32		length;			/* bytes */
	uint32		second;			/* byte to look for beside the first */
	bool		starts;			/* it must be at the start, */
	bool		ends;			/* it must be at the end of the string */
	uint8		bytes[MAX_LENGTH];
} Literal;

struct EvLiterals
{
	int			count;
	int			placed_count;	/* the first of them: starts or ends */
	Literal		literals[FLEXIBLE_ARRAY_MEMBER];
};

/* ---- listing them ---- */

typedef struct List
{
	int			count;
	Literal		literals[MAX_LITERALS];
} List;

static List *
copy_list(const List *list)
{
	return memcpy(palloc(sizeof(List)), list, sizeof(List));
}

static bool
add_list(List *list, const List *more)
{
	if (more->count > MAX_LITERALS - list->count)
		return false;
	memcpy(list->literals + list->count, more->literals, more->count * sizeof(Literal));
	list->count += more->count;
	return true;
}

static bool
append_code(List *list, uint32 code)
{
	unsigned char bytes[4];
	int			length;

	/* no string has surrogates */
	if (code >= 0xD800 && code <= 0xDFFF)
		return false;
	unicode_to_utf8(code, bytes);
	length = ev_utf8_length(bytes[0]);
	for (int i = 0; i < list->count; i++)
	{
		Literal    *literal = &list->literals[i];

		if (literal->ends || literal->length + length > MAX_LENGTH)
			return false;
		memcpy(literal->bytes + literal->length, bytes, length);
		literal->length += length;
	}
	return true;
}

static bool
append_set(List *list, const EvCodeSet *set)
{
	List	   *before;
	bool		fits = true;

	if (set->count == 0 || set->count > MAX_LITERALS)
		return false;
	if (set->count == 1 && set->ranges[0].first == set->ranges[0].last)
		return append_code(list, set->ranges[0].first);

	before = copy_list(list);
	list->count = 0;
	for (int i = 0; i < set->count && fits; i++)
		for (uint32 code = set->ranges[i].first; code <= set->ranges[i].last && fits; code++)
		{
			List	   *after = copy_list(before);

			fits = append_code(after, code) && add_list(list, after);
			pfree(after);
		}
	pfree(before);
	return fits;
}

/*
 * Appends what a node matches to each literal of a list; false where that
 * can't be listed.
 */
static bool
append_node(List *list, const EvPatternTree *tree, const EvNode *node)
{
	const EvNode *child;
	List	   *before;
	bool		fits = true;

	check_stack_depth();
	switch (node->kind)
	{
		case EV_NODE_EMPTY:
			return true;
		case EV_NODE_SET:
			return append_set(list, &tree->sets[node->set]);
		case EV_NODE_GROUP:
			return append_node(list, tree, node->child);
		case EV_NODE_SEQUENCE:
			for (child = node->child; child != NULL; child = child->next)
				if (!append_node(list, tree, child))
					return false;
			return true;
		case EV_NODE_CHOICE:
			before = copy_list(list);
			list->count = 0;
			for (child = node->child; child != NULL && fits; child = child->next)
			{
				List	   *after = copy_list(before);

				fits = append_node(after, tree, child) && add_list(list, after);
				pfree(after);
			}
			pfree(before);
			return fits;
		case EV_NODE_REPEAT:
			if (node->max == EV_UNBOUNDED || node->max > MAX_LENGTH ||
				(node->child->nullable && node->max > MAX_EMPTY_REPEATS))
				return false;
			for (int i = 0; i < node->min; i++)
				if (!append_node(list, tree, node->child))
					return false;
			if (node->min == node->max)
				return true;
			before = copy_list(list);
			for (int i = node->min; i < node->max && fits; i++)
				fits = append_node(before, tree, node->child) && add_list(list, before);
			pfree(before);
			return fits;
		case EV_NODE_START:
			for (int i = 0; i < list->count; i++)
			{
				if (list->literals[i].length > 0)
					return false;
				list->literals[i].starts = true;
			}
			return true;
		case EV_NODE_END:
			for (int i = 0; i < list->count; i++)
				list->literals[i].ends = true;
			return true;
		case EV_NODE_LOOK:
		case EV_NODE_WORD_BOUNDARY:
		case EV_NODE_BACKREFERENCE:
			break;
	}
	return false;
}

/*
 * The same for a node that is all of an alternative: what may be left out at
 * either end of it adds nothing, since the pattern is searched for: .*needle.*
 */
static bool
append_alternative(List *list, const EvPatternTree *tree, const EvNode *node)
{
	const EvNode *first;
	const EvNode *end = NULL;	/* behind the last that counts */

	node = ev_node_without_groups(node);
	if (node->kind == EV_NODE_REPEAT && node->min == 0)
		return true;
	if (node->kind != EV_NODE_SEQUENCE)
		return append_node(list, tree, node);

	first = node->child;
	while (first != NULL && first->kind == EV_NODE_REPEAT && first->min == 0)
		first = first->next;
	for (const EvNode *child = first; child != NULL; child = child->next)
		if (child->kind != EV_NODE_REPEAT || child->min > 0)
			end = child->next;
	for (const EvNode *child = first; child != end; child = child->next)
		if (!append_node(list, tree, child))
			return false;
	return true;
}

static bool
list_literals(List *list, const EvPatternTree *tree)
{
	const EvNode *root = ev_node_without_groups(tree->root);
	const EvNode *alternative = root->kind == EV_NODE_CHOICE ? root->child : root;

	for (; alternative != NULL; alternative = root->kind == EV_NODE_CHOICE ? alternative->next : NULL)
	{
		List	   *more = palloc0(sizeof(List));
		bool		fits;

		more->count = 1;
		fits = append_alternative(more, tree, alternative) && add_list(list, more);
		pfree(more);
		if (!fits)
			return false;
	}
	return true;
}

/* ---- the literals of a pattern ---- */

static Literal
finished(const Literal *listed)
{
	Literal		literal = *listed;

	/* nothing is found anywhere, and at the start as well */
	if (literal.length == 0 && !literal.ends)
		literal.starts = true;
	literal.second = literal.length > 0 ? literal.length - 1 : 0;
	for (uint32 i = literal.length; i-- > 1;)
		if (literal.bytes[i] != literal.bytes[0])
		{
			literal.second = i;
			break;
		}
	return literal;
}

EvLiterals *
ev_literals_make(const EvPatternTree *tree)
{
	List	   *list = palloc0(sizeof(List));
	EvLiterals *literals = NULL;

	if (list_literals(list, tree))
	{
		literals = palloc0(offsetof(EvLiterals, literals) + list->count * sizeof(Literal));
		for (int placed = 1; placed >= 0; placed--)
		{
			for (int i = 0; i < list->count; i++)
			{
				Literal		literal = finished(&list->literals[i]);

				if ((literal.starts || literal.ends) == (placed == 1))
					literals->literals[literals->count++] = literal;
			}
			if (placed == 1)
				literals->placed_count = literals->count;
		}
	}
	pfree(list);
	return literals;
}

char *
ev_literals_kind(const EvLiterals *literals)
{
	const Literal *literal = literals->literals;

	if (literals->count > 1)
		return psprintf("%d literals", literals->count);
	return psprintf("literal of %u bytes, %s", literal->length,
					literal->starts && literal->ends ? "alone" :
					literal->starts ? "at the start" :
					literal->ends ? "at the end" : "anywhere");
}

/* ---- matching ---- */

static inline bool
is_in_place(const Literal *literal, const char *string, uint32 length)
{
	if (literal->starts && literal->ends && length != literal->length)
		return false;
	return length >= literal->length &&
		memcmp(literal->starts ? string : string + length - literal->length,
			   literal->bytes, literal->length) == 0;
}

/* Does the literal begin at one of sixteen places that have its two bytes? */
static pg_noinline bool
begins_in_lanes(const Literal *literal, const char *at, EvLanes lanes)
{
	for (uint32 i = 1; i < literal->length; i++)
	{
		lanes = ev_lanes_and(lanes, ev_lanes_equal(ev_lanes_of_byte(literal->bytes[i]),
												   ev_lanes_of_bytes(at + i)));
		if (!ev_any_lane(lanes))
			return false;
	}
	return true;
}

static inline bool
begins_in_sixteen(const Literal *literal, EvLanes first, EvLanes second, const char *at)
{
	EvLanes		lanes = ev_lanes_and(ev_lanes_equal(first, ev_lanes_of_bytes(at)),
									 ev_lanes_equal(second, ev_lanes_of_bytes(at + literal->second)));

	return unlikely(ev_any_lane(lanes)) && begins_in_lanes(literal, at, lanes);
}

/* Does the literal begin at one of the first `count` bytes? */
static bool
begins_within(const Literal *literal, const char *string, uint32 count)
{
	EvLanes		first = ev_lanes_of_byte(literal->bytes[0]);
	EvLanes		second = ev_lanes_of_byte(literal->bytes[literal->second]);
	const char *at = string;
	const char *last;

	if (literal->length == 1)
		return memchr(string, literal->bytes[0], count) != NULL;
	if (count < EV_LANES)
	{
		for (; count > 0; at++, count--)
			if ((uint8) at[0] == literal->bytes[0] && memcmp(at, literal->bytes, literal->length) == 0)
				return true;
		return false;
	}
	last = string + count - EV_LANES;
	for (; at < last; at += EV_LANES)
		if (begins_in_sixteen(literal, first, second, at))
			return true;
	/* overlaps those before */
	return begins_in_sixteen(literal, first, second, last);
}

bool
ev_literals_match(const EvLiterals *literals, const char *string, uint32 length)
{
	for (int i = 0; i < literals->placed_count; i++)
		if (is_in_place(&literals->literals[i], string, length))
			return true;
	if (literals->placed_count == literals->count)
		return false;

	for (uint32 start = 0; start < length; start += INTERRUPT_BYTES)
	{
		/* of short strings, a document may have millions */
		CHECK_FOR_INTERRUPTS();
		for (int i = literals->placed_count; i < literals->count; i++)
		{
			const Literal *literal = &literals->literals[i];

			if (literal->length <= length - start &&
				begins_within(literal, string + start,
							  Min(length - start - literal->length + 1, INTERRUPT_BYTES)))
				return true;
		}
	}
	return false;
}
