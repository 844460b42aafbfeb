/*
 * stats_views.c
 *	  The statistics as rows, and resetting them.
 *
 * As in pg_stat_statements, members of pg_read_all_stats (pg_monitor is one) see
 * all rows, and others those of their own roles.  But a guard also sees rows that
 * their sender may update and not read: so what a guard counted is shown to roles
 * that may read all of its table.  And a policy or a view can call a function on rows
 * that it hides: so what is counted without a table shows to other roles no text of an event,
 * unless this is the name of a registered type.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/rls.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "stats/shared_stats.h"

PG_FUNCTION_INFO_V1(ev_validation_stats);
PG_FUNCTION_INFO_V1(ev_validation_stats_history);
PG_FUNCTION_INFO_V1(ev_validation_stats_daily);
PG_FUNCTION_INFO_V1(ev_validation_failures);
PG_FUNCTION_INFO_V1(ev_validation_stats_info);
PG_FUNCTION_INFO_V1(ev_has_validation_stats);
PG_FUNCTION_INFO_V1(ev_event_validation_stats_reset);

#define MAX_COLUMNS		20

/* A row that is being made. */
typedef struct Row
{
	Datum		values[MAX_COLUMNS];
	bool		nulls[MAX_COLUMNS];
	int			count;
} Row;

static void
require_statistics(void)
{
	if (!ev_stats_on)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there are no statistics of validations: event_validate is not in shared_preload_libraries"),
				 errhint("Set \"shared_preload_libraries = 'event_validate'\" in postgresql.conf, and restart the server.")));
}

/* ---------- values ---------- */

static void
put(Row *row, Datum value, bool is_null)
{
	row->values[row->count] = value;
	row->nulls[row->count++] = is_null;
}

static void
put_number(Row *row, pg_atomic_uint64 *number)
{
	put(row, Int64GetDatum((int64) pg_atomic_read_u64(number)), false);
}

/* 0 is no time */
static void
put_time(Row *row, TimestampTz time)
{
	put(row, TimestampTzGetDatum(time), time == 0);
}

static bool
is_ascii(const char *text, int length)
{
	for (int i = 0; i < length; i++)
		if (IS_HIGHBIT_SET(text[i]))
			return false;
	return true;
}

/*
 * A text from a database with another encoding may have characters that this one
 * has not, or none at all: then its bytes above 127 are shown as \x and their digits.
 */
static Datum
to_text(const char *text, int length, int encoding)
{
	StringInfoData result;

	if (encoding == GetDatabaseEncoding() || is_ascii(text, length))
		return PointerGetDatum(cstring_to_text_with_len(text, length));
	initStringInfo(&result);
	for (int i = 0; i < length; i++)
	{
		if (IS_HIGHBIT_SET(text[i]))
			appendStringInfo(&result, "\\x%02x", (unsigned char) text[i]);
		else
			appendStringInfoChar(&result, text[i]);
	}
	return PointerGetDatum(cstring_to_text_with_len(result.data, result.len));
}

/* The first columns of all: database, role, relation, type and version. */
static void
put_origin(Row *row, const EvStatsKey *key)
{
	const EvStatsOrigin *origin = &key->origin;

	put(row, ObjectIdGetDatum(origin->database), false);
	put(row, ObjectIdGetDatum(origin->role), false);
	put(row, ObjectIdGetDatum(origin->relation), !OidIsValid(origin->relation));
	put(row, origin->has_type ? to_text(key->type, origin->type_length, origin->encoding) : (Datum) 0,
		!origin->has_type);
	put(row, Int32GetDatum(origin->version), !origin->has_version);
}

/* ---------- rows ---------- */

static void
put_row(ReturnSetInfo *result, Row *row)
{
	tuplestore_putvalues(result->setResult, result->setDesc, row->values, row->nulls);
}

static void
put_verdicts(ReturnSetInfo *result, EvTableItem *found)
{
	EvStatsItem *item = (EvStatsItem *) found;
	Row			row = {.count = 0};

	put_origin(&row, &item->key);
	for (int i = 0; i < EV_COUNTS; i++)
		put_number(&row, &item->counts[i]);
	put_time(&row, (TimestampTz) pg_atomic_read_u64(&item->first_invalid));
	put_time(&row, (TimestampTz) pg_atomic_read_u64(&item->last_invalid));
	put_number(&row, &item->timed);
	put(&row, Float8GetDatum((double) pg_atomic_read_u64(&item->nanoseconds) / 1000000.0), false);
	put_time(&row, item->since);
	put_row(result, &row);
}

static void
put_periods(ReturnSetInfo *result, EvStatsItem *item, EvSpan span)
{
	int64		length = ev_stats_span_length(span);
	int64		oldest = ev_stats_period(span, GetCurrentTimestamp()) - ev_stats_periods(span);

	for (int i = 0; i < ev_stats_periods(span); i++)
	{
		EvPeriod   *period = &ev_stats_ring(item, span)[i];
		int64		number = ev_stats_period_number(period);
		Row			row = {.count = 0};

		if (number == 0 || number <= oldest)
			continue;
		put_origin(&row, &item->key);
		if (span == EV_DAYS)
			put(&row, DateADTGetDatum((DateADT) number), false);
		else
			put_time(&row, (TimestampTz) (number * length));
		for (int j = 0; j < EV_COUNTS; j++)
			put_number(&row, &period->counts[j]);
		put_row(result, &row);
	}
}

static void
put_hours(ReturnSetInfo *result, EvTableItem *found)
{
	put_periods(result, (EvStatsItem *) found, EV_HOURS);
}

static void
put_days(ReturnSetInfo *result, EvTableItem *found)
{
	put_periods(result, (EvStatsItem *) found, EV_DAYS);
}

static void
put_failure(ReturnSetInfo *result, EvTableItem *found)
{
	static const char *const reasons[] = {"keyword", "not registered", "null", "unreadable"};
	EvFailureItem *item = (EvFailureItem *) found;
	bool		has_keyword = item->reason == EV_FAILED_KEYWORD;
	int			encoding = item->key.origin.encoding;
	Row			row = {.count = 0};

	StaticAssertStmt(lengthof(reasons) == EV_FAILURE_REASONS, "a reason has no name");
	put_origin(&row, &item->key);
	put(&row, CStringGetTextDatum(reasons[item->reason]), false);
	put(&row, has_keyword ? to_text(item->location, item->location_length, encoding) : (Datum) 0, !has_keyword);
	put(&row, has_keyword ? to_text(item->keyword, strlen(item->keyword), encoding) : (Datum) 0, !has_keyword);
	put_number(&row, &item->events);
	put_time(&row, (TimestampTz) pg_atomic_read_u64(&item->first));
	put_time(&row, (TimestampTz) pg_atomic_read_u64(&item->last));
	put(&row, item->sample_length > 0 ? to_text(item->sample, item->sample_length, encoding) : (Datum) 0,
		item->sample_length == 0);
	put_row(result, &row);
}

/*
 * May the current user, who is not a member of pg_read_all_stats, see what was
 * counted for this origin?  The relation may have been dropped.
 */
static bool
may_see(const EvStatsOrigin *origin)
{
	bool		is_missing = false;

	if (!has_privs_of_role(GetUserId(), origin->role))
		return false;
	if (!OidIsValid(origin->relation))
		return true;
	return origin->database == MyDatabaseId &&
		pg_class_aclcheck_ext(origin->relation, GetUserId(), ACL_SELECT, &is_missing) == ACLCHECK_OK &&
		check_enable_rls(origin->relation, InvalidOid, true) != RLS_ENABLED;
}

static EvStatsKey *
key_of(EvStatsKind kind, EvTableItem *item)
{
	return kind == EV_STATS_VERDICTS ? &((EvStatsItem *) item)->key : &((EvFailureItem *) item)->key;
}

/* Takes what is not for all out of an item of a copy that was counted without a table. */
static void
withhold(EvStatsKind kind, EvTableItem *item)
{
	EvStatsOrigin *origin = &key_of(kind, item)->origin;

	if (OidIsValid(origin->relation))
		return;
	if (!origin->is_registered)
		origin->has_type = origin->has_version = false;
	if (kind == EV_STATS_FAILURES)
		((EvFailureItem *) item)->sample_length = 0;
}

/* Calls a function for each item of a kind that the current user may see. */
static Datum
put_items(FunctionCallInfo fcinfo, EvStatsKind kind, void (*put_item) (ReturnSetInfo *result, EvTableItem *item))
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		sees_all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);

	require_statistics();
	InitMaterializedSRF(fcinfo, 0);
	for (int partition = 0; partition < EV_STATS_PARTITIONS; partition++)
	{
		EvTable    *table = ev_shared_stats_copy(kind, partition);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < table->count; i++)
		{
			EvTableItem *item = ev_table_item(table, i);

			if (!item->used || (!sees_all && !may_see(&key_of(kind, item)->origin)))
				continue;
			if (!sees_all)
				withhold(kind, item);
			put_item(result, item);
		}
		pfree(table);
	}
	return (Datum) 0;
}

/* The rows of event_validation_stats */
Datum
ev_validation_stats(PG_FUNCTION_ARGS)
{
	return put_items(fcinfo, EV_STATS_VERDICTS, put_verdicts);
}

/* The rows of event_validation_stats_history */
Datum
ev_validation_stats_history(PG_FUNCTION_ARGS)
{
	return put_items(fcinfo, EV_STATS_VERDICTS, put_hours);
}

/* The rows of event_validation_stats_daily */
Datum
ev_validation_stats_daily(PG_FUNCTION_ARGS)
{
	return put_items(fcinfo, EV_STATS_VERDICTS, put_days);
}

/* The rows of event_validation_failures */
Datum
ev_validation_failures(PG_FUNCTION_ARGS)
{
	return put_items(fcinfo, EV_STATS_FAILURES, put_failure);
}

/* has_validation_stats() returns boolean: is the library preloaded? */
Datum
ev_has_validation_stats(FunctionCallInfo fcinfo pg_attribute_unused())
{
	PG_RETURN_BOOL(ev_stats_on);
}

/* The row of event_validation_stats_info */
Datum
ev_validation_stats_info(PG_FUNCTION_ARGS)
{
	Row			row = {.count = 0};

	require_statistics();
	InitMaterializedSRF(fcinfo, 0);
	put(&row, Int64GetDatum(ev_shared_stats_evicted(EV_STATS_VERDICTS)), false);
	put(&row, Int64GetDatum(ev_shared_stats_evicted(EV_STATS_FAILURES)), false);
	put_time(&row, ev_shared_stats_reset_at());
	put_row((ReturnSetInfo *) fcinfo->resultinfo, &row);
	return (Datum) 0;
}

/*
 * event_validation_stats_reset(database name DEFAULT NULL, event_type text DEFAULT
 * NULL, schema_version int DEFAULT NULL) returns void
 *
 * Only roles that may execute it reach it.
 */
Datum
ev_event_validation_stats_reset(PG_FUNCTION_ARGS)
{
	int32		version = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);

	require_statistics();
	ev_shared_stats_reset(PG_ARGISNULL(0) ? InvalidOid : get_database_oid(NameStr(*PG_GETARG_NAME(0)), false),
						  PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)),
						  PG_ARGISNULL(2) ? NULL : &version);
	PG_RETURN_VOID();
}
