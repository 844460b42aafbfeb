/*
 * bundle_faults.c
 *	  The faults of the schemas that register_schemas is asked to register.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "base/subtransaction.h"
#include "registration/bundle_faults.h"

#define SHOWN_FAULTS	100		/* lines of an error */
#define SHOWN_BYTES		2000	/* of one fault */

typedef struct BundleFault
{
	int			member;
	int			cause;			/* another member, or -1 */
	int			sqlstate;
	char	   *text;			/* NULL: it is only counted */
	char	   *hint;			/* or NULL */
} BundleFault;

struct EvBundleFaults
{
	MemoryContext context;
	int			members;
	int		   *own;			/* for each member, the number of faults
								 * without another cause, ... */
	int		   *all;			/* ... and of all */
	List	   *faults;			/* BundleFault */
};

EvBundleFaults *
ev_bundle_faults_make(int members)
{
	EvBundleFaults *faults = palloc0(sizeof(EvBundleFaults));

	faults->context = CurrentMemoryContext;
	faults->members = members;
	faults->own = palloc0(sizeof(int) * (members + 1));
	faults->all = palloc0(sizeof(int) * (members + 1));
	return faults;
}

bool
ev_bundle_is_fault(const ErrorData *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
		case ERRCODE_FEATURE_NOT_SUPPORTED:
		case ERRCODE_DEPENDENT_PRIVILEGE_DESCRIPTORS_STILL_EXIST:
			return !ev_is_interrupt(error);
		default:
			return false;
	}
}

/* Appends at most SHOWN_BYTES of a text. */
static void
append_cut(StringInfo text, const char *sentence)
{
	int			length = strlen(sentence);

	if (length > SHOWN_BYTES)
		appendStringInfo(text, "%.*s...", pg_mbcliplen(sentence, length, SHOWN_BYTES), sentence);
	else
		appendStringInfoString(text, sentence);
}

static void
add(EvBundleFaults *faults, int member, int cause, int sqlstate, const char *message, const char *detail,
	const char *hint)
{
	MemoryContext caller = MemoryContextSwitchTo(faults->context);
	BundleFault *fault = palloc0(sizeof(BundleFault));

	fault->member = member;
	fault->cause = cause;
	fault->sqlstate = sqlstate;
	if (faults->all[member] < EV_BUNDLE_SHOWN_OF_ONE)
	{
		StringInfoData text;

		initStringInfo(&text);
		append_cut(&text, message);
		if (detail != NULL)
		{
			appendStringInfoString(&text, ". ");
			append_cut(&text, detail);
		}
		fault->text = text.data;
		fault->hint = hint != NULL ? pstrdup(hint) : NULL;
	}
	faults->all[member]++;
	if (cause < 0)
		faults->own[member]++;
	faults->faults = lappend(faults->faults, fault);
	MemoryContextSwitchTo(caller);
}

void
ev_bundle_add_error(EvBundleFaults *faults, int member, const ErrorData *error, const char *name)
{
	const char *message = error->message;

	if (strstr(message, psprintf("\"%s\"", name)) == NULL)
		message = psprintf("\"%s\": %s", name, message);
	add(faults, member, -1, error->sqlerrcode, message, error->detail, error->hint);
}

void
ev_bundle_add_fault(EvBundleFaults *faults, int member, const EvFault *fault, const char *name, int cause)
{
	char	   *detail;
	char	   *message = ev_fault_message(fault, name, &detail);

	add(faults, member, cause, fault->sqlstate != 0 ? fault->sqlstate : ERRCODE_INVALID_PARAMETER_VALUE,
		message, detail, fault->hint);
}

bool
ev_bundle_has_faults(const EvBundleFaults *faults, int member)
{
	return faults->all[member] > 0;
}

/* Is a fault reported? It is not if its cause has a fault of its own. */
static bool
counts(const EvBundleFaults *faults, const BundleFault *fault)
{
	return fault->cause < 0 || faults->own[fault->cause] == 0;
}

static int
compare_faults(const ListCell *a, const ListCell *b)
{
	return ((const BundleFault *) lfirst(a))->member - ((const BundleFault *) lfirst(b))->member;
}

/*
 * The error: the list of faults, and the numbers of those that it leaves out.
 */
typedef struct Report
{
	StringInfoData detail;
	int			shown;
	int			total;			/* faults */
	int			schemas;		/* with faults */
	int			left_out_schemas;	/* with faults that are not shown */
	int			sqlstate;		/* of all; 0: they differ */
	const char *hint;			/* of all; NULL: they differ */
} Report;

static void
add_to_report(Report *report, const BundleFault *fault, int *last, int *last_left_out)
{
	if (report->total++ == 0)
	{
		report->sqlstate = fault->sqlstate;
		report->hint = fault->hint;
	}
	if (report->sqlstate != fault->sqlstate)
		report->sqlstate = 0;
	if (report->hint != NULL && (fault->hint == NULL || strcmp(report->hint, fault->hint) != 0))
		report->hint = NULL;
	if (*last != fault->member)
		report->schemas++;
	*last = fault->member;
	if (fault->text != NULL && report->shown < SHOWN_FAULTS)
		appendStringInfo(&report->detail, "%s%s", report->shown++ == 0 ? "" : "\n", fault->text);
	else if (*last_left_out != fault->member)
	{
		report->left_out_schemas++;
		*last_left_out = fault->member;
	}
}

void
ev_bundle_report_faults(const EvBundleFaults *faults)
{
	Report		report = {0};
	List	   *sorted = list_copy(faults->faults);
	int			last = -1;
	int			last_left_out = -1;
	int			left_out;
	ListCell   *cell;

	if (faults->faults == NIL)
		return;
	list_sort(sorted, compare_faults);
	initStringInfo(&report.detail);
	foreach(cell, sorted)
		if (counts(faults, lfirst(cell)))
		add_to_report(&report, lfirst(cell), &last, &last_left_out);
	left_out = report.total - report.shown;
	if (left_out > 0)
		appendStringInfo(&report.detail, "\nand %d more %s in %d %s", left_out, left_out == 1 ? "fault" : "faults",
						 report.left_out_schemas, report.left_out_schemas == 1 ? "schema" : "schemas");
	ereport(ERROR,
			(errcode(report.sqlstate != 0 ? report.sqlstate : ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot register the bundle: %d of %d schemas have faults", report.schemas, faults->members),
			 errdetail_internal("%s", report.detail.data),
			 report.hint != NULL ? errhint("%s", report.hint) :
			 errhint("Nothing is registered. lint_event_schema lists all faults of one schema.")));
}
