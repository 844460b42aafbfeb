/*
 * format.h
 *	  The values of the keyword "format".
 *
 * Checks over bytes: strings are UTF-8, verified by the caller, whatever the
 * server encoding is; they may hold any code point but NUL.
 */
#ifndef EV_FORMAT_H
#define EV_FORMAT_H

#include "base/dialect.h"

/* True where the string has the format.  Must not raise for a bad string. */
typedef bool (*EvFormatFunction) (const char *string, int length);

typedef struct EvFormat
{
	const char *name;
	EvFormatFunction matches;
	const char *description;	/* completes "must be ...": "an RFC 3339
								 * date-time" */
	int			drafts;			/* set of drafts in which the name has this
								 * meaning, see dialect.h */
} EvFormat;

/*
 * The format of that name in that draft, or NULL where the name is not known
 * (it is an annotation then).  The result is static.
 */
extern const EvFormat *ev_format_find(const char *name, int length, EvDraft draft);

/*
 * A format of OpenAPI's registry of formats that no draft has: what it means,
 * for messages ("a signed 32-bit integer"); NULL where the name is none of
 * these.  Such a format is an annotation.
 */
extern const char *ev_format_of_openapi(const char *name, int length);

#endif							/* EV_FORMAT_H */
