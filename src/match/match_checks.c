/*
 * match_checks.c
 *	  Checks of single values, which the fast matcher and the interpreter share.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "match/match_checks.h"

/* ---------- strings ---------- */

bool
ev_matches_pattern(const EvPattern *pattern, const char *data, uint32 length)
{
	EvUtf8		string;
	bool		ok;

	if (!ev_utf8_from_server(data, length, &string))
		return false;
	ok = ev_pattern_matches(pattern, string.data, string.length);
	ev_utf8_free(&string);
	return ok;
}

bool
ev_matches_format(EvFormatFunction matches, const char *data, uint32 length)
{
	EvUtf8		string;
	bool		ok;

	CHECK_FOR_INTERRUPTS();
	if (!ev_utf8_from_server(data, length, &string))
		return false;
	ok = matches(string.data, string.length);
	ev_utf8_free(&string);
	return ok;
}

/* Returns the value of a character of base64; -1 if it is none. */
static inline int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/*
 * Decodes RFC 4648 base64 in place.  Returns the number of bytes; -1 if it is
 * not base64.
 */
static int
decode_base64(char *text, int length)
{
	uint32		bits = 0;
	int			data = 0;
	int			out = 0;

	for (; data < length && base64_value(text[data]) >= 0; data++)
	{
		if (data % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		bits = bits << 6 | (uint32) base64_value(text[data]);
		if (data % 4 == 3)
			for (int j = 0; j < 3; j++)
				text[out++] = (char) (bits >> (16 - 8 * j));
	}
	if (length % 4 != 0 || length - data > 2)
		return -1;
	for (int i = data; i < length; i++)
		if (text[i] != '=')
			return -1;
	/* 2 characters are one more byte, 3 are two */
	for (int j = 0; j < data % 4 - 1; j++)
		text[out++] = (char) (bits << (6 * (4 - data % 4)) >> (16 - 8 * j));
	return out;
}

/*
 * Matches contentEncoding and contentMediaType, which draft 7 allows to be
 * asserted (validation, section 8): RFC 4648 base64, then JSON, as requested.
 */
bool
ev_matches_content(const EvInstance *in, bool base64, bool json)
{
	char	   *text = pnstrdup(in->data, in->length);
	int			length = in->length;
	bool		ok;

	if (base64)
		length = decode_base64(text, length);
	ok = length >= 0;
	if (ok && json)
	{
		text[length] = '\0';
		ok = pg_verify_mbstr(GetDatabaseEncoding(), text, length, true) &&
			ev_json_syntax_error(text, length, NULL) == NULL;
	}
	pfree(text);
	return ok;
}

/* ---------- numbers ---------- */

/* Like ev_number_compare, with one side read in advance. */
static inline int
compare_to_bound(const EvDigits *number, const EvDigits *bound, Numeric a, Numeric b)
{
	if (bound->count == 0)
		return number->count == 0 ? 0 : number->negative ? -1 : 1;
	if (number->count == 0)
		return bound->negative ? 1 : -1;
	if (number->negative != bound->negative)
		return number->negative ? -1 : 1;
	if (number->weight != bound->weight)
		return (number->weight < bound->weight) != number->negative ? -1 : 1;
	if (number->digits[0] != bound->digits[0])
		return (number->digits[0] < bound->digits[0]) != number->negative ? -1 : 1;
	return ev_number_compare(a, b);
}

pg_noinline bool
ev_within_bounds(const EvBounds *bounds, Numeric numeric)
{
	EvDigits	number = ev_number_read(numeric);

	if (bounds->low != NULL &&
		compare_to_bound(&number, &bounds->low_digits, numeric, bounds->low) < (bounds->low_exclusive ? 1 : 0))
		return false;
	return bounds->high == NULL ||
		compare_to_bound(&number, &bounds->high_digits, numeric, bounds->high) <= (bounds->high_exclusive ? -1 : 0);
}

pg_noinline bool
ev_in_numbers(const EvEnum *enumeration, Numeric numeric)
{
	EvDigits	number = ev_number_read(numeric);

	if (enumeration->slots != NULL)
	{
		EvInstance	in = {.type = EV_NUMBER, .data = (const char *) numeric};

		return ev_in_values(enumeration, &in);
	}
	for (uint32 i = 0; i < enumeration->count; i++)
	{
		const EvDigits *value = &enumeration->digits[i];

		if (value->count != number.count)
			continue;
		if (number.count == 0 ||
			(value->weight == number.weight && value->negative == number.negative &&
			 memcmp(value->digits, number.digits, number.count * sizeof(int16)) == 0))
			return true;
	}
	return false;
}

/* ---------- any value ---------- */

bool
ev_in_values(const EvEnum *enumeration, const EvInstance *in)
{
	if ((enumeration->types & EV_BIT(in->type)) == 0)
		return false;
	if (enumeration->slots != NULL)
	{
		uint32		slot = ev_value_slot(enumeration, in);

		for (; enumeration->slots[slot] >= 0; slot = (slot + 1) & enumeration->slot_mask)
		{
			if (ev_values_equal(&enumeration->values[enumeration->slots[slot]], in))
				return true;
			CHECK_FOR_INTERRUPTS();
		}
		return false;
	}
	for (uint32 i = 0; i < enumeration->count; i++)
		if (ev_values_equal(&enumeration->values[i], in))
			return true;
	return false;
}

/* ---------- objects ---------- */

/* Does the object have the key?  A binary search, like jsonb's own. */
bool
ev_has_key(const JsonbContainer *container, EvString key)
{
	JsonbValue	value;

	return getKeyJsonValueFromContainer(unconstify(JsonbContainer *, container),
										key.data, key.length, &value) != NULL;
}

bool
ev_find_property(const JsonbContainer *container, EvString name, EvInstance *value)
{
	JsonbValue	buffer;
	JsonbValue *found = getKeyJsonValueFromContainer(unconstify(JsonbContainer *, container),
													 name.data, name.length, &buffer);

	if (found == NULL)
		return false;
	*value = (EvInstance) {.type = ev_value_type(found)};
	if (found->type == jbvString)
	{
		value->data = found->val.string.val;
		value->length = found->val.string.len;
	}
	else if (found->type == jbvNumeric)
		value->data = (const char *) found->val.numeric;
	else if (found->type == jbvBinary)
		value->data = (const char *) found->val.binary.data;
	return true;
}

uint32
ev_seek_property(const EvObject *object, uint32 from, EvString key, bool *found)
{
	uint32		low = from;
	uint32		high = object->property_count;
	uint32		step = 1;

	*found = false;
	while (low < high)
	{
		/* double the steps while the key is near, then halve */
		uint32		probe = step < high - low ? low + step - 1 : (low + high) / 2;
		const EvString *name = &object->properties[probe].name;
		int			order = ev_key_order(name, &key);

		if (order == 0)
		{
			*found = true;
			return probe;
		}
		if (order < 0)
		{
			low = probe + 1;
			if (step < object->property_count)	/* it must not overflow */
				step *= 2;
		}
		else
		{
			high = probe;
			step = high - low + 1;	/* from now on, halve */
		}
	}
	return low;
}

const EvProperty *
ev_declared_property(const EvObject *object, EvString name)
{
	bool		found;
	uint32		at = ev_seek_property(object, 0, name, &found);

	return found ? &object->properties[at] : NULL;
}

int
ev_discriminate(const EvBranches *branches, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	const JEntry *keys = container->children;
	const char *base = (const char *) (keys + 2 * count);
	EvString	name = branches->discriminator;
	uint32		start = 0;
	int			found;
	uint32		i;

	/* keys are sorted by length, so the length usually decides */
	for (i = 0; i < count; i++)
	{
		uint32		end = ev_entry_end(keys[i], start);

		if (end - start == name.length && memcmp(base + start, name.data, name.length) == 0)
			break;
		if (end - start > name.length)
			return -1;
		start = end;
	}
	if (i == count || !JBE_ISSTRING(keys[count + i]))
		return -1;
	i += count;
	found = ev_find_string(branches->strings, base + getJsonbOffset(container, i), getJsonbLength(container, i));
	return found >= 0 ? (int) branches->values[found].branch : -1;
}

/* ---------- arrays ---------- */

typedef struct Hashed
{
	uint32		hash;
	uint32		index;
} Hashed;

static int
compare_hashed(const void *a, const void *b)
{
	const Hashed *x = a;
	const Hashed *y = b;

	CHECK_FOR_INTERRUPTS();
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

EvInstance
ev_item_at(const JsonbContainer *container, uint32 index)
{
	const char *base = (const char *) &container->children[JsonContainerSize(container)];
	uint32		start = getJsonbOffset(container, index);

	return ev_entry_value(container->children[index], base, start,
						  start + getJsonbLength(container, index));
}

/* Compares the items themselves, or the indexes of equal items. */
static int
compare_items(const void *a, const void *b, void *container)
{
	const Hashed *x = a;
	const Hashed *y = b;
	EvInstance	v = ev_item_at(container, x->index);
	EvInstance	w = ev_item_at(container, y->index);
	int			order = ev_values_compare(&v, &w);

	CHECK_FOR_INTERRUPTS();
	return order != 0 ? order : x->index < y->index ? -1 : 1;
}

/*
 * Finds two equal items; false if there are none.  Few items are compared with
 * each other.  Many are sorted by hash, and items with equal hashes by value,
 * since a document may be made so that all hashes are equal.
 */
bool
ev_find_duplicate(const JsonbContainer *container, uint32 *first, uint32 *second)
{
	uint32		count = JsonContainerSize(container);
	const char *base = (const char *) &container->children[count];
	EvInstance	few[16];
	Hashed	   *hashed;
	uint32		start = 0;
	bool		found = false;

	if (count <= lengthof(few))
	{
		for (uint32 i = 0; i < count; i++)
		{
			uint32		end = ev_entry_end(container->children[i], start);

			few[i] = ev_entry_value(container->children[i], base, start, end);
			start = end;
			for (uint32 j = 0; j < i; j++)
				if (ev_values_equal(&few[j], &few[i]))
				{
					*first = j;
					*second = i;
					return true;
				}
		}
		return false;
	}

	hashed = MemoryContextAllocHuge(CurrentMemoryContext, (Size) count * sizeof(Hashed));
	for (uint32 i = 0; i < count; i++)
	{
		uint32		end = ev_entry_end(container->children[i], start);
		EvInstance	item = ev_entry_value(container->children[i], base, start, end);

		start = end;
		CHECK_FOR_INTERRUPTS();
		hashed[i].hash = ev_value_hash(&item);
		hashed[i].index = i;
	}

	/* shuffle, since quicksort takes n * n steps for some orders of items */
	for (uint32 i = count - 1; i > 0; i--)
	{
		uint32		other = (uint32) pg_prng_uint64_range(&pg_global_prng_state, 0, i);
		Hashed		swapped = hashed[i];

		CHECK_FOR_INTERRUPTS();
		hashed[i] = hashed[other];
		hashed[other] = swapped;
	}
	qsort(hashed, count, sizeof(Hashed), compare_hashed);
	for (uint32 i = 0, end; i < count && !found; i = end)
	{
		for (end = i + 1; end < count && hashed[end].hash == hashed[i].hash;)
			end++;
		CHECK_FOR_INTERRUPTS();
		if (end - i > 1)
			qsort_arg(&hashed[i], end - i, sizeof(Hashed), compare_items, unconstify(JsonbContainer *, container));
		for (uint32 j = i + 1; j < end && !found; j++)
		{
			EvInstance	item = ev_item_at(container, hashed[j - 1].index);
			EvInstance	other = ev_item_at(container, hashed[j].index);

			if (ev_values_equal(&item, &other))
			{
				*first = hashed[j - 1].index;
				*second = hashed[j].index;
				found = true;
			}
		}
	}
	pfree(hashed);
	return found;
}
