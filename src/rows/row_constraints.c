/*
 * row_constraints.c
 *	  Would the table have accepted a row if its event had been valid?
 *
 * A row that a guard diverts, and that another role inserts later, would
 * escape constraints that depend on the sender: CHECK (who = current_user).
 * So they are evaluated at once: NOT NULL, CHECK, and the bounds of the
 * partition.  (Those of domains were evaluated when the row was formed, before
 * any trigger.)  PostgreSQL's executor evaluates them, and raises its usual
 * errors.
 *
 * The event is known to be invalid, so constraints that check only the event
 * are skipped.  The terms of the top-level AND of a CHECK are evaluated
 * separately: those that contain a call of check_event, validate_event or a
 * registered schema are left out.
 *
 * Generated columns are computed only if an evaluated constraint needs them,
 * since they are often computed from the event.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "registry/function_row.h"
#include "rows/event_calls.h"
#include "rows/row_constraints.h"

struct EvRowConstraints
{
	EState	   *estate;
	ResultRelInfo *result;
	TupleTableSlot *slot;
	int			check_count;
	bool		needs_generated;	/* stored generated columns */
};

/* ---------- the terms to evaluate ---------- */

typedef struct EventCalls
{
	EvEventFunctions functions;
	Oid			language;		/* jsonschema */
} EventCalls;

static bool
validates_event(Oid function, void *context)
{
	const EventCalls *calls = (const EventCalls *) context;
	HeapTuple	tuple;
	bool		result;

	if (ev_is_event_function(function, &calls->functions))
		return true;
	if (!OidIsValid(calls->language))
		return false;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_proc) GETSTRUCT(tuple))->prolang == calls->language;
	ReleaseSysCache(tuple);
	return result;
}

static bool
event_call_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, validates_event, context))
		return true;
	return expression_tree_walker(node, event_call_walker, context);
}

/* Appends the terms of an expression that do not check an event. */
static List *
add_terms(List *terms, Node *expression, EventCalls *calls)
{
	ListCell   *cell;

	if (is_andclause(expression))
		foreach(cell, castNode(BoolExpr, expression)->args)
			terms = add_terms(terms, (Node *) lfirst(cell), calls);
	else if (!event_call_walker(expression, calls))
		terms = lappend(terms, expression);
	return terms;
}

static bool
needs_generated_walker(Node *node, void *context)
{
	TupleDesc	descriptor = (TupleDesc) context;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		AttrNumber	column = castNode(Var, node)->varattno;

		return column == 0 ||
			(column > 0 && TupleDescAttr(descriptor, column - 1)->attgenerated != '\0');
	}
	return expression_tree_walker(node, needs_generated_walker, context);
}

/* ---------- evaluation ---------- */

/* Compiles the CHECK constraints like the executor, but without some terms. */
static void
prepare_checks(EvRowConstraints *constraints, Relation relation)
{
	TupleDesc	descriptor = RelationGetDescr(relation);
	int			count = descriptor->constr->num_check;
	EventCalls	calls = {.language = ev_language_oid()};
	ExprState **compiled = MemoryContextAllocZero(constraints->estate->es_query_cxt,
												  sizeof(ExprState *) * count);

	ev_event_functions_find(&calls.functions);
	for (int i = 0; i < count; i++)
	{
		const ConstrCheck *check = &descriptor->constr->check[i];
		List	   *terms;

		if (!EV_CHECK_ENFORCED(check))
			continue;
		terms = add_terms(NIL, EV_EXPAND_GENERATED(stringToNode(check->ccbin), relation), &calls);
		if (terms == NIL)
			continue;
		constraints->needs_generated |= needs_generated_walker((Node *) terms, descriptor);
		compiled[i] = ExecPrepareExpr(make_ands_explicit(terms), constraints->estate);
	}
	constraints->result->ri_CheckConstraintExprs = compiled;
	constraints->check_count = count;
}

static EvRowConstraints *
prepare(MemoryContext context, Relation relation)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	EvRowConstraints *constraints = palloc0(sizeof(EvRowConstraints));
	TupleDesc	descriptor = CreateTupleDescCopyConstr(RelationGetDescr(relation));
	TupleConstr *constr = descriptor->constr;

	constraints->estate = CreateExecutorState();
	constraints->slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsHeapTuple);
	constraints->result = makeNode(ResultRelInfo);
	InitResultRelInfo(constraints->result, relation, 0, NULL, 0);
	if (constr != NULL)
	{
		for (int i = 0; i < descriptor->natts; i++)
			constraints->needs_generated |= TupleDescAttr(descriptor, i)->attgenerated != '\0' &&
				TupleDescAttr(descriptor, i)->attnotnull;
		prepare_checks(constraints, relation);
		constraints->needs_generated &= constr->has_generated_stored;
	}
	MemoryContextSwitchTo(caller);
	return constraints;
}

static int
check_count(Relation relation)
{
	TupleConstr *constr = RelationGetDescr(relation)->constr;

	return constr != NULL ? constr->num_check : 0;
}

static bool
has_generated(Relation relation)
{
	TupleConstr *constr = RelationGetDescr(relation)->constr;

	return constr != NULL && constr->has_generated_stored;
}

bool
ev_row_has_other_constraints(Relation relation)
{
	EventCalls	calls = {.language = ev_language_oid()};
	TupleConstr *constr = RelationGetDescr(relation)->constr;

	ev_event_functions_find(&calls.functions);
	for (int i = 0; i < check_count(relation); i++)
		if (EV_CHECK_ENFORCED(&constr->check[i]) &&
			add_terms(NIL, stringToNode(constr->check[i].ccbin), &calls) != NIL)
			return true;
	return false;
}

List *
ev_row_expressions(Relation relation)
{
	EventCalls	calls = {.language = ev_language_oid()};
	TupleConstr *constr = RelationGetDescr(relation)->constr;
	List	   *expressions = NIL;

	ev_event_functions_find(&calls.functions);
	for (int i = 0; i < check_count(relation); i++)
		if (EV_CHECK_ENFORCED(&constr->check[i]))
			expressions = add_terms(expressions, stringToNode(constr->check[i].ccbin), &calls);
	for (int i = 0; constr != NULL && i < constr->num_defval; i++)
		if (TupleDescAttr(RelationGetDescr(relation), constr->defval[i].adnum - 1)->attgenerated != '\0')
			expressions = lappend(expressions, stringToNode(constr->defval[i].adbin));
	return expressions;
}

void
ev_row_check_constraints(EvRowConstraints **kept, MemoryContext context, Relation relation,
						 HeapTuple row, EvRowUse use)
{
	EvRowConstraints *constraints;

	if (*kept == NULL)
		*kept = prepare(context, relation);
	constraints = *kept;
	ExecStoreHeapTuple(row, constraints->slot, false);
	constraints->slot->tts_tableOid = RelationGetRelid(relation);
	if (constraints->needs_generated || (use != EV_ROW_INSERTED && has_generated(relation)))
		ExecComputeStoredGenerated(constraints->result, constraints->estate, constraints->slot, CMD_INSERT);
	if (check_count(relation) != constraints->check_count)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("a constraint of table \"%s\" was dropped while the guard ran",
						RelationGetRelationName(relation)),
				 errhint("Look for a trigger or a function that drops objects on which the constraint depends.")));
	if (RelationGetDescr(relation)->constr != NULL)
		ExecConstraints(constraints->result, constraints->slot, constraints->estate);
	if (relation->rd_rel->relispartition && use != EV_ROW_MOVED)
		ExecPartitionCheck(constraints->result, constraints->slot, constraints->estate, true);
	ExecClearTuple(constraints->slot);
	ResetPerTupleExprContext(constraints->estate);
}
