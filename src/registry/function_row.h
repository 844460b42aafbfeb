/*
 * function_row.h
 *	  Registered functions as rows of pg_proc.
 *
 * Rows are tuples from the syscache.
 */
#ifndef EV_FUNCTION_ROW_H
#define EV_FUNCTION_ROW_H

#include "access/htup.h"
#include "access/skey.h"
#include "catalog/pg_proc.h"
#include "nodes/pg_list.h"

#include "schema/document.h"

/*
 * Return the language and the schema of registered functions; InvalidOid if
 * there is none.
 */
extern Oid	ev_language_oid(void);
extern Oid	ev_namespace_oid(void);

/*
 * Returns the row of a function, read from the catalog, in
 * CurrentMemoryContext; NULL if there is none.  The syscache would keep the
 * body of each document that a reference ever led to.
 */
extern HeapTuple ev_function_row(Oid function);

/* Returns the body of a function, in CurrentMemoryContext. */
extern char *ev_function_body(HeapTuple function);

/*
 * Reads the document of a function, in CurrentMemoryContext.  Returns false,
 * with *fault filled, if the body cannot be parsed; function, name and uri are
 * set in any case.  If it can, text and json are NULL: the body is freed.
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
 * Makes the scan keys, for the index of pg_proc on names, of all names that
 * begin with "TYPE@".  The type is shorter than NAMEDATALEN - 1.  The keys point
 * to the names.
 */
extern void ev_function_name_range(const char *type, int length, NameData names[2], ScanKeyData keys[2]);

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
