/*
 * progress_view.c
 *	  The rows of the view event_progress, and the functions by which SQL reports.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "stats/progress.h"
#include "stats/progress_slot.h"

PG_FUNCTION_INFO_V1(ev_progress_list);
PG_FUNCTION_INFO_V1(ev_progress_begin);
PG_FUNCTION_INFO_V1(ev_progress_set_phase);
PG_FUNCTION_INFO_V1(ev_progress_set_pages);
PG_FUNCTION_INFO_V1(ev_progress_finish);
PG_FUNCTION_INFO_V1(ev_progress_count);

/* ---------- the view ---------- */

enum
{
	OUT_PID,
	OUT_DATABASE,
	OUT_RELATION,
	OUT_COMMAND,
	OUT_PHASE,
	OUT_DONE,
	OUT_TOTAL,
	OUT_CHANGED,
	OUT_FAILED,
	OUT_STARTED,
	OUT_COLUMNS
};

static bool
is_below(int64 number, int end)
{
	return number >= 0 && number < end;
}

/* The entry of a backend that reports progress; NULL: it does not. */
static const PgBackendStatus *
reported(int number)
{
	const LocalPgBackendStatus *local = EV_LOCAL_BACKEND(number);
	const PgBackendStatus *entry = local != NULL ? &local->backendStatus : NULL;

	if (entry == NULL || entry->st_progress_command != EV_PROGRESS_SLOT ||
		entry->st_progress_param[EV_SLOT_LAYOUT] != EV_SLOT_THIS_LAYOUT ||
		!is_below(entry->st_progress_param[EV_SLOT_COMMAND], EV_PROGRESS_COMMANDS) ||
		!is_below(entry->st_progress_param[EV_SLOT_PHASE], EV_PHASES))
		return NULL;
	return entry;
}

/* Adds what the parallel workers of a backend have counted. */
static void
add_workers(int leader, int count, int64 *done, int64 *failed)
{
	for (int i = 1; i <= count; i++)
	{
		const PgBackendStatus *entry = reported(i);

		if (entry == NULL || entry->st_progress_param[EV_SLOT_LEADER] != leader)
			continue;
		*done = Max(*done, 0) + entry->st_progress_param[EV_SLOT_DONE];
		if (entry->st_progress_param[EV_SLOT_FAILED] > 0)
			*failed = Max(*failed, 0) + entry->st_progress_param[EV_SLOT_FAILED];
	}
}

static void
put_number(Datum *values, bool *nulls, int column, int64 number)
{
	if (number == EV_PROGRESS_UNKNOWN)
		return;
	values[column] = Int64GetDatum(number);
	nulls[column] = false;
}

static void
put_entry(ReturnSetInfo *result, const PgBackendStatus *entry, int count)
{
	const int64 *fields = entry->st_progress_param;
	int64		done = fields[EV_SLOT_DONE];
	int64		failed = fields[EV_SLOT_FAILED];
	int64		total = fields[EV_SLOT_TOTAL];
	Datum		values[OUT_COLUMNS] = {0};
	bool		nulls[OUT_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	values[OUT_PID] = Int32GetDatum(entry->st_procpid);
	values[OUT_DATABASE] = ObjectIdGetDatum(entry->st_databaseid);
	nulls[OUT_PID] = nulls[OUT_DATABASE] = false;
	if (has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) || has_privs_of_role(GetUserId(), entry->st_userid))
	{
		add_workers(entry->st_procpid, count, &done, &failed);
		values[OUT_RELATION] = ObjectIdGetDatum((Oid) fields[EV_SLOT_RELATION]);
		nulls[OUT_RELATION] = fields[EV_SLOT_RELATION] == 0;
		values[OUT_COMMAND] = CStringGetTextDatum(ev_progress_command_names[fields[EV_SLOT_COMMAND]]);
		values[OUT_PHASE] = CStringGetTextDatum(ev_progress_phase_names[fields[EV_SLOT_PHASE]]);
		values[OUT_STARTED] = TimestampTzGetDatum((TimestampTz) fields[EV_SLOT_STARTED]);
		nulls[OUT_COMMAND] = nulls[OUT_PHASE] = nulls[OUT_STARTED] = false;
		put_number(values, nulls, OUT_DONE, done);
		put_number(values, nulls, OUT_TOTAL, total == EV_PROGRESS_UNKNOWN ? total : Max(total, done));
		put_number(values, nulls, OUT_CHANGED, fields[EV_SLOT_CHANGED]);
		put_number(values, nulls, OUT_FAILED, failed);
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The rows of event_progress */
Datum
ev_progress_list(PG_FUNCTION_ARGS)
{
	int			count = pgstat_fetch_stat_numbackends();

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 1; i <= count; i++)
	{
		const PgBackendStatus *entry = reported(i);

		if (entry != NULL && entry->st_progress_param[EV_SLOT_LEADER] == 0)
			put_entry((ReturnSetInfo *) fcinfo->resultinfo, entry, count);
	}
	return (Datum) 0;
}

/* ---------- reporting from SQL ---------- */

static int
find_name(const text *name, const char *const *names, int count)
{
	char	   *wanted = text_to_cstring(name);

	for (int i = 0; i < count; i++)
		if (names[i][0] != '\0' && strcmp(names[i], wanted) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("progress has no command or phase \"%s\"", wanted)));
}

/*
 * start_progress(command text, relation regclass, commits boolean) returns void
 */
Datum
ev_progress_begin(PG_FUNCTION_ARGS)
{
	ev_progress_start((EvProgressCommand) find_name(PG_GETARG_TEXT_PP(0), ev_progress_command_names, EV_PROGRESS_COMMANDS),
					  PG_GETARG_OID(1), PG_GETARG_BOOL(2));
	PG_RETURN_VOID();
}

/*
 * set_progress_phase(phase text, relation regclass) returns void
 *
 * The rows of the relation are to be done; NULL: they are not counted.
 */
Datum
ev_progress_set_phase(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_VOID();
	ev_progress_phase((EvProgressPhase) find_name(PG_GETARG_TEXT_PP(0), ev_progress_phase_names, EV_PHASES),
					  PG_ARGISNULL(1) ? EV_PROGRESS_UNKNOWN : ev_progress_estimate(PG_GETARG_OID(1)));
	if (!PG_ARGISNULL(1))
		ev_progress_relation(PG_GETARG_OID(1));
	PG_RETURN_VOID();
}

/*
 * set_progress_pages(part regclass, pages_done bigint, pages bigint, rows_changed bigint) returns void
 *
 * No page done: the part begins.
 */
Datum
ev_progress_set_pages(PG_FUNCTION_ARGS)
{
	int64		done = PG_GETARG_INT64(1);
	int64		pages = PG_GETARG_INT64(2);

	if (done == 0)
		ev_progress_part(PG_GETARG_OID(0));
	else
		ev_progress_share(pages > 0 ? (double) done / pages : 1.0, PG_GETARG_INT64(3), EV_PROGRESS_UNKNOWN);
	PG_RETURN_VOID();
}

/* end_progress() returns void */
Datum
ev_progress_finish(FunctionCallInfo fcinfo pg_attribute_unused())
{
	ev_progress_end();
	PG_RETURN_VOID();
}

/*
 * count_progress() returns boolean
 *
 * A condition that is always true, and counts each row that it is evaluated for.
 */
Datum
ev_progress_count(FunctionCallInfo fcinfo pg_attribute_unused())
{
	ev_progress_row(false);
	PG_RETURN_BOOL(true);
}
