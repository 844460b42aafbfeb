/*
 * event_calls.c
 *	  Calls of check_event and validate_event in expressions.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "registry/extension_objects.h"
#include "registry/function_row.h"
#include "rows/event_calls.h"

/* The domain of the types in calls for json documents, see install/validation.sql. */
#define TYPE_DOMAIN	"event_type"

void
ev_event_functions_find(EvEventFunctions *functions)
{
	Oid			internal = get_namespace_oid(EV_INTERNAL_NAMESPACE, true);
	Oid			types[] = {JSONBOID, TEXTOID, INT4OID, TEXTOID};

	functions->oids[0] = ev_extension_function("check_event", 4, types);
	functions->oids[1] = ev_extension_function("validate_event", 3, types);
	types[0] = JSONOID;
	types[1] = OidIsValid(internal) ?
		GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(TYPE_DOMAIN), ObjectIdGetDatum(internal)) :
		InvalidOid;
	functions->oids[2] = ev_extension_function("check_event", 4, types);
	functions->oids[3] = ev_extension_function("validate_event", 3, types);
}

/* Without the implicit coercion to the domain of the event's type. */
static Node *
without_domain(Node *argument)
{
	if (IsA(argument, CoerceToDomain) &&
		castNode(CoerceToDomain, argument)->coercionformat == COERCE_IMPLICIT_CAST)
		return (Node *) castNode(CoerceToDomain, argument)->arg;
	return argument;
}

/*
 * Returns the types in "(type = ANY (TYPES)) IS NOT TRUE", for this type.
 * Returns NULL if the condition is another one, or if it can treat different
 * types as equal, as a nondeterministic collation does.
 */
static Const *
types_of_others(Node *condition, Node *type)
{
	ScalarArrayOpExpr *test;
	Node	   *tested;
	Const	   *types;

	if (!IsA(condition, BooleanTest) || castNode(BooleanTest, condition)->booltesttype != IS_NOT_TRUE ||
		!IsA(castNode(BooleanTest, condition)->arg, ScalarArrayOpExpr))
		return NULL;
	test = castNode(ScalarArrayOpExpr, castNode(BooleanTest, condition)->arg);
	tested = linitial(test->args);
	if (IsA(tested, CollateExpr))
		tested = (Node *) castNode(CollateExpr, tested)->arg;
	if (!test->useOr || get_opcode(test->opno) != F_TEXTEQ || !equal(tested, type) || !IsA(lsecond(test->args), Const))
		return NULL;
	if (!OidIsValid(test->inputcollid) || !get_collation_isdeterministic(test->inputcollid))
		return NULL;
	types = lsecond_node(Const, test->args);
	if (types->consttype != TEXTARRAYOID || types->constisnull ||
		array_contains_nulls(DatumGetArrayTypeP(types->constvalue)))
		return NULL;
	return types;
}

FuncExpr *
ev_sole_call(Node *expression, const EvEventFunctions *functions, Const **types)
{
	List	   *terms;
	Node	   *call;

	*types = NULL;
	if (ev_is_event_call(expression, functions))
		return castNode(FuncExpr, expression);
	if (!is_orclause(expression))
		return NULL;
	terms = castNode(BoolExpr, expression)->args;
	call = llast(terms);
	if (list_length(terms) != 2 || !ev_is_event_call(call, functions))
		return NULL;
	*types = types_of_others(linitial(terms), ev_call_argument(castNode(FuncExpr, call), 1));
	return *types != NULL ? castNode(FuncExpr, call) : NULL;
}

static bool
call_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return ev_is_event_call(node, (const EvEventFunctions *) context) ||
		expression_tree_walker(node, call_walker, context);
}

bool
ev_has_event_call(Node *expression, const EvEventFunctions *functions)
{
	return call_walker(expression, (void *) functions);
}

bool
ev_is_schema_call(const Node *node, char **type, int32 *version)
{
	HeapTuple	function;
	char	   *name = NULL;
	int			type_length;

	if (!IsA(node, FuncExpr))
		return false;
	function = SearchSysCache1(PROCOID, ObjectIdGetDatum(((const FuncExpr *) node)->funcid));
	if (!HeapTupleIsValid(function))
		return false;
	if (((Form_pg_proc) GETSTRUCT(function))->pronamespace == ev_namespace_oid() &&
		((Form_pg_proc) GETSTRUCT(function))->prolang == ev_language_oid())
		name = ev_function_version(function, &type_length, version);
	ReleaseSysCache(function);
	if (name == NULL)
		return false;
	*type = pnstrdup(name, type_length);
	return true;
}

static bool
schema_call_walker(Node *node, void *context)
{
	char	   *type;
	int32		version;

	if (node == NULL)
		return false;
	return ev_is_schema_call(node, &type, &version) || expression_tree_walker(node, schema_call_walker, context);
}

bool
ev_has_schema_call(Node *expression)
{
	return schema_call_walker(expression, NULL);
}

Node *
ev_call_argument(const FuncExpr *call, int position)
{
	for (int i = 0; i < list_length(call->args); i++)
	{
		Node	   *argument = (Node *) list_nth(call->args, i);

		if (IsA(argument, NamedArgExpr))
		{
			NamedArgExpr *named = castNode(NamedArgExpr, argument);

			if (named->argnumber == position)
				return without_domain((Node *) named->arg);
		}
		else if (i == position)
			return without_domain(argument);
	}
	elog(ERROR, "call of function %u has no argument %d", call->funcid, position);
}

Node *
ev_without_event_cast(Node *argument)
{
	if (IsA(argument, CoerceViaIO) && castNode(CoerceViaIO, argument)->resulttype == JSONBOID)
		return (Node *) castNode(CoerceViaIO, argument)->arg;
	if (IsA(argument, FuncExpr) && castNode(FuncExpr, argument)->funcid == F_INT4_INT8)
		return (Node *) linitial(castNode(FuncExpr, argument)->args);
	return argument;
}
