/*
 * register.c
 *	  The functions that register, widen, drop and list schemas.
 *
 * They check their arguments, and then run the plain CREATE FUNCTION or DROP
 * FUNCTION with the caller's rights: PostgreSQL handles permissions, event
 * triggers, ownership and dependencies.  The command is passed as a parse
 * tree, so nothing needs quoting, and settings such as search_path have no
 * effect.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parser.h"
#include "storage/lmgr.h"
#include "tcop/dest.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"
#include "utils/varlena.h"

#include "base/arguments.h"
#include "base/encoding.h"
#include "base/run_as_owner.h"
#include "compile/codegen.h"
#include "evolution/compatibility.h"
#include "evolution/upcast.h"
#include "evolution/widen.h"
#include "format/format.h"
#include "jsonb/jsonb_value.h"
#include "registration/validator.h"
#include "registry/claims.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/nearest_type.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "registry/utility_command.h"
#include "registry/validation_error.h"
#include "rollout/drop_guard.h"
#include "schema/keywords.h"
#include "schema/uri.h"

PG_FUNCTION_INFO_V1(ev_register_event_schema);
PG_FUNCTION_INFO_V1(ev_register_event_schema_jsonb);
PG_FUNCTION_INFO_V1(ev_widen_event_schema);
PG_FUNCTION_INFO_V1(ev_drop_event_schema);
PG_FUNCTION_INFO_V1(ev_register_schema);
PG_FUNCTION_INFO_V1(ev_list_event_schemas);
PG_FUNCTION_INFO_V1(ev_event_schema_ddl);

/* ---------- creating the function ---------- */

/*
 * Returns the function that is registered under a name.  If another session is
 * dropping it with DROP FUNCTION, waits for the end of its transaction.
 */
static Oid
find_and_wait(const char *name)
{
	Oid			function;

	while (OidIsValid(function = ev_registered_function(name)))
	{
		ev_function_lock(function, AccessShareLock, name);
		if (SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(function)))
			break;
		UnlockDatabaseObject(ProcedureRelationId, function, 0, AccessShareLock);
	}
	return function;
}

/*
 * Runs CREATE [OR REPLACE] FUNCTION.  The document has been compiled already,
 * with its URI, which the validator cannot compute from a hash.
 */
static void
create_function(const char *name, const char *body, HeapTuple replaced)
{
	CreateFunctionStmt *command = makeNode(CreateFunctionStmt);
	FunctionParameter *parameter = makeNode(FunctionParameter);
	const char *argument = "data";
	char	   *ddl;
	int			guc_level;

	if (HeapTupleIsValid(replaced))
	{
		/* replacing cannot change the name of an argument */
		bool		no_names;
		Datum		names = SysCacheGetAttr(PROCOID, replaced, Anum_pg_proc_proargnames,
											&no_names);

		argument = NULL;
		if (!no_names)
		{
			char	  **arguments;

			if (get_func_input_arg_names(names, (Datum) 0, &arguments) == 1)
				argument = arguments[0];
		}
	}
	parameter->name = argument ? pstrdup(argument) : NULL;
	parameter->argType = SystemTypeName(pstrdup("jsonb"));
	parameter->mode = FUNC_PARAM_DEFAULT;

	command->replace = HeapTupleIsValid(replaced);
	command->funcname = ev_qualified_name(name);
	command->parameters = list_make1(parameter);
	command->returnType = SystemTypeName(pstrdup("bool"));
	command->options =
		list_make4(makeDefElem("language", (Node *) makeString(pstrdup(EV_LANGUAGE)), -1),
				   makeDefElem("volatility", (Node *) makeString(pstrdup("immutable")), -1),
				   makeDefElem("parallel", (Node *) makeString(pstrdup("safe")), -1),
				   makeDefElem("as", (Node *) list_make1(makeString(pstrdup(body))), -1));

	/* for hooks and logs */
	ddl = psprintf("CREATE %sFUNCTION %s(%s jsonb) RETURNS boolean LANGUAGE %s IMMUTABLE PARALLEL SAFE AS %s",
				   command->replace ? "OR REPLACE " : "",
				   ev_quoted_name(name),
				   argument ? quote_identifier(argument) : "",
				   EV_LANGUAGE, quote_literal_cstr(body));

	guc_level = NewGUCNestLevel();
	set_config_option("check_function_bodies", "off", PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	ev_run_command((Node *) command, ddl);
	AtEOXact_GUC(false, guc_level);
}

/*
 * The same for a document whose claims were checked already, or which replaces
 * a schema by a wider one; the validator would check the former again, and
 * refuse the latter.
 */
static Oid
create_checked(const char *name, const char *body, HeapTuple replaced, bool is_wider)
{
	ev_validator_vouch(name);
	if (is_wider)
		ev_validator_allow_replacement(((Form_pg_proc) GETSTRUCT(replaced))->oid);
	PG_TRY();
	{
		create_function(name, body, replaced);
	}
	PG_FINALLY();
	{
		ev_validator_vouch(NULL);
		ev_validator_allow_replacement(InvalidOid);
	}
	PG_END_TRY();
	return ev_registered_function(name);
}

/*
 * Locks a name for a command that registers, replaces or drops its function:
 * the type of a version, otherwise the name itself.
 */
static void
lock_name(const char *name)
{
	int			type_length;
	int32		version;

	if (ev_parse_event_name(name, &type_length, &version))
		ev_type_lock(name, type_length);
	else
		ev_name_lock(name, ExclusiveLock);
}

/* Returns the row of a registered function, as a copy. */
static HeapTuple
read_row(Oid function)
{
	HeapTuple	row = SearchSysCacheCopy1(PROCOID, ObjectIdGetDatum(function));

	if (!HeapTupleIsValid(row))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", function),
				 errdetail("It was dropped concurrently.")));
	return row;
}

/* Returns the row of a registered function, as a copy, and its document. */
static HeapTuple
read_function(Oid function, EvDocument *document)
{
	HeapTuple	row = read_row(function);
	EvFault		fault = {0};

	/* its body can be parsed, since it was created */
	if (!ev_function_document(row, document, &fault))
		ev_fault_report(&fault, document->name);
	return row;
}

/*
 * Finds the function that is registered under a name, in order to register it,
 * and locks the name.  Roles that may not register only read, without a lock,
 * to find out whether anything would change.  If there is no function, raises
 * insufficient_privilege unless the caller may create it.
 */
static Oid
find_to_register(const char *name)
{
	Oid			function = ev_registered_function(name);
	int			type_length;
	int32		version;

	if (OidIsValid(function))
	{
		if (!ev_ownership_has_function(read_row(function)))
			return function;
		lock_name(name);
	}
	else
	{
		ev_ownership_require_create();
		if (ev_parse_event_name(name, &type_length, &version))
			ev_ownership_lock_type(name, type_length, InvalidOid);
		else
			ev_name_lock(name, ExclusiveLock);
	}
	return find_and_wait(name);
}

/*
 * Appends the line with the event type if the function's name shortens it, and
 * returns whether it does.
 */
static bool
append_event_type(StringInfo body, const char *name)
{
	NameData	function;
	int			type_length;
	int32		version;

	if (!ev_parse_event_name(name, &type_length, &version) || !ev_function_name(name, &function) ||
		!ev_has_short_type(NameStr(function)))
		return false;
	appendStringInfo(body, "#event_type %.*s\n", type_length, name);
	return true;
}

/* A definition to be registered, and the options. */
typedef struct Definition
{
	char	   *json;
	bool		is_jsonb;		/* the user gave a jsonb, and not this text */
	bool		assert_format;
	bool		breaking;
	bool		strict;			/* reject warnings */
	bool		widen;			/* a wider schema may replace the old one */
} Definition;

/*
 * Registers a definition under a name: creates the function; or leaves it
 * unchanged if it has the same document; or replaces its annotations; or, if
 * requested, replaces the schema by a wider one.  Compiled with the URI.
 */
static Oid
register_definition(const char *name, const char *uri, const Definition *definition)
{
	EvDocument	document = {0};
	EvDocument	old_document;
	EvFault		fault = {0};
	EvMentions	mentions;
	StringInfoData body;
	const char *start = definition->json + strspn(definition->json, " \t\r\n");
	HeapTuple	replaced = NULL;
	bool		is_wider = false;
	bool		shortened;
	Oid			function;

	if (*start == '#')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid JSON Schema \"%s\": the definition is not JSON", name),
				 errdetail("It begins with \"#\"."),
				 errhint("Options are arguments here; lines with \"#\" are for CREATE FUNCTION.")));

	initStringInfo(&body);
	shortened = append_event_type(&body, name);
	if (!definition->assert_format)
		appendStringInfoString(&body, "#assert_format off\n");
	if (definition->breaking)
		appendStringInfoString(&body, "#breaking\n");
	appendStringInfoString(&body, definition->json);

	/* without pragma lines, so that lines and columns are those of the user */
	document.name = name;
	document.uri = uri;
	if (!ev_document_parse(definition->json, &document, &fault))
		ev_fault_report(&fault, name);
	document.assert_format = definition->assert_format;
	document.breaking = definition->breaking;
	document.strict = definition->strict;
	document.is_new = true;
	if (definition->is_jsonb)
		document.text = NULL;

	PreventCommandIfReadOnly("CREATE FUNCTION");
	function = find_to_register(name);
	if (OidIsValid(function))
	{
		replaced = read_function(function, &old_document);
		if (old_document.assert_format == definition->assert_format &&
			old_document.breaking == definition->breaking &&
			compareJsonbContainers(&old_document.schema->root, &document.schema->root) == 0)
			return function;
		is_wider = !ev_document_same_answers(&old_document, &document);
		if (is_wider && !definition->widen)
			ev_validator_refuse_change(&old_document, &document);
		ev_ownership_require_function(replaced);
		ev_name_lock(name, ExclusiveLock);
		if (!is_wider)
			ev_validator_check_annotations(&old_document, &document);
		document.function = function;
	}

	mentions = ev_document_mentions(&document);
	ev_claims_check(&document, &mentions, replaced != NULL ? &old_document : NULL);
	ev_validator_compile(&document, &mentions, true);
	if (!OidIsValid(function))
		ev_compatibility_check(&document);
	if (is_wider)
		ev_widen_check(&old_document, &document);
	function = create_checked(name, body.data, replaced, is_wider);
	if (replaced == NULL && shortened)
		ev_comment_on_function(name, true, name);
	return function;
}

static Oid
register_event(FunctionCallInfo fcinfo, Definition *definition)
{
	char	   *name = ev_require_event_name(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1));

	definition->assert_format = PG_GETARG_BOOL(3);
	definition->breaking = PG_GETARG_BOOL(4);
	definition->strict = PG_GETARG_BOOL(5);
	return register_definition(name, ev_event_uri(name), definition);
}

static const char *const register_arguments[] = {
	"event_type", "schema_version", "definition", "assert_format", "breaking", "strict"
};

Datum
ev_register_event_schema(PG_FUNCTION_ARGS)
{
	Definition	definition = {0};

	ev_require_arguments(fcinfo, 0, 6, register_arguments);
	definition.json = text_to_cstring(PG_GETARG_TEXT_PP(2));
	PG_RETURN_OID(register_event(fcinfo, &definition));
}

Datum
ev_register_event_schema_jsonb(PG_FUNCTION_ARGS)
{
	Definition	definition = {.is_jsonb = true};
	Jsonb	   *value;

	ev_require_arguments(fcinfo, 0, 6, register_arguments);
	value = PG_GETARG_JSONB_P(2);
	definition.json = JsonbToCStringIndent(NULL, &value->root, VARSIZE(value));
	PG_RETURN_OID(register_event(fcinfo, &definition));
}

Datum
ev_widen_event_schema(PG_FUNCTION_ARGS)
{
	char	   *name;
	Oid			function;
	EvDocument	document;
	Definition	definition = {.widen = true};

	ev_require_arguments(fcinfo, 0, 3, register_arguments);
	name = ev_require_event_name(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1));

	PreventCommandIfReadOnly("CREATE FUNCTION");
	function = ev_registered_function(name);
	if (OidIsValid(function))
	{
		ev_ownership_require_function(read_row(function));
		lock_name(name);
		function = find_and_wait(name);
	}
	if (!OidIsValid(function))
		ev_refuse_unregistered(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1));
	read_function(function, &document);

	/* options stay unchanged */
	definition.json = text_to_cstring(PG_GETARG_TEXT_PP(2));
	definition.assert_format = document.assert_format;
	definition.breaking = document.breaking;
	PG_RETURN_OID(register_definition(name, ev_event_uri(name), &definition));
}

/* Checks the rights that DROP FUNCTION needs. */
static void
require_drop(HeapTuple function)
{
	HeapTuple	namespace = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(ev_namespace_oid()));
	bool		owns_schema;

	if (!HeapTupleIsValid(namespace))
		elog(ERROR, "cache lookup failed for schema %s", EV_SCHEMA_NAMESPACE);
	owns_schema = has_privs_of_role(GetUserId(), ((Form_pg_namespace) GETSTRUCT(namespace))->nspowner);
	ReleaseSysCache(namespace);
	if (!owns_schema)
		ev_ownership_require_function(function);
}

/*
 * Runs the command; if a version is given, tables of other roles do not
 * prevent its drop.
 */
static void
run_drop(DropStmt *command, const char *text, const EvVersion *forced)
{
	const EvVersion *outer = ev_enforcement_forced;

	PG_TRY();
	{
		ev_enforcement_forced = forced;
		ev_run_command((Node *) command, text);
	}
	PG_FINALLY();
	{
		ev_enforcement_forced = outer;
	}
	PG_END_TRY();
}

Datum
ev_drop_event_schema(PG_FUNCTION_ARGS)
{
	char	   *name;
	Oid			function;
	bool		force;
	EvVersion	version;
	DropStmt   *command;
	ObjectWithArgs *object;

	ev_require_arguments(fcinfo, 0, 2, register_arguments);
	name = ev_require_event_name(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1));
	force = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	if (force)
		ev_enforcement_require_force();

	PreventCommandIfReadOnly("DROP FUNCTION");
	function = ev_registered_function(name);
	if (OidIsValid(function))
	{
		require_drop(read_row(function));
		lock_name(name);
		function = ev_registered_function(name);
	}
	if (OidIsValid(function))
	{
		/* as DROP FUNCTION does, which would wait without a bound */
		ev_function_lock(function, AccessExclusiveLock, name);
		function = ev_registered_function(name);
	}
	if (!OidIsValid(function))
		ev_refuse_unregistered(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1));

	ev_upcast_check_unused(VARDATA_ANY(PG_GETARG_TEXT_PP(0)), VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)),
						   PG_GETARG_INT32(1));

	version.type = text_to_cstring(PG_GETARG_TEXT_PP(0));
	version.version = PG_GETARG_INT32(1);
	object = makeNode(ObjectWithArgs);
	object->objname = ev_qualified_name(name);
	object->objargs = list_make1(SystemTypeName(pstrdup("jsonb")));
	command = makeNode(DropStmt);
	command->removeType = OBJECT_FUNCTION;
	command->objects = list_make1(object);
	command->behavior = DROP_RESTRICT;
	run_drop(command, psprintf("DROP FUNCTION %s(jsonb)",
							   ev_quoted_name(name)),
			 force ? &version : NULL);
	PG_RETURN_VOID();
}

static bool
equal_strings(List *a, List *b)
{
	ListCell   *x;
	ListCell   *y;

	if (list_length(a) != list_length(b))
		return false;
	forboth(x, a, y, b)
		if (strcmp((const char *) lfirst(x), (const char *) lfirst(y)) != 0)
		return false;
	return true;
}

/*
 * A document whose URI is too long for a name has a name that is a hash of the
 * URI, from which the base of relative references cannot be computed.
 */
static void
refuse_relative_references(const char *uri, const char *definition)
{
	EvDocument	document = {0};
	EvFault		fault = {0};
	List	   *by_name;

	if (!ev_document_parse(definition, &document, &fault))
		return;					/* the error is reported later */
	document.uri = "";
	by_name = ev_document_references(&document);
	document.uri = uri;
	if (!equal_strings(by_name, ev_document_references(&document)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the document of the long URI \"%s\" has relative references", uri),
				 errhint("Give the document its URI as $id.")));
}

Datum
ev_register_schema(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"uri", "definition"};
	char	   *uri;
	Definition	definition = {.assert_format = true};
	char	   *fragment;
	NameData	name;
	const EvFormat *format = ev_format_find("uri", strlen("uri"), EV_DRAFT2020);

	ev_require_arguments(fcinfo, 0, 2, arguments);
	uri = text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (format != NULL && !format->matches(uri, strlen(uri)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not an absolute URI: \"%s\"", uri),
				 errhint("An absolute URI begins with a scheme, such as \"https://example.com/money\" or \"urn:example:money\".")));
	fragment = strchr(uri, '#');
	if (fragment != NULL && fragment[1] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the URI of a document must not have a fragment: \"%s\"", uri)));
	if (fragment != NULL)
		*fragment = '\0';
	if (pg_strncasecmp(uri, "event:", strlen("event:")) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the URI \"%s\" is that of an event schema", uri),
				 errhint("Use register_event_schema.")));

	ev_uri_name(uri, &name);
	definition.json = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (strcmp(NameStr(name), uri) != 0)
		refuse_relative_references(uri, definition.json);
	PG_RETURN_OID(register_definition(NameStr(name), uri, &definition));
}

/* ---------- listing ---------- */

/* A registered function, for sorting. */
typedef struct Registered
{
	Oid			function;
	char	   *name;
	int			type_length;	/* in TYPE@VERSION; -1: another kind of name */
	int32		version;
} Registered;

/* Sorts events by type and version, and then documents by URI. */
static int
compare_registered(const ListCell *a, const ListCell *b)
{
	const Registered *x = (const Registered *) lfirst(a);
	const Registered *y = (const Registered *) lfirst(b);
	int			result;

	if (x->type_length < 0 || y->type_length < 0)
		return x->type_length >= 0 ? -1 : y->type_length >= 0 ? 1 : strcmp(x->name, y->name);
	result = memcmp(x->name, y->name, Min(x->type_length, y->type_length));
	if (result == 0)
		result = x->type_length - y->type_length;
	if (result == 0)
		result = x->version < y->version ? -1 : x->version > y->version;
	return result;
}

/*
 * Returns all functions in event_schema that are in language jsonschema,
 * sorted.
 */
static List *
registered_functions(void)
{
	Oid			namespace = ev_namespace_oid();
	Oid			language = ev_language_oid();
	List	   *result = NIL;
	Relation	pg_proc = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(pg_proc, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
		Registered *registered;

		CHECK_FOR_INTERRUPTS();
		if (form->pronamespace != namespace || form->prolang != language)
			continue;
		registered = palloc(sizeof(Registered));
		registered->function = form->oid;
		registered->name = ev_function_version(tuple, &registered->type_length, &registered->version);
		if (registered->name == NULL)
		{
			registered->name = pstrdup(NameStr(form->proname));
			registered->type_length = -1;
		}
		result = lappend(result, registered);
	}
	systable_endscan(scan);
	table_close(pg_proc, AccessShareLock);
	list_sort(result, compare_registered);
	return result;
}

/*
 * Returns a member of the document, if it is an object that has the member;
 * otherwise NULL.
 */
static JsonbValue *
member(const EvDocument *document, const char *name)
{
	if (!JB_ROOT_IS_OBJECT(document->schema))
		return NULL;
	return getKeyJsonValueFromContainer(&document->schema->root, name, strlen(name), NULL);
}

static Datum
string_member(const EvDocument *document, const char *name, bool *is_null)
{
	JsonbValue *value = member(document, name);

	*is_null = value == NULL || value->type != jbvString;
	return *is_null ? (Datum) 0 :
		PointerGetDatum(cstring_to_text_with_len(value->val.string.val, value->val.string.len));
}

/* Returns a body without its pragma lines. */
static const char *
definition_of(const char *body)
{
	const char *p = body + strspn(body, " \t\r\n");

	if (*p != '#')
		return body;
	while (*p == '#')
	{
		p += strcspn(p, "\n");
		p += strspn(p, " \t\r\n");
	}
	return p;
}

/* The rows of the view event_schemas. */
Datum
ev_list_event_schemas(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "event_validate listing",
													  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = CurrentMemoryContext;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach(cell, registered_functions())
	{
		Registered *registered = (Registered *) lfirst(cell);
		Datum		values[9] = {0};
		bool		nulls[9] = {0};
		HeapTuple	function;
		EvDocument	document;
		EvFault		fault;
		char	   *body;
		char	   *owner;

		CHECK_FOR_INTERRUPTS();
		if (registered->type_length < 0)
			break;
		function = SearchSysCache1(PROCOID, ObjectIdGetDatum(registered->function));
		if (!HeapTupleIsValid(function))
			continue;
		MemoryContextReset(row_context);
		MemoryContextSwitchTo(row_context);

		values[0] = PointerGetDatum(cstring_to_text_with_len(registered->name,
															 registered->type_length));
		values[1] = Int32GetDatum(registered->version);
		body = ev_function_body(function);
		values[2] = CStringGetTextDatum(definition_of(body));
		if (ev_function_document(function, &document, &fault))
		{
			values[3] = string_member(&document, "title", &nulls[3]);
			values[4] = string_member(&document, "description", &nulls[4]);
			values[5] = BoolGetDatum(ev_document_is_deprecated(&document));
			values[6] = string_member(&document, "$schema", &nulls[6]);
			if (nulls[6])
				values[6] = CStringGetTextDatum(ev_draft_uri(EV_DRAFT2020));
			nulls[6] = false;
		}
		else
			nulls[3] = nulls[4] = nulls[5] = nulls[6] = true;
		owner = GetUserNameFromId(((Form_pg_proc) GETSTRUCT(function))->proowner, true);
		nulls[7] = owner == NULL;
		if (owner != NULL)
			values[7] = DirectFunctionCall1(namein, CStringGetDatum(owner));
		values[8] = ObjectIdGetDatum(registered->function);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		ReleaseSysCache(function);
		MemoryContextSwitchTo(old_context);
	}
	MemoryContextDelete(row_context);
	return (Datum) 0;
}

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

	ev_pin_search_path();
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
	foreach(cell, registered_functions())
	{
		Registered *registered = (Registered *) lfirst(cell);

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
