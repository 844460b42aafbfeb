/*
 * upgrade_report.c
 *	  The report of check_event_upgrade: the violations of stored events as
 *	  another version, after their upcasts, counted by kind.
 *
 * This is an aggregate over the rows.  It collects events and upcasts many of them in
 * one subtransaction: a function in language sql is planned anew in each
 * subtransaction that calls it, which would cost more than all else.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "base/row_fault.h"
#include "evolution/upcast_rows.h"
#include "evolution/update_check.h"
#include "rollout/audit.h"
#include "stats/progress.h"

PG_FUNCTION_INFO_V1(ev_event_upgrade_add);
PG_FUNCTION_INFO_V1(ev_event_upgrade_add_text);
PG_FUNCTION_INFO_V1(ev_event_upgrade_final);

/* So many events, or so many bytes of them, are upcast together. */
#define BATCH_ROWS		1000
#define BATCH_BYTES		(1024 * 1024)

#define SAMPLES			5

/* The number of the first argument that is for the check of rows. */
#define CHECKED_TABLE	6

/* Kinds beyond this number are counted as one. */
#define MOST_KINDS		10000

/* Violations of one kind, in all rows. */
typedef struct Counted
{
	struct Counted *next;		/* with the same hash */
	EvKind		kind;			/* count: of violations */
	int64		rows;
	int			samples;
	char	   *names[SAMPLES]; /* of rows that have one */
} Counted;

typedef struct CountedHash
{
	uint64		hash;			/* hash key, must be the first member */
	Counted    *first;
} CountedHash;

/* The state of the aggregate. */
typedef struct UpgradeReport
{
	MemoryContext context;		/* for this and the kinds */
	MemoryContext batch;		/* for the events, and their results */
	EvUpgrade  *upgrade;
	EvUpdateCheck *check;		/* NULL: rows are not checked */
	bool		is_text;
	HTAB	   *kinds;			/* CountedHash */
	List	   *in_order;		/* Counted */
	int64		rows;			/* with violations */
	int64		violations;
	int			count;			/* of events that are waiting */
	Size		size;
	EvUpgrade  *upgrades[BATCH_ROWS];
	Datum		documents[BATCH_ROWS];
	char	   *names[BATCH_ROWS];
	EvUpgraded	results[BATCH_ROWS];
	Oid			tables[BATCH_ROWS]; /* for the check, of the rows */
	ItemPointerData locations[BATCH_ROWS];
	const char *name;			/* of the row that is being counted */
} UpgradeReport;

/* ---------- counting ---------- */

static uint64
hash_of(const EvKind *kind)
{
	const char *const texts[] = {kind->instance_location, kind->keyword_location, kind->keyword, kind->name};
	uint64		hash = 0;

	for (int i = 0; i < (int) lengthof(texts); i++)
		hash = hash_bytes_extended((const unsigned char *) texts[i], strlen(texts[i]), hash);
	return hash;
}

static bool
same_kind(const EvKind *a, const EvKind *b)
{
	return strcmp(a->instance_location, b->instance_location) == 0 && strcmp(a->keyword, b->keyword) == 0 &&
		strcmp(a->keyword_location, b->keyword_location) == 0 && strcmp(a->name, b->name) == 0;
}

static Counted *
find_kind(UpgradeReport *report, const EvKind *kind)
{
	static const EvKind others = {"", "", "", "others", "violations of further kinds", 0};
	uint64		hash;
	bool		found;
	CountedHash *entry;
	Counted    *counted;

	if (list_length(report->in_order) >= MOST_KINDS)
	{
		hash = hash_of(kind);
		entry = hash_search(report->kinds, &hash, HASH_FIND, NULL);
		for (counted = entry != NULL ? entry->first : NULL; counted != NULL; counted = counted->next)
			if (same_kind(&counted->kind, kind))
				return counted;
		kind = &others;
	}
	hash = hash_of(kind);
	entry = hash_search(report->kinds, &hash, HASH_ENTER, &found);
	if (!found)
		entry->first = NULL;
	for (counted = entry->first; counted != NULL; counted = counted->next)
		if (same_kind(&counted->kind, kind))
			return counted;
	counted = palloc0(sizeof(Counted));
	counted->kind.instance_location = pstrdup(kind->instance_location);
	counted->kind.keyword_location = pstrdup(kind->keyword_location);
	counted->kind.keyword = pstrdup(kind->keyword);
	counted->kind.name = pstrdup(kind->name);
	counted->kind.message = ev_message_cut(kind->message);
	counted->next = entry->first;
	entry->first = counted;
	report->in_order = lappend(report->in_order, counted);
	return counted;
}

/* Counts the violations of a kind in a row. */
static void
count_kind(const EvKind *kind, void *arg)
{
	UpgradeReport *report = arg;
	MemoryContext caller = MemoryContextSwitchTo(report->context);
	Counted    *counted = find_kind(report, kind);

	counted->rows++;
	counted->kind.count += kind->count;
	report->violations += kind->count;
	if (strcmp(kind->message, counted->kind.message) < 0)
	{
		pfree(unconstify(char *, counted->kind.message));
		counted->kind.message = ev_message_cut(kind->message);
	}
	if (counted->samples < SAMPLES && report->name != NULL)
		counted->names[counted->samples++] = pstrdup(report->name);
	MemoryContextSwitchTo(caller);
}

static void
count_row(UpgradeReport *report, const EvUpgraded *upgraded)
{
	bool		valid = ev_upgraded_is_valid(upgraded);

	ev_progress_row(!valid);
	if (valid)
		return;
	report->rows++;
	if (upgraded->schema != NULL)
		ev_audit_kinds(ev_registry_program(upgraded->schema), upgraded->data, count_kind, report);
	else
	{
		EvKind		kind = {"", "", upgraded->is_refused ? "update" : "upcast", upgraded->cause, upgraded->fault, 1};

		count_kind(&kind, report);
	}
}

/* Upcasts the events that are waiting, and counts their violations. */
static void
run_batch(UpgradeReport *report)
{
	MemoryContext caller = MemoryContextSwitchTo(report->batch);
	MemoryContext row = AllocSetContextCreate(report->batch, "event_validate row", ALLOCSET_DEFAULT_SIZES);

	ev_upgrade_run(report->upgrades, report->documents, report->is_text, report->results, report->count);
	if (report->check != NULL)
		ev_update_check_run(report->check, report->tables, report->locations, report->results, report->count);
	MemoryContextSwitchTo(row);
	for (int i = 0; i < report->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		report->name = report->names[i];
		count_row(report, &report->results[i]);
		MemoryContextReset(row);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(report->batch);
	report->count = 0;
	report->size = 0;
}

/* ---------- the aggregate ---------- */

static UpgradeReport *
make_report(FunctionCallInfo fcinfo, bool is_text)
{
	MemoryContext parent;
	MemoryContext context;
	MemoryContext caller;
	UpgradeReport *report;
	HASHCTL		control = {.keysize = sizeof(uint64), .entrysize = sizeof(CountedHash)};

	if (!AggCheckCallContext(fcinfo, &parent))
		elog(ERROR, "the transition function of event_upgrade_kinds is called only by the aggregate");
	if (!PG_ARGISNULL(0))
		return (UpgradeReport *) PG_GETARG_POINTER(0);
	for (int i = 3; i <= 5; i++)
		if (PG_ARGISNULL(i))
			return NULL;
	context = AllocSetContextCreate(parent, "event_validate upgrade report", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	report = palloc0(sizeof(UpgradeReport));
	report->context = context;
	report->batch = AllocSetContextCreate(context, "event_validate batch", ALLOCSET_DEFAULT_SIZES);
	report->is_text = is_text;
	control.hcxt = context;
	report->kinds = hash_create("event_validate kinds", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	if (PG_NARGS() > CHECKED_TABLE && !PG_ARGISNULL(8) && !PG_ARGISNULL(9) && !PG_ARGISNULL(10))
		report->check = ev_update_check_make(PG_GETARG_OID(8), text_to_cstring(PG_GETARG_TEXT_PP(9)),
											 text_to_cstring(PG_GETARG_TEXT_PP(10)), PG_GETARG_INT32(5));
	report->upgrade = ev_upgrade_make(context, PG_GETARG_TEXT_PP(3), PG_GETARG_INT32(4), PG_GETARG_INT32(5), false,
									  report->check != NULL);
	for (int i = 0; i < BATCH_ROWS; i++)
		report->upgrades[i] = report->upgrade;
	MemoryContextSwitchTo(caller);
	return report;
}

static Datum
add(FunctionCallInfo fcinfo, bool is_text)
{
	UpgradeReport *report = make_report(fcinfo, is_text);
	MemoryContext caller;
	struct varlena *document;

	if (report == NULL)
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
	{
		EvKind		kind = {"", "", "", "", "the event's data is null", 1};

		report->rows++;
		report->name = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
		count_kind(&kind, report);
		PG_RETURN_POINTER(report);
	}
	caller = MemoryContextSwitchTo(report->batch);
	document = PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1));
	report->documents[report->count] = PointerGetDatum(document);
	report->names[report->count] = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	MemoryContextSwitchTo(caller);
	if (report->check != NULL)
	{
		report->tables[report->count] = PG_ARGISNULL(CHECKED_TABLE) ? InvalidOid : PG_GETARG_OID(CHECKED_TABLE);
		if (PG_ARGISNULL(CHECKED_TABLE + 1))
			report->tables[report->count] = InvalidOid;
		else
			report->locations[report->count] = *(ItemPointer) PG_GETARG_POINTER(CHECKED_TABLE + 1);
	}
	report->count++;
	report->size += VARSIZE(document);
	if (report->count == BATCH_ROWS || report->size >= BATCH_BYTES)
		run_batch(report);
	PG_RETURN_POINTER(report);
}

/*
 * event_upgrade_add(internal, data jsonb, row_name text, event_type text, from_version int,
 * to_version int [, table_id oid, location tid, relation oid, data_column text,
 * version_column text]) returns internal
 *
 * With the last arguments, the rows are checked as well.
 */
Datum
ev_event_upgrade_add(PG_FUNCTION_ARGS)
{
	return add(fcinfo, false);
}

/* The same for documents in text, which may be invalid. */
Datum
ev_event_upgrade_add_text(PG_FUNCTION_ARGS)
{
	return add(fcinfo, true);
}

static Datum
samples_of(const Counted *counted)
{
	ArrayBuildState *names = initArrayResult(TEXTOID, CurrentMemoryContext, false);

	for (int i = 0; i < counted->samples; i++)
		names = accumArrayResult(names, CStringGetTextDatum(counted->names[i]), false, TEXTOID, CurrentMemoryContext);
	return makeArrayResult(names, CurrentMemoryContext);
}

/*
 * event_upgrade_final(internal) returns event_upgrade_kind[]
 *
 * Returns the total, and then each kind; no element if there are no violations.
 */
Datum
ev_event_upgrade_final(PG_FUNCTION_ARGS)
{
	UpgradeReport *report = PG_ARGISNULL(0) ? NULL : (UpgradeReport *) PG_GETARG_POINTER(0);
	Oid			type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	TupleDesc	descriptor;
	ArrayBuildState *rows;
	ListCell   *cell;

	if (!OidIsValid(type))
		type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	descriptor = lookup_rowtype_tupdesc_copy(type, -1);
	rows = initArrayResult(type, CurrentMemoryContext, false);
	if (report != NULL && report->count > 0)
		run_batch(report);
	if (report != NULL && report->rows > 0)
	{
		Datum		total[6] = {0};
		bool		nulls[6] = {true, true, false, false, false, true};

		total[2] = CStringGetTextDatum("all violations");
		total[3] = Int64GetDatum(report->rows);
		total[4] = Int64GetDatum(report->violations);
		rows = accumArrayResult(rows, HeapTupleGetDatum(heap_form_tuple(descriptor, total, nulls)), false, type,
								CurrentMemoryContext);
		foreach(cell, report->in_order)
		{
			const Counted *counted = lfirst(cell);
			Datum		values[6];
			bool		none[6] = {0};

			values[0] = CStringGetTextDatum(counted->kind.instance_location);
			values[1] = CStringGetTextDatum(counted->kind.keyword);
			values[2] = CStringGetTextDatum(counted->kind.message);
			values[3] = Int64GetDatum(counted->rows);
			values[4] = Int64GetDatum(counted->kind.count);
			values[5] = samples_of(counted);
			rows = accumArrayResult(rows, HeapTupleGetDatum(heap_form_tuple(descriptor, values, none)), false, type,
									CurrentMemoryContext);
		}
	}
	PG_RETURN_DATUM(makeArrayResult(rows, CurrentMemoryContext));
}
