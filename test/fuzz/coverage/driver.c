/*
 * driver.c
 *	  Runs libFuzzer in a backend: ev_fuzz(), its only SQL function.
 *
 * Each input runs in a memory context of its own, within PG_TRY, and, if its
 * target asks for it, in a subtransaction that is rolled back.  An error that
 * users cannot cause, memory that stays and a property that does not hold end the
 * process, as AddressSanitizer's and UBSan's reports do.
 */
#include "postgres.h"

#include <signal.h>
#include <sys/time.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "postmaster/bgwriter.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "fuzz.h"

PG_FUNCTION_INFO_V1(ev_fuzz);

/*
 * The bytes that an input may leave in memory that outlives it, all inputs
 * together: more than all caches with a bound.
 */
#define MAX_KEPT		(96 * 1024 * 1024)

/* After how many rounds this is measured. */
#define MEASURE_ROUNDS	64

/* After how many rounds of SQL the log of changes can be removed. */
#define CHECKPOINT_ROUNDS	2000

#if PG_VERSION_NUM < 190000
#define CHECKPOINT_FAST	CHECKPOINT_IMMEDIATE
#endif

/* Seconds without an end that are a hang; libFuzzer measures them. */
#define HANG_SECONDS	60

extern int	LLVMFuzzerRunDriver(int *argc, char ***argv, int (*run) (const uint8 *data, size_t size));
extern size_t LLVMFuzzerCustomMutator(uint8 *data, size_t size, size_t max_size, unsigned int seed);
extern size_t LLVMFuzzerCustomCrossOver(const uint8 *a, size_t a_size, const uint8 *b, size_t b_size,
										uint8 *out, size_t max_size, unsigned int seed);

static const EvFuzzTarget *const targets[] = {
	&ev_fuzz_schema, &ev_fuzz_match, &ev_fuzz_compare, &ev_fuzz_pattern, &ev_fuzz_format, &ev_fuzz_register, &ev_fuzz_guard
};

const char *ev_fuzz_planted;

static const EvFuzzTarget *target;
static MemoryContext round_context;
static Size kept_at_first;
static uint64 rounds;

void
ev_fuzz_fail(const char *format,...)
{
	va_list		args;

	fprintf(stderr, "\nFAILED: %s: ", target->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	fflush(stderr);
	abort();
}

char *
ev_fuzz_string(const EvFuzzPart *part)
{
	return pnstrdup(part->text, part->length);
}

Jsonb *
ev_fuzz_jsonb(const EvFuzzPart *part)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(ev_fuzz_string(part))));
}

static void
free_exact(void *chunk)
{
	free(chunk);
}

/* Memory of the C library, so that its end is known to the byte. */
static char *
exact_copy(const void *data, size_t size)
{
	MemoryContextCallback *callback = MemoryContextAlloc(round_context, sizeof(MemoryContextCallback));
	char	   *copy = malloc(size);

	if (copy == NULL && size > 0)
		ev_fuzz_fail("out of memory");
	if (size > 0)
		memcpy(copy, data, size);
	callback->func = free_exact;
	callback->arg = copy;
	MemoryContextRegisterResetCallback(round_context, callback);
	return copy;
}

Jsonb *
ev_fuzz_exact(const Jsonb *value)
{
	return (Jsonb *) exact_copy(value, VARSIZE(value));
}

/* Is this an error that the user of a database can cause? */
static bool
is_expected(const ErrorData *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case MAKE_SQLSTATE('2', '2', '0', '0', '0'):
		case MAKE_SQLSTATE('2', '3', '0', '0', '0'):
		case MAKE_SQLSTATE('4', '2', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '4', '0', '0', '0'):
			return error->message != NULL && error->message[0] != '\0';
		case MAKE_SQLSTATE('X', 'X', '0', '0', '0'):
		case MAKE_SQLSTATE('0', '8', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '3', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '7', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '8', '0', '0', '0'):
			return false;
		default:
			/* expressions of users cause many others */
			return target->in_subtransaction;
	}
}

static void
judge_error(void)
{
	ErrorData  *error;

	MemoryContextSwitchTo(round_context);
	error = CopyErrorData();
	FlushErrorState();
	if (!target->may_raise || !is_expected(error))
		ev_fuzz_fail("unexpected error %s: %s (%s, line %d)", unpack_sql_state(error->sqlerrcode),
					 error->message, error->filename, error->lineno);
}

static void
run_in_subtransaction(const EvFuzzPart *parts)
{
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		SPI_connect();
		MemoryContextSwitchTo(round_context);
		target->run(parts);
		SPI_finish();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(round_context);
		RollbackAndReleaseCurrentSubTransaction();
		judge_error();
	}
	PG_END_TRY();
	CurrentResourceOwner = owner;
}

static void
run_alone(const EvFuzzPart *parts)
{
	PG_TRY();
	{
		target->run(parts);
	}
	PG_CATCH();
	{
		judge_error();
	}
	PG_END_TRY();
}

/* Memory that grows for ever; not what caches with a bound keep. */
static void
measure_memory(void)
{
	Size		kept = MemoryContextMemAllocated(TopMemoryContext, true);

	if (kept_at_first == 0)
		kept_at_first = kept;
	if (kept > kept_at_first + MAX_KEPT)
	{
		MemoryContextStats(TopMemoryContext);
		ev_fuzz_fail("memory grows: %zu bytes after %llu inputs, %zu at first", kept, (unsigned long long) rounds, kept_at_first);
	}
}

/* Splits an input into parts.  Returns false if one of them is no UTF-8 without NUL. */
static bool
split(const uint8 *data, size_t size, EvFuzzPart *parts)
{
	const uint8 *at = data;
	const uint8 *end = data + size;

	for (int i = 0; i < target->part_count; i++)
	{
		const uint8 *stop = i == target->part_count - 1 ? NULL : memchr(at, EV_FUZZ_SEPARATOR, end - at);

		if (stop == NULL)
			stop = end;
		if (!pg_verify_mbstr(PG_UTF8, (const char *) at, stop - at, true) || memchr(at, 0, stop - at) != NULL)
			return false;
		parts[i].text = exact_copy(at, stop - at);
		parts[i].length = stop - at;
		at = stop < end ? stop + 1 : end;
	}
	return true;
}

static int
run_one(const uint8 *data, size_t size)
{
	EvFuzzPart	parts[EV_FUZZ_MAX_PARTS] = {{0}};

	MemoryContextSwitchTo(round_context);
	if (split(data, size, parts))
	{
		if (target->in_subtransaction)
		{
			/* PostgreSQL's own timeouts stop the clock of libFuzzer */
			struct itimerval clock = {{HANG_SECONDS / 2, 0}, {HANG_SECONDS / 2, 0}};

			setitimer(ITIMER_REAL, &clock, NULL);
			run_in_subtransaction(parts);
		}
		else
			run_alone(parts);
	}
	/* there is no checkpointer that would do it */
	if (target->in_subtransaction && rounds % CHECKPOINT_ROUNDS == CHECKPOINT_ROUNDS - 1)
		RequestCheckpoint(CHECKPOINT_FAST | CHECKPOINT_FORCE | CHECKPOINT_WAIT);
	if (ev_fuzz_planted != NULL && strcmp(ev_fuzz_planted, "leak") == 0)
		(void) MemoryContextAllocHuge(TopMemoryContext, 256 * 1024);
	MemoryContextSwitchTo(round_context);
	MemoryContextReset(round_context);
	if (rounds++ % MEASURE_ROUNDS == 0)
		measure_memory();
	return 0;
}

size_t
LLVMFuzzerCustomMutator(uint8 *data, size_t size, size_t max_size, unsigned int seed)
{
	/* bytes now and then also for JSON: text that is none, numbers, strings */
	if (target->mutator == EV_FUZZ_BYTES || seed % 4 == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	return ev_fuzz_mutate_json(data, size, max_size, seed);
}

size_t
LLVMFuzzerCustomCrossOver(const uint8 *a, size_t a_size, const uint8 *b, size_t b_size,
						  uint8 *out, size_t max_size, unsigned int seed)
{
	return ev_fuzz_cross_json(a, a_size, b, b_size, out, max_size, seed);
}

static const EvFuzzTarget *
find_target(const char *name)
{
	for (int i = 0; i < (int) lengthof(targets); i++)
		if (strcmp(targets[i]->name, name) == 0)
			return targets[i];
	elog(ERROR, "no target \"%s\"", name);
}

/*
 * ev_fuzz(target text, planted text, VARIADIC arguments text[]) → void: runs
 * libFuzzer with these arguments.  It ends the process.
 */
Datum
ev_fuzz(PG_FUNCTION_ARGS)
{
	static const int signals[] = {SIGALRM, SIGINT, SIGTERM, SIGFPE, SIGUSR1, SIGUSR2};
	Datum	   *given;
	int			count;
	char	  **arguments;

	target = find_target(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (!PG_ARGISNULL(1))
		ev_fuzz_planted = text_to_cstring(PG_GETARG_TEXT_PP(1));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT, &given, NULL, &count);
	arguments = palloc0(sizeof(char *) * (count + 2));
	arguments[0] = pstrdup("fuzz");
	for (int i = 0; i < count; i++)
		arguments[i + 1] = TextDatumGetCString(given[i]);
	count++;

	round_context = AllocSetContextCreate(TopMemoryContext, "fuzz round", ALLOCSET_DEFAULT_SIZES);
	/* libFuzzer sets only signals that are as they were */
	for (int i = 0; i < (int) lengthof(signals); i++)
		signal(signals[i], SIG_DFL);
	exit(LLVMFuzzerRunDriver(&count, &arguments, run_one));
}
