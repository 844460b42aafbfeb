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
 * Where the name of a function in event_schema shortens its event type, the
 * body has the whole type: a schema in the line "#event_type TYPE", a policy
 * in the line "--event_type TYPE".  An upcast has it in neither: it is found by
 * the versions it is for (ev_registry_type_of_upcast).
 *
 * The type that such a line names, in CurrentMemoryContext; NULL: none.
 */
extern char *ev_function_event_type(HeapTuple function);

/* The line of a policy's body, and what is before TYPE in it. */
#define EV_POLICY_TYPE_LINE		"--event_type "

/*
 * The name TYPE@VERSION of a schema version by its function, in
 * CurrentMemoryContext, and its parts; NULL where the function is none by its
 * name, or its body has another type.  The caller looks at schema and language.
 */
extern char *ev_function_version(HeapTuple function, int *type_length, int32 *version);

/*
 * What messages call a function: TYPE@VERSION or TYPE@compatibility with the
 * whole type, where it is one of these in event_schema, else its name.
 */
extern char *ev_function_shown_name(HeapTuple function);

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
