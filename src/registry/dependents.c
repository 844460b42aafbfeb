/*
 * dependents.c
 *	  Finds the dependents of an object in pg_depend.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "utils/fmgroids.h"

#include "base/compat.h"
#include "registry/dependents.h"

void
ev_for_each_dependent(Oid class, Oid object,
					  void (*callback) (Form_pg_depend dependent, void *context),
					  void *context)
{
	Relation	pg_depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(class));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(object));
	scan = systable_beginscan(pg_depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		callback((Form_pg_depend) GETSTRUCT(tuple), context);
	systable_endscan(scan);
	table_close(pg_depend, AccessShareLock);
}
