/*
 * upcast.h
 *	  Upcasts: functions that bring events of one version to a later one, and
 *	  downcasts, to an earlier one.
 *
 * An upcast is a function event_schema."TYPE@FROM>TO"(data jsonb), in language
 * sql, that returns jsonb; the name can shorten the type (registry/names.h).
 * At most one leads from each version, so that there is at most one path from a
 * version to a later one.  A downcast is the same with TO < FROM; all that is said of
 * upcasts holds for both.
 */
#ifndef EV_UPCAST_H
#define EV_UPCAST_H

#include "access/htup.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* A registered upcast. */
typedef struct EvUpcast
{
	Oid			function;		/* InvalidOid, in a path: none is needed */
	Jsonb	   *renames;		/* in a path, without a function: the renames
								 * of the schema, in this direction; or NULL */
	char	   *name;			/* TYPE@FROM>TO, with the whole type */
	int			type_length;	/* length of the type in the name */
	int32		from;
	int32		to;
} EvUpcast;

/*
 * Returns the upcasts (EvUpcast *) in the catalog of a type (NULL: of all
 * types), by type and versions, in CurrentMemoryContext.  For all types, the
 * name is the function's, which can shorten the type.
 */
extern List *ev_upcast_list(const char *type, int type_length);

/* The function of the extension that upcasts by register_event_rename call. */
#define EV_RENAME_FUNCTION	"event_rename"

/* Returns it; InvalidOid if the extension was dropped. */
extern Oid	ev_rename_function(void);

/*
 * Sets the function that an upcast calls with its argument, or InvalidOid, and the renames of
 * one that register_event_rename made, or NULL, in CurrentMemoryContext; and the owner.
 * Returns false if the upcast does not exist.
 */
extern bool ev_upcast_describe(Oid function, Oid *called, Jsonb **renames, Oid *owner);

/*
 * Returns the OIDs of the functions that an upcast, or a function that it
 * calls, depends on by pg_depend, without schemas.
 */
extern List *ev_upcast_dependencies(Oid function);

/*
 * Checks a function in event_schema with the name of an upcast that was
 * created or changed: raises an error if it is not an upcast, or conflicts
 * with others.  Records that it depends on its two schema versions, if they
 * exist. `previous` is the row that this one replaced, or NULL; is_create says
 * that the command was CREATE FUNCTION.
 */
extern void ev_upcast_check_function(HeapTuple function, HeapTuple previous, bool is_create);

/*
 * Records that each upcast depends on its two schema versions, where this is not
 * recorded: pg_upgrade creates functions without event triggers, which call
 * ev_upcast_check_function.
 */
extern void ev_upcast_record_dependencies(void);

/*
 * Raises dependent_objects_still_exist if an upcast leads from or to a
 * version.
 */
extern void ev_upcast_check_unused(const char *type, int type_length, int32 version);

/* Returns the command that drops an upcast, for a HINT. */
extern char *ev_upcast_drop_command(const EvUpcast *upcast);

/* Marks the latest registered version. */
#define EV_LATEST	(-1)

/*
 * Returns the upcasts (EvUpcast *) from one version to another (which may be
 * EV_LATEST), in order, in CurrentMemoryContext; NIL if the versions are
 * equal.  A step by the renames of a schema, and one between compatible versions, has no
 * function.  Raises
 * undefined_object if a version is not registered or there is
 * no path, and invalid_parameter_value if no downcasts lead back to a version.
 */
extern List *ev_upcast_path(const text *type, int32 from, int32 *to);

/*
 * Returns the renames of a version, in CurrentMemoryContext; NULL if it has none, or if the
 * function does not exist.
 */
extern Jsonb *ev_schema_renames(Oid function);

/*
 * Raises
 * dependent_objects_still_exist if a version, which may be dropped already, is the one
 * from which they lead to the next, and there is an earlier one, to which they would then
 * be applied.
 */
extern void ev_renames_check_drop(const char *type, int type_length, int32 version);

/*
 * Holds the version before one that has renames, until the end of the transaction: waits for a DROP FUNCTION, which
 * does not see the renames yet, and lets later ones wait until they do.
 */
extern void ev_renames_hold_previous(const char *type, int type_length, int32 version);

/*
 * Raises object_not_in_prerequisite_state if TYPE@VERSION, which is not registered yet, would
 * come between the two versions of a rename.  CREATE FUNCTION does not ask: a dump
 * restores the versions in the order of their names.
 */
extern void ev_renames_check_new(const char *name);

/*
 * Returns the upcasts from a version on, as far as they lead towards another
 * one; neither need be registered.  Sets *reached to the version that they
 * lead to, and *converts if one of them has a function or renames.  only_converting: a
 * path on which none has one need not be found.
 */
extern List *ev_upcast_path_prefix(const text *type, int32 from, int32 to, bool only_converting, int32 *reached,
								   bool *converts);

/*
 * Returns the role that runs an upcast; the current user must have EXECUTE on
 * it.  This is its owner.  But if it only calls a function of another role
 * whose rights its owner has, it is that function's owner, who can replace the
 * function at any time.
 */
extern Oid	ev_upcast_role(const EvUpcast *upcast);

#endif							/* EV_UPCAST_H */
