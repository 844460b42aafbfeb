/*
 * upcast_rows.h
 *	  Stored events brought to another version without raising for any of them.
 */
#ifndef EV_UPCAST_ROWS_H
#define EV_UPCAST_ROWS_H

#include "registry/schema_cache.h"
#include "utils/jsonb.h"

/* From one version of a type to another, for some events. */
typedef struct EvUpgrade EvUpgrade;

/* What became of an event. */
typedef struct EvUpgraded
{
	Jsonb	   *data;			/* where it got to; NULL: nothing is left */
	EvSchema   *schema;			/* that it does not match; NULL: it is valid */
	const char *fault;			/* what else is wrong; NULL: nothing */
	int			sqlstate;		/* of what was raised, if anything */
} EvUpgraded;

/*
 * Upcasts are run as far as they lead to the version, and the result is
 * validated; with no upcast the event is just validated under the other
 * version, or, with all_the_way, refused.  Raises undefined_object, when it is
 * run, where a version is not registered, and where upcasts do not lead all the
 * way.  Lives in a memory context of its own, a child of the one given.
 */
extern EvUpgrade *ev_upgrade_make(MemoryContext parent, const text *type, int32 from, int32 to,
								  bool all_the_way);

/*
 * Does it for some documents (jsonb, or text that should be JSON), each with an
 * upgrade.  Results are in CurrentMemoryContext.  Needs an active snapshot, and
 * uses a subtransaction, and one more for each that raises.  Raises what is not
 * an event's fault.
 */
extern void ev_upgrade_run(EvUpgrade *const *upgrades, const Datum *documents, bool is_text,
						   EvUpgraded *results, int count);

static inline bool
ev_upgraded_is_valid(const EvUpgraded *upgraded)
{
	return upgraded->schema == NULL && upgraded->fault == NULL;
}

#endif							/* EV_UPCAST_ROWS_H */
