/*
 * in_place.c
 *	  Schemas that a caller passes as an argument, compiled once a call site.
 *
 * A constant has one address as long as its expression exists, and so has the
 * call site.  So a constant schema is recognized by its address.  All other
 * schemas are compared byte by byte: a parameter or a variable can have another
 * value in each call, at an address that was used before.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "compile/metaschema_check.h"
#include "registry/in_place.h"

/* Is this the value of a constant in the call's expression? */
static bool
is_constant(const FmgrInfo *function, Datum schema)
{
	Node	   *expression = function->fn_expr;
	Node	   *argument;

	if (expression == NULL || !IsA(expression, FuncExpr) || castNode(FuncExpr, expression)->args == NIL)
		return false;
	argument = linitial(castNode(FuncExpr, expression)->args);
	return IsA(argument, Const) && !castNode(Const, argument)->constisnull &&
		castNode(Const, argument)->constvalue == schema;
}

EvProgram *
ev_in_place_compile(Datum schema, bool is_text, bool assert_format, EvFault *fault, List **references)
{
	EvDocument	document = {.uri = "",.assert_format = assert_format};

	if (is_text)
		document.schema = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(TextDatumGetCString(schema))));
	else
		document.schema = DatumGetJsonbP(schema);
	return ev_compile_checked(&document, ev_registry_resolve, fault, references, NULL);
}

static bool
is_kept(const EvInPlace *kept, const struct varlena *schema, bool assert_format)
{
	return kept->program != NULL && kept->assert_format == assert_format &&
		VARSIZE(kept->schema) == VARSIZE(schema) &&
		memcmp(kept->schema, schema, VARSIZE(schema)) == 0 &&
		(!kept->has_references || kept->generation == ev_registry_generation());
}

EvProgram *
ev_in_place_find(FmgrInfo *function, Datum schema, bool is_text, bool assert_format, EvFault *fault)
{
	EvInPlace  *kept = function->fn_extra;
	struct varlena *given = PG_DETOAST_DATUM(schema);
	List	   *references = NIL;
	MemoryContext caller;

	if (kept == NULL)
	{
		kept = MemoryContextAllocZero(function->fn_mcxt, sizeof(EvInPlace));
		kept->context = AllocSetContextCreate(function->fn_mcxt, "event_validate program",
											  ALLOCSET_SMALL_SIZES);
		function->fn_extra = kept;
	}
	if (!is_kept(kept, given, assert_format))
	{
		kept->program = NULL;
		kept->constant = NULL;
		MemoryContextReset(kept->context);
		caller = MemoryContextSwitchTo(kept->context);
		kept->schema = memcpy(palloc(VARSIZE(given)), given, VARSIZE(given));
		kept->assert_format = assert_format;
		kept->generation = ev_registry_generation();
		kept->program = ev_in_place_compile(PointerGetDatum(kept->schema), is_text, assert_format, fault, &references);
		kept->has_references = references != NIL;
		if (kept->program != NULL && !kept->has_references && is_constant(function, schema))
			kept->constant = DatumGetPointer(schema);
		MemoryContextSwitchTo(caller);
	}
	if ((Pointer) given != DatumGetPointer(schema))
		pfree(given);
	return kept->program;
}

EvProgram *
ev_in_place_require(FmgrInfo *function, Datum schema, bool is_text, bool assert_format)
{
	EvFault		fault = {0};
	EvProgram  *program = ev_in_place_find(function, schema, is_text, assert_format, &fault);

	if (program == NULL)
		ev_fault_report(&fault, NULL);
	return program;
}
