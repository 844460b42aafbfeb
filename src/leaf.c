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
#include "port/pg_bswap.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

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

	CHECK_FOR_INTERRUPTS();
	if (!ev_utf8_from_server(data, length, &string))
		return false;
	ok = matches(string.data, string.length);
	ev_utf8_free(&string);
	return ok;
}

/* Which of an enumeration's strings it is; -1: none. */
static inline int
find_string(const EvEnum *enumeration, const char *data, uint32 length)
{
	uint64		words[2];
	uint32		slot;

	/* one string need not be hashed, and mostly its length tells */
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
	}
}

bool
ev_in_strings(const EvEnum *enumeration, const char *data, uint32 length)
{
	return find_string(enumeration, data, length) >= 0;
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

static pg_noinline bool
within_bounds(const EvBounds *bounds, Numeric numeric)
{
	EvDigits	number = ev_number_read(numeric);

	if (bounds->low != NULL &&
		compare_to_bound(&number, &bounds->low_digits, numeric, bounds->low) < (bounds->low_exclusive ? 1 : 0))
		return false;
	return bounds->high == NULL ||
		compare_to_bound(&number, &bounds->high_digits, numeric, bounds->high) <= (bounds->high_exclusive ? -1 : 0);
}

static inline bool
is_whole(const EvDigits *number)
{
	return number->count <= number->weight + 1 || number->count == 0;
}

static inline bool
match_number(const EvLeaf *leaf, Numeric numeric)
{
	const EvBounds *bounds = leaf->u.bounds;
	EvDigits	number = ev_number_read(numeric);

	/*
	 * One digit of base 10000 is what most integers are.  Compared in one, or
	 * else gcc stores both to load them as one word, which has to wait.
	 */
	if (bounds != NULL && ((number.count ^ 1) | number.weight) == 0)
	{
		int32		value = number.negative ? -number.digits[0] : number.digits[0];

		return value >= bounds->small_low && value <= bounds->small_high;
	}
	if (leaf->integer && !is_whole(&number))
		return false;
	return bounds == NULL || within_bounds(bounds, numeric);
}

static inline bool
match_sign(const EvLeaf *leaf, Numeric numeric)
{
	EvDigits	number;

	/* the header says it of most numbers that need not be whole */
	if (!leaf->integer && ev_number_is_plainly_positive(numeric))
		return true;
	number = ev_number_read(numeric);
	if (leaf->integer && !is_whole(&number))
		return false;
	return number.count == 0 ? leaf->u.zero_is_valid : !number.negative;
}

static pg_noinline bool
in_numbers(const EvEnum *enumeration, Numeric numeric)
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

/* ---------- leaves ---------- */

static bool match_branches(EvMatch *m, const EvLeaf *leaf, EvInstance in);
static bool match_all(EvMatch *m, const EvLeaves *all, EvInstance in);

/* For each type of instances, what is left where the type is right. */

static pg_attribute_always_inline bool
match_string(EvMatch *m, const EvLeaf *leaf, const char *data, uint32 length)
{
	switch ((EvLeafKind) leaf->kind)
	{
		case EV_LEAF_LENGTH:
			return ev_has_length(data, length, leaf->u.size.minimum, leaf->u.size.maximum);
		case EV_LEAF_STRINGS:
			return ev_in_strings(leaf->u.enumeration, data, length);
		case EV_LEAF_SHAPE:
			return ev_shape_matches(leaf->u.shape, data, length);
		case EV_LEAF_PATTERN:
			return m->is_utf8 ? ev_pattern_matches(leaf->u.pattern, data, length) :
				ev_matches_pattern(leaf->u.pattern, data, length);
		case EV_LEAF_FORMAT:
			if (!m->is_utf8)
				return ev_matches_format(leaf->u.format, data, length);
			CHECK_FOR_INTERRUPTS();
			return leaf->u.format(data, length);
		case EV_LEAF_BRANCHES:
		case EV_LEAF_BLOCK:
		case EV_LEAF_ALL:
			{
				EvInstance	in = {.type = EV_STRING, .length = length, .data = data};

				return leaf->kind == EV_LEAF_BLOCK ? ev_run_block(m, leaf->block, in) :
					leaf->kind == EV_LEAF_ALL ? match_all(m, leaf->u.all, in) : match_branches(m, leaf, in);
			}
		default:
			return true;
	}
}

static pg_noinline bool
match_leaf(EvMatch *m, const EvLeaf *leaf, EvInstance in)
{
	if ((leaf->types & EV_BIT(in.type)) == 0)
		return false;
	if (in.type == EV_STRING)
		return match_string(m, leaf, in.data, in.length);
	switch ((EvLeafKind) leaf->kind)
	{
		case EV_LEAF_NUMBER:
			return in.type != EV_NUMBER || match_number(leaf, (Numeric) in.data);
		case EV_LEAF_SIGN:
			return in.type != EV_NUMBER || match_sign(leaf, (Numeric) in.data);
		case EV_LEAF_NUMBERS:
			return in.type != EV_NUMBER || in_numbers(leaf->u.enumeration, (Numeric) in.data);
		case EV_LEAF_OBJECT:
			return in.type != EV_OBJECT ||
				ev_match_plain_object(m, leaf->u.object, (const JsonbContainer *) in.data);
		case EV_LEAF_ARRAY:
			return in.type != EV_ARRAY ||
				ev_match_plain_array(m, leaf->u.array, (const JsonbContainer *) in.data);
		case EV_LEAF_BRANCHES:
			return match_branches(m, leaf, in);
		case EV_LEAF_BLOCK:
			return ev_run_block(m, leaf->block, in);
		case EV_LEAF_ALL:
			return match_all(m, leaf->u.all, in);
		default:
			return true;
	}
}

static pg_noinline bool
match_all(EvMatch *m, const EvLeaves *all, EvInstance in)
{
	for (uint32 i = 0; i < all->count; i++)
		if (!match_leaf(m, &all->leaves[i], in))
			return false;
	return true;
}

bool
ev_match_leaf(EvMatch *m, const EvLeaf *leaf, EvInstance in)
{
	return match_leaf(m, leaf, in);
}

/* The same for an entry of a container; with what is met most at hand. */
static pg_attribute_always_inline bool
match_entry(EvMatch *m, const EvLeaf *leaf, JEntry entry, const char *base, uint32 start, uint32 end)
{
	if (JBE_ISSTRING(entry))
		return (leaf->types & EV_BIT(EV_STRING)) != 0 && match_string(m, leaf, base + start, end - start);
	if (JBE_ISNUMERIC(entry) && (leaf->types & EV_BIT(EV_NUMBER)) != 0)
	{
		if (leaf->kind == EV_LEAF_SIGN)
			return match_sign(leaf, (Numeric) (base + INTALIGN(start)));
		if (leaf->kind == EV_LEAF_NUMBER)
			return match_number(leaf, (Numeric) (base + INTALIGN(start)));
	}
	if (JBE_ISCONTAINER(entry))
	{
		const JsonbContainer *container = (const JsonbContainer *) (base + INTALIGN(start));

		if (leaf->kind == EV_LEAF_OBJECT && JsonContainerIsObject(container))
			return (leaf->types & EV_BIT(EV_OBJECT)) != 0 && ev_match_plain_object(m, leaf->u.object, container);
		if (leaf->kind == EV_LEAF_ARRAY && JsonContainerIsArray(container))
			return (leaf->types & EV_BIT(EV_ARRAY)) != 0 && ev_match_plain_array(m, leaf->u.array, container);
	}
	return match_leaf(m, leaf, ev_entry_value(entry, base, start, end));
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

/* More keys than that are merged in several goes, and not remembered. */
#define MERGED_KEYS		32

/* What else the set of keys may not have: kept short, for the backend's sake. */
#define SEEN_KEY_BYTES	1024

/* As memcmp does, for names of one length. */
static inline int
compare_names(const EvProperty *property, const char *key, uint32 length, const uint64 words[2])
{
	/* the words read as numbers are in the order of the bytes */
	if (property->words[0] != words[0])
		return pg_ntoh64(property->words[0]) < pg_ntoh64(words[0]) ? -1 : 1;
	if (length > 16)
		return memcmp(property->name.data, key, length);
	if (property->words[1] != words[1])
		return pg_ntoh64(property->words[1]) < pg_ntoh64(words[1]) ? -1 : 1;
	return 0;
}

/*
 * The property of a key that is not before *next in jsonb's order, or NULL;
 * *next is where to look for the key after it.
 */
static inline const EvProperty *
merge_key(const EvObject *object, const EvProperty **next, const char *key, uint32 length)
{
	const EvProperty *property = *next;
	const EvProperty *end = object->properties + object->property_count;
	const EvProperty *found = NULL;
	uint64		words[2];
	uint32		misses = 0;

	if (object->by_length != NULL)
		property = Max(property, object->properties + object->by_length[Min(length, EV_LONG_NAME)]);
	if (property == end)
	{
		*next = end;
		return NULL;
	}
	ev_words(key, length, words);
	for (; property < end; property++)
	{
		if (property->name.length == length)
		{
			int			order = compare_names(property, key, length, words);

			if (order == 0)
				found = property++;
			if (order >= 0)
				break;
		}
		else if (property->name.length > length)
			break;
		if (++misses == 8)
		{
			/* a large schema must not cost a small document much */
			EvString	name = {key, length};
			bool		is_there;

			property = object->properties +
				ev_seek_property(object, property - object->properties, name, &is_there);
			if (is_there)
				found = property++;
			break;
		}
	}
	*next = property;
	return found;
}

/*
 * One leaf for what two say, if one of them only says the type, or both say
 * the same.
 */
static bool
join_leaves(const EvLeaf *a, const EvLeaf *b, EvLeaf *both)
{
	uint8		types = a->types & b->types;

	if (a->kind == EV_LEAF_TRUE || a->kind == EV_LEAF_TYPE)
		*both = *b;
	else if (b->kind == EV_LEAF_TRUE || b->kind == EV_LEAF_TYPE ||
			 (a->kind == b->kind && a->kind != EV_LEAF_BLOCK && a->kind != EV_LEAF_BRANCHES &&
			  a->integer == b->integer && memcmp(&a->u, &b->u, sizeof(a->u)) == 0))
		*both = *a;
	else
		return false;
	if (both->kind == EV_LEAF_TRUE && types != EV_ALL_TYPES)
		both->kind = EV_LEAF_TYPE;
	both->types = types;
	return true;
}

/*
 * The leaf for a key's value, given its property, in an object that also has
 * patterns; *both is room for one.  False where two have a say, and no leaf
 * stands for both.
 */
static bool
find_leaf(EvMatch *m, const EvObject *object, const char *key, uint32 length,
		  const EvProperty *property, const EvLeaf **leaf, EvLeaf *both)
{
	uint64		word = ev_word(key, length);
	bool		is_additional = true;

	*leaf = &object->additional_leaf;
	if (property != NULL && property->block != EV_BLOCK_NONE)
	{
		*leaf = &property->leaf;
		is_additional = false;
	}
	for (uint32 i = 0; i < object->pattern_count; i++)
	{
		const EvPattern *pattern = object->patterns[i].pattern;

		if ((word & object->patterns[i].prefix_mask) != object->patterns[i].prefix)
			continue;
		if (!(m->is_utf8 ? ev_pattern_matches(pattern, key, length) : ev_matches_pattern(pattern, key, length)))
			continue;
		if (is_additional)
			*leaf = &object->patterns[i].leaf;
		else
		{
			if (!join_leaves(*leaf, &object->patterns[i].leaf, both))
				return false;
			*leaf = both;
		}
		is_additional = false;
	}
	return true;
}

/* Values that begin at *start, which is then where they end. */
static pg_attribute_always_inline bool
match_values(EvMatch *m, const EvLeaf *leaves, const JEntry *values, uint32 count,
			 const char *base, uint32 *start, EvDoubts *doubts)
{
	uint32		value_start = *start;

	for (uint32 i = 0; i < count; i++)
	{
		const EvLeaf *leaf = &leaves[i];
		uint32		end = ev_entry_end(values[i], value_start);

		if (doubts != NULL && leaf->kind == EV_LEAF_DOUBT)
		{
			if (doubts->count < EV_MAX_DOUBTS)
			{
				doubts->sources[doubts->count] = leaf->u.sources;
				doubts->values[doubts->count] = ev_entry_value(values[i], base, value_start, end);
			}
			doubts->count++;
		}
		else if (leaf->kind != EV_LEAF_TRUE &&
				 !match_entry(m, leaf, values[i], base, value_start, end))
			return false;
		value_start = end;
	}
	*start = value_start;
	return true;
}

/* Are these bytes those that were put into words, and lie at `same` too? */
static pg_attribute_always_inline bool
same_bytes(const void *bytes, uint32 length, const uint64 words[2], const void *same)
{
	uint64		x[2];

	if (length > 16)
		return memcmp(bytes, same, length) == 0;
	ev_words(bytes, length, x);
	return ((x[0] ^ words[0]) | (x[1] ^ words[1])) == 0;
}

/* Does an object of as many keys have those of the set? */
static pg_attribute_always_inline bool
has_keys(const EvKeySet *set, const JEntry *keys, const char *base)
{
	return same_bytes(keys, set->count * sizeof(JEntry), set->entry_words, set->entries) &&
		same_bytes(base, set->length, set->byte_words, set->bytes);
}

/* Where a set of keys is, if it is one of those seen; else in the place beside. */
static inline uint32
key_set_place(const JEntry *keys, uint32 count)
{
	uint32		hash = keys[0] + keys[count / 2] * 31 + keys[count - 1] * 1021 + count;

	return (hash * 0x9E3779B1) / (PG_UINT32_MAX / EV_KEY_SETS + 1);
}

/* Keeps the keys, which are all that an object needs to have. */
static void
remember_keys(EvSeenKeys *seen, const JEntry *keys, uint32 count, const char *bytes, uint32 length,
			  const EvLeaf *leaves)
{
	EvKeySet   *set;
	uint32		place;

	if (count == 0 || count > MERGED_KEYS || length > SEEN_KEY_BYTES)
		return;
	place = key_set_place(keys, count);
	if (seen->sets[place] != NULL)
		place ^= 1;
	if (seen->sets[place] != NULL)
		return;
	set = MemoryContextAlloc(GetMemoryChunkContext(seen),
							 sizeof(EvKeySet) + count * (sizeof(EvLeaf) + sizeof(JEntry)) + length);
	set->count = count;
	set->length = length;
	set->leaves = (EvLeaf *) (set + 1);
	set->entries = (JEntry *) (set->leaves + count);
	set->bytes = (char *) (set->entries + count);
	memcpy(set->leaves, leaves, count * sizeof(EvLeaf));
	memcpy(set->entries, keys, count * sizeof(JEntry));
	memcpy(set->bytes, bytes, length);
	ev_words((const char *) keys, count * sizeof(JEntry), set->entry_words);
	ev_words(bytes, length, set->byte_words);
	seen->sets[place] = set;
}

/* The set of an object's keys; NULL where it is not known. */
static pg_attribute_always_inline const EvKeySet *
find_keys(EvSeenKeys *seen, const JEntry *keys, uint32 count, const char *base)
{
	uint32		place;

	if (unlikely(count == 0))
		return NULL;
	if (unlikely(seen->rest > 0))
	{
		/* no two have the same keys */
		if (--seen->rest == 0)
			seen->credit = EV_KEY_CREDIT;
		return NULL;
	}
	place = key_set_place(keys, count);
	for (int i = 0; i < 2; i++)
	{
		const EvKeySet *set = seen->sets[place ^ i];

		if (set == NULL || set->count != count || !has_keys(set, keys, base))
			continue;
		if (seen->credit < 16 * EV_KEY_CREDIT)
			seen->credit++;
		return set;
	}
	if (--seen->credit <= 0)
		seen->rest = 16 * EV_KEY_CREDIT;
	return NULL;
}

static bool match_run(EvMatch *m, const EvLeaf *leaf, const JEntry *entries, uint32 count,
					  const char *base, uint32 start);

/* A map: no key is named, all values are alike. */
static pg_noinline bool
match_map(EvMatch *m, const EvObject *object, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	const JEntry *keys = container->children;
	const char *base = (const char *) (keys + 2 * count);
	const EvLeaf *names = &object->names_leaf;
	uint32		start = 0;

	if (names->kind != EV_LEAF_TRUE)
	{
		if (count > 0 && (names->types & EV_BIT(EV_STRING)) == 0)
			return false;
		for (uint32 i = 0; i < count; i++)
		{
			uint32		end = ev_entry_end(keys[i], start);

			if (!match_string(m, names, base + start, end - start))
				return false;
			start = end;
		}
	}
	else if (object->additional_leaf.kind != EV_LEAF_TRUE)
		start = values_start(keys, count);
	return object->additional_leaf.kind == EV_LEAF_TRUE ||
		match_run(m, &object->additional_leaf, keys + count, count, base, start);
}

/* An object with keys that were not seen before. */
static pg_noinline bool
merge_object(EvMatch *m, const EvObject *object, const JsonbContainer *container, EvDoubts *doubts)
{
	uint32		count = JsonContainerSize(container);
	const JEntry *keys = container->children;
	const JEntry *values = keys + count;
	const char *base = (const char *) (values + count);
	const EvProperty *next = object->properties;
	EvLeaf		leaves[MERGED_KEYS];
	uint32		key_start = 0;
	uint32		value_start = values_start(keys, count);
	uint32		required = 0;
	uint32		done = 0;

	do
	{
		uint32		until = Min(count, done + MERGED_KEYS);

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = done; i < until; i++)
		{
			uint32		key_end = ev_entry_end(keys[i], key_start);
			uint32		length = key_end - key_start;
			const char *key = base + key_start;
			const EvProperty *property = merge_key(object, &next, key, length);
			const EvLeaf *leaf = &object->additional_leaf;
			EvLeaf		both;

			if (property != NULL)
			{
				required += property->required;
				leaf = &property->leaf;
			}
			if (object->pattern_count > 0 && (property == NULL || !object->is_resolved) &&
				!find_leaf(m, object, key, length, property, &leaf, &both))
			{
				EvInstance	in = {.type = EV_OBJECT, .data = (const char *) container};

				return ev_match_object(m, object, in);
			}
			if (object->names_leaf.kind != EV_LEAF_TRUE)
			{
				EvInstance	name = {.type = EV_STRING, .length = length, .data = key};

				if (!ev_match_leaf(m, &object->names_leaf, name))
					return false;
			}
			if (leaf->types == 0)
				return false;
			leaves[i - done] = *leaf;
			key_start = key_end;
		}
		if (until == count && required < object->required_count)
			return false;
		if (until == count && done == 0 && object->seen->rest == 0)
			remember_keys(object->seen, keys, count, base, key_start, leaves);
		if (!match_values(m, leaves, values + done, until - done, base, &value_start, doubts))
			return false;
		done = until;
	} while (done < count);
	return true;
}

/* Does an object have all of a few names? */
static bool
has_names(const EvObject *object, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	const char *base = (const char *) (container->children + 2 * count);

	for (uint32 i = 0; i < object->property_count; i++)
	{
		const EvProperty *property = &object->properties[i];
		EvString	name = property->name;
		uint32		start = 0;
		uint32		key = 0;

		if (count > MERGED_KEYS)
		{
			JsonbValue	value;

			/* by halves */
			if (getKeyJsonValueFromContainer(unconstify(JsonbContainer *, container), name.data, name.length, &value) == NULL)
				return false;
			continue;
		}
		/* they are sorted by length, so that it is mostly found by its length */
		for (; key < count; key++)
		{
			uint32		end = ev_entry_end(container->children[key], start);

			if (end - start >= name.length)
			{
				if (end - start > name.length)
					return false;
				if (memcmp(base + start, name.data, name.length) == 0)
					break;
			}
			start = end;
		}
		if (key == count)
			return false;
	}
	return true;
}

static pg_attribute_always_inline bool
match_object(EvMatch *m, const EvObject *object, const JsonbContainer *container, EvDoubts *doubts)
{
	uint32		count = JsonContainerSize(container);
	const JEntry *keys = container->children;
	const char *base = (const char *) (keys + 2 * count);
	bool		ok;

	if (count < object->min_properties || count > object->max_properties ||
		count < object->required_count)
		return false;
	if (object->only_requires)
		return has_names(object, container);
	enter_container(m);
	if (object->is_map)
		ok = match_map(m, object, container);
	else
	{
		const EvKeySet *set = find_keys(object->seen, keys, count, base);

		if (likely(set != NULL))
		{
			uint32		start = set->length;

			ok = match_values(m, set->leaves, keys + count, count, base, &start, doubts);
		}
		else
			ok = merge_object(m, object, container, doubts);
	}
	m->depth--;
	return ok;
}

bool
ev_match_plain_object(EvMatch *m, const EvObject *object, const JsonbContainer *container)
{
	return match_object(m, object, container, NULL);
}

bool
ev_match_object_in_doubt(EvMatch *m, const EvObject *object, const JsonbContainer *container, EvDoubts *doubts)
{
	return match_object(m, object, container, doubts);
}

/*
 * Values that are to be such objects, in an array or a map: mostly each has the
 * keys of the one before.
 */
static pg_noinline bool
match_objects(EvMatch *m, const EvLeaf *leaf, const JEntry *entries, uint32 count,
			  const char *base, uint32 start)
{
	const EvObject *object = leaf->u.object;
	const EvKeySet *set = NULL;
	bool		ok = true;

	enter_container(m);
	for (uint32 i = 0; i < count; i++)
	{
		uint32		end = ev_entry_end(entries[i], start);
		const JsonbContainer *container = (const JsonbContainer *) (base + INTALIGN(start));

		CHECK_FOR_INTERRUPTS();
		if (unlikely(!JBE_ISCONTAINER(entries[i]) || !JsonContainerIsObject(container)))
			ok = match_leaf(m, leaf, ev_entry_value(entries[i], base, start, end));
		else
		{
			uint32		key_count = JsonContainerSize(container);
			const JEntry *keys = container->children;
			const char *data = (const char *) (keys + 2 * key_count);

			if (set == NULL || set->count != key_count || !has_keys(set, keys, data))
			{
				if (key_count < object->min_properties || key_count > object->max_properties ||
					key_count < object->required_count)
				{
					ok = false;
					break;
				}
				set = find_keys(object->seen, keys, key_count, data);
			}
			if (likely(set != NULL))
			{
				uint32		value_start = set->length;

				ok = match_values(m, set->leaves, keys + key_count, key_count, data, &value_start, NULL);
			}
			else
				ok = merge_object(m, object, container, NULL);
		}
		if (!ok)
			break;
		start = end;
	}
	m->depth--;
	return ok;
}

/* Values that are all to match one leaf. */
static bool
match_run(EvMatch *m, const EvLeaf *leaf, const JEntry *entries, uint32 count,
		  const char *base, uint32 start)
{
	if (leaf->kind == EV_LEAF_OBJECT && !leaf->u.object->is_map && (leaf->types & EV_BIT(EV_OBJECT)) != 0)
		return match_objects(m, leaf, entries, count, base, start);
	for (uint32 i = 0; i < count; i++)
	{
		uint32		end = ev_entry_end(entries[i], start);

		if (!match_entry(m, leaf, entries[i], base, start, end))
			return false;
		start = end;
	}
	return true;
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

	/* keys are sorted by length, so that it is mostly found by its length */
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
	found = find_string(branches->strings, base + getJsonbOffset(container, i), getJsonbLength(container, i));
	return found >= 0 ? (int) branches->values[found].branch : -1;
}

/* What a search for the only branch that can match may find instead. */
#define ANY_BRANCH	(-1)		/* it is not known before they are tried */
#define NO_BRANCH	(-2)

static bool
match_branches(EvMatch *m, const EvLeaf *leaf, EvInstance in)
{
	const EvBranches *branches = leaf->u.branches;
	int			found = NO_BRANCH;

	/* a reference may lead back here with the same instance */
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (branches->discriminator.data != NULL)
	{
		if (in.type != EV_OBJECT)
			return false;
		found = ev_discriminate(branches, (const JsonbContainer *) in.data);
		return found >= 0 && match_leaf(m, &branches->leaves[found], in);
	}
	for (uint32 i = 0; i < branches->count; i++)
		if ((branches->types[i] & EV_BIT(in.type)) != 0)
			found = found == NO_BRANCH ? (int) i : ANY_BRANCH;
	if (found == ANY_BRANCH)
		return ev_run_block(m, leaf->block, in);
	return found != NO_BRANCH && match_leaf(m, &branches->leaves[found], in);
}

/* ---------- arrays ---------- */

/* So many items are compared with each other. */
#define FEW_ITEMS		16


/*
 * Are two of a few strings equal?  False, with *known cleared, for other items
 * and for many.
 */
static bool
has_duplicate(const JsonbContainer *container, bool *known)
{
	uint32		count = JsonContainerSize(container);
	const char *base = (const char *) &container->children[count];
	uint64		words[FEW_ITEMS][3];
	uint32		start = 0;

	*known = false;
	if (count > FEW_ITEMS)
		return false;
	for (uint32 i = 0; i < count; i++)
	{
		uint32		end = ev_entry_end(container->children[i], start);
		uint32		length = end - start;
		const char *data = base + start;

		if (!JBE_ISSTRING(container->children[i]))
			return false;
		ev_words(data, length, words[i]);
		words[i][2] = length;
		for (uint32 j = 0; j < i; j++)
		{
			if (((words[j][0] ^ words[i][0]) | (words[j][1] ^ words[i][1]) | (words[j][2] ^ length)) != 0)
				continue;
			/* what the words don't tell is left to others */
			*known = length <= 16;
			return *known;
		}
		start = end;
	}
	*known = true;
	return false;
}

/* The string that "contains" asks for, where it asks for one and nothing else. */
static const EvInstance *
contained_string(const EvMatch *m, const EvArray *array)
{
	const EvInstruction *check;

	if (array->contains >= EV_BLOCK_TRUE || array->min_contains != 1 || array->max_contains != EV_NO_MAXIMUM)
		return NULL;
	check = &m->program->code[array->contains];
	return check[0].opcode == EVOP_ENUM_STRINGS && check[1].opcode == EVOP_RETURN &&
		check->u.enumeration->count == 1 ? check->u.enumeration->values : NULL;
}

static bool
has_string(const JsonbContainer *container, const EvInstance *string)
{
	uint32		count = JsonContainerSize(container);
	const char *base = (const char *) &container->children[count];
	uint32		start = 0;

	for (uint32 i = 0; i < count; i++)
	{
		uint32		end = ev_entry_end(container->children[i], start);

		if (end - start == string->length && JBE_ISSTRING(container->children[i]) &&
			memcmp(base + start, string->data, string->length) == 0)
			return true;
		start = end;
	}
	return false;
}

/*
 * Are there as many items that match "contains" as there should be?  Looks no
 * further than it takes to tell.
 */
static pg_noinline bool
match_contains(EvMatch *m, const EvArray *array, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	const char *base = (const char *) &container->children[count];
	uint32		start = 0;
	uint32		wanted = array->min_contains;	/* so many more */
	uint32		allowed = array->max_contains;
	const EvInstance *string = contained_string(m, array);

	if (string != NULL)
		return has_string(container, string);
	for (uint32 i = 0; i < count; i++)
	{
		uint32		end = ev_entry_end(container->children[i], start);

		if (wanted == 0 && allowed >= count - i)
			return true;
		if (wanted > count - i)
			return false;
		if (match_entry(m, &array->contains_leaf, container->children[i], base, start, end))
		{
			if (allowed == 0)
				return false;
			allowed--;
			if (wanted > 0)
				wanted--;
		}
		start = end;
	}
	return wanted == 0;
}

/* Where an item begins, from where one before it does. */
static inline uint32
item_start(const JsonbContainer *container, uint32 item, uint32 before, uint32 start)
{
	if (item - before > JB_OFFSET_STRIDE)
		return getJsonbOffset(container, item);
	for (; before < item; before++)
		start = ev_entry_end(container->children[before], start);
	return start;
}

bool
ev_match_plain_array(EvMatch *m, const EvArray *array, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	const char *base = (const char *) &container->children[count];
	uint32		start = 0;
	uint32		first = Min(count, array->prefix_count);
	uint32		next = 0;		/* what begins at start */
	bool		ok = true;

	if (count < array->min_items || count > array->max_items)
		return false;
	if (array->unique_items && count > 1)
	{
		bool		known;

		if (has_duplicate(container, &known))
			return false;
		if (!known && ev_has_equal_items(container))
			return false;
	}
	if (first == 0 && array->items_leaf.kind == EV_LEAF_TRUE && array->contains == EV_BLOCK_NONE)
		return true;
	enter_container(m);
	for (uint32 i = 0; ok && i < first; i++)
	{
		uint32		end;

		if (array->prefix_leaves[i].kind == EV_LEAF_TRUE)
			continue;
		start = item_start(container, i, next, start);
		end = ev_entry_end(container->children[i], start);
		ok = match_entry(m, &array->prefix_leaves[i], container->children[i], base, start, end);
		next = i + 1;
		start = end;
	}
	if (ok && first < count && array->items_leaf.kind != EV_LEAF_TRUE)
	{
		start = item_start(container, first, next, start);
		ok = match_run(m, &array->items_leaf, container->children + first, count - first, base, start);
	}
	if (ok && array->contains != EV_BLOCK_NONE)
		ok = match_contains(m, array, container);
	m->depth--;
	return ok;
}
