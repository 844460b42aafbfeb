/*
 * changes_parts.c
 *	  The witnesses that were found so far, by the schemas that they tell apart.
 *
 * A witness for two schemas is often a part of one for two larger ones.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "changes/changes_internal.h"

#define MOST_WITNESSES	500		/* that are kept */
#define MOST_PARTS		4		/* that are kept for the same schemas */

/*
 * Witnesses for two sets that differ in these schemas, whatever else they have in
 * common.
 */
typedef struct WitnessParts
{
	EvSchemaSet *a;				/* these two are the hash key */
	EvSchemaSet *b;
	List	   *values;			/* of JsonbValue */
} WitnessParts;

/* A search for a witness that was made. */
typedef struct SearchMade
{
	EvSchemaSet *a;				/* these four are the hash key */
	EvSchemaSet *b;
	EvScope    *scope;
	uintptr_t	kinds;
	JsonbValue *witness;		/* NULL: none was found */
} SearchMade;

/* Returns the members of a set that the other one lacks, as a set. */
static EvSchemaSet *
only_in(EvProver *p, const EvSchemaSet *set, const EvSchemaSet *other)
{
	EvSchemaSet *result;
	List	   *members;

	ev_spend(p, list_length(set->members) * (1 + list_length(other->members) / 8));
	members = list_difference_ptr(set->members, other->members);
	result = ev_set_make(p, members, NIL, NIL, EV_ALL_TYPES);
	list_free(members);
	return result;
}

static WitnessParts *
parts_of(EvProver *p, const EvSchemaSet *a, const EvSchemaSet *b, HASHACTION action)
{
	WitnessParts key = {only_in(p, a, b), only_in(p, b, a), NIL};
	WitnessParts *parts;
	bool		found;

	if (p->parts == NULL)
	{
		HASHCTL		control = {.keysize = offsetof(WitnessParts, values), .entrysize = sizeof(WitnessParts), .hcxt = p->context};

		p->parts = hash_create("event_validate parts of witnesses", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	ev_spend(p, 5);
	parts = hash_search(p->parts, &key, action, &found);
	if (parts != NULL && !found)
		parts->values = NIL;
	return parts;
}

List *
ev_known_witnesses(EvProver *p, const EvSchemaSet *a, const EvSchemaSet *b)
{
	const WitnessParts *parts = parts_of(p, a, b, HASH_FIND);

	return parts != NULL ? parts->values : NIL;
}

void
ev_witness_keep(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, JsonbValue *value)
{
	WitnessParts *parts = parts_of(p, a->proper, b->proper, HASH_ENTER);

	if (list_length(parts->values) < MOST_PARTS)
		parts->values = list_append_unique_ptr(parts->values, value);
	if (list_length(p->witnesses) < MOST_WITNESSES)
		p->witnesses = lappend(p->witnesses, value);
}

bool
ev_search_was_made(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds, JsonbValue **witness)
{
	SearchMade	key = {a, b, scope, kinds, NULL};
	SearchMade *made = p->searched != NULL ? hash_search(p->searched, &key, HASH_FIND, NULL) : NULL;

	ev_spend(p, 5);
	*witness = made != NULL ? made->witness : NULL;
	return made != NULL;
}

void
ev_search_keep(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds, JsonbValue *witness)
{
	SearchMade	key = {a, b, scope, kinds, NULL};
	SearchMade *made;
	bool		found;

	if (p->searched == NULL)
	{
		HASHCTL		control = {.keysize = offsetof(SearchMade, witness), .entrysize = sizeof(SearchMade), .hcxt = p->context};

		p->searched = hash_create("event_validate searches", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	made = hash_search(p->searched, &key, HASH_ENTER, &found);
	made->witness = witness;
}
