/*
 * event_table.h
 *	  The tables in event_schema that hold events: of the users', not members
 *	  of the extension.
 *
 *	  They are dumped with their rows, and dropping the extension does not take
 *	  them along.  Each belongs to the owner of the schema event_schema, that
 *	  is, to the owner of the database.
 */
#ifndef EV_EVENT_TABLE_H
#define EV_EVENT_TABLE_H

#include "executor/spi.h"

/* The tables of events that the extension makes, in event_schema. */
#define EV_QUARANTINE	"quarantine"
#define EV_ORIGINALS	"migrated_events"

/*
 * The table of a name and its owner; InvalidOid where there is none.  Raises
 * if the relation of that name is not a table, or its owner does not own the
 * schema: no role may collect other roles' events by creating the table first.
 */
extern Oid	ev_event_table_find(const char *name, Oid *owner);

/*
 * Creates it with these commands if it is missing, for any caller.  Needs SPI
 * not connected.
 */
extern void ev_event_table_create(const char *name, const char *const *commands, int count);

/*
 * Inserts a row as the table's owner, whatever the rights of the current user,
 * by a plan that is made where it is NULL.  Raises where the row is not taken.
 */
extern void ev_event_table_insert(const char *name, Oid owner, SPIPlanPtr *plan, const char *command,
								  int count, const Oid *types, Datum *values, const char *nulls);

#endif							/* EV_EVENT_TABLE_H */
