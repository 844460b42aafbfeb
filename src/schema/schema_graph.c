/*
 * schema_graph.c
 *	  The tables of a compiler, its locations and faults, and small helpers over
 *	  the nodes of a document.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "base/encoding.h"
#include "base/json_pointer.h"
#include "base/message_text.h"
#include "schema/schema_graph.h"

/* The maximum number of characters of a name in a message. */
#define SHOWN_NAME	256

#define MOST_COMPILER_MEMORY	(1024 * 1024 * 1024)	/* of one compilation;
														 * large real schemas
														 * take some 50 times
														 * their size */

/* ---------- names and subschemas ---------- */

/*
 * A hash table maps a name in a scope to an object: the URI of an EvResource
 * (scope: the compiler), the name of an EvSchemaAnchor, the first of that name
 * (scope: its EvResource), the source of an EvPattern (scope: pattern_scope), or
 * the name of a List of dynamic anchors (scope: dynamic_scope).
 */
typedef struct NameKey
{
	const void *scope;
	const char *name;
} NameKey;

typedef struct NameEntry
{
	NameKey		key;			/* must be first */
	void	   *value;
} NameEntry;

static uint32
hash_name(const void *key, Size size pg_attribute_unused())
{
	const NameKey *k = key;

	return DatumGetUInt32(hash_any((const unsigned char *) k->name, strlen(k->name))) ^
		DatumGetUInt32(hash_any((const unsigned char *) &k->scope, sizeof(k->scope)));
}

static int
match_names(const void *a, const void *b, Size size pg_attribute_unused())
{
	const NameKey *x = a;
	const NameKey *y = b;

	return x->scope == y->scope ? strcmp(x->name, y->name) : 1;
}

/* How many looks at the memory there are for each one at the contexts below. */
#define LOOKS_BELOW		256

/*
 * The memory of a compiler, without that of patterns, which have a budget.  The contexts
 * below can be as many as the document has patterns.
 */
static Size
memory_of(const EvCompiler *c, bool with_those_below)
{
	Size		size = MemoryContextMemAllocated(c->work_context, with_those_below);

	return c->program_context == c->work_context ? size : size + MemoryContextMemAllocated(c->program_context, false);
}

void
ev_compiler_look(EvCompiler *c)
{
	CHECK_FOR_INTERRUPTS();
	if (memory_of(c, c->looks++ % LOOKS_BELOW == 0) > c->memory_before + MOST_COMPILER_MEMORY)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("schema is too complex"),
				 errdetail("Reading it takes more than %d MB of memory, with the documents that it refers to.",
						   MOST_COMPILER_MEMORY / (1024 * 1024)),
				 errhint("Have fewer subschemas in one document, shorter URIs in \"$id\", or shorter texts.")));
}

void
ev_compiler_init(EvCompiler *c, MemoryContext program_context)
{
	HASHCTL		control = {.keysize = sizeof(JsonbContainer *), .entrysize = sizeof(EvSubschema)};
	HASHCTL		names = {.keysize = sizeof(NameKey), .entrysize = sizeof(NameEntry),
	.hash = hash_name, .match = match_names};

	names.hcxt = CurrentMemoryContext;
	c->names = hash_create("event_validate names", 64, &names,
						   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	control.hcxt = CurrentMemoryContext;
	c->program_context = program_context;
	c->work_context = CurrentMemoryContext;
	c->looks = 0;
	c->memory_before = memory_of(c, true);
	c->pattern_budget = (EvPatternBudget) EV_PATTERN_BUDGET;
	c->subschemas = hash_create("event_validate subschemas", 64, &control,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

void *
ev_find_name(EvCompiler *c, const void *scope, const char *name)
{
	NameKey		key = {scope, name};
	NameEntry  *entry = hash_search(c->names, &key, HASH_FIND, NULL);

	return entry != NULL ? entry->value : NULL;
}

/* Adds a name that is not in the table yet. */
void
ev_add_name(EvCompiler *c, const void *scope, const char *name, void *value)
{
	NameKey		key = {scope, pstrdup(name)};
	NameEntry  *entry = hash_search(c->names, &key, HASH_ENTER, NULL);

	entry->value = value;
}

EvSubschema *
ev_subschema_find(EvCompiler *c, const JsonbValue *node)
{
	const JsonbContainer *container;

	if (!ev_node_is_object(node))
		return NULL;
	container = node->val.binary.data;
	return hash_search(c->subschemas, &container, HASH_FIND, NULL);
}

/* ---------- nodes ---------- */

bool
ev_node_is_object(const JsonbValue *node)
{
	return node->type == jbvBinary && JsonContainerIsObject(node->val.binary.data);
}

bool
ev_node_is_array(const JsonbValue *node)
{
	return node->type == jbvBinary && JsonContainerIsArray(node->val.binary.data);
}

bool
ev_node_follow(JsonbValue *node, const char *token, int length)
{
	JsonbValue	child;
	JsonbValue *item;

	if (ev_node_is_object(node))
	{
		if (getKeyJsonValueFromContainer(node->val.binary.data, token, length, &child) == NULL)
			return false;
		*node = child;
		return true;
	}
	if (!ev_node_is_array(node) || length == 0 || length > 9 || strspn(token, "0123456789") != (size_t) length ||
		(token[0] == '0' && length > 1))
		return false;
	item = getIthJsonbValueFromContainer(node->val.binary.data, atoi(token));
	if (item == NULL)
		return false;
	*node = *item;
	pfree(item);
	return true;
}

const char *
ev_node_type_name(const JsonbValue *node)
{
	switch (node->type)
	{
		case jbvNull:
			return "null";
		case jbvBool:
			return "a boolean";
		case jbvNumeric:
			return "a number";
		case jbvString:
			return "a string";
		default:
			return ev_node_is_array(node) ? "an array" : "an object";
	}
}

char *
ev_node_string(const JsonbValue *node)
{
	return pnstrdup(node->val.string.val, node->val.string.len);
}

char *
ev_name_show(const char *name, int length)
{
	StringInfoData result;
	int			shown = ev_text_clip(name, length, SHOWN_NAME);

	initStringInfo(&result);
	escape_json(&result, pnstrdup(name, shown));
	if (shown < length)
		appendStringInfoString(&result, "...");
	return result.data;
}

bool
ev_get_string(const JsonbContainer *container, const char *name, char **string)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer((JsonbContainer *) container, name, strlen(name), &value) == NULL ||
		value.type != jbvString)
		return false;
	*string = ev_node_string(&value);
	return true;
}

/* ---------- locations ---------- */

/* The name is escaped (RFC 6901, section 3). */
char *
ev_tail_name(const char *keyword, const char *name, int length)
{
	StringInfoData tail;
	char	   *result;

	initStringInfo(&tail);
	appendStringInfo(&tail, "/%s/", keyword);
	ev_pointer_append_key(&tail, name, length);

	/* there may be many tails, so each takes no more memory than it needs */
	result = pnstrdup(tail.data, tail.len);
	pfree(tail.data);
	return result;
}

char *
ev_tail_index(const char *keyword, uint32 index)
{
	return psprintf("/%s/%u", keyword, index);
}

EvLocation *
ev_location_make(EvCompiler *c, const EvLocation *parent, const char *keyword, const char *tail)
{
	EvLocation *location = MemoryContextAllocZero(c->program_context, sizeof(EvLocation));

	location->parent = parent;
	location->keyword = keyword;
	location->tail = MemoryContextStrdup(c->program_context, tail);
	return location;
}

/* ---------- faults and warnings ---------- */

static void
add_fault(EvCompiler *c, EvRule rule, const EvLocation *location, const char *tail, char *message)
{
	if (c->fault->message != NULL)
		c->fault = palloc0(sizeof(EvFault));
	c->fault->rule = rule;
	c->fault->message = message;
	c->fault->other = c->cause;
	c->fault->location = psprintf("%s%s", location ? ev_location_pointer(location, false) : "", tail);
	if (c->faults != NULL)
		*c->faults = lappend(*c->faults, c->fault);
}

bool
ev_compile_stops(const EvCompiler *c)
{
	return c->fault->message != NULL && c->faults == NULL;
}

static void fault_in_words(EvCompiler *c, EvRule rule, const EvLocation *location, const char *tail,
						   const char *format, va_list args) pg_attribute_printf(5, 0);

static void
fault_in_words(EvCompiler *c, EvRule rule, const EvLocation *location, const char *tail,
			   const char *format, va_list args)
{
	StringInfoData message;

	if (ev_compile_stops(c))
		return;
	initStringInfo(&message);
	ev_append_message(&message, format, args);
	add_fault(c, rule, location, tail, message.data);
}

bool
ev_compile_fault(EvCompiler *c, const EvLocation *location, const char *tail, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	fault_in_words(c, EV_RULE_INVALID_VALUE, location, tail, format, args);
	va_end(args);
	return false;
}

bool
ev_compile_fault_of(EvCompiler *c, EvRule rule, const EvLocation *location, const char *tail,
					const char *format,...)
{
	va_list		args;

	va_start(args, format);
	fault_in_words(c, rule, location, tail, format, args);
	va_end(args);
	return false;
}

void
ev_compile_warn(EvCompiler *c, EvRule rule, const EvLocation *location, const char *tail, char *message)
{
	EvWarning  *warning = palloc(sizeof(EvWarning));

	warning->rule = rule;
	warning->at = location;
	warning->tail = pstrdup(tail);
	warning->message = message;
	*c->warnings = lappend(*c->warnings, warning);
}
