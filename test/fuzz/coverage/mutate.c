/*
 * mutate.c
 *	  Changes of JSON that stay JSON: values, members and keywords, not bytes.
 *
 * An input is one or more JSON texts, with EV_FUZZ_SEPARATOR between them.
 */
#include "postgres.h"

#include "fuzz.h"
#include "schema/keywords.h"

#define MAX_SPANS	1000
#define MAX_DEPTH	100
#define MAX_TEXT	65536

/* Where a value is in the input, and the key of a member. */
typedef struct Span
{
	size_t		start;			/* of the value */
	size_t		end;
	size_t		whole;			/* of the member: its key; else start */
	size_t		key_end;		/* 0: it has no key */
} Span;

typedef struct Spans
{
	const uint8 *data;
	size_t		size;
	size_t		at;
	int			depth;
	int			count;
	Span		spans[MAX_SPANS];
} Spans;

static const char *const keywords[] = {
#define EV_KEYWORD(symbol, name, drafts, vocabulary, shape, types, gatherer) name,
	EV_KEYWORDS(EV_KEYWORD)
#undef EV_KEYWORD
};

static const char *const names[] = {"a", "b", "c", "", "a/b", "~", "k%25", "0", "kkkkkkkkkkkkkkkkk"};

static const char *const samples[] = {
	"null", "true", "false", "0", "-0", "1", "2", "3", "-1", "0.1", "1.5", "1e2", "1e-7", "4294967296", "9007199254740993", "1e400", "1e-400",
	"12345678901234567890.5", "\"\"", "\"a\"", "\"abc\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"aaaaaaaaaaaaaaaaa\"",
	"\"^a\"", "\"^[a-z]{2,3}$\"", "\"a|b\"", "\"(?!a)\"", "\"(a)\\\\1\"", "\"\\\\p{L}\"", "\"^.*$\"",
	"[]", "{}", "[1,2]", "[\"a\",\"b\"]", "{\"a\":1}", "[{},{}]", "{\"a\":{}}", "{\"a\":[\"b\"]}",
	"\"null\"", "\"boolean\"", "\"integer\"", "\"number\"", "\"string\"", "\"array\"", "\"object\"", "[\"object\",\"null\"]",
	"\"date-time\"", "\"date\"", "\"email\"", "\"uri\"", "\"uuid\"", "\"regex\"", "\"hostname\"", "\"ipv6\"", "\"base64\"", "\"application/json\"",
	"\"#\"", "\"#/$defs/a\"", "\"#/properties/a\"", "\"#/items\"", "\"#/anyOf/0\"", "\"#a\"", "\"#node\"",
	"\"http://example.com/fuzz\"", "\"http://example.com/other\"", "\"http://example.com/other#a\"", "\"http://example.com/tree\"",
	"\"http://example.com/back\"", "\"http://example.com/old\"", "\"event:other@1\"", "\"other\"",
	"\"http://json-schema.org/draft-04/schema#\"", "\"http://json-schema.org/draft-06/schema#\"", "\"http://json-schema.org/draft-07/schema#\"",
	"\"https://json-schema.org/draft/2019-09/schema\"", "\"https://json-schema.org/draft/2020-12/schema\"", "\"https://json-schema.org/v1\"",
	"{\"$ref\":\"#\"}", "{\"$ref\":\"#/$defs/a\"}", "{\"$dynamicRef\":\"#node\"}", "{\"$ref\":\"http://example.com/back\"}",
	"{\"type\":\"string\"}", "{\"type\":[\"integer\",\"null\"]}", "{\"const\":1}", "{\"enum\":[\"a\",2,null]}", "{\"required\":[\"a\"]}",
	"{\"minimum\":1}", "{\"maxLength\":2}", "{\"properties\":{\"a\":{\"const\":1}},\"required\":[\"a\"]}", "{\"additionalProperties\":false}"
};

static const char *const wraps[][2] = {
	{"{\"not\":", "}"}, {"{\"anyOf\":[", ",{\"type\":\"string\"}]}"}, {"{\"allOf\":[", "]}"}, {"{\"oneOf\":[", ",{\"minimum\":3}]}"},
	{"{\"properties\":{\"a\":", "}}"}, {"{\"items\":", "}"}, {"{\"if\":", ",\"then\":false}"}, {"{\"patternProperties\":{\"^a\":", "}}"},
	{"{\"additionalProperties\":", "}"}, {"{\"contains\":", ",\"minContains\":2}"}, {"{\"propertyNames\":", "}"}, {"{\"prefixItems\":[", "]}"},
	{"{\"dependentSchemas\":{\"a\":", "}}"}, {"{\"unevaluatedProperties\":", "}"}, {"{\"unevaluatedItems\":", "}"}, {"{\"$defs\":{\"a\":", "},\"$ref\":\"#/$defs/a\"}"},
	{"[", "]"}, {"[1,", ",\"a\"]"}, {"{\"a\":", "}"}, {"{\"b\":1,\"a\":", ",\"c\":[]}"}
};

static uint64 state;

static uint32
below(uint32 limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return limit == 0 ? 0 : (uint32) (state >> 20) % limit;
}

#define ONE_OF(array)	((array)[below(lengthof(array))])

/* ---------- reading ---------- */

static void
skip_blanks(Spans *s)
{
	while (s->at < s->size && strchr(" \t\n\r", s->data[s->at]) != NULL && s->data[s->at] != 0)
		s->at++;
}

static bool
accept(Spans *s, char wanted)
{
	skip_blanks(s);
	if (s->at >= s->size || s->data[s->at] != (uint8) wanted)
		return false;
	s->at++;
	return true;
}

static bool
read_string(Spans *s)
{
	if (!accept(s, '"'))
		return false;
	for (; s->at < s->size && s->data[s->at] != '"'; s->at++)
		if (s->data[s->at] == EV_FUZZ_SEPARATOR)
			return false;
		else if (s->data[s->at] == '\\')
			s->at++;
	return accept(s, '"');
}

static bool
is_atom(uint8 byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '+' || byte == '.' || byte == 'E';
}

static bool read_value(Spans *s, size_t whole, size_t key_end);

static bool
read_children(Spans *s, bool is_object)
{
	char		close = is_object ? '}' : ']';

	if (accept(s, close))
		return true;
	do
	{
		size_t		whole;
		size_t		key_end = 0;

		skip_blanks(s);
		whole = s->at;
		if (is_object)
		{
			if (!read_string(s))
				return false;
			key_end = s->at;
			if (!accept(s, ':'))
				return false;
			skip_blanks(s);
		}
		if (!read_value(s, is_object ? whole : s->at, key_end))
			return false;
	} while (accept(s, ','));
	return accept(s, close);
}

static bool
read_value(Spans *s, size_t whole, size_t key_end)
{
	int			number = s->count;
	bool		read = false;

	if (s->at >= s->size || s->count == MAX_SPANS || s->depth == MAX_DEPTH)
		return false;
	s->spans[s->count++] = (Span)
	{
		.start = s->at, .whole = whole, .key_end = key_end
	};
	s->depth++;
	if (s->data[s->at] == '"')
		read = read_string(s);
	else if (s->data[s->at] == '{' || s->data[s->at] == '[')
	{
		bool		is_object = s->data[s->at++] == '{';

		read = read_children(s, is_object);
	}
	else
		while (s->at < s->size && is_atom(s->data[s->at]))
		{
			s->at++;
			read = true;
		}
	s->depth--;
	s->spans[number].end = s->at;
	return read;
}

/* Finds the values of all texts.  False if there are none, or one is not JSON. */
static bool
read_spans(Spans *s, const uint8 *data, size_t size)
{
	s->data = data;
	s->size = size;
	s->at = 0;
	s->count = 0;
	s->depth = 0;
	while (s->at < size)
	{
		skip_blanks(s);
		if (!read_value(s, s->at, 0))
			return false;
		skip_blanks(s);
		if (s->at < size && s->data[s->at++] != EV_FUZZ_SEPARATOR)
			return false;
	}
	return s->count > 0;
}

/* ---------- writing ---------- */

/* A text that is being written: the input with one place replaced. */
typedef struct Text
{
	uint8		bytes[MAX_TEXT];
	size_t		size;
	bool		is_full;
} Text;

static void
put(Text *text, const void *bytes, size_t size)
{
	if (text->is_full || size > MAX_TEXT - text->size)
	{
		text->is_full = true;
		return;
	}
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
}

static void
put_text(Text *text, const char *string)
{
	put(text, string, strlen(string));
}

static void
put_span(Text *text, const Spans *s, const Span *span)
{
	put(text, s->data + span->start, span->end - span->start);
}

/* A value of the input, or one of the samples. */
static void
put_some_value(Text *text, const Spans *from)
{
	if (below(2) == 0)
		put_text(text, ONE_OF(samples));
	else
		put_span(text, from, &from->spans[below(from->count)]);
}

static void
put_key(Text *text)
{
	put_text(text, "\"");
	put_text(text, below(3) == 0 ? ONE_OF(names) : ONE_OF(keywords));
	put_text(text, "\"");
}

/* An object or array, with one more child. */
static void
put_with_child(Text *text, const Spans *s, const Span *span)
{
	bool		is_object = s->data[span->start] == '{';
	bool		is_empty = span->end - span->start <= 2;

	put(text, s->data + span->start, 1);
	if (is_object)
	{
		put_key(text);
		put_text(text, ":");
	}
	put_some_value(text, s);
	put_text(text, is_empty ? "" : ",");
	put(text, s->data + span->start + 1, span->end - span->start - 1);
}

/* The end of what is removed with a member or element: the comma after it, too. */
static size_t
end_with_comma(const Spans *s, const Span *span)
{
	size_t		at = span->end;

	while (at < s->size && (s->data[at] == ' ' || s->data[at] == '\n'))
		at++;
	return at < s->size && s->data[at] == ',' ? at + 1 : span->end;
}

/* Writes what is to be in the place of a value; returns where the input goes on. */
static size_t
put_change(Text *text, const Spans *s, const Span *span)
{
	const char *const *wrap;

	switch (below(8))
	{
		case 0:
			put_some_value(text, s);
			return span->end;
		case 1:
		case 2:
			if (s->data[span->start] == '{' || s->data[span->start] == '[')
				put_with_child(text, s, span);
			else
				put_some_value(text, s);
			return span->end;
		case 3:
			wrap = ONE_OF(wraps);
			put_text(text, wrap[0]);
			put_span(text, s, span);
			put_text(text, wrap[1]);
			return span->end;
		case 4:
			/* a member with the same value and another key */
			if (span->key_end != 0)
			{
				text->size -= Min(text->size, span->start - span->whole);
				put_key(text);
				put_text(text, ":");
			}
			put_span(text, s, span);
			return span->end;
		case 5:
			/* without it, if that can be said by a comma */
			if (end_with_comma(s, span) != span->end)
			{
				text->size -= Min(text->size, span->start - span->whole);
				return end_with_comma(s, span);
			}
			put_text(text, ONE_OF(samples));
			return span->end;
		case 6:
			/* the same twice, in an array */
			put_span(text, s, span);
			if (span->key_end == 0 && span->start > 0 && (s->data[span->start - 1] == '[' || s->data[span->start - 1] == ','))
			{
				put_text(text, ",");
				put_span(text, s, span);
			}
			return span->end;
		default:
			put_text(text, ONE_OF(samples));
			return span->end;
	}
}

static size_t
finish(Text *text, const Spans *s, size_t rest, uint8 *out, size_t max_size)
{
	put(text, s->data + rest, s->size - rest);
	if (text->is_full || text->size > max_size)
		return 0;
	memcpy(out, text->bytes, text->size);
	return text->size;
}

size_t
ev_fuzz_mutate_json(uint8 *data, size_t size, size_t max_size, unsigned int seed)
{
	static Spans spans;
	static Text text;
	int			changes;

	state = seed * UINT64CONST(0x9E3779B97F4A7C15) + 1;
	for (changes = 1 + below(3); changes > 0; changes--)
	{
		const Span *span;
		size_t		rest;
		size_t		changed;

		if (!read_spans(&spans, data, size))
			return LLVMFuzzerMutate(data, size, max_size);
		span = &spans.spans[below(spans.count)];
		text.size = 0;
		text.is_full = false;
		put(&text, data, span->start);
		rest = put_change(&text, &spans, span);
		changed = finish(&text, &spans, rest, data, max_size);
		if (changed == 0)
			return size;
		size = changed;
	}
	return size;
}

size_t
ev_fuzz_cross_json(const uint8 *a, size_t a_size, const uint8 *b, size_t b_size, uint8 *out, size_t max_size, unsigned int seed)
{
	static Spans into;
	static Spans from;
	static Text text;
	const Span *span;
	size_t		size = 0;

	state = seed * UINT64CONST(0x9E3779B97F4A7C15) + 1;
	if (read_spans(&into, a, a_size) && read_spans(&from, b, b_size))
	{
		span = &into.spans[below(into.count)];
		text.size = 0;
		text.is_full = false;
		put(&text, a, span->start);
		put_span(&text, &from, &from.spans[below(from.count)]);
		size = finish(&text, &into, span->end, out, max_size);
	}
	if (size == 0)
	{
		/* not JSON: the start of one, the end of the other */
		size_t		half = below(Min(a_size, max_size) + 1);
		size_t		more = below(b_size + 1);

		more = Min(more, max_size - half);
		memcpy(out, a, half);
		memcpy(out + half, b + b_size - more, more);
		size = half + more;
	}
	return size;
}
