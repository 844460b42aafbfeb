/*
 * replay_trial.c
 *	  The result of a dry run of a replay.
 */
#include "postgres.h"

#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "guard/guard_trigger.h"
#include "guard/replay_trial.h"

struct EvReplayTrial
{
	TupleDesc	shape;
	TupleTableSlot *slot;
	Tuplestorestate *table_rows;	/* of the current table */
	Tuplestorestate *rows;		/* of those before it */
};

struct EvReplayTrial *
ev_trial_start(TupleDesc shape)
{
	struct EvReplayTrial *trial = palloc(sizeof(struct EvReplayTrial));

	trial->shape = shape;
	trial->slot = MakeSingleTupleTableSlot(shape, &TTSOpsMinimalTuple);
	trial->table_rows = tuplestore_begin_heap(false, false, work_mem);
	trial->rows = tuplestore_begin_heap(false, false, work_mem);
	return trial;
}

void
ev_trial_put(struct EvReplayTrial *trial, const char *schema, const char *name, const EvReplayRow *rows, int count)
{
	Datum		values[EV_REPLAY_COLUMNS] = {0};
	bool		nulls[EV_REPLAY_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	nulls[EV_REPLAY_SCHEMA] = nulls[EV_REPLAY_NAME] = nulls[EV_REPLAY_EVENT] = nulls[EV_REPLAY_STORED] = false;
	values[EV_REPLAY_SCHEMA] = CStringGetTextDatum(schema);
	values[EV_REPLAY_NAME] = CStringGetTextDatum(name);
	for (int i = 0; i < count; i++)
	{
		const Jsonb *reason = rows[i].violations;

		/* its violations are those of an earlier replay */
		if (!rows[i].moved && reason == NULL)
			reason = ev_single_violation("the function for repairs returned null", NULL);
		values[EV_REPLAY_EVENT] = Int64GetDatum(rows[i].id);
		values[EV_REPLAY_STORED] = BoolGetDatum(rows[i].moved);
		values[EV_REPLAY_VIOLATIONS] = PointerGetDatum(reason);
		nulls[EV_REPLAY_VIOLATIONS] = rows[i].moved;
		tuplestore_putvalues(trial->table_rows, trial->shape, values, nulls);
	}
}

static void
move_rows(struct EvReplayTrial *trial, Tuplestorestate *from, Tuplestorestate *to)
{
	while (tuplestore_gettupleslot(from, true, false, trial->slot))
	{
		CHECK_FOR_INTERRUPTS();
		tuplestore_puttupleslot(to, trial->slot);
	}
	ExecClearTuple(trial->slot);
	tuplestore_clear(from);
}

void
ev_trial_end_table(struct EvReplayTrial *trial, bool keep)
{
	if (trial == NULL)
		return;
	if (keep)
		move_rows(trial, trial->table_rows, trial->rows);
	else
		tuplestore_clear(trial->table_rows);
}

void
ev_trial_end(struct EvReplayTrial *trial, Tuplestorestate *result)
{
	move_rows(trial, trial->rows, result);
	tuplestore_end(trial->table_rows);
	tuplestore_end(trial->rows);
	ExecDropSingleTupleTableSlot(trial->slot);
}
