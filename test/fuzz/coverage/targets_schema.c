/*
 * targets_schema.c
 *	  The compiler, the matcher and the comparison of schemas, without SQL.
 *
 * References lead to a few documents of this file, so that no input reads the
 * catalogue.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "changes/changes.h"
#include "compile/metaschema_check.h"
#include "fuzz.h"
#include "match/interpret.h"
#include "match/report.h"
#include "program/program_text.h"
#include "registration/schema_warnings.h"

#define BASE_URI	"http://example.com/fuzz"

/* The work of one comparison: a hundredth of what users get. */
#define COMPARISON_WORK	(EV_COMPARISON_WORK / 100)

/* The most values of two schemas that are tried as instances. */
#define MAX_VALUES		60

static const struct
{
	const char *uri;
	const char *schema;
}			known[] = {
	{"http://example.com/other", "{\"$id\":\"http://example.com/other\",\"$defs\":{\"a\":{\"$anchor\":\"a\",\"type\":\"string\",\"maxLength\":3}},\"type\":[\"integer\",\"object\"],\"properties\":{\"a\":{\"$ref\":\"#a\"}}}"},
	{"http://example.com/tree", "{\"$id\":\"http://example.com/tree\",\"$dynamicAnchor\":\"node\",\"properties\":{\"a\":true,\"b\":{\"items\":{\"$dynamicRef\":\"#node\"}}}}"},
	{"http://example.com/back", "{\"anyOf\":[{\"$ref\":\"" BASE_URI "\"},{\"$ref\":\"http://example.com/tree\"}],\"unevaluatedProperties\":false}"},
	{"http://example.com/old", "{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"id\":\"http://example.com/old\",\"definitions\":{\"a\":{\"id\":\"#a\",\"minimum\":1,\"exclusiveMinimum\":true}},\"$ref\":\"#a\"}"},
	{"event:other@1", "{\"required\":[\"a\"],\"unevaluatedProperties\":{\"type\":\"number\"}}"}
};

static Jsonb *
jsonb_of(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

static bool
resolve(const char *uri, EvDocument *document)
{
	for (int i = 0; i < (int) lengthof(known); i++)
		if (strcmp(known[i].uri, uri) == 0)
		{
			*document = (EvDocument)
			{
				.uri = pstrdup(uri), .schema = jsonb_of(known[i].schema), .assert_format = true
			};
			return true;
		}
	return false;
}

/* ---------- the matcher ---------- */

static void
count_violation(EvCollector *collector, const EvViolation *violation)
{
	if (violation->message == NULL || violation->message[0] == '\0')
		ev_fuzz_fail("a violation without a message, by %s", violation->keyword);
	/* the locations are read to their ends */
	collector->limit += strlen(violation->instance_location) > 1000000 || strlen(violation->keyword_location) > 1000000;
}

/* All ways to match must agree; `annotated` is NULL, or the program for reports. */
static bool
match(const EvProgram *program, const EvProgram *annotated, const Jsonb *instance)
{
	static const char *const formats[] = {"flag", "basic", "detailed", "list", "hierarchical"};
	EvCollector collector = {.add = count_violation, .limit = 20, .wants_facts = true};
	bool		answer = ev_match(program, instance);

	if (ev_match_collect(program, instance, &collector) != answer || (collector.count == 0) != answer)
		ev_fuzz_fail("the fast matcher says %d, the interpreter finds %d violations", answer, (int) collector.count);
	if (ev_match(program, instance) != answer)
		ev_fuzz_fail("at first %d, then %d", answer, !answer);
	for (int i = 0; annotated != NULL && i < (int) lengthof(formats); i++)
	{
		Jsonb	   *report = ev_report(annotated, instance, formats[i]);
		JsonbValue	valid;

		if (getKeyJsonValueFromContainer(&report->root, "valid", 5, &valid) == NULL || valid.type != jbvBool ||
			valid.val.boolean != answer)
			ev_fuzz_fail("the fast matcher says %d, the report \"%s\" does not", answer, formats[i]);
	}
	return answer;
}

static void
run_match(const EvFuzzPart *parts)
{
	EvDocument	document = {.uri = BASE_URI, .schema = ev_fuzz_jsonb(&parts[0]), .assert_format = true};
	EvFault		fault = {0};
	Jsonb	   *instance = ev_fuzz_jsonb(&parts[1]);
	EvProgram  *program = ev_compile_checked(&document, resolve, &fault, NULL, NULL);
	bool		answer;

	if (program == NULL)
		return;
	answer = match(program, ev_compile_annotated(&document, resolve, &fault), ev_fuzz_exact(instance));
	if (ev_fuzz_planted != NULL && strcmp(ev_fuzz_planted, "answer") == 0 &&
		JB_ROOT_IS_ARRAY(instance) && JB_ROOT_COUNT(instance) == 3 && answer != ev_match(program, jsonb_of("[]")))
		ev_fuzz_fail("planted: another answer for an empty array");
}

const EvFuzzTarget ev_fuzz_match = {"match", EV_FUZZ_JSON, false, true, 2, run_match};

/* ---------- the compiler ---------- */

static void
count_line(const char *line, void *arg)
{
	*(Size *) arg += strlen(line);
}

/* What registration and lint read from a document besides its program. */
static void
read_document(const EvDocument *document)
{
	EvMentions	mentions = ev_document_mentions(document);
	List	   *references = ev_document_references(document);

	if (list_length(references) != list_length(mentions.references))
		ev_fuzz_fail("%d references, and %d that are mentioned", list_length(references), list_length(mentions.references));
	(void) ev_document_ids(document);
	(void) ev_document_is_deprecated(document);
	(void) ev_document_refers_to_annotation(document);
	(void) ev_document_repeated_keys(document);
	if (!ev_document_same_answers(document, document) || !ev_document_same_options(document, document) ||
		!ev_document_same_renames(document, document))
		ev_fuzz_fail("the document differs from itself");
}

static void
require_message(const EvDocument *document, EvFault *fault)
{
	char	   *detail;

	if (fault->message == NULL || fault->message[0] == '\0')
		ev_fuzz_fail("a fault without a message");
	ev_document_locate(document, fault);
	(void) ev_fault_message(fault, "schema", &detail);
}

static void
run_schema(const EvFuzzPart *parts)
{
	static const char *const instances[] = {
		"null", "0", "1.5", "-1e30", "\"\"", "\"abc\"", "[]", "[1,\"a\",[2,3],{}]", "{}", "{\"a\":1}", "{\"a\":{\"b\":[1]},\"b\":\"x\",\"\":null}"
	};
	EvDocument	document = {.uri = BASE_URI, .assert_format = true, .is_new = true};
	EvFault		fault = {0};
	List	   *faults;
	List	   *warnings;
	ListCell   *cell;
	EvProgram  *program;
	EvProgram  *annotated;
	Size		size = 0;

	if (!ev_document_parse(ev_fuzz_string(&parts[0]), &document, &fault))
	{
		require_message(&document, &fault);
		return;
	}
	read_document(&document);
	faults = ev_document_faults(&document, resolve, false, &warnings);
	foreach(cell, faults)
		require_message(&document, lfirst(cell));
	program = ev_compile_checked(&document, resolve, &fault, NULL, &warnings);
	if ((program != NULL) != (faults == NIL))
		ev_fuzz_fail("it compiles: %d, but it has %d faults: %s", program != NULL, list_length(faults),
					 faults == NIL ? fault.message : ((EvFault *) linitial(faults))->message);
	if (program == NULL)
	{
		require_message(&document, &fault);
		return;
	}
	(void) ev_schema_has_warnings(warnings);
	foreach(cell, warnings)
		(void) ev_location_pointer(((EvWarning *) lfirst(cell))->at, false);
	ev_program_text(program, ev_match_function_name(program), count_line, &size);
	annotated = ev_compile_annotated(&document, resolve, &fault);
	if (annotated == NULL)
		ev_fuzz_fail("it does not compile with annotations: %s", fault.message);
	for (int i = 0; i < (int) lengthof(instances); i++)
		match(program, annotated, ev_fuzz_exact(jsonb_of(instances[i])));
	match(program, annotated, ev_fuzz_exact(document.schema));
}

const EvFuzzTarget ev_fuzz_schema = {"schema", EV_FUZZ_JSON, false, true, 1, run_schema};

/* ---------- the comparison ---------- */

typedef struct Values
{
	Jsonb	   *values[MAX_VALUES];
	int			count;
} Values;

static void
add_value(Values *values, Jsonb *value)
{
	if (values->count < MAX_VALUES)
		values->values[values->count++] = value;
}

/* A value alone and in an array, and the object that has it under its key. */
static void
add_forms(Values *values, const JsonbValue *key, JsonbValue *value)
{
	JsonbParseState *state = NULL;
	JsonbValue *whole;

	add_value(values, JsonbValueToJsonb(value));
	if (key == NULL)
		return;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	pushJsonbValue(&state, WJB_KEY, (JsonbValue *) key);
	pushJsonbValue(&state, WJB_VALUE, value);
	whole = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	add_value(values, JsonbValueToJsonb(whole));
}

/* The values in a schema: those of const, enum, bounds and examples are among them. */
static void
gather(Values *values, const JsonbContainer *container, const JsonbValue *above)
{
	JsonbIterator *iterator = JsonbIteratorInit((JsonbContainer *) container);
	JsonbIteratorToken token;
	JsonbValue	value;
	JsonbValue	key;

	check_stack_depth();
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE && values->count < MAX_VALUES)
	{
		if (token == WJB_KEY)
		{
			key = value;
			/* the first key is a property's, if it is below "properties" */
			continue;
		}
		if (token != WJB_VALUE && token != WJB_ELEM)
			continue;
		add_forms(values, above, &value);
		if (value.type == jbvBinary)
			gather(values, value.val.binary.data, token == WJB_VALUE ? &key : above);
	}
}

typedef struct Side
{
	EvDocument	document;
	EvProgram  *program;
} Side;

static bool
compile_side(Side *side, const EvFuzzPart *part)
{
	EvFault		fault = {0};

	side->document = (EvDocument)
	{
		.uri = BASE_URI, .schema = ev_fuzz_jsonb(part), .assert_format = true
	};
	side->program = ev_compile_checked(&side->document, resolve, &fault, NULL, NULL);
	return side->program != NULL;
}

static EvVerdict
compare(const Side *old, const Side *new, bool lenient, EvVerdict *forward)
{
	int64		work = COMPARISON_WORK;
	List	   *changes;
	ListCell   *cell;
	EvVerdict	backward = ev_compare_schemas(&old->document, &new->document, resolve, lenient, &work, forward, &changes);
	EvVerdict	worst[2] = {EV_COMPATIBLE, EV_COMPATIBLE};

	foreach(cell, changes)
	{
		const EvChange *change = lfirst(cell);

		if (change->location == NULL || change->message == NULL || change->message[0] == '\0')
			ev_fuzz_fail("change %s without a location or message", ev_change_rule_name(change->rule));
		worst[0] = Max(worst[0], change->backward);
		worst[1] = Max(worst[1], change->forward);
	}
	if (worst[0] != backward || worst[1] != *forward)
		ev_fuzz_fail("verdicts %d and %d, but the changes say %d and %d", backward, *forward, worst[0], worst[1]);
	return backward;
}

/* No instance may contradict a proof. */
static void
test_instance(const Side *old, const Side *new, EvVerdict backward, EvVerdict forward, const Jsonb *instance)
{
	bool		under_old = ev_match(old->program, instance);
	bool		under_new = ev_match(new->program, instance);

	if ((backward == EV_COMPATIBLE && under_old && !under_new) || (forward == EV_COMPATIBLE && under_new && !under_old))
		ev_fuzz_fail("%s compatible, but this is valid under the %s schema only: %s",
					 under_old ? "backward" : "forward", under_old ? "old" : "new",
					 JsonbToCString(NULL, (JsonbContainer *) &instance->root, VARSIZE(instance)));
}

static void
run_compare(const EvFuzzPart *parts)
{
	Side		old;
	Side		new;
	Values		values = {.count = 0};
	EvVerdict	backward;
	EvVerdict	forward;
	EvVerdict	again;
	EvVerdict	lenient;

	if (!compile_side(&old, &parts[0]) || !compile_side(&new, &parts[1]))
		return;
	backward = compare(&old, &new, false, &forward);
	if (compare(&new, &old, false, &again) != forward || again != backward)
		ev_fuzz_fail("verdicts %d and %d, but the other way round they are not exchanged", backward, forward);
	lenient = compare(&old, &new, true, &again);
	if (lenient > backward && lenient == EV_INCOMPATIBLE && backward == EV_COMPATIBLE)
		ev_fuzz_fail("the lenient reading says incompatible, the strict one compatible");
	if (compare(&old, &old, false, &again) == EV_INCOMPATIBLE || again == EV_INCOMPATIBLE)
		ev_fuzz_fail("a schema is incompatible with itself");

	for (int i = 0; i < (int) lengthof(known); i++)
		add_value(&values, jsonb_of(known[i].schema));
	add_value(&values, jsonb_of("{}"));
	add_value(&values, jsonb_of("[]"));
	if (parts[2].length > 0)
		add_value(&values, ev_fuzz_jsonb(&parts[2]));
	gather(&values, &old.document.schema->root, NULL);
	values.count = Min(values.count, MAX_VALUES * 2 / 3);
	gather(&values, &new.document.schema->root, NULL);
	for (int i = 0; i < values.count; i++)
		test_instance(&old, &new, backward, forward, values.values[i]);
}

const EvFuzzTarget ev_fuzz_compare = {"compare", EV_FUZZ_JSON, false, true, 3, run_compare};
