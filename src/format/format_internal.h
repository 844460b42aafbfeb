/*
 * format_internal.h
 *	  Declarations that only the files of the module "format" share.
 */
#ifndef EV_FORMAT_INTERNAL_H
#define EV_FORMAT_INTERNAL_H

#include "port/pg_bswap.h"
#include "base/utf8.h"

/*
 * The checks, one for each row of the table in format.c.  Each takes the bytes
 * of a string and returns true if the whole string has the format.  They do
 * not raise, and do not read past the end.  They do not allocate, except that
 * libidn2 uses malloc for labels that are not ASCII or start with "xn--".
 */

/* format_time.c */
extern bool ev_format_date_time(const char *string, int length);
extern bool ev_format_date(const char *string, int length);
extern bool ev_format_time(const char *string, int length);
extern bool ev_format_duration(const char *string, int length);

/* format_ascii.c */
extern bool ev_format_uuid(const char *string, int length);
extern bool ev_format_json_pointer(const char *string, int length);
extern bool ev_format_relative_json_pointer(const char *string, int length);

/* format_uri.c */
extern bool ev_format_uri(const char *string, int length);
extern bool ev_format_uri_reference(const char *string, int length);
extern bool ev_format_iri(const char *string, int length);
extern bool ev_format_iri_reference(const char *string, int length);
extern bool ev_format_uri_template(const char *string, int length);

/* format_host.c */
extern bool ev_format_host_name(const char *string, int length);
extern bool ev_format_hostname(const char *string, int length);
extern bool ev_format_idn_hostname(const char *string, int length);
extern bool ev_format_email(const char *string, int length);
extern bool ev_format_idn_email(const char *string, int length);
extern bool ev_format_ipv4(const char *string, int length);
extern bool ev_format_ipv6(const char *string, int length);

/*
 * Is [p, end) an IPv6 address in the text form of RFC 4291, section 2.2?  "::"
 * must replace at least the given number of groups: one by that RFC, two in
 * mail addresses.  An embedded IPv4 address may have leading zeros only if the
 * caller allows them.
 */
extern bool ev_format_match_ipv6(const char *p, const char *end,
								 int least_compressed, bool leading_zeros);

/*
 * Classes of ASCII characters, as bits: see the table in format_ascii.c.  "%"
 * is in no class of URIs, since it must be followed by two hexadecimal digits.
 */
#define EV_IN_SCHEME	0x001	/* ALPHA, DIGIT, "+", "-", "." */
#define EV_IN_REG_NAME	0x002	/* unreserved, sub-delims */
#define EV_IN_USERINFO	0x004	/* the same and ":" */
#define EV_IN_PATH		0x008	/* pchar and "/" */
#define EV_IN_QUERY		0x010	/* pchar, "/" and "?"; also for fragments */
#define EV_IN_LITERAL	0x020	/* in a template */
#define EV_IN_VARNAME	0x040	/* in a template: ALPHA, DIGIT, "_" */
#define EV_IN_LABEL		0x080	/* in a host name: ALPHA, DIGIT, "-" */
#define EV_IN_ATEXT		0x100	/* in a mail address */

extern const uint16 ev_format_classes[256];

static inline bool
is_in(char c, int where)
{
	return (ev_format_classes[(unsigned char) c] & where) != 0;
}

/* Classes of ASCII, in any locale. */
static inline bool
is_digit(char c)
{
	return (unsigned char) (c - '0') <= 9;
}

static inline bool
is_alpha(char c)
{
	return (unsigned char) ((c | 0x20) - 'a') <= 'z' - 'a';
}

static inline bool
is_hex_digit(char c)
{
	return is_digit(c) || (unsigned char) ((c | 0x20) - 'a') <= 'f' - 'a';
}

/*
 * Functions for eight bytes at a time.  A word is loaded with the first byte
 * as the least significant one, on any machine: byte i is (word >> (8 * i)) &
 * 0xFF.  The caller has checked that the string has all eight bytes.
 */
#define EV_BYTES(c)		(UINT64CONST(0x0101010101010101) * (uint64) (c))
#define EV_HIGH_BITS	EV_BYTES(0x80)

static inline uint64
load_word(const char *p)
{
	uint64		word;

	memcpy(&word, p, sizeof(word));
#ifdef WORDS_BIGENDIAN
	word = pg_bswap64(word);
#endif
	return word;
}

/* Eight characters as a word, in the order of load_word. */
#define EV_WORD(a, b, c, d, e, f, g, h) \
	((uint64) (a) | (uint64) (b) << 8 | \
	 (uint64) (c) << 16 | (uint64) (d) << 24 | \
	 (uint64) (e) << 32 | (uint64) (f) << 40 | \
	 (uint64) (g) << 48 | (uint64) (h) << 56)

#endif							/* EV_FORMAT_INTERNAL_H */
