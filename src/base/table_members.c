/*
 * table_members.c
 *	  The partitions and children of a table, read without locks.
 *
 * PostgreSQL's find_all_inheritors, without locks, looks up each table in the
 * cache, and raises an internal error for one that is dropped meanwhile.  Other
 * roles' partitions come and go at any time.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/oid_set.h"
#include "base/table_members.h"

/* Is a partition being detached concurrently, and is that visible to the current query? */
static bool
is_detached(HeapTuple row)
{
	return ((Form_pg_inherits) GETSTRUCT(row))->inhdetachpending && ActiveSnapshotSet() &&
		!XidInMVCCSnapshot(HeapTupleHeaderGetXmin(row->t_data), GetActiveSnapshot());
}

/* False if a table has no partition or child, or no longer exists. */
static bool
has_children(Oid table)
{
	HeapTuple	row = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	bool		result = HeapTupleIsValid(row) && ((Form_pg_class) GETSTRUCT(row))->relhassubclass;

	if (HeapTupleIsValid(row))
		ReleaseSysCache(row);
	return result;
}

List *
ev_table_children(Oid table)
{
	List	   *children = NIL;
	Relation	catalog;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	if (!has_children(table))
		return NIL;
	catalog = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_inherits_inhparent, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	scan = systable_beginscan(catalog, InheritsParentIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		if (!is_detached(row))
			children = lappend_oid(children, ((Form_pg_inherits) GETSTRUCT(row))->inhrelid);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	list_sort(children, list_oid_cmp);
	return children;
}

List *
ev_table_members(Oid table)
{
	HTAB	   *met = ev_oid_set();
	List	   *members = list_make1_oid(table);

	(void) ev_oid_set_add(met, table);
	for (int i = 0; i < list_length(members); i++)
	{
		List	   *children = ev_table_children(list_nth_oid(members, i));
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		foreach(cell, children)
			if (ev_oid_set_add(met, lfirst_oid(cell)))
			members = lappend_oid(members, lfirst_oid(cell));
		list_free(children);
	}
	hash_destroy(met);
	return members;
}
