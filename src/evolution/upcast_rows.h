/*
 * upcast_rows.h
 *	  Brings stored events to another version without raising errors for any
 *	  of them.
 */
#ifndef EV_UPCAST_ROWS_H
#define EV_UPCAST_ROWS_H

#include "registry/schema_cache.h"
#include "utils/jsonb.h"

/* The upcasts from one version of a type to another, for some events. */
typedef struct EvUpgrade EvUpgrade;

/* The result for an event. */
typedef struct EvUpgraded
{
	Jsonb	   *data;			/* the last version reached; NULL: nothing is
								 * left, or it is not kept */
	EvSchema   *schema;			/* the schema that it violates; NULL: it is
								 * valid */
	const char *fault;			/* another error; NULL: none */
	const char *cause;			/* of an error that was raised, see
								 * ev_row_fault_name; "": none */
	bool		is_refused;		/* the fault is that of the table, see
								 * update_check.h */
} EvUpgraded;

/*
 * Makes an upgrade, in a memory context of its own, a child of the given one.
 * Upcasts run as far as they lead towards the version, and the result is
 * validated.  If there is no upcast, the event is only validated under the
 * other version or, with all_the_way, refused.  When it runs, it raises
 * undefined_object if a version is not registered or if upcasts do not lead
 * all the way.  Without keeps_data, results of valid events have no data where an upcast made it.
 */
extern EvUpgrade *ev_upgrade_make(MemoryContext parent, const text *type, int32 from, int32 to,
								  bool all_the_way, bool keeps_data);

/*
 * Upgrades some documents (jsonb, or text that should be JSON), each with an
 * upgrade.  Results are in CurrentMemoryContext.  Needs an active snapshot;
 * uses a subtransaction, and one more for each document that raises an error.
 * Raises errors that are not caused by an event.
 */
extern void ev_upgrade_run(EvUpgrade *const *upgrades, const Datum *documents, bool is_text,
						   EvUpgraded *results, int count);

static inline bool
ev_upgraded_is_valid(const EvUpgraded *upgraded)
{
	return upgraded->schema == NULL && upgraded->fault == NULL;
}

#endif							/* EV_UPCAST_ROWS_H */
