/*
 * explain_hooks.c
 *	  Lines of ours in the output of EXPLAIN.
 *
 * PostgreSQL 18 added options of extensions, and a hook within the group of a plan.
 * Before, our part is added to the output of EXPLAIN: the lines follow the plan, and
 * in other formats than TEXT they are a group of their own.
 */
#include "postgres.h"

#include "base/explain_hooks.h"

#if EV_EXPLAIN_HAS_OPTIONS
#include "commands/defrem.h"
#include "executor/executor.h"
#else
#include "commands/defrem.h"
#include "executor/tuptable.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
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

static ProcessUtility_hook_type previous_utility = NULL;

/* Passes the output of an EXPLAIN on, and adds what is ours. */
typedef struct Receiver
{
	DestReceiver pub;			/* must be the first member */
	DestReceiver *inner;
	ExplainState *es;			/* of our lines */
	void	   *begun;
	TupleTableSlot *slot;
} Receiver;

/*
 * Returns what follows the plans, in the format of EXPLAIN; is_first: there are none, since
 * a rule made nothing of the statement.
 */
static char *
our_part(Receiver *receiver, bool is_first)
{
	ExplainState *es = receiver->es;

	if (es->format == EXPLAIN_FORMAT_TEXT)
	{
		ours->put(es, receiver->begun);
		es->str->data[--es->str->len] = '\0';	/* the last new line */
		return es->str->data;
	}
	/* 1: as after another group */
	es->grouping_stack = list_make1_int(is_first ? 0 : 1);
	es->indent = es->format == EXPLAIN_FORMAT_YAML ? 0 : 1;
	ExplainOpenGroup("Query", NULL, true, es);
	ours->put(es, receiver->begun);
	ExplainCloseGroup("Query", NULL, true, es);
	return es->str->data;
}

static bool
pass_text(Receiver *receiver, const char *shown)
{
	TupleTableSlot *slot = receiver->slot;

	ExecClearTuple(slot);
	slot->tts_values[0] = CStringGetTextDatum(shown);
	slot->tts_isnull[0] = false;
	ExecStoreVirtualTuple(slot);
	return receiver->inner->receiveSlot(slot, receiver->inner);
}

/* In other formats than TEXT, all of the output is one row. */
static bool
receive_slot(TupleTableSlot *slot, DestReceiver *self)
{
	Receiver   *receiver = (Receiver *) self;
	const char *end = receiver->es->format == EXPLAIN_FORMAT_JSON ? "\n]" :
		receiver->es->format == EXPLAIN_FORMAT_XML ? "</explain>" : "";
	char	   *shown;
	bool		is_null;
	bool		is_first;
	int			length;

	if (receiver->es->format == EXPLAIN_FORMAT_TEXT)
		return receiver->inner->receiveSlot(slot, receiver->inner);
	shown = TextDatumGetCString(slot_getattr(slot, 1, &is_null));
	length = strlen(shown) - strlen(end);
	if (length < 0 || strcmp(shown + length, end) != 0)
		return receiver->inner->receiveSlot(slot, receiver->inner);
	shown[length] = '\0';
	is_first = length == 0 || strcmp(shown, "[") == 0;
	return pass_text(receiver, psprintf("%s%s%s", shown, our_part(receiver, is_first), end));
}

static void
start_up(DestReceiver *self, int operation, TupleDesc descriptor)
{
	Receiver   *receiver = (Receiver *) self;

	receiver->slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsVirtual);
	receiver->inner->rStartup(receiver->inner, operation, descriptor);
}

static void
shut_down(DestReceiver *self)
{
	Receiver   *receiver = (Receiver *) self;

	if (receiver->es->format == EXPLAIN_FORMAT_TEXT)
		(void) pass_text(receiver, our_part(receiver, false));
	ExecDropSingleTupleTableSlot(receiver->slot);
	receiver->inner->rShutdown(receiver->inner);
}

/* The caller destroys the inner one. */
static void
destroy(DestReceiver *self)
{
	pfree(self);
}

static ExplainFormat
format_of(const char *name)
{
	return strcmp(name, "json") == 0 ? EXPLAIN_FORMAT_JSON : strcmp(name, "xml") == 0 ? EXPLAIN_FORMAT_XML :
		strcmp(name, "yaml") == 0 ? EXPLAIN_FORMAT_YAML : EXPLAIN_FORMAT_TEXT;
}

/* Reads the options that matter here; EXPLAIN checks all of them. */
static ExplainState *
read_options(const ExplainStmt *statement)
{
	ExplainState *es = NewExplainState();
	ListCell   *cell;

	es->timing = true;
	foreach(cell, statement->options)
	{
		DefElem    *option = (DefElem *) lfirst(cell);

		if (strcmp(option->defname, "analyze") == 0)
			es->analyze = defGetBoolean(option);
		else if (strcmp(option->defname, "timing") == 0)
			es->timing = defGetBoolean(option);
		else if (strcmp(option->defname, "format") == 0)
			es->format = format_of(defGetString(option));
	}
	return es;
}

/*
 * All of EXPLAIN, since what it calls for a query (ExplainOneQuery_hook) it does not
 * call for EXECUTE.
 */
static void
run_utility(PlannedStmt *plan, const char *text, bool is_read_only, ProcessUtilityContext context,
			ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *destination,
			QueryCompletion *completion)
{
	ProcessUtility_hook_type next = previous_utility != NULL ? previous_utility : standard_ProcessUtility;
	Receiver   *receiver;
	ExplainState *es;

	if (!*ours->always || !IsA(plan->utilityStmt, ExplainStmt) ||
		!(es = read_options((ExplainStmt *) plan->utilityStmt))->analyze)
	{
		next(plan, text, is_read_only, context, parameters, environment, destination, completion);
		return;
	}
	receiver = palloc0(sizeof(Receiver));
	receiver->pub = (DestReceiver)
	{
		.receiveSlot = receive_slot, .rStartup = start_up, .rShutdown = shut_down, .rDestroy = destroy,
			.mydest = destination->mydest
	};
	receiver->inner = destination;
	receiver->es = es;
	receiver->begun = ours->begin(es);
	next(plan, text, is_read_only, context, parameters, environment, &receiver->pub, completion);
}

void
ev_explain_hooks_init(const EvExplainHooks *hooks)
{
	ours = hooks;
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = run_utility;
}

#endif
