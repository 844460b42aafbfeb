/*
 * schema_ddl.c
 *	  event_schema_ddl: the commands that register the same schemas, policies
 *	  and upcasts again.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_proc.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "evolution/compatibility.h"
#include "evolution/upcast.h"
#include "registration/registered_list.h"
#include "registry/function_row.h"
#include "registry/utility_command.h"

PG_FUNCTION_INFO_V1(ev_event_schema_ddl);

static void
put_text(ReturnSetInfo *result, const char *string)
{
	Datum		value = CStringGetTextDatum(string);
	bool		is_null = false;

	tuplestore_putvalues(result->setResult, result->setDesc, &value, &is_null);
}

/* Calls pg_get_functiondef; returns NULL if the function was dropped. */
static char *
function_definition(Oid function)
{
	LOCAL_FCINFO(call, 1);
	FmgrInfo	info;
	Datum		result;

	fmgr_info(F_PG_GET_FUNCTIONDEF, &info);
	InitFunctionCallInfoData(*call, &info, 1, InvalidOid, NULL, NULL);
	call->args[0].value = ObjectIdGetDatum(function);
	call->args[0].isnull = false;
	result = FunctionCallInvoke(call);
	return call->isnull ? NULL : TextDatumGetCString(result);
}

/* Adds the DDL of one function and its comment, with qualified names. */
static void
put_function(ReturnSetInfo *result, Oid function)
{
	char	   *comment = GetComment(function, ProcedureRelationId, 0);
	int			guc_level = NewGUCNestLevel();
	char	   *ddl;

	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	ddl = function_definition(function);
	AtEOXact_GUC(false, guc_level);
	if (ddl == NULL)
		return;
	ddl[strlen(ddl) - 1] = ';'; /* instead of the last line end */
	put_text(result, ddl);
	if (comment != NULL)
		put_text(result, psprintf("COMMENT ON FUNCTION %s IS %s;",
								  format_procedure_qualified(function),
								  quote_literal_cstr(comment)));
}

/* Adds the DDL of a schema, after that of the schemas that it depends on. */
static void
put_ddl(ReturnSetInfo *result, Oid function, List **done)
{
	ListCell   *cell;

	check_stack_depth();
	if (list_member_oid(*done, function))
		return;
	*done = lappend_oid(*done, function);
	foreach(cell, ev_function_dependencies(function))
		put_ddl(result, lfirst_oid(cell), done);
	put_function(result, function);
}

/*
 * Adds the DDL of an upcast, after that of the users' functions that it
 * depends on.  Functions of another extension, or of the server, are left out.
 */
static void
put_upcast(ReturnSetInfo *result, Oid function, Oid extension, List **done)
{
	ListCell   *cell;

	check_stack_depth();
	if (list_member_oid(*done, function))
		return;
	*done = lappend_oid(*done, function);
	foreach(cell, ev_upcast_dependencies(function))
	{
		Oid			member_of = getExtensionOfObject(ProcedureRelationId, lfirst_oid(cell));

		if (!OidIsValid(member_of) || member_of == extension)
			put_upcast(result, lfirst_oid(cell), extension, done);
	}
	put_function(result, function);
}

/*
 * Returns the DDL of one type, or of everything that is registered: schemas,
 * then upcasts.  A policy can have been another one when a version was
 * registered, so it is set after the versions, and to "none" before.
 */
Datum
ev_event_schema_ddl(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *done = NIL;
	ListCell   *cell;
	text	   *type = PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);
	const char *name = type != NULL ? VARDATA_ANY(type) : NULL;
	int			length = type != NULL ? VARSIZE_ANY_EXHDR(type) : 0;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	foreach(cell, ev_compatibility_list(name, length))
	{
		HeapTuple	policy = SearchSysCache1(PROCOID, ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(policy))
			continue;
		put_text(result, psprintf("CREATE OR REPLACE FUNCTION %s() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %s;",
								  ev_quoted_name(NameStr(((Form_pg_proc) GETSTRUCT(policy))->proname)),
								  quote_literal_cstr(ev_compatibility_none(policy))));
		ReleaseSysCache(policy);
	}
	foreach(cell, ev_registered_functions())
	{
		EvRegistered *registered = (EvRegistered *) lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (type != NULL &&
			(registered->type_length != length || memcmp(registered->name, name, length) != 0))
			continue;
		put_ddl(result, registered->function, &done);
	}
	foreach(cell, ev_compatibility_list(name, length))
	{
		HeapTuple	policy = SearchSysCache1(PROCOID, ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(policy))
			continue;
		if (strcmp(ev_function_body(policy), ev_compatibility_none(policy)) != 0)
			put_function(result, lfirst_oid(cell));
		ReleaseSysCache(policy);
	}
	foreach(cell, ev_upcast_list(name, length))
	{
		Oid			function = ((EvUpcast *) lfirst(cell))->function;

		put_upcast(result, function, getExtensionOfObject(ProcedureRelationId, function), &done);
	}
	return (Datum) 0;
}
