/*
 * metaschema_check.c
 *	  Compiles new documents, and validates them against their meta-schema.
 */
#include "postgres.h"

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

typedef struct FaultCollector
{
	EvCollector collector;
	EvFault    *fault;
	MemoryContext context;		/* for the strings of the fault */
} FaultCollector;

static void
add_fault(EvCollector *collector, const EvViolation *violation)
{
	FaultCollector *faults = (FaultCollector *) collector;

	faults->fault->location = MemoryContextStrdup(faults->context, violation->instance_location);
	faults->fault->message = MemoryContextStrdup(faults->context, violation->message);
}

/*
 * Validates a document against the meta-schema in its $schema (2020-12 if
 * there is none).  Returns false, with *fault filled in CurrentMemoryContext,
 * if it is not valid.
 */
static bool
is_valid_schema(const EvDocument *document, EvResolver resolver, EvFault *fault)
{
	EvProgram  *program = NULL;
	JsonbValue	value;
	char	   *uri = NULL;
	EvDraft		draft = document->draft_known ? document->draft : EV_DRAFT2020;
	FaultCollector faults = {.collector = {.add = add_fault, .limit = 1}, .fault = fault, .context = CurrentMemoryContext};

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
			return true;
		program = ev_compile(&metaschema, resolver, &metaschema_fault, NULL, NULL);
		if (program == NULL)
		{
			fault->location = "/$schema";
			fault->message = psprintf("its meta-schema is not valid at \"%s\": %s",
									  metaschema_fault.location, metaschema_fault.message);
			return false;
		}
	}
	if (ev_match(program, document->schema))
		return true;

	fault->hint = psprintf("The meta-schema is \"%s\".", uri != NULL ? uri : ev_draft_uri(draft));
	ev_match_collect(program, document->schema, &faults.collector);
	return false;
}

EvProgram *
ev_compile_checked(const EvDocument *document, EvResolver resolver, EvFault *fault,
				   List **references, List **warnings)
{
	EvProgram  *program = ev_compile(document, resolver, fault, references, warnings);

	return program != NULL && is_valid_schema(document, resolver, fault) ? program : NULL;
}
