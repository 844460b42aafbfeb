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
 * answer is kept, with the event that it is for; not for longer than a query
 * runs, because what is called IMMUTABLE may all the same read a table, or a
 * setting, that changes between two of them.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "evolution/upcast_run.h"
#include "registry/extension_objects.h"
#include "registry/schema_cache.h"

PG_FUNCTION_INFO_V1(ev_event_at_version);

#define KEPT_BYTES		65536	/* larger events are not kept */
#define KEPT_WAYS		1000	/* rows can say any version */

typedef struct WayKey
{
	NameData	type;
	int32		from;
	int32		to;
} WayKey;

/* Do upcasts lead from a version to another? */
typedef struct UpcastPath
{
	WayKey		key;			/* hash key, must be first */
	bool		exists;
	bool		immutable;		/* all upcasts on it are */
	bool		parallel_safe;
} UpcastPath;

/* Those that this session has met; NULL: none yet. */
static HTAB *ways = NULL;
static uint64 ways_generation;	/* of the functions, when they were found */

/*
 * The last answer of a query.  All calls of a query are made in one memory
 * context, which goes with the query, and this with it.
 */
typedef struct Last
{
	dlist_node	node;			/* in queries */
	MemoryContext query;
	MemoryContextCallback at_end;
	MemoryContext context;		/* of event and answer */
	uint64		generation;
	Oid			user;
	SnapshotData snapshot;		/* as far as same_snapshot looks at it */
	WayKey		way;
	Jsonb	   *event;
	Jsonb	   *answer;			/* NULL: nothing is kept */
} Last;

/* Those of the queries that run. */
static dlist_head queries = DLIST_STATIC_INIT(queries);

/* What a call in a query keeps. */
typedef struct AtVersionCall
{
	FmgrInfo	upcast_event;
	Last	   *last;
} AtVersionCall;

/* ---------- the path ---------- */

/* Follows the upcasts from a version, as upcast_event does. */
static void
find_way(const char *type, int type_length, UpcastPath *way)
{
	List	   *versions;
	List	   *upcasts;
	int32		reached = way->key.from;

	way->exists = false;
	way->immutable = way->parallel_safe = true;
	ev_registry_list(type, type_length, &versions);
	if (!list_member_int(versions, reached) || !list_member_int(versions, way->key.to))
		return;
	upcasts = ev_upcast_list(type, type_length);
	while (reached < way->key.to)
	{
		EvUpcast   *step = NULL;
		ListCell   *cell;

		foreach(cell, upcasts)
		{
			EvUpcast   *upcast = lfirst(cell);

			if (step == NULL && upcast->from == reached && list_member_int(versions, upcast->to))
				step = upcast;
		}
		if (step == NULL || step->to > way->key.to || step->to <= reached)
			return;
		way->immutable &= func_volatile(step->function) == PROVOLATILE_IMMUTABLE;
		way->parallel_safe &= func_parallel(step->function) == PROPARALLEL_SAFE;
		reached = step->to;
	}
	way->exists = true;
}

static void
init_ways(void)
{
	HASHCTL		control = {.keysize = sizeof(WayKey), .entrysize = sizeof(UpcastPath), .hcxt = TopMemoryContext};

	ways = hash_create("event_validate ways of upcasts", 16, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	ways_generation = ev_upcast_generation();
}

/* The way from a version to a later one, in *way.  False: there is none. */
static bool
get_way(const text *type, int32 from, int32 to, UpcastPath *way)
{
	const char *data = VARDATA_ANY(type);
	int			length = VARSIZE_ANY_EXHDR(type);
	UpcastPath *known;

	if (length >= NAMEDATALEN || from >= to)
		return false;
	if (ways != NULL && (ways_generation != ev_upcast_generation() || hash_get_num_entries(ways) >= KEPT_WAYS))
	{
		hash_destroy(ways);
		ways = NULL;
	}
	if (ways == NULL)
		init_ways();
	memset(way, 0, sizeof(UpcastPath));
	memcpy(NameStr(way->key.type), data, length);
	way->key.from = from;
	way->key.to = to;
	known = hash_search(ways, &way->key, HASH_FIND, NULL);
	if (known != NULL)
		*way = *known;
	else
	{
		find_way(data, length, way);

		/* what changed while we looked is not kept */
		if (ways_generation == ev_upcast_generation())
		{
			known = hash_search(ways, &way->key, HASH_ENTER, NULL);
			*known = *way;
		}
	}
	return way->exists;
}

/* ---------- the last answer ---------- */

static Jsonb *
copy_jsonb(const Jsonb *jsonb)
{
	Jsonb	   *copy = palloc(VARSIZE(jsonb));

	memcpy(copy, jsonb, VARSIZE(jsonb));
	return copy;
}

static void
forget(void *arg)
{
	dlist_delete(&((Last *) arg)->node);
}

/* The last answer of the query whose memory context this is. */
static Last *
last_of_query(MemoryContext query)
{
	dlist_iter	iter;
	Last	   *last;

	dlist_foreach(iter, &queries)
	{
		last = dlist_container(Last, node, iter.cur);
		if (last->query == query)
			return last;
	}
	last = MemoryContextAllocZero(query, sizeof(Last));
	last->query = query;
	last->context = AllocSetContextCreate(query, "event_validate last upcast", ALLOCSET_DEFAULT_SIZES);
	last->at_end.func = forget;
	last->at_end.arg = last;
	dlist_push_head(&queries, &last->node);
	MemoryContextRegisterResetCallback(query, &last->at_end);
	return last;
}

/*
 * PL/pgSQL evaluates expressions in one memory context too, but each with a
 * snapshot of its own.
 */
static bool
same_snapshot(const SnapshotData *a, const SnapshotData *b)
{
	return a->xmin == b->xmin && a->xmax == b->xmax && a->xcnt == b->xcnt && a->curcid == b->curcid;
}

static bool
is_last(const Last *last, const WayKey *way, const Jsonb *event)
{
	return last->answer != NULL &&
		last->generation == ev_upcast_generation() &&
		last->user == GetUserId() && same_snapshot(&last->snapshot, GetActiveSnapshot()) &&
		memcmp(&last->way, way, sizeof(WayKey)) == 0 &&
		VARSIZE(last->event) == VARSIZE(event) &&
		memcmp(last->event, event, VARSIZE(event)) == 0;
}

static void
keep(Last *last, const WayKey *way, const Jsonb *event, const Jsonb *answer)
{
	MemoryContext caller;

	last->answer = NULL;
	if (VARSIZE(event) > KEPT_BYTES || VARSIZE(answer) > KEPT_BYTES)
		return;
	MemoryContextReset(last->context);
	last->generation = ev_upcast_generation();
	last->user = GetUserId();
	last->snapshot = *GetActiveSnapshot();
	last->way = *way;
	caller = MemoryContextSwitchTo(last->context);
	last->event = copy_jsonb(event);
	last->answer = copy_jsonb(answer);
	MemoryContextSwitchTo(caller);
}

/* ---------- SQL ---------- */

static AtVersionCall *
get_call_site(FmgrInfo *caller)
{
	Oid			types[] = {JSONBOID, TEXTOID, INT4OID, INT4OID};
	AtVersionCall *site = caller->fn_extra;
	Oid			function;

	if (site != NULL)
		return site;
	function = ev_extension_function("upcast_event", lengthof(types), types);
	if (!OidIsValid(function))
		elog(ERROR, "could not find function upcast_event");
	site = MemoryContextAllocZero(caller->fn_mcxt, sizeof(AtVersionCall));
	fmgr_info_cxt(function, &site->upcast_event, caller->fn_mcxt);
	site->last = last_of_query(caller->fn_mcxt);
	caller->fn_extra = site;
	return site;
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
	LOCAL_FCINFO(call, 4);
	AtVersionCall *site;
	Jsonb	   *event;
	UpcastPath	way;
	uint64		before;
	Datum		answer;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	event = PG_GETARG_JSONB_P(0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) ||
		!get_way(PG_GETARG_TEXT_PP(1), PG_GETARG_INT32(2), PG_GETARG_INT32(3), &way))
		PG_RETURN_JSONB_P(event);

	/*
	 * A view that was made before the upcasts were may run in parallel.  Few
	 * functions are marked safe, but one that is IMMUTABLE has hardly a
	 * reason not to be; if it has, PostgreSQL raises.
	 */
	if (!way.parallel_safe && !way.immutable && IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("upcasts of event \"%s\" from version %d to version %d are not parallel safe",
						NameStr(way.key.type), way.key.from, way.key.to),
				 errhint("Create the view again with create_event_view.")));
	site = get_call_site(fcinfo->flinfo);
	if (way.immutable && ActiveSnapshotSet() && is_last(site->last, &way.key, event))
		PG_RETURN_JSONB_P(copy_jsonb(site->last->answer));

	before = ev_upcast_generation();
	InitFunctionCallInfoData(*call, &site->upcast_event, 4, InvalidOid, NULL, NULL);
	for (int i = 0; i < 4; i++)
		call->args[i] = fcinfo->args[i];
	call->args[0].value = JsonbPGetDatum(event);
	answer = FunctionCallInvoke(call);
	if (call->isnull)
		PG_RETURN_NULL();
	if (way.immutable && ActiveSnapshotSet() && before == ev_upcast_generation())
		keep(site->last, &way.key, event, DatumGetJsonbP(answer));
	PG_RETURN_DATUM(answer);
}
