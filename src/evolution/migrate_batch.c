/*
 * migrate_batch.c
 *	  One batch of migrate_events(): its statements, and the rows that it
 *	  reads, upcasts and writes.
 *
 * A batch first finds rows, then locks them by their location and reads them
 * again.  A row that another transaction has changed in between is then
 * missing and left to the next lap, like a row that is locked.  A batch never
 * waits while it holds locks.
 *
 * The types of a statement's columns are taken from its result, since names in
 * a statement may refer to another table when it is planned again.  No cursor
 * is open while users' functions run, which could close it or read from it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/row_fault.h"
#include "base/subtransaction.h"
#include "evolution/migrate_batch.h"
#include "evolution/migrate_failures.h"
#include "evolution/migrated_events.h"
#include "evolution/upcast.h"
#include "evolution/upcast_rows.h"
#include "match/interpret.h"
#include "registry/extension_objects.h"
#include "registry/schema_cache.h"
#include "rollout/audit.h"

#define ROWS_AT_A_TIME		256 /* in memory */

typedef struct BatchRow
{
	ItemPointerData tid;
	int32		version;
	char	   *name;
	Jsonb	   *result;			/* NULL: not migrated */
	HeapTuple	original;
} BatchRow;

/* ---------- failures ---------- */

typedef struct FailureTarget
{
	EvMigration *migration;
	const BatchRow *row;
} FailureTarget;

static void
put_failure(const EvKind *kind, void *arg)
{
	FailureTarget *target = (FailureTarget *) arg;

	ev_failures_note(&target->migration->failures, target->row->version, target->row->name, kind);
}

/* ---------- statements ---------- */

/*
 * Statements that read by location must do so whatever the table's statistics
 * are: other plans would start at the beginning of the table for each batch.
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
row_name_expression(EvMigration *migration)
{
	Oid			types[1] = {REGCLASSOID};
	Datum		values[1] = {ObjectIdGetDatum(migration->leaf)};

	if (SPI_execute_with_args("SELECT " EV_INTERNAL_NAMESPACE ".event_row_name($1)", 1, types, values, NULL, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not read the names of rows");
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

static char *
qualified_name(Oid relation)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation));
}

void
ev_migration_free_statements(EvMigration *migration)
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
make_statements(EvMigration *migration)
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
version_array(EvMigration *migration)
{
	int			count = list_length(migration->versions);
	Datum	   *versions = palloc(sizeof(Datum) * count);

	for (int i = 0; i < count; i++)
		versions[i] = Int32GetDatum(list_nth_int(migration->versions, i));
	return PointerGetDatum(construct_array(versions, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/*
 * Do the statements exist, and are all objects unchanged that they depend on?
 */
static bool
has_statements(EvMigration *migration)
{
	return migration->find_plan != NULL && SPI_plan_is_valid(migration->find_plan) &&
		migration->lock_plan != NULL && SPI_plan_is_valid(migration->lock_plan) &&
		migration->update_plan != NULL && SPI_plan_is_valid(migration->update_plan);
}

void
ev_migration_prepare(EvMigration *migration, bool moves)
{
	if (has_statements(migration) && moves == migration->moves)
		return;
	migration->moves = moves;
	ev_migration_free_statements(migration);
	make_statements(migration);
}

void
ev_migration_refuse_change(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" was changed while its events were migrated", name),
			 errdetail("Events that were migrated before remain migrated."),
			 errhint("Call migrate_events again: it continues with the current table.")));
}

/*
 * Checks the types of the columns of SPI's result, or raises an error; a
 * domain counts as its base type.
 */
static void
check_result(EvMigration *migration, TupleDesc descriptor, const Oid *types, int count)
{
	bool		as_expected = descriptor != NULL && descriptor->natts >= count;

	for (int i = 0; i < count && as_expected; i++)
		as_expected = getBaseType(TupleDescAttr(descriptor, i)->atttypid) == types[i];
	if (!as_expected)
		ev_migration_refuse_change(migration->shown_relation);
}

/* ---------- a batch ---------- */

int
ev_migration_find_rows(EvMigration *migration, ItemPointer from, ItemPointer to, Datum **tids)
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
			ev_migration_refuse_change(migration->shown_relation);
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

	/* the row is locked, so it is the one that was read */
	if (!table_tuple_fetch_row_version(leaf, tid, SnapshotAny, slot))
		elog(ERROR, "could not fetch the row at (%u,%u)", ItemPointerGetBlockNumber(tid),
			 ItemPointerGetOffsetNumber(tid));
	row = ExecCopySlotHeapTuple(slot);
	ExecDropSingleTupleTableSlot(slot);
	return row;
}

/*
 * Takes the result of a row's upcast, or records why the row is not migrated.
 */
static void
take_result(EvMigration *migration, BatchRow *row, const EvUpgraded *upgraded)
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
		EvKind		kind = {"", "", "upcast", upgraded->cause, upgraded->fault, 1};

		ev_failures_note(&migration->failures, row->version, row->name, &kind);
	}
	if (row->result == NULL)
		migration->failed++;
}

static EvUpgrade *
find_upgrade(EvMigration *migration, int32 version)
{
	for (int i = 0; i < list_length(migration->versions); i++)
		if (list_nth_int(migration->versions, i) == version)
			return list_nth(migration->upgrades, i);
	ev_migration_refuse_change(migration->shown_relation);
	return NULL;
}

/*
 * Reads and locks rows of the batch that exist and are not locked.  Returns
 * their number; they are in SPI_tuptable.
 */
static int
lock_rows(EvMigration *migration, Datum *tids, int count)
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
 * Reads and locks the rows at these locations, and upcasts them.  Returns
 * their number.  They are valid as long as *table.
 */
static int
read_chunk(EvMigration *migration, Datum *tids, int tid_count, Relation leaf, BatchRow **rows, SPITupleTable **table)
{
	static const EvKind null_kind = {"", "", "", "", "the event's data is null", 1};
	MemoryContext caller = MemoryContextSwitchTo(migration->chunk_context);
	SPITupleTable *found;
	int			count = lock_rows(migration, tids, tid_count);
	EvUpgrade **upgrades;
	Datum	   *documents;
	EvUpgraded *results;
	BatchRow  **origins;
	int			document_count = 0;

	found = *table = SPI_tuptable;
	*rows = palloc0(sizeof(BatchRow) * (count + 1));
	upgrades = palloc(sizeof(EvUpgrade *) * (count + 1));
	documents = palloc(sizeof(Datum) * (count + 1));
	results = palloc(sizeof(EvUpgraded) * (count + 1));
	origins = palloc(sizeof(BatchRow *) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		BatchRow   *row = &(*rows)[i];
		HeapTuple	tuple = found->vals[i];
		bool		is_null[2];
		Datum		tid = SPI_getbinval(tuple, found->tupdesc, 1, &is_null[0]);
		Datum		version = SPI_getbinval(tuple, found->tupdesc, 3, &is_null[1]);
		Datum		document;

		if (is_null[0] || is_null[1])
			ev_migration_refuse_change(migration->shown_relation);
		ItemPointerCopy((ItemPointer) DatumGetPointer(tid), &row->tid);
		row->version = DatumGetInt32(version);
		row->name = SPI_getvalue(tuple, found->tupdesc, 4);
		/* a cast of its key's type to text can return NULL */
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
fail_update(EvMigration *migration, BatchRow *row, const char *name, const char *message)
{
	EvKind		kind = {"", "", "update", name, message, 1};

	ev_failures_note(&migration->failures, row->version, row->name, &kind);
	migration->failed++;
	row->result = NULL;
}

/* Is the event that was written valid? The result of the upcast was. */
static bool
is_valid(EvMigration *migration, const BatchRow *row, const Jsonb *written)
{
	EvSchema   *schema;

	if (VARSIZE(written) == VARSIZE(row->result) && memcmp(written, row->result, VARSIZE(written)) == 0)
		return true;
	schema = ev_registry_find(VARDATA_ANY(migration->type), VARSIZE_ANY_EXHDR(migration->type), migration->to);
	return schema != NULL && ev_match(schema->program, written);
}

/*
 * Checks the row after triggers changed it.  A row with another version would
 * be upcast again, and an invalid event would stay in the table.
 */
static void
check_written(EvMigration *migration, const BatchRow *row)
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
				 errmsg("a trigger of the table changed the event and made it invalid")));
	SPI_freetuptable(SPI_tuptable);
}

static void
write_row(EvMigration *migration, Relation leaf, BatchRow *row)
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

typedef struct Writing
{
	EvMigration *migration;
	Relation	leaf;
	BatchRow   *rows;
	int			count;
	int			at;
} Writing;

static void
write_all(void *arg)
{
	Writing    *writing = (Writing *) arg;

	for (; writing->at < writing->count; writing->at++)
		if (writing->rows[writing->at].result != NULL)
			write_row(writing->migration, writing->leaf, &writing->rows[writing->at]);
}

/*
 * Writes rows in a subtransaction.  Returns NULL; or the error, with nothing
 * written, and the number of the row that caused it.
 */
static ErrorData *
try_write(EvMigration *migration, Relation leaf, BatchRow *rows, int count, int *failed)
{
	Writing		writing = {migration, leaf, rows, count, 0};
	MemoryContext caller = MemoryContextSwitchTo(migration->chunk_context);
	ErrorData  *error = ev_in_subtransaction(write_all, &writing, EV_KEEP);

	MemoryContextSwitchTo(caller);
	*failed = writing.at;
	return error;
}

/*
 * Writes rows.  If one raises an error, those before it are written again
 * without it, and it is not migrated.
 */
static void
write_rows(EvMigration *migration, Relation leaf, BatchRow *rows, int count)
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
		if (failed >= end || !ev_is_row_fault(error->sqlerrcode, EV_WORK_UPCAST))
			ReThrowError(error);
		fail_update(migration, &rows[failed], ev_row_fault_name(error), ev_message_cut(error->message));
		end = failed;
		if (start == end)
		{
			start++;
			end = count;
		}
	}
}

void
ev_migration_batch(EvMigration *migration, Relation leaf, Datum *tids, int count)
{
	int			seen = 0;
	ListCell   *cell;

	migration->upgrades = NIL;
	foreach(cell, migration->versions)
		migration->upgrades = lappend(migration->upgrades,
									  ev_upgrade_make(migration->batch_context, migration->type,
													  lfirst_int(cell), migration->to, true, true));
	for (int done = 0; done < count; done += ROWS_AT_A_TIME)
	{
		BatchRow   *rows;
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
