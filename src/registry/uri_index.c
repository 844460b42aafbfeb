/*
 * uri_index.c
 *	  An index of the URIs in documents, in pg_depend.
 *
 * The rows have the form of dependencies on columns of the view uri_index, since
 * pg_describe_object accepts sub-objects of relations only.  PostgreSQL and
 * pg_dump read each row as one more dependency of the function on the
 * extension.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "registry/extension_objects.h"
#include "registry/uri_index.h"

/*
 * The number of a sub-object: 2 bits of the kind, and 27 of the hash, around a
 * bit that makes it positive and, as a column number, one below those of all
 * columns.
 */
#define KIND_SHIFT		29
#define NO_COLUMN		0x8000
#define LOW_BITS		14
#define HIGH_BITS		13

static int32
sub_object(EvUriKind kind, const char *name)
{
	uint32		hash = (uint32) hash_bytes_extended((const unsigned char *) name, strlen(name), 0);
	uint32		low = hash & ((1 << LOW_BITS) - 1);
	uint32		high = (hash >> LOW_BITS) & ((1 << HIGH_BITS) - 1);

	return (int32) ((uint32) kind << KIND_SHIFT | high << 16 | NO_COLUMN | low);
}

/*
 * Returns the view; InvalidOid if there is none.  pg_upgrade creates the
 * extension's objects one by one, and a schema without URIs depends on the
 * language only, so it may come before the view.
 */
static Oid
view_oid(void)
{
	Oid			namespace = get_namespace_oid(EV_INTERNAL_NAMESPACE, true);

	return OidIsValid(namespace) ? get_relname_relid("uri_index", namespace) : InvalidOid;
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

static int
compare_cells(const void *a, const void *b)
{
	return list_oid_cmp(a, b);
}

/*
 * Deletes the rows of a function whose numbers are not wanted, and returns the
 * numbers of the others, in ascending order.
 */
static List *
keep_rows(Oid function, List *wanted)
{
	Oid			view = view_oid();
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

		ListCell	number = {.oid_value = (Oid) form->refobjsubid};

		CHECK_FOR_INTERRUPTS();
		if (form->refclassid != RelationRelationId || form->refobjid != view || form->refobjsubid == 0)
			continue;
		if (wanted != NIL && bsearch(&number, wanted->elements, list_length(wanted), sizeof(ListCell), compare_cells) != NULL)
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
	Oid			view = view_oid();
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
			ObjectAddressSubSet(rows[count], RelationRelationId, view, (int32) number);
			count++;
		}
	}
	if (count > 0 && !OidIsValid(view))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("view \"%s.uri_index\" does not exist", EV_INTERNAL_NAMESPACE)));
	ObjectAddressSet(from, ProcedureRelationId, function);
	if (count > 0)
		recordMultipleDependencies(&from, rows, count, DEPENDENCY_NORMAL);
	pfree(rows);
}

List *
ev_uri_index_find(EvUriKind kind, const char *name, Oid but)
{
	Oid			view = view_oid();
	List	   *functions = NIL;
	Relation	pg_depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RelationRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(view));
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
	EvMentions	mentions;

	if (kind == EV_URI_ROOT)
		return ev_document_ids(document);
	mentions = ev_document_mentions(document);
	return kind == EV_URI_PART ? mentions.parts : mentions.references;
}
