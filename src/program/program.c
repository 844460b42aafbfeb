/*
 * program.c
 *	  Visits the blocks that the instructions of a program refer to.
 */
#include "postgres.h"

#include "program/program.h"

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
			/* the target is only known at run time */
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
