/*
 * pattern_parser.h
 *	  The parser's state, and the functions that its files share.
 *
 * Private to pattern_parse.c (the grammar), pattern_escape.c (escapes and
 * classes) and pattern_code_set.c (sets of code points).
 */
#ifndef EV_PATTERN_PARSER_H
#define EV_PATTERN_PARSER_H

#include "lib/stringinfo.h"

#include "pattern/pattern_internal.h"

/* kinds of open groups; one byte each, since there may be a million */
typedef enum EvGroupKind
{
	GROUP_PLAIN,
	GROUP_CAPTURING,
	GROUP_LOOK,
} EvGroupKind;

typedef struct EvOpenGroup
{
	int			position;		/* of its "(" */
	uint8		kind;			/* EvGroupKind */
} EvOpenGroup;

/* the parts of an open group; only if a tree is built */
typedef struct EvParseFrame
{
	struct EvParseFrame *outer;
	EvNode	   *first_choice;	/* alternatives before the last "|" */
	EvNode	   *last_choice;
	EvNode	   *first_term;		/* of the current alternative */
	EvNode	   *last_term;
	int			group;			/* GROUP_CAPTURING */
	bool		ahead;			/* GROUP_LOOK */
	bool		negative;		/* GROUP_LOOK */
} EvParseFrame;

/* The name of a group, or of a reference to a group. */
typedef struct EvNameUse
{
	char	   *name;			/* UTF-8, escapes decoded */
	int			position;
	int			group;			/* number of the named group */
	EvNode	   *node;			/* of the reference, or NULL */
} EvNameUse;

typedef struct EvNameList
{
	EvNameUse  *items;
	int			count;
	int			allocated;
} EvNameList;

/* A set that is being built: ranges in any order. */
typedef struct EvSetBuilder
{
	EvCodeRange *ranges;
	int			count;
	int			allocated;
	int			normalized;		/* number of ranges at the last normalization */
} EvSetBuilder;

typedef struct EvPatternParser
{
	const unsigned char *start;
	const unsigned char *at;
	const unsigned char *end;
	bool		lenient;
	EvPatternError *error;

	/* syntax */
	EvOpenGroup *open;
	int			open_count;
	int			open_allocated;
	int			group_count;
	int			max_reference;	/* largest \N */
	int			max_reference_position;
	EvNameList	groups;
	EvNameList	references;
	StringInfoData name;		/* the name being read */

	/* the tree; NULL if only the syntax is checked */
	EvPatternTree *tree;
	EvParseFrame *frame;
	int			sets_allocated;
	int		   *set_index;		/* hash table: set number, or -1 */
	int			set_index_size; /* a power of 2 */
	int			range_count;	/* ranges read and stored so far, to limit the
								 * work */
	EvPatternError unsupported; /* why no tree is built any more */
} EvPatternParser;

static inline bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * pattern_escape.c
 *
 * The first two functions record an error.  ev_pattern_fail() returns false, for
 * the convenience of callers.
 */

/* Records that the pattern is not valid at this byte. */
extern bool ev_pattern_fail(EvPatternParser *parser, const unsigned char *at, const char *message);

/*
 * Records that the pattern is too large to be run.  From here on, only its
 * syntax is checked.
 */
extern void ev_pattern_give_up_tree(EvPatternParser *parser, const unsigned char *at, const char *message);

/*
 * These functions read at parser->at and advance it.  They return false if the
 * pattern is not valid; all but the first then have recorded an error.
 */
extern bool ev_pattern_read_unicode_escape(EvPatternParser *parser, uint32 *code);
extern bool ev_pattern_read_character_escape(EvPatternParser *parser, const unsigned char *backslash,
											 uint32 *code);
extern bool ev_pattern_read_class_escape(EvPatternParser *parser, const unsigned char *backslash,
										 bool *is_class, EvCodeSet *set, bool *negated);

/*
 * Reads a class in brackets.  Fills *builder with normalized ranges, which the
 * caller frees; it stays empty if no tree is built.
 */
extern bool ev_pattern_read_class(EvPatternParser *parser, EvSetBuilder *builder);

/* \w */
extern const EvCodeSet ev_pattern_word;

/* Does a code point have this binary property of Unicode? */
extern bool ev_pattern_has_property(const char *property, uint32 code);

/*
 * pattern_code_set.c
 *
 * Ranges may be added to a set in any order; it grows in CurrentMemoryContext.
 * The ranges of a normalized set are sorted, disjoint and not adjacent.
 */
extern void ev_set_add_ranges(EvSetBuilder *builder, const EvCodeRange *ranges, int count);
extern void ev_set_add_complement(EvSetBuilder *builder, const EvCodeRange *ranges, int count);
extern void ev_set_normalize(EvSetBuilder *builder);

/*
 * Returns the number of a normalized set in the parser's tree; equal sets have
 * one number.
 */
extern int	ev_set_store(EvPatternParser *parser, const EvCodeRange *ranges, int count);

#endif							/* EV_PATTERN_PARSER_H */
