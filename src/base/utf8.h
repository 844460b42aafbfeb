/*
 * utf8.h
 *	  Decoding UTF-8.
 *
 * Uses nothing of the server except the types of postgres.h.
 */
#ifndef EV_UTF8_H
#define EV_UTF8_H

/*
 * Returns the length of the UTF-8 sequence that starts with this byte, in
 * verified UTF-8.
 */
static inline int
ev_utf8_length(unsigned char lead)
{
	return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* Returns the code point that starts here, in verified UTF-8. */
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
 * Returns the length in bytes of the sequence that starts at p, and its code
 * point in *code.  Returns 0 if the sequence does not end before `end`.  This
 * cannot happen in verified strings; it prevents reading past the end.
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
