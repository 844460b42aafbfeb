/*
 * metaschema_check.c
 *	  Compiles new documents, and validates them against their meta-schema.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "compile/codegen.h"
#include "compile/metaschema_check.h"
#include "match/interpret.h"
#include "schema/keywords.h"
#include "schema/metaschema.h"
#include "schema/uri.h"

/*
 * Returns the program of a draft's meta-schema, which each backend compiles
 * once.
 */
static EvProgram *
draft_program(EvDraft draft)
{
	static EvProgram *programs[EV_DRAFT_COUNT];
	EvDocument	document;
	EvFault		fault = {0};
	EvProgram  *program;
	MemoryContext caller;
	MemoryContext context;

	if (programs[draft] != NULL)
		return programs[draft];

	if (!ev_metaschema_find(ev_draft_uri(draft), &document))
		elog(ERROR, "meta-schema \"%s\" is missing", ev_draft_uri(draft));
	context = AllocSetContextCreate(CurrentMemoryContext, "event_validate meta-schema",
									ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	program = ev_compile(&document, NULL, &fault, NULL, NULL);
	MemoryContextSwitchTo(caller);
	if (program == NULL)
		ev_fault_report(&fault, ev_draft_uri(draft));
	MemoryContextSetParent(context, CacheMemoryContext);
	programs[draft] = program;
	return program;
}

/* The maximum number of violations of a meta-schema in a list of faults. */
#define MAX_FAULTS	1000

typedef struct FaultCollector
{
	EvCollector collector;
	List	   *faults;			/* of EvFault */
	char	   *hint;			/* of each fault */
	MemoryContext context;		/* for the faults */
} FaultCollector;

static void
add_fault(EvCollector *collector, const EvViolation *violation)
{
	FaultCollector *faults = (FaultCollector *) collector;
	MemoryContext caller = MemoryContextSwitchTo(faults->context);
	EvFault    *fault = palloc0(sizeof(EvFault));

	fault->rule = EV_RULE_META_SCHEMA;
	fault->location = pstrdup(violation->instance_location);
	fault->message = pstrdup(violation->message);
	fault->hint = faults->hint;
	faults->faults = lappend(faults->faults, fault);
	MemoryContextSwitchTo(caller);
}

/*
 * Validates a document against the meta-schema in its $schema (2020-12 if
 * there is none).  Returns up to `limit` violations as a List of EvFault in
 * CurrentMemoryContext; NIL if the document is valid.
 */
static List *
metaschema_faults(const EvDocument *document, EvResolver resolver, int limit)
{
	EvProgram  *program = NULL;
	JsonbValue	value;
	char	   *uri = NULL;
	EvDraft		draft = document->draft_known ? document->draft : EV_DRAFT2020;
	FaultCollector faults = {.collector = {.add = add_fault, .limit = limit}, .context = CurrentMemoryContext};

	if (JB_ROOT_IS_OBJECT(document->schema) &&
		getKeyJsonValueFromContainer(&document->schema->root, "$schema", 7, &value) != NULL &&
		value.type == jbvString)
		uri = pnstrdup(value.val.string.val, value.val.string.len);

	if (uri == NULL || ev_draft_of_uri(uri) >= 0)
		program = draft_program(uri != NULL ? (EvDraft) ev_draft_of_uri(uri) : draft);
	else
	{
		EvDocument	metaschema = {0};
		EvFault		metaschema_fault = {0};
		char	   *fragment;
		char	   *absolute = ev_uri_resolve("", uri, &fragment);

		/* the compiler has read it, so it exists */
		if (!ev_metaschema_find(absolute, &metaschema) &&
			(resolver == NULL || !resolver(absolute, &metaschema)))
			return NIL;
		program = ev_compile(&metaschema, resolver, &metaschema_fault, NULL, NULL);
		if (program == NULL)
		{
			EvFault    *fault = palloc0(sizeof(EvFault));

			fault->rule = EV_RULE_INVALID_DIALECT;
			fault->location = "/$schema";
			fault->message = psprintf("its meta-schema is not valid at \"%s\": %s",
									  metaschema_fault.location, metaschema_fault.message);
			return list_make1(fault);
		}
	}
	if (ev_match(program, document->schema))
		return NIL;

	faults.hint = psprintf("The meta-schema is \"%s\".", uri != NULL ? uri : ev_draft_uri(draft));
	ev_match_collect(program, document->schema, &faults.collector);
	return faults.faults;
}

bool
ev_metaschema_check(const EvDocument *document, EvResolver resolver, EvFault *fault)
{
	List	   *faults = metaschema_faults(document, resolver, 1);

	if (faults != NIL)
		*fault = *(EvFault *) linitial(faults);
	return faults == NIL;
}

EvProgram *
ev_compile_checked(const EvDocument *document, EvResolver resolver, EvFault *fault,
				   List **references, List **warnings)
{
	EvProgram  *program = ev_compile(document, resolver, fault, references, warnings);

	return program != NULL && ev_metaschema_check(document, resolver, fault) ? program : NULL;
}

/* Is the dialect valid, so that there is a meta-schema? */
static bool
has_dialect(List *faults)
{
	ListCell   *cell;

	foreach(cell, faults)
		if (((EvFault *) lfirst(cell))->rule == EV_RULE_INVALID_DIALECT)
		return false;
	return true;
}

/* A meta-schema can report a violation several times, by different keywords. */
static bool
has_fault(List *faults, const EvFault *fault)
{
	ListCell   *cell;

	foreach(cell, faults)
	{
		const EvFault *other = lfirst(cell);

		if (other->location != NULL && strcmp(other->location, fault->location) == 0 &&
			strcmp(other->message, fault->message) == 0)
			return true;
	}
	return false;
}

/* Is there a fault at this location, around it or inside it? */
static bool
has_fault_at(List *faults, const char *location)
{
	ListCell   *cell;

	foreach(cell, faults)
	{
		const char *other = ((EvFault *) lfirst(cell))->location;
		int			common = Min(strlen(other), strlen(location));

		CHECK_FOR_INTERRUPTS();
		if (strncmp(other, location, common) == 0 &&
			(other[common] == '\0' || other[common] == '/') &&
			(location[common] == '\0' || location[common] == '/'))
			return true;
	}
	return false;
}

List *
ev_document_faults(const EvDocument *document, EvResolver resolver, bool own_only, List **warnings)
{
	List	   *found = ev_compile_faults(document, resolver, own_only, warnings);
	List	   *faults = list_copy(found);
	ListCell   *cell;

	if (has_dialect(found))
		foreach(cell, metaschema_faults(document, resolver, MAX_FAULTS))
	{
		EvFault    *fault = lfirst(cell);

		/* probably it is the same fault in other words */
		if (!has_fault_at(found, fault->location) && !has_fault(faults, fault))
			faults = lappend(faults, fault);
	}
	return faults;
}
