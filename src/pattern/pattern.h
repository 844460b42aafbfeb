/*
 * pattern.h
 *	  ECMA-262 regular expressions, as JSON Schema's "pattern" means them: a
 *	  search, in Unicode mode ("u"), without flags.
 *
 * Checks over bytes: patterns and strings are UTF-8, verified by the caller,
 * whatever the server encoding is, but for ev_shape_matches.
 */
#ifndef EV_PATTERN_H
#define EV_PATTERN_H

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
 * What all patterns of a schema may take together.  Beyond `work` a pattern is
 * not made an automaton at once, but while strings are matched; what then
 * remains (beyond `engine`, `bytes` or `ranges`) is not supported.
 */
typedef struct EvPatternBudget
{
	int64		work;			/* steps of making automata */
	int64		engine;			/* work of PostgreSQL's engine to compile */
	int64		bytes;			/* of memory that is kept */
	int64		ranges;			/* of characters, in all classes, beyond one
								 * for each byte */
} EvPatternBudget;

#define EV_PATTERN_BUDGET \
	{.work = 32 * 1000 * 1000, .engine = INT64CONST(5000000000), .bytes = 64 * 1024 * 1024, .ranges = 2500000}

/*
 * Compiles a pattern into CurrentMemoryContext (what PostgreSQL's regex
 * engine allocates for itself is freed by a reset callback of that context),
 * and takes what that costs from the budget.
 * NULL, with *error filled, where the pattern is not valid or not supported.
 * Never raises for a bad pattern; may raise out of memory and cancel.
 *
 * Beyond the grammar of the "u" flag, accepts what Annex B gives one meaning
 * only: an escaped ASCII character other than a letter or digit, "{", "}" and
 * "]" as themselves where they begin or end nothing, and "-" beside a class in
 * [...], as in [\w-.].
 *
 * Takes microseconds for what schemas usually have, and bounded time and
 * memory for anything (a fraction of a second, some 20 MB while compiling,
 * 1 MB or so kept); messages are ASCII.
 */
extern EvPattern *ev_pattern_compile(const char *pattern, int length,
									 EvPatternBudget *budget, EvPatternError *error);

/*
 * Does the pattern match anywhere in the string?  Allocates nothing, in time
 * linear in the string, where the pattern was lowered to literals or tables:
 * that is, nearly always.  Automata without a table keep their states in a
 * bounded memory context of the backend.  Back-references, and look-around that is no
 * automaton, are run by PostgreSQL's engine, for which the string is copied to
 * CurrentMemoryContext, freed at the end.  Raises query_canceled, and
 * program_limit_exceeded where PostgreSQL's engine gives up.
 */
extern bool ev_pattern_matches(const EvPattern *pattern,
							   const char *string, int length);

/*
 * The pattern as a shape, where it says no more than which ASCII characters may
 * stand where: "^[A-Z.]{1,8}$", "^[0-9a-f]{8}-[0-9a-f]{4}$"; else NULL.  It lives
 * as long as the pattern.
 */
extern const EvPatternShape *ev_pattern_shape(const EvPattern *pattern);

/*
 * Has the string the shape?  The same answer as ev_pattern_matches, sooner, and
 * of strings in the server encoding too.  Allocates nothing.
 */
extern bool ev_shape_matches(const EvPatternShape *shape, const char *string, uint32 length);

/*
 * Is this a valid ECMA-262 pattern with the "u" flag, to the letter (format
 * "regex")?  Parses only; allocates in CurrentMemoryContext.
 */
extern bool ev_pattern_is_valid(const char *pattern, int length);

/* Is it linear in the string, without the regular expression engine? */
extern bool ev_pattern_is_linear(const EvPattern *pattern);

/*
 * How the pattern is run, for test/pattern: "shape of 1 to 8 bytes", "literal
 * of 6 bytes, anywhere", "automaton, 12 states of 5 columns, forward",
 * "automaton of 70 positions, forward" (without a table), "regular expression
 * engine", or several of these, where all must agree.  In CurrentMemoryContext.
 */
extern const char *ev_pattern_kind(const EvPattern *pattern);

#endif							/* EV_PATTERN_H */
