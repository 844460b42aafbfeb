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
 * Returns the event type that the body of a function names in a line, in
 * CurrentMemoryContext; NULL if there is no such line.
 *
 * If the name of a function in event_schema shortens its event type, the body
 * has the whole type: a schema in the line "#event_type TYPE", a policy in the
 * line "--event_type TYPE".  An upcast has no such line: its type is that of
 * its versions (ev_registry_type_of_upcast).
 */
extern char *ev_function_event_type(HeapTuple function);

/* The beginning of the line in a policy's body, before TYPE. */
#define EV_POLICY_TYPE_LINE		"--event_type "

/*
 * Returns the name TYPE@VERSION of a schema version by its function, in
 * CurrentMemoryContext, and sets its parts.  Returns NULL if the function does
 * not have the name of a version, or if its body does not have the type of this
 * name.  The caller checks the function's schema and language.
 */
extern char *ev_function_version(HeapTuple function, int *type_length, int32 *version);

/*
 * Returns the name of a function for messages, in CurrentMemoryContext:
 * TYPE@VERSION or TYPE@compatibility with the whole type, if the function is
 * one of these in event_schema, and otherwise its name.
 */
extern char *ev_function_shown_name(HeapTuple function);

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
 * Makes the scan keys, for the index of pg_proc on names, of all names with a
 * beginning, which is shorter than NAMEDATALEN.  The keys point to the names.
 */
extern void ev_function_name_range(const char *beginning, int length, NameData names[2], ScanKeyData keys[2]);

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
