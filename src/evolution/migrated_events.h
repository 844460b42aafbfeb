/*
 * migrated_events.h
 *	  The table event_schema.migrated_events: events before migrate_events
 *	  brought them to another version.
 */
#ifndef EV_MIGRATED_EVENTS_H
#define EV_MIGRATED_EVENTS_H

#include "access/htup.h"
#include "utils/rel.h"

/* Creates the table if it does not exist.  SPI must not be connected. */
extern void ev_originals_create(void);

/*
 * Stores a row of a relation, which is the table or part of it, as the table's
 * owner, whatever the rights of the current user. `name` identifies the row
 * for users.  Raises undefined_table if the table does not exist.
 */
extern void ev_originals_add(Oid table, Relation relation, HeapTuple row, const char *name,
							 const text *type, int32 version, int32 to_version);

#endif							/* EV_MIGRATED_EVENTS_H */
