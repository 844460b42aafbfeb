/*
 * encoding.h
 *	  Strings of a jsonb are in the server encoding, but patterns and
 *	  formats take UTF-8, and lengths are in code points.
 */
#ifndef EV_ENCODING_H
#define EV_ENCODING_H

#include "lib/stringinfo.h"

typedef struct EvUtf8
{
	const char *data;
	int			length;
	char	   *allocated;		/* to be freed by ev_utf8_free, or NULL */
} EvUtf8;

/*
 * Converts a string to UTF-8; it is not copied if the server encoding is
 * UTF-8.  Returns false if it cannot be converted (bytes in an SQL_ASCII
 * database that are not UTF-8, or a character without a counterpart); does not
 * raise for it.
 */
extern bool ev_utf8_from_server(const char *data, int length, EvUtf8 *result);

static inline void
ev_utf8_free(EvUtf8 *string)
{
	if (string->allocated != NULL)
		pfree(string->allocated);
}

/*
 * Appends UTF-8 in the server encoding; in an SQL_ASCII database, unchanged.
 * Returns false, and appends nothing, if it is not UTF-8 or has a character
 * without a counterpart.
 */
extern bool ev_utf8_to_server(const char *data, int length, StringInfo out);

/*
 * Returns the number of code points; in an SQL_ASCII database, the number of
 * bytes if they are not UTF-8.
 */
extern uint32 ev_text_length(const char *data, int length);

/*
 * Returns the number of bytes of the first `count` characters, which are
 * counted as in ev_text_length().
 */
extern int	ev_text_clip(const char *data, int length, int count);

#endif							/* EV_ENCODING_H */
