/*
 * match_checks.h
 *	  Checks of single values, which the fast matcher and the interpreter share.
 *
 * The inline functions run for most values on the fast path.
 */
#ifndef EV_MATCH_CHECKS_H
#define EV_MATCH_CHECKS_H

#include "miscadmin.h"

#include "base/encoding.h"
#include "base/short_string.h"
#include "jsonb/jsonb_number.h"
#include "jsonb/jsonb_value.h"
#include "program/program.h"

/* ---------- strings ---------- */

extern bool ev_matches_pattern(const EvPattern *pattern, const char *data, uint32 length);
extern bool ev_matches_format(EvFormatFunction matches, const char *data, uint32 length);

/*
 * Matches contentEncoding and contentMediaType, which draft 7 allows to be
 * asserted (validation, section 8): RFC 4648 base64, JSON, or base64 of JSON.
 */
extern bool ev_matches_content(const EvInstance *in, bool base64, bool json);

static inline bool
ev_has_length(const char *data, uint32 length, uint32 minimum, uint32 maximum)
{
	/* n bytes are at most n code points, and at least n / 4 */
	if (length < minimum)
		return false;
	if (length <= maximum && (length + 3) / 4 >= minimum)
		return true;
	CHECK_FOR_INTERRUPTS();
	length = ev_text_length(data, length);
	return length >= minimum && length <= maximum;
}

/* Returns the index of a string in an enumeration; -1 if it is not in it. */
static inline int
ev_find_string(const EvEnum *enumeration, const char *data, uint32 length)
{
	uint64		words[2];
	uint32		slot;

	/* a single string needs no hash, and its length usually decides */
	if (enumeration->count == 1)
		return length == enumeration->values[0].length &&
			memcmp(enumeration->values[0].data, data, length) == 0 ? 0 : -1;
	ev_words(data, length, words);
	slot = ev_string_hash(data, length, words) >> enumeration->hash_shift;
	for (;; slot = (slot + 1) & enumeration->slot_mask)
	{
		int			found = enumeration->slots[slot];
		const uint64 *value;

		if (found < 0)
			return -1;
		value = &enumeration->words[3 * found];
		if (((value[0] ^ words[0]) | (value[1] ^ words[1]) | (value[2] ^ length)) == 0 &&
			(length <= 16 || memcmp(enumeration->values[found].data, data, length) == 0))
			return found;
		CHECK_FOR_INTERRUPTS();
	}
}

static inline bool
ev_in_strings(const EvEnum *enumeration, const char *data, uint32 length)
{
	return ev_find_string(enumeration, data, length) >= 0;
}

/* ---------- numbers ---------- */

extern bool ev_within_bounds(const EvBounds *bounds, Numeric numeric);
extern bool ev_in_numbers(const EvEnum *enumeration, Numeric numeric);

static inline bool
ev_within_bound(const EvInstance *in, Numeric bound, uint32 kind)
{
	int			order = ev_number_compare((Numeric) in->data, bound);

	switch ((EvBoundKind) kind)
	{
		case EV_MINIMUM:
			return order >= 0;
		case EV_EXCLUSIVE_MINIMUM:
			return order > 0;
		case EV_MAXIMUM:
			return order <= 0;
		case EV_EXCLUSIVE_MAXIMUM:
			return order < 0;
	}
	return false;
}

static inline bool
ev_is_whole(const EvDigits *number)
{
	return number->count <= number->weight + 1 || number->count == 0;
}

static inline bool
ev_match_number(const EvCheck *check, Numeric numeric)
{
	const EvBounds *bounds = check->u.bounds;
	EvDigits	number = ev_number_read(numeric);

	if (bounds == NULL)
		return !check->integer || ev_is_whole(&number);

	/*
	 * Integers of up to 16 decimal digits have up to 4 digits of base 10000;
	 * most have one.  Count and weight are compared in one expression.
	 * Otherwise gcc stores both and loads them as one word, which stalls.
	 */
	if (((number.count ^ 1) | number.weight) == 0)
	{
		int32		value = number.negative ? -number.digits[0] : number.digits[0];

		return value >= bounds->low_integer && value <= bounds->high_integer;
	}
	if (number.count <= number.weight + 1 && number.weight < 4)
	{
		int64		value = number.count > 0 ? number.digits[0] : 0;

		for (int i = 1; i <= number.weight; i++)
			value = value * 10000 + (i < number.count ? number.digits[i] : 0);
		if (number.negative)
			value = -value;
		return value >= bounds->low_integer && value <= bounds->high_integer;
	}
	if (check->integer && !ev_is_whole(&number))
		return false;
	return ev_within_bounds(bounds, numeric);
}

static inline bool
ev_match_sign(const EvCheck *check, Numeric numeric)
{
	EvDigits	number;

	/* for most numbers that need not be integers, the header decides */
	if (!check->integer && ev_number_is_plainly_positive(numeric))
		return true;
	number = ev_number_read(numeric);
	if (check->integer && !ev_is_whole(&number))
		return false;
	return number.count == 0 ? check->u.zero_is_valid : !number.negative;
}

/* ---------- any value ---------- */

/* Is the instance one of the values of the enumeration? */
extern bool ev_in_values(const EvEnum *enumeration, const EvInstance *in);

/* ---------- objects and arrays ---------- */

/* Does an object have a key?  A binary search, like jsonb's own. */
extern bool ev_has_key(const JsonbContainer *container, EvString key);

/*
 * Returns the index of the first property, from `from` on, that is not before
 * the key in the key order of jsonb.
 */
extern uint32 ev_seek_property(const EvObject *object, uint32 from, EvString key, bool *found);

/* Returns the property with this name; NULL if the schema has none. */
extern const EvProperty *ev_declared_property(const EvObject *object, EvString name);

/* Returns the branch that has the discriminator's value; -1 if none has it. */
extern int	ev_discriminate(const EvBranches *branches, const JsonbContainer *container);

/* Returns false if the object lacks the property; otherwise its value in *value. */
extern bool ev_find_property(const JsonbContainer *container, EvString name, EvInstance *value);

/* Other results of ev_only_branch(). */
#define EV_ANY_BRANCH	(-1)	/* the branches must be tried */
#define EV_NO_BRANCH	(-2)

/*
 * Returns the only branch that can match, by the instance's type or its
 * discriminator.
 */
static inline int
ev_only_branch(const EvBranches *branches, EvInstance in)
{
	int			found = EV_NO_BRANCH;

	if (branches->discriminator.data != NULL)
	{
		if (in.type == EV_OBJECT)
			found = ev_discriminate(branches, (const JsonbContainer *) in.data);
		return found >= 0 ? found : EV_NO_BRANCH;
	}
	for (uint32 i = 0; i < branches->count; i++)
	{
		if ((branches->types[i] & EV_BIT(in.type)) == 0)
			continue;
		if (found != EV_NO_BRANCH)
			return EV_ANY_BRANCH;
		found = i;
	}
	return found;
}

extern EvInstance ev_item_at(const JsonbContainer *container, uint32 index);

/* Finds two equal items; false if all items differ. */
extern bool ev_find_duplicate(const JsonbContainer *container, uint32 *first, uint32 *second);

#endif							/* EV_MATCH_CHECKS_H */
