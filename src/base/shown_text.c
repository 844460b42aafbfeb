/*
 * shown_text.c
 *	  Keys, values and locations in messages.
 *
 * Anybody can write keys and values.  Messages are shown in terminals and logs, so
 * characters are escaped if they begin a line, control a terminal, change the
 * direction of text, or are invisible.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "base/compat.h"
#include "base/encoding.h"
#include "base/shown_text.h"
#include "base/utf8.h"

/*
 * A text of this many characters is too long to be a type, which has at most
 * EV_TYPE_MAX bytes.
 */
#define SHOWN_TYPE	512

typedef struct CodeRange
{
	uint32		first;
	uint32		last;
} CodeRange;

/*
 * The characters beyond ASCII that are escaped.  The joiners U+200C and U+200D
 * are not among them: words and emoji need them.
 */
static const CodeRange escaped_ranges[] = {
	{0x80, 0x9F},				/* controls */
	{0xAD, 0xAD},				/* soft hyphen */
	{0x61C, 0x61C},				/* of direction */
	{0x200B, 0x200B},			/* zero width */
	{0x200E, 0x200F},			/* of direction */
	{0x2028, 0x202E},			/* separators, of direction */
	{0x2060, 0x206F},			/* invisible, of direction */
	{0xFEFF, 0xFEFF},			/* byte order mark */
	{0xFFF9, 0xFFFB},			/* interlinear annotation */
	{0xE0000, 0xE007F},			/* tags */
};

static bool
is_escaped(uint32 code)
{
	for (int i = 0; i < (int) lengthof(escaped_ranges); i++)
		if (code >= escaped_ranges[i].first && code <= escaped_ranges[i].last)
			return true;
	return false;
}

static void
append_escape(StringInfo out, uint32 code)
{
	switch (code)
	{
		case '\b':
			appendStringInfoString(out, "\\b");
			break;
		case '\f':
			appendStringInfoString(out, "\\f");
			break;
		case '\n':
			appendStringInfoString(out, "\\n");
			break;
		case '\r':
			appendStringInfoString(out, "\\r");
			break;
		case '\t':
			appendStringInfoString(out, "\\t");
			break;
		default:
			if (code >= 0x10000)
				appendStringInfo(out, "\\u%04x\\u%04x", 0xD800 + ((code - 0x10000) >> 10),
								 0xDC00 + ((code - 0x10000) & 0x3FF));
			else
				appendStringInfo(out, "\\u%04x", code);
	}
}

/*
 * Returns the code point of a character of several bytes, or of a byte above
 * 0x7F, in the server encoding.  If a byte has none, returns its value.
 */
static uint32
code_point(const char *data, int length)
{
	EvUtf8		utf8;
	uint32		code = (unsigned char) data[0];

	if (GetDatabaseEncoding() == PG_UTF8)
		return ev_utf8_decode((const unsigned char *) data);
	if (!ev_utf8_from_server(data, length, &utf8))
		return code;
	code = ev_utf8_decode((const unsigned char *) utf8.data);
	ev_utf8_free(&utf8);
	return code;
}

/*
 * Returns the length of the character at data.  In an SQL_ASCII database,
 * valid UTF-8 counts as characters of UTF-8.
 */
static int
character_length(const char *data, int length)
{
	bool		is_bytes = GetDatabaseEncoding() == PG_SQL_ASCII;
	int			size = pg_encoding_mblen(is_bytes ? PG_UTF8 : GetDatabaseEncoding(), data);

	if (size > length || (is_bytes && pg_encoding_verifymbstr(PG_UTF8, data, size) != size))
		return 1;
	return size;
}

static void
append_escaped(StringInfo out, const char *data, int length, bool is_quoted)
{
	int			size;

	for (int i = 0; i < length; i += size)
	{
		unsigned char c = (unsigned char) data[i];

		CHECK_FOR_INTERRUPTS();
		size = 1;
		if (c < 0x20 || c == 0x7F)
		{
			append_escape(out, c);
			continue;
		}
		if (!IS_HIGHBIT_SET(c))
		{
			if (is_quoted && (c == '"' || c == '\\'))
				appendStringInfoChar(out, '\\');
			appendStringInfoChar(out, c);
			continue;
		}
		size = character_length(data + i, length - i);
		if (is_escaped(code_point(data + i, size)))
			append_escape(out, code_point(data + i, size));
		else
			appendBinaryStringInfo(out, data + i, size);
	}
}

void
ev_append_visible_cut(StringInfo out, const char *data, int length, int shown)
{
	append_escaped(out, data, shown, false);
	if (shown < length)
		appendStringInfoString(out, "...");
}

char *
ev_visible_cut(const char *string, int count)
{
	int			length = strlen(string);
	StringInfoData result;

	initStringInfo(&result);
	ev_append_visible_cut(&result, string, length, ev_text_clip(string, length, count));
	return result.data;
}

char *
ev_visible(const char *string)
{
	StringInfoData result;

	initStringInfo(&result);
	append_escaped(&result, string, strlen(string), false);
	return result.data;
}

void
ev_append_quoted(StringInfo out, const char *data, int length)
{
	appendStringInfoChar(out, '"');
	append_escaped(out, data, length, true);
	appendStringInfoChar(out, '"');
}

char *
ev_quoted(const char *data, int length)
{
	StringInfoData result;

	initStringInfo(&result);
	ev_append_quoted(&result, data, length);
	return result.data;
}

/* Returns the first `count` characters of a text, quoted; "..." says that there are more. */
static char *
quoted_cut(const char *data, int length, int count)
{
	int			shown = ev_text_clip(data, length, count);
	StringInfoData result;

	initStringInfo(&result);
	ev_append_quoted(&result, data, shown);
	if (shown < length)
		appendStringInfoString(&result, "...");
	return result.data;
}

char *
ev_string_show(const char *data, int length)
{
	return quoted_cut(data, length, EV_SHOWN_CHARACTERS);
}

char *
ev_type_show(const text *type)
{
	return quoted_cut(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), SHOWN_TYPE);
}

/* ---------- locations ---------- */

/*
 * The end of a token that was cut.  It is not part of a JSON Pointer, in which
 * 0 or 1 follows each "~".
 */
#define CUT	"~..."

/* Appends a JSON Pointer in which long tokens are cut. */
static void
append_cut(StringInfo out, const char *location)
{
	while (*location != '\0')
	{
		/* a token with the "/" before it */
		int			length = strcspn(location + 1, "/") + 1;
		int			shown = 1 + ev_text_clip(location + 1, length - 1, EV_SHOWN_CHARACTERS);

		CHECK_FOR_INTERRUPTS();
		if (shown < length)
		{
			/* not in the middle of "~0" */
			if (location[shown - 1] == '~')
				shown--;
			appendBinaryStringInfo(out, location, shown);
			appendStringInfoString(out, CUT);
		}
		else
			appendBinaryStringInfo(out, location, shown);
		location += length;
	}
}

char *
ev_location_cut(const char *location)
{
	StringInfoData result;

	initStringInfo(&result);
	append_cut(&result, location);
	return result.data;
}

char *
ev_location_show(const char *location)
{
	char	   *cut;
	int			length;
	StringInfoData result;

	if (location[0] == '\0')
		return pstrdup("(document)");
	cut = ev_location_cut(location);
	length = strlen(cut);
	initStringInfo(&result);
	append_escaped(&result, cut, length, true);
	if (result.len == length && strstr(cut, ": ") == NULL)
		return cut;
	resetStringInfo(&result);
	ev_append_quoted(&result, cut, length);
	return result.data;
}
