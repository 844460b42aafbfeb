/*
 * lint_schema.c
 *	  lint_event_schema: all errors, warnings and notes about a schema, as rows.
 *
 * Registration stops at the first error, and many tools do not show its warnings.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/arguments.h"
#include "compile/metaschema_check.h"
#include "registration/schema_warnings.h"
#include "registry/schema_cache.h"
#include "schema/document.h"

PG_FUNCTION_INFO_V1(ev_lint_event_schema);
PG_FUNCTION_INFO_V1(ev_lint_event_schema_jsonb);

/*
 * The maximum number of bytes of the scans of a text.  Each fault takes one
 * scan.
 */
#define LOCATE_BUDGET	(64 * 1024 * 1024)

/* The base URI: a relative reference is one to an event type. */
#define BASE_URI		"event:"

static void
put_row(ReturnSetInfo *result, EvRule rule, const char *location, const char *message)
{
	Datum		values[4];
	bool		nulls[4] = {0};

	values[0] = CStringGetTextDatum(ev_rule_severity(rule));
	if (location != NULL)
		values[1] = CStringGetTextDatum(location);
	else
		nulls[1] = true;
	values[2] = CStringGetTextDatum(ev_rule_name(rule));
	values[3] = CStringGetTextDatum(message);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* A row for a fault, with all its parts in the message. */
static void
put_fault(ReturnSetInfo *result, const EvFault *fault)
{
	StringInfoData message;

	initStringInfo(&message);
	appendStringInfoString(&message, fault->message);
	if (fault->line > 0)
		appendStringInfo(&message, " (line %d, column %d)", fault->line, fault->column);
	if (fault->detail != NULL)
		appendStringInfo(&message, ". %s", fault->detail);
	if (fault->hint != NULL)
		appendStringInfo(&message, "%s %s", fault->detail != NULL ? "" : ".", fault->hint);
	put_row(result, fault->rule, fault->location, message.data);
}

/* Rows for all faults, warnings and notes of a document. */
static void
put_findings(ReturnSetInfo *result, const EvDocument *document)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "event_validate row",
													  ALLOCSET_DEFAULT_SIZES);
	List	   *warnings;
	List	   *faults;
	Size		length = document->text != NULL ? strlen(document->text) : 0;
	ListCell   *cell;
	MemoryContext caller;

	faults = list_concat(ev_document_repeated_keys(document),
						 ev_document_faults(document, ev_registry_resolve, &warnings));
	caller = MemoryContextSwitchTo(row_context);
	foreach(cell, faults)
	{
		EvFault    *fault = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (length * list_length(faults) < LOCATE_BUDGET)
			ev_document_locate(document, fault);
		put_fault(result, fault);
		MemoryContextReset(row_context);
	}
	for (int rule = 0; rule < EV_RULE_COUNT; rule++)
		foreach(cell, warnings)
	{
		const EvWarning *warning = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (warning->rule != (EvRule) rule)
			continue;
		put_row(result, warning->rule,
				psprintf("%s%s", ev_location_pointer(warning->at, false), warning->tail), warning->message);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row_context);
}

/* Returns the rows for a text, or, if text is NULL, for a jsonb. */
static void
lint(FunctionCallInfo fcinfo, const char *text, Jsonb *definition)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context;
	MemoryContext caller;
	EvDocument	document = {.uri = BASE_URI, .schema = definition, .assert_format = true, .is_new = true};
	EvFault		fault = {0};

	InitMaterializedSRF(fcinfo, 0);
	context = AllocSetContextCreate(CurrentMemoryContext, "event_validate lint", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	if (text == NULL || ev_document_parse(text, &document, &fault))
		put_findings(result, &document);
	else
		put_fault(result, &fault);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

static const char *const lint_arguments[] = {"definition"};

/*
 * lint_event_schema(definition text) → SETOF
 * (severity text, location text, rule text, message text)
 */
Datum
ev_lint_event_schema(PG_FUNCTION_ARGS)
{
	ev_require_arguments(fcinfo, 0, 1, lint_arguments);
	lint(fcinfo, text_to_cstring(PG_GETARG_TEXT_PP(0)), NULL);
	return (Datum) 0;
}

/* lint_event_schema(definition jsonb), the same rows */
Datum
ev_lint_event_schema_jsonb(PG_FUNCTION_ARGS)
{
	ev_require_arguments(fcinfo, 0, 1, lint_arguments);
	lint(fcinfo, NULL, PG_GETARG_JSONB_P(0));
	return (Datum) 0;
}
