/*
 * stored_query.h
 *	  Queries with expressions that are stored in the catalogs.
 */
#ifndef EV_STORED_QUERY_H
#define EV_STORED_QUERY_H

#include "executor/spi.h"
#include "nodes/params.h"
#include "parser/parse_node.h"

/* What the parameters $1, $2, ... of a query stand for. */
typedef struct EvStoredQuery
{
	int			count;			/* values, from $1 on, */
	const Oid  *types;			/* and their types */
	List	   *expressions;	/* of Node *, after them */
	int			cursor_options; /* for the planner */
} EvStoredQuery;

/*
 * Adds an analyzed expression, and returns the parameter that stands for it, in
 * CurrentMemoryContext.  Its columns (Vars of varno 1) are those of the relation
 * that has the alias t where the parameter is.  A domain's value is the column
 * "value" there.  The expression is not copied.
 */
extern char *ev_stored_place(EvStoredQuery *query, Node *expression);

/* A ParserSetupHook; its argument is an EvStoredQuery. */
extern void ev_stored_setup(ParseState *pstate, void *arg);

/*
 * Prepares a query.  SPI must be connected; `query` must live as long as the plan.
 * The text must be qualified, or the search_path pinned.
 */
extern SPIPlanPtr ev_stored_prepare(const char *text, EvStoredQuery *query);

/*
 * Runs a SELECT that reads only.  `values` are for the first parameters, and `nulls`
 * is as for SPI_execute_plan(), or NULL.
 */
extern void ev_stored_select(SPIPlanPtr plan, const EvStoredQuery *query, const Datum *values, const char *nulls, long limit);

#endif							/* EV_STORED_QUERY_H */
