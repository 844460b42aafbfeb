/*
 * endless.c
 *	  Schemas that refer to themselves for the same instance (2020-12 core, 9.4.1).
 *
 * Each subschema that can be reached from the root has a block in the program. A
 * cycle of blocks is a fault.  A cycle of other subschemas is harmless until
 * something refers to it, so it gives a warning.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "compile/endless.h"

/* ---------- blocks ---------- */

typedef struct EndlessSearch
{
	EvWriter   *writer;
	EvSubschema *from;
} EndlessSearch;

static void find_endless(EvWriter *w, EvSubschema *subschema);

static void
visit_endless(uint32 *block, bool in_place, void *arg)
{
	EndlessSearch *search = arg;
	EvSubschema *target;

	if (!in_place || *block == EV_BLOCK_NONE || *block == EV_BLOCK_TRUE)
		return;
	target = list_nth(search->writer->blocks, *block);
	if (target->visit == 1)
		ev_compile_fault_of(search->writer->compiler, EV_RULE_ENDLESS_REFERENCE, search->from->location, "",
							"refers to itself for the same instance, without end");
	else if (target->visit == 0)
		find_endless(search->writer, target);
}

/* Depth-first search; visit is 1 while a schema is on the path, and 2 after. */
static void
find_endless(EvWriter *w, EvSubschema *subschema)
{
	EndlessSearch search = {w, subschema};
	uint32		end;

	check_stack_depth();
	subschema->visit = 1;
	end = ev_block_end(w->program, subschema->block);
	for (uint32 i = w->program->blocks[subschema->block].start; i < end; i++)
		ev_visit_blocks(&w->program->code[i], visit_endless, &search);
	subschema->visit = 2;
}

void
ev_find_endless(EvWriter *w)
{
	ListCell   *cell;

	foreach(cell, w->blocks)
	{
		EvSubschema *subschema = lfirst(cell);

		if (ev_compile_stops(w->compiler))
			return;
		if (subschema->visit == 0)
			find_endless(w, subschema);
	}
}

/* ---------- subschemas without a block ---------- */

/* A schema on the path of the search, and the schemas that it leads to. */
typedef struct Step
{
	EvSubschema *subschema;
	List	   *targets;
	int			next;			/* index of the next target */
} Step;

static List *
add_target(List *targets, EvSubschema *target)
{
	return target == NULL || target->is_boolean || !target->resource->is_main ? targets :
		lappend(targets, target);
}

/* Adds the schemas in the value of a keyword. */
static List *
add_targets(EvCompiler *c, List *targets, const JsonbValue *value)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	EvSubschema *known = ev_subschema_find(c, value);

	if (known != NULL || value->type != jbvBinary)
		return add_target(targets, known);
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
		if (token == WJB_VALUE || token == WJB_ELEM)
			targets = add_target(targets, ev_subschema_find(c, &item));
	return targets;
}

/* The schemas that a schema applies to the same instance. */
static List *
find_targets(EvCompiler *c, const EvSubschema *subschema)
{
	static const EvKeywordSymbol in_place[] = {
		EV_KW_ALL_OF, EV_KW_ANY_OF, EV_KW_ONE_OF, EV_KW_NOT, EV_KW_IF, EV_KW_THEN, EV_KW_ELSE,
		EV_KW_DEPENDENT_SCHEMAS, EV_KW_DEPENDENCIES,
	};
	EvDraft		draft = subschema->resource->draft;
	List	   *targets = NIL;
	ListCell   *cell;

	foreach(cell, subschema->references)
	{
		EvReference *reference = lfirst(cell);

		/* the target of a dynamic reference is known only at run time */
		if (reference->dynamic_anchor == NULL)
			targets = add_target(targets, reference->target);
	}
	/* up to draft 7, a $ref disables all keywords beside it */
	if (draft <= EV_DRAFT7 && subschema->references != NIL)
		return targets;
	for (int i = 0; i < (int) lengthof(in_place); i++)
	{
		const char *name = ev_keywords[in_place[i]].name;
		JsonbValue	value;

		if (ev_keyword_find(name, strlen(name), draft) == (int) in_place[i] &&
			getKeyJsonValueFromContainer(unconstify(JsonbContainer *, subschema->container),
										 name, strlen(name), &value) != NULL)
			targets = add_targets(c, targets, &value);
	}
	return targets;
}

static List *
push(EvCompiler *c, List *path, EvSubschema *subschema)
{
	Step	   *step = palloc0(sizeof(Step));

	subschema->visit = 1;
	step->subschema = subschema;
	step->targets = find_targets(c, subschema);
	return lappend(path, step);
}

/*
 * The same search over subschemas.  It is not recursive, since a schema of any
 * depth must be accepted.
 */
static void
search(EvCompiler *c, EvSubschema *start)
{
	List	   *path = push(c, NIL, start);

	while (path != NIL)
	{
		Step	   *step = llast(path);
		EvSubschema *target;

		CHECK_FOR_INTERRUPTS();
		if (step->next == list_length(step->targets))
		{
			step->subschema->visit = 2;
			path = list_delete_last(path);
			continue;
		}
		target = list_nth(step->targets, step->next++);
		if (target->visit == 1)
			ev_compile_warn(c, EV_RULE_ENDLESS_DEFINITION, step->subschema->location, "",
							"refers to itself for the same instance, without end: it is accepted only because nothing leads to it");
		else if (target->visit == 0)
			path = push(c, path, target);
	}
}

void
ev_lint_endless(EvCompiler *c)
{
	ListCell   *cell;

	foreach(cell, c->written)
	{
		EvSubschema *subschema = lfirst(cell);

		if (subschema->block == EV_BLOCK_NONE && subschema->visit == 0)
			search(c, subschema);
	}
}
