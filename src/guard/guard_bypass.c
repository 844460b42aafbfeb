/*
 * guard_bypass.c
 *	  The setting event_validate.bypass_guard, and the log of what it let through.
 *
 * For a bulk load of events that are known to be valid.  A superuser lets a role
 * set it (GRANT SET ON PARAMETER).  It concerns guards only: a CHECK constraint
 * says the same of a row in every session.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/shown_text.h"
#include "guard/guard_bypass.h"

bool		ev_bypass_guard = false;

typedef struct Bypassed
{
	Oid			relation;
	char	   *name;
	char	   *role;
	int64		rows;
} Bypassed;

/* Of this transaction; in TopTransactionContext. */
static List *bypassed = NIL;

static void
log_bypassed(const char *end)
{
	ListCell   *cell;

	foreach(cell, bypassed)
	{
		const Bypassed *found = lfirst(cell);

		ereport(LOG_SERVER_ONLY,
				(errmsg_internal("event guard of %s bypassed by role \"%s\" for " INT64_FORMAT " rows (%s)",
								 found->name, found->role, found->rows, end),
				 errhidestmt(true),
				 errhidecontext(true)));
	}
	bypassed = NIL;
}

static void
transaction_ended(XactEvent event, void *arg pg_attribute_unused())
{
	if (bypassed == NIL)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			log_bypassed("committed");
			break;
		case XACT_EVENT_PREPARE:
			log_bypassed("prepared");
			break;
		case XACT_EVENT_ABORT:
			log_bypassed("rolled back");
			break;
		default:
			break;
	}
}

void
ev_guard_bypass_init(void)
{
	DefineCustomBoolVariable("event_validate.bypass_guard",
							 "Lets rows pass event guards unseen, for bulk loads of events that are valid.",
							 "CHECK constraints are not concerned.  The server's log says how many rows passed.",
							 &ev_bypass_guard, false, PGC_SUSET, 0, NULL, NULL, NULL);
	RegisterXactCallback(transaction_ended, NULL);
}

void
ev_guard_bypassed(Relation relation)
{
	MemoryContext caller;
	Bypassed   *added;
	char	   *namespace;
	ListCell   *cell;

	foreach(cell, bypassed)
	{
		Bypassed   *found = lfirst(cell);

		if (found->relation == RelationGetRelid(relation))
		{
			found->rows++;
			return;
		}
	}
	caller = MemoryContextSwitchTo(TopTransactionContext);
	added = palloc(sizeof(Bypassed));
	added->relation = RelationGetRelid(relation);
	namespace = get_namespace_name(RelationGetNamespace(relation));
	added->name = ev_visible(quote_qualified_identifier(namespace, RelationGetRelationName(relation)));
	added->role = ev_visible(GetUserNameFromId(GetSessionUserId(), true));
	added->rows = 1;
	bypassed = lappend(bypassed, added);
	MemoryContextSwitchTo(caller);
}
