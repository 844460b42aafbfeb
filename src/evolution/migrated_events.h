/*
 * migrated_events.h
 *	  The table event_schema.migrated_events: events as they were before
 *	  migrate_events brought them to another version.
 */
#ifndef EV_MIGRATED_EVENTS_H
#define EV_MIGRATED_EVENTS_H

#include "access/htup.h"
#include "utils/rel.h"

/* Makes the table where there is none.  Needs SPI not connected. */
extern void ev_originals_create(void);

/*
 * Keeps a row of a relation, which belongs to (or is) a table, as its owner,
 * whatever the rights of the current user.  `name` is the row's, for people.
 * Raises undefined_table where the table is gone.
 */
extern void ev_originals_add(Oid table, Relation relation, HeapTuple row, const char *name,
							 const text *type, int32 version, int32 to_version);

#endif							/* EV_MIGRATED_EVENTS_H */
