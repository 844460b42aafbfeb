/*
 * pattern.h
 *	  ECMA-262 regular expressions, as JSON Schema's "pattern" means them: a
 *	  search, in Unicode mode ("u"), without flags.
 *
 * Leaves over bytes: patterns and strings are UTF-8, verified by the caller,
 * whatever the server encoding is.
 */
#ifndef EV_PATTERN_H
#define EV_PATTERN_H

typedef struct EvPattern EvPattern;

typedef struct EvPatternError
{
	const char *message;		/* lower case, no full stop; constant or in
								 * CurrentMemoryContext */
	int			position;		/* of the construct in the pattern, in bytes */
	bool		unsupported;	/* valid ECMA-262, but cannot be run here */
} EvPatternError;

/*
 * Compiles a pattern into CurrentMemoryContext (what PostgreSQL's regex
 * engine allocates for itself is freed by a reset callback of that context).
 * NULL, with *error filled, where the pattern is not valid or not supported.
 * Never raises for a bad pattern; may raise out of memory and cancel.
 */
extern EvPattern *ev_pattern_compile(const char *pattern, int length,
									 EvPatternError *error);

/*
 * Does the pattern match anywhere in the string?  Allocates nothing where the
 * pattern was lowered to an automaton.  Raises query_canceled, and
 * program_limit_exceeded where PostgreSQL's engine gives up.
 */
extern bool ev_pattern_matches(const EvPattern *pattern,
							   const char *string, int length);

/*
 * Is this a valid ECMA-262 pattern with the "u" flag, to the letter (format
 * "regex")?  Parses only; allocates in CurrentMemoryContext.
 */
extern bool ev_pattern_is_valid(const char *pattern, int length);

/*
 * How the pattern is run, for people: "automaton, 12 states of 5 columns,
 * forward" or "regular expression engine".  In CurrentMemoryContext.
 */
extern const char *ev_pattern_kind(const EvPattern *pattern);

#endif							/* EV_PATTERN_H */
