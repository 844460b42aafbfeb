/*
 * update_check.c
 *	  Would an UPDATE that writes upcast events into their rows be refused?
 *
 * check_event_upgrade asks for the events that are valid.  The row is read
 * again by its location, gets the new data and version in memory, and is checked by what the
 * executor evaluates before it stores a row.  Nothing is written, and no trigger is run
 * but the code of guards.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/partition.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/row_fault.h"
#include "base/run_as_owner.h"
#include "base/subtransaction.h"
#include "base/table_members.h"
#include "evolution/migrate_relation.h"
#include "evolution/update_check.h"
#include "guard/guard_definition.h"
#include "guard/guard_expression.h"
#include "guard/guard_trigger.h"
#include "rollout/site_authors.h"
#include "rollout/usage_sites.h"
#include "rows/pure_expression.h"
#include "rows/row_constraints.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_event_update_is_checked);

struct EvUpdateCheck
{
	Oid			relation;
	char	   *data;
	char	   *version;
	int32		to;
	List	   *tables;			/* OIDs: of the relation and those below it */
};

/* A table whose rows are checked, while it is open. */
typedef struct Leaf
{
	Relation	relation;
	AttrNumber	data;
	AttrNumber	version;
	bool		is_named;		/* the user named this table */
	TableScanDesc scan;			/* tells whether a location can be one of the
								 * table */
	TupleTableSlot *slot;		/* for a row; empty between two */
	TriggerDesc *triggers;
	FmgrInfo	guard;
	MemoryContext context;		/* for the constraints */
	EvRowConstraints *constraints;	/* NULL: not compiled yet */
} Leaf;

/* ---------- what there is to check ---------- */

/*
 * Whether the domain has constraints is not asked: PostgreSQL plans them for the answer, and so runs
 * the IMMUTABLE functions that they call with constants, as the caller.
 */
static bool
is_domain(Relation relation, AttrNumber column)
{
	return get_typtype(TupleDescAttr(RelationGetDescr(relation), column - 1)->atttypid) == TYPTYPE_DOMAIN;
}

/* Is a trigger run in this session? */
static bool
is_run(const Trigger *trigger)
{
	return trigger->tgenabled != TRIGGER_DISABLED &&
		trigger->tgenabled != (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA ?
							   TRIGGER_FIRES_ON_ORIGIN : TRIGGER_FIRES_ON_REPLICA);
}

/* Does a guard refuse updates?  Every mode ends in enforcement at its time. */
static bool
refuses_updates(const Trigger *trigger)
{
	EvGuardArguments arguments;

	ev_guard_arguments(trigger, &arguments);
	return arguments.mode == EV_GUARD_ENFORCE || arguments.mode == EV_GUARD_QUARANTINE ||
		(arguments.until != DT_NOEND && arguments.until <= GetCurrentStatementStartTimestamp());
}

/* Is this a guard that refuses updates, and whose expressions run no users' code? */
static bool
is_strict_guard(const Trigger *trigger)
{
	FuncExpr   *reads;

	if (trigger->tgfoid != ev_guard_function() || !is_run(trigger) || trigger->tgnargs < 1 ||
		!TRIGGER_FOR_UPDATE(trigger->tgtype) || !refuses_updates(trigger))
		return false;
	reads = ev_guard_reads(trigger);
	return reads != NULL && ev_is_pure((Node *) linitial_node(RowExpr, reads->args)->args, NIL);
}

/* Is there a guard that reads the event from other columns, or from expressions? */
static bool
has_other_guard(Relation relation, AttrNumber data, AttrNumber version)
{
	TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		List	   *operands;

		if (!is_strict_guard(trigger))
			continue;
		operands = linitial_node(RowExpr, ev_guard_reads(trigger)->args)->args;
		if (ev_guard_expression_column(list_nth(operands, EV_ROW_DATA)) != data ||
			ev_guard_expression_column(list_nth(operands, EV_ROW_VERSION)) != version)
			return true;
	}
	return false;
}

/*
 * Is there anything that can refuse a row with a valid event?  The bounds of a partition do
 * if the user names it.
 */
static bool
has_checks(Relation relation, const char *data, const char *version, bool is_named)
{
	AttrNumber	data_column = ev_migrate_find_column(relation, data);
	AttrNumber	version_column = ev_migrate_find_column(relation, version);
	TupleConstr *constr = RelationGetDescr(relation)->constr;

	if (relation->rd_rel->relkind != RELKIND_RELATION || data_column == InvalidAttrNumber ||
		version_column == InvalidAttrNumber || !ev_migrate_is_of_type(relation, data_column, true) ||
		!ev_migrate_is_of_type(relation, version_column, false))
		return false;
	return (constr != NULL && constr->has_generated_stored) || ev_row_has_other_constraints(relation) ||
		is_domain(relation, data_column) || is_domain(relation, version_column) ||
		has_other_guard(relation, data_column, version_column) ||
		(is_named && ev_migrate_is_partition_key(RelationGetRelid(relation), data, version));
}

/* Does a key contain an expression: of a table that this is a partition of? */
static bool
has_key_expression(Oid partition)
{
	bool		result = false;
	ListCell   *cell;

	if (!get_rel_relispartition(partition))
		return false;
	foreach(cell, get_partition_ancestors(partition))
	{
		HeapTuple	key = SearchSysCache1(PARTRELID, ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(key))
			return true;
		result |= !heap_attisnull(key, Anum_pg_partitioned_table_partexprs, NULL);
		ReleaseSysCache(key);
	}
	return result;
}

/*
 * May everything that refuses a row be evaluated as the table's owner?  Whoever may read a
 * table chooses its events here, by upcasts of his own, and does not get functions run on them with the owner's
 * rights.  Nor does the owner of a domain.
 */
static bool
may_evaluate(Relation relation, const char *data, const char *version, bool is_named)
{
	TupleDesc	descriptor = RelationGetDescr(relation);
	Oid			types[] = {
		TupleDescAttr(descriptor, ev_migrate_find_column(relation, data) - 1)->atttypid,
		TupleDescAttr(descriptor, ev_migrate_find_column(relation, version) - 1)->atttypid
	};

	return ev_may_run_as_owner(ev_row_expressions(relation), types, lengthof(types), relation->rd_rel->relowner) &&
		(!is_named || has_privs_of_role(GetUserId(), relation->rd_rel->relowner) ||
		 !has_key_expression(RelationGetRelid(relation)));
}

/* Tells the caller that rows are not tried. */
static void
report_left_out(Oid table)
{
	ereport(NOTICE,
			(errmsg("rows of table %s are not tried with their new events", ev_table_name(table)),
			 errdetail("Its constraints or generated columns call functions, and run as the owner of the table. Only a role with the owner's rights has them run, and only if the owner of the table owns the domains that call functions, too.")));
}

/*
 * event_update_is_checked(relation regclass, data text, version text) returns boolean
 *
 * Is there anything besides the event's schema, for the caller to see, that can refuse an
 * UPDATE of these columns?
 */
Datum
ev_event_update_is_checked(PG_FUNCTION_ARGS)
{
	Oid			relation = PG_GETARG_OID(0);
	char	   *data = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *version = text_to_cstring(PG_GETARG_TEXT_PP(2));
	bool		found = false;
	ListCell   *cell;

	/* errors of constraints can show other columns */
	if (pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		PG_RETURN_BOOL(false);
	foreach(cell, ev_table_members(relation))
	{
		Relation	table = try_relation_open(lfirst_oid(cell), AccessShareLock);

		CHECK_FOR_INTERRUPTS();
		if (table == NULL)
			continue;
		if (has_checks(table, data, version, lfirst_oid(cell) == relation))
		{
			if (may_evaluate(table, data, version, lfirst_oid(cell) == relation))
				found = true;
			else
				report_left_out(lfirst_oid(cell));
		}
		relation_close(table, AccessShareLock);
	}
	PG_RETURN_BOOL(found);
}

EvUpdateCheck *
ev_update_check_make(Oid relation, const char *data, const char *version, int32 to)
{
	EvUpdateCheck *check = palloc(sizeof(EvUpdateCheck));
	AclResult	right = pg_class_aclcheck(relation, GetUserId(), ACL_SELECT);

	if (right != ACLCHECK_OK)
		aclcheck_error(right, OBJECT_TABLE, get_rel_name(relation));
	(void) check_enable_rls(relation, InvalidOid, false);
	if (check_enable_rls(relation, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row-level security of table \"%s\" would hide events", get_rel_name(relation))));
	check->relation = relation;
	check->data = pstrdup(data);
	check->version = pstrdup(version);
	check->to = to;
	check->tables = ev_table_members(relation);
	return check;
}

/* ---------- one row ---------- */

/* Returns a value as a column's type, after the checks of its domain. */
static Datum
value_for(Relation relation, AttrNumber column, Datum value)
{
	Oid			type = TupleDescAttr(RelationGetDescr(relation), column - 1)->atttypid;

	if (get_typtype(type) == TYPTYPE_DOMAIN)
		domain_check(value, false, type, NULL, NULL);
	return value;
}

static Datum
version_for(Relation relation, AttrNumber column, int32 version)
{
	switch (getBaseType(TupleDescAttr(RelationGetDescr(relation), column - 1)->atttypid))
	{
		case INT2OID:
			return DirectFunctionCall1(i4toi2, Int32GetDatum(version));
		case INT8OID:
			return Int64GetDatum(version);
		default:
			return Int32GetDatum(version);
	}
}

static HeapTuple
fetch_row(Leaf *leaf, const ItemPointerData * location)
{
	ItemPointerData tid = *location;
	HeapTuple	row = NULL;

	/*
	 * the aggregate takes any location: to read behind the end of a table
	 * would extend it
	 */
	if (!ItemPointerIsValid(&tid) || !table_tuple_tid_valid(leaf->scan, &tid))
		return NULL;
	if (table_tuple_fetch_row_version(leaf->relation, &tid, GetActiveSnapshot(), leaf->slot))
		row = ExecCopySlotHeapTuple(leaf->slot);
	ExecClearTuple(leaf->slot);
	return row;
}

static void
check_guards(Leaf *leaf, HeapTuple row)
{
	for (int i = 0; leaf->triggers != NULL && i < leaf->triggers->numtriggers; i++)
	{
		const Trigger *trigger = &leaf->triggers->triggers[i];

		if (is_strict_guard(trigger) && !ev_guard_accepts(&leaf->guard, leaf->relation, trigger, row))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("guard \"%s\" does not accept the row", trigger->tgname)));
	}
}

/* Raises an error if the row would be refused with this event.  Runs as the table's owner. */
static void
check_row(const EvUpdateCheck *check, Leaf *leaf, const ItemPointerData * location, Jsonb *event)
{
	Relation	relation = leaf->relation;
	int			count = RelationGetDescr(relation)->natts;
	Datum	   *values = palloc0(sizeof(Datum) * count);
	bool	   *nulls = palloc0(sizeof(bool) * count);
	bool	   *replaced = palloc0(sizeof(bool) * count);
	HeapTuple	row = fetch_row(leaf, location);

	if (row == NULL)
		return;
	replaced[leaf->data - 1] = replaced[leaf->version - 1] = true;
	values[leaf->data - 1] = value_for(relation, leaf->data, JsonbPGetDatum(event));
	values[leaf->version - 1] = value_for(relation, leaf->version, version_for(relation, leaf->version, check->to));
	row = heap_modify_tuple(row, RelationGetDescr(relation), values, nulls, replaced);
	check_guards(leaf, row);
	ev_row_check_constraints(&leaf->constraints, leaf->context, relation, row, leaf->is_named ? EV_ROW_UPDATED : EV_ROW_MOVED);
}

/* ---------- a batch ---------- */

typedef struct Batch
{
	EvUpdateCheck *check;
	const Oid  *tables;
	const		ItemPointerData *rows;
	EvUpgraded *results;
	int			count;
	int			at;
	List	   *leaves;			/* Leaf */
	MemoryContext row;			/* reset before each row; a refused one leaves
								 * its memory */
} Batch;

static Leaf *
find_leaf(const List *leaves, Oid table)
{
	ListCell   *cell;

	foreach(cell, leaves)
		if (RelationGetRelid(((Leaf *) lfirst(cell))->relation) == table)
		return lfirst(cell);
	return NULL;
}

/* Opens a table, unless its rows cannot be checked. */
static Leaf *
open_leaf(const EvUpdateCheck *check, Oid table)
{
	Relation	relation = list_member_oid(check->tables, table) ? try_relation_open(table, AccessShareLock) : NULL;
	Leaf	   *leaf;

	if (relation == NULL)
		return NULL;
	if (!has_checks(relation, check->data, check->version, table == check->relation) ||
		!may_evaluate(relation, check->data, check->version, table == check->relation))
	{
		relation_close(relation, AccessShareLock);
		return NULL;
	}
	leaf = palloc0(sizeof(Leaf));
	leaf->relation = relation;
	leaf->data = ev_migrate_find_column(relation, check->data);
	leaf->version = ev_migrate_find_column(relation, check->version);
	leaf->is_named = table == check->relation;
	leaf->scan = table_beginscan_tid(relation, GetActiveSnapshot());
	leaf->triggers = CopyTriggerDesc(relation->trigdesc);
	if (OidIsValid(ev_guard_function()))
		fmgr_info(ev_guard_function(), &leaf->guard);
	leaf->slot = table_slot_create(relation, NULL);
	leaf->context = AllocSetContextCreate(CurrentMemoryContext, "event_validate constraints", ALLOCSET_DEFAULT_SIZES);
	return leaf;
}

/*
 * The role is switched once for the rows of a table that follow each other, because
 * settings cost more than a row.
 */
static void
check_rows(void *arg)
{
	Batch	   *batch = arg;
	MemoryContext caller = CurrentMemoryContext;
	Leaf	   *current = NULL;
	EvRunAs		role;

	for (; batch->at < batch->count; batch->at++)
	{
		Leaf	   *leaf = find_leaf(batch->leaves, batch->tables[batch->at]);
		EvUpgraded *result = &batch->results[batch->at];

		CHECK_FOR_INTERRUPTS();
		if (leaf == NULL || !ev_upgraded_is_valid(result) || result->data == NULL)
			continue;
		if (leaf != current)
		{
			if (current != NULL)
				ev_run_as_end(&role);
			ev_run_as_begin(&role, leaf->relation->rd_rel->relowner, SECURITY_RESTRICTED_OPERATION);
			current = leaf;
		}
		MemoryContextReset(batch->row);
		MemoryContextSwitchTo(batch->row);
		check_row(batch->check, leaf, &batch->rows[batch->at], result->data);
		MemoryContextSwitchTo(caller);
	}
	if (current != NULL)
		ev_run_as_end(&role);
}

/* Checks rows until one is refused. */
static void
check_some(Batch *batch)
{
	ErrorData  *error = ev_in_subtransaction(check_rows, batch, EV_KEEP);
	EvUpgraded *refused;
	ListCell   *cell;

	if (error == NULL)
		return;
	if (batch->at >= batch->count || ev_is_interrupt(error) || !ev_is_row_fault(error->sqlerrcode, EV_WORK_INSERT))
		ReThrowError(error);
	refused = &batch->results[batch->at++];
	refused->fault = ev_message_cut(error->message);
	refused->cause = ev_row_fault_name(error);
	refused->is_refused = true;
	FreeErrorData(error);

	/* they may have been in use */
	foreach(cell, batch->leaves)
		((Leaf *) lfirst(cell))->constraints = NULL;
}

void
ev_update_check_run(EvUpdateCheck *check, const Oid *tables, const ItemPointerData * rows, EvUpgraded *results, int count)
{
	Batch		batch = {check, tables, rows, results, count, 0, NIL, NULL};
	Oid			last = InvalidOid;
	ListCell   *cell;

	for (int i = 0; i < count; i++)
	{
		Leaf	   *leaf;

		if (tables[i] == last || !ev_upgraded_is_valid(&results[i]) || find_leaf(batch.leaves, tables[i]) != NULL)
			continue;
		last = tables[i];
		leaf = open_leaf(check, tables[i]);
		if (leaf != NULL)
			batch.leaves = lappend(batch.leaves, leaf);
	}
	batch.row = AllocSetContextCreate(CurrentMemoryContext, "event_validate row", ALLOCSET_DEFAULT_SIZES);
	while (batch.leaves != NIL && batch.at < count)
		check_some(&batch);
	MemoryContextDelete(batch.row);
	foreach(cell, batch.leaves)
	{
		Leaf	   *leaf = lfirst(cell);

		ExecDropSingleTupleTableSlot(leaf->slot);
		table_endscan(leaf->scan);
		relation_close(leaf->relation, AccessShareLock);
	}
}
