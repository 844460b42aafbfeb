/*
 * changes.c
 *	  Compares two schemas: lists the changes, and whether they are
 *	  compatible.
 *
 * Runs the parts of the comparison.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "changes/changes_internal.h"
#include "registry/schema_cache.h"

static const char *const rule_names[] = {
#define EV_CHANGE_RULE(name, description) #name,
	EV_CHANGE_RULES(EV_CHANGE_RULE)
#undef EV_CHANGE_RULE
};

const char *
ev_change_rule_name(EvChangeRule rule)
{
	return rule_names[rule];
}

bool
ev_change_rule_exists(const char *name)
{
	for (int i = 0; i < (int) lengthof(rule_names); i++)
		if (strcmp(rule_names[i], name) == 0)
			return true;
	return false;
}

const char *
ev_verdict_name(EvVerdict verdict)
{
	static const char *const names[] = {"compatible", "unknown", "incompatible"};

	return names[verdict];
}

EvSubschema *
ev_prover_read(EvCompiler *c, const EvDocument *document, EvResolver resolver)
{
	EvFault    *fault = palloc0(sizeof(EvFault));
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext program = AllocSetContextCreate(caller, "event_validate program",
												  ALLOCSET_DEFAULT_SIZES);
	EvSubschema *root;

	/* compiling finds more faults than resolving the references */
	MemoryContextSwitchTo(program);
	if (ev_compile(document, resolver, fault, NULL, NULL) == NULL)
	{
		ev_document_locate(document, fault);
		ev_fault_report(fault, document->name);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(program);
	c->document = document;
	c->resolver = resolver;
	c->fault = fault;
	ev_compiler_init(c, CurrentMemoryContext);
	root = ev_resolve_references(c);
	if (root == NULL)
		ev_fault_report(fault, document->name);
	return root;
}

EvVerdict
ev_compare_schemas(const EvDocument *old, const EvDocument *new, EvResolver resolver,
				   bool lenient, int64 *work, EvVerdict *forward, List **changes)
{
	return ev_compare_schemas_resolved(old, resolver, new, resolver, lenient, work, forward, changes);
}

/*
 * Lists the changes, in p->changes.  Returns false if the comparison ended
 * early.
 */
static bool
compare(EvProver *p, bool lenient)
{
	sigjmp_buf	out;
	EvSchemaSet *old;
	EvSchemaSet *new;

	if (sigsetjmp(out, 0) != 0)
	{
		MemoryContextSwitchTo(p->context);
		return false;
	}
	p->give_up = &out;
	ev_prover_init(p);
	ev_find_equal_schemas(p);
	old = ev_set_written_of(p, p->old_root);
	new = ev_set_written_of(p, p->new_root);
	ev_list_changes(p, old, new, lenient ? ev_scope_make(p, old, new) : NULL);
	p->give_up = NULL;
	return true;
}

/*
 * Adds the change for a comparison that ended early.  Changes that were found
 * to be incompatible so far may be compatible for the whole.
 */
static void
add_too_large(EvProver *p)
{
	EvVerdict	verdict = p->roots_same ? EV_COMPATIBLE : EV_UNKNOWN;
	EvChange   *change = palloc(sizeof(EvChange));
	ListCell   *cell;

	foreach(cell, p->changes)
	{
		EvChange   *known = lfirst(cell);

		known->backward = Min(known->backward, verdict);
		known->forward = Min(known->forward, verdict);
	}
	change->rule = EV_CHANGE_COMPARISON_TOO_LARGE;
	change->location = "";
	change->backward = change->forward = verdict;
	change->message = psprintf("The comparison was given up after %s; other changes may be missing.", p->spent);
	p->changes = lappend(p->changes, change);
}

EvVerdict
ev_compare_schemas_resolved(const EvDocument *old, EvResolver old_resolver,
							const EvDocument *new, EvResolver new_resolver,
							bool lenient, int64 *work, EvVerdict *forward, List **changes)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "event_validate comparison",
												  ALLOCSET_DEFAULT_SIZES);
	EvDocument	new_copy = *new;
	EvProver   *p;
	ListCell   *cell;
	EvVerdict	backward = EV_COMPATIBLE;

	MemoryContextSwitchTo(scratch);
	p = palloc0(sizeof(EvProver));
	p->old_root = ev_prover_read(&p->old, old, old_resolver);

	/* subschemas are distinguished by address */
	if (new_copy.schema == old->schema)
	{
		new_copy.schema = palloc(VARSIZE(new->schema));
		memcpy(new_copy.schema, new->schema, VARSIZE(new->schema));
	}
	p->new_root = ev_prover_read(&p->new, &new_copy, new_resolver);
	ev_budget_start(p, work != NULL ? Min(*work, EV_COMPARISON_WORK) : EV_COMPARISON_WORK);
	if (!compare(p, lenient))
		add_too_large(p);
	if (work != NULL)
		*work = Max(*work - p->work - p->unseen, 0);
	MemoryContextSwitchTo(caller);

	*changes = NIL;
	*forward = EV_COMPATIBLE;
	foreach(cell, p->changes)
	{
		EvChange   *change = palloc(sizeof(EvChange));

		CHECK_FOR_INTERRUPTS();
		*change = *(EvChange *) lfirst(cell);
		backward = Max(backward, change->backward);
		*forward = Max(*forward, change->forward);
		change->location = pstrdup(change->location);
		change->message = pstrdup(change->message);
		*changes = lappend(*changes, change);
	}
	MemoryContextDelete(scratch);
	return backward;
}
