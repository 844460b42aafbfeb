/*
 * pattern_regex.c
 *	  Patterns that are no automaton, run by PostgreSQL's regex engine.
 *
 * The tree is written out in the engine's syntax ("ARE", section 9.7.3 of the
 * manual), using as little of it as possible: code points and ranges of them,
 * "^" and "$" (which, without newline-sensitive matching, mean the ends of the
 * string only), groups, quantifiers, look-around and back-references.  Never a
 * class by name, ".", or an escape such as \w: those depend on the locale.  The
 * engine works on code points and is given the "C" collation, so that neither
 * the server encoding nor a locale has any influence.
 *
 * What means something else to the engine than in ECMA-262 is refused:
 * back-references to a group that may not have taken part in the match (which
 * match the empty string in ECMA-262, and nothing here), and captures across
 * the border of a look-around (the engine has none).
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/memutils.h"

#include "pattern_internal.h"

#define MAX_REPEAT			255 /* DUPMAX of the engine */
#define MAX_REGEX_SETS		5000	/* with repetitions written out: bounds the
									 * memory that the engine takes */
#define MAX_REGEX_LENGTH	(1024 * 1024)	/* code points */

struct EvRegex
{
	pg_regex_t	regex;
	MemoryContextCallback callback;
};

typedef struct Writer
{
	const EvPatternTree *tree;
	pg_wchar   *text;
	int			length;
	int			allocated;
	int		   *numbers;		/* by group: its number for the engine, 0: not
								 * captured, -1: captured, not yet numbered */
	int			last_number;
	EvPatternError *error;
} Writer;

static bool
refuse(EvPatternError *error, const EvNode *node, const char *message)
{
	error->message = message;
	error->position = node->position;
	error->unsupported = true;
	return false;
}

/* ---- what can be written ---- */

/* Sets in the node with its repetitions written out, cut at MAX_REGEX_SETS + 1. */
static int
count_sets(const EvNode *node)
{
	int64		count = 0;

	check_stack_depth();
	if (node->kind == EV_NODE_SET)
		count = 1;
	if (node->kind == EV_NODE_WORD_BOUNDARY)
		count = 4;
	for (const EvNode *child = node->child; child != NULL; child = child->next)
		count = Min(count + count_sets(child), MAX_REGEX_SETS + 1);
	if (node->kind == EV_NODE_REPEAT)
		count *= node->max == EV_UNBOUNDED ? Max(node->min, 1) : node->max;
	return Min(count, MAX_REGEX_SETS + 1);
}

static bool
contains(const EvNode *node, const EvNode *wanted)
{
	check_stack_depth();
	if (node == wanted)
		return true;
	for (const EvNode *child = node->child; child != NULL; child = child->next)
	{
		if (contains(child, wanted))
			return true;
	}
	return false;
}

static const EvNode *
find_group(const EvNode *node, int group)
{
	check_stack_depth();
	if (node->kind == EV_NODE_GROUP && node->group == group)
		return node;
	for (const EvNode *child = node->child; child != NULL; child = child->next)
	{
		const EvNode *found = find_group(child, group);

		if (found != NULL)
			return found;
	}
	return NULL;
}

/* May the node match the empty string?  If in doubt, yes. */
static bool
is_nullable(const EvNode *node)
{
	check_stack_depth();
	switch (node->kind)
	{
		case EV_NODE_SET:
			return false;
		case EV_NODE_SEQUENCE:
			for (const EvNode *child = node->child; child != NULL; child = child->next)
			{
				if (!is_nullable(child))
					return false;
			}
			return true;
		case EV_NODE_CHOICE:
			for (const EvNode *child = node->child; child != NULL; child = child->next)
			{
				if (is_nullable(child))
					return true;
			}
			return false;
		case EV_NODE_REPEAT:
			return node->min == 0 || is_nullable(node->child);
		case EV_NODE_GROUP:
			return is_nullable(node->child);
		default:
			return true;
	}
}

typedef enum Participation
{
	NEVER_SET,					/* matches the empty string in ECMA-262 */
	ALWAYS_SET,
	SOMETIMES_SET,
} Participation;

/*
 * Has the group captured whenever the back-reference is reached?  Captures are
 * forgotten at each round of a quantifier around them (ECMA-262, section
 * 22.2.2.3.1), so only what comes before the back-reference in the innermost
 * sequence that holds both counts.
 */
static Participation
participation(const EvNode *root, const EvNode *reference)
{
	const EvNode *group = find_group(root, reference->group);
	const EvNode *common = root;
	const EvNode *node;

	/* the smallest node that holds both */
	for (;;)
	{
		const EvNode *child;

		if (common == group)
			return NEVER_SET;	/* a reference to the group around it */
		for (child = common->child; child != NULL; child = child->next)
		{
			if (contains(child, group) && contains(child, reference))
				break;
		}
		if (child == NULL)
			break;
		common = child;
	}
	if (common->kind != EV_NODE_SEQUENCE)
		return NEVER_SET;		/* another alternative */

	for (node = common->child; node != NULL; node = node->next)
	{
		if (contains(node, reference))
			return NEVER_SET;	/* it comes before the group */
		if (contains(node, group))
			break;
	}

	/* from there down to the group, is everything required? */
	while (node != group)
	{
		const EvNode *child;

		if (node->kind == EV_NODE_CHOICE || node->kind == EV_NODE_LOOK)
			return SOMETIMES_SET;
		if (node->kind == EV_NODE_REPEAT)
		{
			if (node->min == 0)
				return SOMETIMES_SET;

			/* which round is the last one, if one may be empty? */
			if (node->max != 1 && is_nullable(group))
				return SOMETIMES_SET;
		}
		for (child = node->child; !contains(child, group); child = child->next)
			 /* find it */ ;
		node = child;
	}
	return ALWAYS_SET;
}

/*
 * Refuses what cannot be expressed; finds the groups that must be captured.
 */
static bool
prepare(Writer *w, const EvNode *node, bool inside_look)
{
	check_stack_depth();
	if (node->kind == EV_NODE_BACKREFERENCE)
	{
		switch (participation(w->tree->root, node))
		{
			case NEVER_SET:
				return true;
			case SOMETIMES_SET:
				return refuse(w->error, node,
							  "back-reference to a group that may not have matched");
			case ALWAYS_SET:
				break;
		}
		if (inside_look)
			return refuse(w->error, node, "back-reference inside a look-around");
		w->numbers[node->group] = -1;
	}
	for (const EvNode *child = node->child; child != NULL; child = child->next)
	{
		if (!prepare(w, child, inside_look || node->kind == EV_NODE_LOOK))
			return false;
	}
	return true;
}

/* ---- writing ---- */

static void
put(Writer *w, uint32 code)
{
	if (w->length == w->allocated)
	{
		w->allocated = Max(256, w->allocated * 2);
		if (w->text == NULL)
			w->text = palloc(w->allocated * sizeof(pg_wchar));
		else
			w->text = repalloc(w->text, w->allocated * sizeof(pg_wchar));
	}
	w->text[w->length++] = code;
}

static void
put_string(Writer *w, const char *s)
{
	while (*s)
		put(w, (unsigned char) *s++);
}

/* A code point that stands for itself, inside [...] or not. */
static void
put_code(Writer *w, uint32 code)
{
	if (code >= 0x80 || (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z'))
		put(w, code);
	else
	{
		char		escape[16];

		/* digits too: they could continue a back-reference */
		snprintf(escape, sizeof(escape), "\\U%08X", code);
		put_string(w, escape);
	}
}

static void
put_set(Writer *w, int set)
{
	const EvCodeSet *s = &w->tree->sets[set];

	if (s->count == 0)
	{
		put_code(w, 0xD800);	/* a surrogate, which no string has */
		return;
	}
	if (s->count == 1 && s->ranges[0].first == s->ranges[0].last)
	{
		put_code(w, s->ranges[0].first);
		return;
	}
	put(w, '[');
	for (int i = 0; i < s->count; i++)
	{
		put_code(w, s->ranges[i].first);
		if (s->ranges[i].last > s->ranges[i].first)
		{
			put(w, '-');
			put_code(w, s->ranges[i].last);
		}
	}
	put(w, ']');
}

static bool write_node(Writer *w, const EvNode *node);

static bool
write_counted(Writer *w, const EvNode *node, int min, int max)
{
	char		braces[32];

	put_string(w, "(?:");
	if (!write_node(w, node))
		return false;
	if (max == EV_UNBOUNDED)
		snprintf(braces, sizeof(braces), ")%s", min == 0 ? "*" : "+");
	else
		snprintf(braces, sizeof(braces), "){%d,%d}", min, max);
	put_string(w, braces);
	return true;
}

static bool
write_repeat(Writer *w, const EvNode *node)
{
	int			min = node->min;
	int			optional = node->max == EV_UNBOUNDED ? 0 : node->max - min;
	int			last_number = w->last_number;
	int			pieces = 0;

	put_string(w, "(?:");
	if (node->max == EV_UNBOUNDED && min <= 1)
	{
		if (!write_counted(w, node->child, min, EV_UNBOUNDED))
			return false;
		pieces++;
	}
	else if (node->max != EV_UNBOUNDED && node->max <= MAX_REPEAT)
	{
		if (node->max > 0 && !write_counted(w, node->child, min, node->max))
			return false;
		pieces++;
	}
	else
	{
		for (; min > 0; min -= Min(min, MAX_REPEAT), pieces++)
		{
			if (!write_counted(w, node->child, Min(min, MAX_REPEAT), Min(min, MAX_REPEAT)))
				return false;
		}
		for (; optional > 0; optional -= Min(optional, MAX_REPEAT), pieces++)
		{
			if (!write_counted(w, node->child, 0, Min(optional, MAX_REPEAT)))
				return false;
		}
		if (node->max == EV_UNBOUNDED)
		{
			if (!write_counted(w, node->child, 0, EV_UNBOUNDED))
				return false;
			pieces++;
		}
	}
	put(w, ')');
	/* copies of a group have numbers of their own */
	if (pieces > 1 && w->last_number > last_number)
		return refuse(w->error, node,
					  "large repetition of a group that a back-reference refers to");
	return true;
}

static bool
write_node(Writer *w, const EvNode *node)
{
	check_stack_depth();
	if (w->length > MAX_REGEX_LENGTH)
		return refuse(w->error, node, "pattern too large");
	switch (node->kind)
	{
		case EV_NODE_EMPTY:
			put_string(w, "(?:)");
			break;

		case EV_NODE_SET:
			put_set(w, node->set);
			break;

		case EV_NODE_SEQUENCE:
			for (const EvNode *child = node->child; child != NULL; child = child->next)
			{
				if (!write_node(w, child))
					return false;
			}
			break;

		case EV_NODE_CHOICE:
			put_string(w, "(?:");
			for (const EvNode *child = node->child; child != NULL; child = child->next)
			{
				if (child != node->child)
					put(w, '|');
				if (!write_node(w, child))
					return false;
			}
			put(w, ')');
			break;

		case EV_NODE_REPEAT:
			return write_repeat(w, node);

		case EV_NODE_GROUP:
			if (w->numbers[node->group] != 0)
			{
				w->numbers[node->group] = ++w->last_number;
				put(w, '(');
			}
			else
				put_string(w, "(?:");
			if (!write_node(w, node->child))
				return false;
			put(w, ')');
			break;

		case EV_NODE_LOOK:
			put_string(w, node->ahead ? (node->negative ? "(?!" : "(?=") :
					   (node->negative ? "(?<!" : "(?<="));
			if (!write_node(w, node->child))
				return false;
			put(w, ')');
			break;

		case EV_NODE_START:
			put(w, '^');
			break;

		case EV_NODE_END:
			put(w, '$');
			break;

		case EV_NODE_WORD_BOUNDARY:
			for (int side = 0; side < 2; side++)
			{
				put_string(w, side == 0 ? "(?:(?<=" : "|(?<!");
				put_set(w, w->tree->word_set);
				put_string(w, (side == 0) != node->negative ? ")(?!" : ")(?=");
				put_set(w, w->tree->word_set);
				put(w, ')');
			}
			put(w, ')');
			break;

		case EV_NODE_BACKREFERENCE:
			if (w->numbers[node->group] > 0 &&
				participation(w->tree->root, node) == ALWAYS_SET)
			{
				char		escape[16];

				snprintf(escape, sizeof(escape), "\\%d", w->numbers[node->group]);
				put_string(w, escape);
			}
			else
				put_string(w, "(?:)");
			break;
	}
	return true;
}

/* ---- running ---- */

/*
 * Before PostgreSQL 16 the engine allocates with malloc, from then on in
 * CurrentMemoryContext, where nothing is left to do.
 */
#if PG_VERSION_NUM < 160000
static void
free_regex(void *regex)
{
	pg_regfree(&((EvRegex *) regex)->regex);
}
#endif

EvRegex *
ev_regex_compile(const EvPatternTree *tree, EvPatternError *error)
{
	Writer		w = {0};
	EvRegex    *regex;
	int			code;

	w.tree = tree;
	w.error = error;
	w.numbers = palloc0((tree->group_count + 1) * sizeof(int));
	if (count_sets(tree->root) > MAX_REGEX_SETS)
	{
		refuse(error, tree->root, "pattern too large, with its repetitions written out");
		return NULL;
	}
	if (tree->has_backreference && !prepare(&w, tree->root, false))
		return NULL;
	if (!write_node(&w, tree->root))
		return NULL;

	regex = palloc0(sizeof(EvRegex));
	code = pg_regcomp(&regex->regex, w.text, w.length, REG_ADVANCED | REG_NOSUB,
					  C_COLLATION_OID);
	if (code != REG_OKAY)
	{
		char		reason[128];

		CHECK_FOR_INTERRUPTS();
		pg_regerror(code, &regex->regex, reason, sizeof(reason));
		refuse(error, tree->root,
			   psprintf("pattern too complex for the regular expression engine (%s)", reason));
		pfree(regex);
		return NULL;
	}
#if PG_VERSION_NUM < 160000
	regex->callback.func = free_regex;
	regex->callback.arg = regex;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &regex->callback);
#endif
	pfree(w.text);
	pfree(w.numbers);
	return regex;
}

bool
ev_regex_matches(const EvRegex *regex, const char *string, int length)
{
	const unsigned char *at = (const unsigned char *) string;
	const unsigned char *end = at + length;
	pg_wchar   *codes;
	Size		count = 0;
	int			code;

	/* never more code points than bytes */
	codes = palloc_extended(((Size) length + 1) * sizeof(pg_wchar), MCXT_ALLOC_HUGE);
	while (at < end)
	{
		codes[count++] = ev_utf8_decode(at);
		at += ev_utf8_length(*at);
	}
	code = pg_regexec(unconstify(pg_regex_t *, &regex->regex), codes, count, 0, NULL,
					  0, NULL, 0);
	pfree(codes);
	if (code == REG_OKAY)
		return true;
	if (code == REG_NOMATCH)
		return false;

	CHECK_FOR_INTERRUPTS();
	{
		char		reason[128];

		pg_regerror(code, &regex->regex, reason, sizeof(reason));
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("could not match a pattern: %s", reason)));
	}
	return false;				/* keep compiler quiet */
}
