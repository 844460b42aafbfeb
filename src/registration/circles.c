/*
 * circles.c
 *	  The circles in which schemas refer to each other.
 *
 * This is Tarjan's algorithm, with a stack of its own instead of a recursion: a
 * chain of references can be as long as the registry.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "registration/circles.h"

#define NOT_VISITED		(-1)

typedef struct CircleSearch
{
	List	   *const *edges;
	int		   *group;			/* NOT_VISITED while the group is not known */
	int		   *number;			/* in the order of the visits */
	int		   *lowest;			/* number of a node on the stack that this
								 * node leads to */
	int		   *next_edge;		/* position in the list of edges */
	int		   *path;			/* from the first node to the current one */
	int			path_length;
	int		   *stack;			/* nodes without a group */
	int			stack_length;
	int			visited;
	int			groups;
} CircleSearch;

static void
enter(CircleSearch *search, int node)
{
	search->number[node] = search->lowest[node] = search->visited++;
	search->next_edge[node] = 0;
	search->path[search->path_length++] = node;
	search->stack[search->stack_length++] = node;
}

/*
 * All nodes to which the node leads were visited.  Completes the node's group
 * if the node is its first.
 */
static void
leave(CircleSearch *search, int node)
{
	int			other;

	search->path_length--;
	if (search->path_length > 0)
	{
		int			before = search->path[search->path_length - 1];

		search->lowest[before] = Min(search->lowest[before], search->lowest[node]);
	}
	if (search->lowest[node] != search->number[node])
		return;
	do
	{
		other = search->stack[--search->stack_length];
		search->group[other] = search->groups;
	} while (other != node);
	search->groups++;
}

static void
visit_from(CircleSearch *search, int first)
{
	enter(search, first);
	while (search->path_length > 0)
	{
		int			node = search->path[search->path_length - 1];

		CHECK_FOR_INTERRUPTS();
		if (search->next_edge[node] < list_length(search->edges[node]))
		{
			int			target = list_nth_int(search->edges[node], search->next_edge[node]++);

			if (search->number[target] == NOT_VISITED)
				enter(search, target);
			else if (search->group[target] == NOT_VISITED)
				search->lowest[node] = Min(search->lowest[node], search->number[target]);
		}
		else
			leave(search, node);
	}
}

int
ev_find_circles(List *const *edges, int count, int *group)
{
	CircleSearch search = {.edges = edges, .group = group};
	int		   *memory = palloc(sizeof(int) * 5 * (count + 1));

	search.number = memory;
	search.lowest = memory + count;
	search.next_edge = memory + 2 * count;
	search.path = memory + 3 * count;
	search.stack = memory + 4 * count;
	for (int i = 0; i < count; i++)
		group[i] = search.number[i] = NOT_VISITED;
	for (int i = 0; i < count; i++)
		if (search.number[i] == NOT_VISITED)
			visit_from(&search, i);
	pfree(memory);
	return search.groups;
}
