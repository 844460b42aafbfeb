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
 * (track_counts).  If there are such rows in the guard's table, or in its
 * partitions and children, the events of these tables are gathered as hashes of
 * the columns that the guard reads.  Rows that the current statement is about to
 * delete count too: DELETE ... RETURNING feeds an INSERT row by row.
 *
 * The events are kept to the end of the transaction.  Only rows that other
 * transactions have committed since can be missing, so a table is scanned at
 * most once in a statement of the client, however many commands that runs.
 *
 * A role could learn in this way whether a table has an event, so only tables
 * are read of which it may read all rows, and what was gathered is used for
 * this role only.  The hashes are made with a secret, so that no row can be made that
 * has the hash of another one.
 *
 * A transaction can use many tables and roles in turn, and roll back savepoints, after which
 * a table is gathered anew.  Both have limits; beyond them, no row is found.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/lock.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/table_members.h"
#include "guard/moved_rows.h"
#include "rows/table_rights.h"

/* Number of events that are gathered. */
#define MOST_EVENTS		5000000
/* The members of a larger family are listed once in a statement of the client. */
#define FEW_PARTITIONS	64

/* Tables, each with a role and the columns that a guard reads, whose events are kept. */
#define MOST_KEPT		16
/* How often a table is gathered anew in a statement of the client, after rollbacks. */
#define MOST_ANEW		8

/* The events of tables from which the transaction has deleted rows. */
typedef struct OldEvents
{
	Oid			table;			/* of the guard */
	Oid			role;			/* for which they were gathered */
	uint64		columns;		/* a hash of those that the guard reads */
	uint64		secret;			/* for the hashes of events */
	TimestampTz begun;			/* statement of the client that gathered anew
								 * last, */
	int			anew;			/* and how often it did so */
	List	   *members;		/* the table, its partitions and children */
	TimestampTz listed;			/* statement of the client that listed these */
	List	   *sources;		/* the members whose events were gathered */
	TimestampTz statement;		/* of the client, that gathered them; 0: not
								 * all of them */
	HTAB	   *events;			/* hashes */
	MemoryContext context;
	MemoryContextCallback forget;
} OldEvents;

static OldEvents *kept[MOST_KEPT];

static void
forget(void *arg)
{
	for (int i = 0; i < MOST_KEPT; i++)
		if (kept[i] == arg)
			kept[i] = NULL;
}

/* ---------- tables ---------- */

/*
 * Has this transaction deleted rows of the table?  Not known if the setting
 * track_counts is off.  A TRUNCATE leaves no row in which an event could be found;
 * what it was is not known.
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
		if (status->tuples_deleted > 0 ||
			(status->truncdropped && relation->rd_createSubid == InvalidSubTransactionId))
			return true;
	return false;
}

/*
 * Opens a table if this transaction has deleted rows of it.  It has the lock of
 * a DELETE or a TRUNCATE on such a table then, which costs no more than a look.
 */
static Relation
open_source(Oid table)
{
	Relation	relation;
	LOCKTAG		lock;

	SET_LOCKTAG_RELATION(lock, MyDatabaseId, table);
	if ((!EV_LOCK_HELD(&lock, RowExclusiveLock) && !EV_LOCK_HELD(&lock, AccessExclusiveLock)) ||
		get_rel_relkind(table) != RELKIND_RELATION)
		return NULL;
	relation = try_relation_open(table, NoLock);
	if (relation == NULL || has_deleted_rows(relation))
		return relation;
	relation_close(relation, NoLock);
	return NULL;
}

/* Returns those of the tables that have deleted rows. */
static List *
sources_of(List *members)
{
	List	   *sources = NIL;
	ListCell   *cell;

	foreach(cell, members)
	{
		Relation	relation = open_source(lfirst_oid(cell));

		if (relation == NULL)
			continue;
		sources = lappend_oid(sources, lfirst_oid(cell));
		relation_close(relation, NoLock);
	}
	return sources;
}

/* ---------- events ---------- */

/* A column that a guard reads, in a relation. */
typedef struct ReadColumn
{
	AttrNumber	number;
	uint64		seed;			/* hash of its name */
} ReadColumn;

typedef struct ReadColumns
{
	int			count;
	ReadColumn *columns;		/* in CurrentMemoryContext */
} ReadColumns;

/* Returns the columns that data, type and version depend on, as pull_varattnos does. */
static Bitmapset *
columns_read(const EvGuard *guard)
{
	Bitmapset  *read = NULL;

	for (int i = 0; i < EV_ROW_PARTS; i++)
	{
		const EvGuardOperand *operand = &guard->operands[i];

		if (operand->column > 0)
			read = bms_add_member(read, operand->column - FirstLowInvalidHeapAttributeNumber);
		else
			pull_varattnos(operand->expression, 1, &read);
	}
	return read;
}

static uint64
hash_name(const char *name)
{
	return hash_bytes_extended((const unsigned char *) name, strlen(name), 0);
}

/* Two guards of a table can read different columns. */
static uint64
hash_columns(const EvGuard *guard)
{
	Bitmapset  *read = columns_read(guard);
	int			member = -1;
	uint64		hash = 0;

	while ((member = bms_next_member(read, member)) >= 0)
	{
		char	   *name = get_attname(guard->relation, member + FirstLowInvalidHeapAttributeNumber, true);

		hash += name != NULL ? hash_name(name) : 0;
	}
	bms_free(read);
	return hash;
}

/* Finds the guard's columns in another relation, by name.  False: one is missing. */
static bool
find_columns(const OldEvents *gathered, const EvGuard *guard, Oid relation, ReadColumns *found)
{
	Bitmapset  *read = columns_read(guard);
	int			member = -1;

	found->count = 0;
	found->columns = palloc(Max(bms_num_members(read), 1) * sizeof(ReadColumn));
	while ((member = bms_next_member(read, member)) >= 0)
	{
		char	   *name = get_attname(guard->relation, member + FirstLowInvalidHeapAttributeNumber, true);
		ReadColumn *column = &found->columns[found->count++];

		column->number = name != NULL ? get_attnum(relation, name) : InvalidAttrNumber;
		if (column->number <= 0)
			return false;
		column->seed = hash_name(name) ^ gathered->secret;
	}
	return found->count > 0;
}

static uint64
hash_value(Datum value, Form_pg_attribute column, uint64 seed)
{
	struct varlena *bytes;
	uint64		hash;

	if (column->attbyval)
		return hash_bytes_extended((unsigned char *) &value, sizeof(value), seed);
	if (column->attlen != -1)
		return hash_bytes_extended((unsigned char *) DatumGetPointer(value),
								   datumGetSize(value, false, column->attlen), seed);
	bytes = PG_DETOAST_DATUM_PACKED(value);
	hash = hash_bytes_extended((unsigned char *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), seed);
	if ((Pointer) bytes != DatumGetPointer(value))
		pfree(bytes);
	return hash;
}

/* The order of the columns, which partitions can have in another one, does not matter. */
static uint64
hash_event(Relation relation, HeapTuple row, const ReadColumns *read)
{
	TupleDesc	descriptor = RelationGetDescr(relation);
	uint64		hash = 0;

	for (int i = 0; i < read->count; i++)
	{
		const ReadColumn *column = &read->columns[i];
		bool		is_null;
		Datum		value = heap_getattr(row, column->number, descriptor, &is_null);

		hash += is_null ? column->seed : hash_value(value, TupleDescAttr(descriptor, column->number - 1), column->seed);
	}
	return hash;
}

/* Copies a row's header, which other sessions change under the buffer's lock. */
static void
copy_header(TupleTableSlot *slot, HeapTuple row, HeapTupleHeaderData *header)
{
	Buffer		buffer = ((BufferHeapTupleTableSlot *) slot)->buffer;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(header, row->t_data, SizeofHeapTupleHeader);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
}

/*
 * Was the row in the table before this transaction, and has no other one
 * deleted it?
 */
static bool
was_there(HeapTupleHeader header)
{
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

/* The number of events that are kept in all. */
static long
count_kept(void)
{
	long		count = 0;

	for (int i = 0; i < MOST_KEPT; i++)
		count += kept[i] != NULL ? hash_get_num_entries(kept[i]->events) : 0;
	return count;
}

static void
gather_rows(OldEvents *gathered, const EvGuard *guard, Relation relation)
{
	long		room = MOST_EVENTS - count_kept() + hash_get_num_entries(gathered->events);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "event_validate moved row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = CurrentMemoryContext;
	TupleTableSlot *slot;
	TableScanDesc scan;
	ReadColumns columns;

	if (relation->rd_rel->relam != HEAP_TABLE_AM_OID || !ev_may_read_all(RelationGetRelid(relation), GetUserId()) ||
		!find_columns(gathered, guard, RelationGetRelid(relation), &columns))
		return;
	slot = table_slot_create(relation, NULL);
	Assert(TTS_IS_BUFFERTUPLE(slot));
	scan = EV_TABLE_BEGINSCAN(relation, SnapshotAny);
	while (hash_get_num_entries(gathered->events) < room && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		HeapTupleHeaderData header;
		HeapTuple	row;
		uint64		hash;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(context);
		row = ExecFetchSlotHeapTuple(slot, false, NULL);
		copy_header(slot, row, &header);
		if (was_there(&header))
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

/* Makes the table of events anew. */
static void
clear(OldEvents *gathered)
{
	HASHCTL		control = {.keysize = sizeof(uint64), .entrysize = sizeof(uint64), .hcxt = gathered->context};
	HTAB	   *old = gathered->events;

	gathered->events = hash_create("event_validate moved rows", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	if (old != NULL)
		hash_destroy(old);
	list_free(gathered->sources);
	gathered->sources = NIL;
	gathered->statement = 0;
}

/* Starts with no events, for a table, the current role and some columns. */
static OldEvents *
start(Oid table, uint64 columns)
{
	MemoryContext context = AllocSetContextCreate(TopTransactionContext, "event_validate moved rows", ALLOCSET_DEFAULT_SIZES);
	OldEvents  *gathered = MemoryContextAllocZero(context, sizeof(OldEvents));

	gathered->context = context;
	gathered->table = table;
	gathered->role = GetUserId();
	gathered->columns = columns;
	if (!pg_strong_random(&gathered->secret, sizeof(gathered->secret)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random number")));
	gathered->forget.func = forget;
	gathered->forget.arg = gathered;
	MemoryContextRegisterResetCallback(context, &gathered->forget);
	clear(gathered);
	return gathered;
}

/*
 * Returns a free place; if there is none, that of a table without events, which is
 * forgotten.  -1: all tables have some.
 */
static int
free_place(void)
{
	for (int i = 0; i < MOST_KEPT; i++)
		if (kept[i] == NULL)
			return i;
	for (int i = 0; i < MOST_KEPT; i++)
		if (kept[i]->sources == NIL)
		{
			MemoryContextDelete(kept[i]->context);
			return i;
		}
	return -1;
}

/* Returns the events of a guard's table for the current role; NULL: too many tables and roles have some. */
static OldEvents *
find_gathered(const EvGuard *guard)
{
	uint64		columns = hash_columns(guard);
	int			place;

	for (int i = 0; i < MOST_KEPT; i++)
		if (kept[i] != NULL && kept[i]->table == guard->table && kept[i]->role == GetUserId() && kept[i]->columns == columns)
			return kept[i];
	place = free_place();
	return place >= 0 ? kept[place] = start(guard->table, columns) : NULL;
}

/* Replaces a list of OIDs by a copy of another one. */
static void
keep_list(OldEvents *gathered, List **list, const List *new)
{
	MemoryContext caller = MemoryContextSwitchTo(gathered->context);
	List	   *old = *list;

	*list = list_copy(new);
	list_free(old);
	MemoryContextSwitchTo(caller);
}

/* Finds the tables that are looked at, unless they are many and were found in this statement. */
static void
list_members(OldEvents *gathered)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	List	   *members;

	if (gathered->listed == now && list_length(gathered->members) > FEW_PARTITIONS)
		return;
	members = ev_table_members(gathered->table);
	keep_list(gathered, &gathered->members, members);
	gathered->listed = now;
	list_free(members);
}

/* Adds the events of some of the sources.  After an error, all are gathered again. */
static void
gather(OldEvents *gathered, const EvGuard *guard, const List *sources, const List *added)
{
	ListCell   *cell;

	gathered->statement = 0;
	keep_list(gathered, &gathered->sources, sources);
	foreach(cell, added)
	{
		Relation	relation = open_source(lfirst_oid(cell));

		if (relation == NULL)
			continue;
		gather_rows(gathered, guard, relation);
		relation_close(relation, NoLock);
	}
	gathered->statement = GetCurrentStatementStartTimestamp();
}

static bool
is_gathered(const OldEvents *gathered, const EvGuard *guard, Relation relation, HeapTuple row)
{
	ReadColumns columns;
	uint64		hash;

	if (hash_get_num_entries(gathered->events) == 0 ||
		!find_columns(gathered, guard, RelationGetRelid(relation), &columns))
		return false;
	hash = hash_event(relation, row, &columns);
	return hash_search(gathered->events, &hash, HASH_FIND, NULL) != NULL;
}

/* Looks for the row among the events of the tables with deleted rows. */
static EvMove
find_row(OldEvents *gathered, const EvGuard *guard, Relation relation, HeapTuple row, const List *sources)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	bool		is_same = equal(sources, gathered->sources);
	const List *added = sources;

	/* a savepoint's rollback took back what was deleted from one of them */
	if (!is_same && list_difference_oid(gathered->sources, sources) != NIL)
	{
		if (gathered->begun != now)
			gathered->anew = 0;
		gathered->begun = now;
		if (++gathered->anew > MOST_ANEW)
			return EV_PERHAPS_MOVED;
		clear(gathered);
	}
	if (is_gathered(gathered, guard, relation, row))
		return EV_MOVED;
	if (gathered->statement == now)
		added = is_same ? NIL : list_difference_oid(sources, gathered->sources);
	if (added == NIL)
		return EV_PERHAPS_MOVED;
	gather(gathered, guard, sources, added);
	return is_gathered(gathered, guard, relation, row) ? EV_MOVED : EV_PERHAPS_MOVED;
}

EvMove
ev_row_move(const EvGuard *guard, Relation relation, HeapTuple row)
{
	OldEvents  *gathered = find_gathered(guard);
	List	   *sources;
	EvMove		move = EV_NOT_MOVED;

	if (gathered != NULL)
		list_members(gathered);
	sources = sources_of(gathered != NULL ? gathered->members : ev_table_members(guard->table));
	if (sources != NIL && gathered == NULL)
		move = EV_PERHAPS_MOVED;
	else if (sources != NIL)
		move = find_row(gathered, guard, relation, row, sources);
	list_free(sources);
	return move;
}
