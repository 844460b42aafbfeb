/*
 * event_table.c
 *	  The tables in event_schema that hold events.
 *
 * The role whose event is written needs no privilege on them.  The row is
 * inserted as the table's owner, in a security-restricted operation and with a
 * fixed search_path.  So the owner's triggers on the table (for example, one
 * that raises an alarm) run with only the owner's rights, and do not depend on
 * the session.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/run_as_owner.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "rows/event_table.h"

static Oid
schema_owner(Oid namespace)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(namespace));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for namespace %u", namespace);
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	return owner;
}

static char *
role_name(Oid role)
{
	char	   *name = GetUserNameFromId(role, true);

	return name != NULL ? name : psprintf("%u", role);
}

/*
 * Any role with CREATE on the schema can take the name.  The kind is as in DROP.
 * PostgreSQL lets a schema's owner drop what is in it.
 */
static void
refuse_other_object(const char *name, const char *kind, Oid owner)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s.%s\" is not a table", EV_SCHEMA_NAMESPACE, name),
			 errdetail("It is another object (%s) of role \"%s\", but events are stored in a table of this name.",
					   kind, role_name(owner)),
			 errhint("Role \"%s\" can rename it. The owner of the database can drop it: DROP %s %s.%s.",
					 role_name(owner), kind, EV_SCHEMA_NAMESPACE, name)));
}

static const char *
kind_name(char kind)
{
	switch (kind)
	{
		case RELKIND_VIEW:
			return "VIEW";
		case RELKIND_MATVIEW:
			return "MATERIALIZED VIEW";
		case RELKIND_SEQUENCE:
			return "SEQUENCE";
		case RELKIND_INDEX:
		case RELKIND_PARTITIONED_INDEX:
			return "INDEX";
		case RELKIND_FOREIGN_TABLE:
			return "FOREIGN TABLE";
		default:
			return "TYPE";
	}
}

/* A table has a type of its name, but for its array's, which gives way. */
static void
refuse_type(const char *name, Oid namespace)
{
	HeapTuple	tuple = SearchSysCache2(TYPENAMENSP, CStringGetDatum(name), ObjectIdGetDatum(namespace));
	Form_pg_type form;

	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_type) GETSTRUCT(tuple);
	if (!OidIsValid(form->typelem) || form->typtype != TYPTYPE_BASE)
		refuse_other_object(name, form->typtype == TYPTYPE_DOMAIN ? "DOMAIN" : "TYPE", form->typowner);
	ReleaseSysCache(tuple);
}

Oid
ev_event_table_find(const char *name, Oid *owner)
{
	Oid			namespace = ev_namespace_oid();
	Oid			relation = OidIsValid(namespace) ? get_relname_relid(name, namespace) : InvalidOid;
	HeapTuple	tuple;
	char		kind;

	if (!OidIsValid(relation))
		return InvalidOid;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	*owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	kind = ((Form_pg_class) GETSTRUCT(tuple))->relkind;
	ReleaseSysCache(tuple);

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		refuse_other_object(name, kind_name(kind), *owner);
	if (!has_privs_of_role(*owner, schema_owner(namespace)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s.%s\" belongs to role \"%s\", which does not own schema %s",
						EV_SCHEMA_NAMESPACE, name, role_name(*owner), EV_SCHEMA_NAMESPACE),
				 errdetail("Its owner could read the events of all roles."),
				 errhint("Give it to the owner of the schema with ALTER TABLE ... OWNER TO. The owner of the database can drop it.")));
	return relation;
}

/*
 * Subscribers to all tables, or to those of the schema, stop at the first row of a table that
 * they do not have.
 */
static void
warn_of_publications(const char *name)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(ev_namespace_oid())};

	if (SPI_execute_with_args("SELECT p.pubname FROM pg_catalog.pg_publication AS p WHERE p.puballtables OR EXISTS ("
							  "SELECT FROM pg_catalog.pg_publication_namespace AS n"
							  " WHERE n.pnpubid OPERATOR(pg_catalog.=) p.oid AND n.pnnspid OPERATOR(pg_catalog.=) $1)",
							  lengthof(types), types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the publications");
	if (SPI_processed > 0)
		ereport(WARNING,
				(errmsg("publication \"%s\" publishes the new table \"%s.%s\", too",
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1), EV_SCHEMA_NAMESPACE, name),
				 errdetail("It is FOR ALL TABLES, or for the tables of the schema. A subscriber without this table stops at its first row."),
				 errhint("Run SELECT create_event_quarantine() on each subscriber, which needs the extension.")));
}

void
ev_event_table_create(const char *name, const char *const *commands, int count)
{
	Oid			owner;
	EvRunAs		caller;

	if (OidIsValid(ev_event_table_find(name, &owner)))
		return;
	ev_name_lock(psprintf("%s.%s", EV_SCHEMA_NAMESPACE, name), ExclusiveLock);
	/* another session may have created it in the meantime */
	AcceptInvalidationMessages();
	if (OidIsValid(ev_event_table_find(name, &owner)))
		return;
	if (!OidIsValid(ev_namespace_oid()))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist", EV_SCHEMA_NAMESPACE)));
	refuse_type(name, ev_namespace_oid());

	ev_run_as_begin(&caller, schema_owner(ev_namespace_oid()),
					SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	/* the session's defaults for new tables do not apply */
	set_config_option("default_tablespace", "", PGC_USERSET,
					  PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	set_config_option("default_table_access_method", "heap", PGC_USERSET,
					  PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	SPI_connect();
	for (int i = 0; i < count; i++)
		if (SPI_execute(commands[i], false, 0) != SPI_OK_UTILITY)
			elog(ERROR, "could not create table %s.%s", EV_SCHEMA_NAMESPACE, name);
	warn_of_publications(name);
	SPI_finish();
	ev_run_as_end(&caller);
}

void
ev_event_table_insert(const char *name, Oid owner, SPIPlanPtr *plan, const char *command,
					  int count, const Oid *types, Datum *values, const char *nulls)
{
	EvRunAs		caller;
	int			result;
	Oid			owner_now;
	Oid			relation = ev_event_table_find(name, &owner_now);

	/*
	 * from here on, the name means this table, and its owner does not change
	 */
	if (OidIsValid(relation))
		LockRelationOid(relation, RowExclusiveLock);
	if (!OidIsValid(relation) || ev_event_table_find(name, &owner_now) != relation || owner_now != owner)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s.%s\" was changed concurrently", EV_SCHEMA_NAMESPACE, name),
				 errhint("Try again.")));

	ev_run_as_begin(&caller, owner,
					SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
	SPI_connect();
	if (*plan == NULL)
	{
		SPIPlanPtr	new_plan = SPI_prepare(command, count, (Oid *) types);

		if (new_plan == NULL)
			elog(ERROR, "SPI_prepare returned %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(new_plan);
		*plan = new_plan;
	}
	result = SPI_execute_plan(*plan, values, nulls, false, 0);
	if (result != SPI_OK_INSERT && result != SPI_OK_REWRITTEN)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(result));

	/* the row would be lost if a trigger or a rule on the table removed it */
	if (result != SPI_OK_INSERT || SPI_processed != 1)
	{
		/*
		 * If a rule left nothing of the statement, the plan is not
		 * invalidated when the rule is dropped.  (It is not freed, since this
		 * may be a call inside another that is executing it.)
		 */
		if (result == SPI_OK_REWRITTEN)
			*plan = NULL;
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s.%s\" did not store the event", EV_SCHEMA_NAMESPACE, name),
				 errhint("Check its triggers and rules.")));
	}
	SPI_finish();
	ev_run_as_end(&caller);
}
