/*
 * changes_make.c
 *	  Makes the arrays and objects that are tried as witnesses, and the names in them.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/compat.h"
#include "changes/changes_internal.h"

#define MOST_OTHER_PATTERNS 20	/* that a name must not match */
#define MOST_MADE		64		/* names that are made for a number of
								 * properties */

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

/* ---------- names ---------- */

/*
 * Appends a name that matches a pattern, and none of the others.  demanded: the facts
 * that propertyNames of the first set says about it.
 */
static List *
add_pattern_name(EvProver *p, List *names, const EvFacts *demanded, const EvString *pattern, List *others)
{
	List	   *matched = lcons(unconstify(EvString *, pattern), ev_facts_texts(p, demanded));
	EvString   *example = palloc(sizeof(EvString));

	if (ev_string_exists(p, matched, others, demanded->min_length.value, demanded->max_length.value, example) == EV_YES)
		names = lappend(names, example);
	return names;
}

static List *
patterns_of(const EvFacts *f)
{
	List	   *patterns = NIL;
	ListCell   *cell;
	ListCell   *named;

	foreach(cell, f->object_shapes)
	{
		foreach(named, ((EvObjectShape *) lfirst(cell))->patterns)
			patterns = lappend(patterns, &((EvNamedSchema *) lfirst(named))->name);
	}
	return patterns;
}

/* Appends a name that matches each pattern of a schema, and one that the other schema's patterns do not match. */
static List *
add_pattern_names(EvProver *p, List *names, const EvFacts *demanded, const EvFacts *f, const EvFacts *other)
{
	List	   *others = patterns_of(other);
	ListCell   *cell;

	foreach(cell, patterns_of(f))
	{
		names = add_pattern_name(p, names, demanded, lfirst(cell), NIL);
		if (others != NIL && list_length(others) <= MOST_OTHER_PATTERNS)
			names = add_pattern_name(p, names, demanded, lfirst(cell), others);
	}
	return names;
}

/* Makes names that a schema's dependencies, patterns or counts may need. */
static List *
more_names(EvProver *p, EvSchemaSet *a, EvSchemaSet *b)
{
	static const EvString other_names[] = {
		{"other", 5}, {"zz", 2}, {"a1", 2}, {"a2", 2}, {"X", 1}, {"0", 1}, {"x-1", 3}, {"x-2", 3}
	};
	List	   *names = ev_names_of(p, a, b);
	HTAB	   *known = NULL;
	const EvFacts *both[] = {ev_facts(p, a, EV_NECESSARY), ev_facts(p, b, EV_NECESSARY)};
	const EvFacts *demanded = ev_facts(p, ev_facts_names_set(p, both[0]), EV_NECESSARY);
	uint32		wanted = 0;
	ListCell   *cell;

	/* those of schemas that apply because of a property, too */
	ev_facts_add_names(p, both[1], &names, &known);
	if (known != NULL)
		hash_destroy(known);
	for (int i = 0; i < 2; i++)
	{
		foreach(cell, both[i]->dependencies)
		{
			EvDependencyFact *dependency = lfirst(cell);

			ev_spend(p, 5 + list_length(dependency->required));
			names = lappend(names, &dependency->property);
			names = list_concat(names, dependency->required);
		}
		names = add_pattern_names(p, names, demanded, both[i], both[1 - i]);
		wanted = Max(wanted, both[i]->min_properties.value);
		if (both[i]->max_properties.value != EV_NO_MAXIMUM)
			wanted = Max(wanted, both[i]->max_properties.value);
	}
	for (int i = 0; i < (int) lengthof(other_names); i++)
		names = lappend(names, unconstify(EvString *, &other_names[i]));
	for (uint32 i = 0; i <= wanted && wanted <= MOST_MADE && wanted > 0; i++)
	{
		EvString   *name = palloc(sizeof(EvString));

		name->data = psprintf("%c%c", (int) ('a' + i / 26), (int) ('a' + i % 26));
		name->length = 2;
		names = lappend(names, name);
	}
	return names;
}

List *
ev_names_to_try(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, int *count)
{
	const EvFacts *fa = ev_facts(p, a, EV_NECESSARY);
	const EvFacts *fb = ev_facts(p, b, EV_NECESSARY);
	List	   *different = NIL;
	List	   *same = NIL;
	ListCell   *cell;

	foreach(cell, more_names(p, a, b))
	{
		ev_spend(p, 10);
		if (ev_facts_property(p, fa, lfirst(cell)) == ev_facts_property(p, fb, lfirst(cell)))
			same = lappend(same, lfirst(cell));
		else
			different = lappend(different, lfirst(cell));
	}
	*count = list_length(different);
	return list_concat(different, same);
}
