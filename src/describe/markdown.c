/*
 * markdown.c
 *	  Texts of users in Markdown.
 *
 * CommonMark takes a backslash before any ASCII punctuation as that character.  "<" and
 * "&" are written as entities, which other renderers know too.  "://" and "www." are
 * interrupted, since GitHub's renderer makes links of them.
 */
#include "postgres.h"

#include "base/encoding.h"
#include "base/shown_text.h"
#include "describe/markdown.h"

/* Appends one line of a text, without line ends. */
static void
append_inline(StringInfo out, const char *text, int length)
{
	StringInfoData visible;
	bool		at_start = true;

	initStringInfo(&visible);
	ev_append_visible_cut(&visible, text, length, length);
	for (const char *p = visible.data; *p != '\0'; p++)
	{
		if (*p == '<')
			appendStringInfoString(out, "&lt;");
		else if (*p == '&')
			appendStringInfoString(out, "&amp;");
		else if (strchr("\\`*_{}[]|~$>", *p) != NULL ||
				 (*p == ':' && p[1] == '/' && p[2] == '/') ||
				 (*p == '.' && p >= visible.data + 3 && pg_strncasecmp(p - 3, "www", 3) == 0) ||
				 (*p == '!' && p[1] == '[') ||
				 (at_start && strchr("#+-=", *p) != NULL))
		{
			appendStringInfoChar(out, '\\');
			appendStringInfoChar(out, *p);
		}
		else if (at_start && (*p == '.' || *p == ')') && p > visible.data && p[-1] >= '0' && p[-1] <= '9')
		{
			appendStringInfoChar(out, '\\');
			appendStringInfoChar(out, *p);
		}
		else
			appendStringInfoChar(out, *p);

		/* digits can begin the item of a list, "#" a heading */
		at_start = at_start && ((*p >= '0' && *p <= '9') || *p == '#');
	}
	pfree(visible.data);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

/* Appends the lines of a text, with `paragraph` for empty lines between them. */
static void
append_lines(StringInfo out, const char *text, int characters, const char *paragraph)
{
	int			length = strlen(text);
	int			shown = ev_text_clip(text, length, characters);
	const char *end = text + shown;
	const char *p = text;
	bool		first = true;

	while (p < end)
	{
		const char *start;
		const char *stop;
		int			line_ends = 0;

		for (; p < end && is_space(*p); p++)
			line_ends += *p == '\n';
		start = p;
		while (p < end && *p != '\n' && *p != '\r')
			p++;
		stop = p;
		while (stop > start && is_space(stop[-1]))
			stop--;
		if (stop == start)
			continue;
		if (!first)
			appendStringInfoString(out, line_ends > 1 ? paragraph : paragraph[0] == '\n' ? "\n" : " ");
		append_inline(out, start, stop - start);
		first = false;
	}
	if (shown < length)
		appendStringInfoString(out, "...");
}

void
ev_markdown_line(StringInfo out, const char *text, int characters)
{
	append_lines(out, text, characters, " ");
}

void
ev_markdown_paragraphs(StringInfo out, const char *text, int characters)
{
	append_lines(out, text, characters, "\n\n");
	appendStringInfoChar(out, '\n');
}

void
ev_markdown_code(StringInfo out, const char *text, int characters)
{
	char	   *visible = ev_visible_cut(text, characters);
	int			longest = 0;
	int			ticks = 0;
	int			backslashes = 0;
	bool		padded;

	for (const char *p = visible; *p != '\0'; p++)
	{
		ticks = *p == '`' ? ticks + 1 : 0;
		longest = Max(longest, ticks);
	}
	padded = visible[0] == '\0' || visible[0] == '`' || visible[0] == ' ' || visible[strlen(visible) - 1] == '`' || visible[strlen(visible) - 1] == ' ';
	for (int i = 0; i <= longest; i++)
		appendStringInfoChar(out, '`');
	if (padded)
		appendStringInfoChar(out, ' ');
	for (const char *p = visible; *p != '\0'; p++)
	{
		/* in a table, also in code: an odd number of backslashes */
		if (*p == '|')
			appendStringInfoString(out, backslashes % 2 == 1 ? "\\\\" : "\\");
		backslashes = *p == '\\' ? backslashes + 1 : 0;
		appendStringInfoChar(out, *p);
	}
	if (padded)
		appendStringInfoChar(out, ' ');
	for (int i = 0; i <= longest; i++)
		appendStringInfoChar(out, '`');
	pfree(visible);
}

void
ev_markdown_json(StringInfo out, Jsonb *value)
{
	char	   *json = JsonbToCStringIndent(NULL, &value->root, VARSIZE(value));

	/* no line of it can end the block: a string has no line end */
	appendStringInfoString(out, "```json\n");
	for (char *line = json; line != NULL;)
	{
		char	   *next = strchr(line, '\n');
		int			length = next != NULL ? next - line : (int) strlen(line);

		ev_append_visible_cut(out, line, length, length);
		appendStringInfoChar(out, '\n');
		line = next != NULL ? next + 1 : NULL;
	}
	appendStringInfoString(out, "```\n");
	pfree(json);
}
