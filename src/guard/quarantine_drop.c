/*
 * quarantine_drop.c
 *	  Refuses commands that would drop events together with the tables that
 *	  hold them, and drops the quarantine with the last guard.
 *
 * When the extension is dropped, its event triggers are dropped before they
 * could check anything.  So the check is made before the command runs: does it
 * drop an object that these tables depend on?
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "commands/proclang.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/run_as_owner.h"
#include "base/subtransaction.h"
#include "guard/guard_definition.h"
#include "guard/quarantine.h"
#include "registry/extension_objects.h"
#include "registry/names.h"
#include "registry/utility_command.h"
#include "rows/event_table.h"
#include "rows/table_lock.h"

PG_FUNCTION_INFO_V1(ev_guard_quarantine);

/* One of the tables that hold events. */
typedef struct EventTable
{
	const char *name;
	Oid			table;			/* InvalidOid: there is none */
	Oid			owner;
} EventTable;

/*
 * Finds the table with this name.  Returns none if the relation is not a
 * table, or if it belongs to another role, since its rows are not the
 * extension's then.
 */
static EventTable
find_table(const char *name)
{
	EventTable	result = {.name = name};
	Oid			namespace = get_namespace_oid(EV_SCHEMA_NAMESPACE, true);
	Oid			table = OidIsValid(namespace) ? get_relname_relid(name, namespace) : InvalidOid;
	HeapTuple	tuple;
	Form_pg_class form;
	Oid			schema_owner;

	if (!OidIsValid(table))
		return result;
	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(namespace));
	if (!HeapTupleIsValid(tuple))
		return result;
	schema_owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	if (!HeapTupleIsValid(tuple))
		return result;
	form = (Form_pg_class) GETSTRUCT(tuple);
	if ((form->relkind == RELKIND_RELATION || form->relkind == RELKIND_PARTITIONED_TABLE) &&
		has_privs_of_role(form->relowner, schema_owner))
	{
		result.table = table;
		result.owner = form->relowner;
	}
	ReleaseSysCache(tuple);
	return result;
}

/* ---------- objects of a command ---------- */

/*
 * Returns the objects in a DROP, and their class; only kinds of objects that
 * tables can depend on.
 */
static List *
named_objects(const DropStmt *command, Oid *class)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, command->objects)
	{
		Node	   *object = lfirst(cell);
		Oid			oid = InvalidOid;

		switch (command->removeType)
		{
			case OBJECT_EXTENSION:
				*class = ExtensionRelationId;
				oid = get_extension_oid(strVal(object), true);
				break;
			case OBJECT_SCHEMA:
				*class = NamespaceRelationId;

				/*
				 * objects of the extension, which PostgreSQL refuses to drop
				 */
				if (strcmp(strVal(object), EV_SCHEMA_NAMESPACE) == 0 ||
					strcmp(strVal(object), EV_INTERNAL_NAMESPACE) == 0)
					break;
				oid = get_namespace_oid(strVal(object), true);
				break;
			case OBJECT_LANGUAGE:
				*class = LanguageRelationId;
				oid = get_language_oid(strVal(object), true);
				break;
			case OBJECT_TABLE:
				*class = RelationRelationId;
				oid = RangeVarGetRelid(makeRangeVarFromNameList(castNode(List, object)), NoLock, true);
				break;
			default:
				break;
		}
		if (OidIsValid(oid))
			result = lappend_oid(result, oid);
	}
	return result;
}

static Datum
oid_array(List *oids)
{
	Datum	   *values = palloc(sizeof(Datum) * (list_length(oids) + 1));
	ListCell   *cell;

	foreach(cell, oids)
		values[foreach_current_index(cell)] = ObjectIdGetDatum(lfirst_oid(cell));
	return PointerGetDatum(construct_array(values, list_length(oids), OIDOID, sizeof(Oid), true, TYPALIGN_INT));
}

/*
 * The objects that a table depends on: its schema, the extension that this
 * belongs to, the members of the extension, their language, the extension of
 * the language, and so on.  Objects that only a column depends on are not
 * included.
 */
#define NEEDED \
	"WITH RECURSIVE needed (class, object) AS (" \
	" SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, $1" \
	" UNION SELECT e.class, e.object FROM needed AS n CROSS JOIN LATERAL (" \
	"  SELECT d.refclassid, d.refobjid FROM pg_catalog.pg_depend AS d" \
	"   WHERE d.classid OPERATOR(pg_catalog.=) n.class AND d.objid OPERATOR(pg_catalog.=) n.object" \
	"   AND d.objsubid OPERATOR(pg_catalog.=) 0" \
	"  UNION ALL SELECT d.classid, d.objid FROM pg_catalog.pg_depend AS d" \
	"   WHERE d.refclassid OPERATOR(pg_catalog.=) n.class AND d.refobjid OPERATOR(pg_catalog.=) n.object" \
	"   AND d.refobjsubid OPERATOR(pg_catalog.=) 0" \
	"   AND (d.deptype OPERATOR(pg_catalog.=) 'i'::pg_catalog.\"char\"" \
	"    OR (d.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog.\"char\" AND n.object OPERATOR(pg_catalog.=) $4)" \
	"   )) AS e (class, object)) "

/*
 * Does the table depend on one of these objects of a class, or on an object
 * that one of the roles owns?
 */
static bool
needs(Oid table, Oid class, List *objects, List *roles)
{
	Oid			types[5] = {OIDOID, OIDOID, OIDARRAYOID, OIDOID, OIDARRAYOID};
	Datum		values[5];
	bool		result;

	values[0] = ObjectIdGetDatum(table);
	values[1] = ObjectIdGetDatum(class);
	values[2] = oid_array(objects);
	values[3] = ObjectIdGetDatum(get_extension_oid(EV_EXTENSION, true));
	values[4] = oid_array(roles);
	SPI_connect();
	if (SPI_execute_with_args(NEEDED
							  "SELECT FROM needed AS n"
							  " WHERE (n.class OPERATOR(pg_catalog.=) $2 AND n.object OPERATOR(pg_catalog.=) ANY ($3))"
							  " OR EXISTS (SELECT FROM pg_catalog.pg_shdepend AS s"
							  "  WHERE s.dbid OPERATOR(pg_catalog.=) (SELECT b.oid FROM pg_catalog.pg_database AS b"
							  "   WHERE b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())"
							  "  AND s.classid OPERATOR(pg_catalog.=) n.class AND s.objid OPERATOR(pg_catalog.=) n.object"
							  "  AND s.deptype OPERATOR(pg_catalog.=) 'o'::pg_catalog.\"char\""
							  "  AND s.refobjid OPERATOR(pg_catalog.=) ANY ($5))",
							  lengthof(types), types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the dependencies of table %u", table);
	result = SPI_processed > 0;
	SPI_finish();
	return result;
}

/* Does DROP TABLE drop the table, by its name or its parent's? */
static bool
drops_table(const DropStmt *command, const EventTable *table)
{
	Oid			class = RelationRelationId;
	List	   *objects = named_objects(command, &class);

	if (list_member_oid(objects, table->table))
		return true;
	return objects != NIL && has_superclass(table->table) && needs(table->table, class, objects, NIL);
}

/* Does the command drop the table together with another object? */
static bool
drops_what_table_needs(Node *command, const EventTable *table)
{
	List	   *roles = NIL;
	ListCell   *cell;

	if (IsA(command, DropOwnedStmt))
	{
		foreach(cell, castNode(DropOwnedStmt, command)->roles)
			roles = lappend_oid(roles, get_rolespec_oid(lfirst_node(RoleSpec, cell), true));
		/* without CASCADE, only owned objects are dropped */
		if (castNode(DropOwnedStmt, command)->behavior != DROP_CASCADE)
			return list_member_oid(roles, table->owner);
		return needs(table->table, InvalidOid, NIL, roles);
	}
	else if (IsA(command, DropStmt) && castNode(DropStmt, command)->behavior == DROP_CASCADE)
	{
		Oid			class = InvalidOid;
		List	   *objects = named_objects(castNode(DropStmt, command), &class);

		return objects != NIL && needs(table->table, class, objects, NIL);
	}
	return false;
}

/*
 * May the caller run the command?  Other callers need not learn whether the
 * tables have rows.
 */
static bool
may_run(Node *command)
{
	Oid			class = InvalidOid;
	ListCell   *cell;

	if (IsA(command, DropOwnedStmt))
	{
		foreach(cell, castNode(DropOwnedStmt, command)->roles)
		{
			Oid			role = get_rolespec_oid(lfirst_node(RoleSpec, cell), true);

			if (OidIsValid(role) && !has_privs_of_role(GetUserId(), role))
				return false;
		}
		return true;
	}
	foreach(cell, named_objects(castNode(DropStmt, command), &class))
	{
		Oid			object = lfirst_oid(cell);

		if ((class == ExtensionRelationId && !EV_OWNS_EXTENSION(object)) ||
			(class == NamespaceRelationId && !EV_OWNS_SCHEMA(object)) ||
			(class == LanguageRelationId && !EV_OWNS_LANGUAGE(object)))
			return false;
	}
	return true;
}

/* ---------- refusing ---------- */

/* May the current user drop the table? */
static bool
may_drop(const EventTable *table)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(get_rel_namespace(table->table)));
	bool		result = has_privs_of_role(GetUserId(), table->owner);

	if (HeapTupleIsValid(tuple))
	{
		result |= has_privs_of_role(GetUserId(), ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner);
		ReleaseSysCache(tuple);
	}
	return result;
}

/* Reads as the owner, since policies hide no rows from the owner. */
static bool
has_rows(const EventTable *table)
{
	EvRunAs		caller;
	bool		result;

	ev_run_as_begin(&caller, table->owner,
					SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
	/* see transactions that committed while the lock was awaited */
	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	if (SPI_execute(psprintf("SELECT FROM " EV_SCHEMA_NAMESPACE ".%s LIMIT 1", quote_identifier(table->name)),
					true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read table %s", table->name);
	result = SPI_processed > 0;
	SPI_finish();
	PopActiveSnapshot();
	ev_run_as_end(&caller);
	return result;
}

static void
refuse_rows(const EventTable *table, bool by_name)
{
	const char *hint = strcmp(table->name, EV_QUARANTINE) == 0 ?
		"Replay or purge them (replay_event_quarantine, purge_event_quarantine), or move the table away with ALTER TABLE ... SET SCHEMA." :
		"Delete them, or move the table away with ALTER TABLE ... SET SCHEMA.";

	/* the lock of DROP, so that current writers have ended */
	if (may_drop(table))
		LockRelationOid(table->table, AccessExclusiveLock);
	if (!has_rows(table))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 by_name ?
			 errmsg("cannot drop table \"%s.%s\" while it holds events", EV_SCHEMA_NAMESPACE, table->name) :
			 errmsg("cannot drop extension event_validate while table \"%s.%s\" holds events",
					EV_SCHEMA_NAMESPACE, table->name),
			 by_name ? errdetail("These events are stored nowhere else.") :
			 errdetail("The command would drop them with it."),
			 errhint("%s", hint)));
}

/* ---------- dropping it with the last guard ---------- */

/*
 * Is there a guard, or does an open transaction add or drop one?  A guard that
 * this transaction has dropped does not count.
 */
static bool
has_guard(void)
{
	Oid			function = ev_guard_function();
	Relation	triggers = table_open(TriggerRelationId, AccessShareLock);
	SnapshotData snapshot;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		result = false;

	InitDirtySnapshot(snapshot);
	scan = systable_beginscan(triggers, InvalidOid, false, &snapshot, 0, NULL);
	while (!result && HeapTupleIsValid(tuple = systable_getnext(scan)))
		result = ((Form_pg_trigger) GETSTRUCT(tuple))->tgfoid == function;
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
	return result;
}

static void
run_drop_table(const char *name)
{
	DropStmt   *command = makeNode(DropStmt);

	command->removeType = OBJECT_TABLE;
	command->objects = list_make1(list_make2(makeString(EV_SCHEMA_NAMESPACE), makeString(pstrdup(name))));
	command->behavior = DROP_RESTRICT;
	ev_run_command((Node *) command, psprintf("DROP TABLE %s.%s", EV_SCHEMA_NAMESPACE, quote_identifier(name)));
}

/*
 * Drops the quarantine.  If it must stay, raises an error with the reason; the
 * subtransaction then releases the locks.
 */
static void
drop_unused(void *arg pg_attribute_unused())
{
	EventTable	table = find_table(EV_QUARANTINE);

	if (!OidIsValid(table.table) || has_guard())
		return;
	if (!may_drop(&table))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only its owner may drop it")));
	if (!ev_try_lock_table(table.table, AccessExclusiveLock, EV_ATTEMPT_MS))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("other transactions are using it")));
	/* the table is locked, so no event can be diverted from here on */
	if (has_rows(&table))
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("it holds events"),
				 errhint("No table has a guard any more. DROP EXTENSION needs the events replayed, purged, or moved to another schema with the table.")));
	if (!ev_quarantine_is_unaltered(table.table))
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("it has privileges, columns, indexes, triggers, rules or policies of yours")));
	if (has_guard())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("a guard was added meanwhile")));
	if (find_table(EV_QUARANTINE).table == table.table)
		run_drop_table(EV_QUARANTINE);
}

void
ev_quarantine_drop_unused(void)
{
	ErrorData  *error = ev_in_subtransaction(drop_unused, NULL, EV_KEEP);

	if (error == NULL)
		return;
	if (ev_is_interrupt(error))
		ReThrowError(error);
	ereport(NOTICE,
			(errmsg("table \"%s.%s\" stays: %s", EV_SCHEMA_NAMESPACE, EV_QUARANTINE, error->message),
			 has_guard() ? 0 :
			 error->hint != NULL ? errhint("%s", error->hint) :
			 errhint("No table has a guard any more. DROP EXTENSION needs DROP TABLE %s.%s first.",
					 EV_SCHEMA_NAMESPACE, EV_QUARANTINE)));
}

/* ---------- the event trigger ---------- */

/*
 * ddl_command_start: refuses to drop events together with the table that holds
 * them.
 */
Datum
ev_guard_quarantine(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {EV_QUARANTINE, EV_ORIGINALS};
	EventTriggerData *data = (EventTriggerData *) fcinfo->context;
	Node	   *command;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo) || strcmp(data->event, "ddl_command_start") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function is called only by a %s event trigger", "ddl_command_start")));
	if (IsBinaryUpgrade)
		PG_RETURN_NULL();
	command = data->parsetree;
	for (int i = 0; i < (int) lengthof(names); i++)
	{
		EventTable	table = find_table(names[i]);

		if (!OidIsValid(table.table))
			continue;
		if (IsA(command, DropStmt) && castNode(DropStmt, command)->removeType == OBJECT_TABLE)
		{
			/* the owner may drop other tables */
			if (strcmp(names[i], EV_QUARANTINE) == 0 && may_drop(&table) &&
				drops_table(castNode(DropStmt, command), &table))
				refuse_rows(&table, true);
		}
		else if (drops_what_table_needs(command, &table) && may_run(command))
			refuse_rows(&table, false);
	}
	PG_RETURN_NULL();
}
