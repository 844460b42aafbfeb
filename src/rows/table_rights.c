/*
 * table_rights.c
 *	  The rights of a role on a table, checked before the table is locked.
 *
 * PostgreSQL's parser locks a relation before it checks whether the user has
 * any privilege on it, and keeps the lock until the transaction ends.
 * Functions of the extension that take a relation check privileges first, like
 * LOCK TABLE.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_inherits.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "base/hide_context.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_require_event_relation);

/* Returns false if the relation no longer exists. */
static bool
find_owner(Oid relation, Oid *owner)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));

	if (!HeapTupleIsValid(tuple))
		return false;
	*owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return true;
}

Oid
ev_table_owner(Oid relation)
{
	Oid			owner;

	return find_owner(relation, &owner) ? owner : InvalidOid;
}

/* for pg_class_aclcheck, one of several privileges is enough */
static bool
has_any_privilege(Oid relation, Oid role)
{
	return pg_class_aclcheck(relation, role, ACL_ALL_RIGHTS_RELATION) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relation, role, ACL_ALL_RIGHTS_COLUMN, ACLMASK_ANY) == ACLCHECK_OK;
}

void
ev_require_any_privilege(Oid relation)
{
	Oid			owner;

	if (!find_owner(relation, &owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));
	if (!has_any_privilege(relation, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s", get_rel_name(relation))));
}

Relation
ev_open_with_any_privilege(Oid relation)
{
	Relation	result;

	ev_require_any_privilege(relation);
	result = try_relation_open(relation, AccessShareLock);
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));
	return result;
}

static bool
may_select_any_column(Oid relation, Oid role)
{
	return pg_class_aclcheck(relation, role, ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relation, role, ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK;
}

/*
 * require_event_relation(relation regclass, privilege text) returns void
 *
 * ev_require_any_privilege for functions in SQL, which take tables and views.
 * The privilege is ANY, or SELECT (on at least one column).
 */
Datum
ev_require_event_relation(PG_FUNCTION_ARGS)
{
	Oid			relation = PG_GETARG_OID(0);
	const char *privilege = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char		kind = get_rel_relkind(relation);

	ev_hide_calling_statement();
	if (kind != '\0' && strchr("rpmvf", kind) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or view", get_rel_name(relation))));
	if (strcmp(privilege, "SELECT") == 0 && kind != '\0' && !may_select_any_column(relation, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s", get_rel_name(relation)),
				 errhint("Ask its owner for SELECT on it.")));
	ev_require_any_privilege(relation);
	PG_RETURN_VOID();
}

static bool
only_role_has(Oid relation, Oid role, AclMode privilege)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	bool		result;
	bool		is_default;
	Datum		datum;
	Acl		   *acl;

	if (!HeapTupleIsValid(tuple))
		return true;			/* the relation no longer exists, nor do
								 * objects that depend on it */
	result = has_privs_of_role(((Form_pg_class) GETSTRUCT(tuple))->relowner, role);
	datum = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relacl, &is_default);
	acl = is_default ? NULL : DatumGetAclPCopy(datum);
	for (int i = 0; acl != NULL && i < ACL_NUM(acl); i++)
	{
		const AclItem *item = &ACL_DAT(acl)[i];

		if ((ACLITEM_GET_PRIVS(*item) & privilege) != 0 &&
			(item->ai_grantee == ACL_ID_PUBLIC || !has_privs_of_role(item->ai_grantee, role)))
			result = false;
	}
	ReleaseSysCache(tuple);
	return result;
}

bool
ev_only_owner_has(Oid relation, Oid role, AclMode privilege)
{
	List	   *tables = get_rel_relispartition(relation) ? get_partition_ancestors(relation) : NIL;
	ListCell   *cell;

	foreach(cell, tables)
		if (!only_role_has(lfirst_oid(cell), role, privilege))
		return false;
	return only_role_has(relation, role, privilege);
}

Oid
ev_top_table(Oid relation)
{
	List	   *ancestors = get_rel_relispartition(relation) ? get_partition_ancestors(relation) : NIL;

	return ancestors == NIL ? relation : llast_oid(ancestors);
}

List *
ev_parents(Oid relation)
{
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	List	   *parents = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		parents = lappend_oid(parents, ((Form_pg_inherits) GETSTRUCT(row))->inhparent);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return parents;
}

static bool
may_read(Oid relation, Oid role)
{
	return pg_class_aclcheck(relation, role, ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relation, role, true) != RLS_ENABLED;
}

bool
ev_may_read_all(Oid relation, Oid role)
{
	return may_read(relation, role) || may_read(ev_top_table(relation), role);
}

Oid
ev_database_owner(void)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
	owner = ((Form_pg_database) GETSTRUCT(tuple))->datdba;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * Is a role a member of another, by grants of superusers and of the database's
 * owner?  A role with ADMIN OPTION on the other one can grant it to anybody.
 */
static bool
is_trusted_member(Oid member, Oid role)
{
	Oid			database_owner = ev_database_owner();
	List	   *roles = list_make1_oid(member);

	for (int i = 0; i < list_length(roles); i++)
	{
		CatCList   *grants = SearchSysCacheList1(AUTHMEMMEMROLE, ObjectIdGetDatum(list_nth_oid(roles, i)));

		for (int j = 0; j < grants->n_members; j++)
		{
			Form_pg_auth_members form = (Form_pg_auth_members) GETSTRUCT(&grants->members[j]->tuple);

			if (form->grantor == database_owner || superuser_arg(form->grantor))
				roles = list_append_unique_oid(roles, form->roleid);
		}
		ReleaseSysCacheList(grants);
		if (list_nth_oid(roles, i) == database_owner)
			roles = list_append_unique_oid(roles, ROLE_PG_DATABASE_OWNER);
	}
	return list_member_oid(roles, role);
}

bool
ev_is_own_role(Oid owner, Oid role)
{
	return is_trusted_member(role, owner) ||
		(superuser_arg(role) && (superuser_arg(owner) || owner == ev_database_owner()));
}

bool
ev_is_own_table(Oid relation, Oid role)
{
	Oid			owner;

	return find_owner(relation, &owner) && ev_is_own_role(owner, role);
}

char *
ev_table_name(Oid relation)
{
	char	   *name = get_rel_name(relation);
	char	   *namespace = name == NULL ? NULL : get_namespace_name(get_rel_namespace(relation));

	return namespace == NULL ? psprintf("%u", relation) : quote_qualified_identifier(namespace, name);
}
