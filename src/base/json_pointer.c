/*
 * json_pointer.c
 *	  Tokens of JSON Pointers (RFC 6901, section 3).
 */
#include "postgres.h"

#include "base/json_pointer.h"

void
ev_pointer_append_key(StringInfo pointer, const char *key, int length)
{
	int			plain = 0;		/* begin of what is copied as it is */

	for (int i = 0; i < length; i++)
	{
		if (key[i] != '~' && key[i] != '/')
			continue;
		appendBinaryStringInfo(pointer, key + plain, i - plain);
		appendStringInfoString(pointer, key[i] == '~' ? "~0" : "~1");
		plain = i + 1;
	}
	appendBinaryStringInfo(pointer, key + plain, length - plain);
}

void
ev_pointer_append_unescaped(StringInfo key, const char *token, int length)
{
	for (int i = 0; i < length; i++)
		if (token[i] == '~' && i + 1 < length && (token[i + 1] == '0' || token[i + 1] == '1'))
			appendStringInfoChar(key, token[++i] == '0' ? '~' : '/');
		else
			appendStringInfoChar(key, token[i]);
}
