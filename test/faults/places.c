/*
 * places.c
 *	  A fault at the Nth place where the extension calls a function of PostgreSQL
 *	  that allocates memory, reads the catalog or runs a query.
 *
 * Linked into a copy of the extension, whose calls of these functions go through
 * trampolines (places_library.py) to ev_fault_point.
 */
#include "postgres.h"

#include <dlfcn.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#define MOST_CALLS	8			/* return addresses in the report */

extern void ev_fault_point(const uint64 *registers, const char *name);

PG_FUNCTION_INFO_V1(ev_fault_arm);
PG_FUNCTION_INFO_V1(ev_fault_fired);

typedef enum FaultKind
{
	FAULT_MEMORY,				/* an error, as by a failed malloc */
	FAULT_CANCEL,				/* a cancel request comes here */
	FAULT_LAST = FAULT_CANCEL
} FaultKind;

static int	left = 0;
static FaultKind kind;
static char fired[256];

/* The registers are those of the call's arguments: rax, r9, r8, rcx, rdx, rsi, rdi, rbp, return address. */
void
ev_fault_point(const uint64 *registers, const char *name)
{
	Dl_info		place;

	if (left == 0 || CritSectionCount > 0 || InterruptHoldoffCount > 0)
		return;
	/* the others allocate nothing */
	if (strcmp(name, "hash_search") == 0 && (uint32) registers[4] != HASH_ENTER)
		return;
	if (--left > 0)
		return;
	if (dladdr((void *) registers[8], &place) != 0)
		snprintf(fired, sizeof(fired), "%s at 0x%lx", name, (unsigned long) (registers[8] - (uint64) place.dli_fbase));
	else
		strlcpy(fired, name, sizeof(fired));
	switch (kind)
	{
		case FAULT_MEMORY:
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory"),
					 errdetail_internal("On purpose, in %s.", fired)));
			break;
		case FAULT_CANCEL:
			InterruptPending = true;
			QueryCancelPending = true;
			break;
	}
}

/* fault_arm(place int, kind int): the fault comes at this place, counted from here. 0: none. */
Datum
ev_fault_arm(PG_FUNCTION_ARGS)
{
	left = PG_GETARG_INT32(0);
	kind = (FaultKind) Min(Max(PG_GETARG_INT32(1), 0), FAULT_LAST);
	fired[0] = '\0';
	PG_RETURN_VOID();
}

/* fault_fired() returns text: where the fault came; NULL: it did not.  Disarms. */
Datum
ev_fault_fired(PG_FUNCTION_ARGS)
{
	left = 0;
	if (fired[0] == '\0')
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(fired));
}
