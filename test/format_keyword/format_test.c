/*
 * format_test.c
 *	  Runs the module "format" outside the server.
 *
 * Linked with the module's object files, libidn2 and the C library alone: that
 * it links shows that the module needs nothing of the server.
 *
 *	format_test check
 *		Reads requests from standard input, each a line "NAME DRAFT LENGTH" and
 *		LENGTH bytes; answers each with a line: "1" or "0" where the string has
 *		the format or not, "?" where that draft does not know the name.
 *	format_test list
 *		Writes "NAME DRAFT" for every name on standard input and every draft
 *		that knows it, then a tab and the description.
 *	format_test time ROUNDS
 *		Reads requests as "check" does; answers with the nanoseconds that each
 *		takes, on average over ROUNDS rounds.
 *
 * A request's string is copied to the end of a page that is followed by one
 * without access, so that reading past the end is noticed; what stands before
 * it is random.
 */
#include "postgres.h"

#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "format/format.h"
#include "pattern/pattern.h"

/* PostgreSQL's port.h puts its own functions in the place of these */
#undef printf
#undef fprintf

/*
 * Patterns belong to another module, which needs the server.  Here it is
 * enough to show that the format "regex" asks it.
 */
bool
ev_pattern_is_valid(const char *pattern, int length)
{
	return length == 8 && memcmp(pattern, "stand-in", 8) == 0;
}

static char *guarded;			/* where the string may lie */
static size_t guarded_size;

static void
fail(const char *message)
{
	fputs(message, stderr);
	fputc('\n', stderr);
	exit(2);
}

/* Memory for a string of that length, its end at the end of a page. */
static char *
guard(size_t length)
{
	size_t		page = sysconf(_SC_PAGESIZE);

	if (guarded == NULL || guarded_size < length)
	{
		size_t		size = (length / page + 2) * page;
		char	   *memory;

		memory = mmap(NULL, size + page, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED ||
			mprotect(memory + size, page, PROT_NONE) != 0)
			fail("no memory");
		if (guarded != NULL)
			munmap(guarded, guarded_size + page);
		memset(memory, '1', size);
		guarded = memory;
		guarded_size = size;
	}
	return guarded + guarded_size - length;
}

/* Reads one request; false at the end of the input. */
static bool
read_request(const EvFormat **format, char **string, int *length)
{
	char		line[256];
	char		name[128];
	int			draft;

	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	if (sscanf(line, "%127s %d %d", name, &draft, length) != 3)
		fail("not a request");
	*string = guard(*length);
	if (fread(*string, 1, *length, stdin) != (size_t) *length)
		fail("a string is cut short");
	*format = ev_format_find(name, strlen(name), (EvDraft) draft);
	return true;
}

/* Processor time, so that other programs may run meanwhile. */
static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

int
main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	const EvFormat *format;
	char	   *string;
	int			length;

	/* where this crashes, the last answer shows at which request */
	setvbuf(stdout, NULL, _IOLBF, 0);

	if (strcmp(command, "check") == 0)
	{
		while (read_request(&format, &string, &length))
			puts(format == NULL ? "?" : format->matches(string, length) ? "1" : "0");
	}
	else if (strcmp(command, "list") == 0)
	{
		char		name[128];

		while (fgets(name, sizeof(name), stdin) != NULL)
		{
			name[strcspn(name, "\n")] = '\0';
			for (int draft = 0; draft < EV_DRAFT_COUNT; draft++)
			{
				format = ev_format_find(name, strlen(name), (EvDraft) draft);
				if (format != NULL)
					printf("%s %d\t%s\n", name, draft, format->description);
			}
		}
	}
	else if (strcmp(command, "time") == 0 && argc == 3)
	{
		int			rounds = atoi(argv[2]);

		while (read_request(&format, &string, &length))
		{
			volatile bool matches = false;
			double		start;

			if (format == NULL)
				fail("unknown format");
			start = now();
			for (int i = 0; i < rounds; i++)
				matches = format->matches(string, length);
			printf("%.2f %d\n", (now() - start) / rounds, (int) matches);
		}
	}
	else
	{
		fprintf(stderr, "usage: format_test check|list|time ROUNDS\n");
		return 2;
	}
	return 0;
}
