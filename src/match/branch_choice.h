/*
 * branch_choice.h
 *	  Chooses the branch of an anyOf or oneOf that messages speak about.
 */
#ifndef EV_BRANCH_CHOICE_H
#define EV_BRANCH_CHOICE_H

#include "match/match_internal.h"

/* A property with a value that fits no branch. */
typedef struct EvTag
{
	EvString	name;
	EvInstance	value;
	EvInstance *values;			/* those that fit */
	uint32		value_count;
} EvTag;

/*
 * Returns the branch that was probably meant by a value that matches none: the only
 * branch for its type, or the only branch with a constant that equals the value of a
 * property (the tag).  OpenAPI's "discriminator" has precedence over other
 * properties, then a property with a single constant in the branch, then one with
 * constants in more branches.
 *
 * Returns EV_NO_BRANCH, and the property in *tag, if each branch for the value's type
 * has constants for a property and none equals its value; EV_ANY_BRANCH if there is
 * no such property.  The work is counted in m->choice_work, and bounded.
 */
extern int	ev_choose_branch(EvMatch *m, const EvBranches *branches, EvInstance in, EvTag *tag);

#endif							/* EV_BRANCH_CHOICE_H */
