/*
 * replay.c
 *	  Putting events of the quarantine into their tables.
 *
 * One transaction, the caller's: a row leaves the quarantine in the same one
 * that puts it into its table, so it is never in both and never in none.  Rows
 * that another replay is at work on are skipped (SKIP LOCKED).
 *
 * Who replays must be able to read, update and delete in the quarantine.  The
 * rows are inserted as the table's owner, where the caller has the owner's
 * rights: a superuser does not run what others hung on their tables with a
 * superuser's rights.  Else they are inserted as the caller, who is then
 * subject to privileges and row security like anybody.
 *
 * Rows are taken by the chunk, each chunk in a subtransaction.  Where one row
 * of a chunk raises an error, its halves are tried by themselves, so that a
 * few bad rows among many good ones cost little.  They stay toasted until it is
 * their turn, since each could be large.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "names.h"
#include "quarantine.h"
#include "row_guard.h"
#include "row_json.h"

PG_FUNCTION_INFO_V1(ev_replay_event_quarantine);

#define QUARANTINE	EV_SCHEMA_NAMESPACE "." EV_QUARANTINE
#define CHUNK		256

/* A row of the quarantine. */
typedef struct Candidate
{
	int64		id;
	char	   *schema;
	char	   *name;
	Datum		row;			/* jsonb, as it is stored */
	bool		moved;			/* it is in its table now */
	Jsonb	   *violations;		/* why not; NULL: as before */
} Candidate;

typedef struct Replay
{
	bool		any_table;		/* no table was named */
	Oid			repair;			/* InvalidOid: none */
	FmgrInfo	repair_function;
	Oid			user;			/* the caller */
	int			security;
	SPIPlanPtr	plan;			/* of the last INSERT, and its text */
	char	   *command;
	MemoryContext context;		/* of the chunk */
	MemoryContext row_context;	/* and of a row of it */
} Replay;

/* ---------- who may ---------- */

static Oid
owner_of(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", table);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

static void
check_table(Oid table)
{
	char		kind = get_rel_relkind(table);

	if (kind == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", table)));
	if (!has_privs_of_role(GetUserId(), owner_of(table)) &&
		pg_class_aclcheck(table, GetUserId(), ACL_INSERT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(kind), get_rel_name(table));
}

static void
check_repair(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	bool		fits;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", function)));
	form = (Form_pg_proc) GETSTRUCT(tuple);
	fits = form->prokind == PROKIND_FUNCTION && !form->proretset && form->pronargs == 1 &&
		form->proargtypes.values[0] == JSONBOID && form->prorettype == JSONBOID;
	ReleaseSysCache(tuple);
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("repair must be a function from jsonb to jsonb"),
				 errdetail("It gets the whole row of the quarantine's column \"row\", and returns the row to insert, or null to leave it.")));
	EV_CHECK_EXECUTE(function, get_func_name(function));
}

/* ---------- a row ---------- */

/* An error that this row, and not the server or the caller's luck, is to blame for. */
static bool
is_rows_fault(const ErrorData *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_CONNECTION_EXCEPTION:
		case ERRCODE_INVALID_TRANSACTION_STATE:
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_SYSTEM_ERROR:
		case ERRCODE_CONFIG_FILE_ERROR:
		case ERRCODE_INTERNAL_ERROR:
			return false;
		default:
			return true;
	}
}

/* What the function for repairs makes of a row; NULL: nothing. */
static Jsonb *
repair(Replay *replay, Jsonb *row)
{
	LOCAL_FCINFO(call, 1);
	Datum		result;
	Jsonb	   *repaired;

	InitFunctionCallInfoData(*call, &replay->repair_function, 1, InvalidOid, NULL, NULL);
	call->args[0].value = JsonbPGetDatum(row);
	call->args[0].isnull = false;
	result = FunctionCallInvoke(call);
	if (call->isnull)
		return NULL;
	repaired = DatumGetJsonbP(result);
	if (!JB_ROOT_IS_OBJECT(repaired))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("function \"%s\" returned no JSON object", get_func_name(replay->repair))));
	return repaired;
}

static SPIPlanPtr
prepare_insert(Replay *replay, Relation relation, Jsonb *row)
{
	Oid			types[1] = {JSONBOID};
	char	   *command = ev_row_insert_command(relation, row);

	if (replay->command != NULL && strcmp(command, replay->command) == 0)
		return replay->plan;
	if (replay->plan != NULL)
	{
		SPI_freeplan(replay->plan);
		pfree(replay->command);
		replay->plan = NULL;
		replay->command = NULL;
	}
	replay->plan = SPI_prepare(command, 1, types);
	if (replay->plan == NULL)
		elog(ERROR, "SPI_prepare returned %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(replay->plan);
	replay->command = MemoryContextStrdup(TopTransactionContext, command);
	return replay->plan;
}

/* Inserts a row as whom it must be; how many were inserted. */
static uint64
insert(Replay *replay, Relation relation, Jsonb *row, EvReplay *guarded)
{
	Datum		values[1] = {JsonbPGetDatum(row)};
	Oid			owner = relation->rd_rel->relowner;
	EvReplay   *outer = ev_replay;
	int			result;

	if (owner != replay->user && has_privs_of_role(replay->user, owner))
	{
		int			security = replay->security | SECURITY_LOCAL_USERID_CHANGE;

		if (!is_member_of_role(owner, replay->user))
			security |= SECURITY_RESTRICTED_OPERATION;
		SetUserIdAndSecContext(owner, security);
	}
	ev_replay = guarded;
	PG_TRY();
	{
		result = SPI_execute_plan(prepare_insert(replay, relation, row), values, NULL, false, 0);
	}
	PG_FINALLY();
	{
		ev_replay = outer;
	}
	PG_END_TRY();
	SetUserIdAndSecContext(replay->user, replay->security);
	/* a rule made something else of it */
	if (result == SPI_OK_REWRITTEN)
		return 0;
	if (result != SPI_OK_INSERT)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(result));
	return SPI_processed;
}

/* Says why a row stays. */
static void
set_reason(Replay *replay, Candidate *candidate, const char *message, int sqlstate)
{
	MemoryContext caller = MemoryContextSwitchTo(replay->context);

	candidate->violations = ev_single_violation(message, unpack_sql_state(sqlstate));
	MemoryContextSwitchTo(caller);
}

static void
replay_row(Replay *replay, Candidate *candidate)
{
	Oid			namespace = get_namespace_oid(candidate->schema, true);
	Oid			table = OidIsValid(namespace) ? get_relname_relid(candidate->name, namespace) : InvalidOid;
	Relation	relation = OidIsValid(table) ? try_relation_open(table, RowExclusiveLock) : NULL;
	EvReplay	guarded = {.context = replay->context};
	Jsonb	   *row;
	char	   *stray;
	uint64		inserted;

	if (relation == NULL ||
		(relation->rd_rel->relkind != RELKIND_RELATION &&
		 relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s.%s\" does not exist", candidate->schema, candidate->name)));

	/* who names no table means those that are theirs */
	if (replay->any_table && !has_privs_of_role(replay->user, relation->rd_rel->relowner))
	{
		relation_close(relation, NoLock);
		return;
	}
	row = DatumGetJsonbP(candidate->row);
	if (OidIsValid(replay->repair))
		row = repair(replay, row);
	stray = row != NULL ? ev_row_stray_member(relation, row) : NULL;
	if (stray != NULL)

		/*
		 * of a column that was renamed or dropped, as it may be: nothing is
		 * lost unasked
		 */
		set_reason(replay, candidate,
				   psprintf("the row has a value for column \"%s\", which table \"%s\" does not have",
							stray, RelationGetRelationName(relation)),
				   ERRCODE_UNDEFINED_COLUMN);
	else if (row != NULL)
	{
		guarded.table = table;
		guarded.depth = ev_trigger_depth() + 1;
		inserted = insert(replay, relation, row, &guarded);
		if (guarded.left_out > (inserted == 1 ? 0 : 1))
			ereport(ERROR,
					(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
					 errmsg("the row was not inserted: inserting it inserts others into its table, which are not valid")));
		if (inserted == 1)
			candidate->moved = true;
		else if (guarded.violations != NULL)
			candidate->violations = guarded.violations;
		else
			ereport(ERROR,
					(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
					 errmsg("the row was not inserted: a trigger, a rule or another guard kept it out")));
	}
	relation_close(relation, NoLock);
}

/* ---------- a chunk ---------- */

/* Replays rows in a subtransaction, and after an error each half of them. */
static void
replay_chunk(Replay *replay, Candidate *candidates, int count)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	CHECK_FOR_INTERRUPTS();
	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		for (int i = 0; i < count; i++)
		{
			/* anew, as SPI goes on in a context of its own */
			MemoryContextSwitchTo(replay->row_context);
			MemoryContextReset(replay->row_context);
			replay_row(replay, &candidates[i]);
		}
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(replay->context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (!is_rows_fault(error))
			ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return;

	for (int i = 0; i < count; i++)
	{
		candidates[i].moved = false;
		candidates[i].violations = NULL;
	}
	if (count == 1)
		set_reason(replay, &candidates[0], error->message, error->sqlerrcode);
	else
	{
		replay_chunk(replay, candidates, count / 2);
		replay_chunk(replay, candidates + count / 2, count - count / 2);
	}
}

/* Deletes what was moved, and notes why the rest was not; the number moved. */
static int64
settle(Candidate *candidates, int count)
{
	Oid			delete_types[1] = {INT8ARRAYOID};
	Oid			update_types[2] = {INT8ARRAYOID, JSONBARRAYOID};
	Datum		values[2];
	Datum	   *moved = palloc(sizeof(Datum) * count);
	Datum	   *failed = palloc(sizeof(Datum) * count);
	Datum	   *violations = palloc(sizeof(Datum) * count);
	int			moved_count = 0;
	int			failed_count = 0;

	for (int i = 0; i < count; i++)
	{
		if (candidates[i].moved)
			moved[moved_count++] = Int64GetDatum(candidates[i].id);
		else if (candidates[i].violations != NULL)
		{
			failed[failed_count] = Int64GetDatum(candidates[i].id);
			violations[failed_count++] = JsonbPGetDatum(candidates[i].violations);
		}
	}
	if (moved_count > 0)
	{
		values[0] = PointerGetDatum(construct_array(moved, moved_count, INT8OID, sizeof(int64),
													FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
		if (SPI_execute_with_args("DELETE FROM " QUARANTINE
								  " WHERE id OPERATOR(pg_catalog.=) ANY ($1)",
								  1, delete_types, values, NULL, false, 0) != SPI_OK_DELETE ||
			SPI_processed != (uint64) moved_count)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("could not delete replayed events from table \"%s\"", QUARANTINE),
					 errhint("Look at its triggers, rules and policies.")));
	}
	if (failed_count > 0)
	{
		values[0] = PointerGetDatum(construct_array(failed, failed_count, INT8OID, sizeof(int64),
													FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
		values[1] = PointerGetDatum(construct_array(violations, failed_count, JSONBOID, -1, false, TYPALIGN_INT));
		if (SPI_execute_with_args("UPDATE " QUARANTINE " AS q SET violations = f.violations"
								  " FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS f (id, violations)"
								  " WHERE q.id OPERATOR(pg_catalog.=) f.id"
								  " AND q.violations OPERATOR(pg_catalog.<>) f.violations",
								  2, update_types, values, NULL, false, 0) != SPI_OK_UPDATE)
			elog(ERROR, "could not update table %s", QUARANTINE);
	}
	return moved_count;
}

/* ---------- all of them ---------- */

#define FILTER \
	" WHERE NOT kept" \
	" AND ($1 IS NULL OR (relation_schema OPERATOR(pg_catalog.=) $1" \
	" AND relation_name OPERATOR(pg_catalog.=) $2))" \
	" AND ($3 IS NULL OR event_type OPERATOR(pg_catalog.=) $3)" \
	" AND ($4 IS NULL OR schema_version OPERATOR(pg_catalog.=) $4)"

static Oid	filter_types[] = {TEXTOID, TEXTOID, TEXTOID, INT4OID};

/* Reads the next rows, locked, into the chunk's context; how many there are. */
static int
fetch(Replay *replay, Portal portal, int limit, Candidate **candidates)
{
	MemoryContext caller;
	int			count;

	SPI_cursor_fetch(portal, true, limit);
	count = (int) SPI_processed;
	caller = MemoryContextSwitchTo(replay->context);
	*candidates = palloc0(sizeof(Candidate) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	descriptor = SPI_tuptable->tupdesc;
		Candidate  *candidate = &(*candidates)[i];
		bool		is_null;

		candidate->id = DatumGetInt64(SPI_getbinval(tuple, descriptor, 1, &is_null));
		candidate->schema = TextDatumGetCString(SPI_getbinval(tuple, descriptor, 2, &is_null));
		candidate->name = TextDatumGetCString(SPI_getbinval(tuple, descriptor, 3, &is_null));
		candidate->row = datumCopy(SPI_getbinval(tuple, descriptor, 4, &is_null), false, -1);
	}
	MemoryContextSwitchTo(caller);
	SPI_freetuptable(SPI_tuptable);
	return count;
}

static int64
replay_all(Replay *replay, Datum *filter, const char *nulls, int64 max_rows)
{
	int			guc_level = ev_row_pin_settings();
	SPIPlanPtr	plan;
	Portal		portal;
	int64		replayed = 0;

	plan = SPI_prepare("SELECT id, relation_schema, relation_name, \"row\" FROM " QUARANTINE FILTER
					   " ORDER BY id FOR UPDATE SKIP LOCKED",
					   lengthof(filter_types), filter_types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare returned %s", SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, filter, nulls, false);
	while (replayed < max_rows)
	{
		Candidate  *candidates;
		int			count = fetch(replay, portal, (int) Min(CHUNK, max_rows - replayed), &candidates);

		if (count == 0)
			break;
		replay_chunk(replay, candidates, count);
		replayed += settle(candidates, count);
		MemoryContextReset(replay->context);
	}
	SPI_cursor_close(portal);
	if (replay->plan != NULL)
		SPI_freeplan(replay->plan);
	AtEOXact_GUC(false, guc_level);
	return replayed;
}

static int64
count_remaining(Datum *filter, const char *nulls)
{
	bool		is_null;

	if (SPI_execute_with_args("SELECT pg_catalog.count(*) FROM " QUARANTINE FILTER,
							  lengthof(filter_types), filter_types, filter, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not count the rows of table %s", QUARANTINE);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
}

/*
 * replay_event_quarantine(relation regclass DEFAULT NULL,
 *						   event_type text DEFAULT NULL,
 *						   schema_version int DEFAULT NULL,
 *						   repair regprocedure DEFAULT NULL,
 *						   max_rows int DEFAULT 10000)
 *		→ TABLE (replayed bigint, remaining bigint)
 */
Datum
ev_replay_event_quarantine(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Replay		replay = {.any_table = PG_ARGISNULL(0)};
	Datum		filter[lengthof(filter_types)] = {0};
	char		nulls[lengthof(filter_types)] = {'n', 'n', 'n', 'n'};
	int64		max_rows;
	Datum		counts[2] = {Int64GetDatum(0), Int64GetDatum(0)};
	bool		no_nulls[2] = {false, false};

	if (PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("max_rows must not be null")));
	max_rows = PG_GETARG_INT32(4);
	if (max_rows < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_rows must not be negative")));
	if (!PG_ARGISNULL(0))
	{
		Oid			table = PG_GETARG_OID(0);

		check_table(table);
		filter[0] = CStringGetTextDatum(get_namespace_name(get_rel_namespace(table)));
		filter[1] = CStringGetTextDatum(get_rel_name(table));
		nulls[0] = nulls[1] = ' ';
	}
	if (!PG_ARGISNULL(1))
	{
		filter[2] = PG_GETARG_DATUM(1);
		nulls[2] = ' ';
	}
	if (!PG_ARGISNULL(2))
	{
		filter[3] = PG_GETARG_DATUM(2);
		nulls[3] = ' ';
	}
	if (!PG_ARGISNULL(3))
	{
		replay.repair = PG_GETARG_OID(3);
		check_repair(replay.repair);
		fmgr_info(replay.repair, &replay.repair_function);
	}

	InitMaterializedSRF(fcinfo, 0);
	if (OidIsValid(ev_quarantine_find()))
	{
		GetUserIdAndSecContext(&replay.user, &replay.security);
		replay.context = AllocSetContextCreate(CurrentMemoryContext, "event_validate replay",
											   ALLOCSET_DEFAULT_SIZES);
		replay.row_context = AllocSetContextCreate(CurrentMemoryContext, "event_validate replayed row",
												   ALLOCSET_DEFAULT_SIZES);
		SPI_connect();
		counts[0] = Int64GetDatum(replay_all(&replay, filter, nulls, max_rows));
		counts[1] = Int64GetDatum(count_remaining(filter, nulls));
		SPI_finish();
		MemoryContextDelete(replay.row_context);
		MemoryContextDelete(replay.context);
	}
	tuplestore_putvalues(result->setResult, result->setDesc, counts, no_nulls);
	return (Datum) 0;
}
