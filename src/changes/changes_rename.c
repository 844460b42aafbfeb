/*
 * changes_rename.c
 *	  Compares two schemas between which properties were renamed.
 *
 * The old schema is written anew with the new names, wherever it says something about
 * the objects in question, and this schema is compared with the new one.  All else in it,
 * and all documents to which it refers, are read as they are: a reference leads to the
 * original.
 *
 * This is exact if no event has both names, and if the schema speaks of these objects by
 * the names of their properties only.  Otherwise, the answer is "unknown".
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/json_pointer.h"
#include "base/shown_text.h"
#include "changes/changes_internal.h"
#include "changes/changes_rename.h"
#include "registry/schema_cache.h"
#include "schema/keywords.h"
#include "schema/renames.h"
#include "schema/uri.h"


/* ---------- copying ---------- */

/* Returns a reference as an absolute one. */
static char *
absolute(const EvRenameSource *source, const char *reference)
{
	char	   *fragment;
	char	   *uri = ev_uri_resolve(source->base, reference, &fragment);
	const char *raw = strchr(reference, '#');

	return psprintf("%s%s", strcmp(uri, source->base) == 0 ? source->self : uri, raw != NULL ? raw : "");
}

static void
push_key(EvRewriter *r, const char *name, int length)
{
	JsonbValue	key = {.type = jbvString};

	key.val.string.val = unconstify(char *, name);
	key.val.string.len = length;
	ev_push_jsonb(&r->state, WJB_KEY, &key);
}

static void
push_string(EvRewriter *r, JsonbIteratorToken token, const char *string)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, string);
	value.val.string.len = strlen(string);
	ev_push_jsonb(&r->state, token, &value);
}

static bool
push(EvRewriter *r, JsonbIteratorToken token, JsonbValue *value)
{
	if (value->type == jbvBinary)
		r->bytes += value->val.binary.len;
	if (r->bytes > MOST_BYTES)
		return ev_rename_fail(r, "it is too large");
	ev_push_jsonb(&r->state, token, value);
	return true;
}

/* Does a function for each member of an object. */
typedef bool (*PutMember) (EvRewriter *r, JsonbValue *key, JsonbValue *value, const EvRenameNode *node,
						   const EvRenameSource *source, bool certain);

static bool
each_member(EvRewriter *r, const JsonbValue *object, PutMember member, const EvRenameNode *node, const EvRenameSource *source,
			bool certain)
{
	JsonbIterator *iterator = JsonbIteratorInit(object->val.binary.data);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	check_stack_depth();
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (!member(r, &key, &value, node, source, certain))
			return false;
	}
	return true;
}

/* Writes a schema, or the schemas of an array, with the names of a node (NULL: as it is). */
static bool put_schemas(EvRewriter *r, JsonbIteratorToken token, JsonbValue *value, const EvRenameNode *node,
						const EvRenameSource *source, bool certain);

static bool
copy_named(EvRewriter *r, JsonbValue *key, JsonbValue *value, const EvRenameNode *node pg_attribute_unused(),
		   const EvRenameSource *source, bool certain pg_attribute_unused())
{
	push_key(r, key->val.string.val, key->val.string.len);
	return put_schemas(r, WJB_VALUE, value, NULL, source, false);
}

/* Copies a keyword of a schema that is not about the renamed properties. */
static bool
copy_keyword(EvRewriter *r, JsonbValue *key, JsonbValue *value, const EvRenameNode *node pg_attribute_unused(),
			 const EvRenameSource *source, bool certain pg_attribute_unused())
{
	int			keyword = ev_keyword_find(key->val.string.val, key->val.string.len, ev_source_draft(source));
	EvShape		shape = keyword >= 0 ? ev_keywords[keyword].shape : EV_ANY_VALUE;

	if (keyword == EV_KW_DYNAMIC_REF || keyword == EV_KW_RECURSIVE_REF)
		return ev_rename_fail(r, "there is a dynamic reference");
	if (keyword == EV_KW_ID || keyword == EV_KW_ID_DRAFT4)
		return ev_rename_fail(r, "a subschema has an $id");
	if (keyword == EV_KW_ANCHOR || keyword == EV_KW_DYNAMIC_ANCHOR || keyword == EV_KW_RECURSIVE_ANCHOR)
		return true;
	push_key(r, key->val.string.val, key->val.string.len);
	if (keyword == EV_KW_REF && value->type == jbvString)
	{
		push_string(r, WJB_VALUE, absolute(source, pnstrdup(value->val.string.val, value->val.string.len)));
		return true;
	}
	if (shape == EV_SCHEMA || shape == EV_SCHEMAS || shape == EV_SCHEMA_OR_SCHEMAS)
		return put_schemas(r, WJB_VALUE, value, NULL, source, false);
	if ((shape == EV_SCHEMA_MAP || shape == EV_PATTERN_SCHEMA_MAP || shape == EV_DEPENDENCIES) && ev_json_is_object(value))
	{
		ev_push_jsonb(&r->state, WJB_BEGIN_OBJECT, NULL);
		if (!each_member(r, value, copy_named, NULL, source, false))
			return false;
		ev_push_jsonb(&r->state, WJB_END_OBJECT, NULL);
		return true;
	}
	return push(r, WJB_VALUE, value);
}

/* ---------- new names ---------- */

/*
 * Is this a name that another property gets, so that the schema speaks of events that
 * may have both?
 */
static bool
is_taken(const EvRenameNode *node, const EvString *name)
{
	const EvRenameNode *child = ev_rename_child(node, name);

	return ev_rename_child_to(node, name) != NULL && (child == NULL || child->new_name.data == NULL);
}

#define BOTH_NAMES	"the old schema speaks of a property with the new name"

/* Sets a name to the new one.  Fails if both are known. */
static bool
new_name(EvRewriter *r, const EvRenameNode *node, EvString *name)
{
	const EvRenameNode *child = ev_rename_child(node, name);

	if (is_taken(node, name))
		return ev_rename_fail(r, BOTH_NAMES);
	if (child != NULL && child->new_name.data != NULL)
		*name = child->new_name;
	return true;
}

static bool
put_property(EvRewriter *r, JsonbValue *key, JsonbValue *value, const EvRenameNode *node, const EvRenameSource *source, bool certain)
{
	EvString	name = ev_string_of(key);
	const EvRenameNode *child = ev_rename_child(node, &name);

	/* no event has it, so the rename can take the name */
	if (is_taken(node, &name) && certain && ev_json_is_false(value))
		return true;
	if (!new_name(r, node, &name))
		return false;
	push_key(r, name.data, name.length);
	return put_schemas(r, WJB_VALUE, value, ev_rename_has_below(child) ? child : NULL, source, certain);
}

/* Writes an array of names of properties. */
static bool
put_names(EvRewriter *r, JsonbValue *names, const EvRenameNode *node)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;

	if (!ev_json_is_array(names))
		return push(r, WJB_VALUE, names);
	iterator = JsonbIteratorInit(names->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_ELEM && item.type == jbvString)
		{
			EvString	name = ev_string_of(&item);

			if (!new_name(r, node, &name))
				return false;
			item.val.string.val = unconstify(char *, name.data);
			item.val.string.len = name.length;
		}
		ev_push_jsonb(&r->state, token, token == WJB_ELEM ? &item : NULL);
	}
	return true;
}

/* What holds if there is a property: a schema, or names. */
static bool
put_dependent(EvRewriter *r, JsonbValue *key, JsonbValue *value, const EvRenameNode *node, const EvRenameSource *source,
			  bool certain pg_attribute_unused())
{
	EvString	name = ev_string_of(key);

	if (!new_name(r, node, &name))
		return false;
	push_key(r, name.data, name.length);
	return ev_json_is_array(value) ? put_names(r, value, node) : put_schemas(r, WJB_VALUE, value, node, source, false);
}

static bool
put_map(EvRewriter *r, JsonbValue *value, PutMember member, const EvRenameNode *node, const EvRenameSource *source, bool certain)
{
	if (!ev_json_is_object(value))
		return push(r, WJB_VALUE, value);
	ev_push_jsonb(&r->state, WJB_BEGIN_OBJECT, NULL);
	if (!each_member(r, value, member, node, source, certain))
		return false;
	ev_push_jsonb(&r->state, WJB_END_OBJECT, NULL);
	return true;
}

/* Are there objects or arrays in the value of enum or const? */
static bool
has_containers(const JsonbValue *value, bool is_list)
{
	if (value->type != jbvBinary)
		return false;
	if (!is_list || !ev_json_is_array(value))
		return true;
	for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
		if (getIthJsonbValueFromContainer(value->val.binary.data, i)->type == jbvBinary)
			return true;
	return false;
}

/* Writes a keyword of a schema for an object or array in which properties are renamed. */
static bool
put_keyword(EvRewriter *r, JsonbValue *key, JsonbValue *value, const EvRenameNode *node, const EvRenameSource *source, bool certain)
{
	int			keyword = ev_keyword_find(key->val.string.val, key->val.string.len, ev_source_draft(source));
	const EvRenameNode *items = node->items;

	switch (keyword)
	{
		case EV_KW_REF:
		case EV_KW_ALL_OF:		/* see put_together */
		case EV_KW_ANCHOR:
		case EV_KW_DYNAMIC_ANCHOR:
		case EV_KW_RECURSIVE_ANCHOR:
		case EV_KW_DEFS:
		case EV_KW_DEFINITIONS:
		case EV_KW_VOCABULARY:
			return true;
		case EV_KW_SCHEMA:
			if (r->depth > 1)
				return true;
			break;
		case EV_KW_ID:
		case EV_KW_ID_DRAFT4:
			/* of a document, see put_schema */
			return true;
		case EV_KW_DYNAMIC_REF:
		case EV_KW_RECURSIVE_REF:
			return ev_rename_fail(r, "there is a dynamic reference");
		case EV_KW_PROPERTIES:
			push_key(r, key->val.string.val, key->val.string.len);
			return put_map(r, value, put_property, node, source, certain);
		case EV_KW_DEPENDENT_SCHEMAS:
		case EV_KW_DEPENDENT_REQUIRED:
		case EV_KW_DEPENDENCIES:
			push_key(r, key->val.string.val, key->val.string.len);
			return put_map(r, value, put_dependent, node, source, false);
		case EV_KW_REQUIRED:
			push_key(r, key->val.string.val, key->val.string.len);
			return put_names(r, value, node);
		case EV_KW_ANY_OF:
		case EV_KW_ONE_OF:
		case EV_KW_NOT:
		case EV_KW_IF:
		case EV_KW_THEN:
		case EV_KW_ELSE:
			push_key(r, key->val.string.val, key->val.string.len);
			return put_schemas(r, WJB_VALUE, value, node, source, false);
		case EV_KW_PATTERN_PROPERTIES:
		case EV_KW_PROPERTY_NAMES:
			if (node->children != NIL)
				return ev_rename_fail(r, "the old schema restricts names of these properties by a pattern");
			break;
		case EV_KW_ADDITIONAL_PROPERTIES:
		case EV_KW_UNEVALUATED_PROPERTIES:
			if (node->children != NIL && !ev_json_is_plain(value))
				return ev_rename_fail(r, "the old schema has a schema for additional properties");
			break;
		case EV_KW_ENUM:
		case EV_KW_CONST:
			if (has_containers(value, keyword == EV_KW_ENUM))
				return ev_rename_fail(r, "the old schema lists whole objects (enum, const)");
			break;
		case EV_KW_ITEMS:
		case EV_KW_ITEMS_DRAFT4:
		case EV_KW_PREFIX_ITEMS:
		case EV_KW_ADDITIONAL_ITEMS:
		case EV_KW_UNEVALUATED_ITEMS:
		case EV_KW_CONTAINS:
			if (items == NULL)
				break;
			push_key(r, key->val.string.val, key->val.string.len);
			return put_schemas(r, WJB_VALUE, value, items, source,
							   certain && (keyword == EV_KW_ITEMS || keyword == EV_KW_ITEMS_DRAFT4) && ev_json_is_object(value));
		default:
			break;
	}
	return copy_keyword(r, key, value, NULL, source, false);
}

static bool put_schema(EvRewriter *r, JsonbIteratorToken token, JsonbValue *schema, const EvRenameNode *node,
					   const EvRenameSource *source, bool certain);

static bool
put_target(EvRewriter *r, JsonbIteratorToken token, const char *reference, const EvRenameNode *node, const EvRenameSource *source,
		   bool certain)
{
	EvRenameSource *target;
	JsonbValue	schema;

	return ev_source_follow(r, source, reference, &target, &schema) && put_schema(r, token, &schema, node, target, certain);
}

/* Writes a schema in which the property at a path is false. */
static void
put_barred(EvRewriter *r, JsonbIteratorToken token, const List *path, int at)
{
	const EvString *name = at < list_length(path) ? list_nth(path, at) : NULL;
	JsonbValue	no = {.type = jbvBool};

	if (name == NULL)
	{
		ev_push_jsonb(&r->state, token, &no);
		return;
	}
	ev_push_jsonb(&r->state, WJB_BEGIN_OBJECT, NULL);
	if (name->length == 1 && name->data[0] == '*' && at < list_length(path) - 1)
	{
		push_key(r, "items", 5);
		put_barred(r, WJB_VALUE, path, at + 1);
	}
	else
	{
		push_key(r, "properties", 10);
		ev_push_jsonb(&r->state, WJB_BEGIN_OBJECT, NULL);
		push_key(r, name->data, name->length);
		put_barred(r, WJB_VALUE, path, at + 1);
		ev_push_jsonb(&r->state, WJB_END_OBJECT, NULL);
	}
	ev_push_jsonb(&r->state, WJB_END_OBJECT, NULL);
}

/* Writes allOf, with the target of $ref among its members, and what no event has. */
static bool
put_together(EvRewriter *r, JsonbContainer *schema, const char *reference, const EvRenameNode *node, const EvRenameSource *source,
			 bool certain)
{
	JsonbValue	members;
	bool		has_members = getKeyJsonValueFromContainer(schema, "allOf", 5, &members) != NULL && ev_json_is_array(&members);

	bool		is_root = r->depth == 1;
	ListCell   *cell;

	if (!has_members && reference == NULL && !(is_root && r->barred != NIL))
		return true;
	push_key(r, "allOf", 5);
	ev_push_jsonb(&r->state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; has_members && i < JsonContainerSize(members.val.binary.data); i++)
		if (!put_schema(r, WJB_ELEM, getIthJsonbValueFromContainer(members.val.binary.data, i), node, source, certain))
			return false;
	if (reference != NULL && !put_target(r, WJB_ELEM, reference, node, source, certain))
		return false;
	foreach(cell, is_root ? r->barred : NIL)
		put_barred(r, WJB_ELEM, lfirst(cell), 0);
	ev_push_jsonb(&r->state, WJB_END_ARRAY, NULL);
	return true;
}

/*
 * Writes a schema with the new names of a node; NULL: as it is, but with absolute
 * references.  `certain` says that each instance at this location must match it.
 */
static bool
put_schema(EvRewriter *r, JsonbIteratorToken token, JsonbValue *schema, const EvRenameNode *node, const EvRenameSource *source,
		   bool certain)
{
	char	   *reference;
	bool		done;

	check_stack_depth();
	if (!ev_json_is_object(schema))
		return push(r, token, schema);
	if (++r->looks > MOST_LOOKS)
		return ev_rename_fail(r, "it is too large");
	if (node != NULL && schema->val.binary.data != &source->document->schema->root && ev_schema_has_id(schema, source))
		return ev_rename_fail(r, "a subschema has an $id");
	reference = node != NULL ? ev_json_string(schema->val.binary.data, "$ref") : NULL;
	if (reference != NULL && ev_source_draft(source) < EV_DRAFT2019)
		return put_target(r, token, reference, node, source, certain);

	r->depth++;
	ev_push_jsonb(&r->state, WJB_BEGIN_OBJECT, NULL);
	done = each_member(r, schema, node != NULL ? put_keyword : copy_keyword, node, source, certain) &&
		(node == NULL || put_together(r, schema->val.binary.data, reference, node, source, certain));
	if (done)
		ev_push_jsonb(&r->state, WJB_END_OBJECT, NULL);
	r->depth--;
	return done;
}

static bool
put_schemas(EvRewriter *r, JsonbIteratorToken token, JsonbValue *value, const EvRenameNode *node, const EvRenameSource *source,
			bool certain)
{
	if (!ev_json_is_array(value))
		return put_schema(r, token, value, node, source, certain);
	ev_push_jsonb(&r->state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
		if (!put_schema(r, WJB_ELEM, getIthJsonbValueFromContainer(value->val.binary.data, i), node, source, false))
			return false;
	ev_push_jsonb(&r->state, WJB_END_ARRAY, NULL);
	return true;
}

/* Returns the old schema with the new names; NULL, with r->problem, if it cannot be written. */
static Jsonb *
rewrite(EvRewriter *r, const EvRenames *renames, const EvRenameSource *source)
{
	JsonbValue	root;

	if (ev_document_draft(source->document) < 0)
	{
		(void) ev_rename_fail(r, "its dialect is not one of the drafts");
		return NULL;
	}
	ev_source_root(source, &root);
	if (!ev_json_is_object(&root))
		return source->document->schema;
	return put_schema(r, WJB_VALUE, &root, &renames->root, source, true) ? JsonbValueToJsonb(r->state.result) : NULL;
}

/* ---------- the verdicts about a rename ---------- */

typedef struct Judged
{
	EvVerdict	backward;
	EvVerdict	forward;
	const char *reason;			/* why it is unknown, as a part of a sentence */
} Judged;

/*
 * Can no event have both names?  `said` is about the other name.  Leniently, events have
 * no property that their schema does not declare.
 */
static bool
is_exclusive(const EvSaid *said, bool lenient)
{
	return !said->declared && !said->opaque && (said->closed || said->barred || lenient);
}

static const EvRenameNode *
parent_node(const EvRenames *renames, const EvRename *rename)
{
	const EvRenameNode *node = &renames->root;

	for (int i = 0; i < list_length(rename->old_path) - 1; i++)
	{
		const EvString *token = list_nth(rename->old_path, i);

		node = token->length == 1 && token->data[0] == '*' ? node->items : ev_rename_child(node, token);
	}
	return node;
}

static Judged
judge(const EvRenames *renames, const EvRename *rename, const EvRenameSource *old, const EvRenameSource *new, bool is_adjacent,
	  bool lenient, const char *problem)
{
	const EvString *old_name = llast(rename->old_path);
	const EvString *new_name = llast(rename->new_path);
	const EvRenameNode *parent = parent_node(renames, rename);
	const EvRenameNode *namesake = ev_rename_child(parent, new_name);
	bool		gives_way = namesake != NULL && namesake->new_name.data != NULL;
	bool		is_replaced = ev_rename_child_to(parent, old_name) != NULL;
	Judged		unknown = {EV_UNKNOWN, EV_UNKNOWN, problem};
	Judged		result = {EV_COMPATIBLE, EV_COMPATIBLE, NULL};
	EvSaid		said;

	if (problem != NULL)
		return unknown;
	said = ev_source_said(old, rename->old_path, old_name);
	if (is_adjacent && !said.declared)
		unknown.reason = "the old schema does not declare the old name";
	else if (is_adjacent && !ev_source_said(new, rename->new_path, new_name).declared)
		unknown.reason = "the new schema does not declare the new name";
	if (unknown.reason != NULL)
		return unknown;
	if (!said.declared && !(said.closed || said.barred || lenient))
	{
		unknown.reason = "the old schema allows any property";
		return unknown;
	}
	said = ev_source_said(old, rename->old_path, new_name);
	if (!gives_way && !is_exclusive(&said, lenient))
	{
		result.backward = EV_UNKNOWN;
		result.reason = "an old event may have both names";
	}
	said = ev_source_said(new, rename->new_path, old_name);
	if (!is_replaced && !is_exclusive(&said, lenient))
	{
		result.forward = EV_UNKNOWN;
		if (result.reason == NULL)
			result.reason = "a new event may have both names";
	}
	return result;
}

/* Returns the location of the property in the new schema, "" if it is not where it is expected. */
static char *
new_location(const EvRenameSource *new, const EvRename *rename)
{
	StringInfoData location;
	JsonbValue	schema;
	ListCell   *cell;

	initStringInfo(&location);
	ev_source_root(new, &schema);
	foreach(cell, rename->new_path)
	{
		const EvString *token = lfirst(cell);
		bool		is_item = token->length == 1 && token->data[0] == '*';
		const char *keyword = is_item ? "items" : "properties";

		if (!ev_json_step(&schema, &(EvString) {keyword, strlen(keyword)}) || (!is_item && !ev_json_step(&schema, token)))
			return pstrdup("");
		appendStringInfo(&location, "/%s", keyword);
		if (is_item)
			continue;
		appendStringInfoChar(&location, '/');
		ev_pointer_append_key(&location, token->data, token->length);
	}
	return location.data;
}

static EvChange *
make_change(const EvRename *rename, const EvRenameSource *new, const Judged *judged)
{
	EvChange   *change = palloc(sizeof(EvChange));

	change->rule = EV_CHANGE_PROPERTY_RENAMED;
	change->location = new_location(new, rename);
	change->backward = judged->backward;
	change->forward = judged->forward;
	change->message = psprintf("The property %s is called %s now%s%s.",
							   ev_string_show(rename->old_pointer, strlen(rename->old_pointer)),
							   ev_string_show(rename->new_pointer, strlen(rename->new_pointer)),
							   judged->reason != NULL ? "; " : "", judged->reason != NULL ? judged->reason : "");
	return change;
}

/* ---------- the comparison ---------- */

/*
 * Returns the paths of old names that the new schema bars.  A renamed event has none of
 * these properties, so the old schema, with the new names, bars them too.
 */
static List *
barred_paths(const EvRenames *renames, const EvRenameSource *new)
{
	List	   *paths = NIL;
	ListCell   *cell;

	foreach(cell, renames->all)
	{
		const EvRename *rename = lfirst(cell);
		List	   *path = list_copy(rename->new_path);

		CHECK_FOR_INTERRUPTS();
		lfirst(list_last_cell(path)) = llast(rename->old_path);
		if (ev_rename_child_to(parent_node(renames, rename), llast(rename->old_path)) == NULL &&
			ev_source_said(new, path, llast(path)).barred)
			paths = lappend(paths, path);
	}
	return paths;
}

/* Leaves out the URI of the original in the location of a change. */
static void
localize(EvChange *change)
{
	const char *p = change->location;

	if (strncmp(p, ORIGINAL_URI, strlen(ORIGINAL_URI)) != 0)
		return;
	p = strchr(p, '#');
	change->location = pstrdup(p != NULL ? p + 1 : "");
}

/*
 * Writes the old schema with the names of one mapping after the other.  Adds the changes for
 * each renamed property.  Returns the schema; if a mapping cannot be followed, the one before
 * it, and *followed is set to false.
 */
static EvDocument *
rename_all(const EvDocument *old, const EvDocument *new, const List *mappings, bool is_adjacent, bool lenient,
		   List **changes, bool *followed)
{
	EvDocument *current = palloc(sizeof(EvDocument));
	EvRenameSource *new_source = ev_source_make(new, new->uri);
	const ListCell *cell;

	*current = *old;
	*followed = true;
	foreach(cell, mappings)
	{
		EvRenames  *renames = ev_renames_argument(lfirst(cell));
		EvDocument *original = palloc(sizeof(EvDocument));
		char	   *uri = psprintf(ORIGINAL_URI "%d", list_length(ev_originals));
		EvRenameSource *source;
		EvRewriter	r = {0};
		Jsonb	   *schema;
		ListCell   *rename;

		*original = *current;
		ev_originals = lappend(ev_originals, original);
		source = ev_source_make(original, uri);
		r.barred = barred_paths(renames, new_source);
		schema = rewrite(&r, renames, source);
		foreach(rename, renames->all)
		{
			Judged		judged = judge(renames, lfirst(rename), source, new_source, is_adjacent, lenient,
									   schema == NULL ? r.problem : NULL);

			*changes = lappend(*changes, make_change(lfirst(rename), new_source, &judged));
		}
		if (schema == NULL)
		{
			*followed = false;
			break;
		}
		/* what replaces the root may lack its $schema */
		current->draft = ev_document_draft(original);
		current->draft_known = true;
		current->schema = schema;
		current->uri = "";
		current->function = InvalidOid;
		current->text = NULL;
		current->is_new = false;
	}
	return current;
}

/*
 * If a mapping cannot be followed, the schemas are compared with other names than events have,
 * so no change is certain to be incompatible.
 */
static EvVerdict
uncertain(EvVerdict verdict)
{
	return verdict == EV_INCOMPATIBLE ? EV_UNKNOWN : verdict;
}

static void
doubt_changes(const List *changes)
{
	const ListCell *cell;

	foreach(cell, changes)
	{
		EvChange   *change = lfirst(cell);

		change->backward = uncertain(change->backward);
		change->forward = uncertain(change->forward);
	}
}

/*
 * Compares a schema to which the renames are applied with the new one.  Adds to
 * *renames the changes that the renames are, and sets *others to all others.
 */
static EvVerdict
compare_after_renames(const EvDocument *old, const EvDocument *new, const List *mappings, bool is_adjacent,
					  bool lenient, int64 *work, EvVerdict *forward, List **renames, List **others)
{
	List	   *volatile outer = ev_originals;
	volatile EvVerdict backward = EV_COMPATIBLE;

	ev_originals = NIL;
	PG_TRY();
	{
		bool		followed;
		EvDocument *renamed = rename_all(old, new, mappings, is_adjacent, lenient, renames, &followed);

		backward = ev_compare_schemas_resolved(renamed, ev_original_resolve, new, ev_registry_resolve, lenient, work,
											   forward, others);
		if (!followed)
		{
			backward = uncertain(backward);
			*forward = uncertain(*forward);
			doubt_changes(*others);
		}
	}
	PG_FINALLY();
	{
		ev_originals = outer;
	}
	PG_END_TRY();
	return backward;
}

EvVerdict
ev_compare_renamed(const EvDocument *old, const EvDocument *new, const List *mappings, bool is_adjacent, bool lenient,
				   int64 *work, EvVerdict *forward, List **changes)
{
	List	   *renames = NIL;
	List	   *others = NIL;
	EvVerdict	backward;
	ListCell   *cell;

	*forward = EV_COMPATIBLE;
	backward = compare_after_renames(old, new, mappings, is_adjacent, lenient, work, forward, &renames, &others);

	foreach(cell, others)
		localize(lfirst(cell));
	foreach(cell, renames)
	{
		const EvChange *change = lfirst(cell);

		backward = Max(backward, change->backward);
		*forward = Max(*forward, change->forward);
	}
	*changes = list_concat(renames, others);
	return backward;
}
