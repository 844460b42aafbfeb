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

#define LISTING_SHARE	10		/* the part of the work for listing changes of
								 * a comparison that was given up */

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

/* Raises an error if a document is not valid. */
static void
require_valid(const EvDocument *document, EvResolver resolver)
{
	EvFault    *fault = palloc0(sizeof(EvFault));
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext program = AllocSetContextCreate(caller, "event_validate program",
												  ALLOCSET_DEFAULT_SIZES);

	/* compiling finds more faults than resolving the references */
	MemoryContextSwitchTo(program);
	if (ev_compile(document, resolver, fault, NULL, NULL) == NULL)
	{
		ev_document_locate(document, fault);
		ev_fault_report(fault, document->name);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(program);
	pfree(fault);
}

/* Reads a valid document, see ev_prover_read(). */
static EvSubschema *
read_valid(EvCompiler *c, const EvDocument *document, EvResolver resolver)
{
	EvSubschema *root;

	c->document = document;
	c->resolver = resolver;
	c->fault = palloc0(sizeof(EvFault));
	ev_compiler_init(c, CurrentMemoryContext);
	root = ev_resolve_references(c);
	if (root == NULL)
		ev_fault_report(c->fault, document->name);
	return root;
}

EvSubschema *
ev_prover_read(EvCompiler *c, const EvDocument *document, EvResolver resolver)
{
	require_valid(document, resolver);
	return read_valid(c, document, resolver);
}

EvVerdict
ev_compare_schemas(const EvDocument *old, const EvDocument *new, EvResolver resolver,
				   bool lenient, int64 *work, EvVerdict *forward, List **changes)
{
	return ev_compare_schemas_resolved(old, resolver, new, resolver, lenient, work, forward, changes);
}

/* ---------- the order of the documents ---------- */

/*
 * The limits end some searches, and what was found before helps those that
 * follow.  So that a change and its undoing get the same verdicts, everything is done
 * in an order that only depends on the two documents: the one that comes first by its
 * contents is read first, and is the old one in the first pass.  The second pass is
 * the other way round.  It is left out if its changes are not the wanted ones, and the
 * first one has answers to everything.  If the first one has them, the second one lists
 * the changes, and decides nothing.
 */

static int
compare_sizes(uint64 a, uint64 b)
{
	return a < b ? -1 : a > b;
}

/* Returns the order of two documents by what they say, without those that they refer to. */
static int
compare_documents(const EvDocument *a, const EvDocument *b)
{
	int			order = compare_sizes(VARSIZE(a->schema), VARSIZE(b->schema));

	if (order == 0)
		order = memcmp(VARDATA(a->schema), VARDATA(b->schema), VARSIZE(a->schema) - VARHDRSZ);
	if (order == 0)
		order = compare_sizes(a->assert_format, b->assert_format);
	if (order == 0)
		order = compare_sizes(a->except_formats, b->except_formats);
	if (order == 0)
		order = compare_sizes(a->draft_known ? 1 + a->draft : 0, b->draft_known ? 1 + b->draft : 0);
	return order;
}

/* The same for schema resources. */
static int
compare_resources(const EvResource *a, const EvResource *b)
{
	int			order = compare_sizes(a->draft, b->draft);

	if (order == 0)
		order = compare_sizes(a->vocabularies, b->vocabularies);
	if (order == 0)
		order = compare_sizes(a->assert_format, b->assert_format);
	if (order == 0)
		order = compare_sizes(a->except_formats, b->except_formats);
	if (order == 0)
		order = compare_sizes(a->root->is_boolean ? 1 + a->root->boolean : 0,
							  b->root->is_boolean ? 1 + b->root->boolean : 0);
	if (order == 0 && !a->root->is_boolean)
		order = compareJsonbContainers(unconstify(JsonbContainer *, a->root->container),
									   unconstify(JsonbContainer *, b->root->container));
	return order;
}

/* Returns the order of the documents of a prover by those that they refer to. */
static int
compare_references(const EvProver *p)
{
	ListCell   *cell;
	ListCell   *other;
	int			order = compare_sizes(list_length(p->old.resources), list_length(p->new.resources));

	forboth(cell, p->old.resources, other, p->new.resources)
	{
		if (order == 0)
			order = compare_resources(lfirst(cell), lfirst(other));
	}
	return order;
}

/* Exchanges the old and the new document. */
static void
exchange(EvProver *p)
{
	EvCompiler	compiler = p->old;
	EvSubschema *root = p->old_root;

	p->old = p->new;
	p->new = compiler;
	p->old_root = p->new_root;
	p->new_root = root;
}

/* The result of a pass. */
typedef struct Pass
{
	EvVerdict	backward;
	EvVerdict	forward;
	bool		ended_early;
	bool		lacks_changes;	/* those in the other order were listed */
	List	   *changes;		/* of EvChange */
} Pass;

/*
 * Lists the changes.  scope: whether the reading is lenient; set to the scope of the
 * first pass, which the second one uses again.
 */
static Pass
run_pass(EvProver *p, bool lenient, EvScope *volatile *scope)
{
	Pass		result = {EV_COMPATIBLE, EV_COMPATIBLE, false, false, NIL};
	sigjmp_buf	out;
	ListCell   *cell;

	p->changes = NIL;
	p->proved_backward = p->proved_forward = false;
	p->is_single = false;		/* a pass can end in such a proof */
	p->give_up = &out;
	if (sigsetjmp(out, 0) != 0)
	{
		MemoryContextSwitchTo(p->context);
		p->give_up = NULL;
		result.ended_early = true;
		result.changes = p->changes;
		result.backward = p->roots_same || p->proved_backward ? EV_COMPATIBLE : EV_UNKNOWN;
		result.forward = p->roots_same || p->proved_forward ? EV_COMPATIBLE : EV_UNKNOWN;
		return result;
	}
	if (p->anything == NULL)
	{
		ev_prover_init(p);
		ev_find_equal_schemas(p);
	}
	{
		EvSchemaSet *old = ev_set_written_of(p, p->old_root);
		EvSchemaSet *new = ev_set_written_of(p, p->new_root);

		if (lenient && *scope == NULL)
			*scope = ev_scope_make(p, old, new);
		ev_list_changes(p, old, new, *scope);
	}
	p->give_up = NULL;
	foreach(cell, p->changes)
	{
		result.backward = Max(result.backward, ((EvChange *) lfirst(cell))->backward);
		result.forward = Max(result.forward, ((EvChange *) lfirst(cell))->forward);
	}
	result.changes = p->changes;
	return result;
}

/*
 * Returns the verdict of two passes: a proof counts most, since a plain restriction
 * is called incompatible without a value.
 */
static EvVerdict
verdict_of(EvVerdict first, EvVerdict second)
{
	return first == EV_COMPATIBLE || second == EV_COMPATIBLE ? EV_COMPATIBLE : Max(first, second);
}

static void
add_change(Pass *pass, EvChangeRule rule, EvVerdict backward, EvVerdict forward, const char *message)
{
	EvChange   *change = palloc(sizeof(EvChange));

	change->rule = rule;
	change->location = "";
	change->backward = backward;
	change->forward = forward;
	change->message = pstrdup(message);
	pass->changes = lappend(pass->changes, change);
}

/*
 * Gives the changes of a pass the verdicts of those of the other pass at the same
 * location that are unknown here and incompatible there.
 */
static void
take_refutations_in_budget(EvProver *p, Pass *pass, const Pass *other)
{
	ListCell   *cell;
	ListCell   *other_cell;

	foreach(cell, pass->changes)
	{
		EvChange   *change = lfirst(cell);

		if ((change->backward != EV_UNKNOWN && change->forward != EV_UNKNOWN) ||
			change->rule == EV_CHANGE_COMPARISON_TOO_LARGE)
			continue;
		ev_spend(p, 5 * list_length(other->changes));
		foreach(other_cell, other->changes)
		{
			const EvChange *there = lfirst(other_cell);

			if (strcmp(there->location, change->location) != 0 || there->rule == EV_CHANGE_COMPARISON_TOO_LARGE)
				continue;
			if (change->backward == EV_UNKNOWN)
				change->backward = Max(there->forward, EV_UNKNOWN);
			if (change->forward == EV_UNKNOWN)
				change->forward = Max(there->backward, EV_UNKNOWN);
		}
	}
}

/* The same; verdicts stay unknown if the budget is used up before. */
static void
take_refutations(EvProver *p, Pass *pass, const Pass *other)
{
	sigjmp_buf	out;

	p->give_up = &out;
	if (sigsetjmp(out, 0) == 0)
		take_refutations_in_budget(p, pass, other);
	else
		MemoryContextSwitchTo(p->context);
	p->give_up = NULL;
}

/* Gives the changes of a pass the verdicts that are known of the whole. */
static void
settle(Pass *pass, EvVerdict backward, EvVerdict forward)
{
	EvVerdict	worst_backward = EV_COMPATIBLE;
	EvVerdict	worst_forward = EV_COMPATIBLE;
	ListCell   *cell;

	foreach(cell, pass->changes)
	{
		EvChange   *change = lfirst(cell);

		change->backward = Min(change->backward, backward);
		change->forward = Min(change->forward, forward);
		worst_backward = Max(worst_backward, change->backward);
		worst_forward = Max(worst_forward, change->forward);
	}
	if (worst_backward < backward || worst_forward < forward)
		add_change(pass, EV_CHANGE_SCHEMA_CHANGED, worst_backward < backward ? backward : EV_COMPATIBLE,
				   worst_forward < forward ? forward : EV_COMPATIBLE,
				   "The set of accepted values changed; it is not known by which keyword.");
	pass->backward = backward;
	pass->forward = forward;
}

/*
 * Adds the change for a comparison that ended early.  Changes that were found
 * to be incompatible so far may be compatible for the whole.
 */
static void
add_too_large(Pass *pass, const char *spent, EvVerdict backward, EvVerdict forward)
{
	ListCell   *cell;

	foreach(cell, pass->changes)
	{
		EvChange   *known = lfirst(cell);

		known->backward = Min(known->backward, backward);
		known->forward = Min(known->forward, forward);
	}
	add_change(pass, EV_CHANGE_COMPARISON_TOO_LARGE, backward, forward,
			   psprintf("The comparison was given up after %s; other changes may be missing.", spent));
	pass->backward = backward;
	pass->forward = forward;
}

/*
 * Compares the documents of a prover in both orders, as far as needed.  exchanged:
 * the old one of the prover is the new one of the result.
 */
static Pass
compare(EvProver *p, bool lenient, bool exchanged)
{
	EvScope    *volatile scope = NULL;
	Pass		first;
	Pass		second;
	Pass		wanted;
	EvVerdict	backward;
	EvVerdict	forward;

	first = run_pass(p, lenient, &scope);
	if (first.ended_early)
	{
		wanted = first;
		wanted.lacks_changes = exchanged;
		wanted.backward = exchanged ? first.forward : first.backward;
		wanted.forward = exchanged ? first.backward : first.forward;
		if (!exchanged)
			add_too_large(&wanted, p->spent, wanted.backward, wanted.forward);
		return wanted;
	}
	if (!exchanged && first.backward != EV_UNKNOWN && first.forward != EV_UNKNOWN)
		return first;

	exchange(p);
	second = run_pass(p, lenient, &scope);

	/* from here on, those of the pass that lists the wanted changes */
	backward = exchanged ? first.forward : first.backward;
	forward = exchanged ? first.backward : first.forward;
	if (!second.ended_early && (first.backward == EV_UNKNOWN || first.forward == EV_UNKNOWN))
	{
		backward = verdict_of(backward, exchanged ? second.backward : second.forward);
		forward = verdict_of(forward, exchanged ? second.forward : second.backward);
	}
	wanted = exchanged ? second : first;
	if (wanted.ended_early)
		add_too_large(&wanted, p->spent, backward, forward);
	else
	{
		if (!second.ended_early)
			take_refutations(p, &wanted, exchanged ? &first : &second);
		settle(&wanted, backward, forward);
	}
	return wanted;
}

/* ---------- the entry ---------- */

/* What is compared. */
typedef struct Comparison
{
	const EvDocument *documents[2];
	EvResolver	resolvers[2];
	bool		exchanged;		/* the second one is read first, as the old
								 * one */
} Comparison;

/* Returns a prover that has read both documents, in CurrentMemoryContext. */
static EvProver *
read_both(const Comparison *comparison)
{
	EvProver   *p = palloc0(sizeof(EvProver));
	EvDocument *copy = palloc(sizeof(EvDocument));
	int			first = comparison->exchanged ? 1 : 0;
	const EvDocument *old = comparison->documents[first];
	const EvDocument *new = comparison->documents[1 - first];

	p->old_root = read_valid(&p->old, old, comparison->resolvers[first]);

	/* subschemas are distinguished by address */
	*copy = *new;
	if (new->schema == old->schema)
	{
		copy->schema = palloc(VARSIZE(new->schema));
		memcpy(copy->schema, new->schema, VARSIZE(new->schema));
	}
	p->new_root = read_valid(&p->new, copy, comparison->resolvers[1 - first]);
	return p;
}

/*
 * Returns a prover that has read both documents in their order, and sets
 * comparison->exchanged.  Resets CurrentMemoryContext, where it is.
 */
static EvProver *
read_in_order(Comparison *comparison)
{
	int			order = compare_documents(comparison->documents[0], comparison->documents[1]);
	EvProver   *p;

	comparison->exchanged = order > 0;
	MemoryContextReset(CurrentMemoryContext);
	p = read_both(comparison);
	if (order != 0 || compare_references(p) <= 0)
		return p;
	comparison->exchanged = true;
	MemoryContextReset(CurrentMemoryContext);
	return read_both(comparison);
}

/*
 * Starts the budget, and switches to a context for what the prover makes: what was
 * needed for reading depends on what the session has read before.
 */
static void
begin_proving(EvProver *p, int64 most_work)
{
	MemoryContextSwitchTo(AllocSetContextCreate(CurrentMemoryContext, "event_validate prover",
												ALLOCSET_DEFAULT_SIZES));
	ev_budget_start(p, most_work);
}

EvVerdict
ev_compare_schemas_resolved(const EvDocument *old, EvResolver old_resolver,
							const EvDocument *new, EvResolver new_resolver,
							bool lenient, int64 *work, EvVerdict *forward, List **changes)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "event_validate comparison",
												  ALLOCSET_DEFAULT_SIZES);
	int64		most_work = work != NULL ? Min(*work, EV_COMPARISON_WORK) : EV_COMPARISON_WORK;
	Comparison	comparison = {.documents = {old, new}, .resolvers = {old_resolver, new_resolver}};
	EvProver   *p;
	Pass		pass;
	ListCell   *cell;

	MemoryContextSwitchTo(scratch);
	require_valid(old, old_resolver);
	require_valid(new, new_resolver);
	p = read_in_order(&comparison);
	begin_proving(p, most_work);
	pass = compare(p, lenient, comparison.exchanged);
	if (work != NULL)
		*work = Max(*work - p->work - p->unseen, 0);
	if (pass.lacks_changes)
	{
		/* list some of them */
		EvScope    *volatile scope = NULL;
		char	   *spent = MemoryContextStrdup(caller, p->spent);

		MemoryContextSwitchTo(scratch);
		p = read_in_order(&comparison);
		exchange(p);
		begin_proving(p, most_work / LISTING_SHARE);
		pass.changes = run_pass(p, lenient, &scope).changes;
		if (work != NULL)
			*work = Max(*work - p->work - p->unseen, 0);
		add_too_large(&pass, spent, pass.backward, pass.forward);
	}
	MemoryContextSwitchTo(caller);

	*changes = NIL;
	foreach(cell, pass.changes)
	{
		EvChange   *change = palloc(sizeof(EvChange));

		CHECK_FOR_INTERRUPTS();
		*change = *(EvChange *) lfirst(cell);
		change->location = pstrdup(change->location);
		change->message = pstrdup(change->message);
		*changes = lappend(*changes, change);
	}
	MemoryContextDelete(scratch);
	*forward = pass.forward;
	return pass.backward;
}
