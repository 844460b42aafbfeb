/*
 * at_version.c
 *	  event_at_version(): an event as a version of its schema has it, for the
 *	  views that create_event_view makes.
 *
 * A view must answer for every row that it has.  So an event that no upcasts
 * bring to the version is taken as it is: often that is just right (a version
 * that only adds optional properties needs no upcast), and one that is newer
 * than the view is still there.  What upcast_event raises it raises.
 *
 * A view asks for the same event once for each of its columns.  So the last
 * answer is kept, with the event that it is for.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "registry.h"
#include "upcast.h"

PG_FUNCTION_INFO_V1(ev_event_at_version);

#define KEPT_BYTES		65536	/* larger events are not kept */
#define KEPT_WAYS		16		/* from so many versions, for each call */

/* Do upcasts lead from a version to another? */
typedef struct Way
{
	int32		from;
	int32		to;
	bool		exists;
	bool		immutable;		/* all upcasts on it are */
	bool		parallel_safe;
} Way;

/* What a call of the function keeps for its query. */
typedef struct AtVersion
{
	uint64		generation;		/* of the functions, when this was found */
	NameData	type;
	int			way_count;
	Way			ways[KEPT_WAYS];
	FmgrInfo	upcast_event;	/* fn_oid invalid: not looked up yet */
} AtVersion;

/* The last answer of this session. */
static struct
{
	MemoryContext context;		/* of what follows; NULL: nothing is kept */
	uint64		generation;
	Oid			user;
	NameData	type;
	int32		from;
	int32		to;
	Jsonb	   *event;
	Jsonb	   *answer;
}			last;

/* ---------- the way ---------- */

/* Follows the upcasts from a version, as upcast_event does. */
static void
find_way(const char *type, int type_length, Way *way)
{
	List	   *versions;
	List	   *upcasts;
	int32		reached = way->from;

	way->exists = false;
	way->immutable = way->parallel_safe = true;
	ev_registry_list(type, type_length, &versions);
	if (!list_member_int(versions, way->from) || !list_member_int(versions, way->to))
		return;
	upcasts = ev_upcast_list(type, type_length);
	while (reached < way->to)
	{
		EvUpcast   *step = NULL;
		ListCell   *cell;

		foreach(cell, upcasts)
		{
			EvUpcast   *upcast = lfirst(cell);

			if (step == NULL && upcast->from == reached && list_member_int(versions, upcast->to))
				step = upcast;
		}
		if (step == NULL || step->to > way->to || step->to <= reached)
			return;
		way->immutable &= func_volatile(step->function) == PROVOLATILE_IMMUTABLE;
		way->parallel_safe &= func_parallel(step->function) == PROPARALLEL_SAFE;
		reached = step->to;
	}
	way->exists = true;
}

/* The way from a version to a later one; NULL where there is none. */
static const Way *
get_way(AtVersion *at, const text *type, int32 from, int32 to)
{
	const char *data = VARDATA_ANY(type);
	int			length = VARSIZE_ANY_EXHDR(type);
	Way		   *way;

	if (length >= NAMEDATALEN || from >= to)
		return NULL;
	if (at->generation != ev_upcast_generation() ||
		strlen(NameStr(at->type)) != (size_t) length || memcmp(NameStr(at->type), data, length) != 0)
	{
		at->generation = ev_upcast_generation();
		memset(&at->type, 0, sizeof(at->type));
		memcpy(NameStr(at->type), data, length);
		at->way_count = 0;
	}
	for (int i = 0; i < at->way_count; i++)
		if (at->ways[i].from == from && at->ways[i].to == to)
			return at->ways[i].exists ? &at->ways[i] : NULL;
	if (at->way_count == KEPT_WAYS)
		at->way_count = 0;
	way = &at->ways[at->way_count];
	way->from = from;
	way->to = to;
	find_way(data, length, way);

	/* what changed while we looked is not kept */
	if (at->generation == ev_upcast_generation())
		at->way_count++;
	return way->exists ? way : NULL;
}

/* ---------- the last answer ---------- */

static Jsonb *
copy_jsonb(const Jsonb *jsonb)
{
	Jsonb	   *copy = palloc(VARSIZE(jsonb));

	memcpy(copy, jsonb, VARSIZE(jsonb));
	return copy;
}

static bool
is_last(const AtVersion *at, int32 from, int32 to, const Jsonb *event)
{
	return last.context != NULL && last.answer != NULL &&
		last.generation == ev_upcast_generation() &&
		last.user == GetUserId() && last.from == from && last.to == to &&
		VARSIZE(last.event) == VARSIZE(event) &&
		memcmp(last.event, event, VARSIZE(event)) == 0 &&
		namestrcmp(&last.type, NameStr(at->type)) == 0;
}

static void
keep(const AtVersion *at, int32 from, int32 to, const Jsonb *event, const Jsonb *answer)
{
	MemoryContext caller;

	last.answer = NULL;
	if (VARSIZE(event) > KEPT_BYTES || VARSIZE(answer) > KEPT_BYTES)
		return;
	if (last.context == NULL)
		last.context = AllocSetContextCreate(TopMemoryContext, "event_validate last upcast",
											 ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(last.context);
	last.generation = ev_upcast_generation();
	last.user = GetUserId();
	last.type = at->type;
	last.from = from;
	last.to = to;
	caller = MemoryContextSwitchTo(last.context);
	last.event = copy_jsonb(event);
	last.answer = copy_jsonb(answer);
	MemoryContextSwitchTo(caller);
}

/* ---------- SQL ---------- */

/* The extension's upcast_event, which may be in any schema. */
static FmgrInfo *
upcast_event(AtVersion *at, const FmgrInfo *caller)
{
	Oid			types[] = {JSONBOID, TEXTOID, INT4OID, INT4OID};
	Oid			function;

	if (OidIsValid(at->upcast_event.fn_oid))
		return &at->upcast_event;
	function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
							   CStringGetDatum("upcast_event"),
							   PointerGetDatum(buildoidvector(types, lengthof(types))),
							   ObjectIdGetDatum(get_func_namespace(caller->fn_oid)));
	if (!OidIsValid(function))
		elog(ERROR, "could not find function upcast_event");
	fmgr_info_cxt(function, &at->upcast_event, caller->fn_mcxt);
	return &at->upcast_event;
}

/*
 * event_at_version(data jsonb, event_type text, schema_version int,
 * to_version int) → jsonb
 *
 * What upcast_event gives; the event as it is where it is that version, or
 * newer, or a step is missing, or an argument is NULL.
 */
Datum
ev_event_at_version(PG_FUNCTION_ARGS)
{
	Jsonb	   *event;
	AtVersion  *at;
	const Way  *way;
	bool		is_immutable;
	int32		from;
	int32		to;

	LOCAL_FCINFO(call, 4);
	Datum		answer;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	event = PG_GETARG_JSONB_P(0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_JSONB_P(event);
	from = PG_GETARG_INT32(2);
	to = PG_GETARG_INT32(3);
	at = fcinfo->flinfo->fn_extra;
	if (at == NULL)
		at = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(AtVersion));
	way = get_way(at, PG_GETARG_TEXT_PP(1), from, to);
	if (way == NULL)
		PG_RETURN_JSONB_P(event);

	/*
	 * A view that was made before the upcasts were may run in parallel.  Few
	 * functions are marked safe, but one that is IMMUTABLE has hardly a
	 * reason not to be; if it has, PostgreSQL raises.
	 */
	if (!way->parallel_safe && !way->immutable && IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("upcasts of event \"%s\" from version %d to version %d are not parallel safe",
						NameStr(at->type), from, to),
				 errhint("Make the view anew with create_event_view.")));
	is_immutable = way->immutable;
	if (is_immutable && is_last(at, from, to, event))
		PG_RETURN_JSONB_P(copy_jsonb(last.answer));

	InitFunctionCallInfoData(*call, upcast_event(at, fcinfo->flinfo), 4, InvalidOid, NULL, NULL);
	for (int i = 0; i < 4; i++)
		call->args[i] = fcinfo->args[i];
	call->args[0].value = JsonbPGetDatum(event);
	answer = FunctionCallInvoke(call);
	if (call->isnull)
		PG_RETURN_NULL();
	if (is_immutable)
		keep(at, from, to, event, DatumGetJsonbP(answer));
	PG_RETURN_DATUM(answer);
}
