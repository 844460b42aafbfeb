/*
 * key_cache.h
 *	  The key layout cache: an object with the same keys as an earlier one
 *	  needs no merge with the names in the schema.
 */
#ifndef EV_KEY_CACHE_H
#define EV_KEY_CACHE_H

#include "base/short_string.h"
#include "program/program.h"

/* Objects with more keys are not cached, ... */
#define EV_MERGED_KEYS	32

/* ... nor are objects with longer keys, to limit the backend's memory. */
#define EV_KEY_BYTES	1024

/*
 * The keys of an earlier object, as they are stored in its jsonb, and the
 * checks for their values.
 *
 * The head of an object is its header and the entries of its keys.  The bytes
 * of the keys follow the entries of the values.  For few short keys, only some
 * words of these are compared, which are read at offsets from the header.
 */
typedef struct EvKeySet
{
	uint32		header;
	uint32		head_end;		/* offset of the head's last word */
	uint64		head[2];		/* first and last word of the head */
	uint32		keys_at[2];		/* offsets of the words with the first and the
								 * last byte of the keys, */
	uint64		keys[2];		/* these words, */
	uint64		mask;			/* and a mask of the bits that belong to keys */
	bool		is_short;		/* comparing these words is enough */
	bool		is_plain;		/* its values have only checks that
								 * fast_entry.c runs itself */
	bool		has_constant;	/* the first value must be a constant of up to
								 * 8 bytes */
	uint32		count;
	uint32		length;			/* bytes of all keys */
	uint32		checked;		/* number of checks up to the last one that
								 * can fail */
	JEntry		constant_entry; /* the entry that it must have, */
	uint32		constant_at;	/* offset of the word that ends with it, */
	uint64		constant;		/* and this word, with zeros before it */
	uint64		constant_mask;
	EvCheck    *checks;			/* copies, so that they are adjacent */
	JEntry	   *entries;
	char	   *bytes;
} EvKeySet;

#define EV_KEY_SETS		16		/* a power of 2 */
#define EV_KEY_BUDGET	64		/* initial value */

/*
 * The keys of the first few objects.  They are never replaced, since the run
 * of a recursive schema may be using them.
 */
typedef struct EvSeenKeys
{
	EvKeySet   *only;			/* the only set, if there is one and rest is 0 */
	EvKeySet   *only_short;		/* the same, if it is short */
	int32		budget;			/* increased by hits, decreased by misses */
	int32		rest;			/* number of objects that skip the lookup */
	uint32		count;
	EvKeySet   *sets[EV_KEY_SETS];	/* by hash; NULL: unused */
} EvSeenKeys;

/* Returns an empty cache, in CurrentMemoryContext. */
extern EvSeenKeys *ev_seen_keys(void);

/*
 * If there is room, caches the keys, `length` bytes, of an object that has all
 * required properties.
 */
extern void ev_remember_keys(EvSeenKeys *seen, const JsonbContainer *container, uint32 length,
							 const EvCheck *checks);

/* For ev_find_keys: searches all sets, not only the most likely one. */
extern const EvKeySet *ev_search_keys(EvSeenKeys *seen, const JsonbContainer *container);

/* Reads eight bytes of an object: the caller knows that all of them are in it. */
static inline uint64
ev_word_at(const void *data, uint32 offset)
{
	uint64		word;

	memcpy(&word, (const char *) data + offset, sizeof(word));
	return word;
}

/* Does an object have the keys of a short set? */
static pg_attribute_always_inline bool
ev_has_short_keys(const EvKeySet *set, const JsonbContainer *container)
{
	/*
	 * This order prevents reads beyond the object's end: first the number of
	 * keys, then their lengths, then the keys.
	 */
	if (container->header != set->header)
		return false;
	if (((ev_word_at(container, 0) ^ set->head[0]) |
		 (ev_word_at(container, set->head_end) ^ set->head[1])) != 0)
		return false;
	return (((ev_word_at(container, set->keys_at[0]) ^ set->keys[0]) |
			 (ev_word_at(container, set->keys_at[1]) ^ set->keys[1])) & set->mask) == 0;
}

/* Does an object have the keys of a set? */
static pg_attribute_always_inline bool
ev_has_keys(const EvKeySet *set, const JsonbContainer *container)
{
	if (set->is_short)
		return ev_has_short_keys(set, container);
	return container->header == set->header &&
		memcmp(container->children, set->entries, set->count * sizeof(JEntry)) == 0 &&
		memcmp(container->children + 2 * set->count, set->bytes, set->length) == 0;
}

/*
 * Returns the slot of a set of keys; the slot beside it is used if this one is
 * taken.
 */
static inline uint32
ev_key_slot(const JEntry *keys, uint32 count)
{
	uint32		hash = keys[0] + keys[count / 2] * 31 + keys[count - 1] * 1021 + count;

	return (hash * 0x9E3779B1) / (PG_UINT32_MAX / EV_KEY_SETS + 1);
}

/* Returns the set of an object's keys; NULL if they are not cached. */
static pg_attribute_always_inline const EvKeySet *
ev_find_keys(EvSeenKeys *seen, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	const EvKeySet *set = seen->only;

	if (set == NULL && seen->rest == 0 && count > 0)
		set = seen->sets[ev_key_slot(container->children, count)];
	if (unlikely(set == NULL || !ev_has_keys(set, container)))
		return ev_search_keys(seen, container);
	if (unlikely(seen->budget < 16 * EV_KEY_BUDGET))
		seen->budget++;
	return set;
}

#endif							/* EV_KEY_CACHE_H */
