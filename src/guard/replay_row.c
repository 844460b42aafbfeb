/*
 * replay_row.c
 *	  Moves one row of the quarantine into its table.
 *
 * The row is inserted as the table's owner, if the caller has the owner's
 * rights: so a superuser does not run other roles' code on their tables with a
 * superuser's rights.  Otherwise it is inserted as the caller, to whom
 * privileges and row security apply.  The caller names the function for
 * repairs, which runs as the caller.
 *
 * The quarantine can contain anything, and a role that may write to it
 * determines what is inserted.  So a caller that names no table replays only
 * tables with a guard, and system catalogs are always excluded.  The quarantine
 * knows tables by name, so an event goes only to a table whose owner could have
 * read it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/run_as_owner.h"
#include "base/shown_text.h"
#include "base/table_members.h"
#include "guard/guard_definition.h"
#include "guard/guard_trigger.h"
#include "guard/replay_row.h"
#include "registry/names.h"
#include "rows/row_json.h"
#include "rows/table_rights.h"

/*
 * Raises an error unless the function is from jsonb to jsonb, and the caller
 * may execute it.
 */
static void
check_repair(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	bool		fits;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", function)));
	form = (Form_pg_proc) GETSTRUCT(tuple);
	fits = form->prokind == PROKIND_FUNCTION && !form->proretset && form->pronargs == 1 &&
		form->proargtypes.values[0] == JSONBOID && form->prorettype == JSONBOID;
	ReleaseSysCache(tuple);
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("repair must be a function from jsonb to jsonb"),
				 errdetail("It gets the value of the quarantine's column \"row\", and returns the row to insert, or null to leave it.")));
	EV_CHECK_EXECUTE(function, get_func_name(function));
}

Oid
ev_replay_find_repair(const char *name)
{
	LOCAL_FCINFO(call, 1);
	char	   *signature = strchr(name, '(') != NULL ? pstrdup(name) : psprintf("%s(jsonb)", name);
	Datum		function;

	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = CStringGetTextDatum(signature);
	call->args[0].isnull = false;
	function = to_regprocedure(call);
	if (call->isnull)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s does not exist", ev_visible(signature)),
				 errhint("A function for repairs takes a row of the quarantine as jsonb and returns the row to insert, as jsonb. If it is in a schema that is not in the search_path, name it with its schema.")));
	check_repair(DatumGetObjectId(function));
	return DatumGetObjectId(function);
}

/*
 * The function may have been replaced, or dropped, by a row's triggers or by
 * itself.  Raises undefined_function if it was dropped.
 */
static void
refresh_repair(EvReplayCall *replay)
{
	HeapTuple	row = SearchSysCache1(PROCOID, ObjectIdGetDatum(replay->repair));

	if (!HeapTupleIsValid(row))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("the function for repairs was dropped while the replay ran")));
	if (ItemPointerCompare(&row->t_self, &replay->repair_row) != 0)
	{
		fmgr_info_cxt(replay->repair, &replay->repair_function, replay->repair_function.fn_mcxt);
		replay->repair_row = row->t_self;
	}
	ReleaseSysCache(row);
}

/* Calls the function for repairs on a row; NULL if it returns no row. */
static Jsonb *
repair(EvReplayCall *replay, Jsonb *row)
{
	LOCAL_FCINFO(call, 1);
	Datum		result;
	Jsonb	   *repaired;

	refresh_repair(replay);
	InitFunctionCallInfoData(*call, &replay->repair_function, 1, InvalidOid, NULL, NULL);
	call->args[0].value = JsonbPGetDatum(row);
	call->args[0].isnull = false;
	result = FunctionCallInvoke(call);
	if (call->isnull)
		return NULL;
	repaired = DatumGetJsonbP(result);
	if (!JB_ROOT_IS_OBJECT(repaired))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("function \"%s\" returned no JSON object", get_func_name(replay->repair))));
	return repaired;
}

void
ev_replay_forget_plan(EvReplayCall *call)
{
	if (call->plan == NULL)
		return;
	SPI_freeplan(call->plan);
	pfree(call->command);
	call->plan = NULL;
	call->command = NULL;
}

static SPIPlanPtr
prepare_insert(EvReplayCall *replay, Relation relation, Jsonb *row)
{
	Oid			types[1] = {JSONBOID};
	char	   *command = ev_row_insert_command(relation, row);
	SPIPlanPtr	plan;

	if (replay->command != NULL && strcmp(command, replay->command) == 0)
		return replay->plan;
	ev_replay_forget_plan(replay);
	plan = SPI_prepare(command, 1, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare returned %s", SPI_result_code_string(SPI_result));
	command = MemoryContextStrdup(TopTransactionContext, command);
	SPI_keepplan(plan);
	replay->plan = plan;
	replay->command = command;
	return plan;
}

/* Inserts a row as the current user, while ev_replay is set for the guard. */
static int
run_insert(EvReplayCall *replay, Relation relation, Jsonb *row, EvReplay *guarded)
{
	Datum		values[1] = {JsonbPGetDatum(row)};
	EvReplay   *outer = ev_replay;
	volatile int result = 0;

	ev_replay = guarded;
	PG_TRY();
	{
		result = SPI_execute_plan(prepare_insert(replay, relation, row), values, NULL, false, 0);
	}
	PG_FINALLY();
	{
		ev_replay = outer;
	}
	PG_END_TRY();
	return result;
}

/* Inserts a row as the right role; returns the number of inserted rows. */
static uint64
insert(EvReplayCall *replay, Relation relation, Jsonb *row, EvReplay *guarded)
{
	Oid			owner = relation->rd_rel->relowner;
	Oid			user = replay->quarantine.user;
	int			security = SECURITY_LOCAL_USERID_CHANGE;
	int			result;

	if (owner != user && has_privs_of_role(user, owner))
	{
		EvRunAs		caller;

		if (!EV_MAY_SET_ROLE(owner, user))
			security |= SECURITY_RESTRICTED_OPERATION;
		/* the table's triggers may need the session's search_path */
		ev_run_as_begin_with_path(&caller, owner, security);
		result = run_insert(replay, relation, row, guarded);
		ev_run_as_end(&caller);
	}
	else
		result = run_insert(replay, relation, row, guarded);
	/* a rule replaced the INSERT */
	if (result == SPI_OK_REWRITTEN)
		return 0;
	if (result != SPI_OK_INSERT)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(result));
	return SPI_processed;
}

void
ev_replay_set_reason(EvReplayCall *call, EvReplayRow *row, const char *message, int sqlstate)
{
	MemoryContext caller = MemoryContextSwitchTo(call->context);

	row->violations = ev_single_violation(message, unpack_sql_state(sqlstate));
	MemoryContextSwitchTo(caller);
}

Relation
ev_replay_open_table(const char *schema, const char *name)
{
	Oid			namespace = get_namespace_oid(schema, true);
	Oid			table = OidIsValid(namespace) ? get_relname_relid(name, namespace) : InvalidOid;
	Relation	relation;

	if (OidIsValid(table) && IsCatalogRelationOid(table))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s.%s\" is a system catalog", schema, name)));
	relation = OidIsValid(table) ? try_relation_open(table, RowExclusiveLock) : NULL;
	/* it may have been renamed while the lock was awaited */
	if (relation == NULL ||
		strcmp(RelationGetRelationName(relation), name) != 0 ||
		RelationGetNamespace(relation) != namespace ||
		(relation->rd_rel->relkind != RELKIND_RELATION &&
		 relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s.%s\" does not exist", schema, name)));
	return relation;
}

/*
 * May the role that sent a row insert into the table, or a partition of it?
 * The current table may be another one with the name of the original table.
 */
static bool
may_insert(Oid sender, Oid table)
{
	ListCell   *cell;

	if (!OidIsValid(sender))
		return true;
	foreach(cell, ev_table_members(table))
		if (pg_class_aclcheck(lfirst_oid(cell), sender, ACL_INSERT) == ACLCHECK_OK ||
			pg_attribute_aclcheck_all(lfirst_oid(cell), sender, ACL_INSERT, ACLMASK_ANY) == ACLCHECK_OK)
		return true;
	return false;
}

/*
 * Could the owner of the table have read the event where it was sent to?  The
 * table may be another one with the name of the original table, which somebody
 * made to get the events.  If not, records it as the reason and as the row's
 * problem.  The table is locked, so its owner does not change.
 */
static bool
may_get(EvReplayCall *call, EvReplayRow *candidate, Relation relation)
{
	Oid			owner = relation->rd_rel->relowner;
	Oid			role = owner == ROLE_PG_DATABASE_OWNER ? ev_database_owner() : owner;
	Oid			owner_then;
	char	   *reason;
	MemoryContext caller;

	if (candidate->owner == NULL || superuser_arg(role))
		return true;
	owner_then = get_role_oid(candidate->owner, true);
	if (OidIsValid(owner_then) && has_privs_of_role(role, owner_then))
		return true;
	caller = MemoryContextSwitchTo(call->context);
	reason = psprintf(OidIsValid(owner_then) ?
					  "the event is from a table of role \"%s\", and role \"%s\", which owns table \"%s\" now, does not have the rights of that role" :
					  "the event is from a table of role \"%s\", which does not exist, and role \"%s\" owns table \"%s\" now",
					  ev_visible_cut(candidate->owner, NAMEDATALEN), GetUserNameFromId(owner, true),
					  RelationGetRelationName(relation));
	candidate->problem = psprintf("some events stay: %s; look at them, and set %s in %s where it is right that this role gets them",
								  reason, EV_QUARANTINE_OWNER, EV_SCHEMA_NAMESPACE "." EV_QUARANTINE);
	ev_replay_set_reason(call, candidate, reason, ERRCODE_INSUFFICIENT_PRIVILEGE);
	MemoryContextSwitchTo(caller);
	return false;
}

static bool
is_descendant(Oid child, Oid table)
{
	return child != table && list_member_oid(ev_table_members(table), child);
}

/*
 * Takes the name of the child by inheritance, for which the row came, out of
 * the row.  Returns the child, opened and locked, and closes the table; or
 * returns the table, if the row names none, or if the child is dropped or no
 * child of the table any more.
 */
static Relation
open_child(Relation relation, Jsonb **row, bool *is_child)
{
	JsonbValue	key = {.type = jbvString,.val.string = {.val = EV_QUARANTINE_CHILD, .len = strlen(EV_QUARANTINE_CHILD)}};
	JsonbValue *name = findJsonbValueFromContainer(&(*row)->root, JB_FOBJECT, &key);

	LOCAL_FCINFO(call, 1);
	Oid			child;
	Relation	result;

	*is_child = false;
	if (name == NULL)
		return relation;
	*row = DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(*row), CStringGetTextDatum(EV_QUARANTINE_CHILD)));
	if (name->type != jbvString)
		return relation;
	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = PointerGetDatum(cstring_to_text_with_len(name->val.string.val, name->val.string.len));
	call->args[0].isnull = false;
	child = DatumGetObjectId(to_regclass(call));
	if (call->isnull || !is_descendant(child, RelationGetRelid(relation)))
		return relation;
	result = try_relation_open(child, RowExclusiveLock);
	if (result == NULL)
		return relation;
	/* it may have been changed while the lock was awaited */
	if (result->rd_rel->relkind != RELKIND_RELATION || result->rd_rel->relispartition ||
		!is_descendant(child, RelationGetRelid(relation)))
	{
		relation_close(result, RowExclusiveLock);
		return relation;
	}
	relation_close(relation, NoLock);
	*is_child = true;
	return result;
}

/*
 * May a call that names no table insert into this one?  If not, records it as
 * the reason of a child's row: rows of the table and of its other children can
 * be replayed nevertheless.  Raises an error if it is the table itself.
 */
static bool
may_replay(EvReplayCall *call, EvReplayRow *candidate, Relation relation, bool is_child, const char *schema,
		   const char *name)
{
	bool		has_guard = ev_has_guard(relation, call->guard_function);

	if (!call->any_table ||
		(has_guard && has_privs_of_role(call->quarantine.user, relation->rd_rel->relowner)))
		return true;
	if (!is_child)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s.%s\" was changed during the replay", schema, name)));
	ev_replay_set_reason(call, candidate,
						 psprintf(has_guard ? "the row is for table \"%s\", a child of \"%s\", and its owner's rights are missing" :
								  "the row is for table \"%s\", a child of \"%s\", and it has no event guard any more",
								  RelationGetRelationName(relation), name),
						 has_guard ? ERRCODE_INSUFFICIENT_PRIVILEGE : ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
	return false;
}

void
ev_replay_row(EvReplayCall *call, const char *schema, const char *name, EvReplayRow *candidate)
{
	EvReplay	guarded = {.context = call->context};
	Jsonb	   *row = candidate->is_null ? NULL : DatumGetJsonbP(candidate->row);
	Relation	relation;
	bool		is_child;
	char	   *stray;
	uint64		inserted;

	if (row == NULL || !JB_ROOT_IS_OBJECT(row))
	{
		ev_replay_set_reason(call, candidate, "the column \"row\" of the quarantine holds no JSON object",
							 ERRCODE_INVALID_PARAMETER_VALUE);
		return;
	}
	if (OidIsValid(call->repair))
		row = repair(call, row);
	if (row == NULL)
		return;

	/* after the repair, which may have changed the table */
	relation = open_child(ev_replay_open_table(schema, name), &row, &is_child);
	if (!may_replay(call, candidate, relation, is_child, schema, name) || !may_get(call, candidate, relation))
	{
		relation_close(relation, NoLock);
		return;
	}
	if (!may_insert(candidate->sender, RelationGetRelid(relation)))
	{
		ev_replay_set_reason(call, candidate,
							 psprintf("role \"%s\", which sent the row, may not insert into table \"%s\"",
									  GetUserNameFromId(candidate->sender, true), name),
							 ERRCODE_INSUFFICIENT_PRIVILEGE);
		relation_close(relation, NoLock);
		return;
	}
	stray = ev_row_stray_member(relation, row);
	if (stray != NULL)
	{
		/*
		 * perhaps of a column that was renamed or dropped; data is never
		 * discarded without a request
		 */
		ev_replay_set_reason(call, candidate,
							 psprintf("the row has a value for column \"%s\", which table \"%s\" does not have",
									  stray, name),
							 ERRCODE_UNDEFINED_COLUMN);
		relation_close(relation, NoLock);
		return;
	}

	guarded.table = RelationGetRelid(relation);
	guarded.depth = ev_trigger_depth() + 1;
	inserted = insert(call, relation, row, &guarded);
	relation_close(relation, NoLock);
	if (guarded.left_out > (inserted == 1 ? 0 : 1))
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("the row was not inserted: inserting it inserts other rows into its table, which are not valid")));
	candidate->counters = guarded.counters;
	if (inserted == 1)
		candidate->moved = true;
	else if (guarded.violations != NULL)
		candidate->violations = guarded.violations;
	else
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("the row was not inserted: a trigger, a rule or another guard kept it out")));
}
