/*
 * format_time.c
 *	  The formats of RFC 3339: date-time, date, time and duration.
 *
 * Uses nothing of the server except the types and macros of postgres.h.
 */
#include "postgres.h"

#include "format/format_internal.h"

/*
 * Dates and times: RFC 3339, section 5.6, with the limits of section 5.7.
 *
 * Fixed layouts are compared eight bytes at a time.  XOR with a template such
 * as "0000-00-" turns digits into their values, and correct other characters
 * into zero.  Adding 0x76 then sets the high bit of a byte above 9, and adding
 * 0x7F that of a byte above 0.  A carry into the next byte comes only from a
 * byte above 0x7F, which is wrong anyway.
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
 * Combines each digit with the next one to a number of at most 99, which fits
 * in a byte.
 */
static inline uint64
pair_digits(uint64 digits)
{
	return digits * 10 + (digits >> 8);
}

/* Matches full-date, ten bytes. */
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
 * Matches full-time, which has at least nine bytes ("00:00:00Z").
 *
 * After pairing the digits, bytes 0, 3 and 6 of the word are hour, minute and
 * second.
 */
static inline bool
match_full_time(const char *p, const char *end)
{
	static const uint64 fields =
		EV_WORD(0xFF, 0, 0, 0xFF, 0, 0, 0xFF, 0);

	/* a high bit is set by an hour above 23, or a minute or second above 59 */
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
		/* now only second 60 is still valid */
		uint64		second = (uint64) 60 << 48;

		leap_second = true;
		if ((word & UINT64CONST(0x00FF000000000000)) != second ||
			(((word - second) + field_limits) & EV_HIGH_BITS) != 0)
			return false;
	}
	p += 8;

	/* time-secfrac; the caller has checked that there is one more byte */
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

	/* section 5.7: a leap second is 23:59:60 UTC, in any offset */
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
 * RFC 3339, appendix A.  Units must follow each other without a gap: "P1Y2D"
 * and "PT1H2S" are not in the grammar.  Letters are ABNF strings, so upper and
 * lower case are equal (RFC 2234, section 2.3).
 */
bool
ev_format_duration(const char *string, int length)
{
	static const char date_units[] = "ymd";
	static const char time_units[] = "hms";

	const char *p = string;
	const char *end = string + length;
	const char *units = date_units;
	int			next = 0;		/* the largest unit that may come now */
	bool		any = false;	/* this part has a unit */

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

		/* dur-week must be alone */
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
