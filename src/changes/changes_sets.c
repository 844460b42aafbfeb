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
#define LONG_NAMES	24			/* names that are hashed */

/* numbers of schemas that the numbers of subschemas do not reach */
#define NUMBER_OF_TRUTH		(PG_UINT32_MAX - 1)
#define NUMBER_OF_FALSEHOOD	PG_UINT32_MAX

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
	p->truth.number = NUMBER_OF_TRUTH;
	p->falsehood.is_boolean = true;
	p->falsehood.number = NUMBER_OF_FALSEHOOD;
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

/*
 * Does not depend on the order of the list, nor on addresses: sets with the same hash
 * cost steps, whose number decides what is found.
 */
static uint32
hash_schemas(EvProver *p, const List *list)
{
	uint32		hash = 0;
	ListCell   *cell;

	ev_spend(p, list_length(list));
	foreach(cell, list)
	{
		const EvSubschema *schema = lfirst(cell);

		if (schema->number != 0)
			hash += hash_bytes_uint32(schema->number);
		else
			hash += hash_bytes((const unsigned char *) &schema, sizeof(schema));
	}
	return hash;
}

/* Returns the set of exactly these members. */
static EvSchemaSet *
find_set(EvProver *p, const List *members, const List *excluded, const List *required, uint32 types, bool as_written)
{
	uint32		hash = hash_schemas(p, members) * 31 + hash_schemas(p, excluded) * 7 +
		list_length(required) * 131 + types + (as_written ? 65537 : 0);
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
		same = set->types == types && set->as_written == as_written && list_length(set->required) == list_length(required) &&
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
	set->as_written = as_written;
	bucket->sets = lappend(bucket->sets, set);
	return set;
}

/*
 * Returns a list of the schemas that stand for these, each once; the list itself
 * if it is one.
 */
static const List *
proper_schemas(EvProver *p, const List *schemas, bool without_truth)
{
	List	   *result = NIL;
	ListCell   *cell;

	ev_spend(p, list_length(schemas) / 4);
	foreach(cell, schemas)
	{
		if (ev_same_schema(p, lfirst(cell)) != lfirst(cell) || (without_truth && lfirst(cell) == &p->truth))
			break;
	}
	if (cell == NULL)
		return schemas;
	foreach(cell, schemas)
	{
		EvSubschema *schema = ev_same_schema(p, lfirst(cell));

		ev_spend(p, list_length(result) / 8);
		if (!(without_truth && schema == &p->truth))
			result = list_append_unique_ptr(result, schema);
	}
	return result;
}

EvSchemaSet *
ev_set_make(EvProver *p, const List *members, const List *excluded, const List *required, uint32 types)
{
	EvSchemaSet *result = find_set(p, proper_schemas(p, members, true), proper_schemas(p, excluded, false), required,
								   types, false);

	result->proper = result;
	return result;
}

EvSchemaSet *
ev_set_written(EvProver *p, const List *members)
{
	EvSchemaSet *result = find_set(p, members, NIL, NIL, EV_ALL_TYPES, true);

	if (result->proper == NULL)
		result->proper = ev_set_make(p, members, NIL, NIL, EV_ALL_TYPES);
	return result;
}

EvSchemaSet *
ev_set_written_of(EvProver *p, EvSubschema *schema)
{
	bool		is_true = schema->is_boolean && schema->boolean;
	List	   *members = is_true ? NIL : list_make1(schema->is_boolean ? &p->falsehood : schema);
	EvSchemaSet *result = ev_set_written(p, members);

	list_free(members);
	return result;
}

EvSchemaSet *
ev_set_of(EvProver *p, EvSubschema *schema)
{
	List	   *members = list_make1(schema);
	EvSchemaSet *result = ev_set_make(p, members, NIL, NIL, EV_ALL_TYPES);

	list_free(members);
	return result;
}

EvSchemaSet *
ev_set_with(EvProver *p, const EvSchemaSet *set, EvSubschema *schema)
{
	List	   *members = list_append_unique_ptr(list_copy(set->proper->members), ev_same_schema(p, schema));
	EvSchemaSet *result = ev_set_make(p, members, set->excluded, set->required, set->types);

	list_free(members);
	return result;
}

EvSchemaSet *
ev_set_without(EvProver *p, const EvSchemaSet *set, EvSubschema *schema)
{
	List	   *excluded = list_append_unique_ptr(list_copy(set->excluded), ev_same_schema(p, schema));
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

/* ---------- names ---------- */

/* An entry of a table of names. */
typedef struct KnownName
{
	EvString	name;			/* hash key, must be the first member */
	const void *value;
} KnownName;

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

static HTAB *
make_names(EvProver *p)
{
	HASHCTL		control = {.keysize = sizeof(EvString), .entrysize = sizeof(KnownName), .hash = hash_name,
	.match = match_names};

	control.hcxt = p->context;
	return hash_create("event_validate names", 64, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/* Adds a name; returns false if it is there. */
static bool
enter_name(EvProver *p, HTAB *names, const EvString *name, const void *value)
{
	bool		found;
	KnownName  *entry;

	ev_spend(p, 8 + name->length / 16);
	entry = hash_search(names, name, HASH_ENTER, &found);
	if (!found)
		entry->value = value;
	return !found;
}

void
ev_add_name_once(EvProver *p, List **names, HTAB **known, const EvString *name)
{
	ListCell   *cell;

	if (*known == NULL && list_length(*names) >= LONG_NAMES)
	{
		*known = make_names(p);
		foreach(cell, *names)
			enter_name(p, *known, lfirst(cell), NULL);
	}
	if (*known != NULL ? enter_name(p, *known, name, NULL) : !ev_string_among(p, *names, name))
		*names = lappend(*names, unconstify(EvString *, name));
}

/* The same as ev_facts_requires(), with a table. */
static const EvTextFact *
find_required(EvProver *p, EvFacts *facts, const EvString *name)
{
	KnownName  *entry;

	if (facts->required_names == NULL)
		facts->required_names = make_names(p);
	for (; facts->named < list_length(facts->required); facts->named++)
	{
		EvTextFact *fact = list_nth(facts->required, facts->named);

		enter_name(p, facts->required_names, &fact->text, fact);
	}
	ev_spend(p, 8 + name->length / 16);
	entry = hash_search(facts->required_names, name, HASH_FIND, NULL);
	return entry != NULL ? entry->value : NULL;
}

const EvTextFact *
ev_facts_requires(EvProver *p, const EvFacts *facts, const EvString *name)
{
	ListCell   *cell;

	if (list_length(facts->required) >= LONG_NAMES)
		return find_required(p, unconstify(EvFacts *, facts), name);
	ev_spend(p, list_length(facts->required));
	foreach(cell, facts->required)
	{
		EvTextFact *fact = lfirst(cell);

		if (ev_strings_equal(&fact->text, name))
			return fact;
	}
	return NULL;
}

/* The order of keys in jsonb. */
static int
compare_names(const EvString *a, const EvString *b)
{
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->data, b->data, a->length);
}

EvNamedSchema *
ev_shape_name(EvProver *p, const EvObjectShape *shape, const EvString *name)
{
	int			low = 0;
	int			high = list_length(shape->names);
	ListCell   *cell;

	if (!shape->evaluates)
	{
		ev_spend(p, high);
		foreach(cell, shape->names)
		{
			if (ev_strings_equal(&((EvNamedSchema *) lfirst(cell))->name, name))
				return lfirst(cell);
		}
		return NULL;
	}
	ev_spend(p, 3);
	while (low < high)
	{
		int			middle = (low + high) / 2;
		EvNamedSchema *named = list_nth(shape->names, middle);
		int			order = compare_names(name, &named->name);

		if (order == 0)
			return named;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
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
set_of_children(EvProver *p, const EvFacts *facts, List *schemas)
{
	EvSchemaSet *result = facts->as_written ? ev_set_written(p, schemas) :
		ev_set_make(p, schemas, NIL, NIL, EV_ALL_TYPES);

	list_free(schemas);
	return result;
}

/* Returns a set without the values that a property does not have. */
static EvSchemaSet *
without_excluded(EvProver *p, const EvFacts *facts, const EvString *name, EvSchemaSet *set)
{
	ListCell   *cell;

	if (facts->as_written)
		return set;
	foreach(cell, facts->excluded)
	{
		EvExcludedFact *fact = lfirst(cell);

		ev_spend(p, 2);
		if (!ev_strings_equal(&fact->name, name))
			continue;
		set = ev_same_schema(p, fact->schema) == &p->truth ? ev_set_with(p, set, &p->falsehood) :
			ev_set_without(p, set, fact->schema);
	}
	return set;
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
		EvNamedSchema *by_name = ev_shape_name(p, shape, name);
		bool		found = by_name != NULL;

		if (found)
			add_child(p, &schemas, by_name->schema);
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
	return without_excluded(p, facts, name, set_of_children(p, facts, schemas));
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
	return set_of_children(p, facts, schemas);
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
