/*
 * changes_make.c
 *	  Makes the arrays and objects that are tried as witnesses.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/compat.h"
#include "changes/changes_internal.h"

/*
 * Begins to make a value: the work on it is done in a context of its own.
 * Returns the context to return to.
 */
static MemoryContext
begin_value(EvProver *p)
{
	if (p->scratch == NULL)
		p->scratch = AllocSetContextCreate(p->context, "event_validate values", ALLOCSET_DEFAULT_SIZES);
	return MemoryContextSwitchTo(p->scratch);
}

/* Returns the value that was made, as one piece of memory, in this context. */
static JsonbValue *
finish_value(EvProver *p, JsonbValue *tree, MemoryContext caller)
{
	Jsonb	   *made = JsonbValueToJsonb(tree);
	JsonbValue *value = MemoryContextAlloc(caller, MAXALIGN(sizeof(JsonbValue)) + VARSIZE(made));
	Jsonb	   *jsonb = (Jsonb *) ((char *) value + MAXALIGN(sizeof(JsonbValue)));

	memcpy(jsonb, made, VARSIZE(made));
	MemoryContextSwitchTo(caller);
	MemoryContextReset(p->scratch);

	value->type = jbvBinary;
	value->val.binary.data = &jsonb->root;
	value->val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
	return value;
}

/* Counts the work of copying a value into another one. */
static void
spend_on_copy(EvProver *p, const JsonbValue *value)
{
	ev_spend(p, 20 + ev_value_work(value));
}

JsonbValue *
ev_array_of(EvProver *p, const List *items)
{
	MemoryContext caller = begin_value(p);
	JsonbInState state = {0};
	ListCell   *cell;

	ev_push_jsonb(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, items)
	{
		spend_on_copy(p, lfirst(cell));
		ev_push_jsonb(&state, WJB_ELEM, lfirst(cell));
	}
	ev_push_jsonb(&state, WJB_END_ARRAY, NULL);
	return finish_value(p, state.result, caller);
}

JsonbValue *
ev_object_of(EvProver *p, const List *members)
{
	MemoryContext caller = begin_value(p);
	JsonbInState state = {0};
	ListCell   *cell;

	ev_push_jsonb(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(cell, members)
	{
		EvMember   *member = lfirst(cell);
		JsonbValue	key = {.type = jbvString};

		key.val.string.val = unconstify(char *, member->name.data);
		key.val.string.len = member->name.length;
		spend_on_copy(p, member->value);
		ev_push_jsonb(&state, WJB_KEY, &key);
		ev_push_jsonb(&state, WJB_VALUE, member->value);
	}
	ev_push_jsonb(&state, WJB_END_OBJECT, NULL);
	return finish_value(p, state.result, caller);
}

List *
ev_with_member(EvProver *p, const List *members, const EvString *name, JsonbValue *value)
{
	List	   *result = NIL;
	EvMember   *member = palloc(sizeof(EvMember));
	ListCell   *cell;

	ev_spend(p, 5 + 2 * list_length(members));
	foreach(cell, members)
	{
		if (!ev_strings_equal(&((EvMember *) lfirst(cell))->name, name))
			result = lappend(result, lfirst(cell));
	}
	member->name = *name;
	member->value = value;
	return lappend(result, member);
}
