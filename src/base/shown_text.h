/*
 * shown_text.h
 *	  Keys, values and locations in messages: escaped, cut, and in one line.
 */
#ifndef EV_SHOWN_TEXT_H
#define EV_SHOWN_TEXT_H

#include "lib/stringinfo.h"

/*
 * Messages cut values, and the tokens of locations, at this number of
 * characters.
 */
#define EV_SHOWN_CHARACTERS	64

/* Messages cut arguments of functions, such as URIs, at this number of characters. */
#define EV_SHOWN_ARGUMENT	300

/* Messages cut patterns at this number of characters. */
#define EV_SHOWN_PATTERN	200

/*
 * Returns a string in the server encoding, in CurrentMemoryContext.  Control
 * characters, line and paragraph separators, marks of direction and invisible
 * characters are written as JSON writes them: \n, \u2028.  All else stays as it
 * is.  A text of JSON stays the same text of JSON, and a pattern the same pattern.
 */
extern char *ev_visible(const char *string);

/*
 * Appends the first bytes of a text, escaped in the same way, and "..." if
 * there are more.
 */
extern void ev_append_visible_cut(StringInfo out, const char *data, int length, int shown);

/*
 * Returns the first `count` characters of a string, escaped in the same way,
 * in CurrentMemoryContext.
 */
extern char *ev_visible_cut(const char *string, int count);

/* Appends a JSON string: the text in quotes, escaped as above, and its quotes and backslashes too. */
extern void ev_append_quoted(StringInfo out, const char *data, int length);

/* The same as a string; palloc'd in CurrentMemoryContext. */
extern char *ev_quoted(const char *data, int length);

/* A string as messages show it: quoted, escaped, cut.  In CurrentMemoryContext. */
extern char *ev_string_show(const char *data, int length);

/*
 * An event type as messages show it: quoted and escaped; cut where it is longer
 * than any type can be.  In CurrentMemoryContext.
 */
extern char *ev_type_show(const text *type);

/*
 * Returns a JSON Pointer as text for messages, in CurrentMemoryContext: "(document)"
 * for the whole document, otherwise the pointer.  It is a JSON string if it contains
 * an escaped character, a quote, a backslash, or ": ".  So the first ": " after it ends
 * it, whatever the keys are.  Tokens of more than EV_SHOWN_CHARACTERS characters are
 * cut and end in "~...", which occurs in no JSON Pointer.
 */
extern char *ev_location_show(const char *location);

/*
 * Returns a JSON Pointer whose tokens are cut in this way, but not escaped, in
 * CurrentMemoryContext.
 */
extern char *ev_location_cut(const char *location);

#endif							/* EV_SHOWN_TEXT_H */
