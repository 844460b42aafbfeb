/*
 * format_ascii.c
 *	  Formats of ASCII characters (uuid, json-pointer and relative-json-
 *	  pointer), and the classes of characters that all formats use.
 *
 * Uses nothing of the server except the types and macros of postgres.h.
 */
#include "postgres.h"

#if defined(__SSE2__) && !defined(EV_NO_SIMD)
#include <emmintrin.h>
#endif

#include "format/format_internal.h"

/*
 * The classes of each ASCII character: RFC 3986, appendix A; RFC 6570, section
 * 2; RFC 1123, section 2.1; RFC 5322, section 3.2.3.
 */
#define IN_URI \
	(EV_IN_REG_NAME | EV_IN_USERINFO | EV_IN_PATH | EV_IN_QUERY | EV_IN_LITERAL)
#define ALNUM \
	(IN_URI | EV_IN_SCHEME | EV_IN_VARNAME | EV_IN_LABEL | EV_IN_ATEXT)

const uint16 ev_format_classes[256] = {
	['a'] = ALNUM,['b'] = ALNUM,['c'] = ALNUM,['d'] = ALNUM,
	['e'] = ALNUM,['f'] = ALNUM,['g'] = ALNUM,['h'] = ALNUM,
	['i'] = ALNUM,['j'] = ALNUM,['k'] = ALNUM,['l'] = ALNUM,
	['m'] = ALNUM,['n'] = ALNUM,['o'] = ALNUM,['p'] = ALNUM,
	['q'] = ALNUM,['r'] = ALNUM,['s'] = ALNUM,['t'] = ALNUM,
	['u'] = ALNUM,['v'] = ALNUM,['w'] = ALNUM,['x'] = ALNUM,
	['y'] = ALNUM,['z'] = ALNUM,
	['A'] = ALNUM,['B'] = ALNUM,['C'] = ALNUM,['D'] = ALNUM,
	['E'] = ALNUM,['F'] = ALNUM,['G'] = ALNUM,['H'] = ALNUM,
	['I'] = ALNUM,['J'] = ALNUM,['K'] = ALNUM,['L'] = ALNUM,
	['M'] = ALNUM,['N'] = ALNUM,['O'] = ALNUM,['P'] = ALNUM,
	['Q'] = ALNUM,['R'] = ALNUM,['S'] = ALNUM,['T'] = ALNUM,
	['U'] = ALNUM,['V'] = ALNUM,['W'] = ALNUM,['X'] = ALNUM,
	['Y'] = ALNUM,['Z'] = ALNUM,
	['0'] = ALNUM,['1'] = ALNUM,['2'] = ALNUM,['3'] = ALNUM,
	['4'] = ALNUM,['5'] = ALNUM,['6'] = ALNUM,['7'] = ALNUM,
	['8'] = ALNUM,['9'] = ALNUM,

	/* unreserved */
	['-'] = IN_URI | EV_IN_SCHEME | EV_IN_LABEL | EV_IN_ATEXT,
	['.'] = IN_URI | EV_IN_SCHEME,
	['_'] = IN_URI | EV_IN_VARNAME | EV_IN_ATEXT,
	['~'] = IN_URI | EV_IN_ATEXT,

	/*
	 * sub-delims; the grammar of templates omits the apostrophe, and erratum
	 * 6937 of RFC 6570 adds it
	 */
	['+'] = IN_URI | EV_IN_SCHEME | EV_IN_ATEXT,
	['!'] = IN_URI | EV_IN_ATEXT,['$'] = IN_URI | EV_IN_ATEXT,
	['&'] = IN_URI | EV_IN_ATEXT,['\''] = IN_URI | EV_IN_ATEXT,
	['*'] = IN_URI | EV_IN_ATEXT,['='] = IN_URI | EV_IN_ATEXT,
	['('] = IN_URI,[')'] = IN_URI,[','] = IN_URI,[';'] = IN_URI,

	/* gen-delims */
	[':'] = EV_IN_USERINFO | EV_IN_PATH | EV_IN_QUERY | EV_IN_LITERAL,
	['@'] = EV_IN_PATH | EV_IN_QUERY | EV_IN_LITERAL,
	['/'] = EV_IN_PATH | EV_IN_QUERY | EV_IN_LITERAL | EV_IN_ATEXT,
	['?'] = EV_IN_QUERY | EV_IN_LITERAL | EV_IN_ATEXT,
	['#'] = EV_IN_LITERAL | EV_IN_ATEXT,
	['['] = EV_IN_LITERAL,[']'] = EV_IN_LITERAL,

	/* atext that must be percent-encoded in URIs */
	['%'] = EV_IN_ATEXT,['^'] = EV_IN_ATEXT,['`'] = EV_IN_ATEXT,
	['{'] = EV_IN_ATEXT,['|'] = EV_IN_ATEXT,['}'] = EV_IN_ATEXT,
};

/*
 * RFC 4122, section 3: hexadecimal digits in groups of 8, 4, 4, 4 and 12.  As
 * in its grammar, version and variant are not checked.
 */
#if defined(__SSE2__) && !defined(EV_NO_SIMD)

/*
 * Checks sixteen bytes: hyphens where the mask has a bit, hexadecimal digits
 * elsewhere.
 */
static inline bool
match_uuid_part(const char *p, int hyphens)
{
	__m128i		chars = _mm_loadu_si128((const __m128i *) p);
	__m128i		digits = _mm_sub_epi8(chars, _mm_set1_epi8('0'));
	__m128i		letters = _mm_sub_epi8(_mm_or_si128(chars, _mm_set1_epi8(0x20)),
									   _mm_set1_epi8('a'));

	/* an unsigned x <= limit is min(x, limit) == x */
	__m128i		hex = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits),
								   _mm_cmpeq_epi8(_mm_min_epu8(letters, _mm_set1_epi8(5)), letters));
	__m128i		hyphen = _mm_cmpeq_epi8(chars, _mm_set1_epi8('-'));

	/* no character is both, so one comparison checks all positions */
	return (_mm_movemask_epi8(hex) | _mm_movemask_epi8(hyphen) << 16) ==
		((~hyphens & 0xFFFF) | hyphens << 16);
}

bool
ev_format_uuid(const char *string, int length)
{
	return length == 36 &&
		match_uuid_part(string, 1 << 8 | 1 << 13) &&
		match_uuid_part(string + 16, 1 << 2 | 1 << 7) &&
		match_uuid_part(string + 20, 1 << 3);
}

#else

/*
 * Returns the high bit of each byte that is not a hexadecimal digit.  Bytes
 * are below 0x80 when they are added to, so there is no carry.
 */
static inline uint64
find_not_hex(uint64 word)
{
	uint64		ascii = word & ~EV_HIGH_BITS;
	uint64		digits = ascii ^ EV_BYTES('0');
	uint64		letters = (ascii | EV_BYTES(0x20)) ^ EV_BYTES(0x60);
	uint64		not_digit = digits + EV_BYTES(0x80 - 10);
	uint64		above_f = letters + EV_BYTES(0x80 - 7);
	uint64		not_below_a = letters + EV_BYTES(0x80 - 1);

	return (word | (not_digit & (above_f | ~not_below_a))) & EV_HIGH_BITS;
}

/* The same, if some of the bytes must be hyphens. */
static inline uint64
find_not_uuid(uint64 word, uint64 hyphens)
{
	uint64		wrong = (word ^ EV_BYTES('-')) & hyphens;

	return wrong | find_not_hex((word & ~hyphens) | (EV_BYTES('0') & hyphens));
}

bool
ev_format_uuid(const char *string, int length)
{
	return length == 36 &&
		(find_not_hex(load_word(string)) |
		 find_not_uuid(load_word(string + 8),
					   EV_WORD(0xFF, 0, 0, 0, 0, 0xFF, 0, 0)) |
		 find_not_uuid(load_word(string + 16),
					   EV_WORD(0, 0, 0xFF, 0, 0, 0, 0, 0xFF)) |
		 find_not_hex(load_word(string + 24)) |
		 find_not_hex(load_word(string + 28))) == 0;
}

#endif

/* RFC 6901, section 3: "~" is followed by "0" or "1". */
bool
ev_format_json_pointer(const char *string, int length)
{
	const char *p = string;
	const char *end = string + length;

	if (length == 0)
		return true;
	if (*p != '/')
		return false;
	while ((p = memchr(p, '~', end - p)) != NULL)
	{
		if (end - p < 2 || (p[1] != '0' && p[1] != '1'))
			return false;
		p += 2;
	}
	return true;
}

/*
 * draft-handrews-relative-json-pointer-01, section 3, which all drafts with
 * this format cite: "0", or digits without a leading "0", and then "#" or a
 * JSON pointer.  It does not have "+1" and "-1", which a later draft added.
 */
bool
ev_format_relative_json_pointer(const char *string, int length)
{
	const char *p = string;
	const char *end = string + length;

	if (p == end || !is_digit(*p))
		return false;
	if (*p++ != '0')
		while (p < end && is_digit(*p))
			p++;
	if (p < end && *p == '#')
		return p + 1 == end;
	return ev_format_json_pointer(p, end - p);
}
