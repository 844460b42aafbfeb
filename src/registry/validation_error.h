/*
 * validation_error.h
 *	  The error for an event that is not valid.
 */
#ifndef EV_VALIDATION_ERROR_H
#define EV_VALIDATION_ERROR_H

#include "base/compat.h"
#include "registry/schema_cache.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

/*
 * Raises check_violation for an event that is not valid, with what is wrong
 * with it, and undefined_object where its schema is not registered; data, type
 * and version are NULL where the event has none.  The CONSTRAINT NAME is the
 * constraint, or where that is NULL the schema's function.  SCHEMA NAME and TABLE
 * NAME are the relation's, which is NULL where it is not known.
 *
 * The schema is the one whose program did not match the data; NULL where none
 * was found, or none was looked for because something is NULL.
 */
extern void ev_refuse_event(Relation relation, const Jsonb *data, const text *type,
							const int32 *version, const char *constraint,
							EvSchema *schema) pg_attribute_noreturn();

/*
 * Raises check_violation for what an upcast from a version made of an event:
 * it is not valid under the schema of the other version (or NULL: nothing was
 * made of it).
 */
extern void ev_refuse_upcast(const Jsonb *data, const text *type, int32 from, int32 to,
							 EvSchema *schema) pg_attribute_noreturn();

/*
 * Raises undefined_object for a version that is not registered; the HINT
 * lists those that are.
 */
extern void ev_refuse_unregistered(const text *type, int32 version) pg_attribute_noreturn();

#endif							/* EV_VALIDATION_ERROR_H */
