/*
 * changes_rows.c
 *	  event_schema_changes(): the changes between two schemas as rows.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "changes/changes.h"
#include "registry/function_row.h"
#include "registry/schema_cache.h"
#include "registry/validation_error.h"

PG_FUNCTION_INFO_V1(ev_event_schema_changes);
PG_FUNCTION_INFO_V1(ev_event_schema_changes_registered);

/* `renames`: NULL, or a mapping. */
static void
put_changes(FunctionCallInfo fcinfo, const EvDocument *old, const EvDocument *new, bool lenient, const Jsonb *renames)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *changes;
	ListCell   *cell;
	EvVerdict	forward;

	if (renames != NULL)
		ev_compare_renamed(old, new, list_make1((Jsonb *) renames), true, lenient, NULL, &forward, &changes);
	else
		ev_compare_schemas(old, new, ev_registry_resolve, lenient, NULL, &forward, &changes);
	foreach(cell, changes)
	{
		EvChange   *change = lfirst(cell);
		Datum		values[5];
		bool		nulls[5] = {0};

		values[0] = CStringGetTextDatum(change->location);
		values[1] = CStringGetTextDatum(ev_change_rule_name(change->rule));
		values[2] = CStringGetTextDatum(ev_verdict_name(change->backward));
		values[3] = CStringGetTextDatum(ev_verdict_name(change->forward));
		values[4] = CStringGetTextDatum(change->message);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * Makes the result, and returns whether there is something to compare: one of the first
 * arguments that is NULL leads to no rows.
 */
static bool
begin(FunctionCallInfo fcinfo, int required)
{
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < required; i++)
		if (PG_ARGISNULL(i))
			return false;
	return true;
}

/*
 * event_schema_changes(old jsonb, new jsonb, lenient boolean, renames jsonb) returns SETOF
 * record
 */
Datum
ev_event_schema_changes(PG_FUNCTION_ARGS)
{
	EvDocument	old = {.uri = "",.assert_format = true};
	EvDocument	new = {.uri = "",.assert_format = true};

	if (!begin(fcinfo, 3))
		return (Datum) 0;
	old.schema = PG_GETARG_JSONB_P(0);
	new.schema = PG_GETARG_JSONB_P(1);
	put_changes(fcinfo, &old, &new, PG_GETARG_BOOL(2), PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3));
	return (Datum) 0;
}

/*
 * event_schema_changes(event_type text, from_version int, definition text,
 * lenient boolean, renames jsonb) returns SETOF record
 *
 * The definition can have the renames, too.
 */
Datum
ev_event_schema_changes_registered(PG_FUNCTION_ARGS)
{
	text	   *type;
	char	   *name;
	HeapTuple	row;
	EvDocument	old;
	EvDocument	new = {.uri = "",.assert_format = true};
	EvFault		fault = {0};

	if (!begin(fcinfo, 4))
		return (Datum) 0;
	type = PG_GETARG_TEXT_PP(0);
	row = ev_registered_row(type, PG_GETARG_INT32(1), &name);
	if (!ev_function_document(row, &old, &fault))
		ev_fault_report(&fault, name);
	ReleaseSysCache(row);
	if (!ev_document_parse(text_to_cstring(PG_GETARG_TEXT_PP(2)), &new, &fault))
		ev_fault_report(&fault, NULL);
	put_changes(fcinfo, &old, &new, PG_GETARG_BOOL(3), PG_ARGISNULL(4) ? new.renames : PG_GETARG_JSONB_P(4));
	return (Datum) 0;
}
