/*
 * pattern_escape.c
 *	  Escapes, properties of Unicode and classes in brackets: ECMA-262 (2024),
 *	  sections 22.2.1 and 22.2.2.9.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "pattern/pattern_parser.h"
#include "pattern/unicode_tables.h"

static const EvCodeRange digit_ranges[] = {{'0', '9'}};
static const EvCodeRange word_ranges[] = {
	{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}
};

const EvCodeSet ev_pattern_word = {word_ranges, lengthof(word_ranges)};

/* WhiteSpace and LineTerminator, sections 12.2 and 12.3 */
static const EvCodeRange space_ranges[] = {
	{0x9, 0xD}, {0x20, 0x20}, {0xA0, 0xA0}, {0x1680, 0x1680},
	{0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
	{0x3000, 0x3000}, {0xFEFF, 0xFEFF}
};

/* ---- errors ---- */

bool
ev_pattern_fail(EvPatternParser *parser, const unsigned char *at, const char *message)
{
	parser->error->message = message;
	parser->error->position = at - parser->start;
	parser->error->unsupported = false;
	return false;
}

/*
 * Reports an error in an escape, and quotes the escape.  Other characters than
 * printable ASCII are written as U+XXXX, since messages must be valid in any
 * server encoding.
 */
/* The same for an escape, which the message quotes. */
static bool
fail_escape(EvPatternParser *parser, const unsigned char *backslash, const char *problem)
{
	const unsigned char *at = backslash + 1;

	if (at >= parser->end)
		return ev_pattern_fail(parser, backslash, "\"\\\" at the end of the pattern");
	if (*at >= 0x20 && *at < 0x7F)
		return ev_pattern_fail(parser, backslash, psprintf("%s \"\\%c\"", problem, *at));
	return ev_pattern_fail(parser, backslash,
						   psprintf("%s \"\\\" before U+%04X", problem, ev_utf8_decode(at)));
}

/*
 * Stops building the tree, since the pattern is too large to be run.  Its
 * syntax is still checked.
 */
void
ev_pattern_give_up_tree(EvPatternParser *parser, const unsigned char *at, const char *message)
{
	if (parser->tree == NULL)
		return;
	parser->tree = NULL;
	parser->frame = NULL;
	parser->unsupported.message = message;
	parser->unsupported.position = at - parser->start;
	parser->unsupported.unsupported = true;
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

/*
 * Reads exactly `digits` hexadecimal digits; false, with nothing read, if
 * there are fewer.
 */
static bool
read_hex(EvPatternParser *parser, const unsigned char **at, int digits, uint32 *value)
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
 * RegExpUnicodeEscapeSequence, after "\u".  A lead surrogate is combined with
 * the trail surrogate that follows it.  A single surrogate stands for itself.
 */
bool
ev_pattern_read_unicode_escape(EvPatternParser *parser, uint32 *code)
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
bool
ev_pattern_read_character_escape(EvPatternParser *parser, const unsigned char *backslash, uint32 *code)
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
			return ev_pattern_fail(parser, backslash, "\"\\c\" without a letter");
		case '0':
			if (parser->at < parser->end && is_digit(*parser->at))
				return ev_pattern_fail(parser, backslash, "\"\\0\" before a digit");
			*code = 0;
			return true;
		case 'x':
			at = parser->at;
			if (!read_hex(parser, &at, 2, code))
				return ev_pattern_fail(parser, backslash, "\"\\x\" without two hexadecimal digits");
			parser->at = at;
			return true;
		case 'u':
			if (!ev_pattern_read_unicode_escape(parser, code))
				return ev_pattern_fail(parser, backslash, "invalid \"\\u\" escape");
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
	return strcmp((const char *) key, ((const EvUnicodeName *) entry)->name);
}

static const EvUnicodeName *
find_name(const EvUnicodeName *names, int count, const char *name)
{
	return bsearch(name, names, count, sizeof(EvUnicodeName), compare_names);
}

/*
 * UnicodePropertyValueExpression: \p{...}, after the "p".  Names must match
 * exactly.
 */
static bool
read_property(EvPatternParser *parser, const unsigned char *backslash, EvCodeSet *set)
{
	const unsigned char *at = parser->at;
	const EvUnicodeName *found = NULL;
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
			return ev_pattern_fail(parser, backslash, "invalid property name");
		if (length >= (int) sizeof(name) - 1)
			return ev_pattern_fail(parser, backslash, "unknown property");
		name[length] = c;
	}
	if (at + length >= parser->end)
		return ev_pattern_fail(parser, backslash, "unterminated property name");
	name[length] = '\0';

	value = strchr(name, '=');
	if (value == NULL)
	{
		found = find_name(unicode_categories, lengthof(unicode_categories), name);
		if (found == NULL)
			found = find_name(unicode_properties, lengthof(unicode_properties), name);
		if (found == NULL)
			return ev_pattern_fail(parser, backslash, psprintf("unknown property \"%s\"", name));
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
			return ev_pattern_fail(parser, backslash, psprintf("unknown property \"%s\"", name));
		if (found == NULL)
			return ev_pattern_fail(parser, backslash,
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

bool
ev_pattern_has_property(const char *property, uint32 code)
{
	const EvUnicodeName *found = find_name(unicode_properties,
										   lengthof(unicode_properties), property);

	return set_contains(unicode_ranges + found->offset, found->count, code);
}

/*
 * CharacterClassEscape: \d, \s, \w, \p{...} and their complements.  If there
 * is one, reads it and sets *is_class.
 */
bool
ev_pattern_read_class_escape(EvPatternParser *parser, const unsigned char *backslash, bool *is_class,
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

/*
 * ClassAtom: one code point or, with *is_class, a set that is added to builder
 */
static bool
read_class_atom(EvPatternParser *parser, EvSetBuilder *builder, bool *is_class, uint32 *code)
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
	if (!ev_pattern_read_class_escape(parser, at, is_class, &set, &negated))
		return false;
	if (!*is_class)
		return ev_pattern_read_character_escape(parser, at, code);
	if (parser->tree != NULL)
	{
		if (negated)
			ev_set_add_complement(builder, set.ranges, set.count);
		else
			ev_set_add_ranges(builder, set.ranges, set.count);
		parser->range_count += set.count;
		if (parser->range_count > EV_PATTERN_MAX_RANGES)
			ev_pattern_give_up_tree(parser, at, "character classes too large");
	}
	return true;
}

bool
ev_pattern_read_class(EvPatternParser *parser, EvSetBuilder *builder)
{
	const unsigned char *start = parser->at++;
	bool		negated = false;

	memset(builder, 0, sizeof(*builder));
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
		if (!read_class_atom(parser, builder, &is_class, &range.first))
			return false;
		range.last = range.first;
		if (parser->end - parser->at >= 2 && parser->at[0] == '-' && parser->at[1] != ']')
		{
			parser->at++;
			if (!read_class_atom(parser, builder, &is_last_class, &range.last))
				return false;
			if (is_class || is_last_class)
			{
				EvCodeRange hyphen = {'-', '-'};

				if (!parser->lenient)
					return ev_pattern_fail(parser, atom, "range of a character class with a class as its end");
				if (parser->tree != NULL)
				{
					ev_set_add_ranges(builder, &hyphen, 1);

					/*
					 * beside a class, "-" and the code point stand for
					 * themselves
					 */
					range.first = is_class ? range.last : range.first;
					if (!is_class || !is_last_class)
					{
						range.last = range.first;
						ev_set_add_ranges(builder, &range, 1);
					}
				}
				continue;
			}
			if (range.first > range.last)
				return ev_pattern_fail(parser, atom, "range of a character class out of order");
		}
		if (!is_class && parser->tree != NULL)
			ev_set_add_ranges(builder, &range, 1);
	}
	if (parser->at >= parser->end)
		return ev_pattern_fail(parser, start, "unterminated character class");
	parser->at++;

	if (parser->tree == NULL)
		return true;
	ev_set_normalize(builder);
	if (negated)
	{
		EvSetBuilder complement = {0};

		ev_set_add_complement(&complement, builder->ranges, builder->count);
		if (builder->ranges != NULL)
			pfree(builder->ranges);
		*builder = complement;
	}
	return true;
}
