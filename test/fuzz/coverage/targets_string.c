/*
 * targets_string.c
 *	  Patterns and formats: the translator, the engines, questions about languages.
 */
#include "postgres.h"

#include "fuzz.h"
#include "pattern/pattern_internal.h"
#include "pattern/pattern_language.h"

/* ---------- patterns ---------- */

#define MAX_CELLS		20000	/* of the tables that are compared */
#define LANGUAGE_WORK	200000

/* A part as a string of the pattern engine. */
#define ARGUMENTS(part)		(part)->text, (part)->length

static bool
run_automaton(EvAutomaton *automaton, const EvFuzzPart *string)
{
	return ev_pattern_matches(ev_part_make(NULL, automaton, NULL), ARGUMENTS(string));
}

/* Each engine that can run the pattern must give the same answer. */
static void
compare_engines(const EvFuzzPart *pattern, const EvFuzzPart *string, bool answer)
{
	EvPatternBudget budget = EV_PATTERN_BUDGET;
	EvPatternTree tree;
	EvPatternError error = {0};
	EvClasses  *classes;
	EvAutomaton *automaton;
	EvLazy	   *lazy;
	EvLooks    *looks;
	EvLiterals *literals;
	EvPatternShape *shape;

	if (!ev_pattern_parse(ARGUMENTS(pattern), true, &tree, &error))
		ev_fuzz_fail("it compiles, but does not parse: %s", error.message);
	shape = ev_shape_make(&tree);
	if (shape != NULL && ev_shape_matches(shape, ARGUMENTS(string)) != answer)
		ev_fuzz_fail("the pattern says %d, the shape does not", answer);
	literals = ev_literals_make(&tree);
	if (literals != NULL && ev_literals_match(literals, ARGUMENTS(string)) != answer)
		ev_fuzz_fail("the pattern says %d, the literals do not", answer);
	classes = tree.reference_count == 0 ? ev_classes_make(&tree) : NULL;
	if (classes == NULL)
		return;
	lazy = ev_lazy_make(&tree, classes, tree.root, &budget);
	if (lazy != NULL && ev_lazy_matches(lazy, ARGUMENTS(string)) != answer)
		ev_fuzz_fail("the pattern says %d, the automaton without a table does not", answer);
	looks = ev_looks_make(ARGUMENTS(pattern), &budget);
	if (looks != NULL && ev_looks_match(looks, ARGUMENTS(string)) != answer)
		ev_fuzz_fail("the pattern says %d, the scans of its look-arounds do not", answer);
	automaton = ev_automaton_make(classes, tree.root, false, MAX_CELLS, &budget);
	if (automaton != NULL && run_automaton(automaton, string) != answer)
		ev_fuzz_fail("the pattern says %d, the automaton forward does not", answer);
	automaton = ev_automaton_make(classes, tree.root, true, MAX_CELLS, &budget);
	if (automaton != NULL && run_automaton(automaton, string) != answer)
		ev_fuzz_fail("the pattern says %d, the automaton backward does not", answer);
}

/* A string that one pattern matches and the other does not: is it right, is there none? */
static void
ask_languages(const EvFuzzPart *const *patterns, EvPattern *const *compiled, const EvFuzzPart *string, bool backward)
{
	static const bool wanted[] = {true, false};
	const EvLanguage *languages[2];
	int64		work = 0;
	int64		left = LANGUAGE_WORK;
	char	   *found = NULL;
	int			length = 0;
	EvLanguageAnswer answer;

	for (int i = 0; i < 2; i++)
	{
		languages[i] = ev_language_make(ARGUMENTS(patterns[i]), backward, &work);
		if (languages[i] == NULL)
			return;
	}
	answer = ev_language_find(languages, wanted, 2, 0, EV_LANGUAGE_ANY_LENGTH, &left, &found, &length);
	if (answer == EV_LANGUAGE_FOUND &&
		(!ev_pattern_matches(compiled[0], found, length) || ev_pattern_matches(compiled[1], found, length)))
		ev_fuzz_fail("the languages contain \"%.*s\", the patterns say otherwise", length, found);
	if (answer == EV_LANGUAGE_NONE && ev_pattern_matches(compiled[0], ARGUMENTS(string)) &&
		!ev_pattern_matches(compiled[1], ARGUMENTS(string)))
		ev_fuzz_fail("the languages contain no such string, but \"%.*s\" is one", string->length, string->text);
}

static EvPattern *
compile(const EvFuzzPart *part)
{
	EvPatternBudget budget = EV_PATTERN_BUDGET;
	EvPatternError error = {0};
	bool		is_valid = ev_pattern_is_valid(ARGUMENTS(part));
	EvPattern  *pattern = ev_pattern_compile(ARGUMENTS(part), &budget, &error);

	if (pattern != NULL)
	{
		(void) ev_pattern_kind(pattern);
		return pattern;
	}
	if (error.message == NULL || error.message[0] == '\0' || error.position < 0 || error.position > part->length)
		ev_fuzz_fail("error \"%s\" at %d of %d", error.message, error.position, part->length);
	if (is_valid && !error.unsupported)
		ev_fuzz_fail("valid, and not: %s", error.message);
	return NULL;
}

static void
run_pattern(const EvFuzzPart *parts)
{
	const EvFuzzPart *const pair[] = {&parts[0], &parts[2]};
	EvPattern  *patterns[2];
	StringInfoData sample;
	bool		answer;

	patterns[0] = compile(&parts[0]);
	if (patterns[0] == NULL)
		return;
	answer = ev_pattern_matches(patterns[0], ARGUMENTS(&parts[1]));
	if (ev_fuzz_planted != NULL && strcmp(ev_fuzz_planted, "internal") == 0 && answer &&
		!ev_pattern_is_linear(patterns[0]))
		elog(ERROR, "planted: an internal error");
	compare_engines(&parts[0], &parts[1], answer);
	initStringInfo(&sample);
	(void) ev_pattern_sample(ARGUMENTS(&parts[0]), false, &sample);
	(void) ev_pattern_sample(ARGUMENTS(&parts[0]), true, &sample);
	patterns[1] = compile(&parts[2]);
	if (patterns[1] == NULL)
		return;
	ask_languages(pair, patterns, &parts[1], false);
	ask_languages(pair, patterns, &parts[1], true);
}

const EvFuzzTarget ev_fuzz_pattern = {"pattern", EV_FUZZ_BYTES, false, true, 3, run_pattern};

/* ---------- formats ---------- */

/* What has the first format has the second one, too. */
static const char *const implied[][2] = {
	{"uri", "uri-reference"}, {"uri", "iri"}, {"uri-reference", "iri-reference"}, {"iri", "iri-reference"},
	{"email", "idn-email"}
};

static bool
has_format(const char *name, EvDraft draft, const EvFuzzPart *string)
{
	const EvFormat *format = ev_format_find(name, strlen(name), draft);

	return format != NULL && format->matches(ARGUMENTS(string));
}

static void
run_format(const EvFuzzPart *parts)
{
	const char *name;

	for (int bit = 0; (name = ev_format_name(bit)) != NULL; bit++)
		for (int draft = 0; draft < EV_DRAFT_COUNT; draft++)
			(void) has_format(name, draft, &parts[0]);
	for (int i = 0; i < (int) lengthof(implied); i++)
		if (has_format(implied[i][0], EV_DRAFT2020, &parts[0]) && !has_format(implied[i][1], EV_DRAFT2020, &parts[0]))
			ev_fuzz_fail("format %s, but not %s", implied[i][0], implied[i][1]);
	if (has_format("date-time", EV_DRAFT2020, &parts[0]))
	{
		EvFuzzPart	date = {parts[0].text, 10};
		EvFuzzPart	time = {parts[0].text +11, parts[0].length - 11};

		if (!has_format("date", EV_DRAFT2020, &date) || !has_format("time", EV_DRAFT2020, &time))
			ev_fuzz_fail("a date-time without a date or time");
		if (ev_fuzz_planted != NULL && strcmp(ev_fuzz_planted, "overread") == 0 && time.text[time.length] == 'Z')
			elog(DEBUG5, "planted: a byte beyond the string");
		if (ev_fuzz_planted != NULL && strcmp(ev_fuzz_planted, "hang") == 0)
			for (;;)
				pg_usleep(1000);
	}
}

const EvFuzzTarget ev_fuzz_format = {"format", EV_FUZZ_BYTES, false, false, 1, run_format};
