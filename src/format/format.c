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
 * drafts too: there it would be unknown, and it would surprise users if it was
 * silently ignored.  A name whose meaning changed has two rows.
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
