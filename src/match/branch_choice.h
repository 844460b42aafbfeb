/*
 * branch_choice.h
 *	  Which branch of an anyOf or oneOf is meant, for messages about a value that
 *	  matches none.
 */
#ifndef EV_BRANCH_CHOICE_H
#define EV_BRANCH_CHOICE_H

#include "match/match_internal.h"

/* A property whose value fits no branch. */
typedef struct EvTag
{
	EvString	name;
	EvInstance	value;
	EvInstance *values;			/* those that fit */
	uint32		value_count;
} EvTag;

/*
 * The branch that a value means, which matches none: the only one for its type,
 * or the only one of whose constants a property (the tag) has one.  The property
 * that OpenAPI's "discriminator" names goes before others, then one with a single
 * constant in that branch, then one that more branches know.
 *
 * EV_NO_BRANCH where every branch for its type has constants for a property, and
 * none of them is there: it is put into *tag.  EV_ANY_BRANCH where nothing tells.
 * Off the fast path; what it looks at is counted in m->choice_work, and bounded.
 */
extern int	ev_choose_branch(EvMatch *m, const EvBranches *branches, EvInstance in, EvTag *tag);

#endif							/* EV_BRANCH_CHOICE_H */
