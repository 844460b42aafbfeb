/*
 * ownership.c
 *	  The owner of a type: the role that registers its versions, its upcasts
 *	  and its policy.
 *
 * CREATE on event_schema is the right to begin a type, but no right over types
 * of other roles: a new version determines the target of upgrades, an upcast
 * is code that they run, and a policy determines what the owner may register.
 * The rules apply to the current user, not to the owner of the new function,
 * and the database's owner may do everything.  So a dump can be restored in
 * any order, and before ALTER FUNCTION ...  OWNER TO.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"

bool
ev_ownership_is_privileged(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_DATABASE_OWNER);
}

bool
ev_ownership_has_function(HeapTuple function)
{
	return has_privs_of_role(GetUserId(), ((Form_pg_proc) GETSTRUCT(function))->proowner);
}

void
ev_ownership_require_function(HeapTuple function)
{
	if (!ev_ownership_has_function(function))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_FUNCTION,
					   ev_function_shown_name(function));
}

void
ev_ownership_require_create(void)
{
	Oid			namespace = ev_namespace_oid();

	if (!OidIsValid(namespace))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist", EV_SCHEMA_NAMESPACE)));
	if (EV_ACLCHECK_SCHEMA(namespace) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for schema %s", EV_SCHEMA_NAMESPACE),
				 errdetail("Role \"%s\" may not create functions there, and schemas are functions.",
						   GetUserNameFromId(GetUserId(), false)),
				 errhint("The owner of the database can allow it: GRANT CREATE ON SCHEMA %s TO %s.",
						 EV_SCHEMA_NAMESPACE, quote_identifier(GetUserNameFromId(GetUserId(), false)))));
}

void
ev_ownership_require_default_policy(void)
{
	if (!ev_ownership_is_privileged())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the default compatibility policy"),
				 errdetail("It applies to the event types of all roles."),
				 errhint("The owner of the database sets it. The owner of a type sets the policy of this type: set_event_compatibility('TYPE', 'POLICY').")));
}

bool
ev_ownership_counts(Oid role, Oid function)
{
	HeapTuple	row;
	bool		result;

	if (OidIsValid(ev_namespace_oid()) && EV_MAY_CREATE(ev_namespace_oid(), role))
		return true;
	row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(row))
		return false;
	result = has_privs_of_role(role, ((Form_pg_proc) GETSTRUCT(row))->proowner);
	ReleaseSysCache(row);
	return result;
}

/* The owner of a type. */
typedef struct Owner
{
	Oid			role;
	char	   *function;		/* from which the ownership follows */
} Owner;

static bool
owner_of_function(Oid function, Owner *owner)
{
	HeapTuple	row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));

	if (!HeapTupleIsValid(row))
		return false;
	owner->role = ((Form_pg_proc) GETSTRUCT(row))->proowner;
	owner->function = ev_function_shown_name(row);
	ReleaseSysCache(row);
	return true;
}

/* Finds the owner of a type; false if it has none. */
static bool
owner_of_type(const char *type, int length, Oid self, Owner *owner)
{
	List	   *versions = ev_registry_list(type, length, NULL);
	ListCell   *cell;
	Oid			policy;

	foreach(cell, versions)
		if (lfirst_oid(cell) != self && owner_of_function(lfirst_oid(cell), owner))
		return true;

	/*
	 * a policy of the database's owner applies to any role that begins the
	 * type
	 */
	policy = ev_policy_function(type, length);
	return OidIsValid(policy) && policy != self && owner_of_function(policy, owner) &&
		!has_privs_of_role(owner->role, ROLE_PG_DATABASE_OWNER);
}

bool
ev_ownership_has_type(const char *type, int length, Oid self)
{
	Owner		owner;

	return ev_ownership_is_privileged() ||
		(owner_of_type(type, length, self, &owner) && has_privs_of_role(GetUserId(), owner.role));
}

bool
ev_ownership_has_document(HeapTuple function)
{
	int			type_length;
	int32		version;
	char	   *name = ev_function_version(function, &type_length, &version);

	return ev_ownership_has_function(function) ||
		(name != NULL ?
		 ev_ownership_has_type(name, type_length, InvalidOid) : ev_ownership_is_privileged());
}

void
ev_ownership_require_type(const char *type, int length, Oid self)
{
	Owner		owner;
	char	   *role;

	if (ev_ownership_is_privileged() || !owner_of_type(type, length, self, &owner) ||
		has_privs_of_role(GetUserId(), owner.role))
		return;
	role = GetUserNameFromId(owner.role, true);
	if (role == NULL)
		role = psprintf("%u", owner.role);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for event type \"%s\"", pnstrdup(type, length)),
			 errdetail("It belongs to role \"%s\", which owns \"%s\".", role, owner.function),
			 errhint("Role \"%s\", its members and the owner of the database register versions, upcasts and the policy of this type.",
					 role)));
}

void
ev_ownership_lock_type(const char *type, int length, Oid self)
{
	ev_ownership_require_type(type, length, self);
	ev_type_lock(type, length);
	ev_ownership_require_type(type, length, self);
}
