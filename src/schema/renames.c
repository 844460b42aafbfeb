/*
 * renames.c
 *	  Renames of properties between two versions of a schema.
 *
 * A mapping becomes a tree of the properties that it names, in the order of the old
 * event, which is walked beside an event once.  All renames of a mapping happen at the same time,
 * so two properties can exchange their names.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/json_pointer.h"
#include "base/shown_text.h"
#include "schema/renames.h"

PG_FUNCTION_INFO_V1(ev_event_rename);

#define EACH_ITEM	"*"

/* ---------- names ---------- */

static bool
same_string(const EvString *a, const EvString *b)
{
	return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

static bool
is_each_item(const EvString *token)
{
	return token->length == strlen(EACH_ITEM) && memcmp(token->data, EACH_ITEM, token->length) == 0;
}

const EvRenameNode *
ev_rename_child(const EvRenameNode *node, const EvString *name)
{
	ListCell   *cell;

	foreach(cell, node->children)
	{
		const EvRenameNode *child = lfirst(cell);

		if (same_string(&child->name, name))
			return child;
	}
	return NULL;
}

const EvRenameNode *
ev_rename_child_to(const EvRenameNode *node, const EvString *new_name)
{
	ListCell   *cell;

	foreach(cell, node->children)
	{
		const EvRenameNode *child = lfirst(cell);

		if (child->new_name.data != NULL && same_string(&child->new_name, new_name))
			return child;
	}
	return NULL;
}

/* ---------- reading ---------- */

/* Returns a member's name or value as a JSON Pointer. */
static char *
pointer_of(const JsonbValue *text)
{
	StringInfoData pointer;

	initStringInfo(&pointer);
	if (text->val.string.len > 0 && text->val.string.val[0] == '/')
		appendBinaryStringInfo(&pointer, text->val.string.val, text->val.string.len);
	else
	{
		appendStringInfoChar(&pointer, '/');
		ev_pointer_append_key(&pointer, text->val.string.val, text->val.string.len);
	}
	return pointer.data;
}

/* The number of tokens of a JSON Pointer */
static int64
count_tokens(const char *pointer)
{
	int64		count = 0;

	for (const char *p = strchr(pointer, '/'); p != NULL; p = strchr(p + 1, '/'))
		count++;
	return count;
}

/* Returns the tokens of a JSON Pointer, without escapes. */
static List *
tokens_of(const char *pointer)
{
	List	   *tokens = NIL;
	StringInfoData key;

	initStringInfo(&key);
	for (const char *p = pointer; *p == '/';)
	{
		int			length = strcspn(++p, "/");
		EvString   *token = palloc(sizeof(EvString));

		CHECK_FOR_INTERRUPTS();
		resetStringInfo(&key);
		ev_pointer_append_unescaped(&key, p, length);
		token->data = pnstrdup(key.data, key.len);
		token->length = key.len;
		tokens = lappend(tokens, token);
		p += length;
	}
	pfree(key.data);
	return tokens;
}

/* Returns the node below another one for a token, which it makes if there is none. */
static EvRenameNode *
node_below(EvRenameNode *node, const EvString *token)
{
	EvRenameNode *child;

	if (is_each_item(token))
	{
		if (node->items == NULL)
			node->items = palloc0(sizeof(EvRenameNode));
		return node->items;
	}
	child = (EvRenameNode *) ev_rename_child(node, token);
	if (child == NULL)
	{
		child = palloc0(sizeof(EvRenameNode));
		child->name = *token;
		node->children = lappend(node->children, child);
	}
	return child;
}

/* Adds a rename to the tree.  Returns a sentence if it cannot be one. */
static char *
add_rename(EvRenames *renames, EvRename *rename)
{
	EvRenameNode *node = &renames->root;
	ListCell   *cell;

	if (list_length(rename->old_path) != list_length(rename->new_path))
		return psprintf("%s and %s are in different objects.", ev_string_show(rename->old_pointer, strlen(rename->old_pointer)),
						ev_string_show(rename->new_pointer, strlen(rename->new_pointer)));
	if (is_each_item(llast(rename->old_path)) || is_each_item(llast(rename->new_path)))
		return psprintf("\"%s\" means each item of an array, which has no name.", EACH_ITEM);
	if (same_string(llast(rename->old_path), llast(rename->new_path)))
		return psprintf("%s keeps its name.", ev_string_show(rename->old_pointer, strlen(rename->old_pointer)));
	foreach(cell, rename->old_path)
		node = node_below(node, lfirst(cell));
	if (node->new_name.data != NULL)
		return psprintf("%s is renamed twice.", ev_string_show(rename->old_pointer, strlen(rename->old_pointer)));
	node->new_name = *(EvString *) llast(rename->new_path);
	renames->all = lappend(renames->all, rename);
	return NULL;
}

/*
 * Is the new property in the same object as the old one, by the names that the objects on the
 * way get?
 */
static bool
stays_in_object(const EvRenames *renames, const EvRename *rename)
{
	const EvRenameNode *node = &renames->root;

	for (int i = 0; i < list_length(rename->old_path) - 1; i++)
	{
		const EvString *old = list_nth(rename->old_path, i);
		const EvString *new = list_nth(rename->new_path, i);

		node = is_each_item(old) ? node->items : ev_rename_child(node, old);
		if (is_each_item(old) != is_each_item(new) ||
			!same_string(node->new_name.data != NULL ? &node->new_name : old, new))
			return false;
	}
	return true;
}

/* Returns a sentence if two properties of an object would get one name. */
static char *
check_names(const EvRenameNode *node)
{
	ListCell   *cell;
	char	   *problem;

	check_stack_depth();
	problem = node->items != NULL ? check_names(node->items) : NULL;
	foreach(cell, node->children)
	{
		const EvRenameNode *child = lfirst(cell);
		const EvRenameNode *other = child->new_name.data != NULL ? ev_rename_child(node, &child->new_name) : NULL;

		CHECK_FOR_INTERRUPTS();
		if (problem == NULL && child->new_name.data != NULL &&
			(ev_rename_child_to(node, &child->new_name) != child || (other != NULL && other->new_name.data == NULL)))
			problem = psprintf("Two properties of an object would be called %s.",
							   ev_string_show(child->new_name.data, child->new_name.length));
		if (problem == NULL)
			problem = check_names(child);
	}
	return problem;
}

/* Reads the members of a mapping, which is an object. */
static char *
read_members(EvRenames *renames, const Jsonb *mapping)
{
	JsonbIterator *iterator = JsonbIteratorInit((JsonbContainer *) &mapping->root);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	char	   *problem = NULL;
	int64		tokens = 0;

	while (problem == NULL && (token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		EvRename   *rename;

		if (token != WJB_KEY)
			continue;
		CHECK_FOR_INTERRUPTS();
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (value.type != jbvString)
			return psprintf("The new name of %s is not a string.", ev_string_show(key.val.string.val, key.val.string.len));
		rename = palloc(sizeof(EvRename));
		rename->old_pointer = pointer_of(&key);
		rename->new_pointer = pointer_of(&value);
		/* each becomes a node, and takes a hundred bytes */
		tokens += count_tokens(rename->old_pointer) + count_tokens(rename->new_pointer);
		if (tokens > EV_RENAMES_MOST_TOKENS)
			return psprintf("Its locations have more than %d names and array items.", EV_RENAMES_MOST_TOKENS);
		rename->old_path = tokens_of(rename->old_pointer);
		rename->new_path = tokens_of(rename->new_pointer);
		problem = add_rename(renames, rename);
	}
	return problem;
}

EvRenames *
ev_renames_read(const Jsonb *mapping, char **problem)
{
	EvRenames  *renames = palloc0(sizeof(EvRenames));
	ListCell   *cell;

	if (!JB_ROOT_IS_OBJECT(mapping))
		*problem = pstrdup("It is not an object.");
	else if (JB_ROOT_COUNT(mapping) == 0)
		*problem = pstrdup("It is empty.");
	else if (JB_ROOT_COUNT(mapping) > EV_RENAMES_MOST)
		*problem = psprintf("It has more than %d members.", EV_RENAMES_MOST);
	else
		*problem = read_members(renames, mapping);
	foreach(cell, *problem == NULL ? renames->all : NIL)
	{
		const EvRename *rename = lfirst(cell);

		if (!stays_in_object(renames, rename))
		{
			*problem = psprintf("%s and %s are in different objects.", ev_string_show(rename->old_pointer, strlen(rename->old_pointer)),
								ev_string_show(rename->new_pointer, strlen(rename->new_pointer)));
			break;
		}
	}
	if (*problem == NULL)
		*problem = check_names(&renames->root);
	return *problem == NULL ? renames : NULL;
}

EvRenames *
ev_renames_argument(const Jsonb *mapping)
{
	char	   *problem;
	EvRenames  *renames = ev_renames_read(mapping, &problem);

	if (renames == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid renames"),
				 errdetail_internal("%s", problem),
				 errhint("Write {\"old\": \"new\"} for properties of the event, and JSON Pointers for others: {\"/price/amt\": \"/price/amount\", \"/items/*/no\": \"/items/*/number\"}.")));
	return renames;
}

Jsonb *
ev_renames_inverse(const Jsonb *mapping)
{
	JsonbInState state = {0};
	JsonbIterator *iterator = JsonbIteratorInit((JsonbContainer *) &mapping->root);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	ev_push_jsonb(&state, WJB_BEGIN_OBJECT, NULL);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		ev_push_jsonb(&state, WJB_KEY, &value);
		ev_push_jsonb(&state, WJB_VALUE, &key);
	}
	ev_push_jsonb(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(state.result);
}

/* ---------- renaming ---------- */

/* Is anything in a container renamed? */
static bool
touches(const EvRenameNode *node, JsonbContainer *container)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	ListCell   *cell;

	check_stack_depth();
	if (JsonContainerIsObject(container))
	{
		foreach(cell, node->children)
		{
			const EvRenameNode *child = lfirst(cell);
			JsonbValue	value;

			if (getKeyJsonValueFromContainer(container, child->name.data, child->name.length, &value) == NULL)
				continue;
			if (child->new_name.data != NULL ||
				(value.type == jbvBinary && ev_rename_has_below(child) && touches(child, value.val.binary.data)))
				return true;
		}
		return false;
	}
	if (node->items == NULL || JsonContainerIsScalar(container))
		return false;
	iterator = JsonbIteratorInit(container);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_ELEM && item.type == jbvBinary && touches(node->items, item.val.binary.data))
			return true;
	}
	return false;
}

static bool
equal_values(JsonbValue *a, JsonbValue *b)
{
	return compareJsonbContainers(&JsonbValueToJsonb(a)->root, &JsonbValueToJsonb(b)->root) == 0;
}

/*
 * Is there a property with the new name of another one, so that only that one stays?
 * Raises an error if they differ.
 */
static bool
is_merged(const EvRenameNode *node, const EvRenameNode *child, JsonbContainer *object, JsonbValue *value)
{
	const EvRenameNode *namesake = ev_rename_child(node, &child->new_name);
	JsonbValue	other;

	if ((namesake != NULL && namesake->new_name.data != NULL) ||
		getKeyJsonValueFromContainer(object, child->new_name.data, child->new_name.length, &other) == NULL)
		return false;
	if (ev_rename_has_below(child) || !equal_values(value, &other))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_JSON_OBJECT_KEY_VALUE),
				 errmsg("property %s cannot be renamed, because there is a property %s with another value",
						ev_string_show(child->name.data, child->name.length),
						ev_string_show(child->new_name.data, child->new_name.length))));
	return true;
}

static void push_container(JsonbInState *state, const EvRenameNode *node, JsonbContainer *container);

static void
push_value(JsonbInState *state, JsonbIteratorToken token, const EvRenameNode *node, JsonbValue *value)
{
	if (value->type == jbvBinary && ev_rename_has_below(node))
		push_container(state, node, value->val.binary.data);
	else
		ev_push_jsonb(state, token, value);
}

static void
push_member(JsonbInState *state, const EvRenameNode *node, JsonbContainer *object, JsonbValue *key, JsonbValue *value)
{
	EvString	name = ev_string_of(key);
	const EvRenameNode *child = ev_rename_child(node, &name);

	if (child != NULL && child->new_name.data != NULL)
	{
		if (is_merged(node, child, object, value))
			return;
		key->val.string.val = unconstify(char *, child->new_name.data);
		key->val.string.len = child->new_name.length;
	}
	ev_push_jsonb(state, WJB_KEY, key);
	push_value(state, WJB_VALUE, child, value);
}

static void
push_container(JsonbInState *state, const EvRenameNode *node, JsonbContainer *container)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	check_stack_depth();
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
		{
			(void) JsonbIteratorNext(&iterator, &value, true);
			push_member(state, node, container, &key, &value);
		}
		else if (token == WJB_ELEM)
			push_value(state, token, node->items, &key);
		else
			ev_push_jsonb(state, token, NULL);
	}
}

Jsonb *
ev_renames_apply(const EvRenames *renames, Jsonb *document)
{
	JsonbInState state = {0};

	if (JB_ROOT_IS_SCALAR(document) || !touches(&renames->root, &document->root))
		return document;
	push_container(&state, &renames->root, &document->root);
	return JsonbValueToJsonb(state.result);
}

/* ---------- SQL ---------- */

/* The mapping of a call site. */
typedef struct RenameCall
{
	MemoryContext context;		/* for the two */
	Jsonb	   *mapping;
	EvRenames  *renames;		/* NULL: not read yet */
} RenameCall;

/*
 * event_rename(data jsonb, renames jsonb) returns jsonb
 */
Datum
ev_event_rename(PG_FUNCTION_ARGS)
{
	Jsonb	   *mapping = PG_GETARG_JSONB_P(1);
	RenameCall *site = fcinfo->flinfo->fn_extra;
	MemoryContext caller;

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(RenameCall));
		site->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "event_validate renames", ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = site;
	}
	if (site->renames == NULL || VARSIZE(site->mapping) != VARSIZE(mapping) ||
		memcmp(site->mapping, mapping, VARSIZE(mapping)) != 0)
	{
		site->renames = NULL;
		MemoryContextReset(site->context);
		caller = MemoryContextSwitchTo(site->context);
		site->mapping = palloc(VARSIZE(mapping));
		memcpy(site->mapping, mapping, VARSIZE(mapping));
		site->renames = ev_renames_argument(site->mapping);
		MemoryContextSwitchTo(caller);
	}
	PG_RETURN_JSONB_P(ev_renames_apply(site->renames, PG_GETARG_JSONB_P(0)));
}
