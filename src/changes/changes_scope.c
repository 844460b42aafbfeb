/*
 * changes_scope.c
 *	  The lenient reading: which properties are assumed to be absent.
 *
 * A scope has, for one location in the instance, the facts of all schemas that
 * can apply there, of either document, in any branch.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "changes/changes_internal.h"

typedef struct ScopeOfSets
{
	EvSchemaSet *sets[2];		/* these two are the hash key */
	uintptr_t	cautious;
	EvScope    *scope;
} ScopeOfSets;

typedef struct ScopeProperty
{
	EvString	name;			/* hash key, must be the first member */
	bool		absent;
	EvScope    *child;
} ScopeProperty;

static uint32
hash_name(const void *key, Size size pg_attribute_unused())
{
	const EvString *name = key;

	return hash_bytes((const unsigned char *) name->data, name->length);
}

static int
match_names(const void *a, const void *b, Size size pg_attribute_unused())
{
	return !ev_strings_equal(a, b);
}

static void
add_cover(EvProver *p, EvSchemaSet *set, List **cover)
{
	EvFacts    *f = ev_facts(p, set, EV_NECESSARY);
	ListCell   *cell;
	ListCell   *member;

	check_stack_depth();
	ev_spend(p, list_length(*cover) / 8);
	if (list_member_ptr(*cover, f))
		return;
	*cover = lappend(*cover, f);
	foreach(cell, f->groups)
	{
		foreach(member, ((EvGroupFact *) lfirst(cell))->members)
			add_cover(p, ev_set_of(p, lfirst(member)), cover);
	}
	foreach(cell, f->conditions)
	{
		EvConditionFact *condition = lfirst(cell);

		add_cover(p, ev_set_of(p, condition->test), cover);
		add_cover(p, ev_set_of(p, condition->then), cover);
		add_cover(p, ev_set_of(p, condition->otherwise), cover);
	}
	foreach(cell, f->dependencies)
	{
		EvDependencyFact *dependency = lfirst(cell);

		if (dependency->schema != NULL)
			add_cover(p, ev_set_of(p, dependency->schema), cover);
	}
}

static EvScope *
make_scope(EvProver *p, EvSchemaSet *old, EvSchemaSet *new, bool cautious)
{
	ScopeOfSets key = {.sets = {old->proper, new->proper}, .cautious = cautious};
	ScopeOfSets *entry;
	EvScope    *scope;
	bool		found;

	if (p->scopes == NULL)
	{
		HASHCTL		control = {.keysize = offsetof(ScopeOfSets, scope), .entrysize = sizeof(ScopeOfSets), .hcxt = p->context};

		p->scopes = hash_create("event_validate scopes", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	ev_spend(p, 10);
	entry = hash_search(p->scopes, &key, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->scope;
	scope = palloc0(sizeof(EvScope));
	scope->old = key.sets[0];
	scope->new = key.sets[1];
	scope->cautious = cautious;
	add_cover(p, scope->old, &scope->old_cover);
	add_cover(p, scope->new, &scope->new_cover);
	entry = hash_search(p->scopes, &key, HASH_ENTER, &found);
	entry->scope = scope;
	return scope;
}

EvScope *
ev_scope_make(EvProver *p, EvSchemaSet *old, EvSchemaSet *new)
{
	return make_scope(p, old, new, false);
}

EvScope *
ev_scope_cautious(EvProver *p, EvScope *scope)
{
	return scope == NULL || scope->cautious ? scope : make_scope(p, scope->old, scope->new, true);
}

/* Returns the schemas of a cover for a property (index < 0) or an item. */
static EvSchemaSet *
cover_child(EvProver *p, List *cover, const EvString *name, int64 index)
{
	List	   *members = NIL;
	ListCell   *cell;

	foreach(cell, cover)
	{
		EvSchemaSet *child = index < 0 ? ev_facts_property(p, lfirst(cell), name) :
			ev_facts_item(p, lfirst(cell), (uint32) index);

		ev_spend(p, (int64) list_length(members) * list_length(child->members) / 8);
		members = list_concat_unique_ptr(members, child->members);
	}
	return ev_set_make(p, members, NIL, NIL, EV_ALL_TYPES);
}

EvScope *
ev_scope_item(EvProver *p, EvScope *scope, uint32 index)
{
	if (scope == NULL)
		return NULL;
	return make_scope(p, cover_child(p, scope->old_cover, NULL, index),
					  cover_child(p, scope->new_cover, NULL, index), scope->cautious);
}

/* Returns the schemas of a cover for properties without a declaration. */
static EvSchemaSet *
cover_rest(EvProver *p, List *cover)
{
	List	   *members = NIL;
	ListCell   *cell;
	ListCell   *shape_cell;
	ListCell   *named;

	foreach(cell, cover)
	{
		foreach(shape_cell, ((EvFacts *) lfirst(cell))->object_shapes)
		{
			EvObjectShape *shape = lfirst(shape_cell);

			ev_spend(p, (1 + list_length(shape->patterns)) * (1 + list_length(members) / 8));
			if (shape->rest != &p->truth)
				members = list_append_unique_ptr(members, shape->rest);
			foreach(named, shape->patterns)
			{
				if (((EvNamedSchema *) lfirst(named))->schema != &p->truth)
					members = list_append_unique_ptr(members, ((EvNamedSchema *) lfirst(named))->schema);
			}
		}
	}
	return ev_set_make(p, members, NIL, NIL, EV_ALL_TYPES);
}

EvScope *
ev_scope_rest(EvProver *p, EvScope *scope)
{
	if (scope == NULL)
		return NULL;
	return make_scope(p, cover_rest(p, scope->old_cover), cover_rest(p, scope->new_cover), scope->cautious);
}

/*
 * Is a property declared by name or, if by_name is false, by a pattern or by
 * an effective schema for additional properties?
 */
static bool
declares(EvProver *p, List *cover, const EvString *name, bool by_name)
{
	ListCell   *cell;
	ListCell   *shape_cell;
	ListCell   *named_cell;

	foreach(cell, cover)
	{
		if (!by_name && ((EvFacts *) lfirst(cell))->declares_rest)
			return true;
		foreach(shape_cell, ((EvFacts *) lfirst(cell))->object_shapes)
		{
			EvObjectShape *shape = lfirst(shape_cell);

			if (ev_shape_name(p, shape, name) != NULL)
				return true;
			if (by_name)
				continue;
			if (!shape->rest->is_boolean)
				return true;
			foreach(named_cell, shape->patterns)
			{
				if (ev_string_matches(p, ((EvNamedSchema *) lfirst(named_cell))->pattern, name) != EV_NO)
					return true;
			}
		}
	}
	return false;
}

/* Does one of these schemas require a property, always or with another one? */
static bool
may_require(EvProver *p, List *cover, const EvString *name)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, cover)
	{
		EvFacts    *f = lfirst(cell);

		if (ev_facts_requires(p, f, name) != NULL)
			return true;
		foreach(other, f->dependencies)
		{
			if (ev_string_among(p, ((EvDependencyFact *) lfirst(other))->required, name))
				return true;
		}
	}
	return false;
}

/* Looks up what a scope says about a property, and finds it if needed. */
static ScopeProperty *
find_property(EvProver *p, EvScope *scope, const EvString *name)
{
	ScopeProperty key = {.name = *name};
	ScopeProperty *property;
	bool		found;

	if (scope->properties == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(EvString), .entrysize = sizeof(ScopeProperty),
		.hash = hash_name, .match = match_names};

		control.hcxt = p->context;
		scope->properties = hash_create("event_validate properties of a scope", 16, &control,
										HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	}
	ev_spend(p, 5 + name->length / 16);
	property = hash_search(scope->properties, &key, HASH_FIND, NULL);
	if (property != NULL)
		return property;
	key.absent = (declares(p, scope->old_cover, name, true) && !declares(p, scope->new_cover, name, false)) ||
		(declares(p, scope->new_cover, name, true) && !declares(p, scope->old_cover, name, false));
	if (scope->cautious && key.absent)
		key.absent = !may_require(p, scope->old_cover, name) && !may_require(p, scope->new_cover, name);
	key.child = make_scope(p, cover_child(p, scope->old_cover, name, -1),
						   cover_child(p, scope->new_cover, name, -1), scope->cautious);
	key.name.data = pnstrdup(name->data, name->length);
	property = hash_search(scope->properties, &key, HASH_ENTER, &found);
	*property = key;
	return property;
}

EvScope *
ev_scope_property(EvProver *p, EvScope *scope, const EvString *name)
{
	return scope == NULL ? NULL : find_property(p, scope, name)->child;
}

bool
ev_scope_absent(EvProver *p, EvScope *scope, const EvString *name)
{
	return scope != NULL && find_property(p, scope, name)->absent;
}

const List *
ev_scope_names(EvProver *p, EvScope *scope)
{
	ListCell   *cell;
	HTAB	   *known = NULL;

	if (scope == NULL || scope->has_names)
		return scope == NULL ? NIL : scope->names;
	for (int side = 0; side < 2; side++)
	{
		foreach(cell, side == 0 ? scope->old_cover : scope->new_cover)
			ev_facts_add_names(p, lfirst(cell), &scope->names, &known);
	}
	if (known != NULL)
		hash_destroy(known);
	scope->has_names = true;
	return scope->names;
}

uint32
ev_scope_prefix(const EvScope *scope)
{
	uint32		longest = 0;
	ListCell   *cell;

	for (int side = 0; side < 2 && scope != NULL; side++)
	{
		foreach(cell, side == 0 ? scope->old_cover : scope->new_cover)
			longest = Max(longest, ev_facts_prefix(lfirst(cell)));
	}
	return longest;
}
