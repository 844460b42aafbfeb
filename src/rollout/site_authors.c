/*
 * site_authors.c
 *	  Whose code the expressions of a table run.
 *
 * Others than the owner of a table can write expressions of it: who may add triggers to it,
 * who owns the domain of a column or of a cast, and who owns the table that it is a
 * partition or child of.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "registry/dependents.h"
#include "rollout/site_authors.h"
#include "rows/literal_code.h"
#include "rows/pure_expression.h"
#include "rows/table_rights.h"

/* Returns the type that a domain is directly over. */
static Oid
base_of_domain(Oid domain)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(domain));
	Oid			result = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		result = ((Form_pg_type) GETSTRUCT(tuple))->typbasetype;
		ReleaseSysCache(tuple);
	}
	return result;
}

/* Only the owner of a table adds constraints and policies to it; views: rule_sites.c. */
static bool
is_by_owner(const EvSite *site)
{
	Oid			owner = ev_table_owner(site->relation);

	if (OidIsValid(site->trigger))
		return ev_only_owner_has(site->relation, owner, ACL_TRIGGER);
	if (OidIsValid(site->declared))
		return has_privs_of_role(ev_table_owner(site->declared), owner);
	return !OidIsValid(site->domain) || ev_is_own_type(site->domain, owner);
}

void
ev_site_require_author(const EvSite *site)
{
	if (is_by_owner(site))
		return;
	if (OidIsValid(site->trigger))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the guard calls functions, and others than the table's owner may have written it (TRIGGER)")));
	if (OidIsValid(site->declared))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s, of which it is a partition or child, belongs to another role, and a condition of it calls functions",
						ev_table_name(site->declared))));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("domain %s belongs to another role than the table, and calls functions", format_type_be(site->domain))));
}

/* The casts in expressions of a table. */
typedef struct Casts
{
	Oid			owner;			/* whose domains may call functions;
								 * InvalidOid: nobody's */
	List	   *own;			/* functions that may be called */
	Oid			domain;			/* whose CHECKs are looked at */
} Casts;

/* Sets casts->domain to InvalidOid if a CHECK of it calls other functions. */
static void
look_at_domain_check(Form_pg_depend dependent, void *context)
{
	Casts	   *casts = (Casts *) context;
	HeapTuple	tuple;

	if (dependent->classid != ConstraintRelationId || !OidIsValid(casts->domain))
		return;
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(dependent->objid));
	if (!HeapTupleIsValid(tuple))
		return;
	if (((Form_pg_constraint) GETSTRUCT(tuple))->contypid == casts->domain &&
		!ev_is_pure(ev_check_expression(dependent->objid), casts->own))
		casts->domain = InvalidOid;
	ReleaseSysCache(tuple);
}

/* Does a type, if it is a domain, run functions in a domain of another role? */
static bool
runs_others_domain(Casts *casts, Oid type)
{
	for (; get_typtype(type) == TYPTYPE_DOMAIN; type = base_of_domain(type))
	{
		casts->domain = type;
		if (!OidIsValid(casts->owner) || !ev_is_own_type(type, casts->owner))
			ev_for_each_dependent(TypeRelationId, type, look_at_domain_check, casts);
		if (!OidIsValid(casts->domain))
			return true;
	}
	return false;
}

/* Is there a cast that runs functions in a domain of another role? */
static bool
has_others_cast_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CoerceToDomain) && runs_others_domain((Casts *) context, castNode(CoerceToDomain, node)->resulttype))
		return true;
	return expression_tree_walker(node, has_others_cast_walker, context);
}

static List *
event_functions_of(const EvEventFunctions *functions)
{
	List	   *own = NIL;

	for (int i = 0; i < (int) lengthof(functions->oids); i++)
		own = lappend_oid(own, functions->oids[i]);
	return own;
}

void
ev_site_require_trusted(const EvSite *site, const EvSearch *search, List *expressions)
{
	Casts		casts = {.owner = ev_table_owner(site->relation)};
	List	   *own = event_functions_of(&search->functions);

	if (ev_is_pure((Node *) expressions, own))
		return;
	ev_site_require_author(site);
	casts.own = own;
	if (has_others_cast_walker((Node *) expressions, &casts))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("an expression casts to a domain of another role than the table's owner, and the domain calls functions")));
}

bool
ev_may_run_as_owner(List *expressions, const Oid *types, int count, Oid owner)
{
	EvEventFunctions functions;
	Casts		casts = {.owner = has_privs_of_role(GetUserId(), owner) ? owner : InvalidOid};

	ev_event_functions_find(&functions);
	casts.own = event_functions_of(&functions);
	if (!ev_is_pure((Node *) expressions, casts.own) &&
		(!OidIsValid(casts.owner) || has_others_cast_walker((Node *) expressions, &casts)))
		return false;
	for (int i = 0; i < count; i++)
		if (runs_others_domain(&casts, types[i]))
			return false;
	return true;
}
