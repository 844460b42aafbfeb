/*
 * guard_warnings.h
 *	  The WARNINGs of guards: one for each reason in a statement.
 */
#ifndef EV_GUARD_WARNINGS_H
#define EV_GUARD_WARNINGS_H

#include "guard/guard_call.h"
#include "utils/rel.h"

/* What happens to the row. */
typedef enum EvWarned
{
	EV_WARNED_KEPT,				/* it is stored, since the mode is "warn" */
	EV_WARNED_STAYS,			/* it is stored, since it was in the table
								 * before */
	EV_WARNED_LEAVES			/* it is diverted, and was perhaps in the
								 * table before */
} EvWarned;

typedef struct EvRowWarning
{
	EvWarned	what;
	Relation	relation;
	Oid			table;			/* to which the guard belongs */
	const EvRowEvent *event;
	const char *words;			/* the first violation */
	const char *reason;			/* the same for all rows with this reason */
	const char *json;			/* its violations, as a DETAIL in JSON; NULL:
								 * the DETAIL is text */
	const char *key;			/* of the row; NULL: not shown */
	bool		is_recorded;	/* in the quarantine */
} EvRowWarning;

/*
 * Counts a row for the WARNING that the statement raises at its end.  `query`
 * is the memory context of the statement's executor; the WARNING is raised when
 * it is deleted, unless the statement fails.
 */
extern void ev_guard_warn(MemoryContext query, const EvRowWarning *warning);

#endif							/* EV_GUARD_WARNINGS_H */
