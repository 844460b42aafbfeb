/*
 * circles.h
 *	  The circles in which schemas refer to each other.
 */
#ifndef EV_CIRCLES_H
#define EV_CIRCLES_H

#include "nodes/pg_list.h"

/*
 * Groups the nodes of a graph, 0 to count - 1: two nodes are in one group if each
 * leads to the other (strongly connected components).  edges[i] is the integer List
 * of the nodes to which node i leads.  Sets group[i] to the number of the group of
 * node i.  A group has a higher number than the groups to which its nodes lead.
 * Returns the number of groups.  Takes linear time.
 */
extern int	ev_find_circles(List *const *edges, int count, int *group);

#endif							/* EV_CIRCLES_H */
