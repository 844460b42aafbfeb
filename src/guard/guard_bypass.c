/*
 * guard_bypass.c
 *	  The setting event_validate.bypass_guard, and the log of what it let through.
 *
 * The setting is for bulk loads of events that are known to be valid.  A
 * superuser allows a role to set it (GRANT SET ON PARAMETER).  It affects
 * guards only: a CHECK constraint must give the same answer in every session.
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
#include "rows/table_rights.h"

bool		ev_bypass_guard = false;

/* Rows of one relation that one subtransaction let through. */
typedef struct Bypassed
{
	Oid			relation;
	Oid			role;
	SubTransactionId subtransaction;	/* Invalid...: it was rolled back */
	char	   *name;			/* of the relation */
	char	   *role_name;
	int64		rows;
} Bypassed;

/* Of this transaction, the newest first; in TopTransactionContext. */
static List *bypassed = NIL;

static Bypassed *
find_bypassed(Oid relation, Oid role, SubTransactionId subtransaction)
{
	ListCell   *cell;

	foreach(cell, bypassed)
	{
		Bypassed   *found = lfirst(cell);

		if (found->relation == relation && found->subtransaction == subtransaction && found->role == role)
			return found;
	}
	return NULL;
}

static void
log_bypassed(const char *end)
{
	ListCell   *cell;

	foreach(cell, bypassed)
	{
		const Bypassed *found = lfirst(cell);

		ereport(LOG_SERVER_ONLY,
				(errmsg_internal("event guard of %s bypassed by role \"%s\" for " INT64_FORMAT " rows (%s)",
								 found->name, found->role_name, found->rows,
								 found->subtransaction == InvalidSubTransactionId ? "rolled back" : end),
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

/* The rows of a subtransaction become its parent's, or are rolled back. */
static void
subtransaction_ended(SubXactEvent event, SubTransactionId subtransaction, SubTransactionId parent, void *arg pg_attribute_unused())
{
	ListCell   *cell;

	if (event == SUBXACT_EVENT_ABORT_SUB)
		parent = InvalidSubTransactionId;
	else if (event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	foreach(cell, bypassed)
	{
		Bypassed   *ended = lfirst(cell);
		Bypassed   *other;

		if (ended->subtransaction != subtransaction)
			continue;
		other = find_bypassed(ended->relation, ended->role, parent);
		if (other == NULL)
		{
			ended->subtransaction = parent;
			continue;
		}
		other->rows += ended->rows;
		bypassed = foreach_delete_current(bypassed, cell);
	}
}

void
ev_guard_bypass_init(void)
{
	DefineCustomBoolVariable("event_validate.bypass_guard",
							 "Lets rows pass event guards unseen, for bulk loads of events that are valid.",
							 "CHECK constraints are not affected.  The server's log says how many rows passed.",
							 &ev_bypass_guard, false, PGC_SUSET, 0, NULL, NULL, NULL);
	RegisterXactCallback(transaction_ended, NULL);
	RegisterSubXactCallback(subtransaction_ended, NULL);
}

void
ev_guard_bypassed(Relation relation)
{
	SubTransactionId subtransaction = GetCurrentSubTransactionId();
	Oid			role = GetSessionUserId();
	Bypassed   *added = find_bypassed(RelationGetRelid(relation), role, subtransaction);
	MemoryContext caller;

	if (added != NULL)
	{
		added->rows++;
		return;
	}
	caller = MemoryContextSwitchTo(TopTransactionContext);
	added = palloc(sizeof(Bypassed));
	added->relation = RelationGetRelid(relation);
	added->role = role;
	added->subtransaction = subtransaction;
	added->name = ev_visible(ev_table_name(RelationGetRelid(relation)));
	added->role_name = ev_visible(GetUserNameFromId(role, true));
	added->rows = 1;
	bypassed = lcons(added, bypassed);
	MemoryContextSwitchTo(caller);
}
