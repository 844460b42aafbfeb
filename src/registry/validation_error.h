/*
 * validation_error.h
 *	  The error for an event that is not valid.
 */
#ifndef EV_VALIDATION_ERROR_H
#define EV_VALIDATION_ERROR_H

#include "base/compat.h"
#include "match/interpret.h"
#include "registry/schema_cache.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

/*
 * Returns a violation as text, in CurrentMemoryContext: its location in the
 * document and its message; or only the keyword of the schema, if
 * event_validate.show_values is off.
 */
extern char *ev_violation_words(const EvViolation *violation);

/*
 * Raises check_violation for an event that is not valid, with its violations,
 * or undefined_object if its schema is not registered. data, type and version
 * are NULL if the event has none.  The CONSTRAINT NAME is the constraint or,
 * if that is NULL, the schema's function.  SCHEMA NAME and TABLE
 * NAME are those of the relation, which is NULL if it is not known.
 *
 * The schema is the one whose program rejected the data; NULL if there is
 * none, or if it was not looked up because an argument is NULL.
 */
extern void ev_refuse_event(Relation relation, const Jsonb *data, const text *type,
							const int32 *version, const char *constraint,
							EvSchema *schema) pg_attribute_noreturn();

/*
 * Raises check_violation for the result of an upcast that is not valid under
 * the schema of its target version. data is NULL if the result is NULL.
 */
extern void ev_refuse_upcast(const Jsonb *data, const text *type, int32 from, int32 to,
							 EvSchema *schema) pg_attribute_noreturn();

/*
 * Raises undefined_object for a version that is not registered; the HINT lists
 * the registered ones.
 */
extern void ev_refuse_unregistered(const text *type, int32 version) pg_attribute_noreturn();

/*
 * Returns the pg_proc row of a registered version, which the caller releases,
 * and its name.  Raises an error if it is not registered.
 */
extern HeapTuple ev_registered_row(const text *type, int32 version, char **name);

#endif							/* EV_VALIDATION_ERROR_H */
