/*
 * quarantine.h
 *	  The table event_schema.quarantine: events that were diverted, and records
 *	  of such as were kept with a warning.
 */
#ifndef EV_QUARANTINE_H
#define EV_QUARANTINE_H

#include "access/htup.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

#define EV_QUARANTINE	"quarantine"

/* An event that goes to the quarantine. */
typedef struct EvDiverted
{
	Oid			table;			/* that the guard was added to */
	Relation	relation;		/* that the row is for: the table or a
								 * partition */
	HeapTuple	row;
	const text *type;			/* NULL: it has none */
	const int32 *version;		/* NULL: it has none */
	Jsonb	   *violations;
	bool		kept;			/* the row is in its table all the same */
} EvDiverted;

/*
 * The quarantine; InvalidOid where there is none.  Raises where the relation
 * of that name is no table, or belongs to somebody who has no say in the
 * schema event_schema: nobody may take in other people's events by being
 * there first.
 */
extern Oid	ev_quarantine_find(void);

/*
 * Makes the quarantine where there is none.  It belongs to the owner of the
 * schema event_schema, whoever calls.  Needs SPI not connected.
 */
extern void ev_quarantine_create(void);

/*
 * Writes an event into the quarantine, as its owner, whatever the rights of
 * the current user.  Raises undefined_table where there is no quarantine.
 */
extern void ev_quarantine_add(const EvDiverted *diverted);

#endif							/* EV_QUARANTINE_H */
