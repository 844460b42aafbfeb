/*
 * format_option.c
 *	  Which formats of a schema are asserted.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/shown_text.h"
#include "schema/format_option.h"

/* Adds the format of a name to a set; false, with *fault filled, if there is none. */
static bool
add_name(EvFormatSet *set, const char *name, int length, EvFault *fault)
{
	EvFormatSet one = ev_format_set_of(name, length);

	*set |= one;
	if (one != 0)
		return true;
	fault->message = psprintf("there is no format %s", ev_string_show(name, length));
	fault->hint = psprintf("The formats are %s.", ev_format_set_text(EV_ALL_FORMATS));
	return false;
}

bool
ev_format_set_parse(EvFormatSet *set, const char *names, EvFault *fault)
{
	static const char separators[] = ", \t\r";

	*set = 0;
	for (;;)
	{
		int			length;

		names += strspn(names, separators);
		if (*names == '\0')
			break;
		length = strcspn(names, separators);
		if (!add_name(set, names, length, fault))
			return false;
		names += length;
	}
	if (*set == 0)
	{
		fault->message = "the pragma line \"#assert_format except\" names no format";
		fault->hint = "Such a line is \"#assert_format except duration, time\".";
	}
	return *set != 0;
}

char *
ev_format_set_text(EvFormatSet set)
{
	StringInfoData text;
	const char *name;

	initStringInfo(&text);
	for (int i = 0; (name = ev_format_name(i)) != NULL; i++)
		if ((set & ev_format_set_of(name, strlen(name)) & ((EvFormatSet) 1 << i)) != 0)
			appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", name);
	return text.data;
}

Datum
ev_format_set_array(EvFormatSet set)
{
	ArrayBuildState *names = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	const char *name;

	for (int i = 0; (name = ev_format_name(i)) != NULL; i++)
		if ((set & ev_format_set_of(name, strlen(name)) & ((EvFormatSet) 1 << i)) != 0)
			names = accumArrayResult(names, CStringGetTextDatum(name), false, TEXTOID, CurrentMemoryContext);
	return makeArrayResult(names, CurrentMemoryContext);
}

EvFormatSet
ev_format_set_argument(Datum names, bool assert_format)
{
	EvFormatSet set = 0;
	EvFault		fault = {0};
	Datum	   *values;
	bool	   *nulls;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(names), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		text	   *name;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("except_formats must not contain NULL")));
		name = DatumGetTextPP(values[i]);
		if (!add_name(&set, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), &fault))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg_internal("%s", fault.message),
					 errhint("%s", fault.hint)));
	}
	if (set != 0 && !assert_format)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("except_formats is not empty, but assert_format is false"),
				 errhint("No format is asserted then.  Leave one of the two arguments out.")));
	return set;
}

void
ev_format_pragma_append(StringInfo body, bool assert_format, EvFormatSet except)
{
	if (!assert_format)
		appendStringInfoString(body, "#assert_format off\n");
	else if (except != 0)
		appendStringInfo(body, "#assert_format except %s\n", ev_format_set_text(except));
}
