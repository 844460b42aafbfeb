/*
 * quarantine.c
 *	  The table event_schema.quarantine: events that were diverted, and
 *	  records of events that were kept with a warning.
 *
 * event_table.c creates and fills it, but it belongs to a user: its columns
 * can be dropped, added, renamed or get other types, and its rows can contain
 * anything.  So it must be opened first, which checks its columns under a
 * lock, and queries check the types of their result.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/xid8.h"

#include "base/arguments.h"
#include "base/compat.h"
#include "guard/quarantine.h"
#include "registry/names.h"
#include "rows/distributed.h"
#include "rows/event_table.h"
#include "rows/row_json.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_list_event_quarantine);
PG_FUNCTION_INFO_V1(ev_event_quarantine_counts);
PG_FUNCTION_INFO_V1(ev_purge_event_quarantine);

#define TABLE	EV_SCHEMA_NAMESPACE "." EV_QUARANTINE

/* ---------- the table ---------- */

Oid
ev_quarantine_find(void)
{
	Oid			owner;

	return ev_event_table_find(EV_QUARANTINE, &owner);
}

/* The columns that are written and read, in this order. */
static const struct
{
	const char *name;
	Oid			type;
	const char *definition;
}			columns[] = {
	{"id", INT8OID, "pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY"},
	{"relation_schema", TEXTOID, "pg_catalog.text NOT NULL"},
	{"relation_name", TEXTOID, "pg_catalog.text NOT NULL"},
	{"row", JSONBOID, "pg_catalog.jsonb NOT NULL"},
	{"event_type", TEXTOID, "pg_catalog.text"},
	{"schema_version", INT4OID, "pg_catalog.int4"},
	{"violations", JSONBOID, "pg_catalog.jsonb NOT NULL"},
	{"kept", BOOLOID, "pg_catalog.bool NOT NULL"},
	{"arrived_at", TIMESTAMPTZOID, "pg_catalog.timestamptz NOT NULL"},
	{"role", TEXTOID, "pg_catalog.text NOT NULL"},
	{"application", TEXTOID, "pg_catalog.text NOT NULL"},
	{"transaction", XID8OID, "pg_catalog.xid8 NOT NULL"},
	{EV_QUARANTINE_OWNER, TEXTOID, "pg_catalog.text"}
};

#define COLUMNS	((int) lengthof(columns))

/* The last column: a quarantine that an earlier build made has none. */
#define OWNER_COLUMN	(COLUMNS - 1)

/* Checks a column; false: there is no column of the owner. */
static bool
check_column(TupleDesc descriptor, int number)
{
	const char *name = columns[number].name;
	Form_pg_attribute column = NULL;

	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute other = TupleDescAttr(descriptor, i);

		if (!other->attisdropped && strcmp(NameStr(other->attname), name) == 0)
			column = other;
	}
	if (column == NULL && number == OWNER_COLUMN)
		return false;
	if (column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column \"%s\" of type %s", TABLE, name,
						format_type_be(columns[number].type)),
				 errhint("Add the column, or move the table away with ALTER TABLE ... SET SCHEMA: set_event_guard_mode creates a new one.")));
	if (column->atttypid != columns[number].type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" is of type %s instead of %s", name, TABLE,
						format_type_be(column->atttypid), format_type_be(columns[number].type)),
				 errhint("Change its type with ALTER TABLE ... ALTER COLUMN ... TYPE, or move the table away with ALTER TABLE ... SET SCHEMA: set_event_guard_mode creates a new one.")));
	if (column->attgenerated != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" is generated", name, TABLE),
				 errhint("Make it a column that can be written, or move the table away with ALTER TABLE ... SET SCHEMA: set_event_guard_mode creates a new one.")));
	return true;
}

/*
 * Raises an error unless the user has a privilege on the table, before a lock
 * is taken.
 */
static void
check_rights(Oid table, AclMode needs)
{
	if (needs == 0 || pg_class_aclcheck(table, GetUserId(), needs) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(table, GetUserId(), needs, ACLMASK_ANY) == ACLCHECK_OK)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for table %s", EV_QUARANTINE),
			 errhint("The quarantine's owner can allow it: GRANT %s ON %s TO %s.",
					 (needs & ~ACL_SELECT) != 0 ? "SELECT, UPDATE, DELETE" : "SELECT", TABLE,
					 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
}

bool
ev_quarantine_open(EvQuarantine *quarantine, LOCKMODE mode, AclMode needs)
{
	Relation	relation;
	Oid			table = ev_event_table_find(EV_QUARANTINE, &quarantine->owner);

	for (;;)
	{
		Oid			found;

		if (!OidIsValid(table))
			return false;
		check_rights(table, needs);
		LockRelationOid(table, mode);
		/* the table may have been replaced before the lock was available */
		found = ev_event_table_find(EV_QUARANTINE, &quarantine->owner);
		if (found == table)
			break;
		UnlockRelationOid(table, mode);
		table = found;
	}
	relation = table_open(table, NoLock);
	for (int i = 0; i < COLUMNS; i++)
		quarantine->has_owners = check_column(RelationGetDescr(relation), i);
	table_close(relation, NoLock);

	quarantine->table = table;
	quarantine->is_switched = false;
	quarantine->user = GetUserId();
	return true;
}

void
ev_quarantine_as_owner(EvQuarantine *quarantine)
{
	Oid			owner = quarantine->owner == ROLE_PG_DATABASE_OWNER ? ev_database_owner() : quarantine->owner;
	int			security = SECURITY_LOCAL_USERID_CHANGE;

	if (owner == quarantine->user || !has_privs_of_role(quarantine->user, owner))
		return;
	if (!EV_MAY_SET_ROLE(owner, quarantine->user))
		security |= SECURITY_RESTRICTED_OPERATION;
	if (has_bypassrls_privilege(quarantine->user))
		security |= SECURITY_NOFORCE_RLS;
	ev_run_as_begin(&quarantine->caller, owner, security);
	quarantine->is_switched = true;
}

void
ev_quarantine_as_caller(EvQuarantine *quarantine)
{
	if (!quarantine->is_switched)
		return;
	ev_run_as_end(&quarantine->caller);
	quarantine->is_switched = false;
}

void
ev_quarantine_check_result(TupleDesc descriptor, int count, const Oid *types)
{
	if (descriptor->natts != count)
		elog(ERROR, "%d columns of table %s instead of %d", descriptor->natts, TABLE, count);
	for (int i = 0; i < count; i++)
	{
		Form_pg_attribute column = TupleDescAttr(descriptor, i);

		if (column->atttypid != types[i])
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of table \"%s\" is of type %s instead of %s",
							NameStr(column->attname), TABLE,
							format_type_be(column->atttypid), format_type_be(types[i]))));
	}
}

/* A table with another comment stays when the last guard is dropped. */
#define COMMENT			"events that guards diverted from their tables, or kept with a warning"
#define COMMENT_STAYS	COMMENT " (made by create_event_quarantine; stays without guards)"

/* Gives the table the comment with which it stays. */
static void
let_stay(const EvQuarantine *quarantine)
{
	EvRunAs		caller;

	if (!has_privs_of_role(quarantine->user, quarantine->owner))
		return;
	ev_run_as_begin(&caller, quarantine->owner, SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	SPI_connect();
	if (SPI_execute("COMMENT ON TABLE " TABLE " IS '" COMMENT_STAYS "'", false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not comment on table %s", TABLE);
	SPI_finish();
	ev_run_as_end(&caller);
}

void
ev_quarantine_create(bool stays)
{
	StringInfoData command;
	const char *commands[6] = {NULL,
		stays ? "COMMENT ON TABLE " TABLE " IS '" COMMENT_STAYS "'" : "COMMENT ON TABLE " TABLE " IS '" COMMENT "'",
		"COMMENT ON COLUMN " TABLE ".\"row\" IS 'the row as it came'",
		"COMMENT ON COLUMN " TABLE ".violations IS 'why, as of its arrival or the last replay'",
		"COMMENT ON COLUMN " TABLE ".kept IS 'the row is in its table too: the guard only warned'",
		"COMMENT ON COLUMN " TABLE "." EV_QUARANTINE_OWNER " IS 'who owned the table: a replay puts the row only into a table whose owner has the rights of this role; NULL: not checked'"
	};
	EvQuarantine quarantine;

	if (ev_quarantine_open(&quarantine, AccessShareLock, 0))
	{
		if (stays && ev_quarantine_is_unaltered(quarantine.table))
			let_stay(&quarantine);
		/* the caller may have no privilege on it, and must not keep a lock */
		UnlockRelationOid(quarantine.table, AccessShareLock);
		return;
	}
	initStringInfo(&command);
	appendStringInfoString(&command, "CREATE TABLE " TABLE " (");
	for (int i = 0; i < COLUMNS; i++)
		appendStringInfo(&command, "%s\"%s\" %s", i > 0 ? ", " : "", columns[i].name, columns[i].definition);
	appendStringInfoChar(&command, ')');
	commands[0] = command.data;
	ev_event_table_create(EV_QUARANTINE, commands, lengthof(commands));
}

#define UNALTERED \
	"SELECT FROM pg_catalog.pg_class AS c" \
	" WHERE c.oid OPERATOR(pg_catalog.=) $1 AND c.relnatts OPERATOR(pg_catalog.=) $2" \
	" AND pg_catalog.obj_description(c.oid, 'pg_class'::pg_catalog.name) OPERATOR(pg_catalog.=) '" COMMENT "'::pg_catalog.text" \
	" AND c.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog.\"char\" AND NOT c.relrowsecurity" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) AS a WHERE a.grantee OPERATOR(pg_catalog.<>) c.relowner)" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid" \
	"  AND (a.attisdropped OR a.attacl IS NOT NULL))" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS i" \
	"  WHERE i.inhrelid OPERATOR(pg_catalog.=) c.oid OR i.inhparent OPERATOR(pg_catalog.=) c.oid)" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid OPERATOR(pg_catalog.=) c.oid)" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite AS r WHERE r.ev_class OPERATOR(pg_catalog.=) c.oid)" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy AS p WHERE p.polrelid OPERATOR(pg_catalog.=) c.oid)" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i" \
	"  WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid AND NOT i.indisprimary)" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS p WHERE p.prrelid OPERATOR(pg_catalog.=) c.oid)"

bool
ev_quarantine_is_unaltered(Oid table)
{
	Oid			types[2] = {OIDOID, INT4OID};
	bool		has_owners = get_attnum(table, EV_QUARANTINE_OWNER) != InvalidAttrNumber;
	Datum		values[2] = {ObjectIdGetDatum(table), Int32GetDatum(has_owners ? COLUMNS : COLUMNS - 1)};
	bool		result;

	SPI_connect();
	if (SPI_execute_with_args(UNALTERED, 2, types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the catalogs");
	result = SPI_processed > 0;
	SPI_finish();
	return result;
}

/* ---------- writing ---------- */

/* Kept until the end of the session: without and with the column of the owner. */
static SPIPlanPtr insert_plans[2];

/*
 * Appends the names of the columns from `first` to before `end`, separated by
 * commas.
 */
static void
append_columns(StringInfo command, int first, int end)
{
	for (int i = first; i < end; i++)
		appendStringInfo(command, "%s\"%s\"", i > first ? ", " : "", columns[i].name);
}

/*
 * Returns the INSERT command for the first `count` columns, in
 * CurrentMemoryContext.  It omits the id, which is generated.
 */
static char *
insert_command(int count)
{
	StringInfoData command;

	initStringInfo(&command);
	appendStringInfoString(&command, "INSERT INTO " TABLE " (");
	append_columns(&command, 1, count);
	appendStringInfoString(&command, ") VALUES (");
	for (int i = 1; i < count; i++)
		appendStringInfo(&command, "%s$%d", i > 1 ? ", " : "", i);
	appendStringInfoChar(&command, ')');
	return command.data;
}

/* Returns the schema and name of a table, in CurrentMemoryContext. */
static void
table_names(Oid table, Datum *schema, Datum *name)
{
	char	   *relation = get_rel_name(table);
	char	   *namespace = get_namespace_name(get_rel_namespace(table));

	if (relation == NULL || namespace == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", table)));
	*schema = CStringGetTextDatum(namespace);
	*name = CStringGetTextDatum(relation);
}

/* Returns the name of a table's owner, in CurrentMemoryContext. */
static Datum
owner_name(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", table);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return CStringGetTextDatum(GetUserNameFromId(owner, false));
}

/* Returns the row as jsonb, in CurrentMemoryContext. */
static Datum
row_of(const EvDiverted *diverted)
{
	Jsonb	   *row = ev_row_to_jsonb(diverted->relation, diverted->row);
	StringInfoData child;

	if (!diverted->is_child)
		return JsonbPGetDatum(row);
	initStringInfo(&child);
	appendStringInfoString(&child, "{\"" EV_QUARANTINE_CHILD "\": ");
	escape_json(&child, ev_table_name(RelationGetRelid(diverted->relation)));
	appendStringInfoChar(&child, '}');
	return DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(row),
							   DirectFunctionCall1(jsonb_in, CStringGetDatum(child.data)));
}

void
ev_quarantine_add(const EvDiverted *diverted)
{
	/* without the id */
	Oid			types[COLUMNS - 1];
	Datum		values[COLUMNS - 1];
	char		nulls[COLUMNS - 1];
	EvQuarantine quarantine;
	int			count;
	Oid			table = ev_distributed_table(diverted->table);

	if (!ev_quarantine_open(&quarantine, RowExclusiveLock, 0))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" does not exist", TABLE),
				 errdetail("The guard on table \"%s\" cannot store the event.",
						   get_rel_name(diverted->table)),
				 table != diverted->table ?
				 errhint("SELECT create_event_quarantine() creates it, on each server that has shards.") :
				 errhint("set_event_guard_mode creates it.")));
	count = quarantine.has_owners ? COLUMNS : COLUMNS - 1;
	for (int i = 1; i < count; i++)
		types[i - 1] = columns[i].type;
	memset(nulls, ' ', sizeof(nulls));
	table_names(table, &values[0], &values[1]);
	values[2] = row_of(diverted);
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
	if (quarantine.has_owners)
		values[11] = owner_name(table);

	ev_event_table_insert(EV_QUARANTINE, quarantine.owner, &insert_plans[quarantine.has_owners], insert_command(count),
						  count - 1, types, values, nulls);
}

/* ---------- reading ---------- */

/* The columns of event_quarantine: all but that of the owner. */
#define LISTED	(COLUMNS - 1)

/*
 * list_event_quarantine() returns the rows of event_quarantine, with the
 * caller's rights; as its owner, if the caller has the owner's rights, since
 * to plan the query runs code in the table's indexes and statistics.  Returns
 * no rows if there is no quarantine.
 */
Datum
ev_list_event_quarantine(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	StringInfoData command;
	SPIPlanPtr	plan;
	Portal		portal;
	Oid			types[LISTED];
	EvQuarantine quarantine;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < LISTED; i++)
		types[i] = columns[i].type;
	ev_quarantine_check_result(result->setDesc, LISTED, types);
	if (!ev_quarantine_open(&quarantine, AccessShareLock, ACL_SELECT))
		return (Datum) 0;

	SPI_connect();
	initStringInfo(&command);
	appendStringInfoString(&command, "SELECT ");
	append_columns(&command, 0, LISTED);
	appendStringInfoString(&command, " FROM " TABLE);
	ev_quarantine_as_owner(&quarantine);
	plan = SPI_prepare(command.data, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare returned %s", SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, 100);
		if (SPI_processed == 0)
			break;
		ev_quarantine_check_result(SPI_tuptable->tupdesc, LISTED, types);
		for (uint64 i = 0; i < SPI_processed; i++)
			tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_cursor_close(portal);
	ev_quarantine_as_caller(&quarantine);
	SPI_finish();
	return (Datum) 0;
}

/* Rows that event_quarantine_counts looks at: the oldest ones, so that its cost is bounded. */
#define COUNTED_ROWS	"10000"

#define COUNTS \
	"SELECT q.relation_schema, q.relation_name, q.kept, pg_catalog.count(*), pg_catalog.min(q.arrived_at)," \
	"  pg_catalog.max(q.arrived_at), pg_catalog.sum(pg_catalog.count(*)) OVER () OPERATOR(pg_catalog.<) " COUNTED_ROWS \
	" FROM (SELECT relation_schema, relation_name, kept, arrived_at FROM " TABLE " ORDER BY id LIMIT " COUNTED_ROWS ") AS q" \
	" GROUP BY q.relation_schema, q.relation_name, q.kept"

/*
 * event_quarantine_counts() returns how many events of each table the quarantine
 * has.  Members of pg_read_all_stats, who see counts only, need no privilege on it:
 * for them the query runs as its owner, as it does for others with the owner's
 * rights.  The rest run it with their own rights.
 */
Datum
ev_event_quarantine_counts(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			types[] = {TEXTOID, TEXTOID, BOOLOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID};
	bool		sees_all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
	EvQuarantine quarantine;
	EvRunAs		caller;

	InitMaterializedSRF(fcinfo, 0);
	if (!ev_quarantine_open(&quarantine, AccessShareLock, sees_all ? 0 : ACL_SELECT))
		return (Datum) 0;
	if (sees_all)
		ev_run_as_begin(&caller, quarantine.owner == ROLE_PG_DATABASE_OWNER ? ev_database_owner() : quarantine.owner,
						SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
	else
		ev_quarantine_as_owner(&quarantine);
	SPI_connect();
	if (SPI_execute(COUNTS, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read table %s", TABLE);
	ev_quarantine_check_result(SPI_tuptable->tupdesc, lengthof(types), types);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	if (sees_all)
		ev_run_as_end(&caller);
	ev_quarantine_as_caller(&quarantine);
	return (Datum) 0;
}

/*
 * Raises an error unless the reason is an object with members.  An empty
 * object would select each violation.
 */
static void
check_reason(const Jsonb *reason)
{
	if (!JB_ROOT_IS_OBJECT(reason) || JB_ROOT_COUNT(reason) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("reason must be a JSON object with members of a violation"),
				 errhint("For example '{\"keyword\": \"required\", \"property\": \"symbol\"}'. The column \"violations\" of event_quarantine has them.")));
}

/*
 * purge_event_quarantine(older_than interval, relation regclass DEFAULT NULL,
 * event_type text DEFAULT NULL, schema_version int DEFAULT NULL, kept boolean
 * DEFAULT NULL, reason jsonb DEFAULT NULL) returns bigint
 *
 * The reason is an object: a violation that has at least these members.
 *
 * Runs with the caller's rights on the quarantine; as its owner, if the caller
 * has the owner's rights.
 */
Datum
ev_purge_event_quarantine(PG_FUNCTION_ARGS)
{
	Oid			types[] = {INTERVALOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, BOOLOID, JSONBOID};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types)];
	int			result;
	int64		purged;
	EvQuarantine quarantine;

	ev_require_argument(fcinfo, 0, "older_than");
	if (!PG_ARGISNULL(5))
		check_reason(PG_GETARG_JSONB_P(5));
	if (!ev_quarantine_open(&quarantine, RowExclusiveLock, ACL_DELETE))
		PG_RETURN_INT64(0);

	memset(nulls, 'n', sizeof(nulls));
	memset(values, 0, sizeof(values));
	values[0] = PG_GETARG_DATUM(0);
	nulls[0] = ' ';
	if (!PG_ARGISNULL(1))
	{
		ev_notice_quarantines(PG_GETARG_OID(1), "purge_event_quarantine");
		table_names(PG_GETARG_OID(1), &values[1], &values[2]);
		nulls[1] = nulls[2] = ' ';
	}
	for (int i = 2; i <= 5; i++)
		if (!PG_ARGISNULL(i))
		{
			values[i + 1] = PG_GETARG_DATUM(i);
			nulls[i + 1] = ' ';
		}

	ev_quarantine_as_owner(&quarantine);
	SPI_connect();
	result = SPI_execute_with_args("DELETE FROM " TABLE
								   " WHERE arrived_at OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) $1)"
								   " AND ($2 IS NULL OR (relation_schema OPERATOR(pg_catalog.=) ($2 COLLATE pg_catalog.\"C\")"
								   " AND relation_name OPERATOR(pg_catalog.=) ($3 COLLATE pg_catalog.\"C\")))"
								   " AND ($4 IS NULL OR event_type OPERATOR(pg_catalog.=) $4)"
								   " AND ($5 IS NULL OR schema_version OPERATOR(pg_catalog.=) $5)"
								   " AND ($6 IS NULL OR kept OPERATOR(pg_catalog.=) $6)"
								   " AND ($7 IS NULL OR violations OPERATOR(pg_catalog.@>) pg_catalog.jsonb_build_array($7))",
								   lengthof(types), types, values, nulls, false, 0);
	if (result != SPI_OK_DELETE)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("could not delete events from table \"%s\"", TABLE),
				 errhint("Check its rules.")));
	purged = SPI_processed;
	SPI_finish();
	ev_quarantine_as_caller(&quarantine);
	PG_RETURN_INT64(purged);
}
