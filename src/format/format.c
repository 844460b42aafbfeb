/*
 * format.c
 *	  The table of formats, the values of the keyword "format".
 *
 * Uses only the types and macros of postgres.h, so that this folder can be
 * linked into a separate program.  A check takes linear time and a bounded
 * stack, and its answer depends only on the bytes, not on locale, time zone or
 * settings.
 */
#include "postgres.h"

#include "format/format.h"
#include "format/format_internal.h"
#include "pattern/pattern.h"

/*
 * All formats.  A name that a later draft introduced is asserted in earlier
 * drafts too.  There it would be an unknown name, and users would be surprised
 * if it were silently ignored.  A name whose meaning changed has two rows.
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

StaticAssertDecl(lengthof(formats) <= 32, "an EvFormatSet has a bit for each format");

EvFormatSet
ev_format_set_of(const char *name, int length)
{
	/* of two rows with a name, the bit is that of the first */
	for (int i = 0; i < (int) lengthof(formats); i++)
		if (strlen(formats[i].name) == (size_t) length && memcmp(formats[i].name, name, length) == 0)
			return (EvFormatSet) 1 << i;
	return 0;
}

const char *
ev_format_name(int bit)
{
	return bit < (int) lengthof(formats) ? formats[bit].name : NULL;
}

/*
 * The other formats of OpenAPI's registry, see
 * https://spec.openapis.org/registry/format/.  They are not asserted, because
 * schemas with these names are published, and must keep their answers.
 */
static const struct
{
	const char *name;
	const char *meaning;
}			openapi_formats[] = {
	{"base64url", "bytes in base64url, RFC 4648"},
	{"binary", "any sequence of bytes"},
	{"byte", "bytes in base64, RFC 4648"},
	{"char", "a single character"},
	{"commonmark", "text in CommonMark"},
	{"date-time-local", "an RFC 3339 date-time without a time zone"},
	{"decimal", "a decimal number of any precision"},
	{"decimal128", "a decimal floating-point number of 34 digits"},
	{"double", "a double-precision floating-point number"},
	{"double-int", "an integer that a double-precision number holds exactly"},
	{"float", "a single-precision floating-point number"},
	{"html", "text in HTML"},
	{"http-date", "a date and time of HTTP, RFC 9110"},
	{"imf-fixdate", "a date and time as HTTP writes it, RFC 9110"},
	{"int8", "a signed 8-bit integer"},
	{"int16", "a signed 16-bit integer"},
	{"int32", "a signed 32-bit integer"},
	{"int64", "a signed 64-bit integer"},
	{"media-range", "a media range, RFC 9110"},
	{"password", "a string that user interfaces hide"},
	{"sf-binary", "a byte sequence of structured fields, RFC 8941"},
	{"sf-boolean", "a boolean of structured fields, RFC 8941"},
	{"sf-decimal", "a decimal of structured fields, RFC 8941"},
	{"sf-integer", "an integer of structured fields, RFC 8941"},
	{"sf-string", "a string of structured fields, RFC 8941"},
	{"sf-token", "a token of structured fields, RFC 8941"},
	{"templated-url", "a URL with variables in braces"},
	{"time-local", "an RFC 3339 time without a time zone"},
	{"uint8", "an unsigned 8-bit integer"},
	{"uint16", "an unsigned 16-bit integer"},
	{"uint32", "an unsigned 32-bit integer"},
	{"uint64", "an unsigned 64-bit integer"},
};

const char *
ev_format_of_openapi(const char *name, int length)
{
	for (int i = 0; i < (int) lengthof(openapi_formats); i++)
		if (strlen(openapi_formats[i].name) == (size_t) length &&
			memcmp(openapi_formats[i].name, name, length) == 0)
			return openapi_formats[i].meaning;
	return NULL;
}
