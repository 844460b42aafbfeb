/*
 * pattern_parse.c
 *	  The grammar of ECMA-262 patterns (2024, section 22.2.1) in Unicode mode,
 *	  that is with [+UnicodeMode] and without [UnicodeSetsMode].
 *
 * Relies on verified UTF-8.  The parser keeps its own stack of open groups:
 * no nesting makes it recurse, so that the syntax of any pattern can be
 * checked.  What is to be run is bounded, see pattern_internal.h.
 *
 * The lenient mode adds from Annex B (section B.1.2), which defines patterns
 * without the "u" flag, what is written in schemas and has one meaning only:
 *	- an escaped ASCII character that is no letter or digit is that character;
 *	- "{", "}" and "]" stand for themselves, where a "{" starts no quantifier;
 *	- "-" beside a class such as \w inside [...] stands for itself.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "pattern_internal.h"
#include "unicode_tables.h"

/* what an open group is; a byte each, since there may be a million */
typedef enum GroupKind
{
	GROUP_PLAIN,
	GROUP_CAPTURING,
	GROUP_LOOK,
} GroupKind;

typedef struct OpenGroup
{
	int			position;		/* of its "(" */
	uint8		kind;			/* GroupKind */
} OpenGroup;

/* what has been built of an open group; only while building a tree */
typedef struct Frame
{
	struct Frame *outer;
	EvNode	   *first_choice;	/* alternatives before the last "|" */
	EvNode	   *last_choice;
	EvNode	   *first_term;		/* of the alternative being read */
	EvNode	   *last_term;
	int			group;			/* GROUP_CAPTURING */
	bool		ahead;			/* GROUP_LOOK */
	bool		negative;		/* GROUP_LOOK */
} Frame;

/* The name of a group, or a reference to one. */
typedef struct NameUse
{
	char	   *name;			/* UTF-8, escapes decoded */
	int			position;
	int			group;			/* of the group that has the name */
	EvNode	   *node;			/* of the reference, or NULL */
} NameUse;

typedef struct NameList
{
	NameUse    *items;
	int			count;
	int			allocated;
} NameList;

/* A set under construction: ranges in any order. */
typedef struct SetBuilder
{
	EvCodeRange *ranges;
	int			count;
	int			allocated;
	int			normalized;		/* ranges at the last normalization */
} SetBuilder;

typedef struct Parser
{
	const unsigned char *start;
	const unsigned char *at;
	const unsigned char *end;
	bool		lenient;
	EvPatternError *error;

	/* syntax */
	OpenGroup  *open;
	int			open_count;
	int			open_allocated;
	int			group_count;
	int			max_reference;	/* largest \N */
	int			max_reference_position;
	NameList	groups;
	NameList	references;
	StringInfoData name;		/* the one being read */

	/* the tree; NULL where only the syntax is checked */
	EvPatternTree *tree;
	Frame	   *frame;
	int			sets_allocated;
	int		   *set_index;		/* hash table: set number, or -1 */
	int			set_index_size; /* a power of 2 */
	int			range_count;	/* gathered and stored, to bound the work */
	EvPatternError unsupported; /* why the tree was given up, if it was */
} Parser;

static const EvCodeRange digit_ranges[] = {{'0', '9'}};
static const EvCodeRange word_ranges[] = {
	{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}
};

/* WhiteSpace and LineTerminator, sections 12.2 and 12.3 */
static const EvCodeRange space_ranges[] = {
	{0x9, 0xD}, {0x20, 0x20}, {0xA0, 0xA0}, {0x1680, 0x1680},
	{0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
	{0x3000, 0x3000}, {0xFEFF, 0xFEFF}
};

/* LineTerminator, section 12.3: what "." does not match */
static const EvCodeRange line_terminator_ranges[] = {
	{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}
};

/* ---- errors ---- */

static bool
fail(Parser *parser, const unsigned char *at, const char *message)
{
	parser->error->message = message;
	parser->error->position = at - parser->start;
	parser->error->unsupported = false;
	return false;
}

/*
 * An error about an escape, which is quoted.  What is not printable ASCII is
 * written as U+XXXX: messages must be valid in any server encoding.
 */
static bool
fail_escape(Parser *parser, const unsigned char *backslash, const char *problem)
{
	const unsigned char *at = backslash + 1;

	if (at >= parser->end)
		return fail(parser, backslash, "\"\\\" at the end of the pattern");
	if (*at >= 0x20 && *at < 0x7F)
		return fail(parser, backslash, psprintf("%s \"\\%c\"", problem, *at));
	return fail(parser, backslash,
				psprintf("%s \"\\\" before U+%04X", problem, ev_utf8_decode(at)));
}

/*
 * The pattern is too large to be run: only its syntax is of interest from
 * here on.
 */
static void
give_up_tree(Parser *parser, const unsigned char *at, const char *message)
{
	if (parser->tree == NULL)
		return;
	parser->tree = NULL;
	parser->frame = NULL;
	parser->unsupported.message = message;
	parser->unsupported.position = at - parser->start;
	parser->unsupported.unsupported = true;
}

/* ---- sets of code points ---- */

static int
compare_ranges(const void *a, const void *b)
{
	const EvCodeRange *x = a;
	const EvCodeRange *y = b;

	return x->first < y->first ? -1 : x->first > y->first ? 1 : 0;
}

static void
normalize_set(SetBuilder *builder)
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

static void
add_ranges(SetBuilder *builder, const EvCodeRange *ranges, int count)
{
	if (builder->count + count > builder->allocated)
	{
		/* the same ranges again and again must not pile up */
		if (builder->count > 2 * builder->normalized + 64)
			normalize_set(builder);
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

static void
add_complement(SetBuilder *builder, const EvCodeRange *ranges, int count)
{
	uint32		next = 0;

	for (int i = 0; i <= count; i++)
	{
		uint32		first = i < count ? ranges[i].first : EV_MAX_CODE + 1;

		if (first > next)
		{
			EvCodeRange gap = {next, first - 1};

			add_ranges(builder, &gap, 1);
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
grow_set_index(Parser *parser)
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

/* The number of a set in the tree; equal sets have one number. */
static int
store_set(Parser *parser, const EvCodeRange *ranges, int count)
{
	EvPatternTree *tree = parser->tree;
	EvCodeRange *copy;
	uint32		slot;

	if (count == 0)
		ranges = digit_ranges;	/* memcmp and memcpy must not see NULL */
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

/* ---- the tree ---- */

static EvNode *
make_node(EvNodeKind kind, int position)
{
	EvNode	   *node = palloc0(sizeof(EvNode));

	node->kind = kind;
	node->position = position;
	/* so for all without children but these two */
	node->nullable = (kind != EV_NODE_SET);
	node->zero_width = (kind != EV_NODE_SET && kind != EV_NODE_BACKREFERENCE);
	return node;
}

/* A node around these children, of which there is one at least. */
static EvNode *
make_parent(EvNodeKind kind, int position, EvNode *children)
{
	EvNode	   *node = make_node(kind, position);

	node->child = children;
	if (kind == EV_NODE_LOOK)
		return node;
	node->nullable = (kind != EV_NODE_CHOICE);
	node->zero_width = true;
	for (const EvNode *child = children; child != NULL; child = child->next)
	{
		if (kind == EV_NODE_CHOICE)
			node->nullable |= child->nullable;
		else
			node->nullable &= child->nullable;
		node->zero_width &= child->zero_width;
	}
	return node;
}

/* Numbers a node and all in it, from `next` on; gives the next number. */
static int
number_nodes(EvNode *node, int next)
{
	check_stack_depth();
	node->first = next++;
	for (EvNode *child = node->child; child != NULL; child = child->next)
		next = number_nodes(child, next);
	node->last = next - 1;
	return next;
}

/* These give NULL where only the syntax is checked. */
static EvNode *
make_set_node(Parser *parser, const unsigned char *at, const EvCodeRange *ranges,
			  int count)
{
	EvNode	   *node;

	if (parser->tree == NULL)
		return NULL;
	node = make_node(EV_NODE_SET, at - parser->start);
	node->set = store_set(parser, ranges, count);
	if (parser->range_count > EV_PATTERN_MAX_RANGES)
		give_up_tree(parser, at, "character classes too large");
	return node;
}

static EvNode *
make_code_node(Parser *parser, const unsigned char *at, uint32 code)
{
	EvCodeRange range = {code, code};

	return make_set_node(parser, at, &range, 1);
}

static void
append_term(Parser *parser, EvNode *node)
{
	Frame	   *frame = parser->frame;

	if (frame == NULL || node == NULL)
		return;
	if (frame->last_term == NULL)
		frame->first_term = node;
	else
		frame->last_term->next = node;
	frame->last_term = node;
}

/* The alternative of the frame is complete. */
static void
finish_alternative(Parser *parser)
{
	Frame	   *frame = parser->frame;
	EvNode	   *node;

	if (frame == NULL)
		return;
	if (frame->first_term == NULL)
		node = make_node(EV_NODE_EMPTY, parser->at - parser->start);
	else if (frame->first_term == frame->last_term)
		node = frame->first_term;
	else
		node = make_parent(EV_NODE_SEQUENCE, frame->first_term->position,
						   frame->first_term);
	if (frame->last_choice == NULL)
		frame->first_choice = node;
	else
		frame->last_choice->next = node;
	frame->last_choice = node;
	frame->first_term = frame->last_term = NULL;
}

/* The frame's whole disjunction; the frame is closed. */
static EvNode *
finish_frame(Parser *parser, int position)
{
	Frame	   *frame = parser->frame;
	EvNode	   *node;

	if (frame == NULL)
		return NULL;
	finish_alternative(parser);
	if (frame->first_choice == frame->last_choice)
		node = frame->first_choice;
	else
		node = make_parent(EV_NODE_CHOICE, position, frame->first_choice);
	parser->frame = frame->outer;
	pfree(frame);
	return node;
}

static void
push_frame(Parser *parser)
{
	Frame	   *frame;

	if (parser->tree == NULL)
		return;
	frame = palloc0(sizeof(Frame));
	frame->outer = parser->frame;
	parser->frame = frame;
}

/* ---- lexical matters ---- */

static int
hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static inline bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Exactly `digits` hexadecimal digits, or false with nothing read. */
static bool
read_hex(Parser *parser, const unsigned char **at, int digits, uint32 *value)
{
	*value = 0;
	if (parser->end - *at < digits)
		return false;
	for (int i = 0; i < digits; i++)
	{
		int			digit = hex_value((*at)[i]);

		if (digit < 0)
			return false;
		*value = *value << 4 | digit;
	}
	*at += digits;
	return true;
}

/*
 * RegExpUnicodeEscapeSequence, after "\u".  A lead surrogate takes the trail
 * surrogate that follows it; alone, each stands for itself.
 */
static bool
read_unicode_escape(Parser *parser, uint32 *code)
{
	const unsigned char *at = parser->at;

	if (at < parser->end && *at == '{')
	{
		const unsigned char *digits = ++at;

		*code = 0;
		while (at < parser->end && hex_value(*at) >= 0)
		{
			*code = *code << 4 | hex_value(*at++);
			if (*code > EV_MAX_CODE)
				return false;
		}
		if (at == digits || at >= parser->end || *at != '}')
			return false;
		parser->at = at + 1;
		return true;
	}

	if (!read_hex(parser, &at, 4, code))
		return false;
	if (*code >= 0xD800 && *code <= 0xDBFF &&
		parser->end - at >= 6 && at[0] == '\\' && at[1] == 'u')
	{
		const unsigned char *trail = at + 2;
		uint32		low;

		if (read_hex(parser, &trail, 4, &low) && low >= 0xDC00 && low <= 0xDFFF)
		{
			*code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
			at = trail;
		}
	}
	parser->at = at;
	return true;
}

/*
 * CharacterEscape: parser->at is after the backslash.
 */
static bool
read_character_escape(Parser *parser, const unsigned char *backslash, uint32 *code)
{
	unsigned char c;
	const unsigned char *at;

	if (parser->at >= parser->end)
		return fail_escape(parser, backslash, "invalid escape");
	c = *parser->at++;
	switch (c)
	{
		case 'f':
			*code = '\f';
			return true;
		case 'n':
			*code = '\n';
			return true;
		case 'r':
			*code = '\r';
			return true;
		case 't':
			*code = '\t';
			return true;
		case 'v':
			*code = '\v';
			return true;
		case 'c':
			if (parser->at < parser->end && is_letter(*parser->at))
			{
				*code = *parser->at++ % 32;
				return true;
			}
			return fail(parser, backslash, "\"\\c\" without a letter");
		case '0':
			if (parser->at < parser->end && is_digit(*parser->at))
				return fail(parser, backslash, "\"\\0\" before a digit");
			*code = 0;
			return true;
		case 'x':
			at = parser->at;
			if (!read_hex(parser, &at, 2, code))
				return fail(parser, backslash, "\"\\x\" without two hexadecimal digits");
			parser->at = at;
			return true;
		case 'u':
			if (!read_unicode_escape(parser, code))
				return fail(parser, backslash, "invalid \"\\u\" escape");
			return true;
		default:
			/* IdentityEscape: SyntaxCharacter or "/" */
			if (strchr("^$\\.*+?()[]{}|/", c) != NULL && c != '\0')
			{
				*code = c;
				return true;
			}
			if (parser->lenient && c >= 0x20 && c < 0x7F && !is_letter(c) && !is_digit(c))
			{
				*code = c;
				return true;
			}
			return fail_escape(parser, backslash, "invalid escape");
	}
}

/* ---- properties ---- */

static int
compare_names(const void *key, const void *entry)
{
	return strcmp((const char *) key, ((const UnicodeName *) entry)->name);
}

static const UnicodeName *
find_name(const UnicodeName *names, int count, const char *name)
{
	return bsearch(name, names, count, sizeof(UnicodeName), compare_names);
}

/*
 * \p{...}, after the "p": UnicodePropertyValueExpression, whose names are
 * matched to the letter.
 */
static bool
read_property(Parser *parser, const unsigned char *backslash, EvCodeSet *set)
{
	const unsigned char *at = parser->at;
	const UnicodeName *found = NULL;
	char		name[64];
	char	   *value;
	int			length;

	if (at >= parser->end || *at != '{')
		return fail_escape(parser, backslash, "\"{\" expected after");
	at++;
	for (length = 0; at + length < parser->end && at[length] != '}'; length++)
	{
		unsigned char c = at[length];

		if (!is_letter(c) && !is_digit(c) && c != '_' && c != '=')
			return fail(parser, backslash, "invalid property name");
		if (length >= (int) sizeof(name) - 1)
			return fail(parser, backslash, "unknown property");
		name[length] = c;
	}
	if (at + length >= parser->end)
		return fail(parser, backslash, "unterminated property name");
	name[length] = '\0';

	value = strchr(name, '=');
	if (value == NULL)
	{
		found = find_name(unicode_categories, lengthof(unicode_categories), name);
		if (found == NULL)
			found = find_name(unicode_properties, lengthof(unicode_properties), name);
		if (found == NULL)
			return fail(parser, backslash, psprintf("unknown property \"%s\"", name));
	}
	else
	{
		*value++ = '\0';
		if (strcmp(name, "General_Category") == 0 || strcmp(name, "gc") == 0)
			found = find_name(unicode_categories, lengthof(unicode_categories), value);
		else if (strcmp(name, "Script") == 0 || strcmp(name, "sc") == 0)
			found = find_name(unicode_scripts, lengthof(unicode_scripts), value);
		else if (strcmp(name, "Script_Extensions") == 0 || strcmp(name, "scx") == 0)
			found = find_name(unicode_script_extensions,
							  lengthof(unicode_script_extensions), value);
		else
			return fail(parser, backslash, psprintf("unknown property \"%s\"", name));
		if (found == NULL)
			return fail(parser, backslash,
						psprintf("unknown value \"%s\" of property \"%s\"", value, name));
	}
	parser->at = at + length + 1;
	set->ranges = unicode_ranges + found->offset;
	set->count = found->count;
	return true;
}

static bool
set_contains(const EvCodeRange *ranges, int count, uint32 code)
{
	int			low = 0;
	int			high = count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (code > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && ranges[low].first <= code;
}

static bool
has_property(const char *property, uint32 code)
{
	const UnicodeName *found = find_name(unicode_properties,
										 lengthof(unicode_properties), property);

	return set_contains(unicode_ranges + found->offset, found->count, code);
}

/*
 * CharacterClassEscape: \d, \s, \w, \p{...} and their complements.  Sets
 * *is_class to whether there is one; if so, it is read.
 */
static bool
read_class_escape(Parser *parser, const unsigned char *backslash, bool *is_class,
				  EvCodeSet *set, bool *negated)
{
	*is_class = false;
	if (parser->at >= parser->end)
		return true;
	switch (*parser->at)
	{
		case 'd':
		case 'D':
			set->ranges = digit_ranges;
			set->count = lengthof(digit_ranges);
			break;
		case 's':
		case 'S':
			set->ranges = space_ranges;
			set->count = lengthof(space_ranges);
			break;
		case 'w':
		case 'W':
			set->ranges = word_ranges;
			set->count = lengthof(word_ranges);
			break;
		case 'p':
		case 'P':
			break;
		default:
			return true;
	}
	*is_class = true;
	*negated = (*parser->at >= 'A' && *parser->at <= 'Z');
	parser->at++;
	if (parser->at[-1] == 'p' || parser->at[-1] == 'P')
		return read_property(parser, backslash, set);
	return true;
}

/* ---- [...] ---- */

/* ClassAtom: one code point, or (*is_class) a set that went into builder */
static bool
read_class_atom(Parser *parser, SetBuilder *builder, bool *is_class, uint32 *code)
{
	const unsigned char *at = parser->at;
	EvCodeSet	set;
	bool		negated;

	*is_class = false;
	if (*at != '\\')
	{
		*code = ev_utf8_decode(at);
		parser->at += ev_utf8_length(*at);
		return true;
	}

	parser->at++;
	if (parser->at < parser->end && (*parser->at == 'b' || *parser->at == '-'))
	{
		*code = *parser->at++ == 'b' ? '\b' : '-';
		return true;
	}
	if (!read_class_escape(parser, at, is_class, &set, &negated))
		return false;
	if (!*is_class)
		return read_character_escape(parser, at, code);
	if (parser->tree != NULL)
	{
		if (negated)
			add_complement(builder, set.ranges, set.count);
		else
			add_ranges(builder, set.ranges, set.count);
		parser->range_count += set.count;
		if (parser->range_count > EV_PATTERN_MAX_RANGES)
			give_up_tree(parser, at, "character classes too large");
	}
	return true;
}

static bool
read_class(Parser *parser, EvNode **node)
{
	const unsigned char *start = parser->at++;
	SetBuilder	builder = {0};
	bool		negated = false;

	if (parser->at < parser->end && *parser->at == '^')
	{
		negated = true;
		parser->at++;
	}
	while (parser->at < parser->end && *parser->at != ']')
	{
		const unsigned char *atom = parser->at;
		bool		is_class;
		bool		is_last_class;
		EvCodeRange range;

		CHECK_FOR_INTERRUPTS();
		if (!read_class_atom(parser, &builder, &is_class, &range.first))
			return false;
		range.last = range.first;
		if (parser->end - parser->at >= 2 && parser->at[0] == '-' && parser->at[1] != ']')
		{
			parser->at++;
			if (!read_class_atom(parser, &builder, &is_last_class, &range.last))
				return false;
			if (is_class || is_last_class)
			{
				EvCodeRange hyphen = {'-', '-'};

				if (!parser->lenient)
					return fail(parser, atom, "range of a character class with a class as its end");
				if (parser->tree != NULL)
				{
					add_ranges(&builder, &hyphen, 1);
					/* whichever end is a code point stands for itself */
					range.first = is_class ? range.last : range.first;
					if (!is_class || !is_last_class)
					{
						range.last = range.first;
						add_ranges(&builder, &range, 1);
					}
				}
				continue;
			}
			if (range.first > range.last)
				return fail(parser, atom, "range of a character class out of order");
		}
		if (!is_class && parser->tree != NULL)
			add_ranges(&builder, &range, 1);
	}
	if (parser->at >= parser->end)
		return fail(parser, start, "unterminated character class");
	parser->at++;

	*node = NULL;
	if (parser->tree != NULL)
	{
		normalize_set(&builder);
		if (negated)
		{
			SetBuilder	complement = {0};

			add_complement(&complement, builder.ranges, builder.count);
			if (builder.ranges != NULL)
				pfree(builder.ranges);
			builder = complement;
		}
		*node = make_set_node(parser, start, builder.ranges, builder.count);
	}
	if (builder.ranges != NULL)
		pfree(builder.ranges);
	return true;
}

/* ---- groups, names and references ---- */

static NameUse *
add_name(NameList *list)
{
	if (list->count == list->allocated)
	{
		list->allocated = Max(8, list->allocated * 2);
		if (list->items == NULL)
			list->items = palloc(list->allocated * sizeof(NameUse));
		else
			list->items = repalloc(list->items, list->allocated * sizeof(NameUse));
	}
	memset(&list->items[list->count], 0, sizeof(NameUse));
	return &list->items[list->count++];
}

/*
 * GroupName: parser->at is at its "<".  `at` is where an error is reported.
 */
static bool
read_group_name(Parser *parser, const unsigned char *at, char **name)
{
	StringInfo	buffer = &parser->name;

	parser->at++;
	if (buffer->data == NULL)
		initStringInfo(buffer);
	resetStringInfo(buffer);
	for (;;)
	{
		uint32		code;
		unsigned char bytes[4];
		bool		allowed;

		if (parser->at >= parser->end)
			return fail(parser, at, "unterminated group name");
		if (*parser->at == '>')
			break;
		if (*parser->at == '\\')
		{
			if (parser->end - parser->at < 2 || parser->at[1] != 'u')
				return fail(parser, at, "invalid group name");
			parser->at += 2;
			if (!read_unicode_escape(parser, &code))
				return fail(parser, at, "invalid group name");
		}
		else
		{
			code = ev_utf8_decode(parser->at);
			parser->at += ev_utf8_length(*parser->at);
		}
		if (code == '$' || code == '_')
			allowed = true;
		else if (buffer->len == 0)
			allowed = has_property("ID_Start", code);
		else
			allowed = has_property("ID_Continue", code) ||
				code == 0x200C || code == 0x200D;
		if (!allowed)
			return fail(parser, at, "invalid group name");
		unicode_to_utf8(code, bytes);
		appendBinaryStringInfo(buffer, (char *) bytes, pg_utf_mblen(bytes));
	}
	if (buffer->len == 0)
		return fail(parser, at, "empty group name");
	parser->at++;
	*name = pstrdup(buffer->data);
	return true;
}

static int
compare_name_uses(const void *a, const void *b)
{
	const NameUse *x = a;
	const NameUse *y = b;
	int			order = strcmp(x->name, y->name);

	return order != 0 ? order : x->position - y->position;
}

/* The early errors about names and numbers, once all groups are known. */
static bool
resolve_references(Parser *parser)
{
	NameList   *groups = &parser->groups;

	if (parser->max_reference > parser->group_count)
		return fail(parser, parser->start + parser->max_reference_position,
					psprintf("back-reference to group %d, which does not exist",
							 parser->max_reference));

	if (groups->count > 0)
		qsort(groups->items, groups->count, sizeof(NameUse), compare_name_uses);
	for (int i = 1; i < groups->count; i++)
	{
		if (strcmp(groups->items[i - 1].name, groups->items[i].name) == 0)
			return fail(parser, parser->start + groups->items[i].position,
						"duplicate group name");
	}

	for (int i = 0; i < parser->references.count; i++)
	{
		NameUse    *reference = &parser->references.items[i];
		int			low = 0;
		int			high = groups->count;

		while (low < high)
		{
			int			middle = (low + high) / 2;

			if (strcmp(groups->items[middle].name, reference->name) < 0)
				low = middle + 1;
			else
				high = middle;
		}
		if (low == groups->count ||
			strcmp(groups->items[low].name, reference->name) != 0)
			return fail(parser, parser->start + reference->position,
						"back-reference to a group name that does not exist");
		if (reference->node != NULL)
			reference->node->group = groups->items[low].group;
	}
	return true;
}

static bool
open_group(Parser *parser)
{
	const unsigned char *start = parser->at++;
	GroupKind	kind = GROUP_CAPTURING;
	bool		ahead = false;
	bool		negative = false;
	NameUse    *named = NULL;

	if (parser->at < parser->end && *parser->at == '?')
	{
		const unsigned char *at = parser->at + 1;
		int			left = parser->end - at;

		if (left >= 1 && *at == ':')
		{
			kind = GROUP_PLAIN;
			parser->at = at + 1;
		}
		else if (left >= 1 && (*at == '=' || *at == '!'))
		{
			kind = GROUP_LOOK;
			ahead = true;
			negative = (*at == '!');
			parser->at = at + 1;
		}
		else if (left >= 2 && *at == '<' && (at[1] == '=' || at[1] == '!'))
		{
			kind = GROUP_LOOK;
			negative = (at[1] == '!');
			parser->at = at + 2;
		}
		else if (left >= 1 && *at == '<')
		{
			char	   *name;

			parser->at = at;
			if (!read_group_name(parser, start, &name))
				return false;
			named = add_name(&parser->groups);
			named->name = name;
			named->position = start - parser->start;
		}
		else
			return fail(parser, start, "invalid group \"(?\"");
	}

	if (parser->open_count == parser->open_allocated)
	{
		parser->open_allocated = Max(64, parser->open_allocated * 2);
		if (parser->open == NULL)
			parser->open = palloc(parser->open_allocated * sizeof(OpenGroup));
		else
			parser->open = repalloc(parser->open,
									parser->open_allocated * sizeof(OpenGroup));
	}
	parser->open[parser->open_count].position = start - parser->start;
	parser->open[parser->open_count].kind = kind;
	parser->open_count++;
	if (parser->open_count > EV_PATTERN_MAX_DEPTH)
		give_up_tree(parser, start, "groups nested too deeply");

	if (kind == GROUP_CAPTURING)
		parser->group_count++;
	if (named != NULL)
		named->group = parser->group_count;
	push_frame(parser);
	if (parser->frame != NULL)
	{
		parser->frame->group = parser->group_count;
		parser->frame->ahead = ahead;
		parser->frame->negative = negative;
	}
	return true;
}

/* At ")": the group as a term, and whether it may be quantified. */
static bool
close_group(Parser *parser, EvNode **node, bool *quantifiable)
{
	OpenGroup	open;
	Frame		closed = {0};

	if (parser->open_count == 0)
		return fail(parser, parser->at, "unmatched \")\"");
	open = parser->open[--parser->open_count];
	*quantifiable = (open.kind != GROUP_LOOK);
	*node = NULL;
	if (parser->frame != NULL)
	{
		closed = *parser->frame;
		*node = finish_frame(parser, open.position);
	}
	parser->at++;
	if (*node != NULL && open.kind != GROUP_PLAIN)
	{
		EvNode	   *group = make_parent(open.kind == GROUP_LOOK ? EV_NODE_LOOK : EV_NODE_GROUP,
										open.position, *node);

		if (open.kind == GROUP_LOOK)
		{
			group->ahead = closed.ahead;
			group->negative = closed.negative;
			parser->tree->has_look = true;
		}
		else
			group->group = closed.group;
		*node = group;
	}
	return true;
}

/* ---- terms ---- */

/* A term that starts with a backslash. */
static bool
read_escape_term(Parser *parser, EvNode **node, bool *quantifiable)
{
	const unsigned char *start = parser->at++;
	int			position = start - parser->start;
	EvCodeSet	set;
	bool		is_class;
	bool		negated;
	uint32		code;

	*quantifiable = true;
	*node = NULL;
	if (parser->at < parser->end && (*parser->at == 'b' || *parser->at == 'B'))
	{
		*quantifiable = false;
		if (parser->tree != NULL)
		{
			*node = make_node(EV_NODE_WORD_BOUNDARY, position);
			(*node)->negative = (*parser->at == 'B');
			if (parser->tree->word_set < 0)
				parser->tree->word_set = store_set(parser, word_ranges,
												   lengthof(word_ranges));
		}
		parser->at++;
		return true;
	}

	/* DecimalEscape */
	if (parser->at < parser->end && *parser->at >= '1' && *parser->at <= '9')
	{
		int			number = 0;

		while (parser->at < parser->end && is_digit(*parser->at))
		{
			if (number < EV_MAX_COUNT / 10)
				number = number * 10 + (*parser->at - '0');
			else
				number = EV_MAX_COUNT;
			parser->at++;
		}
		if (number > parser->max_reference)
		{
			parser->max_reference = number;
			parser->max_reference_position = position;
		}
		if (parser->tree != NULL)
		{
			*node = make_node(EV_NODE_BACKREFERENCE, position);
			(*node)->group = number;
			parser->tree->reference_count++;
		}
		return true;
	}

	if (parser->at < parser->end && *parser->at == 'k')
	{
		char	   *name;
		NameUse    *reference;

		parser->at++;
		if (parser->at >= parser->end || *parser->at != '<')
			return fail(parser, start, "\"\\k\" without a group name");
		if (!read_group_name(parser, start, &name))
			return false;
		if (parser->tree != NULL)
		{
			*node = make_node(EV_NODE_BACKREFERENCE, position);
			parser->tree->reference_count++;
		}
		reference = add_name(&parser->references);
		reference->name = name;
		reference->position = position;
		reference->node = *node;
		return true;
	}

	if (!read_class_escape(parser, start, &is_class, &set, &negated))
		return false;
	if (is_class)
	{
		if (parser->tree == NULL)
			return true;
		if (negated)
		{
			SetBuilder	builder = {0};

			add_complement(&builder, set.ranges, set.count);
			*node = make_set_node(parser, start, builder.ranges, builder.count);
			if (builder.ranges != NULL)
				pfree(builder.ranges);
		}
		else
			*node = make_set_node(parser, start, set.ranges, set.count);
		return true;
	}

	if (!read_character_escape(parser, start, &code))
		return false;
	*node = make_code_node(parser, start, code);
	return true;
}

/* A decimal number of any length: its digits without leading zeros. */
static bool
read_count(Parser *parser, const unsigned char **at, const unsigned char **digits,
		   int *length)
{
	const unsigned char *start = *at;

	while (*at < parser->end && is_digit(**at))
		(*at)++;
	if (*at == start)
		return false;
	while (start < *at - 1 && *start == '0')
		start++;
	*digits = start;
	*length = *at - start;
	return true;
}

static int
count_value(const unsigned char *digits, int length)
{
	int			value = 0;

	if (length > 9)
		return EV_MAX_COUNT;
	for (int i = 0; i < length; i++)
		value = value * 10 + (digits[i] - '0');
	return value;
}

/*
 * A quantifier in braces at *at: moves *at behind it.  False, with nothing
 * read, where there is none.
 */
static bool
read_braces(Parser *parser, const unsigned char **at, int *min, int *max,
			bool *ordered)
{
	const unsigned char *here = *at + 1;
	const unsigned char *low;
	const unsigned char *high;
	int			low_length;
	int			high_length;

	*ordered = true;
	if (!read_count(parser, &here, &low, &low_length))
		return false;
	*min = *max = count_value(low, low_length);
	if (here < parser->end && *here == ',')
	{
		here++;
		if (read_count(parser, &here, &high, &high_length))
		{
			*max = count_value(high, high_length);
			/* early error: compared as mathematical values, however long */
			*ordered = low_length < high_length ||
				(low_length == high_length && memcmp(low, high, low_length) <= 0);
		}
		else
			*max = EV_UNBOUNDED;
	}
	if (here >= parser->end || *here != '}')
		return false;
	*at = here + 1;
	return true;
}

/* Wraps *node into the quantifier that follows, if one does. */
static bool
read_quantifier(Parser *parser, EvNode **node)
{
	const unsigned char *start = parser->at;
	bool		ordered = true;
	int			min;
	int			max;

	if (start >= parser->end)
		return true;
	switch (*start)
	{
		case '*':
			min = 0;
			max = EV_UNBOUNDED;
			parser->at++;
			break;
		case '+':
			min = 1;
			max = EV_UNBOUNDED;
			parser->at++;
			break;
		case '?':
			min = 0;
			max = 1;
			parser->at++;
			break;
		case '{':
			if (!read_braces(parser, &parser->at, &min, &max, &ordered))
				return true;	/* a literal, or an error: the next term says */
			break;
		default:
			return true;
	}
	if (!ordered)
		return fail(parser, start, "quantifier with its numbers out of order");
	/* lazy or greedy makes no difference to whether there is a match */
	if (parser->at < parser->end && *parser->at == '?')
		parser->at++;

	if (*node != NULL && parser->tree != NULL)
	{
		EvNode	   *repeat = make_parent(EV_NODE_REPEAT, (*node)->position, *node);

		repeat->min = min;
		repeat->max = max;
		repeat->nullable |= (min == 0);
		repeat->zero_width |= (max == 0);
		*node = repeat;
	}
	return true;
}

static bool
read_term(Parser *parser)
{
	const unsigned char *start = parser->at;
	EvNode	   *node = NULL;
	bool		quantifiable = true;

	switch (*start)
	{
		case '|':
			finish_alternative(parser);
			parser->at++;
			return true;
		case '(':
			return open_group(parser);
		case ')':
			if (!close_group(parser, &node, &quantifiable))
				return false;
			break;
		case '^':
		case '$':
			if (parser->tree != NULL)
				node = make_node(*start == '^' ? EV_NODE_START : EV_NODE_END,
								 start - parser->start);
			parser->at++;
			quantifiable = false;
			break;
		case '*':
		case '+':
		case '?':
			return fail(parser, start, psprintf("nothing to repeat before \"%c\"", *start));
		case '{':
			{
				const unsigned char *behind = start;
				int			min;
				int			max;
				bool		ordered;

				if (read_braces(parser, &behind, &min, &max, &ordered))
					return fail(parser, start, "nothing to repeat before \"{\"");
				if (!parser->lenient)
					return fail(parser, start, "lone \"{\"");
				parser->at++;
				node = make_code_node(parser, start, *start);
				break;
			}
		case '}':
		case ']':
			if (!parser->lenient)
				return fail(parser, start, psprintf("lone \"%c\"", *start));
			parser->at++;
			node = make_code_node(parser, start, *start);
			break;
		case '.':
			parser->at++;
			if (parser->tree != NULL)
			{
				SetBuilder	builder = {0};

				add_complement(&builder, line_terminator_ranges,
							   lengthof(line_terminator_ranges));
				node = make_set_node(parser, start, builder.ranges, builder.count);
				pfree(builder.ranges);
			}
			break;
		case '[':
			if (!read_class(parser, &node))
				return false;
			break;
		case '\\':
			if (!read_escape_term(parser, &node, &quantifiable))
				return false;
			break;
		default:
			parser->at += ev_utf8_length(*start);
			node = make_code_node(parser, start, ev_utf8_decode(start));
			break;
	}

	/* after what may not be repeated, the next term reports a quantifier */
	if (quantifiable && !read_quantifier(parser, &node))
		return false;
	append_term(parser, node);
	return true;
}

bool
ev_pattern_parse(const char *pattern, int length, bool lenient,
				 EvPatternTree *tree, EvPatternError *error)
{
	Parser		parser = {0};

	parser.start = parser.at = (const unsigned char *) pattern;
	parser.end = parser.start + length;
	parser.lenient = lenient;
	parser.error = error;
	parser.tree = tree;
	if (tree != NULL)
	{
		memset(tree, 0, sizeof(EvPatternTree));
		tree->word_set = -1;
		if (length > EV_PATTERN_MAX_LENGTH)
			give_up_tree(&parser, parser.start, "pattern too long");
	}
	push_frame(&parser);

	while (parser.at < parser.end)
	{
		CHECK_FOR_INTERRUPTS();
		if (!read_term(&parser))
			return false;
	}
	if (parser.open_count > 0)
		return fail(&parser, parser.start + parser.open[parser.open_count - 1].position,
					"unterminated group");
	if (!resolve_references(&parser))
		return false;
	if (parser.unsupported.message != NULL)
	{
		*error = parser.unsupported;
		return false;
	}
	if (tree != NULL)
	{
		tree->root = finish_frame(&parser, 0);
		tree->group_count = parser.group_count;
		tree->range_count = parser.range_count;
		number_nodes(tree->root, 0);
	}
	return true;
}

const EvNode *
ev_pattern_find_group(const EvNode *node, int group)
{
	check_stack_depth();
	if (node->kind == EV_NODE_GROUP && node->group == group)
		return node;
	for (const EvNode *child = node->child; child != NULL; child = child->next)
	{
		const EvNode *found = ev_pattern_find_group(child, group);

		if (found != NULL)
			return found;
	}
	return NULL;
}

bool
ev_pattern_is_valid(const char *pattern, int length)
{
	EvPatternError error;

	return ev_pattern_parse(pattern, length, false, NULL, &error);
}
