/*
 * database_drop.c
 *	  The statistics of a database go with it.
 *
 * No other event could remove them: event_validation_stats_reset takes the name of
 * a database that exists.  DROP DATABASE is a transaction of its own, and can
 * still fail after its hook: so they are removed at the commit.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"

#include "stats/database_drop.h"
#include "stats/shared_stats.h"

static object_access_hook_type previous_access = NULL;
static Oid	dropped = InvalidOid;

static void
see_access(ObjectAccessType access, Oid class, Oid object, int part, void *argument)
{
	if (previous_access != NULL)
		previous_access(access, class, object, part, argument);
	if (access == OAT_DROP && class == DatabaseRelationId && ev_stats_on)
		dropped = object;
}

static void
transaction_ended(XactEvent event, void *argument pg_attribute_unused())
{
	if (event == XACT_EVENT_COMMIT && OidIsValid(dropped))
		ev_shared_stats_reset(dropped, NULL, NULL);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		dropped = InvalidOid;
}

void
ev_database_drop_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	previous_access = object_access_hook;
	object_access_hook = see_access;
	RegisterXactCallback(transaction_ended, NULL);
}
