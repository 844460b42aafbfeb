/*
 * format_uri.c
 *	  Formats of resource identifiers: URIs and IRIs, absolute or relative,
 *	  and URI templates.
 *
 * They are matched in one pass over the bytes, with the table of character
 * classes.  Nothing is allocated, and only the UTF-8 of IRIs is decoded.
 */
#include "postgres.h"

#include "format/format.h"
#include "format/format_internal.h"

/* Non-ASCII characters that are allowed, as a set. */
typedef enum Repertoire
{
	ASCII_ONLY = 0,
	UCSCHAR = 1,
	IPRIVATE = 2,
	BIDI_FORMATTING = 4,		/* of ucschar, these too */

	/* RFC 3987, section 4.1: not in IRIs */
	IRI = UCSCHAR,
	IRI_QUERY = UCSCHAR | IPRIVATE,
	TEMPLATE = UCSCHAR | IPRIVATE | BIDI_FORMATTING
} Repertoire;

/* ucschar of RFC 3987, section 2.2 */
static bool
is_ucschar(uint32 code)
{
	if (code < 0x10000)
		return (code >= 0xA0 && code <= 0xD7FF) ||
			(code >= 0xF900 && code <= 0xFDCF) ||
			(code >= 0xFDF0 && code <= 0xFFEF);

	/*
	 * planes 1 to 14, without their last two code points and the first part
	 * of plane 14
	 */
	return code <= 0xEFFFD && (code & 0xFFFF) <= 0xFFFD &&
		(code < 0xE0000 || code >= 0xE1000);
}

/* LRM, RLM, LRE, RLE, PDF, LRO, RLO */
static bool
is_bidi_formatting(uint32 code)
{
	return code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E);
}

/* iprivate of RFC 3987, section 2.2 */
static bool
is_iprivate(uint32 code)
{
	return (code >= 0xE000 && code <= 0xF8FF) ||
		(code >= 0xF0000 && (code & 0xFFFF) <= 0xFFFD);
}

/*
 * Skips characters of the class, percent-encoded octets and characters of the
 * repertoire, from p on.  Returns the first position that is none of these.
 */
static const char *
skip_class(const char *p, const char *end, int where, Repertoire repertoire)
{
	for (;;)
	{
		while (p < end && is_in(*p, where))
			p++;
		if (p == end)
			return p;

		if (*p == '%')
		{
			if (end - p < 3 || !is_hex_digit(p[1]) || !is_hex_digit(p[2]))
				return p;
			p += 3;
		}
		else if (IS_HIGHBIT_SET(*p) && repertoire != ASCII_ONLY)
		{
			uint32		code;
			int			bytes = ev_utf8_decode_within((const unsigned char *) p,
													  (const unsigned char *) end,
													  &code);

			if (bytes == 0)
				return p;
			if (is_ucschar(code))
			{
				if ((repertoire & BIDI_FORMATTING) == 0 && is_bidi_formatting(code))
					return p;
			}
			else if ((repertoire & IPRIVATE) == 0 || !is_iprivate(code))
				return p;
			p += bytes;
		}
		else
			return p;
	}
}

/* Matches IP-literal, without its brackets. */
static bool
match_ip_literal(const char *p, const char *end)
{
	const char *version;

	if (p == end || (*p | 0x20) != 'v')
		return ev_format_match_ipv6(p, end, 1, false);

	/* IPvFuture */
	version = ++p;
	while (p < end && is_hex_digit(*p))
		p++;
	if (p == version || p == end || *p++ != '.' || p == end)
		return false;
	while (p < end && is_in(*p, EV_IN_USERINFO))
		p++;
	return p == end;
}

/*
 * Skips [ userinfo "@" ] host [ ":" port ] from p on.  Returns its end, or
 * NULL.  The caller checks what follows.
 */
static const char *
skip_authority(const char *p, const char *end, Repertoire repertoire)
{
	const char *host = p;

	p = skip_class(p, end, EV_IN_USERINFO, repertoire);
	if (p < end && *p == '@')
		host = p + 1;

	if (host < end && *host == '[')
	{
		const char *close;

		host++;
		close = memchr(host, ']', end - host);
		if (close == NULL || !match_ip_literal(host, close))
			return NULL;
		p = close + 1;
	}
	else
		p = skip_class(host, end, EV_IN_REG_NAME, repertoire);

	if (p < end && *p == ':')
	{
		p++;
		while (p < end && is_digit(*p))
			p++;
	}
	return p;
}

/*
 * Matches URI or, if relative references are allowed, URI-reference: RFC 3986,
 * sections 3 and 4.1.  With a repertoire beyond ASCII, the same of RFC 3987,
 * section 2.2.
 */
static bool
match_uri(const char *p, const char *end, bool relative, Repertoire repertoire)
{
	const char *colon = p;

	/* scheme ":" */
	if (p < end && is_alpha(*p))
		while (colon < end && is_in(*colon, EV_IN_SCHEME))
			colon++;
	if (colon > p && colon < end && *colon == ':')
		p = colon + 1;
	else if (!relative)
		return false;
	else
	{
		/* path-noscheme: no colon in the first segment */
		for (colon = p; colon < end; colon++)
		{
			if (*colon == ':')
				return false;
			if (*colon == '/' || *colon == '?' || *colon == '#')
				break;
		}
	}

	if (end - p >= 2 && p[0] == '/' && p[1] == '/')
	{
		p = skip_authority(p + 2, end, repertoire);
		if (p == NULL)
			return false;

		/* path-abempty */
		if (p < end && *p != '/' && *p != '?' && *p != '#')
			return false;
	}
	p = skip_class(p, end, EV_IN_PATH, repertoire);
	if (p < end && *p == '?')
		p = skip_class(p + 1, end, EV_IN_QUERY,
					   repertoire == IRI ? IRI_QUERY : repertoire);
	if (p < end && *p == '#')
		p = skip_class(p + 1, end, EV_IN_QUERY, repertoire);
	return p == end;
}

bool
ev_format_uri(const char *string, int length)
{
	return match_uri(string, string + length, false, ASCII_ONLY);
}

bool
ev_format_uri_reference(const char *string, int length)
{
	return match_uri(string, string + length, true, ASCII_ONLY);
}

bool
ev_format_iri(const char *string, int length)
{
	return match_uri(string, string + length, false, IRI);
}

bool
ev_format_iri_reference(const char *string, int length)
{
	return match_uri(string, string + length, true, IRI);
}

/*
 * Skips varspec of RFC 6570, sections 2.3 and 2.4.  Returns its end, or NULL.
 */
static const char *
skip_varspec(const char *p, const char *end)
{
	/* varname: no dot at either end, and no two adjacent dots */
	for (;;)
	{
		const char *first = p;

		p = skip_class(p, end, EV_IN_VARNAME, ASCII_ONLY);
		if (p == first)
			return NULL;
		if (p == end || *p != '.')
			break;
		p++;
	}

	if (p < end && *p == '*')
		return p + 1;
	if (p < end && *p == ':')
	{
		/* max-length: 1 to 9999 */
		const char *first = ++p;

		while (p < end && p - first < 4 && is_digit(*p))
			p++;
		if (p == first || *first == '0')
			return NULL;
	}
	return p;
}

bool
ev_format_uri_template(const char *string, int length)
{
	const char *p = string;
	const char *end = string + length;

	for (;;)
	{
		p = skip_class(p, end, EV_IN_LITERAL, TEMPLATE);
		if (p == end)
			return true;
		if (*p++ != '{')
			return false;

		/* operator: those of levels 2 and 3, and the reserved ones */
		if (p < end && *p != '\0' && strchr("+#./;?&=,!@|", *p) != NULL)
			p++;
		for (;;)
		{
			p = skip_varspec(p, end);
			if (p == NULL || p == end)
				return false;
			if (*p == '}')
				break;
			if (*p++ != ',')
				return false;
		}
		p++;
	}
}
