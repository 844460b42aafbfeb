/*
 * replay_row.h
 *	  Moves one row of the quarantine into its table.
 */
#ifndef EV_REPLAY_ROW_H
#define EV_REPLAY_ROW_H

#include "executor/spi.h"
#include "fmgr.h"
#include "guard/quarantine.h"
#include "utils/jsonb.h"

/* The arguments of a replay, and its state. */
typedef struct EvReplayCall
{
	EvQuarantine quarantine;	/* open; with the caller */
	bool		any_table;		/* no table was named */
	Oid			guard_function;
	Oid			repair;			/* InvalidOid: none */
	FmgrInfo	repair_function;
	ItemPointerData repair_row; /* its row in pg_proc when it was read */
	SPIPlanPtr	plan;			/* of the last INSERT, with its text */
	char	   *command;
	struct EvReplayTrial *trial;	/* NULL: not a dry run */
	MemoryContext context;		/* for the rows that were fetched */
	MemoryContext row_context;	/* for one of them */
	int64		tried;			/* rows of tables that are finished */
	int64		replayed;
} EvReplayCall;

/* A row of the quarantine. */
typedef struct EvReplayRow
{
	int64		id;
	bool		is_null;
	Datum		row;			/* jsonb, as it is stored */
	Oid			sender;			/* InvalidOid: there is no such role */
	char	   *owner;			/* of its table when it came; NULL: not known */
	bool		moved;			/* it is in its table now */
	char	   *problem;		/* of its table's owner, which keeps it; NULL:
								 * none */
	Jsonb	   *violations;		/* why it was not moved; NULL: unchanged */
	struct EvCounters *counters;	/* of its event; NULL: no guard has seen
									 * it */
} EvReplayRow;

/*
 * Returns the function for repairs with this name.  The name may include the
 * argument type.  Raises an error if there is no such function, if it is not
 * from jsonb to jsonb, or if the caller may not execute it.
 */
extern Oid	ev_replay_find_repair(const char *name);

/*
 * Opens and locks a table for replay, by its names in the quarantine.  Raises
 * undefined_table if there is none.
 */
extern Relation ev_replay_open_table(const char *schema, const char *name);

/*
 * Moves a row into its table, or reports why it stays: in *row if that is
 * known, otherwise by an error.  Runs code of the table's owner and of others,
 * which can change anything.  So it needs a subtransaction, with SPI
 * connected.  CurrentMemoryContext is call->row_context.
 */
extern void ev_replay_row(EvReplayCall *call, const char *schema, const char *name, EvReplayRow *row);

/* Frees the plan that the call keeps for the next row, if there is one. */
extern void ev_replay_forget_plan(EvReplayCall *call);

/* Records why a row stays. */
extern void ev_replay_set_reason(EvReplayCall *call, EvReplayRow *row, const char *message, int sqlstate);

#endif							/* EV_REPLAY_ROW_H */
