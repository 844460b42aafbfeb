/*
 * optimize.c
 *	  Prepares the fast path of a finished program.
 *
 * Blocks that reduce to a single check become checks, which the loops over
 * properties and items run without a call.  For anyOf and oneOf, it looks for
 * a discriminator of the branches.  The instructions stay unchanged:
 * EV_COLLECT mode runs them, and both must agree.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "base/short_string.h"
#include "compile/optimize_internal.h"
#include "jsonb/jsonb_value.h"
#include "match/interpret.h"
#include "match/match_checks.h"
#include "match/key_cache.h"

/* ---------- enum ---------- */

/*
 * Up to this number, values that are not all strings are compared one by one.
 */
#define FEW_VALUES		8

/* Makes a hash table that is at most a quarter full. */
static void
make_slots(EvEnum *enumeration)
{
	int			bits = pg_leftmost_one_pos32(Max(enumeration->count, 1)) + 3;

	enumeration->slot_mask = (1 << bits) - 1;
	enumeration->hash_shift = 64 - bits;
	enumeration->slots = palloc(sizeof(int32) << bits);
	memset(enumeration->slots, -1, sizeof(int32) << bits);
}

/* Prepares strings to be found by hash. */
static void
optimize_enum(EvEnum *enumeration)
{
	make_slots(enumeration);
	enumeration->words = palloc(sizeof(uint64) * 3 * Max(enumeration->count, 1));
	for (uint32 i = 0; i < enumeration->count; i++)
	{
		const EvInstance *value = &enumeration->values[i];
		uint64	   *words = &enumeration->words[3 * i];
		uint32		slot;

		ev_words(value->data, value->length, words);
		words[2] = value->length;
		CHECK_FOR_INTERRUPTS();
		slot = ev_string_hash(value->data, value->length, words) >> enumeration->hash_shift;
		while (enumeration->slots[slot] >= 0)
			slot = (slot + 1) & enumeration->slot_mask;
		enumeration->slots[slot] = i;
	}
}

/* Reads numbers in advance; many values of any type are found by hash. */
static void
optimize_other_enum(EvEnum *enumeration)
{
	if (enumeration->types == EV_BIT(EV_NUMBER))
	{
		enumeration->digits = palloc(sizeof(EvDigits) * enumeration->count);
		for (uint32 i = 0; i < enumeration->count; i++)
			enumeration->digits[i] = ev_number_read((Numeric) enumeration->values[i].data);
	}
	if (enumeration->count <= FEW_VALUES)
		return;
	make_slots(enumeration);
	for (uint32 i = 0; i < enumeration->count; i++)
	{
		uint32		slot = ev_value_slot(enumeration, &enumeration->values[i]);

		CHECK_FOR_INTERRUPTS();
		while (enumeration->slots[slot] >= 0)
			slot = (slot + 1) & enumeration->slot_mask;
		enumeration->slots[slot] = i;
	}
}

/* ---------- branches ---------- */

/* This bit marks a set of types that is known. */
#define TYPES_KNOWN		0x80

StaticAssertDecl(EV_ALL_TYPES < TYPES_KNOWN, "there is a bit besides the types");

static uint32 block_types(EvOptimizer *o, uint32 block, int hops);

/* Returns the types that can be valid for at least one of these branches. */
static uint32
branch_types(EvOptimizer *o, const EvBranches *branches, int hops)
{
	uint32		types = 0;

	for (uint32 i = 0; i < branches->count && types != EV_ALL_TYPES; i++)
		types |= block_types(o, branches->blocks[i], hops);
	return types;
}

/* Returns the types that can be valid for a block. */
static uint32
block_types(EvOptimizer *o, uint32 block, int hops)
{
	const EvProgram *program = o->program;
	uint32		types = EV_ALL_TYPES;
	uint8	   *known;

	if (block >= EV_BLOCK_TRUE)
		return types;
	if (o->types == NULL)
		o->types = palloc_extended((EV_MAX_HOPS + 1) * (Size) program->length, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	known = &o->types[(Size) hops * program->length + block];
	if (*known != 0)
		return *known & EV_ALL_TYPES;
	CHECK_FOR_INTERRUPTS();
	for (const EvInstruction *instruction = &program->code[block]; instruction->opcode != EVOP_RETURN; instruction++)
	{
		if (instruction->opcode == EVOP_FAIL)
			types = 0;
		else if (instruction->opcode == EVOP_TYPE)
			types &= instruction->u.type.types;
		else if (instruction->opcode == EVOP_ENUM || instruction->opcode == EVOP_ENUM_STRINGS)
			types &= instruction->u.enumeration->types;
		else if ((instruction->opcode == EVOP_CALL || instruction->opcode == EVOP_CALL_REF) && hops > 0)
			types &= block_types(o, instruction->target, hops - 1);
		else if ((instruction->opcode == EVOP_ANY_OF || instruction->opcode == EVOP_ONE_OF) && hops > 0)
			types &= branch_types(o, instruction->u.branches, hops - 1);
		if (types == 0)
			break;
	}
	*known = types | TYPES_KNOWN;
	return types;
}

/*
 * Returns the keywords for objects of a block; NULL if it has none, or others
 * too.
 */
static const EvObject *
block_object(const EvProgram *program, uint32 block, int hops)
{
	const EvObject *object = NULL;

	if (block >= EV_BLOCK_TRUE)
		return NULL;
	for (const EvInstruction *instruction = &program->code[block];; instruction++)
	{
		if (instruction->opcode == EVOP_RETURN || instruction->opcode == EVOP_FAIL)
			return object;
		if (instruction->opcode == EVOP_OBJECT)
			object = instruction->u.object;
		else if (instruction->opcode == EVOP_CALL_REF && object == NULL && hops > 0)
			object = block_object(program, instruction->target, hops - 1);
	}
}

/*
 * Returns the constant strings of a property; NULL if it may have other
 * values.
 */
static const EvEnum *
constant_strings(const EvOptimizer *o, const EvProperty *property)
{
	EvCheck		check;

	if (property == NULL || !property->required || property->block >= EV_BLOCK_TRUE)
		return NULL;
	check = ev_derive_check(o, property->block, EV_MAX_HOPS);
	return check.kind == EV_CHECK_STRINGS && check.types == EV_BIT(EV_STRING) ? check.u.enumeration : NULL;
}

static int
compare_branch_values(const void *a, const void *b)
{
	return ev_key_order(&((const EvBranchValue *) a)->value, &((const EvBranchValue *) b)->value);
}

/* Is this property a discriminator of all branches?  If so, uses it. */
static bool
discriminate(EvOptimizer *o, EvBranches *branches, const EvObject **objects, EvString name)
{
	uint32		count = 0;
	EvBranchValue *values;

	for (uint32 i = 0; i < branches->count; i++)
	{
		const EvEnum *strings = constant_strings(o, ev_declared_property(objects[i], name));

		CHECK_FOR_INTERRUPTS();
		if (strings == NULL || (o->strings_left -= strings->count + 1) < 0)
			return false;
		count += strings->count;
	}

	values = palloc(sizeof(EvBranchValue) * count);
	count = 0;
	for (uint32 i = 0; i < branches->count; i++)
	{
		const EvEnum *strings = constant_strings(o, ev_declared_property(objects[i], name));

		for (uint32 j = 0; j < strings->count; j++)
		{
			values[count].value = (EvString) {strings->values[j].data, strings->values[j].length};
			values[count++].branch = i;
		}
	}
	qsort(values, count, sizeof(EvBranchValue), compare_branch_values);
	for (uint32 i = 1; i < count; i++)
		if (compare_branch_values(&values[i - 1], &values[i]) == 0 && values[i - 1].branch != values[i].branch)
		{
			pfree(values);
			return false;
		}
	branches->discriminator = name;
	branches->values = values;
	branches->value_count = count;
	branches->strings = palloc0(sizeof(EvEnum));
	branches->strings->count = count;
	branches->strings->values = palloc0(sizeof(EvInstance) * count);
	for (uint32 i = 0; i < count; i++)
		branches->strings->values[i] = (EvInstance) {EV_STRING, values[i].value.length, values[i].value.data};
	optimize_enum(branches->strings);
	return true;
}

static void
optimize_branches(EvOptimizer *o, EvBranches *branches)
{
	const EvProgram *program = o->program;
	const EvObject **objects = palloc(sizeof(EvObject *) * branches->count);
	uint32		seen = 0;
	bool		all_objects = branches->count > 1;

	branches->checks = palloc(sizeof(EvCheck) * branches->count);
	branches->types = palloc(branches->count);
	branches->disjoint = true;
	for (uint32 i = 0; i < branches->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		branches->types[i] = (uint8) block_types(o, branches->blocks[i], EV_MAX_HOPS);
		if ((seen & branches->types[i]) != 0)
			branches->disjoint = false;
		seen |= branches->types[i];
		objects[i] = block_object(program, branches->blocks[i], EV_MAX_HOPS);
		if (objects[i] == NULL || branches->types[i] != EV_BIT(EV_OBJECT))
			all_objects = false;
	}
	for (uint32 i = 0; all_objects && o->strings_left > 0 && i < objects[0]->property_count; i++)
		if (constant_strings(o, &objects[0]->properties[i]) != NULL &&
			discriminate(o, branches, objects, objects[0]->properties[i].name))
			break;
	pfree(objects);
}

/* ---------- the pass ---------- */

static void
optimize_object(const EvOptimizer *o, EvObject *object)
{
	for (uint32 i = 0; i < object->pattern_count; i++)
		object->patterns[i].check = ev_make_check(o, object->patterns[i].block);
	object->additional_check = ev_make_check(o, object->additional);
	object->names_check = ev_make_check(o, object->names);
	object->is_resolved = true;
	for (uint32 i = 0; i < object->property_count; i++)
	{
		EvProperty *property = &object->properties[i];

		CHECK_FOR_INTERRUPTS();
		if (object->is_resolved && ev_resolve_property(o, object, property->name, &property->check))
			continue;
		object->is_resolved = false;
		property->check = ev_make_check(o, property->block);
	}
	ev_finish_object(object);
}

static void
optimize_array(const EvOptimizer *o, EvArray *array)
{
	array->prefix_checks = palloc(sizeof(EvCheck) * array->prefix_count);
	for (uint32 i = 0; i < array->prefix_count; i++)
		array->prefix_checks[i] = ev_make_check(o, array->prefix[i]);
	array->items_check = ev_make_check(o, array->items);
	array->contains_check = ev_make_check(o, array->contains);
}

void
ev_optimize(EvProgram *program)
{
	EvOptimizer o = {.program = program};

	/* first the operands of checks */
	for (uint32 i = 0; i < program->length; i++)
	{
		EvInstruction *instruction = &program->code[i];

		if (instruction->opcode == EVOP_ENUM_STRINGS)
			optimize_enum(unconstify(EvEnum *, instruction->u.enumeration));
		else if (instruction->opcode == EVOP_ENUM)
			optimize_other_enum(unconstify(EvEnum *, instruction->u.enumeration));
	}
	o.merges = palloc0(sizeof(EvMerge *) * Max(program->length, 1));
	o.strings_left = 100000 + 16 * (int64) program->length;
	for (uint32 i = 0; i < program->length; i++)
	{
		EvInstruction *instruction = &program->code[i];

		CHECK_FOR_INTERRUPTS();
		if (instruction->opcode == EVOP_ANY_OF || instruction->opcode == EVOP_ONE_OF)
			optimize_branches(&o, unconstify(EvBranches *, instruction->u.branches));
	}
	pfree(o.merges);
	if (o.types != NULL)
		pfree(o.types);
	ev_find_repeats(program);
	ev_find_merges(&o);
	for (uint32 i = 0; i < program->length; i++)
	{
		EvInstruction *instruction = &program->code[i];

		CHECK_FOR_INTERRUPTS();
		if (instruction->opcode == EVOP_OBJECT)
			optimize_object(&o, unconstify(EvObject *, instruction->u.object));
		else if (instruction->opcode == EVOP_ARRAY)
			optimize_array(&o, unconstify(EvArray *, instruction->u.array));
		else if (instruction->opcode == EVOP_REMEMBER)
		{
			EvCheck    *check = palloc(sizeof(EvCheck));

			*check = ev_make_check(&o, instruction->target);
			instruction->u.check = check;
		}
		else if (instruction->opcode == EVOP_ANY_OF || instruction->opcode == EVOP_ONE_OF)
		{
			EvBranches *branches = unconstify(EvBranches *, instruction->u.branches);

			for (uint32 j = 0; j < branches->count; j++)
				branches->checks[j] = ev_make_check(&o, branches->blocks[j]);
		}
	}
	ev_fill_merges(&o);
	program->root = ev_make_check(&o, 0);
	program->match = ev_match_function(program);
	pfree(o.merges);
}
