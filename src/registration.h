/*
 * registration.h
 *	  The functions that register, widen, drop and list schemas.
 */
#ifndef EV_REGISTRATION_H
#define EV_REGISTRATION_H

#include "compat.h"

/*
 * The function that is registered under a name in event_schema, in language
 * jsonschema; InvalidOid where there is none.
 */
extern Oid	ev_registered_function(const char *name);

/*
 * TYPE@VERSION for a type and a version from SQL.  Raises
 * invalid_parameter_value, and says why, where there can be none.
 */
extern void ev_require_event_name(const text *type, int32 version, NameData *name);

/*
 * Raises undefined_object for a version that is not registered; the HINT
 * lists those that are.
 */
extern void ev_refuse_unregistered(const text *type, int32 version) pg_attribute_noreturn();

#endif							/* EV_REGISTRATION_H */
