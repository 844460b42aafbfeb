/*
 * guard_commands.c
 *	  Adds guards to tables, changes their modes, and drops them.
 *
 * A guard is only a trigger: add_event_guard runs CREATE TRIGGER, with the
 * caller's rights.  Changing the mode changes the trigger in place
 * (guard_change.c), with the rights and the locks of CREATE OR REPLACE TRIGGER.
 * This waits for open transactions that write to the table, and blocks writers
 * until the commit, but no readers.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/arguments.h"
#include "base/compat.h"
#include "base/shown_text.h"
#include "base/subtransaction.h"
#include "guard/guard_change.h"
#include "guard/guard_definition.h"
#include "guard/guard_family.h"
#include "guard/guard_preview.h"
#include "guard/quarantine.h"
#include "registry/extension_objects.h"
#include "registry/nearest_type.h"
#include "registry/utility_command.h"
#include "rows/functions_called.h"
#include "rows/literal_code.h"
#include "rows/distributed.h"
#include "rows/table_lock.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_add_event_guard);
PG_FUNCTION_INFO_V1(ev_set_event_guard_mode);
PG_FUNCTION_INFO_V1(ev_drop_event_guard);

/*
 * Triggers fire in the order of their names, and the guard must see the
 * changes of all others.
 */
#define GUARD_NAME		"zzz_event_guard"

/* ---------- the table ---------- */

/* Raises an error unless the caller may create triggers on the table. */
static void
check_privilege(Oid table)
{
	char		kind = get_rel_relkind(table);

	if (kind == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", table)));
	if (pg_class_aclcheck(table, GetUserId(), ACL_TRIGGER) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s", get_rel_name(table)),
				 errdetail("A guard is a trigger, and role \"%s\" may not have triggers on the table.",
						   GetUserNameFromId(GetUserId(), false)),
				 errhint("The table's owner can allow it: GRANT TRIGGER ON %s TO %s.", ev_table_name(table),
						 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
}

/* Raises an error unless the caller has the rights of the table's owner, as DROP TRIGGER does after it took the lock. */
static void
check_owner(Oid table)
{
	Oid			owner = ev_table_owner(table);

	if (!OidIsValid(owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", table)));
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s", ev_table_name(table))));
}

/* Opens a table that is locked.  Raises an error if it cannot have a guard. */
static Relation
open_locked(Oid table)
{
	Relation	relation = try_table_open(table, NoLock);
	char		kind;

	/* an event trigger of users has dropped it */
	if (relation == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", table)));
	kind = relation->rd_rel->relkind;
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", RelationGetRelationName(relation)),
				 errhint("Guard the table that the rows are stored in.")));
	if (relation->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot guard temporary table \"%s\"", RelationGetRelationName(relation)),
				 errdetail("Events in the quarantine would outlive it.")));
	return relation;
}

/*
 * Citus refuses triggers on distributed tables unless its setting allows them.  Those on a
 * reference table run on each copy of a row.
 */
static void
require_triggers_on_shards(Oid table)
{
	const char *allowed = GetConfigOption("citus.enable_unsafe_triggers", true, false);

	if (ev_distribution(table) == EV_REPLICATED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("reference table \"%s\" cannot have a guard", get_rel_name(table)),
				 errdetail("Each server would divert its copy of a row."),
				 errhint("SELECT add_event_check(%s), which refuses invalid rows on all servers.",
						 quote_literal_cstr(quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table))))));
	if (ev_distribution(table) != EV_NOT_DISTRIBUTED && allowed != NULL && strcmp(allowed, "on") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("Citus does not allow a guard on distributed table \"%s\"", get_rel_name(table)),
				 errdetail("A guard is a trigger, which runs on each shard."),
				 errhint("SET citus.enable_unsafe_triggers = on, and call it again. A guard writes only to tables of the server that has the shard, so it is not unsafe.")));
}

/* Opens and locks a table, if the caller may create triggers on it. */
static Relation
open_table(Oid table, LOCKMODE mode)
{
	check_privilege(table);
	require_triggers_on_shards(table);
	ev_lock_tables(list_make1_oid(table), mode);
	return open_locked(table);
}

/*
 * Returns the guard on a table, in CurrentMemoryContext; NULL if it has none.
 */
static const Trigger *
find_trigger(Relation relation, Oid function)
{
	TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (trigger->tgfoid != function)
			continue;
		if (trigger->tgisclone)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("table \"%s\" is guarded as a partition of another",
							RelationGetRelationName(relation)),
					 errhint("Use the table that the guard was added to.")));
		return trigger;
	}
	return NULL;
}

static void
refuse_unguarded(Relation relation)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("table \"%s\" has no event guard", RelationGetRelationName(relation)),
			 errhint("add_event_guard adds one.")));
}

/* ---------- the trigger ---------- */

/*
 * Returns a time as text that means the same under any DateStyle and TimeZone.
 */
static char *
time_text(TimestampTz time)
{
	char		buffer[MAXDATELEN + 1];
	struct pg_tm tm;
	fsec_t		fsec;

	if (time == DT_NOEND)
		return pstrdup("infinity");
	if (timestamp2tm(time, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	tm.tm_isdst = 0;			/* otherwise the time zone is left out */
	EncodeDateTime(&tm, fsec, true, 0, NULL, USE_ISO_DATES, buffer);
	return pstrdup(buffer);
}

/* Returns the arguments of a guard's trigger, but for the expressions in its WHEN condition. */
static List *
trigger_arguments(const EvGuardArguments *arguments, bool has_condition)
{
	List	   *result = list_make1(pstrdup(ev_guard_mode_name(arguments->mode)));

	for (int i = 0; !has_condition && i < EV_ROW_PARTS; i++)
		result = lappend(result, pstrdup(arguments->expressions[i]));
	if (arguments->until != DT_NOEND || arguments->types != NULL)
		result = lappend(result, time_text(arguments->until));
	if (arguments->types != NULL)
		result = lappend(result, pstrdup(arguments->types));
	return result;
}

/*
 * Returns the enabled state for the trigger that replaces a guard: a disabled
 * guard fires again.
 */
static char
enabled_state(const Trigger *replaced)
{
	return replaced == NULL || replaced->tgenabled == TRIGGER_DISABLED ? TRIGGER_FIRES_ON_ORIGIN : replaced->tgenabled;
}

/*
 * Changes a guard and keeps its expressions.  Raises the errors of CREATE OR
 * REPLACE TRIGGER if the caller lacks EXECUTE on the function.  Closes the
 * relation, and keeps the lock.
 */
static void
change_trigger(Relation relation, const Trigger *trigger, const EvGuardArguments *arguments, int16 operations)
{
	EvGuardChange change = {
		.arguments = trigger_arguments(arguments, arguments->reads != NULL),
		.operations = operations, .enabled = enabled_state(trigger)
	};
	Oid			table = RelationGetRelid(relation);

	EV_CHECK_EXECUTE(trigger->tgfoid, get_func_name(trigger->tgfoid));
	table_close(relation, NoLock);
	ev_guard_change(table, trigger->tgoid, &change);
}

/*
 * Raises an error if a command on the trigger of this table, which it names, has not
 * changed it: event triggers of users run before the command, and may rename tables.
 */
static void
refuse_changed(const RangeVar *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("table \"%s\" or its event guard was changed while the command ran", table->relname),
			 errhint("Look for an event trigger that renames or drops them.")));
}

/*
 * The text of the operands was parsed anew.  Raises an error if they call other
 * functions now: a role may have added some to a schema that match better.
 */
static void
check_functions(Oid table, const RangeVar *name, Oid function, Node *const *operands)
{
	Relation	relation = try_table_open(table, NoLock);
	List	   *meant = ev_functions_called((Node *) list_make3(operands[0], operands[1], operands[2]));
	const Trigger *trigger = relation != NULL ? find_trigger(relation, function) : NULL;
	FuncExpr   *reads = trigger != NULL ? ev_guard_reads(trigger) : NULL;
	Oid			other = reads != NULL ? ev_function_not_meant((Node *) reads->args, meant) : InvalidOid;

	if (reads == NULL || RangeVarGetRelid(name, NoLock, true) != table)
		refuse_changed(name);
	if (OidIsValid(other))
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_FUNCTION),
				 errmsg("the expressions of the event guard of table \"%s\" would call function %s instead of another one of this name",
						RelationGetRelationName(relation), format_procedure(other)),
				 errdetail("It fits the arguments better."),
				 errhint("Drop or rename one of them, or give data_expr, type_expr and version_expr.")));
	table_close(relation, NoLock);
}

/*
 * Runs CREATE OR REPLACE TRIGGER, in place of the existing one, if any.
 * operations is a set of TRIGGER_TYPE_INSERT and TRIGGER_TYPE_UPDATE.  The text of
 * the operands is parsed anew.  Closes the relation, and keeps the lock.
 */
static void
create_trigger(Relation relation, const Trigger *replaced, Oid function,
			   Node *const *operands, const EvGuardArguments *arguments, int16 operations)
{
	CreateTrigStmt *command = makeNode(CreateTrigStmt);
	char	   *namespace = get_namespace_name(RelationGetNamespace(relation));
	char	   *function_namespace = get_namespace_name(get_func_namespace(function));
	char	   *function_name = get_func_name(function);
	Oid			table = RelationGetRelid(relation);
	char		enabled = enabled_state(replaced);
	char	   *condition;
	StringInfoData text;
	ListCell   *cell;

	command->replace = replaced != NULL;
	command->trigname = pstrdup(replaced ? replaced->tgname : GUARD_NAME);
	command->relation = makeRangeVar(namespace, pstrdup(RelationGetRelationName(relation)), -1);
	command->funcname = list_make2(makeString(function_namespace), makeString(function_name));
	foreach(cell, trigger_arguments(arguments, true))
		command->args = lappend(command->args, makeString(lfirst(cell)));
	condition = ev_guard_reads_condition(relation, operands, &command->whenClause);
	command->row = true;
	command->timing = TRIGGER_TYPE_BEFORE;
	command->events = operations;

	/* for hooks and logs */
	initStringInfo(&text);
	appendStringInfo(&text, "CREATE OR REPLACE TRIGGER %s BEFORE %s ON %s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION %s(",
					 quote_identifier(command->trigname),
					 operations == TRIGGER_TYPE_INSERT ? "INSERT" : operations == TRIGGER_TYPE_UPDATE ? "UPDATE" : "INSERT OR UPDATE",
					 ev_table_name(table), condition,
					 quote_qualified_identifier(function_namespace, function_name));
	foreach(cell, command->args)
		appendStringInfo(&text, "%s%s", foreach_current_index(cell) > 0 ? ", " : "",
						 quote_literal_cstr(strVal(lfirst(cell))));
	appendStringInfoChar(&text, ')');
	table_close(relation, NoLock);	/* an open relation would count as in use */
	ev_run_command((Node *) command, text.data);
	check_functions(table, command->relation, function, operands);

	/* replacing resets when the trigger fires */
	if (enabled != TRIGGER_FIRES_ON_ORIGIN)
	{
		EvGuardChange change = {.operations = operations, .enabled = enabled};

		ev_guard_change(table, replaced->tgoid, &change);
	}
}

/*
 * Refuses to replace a manually created trigger if properties would be lost.
 */
static void
check_replaceable(Relation relation, const Trigger *trigger)
{
	if ((trigger->tgqual != NULL && ev_guard_reads(trigger) == NULL) || trigger->tgnattr > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("trigger \"%s\" on table \"%s\" has a WHEN condition or a list of columns",
						trigger->tgname, RelationGetRelationName(relation)),
				 errhint("Replace it with CREATE OR REPLACE TRIGGER.")));
	if (!TRIGGER_FOR_ROW(trigger->tgtype) || !TRIGGER_FOR_BEFORE(trigger->tgtype) ||
		!(TRIGGER_FOR_INSERT(trigger->tgtype) || TRIGGER_FOR_UPDATE(trigger->tgtype)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("trigger \"%s\" on table \"%s\" is not a BEFORE INSERT OR UPDATE row trigger",
						trigger->tgname, RelationGetRelationName(relation)),
				 errhint("Drop it, and use add_event_guard.")));
}

/* Warns of triggers that can change the row after the guard has checked it. */
static void
warn_of_later_triggers(Relation relation, const char *guard)
{
	TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (TRIGGER_FOR_ROW(trigger->tgtype) && TRIGGER_FOR_BEFORE(trigger->tgtype) &&
			(TRIGGER_FOR_INSERT(trigger->tgtype) || TRIGGER_FOR_UPDATE(trigger->tgtype)) &&
			strcmp(trigger->tgname, guard) > 0)
			ereport(WARNING,
					(errmsg("trigger \"%s\" on table \"%s\" fires after the event guard",
							trigger->tgname, RelationGetRelationName(relation)),
					 errdetail("Triggers fire in the order of their names: the guard does not see how this one changes a row."),
					 errhint("Rename it, or also add a CHECK constraint (add_event_check).")));
	}
}

static void
mode_argument(FunctionCallInfo fcinfo, EvGuardMode *mode)
{
	char	   *name;

	ev_require_argument(fcinfo, 1, "mode");
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (!ev_guard_mode(name, mode))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown mode of an event guard: \"%s\"", ev_visible_cut(name, EV_SHOWN_ARGUMENT)),
				 errhint("The modes are enforce, quarantine, warn and off.")));
}

/*
 * Returns the operations on which the trigger fires.  If fires_on is not
 * given, a trigger that replaces a guard keeps those of the guard.
 */
static int16
operations_argument(FunctionCallInfo fcinfo, const Trigger *replaced)
{
	char	   *name;

	if (PG_ARGISNULL(5))
		return replaced == NULL ? TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE :
			replaced->tgtype & (TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE);
	name = text_to_cstring(PG_GETARG_TEXT_PP(5));
	if (pg_strcasecmp(name, "insert") == 0)
		return TRIGGER_TYPE_INSERT;
	if (pg_strcasecmp(name, "insert or update") == 0)
		return TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("an event guard cannot fire on \"%s\"", name),
			 errhint("fires_on is \"insert or update\", or \"insert\".")));
}

/* Returns the event types that the guard is for, as text; NULL: all. */
static const char *
types_argument(FunctionCallInfo fcinfo)
{
	char	   *types;
	int			count;

	if (PG_ARGISNULL(6))
		return NULL;
	types = OidOutputFunctionCall(F_ARRAY_OUT, PG_GETARG_DATUM(6));
	(void) ev_guard_types(types, &count);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("types is empty"),
				 errdetail("The guard would check no event."),
				 errhint("Leave types out, to check events of all types.")));
	return types;
}

static void
warn_of_other_expressions(Relation relation, const char *constraint, Node **operands, Node **checked)
{
	List	   *context = deparse_context_for(RelationGetRelationName(relation), RelationGetRelid(relation));
	bool		is_other = false;

	for (int i = 0; i < EV_ROW_PARTS; i++)
		is_other |= !ev_guard_same_operand(operands[i], checked[i]);
	if (is_other)
		ereport(WARNING,
				(errmsg("the event guard of table \"%s\" reads other expressions than constraint \"%s\"",
						RelationGetRelationName(relation), constraint),
				 errdetail("The constraint validates (%s, %s, %s).",
						   deparse_expression(checked[EV_ROW_DATA], context, false, false),
						   deparse_expression(checked[EV_ROW_TYPE], context, false, false),
						   deparse_expression(checked[EV_ROW_VERSION], context, false, false)),
				 errhint("Leave the expressions out, to take those of the constraint.")));
}

/*
 * Raises an error if parsing the constraint's text would run code of another
 * role, since the caller did not write it.
 */
static void
require_harmless(Relation relation, const char *constraint, Node *const *operands)
{
	if (!ev_literals_run_code((Node *) list_make3(operands[0], operands[1], operands[2]), GetUserId()))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the event guard of table \"%s\" cannot take the expressions of constraint \"%s\"",
					RelationGetRelationName(relation), constraint),
			 errdetail("They contain a literal of, or a cast to, a type of another role, which can attach code to it."),
			 errhint("Give data_expr, type_expr and version_expr.")));
}

/* Where the expressions of a new guard come from. */
typedef enum Source
{
	FROM_CALL,					/* from its arguments, or the defaults */
	FROM_REPLACED,				/* from the guard that is replaced */
	FROM_CHECK					/* from the table's only event check */
} Source;

static bool
has_expressions(FunctionCallInfo fcinfo)
{
	for (int i = 0; i < EV_ROW_PARTS; i++)
		if (!PG_ARGISNULL(2 + i))
			return true;
	return false;
}

/*
 * Chooses the operands of a new guard.  Warns if they differ from those of the
 * table's only event check.  arguments->reads is that of the replaced guard if its
 * expressions stay.  The check's event types are taken along with its expressions,
 * unless arguments->types are given.
 */
static Source
choose_operands(FunctionCallInfo fcinfo, Relation relation, const Trigger *replaced, EvGuardArguments *arguments, Node **operands)
{
	static const char *const defaults[EV_ROW_PARTS] = {"data", "event_type", "schema_version"};
	bool		is_given = has_expressions(fcinfo);
	Node	   *checked[EV_ROW_PARTS];
	EvGuardArguments old = {.reads = NULL};
	Source		source = FROM_CALL;
	const char *checked_types = NULL;
	char	   *constraint;

	/*
	 * expressions that are text are not parsed for a caller that did not
	 * write them
	 */
	if (!is_given && replaced != NULL)
		ev_guard_arguments(replaced, &old);
	arguments->reads = old.reads;
	constraint = ev_guard_check_operands(relation, checked, &checked_types, is_given || old.reads != NULL);
	if (old.reads != NULL)
		source = FROM_REPLACED;
	else if (!is_given && constraint != NULL)
		source = FROM_CHECK;

	for (int i = 0; i < EV_ROW_PARTS; i++)
		switch (source)
		{
			case FROM_CALL:
				operands[i] = ev_guard_expression(relation, (EvRowPart) i, PG_ARGISNULL(2 + i) ? defaults[i] :
												  text_to_cstring(PG_GETARG_TEXT_PP(2 + i)));
				break;
			case FROM_REPLACED:
				operands[i] = ev_guard_operand(relation, &old, (EvRowPart) i);
				break;
			case FROM_CHECK:
				operands[i] = checked[i];
				break;
		}
	if (source == FROM_CHECK)
	{
		require_harmless(relation, constraint, operands);
		if (arguments->types == NULL)
			arguments->types = checked_types;
	}
	else if (constraint != NULL)
		warn_of_other_expressions(relation, constraint, operands, checked);
	return source;
}

/*
 * Creates the quarantine on the other servers that have the table.  They may include
 * this one, so this comes before anything here has a lock for that.
 */
static void
create_on_workers(Oid table)
{
	if (ev_distribution(table) != EV_NOT_DISTRIBUTED)
		ev_run_on_workers(psprintf("SELECT %s(NULL::pg_catalog.int8)",
								   quote_qualified_identifier(get_namespace_name(ev_extension_namespace()), "create_event_quarantine")),
						  "create_event_quarantine");
}

/*
 * add_event_guard(relation regclass, mode text,
 *				   data_expr text DEFAULT NULL, type_expr text DEFAULT NULL,
 *				   version_expr text DEFAULT NULL,
 *				   fires_on text DEFAULT NULL, types text[] DEFAULT NULL) → name
 *
 * Replaces an existing guard.
 */
Datum
ev_add_event_guard(PG_FUNCTION_ARGS)
{
	EvGuardArguments arguments = {.until = DT_NOEND};
	Node	   *operands[EV_ROW_PARTS];
	Oid			function = ev_guard_function();
	const Trigger *replaced;
	Relation	relation;
	int16		operations;
	Source		source;
	Name		name;

	PreventCommandIfReadOnly("add_event_guard()");
	ev_require_argument(fcinfo, 0, "relation");
	mode_argument(fcinfo, &arguments.mode);
	arguments.types = types_argument(fcinfo);

	relation = open_table(PG_GETARG_OID(0), ShareRowExclusiveLock);
	replaced = find_trigger(relation, function);
	if (replaced != NULL)
		check_replaceable(relation, replaced);
	operations = operations_argument(fcinfo, replaced);
	if (replaced != NULL && ev_distribution(PG_GETARG_OID(0)) != EV_NOT_DISTRIBUTED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot replace the guard of distributed table \"%s\"", RelationGetRelationName(relation)),
				 errhint("Switch it with set_event_guard_mode, or drop it first with drop_event_guard.")));
	source = choose_operands(fcinfo, relation, replaced, &arguments, operands);
	create_on_workers(PG_GETARG_OID(0));
	ev_quarantine_create(false);

	name = palloc0(NAMEDATALEN);
	namestrcpy(name, replaced ? replaced->tgname : GUARD_NAME);
	warn_of_later_triggers(relation, NameStr(*name));
	if (!PG_ARGISNULL(6))
		ev_warn_of_unregistered_types(PG_GETARG_ARRAYTYPE_P(6));
	if (source == FROM_REPLACED)
		change_trigger(relation, replaced, &arguments, operations);
	else
		create_trigger(relation, replaced, function, operands, &arguments, operations);
	if (arguments.mode != EV_GUARD_OFF)
		ev_guard_preview(PG_GETARG_OID(0), NameStr(*name));
	PG_RETURN_NAME(name);
}

/*
 * Returns the guarded tables, in the order of their OIDs, without partitions,
 * and without children that have the guard of their parent.
 */
static List *
guarded_tables(Oid function)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(function)};
	MemoryContext caller = CurrentMemoryContext;
	List	   *tables = NIL;

	SPI_connect();
	if (SPI_execute_with_args("SELECT tgrelid, pg_catalog.max(oid) FROM pg_catalog.pg_trigger"
							  " WHERE tgfoid OPERATOR(pg_catalog.=) $1"
							  " AND tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid GROUP BY 1 ORDER BY 1",
							  1, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the triggers");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		is_null;
		Oid			table = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null));
		Oid			trigger = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &is_null));
		MemoryContext spi = MemoryContextSwitchTo(caller);

		if (!ev_guard_is_of_parent(trigger))
			tables = lappend_oid(tables, table);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return tables;
}

/* The arguments of set_event_guard_mode. */
typedef struct Switch
{
	Oid			function;
	EvGuardMode new_mode;
	TimestampTz until;
} Switch;

/* The result for one table. */
typedef struct Switched
{
	Oid			table;
	const char *old_mode;		/* NULL: not known */
	char	   *problem;		/* NULL: success */
} Switched;

/*
 * Locks the children that have the same guard, while the table is locked.  The
 * guards of children on which the caller has no privilege stay as they are.
 */
static void
lock_children(Oid table, Oid trigger)
{
	List	   *relations = NIL;
	ListCell   *cell;

	foreach(cell, ev_guard_family_children(table, trigger))
	{
		Oid			child = ((EvFamilyGuard *) lfirst(cell))->relation;
		bool		is_missing = false;

		if (pg_class_aclcheck_ext(child, GetUserId(), ACL_TRIGGER, &is_missing) == ACLCHECK_OK)
			relations = lappend_oid(relations, child);
	}
	if (relations == NIL)
		return;
	/* writers of the table wait too */
	if (LockTimeout == 0)
		ev_lock_others_tables(relations, ShareRowExclusiveLock, true);
	else
		ev_lock_tables(relations, ShareRowExclusiveLock);
}

/* Switches the guards of the shards of a distributed table, which commits for itself. */
static void
switch_shards(const Switch *wanted, Oid table)
{
	/* other servers can have another time zone */
	char	   *until = wanted->until == DT_NOEND ? "NULL" :
		psprintf("pg_catalog.to_timestamp(%.6f::pg_catalog.float8)",
				 wanted->until / (double) USECS_PER_SEC + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (double) SECS_PER_DAY);

	if (ev_distribution(table) != EV_NOT_DISTRIBUTED)
		ev_run_on_shards(table, psprintf("SELECT %s(%%L::pg_catalog.regclass, '%s'::pg_catalog.text, %s::pg_catalog.timestamptz)",
										 ev_percents_doubled(quote_qualified_identifier(get_namespace_name(ev_extension_namespace()),
																						"set_event_guard_mode")),
										 ev_guard_mode_name(wanted->new_mode), until),
						 "set_event_guard_mode");
}

/*
 * Switches the guard of a table that is locked.  False if it has none.
 * Raises an error if it cannot be switched.
 */
static bool
switch_mode(const Switch *wanted, Switched *result)
{
	Relation	relation = open_locked(result->table);
	const Trigger *trigger = find_trigger(relation, wanted->function);
	EvGuardArguments arguments;

	if (trigger == NULL)
	{
		table_close(relation, NoLock);
		return false;
	}
	check_replaceable(relation, trigger);
	lock_children(result->table, trigger->tgoid);
	ev_guard_arguments(trigger, &arguments);
	result->old_mode = ev_guard_mode_name(arguments.mode);
	arguments.mode = wanted->new_mode;
	arguments.until = wanted->until;
	change_trigger(relation, trigger, &arguments, trigger->tgtype & (TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE));
	switch_shards(wanted, result->table);
	return true;
}

typedef struct SwitchTry
{
	const Switch *wanted;
	Switched   *result;
} SwitchTry;

static void
switch_tried_table(void *arg)
{
	const SwitchTry *attempt = (const SwitchTry *) arg;

	check_privilege(attempt->result->table);
	if (!switch_mode(attempt->wanted, attempt->result))
		attempt->result->problem = pstrdup("the table has no event guard any more");
}

/* The same, but an error is reported as the problem of this table. */
static void
try_switch_mode(const Switch *wanted, Switched *result)
{
	SwitchTry	attempt = {wanted, result};
	ErrorData  *error = ev_in_subtransaction(switch_tried_table, &attempt, EV_KEEP);

	if (error == NULL)
		return;
	if (ev_is_interrupt(error))
		ReThrowError(error);
	result->problem = error->message;
}

/*
 * Creates the quarantine if the mode needs it.  A broken quarantine does not
 * affect modes that do not need it.
 */
static void
require_quarantine(EvGuardMode mode)
{
	if (mode == EV_GUARD_QUARANTINE || mode == EV_GUARD_WARN)
		ev_quarantine_create(false);
}

/*
 * Changes all guards that the caller may change and that can be locked within
 * a few seconds.  Returns an array, and its length in *count.
 */
static Switched *
switch_all(const Switch *wanted, int *count)
{
	List	   *tables = guarded_tables(wanted->function);
	List	   *may = NIL;
	List	   *locked;
	ListCell   *cell;
	Switched   *results = palloc0(sizeof(Switched) * (list_length(tables) + 1));

	*count = 0;
	foreach(cell, tables)
	{
		Oid			table = lfirst_oid(cell);
		bool		is_missing = false;

		/* do not wait for tables on which the caller has no privilege */
		if (pg_class_aclcheck_ext(table, GetUserId(), ACL_TRIGGER, &is_missing) == ACLCHECK_OK)
			may = lappend_oid(may, table);
	}
	if (may != NIL)
		require_quarantine(wanted->new_mode);
	locked = may != NIL ? ev_lock_some_tables(may, ShareRowExclusiveLock) : NIL;
	foreach(cell, tables)
	{
		Switched   *result = &results[*count];

		result->table = lfirst_oid(cell);
		/* dropped since the list was made */
		if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(result->table)))
			continue;
		(*count)++;
		if (!list_member_oid(may, result->table))
			result->problem = psprintf("permission denied for table %s", get_rel_name(result->table));
		else if (!list_member_oid(locked, result->table))
			result->problem = pstrdup("could not lock the table: other transactions are writing to it, or have it locked");
		else
			try_switch_mode(wanted, result);
	}
	return results;
}

/* Changes one guard, or raises an error. */
static Switched *
switch_one(const Switch *wanted, Oid table)
{
	Switched   *result = palloc0(sizeof(Switched));

	result->table = table;
	check_privilege(table);
	require_quarantine(wanted->new_mode);
	ev_lock_tables(list_make1_oid(table), ShareRowExclusiveLock);
	if (!switch_mode(wanted, result))
		refuse_unguarded(table_open(table, NoLock));
	return result;
}

/*
 * set_event_guard_mode(relation regclass, mode text, until timestamptz DEFAULT
 * NULL) returns TABLE (guarded_relation regclass, old_mode text, new_mode
 * text, mode_until timestamptz, problem text)
 */
Datum
ev_set_event_guard_mode(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Switch		wanted = {.function = ev_guard_function(), .until = DT_NOEND};
	Switched   *switched;
	int			count = 1;

	PreventCommandIfReadOnly("set_event_guard_mode()");
	mode_argument(fcinfo, &wanted.new_mode);
	if (!PG_ARGISNULL(2))
	{
		wanted.until = PG_GETARG_TIMESTAMPTZ(2);
		if (wanted.until <= GetCurrentTimestamp())
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("until is in the past")));
		if (wanted.new_mode == EV_GUARD_ENFORCE && wanted.until != DT_NOEND)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("mode \"enforce\" has no end"),
					 errdetail("Other modes return to it when they end.")));
	}
	InitMaterializedSRF(fcinfo, 0);

	switched = PG_ARGISNULL(0) ? switch_all(&wanted, &count) : switch_one(&wanted, PG_GETARG_OID(0));
	if (count == 0)
		ereport(NOTICE,
				(errmsg("no table has an event guard"),
				 errhint("The view event_enforcement lists the checks of tables, which have no mode.")));
	for (int i = 0; i < count; i++)
	{
		bool		done = switched[i].problem == NULL;
		Datum		values[5] = {ObjectIdGetDatum(switched[i].table)};
		bool		nulls[5] = {false, switched[i].old_mode == NULL, !done,
		!done || wanted.until == DT_NOEND, done};

		if (!nulls[1])
			values[1] = CStringGetTextDatum(switched[i].old_mode);
		if (done)
			values[2] = CStringGetTextDatum(ev_guard_mode_name(wanted.new_mode));
		else
			values[4] = CStringGetTextDatum(switched[i].problem);
		values[3] = TimestampTzGetDatum(wanted.until);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * drop_event_guard(relation regclass) returns void
 *
 * An empty quarantine goes with the last guard.
 */
Datum
ev_drop_event_guard(PG_FUNCTION_ARGS)
{
	Oid			function = ev_guard_function();
	DropStmt   *command = makeNode(DropStmt);
	const Trigger *trigger;
	Relation	relation;
	char	   *namespace;
	char	   *table;
	char	   *name;
	Oid			dropped;

	ev_require_argument(fcinfo, 0, "relation");
	check_owner(PG_GETARG_OID(0));
	require_triggers_on_shards(PG_GETARG_OID(0));
	ev_lock_tables(list_make1_oid(PG_GETARG_OID(0)), AccessExclusiveLock);
	relation = open_locked(PG_GETARG_OID(0));
	trigger = find_trigger(relation, function);
	if (trigger == NULL)
		refuse_unguarded(relation);
	namespace = get_namespace_name(RelationGetNamespace(relation));
	table = pstrdup(RelationGetRelationName(relation));
	name = pstrdup(trigger->tgname);
	dropped = trigger->tgoid;
	table_close(relation, NoLock);

	command->removeType = OBJECT_TRIGGER;
	command->objects = list_make1(list_make3(makeString(namespace), makeString(table), makeString(name)));
	command->behavior = DROP_RESTRICT;
	ev_run_command((Node *) command,
				   psprintf("DROP TRIGGER %s ON %s", quote_identifier(name),
							quote_qualified_identifier(namespace, table)));
	if (get_trigger_oid(PG_GETARG_OID(0), name, true) == dropped)
		refuse_changed(makeRangeVar(namespace, table, -1));
	ev_quarantine_drop_unused();
	PG_RETURN_VOID();
}
