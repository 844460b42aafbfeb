/*
 * event_tables.c
 *	  create_event_quarantine(): creates the tables in event_schema that hold events
 *	  before anything needs them.
 *
 * On a server whose guards divert events, the first guard creates the quarantine.  A
 * logical subscriber to all tables, and a worker of a distributed database, get events
 * for these tables without a guard of their own, so the tables must be there before.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "catalog/pg_type.h"

#include "base/run_as_owner.h"
#include "evolution/migrated_events.h"
#include "guard/quarantine.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "rows/event_table.h"

PG_FUNCTION_INFO_V1(ev_create_event_quarantine);

static const char *const tables[] = {EV_QUARANTINE, EV_ORIGINALS};

/*
 * Moves the identity column of a table to a number, unless it is beyond it.  Only
 * what is in pg_catalog is called, as the table's owner.
 */
static void
move_identity(const char *name, int64 first_id)
{
	Oid			types[2] = {TEXTOID, INT8OID};
	Datum		values[2] = {
		CStringGetTextDatum(quote_qualified_identifier(EV_SCHEMA_NAMESPACE, name)), Int64GetDatum(first_id)
	};
	Oid			owner;
	EvRunAs		caller;

	if (!OidIsValid(ev_event_table_find(name, &owner)))
		return;
	ev_run_as_begin(&caller, owner, SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	SPI_connect();
	/* OFFSET 0: no function is called for another sequence of the database */
	if (SPI_execute_with_args("SELECT pg_catalog.setval(q.seq, $2, false)"
							  " FROM (SELECT pg_catalog.pg_get_serial_sequence($1, 'id'::pg_catalog.text)::pg_catalog.regclass AS seq"
							  " OFFSET 0) AS q WHERE q.seq IS NOT NULL"
							  " AND COALESCE(pg_catalog.pg_sequence_last_value(q.seq), 0::pg_catalog.int8) OPERATOR(pg_catalog.<) $2",
							  2, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not set the identity of table %s", name);
	SPI_finish();
	ev_run_as_end(&caller);
}

/*
 * create_event_quarantine(first_id bigint DEFAULT NULL) returns void
 *
 * The caller needs CREATE on event_schema for a table that is missing, and the rights of
 * its owner for first_id.
 */
Datum
ev_create_event_quarantine(PG_FUNCTION_ARGS)
{
	int64		first_id = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0);
	bool		is_needed = !PG_ARGISNULL(0);

	if (!PG_ARGISNULL(0) && first_id < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("first_id must be at least 1")));
	PreventCommandIfReadOnly("create_event_quarantine()");
	for (int i = 0; i < (int) lengthof(tables); i++)
	{
		Oid			owner;

		if (!OidIsValid(ev_event_table_find(tables[i], &owner)))
		{
			ev_ownership_require_create();
			is_needed = true;
		}
		else if (has_privs_of_role(GetUserId(), owner))
			is_needed = true;
		else if (!PG_ARGISNULL(0))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("must be owner of table %s.%s", EV_SCHEMA_NAMESPACE, tables[i])));
	}
	/* others must not wait for a table's lock */
	if (!is_needed)
		PG_RETURN_VOID();
	ev_quarantine_create(true);
	ev_originals_create();
	if (!PG_ARGISNULL(0))
		for (int i = 0; i < (int) lengthof(tables); i++)
			move_identity(tables[i], first_id);
	PG_RETURN_VOID();
}
