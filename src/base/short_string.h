/*
 * short_string.h
 *	  A short string as two words, read without a loop and without reading
 *	  past its end, by two reads that overlap.
 *
 * For strings of equal length up to 16 bytes, equal words mean equal strings.
 */
#ifndef EV_SHORT_STRING_H
#define EV_SHORT_STRING_H

#include "common/hashfn.h"

/* Returns a number with the bytes of `first`, then those of `last`. */
#ifdef WORDS_BIGENDIAN
#define EV_IN_ORDER(first, last, bits)	((uint64) (first) << (bits) | (uint64) (last))
#else
#define EV_IN_ORDER(first, last, bits)	((uint64) (first) | (uint64) (last) << (bits))
#endif

static inline void
ev_words(const char *data, uint32 length, uint64 words[2])
{
	if (length >= 8)
	{
		memcpy(&words[0], data, 8);
		memcpy(&words[1], data + length - 8, 8);
		return;
	}

	/* combine in registers, since a load that spans two stores stalls */
	if (length >= 4)
	{
		uint32		first;
		uint32		last;

		memcpy(&first, data, 4);
		memcpy(&last, data + length - 4, 4);
		words[0] = EV_IN_ORDER(first, last, 32);
	}
	else if (length > 0)
	{
		const uint8 *bytes = (const uint8 *) data;
		uint16		first = EV_IN_ORDER((uint16) bytes[0], (uint16) bytes[length / 2], 8);
		uint16		last = EV_IN_ORDER((uint16) bytes[length - 1], (uint16) bytes[length - 1], 8);
		uint32		half = EV_IN_ORDER((uint32) first, (uint32) last, 16);

		words[0] = EV_IN_ORDER((uint64) half, half, 32);
	}
	else
		words[0] = 0;
	words[1] = words[0];
}

/*
 * Returns the last 8 bytes of a string in a jsonb; if it is shorter, the bytes
 * before it are replaced by zeros.  Reading them is safe, since a header and
 * an entry precede each string.
 */
static inline uint64
ev_tail_word(const char *end, uint32 length)
{
	uint64		word;

	memcpy(&word, end - sizeof(word), sizeof(word));
	if (length >= sizeof(word))
		return word;
	if (length == 0)
		return 0;
#ifdef WORDS_BIGENDIAN
	return word & (~UINT64CONST(0) >> (64 - 8 * length));
#else
	return word >> (64 - 8 * length);
#endif
}

/* Are these bytes equal to those of the words, and to those at `same`? */
static pg_attribute_always_inline bool
ev_same_bytes(const void *bytes, uint32 length, const uint64 words[2], const void *same)
{
	uint64		x[2];

	if (length > 16)
		return memcmp(bytes, same, length) == 0;
	ev_words(bytes, length, x);
	return ((x[0] ^ words[0]) | (x[1] ^ words[1])) == 0;
}

/* Returns the first 8 bytes of a string, filled up with zeros. */
static inline uint64
ev_word(const char *data, uint32 length)
{
	uint64		word = 0;

	if (length >= 8)
		memcpy(&word, data, 8);
	else
		for (uint32 i = 0; i < length; i++)
			((char *) &word)[i] = data[i];
	return word;
}

/*
 * Returns a hash of a string, whose upper bits are well mixed.  Up to 16
 * bytes, the words determine it.  If a string is longer, the bytes in its middle
 * are hashed too, since many URIs have equal ends.
 */
static inline uint64
ev_string_hash(const char *data, uint32 length, const uint64 words[2])
{
	if (length > 16)
		return hash_bytes_extended((const unsigned char *) data, (int) length, 0);
	return (words[0] * UINT64CONST(0x9E3779B97F4A7C15)) ^ ((words[1] + length) * UINT64CONST(0xD6E8FEB86659FD93));
}

/*
 * Returns the position in a string of this length that the byte `lane` of the
 * words has.
 */
static inline int
ev_word_position(int lane, int length)
{
	if (length >= 8)
		return lane < 8 ? lane : length - 16 + lane;
	lane %= 8;
	if (length >= 4)
		return lane < 4 ? lane : length - 8 + lane;
	lane %= 4;
	return lane == 0 ? 0 : lane == 1 ? length / 2 : length - 1;
}

#endif							/* EV_SHORT_STRING_H */
