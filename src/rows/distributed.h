/*
 * distributed.h
 *	  Tables whose rows are on other servers: those of Citus.
 *
 * A distributed table has no rows of its own.  They are in its shards, which are
 * tables on the same or on other servers.  A reference table has one shard, with a copy
 * on each server.  All is read from the catalogs of Citus, whose code is not needed.
 */
#ifndef EV_DISTRIBUTED_H
#define EV_DISTRIBUTED_H

typedef enum EvDistribution
{
	EV_NOT_DISTRIBUTED,			/* the table has its rows, or is a shard */
	EV_DISTRIBUTED,				/* each row is in one shard */
	EV_REPLICATED				/* a reference table */
} EvDistribution;

/* Returns how the rows of a table are distributed. */
extern EvDistribution ev_distribution(Oid table);

/*
 * Returns the table to which a shard belongs; otherwise the table itself.  A shard is
 * known by its name, its schema and its owner, which are those of the table.
 */
extern Oid	ev_distributed_table(Oid table);

/*
 * Runs a command on each placement of each shard of a table, as the current user, in
 * connections and transactions of their own.  In the command, %L is the shard's name as
 * a literal, and %% is a percent sign.  Raises an error with the reasons if it fails for
 * some placements; what it did on the others stays.  Uses SPI.
 */
extern void ev_run_on_shards(Oid table, const char *command, const char *what);

/* The same on each other server that has a part of the database, once; the command is no pattern. */
extern void ev_run_on_workers(const char *command, const char *what);

/*
 * Gives a NOTICE, if a table is distributed, that a function of the extension works only
 * on the quarantine of this server, with the command for all.  None if Citus itself
 * calls it for all.
 */
extern void ev_notice_quarantines(Oid table, const char *function);

/*
 * Doubles the percent signs of a text, for a command of ev_run_on_shards.  In
 * CurrentMemoryContext.
 */
extern char *ev_percents_doubled(const char *string);

#endif							/* EV_DISTRIBUTED_H */
