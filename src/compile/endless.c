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
	end = subschema->block + 1 < w->program->block_count ?
		w->program->blocks[subschema->block + 1].start : w->program->length;
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

static void search(EvCompiler *c, EvSubschema *subschema);

/* Follows a step from one schema to another for the same instance. */
static void
step(EvCompiler *c, const EvSubschema *from, EvSubschema *to)
{
	if (to == NULL || to->is_boolean || !to->resource->is_main)
		return;
	if (to->visit == 1)
		ev_compile_warn(c, EV_RULE_ENDLESS_DEFINITION, from->location, "",
						"refers to itself for the same instance, without end: it is accepted only because nothing leads to it");
	else if (to->visit == 0)
		search(c, to);
}

/* Follows the steps to the schemas in the value of a keyword. */
static void
step_into(EvCompiler *c, const EvSubschema *from, const JsonbValue *value)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	EvSubschema *known = ev_subschema_find(c, value);

	if (known != NULL)
		step(c, from, known);
	else if (value->type == jbvBinary)
	{
		iterator = JsonbIteratorInit(value->val.binary.data);
		while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
			if (token == WJB_VALUE || token == WJB_ELEM)
				step(c, from, ev_subschema_find(c, &item));
	}
}

/* The same search over subschemas. */
static void
search(EvCompiler *c, EvSubschema *subschema)
{
	static const EvKeywordSymbol in_place[] = {
		EV_KW_ALL_OF, EV_KW_ANY_OF, EV_KW_ONE_OF, EV_KW_NOT, EV_KW_IF, EV_KW_THEN, EV_KW_ELSE,
		EV_KW_DEPENDENT_SCHEMAS, EV_KW_DEPENDENCIES,
	};
	EvDraft		draft = subschema->resource->draft;
	ListCell   *cell;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	subschema->visit = 1;
	foreach(cell, subschema->references)
	{
		EvReference *reference = lfirst(cell);

		/* the target of a dynamic reference is known only at run time */
		if (reference->dynamic_anchor == NULL)
			step(c, subschema, reference->target);
	}
	for (int i = 0; i < (int) lengthof(in_place); i++)
	{
		const char *name = ev_keywords[in_place[i]].name;
		JsonbValue	value;

		/* up to draft 7, a $ref disables all keywords beside it */
		if (draft <= EV_DRAFT7 && subschema->references != NIL)
			break;
		if (ev_keyword_find(name, strlen(name), draft) == (int) in_place[i] &&
			getKeyJsonValueFromContainer(unconstify(JsonbContainer *, subschema->container),
										 name, strlen(name), &value) != NULL)
			step_into(c, subschema, &value);
	}
	subschema->visit = 2;
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
