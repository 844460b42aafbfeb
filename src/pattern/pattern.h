/*
 * pattern.h
 *	  ECMA-262 regular expressions, as the keyword "pattern" uses them: a
 *	  search, in Unicode mode ("u"), without other flags.
 *
 * Patterns and strings are UTF-8 that the caller has verified, in any server
 * encoding.  Only ev_shape_matches() takes strings in the server encoding too.
 */
#ifndef EV_PATTERN_H
#define EV_PATTERN_H

#include "lib/stringinfo.h"

typedef struct EvPattern EvPattern;
typedef struct EvPatternShape EvPatternShape;

typedef struct EvPatternError
{
	const char *message;		/* lower case, no full stop; constant or in
								 * CurrentMemoryContext */
	int			position;		/* of the construct in the pattern, in bytes */
	bool		unsupported;	/* valid ECMA-262, but cannot be run here */
} EvPatternError;

/*
 * Limits on what all patterns of one schema may use together.  When `work` is
 * used up, an automaton is not built at once, but while strings are matched.
 * A pattern that then exceeds `engine`, `bytes` or `ranges` is not supported.
 */
typedef struct EvPatternBudget
{
	int64		work;			/* steps to build automata */
	int64		engine;			/* work of PostgreSQL's engine to compile */
	int64		bytes;			/* memory that is kept */
	int64		ranges;			/* of characters, in all classes, beyond one
								 * for each byte of the patterns */
	struct EvPatternBudget *later;	/* for the tables that are built while
									 * strings are matched; NULL: none yet */
} EvPatternBudget;

#define EV_PATTERN_BUDGET \
	{.work = 32 * 1000 * 1000, .engine = INT64CONST(5000000000), .bytes = 64 * 1024 * 1024, .ranges = 2500000}

/*
 * Compiles a pattern in CurrentMemoryContext, and subtracts its cost from the
 * budget.  A reset callback of that context frees what PostgreSQL's regex
 * engine has allocated.  Returns NULL, with *error filled, if the pattern is
 * not valid or not supported.  Does not raise for a bad pattern; may raise
 * out_of_memory and query_canceled.
 *
 * Beyond the grammar of the "u" flag, it accepts those parts of Annex B that
 * have only one meaning: an escaped ASCII character other than a letter or
 * digit; "{", "}" and "]" as themselves if they neither open nor close
 * anything; "-" beside a class in [...], as in [\w-.].
 *
 * Usual patterns take microseconds.  Time and memory are bounded for any
 * pattern: a fraction of a second, some 20 MB while compiling, about 1 MB
 * kept.  Messages are ASCII.
 */
extern EvPattern *ev_pattern_compile(const char *pattern, int length,
									 EvPatternBudget *budget, EvPatternError *error);

/*
 * Does the pattern match anywhere in the string?
 *
 * If the pattern was lowered to a shape, literals or a table, as nearly all
 * are, this allocates nothing and takes time linear in the string.  A table that
 * is expensive is built by a match, in the memory of the pattern
 * (pattern_later.c).  Automata
 * without a table keep their states in a bounded memory context of the
 * backend.  Other patterns take memory in CurrentMemoryContext in proportion to the string,
 * which is freed before the return: those with look-arounds that no automaton follows, which
 * take linear time, and those with back-references, which PostgreSQL's engine runs.  Raises
 * query_canceled, and program_limit_exceeded if that engine takes too many steps.
 */
extern bool ev_pattern_matches(const EvPattern *pattern,
							   const char *string, int length);

/*
 * Returns the pattern as a shape if it only says which ASCII characters may be
 * at which position, as in "^[A-Z.]{1,8}$" and "^[0-9a-f]{8}-[0-9a-f]{4}$";
 * otherwise NULL.  The shape lives as long as the pattern.
 */
extern const EvPatternShape *ev_pattern_shape(const EvPattern *pattern);

/*
 * Does the string have the shape?  Gives the answer of ev_pattern_matches(),
 * but is faster, and takes strings in the server encoding too.  Allocates
 * nothing.
 */
extern bool ev_shape_matches(const EvPatternShape *shape, const char *string, uint32 length);

/*
 * Is this a valid ECMA-262 pattern with the "u" flag, without the additions of
 * Annex B (format "regex")?  It is only parsed.  Allocates in
 * CurrentMemoryContext.
 */
extern bool ev_pattern_is_valid(const char *pattern, int length);

/*
 * Appends a string of ASCII characters that the pattern probably matches; the caller
 * checks it.  With more, what may be left out is there once.  Returns false if none was found, or the pattern is not valid; then a part of
 * one may have been appended.  Allocates in CurrentMemoryContext.
 */
extern bool ev_pattern_sample(const char *pattern, int length, bool more, StringInfo out);

/*
 * Does the pattern run in linear time, without the regular expression engine?
 */
extern bool ev_pattern_is_linear(const EvPattern *pattern);

/*
 * Returns a description of how the pattern is run, in CurrentMemoryContext, for
 * test/pattern: "shape of 1 to 8 bytes", "literal of 6 bytes, anywhere",
 * "automaton, 12 states of 5 columns, forward", "automaton of 70 positions,
 * forward" (without a table), "70 positions, with 3 look-arounds", "regular expression engine", or a list of these
 * that must all match.
 */
extern const char *ev_pattern_kind(const EvPattern *pattern);

#endif							/* EV_PATTERN_H */
