/*
 * ddl_triggers.c
 *	  The event triggers that protect published schemas.
 *
 * Plain DDL bypasses the functions of the API, and ALTER and DROP also bypass
 * the language's validator.  At the end of each command, the functions that it
 * changed are checked, not the command itself: their rows, and the rows that
 * these replaced.  Commands on other languages and schemas cost one or two
 * syscache look-ups and one index scan of pg_proc.
 *
 * When the extension is dropped, its event triggers are dropped before they
 * could fire.  Commands of pg_upgrade are not checked.  It creates event triggers
 * after functions, and then adds them to the extension: that is when the
 * dependencies of upcasts are recorded.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "commands/proclang.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "evolution/compatibility.h"
#include "evolution/upcast.h"
#include "registration/validator.h"
#include "registry/claims.h"
#include "registry/dependents.h"
#include "registry/extension_objects.h"
#include "registry/function_row.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "registry/utility_command.h"
#include "rollout/drop_guard.h"

PG_FUNCTION_INFO_V1(ev_guard_ddl);
PG_FUNCTION_INFO_V1(ev_guard_drop);

static EventTriggerData *
event_trigger_data(FunctionCallInfo fcinfo, const char *event)
{
	EventTriggerData *data = (EventTriggerData *) fcinfo->context;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo) || strcmp(data->event, event) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function is called only by a %s event trigger", event)));
	return data;
}

/* ---------- CREATE and ALTER ---------- */

/*
 * Functions in event_schema are called, dumped and resolved by name, so only
 * the kinds of functions in names.h are allowed there.
 */
static void
check_kind(HeapTuple function, Oid language, bool is_create)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(function);
	const char *reason;
	EvNameKind	kind = ev_name_kind(NameStr(form->proname), &reason);
	bool		plain = form->prokind == PROKIND_FUNCTION && !form->proretset;

	if (form->prolang == language)
	{
		if (kind == EV_NAME_EVENT || kind == EV_NAME_URI)
			return;
	}
	else if (kind == EV_NAME_UPCAST)
		return;					/* it is checked separately */
	else if (kind == EV_NAME_POLICY && plain && form->prolang == SQLlanguageId &&
			 form->prorettype == TEXTOID && form->pronargs == 0 &&
			 ev_compatibility_is_policy(function))
	{
		char	   *type = ev_compatibility_type(function);

		/* also to replace one, whose owner can differ from the type's */
		if (is_create && type[0] == '\0')
			ev_ownership_require_default_policy();
		else if (is_create)
			ev_ownership_lock_type(type, strlen(type), form->oid);
		return;
	}

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("function \"%s\" cannot be in schema %s",
					NameStr(form->proname), EV_SCHEMA_NAMESPACE),
			 errdetail("This schema holds only schemas in language %s, upcasts and compatibility policies.",
					   EV_LANGUAGE),
			 errhint("Put other functions into another schema.")));
}

static void
check_function(Oid function_oid, Oid language, Oid namespace, bool is_create)
{
	const char *reason;
	HeapTuple	function = SearchSysCache1(PROCOID, ObjectIdGetDatum(function_oid));
	HeapTuple	previous;
	Form_pg_proc form;
	Form_pg_proc old;

	if (!HeapTupleIsValid(function))
		return;
	form = (Form_pg_proc) GETSTRUCT(function);

	previous = ev_function_previous(function);
	if (HeapTupleIsValid(previous))
	{
		old = (Form_pg_proc) GETSTRUCT(previous);
		if ((old->pronamespace == namespace || form->pronamespace == namespace) &&
			old->pronamespace != form->pronamespace)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot move function \"%s\" %s schema %s",
							NameStr(form->proname),
							old->pronamespace == namespace ? "out of" : "into",
							EV_SCHEMA_NAMESPACE),
					 errdetail("Registered functions are found by their names in this schema."),
					 errhint("Register schemas with register_event_schema, and drop them with drop_event_schema.")));
		if (form->pronamespace == namespace &&
			strcmp(NameStr(old->proname), NameStr(form->proname)) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot rename function \"%s\" in schema %s",
							NameStr(old->proname), EV_SCHEMA_NAMESPACE),
					 errdetail("Registered functions are found by their names in this schema."),
					 errhint("Register the schema again under the new name.")));
		if (form->pronamespace == namespace && old->prolang != form->prolang)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
					 errmsg("cannot change the language of function \"%s\" in schema %s",
							NameStr(form->proname), EV_SCHEMA_NAMESPACE),
					 errhint("Drop the function first.")));
	}

	if (form->pronamespace == namespace)
		check_kind(function, language, is_create);
	if (form->prolang == language)
		ev_validator_check_function(function);
	else if (form->pronamespace == namespace &&
			 ev_name_kind(NameStr(form->proname), &reason) == EV_NAME_UPCAST)
		ev_upcast_check_function(function, previous, is_create);
	ReleaseSysCache(function);
}

/* The language and the schema of registered functions, for check_function. */
typedef struct Homes
{
	Oid			language;
	Oid			namespace;
} Homes;

static void
check_extension_member(Form_pg_depend dependent, void *context)
{
	const Homes *homes = (const Homes *) context;

	if (dependent->classid == ProcedureRelationId && dependent->deptype == DEPENDENCY_EXTENSION)
		check_function(dependent->objid, homes->language, homes->namespace, false);
}

/* Checks the functions that belong to an extension, which move with it. */
static void
check_extension_members(Oid extension, Oid language, Oid namespace)
{
	Homes		homes = {.language = language, .namespace = namespace};

	ev_for_each_dependent(ExtensionRelationId, extension, check_extension_member, &homes);
}

/*
 * Refuses to rename the schema and the language, which dumps and this code
 * find by name.
 */
static void
refuse_rename(const char *kind, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot rename %s %s", kind, name),
			 errdetail("Extension event_validate finds it by this name.")));
}

static void
check_schema_rename(const char *name)
{
	if (strcmp(name, EV_SCHEMA_NAMESPACE) == 0 || strcmp(name, EV_INTERNAL_NAMESPACE) == 0)
		refuse_rename("schema", name);
}

/*
 * A member that is removed from the extension is dumped separately, and
 * conflicts with CREATE EXTENSION in the restore.  An object that is added is
 * not dumped, and is dropped with the extension.  Scripts of extensions may do
 * both.
 */
static void
check_extension_contents(AlterExtensionContentsStmt *command, Oid extension, Oid namespace)
{
	ObjectAddress member;
	Relation	relation;

	if (extension == get_extension_oid(EV_EXTENSION, true))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot change members of extension event_validate"),
				 errdetail("A dump of this database could not be restored.")));
	if (command->action < 0)
		return;
	member = get_object_address(command->objtype, command->object, &relation, AccessShareLock, true);
	if (relation != NULL)
		relation_close(relation, NoLock);
	if (member.classId == ProcedureRelationId && OidIsValid(member.objectId) &&
		get_func_namespace(member.objectId) == namespace)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot add function \"%s\" to extension \"%s\"",
						get_func_name(member.objectId), get_extension_name(extension)),
				 errdetail("Registered functions would be dropped with the extension, and would not be dumped."),
				 errhint("Register it in a script of the extension.")));
}

static void
check_command(EventTriggerData *data, Oid class, Oid object,
			  Oid language, Oid namespace)
{
	switch (class)
	{
		case ProcedureRelationId:
			check_function(object, language, namespace, IsA(data->parsetree, CreateFunctionStmt));
			break;
		case NamespaceRelationId:
			if (IsA(data->parsetree, RenameStmt))
				check_schema_rename(castNode(RenameStmt, data->parsetree)->subname);
			break;
		case LanguageRelationId:
			if (IsA(data->parsetree, RenameStmt) &&
				strcmp(strVal(castNode(RenameStmt, data->parsetree)->object),
					   EV_LANGUAGE) == 0)
				refuse_rename("language", EV_LANGUAGE);
			break;
		case ExtensionRelationId:
			if (IsA(data->parsetree, AlterObjectSchemaStmt))
				check_extension_members(object, language, namespace);
			if (IsA(data->parsetree, AlterExtensionContentsStmt) && !creating_extension)
				check_extension_contents(castNode(AlterExtensionContentsStmt, data->parsetree), object, namespace);
			break;
		default:
			break;
	}
}

Datum
ev_guard_ddl(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = event_trigger_data(fcinfo, "ddl_command_end");
	Oid			language = ev_language_oid();
	Oid			namespace = ev_namespace_oid();

	if (IsBinaryUpgrade)
	{
		if (data->tag == CMDTAG_ALTER_EXTENSION)
			ev_upcast_record_dependencies();
		PG_RETURN_NULL();
	}

	SPI_connect();
	if (SPI_execute("SELECT classid, objid FROM pg_catalog.pg_event_trigger_ddl_commands()",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the commands of the event trigger");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		no_class;
		bool		no_object;
		Oid			class = DatumGetObjectId(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &no_class));
		Oid			object = DatumGetObjectId(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &no_object));

		if (!no_class && !no_object)
			check_command(data, class, object, language, namespace);
	}
	SPI_finish();
	PG_RETURN_NULL();
}

/* ---------- DROP ---------- */

/*
 * Returns the schema version in a row of pg_event_trigger_dropped_objects(),
 * or NULL for another object.  Its argument types depend on settings, so only
 * the name is compared, and that nothing is registered under it.
 */
static EvVersion *
dropped_version(HeapTuple row, TupleDesc descriptor, Oid dropped)
{
	bool		is_null;
	Datum		names;
	Datum	   *name;
	int			name_count;
	char	   *function;
	int			type_length;
	int32		number;
	EvVersion  *version;

	names = SPI_getbinval(row, descriptor, 1, &is_null);
	if (is_null)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(names), TEXTOID, -1, false, TYPALIGN_INT,
					  &name, NULL, &name_count);
	if (name_count != 2 ||
		strcmp(TextDatumGetCString(name[0]), EV_SCHEMA_NAMESPACE) != 0)
		return NULL;

	function = TextDatumGetCString(name[1]);
	if (ev_has_short_type(function))
	{
		HeapTuple	old = ev_function_dropped(dropped);

		function = HeapTupleIsValid(old) ? ev_function_version(old, &type_length, &number) : NULL;
	}
	if (function == NULL || !ev_parse_event_name(function, &type_length, &number) ||
		OidIsValid(ev_registered_function(function)))
		return NULL;
	version = palloc(sizeof(EvVersion));
	version->type = pnstrdup(function, type_length);
	version->version = number;
	return version;
}

/*
 * pg_restore --clean drops one object after the other, including objects that
 * refer to each other.  It is recognized by its settings.  Any role can set
 * them, so they only allow drops of one's own objects.
 */
static bool
is_restoring(void)
{
	return !check_function_bodies && namespace_search_path[strspn(namespace_search_path, " \"")] == '\0';
}

/* The documents that a command dropped from event_schema. */
typedef struct Dropped
{
	List	   *names;			/* all that they claimed, and their parts' */
	List	   *documents;		/* for each of the names, the document that
								 * claimed it */
	List	   *roots;			/* the names that they claimed for themselves */
} Dropped;

static void
add_dropped_document(Dropped *all, Oid function)
{
	HeapTuple	row = ev_function_dropped(function);
	EvDocument *document = palloc(sizeof(EvDocument));
	const char *reason;
	EvFault		fault;
	ListCell   *cell;

	if (!HeapTupleIsValid(row) ||
		((Form_pg_proc) GETSTRUCT(row))->prolang != ev_language_oid() ||
		((Form_pg_proc) GETSTRUCT(row))->pronamespace != ev_namespace_oid() ||
		ev_name_kind(NameStr(((Form_pg_proc) GETSTRUCT(row))->proname), &reason) == EV_NAME_BAD ||
		!ev_function_document(row, document, &fault))
		return;
	all->roots = list_concat(all->roots, ev_claims_roots(document));
	foreach(cell, ev_claims_names(document))
	{
		all->names = lappend(all->names, lfirst(cell));
		all->documents = lappend(all->documents, document);
	}
}

/*
 * Returns whether a reference led to a document that was not dropped.  If it
 * leads to a part of a document now, it led there before only if no dropped
 * document claimed the URI for itself.
 */
static bool
led_elsewhere(const Dropped *dropped, const EvReferrer *referrer)
{
	EvDocument	target = {0};
	ListCell   *cell;

	if (!ev_registry_try_resolve(referrer->uri, &target))
		return false;
	foreach(cell, target.by_part ? dropped->roots : NIL)
		if (strcmp(lfirst(cell), referrer->by) == 0)
		return false;
	return true;
}

/*
 * Raises an error if a registered document refers to one that was dropped.
 * Usually a dependency has prevented the drop already.  There is none in one
 * direction between documents that refer to each other, and none from a
 * document that was created before the one to which it refers.
 */
static void
check_not_referred(const Dropped *dropped)
{
	ListCell   *cell;

	if (dropped->names == NIL || (is_restoring() && ev_ownership_is_privileged()))
		return;
	foreach(cell, ev_claims_referrers(dropped->names, InvalidOid))
	{
		EvReferrer *referrer = lfirst(cell);
		const EvDocument *document = NULL;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < list_length(dropped->names) && document == NULL; i++)
			if (strcmp(list_nth(dropped->names, i), referrer->by) == 0)
				document = list_nth(dropped->documents, i);

		/*
		 * if the reference was by $id, another document can still have the
		 * URI
		 */
		if (document == NULL ||
			(strcmp(referrer->by, document->name) != 0 && led_elsewhere(dropped, referrer)) ||
			(is_restoring() && has_privs_of_role(GetUserId(), referrer->owner)))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop schema \"%s\" because schema \"%s\" refers to it",
						document->name, referrer->name),
				 errhint("Schemas that refer to each other are dropped by one command: DROP FUNCTION %s, %s.",
						 ev_quoted_name(document->name), ev_quoted_name(referrer->name))));
	}
}

Datum
ev_guard_drop(PG_FUNCTION_ARGS)
{
	List	   *versions = NIL;
	Dropped		dropped = {NIL, NIL, NIL};

	event_trigger_data(fcinfo, "sql_drop");
	if (IsBinaryUpgrade)
		PG_RETURN_NULL();

	SPI_connect();
	if (SPI_execute("SELECT address_names, objid, classid FROM pg_catalog.pg_event_trigger_dropped_objects()",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the objects dropped for the event trigger");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		is_null;
		Datum		class = SPI_getbinval(row, SPI_tuptable->tupdesc, 3, &is_null);
		Datum		function;
		EvVersion  *version;

		if (is_null || DatumGetObjectId(class) != ProcedureRelationId)
			continue;
		function = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &is_null);
		version = dropped_version(row, SPI_tuptable->tupdesc, is_null ? InvalidOid : DatumGetObjectId(function));
		if (!is_null)
			add_dropped_document(&dropped, DatumGetObjectId(function));
		if (version == NULL)
			continue;
		version->function = is_null ? InvalidOid : DatumGetObjectId(function);

		/*
		 * An upcast depends on its versions and is dropped with them, but not
		 * if the event trigger that records this was disabled when the upcast
		 * was created.
		 */
		ev_upcast_check_unused(version->type, strlen(version->type), version->version);
		ev_renames_check_drop(version->type, strlen(version->type), version->version);
		versions = lappend(versions, version);
	}
	check_not_referred(&dropped);
	if (versions != NIL)
		ev_enforcement_check_unused(versions);
	SPI_finish();
	PG_RETURN_NULL();
}
