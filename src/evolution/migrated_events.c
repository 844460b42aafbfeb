/*
 * migrated_events.c
 *	  The table event_schema.migrated_events: events before migrate_events
 *	  brought them to another version.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "base/compat.h"
#include "evolution/migrated_events.h"
#include "registry/names.h"
#include "rows/distributed.h"
#include "rows/event_table.h"
#include "rows/row_json.h"

#define TABLE	EV_SCHEMA_NAMESPACE "." EV_ORIGINALS

static const char *const create_commands[] = {
	"CREATE TABLE " TABLE " ("
	" id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" relation_schema pg_catalog.text NOT NULL,"
	" relation_name pg_catalog.text NOT NULL,"
	" row_name pg_catalog.text NOT NULL,"
	" \"row\" pg_catalog.jsonb NOT NULL,"
	" event_type pg_catalog.text NOT NULL,"
	" schema_version pg_catalog.int4 NOT NULL,"
	" to_version pg_catalog.int4 NOT NULL,"
	" migrated_at pg_catalog.timestamptz NOT NULL,"
	" role pg_catalog.text NOT NULL,"
	" \"transaction\" pg_catalog.xid8 NOT NULL)",
	"COMMENT ON TABLE " TABLE " IS 'events as they were before migrate_events brought them to another version'",
	"COMMENT ON COLUMN " TABLE ".row_name IS 'the primary key of the row in its table, or its location (ctid)'",
	"COMMENT ON COLUMN " TABLE ".\"row\" IS 'the row as it was'"
};

static const Oid column_types[] = {
	TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID, INT4OID, INT4OID, TIMESTAMPTZOID, TEXTOID, XID8OID
};

/* Kept until the end of the session. */
static SPIPlanPtr insert_plan = NULL;

static const char insert_command[] =
"INSERT INTO " TABLE " (relation_schema, relation_name, row_name, \"row\", event_type,"
" schema_version, to_version, migrated_at, role, \"transaction\")"
" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

void
ev_originals_create(void)
{
	ev_event_table_create(EV_ORIGINALS, create_commands, lengthof(create_commands));
}

void
ev_originals_add(Oid table, Relation relation, HeapTuple row, const char *name,
				 const text *type, int32 version, int32 to_version)
{
	Datum		values[lengthof(column_types)];
	char		nulls[lengthof(column_types)];
	Oid			owner;

	if (!OidIsValid(ev_event_table_find(EV_ORIGINALS, &owner)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" does not exist", TABLE),
				 errhint("Call migrate_events again: it creates the table.")));
	memset(nulls, ' ', sizeof(nulls));
	table = ev_distributed_table(table);
	values[0] = CStringGetTextDatum(get_namespace_name(get_rel_namespace(table)));
	values[1] = CStringGetTextDatum(get_rel_name(table));
	values[2] = CStringGetTextDatum(name);
	values[3] = JsonbPGetDatum(ev_row_to_jsonb(relation, row));
	values[4] = PointerGetDatum(type);
	values[5] = Int32GetDatum(version);
	values[6] = Int32GetDatum(to_version);
	values[7] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[8] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	values[9] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	ev_event_table_insert(EV_ORIGINALS, owner, &insert_plan, insert_command,
						  lengthof(column_types), column_types, values, nulls);
}
