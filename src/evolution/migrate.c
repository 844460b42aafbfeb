/*
 * migrate.c
 *	  migrate_events(): brings the stored events of a type to a later
 *	  version of its schema.
 *
 * It is a procedure that commits each batch, so that no lock and no snapshot
 * is held for longer: others wait at most for the rows of one batch, and
 * VACUUM can remove the old row versions.  The version of a row, which the
 * same UPDATE writes as its data, shows whether it is done.  So there is no
 * state to keep: the next call continues after an interrupted one.
 *
 * A table is read in the order of its pages, in ranges, up to its size at the
 * start.  Other transactions can move rows to pages that were read already, so
 * laps are repeated until one finds nothing to do.
 *
 * Nothing is locked between two batches, and the table can change.  So each
 * batch starts with the checks of the first one: the caller's rights, a lock
 * on the table, and its columns.  If these have changed, the call ends.
 * During a batch the table stays open, so that a trigger or an upcast cannot
 * alter it either.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/steady_time.h"
#include "base/table_members.h"
#include "evolution/migrate_batch.h"
#include "evolution/migrate_failures.h"
#include "evolution/migrate_relation.h"
#include "evolution/migrate_shards.h"
#include "evolution/migrated_events.h"
#include "evolution/upcast.h"
#include "registry/schema_cache.h"
#include "registry/validation_error.h"
#include "rollout/event_checks.h"
#include "rows/distributed.h"
#include "stats/progress.h"

PG_FUNCTION_INFO_V1(ev_migrate_events);

#define BLOCKS_AT_A_TIME	4096	/* that one statement reads */
#define MAX_LAPS			5
#define NOTICE_EVERY_MS		10000

/* ---------- the task ---------- */

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
resolve_relation(EvMigration *migration, const char *data, const char *type, const char *version)
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

/* Finds the versions from which upcasts lead to the wanted one. */
static void
resolve_versions(EvMigration *migration)
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
		bool		converts;

		if (version >= migration->to)
			break;
		(void) ev_upcast_path_prefix(migration->type, version, migration->to, false, &reached, &converts);
		if (reached == migration->to)
			migration->versions = lappend_int(migration->versions, version);
		else
			stuck = lappend_int(stuck, version);
	}
	if (stuck != NIL && migration->versions == NIL)
		ev_upcast_path(migration->type, llast_int(stuck), &migration->to);	/* raises an error */
	foreach(cell, stuck)
		ereport(NOTICE,
				(errmsg("events \"%s\" of version %d are not migrated: no upcasts lead from it to version %d",
						migration->shown_type, lfirst_int(cell), migration->to)));
	if (migration->versions == NIL)
		ereport(NOTICE,
				(errmsg("event \"%s\" has no version before %d", migration->shown_type, migration->to)));
}

/* ---------- progress ---------- */

/*
 * Shows the progress in pg_stat_activity, as a comment before the command, and
 * at intervals to the client.
 */
static void
report_progress(EvMigration *migration, double share)
{
	char	   *progress = psprintf("events \"%s\" of table %s: %.0f %% of its pages read, " INT64_FORMAT
									" migrated, " INT64_FORMAT " not migrated",
									migration->shown_type, migration->shown_relation, 100 * share,
									migration->migrated, migration->failed);
	TimestampTz now = ev_steady_time();

	ev_progress_share(share, migration->lap_migrated, migration->failed);
	pgstat_report_activity(STATE_RUNNING,
						   psprintf("/* %s */ %s", progress, debug_query_string ? debug_query_string : ""));
	migration->reported = true;
	if (now >= migration->next_notice)
	{
		ereport(NOTICE, (errmsg_internal("%s", progress)));
		migration->next_notice = TimestampTzPlusMilliseconds(now, NOTICE_EVERY_MS);
	}
}

/* ---------- tables ---------- */

/* Commits, and begins a new transaction. */
static void
next_transaction(void)
{
	SPI_commit();
	/* read rows that others changed again, instead of raising errors */
	set_config_option("transaction_isolation", "read committed", PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_LOCAL, true, 0, false);

	/*
	 * so that a deferred constraint rejects one event and not the whole batch
	 */
	if (SPI_execute("SET CONSTRAINTS ALL IMMEDIATE", false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not set constraints");
}

/*
 * Are the columns the same as in the last batch, with the required types?  The
 * first time, records them.
 */
static bool
has_columns(EvMigration *migration, Relation leaf)
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
 * Locks the current table or partition for a batch, and checks that it is
 * unchanged.  Returns NULL if it was dropped, or detached from the table that
 * is migrated.
 */
static Relation
open_leaf(EvMigration *migration)
{
	bool		is_child = migration->leaf != migration->relation;
	bool		moves;
	Relation	leaf;

	ev_migrate_check_rights(migration->leaf);

	/*
	 * the parent first, since all commands lock parents before children
	 */
	moves = ev_migrate_is_partition_key(migration->leaf, migration->data_column, migration->version_column);
	leaf = try_relation_open(migration->leaf, RowExclusiveLock);
	if (leaf == NULL && is_child)
		return NULL;
	if (leaf == NULL || !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(migration->relation)))
		ev_migration_refuse_change(migration->shown_relation);
	if (is_child && !typeInheritsFrom(leaf->rd_rel->reltype, get_rel_type_id(migration->relation)))
	{
		relation_close(leaf, RowExclusiveLock);
		return NULL;
	}
	/* as in the first batch: SPI plans a statement before it takes a snapshot */
	EnsurePortalSnapshotExists();
	ev_migrate_check_rights(migration->leaf);
	ev_migrate_check_row_security(migration->leaf);
	if (leaf->rd_rel->relkind != RELKIND_RELATION || !has_columns(migration, leaf))
		ev_migration_refuse_change(RelationGetRelationName(leaf));
	ev_migrate_check_column(leaf, migration->data_number, true);
	ev_migrate_check_column(leaf, migration->version_number, false);
	ev_migration_prepare(migration, moves);
	return leaf;
}

static void
migrate_table(EvMigration *migration, Oid table)
{
	BlockNumber blocks = 0;
	ItemPointerData from;
	Relation	leaf;

	migration->leaf = table;
	migration->data_number = migration->version_number = InvalidAttrNumber;
	ev_migration_free_statements(migration);

	ItemPointerSet(&from, 0, FirstOffsetNumber);
	while ((leaf = open_leaf(migration)) != NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(migration->batch_context);
		BlockNumber end = ItemPointerGetBlockNumberNoCheck(&from);
		ItemPointerData to;
		Datum	   *tids;
		int			count = 0;

		if (blocks == 0)
		{
			blocks = RelationGetNumberOfBlocks(leaf);
			ev_progress_part(table);
		}
		if (end < blocks)
		{
			end = blocks - end > BLOCKS_AT_A_TIME ? end + BLOCKS_AT_A_TIME : blocks;
			ItemPointerSet(&to, end, 0);
			count = ev_migration_find_rows(migration, &from, &to, &tids);
			if (count > 0)
				ev_migration_batch(migration, leaf, tids, count);
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
migrate_all(EvMigration *migration)
{
	List	   *tables = NIL;
	ListCell   *cell;
	MemoryContext caller;
	char	   *name;

	migration->lap_migrated = migration->failed = migration->busy = 0;
	migration->failures.kinds = NIL;
	MemoryContextReset(migration->lap_context);

	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(migration->relation)))
		ev_migration_refuse_change(migration->shown_relation);
	ev_migrate_check_row_security(migration->relation);
	caller = MemoryContextSwitchTo(migration->lap_context);
	foreach(cell, ev_table_members(migration->relation))
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
report_end(EvMigration *migration)
{
	ereport(NOTICE,
			(errmsg("events \"%s\" of table %s: " INT64_FORMAT " migrated to version %d",
					migration->shown_type, migration->shown_relation, migration->migrated, migration->to)));
	if (migration->failed > 0)
		ereport(WARNING,
				(errmsg("events \"%s\" of table %s: " INT64_FORMAT " are not migrated",
						migration->shown_type, migration->shown_relation, migration->failed),
				 errdetail_internal("%s", ev_failures_lines(&migration->failures)),
				 errhint("check_event_upgrade lists their violations. Repair them or the upcast, and call migrate_events again.")));
	if (migration->busy > 0 || migration->lap_migrated > 0)
		ereport(NOTICE,
				(errmsg("events \"%s\" of table %s were written or locked by other transactions during the call",
						migration->shown_type, migration->shown_relation),
				 errhint("Call migrate_events again when these have ended.")));
}

static void
migrate_in_laps(EvMigration *migration)
{
	for (int lap = 0; lap < MAX_LAPS; lap++)
	{
		ev_progress_phase(lap == 0 ? EV_PHASE_MIGRATING : EV_PHASE_MIGRATING_AGAIN,
						  ev_progress_estimate(migration->relation));
		migrate_all(migration);
		if (migration->lap_migrated == 0)
			break;
	}
}

/*
 * Frees the statements, which would otherwise stay for the session after an
 * error.
 */
static void
migrate_and_free(EvMigration *migration)
{
	PG_TRY();
	{
		migrate_in_laps(migration);
	}
	PG_CATCH();
	{
		ev_migration_free_statements(migration);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ev_migration_free_statements(migration);
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
	EvMigration *migration;
	char	   *expressions[3];

	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		refuse_transaction_block();
	ev_require_arguments(fcinfo, 0, lengthof(arguments), arguments);
	batch_size = PG_GETARG_INT32(3);
	if (batch_size < 1 || batch_size > 1000000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch_size must be from 1 to 1000000")));
	PreventCommandIfReadOnly("CALL migrate_events");

	/*
	 * kept state must outlive transactions, so it belongs to SPI and the
	 * portal
	 */
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	migration = palloc0(sizeof(EvMigration));
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
		if (ev_distribution(migration->relation) == EV_REPLICATED)
			ev_migrate_refuse_reference_table(migration);
		if (migration->keep_original)
			ev_originals_create();
		migration->next_notice = TimestampTzPlusMilliseconds(ev_steady_time(), NOTICE_EVERY_MS);
		ev_progress_start(EV_PROGRESS_MIGRATE, migration->relation, true);
		next_transaction();
		if (ev_distribution(migration->relation) == EV_DISTRIBUTED)
			ev_migrate_shards(migration, expressions);
		else
			migrate_and_free(migration);
		ev_progress_end();
		if (migration->reported)
			pgstat_report_activity(STATE_RUNNING, debug_query_string);
		if (ev_distribution(migration->relation) != EV_DISTRIBUTED)
			report_end(migration);
	}
	SPI_finish();
	PG_RETURN_VOID();
}
