/*
 * json_text.c
 *	  Finds positions in JSON text, for messages, and duplicate keys.
 *
 * jsonb stores neither.  The scanner relies on valid JSON, so it only has to
 * distinguish strings, brackets and other characters.  In server encodings, the
 * bytes of multibyte characters are not ASCII.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/json_pointer.h"
#include "schema/json_text.h"

/* Returns the end of the string that starts at p. */
static const char *
skip_string(const char *p)
{
	for (p++; *p != '"' && *p != '\0'; p++)
		if (*p == '\\' && p[1] != '\0')
			p++;
	return *p == '"' ? p + 1 : p;
}

/* Returns the end of the value that starts at p. */
static const char *
skip_value(const char *p)
{
	int			depth = 0;

	for (;;)
	{
		if (*p == '"')
			p = skip_string(p);
		else if (*p == '\0')
			return p;
		else if (*p == '{' || *p == '[')
		{
			depth++;
			p++;
		}
		else if (*p == '}' || *p == ']')
		{
			depth--;
			p++;
		}
		else if (depth > 0)
			p++;
		else
			p += strcspn(p, " \t\r\n,]}");
		if (depth == 0)
			return p;
	}
}

/* The code unit of "\uXXXX". */
static uint32
code_unit(const char *escape)
{
	char		digits[5];

	strlcpy(digits, escape + 2, sizeof(digits));
	return (uint32) strtoul(digits, NULL, 16);
}

/* Decodes the contents of a string, without its quotes. */
static char *
decode_string(const char *p, const char *end)
{
	StringInfoData result;

	initStringInfo(&result);
	for (; p < end; p++)
	{
		uint32		code;
		unsigned char bytes[MAX_UNICODE_EQUIVALENT_STRING + 1];

		if (*p != '\\')
		{
			appendStringInfoChar(&result, *p);
			continue;
		}
		if (p[1] != 'u')
		{
			static const char escapes[] = "bfnrt";
			static const char meanings[] = "\b\f\n\r\t";
			const char *escape = strchr(escapes, *++p);

			appendStringInfoChar(&result, escape != NULL ? meanings[escape - escapes] : *p);
			continue;
		}
		code = code_unit(p);
		p += 5;
		if (is_utf16_surrogate_first(code) && end - p > 6 && p[1] == '\\' && p[2] == 'u')
		{
			code = surrogate_pair_to_codepoint(code, code_unit(p + 1));
			p += 6;
		}
		pg_unicode_to_server(code, bytes);
		appendStringInfoString(&result, (char *) bytes);
	}
	return result.data;
}

/* A key of the text, without its quotes. */
typedef struct Key
{
	const char *at;				/* of its first quote */
	const char *data;
	int			length;
} Key;

/* Reads a key.  Returns the start of its value. */
static const char *
read_key(const char *p, Key *key)
{
	const char *end = skip_string(p);

	key->at = p;
	key->data = p + 1;
	key->length = end - p - 2;
	if (memchr(key->data, '\\', key->length) != NULL)
	{
		key->data = decode_string(p + 1, end - 1);
		key->length = strlen(key->data);
	}
	p = ev_skip_space(end);
	return ev_skip_space(*p == ':' ? p + 1 : p);
}

/* ---------- JSON Pointers ---------- */

/*
 * Follows the rest of a pointer in the value that starts at p, and sets *found to
 * the last position.  Returns the end of the value.
 */
static const char *
find_below(const char *p, const char *pointer, const char **found)
{
	int			length = strcspn(pointer + (pointer[0] == '/'), "/");
	StringInfoData token;
	int			index = 0;
	bool		is_object = *p == '{';

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (*pointer != '/')
		*found = p;
	if (*pointer != '/' || (*p != '{' && *p != '['))
		return skip_value(p);

	initStringInfo(&token);
	ev_pointer_append_unescaped(&token, pointer + 1, length);
	p = ev_skip_space(p + 1);
	while (*p != '}' && *p != ']' && *p != '\0')
	{
		bool		matches;

		if (is_object)
		{
			Key			key;

			p = read_key(p, &key);
			matches = key.length == token.len && memcmp(key.data, token.data, token.len) == 0;
		}
		else
		{
			char		digits[12];

			pg_ltoa(index++, digits);
			matches = strcmp(token.data, digits) == 0;
		}
		p = ev_skip_space(matches ? find_below(p, pointer + 1 + length, found) : skip_value(p));
		if (*p == ',')
			p = ev_skip_space(p + 1);
	}
	pfree(token.data);
	return *p == '\0' ? p : p + 1;
}

const char *
ev_json_find(const char *json, const char *pointer)
{
	const char *found = NULL;

	find_below(ev_skip_space(json), pointer, &found);
	return found;
}

/* ---------- duplicate keys ---------- */

/* An object or array around the current position. */
typedef struct Around
{
	const struct Around *parent;
	const Key  *key;			/* the current key, NULL in an array */
	int			index;
} Around;

typedef struct KeySearch
{
	Key		   *keys;			/* of the objects around, innermost last */
	int			count;
	int			room;
	List	   *found;
} KeySearch;

static void
append_pointer(StringInfo pointer, const Around *around)
{
	check_stack_depth();
	if (around == NULL)
		return;
	append_pointer(pointer, around->parent);
	appendStringInfoChar(pointer, '/');
	if (around->key != NULL)
		ev_pointer_append_key(pointer, around->key->data, around->key->length);
	else
		appendStringInfo(pointer, "%d", around->index);
}

static int
compare_keys(const void *a, const void *b)
{
	const Key  *x = a;
	const Key  *y = b;
	int			order = x->length - y->length;

	if (order == 0)
		order = memcmp(x->data, y->data, x->length);
	if (order == 0)
		order = x->at < y->at ? -1 : 1;
	return order;
}

/* Finds duplicates among the keys of one object: those from index `first` on. */
static void
find_repeated(KeySearch *search, int first, const Around *parent)
{
	Key		   *keys = search->keys + first;
	int			count = search->count - first;

	qsort(keys, count, sizeof(Key), compare_keys);
	for (int i = 1; i < count; i++)
	{
		EvRepeatedKey *repeated;
		Around		here = {.parent = parent, .key = &keys[i]};
		StringInfoData location;

		if (keys[i].length != keys[i - 1].length ||
			memcmp(keys[i].data, keys[i - 1].data, keys[i].length) != 0)
			continue;
		initStringInfo(&location);
		append_pointer(&location, &here);
		repeated = palloc(sizeof(EvRepeatedKey));
		repeated->location = pnstrdup(location.data, location.len);
		pfree(location.data);
		repeated->key = pnstrdup(keys[i].data, keys[i].length);
		repeated->first = keys[i - 1].at;
		repeated->second = keys[i].at;
		search->found = lappend(search->found, repeated);
	}
}

/* Searches the value that starts at p.  Returns its end. */
static const char *
search_value(KeySearch *search, const char *p, const Around *parent)
{
	bool		is_object = *p == '{';
	int			first = search->count;
	Around		here = {.parent = parent};
	Key			key;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (*p != '{' && *p != '[')
		return skip_value(p);
	p = ev_skip_space(p + 1);
	for (; *p != '}' && *p != ']' && *p != '\0'; here.index++)
	{
		if (is_object)
		{
			p = read_key(p, &key);
			if (search->count == search->room)
			{
				search->room = Max(64, 2 * search->room);
				search->keys = search->keys == NULL ? palloc(search->room * sizeof(Key)) :
					repalloc_huge(search->keys, search->room * sizeof(Key));
			}
			search->keys[search->count++] = key;
			here.key = &key;
		}
		p = ev_skip_space(search_value(search, p, &here));
		if (*p == ',')
			p = ev_skip_space(p + 1);
	}
	if (search->count - first > 1)
		find_repeated(search, first, parent);
	search->count = first;
	return *p == '\0' ? p : p + 1;
}

static int
compare_repeated(const ListCell *a, const ListCell *b)
{
	const EvRepeatedKey *x = lfirst(a);
	const EvRepeatedKey *y = lfirst(b);

	return x->second < y->second ? -1 : x->second > y->second;
}

List *
ev_json_repeated_keys(const char *json)
{
	KeySearch	search = {0};

	search_value(&search, ev_skip_space(json), NULL);
	list_sort(search.found, compare_repeated);
	return search.found;
}

/* ---------- numbers ---------- */

/* The error of numeric_in can be caught, like that of jsonb_in in document.c. */
static bool
is_unfit(const char *number, int length)
{
	MemoryContext caller = CurrentMemoryContext;
	char	   *copy = pnstrdup(number, length);
	volatile bool result = false;

	PG_TRY();
	{
		DirectFunctionCall3(numeric_in, CStringGetDatum(copy), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		result = true;
	}
	PG_END_TRY();
	pfree(copy);
	return result;
}

const char *
ev_json_unfit_number(const char *json)
{
	const char *p = json;

	while (*p != '\0')
	{
		if (*p == '"')
			p = skip_string(p);
		else if (*p == '-' || (*p >= '0' && *p <= '9'))
		{
			int			length = strspn(p, "+-.0123456789eE");

			CHECK_FOR_INTERRUPTS();
			if ((length > 1000 || memchr(p, 'e', length) != NULL || memchr(p, 'E', length) != NULL) &&
				is_unfit(p, length))
				return p;
			p += length;
		}
		else
			p++;
	}
	return NULL;
}

/* ---------- lines ---------- */

void
ev_text_positions(const char *text, EvTextPosition *positions, int count)
{
	const char *p = text;
	int			line = 1;
	int			column = 1;

	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		while (p < positions[i].at)
		{
			if (*p == '\n')
			{
				line++;
				column = 1;
			}
			else
				column++;
			p += pg_mblen(p);
		}
		positions[i].line = line;
		positions[i].column = column;
	}
}
