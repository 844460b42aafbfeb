/*
 * search_bounds.h
 *	  How much of other roles' objects a search for usage sites looks at.
 */
#ifndef EV_SEARCH_BOUNDS_H
#define EV_SEARCH_BOUNDS_H

typedef struct EvSearchCounts EvSearchCounts;

/*
 * Returns the counts of a search for a role, the user, all zero, in
 * CurrentMemoryContext.
 */
extern EvSearchCounts *ev_search_counts(Oid user);

/*
 * The limits hold for a role that is neither the user, nor one that trusted
 * roles granted to the user, nor a superuser or the owner of the database.
 */

/* Do they not hold for a role? */
extern bool ev_search_is_own(EvSearchCounts *counts, Oid role);

/*
 * May so many more bytes of expressions and views of a role be parsed?  If so, they
 * are counted.
 */
extern bool ev_search_may_read(EvSearchCounts *counts, Oid role, Size bytes);

/*
 * The same for one more site, on a table of the role.  *is_last: no other one may be
 * added, so this one must stand for all that follow.
 */
extern bool ev_search_may_add_site(EvSearchCounts *counts, Oid role, bool *is_last);

/* Was the last site added? */
extern bool ev_search_is_full(EvSearchCounts *counts, Oid role);

/* On which of the ways from a domain to the columns that use it are types met? */
typedef enum EvFollow
{
	EV_FOLLOW_ALL,
	EV_FOLLOW_ONCE,				/* each type once */
	EV_FOLLOW_NONE
} EvFollow;

/* Counts one more type on the ways from the domains of a role. */
extern EvFollow ev_search_follow(EvSearchCounts *counts, Oid role);

#endif							/* EV_SEARCH_BOUNDS_H */
