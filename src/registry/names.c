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
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/encoding.h"
#include "base/shown_text.h"
#include "jsonb/jsonb_value.h"
#include "registry/names.h"
#include "registry/unseen_characters.h"
#include "schema/uri.h"

static const char policy_suffix[] = "compatibility";

/* ---------- characters ---------- */

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

/*
 * Is a type, or a name, free of control characters and of other characters
 * that are invisible, or that make it look like another name?  Code points
 * that are not assigned yet count among these.
 */
static bool
name_is_seen(const char *string, int length)
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

/* ---------- hashes ---------- */

void
ev_sha256(const char *data, int length, uint8 *digest)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	if (hash == NULL || pg_cryptohash_init(hash) < 0 ||
		pg_cryptohash_update(hash, (const uint8 *) data, length) < 0 ||
		pg_cryptohash_final(hash, digest, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute a SHA-256");
	pg_cryptohash_free(hash);
}

/* base64url, without padding */
static const char hash_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#define HASH_BITS		128
#define HASH_LENGTH		22

static void
write_hash(const uint8 *digest, char *out)
{
	for (int i = 0; i < HASH_LENGTH; i++)
	{
		int			value = 0;

		for (int bit = 6 * i; bit < 6 * (i + 1); bit++)
			value = 2 * value + (bit < HASH_BITS ? (digest[bit / 8] >> (7 - bit % 8)) & 1 : 0);
		out[i] = hash_characters[value];
	}
}

/* ---------- writing names ---------- */

/*
 * Returns the number of bytes of a type's PREFIX.  It has whole characters, and
 * the limit holds in UTF-8 too, so that the name stays the same in a restore
 * into another encoding.
 */
static int
prefix_length(const char *type, int length)
{
	int			encoding = GetDatabaseEncoding();
	int			end = 0;
	int			end_in_utf8 = 0;

	if (encoding == PG_SQL_ASCII && pg_encoding_verifymbstr(PG_UTF8, type, length) == length)
		encoding = PG_UTF8;
	while (end < length)
	{
		int			size = pg_encoding_mblen(encoding, type + end);
		int			size_in_utf8 = size;
		EvUtf8		utf8;

		if (IS_HIGHBIT_SET(type[end]) && encoding != PG_UTF8 && end + size <= length &&
			ev_utf8_from_server(type + end, size, &utf8))
		{
			size_in_utf8 = utf8.length;
			ev_utf8_free(&utf8);
		}
		if (end + size > Min(length, EV_PREFIX_MAX) || end_in_utf8 + size_in_utf8 > EV_PREFIX_MAX)
			break;
		end += size;
		end_in_utf8 += size_in_utf8;
	}
	return end;
}

bool
ev_short_type(const char *type, int length, NameData *name)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char	   *out = NameStr(*name);
	int			prefix;
	EvUtf8		utf8;

	if (length <= 0 || length > EV_TYPE_MAX || !name_is_seen(type, length))
		return false;

	/* bytes that have no UTF-8 are hashed as they are */
	if (ev_utf8_from_server(type, length, &utf8))
	{
		ev_sha256(utf8.data, utf8.length, digest);
		ev_utf8_free(&utf8);
	}
	else
		ev_sha256(type, length, digest);

	memset(out, 0, NAMEDATALEN);
	prefix = prefix_length(type, length);
	memcpy(out, type, prefix);
	out[prefix] = '@';
	write_hash(digest, out + prefix + 1);
	out[prefix + 1 + HASH_LENGTH] = '~';
	return true;
}

/*
 * Writes the type, '@' and the suffix.  Returns false if the result is not a
 * valid name.
 */
static bool
write_name(const char *type, int type_length, const char *suffix, NameData *name)
{
	int			suffix_length = strlen(suffix);

	if (type_length <= 0)
		return false;
	if (type_length + 1 + suffix_length > EV_NAME_MAX)
	{
		if (!ev_short_type(type, type_length, name))
			return false;
		strlcat(NameStr(*name), suffix, NAMEDATALEN);
		return true;
	}
	if (!name_is_seen(type, type_length))
		return false;

	memset(NameStr(*name), 0, NAMEDATALEN);
	memcpy(NameStr(*name), type, type_length);
	NameStr(*name)[type_length] = '@';
	memcpy(NameStr(*name) + type_length + 1, suffix, suffix_length);
	return true;
}

bool
ev_event_name(const char *type, int type_length, int32 version, NameData *name)
{
	char		suffix[16];

	if (version < 0)
		return false;
	snprintf(suffix, sizeof(suffix), "%d", version);
	return write_name(type, type_length, suffix, name);
}

bool
ev_upcast_name(const char *type, int type_length, int32 from, int32 to, NameData *name)
{
	char		suffix[32];

	if (from < 0 || to < 0)
		return false;
	snprintf(suffix, sizeof(suffix), "%d>%d", from, to);
	return write_name(type, type_length, suffix, name);
}

bool
ev_policy_name(const char *type, int length, NameData *name)
{
	if (length == 0)
	{
		/* the default of all types */
		memset(NameStr(*name), 0, NAMEDATALEN);
		snprintf(NameStr(*name), NAMEDATALEN, "@%s", policy_suffix);
		return true;
	}
	return write_name(type, length, policy_suffix, name);
}

bool
ev_function_name(const char *name, NameData *function)
{
	int			type_length;
	int32		version;

	if (ev_parse_event_name(name, &type_length, &version))
		return ev_event_name(name, type_length, version, function);
	if (strlen(name) >= NAMEDATALEN)
		return false;
	namestrcpy(function, name);
	return true;
}

char *
ev_require_event_name(const text *type, int32 version)
{
	int			length = VARSIZE_ANY_EXHDR(type);
	const char *data = VARDATA_ANY(type);

	if (length > 0 && length <= EV_TYPE_MAX && version >= 0 && name_is_seen(data, length))
		return psprintf("%.*s@%d", length, data, version);

	if (length == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event type must not be empty")));
	if (version < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schema version must not be negative: %d", version)));
	if (length > EV_TYPE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event type is too long: %s", ev_string_show(data, length)),
				 errdetail("An event type has at most %d bytes; this one has %d.", EV_TYPE_MAX, length)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("event type must not contain control characters or other invisible characters"),
			 errdetail("Invisible characters are those of direction, of zero width and of private use, and unassigned ones.")));
}

/* ---------- reading names ---------- */

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

bool
ev_parse_event_name(const char *name, int *type_length, int32 *version)
{
	const char *at = strrchr(name, '@');
	const char *end;

	if (at == NULL || at == name || at - name > EV_TYPE_MAX)
		return false;
	end = parse_version(at + 1, version);
	if (end == NULL || *end != '\0' || !name_is_seen(name, at - name))
		return false;
	*type_length = at - name;
	return true;
}

bool
ev_take_apart(const char *name, EvNameParts *parts)
{
	const char *at = strrchr(name, '@');
	const char *suffix;
	const char *end;

	memset(parts, 0, sizeof(EvNameParts));
	parts->kind = EV_NAME_BAD;
	if (at == NULL || (at == name && strcmp(at + 1, policy_suffix) != 0))
		return false;
	suffix = at + 1;
	if (strspn(suffix, hash_characters) == HASH_LENGTH && suffix[HASH_LENGTH] == '~')
	{
		parts->shortened = true;
		suffix += HASH_LENGTH + 1;
	}
	parts->type_length = suffix - name - 1;
	if (strlen(name) > (parts->shortened ? NAMEDATALEN - 1 : EV_NAME_MAX) || !name_is_seen(name, at - name))
		return false;

	end = parse_version(suffix, &parts->version);
	if (strcmp(suffix, policy_suffix) == 0)
		parts->kind = EV_NAME_POLICY;
	else if (end != NULL && *end == '\0')
		parts->kind = EV_NAME_EVENT;
	else if (end != NULL && *end == '>')
	{
		end = parse_version(end + 1, &parts->to);
		if (end != NULL && *end == '\0')
			parts->kind = EV_NAME_UPCAST;
	}
	return parts->kind != EV_NAME_BAD;
}

bool
ev_has_short_type(const char *function_name)
{
	EvNameParts parts;

	return ev_take_apart(function_name, &parts) && parts.shortened;
}

EvNameKind
ev_name_kind(const char *name, const char **reason)
{
	const char *at = strrchr(name, '@');
	EvNameParts parts;

	*reason = NULL;
	if (ev_take_apart(name, &parts))
		return parts.kind;

	if (strlen(name) > EV_NAME_MAX)
	{
		*reason = psprintf("The name has %d bytes, and more than %d may have been cut off from another name.",
						   (int) strlen(name), EV_NAME_MAX);
		return EV_NAME_BAD;
	}
	if (!name_is_seen(name, strlen(name)))
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
		*reason = "The event type before \"@\" is empty.";
	else
		*reason = psprintf("The text after \"@\" must be a version, an integer from 0 to %d without leading zeros, but is \"%s\".",
						   PG_INT32_MAX, at + 1);
	return EV_NAME_BAD;
}

void
ev_require_whole_type(const char *function_name, const char *type, const char *line)
{
	EvNameParts parts;
	NameData	expected;

	if (!ev_take_apart(function_name, &parts))
		elog(ERROR, "\"%s\" has no event type", function_name);
	if (type == NULL)
	{
		if (!parts.shortened)
			return;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("function \"%s\" does not say which event type it is for", function_name),
				 errdetail("Its name has only a part and a hash of the type."),
				 errhint("Write the line \"%s TYPE\" at the head of the body.", line)));
	}
	if (!(parts.kind == EV_NAME_POLICY ? ev_policy_name(type, strlen(type), &expected) :
		  ev_event_name(type, strlen(type), parts.version, &expected)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("function \"%s\" has an invalid event type in its line \"%s\"", function_name, line),
				 errdetail("An event type has at most %d bytes, and no control characters or other invisible characters.",
						   EV_TYPE_MAX)));
	if (strcmp(NameStr(expected), function_name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("function \"%s\" is not that of event type \"%s\"", function_name, type),
				 errdetail("The line \"%s\" and the name disagree; the function of this type is called \"%s\".",
						   line, NameStr(expected))));
}

/* ---------- URIs ---------- */

void
ev_uri_name(const char *uri, NameData *name)
{
	size_t		length = strlen(uri);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char	   *out = NameStr(*name);

	memset(out, 0, NAMEDATALEN);
	if (length <= EV_NAME_MAX && strchr(uri, '@') == NULL)
	{
		memcpy(out, uri, length);
		return;
	}

	ev_sha256(uri, (int) length, digest);
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

char *
ev_reference_name(const char *uri)
{
	NameData	name;

	if (strncmp(uri, "event:", strlen("event:")) == 0)
	{
		char	   *decoded = ev_uri_decode(uri + strlen("event:"));
		int			type_length;
		int32		version;

		if (decoded != NULL && ev_parse_event_name(decoded, &type_length, &version))
			return decoded;
	}
	ev_uri_name(uri, &name);
	return pstrdup(NameStr(name));
}
