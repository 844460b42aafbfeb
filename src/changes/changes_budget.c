/*
 * changes_budget.c
 *	  Limits on the work and memory of a comparison of schemas.
 *
 * It is hard to decide whether one schema implies another: a short document
 * can take any time.  So each comparison has a budget of memory and of work.
 * Work is counted in units instead of time, so that the answer does not depend
 * on the machine's speed.  When the budget is used up, the comparison ends at
 * once: it holds only memory, which belongs to its context.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "changes/changes_internal.h"

#define MOST_MEMORY		(64 * 1024 * 1024)	/* in addition to the documents
											 * and their compiled form */

void
ev_budget_start(EvProver *p, int64 most_work)
{
	p->context = CurrentMemoryContext;
	p->memory_before = MemoryContextMemAllocated(p->context, true);
	p->most_work = most_work;
	p->work = p->unseen = 0;
}

static void give_up(EvProver *p, const char *spent) pg_attribute_noreturn();

static void
give_up(EvProver *p, const char *spent)
{
	p->spent = spent;
	if (p->give_up != NULL)
		siglongjmp(*p->give_up, 1);
	ereport(ERROR,
			(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
			 errmsg("schema is too complex"),
			 errdetail("Reading it was given up after %s.", spent),
			 errhint("Have fewer alternatives (\"anyOf\", \"oneOf\", \"if\") at one location, or fewer properties and patterns.")));
}

void
ev_budget_look(EvProver *p)
{
	CHECK_FOR_INTERRUPTS();
	p->work += p->unseen;
	p->unseen = 0;
	if (p->work > p->most_work)
		give_up(p, psprintf("%lld steps", (long long) p->most_work));
	if (MemoryContextMemAllocated(p->context, true) > p->memory_before + MOST_MEMORY)
		give_up(p, psprintf("%d MB of memory", MOST_MEMORY / (1024 * 1024)));
}
