/*
 * pattern_language.h
 *	  Questions about all strings that patterns match: is there one that these
 *	  patterns match and those do not?
 *
 * Strings are those that jsonb can have: code points other than NUL and
 * surrogates.
 */
#ifndef EV_PATTERN_LANGUAGE_H
#define EV_PATTERN_LANGUAGE_H

#include "pattern/pattern.h"

/* The strings that a pattern matches, as an automaton. */
typedef struct EvLanguage EvLanguage;

typedef enum EvLanguageAnswer
{
	EV_LANGUAGE_NONE,			/* there is no such string */
	EV_LANGUAGE_FOUND,
	EV_LANGUAGE_UNKNOWN			/* too much work, or too many states */
} EvLanguageAnswer;

#define EV_LANGUAGE_MAX_PATTERNS	8	/* in one question */
#define EV_LANGUAGE_ANY_LENGTH		PG_UINT32_MAX	/* as max_length */

/*
 * Returns the language of a pattern, which ev_pattern_compile() accepts, in
 * CurrentMemoryContext.  backward: strings are read from their end; some
 * lookaheads need this, some lookbehinds do not allow it.  Returns NULL if it
 * cannot be expressed or has too many states.  Adds its work, in units of about
 * 5 ns, to *work.
 */
extern EvLanguage *ev_language_make(const char *pattern, int length, bool backward, int64 *work);

/*
 * Searches a string of min_length to max_length code points that each of the
 * languages contains, or does not, as `wanted` says.  All languages are read in
 * the same direction.  If one is found, and `string` is not NULL, sets *string
 * and *length to a shortest one, in UTF-8, in CurrentMemoryContext.  Subtracts
 * its work, in units of about 10 ns, from *work, and ends when that is used up.
 */
extern EvLanguageAnswer ev_language_find(const EvLanguage *const *languages, const bool *wanted, int count,
										 uint32 min_length, uint32 max_length, int64 *work,
										 char **string, int *length);

#endif							/* EV_PATTERN_LANGUAGE_H */
