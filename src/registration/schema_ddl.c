/*
 * schema_ddl.c
 *	  event_schema_ddl: the commands that register the same schemas, policies
 *	  and upcasts again.
 *
 * Each schema comes after those to which it refers.  Schemas that refer to each other
 * have no such order, so one call of register_schemas registers all of a circle.
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
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "base/run_as_owner.h"
#include "evolution/compatibility.h"
#include "evolution/upcast.h"
#include "registration/circles.h"
#include "registration/registered_list.h"
#include "registry/extension_objects.h"
#include "registry/function_row.h"
#include "registry/names.h"
#include "registry/schema_cache.h"
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

static void
put_comment(ReturnSetInfo *result, Oid function)
{
	char	   *comment = GetComment(function, ProcedureRelationId, 0);

	if (comment != NULL)
		put_text(result, psprintf("COMMENT ON FUNCTION %s IS %s;",
								  format_procedure_qualified(function),
								  quote_literal_cstr(comment)));
}

/* Adds the DDL of one function and its comment, with qualified names. */
static void
put_function(ReturnSetInfo *result, Oid function)
{
	int			guc_level = NewGUCNestLevel();
	char	   *ddl;

	ev_pin_search_path();
	ddl = function_definition(function);
	AtEOXact_GUC(false, guc_level);
	if (ddl == NULL)
		return;
	ddl[strlen(ddl) - 1] = ';'; /* instead of the last line end */
	put_text(result, ddl);
	put_comment(result, function);
}

/* ---------- schemas ---------- */

/* A schema that is to be listed. */
typedef struct ListedNode
{
	Oid			function;		/* hash key, must be the first member */
	int			number;
} ListedNode;

/* The schemas to be listed, and their references to each other. */
typedef struct ReferenceGraph
{
	HTAB	   *nodes;			/* ListedNode by function */
	List	   *functions;		/* OIDs by number */
	List	   *edges;			/* by number, Lists of numbers */
} ReferenceGraph;

static int
add_node(ReferenceGraph *graph, Oid function)
{
	bool		found;
	ListedNode *node = hash_search(graph->nodes, &function, HASH_ENTER, &found);

	if (!found)
	{
		node->number = list_length(graph->functions);
		graph->functions = lappend_oid(graph->functions, function);
	}
	return node->number;
}

/* Returns the functions to whose documents a function's document refers. */
static List *
find_references(Oid function)
{
	HeapTuple	row = ev_function_row(function);
	List	   *result = NIL;
	EvDocument	document;
	EvFault		fault;
	ListCell   *cell;

	if (!HeapTupleIsValid(row) || !ev_function_document(row, &document, &fault))
		return NIL;
	foreach(cell, ev_document_references(&document))
	{
		EvDocument	target = {0};

		CHECK_FOR_INTERRUPTS();
		if (!ev_registry_try_resolve(lfirst(cell), &target) || !OidIsValid(target.function))
			continue;
		pfree(target.schema);
		if (target.function != function)
			result = lappend_oid(result, target.function);
	}
	return result;
}

/* Adds the references of all schemas in the graph, and the schemas to which they lead. */
static void
add_edges(ReferenceGraph *graph)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "event_validate references", ALLOCSET_DEFAULT_SIZES);

	for (int i = 0; i < list_length(graph->functions); i++)
	{
		List	   *edges = NIL;
		List	   *targets;
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scratch);
		MemoryContextSwitchTo(scratch);
		targets = find_references(list_nth_oid(graph->functions, i));
		MemoryContextSwitchTo(caller);
		foreach(cell, targets)
			edges = lappend_int(edges, add_node(graph, lfirst_oid(cell)));
		graph->edges = lappend(graph->edges, edges);
	}
	MemoryContextDelete(scratch);
}

/* Quotes a text with dollar signs, so that it stays readable. */
static void
append_dollar_quoted(StringInfo command, const char *string)
{
	char	   *tag = pstrdup("$schema");

	while (strstr(string, tag) != NULL)
		tag = psprintf("%s_", tag);
	appendStringInfo(command, "%s$%s%s$", tag, string, tag);
}

/* The key of a schema for register_schemas. */
static char *
bundle_key(HeapTuple function)
{
	int			type_length;
	int32		version;
	char	   *name = ev_function_version(function, &type_length, &version);

	if (name == NULL)
		return pstrdup(NameStr(((Form_pg_proc) GETSTRUCT(function))->proname));
	return strstr(name, "://") != NULL || strncmp(name, "event:", strlen("event:")) == 0 ? ev_event_uri(name) : name;
}

/*
 * Adds the call that registers schemas that refer to each other.  The arguments have
 * exactly the types of the function.
 */
static void
put_circle(ReturnSetInfo *result, List *functions)
{
	StringInfoData command;
	const char *separator = "";
	ListCell   *cell;

	initStringInfo(&command);
	appendStringInfo(&command, "SELECT name, action FROM %s((\nSELECT pg_catalog.jsonb_object_agg(v.name, v.body) FROM (VALUES\n",
					 quote_qualified_identifier(get_namespace_name(ev_extension_namespace()), "register_schemas"));
	foreach(cell, functions)
	{
		HeapTuple	row = ev_function_row(lfirst_oid(cell));

		if (!HeapTupleIsValid(row))
			continue;
		appendStringInfo(&command, "%s(%s::pg_catalog.text, ", separator, quote_literal_cstr(bundle_key(row)));
		append_dollar_quoted(&command, ev_function_body(row));
		appendStringInfoString(&command, "::pg_catalog.text)");
		separator = ",\n";
	}
	appendStringInfoString(&command, "\n) AS v (name, body)), true, false, false, NULL::pg_catalog.text[], NULL::pg_catalog.text[], NULL::pg_catalog.jsonb);");
	put_text(result, command.data);
	/* one that was registered before can be narrower */
	foreach(cell, functions)
		put_function(result, lfirst_oid(cell));
}

/*
 * Adds the DDL of the schemas in a graph: each after those to which it refers,
 * and one call for each circle.  It can be repeated where a schema was widened already,
 * and widens those that were not.
 */
static void
put_schemas(ReturnSetInfo *result, ReferenceGraph *graph)
{
	int			count = list_length(graph->functions);
	int		   *group = palloc(sizeof(int) * (count + 1));
	List	  **edges = palloc(sizeof(List *) * (count + 1));
	List	  **members;
	int			groups;

	for (int i = 0; i < count; i++)
		edges[i] = list_nth(graph->edges, i);
	groups = ev_find_circles(edges, count, group);
	members = palloc0(sizeof(List *) * (groups + 1));
	for (int i = 0; i < count; i++)
		members[group[i]] = lappend_oid(members[group[i]], list_nth_oid(graph->functions, i));
	if (groups > 0)
		put_text(result, "SET event_validate.keep_wider_schemas = on;");
	for (int i = 0; i < groups; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (list_length(members[i]) == 1)
			put_function(result, linitial_oid(members[i]));
		else
			put_circle(result, members[i]);
	}
	if (groups > 0)
		put_text(result, "RESET event_validate.keep_wider_schemas;");
}

/* Adds the DDL of the schemas of a type (NULL: of all), and of those to which they refer. */
static void
put_type(ReturnSetInfo *result, const char *type, int length)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(ListedNode), .hcxt = CurrentMemoryContext};
	ReferenceGraph graph = {0};
	ListCell   *cell;

	graph.nodes = hash_create("event_validate schemas", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	foreach(cell, ev_registered_functions())
	{
		EvRegistered *registered = lfirst(cell);

		if (type == NULL ||
			(registered->type_length == length && memcmp(registered->name, type, length) == 0))
			(void) add_node(&graph, registered->function);
	}
	ev_registry_keep_documents(true);
	PG_TRY();
	{
		add_edges(&graph);
	}
	PG_FINALLY();
	{
		ev_registry_keep_documents(false);
	}
	PG_END_TRY();
	put_schemas(result, &graph);
}

/* ---------- upcasts and policies ---------- */

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

/* Adds the command that creates a policy or replaces it. */
static void
put_policy(ReturnSetInfo *result, const char *function, const char *body)
{
	put_text(result, psprintf("CREATE OR REPLACE FUNCTION %s() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %s;",
							  ev_quoted_name(function), quote_literal_cstr(body)));
}

/*
 * Returns the name of the function for a policy that is needed only while the versions of
 * a type are created, since that of all types without one is in force, and is not listed;
 * NULL if none is needed.
 */
static char *
passing_policy(const char *type, int length)
{
	NameData	function;

	if (type == NULL || OidIsValid(ev_policy_function(type, length)) || !OidIsValid(ev_policy_function("", 0)) ||
		ev_registry_list(type, length, NULL) == NIL || !ev_policy_name(type, length, &function))
		return NULL;
	return pstrdup(NameStr(function));
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
	char	   *passing = passing_policy(name, length);

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	foreach(cell, ev_compatibility_list(name, length))
	{
		HeapTuple	policy = SearchSysCache1(PROCOID, ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(policy))
			continue;
		put_policy(result, NameStr(((Form_pg_proc) GETSTRUCT(policy))->proname), ev_compatibility_none(policy));
		ReleaseSysCache(policy);
	}
	if (passing != NULL)
		put_policy(result, passing, ev_has_short_type(passing) ?
				   psprintf(EV_POLICY_TYPE_LINE "%.*s\nSELECT 'none'", length, name) : "SELECT 'none'");
	put_type(result, name, length);
	if (passing != NULL)
		put_text(result, psprintf("DROP FUNCTION %s();", ev_quoted_name(passing)));
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
