/*
 * pattern_regex.c
 *	  Patterns that no automaton can express, run by PostgreSQL's regex
 *	  engine.
 *
 * The tree is written in the engine's syntax ("ARE", section 9.7.3 of the
 * manual), of which only a small part is used: code points and ranges of them,
 * "^" and "$" (which mean only the ends of the string without
 * newline-sensitive matching), groups, quantifiers, lookaround and
 * back-references.  Named classes, "." and escapes such as \w are not used,
 * since they depend on the locale.  The engine works on code points and gets
 * the "C" collation.  So neither the server encoding nor a locale changes the
 * result.
 *
 * Constructs to which the engine gives another meaning than ECMA-262 are
 * refused: back-references to a group that may not have taken part in the
 * match (they match the empty string in ECMA-262, and nothing in the engine),
 * and captures across the border of a lookaround (the engine has none).
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "regex/regguts.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/time_limit.h"
#include "pattern/pattern_internal.h"

#define MAX_REPEAT			255 /* DUPMAX of the engine */
/*
 * Limit on sets in a pattern with its repetitions written out.  The engine's
 * time and memory to compile grow quadratically or worse: the 400 sets of
 * (a?b?){133}[ab]{133} take a sixth of a second, 1500 take a minute and a
 * half.
 */
#define MAX_REGEX_SETS		400
#define MAX_REFERENCES		200 /* each takes time linear in the pattern */
#define MAX_REGEX_LENGTH	(1024 * 1024)	/* code points */

/*
 * Limit on the counted steps of one match, of some nanoseconds each.  It stops a match
 * that makes very many tries.  What the engine does between two tries is not counted
 * (see stack_or_steps_run_out()), so there is a limit on the time, too, in milliseconds.
 */
#define MOST_ENGINE_STEPS			INT64CONST(2000000000)
#define MOST_ENGINE_TIME	10000
#define LONG_STRING			30	/* characters, from which on the time is
								 * limited for each pattern */
#define STEPS_OF_CALL		200 /* of each try, besides the string's length */
#define INTERRUPT_WORK		100000	/* characters read */

struct EvRegex
{
	regex_t		regex;
	bool		is_divided;		/* a repetition has a back-reference, so the
								 * engine tries its divisions */
#if EV_REGEX_USES_MALLOC
	MemoryContextCallback callback; /* frees what the engine holds */
#endif
};

typedef struct RegexWriter
{
	const EvPatternTree *tree;
	const EvNode *root;			/* node to write */
	pg_wchar   *text;
	int			length;
	int			allocated;
	int		   *numbers;		/* by group: its number for the engine; 0: not
								 * captured; -1: captured, not yet numbered */
	int			last_number;
	EvPatternError *error;
} RegexWriter;

static bool
refuse(EvPatternError *error, const EvNode *node, const char *message)
{
	error->message = message;
	error->position = node->position;
	error->unsupported = true;
	return false;
}

/* ---- what can be written ---- */

/*
 * Counts the sets in a node with its repetitions written out, up to
 * MAX_REGEX_SETS + 1.
 */
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
	{
		count += count_sets(child);
		count = Min(count, MAX_REGEX_SETS + 1);
	}
	if (node->kind == EV_NODE_REPEAT)
		count *= node->max == EV_UNBOUNDED ? Max(node->min, 1) : node->max;
	return Min(count, MAX_REGEX_SETS + 1);
}

/*
 * Counts the optional parts of a node with its repetitions written out, with
 * the limit of count_sets().  A repetition of one set, as in x{0,200}, counts
 * once.
 */
static int
count_optional(const EvNode *node)
{
	int64		count = 0;

	check_stack_depth();
	for (const EvNode *child = node->child; child != NULL; child = child->next)
	{
		count += count_optional(child);
		count = Min(count, MAX_REGEX_SETS + 1);
	}
	if (node->kind == EV_NODE_EMPTY)
		count = 1;
	if (node->kind == EV_NODE_REPEAT)
	{
		count *= node->max == EV_UNBOUNDED ? Max(node->min, 1) : node->max;
		count += node->min == 0;
	}
	return Min(count, MAX_REGEX_SETS + 1);
}

/*
 * Estimates the engine's work to compile, in steps of less than a nanosecond,
 * from measurements.  A sequence of optional parts is the most expensive.
 */
static int64
engine_work(const EvNode *node, int sets)
{
	int64		optional = count_optional(node);

	return optional * optional * optional * optional + (int64) sets * sets * 1000;
}

/*
 * The meaning of a back-reference to PostgreSQL's engine.
 *
 * In ECMA-262, a back-reference to a group that has not captured matches the
 * empty string, and each round of a quantifier resets the captures inside it
 * (section 22.2.2.3.1).  So in the innermost sequence that contains both: a
 * group that is not before the back-reference has never captured, and a
 * required group before it always has.
 *
 * The engine matches a sequence by trying all borders between its parts, but
 * it looks for only one way to match each part between its borders: '---x-' ~
 * '(?:-+(-+)x)\1' is false.  So the group must itself be such a part, and not
 * be nested in one.
 */
typedef enum BackReference
{
	REFERENCE_EMPTY,			/* matches the empty string */
	REFERENCE_EXACT,			/* has the same meaning to the engine */
	REFERENCE_REFUSED,
} BackReference;

static BackReference
classify_reference(const EvNode *root, const EvNode *reference, const char **reason)
{
	const EvNode *group = ev_pattern_find_group(root, reference->group);
	const EvNode *common = root;
	const EvNode *node;

	/* find the innermost node that contains both */
	for (;;)
	{
		const EvNode *child;

		if (common == group)
			return REFERENCE_EMPTY; /* the group contains the reference */
		for (child = common->child; child != NULL; child = child->next)
		{
			if (ev_node_contains(child, group) && ev_node_contains(child, reference))
				break;
		}
		if (child == NULL)
			break;
		common = child;
	}
	if (common->kind != EV_NODE_SEQUENCE)
		return REFERENCE_EMPTY; /* in another alternative */
	for (node = common->child; !ev_node_contains(node, group); node = node->next)
	{
		if (ev_node_contains(node, reference))
			return REFERENCE_EMPTY; /* before the group */
	}

	/* is everything between that node and the group one sequence? */
	while (node != group)
	{
		const EvNode *child;

		if (node->kind == EV_NODE_CHOICE || node->kind == EV_NODE_LOOK ||
			(node->kind == EV_NODE_REPEAT && node->min == 0))
		{
			*reason = "back-reference to a group that may not have matched";
			return REFERENCE_REFUSED;
		}
		if (node->kind == EV_NODE_REPEAT)
		{
			*reason = "back-reference to a repeated group";
			return REFERENCE_REFUSED;
		}
		for (child = node->child; !ev_node_contains(child, group); child = child->next)
			 /* find the child that contains it */ ;
		node = child;
	}

	/* the engine counts empty rounds of a quantifier differently */
	for (node = root; node != reference;)
	{
		const EvNode *child;

		if (node->kind == EV_NODE_LOOK)
		{
			*reason = "back-reference inside a look-around";
			return REFERENCE_REFUSED;
		}
		if (node->kind == EV_NODE_REPEAT && node->max != 1 &&
			node->child->nullable &&
			(node->child->kind != EV_NODE_BACKREFERENCE || group->nullable))
		{
			*reason = "back-reference inside a repetition that may be empty";
			return REFERENCE_REFUSED;
		}
		for (child = node->child; !ev_node_contains(child, reference); child = child->next)
			 /* find the child that contains it */ ;
		node = child;
	}
	return REFERENCE_EXACT;
}

/*
 * Finds the groups that must be captured.  Returns false if a back-reference
 * cannot be expressed.
 */
static bool
find_captures(RegexWriter *w, const EvNode *node)
{
	check_stack_depth();
	if (node->kind == EV_NODE_BACKREFERENCE)
	{
		const char *reason;

		switch (classify_reference(w->root, node, &reason))
		{
			case REFERENCE_EMPTY:
				break;
			case REFERENCE_EXACT:
				w->numbers[node->group] = -1;
				break;
			case REFERENCE_REFUSED:
				return refuse(w->error, node, reason);
		}
	}
	for (const EvNode *child = node->child; child != NULL; child = child->next)
	{
		if (!find_captures(w, child))
			return false;
	}
	return true;
}

/*
 * Is each captured group a part of the sequence that contains its references?
 * Only captured groups around them can prevent it, since other groups are
 * written without parentheses.
 */
static bool
check_captures(RegexWriter *w, const EvNode *node, const EvNode *captured)
{
	check_stack_depth();
	if (node->kind == EV_NODE_GROUP && w->numbers[node->group] != 0)
	{
		if (captured != NULL)
			return refuse(w->error, node,
						  "back-references to a group and to one inside of it");
		captured = node;
	}
	for (const EvNode *child = node->child; child != NULL; child = child->next)
	{
		if (!check_captures(w, child, captured))
			return false;
	}
	return true;
}

/* ---- writing ---- */

static void
put(RegexWriter *w, uint32 code)
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
put_string(RegexWriter *w, const char *s)
{
	while (*s)
		put(w, (unsigned char) *s++);
}

/* Writes a code point that stands for itself, inside [...] or outside. */
static void
put_code(RegexWriter *w, uint32 code)
{
	if (code >= 0x80 || (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z'))
		put(w, code);
	else
	{
		char		escape[16];

		/* digits too, since they could continue a back-reference */
		snprintf(escape, sizeof(escape), "\\U%08X", code);
		put_string(w, escape);
	}
}

static void
put_set(RegexWriter *w, int set)
{
	const EvCodeSet *s = &w->tree->sets[set];

	if (s->count == 0)
	{
		put_code(w, 0xD800);	/* a surrogate, which occurs in no string */
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

static bool write_node(RegexWriter *w, const EvNode *node);

static bool
write_counted(RegexWriter *w, const EvNode *node, int min, int max)
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
write_repeat(RegexWriter *w, const EvNode *node)
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
	/* copies of a group have separate numbers */
	if (pieces > 1 && w->last_number > last_number)
		return refuse(w->error, node,
					  "large repetition of a group that a back-reference refers to");
	return true;
}

static bool
write_node(RegexWriter *w, const EvNode *node)
{
	const char *reason;

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
			if (w->numbers[node->group] == 0)
				return write_node(w, node->child);
			w->numbers[node->group] = ++w->last_number;
			put(w, '(');
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
				classify_reference(w->root, node, &reason) == REFERENCE_EXACT)
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
 * The engine asks whether its stack is too deep whenever it tries to match a part of
 * the string with a part of the pattern, or tries a look-around.  So its steps are
 * counted there, as if it scanned the string once for each try.
 *
 * Between two tries, the engine also looks for places at which the string can be
 * divided, and there is no call to count that.  For a sequence, it may scan the string
 * from each place.  For a repetition, it may go through all divisions, whose number is
 * exponential in the string's length.  A cancellation ends that, also one by the limit on
 * the time: the engine checks for it at each character that an automaton of its own
 * cannot read.
 */
static int	(*engine_stack_is_too_deep) (void);
static int64 steps_left;
static int64 steps_of_try;

static int
stack_or_steps_run_out(void)
{
	steps_left -= steps_of_try;
	return steps_left < 0 || engine_stack_is_too_deep();
}

/* Lets the engine count the steps of a compiled expression. */
static void
count_steps(regex_t *regex)
{
	static struct fns functions;

	functions = *(struct fns *) regex->re_fns;
	engine_stack_is_too_deep = functions.stack_too_deep;
	functions.stack_too_deep = stack_or_steps_run_out;
	regex->re_fns = (char *) &functions;
}

#if EV_REGEX_USES_MALLOC
static void
free_regex(void *regex)
{
	pg_regfree(&((EvRegex *) regex)->regex);
}
#endif

/* Is there a back-reference in a repetition? */
static bool
has_divisions(const EvNode *node, bool is_repeated)
{
	check_stack_depth();
	is_repeated |= node->kind == EV_NODE_REPEAT && node->max != 1;
	if (is_repeated && node->kind == EV_NODE_BACKREFERENCE)
		return true;
	for (const EvNode *child = node->child; child != NULL; child = child->next)
		if (has_divisions(child, is_repeated))
			return true;
	return false;
}

EvRegex *
ev_regex_compile(const EvPatternTree *tree, const EvNode *root, EvPatternBudget *budget, EvPatternError *error)
{
	int			sets = count_sets(root);
	MemoryContext result = CurrentMemoryContext;
	MemoryContext work;
	RegexWriter w = {0};
	EvRegex    *regex = NULL;
	bool		written;

	if (sets > MAX_REGEX_SETS)
	{
		refuse(error, root, "pattern too large, with its repetitions written out");
		return NULL;
	}

	if (tree->reference_count > MAX_REFERENCES)
	{
		refuse(error, root, "too many back-references");
		return NULL;
	}

	budget->engine -= engine_work(root, sets);
	if (budget->engine < 0)
	{
		refuse(error, root, "the patterns of the schema are too large together for the regular expression engine");
		return NULL;
	}

	work = AllocSetContextCreate(result, "event_validate pattern", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(work);
	w.tree = tree;
	w.root = root;
	w.error = error;
	w.numbers = palloc0((tree->group_count + 1) * sizeof(int));
	written = (tree->reference_count == 0 ||
			   (find_captures(&w, root) && check_captures(&w, root, NULL))) &&
		write_node(&w, root);
	MemoryContextSwitchTo(result);

	if (written)
	{
		int			code;

		regex = palloc0(sizeof(EvRegex));
		code = pg_regcomp(&regex->regex, w.text, w.length, REG_ADVANCED | REG_NOSUB,
						  C_COLLATION_OID);
		if (code == REG_OKAY)
		{
			count_steps(&regex->regex);
			regex->is_divided = has_divisions(root, false);
#if EV_REGEX_USES_MALLOC
			regex->callback.func = free_regex;
			regex->callback.arg = regex;
			MemoryContextRegisterResetCallback(result, &regex->callback);
#endif
		}
		else
		{
			char		reason[128];

			CHECK_FOR_INTERRUPTS();
			pg_regerror(code, &regex->regex, reason, sizeof(reason));
			refuse(error, root,
				   psprintf("pattern too complex for the regular expression engine (%s)",
							reason));
			pfree(regex);
			regex = NULL;
		}
	}
	MemoryContextDelete(work);
	return regex;
}

/* One match. */
typedef struct EngineCall
{
	const EvRegex *regex;
	const pg_wchar *codes;
	Size		count;
	int			code;			/* out: of the engine */
} EngineCall;

static void
call_engine(void *arg)
{
	EngineCall *call = arg;

	call->code = pg_regexec(unconstify(regex_t *, &call->regex->regex), call->codes, call->count, 0, NULL, 0, NULL, 0);
}

bool
ev_regex_matches(const EvRegex *regex, const char *string, int length)
{
	const unsigned char *at = (const unsigned char *) string;
	const unsigned char *end = at + length;
	pg_wchar   *codes;
	Size		count = 0;
	EngineCall	call = {.regex = regex};
	int			code;
	bool		is_late = false;

	/* there are never more code points than bytes */
	codes = palloc_extended(((Size) length + 1) * sizeof(pg_wchar), MCXT_ALLOC_HUGE);
	while (at < end)
	{
		if (count % INTERRUPT_WORK == 0)
			CHECK_FOR_INTERRUPTS();
		codes[count++] = ev_utf8_decode(at);
		at += ev_utf8_length(*at);
	}
	steps_left = MOST_ENGINE_STEPS;
	steps_of_try = STEPS_OF_CALL + (int64) count;
	call.codes = codes;
	call.count = count;
	call.code = REG_ASSERT;		/* unless the engine returns */
	if (!regex->is_divided && count < LONG_STRING)
		call_engine(&call);
	else
		is_late = ev_compute_in_limited_time(call_engine, &call, MOST_ENGINE_TIME);
	code = call.code;
	pfree(codes);
	if (code == REG_OKAY)
		return true;
	if (code == REG_NOMATCH)
		return false;

	CHECK_FOR_INTERRUPTS();
	if (is_late)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("could not match a pattern: it takes longer than %d s", MOST_ENGINE_TIME / 1000),
				 errdetail("The string has %zu characters.", count)));
	if (steps_left < 0)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("could not match a pattern: it takes more than " INT64_FORMAT " steps",
						MOST_ENGINE_STEPS),
				 errdetail("The string has %zu characters.", count)));
	{
		char		reason[128];

		pg_regerror(code, &regex->regex, reason, sizeof(reason));
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("could not match a pattern: %s", reason)));
	}
	return false;				/* keep compiler quiet */
}
