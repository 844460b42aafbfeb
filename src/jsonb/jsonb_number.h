/*
 * jsonb_number.h
 *	  Numbers of a jsonb, read in place.
 *
 * The layout is that of numeric.c, which is fixed since it is stored on disk:
 * a header of 2 bytes (short form, with sign, display scale and weight) or 4
 * bytes (long form, with the weight after the header), then digits of base
 * 10000, of which the first and the last are not zero.  The value is the sum
 * of digit[i] * 10000 ^ (weight - i).  A jsonb contains no NaN and no
 * infinity.
 */
#ifndef EV_JSONB_NUMBER_H
#define EV_JSONB_NUMBER_H

#include "base/compat.h"
#include "utils/numeric.h"

typedef struct EvDigits
{
	const int16 *digits;
	int			count;			/* 0: the number is zero */
	int			weight;
	bool		negative;
} EvDigits;

static inline EvDigits
ev_number_read(Numeric number)
{
	const char *data;
	int			size;
	uint16		header;
	EvDigits	result;

	if (likely(VARATT_IS_4B_U(number)))
	{
		data = VARDATA_4B(number);
		size = VARSIZE_4B(number) - VARHDRSZ;
	}
	else
	{
		data = VARDATA_ANY(number);
		size = VARSIZE_ANY_EXHDR(number);
	}
	memcpy(&header, data, sizeof(header));
	if ((header & 0xC000) == 0x8000)
	{
		/* short form: bit 13 is the sign, bits 0 to 6 a signed weight */
		result.negative = (header & 0x2000) != 0;
		result.weight = (header & 0x0040) ? (int) (header & 0x3F) - 0x40 : (int) (header & 0x3F);
		result.digits = (const int16 *) (data + 2);
		result.count = (unsigned int) (size - 2) / 2;
	}
	else
	{
		int16		weight;

		memcpy(&weight, data + 2, sizeof(weight));
		result.negative = (header & 0xC000) == 0x4000;
		result.weight = weight;
		result.digits = (const int16 *) (data + 4);
		result.count = (unsigned int) (size - 4) / 2;
	}
	return result;
}

/*
 * Returns an integer from 0 to 99999999 if the number is one in the usual
 * short form; otherwise -1, even if it is such an integer in another form.
 */
static inline int32
ev_number_small(const char *number)
{
	uint16		header;
	int16		digits[2];
	uint32		size;

	if (unlikely(!VARATT_IS_4B_U(number)))
		return -1;
	size = VARSIZE_4B(number) - VARHDRSZ - sizeof(header);
	memcpy(&header, number + VARHDRSZ, sizeof(header));
	number += VARHDRSZ + sizeof(header);
	/* short form, not negative, one or two digits of base 10000 */
	if ((header & 0xE07E) != 0x8000)
		return -1;
	if ((header & 1) == 0)
	{
		if (size != sizeof(int16))
			return size == 0 ? 0 : -1;
		memcpy(digits, number, sizeof(int16));
		return digits[0];
	}
	if (unlikely(size != sizeof(digits)))
		return -1;
	memcpy(digits, number, sizeof(digits));
	return digits[0] * 10000 + digits[1];
}

/*
 * Does the header alone show that the number is positive?  If false, it may
 * still be positive.
 */
static inline bool
ev_number_is_plainly_positive(Numeric number)
{
	uint16		header;

	if (!VARATT_IS_4B_U(number) || VARSIZE_4B(number) <= VARHDRSZ + sizeof(header))
		return false;
	memcpy(&header, (const char *) number + VARHDRSZ, sizeof(header));
	return (header & 0xE000) == 0x8000;
}

/* Does the number have no digits after the decimal point? */
static inline bool
ev_number_is_integer(Numeric number)
{
	EvDigits	n = ev_number_read(number);

	return n.count <= n.weight + 1 || n.count == 0;
}

/* Returns a value less than, equal to or greater than 0, as a is to b. */
extern int	ev_number_compare(Numeric a, Numeric b);

/* Is the quotient of two numbers an integer?  The divisor is not zero. */
extern bool ev_number_is_multiple(Numeric number, Numeric of);

#endif							/* EV_JSONB_NUMBER_H */
