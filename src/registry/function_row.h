/*
 * function_row.h
 *	  Registered functions as rows of pg_proc.
 *
 * Rows are tuples from the syscache.
 */
#ifndef EV_FUNCTION_ROW_H
#define EV_FUNCTION_ROW_H

#include "access/htup.h"
#include "catalog/pg_proc.h"
#include "nodes/pg_list.h"

#include "schema/document.h"

/*
 * Return the language and the schema of registered functions; InvalidOid if
 * there is none.
 */
extern Oid	ev_language_oid(void);
extern Oid	ev_namespace_oid(void);

/* Returns the body of a function, in CurrentMemoryContext. */
extern char *ev_function_body(HeapTuple function);

/*
 * Returns the URI by which references find a function's document, in
 * CurrentMemoryContext; "" if there is none.
 */
extern char *ev_function_uri(Form_pg_proc function);

/*
 * Reads the document of a function, in CurrentMemoryContext.  Returns false,
 * with *fault filled, if the body cannot be parsed; function, name and uri are
 * set in any case.
 */
extern bool ev_function_document(HeapTuple function, EvDocument *document,
								 EvFault *fault);

/*
 * Returns the row that this one replaced in the current transaction, as a copy
 * in CurrentMemoryContext; NULL if the transaction created the function, or
 * did not change it.
 */
extern HeapTuple ev_function_previous(HeapTuple function);

/*
 * Returns the row of a function that the current transaction dropped, as a
 * copy in CurrentMemoryContext; NULL if there is none.
 */
extern HeapTuple ev_function_dropped(Oid function);

/*
 * Returns the function of a type's policy, TYPE@compatibility; InvalidOid if
 * it has none.
 */
extern Oid	ev_policy_function(const char *type, int length);

/*
 * Return the OIDs of the registered functions that a function depends on by
 * pg_depend, or of all functions, in CurrentMemoryContext.
 */
extern List *ev_function_dependencies(Oid function);
extern List *ev_function_all_dependencies(Oid function);

#endif							/* EV_FUNCTION_ROW_H */
