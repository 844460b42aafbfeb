/*
 * replay_row.h
 *	  One row of the quarantine, put into its table.
 */
#ifndef EV_REPLAY_ROW_H
#define EV_REPLAY_ROW_H

#include "executor/spi.h"
#include "fmgr.h"
#include "guard/quarantine.h"
#include "utils/jsonb.h"

/* What a replay was asked for, and what it keeps meanwhile. */
typedef struct EvReplayCall
{
	EvQuarantine quarantine;	/* open; and who called */
	bool		any_table;		/* no table was named */
	Oid			guard_function;
	Oid			repair;			/* InvalidOid: none */
	FmgrInfo	repair_function;
	SPIPlanPtr	plan;			/* of the last INSERT, and its text */
	char	   *command;
	MemoryContext context;		/* of the rows that were fetched */
	MemoryContext row_context;	/* and of one of them */
} EvReplayCall;

/* A row of the quarantine. */
typedef struct EvReplayRow
{
	int64		id;
	bool		is_null;
	Datum		row;			/* jsonb, as it is stored */
	Oid			sender;			/* InvalidOid: no role of that name */
	bool		moved;			/* it is in its table now */
	Jsonb	   *violations;		/* why not; NULL: as before */
} EvReplayRow;

/*
 * The function for repairs of this name, with its argument type or without.  Raises
 * where there is none, where it is not from jsonb to jsonb, or where the caller may
 * not execute it.
 */
extern Oid	ev_replay_find_repair(const char *name);

/*
 * Opens and locks a table that rows may be put into, by its names as the
 * quarantine has them.  Raises undefined_table where there is none.
 */
extern Relation ev_replay_open_table(const char *schema, const char *name);

/*
 * Puts a row into its table, or says why it stays: in the row where that is
 * known, else by an error.  Runs the code of the table's owner and of others,
 * after which nothing is what it was before; so it needs a subtransaction, and
 * SPI connected.  CurrentMemoryContext is call->row_context.
 */
extern void ev_replay_row(EvReplayCall *call, const char *schema, const char *name, EvReplayRow *row);

/* Frees the plan that the call keeps for the next row, if there is one. */
extern void ev_replay_forget_plan(EvReplayCall *call);

/* Says why a row stays. */
extern void ev_replay_set_reason(EvReplayCall *call, EvReplayRow *row, const char *message, int sqlstate);

#endif							/* EV_REPLAY_ROW_H */
