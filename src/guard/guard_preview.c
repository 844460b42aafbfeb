/*
 * guard_preview.c
 *	  Counts how many of the last rows of a table a new guard would not have
 *	  accepted.
 *
 * The last rows are those of the last blocks; without an index on a time, no
 * better answer is possible.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/table_members.h"
#include "guard/guard_definition.h"
#include "guard/guard_expression.h"
#include "guard/guard_family.h"
#include "guard/guard_preview.h"
#include "guard/guard_trigger.h"
#include "rows/pure_expression.h"
#include "rows/table_look.h"
#include "rows/table_rights.h"

/* Limits on rows, blocks, partitions and time. */
#define PREVIEWED_ROWS			1000
#define PREVIEWED_BLOCKS		200
#define PREVIEWED_PARTITIONS	10
#define PREVIEW_MS				500

typedef struct Preview
{
	Oid			table;
	Oid			function;		/* guard_event() */
	const char *name;			/* of the trigger */
	int			rows;
	int			refused;
} Preview;

/* Examines the rows of one block. */
static void
preview_block(Preview *preview, Relation relation, BlockNumber block, const Trigger *trigger, FmgrInfo *function)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "event_validate preview", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = CurrentMemoryContext;
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	ItemPointerData first;
	ItemPointerData last;
	TableScanDesc scan;

	ItemPointerSet(&first, block, 1);
	ItemPointerSet(&last, block, MaxOffsetNumber);
	scan = EV_TABLE_BEGINSCAN_TIDRANGE(relation, GetActiveSnapshot(), &first, &last);
	while (preview->rows < PREVIEWED_ROWS && table_scan_getnextslot_tidrange(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(context);
		preview->rows++;
		if (!ev_guard_accepts(function, relation, trigger, ExecFetchSlotHeapTuple(slot, true, NULL)))
			preview->refused++;
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(context);
}

/*
 * Returns the guard that was created, or its clone on a partition.  Returns
 * NULL if there is none, or if it would run users' code: the rows are read as
 * the table's owner, but others may have written the expressions, or may own
 * the functions that these call.
 */
static const Trigger *
harmless_guard(const Preview *preview, Relation relation)
{
	TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		FuncExpr   *reads = trigger->tgfoid == preview->function ? ev_guard_reads(trigger) : NULL;

		if (reads != NULL && strcmp(trigger->tgname, preview->name) == 0 &&
			(RelationGetRelid(relation) == preview->table ||
			 ev_guard_family_table(RelationGetRelid(relation), trigger->tgoid) == preview->table) &&
			ev_is_pure((Node *) linitial_node(RowExpr, reads->args)->args, NIL))
			return trigger;
	}
	return NULL;
}

static void
preview_relation(Preview *preview, Relation relation)
{
	const Trigger *trigger = harmless_guard(preview, relation);
	BlockNumber blocks;
	FmgrInfo	function;

	if (trigger == NULL || relation->rd_rel->relkind != RELKIND_RELATION || relation->rd_rel->relam != HEAP_TABLE_AM_OID)
		return;
	fmgr_info(preview->function, &function);
	blocks = RelationGetNumberOfBlocks(relation);
	for (BlockNumber i = 0; i < Min(blocks, PREVIEWED_BLOCKS) && preview->rows < PREVIEWED_ROWS; i++)
		preview_block(preview, relation, blocks - 1 - i, trigger, &function);
}

/* The work of ev_look. */
static void
preview_table(void *arg)
{
	Preview    *preview = arg;
	List	   *tables = ev_table_members(preview->table);
	int			looked_at = 0;

	/* the latest partitions usually have the last rows */
	for (int i = list_length(tables) - 1; i >= 0 && looked_at < PREVIEWED_PARTITIONS && preview->rows < PREVIEWED_ROWS; i--)
	{
		Relation	relation = try_table_open(list_nth_oid(tables, i), AccessShareLock);

		if (relation == NULL)
			continue;
		if (relation->rd_rel->relkind == RELKIND_RELATION)
			looked_at++;
		preview_relation(preview, relation);
		table_close(relation, AccessShareLock);
	}
}

void
ev_guard_preview(Oid table, const char *name)
{
	Preview		preview = {.table = table, .function = ev_guard_function(), .name = name};
	EvLook		look = {
		.relation = table, .user = GetUserId(), .milliseconds = PREVIEW_MS, .work = preview_table, .arg = &preview
	};
	ErrorData  *error;

	/* the expressions run as the owner */
	if (!ev_is_own_table(table, GetUserId()))
		return;
	error = ev_look(&look);
	if (error != NULL)
		FreeErrorData(error);
	else if (preview.rows > 0)
		ereport(NOTICE,
				(errmsg("%d of the last %d rows of table %s are not valid", preview.refused, preview.rows, ev_table_name(table)),
				 preview.refused > 0 ? errhint("audit_events says what is wrong with them.") : 0));
}
