/*
 * violations.c
 *	  The locations and the message of a violation, for the interpreter.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/encoding.h"
#include "jsonb/jsonb_value.h"
#include "match/match_checks.h"
#include "match/remember.h"
#include "match/violations.h"

/* ---------- locations ---------- */

static void
append_pointer_token(StringInfo pointer, EvString key)
{
	for (uint32 i = 0; i < key.length; i++)
	{
		if (key.data[i] == '~')
			appendStringInfoString(pointer, "~0");
		else if (key.data[i] == '/')
			appendStringInfoString(pointer, "~1");
		else
			appendStringInfoChar(pointer, key.data[i]);
	}
}

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
		append_pointer_token(pointer, step->key);
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

void
ev_violate(EvMatch *m, const EvStep *step, const char *keyword, const char *path,
		   const char *format,...)
{
	EvCollector *collector = m->collector;
	StringInfoData instance_location;
	StringInfoData keyword_location;
	StringInfoData message;
	EvViolation violation;

	initStringInfo(&instance_location);
	ev_append_instance_location(&instance_location, step);
	initStringInfo(&keyword_location);
	ev_append_keyword_location(&keyword_location, step);
	appendStringInfoString(&keyword_location, path);

	initStringInfo(&message);
	for (const EvStep *s = step; s != NULL && s->kind != EV_STEP_PROPERTY && s->kind != EV_STEP_ITEM; s = s->parent)
		if (s->kind == EV_STEP_NAME)
			appendStringInfo(&message, "property name %s: ", ev_string_show(s->key.data, s->key.length));
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}

	violation.instance_location = instance_location.data;
	violation.keyword_location = keyword_location.data;
	violation.keyword = keyword;
	violation.message = message.data;
	violation.location = step->location;
	violation.path = path;
	collector->add(collector, &violation);
	if (collector != m->top)
		return;
	if (m->program->remembers && m->memory->again > 0)
		m->memory->listed_again++;
	MemoryContextReset(m->context);
}

void
ev_add_to_branch(EvCollector *collector, const EvViolation *violation)
{
	EvBranchCollector *branch = (EvBranchCollector *) collector;

	if (branch->text.len > 0)
		appendStringInfoString(&branch->text, ", ");
	if (strlen(violation->instance_location) > (size_t) branch->skip)
		appendStringInfo(&branch->text, "%s ", ev_location_show(violation->instance_location + branch->skip));
	appendStringInfoString(&branch->text, violation->message);
}

/* ---------- parts of messages ---------- */

/* Patterns in messages are cut to this number of characters. */
#define SHOWN_PATTERN	200

const char *
ev_show_pattern(const char *pattern)
{
	int			length = strlen(pattern);
	int			shown = ev_text_clip(pattern, length, SHOWN_PATTERN);

	return shown < length ? psprintf("%.*s...", shown, pattern) : pattern;
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
	for (uint32 i = 0; i < object->property_count; i++)
		if (object->properties[i].required && !ev_has_key(container, object->properties[i].name))
			VIOLATE("required", "/required", "required property %s is missing",
					ev_string_show(object->properties[i].name.data, object->properties[i].name.length));
}

void
ev_report_false(EvMatch *m, const EvSource *source, const EvStep *step)
{
	const char *keyword = step != NULL ? step->location->keyword : NULL;
	const char *name = source->keyword;

	if (keyword == NULL)
		VIOLATE("", "", "nothing is valid here: the schema is false");
	else if (strcmp(keyword, "additionalProperties") == 0 || strcmp(keyword, "unevaluatedProperties") == 0)
		VIOLATE(name, "", "property is not allowed: \"%s\" is false", keyword);
	else if (strcmp(keyword, "properties") == 0 || strcmp(keyword, "patternProperties") == 0)
		VIOLATE(name, "", "property is not allowed: its schema is false");
	else if (strcmp(keyword, "propertyNames") == 0)
		VIOLATE(name, "", "no name is allowed");
	else if (step->kind == EV_STEP_ITEM)
		VIOLATE(name, "", "item is not allowed: \"%s\" is false", keyword);
	else
		VIOLATE(name, "", "nothing is valid here: the schema in \"%s\" is false", keyword);
}

/* Explains why no branch can match, without the violations of the branches. */
char *
ev_explain_no_branch(const EvBranches *branches, EvInstance in)
{
	StringInfoData text;
	uint32		types = 0;
	EvString	name = branches->discriminator;
	JsonbValue	value;

	initStringInfo(&text);
	for (uint32 i = 0; i < branches->count; i++)
		types |= branches->types[i];
	if (types == 0)
	{
		appendStringInfoString(&text, "nothing is valid here: all its schemas are false");
		return text.data;
	}
	if ((types & EV_BIT(in.type)) == 0)
	{
		appendStringInfo(&text, "must be %s, but is %s", ev_show_types(types, false), ev_show_typed(&in));
		return text.data;
	}

	appendStringInfo(&text, "property %s must be ", ev_string_show(name.data, name.length));
	for (uint32 i = 0; i < branches->value_count && i < 24; i++)
		appendStringInfo(&text, "%s%s", i == 0 ? "" : i + 1 == branches->value_count ? " or " : ", ",
						 ev_string_show(branches->values[i].value.data, branches->values[i].value.length));
	if (branches->value_count > 24)
		appendStringInfo(&text, " or one of %u more", branches->value_count - 24);
	if (getKeyJsonValueFromContainer((JsonbContainer *) in.data, name.data, name.length, &value) == NULL)
		appendStringInfoString(&text, ", but is missing");
	else if (value.type == jbvString)
		appendStringInfo(&text, ", but is %s", ev_string_show(value.val.string.val, value.val.string.len));
	else
		appendStringInfoString(&text, ", but is no string");
	return text.data;
}
