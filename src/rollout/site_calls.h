/*
 * site_calls.h
 *	  The calls of check_event in the expression of a usage site.
 */
#ifndef EV_SITE_CALLS_H
#define EV_SITE_CALLS_H

#include "rollout/usage_sites.h"

/*
 * A call in a constraint, and its arguments; or a cast to a domain whose CHECK makes
 * the call.
 */
typedef struct EvSiteCall
{
	FuncExpr   *call;			/* NULL: a cast */
	bool		is_wrapper;		/* of a function that calls check_event */
	bool		is_term;		/* the constraint is true only if the call is */
	bool		is_by_row;		/* the type is read from the row, and is not a
								 * constant */
	Node	   *type;			/* NULL: not known */
	Node	   *version;
} EvSiteCall;

/* Is there a call in an expression that can be for one of search->versions? */
extern bool ev_expression_may_apply(Node *expression, EvSearch *search);

/* Is there a cast to one of search->domains in an expression? */
extern bool ev_expression_has_cast(Node *expression, EvSearch *search);

/*
 * Returns the calls in an expression, of EvSiteCall *; none of a term is certain to be
 * made if the expression is one of a policy or view.  Calls in subqueries are left out,
 * and those that need a subquery.
 */
extern List *ev_site_calls(const EvSite *site, Node *expression, const EvSearch *search);

/* Returns the expression with all these calls replaced by false. */
extern Node *ev_refuse_calls(Node *expression, const EvSearch *search);

#endif							/* EV_SITE_CALLS_H */
