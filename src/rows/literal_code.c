/*
 * literal_code.c
 *	  Does reading the text of an expression run code of another role?
 *
 * A stored expression holds constants as values.  As text they are literals, and
 * the parser reads a literal of a row, an array or a range by the input functions
 * of its parts: for a domain, this evaluates its CHECK constraints.  The owner of
 * a domain can add a constraint at any time, and the owner of a row's type a field
 * of a domain.  The fields of ROW(...)::type are cast to those of the type anew, too.
 * The owner of any type can give its name to a domain before the text is parsed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "rows/literal_code.h"

bool
ev_is_own_type(Oid type, Oid role)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = has_privs_of_role(((Form_pg_type) GETSTRUCT(tuple))->typowner, role);
	ReleaseSysCache(tuple);
	return result;
}

/*
 * Returns the type over which a domain is defined directly, which may be a
 * domain too.
 */
static Oid
direct_base(Oid domain)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(domain));
	Oid			result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", domain);
	result = ((Form_pg_type) GETSTRUCT(tuple))->typbasetype;
	ReleaseSysCache(tuple);
	return result;
}

static bool input_runs_code(Oid type, Oid role);

static bool
fields_run_code(Oid type, Oid role)
{
	TupleDesc	fields = lookup_rowtype_tupdesc_copy(type, -1);
	bool		result = false;

	for (int i = 0; i < fields->natts && !result; i++)
		result = !TupleDescAttr(fields, i)->attisdropped &&
			input_runs_code(TupleDescAttr(fields, i)->atttypid, role);
	FreeTupleDesc(fields);
	return result;
}

static bool
input_runs_code(Oid type, Oid role)
{
	Oid			element = get_element_type(type);

	check_stack_depth();
	if (OidIsValid(element))
		return input_runs_code(element, role);
	if (type < FirstNormalObjectId)
		return false;
	switch (get_typtype(type))
	{
		case TYPTYPE_BASE:
		case TYPTYPE_ENUM:
			return !ev_is_own_type(type, role);
		case TYPTYPE_DOMAIN:
			return !ev_is_own_type(type, role) || input_runs_code(direct_base(type), role);
		case TYPTYPE_RANGE:
			return !ev_is_own_type(type, role) || input_runs_code(get_range_subtype(type), role);
		case TYPTYPE_MULTIRANGE:
			return input_runs_code(get_multirange_range(type), role);
		case TYPTYPE_COMPOSITE:
			return !ev_is_own_type(type, role) || fields_run_code(type, role);
		default:
			return true;
	}
}

/* Returns the type that the text of a node names; InvalidOid if it names none. */
static Oid
named_type(Node *node)
{
	switch (nodeTag(node))
	{
		case T_Const:
		case T_RowExpr:
		case T_CoerceToDomain:
		case T_CoerceViaIO:
		case T_RelabelType:
		case T_ArrayCoerceExpr:
		case T_ConvertRowtypeExpr:
			return exprType(node);
		case T_FuncExpr:
			return castNode(FuncExpr, node)->funcformat == COERCE_EXPLICIT_CAST ? exprType(node) : InvalidOid;
		default:
			return InvalidOid;
	}
}

static bool
literal_walker(Node *node, void *context)
{
	Oid			type;

	if (node == NULL)
		return false;
	type = named_type(node);
	if (OidIsValid(type) && input_runs_code(type, *(const Oid *) context))
		return true;
	if (IsA(node, Query))
		return query_tree_walker(castNode(Query, node), literal_walker, context, 0);
	return expression_tree_walker(node, literal_walker, context);
}

bool
ev_literals_run_code(Node *expression, Oid role)
{
	return literal_walker(expression, &role);
}
