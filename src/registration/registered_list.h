/*
 * registered_list.h
 *	  The functions of all registered schemas, in a fixed order.
 */
#ifndef EV_REGISTERED_LIST_H
#define EV_REGISTERED_LIST_H

#include "nodes/pg_list.h"

/* A registered schema. */
typedef struct EvRegistered
{
	Oid			function;
	Oid			owner;
	char	   *name;			/* TYPE@VERSION, or the function's name */
	int			type_length;	/* in TYPE@VERSION; -1: another kind of name */
	int32		version;
} EvRegistered;

/*
 * Returns the functions in event_schema that are in language jsonschema, as
 * EvRegistered in CurrentMemoryContext: events by type and version, and then
 * documents by URI.
 */
extern List *ev_registered_functions(void);

/* The order of two EvRegistered, as for qsort. */
extern int	ev_compare_registered(const EvRegistered *a, const EvRegistered *b);

#endif							/* EV_REGISTERED_LIST_H */
