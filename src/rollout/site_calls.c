/*
 * site_calls.c
 *	  The calls of check_event in the expression of a usage site.
 *
 * An expression calls it directly, through a function (wrappers.h), or by a cast to a
 * domain whose CHECK calls it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteManip.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/oid_set.h"
#include "rollout/site_calls.h"

static bool
is_wrapper(const Node *node, const EvSearch *search)
{
	return IsA(node, FuncExpr) && ev_oid_set_has(search->wrapper_set, ((const FuncExpr *) node)->funcid);
}

/* Is this a cast to a domain whose CHECK calls them? */
static bool
is_cast(const Node *node, const EvSearch *search)
{
	return IsA(node, CoerceToDomain) &&
		ev_oid_set_has(search->domains, ((const CoerceToDomain *) node)->resulttype);
}

static bool
has_cast_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return is_cast(node, (const EvSearch *) context) || expression_tree_walker(node, has_cast_walker, context);
}

/*
 * Returns the constant in a node, below coercions that do not change it; NULL
 * if there is none.
 */
static Const *
constant_of(Node *node)
{
	while (IsA(node, RelabelType))
		node = (Node *) castNode(RelabelType, node)->arg;
	return IsA(node, Const) ? castNode(Const, node) : NULL;
}

/* Can a call be for one of the versions, as far as its constants show? */
static bool
may_apply(const FuncExpr *call, const EvSearch *search)
{
	Const	   *type = constant_of(ev_call_argument(call, 1));
	Const	   *version = constant_of(ev_call_argument(call, 2));
	ListCell   *cell;

	if (search->versions == NIL)
		return true;
	foreach(cell, search->versions)
	{
		EvVersion  *wanted = (EvVersion *) lfirst(cell);

		if ((type == NULL ||
			 (!type->constisnull &&
			  strcmp(TextDatumGetCString(type->constvalue), wanted->type) == 0)) &&
			(version == NULL ||
			 (!version->constisnull &&
			  DatumGetInt32(version->constvalue) == wanted->version)))
			return true;
	}
	return false;
}

/*
 * Is a check that is restricted to some event types for the type of one of the
 * versions?
 */
static bool
has_a_type(const Const *types, const EvSearch *search)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	ListCell   *cell;

	if (search->versions == NIL)
		return true;
	deconstruct_array(DatumGetArrayTypeP(types->constvalue), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	foreach(cell, search->versions)
		for (int i = 0; i < count; i++)
		if (strcmp(TextDatumGetCString(elements[i]), ((EvVersion *) lfirst(cell))->type) == 0)
			return true;
	return false;
}

static bool
may_apply_walker(Node *node, void *context)
{
	const EvSearch *search = (const EvSearch *) context;

	if (node == NULL)
		return false;
	if (ev_is_event_call(node, &search->functions) && may_apply(castNode(FuncExpr, node), search))
		return true;
	if (is_wrapper(node, search))
		return true;
	return expression_tree_walker(node, may_apply_walker, context);
}

static bool
calls_wrapper_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return is_wrapper(node, (const EvSearch *) context) || expression_tree_walker(node, calls_wrapper_walker, context);
}

bool
ev_expression_has_cast(Node *expression, EvSearch *search)
{
	return has_cast_walker(expression, search);
}

bool
ev_expression_may_apply(Node *expression, EvSearch *search)
{
	Const	   *types;

	if (search->is_for_unread)
		return calls_wrapper_walker(expression, search);
	if (ev_sole_call(expression, &search->functions, &types) != NULL && types != NULL && !has_a_type(types, search))
		return false;
	return may_apply_walker(expression, search);
}

/*
 * Reads the arguments of a wrapper: its only text is the type, its only
 * integer the version.
 */
static void
read_wrapper(EvSiteCall *found)
{
	int			texts = 0;
	int			integers = 0;
	ListCell   *cell;

	foreach(cell, found->call->args)
	{
		Node	   *argument = lfirst(cell);
		Oid			type;

		if (IsA(argument, NamedArgExpr))
			argument = (Node *) castNode(NamedArgExpr, argument)->arg;
		type = getBaseType(exprType(argument));
		if (type == TEXTOID || type == VARCHAROID || type == BPCHAROID)
		{
			found->type = argument;
			texts++;
		}
		else if (type == INT2OID || type == INT4OID || type == INT8OID)
		{
			found->version = argument;
			integers++;
		}
	}
	if (texts != 1 || integers != 1)
		found->type = found->version = NULL;
}

/*
 * The value of a CASE, or of an array's element, does not exist outside of it.
 */
static bool
has_placeholder_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CaseTestExpr))
		return true;
	return expression_tree_walker(node, has_placeholder_walker, context);
}

/* Does an expression read a column, or a domain's value? */
static bool
reads_row_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) || IsA(node, CoerceToDomainValue))
		return true;
	return expression_tree_walker(node, reads_row_walker, context);
}

typedef struct Calls
{
	const EvSearch *search;
	List	   *calls;			/* of EvSiteCall * */
	Node	   *term;
} Calls;

static bool
find_calls_walker(Node *node, void *context)
{
	Calls	   *found = (Calls *) context;

	if (node == NULL)
		return false;
	if (ev_is_event_call(node, &found->search->functions) || is_wrapper(node, found->search))
	{
		EvSiteCall *call = palloc0(sizeof(EvSiteCall));

		call->call = castNode(FuncExpr, node);
		call->is_wrapper = !ev_is_event_call(node, &found->search->functions);
		call->is_term = node == found->term;
		if (call->is_wrapper)
			read_wrapper(call);
		else
		{
			call->type = ev_call_argument(call->call, 1);
			call->version = ev_call_argument(call->call, 2);
		}
		if (has_placeholder_walker(call->type, NULL) || has_placeholder_walker(call->version, NULL))
			call->type = call->version = NULL;
		call->is_by_row = reads_row_walker(call->type, NULL);
		found->calls = lappend(found->calls, call);
	}
	else if (is_cast(node, found->search))
		found->calls = lappend(found->calls, palloc0(sizeof(EvSiteCall)));
	return expression_tree_walker(node, find_calls_walker, context);
}

/*
 * Leaves out the calls of which nothing is known without evaluating a subquery.  The
 * whole expression is evaluated for calls whose type is not in the row.
 */
static List *
without_subqueries(List *calls, Node *expression)
{
	List	   *result = NIL;
	ListCell   *cell;

	if (!checkExprHasSubLink(expression))
		return calls;
	foreach(cell, calls)
	{
		EvSiteCall *call = lfirst(cell);

		if (call->is_by_row && !checkExprHasSubLink(call->type) && !checkExprHasSubLink(call->version))
			result = lappend(result, call);
	}
	return result;
}

List *
ev_site_calls(const EvSite *site, Node *expression, const EvSearch *search)
{
	bool		is_rule = OidIsValid(site->policy) || OidIsValid(site->view);
	List	   *terms = is_andclause(expression) ? castNode(BoolExpr, expression)->args : list_make1(expression);
	Calls		found = {search, NIL, NULL};
	ListCell   *cell;

	foreach(cell, terms)
	{
		/* policies are alternatives, and old rows need not have passed a view */
		found.term = is_rule ? NULL : lfirst(cell);
		find_calls_walker(lfirst(cell), &found);
	}
	return without_subqueries(found.calls, expression);
}

static Node *
refuse_calls_mutator(Node *node, void *context)
{
	const EvSearch *search = (const EvSearch *) context;

	if (node == NULL)
		return NULL;
	if (ev_is_event_call(node, &search->functions) || is_wrapper(node, search))
		return makeBoolConst(false, false);
	return expression_tree_mutator(node, refuse_calls_mutator, context);
}

Node *
ev_refuse_calls(Node *expression, const EvSearch *search)
{
	return refuse_calls_mutator(expression, (void *) search);
}
