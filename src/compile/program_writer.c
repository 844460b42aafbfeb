/*
 * program_writer.c
 *	  The program being written: its memory, instructions and blocks.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "compile/program_writer.h"

/* ---------- memory ---------- */

void *
ev_program_alloc(EvWriter *w, Size size)
{
	return MemoryContextAllocZero(w->compiler->program_context, size);
}

EvString
ev_program_string(EvWriter *w, const char *data, int length)
{
	char	   *copy = MemoryContextAlloc(w->compiler->program_context, length + 1);

	memcpy(copy, data, length);
	copy[length] = '\0';
	return (EvString) {copy, length};
}

Numeric
ev_program_numeric(EvWriter *w, Numeric number)
{
	Numeric		copy = ev_program_alloc(w, VARSIZE(number));

	memcpy(copy, number, VARSIZE(number));
	return copy;
}

/*
 * Copies a value of enum or const, as a separate jsonb in the program's
 * context.
 */
EvInstance
ev_program_instance(EvWriter *w, const JsonbValue *value)
{
	EvInstance	instance = {0};

	switch (value->type)
	{
		case jbvNull:
			instance.type = EV_NULL;
			break;
		case jbvBool:
			instance.type = value->val.boolean ? EV_TRUE : EV_FALSE;
			break;
		case jbvNumeric:
			instance.type = EV_NUMBER;
			instance.data = (const char *) ev_program_numeric(w, value->val.numeric);
			break;
		case jbvString:
			{
				EvString	string = ev_program_string(w, value->val.string.val, value->val.string.len);

				instance.type = EV_STRING;
				instance.data = string.data;
				instance.length = string.length;
				break;
			}
		default:
			{
				Jsonb	   *copy = JsonbValueToJsonb(unconstify(JsonbValue *, value));
				char	   *data = ev_program_alloc(w, VARSIZE(copy));

				memcpy(data, copy, VARSIZE(copy));
				instance.type = ev_node_is_array(value) ? EV_ARRAY : EV_OBJECT;
				instance.data = (const char *) &((Jsonb *) data)->root;
			}
	}
	return instance;
}

/* ---------- instructions ---------- */

EvInstruction *
ev_emit_at(EvWriter *w, EvOpcode opcode, const char *keyword, const char *path)
{
	EvProgram  *program = w->program;
	EvInstruction *instruction;
	EvSource   *source;

	if (program->length == w->code_room)
	{
		w->code_room *= 2;
		program->code = repalloc(program->code, w->code_room * sizeof(EvInstruction));
		program->sources = repalloc(program->sources, w->code_room * sizeof(EvSource));
	}
	instruction = &program->code[program->length];
	source = &program->sources[program->length];
	program->length++;

	memset(instruction, 0, sizeof(*instruction));
	instruction->opcode = opcode;
	instruction->target = EV_BLOCK_NONE;
	source->keyword = keyword;
	source->path = MemoryContextStrdup(w->compiler->program_context, path);
	source->block = w->block;
	return instruction;
}

/* Writes an instruction for a keyword of the subschema. */
EvInstruction *
ev_emit(EvWriter *w, EvOpcode opcode, const char *keyword)
{
	return ev_emit_at(w, opcode, keyword, psprintf("/%s", keyword));
}

/* ---------- blocks ---------- */

/*
 * Returns the index of a subschema's block, whose code may not be written yet.
 */
uint32
ev_block_of(EvWriter *w, EvSubschema *subschema)
{
	EvProgram  *program = w->program;

	if (subschema->is_boolean && subschema->boolean)
		return EV_BLOCK_TRUE;
	if (subschema->block != EV_BLOCK_NONE)
		return subschema->block;
	if (program->block_count == w->block_room)
	{
		w->block_room *= 2;
		program->blocks = repalloc(program->blocks, w->block_room * sizeof(EvBlock));
	}
	subschema->block = program->block_count++;
	program->blocks[subschema->block].location = subschema->location;
	w->blocks = lappend(w->blocks, subschema);
	return subschema->block;
}

/* Returns the block of a subschema inside the current one. */
uint32
ev_child_block(EvWriter *w, const char *keyword, const char *tail, const JsonbValue *node)
{
	EvSubschema *child;

	if (node->type == jbvBool)
	{
		child = palloc0(sizeof(EvSubschema));
		child->is_boolean = true;
		child->boolean = node->val.boolean;
		child->resource = w->subschema->resource;
		child->location = ev_location_make(w->compiler, w->subschema->location, keyword, tail);
		child->block = EV_BLOCK_NONE;
	}
	else
		child = ev_subschema_find(w->compiler, node);
	return ev_block_of(w, child);
}

uint32
ev_keyword_block(EvWriter *w, int keyword)
{
	const char *name = ev_keywords[keyword].name;

	if (!w->keywords.present[keyword])
		return EV_BLOCK_NONE;
	return ev_child_block(w, name, psprintf("/%s", name), &w->keywords.values[keyword]);
}

/* Returns the blocks of an array of subschemas. */
uint32 *
ev_array_blocks(EvWriter *w, int keyword, uint32 *count)
{
	const char *name = ev_keywords[keyword].name;
	JsonbContainer *array = w->keywords.values[keyword].val.binary.data;
	uint32	   *blocks;

	*count = JsonContainerSize(array);
	blocks = ev_program_alloc(w, *count * sizeof(uint32));
	for (uint32 i = 0; i < *count; i++)
		blocks[i] = ev_child_block(w, name, ev_tail_index(name, i),
								   getIthJsonbValueFromContainer(array, i));
	return blocks;
}

/* ---------- values of keywords ---------- */

/*
 * Returns a count, at most EV_NO_MAXIMUM - 1, which no count in a jsonb
 * exceeds.
 */
static uint32
count_value(const JsonbValue *value)
{
	Numeric		most = int64_to_numeric(EV_NO_MAXIMUM - 1);

	if (DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(value->val.numeric),
										  NumericGetDatum(most))) >= 0)
		return EV_NO_MAXIMUM - 1;
	return (uint32) DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
}

uint32
ev_count_keyword(EvWriter *w, int keyword, uint32 absent)
{
	return w->keywords.present[keyword] ? count_value(&w->keywords.values[keyword]) : absent;
}
