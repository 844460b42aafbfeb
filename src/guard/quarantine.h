/*
 * quarantine.h
 *	  The table event_schema.quarantine: events that were diverted, and records
 *	  of such as were kept with a warning.
 */
#ifndef EV_QUARANTINE_H
#define EV_QUARANTINE_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "nodes/parsenodes.h"
#include "base/run_as_owner.h"
#include "rows/event_table.h"
#include "storage/lockdefs.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

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
 * The quarantine; InvalidOid where there is none.  Raises if the relation
 * of that name is not a table, or its owner does not own the schema
 * event_schema: no role may collect other roles' events by creating the table
 * first.
 */
extern Oid	ev_quarantine_find(void);

/*
 * Makes the quarantine where there is none.  It belongs to the owner of the
 * schema event_schema, for any caller.  Raises what ev_quarantine_open raises
 * of one that there is.  Needs SPI not connected.
 */
extern void ev_quarantine_create(void);

/* The quarantine, locked, with all its columns of the types that we know. */
typedef struct EvQuarantine
{
	Oid			table;
	Oid			owner;
	Oid			user;			/* who called */
	bool		is_switched;	/* the current user is its owner */
	EvRunAs		caller;			/* then: what was before */
} EvQuarantine;

/*
 * Locks the quarantine until the transaction ends, and looks whether it is
 * what we know: it is a user's table, and may have been altered.  False where
 * there is none.
 *
 * Raises what ev_quarantine_find raises, insufficient_privilege where the
 * caller has none of the privileges in `needs` (0: not asked), undefined_column
 * and datatype_mismatch where a column is not there or of another type.
 */
extern bool ev_quarantine_open(EvQuarantine *quarantine, LOCKMODE mode, AclMode needs);

/*
 * From the first on, until the second, the current user is the quarantine's
 * owner where the caller has the owner's rights, in a security-restricted
 * operation: its owner's code on the table does not run as a superuser that
 * reads or writes it.  Others go on as themselves.  After an error the
 * subtransaction's end restores the user.
 */
extern void ev_quarantine_as_owner(EvQuarantine *quarantine);
extern void ev_quarantine_as_caller(EvQuarantine *quarantine);

/*
 * Raises datatype_mismatch unless the rows of a query over the quarantine have
 * such columns.
 */
extern void ev_quarantine_check_result(TupleDesc descriptor, int count, const Oid *types);

/*
 * Writes an event into the quarantine, as its owner, whatever the rights of
 * the current user.  Raises undefined_table where there is no quarantine, and
 * what ev_quarantine_open raises.
 */
extern void ev_quarantine_add(const EvDiverted *diverted);

#endif							/* EV_QUARANTINE_H */
