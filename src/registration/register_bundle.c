/*
 * register_bundle.c
 *	  register_schemas: registers many schemas in one call, all or none.
 *
 * The schemas may refer to each other in any order, and in circles.  So all
 * functions are created first, and then each document is checked as if it were
 * registered alone.  Each check runs in a subtransaction, so that the faults
 * of all documents are found.  If there is a fault, the error at the end rolls
 * everything back.
 *
 * Versions of a type are checked in ascending order, each against those before it
 * and against those that were registered already.
 *
 * All names that the documents have or refer to are locked before the first
 * function is created, in the order of the names, so that no two calls wait for
 * each other.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/arguments.h"
#include "base/shown_text.h"
#include "base/subtransaction.h"
#include "compile/codegen.h"
#include "evolution/compatibility.h"
#include "evolution/upcast.h"
#include "evolution/view_followers.h"
#include "registration/bundle_faults.h"
#include "registration/bundle_key.h"
#include "registration/bundle_options.h"
#include "registration/circles.h"
#include "registration/registered_list.h"
#include "registration/schema_function.h"
#include "registration/validator.h"
#include "registry/claims.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "schema/accept_option.h"
#include "schema/document.h"
#include "schema/format_option.h"
#include "schema/uri.h"

PG_FUNCTION_INFO_V1(ev_register_schemas);

/*
 * The maximum number of documents whose warnings are raised; the others are
 * counted.
 */
#define WARNED_DOCUMENTS	20

typedef enum Action
{
	NOT_KNOWN,					/* or there is a fault */
	UNCHANGED,
	REGISTERED,
	REPLACED					/* other annotations */
} Action;

static const char *const action_names[] = {
	[UNCHANGED] = "unchanged",
	[REGISTERED] = "registered",
	[REPLACED] = "replaced",
};

/* A schema of the bundle. */
typedef struct BundleMember
{
	EvRegistered registered;	/* name, type and version, function */
	char	   *key;			/* as the user wrote it */
	ErrorData  *key_error;		/* why it is not a valid key, or NULL */
	char	   *uri;			/* of the document */
	JsonbValue	value;			/* in the bundle */
	Action		action;
	List	   *targets;		/* BundleTarget */
	List	   *edges;			/* numbers of the members among these */
	int			group;			/* see ev_find_circles */
	bool		is_compiled;	/* with its group */
	List	   *warnings;		/* of that */
} BundleMember;

/* A document to which a member refers. */
typedef struct BundleTarget
{
	Oid			function;
	char	   *uri;
	int			member;			/* its number; -1: none */
} BundleTarget;

typedef struct Bundle
{
	bool		assert_format;	/* options of the call */
	EvFormatSet except_formats;
	bool		breaking;
	bool		strict;
	EvBundleOptions options;	/* of single members */
	BundleMember *members;		/* by type and version, then by URI */
	int			count;
	HTAB	   *created;		/* CreatedMember by function */
	List	   *to_lock;		/* EvNameToLock */
	BundleMember **by_name;		/* in the order of their names; NULL until it
								 * is needed */
	EvBundleFaults *faults;
	int			warned;			/* documents with warnings */
	MemoryContext context;
	MemoryContext scratch;		/* reset after each member */
} Bundle;

/* A member whose function this call creates. */
typedef struct CreatedMember
{
	Oid			function;		/* hash key, must be the first member */
	int			member;
} CreatedMember;

/* ---------- reading the bundle ---------- */

static bool
is_event(const BundleMember *member)
{
	return member->registered.type_length >= 0;
}

/*
 * Returns the name of a member for messages and rows: TYPE@VERSION, or the
 * URI.
 */
static const char *
shown_name(const BundleMember *member)
{
	return is_event(member) || member->uri == NULL || member->uri[0] == '\0' ? member->registered.name : member->uri;
}

/* Sets the name and the URI of a member from its key. */
static void
read_key(void *arg)
{
	BundleMember *member = arg;

	member->uri = ev_bundle_key_read(member->key, &member->registered);
}

/*
 * Reads the document of a member into CurrentMemoryContext.  The options of the call
 * apply in addition to the pragma lines of a text.
 */
static void
read_document(const Bundle *bundle, BundleMember *member, EvDocument *document)
{
	EvFault		fault = {0};

	memset(document, 0, sizeof(*document));
	document->name = member->registered.name;
	document->uri = member->uri;
	document->assert_format = true;
	if (member->value.type == jbvString)
	{
		const char *text = pnstrdup(member->value.val.string.val, member->value.val.string.len);

		if (!ev_document_parse(text, document, &fault))
			ev_fault_report(&fault, shown_name(member));
	}
	else if (member->value.type == jbvBool ||
			 (member->value.type == jbvBinary && JsonContainerIsObject(member->value.val.binary.data)))
		document->schema = JsonbValueToJsonb(&member->value);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the value of \"%s\" is not a schema", member->key),
				 errhint("It is an object, a boolean, or a string that is the text of a schema.")));
	document->assert_format &= bundle->assert_format;
	document->except_formats = document->assert_format ? document->except_formats | bundle->except_formats : 0;
	document->breaking |= bundle->breaking && is_event(member);
	document->accept = ev_accept_join(document->accept, ev_bundle_accept(&bundle->options, document->name));
	if (ev_bundle_renames(&bundle->options, document->name) != NULL)
		document->renames = ev_bundle_renames(&bundle->options, document->name);
	document->strict = bundle->strict;
	document->is_new = true;
	document->function = member->registered.function;
}

/* Returns the body of the function: the lines for the options, and the JSON. */
static char *
make_body(const Bundle *bundle, const BundleMember *member, const EvDocument *document)
{
	StringInfoData body;
	const char *json;

	initStringInfo(&body);
	ev_document_append_pragmas(&body, document->event_type == NULL ? ev_shortened_type(document->name) : NULL,
							   true, 0, false, NIL, NULL);
	if (document->text != NULL)
	{
		const char *start = document->text + strspn(document->text, " \t\r\n");

		json = document->json;
		appendBinaryStringInfo(&body, start, json > start ? json - start : 0);
	}
	else
		json = JsonbToCStringIndent(NULL, &document->schema->root, VARSIZE(document->schema));
	/* the last line about formats counts */
	ev_document_append_pragmas(&body, NULL, bundle->assert_format,
							   bundle->except_formats != 0 ? document->except_formats : 0,
							   bundle->breaking && is_event(member),
							   ev_bundle_accept(&bundle->options, document->name),
							   ev_bundle_renames(&bundle->options, document->name));
	appendStringInfoString(&body, json);
	return body.data;
}

/* ---------- one step for one member ---------- */

typedef struct BundleStep
{
	Bundle	   *bundle;
	BundleMember *member;
	void		(*work) (Bundle *bundle, BundleMember *member);
} BundleStep;

static void
run_step(void *arg)
{
	BundleStep *step = arg;

	step->work(step->bundle, step->member);
}

/*
 * Runs a step for a member.  An error is a fault of the member, unless it does not
 * come from the document.  Returns whether there is none.
 */
static bool
try_step(Bundle *bundle, BundleMember *member, void (*work) (Bundle *, BundleMember *))
{
	BundleStep	step = {bundle, member, work};
	ErrorData  *error;
	MemoryContext caller = MemoryContextSwitchTo(bundle->scratch);

	CHECK_FOR_INTERRUPTS();
	error = ev_in_subtransaction(run_step, &step, EV_KEEP);
	if (error != NULL && !ev_bundle_is_fault(error))
		ReThrowError(error);
	if (error != NULL)
		ev_bundle_add_error(bundle->faults, member - bundle->members, error, shown_name(member));
	MemoryContextSwitchTo(caller);
	return error == NULL;
}

/* A set of actions. */
#define ACTION(action)	(1 << (action))
#define NEW_OR_REPLACED	(ACTION(REGISTERED) | ACTION(REPLACED))

/* Is this a member with one of these actions, and without faults? */
static bool
is_next(const Bundle *bundle, const BundleMember *member, int actions)
{
	return (actions & ACTION(member->action)) != 0 &&
		!ev_bundle_has_faults(bundle->faults, member - bundle->members);
}

/* Tries a step for all members with one of these actions that have no faults. */
static void
try_for_each(Bundle *bundle, int actions, void (*work) (Bundle *, BundleMember *))
{
	for (BundleMember *member = bundle->members; member < bundle->members + bundle->count; member++)
		if (is_next(bundle, member, actions))
		{
			MemoryContextReset(bundle->scratch);
			(void) try_step(bundle, member, work);
		}
}

/* Does work for the same members; an error ends the call. */
static void
for_each(Bundle *bundle, int actions, void (*work) (Bundle *, BundleMember *))
{
	MemoryContext caller = MemoryContextSwitchTo(bundle->scratch);

	for (BundleMember *member = bundle->members; member < bundle->members + bundle->count; member++)
		if (is_next(bundle, member, actions))
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(bundle->scratch);
			work(bundle, member);
		}
	MemoryContextSwitchTo(caller);
}

/* ---------- before the locks ---------- */

/*
 * Checks the rights on a member, before anything is locked.  A member of
 * another role must be unchanged, which a later step checks.
 */
static void
look_at(Bundle *bundle, BundleMember *member)
{
	EvDocument	document;
	EvRegistered *registered = &member->registered;

	read_document(bundle, member, &document);
	ev_bundle_key_check_type(member->key, registered, document.event_type);
	if (!is_event(member) && !ev_bundle_key_is_hash(member->key) && strcmp(registered->name, member->uri) != 0)
		ev_refuse_relative_references(member->uri, &document);
	if (OidIsValid(ev_registered_function(registered->name)))
		return;
	ev_ownership_require_create();
	if (is_event(member))
		ev_ownership_require_type(registered->name, registered->type_length, InvalidOid);
}

/* ---------- locks ---------- */

static void
add_names(Bundle *bundle, List *added, LOCKMODE mode)
{
	MemoryContext caller = MemoryContextSwitchTo(bundle->context);
	ListCell   *cell;

	foreach(cell, added)
	{
		EvNameToLock *lock = palloc(sizeof(EvNameToLock));

		lock->name = pstrdup(lfirst(cell));
		lock->mode = mode;
		bundle->to_lock = lappend(bundle->to_lock, lock);
	}
	MemoryContextSwitchTo(caller);
}

/* Is this the document that is registered, with its options? */
static bool
is_same(const EvDocument *old, const EvDocument *new)
{
	return ev_document_same_options(old, new) &&
		compareJsonbContainers(&old->schema->root, &new->schema->root) == 0;
}

/* The same for the document of a function, which may be broken. */
static bool
is_unchanged(Oid function, const EvDocument *document)
{
	EvDocument	old;
	EvFault		fault;

	return ev_function_document(ev_schema_row(function), &old, &fault) && is_same(&old, document);
}

/* Adds the names that registering a member locks. */
static void
add_names_of(Bundle *bundle, BundleMember *member)
{
	const EvRegistered *registered = &member->registered;
	Oid			function = ev_registered_function(registered->name);
	EvDocument	document;
	List	   *claimed;
	List	   *references = NIL;
	NameData	type;
	ListCell   *cell;

	if (OidIsValid(function) && !ev_ownership_has_function(ev_schema_row(function)))
		return;
	read_document(bundle, member, &document);
	document.function = function;
	claimed = ev_claims_to_lock(&document);
	if (is_event(member))
	{
		if (!ev_policy_name(registered->name, registered->type_length, &type))
			elog(ERROR, "event type of \"%s\" has no name for its policy", registered->name);
		/* only a replacement locks the version itself */
		if (!OidIsValid(function) || is_unchanged(function, &document))
			claimed = list_delete_first(claimed);
		claimed = lcons(NameStr(type), claimed);
	}
	foreach(cell, ev_document_references(&document))
		references = lappend(references, ev_reference_name(lfirst(cell)));
	add_names(bundle, claimed, ExclusiveLock);
	add_names(bundle, references, ShareLock);
}

/* ---------- creating the functions ---------- */

/* Decides the action for a member, and checks a replacement. */
static void
decide(Bundle *bundle, BundleMember *member)
{
	Oid			function = ev_find_to_register(member->registered.name, false);
	EvDocument	document;
	EvDocument	old;
	EvMentions	mentions;
	HeapTuple	row;

	read_document(bundle, member, &document);
	if (!OidIsValid(function))
	{
		ev_renames_check_new(member->registered.name);
		member->action = REGISTERED;
		return;
	}
	row = ev_schema_read(function, &old);
	member->registered.function = document.function = function;
	if (is_same(&old, &document))
	{
		member->action = UNCHANGED;
		return;
	}
	ev_validator_check_renames(&old, &document);
	if (!ev_document_same_answers(&old, &document))
	{
		/* event_schema_ddl replaces it by a command of its own */
		if (!ev_keep_wider_schemas)
			ev_validator_refuse_change(&old, &document);
		ereport(NOTICE,
				(errmsg("schema \"%s\" stays as it is, since event_validate.keep_wider_schemas is on", document.name)));
		member->action = UNCHANGED;
		return;
	}
	ev_ownership_require_function(row);
	ev_name_lock(document.name, ExclusiveLock);
	(void) ev_find_and_wait(document.name);
	ev_function_lock(function, AccessExclusiveLock, document.name);
	ev_validator_check_annotations(&old, &document);
	mentions = ev_document_mentions(&document);
	ev_claims_check(&document, &mentions, &old, NULL);
	member->action = REPLACED;
}

/* Creates or replaces the function of a member. */
static void
create(Bundle *bundle, BundleMember *member)
{
	EvDocument	document;
	HeapTuple	replaced = NULL;
	CreatedMember *created;

	read_document(bundle, member, &document);
	if (member->action == REPLACED)
		replaced = ev_schema_row(member->registered.function);
	member->registered.function = ev_create_function(document.name, member->uri, make_body(bundle, member, &document),
													 replaced, EV_VOUCHED_ALL, false);
	if (member->action != REGISTERED)
		return;
	created = hash_search(bundle->created, &member->registered.function, HASH_ENTER, NULL);
	created->member = member - bundle->members;
}

/* ---------- circles ---------- */

/* Finds the functions to which a member refers. */
static void
find_targets(Bundle *bundle, BundleMember *member)
{
	EvDocument	document;
	ListCell   *cell;

	read_document(bundle, member, &document);
	foreach(cell, ev_document_references(&document))
	{
		const char *uri = lfirst(cell);
		EvDocument	found = {0};
		const CreatedMember *created;
		BundleTarget *target;
		MemoryContext caller;

		CHECK_FOR_INTERRUPTS();
		if (!ev_registry_try_resolve(uri, &found) || !OidIsValid(found.function) ||
			found.function == document.function)
			continue;
		pfree(found.schema);
		created = hash_search(bundle->created, &found.function, HASH_FIND, NULL);
		caller = MemoryContextSwitchTo(bundle->context);
		target = palloc(sizeof(BundleTarget));
		target->function = found.function;
		target->uri = pstrdup(uri);
		target->member = created != NULL ? created->member : -1;
		member->targets = lappend(member->targets, target);
		if (target->member >= 0)
			member->edges = lappend_int(member->edges, target->member);
		MemoryContextSwitchTo(caller);
	}
}

static void
find_circles(Bundle *bundle)
{
	List	  **edges = palloc(sizeof(List *) * (bundle->count + 1));
	int		   *group = palloc(sizeof(int) * (bundle->count + 1));

	for_each(bundle, NEW_OR_REPLACED, find_targets);
	for (int i = 0; i < bundle->count; i++)
		edges[i] = bundle->members[i].edges;
	(void) ev_find_circles(edges, bundle->count, group);
	for (int i = 0; i < bundle->count; i++)
		bundle->members[i].group = group[i];
}

/* ---------- checks ---------- */

static void
check_claims(Bundle *bundle, BundleMember *member)
{
	EvDocument	document;
	EvMentions	mentions;

	read_document(bundle, member, &document);
	mentions = ev_document_mentions(&document);
	ev_claims_check(&document, &mentions, NULL, bundle->created);
}

static void
compile(Bundle *bundle, BundleMember *member)
{
	EvDocument	document;
	EvMentions	mentions;

	read_document(bundle, member, &document);
	mentions = ev_document_mentions(&document);
	if (ev_validator_compile(&document, &mentions, true, bundle->warned < WARNED_DOCUMENTS,
							 member->is_compiled ? &member->warnings : NULL))
		bundle->warned++;
}

static int
compare_by_name(const void *a, const void *b)
{
	return strcmp((*(BundleMember *const *) a)->registered.name, (*(BundleMember *const *) b)->registered.name);
}

/* Returns the member with a name, or NULL. */
static BundleMember *
find_member(Bundle *bundle, char *name)
{
	BundleMember key = {.registered.name = name};
	BundleMember *key_pointer = &key;
	BundleMember **found;

	if (bundle->by_name == NULL)
	{
		bundle->by_name = MemoryContextAllocHuge(bundle->context, sizeof(BundleMember *) * bundle->count);
		for (int i = 0; i < bundle->count; i++)
			bundle->by_name[i] = &bundle->members[i];
		qsort(bundle->by_name, bundle->count, sizeof(BundleMember *), compare_by_name);
	}
	found = bsearch(&key_pointer, bundle->by_name, bundle->count, sizeof(BundleMember *), compare_by_name);
	return found != NULL ? *found : NULL;
}

/*
 * Returns the number of the member that causes a fault of another one, which
 * refers to it: it has a fault itself, or could not be created.  Returns -1 if
 * there is none.
 */
static int
find_cause(Bundle *bundle, const EvFault *fault)
{
	const CreatedMember *created = OidIsValid(fault->other) ?
		hash_search(bundle->created, &fault->other, HASH_FIND, NULL) : NULL;
	BundleMember *missing = fault->missing != NULL ? find_member(bundle, ev_reference_name(fault->missing)) : NULL;

	if (created != NULL)
		return created->member;
	return missing != NULL ? missing - bundle->members : -1;
}

/* Adds the faults of a member, as ev_validator_faults() finds them. */
static void
find_faults(Bundle *bundle, BundleMember *member, bool own_only)
{
	EvDocument	document;
	int			located = 0;
	ListCell   *cell;

	read_document(bundle, member, &document);
	foreach(cell, ev_validator_faults(&document, own_only))
	{
		EvFault    *fault = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (located++ < EV_BUNDLE_SHOWN_OF_ONE)
			ev_document_locate(&document, fault);
		ev_bundle_add_fault(bundle->faults, member - bundle->members, fault, shown_name(member),
							find_cause(bundle, fault));
	}
}

/* Adds all faults of a member that cannot be compiled. */
static void
add_faults(Bundle *bundle, BundleMember *member)
{
	find_faults(bundle, member, false);
}

/* The same, without those of documents to which others refer. */
static void
add_own_faults(Bundle *bundle, BundleMember *member)
{
	find_faults(bundle, member, true);
}

static bool
is_of_same_type(const BundleMember *a, const BundleMember *b)
{
	return a->registered.type_length == b->registered.type_length &&
		memcmp(a->registered.name, b->registered.name, a->registered.type_length) == 0;
}

/* Compares a new version with those that were registered before it. */
static void
check_compatibility(Bundle *bundle, BundleMember *member)
{
	EvDocument	document;
	List	   *later = NIL;

	/* a document has no versions */
	if (!is_event(member))
		return;
	read_document(bundle, member, &document);
	for (BundleMember *other = member + 1;
		 other < bundle->members + bundle->count && is_of_same_type(member, other); other++)
		if (other->action == REGISTERED)
			later = lappend_oid(later, other->registered.function);
	ev_compatibility_check(&document, later);
}

/*
 * Compiles a member.  If that fails, records all its faults.  If none is
 * found, the error itself is the fault, for example an ambiguous reference.
 */
static void
compile_or_add_faults(Bundle *bundle, BundleMember *member)
{
	BundleStep	compiling = {bundle, member, compile};
	int			number = member - bundle->members;
	ErrorData  *error = ev_in_subtransaction(run_step, &compiling, EV_KEEP);

	if (error == NULL)
		return;
	if (!ev_bundle_is_fault(error))
		ReThrowError(error);
	if (try_step(bundle, member, add_faults) && !ev_bundle_has_faults(bundle->faults, number))
		ev_bundle_add_error(bundle->faults, number, error, shown_name(member));
}

/* Members that refer to each other. */
typedef struct Circle
{
	Bundle	   *bundle;
	BundleMember **members;
	int			count;
} Circle;

static void
compile_circle(void *arg)
{
	Circle	   *circle = arg;
	EvDocument *documents = palloc(sizeof(EvDocument) * circle->count);
	List	  **warnings = palloc0(sizeof(List *) * circle->count);

	for (int i = 0; i < circle->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		read_document(circle->bundle, circle->members[i], &documents[i]);
		if (!ev_claims_has_its_ids(&documents[i]))
			return;
	}
	if (!ev_compile_group(documents, circle->count, ev_registry_resolve, warnings))
		return;
	for (int i = 0; i < circle->count; i++)
	{
		circle->members[i]->is_compiled = true;
		circle->members[i]->warnings = warnings[i];
	}
}

/*
 * Looks for faults in the members of a circle that could not be compiled together.  If
 * one has faults, none of the others can be compiled: they are not checked further, but
 * for faults of their own.  Returns whether there are any.
 */
static bool
find_faults_of_circle(Circle *circle)
{
	Bundle	   *bundle = circle->bundle;
	bool		found = false;

	for (int i = 0; i < circle->count; i++)
	{
		MemoryContextReset(bundle->scratch);
		(void) try_step(bundle, circle->members[i], add_own_faults);
		found |= ev_bundle_has_faults(bundle->faults, circle->members[i] - bundle->members);
	}
	for (int i = 0; i < circle->count && found; i++)
		circle->members[i]->action = NOT_KNOWN;
	return found;
}

/*
 * Compiles the members of a circle together, since compiling one of them alone
 * compiles all others too.  If that fails, and no fault is found in any of them,
 * compiles each alone.  The warnings point into the compiled documents, whose memory
 * is kept until the members were checked.
 */
static void
check_circle(Circle *circle)
{
	Bundle	   *bundle = circle->bundle;
	MemoryContext context = AllocSetContextCreate(bundle->context, "event_validate circle", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	bool		has_faults = false;

	if (circle->count > 1)
	{
		ErrorData  *error = ev_in_subtransaction(compile_circle, circle, EV_KEEP);

		if (error != NULL && !ev_bundle_is_fault(error))
			ReThrowError(error);
		has_faults = !circle->members[0]->is_compiled && find_faults_of_circle(circle);
	}
	for (int i = 0; i < circle->count && !has_faults; i++)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(bundle->scratch);
		MemoryContextSwitchTo(bundle->scratch);
		compile_or_add_faults(bundle, circle->members[i]);
		circle->members[i]->is_compiled = false;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

static int
compare_groups(const void *a, const void *b)
{
	const BundleMember *x = *(BundleMember *const *) a;
	const BundleMember *y = *(BundleMember *const *) b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Compiles all members without faults, circle by circle. */
static void
compile_all(Bundle *bundle)
{
	Circle		circle = {.bundle = bundle};
	BundleMember **members = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(BundleMember *) * (bundle->count + 1));
	int			count = 0;

	for (BundleMember *member = bundle->members; member < bundle->members + bundle->count; member++)
		if (is_next(bundle, member, NEW_OR_REPLACED))
			members[count++] = member;
	qsort(members, count, sizeof(BundleMember *), compare_groups);
	for (int i = 0; i < count; i += circle.count)
	{
		circle.members = members + i;
		circle.count = 1;
		while (i + circle.count < count && members[i + circle.count]->group == members[i]->group)
			circle.count++;
		check_circle(&circle);
	}
}

static void
check_all(Bundle *bundle)
{
	try_for_each(bundle, ACTION(REGISTERED), check_claims);
	find_circles(bundle);
	compile_all(bundle);
	try_for_each(bundle, ACTION(REGISTERED), check_compatibility);
}

/* ---------- dependencies ---------- */

static int
compare_targets(const ListCell *a, const ListCell *b)
{
	Oid			x = ((const BundleTarget *) lfirst(a))->function;
	Oid			y = ((const BundleTarget *) lfirst(b))->function;

	return x < y ? -1 : x > y;
}

/*
 * Records the dependencies of a member.  In a circle, only those on members
 * with a lower number are recorded, which form no circle.  New members come
 * first, since no existing function depends on them yet.  A dependency of a
 * replaced member can form a circle with dependencies that were recorded
 * before, so the search must see these.
 */
static void
record_dependencies(Bundle *bundle, BundleMember *member)
{
	Oid			last = InvalidOid;
	ListCell   *cell;

	if (member->action == REPLACED)
		CommandCounterIncrement();
	list_sort(member->targets, compare_targets);
	foreach(cell, member->targets)
	{
		const BundleTarget *target = lfirst(cell);
		bool		is_new = target->member >= 0 && member->action == REGISTERED;

		CHECK_FOR_INTERRUPTS();
		if (target->function == last)
			continue;
		last = target->function;
		if (is_new && bundle->members[target->member].group == member->group &&
			target->member > member - bundle->members)
			continue;
		ev_validator_depend(member->registered.function, target->function, target->uri, is_new);
	}
}

/* ---------- the bundle ---------- */

static int
compare_members(const void *a, const void *b)
{
	return ev_compare_registered(&((const BundleMember *) a)->registered, &((const BundleMember *) b)->registered);
}

/* Raises an error for the first two keys that name one schema. */
static void
refuse_equal_members(const Bundle *bundle)
{
	for (int i = 1; i < bundle->count; i++)
		if (bundle->members[i].key_error == NULL && bundle->members[i - 1].key_error == NULL &&
			strcmp(bundle->members[i].registered.name, bundle->members[i - 1].registered.name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" and \"%s\" are the same schema", bundle->members[i - 1].key,
							bundle->members[i].key)));
}

/* Reads the keys of the bundle, without the documents. */
static void
read_members(Bundle *bundle, Jsonb *value)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;

	if (!JB_ROOT_IS_OBJECT(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a bundle must be an object"),
				 errhint("Its keys are TYPE@VERSION or the URIs of documents, and its values are schemas.")));
	bundle->members = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(BundleMember) * (JB_ROOT_COUNT(value) + 1));
	iterator = JsonbIteratorInit(&value->root);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		BundleMember *member = &bundle->members[bundle->count];

		if (token != WJB_KEY)
			continue;
		CHECK_FOR_INTERRUPTS();
		memset(member, 0, sizeof(BundleMember));
		member->key = pnstrdup(key.val.string.val, key.val.string.len);
		member->registered.name = member->key;
		member->registered.type_length = -1;
		(void) JsonbIteratorNext(&iterator, &member->value, true);
		member->key_error = ev_in_subtransaction(read_key, member, EV_KEEP);
		if (member->key_error != NULL && !ev_bundle_is_fault(member->key_error))
			ReThrowError(member->key_error);
		bundle->count++;
	}
	qsort(bundle->members, bundle->count, sizeof(BundleMember), compare_members);
	refuse_equal_members(bundle);
}

static List *
versions_of(const Bundle *bundle)
{
	List	   *versions = NIL;

	for (int i = 0; i < bundle->count; i++)
		if (is_event(&bundle->members[i]))
			versions = lappend(versions, bundle->members[i].registered.name);
	return versions;
}

/* Gives the NOTICE about views that are behind, for the last version of a type. */
static void
notice_views(Bundle *bundle, BundleMember *member)
{
	const BundleMember *next = member + 1;

	if (is_event(member) &&
		(next == bundle->members + bundle->count || !is_of_same_type(member, next)))
		ev_view_followers_notice(member->registered.name);
}

static void
register_all(Bundle *bundle)
{
	for (int i = 0; i < bundle->count; i++)
		if (bundle->members[i].key_error != NULL)
			ev_bundle_add_error(bundle->faults, i, bundle->members[i].key_error, bundle->members[i].key);
	try_for_each(bundle, ACTION(NOT_KNOWN), look_at);
	for_each(bundle, ACTION(NOT_KNOWN), add_names_of);
	ev_names_lock(bundle->to_lock);
	try_for_each(bundle, ACTION(NOT_KNOWN), decide);
	for_each(bundle, NEW_OR_REPLACED, create);
	check_all(bundle);
	ev_bundle_report_faults(bundle->faults);
	for_each(bundle, ACTION(REGISTERED), record_dependencies);
	for_each(bundle, ACTION(REPLACED), record_dependencies);
	CommandCounterIncrement();
	for_each(bundle, ACTION(REGISTERED), notice_views);
}

static void
put_members(const Bundle *bundle, ReturnSetInfo *result)
{
	for (int i = 0; i < bundle->count; i++)
	{
		const BundleMember *member = &bundle->members[i];
		Datum		values[3];
		bool		nulls[3] = {0};

		values[0] = CStringGetTextDatum(shown_name(member));
		values[1] = CStringGetTextDatum(action_names[member->action]);
		values[2] = ObjectIdGetDatum(member->registered.function);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * register_schemas(bundle jsonb, assert_format boolean, breaking boolean,
 * strict boolean, except_formats text[], accept text[], renames jsonb) returns setof (name text, action text,
 * function regprocedure)
 */
Datum
ev_register_schemas(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"bundle", "assert_format", "breaking", "strict"};
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(CreatedMember)};
	Bundle		bundle = {0};
	MemoryContext caller = CurrentMemoryContext;

	ev_require_arguments(fcinfo, 0, lengthof(arguments), arguments);
	InitMaterializedSRF(fcinfo, 0);
	bundle.context = AllocSetContextCreate(caller, "event_validate bundle", ALLOCSET_DEFAULT_SIZES);
	bundle.scratch = AllocSetContextCreate(bundle.context, "event_validate schema of a bundle", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(bundle.context);
	bundle.assert_format = PG_GETARG_BOOL(1);
	if (!PG_ARGISNULL(4))
		bundle.except_formats = ev_format_set_argument(PG_GETARG_DATUM(4), bundle.assert_format);
	bundle.breaking = PG_GETARG_BOOL(2);
	bundle.strict = PG_GETARG_BOOL(3);
	read_members(&bundle, PG_GETARG_JSONB_P(0));
	ev_bundle_options(fcinfo, 5, bundle.breaking, versions_of(&bundle), &bundle.options);
	PreventCommandIfReadOnly("CREATE FUNCTION");
	bundle.faults = ev_bundle_faults_make(bundle.count);
	control.hcxt = bundle.context;
	bundle.created = hash_create("event_validate bundle", bundle.count + 1, &control,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	ev_registry_keep_documents(true);
	PG_TRY();
	{
		register_all(&bundle);
	}
	PG_FINALLY();
	{
		ev_registry_keep_documents(false);
	}
	PG_END_TRY();

	MemoryContextSwitchTo(caller);
	put_members(&bundle, (ReturnSetInfo *) fcinfo->resultinfo);
	if (bundle.warned > WARNED_DOCUMENTS)
		ereport(WARNING,
				(errmsg("%d more schemas have warnings", bundle.warned - WARNED_DOCUMENTS),
				 errhint("lint_event_schema lists those of a schema.")));
	MemoryContextDelete(bundle.context);
	return (Datum) 0;
}
