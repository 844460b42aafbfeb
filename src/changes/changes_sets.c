/*
 * changes_sets.c
 *	  Sets of schemas that apply together, their facts about bounds and
 *	  children.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/encoding.h"
#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"

/* Sets with equal hash values. */
typedef struct SetBucket
{
	uint32		hash;			/* hash key, must be the first member */
	List	   *sets;
} SetBucket;

#define LONG_LIST	32			/* values of an enum that are hashed */

/* The values of a long enum. */
typedef struct ListIndex
{
	const List *list;			/* hash key, must be the first member */
	HTAB	   *values;			/* HashedValues */
} ListIndex;

/* Those with the same hash. */
typedef struct HashedValues
{
	uint32		hash;			/* hash key, must be the first member */
	List	   *values;
} HashedValues;

/* ---------- strings and values ---------- */

bool
ev_strings_equal(const EvString *a, const EvString *b)
{
	return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

bool
ev_json_equal(const JsonbValue *a, const JsonbValue *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case jbvNull:
			return true;
		case jbvBool:
			return a->val.boolean == b->val.boolean;
		case jbvNumeric:
			return ev_number_compare(a->val.numeric, b->val.numeric) == 0;
		case jbvString:
			return a->val.string.len == b->val.string.len &&
				memcmp(a->val.string.val, b->val.string.val, a->val.string.len) == 0;
		default:
			return compareJsonbContainers(a->val.binary.data, b->val.binary.data) == 0;
	}
}

EvInstance
ev_json_instance(const JsonbValue *value)
{
	EvInstance	instance = {.type = ev_value_type(value)};

	switch (instance.type)
	{
		case EV_NUMBER:
			instance.data = (const char *) value->val.numeric;
			break;
		case EV_STRING:
			instance.data = value->val.string.val;
			instance.length = value->val.string.len;
			break;
		case EV_ARRAY:
		case EV_OBJECT:
			instance.data = (const char *) value->val.binary.data;
			break;
		default:
			break;
	}
	return instance;
}

bool
ev_number_is_moderate(Numeric number)
{
	EvDigits	digits = ev_number_read(number);

	return digits.count <= 100 && digits.weight >= -50 && digits.weight <= 50;
}

bool
ev_json_among(EvProver *p, const List *values, const JsonbValue *value)
{
	ListCell   *cell;
	int64		work = ev_value_work(value) + 1;

	foreach(cell, values)
	{
		ev_spend(p, work);
		if (ev_json_equal(lfirst(cell), value))
			return true;
	}
	return false;
}

/* The hashes of the values of a long enum. */
static HTAB *
index_of(EvProver *p, const List *values)
{
	ListIndex  *index;
	ListCell   *cell;
	bool		found;

	if (p->listed == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(List *), .entrysize = sizeof(ListIndex), .hcxt = p->context};

		p->listed = hash_create("event_validate enums", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	index = hash_search(p->listed, &values, HASH_ENTER, &found);
	if (!found)
	{
		HASHCTL		control = {.keysize = sizeof(uint32), .entrysize = sizeof(HashedValues), .hcxt = p->context};

		index->values = hash_create("event_validate enum", list_length(values), &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		foreach(cell, values)
		{
			EvInstance	instance = ev_json_instance(lfirst(cell));
			uint32		hash = ev_value_hash(&instance);
			HashedValues *entry;

			ev_spend(p, 10 + ev_value_work(lfirst(cell)));
			entry = hash_search(index->values, &hash, HASH_ENTER, &found);
			if (!found)
				entry->values = NIL;
			entry->values = lappend(entry->values, lfirst(cell));
		}
	}
	return index->values;
}

bool
ev_is_listed(EvProver *p, const List *values, const JsonbValue *value)
{
	HashedValues *entry;
	EvInstance	instance = ev_json_instance(value);
	uint32		hash;

	if (list_length(values) < LONG_LIST)
		return ev_json_among(p, values, value);
	ev_spend(p, 10 + ev_value_work(value));
	hash = ev_value_hash(&instance);
	entry = hash_search(index_of(p, values), &hash, HASH_FIND, NULL);
	return entry != NULL && ev_json_among(p, entry->values, value);
}

EvTruth
ev_string_matches(EvProver *p, const EvPattern *pattern, const EvString *string)
{
	EvUtf8		utf8;
	bool		matches;

	ev_spend(p, 5 + string->length / (ev_pattern_is_linear(pattern) ? 8 : 1));
	if (!ev_utf8_from_server(string->data, string->length, &utf8))
		return EV_MAYBE;
	matches = ev_pattern_matches(pattern, utf8.data, utf8.length);
	ev_utf8_free(&utf8);
	return matches ? EV_YES : EV_NO;
}

EvCompiler *
ev_compiler_of(EvProver *p, const EvSubschema *schema)
{
	ev_spend(p, list_length(p->new.resources) / 8);
	return list_member_ptr(p->new.resources, schema->resource) ? &p->new : &p->old;
}

/* ---------- sets ---------- */

void
ev_prover_init(EvProver *p)
{
	HASHCTL		sets = {.keysize = sizeof(uint32), .entrysize = sizeof(SetBucket), .hcxt = CurrentMemoryContext};

	p->sets = hash_create("event_validate schema sets", 256, &sets, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	p->truth.is_boolean = true;
	p->truth.boolean = true;
	p->falsehood.is_boolean = true;
	p->anything = ev_set_make(p, NIL, NIL, NIL, EV_ALL_TYPES);
}

/* Do the lists have the same pointers, in any order? */
static bool
same_pointers(EvProver *p, const List *a, const List *b)
{
	int			length = list_length(a);
	int			same = 0;

	if (list_length(b) != length)
		return false;

	/* nearly always in the same order */
	while (same < length && list_nth(a, same) == list_nth(b, same))
		same++;
	ev_spend(p, same / 4);
	for (int i = same; i < length; i++)
	{
		ev_spend(p, length / 8);
		if (!list_member_ptr(b, list_nth(a, i)))
			return false;
	}
	return true;
}

bool
ev_string_among(EvProver *p, const List *strings, const EvString *string)
{
	ListCell   *cell;

	ev_spend(p, list_length(strings));
	foreach(cell, strings)
	{
		if (ev_strings_equal(lfirst(cell), string))
			return true;
	}
	return false;
}

/* Does not depend on the order of the list. */
static uint32
hash_pointers(EvProver *p, const List *list)
{
	uint32		hash = 0;
	ListCell   *cell;

	ev_spend(p, list_length(list));
	foreach(cell, list)
	{
		void	   *pointer = lfirst(cell);

		hash += hash_bytes((unsigned char *) &pointer, sizeof(pointer));
	}
	return hash;
}

EvSchemaSet *
ev_set_make(EvProver *p, const List *members, const List *excluded, const List *required, uint32 types)
{
	uint32		hash = hash_pointers(p, members) * 31 + hash_pointers(p, excluded) * 7 +
		list_length(required) * 131 + types;
	SetBucket  *bucket;
	EvSchemaSet *set;
	ListCell   *cell;
	ListCell   *name;
	bool		found;

	ev_spend(p, 20);
	bucket = hash_search(p->sets, &hash, HASH_ENTER, &found);
	if (!found)
		bucket->sets = NIL;
	foreach(cell, bucket->sets)
	{
		bool		same;

		set = lfirst(cell);
		ev_spend(p, 1);
		same = set->types == types && list_length(set->required) == list_length(required) &&
			same_pointers(p, set->members, members) && same_pointers(p, set->excluded, excluded);
		if (same)
		{
			foreach(name, required)
				same = same && ev_string_among(p, set->required, lfirst(name));
		}
		if (same)
			return set;
	}
	set = palloc0(sizeof(EvSchemaSet));
	set->members = list_copy(members);
	set->excluded = list_copy(excluded);
	set->required = list_copy(required);
	set->types = types;
	bucket->sets = lappend(bucket->sets, set);
	return set;
}

EvSchemaSet *
ev_set_of(EvProver *p, EvSubschema *schema)
{
	List	   *members = NIL;
	EvSchemaSet *result;

	if (schema->is_boolean)
		schema = schema->boolean ? &p->truth : &p->falsehood;
	if (schema != &p->truth)
		members = list_make1(schema);
	result = ev_set_make(p, members, NIL, NIL, EV_ALL_TYPES);
	list_free(members);
	return result;
}

EvSchemaSet *
ev_set_with(EvProver *p, const EvSchemaSet *set, EvSubschema *schema)
{
	List	   *members = list_copy(set->members);
	EvSchemaSet *result;

	if (schema->is_boolean)
		schema = schema->boolean ? &p->truth : &p->falsehood;
	if (schema != &p->truth)
		members = list_append_unique_ptr(members, schema);
	result = ev_set_make(p, members, set->excluded, set->required, set->types);
	list_free(members);
	return result;
}

EvSchemaSet *
ev_set_without(EvProver *p, const EvSchemaSet *set, EvSubschema *schema)
{
	List	   *excluded = list_append_unique_ptr(list_copy(set->excluded), schema);
	EvSchemaSet *result = ev_set_make(p, set->members, excluded, set->required, set->types);

	list_free(excluded);
	return result;
}

EvSchemaSet *
ev_set_of_types(EvProver *p, const EvSchemaSet *set, uint32 types)
{
	return ev_set_make(p, set->members, set->excluded, set->required, set->types & types);
}

EvSchemaSet *
ev_set_requiring(EvProver *p, const EvSchemaSet *set, const EvString *property)
{
	List	   *required = list_copy(set->required);
	EvSchemaSet *result;

	if (!ev_string_among(p, required, property))
		required = lappend(required, unconstify(EvString *, property));
	result = ev_set_make(p, set->members, set->excluded, required, set->types);
	list_free(required);
	return result;
}

const EvTextFact *
ev_facts_requires(EvProver *p, const EvFacts *facts, const EvString *name)
{
	ListCell   *cell;

	ev_spend(p, list_length(facts->required));
	foreach(cell, facts->required)
	{
		EvTextFact *fact = lfirst(cell);

		if (ev_strings_equal(&fact->text, name))
			return fact;
	}
	return NULL;
}

/* ---------- bounds ---------- */

/* Returns an integer bound. */
static EvNumberFact
as_integer(EvNumberFact bound, bool is_lower)
{
	Datum		whole;
	Numeric		value;

	if (bound.value == NULL || !ev_number_is_moderate(bound.value) ||
		(!bound.exclusive && ev_number_is_integer(bound.value)))
		return bound;
	whole = DirectFunctionCall1(is_lower ? numeric_ceil : numeric_floor, NumericGetDatum(bound.value));
	value = DatumGetNumeric(whole);
	if (bound.exclusive && ev_number_compare(value, bound.value) == 0)
		value = DatumGetNumeric(DirectFunctionCall2(is_lower ? numeric_add : numeric_sub, whole,
													NumericGetDatum(int64_to_numeric(1))));
	bound.value = value;
	bound.exclusive = false;
	return bound;
}

EvNumberFact
ev_facts_lower(const EvFacts *f)
{
	return f->integer ? as_integer(f->lower, true) : f->lower;
}

EvNumberFact
ev_facts_upper(const EvFacts *f)
{
	return f->integer ? as_integer(f->upper, false) : f->upper;
}

/* ---------- children ---------- */

static void
add_child(EvProver *p, List **list, EvSubschema *schema)
{
	ev_spend(p, list_length(*list) / 8);
	if (schema != &p->truth)
		*list = list_append_unique_ptr(*list, schema);
}

/* Returns the set of these schemas only; frees the list. */
static EvSchemaSet *
set_of_children(EvProver *p, List *schemas)
{
	EvSchemaSet *result = ev_set_make(p, schemas, NIL, NIL, EV_ALL_TYPES);

	list_free(schemas);
	return result;
}

EvSchemaSet *
ev_facts_property(EvProver *p, const EvFacts *facts, const EvString *name)
{
	List	   *schemas = NIL;
	ListCell   *cell;
	ListCell   *named_cell;

	foreach(cell, facts->object_shapes)
	{
		EvObjectShape *shape = lfirst(cell);
		bool		found = false;

		ev_spend(p, list_length(shape->names) / 2);
		foreach(named_cell, shape->names)
		{
			EvNamedSchema *named = lfirst(named_cell);

			if (ev_strings_equal(&named->name, name))
			{
				add_child(p, &schemas, named->schema);
				found = true;
			}
		}
		foreach(named_cell, shape->patterns)
		{
			EvNamedSchema *named = lfirst(named_cell);

			if (ev_string_matches(p, named->pattern, name) == EV_YES)
			{
				add_child(p, &schemas, named->schema);
				found = true;
			}
		}
		if (!found)
			add_child(p, &schemas, shape->rest);
	}
	return set_of_children(p, schemas);
}

EvSchemaSet *
ev_facts_item(EvProver *p, const EvFacts *facts, uint32 index)
{
	List	   *schemas = NIL;
	ListCell   *cell;

	foreach(cell, facts->array_shapes)
	{
		EvArrayShape *shape = lfirst(cell);

		if (index < (uint32) list_length(shape->prefix))
			add_child(p, &schemas, ((EvNamedSchema *) list_nth(shape->prefix, index))->schema);
		else
			add_child(p, &schemas, shape->rest);
	}
	return set_of_children(p, schemas);
}

uint32
ev_facts_prefix(const EvFacts *facts)
{
	uint32		longest = 0;
	ListCell   *cell;

	foreach(cell, facts->array_shapes)
		longest = Max(longest, (uint32) list_length(((EvArrayShape *) lfirst(cell))->prefix));
	return longest;
}
