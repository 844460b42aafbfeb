/*
 * document.c
 *	  Function bodies: pragma lines and a JSON document.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/encoding.h"
#include "base/row_fault.h"
#include "base/shown_text.h"
#include "jsonb/jsonb_value.h"
#include "schema/accept_option.h"
#include "schema/document.h"
#include "schema/format_option.h"
#include "schema/json_text.h"
#include "schema/keywords.h"
#include "schema/renames.h"
#include "schema/uri.h"

/* U+FEFF in UTF-8.  Some editors write it at the start of a file. */
#define BYTE_ORDER_MARK	"\xEF\xBB\xBF"

/* ---------- positions in the text ---------- */

/* Sets the line and column of a fault.  The document has a text. */
static void
locate(const EvDocument *document, EvFault *fault, const char *at)
{
	EvTextPosition position = {.at = at};

	ev_text_positions(document->text, &position, 1);
	fault->line = position.line;
	fault->column = position.column;
}

void
ev_document_locate(const EvDocument *document, EvFault *fault)
{
	const char *at;

	if (document->text == NULL || fault->line != 0 || fault->location == NULL || fault->location[0] == '\0')
		return;
	at = ev_json_find(document->json, fault->location);
	if (at != NULL)
		locate(document, fault, at);
}

static int
compare_positions(const void *a, const void *b)
{
	const char *x = ((const EvTextPosition *) a)->at;
	const char *y = ((const EvTextPosition *) b)->at;

	return x < y ? -1 : x > y;
}

/* Finds a position among positions in the order of the text. */
static const EvTextPosition *
find_position(const EvTextPosition *positions, int count, const char *at)
{
	EvTextPosition key = {.at = at};

	return bsearch(&key, positions, count, sizeof(EvTextPosition), compare_positions);
}

List *
ev_document_repeated_keys(const EvDocument *document)
{
	List	   *repeated_keys = document->text != NULL ? ev_json_repeated_keys(document->json) : NIL;
	EvTextPosition *positions = palloc0(sizeof(EvTextPosition) * (2 * list_length(repeated_keys) + 1));
	int			count = 0;
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, repeated_keys)
	{
		EvRepeatedKey *repeated = lfirst(cell);

		positions[count++].at = repeated->first;
		positions[count++].at = repeated->second;
	}
	qsort(positions, count, sizeof(EvTextPosition), compare_positions);
	ev_text_positions(document->text, positions, count);

	foreach(cell, repeated_keys)
	{
		EvRepeatedKey *repeated = lfirst(cell);
		EvFault    *fault = palloc0(sizeof(EvFault));
		const EvTextPosition *first = find_position(positions, count, repeated->first);
		const EvTextPosition *second = find_position(positions, count, repeated->second);
		char	   *key = ev_string_show(repeated->key, strlen(repeated->key));

		CHECK_FOR_INTERRUPTS();
		fault->rule = EV_RULE_DUPLICATE_KEY;
		fault->line = second->line;
		fault->column = second->column;
		fault->location = repeated->location;
		fault->message = psprintf("the key %s occurs twice in an object, first at line %d, column %d",
								  key, first->line, first->column);
		pfree(key);
		result = lappend(result, fault);
	}
	return result;
}

/* ---------- parsing ---------- */

static const char event_type_pragma[] = "#event_type ";
static const char accept_pragma[] = "#accept ";
static const char renames_pragma[] = "#renames ";

/*
 * Returns the type that a pragma line names, or NULL if it is another line.
 * The type is the rest of the line, which can contain spaces.
 */
static char *
pragma_event_type(const char *line, int length)
{
	int			name_length = strlen(event_type_pragma);

	if (length > 0 && line[length - 1] == '\r')
		length--;
	if (length <= name_length || memcmp(line, event_type_pragma, name_length) != 0)
		return NULL;
	return pnstrdup(line + name_length, length - name_length);
}

char *
ev_document_event_type(const char *body)
{
	const char *p = ev_skip_space(body);

	while (*p == '#')
	{
		const char *end = strchr(p, '\n');
		char	   *type;

		if (end == NULL)
			return NULL;
		type = pragma_event_type(p, end - p);
		if (type != NULL)
			return type;
		p = ev_skip_space(end);
	}
	return NULL;
}

void
ev_document_append_pragmas(StringInfo body, const char *event_type, bool assert_format, EvFormatSet except_formats,
						   bool breaking, const List *accept, const Jsonb *renames)
{
	if (event_type != NULL)
		appendStringInfo(body, "%s%s\n", event_type_pragma, event_type);
	ev_format_pragma_append(body, assert_format, except_formats);
	if (breaking)
		appendStringInfoString(body, "#breaking\n");
	ev_accept_append_pragmas(body, accept);
	if (renames != NULL)
		appendStringInfo(body, "%s%s\n", renames_pragma,
						 JsonbToCString(NULL, (JsonbContainer *) &renames->root, VARSIZE(renames)));
}

/*
 * Text may not be JSON, and some JSON cannot be stored as jsonb: numbers beyond the
 * range of numeric.  jsonb_in only changes memory, so its error can be caught without a
 * subtransaction.  Returns NULL, with the error's message, for such text.
 */
static Jsonb *
read_jsonb(char *json, char **message)
{
	MemoryContext caller = CurrentMemoryContext;
	Jsonb	   *volatile result = NULL;

	PG_TRY();
	{
		result = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		if (!ev_is_row_fault(geterrcode(), EV_WORK_READ))
			PG_RE_THROW();
		error = CopyErrorData();
		FlushErrorState();
		*message = error->message;
	}
	PG_END_TRY();
	return result;
}

/*
 * Is this line, without its line end, one with renames?  Returns these, or NULL with a
 * sentence in *problem.
 */
static bool
pragma_renames(const char *line, int length, Jsonb **renames, char **problem)
{
	char	   *json;
	const char *at;

	if (length <= (int) strlen(renames_pragma) || strncmp(line, renames_pragma, strlen(renames_pragma)) != 0)
		return false;
	*renames = NULL;
	json = pnstrdup(line + strlen(renames_pragma), length - strlen(renames_pragma));
	*problem = ev_json_syntax_error(json, strlen(json), &at);
	if (*problem == NULL)
		*renames = read_jsonb(json, problem);
	if (*renames != NULL && ev_renames_read(*renames, problem) == NULL)
		*renames = NULL;
	return true;
}

Jsonb *
ev_document_renames(const char *body)
{
	const char *p = ev_skip_space(body);
	Jsonb	   *renames = NULL;
	char	   *problem;

	while (*p == '#')
	{
		int			length = strcspn(p, "\n");

		(void) pragma_renames(p, length, &renames, &problem);
		p = ev_skip_space(p + length);
	}
	return renames;
}

/* Parses one pragma line, without its line end. */
static bool
parse_pragma(const char *line, int length, EvDocument *document, EvFault *fault)
{
	char	   *text = pnstrdup(line, length);
	char	   *type = pragma_event_type(line, length);
	char	   *name;
	char	   *value;
	char	   *rest;

	if (type != NULL)
	{
		if (document->event_type != NULL && strcmp(document->event_type, type) != 0)
		{
			fault->message = "there are two pragma lines \"#event_type\"";
			return false;
		}
		document->event_type = type;
		return true;
	}
	if (length > (int) strlen(accept_pragma) && strncmp(line, accept_pragma, strlen(accept_pragma)) == 0)
	{
		name = ev_accept_parse(line + strlen(accept_pragma), length - strlen(accept_pragma));
		if (name != NULL)
		{
			document->accept = ev_accept_add(document->accept, name);
			if (list_length(document->accept) <= EV_ACCEPT_MOST)
				return true;
			fault->message = psprintf("there are more than %d pragma lines \"#accept\"", EV_ACCEPT_MOST);
			return false;
		}
	}
	if (pragma_renames(line, length, &document->renames, &value))
	{
		fault->detail = value;
		if (document->renames == NULL)
			fault->message = "invalid pragma line \"#renames\"";
		return document->renames != NULL;
	}
	name = strtok_r(text + 1, " \t\r", &rest);
	value = strtok_r(NULL, " \t\r", &rest);
	if (name != NULL && strcmp(name, "assert_format") == 0 && value != NULL && strcmp(value, "except") == 0)
	{
		document->assert_format = true;
		return ev_format_set_parse(&document->except_formats, rest != NULL ? rest : "", fault);
	}
	if (strtok_r(NULL, " \t\r", &rest) == NULL && name != NULL)
	{
		if (strcmp(name, "assert_format") == 0 && value != NULL &&
			(strcmp(value, "on") == 0 || strcmp(value, "off") == 0))
		{
			document->assert_format = strcmp(value, "on") == 0;
			document->except_formats = 0;
			return true;
		}
		if (strcmp(name, "breaking") == 0 && value == NULL)
		{
			document->breaking = true;
			return true;
		}
	}
	fault->message = psprintf("unrecognized pragma line \"%s\"", pnstrdup(line, length));
	fault->hint = "The pragma lines are \"#assert_format on\", \"#assert_format off\", \"#assert_format except FORMAT, ...\", \"#breaking\", \"#accept LOCATION RULE\", \"#renames JSON\" and \"#event_type TYPE\".";
	return false;
}

/*
 * Describes why jsonb_in rejects a document: a syntax error or, if there is none, the
 * message of jsonb_in, which is about a number.
 */
static void
describe_json_fault(char *json, const char *message, const EvDocument *document, EvFault *fault)
{
	const char *at;
	char	   *problem = ev_json_syntax_error(json, strlen(json), &at);

	fault->rule = EV_RULE_INVALID_JSON;
	fault->message = "the schema is not JSON that jsonb can hold";
	if (problem == NULL)
	{
		fault->detail = psprintf("In a number: %s.", message);
		at = ev_json_unfit_number(document->json);
		if (at != NULL)
			locate(document, fault, at);
		return;
	}
	fault->detail = problem;
	if (strncmp(json, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
	{
		fault->detail = "There is a byte order mark at the start.";
		fault->hint = "Write the text without a byte order mark (RFC 8259, section 8.1).";
		at = json;
	}
	locate(document, fault, document->json + (at - json));
}

bool
ev_document_parse(const char *body, EvDocument *document, EvFault *fault)
{
	const char *p = ev_skip_space(body);
	char	   *json;
	char	   *message;

	document->assert_format = true;
	document->except_formats = 0;
	document->breaking = false;
	document->accept = NIL;
	document->renames = NULL;
	document->event_type = NULL;
	document->text = body;
	while (*p == '#')
	{
		int			length = strcspn(p, "\n");

		if (!parse_pragma(p, length, document, fault))
		{
			fault->rule = EV_RULE_INVALID_JSON;
			locate(document, fault, p);
			return false;
		}
		p = ev_skip_space(p + length);
	}

	document->json = p;
	json = pstrdup(p);
	/* not checked before, since that would read each valid document twice */
	document->schema = read_jsonb(json, &message);
	if (document->schema == NULL)
		describe_json_fault(json, message, document, fault);
	pfree(json);
	return document->schema != NULL;
}

/* Texts of a document are cut at so many characters in an error, as they can be as long as the document. */
#define SHOWN_FAULT	2000

char *
ev_fault_message(const EvFault *fault, const char *what, char **detail)
{
	StringInfoData message;
	StringInfoData sentences;

	initStringInfo(&sentences);
	if (fault->detail != NULL)
		appendStringInfoString(&sentences, ev_visible_cut(fault->detail, SHOWN_FAULT));
	if (fault->line > 0)
		appendStringInfo(&sentences, "%sSee line %d, column %d of the text.",
						 sentences.len > 0 ? " " : "", fault->line, fault->column);
	*detail = sentences.len > 0 ? sentences.data : NULL;
	initStringInfo(&message);
	appendStringInfoString(&message, "invalid JSON Schema");
	if (what != NULL)
		appendStringInfo(&message, " \"%s\"", what);
	if (fault->location != NULL && fault->location[0] != '\0')
	{
		int			length = strlen(fault->location);
		int			shown = ev_text_clip(fault->location, length, SHOWN_FAULT);

		appendStringInfoString(&message, " at ");
		ev_append_quoted(&message, fault->location, shown);
		if (shown < length)
			appendStringInfoString(&message, "...");
	}
	appendStringInfo(&message, ": %s", ev_visible_cut(fault->message, SHOWN_FAULT));
	return message.data;
}

void
ev_fault_report(const EvFault *fault, const char *what)
{
	char	   *detail;
	char	   *message = ev_fault_message(fault, what, &detail);

	ereport(ERROR,
			(errcode(fault->sqlstate != 0 ? fault->sqlstate : ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg_internal("%s", message),
			 detail != NULL ? errdetail_internal("%s", detail) : 0,
			 fault->hint ? errhint("%s", ev_visible_cut(fault->hint, SHOWN_FAULT)) : 0));
	pg_unreachable();
}

/* ---------- annotations ---------- */

/* Is this a keyword that affects no answer, in any dialect? */
static bool
is_annotation(const char *name, int length)
{
	static const EvKeywordSymbol annotations[] = {
		EV_KW_COMMENT, EV_KW_TITLE, EV_KW_DESCRIPTION, EV_KW_DEFAULT,
		EV_KW_DEPRECATED, EV_KW_READ_ONLY, EV_KW_WRITE_ONLY, EV_KW_EXAMPLES,
	};

	for (int i = 0; i < (int) lengthof(annotations); i++)
	{
		const char *keyword = ev_keywords[annotations[i]].name;

		if (strlen(keyword) == (size_t) length && memcmp(keyword, name, length) == 0)
			return true;
	}
	return false;
}

/*
 * Returns the shape of a keyword's value; the name has one shape in all
 * dialects.
 */
static EvShape
shape_of(const char *name, int length)
{
	EvShape		shape = EV_ANY_VALUE;

	for (int draft = 0; draft < EV_DRAFT_COUNT; draft++)
	{
		int			keyword = ev_keyword_find(name, length, draft);

		if (keyword >= 0 && ev_keywords[keyword].shape > shape)
			shape = ev_keywords[keyword].shape;
	}
	return shape;
}

/*
 * Does a JSON Pointer, the fragment of a reference, pass through an annotation
 * ("/examples/0")?  "/$defs/title" does not, since "title" is a name there.
 */
static bool
is_pointer_to_annotation(const char *pointer)
{
	bool		is_name = false;
	const char *p = pointer;

	if (strchr(pointer, '%') != NULL)
		return true;			/* assume it */
	while (*p == '/')
	{
		int			length = strcspn(++p, "/");

		if (is_name)
			is_name = false;
		else if (is_annotation(p, length))
			return true;
		else
		{
			EvShape		shape = shape_of(p, length);

			is_name = shape == EV_SCHEMA_MAP || shape == EV_PATTERN_SCHEMA_MAP ||
				shape == EV_DEPENDENCIES;
		}
		p += length;
	}
	return false;
}

/*
 * Does a reference anywhere in the document pass through a keyword that is an
 * annotation?  Such a keyword is more than an annotation.
 */
static bool
refers_to_annotation(JsonbContainer *container)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		is_reference = false;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			is_reference = value.val.string.len >= 4 &&
				(memcmp(value.val.string.val + value.val.string.len - 3, "Ref", 3) == 0 ||
				 (value.val.string.len == 4 && memcmp(value.val.string.val, "$ref", 4) == 0));
		if (token == WJB_VALUE && is_reference && value.type == jbvString)
		{
			char	   *reference = pnstrdup(value.val.string.val, value.val.string.len);
			char	   *fragment = strchr(reference, '#');

			if (fragment != NULL && is_pointer_to_annotation(fragment + 1))
				return true;
			pfree(reference);
		}
	}
	return false;
}

bool
ev_document_refers_to_annotation(const EvDocument *document)
{
	return !JB_ROOT_IS_SCALAR(document->schema) && refers_to_annotation(&document->schema->root);
}

/* Are two values equal as jsonb? */
static bool
same_value(JsonbValue *a, JsonbValue *b)
{
	if (a->type == jbvBinary && b->type == jbvBinary)
		return compareJsonbContainers(a->val.binary.data, b->val.binary.data) == 0;
	if (a->type != b->type)
		return false;
	return compareJsonbContainers(&JsonbValueToJsonb(a)->root, &JsonbValueToJsonb(b)->root) == 0;
}

static bool same_schema(JsonbValue *a, JsonbValue *b);

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
same_schemas(JsonbValue *a, JsonbValue *b)
{
	JsonbContainer *x = a->val.binary.data;
	JsonbContainer *y = b->val.binary.data;

	if (JsonContainerSize(x) != JsonContainerSize(y))
		return false;
	for (uint32 i = 0; i < JsonContainerSize(x); i++)
		if (!same_schema(getIthJsonbValueFromContainer(x, i),
						 getIthJsonbValueFromContainer(y, i)))
			return false;
	return true;
}

/*
 * Reads the next member of an object, optionally without annotations; false at
 * the end.
 */
static bool
next_member(JsonbIterator **iterator, bool annotations_count,
			JsonbValue *key, JsonbValue *value)
{
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(iterator, key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(iterator, value, true);
		if (annotations_count || !is_annotation(key->val.string.val, key->val.string.len))
			return true;
	}
	return false;
}

/*
 * Compares two objects member by member, as schemas or as maps from names to
 * schemas.  Both are in the key order of jsonb.
 */
static bool
same_members(JsonbValue *a, JsonbValue *b, bool is_map)
{
	JsonbIterator *x = JsonbIteratorInit(a->val.binary.data);
	JsonbIterator *y = JsonbIteratorInit(b->val.binary.data);

	for (;;)
	{
		JsonbValue	key_a,
					key_b,
					value_a,
					value_b;
		bool		more = next_member(&x, is_map, &key_a, &value_a);
		EvShape		shape;

		if (next_member(&y, is_map, &key_b, &value_b) != more)
			return false;
		if (!more)
			return true;
		if (key_a.val.string.len != key_b.val.string.len ||
			memcmp(key_a.val.string.val, key_b.val.string.val, key_a.val.string.len) != 0)
			return false;

		shape = is_map ? EV_SCHEMA : shape_of(key_a.val.string.val, key_a.val.string.len);
		if (shape == EV_SCHEMA || shape == EV_SCHEMA_OR_SCHEMAS || shape == EV_SCHEMAS)
		{
			if (is_array(&value_a) && is_array(&value_b))
			{
				if (!same_schemas(&value_a, &value_b))
					return false;
			}
			else if (!same_schema(&value_a, &value_b))
				return false;
		}
		else if ((shape == EV_SCHEMA_MAP || shape == EV_PATTERN_SCHEMA_MAP ||
				  shape == EV_DEPENDENCIES) && is_object(&value_a) && is_object(&value_b))
		{
			if (!same_members(&value_a, &value_b, true))
				return false;
		}
		else if (!same_value(&value_a, &value_b))
			return false;
	}
}

static bool
same_schema(JsonbValue *a, JsonbValue *b)
{
	check_stack_depth();
	if (is_object(a) && is_object(b))
		return same_members(a, b, false);
	return same_value(a, b);
}

bool
ev_document_same_answers(const EvDocument *a, const EvDocument *b)
{
	JsonbValue	x = {.type = jbvBinary};
	JsonbValue	y = {.type = jbvBinary};

	if (a->assert_format != b->assert_format || a->except_formats != b->except_formats)
		return false;
	if (compareJsonbContainers(&a->schema->root, &b->schema->root) == 0)
		return true;
	if (JB_ROOT_IS_SCALAR(a->schema) || JB_ROOT_IS_SCALAR(b->schema) ||
		ev_document_refers_to_annotation(a) || ev_document_refers_to_annotation(b))
		return false;

	x.val.binary.data = &a->schema->root;
	x.val.binary.len = VARSIZE(a->schema) - VARHDRSZ;
	y.val.binary.data = &b->schema->root;
	y.val.binary.len = VARSIZE(b->schema) - VARHDRSZ;
	return same_schema(&x, &y);
}

bool
ev_document_same_renames(const EvDocument *a, const EvDocument *b)
{
	if (a->renames == NULL || b->renames == NULL)
		return a->renames == b->renames;
	return compareJsonbContainers(&a->renames->root, &b->renames->root) == 0;
}

bool
ev_document_same_options(const EvDocument *a, const EvDocument *b)
{
	ListCell   *cell;

	if (a->assert_format != b->assert_format || a->except_formats != b->except_formats ||
		a->breaking != b->breaking || list_length(a->accept) != list_length(b->accept) ||
		!ev_document_same_renames(a, b))
		return false;
	foreach(cell, a->accept)
	{
		CHECK_FOR_INTERRUPTS();
		if (!ev_accept_has(b->accept, lfirst(cell)))
			return false;
	}
	return true;
}

bool
ev_document_is_deprecated(const EvDocument *document)
{
	JsonbValue	value;

	return JB_ROOT_IS_OBJECT(document->schema) &&
		getKeyJsonValueFromContainer(&document->schema->root, "deprecated", strlen("deprecated"),
									 &value) != NULL &&
		value.type == jbvBool && value.val.boolean;
}

List *
ev_document_ids(const EvDocument *document)
{
	static const char *const keywords[] = {"$id", "id"};
	List	   *result = NIL;

	if (!JB_ROOT_IS_OBJECT(document->schema))
		return NIL;
	for (int i = 0; i < (int) lengthof(keywords); i++)
	{
		JsonbValue	id;
		char	   *fragment;
		char	   *uri;

		if (getKeyJsonValueFromContainer(&document->schema->root, keywords[i],
										 strlen(keywords[i]), &id) == NULL ||
			id.type != jbvString)
			continue;
		uri = ev_uri_resolve(document->uri, pnstrdup(id.val.string.val, id.val.string.len),
							 &fragment);
		if (uri[0] != '\0' && strcmp(uri, document->uri) != 0)
			result = lappend(result, uri);
	}
	return result;
}
