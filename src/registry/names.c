/*
 * names.c
 *	  The names of functions in the schema event_schema.
 *
 * Works on bytes.  The server computes the SHA-256, and converts from its
 * encoding to UTF-8.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "base/compat.h"
#include "base/encoding.h"
#include "registry/names.h"
#include "registry/unseen_characters.h"
#include "schema/uri.h"

static int
compare_to_range(const void *key, const void *element)
{
	uint32		character = *(const uint32 *) key;
	const EvUnseenRange *range = element;

	return character < range->first ? -1 : character > range->last;
}

static bool
is_unseen(uint32 character)
{
	return bsearch(&character, unseen_ranges, lengthof(unseen_ranges), sizeof(EvUnseenRange),
				   compare_to_range) != NULL;
}

/* The same for verified UTF-8. */
static bool
has_unseen_in_utf8(const char *string, int length)
{
	for (int i = 0; i < length;)
	{
		const unsigned char *bytes = (const unsigned char *) string + i;
		int			size = bytes[0] < 0x80 ? 1 : bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;

		if (size > length - i)
			return true;
		if (size > 1 && is_unseen(utf8_to_unicode(bytes)))
			return true;
		i += size;
	}
	return false;
}

bool
ev_name_is_seen(const char *string, int length)
{
	bool		is_ascii = true;
	EvUtf8		utf8;
	bool		result;

	for (int i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) string[i];

		if (c < 0x20 || c == 0x7F)
			return false;
		if (IS_HIGHBIT_SET(c))
			is_ascii = false;
	}

	/* bytes without an encoding can be any character */
	if (is_ascii || !ev_utf8_from_server(string, length, &utf8))
		return true;
	result = !has_unseen_in_utf8(utf8.data, utf8.length);
	ev_utf8_free(&utf8);
	return result;
}

/*
 * Writes the type and its suffix.  Returns false if the result is not a valid
 * name.
 */
static bool
write_name(const char *type, int type_length, const char *suffix, NameData *name)
{
	int			suffix_length = strlen(suffix);

	if (type_length <= 0 || type_length + suffix_length > EV_NAME_MAX)
		return false;
	if (!ev_name_is_seen(type, type_length))
		return false;

	memset(NameStr(*name), 0, NAMEDATALEN);
	memcpy(NameStr(*name), type, type_length);
	memcpy(NameStr(*name) + type_length, suffix, suffix_length);
	return true;
}

bool
ev_event_name(const char *type, int type_length, int32 version, NameData *name)
{
	char		suffix[16];

	if (version < 0)
		return false;
	snprintf(suffix, sizeof(suffix), "@%d", version);
	return write_name(type, type_length, suffix, name);
}

bool
ev_upcast_name(const char *type, int type_length, int32 from, int32 to, NameData *name)
{
	char		suffix[32];

	if (from < 0 || to < 0)
		return false;
	snprintf(suffix, sizeof(suffix), "@%d>%d", from, to);
	return write_name(type, type_length, suffix, name);
}

void
ev_require_event_name(const text *type, int32 version, NameData *name)
{
	int			length = VARSIZE_ANY_EXHDR(type);
	const char *data = VARDATA_ANY(type);
	int			excess;

	if (ev_event_name(data, length, version, name))
		return;

	if (length == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event type must not be empty")));
	if (version < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schema version must not be negative: %d", version)));
	excess = length + strlen(psprintf("@%d", version)) - EV_NAME_MAX;
	if (excess > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event type is too long: \"%s\"", pnstrdup(data, length)),
				 errdetail("Event type, \"@\" and version together have at most %d bytes; these have %d more.",
						   EV_NAME_MAX, excess)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("event type must not contain control characters or other invisible characters"),
			 errdetail("Invisible characters are those of direction, of zero width and of private use, and unassigned ones.")));
}

bool
ev_policy_name(const char *type, int length, NameData *name)
{
	return write_name(type, length, "@compatibility", name);
}

/* Reads a canonical version.  Returns its end, or NULL if there is none. */
static const char *
parse_version(const char *digit, int32 *version)
{
	int64		value = 0;

	if (*digit < '0' || *digit > '9' || (digit[0] == '0' && digit[1] >= '0' && digit[1] <= '9'))
		return NULL;
	for (; *digit >= '0' && *digit <= '9'; digit++)
	{
		value = value * 10 + (*digit - '0');
		if (value > PG_INT32_MAX)
			return NULL;
	}
	*version = (int32) value;
	return digit;
}

/* Returns the end of the type, or NULL if the name has none. */
static const char *
end_of_type(const char *name)
{
	const char *at = strrchr(name, '@');

	if (at == NULL || at == name || strlen(name) > EV_NAME_MAX ||
		!ev_name_is_seen(name, at - name))
		return NULL;
	return at;
}

bool
ev_parse_event_name(const char *name, int *type_length, int32 *version)
{
	const char *at = end_of_type(name);
	const char *end = at != NULL ? parse_version(at + 1, version) : NULL;

	if (end == NULL || *end != '\0')
		return false;
	*type_length = at - name;
	return true;
}

bool
ev_parse_upcast_name(const char *name, int *type_length, int32 *from, int32 *to)
{
	const char *at = end_of_type(name);
	const char *end = at != NULL ? parse_version(at + 1, from) : NULL;

	if (end != NULL)
		end = *end == '>' ? parse_version(end + 1, to) : NULL;
	if (end == NULL || *end != '\0')
		return false;
	*type_length = at - name;
	return true;
}

EvNameKind
ev_name_kind(const char *name, const char **reason)
{
	const char *at = strrchr(name, '@');
	int			type_length;
	int32		version;
	int32		to;

	*reason = NULL;
	if (ev_parse_event_name(name, &type_length, &version))
		return EV_NAME_EVENT;

	if (strlen(name) > EV_NAME_MAX)
	{
		*reason = psprintf("The name has %d bytes, and more than %d may have been cut off from another name.",
						   (int) strlen(name), EV_NAME_MAX);
		return EV_NAME_BAD;
	}
	if (!ev_name_is_seen(name, strlen(name)))
	{
		*reason = "The name has a control character or another invisible one: of direction, of zero width, or unassigned.";
		return EV_NAME_BAD;
	}

	if (at == NULL)
	{
		if (!ev_uri_has_scheme(name))
			*reason = "The name is neither TYPE@VERSION nor an absolute URI.";
		else if (strchr(name, '#') != NULL)
			*reason = "A document is registered under a URI without a fragment.";
		for (const char *p = name; *p && *reason == NULL; p++)
			if (IS_HIGHBIT_SET(*p) || *p == ' ')
				*reason = "A URI has ASCII characters only and no space.";
		return *reason == NULL ? EV_NAME_URI : EV_NAME_BAD;
	}

	if (at == name)
	{
		*reason = "The event type before \"@\" is empty.";
		return EV_NAME_BAD;
	}
	if (strcmp(at + 1, "compatibility") == 0)
		return EV_NAME_POLICY;
	if (ev_parse_upcast_name(name, &type_length, &version, &to))
		return EV_NAME_UPCAST;
	*reason = psprintf("What follows \"@\" must be a version, an integer from 0 to %d without leading zeros, but is \"%s\".",
					   PG_INT32_MAX, at + 1);
	return EV_NAME_BAD;
}

void
ev_uri_name(const char *uri, NameData *name)
{
	size_t		length = strlen(uri);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *hash;
	char	   *out = NameStr(*name);

	memset(out, 0, NAMEDATALEN);
	if (length <= EV_NAME_MAX && strchr(uri, '@') == NULL)
	{
		memcpy(out, uri, length);
		return;
	}

	hash = pg_cryptohash_create(PG_SHA256);
	if (hash == NULL || pg_cryptohash_init(hash) < 0 ||
		pg_cryptohash_update(hash, (const uint8 *) uri, length) < 0 ||
		pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute the SHA-256 of a URI");
	pg_cryptohash_free(hash);

	out += sprintf(out, "uri:");
	for (int i = 0; i < 16; i++)
		out += sprintf(out, "%02x", digest[i]);
}

char *
ev_event_uri(const char *name)
{
	StringInfoData uri;

	initStringInfo(&uri);
	appendStringInfoString(&uri, "event:");
	for (; *name; name++)
	{
		if ((unsigned char) *name <= ' ' || strchr("%#?\"<>", *name) != NULL)
			appendStringInfo(&uri, "%%%02X", (unsigned char) *name);
		else
			appendStringInfoChar(&uri, *name);
	}
	return uri.data;
}
