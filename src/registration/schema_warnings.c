/*
 * schema_warnings.c
 *	  The warnings of registration, one for each kind.
 *
 * A generated schema may have thousands of equal mistakes.  So warnings of one
 * kind are one message, and probable misspellings come first.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "base/shown_text.h"
#include "registration/schema_warnings.h"

#define SHOWN_PLACES	5		/* for each kind */
#define SHOWN_KINDS		20

static const struct
{
	const char *name;
	EvSeverity	severity;
}			rules[EV_RULE_COUNT] = {
#define EV_RULE(rule, severity) {#rule, severity},
	EV_RULES(EV_RULE)
#undef EV_RULE
};

const char *
ev_rule_name(EvRule rule)
{
	return rules[rule].name;
}

const char *
ev_rule_severity(EvRule rule)
{
	switch (rules[rule].severity)
	{
		case EV_SEVERITY_ERROR:
			return "error";
		case EV_SEVERITY_WARNING:
			return "warning";
		case EV_SEVERITY_NOTE:
			return "note";
	}
	return "error";
}

/* ---------- kinds ---------- */

/* A warning and its number in the document. */
typedef struct NumberedWarning
{
	const EvWarning *warning;
	int			number;
} NumberedWarning;

/* Warnings of one kind, in the order of the document. */
typedef struct Kind
{
	const NumberedWarning *first;
	int			count;
} Kind;

/* Do the messages of this rule differ, because each contains another name? */
static bool
is_one_kind(EvRule rule)
{
	return rule == EV_RULE_FORBIDDEN_REQUIRED || rule == EV_RULE_RELATIVE_ID;
}

static int
compare_kind(const EvWarning *a, const EvWarning *b)
{
	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	return is_one_kind(a->rule) ? 0 : strcmp(a->message, b->message);
}

static int
compare_numbered(const void *a, const void *b)
{
	const NumberedWarning *x = a;
	const NumberedWarning *y = b;
	int			order = compare_kind(x->warning, y->warning);

	return order != 0 ? order : x->number - y->number;
}

/* Orders kinds by rule, then by the first location. */
static int
compare_kinds(const void *a, const void *b)
{
	const Kind *x = a;
	const Kind *y = b;

	if (x->first->warning->rule != y->first->warning->rule)
		return x->first->warning->rule < y->first->warning->rule ? -1 : 1;
	return x->first->number - y->first->number;
}

/* Groups warnings.  Returns the number of kinds; *total is that of warnings. */
static int
find_kinds(List *warnings, Kind **kinds, int *total)
{
	NumberedWarning *numbered = palloc(sizeof(NumberedWarning) * (list_length(warnings) + 1));
	int			count = 0;
	int			kind_count = 0;
	ListCell   *cell;

	foreach(cell, warnings)
	{
		const EvWarning *warning = lfirst(cell);

		if (rules[warning->rule].severity == EV_SEVERITY_NOTE)
			continue;
		numbered[count].warning = warning;
		numbered[count].number = count;
		count++;
	}
	qsort(numbered, count, sizeof(NumberedWarning), compare_numbered);
	*kinds = palloc(sizeof(Kind) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		if (i == 0 || compare_kind(numbered[i - 1].warning, numbered[i].warning) != 0)
			(*kinds)[kind_count++] = (Kind) {&numbered[i], 0};
		(*kinds)[kind_count - 1].count++;
	}
	qsort(*kinds, kind_count, sizeof(Kind), compare_kinds);
	*total = count;
	return kind_count;
}

/* ---------- text ---------- */

/* The JSON Pointer of a warning, quoted and escaped. */
static char *
show_place(const EvWarning *warning)
{
	const char *location = psprintf("%s%s", ev_location_pointer(warning->at, false), warning->tail);

	return ev_quoted(location, strlen(location));
}

/* A list of the first locations of some kinds, which have `count` places. */
static char *
show_places(const Kind *kinds, int kind_count, int count)
{
	StringInfoData result;
	int			shown = 0;

	initStringInfo(&result);
	for (int i = 0; i < kind_count; i++)
		for (int j = 0; j < kinds[i].count && shown < SHOWN_PLACES; j++, shown++)
			appendStringInfo(&result, "%s%s", shown == 0 ? "" : shown + 1 == count ? " and " : ", ",
							 show_place(kinds[i].first[j].warning));
	if (shown < count)
		appendStringInfo(&result, " and %d more", count - shown);
	return result.data;
}

/* Counts the kinds at the start that have one rule.  Sets *count to the number of their warnings. */
static int
kinds_of_rule(const Kind *kinds, int kind_count, int *count)
{
	int			same = 0;

	*count = 0;
	while (same < kind_count && kinds[same].first->warning->rule == kinds[0].first->warning->rule)
		*count += kinds[same++].count;
	return same;
}

static void
warn_of_kind(const char *name, const Kind *kind)
{
	const EvWarning *first = kind->first->warning;

	ereport(WARNING,
			(errmsg("JSON Schema \"%s\" at %s: %s", name, show_place(first), ev_visible(first->message)),
			 kind->count == 1 ? 0 :
			 errdetail_internal("There are %d such places: %s.", kind->count, show_places(kind, 1, kind->count)),
			 kind->count <= SHOWN_PLACES ? 0 : errhint("lint_event_schema lists them all."),
			 errhidestmt(true), errhidecontext(true)));
}

void
ev_schema_warn(const EvDocument *document, List *warnings)
{
	Kind	   *kinds;
	int			total;
	int			kind_count = find_kinds(warnings, &kinds, &total);
	int			shown = Min(kind_count, SHOWN_KINDS);

	for (int i = 0; i < shown; i++)
		warn_of_kind(document->name, &kinds[i]);
	while (shown < kind_count)
	{
		int			count;
		int			same = kinds_of_rule(kinds + shown, kind_count - shown, &count);

		ereport(WARNING,
				(errmsg("JSON Schema \"%s\" has %d more %s of rule %s", document->name, count,
						count == 1 ? "warning" : "warnings", ev_rule_name(kinds[shown].first->warning->rule)),
				 errdetail_internal("At %s.", show_places(kinds + shown, same, count)),
				 errhint("lint_event_schema lists them all."),
				 errhidestmt(true), errhidecontext(true)));
		shown += same;
	}
}

void
ev_schema_refuse_warnings(const EvDocument *document, List *warnings)
{
	Kind	   *kinds;
	int			total;
	int			kind_count = find_kinds(warnings, &kinds, &total);
	StringInfoData detail;

	if (kind_count == 0)
		return;
	initStringInfo(&detail);
	for (int i = 0; i < Min(kind_count, SHOWN_KINDS); i++)
	{
		const char *message = kinds[i].first->warning->message;

		appendStringInfo(&detail, "%sAt %s: %s%s", i == 0 ? "" : "\n",
						 show_places(&kinds[i], 1, kinds[i].count), ev_visible(message),
						 message[strlen(message) - 1] == '?' ? "" : ".");
	}
	if (kind_count > SHOWN_KINDS)
		appendStringInfo(&detail, "\nThere are %d more kinds.", kind_count - SHOWN_KINDS);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid JSON Schema \"%s\": it has %d %s, which \"strict\" does not allow",
					document->name, total, total == 1 ? "warning" : "warnings"),
			 errdetail_internal("%s", detail.data),
			 errhint("lint_event_schema lists the warnings of a schema; without \"strict\" it is registered with them.")));
}
