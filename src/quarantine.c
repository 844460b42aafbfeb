/*
 * quarantine.c
 *	  The table event_schema.quarantine: events that were diverted, and records
 *	  of such as were kept with a warning.
 *
 * It is a table as event_table.c makes and fills them.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/xid8.h"

#include "compat.h"
#include "event_table.h"
#include "names.h"
#include "originals.h"
#include "quarantine.h"
#include "row_json.h"

PG_FUNCTION_INFO_V1(ev_list_event_quarantine);
PG_FUNCTION_INFO_V1(ev_purge_event_quarantine);
PG_FUNCTION_INFO_V1(ev_guard_quarantine);

#define TABLE	EV_SCHEMA_NAMESPACE "." EV_QUARANTINE

/* ---------- the table ---------- */

Oid
ev_quarantine_find(void)
{
	Oid			owner;

	return ev_event_table_find(EV_QUARANTINE, &owner);
}

static const char *const create_commands[] = {
	"CREATE TABLE " TABLE " ("
	" id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" relation_schema pg_catalog.text NOT NULL,"
	" relation_name pg_catalog.text NOT NULL,"
	" \"row\" pg_catalog.jsonb NOT NULL,"
	" event_type pg_catalog.text,"
	" schema_version pg_catalog.int4,"
	" violations pg_catalog.jsonb NOT NULL,"
	" kept pg_catalog.bool NOT NULL,"
	" arrived_at pg_catalog.timestamptz NOT NULL,"
	" role pg_catalog.text NOT NULL,"
	" application pg_catalog.text NOT NULL,"
	" \"transaction\" pg_catalog.xid8 NOT NULL)",
	"COMMENT ON TABLE " TABLE " IS 'events that guards diverted from their tables, or kept with a warning'",
	"COMMENT ON COLUMN " TABLE ".\"row\" IS 'the row as it came'",
	"COMMENT ON COLUMN " TABLE ".violations IS 'why, as of its arrival or the last replay'",
	"COMMENT ON COLUMN " TABLE ".kept IS 'the row is in its table too: the guard only warned'"
};

void
ev_quarantine_create(void)
{
	ev_event_table_create(EV_QUARANTINE, create_commands, lengthof(create_commands));
}

/* ---------- writing ---------- */

static const Oid column_types[] = {
	TEXTOID, TEXTOID, JSONBOID, TEXTOID, INT4OID, JSONBOID, BOOLOID,
	TIMESTAMPTZOID, TEXTOID, TEXTOID, XID8OID
};

/* Kept for the session. */
static SPIPlanPtr insert_plan = NULL;

static const char insert_command[] =
"INSERT INTO " TABLE " (relation_schema, relation_name, \"row\","
" event_type, schema_version, violations, kept,"
" arrived_at, role, application, \"transaction\")"
" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

void
ev_quarantine_add(const EvDiverted *diverted)
{
	Datum		values[lengthof(column_types)];
	char		nulls[lengthof(column_types)];
	Oid			owner;

	if (!OidIsValid(ev_event_table_find(EV_QUARANTINE, &owner)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" does not exist", TABLE),
				 errdetail("The guard on table \"%s\" has no place to put the event.",
						   get_rel_name(diverted->table)),
				 errhint("set_event_guard_mode creates it.")));
	memset(nulls, ' ', sizeof(nulls));
	values[0] = CStringGetTextDatum(get_namespace_name(get_rel_namespace(diverted->table)));
	values[1] = CStringGetTextDatum(get_rel_name(diverted->table));
	values[2] = JsonbPGetDatum(ev_row_to_jsonb(diverted->relation, diverted->row));
	values[3] = PointerGetDatum(diverted->type);
	if (diverted->type == NULL)
		nulls[3] = 'n';
	values[4] = Int32GetDatum(diverted->version ? *diverted->version : 0);
	if (diverted->version == NULL)
		nulls[4] = 'n';
	values[5] = JsonbPGetDatum(diverted->violations);
	values[6] = BoolGetDatum(diverted->kept);
	values[7] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[8] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	values[9] = CStringGetTextDatum(application_name ? application_name : "");
	values[10] = FullTransactionIdGetDatum(GetTopFullTransactionId());

	ev_event_table_insert(EV_QUARANTINE, owner, &insert_plan, insert_command,
						  lengthof(column_types), column_types, values, nulls);
}

/* ---------- reading ---------- */

/*
 * list_event_quarantine() → the rows of event_quarantine, with the caller's
 * rights.  None where there is no quarantine yet.
 */
Datum
ev_list_event_quarantine(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SPIPlanPtr	plan;
	Portal		portal;

	InitMaterializedSRF(fcinfo, 0);
	if (!OidIsValid(ev_quarantine_find()))
		return (Datum) 0;

	SPI_connect();
	plan = SPI_prepare("SELECT id, relation_schema, relation_name, \"row\", event_type, schema_version,"
					   " violations, kept, arrived_at, role, application, \"transaction\""
					   " FROM " TABLE, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare returned %s", SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, 100);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
			tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_cursor_close(portal);
	SPI_finish();
	return (Datum) 0;
}

/*
 * purge_event_quarantine(older_than interval, relation regclass DEFAULT NULL,
 *						  event_type text DEFAULT NULL,
 *						  schema_version int DEFAULT NULL,
 *						  kept boolean DEFAULT NULL) → bigint
 *
 * With the caller's rights on the quarantine.
 */
Datum
ev_purge_event_quarantine(PG_FUNCTION_ARGS)
{
	Oid			types[] = {INTERVALOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, BOOLOID};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types)];
	int			result;
	int64		purged;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("older_than must not be null")));
	if (!OidIsValid(ev_quarantine_find()))
		PG_RETURN_INT64(0);

	memset(nulls, 'n', sizeof(nulls));
	memset(values, 0, sizeof(values));
	values[0] = PG_GETARG_DATUM(0);
	nulls[0] = ' ';
	if (!PG_ARGISNULL(1))
	{
		Oid			relation = PG_GETARG_OID(1);
		char	   *name = get_rel_name(relation);

		if (name == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("relation with OID %u does not exist", relation)));
		values[1] = CStringGetTextDatum(get_namespace_name(get_rel_namespace(relation)));
		values[2] = CStringGetTextDatum(name);
		nulls[1] = nulls[2] = ' ';
	}
	for (int i = 2; i < 5; i++)
		if (!PG_ARGISNULL(i))
		{
			values[i + 1] = PG_GETARG_DATUM(i);
			nulls[i + 1] = ' ';
		}

	SPI_connect();
	result = SPI_execute_with_args("DELETE FROM " TABLE
								   " WHERE arrived_at OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) $1)"
								   " AND ($2 IS NULL OR (relation_schema OPERATOR(pg_catalog.=) $2"
								   " AND relation_name OPERATOR(pg_catalog.=) $3))"
								   " AND ($4 IS NULL OR event_type OPERATOR(pg_catalog.=) $4)"
								   " AND ($5 IS NULL OR schema_version OPERATOR(pg_catalog.=) $5)"
								   " AND ($6 IS NULL OR kept OPERATOR(pg_catalog.=) $6)",
								   lengthof(types), types, values, nulls, false, 0);
	if (result != SPI_OK_DELETE)
		elog(ERROR, "SPI_execute_with_args returned %s", SPI_result_code_string(result));
	purged = SPI_processed;
	SPI_finish();
	PG_RETURN_INT64(purged);
}

/* ---------- keeping it ---------- */

/* The owner of the extension; InvalidOid where there is none. */
static Oid
extension_owner(void)
{
	Relation	pg_extension = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			owner = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("event_validate"));
	scan = systable_beginscan(pg_extension, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
	systable_endscan(scan);
	table_close(pg_extension, AccessShareLock);
	return owner;
}

/*
 * Would this command drop the extension, and with CASCADE all that stands in
 * event_schema?  The extension goes with the schema that it is in.
 */
static bool
drops_extension(Node *command, Oid extension_namespace)
{
	const char *name;
	ListCell   *cell;

	if (IsA(command, DropOwnedStmt) &&
		castNode(DropOwnedStmt, command)->behavior == DROP_CASCADE)
	{
		Oid			owner = extension_owner();

		foreach(cell, castNode(DropOwnedStmt, command)->roles)
			if (get_rolespec_oid(lfirst_node(RoleSpec, cell), true) == owner)
			return true;
	}
	else if (IsA(command, DropStmt) && castNode(DropStmt, command)->behavior == DROP_CASCADE)
	{
		if (castNode(DropStmt, command)->removeType == OBJECT_EXTENSION)
			name = "event_validate";
		else
			name = get_namespace_name(extension_namespace);
		foreach(cell, castNode(DropStmt, command)->objects)
			if (strcmp(strVal(lfirst(cell)), name) == 0)
			return true;
	}
	return false;
}

/* Raises where a table, if it is there, has rows. */
static void
refuse_rows(const char *name)
{
	Oid			owner;
	Oid			user;
	int			security;
	bool		empty;

	if (!OidIsValid(ev_event_table_find(name, &owner)))
		return;
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
	SPI_connect();
	if (SPI_execute(psprintf("SELECT FROM " EV_SCHEMA_NAMESPACE ".%s LIMIT 1", name), true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read table %s", name);
	empty = SPI_processed == 0;
	SPI_finish();
	SetUserIdAndSecContext(user, security);
	if (!empty)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop extension event_validate while table \"%s.%s\" holds events",
						EV_SCHEMA_NAMESPACE, name),
				 errdetail("CASCADE would drop them with the schema."),
				 strcmp(name, EV_QUARANTINE) == 0 ?
				 errhint("Replay or purge them, drop the table, or move it away with ALTER TABLE ... SET SCHEMA.") :
				 errhint("Delete them, drop the table, or move it away with ALTER TABLE ... SET SCHEMA.")));
}

/*
 * ddl_command_start: refuses to drop events along with the extension.  (When
 * it is being dropped, its event triggers are gone before they could see
 * what.)
 */
Datum
ev_guard_quarantine(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = (EventTriggerData *) fcinfo->context;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo) || strcmp(data->event, "ddl_command_start") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function is called by a %s event trigger only", "ddl_command_start")));
	if (!IsBinaryUpgrade && drops_extension(data->parsetree, get_func_namespace(fcinfo->flinfo->fn_oid)))
	{
		refuse_rows(EV_QUARANTINE);
		refuse_rows(EV_ORIGINALS);
	}
	PG_RETURN_NULL();
}
