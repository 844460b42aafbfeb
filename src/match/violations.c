/*
 * violations.c
 *	  The locations and the message of a violation, for the interpreter.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/encoding.h"
#include "base/json_pointer.h"
#include "base/message_text.h"
#include "base/shown_text.h"
#include "jsonb/jsonb_value.h"
#include "match/match_checks.h"
#include "match/remember.h"
#include "match/violations.h"

/* ---------- locations ---------- */

void
ev_append_instance_location(StringInfo pointer, const EvStep *step)
{
	check_stack_depth();
	if (step == NULL)
		return;
	ev_append_instance_location(pointer, step->parent);
	if (step->kind == EV_STEP_PROPERTY)
	{
		appendStringInfoChar(pointer, '/');
		ev_pointer_append_key(pointer, step->key.data, step->key.length);
	}
	else if (step->kind == EV_STEP_ITEM)
		appendStringInfo(pointer, "/%u", step->index);
}

void
ev_append_keyword_location(StringInfo pointer, const EvStep *step)
{
	check_stack_depth();
	if (step == NULL)
		return;
	ev_append_keyword_location(pointer, step->parent);
	appendStringInfoString(pointer, step->path);
}

/* ---------- handing them on ---------- */

/* Passes a violation to the collector, with its names and locations. */
static void
hand_on(EvMatch *m, const EvStep *step, const char *keyword, const char *path, EvViolation *violation)
{
	EvCollector *collector = m->collector;
	StringInfoData instance_location;
	StringInfoData keyword_location;

	CHECK_FOR_INTERRUPTS();
	initStringInfo(&instance_location);
	ev_append_instance_location(&instance_location, step);
	initStringInfo(&keyword_location);
	ev_append_keyword_location(&keyword_location, step);
	appendStringInfoString(&keyword_location, path);
	violation->instance_location = instance_location.data;
	violation->keyword_location = keyword_location.data;
	violation->keyword = keyword;
	violation->location = step->location;
	violation->path = path;
	collector->add(collector, violation);
	if (collector != m->top)
		return;
	if (m->program->remembers && m->memory->again > 0)
		m->memory->listed_again++;
	MemoryContextReset(m->context);
}

void
ev_violate(EvMatch *m, const EvStep *step, const EvViolationFacts *facts, const char *keyword, const char *path,
		   const char *format,...)
{
	StringInfoData message;
	va_list		args;
	EvViolation violation = {.message = NULL};
	EvString	property = facts->property;

	initStringInfo(&message);
	for (const EvStep *s = step; s != NULL && s->kind != EV_STEP_PROPERTY && s->kind != EV_STEP_ITEM; s = s->parent)
		if (s->kind == EV_STEP_NAME)
		{
			appendStringInfo(&message, "property name %s: ", ev_string_show(s->key.data, s->key.length));
			property = s->key;
		}
	va_start(args, format);
	ev_append_message(&message, format, args);
	va_end(args);

	violation.message = message.data;
	if (m->collector->wants_facts && property.data != NULL)
		violation.property = pnstrdup(property.data, property.length);
	violation.expected = facts->expected;
	violation.actual = facts->actual != NULL ? ev_fact_value(facts->actual) : NULL;
	hand_on(m, step, keyword, path, &violation);
}

void
ev_violate_silently(EvMatch *m, const EvStep *step, const char *keyword, const char *path)
{
	EvViolation violation = {.message = NULL};

	hand_on(m, step, keyword, path, &violation);
}

/* ---------- parts of messages ---------- */

/* The maximum number of values of a tag in a message. */
#define MOST_CONSTANTS	24

const char *
ev_show_pattern(const char *pattern)
{
	return ev_visible_cut(pattern, EV_SHOWN_PATTERN);
}

char *
ev_show_values(const EvEnum *enumeration)
{
	StringInfoData text;
	uint32		count = Min(enumeration->count, 12);

	initStringInfo(&text);
	for (uint32 i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoString(&text, i + 1 == enumeration->count ? " or " : ", ");
		appendStringInfoString(&text, ev_value_show(&enumeration->shown[i]));
	}
	if (count < enumeration->count)
		appendStringInfo(&text, " or one of %u more", enumeration->count - count);
	return text.data;
}

char *
ev_show_number(Numeric number)
{
	EvInstance	value = {.type = EV_NUMBER, .data = (const char *) number};

	return ev_value_show(&value);
}

char *
ev_show_types(uint32 types, bool integer)
{
	StringInfoData text;

	initStringInfo(&text);
	for (EvType type = 0; type < EV_TYPE_COUNT; type++)
	{
		if ((types & EV_BIT(type)) == 0 || (type == EV_FALSE && (types & EV_BIT(EV_TRUE)) != 0))
			continue;			/* one entry for both booleans */
		if (text.len > 0)
			appendStringInfoString(&text, " or ");
		appendStringInfoString(&text, type == EV_NUMBER && integer ? "integer" : ev_type_name(type));
	}
	return text.data;
}

/* Returns a text such as "null", "string "x"" or "an object". */
char *
ev_show_typed(const EvInstance *in)
{
	if (in->type == EV_NULL || in->type == EV_OBJECT || in->type == EV_ARRAY)
		return pstrdup(ev_type_name(in->type));
	return psprintf("%s %s", ev_type_name(in->type), ev_value_show(in));
}

/* ---------- single keywords ---------- */

void
ev_report_missing(EvMatch *m, const JsonbContainer *container, const EvObject *object, const EvStep *step)
{
	uint32		count = JsonContainerSize(container);
	const JEntry *keys = container->children;
	const char *base = (const char *) (keys + 2 * count);
	uint32		at = 0;
	EvString	key = {base, 0};

	if (count > 0)
		key.length = ev_entry_end(keys[0], 0);
	/* both are in the same order */
	for (uint32 i = 0; i < object->property_count; i++)
	{
		EvString	name = object->properties[i].name;
		int			order = 1;

		while (at < count && (order = ev_key_order(&key, &name)) < 0)
		{
			uint32		start = key.data + key.length - base;

			CHECK_FOR_INTERRUPTS();
			if (++at < count)
				key = (EvString) {base + start, ev_entry_end(keys[at], start) - start};
		}
		if (object->properties[i].required && (at == count || order != 0))
			VIOLATE(FACTS(.property = name), "required", "/required", "required property %s is missing",
					ev_string_show(name.data, name.length));
	}
}

void
ev_report_false(EvMatch *m, const EvSource *source, EvInstance in, const EvStep *step)
{
	const char *keyword = step != NULL ? step->location->keyword : NULL;
	const char *name = source->keyword;
	EvString	property = {0};

	if (step != NULL && step->kind == EV_STEP_PROPERTY)
		property = step->key;
	if (keyword == NULL)
		VIOLATE(FACTS(.actual = &in), "", "", "nothing is valid here: the schema is false");
	else if (strcmp(keyword, "additionalProperties") == 0 || strcmp(keyword, "unevaluatedProperties") == 0)
		VIOLATE(FACTS(.property = property, .actual = &in), name, "", "property is not allowed: \"%s\" is false", keyword);
	else if (strcmp(keyword, "properties") == 0 || strcmp(keyword, "patternProperties") == 0)
		VIOLATE(FACTS(.property = property, .actual = &in), name, "", "property is not allowed: its schema is false");
	else if (strcmp(keyword, "propertyNames") == 0)
		VIOLATE(FACTS(.actual = &in), name, "", "no name is allowed");
	else if (step->kind == EV_STEP_ITEM)
		VIOLATE(FACTS(.actual = &in), name, "", "item is not allowed: \"%s\" is false", keyword);
	else
		VIOLATE(FACTS(.actual = &in), name, "", "nothing is valid here: the schema in \"%s\" is false", keyword);
}

/* ---------- anyOf, oneOf ---------- */

/* Schemas that a branch refers to are followed so far. */
#define MOST_HOPS	6

/* So many instructions of the branches are looked at for their types. */
#define MOST_WORK	10000

static bool branches_take_integers_only(const EvProgram *program, const EvBranches *branches, int hops, int *work);

/* "a", "b" or "c" */
static char *
show_constants(const EvInstance *values, uint32 count)
{
	StringInfoData text;

	initStringInfo(&text);
	for (uint32 i = 0; i < count && i < MOST_CONSTANTS; i++)
		appendStringInfo(&text, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", ev_value_show(&values[i]));
	if (count > MOST_CONSTANTS)
		appendStringInfo(&text, " or one of %u more", count - MOST_CONSTANTS);
	return text.data;
}

void
ev_report_tag(EvMatch *m, const EvSource *source, const EvTag *tag, const EvStep *step)
{
	VIOLATE(FACTS(.property = tag->name, .expected = ev_fact_values(tag->values, tag->value_count), .actual = &tag->value),
			source->keyword, source->path, "property %s must be %s, but is %s",
			ev_string_show(tag->name.data, tag->name.length), show_constants(tag->values, tag->value_count),
			ev_value_show(&tag->value));
}

/*
 * Reports that the discriminator is missing, or is none of the branches'
 * strings.
 */
static void
report_discriminator(EvMatch *m, const EvSource *source, const EvBranches *branches, EvInstance in, const EvStep *step)
{
	EvString	name = branches->discriminator;
	const EvInstance *values = branches->strings->values;
	uint32		count = branches->value_count;
	EvInstance	actual;
	bool		is_there = ev_find_property((const JsonbContainer *) in.data, name, &actual);

	VIOLATE(FACTS(.property = name, .expected = ev_fact_values(values, count), .actual = is_there ? &actual : NULL),
			source->keyword, source->path, "property %s must be %s, but is %s",
			ev_string_show(name.data, name.length), show_constants(values, count),
			!is_there ? "missing" : actual.type == EV_STRING ? ev_value_show(&actual) : "no string");
}

/* Must a number be an integer for this schema?  If more than *work instructions had to be looked at, the answer is no. */
static bool
takes_integers_only(const EvProgram *program, uint32 block, int hops, int *work)
{
	check_stack_depth();
	if (block >= EV_BLOCK_TRUE || hops == 0)
		return false;
	for (const EvInstruction *instruction = &program->code[block]; instruction->opcode != EVOP_RETURN && (*work)-- > 0; instruction++)
		switch ((EvOpcode) instruction->opcode)
		{
			case EVOP_TYPE:
				if (instruction->u.type.integer)
					return true;
				break;
			case EVOP_CALL:
			case EVOP_CALL_REF:
			case EVOP_REMEMBER:
				if (takes_integers_only(program, instruction->target, hops - 1, work))
					return true;
				break;
			case EVOP_ANY_OF:
			case EVOP_ONE_OF:
				if (branches_take_integers_only(program, instruction->u.branches, hops - 1, work))
					return true;
				break;
			default:
				break;
		}
	return false;
}

static bool
branches_take_integers_only(const EvProgram *program, const EvBranches *branches, int hops, int *work)
{
	for (uint32 i = 0; i < branches->count; i++)
		if ((branches->types[i] & EV_BIT(EV_NUMBER)) != 0 && !takes_integers_only(program, branches->blocks[i], hops, work))
			return false;
	return true;
}

/* Reports that no branch can match because of the type of the value, or of the discriminator. */
void
ev_report_no_branch(EvMatch *m, const EvSource *source, const EvBranches *branches, EvInstance in, const EvStep *step)
{
	uint32		types = 0;
	int			work = MOST_WORK;
	bool		integer = branches_take_integers_only(m->program, branches, MOST_HOPS, &work);

	for (uint32 i = 0; i < branches->count; i++)
		types |= branches->types[i];
	if (types == 0)
		VIOLATE(FACTS(.actual = &in), source->keyword, source->path,
				"nothing is valid here: all its schemas are false");
	else if ((types & EV_BIT(in.type)) == 0)
		VIOLATE(FACTS(.expected = ev_fact_types(types, integer), .actual = &in), source->keyword, source->path,
				"must be %s, but is %s", ev_show_types(types, integer), ev_show_typed(&in));
	else
		report_discriminator(m, source, branches, in, step);
}
