/*
 * pattern_test.c
 *	  SQL functions over src/pattern/pattern.h, for its tests.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "pattern/pattern.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(pattern_test);
PG_FUNCTION_INFO_V1(pattern_valid);
PG_FUNCTION_INFO_V1(pattern_error);
PG_FUNCTION_INFO_V1(pattern_time);

typedef struct Cached
{
	MemoryContext context;
	text	   *source;
	EvPattern  *pattern;
	EvPattern  *with_tables;	/* the same, after its tables were built */
	EvPatternError error;
} Cached;

/* compiled once per call site, as long as the pattern stays the same */
static Cached *
compiled(FunctionCallInfo fcinfo, text *source)
{
	Cached	   *cached = fcinfo->flinfo->fn_extra;
	EvPatternBudget budget = EV_PATTERN_BUDGET;
	EvPatternBudget second_budget = EV_PATTERN_BUDGET;
	EvPatternError error;
	MemoryContext caller;

	if (cached == NULL)
	{
		cached = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Cached));
		cached->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "pattern_test",
												ALLOCSET_DEFAULT_SIZES);
		fcinfo->flinfo->fn_extra = cached;
	}
	if (cached->source != NULL &&
		VARSIZE_ANY_EXHDR(cached->source) == VARSIZE_ANY_EXHDR(source) &&
		memcmp(VARDATA_ANY(cached->source), VARDATA_ANY(source),
			   VARSIZE_ANY_EXHDR(source)) == 0)
		return cached;

	cached->source = NULL;
	MemoryContextReset(cached->context);
	caller = MemoryContextSwitchTo(cached->context);
	cached->pattern = ev_pattern_compile(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source),
										 &budget, &cached->error);
	cached->with_tables = ev_pattern_compile(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source),
											 &second_budget, &error);
	if (cached->with_tables != NULL)
		(void) ev_pattern_kind(cached->with_tables);
	cached->source = (text *) DatumGetPointer(PointerGetDatum(PG_DETOAST_DATUM_COPY(PointerGetDatum(source))));
	MemoryContextSwitchTo(caller);
	return cached;
}

/*
 * pattern_test(pattern text, string text) returns boolean; NULL: no pattern.  An
 * error: the answer changes when the pattern's tables are built.
 */
Datum
pattern_test(PG_FUNCTION_ARGS)
{
	Cached	   *cached = compiled(fcinfo, PG_GETARG_TEXT_PP(0));
	text	   *string = PG_GETARG_TEXT_PP(1);
	bool		matches;

	if (cached->pattern == NULL)
		PG_RETURN_NULL();
	matches = ev_pattern_matches(cached->pattern, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
	if (ev_pattern_matches(cached->with_tables, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string)) != matches)
		elog(ERROR, "the answer depends on whether tables are built");
	PG_RETURN_BOOL(matches);
}

/* pattern_valid(pattern text) returns boolean */
Datum
pattern_valid(PG_FUNCTION_ARGS)
{
	text	   *source = PG_GETARG_TEXT_PP(0);

	PG_RETURN_BOOL(ev_pattern_is_valid(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source)));
}

/*
 * pattern_error(pattern text) returns text: NULL if it compiles, otherwise
 * "position: message", with "unsupported: " in front if it is valid.
 */
Datum
pattern_error(PG_FUNCTION_ARGS)
{
	Cached	   *cached = compiled(fcinfo, PG_GETARG_TEXT_PP(0));

	if (cached->pattern != NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s%d: %s",
											  cached->error.unsupported ? "unsupported: " : "",
											  cached->error.position,
											  cached->error.message)));
}

/*
 * pattern_time(pattern text, string text, loops int,
 *				OUT compile_us float8, OUT match_ns float8, OUT bytes int8,
 *				OUT kind text)
 * The costs of a pattern: compiling, one match, memory kept.
 */
Datum
pattern_time(PG_FUNCTION_ARGS)
{
	text	   *source = PG_GETARG_TEXT_PP(0);
	text	   *string = PG_GETARG_TEXT_PP(1);
	int			loops = PG_GETARG_INT32(2);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pattern_time",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller;
	EvPattern  *pattern = NULL;
	EvPatternError error;
	instr_time	start;
	instr_time	end;
	TupleDesc	descriptor;
	EvPatternBudget budget = EV_PATTERN_BUDGET;
	Datum		values[4] = {0};
	bool		nulls[4] = {false, true, true, true};
	volatile int matches = 0;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	INSTR_TIME_SET_CURRENT(start);
	caller = MemoryContextSwitchTo(context);
	pattern = ev_pattern_compile(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source), &budget, &error);
	MemoryContextSwitchTo(caller);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	values[0] = Float8GetDatum(INSTR_TIME_GET_DOUBLE(end) * 1e6);

	if (pattern != NULL)
	{
		values[2] = Int64GetDatum(MemoryContextMemAllocated(context, true));
		INSTR_TIME_SET_CURRENT(start);
		for (int i = 0; i < loops; i++)
			matches += ev_pattern_matches(pattern, VARDATA_ANY(string),
										  VARSIZE_ANY_EXHDR(string));
		INSTR_TIME_SET_CURRENT(end);
		INSTR_TIME_SUBTRACT(end, start);
		values[1] = Float8GetDatum(INSTR_TIME_GET_DOUBLE(end) * 1e9 / loops);
		values[3] = CStringGetTextDatum(ev_pattern_kind(pattern));
		nulls[1] = nulls[2] = nulls[3] = false;
	}
	MemoryContextDelete(context);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)));
}
