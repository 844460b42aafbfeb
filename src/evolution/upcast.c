/*
 * upcast.c
 *	  Upcasts in the catalog: their functions, their registration, their paths.
 *
 * An upcast is a function in event_schema that calls the user's function.  Its
 * body is parsed when it is created (BEGIN ATOMIC), so the search_path does not
 * matter, the user's function cannot be dropped, and a dump restores both in
 * order.  For the same reasons it depends on its two schema versions.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parser.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "base/arguments.h"
#include "base/compat.h"
#include "evolution/compatibility.h"
#include "evolution/upcast.h"
#include "registry/extension_objects.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "registry/utility_command.h"
#include "registry/validation_error.h"
#include "schema/renames.h"

PG_FUNCTION_INFO_V1(ev_register_event_upcast);
PG_FUNCTION_INFO_V1(ev_register_event_downcast);
PG_FUNCTION_INFO_V1(ev_register_event_rename);
PG_FUNCTION_INFO_V1(ev_drop_event_upcast);

/* ---------- the functions in the catalog ---------- */

/*
 * Returns the single expression of a function's body, or NULL with a reason.
 */
static Node *
body_expression(HeapTuple function, const char **reason)
{
	bool		is_null;
	Datum		body = SysCacheGetAttr(PROCOID, function, Anum_pg_proc_prosqlbody, &is_null);
	Node	   *node;
	Query	   *query;

	*reason = "Its body is a string, whose meaning depends on the search_path.";
	if (is_null)
		return NULL;
	node = stringToNode(TextDatumGetCString(body));
	*reason = "Its body is not one SELECT of one expression.";
	if (IsA(node, List))
	{
		List	   *statements = linitial_node(List, (List *) node);

		if (list_length(statements) != 1)
			return NULL;
		node = linitial(statements);
	}
	query = castNode(Query, node);
	if (query->commandType != CMD_SELECT || query->utilityStmt != NULL ||
		query->rtable != NIL || query->cteList != NIL || query->setOperations != NULL ||
		query->jointree->quals != NULL || query->limitCount != NULL || query->limitOffset != NULL ||
		query->groupClause != NIL || query->havingQual != NULL ||
		query->hasAggs || query->hasWindowFuncs || query->hasTargetSRFs ||
		list_length(query->targetList) != 1)
		return NULL;
	*reason = NULL;
	return (Node *) linitial_node(TargetEntry, query->targetList)->expr;
}

/*
 * Returns the call of a function whose first argument is that of the upcast, if the
 * upcast does nothing else; otherwise NULL.
 */
static FuncExpr *
call_of(HeapTuple function)
{
	const char *reason;
	Node	   *expression = body_expression(function, &reason);
	FuncExpr   *call;
	Param	   *argument;

	if (expression == NULL || !IsA(expression, FuncExpr))
		return NULL;
	call = castNode(FuncExpr, expression);
	if (call->args == NIL || !IsA(linitial(call->args), Param))
		return NULL;
	argument = linitial_node(Param, call->args);
	return argument->paramkind == PARAM_EXTERN && argument->paramid == 1 ? call : NULL;
}

/*
 * Returns the function that an upcast calls with its argument, if that is all
 * it does.
 */
static Oid
called_function(HeapTuple function)
{
	FuncExpr   *call = call_of(function);

	return call != NULL && list_length(call->args) == 1 ? call->funcid : InvalidOid;
}

Oid
ev_rename_function(void)
{
	Oid			types[2] = {JSONBOID, JSONBOID};

	return ev_extension_function(EV_RENAME_FUNCTION, lengthof(types), types);
}

/* Returns the renames of an upcast that register_event_rename made, or NULL. */
static Jsonb *
renames_of(HeapTuple function)
{
	FuncExpr   *call = call_of(function);
	Const	   *mapping;

	if (call == NULL || list_length(call->args) != 2 || !IsA(lsecond(call->args), Const) ||
		call->funcid != ev_rename_function())
		return NULL;
	mapping = lsecond_node(Const, call->args);
	return mapping->constisnull ? NULL : DatumGetJsonbP(mapping->constvalue);
}

bool
ev_upcast_describe(Oid function, Oid *called, Jsonb **renames, Oid *owner)
{
	HeapTuple	row = ev_function_row(function);

	if (!HeapTupleIsValid(row))
		return false;
	*called = called_function(row);
	*renames = renames_of(row);
	*owner = ((Form_pg_proc) GETSTRUCT(row))->proowner;
	return true;
}

/* Does a function take one jsonb and return one? */
static bool
has_signature(Form_pg_proc form)
{
	return form->prokind == PROKIND_FUNCTION && !form->proretset && form->prorettype == JSONBOID &&
		form->pronargs == 1 && form->proargtypes.values[0] == JSONBOID;
}

static int
compare_upcasts(const ListCell *a, const ListCell *b)
{
	const EvUpcast *x = (const EvUpcast *) lfirst(a);
	const EvUpcast *y = (const EvUpcast *) lfirst(b);
	int			order = ev_type_order(x->name, x->type_length, y->name, y->type_length);

	if (order == 0 && x->from != y->from)
		order = x->from < y->from ? -1 : 1;
	if (order == 0)
		order = x->to < y->to ? -1 : x->to > y->to;
	return order;
}

/*
 * Reads the name of a function, and sets all members of the upcast but its
 * function.  Returns false if this is not the name of an upcast of the type; any
 * type is allowed if `type` is NULL.  If functions shorten the type in their
 * names, `shortened` is the beginning of these names; otherwise it is NULL.
 */
static bool
read_name(const char *name, const char *type, int type_length, const char *shortened, EvUpcast *upcast)
{
	EvNameParts parts;

	if (!ev_take_apart(name, &parts) || parts.kind != EV_NAME_UPCAST)
		return false;
	upcast->from = parts.version;
	upcast->to = parts.to;
	upcast->type_length = type != NULL ? type_length : parts.type_length;
	if (type == NULL)
		upcast->name = pstrdup(name);
	else if (parts.shortened ? shortened != NULL && strncmp(name, shortened, strlen(shortened)) == 0 :
			 parts.type_length == type_length && memcmp(name, type, type_length) == 0)
		upcast->name = psprintf("%.*s@%d>%d", type_length, type, parts.version, parts.to);
	else
		return false;
	return true;
}

/*
 * Adds the upcasts of a type (NULL: of all types) whose functions' names have
 * this beginning (NULL: any).
 */
static void
list_upcasts(List **list, const char *type, int type_length, const char *beginning, bool shortened)
{
	Oid			namespace = ev_namespace_oid();
	NameData	range[2];
	ScanKeyData keys[2];
	Relation	pg_proc;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (!OidIsValid(namespace))
		return;
	if (beginning != NULL)
		ev_function_name_range(beginning, strlen(beginning), range, keys);
	pg_proc = table_open(ProcedureRelationId, AccessShareLock);
	scan = systable_beginscan(pg_proc, ProcedureNameArgsNspIndexId, beginning != NULL, NULL,
							  beginning != NULL ? 2 : 0, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
		EvUpcast	upcast = {.function = form->oid};
		EvUpcast   *copy;

		if (form->pronamespace != namespace || form->prolang != SQLlanguageId || !has_signature(form) ||
			!read_name(NameStr(form->proname), type, type_length, shortened ? beginning : NULL, &upcast))
			continue;
		copy = palloc(sizeof(EvUpcast));
		*copy = upcast;
		*list = lappend(*list, copy);
	}
	systable_endscan(scan);
	table_close(pg_proc, AccessShareLock);
}

List *
ev_upcast_list(const char *type, int type_length)
{
	NameData	shortened;
	List	   *result = NIL;

	if (type == NULL)
		list_upcasts(&result, NULL, 0, NULL, false);
	else
	{
		/* a type can have functions with names of both kinds */
		if (type_length < EV_NAME_MAX)
			list_upcasts(&result, type, type_length, psprintf("%.*s@", type_length, type), false);
		if (type_length > EV_WHOLE_TYPE_MAX - 11 && ev_short_type(type, type_length, &shortened))
			list_upcasts(&result, type, type_length, NameStr(shortened), true);
	}
	list_sort(result, compare_upcasts);
	return result;
}

List *
ev_upcast_dependencies(Oid function)
{
	return list_difference_oid(ev_function_all_dependencies(function), ev_function_dependencies(function));
}

/* Returns the command that drops an upcast, for a HINT, by its function's name. */
static char *
drop_command(const char *function_name)
{
	return psprintf("DROP FUNCTION %s(jsonb)", ev_quoted_name(function_name));
}

char *
ev_upcast_drop_command(const EvUpcast *upcast)
{
	NameData	function;

	if (!ev_upcast_name(upcast->name, upcast->type_length, upcast->from, upcast->to, &function))
		elog(ERROR, "upcast \"%s\" has no function", upcast->name);
	return drop_command(NameStr(function));
}

void
ev_upcast_check_unused(const char *type, int type_length, int32 version)
{
	ListCell   *cell;

	foreach(cell, ev_upcast_list(type, type_length))
	{
		EvUpcast   *upcast = (EvUpcast *) lfirst(cell);

		if (upcast->from == version || upcast->to == version)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot drop event schema \"%s@%d\" because upcast \"%s\" leads %s it",
							pnstrdup(type, type_length), version, upcast->name,
							upcast->from == version ? "from" : "to"),
					 errhint("Drop the upcast first: %s.", ev_upcast_drop_command(upcast))));
	}
}

/* ---------- checking upcasts ---------- */

static bool
same_body(HeapTuple a, HeapTuple b)
{
	const char *reason;
	Node	   *old = body_expression(a, &reason);
	Node	   *new = body_expression(b, &reason);

	return old != NULL && new != NULL && equal(old, new);
}

/*
 * Raises an error if there cannot be an upcast from one version to the other.
 * `self` is its function, if it exists already.
 */
static void
check_step(const char *type, int type_length, int32 from, int32 to, Oid self)
{
	text	   *event_type = cstring_to_text_with_len(type, type_length);
	char	   *name = pnstrdup(type, type_length);
	List	   *versions;
	ListCell   *cell;
	bool		upward = from < to;
	int			neighbour;

	ev_type_lock(type, type_length);
	ev_registry_list(type, type_length, &versions);
	if (!list_member_int(versions, from))
		ev_refuse_unregistered(event_type, from);
	if (!list_member_int(versions, to))
		ev_refuse_unregistered(event_type, to);
	neighbour = upward ? 0 : list_length(versions) - 1;
	while (list_nth_int(versions, neighbour) != from)
		neighbour += upward ? 1 : -1;
	neighbour += upward ? 1 : -1;
	/* both are registered, so there is one in this direction */
	if (list_nth_int(versions, neighbour) != to)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 upward ?
				 errmsg("an upcast of event \"%s\" from version %d must lead to version %d, the next one, not to %d",
						name, from, list_nth_int(versions, neighbour), to) :
				 errmsg("a downcast of event \"%s\" from version %d must lead to version %d, the one before it, not to %d",
						name, from, list_nth_int(versions, neighbour), to)));
	foreach(cell, ev_upcast_list(type, type_length))
	{
		EvUpcast   *other = (EvUpcast *) lfirst(cell);

		if (other->from == from && (other->to > from) == upward && other->function != self)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("%s of event \"%s\" leads from version %d to version %d already",
							upward ? "an upcast" : "a downcast", name, from, other->to),
					 errhint("Drop it first: %s.", ev_upcast_drop_command(other))));
	}
}

static void
record_dependency(Oid function, const char *type, int type_length, int32 version)
{
	Oid			schema = ev_registered_version(type, type_length, version);
	ObjectAddress from;
	ObjectAddress to;

	if (!OidIsValid(schema) || list_member_oid(ev_function_dependencies(function), schema))
		return;

	/*
	 * pg_upgrade records the dependencies of all upcasts in one command, and
	 * nothing runs beside it
	 */
	if (!IsBinaryUpgrade)
		ev_function_lock(schema, AccessShareLock, psprintf("%.*s@%d", type_length, type, version));
	if (!SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(schema)))
		return;
	ObjectAddressSet(from, ProcedureRelationId, function);
	ObjectAddressSet(to, ProcedureRelationId, schema);
	recordDependencyOn(&from, &to, DEPENDENCY_NORMAL);
}

static void
record_dependencies(const EvUpcast *upcast)
{
	record_dependency(upcast->function, upcast->name, upcast->type_length, upcast->from);
	record_dependency(upcast->function, upcast->name, upcast->type_length, upcast->to);
}

/*
 * Fills *upcast for a function that has the name of an upcast.  Returns false,
 * with the function's name in upcast->name, if the name shortens the type and
 * no version of it is registered.
 */
static bool
read_function(Form_pg_proc form, EvUpcast *upcast)
{
	const char *name = NameStr(form->proname);
	char	   *type;

	if (!read_name(name, NULL, 0, NULL, upcast))
		elog(ERROR, "\"%s\" is not the name of an upcast", name);
	upcast->function = form->oid;
	if (!ev_has_short_type(name))
		return true;
	type = ev_registry_type_of_upcast(name);
	if (type == NULL)
		return false;
	upcast->type_length = strlen(type);
	upcast->name = psprintf("%s@%d>%d", type, upcast->from, upcast->to);
	return true;
}

/* Checks that the caller may create an upcast, and that it fits the others. */
static void
check_new(const EvUpcast *upcast, bool is_known)
{
	if (is_known)
	{
		ev_ownership_lock_type(upcast->name, upcast->type_length, InvalidOid);

		/* a restore can create them in any order */
		if (check_function_bodies || !ev_ownership_has_type(upcast->name, upcast->type_length, InvalidOid))
			check_step(upcast->name, upcast->type_length, upcast->from, upcast->to, upcast->function);
	}
	else if (check_function_bodies || !ev_ownership_is_privileged())
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no event type whose upcast from version %d to version %d is called \"%s\"",
						upcast->from, upcast->to, upcast->name),
				 errdetail("A part and a hash of the type are in the name, but neither version is registered."),
				 errhint("Register the versions first with register_event_schema.")));
}

/* Raises an error for an upcast that calls a volatile function, which may be known. */
static void
refuse_volatile(const char *name, Oid function)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
			 errmsg("upcast \"%s\" is volatile", name),
			 errdetail("An event must have one form as another version, whenever and by whomever it is converted."),
			 OidIsValid(function) ?
			 errhint("If the result depends on the event only, mark the function so: ALTER FUNCTION %s IMMUTABLE; if it reads tables too, STABLE.",
					 format_procedure_qualified(function)) :
			 errhint("Use functions that are IMMUTABLE or STABLE.")));
}

void
ev_upcast_check_function(HeapTuple function, HeapTuple previous, bool is_create)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(function);
	const char *reason = NULL;
	EvUpcast	upcast;
	bool		is_known = read_function(form, &upcast);
	Node	   *expression;

	if (!has_signature(form))
		reason = "It must take one jsonb and return jsonb.";
	else if (form->prolang != SQLlanguageId)
		reason = "It must be in language sql.";
	else if (form->prosecdef || !heap_attisnull(function, Anum_pg_proc_proconfig, NULL))
		reason = "It must have neither SECURITY DEFINER nor a SET clause; the function that it calls may.";
	else if (upcast.to == upcast.from)
		reason = "It must lead to another version.";
	else
	{
		expression = body_expression(function, &reason);

		/*
		 * A restore, and ALTER FUNCTION, keep those that older releases
		 * registered.  What the function itself is marked does not matter:
		 * its expression is run.
		 */
		if (reason == NULL && is_create && !HeapTupleIsValid(previous) && check_function_bodies &&
			contain_volatile_functions(expression))
			refuse_volatile(upcast.name, called_function(function));
	}
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("function \"%s\" in schema %s is not an upcast", NameStr(form->proname), EV_SCHEMA_NAMESPACE),
				 errdetail("%s", reason),
				 errhint("Use register_event_upcast, or write CREATE FUNCTION ... (data jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT f(data); END.")));

	if (HeapTupleIsValid(previous) && !same_body(previous, function))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("upcast \"%s\" is registered with another function", upcast.name),
				 errhint("Drop it first: %s.", drop_command(NameStr(form->proname)))));
	if (!HeapTupleIsValid(previous) && is_create)
		check_new(&upcast, is_known);
	if (is_known)
		record_dependencies(&upcast);
}

void
ev_upcast_record_dependencies(void)
{
	ListCell   *cell;

	foreach(cell, ev_upcast_list(NULL, 0))
	{
		Oid			function = ((EvUpcast *) lfirst(cell))->function;
		HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
		EvUpcast	upcast;

		if (!HeapTupleIsValid(tuple))
			continue;
		if (read_function((Form_pg_proc) GETSTRUCT(tuple), &upcast))
			record_dependencies(&upcast);
		ReleaseSysCache(tuple);
	}
}

/* ---------- registration ---------- */

/* Raises an error unless a function can be used as the upcast of this name. */
static void
check_called(const char *name, Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	const char *problem = NULL;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", function)));
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prokind == PROKIND_AGGREGATE)
		problem = "it is an aggregate";
	else if (form->prokind == PROKIND_WINDOW)
		problem = "it is a window function";
	else if (form->prokind != PROKIND_FUNCTION)
		problem = "it is a procedure";
	else if (form->pronargs != 1 || form->proargtypes.values[0] != JSONBOID || OidIsValid(form->provariadic))
		problem = "it takes other arguments";
	else if (form->proretset)
		problem = "it returns a set";
	else if (form->prorettype != JSONBOID)
		problem = psprintf("it returns %s", format_type_be(form->prorettype));
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("an upcast must take one jsonb and return jsonb, but function %s does not: %s",
						format_procedure(function), problem)));
	if (isAnyTempNamespace(form->pronamespace))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("an upcast cannot call temporary function \"%s\"", NameStr(form->proname)),
				 errdetail("It would be dropped at the end of the session, and the upcast with it.")));
	EV_CHECK_EXECUTE(function, NameStr(form->proname));
	if (form->provolatile == PROVOLATILE_VOLATILE)
		refuse_volatile(name, function);
	ReleaseSysCache(tuple);
}

static const char *
volatility_word(char volatility)
{
	return volatility == PROVOLATILE_IMMUTABLE ? "immutable" :
		volatility == PROVOLATILE_STABLE ? "stable" : "volatile";
}

static const char *
parallel_word(char parallel)
{
	return parallel == PROPARALLEL_SAFE ? "safe" :
		parallel == PROPARALLEL_RESTRICTED ? "restricted" : "unsafe";
}

/*
 * Runs CREATE FUNCTION event_schema."TYPE@FROM>TO", which calls a function with its
 * argument and the other arguments.  `arguments` is the text of these.
 */
static void
create_function(const char *name, Oid called, List *others, const char *arguments)
{
	CreateFunctionStmt *command = makeNode(CreateFunctionStmt);
	FunctionParameter *parameter = makeNode(FunctionParameter);
	SelectStmt *select = makeNode(SelectStmt);
	ResTarget  *target = makeNode(ResTarget);
	ColumnRef  *argument = makeNode(ColumnRef);
	char	   *function_schema = get_namespace_name(get_func_namespace(called));
	char	   *function_name = get_func_name(called);
	const char *volatility = volatility_word(func_volatile(called));
	const char *parallel = parallel_word(func_parallel(called));

	argument->fields = list_make1(makeString(pstrdup("data")));
	argument->location = -1;
	target->val = (Node *) makeFuncCall(list_make2(makeString(function_schema), makeString(function_name)),
										lcons(argument, others), COERCE_EXPLICIT_CALL, -1);
	target->location = -1;
	select->targetList = list_make1(target);

	parameter->name = pstrdup("data");
	parameter->argType = SystemTypeName(pstrdup("jsonb"));
	parameter->mode = FUNC_PARAM_DEFAULT;
	command->funcname = ev_qualified_name(name);
	command->parameters = list_make1(parameter);
	command->returnType = SystemTypeName(pstrdup("jsonb"));
	command->options =
		list_make3(makeDefElem("language", (Node *) makeString(pstrdup("sql")), -1),
				   makeDefElem("volatility", (Node *) makeString(pstrdup(volatility)), -1),
				   makeDefElem("parallel", (Node *) makeString(pstrdup(parallel)), -1));
	command->sql_body = (Node *) list_make1(list_make1(select));
	ev_run_command((Node *) command,
				   psprintf("CREATE FUNCTION %s(data jsonb) RETURNS jsonb LANGUAGE sql %s PARALLEL %s BEGIN ATOMIC SELECT %s(data%s); END",
							ev_quoted_name(name), volatility, parallel,
							quote_qualified_identifier(function_schema, function_name), arguments));
}

/* Creates an upcast that calls a function of the user. */
static void
create_upcast(const char *name, Oid called)
{
	create_function(name, called, NIL, "");
}

/* Creates an upcast that renames properties. */
static void
create_rename(const char *name, const Jsonb *renames)
{
	Oid			function = ev_rename_function();
	A_Const    *text = makeNode(A_Const);
	TypeCast   *cast = makeNode(TypeCast);

	if (!OidIsValid(function))
		elog(ERROR, "could not find function %s", EV_RENAME_FUNCTION);
	text->val.sval.type = T_String;
	text->val.sval.sval = JsonbToCString(NULL, (JsonbContainer *) &renames->root, VARSIZE(renames));
	text->location = -1;
	cast->arg = (Node *) text;
	cast->typeName = SystemTypeName(pstrdup("jsonb"));
	cast->location = -1;
	create_function(name, function, list_make1(cast),
					psprintf(", %s::pg_catalog.jsonb", quote_literal_cstr(text->val.sval.sval)));
}

/*
 * Returns the upcast with this name, in CurrentMemoryContext; NULL if there is
 * none.
 */
static HeapTuple
find_upcast(const char *name)
{
	Oid			types[1] = {JSONBOID};
	Oid			function = ev_function_in(ev_namespace_oid(), name, lengthof(types), types);

	return SearchSysCacheCopy1(PROCOID, ObjectIdGetDatum(function));
}

/* An upcast that is to be registered, or dropped. */
typedef struct Request
{
	text	   *type;
	int32		from;
	int32		to;
	char	   *name;			/* TYPE@FROM>TO, with the whole type */
	NameData	function;
} Request;

static void
make_request(text *type, int32 from, int32 to, Request *request)
{
	request->type = type;
	request->from = from;
	request->to = to;
	ev_require_event_name(request->type, request->from);
	ev_require_event_name(request->type, request->to);
	request->name = psprintf("%s@%d>%d", text_to_cstring(request->type), request->from, request->to);
	if (!ev_upcast_name(VARDATA_ANY(request->type), VARSIZE_ANY_EXHDR(request->type), request->from, request->to,
						&request->function))
		elog(ERROR, "upcast \"%s\" has no name for its function", request->name);
}

/* Reads the first three arguments of an SQL function. */
static void
read_request(FunctionCallInfo fcinfo, Request *request)
{
	make_request(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1), PG_GETARG_INT32(2), request);
}

static void
require_direction(const Request *request, bool upward)
{
	if (upward && request->to <= request->from)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an upcast must lead to a later version, not from version %d to version %d",
						request->from, request->to)));
	if (!upward && request->to >= request->from)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a downcast must lead to an earlier version, not from version %d to version %d",
						request->from, request->to)));
}

/*
 * Checks the rights on the type and locks it, unless the upcast exists.  Returns its
 * function, or NULL.
 */
static HeapTuple
find_or_lock(const Request *request)
{
	HeapTuple	existing = find_upcast(NameStr(request->function));

	if (HeapTupleIsValid(existing))
		return existing;

	/* callers without the right, or with an existing upcast, block nobody */
	ev_ownership_require_create();
	ev_ownership_lock_type(VARDATA_ANY(request->type), VARSIZE_ANY_EXHDR(request->type), InvalidOid);
	return find_upcast(NameStr(request->function));
}

/* Is this the upcast that is requested: by a function, or by renames? */
static bool
is_requested(HeapTuple function, Oid called, const Jsonb *renames)
{
	Jsonb	   *others = renames != NULL ? renames_of(function) : NULL;

	if (renames == NULL)
		return called_function(function) == called;
	return others != NULL && compareJsonbContainers(&others->root, (JsonbContainer *) &renames->root) == 0;
}

/*
 * Creates an upcast that calls a function or, if that is InvalidOid, renames properties,
 * unless it exists.
 */
static Oid
create_requested(const Request *request, Oid called, const Jsonb *renames)
{
	HeapTuple	existing;
	HeapTuple	created;

	PreventCommandIfReadOnly("CREATE FUNCTION");
	existing = find_or_lock(request);
	if (HeapTupleIsValid(existing))
	{
		if (!is_requested(existing, called, renames))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("upcast \"%s\" is registered with another function", request->name),
					 errhint("Drop it first: %s.", drop_command(NameStr(request->function)))));
		return ((Form_pg_proc) GETSTRUCT(existing))->oid;
	}
	check_step(VARDATA_ANY(request->type), VARSIZE_ANY_EXHDR(request->type), request->from, request->to, InvalidOid);
	if (renames != NULL)
		create_rename(NameStr(request->function), renames);
	else
		create_upcast(NameStr(request->function), called);

	created = find_upcast(NameStr(request->function));
	if (!HeapTupleIsValid(created) || !is_requested(created, called, renames))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("upcast \"%s\" is not the one that was requested", request->name),
				 errdetail("It was dropped or replaced while the command ran."),
				 errhint("Look for an event trigger that does so.")));
	/* if event triggers are disabled, this was not done yet */
	ev_upcast_check_function(created, NULL, false);
	if (ev_has_short_type(NameStr(request->function)))
		ev_comment_on_function(NameStr(request->function), true, request->name);
	return ((Form_pg_proc) GETSTRUCT(created))->oid;
}

static Oid
register_upcast(FunctionCallInfo fcinfo, bool upward)
{
	Request		request;
	Oid			called = PG_GETARG_OID(3);

	read_request(fcinfo, &request);
	require_direction(&request, upward);
	check_called(request.name, called);
	return create_requested(&request, called, NULL);
}

/*
 * register_event_upcast(event_type text, from_version int, to_version int,
 * upcast regprocedure) returns regprocedure
 */
Datum
ev_register_event_upcast(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"event_type", "from_version", "to_version", "upcast"};

	ev_require_arguments(fcinfo, 0, lengthof(arguments), arguments);
	PG_RETURN_OID(register_upcast(fcinfo, true));
}

/*
 * register_event_downcast(event_type text, from_version int, to_version int,
 * downcast regprocedure) returns regprocedure
 */
Datum
ev_register_event_downcast(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"event_type", "from_version", "to_version", "downcast"};

	ev_require_arguments(fcinfo, 0, lengthof(arguments), arguments);
	PG_RETURN_OID(register_upcast(fcinfo, false));
}

/*
 * register_event_rename(event_type text, from_version int, to_version int,
 * renames jsonb, downcast boolean) returns regprocedure
 *
 * Returns the upcast.
 */
Datum
ev_register_event_rename(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"event_type", "from_version", "to_version", "renames", "downcast"};
	Request		request;
	Request		back;
	Jsonb	   *renames;
	Oid			upcast;

	ev_require_arguments(fcinfo, 0, lengthof(arguments), arguments);
	renames = PG_GETARG_JSONB_P(3);
	read_request(fcinfo, &request);
	require_direction(&request, true);
	(void) ev_renames_argument(renames);
	upcast = create_requested(&request, InvalidOid, renames);
	if (PG_GETARG_BOOL(4))
	{
		make_request(request.type, request.to, request.from, &back);
		(void) create_requested(&back, InvalidOid, ev_renames_inverse(renames));
	}
	PG_RETURN_OID(upcast);
}

/* ---------- dropping ---------- */

static void
refuse_no_upcast(const Request *request)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("no %s of event \"%s\" leads from version %d to version %d",
					request->to > request->from ? "upcast" : "downcast", text_to_cstring(request->type),
					request->from, request->to)));
}

/*
 * drop_event_upcast(event_type text, from_version int, to_version int)
 *
 * Runs DROP FUNCTION as the caller.
 */
Datum
ev_drop_event_upcast(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"event_type", "from_version", "to_version"};
	Request		request;
	HeapTuple	function;
	DropStmt   *command = makeNode(DropStmt);
	ObjectWithArgs *object = makeNode(ObjectWithArgs);

	ev_require_arguments(fcinfo, 0, lengthof(arguments), arguments);
	read_request(fcinfo, &request);
	PreventCommandIfReadOnly("DROP FUNCTION");
	function = find_upcast(NameStr(request.function));
	if (!HeapTupleIsValid(function))
		refuse_no_upcast(&request);

	/* also the owner of the function may drop it, as by DROP FUNCTION */
	if (!ev_ownership_has_function(function))
	{
		ev_ownership_require_type(VARDATA_ANY(request.type), VARSIZE_ANY_EXHDR(request.type), InvalidOid);
		if (!ev_ownership_is_privileged())
			ev_ownership_require_function(function);
	}
	ev_type_lock(VARDATA_ANY(request.type), VARSIZE_ANY_EXHDR(request.type));
	/* DROP FUNCTION would wait without a bound */
	ev_function_lock(((Form_pg_proc) GETSTRUCT(function))->oid, AccessExclusiveLock, request.name);
	if (!HeapTupleIsValid(find_upcast(NameStr(request.function))))
		refuse_no_upcast(&request);

	object->objname = ev_qualified_name(NameStr(request.function));
	object->objargs = list_make1(SystemTypeName(pstrdup("jsonb")));
	command->removeType = OBJECT_FUNCTION;
	command->objects = list_make1(object);
	command->behavior = DROP_RESTRICT;
	ev_run_command((Node *) command, drop_command(NameStr(request.function)));
	PG_RETURN_VOID();
}

/* ---------- running ---------- */

/*
 * Returns the role that runs an upcast; the current user must have EXECUTE on
 * it.  This is its owner.  But if it only calls a function of another role
 * whose rights its owner has, it is that function's owner, who can replace the
 * function at any time.
 */
Oid
ev_upcast_role(const EvUpcast *upcast)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(upcast->function));
	HeapTuple	called;
	Oid			owner;

	/* it may have been dropped while other upcasts of the path were planned */
	if (!HeapTupleIsValid(tuple) || !has_signature((Form_pg_proc) GETSTRUCT(tuple)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("upcast \"%s\" does not exist", upcast->name)));
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	called = SearchSysCache1(PROCOID, ObjectIdGetDatum(called_function(tuple)));
	ReleaseSysCache(tuple);
	if (HeapTupleIsValid(called))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(called);

		if (form->oid >= FirstNormalObjectId && has_privs_of_role(owner, form->proowner))
			owner = form->proowner;
		ReleaseSysCache(called);
	}
	EV_CHECK_EXECUTE(upcast->function, upcast->name);
	return owner;
}
