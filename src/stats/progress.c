/*
 * progress.c
 *	  How far a command is, for the view event_progress.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "optimizer/plancat.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/steady_time.h"
#include "base/table_members.h"
#include "stats/progress.h"
#include "stats/progress_slot.h"
#include "stats/tally.h"

/* A command that is counted by rows is shown after so many. */
#define ROWS_PER_LOOK	256

/* The interval between two NOTICEs. */
#define NOTICE_MS		10000

/* Commands within commands; more of them are not shown. */
#define MOST_DEPTH		8

typedef struct Entry
{
	EvProgressCommand command;
	EvProgressPhase phase;
	Oid			relation;
	char		name[NAMEDATALEN];	/* the relation's */
	int64		total;
	int64		done;
	int64		changed;
	int64		failed;
	int64		part_start;		/* rows of the parts before this one */
	int64		part_rows;
	TimestampTz started;
	TimestampTz next_notice;
	int			leader;			/* of a parallel worker: the process that is
								 * shown; otherwise 0 */
	int			level;			/* of the transaction that it began in */
	bool		commits;
} Entry;

static Entry entries[MOST_DEPTH];	/* those above the first run within it */
static int	depth = 0;

/* Those that did not fit. */
static int	hidden = 0;

const char *const ev_progress_command_names[EV_PROGRESS_COMMANDS] = {
	"", "audit", "validate", "migrate", "replay", "standardize", "merge", "usage", "drop"
};

const char *const ev_progress_phase_names[EV_PHASES] = {
	"preparing", "checking events", "migrating events", "migrating events written meanwhile", "inserting events",
	"trying to insert events", "looking for conflicts", "changing the table", "copying documents",
	"validating the constraint", "counting events", "looking for events"
};

/* ---------- the backend's slot ---------- */

static Entry *
current(void)
{
	return depth > 0 ? &entries[depth - 1] : NULL;
}

/* Is the slot free or ours?  PostgreSQL's own commands, as COPY, use it too. */
static bool
may_use_slot(void)
{
	return MyBEEntry != NULL &&
		(MyBEEntry->st_progress_command == PROGRESS_COMMAND_INVALID ||
		 MyBEEntry->st_progress_command == EV_PROGRESS_SLOT);
}

static void
write_slot(const Entry *entry)
{
	const struct
	{
		int			number;
		int64		value;
	}			fields[] = {
		{EV_SLOT_LAYOUT, EV_SLOT_THIS_LAYOUT},
		{EV_SLOT_COMMAND, entry->command},
		{EV_SLOT_PHASE, entry->phase},
		{EV_SLOT_RELATION, entry->relation},
		{EV_SLOT_TOTAL, entry->total == EV_PROGRESS_UNKNOWN ? entry->total : Max(entry->total, entry->done)},
		{EV_SLOT_DONE, entry->done},
		{EV_SLOT_CHANGED, entry->changed},
		{EV_SLOT_FAILED, entry->failed},
		{EV_SLOT_STARTED, entry->started},
		{EV_SLOT_LEADER, entry->leader}
	};
	int			numbers[lengthof(fields)];
	int64		values[lengthof(fields)];

	for (int i = 0; i < (int) lengthof(fields); i++)
	{
		numbers[i] = fields[i].number;
		values[i] = fields[i].value;
	}
	pgstat_progress_update_multi_param(lengthof(fields), numbers, values);
}

/* Shows the current command, or that there is none.  Raises no error. */
static void
show(void)
{
	const Entry *entry = current();

	if (!may_use_slot())
		return;
	if (entry == NULL)
	{
		if (MyBEEntry->st_progress_command == EV_PROGRESS_SLOT)
			pgstat_progress_end_command();
		return;
	}
	/* an error, or a command of PostgreSQL's, has ended it */
	if (MyBEEntry->st_progress_command != EV_PROGRESS_SLOT)
		pgstat_progress_start_command(EV_PROGRESS_SLOT, entry->relation);
	write_slot(entry);
}

static void
count_validation(bool valid)
{
	ev_progress_row(!valid);
}

/* After another command has become the current one. */
static void
switch_command(void)
{
	ev_tally_progress = count_validation;
	if (depth > 0 && current()->command == EV_PROGRESS_VALIDATE && current()->phase == EV_PHASE_CHECKING)
		ev_watchers |= EV_WATCH_PROGRESS;
	else
		ev_watchers &= ~EV_WATCH_PROGRESS;
	show();
}

/* ---------- ends that nobody reports ---------- */

static void
transaction_ended(XactEvent event, void *arg pg_attribute_unused())
{
	int			before = depth;

	switch (event)
	{
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
			depth = hidden = 0;
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PREPARE:
			while (depth > 0 && !current()->commits)
				depth--;
			break;
		default:
			return;
	}
	if (before > 0)
		switch_command();
}

/* PostgreSQL ends the progress of all commands when a subtransaction fails. */
static void
subtransaction_ended(SubXactEvent event, SubTransactionId id pg_attribute_unused(),
					 SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	if (event != SUBXACT_EVENT_ABORT_SUB || depth == 0)
		return;
	while (depth > 0 && current()->level >= GetCurrentTransactionNestLevel())
		depth--;
	hidden = 0;
	switch_command();
}

void
ev_progress_init(void)
{
	RegisterXactCallback(transaction_ended, NULL);
	RegisterSubXactCallback(subtransaction_ended, NULL);
}

/* ---------- reporting ---------- */

/* Tells the client at intervals; a client that migrates is told by migrate_events. */
static void
tell(Entry *entry, TimestampTz now)
{
	StringInfoData line;

	if (now < entry->next_notice || entry->command == EV_PROGRESS_MIGRATE || entry->leader != 0)
		return;
	entry->next_notice = TimestampTzPlusMilliseconds(now, NOTICE_MS);
	initStringInfo(&line);
	appendStringInfo(&line, "%s of table \"%s\", %s: " INT64_FORMAT, ev_progress_command_names[entry->command],
					 entry->name, ev_progress_phase_names[entry->phase], entry->done);
	if (entry->total != EV_PROGRESS_UNKNOWN)
		appendStringInfo(&line, " of about " INT64_FORMAT, Max(entry->total, entry->done));
	appendStringInfoString(&line, " rows");
	if (entry->failed > 0)
		appendStringInfo(&line, ", " INT64_FORMAT " failed", entry->failed);
	ereport(NOTICE, (errmsg_internal("%s", line.data)));
	pfree(line.data);
}

static void
look(Entry *entry)
{
	show();
	tell(entry, ev_steady_time());
}

static void
set_relation(Entry *entry, Oid relation)
{
	char	   *name = OidIsValid(relation) ? get_rel_name(relation) : NULL;

	entry->relation = relation;
	strlcpy(entry->name, name != NULL ? name : "", NAMEDATALEN);
}

static void
push(EvProgressCommand command, bool commits, int leader)
{
	Entry	   *entry = &entries[depth];

	memset(entry, 0, sizeof(Entry));
	entry->command = command;
	entry->total = entry->done = entry->changed = entry->failed = EV_PROGRESS_UNKNOWN;
	entry->started = GetCurrentTimestamp();
	entry->next_notice = TimestampTzPlusMilliseconds(ev_steady_time(), NOTICE_MS);
	entry->leader = leader;
	entry->level = GetCurrentTransactionNestLevel();
	entry->commits = commits;
	depth++;
}

void
ev_progress_start(EvProgressCommand command, Oid relation, bool commits)
{
	if (depth == MOST_DEPTH)
	{
		hidden++;
		return;
	}
	push(command, commits, 0);
	set_relation(current(), relation);
	switch_command();
}

void
ev_progress_end(void)
{
	if (hidden > 0)
		hidden--;
	else if (depth > 0)
	{
		depth--;
		switch_command();
	}
}

void
ev_progress_phase(EvProgressPhase phase, int64 total)
{
	Entry	   *entry = current();

	if (entry == NULL || hidden > 0)
		return;
	entry->phase = phase;
	entry->total = total;
	entry->done = total == EV_PROGRESS_UNKNOWN ? EV_PROGRESS_UNKNOWN : 0;
	entry->part_start = entry->part_rows = 0;
	entry->changed = entry->failed = EV_PROGRESS_UNKNOWN;
	switch_command();
}

void
ev_progress_relation(Oid relation)
{
	if (depth == 0 || hidden > 0)
		return;
	set_relation(current(), relation);
	show();
}

void
ev_progress_rows(int64 done, int64 changed, int64 failed)
{
	Entry	   *entry = current();

	if (entry == NULL || hidden > 0)
		return;
	entry->done = done;
	entry->changed = changed;
	entry->failed = failed;
	look(entry);
}

void
ev_progress_part(Oid part)
{
	Entry	   *entry = current();

	if (entry == NULL || hidden > 0)
		return;
	entry->part_start += entry->part_rows;
	entry->part_rows = Max(ev_progress_estimate(part), 0);
	entry->done = entry->part_start;
	set_relation(entry, part);
	show();
}

void
ev_progress_share(double share, int64 changed, int64 failed)
{
	const Entry *entry = current();
	int64		done;

	if (entry == NULL || hidden > 0)
		return;
	done = entry->part_start + (int64) ((double) entry->part_rows * Max(0.0, Min(share, 1.0)));
	ev_progress_rows(Max(done, Max(changed, 0) + Max(failed, 0)), changed, failed);
}

void
ev_progress_row(bool failed)
{
	Entry	   *entry = current();

	if (entry == NULL)
	{
		/* the leader's row is that of the command */
		if (!IsParallelWorker() || MyProc->lockGroupLeader == NULL)
			return;
		push(EV_PROGRESS_AUDIT, false, MyProc->lockGroupLeader->pid);
		entry = current();
	}
	if (hidden > 0)
		return;
	entry->done = Max(entry->done, 0) + 1;
	if (failed)
		entry->failed = Max(entry->failed, 0) + 1;
	if (entry->done % ROWS_PER_LOOK == 0)
		look(entry);
}

/* ---------- estimates ---------- */

/* Of one table, without those below it.  Uses what was analyzed if a lock would have to wait. */
static double
estimate_table(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Form_pg_class form;
	Relation	relation;
	BlockNumber pages;
	double		tuples;
	double		visible;

	if (!HeapTupleIsValid(tuple))
		return 0;
	form = (Form_pg_class) GETSTRUCT(tuple);
	tuples = Max(form->reltuples, 0);
	if (form->relkind != RELKIND_RELATION && form->relkind != RELKIND_MATVIEW)
	{
		if (form->relkind == RELKIND_PARTITIONED_TABLE)
			tuples = 0;
		ReleaseSysCache(tuple);
		return tuples;
	}
	ReleaseSysCache(tuple);
	if (!ConditionalLockRelationOid(table, AccessShareLock))
		return tuples;
	relation = try_relation_open(table, NoLock);
	if (relation != NULL)
	{
		/* those of other sessions cannot be read */
		if (!RELATION_IS_OTHER_TEMP(relation))
			estimate_rel_size(relation, NULL, &pages, &tuples, &visible);
		relation_close(relation, NoLock);
	}
	UnlockRelationOid(table, AccessShareLock);
	return tuples;
}

static bool
has_estimate(Oid relation)
{
	char		kind = get_rel_relkind(relation);

	return kind == RELKIND_RELATION || kind == RELKIND_MATVIEW || kind == RELKIND_PARTITIONED_TABLE;
}

int64
ev_progress_estimate(Oid relation)
{
	double		result = 0;
	ListCell   *cell;
	List	   *tables;

	if (!has_estimate(relation))
		return EV_PROGRESS_UNKNOWN;
	tables = ev_table_members(relation);
	foreach(cell, tables)
	{
		CHECK_FOR_INTERRUPTS();
		result += estimate_table(lfirst_oid(cell));
	}
	list_free(tables);
	return (int64) result;
}

int64
ev_progress_estimate_only(Oid relation)
{
	return has_estimate(relation) ? (int64) estimate_table(relation) : EV_PROGRESS_UNKNOWN;
}
