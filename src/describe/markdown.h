/*
 * markdown.h
 *	  Texts of users in Markdown (CommonMark, with the tables of GitHub).
 *
 * A text stays a text: it makes no heading, link, image, HTML or table.  Control
 * characters, marks of direction and invisible characters are written as JSON writes
 * them.  Texts are cut, and end in "..." then.
 */
#ifndef EV_MARKDOWN_H
#define EV_MARKDOWN_H

#include "utils/jsonb.h"
#include "lib/stringinfo.h"

/* Appends a text in one line; line ends become spaces. */
extern void ev_markdown_line(StringInfo out, const char *text, int characters);

/* Appends a text as paragraphs, with a line end after it. */
extern void ev_markdown_paragraphs(StringInfo out, const char *text, int characters);

/* Appends a text as code, which can be in a table. */
extern void ev_markdown_code(StringInfo out, const char *text, int characters);

/* Appends a value as a block of code. */
extern void ev_markdown_json(StringInfo out, Jsonb *value);

#endif							/* EV_MARKDOWN_H */
