/*
 * guard_family.c
 *	  Guards that a table shares with its children by inheritance.
 *
 * PostgreSQL clones the guard of a partitioned table for its partitions, and
 * records from which trigger.  Children by inheritance have triggers of their
 * own.  TimescaleDB stores the rows of a hypertable in such children, its
 * chunks, and creates each trigger of the hypertable on them anew.  Users know
 * only the hypertable, and chunks are dropped, so events must not be filed
 * under chunks.
 *
 * So two guards of a parent and its child are one guard if their triggers are
 * equal: name, operations, arguments and condition, with columns compared by
 * name.  Only the owner of a table can give it children, but a child can get
 * another owner afterwards.  Its guard is then not one with the parent's.
 *
 * The catalogs are read without locks on the tables: a child's guard must not
 * wait for a lock on its parent.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_trigger.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "base/oid_set.h"
#include "base/table_members.h"
#include "guard/guard_family.h"
#include "registry/extension_objects.h"
#include "rows/table_rights.h"

/* A trigger as the catalog has it. */
typedef struct StoredTrigger
{
	Oid			oid;
	Oid			relation;
	Oid			parent;			/* of a clone */
	Oid			function;
	NameData	name;
	int16		type;
	int			columns;		/* in UPDATE OF */
	bytea	   *arguments;
	char	   *condition;		/* NULL: none */
} StoredTrigger;

/* ---------- triggers ---------- */

static void
copy_trigger(Relation catalog, HeapTuple row, StoredTrigger *result)
{
	Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(row);
	bool		is_null;
	Datum		value;

	result->oid = form->oid;
	result->relation = form->tgrelid;
	result->parent = form->tgparentid;
	result->function = form->tgfoid;
	result->name = form->tgname;
	result->type = form->tgtype;
	result->columns = form->tgattr.dim1;
	value = heap_getattr(row, Anum_pg_trigger_tgargs, RelationGetDescr(catalog), &is_null);
	result->arguments = DatumGetByteaPCopy(value);
	value = heap_getattr(row, Anum_pg_trigger_tgqual, RelationGetDescr(catalog), &is_null);
	result->condition = is_null ? NULL : TextDatumGetCString(value);
}

/* Reads the trigger that a scan finds first, in CurrentMemoryContext. */
static bool
read_trigger(Oid index, ScanKeyData *keys, int count, StoredTrigger *result)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, index, true, NULL, count, keys);
	HeapTuple	row = systable_getnext(scan);

	if (HeapTupleIsValid(row))
		copy_trigger(catalog, row, result);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return HeapTupleIsValid(row);
}

static bool
read_by_oid(Oid trigger, StoredTrigger *result)
{
	ScanKeyData key;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
	return read_trigger(TriggerOidIndexId, &key, 1, result);
}

static bool
read_by_name(Oid relation, const NameData *name, StoredTrigger *result)
{
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	ScanKeyInit(&keys[1], Anum_pg_trigger_tgname, BTEqualStrategyNumber, F_NAMEEQ, NameGetDatum(name));
	return read_trigger(TriggerRelidNameIndexId, keys, lengthof(keys), result);
}

/* ---------- equal guards ---------- */

typedef struct ColumnMap
{
	Oid			from;
	Oid			to;
	bool		is_complete;
} ColumnMap;

/* Replaces columns of one table by the columns of another with these names. */
static Node *
map_columns_mutator(Node *node, void *context)
{
	ColumnMap  *map = context;
	Var		   *var;
	char	   *name;
	AttrNumber	number;

	if (node == NULL)
		return NULL;
	if (!IsA(node, Var))
		return expression_tree_mutator(node, map_columns_mutator, context);
	var = copyObject(castNode(Var, node));
	if (var->varattno == 0)
		var->vartype = get_rel_type_id(map->to);
	if (var->varattno <= 0)
		return (Node *) var;
	name = get_attname(map->from, var->varattno, true);
	number = name != NULL ? get_attnum(map->to, name) : InvalidAttrNumber;
	if (number == InvalidAttrNumber)
		map->is_complete = false;
	var->varattno = var->varattnosyn = number;
	return (Node *) var;
}

static bool
same_condition(const StoredTrigger *child, const StoredTrigger *parent)
{
	ColumnMap	map = {parent->relation, child->relation, true};
	Node	   *mapped;

	if (child->condition == NULL || parent->condition == NULL)
		return child->condition == parent->condition;
	mapped = map_columns_mutator(stringToNode(parent->condition), &map);
	return map.is_complete && equal(mapped, stringToNode(child->condition));
}

/* Is the trigger of a child the same guard as its parent's? */
static bool
is_one_guard(const StoredTrigger *child, const StoredTrigger *parent)
{
	Oid			child_owner = ev_table_owner(child->relation);
	Oid			parent_owner = ev_table_owner(parent->relation);

	return child->function == parent->function && child->type == parent->type &&
		child->columns == 0 && parent->columns == 0 &&
		!OidIsValid(child->parent) && !OidIsValid(parent->parent) &&
		VARSIZE(child->arguments) == VARSIZE(parent->arguments) &&
		memcmp(child->arguments, parent->arguments, VARSIZE(child->arguments)) == 0 &&
		OidIsValid(child_owner) && OidIsValid(parent_owner) && has_privs_of_role(child_owner, parent_owner) &&
		same_condition(child, parent);
}

/* ---------- up and down ---------- */

/* Moves from a child's guard to the same guard of a parent; false: there is none. */
static bool
go_up(StoredTrigger *guard)
{
	ListCell   *cell;

	foreach(cell, ev_parents(guard->relation))
	{
		StoredTrigger parent;

		if (!read_by_name(lfirst_oid(cell), &guard->name, &parent) || !is_one_guard(guard, &parent))
			continue;
		*guard = parent;
		return true;
	}
	return false;
}

/* Moves to the guard of which this is a clone, or to the same guard of a parent. */
static bool
go_to_parent(StoredTrigger *guard)
{
	StoredTrigger original;

	if (!OidIsValid(guard->parent))
		return go_up(guard);
	if (!read_by_oid(guard->parent, &original))
		return false;
	*guard = original;
	return true;
}

Oid
ev_guard_family_table(Oid relation, Oid trigger)
{
	StoredTrigger guard;

	if (!read_by_oid(trigger, &guard))
		return relation;
	while (go_to_parent(&guard))
		CHECK_FOR_INTERRUPTS();
	return guard.relation;
}

Oid
ev_guard_of_parent(Oid trigger, Oid *relation)
{
	StoredTrigger guard;

	if (!read_by_oid(trigger, &guard) || !go_to_parent(&guard))
		return InvalidOid;
	*relation = guard.relation;
	return guard.oid;
}

bool
ev_guard_is_of_parent(Oid trigger)
{
	Oid			relation;

	return OidIsValid(ev_guard_of_parent(trigger, &relation));
}

List *
ev_guard_family_ancestors(Oid relation)
{
	List	   *ancestors = ev_parents(relation);

	for (int i = 0; i < list_length(ancestors); i++)
	{
		CHECK_FOR_INTERRUPTS();
		ancestors = list_concat_unique_oid(ancestors, ev_parents(list_nth_oid(ancestors, i)));
	}
	return ancestors;
}

/*
 * Appends the children of a table that have its guard, as StoredTrigger *, to a list,
 * except those met before by another parent.
 */
static void
add_children(List **guards, HTAB *met, const StoredTrigger *guard)
{
	ListCell   *cell;

	foreach(cell, ev_table_children(guard->relation))
	{
		StoredTrigger child;

		CHECK_FOR_INTERRUPTS();
		if (ev_oid_set_has(met, lfirst_oid(cell)) ||
			!read_by_name(lfirst_oid(cell), &guard->name, &child) || !is_one_guard(&child, guard))
			continue;
		(void) ev_oid_set_add(met, child.relation);
		*guards = lappend(*guards, memcpy(palloc(sizeof(child)), &child, sizeof(child)));
	}
}

List *
ev_guard_family_children(Oid relation, Oid trigger)
{
	List	   *result = NIL;
	HTAB	   *met = ev_oid_set();
	StoredTrigger guard;
	List	   *guards = NIL;

	if (get_rel_relkind(relation) == RELKIND_RELATION && read_by_oid(trigger, &guard))
		add_children(&guards, met, &guard);
	/* the list grows: children can be nested deeper than the stack */
	for (int i = 0; i < list_length(guards); i++)
	{
		StoredTrigger *child = list_nth(guards, i);
		EvFamilyGuard *member = palloc(sizeof(EvFamilyGuard));

		member->relation = child->relation;
		member->trigger = child->oid;
		result = lappend(result, member);
		add_children(&guards, met, child);
	}
	list_free_deep(guards);
	hash_destroy(met);
	return result;
}

bool
ev_guard_is_routed(Oid child)
{
	Oid			extension = getExtensionOfObject(NamespaceRelationId, get_rel_namespace(child));

	/* roles can create tables in event_schema */
	return OidIsValid(extension) && extension != get_extension_oid(EV_EXTENSION, true);
}
