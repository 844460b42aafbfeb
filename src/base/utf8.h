/*
 * utf8.h
 *	  Reading UTF-8.
 *
 * Relies on nothing of the server but the types of postgres.h.
 */
#ifndef EV_UTF8_H
#define EV_UTF8_H

/*
 * Length of the UTF-8 sequence that starts with this byte, in verified UTF-8.
 */
static inline int
ev_utf8_length(unsigned char lead)
{
	return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* The code point that starts here, in verified UTF-8. */
static inline uint32
ev_utf8_decode(const unsigned char *s)
{
	if (s[0] < 0x80)
		return s[0];
	if (s[0] < 0xE0)
		return (s[0] & 0x1F) << 6 | (s[1] & 0x3F);
	if (s[0] < 0xF0)
		return (s[0] & 0x0F) << 12 | (s[1] & 0x3F) << 6 | (s[2] & 0x3F);
	return (uint32) (s[0] & 0x07) << 18 | (s[1] & 0x3F) << 12 |
		(s[2] & 0x3F) << 6 | (s[3] & 0x3F);
}

/*
 * The same, and its length in bytes.  Gives 0 where the bytes up to end do not
 * hold the whole sequence: verified strings always do, so this only guards
 * against reading past the end.
 */
static inline int
ev_utf8_decode_within(const unsigned char *p, const unsigned char *end, uint32 *code)
{
	int			length = p < end ? ev_utf8_length(*p) : 0;

	if (length == 0 || end - p < length)
		return 0;
	*code = ev_utf8_decode(p);
	return length;
}

#endif							/* EV_UTF8_H */
