/*
 * encoding.c
 *	  Strings in the server encoding.
 */
#include "postgres.h"

#include "catalog/pg_conversion.h"
#include "catalog/pg_namespace.h"
#include "mb/pg_wchar.h"

#include "base/encoding.h"

/*
 * Finds PostgreSQL's own conversion.  A conversion found by search_path could
 * belong to any role, and could be dropped.
 */
static Oid
find_conversion(int from, int to)
{
	return FindDefaultConversion(PG_CATALOG_NAMESPACE, from, to);
}

bool
ev_utf8_from_server(const char *data, int length, EvUtf8 *result)
{
	static Oid	conversion = InvalidOid;
	int			encoding = GetDatabaseEncoding();
	Size		room;

	result->data = data;
	result->length = length;
	result->allocated = NULL;
	if (encoding == PG_UTF8)
		return true;
	if (encoding == PG_SQL_ASCII)
		return pg_encoding_verifymbstr(PG_UTF8, data, length) == length;

	/* most strings are ASCII, which is the same in all server encodings */
	for (int i = 0; i < length; i++)
		if (IS_HIGHBIT_SET(data[i]))
			goto convert;
	return true;

convert:
	if (!OidIsValid(conversion))
		conversion = find_conversion(encoding, PG_UTF8);
	if (!OidIsValid(conversion))
		return false;
	room = (Size) length * MAX_CONVERSION_GROWTH + 1;
	result->allocated = MemoryContextAllocExtended(CurrentMemoryContext, room, MCXT_ALLOC_HUGE);
	if (pg_do_encoding_conversion_buf(conversion, encoding, PG_UTF8,
									  (unsigned char *) unconstify(char *, data), length,
									  (unsigned char *) result->allocated,
									  Min(room, PG_INT32_MAX), true) < length)
	{
		ev_utf8_free(result);
		return false;
	}
	result->data = result->allocated;
	result->length = strlen(result->allocated);
	return true;
}

bool
ev_utf8_to_server(const char *data, int length, StringInfo out)
{
	int			encoding = GetDatabaseEncoding();
	Size		room = (Size) length * MAX_CONVERSION_GROWTH + 1;
	Oid			conversion;

	if (pg_encoding_verifymbstr(PG_UTF8, data, length) != length)
		return false;
	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
	{
		appendBinaryStringInfo(out, data, length);
		return true;
	}
	conversion = find_conversion(PG_UTF8, encoding);
	if (!OidIsValid(conversion) || room > PG_INT32_MAX)
		return false;
	enlargeStringInfo(out, (int) room);
	if (pg_do_encoding_conversion_buf(conversion, PG_UTF8, encoding,
									  (unsigned char *) unconstify(char *, data), length,
									  (unsigned char *) out->data + out->len, (int) room, true) < length)
	{
		out->data[out->len] = '\0';
		return false;
	}
	out->len += strlen(out->data + out->len);
	return true;
}

uint32
ev_text_length(const char *data, int length)
{
	int			encoding = GetDatabaseEncoding();
	uint32		count = 0;

	if (encoding == PG_SQL_ASCII &&
		pg_encoding_verifymbstr(PG_UTF8, data, length) != length)
		return length;
	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
	{
		int			i = 0;

		/* eight bytes, minus those that continue a character */
		for (; i + 8 <= length; i += 8)
		{
			uint64		word;

			memcpy(&word, data + i, 8);
			word = (word >> 7) & (~word >> 6) & UINT64CONST(0x0101010101010101);
			count += 8 - (uint32) ((word * UINT64CONST(0x0101010101010101)) >> 56);
		}
		for (; i < length; i++)
			count += ((unsigned char) data[i] & 0xC0) != 0x80;
		return count;
	}
	if (pg_database_encoding_max_length() == 1)
		return length;
	return pg_mbstrlen_with_len(data, length);
}

int
ev_text_clip(const char *data, int length, int count)
{
	int			end = 0;

	if (GetDatabaseEncoding() != PG_SQL_ASCII ||
		pg_encoding_verifymbstr(PG_UTF8, data, length) != length)
		return pg_mbcharcliplen(data, length, count);
	for (; end < length; end++)
		if (((unsigned char) data[end] & 0xC0) != 0x80 && count-- == 0)
			break;
	return end;
}
