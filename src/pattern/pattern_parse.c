/*
 * pattern_parse.c
 *	  The grammar of ECMA-262 patterns (2024, section 22.2.1) in Unicode
 *	  mode: with [+UnicodeMode] and without [UnicodeSetsMode].
 *
 * Input must be verified UTF-8.  The parser keeps its own stack of open groups
 * instead of recursing, so that the syntax of any pattern can be checked.
 * Patterns that are to be run have limits, see pattern_internal.h.
 *
 * The lenient mode adds parts of Annex B (section B.1.2), which defines
 * patterns without the "u" flag, that schemas use and that have only one
 * meaning:
 * - an escaped ASCII character other than a letter or digit is that character;
 * - "{", "}" and "]" stand for themselves, if a "{" starts no quantifier;
 * - "-" beside a class such as \w inside [...] stands for itself.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "pattern/pattern_parser.h"

/* LineTerminator, section 12.3: what "." does not match */
static const EvCodeRange line_terminator_ranges[] = {
	{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}
};

/* ---- the tree ---- */

static EvNode *
make_node(EvNodeKind kind, int position)
{
	EvNode	   *node = palloc0(sizeof(EvNode));

	node->kind = kind;
	node->position = position;
	/* true for all nodes without children except these two */
	node->nullable = (kind != EV_NODE_SET);
	node->zero_width = (kind != EV_NODE_SET && kind != EV_NODE_BACKREFERENCE);
	return node;
}

/* Makes a node with these children, at least one. */
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

/*
 * Numbers a node and its subtree, starting with `next`.  Returns the next
 * number.
 */
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

/* The functions below return NULL if only the syntax is checked. */
static EvNode *
make_set_node(EvPatternParser *parser, const unsigned char *at, const EvCodeRange *ranges,
			  int count)
{
	EvNode	   *node;

	if (parser->tree == NULL)
		return NULL;
	node = make_node(EV_NODE_SET, at - parser->start);
	node->set = ev_set_store(parser, ranges, count);
	if (parser->range_count > EV_PATTERN_MAX_RANGES)
		ev_pattern_give_up_tree(parser, at, "character classes too large");
	return node;
}

static EvNode *
make_code_node(EvPatternParser *parser, const unsigned char *at, uint32 code)
{
	EvCodeRange range = {code, code};

	return make_set_node(parser, at, &range, 1);
}

static void
append_term(EvPatternParser *parser, EvNode *node)
{
	EvParseFrame *frame = parser->frame;

	if (frame == NULL || node == NULL)
		return;
	if (frame->last_term == NULL)
		frame->first_term = node;
	else
		frame->last_term->next = node;
	frame->last_term = node;
}

/* Ends the current alternative of the innermost frame. */
static void
finish_alternative(EvPatternParser *parser)
{
	EvParseFrame *frame = parser->frame;
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

/* Closes the innermost frame, and returns its disjunction. */
static EvNode *
finish_frame(EvPatternParser *parser, int position)
{
	EvParseFrame *frame = parser->frame;
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
push_frame(EvPatternParser *parser)
{
	EvParseFrame *frame;

	if (parser->tree == NULL)
		return;
	frame = palloc0(sizeof(EvParseFrame));
	frame->outer = parser->frame;
	parser->frame = frame;
}

/* [...] */
static bool
read_class_node(EvPatternParser *parser, EvNode **node)
{
	const unsigned char *start = parser->at;
	EvSetBuilder set;

	*node = NULL;
	if (!ev_pattern_read_class(parser, &set))
		return false;
	if (parser->tree != NULL)
		*node = make_set_node(parser, start, set.ranges, set.count);
	if (set.ranges != NULL)
		pfree(set.ranges);
	return true;
}

/* ---- groups, names and references ---- */

static EvNameUse *
add_name(EvNameList *list)
{
	if (list->count == list->allocated)
	{
		list->allocated = Max(8, list->allocated * 2);
		if (list->items == NULL)
			list->items = palloc(list->allocated * sizeof(EvNameUse));
		else
			list->items = repalloc(list->items, list->allocated * sizeof(EvNameUse));
	}
	memset(&list->items[list->count], 0, sizeof(EvNameUse));
	return &list->items[list->count++];
}

/* GroupName: parser->at is at its "<".  Errors are reported at `at`. */
static bool
read_group_name(EvPatternParser *parser, const unsigned char *at, char **name)
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
			return ev_pattern_fail(parser, at, "unterminated group name");
		if (*parser->at == '>')
			break;
		if (*parser->at == '\\')
		{
			if (parser->end - parser->at < 2 || parser->at[1] != 'u')
				return ev_pattern_fail(parser, at, "invalid group name");
			parser->at += 2;
			if (!ev_pattern_read_unicode_escape(parser, &code))
				return ev_pattern_fail(parser, at, "invalid group name");
		}
		else
		{
			code = ev_utf8_decode(parser->at);
			parser->at += ev_utf8_length(*parser->at);
		}
		if (code == '$' || code == '_')
			allowed = true;
		else if (buffer->len == 0)
			allowed = ev_pattern_has_property("ID_Start", code);
		else
			allowed = ev_pattern_has_property("ID_Continue", code) ||
				code == 0x200C || code == 0x200D;
		if (!allowed)
			return ev_pattern_fail(parser, at, "invalid group name");
		unicode_to_utf8(code, bytes);
		appendBinaryStringInfo(buffer, (char *) bytes, pg_utf_mblen(bytes));
	}
	if (buffer->len == 0)
		return ev_pattern_fail(parser, at, "empty group name");
	parser->at++;
	*name = pstrdup(buffer->data);
	return true;
}

static int
compare_name_uses(const void *a, const void *b)
{
	const EvNameUse *x = a;
	const EvNameUse *y = b;
	int			order = strcmp(x->name, y->name);

	return order != 0 ? order : x->position - y->position;
}

/*
 * Checks the early errors about names and numbers, after all groups are known.
 */
static bool
resolve_references(EvPatternParser *parser)
{
	EvNameList *groups = &parser->groups;

	if (parser->max_reference > parser->group_count)
		return ev_pattern_fail(parser, parser->start + parser->max_reference_position,
							   psprintf("back-reference to group %d, which does not exist",
										parser->max_reference));

	if (groups->count > 0)
		qsort(groups->items, groups->count, sizeof(EvNameUse), compare_name_uses);
	for (int i = 1; i < groups->count; i++)
	{
		if (strcmp(groups->items[i - 1].name, groups->items[i].name) == 0)
			return ev_pattern_fail(parser, parser->start + groups->items[i].position,
								   "duplicate group name");
	}

	for (int i = 0; i < parser->references.count; i++)
	{
		EvNameUse  *reference = &parser->references.items[i];
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
			return ev_pattern_fail(parser, parser->start + reference->position,
								   "back-reference to a group name that does not exist");
		if (reference->node != NULL)
			reference->node->group = groups->items[low].group;
	}
	return true;
}

static bool
open_group(EvPatternParser *parser)
{
	const unsigned char *start = parser->at++;
	EvGroupKind kind = GROUP_CAPTURING;
	bool		ahead = false;
	bool		negative = false;
	EvNameUse  *named = NULL;

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
			return ev_pattern_fail(parser, start, "invalid group \"(?\"");
	}

	if (parser->open_count == parser->open_allocated)
	{
		parser->open_allocated = Max(64, parser->open_allocated * 2);
		if (parser->open == NULL)
			parser->open = palloc(parser->open_allocated * sizeof(EvOpenGroup));
		else
			parser->open = repalloc(parser->open,
									parser->open_allocated * sizeof(EvOpenGroup));
	}
	parser->open[parser->open_count].position = start - parser->start;
	parser->open[parser->open_count].kind = kind;
	parser->open_count++;
	if (parser->open_count > EV_PATTERN_MAX_DEPTH)
		ev_pattern_give_up_tree(parser, start, "groups nested too deeply");

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

/* At ")": returns the group as a term, and whether a quantifier may follow. */
static bool
close_group(EvPatternParser *parser, EvNode **node, bool *quantifiable)
{
	EvOpenGroup open;
	EvParseFrame closed = {0};

	if (parser->open_count == 0)
		return ev_pattern_fail(parser, parser->at, "unmatched \")\"");
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

/* Reads a term that starts with a backslash. */
static bool
read_escape_term(EvPatternParser *parser, EvNode **node, bool *quantifiable)
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
				parser->tree->word_set = ev_set_store(parser, ev_pattern_word.ranges,
													  ev_pattern_word.count);
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
		EvNameUse  *reference;

		parser->at++;
		if (parser->at >= parser->end || *parser->at != '<')
			return ev_pattern_fail(parser, start, "\"\\k\" without a group name");
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

	if (!ev_pattern_read_class_escape(parser, start, &is_class, &set, &negated))
		return false;
	if (is_class)
	{
		if (parser->tree == NULL)
			return true;
		if (negated)
		{
			EvSetBuilder builder = {0};

			ev_set_add_complement(&builder, set.ranges, set.count);
			*node = make_set_node(parser, start, builder.ranges, builder.count);
			if (builder.ranges != NULL)
				pfree(builder.ranges);
		}
		else
			*node = make_set_node(parser, start, set.ranges, set.count);
		return true;
	}

	if (!ev_pattern_read_character_escape(parser, start, &code))
		return false;
	*node = make_code_node(parser, start, code);
	return true;
}

/*
 * Reads a decimal number of any length.  Returns its digits without leading
 * zeros.
 */
static bool
read_count(EvPatternParser *parser, const unsigned char **at, const unsigned char **digits,
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
 * Reads a quantifier in braces at *at, and moves *at behind it.  Returns
 * false, with nothing read, if there is none.
 */
static bool
read_braces(EvPatternParser *parser, const unsigned char **at, int *min, int *max,
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
			/* early error; numbers of any length are compared by value */
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

/* If a quantifier follows, makes *node its child. */
static bool
read_quantifier(EvPatternParser *parser, EvNode **node)
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
				return true;	/* a literal or an error, which the next term
								 * reports */
			break;
		default:
			return true;
	}
	if (!ordered)
		return ev_pattern_fail(parser, start, "quantifier with its numbers out of order");
	/* whether there is a match does not depend on laziness */
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
read_term(EvPatternParser *parser)
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
			return ev_pattern_fail(parser, start, psprintf("nothing to repeat before \"%c\"", *start));
		case '{':
			{
				const unsigned char *behind = start;
				int			min;
				int			max;
				bool		ordered;

				if (read_braces(parser, &behind, &min, &max, &ordered))
					return ev_pattern_fail(parser, start, "nothing to repeat before \"{\"");
				if (!parser->lenient)
					return ev_pattern_fail(parser, start, "lone \"{\"");
				parser->at++;
				node = make_code_node(parser, start, *start);
				break;
			}
		case '}':
		case ']':
			if (!parser->lenient)
				return ev_pattern_fail(parser, start, psprintf("lone \"%c\"", *start));
			parser->at++;
			node = make_code_node(parser, start, *start);
			break;
		case '.':
			parser->at++;
			if (parser->tree != NULL)
			{
				EvSetBuilder builder = {0};

				ev_set_add_complement(&builder, line_terminator_ranges,
									  lengthof(line_terminator_ranges));
				node = make_set_node(parser, start, builder.ranges, builder.count);
				pfree(builder.ranges);
			}
			break;
		case '[':
			if (!read_class_node(parser, &node))
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

	/*
	 * if the term cannot be quantified, the next term reports the quantifier
	 */
	if (quantifiable && !read_quantifier(parser, &node))
		return false;
	append_term(parser, node);
	return true;
}

bool
ev_pattern_parse(const char *pattern, int length, bool lenient,
				 EvPatternTree *tree, EvPatternError *error)
{
	EvPatternParser parser = {0};

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
			ev_pattern_give_up_tree(&parser, parser.start, "pattern too long");
	}
	push_frame(&parser);

	while (parser.at < parser.end)
	{
		CHECK_FOR_INTERRUPTS();
		if (!read_term(&parser))
			return false;
	}
	if (parser.open_count > 0)
		return ev_pattern_fail(&parser, parser.start + parser.open[parser.open_count - 1].position,
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
