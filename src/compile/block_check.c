/*
 * block_check.c
 *	  Derives the check of a block, for the fast path.
 */
#include "postgres.h"

#include "base/short_string.h"
#include "compile/optimize_internal.h"
#include "match/key_cache.h"

/* Greater than any integer of 16 decimal digits. */
#define BEYOND_INTEGERS	INT64CONST(10000000000000000)

/*
 * Returns the smallest (sign 1) or the negated greatest (sign -1) valid
 * integer of a bound, among integers of up to 16 decimal digits; a value
 * beyond them if none or all are valid.
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
	/* round up to the next integer */
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

/* Returns the type that an instruction applies to; EV_TYPE_COUNT for all. */
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

static EvCheck
check_of_assertion(const EvInstruction *assertion, EvCheck check)
{
	switch ((EvOpcode) assertion->opcode)
	{
		case EVOP_ENUM_STRINGS:
			check.kind = EV_CHECK_STRINGS;
			check.u.enumeration = assertion->u.enumeration;
			break;
		case EVOP_LENGTH:
			check.kind = EV_CHECK_LENGTH;
			check.u.size.minimum = assertion->u.size.minimum;
			check.u.size.maximum = assertion->u.size.maximum;
			break;
		case EVOP_PATTERN:
			check.kind = assertion->u.pattern.shape != NULL ? EV_CHECK_SHAPE : EV_CHECK_PATTERN;
			if (assertion->u.pattern.shape != NULL)
				check.u.shape = assertion->u.pattern.shape;
			else
				check.u.pattern = assertion->u.pattern.compiled;
			break;
		case EVOP_FORMAT:
			check.kind = EV_CHECK_FORMAT;
			check.u.format = assertion->u.format->matches;
			break;
		case EVOP_OBJECT:
			check.kind = EV_CHECK_OBJECT;
			check.u.object = assertion->u.object;
			break;
		case EVOP_ARRAY:
			check.kind = EV_CHECK_ARRAY;
			check.u.array = assertion->u.array;
			break;
		default:
			Assert(false);
	}
	return check;
}

static const uint8 checked_types[] = {
#define EV_CHECK(name, checked, description) checked,
	EV_CHECKS(EV_CHECK)
#undef EV_CHECK
};

/*
 * A nullable type is also written as anyOf with the type null: the check is
 * that of the other branch, with null valid.
 */
static bool
make_nullable(const EvOptimizer *o, const EvBranches *branches, int hops, EvCheck *check)
{
	EvCheck		checks[2];

	if (branches->count != 2)
		return false;
	for (int i = 0; i < 2; i++)
		checks[i] = ev_derive_check(o, branches->blocks[i], hops);
	for (int i = 0; i < 2; i++)
	{
		const EvCheck *null = &checks[i];
		const EvCheck *other = &checks[1 - i];

		if (null->kind == EV_CHECK_TYPE && null->types == EV_BIT(EV_NULL) &&
			other->kind != EV_CHECK_BLOCK && other->kind != EV_CHECK_TRUE &&
			(other->types & EV_BIT(EV_NULL)) == 0)
		{
			*check = *other;
			check->types |= EV_BIT(EV_NULL);
			return true;
		}
	}
	return false;
}

/* The check of a block while its instructions are read. */
typedef struct Single
{
	EvCheck		check;			/* so far */
	EvType		about;			/* the type that its instructions apply to;
								 * EV_TYPE_COUNT: none so far */
	const EvInstruction *assertion; /* the only one, or NULL */
	const EvInstruction *low;	/* bounds, or NULL */
	const EvInstruction *high;
} Single;

/*
 * Adds an enumeration of values that are not strings.  Returns false if no
 * check can express it.
 */
static bool
take_enum(Single *single, const EvInstruction *instruction)
{
	const EvEnum *enumeration = instruction->u.enumeration;

	if (enumeration->digits != NULL)
	{
		single->check.types &= EV_BIT(EV_NUMBER);
		if (single->assertion != NULL)
			return false;
		single->assertion = instruction;
		return true;
	}
	/* with only null, true and false */
	if ((enumeration->types & ~(EV_BOOLEAN_BITS | EV_BIT(EV_NULL))) != 0)
		return false;
	single->check.types &= enumeration->types;
	return true;
}

static bool
take_bound(Single *single, const EvInstruction *instruction)
{
	bool		is_low = instruction->u.bound.kind == EV_MINIMUM || instruction->u.bound.kind == EV_EXCLUSIVE_MINIMUM;
	const EvInstruction **bound = is_low ? &single->low : &single->high;

	if (*bound != NULL)
		return false;
	*bound = instruction;
	return true;
}

/* Adds one instruction.  Returns false if the block is more than one check. */
static bool
take_instruction(Single *single, const EvInstruction *instruction)
{
	EvType		subject = subject_of(instruction);

	/* all instructions must apply to one type */
	if (subject != EV_TYPE_COUNT)
	{
		if (single->about != EV_TYPE_COUNT && single->about != subject)
			return false;
		single->about = subject;
	}

	switch ((EvOpcode) instruction->opcode)
	{
		case EVOP_TYPE:
			single->check.types &= instruction->u.type.types;
			single->check.integer = instruction->u.type.integer;
			return true;
		case EVOP_SKIP_UNLESS:
			return true;
		case EVOP_ENUM:
			return take_enum(single, instruction);
		case EVOP_ENUM_STRINGS:
		case EVOP_LENGTH:
		case EVOP_PATTERN:
		case EVOP_FORMAT:
		case EVOP_OBJECT:
		case EVOP_ARRAY:
			if (single->assertion != NULL)
				return false;
			if (instruction->opcode == EVOP_ENUM_STRINGS)
				single->check.types &= EV_BIT(EV_STRING);
			single->assertion = instruction;
			return true;
		case EVOP_BOUND:
			return take_bound(single, instruction);
		default:
			return false;
	}
}

/*
 * Combines the instructions of a block into one check; returns `general` if
 * there is no such check.
 */
static EvCheck
finish_single(const Single *single, EvCheck general)
{
	EvCheck		check = single->check;
	const EvInstruction *low = single->low;
	const EvInstruction *high = single->high;

	if (single->assertion != NULL && single->assertion->opcode == EVOP_ENUM)
	{
		/* a combination with bounds or "integer" is rare */
		if (low != NULL || high != NULL || check.integer)
			return general;
		check.kind = EV_CHECK_NUMBERS;
		check.u.enumeration = single->assertion->u.enumeration;
		return check;
	}
	if (single->about == EV_NUMBER || (single->about == EV_TYPE_COUNT && check.integer))
	{
		if (low != NULL && high == NULL && ev_number_read(low->u.bound.value).count == 0)
		{
			check.kind = EV_CHECK_SIGN;
			check.u.zero_is_valid = low->u.bound.kind == EV_MINIMUM;
			return check;
		}
		check.kind = EV_CHECK_NUMBER;
		check.u.bounds = low != NULL || high != NULL ? make_bounds(low, high) : NULL;
		return check;
	}
	/* "integer" with keywords for strings is rare */
	if (check.integer)
		return general;
	return single->assertion != NULL ? check_of_assertion(single->assertion, check) : check;
}

static EvCheck
check_of_merge(const EvMerge *merge, EvCheck check)
{
	check.types = merge->types;
	check.kind = merge->subject == EV_OBJECT ? EV_CHECK_OBJECT : merge->subject == EV_ARRAY ? EV_CHECK_ARRAY : EV_CHECK_TYPE;
	if (merge->subject == EV_OBJECT)
		check.u.object = merge->object;
	else if (merge->subject == EV_ARRAY)
		check.u.array = merge->array;
	return check;
}

/* Returns the check of a block that is only one applicator. */
static EvCheck
check_of_applicator(const EvOptimizer *o, const EvInstruction *instruction, int hops, EvCheck general)
{
	EvCheck		check;

	if (instruction->opcode == EVOP_CALL || instruction->opcode == EVOP_CALL_REF)
	{
		if (hops > 0 && instruction->target < EV_BLOCK_TRUE)
		{
			check = ev_derive_check(o, instruction->target, hops - 1);
			if (check.kind != EV_CHECK_BLOCK)
				return check;
		}
		return general;
	}
	if (hops > 0 && make_nullable(o, instruction->u.branches, hops - 1, &check))
		return check;
	if (instruction->u.branches->disjoint || instruction->u.branches->discriminator.data != NULL)
	{
		general.kind = EV_CHECK_BRANCHES;
		general.u.branches = instruction->u.branches;
	}
	return general;
}

static bool
is_applicator(const EvInstruction *instruction)
{
	return instruction->opcode == EVOP_CALL || instruction->opcode == EVOP_CALL_REF ||
		instruction->opcode == EVOP_ANY_OF || instruction->opcode == EVOP_ONE_OF;
}

EvCheck
ev_derive_check(const EvOptimizer *o, uint32 block, int hops)
{
	const EvInstruction *instruction = &o->program->code[block];
	EvCheck		general = {.kind = EV_CHECK_BLOCK, .types = EV_ALL_TYPES, .block = block};
	Single		single = {.about = EV_TYPE_COUNT};

	if (block >= EV_BLOCK_TRUE)
	{
		general.kind = EV_CHECK_TRUE;
		return general;
	}
	single.check = general;
	single.check.kind = EV_CHECK_TYPE;
	if (o->merges[block] != NULL && o->merges[block]->is_whole)
		return check_of_merge(o->merges[block], single.check);
	if (is_applicator(instruction) && instruction[1].opcode == EVOP_RETURN)
		return check_of_applicator(o, instruction, hops, general);
	for (; instruction->opcode != EVOP_RETURN; instruction++)
	{
		if (instruction->opcode == EVOP_FAIL)
		{
			/* no value is valid, whatever the other instructions are */
			single.check.kind = EV_CHECK_TYPE;
			single.check.types = 0;
			return single.check;
		}
		if (!take_instruction(&single, instruction))
			return general;
	}
	return finish_single(&single, general);
}

/* Makes the check of one short string compare a word. */
static void
make_word(EvCheck *check)
{
	const EvInstance *value = check->u.enumeration->values;
	char		padded[2 * sizeof(uint64)] = {0};

	if (check->u.enumeration->count != 1 || value->length > sizeof(uint64))
		return;
	check->kind = EV_CHECK_WORD;
	check->length = value->length;
	memcpy(padded + sizeof(padded) - value->length, value->data, value->length);
	check->u.word = ev_tail_word(padded + sizeof(padded), value->length);
}

EvCheck
ev_make_check(const EvOptimizer *o, uint32 block)
{
	EvCheck		check = ev_derive_check(o, block, EV_MAX_HOPS);

	if (check.kind == EV_CHECK_STRINGS)
		make_word(&check);
	check.checked = checked_types[check.kind];
	return check;
}

/* ---------- objects ---------- */

/*
 * Up to this number, required names are searched one by one if there are no
 * other keywords.
 */
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
	if (object->pattern_count == 0 && object->additional_check.types == 0)
		object->most_properties = Min(object->most_properties, object->property_count);
	object->is_map = object->property_count == 0 && object->pattern_count == 0 &&
		object->additional_check.kind != EV_CHECK_PENDING;
	object->only_requires = object->required_count > 0 && object->required_count <= FEW_NAMES &&
		object->required_count == object->property_count && object->pattern_count == 0 &&
		object->additional_check.kind == EV_CHECK_TRUE && object->names_check.kind == EV_CHECK_TRUE;
	object->is_open = object->pattern_count == 0 && object->additional_check.kind == EV_CHECK_TRUE &&
		object->names_check.kind == EV_CHECK_TRUE;
	for (uint32 i = 0; i < object->property_count; i++)
	{
		if (object->properties[i].check.kind != EV_CHECK_TRUE)
			object->only_requires = false;
		if (object->properties[i].check.kind == EV_CHECK_PENDING)
			object->is_open = false;
	}
	object->has_key_sets = !object->is_map && !object->only_requires;
	object->seen = ev_seen_keys();
}
