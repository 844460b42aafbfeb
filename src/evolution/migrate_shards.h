/*
 * migrate_shards.h
 *	  migrate_events() on a distributed table.
 */
#ifndef EV_MIGRATE_SHARDS_H
#define EV_MIGRATE_SHARDS_H

#include "evolution/migrate_batch.h"

/*
 * Raises feature_not_supported for a reference table: its copies must be changed
 * together.  The HINT has the commands that do.
 */
extern void ev_migrate_refuse_reference_table(const EvMigration *migration);

/*
 * Migrates the events of a distributed table: calls migrate_events on each shard, which
 * commits its batches.  Then reports how many events are left.  `expressions` are the
 * last three arguments of the call.  SPI must be connected.
 */
extern void ev_migrate_shards(EvMigration *migration, char *const *expressions);

#endif							/* EV_MIGRATE_SHARDS_H */
