/*
 * moved_rows.c
 *	  Was an event that is inserted in its table before?
 *
 * pg_partman moves rows from a default partition to a new one by DELETE and
 * INSERT, and an UPDATE of a partition key does it too.  A guard sees an INSERT
 * of an event that is perhaps older than the guard.  To divert it would take a
 * row out of a table without a request.
 *
 * PostgreSQL counts the rows that a transaction deletes from each table
 * (track_counts).  If
 * there are such rows in the guard's table, or in its partitions and children,
 * the events of these tables are gathered as hashes of data, type and version.
 * Rows that the current statement is about to delete count too: DELETE ...
 * RETURNING feeds an INSERT row by row.
 *
 * A role could learn in this way whether a table has an event, so only tables
 * are read of which it may read all rows.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "guard/moved_rows.h"
#include "rows/table_rights.h"

/* Number of events that are gathered. */
#define MOST_EVENTS		5000000
/* A table with more partitions is looked at once in a command. */
#define FEW_PARTITIONS	64

/* The events of tables from which the transaction has deleted rows. */
typedef struct OldEvents
{
	Oid			table;			/* of the guard */
	CommandId	command;		/* in which they were gathered */
	int			sources;		/* number of tables with deleted rows */
	HTAB	   *events;			/* hashes; NULL: there are no such tables */
	MemoryContext context;
	MemoryContextCallback forget;
} OldEvents;

static OldEvents *gathered = NULL;

static void
forget(void *arg pg_attribute_unused())
{
	gathered = NULL;
}

/* ---------- tables ---------- */

/*
 * Has this transaction deleted rows of the table?  Not known if the setting
 * track_counts is off.
 */
static bool
has_deleted_rows(Relation relation)
{
	const PgStat_TableXactStatus *status;

	/* this finds the counts again if the relation was invalidated */
	if (!pgstat_should_count_relation(relation))
		return false;
	status = relation->pgstat_info->trans;
	for (; status != NULL; status = status->upper)
		if (status->tuples_deleted > 0)
			return true;
	return false;
}

/*
 * Opens a table if this transaction has deleted rows of it.  Another session
 * with an exclusive lock shows that it has not.
 */
static Relation
open_source(Oid table)
{
	Relation	relation;

	if (get_rel_relkind(table) != RELKIND_RELATION || !ConditionalLockRelationOid(table, AccessShareLock))
		return NULL;
	relation = try_relation_open(table, NoLock);
	if (relation != NULL && has_deleted_rows(relation))
		return relation;
	if (relation != NULL)
		relation_close(relation, NoLock);
	UnlockRelationOid(table, AccessShareLock);
	return NULL;
}

/* Returns the tables with deleted rows, and the number of all tables. */
static List *
sources_of(Oid table, int *count)
{
	List	   *members = find_all_inheritors(table, NoLock, NULL);
	List	   *sources = NIL;
	ListCell   *cell;

	foreach(cell, members)
	{
		Relation	relation = open_source(lfirst_oid(cell));

		if (relation == NULL)
			continue;
		sources = lappend_oid(sources, lfirst_oid(cell));
		relation_close(relation, AccessShareLock);
	}
	*count = list_length(members);
	return sources;
}

/* ---------- events ---------- */

/* The columns of the event in a relation; 0: not a column. */
typedef struct PartColumns
{
	AttrNumber	numbers[EV_ROW_PARTS];
} PartColumns;

/* Finds the guard's columns in another relation, by name.  False: one is missing. */
static bool
find_columns(const EvGuard *guard, Oid relation, PartColumns *columns)
{
	for (int i = 0; i < EV_ROW_PARTS; i++)
	{
		AttrNumber	number = guard->operands[i].column;
		char	   *name = number > 0 ? get_attname(guard->relation, number, true) : NULL;

		columns->numbers[i] = name != NULL ? get_attnum(relation, name) : InvalidAttrNumber;
		if (number > 0 && columns->numbers[i] <= 0)
			return false;
	}
	return columns->numbers[EV_ROW_DATA] > 0;
}

static uint64
hash_event(Relation relation, HeapTuple row, const PartColumns *columns)
{
	TupleDesc	descriptor = RelationGetDescr(relation);
	uint64		hash = 0;

	for (int i = 0; i < EV_ROW_PARTS; i++)
	{
		Form_pg_attribute column;
		bool		is_null;
		Datum		value;
		uint64		part = i;

		if (columns->numbers[i] <= 0)
			continue;
		column = TupleDescAttr(descriptor, columns->numbers[i] - 1);
		value = heap_getattr(row, columns->numbers[i], descriptor, &is_null);
		if (is_null)
			part = 0;
		else if (column->attlen == -1)
		{
			struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

			part = hash_bytes_extended((unsigned char *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), i + 1);
			if ((Pointer) bytes != DatumGetPointer(value))
				pfree(bytes);
		}
		else if (column->attbyval)
			part = hash_bytes_extended((unsigned char *) &value, sizeof(value), i + 1);
		hash = hash_combine64(hash, part);
	}
	return hash;
}

/*
 * Was the row in the table before this transaction, and has no other one
 * deleted it?
 */
static bool
was_there(HeapTuple row)
{
	HeapTupleHeader header = row->t_data;
	TransactionId xmin = HeapTupleHeaderGetXmin(header);
	TransactionId xmax;

	if (TransactionIdIsCurrentTransactionId(xmin) ||
		(!HeapTupleHeaderXminCommitted(header) && !TransactionIdDidCommit(xmin)))
		return false;
	if ((header->t_infomask & HEAP_XMAX_INVALID) || HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask))
		return true;
	xmax = HeapTupleHeaderGetUpdateXid(header);
	return TransactionIdIsCurrentTransactionId(xmax) || !TransactionIdDidCommit(xmax);
}

static void
gather_rows(const EvGuard *guard, Relation relation)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "event_validate moved row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = CurrentMemoryContext;
	TupleTableSlot *slot;
	TableScanDesc scan;
	PartColumns columns;

	if (relation->rd_rel->relam != HEAP_TABLE_AM_OID || !ev_may_read_all(RelationGetRelid(relation), GetUserId()) ||
		!find_columns(guard, RelationGetRelid(relation), &columns))
		return;
	slot = table_slot_create(relation, NULL);
	scan = EV_TABLE_BEGINSCAN(relation, SnapshotAny);
	while (hash_get_num_entries(gathered->events) < MOST_EVENTS && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		HeapTuple	row;
		uint64		hash;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(context);
		row = ExecFetchSlotHeapTuple(slot, false, NULL);
		if (was_there(row))
		{
			hash = hash_event(relation, row, &columns);
			(void) hash_search(gathered->events, &hash, HASH_ENTER, NULL);
		}
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(context);
}

/* ---------- both ---------- */

/* Starts with no events, for this command. */
static void
start(Oid table, int sources)
{
	MemoryContext context;

	if (gathered != NULL)
		MemoryContextDelete(gathered->context);
	context = AllocSetContextCreate(TopTransactionContext, "event_validate moved rows", ALLOCSET_DEFAULT_SIZES);
	gathered = MemoryContextAllocZero(context, sizeof(OldEvents));
	gathered->context = context;
	gathered->table = table;
	gathered->command = GetCurrentCommandId(false);
	gathered->sources = sources;
	gathered->forget.func = forget;
	MemoryContextRegisterResetCallback(context, &gathered->forget);
}

static void
gather(const EvGuard *guard, List *sources)
{
	HASHCTL		control = {.keysize = sizeof(uint64), .entrysize = sizeof(uint64)};
	ListCell   *cell;

	control.hcxt = gathered->context;
	gathered->events = hash_create("event_validate moved rows", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	foreach(cell, sources)
	{
		Relation	relation = open_source(lfirst_oid(cell));

		if (relation == NULL)
			continue;
		gather_rows(guard, relation);
		relation_close(relation, AccessShareLock);
	}
}

/* Were the tables looked at in this command, and found as they are now? */
static bool
is_current(const EvGuard *guard, int sources)
{
	return gathered != NULL && gathered->table == guard->table &&
		gathered->command == GetCurrentCommandId(false) && gathered->sources == sources;
}

static bool
is_gathered(const EvGuard *guard, Relation relation, HeapTuple row)
{
	PartColumns columns;
	uint64		hash;

	if (gathered == NULL || gathered->table != guard->table || gathered->events == NULL ||
		!find_columns(guard, RelationGetRelid(relation), &columns))
		return false;
	hash = hash_event(relation, row, &columns);
	return hash_search(gathered->events, &hash, HASH_FIND, NULL) != NULL;
}

EvMove
ev_row_move(const EvGuard *guard, Relation relation, HeapTuple row)
{
	List	   *sources;
	int			count;

	if (is_gathered(guard, relation, row))
		return EV_MOVED;
	if (gathered != NULL && gathered->table == guard->table && gathered->command == GetCurrentCommandId(false) &&
		gathered->sources < 0)
		return EV_NOT_MOVED;
	sources = sources_of(guard->table, &count);
	if (sources == NIL)
	{
		if (count > FEW_PARTITIONS)
			start(guard->table, -1);
		return EV_NOT_MOVED;
	}
	if (is_current(guard, list_length(sources)))
		return EV_PERHAPS_MOVED;
	start(guard->table, list_length(sources));
	gather(guard, sources);
	return is_gathered(guard, relation, row) ? EV_MOVED : EV_PERHAPS_MOVED;
}
