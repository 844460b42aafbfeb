/*
 * registered_list.c
 *	  The functions of all registered schemas, in a fixed order.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"

#include "registration/registered_list.h"
#include "registry/function_row.h"
#include "registry/names.h"

int
ev_compare_registered(const EvRegistered *x, const EvRegistered *y)
{
	int			result;

	if (x->type_length < 0 || y->type_length < 0)
		return x->type_length >= 0 ? -1 : y->type_length >= 0 ? 1 : strcmp(x->name, y->name);
	result = ev_type_order(x->name, x->type_length, y->name, y->type_length);
	if (result == 0)
		result = x->version < y->version ? -1 : x->version > y->version;
	return result;
}

static int
compare_cells(const ListCell *a, const ListCell *b)
{
	return ev_compare_registered(lfirst(a), lfirst(b));
}

List *
ev_registered_functions(void)
{
	Oid			namespace = ev_namespace_oid();
	Oid			language = ev_language_oid();
	List	   *result = NIL;
	Relation	pg_proc = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(pg_proc, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
		EvRegistered *registered;

		CHECK_FOR_INTERRUPTS();
		if (form->pronamespace != namespace || form->prolang != language)
			continue;
		registered = palloc(sizeof(EvRegistered));
		registered->function = form->oid;
		registered->owner = form->proowner;
		registered->name = ev_function_version(tuple, &registered->type_length, &registered->version);
		if (registered->name == NULL)
		{
			registered->name = pstrdup(NameStr(form->proname));
			registered->type_length = -1;
		}
		result = lappend(result, registered);
	}
	systable_endscan(scan);
	table_close(pg_proc, AccessShareLock);
	list_sort(result, compare_cells);
	return result;
}
