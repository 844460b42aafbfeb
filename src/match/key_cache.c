/*
 * key_cache.c
 *	  The key layout cache.
 *
 * A set is found by a hash of its entries in the jsonb, that is, of lengths.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "match/key_cache.h"

EvSeenKeys *
ev_seen_keys(void)
{
	EvSeenKeys *seen = palloc0(sizeof(EvSeenKeys));

	seen->budget = EV_KEY_BUDGET;
	return seen;
}

/* Returns a mask of the last `length` bytes of a word, at most all. */
static uint64
mask_of_last(uint32 length)
{
	uint32		masked = Min(length, sizeof(uint64));
	uint64		mask = 0;

	memset((char *) &mask + sizeof(uint64) - masked, 0xFF, masked);
	return mask;
}

static void
set_only(EvSeenKeys *seen, EvKeySet *set)
{
	seen->only = set;
	seen->only_short = set != NULL && set->is_short ? set : NULL;
}

void
ev_remember_keys(EvSeenKeys *seen, const JsonbContainer *container, uint32 length, const EvCheck *checks)
{
	const JEntry *keys = container->children;
	uint32		count = JsonContainerSize(container);
	uint32		base = offsetof(JsonbContainer, children) + 2 * count * sizeof(JEntry);
	EvKeySet   *set;
	uint32		slot;

	if (count == 0 || count > EV_MERGED_KEYS || length > EV_KEY_BYTES || seen->rest > 0)
		return;
	slot = ev_key_slot(keys, count);
	if (seen->sets[slot] != NULL)
		slot ^= 1;
	if (seen->sets[slot] != NULL)
		return;
	set = MemoryContextAlloc(GetMemoryChunkContext(seen),
							 sizeof(EvKeySet) + count * (sizeof(EvCheck) + sizeof(JEntry)) + length);
	set->header = container->header;
	set->count = count;
	set->length = length;
	set->checked = count;
	while (set->checked > 0 && checks[set->checked - 1].kind == EV_CHECK_TRUE)
		set->checked--;
	set->checks = (EvCheck *) (set + 1);
	set->entries = (JEntry *) (set->checks + count);
	set->bytes = (char *) (set->entries + count);
	memcpy(set->checks, checks, count * sizeof(EvCheck));
	memcpy(set->entries, keys, count * sizeof(JEntry));
	memcpy(set->bytes, (const char *) container + base, length);

	set->head_end = offsetof(JsonbContainer, children) + count * sizeof(JEntry) - sizeof(uint64);
	set->head[0] = ev_word_at(container, 0);
	set->head[1] = ev_word_at(container, set->head_end);

	/*
	 * The word ends with the last byte of the keys; if they are shorter than
	 * a word, the mask selects their part.
	 */
	set->keys_at[1] = base + length - sizeof(uint64);
	set->keys_at[0] = Min(base, set->keys_at[1]);
	set->keys[0] = ev_word_at(container, set->keys_at[0]);
	set->keys[1] = ev_word_at(container, set->keys_at[1]);
	set->mask = mask_of_last(length);
	set->is_short = count <= 3 && length <= 2 * sizeof(uint64);

	set->is_plain = true;
	for (uint32 i = 0; i < set->checked; i++)
		if (checks[i].kind != EV_CHECK_TRUE && checks[i].kind != EV_CHECK_TYPE &&
			checks[i].kind != EV_CHECK_NUMBER && checks[i].kind != EV_CHECK_WORD)
			set->is_plain = false;

	/*
	 * entries of strings of equal length are equal, unless they store an
	 * offset
	 */
	set->has_constant = checks[0].kind == EV_CHECK_WORD && checks[0].types == EV_BIT(EV_STRING) &&
		!JBE_HAS_OFF(keys[count]);
	if (set->has_constant)
	{
		set->constant_entry = JENTRY_ISSTRING | checks[0].length;
		set->constant_at = base + length + checks[0].length - sizeof(uint64);
		set->constant_mask = mask_of_last(checks[0].length);
		set->constant = checks[0].u.word;
#ifndef WORDS_BIGENDIAN
		if (checks[0].length > 0 && checks[0].length < sizeof(uint64))
			set->constant <<= 64 - 8 * checks[0].length;
#endif
	}

	seen->sets[slot] = set;
	seen->count++;
	set_only(seen, seen->count == 1 ? set : NULL);
}

const EvKeySet *
ev_search_keys(EvSeenKeys *seen, const JsonbContainer *container)
{
	uint32		count = JsonContainerSize(container);
	uint32		slot;

	if (unlikely(count - 1 >= EV_MERGED_KEYS))
		return NULL;
	if (unlikely(seen->rest > 0))
	{
		/* no two objects had the same keys */
		if (--seen->rest == 0)
		{
			seen->budget = EV_KEY_BUDGET;
			for (int i = 0; i < EV_KEY_SETS && seen->count == 1; i++)
				if (seen->sets[i] != NULL)
					set_only(seen, seen->sets[i]);
		}
		return NULL;
	}
	slot = ev_key_slot(container->children, count);
	for (int i = 0; i < 2; i++)
	{
		const EvKeySet *set = seen->sets[slot ^ i];

		if (set == NULL || !ev_has_keys(set, container))
			continue;
		if (seen->budget < 16 * EV_KEY_BUDGET)
			seen->budget++;
		return set;
	}
	if (--seen->budget <= 0)
	{
		seen->rest = 16 * EV_KEY_BUDGET;
		set_only(seen, NULL);
	}
	return NULL;
}
