/*
 * explain_hooks.c
 *	  Lines of ours in the output of EXPLAIN.
 *
 * PostgreSQL 18 added options of extensions, and a hook within the group of a plan.
 * Before, an extension can only replace all of EXPLAIN for a query: the lines follow
 * the plan, and in other formats than TEXT they are a group of their own.
 */
#include "postgres.h"

#include "base/explain_hooks.h"

#if EV_EXPLAIN_HAS_OPTIONS
#include "commands/defrem.h"
#include "executor/executor.h"
#else
#include "executor/instrument.h"
#include "tcop/tcopprot.h"
#endif

static const EvExplainHooks *ours = NULL;

#if EV_EXPLAIN_HAS_OPTIONS

static explain_validate_options_hook_type previous_options = NULL;
static explain_per_plan_hook_type previous_plan = NULL;
static int	extension = -1;

/* What the options of an EXPLAIN say. */
typedef struct Chosen
{
	bool		is_on;
	bool		is_checked;		/* by EXPLAIN, and not by auto_explain */
	void	   *begun;
} Chosen;

static Chosen *
chosen(ExplainState *es)
{
	Chosen	   *result = GetExplainExtensionState(es, extension);

	if (result == NULL)
	{
		result = palloc0(sizeof(Chosen));
		result->is_on = *ours->always;
		SetExplainExtensionState(es, extension, result);
	}
	return result;
}

static void
take_option(ExplainState *es, DefElem *option, ParseState *pstate pg_attribute_unused())
{
	chosen(es)->is_on = defGetBoolean(option);
}

static void
check_options(ExplainState *es, List *options, ParseState *pstate)
{
	Chosen	   *result = chosen(es);

	if (previous_options)
		previous_options(es, options, pstate);
	result->is_checked = true;
	if (result->is_on && !es->analyze && !*ours->always)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("EXPLAIN option %s requires ANALYZE", "EVENT_VALIDATE")));
	if (result->is_on && es->analyze)
		result->begun = ours->begin(es);
}

static void
put_plan(PlannedStmt *plan, IntoClause *into, ExplainState *es, const char *text,
		 ParamListInfo parameters, QueryEnvironment *environment)
{
	Chosen	   *result = chosen(es);

	if (previous_plan)
		previous_plan(plan, into, es, text, parameters, environment);
	if (result->is_on && es->analyze)
	{
		ours->put(es, result->begun);
		/* a rule can make several plans of one statement */
		if (result->begun != NULL)
			result->begun = ours->begin(es);
	}
}

#if PG_VERSION_NUM >= 190000
static ExecutorStart_hook_type previous_start = NULL;

static void
start_executor(QueryDesc *query, int flags)
{
	if (*ours->always)
		ours->begin_statement();
	if (previous_start)
		previous_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
}
#endif

void
ev_explain_hooks_init(const EvExplainHooks *hooks)
{
	ours = hooks;
	extension = GetExplainExtensionId("event_validate");
#if PG_VERSION_NUM >= 190000
	RegisterExtensionExplainOption(hooks->option, take_option, GUCCheckBooleanExplainOption);
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = start_executor;
#else
	RegisterExtensionExplainOption(hooks->option, take_option);
#endif
	previous_options = explain_validate_options_hook;
	explain_validate_options_hook = check_options;
	previous_plan = explain_per_plan_hook;
	explain_per_plan_hook = put_plan;
}

#else

static ExplainOneQuery_hook_type previous_query = NULL;

/* What PostgreSQL does without a hook. */
static void
explain_query(Query *query, int options, IntoClause *into, ExplainState *es, const char *text,
			  ParamListInfo parameters, QueryEnvironment *environment)
{
#if PG_VERSION_NUM >= 170000
	standard_ExplainOneQuery(query, options, into, es, text, parameters, environment);
#else
	PlannedStmt *plan;
	instr_time	start;
	instr_time	duration;
	BufferUsage before = pgBufferUsage;
	BufferUsage used;

	INSTR_TIME_SET_CURRENT(start);
	plan = pg_plan_query(query, text, options, parameters);
	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);
	memset(&used, 0, sizeof(BufferUsage));
	BufferUsageAccumDiff(&used, &pgBufferUsage, &before);
	ExplainOnePlan(plan, into, es, text, parameters, environment, &duration, es->buffers ? &used : NULL);
#endif
}

static void
explain_with_ours(Query *query, int options, IntoClause *into, ExplainState *es, const char *text,
				  ParamListInfo parameters, QueryEnvironment *environment)
{
	bool		is_on = *ours->always && es->analyze;
	void	   *begun = is_on ? ours->begin(es) : NULL;

	if (previous_query)
		previous_query(query, options, into, es, text, parameters, environment);
	else
		explain_query(query, options, into, es, text, parameters, environment);
	if (!is_on)
		return;
	if (es->format != EXPLAIN_FORMAT_TEXT)
		ExplainOpenGroup("Query", NULL, true, es);
	ours->put(es, begun);
	if (es->format != EXPLAIN_FORMAT_TEXT)
		ExplainCloseGroup("Query", NULL, true, es);
}

void
ev_explain_hooks_init(const EvExplainHooks *hooks)
{
	ours = hooks;
	previous_query = ExplainOneQuery_hook;
	ExplainOneQuery_hook = explain_with_ours;
}

#endif
