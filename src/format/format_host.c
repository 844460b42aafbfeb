/*
 * format_host.c
 *	  Formats of hosts: host names, internationalized host names, IP
 *	  addresses, and mail addresses.
 *
 * A host name has at most 253 bytes, which limits all work on it.
 * Internationalized labels are passed one by one to libidn2, which implements
 * the character properties, the contextual rules and the normalization of
 * IDNA2008.  Rules for a whole name (its length, the Bidi rule) are
 * implemented here.  The results of libidn2 are allocated with malloc, and
 * freed at once.  If libidn2 is out of memory, the string does not match.
 */
#include "postgres.h"

#include <idn2.h>

#include "format/format.h"
#include "format/format_bidi.h"
#include "format/format_internal.h"

#define MAX_NAME		253		/* RFC 1035, section 2.3.4: 255 on the wire */
#define MAX_LABEL		63
#define MAX_LOCAL_PART	64		/* RFC 5321, section 4.5.3.1.1 */

/*
 * An upper limit on the UTF-8 bytes of a label whose A-label has 63 bytes.
 * Each code point takes at least one byte of the A-label, and at most four
 * bytes here.  Normalization can shorten the label, so the limit is doubled.
 */
#define MAX_U_LABEL		(2 * 4 * MAX_LABEL)

/*
 * The facts about a label that the Bidi rule needs, which applies to the whole
 * name.
 */
typedef struct LabelDirection
{
	bool		rtl;			/* has a character of class R, AL or AN */
	bool		follows_rule;	/* satisfies the six conditions */
} LabelDirection;

static inline bool
has_ace_prefix(const char *label, int length)
{
	return length >= 4 &&
		(label[0] | 0x20) == 'x' && (label[1] | 0x20) == 'n' &&
		label[2] == '-' && label[3] == '-';
}

/*
 * Skips one label of letters, digits and inner hyphens (RFC 1123, section
 * 2.1).  Returns its end, or NULL.
 */
static inline const char *
skip_label(const char *p, const char *end)
{
	const char *label = p;

	while (p < end && is_in(*p, EV_IN_LABEL))
		p++;
	if (p == label || p - label > MAX_LABEL || *label == '-' || p[-1] == '-')
		return NULL;
	return p;
}

/*
 * Matches labels separated by dots, without a dot at the end.  *ace is set if
 * a label starts with "xn--".
 */
static bool
match_host_name(const char *string, int length, bool *ace)
{
	const char *end = string + length;
	const char *label = string;

	*ace = false;
	if (length > MAX_NAME)
		return false;
	for (;;)
	{
		const char *p = skip_label(label, end);

		if (p == NULL)
			return false;
		if (has_ace_prefix(label, p - label))
			*ace = true;
		if (p == end)
			return true;
		if (*p != '.')
			return false;
		label = p + 1;
	}
}

static EvBidiClass
get_bidi_class(uint32 code)
{
	int			low = 0;
	int			high = (int) lengthof(bidi_ranges) - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;

		if (code < bidi_ranges[middle].first)
			high = middle - 1;
		else if (code > bidi_ranges[middle].last)
			low = middle + 1;
		else
			return bidi_ranges[middle].value;
	}
	return BIDI_L;
}

/* Checks a label against the six conditions of RFC 5893, section 2. */
static LabelDirection
get_label_direction(const char *label, int length)
{
	const unsigned char *p = (const unsigned char *) label;
	const unsigned char *end = p + length;
	LabelDirection direction = {false, false};
	EvBidiClass first = BIDI_NEUTRAL;
	EvBidiClass last = BIDI_NEUTRAL;	/* but for NSM */
	int			seen = 0;
	uint32		code;
	int			bytes;

	while ((bytes = ev_utf8_decode_within(p, end, &code)) > 0)
	{
		EvBidiClass value = get_bidi_class(code);

		if (p == (const unsigned char *) label)
			first = value;
		if (value != BIDI_NSM)
			last = value;
		seen |= 1 << value;
		p += bytes;
	}

	direction.rtl = (seen & (1 << BIDI_R | 1 << BIDI_AN)) != 0;
	if (first == BIDI_R)
		direction.follows_rule =
			(seen & 1 << BIDI_L) == 0 &&
			(last == BIDI_R || last == BIDI_EN || last == BIDI_AN) &&
			(seen & (1 << BIDI_EN | 1 << BIDI_AN)) != (1 << BIDI_EN | 1 << BIDI_AN);
	else if (first == BIDI_L)
		direction.follows_rule =
			!direction.rtl && (last == BIDI_L || last == BIDI_EN);
	return direction;
}

/*
 * Checks a U-label of IDNA2008 (RFC 5890, section 2.3.2.1) that ends with NUL.
 * Puts its A-label into *ace_label, which has room for one, and returns the
 * length of the A-label; 0 if it is not a U-label.
 */
static int
get_ace_label(const char *label, bool normalize, char *ace_label)
{
	uint8_t    *result = NULL;
	int			length = 0;

	/* registration has the full checks, which include CONTEXTO */
	if (idn2_register_u8((const uint8_t *) label, NULL, &result,
						 normalize ? IDN2_NFC_INPUT : 0) != IDN2_OK)
		return 0;

	/* if normalization made it ASCII, it is no U-label */
	length = strlen((const char *) result);
	if (length <= MAX_LABEL && has_ace_prefix((const char *) result, length))
		memcpy(ace_label, result, length + 1);
	else
		length = 0;
	idn2_free(result);
	return length;
}

/*
 * Matches an A-label (RFC 5890, section 2.3.2.1): the result of encoding a
 * U-label, in upper or lower case.
 */
static bool
match_ace_label(const char *label, int length, LabelDirection *direction)
{
	char		lower[MAX_LABEL + 1];
	char		again[MAX_LABEL + 1];
	char	   *decoded = NULL;
	bool		matches;

	for (int i = 0; i < length; i++)
		lower[i] = label[i] >= 'A' && label[i] <= 'Z' ? label[i] | 0x20 : label[i];
	lower[length] = '\0';

	if (idn2_to_unicode_8z8z(lower, &decoded, 0) != IDN2_OK)
		return false;
	matches = get_ace_label(decoded, false, again) == length &&
		memcmp(again, lower, length) == 0;
	if (matches)
		*direction = get_label_direction(decoded, strlen(decoded));
	idn2_free(decoded);
	return matches;
}

/*
 * Returns the length of the label separator at p, or 0 if there is none.  A
 * separator is the full stop, or one of the three characters that IDNA treated
 * as equal to it (RFC 3490, section 3.1; RFC 5895 still maps the ideographic
 * one).
 */
static int
get_separator(const char *p, const char *end, bool ideographic)
{
	if (*p == '.')
		return 1;
	if (ideographic && end - p >= 3 &&
		(memcmp(p, "\xE3\x80\x82", 3) == 0 ||	/* U+3002 */
		 memcmp(p, "\xEF\xBC\x8E", 3) == 0 ||	/* U+FF0E */
		 memcmp(p, "\xEF\xBD\xA1", 3) == 0))	/* U+FF61 */
		return 3;
	return 0;
}

/*
 * Matches a host name with any A-labels and U-labels, each of which is
 * checked.
 *
 * A label with "--" in the third and fourth position is valid in host names
 * (RFC 1123), but not beside U-labels (RFC 5890, section 2.3.2.3).  In mail
 * addresses it is valid beside them.  Mail addresses may also have U-labels
 * that are not normalized, but no separator except the full stop.
 */
static bool
match_idn(const char *string, int length, bool mail)
{
	const char *p = string;
	const char *end = string + length;
	int			name_length = 0;	/* as A-labels */
	bool		reserved = false;
	bool		u_label = false;
	bool		rtl = false;
	bool		follows_rule = true;

	for (;;)
	{
		char		label[MAX_U_LABEL + 1];
		char		ace_label[MAX_LABEL + 1];
		int			label_length = 0;
		int			separator = 0;
		bool		ascii = true;
		LabelDirection direction;

		while (p < end && (separator = get_separator(p, end, !mail)) == 0)
		{
			if (label_length == MAX_U_LABEL || *p == '\0')
				return false;
			if (IS_HIGHBIT_SET(*p))
				ascii = false;
			label[label_length++] = *p++;
		}
		label[label_length] = '\0';

		if (ascii)
		{
			if (skip_label(label, label + label_length) != label + label_length)
				return false;
			name_length += label_length;
			if (!has_ace_prefix(label, label_length))
			{
				direction = get_label_direction(label, label_length);
				reserved |= label_length >= 4 && label[2] == '-' && label[3] == '-';
			}
			else if (!match_ace_label(label, label_length, &direction))
				return false;
		}
		else
		{
			int			ace_length = get_ace_label(label, mail, ace_label);

			if (ace_length == 0)
				return false;
			name_length += ace_length;
			u_label = true;
			direction = get_label_direction(label, label_length);
		}
		rtl |= direction.rtl;
		follows_rule &= direction.follows_rule;

		if (p == end)
			break;

		/* another label follows; it may be empty */
		if (++name_length > MAX_NAME)
			return false;
		p += separator;
	}

	if (name_length > MAX_NAME || (reserved && u_label && !mail))
		return false;

	/*
	 * RFC 5893, section 2: if one label is RTL, the rule applies to all
	 * labels
	 */
	return !rtl || follows_rule;
}

/* Drafts 4 and 6: RFC 1034 as RFC 1123 amends it. */
bool
ev_format_host_name(const char *string, int length)
{
	bool		ace;

	return match_host_name(string, length, &ace);
}

/* Since draft 7, labels that start with "xn--" must be A-labels. */
bool
ev_format_hostname(const char *string, int length)
{
	bool		ace;

	return match_host_name(string, length, &ace) &&
		(!ace || match_idn(string, length, false));
}

bool
ev_format_idn_hostname(const char *string, int length)
{
	bool		ace;

	/* most names are plain ASCII, to which IDNA does not apply */
	if (match_host_name(string, length, &ace) && !ace)
		return true;
	return match_idn(string, length, false);
}

/*
 * Skips four decimal numbers up to 255 from p on.  Returns their end, or NULL.
 */
static const char *
skip_ipv4(const char *p, const char *end, bool leading_zeros)
{
	for (int i = 0; i < 4; i++)
	{
		int			value = 0;
		int			digits = 0;

		if (i > 0 && (p == end || *p++ != '.'))
			return NULL;
		while (p < end && is_digit(*p))
		{
			value = value * 10 + (*p++ - '0');
			if (++digits > 3)
				return NULL;
		}
		if (digits == 0 || value > 255 ||
			(!leading_zeros && digits > 1 && p[-digits] == '0'))
			return NULL;
	}
	return p;
}

/*
 * RFC 2673, section 3.2.  Decimal numbers have no leading zeros, since some
 * programs read these as octal.
 */
bool
ev_format_ipv4(const char *string, int length)
{
	return skip_ipv4(string, string + length, false) == string + length;
}

bool
ev_format_match_ipv6(const char *p, const char *end,
					 int least_compressed, bool leading_zeros)
{
	int			groups = 0;
	bool		compressed = false;

	if (end - p >= 2 && p[0] == ':' && p[1] == ':')
	{
		compressed = true;
		p += 2;
	}
	else if (p == end)
		return false;

	while (p < end)
	{
		const char *first = p;

		while (p < end && p - first <= 4 && is_hex_digit(*p))
			p++;
		if (p < end && *p == '.')
		{
			/* the last two groups may have the form of an IPv4 address */
			if (skip_ipv4(first, end, leading_zeros) != end)
				return false;
			groups += 2;
			break;
		}
		if (p == first || p - first > 4 || ++groups > 8)
			return false;
		if (p == end)
			break;
		if (*p++ != ':' || p == end)
			return false;
		if (*p == ':')
		{
			if (compressed)
				return false;
			compressed = true;
			p++;
		}
	}
	return compressed ? groups <= 8 - least_compressed : groups == 8;
}

/* RFC 4291, section 2.2: without zone and prefix length. */
bool
ev_format_ipv6(const char *string, int length)
{
	return ev_format_match_ipv6(string, string + length, 1, false);
}

/*
 * Skips Local-part of RFC 5321, section 4.1.2, optionally with UTF-8 (RFC
 * 6531, section 3.3).  Returns its end, or NULL.
 */
static const char *
skip_local_part(const char *p, const char *end, bool utf8)
{
	if (p < end && *p == '"')
	{
		/* Quoted-string */
		for (p++; p < end && *p != '"'; p++)
		{
			if (IS_HIGHBIT_SET(*p))
			{
				if (!utf8)
					return NULL;
				continue;
			}

			/*
			 * quoted-pair: SMTP allows printable ASCII only, also in RFC 6531
			 */
			if (*p == '\\' && (++p == end || IS_HIGHBIT_SET(*p)))
				return NULL;
			if (*p < ' ' || *p == 0x7F)
				return NULL;
		}
		return p < end ? p + 1 : NULL;
	}

	/* Dot-string */
	for (;;)
	{
		const char *first = p;

		while (p < end && (is_in(*p, EV_IN_ATEXT) || (utf8 && IS_HIGHBIT_SET(*p))))
			p++;
		if (p == first)
			return NULL;
		if (p == end || *p != '.')
			return p;
		p++;
	}
}

/*
 * Matches an address-literal of RFC 5321, section 4.1.3, without its brackets.
 * A tag must be defined in a standards-track RFC and registered, and IPv6 is
 * the only such tag.
 */
static bool
match_address_literal(const char *p, const char *end)
{
	/*
	 * its numbers may have leading zeros, and its "::" replaces at least two
	 * groups
	 */
	if (end - p > 5 &&
		(p[0] | 0x20) == 'i' && (p[1] | 0x20) == 'p' && (p[2] | 0x20) == 'v' &&
		p[3] == '6' && p[4] == ':')
		return ev_format_match_ipv6(p + 5, end, 2, true);
	return skip_ipv4(p, end, true) == end;
}

static bool
match_mailbox(const char *string, int length, bool utf8)
{
	const char *end = string + length;
	const char *p = skip_local_part(string, end, utf8);
	bool		ace;

	if (p == NULL || p - string > MAX_LOCAL_PART || p == end || *p != '@')
		return false;
	p++;
	if (end - p >= 2 && p[0] == '[' && end[-1] == ']')
		return match_address_literal(p + 1, end - 1);

	/*
	 * Domain.  An ASCII name is checked by its grammar only.  Other names are
	 * checked by IDNA after normalization (RFC 5891, section 5.2), since mail
	 * addresses are looked up, not registered.  The only separator in this
	 * grammar is ".".
	 */
	if (match_host_name(p, end - p, &ace))
		return true;
	return utf8 && match_idn(p, end - p, true);
}

bool
ev_format_email(const char *string, int length)
{
	return match_mailbox(string, length, false);
}

bool
ev_format_idn_email(const char *string, int length)
{
	return match_mailbox(string, length, true);
}
