/*
 * extension_objects.h
 *	  Where the extension's own functions are.
 *
 *	  Functions that users call are in the extension's schema, which CREATE
 *	  EXTENSION chooses, and where others may create functions of the same
 *	  names.  So a function is looked up by its exact argument types.  Internal
 *	  functions are in a schema that only a superuser can create in.
 */
#ifndef EV_EXTENSION_OBJECTS_H
#define EV_EXTENSION_OBJECTS_H

#define EV_EXTENSION			"event_validate"
#define EV_INTERNAL_NAMESPACE	"_event_validate"

/*
 * The extension's schema; InvalidOid if the extension is not installed (it may
 * have been dropped in this transaction).  Scans pg_extension.
 */
extern Oid	ev_extension_namespace(void);

/*
 * A function of the extension, or an internal one; InvalidOid where there is
 * none.
 */
extern Oid	ev_extension_function(const char *name, int count, const Oid *types);
extern Oid	ev_internal_function(const char *name, int count, const Oid *types);

/* The function of a name and argument types in a schema; InvalidOid: none. */
extern Oid	ev_function_in(Oid namespace, const char *name, int count, const Oid *types);

#endif							/* EV_EXTENSION_OBJECTS_H */
