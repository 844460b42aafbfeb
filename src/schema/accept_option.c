/*
 * accept_option.c
 *	  The option accept: findings of the compatibility policy that a schema
 *	  may have, by their location and rule.
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/shown_text.h"
#include "schema/accept_option.h"

/* How messages write the location of the whole document. */
#define WHOLE_DOCUMENT	"(document)"

char *
ev_accept_name(const char *location, const char *rule)
{
	return location[0] == '\0' ? pstrdup(rule) : psprintf("%s %s", location, rule);
}

char *
ev_accept_read(const char *text, int length, const char **rule)
{
	char	   *name = pnstrdup(text, length);
	char	   *space = strrchr(name, ' ');
	const char *last = space != NULL ? space + 1 : name;

	*rule = last;
	if (last[0] == '\0' || strspn(last, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != strlen(last))
		return NULL;
	if (space == name ||
		(space == name + strlen(WHOLE_DOCUMENT) && strncmp(name, WHOLE_DOCUMENT, strlen(WHOLE_DOCUMENT)) == 0))
		return pstrdup(last);
	return name;
}

bool
ev_accept_has(const List *accept, const char *name)
{
	ListCell   *cell;

	foreach(cell, accept)
		if (strcmp(lfirst(cell), name) == 0)
		return true;
	return false;
}

List *
ev_accept_add(List *accept, char *name)
{
	CHECK_FOR_INTERRUPTS();
	return ev_accept_has(accept, name) ? accept : lappend(accept, name);
}

List *
ev_accept_join(List *accept, const List *others)
{
	const ListCell *cell;

	foreach(cell, others)
		accept = ev_accept_add(accept, lfirst(cell));
	return accept;
}

/* ---------- pragma lines ---------- */

/* Are these three characters an escape?  Sets *byte to what it stands for. */
static bool
is_escape(const char *text, const char *end, char *byte)
{
	unsigned int value;

	if (end - text < 3 || text[0] != '%' || !isxdigit((unsigned char) text[1]) ||
		!isxdigit((unsigned char) text[2]) || sscanf(text + 1, "%2x", &value) != 1 || value == 0)
		return false;
	*byte = (char) value;
	return value < 0x20 || value == 0x7F || value == '%';
}

char *
ev_accept_parse(const char *line, int length)
{
	const char *end = line + length;
	StringInfoData name;
	const char *rule;
	char		byte;

	while (end > line && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	initStringInfo(&name);
	for (const char *p = line; p < end; p++)
	{
		if (is_escape(p, end, &byte))
			p += 2;
		else
			byte = *p;
		appendStringInfoChar(&name, byte);
	}
	return ev_accept_read(name.data, name.len, &rule);
}

void
ev_accept_append_pragmas(StringInfo body, const List *accept)
{
	ListCell   *cell;

	foreach(cell, accept)
	{
		const char *name = lfirst(cell);
		const char *end = name + strlen(name);
		char		byte;

		appendStringInfoString(body, "#accept ");
		for (const char *p = name; p < end; p++)
		{
			unsigned char c = (unsigned char) *p;

			if (c < 0x20 || c == 0x7F || is_escape(p, end, &byte))
				appendStringInfo(body, "%%%02X", c);
			else
				appendStringInfoChar(body, *p);
		}
		appendStringInfoChar(body, '\n');
	}
}

/* ---------- SQL ---------- */

List *
ev_accept_argument(Datum names)
{
	List	   *result = NIL;
	Datum	   *values;
	bool	   *nulls;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(names), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		text	   *value;
		const char *rule;
		char	   *name;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("accept must not contain NULL")));
		value = DatumGetTextPP(values[i]);
		name = ev_accept_read(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), &rule);
		if (name == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s is not the name of a finding", ev_string_show(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value))),
					 errhint("A finding is named by its location and its rule, as check_event_compatibility returns them: \"/properties/a PATTERN_CHANGED\".")));
		result = ev_accept_add(result, name);
		if (list_length(result) > EV_ACCEPT_MOST)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("accept must not contain more than %d findings", EV_ACCEPT_MOST)));
	}
	return result;
}

Datum
ev_accept_array(const List *accept)
{
	ArrayBuildState *names = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	ListCell   *cell;

	foreach(cell, accept)
		names = accumArrayResult(names, CStringGetTextDatum((char *) lfirst(cell)), false, TEXTOID,
								 CurrentMemoryContext);
	return makeArrayResult(names, CurrentMemoryContext);
}
