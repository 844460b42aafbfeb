/*
 * fast_match.c
 *	  The fast matcher: answers true or false, and calls the interpreter
 *	  only for blocks that are more than one check.
 *
 * The two files call each other, see interpret.c.
 *
 * An object is matched by one merge.  A jsonb and a schema both have their
 * keys sorted by length, then bytes, so each key is usually the next property.
 * The offsets of keys and values are kept in step, never looked up.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "base/encoding.h"
#include "base/short_string.h"
#include "jsonb/jsonb_value.h"
#include "match/key_cache.h"
#include "match/match_checks.h"
#include "match/match_internal.h"

/* ---------- checks ---------- */

static bool match_branches(EvMatch *m, const EvCheck *check, EvInstance in);
static bool match_all(EvMatch *m, const EvChecks *all, EvInstance in);

/* For each type: the check of a value whose type is valid. */

static pg_attribute_always_inline bool
match_string(EvMatch *m, const EvCheck *check, const char *data, uint32 length)
{
	switch ((EvCheckKind) check->kind)
	{
		case EV_CHECK_LENGTH:
			return ev_has_length(data, length, check->u.size.minimum, check->u.size.maximum);
		case EV_CHECK_WORD:
			return length == check->length && ev_tail_word(data + length, length) == check->u.word;
		case EV_CHECK_STRINGS:
			return ev_in_strings(check->u.enumeration, data, length);
		case EV_CHECK_SHAPE:
			return ev_shape_matches(check->u.shape, data, length);
		case EV_CHECK_PATTERN:
			return m->is_utf8 ? ev_pattern_matches(check->u.pattern, data, length) :
				ev_matches_pattern(check->u.pattern, data, length);
		case EV_CHECK_FORMAT:
			if (!m->is_utf8)
				return ev_matches_format(check->u.format, data, length);
			CHECK_FOR_INTERRUPTS();
			return check->u.format(data, length);
		case EV_CHECK_BRANCHES:
		case EV_CHECK_BLOCK:
		case EV_CHECK_ALL:
			{
				EvInstance	in = {.type = EV_STRING, .length = length, .data = data};

				return check->kind == EV_CHECK_BLOCK ? ev_run_block(m, check->block, in) :
					check->kind == EV_CHECK_ALL ? match_all(m, check->u.all, in) : match_branches(m, check, in);
			}
		default:
			return true;
	}
}

static pg_noinline bool
match_check(EvMatch *m, const EvCheck *check, EvInstance in)
{
	if ((check->types & EV_BIT(in.type)) == 0)
		return false;
	if ((check->checked & EV_BIT(in.type)) == 0)
		return true;
	if (in.type == EV_STRING)
		return match_string(m, check, in.data, in.length);
	switch ((EvCheckKind) check->kind)
	{
		case EV_CHECK_NUMBER:
			return in.type != EV_NUMBER || ev_match_number(check, (Numeric) in.data);
		case EV_CHECK_SIGN:
			return in.type != EV_NUMBER || ev_match_sign(check, (Numeric) in.data);
		case EV_CHECK_NUMBERS:
			return in.type != EV_NUMBER || ev_in_numbers(check->u.enumeration, (Numeric) in.data);
		case EV_CHECK_OBJECT:
			return in.type != EV_OBJECT ||
				ev_match_plain_object(m, check->u.object, (const JsonbContainer *) in.data);
		case EV_CHECK_ARRAY:
			return in.type != EV_ARRAY ||
				ev_match_plain_array(m, check->u.array, (const JsonbContainer *) in.data);
		case EV_CHECK_BRANCHES:
			return match_branches(m, check, in);
		case EV_CHECK_BLOCK:
			return ev_run_block(m, check->block, in);
		case EV_CHECK_ALL:
			return match_all(m, check->u.all, in);
		default:
			return true;
	}
}

static pg_noinline bool
match_all(EvMatch *m, const EvChecks *all, EvInstance in)
{
	for (uint32 i = 0; i < all->count; i++)
		if (!match_check(m, &all->checks[i], in))
			return false;
	return true;
}

bool
ev_match_check(EvMatch *m, const EvCheck *check, EvInstance in)
{
	return match_check(m, check, in);
}

/*
 * The same for an entry of a container; the most frequent checks are inline.
 */
static pg_attribute_always_inline bool
match_entry(EvMatch *m, const EvCheck *check, JEntry entry, const char *base, uint32 start, uint32 end)
{
	if (JBE_ISSTRING(entry))
		return (check->types & EV_BIT(EV_STRING)) != 0 && match_string(m, check, base + start, end - start);
	if (JBE_ISNUMERIC(entry) && (check->types & EV_BIT(EV_NUMBER)) != 0)
	{
		if (check->kind == EV_CHECK_SIGN)
			return ev_match_sign(check, (Numeric) (base + INTALIGN(start)));
		if (check->kind == EV_CHECK_NUMBER)
			return ev_match_number(check, (Numeric) (base + INTALIGN(start)));
	}
	if (!JBE_ISCONTAINER(entry))
	{
		EvType		type = (EvType) ((entry & JENTRY_TYPEMASK) >> 28);

		if ((check->types & EV_BIT(type)) == 0)
			return false;
		if ((check->checked & EV_BIT(type)) == 0)
			return true;
	}
	else
	{
		const JsonbContainer *container = (const JsonbContainer *) (base + INTALIGN(start));

		if (check->kind == EV_CHECK_OBJECT && JsonContainerIsObject(container))
			return (check->types & EV_BIT(EV_OBJECT)) != 0 && ev_match_plain_object(m, check->u.object, container);
		if (check->kind == EV_CHECK_ARRAY && JsonContainerIsArray(container))
			return (check->types & EV_BIT(EV_ARRAY)) != 0 && ev_match_plain_array(m, check->u.array, container);
	}
	return match_check(m, check, ev_entry_value(entry, base, start, end));
}

/* Is called for each container that is entered. */
static inline void
enter_container(EvMatch *m)
{
	CHECK_FOR_INTERRUPTS();
	if (++m->depth % EV_DEPTH_STEP == 0)
		check_stack_depth();
}

/* ---------- objects ---------- */

/*
 * Returns the offset of an object's values, which is the end of its last key.
 * Each 32nd entry stores its end, the others store their length.
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

/* Compares names of equal length, like memcmp. */
static inline int
compare_names(const EvProperty *property, const char *key, uint32 length, const uint64 words[2])
{
	/* as numbers, the words have the order of the bytes */
	if (property->words[0] != words[0])
		return pg_ntoh64(property->words[0]) < pg_ntoh64(words[0]) ? -1 : 1;
	if (length > 16)
		return memcmp(property->name.data, key, length);
	if (property->words[1] != words[1])
		return pg_ntoh64(property->words[1]) < pg_ntoh64(words[1]) ? -1 : 1;
	return 0;
}

/*
 * Returns the property for a key that is not before *next in the key order of
 * jsonb, or NULL.  Sets *next to the property at which to continue with the
 * next key.
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
			/* a large schema must not be expensive for a small document */
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
 * Combines two checks into one, if one of them only checks the type, or both
 * are equal.  Returns false otherwise.
 */
static bool
join_checks(const EvCheck *a, const EvCheck *b, EvCheck *both)
{
	uint8		types = a->types & b->types;

	if (a->kind == EV_CHECK_TRUE || a->kind == EV_CHECK_TYPE)
		*both = *b;
	else if (b->kind == EV_CHECK_TRUE || b->kind == EV_CHECK_TYPE ||
			 (a->kind == b->kind && a->kind != EV_CHECK_BLOCK && a->kind != EV_CHECK_BRANCHES &&
			  a->integer == b->integer && memcmp(&a->u, &b->u, sizeof(a->u)) == 0))
		*both = *a;
	else
		return false;
	if (both->kind == EV_CHECK_TRUE && types != EV_ALL_TYPES)
		both->kind = EV_CHECK_TYPE;
	both->types = types;
	return true;
}

static bool
matches_name(const EvMatch *m, const EvPatternProperty *pattern, const char *key, uint32 length, uint64 word)
{
	if ((word & pattern->prefix_mask) != pattern->prefix)
		return false;
	return m->is_utf8 ? ev_pattern_matches(pattern->pattern, key, length) :
		ev_matches_pattern(pattern->pattern, key, length);
}

/*
 * Finds the check for a key's value, given its property, in an object that
 * also has patterns; *both is room for a check.  Returns false if two checks
 * apply and cannot be combined.
 */
static bool
find_check(EvMatch *m, const EvObject *object, const char *key, uint32 length,
		   const EvProperty *property, const EvCheck **check, EvCheck *both)
{
	uint64		word = ev_word(key, length);
	bool		is_additional = true;

	*check = &object->additional_check;
	if (property != NULL && property->block != EV_BLOCK_NONE)
	{
		*check = &property->check;
		is_additional = false;
	}
	for (uint32 i = 0; i < object->pattern_count; i++)
	{
		if (!matches_name(m, &object->patterns[i], key, length, word))
			continue;
		if (is_additional)
			*check = &object->patterns[i].check;
		else
		{
			if (!join_checks(*check, &object->patterns[i].check, both))
				return false;
			*check = both;
		}
		is_additional = false;
	}
	return true;
}

/* Runs all checks that apply to a key's value, if they cannot be combined. */
static pg_noinline bool
match_each_check(EvMatch *m, const EvObject *object, const JsonbContainer *container, uint32 index,
				 const char *key, uint32 length, const EvProperty *property)
{
	uint32		count = JsonContainerSize(container);
	const JEntry *values = container->children + count;
	uint32		start = getJsonbOffset(container, count + index);
	EvInstance	value = ev_entry_value(values[index], (const char *) (values + count), start,
									   ev_entry_end(values[index], start));
	uint64		word = ev_word(key, length);

	if (property != NULL && property->block != EV_BLOCK_NONE && !match_check(m, &property->check, value))
		return false;
	for (uint32 i = 0; i < object->pattern_count; i++)
		if (matches_name(m, &object->patterns[i], key, length, word) &&
			!match_check(m, &object->patterns[i].check, value))
			return false;
	return true;
}

static pg_noinline void
make_room_for_pending(EvPendingProperties *pending)
{
	EvPendingProperty *more = MemoryContextAllocHuge(CurrentMemoryContext, 2 * pending->room * sizeof(EvPendingProperty));

	memcpy(more, pending->pending, pending->count * sizeof(EvPendingProperty));
	if (pending->pending != pending->few)
		pfree(pending->pending);
	pending->pending = more;
	pending->room *= 2;
}

/* Matches values that begin at *start, and sets *start to their end. */
static pg_attribute_always_inline bool
match_values(EvMatch *m, const EvCheck *checks, const JEntry *values, uint32 count,
			 const char *base, uint32 *start, EvPendingProperties *pending)
{
	uint32		value_start = *start;

	for (uint32 i = 0; i < count; i++)
	{
		const EvCheck *check = &checks[i];
		uint32		end = ev_entry_end(values[i], value_start);

		if (pending != NULL && check->kind == EV_CHECK_PENDING)
		{
			EvPendingProperty *property;

			if (unlikely(pending->count == pending->room))
				make_room_for_pending(pending);
			property = &pending->pending[pending->count++];
			property->sources = check->u.sources;
			property->value = ev_entry_value(values[i], base, value_start, end);
		}
		else if (check->kind != EV_CHECK_TRUE &&
				 !match_entry(m, check, values[i], base, value_start, end))
			return false;
		value_start = end;
	}
	*start = value_start;
	return true;
}

static bool match_run(EvMatch *m, const EvCheck *check, const JEntry *entries, uint32 count,
					  const char *base, uint32 start);

/*
 * Matches a map: a schema that names no key, so that all values have one
 * check.
 */
static pg_noinline bool
match_map(EvMatch *m, const EvObject *object, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	const JEntry *keys = container->children;
	const char *base = (const char *) (keys + 2 * count);
	const EvCheck *names = &object->names_check;
	uint32		start = 0;

	if (names->kind != EV_CHECK_TRUE)
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
	else if (object->additional_check.kind != EV_CHECK_TRUE)
		start = values_start(keys, count);
	return object->additional_check.kind == EV_CHECK_TRUE ||
		match_run(m, &object->additional_check, keys + count, count, base, start);
}

/* Matches an object whose keys are not in the cache. */
static pg_noinline bool
merge_object(EvMatch *m, const EvObject *object, const JsonbContainer *container, EvPendingProperties *pending)
{
	uint32		count = JsonContainerSize(container);
	const JEntry *keys = container->children;
	const JEntry *values = keys + count;
	const char *base = (const char *) (values + count);
	const EvProperty *next = object->properties;
	EvCheck		checks[EV_MERGED_KEYS];
	uint32		key_start = 0;
	uint32		value_start = values_start(keys, count);
	uint32		required = 0;
	uint32		done = 0;
	bool		is_known = true;	/* one check for each value is enough */

	do
	{
		uint32		until = Min(count, done + EV_MERGED_KEYS);

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = done; i < until; i++)
		{
			uint32		key_end = ev_entry_end(keys[i], key_start);
			uint32		length = key_end - key_start;
			const char *key = base + key_start;
			const EvProperty *property = merge_key(object, &next, key, length);
			const EvCheck *check = &object->additional_check;
			EvCheck		both;

			if (property != NULL)
			{
				required += property->required;
				check = &property->check;
			}
			if (object->pattern_count > 0 && (property == NULL || !object->is_resolved) &&
				!find_check(m, object, key, length, property, &check, &both))
			{
				static const EvCheck matched = {.kind = EV_CHECK_TRUE, .types = EV_ALL_TYPES};

				if (!match_each_check(m, object, container, i, key, length, property))
					return false;
				check = &matched;
				is_known = false;
			}
			if (object->names_check.kind != EV_CHECK_TRUE)
			{
				EvInstance	name = {.type = EV_STRING, .length = length, .data = key};

				if (!ev_match_check(m, &object->names_check, name))
					return false;
			}
			if (check->types == 0)
				return false;
			checks[i - done] = *check;
			key_start = key_end;
		}
		if (until == count && required < object->required_count)
			return false;
		if (until == count && done == 0 && is_known)
			ev_remember_keys(object->seen, container, key_start, checks);
		if (!match_values(m, checks, values + done, until - done, base, &value_start, pending))
			return false;
		done = until;
	} while (done < count);
	return true;
}

/* Up to this number, keys are searched one by one. */
#define FEW_KEYS		32

/* Returns the index of a key in an object; -1 if there is none. */
static int
find_key(const JsonbContainer *container, EvString name)
{
	const JEntry *keys = container->children;
	uint32		count = JsonContainerSize(container);
	const char *base = (const char *) (keys + 2 * count);
	uint32		low = 0;
	uint32		high = count;
	uint32		start = 0;		/* of the key at low */

	/*
	 * Halve the range while it is long.  Only keys that follow an entry with
	 * an offset are compared, so that no lengths must be added up.
	 */
	while (high - low > FEW_KEYS)
	{
		uint32		probe = (low + high) / 2 / JB_OFFSET_STRIDE * JB_OFFSET_STRIDE;
		uint32		probe_start;
		uint32		probe_end;
		int			order;

		while (probe > low && !JBE_HAS_OFF(keys[probe]))
			probe--;
		if (probe <= low)
			break;
		probe_start = JBE_OFFLENFLD(keys[probe]);
		probe++;
		probe_end = ev_entry_end(keys[probe], probe_start);
		if (probe_end - probe_start != name.length)
			order = probe_end - probe_start < name.length ? -1 : 1;
		else
			order = memcmp(base + probe_start, name.data, name.length);
		if (order == 0)
			return (int) probe;
		if (order > 0)
			high = probe;
		else
		{
			low = probe;
			start = probe_start;
		}
	}
	for (; low < high; low++)
	{
		uint32		end = ev_entry_end(keys[low], start);

		if (end - start >= name.length)
		{
			if (end - start > name.length)
				break;
			if (memcmp(base + start, name.data, name.length) == 0)
				return (int) low;
		}
		start = end;
	}
	return -1;
}

/* This number of keys is merged in the time of one lookup. */
#define KEYS_PER_LOOKUP	16

/* Up to this number, properties are looked up even among few keys. */
#define FEW_PROPERTIES	4

/* Checks only the properties that the schema names, by looking them up. */
static pg_noinline bool
look_up_properties(EvMatch *m, const EvObject *object, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	const JEntry *values = container->children + count;
	const char *base = (const char *) (values + count);

	for (uint32 i = 0; i < object->property_count; i++)
	{
		const EvProperty *property = &object->properties[i];
		int			key;
		uint32		start;

		if (!property->required && property->check.kind == EV_CHECK_TRUE)
			continue;
		key = find_key(container, property->name);
		if (key < 0)
		{
			if (property->required)
				return false;
			continue;
		}
		if (property->check.kind == EV_CHECK_TRUE)
			continue;
		start = getJsonbOffset(container, count + key);
		if (!match_entry(m, &property->check, values[key], base, start, ev_entry_end(values[key], start)))
			return false;
	}
	return true;
}

/* Does an object have all required names, of which there are few? */
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

		if (count > EV_MERGED_KEYS)
		{
			if (find_key(container, name) < 0)
				return false;
			continue;
		}
		/* keys are sorted by length, so the length usually decides */
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

/*
 * Should the properties of an open object with this number of keys be looked
 * up instead of merged with the keys?  For few keys, only if they are not
 * cached anyway.
 */
static inline bool
looks_up(const EvObject *object, uint32 count)
{
	if (count > EV_MERGED_KEYS)
		return object->property_count < count / KEYS_PER_LOOKUP;
	return object->seen->rest > 0 && object->property_count <= FEW_PROPERTIES && count > 2 * FEW_PROPERTIES;
}

bool
ev_match_new_object(EvMatch *m, const EvObject *object, const JsonbContainer *container, EvPendingProperties *pending)
{
	uint32		count = JsonContainerSize(container);
	bool		ok;

	if (count < object->min_properties || count > object->most_properties ||
		count < object->required_count)
		return false;
	if (object->only_requires)
		return has_names(object, container);
	enter_container(m);
	if (object->is_map)
		ok = match_map(m, object, container);
	else if (object->is_open && looks_up(object, count))
		ok = look_up_properties(m, object, container);
	else
		ok = merge_object(m, object, container, pending);
	m->depth--;
	return ok;
}

static pg_attribute_always_inline bool
match_object(EvMatch *m, const EvObject *object, const JsonbContainer *container, EvPendingProperties *pending)
{
	const EvKeySet *set = object->has_key_sets ? ev_find_keys(object->seen, container) : NULL;
	uint32		start;
	bool		ok;

	if (set == NULL)
		return ev_match_new_object(m, object, container, pending);
	enter_container(m);
	start = set->length;
	ok = match_values(m, set->checks, container->children + set->count, set->checked,
					  (const char *) (container->children + 2 * set->count), &start, pending);
	m->depth--;
	return ok;
}

bool
ev_match_plain_object(EvMatch *m, const EvObject *object, const JsonbContainer *container)
{
	return match_object(m, object, container, NULL);
}

bool
ev_match_object_with_pending(EvMatch *m, const EvObject *object, const JsonbContainer *container, EvPendingProperties *pending)
{
	return match_object(m, object, container, pending);
}

Datum
ev_match_rest(const EvProgram *program, const JsonbContainer *root, const EvKeySet *set, uint32 done, uint32 start)
{
	EvMatch		m;

	ev_begin_run(&m, program);
	return BoolGetDatum(match_values(&m, set->checks + done, root->children + set->count + done, set->checked - done,
									 (const char *) (root->children + 2 * set->count), &start, NULL));
}

/*
 * Matches values in an array or a map that must all be objects of one schema.
 * Usually each has the same keys as the one before.
 */
static pg_noinline bool
match_objects(EvMatch *m, const EvCheck *check, const JEntry *entries, uint32 count,
			  const char *base, uint32 start)
{
	const EvObject *object = check->u.object;
	const EvKeySet *set = NULL;
	bool		ok = true;

	enter_container(m);
	for (uint32 i = 0; i < count; i++)
	{
		uint32		end = ev_entry_end(entries[i], start);
		const JsonbContainer *container = (const JsonbContainer *) (base + INTALIGN(start));

		CHECK_FOR_INTERRUPTS();
		if (unlikely(!JBE_ISCONTAINER(entries[i]) || !JsonContainerIsObject(container)))
			ok = match_check(m, check, ev_entry_value(entries[i], base, start, end));
		else
		{
			uint32		key_count = JsonContainerSize(container);
			const JEntry *keys = container->children;
			const char *data = (const char *) (keys + 2 * key_count);

			if (set == NULL || !ev_has_keys(set, container))
			{
				set = ev_find_keys(object->seen, container);
			}
			if (likely(set != NULL))
			{
				uint32		value_start = set->length;

				ok = match_values(m, set->checks, keys + key_count, set->checked, data, &value_start, NULL);
			}
			else
				ok = ev_match_new_object(m, object, container, NULL);
		}
		if (!ok)
			break;
		start = end;
	}
	m->depth--;
	return ok;
}

/* Matches values that all have one check. */
static bool
match_run(EvMatch *m, const EvCheck *check, const JEntry *entries, uint32 count,
		  const char *base, uint32 start)
{
	if (check->kind == EV_CHECK_OBJECT && check->u.object->has_key_sets && (check->types & EV_BIT(EV_OBJECT)) != 0)
		return match_objects(m, check, entries, count, base, start);
	for (uint32 i = 0; i < count; i++)
	{
		uint32		end = ev_entry_end(entries[i], start);

		if (!match_entry(m, check, entries[i], base, start, end))
			return false;
		start = end;
	}
	return true;
}

static bool
match_branches(EvMatch *m, const EvCheck *check, EvInstance in)
{
	const EvBranches *branches = check->u.branches;
	int			only;

	/* a reference may lead back to this check with the same instance */
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	only = ev_only_branch(branches, in);
	if (only == EV_ANY_BRANCH)
		return ev_run_block(m, check->block, in);
	return only != EV_NO_BRANCH && match_check(m, &branches->checks[only], in);
}

/* ---------- arrays ---------- */

/* Up to this number, items are compared with each other. */
#define FEW_ITEMS		16


/*
 * Are two of a few short strings equal?  For other items or more items, clears
 * *known and returns false.
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
			/* the words do not distinguish longer strings */
			*known = length <= 16;
			return *known;
		}
		start = end;
	}
	*known = true;
	return false;
}

/*
 * Returns the string that "contains" requires, if that is all it requires;
 * otherwise NULL.
 */
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
 * Are there as many items that match "contains" as required?  Stops as soon as
 * the answer is known.
 */
static pg_noinline bool
match_contains(EvMatch *m, const EvArray *array, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	const char *base = (const char *) &container->children[count];
	uint32		start = 0;
	uint32		wanted = array->min_contains;	/* that many more */
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
		if (match_entry(m, &array->contains_check, container->children[i], base, start, end))
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

/* Returns the offset of an item, given the offset of an earlier one. */
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
	uint32		next = 0;		/* the item at offset start */
	bool		ok = true;

	if (count < array->min_items || count > array->max_items)
		return false;
	if (array->unique_items && count > 1)
	{
		bool		known;
		uint32		equal[2];

		if (has_duplicate(container, &known))
			return false;
		if (!known && ev_find_duplicate(container, &equal[0], &equal[1]))
			return false;
	}
	if (first == 0 && array->items_check.kind == EV_CHECK_TRUE && array->contains == EV_BLOCK_NONE)
		return true;
	enter_container(m);
	for (uint32 i = 0; ok && i < first; i++)
	{
		uint32		end;

		if (array->prefix_checks[i].kind == EV_CHECK_TRUE)
			continue;
		start = item_start(container, i, next, start);
		end = ev_entry_end(container->children[i], start);
		ok = match_entry(m, &array->prefix_checks[i], container->children[i], base, start, end);
		next = i + 1;
		start = end;
	}
	if (ok && first < count && array->items_check.kind != EV_CHECK_TRUE)
	{
		start = item_start(container, first, next, start);
		ok = match_run(m, &array->items_check, container->children + first, count - first, base, start);
	}
	if (ok && array->contains != EV_BLOCK_NONE)
		ok = match_contains(m, array, container);
	m->depth--;
	return ok;
}
