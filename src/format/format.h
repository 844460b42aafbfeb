/*
 * format.h
 *	  The values of the keyword "format".
 *
 * Strings are UTF-8 that the caller has verified, in any server encoding.
 * They may contain any code point except NUL.
 */
#ifndef EV_FORMAT_H
#define EV_FORMAT_H

#include "base/dialect.h"

/*
 * Returns true if the string has the format.  Must not raise for a bad string.
 */
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
 * Returns the format with this name in a draft, or NULL if the draft does not
 * know the name, which is then an annotation.  The result is static.
 */
extern const EvFormat *ev_format_find(const char *name, int length, EvDraft draft);

/*
 * A set of formats by their names: each name is one bit, whatever it means in a
 * draft.  The bits are not stored.
 */
typedef uint32 EvFormatSet;

#define EV_ALL_FORMATS	PG_UINT32_MAX

/* Returns the set of one format; the empty set if no draft has the name. */
extern EvFormatSet ev_format_set_of(const char *name, int length);

/* Returns the name that belongs to a bit; NULL after the last one. */
extern const char *ev_format_name(int bit);

/*
 * The meaning of a format that only OpenAPI's registry has, for messages ("a
 * signed 32-bit integer"); NULL for all other names.  Such a format is an
 * annotation.  The result is static.
 */
extern const char *ev_format_of_openapi(const char *name, int length);

#endif							/* EV_FORMAT_H */
