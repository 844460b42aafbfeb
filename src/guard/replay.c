/*
 * replay.c
 *	  Moves events from the quarantine into their tables.
 *
 * This is one transaction, the caller's: a row leaves the quarantine in the
 * transaction that inserts it into its table, so it is always in exactly one
 * of them.  Rows that another replay has locked are skipped (SKIP LOCKED).
 *
 * The caller needs SELECT, UPDATE and DELETE on the quarantine. replay_row.c
 * decides which role inserts the rows.
 *
 * Rows are read in chunks, and tried in a subtransaction.  If one raises an
 * error, the rows before it, which succeeded, are tried again, and it stays in
 * the quarantine: so a bad row costs little.  Rows stay toasted until their
 * turn, since each can be large.
 *
 * If no table is named, each table is replayed separately, and its errors do
 * not affect others.  Since the caller has not chosen the code on these
 * tables, the time for each table, and for all tables of an owner, is limited.
 *
 * Rows that stay because of the table's owner do not end it, but are its problem
 * if there is no other.
 *
 * A dry run is a replay in a subtransaction that is rolled back.  Only its
 * result is kept, in memory and temporary files.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/arguments.h"
#include "base/compat.h"
#include "base/row_fault.h"
#include "base/steady_time.h"
#include "base/subtransaction.h"
#include "base/time_limit.h"
#include "guard/guard_definition.h"
#include "guard/guard_trigger.h"
#include "guard/quarantine.h"
#include "guard/replay_row.h"
#include "guard/replay_trial.h"
#include "registry/names.h"
#include "rows/distributed.h"
#include "rows/row_json.h"
#include "rows/table_rights.h"
#include "stats/progress.h"
#include "stats/verdict.h"

PG_FUNCTION_INFO_V1(ev_replay_event_quarantine);

#define QUARANTINE	EV_SCHEMA_NAMESPACE "." EV_QUARANTINE
#define CHUNK		256

/*
 * Time limits if no table is named, in milliseconds: for a table; for all
 * tables of an owner; for a lock; for a subtransaction (after which the next
 * begins; one row may take longer); for trying rows again that succeeded
 * before one that took too long.
 */
#define TABLE_TIME	5000
#define OWNER_TIME	10000
#define LOCK_WAIT	2000
#define GO_TIME		1000
#define GRACE		2000

/* A table, and the result for its rows. */
typedef struct Target
{
	char	   *schema;
	char	   *name;
	Oid			owner;			/* InvalidOid: not known */
	TimestampTz deadline;		/* DT_NOEND: none */
	bool		is_over;		/* it has passed, and the finished rows are
								 * tried again */
	int64		tried;
	int64		replayed;
	int64		remaining;
	int64		last_id;		/* of the rows that were tried */
	bool		is_at_end;		/* there are no more rows after it */
	char	   *problem;		/* the error that ended it; NULL: none */
	char	   *withheld;		/* the problem of rows that stay because of
								 * the table's owner; NULL: none */
} Target;

/* Parameters of FILTER and AFTER. */
enum
{
	FILTER_SCHEMA,
	FILTER_NAME,
	FILTER_TYPE,
	FILTER_VERSION,
	FILTER_IDS,
	FILTER_AFTER,				/* of AFTER */
	FILTERS
};

/* The requested rows. */
typedef struct Filter
{
	Datum		values[FILTERS];
	char		nulls[FILTERS];
} Filter;

#define FILTER \
	" WHERE NOT kept" \
	" AND ($1 IS NULL OR (relation_schema OPERATOR(pg_catalog.=) ($1 COLLATE pg_catalog.\"C\")" \
	" AND relation_name OPERATOR(pg_catalog.=) ($2 COLLATE pg_catalog.\"C\")))" \
	" AND ($3 IS NULL OR event_type OPERATOR(pg_catalog.=) $3)" \
	" AND ($4 IS NULL OR schema_version OPERATOR(pg_catalog.=) $4)" \
	" AND ($5 IS NULL OR id OPERATOR(pg_catalog.=) ANY ($5))"

#define AFTER \
	" AND ($6 IS NULL OR id OPERATOR(pg_catalog.>) $6)"

static Oid	filter_types[FILTERS] = {TEXTOID, TEXTOID, TEXTOID, INT4OID, INT8ARRAYOID, INT8OID};

/* Arguments of the function. */
enum
{
	ARG_RELATION,
	ARG_TYPE,
	ARG_VERSION,
	ARG_REPAIR,
	ARG_MAX_ROWS,
	ARG_AFTER,
	ARG_IDS,
	ARG_DRY_RUN
};

/* A nested replay would find the rows that the outer one has locked. */
static bool at_work = false;

/* ---------- rows ---------- */

/* The result of rows that were tried together. */
typedef enum Ending
{
	ENDED_WELL,
	ENDED_BY_ROW,				/* the last one raised an error */
	ENDED_BY_TIME,				/* the time limit was exceeded */
	ENDED_BY_TABLE				/* no row of the table can be tried now */
} Ending;

typedef struct Attempt
{
	int			count;			/* number of rows that succeeded */
	Ending		ending;			/* if not successful, no row was changed */
	ErrorData  *error;			/* unless it was successful */
	bool		was_slow;		/* the last row alone took long */
} Attempt;

/* Should the subtransaction end after this row? */
static bool
is_time(const Target *target, TimestampTz start)
{
	TimestampTz now;

	if (target->deadline == DT_NOEND)
		return false;
	now = ev_steady_time();
	return now >= target->deadline || TimestampDifferenceExceeds(start, now, GO_TIME);
}

static Ending
judge(const Target *target, const ErrorData *error, bool ran_out)
{
	bool		is_bounded = target->deadline != DT_NOEND;

	if (ran_out)
		return ENDED_BY_TIME;
	if (ev_is_row_fault(error->sqlerrcode, EV_WORK_INSERT))
		return ENDED_BY_ROW;
	if (!is_bounded)
		ReThrowError((ErrorData *) error);
	return ENDED_BY_TABLE;
}

typedef struct RowsTry
{
	EvReplayCall *call;
	const Target *target;
	EvReplayRow *rows;
	int			count;
	int			at;
	TimestampTz start;
	TimestampTz row_start;
} RowsTry;

static void
replay_until_time(void *arg)
{
	RowsTry    *attempt = (RowsTry *) arg;
	EvReplayCall *call = attempt->call;
	const Target *target = attempt->target;

	for (; attempt->at < attempt->count && !(attempt->at > 0 && is_time(target, attempt->start)); attempt->at++)
	{
		if (target->deadline != DT_NOEND)
			attempt->row_start = ev_steady_time();
		/* switch again, since SPI switches to a context of its own */
		MemoryContextSwitchTo(call->row_context);
		MemoryContextReset(call->row_context);
		ev_replay_row(call, target->schema, target->name, &attempt->rows[attempt->at]);
	}
}

/* Tries rows in a subtransaction. Raises errors that end the whole call. */
static void
try_rows(EvReplayCall *call, const Target *target, EvReplayRow *rows, int count, Attempt *attempt)
{
	TimestampTz start = ev_steady_time();
	RowsTry		work = {
		.call = call, .target = target, .rows = rows, .count = count, .start = start, .row_start = start
	};
	int			milliseconds = target->deadline == DT_NOEND ? 0 :
		(int) Max(TimestampDifferenceMilliseconds(start, target->deadline), 1);
	bool		ran_out;
	MemoryContext caller;

	CHECK_FOR_INTERRUPTS();
	caller = MemoryContextSwitchTo(call->context);
	/* if it runs out at the last moment, all rows are done nevertheless */
	attempt->error = ev_in_limited_time(replay_until_time, &work, EV_KEEP, milliseconds, &ran_out);
	attempt->ending = ENDED_WELL;
	if (attempt->error != NULL)
	{
		attempt->ending = judge(target, attempt->error, ran_out);
		attempt->was_slow = TimestampDifferenceExceeds(work.row_start, ev_steady_time(), GO_TIME);
	}
	MemoryContextSwitchTo(caller);
	attempt->count = work.at;
}

static void
set_time_problem(Target *target)
{
	target->problem = psprintf("the table was not finished within %d seconds", TABLE_TIME / 1000);
}

/*
 * Replays some of the rows, at least one; returns their number.  It is 0 if
 * the table has a problem.
 */
static int
replay_rows(EvReplayCall *call, Target *target, EvReplayRow *rows, int count)
{
	Attempt		attempt;
	int			done = 0;

	try_rows(call, target, rows, count, &attempt);
	if (attempt.ending == ENDED_WELL)
		return attempt.count;
	for (int i = 0; i <= attempt.count; i++)
	{
		rows[i].moved = false;
		rows[i].violations = NULL;
		rows[i].problem = NULL;
	}
	if (attempt.ending == ENDED_BY_TIME)
	{
		if (target->is_over)
		{
			set_time_problem(target);
			return 0;
		}
		target->is_over = true;
		target->deadline = TimestampTzPlusMilliseconds(ev_steady_time(), GRACE);
	}
	while (done < attempt.count && target->problem == NULL)
		done += replay_rows(call, target, rows + done, attempt.count - done);
	if (target->problem != NULL)
		return done;

	switch (attempt.ending)
	{
		case ENDED_BY_ROW:
			ev_replay_set_reason(call, &rows[done], attempt.error->message, attempt.error->sqlerrcode);
			done++;
			break;
		case ENDED_BY_TIME:
			set_time_problem(target);
			if (attempt.was_slow)
			{
				target->problem = psprintf("inserting a row took too long (id " INT64_FORMAT ")", rows[done].id);
				ev_replay_set_reason(call, &rows[done], "inserting the row took too long", ERRCODE_QUERY_CANCELED);
				done++;
			}
			break;
		default:
			target->problem = pstrdup(attempt.error->message);
			break;
	}
	return done;
}

/* ---------- the quarantine ---------- */

static Datum
id_array(Datum *ids, int count)
{
	return PointerGetDatum(construct_array(ids, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * Deletes the moved rows and records why others stay; returns the number
 * moved.
 */
static int64
settle(EvReplayCall *call, const Target *target, EvReplayRow *rows, int count)
{
	Oid			delete_types[1] = {INT8ARRAYOID};
	Oid			update_types[2] = {INT8ARRAYOID, JSONBARRAYOID};
	Datum		values[2];
	MemoryContext caller = MemoryContextSwitchTo(call->context);
	Datum	   *moved = palloc(sizeof(Datum) * (count + 1));
	Datum	   *failed = palloc(sizeof(Datum) * (count + 1));
	Datum	   *violations = palloc(sizeof(Datum) * (count + 1));
	int			moved_count = 0;
	int			failed_count = 0;

	for (int i = 0; i < count; i++)
	{
		if (rows[i].moved)
			moved[moved_count++] = Int64GetDatum(rows[i].id);
		else if (rows[i].violations != NULL)
		{
			failed[failed_count] = Int64GetDatum(rows[i].id);
			violations[failed_count++] = JsonbPGetDatum(rows[i].violations);
		}
	}
	if (call->trial != NULL)
		ev_trial_put(call->trial, target->schema, target->name, rows, count);
	values[0] = id_array(moved, moved_count);
	ev_quarantine_as_owner(&call->quarantine);
	if (moved_count > 0)
	{
		if (SPI_execute_with_args("DELETE FROM " QUARANTINE
								  " WHERE id OPERATOR(pg_catalog.=) ANY ($1)",
								  1, delete_types, values, NULL, false, 0) != SPI_OK_DELETE ||
			SPI_processed != (uint64) moved_count)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("could not delete replayed events from table \"%s\"", QUARANTINE),
					 errhint("Check its triggers, rules and policies, and whether an id occurs twice.")));
	}
	if (failed_count > 0)
	{
		MemoryContextSwitchTo(call->context);
		values[0] = id_array(failed, failed_count);
		values[1] = PointerGetDatum(construct_array(violations, failed_count, JSONBOID, -1, false, TYPALIGN_INT));
		if (SPI_execute_with_args("UPDATE " QUARANTINE " AS q SET violations = f.violations"
								  " FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS f (id, violations)"
								  " WHERE q.id OPERATOR(pg_catalog.=) f.id"
								  " AND (q.violations OPERATOR(pg_catalog.<>) f.violations) IS NOT FALSE",
								  2, update_types, values, NULL, false, 0) != SPI_OK_UPDATE)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("could not update table \"%s\"", QUARANTINE),
					 errhint("Check its rules.")));
	}
	ev_quarantine_as_caller(&call->quarantine);
	MemoryContextSwitchTo(caller);
	for (int i = 0; ev_stats_on && call->trial == NULL && i < count; i++)
		if (rows[i].moved)
			ev_count(rows[i].counters != NULL ? rows[i].counters : ev_counters(InvalidOid, NULL, 0, 0), EV_REPLAYED);
	return moved_count;
}

/*
 * Reads the next rows of the filter, locked, into the call's context.  Returns
 * their number.  A cursor cannot be used, since users' code that runs between
 * two chunks can close or move it.
 */
static int
fetch(EvReplayCall *call, const Filter *filter, int limit, EvReplayRow **rows)
{
	const Oid	types[4] = {INT8OID, JSONBOID, TEXTOID, TEXTOID};
	const char *query = psprintf("SELECT id, \"row\", role, %s FROM " QUARANTINE FILTER AFTER
								 " AND id IS NOT NULL ORDER BY id LIMIT %d FOR UPDATE SKIP LOCKED",
								 call->quarantine.has_owners ? EV_QUARANTINE_OWNER : "NULL::pg_catalog.text", limit);
	MemoryContext caller;
	int			count;

	ev_quarantine_as_owner(&call->quarantine);
	if (SPI_execute_with_args(query, FILTERS, filter_types, (Datum *) filter->values,
							  filter->nulls, false, 0) != SPI_OK_SELECT)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("could not read table \"%s\"", QUARANTINE),
				 errhint("Check its rules.")));
	ev_quarantine_as_caller(&call->quarantine);
	ev_quarantine_check_result(SPI_tuptable->tupdesc, lengthof(types), types);
	count = (int) SPI_processed;
	caller = MemoryContextSwitchTo(call->context);
	*rows = palloc0(sizeof(EvReplayRow) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	descriptor = SPI_tuptable->tupdesc;
		EvReplayRow *row = &(*rows)[i];
		bool		is_null;
		Datum		value;

		row->id = DatumGetInt64(SPI_getbinval(tuple, descriptor, 1, &is_null));
		value = SPI_getbinval(tuple, descriptor, 2, &row->is_null);
		if (!row->is_null)
			row->row = datumCopy(value, false, -1);
		value = SPI_getbinval(tuple, descriptor, 3, &is_null);
		if (!is_null)
			row->sender = get_role_oid(TextDatumGetCString(value), true);
		value = SPI_getbinval(tuple, descriptor, 4, &is_null);
		if (!is_null)
			row->owner = TextDatumGetCString(value);
	}
	MemoryContextSwitchTo(caller);
	SPI_freetuptable(SPI_tuptable);
	return count;
}

/* ---------- one table ---------- */

/* InvalidOid, if it does not exist. */
static Oid
target_table(const Target *target)
{
	Oid			namespace = get_namespace_oid(target->schema, true);

	return OidIsValid(namespace) ? get_relname_relid(target->name, namespace) : InvalidOid;
}

/* Keeps the problem of the first row that the table's owner keeps out. */
static void
note_withheld(EvReplayCall *call, Target *target, const EvReplayRow *rows, int count)
{
	for (int i = 0; i < count && target->withheld == NULL; i++)
		if (!rows[i].moved && rows[i].problem != NULL)
			target->withheld = MemoryContextStrdup(MemoryContextGetParent(call->context), rows[i].problem);
}

/* Reports the progress with a table, after the tables before it. */
static void
report(const EvReplayCall *call, const Target *target)
{
	int64		done = call->tried + target->tried;
	int64		moved = call->replayed + target->replayed;

	ev_progress_rows(done, moved, done - moved);
}

static void
replay_table(EvReplayCall *call, Target *target, const Filter *filter, int64 max_rows)
{
	int			guc_level = ev_row_pin_settings();
	Filter		rest = *filter;

	ev_progress_relation(target_table(target));
	while (target->tried < max_rows && target->problem == NULL && !target->is_at_end)
	{
		EvReplayRow *rows;
		int			wanted = (int) Min(CHUNK, max_rows - target->tried);
		int			count = fetch(call, &rest, wanted, &rows);
		int			done = 0;

		while (done < count && target->problem == NULL)
		{
			if (target->tried + done > 0 && ev_steady_time() >= target->deadline)
				set_time_problem(target);
			else
				done += replay_rows(call, target, rows + done, count - done);
		}
		target->replayed += settle(call, target, rows, done);
		note_withheld(call, target, rows, done);
		target->tried += done;
		report(call, target);
		if (done > 0)
			target->last_id = rows[done - 1].id;
		rest.values[FILTER_AFTER] = Int64GetDatum(target->last_id);
		rest.nulls[FILTER_AFTER] = ' ';
		target->is_at_end = done == count && count < wanted;
		MemoryContextReset(call->context);
	}
	ev_replay_forget_plan(call);
	AtEOXact_GUC(false, guc_level);
}

static int64
count_remaining(EvReplayCall *call, Filter *filter)
{
	bool		is_null;
	int64		result;

	ev_quarantine_as_owner(&call->quarantine);
	if (SPI_execute_with_args("SELECT pg_catalog.count(*) FROM " QUARANTINE FILTER,
							  FILTER_AFTER, filter_types, filter->values, filter->nulls,
							  false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not count the rows of table %s", QUARANTINE);
	result = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	ev_quarantine_as_caller(&call->quarantine);
	return result;
}

/* ---------- all tables ---------- */

/* The time that the tables of an owner have used, in milliseconds. */
typedef struct OwnerTime
{
	Oid			owner;
	long		used;
} OwnerTime;

static OwnerTime *
find_owner(List **owners, Oid owner)
{
	OwnerTime  *result;
	ListCell   *cell;

	foreach(cell, *owners)
		if (((OwnerTime *) lfirst(cell))->owner == owner)
		return lfirst(cell);
	result = palloc0(sizeof(OwnerTime));
	result->owner = owner;
	*owners = lappend(*owners, result);
	return result;
}

/*
 * Returns the owner of a table, without locking it.  Raises an error if the
 * table does not exist, or if the caller lacks its owner's rights.
 */
static Oid
owner_for_all(EvReplayCall *call, const Target *target)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(target_table(target)));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s.%s\" does not exist", target->schema, target->name)));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	if (!has_privs_of_role(call->quarantine.user, owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must have the rights of the owner of table \"%s.%s\", or name the table",
						target->schema, target->name)));
	return owner;
}

/* Replays one of all tables.  Raises an error if that is not possible. */
static void
replay_one_of_all(EvReplayCall *call, Target *target, Filter *filter, int64 max_rows, List **owners)
{
	int			guc_level = NewGUCNestLevel();
	OwnerTime  *owner;
	Relation	relation;

	target->owner = owner_for_all(call, target);
	owner = find_owner(owners, target->owner);
	if (owner->used >= OWNER_TIME)
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("other tables of role \"%s\" have used up the time for this role", GetUserNameFromId(owner->owner, true))));
	target->deadline = TimestampTzPlusMilliseconds(ev_steady_time(), Min(TABLE_TIME, OWNER_TIME - owner->used));

	if (LockTimeout == 0 || LockTimeout > LOCK_WAIT)
		set_config_option("lock_timeout", psprintf("%d", LOCK_WAIT), PGC_USERSET,
						  PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	relation = ev_replay_open_table(target->schema, target->name);
	if (!ev_has_guard(relation, call->guard_function))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s.%s\" has no event guard: name the table to replay it",
						target->schema, target->name)));
	relation_close(relation, NoLock);
	replay_table(call, target, filter, max_rows);
	AtEOXact_GUC(false, guc_level);
}

typedef struct TableTry
{
	EvReplayCall *call;
	Target	   *target;
	Filter	   *filter;
	int64		max_rows;
	List	  **owners;
} TableTry;

static void
replay_tried_table(void *arg)
{
	TableTry   *attempt = (TableTry *) arg;

	replay_one_of_all(attempt->call, attempt->target, attempt->filter, attempt->max_rows, attempt->owners);
}

/* The same, but reports an error as the problem of this table. */
static void
try_one_of_all(EvReplayCall *call, Target *target, Filter *filter, int64 max_rows, List **owners)
{
	TableTry	attempt = {call, target, filter, max_rows, owners};
	TimestampTz start = ev_steady_time();
	ErrorData  *error;

	filter->values[FILTER_SCHEMA] = CStringGetTextDatum(target->schema);
	filter->values[FILTER_NAME] = CStringGetTextDatum(target->name);
	filter->nulls[FILTER_SCHEMA] = filter->nulls[FILTER_NAME] = ' ';
	CHECK_FOR_INTERRUPTS();
	error = ev_in_subtransaction(replay_tried_table, &attempt, EV_KEEP);
	if (error != NULL)
	{
		ev_replay_forget_plan(call);
		MemoryContextReset(call->context);
		if (ev_is_interrupt(error))
			ReThrowError(error);
		target->problem = error->message;
		target->replayed = target->tried = 0;
	}
	ev_trial_end_table(call->trial, error == NULL);
	if (OidIsValid(target->owner))
		find_owner(owners, target->owner)->used += TimestampDifferenceMilliseconds(start, ev_steady_time());
}

/*
 * Lists the tables that have rows in the quarantine, with the numbers of rows,
 * sorted by name, in the parent of the call's context.  Returns the number of
 * tables in *count.
 */
static Target *
list_targets(EvReplayCall *call, Filter *filter, int *count)
{
	const Oid	types[3] = {TEXTOID, TEXTOID, INT8OID};
	MemoryContext caller = CurrentMemoryContext;
	Target	   *targets;

	ev_quarantine_as_owner(&call->quarantine);
	if (SPI_execute_with_args("SELECT relation_schema COLLATE pg_catalog.\"C\", relation_name COLLATE pg_catalog.\"C\","
							  " pg_catalog.count(*) FROM " QUARANTINE FILTER
							  " AND relation_schema IS NOT NULL AND relation_name IS NOT NULL"
							  " GROUP BY 1, 2 ORDER BY 1, 2",
							  FILTER_AFTER, filter_types, filter->values, filter->nulls,
							  false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read table %s", QUARANTINE);
	ev_quarantine_as_caller(&call->quarantine);
	ev_quarantine_check_result(SPI_tuptable->tupdesc, lengthof(types), types);
	*count = (int) SPI_processed;
	MemoryContextSwitchTo(MemoryContextGetParent(call->context));
	targets = palloc0(sizeof(Target) * (*count + 1));
	for (int i = 0; i < *count; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	descriptor = SPI_tuptable->tupdesc;
		bool		is_null;

		targets[i].schema = TextDatumGetCString(SPI_getbinval(tuple, descriptor, 1, &is_null));
		targets[i].name = TextDatumGetCString(SPI_getbinval(tuple, descriptor, 2, &is_null));
		targets[i].remaining = DatumGetInt64(SPI_getbinval(tuple, descriptor, 3, &is_null));
	}
	MemoryContextSwitchTo(caller);
	SPI_freetuptable(SPI_tuptable);
	return targets;
}

static int
compare_targets(const Target *a, const Target *b)
{
	int			order = strcmp(a->schema, b->schema);

	return order != 0 ? order : strcmp(a->name, b->name);
}

/* Reports the given ids for which there is no event to replay. */
static void
report_missing_ids(EvReplayCall *call, Filter *filter)
{
	bool		is_null;
	Datum		count;

	if (filter->nulls[FILTER_IDS] == 'n' || !OidIsValid(call->quarantine.table))
		return;
	ev_quarantine_as_owner(&call->quarantine);
	if (SPI_execute_with_args("SELECT pg_catalog.count(DISTINCT wanted.number) FROM pg_catalog.unnest($5) AS wanted (number)"
							  " WHERE NOT EXISTS (SELECT FROM " QUARANTINE FILTER
							  " AND id OPERATOR(pg_catalog.=) wanted.number)",
							  FILTER_AFTER, filter_types, filter->values, filter->nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read table %s", QUARANTINE);
	ev_quarantine_as_caller(&call->quarantine);
	count = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
	if (DatumGetInt64(count) > 0)
		ereport(NOTICE,
				(errmsg("the quarantine has no event to replay for some of the ids (ids: " INT64_FORMAT ")",
						DatumGetInt64(count)),
				 errdetail("They are of events that are in their table already, that another filter leaves out, or of no event.")));
}

static Target *
replay_all(EvReplayCall *call, Filter *filter, int64 max_rows, int *count)
{
	Filter		all = *filter;
	Target	   *targets;
	List	   *owners = NIL;
	Target	   *left;
	int			left_count;
	int64		total = 0;

	report_missing_ids(call, filter);
	targets = list_targets(call, &all, count);
	for (int i = 0; i < *count; i++)
		total += Min(targets[i].remaining, max_rows);
	ev_progress_phase(call->trial != NULL ? EV_PHASE_TRYING : EV_PHASE_REPLAYING, total);
	for (int i = 0; i < *count; i++)
	{
		try_one_of_all(call, &targets[i], filter, max_rows, &owners);
		call->tried += targets[i].tried;
		call->replayed += targets[i].replayed;
	}

	/* the current rows; some may have been added meanwhile */
	left = list_targets(call, &all, &left_count);
	for (int i = 0, j = 0; i < *count; i++)
	{
		while (j < left_count && compare_targets(&left[j], &targets[i]) < 0)
			j++;
		targets[i].remaining = j < left_count && compare_targets(&left[j], &targets[i]) == 0 ?
			left[j].remaining : 0;
	}
	return targets;
}

static Target *
replay_named(EvReplayCall *call, Oid table, Filter *filter, int64 max_rows)
{
	Target	   *target = palloc0(sizeof(Target));

	target->schema = get_namespace_name(get_rel_namespace(table));
	target->name = get_rel_name(table);
	target->deadline = DT_NOEND;
	if (target->schema == NULL || target->name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", table)));
	if (!OidIsValid(call->quarantine.table))
		return target;
	filter->values[FILTER_SCHEMA] = CStringGetTextDatum(target->schema);
	filter->values[FILTER_NAME] = CStringGetTextDatum(target->name);
	filter->nulls[FILTER_SCHEMA] = filter->nulls[FILTER_NAME] = ' ';
	report_missing_ids(call, filter);
	ev_progress_phase(call->trial != NULL ? EV_PHASE_TRYING : EV_PHASE_REPLAYING,
					  Min(ev_progress_estimate(call->quarantine.table), max_rows));
	replay_table(call, target, filter, max_rows);
	ev_trial_end_table(call->trial, true);
	target->remaining = count_remaining(call, filter);
	return target;
}

/* ---------- the function ---------- */

static void
check_table(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", table)));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	if (!has_privs_of_role(GetUserId(), owner) &&
		pg_class_aclcheck(table, GetUserId(), ACL_INSERT) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s", get_rel_name(table)),
				 errhint("A replay inserts rows. The table's owner can allow it: GRANT INSERT ON %s TO %s.",
						 ev_table_name(table), quote_identifier(GetUserNameFromId(GetUserId(), false)))));
}

static void
give(ReturnSetInfo *result, const Target *target)
{
	bool		has_last = target->tried > 0 && !target->is_at_end;
	const char *problem = target->problem != NULL ? target->problem : target->withheld;
	Datum		values[EV_REPLAY_COLUMNS] = {CStringGetTextDatum(target->schema), CStringGetTextDatum(target->name),
	Int64GetDatum(target->replayed), Int64GetDatum(target->remaining), Int64GetDatum(target->last_id)};
	bool		nulls[EV_REPLAY_COLUMNS] = {false, false, false, false, !has_last, problem == NULL, true, true, true};

	if (problem != NULL)
		values[EV_REPLAY_PROBLEM] = CStringGetTextDatum(problem);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Sets a filter to an argument, unless this is NULL. */
static void
set_filter(Filter *filter, int number, FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		return;
	filter->values[number] = PG_GETARG_DATUM(argument);
	filter->nulls[number] = ' ';
}

/* A replay's arguments and result. */
typedef struct Replay
{
	EvReplayCall *call;
	Oid			table;			/* InvalidOid: all */
	Filter		filter;
	int64		max_rows;
	Target	   *targets;		/* result, in the context of the call */
	int			count;
} Replay;

static void
replay_targets(void *arg)
{
	Replay	   *replay = (Replay *) arg;

	if (OidIsValid(replay->table))
	{
		replay->targets = replay_named(replay->call, replay->table, &replay->filter, replay->max_rows);
		replay->count = 1;
	}
	else if (OidIsValid(replay->call->quarantine.table))
		replay->targets = replay_all(replay->call, &replay->filter, replay->max_rows, &replay->count);
}

/* SPI is connected, and the quarantine open, if there is one. */
static void
run_replay(EvReplayCall *call, FunctionCallInfo fcinfo, int64 max_rows)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Replay		replay = {.call = call, .max_rows = max_rows};

	memset(replay.filter.nulls, 'n', sizeof(replay.filter.nulls));
	if (!call->any_table)
		replay.table = PG_GETARG_OID(ARG_RELATION);
	set_filter(&replay.filter, FILTER_TYPE, fcinfo, ARG_TYPE);
	set_filter(&replay.filter, FILTER_VERSION, fcinfo, ARG_VERSION);
	set_filter(&replay.filter, FILTER_IDS, fcinfo, ARG_IDS);
	set_filter(&replay.filter, FILTER_AFTER, fcinfo, ARG_AFTER);
	if (call->trial != NULL)
	{
		ErrorData  *error = ev_in_subtransaction(replay_targets, &replay, EV_LET_GO);

		if (error != NULL)
			ReThrowError(error);
	}
	else
		replay_targets(&replay);
	for (int i = 0; i < replay.count; i++)
		give(result, &replay.targets[i]);
	if (call->trial != NULL)
		ev_trial_end(call->trial, result->setResult);
}

/*
 * replay_event_quarantine(relation regclass DEFAULT NULL, event_type text
 * DEFAULT NULL, schema_version int DEFAULT NULL, repair text DEFAULT NULL,
 * max_rows int DEFAULT 10000, after_id bigint DEFAULT NULL, ids bigint[]
 * DEFAULT NULL, dry_run boolean DEFAULT false) returns TABLE (relation_schema
 * text, relation_name text, replayed bigint, remaining bigint, last_id bigint,
 * problem text, event_id bigint, stored boolean, violations jsonb)
 */
Datum
ev_replay_event_quarantine(PG_FUNCTION_ARGS)
{
	EvReplayCall call = {.any_table = PG_ARGISNULL(ARG_RELATION)};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int64		max_rows;

	ev_require_argument(fcinfo, ARG_MAX_ROWS, "max_rows");
	ev_require_argument(fcinfo, ARG_DRY_RUN, "dry_run");
	max_rows = PG_GETARG_INT32(ARG_MAX_ROWS);
	if (max_rows < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_rows must not be negative")));
	if (at_work)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the quarantine is being replayed by this session already"),
				 errhint("Do not call replay_event_quarantine in a trigger, or in a function for repairs.")));
	if (!PG_ARGISNULL(ARG_RELATION))
	{
		check_table(PG_GETARG_OID(ARG_RELATION));
		ev_notice_quarantines(PG_GETARG_OID(ARG_RELATION), "replay_event_quarantine");
	}
	if (!PG_ARGISNULL(ARG_REPAIR))
	{
		call.repair = ev_replay_find_repair(text_to_cstring(PG_GETARG_TEXT_PP(ARG_REPAIR)));
		fmgr_info(call.repair, &call.repair_function);
	}
	call.guard_function = ev_guard_function();

	InitMaterializedSRF(fcinfo, 0);
	if (PG_GETARG_BOOL(ARG_DRY_RUN))
		call.trial = ev_trial_start(result->setDesc);
	if (!ev_quarantine_open(&call.quarantine, RowExclusiveLock, ACL_SELECT | ACL_UPDATE | ACL_DELETE))
		call.quarantine.table = InvalidOid;
	call.context = AllocSetContextCreate(CurrentMemoryContext, "event_validate replay",
										 ALLOCSET_DEFAULT_SIZES);
	call.row_context = AllocSetContextCreate(CurrentMemoryContext, "event_validate replayed row",
											 ALLOCSET_DEFAULT_SIZES);
	at_work = true;
	ev_progress_start(EV_PROGRESS_REPLAY, call.any_table ? InvalidOid : PG_GETARG_OID(ARG_RELATION), false);
	PG_TRY();
	{
		SPI_connect();
		run_replay(&call, fcinfo, max_rows);
		SPI_finish();
	}
	PG_FINALLY();
	{
		at_work = false;
		ev_replay_forget_plan(&call);
	}
	PG_END_TRY();
	ev_progress_end();
	MemoryContextDelete(call.row_context);
	MemoryContextDelete(call.context);
	return (Datum) 0;
}
