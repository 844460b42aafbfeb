/*
 * failure_location.c
 *	  The locations of violations, as they are counted.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "stats/failure_location.h"
#include "stats/shared_stats.h"

/*
 * Finds a token of the event's location as "/properties/TOKEN" in the keyword's
 * location, at or after *from, and sets *from to its end.  Both are in the same order.
 */
static bool
is_property(const char **from, const char *token, int length)
{
	static const char properties[] = "/properties/";
	const char *found = strstr(*from, properties);

	/* the tokens that follow are not found, either */
	if (found == NULL)
		*from += strlen(*from);
	for (; found != NULL; found = strstr(found + 1, properties))
	{
		const char *name = found + strlen(properties);

		if (strncmp(name, token, length) == 0 && (name[length] == '/' || name[length] == '\0'))
		{
			*from = name + length;
			return true;
		}
	}
	return false;
}

char *
ev_failure_location(const char *instance_location, const char *keyword_location)
{
	StringInfoData result;

	initStringInfo(&result);
	while (*instance_location == '/' && result.len <= EV_STATS_LOCATION)
	{
		const char *token = instance_location + 1;
		int			length = strcspn(token, "/");

		/* both locations can be as long as memory allows */
		CHECK_FOR_INTERRUPTS();
		if (is_property(&keyword_location, token, length))
			appendBinaryStringInfo(&result, instance_location, length + 1);
		else
			appendStringInfoString(&result, "/*");
		instance_location = token + length;
	}
	if (result.len > EV_STATS_LOCATION)
		result.data[pg_mbcliplen(result.data, result.len, EV_STATS_LOCATION)] = '\0';
	return result.data;
}
