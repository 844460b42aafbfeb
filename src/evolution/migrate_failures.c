/*
 * migrate_failures.c
 *	  Events that migrate_events does not migrate, by reason.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/memutils.h"

#include "base/event_log.h"
#include "base/shown_text.h"
#include "evolution/migrate_failures.h"

#define MAX_KINDS			200 /* that are distinguished */
#define SHOWN_KINDS			20
#define SHOWN_SAMPLES		5
#define SQLSTATE_LENGTH		5

/* Rows that are not migrated, for one reason. */
typedef struct Failure
{
	int32		version;
	char	   *location;
	char	   *keyword_location;
	char	   *keyword;
	char	   *name;
	bool		is_shown;		/* the words quote values and names */
	char	   *words;			/* about the first of them */
	int64		count;
	List	   *samples;		/* of char * */
} Failure;

/* All kinds beyond MAX_KINDS. */
static const EvKind others = {"", "", "", "others", "violations of further kinds", 0};

/*
 * Returns what is wrong with an event; without any of its values and names if
 * event_validate.show_values is off.
 */
static char *
words_of(const EvKind *kind)
{
	if (kind == &others)
		return pstrdup(kind->message);
	if (ev_quote_values)
		return psprintf("%s%s%s: %s", ev_location_show(kind->instance_location),
						kind->keyword[0] != '\0' ? ", " : "", kind->keyword, kind->message);
	if (kind->keyword_location[0] != '\0')
		return psprintf("does not match keyword %s",
						ev_quoted(kind->keyword_location, strlen(kind->keyword_location)));
	if (kind->name[0] == '\0' || kind->keyword[0] == '\0')
		return psprintf("the %s failed", kind->keyword[0] != '\0' ? kind->keyword : "validation");

	/* a message can contain values, so only the SQLSTATE is shown of it */
	return psprintf("the %s failed with SQLSTATE %s", kind->keyword,
					kind->name[SQLSTATE_LENGTH] == ':' ? pnstrdup(kind->name, SQLSTATE_LENGTH) : kind->name);
}

/* Are failures of this kind counted with the others?  What is not shown of them does not tell them apart. */
static bool
is_of_kind(const Failure *failure, const EvKind *kind, const char *words)
{
	if (failure->is_shown != ev_quote_values)
		return false;
	if (!ev_quote_values)
		return strcmp(failure->words, words) == 0;
	return strcmp(failure->location, kind->instance_location) == 0 &&
		strcmp(failure->keyword_location, kind->keyword_location) == 0 &&
		strcmp(failure->keyword, kind->keyword) == 0 && strcmp(failure->name, kind->name) == 0;
}

static Failure *
find_failure(const EvFailures *failures, int32 version, const EvKind *kind, const char *words)
{
	const ListCell *cell;

	foreach(cell, failures->kinds)
	{
		Failure    *other = (Failure *) lfirst(cell);

		if (other->version == version && is_of_kind(other, kind, words))
			return other;
	}
	return NULL;
}

void
ev_failures_note(EvFailures *failures, int32 version, const char *row, const EvKind *kind)
{
	MemoryContext caller = MemoryContextSwitchTo(failures->context);
	int64		count = kind->count;
	char	   *words = words_of(kind);
	Failure    *failure = find_failure(failures, version, kind, words);

	if (failure == NULL && list_length(failures->kinds) >= MAX_KINDS)
	{
		kind = &others;
		pfree(words);
		words = words_of(kind);
		failure = find_failure(failures, version, kind, words);
	}
	if (failure == NULL)
	{
		failure = palloc0(sizeof(Failure));
		failure->version = version;
		failure->location = pstrdup(kind->instance_location);
		failure->keyword_location = pstrdup(kind->keyword_location);
		failure->keyword = pstrdup(kind->keyword);
		failure->name = pstrdup(kind->name);
		failure->is_shown = ev_quote_values;
		failure->words = words;
		failures->kinds = lappend(failures->kinds, failure);
	}
	else
		pfree(words);
	failure->count += count;
	if (ev_quote_values && list_length(failure->samples) < SHOWN_SAMPLES)
		failure->samples = lappend(failure->samples, pstrdup(row));
	MemoryContextSwitchTo(caller);
}

static int
compare_failures(const ListCell *a, const ListCell *b)
{
	const Failure *x = (const Failure *) lfirst(a);
	const Failure *y = (const Failure *) lfirst(b);
	int			order = x->count != y->count ? (x->count > y->count ? -1 : 1) : x->version - y->version;

	if (order == 0)
		order = strcmp(x->location, y->location);
	if (order == 0)
		order = strcmp(x->keyword_location, y->keyword_location);
	if (order == 0)
		order = strcmp(x->name, y->name);
	return order != 0 ? order : strcmp(x->words, y->words);
}

char *
ev_failures_lines(EvFailures *failures)
{
	StringInfoData lines;
	int			shown = 0;
	ListCell   *cell;

	initStringInfo(&lines);
	list_sort(failures->kinds, compare_failures);
	foreach(cell, failures->kinds)
	{
		Failure    *failure = (Failure *) lfirst(cell);
		ListCell   *sample;

		if (shown++ == SHOWN_KINDS)
		{
			appendStringInfo(&lines, "\nand %d more kinds", list_length(failures->kinds) - SHOWN_KINDS);
			break;
		}
		appendStringInfo(&lines, "%s" INT64_FORMAT ": version %d, %s", shown > 1 ? "\n" : "",
						 failure->count, failure->version, failure->words);
		foreach(sample, failure->samples)
			appendStringInfo(&lines, "%s%s", sample == list_head(failure->samples) ? " (such as " : ", ",
							 ev_visible(lfirst(sample)));
		if (failure->samples != NIL)
			appendStringInfoChar(&lines, ')');
	}
	return lines.data;
}
