/*
 * program_text.c
 *	  Programs as text, for event_schema_program.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/encoding.h"
#include "base/shown_text.h"
#include "jsonb/jsonb_value.h"
#include "program/program_text.h"

static const char *const opcode_names[] = {
#define EV_OPCODE(name, description) #name,
	EV_OPCODES(EV_OPCODE)
#undef EV_OPCODE
};

static const char *const check_names[] = {
#define EV_CHECK(name, checked, description) #name,
	EV_CHECKS(EV_CHECK)
#undef EV_CHECK
};

/* ---------- instructions ---------- */

static void
append_types(StringInfo text, uint32 types, bool integer)
{
	for (EvType type = 0; type < EV_TYPE_COUNT; type++)
		if ((types & EV_BIT(type)) != 0 && type != EV_FALSE)
			appendStringInfo(text, " %s", type == EV_NUMBER && integer ? "integer" : ev_type_name(type));
}

/* Lists are cut to this number of members. */
#define LISTED	50

/* Appends "and N more" if only some of `count` members are listed. */
static void
append_rest(StringInfo text, uint32 count)
{
	if (count > LISTED)
		appendStringInfo(text, " and %u more", count - LISTED);
}

static void
append_values(StringInfo text, const EvInstance *values, uint32 count)
{
	for (uint32 i = 0; i < Min(count, LISTED); i++)
		appendStringInfo(text, " %s", ev_value_show(&values[i]));
	append_rest(text, count);
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
append_limits(StringInfo text, uint32 minimum, uint32 maximum)
{
	if (minimum > 0)
		appendStringInfo(text, " min: %u", minimum);
	if (maximum != EV_NO_MAXIMUM)
		appendStringInfo(text, " max: %u", maximum);
}

/* A pattern, cut. */
static void
append_pattern(StringInfo text, const char *pattern)
{
	appendStringInfo(text, " %s", ev_visible_cut(pattern, EV_SHOWN_PATTERN));
}

static void
append_object(StringInfo text, const EvObject *object)
{
	for (uint32 i = 0; i < Min(object->property_count, LISTED); i++)
	{
		const EvProperty *property = &object->properties[i];

		appendStringInfo(text, " %s%s", ev_string_show(property->name.data, property->name.length),
						 property->required ? "!" : "");
		append_block(text, "at", property->block);
	}
	append_rest(text, object->property_count);
	for (uint32 i = 0; i < Min(object->pattern_count, LISTED); i++)
		append_block(text, "pattern", object->patterns[i].block);
	append_rest(text, object->pattern_count);
	append_block(text, "additional", object->additional);
	append_block(text, "names", object->names);
	append_limits(text, object->min_properties, object->max_properties);
}

static void
append_array(StringInfo text, const EvArray *array)
{
	for (uint32 i = 0; i < Min(array->prefix_count, LISTED); i++)
		append_block(text, psprintf("%u", i), array->prefix[i]);
	append_rest(text, array->prefix_count);
	append_block(text, "items", array->items);
	append_block(text, "contains", array->contains);
	append_limits(text, array->min_items, array->max_items);
	if (array->unique_items)
		appendStringInfoString(text, " unique");
}

static void
append_dependency(StringInfo text, const EvDependency *dependency)
{
	appendStringInfo(text, " %s", ev_string_show(dependency->property.data, dependency->property.length));
	for (uint32 i = 0; i < Min(dependency->required_count, LISTED); i++)
		appendStringInfo(text, " %s!", ev_string_show(dependency->required[i].data, dependency->required[i].length));
	append_rest(text, dependency->required_count);
}

static void
append_dynamic(StringInfo text, const EvDynamic *dynamic)
{
	const EvAnchor *anchor = dynamic->anchor;

	for (uint32 i = 0; i < Min(anchor->target_count, LISTED); i++)
		append_block(text, psprintf("resource %u at", anchor->targets[i].resource), anchor->targets[i].block);
	append_rest(text, anchor->target_count);
	append_block(text, "else", dynamic->initial);
}

static char *
instruction_text(const EvProgram *program, uint32 index)
{
	const EvInstruction *instruction = &program->code[index];
	const EvSource *source = &program->sources[index];
	const EvBlock *block = &program->blocks[source->block];
	StringInfoData text;
	EvInstance	number = {.type = EV_NUMBER};

	initStringInfo(&text);
	appendStringInfo(&text, "%u %s", index, opcode_names[instruction->opcode]);
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
			append_values(&text, instruction->u.enumeration->shown, instruction->u.enumeration->count);
			break;
		case EVOP_LENGTH:
			append_limits(&text, instruction->u.size.minimum, instruction->u.size.maximum);
			break;
		case EVOP_PATTERN:
			append_pattern(&text, instruction->u.pattern.source);
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
			append_dependency(&text, instruction->u.dependency);
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
			append_dynamic(&text, instruction->u.dynamic);
			break;
		case EVOP_SCOPE:
			appendStringInfo(&text, " resource %u", instruction->u.resource);
			break;
		case EVOP_ANY_OF:
		case EVOP_ONE_OF:
			for (uint32 i = 0; i < Min(instruction->u.branches->count, LISTED); i++)
				append_block(&text, psprintf("%u", i), instruction->u.branches->blocks[i]);
			append_rest(&text, instruction->u.branches->count);
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
		appendStringInfo(&text, " -- %s", block->location->parent == NULL ? "document" :
						 ev_location_pointer(block->location, false));
	return text.data;
}

/* ---------- the fast path ---------- */

/*
 * Objects and arrays of the fast path have numbers.  The number is the index
 * of the instruction.  Merged ones get the numbers after the last instruction,
 * in the order in which checks refer to them.
 */
typedef struct NumberedObject
{
	const void *key;			/* EvObject or EvArray; must be the first
								 * member */
	uint32		number;
} NumberedObject;

typedef struct Merged
{
	uint32		number;
	const EvObject *object;		/* either this */
	const EvArray *array;
	uint32		block;			/* the block that it replaces */
} Merged;

typedef struct TextWriter
{
	const EvProgram *program;
	HTAB	   *numbers;
	MemoryContext context;		/* of the numbers */
	uint32		next;			/* number */
	List	   *merged;			/* of Merged, in the order of numbers */
} TextWriter;

static uint32
number_of(TextWriter *w, const EvObject *object, const EvArray *array, uint32 block)
{
	const void *key = object != NULL ? (const void *) object : array;
	bool		found;
	NumberedObject *numbered = hash_search(w->numbers, &key, HASH_ENTER, &found);

	if (!found)
	{
		MemoryContext caller = MemoryContextSwitchTo(w->context);
		Merged	   *merged = palloc(sizeof(Merged));

		numbered->number = merged->number = w->next++;
		merged->object = object;
		merged->array = array;
		merged->block = block;
		w->merged = lappend(w->merged, merged);
		MemoryContextSwitchTo(caller);
	}
	return numbered->number;
}

static void
append_bounds(StringInfo text, const EvBounds *bounds)
{
	EvInstance	number = {.type = EV_NUMBER};

	if (bounds->low != NULL)
	{
		number.data = (const char *) bounds->low;
		appendStringInfo(text, " %s %s", bounds->low_exclusive ? ">" : ">=", ev_value_show(&number));
	}
	if (bounds->high != NULL)
	{
		number.data = (const char *) bounds->high;
		appendStringInfo(text, " %s %s", bounds->high_exclusive ? "<" : "<=", ev_value_show(&number));
	}
}

/* Appends the string of a WORD check, see ev_tail_word. */
static void
append_word(StringInfo text, const EvCheck *check)
{
	const char *word = (const char *) &check->u.word;

#ifdef WORDS_BIGENDIAN
	word += sizeof(check->u.word) - check->length;
#endif
	appendStringInfo(text, " %s", ev_string_show(word, check->length));
}

/*
 * Appends a check: its kind, the valid types, its parameters, for example "
 * NUMBER integer >= 0".
 */
static void
append_check(TextWriter *w, StringInfo text, const EvCheck *check)
{
	check_stack_depth();
	appendStringInfo(text, " %s", check->types == 0 ? "FALSE" : check_names[check->kind]);
	if (check->types != EV_ALL_TYPES)
		append_types(text, check->types, check->integer);
	switch ((EvCheckKind) check->kind)
	{
		case EV_CHECK_TRUE:
		case EV_CHECK_TYPE:
			break;
		case EV_CHECK_LENGTH:
			append_limits(text, check->u.size.minimum, check->u.size.maximum);
			break;
		case EV_CHECK_WORD:
			append_word(text, check);
			break;
		case EV_CHECK_STRINGS:
		case EV_CHECK_NUMBERS:
			append_values(text, check->u.enumeration->shown, check->u.enumeration->count);
			break;
		case EV_CHECK_NUMBER:
			if (check->u.bounds != NULL)
				append_bounds(text, check->u.bounds);
			break;
		case EV_CHECK_SIGN:
			appendStringInfoString(text, check->u.zero_is_valid ? " >= 0" : " > 0");
			break;
		case EV_CHECK_OBJECT:
			appendStringInfo(text, " see: %u", number_of(w, check->u.object, NULL, check->block));
			break;
		case EV_CHECK_ARRAY:
			appendStringInfo(text, " see: %u", number_of(w, NULL, check->u.array, check->block));
			break;
		case EV_CHECK_ALL:
			for (uint32 i = 0; i < Min(check->u.all->count, LISTED); i++)
			{
				appendStringInfoString(text, i == 0 ? " (" : ",");
				append_check(w, text, &check->u.all->checks[i]);
			}
			append_rest(text, check->u.all->count);
			appendStringInfoString(text, " )");
			break;
		case EV_CHECK_BLOCK:
		case EV_CHECK_SHAPE:
		case EV_CHECK_PATTERN:
		case EV_CHECK_FORMAT:
		case EV_CHECK_BRANCHES:
			append_block(text, "at", check->block);
			break;
		case EV_CHECK_PENDING:
			appendStringInfo(text, " branches: " UINT64_FORMAT, check->u.sources);
			break;
	}
}

static void
append_labelled(TextWriter *w, StringInfo text, const char *label, const EvCheck *check)
{
	if (check->kind == EV_CHECK_TRUE)
		return;
	appendStringInfo(text, " %s:", label);
	append_check(w, text, check);
}

static void
append_object_checks(TextWriter *w, StringInfo text, const EvObject *object)
{
	for (uint32 i = 0; i < Min(object->property_count, LISTED); i++)
	{
		const EvProperty *property = &object->properties[i];

		appendStringInfo(text, " %s%s", ev_string_show(property->name.data, property->name.length),
						 property->required ? "!" : "");
		append_check(w, text, &property->check);
	}
	append_rest(text, object->property_count);
	for (uint32 i = 0; i < Min(object->pattern_count, LISTED); i++)
		append_labelled(w, text, "pattern", &object->patterns[i].check);
	append_rest(text, object->pattern_count);
	append_labelled(w, text, "additional", &object->additional_check);
	append_labelled(w, text, "names", &object->names_check);
	append_limits(text, object->min_properties, object->most_properties);
}

static void
append_array_checks(TextWriter *w, StringInfo text, const EvArray *array)
{
	for (uint32 i = 0; i < Min(array->prefix_count, LISTED); i++)
		append_labelled(w, text, psprintf("%u", i), &array->prefix_checks[i]);
	append_rest(text, array->prefix_count);
	append_labelled(w, text, "items", &array->items_check);
	if (array->contains != EV_BLOCK_NONE)
		append_labelled(w, text, "contains", &array->contains_check);
	append_limits(text, array->min_items, array->max_items);
	if (array->unique_items)
		appendStringInfoString(text, " unique");
}

/* Appends the parts of TRACK that are known at compile time. */
static void
append_tracked(TextWriter *w, StringInfo text, const EvTracked *tracked, uint32 block)
{
	append_types(text, tracked->types, false);
	if (tracked->object != NULL)
		appendStringInfo(text, " see: %u", number_of(w, tracked->object, NULL, block));
	if (tracked->array != NULL)
		appendStringInfo(text, " see: %u", number_of(w, NULL, tracked->array, block));
	append_block(text, "rest", tracked->rest);
	append_labelled(w, text, "unevaluated", &tracked->unevaluated);
}

/*
 * Returns the checks that an instruction has on the fast path; NULL if it has
 * none.
 */
static char *
fast_text(TextWriter *w, uint32 index)
{
	const EvInstruction *instruction = &w->program->code[index];
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "fast path of %u:", index);
	if (instruction->opcode == EVOP_OBJECT)
		append_object_checks(w, &text, instruction->u.object);
	else if (instruction->opcode == EVOP_ARRAY)
		append_array_checks(w, &text, instruction->u.array);
	else if (instruction->opcode == EVOP_ANY_OF || instruction->opcode == EVOP_ONE_OF)
	{
		const EvBranches *branches = instruction->u.branches;

		for (uint32 i = 0; i < Min(branches->count, LISTED); i++)
		{
			appendStringInfo(&text, " %u:", i);
			append_check(w, &text, &branches->checks[i]);
		}
		append_rest(&text, branches->count);
	}
	else if (instruction->opcode == EVOP_REMEMBER)
		append_check(w, &text, instruction->u.check);
	else if (instruction->opcode == EVOP_TRACK && instruction->u.tracked != NULL)
		append_tracked(w, &text, instruction->u.tracked, index);
	else
		return NULL;
	return text.data;
}

static char *
root_text(TextWriter *w, const char *entry)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "fast path: %s, root:", entry);
	append_check(w, &text, &w->program->root);
	return text.data;
}

static char *
merged_text(TextWriter *w, const Merged *merged)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "fast path %u, merged", merged->number);
	append_block(&text, "for", merged->block);
	appendStringInfoChar(&text, ':');
	if (merged->object != NULL)
		append_object_checks(w, &text, merged->object);
	else
		append_array_checks(w, &text, merged->array);
	return text.data;
}

/* ---------- the whole program ---------- */

/* Numbers the objects and arrays of instructions. */
static void
number_instructions(TextWriter *w)
{
	for (uint32 i = 0; i < w->program->code_length; i++)
	{
		const EvInstruction *instruction = &w->program->code[i];
		const void *key = instruction->opcode == EVOP_OBJECT ? (const void *) instruction->u.object :
			instruction->opcode == EVOP_ARRAY ? instruction->u.array : NULL;
		bool		found;
		NumberedObject *numbered;

		if (key == NULL)
			continue;
		numbered = hash_search(w->numbers, &key, HASH_ENTER, &found);
		if (!found)
			numbered->number = i;
	}
}

void
ev_program_text(const EvProgram *program, const char *entry, EvLineFunction line, void *arg)
{
	HASHCTL		control = {.keysize = sizeof(void *), .entrysize = sizeof(NumberedObject), .hcxt = CurrentMemoryContext};
	TextWriter	w = {.program = program, .next = program->code_length, .context = CurrentMemoryContext};
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "event_validate program text",
												  ALLOCSET_DEFAULT_SIZES);

	w.numbers = hash_create("event_validate numbers", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	number_instructions(&w);
	MemoryContextSwitchTo(scratch);
	for (uint32 i = 0; i < program->code_length; i++)
	{
		CHECK_FOR_INTERRUPTS();
		line(instruction_text(program, i), arg);
		MemoryContextReset(scratch);
	}
	line(root_text(&w, entry), arg);
	for (uint32 i = 0; i < program->code_length; i++)
	{
		char	   *text = fast_text(&w, i);

		CHECK_FOR_INTERRUPTS();
		if (text != NULL)
			line(text, arg);
		MemoryContextReset(scratch);
	}
	/* the list grows while its members refer to others */
	for (int i = 0; i < list_length(w.merged); i++)
	{
		CHECK_FOR_INTERRUPTS();
		line(merged_text(&w, list_nth(w.merged, i)), arg);
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(w.context);
	MemoryContextDelete(scratch);
	hash_destroy(w.numbers);
}
