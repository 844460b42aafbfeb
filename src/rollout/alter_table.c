/*
 * alter_table.c
 *	  HINTs for ALTER TABLE commands that fail because of a guard or an event check.
 *
 * PostgreSQL's own errors name a trigger or a missing function.  An event trigger
 * calls this code before the command runs.  It raises an error with a HINT if the
 * command must fail for one of these reasons; all other commands run as usual.
 *
 * The table is not locked: if it changes before the command locks it,
 * PostgreSQL raises its own error.  It also does if the user does not own the
 * table.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_type.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/table_members.h"
#include "guard/guard_definition.h"
#include "rows/event_calls.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_advise_alter_table);

/* A WARNING names at most so many foreign tables. */
#define NAMED_TABLES	20

/*
 * Returns the table of a command, if the user owns it; otherwise InvalidOid.
 */
static Oid
own_table(const RangeVar *name)
{
	Oid			table = RangeVarGetRelid(name, NoLock, true);
	Oid			owner = OidIsValid(table) ? ev_table_owner(table) : InvalidOid;

	return OidIsValid(owner) && has_privs_of_role(GetUserId(), owner) ? table : InvalidOid;
}

/* ---------- ATTACH PARTITION ---------- */

/* Does the table have a trigger with this name? */
static bool
has_trigger(Oid table, const char *name)
{
	return OidIsValid(get_trigger_oid(table, name, true));
}

/* Returns the name of the table's guard; NULL if it has none. */
static char *
name_of_guard(Oid table, Oid *trigger)
{
	Relation	triggers = table_open(TriggerRelationId, AccessShareLock);
	Oid			function = ev_guard_function();
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;
	char	   *name = NULL;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	scan = systable_beginscan(triggers, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (name == NULL && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(row);

		if (form->tgfoid != function)
			continue;
		name = pstrdup(NameStr(form->tgname));
		*trigger = form->oid;
	}
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
	return name;
}

/* Has the table rows, as far as its file says?  false: it is locked by another transaction. */
static bool
has_rows(Oid table)
{
	Relation	relation;
	bool		found;

	if (!ConditionalLockRelationOid(table, AccessShareLock))
		return false;
	relation = try_relation_open(table, NoLock);
	found = relation != NULL && RelationGetNumberOfBlocks(relation) > 0;
	if (relation != NULL)
		relation_close(relation, NoLock);
	UnlockRelationOid(table, AccessShareLock);
	return found;
}

/* Warns of the foreign tables among a table that is attached and those below it. */
static void
warn_of_foreign(Oid table, Oid partition, const List *foreign)
{
	StringInfoData names;
	ListCell   *cell;

	if (list_length(foreign) == 1)
	{
		char	   *name = ev_table_name(linitial_oid(foreign));

		ereport(WARNING,
				(errmsg("the guard of table %s has not seen the rows of foreign table %s", ev_table_name(table), name),
				 errdetail("A guard looks at rows that are written here, not at those of another server."),
				 errhint("event_foreign_enforcement(%s) asks that server what it enforces.", quote_literal_cstr(name))));
		return;
	}
	initStringInfo(&names);
	foreach(cell, foreign)
	{
		if (foreach_current_index(cell) == NAMED_TABLES)
		{
			appendStringInfo(&names, " and %d more", list_length(foreign) - NAMED_TABLES);
			break;
		}
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", ev_table_name(lfirst_oid(cell)));
	}
	ereport(WARNING,
			(errmsg("the guard of table %s has not seen the rows of %d foreign tables: %s", ev_table_name(table),
					list_length(foreign), names.data),
			 errdetail("A guard looks at rows that are written here, not at those of other servers."),
			 errhint("event_foreign_enforcement(%s) asks these servers what they enforce.",
					 quote_literal_cstr(ev_table_name(partition)))));
}

/*
 * Warns if the partition or a table below it has rows: the guard of the whole table has
 * not seen them.  A foreign table may have some.
 */
static void
warn_of_rows(Oid table, Oid partition)
{
	List	   *foreign = NIL;
	bool		found = false;
	ListCell   *cell;

	foreach(cell, ev_table_members(partition))
	{
		Oid			member = lfirst_oid(cell);
		char		kind = get_rel_relkind(member);

		CHECK_FOR_INTERRUPTS();
		if (kind == RELKIND_FOREIGN_TABLE)
			foreign = lappend_oid(foreign, member);
		else if (!found && kind == RELKIND_RELATION)
			found = has_rows(member);
	}
	if (foreign != NIL)
		warn_of_foreign(table, partition, foreign);
	if (found)
		ereport(WARNING,
				(errmsg("the guard of table %s has not seen the rows of table %s", ev_table_name(table),
						ev_table_name(partition)),
				 errdetail("A guard looks at rows that are written, not at those of a table that is attached."),
				 errhint("audit_events(%s) says which of them are not valid.", quote_literal_cstr(ev_table_name(partition)))));
}

/*
 * Raises an error if the partition has a trigger with the name of the whole
 * table's guard, which it would get.
 */
static void
advise_attach(Oid table, const AlterTableCmd *command)
{
	const PartitionCmd *attached = castNode(PartitionCmd, command->def);
	Oid			partition = own_table(attached->name);
	Oid			trigger;
	char	   *guard = name_of_guard(table, &trigger);

	if (guard == NULL || !OidIsValid(partition) || get_rel_relispartition(partition))
		return;
	if (!has_trigger(partition, guard))
	{
		warn_of_rows(table, partition);
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("cannot attach table %s as a partition of table %s: both have a guard", ev_table_name(partition),
					ev_table_name(table)),
			 errdetail("The partition gets the guard of the whole table, which is trigger \"%s\", and has a trigger of that name.",
					   guard),
			 errhint("Call drop_event_guard(%s) first, in the same transaction.",
					 quote_literal_cstr(ev_table_name(partition)))));
}

/* ---------- ALTER COLUMN ... TYPE ---------- */

/* Does a trigger depend on a column? */
static bool
depends_on_column(Oid trigger, Oid table, AttrNumber column)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	row;
	bool		found = false;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(TriggerRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
	scan = systable_beginscan(depend, DependDependerIndexId, true, NULL, 2, keys);
	while (!found && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(row);

		found = form->refclassid == RelationRelationId && form->refobjid == table && form->refobjsubid == column;
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return found;
}

/* A column that a check passes to check_event without a cast. */
typedef struct BareColumn
{
	EvEventFunctions functions;
	AttrNumber	column;
	Oid			new_type;
	bool		misfits;		/* an argument would not take the new type */
} BareColumn;

static bool
find_misfit(Node *node, void *context)
{
	BareColumn *bare = (BareColumn *) context;
	const FuncExpr *call;
	ListCell   *cell;

	if (node == NULL)
		return false;
	if (!ev_is_event_call(node, &bare->functions))
		return expression_tree_walker(node, find_misfit, context);
	call = (const FuncExpr *) node;
	foreach(cell, call->args)
	{
		Node	   *argument = lfirst(cell);
		Oid			old_type = exprType(argument);

		if (IsA(argument, NamedArgExpr))
			argument = (Node *) ((NamedArgExpr *) argument)->arg;
		if (IsA(argument, Var) && ((Var *) argument)->varattno == bare->column &&
			!can_coerce_type(1, &bare->new_type, &old_type, COERCION_IMPLICIT))
			bare->misfits = true;
	}
	return bare->misfits || expression_tree_walker(node, find_misfit, context);
}

/*
 * Does the command drop columns?  Constraints that read them are dropped too, and
 * with CASCADE a guard.
 */
static bool
drops_columns(const AlterTableStmt *statement)
{
	ListCell   *cell;

	foreach(cell, statement->cmds)
		if (((const AlterTableCmd *) lfirst(cell))->subtype == AT_DropColumn)
		return true;
	return false;
}

/* Does the command drop the constraint as well? */
static bool
drops_constraint(const AlterTableStmt *statement, const char *name)
{
	ListCell   *cell;

	foreach(cell, statement->cmds)
	{
		const AlterTableCmd *command = (const AlterTableCmd *) lfirst(cell);

		if (command->subtype == AT_DropConstraint && strcmp(command->name, name) == 0)
			return true;
	}
	return false;
}

/*
 * Returns the CHECK constraint that calls check_event with the column, and
 * could not with its new type; NULL if there is none.
 */
static char *
misfitting_check(Oid table, const AlterTableStmt *statement, BareColumn *bare)
{
	Relation	constraints = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;
	char	   *name = NULL;

	ScanKeyInit(&key, Anum_pg_constraint_conrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	scan = systable_beginscan(constraints, ConstraintRelidTypidNameIndexId, true, NULL, 1, &key);
	while (name == NULL && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(row);
		bool		isnull;
		Datum		expression = heap_getattr(row, Anum_pg_constraint_conbin, RelationGetDescr(constraints), &isnull);

		if (form->contype != CONSTRAINT_CHECK || isnull || drops_constraint(statement, NameStr(form->conname)))
			continue;
		if (find_misfit(stringToNode(TextDatumGetCString(expression)), bare))
			name = pstrdup(NameStr(form->conname));
	}
	systable_endscan(scan);
	table_close(constraints, AccessShareLock);
	return name;
}

static void
advise_type(Oid table, const AlterTableStmt *statement, const AlterTableCmd *command)
{
	const ColumnDef *definition = castNode(ColumnDef, command->def);
	BareColumn	bare = {.column = get_attnum(table, command->name)};
	Type		type = LookupTypeName(NULL, definition->typeName, NULL, true);
	Oid			trigger;
	char	   *guard = name_of_guard(table, &trigger);
	char	   *check;

	if (type == NULL)
		return;
	bare.new_type = typeTypeId(type);
	ReleaseSysCache(type);
	if (bare.column <= 0)
		return;
	if (guard != NULL && depends_on_column(trigger, table, bare.column))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot alter the type of column \"%s\" of table %s: its guard reads the column", command->name,
						ev_table_name(table)),
				 errhint("In one transaction, call drop_event_guard(%1$s), alter the column, and call add_event_guard(%1$s, ...).",
						 quote_literal_cstr(ev_table_name(table)))));
	ev_event_functions_find(&bare.functions);
	check = misfitting_check(table, statement, &bare);
	if (check != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("cannot alter the type of column \"%s\" of table %s to %s: check constraint \"%s\" gives the column to check_event",
						command->name, ev_table_name(table), format_type_be(bare.new_type), check),
				 errhint("In one transaction, call drop_event_check(%1$s, %2$s), alter the column, and call add_event_check(%1$s, ...), which adds the cast.",
						 quote_literal_cstr(ev_table_name(table)), quote_literal_cstr(check))));
}

/*
 * event_validate_advise_alter() → event_trigger, on ddl_command_start
 */
Datum
ev_advise_alter_table(PG_FUNCTION_ARGS)
{
	const EventTriggerData *data = (const EventTriggerData *) fcinfo->context;
	const AlterTableStmt *statement;
	Oid			table;
	ListCell   *cell;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo) || strcmp(data->event, "ddl_command_start") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function is called by a %s event trigger only", "ddl_command_start")));
	statement = (const AlterTableStmt *) data->parsetree;
	if (IsBinaryUpgrade || !IsA(statement, AlterTableStmt) || drops_columns(statement))
		PG_RETURN_VOID();
	foreach(cell, statement->cmds)
	{
		const AlterTableCmd *command = (const AlterTableCmd *) lfirst(cell);

		if (command->subtype != AT_AttachPartition && command->subtype != AT_AlterColumnType)
			continue;
		table = own_table(statement->relation);
		if (!OidIsValid(table))
			PG_RETURN_VOID();
		if (command->subtype == AT_AttachPartition)
			advise_attach(table, command);
		else
			advise_type(table, statement, command);
	}
	PG_RETURN_VOID();
}
