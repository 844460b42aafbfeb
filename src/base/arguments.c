/*
 * arguments.c
 *	  Arguments of SQL functions that must not be NULL.
 */
#include "postgres.h"

#include "base/arguments.h"

void
ev_require_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
}

void
ev_require_arguments(FunctionCallInfo fcinfo, int first, int count, const char *const *names)
{
	for (int i = first; i < count; i++)
		ev_require_argument(fcinfo, i, names[i]);
}
