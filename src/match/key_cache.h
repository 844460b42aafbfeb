/*
 * key_cache.h
 *	  The key layout cache: an object with the same keys as an earlier one needs
 *	  no merge with the schema's names.
 */
#ifndef EV_KEY_CACHE_H
#define EV_KEY_CACHE_H

#include "base/short_string.h"
#include "program/program.h"

/* More keys than that are not remembered, ... */
#define EV_MERGED_KEYS	32

/* ... nor are longer ones: kept short, for the backend's sake. */
#define EV_KEY_BYTES	1024

/*
 * The keys that an object had, as they lie in its jsonb, and the checks for
 * their values.
 *
 * The head of an object is its header and the entries of its keys; the bytes
 * of the keys follow the entries of the values.  Words of them, 8 bytes at
 * offsets from the header, are all that is compared of few short keys.
 */
typedef struct EvKeySet
{
	uint32		header;
	uint32		head_end;		/* where the last word of the head is */
	uint64		head[2];		/* the first word of it, and the last */
	uint32		keys_at[2];		/* where words with the first and the last
								 * byte of the keys are, ... */
	uint64		keys[2];		/* ... these, ... */
	uint64		mask;			/* ... and which of their bits belong to keys */
	bool		is_short;		/* that is all there is to compare */
	bool		is_plain;		/* its values are checked as fast_entry.c does
								 * it */
	bool		has_constant;	/* the first value must be one of up to 8
								 * bytes */
	uint32		count;
	uint32		length;			/* bytes of all keys */
	uint32		checked;		/* only the first so many checks say anything */
	JEntry		constant_entry; /* what its entry must be, ... */
	uint32		constant_at;	/* ... where a word ends with it, ... */
	uint64		constant;		/* ... and it, zeros besides */
	uint64		constant_mask;
	EvCheck    *checks;			/* copies, so that they lie together */
	JEntry	   *entries;
	char	   *bytes;
} EvKeySet;

#define EV_KEY_SETS		16		/* a power of 2 */
#define EV_KEY_BUDGET	64		/* to begin with */

/*
 * The first few sets of keys.  They are never replaced, since the run of a
 * recursive schema may be using one.
 */
typedef struct EvSeenKeys
{
	EvKeySet   *only;			/* where there is one, and no rest */
	EvKeySet   *only_short;		/* the same, if it is short */
	int32		budget;			/* hits add to it, misses take from it */
	int32		rest;			/* so many objects skip the lookup */
	uint32		count;
	EvKeySet   *sets[EV_KEY_SETS];	/* by hash; NULL: unused */
} EvSeenKeys;

/* Of an object that none were seen of yet, in CurrentMemoryContext. */
extern EvSeenKeys *ev_seen_keys(void);

/*
 * Keeps the keys, `length` bytes, of an object that has all that it needs to
 * have, where there is room.
 */
extern void ev_remember_keys(EvSeenKeys *seen, const JsonbContainer *container, uint32 length,
							 const EvCheck *checks);

/* For ev_find_keys: all sets, not only the one that it most likely is. */
extern const EvKeySet *ev_search_keys(EvSeenKeys *seen, const JsonbContainer *container);

static inline uint64
ev_word_at(const void *data, uint32 offset)
{
	uint64		word;

	memcpy(&word, (const char *) data + offset, sizeof(word));
	return word;
}

/* Does an object have the keys of a set that is short?  It is one if so. */
static pg_attribute_always_inline bool
ev_has_short_keys(const EvKeySet *set, const JsonbContainer *container)
{
	/*
	 * In this order, or it could be read beyond its end: how many keys, how
	 * long they are, and then these.
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

/* Where a set of keys is, if it is one of those seen; else in the place beside. */
static inline uint32
ev_key_place(const JEntry *keys, uint32 count)
{
	uint32		hash = keys[0] + keys[count / 2] * 31 + keys[count - 1] * 1021 + count;

	return (hash * 0x9E3779B1) / (PG_UINT32_MAX / EV_KEY_SETS + 1);
}

/* The set of an object's keys; NULL where it is not known. */
static pg_attribute_always_inline const EvKeySet *
ev_find_keys(EvSeenKeys *seen, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	const EvKeySet *set = seen->only;

	if (set == NULL && seen->rest == 0 && count > 0)
		set = seen->sets[ev_key_place(container->children, count)];
	if (unlikely(set == NULL || !ev_has_keys(set, container)))
		return ev_search_keys(seen, container);
	if (unlikely(seen->budget < 16 * EV_KEY_BUDGET))
		seen->budget++;
	return set;
}

#endif							/* EV_KEY_CACHE_H */
