/*
 * words.h
 *	  A short string as two words, read without a loop and without reading past
 *	  its end: the reads overlap instead.
 *
 * For strings of one length of at most 16 bytes, equal words mean equal
 * strings.
 */
#ifndef EV_WORDS_H
#define EV_WORDS_H

static inline void
ev_words(const char *data, uint32 length, uint64 words[2])
{
	if (length >= 8)
	{
		memcpy(&words[0], data, 8);
		memcpy(&words[1], data + length - 8, 8);
	}
	else if (length >= 4)
	{
		memcpy(&words[0], data, 4);
		memcpy((char *) &words[0] + 4, data + length - 4, 4);
		words[1] = words[0];
	}
	else if (length > 0)
	{
		unsigned char bytes[8];

		bytes[0] = bytes[4] = data[0];
		bytes[1] = bytes[5] = data[length / 2];
		bytes[2] = bytes[6] = data[length - 1];
		bytes[3] = bytes[7] = data[length - 1];
		memcpy(&words[0], bytes, 8);
		words[1] = words[0];
	}
	else
		words[0] = words[1] = 0;
}

/* A hash of a string by its words, good in its upper bits. */
static inline uint64
ev_string_hash(const uint64 words[2], uint32 length)
{
	return (words[0] * UINT64CONST(0x9E3779B97F4A7C15)) ^ ((words[1] + length) * UINT64CONST(0xD6E8FEB86659FD93));
}

/* Which byte of a string of that length the byte `lane` of the words is. */
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

#endif							/* EV_WORDS_H */
