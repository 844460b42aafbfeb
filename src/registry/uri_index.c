/*
 * uri_index.c
 *	  An index of the URIs in documents, in pg_depend.
 *
 * A language has no sub-objects, so PostgreSQL and pg_dump read each row as one
 * more dependency of the function on its language.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "registry/function_row.h"
#include "registry/uri_index.h"

/* The number of a sub-object is positive: 2 bits of the kind, 29 of the hash. */
#define HASH_BITS		29

static int32
sub_object(EvUriKind kind, const char *name)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) name, strlen(name), 0);

	return (int32) ((uint32) kind << HASH_BITS | (uint32) (hash & ((1 << HASH_BITS) - 1)));
}

static List *
add_names(List *numbers, EvUriKind kind, List *names)
{
	ListCell   *cell;

	foreach(cell, names)
		numbers = lappend_oid(numbers, (Oid) sub_object(kind, lfirst(cell)));
	return numbers;
}

/* Returns the numbers of these names, in ascending order, each once. */
static List *
numbers_of(List *roots, List *parts, List *references)
{
	List	   *numbers = NIL;

	numbers = add_names(numbers, EV_URI_ROOT, roots);
	numbers = add_names(numbers, EV_URI_PART, parts);
	numbers = add_names(numbers, EV_URI_REFERENCE, references);
	list_sort(numbers, list_oid_cmp);
	list_deduplicate_oid(numbers);
	return numbers;
}

/*
 * Deletes the rows of a function whose numbers are not wanted, and returns the
 * numbers of the others, in ascending order.
 */
static List *
keep_rows(Oid function, List *wanted)
{
	Oid			language = ev_language_oid();
	List	   *kept = NIL;
	Relation	pg_depend = table_open(DependRelationId, RowExclusiveLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(ProcedureRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(function));
	scan = systable_beginscan(pg_depend, DependDependerIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		if (form->refclassid != LanguageRelationId || form->refobjid != language || form->refobjsubid == 0)
			continue;
		if (list_member_oid(wanted, (Oid) form->refobjsubid))
			kept = lappend_oid(kept, (Oid) form->refobjsubid);
		else
			CatalogTupleDelete(pg_depend, &tuple->t_self);
	}
	systable_endscan(scan);
	table_close(pg_depend, RowExclusiveLock);
	list_sort(kept, list_oid_cmp);
	return kept;
}

void
ev_uri_index_record(Oid function, List *roots, List *parts, List *references)
{
	Oid			language = ev_language_oid();
	List	   *wanted = numbers_of(roots, parts, references);
	List	   *kept = keep_rows(function, wanted);
	ObjectAddress *rows = palloc(sizeof(ObjectAddress) * (list_length(wanted) + 1));
	ObjectAddress from;
	int			count = 0;
	int			k = 0;
	ListCell   *cell;

	foreach(cell, wanted)
	{
		Oid			number = lfirst_oid(cell);

		while (k < list_length(kept) && list_nth_oid(kept, k) < number)
			k++;
		if (k == list_length(kept) || list_nth_oid(kept, k) != number)
		{
			ObjectAddressSubSet(rows[count], LanguageRelationId, language, (int32) number);
			count++;
		}
	}
	ObjectAddressSet(from, ProcedureRelationId, function);
	if (count > 0)
		recordMultipleDependencies(&from, rows, count, DEPENDENCY_NORMAL);
	pfree(rows);
}

List *
ev_uri_index_find(EvUriKind kind, const char *name, Oid but)
{
	Oid			language = ev_language_oid();
	List	   *functions = NIL;
	Relation	pg_depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(LanguageRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(language));
	ScanKeyInit(&keys[2], Anum_pg_depend_refobjsubid, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(sub_object(kind, name)));
	scan = systable_beginscan(pg_depend, DependReferenceIndexId, true, NULL, 3, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		CHECK_FOR_INTERRUPTS();
		if (form->classid == ProcedureRelationId && form->objid != but)
			functions = lappend_oid(functions, form->objid);
	}
	systable_endscan(scan);
	table_close(pg_depend, AccessShareLock);
	list_sort(functions, list_oid_cmp);
	list_deduplicate_oid(functions);
	return functions;
}

List *
ev_uri_index_uris(const EvDocument *document, EvUriKind kind)
{
	List	   *parts;
	List	   *references;

	if (kind == EV_URI_ROOT)
		return ev_document_ids(document);
	ev_document_mentions(document, &parts, &references);
	return kind == EV_URI_PART ? parts : references;
}
