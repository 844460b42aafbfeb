/*
 * stored_query.c
 *	  Queries with expressions that are stored in the catalogs.
 *
 * An expression of a constraint, a guard or a policy is stored parsed.  Its text,
 * parsed anew, need not mean the same: other roles may have added functions that
 * match its calls better, where its author called a polymorphic function.  And to
 * parse the literal of a row, an array or a range runs the constraints of domains.
 * So such an expression gets into a query as it is stored: the text of the query has
 * a parameter in its place, and the parser asks here what the parameter is.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"

#include "rows/stored_query.h"

char *
ev_stored_place(EvStoredQuery *query, Node *expression)
{
	query->expressions = lappend(query->expressions, expression);
	return psprintf("$%d", query->count + list_length(query->expressions));
}

/* ---------- the parser ---------- */

/* Puts a column in the place of a domain's value. */
static Node *
value_mutator(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, CoerceToDomainValue))
	{
		const CoerceToDomainValue *value = castNode(CoerceToDomainValue, node);
		Node	   *column = copyObject((Node *) context);

		/* the domain may be over another one, which has the same values */
		if (exprType(column) == value->typeId)
			return column;
		return (Node *) makeRelabelType((Expr *) column, value->typeId, value->typeMod, value->collation,
										COERCE_IMPLICIT_CAST);
	}
	return expression_tree_mutator(node, value_mutator, context);
}

static bool
has_value_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CoerceToDomainValue))
		return true;
	return expression_tree_walker(node, has_value_walker, context);
}

/* The expression as one over the relations of the query. */
static Node *
placed(ParseState *pstate, Node *expression, int location)
{
	int			levels;
	ParseNamespaceItem *item;
	ListCell   *cell;

	if (has_value_walker(expression, NULL))
		return value_mutator(expression, colNameToVar(pstate, "value", false, location));
	expression = copyObject(expression);
	pstate->p_hasSubLinks |= checkExprHasSubLink(expression);
	item = refnameNamespaceItem(pstate, NULL, "t", location, &levels);
	if (item == NULL)
		return expression;		/* over the values of a domain, without the
								 * value */
	ChangeVarNodes(expression, 1, item->p_rtindex, 0);
	IncrementVarSublevelsUp(expression, levels, 0);
	foreach(cell, pull_vars_of_level(expression, levels))
	{
		/* seen from here, also if it is in a subquery */
		Var		   *column = copyObject(lfirst_node(Var, cell));

		column->varlevelsup = levels;
		markVarForSelectPriv(pstate, column);
	}
	return expression;
}

/* A ParseParamRefHook. */
static Node *
parameter(ParseState *pstate, ParamRef *reference)
{
	const EvStoredQuery *query = (const EvStoredQuery *) pstate->p_ref_hook_state;
	int			number = reference->number;
	Param	   *value;

	if (number > query->count && number <= query->count + list_length(query->expressions))
		return placed(pstate, list_nth(query->expressions, number - query->count - 1), reference->location);
	if (number < 1 || number > query->count)
		return NULL;
	value = makeNode(Param);
	value->paramkind = PARAM_EXTERN;
	value->paramid = number;
	value->paramtype = query->types[number - 1];
	value->paramtypmod = -1;
	value->paramcollid = get_typcollation(value->paramtype);
	value->location = reference->location;
	return (Node *) value;
}

void
ev_stored_setup(ParseState *pstate, void *arg)
{
	pstate->p_paramref_hook = parameter;
	pstate->p_ref_hook_state = arg;
}

/* ---------- running ---------- */

SPIPlanPtr
ev_stored_prepare(const char *text, EvStoredQuery *query)
{
	SPIPlanPtr	plan = SPI_prepare_params(text, ev_stored_setup, query, query->cursor_options);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare_params returned %s", SPI_result_code_string(SPI_result));
	return plan;
}

void
ev_stored_select(SPIPlanPtr plan, const EvStoredQuery *query, const Datum *values, const char *nulls, long limit)
{
	ParamListInfo parameters = makeParamList(query->count);
	int			result;

	for (int i = 0; i < query->count; i++)
		parameters->params[i] = (ParamExternData)
	{
		.value = values[i],
			.isnull = nulls != NULL && nulls[i] == 'n',
			.pflags = PARAM_FLAG_CONST,
			.ptype = query->types[i]
	};
	result = SPI_execute_plan_with_paramlist(plan, parameters, true, limit);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan_with_paramlist returned %s", SPI_result_code_string(result));
}
