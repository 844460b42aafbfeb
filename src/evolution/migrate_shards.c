/*
 * migrate_shards.c
 *	  migrate_events() on a distributed table.
 *
 * The servers that have the shards run migrate_events on them.  Each commits its own
 * batches, and a row is migrated by the same UPDATE that writes its version, so each
 * event is migrated once, however often the call is repeated.  If a shard is moved
 * meanwhile, batches that were committed on the old server after the copy was made are
 * not in the copy: the rows there have their old version still.  The rows that are left
 * are counted at the end, and another lap migrates these.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "evolution/migrate_shards.h"
#include "evolution/upcast.h"
#include "registry/extension_objects.h"
#include "registry/names.h"
#include "registry/utility_command.h"
#include "rows/distributed.h"
#include "rows/table_rights.h"

#define MAX_LAPS	3

static char *
shown_table(const EvMigration *migration)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(migration->relation)),
									  get_rel_name(migration->relation));
}

/* Returns the expression that makes a step of an event, for a command that is shown. */
static char *
shown_step(const EvMigration *migration, const EvUpcast *step)
{
	const char *data = quote_identifier(migration->data_column);

	if (OidIsValid(step->function))
		return psprintf("%s(%s)", ev_quoted_name(get_func_name(step->function)), data);
	if (step->renames != NULL)
		return psprintf("%s(%s, %s)",
						quote_qualified_identifier(get_namespace_name(ev_extension_namespace()), "event_rename"), data,
						quote_literal_cstr(JsonbToCString(NULL, &step->renames->root, VARSIZE(step->renames))));
	return NULL;
}

/* Appends the command that makes the first step from a version. */
static void
append_step(StringInfo commands, const EvMigration *migration, int32 version)
{
	int32		to = migration->to;
	List	   *path = ev_upcast_path(migration->type, version, &to);
	const EvUpcast *step;
	const char *value;

	if (path == NIL)
		return;
	step = linitial(path);
	value = shown_step(migration, step);
	appendStringInfo(commands, "\nUPDATE %s SET ", shown_table(migration));
	if (value != NULL)
		appendStringInfo(commands, "%s = %s, ", quote_identifier(migration->data_column), value);
	appendStringInfo(commands, "%s = %d WHERE (%s) = %s AND %s = %d;", quote_identifier(migration->version_column), step->to,
					 migration->type_condition, quote_literal_cstr(migration->shown_type),
					 quote_identifier(migration->version_column), version);
}

void
ev_migrate_refuse_reference_table(const EvMigration *migration)
{
	StringInfoData commands;
	ListCell   *cell;

	initStringInfo(&commands);
	foreach(cell, migration->versions)
		append_step(&commands, migration, lfirst_int(cell));
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("migrate_events cannot migrate reference table \"%s\"", migration->shown_relation),
			 errdetail("Batches that each server commits for itself could make its copies differ."),
			 errhint("Run the upcasts, which must be IMMUTABLE, by commands that change all copies together:%s",
					 commands.len > 0 ? commands.data : " an UPDATE of the version.")));
}

/* The call for a shard. */
static char *
shard_call(const EvMigration *migration, char *const *expressions)
{
	StringInfoData call;

	initStringInfo(&call);
	appendStringInfo(&call, "CALL %s(%%L::pg_catalog.regclass, %s::pg_catalog.text, %d, %d, %s",
					 ev_percents_doubled(quote_qualified_identifier(get_namespace_name(ev_extension_namespace()), "migrate_events")),
					 ev_percents_doubled(quote_literal_cstr(migration->shown_type)), migration->to, migration->batch_size,
					 migration->keep_original ? "true" : "false");
	for (int i = 0; i < 3; i++)
		appendStringInfo(&call, ", %s::pg_catalog.text", ev_percents_doubled(quote_literal_cstr(expressions[i])));
	appendStringInfoChar(&call, ')');
	return call.data;
}

/* Counts the events that are to be migrated. */
static int64
count_events(const EvMigration *migration)
{
	StringInfoData query;
	Oid			types[2] = {TEXTOID, INT4ARRAYOID};
	Datum		values[2];
	int			count = list_length(migration->versions);
	Datum	   *versions = palloc(sizeof(Datum) * (count + 1));
	bool		is_null;
	int64		result;

	for (int i = 0; i < count; i++)
		versions[i] = Int32GetDatum(list_nth_int(migration->versions, i));
	values[0] = PointerGetDatum(migration->type);
	values[1] = PointerGetDatum(construct_array(versions, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT pg_catalog.count(*) FROM %s WHERE ((%s) COLLATE pg_catalog.\"C\") OPERATOR(pg_catalog.=) $1"
					 " AND %s OPERATOR(pg_catalog.=) ANY ($2)",
					 shown_table(migration), migration->type_condition, quote_identifier(migration->version_column));
	if (SPI_execute_with_args(query.data, 2, types, values, NULL, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not count the events of table %s", migration->shown_relation);
	result = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	SPI_freetuptable(SPI_tuptable);
	return result;
}

void
ev_migrate_shards(EvMigration *migration, char *const *expressions)
{
	char	   *call = shard_call(migration, expressions);
	int64		before = count_events(migration);
	int64		rest = before;

	for (int lap = 0; lap < MAX_LAPS && rest > 0; lap++)
	{
		int64		last = rest;

		ev_run_on_shards(migration->relation, call, "migrate_events");
		rest = count_events(migration);
		if (rest >= last)
			break;
	}
	ereport(NOTICE,
			(errmsg("events \"%s\" of distributed table %s: " INT64_FORMAT " migrated to version %d",
					migration->shown_type, migration->shown_relation, Max(before - rest, 0), migration->to)));
	if (rest > 0)
		ereport(WARNING,
				(errmsg("events \"%s\" of distributed table %s: " INT64_FORMAT " are not migrated",
						migration->shown_type, migration->shown_relation, rest),
				 errdetail("They cannot be upcast to valid events, or were written or locked by other transactions during the call."),
				 errhint("check_event_upgrade lists the violations. Repair the events or the upcast, and call migrate_events again.")));
}
