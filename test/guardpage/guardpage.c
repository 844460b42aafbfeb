/*
 * guardpage.c
 *	  Calls functions with arguments between two inaccessible pages.
 *
 * Reading a byte before or after an argument crashes, where ordinary memory of
 * the server would only give another answer.
 */
#include "postgres.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(guarded);

/* An inaccessible page, space for an argument, another inaccessible page. */
typedef struct Guarded
{
	char	   *memory;
	Size		room;
} Guarded;

/* For documents and for types; kept for the session. */
static Guarded places[2];

static void
make_room(Guarded *place, Size size)
{
	Size		page = sysconf(_SC_PAGESIZE);
	Size		room = (size + page - 1) / page * page;

	if (place->room >= size)
		return;
	if (place->memory != NULL)
		munmap(place->memory - page, place->room + 2 * page);
	place->room = 0;
	place->memory = mmap(NULL, room + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (place->memory == MAP_FAILED || mprotect(place->memory, page, PROT_NONE) != 0 ||
		mprotect(place->memory + page + room, page, PROT_NONE) != 0)
		elog(ERROR, "no guarded memory: %m");
	place->memory += page;
	place->room = room;
}

/*
 * Copies a value (not toasted) to the end of the space or to its start, with a
 * header of 1 byte if that is requested and possible.  The rest of the space is
 * filled with `fill`.
 */
static struct varlena *
put(Guarded *place, const struct varlena *value, bool is_short, bool at_end, char fill)
{
	Size		length = VARSIZE_ANY_EXHDR(value);
	Size		header = is_short && length + VARHDRSZ_SHORT <= VARATT_SHORT_MAX ? VARHDRSZ_SHORT : VARHDRSZ;
	char	   *at;

	make_room(place, header + length);
	memset(place->memory, fill, place->room);
	at = place->memory;
	if (at_end)
	{
		at += place->room - header - length;
#if !defined(__x86_64__) && !defined(__aarch64__)
		/* it must be aligned, so that a few bytes after it are not protected */
		if (header == VARHDRSZ)
			at = (char *) ((uintptr_t) at & ~(uintptr_t) 3);
#endif
	}
	if (header == VARHDRSZ)
		SET_VARSIZE(at, header + length);
	else
		SET_VARSIZE_SHORT(at, header + length);
	memcpy(at + header, VARDATA_ANY(value), length);
	return (struct varlena *) at;
}

/*
 * guarded(function regprocedure, data jsonb, event_type text, version int) →
 * text: a letter for each placement of the arguments, "t" or "f" for the
 * function's answer, "n" for NULL.  event_type NULL: the function takes only the
 * document.  Else it is also called with the type guarded_other, so that it must
 * find one of several types that this call site has met.
 */
Datum
guarded(PG_FUNCTION_ARGS)
{
	FmgrInfo	function;
	struct varlena *data = (struct varlena *) PG_GETARG_JSONB_P(1);
	bool		has_type = !PG_ARGISNULL(2);
	text	   *type = has_type ? PG_GETARG_TEXT_PP(2) : NULL;
	char		answers[9] = {0};

	LOCAL_FCINFO(call, 3);

	fmgr_info(PG_GETARG_OID(0), &function);
	for (int i = 0; i < 8; i++)
	{
		bool		is_short = (i & 1) != 0;
		bool		at_end = (i & 2) == 0;
		char		fill = (i & 4) != 0 ? '\xFF' : '0';
		Datum		answer;

		InitFunctionCallInfoData(*call, &function, has_type ? 3 : 1, PG_GET_COLLATION(), NULL, NULL);
		call->args[0].value = PointerGetDatum(put(&places[0], data, is_short, at_end, fill));
		call->args[0].isnull = false;
		if (has_type)
		{
			call->args[1].isnull = call->args[2].isnull = false;
			call->args[2].value = PG_GETARG_DATUM(3);
			if (at_end && fill == '0')
			{
				call->args[1].value = CStringGetTextDatum("guarded_other");
				FunctionCallInvoke(call);
				call->isnull = false;
			}
			call->args[1].value = PointerGetDatum(put(&places[1], (struct varlena *) type, is_short, at_end, fill));
		}
		answer = FunctionCallInvoke(call);
		answers[i] = call->isnull ? 'n' : DatumGetBool(answer) ? 't' : 'f';
	}
	PG_RETURN_TEXT_P(cstring_to_text(answers));
}
