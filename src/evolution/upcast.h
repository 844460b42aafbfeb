/*
 * upcast.h
 *	  Upcasts: the functions that bring events of one version to the next.
 *
 *	  An upcast is a function event_schema."TYPE@FROM>TO"(data jsonb), whose
 *	  name may shorten the type (registry/names.h), in language sql, that returns jsonb.  At most one leads from each version,
 *	  so that one path leads from a version to each later one, or none.
 */
#ifndef EV_UPCAST_H
#define EV_UPCAST_H

#include "access/htup.h"
#include "nodes/pg_list.h"

/* A registered upcast. */
typedef struct EvUpcast
{
	Oid			function;
	char	   *name;			/* TYPE@FROM>TO, with the whole type */
	int			type_length;	/* in the name */
	int32		from;
	int32		to;
} EvUpcast;

/*
 * The upcasts (EvUpcast *) of a type, NULL: of all types, as the catalog has
 * them, by type and versions.  In CurrentMemoryContext.  For
 * all types, name is that of the function and may shorten the type.
 */
extern List *ev_upcast_list(const char *type, int type_length);

/*
 * OIDs of the functions that an upcast, or a function that it calls, depends
 * on by its record in pg_depend, but for schemas.
 */
extern List *ev_upcast_dependencies(Oid function);

/*
 * A function in event_schema, by its name an upcast, was created or changed:
 * raises where it is none, or one that does not fit with the others.  Records
 * that it depends on its two schema versions, where they are there.
 * `previous` is the row that this one replaced, or NULL; is_create says that
 * the command was CREATE FUNCTION.
 */
extern void ev_upcast_check_function(HeapTuple function, HeapTuple previous, bool is_create);

/*
 * Raises dependent_objects_still_exist where an upcast leads from a version or
 * to it.
 */
extern void ev_upcast_check_unused(const char *type, int type_length, int32 version);

/* Marks the latest registered version. */
#define EV_LATEST	(-1)

/*
 * The upcasts (EvUpcast *) that lead from a version to another one (which may
 * be EV_LATEST), in their order; NIL where they are the same.  Raises
 * undefined_object where a version is not registered or there is no way, and
 * invalid_parameter_value for a way backwards.  In CurrentMemoryContext.
 */
extern List *ev_upcast_path(const text *type, int32 from, int32 *to);

/*
 * The upcasts from a version on, as far as they lead towards another one;
 * neither need be registered.  *reached is where they lead.
 */
extern List *ev_upcast_path_prefix(const text *type, int32 from, int32 to, int32 *reached);

/*
 * The role that an upcast runs as; the current user must be allowed to execute
 * it.  That is its owner, or, where it does nothing but call another role's
 * function whose rights its owner has, that function's owner, who can replace
 * the function at any time.
 */
extern Oid	ev_upcast_role(const EvUpcast *upcast);

#endif							/* EV_UPCAST_H */
