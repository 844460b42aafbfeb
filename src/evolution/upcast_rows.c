/*
 * upcast_rows.c
 *	  Brings stored events to another version without raising errors for any
 *	  of them, for check_event_upgrade and migrate_events.
 *
 * Upcasts are users' functions and can do anything, so they run in a
 * subtransaction.  If there is no upcast to run, check_event_upgrade does not
 * use this file: it audits the rows as events of the other version.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/row_fault.h"
#include "base/subtransaction.h"
#include "evolution/upcast_run.h"
#include "evolution/upcast_rows.h"
#include "match/interpret.h"
#include "registry/validation_error.h"

PG_FUNCTION_INFO_V1(ev_event_has_upcast);

struct EvUpgrade
{
	MemoryContext context;		/* for this */
	text	   *type;
	int32		from;
	int32		to;
	bool		all_the_way;	/* raise an error if no path leads to the
								 * version */
	bool		keeps_data;		/* of valid events, too */
	uint64		generation;
	MemoryContext run_context;	/* for the run */
	EvUpcastRun *run;			/* NULL: must be made anew */
	bool		is_complete;	/* leads to the version */
	EvSchema   *schema;			/* of the version */
};

EvUpgrade *
ev_upgrade_make(MemoryContext parent, const text *type, int32 from, int32 to, bool all_the_way, bool keeps_data)
{
	MemoryContext context = AllocSetContextCreate(parent, "event_validate upgrade", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	EvUpgrade  *upgrade = palloc0(sizeof(EvUpgrade));

	upgrade->context = context;
	upgrade->type = DatumGetTextPCopy(PointerGetDatum(type));
	upgrade->from = from;
	upgrade->to = to;
	upgrade->all_the_way = all_the_way;
	upgrade->keeps_data = keeps_data;
	upgrade->run_context = AllocSetContextCreate(context, "event_validate upcast", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(caller);
	return upgrade;
}

/* Prepares the run again, after a change or an error. */
static void
prepare(EvUpgrade *upgrade)
{
	MemoryContext caller;
	int32		reached;
	bool		converts;
	List	   *path;

	if (upgrade->run != NULL && upgrade->generation == ev_upcast_generation() && upgrade->schema->valid &&
		ev_upcast_is_runnable(upgrade->run))
		return;
	upgrade->run = NULL;
	MemoryContextReset(upgrade->run_context);
	caller = MemoryContextSwitchTo(upgrade->run_context);
	upgrade->generation = ev_upcast_generation();
	if (ev_registry_find(VARDATA_ANY(upgrade->type), VARSIZE_ANY_EXHDR(upgrade->type), upgrade->from) == NULL)
		ev_refuse_unregistered(upgrade->type, upgrade->from);
	upgrade->schema = ev_registry_find(VARDATA_ANY(upgrade->type), VARSIZE_ANY_EXHDR(upgrade->type), upgrade->to);
	if (upgrade->schema == NULL)
		ev_refuse_unregistered(upgrade->type, upgrade->to);
	if (upgrade->all_the_way)
	{
		path = ev_upcast_path(upgrade->type, upgrade->from, &upgrade->to);
		reached = upgrade->to;
	}
	else
		path = ev_upcast_path_prefix(upgrade->type, upgrade->from, upgrade->to, false, &reached, &converts);
	upgrade->is_complete = path != NIL && reached == upgrade->to;
	upgrade->run = ev_upcast_prepare(upgrade->type, path);
	MemoryContextSwitchTo(caller);
}

/* Runs the steps, and raises the errors of users' functions. */
static void
run_steps(EvUpgrade *upgrade, Datum document, bool is_text, EvUpgraded *result)
{
	result->data = is_text ?
		DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(TextDatumGetCString(document)))) :
		DatumGetJsonbP(document);
	for (int i = 0; i < ev_upcast_step_count(upgrade->run); i++)
	{
		EvSchema   *schema;

		result->data = ev_upcast_step(upgrade->run, i, result->data, &schema);
		if (result->data == NULL)
		{
			result->fault = "the upcast gives null";
			result->cause = "";
			return;
		}
		if (!ev_match(schema->program, result->data))
		{
			result->schema = schema;
			return;
		}
	}
	if (!upgrade->is_complete && !ev_match(ev_registry_program(upgrade->schema), result->data))
		result->schema = upgrade->schema;
}

/*
 * Copies the data of a result to the memory context of the results, unless it is the document
 * itself or nobody needs it.  The row's context is reset then.  Besides, an upcast can return a
 * constant of its expression, which ends when the run is made anew for a later document.
 */
static void
keep_data(const EvUpgrade *upgrade, EvUpgraded *result, Datum document, MemoryContext results)
{
	Jsonb	   *copy;

	if (result->data == NULL || PointerGetDatum(result->data) == document)
		return;
	if (ev_upgraded_is_valid(result) && !upgrade->keeps_data)
	{
		result->data = NULL;
		return;
	}
	copy = MemoryContextAllocHuge(results, VARSIZE(result->data));
	memcpy(copy, result->data, VARSIZE(result->data));
	result->data = copy;
}

typedef struct Documents
{
	EvUpgrade  *const *upgrades;
	const Datum *documents;
	bool		is_text;
	EvUpgraded *results;
	int			count;
	int			at;
	MemoryContext row;			/* for one document */
} Documents;

static void
run_documents(void *arg)
{
	Documents  *run = (Documents *) arg;
	MemoryContext caller = CurrentMemoryContext;

	for (; run->at < run->count; run->at++)
	{
		EvUpgrade  *upgrade = run->upgrades[run->at];
		EvUpgraded *result = &run->results[run->at];

		CHECK_FOR_INTERRUPTS();
		memset(result, 0, sizeof(EvUpgraded));
		MemoryContextReset(run->row);
		MemoryContextSwitchTo(run->row);
		prepare(upgrade);
		run_steps(upgrade, run->documents[run->at], run->is_text, result);
		MemoryContextSwitchTo(caller);
		keep_data(upgrade, result, run->documents[run->at], caller);
	}
}

/*
 * Runs the upcasts of some documents in one subtransaction, until one raises
 * an error.  Returns the number of documents that are done, including that
 * one.
 */
static int
run_some(EvUpgrade *const *upgrades, const Datum *documents, bool is_text, EvUpgraded *results, int count,
		 MemoryContext row)
{
	Documents	run = {upgrades, documents, is_text, results, count, 0, row};
	ErrorData  *error = ev_in_subtransaction(run_documents, &run, EV_KEEP);
	EvUpgraded *failed;

	if (error == NULL)
		return count;
	if (run.at >= count || !ev_is_row_fault(error->sqlerrcode, EV_WORK_UPCAST))
		ReThrowError(error);
	upgrades[run.at]->run = NULL;
	failed = &results[run.at];
	failed->data = NULL;
	failed->schema = NULL;
	failed->fault = ev_message_cut(error->message);
	failed->cause = ev_row_fault_name(error);
	FreeErrorData(error);
	return run.at + 1;
}

void
ev_upgrade_run(EvUpgrade *const *upgrades, const Datum *documents, bool is_text, EvUpgraded *results, int count)
{
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "event_validate row", ALLOCSET_DEFAULT_SIZES);

	for (int done = 0; done < count;)
		done += run_some(upgrades + done, documents + done, is_text, results + done, count - done, row);
	MemoryContextDelete(row);
}

/* ---------- SQL ---------- */

/*
 * event_has_upcast(event_type text, from_version int, to_version int) returns
 * boolean
 */
Datum
ev_event_has_upcast(PG_FUNCTION_ARGS)
{
	text	   *type = PG_GETARG_TEXT_PP(0);
	int32		reached;
	bool		converts;

	for (int i = 1; i <= 2; i++)
		if (ev_registry_find(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), PG_GETARG_INT32(i)) == NULL)
			ev_refuse_unregistered(type, PG_GETARG_INT32(i));
	(void) ev_upcast_path_prefix(type, PG_GETARG_INT32(1), PG_GETARG_INT32(2), true, &reached, &converts);
	PG_RETURN_BOOL(converts);
}
