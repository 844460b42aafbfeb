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
#include "registry/schema_cache.h"
#include "schema/keywords.h"
#include "schema/renames.h"
#include "schema/uri.h"

/* The URI of an old schema, with a number, for references into it. */
#define ORIGINAL_URI	"x-event-validate-original:"

/* Limits: references that are followed, subschemas that are looked at, bytes that are copied. */
#define MOST_REFERENCES	1000
#define MOST_LOOKS		100000
#define MOST_BYTES		(16 * 1024 * 1024)

/* The schemas that are written anew, for references into them: EvDocument. */
static List *originals = NIL;

/* A document that is read. */
typedef struct Source
{
	const EvDocument *document;
	const char *base;			/* references are relative to it */
	const char *self;			/* the URI for references within it */
} Source;

typedef struct Rewriter
{
	JsonbInState state;
	const char *problem;		/* why it cannot be done, as a part of a
								 * sentence; or NULL */
	List	   *barred;			/* paths (List of EvString) that no renamed
								 * event has */
	int			depth;			/* of schemas */
	int			references;
	int			looks;
	Size		bytes;
} Rewriter;

/* ---------- documents ---------- */

static bool
resolve_original(const char *uri, EvDocument *document)
{
	int			number;

	if (strncmp(uri, ORIGINAL_URI, strlen(ORIGINAL_URI)) != 0)
		return ev_registry_resolve(uri, document);
	number = atoi(uri + strlen(ORIGINAL_URI));
	if (number < 0 || number >= list_length(originals))
		return false;
	*document = *(EvDocument *) list_nth(originals, number);
	document->uri = uri;
	document->function = InvalidOid;
	return true;
}

static bool
fail(Rewriter *r, const char *problem)
{
	if (r->problem == NULL)
		r->problem = problem;
	return false;
}

/* Returns a member of an object, if it is a string, otherwise NULL. */
static char *
string_of(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	return getKeyJsonValueFromContainer(object, name, strlen(name), &value) != NULL && value.type == jbvString ?
		pnstrdup(value.val.string.val, value.val.string.len) : NULL;
}

/* Returns the draft of a document, -1 if it has another dialect. */
static int
draft_of(const EvDocument *document)
{
	char	   *dialect = JB_ROOT_IS_OBJECT(document->schema) ? string_of(&document->schema->root, "$schema") : NULL;

	if (dialect != NULL)
		return ev_draft_of_uri(dialect);
	return document->draft_known ? (int) document->draft : EV_DRAFT2020;
}

static int
draft_of_source(const Source *source)
{
	return draft_of(source->document);
}

static Source *
make_source(const EvDocument *document, const char *self)
{
	Source	   *source = palloc(sizeof(Source));
	char	   *id = JB_ROOT_IS_OBJECT(document->schema) ?
		string_of(&document->schema->root, draft_of(document) == EV_DRAFT4 ? "id" : "$id") : NULL;
	char	   *fragment;

	source->document = document;
	source->base = id != NULL ? ev_uri_resolve(document->uri, id, &fragment) : document->uri;
	source->self = self;
	return source;
}

static void
root_of(const Source *source, JsonbValue *root)
{
	if (JB_ROOT_IS_SCALAR(source->document->schema))
		(void) JsonbExtractScalar(&source->document->schema->root, root);
	else
	{
		root->type = jbvBinary;
		root->val.binary.data = &source->document->schema->root;
		root->val.binary.len = VARSIZE(source->document->schema) - VARHDRSZ;
	}
}

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

static bool
is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

static bool
is_false(const JsonbValue *value)
{
	return value->type == jbvBool && !value->val.boolean;
}

/* Is this a schema that says nothing about a property, or that forbids it? */
static bool
is_plain(const JsonbValue *value)
{
	return value->type == jbvBool || (is_object(value) && JsonContainerSize(value->val.binary.data) == 0);
}

/* Follows the token of a JSON Pointer. */
static bool
step_into(JsonbValue *value, const EvString *token)
{
	JsonbValue	key = {.type = jbvString};
	JsonbValue *found;

	if (is_array(value))
	{
		char	   *digits = pnstrdup(token->data, token->length);

		if (strlen(digits) > 9 || digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits))
			return false;
		found = getIthJsonbValueFromContainer(value->val.binary.data, atoi(digits));
	}
	else if (is_object(value))
	{
		key.val.string.val = unconstify(char *, token->data);
		key.val.string.len = token->length;
		found = findJsonbValueFromContainer(value->val.binary.data, JB_FOBJECT, &key);
	}
	else
		return false;
	if (found != NULL)
		*value = *found;
	return found != NULL;
}

static bool
has_id(const JsonbValue *schema, const Source *source)
{
	return string_of(schema->val.binary.data, draft_of_source(source) == EV_DRAFT4 ? "id" : "$id") != NULL;
}

/* Finds the schema to which a reference leads.  Fails for what is rarely used. */
static bool
follow(Rewriter *r, const Source *source, const char *reference, Source **found, JsonbValue *schema)
{
	char	   *fragment;
	char	   *uri = ev_uri_resolve(source->base, reference, &fragment);
	EvDocument *document;

	if (++r->references > MOST_REFERENCES)
		return fail(r, "it follows too many references");
	if (strcmp(uri, source->base) == 0 || strcmp(uri, source->self) == 0)
		*found = (Source *) source;
	else
	{
		document = palloc0(sizeof(EvDocument));
		if (!resolve_original(uri, document) || document->by_part)
			return fail(r, "a reference leads into a part of another document");
		if (JB_ROOT_IS_OBJECT(document->schema) && string_of(&document->schema->root, "$schema") == NULL)
		{
			document->draft_known = true;
			document->draft = draft_of_source(source);
		}
		if (draft_of_source(&(Source) {.document = document}) != draft_of_source(source))
			return fail(r, "a reference leads to a document of another dialect");
		*found = make_source(document, uri);
	}
	root_of(*found, schema);
	if (fragment == NULL || fragment[0] == '\0')
		return true;
	if (fragment[0] != '/')
		return fail(r, "a reference leads to an anchor");
	for (const char *p = fragment; *p == '/';)
	{
		int			length = strcspn(++p, "/");
		StringInfoData key;

		initStringInfo(&key);
		ev_pointer_append_unescaped(&key, p, length);
		if (!step_into(schema, &(EvString) {key.data, key.len}))
			return fail(r, "a reference cannot be followed");
		if (is_object(schema) && has_id(schema, source))
			return fail(r, "a subschema has an $id");
		p += length;
	}
	return true;
}

/* Returns a reference as an absolute one. */
static char *
absolute(const Source *source, const char *reference)
{
	char	   *fragment;
	char	   *uri = ev_uri_resolve(source->base, reference, &fragment);
	const char *raw = strchr(reference, '#');

	return psprintf("%s%s", strcmp(uri, source->base) == 0 ? source->self : uri, raw != NULL ? raw : "");
}

/* ---------- copying ---------- */

static void
push_key(Rewriter *r, const char *name, int length)
{
	JsonbValue	key = {.type = jbvString};

	key.val.string.val = unconstify(char *, name);
	key.val.string.len = length;
	ev_push_jsonb(&r->state, WJB_KEY, &key);
}

static void
push_string(Rewriter *r, JsonbIteratorToken token, const char *string)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, string);
	value.val.string.len = strlen(string);
	ev_push_jsonb(&r->state, token, &value);
}

static bool
push(Rewriter *r, JsonbIteratorToken token, JsonbValue *value)
{
	if (value->type == jbvBinary)
		r->bytes += value->val.binary.len;
	if (r->bytes > MOST_BYTES)
		return fail(r, "it is too large");
	ev_push_jsonb(&r->state, token, value);
	return true;
}

/* Does a function for each member of an object. */
typedef bool (*Member) (Rewriter *r, JsonbValue *key, JsonbValue *value, const EvRenameNode *node,
						const Source *source, bool certain);

static bool
each_member(Rewriter *r, const JsonbValue *object, Member member, const EvRenameNode *node, const Source *source,
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
static bool put_schemas(Rewriter *r, JsonbIteratorToken token, JsonbValue *value, const EvRenameNode *node,
						const Source *source, bool certain);

static bool
copy_named(Rewriter *r, JsonbValue *key, JsonbValue *value, const EvRenameNode *node pg_attribute_unused(),
		   const Source *source, bool certain pg_attribute_unused())
{
	push_key(r, key->val.string.val, key->val.string.len);
	return put_schemas(r, WJB_VALUE, value, NULL, source, false);
}

/* Copies a keyword of a schema that is not about the renamed properties. */
static bool
copy_keyword(Rewriter *r, JsonbValue *key, JsonbValue *value, const EvRenameNode *node pg_attribute_unused(),
			 const Source *source, bool certain pg_attribute_unused())
{
	int			keyword = ev_keyword_find(key->val.string.val, key->val.string.len, draft_of_source(source));
	EvShape		shape = keyword >= 0 ? ev_keywords[keyword].shape : EV_ANY_VALUE;

	if (keyword == EV_KW_DYNAMIC_REF || keyword == EV_KW_RECURSIVE_REF)
		return fail(r, "there is a dynamic reference");
	if (keyword == EV_KW_ID || keyword == EV_KW_ID_DRAFT4)
		return fail(r, "a subschema has an $id");
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
	if ((shape == EV_SCHEMA_MAP || shape == EV_PATTERN_SCHEMA_MAP || shape == EV_DEPENDENCIES) && is_object(value))
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
new_name(Rewriter *r, const EvRenameNode *node, EvString *name)
{
	const EvRenameNode *child = ev_rename_child(node, name);

	if (is_taken(node, name))
		return fail(r, BOTH_NAMES);
	if (child != NULL && child->new_name.data != NULL)
		*name = child->new_name;
	return true;
}

static bool
put_property(Rewriter *r, JsonbValue *key, JsonbValue *value, const EvRenameNode *node, const Source *source, bool certain)
{
	EvString	name = ev_string_of(key);
	const EvRenameNode *child = ev_rename_child(node, &name);

	/* no event has it, so the rename can take the name */
	if (is_taken(node, &name) && certain && is_false(value))
		return true;
	if (!new_name(r, node, &name))
		return false;
	push_key(r, name.data, name.length);
	return put_schemas(r, WJB_VALUE, value, ev_rename_has_below(child) ? child : NULL, source, certain);
}

/* Writes an array of names of properties. */
static bool
put_names(Rewriter *r, JsonbValue *names, const EvRenameNode *node)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;

	if (!is_array(names))
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
put_dependent(Rewriter *r, JsonbValue *key, JsonbValue *value, const EvRenameNode *node, const Source *source,
			  bool certain pg_attribute_unused())
{
	EvString	name = ev_string_of(key);

	if (!new_name(r, node, &name))
		return false;
	push_key(r, name.data, name.length);
	return is_array(value) ? put_names(r, value, node) : put_schemas(r, WJB_VALUE, value, node, source, false);
}

static bool
put_map(Rewriter *r, JsonbValue *value, Member member, const EvRenameNode *node, const Source *source, bool certain)
{
	if (!is_object(value))
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
	if (!is_list || !is_array(value))
		return true;
	for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
		if (getIthJsonbValueFromContainer(value->val.binary.data, i)->type == jbvBinary)
			return true;
	return false;
}

/* Writes a keyword of a schema for an object or array in which properties are renamed. */
static bool
put_keyword(Rewriter *r, JsonbValue *key, JsonbValue *value, const EvRenameNode *node, const Source *source, bool certain)
{
	int			keyword = ev_keyword_find(key->val.string.val, key->val.string.len, draft_of_source(source));
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
			return fail(r, "there is a dynamic reference");
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
				return fail(r, "the old schema restricts names of these properties by a pattern");
			break;
		case EV_KW_ADDITIONAL_PROPERTIES:
		case EV_KW_UNEVALUATED_PROPERTIES:
			if (node->children != NIL && !is_plain(value))
				return fail(r, "the old schema has a schema for additional properties");
			break;
		case EV_KW_ENUM:
		case EV_KW_CONST:
			if (has_containers(value, keyword == EV_KW_ENUM))
				return fail(r, "the old schema lists whole objects (enum, const)");
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
							   certain && (keyword == EV_KW_ITEMS || keyword == EV_KW_ITEMS_DRAFT4) && is_object(value));
		default:
			break;
	}
	return copy_keyword(r, key, value, NULL, source, false);
}

static bool put_schema(Rewriter *r, JsonbIteratorToken token, JsonbValue *schema, const EvRenameNode *node,
					   const Source *source, bool certain);

static bool
put_target(Rewriter *r, JsonbIteratorToken token, const char *reference, const EvRenameNode *node, const Source *source,
		   bool certain)
{
	Source	   *target;
	JsonbValue	schema;

	return follow(r, source, reference, &target, &schema) && put_schema(r, token, &schema, node, target, certain);
}

/* Writes a schema in which the property at a path is false. */
static void
put_barred(Rewriter *r, JsonbIteratorToken token, const List *path, int at)
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
put_together(Rewriter *r, JsonbContainer *schema, const char *reference, const EvRenameNode *node, const Source *source,
			 bool certain)
{
	JsonbValue	members;
	bool		has_members = getKeyJsonValueFromContainer(schema, "allOf", 5, &members) != NULL && is_array(&members);

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
put_schema(Rewriter *r, JsonbIteratorToken token, JsonbValue *schema, const EvRenameNode *node, const Source *source,
		   bool certain)
{
	char	   *reference;
	bool		done;

	check_stack_depth();
	if (!is_object(schema))
		return push(r, token, schema);
	if (++r->looks > MOST_LOOKS)
		return fail(r, "it is too large");
	if (node != NULL && schema->val.binary.data != &source->document->schema->root && has_id(schema, source))
		return fail(r, "a subschema has an $id");
	reference = node != NULL ? string_of(schema->val.binary.data, "$ref") : NULL;
	if (reference != NULL && draft_of_source(source) < EV_DRAFT2019)
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
put_schemas(Rewriter *r, JsonbIteratorToken token, JsonbValue *value, const EvRenameNode *node, const Source *source,
			bool certain)
{
	if (!is_array(value))
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
rewrite(Rewriter *r, const EvRenames *renames, const Source *source)
{
	JsonbValue	root;

	if (draft_of(source->document) < 0)
	{
		(void) fail(r, "its dialect is not one of the drafts");
		return NULL;
	}
	root_of(source, &root);
	if (!is_object(&root))
		return source->document->schema;
	return put_schema(r, WJB_VALUE, &root, &renames->root, source, true) ? JsonbValueToJsonb(r->state.result) : NULL;
}

/* ---------- looking for a property ---------- */

/* What a schema says about a property at a path. */
typedef struct Said
{
	bool		declared;		/* by its name */
	bool		barred;			/* no event has it */
	bool		closed;			/* no event has it, unless it is declared */
	bool		opaque;			/* perhaps, by its pattern and the like */
} Said;

typedef struct Look
{
	Rewriter   *r;				/* for the limits */
	const List *path;			/* EvString */
	Said	   *said;
} Look;

static void look(const Look *l, const JsonbValue *schema, const Source *source, int at, bool certain);

static bool
get(const JsonbValue *object, const char *name, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(object->val.binary.data, name, strlen(name), value) != NULL;
}

static void
look_at_all(const Look *l, const JsonbValue *value, const Source *source, int at, bool certain)
{
	if (!is_array(value))
		look(l, value, source, at, certain);
	else
		for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
			look(l, getIthJsonbValueFromContainer(value->val.binary.data, i), source, at, certain);
}

/* Looks at the schemas in an object's members. */
static void
look_at_map(const Look *l, const JsonbValue *map, const Source *source, int at)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;

	if (!is_object(map))
		return;
	iterator = JsonbIteratorInit(map->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_VALUE && is_object(&value))
			look(l, &value, source, at, false);
}

/* Looks at the schemas that apply to the same instance. */
static void
look_in_place(const Look *l, const JsonbValue *schema, const Source *source, int at, bool certain)
{
	static const char *const branches[] = {"anyOf", "oneOf", "not", "if", "then", "else"};
	static const char *const maps[] = {"dependentSchemas", "dependencies"};
	char	   *reference = string_of(schema->val.binary.data, "$ref");
	JsonbValue	value;
	JsonbValue	target_schema;
	Source	   *target;

	if (reference != NULL)
	{
		if (!follow(l->r, source, reference, &target, &target_schema))
			l->said->opaque = true;
		else
			look(l, &target_schema, target, at, certain);
	}
	if (get(schema, "$dynamicRef", &value) || get(schema, "$recursiveRef", &value))
		l->said->opaque = true;
	if (get(schema, "allOf", &value))
		look_at_all(l, &value, source, at, certain);
	for (int i = 0; i < (int) lengthof(branches); i++)
		if (get(schema, branches[i], &value))
			look_at_all(l, &value, source, at, false);
	for (int i = 0; i < (int) lengthof(maps); i++)
		if (get(schema, maps[i], &value))
			look_at_map(l, &value, source, at);
}

static void
look_at_items(const Look *l, const JsonbValue *schema, const Source *source, int at, bool certain)
{
	static const char *const others[] = {"prefixItems", "additionalItems", "unevaluatedItems", "contains"};
	JsonbValue	value;
	bool		is_first = !get(schema, "prefixItems", &value);

	if (get(schema, "items", &value))
		look_at_all(l, &value, source, at + 1, certain && is_first && is_object(&value));
	for (int i = 0; i < (int) lengthof(others); i++)
		if (get(schema, others[i], &value))
			look_at_all(l, &value, source, at + 1, false);
}

static bool
has_name(const JsonbValue *names, const EvString *name)
{
	JsonbValue	key = {.type = jbvString};

	key.val.string.val = unconstify(char *, name->data);
	key.val.string.len = name->length;
	return is_array(names) && findJsonbValueFromContainer(names->val.binary.data, JB_FARRAY, &key) != NULL;
}

static void
look_at_property(const Look *l, const JsonbValue *schema, const Source *source, int at, bool certain)
{
	static const char *const rests[] = {"additionalProperties", "unevaluatedProperties"};
	const EvString *name = list_nth(l->path, at);
	bool		is_last = at == list_length(l->path) - 1;
	JsonbValue	value;

	if (get(schema, "properties", &value) && step_into(&value, name))
	{
		if (!is_last)
			look(l, &value, source, at + 1, certain);
		else if (certain && is_false(&value))
			l->said->barred = true;
		else
			l->said->declared = true;
	}
	if (is_last && get(schema, "required", &value) && has_name(&value, name))
		l->said->declared = true;
	if (get(schema, "patternProperties", &value) || get(schema, "propertyNames", &value))
		l->said->opaque = true;
	for (int i = 0; i < (int) lengthof(rests); i++)
		if (get(schema, rests[i], &value))
		{
			if (!is_plain(&value))
				l->said->opaque = true;
			else if (is_last && certain && is_false(&value))
				l->said->closed = true;
		}
}

static void
look(const Look *l, const JsonbValue *schema, const Source *source, int at, bool certain)
{
	const EvString *name = list_nth(l->path, at);

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (!is_object(schema))
		return;
	if (++l->r->looks > MOST_LOOKS)
	{
		l->said->opaque = true;
		return;
	}
	look_in_place(l, schema, source, at, certain);
	if (draft_of_source(source) < EV_DRAFT2019 && string_of(schema->val.binary.data, "$ref") != NULL)
		return;
	if (name->length == 1 && name->data[0] == '*' && at < list_length(l->path) - 1)
		look_at_items(l, schema, source, at, certain);
	else
		look_at_property(l, schema, source, at, certain);
}

/* What does a document say about a property: the last name of a path, or another in its object? */
static Said
said_of(const Source *source, const List *path, const EvString *name)
{
	Said		said = {0};
	Rewriter	r = {0};
	List	   *full = list_copy(path);
	Look		l = {&r, full, &said};
	JsonbValue	root;

	lfirst(list_last_cell(full)) = unconstify(EvString *, name);
	root_of(source, &root);
	look(&l, &root, source, 0, true);
	return said;
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
is_exclusive(const Said *said, bool lenient)
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
judge(const EvRenames *renames, const EvRename *rename, const Source *old, const Source *new, bool is_adjacent,
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
	Said		said;

	if (problem != NULL)
		return unknown;
	said = said_of(old, rename->old_path, old_name);
	if (is_adjacent && !said.declared)
		unknown.reason = "the old schema does not declare the old name";
	else if (is_adjacent && !said_of(new, rename->new_path, new_name).declared)
		unknown.reason = "the new schema does not declare the new name";
	if (unknown.reason != NULL)
		return unknown;
	if (!said.declared && !(said.closed || said.barred || lenient))
	{
		unknown.reason = "the old schema allows any property";
		return unknown;
	}
	said = said_of(old, rename->old_path, new_name);
	if (!gives_way && !is_exclusive(&said, lenient))
	{
		result.backward = EV_UNKNOWN;
		result.reason = "an old event may have both names";
	}
	said = said_of(new, rename->new_path, old_name);
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
new_location(const Source *new, const EvRename *rename)
{
	StringInfoData location;
	JsonbValue	schema;
	ListCell   *cell;

	initStringInfo(&location);
	root_of(new, &schema);
	foreach(cell, rename->new_path)
	{
		const EvString *token = lfirst(cell);
		bool		is_item = token->length == 1 && token->data[0] == '*';
		const char *keyword = is_item ? "items" : "properties";

		if (!step_into(&schema, &(EvString) {keyword, strlen(keyword)}) || (!is_item && !step_into(&schema, token)))
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
make_change(const EvRename *rename, const Source *new, const Judged *judged)
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
barred_paths(const EvRenames *renames, const Source *new)
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
			said_of(new, path, llast(path)).barred)
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
 * each renamed property.  Returns the schema; the old one if a mapping cannot be followed.
 */
static EvDocument *
rename_all(const EvDocument *old, const EvDocument *new, const List *mappings, bool is_adjacent, bool lenient,
		   List **changes)
{
	EvDocument *current = palloc(sizeof(EvDocument));
	Source	   *new_source = make_source(new, new->uri);
	const ListCell *cell;

	*current = *old;
	foreach(cell, mappings)
	{
		EvRenames  *renames = ev_renames_argument(lfirst(cell));
		EvDocument *original = palloc(sizeof(EvDocument));
		char	   *uri = psprintf(ORIGINAL_URI "%d", list_length(originals));
		Source	   *source;
		Rewriter	r = {0};
		Jsonb	   *schema;
		ListCell   *rename;

		*original = *current;
		originals = lappend(originals, original);
		source = make_source(original, uri);
		r.barred = barred_paths(renames, new_source);
		schema = rewrite(&r, renames, source);
		foreach(rename, renames->all)
		{
			Judged		judged = judge(renames, lfirst(rename), source, new_source, is_adjacent, lenient,
									   schema == NULL ? r.problem : NULL);

			*changes = lappend(*changes, make_change(lfirst(rename), new_source, &judged));
		}
		if (schema == NULL)
			break;
		current->schema = schema;
		current->uri = "";
		current->function = InvalidOid;
		current->text = NULL;
		current->is_new = false;
	}
	return current;
}

EvVerdict
ev_compare_renamed(const EvDocument *old, const EvDocument *new, const List *mappings, bool is_adjacent, bool lenient,
				   int64 *work, EvVerdict *forward, List **changes)
{
	List	   *volatile outer = originals;
	List	   *renames = NIL;
	List	   *others = NIL;
	EvVerdict	backward = EV_COMPATIBLE;
	ListCell   *cell;

	*forward = EV_COMPATIBLE;
	originals = NIL;
	PG_TRY();
	{
		EvDocument *renamed = rename_all(old, new, mappings, is_adjacent, lenient, &renames);

		backward = ev_compare_schemas_resolved(renamed, resolve_original, new, ev_registry_resolve, lenient, work,
											   forward, &others);
	}
	PG_FINALLY();
	{
		originals = outer;
	}
	PG_END_TRY();

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
