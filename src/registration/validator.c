/*
 * validator.c
 *	  The validator of the language jsonschema, which checks CREATE
 *	  FUNCTION.
 *
 * A published schema version never changes its answers; otherwise IMMUTABLE
 * would be false, and indexes wrong.  Of the commands that could change it,
 * only CREATE OR REPLACE calls the validator; ddl_triggers.c checks ALTER
 * FUNCTION and DROP.
 *
 * A restore sets check_function_bodies to off.  Functions are then created in
 * any order, so that only the document itself may be needed.  Names,
 * signatures and replacements are checked in any case, and dependencies on
 * existing functions are recorded, so that they survive a dump.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/heaptoast.h"
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
#include "evolution/upcast.h"
#include "evolution/view_followers.h"
#include "evolution/widen.h"
#include "registration/schema_warnings.h"
#include "registration/validator.h"
#include "registry/claims.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "registry/uri_index.h"
#include "schema/format_option.h"

PG_FUNCTION_INFO_V1(ev_jsonschema_validator);

/*
 * Functions of roles without CREATE on event_schema that are looked at for a
 * WARNING, and the size of their bodies.
 */
#define MOST_PASSED			100
#define MOST_PASSED_BODY	65536

/* ---------- what a function must look like ---------- */

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

/* Returns whether a function depends on this one. */
static bool
is_depended_on(Oid function)
{
	Relation	pg_depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		result = false;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(ProcedureRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(function));
	scan = systable_beginscan(pg_depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (!result && HeapTupleIsValid(tuple = systable_getnext(scan)))
		result = ((Form_pg_depend) GETSTRUCT(tuple))->classid == ProcedureRelationId;
	systable_endscan(scan);
	table_close(pg_depend, AccessShareLock);
	return result;
}

/* Does a function depend on another one, directly or through others? */
static bool
depends_on(Oid function, Oid other)
{
	List	   *reached = list_make1_oid(function);

	for (int i = 0; i < list_length(reached); i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (list_nth_oid(reached, i) == other)
			return true;
		reached = list_concat_unique_oid(reached,
										 ev_function_dependencies(list_nth_oid(reached, i)));
	}
	return false;
}

/*
 * Waits for transactions that are dropping the target.  Returns false if it is gone,
 * or if the dependency would form a circle; may_be_circle: another function depends
 * on this one.
 */
static bool
can_depend(Oid function, Oid target, const char *uri, bool is_registered, bool may_be_circle)
{
	ev_function_lock(target, AccessShareLock, uri);
	if (!is_registered && !ev_ownership_counts(GetUserId(), target))
		ev_function_unlock(target, AccessShareLock);
	return SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(target)) &&
		!(may_be_circle && depends_on(target, function));
}

static void
record_dependency(Oid function, Oid target)
{
	ObjectAddress from;
	ObjectAddress to;

	ObjectAddressSet(from, ProcedureRelationId, function);
	ObjectAddressSet(to, ProcedureRelationId, target);
	recordDependencyOn(&from, &to, DEPENDENCY_NORMAL);
}

void
ev_validator_depend(Oid function, Oid target, const char *uri, bool is_known)
{
	if (is_known || can_depend(function, target, uri, true, is_depended_on(function)))
		record_dependency(function, target);
}

/*
 * Records that a function depends on the functions that its document refers
 * to.  Functions that do not exist (yet) are left out, since a restore may
 * create them later.  So are dependencies that would form a cycle, since
 * pg_dump would warn about them; for a DROP, these are found by the index of
 * URIs (ddl_triggers.c).
 *
 * This waits for transactions that are dropping or replacing a function.  Any role that
 * may create a function somewhere can call the validator, so only documents that count
 * (ev_ownership_counts) block drops and changes of their targets.
 */
static void
record_dependencies(const EvDocument *document, const EvMentions *mentions, bool is_registered)
{
	List	   *recorded = ev_function_dependencies(document->function);
	bool		may_be_circle = is_depended_on(document->function);
	ListCell   *cell;

	foreach(cell, mentions->references)
	{
		const char *uri = (const char *) lfirst(cell);
		EvDocument	target;

		CHECK_FOR_INTERRUPTS();
		memset(&target, 0, sizeof(target));
		if (!ev_registry_try_resolve(uri, &target))
			continue;
		pfree(target.schema);
		if (!OidIsValid(target.function) ||
			target.function == document->function ||
			list_member_oid(recorded, target.function))
			continue;

		if (!can_depend(document->function, target.function, uri, is_registered, may_be_circle))
			continue;
		record_dependency(document->function, target.function);
		recorded = lappend_oid(recorded, target.function);
	}
}

/* ---------- the validator ---------- */

/* The maximum number of changes in an error, and the work done to find them. */
#define SHOWN_CHANGES	5
#define CHANGES_WORK	(EV_COMPARISON_WORK / 10)

/*
 * Returns the differences between two documents, each in a line that begins with
 * a line break.  Returns "" if one of the documents is not a valid schema, or if
 * no difference was found.
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
	if (shown == 0 && old->except_formats != new->except_formats)
		appendStringInfo(&lines, "\nexcept_formats was {%s} and is {%s} now.", ev_format_set_text(old->except_formats),
						 ev_format_set_text(new->except_formats));
	if (shown > SHOWN_CHANGES)
		appendStringInfo(&lines, "\nand %d more; event_schema_changes lists all", shown - SHOWN_CHANGES);
	return lines.data;
}

void
ev_validator_refuse_change(const EvDocument *old, const EvDocument *new)
{
	const char *name = new->name;
	int			type_length;
	int32		version;
	bool		is_event = ev_parse_event_name(name, &type_length, &version);

	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("schema \"%s\" is published with another document", name),
			 errdetail("A published schema must not change its results; only annotations (title, description, examples and the like) can be replaced.%s",
					   shown_changes(old, new)),
			 is_event ? errhint("Register the next version with register_event_schema; a version that is too strict can be widened with widen_event_schema.") :
			 errhint("Register the document under another URI.")));
	pg_unreachable();
}

void
ev_validator_check_renames(const EvDocument *old, const EvDocument *new)
{
	if (ev_document_same_renames(old, new))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("schema \"%s\" is published with other renames", new->name),
			 old->renames != NULL ?
			 errdetail_internal("These are %s.", ev_visible_cut(JsonbToCString(NULL, &old->renames->root, VARSIZE(old->renames)), 2000)) :
			 errdetail("It has none."),
			 errhint("An upcast that register_event_rename or register_event_upcast registers is run instead of them.")));
}

/* ---------- compiling ---------- */

/*
 * Compiles a document.  A document that is not an event and has no $schema is
 * used in the dialect of the schemas that refer to it: it must be valid in one
 * of the dialects, which are tried from the newest.
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
	if (fault->rule == EV_RULE_DUPLICATE_ID || fault->rule == EV_RULE_DUPLICATE_ANCHOR)
		return false;			/* although an older dialect may ignore the
								 * keyword */
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
ev_validator_lock_references(const EvMentions *mentions)
{
	ListCell   *cell;

	foreach(cell, mentions->references)
		ev_name_lock(ev_reference_name(lfirst(cell)), ShareLock);
}

bool
ev_validator_compile(const EvDocument *document, const EvMentions *mentions, bool is_registered, bool warn,
					 List *const *known)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "event_validate registration",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	EvFault		fault = {0};
	List	   *warnings = NIL;
	List	   *repeated = document->is_new ? ev_document_repeated_keys(document) : NIL;
	bool		has_warnings;

	if (repeated != NIL)
		ev_fault_report(linitial(repeated), document->name);
	if (is_registered)
		ev_validator_lock_references(mentions);
	if (known != NULL)
		warnings = *known;
	if (known != NULL ? !ev_metaschema_check(document, ev_registry_resolve, &fault) :
		!compile_in_its_dialect(document, &fault, &warnings))
	{
		ev_document_locate(document, &fault);
		ev_fault_report(&fault, document->name);
	}
	if (document->strict)
		ev_schema_refuse_warnings(document, warnings);
	else if (warn)
		ev_schema_warn(document, warnings);
	has_warnings = ev_schema_has_warnings(warnings);

	if (is_registered && list_length(mentions->parts) > EV_CLAIMS_MOST_PARTS)
		ereport(WARNING,
				(errmsg("JSON Schema \"%s\" has %d schemas with a $id; other schemas cannot refer to these",
						document->name, list_length(mentions->parts)),
				 errdetail("They could if there were %d or fewer.", EV_CLAIMS_MOST_PARTS),
				 errhidestmt(true), errhidecontext(true)));

	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	return has_warnings;
}

List *
ev_validator_faults(const EvDocument *document, bool own_only)
{
	List	   *faults = ev_document_repeated_keys(document);

	return list_concat(faults, ev_document_faults(document, ev_registry_resolve, own_only, NULL));
}

/* The functions whose documents refer to an annotation in the document of one function. */
typedef struct AnnotationUsers
{
	Oid			function;
	char	   *user;			/* the name of a schema; NULL: none */
	List	   *passed;			/* char *: functions that do not count */
	int			looked_at;		/* of those that do not count */
} AnnotationUsers;

/* "event:order@1#/examples/0" */
static bool
uses_annotations(HeapTuple row, Oid function, char **name)
{
	EvDocument	document;
	EvDocument	target;
	EvFault		fault;
	ListCell   *cell;

	if (!ev_function_document(row, &document, &fault) || !ev_document_refers_to_annotation(&document))
		return false;
	foreach(cell, ev_document_references(&document))
	{
		CHECK_FOR_INTERRUPTS();
		memset(&target, 0, sizeof(target));
		if (!ev_registry_try_resolve((const char *) lfirst(cell), &target))
			continue;
		pfree(target.schema);
		if (target.function == function)
		{
			*name = pstrdup(document.name);
			return true;
		}
	}
	return false;
}

/* Is a function that cannot prevent the change read for a WARNING? */
static bool
is_worth_a_warning(AnnotationUsers *users, HeapTuple row)
{
	bool		is_null;
	Datum		body = SysCacheGetAttr(PROCOID, row, Anum_pg_proc_prosrc, &is_null);

	return !is_null && toast_raw_datum_size(body) <= MOST_PASSED_BODY && users->looked_at++ < MOST_PASSED;
}

/*
 * A function prevents the change if it is in event_schema, or if its owner may
 * create functions there.  Any role can create other functions, so only a few of
 * these are read, and no temporary ones.
 */
static void
find_annotation_users(AnnotationUsers *users, const EvDocument *document)
{
	Oid			language = ev_language_oid();
	Oid			namespace = ev_namespace_oid();
	List	   *functions = NIL;
	ListCell   *cell;

	foreach(cell, ev_claims_names(document))
		functions = list_concat(functions, ev_uri_index_find(EV_URI_REFERENCE, lfirst(cell), document->function));
	list_sort(functions, list_oid_cmp);
	list_deduplicate_oid(functions);
	foreach(cell, functions)
	{
		HeapTuple	row = ev_function_row(lfirst_oid(cell));
		Form_pg_proc form;
		char	   *name;

		CHECK_FOR_INTERRUPTS();
		if (!HeapTupleIsValid(row))
			continue;
		form = (Form_pg_proc) GETSTRUCT(row);
		if (form->prolang != language || isAnyTempNamespace(form->pronamespace))
			continue;
		if (form->pronamespace == namespace || ev_ownership_counts(form->proowner, users->function))
		{
			if (uses_annotations(row, users->function, &name))
			{
				users->user = name;
				return;
			}
		}
		else if (is_worth_a_warning(users, row) && uses_annotations(row, users->function, &name))
			users->passed = lappend(users->passed,
									quote_qualified_identifier(get_namespace_name(form->pronamespace), name));
	}
}

void
ev_validator_check_annotations(const EvDocument *old, const EvDocument *new)
{
	AnnotationUsers users = {.function = old->function};
	ListCell   *cell;

	if (compareJsonbContainers(&old->schema->root, &new->schema->root) == 0)
		return;
	find_annotation_users(&users, old);
	if (users.user != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("cannot replace annotations of schema \"%s\"", old->name),
				 errdetail("Schema \"%s\" has a reference into these annotations, so they are not only annotations.", users.user),
				 errhint("Register the next version.")));
	foreach(cell, users.passed)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("annotations of schema \"%s\" are replaced although function %s has a reference into them",
						old->name, (char *) lfirst(cell)),
				 errdetail("Its owner does not have CREATE on schema %s.", EV_SCHEMA_NAMESPACE)));
}

/* What the caller of CREATE FUNCTION has checked; NULL: nothing. */
static const EvVouch *vouched = NULL;

const EvVouch *
ev_validator_vouch(const EvVouch *vouch)
{
	const EvVouch *before = vouched;

	vouched = vouch;
	return before;
}

static bool
has_body(HeapTuple function, const char *body)
{
	bool		is_null;
	Datum		source = SysCacheGetAttr(PROCOID, function, Anum_pg_proc_prosrc, &is_null);

	return !is_null && strcmp(TextDatumGetCString(source), body) == 0;
}

/* Has the caller made these checks of the function's document? */
static bool
is_vouched(HeapTuple function, const EvDocument *document, EvVouched checks)
{
	return vouched != NULL && vouched->checks >= checks && strcmp(vouched->name, document->name) == 0 &&
		has_body(function, vouched->body);
}

/*
 * Has the caller proved that its document is wider than this row's?  Not if an event trigger
 * has replaced that of the proof.
 */
static bool
is_proved_wider(HeapTuple previous)
{
	HeapTuple	narrower = vouched->narrower;
	bool		is_null;
	Datum		source;

	if (narrower == NULL || ((Form_pg_proc) GETSTRUCT(narrower))->oid != ((Form_pg_proc) GETSTRUCT(previous))->oid)
		return false;
	source = SysCacheGetAttr(PROCOID, narrower, Anum_pg_proc_prosrc, &is_null);
	return !is_null && has_body(previous, TextDatumGetCString(source));
}

bool		ev_keep_wider_schemas = false;

void
ev_validator_init(void)
{
	DefineCustomBoolVariable("event_validate.keep_wider_schemas",
							 "Keeps a schema that accepts more than the one in a CREATE OR REPLACE FUNCTION, instead of an error.",
							 "event_schema_ddl sets it, so that its commands can be repeated where a schema was widened.",
							 &ev_keep_wider_schemas, false, PGC_USERSET, 0, NULL, NULL, NULL);
}

/* What a CREATE OR REPLACE does to a published document. */
typedef struct Replacing
{
	bool		is_new;			/* it creates the function */
	EvDocument	old;			/* the document that is replaced, unless
								 * is_new */
	EvDocument *document;		/* the function's: the new one, or `old` if it
								 * stays */
	EvMentions *mentions;		/* of `document` */
} Replacing;

/*
 * Makes the row of a function the previous one again.  Its values in TOAST belong to a row
 * that was deleted, so they are copied.
 */
static void
restore_row(HeapTuple function, HeapTuple previous)
{
	Relation	pg_proc = table_open(ProcedureRelationId, RowExclusiveLock);

	CatalogTupleUpdate(pg_proc, &function->t_self, toast_flatten_tuple(previous, RelationGetDescr(pg_proc)));
	table_close(pg_proc, RowExclusiveLock);
	CommandCounterIncrement();
}

/*
 * Waits for objects that are just being made to use the function, and for references
 * to it that are just being registered, as widen_event_schema does.
 */
static void
lock_replaced(const EvDocument *document)
{
	ev_name_lock(document->name, ExclusiveLock);
	ev_function_lock(document->function, AccessExclusiveLock, document->name);
}

/*
 * The document would change answers.  Accepts one that is proved to be wider, under the
 * rules of widen_event_schema; keeps the old one if that is wider and the setting says
 * so; otherwise raises an error.
 */
static void
replace_answers(HeapTuple function, HeapTuple previous, Replacing *replacing)
{
	EvDocument *new = replacing->document;
	EvDocument *old = &replacing->old;
	int			type_length;
	int32		version;
	EvReplacement replacement = EV_REPLACEMENT_OTHER;
	EvMentions	old_mentions;

	if (ev_parse_event_name(new->name, &type_length, &version))
	{
		ev_type_lock(new->name, type_length);
		lock_replaced(new);

		/*
		 * the proof reads what both documents refer to, so these must not
		 * change until the end
		 */
		ev_validator_lock_references(replacing->mentions);
		old_mentions = ev_document_mentions(old);
		ev_validator_lock_references(&old_mentions);
		new->is_new = true;
		replacement = ev_widen_compare(old, new);
	}
	switch (replacement)
	{
		case EV_REPLACEMENT_WIDER:
			ev_claims_record(new, replacing->mentions, true);
			CommandCounterIncrement();
			ev_claims_check_kept(old, new);
			ev_widen_check(old, new);
			break;
		case EV_REPLACEMENT_NARROWER:
			if (!ev_keep_wider_schemas)
				ev_validator_refuse_change(old, new);
			restore_row(function, previous);
			ereport(NOTICE,
					(errmsg("schema \"%s\" stays as it is, since it accepts more than the document in the command",
							new->name)));
			*new = *old;
			*replacing->mentions = ev_document_mentions(new);
			break;
		case EV_REPLACEMENT_OTHER:
			ev_validator_refuse_change(old, new);
			break;
	}
}

/*
 * Refuses a CREATE OR REPLACE that changes the answers of a published schema,
 * except to a wider one.
 */
static void
check_replacement(HeapTuple function, Replacing *replacing)
{
	HeapTuple	previous = ev_function_previous(function);
	EvDocument *document = replacing->document;
	EvFault		fault;

	replacing->is_new = !HeapTupleIsValid(previous);
	if (replacing->is_new)
		return;

	/*
	 * it was in another language until now: an upcast, whose name is
	 * different
	 */
	if (((Form_pg_proc) GETSTRUCT(previous))->prolang !=
		((Form_pg_proc) GETSTRUCT(function))->prolang)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("cannot change the language of function \"%s\" to %s",
						document->name, EV_LANGUAGE),
				 errhint("Drop the function first.")));

	if (is_vouched(function, document, EV_VOUCHED_CLAIMS) && is_proved_wider(previous))
	{
		replacing->old = *document;
		return;
	}
	if (!ev_function_document(previous, &replacing->old, &fault))
		ev_validator_refuse_change(NULL, document);
	ev_validator_check_renames(&replacing->old, document);
	if (!ev_document_same_answers(&replacing->old, document))
	{
		replace_answers(function, previous, replacing);
		return;
	}
	ev_name_lock(document->name, ExclusiveLock);
	if (!is_vouched(function, document, EV_VOUCHED_CLAIMS))
	{
		ev_function_lock(document->function, AccessExclusiveLock, document->name);
		/* PostgreSQL has deleted the rows by which references find it */
		ev_claims_record(document, replacing->mentions, true);
		CommandCounterIncrement();
		ev_validator_check_annotations(&replacing->old, document);
	}
}

/* Raises invalid_name if a function in event_schema cannot have this name. */
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
				 strlen(name) > EV_NAME_MAX ?
				 errhint("Register the schema of a long event type with register_event_schema, which shortens the type in the name.") :
				 errhint("A schema version is called TYPE@VERSION, such as \"order.placed@1\"; a document for $ref has its URI as its name (see register_schema).")));
}

/*
 * Raises invalid_name if the name of a function in event_schema, which is of an
 * allowed kind, and the event type in its body do not agree.
 */
static void
check_event_type(const char *name, const char *event_type)
{
	EvNameParts parts;

	if (!ev_take_apart(name, &parts) && event_type != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("document \"%s\" cannot have a line \"#event_type\"", name),
				 errdetail("Its name is a URI, not that of an event type's schema.")));
	if (parts.kind == EV_NAME_EVENT)
		ev_require_whole_type(name, event_type, "#event_type");
}

/*
 * Protects published schemas of other roles: checks the owner of the type, and
 * the URIs that the document claims, whatever check_function_bodies is.
 * Returns false if the function replaced one, or existed before.  Both the document and
 * its mentions become those of the function, if it keeps an older document.
 */
static bool
check_registered(HeapTuple function, EvDocument *document, EvMentions *mentions)
{
	Replacing	replacing = {.document = document, .mentions = mentions};
	bool		is_new;
	int			type_length;
	int32		version;

	check_replacement(function, &replacing);
	is_new = replacing.is_new && TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(function->t_data));
	if (is_new && ev_parse_event_name(document->name, &type_length, &version))
	{
		ev_ownership_lock_type(document->name, type_length, document->function);
		if (document->renames != NULL)
			ev_renames_hold_previous(document->name, type_length, version);
	}
	if (!is_vouched(function, document, EV_VOUCHED_CLAIMS))
		ev_claims_check(document, mentions,
						is_new ? NULL : replacing.is_new ? document : &replacing.old, NULL);
	return is_new;
}

Datum
ev_jsonschema_validator(PG_FUNCTION_ARGS)
{
	Oid			function_oid = PG_GETARG_OID(0);
	HeapTuple	function;
	EvDocument	document;
	EvFault		fault;
	EvMentions	mentions;
	bool		is_registered;
	bool		is_new = false;
	bool		is_checked;

	if (!CheckFunctionValidatorAccess(fcinfo->flinfo->fn_oid, function_oid))
		PG_RETURN_VOID();

	function = SearchSysCache1(PROCOID, ObjectIdGetDatum(function_oid));
	if (!HeapTupleIsValid(function))
		elog(ERROR, "cache lookup failed for function %u", function_oid);
	is_registered = ((Form_pg_proc) GETSTRUCT(function))->pronamespace == ev_namespace_oid();

	/* any role can call this function directly, and it takes locks */
	ev_ownership_require_function(function);
	ev_validator_check_function(function);
	if (is_registered)
		check_name(NameStr(((Form_pg_proc) GETSTRUCT(function))->proname));
	if (!ev_function_document(function, &document, &fault))
		ev_fault_report(&fault, document.name);
	if (is_registered)
		check_event_type(NameStr(((Form_pg_proc) GETSTRUCT(function))->proname), document.event_type);
	mentions = ev_document_mentions(&document);
	if (is_registered)
		is_new = check_registered(function, &document, &mentions);

	/*
	 * an unchanged document may be one of an older release; replace_answers
	 * marks a wider one
	 */
	document.is_new |= is_new || !is_registered;
	is_checked = check_function_bodies && !(is_registered && is_vouched(function, &document, EV_VOUCHED_CLAIMS));
	if (is_checked)
		(void) ev_validator_compile(&document, &mentions, is_registered, true, NULL);
	if (is_checked && is_new)
	{
		ev_compatibility_check(&document, NIL);
		ev_view_followers_notice(document.name);
	}
	ev_claims_record(&document, &mentions, is_registered);
	if (!is_registered || !is_vouched(function, &document, EV_VOUCHED_ALL))
		record_dependencies(&document, &mentions, is_registered);

	ReleaseSysCache(function);
	PG_RETURN_VOID();
}
