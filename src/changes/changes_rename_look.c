/*
 * changes_rename_look.c
 *	  What a schema says about a property that is renamed, and the documents in
 *	  which it says so.
 *
 * The answers are about the JSON itself.  What is not understood is opaque, so that the
 * verdict is "unknown".
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "base/json_pointer.h"
#include "changes/changes_rename.h"
#include "registry/schema_cache.h"
#include "schema/keywords.h"
#include "schema/uri.h"

List	   *ev_originals = NIL;

/* ---------- documents ---------- */

bool
ev_original_resolve(const char *uri, EvDocument *document)
{
	int			number;

	if (strncmp(uri, ORIGINAL_URI, strlen(ORIGINAL_URI)) != 0)
		return ev_registry_resolve(uri, document);
	number = atoi(uri + strlen(ORIGINAL_URI));
	if (number < 0 || number >= list_length(ev_originals))
		return false;
	*document = *(EvDocument *) list_nth(ev_originals, number);
	document->uri = uri;
	document->function = InvalidOid;
	return true;
}

bool
ev_rename_fail(EvRewriter *r, const char *problem)
{
	if (r->problem == NULL)
		r->problem = problem;
	return false;
}

char *
ev_json_string(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	return getKeyJsonValueFromContainer(object, name, strlen(name), &value) != NULL && value.type == jbvString ?
		pnstrdup(value.val.string.val, value.val.string.len) : NULL;
}

int
ev_document_draft(const EvDocument *document)
{
	char	   *dialect = JB_ROOT_IS_OBJECT(document->schema) ? ev_json_string(&document->schema->root, "$schema") : NULL;

	if (dialect != NULL)
		return ev_draft_of_uri(dialect);
	return document->draft_known ? (int) document->draft : EV_DRAFT2020;
}

int
ev_source_draft(const EvRenameSource *source)
{
	return ev_document_draft(source->document);
}

EvRenameSource *
ev_source_make(const EvDocument *document, const char *self)
{
	EvRenameSource *source = palloc(sizeof(EvRenameSource));
	char	   *id = JB_ROOT_IS_OBJECT(document->schema) ?
		ev_json_string(&document->schema->root, ev_document_draft(document) == EV_DRAFT4 ? "id" : "$id") : NULL;
	char	   *fragment;

	source->document = document;
	source->base = id != NULL ? ev_uri_resolve(document->uri, id, &fragment) : document->uri;
	source->self = self;
	return source;
}

void
ev_source_root(const EvRenameSource *source, JsonbValue *root)
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

bool
ev_json_step(JsonbValue *value, const EvString *token)
{
	JsonbValue	key = {.type = jbvString};
	JsonbValue *found;

	if (ev_json_is_array(value))
	{
		char	   *digits = pnstrdup(token->data, token->length);

		if (strlen(digits) > 9 || digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits))
			return false;
		found = getIthJsonbValueFromContainer(value->val.binary.data, atoi(digits));
	}
	else if (ev_json_is_object(value))
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

bool
ev_schema_has_id(const JsonbValue *schema, const EvRenameSource *source)
{
	return ev_json_string(schema->val.binary.data, ev_source_draft(source) == EV_DRAFT4 ? "id" : "$id") != NULL;
}

bool
ev_source_follow(EvRewriter *r, const EvRenameSource *source, const char *reference, EvRenameSource **found, JsonbValue *schema)
{
	char	   *fragment;
	char	   *uri = ev_uri_resolve(source->base, reference, &fragment);
	EvDocument *document;

	if (++r->references > MOST_REFERENCES)
		return ev_rename_fail(r, "it follows too many references");
	if (strcmp(uri, source->base) == 0 || strcmp(uri, source->self) == 0)
		*found = (EvRenameSource *) source;
	else
	{
		document = palloc0(sizeof(EvDocument));
		if (!ev_original_resolve(uri, document) || document->by_part)
			return ev_rename_fail(r, "a reference leads into a part of another document");

		/*
		 * as when references are resolved: a registered event has a dialect
		 * of its own
		 */
		if (strncmp(uri, "event:", 6) != 0 && JB_ROOT_IS_OBJECT(document->schema) &&
			ev_json_string(&document->schema->root, "$schema") == NULL)
		{
			document->draft_known = true;
			document->draft = ev_source_draft(source);
		}
		if (ev_source_draft(&(EvRenameSource) {.document = document}) != ev_source_draft(source))
			return ev_rename_fail(r, "a reference leads to a document of another dialect");
		if (document->assert_format != source->document->assert_format ||
			document->except_formats != source->document->except_formats)
			return ev_rename_fail(r, "a reference leads to a document that asserts other formats");
		*found = ev_source_make(document, uri);
	}
	ev_source_root(*found, schema);
	if (fragment == NULL || fragment[0] == '\0')
		return true;
	if (fragment[0] != '/')
		return ev_rename_fail(r, "a reference leads to an anchor");
	for (const char *p = fragment; *p == '/';)
	{
		int			length = strcspn(++p, "/");
		StringInfoData key;

		initStringInfo(&key);
		ev_pointer_append_unescaped(&key, p, length);
		if (!ev_json_step(schema, &(EvString) {key.data, key.len}))
			return ev_rename_fail(r, "a reference cannot be followed");
		if (ev_json_is_object(schema) && ev_schema_has_id(schema, source))
			return ev_rename_fail(r, "a subschema has an $id");
		p += length;
	}
	return true;
}

/* ---------- looking for a property ---------- */

typedef struct Look
{
	EvRewriter *r;				/* for the limits */
	const List *path;			/* EvString */
	EvSaid	   *said;
} Look;

static void look(const Look *l, const JsonbValue *schema, const EvRenameSource *source, int at, bool certain);

static bool
get(const JsonbValue *object, const char *name, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(object->val.binary.data, name, strlen(name), value) != NULL;
}

static void
look_at_all(const Look *l, const JsonbValue *value, const EvRenameSource *source, int at, bool certain)
{
	if (!ev_json_is_array(value))
		look(l, value, source, at, certain);
	else
		for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
			look(l, getIthJsonbValueFromContainer(value->val.binary.data, i), source, at, certain);
}

/* Looks at the schemas in an object's members. */
static void
look_at_map(const Look *l, const JsonbValue *map, const EvRenameSource *source, int at)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;

	if (!ev_json_is_object(map))
		return;
	iterator = JsonbIteratorInit(map->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_VALUE && ev_json_is_object(&value))
			look(l, &value, source, at, false);
}

/* Looks at the schemas that apply to the same instance. */
static void
look_in_place(const Look *l, const JsonbValue *schema, const EvRenameSource *source, int at, bool certain)
{
	static const char *const branches[] = {"anyOf", "oneOf", "not", "if", "then", "else"};
	static const char *const maps[] = {"dependentSchemas", "dependencies"};
	char	   *reference = ev_json_string(schema->val.binary.data, "$ref");
	JsonbValue	value;
	JsonbValue	target_schema;
	EvRenameSource *target;

	if (reference != NULL)
	{
		if (!ev_source_follow(l->r, source, reference, &target, &target_schema))
			l->said->opaque = true;
		else
			look(l, &target_schema, target, at, certain);
		/* up to draft 7, the keywords beside a reference are ignored */
		if (ev_source_draft(source) < EV_DRAFT2019)
			return;
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
look_at_items(const Look *l, const JsonbValue *schema, const EvRenameSource *source, int at, bool certain)
{
	static const char *const others[] = {"prefixItems", "additionalItems", "unevaluatedItems", "contains"};
	JsonbValue	value;
	bool		is_first = !get(schema, "prefixItems", &value);

	if (get(schema, "items", &value))
		look_at_all(l, &value, source, at + 1, certain && is_first && ev_json_is_object(&value));
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
	return ev_json_is_array(names) && findJsonbValueFromContainer(names->val.binary.data, JB_FARRAY, &key) != NULL;
}

static void
look_at_property(const Look *l, const JsonbValue *schema, const EvRenameSource *source, int at, bool certain)
{
	static const char *const rests[] = {"additionalProperties", "unevaluatedProperties"};
	const EvString *name = list_nth(l->path, at);
	bool		is_last = at == list_length(l->path) - 1;
	JsonbValue	value;

	if (get(schema, "properties", &value) && ev_json_step(&value, name))
	{
		if (!is_last)
			look(l, &value, source, at + 1, certain);
		else if (certain && ev_json_is_false(&value))
			l->said->barred = true;
		else
			l->said->declared = true;
	}
	if (is_last && get(schema, "required", &value) && has_name(&value, name))
		l->said->declared = true;
	if (get(schema, "patternProperties", &value) || get(schema, "propertyNames", &value))
		l->said->opaque = true;
	for (int i = 0; i < (int) lengthof(rests); i++)
		if (get(schema, rests[i], &value) && (i == 0 || ev_source_draft(source) >= EV_DRAFT2019))
		{
			if (!ev_json_is_plain(&value))
				l->said->opaque = true;
			else if (is_last && !ev_json_is_false(&value))
				l->said->open = true;
			else if (is_last && certain && i == 0)
				l->said->closed = true;
			else if (is_last && certain)
				l->said->sealed = true;
		}
}

static void
look(const Look *l, const JsonbValue *schema, const EvRenameSource *source, int at, bool certain)
{
	const EvString *name = list_nth(l->path, at);

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (!ev_json_is_object(schema))
		return;
	if (++l->r->looks > MOST_LOOKS)
	{
		l->said->opaque = true;
		return;
	}
	look_in_place(l, schema, source, at, certain);
	if (ev_source_draft(source) < EV_DRAFT2019 && ev_json_string(schema->val.binary.data, "$ref") != NULL)
		return;
	if (name->length == 1 && name->data[0] == '*' && at < list_length(l->path) - 1)
		look_at_items(l, schema, source, at, certain);
	else
		look_at_property(l, schema, source, at, certain);
}

EvSaid
ev_source_said(const EvRenameSource *source, const List *path, const EvString *name)
{
	EvSaid		said = {0};
	EvRewriter	r = {0};
	List	   *full = list_copy(path);
	Look		l = {&r, full, &said};
	JsonbValue	root;

	lfirst(list_last_cell(full)) = unconstify(EvString *, name);
	ev_source_root(source, &root);
	look(&l, &root, source, 0, true);
	said.closed |= said.sealed && !said.open;
	return said;
}
