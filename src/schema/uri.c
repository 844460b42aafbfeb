/*
 * uri.c
 *	  Resolves URI references: RFC 3986, section 5.2.
 *
 * Only used at compile time.  Components are kept as written; the syntax
 * between the delimiters is not checked here.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/encoding.h"
#include "schema/uri.h"

/* A component; absent if data is NULL. */
typedef struct Part
{
	const char *data;
	int			length;
} Part;

typedef struct Uri
{
	Part		scheme;
	Part		authority;
	Part		path;			/* never absent */
	Part		query;
	Part		fragment;
} Uri;

static int
scheme_length(const char *uri)
{
	int			i;

	if (!((uri[0] >= 'a' && uri[0] <= 'z') || (uri[0] >= 'A' && uri[0] <= 'Z')))
		return -1;
	for (i = 1;; i++)
	{
		char		c = uri[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')
			continue;
		return c == ':' ? i : -1;
	}
}

bool
ev_uri_has_scheme(const char *uri)
{
	return scheme_length(uri) > 0;
}

/* Splits a URI as in RFC 3986, appendix B, without its regular expression. */
static Uri
split(const char *string)
{
	Uri			uri = {.scheme = {0}};
	int			length = scheme_length(string);

	if (length > 0)
	{
		uri.scheme = (Part) {string, length};
		string += length + 1;
	}
	if (string[0] == '/' && string[1] == '/')
	{
		length = strcspn(string + 2, "/?#");
		uri.authority = (Part) {string + 2, length};
		string += length + 2;
	}
	length = strcspn(string, "?#");
	uri.path = (Part) {string, length};
	string += length;
	if (*string == '?')
	{
		length = strcspn(string + 1, "#");
		uri.query = (Part) {string + 1, length};
		string += length + 1;
	}
	if (*string == '#')
		uri.fragment = (Part) {string + 1, (int) strlen(string + 1)};
	return uri;
}

/*
 * RFC 3986, section 5.2.4.  Works in place: the output is never longer than
 * the input so far.
 */
static int
remove_dot_segments(char *path, int length)
{
	int			in = 0;
	int			out = 0;

	while (in < length)
	{
		const char *rest = path + in;
		int			left = length - in;

		if (left >= 3 && memcmp(rest, "../", 3) == 0)
			in += 3;
		else if (left >= 2 && memcmp(rest, "./", 2) == 0)
			in += 2;
		else if (left >= 3 && memcmp(rest, "/./", 3) == 0)
			in += 2;
		else if (left == 2 && memcmp(rest, "/.", 2) == 0)
		{
			in++;
			path[in] = '/';
		}
		else if ((left >= 4 && memcmp(rest, "/../", 4) == 0) ||
				 (left == 3 && memcmp(rest, "/..", 3) == 0))
		{
			in += left == 3 ? 2 : 3;
			path[in] = '/';
			while (out > 0 && path[--out] != '/')
				;
		}
		else if ((left == 1 && rest[0] == '.') ||
				 (left == 2 && memcmp(rest, "..", 2) == 0))
			in = length;
		else
		{
			do
				path[out++] = path[in++];
			while (in < length && path[in] != '/');
		}
	}
	return out;
}

/*
 * Joins the base's path, up to its last slash, and the reference's path
 * (5.2.3).
 */
static Part
merge_paths(const Uri *base, const Uri *reference)
{
	StringInfoData path;
	int			keep = base->path.length;

	initStringInfo(&path);
	if (base->authority.data != NULL && base->path.length == 0)
		appendStringInfoChar(&path, '/');
	else
	{
		while (keep > 0 && base->path.data[keep - 1] != '/')
			keep--;
		appendBinaryStringInfo(&path, base->path.data, keep);
	}
	appendBinaryStringInfo(&path, reference->path.data, reference->path.length);
	return (Part) {path.data, path.len};
}

/* Returns the value of two hexadecimal digits; -1 if they are not. */
static int
hexadecimal_byte(const char *digits)
{
	int			value = 0;

	for (int i = 0; i < 2; i++)
	{
		char		c = digits[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + c - '0';
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + c - 'A' + 10;
		else
			return -1;
	}
	return value;
}

char *
ev_uri_decode(const char *string)
{
	StringInfoData result;
	char	   *bytes = palloc(strlen(string) / 3 + 1);

	initStringInfo(&result);
	while (*string)
	{
		int			count = 0;
		int			plain = strcspn(string, "%");

		if (plain > 0)
		{
			appendBinaryStringInfo(&result, string, plain);
			string += plain;
			continue;
		}

		/*
		 * percent-encoded text is UTF-8 (RFC 3987, 3.1), other text is in the
		 * server encoding
		 */
		for (; *string == '%'; string += 3)
		{
			int			value = hexadecimal_byte(string + 1);

			if (value <= 0)
				return NULL;
			bytes[count++] = (char) value;
		}
		if (!ev_utf8_to_server(bytes, count, &result))
			return NULL;
	}
	pfree(bytes);
	return result.data;
}

char *
ev_uri_resolve(const char *base, const char *reference, char **fragment)
{
	Uri			b = split(base);
	Uri			r = split(reference);
	Uri			t = r;
	StringInfoData result;
	char	   *path;
	int			path_length;

	if (r.scheme.data == NULL)
	{
		t.scheme = b.scheme;
		if (r.authority.data == NULL)
		{
			t.authority = b.authority;
			if (r.path.length == 0)
			{
				t.path = b.path;
				if (r.query.data == NULL)
					t.query = b.query;
			}
			else if (r.path.data[0] != '/')
				t.path = merge_paths(&b, &r);
		}
	}

	/* if the reference has no path, the base's path stays unchanged */
	path = pnstrdup(t.path.data, t.path.length);
	path_length = t.path.length;
	if (r.path.length > 0 && (t.scheme.data != NULL || t.path.data[0] == '/'))
		path_length = remove_dot_segments(path, path_length);

	initStringInfo(&result);
	if (t.scheme.data != NULL)
	{
		appendBinaryStringInfo(&result, t.scheme.data, t.scheme.length);
		appendStringInfoChar(&result, ':');
	}
	if (t.authority.data != NULL)
	{
		appendStringInfoString(&result, "//");
		appendBinaryStringInfo(&result, t.authority.data, t.authority.length);
	}
	appendBinaryStringInfo(&result, path, path_length);
	if (t.query.data != NULL)
	{
		appendStringInfoChar(&result, '?');
		appendBinaryStringInfo(&result, t.query.data, t.query.length);
	}

	*fragment = NULL;
	if (r.fragment.data != NULL)
	{
		/*
		 * a fragment that cannot be decoded names nothing, and stays
		 * unchanged
		 */
		*fragment = ev_uri_decode(r.fragment.data);
		if (*fragment == NULL)
			*fragment = pstrdup(r.fragment.data);
	}
	return result.data;
}
