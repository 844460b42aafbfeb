/*
 * guard_change.c
 *	  Changes the trigger of a guard in place.
 *
 * CREATE OR REPLACE TRIGGER would parse the WHEN condition anew, from its
 * text.  Parsing a literal of a row, an array or a range runs the CHECK
 * constraints of the domains in it.  The role that wrote the condition, or
 * that owns such a domain, need not be the caller.  So this writes only the
 * columns of pg_trigger that change, as ALTER TRIGGER and ALTER TABLE ...
 * ENABLE TRIGGER do.  The condition and its dependencies stay as they are.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/objectaccess.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/table_members.h"
#include "guard/guard_change.h"
#include "guard/guard_family.h"

/* Returns arguments as in pg_trigger.tgargs: strings that end in a zero byte. */
static bytea *
stored_arguments(List *arguments)
{
	Size		length = 0;
	ListCell   *cell;
	bytea	   *result;
	char	   *end;

	foreach(cell, arguments)
		length += strlen((char *) lfirst(cell)) + 1;
	result = palloc(VARHDRSZ + length);
	SET_VARSIZE(result, VARHDRSZ + length);
	end = VARDATA(result);
	foreach(cell, arguments)
	{
		strcpy(end, (char *) lfirst(cell));
		end += strlen(end) + 1;
	}
	return result;
}

static void
change_row(Relation triggers, HeapTuple row, const EvGuardChange *change)
{
	Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(row);
	Datum		values[Natts_pg_trigger] = {0};
	bool		nulls[Natts_pg_trigger] = {0};
	bool		is_changed[Natts_pg_trigger] = {0};
	HeapTuple	changed;

	values[Anum_pg_trigger_tgtype - 1] =
		Int16GetDatum((form->tgtype & ~TRIGGER_TYPE_EVENT_MASK) | change->operations);
	is_changed[Anum_pg_trigger_tgtype - 1] = true;
	values[Anum_pg_trigger_tgenabled - 1] = CharGetDatum(change->enabled);
	is_changed[Anum_pg_trigger_tgenabled - 1] = true;
	if (change->arguments != NIL)
	{
		values[Anum_pg_trigger_tgnargs - 1] = Int16GetDatum(list_length(change->arguments));
		is_changed[Anum_pg_trigger_tgnargs - 1] = true;
		values[Anum_pg_trigger_tgargs - 1] = PointerGetDatum(stored_arguments(change->arguments));
		is_changed[Anum_pg_trigger_tgargs - 1] = true;
	}
	changed = heap_modify_tuple(row, RelationGetDescr(triggers), values, nulls, is_changed);
	CatalogTupleUpdate(triggers, &changed->t_self, changed);
	InvokeObjectPostAlterHook(TriggerRelationId, form->oid, 0);
	heap_freetuple(changed);
}

/*
 * Changes one trigger of a table: the trigger with this OID, or its clone on
 * this table.  Returns the OID of the changed trigger; InvalidOid if there is
 * none.
 */
static Oid
change_trigger(Relation triggers, Oid table, Oid wanted, bool is_clone, const EvGuardChange *change)
{
	Oid			found = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	scan = systable_beginscan(triggers, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (!OidIsValid(found) && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(row);

		if ((is_clone ? form->tgparentid : form->oid) != wanted)
			continue;
		found = form->oid;
		change_row(triggers, row, change);
	}
	systable_endscan(scan);
	return found;
}

static void
change_with_clones(Relation triggers, Oid table, Oid wanted, bool is_clone, const EvGuardChange *change)
{
	Relation	relation;
	Oid			trigger;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	/*
	 * as CREATE TRIGGER does, since a partition can have another owner than
	 * its table
	 */
	if (is_clone && pg_class_aclcheck(table, GetUserId(), ACL_TRIGGER) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(table)), get_rel_name(table));
	relation = table_open(table, ShareRowExclusiveLock);
	trigger = change_trigger(triggers, table, wanted, is_clone, change);
	if (OidIsValid(trigger) && relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
	{
		/*
		 * from pg_inherits: the relation's partition descriptor evaluates
		 * constants of the partition key, which is code of the table's owner
		 */
		List	   *partitions = ev_table_children(table);
		ListCell   *cell;

		foreach(cell, partitions)
			change_with_clones(triggers, lfirst_oid(cell), trigger, true, change);
	}
	if (OidIsValid(trigger))
		CacheInvalidateRelcache(relation);
	table_close(relation, NoLock);
}

/*
 * Changes the equal guards of children by inheritance.  Where the caller may
 * not, the child's guard is one of its own from now on.
 */
static void
change_children(Relation triggers, List *children, const EvGuardChange *change)
{
	ListCell   *cell;

	foreach(cell, children)
	{
		const EvFamilyGuard *child = lfirst(cell);

		if (pg_class_aclcheck(child->relation, GetUserId(), ACL_TRIGGER) == ACLCHECK_OK)
			change_with_clones(triggers, child->relation, child->trigger, false, change);
	}
}

void
ev_guard_change(Oid table, Oid trigger, const EvGuardChange *change)
{
	List	   *children = ev_guard_family_children(table, trigger);
	Relation	triggers = table_open(TriggerRelationId, RowExclusiveLock);

	change_with_clones(triggers, table, trigger, false, change);
	change_children(triggers, children, change);
	table_close(triggers, RowExclusiveLock);
	CommandCounterIncrement();
}
