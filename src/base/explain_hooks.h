/*
 * explain_hooks.h
 *	  Lines of ours in the output of EXPLAIN, as far as each version of PostgreSQL
 *	  lets an extension add them.
 */
#ifndef EV_EXPLAIN_HOOKS_H
#define EV_EXPLAIN_HOOKS_H

#include "commands/explain.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* EXPLAIN has options of extensions since PostgreSQL 18. */
#define EV_EXPLAIN_HAS_OPTIONS	(PG_VERSION_NUM >= 180000)

typedef struct EvExplainHooks
{
	const char *option;			/* of EXPLAIN, in lower case */
	const bool *always;			/* in each EXPLAIN ANALYZE? */

	/*
	 * Before the statement is executed, or planned: returns what `put` gets.
	 * For statements that are not explained by EXPLAIN, but can be by
	 * auto_explain since PostgreSQL 19, `begin_statement` is called instead,
	 * if always.
	 */
	void	   *(*begin) (ExplainState *es);
	void		(*begin_statement) (void);

	/* After it; begun is NULL after begin_statement(). */
	void		(*put) (ExplainState *es, void *begun);
} EvExplainHooks;

/* Installs hooks; for _PG_init. */
extern void ev_explain_hooks_init(const EvExplainHooks *hooks);

#endif							/* EV_EXPLAIN_HOOKS_H */
