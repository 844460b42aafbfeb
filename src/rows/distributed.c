/*
 * distributed.c
 *	  Tables whose rows are on other servers: those of Citus.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "rows/distributed.h"
#include "rows/table_rights.h"

/* A column of a catalog of Citus that is read. */
typedef struct DistColumn
{
	const char *name;
	Oid			type;
} DistColumn;

/*
 * Opens a catalog of Citus, and finds its columns; NULL if there is none.  Only a
 * superuser can create a table in pg_catalog, so the name is enough.
 */
static Relation
open_catalog(const char *name, const DistColumn *columns, int count, AttrNumber *numbers)
{
	Oid			table = get_relname_relid(name, PG_CATALOG_NAMESPACE);
	Relation	relation;

	if (!OidIsValid(table) || get_rel_relkind(table) != RELKIND_RELATION)
		return NULL;
	for (int i = 0; i < count; i++)
	{
		numbers[i] = get_attnum(table, columns[i].name);
		if (numbers[i] == InvalidAttrNumber || get_atttype(table, numbers[i]) != columns[i].type)
			return NULL;
	}
	relation = try_table_open(table, AccessShareLock);
	return relation;
}

EvDistribution
ev_distribution(Oid table)
{
	static const DistColumn columns[] = {{"logicalrelid", REGCLASSOID}, {"partmethod", CHAROID}, {"repmodel", CHAROID}};
	AttrNumber	numbers[lengthof(columns)];
	Relation	catalog = open_catalog("pg_dist_partition", columns, lengthof(columns), numbers);
	EvDistribution result = EV_NOT_DISTRIBUTED;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	row;

	if (catalog == NULL)
		return result;
	ScanKeyInit(&key, numbers[0], BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 1, &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
	{
		bool		is_null;
		char		method = DatumGetChar(heap_getattr(row, numbers[1], RelationGetDescr(catalog), &is_null));
		char		model = DatumGetChar(heap_getattr(row, numbers[2], RelationGetDescr(catalog), &is_null));

		/* none and two-phase commit: a reference table */
		result = method == 'n' && model == 't' ? EV_REPLICATED : EV_DISTRIBUTED;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/* Returns the number after the last "_" of a name; -1: there is none. */
static int64
shard_number(const char *name)
{
	const char *digits = strrchr(name, '_');
	int64		number = 0;

	if (digits == NULL || digits[1] == '\0' || strlen(digits + 1) > 18)
		return -1;
	for (const char *p = digits + 1; *p != '\0'; p++)
	{
		if (*p < '0' || *p > '9')
			return -1;
		number = number * 10 + (*p - '0');
	}
	return number;
}

/* Returns the table whose shard has this number; InvalidOid: none. */
static Oid
table_of_shard(int64 number)
{
	static const DistColumn columns[] = {{"logicalrelid", REGCLASSOID}, {"shardid", INT8OID}};
	AttrNumber	numbers[lengthof(columns)];
	Relation	catalog = open_catalog("pg_dist_shard", columns, lengthof(columns), numbers);
	Oid			result = InvalidOid;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	row;

	if (catalog == NULL)
		return result;
	ScanKeyInit(&key, numbers[1], BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(number));
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 1, &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
	{
		bool		is_null;

		result = DatumGetObjectId(heap_getattr(row, numbers[0], RelationGetDescr(catalog), &is_null));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

Oid
ev_distributed_table(Oid table)
{
	char	   *name = get_rel_name(table);
	int64		number = name != NULL ? shard_number(name) : -1;
	Oid			whole = number >= 0 ? table_of_shard(number) : InvalidOid;
	char	   *whole_name = OidIsValid(whole) ? get_rel_name(whole) : NULL;
	int			length;

	if (whole_name == NULL || whole == table || get_rel_namespace(whole) != get_rel_namespace(table))
		return table;
	/* other roles can create tables with the names of shards */
	if (ev_table_owner(whole) != ev_table_owner(table))
		return table;

	/* in a name that would be too long, Citus replaces the end by a hash */
	length = strlen(whole_name);
	if (strncmp(name, whole_name, length) == 0 && name + length == strrchr(name, '_'))
		return whole;
	return strlen(name) == NAMEDATALEN - 1 && length + strlen(strrchr(name, '_')) >= NAMEDATALEN ? whole : table;
}

/* ---------- commands ---------- */

/* Runs a query that returns a row for each server where a command failed. */
static void
run(const char *query, int count, Oid *types, Datum *values, const char *what)
{
	StringInfoData reasons;

	initStringInfo(&reasons);
	SPI_connect();
	if (SPI_execute_with_args(query, count, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run a command on other servers");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *reason = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);

		if (reason != NULL)
			appendStringInfo(&reasons, "%s%s", reasons.len > 0 ? "\n" : "", reason);
	}
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("%s failed on other servers", what),
				 errdetail_internal("%s", reasons.data),
				 errhint("What was done on the rest stays.  Call it again.")));
	SPI_finish();
}

void
ev_run_on_shards(Oid table, const char *command, const char *what)
{
	Oid			types[2] = {REGCLASSOID, TEXTOID};
	Datum		values[2] = {ObjectIdGetDatum(table), CStringGetTextDatum(command)};

	run("SELECT pg_catalog.format('%s:%s, shard %s: %s'::pg_catalog.text, p.nodename, p.nodeport, p.shardid, p.result)"
		" FROM pg_catalog.run_command_on_placements($1, $2, true) AS p WHERE NOT p.success",
		2, types, values, what);
}

void
ev_run_on_workers(const char *command, const char *what)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(command)};

	run("SELECT pg_catalog.format('%s:%s: %s'::pg_catalog.text, p.nodename, p.nodeport, p.result)"
		" FROM pg_catalog.run_command_on_workers($1, true) AS p WHERE NOT p.success",
		1, types, values, what);
}

void
ev_notice_quarantines(Oid table, const char *function)
{
	if (ev_distribution(table) == EV_NOT_DISTRIBUTED ||
		(application_name != NULL && strncmp(application_name, "citus_", strlen("citus_")) == 0))
		return;
	ereport(NOTICE,
			(errmsg("%s looks only at the quarantine of this server, and table \"%s\" is distributed", function,
					get_rel_name(table)),
			 errhint("On all servers: SELECT * FROM run_command_on_all_nodes('SELECT %s(...)').", function)));
}

char *
ev_percents_doubled(const char *string)
{
	StringInfoData result;

	initStringInfo(&result);
	for (const char *p = string; *p != '\0'; p++)
	{
		if (*p == '%')
			appendStringInfoChar(&result, '%');
		appendStringInfoChar(&result, *p);
	}
	return result.data;
}
