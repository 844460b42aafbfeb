/*
 * function_row.c
 *	  Registered functions as rows of pg_proc.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "commands/proclang.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "registry/extension_objects.h"
#include "registry/function_row.h"
#include "registry/names.h"
#include "schema/uri.h"

Oid
ev_language_oid(void)
{
	return get_language_oid(EV_LANGUAGE, true);
}

Oid
ev_namespace_oid(void)
{
	return get_namespace_oid(EV_SCHEMA_NAMESPACE, true);
}

char *
ev_function_body(HeapTuple function)
{
	bool		is_null;
	Datum		body = SysCacheGetAttr(PROCOID, function, Anum_pg_proc_prosrc, &is_null);

	if (is_null)
		elog(ERROR, "function %u has no body", ((Form_pg_proc) GETSTRUCT(function))->oid);
	return TextDatumGetCString(body);
}

char *
ev_function_uri(Form_pg_proc function)
{
	const char *name = NameStr(function->proname);
	int			type_length;
	int32		version;

	if (function->pronamespace != ev_namespace_oid())
		return pstrdup("");
	if (ev_parse_event_name(name, &type_length, &version))
		return ev_event_uri(name);
	return ev_uri_has_scheme(name) && strncmp(name, "uri:", 4) != 0 ? pstrdup(name) : pstrdup("");
}

bool
ev_function_document(HeapTuple function, EvDocument *document, EvFault *fault)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(function);

	memset(document, 0, sizeof(EvDocument));
	memset(fault, 0, sizeof(EvFault));
	document->function = form->oid;
	document->name = pstrdup(NameStr(form->proname));
	document->uri = ev_function_uri(form);
	return ev_document_parse(ev_function_body(function), document, fault);
}

/*
 * Returns the version of a function's row that the current transaction ended:
 * the one that was updated to `after` or, if that is NULL, the one that was
 * deleted.  A copy in CurrentMemoryContext, or NULL.
 *
 * A snapshot cannot find it: the active snapshot can be older than an earlier
 * command of the same statement or, in a REPEATABLE READ transaction, older
 * than a commit of another session.
 */
static HeapTuple
version_before(Oid function, HeapTuple after)
{
	HeapTuple	result = NULL;
	HeapTuple	version;
	Relation	pg_proc = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;

	ScanKeyInit(&key, Anum_pg_proc_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(function));
	scan = systable_beginscan(pg_proc, ProcedureOidIndexId, true, SnapshotAny, 1, &key);
	while (result == NULL && HeapTupleIsValid(version = systable_getnext(scan)))
	{
		const HeapTupleHeader header = version->t_data;
		bool		leads_there;

		if (after == NULL)
			leads_there = ItemPointerEquals(&header->t_ctid, &version->t_self);
		else
			leads_there = ItemPointerEquals(&header->t_ctid, &after->t_self) &&
				!ItemPointerEquals(&version->t_self, &after->t_self);
		if (leads_there && (header->t_infomask & HEAP_XMAX_INVALID) == 0 &&
			!HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask) &&
			TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(header)))
			result = heap_copytuple(version);
	}
	systable_endscan(scan);
	table_close(pg_proc, AccessShareLock);
	return result;
}

HeapTuple
ev_function_previous(HeapTuple function)
{
	if (!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(function->t_data)))
		return NULL;
	return version_before(((Form_pg_proc) GETSTRUCT(function))->oid, function);
}

HeapTuple
ev_function_dropped(Oid function)
{
	return version_before(function, NULL);
}

Oid
ev_policy_function(const char *type, int length)
{
	NameData	name;

	if (!ev_policy_name(type, length, &name))
		return InvalidOid;
	return ev_function_in(ev_namespace_oid(), NameStr(name), 0, NULL);
}

/* ---------- dependencies ---------- */

List *
ev_function_all_dependencies(Oid function)
{
	List	   *functions = NIL;
	Relation	pg_depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(ProcedureRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(function));
	scan = systable_beginscan(pg_depend, DependDependerIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		if (form->refclassid == ProcedureRelationId &&
			form->deptype == DEPENDENCY_NORMAL)
			functions = list_append_unique_oid(functions, form->refobjid);
	}
	systable_endscan(scan);
	table_close(pg_depend, AccessShareLock);
	return functions;
}

List *
ev_function_dependencies(Oid function)
{
	Oid			language = ev_language_oid();
	List	   *functions = ev_function_all_dependencies(function);
	HeapTuple	tuple;

	/* upcasts depend on users' functions; keep schemas only */
	for (int i = list_length(functions) - 1; i >= 0; i--)
	{
		tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(list_nth_oid(functions, i)));
		if (!HeapTupleIsValid(tuple))
			functions = list_delete_nth_cell(functions, i);
		else
		{
			if (((Form_pg_proc) GETSTRUCT(tuple))->prolang != language)
				functions = list_delete_nth_cell(functions, i);
			ReleaseSysCache(tuple);
		}
	}
	return functions;
}
