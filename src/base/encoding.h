/*
 * encoding.h
 *	  Strings of a jsonb are in the server encoding; patterns and formats want
 *	  UTF-8, and lengths count code points.
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
 * A string in UTF-8, without a copy where the server encoding is UTF-8.
 * False where it has none (a byte string in an SQL_ASCII database, a character
 * without a counterpart); never raises for it.
 */
extern bool ev_utf8_from_server(const char *data, int length, EvUtf8 *result);

static inline void
ev_utf8_free(EvUtf8 *string)
{
	if (string->allocated != NULL)
		pfree(string->allocated);
}

/*
 * Appends UTF-8 in the server encoding; an SQL_ASCII database takes it as it
 * is.  False where it is no UTF-8 or has a character without a counterpart;
 * nothing is appended then.
 */
extern bool ev_utf8_to_server(const char *data, int length, StringInfo out);

/* Code points; bytes in an SQL_ASCII database where they are not UTF-8. */
extern uint32 ev_text_length(const char *data, int length);

/* The bytes that the first `count` characters have, counted the same way. */
extern int	ev_text_clip(const char *data, int length, int count);

#endif							/* EV_ENCODING_H */
