/*
 * described.c
 *	  A registered schema, read for documentation.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "base/json_pointer.h"
#include "describe/described.h"
#include "registry/function_row.h"
#include "registry/names.h"
#include "registry/validation_error.h"
#include "schema/json_text.h"

#define MOST_STEPS		50000	/* of one walk; unions in circles multiply
								 * them */
#define MOST_PARTS		200		/* that apply to one instance */
#define MOST_TEXT_WORK	INT64CONST(100000000)	/* bytes of text that are
												 * searched for the order of
												 * names */

/* The keywords of a subschema. */
typedef struct KnownKeywords
{
	const EvSubschema *schema;	/* hash key, must be the first member */
	EvKeywordValues *values;
} KnownKeywords;

/* The text of a document. */
typedef struct KnownText
{
	Oid			function;
	const char *json;			/* NULL: not known */
} KnownText;

Oid
ev_described_version(const text *type, int32 version, bool is_latest)
{
	Oid			function;

	if (is_latest)
	{
		List	   *versions;
		List	   *functions = ev_registry_list(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), &versions);

		if (functions == NIL)
			ev_refuse_unregistered(type, 1);
		return llast_oid(functions);
	}
	(void) ev_require_event_name(type, version);
	function = ev_registered_version(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), version);
	if (!OidIsValid(function))
		ev_refuse_unregistered(type, version);
	return function;
}

EvDescribed *
ev_describe(Oid function)
{
	EvDescribed *d = palloc0(sizeof(EvDescribed));
	EvFault    *fault = palloc0(sizeof(EvFault));
	HASHCTL		control = {.keysize = sizeof(EvSubschema *), .entrysize = sizeof(KnownKeywords), .hcxt = CurrentMemoryContext};
	HeapTuple	row;

	d->schema = ev_registry_by_function(function);
	row = ev_function_row(function);
	if (!HeapTupleIsValid(row) || !ev_function_document(row, &d->document, fault))
		elog(ERROR, "schema of function %u cannot be read", function);
	d->compiler.document = &d->document;
	d->compiler.resolver = ev_registry_resolve;
	d->compiler.fault = fault;
	ev_compiler_init(&d->compiler, CurrentMemoryContext);
	d->root = ev_resolve_references(&d->compiler);
	if (d->root == NULL)
		ev_fault_report(fault, d->document.name);
	d->keywords = hash_create("event_validate keywords", 128, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return d;
}

bool
ev_describe_step(EvDescribed *d)
{
	ev_compiler_look(&d->compiler);
	if (++d->steps > MOST_STEPS)
		d->is_cut = true;
	return !d->is_cut;
}

EvSubschema *
ev_described_child(EvDescribed *d, const EvSubschema *parent, const JsonbValue *value)
{
	if (value->type == jbvBool)
	{
		EvSubschema *boolean = palloc0(sizeof(EvSubschema));

		boolean->is_boolean = true;
		boolean->boolean = value->val.boolean;
		boolean->resource = parent->resource;
		return boolean;
	}
	return ev_node_is_object(value) ? ev_subschema_find(&d->compiler, value) : NULL;
}

const EvKeywordValues *
ev_described_keywords(EvDescribed *d, EvSubschema *schema)
{
	bool		found;
	KnownKeywords *known = hash_search(d->keywords, &schema, HASH_ENTER, &found);

	if (!found)
	{
		known->values = palloc0(sizeof(EvKeywordValues));
		ev_read_keywords(schema, known->values);
	}
	return known->values;
}

static bool
has_part(const List *parts, const EvSubschema *schema)
{
	ListCell   *cell;

	foreach(cell, parts)
		if (((EvPart *) lfirst(cell))->schema == schema)
		return true;
	return false;
}

List *
ev_add_parts(EvDescribed *d, List *parts, EvSubschema *schema)
{
	EvPart	   *part;
	ListCell   *cell;
	const EvKeywordValues *keywords;

	check_stack_depth();
	if (schema == NULL || has_part(parts, schema) || list_length(parts) >= MOST_PARTS || !ev_describe_step(d))
		return parts;
	part = palloc0(sizeof(EvPart));
	part->schema = schema;
	parts = lappend(parts, part);
	if (schema->is_boolean)
		return parts;
	keywords = part->keywords = ev_described_keywords(d, schema);
	part->only_describes = ev_ref_hides_siblings(schema, keywords);
	foreach(cell, schema->references)
		parts = ev_add_parts(d, parts, ((EvReference *) lfirst(cell))->target);
	if (ev_part_has(part, EV_KW_ALL_OF) && ev_node_is_array(&keywords->values[EV_KW_ALL_OF]))
	{
		const JsonbContainer *members = keywords->values[EV_KW_ALL_OF].val.binary.data;

		for (uint32 i = 0; i < JsonContainerSize(members); i++)
			parts = ev_add_parts(d, parts, ev_described_child(d, schema, getIthJsonbValueFromContainer(unconstify(JsonbContainer *, members), i)));
	}
	return parts;
}

List *
ev_object_keys(const JsonbValue *object)
{
	List	   *result = NIL;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;

	if (!ev_node_is_object(object))
		return NIL;
	iterator = JsonbIteratorInit(object->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_KEY)
		{
			EvString   *key = palloc(sizeof(EvString));

			*key = ev_string_of(&value);
			result = lappend(result, key);
		}
	return result;
}

JsonbValue *
ev_object_value(const JsonbValue *object, const EvString *key)
{
	return ev_node_is_object(object) ? getKeyJsonValueFromContainer(object->val.binary.data, key->data, key->length, NULL) : NULL;
}

char *
ev_described_json(const JsonbValue *value)
{
	JsonbValue	copy = *value;
	Jsonb	   *jsonb = JsonbValueToJsonb(&copy);
	char	   *json = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));

	pfree(jsonb);
	return json;
}

/* ---------- the order of names ---------- */

/* A name and its position in the text. */
typedef struct PlacedName
{
	EvString   *name;
	const char *at;
} PlacedName;

static int
compare_placed(const void *a, const void *b)
{
	const PlacedName *x = a;
	const PlacedName *y = b;
	int			order = x->at < y->at ? -1 : x->at > y->at;

	if (order == 0)
		order = ev_type_order(x->name->data, x->name->length, y->name->data, y->name->length);
	return order;
}

/* Returns the text of the document of a function; NULL if it is not known. */
static const char *
text_of(EvDescribed *d, Oid function)
{
	KnownText  *known;
	ListCell   *cell;
	HeapTuple	row;
	EvDocument	document;
	EvFault		fault;

	foreach(cell, d->texts)
	{
		known = lfirst(cell);
		if (known->function == function)
			return known->json;
	}
	known = palloc0(sizeof(KnownText));
	known->function = function;
	row = OidIsValid(function) ? ev_function_row(function) : NULL;
	if (HeapTupleIsValid(row) && ev_function_document(row, &document, &fault))
		known->json = document.json;
	d->texts = lappend(d->texts, known);
	return known->json;
}

List *
ev_order_names(EvDescribed *d, const EvSubschema *schema, const char *keyword, List *names)
{
	int			count = list_length(names);
	const char *json = text_of(d, schema->resource->function);
	PlacedName *placed;
	List	   *result = NIL;
	char	   *base;

	if (count < 2)
		return names;
	if (json != NULL)
		d->text_work += (int64) strlen(json) * count;
	base = ev_location_pointer(schema->location, false);
	placed = palloc0(sizeof(PlacedName) * count);
	for (int i = 0; i < count; i++)
	{
		placed[i].name = list_nth(names, i);
		ev_compiler_look(&d->compiler);
		if (json != NULL && d->text_work < MOST_TEXT_WORK)
		{
			StringInfoData pointer;

			initStringInfo(&pointer);
			appendStringInfo(&pointer, "%s/%s/", base, keyword);
			ev_pointer_append_key(&pointer, placed[i].name->data, placed[i].name->length);
			placed[i].at = ev_json_find(json, pointer.data);
			pfree(pointer.data);
		}
	}
	qsort(placed, count, sizeof(PlacedName), compare_placed);
	for (int i = 0; i < count; i++)
		result = lappend(result, placed[i].name);
	pfree(placed);
	return result;
}
