/*
 * migrate_batch.h
 *	  One batch of migrate_events(), and the state of the whole call.
 */
#ifndef EV_MIGRATE_BATCH_H
#define EV_MIGRATE_BATCH_H

#include "access/attnum.h"
#include "evolution/migrate_failures.h"
#include "executor/spi.h"
#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

typedef struct EvMigration
{
	MemoryContext context;		/* for state of all batches */
	MemoryContext lap_context;	/* for the tables and the failures */
	MemoryContext batch_context;
	MemoryContext chunk_context;

	Oid			relation;
	char	   *shown_relation;
	text	   *type;
	char	   *shown_type;
	int32		to;
	int			batch_size;
	bool		keep_original;
	char	   *data_column;
	char	   *version_column;
	const char *type_condition; /* SQL over a row */
	List	   *versions;		/* to be migrated */

	/* the current table or partition */
	Oid			leaf;
	AttrNumber	data_number;	/* 0: not known yet */
	AttrNumber	version_number;
	bool		moves;			/* a written column is part of a partition key */
	SPIPlanPtr	find_plan;
	SPIPlanPtr	lock_plan;
	SPIPlanPtr	update_plan;

	/* of the batch */
	List	   *upgrades;		/* EvUpgrade *, for each version */

	int64		migrated;
	int64		lap_migrated;
	int64		failed;			/* in this lap */
	int64		busy;			/* in this lap */
	EvFailures	failures;		/* in this lap */
	bool		reported;
	TimestampTz next_notice;
} EvMigration;

/*
 * Prepares the statements for the current table, unless they are still valid.
 * `moves` says whether an update may move a row to another partition.
 */
extern void ev_migration_prepare(EvMigration *migration, bool moves);
extern void ev_migration_free_statements(EvMigration *migration);

/* Raises object_not_in_prerequisite_state: a table changed between batches. */
extern void ev_migration_refuse_change(const char *name);

/*
 * Finds the next rows to migrate, at most a batch, in a range of the table.
 * Returns their number.
 */
extern int	ev_migration_find_rows(EvMigration *migration, ItemPointer from, ItemPointer to, Datum **tids);

/* Migrates the rows at these locations, except missing and locked ones. */
extern void ev_migration_batch(EvMigration *migration, Relation leaf, Datum *tids, int count);

#endif							/* EV_MIGRATE_BATCH_H */
