/*
 * extension_objects.h
 *	  Finds the extension's own functions and schema.
 *
 * Functions for users are in the extension's schema, which CREATE EXTENSION
 * determines, and in which others may create functions with the same names.
 * So a function is looked up by its exact argument types.  Internal functions
 * are in a schema in which only superusers can create objects.
 */
#ifndef EV_EXTENSION_OBJECTS_H
#define EV_EXTENSION_OBJECTS_H

#define EV_EXTENSION			"event_validate"
#define EV_INTERNAL_NAMESPACE	"_event_validate"

/*
 * Returns the extension's schema; InvalidOid if the extension is not installed
 * (it may have been dropped in this transaction).  Scans pg_extension.
 */
extern Oid	ev_extension_namespace(void);

/*
 * Returns a function of the extension, for users or internal; InvalidOid if
 * there is none.
 */
extern Oid	ev_extension_function(const char *name, int count, const Oid *types);
extern Oid	ev_internal_function(const char *name, int count, const Oid *types);

/*
 * Returns the function with this name and these argument types in a schema;
 * InvalidOid if there is none.
 */
extern Oid	ev_function_in(Oid namespace, const char *name, int count, const Oid *types);

#endif							/* EV_EXTENSION_OBJECTS_H */
