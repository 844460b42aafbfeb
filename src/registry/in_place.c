/*
 * in_place.c
 *	  Schemas that a caller passes as an argument, compiled once a call site.
 *
 * A constant has one address as long as its expression exists, and so has the
 * call site.  So a constant schema is recognized by its address.  All other
 * schemas are compared byte by byte: a parameter or a variable can have another
 * value in each call, at an address that was used before.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/event_log.h"
#include "base/shown_text.h"
#include "compile/metaschema_check.h"
#include "registry/in_place.h"
#include "schema/format_option.h"
#include "schema/keywords.h"

/* Is this the value of a constant in the call's expression? */
static bool
is_constant(const FmgrInfo *function, Datum schema)
{
	Node	   *expression = function->fn_expr;
	Node	   *argument;

	if (expression == NULL || !IsA(expression, FuncExpr) || castNode(FuncExpr, expression)->args == NIL)
		return false;
	argument = linitial(castNode(FuncExpr, expression)->args);
	return IsA(argument, Const) && !castNode(Const, argument)->constisnull &&
		castNode(Const, argument)->constvalue == schema;
}

static void
read_schema(Datum schema, bool is_text, EvDocument *document)
{
	if (is_text)
		document->schema = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(TextDatumGetCString(schema))));
	else
		document->schema = DatumGetJsonbP(schema);
}

bool
ev_in_place_is_valid(Datum schema, bool is_text)
{
	EvDocument	document = {.uri = "",.assert_format = true};
	EvFault		fault = {0};

	read_schema(schema, is_text, &document);
	return ev_compile_checked(&document, ev_registry_resolve, &fault, NULL, NULL) != NULL;
}

/*
 * Returns the first key of an object that has keys, but none of them is a
 * keyword in any dialect or an extension by convention ("x-..."); NULL otherwise.
 * The key is as messages show it.
 */
static char *
key_without_keywords(const Jsonb *schema)
{
	JsonbIterator *iterator = JsonbIteratorInit((JsonbContainer *) &schema->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *first = NULL;

	if (JsonbIteratorNext(&iterator, &value, true) != WJB_BEGIN_OBJECT)
		return NULL;
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		const char *key = value.val.string.val;
		int			length = value.val.string.len;

		CHECK_FOR_INTERRUPTS();
		if (token != WJB_KEY)
			continue;
		if (length >= 2 && memcmp(key, "x-", 2) == 0)
			return NULL;
		for (int draft = 0; draft < EV_DRAFT_COUNT; draft++)
			if (ev_keyword_find(key, length, draft) >= 0)
				return NULL;
		if (first == NULL)
			first = ev_string_show(key, length);
	}
	return first;
}

/* Every instance matches such a schema: it was probably meant as the instance. */
static bool
warn_of_no_keyword(const Jsonb *schema)
{
	char	   *key = key_without_keywords(schema);

	if (key == NULL)
		return false;
	ereport(WARNING,
			(errmsg("the schema has no keyword of JSON Schema, so every instance matches it"),
			 ev_quote_values ? errdetail("Its first key is %s.", key) : 0,
			 errhint("The schema is the first argument, and the instance is the second one.")));
	return true;
}

static bool
same_bytes(const struct varlena *a, const struct varlena *b)
{
	return a == b || (a != NULL && b != NULL && VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0);
}

static struct varlena *
copy_bytes(const struct varlena *value)
{
	return value == NULL ? NULL : memcpy(palloc(VARSIZE(value)), value, VARSIZE(value));
}

static bool
is_kept(const EvInPlace *kept, const EvInPlaceSchema *schema, const struct varlena *given)
{
	return kept->program != NULL && kept->assert_format == schema->assert_format &&
		same_bytes(kept->schema, given) && same_bytes(kept->except_formats, schema->except_formats) &&
		(!kept->has_references || kept->generation == ev_registry_generation());
}

/* Compiles a schema for a call site.  The given bytes are those of the argument, not toasted. */
static void
compile(EvInPlace *kept, FmgrInfo *function, const EvInPlaceSchema *schema, const struct varlena *given, EvFault *fault)
{
	EvDocument	document = {.uri = "",.assert_format = schema->assert_format};
	List	   *references = NIL;
	MemoryContext caller;

	kept->program = NULL;
	kept->constant = NULL;
	MemoryContextReset(kept->context);
	caller = MemoryContextSwitchTo(kept->context);
	if (schema->except_formats != NULL)
		document.except_formats = ev_format_set_argument(PointerGetDatum(schema->except_formats), schema->assert_format);
	kept->schema = copy_bytes(given);
	kept->except_formats = copy_bytes(schema->except_formats);
	kept->assert_format = schema->assert_format;
	kept->generation = ev_registry_generation();
	read_schema(PointerGetDatum(kept->schema), schema->is_text, &document);
	kept->program = ev_compile_checked(&document, ev_registry_resolve, fault, &references, NULL);
	kept->has_references = references != NIL;
	if (kept->program != NULL && !kept->has_references && kept->except_formats == NULL &&
		is_constant(function, schema->schema))
		kept->constant = DatumGetPointer(schema->schema);
	MemoryContextSwitchTo(caller);
	if (kept->program != NULL && !kept->has_warned)
		kept->has_warned = warn_of_no_keyword(document.schema);
}

EvProgram *
ev_in_place_find(FmgrInfo *function, const EvInPlaceSchema *schema, EvFault *fault)
{
	EvInPlace  *kept = function->fn_extra;
	struct varlena *given = PG_DETOAST_DATUM(schema->schema);

	if (kept == NULL)
	{
		kept = MemoryContextAllocZero(function->fn_mcxt, sizeof(EvInPlace));
		kept->context = AllocSetContextCreate(function->fn_mcxt, "event_validate program",
											  ALLOCSET_SMALL_SIZES);
		function->fn_extra = kept;
	}
	if (!is_kept(kept, schema, given))
		compile(kept, function, schema, given, fault);
	if ((Pointer) given != DatumGetPointer(schema->schema))
		pfree(given);
	return kept->program;
}

/*
 * Adds the order of the arguments to a fault of the document as such, or of one of
 * its members: it may be an instance, such as {"type": "order", "items": [1, 2]}.
 * No instance has members like $ref.
 */
static void
advise_of_order(EvFault *fault)
{
	static const char order[] = "The schema is the first argument, and the instance is the second one.";

	if (fault->location == NULL ||
		(fault->location[0] != '\0' && (fault->location[1] == '$' || strchr(fault->location + 1, '/') != NULL)))
		return;
	fault->hint = fault->hint == NULL ? pstrdup(order) : psprintf("%s %s", fault->hint, order);
}

EvProgram *
ev_in_place_require(FmgrInfo *function, const EvInPlaceSchema *schema)
{
	EvFault		fault = {0};
	EvProgram  *program = ev_in_place_find(function, schema, &fault);

	if (program == NULL)
	{
		advise_of_order(&fault);
		ev_fault_report(&fault, NULL);
	}
	return program;
}
