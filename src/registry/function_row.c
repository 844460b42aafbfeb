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
#include "catalog/pg_language.h"
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

/* The line with the event type is mostly within the first bytes of a body. */
#define BEGINNING	1024

char *
ev_function_event_type(HeapTuple function)
{
	bool		is_null;
	Datum		body = SysCacheGetAttr(PROCOID, function, Anum_pg_proc_prosrc, &is_null);
	char	   *beginning;
	char	   *type;
	int			prefix = strlen(EV_POLICY_TYPE_LINE);

	if (is_null)
		return NULL;
	beginning = text_to_cstring(DatumGetTextPSlice(body, 0, BEGINNING));
	if (((Form_pg_proc) GETSTRUCT(function))->prolang == SQLlanguageId)
	{
		char	   *end = strchr(beginning, '\n');

		return end != NULL && strncmp(beginning, EV_POLICY_TYPE_LINE, prefix) == 0 ?
			pnstrdup(beginning + prefix, end - beginning - prefix) : NULL;
	}
	type = ev_document_event_type(beginning);
	if (type == NULL && strlen(beginning) == BEGINNING)
		type = ev_document_event_type(ev_function_body(function));
	pfree(beginning);
	return type;
}

char *
ev_function_version(HeapTuple function, int *type_length, int32 *version)
{
	const char *name = NameStr(((Form_pg_proc) GETSTRUCT(function))->proname);
	EvNameParts parts;
	NameData	expected;
	char	   *type;

	if (!ev_take_apart(name, &parts) || parts.kind != EV_NAME_EVENT)
		return NULL;
	*version = parts.version;
	*type_length = parts.type_length;
	if (!parts.shortened)
		return pstrdup(name);

	type = ev_function_event_type(function);
	if (type == NULL || !ev_event_name(type, strlen(type), parts.version, &expected) ||
		strcmp(NameStr(expected), name) != 0)
		return NULL;
	*type_length = strlen(type);
	name = psprintf("%s@%d", type, parts.version);
	pfree(type);
	return unconstify(char *, name);
}

char *
ev_function_shown_name(HeapTuple function)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(function);
	const char *at = strrchr(NameStr(form->proname), '@');
	EvNameParts parts;
	char	   *name = NULL;
	int			type_length;
	int32		version;

	/* most names need no look at the body */
	if (at != NULL && strchr(at, '~') != NULL && form->pronamespace == ev_namespace_oid() &&
		ev_take_apart(NameStr(form->proname), &parts))
	{
		if (parts.kind == EV_NAME_EVENT)
			name = ev_function_version(function, &type_length, &version);
		else if (parts.kind == EV_NAME_POLICY)
		{
			char	   *type = ev_function_event_type(function);

			name = type != NULL ? psprintf("%s@compatibility", type) : NULL;
		}
	}
	return name != NULL ? name : pstrdup(NameStr(form->proname));
}

/*
 * Returns the URI by which references find a function's document, in
 * CurrentMemoryContext; "" if there is none.
 */
static char *
function_uri(Form_pg_proc function, const char *name)
{
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
	document->name = ev_function_shown_name(function);
	document->uri = function_uri(form, document->name);
	/* the document points into its body */
	return ev_document_parse(ev_function_body(function), document, fault);
}

HeapTuple
ev_function_row(Oid function)
{
	Relation	pg_proc = table_open(ProcedureRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, Anum_pg_proc_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(function));
	scan = systable_beginscan(pg_proc, ProcedureOidIndexId, true, NULL, 1, &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		row = heap_copytuple(row);
	systable_endscan(scan);
	table_close(pg_proc, AccessShareLock);
	return row;
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

void
ev_function_name_range(const char *beginning, int length, NameData names[2], ScanKeyData keys[2])
{
	memset(names, 0, sizeof(NameData) * 2);
	memcpy(NameStr(names[0]), beginning, length);
	names[1] = names[0];
	memset(NameStr(names[1]) + length, 0xFF, NAMEDATALEN - 1 - length);
	ScanKeyInit(&keys[0], Anum_pg_proc_proname, BTGreaterEqualStrategyNumber, F_NAMEGE, NameGetDatum(&names[0]));
	ScanKeyInit(&keys[1], Anum_pg_proc_proname, BTLessStrategyNumber, F_NAMELT, NameGetDatum(&names[1]));
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
