/*
 * extension_objects.c
 *	  Finds the extension's own functions and schema.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"

#include "registry/extension_objects.h"

Oid
ev_extension_namespace(void)
{
	Relation	pg_extension = table_open(ExtensionRelationId, AccessShareLock);
	Oid			result = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(EV_EXTENSION));
	scan = systable_beginscan(pg_extension, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		result = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(pg_extension, AccessShareLock);
	return result;
}

Oid
ev_function_in(Oid namespace, const char *name, int count, const Oid *types)
{
	if (!OidIsValid(namespace))
		return InvalidOid;
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(types, count)), ObjectIdGetDatum(namespace));
}

Oid
ev_extension_function(const char *name, int count, const Oid *types)
{
	return ev_function_in(ev_extension_namespace(), name, count, types);
}

Oid
ev_internal_function(const char *name, int count, const Oid *types)
{
	return ev_function_in(get_namespace_oid(EV_INTERNAL_NAMESPACE, true), name, count, types);
}
