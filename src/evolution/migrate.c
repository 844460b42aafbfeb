/*
 * migrate.c
 *	  migrate_events(): brings the stored events of a type to a later version of
 *	  its schema.
 *
 * A procedure that commits each batch, so that no lock and no snapshot is held
 * for longer: others wait for no more than the rows of one batch, and VACUUM
 * gets at what was replaced.  A row is done when its version says so, which is
 * written by the same UPDATE as its data.  So there is no state to keep: who
 * calls again goes on where the last call was stopped or killed.
 *
 * A table is read in the order of its pages, a range of them at a time and from
 * its start to its end as of the beginning.  Rows that others move meanwhile
 * to pages that were read already are why there is another lap, until one
 * finds nothing to do.
 *
 * Rows are looked for first, and then locked by their place and read again:
 * what another transaction changed in between is not there any more and left
 * to the next lap, and what one has locked is left to it as well.  Nothing
 * waits while it holds locks.
 *
 * Between two batches nothing is locked, and the table may become another one.
 * So each batch begins as the first one does: the caller's rights are looked
 * at, the table is locked, and its columns are what they were, or the call
 * ends.  In a batch the table is open all the time, so that a trigger or an
 * upcast cannot alter it either.  Whatever is read is of the type that the
 * result itself says, as names in a statement might still come to mean another
 * table when it is planned anew.  No cursor is open while users' functions
 * run, which could close it or read from it.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "evolution/migrate_failures.h"
#include "evolution/migrate_relation.h"
#include "evolution/migrated_events.h"
#include "evolution/upcast.h"
#include "evolution/upcast_rows.h"
#include "match/interpret.h"
#include "registry/extension_objects.h"
#include "registry/schema_cache.h"
#include "registry/validation_error.h"
#include "rollout/audit.h"
#include "rollout/event_checks.h"

PG_FUNCTION_INFO_V1(ev_migrate_events);

#define BLOCKS_AT_A_TIME	4096	/* that one statement looks through */
#define ROWS_AT_A_TIME		256 /* that are in memory */
#define MAX_LAPS			5
#define NOTICE_EVERY_MS		10000

typedef struct Migration
{
	MemoryContext context;		/* of all that is kept, over all batches */
	MemoryContext lap_context;	/* of the tables and the failures */
	MemoryContext batch_context;
	MemoryContext chunk_context;

	Oid			relation;
	char	   *shown_relation;
	text	   *type;
	char	   *shown_type;
	int32		to;
	int			batch_size;
	bool		keep_original;
	char	   *data_column;
	char	   *version_column;
	const char *type_condition; /* SQL over a row */
	List	   *versions;		/* to be migrated */

	/* of the table or partition at hand */
	Oid			leaf;
	AttrNumber	data_number;	/* 0: not known yet */
	AttrNumber	version_number;
	bool		moves;			/* what is written is part of a partition key */
	SPIPlanPtr	find_plan;
	SPIPlanPtr	lock_plan;
	SPIPlanPtr	update_plan;

	/* of the batch */
	List	   *upgrades;		/* EvUpgrade *, for each version */

	int64		migrated;
	int64		lap_migrated;
	int64		failed;			/* in this lap */
	int64		busy;			/* in this lap */
	EvFailures	failures;		/* in this lap */
	bool		reported;
	TimestampTz next_notice;
} Migration;

typedef struct Row
{
	ItemPointerData tid;
	int32		version;
	char	   *name;
	Jsonb	   *result;			/* NULL: it stays */
	HeapTuple	original;
} Row;

/* ---------- what is to be done ---------- */

static void
refuse_transaction_block(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
			 errmsg("migrate_events cannot run inside a transaction block or a function"),
			 errdetail("It commits each batch."),
			 errhint("In psql, CALL it outside of BEGIN and COMMIT, and without --single-transaction. In Alembic, execute it within \"with op.get_context().autocommit_block():\".")));
}

static void
resolve_relation(Migration *migration, const char *data, const char *type, const char *version)
{
	Relation	relation = NULL;
	char		kind = get_rel_relkind(migration->relation);

	if (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE)
	{
		ev_migrate_check_all_rights(migration->relation);
		relation = try_relation_open(migration->relation, AccessShareLock);
	}
	else if (kind != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", get_rel_name(migration->relation))));
	if (relation == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", migration->relation)));
	ev_migrate_check_all_rights(migration->relation);
	migration->shown_relation = pstrdup(RelationGetRelationName(relation));
	migration->data_column = ev_migrate_resolve_column(relation, data, true);
	migration->version_column = ev_migrate_resolve_column(relation, version, false);
	migration->type_condition = ev_row_expression(migration->relation, type, EV_ROW_TYPE, true);
	relation_close(relation, AccessShareLock);
}

/* The versions from which upcasts lead to the wanted one. */
static void
resolve_versions(Migration *migration)
{
	List	   *versions;
	List	   *stuck = NIL;
	ListCell   *cell;

	ev_registry_list(VARDATA_ANY(migration->type), VARSIZE_ANY_EXHDR(migration->type), &versions);
	if (!list_member_int(versions, migration->to))
		ev_refuse_unregistered(migration->type, migration->to);
	foreach(cell, versions)
	{
		int32		version = lfirst_int(cell);
		int32		reached;

		if (version >= migration->to)
			break;
		ev_upcast_way(migration->type, version, migration->to, &reached);
		if (reached == migration->to)
			migration->versions = lappend_int(migration->versions, version);
		else
			stuck = lappend_int(stuck, version);
	}
	if (stuck != NIL && migration->versions == NIL)
		ev_upcast_path(migration->type, llast_int(stuck), &migration->to);	/* raises */
	foreach(cell, stuck)
		ereport(NOTICE,
				(errmsg("events \"%s\" of version %d stay as they are: no upcasts lead from it to version %d",
						migration->shown_type, lfirst_int(cell), migration->to)));
	if (migration->versions == NIL)
		ereport(NOTICE,
				(errmsg("event \"%s\" has no version before %d", migration->shown_type, migration->to)));
}

/* ---------- failures ---------- */

typedef struct FailureTarget
{
	Migration  *migration;
	const Row  *row;
} FailureTarget;

static void
put_failure(const EvKind *kind, void *arg)
{
	FailureTarget *target = (FailureTarget *) arg;

	ev_failures_note(&target->migration->failures, target->row->version, target->row->name, kind);
}

/* ---------- progress ---------- */

/* In pg_stat_activity, before the command; and now and then to the client. */
static void
report_progress(Migration *migration, double share)
{
	char	   *progress = psprintf("events \"%s\" of table %s: %.0f %% of its pages looked at, " INT64_FORMAT
									" migrated, " INT64_FORMAT " stay",
									migration->shown_type, migration->shown_relation, 100 * share,
									migration->migrated, migration->failed);
	TimestampTz now = GetCurrentTimestamp();

	pgstat_report_activity(STATE_RUNNING,
						   psprintf("/* %s */ %s", progress, debug_query_string ? debug_query_string : ""));
	migration->reported = true;
	if (now >= migration->next_notice)
	{
		ereport(NOTICE, (errmsg_internal("%s", progress)));
		migration->next_notice = TimestampTzPlusMilliseconds(now, NOTICE_EVERY_MS);
	}
}

/* ---------- statements ---------- */

/*
 * The statements that read by place must do so, whatever the table's
 * statistics say: others would start from its beginning for each batch.
 */
static int
pin_scans(void)
{
	static const char *const others[] = {
		"enable_seqscan", "enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"
	};
	int			guc_level = NewGUCNestLevel();

	set_config_option("enable_tidscan", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	for (int i = 0; i < (int) lengthof(others); i++)
		set_config_option(others[i], "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return guc_level;
}

static SPIPlanPtr
prepare(const char *command, int count, const Oid *types)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(command, count, (Oid *) types, CURSOR_OPT_GENERIC_PLAN);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor returned %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	return plan;
}

static char *
row_name_expression(Migration *migration)
{
	Oid			types[1] = {REGCLASSOID};
	Datum		values[1] = {ObjectIdGetDatum(migration->leaf)};

	if (SPI_execute_with_args("SELECT " EV_INTERNAL_NAMESPACE ".event_row_name($1)", 1, types, values, NULL, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not tell how rows are called");
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

static char *
qualified_name(Oid relation)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation));
}

static void
free_statements(Migration *migration)
{
	if (migration->find_plan != NULL)
		SPI_freeplan(migration->find_plan);
	if (migration->lock_plan != NULL)
		SPI_freeplan(migration->lock_plan);
	if (migration->update_plan != NULL)
		SPI_freeplan(migration->update_plan);
	migration->find_plan = migration->lock_plan = migration->update_plan = NULL;
}

static void
prepare_statements(Migration *migration)
{
	static const Oid find_types[] = {TIDOID, TIDOID, TEXTOID, INT4ARRAYOID, INT8OID};
	static const Oid lock_types[] = {TIDARRAYOID, TEXTOID, INT4ARRAYOID, OIDOID};
	static const Oid update_types[] = {JSONBOID, INT4OID, TIDOID, OIDOID};
	const char *leaf = qualified_name(migration->leaf);
	const char *alias = quote_identifier(migration->shown_relation);
	const char *data = quote_identifier(migration->data_column);
	const char *version = quote_identifier(migration->version_column);
	StringInfoData command;

	initStringInfo(&command);
	appendStringInfo(&command,
					 "SELECT ctid FROM ONLY %s AS %s WHERE ctid OPERATOR(pg_catalog.>=) $1 AND ctid OPERATOR(pg_catalog.<) $2"
					 " AND ((%s) COLLATE pg_catalog.\"C\") OPERATOR(pg_catalog.=) $3"
					 " AND %s OPERATOR(pg_catalog.=) ANY ($4) LIMIT $5",
					 leaf, alias, migration->type_condition, version);
	migration->find_plan = prepare(command.data, lengthof(find_types), find_types);

	resetStringInfo(&command);
	appendStringInfo(&command,
					 "SELECT ctid, %s, %s::pg_catalog.int4, %s FROM ONLY %s AS %s WHERE ctid OPERATOR(pg_catalog.=) ANY ($1)"
					 " AND tableoid OPERATOR(pg_catalog.=) $4"
					 " AND ((%s) COLLATE pg_catalog.\"C\") OPERATOR(pg_catalog.=) $2"
					 " AND %s OPERATOR(pg_catalog.=) ANY ($3) FOR NO KEY UPDATE SKIP LOCKED",
					 data, version, row_name_expression(migration), leaf, alias, migration->type_condition, version);
	migration->lock_plan = prepare(command.data, lengthof(lock_types), lock_types);

	resetStringInfo(&command);
	appendStringInfo(&command, "UPDATE %s%s SET %s = $1, %s = $2 WHERE ctid OPERATOR(pg_catalog.=) $3"
					 " AND tableoid OPERATOR(pg_catalog.=) $4"
					 " RETURNING %s::pg_catalog.int4, %s",
					 migration->moves ? "" : "ONLY ", migration->moves ? qualified_name(migration->relation) : leaf,
					 data, version, version, data);
	migration->update_plan = prepare(command.data, lengthof(update_types), update_types);
}

static Datum
version_array(Migration *migration)
{
	int			count = list_length(migration->versions);
	Datum	   *versions = palloc(sizeof(Datum) * count);

	for (int i = 0; i < count; i++)
		versions[i] = Int32GetDatum(list_nth_int(migration->versions, i));
	return PointerGetDatum(construct_array(versions, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/* Are they there, and has nothing changed that they are made of? */
static bool
has_statements(Migration *migration)
{
	return migration->find_plan != NULL && SPI_plan_is_valid(migration->find_plan) &&
		migration->lock_plan != NULL && SPI_plan_is_valid(migration->lock_plan) &&
		migration->update_plan != NULL && SPI_plan_is_valid(migration->update_plan);
}

static void
refuse_change(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" was changed while its events were migrated", name),
			 errdetail("What was migrated before stays so."),
			 errhint("Call migrate_events again: it goes on with the table as it is now.")));
}

/*
 * Checks the types of the columns of what SPI read, or raises; a domain counts
 * as what it is over.
 */
static void
check_result(Migration *migration, TupleDesc descriptor, const Oid *types, int count)
{
	bool		as_expected = descriptor != NULL && descriptor->natts >= count;

	for (int i = 0; i < count && as_expected; i++)
		as_expected = getBaseType(TupleDescAttr(descriptor, i)->atttypid) == types[i];
	if (!as_expected)
		refuse_change(migration->shown_relation);
}

/* ---------- a batch ---------- */

/*
 * The next rows to be migrated, from a place in the table on to the other one,
 * at most a batch of them; how many.
 */
static int
find_rows(Migration *migration, ItemPointer from, ItemPointer to, Datum **tids)
{
	static const Oid result_types[] = {TIDOID};
	Datum		values[5] = {
		PointerGetDatum(from), PointerGetDatum(to), PointerGetDatum(migration->type),
		version_array(migration), Int64GetDatum(migration->batch_size)
	};
	int			guc_level = pin_scans();
	int			count;

	if (SPI_execute_plan(migration->find_plan, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for events");
	AtEOXact_GUC(false, guc_level);
	check_result(migration, SPI_tuptable->tupdesc, result_types, lengthof(result_types));
	count = (int) SPI_processed;
	*tids = palloc(sizeof(Datum) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		bool		is_null;
		ItemPointer tid = palloc(sizeof(ItemPointerData));
		Datum		found = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null);

		if (is_null)
			refuse_change(migration->shown_relation);
		ItemPointerCopy((ItemPointer) DatumGetPointer(found), tid);
		(*tids)[i] = PointerGetDatum(tid);
	}
	SPI_freetuptable(SPI_tuptable);
	return count;
}

static HeapTuple
fetch_original(Relation leaf, ItemPointer tid)
{
	TupleTableSlot *slot = table_slot_create(leaf, NULL);
	HeapTuple	row;

	/* it is locked, so it is the row that was read */
	if (!table_tuple_fetch_row_version(leaf, tid, SnapshotAny, slot))
		elog(ERROR, "could not fetch the row at (%u,%u)", ItemPointerGetBlockNumber(tid),
			 ItemPointerGetOffsetNumber(tid));
	row = ExecCopySlotHeapTuple(slot);
	ExecDropSingleTupleTableSlot(slot);
	return row;
}

/* Takes what became of a row's document, or notes why it stays. */
static void
take_result(Migration *migration, Row *row, const EvUpgraded *upgraded)
{
	if (ev_upgraded_is_valid(upgraded))
		row->result = upgraded->data;
	else if (upgraded->schema != NULL)
	{
		FailureTarget target = {migration, row};

		ev_audit_kinds(ev_registry_program(upgraded->schema), upgraded->data, put_failure, &target);
	}
	else
	{
		EvKind		kind = {"", "", "upcast", unpack_sql_state(upgraded->sqlstate), upgraded->fault, 1};

		ev_failures_note(&migration->failures, row->version, row->name, &kind);
	}
	if (row->result == NULL)
		migration->failed++;
}

static EvUpgrade *
find_upgrade(Migration *migration, int32 version)
{
	for (int i = 0; i < list_length(migration->versions); i++)
		if (list_nth_int(migration->versions, i) == version)
			return list_nth(migration->upgrades, i);
	refuse_change(migration->shown_relation);
	return NULL;
}

/*
 * Reads and locks some rows of the batch, as far as they are there and not
 * locked; how many.  They are SPI_tuptable's.
 */
static int
lock_rows(Migration *migration, Datum *tids, int count)
{
	static const Oid result_types[] = {TIDOID, JSONBOID, INT4OID, TEXTOID};
	Datum		values[4];
	int			guc_level;

	values[0] = PointerGetDatum(construct_array(tids, count, TIDOID, sizeof(ItemPointerData), false, TYPALIGN_SHORT));
	values[1] = PointerGetDatum(migration->type);
	values[2] = version_array(migration);
	values[3] = ObjectIdGetDatum(migration->leaf);
	guc_level = pin_scans();
	if (SPI_execute_plan(migration->lock_plan, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read events");
	AtEOXact_GUC(false, guc_level);
	check_result(migration, SPI_tuptable->tupdesc, result_types, lengthof(result_types));
	return (int) SPI_processed;
}

/*
 * Reads and locks the rows at these places and brings them along; how many.
 * They need what was read, *table.
 */
static int
read_chunk(Migration *migration, Datum *tids, int tid_count, Relation leaf, Row **rows, SPITupleTable **table)
{
	static const EvKind null_kind = {"", "", "", "", "the event's data is null", 1};
	MemoryContext caller = MemoryContextSwitchTo(migration->chunk_context);
	SPITupleTable *found;
	int			count = lock_rows(migration, tids, tid_count);
	EvUpgrade **upgrades;
	Datum	   *documents;
	EvUpgraded *results;
	Row		  **origins;
	int			document_count = 0;

	found = *table = SPI_tuptable;
	*rows = palloc0(sizeof(Row) * (count + 1));
	upgrades = palloc(sizeof(EvUpgrade *) * (count + 1));
	documents = palloc(sizeof(Datum) * (count + 1));
	results = palloc(sizeof(EvUpgraded) * (count + 1));
	origins = palloc(sizeof(Row *) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		Row		   *row = &(*rows)[i];
		HeapTuple	tuple = found->vals[i];
		bool		is_null[2];
		Datum		tid = SPI_getbinval(tuple, found->tupdesc, 1, &is_null[0]);
		Datum		version = SPI_getbinval(tuple, found->tupdesc, 3, &is_null[1]);
		Datum		document;

		if (is_null[0] || is_null[1])
			refuse_change(migration->shown_relation);
		ItemPointerCopy((ItemPointer) DatumGetPointer(tid), &row->tid);
		row->version = DatumGetInt32(version);
		row->name = SPI_getvalue(tuple, found->tupdesc, 4);
		/* by a cast of its key's type to text */
		if (row->name == NULL)
			row->name = psprintf("(%u,%u)", ItemPointerGetBlockNumber(&row->tid),
								 ItemPointerGetOffsetNumber(&row->tid));
		document = SPI_getbinval(tuple, found->tupdesc, 2, &is_null[0]);
		if (is_null[0])
		{
			ev_failures_note(&migration->failures, row->version, row->name, &null_kind);
			migration->failed++;
			continue;
		}
		upgrades[document_count] = find_upgrade(migration, row->version);
		documents[document_count] = document;
		origins[document_count++] = row;
	}

	PushActiveSnapshot(GetTransactionSnapshot());
	ev_upgrade_run(upgrades, documents, false, results, document_count);
	PopActiveSnapshot();
	for (int i = 0; i < document_count; i++)
	{
		take_result(migration, origins[i], &results[i]);
		if (origins[i]->result != NULL && migration->keep_original)
			origins[i]->original = fetch_original(leaf, &origins[i]->tid);
	}
	MemoryContextSwitchTo(caller);
	return count;
}

static void
fail_update(Migration *migration, Row *row, const char *name, const char *message)
{
	EvKind		kind = {"", "", "update", name, message, 1};

	ev_failures_note(&migration->failures, row->version, row->name, &kind);
	migration->failed++;
	row->result = NULL;
}

/* Is what was written valid?  The upcast's result is. */
static bool
is_valid(Migration *migration, const Row *row, const Jsonb *written)
{
	EvSchema   *schema;

	if (VARSIZE(written) == VARSIZE(row->result) && memcmp(written, row->result, VARSIZE(written)) == 0)
		return true;
	schema = ev_registry_find(VARDATA_ANY(migration->type), VARSIZE_ANY_EXHDR(migration->type), migration->to);
	return schema != NULL && ev_match(schema->program, written);
}

/*
 * What a trigger made of the row.  Where it has another version it is not done,
 * and would be upcast once more; and what is not valid would stay for good.
 */
static void
check_written(Migration *migration, const Row *row)
{
	static const Oid result_types[] = {INT4OID, JSONBOID};
	HeapTuple	tuple = SPI_tuptable->vals[0];
	TupleDesc	descriptor = SPI_tuptable->tupdesc;
	bool		is_null;
	int32		version;
	Datum		data;

	check_result(migration, descriptor, result_types, lengthof(result_types));
	version = DatumGetInt32(SPI_getbinval(tuple, descriptor, 1, &is_null));
	if (is_null || version != migration->to)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("a trigger of the table changed the event's version")));
	data = SPI_getbinval(tuple, descriptor, 2, &is_null);
	if (is_null || !is_valid(migration, row, DatumGetJsonbP(data)))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a trigger of the table changed the event, which is not valid then")));
	SPI_freetuptable(SPI_tuptable);
}

static void
write_row(Migration *migration, Relation leaf, Row *row)
{
	Datum		values[4] = {
		JsonbPGetDatum(row->result), Int32GetDatum(migration->to), PointerGetDatum(&row->tid),
		ObjectIdGetDatum(migration->leaf)
	};

	if (SPI_execute_plan(migration->update_plan, values, NULL, false, 0) != SPI_OK_UPDATE_RETURNING)
		elog(ERROR, "could not update an event");
	if (SPI_processed == 0)
	{
		fail_update(migration, row, "", "a trigger of the table kept it from being updated");
		return;
	}
	check_written(migration, row);
	if (migration->keep_original)
		ev_originals_add(migration->relation, leaf, row->original, row->name, migration->type,
						 row->version, migration->to);
}

/*
 * Writes rows in a subtransaction; NULL, or the error, with nothing written,
 * and which row raised it.
 */
static ErrorData *
try_write(Migration *migration, Relation leaf, Row *rows, int count, int *failed)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;
	volatile int at = 0;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(migration->chunk_context);
	PG_TRY();
	{
		for (; at < count; at++)
			if (rows[at].result != NULL)
				write_row(migration, leaf, &rows[at]);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(migration->chunk_context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	*failed = at;
	return error;
}

/*
 * Writes rows.  Where one raises, those before it are written once more
 * without it, and it stays.
 */
static void
write_rows(Migration *migration, Relation leaf, Row *rows, int count)
{
	int			start = 0;
	int			end = count;

	while (start < count)
	{
		int			failed;
		ErrorData  *error = try_write(migration, leaf, rows + start, end - start, &failed);

		failed += start;
		if (error == NULL)
		{
			for (int i = start; i < end; i++)
				if (rows[i].result != NULL)
					migration->lap_migrated++;
			start = end;
			end = count;
			continue;
		}
		if (failed >= end || !ev_upgrade_is_fault(error->sqlerrcode))
			ReThrowError(error);
		fail_update(migration, &rows[failed], unpack_sql_state(error->sqlerrcode), error->message);
		end = failed;
		if (start == end)
		{
			start++;
			end = count;
		}
	}
}

/* Migrates the rows at these places, as far as they are there and not locked. */
static void
migrate_batch(Migration *migration, Relation leaf, Datum *tids, int count)
{
	int			seen = 0;
	ListCell   *cell;

	migration->upgrades = NIL;
	foreach(cell, migration->versions)
		migration->upgrades = lappend(migration->upgrades,
									  ev_upgrade_make(migration->batch_context, migration->type,
													  lfirst_int(cell), migration->to, true));
	for (int done = 0; done < count; done += ROWS_AT_A_TIME)
	{
		Row		   *rows;
		SPITupleTable *table;
		int			found = read_chunk(migration, tids + done, Min(count - done, ROWS_AT_A_TIME), leaf,
									   &rows, &table);

		write_rows(migration, leaf, rows, found);
		seen += found;
		MemoryContextReset(migration->chunk_context);
		SPI_freetuptable(table);
	}
	migration->busy += count - seen;
}

/* ---------- tables ---------- */

/* Begins what is a transaction of its own. */
static void
next_transaction(void)
{
	SPI_commit();
	/* what others changed is looked at anew, and not an error */
	set_config_option("transaction_isolation", "read committed", PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_LOCAL, true, 0, false);
	/* what a constraint refuses is one event's, and not the batch's */
	if (SPI_execute("SET CONSTRAINTS ALL IMMEDIATE", false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not set constraints");
}

/*
 * Are the columns that are written the ones that they were in the last batch,
 * and of the types that they must be?  The first time, remembers them.
 */
static bool
has_columns(Migration *migration, Relation leaf)
{
	AttrNumber	data = ev_migrate_find_column(leaf, migration->data_column);
	AttrNumber	version = ev_migrate_find_column(leaf, migration->version_column);

	if (data == InvalidAttrNumber || version == InvalidAttrNumber ||
		!ev_migrate_is_of_type(leaf, data, true) ||
		!ev_migrate_is_of_type(leaf, version, false))
		return false;
	if (migration->data_number == InvalidAttrNumber)
	{
		migration->data_number = data;
		migration->version_number = version;
	}
	return data == migration->data_number && version == migration->version_number;
}

/*
 * Locks the table or partition at hand for a batch, and makes sure that it is
 * what it was; NULL where it is gone, or has left the table that is migrated.
 */
static Relation
open_check(Migration *migration)
{
	bool		is_child = migration->leaf != migration->relation;
	bool		moves;
	Relation	leaf;

	ev_migrate_check_rights(migration->leaf);
	/* before the table itself is locked, as all commands lock parents first */
	moves = ev_migrate_is_partition_key(migration->leaf, migration->data_column, migration->version_column);
	leaf = try_relation_open(migration->leaf, RowExclusiveLock);
	if (leaf == NULL && is_child)
		return NULL;
	if (leaf == NULL || !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(migration->relation)))
		refuse_change(migration->shown_relation);
	if (is_child && !typeInheritsFrom(leaf->rd_rel->reltype, get_rel_type_id(migration->relation)))
	{
		relation_close(leaf, RowExclusiveLock);
		return NULL;
	}
	ev_migrate_check_rights(migration->leaf);
	ev_migrate_check_row_security(migration->leaf);
	if (leaf->rd_rel->relkind != RELKIND_RELATION || !has_columns(migration, leaf))
		refuse_change(RelationGetRelationName(leaf));
	ev_migrate_check_column(leaf, migration->data_number, true);
	ev_migrate_check_column(leaf, migration->version_number, false);
	if (!has_statements(migration) || moves != migration->moves)
	{
		migration->moves = moves;
		free_statements(migration);
		prepare_statements(migration);
	}
	return leaf;
}

static void
migrate_table(Migration *migration, Oid table)
{
	BlockNumber blocks = 0;
	ItemPointerData from;
	Relation	leaf;

	migration->leaf = table;
	migration->data_number = migration->version_number = InvalidAttrNumber;
	free_statements(migration);

	ItemPointerSet(&from, 0, FirstOffsetNumber);
	while ((leaf = open_check(migration)) != NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(migration->batch_context);
		BlockNumber end = ItemPointerGetBlockNumberNoCheck(&from);
		ItemPointerData to;
		Datum	   *tids;
		int			count = 0;

		if (blocks == 0)
			blocks = RelationGetNumberOfBlocks(leaf);
		if (end < blocks)
		{
			end = blocks - end > BLOCKS_AT_A_TIME ? end + BLOCKS_AT_A_TIME : blocks;
			ItemPointerSet(&to, end, 0);
			count = find_rows(migration, &from, &to, &tids);
			if (count > 0)
				migrate_batch(migration, leaf, tids, count);
			if (count == migration->batch_size)
			{
				ItemPointerCopy((ItemPointer) DatumGetPointer(tids[count - 1]), &from);
				ItemPointerSetOffsetNumber(&from, ItemPointerGetOffsetNumberNoCheck(&from) + 1);
			}
			else
				from = to;
			migration->migrated += migration->lap_migrated;
			report_progress(migration, (double) ItemPointerGetBlockNumberNoCheck(&from) / blocks);
			migration->migrated -= migration->lap_migrated;
		}
		relation_close(leaf, NoLock);
		next_transaction();
		MemoryContextSwitchTo(caller);
		MemoryContextReset(migration->batch_context);
		if (ItemPointerGetBlockNumberNoCheck(&from) >= blocks)
			break;
	}
}

/* One lap over the table and its children. */
static void
migrate_all(Migration *migration)
{
	List	   *tables = NIL;
	ListCell   *cell;
	MemoryContext caller;
	char	   *name;

	migration->lap_migrated = migration->failed = migration->busy = 0;
	migration->failures.kinds = NIL;
	MemoryContextReset(migration->lap_context);

	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(migration->relation)))
		refuse_change(migration->shown_relation);
	ev_migrate_check_row_security(migration->relation);
	caller = MemoryContextSwitchTo(migration->lap_context);
	foreach(cell, find_all_inheritors(migration->relation, NoLock, NULL))
		tables = lappend_oid(tables, lfirst_oid(cell));
	MemoryContextSwitchTo(caller);
	foreach(cell, tables)
		switch (get_rel_relkind(lfirst_oid(cell)))
	{
		case RELKIND_RELATION:
			migrate_table(migration, lfirst_oid(cell));
			break;
		case RELKIND_FOREIGN_TABLE:
			name = get_rel_name(lfirst_oid(cell));
			if (name != NULL)
				ereport(WARNING, (errmsg("events in foreign table \"%s\" are not migrated", name)));
			break;
		default:
			break;
	}
	migration->migrated += migration->lap_migrated;
}

static void
report_end(Migration *migration)
{
	ereport(NOTICE,
			(errmsg("events \"%s\" of table %s: " INT64_FORMAT " migrated to version %d",
					migration->shown_type, migration->shown_relation, migration->migrated, migration->to)));
	if (migration->failed > 0)
		ereport(WARNING,
				(errmsg("events \"%s\" of table %s: " INT64_FORMAT " stay as they are",
						migration->shown_type, migration->shown_relation, migration->failed),
				 errdetail_internal("%s", ev_failures_lines(&migration->failures)),
				 errhint("check_event_upgrade lists what is wrong with them. Repair them or the upcast, and call migrate_events again.")));
	if (migration->busy > 0 || migration->lap_migrated > 0)
		ereport(NOTICE,
				(errmsg("events \"%s\" of table %s were written or locked by others meanwhile",
						migration->shown_type, migration->shown_relation),
				 errhint("Call migrate_events again when those are done.")));
}

static void
migrate_in_laps(Migration *migration)
{
	for (int lap = 0; lap < MAX_LAPS; lap++)
	{
		migrate_all(migration);
		if (migration->lap_migrated == 0)
			break;
	}
}

/* The statements would stay for the session after an error. */
static void
migrate_and_free(Migration *migration)
{
	PG_TRY();
	{
		migrate_in_laps(migration);
	}
	PG_CATCH();
	{
		free_statements(migration);
		PG_RE_THROW();
	}
	PG_END_TRY();
	free_statements(migration);
}

/*
 * CALL migrate_events(relation regclass, event_type text, to_version int,
 *					   batch_size int DEFAULT 10000,
 *					   keep_original boolean DEFAULT false,
 *					   data_expr text DEFAULT 'data',
 *					   type_expr text DEFAULT 'event_type',
 *					   version_expr text DEFAULT 'schema_version')
 */
Datum
ev_migrate_events(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {
		"relation", "event_type", "to_version", "batch_size", "keep_original",
		"data_expr", "type_expr", "version_expr"
	};
	int			batch_size;
	Migration  *migration;
	char	   *expressions[3];

	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		refuse_transaction_block();
	for (int i = 0; i < (int) lengthof(arguments); i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" must not be null", arguments[i])));
	batch_size = PG_GETARG_INT32(3);
	if (batch_size < 1 || batch_size > 1000000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch_size must be from 1 to 1000000")));
	PreventCommandIfReadOnly("CALL migrate_events");

	/* what is kept must outlive transactions: it is SPI's and the portal's */
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	migration = palloc0(sizeof(Migration));
	migration->context = CurrentMemoryContext;
	migration->batch_size = batch_size;
	migration->lap_context = AllocSetContextCreate(migration->context, "event_validate migration lap",
												   ALLOCSET_DEFAULT_SIZES);
	migration->failures.context = migration->lap_context;
	migration->batch_context = AllocSetContextCreate(migration->context, "event_validate migration batch",
													 ALLOCSET_DEFAULT_SIZES);
	migration->chunk_context = AllocSetContextCreate(migration->context, "event_validate migration rows",
													 ALLOCSET_DEFAULT_SIZES);
	migration->relation = PG_GETARG_OID(0);
	migration->type = PG_GETARG_TEXT_P_COPY(1);
	migration->shown_type = text_to_cstring(migration->type);
	migration->to = PG_GETARG_INT32(2);
	migration->keep_original = PG_GETARG_BOOL(4);
	for (int i = 0; i < 3; i++)
		expressions[i] = text_to_cstring(PG_GETARG_TEXT_PP(5 + i));
	resolve_relation(migration, expressions[0], expressions[1], expressions[2]);
	resolve_versions(migration);

	if (migration->versions != NIL)
	{
		if (migration->keep_original)
			ev_originals_create();
		migration->next_notice = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), NOTICE_EVERY_MS);
		next_transaction();
		migrate_and_free(migration);
		if (migration->reported)
			pgstat_report_activity(STATE_RUNNING, debug_query_string);
		report_end(migration);
	}
	SPI_finish();
	PG_RETURN_VOID();
}
