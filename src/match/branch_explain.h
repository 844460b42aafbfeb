/*
 * branch_explain.h
 *	  Lists the violations of the branches of an anyOf or oneOf that do not match.
 */
#ifndef EV_BRANCH_EXPLAIN_H
#define EV_BRANCH_EXPLAIN_H

#include "match/violations.h"

/* Runs a branch for a collector of its own. */
typedef void (*EvRunBranch) (EvMatch *m, EvCollector *collector, uint32 block, EvInstance in, const EvStep *step);

/*
 * Returns " (1: must be ...; 0: must be ...)", in CurrentMemoryContext: the
 * branches with their violations, best first.  The best branch is the one with
 * the fewest wrong properties, types and constants in the value and its
 * children, then the one that describes more of the value's properties, then
 * the one with the fewest violations.  The text has three
 * violations of the first branch, and one of each other branch.  It lists at
 * most four branches, and none after about 500 bytes; the number of the others
 * follows.  Returns "" in a report, which has the branches anyway.
 *
 * Branches in branches multiply.  So they are explained on two levels only.
 * After 1,000 branches of a run, further ones are not ranked: they are in the
 * schema's order.
 */
extern const char *ev_explain_branches(EvMatch *m, const EvBranches *branches, EvInstance in, const EvStep *step,
									   EvRunBranch run);

#endif							/* EV_BRANCH_EXPLAIN_H */
