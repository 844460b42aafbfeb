/*
 * bench_helper.c
 *	  Functions of the benchmarks inside a backend: no-ops to subtract, a loop
 *	  that takes the costs of a scan out, the time that the backend has used.
 */
#include "postgres.h"

#include <time.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/jsonb.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(bench_noop);
PG_FUNCTION_INFO_V1(bench_noop_event);
PG_FUNCTION_INFO_V1(bench_loop);
PG_FUNCTION_INFO_V1(bench_cpu);
PG_FUNCTION_INFO_V1(bench_rss);

/* Reads the header of a jsonb in place; true. */
static bool
look(struct varlena *data)
{
	uint32		header;

	memcpy(&header, VARDATA_ANY(data), sizeof(header));
	return (header & JB_CMASK) != JB_CMASK;
}

/* bench_noop(data jsonb): the least that any C function of one jsonb does */
Datum
bench_noop(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(look(PG_GETARG_VARLENA_PP(0)));
}

/* bench_noop_event(data jsonb, event_type text, schema_version int) */
Datum
bench_noop_event(PG_FUNCTION_ARGS)
{
	text	   *type = PG_GETARG_TEXT_PP(1);

	PG_RETURN_BOOL(look(PG_GETARG_VARLENA_PP(0)) && VARSIZE_ANY_EXHDR(type) > 0 && PG_GETARG_INT32(2) >= 0);
}

static double
now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

/*
 * bench_loop(function regprocedure, data jsonb, times int, expected boolean):
 * nanoseconds that a call of the function with this document takes, on the
 * average.  Raises an error for a wrong answer.
 */
Datum
bench_loop(PG_FUNCTION_ARGS)
{
	FmgrInfo	function;
	Jsonb	   *data = PG_GETARG_JSONB_P(1);
	int			times = PG_GETARG_INT32(2);
	bool		expected = PG_GETARG_BOOL(3);
	int			unexpected = 0;
	double		start = 0;

	LOCAL_FCINFO(call, 1);

	fmgr_info(PG_GETARG_OID(0), &function);
	InitFunctionCallInfoData(*call, &function, 1, InvalidOid, NULL, NULL);
	for (int i = -1; i < times; i++)
	{
		/* the first call compiles */
		if (i == 0)
			start = now(CLOCK_MONOTONIC);
		call->args[0].value = JsonbPGetDatum(data);
		call->args[0].isnull = false;
		call->isnull = false;
		unexpected += DatumGetBool(FunctionCallInvoke(call)) != expected;
	}
	if (unexpected > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("a document is not %s, as it should be", expected ? "valid" : "invalid")));
	PG_RETURN_FLOAT8((now(CLOCK_MONOTONIC) - start) / Max(times, 1));
}

/* bench_cpu(): nanoseconds of processor time that this backend has used */
Datum
bench_cpu(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(now(CLOCK_PROCESS_CPUTIME_ID));
}

/* bench_rss(): kilobytes of memory of its own that this backend holds, on Linux */
Datum
bench_rss(PG_FUNCTION_ARGS)
{
	FILE	   *file = fopen("/proc/self/status", "r");
	char		line[256];
	long		kilobytes = -1;

	if (file != NULL)
	{
		while (fgets(line, sizeof(line), file) != NULL)
			if (sscanf(line, "RssAnon: %ld", &kilobytes) == 1)
				break;
		fclose(file);
	}
	PG_RETURN_INT64(kilobytes);
}
