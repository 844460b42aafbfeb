/*
 * format.c
 *	  The values of "format": the list of them, and the simple ones (dates,
 *	  times, durations, uuids and JSON pointers).
 *
 * Relies on nothing of the server but the types and macros of postgres.h, so
 * that the module can be linked into a program of its own.  Promises linear
 * time, a bounded stack, and answers that depend on the bytes alone: no
 * locale, no time zone, no setting.
 */
#include "postgres.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "format.h"
#include "format_internal.h"
#include "pattern.h"

/*
 * Every format.  A name that a later draft introduced is asserted in the
 * earlier ones too: there it would be unknown, and an unknown name that is
 * silently ignored surprises.  A name has two rows where its meaning changed.
 */
static const EvFormat formats[] = {
	{"date-time", ev_format_date_time,
	"an RFC 3339 date-time", EV_ALL_DRAFTS},
	{"date", ev_format_date,
	"an RFC 3339 full-date", EV_ALL_DRAFTS},
	{"time", ev_format_time,
	"an RFC 3339 full-time", EV_ALL_DRAFTS},
	{"duration", ev_format_duration,
	"an RFC 3339 duration", EV_ALL_DRAFTS},
	{"uuid", ev_format_uuid,
	"an RFC 4122 uuid", EV_ALL_DRAFTS},
	{"email", ev_format_email,
	"an RFC 5321 email address", EV_ALL_DRAFTS},
	{"idn-email", ev_format_idn_email,
	"an RFC 6531 email address", EV_ALL_DRAFTS},

	/*
	 * Drafts 4 and 6 cite RFC 1034 alone, to which "xn--" is nothing special;
	 * draft 7 adds "host names produced using the Punycode algorithm"
	 * (7.3.3).
	 */
	{"hostname", ev_format_host_name,
	"an RFC 1123 host name", EV_UNTIL(EV_DRAFT6)},
	{"hostname", ev_format_hostname,
	"an RFC 1123 host name", EV_SINCE(EV_DRAFT7)},
	{"idn-hostname", ev_format_idn_hostname,
	"an RFC 5890 host name", EV_ALL_DRAFTS},
	{"ipv4", ev_format_ipv4,
	"an IPv4 address", EV_ALL_DRAFTS},
	{"ipv6", ev_format_ipv6,
	"an IPv6 address", EV_ALL_DRAFTS},
	{"uri", ev_format_uri,
	"an RFC 3986 URI", EV_ALL_DRAFTS},
	{"uri-reference", ev_format_uri_reference,
	"an RFC 3986 URI reference", EV_ALL_DRAFTS},
	{"iri", ev_format_iri,
	"an RFC 3987 IRI", EV_ALL_DRAFTS},
	{"iri-reference", ev_format_iri_reference,
	"an RFC 3987 IRI reference", EV_ALL_DRAFTS},
	{"uri-template", ev_format_uri_template,
	"an RFC 6570 URI template", EV_ALL_DRAFTS},
	{"json-pointer", ev_format_json_pointer,
	"an RFC 6901 JSON pointer", EV_ALL_DRAFTS},
	{"relative-json-pointer", ev_format_relative_json_pointer,
	"a relative JSON pointer", EV_ALL_DRAFTS},
	{"regex", ev_pattern_is_valid,
	"an ECMA-262 regular expression", EV_ALL_DRAFTS},
};

const EvFormat *
ev_format_find(const char *name, int length, EvDraft draft)
{
	for (int i = 0; i < (int) lengthof(formats); i++)
	{
		const EvFormat *format = &formats[i];

		if ((format->drafts & EV_IN(draft)) != 0 &&
			strlen(format->name) == (size_t) length &&
			memcmp(format->name, name, length) == 0)
			return format;
	}
	return NULL;
}

/*
 * The characters of ASCII: RFC 3986, appendix A, RFC 6570, section 2, RFC 1123,
 * section 2.1, RFC 5322, section 3.2.3.
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
	 * sub-delims; the grammar of templates leaves the apostrophe out, the
	 * erratum 6937 of RFC 6570 puts it in
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

	/* atext that URIs do not hold as they are */
	['%'] = EV_IN_ATEXT,['^'] = EV_IN_ATEXT,['`'] = EV_IN_ATEXT,
	['{'] = EV_IN_ATEXT,['|'] = EV_IN_ATEXT,['}'] = EV_IN_ATEXT,
};

int
ev_format_decode_utf8(const unsigned char *p, const unsigned char *end,
					  uint32 *code)
{
	if (p >= end)
		return 0;
	if (p[0] < 0x80)
	{
		*code = p[0];
		return 1;
	}
	if (p[0] < 0xE0)
	{
		if (end - p < 2)
			return 0;
		*code = (p[0] & 0x1F) << 6 | (p[1] & 0x3F);
		return 2;
	}
	if (p[0] < 0xF0)
	{
		if (end - p < 3)
			return 0;
		*code = (p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F);
		return 3;
	}
	if (end - p < 4)
		return 0;
	*code = (uint32) (p[0] & 0x07) << 18 | (p[1] & 0x3F) << 12 |
		(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
	return 4;
}

/*
 * Dates and times: RFC 3339, section 5.6, with the limits of 5.7.
 *
 * Fixed layouts are compared eight bytes at a time.  XOR with a template such
 * as "0000-00-" turns digits into their values and the other characters, where
 * they are right, into zero.  Adding 0x76 then sets the high bit of a byte
 * above 9, adding 0x7F that of a byte above 0; a carry into the next byte
 * comes only from a byte that was above 0x7F, so from a wrong one.
 */
#define DIGIT_LIMIT		0x76
#define LITERAL_LIMIT	0x7F

static const uint64 year_month_template =
EV_WORD('0', '0', '0', '0', '-', '0', '0', '-');
static const uint64 year_month_limits =
EV_WORD(DIGIT_LIMIT, DIGIT_LIMIT, DIGIT_LIMIT, DIGIT_LIMIT, LITERAL_LIMIT,
		DIGIT_LIMIT, DIGIT_LIMIT, LITERAL_LIMIT);
static const uint64 time_template =
EV_WORD('0', '0', ':', '0', '0', ':', '0', '0');
static const uint64 time_limits =
EV_WORD(DIGIT_LIMIT, DIGIT_LIMIT, LITERAL_LIMIT, DIGIT_LIMIT, DIGIT_LIMIT,
		LITERAL_LIMIT, DIGIT_LIMIT, DIGIT_LIMIT);

/*
 * From digits, one a byte, to the number that a byte and the next one make:
 * at most 99, so it fits.
 */
static inline uint64
pair_digits(uint64 digits)
{
	return digits * 10 + (digits >> 8);
}

/* Ten bytes: full-date. */
static inline bool
match_full_date(const char *p)
{
	static const unsigned char days[13] =
	{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	uint64		word = load_word(p) ^ year_month_template;
	unsigned	tens = (unsigned char) (p[8] - '0');
	unsigned	units = (unsigned char) (p[9] - '0');
	unsigned	month;
	unsigned	day;

	if ((((word + year_month_limits) | word) & EV_HIGH_BITS) != 0 ||
		tens > 9 || units > 9)
		return false;
	word = pair_digits(word);
	month = (word >> 40) & 0xFF;
	day = tens * 10 + units;

	if (month > 12 || day == 0)
		return false;
	if (likely(day <= days[month]))
		return true;

	/* RFC 3339, appendix C: the 29th of February in a leap year */
	if (month == 2 && day == 29)
	{
		unsigned	century = word & 0xFF;
		unsigned	year = (word >> 16) & 0xFF;

		return year == 0 ? century % 4 == 0 : year % 4 == 0;
	}
	return false;
}

/*
 * full-time, over at least nine bytes ("00:00:00Z").
 *
 * The word's bytes 0, 3 and 6 hold hour, minute and second once the digits
 * are paired.
 */
static inline bool
match_full_time(const char *p, const char *end)
{
	static const uint64 fields =
		EV_WORD(0xFF, 0, 0, 0xFF, 0, 0, 0xFF, 0);

	/* a high bit is set by an hour above 23, a minute or second above 59 */
	static const uint64 field_limits =
		EV_WORD(0x80 - 24, 0, 0, 0x80 - 60, 0, 0, 0x80 - 60, 0);

	uint64		word = load_word(p) ^ time_template;
	bool		leap_second = false;
	int			offset = 0;

	if ((((word + time_limits) | word) & EV_HIGH_BITS) != 0)
		return false;
	word = pair_digits(word) & fields;
	if (((word + field_limits) & EV_HIGH_BITS) != 0)
	{
		/* the one way to be right now is second 60 */
		uint64		second = (uint64) 60 << 48;

		leap_second = true;
		if ((word & UINT64CONST(0x00FF000000000000)) != second ||
			(((word - second) + field_limits) & EV_HIGH_BITS) != 0)
			return false;
	}
	p += 8;

	/* time-secfrac; the caller has seen to it that there is one more byte */
	if (*p == '.')
	{
		const char *first = ++p;

		while (p < end && is_digit(*p))
			p++;
		if (p == first || p == end)
			return false;
	}

	/* time-offset; either letter case, by the note in section 5.6 */
	if ((*p | 0x20) == 'z')
	{
		if (p + 1 != end)
			return false;
	}
	else
	{
		unsigned	hour;
		unsigned	minute;

		if (end - p != 6 || (*p != '+' && *p != '-') || p[3] != ':' ||
			!is_digit(p[1]) || !is_digit(p[2]) ||
			!is_digit(p[4]) || !is_digit(p[5]))
			return false;
		hour = (p[1] - '0') * 10 + (p[2] - '0');
		minute = (p[4] - '0') * 10 + (p[5] - '0');
		if (hour > 23 || minute > 59)
			return false;
		offset = hour * 60 + minute;
		if (*p == '-')
			offset = -offset;
	}

	/* section 5.7: a leap second is 23:59:60 UTC, whatever the offset says */
	if (unlikely(leap_second))
	{
		int			minute = (int) (word & 0xFF) * 60 + (int) ((word >> 24) & 0xFF);
		const int	minutes_a_day = 24 * 60;

		return (minute - offset + minutes_a_day) % minutes_a_day ==
			minutes_a_day - 1;
	}
	return true;
}

bool
ev_format_date_time(const char *string, int length)
{
	return length >= 20 &&
		(string[10] | 0x20) == 't' &&
		match_full_date(string) &&
		match_full_time(string + 11, string + length);
}

bool
ev_format_date(const char *string, int length)
{
	return length == 10 && match_full_date(string);
}

bool
ev_format_time(const char *string, int length)
{
	return length >= 9 && match_full_time(string, string + length);
}

/*
 * RFC 3339, appendix A.  Units follow each other without a gap: "P1Y2D" and
 * "PT1H2S" are not in the grammar.  Letters are ABNF strings, so of either
 * case (RFC 2234, section 2.3).
 */
bool
ev_format_duration(const char *string, int length)
{
	static const char date_units[] = "ymd";
	static const char time_units[] = "hms";

	const char *p = string;
	const char *end = string + length;
	const char *units = date_units;
	int			next = 0;		/* the least unit that may come now */
	bool		any = false;	/* seen a unit in this part */

	if (p == end || (*p++ | 0x20) != 'p')
		return false;

	while (p < end)
	{
		const char *first = p;
		int			unit;

		if ((*p | 0x20) == 't')
		{
			if (units == time_units)
				return false;
			units = time_units;
			next = 0;
			any = false;
			p++;
			continue;
		}

		while (p < end && is_digit(*p))
			p++;
		if (p == first || p == end)
			return false;

		/* dur-week stands alone */
		if ((*p | 0x20) == 'w')
			return first == string + 1 && p + 1 == end;

		for (unit = next; unit < 3; unit++)
			if ((*p | 0x20) == units[unit])
				break;
		if (unit == 3 || (any && unit != next))
			return false;
		next = unit + 1;
		any = true;
		p++;
	}
	return any;
}

/*
 * RFC 4122, section 3: hexadecimal digits in groups of 8, 4, 4, 4 and 12.
 * Version and variant are not looked at, as the grammar does not either.
 */
#if defined(__SSE2__) && !defined(EV_FORMAT_NO_SIMD)

/* Sixteen bytes: hyphens where the mask says so, else hexadecimal digits. */
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

	/* no character is both, so one comparison settles each position */
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
 * Eight bytes: the high bit of every byte that is not a hexadecimal digit.
 * The additions are to bytes below 0x80, so they do not carry.
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

/* The same, where some of the bytes have to be hyphens. */
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

/* RFC 6901, section 3: "~" only as "~0" or "~1". */
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
 * draft-handrews-relative-json-pointer-01, section 3, which all drafts that
 * know the format cite: "0", or digits without a leading "0", and then "#" or
 * a JSON pointer.  (A later draft's "+1" and "-1" are not there.)
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
