/*
 * component_writer.c
 *	  Writes a schema as a component of an AsyncAPI or OpenAPI document.
 *
 * A component has no URI of its own, so that all references lead to "#/components/schemas".
 * In draft 7, which all tools of AsyncAPI read, keywords of later dialects have other
 * names: prefixItems is items, items beside it is additionalItems, dependentRequired and
 * dependentSchemas are dependencies, $defs is definitions.  References into these are
 * changed too.  A $ref has no siblings there, so that it moves to the end of allOf.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/json.h"

#include "base/encoding.h"
#include "base/json_pointer.h"
#include "base/shown_text.h"
#include "describe/component_writer.h"

typedef struct Writer
{
	EvDescribed *d;
	EvComponents *components;
	StringInfo	out;
	List	   *left_out;
	int64		left_out_bytes;
	HTAB	   *targets;		/* of KnownTarget */
} Writer;

/* A subschema to which references lead. */
typedef struct KnownTarget
{
	const EvSubschema *schema;	/* hash key, must be the first member */
	char	   *reference;		/* NULL: its document is no component */
} KnownTarget;

/* A schema that is being written. */
typedef struct Object
{
	Writer	   *writer;
	EvSubschema *schema;
	const EvKeywordValues *keywords;
	bool		any;			/* it has a member */
	bool		moves_reference;	/* $ref goes to allOf */
} Object;

static void write_value(Writer *w, const JsonbValue *value);

const char *
ev_component_name(const EvComponents *components, Oid function)
{
	EvComponentName *name = hash_search(components->names, &function, HASH_FIND, NULL);

	return name != NULL ? name->name : NULL;
}

void
ev_component_limit(EvComponents *components, int64 bytes)
{
	if (bytes <= components->most)
		return;
	components->is_too_long = true;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a schema takes more than " INT64_FORMAT " MB as a component of the page", components->most / (1024 * 1024)),
			 errdetail("References are written as JSON Pointers, which can be much longer than an anchor or a URI."),
			 errhint("Have the subschemas to which references lead at short locations, as in \"$defs\" of the document.")));
}

static void
look(Writer *w)
{
	ev_compiler_look(&w->d->compiler);
	ev_component_limit(w->components, w->out->len + w->left_out_bytes);
}

static void
leave_out(Writer *w, const EvSubschema *schema, const char *keyword)
{
	char	   *pointer = ev_location_pointer(schema->location, false);

	w->left_out = lappend(w->left_out, psprintf("%s/%s", pointer, keyword));
	w->left_out_bytes += strlen(llast(w->left_out));
	pfree(pointer);
}

/* ---------- references ---------- */

/* Returns the root of the document of a function. */
static JsonbValue
document_root(const EvDescribed *d, Oid function)
{
	JsonbValue	root = {.type = jbvNull};
	ListCell   *cell;

	foreach(cell, d->compiler.resources)
	{
		const EvResource *resource = lfirst(cell);

		if (resource->function == function && resource->root != NULL && !resource->root->is_boolean &&
			resource->root->location->parent == NULL)
		{
			root.type = jbvBinary;
			root.val.binary.data = unconstify(JsonbContainer *, resource->root->container);
			break;
		}
	}
	return root;
}

static bool
has_key(const JsonbValue *object, const char *name)
{
	EvString	key = {name, strlen(name)};

	return ev_object_value(object, &key) != NULL;
}

/* Returns the name that a keyword has in draft 7, by the schema that it is in. */
static const char *
draft7_name(const JsonbValue *schema, const char *keyword, EvDraft draft)
{
	if (strcmp(keyword, "prefixItems") == 0 && draft >= EV_DRAFT2020)
		return "items";
	if (strcmp(keyword, "items") == 0 && draft >= EV_DRAFT2020 && has_key(schema, "prefixItems"))
		return "additionalItems";
	if (strcmp(keyword, "dependentSchemas") == 0 && draft >= EV_DRAFT2019)
		return "dependencies";
	if (strcmp(keyword, "$defs") == 0 && draft >= EV_DRAFT2019 && !has_key(schema, "definitions"))
		return "definitions";
	return keyword;
}

/* Appends a token of a JSON Pointer in the fragment of a URI. */
static void
append_fragment_token(StringInfo out, const char *token)
{
	EvUtf8		utf8;

	appendStringInfoChar(out, '/');
	if (!ev_utf8_from_server(token, strlen(token), &utf8))
	{
		appendStringInfoString(out, token);
		return;
	}
	for (int i = 0; i < utf8.length; i++)
	{
		unsigned char c = (unsigned char) utf8.data[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c < 0x80 && strchr("-._~!$&'()*+,;=:@", c) != NULL && c != 0))
			appendStringInfoChar(out, c);
		else
			appendStringInfo(out, "%%%02X", c);
	}
	ev_utf8_free(&utf8);
}

/* Appends the pointer into a document, with the names that draft 7 has. */
static void
append_pointer(Writer *w, StringInfo out, const EvSubschema *target)
{
	JsonbValue	node = document_root(w->d, target->resource->function);
	char	   *pointer = ev_location_pointer(target->location, false);
	const char *p = pointer;

	while (*p == '/')
	{
		int			length = strcspn(++p, "/");
		char	   *token = pnstrdup(p, length);
		StringInfoData key;
		JsonbValue *child = NULL;
		EvSubschema *schema = ev_node_is_object(&node) ? ev_subschema_find(&w->d->compiler, &node) : NULL;

		initStringInfo(&key);
		ev_pointer_append_unescaped(&key, p, length);
		p += length;
		append_fragment_token(out, w->components->as_draft7 && schema != NULL ? draft7_name(&node, token, schema->resource->draft) : token);
		if (ev_node_is_object(&node))
			child = getKeyJsonValueFromContainer(node.val.binary.data, key.data, key.len, NULL);
		else if (ev_node_is_array(&node))
			child = getIthJsonbValueFromContainer(node.val.binary.data, atoi(key.data));
		node.type = jbvNull;
		if (child != NULL)
			node = *child;
		pfree(token);
		pfree(key.data);
	}
	pfree(pointer);
}

/* Returns the reference to a subschema, which is made once; NULL if its document is no component. */
static const char *
reference_to(Writer *w, const EvSubschema *target)
{
	const char *name = ev_component_name(w->components, target->resource->function);
	bool		found;
	KnownTarget *known = hash_search(w->targets, &target, HASH_ENTER, &found);
	StringInfoData out;

	if (found)
		return known->reference;
	known->reference = NULL;
	if (name == NULL)
		return NULL;
	initStringInfo(&out);
	appendStringInfo(&out, "#/components/schemas/%s%s", name, w->components->suffix);
	append_pointer(w, &out, target);
	return known->reference = out.data;
}

/* Returns where a reference leads; NULL if this is not known before an instance is. */
static const EvSubschema *
static_target(Writer *w, const EvReference *reference)
{
	List	   *anchors;

	if (reference->dynamic_anchor == NULL)
		return reference->target;
	anchors = ev_dynamic_anchors(&w->d->compiler, reference->dynamic_anchor);
	if (list_length(anchors) == 1)
		return ((EvDynamicAnchor *) linitial(anchors))->target;
	return NULL;
}

/* ---------- members ---------- */

static void
begin_member(Object *o, const char *name)
{
	appendStringInfoString(o->writer->out, o->any ? ", " : "{");
	escape_json(o->writer->out, name);
	appendStringInfoString(o->writer->out, ": ");
	o->any = true;
}

/* Writes the references: as $ref, or as the last members of allOf. */
static void
write_references(Object *o)
{
	Writer	   *w = o->writer;
	List	   *texts = NIL;
	const JsonbValue *members = o->keywords->present[EV_KW_ALL_OF] ? &o->keywords->values[EV_KW_ALL_OF] : NULL;
	bool		any = false;
	ListCell   *cell;

	foreach(cell, o->schema->references)
	{
		const EvReference *reference = lfirst(cell);
		const EvSubschema *target = static_target(w, reference);
		const char *text = target != NULL ? reference_to(w, target) : NULL;

		if (text == NULL)
			leave_out(w, o->schema, reference->keyword);
		else
			texts = lappend(texts, unconstify(char *, text));
	}
	if (list_length(texts) == 1 && !o->moves_reference)
	{
		begin_member(o, "$ref");
		escape_json(w->out, linitial(texts));
		texts = NIL;
	}
	if (texts == NIL && (members == NULL || ev_ref_hides_siblings(o->schema, o->keywords)))
		return;
	begin_member(o, "allOf");
	appendStringInfoChar(w->out, '[');
	if (members != NULL && ev_node_is_array(members))
		for (uint32 i = 0; i < JsonContainerSize(members->val.binary.data); i++)
		{
			appendStringInfoString(w->out, any ? ", " : "");
			write_value(w, getIthJsonbValueFromContainer(members->val.binary.data, i));
			any = true;
		}
	foreach(cell, texts)
	{
		appendStringInfoString(w->out, any ? ", {\"$ref\": " : "{\"$ref\": ");
		escape_json(w->out, lfirst(cell));
		appendStringInfoChar(w->out, '}');
		any = true;
	}
	appendStringInfoChar(w->out, ']');
}

/* Writes dependentRequired, dependentSchemas and dependencies as the last one. */
static void
write_dependencies(Object *o)
{
	static const int keywords[] = {EV_KW_DEPENDENT_REQUIRED, EV_KW_DEPENDENT_SCHEMAS, EV_KW_DEPENDENCIES};
	Writer	   *w = o->writer;
	bool		begun = false;
	ListCell   *cell;

	for (int i = 0; i < (int) lengthof(keywords); i++)
	{
		if (!o->keywords->present[keywords[i]])
			continue;
		foreach(cell, ev_object_keys(&o->keywords->values[keywords[i]]))
		{
			EvString   *key = lfirst(cell);
			bool		is_done = false;
			int			count = 0;

			CHECK_FOR_INTERRUPTS();
			for (int k = 0; k < i; k++)
				is_done |= o->keywords->present[keywords[k]] && ev_object_value(&o->keywords->values[keywords[k]], key) != NULL;
			if (is_done)
				continue;
			for (int k = i; k < (int) lengthof(keywords); k++)
				count += o->keywords->present[keywords[k]] && ev_object_value(&o->keywords->values[keywords[k]], key) != NULL;
			if (!begun)
				begin_member(o, "dependencies");
			appendStringInfoString(w->out, begun ? ", " : "{");
			begun = true;
			escape_json(w->out, pnstrdup(key->data, key->length));
			appendStringInfoString(w->out, ": ");
			if (count > 1)
				appendStringInfoString(w->out, "{\"allOf\": [");
			for (int k = i, number = 0; k < (int) lengthof(keywords); k++)
			{
				JsonbValue *value = o->keywords->present[keywords[k]] ? ev_object_value(&o->keywords->values[keywords[k]], key) : NULL;

				if (value == NULL)
					continue;
				appendStringInfoString(w->out, number++ > 0 ? ", " : "");
				if (count > 1 && ev_node_is_array(value))
					appendStringInfo(w->out, "{\"required\": %s}", ev_described_json(value));
				else
					write_value(w, value);
			}
			if (count > 1)
				appendStringInfoString(w->out, "]}");
		}
	}
	if (begun)
		appendStringInfoChar(w->out, '}');
}

/* Does a schema apply others to the same instance? */
static bool
applies_in_place(const EvKeywordValues *keywords)
{
	static const int in_place[] = {EV_KW_REF, EV_KW_DYNAMIC_REF, EV_KW_RECURSIVE_REF, EV_KW_ALL_OF, EV_KW_ANY_OF, EV_KW_ONE_OF, EV_KW_NOT, EV_KW_IF, EV_KW_DEPENDENT_SCHEMAS};

	for (int i = 0; i < (int) lengthof(in_place); i++)
		if (keywords->present[in_place[i]])
			return true;
	return false;
}

static void
write_renamed(Object *o, const char *name, int keyword)
{
	begin_member(o, name);
	write_value(o->writer, &o->keywords->values[keyword]);
}

/* Without schemas in place, what is not evaluated is what is additional. */
static void
write_unevaluated(Object *o, int keyword)
{
	const EvKeywordValues *k = o->keywords;
	bool		about_items = keyword == EV_KW_UNEVALUATED_ITEMS;

	if (applies_in_place(k) || (about_items && (k->present[EV_KW_CONTAINS] || k->present[EV_KW_ITEMS])))
		leave_out(o->writer, o->schema, ev_keywords[keyword].name);
	else if (!about_items && !k->present[EV_KW_ADDITIONAL_PROPERTIES])
		write_renamed(o, "additionalProperties", keyword);
	else if (about_items && k->present[EV_KW_PREFIX_ITEMS])
		write_renamed(o, "additionalItems", keyword);
	else if (about_items && !k->present[EV_KW_ITEMS_DRAFT4])
		write_renamed(o, "items", keyword);
	else if (about_items && !k->present[EV_KW_ADDITIONAL_ITEMS])
		write_renamed(o, "additionalItems", keyword);
}

static bool
is_zero(const EvKeywordValues *keywords, int keyword)
{
	return keywords->present[keyword] && strcmp(ev_described_json(&keywords->values[keyword]), "0") == 0;
}

/* Writes a keyword of a later dialect, or of draft 4, as draft 7 has it.  Returns false if it is the same there. */
static bool
write_as_draft7(Object *o, int keyword)
{
	const EvKeywordValues *k = o->keywords;
	int			exclusive = keyword == EV_KW_MINIMUM ? EV_KW_EXCLUSIVE_MINIMUM_DRAFT4 : EV_KW_EXCLUSIVE_MAXIMUM_DRAFT4;

	switch (keyword)
	{
		case EV_KW_DEFS:
			write_renamed(o, k->present[EV_KW_DEFINITIONS] ? "$defs" : "definitions", keyword);
			return true;
		case EV_KW_PREFIX_ITEMS:
			write_renamed(o, "items", keyword);
			return true;
		case EV_KW_ITEMS:
			write_renamed(o, k->present[EV_KW_PREFIX_ITEMS] ? "additionalItems" : "items", keyword);
			return true;
		case EV_KW_DEPENDENT_REQUIRED:
		case EV_KW_DEPENDENT_SCHEMAS:
		case EV_KW_DEPENDENCIES:
			return true;		/* write_dependencies */
		case EV_KW_UNEVALUATED_ITEMS:
		case EV_KW_UNEVALUATED_PROPERTIES:
			write_unevaluated(o, keyword);
			return true;
		case EV_KW_CONTAINS:
			/* with minContains 0, it demands nothing */
			return is_zero(k, EV_KW_MIN_CONTAINS);
		case EV_KW_MIN_CONTAINS:
		case EV_KW_MAX_CONTAINS:
			if (k->present[EV_KW_CONTAINS] && !is_zero(k, keyword))
				leave_out(o->writer, o->schema, ev_keywords[keyword].name);
			return true;
		case EV_KW_CONTENT_SCHEMA:
		case EV_KW_EXCLUSIVE_MINIMUM_DRAFT4:
		case EV_KW_EXCLUSIVE_MAXIMUM_DRAFT4:
			return true;
		case EV_KW_MINIMUM:
		case EV_KW_MAXIMUM:
			if (!k->present[exclusive] || k->values[exclusive].type != jbvBool || !k->values[exclusive].val.boolean)
				return false;
			write_renamed(o, keyword == EV_KW_MINIMUM ? "exclusiveMinimum" : "exclusiveMaximum", keyword);
			return true;
		default:
			return false;
	}
}

/* OpenAPI's discriminator: its mapping leads to components, too. */
static void
write_discriminator(Object *o, const JsonbValue *value)
{
	Writer	   *w = o->writer;
	EvString	name_key = {"propertyName", strlen("propertyName")};
	EvString	mapping_key = {"mapping", strlen("mapping")};
	JsonbValue *name = ev_object_value(value, &name_key);
	JsonbValue *mapping = ev_object_value(value, &mapping_key);
	bool		any = false;
	ListCell   *cell;

	if (name == NULL || name->type != jbvString)
		return;
	begin_member(o, "discriminator");
	if (w->components->discriminator_is_name)
	{
		escape_json(w->out, ev_node_string(name));
		return;
	}
	appendStringInfoString(w->out, "{\"propertyName\": ");
	escape_json(w->out, ev_node_string(name));
	if (mapping != NULL)
		foreach(cell, ev_object_keys(mapping))
	{
		const EvString *key = lfirst(cell);
		JsonbValue *uri = ev_object_value(mapping, key);
		EvDocument	target = {0};
		const char *component = NULL;

		ev_compiler_look(&w->d->compiler);
		if (uri->type != jbvString)
			continue;
		if (ev_registry_try_resolve(ev_node_string(uri), &target))
		{
			component = ev_component_name(w->components, target.function);
			pfree(target.schema);
		}
		if (component == NULL)
			continue;
		appendStringInfoString(w->out, any ? ", " : ", \"mapping\": {");
		any = true;
		escape_json(w->out, pnstrdup(key->data, key->length));
		appendStringInfo(w->out, ": \"#/components/schemas/%s%s\"", component, w->components->suffix);
	}
	appendStringInfoString(w->out, any ? "}}" : "}");
}

/* ---------- schemas ---------- */

static bool
is_identity(int keyword)
{
	return keyword == EV_KW_SCHEMA || keyword == EV_KW_ID || keyword == EV_KW_ID_DRAFT4 || keyword == EV_KW_ANCHOR ||
		keyword == EV_KW_DYNAMIC_ANCHOR || keyword == EV_KW_RECURSIVE_ANCHOR || keyword == EV_KW_VOCABULARY;
}

static void
write_member(Object *o, const JsonbValue *key, const JsonbValue *value)
{
	EvDraft		draft = o->schema->resource->draft;
	int			keyword = ev_keyword_find(key->val.string.val, key->val.string.len, draft);
	char	   *name = ev_node_string(key);

	if (keyword >= 0 && (is_identity(keyword) || ev_keyword_refers(keyword) || keyword == EV_KW_ALL_OF))
		return;					/* write_references writes the last two */
	/* without "$id", which other drafts would take for a base */
	if (strcmp(name, "$id") == 0 || strcmp(name, "$schema") == 0)
		return;
	if (strcmp(name, "discriminator") == 0 && ev_node_is_object(value))
	{
		write_discriminator(o, value);
		return;
	}
	if (o->writer->components->as_draft7)
	{
		if (keyword >= 0 && write_as_draft7(o, keyword))
			return;
		/* keywords of other dialects would get a meaning */
		if (keyword < 0 && ev_keyword_find(key->val.string.val, key->val.string.len, EV_DRAFT7) >= 0)
			return;
	}
	begin_member(o, name);
	write_value(o->writer, value);
}

static void
write_schema(Writer *w, EvSubschema *schema)
{
	Object		o = {.writer = w, .schema = schema, .keywords = ev_described_keywords(w->d, schema)};
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, schema->container));
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	o.moves_reference = w->components->as_draft7 && schema->resource->draft >= EV_DRAFT2019 &&
		JsonContainerSize(schema->container) > 1;
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		look(w);
		JsonbIteratorNext(&iterator, &value, true);
		write_member(&o, &key, &value);
	}
	write_references(&o);
	if (w->components->as_draft7)
		write_dependencies(&o);
	appendStringInfoString(w->out, o.any ? "}" : "{}");
}

static void
write_value(Writer *w, const JsonbValue *value)
{
	check_stack_depth();
	look(w);
	if (ev_node_is_array(value))
	{
		appendStringInfoChar(w->out, '[');
		for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
		{
			appendStringInfoString(w->out, i > 0 ? ", " : "");
			write_value(w, getIthJsonbValueFromContainer(value->val.binary.data, i));
		}
		appendStringInfoChar(w->out, ']');
	}
	else if (ev_node_is_object(value))
	{
		EvSubschema *schema = ev_subschema_find(&w->d->compiler, value);
		bool		any = false;
		ListCell   *cell;

		if (schema != NULL)
		{
			write_schema(w, schema);
			return;
		}
		appendStringInfoChar(w->out, '{');
		foreach(cell, ev_object_keys(value))
		{
			const EvString *key = lfirst(cell);

			appendStringInfoString(w->out, any ? ", " : "");
			any = true;
			escape_json(w->out, pnstrdup(key->data, key->length));
			appendStringInfoString(w->out, ": ");
			write_value(w, ev_object_value(value, key));
		}
		appendStringInfoChar(w->out, '}');
	}
	else
	{
		char	   *json = ev_described_json(value);

		appendStringInfoString(w->out, json);
		pfree(json);
	}
}

char *
ev_component_write(EvDescribed *d, EvComponents *components, List **left_out)
{
	HASHCTL		control = {.keysize = sizeof(EvSubschema *), .entrysize = sizeof(KnownTarget), .hcxt = CurrentMemoryContext};
	StringInfoData out;
	Writer		w = {.d = d, .components = components, .out = &out};

	w.targets = hash_create("event_validate targets", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	initStringInfo(&out);
	if (d->root->is_boolean)
		appendStringInfoString(&out, d->root->boolean ? "{}" : "{\"not\": {}}");
	else
		write_schema(&w, d->root);
	*left_out = w.left_out;
	return out.data;
}
