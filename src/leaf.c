/*
 * leaf.c
 *	  The fast way through a document: yes or no, without the interpreter where
 *	  a block is a single check.
 *
 * An object is one merge: a jsonb has its keys sorted by length, then bytes,
 * and so has the schema, so that each key mostly is the next property.  The
 * offsets of keys and values are carried along, never looked up.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/fmgrprotos.h"

#include "match_internal.h"
#include "text.h"
#include "value.h"
#include "words.h"

/* ---------- single checks ---------- */

bool
ev_has_length(const char *data, uint32 length, uint32 minimum, uint32 maximum)
{
	/* n bytes are at most n code points and at least a quarter as many */
	if (length < minimum)
		return false;
	if (length <= maximum && (length + 3) / 4 >= minimum)
		return true;
	length = ev_text_length(data, length);
	return length >= minimum && length <= maximum;
}

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

	if (!ev_utf8_from_server(data, length, &string))
		return false;
	ok = matches(string.data, string.length);
	ev_utf8_free(&string);
	return ok;
}

bool
ev_in_strings(const EvEnum *enumeration, const char *data, uint32 length)
{
	uint32		low = 0;
	uint32		high = enumeration->count;
	uint64		words[2];

	ev_words(data, length, words);
	if (high <= 16)
	{
		for (uint32 i = 0; i < high; i++)
			if (enumeration->values[i].length == length &&
				enumeration->words[2 * i] == words[0] && enumeration->words[2 * i + 1] == words[1] &&
				(length <= 16 || memcmp(enumeration->values[i].data, data, length) == 0))
				return true;
		return false;
	}

	/* the values are sorted by length, then bytes */
	while (low < high)
	{
		uint32		middle = (low + high) / 2;
		const EvInstance *value = &enumeration->values[middle];
		int			order = value->length != length ? (value->length < length ? -1 : 1) :
			memcmp(value->data, data, length);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* As ev_number_compare does, with one side read in advance. */
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

static inline bool
within_bounds(const EvDigits *number, const EvBounds *bounds, Numeric numeric)
{
	if (bounds->low != NULL &&
		compare_to_bound(number, &bounds->low_digits, numeric, bounds->low) < (bounds->low_exclusive ? 1 : 0))
		return false;
	if (bounds->high != NULL &&
		compare_to_bound(number, &bounds->high_digits, numeric, bounds->high) > (bounds->high_exclusive ? -1 : 0))
		return false;
	return true;
}

/* ---------- leaves ---------- */

static pg_attribute_always_inline bool
match_leaf(EvMatch *m, const EvLeaf *leaf, EvInstance in)
{
	if ((leaf->types & EV_BIT(in.type)) == 0)
		return false;
	switch ((EvLeafKind) leaf->kind)
	{
		case EV_LEAF_TRUE:
		case EV_LEAF_TYPE:
			return true;
		case EV_LEAF_BLOCK:
			return ev_run_block(m, leaf->block, in);
		case EV_LEAF_LENGTH:
			return in.type != EV_STRING ||
				ev_has_length(in.data, in.length, leaf->u.size.minimum, leaf->u.size.maximum);
		case EV_LEAF_STRINGS:
			return in.type != EV_STRING || ev_in_strings(leaf->u.enumeration, in.data, in.length);
		case EV_LEAF_SHAPE:
			return in.type != EV_STRING || ev_shape_matches(leaf->u.shape, in.data, in.length);
		case EV_LEAF_PATTERN:
			if (in.type != EV_STRING)
				return true;
			return m->is_utf8 ? ev_pattern_matches(leaf->u.pattern, in.data, in.length) :
				ev_matches_pattern(leaf->u.pattern, in.data, in.length);
		case EV_LEAF_FORMAT:
			if (in.type != EV_STRING)
				return true;
			return m->is_utf8 ? leaf->u.format(in.data, in.length) :
				ev_matches_format(leaf->u.format, in.data, in.length);
		case EV_LEAF_NUMBER:
			{
				EvDigits	number;

				if (in.type != EV_NUMBER)
					return true;
				number = ev_number_read((Numeric) in.data);
				if (leaf->integer && number.count > number.weight + 1 && number.count > 0)
					return false;
				return leaf->u.bounds == NULL || within_bounds(&number, leaf->u.bounds, (Numeric) in.data);
			}
		case EV_LEAF_OBJECT:
			return in.type != EV_OBJECT ||
				ev_match_plain_object(m, leaf->u.object, (const JsonbContainer *) in.data);
		case EV_LEAF_ARRAY:
			return in.type != EV_ARRAY ||
				ev_match_plain_array(m, leaf->u.array, (const JsonbContainer *) in.data);
	}
	return false;
}

bool
ev_match_leaf(EvMatch *m, const EvLeaf *leaf, EvInstance in)
{
	return match_leaf(m, leaf, in);
}

/* Every container on the way down comes by here. */
static inline void
enter_container(EvMatch *m)
{
	CHECK_FOR_INTERRUPTS();
	if (++m->depth % EV_DEPTH_STEP == 0)
		check_stack_depth();
}

/* ---------- objects ---------- */

uint32
ev_seek_property(const EvObject *object, uint32 from, EvString key, bool *found)
{
	uint32		low = from;
	uint32		high = object->property_count;
	uint32		step = 1;

	*found = false;
	while (low < high)
	{
		/* gallop while it is near, then halve */
		uint32		probe = step < high - low ? low + step - 1 : (low + high) / 2;
		const EvString *name = &object->properties[probe].name;
		int			order = name->length != key.length ? (name->length < key.length ? -1 : 1) :
			memcmp(name->data, key.data, key.length);

		if (order == 0)
		{
			*found = true;
			return probe;
		}
		if (order < 0)
		{
			low = probe + 1;
			step *= 2;
		}
		else
		{
			high = probe;
			step = high - low + 1;	/* from now on by halves */
		}
	}
	return low;
}

/*
 * Where the values of an object begin: at the end of the last key.  Each 32nd
 * entry holds its end, the others their length.
 */
static inline uint32
values_start(const JEntry *keys, uint32 count)
{
	uint32		offset = 0;

	for (uint32 i = count; i-- > 0;)
	{
		offset += JBE_OFFLENFLD(keys[i]);
		if (JBE_HAS_OFF(keys[i]))
			break;
	}
	return offset;
}

bool
ev_match_plain_object(EvMatch *m, const EvObject *object, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	const JEntry *keys = container->children;
	const JEntry *values = keys + count;
	const char *base = (const char *) (values + count);
	const EvProperty *property = object->properties;
	const EvProperty *end = property + object->property_count;
	uint32		key_start = 0;
	uint32		value_start;
	uint32		required = 0;

	if (count < object->min_properties || count > object->max_properties ||
		count < object->required_count)
		return false;
	if (!object->plain)
	{
		EvInstance	in = {.type = EV_OBJECT,.data = (const char *) container};

		return ev_match_object(m, object, in);
	}
	enter_container(m);
	value_start = values_start(keys, count);
	for (uint32 i = 0; i < count; i++)
	{
		uint32		key_end = ev_entry_end(keys[i], key_start);
		uint32		length = key_end - key_start;
		const char *key = base + key_start;
		uint32		value_end = ev_entry_end(values[i], value_start);
		const EvLeaf *leaf = &object->additional_leaf;
		uint32		misses = 0;

		while (property < end)
		{
			if (property->name.length == length)
			{
				uint64		words[2];

				ev_words(key, length, words);
				if (property->words[0] == words[0] && property->words[1] == words[1] &&
					(length <= 16 || memcmp(property->name.data, key, length) == 0))
				{
					required += property->required;
					if (property->block != EV_BLOCK_NONE)
						leaf = &property->leaf;
					property++;
					break;
				}
				if (memcmp(property->name.data, key, length) > 0)
					break;
			}
			else if (property->name.length > length)
				break;
			property++;
			if (++misses == 8)
			{
				/* a large schema must not cost a small document much */
				bool		found;
				EvString	name = {key, length};

				property = object->properties +
					ev_seek_property(object, property - object->properties, name, &found);
				if (!found)
					break;
			}
		}

		if (leaf->kind != EV_LEAF_TRUE &&
			!match_leaf(m, leaf, ev_entry_value(values[i], base, value_start, value_end)))
			return false;
		key_start = key_end;
		value_start = value_end;
	}
	m->depth--;
	return required == object->required_count;
}

int
ev_discriminate(const EvBranches *branches, const JsonbContainer *container)
{
	JsonbValue	value;
	uint32		low = 0;
	uint32		high = branches->value_count;

	if (getKeyJsonValueFromContainer(unconstify(JsonbContainer *, container), branches->discriminator.data,
									 branches->discriminator.length, &value) == NULL ||
		value.type != jbvString)
		return -1;
	while (low < high)
	{
		uint32		middle = (low + high) / 2;
		const EvString *probe = &branches->values[middle].value;
		uint32		length = value.val.string.len;
		int			order = probe->length != length ? (probe->length < length ? -1 : 1) :
			memcmp(probe->data, value.val.string.val, length);

		if (order == 0)
			return branches->values[middle].branch;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* ---------- arrays ---------- */

bool
ev_match_plain_array(EvMatch *m, const EvArray *array, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	const char *base = (const char *) &container->children[count];
	const EvLeaf *leaf = &array->items_leaf;
	uint32		start = 0;

	if (count < array->min_items || count > array->max_items)
		return false;
	if (!array->plain)
	{
		EvInstance	in = {.type = EV_ARRAY,.data = (const char *) container};

		return ev_match_array(m, array, in);
	}
	if (leaf->kind == EV_LEAF_TRUE)
		return true;
	enter_container(m);
	for (uint32 i = 0; i < count; i++)
	{
		uint32		item_end = ev_entry_end(container->children[i], start);

		if (!match_leaf(m, leaf, ev_entry_value(container->children[i], base, start, item_end)))
			return false;
		start = item_end;
	}
	m->depth--;
	return true;
}
