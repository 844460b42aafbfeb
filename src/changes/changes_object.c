/*
 * changes_object.c
 *	  Proofs about objects and arrays: child by child.
 *
 * changes_prove.c proves each child, and calls this file for the children of
 * that child: the two files are one recursion over the schemas.
 *
 * Each name that one side mentions is a case.  Only patterns distinguish all
 * other names, so each combination of matching patterns is one more case.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "changes/changes_internal.h"

#define MOST_PATTERNS	5		/* of which all combinations are tried */
#define MOST_POSITIONS	1000	/* of arrays that are examined one by one */
#define MOST_DIFFERENT	8		/* positions that are compared in pairs */

/* ---------- names ---------- */

/* Does propertyNames allow a name? */
static EvTruth
name_allowed(EvProver *p, const EvFacts *f, const EvString *name)
{
	JsonbValue	value = {.type = jbvString};

	if (f->names == NIL)
		return EV_YES;
	value.val.string.val = unconstify(char *, name->data);
	value.val.string.len = name->length;
	return ev_value_valid(p, &value, ev_facts_names_set(p, f), EV_FACT_ALL);
}

static bool
can_have(EvProver *p, const EvFacts *f, const EvString *name)
{
	return name_allowed(p, f, name) != EV_NO && !ev_prove_child_empty(p, ev_facts_property(p, f, name));
}

/* Returns the objects of a set that have a property. */
static EvSchemaSet *
objects_with(EvProver *p, EvSchemaSet *set, const EvString *name)
{
	return ev_set_of_types(p, ev_set_requiring(p, set, name), EV_BIT(EV_OBJECT));
}

/* ---------- properties ---------- */

/*
 * Returns the schemas that a property has in a set.  Those that the property
 * itself makes apply are among them; if no object can have it, it has the schema
 * false.
 */
static EvSchemaSet *
property_given(EvProver *p, EvSchemaSet *set, const EvString *name)
{
	const EvFacts *f = ev_facts(p, set->proper, EV_NECESSARY);
	ListCell   *cell;

	ev_spend(p, list_length(f->dependencies));
	foreach(cell, f->dependencies)
	{
		EvDependencyFact *dependency = lfirst(cell);
		const EvFacts *with;

		if (dependency->schema == NULL || !ev_strings_equal(&dependency->property, name))
			continue;
		with = ev_facts(p, objects_with(p, set->proper, name), EV_NECESSARY);
		if ((with->possible & EV_BIT(EV_OBJECT)) == 0)
			return ev_set_of(p, &p->falsehood);
		return ev_facts_property(p, with, name);
	}
	return ev_facts_property(p, f, name);
}

bool
ev_prove_property(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, const EvString *name)
{
	const EvFacts *fa = ev_facts(p, a->proper, EV_NECESSARY);
	const EvFacts *fb = ev_facts(p, b->proper, EV_SUFFICIENT);
	EvSchemaSet *given = property_given(p, a, name);
	EvSchemaSet *wanted = ev_facts_property(p, fb, name);

	if (wanted == p->anything || given == wanted || name_allowed(p, fa, name) == EV_NO)
		return true;
	if (fa->max_properties.value <= (uint32) list_length(fa->required) && ev_facts_requires(p, fa, name) == NULL)
		return true;
	if (ev_scope_absent(p, scope, name) && ev_facts_requires(p, fa, name) == NULL)
		return true;
	return ev_prove_child(p, given, wanted, ev_scope_property(p, scope, name));
}

static void
add_patterns_of(EvProver *p, const EvFacts *f, List **patterns)
{
	HTAB	   *known = NULL;
	ListCell   *cell;
	ListCell   *named;

	foreach(cell, f->object_shapes)
	{
		foreach(named, ((EvObjectShape *) lfirst(cell))->patterns)
			ev_add_name_once(p, patterns, &known, &((EvNamedSchema *) lfirst(named))->name);
	}
}

/*
 * Returns the schemas for a name without a declaration that matches these
 * patterns.
 */
static EvSchemaSet *
rest_set(EvProver *p, const EvFacts *f, List *patterns, uint32 matching)
{
	List	   *members = NIL;
	ListCell   *cell;
	ListCell   *named_cell;

	foreach(cell, f->object_shapes)
	{
		EvObjectShape *shape = lfirst(cell);
		bool		found = false;

		foreach(named_cell, shape->patterns)
		{
			EvNamedSchema *named = lfirst(named_cell);

			ev_spend(p, list_length(patterns) + list_length(members) / 8);
			for (int i = 0; i < list_length(patterns); i++)
				if ((matching & (1 << i)) != 0 && ev_strings_equal(&named->name, list_nth(patterns, i)))
				{
					found = true;
					if (named->schema != &p->truth)
						members = list_append_unique_ptr(members, named->schema);
				}
		}
		ev_spend(p, list_length(members) / 8);
		if (!found && shape->rest != &p->truth)
			members = list_append_unique_ptr(members, shape->rest);
	}
	return f->as_written ? ev_set_written(p, members) : ev_set_make(p, members, NIL, NIL, EV_ALL_TYPES);
}

EvSchemaSet *
ev_facts_rest(EvProver *p, const EvFacts *f)
{
	return rest_set(p, f, NIL, 0);
}

/* Returns the patterns that propertyNames requires, as bits. */
static uint32
demanded_patterns(EvProver *p, const EvFacts *f, List *patterns)
{
	uint32		result = 0;
	ListCell   *cell;

	if (f->names != NIL)
	{
		foreach(cell, ev_facts(p, ev_facts_names_set(p, f), EV_NECESSARY)->patterns)
		{
			ev_spend(p, list_length(patterns));
			for (int i = 0; i < list_length(patterns); i++)
				if (ev_strings_equal(&((EvTextFact *) lfirst(cell))->text, list_nth(patterns, i)))
					result |= 1 << i;
		}
	}
	return result;
}

/*
 * Is there no name that the facts allow and that matches these patterns, and not
 * the others, apart from names that are looked at one by one?
 */
static bool
no_name_matches(EvProver *p, const EvFacts *f, List *patterns, uint32 matching, const List *names)
{
	List	   *matched = f->names != NIL ? ev_facts_texts(p, ev_facts(p, ev_facts_names_set(p, f), EV_NECESSARY)) : NIL;
	List	   *unmatched = NIL;
	EvString   *others;
	ListCell   *cell;

	foreach(cell, patterns)
	{
		if ((matching & (1 << foreach_current_index(cell))) != 0)
			matched = lappend(matched, lfirst(cell));
		else
			unmatched = lappend(unmatched, lfirst(cell));
	}
	if (ev_string_exists(p, matched, unmatched, 0, PG_UINT32_MAX, NULL) == EV_NO)
		return true;

	/* without a pattern, other names are always left */
	others = matching != 0 && names != NIL ? ev_pattern_of_strings(p, names) : NULL;
	return others != NULL &&
		ev_string_exists(p, matched, lcons(others, unmatched), 0, PG_UINT32_MAX, NULL) == EV_NO;
}

/* Is it proved that an instance has only declared properties? */
static bool
has_no_rest(EvProver *p, const EvFacts *f)
{
	return f->max_properties.value <= (uint32) list_length(f->required) ||
		(f->names != NIL && ev_facts(p, ev_facts_names_set(p, f), EV_NECESSARY)->enums != NIL);
}

/* Returns the member of a list with the same pattern; NULL if there is none. */
static const EvNamedSchema *
same_pattern(EvProver *p, const List *patterns, const EvString *source)
{
	ListCell   *cell;

	ev_spend(p, list_length(patterns));
	foreach(cell, patterns)
	{
		if (ev_strings_equal(&((EvNamedSchema *) lfirst(cell))->name, source))
			return lfirst(cell);
	}
	return NULL;
}

/*
 * Does one shape imply another one, for names that neither side mentions:
 * pattern by pattern, and the rest by the rest?
 */
static bool
prove_shape(EvProver *p, const EvObjectShape *a, const EvObjectShape *b, EvScope *scope)
{
	ListCell   *cell;

	foreach(cell, b->patterns)
	{
		EvNamedSchema *wanted = lfirst(cell);
		const EvNamedSchema *given = same_pattern(p, a->patterns, &wanted->name);

		if (given == NULL ||
			!ev_prove_child(p, ev_set_of(p, given->schema), ev_set_of(p, wanted->schema), scope))
			return false;
	}
	if (!ev_prove_child(p, ev_set_of(p, a->rest), ev_set_of(p, b->rest), scope))
		return false;
	foreach(cell, a->patterns)
	{
		EvNamedSchema *given = lfirst(cell);

		if (same_pattern(p, b->patterns, &given->name) == NULL &&
			!ev_prove_child(p, ev_set_of(p, given->schema), ev_set_of(p, b->rest), scope))
			return false;
	}
	return true;
}

static bool
prove_shapes(EvProver *p, const EvFacts *fa, const EvFacts *fb, EvScope *scope)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, fb->object_shapes)
	{
		EvObjectShape *wanted = lfirst(cell);
		bool		proved = wanted->rest == &p->truth && wanted->patterns == NIL;

		foreach(other, fa->object_shapes)
			proved = proved || prove_shape(p, lfirst(other), wanted, scope);
		if (!proved)
			return false;
	}
	return true;
}

/* Proves it for all names that neither side mentions. */
bool
ev_prove_rest(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	const EvFacts *fa = ev_facts(p, a->proper, EV_NECESSARY);
	const EvFacts *fb = ev_facts(p, b->proper, EV_SUFFICIENT);
	List	   *patterns = NIL;
	List	   *names;
	uint32		demanded;

	if (fb->object_shapes == NIL || has_no_rest(p, fa))
		return true;
	add_patterns_of(p, fb, &patterns);
	add_patterns_of(p, fa, &patterns);
	scope = ev_scope_rest(p, scope);
	if (list_length(patterns) > MOST_PATTERNS)
		return prove_shapes(p, fa, fb, scope);
	demanded = demanded_patterns(p, fa, patterns);
	names = patterns != NIL ? ev_names_of(p, a, b) : NIL;
	for (uint32 matching = 0; matching < 1u << list_length(patterns); matching++)
		if ((matching & demanded) == demanded && !no_name_matches(p, fa, patterns, matching, names) &&
			!ev_prove_child(p, rest_set(p, fa, patterns, matching), rest_set(p, fb, patterns, matching), scope))
			return false;
	return true;
}

bool
ev_prove_properties(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	ListCell   *cell;

	if (ev_facts(p, b, EV_SUFFICIENT)->object_shapes == NIL)
		return true;
	foreach(cell, ev_names_of(p, a, b))
	{
		if (!ev_prove_property(p, a, b, scope, lfirst(cell)))
			return false;
	}
	return ev_prove_rest(p, a, b, scope);
}

/* Do the facts allow only properties that they name? */
static bool
is_closed(EvProver *p, const EvFacts *f)
{
	List	   *patterns = NIL;
	List	   *names = NIL;
	HTAB	   *known = NULL;
	uint32		demanded;

	if (has_no_rest(p, f))
		return true;
	add_patterns_of(p, f, &patterns);
	if (list_length(patterns) > MOST_PATTERNS)
		return false;
	demanded = demanded_patterns(p, f, patterns);
	if (patterns != NIL)
		ev_facts_add_names(p, f, &names, &known);
	for (uint32 matching = 0; matching < 1u << list_length(patterns); matching++)
		if ((matching & demanded) == demanded && !no_name_matches(p, f, patterns, matching, names) &&
			!ev_prove_child_empty(p, rest_set(p, f, patterns, matching)))
			return false;
	return true;
}

uint32
ev_most_properties(EvProver *p, EvSchemaSet *set)
{
	const EvFacts *f = ev_facts(p, set, EV_NECESSARY);
	uint32		most = f->max_properties.value;
	uint32		names = 0;
	ListCell   *cell;

	if (f->object_shapes == NIL && f->names == NIL)
		return most;
	if (!is_closed(p, f))
		return most;
	foreach(cell, ev_names_of(p, set, p->anything))
		names += can_have(p, f, lfirst(cell));
	return Min(most, names);
}

bool
ev_prove_names(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	const EvFacts *fa = ev_facts(p, a, EV_NECESSARY);
	const EvFacts *fb = ev_facts(p, b, EV_SUFFICIENT);
	EvSchemaSet *wanted;
	ListCell   *cell;

	if (fb->names == NIL)
		return true;
	wanted = ev_facts_names_set(p, fb);
	if (ev_prove_child(p, ev_facts_names_set(p, fa), wanted, NULL))
		return true;

	/* or name by name, if no other names are valid */
	if (!is_closed(p, fa))
		return false;
	foreach(cell, ev_names_of(p, a, p->anything))
	{
		EvString   *name = lfirst(cell);

		if (name_allowed(p, fb, name) != EV_YES && can_have(p, fa, name) &&
			!(ev_scope_absent(p, scope, name) && ev_facts_requires(p, fa, name) == NULL))
			return false;
	}
	return true;
}

bool
ev_prove_dependencies(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	const EvFacts *fa = ev_facts(p, a, EV_NECESSARY);
	const EvFacts *fb = ev_facts(p, b, EV_SUFFICIENT);
	ListCell   *cell;
	ListCell   *name;

	foreach(cell, fb->dependencies)
	{
		EvDependencyFact *dependency = lfirst(cell);
		bool		is_there = ev_facts_requires(p, fa, &dependency->property) != NULL;
		EvSchemaSet *with = is_there ? a : objects_with(p, a, &dependency->property);

		if (!is_there && (ev_scope_absent(p, scope, &dependency->property) ||
						  !can_have(p, fa, &dependency->property) || ev_prove_empty(p, with)))
			continue;
		foreach(name, dependency->required)
		{
			if (ev_facts_requires(p, ev_facts(p, with, EV_NECESSARY), lfirst(name)) == NULL)
				return false;
		}
		if (dependency->schema != NULL &&
			!ev_prove(p, with, ev_set_of(p, dependency->schema), scope, EV_FACT_ALL))
			return false;
	}
	return true;
}

bool
ev_object_impossible(EvProver *p, EvSchemaSet *set)
{
	const EvFacts *f = ev_facts(p, set, EV_NECESSARY);
	ListCell   *cell;

	foreach(cell, f->required)
	{
		if (!can_have(p, f, &((EvTextFact *) lfirst(cell))->text))
			return true;
	}
	return f->min_properties.value > 0 && ev_most_properties(p, set) < f->min_properties.value;
}

/* ---------- items ---------- */

/* An array ends before a position that no value can fill. */
uint32
ev_most_items(EvProver *p, EvSchemaSet *set)
{
	const EvFacts *f = ev_facts(p, set->proper, EV_NECESSARY);
	uint32		most = f->max_items.value;
	uint32		prefix = Min(ev_facts_prefix(f), MOST_POSITIONS);

	if (f->array_shapes == NIL)
		return most;
	for (uint32 i = 0; i <= prefix && i < most; i++)
		if (ev_prove_child_empty(p, ev_facts_item(p, f, i)))
			return i;
	return most;
}

bool
ev_items_differ(EvProver *p, EvSchemaSet *set)
{
	const EvFacts *f = ev_facts(p, set, EV_NECESSARY);
	uint32		most = ev_most_items(p, set);

	if (most <= 1)
		return true;
	if (most > MOST_DIFFERENT)
		return false;
	for (uint32 i = 0; i < most; i++)
		for (uint32 j = 0; j < i; j++)
			if (!ev_disjoint(p, ev_facts_item(p, f, i), ev_facts_item(p, f, j)))
				return false;
	return true;
}

bool
ev_prove_item(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 index)
{
	return ev_prove_child(p, ev_facts_item(p, ev_facts(p, a->proper, EV_NECESSARY), index),
						  ev_facts_item(p, ev_facts(p, b->proper, EV_SUFFICIENT), index),
						  ev_scope_item(p, scope, index));
}

bool
ev_prove_items(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope)
{
	const EvFacts *fa = ev_facts(p, a, EV_NECESSARY);
	const EvFacts *fb = ev_facts(p, b, EV_SUFFICIENT);
	uint32		prefix = Max(ev_facts_prefix(fa), ev_facts_prefix(fb));
	uint32		most;

	if (fb->array_shapes == NIL)
		return true;
	if (prefix > MOST_POSITIONS)
		return false;
	most = ev_most_items(p, a);
	for (uint32 i = 0; i <= prefix && i < most; i++)
		if (!ev_prove_item(p, a, b, scope, i))
			return false;
	return true;
}

static bool
prove_contains(EvProver *p, EvSchemaSet *a, const EvContainsFact *wanted)
{
	const EvFacts *fa = ev_facts(p, a, EV_NECESSARY);
	uint32		most = ev_most_items(p, a);
	bool		minimum = wanted->minimum == 0;
	bool		maximum = wanted->maximum == EV_NO_MAXIMUM || most <= wanted->maximum;
	EvSchemaSet *schema = ev_set_of(p, wanted->schema);
	uint32		prefix = ev_facts_prefix(fa);
	uint32		surely = 0;
	ListCell   *cell;

	foreach(cell, fa->contains)
	{
		EvContainsFact *given = lfirst(cell);
		EvSchemaSet *set = ev_set_of(p, given->schema);

		if (!minimum && given->minimum >= wanted->minimum)
			minimum = ev_prove_child(p, set, schema, NULL);
		if (!maximum && given->maximum <= wanted->maximum)
			maximum = ev_prove_child(p, schema, set, NULL);
	}
	for (uint32 i = 0; i <= prefix && i < fa->min_items.value && i < MOST_POSITIONS && !minimum; i++)
	{
		if (!ev_prove_child(p, ev_facts_item(p, fa, i), schema, NULL))
			continue;
		surely += i < prefix ? 1 : fa->min_items.value - i;
		minimum = surely >= wanted->minimum;
	}
	return minimum && maximum;
}

bool
ev_prove_contains(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope pg_attribute_unused())
{
	ListCell   *cell;

	foreach(cell, ev_facts(p, b, EV_SUFFICIENT)->contains)
	{
		if (!prove_contains(p, a, lfirst(cell)))
			return false;
	}
	return true;
}

bool
ev_array_impossible(EvProver *p, EvSchemaSet *set)
{
	const EvFacts *f = ev_facts(p, set, EV_NECESSARY);
	uint32		most = ev_most_items(p, set);
	uint32		prefix = ev_facts_prefix(f);
	ListCell   *cell;

	if (most < f->min_items.value)
		return true;
	if (prefix > MOST_POSITIONS)
		return false;
	foreach(cell, f->contains)
	{
		EvContainsFact *contains = lfirst(cell);
		bool		possible = contains->minimum == 0;

		for (uint32 i = 0; i <= prefix && i < most && !possible; i++)
			possible = !ev_prove_child_empty(p, ev_set_with(p, ev_facts_item(p, f, i), contains->schema));
		if (!possible)
			return true;
	}
	return false;
}
