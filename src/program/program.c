/*
 * program.c
 *	  Programs as text, and the locations of their schemas.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "jsonb/jsonb_value.h"
#include "program/program.h"

static const char *const opcode_names[] = {
#define EV_OPCODE(name, description) #name,
	EV_OPCODES(EV_OPCODE)
#undef EV_OPCODE
};

const char *
ev_opcode_name(EvOpcode opcode)
{
	return opcode_names[opcode];
}

void
ev_visit_blocks(EvInstruction *instruction, EvBlockVisitor visit, void *arg)
{
	switch ((EvOpcode) instruction->opcode)
	{
		case EVOP_CALL:
		case EVOP_CALL_REF:
		case EVOP_NOT:
		case EVOP_DEPENDENT_SCHEMA:
		case EVOP_REMEMBER:
			visit(&instruction->target, true, arg);
			break;
		case EVOP_UNEVALUATED_PROPERTIES:
		case EVOP_UNEVALUATED_ITEMS:
			visit(&instruction->target, false, arg);
			break;
		case EVOP_ANY_OF:
		case EVOP_ONE_OF:
			for (uint32 i = 0; i < instruction->u.branches->count; i++)
				visit(&instruction->u.branches->blocks[i], true, arg);
			break;
		case EVOP_IF:
			visit(&instruction->u.condition.if_block, true, arg);
			visit(&instruction->u.condition.then_block, true, arg);
			visit(&instruction->u.condition.else_block, true, arg);
			break;
		case EVOP_CALL_DYNAMIC:
			/* where it leads is known while running only */
			visit(&unconstify(EvDynamic *, instruction->u.dynamic)->initial, false, arg);
			break;
		case EVOP_OBJECT:
			{
				EvObject   *object = unconstify(EvObject *, instruction->u.object);

				for (uint32 i = 0; i < object->property_count; i++)
					visit(&object->properties[i].block, false, arg);
				for (uint32 i = 0; i < object->pattern_count; i++)
					visit(&object->patterns[i].block, false, arg);
				visit(&object->additional, false, arg);
				visit(&object->names, false, arg);
				break;
			}
		case EVOP_ARRAY:
			{
				EvArray    *array = unconstify(EvArray *, instruction->u.array);

				for (uint32 i = 0; i < array->prefix_count; i++)
					visit(&array->prefix[i], false, arg);
				visit(&array->items, false, arg);
				visit(&array->contains, false, arg);
				break;
			}
		case EVOP_RETURN:
		case EVOP_FAIL:
		case EVOP_TYPE:
		case EVOP_SKIP_UNLESS:
		case EVOP_ENUM:
		case EVOP_ENUM_STRINGS:
		case EVOP_LENGTH:
		case EVOP_PATTERN:
		case EVOP_FORMAT:
		case EVOP_CONTENT:
		case EVOP_BOUND:
		case EVOP_MULTIPLE_OF:
		case EVOP_DEPENDENT_REQUIRED:
		case EVOP_SCOPE:
		case EVOP_ANNOTATE:
		case EVOP_TRACK:
			break;
	}
}

void
ev_visit_targets(EvProgram *program, EvBlockVisitor visit, void *arg)
{
	for (uint32 i = 0; i < program->anchor_count; i++)
		for (uint32 j = 0; j < program->anchors[i]->target_count; j++)
			visit(&program->anchors[i]->targets[j].block, false, arg);
}

static void
append_types(StringInfo text, uint32 types, bool integer)
{
	for (EvType type = 0; type < EV_TYPE_COUNT; type++)
		if ((types & EV_BIT(type)) != 0 && type != EV_FALSE)
			appendStringInfo(text, " %s", type == EV_NUMBER && integer ? "integer" : ev_type_name(type));
}

static void
append_block(StringInfo text, const char *label, uint32 block)
{
	if (block == EV_BLOCK_NONE)
		return;
	if (block == EV_BLOCK_TRUE)
		appendStringInfo(text, " %s: true", label);
	else
		appendStringInfo(text, " %s: %u", label, block);
}

static void
append_object(StringInfo text, const EvObject *object)
{
	for (uint32 i = 0; i < object->property_count; i++)
	{
		const EvProperty *property = &object->properties[i];

		appendStringInfo(text, " %s%s", ev_string_show(property->name.data, property->name.length),
						 property->required ? "!" : "");
		append_block(text, "at", property->block);
	}
	for (uint32 i = 0; i < object->pattern_count; i++)
		append_block(text, "pattern", object->patterns[i].block);
	append_block(text, "additional", object->additional);
	append_block(text, "names", object->names);
	if (object->min_properties > 0)
		appendStringInfo(text, " min: %u", object->min_properties);
	if (object->max_properties != EV_NO_MAXIMUM)
		appendStringInfo(text, " max: %u", object->max_properties);
}

static void
append_array(StringInfo text, const EvArray *array)
{
	for (uint32 i = 0; i < array->prefix_count; i++)
		append_block(text, psprintf("%u", i), array->prefix[i]);
	append_block(text, "items", array->items);
	append_block(text, "contains", array->contains);
	if (array->min_items > 0)
		appendStringInfo(text, " min: %u", array->min_items);
	if (array->max_items != EV_NO_MAXIMUM)
		appendStringInfo(text, " max: %u", array->max_items);
	if (array->unique_items)
		appendStringInfoString(text, " unique");
}

char *
ev_instruction_text(const EvProgram *program, uint32 index)
{
	const EvInstruction *instruction = &program->code[index];
	const EvSource *source = &program->sources[index];
	const EvBlock *block = &program->blocks[source->block];
	StringInfoData text;
	EvInstance	number = {.type = EV_NUMBER};

	initStringInfo(&text);
	appendStringInfo(&text, "%u %s", index, ev_opcode_name(instruction->opcode));
	switch ((EvOpcode) instruction->opcode)
	{
		case EVOP_TYPE:
			append_types(&text, instruction->u.type.types, instruction->u.type.integer);
			break;
		case EVOP_SKIP_UNLESS:
			append_types(&text, instruction->u.type.types, false);
			appendStringInfo(&text, " else: %u", instruction->target);
			break;
		case EVOP_ENUM:
		case EVOP_ENUM_STRINGS:
			for (uint32 i = 0; i < instruction->u.enumeration->count; i++)
				appendStringInfo(&text, " %s", ev_value_show(&instruction->u.enumeration->shown[i]));
			break;
		case EVOP_LENGTH:
			if (instruction->u.size.minimum > 0)
				appendStringInfo(&text, " min: %u", instruction->u.size.minimum);
			if (instruction->u.size.maximum != EV_NO_MAXIMUM)
				appendStringInfo(&text, " max: %u", instruction->u.size.maximum);
			break;
		case EVOP_PATTERN:
			appendStringInfo(&text, " %s", instruction->u.pattern.source);
			break;
		case EVOP_FORMAT:
			appendStringInfo(&text, " %s", instruction->u.format->name);
			break;
		case EVOP_CONTENT:
			appendStringInfo(&text, "%s%s", instruction->u.content.base64 ? " base64" : "",
							 instruction->u.content.json ? " json" : "");
			break;
		case EVOP_BOUND:
		case EVOP_MULTIPLE_OF:
			number.data = (const char *) instruction->u.bound.value;
			appendStringInfo(&text, " %s %s", source->keyword, ev_value_show(&number));
			break;
		case EVOP_OBJECT:
			append_object(&text, instruction->u.object);
			break;
		case EVOP_DEPENDENT_REQUIRED:
		case EVOP_DEPENDENT_SCHEMA:
			appendStringInfo(&text, " %s", ev_string_show(instruction->u.dependency->property.data,
														  instruction->u.dependency->property.length));
			for (uint32 i = 0; i < instruction->u.dependency->required_count; i++)
				appendStringInfo(&text, " %s!", ev_string_show(instruction->u.dependency->required[i].data,
															   instruction->u.dependency->required[i].length));
			append_block(&text, "at", instruction->target);
			break;
		case EVOP_ARRAY:
			append_array(&text, instruction->u.array);
			break;
		case EVOP_CALL:
		case EVOP_CALL_REF:
		case EVOP_NOT:
		case EVOP_REMEMBER:
		case EVOP_UNEVALUATED_PROPERTIES:
		case EVOP_UNEVALUATED_ITEMS:
			append_block(&text, "at", instruction->target);
			break;
		case EVOP_CALL_DYNAMIC:
			for (uint32 i = 0; i < instruction->u.dynamic->anchor->target_count; i++)
				append_block(&text, psprintf("resource %u at", instruction->u.dynamic->anchor->targets[i].resource),
							 instruction->u.dynamic->anchor->targets[i].block);
			append_block(&text, "else", instruction->u.dynamic->initial);
			break;
		case EVOP_SCOPE:
			appendStringInfo(&text, " resource %u", instruction->u.resource);
			break;
		case EVOP_ANY_OF:
		case EVOP_ONE_OF:
			for (uint32 i = 0; i < instruction->u.branches->count; i++)
				append_block(&text, psprintf("%u", i), instruction->u.branches->blocks[i]);
			if (instruction->u.branches->discriminator.data != NULL)
				appendStringInfo(&text, " by %s", ev_string_show(instruction->u.branches->discriminator.data,
																 instruction->u.branches->discriminator.length));
			break;
		case EVOP_IF:
			append_block(&text, "if", instruction->u.condition.if_block);
			append_block(&text, "then", instruction->u.condition.then_block);
			append_block(&text, "else", instruction->u.condition.else_block);
			break;
		case EVOP_RETURN:
		case EVOP_FAIL:
		case EVOP_ANNOTATE:
		case EVOP_TRACK:
			break;
	}
	if (block->start == index)
		appendStringInfo(&text, " -- %s", block->place->parent == NULL ? "document" :
						 ev_location_pointer(block->place, false));
	return text.data;
}
