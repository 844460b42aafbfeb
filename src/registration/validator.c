/*
 * validator.c
 *	  The validator of the language jsonschema: what CREATE FUNCTION accepts.
 *
 * A published schema version never changes its answers, or IMMUTABLE would be
 * a lie and indexes wrong.  CREATE OR REPLACE is the one command that comes by
 * here; what ALTER FUNCTION and DROP could do is ddl_triggers.c's.
 *
 * A restore sets check_function_bodies off.  Functions then come in any order,
 * so nothing outside the document may be needed; but names, signatures and
 * replacements are checked all the same, and dependencies on what is there
 * already are recorded, so that they survive a dump.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/proclang.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/shown_text.h"
#include "changes/changes.h"
#include "compile/metaschema_check.h"
#include "evolution/compatibility.h"
#include "registration/validator.h"
#include "registry/claims.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "schema/uri.h"

PG_FUNCTION_INFO_V1(ev_jsonschema_validator);

/* A schema that a generator wrote may have thousands of the same slip. */
#define SHOWN_WARNINGS	20

/* ---------- the form of a function ---------- */

void
ev_validator_check_function(HeapTuple function)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(function);
	const char *problem = NULL;
	bool		no_options;

	if (form->prokind != PROKIND_FUNCTION)
		problem = "it is not a plain function";
	else if (form->proretset)
		problem = "it returns a set";
	else if (form->prorettype != BOOLOID)
		problem = psprintf("it returns %s", format_type_be(form->prorettype));
	else if (form->pronargs != 1 || form->proargtypes.values[0] != JSONBOID ||
			 OidIsValid(form->provariadic) ||
			 !heap_attisnull(function, Anum_pg_proc_proallargtypes, NULL))
		problem = "it has other arguments";
	else if (form->pronargdefaults != 0)
		problem = "its argument has a default";
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function \"%s\" in language %s must take one jsonb and return boolean, but %s",
						NameStr(form->proname), EV_LANGUAGE, problem),
				 errhint("Write CREATE FUNCTION ... (data jsonb) RETURNS boolean LANGUAGE %s IMMUTABLE PARALLEL SAFE.",
						 EV_LANGUAGE)));

	no_options = heap_attisnull(function, Anum_pg_proc_proconfig, NULL);
	if (form->proisstrict)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function \"%s\" in language %s cannot be STRICT",
						NameStr(form->proname), EV_LANGUAGE),
				 errdetail("It would return null for null data, and a CHECK constraint would accept that."),
				 errhint("Leave STRICT and RETURNS NULL ON NULL INPUT out.")));
	if (form->prosecdef || !no_options)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function \"%s\" in language %s cannot have %s",
						NameStr(form->proname), EV_LANGUAGE,
						form->prosecdef ? "SECURITY DEFINER" : "a SET clause"),
				 errdetail("The result of a schema must not depend on the current user or on settings."),
				 form->prosecdef ? errhint("Leave SECURITY DEFINER out.") :
				 errhint("Options of a schema are lines at the head of its body, such as \"#assert_format off\".")));
}

/* ---------- dependencies ---------- */

/* Does a function depend on another one, directly or through others? */
static bool
depends_on(Oid function, Oid other)
{
	List	   *reached = list_make1_oid(function);

	for (int i = 0; i < list_length(reached); i++)
	{
		if (list_nth_oid(reached, i) == other)
			return true;
		reached = list_concat_unique_oid(reached,
										 ev_function_dependencies(list_nth_oid(reached, i)));
	}
	return false;
}

/*
 * Records that a function depends on what its document refers to.  What is
 * not there (yet) is left out: a restore may bring it later.  So is a
 * dependency that would close a circle: pg_dump would complain of it.  What a
 * DROP must heed of these is read from the bodies (ddl_triggers.c).
 *
 * Who may be dropping something is waited for.  Whoever may create a function
 * anywhere comes by here, so only a registered document goes on to hold off
 * who drops what it refers to.
 */
static void
record_dependencies(const EvDocument *document, bool is_registered)
{
	List	   *recorded = ev_function_dependencies(document->function);
	ListCell   *cell;

	foreach(cell, ev_document_references(document))
	{
		const char *uri = (const char *) lfirst(cell);
		EvDocument	target;
		ObjectAddress from;
		ObjectAddress to;

		CHECK_FOR_INTERRUPTS();
		memset(&target, 0, sizeof(target));
		if (!ev_registry_resolve(uri, &target) ||
			!OidIsValid(target.function) ||
			target.function == document->function ||
			list_member_oid(recorded, target.function))
			continue;

		LockDatabaseObject(ProcedureRelationId, target.function, 0, AccessShareLock);
		if (!is_registered)
			UnlockDatabaseObject(ProcedureRelationId, target.function, 0, AccessShareLock);
		if (!SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(target.function)))
			continue;
		if (depends_on(target.function, document->function))
			continue;

		ObjectAddressSet(from, ProcedureRelationId, document->function);
		ObjectAddressSet(to, ProcedureRelationId, target.function);
		recordDependencyOn(&from, &to, DEPENDENCY_NORMAL);
		recorded = lappend_oid(recorded, target.function);
	}
}

/* ---------- the validator ---------- */

/* An error has so many changes, and so much work is done for them. */
#define SHOWN_CHANGES	5
#define CHANGES_WORK	(EV_COMPARISON_WORK / 10)

/*
 * What differs between two documents, a line each, after a line break: "" where
 * that cannot be told, since one of them is no valid schema, or nothing but
 * options differs.
 */
static char *
shown_changes(const EvDocument *old, const EvDocument *new)
{
	EvFault		fault = {0};
	StringInfoData lines;
	EvVerdict	forward;
	List	   *changes;
	int64		work = CHANGES_WORK;
	int			shown = 0;
	ListCell   *cell;

	initStringInfo(&lines);
	if (old == NULL || ev_compile_checked(old, ev_registry_resolve, &fault, NULL, NULL) == NULL ||
		ev_compile_checked(new, ev_registry_resolve, &fault, NULL, NULL) == NULL)
		return lines.data;
	ev_compare_schemas(old, new, ev_registry_resolve, false, &work, &forward, &changes);
	foreach(cell, changes)
	{
		const EvChange *change = (const EvChange *) lfirst(cell);

		if (change->rule == EV_CHANGE_ANNOTATION_CHANGED)
			continue;
		if (shown++ < SHOWN_CHANGES)
			appendStringInfo(&lines, "\n%s: %s (%s)", ev_location_show(change->location),
							 ev_visible(change->message), ev_change_rule_name(change->rule));
	}
	if (shown == 0 && old->assert_format != new->assert_format)
		appendStringInfo(&lines, "\nassert_format was %s and is %s now.", old->assert_format ? "true" : "false",
						 new->assert_format ? "true" : "false");
	if (shown > SHOWN_CHANGES)
		appendStringInfo(&lines, "\nand %d more; event_schema_changes lists all", shown - SHOWN_CHANGES);
	return lines.data;
}

void
ev_validator_refuse_change(const EvDocument *old, const EvDocument *new)
{
	const char *name = new->name;
	const char *reason;
	bool		is_event = ev_name_kind(name, &reason) == EV_NAME_EVENT;

	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("schema \"%s\" is published with another document", name),
			 errdetail("A published schema must not change its results; only annotations (title, description, examples and the like) can be replaced.%s",
					   shown_changes(old, new)),
			 is_event ? errhint("Register the next version with register_event_schema; a version that is too strict can be widened with widen_event_schema.") :
			 errhint("Register the document under another URI.")));
	pg_unreachable();
}

/* ---------- compiling ---------- */

/*
 * Compiles a document.  One that is no event and has no $schema is a part of
 * the schemas that refer to it, and in their dialect: it must be valid in one
 * of them, the newest first.
 */
static bool
compile_in_its_dialect(const EvDocument *document, EvFault *fault, List **warnings)
{
	static const EvDraft older[] = {EV_V1, EV_DRAFT2019, EV_DRAFT7, EV_DRAFT6, EV_DRAFT4};
	EvDocument	in_draft = *document;
	EvFault		older_fault;
	JsonbValue	dialect;
	const char *reason;

	if (ev_compile_checked(document, ev_registry_resolve, fault, NULL, warnings) != NULL)
		return true;
	if (document->name == NULL || ev_name_kind(document->name, &reason) != EV_NAME_URI ||
		!JB_ROOT_IS_OBJECT(document->schema) ||
		getKeyJsonValueFromContainer(&document->schema->root, "$schema", 7, &dialect) != NULL)
		return false;
	in_draft.draft_known = true;
	for (int i = 0; i < (int) lengthof(older); i++)
	{
		in_draft.draft = older[i];
		if (ev_compile_checked(&in_draft, ev_registry_resolve, &older_fault, NULL, warnings) != NULL)
			return true;
	}
	return false;
}

void
ev_validator_compile(const EvDocument *document, bool is_registered)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "event_validate registration",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	EvFault		fault = {0};
	List	   *warnings = NIL;
	ListCell   *cell;

	if (is_registered)
		foreach(cell, ev_document_references(document))
			ev_name_lock(ev_claims_name(lfirst(cell)), ShareLock);
	if (!compile_in_its_dialect(document, &fault, &warnings))
		ev_fault_report(&fault, document->name);
	for (int i = 0; i < Min(list_length(warnings), SHOWN_WARNINGS); i++)
	{
		EvWarning  *warning = (EvWarning *) list_nth(warnings, i);

		ereport(WARNING,
				(errmsg("JSON Schema \"%s\" at %s: %s", document->name,
						ev_quoted(warning->location, strlen(warning->location)), ev_visible(warning->message)),
				 errhidestmt(true), errhidecontext(true)));
	}
	if (list_length(warnings) > SHOWN_WARNINGS)
		ereport(WARNING,
				(errmsg("JSON Schema \"%s\" has %d more such places", document->name,
						list_length(warnings) - SHOWN_WARNINGS),
				 errhidestmt(true), errhidecontext(true)));

	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
}

/*
 * The name of another schema that refers to what stands in an annotation of
 * this function's document ("event:order@1#/examples/0"), or NULL.
 */
static char *
who_uses_annotations(Oid function)
{
	Oid			language = ev_language_oid();
	char	   *result = NULL;
	Relation	pg_proc = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(pg_proc, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (result == NULL && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		EvDocument	document;
		EvDocument	target;
		EvFault		fault;
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		if (((Form_pg_proc) GETSTRUCT(tuple))->prolang != language ||
			((Form_pg_proc) GETSTRUCT(tuple))->oid == function ||
			!ev_function_document(tuple, &document, &fault) ||
			!ev_document_refers_to_annotation(&document))
			continue;
		foreach(cell, ev_document_references(&document))
		{
			memset(&target, 0, sizeof(target));
			if (ev_registry_resolve((const char *) lfirst(cell), &target) &&
				target.function == function)
				result = pstrdup(document.name);
		}
	}
	systable_endscan(scan);
	table_close(pg_proc, AccessShareLock);
	return result;
}

void
ev_validator_check_annotations(const EvDocument *old, const EvDocument *new)
{
	char	   *user;

	if (compareJsonbContainers(&old->schema->root, &new->schema->root) == 0)
		return;
	user = who_uses_annotations(old->function);
	if (user != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("cannot replace annotations of schema \"%s\"", old->name),
				 errdetail("Schema \"%s\" has a reference into these annotations, so they are not only annotations.", user),
				 errhint("Register the next version.")));
}

/* The function that is being widened. */
static Oid	replaceable = InvalidOid;

void
ev_validator_allow_replacement(Oid function)
{
	replaceable = function;
}

/* The name whose claims were checked, with more known of them. */
static const char *vouched = NULL;

void
ev_validator_vouch(const char *name)
{
	vouched = name;
}

/*
 * Refuses a CREATE OR REPLACE that changes the results of a published schema.
 * False where the function is new.
 */
static bool
check_replacement(HeapTuple function, const EvDocument *document)
{
	HeapTuple	previous = ev_function_previous(function);
	EvDocument	old_document;
	EvFault		fault;

	if (!HeapTupleIsValid(previous))
		return false;

	/* in another language until now: an upcast, which has another name */
	if (((Form_pg_proc) GETSTRUCT(previous))->prolang !=
		((Form_pg_proc) GETSTRUCT(function))->prolang)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("cannot change the language of function \"%s\" to %s",
						document->name, EV_LANGUAGE),
				 errhint("Drop the function first.")));

	if (document->function == replaceable)
		return true;
	if (!ev_function_document(previous, &old_document, &fault))
		ev_validator_refuse_change(NULL, document);
	if (!ev_document_same_answers(&old_document, document))
		ev_validator_refuse_change(&old_document, document);
	ev_name_lock(document->name, ExclusiveLock);
	ev_validator_check_annotations(&old_document, document);
	return true;
}

/* Raises invalid_name where a function in event_schema cannot have this name. */
static void
check_name(const char *name)
{
	const char *reason;
	EvNameKind	kind = ev_name_kind(name, &reason);

	if (kind == EV_NAME_UPCAST || kind == EV_NAME_POLICY)
		reason = "This is the name of an upcast or of a policy, which are not in this language.";
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid name \"%s\" for a function in schema %s", name, EV_SCHEMA_NAMESPACE),
				 errdetail_internal("%s", reason),
				 errhint("A schema version is called TYPE@VERSION, such as \"order.placed@1\"; a document for $ref has its URI as its name (see register_schema).")));
}

/*
 * What keeps the published things of others: whose the type is, and which URIs
 * the document takes.  Asked whatever check_function_bodies says.  False where
 * the function replaced one, or was there before.
 */
static bool
check_registered(HeapTuple function, const EvDocument *document)
{
	bool		is_new = !check_replacement(function, document) &&
		TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(function->t_data));
	int			type_length;
	int32		version;

	if (is_new && ev_parse_event_name(document->name, &type_length, &version))
		ev_ownership_lock_type(document->name, type_length, document->function);
	if (vouched == NULL || strcmp(vouched, document->name) != 0)
		ev_claims_check(document);
	return is_new;
}

Datum
ev_jsonschema_validator(PG_FUNCTION_ARGS)
{
	Oid			function_oid = PG_GETARG_OID(0);
	HeapTuple	function;
	EvDocument	document;
	EvFault		fault;
	bool		is_registered;
	bool		is_new = false;

	if (!CheckFunctionValidatorAccess(fcinfo->flinfo->fn_oid, function_oid))
		PG_RETURN_VOID();

	function = SearchSysCache1(PROCOID, ObjectIdGetDatum(function_oid));
	if (!HeapTupleIsValid(function))
		elog(ERROR, "cache lookup failed for function %u", function_oid);
	is_registered = ((Form_pg_proc) GETSTRUCT(function))->pronamespace == ev_namespace_oid();

	/* anybody can call this, also when nothing is created; it takes locks */
	ev_ownership_require_function(function);
	ev_validator_check_function(function);
	if (is_registered)
		check_name(NameStr(((Form_pg_proc) GETSTRUCT(function))->proname));
	if (!ev_function_document(function, &document, &fault))
		ev_fault_report(&fault, document.name);
	if (is_registered)
		is_new = check_registered(function, &document);
	if (check_function_bodies)
		ev_validator_compile(&document, is_registered);
	if (check_function_bodies && is_new)
		ev_compatibility_check(&document);
	record_dependencies(&document, is_registered);

	ReleaseSysCache(function);
	PG_RETURN_VOID();
}
