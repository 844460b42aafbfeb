/*
 * compatibility_preview.c
 *	  check_event_compatibility: what the policy says of a definition, before
 *	  it is registered.
 *
 * The definition is read, compiled and compared by the functions that
 * register_event_schema calls, without their locks and warnings.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/arguments.h"
#include "evolution/compatibility.h"
#include "registration/definition.h"
#include "registration/schema_function.h"
#include "registration/validator.h"
#include "registry/function_row.h"
#include "registry/names.h"
#include "registry/schema_cache.h"

PG_FUNCTION_INFO_V1(ev_check_event_compatibility);
PG_FUNCTION_INFO_V1(ev_check_event_compatibility_jsonb);

/* Returns the version after the latest of a type. */
static int32
next_version(const text *type)
{
	List	   *versions;

	ev_registry_list(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), &versions);
	if (versions == NIL)
		return 1;
	if (llast_int(versions) == PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event \"%s\" can have no version after %d", text_to_cstring(type), llast_int(versions)),
				 errhint("Give the argument schema_version.")));
	return llast_int(versions) + 1;
}

/* Returns the findings about a definition as TYPE@VERSION. */
static List *
findings_of(const char *name, const EvDefinition *definition)
{
	EvDocument	document;
	EvDocument	old;
	EvMentions	mentions;
	Oid			function;

	ev_definition_read(definition, name, ev_event_uri(name), &document);
	function = ev_registered_function(name);
	if (OidIsValid(function))
	{
		(void) ev_schema_read(function, &old);
		ev_validator_check_renames(&old, &document);
		if (!ev_document_same_answers(&old, &document))
			ev_validator_refuse_change(&old, &document);
		document.function = function;
	}
	mentions = ev_document_mentions(&document);
	(void) ev_validator_compile(&document, &mentions, false, false, NULL);
	return OidIsValid(function) ? NIL : ev_compatibility_findings(&document);
}

static void
put_finding(ReturnSetInfo *result, const EvFinding *finding)
{
	Datum		values[6];
	bool		nulls[6] = {0};

	values[0] = Int32GetDatum(finding->against);
	values[1] = CStringGetTextDatum(finding->change->location);
	values[2] = CStringGetTextDatum(ev_change_rule_name(finding->change->rule));
	values[3] = CStringGetTextDatum(ev_finding_verdict(finding));
	values[4] = CStringGetTextDatum(finding->change->message);
	values[5] = CStringGetTextDatum(finding->forward ? "forward" : "backward");
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static Datum
preview(FunctionCallInfo fcinfo, bool is_jsonb)
{
	static const char *const arguments[] = {"event_type", "definition", "assert_format", "breaking", "strict"};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	EvDefinition definition = {0};
	MemoryContext context;
	MemoryContext caller;
	text	   *type;
	List	   *findings;
	ListCell   *cell;

	ev_require_arguments(fcinfo, 0, lengthof(arguments), arguments);
	InitMaterializedSRF(fcinfo, 0);
	context = AllocSetContextCreate(CurrentMemoryContext, "event_validate preview", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	type = PG_GETARG_TEXT_PP(0);
	(void) ev_require_event_name(type, 0);
	ev_definition_arguments(fcinfo, 1, is_jsonb, &definition);
	ev_definition_renames(fcinfo, 8, &definition);
	findings = findings_of(ev_require_event_name(type, PG_ARGISNULL(7) ? next_version(type) : PG_GETARG_INT32(7)),
						   &definition);
	foreach(cell, findings)
	{
		CHECK_FOR_INTERRUPTS();
		put_finding(result, lfirst(cell));
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return (Datum) 0;
}

/*
 * check_event_compatibility(event_type text, definition text, assert_format boolean,
 * breaking boolean, strict boolean, except_formats text[], accept text[], schema_version int,
 * renames jsonb)
 * returns setof record
 */
Datum
ev_check_event_compatibility(PG_FUNCTION_ARGS)
{
	return preview(fcinfo, false);
}

/* The same for a definition that is a jsonb. */
Datum
ev_check_event_compatibility_jsonb(PG_FUNCTION_ARGS)
{
	return preview(fcinfo, true);
}
