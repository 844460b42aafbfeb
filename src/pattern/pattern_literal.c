/*
 * pattern_literal.c
 *	  Patterns that are a few literals: needle, ^x-, \.csv$, halt|split.
 *
 * A pattern is one if all strings that it matches can be listed as literals.
 * Each literal is anywhere in the string, at its start, at its end, or is the
 * whole string.  Anchored literals are compared, the others are searched for.
 * Several literals that are all at the start are left to an automaton.
 *
 * Strings are UTF-8, in which the bytes of a character never occur inside
 * another character.  So bytes are compared and no character is decoded.  A
 * literal is searched for by two of its bytes, at sixteen positions at a time:
 * its first byte, and the last one that differs from it.  The other bytes are
 * compared only where both match.  So a string of one repeated character costs
 * no more than any other.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "base/short_string.h"
#include "base/simd.h"
#include "pattern/pattern_internal.h"

#define MAX_LITERALS		8
#define MAX_LENGTH			256 /* length of a literal, in bytes */
#define MAX_EMPTY_REPEATS	8	/* repetitions of a node that may be empty */
#define MAX_WORDS			16	/* bytes in Literal.words */
#define TOGETHER_BYTES		64	/* in the first bytes of a string, all
								 * literals are searched for together */
#define INTERRUPT_BYTES		(64 * 1024)

typedef struct Literal
{
	uint32		length;			/* bytes */
	uint32		maximum;		/* largest possible length of the string */
	uint32		second;			/* byte to search for beside the first */
	bool		starts;			/* it must be at the start, */
	bool		ends;			/* it must be at the end of the string */
	uint64		words[2];		/* its bytes, up to MAX_WORDS */
	uint8		lanes[2][EV_LANES]; /* its two bytes, each in all lanes */
	uint8		bytes[MAX_LENGTH];
} Literal;

struct EvLiterals
{
	int			count;
	int			placed_count;	/* the first ones, with starts or ends set */
	uint32		longest;		/* of the others, in bytes */
	bool		is_short;		/* one of them is anchored, with up to
								 * MAX_WORDS bytes */
	Literal		literals[FLEXIBLE_ARRAY_MEMBER];
};

/* ---- listing them ---- */

typedef struct LiteralList
{
	int			count;
	Literal		literals[MAX_LITERALS];
} LiteralList;

static LiteralList *
copy_list(const LiteralList *list)
{
	return memcpy(palloc(sizeof(LiteralList)), list,
				  offsetof(LiteralList, literals) + list->count * sizeof(Literal));
}

/* Returns a list with only the empty literal. */
static LiteralList *
make_list(void)
{
	LiteralList *list = palloc(sizeof(LiteralList));

	list->count = 1;
	memset(&list->literals[0], 0, sizeof(Literal));
	return list;
}

static bool
add_list(LiteralList *list, const LiteralList *more)
{
	if (more->count > MAX_LITERALS - list->count)
		return false;
	memcpy(list->literals + list->count, more->literals, more->count * sizeof(Literal));
	list->count += more->count;
	return true;
}

static bool
append_code(LiteralList *list, uint32 code)
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
append_set(LiteralList *list, const EvCodeSet *set)
{
	LiteralList *before;
	bool		fits = true;
	uint32		codes = 0;

	for (int i = 0; i < set->count && codes <= MAX_LITERALS; i++)
		codes += set->ranges[i].last - set->ranges[i].first + 1;
	if (codes == 0 || codes * list->count > MAX_LITERALS)
		return false;
	if (codes == 1)
		return append_code(list, set->ranges[0].first);

	before = copy_list(list);
	list->count = 0;
	for (int i = 0; i < set->count && fits; i++)
		for (uint32 code = set->ranges[i].first; code <= set->ranges[i].last && fits; code++)
		{
			LiteralList *after = copy_list(before);

			fits = append_code(after, code) && add_list(list, after);
			pfree(after);
		}
	pfree(before);
	return fits;
}

/*
 * Appends what a node matches to each literal of the list.  Returns false if
 * that cannot be listed.
 */
static bool
append_node(LiteralList *list, const EvPatternTree *tree, const EvNode *node)
{
	const EvNode *child;
	LiteralList *before;
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
				LiteralList *after = copy_list(before);

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
 * Appends a node that is a whole alternative.  Optional parts at either end
 * are left out, since the pattern is searched for: .*needle.*
 */
static bool
append_alternative(LiteralList *list, const EvPatternTree *tree, const EvNode *node)
{
	const EvNode *first;
	const EvNode *end = NULL;	/* after the last significant node */

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
list_literals(LiteralList *list, const EvPatternTree *tree)
{
	const EvNode *root = ev_node_without_groups(tree->root);
	const EvNode *alternative = root->kind == EV_NODE_CHOICE ? root->child : root;

	for (; alternative != NULL; alternative = root->kind == EV_NODE_CHOICE ? alternative->next : NULL)
	{
		LiteralList *more = make_list();
		bool		fits = append_alternative(more, tree, alternative) && add_list(list, more);

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

	/* the empty literal matches anywhere, so also at the start */
	if (literal.length == 0 && !literal.ends)
		literal.starts = true;
	literal.maximum = literal.starts && literal.ends ? literal.length : PG_UINT32_MAX;
	if (literal.length <= MAX_WORDS)
		ev_words((const char *) literal.bytes, literal.length, literal.words);
	literal.second = literal.length > 0 ? literal.length - 1 : 0;
	for (uint32 i = literal.length; i-- > 1;)
		if (literal.bytes[i] != literal.bytes[0])
		{
			literal.second = i;
			break;
		}
	memset(literal.lanes[0], literal.bytes[0], EV_LANES);
	memset(literal.lanes[1], literal.bytes[literal.second], EV_LANES);
	return literal;
}

/* An automaton distinguishes these faster, and fails as early. */
static bool
are_several_at_start(const LiteralList *list)
{
	for (int i = 0; i < list->count; i++)
		if (!list->literals[i].starts)
			return false;
	return list->count > 1;
}

EvLiterals *
ev_literals_make(const EvPatternTree *tree)
{
	LiteralList *list = palloc(sizeof(LiteralList));
	EvLiterals *literals = NULL;

	list->count = 0;
	if (list_literals(list, tree) && !are_several_at_start(list))
	{
		literals = palloc0(offsetof(EvLiterals, literals) + list->count * sizeof(Literal));
		for (int placed = 1; placed >= 0; placed--)
		{
			for (int i = 0; i < list->count; i++)
			{
				Literal		literal = finished(&list->literals[i]);

				if ((literal.starts || literal.ends) != (placed == 1))
					continue;
				literals->literals[literals->count++] = literal;
				if (placed == 0)
					literals->longest = Max(literals->longest, literal.length);
			}
			if (placed == 1)
				literals->placed_count = literals->count;
		}
		literals->is_short = literals->count == 1 && literals->placed_count == 1 &&
			literals->literals[0].length <= MAX_WORDS;
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

static inline const char *
position_of(const Literal *literal, const char *string, uint32 length)
{
	return literal->starts ? string : string + length - literal->length;
}

static inline bool
has_place(const Literal *literal, uint32 length)
{
	return length >= literal->length && length <= literal->maximum;
}

/*
 * Does the literal begin at one of the sixteen positions where its two bytes
 * are?
 */
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
begins_in_sixteen(const Literal *literal, const char *at)
{
	EvLanes		firsts = ev_lanes_equal(ev_lanes_of_bytes(literal->lanes[0]), ev_lanes_of_bytes(at));
	EvLanes		seconds = ev_lanes_equal(ev_lanes_of_bytes(literal->lanes[1]),
										 ev_lanes_of_bytes(at + literal->second));
	EvLanes		both = ev_lanes_and(firsts, seconds);

	return unlikely(ev_any_lane(both)) && begins_in_lanes(literal, at, both);
}

/* Does the literal begin at one of `count` bytes, starting with `from`? */
static bool
begins_within(const Literal *literal, const char *string, uint32 from, uint32 count)
{
	const char *at = string + from;
	const char *end = string + count;

	if (literal->length == 1)
		return memchr(at, literal->bytes[0], end - at) != NULL;
	if (count < EV_LANES)
	{
		for (; at < end; at++)
			if ((uint8) at[0] == literal->bytes[0] &&
				(uint8) at[literal->second] == literal->bytes[literal->second] &&
				memcmp(at, literal->bytes, literal->length) == 0)
				return true;
		return false;
	}
	for (; at < end - EV_LANES; at += EV_LANES)
		if (begins_in_sixteen(literal, at))
			return true;
	/* may overlap the previous sixteen */
	return begins_in_sixteen(literal, end - EV_LANES);
}

/* Not inlined, so that ev_literals_match has no registers to save for it. */
static pg_noinline bool
match_any(const EvLiterals *literals, const char *string, uint32 length)
{
	const Literal *first = literals->literals + literals->placed_count;
	const Literal *end = literals->literals + literals->count;
	uint32		from = 0;

	for (const Literal *literal = literals->literals; literal < first; literal++)
		if (has_place(literal, length) &&
			memcmp(position_of(literal, string, length), literal->bytes, literal->length) == 0)
			return true;
	if (first == end)
		return false;

	/* one of several literals is often near the start */
	if (end - first > 1)
		for (; from < TOGETHER_BYTES && from + EV_LANES + literals->longest <= length; from += EV_LANES)
			for (const Literal *literal = first; literal < end; literal++)
				if (begins_in_sixteen(literal, string + from))
					return true;

	for (uint32 start = 0; start < length; start += INTERRUPT_BYTES)
	{
		/* the strings are short, but a document may have millions of them */
		CHECK_FOR_INTERRUPTS();
		for (const Literal *literal = first; literal < end; literal++)
			if (literal->length <= length - start &&
				begins_within(literal, string + start, from,
							  Min(length - start - literal->length + 1, INTERRUPT_BYTES)))
				return true;
		from = 0;
	}
	return false;
}

bool
ev_literals_match(const EvLiterals *literals, const char *string, uint32 length)
{
	const Literal *literal = literals->literals;
	uint64		words[2];

	if (!literals->is_short)
		return match_any(literals, string, length);
	if (!has_place(literal, length))
		return false;
	ev_words(position_of(literal, string, length), literal->length, words);
	return words[0] == literal->words[0] && words[1] == literal->words[1];
}
