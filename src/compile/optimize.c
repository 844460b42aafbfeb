/*
 * optimize.c
 *	  A pass over a finished program that prepares its fast way.
 *
 * Blocks that come to a single check become leaves, which the loops over
 * properties and items do themselves; the branches of anyOf and oneOf are
 * looked at for what tells them apart.  The instructions stay as they are:
 * the collecting run uses them, and the two must agree.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "base/short_string.h"
#include "compile/optimize_internal.h"
#include "jsonb/jsonb_value.h"
#include "match/match_internal.h"
#include "match/key_cache.h"

/* References are followed this far. */
#define MAX_HOPS	8

/* ---------- leaves ---------- */

/* More than any integer of 16 decimal digits. */
#define BEYOND_INTEGERS	INT64CONST(10000000000000000)

/*
 * The least (sign 1) or the negated greatest (sign -1) integer that a bound
 * lets pass, of those of up to 16 decimal digits: beyond them where none or all
 * do.
 */
static int64
integer_bound(const EvDigits *bound, int sign, bool exclusive)
{
	int64		whole = 0;
	bool		fraction = bound->count > bound->weight + 1;
	bool		negative = bound->negative == (sign > 0);

	if (bound->count == 0)
		return exclusive ? 1 : 0;
	if (bound->weight >= 4)
		whole = BEYOND_INTEGERS;
	else
		for (int i = 0; i <= bound->weight; i++)
			whole = whole * 10000 + (i < bound->count ? bound->digits[i] : 0);
	/* up to the next integer */
	if (negative)
		return -whole + (exclusive && !fraction ? 1 : 0);
	return whole + (exclusive || fraction ? 1 : 0);
}

static const EvBounds *
make_bounds(const EvInstruction *low, const EvInstruction *high)
{
	EvBounds   *bounds = palloc0(sizeof(EvBounds));

	bounds->low_integer = -BEYOND_INTEGERS;
	bounds->high_integer = BEYOND_INTEGERS;
	if (low != NULL)
	{
		bounds->low = low->u.bound.value;
		bounds->low_digits = ev_number_read(bounds->low);
		bounds->low_exclusive = low->u.bound.kind == EV_EXCLUSIVE_MINIMUM;
		bounds->low_integer = integer_bound(&bounds->low_digits, 1, bounds->low_exclusive);
	}
	if (high != NULL)
	{
		bounds->high = high->u.bound.value;
		bounds->high_digits = ev_number_read(bounds->high);
		bounds->high_exclusive = high->u.bound.kind == EV_EXCLUSIVE_MAXIMUM;
		bounds->high_integer = -integer_bound(&bounds->high_digits, -1, bounds->high_exclusive);
	}
	return bounds;
}

/* The type that an instruction is about; EV_TYPE_COUNT: all. */
static EvType
subject_of(const EvInstruction *instruction)
{
	switch ((EvOpcode) instruction->opcode)
	{
		case EVOP_ENUM_STRINGS:
		case EVOP_LENGTH:
		case EVOP_PATTERN:
		case EVOP_FORMAT:
			return EV_STRING;
		case EVOP_BOUND:
			return EV_NUMBER;
		case EVOP_ENUM:
			return instruction->u.enumeration->digits != NULL ? EV_NUMBER : EV_TYPE_COUNT;
		case EVOP_OBJECT:
			return EV_OBJECT;
		case EVOP_ARRAY:
			return EV_ARRAY;
		default:
			return EV_TYPE_COUNT;
	}
}

static EvLeaf
leaf_of_check(const EvInstruction *check, EvLeaf leaf)
{
	switch ((EvOpcode) check->opcode)
	{
		case EVOP_ENUM_STRINGS:
			leaf.kind = EV_LEAF_STRINGS;
			leaf.u.enumeration = check->u.enumeration;
			break;
		case EVOP_LENGTH:
			leaf.kind = EV_LEAF_LENGTH;
			leaf.u.size.minimum = check->u.size.minimum;
			leaf.u.size.maximum = check->u.size.maximum;
			break;
		case EVOP_PATTERN:
			leaf.kind = check->u.pattern.shape != NULL ? EV_LEAF_SHAPE : EV_LEAF_PATTERN;
			if (check->u.pattern.shape != NULL)
				leaf.u.shape = check->u.pattern.shape;
			else
				leaf.u.pattern = check->u.pattern.compiled;
			break;
		case EVOP_FORMAT:
			leaf.kind = EV_LEAF_FORMAT;
			leaf.u.format = check->u.format->matches;
			break;
		case EVOP_OBJECT:
			leaf.kind = EV_LEAF_OBJECT;
			leaf.u.object = check->u.object;
			break;
		case EVOP_ARRAY:
			leaf.kind = EV_LEAF_ARRAY;
			leaf.u.array = check->u.array;
			break;
		default:
			Assert(false);
	}
	return leaf;
}

static const uint8 checked_types[] = {
#define EV_LEAF(name, checked, description) checked,
	EV_LEAVES(EV_LEAF)
#undef EV_LEAF
};

static EvLeaf derive_leaf(const EvOptimizer *o, uint32 block, int hops);

/*
 * [T, null] is written as anyOf, too: the other branch's leaf, and null is
 * valid.
 */
static bool
make_nullable(const EvOptimizer *o, const EvBranches *branches, int hops, EvLeaf *leaf)
{
	EvLeaf		leaves[2];

	if (branches->count != 2)
		return false;
	for (int i = 0; i < 2; i++)
		leaves[i] = derive_leaf(o, branches->blocks[i], hops);
	for (int i = 0; i < 2; i++)
	{
		const EvLeaf *null = &leaves[i];
		const EvLeaf *other = &leaves[1 - i];

		if (null->kind == EV_LEAF_TYPE && null->types == EV_BIT(EV_NULL) &&
			other->kind != EV_LEAF_BLOCK && other->kind != EV_LEAF_TRUE &&
			(other->types & EV_BIT(EV_NULL)) == 0)
		{
			*leaf = *other;
			leaf->types |= EV_BIT(EV_NULL);
			return true;
		}
	}
	return false;
}

static EvLeaf
derive_leaf(const EvOptimizer *o, uint32 block, int hops)
{
	const EvProgram *program = o->program;
	const EvInstruction *instruction = &program->code[block];
	const EvInstruction *check = NULL;
	const EvInstruction *low = NULL;
	const EvInstruction *high = NULL;
	EvLeaf		general = {.kind = EV_LEAF_BLOCK, .types = EV_ALL_TYPES, .block = block};
	EvLeaf		leaf = {.kind = EV_LEAF_TYPE, .types = EV_ALL_TYPES, .block = block};
	EvType		about = EV_TYPE_COUNT;

	if (block >= EV_BLOCK_TRUE)
	{
		general.kind = EV_LEAF_TRUE;
		return general;
	}
	if (o->fusions[block] != NULL && o->fusions[block]->is_whole)
	{
		const EvFusion *fusion = o->fusions[block];

		leaf.types = fusion->types;
		leaf.kind = fusion->subject == EV_OBJECT ? EV_LEAF_OBJECT : fusion->subject == EV_ARRAY ? EV_LEAF_ARRAY : EV_LEAF_TYPE;
		if (fusion->subject == EV_OBJECT)
			leaf.u.object = fusion->object;
		else if (fusion->subject == EV_ARRAY)
			leaf.u.array = fusion->array;
		return leaf;
	}
	for (;; instruction++)
	{
		EvType		subject = subject_of(instruction);

		/* all checks must be about one type */
		if (subject != EV_TYPE_COUNT)
		{
			if (about != EV_TYPE_COUNT && about != subject)
				return general;
			about = subject;
		}

		switch ((EvOpcode) instruction->opcode)
		{
			case EVOP_RETURN:
				goto done;
			case EVOP_FAIL:
				/* nothing is valid, whatever else is said */
				leaf.kind = EV_LEAF_TYPE;
				leaf.types = 0;
				return leaf;
			case EVOP_TYPE:
				leaf.types &= instruction->u.type.types;
				leaf.integer = instruction->u.type.integer;
				break;
			case EVOP_SKIP_UNLESS:
				break;
			case EVOP_ENUM:
				if (instruction->u.enumeration->digits != NULL)
				{
					leaf.types &= EV_BIT(EV_NUMBER);
					if (check != NULL)
						return general;
					check = instruction;
					break;
				}
				/* of null, true and false only */
				if ((instruction->u.enumeration->types & ~(EV_BOOLEAN_BITS | EV_BIT(EV_NULL))) != 0)
					return general;
				leaf.types &= instruction->u.enumeration->types;
				break;
			case EVOP_ENUM_STRINGS:
			case EVOP_LENGTH:
			case EVOP_PATTERN:
			case EVOP_FORMAT:
			case EVOP_OBJECT:
			case EVOP_ARRAY:
				if (check != NULL)
					return general;
				if (instruction->opcode == EVOP_ENUM_STRINGS)
					leaf.types &= EV_BIT(EV_STRING);
				check = instruction;
				break;
			case EVOP_BOUND:
				if (instruction->u.bound.kind == EV_MINIMUM || instruction->u.bound.kind == EV_EXCLUSIVE_MINIMUM)
				{
					if (low != NULL)
						return general;
					low = instruction;
				}
				else
				{
					if (high != NULL)
						return general;
					high = instruction;
				}
				break;
			case EVOP_CALL_REF:
			case EVOP_CALL:
				/* an alias: nothing before it and nothing after */
				if (instruction == &program->code[block] && hops > 0 &&
					instruction[1].opcode == EVOP_RETURN && instruction->target < EV_BLOCK_TRUE)
				{
					leaf = derive_leaf(o, instruction->target, hops - 1);
					if (leaf.kind != EV_LEAF_BLOCK)
						return leaf;
				}
				return general;
			case EVOP_ANY_OF:
			case EVOP_ONE_OF:
				if (instruction == &program->code[block] && hops > 0 &&
					instruction[1].opcode == EVOP_RETURN &&
					make_nullable(o, instruction->u.branches, hops - 1, &leaf))
					return leaf;
				if (instruction == &program->code[block] && instruction[1].opcode == EVOP_RETURN &&
					(instruction->u.branches->disjoint || instruction->u.branches->discriminator.data != NULL))
				{
					general.kind = EV_LEAF_BRANCHES;
					general.u.branches = instruction->u.branches;
				}
				return general;
			default:
				return general;
		}
	}

done:
	if (check != NULL && check->opcode == EVOP_ENUM)
	{
		/* with bounds or "integer" as well: the rare general case */
		if (low != NULL || high != NULL || leaf.integer)
			return general;
		leaf.kind = EV_LEAF_NUMBERS;
		leaf.u.enumeration = check->u.enumeration;
		return leaf;
	}
	if (about == EV_NUMBER || (about == EV_TYPE_COUNT && leaf.integer))
	{
		if (low != NULL && high == NULL && ev_number_read(low->u.bound.value).count == 0)
		{
			leaf.kind = EV_LEAF_SIGN;
			leaf.u.zero_is_valid = low->u.bound.kind == EV_MINIMUM;
			return leaf;
		}
		leaf.kind = EV_LEAF_NUMBER;
		leaf.u.bounds = low != NULL || high != NULL ? make_bounds(low, high) : NULL;
		return leaf;
	}
	/* "integer" beside a string's keywords: the rare general case */
	if (leaf.integer)
		return general;
	return check != NULL ? leaf_of_check(check, leaf) : leaf;
}

/* One short string is compared as a word. */
static void
make_word(EvLeaf *leaf)
{
	const EvInstance *value = leaf->u.enumeration->values;
	char		padded[2 * sizeof(uint64)] = {0};

	if (leaf->u.enumeration->count != 1 || value->length > sizeof(uint64))
		return;
	leaf->kind = EV_LEAF_WORD;
	leaf->length = value->length;
	memcpy(padded + sizeof(padded) - value->length, value->data, value->length);
	leaf->u.word = ev_tail_word(padded + sizeof(padded), value->length);
}

EvLeaf
ev_make_leaf(const EvOptimizer *o, uint32 block)
{
	EvLeaf		leaf = derive_leaf(o, block, MAX_HOPS);

	if (leaf.kind == EV_LEAF_STRINGS)
		make_word(&leaf);
	leaf.checked = checked_types[leaf.kind];
	return leaf;
}

/* ---------- enum ---------- */

/* So many values that are not all strings are compared one by one. */
#define FEW_VALUES		8

/* A table that is to be a quarter full at most. */
static void
make_slots(EvEnum *enumeration)
{
	int			bits = pg_leftmost_one_pos32(Max(enumeration->count, 1)) + 3;

	enumeration->slot_mask = (1 << bits) - 1;
	enumeration->hash_shift = 64 - bits;
	enumeration->slots = palloc(sizeof(int32) << bits);
	memset(enumeration->slots, -1, sizeof(int32) << bits);
}

/* Strings are found by hash. */
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

/* Numbers are read in advance; many values of any kind are found by hash. */
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

/* A set of types that is known has this bit besides. */
#define TYPES_KNOWN		0x80

StaticAssertDecl(EV_ALL_TYPES < TYPES_KNOWN, "there is a bit besides the types");

/* The types that a block may find valid. */
static uint32
block_types(EvOptimizer *o, uint32 block, int hops)
{
	const EvProgram *program = o->program;
	uint32		types = EV_ALL_TYPES;
	uint8	   *known;

	if (block >= EV_BLOCK_TRUE)
		return types;
	if (o->types == NULL)
		o->types = palloc_extended((MAX_HOPS + 1) * (Size) program->length, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
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
		if (types == 0)
			break;
	}
	*known = types | TYPES_KNOWN;
	return types;
}

/* The properties that a block asks of an object; NULL: none, or not only there. */
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

static const EvProperty *
find_property(const EvObject *object, EvString name)
{
	bool		found;
	uint32		at = ev_seek_property(object, 0, name, &found);

	return found ? &object->properties[at] : NULL;
}

/* The constant strings that a property must have; NULL: it may be other things. */
static const EvEnum *
constant_strings(const EvOptimizer *o, const EvProperty *property)
{
	EvLeaf		leaf;

	if (property == NULL || !property->required || property->block >= EV_BLOCK_TRUE)
		return NULL;
	leaf = derive_leaf(o, property->block, MAX_HOPS);
	return leaf.kind == EV_LEAF_STRINGS && leaf.types == EV_BIT(EV_STRING) ? leaf.u.enumeration : NULL;
}

static int
compare_branch_values(const void *a, const void *b)
{
	const EvString *x = &((const EvBranchValue *) a)->value;
	const EvString *y = &((const EvBranchValue *) b)->value;

	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return memcmp(x->data, y->data, x->length);
}

/* Does this property tell all branches apart?  Then they are told by it. */
static bool
discriminate(EvOptimizer *o, EvBranches *branches, const EvObject **objects, EvString name)
{
	uint32		count = 0;
	EvBranchValue *values;

	for (uint32 i = 0; i < branches->count; i++)
	{
		const EvEnum *strings = constant_strings(o, find_property(objects[i], name));

		CHECK_FOR_INTERRUPTS();
		if (strings == NULL || (o->strings_left -= strings->count + 1) < 0)
			return false;
		count += strings->count;
	}

	values = palloc(sizeof(EvBranchValue) * count);
	count = 0;
	for (uint32 i = 0; i < branches->count; i++)
	{
		const EvEnum *strings = constant_strings(o, find_property(objects[i], name));

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

	branches->leaves = palloc(sizeof(EvLeaf) * branches->count);
	branches->types = palloc(branches->count);
	branches->disjoint = true;
	for (uint32 i = 0; i < branches->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		branches->types[i] = (uint8) block_types(o, branches->blocks[i], MAX_HOPS);
		if ((seen & branches->types[i]) != 0)
			branches->disjoint = false;
		seen |= branches->types[i];
		objects[i] = block_object(program, branches->blocks[i], MAX_HOPS);
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

/* So many names are looked for one by one where nothing else is asked. */
#define FEW_NAMES		4

void
ev_finish_object(EvObject *object)
{
	for (uint32 i = 0; i < object->property_count; i++)
		ev_words(object->properties[i].name.data, object->properties[i].name.length, object->properties[i].words);
	object->by_length = NULL;
	if (object->property_count > 8)
	{
		uint32		length = 0;

		object->by_length = palloc(sizeof(uint32) * (EV_LONG_NAME + 1));
		for (uint32 i = 0; i < object->property_count; i++)
			while (length <= Min(object->properties[i].name.length, EV_LONG_NAME))
				object->by_length[length++] = i;
		while (length <= EV_LONG_NAME)
			object->by_length[length++] = object->property_count;
	}
	object->most_properties = object->max_properties;
	if (object->pattern_count == 0 && object->additional_leaf.types == 0)
		object->most_properties = Min(object->most_properties, object->property_count);
	object->is_map = object->property_count == 0 && object->pattern_count == 0 &&
		object->additional_leaf.kind != EV_LEAF_DOUBT;
	object->only_requires = object->required_count > 0 && object->required_count <= FEW_NAMES &&
		object->required_count == object->property_count && object->pattern_count == 0 &&
		object->additional_leaf.kind == EV_LEAF_TRUE && object->names_leaf.kind == EV_LEAF_TRUE;
	object->is_open = object->pattern_count == 0 && object->additional_leaf.kind == EV_LEAF_TRUE &&
		object->names_leaf.kind == EV_LEAF_TRUE;
	for (uint32 i = 0; i < object->property_count; i++)
	{
		if (object->properties[i].leaf.kind != EV_LEAF_TRUE)
			object->only_requires = false;
		if (object->properties[i].leaf.kind == EV_LEAF_DOUBT)
			object->is_open = false;
	}
	object->has_key_sets = !object->is_map && !object->only_requires;
	object->seen = ev_seen_keys();
}

static void
optimize_object(const EvOptimizer *o, EvObject *object)
{
	for (uint32 i = 0; i < object->pattern_count; i++)
		object->patterns[i].leaf = ev_make_leaf(o, object->patterns[i].block);
	object->additional_leaf = ev_make_leaf(o, object->additional);
	object->names_leaf = ev_make_leaf(o, object->names);
	object->is_resolved = true;
	for (uint32 i = 0; i < object->property_count; i++)
	{
		EvProperty *property = &object->properties[i];

		if (object->is_resolved && ev_resolve_property(o, object, property->name, &property->leaf))
			continue;
		object->is_resolved = false;
		property->leaf = ev_make_leaf(o, property->block);
	}
	ev_finish_object(object);
}

static void
optimize_array(const EvOptimizer *o, EvArray *array)
{
	array->prefix_leaves = palloc(sizeof(EvLeaf) * array->prefix_count);
	for (uint32 i = 0; i < array->prefix_count; i++)
		array->prefix_leaves[i] = ev_make_leaf(o, array->prefix[i]);
	array->items_leaf = ev_make_leaf(o, array->items);
	array->contains_leaf = ev_make_leaf(o, array->contains);
}

void
ev_optimize(EvProgram *program)
{
	EvOptimizer o = {.program = program};

	/* what leaves point to comes first */
	for (uint32 i = 0; i < program->length; i++)
	{
		EvInstruction *instruction = &program->code[i];

		if (instruction->opcode == EVOP_ENUM_STRINGS)
			optimize_enum(unconstify(EvEnum *, instruction->u.enumeration));
		else if (instruction->opcode == EVOP_ENUM)
			optimize_other_enum(unconstify(EvEnum *, instruction->u.enumeration));
	}
	o.fusions = palloc0(sizeof(EvFusion *) * Max(program->length, 1));
	o.strings_left = 100000 + 16 * (int64) program->length;
	for (uint32 i = 0; i < program->length; i++)
	{
		EvInstruction *instruction = &program->code[i];

		CHECK_FOR_INTERRUPTS();
		if (instruction->opcode == EVOP_ANY_OF || instruction->opcode == EVOP_ONE_OF)
			optimize_branches(&o, unconstify(EvBranches *, instruction->u.branches));
	}
	pfree(o.fusions);
	if (o.types != NULL)
		pfree(o.types);
	ev_find_repeats(program);
	ev_find_fusions(&o);
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
			EvLeaf	   *leaf = palloc(sizeof(EvLeaf));

			*leaf = ev_make_leaf(&o, instruction->target);
			instruction->u.leaf = leaf;
		}
		else if (instruction->opcode == EVOP_ANY_OF || instruction->opcode == EVOP_ONE_OF)
		{
			EvBranches *branches = unconstify(EvBranches *, instruction->u.branches);

			for (uint32 j = 0; j < branches->count; j++)
				branches->leaves[j] = ev_make_leaf(&o, branches->blocks[j]);
		}
	}
	ev_fill_fusions(&o);
	program->root = ev_make_leaf(&o, 0);
	program->match = ev_match_function(program);
	pfree(o.fusions);
}
