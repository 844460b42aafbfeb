/*
 * event_table.h
 *	  The tables in event_schema that hold events.  They belong to users and
 *	  are not members of the extension.
 *
 * They are dumped with their rows, and dropping the extension does not drop
 * them.  Each belongs to the owner of the schema event_schema, that is, to the
 * owner of the database.
 */
#ifndef EV_EVENT_TABLE_H
#define EV_EVENT_TABLE_H

#include "executor/spi.h"

/* The tables for events that the extension creates in event_schema. */
#define EV_QUARANTINE	"quarantine"
#define EV_ORIGINALS	"migrated_events"

/*
 * Finds the table with this name and its owner; InvalidOid if there is none.
 * Raises an error if the relation with this name is not a table, or if its
 * owner does not own the schema: no role may collect other roles' events by
 * creating the table first.
 */
extern Oid	ev_event_table_find(const char *name, Oid *owner);

/*
 * Creates the table with these commands if it is missing, for any caller, and warns if
 * a publication publishes it.  SPI must not be connected.
 */
extern void ev_event_table_create(const char *name, const char *const *commands, int count);

/*
 * Inserts a row as the table's owner, whatever the rights of the current user.
 * The plan is made if it is NULL.  Raises an error if the row is not inserted.
 */
extern void ev_event_table_insert(const char *name, Oid owner, SPIPlanPtr *plan, const char *command,
								  int count, const Oid *types, Datum *values, const char *nulls);

#endif							/* EV_EVENT_TABLE_H */
