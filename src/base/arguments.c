/*
 * arguments.c
 *	  Arguments of SQL functions that must not be NULL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/arguments.h"
#include "base/compat.h"
#include "base/hide_context.h"

PG_FUNCTION_INFO_V1(ev_require_arguments_sql);

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

/*
 * require_arguments(names text[], VARIADIC "any") → void
 *
 * ev_require_arguments for functions that are not in C.
 */
Datum
ev_require_arguments_sql(PG_FUNCTION_ARGS)
{
	Datum	   *names;
	bool	   *nulls;
	int			count;

	ev_hide_calling_statement();
	ev_require_argument(fcinfo, 0, "names");
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &count);
	if (count != PG_NARGS() - 1 || get_fn_expr_variadic(fcinfo->flinfo))
		elog(ERROR, "%d names for %d arguments", count, PG_NARGS() - 1);
	for (int i = 0; i < count; i++)
		ev_require_argument(fcinfo, i + 1, nulls[i] ? "" : text_to_cstring(DatumGetTextPP(names[i])));
	PG_RETURN_VOID();
}
