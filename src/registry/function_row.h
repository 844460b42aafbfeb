/*
 * function_row.h
 *	  Registered functions as rows of pg_proc.
 *
 * Rows are tuples of pg_proc from the syscache.
 */
#ifndef EV_FUNCTION_ROW_H
#define EV_FUNCTION_ROW_H

#include "access/htup.h"
#include "catalog/pg_proc.h"
#include "nodes/pg_list.h"

#include "schema/document.h"

/* The language and the schema of registered functions; InvalidOid: no such. */
extern Oid	ev_language_oid(void);
extern Oid	ev_namespace_oid(void);

/* The body of a function, in CurrentMemoryContext. */
extern char *ev_function_body(HeapTuple function);

/*
 * The document of a function, in CurrentMemoryContext.  False, with *fault
 * filled, where the body does not parse; function, name and uri are filled
 * all the same.
 */
extern bool ev_function_document(HeapTuple function, EvDocument *document,
								 EvFault *fault);

/*
 * The row that this one replaced in the current transaction, a copy in
 * CurrentMemoryContext; NULL where the function was created or not touched by
 * it.
 */
extern HeapTuple ev_function_previous(HeapTuple function);

/*
 * The row of a function that the current transaction dropped, a copy in
 * CurrentMemoryContext; NULL where there is none.
 */
extern HeapTuple ev_function_dropped(Oid function);

/*
 * The function of a type's policy, TYPE@compatibility; InvalidOid where it has
 * none.
 */
extern Oid	ev_policy_function(const char *type, int length);

/*
 * OIDs of the registered functions that a function depends on by its record
 * in pg_depend, or of all functions, in CurrentMemoryContext.
 */
extern List *ev_function_dependencies(Oid function);
extern List *ev_function_all_dependencies(Oid function);

#endif							/* EV_FUNCTION_ROW_H */
