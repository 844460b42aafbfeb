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
#include "registration/definition.h"
#include "registration/registered_list.h"
#include "registration/schema_function.h"
#include "registration/validator.h"
#include "registry/claims.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "registry/utility_command.h"
#include "registry/validation_error.h"
#include "rollout/drop_guard.h"
#include "schema/accept_option.h"
#include "schema/format_option.h"
#include "schema/keywords.h"

PG_FUNCTION_INFO_V1(ev_register_event_schema);
PG_FUNCTION_INFO_V1(ev_register_event_schema_jsonb);
PG_FUNCTION_INFO_V1(ev_widen_event_schema);
PG_FUNCTION_INFO_V1(ev_drop_event_schema);
PG_FUNCTION_INFO_V1(ev_register_schema);
PG_FUNCTION_INFO_V1(ev_list_event_schemas);
PG_FUNCTION_INFO_V1(ev_event_is_registered);

/*
 * Registers a definition under a name: creates the function; or leaves it
 * unchanged if it has the same document; or replaces its annotations; or, if
 * requested, replaces the schema by a wider one.  Compiled with the URI.
 */
static Oid
register_definition(const char *name, const char *uri, const EvDefinition *definition)
{
	EvDocument	document;
	EvDocument	old_document;
	EvMentions	mentions;
	StringInfoData body;
	HeapTuple	replaced = NULL;
	bool		is_wider = false;
	Oid			function;

	ev_definition_read(definition, name, uri, &document);
	initStringInfo(&body);
	ev_document_append_pragmas(&body, ev_shortened_type(name), definition->assert_format, definition->except_formats,
							   definition->breaking, definition->accept, definition->renames);
	appendStringInfoString(&body, definition->json);
	if (definition->is_document && strcmp(name, uri) != 0)
		ev_refuse_relative_references(uri, &document);

	PreventCommandIfReadOnly("CREATE FUNCTION");
	function = ev_find_to_register(name, true);
	if (OidIsValid(function))
	{
		replaced = ev_schema_read(function, &old_document);
		if (ev_document_same_options(&old_document, &document) &&
			compareJsonbContainers(&old_document.schema->root, &document.schema->root) == 0)
			return function;
		ev_validator_check_renames(&old_document, &document);
		is_wider = !ev_document_same_answers(&old_document, &document);
		if (is_wider && !definition->widen)
			ev_validator_refuse_change(&old_document, &document);
		ev_ownership_require_function(replaced);
		ev_name_lock(name, ExclusiveLock);
		/* waits for objects that are just being made to use the function */
		ev_function_lock(function, AccessExclusiveLock, name);
		if (!is_wider)
			ev_validator_check_annotations(&old_document, &document);
		document.function = function;
	}
	else
		ev_renames_check_new(name);

	mentions = ev_document_mentions(&document);
	ev_claims_check(&document, &mentions, replaced != NULL ? &old_document : NULL, NULL);
	if (is_wider)
	{
		/* those of the new document are locked when it is compiled */
		EvMentions	old_mentions = ev_document_mentions(&old_document);

		ev_claims_check_kept(&old_document, &document);
		ev_validator_lock_references(&old_mentions);
	}
	(void) ev_validator_compile(&document, &mentions, true, true, NULL);
	if (!OidIsValid(function))
		ev_compatibility_check(&document, NIL);
	if (is_wider)
		ev_widen_check(&old_document, &document);
	return ev_create_function(name, uri, body.data, replaced, EV_VOUCHED_CLAIMS, is_wider);
}

static const char *const register_arguments[] = {
	"event_type", "schema_version", "definition", "assert_format", "breaking", "strict"
};

/* register_event_schema, with the definition as text or jsonb */
static Datum
register_event(FunctionCallInfo fcinfo, bool is_jsonb)
{
	EvDefinition definition = {0};
	char	   *name;

	ev_require_arguments(fcinfo, 0, 6, register_arguments);
	name = ev_require_event_name(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1));
	ev_definition_arguments(fcinfo, 2, is_jsonb, &definition);
	ev_definition_renames(fcinfo, 8, &definition);
	PG_RETURN_OID(register_definition(name, ev_event_uri(name), &definition));
}

Datum
ev_register_event_schema(PG_FUNCTION_ARGS)
{
	return register_event(fcinfo, false);
}

Datum
ev_register_event_schema_jsonb(PG_FUNCTION_ARGS)
{
	return register_event(fcinfo, true);
}

Datum
ev_widen_event_schema(PG_FUNCTION_ARGS)
{
	char	   *name;
	Oid			function;
	EvDocument	document;
	EvDefinition definition = {.widen = true};

	ev_require_arguments(fcinfo, 0, 3, register_arguments);
	name = ev_require_event_name(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1));

	PreventCommandIfReadOnly("CREATE FUNCTION");
	function = ev_registered_function(name);
	if (OidIsValid(function))
	{
		ev_ownership_require_function(ev_schema_row(function));
		ev_lock_to_register(name);
		function = ev_find_and_wait(name);
	}
	if (!OidIsValid(function))
		ev_refuse_unregistered(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1));
	ev_schema_read(function, &document);

	/* options stay unchanged */
	definition.json = text_to_cstring(PG_GETARG_TEXT_PP(2));
	definition.assert_format = document.assert_format;
	definition.except_formats = document.except_formats;
	definition.breaking = document.breaking;
	definition.accept = document.accept;
	definition.renames = document.renames;
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
		require_drop(ev_schema_row(function));
		ev_lock_to_register(name);
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
	ev_renames_check_drop(VARDATA_ANY(PG_GETARG_TEXT_PP(0)), VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)),
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

Datum
ev_register_schema(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"uri", "definition"};
	char	   *uri;
	EvDefinition definition = {.is_document = true, .assert_format = true};
	NameData	name;

	ev_require_arguments(fcinfo, 0, 2, arguments);
	uri = text_to_cstring(PG_GETARG_TEXT_PP(0));

	ev_require_document_uri(uri, &name);
	definition.json = text_to_cstring(PG_GETARG_TEXT_PP(1));
	PG_RETURN_OID(register_definition(NameStr(name), uri, &definition));
}

/* ---------- listing ---------- */

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

/* Sets the three columns for the policy of a version's type. */
static void
put_policy(const EvRegistered *registered, Datum *values, bool *nulls)
{
	const char *name;
	bool		lenient;
	const char *unknown;

	if (!ev_compatibility_policy(registered->name, registered->type_length, &name, &lenient, &unknown))
	{
		nulls[0] = nulls[1] = nulls[2] = true;
		return;
	}
	values[0] = CStringGetTextDatum(name);
	values[1] = BoolGetDatum(lenient);
	values[2] = CStringGetTextDatum(unknown);
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
	foreach(cell, ev_registered_functions())
	{
		EvRegistered *registered = (EvRegistered *) lfirst(cell);
		Datum		values[17] = {0};
		bool		nulls[17] = {0};
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
			values[9] = BoolGetDatum(document.assert_format);
			values[10] = ev_format_set_array(document.except_formats);
			values[11] = BoolGetDatum(document.breaking);
			values[12] = ev_accept_array(document.accept);
			values[16] = JsonbPGetDatum(document.renames);
			nulls[16] = document.renames == NULL;
		}
		else
			nulls[3] = nulls[4] = nulls[5] = nulls[6] = nulls[9] = nulls[10] = nulls[11] = nulls[12] = nulls[16] = true;
		put_policy(registered, values + 13, nulls + 13);
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

/* event_is_registered(event_type text, schema_version int) returns boolean: it raises no error for a text that can be no type */
Datum
ev_event_is_registered(PG_FUNCTION_ARGS)
{
	text	   *type = PG_GETARG_TEXT_PP(0);

	PG_RETURN_BOOL(OidIsValid(ev_registered_version(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), PG_GETARG_INT32(1))));
}
