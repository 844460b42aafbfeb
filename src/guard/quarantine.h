/*
 * quarantine.h
 *	  The table event_schema.quarantine: events that were diverted, and
 *	  records of events that were kept with a warning.
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

/*
 * The member of a row that names the child by inheritance that the row was for.
 * No column of a table can have this name.
 */
#define EV_QUARANTINE_CHILD	"tableoid"

/*
 * The column with the name of the role that owned the table under whose name an
 * event is filed.  Not every quarantine has it (see EvQuarantine), and it is NULL
 * where it is not known.
 */
#define EV_QUARANTINE_OWNER	"relation_owner"

/* An event for the quarantine. */
typedef struct EvDiverted
{
	Oid			table;			/* to which the guard was added */
	Relation	relation;		/* that the row was for: the table, a
								 * partition or a child */
	bool		is_child;		/* see EvGuard; the row gets a member
								 * EV_QUARANTINE_CHILD */
	HeapTuple	row;
	const text *type;			/* NULL: none */
	const int32 *version;		/* NULL: none */
	Jsonb	   *violations;
	bool		kept;			/* the row is in its table too */
} EvDiverted;

/*
 * Finds the quarantine; InvalidOid if there is none.  Raises an error if the
 * relation with its name is not a table, or if its owner does not own the
 * schema event_schema: no role may collect other roles' events by creating the
 * table first.
 */
extern Oid	ev_quarantine_find(void);

/*
 * Creates the quarantine if there is none, for any caller.  It belongs to the
 * owner of the schema event_schema.  Raises the errors of ev_quarantine_open()
 * for an existing one.  Warns of publications of all tables.  SPI must not be connected.
 *
 * stays: it is not dropped with the last guard; an existing one neither, if the caller
 * has its owner's rights.
 */
extern void ev_quarantine_create(bool stays);

/*
 * Drops the quarantine if no table has a guard, for drop_event_guard.  It stays,
 * with a NOTICE, if it has rows, if the caller may not drop it, if it is in use,
 * or if users have altered it.  SPI must not be connected.
 */
extern void ev_quarantine_drop_unused(void);

/*
 * Is it as ev_quarantine_create() made it: without privileges of other roles,
 * and without columns, indexes, triggers, rules or policies of users?  Uses SPI.
 */
extern bool ev_quarantine_is_unaltered(Oid table);

/*
 * The quarantine, locked, with all of its columns and their expected types; that
 * of the owner may be missing.
 */
typedef struct EvQuarantine
{
	Oid			table;
	Oid			owner;
	Oid			user;			/* the caller */
	bool		has_owners;		/* it has the column EV_QUARANTINE_OWNER */
	bool		is_switched;	/* the current user is the quarantine's owner */
	EvRunAs		caller;			/* if so: the state before */
} EvQuarantine;

/*
 * Locks the quarantine until the transaction ends, and checks its columns,
 * since a user can alter it.  Returns false if there is none.
 *
 * Raises the errors of ev_quarantine_find(); insufficient_privilege if the
 * caller has none of the privileges in `needs` (0: not checked);
 * undefined_column and datatype_mismatch if a column is missing or has another
 * type.
 */
extern bool ev_quarantine_open(EvQuarantine *quarantine, LOCKMODE mode, AclMode needs);

/*
 * Between these two calls, the current user is the quarantine's owner, if the
 * caller has the owner's rights, in a security-restricted operation: so the
 * owner's code on the table does not run as a superuser that reads or writes
 * it.  Other callers stay themselves.  After an error, the end of the
 * subtransaction restores the user.
 */
extern void ev_quarantine_as_owner(EvQuarantine *quarantine);
extern void ev_quarantine_as_caller(EvQuarantine *quarantine);

/*
 * Raises datatype_mismatch unless the rows of a query over the quarantine have
 * columns of these types.
 */
extern void ev_quarantine_check_result(TupleDesc descriptor, int count, const Oid *types);

/*
 * Inserts an event into the quarantine, as its owner, whatever the rights of
 * the current user.  Raises undefined_table if there is no quarantine, and the
 * errors of ev_quarantine_open().
 */
extern void ev_quarantine_add(const EvDiverted *diverted);

#endif							/* EV_QUARANTINE_H */
