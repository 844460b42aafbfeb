/*
 * changes_strings.c
 *	  Is there a string that matches some patterns and not others?
 *
 * Asks the languages of patterns (pattern/pattern_language.h), and remembers the
 * answers.  A format counts as a pattern that all of its strings match, if there
 * is a good one.  Patterns that are no regular languages are left out: then more
 * strings seem to be possible, so a "no" is still certain.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "base/encoding.h"
#include "changes/changes_internal.h"
#include "format/format.h"
#include "pattern/pattern_language.h"

#define MOST_WORK	INT64CONST(5000000) /* on one question */

#define MOST_EXAMPLE	5000	/* length of an example made for a bound */
#define MOST_LISTED		50		/* strings in one pattern, */
#define MOST_LISTED_LENGTH	2000	/* and their length together */

/* The languages of a pattern, by direction. */
typedef struct TextLanguages
{
	EvString	text;			/* hash key, must be the first member */
	EvLanguage *languages[2];
} TextLanguages;

/* A question, as bytes, and its answer. */
typedef struct Answer
{
	EvString	question;		/* hash key, must be the first member */
	EvTruth		exists;
	bool		has_example;
	EvString	example;
} Answer;

/* Patterns that all strings of a format match. */
static const struct
{
	const char *format;
	const char *pattern;
}			format_patterns[] = {
	{"date-time", "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"},
	{"date", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
	{"time", "^[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"},
	{"duration", "^[Pp][0-9YMWDTHSymwdths]+$"},
	{"uuid", "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"},
	{"email", "^[^]+@[^]+$"},
	{"idn-email", "^[^]+@[^]+$"},
	{"ipv4", "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$"},
	{"ipv6", "^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$"},
	{"uri", "^[A-Za-z][A-Za-z0-9+.-]*:[!-~]*$"},
	{"iri", "^[A-Za-z][A-Za-z0-9+.-]*:"},
	{"uri-reference", "^[!-~]*$"},
	{"json-pointer", "^(/[^]*)?$"},
};

static uint32
hash_text(const void *key, Size size pg_attribute_unused())
{
	const EvString *text = key;

	return hash_bytes((const unsigned char *) text->data, text->length);
}

static int
match_texts(const void *a, const void *b, Size size pg_attribute_unused())
{
	return !ev_strings_equal(a, b);
}

static HTAB *
make_table(EvProver *p, Size entry_size)
{
	HASHCTL		control = {.keysize = sizeof(EvString), .entrysize = entry_size, .hash = hash_text, .match = match_texts};

	control.hcxt = p->context;
	return hash_create("event_validate strings", 32, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/* ---------- languages ---------- */

static TextLanguages *
languages_of(EvProver *p, const EvString *text)
{
	TextLanguages *known;
	bool		found;
	int64		work = 0;

	if (p->languages == NULL)
		p->languages = make_table(p, sizeof(TextLanguages));
	ev_spend(p, 5 + text->length / 16);
	known = hash_search(p->languages, text, HASH_FIND, NULL);
	if (known != NULL)
		return known;
	ev_spend(p, 20000 + 100 * (int64) text->length);
	known = hash_search(p->languages, text, HASH_ENTER, &found);
	known->languages[0] = known->languages[1] = NULL;
	known->languages[0] = ev_language_make(text->data, text->length, false, &work);
	known->languages[1] = ev_language_make(text->data, text->length, true, &work);
	ev_spend(p, work / 2);
	return known;
}

/*
 * Gathers the languages of texts, for one direction.  Sets *complete to false if
 * one of them is left out.
 */
static void
add_languages(EvProver *p, const List *texts, bool wanted, int direction,
			  const EvLanguage **languages, bool *all_wanted, int *count, bool *complete)
{
	ListCell   *cell;

	foreach(cell, texts)
	{
		EvLanguage *language = languages_of(p, lfirst(cell))->languages[direction];

		if (language == NULL || *count >= EV_LANGUAGE_MAX_PATTERNS)
		{
			*complete = false;
			continue;
		}
		languages[*count] = language;
		all_wanted[(*count)++] = wanted;
	}
}

static void
find(EvProver *p, const List *matched, const List *unmatched, uint32 min_length, uint32 max_length, Answer *answer)
{
	answer->exists = EV_MAYBE;
	for (int direction = 0; direction < 2 && answer->exists == EV_MAYBE; direction++)
	{
		const EvLanguage *languages[EV_LANGUAGE_MAX_PATTERNS];
		bool		wanted[EV_LANGUAGE_MAX_PATTERNS];
		int			count = 0;
		bool		complete = true;
		int64		work = MOST_WORK;
		char	   *string;
		int			length;
		EvLanguageAnswer found;
		StringInfoData text;

		add_languages(p, unmatched, false, direction, languages, wanted, &count, &complete);
		add_languages(p, matched, true, direction, languages, wanted, &count, &complete);
		if (count == 0)
			return;
		found = ev_language_find(languages, wanted, count, min_length, max_length, &work, &string, &length);
		ev_spend(p, MOST_WORK - Max(work, 0));
		if (found == EV_LANGUAGE_NONE)
			answer->exists = EV_NO;
		if (found != EV_LANGUAGE_FOUND)
			continue;
		if (complete)
			answer->exists = EV_YES;
		initStringInfo(&text);
		answer->has_example = ev_utf8_to_server(string, length, &text);
		answer->example = (EvString) {text.data, text.len};
	}
}

/* ---------- questions ---------- */

static void
append_texts(StringInfo question, const List *texts, char mark)
{
	ListCell   *cell;

	foreach(cell, texts)
	{
		const EvString *text = lfirst(cell);

		appendStringInfo(question, "%c%u:", mark, text->length);
		appendBinaryStringInfo(question, text->data, text->length);
	}
}

EvTruth
ev_string_exists(EvProver *p, const List *matched, const List *unmatched, uint32 min_length, uint32 max_length,
				 EvString *example)
{
	StringInfoData question;
	EvString	key;
	Answer	   *answer;
	Answer		fresh = {0};
	bool		found;

	if (min_length > max_length)
		return EV_NO;
	if (matched == NIL && unmatched == NIL)
		return EV_MAYBE;

	/* other encodings have strings that cannot be converted */
	if (GetDatabaseEncoding() != PG_UTF8)
		return EV_MAYBE;
	if (p->answers == NULL)
		p->answers = make_table(p, sizeof(Answer));
	initStringInfo(&question);
	appendStringInfo(&question, "%u %u", min_length, max_length);
	append_texts(&question, matched, '+');
	append_texts(&question, unmatched, '-');
	ev_spend(p, 20 + question.len / 16);
	key = (EvString) {question.data, question.len};
	answer = hash_search(p->answers, &key, HASH_FIND, NULL);
	if (answer == NULL)
	{
		find(p, matched, unmatched, min_length, max_length, &fresh);
		answer = hash_search(p->answers, &key, HASH_ENTER, &found);
		fresh.question = key;
		*answer = fresh;
	}
	else
		pfree(question.data);
	if (example != NULL)
	{
		if (!answer->has_example)
			return answer->exists == EV_NO ? EV_NO : EV_MAYBE;
		*example = answer->example;
		return EV_YES;
	}
	return answer->exists;
}

EvString *
ev_pattern_of_strings(EvProver *p, const List *strings)
{
	StringInfoData text;
	EvString   *pattern;
	ListCell   *cell;

	if (list_length(strings) > MOST_LISTED)
		return NULL;
	initStringInfo(&text);
	appendStringInfoString(&text, "^(?:");
	foreach(cell, strings)
	{
		const EvString *string = lfirst(cell);

		if (text.len + string->length > MOST_LISTED_LENGTH)
			return NULL;
		ev_spend(p, 1 + string->length / 8);
		if (foreach_current_index(cell) > 0)
			appendStringInfoChar(&text, '|');
		for (uint32 i = 0; i < (uint32) string->length; i++)
		{
			if (strchr("^$\\.*+?()[]{}|/", string->data[i]) != NULL)
				appendStringInfoChar(&text, '\\');
			appendStringInfoChar(&text, string->data[i]);
		}
	}
	appendStringInfoString(&text, ")$");
	pattern = palloc(sizeof(EvString));
	*pattern = (EvString) {text.data, text.len};
	return pattern;
}

List *
ev_facts_texts(EvProver *p, const EvFacts *f)
{
	List	   *texts = NIL;
	ListCell   *cell;

	foreach(cell, f->patterns)
		texts = lappend(texts, &((EvTextFact *) lfirst(cell))->text);
	foreach(cell, f->formats)
	{
		const char *name = ((EvFormatFact *) lfirst(cell))->format->name;

		ev_spend(p, lengthof(format_patterns));
		for (int i = 0; i < (int) lengthof(format_patterns); i++)
			if (strcmp(format_patterns[i].format, name) == 0)
			{
				EvString   *text = palloc(sizeof(EvString));

				*text = (EvString) {format_patterns[i].pattern, strlen(format_patterns[i].pattern)};
				texts = lappend(texts, text);
			}
	}
	return texts;
}

/* The greatest length, as the languages take it. */
static uint32
most_length(const EvFacts *f)
{
	return f->max_length.value == EV_NO_MAXIMUM ? EV_LANGUAGE_ANY_LENGTH : f->max_length.value;
}

bool
ev_strings_impossible(EvProver *p, const EvFacts *a, const EvFacts *b)
{
	List	   *texts = list_concat(ev_facts_texts(p, a), ev_facts_texts(p, b));

	if (list_length(texts) + (a->min_length.value > 0) + (a->max_length.value != EV_NO_MAXIMUM) < 2 || texts == NIL)
		return false;
	return ev_string_exists(p, texts, NIL, Max(a->min_length.value, b->min_length.value),
							Min(most_length(a), most_length(b)), NULL) == EV_NO;
}

bool
ev_strings_match(EvProver *p, const EvFacts *a, const EvString *pattern)
{
	return ev_string_exists(p, ev_facts_texts(p, a), list_make1(unconstify(EvString *, pattern)),
							a->min_length.value, most_length(a), NULL) == EV_NO;
}

bool
ev_strings_have_length(EvProver *p, const EvFacts *a, uint32 min_length, uint32 max_length)
{
	List	   *texts = ev_facts_texts(p, a);

	if (min_length > a->min_length.value &&
		(texts == NIL || ev_string_exists(p, texts, NIL, a->min_length.value, Min(most_length(a), min_length - 1), NULL) != EV_NO))
		return false;
	if (max_length < a->max_length.value &&
		(texts == NIL || ev_string_exists(p, texts, NIL, Max(a->min_length.value, max_length + 1), most_length(a), NULL) != EV_NO))
		return false;
	return true;
}

List *
ev_string_examples(EvProver *p, const EvFacts *a, const EvFacts *b)
{
	List	   *texts = ev_facts_texts(p, a);
	List	   *others = ev_facts_texts(p, b);
	uint32		most = most_length(a);
	List	   *result = NIL;
	EvString	example;
	ListCell   *cell;

#define ADD(matched, unmatched, min, max) \
	do { \
		if (ev_string_exists(p, matched, unmatched, min, max, &example) == EV_YES) \
		{ \
			EvString   *copy = palloc(sizeof(EvString)); \
			*copy = example; \
			result = lappend(result, copy); \
		} \
	} while (0)

	if (texts == NIL && others == NIL)
		return NIL;
	foreach(cell, others)
		ADD(texts, list_make1(lfirst(cell)), a->min_length.value, most);
	if (texts != NIL)
	{
		ADD(texts, NIL, a->min_length.value, most);
		if (b->max_length.value < Min(most, MOST_EXAMPLE))
			ADD(texts, NIL, Max(a->min_length.value, b->max_length.value + 1), most);
		if (b->min_length.value > 0 && b->min_length.value < MOST_EXAMPLE)
			ADD(texts, NIL, a->min_length.value, Min(most, b->min_length.value - 1));
	}
	ADD(list_concat_copy(texts, others), NIL, Max(a->min_length.value, b->min_length.value),
		Min(most, most_length(b)));
#undef ADD
	return result;
}

/* ---------- formats ---------- */

/* Formats of which all strings of the first one have the second one. */
static const char *const format_pairs[][2] = {
	{"email", "idn-email"},
	{"uri", "uri-reference"},
	{"uri", "iri"},
	{"uri", "iri-reference"},
	{"uri-reference", "iri-reference"},
	{"iri", "iri-reference"},
};

bool
ev_format_implies(const EvFormat *a, const EvFormat *b)
{
	if (a->matches == b->matches)
		return true;
	for (int i = 0; i < (int) lengthof(format_pairs); i++)
		if (strcmp(format_pairs[i][0], a->name) == 0 && strcmp(format_pairs[i][1], b->name) == 0)
			return true;
	return false;
}
