/*
 * format_internal.h
 *	  What the files of the module "format" share with each other, and with
 *	  nobody else.
 */
#ifndef EV_FORMAT_INTERNAL_H
#define EV_FORMAT_INTERNAL_H

#include "port/pg_bswap.h"
#include "base/utf8.h"

/*
 * The checks, one per row of the table in format.c.  Each takes the bytes of
 * a string and tells whether the whole string has the format.  None raises,
 * none allocates but for the internationalized ones (libidn2 does, with
 * malloc, for non-ASCII and "xn--" labels only), and none reads past the end.
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
 * Does [p, end) hold an IPv6 address in the text form of RFC 4291, section
 * 2.2?  The groups that "::" stands for are at least that many: one by that
 * RFC, two in mail.  Leading zeros in the bytes of an embedded IPv4 address
 * are accepted only if asked for.
 */
extern bool ev_format_match_ipv6(const char *p, const char *end,
								 int least_compressed, bool leading_zeros);

/*
 * Where an ASCII character may stand: a set, see the table in format_ascii.c.  "%"
 * is in no class of URIs: it is only right before two hexadecimal digits.
 */
#define EV_IN_SCHEME	0x001	/* ALPHA, DIGIT, "+", "-", "." */
#define EV_IN_REG_NAME	0x002	/* unreserved, sub-delims */
#define EV_IN_USERINFO	0x004	/* the same and ":" */
#define EV_IN_PATH		0x008	/* pchar and "/" */
#define EV_IN_QUERY		0x010	/* pchar, "/" and "?": in fragments too */
#define EV_IN_LITERAL	0x020	/* of a template */
#define EV_IN_VARNAME	0x040	/* of a template: ALPHA, DIGIT, "_" */
#define EV_IN_LABEL		0x080	/* of a host name: ALPHA, DIGIT, "-" */
#define EV_IN_ATEXT		0x100	/* of a mail address */

extern const uint16 ev_format_classes[256];

static inline bool
is_in(char c, int where)
{
	return (ev_format_classes[(unsigned char) c] & where) != 0;
}

/* Classes of ASCII, without the locale. */
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
 * Eight bytes at a time.  A word is loaded so that the first byte is the
 * least significant one, on any machine: byte i is (word >> (8 * i)) & 0xFF.
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

/* A word of eight characters, as load_word would load them. */
#define EV_WORD(a, b, c, d, e, f, g, h) \
	((uint64) (a) | (uint64) (b) << 8 | \
	 (uint64) (c) << 16 | (uint64) (d) << 24 | \
	 (uint64) (e) << 32 | (uint64) (f) << 40 | \
	 (uint64) (g) << 48 | (uint64) (h) << 56)

#endif							/* EV_FORMAT_INTERNAL_H */
