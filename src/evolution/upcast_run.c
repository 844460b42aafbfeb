/*
 * upcast_run.c
 *	  Runs upcasts, which bring events from one version to another.
 *
 * An upcast is not called directly: its call is planned as an expression, in
 * which PostgreSQL inlines the upcast, and also the user's function if that is
 * one expression in SQL.
 *
 * The role that upcasts an event need not know the roles that wrote the
 * upcasts.  So planning, which runs functions too, and running are done as the
 * owner of the upcast (run_as_owner.h), unless the expression contains no code
 * of users.  Users' functions can change everything that is kept here, and
 * call back into this file, so the state of a call site is used by one call at
 * a time.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "base/arguments.h"
#include "base/compat.h"
#include "base/run_as_owner.h"
#include "evolution/upcast_run.h"
#include "match/interpret.h"
#include "registry/schema_cache.h"
#include "registry/validation_error.h"
#include "rows/pure_expression.h"
#include "schema/renames.h"

PG_FUNCTION_INFO_V1(ev_upcast_event);

typedef struct UpcastStep
{
	int32		from;
	int32		to;
	Oid			owner;			/* InvalidOid: any role may run it */
	ExprState  *expression;		/* NULL: no function is called */
	EvRenames  *renames;		/* NULL: the event stays as it is then */
	Oid			schema_function;
	EvSchema   *schema;
} UpcastStep;

struct EvUpcastRun
{
	text	   *type;
	Oid			user;			/* that may run it */
	ExprContext *context;
	ParamListInfo parameters;
	int			count;
	UpcastStep	steps[FLEXIBLE_ARRAY_MEMBER];
};

/* Plans the call of an upcast, as its owner. */
static void
plan_step(EvUpcastRun *run, UpcastStep *step, const EvUpcast *upcast)
{
	Param	   *parameter;
	Oid			owner;
	FuncExpr   *call;
	Expr	   *expression;
	EvRunAs		caller;

	owner = ev_upcast_role(upcast);
	parameter = makeNode(Param);
	parameter->paramkind = PARAM_EXTERN;
	parameter->paramid = 1;
	parameter->paramtype = JSONBOID;
	parameter->paramtypmod = -1;
	parameter->location = -1;
	call = makeFuncExpr(upcast->function, JSONBOID, list_make1(parameter),
						InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	ev_run_as_begin(&caller, owner, SECURITY_RESTRICTED_OPERATION);
	expression = expression_planner((Expr *) call);
	step->expression = ExecInitExprWithParams(expression, run->parameters);
	ev_run_as_end(&caller);
	step->owner = ev_is_pure((Node *) expression, list_make1_oid(ev_rename_function())) ? InvalidOid : owner;
}

static void
prepare_step(EvUpcastRun *run, UpcastStep *step, const EvUpcast *upcast)
{
	step->from = upcast->from;
	step->to = upcast->to;
	if (OidIsValid(upcast->function))
		plan_step(run, step, upcast);
	if (upcast->renames != NULL)
		step->renames = ev_renames_argument(upcast->renames);
	step->schema_function = ev_registered_version(upcast->name, upcast->type_length, upcast->to);
	/* dropped by another session */
	if (!OidIsValid(step->schema_function))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("upcast \"%s\" leads to a version that was dropped", upcast->name)));
	step->schema = ev_registry_by_function(step->schema_function);
}

EvUpcastRun *
ev_upcast_prepare(const text *type, List *path)
{
	EvUpcastRun *run = palloc0(offsetof(EvUpcastRun, steps) + list_length(path) * sizeof(UpcastStep));
	ListCell   *cell;

	run->type = DatumGetTextPCopy(PointerGetDatum(type));
	run->user = GetUserId();
	run->parameters = makeParamList(1);
	run->parameters->params[0].ptype = JSONBOID;
	run->parameters->params[0].pflags = 0;
	run->context = CreateStandaloneExprContext();
	run->context->ecxt_param_list_info = run->parameters;
	foreach(cell, path)
		prepare_step(run, &run->steps[run->count++], (EvUpcast *) lfirst(cell));
	return run;
}

bool
ev_upcast_is_runnable(const EvUpcastRun *run)
{
	return run->user == GetUserId();
}

typedef struct StepContext
{
	const text *type;
	const UpcastStep *step;
} StepContext;

static void
add_context(void *arg)
{
	StepContext *context = (StepContext *) arg;

	errcontext("upcast of event \"%s\" from version %d to version %d",
			   text_to_cstring(context->type), context->step->from, context->step->to);
}

int
ev_upcast_step_count(const EvUpcastRun *run)
{
	return run->count;
}

Jsonb *
ev_upcast_step(EvUpcastRun *run, int number, Jsonb *data, EvSchema **schema)
{
	UpcastStep *step = &run->steps[number];
	StepContext step_context = {.type = run->type, .step = step};
	ErrorContextCallback context = {error_context_stack, add_context, &step_context};
	Datum		value = JsonbPGetDatum(data);
	bool		is_null = false;
	EvRunAs		caller;

	error_context_stack = &context;
	run->parameters->params[0].value = JsonbPGetDatum(data);
	run->parameters->params[0].isnull = false;
	if (OidIsValid(step->owner))
		ev_run_as_begin(&caller, step->owner, SECURITY_RESTRICTED_OPERATION);
	if (step->expression != NULL)
		value = ExecEvalExpr(step->expression, run->context, &is_null);
	else if (step->renames != NULL)
		value = JsonbPGetDatum(ev_renames_apply(step->renames, data));
	if (OidIsValid(step->owner))
		ev_run_as_end(&caller);
	error_context_stack = context.previous;

	if (!step->schema->valid)
		step->schema = ev_registry_by_function(step->schema_function);
	step->schema->is_used = true;
	*schema = step->schema;
	return is_null ? NULL : DatumGetJsonbP(value);
}

/*
 * Runs a path on a document: each step, and the check of its result.  Returns
 * the document itself if there is no step.  Must not be called recursively for
 * one run, nor again after an error.
 */
static Jsonb *
run_path(EvUpcastRun *run, Jsonb *data)
{
	for (int i = 0; i < run->count; i++)
	{
		EvSchema   *schema;

		data = ev_upcast_step(run, i, data, &schema);
		if (data == NULL || !ev_match(schema->program, data))
			ev_refuse_upcast(data, run->type, run->steps[i].from, run->steps[i].to, schema);
	}
	return data;
}

/* ---------- changes ---------- */

static uint64 generation = 0;

static void
function_changed(Datum arg pg_attribute_unused(), int cache pg_attribute_unused(),
				 uint32 hash pg_attribute_unused())
{
	generation++;
}

uint64
ev_upcast_generation(void)
{
	return generation;
}

void
ev_upcast_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, function_changed, (Datum) 0);
}

/* ---------- SQL ---------- */

/* A path that a call site has run. */
typedef struct Met
{
	struct Met *next;
	uint64		generation;
	MemoryContext context;		/* for the run */
	EvUpcastRun *run;			/* NULL: being made */
	int32		from;
	int32		to;				/* as requested */
	int			type_length;
	char		type[FLEXIBLE_ARRAY_MEMBER];
} Met;

/* A call site that meets more paths forgets all of them. */
#define MANY_MET	64

typedef struct UpcastCall
{
	MemoryContext context;		/* for `met` */
	Met		   *last;
	Met		   *first;
	int			count;
	bool		busy;			/* in use, or left set by an error */
} UpcastCall;

static bool
is_met(const Met *met, const char *type, int length, int32 from, int32 to)
{
	return met->from == from && met->to == to && met->type_length == length &&
		met->run != NULL && memcmp(met->type, type, length) == 0;
}

static Met *
meet(UpcastCall *site, const text *type, int32 from, int32 to)
{
	const char *name = VARDATA_ANY(type);
	int			length = VARSIZE_ANY_EXHDR(type);
	Met		   *met = site->first;
	uint64		now = generation;
	MemoryContext caller;
	int32		target = to;
	List	   *path;

	while (met != NULL && !is_met(met, name, length, from, to))
		met = met->next;
	if (met != NULL && met->generation == generation && ev_upcast_is_runnable(met->run))
		return site->last = met;

	/* raises an error if the type is too long */
	path = ev_upcast_path(type, from, &target);
	if (met == NULL)
	{
		if (site->count == MANY_MET)
		{
			MemoryContextReset(site->context);
			site->first = site->last = NULL;
			site->count = 0;
		}
		met = MemoryContextAllocZero(site->context, offsetof(Met, type) + length);
		met->context = AllocSetContextCreate(site->context, "event_validate upcast", ALLOCSET_SMALL_SIZES);
		met->from = from;
		met->to = to;
		met->type_length = length;
		memcpy(met->type, name, length);
		met->next = site->first;
		site->first = met;
		site->count++;
	}
	met->run = NULL;
	MemoryContextReset(met->context);
	caller = MemoryContextSwitchTo(met->context);
	met->run = ev_upcast_prepare(type, path);
	met->generation = now;
	MemoryContextSwitchTo(caller);
	return site->last = met;
}

/* Upcasts an event without keeping state. */
static Jsonb *
run_once(const text *type, int32 from, int32 to, Jsonb *data)
{
	int32		target = to;
	List	   *path = ev_upcast_path(type, from, &target);

	return run_path(ev_upcast_prepare(type, path), data);
}

/*
 * upcast_event(data jsonb, event_type text, from_version int, to_version int
 * DEFAULT NULL) returns jsonb
 */
Datum
ev_upcast_event(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"data", "event_type", "from_version"};
	UpcastCall *site = fcinfo->flinfo->fn_extra;
	text	   *type;
	int32		from;
	int32		to;
	Met		   *met;
	Datum		result;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	ev_require_arguments(fcinfo, 1, lengthof(names), names);
	type = PG_GETARG_TEXT_PP(1);
	from = PG_GETARG_INT32(2);
	to = PG_ARGISNULL(3) ? EV_LATEST : PG_GETARG_INT32(3);
	if (!PG_ARGISNULL(3) && to < 0)
		ev_refuse_unregistered(type, to);

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(UpcastCall));
		site->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "event_validate upcasts",
											  ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = site;
	}
	if (site->busy)
		PG_RETURN_JSONB_P(run_once(type, from, to, PG_GETARG_JSONB_P(0)));
	site->busy = true;
	met = site->last;
	if (met == NULL || met->generation != generation ||
		!is_met(met, VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), from, to) ||
		!ev_upcast_is_runnable(met->run))
		met = meet(site, type, from, to);
	if (met->run->count == 0)
		result = PG_GETARG_DATUM(0);
	else
		result = JsonbPGetDatum(run_path(met->run, PG_GETARG_JSONB_P(0)));
	site->busy = false;
	PG_RETURN_DATUM(result);
}
