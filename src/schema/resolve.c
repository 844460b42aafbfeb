/*
 * resolve.c
 *	  Reads schema documents: finds all subschemas, has their keywords
 *	  checked, collects $id and anchors, and resolves references, reading
 *	  the documents that they lead to.
 *
 * Afterwards, either each reference of each subschema has a target, or there
 * is a fault.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/json_pointer.h"
#include "schema/identity.h"
#include "schema/keyword_values.h"
#include "schema/metaschema.h"
#include "schema/schema_graph.h"
#include "schema/uri.h"

static const char dynamic_scope;

static void walk(EvCompiler *c, JsonbValue *node, EvLocation *location, EvResource *resource);

/* ---------- dynamic anchors ---------- */

static void
add_dynamic_anchor(EvCompiler *c, EvResource *resource, const char *name, EvSubschema *target)
{
	List	   *anchors = ev_find_name(c, &dynamic_scope, name);
	EvDynamicAnchor *anchor = anchors != NIL ? llast(anchors) : NULL;

	if (anchor == NULL || anchor->resource != resource)
	{
		anchor = palloc(sizeof(EvDynamicAnchor));
		anchor->resource = resource;
		if (anchors == NIL)
			ev_add_name(c, &dynamic_scope, name, list_make1(anchor));
		else
			anchors = lappend(anchors, anchor); /* lappend keeps the list's
												 * address */
	}
	anchor->target = target;
}

List *
ev_dynamic_anchors(EvCompiler *c, const char *name)
{
	if (!c->knows_dynamic_anchors)
	{
		ListCell   *cell;

		c->knows_dynamic_anchors = true;
		foreach(cell, c->resources)
		{
			EvResource *resource = lfirst(cell);
			ListCell   *anchor_cell;

			ev_compiler_look(c);
			if (resource->recursive_anchor)
				add_dynamic_anchor(c, resource, "", resource->root);
			foreach(anchor_cell, resource->anchors)
			{
				EvSchemaAnchor *anchor = lfirst(anchor_cell);

				if (anchor->dynamic)
					add_dynamic_anchor(c, resource, anchor->name, anchor->target);
			}
		}
	}
	return ev_find_name(c, &dynamic_scope, name);
}

/* ---------- resources ---------- */

/* If several resources have a URI, references to it lead to the first one. */
static void
remember_uri(EvCompiler *c, const char *uri, EvResource *resource)
{
	if (ev_find_name(c, c, uri) == NULL)
		ev_add_name(c, c, uri, resource);
}

static EvResource *
find_resource(EvCompiler *c, const char *uri)
{
	return ev_find_name(c, c, uri);
}

static EvResource *
make_resource(EvCompiler *c, const char *uri, const EvResource *around, EvLocation *location)
{
	EvResource *resource = palloc0(sizeof(EvResource));

	resource->uri = pstrdup(uri);
	resource->index = list_length(c->resources);
	if (around != NULL)
	{
		resource->draft = around->draft;
		resource->vocabularies = around->vocabularies;
		resource->assert_format = around->assert_format;
		resource->except_formats = around->except_formats;
		resource->is_main = around->is_main;
		resource->function = around->function;
	}
	c->resources = lappend(c->resources, resource);
	location->resource = MemoryContextStrdup(c->program_context, uri);
	return resource;
}

/*
 * Finds a document by URI, built in or by the resolver; false if there is
 * none.
 */
static bool
fetch_document(EvCompiler *c, const char *uri, EvDocument *document)
{
	memset(document, 0, sizeof(*document));
	document->uri = uri;
	if (ev_metaschema_find(uri, document))
		return true;
	if (c->mentions_only)
	{
		c->mentioned = lappend(c->mentioned, pstrdup(uri));
		return false;
	}
	if (c->resolver == NULL || !c->resolver(uri, document))
		return false;
	if (document->uri[0] == '\0')
		document->uri = uri;
	if (c->functions != NULL && OidIsValid(document->function))
		*c->functions = list_append_unique_oid(*c->functions, document->function);
	return true;
}

/*
 * Reads $vocabulary of a custom meta-schema, which says which keywords exist.
 */
static bool
read_vocabularies(EvCompiler *c, const EvLocation *location, JsonbContainer *metaschema, EvResource *resource)
{
	static const struct
	{
		const char *name;
		int			set;
	}			vocabularies[] = {
		{"core", EV_CORE},
		{"applicator", EV_APPLICATOR},
		{"unevaluated", EV_UNEVALUATED},
		{"validation", EV_VALIDATION},
		{"meta-data", EV_METADATA},
		{"format", EV_FORMAT},
		{"format-annotation", EV_FORMAT},
		{"format-assertion", EV_FORMAT | EV_FORMAT_ASSERTION},
		{"content", EV_CONTENT},
	};
	JsonbValue	map;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(metaschema, "$vocabulary", 11, &map) == NULL ||
		!ev_node_is_object(&map))
		return true;

	resource->vocabularies = EV_CORE;
	iterator = JsonbIteratorInit(map.val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *uri;
		const char *name = NULL;
		int			set = 0;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		uri = ev_node_string(&key);
		if (strncmp(uri, "https://json-schema.org/draft/2019-09/vocab/", 44) == 0 ||
			strncmp(uri, "https://json-schema.org/draft/2020-12/vocab/", 44) == 0)
			name = uri + 44;
		for (int i = 0; name != NULL && i < (int) lengthof(vocabularies); i++)
			if (strcmp(vocabularies[i].name, name) == 0)
				set = vocabularies[i].set;

		/*
		 * in 2019-09, the unevaluated keywords are in the applicator
		 * vocabulary
		 */
		if (set == EV_APPLICATOR && resource->draft == EV_DRAFT2019)
			set |= EV_UNEVALUATED;
		if (set == 0 && value.type == jbvBool && value.val.boolean)
			return ev_compile_fault_of(c, EV_RULE_INVALID_DIALECT, location, "/$schema",
									   "its meta-schema requires the vocabulary \"%s\", which is not supported", uri);
		resource->vocabularies |= set;
	}
	return true;
}

/*
 * Is this the URI of a draft's meta-schema, except for "http" or "https", the
 * end or the year?  The URI without a draft means the newest one.
 */
static bool
looks_like_draft(const char *uri, EvDraft *draft)
{
	static const struct
	{
		const char *part;
		EvDraft		draft;
	}			parts[] = {
		{"json-schema.org/draft-04", EV_DRAFT4},
		{"json-schema.org/draft-06", EV_DRAFT6},
		{"json-schema.org/draft-07", EV_DRAFT7},
		{"json-schema.org/draft/2019-09", EV_DRAFT2019},
		{"json-schema.org/draft/2020-12", EV_DRAFT2020},
		{"json-schema.org/v1", EV_V1},
		{"json-schema.org/schema", EV_DRAFT2020},
	};

	for (int i = 0; i < (int) lengthof(parts); i++)
		if (strstr(uri, parts[i].part) != NULL)
		{
			*draft = parts[i].draft;
			return true;
		}
	return false;
}

/* Sets the dialect of a resource from $schema. */
static bool
read_dialect(EvCompiler *c, const EvLocation *location, const char *uri, EvResource *resource)
{
	int			draft = ev_draft_of_uri(uri);
	char	   *absolute;
	char	   *fragment;
	EvDocument	document;
	JsonbValue	schema;
	EvDraft		meant;

	if (draft >= 0)
	{
		resource->draft = draft;
		resource->vocabularies = EV_ALL_VOCABULARIES;
		return true;
	}

	/* a custom meta-schema: its own $schema gives the draft */
	absolute = ev_uri_resolve("", uri, &fragment);
	if (!fetch_document(c, absolute, &document) || JB_ROOT_IS_SCALAR(document.schema))
	{
		if (c->mentions_only)
			return true;
		ev_compile_fault_of(c, EV_RULE_INVALID_DIALECT, location, "/$schema", "there is no dialect \"%s\"", uri);
		if (c->fault->hint == NULL && looks_like_draft(uri, &meant))
			c->fault->hint = psprintf("Did you mean \"%s%s\"?", ev_draft_uri(meant),
									  meant <= EV_DRAFT7 ? "#" : "");
		if (c->fault->hint == NULL)
			c->fault->hint = "The dialects are those of the drafts 4, 6, 7, 2019-09, 2020-12 and v1, "
				"and meta-schemas registered with register_schema.";
		return false;
	}
	resource->draft = EV_DRAFT2020;
	resource->vocabularies = EV_ALL_VOCABULARIES;
	if (getKeyJsonValueFromContainer(&document.schema->root, "$schema", 7, &schema) != NULL &&
		schema.type == jbvString)
	{
		char	   *parent = ev_node_string(&schema);

		draft = ev_draft_of_uri(parent);
		if (draft < 0)
			return ev_compile_fault_of(c, EV_RULE_INVALID_DIALECT, location, "/$schema",
									   "its meta-schema has the dialect \"%s\", which is not that of a draft", parent);
		resource->draft = draft;
	}
	return read_vocabularies(c, location, &document.schema->root, resource);
}

/* ---------- walking ---------- */

/*
 * Reads $id, $schema and the anchors of an object.  Returns the resource that
 * the object belongs to; NULL if there is a fault.
 */
static EvResource *
read_identity(EvCompiler *c, EvSubschema *subschema, EvResource *resource)
{
	const JsonbContainer *object = subschema->container;
	EvLocation *location = subschema->location;
	bool		is_root = location->parent == NULL;
	const char *keyword;
	char	   *id = NULL;
	char	   *string;
	JsonbValue	value;

	if (is_root && ev_get_string(object, "$schema", &string) &&
		!read_dialect(c, location, string, resource))
		return NULL;

	keyword = resource->draft == EV_DRAFT4 ? "id" : "$id";
	if (ev_get_string(object, keyword, &id) && resource->draft <= EV_DRAFT7 &&
		ev_get_string(object, "$ref", &string))
		id = NULL;				/* $ref disables its siblings (draft 7, 8.3) */
	if (is_root && id == NULL && resource->uri[0] != '\0')
		ev_id_check(c, resource, keyword, resource->uri, NULL, subschema);
	if (id != NULL && id[0] == '#' && resource->draft <= EV_DRAFT7)
	{
		/* draft 7, 8.2.3 */
		if (!ev_anchor_read(c, resource, keyword, id + 1, subschema) && ev_compile_stops(c))
			return NULL;
	}
	else if (id != NULL)
	{
		char	   *fragment;
		char	   *uri = ev_uri_resolve(resource->uri, id, &fragment);

		if (!ev_id_check(c, resource, keyword, uri, fragment, subschema) && ev_compile_stops(c))
			return NULL;
		if (resource->is_main)
			ev_id_warn(c, subschema, keyword, resource->uri, id, uri);
		if (is_root)
		{
			resource->uri = uri;
			location->resource = MemoryContextStrdup(c->program_context, uri);
		}
		else
		{
			resource = make_resource(c, uri, resource, location);
			if (ev_get_string(object, "$schema", &string) &&
				!read_dialect(c, location, string, resource))
				return NULL;
		}
		resource->root = subschema;
		remember_uri(c, uri, resource);
		if (fragment != NULL && fragment[0] != '\0')
		{
			if (resource->draft >= EV_DRAFT2019)
			{
				ev_compile_fault(c, location, "/$id", "must not have a fragment, but is \"%s\"", id);
				return c->faults == NULL ? NULL : resource;
			}
			ev_anchor_add(c, resource, fragment, subschema, false);
		}
	}

	if (resource->draft >= EV_DRAFT2019 && ev_get_string(object, "$anchor", &string) &&
		!ev_anchor_read(c, resource, "$anchor", string, subschema) && ev_compile_stops(c))
		return NULL;
	if (resource->draft >= EV_DRAFT2020 && ev_get_string(object, "$dynamicAnchor", &string) &&
		!ev_anchor_read(c, resource, "$dynamicAnchor", string, subschema) && ev_compile_stops(c))
		return NULL;
	if (resource->draft == EV_DRAFT2019 && location->resource != NULL &&
		getKeyJsonValueFromContainer((JsonbContainer *) object, "$recursiveAnchor", 16, &value) != NULL &&
		value.type == jbvBool)
		resource->recursive_anchor = value.val.boolean;
	return resource;
}

static void
walk_child(EvCompiler *c, EvSubschema *parent, const char *keyword, char *tail, JsonbValue *node)
{
	walk(c, node, ev_location_make(c, parent->location, keyword, tail), parent->resource);
	pfree(tail);
}

/* Checks one keyword and walks its subschemas. */
static void
walk_keyword(EvCompiler *c, EvSubschema *subschema, int keyword, JsonbValue *value)
{
	const char *name = ev_keywords[keyword].name;
	char	   *tail = psprintf("/%s", name);
	EvShape		shape = ev_keywords[keyword].shape;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	member;

	/*
	 * Draft 4 has no boolean schemas, but these two keywords may be booleans
	 * (draft 4, 5.3.1 and 5.4.4); walk() handles that.
	 */
	if (!ev_check_value(c, subschema->location, tail, keyword, value))
	{
		ev_hint_at_dialect(c, name, value);
		subschema->faulty = lappend_int(subschema->faulty, keyword);
		return;
	}

	switch (shape)
	{
		case EV_SCHEMA:
			walk_child(c, subschema, name, tail, value);
			break;

		case EV_SCHEMA_OR_SCHEMAS:
		case EV_SCHEMAS:
			if (!ev_node_is_array(value))
			{
				walk_child(c, subschema, name, tail, value);
				break;
			}
			for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
				walk_child(c, subschema, name, ev_tail_index(name, i),
						   getIthJsonbValueFromContainer(value->val.binary.data, i));
			break;

		case EV_STRINGS_MAP_VALUE:
		case EV_SCHEMA_MAP:
		case EV_PATTERN_SCHEMA_MAP:
		case EV_DEPENDENCIES:
			iterator = JsonbIteratorInit(value->val.binary.data);
			while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
			{
				char	   *member_tail;

				if (token != WJB_KEY)
					continue;
				JsonbIteratorNext(&iterator, &member, true);
				member_tail = ev_tail_name(name, key.val.string.val, key.val.string.len);
				if (shape == EV_STRINGS_MAP_VALUE ||
					(shape == EV_DEPENDENCIES && ev_node_is_array(&member)))
				{
					if (!ev_check_strings(c, subschema->location, member_tail, &member))
						subschema->faulty = lappend_int(subschema->faulty, keyword);
					continue;
				}
				if (shape == EV_PATTERN_SCHEMA_MAP &&
					ev_compile_pattern(c, subschema->location, member_tail,
									   key.val.string.val, key.val.string.len) == NULL)
					subschema->faulty = lappend_int(subschema->faulty, keyword);
				if (ev_compile_stops(c))
					return;
				walk_child(c, subschema, name, member_tail, &member);
			}
			break;

		default:
			break;
	}
}

static void
walk(EvCompiler *c, JsonbValue *node, EvLocation *location, EvResource *resource)
{
	EvSubschema *subschema;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	const JsonbContainer *container;
	bool		found;
	bool		has_references = false;

	check_stack_depth();
	ev_compiler_look(c);
	if (ev_compile_stops(c))
		return;

	if (node->type == jbvBool)
	{
		bool		allowed = resource->draft >= EV_DRAFT6 ||
			(location->keyword != NULL && (strcmp(location->keyword, "additionalProperties") == 0 ||
										   strcmp(location->keyword, "additionalItems") == 0));

		if (!allowed)
			ev_compile_fault(c, location, "", "must be an object: draft 4 has no boolean schemas");
		return;
	}
	if (!ev_node_is_object(node))
	{
		ev_compile_fault(c, location, "", "must be a schema (an object or a boolean), but is %s",
						 ev_node_type_name(node));
		if (location->keyword != NULL)
			ev_hint_at_dialect(c, location->keyword, node);
		return;
	}

	container = node->val.binary.data;
	subschema = hash_search(c->subschemas, &container, HASH_ENTER, &found);
	if (found)
		return;
	memset((char *) subschema + sizeof(container), 0, sizeof(EvSubschema) - sizeof(container));
	subschema->location = location;
	subschema->block = EV_BLOCK_NONE;
	subschema->resource = resource;
	if (location->parent == NULL)
		resource->root = subschema;
	resource = read_identity(c, subschema, resource);
	if (resource == NULL)
		return;
	subschema->resource = resource;

	iterator = JsonbIteratorInit(node->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		int			keyword;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		keyword = ev_keyword_find(key.val.string.val, key.val.string.len, resource->draft);
		if (keyword < 0 || (ev_keywords[keyword].vocabulary & resource->vocabularies) == 0)
			continue;
		if (ev_keyword_refers(keyword))
			has_references = true;
		walk_keyword(c, subschema, keyword, &value);
		if (ev_compile_stops(c))
			return;
	}
	if (has_references)
		c->pending = lappend(c->pending, subschema);
	if (c->warnings != NULL && resource->is_main)
		c->written = lappend(c->written, subschema);
}

/* Adds a document.  Returns NULL if there is a fault. */
static EvResource *
add_document(EvCompiler *c, const EvDocument *document, const EvResource *referrer, bool is_main)
{
	JsonbValue *root = palloc(sizeof(JsonbValue));
	EvLocation *location = ev_location_make(c, NULL, NULL, "");
	EvResource *resource = make_resource(c, document->uri, NULL, location);

	resource->draft = document->draft_known ? document->draft : EV_DRAFT2020;
	resource->vocabularies = EV_ALL_VOCABULARIES;
	if (referrer != NULL && strncmp(document->uri, "event:", 6) != 0)
	{
		resource->draft = referrer->draft;
		resource->vocabularies = referrer->vocabularies;
	}
	resource->assert_format = document->assert_format;
	resource->except_formats = document->except_formats;
	resource->is_main = is_main;
	resource->function = document->function;
	remember_uri(c, document->uri, resource);

	if (!JB_ROOT_IS_SCALAR(document->schema))
	{
		root->type = jbvBinary;
		root->val.binary.data = &document->schema->root;
		root->val.binary.len = VARSIZE(document->schema) - VARHDRSZ;
	}
	else
		JsonbExtractScalar(&document->schema->root, root);

	if (root->type == jbvBool)
	{
		resource->root = palloc0(sizeof(EvSubschema));
		resource->root->is_boolean = true;
		resource->root->boolean = root->val.boolean;
		resource->root->resource = resource;
		resource->root->location = location;
		resource->root->block = EV_BLOCK_NONE;
	}
	walk(c, root, location, resource);
	return ev_compile_stops(c) ? NULL : resource;
}

/* ---------- references ---------- */

/*
 * Follows a JSON Pointer from *node.  *around is the innermost known subschema on the
 * way, and tail the way from there.  Returns false if there is no target.
 */
static bool
follow_tokens(EvCompiler *c, const char *pointer, JsonbValue *node, EvSubschema **around, StringInfo tail)
{
	StringInfoData token;
	bool		found = true;

	initStringInfo(&token);
	for (const char *p = pointer; found && *p == '/';)
	{
		int			length = strcspn(++p, "/");
		EvSubschema *known;

		ev_compiler_look(c);
		appendStringInfoChar(tail, '/');
		appendBinaryStringInfo(tail, p, length);
		resetStringInfo(&token);
		ev_pointer_append_unescaped(&token, p, length);
		p += length;
		found = ev_node_follow(node, token.data, token.len);
		known = found ? ev_subschema_find(c, node) : NULL;
		if (known != NULL)
		{
			*around = known;
			resetStringInfo(tail);
		}
	}
	pfree(token.data);
	return found;
}

/* Returns the subschema at a JSON Pointer that leads from one to a value, which is not in the value of a known keyword. */
static EvSubschema *
walk_target(EvCompiler *c, JsonbValue *node, EvSubschema *around, const char *tail)
{
	EvLocation *location = ev_location_make(c, around->location, "$ref", tail);

	if (node->type == jbvBool)
	{
		EvSubschema *boolean = palloc0(sizeof(EvSubschema));

		boolean->is_boolean = true;
		boolean->boolean = node->val.boolean;
		boolean->resource = around->resource;
		boolean->location = location;
		boolean->block = EV_BLOCK_NONE;
		return boolean;
	}
	c->by_pointer = true;
	walk(c, node, location, around->resource);
	c->by_pointer = false;
	return ev_subschema_find(c, node);
}

/*
 * Follows a JSON Pointer from the root of a resource.  If the target is not in
 * the value of a known keyword, it is walked now, as a subschema.  Returns
 * NULL if there is no target.
 */
static EvSubschema *
follow_pointer(EvCompiler *c, EvResource *resource, const char *pointer)
{
	EvSubschema *target = resource->root;
	StringInfoData tail;
	JsonbValue	node = {.type = jbvBinary};

	if (target->is_boolean)
		return NULL;
	node.val.binary.data = (JsonbContainer *) target->container;
	initStringInfo(&tail);
	if (!follow_tokens(c, pointer, &node, &target, &tail))
		target = NULL;
	else if (tail.len > 0)
		target = walk_target(c, &node, target, tail.data);
	pfree(tail.data);
	return target;
}

/* Reports that there is no document with this URI, and returns NULL. */
static EvSubschema *
fault_unregistered(EvCompiler *c, const EvSubschema *from, const char *tail, const char *uri)
{
	ev_compile_fault_of(c, EV_RULE_INVALID_REFERENCE, from->location, tail,
						"refers to \"%s\", which is not registered", uri);
	c->fault->missing = pstrdup(uri);
	if (c->fault->hint == NULL)
		c->fault->hint = strncmp(uri, "event:", 6) == 0 ?
			"Register that version with register_event_schema first." :
			"Register the document with register_schema first; nothing is fetched from a network.";
	return NULL;
}

/*
 * Adds a document that a schema refers to.  If it has a fault, the fault is
 * stored in its resource, and is reported for each reference.
 */
static EvResource *
add_other_document(EvCompiler *c, const EvDocument *document, const EvSubschema *from)
{
	EvFault    *outer = c->fault;
	List	  **all = c->faults;
	EvFault    *inner = palloc0(sizeof(EvFault));
	EvResource *resource;

	c->fault = inner;
	c->faults = NULL;
	resource = add_document(c, document, from->resource, false);
	c->fault = outer;
	c->faults = all;
	if (resource == NULL)
	{
		resource = find_resource(c, document->uri);
		resource->fault = inner;
	}
	return resource;
}

/*
 * Resolves a reference; NULL if there is a fault.  If the fragment is the name
 * of an anchor, sets *plain_name to it.
 */
static EvSubschema *
resolve(EvCompiler *c, EvSubschema *from, const char *keyword, const char *reference, char **plain_name)
{
	char	   *tail = psprintf("/%s", keyword);
	char	   *fragment;
	char	   *uri = ev_uri_resolve(from->resource->uri, reference, &fragment);
	EvResource *resource = find_resource(c, uri);
	EvSubschema *target;

	*plain_name = NULL;
	if (resource == NULL)
	{
		EvDocument	document;

		if (!fetch_document(c, uri, &document))
			return fault_unregistered(c, from, tail, uri);

		/*
		 * the document may have been read already, under another spelling of
		 * its URI
		 */
		resource = find_resource(c, document.uri);
		if (resource == NULL)
			resource = add_other_document(c, &document, from);
		if (!document.by_part)
			remember_uri(c, uri, resource);
		resource = find_resource(c, uri);
		if (resource == NULL)	/* not in this dialect */
			return fault_unregistered(c, from, tail, uri);
	}

	if (resource->fault != NULL)
	{
		ev_compile_fault_of(c, EV_RULE_INVALID_REFERENCE, from->location, tail,
							"refers to \"%s\", which is not valid at \"%s\": %s",
							uri, resource->fault->location, resource->fault->message);
		c->fault->other = resource->function;
		if (c->fault->hint == NULL)
			c->fault->hint = resource->fault->hint;
		return NULL;
	}
	if (resource->root == NULL)
		return NULL;			/* the main document's, which is no schema */
	if (fragment == NULL || fragment[0] == '\0')
		target = resource->root;
	else if (fragment[0] == '/')
	{
		target = follow_pointer(c, resource, fragment);
		if (target == NULL)
		{
			ev_compile_fault_of(c, EV_RULE_INVALID_REFERENCE, from->location, tail,
								"refers to \"%s\", but there is nothing at \"%s\"", reference, fragment);
			return NULL;
		}
	}
	else
	{
		EvSchemaAnchor *anchor = ev_anchor_find(c, resource, fragment, false);

		if (anchor == NULL)
		{
			ev_compile_fault_of(c, EV_RULE_INVALID_REFERENCE, from->location, tail,
								"refers to \"%s\", but there is no anchor \"%s\"", reference, fragment);
			return NULL;
		}
		*plain_name = fragment;
		target = anchor->target;
	}
	if (target->resource != from->resource)
		target->entered_from_outside = true;
	return target;
}

static bool
resolve_keyword(EvCompiler *c, EvSubschema *subschema, int keyword)
{
	const char *name = ev_keywords[keyword].name;
	EvResource *resource = subschema->resource;
	EvReference *reference;
	char	   *string;
	char	   *plain_name;

	if (ev_keyword_find(name, strlen(name), resource->draft) != keyword ||
		!ev_get_string(subschema->container, name, &string))
		return true;

	reference = palloc0(sizeof(EvReference));
	reference->keyword = name;
	if (keyword == EV_KW_DYNAMIC_REF && resource->draft == EV_V1)
	{
		/* always dynamic; the resource itself may lack the anchor */
		EvSchemaAnchor *anchor;

		reference->dynamic_anchor = string[0] == '#' ? string + 1 : string;
		anchor = ev_anchor_find(c, resource, reference->dynamic_anchor, true);
		if (anchor != NULL)
			reference->target = anchor->target;
		c->has_dynamic = true;
		subschema->references = lappend(subschema->references, reference);
		return true;
	}
	reference->target = resolve(c, subschema, name, string, &plain_name);
	if (reference->target == NULL)
		return false;

	/*
	 * A $dynamicRef is dynamic only if its initial target is a $dynamicAnchor
	 * (2020-12 core, 8.2.3.2), and a $recursiveRef, only if it is a
	 * $recursiveAnchor (2019-09 core, 8.2.4.2.1).
	 */
	if (keyword == EV_KW_DYNAMIC_REF && plain_name != NULL &&
		ev_anchor_find(c, reference->target->resource, plain_name, true) != NULL)
		reference->dynamic_anchor = plain_name;
	if (keyword == EV_KW_RECURSIVE_REF && reference->target->resource->recursive_anchor)
		reference->dynamic_anchor = "";
	if (reference->dynamic_anchor != NULL)
		c->has_dynamic = true;
	subschema->references = lappend(subschema->references, reference);
	return true;
}

/* Resolves the references of all documents that were read, reading further ones. */
static void
resolve_pending(EvCompiler *c)
{
	static const int keywords[] = {EV_KW_REF, EV_KW_DYNAMIC_REF, EV_KW_RECURSIVE_REF};

	while (c->pending != NIL)
	{
		EvSubschema *subschema = llast(c->pending);

		ev_compiler_look(c);
		c->pending = list_delete_last(c->pending);
		if (c->own_only && !subschema->resource->is_main)
			continue;
		c->cause = subschema->resource->is_main ? InvalidOid : subschema->resource->function;
		for (int i = 0; i < (int) lengthof(keywords); i++)
			if (!resolve_keyword(c, subschema, keywords[i]) && ev_compile_stops(c))
				return;
	}
	c->cause = InvalidOid;
}

EvSubschema *
ev_resolve_references(EvCompiler *c)
{
	EvResource *main_resource = add_document(c, c->document, NULL, true);

	if (main_resource == NULL)
		return NULL;
	resolve_pending(c);
	return c->fault->message == NULL ? main_resource->root : NULL;
}

/* Does a reference by the URI of a document lead to it, whatever was read before? */
static bool
leads_to(EvCompiler *c, const EvResource *resource)
{
	EvDocument	document = {0};
	bool		result;

	if (resource->is_main || !OidIsValid(resource->function))
		return true;			/* a main document, which the caller knows, or
								 * a built-in one */
	if (c->resolver == NULL || !c->resolver(resource->uri, &document))
		return false;
	result = document.function == resource->function;
	pfree(document.schema);
	return result;
}

/*
 * Would each document have been read in the same way if it were the only main one?  It
 * would, if no document has schemas with a $id, no URI is that of two documents, and
 * all have one dialect.
 */
static bool
are_independent(EvCompiler *c, int documents)
{
	const EvResource *first = linitial(c->resources);
	ListCell   *cell;

	foreach(cell, c->resources)
	{
		const EvResource *resource = lfirst(cell);

		ev_compiler_look(c);
		if (resource->draft != first->draft || resource->vocabularies != first->vocabularies ||
			resource->root == NULL || resource->root->location->parent != NULL ||
			find_resource(c, resource->uri) != resource || !leads_to(c, resource))
			return false;
	}
	return list_length(c->resources) >= documents;
}

List *
ev_resolve_group(EvCompiler *c, const EvDocument *documents, int count)
{
	List	   *roots = NIL;

	for (int i = 0; i < count; i++)
	{
		const EvResource *resource;

		ev_compiler_look(c);
		if (find_resource(c, documents[i].uri) != NULL)
			return NIL;
		resource = add_document(c, &documents[i], NULL, true);
		if (resource == NULL)
			return NIL;
		roots = lappend(roots, resource->root);
	}
	resolve_pending(c);
	return c->fault->message == NULL && are_independent(c, count) ? roots : NIL;
}

/*
 * Returns the strings of a list, each once, in a memory context, to which it
 * switches.  `scope` is any address that distinguishes the list from others in the
 * table of names.
 */
static List *
copy_distinct(EvCompiler *c, const void *scope, List *strings, MemoryContext context)
{
	List	   *kept = NIL;
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, strings)
	{
		ev_compiler_look(c);
		if (ev_find_name(c, scope, lfirst(cell)) != NULL)
			continue;
		ev_add_name(c, scope, lfirst(cell), lfirst(cell));
		kept = lappend(kept, lfirst(cell));
	}
	MemoryContextSwitchTo(context);
	foreach(cell, kept)
		result = lappend(result, pstrdup(lfirst(cell)));
	return result;
}

/*
 * Returns the URIs of the resources below a document's root, except those that
 * are relative to the URI of an event, and those of built-in meta-schemas.
 */
static List *
part_ids(EvCompiler *c)
{
	List	   *result = NIL;
	ListCell   *cell;
	EvDocument	metaschema;

	for_each_from(cell, c->resources, 1)
	{
		const EvResource *resource = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (ev_uri_has_scheme(resource->uri) && strncmp(resource->uri, "event:", strlen("event:")) != 0 &&
			find_resource(c, resource->uri) == resource && !ev_metaschema_find(resource->uri, &metaschema))
			result = lappend(result, resource->uri);
	}
	return result;
}

EvMentions
ev_document_mentions(const EvDocument *document)
{
	EvMentions	result;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "event_validate compiler",
												  ALLOCSET_DEFAULT_SIZES);
	EvFault		fault = {0};
	EvCompiler	c = {.document = document, .fault = &fault, .mentions_only = true};
	ListCell   *cell;

	MemoryContextSwitchTo(scratch);
	ev_compiler_init(&c, scratch);
	add_document(&c, document, NULL, true);
	foreach(cell, c.pending)
	{
		EvSubschema *subschema = lfirst(cell);
		char	   *reference;

		ev_compiler_look(&c);
		for (int i = 0; i < 2; i++)
			if (ev_get_string(subschema->container, i == 0 ? "$ref" : "$dynamicRef", &reference))
			{
				char	   *fragment;
				char	   *uri = ev_uri_resolve(subschema->resource->uri, reference, &fragment);
				EvDocument	unused;

				if (find_resource(&c, uri) == NULL)
					fetch_document(&c, uri, &unused);
			}
	}
	result.parts = copy_distinct(&c, &result.parts, part_ids(&c), caller);
	MemoryContextSwitchTo(scratch);
	result.references = copy_distinct(&c, &result.references, c.mentioned, caller);
	MemoryContextDelete(scratch);
	return result;
}

List *
ev_document_references(const EvDocument *document)
{
	EvMentions	mentions = ev_document_mentions(document);

	list_free_deep(mentions.parts);
	return mentions.references;
}
