/*
 * at_version.c
 *	  event_at_version(): brings an event to a version of its schema, for the
 *	  views of create_event_view.
 *
 * A view must have a result for each row.  So an event that no upcasts bring
 * to the version is returned unchanged: this is often right (a version that
 * only adds optional properties needs no upcast), and events newer than the
 * view stay visible.  Errors of upcast_event are raised.
 *
 * A view calls this once for each of its columns, with the same event.  So the
 * last answer is kept, with its event, but only until the query ends: a
 * function that is declared IMMUTABLE may still read a table or a setting that
 * changes between queries.
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
#include "registry/names.h"
#include "registry/schema_cache.h"

PG_FUNCTION_INFO_V1(ev_event_at_version);

#define KEPT_BYTES		65536	/* larger events are not kept */
#define KEPT_PATHS		1000	/* since rows can have any version */

typedef struct UpcastPathKey
{
	NameData	type;			/* a longer type is shortened */
	int32		type_length;
	int32		from;
	int32		to;
} UpcastPathKey;

/* Do upcasts lead from one version to another? */
typedef struct UpcastPath
{
	UpcastPathKey key;			/* hash key, must be the first member */
	bool		exists;
	bool		immutable;		/* true for all upcasts of the path */
	bool		parallel_safe;
} UpcastPath;

/* Paths that this session has met; NULL: none yet. */
static HTAB *paths = NULL;
static uint64 paths_generation; /* of functions, at that time */

/*
 * The last answer of a query.  All calls in a query are made in one memory
 * context, which is freed with the query, and this with it.
 */
typedef struct Last
{
	dlist_node	node;			/* in `queries` */
	MemoryContext query;
	MemoryContextCallback at_end;
	MemoryContext context;		/* for event and answer */
	uint64		generation;
	Oid			user;
	SnapshotData snapshot;		/* the parts that same_snapshot compares */
	UpcastPathKey path;
	Jsonb	   *event;
	Jsonb	   *answer;			/* NULL: none is kept */
} Last;

/* The answers of running queries. */
static dlist_head queries = DLIST_STATIC_INIT(queries);

/* The state of a call site. */
typedef struct AtVersionCall
{
	FmgrInfo	upcast_event;
	Last	   *last;
} AtVersionCall;

/* ---------- the path ---------- */

/* Follows the upcasts from a version, like upcast_event. */
static void
find_path(const text *type, UpcastPath *path)
{
	List	   *steps;
	ListCell   *cell;
	int32		reached;

	path->exists = false;
	path->immutable = path->parallel_safe = true;
	if (!OidIsValid(ev_registered_version(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), path->key.from)))
		return;
	steps = ev_upcast_path_prefix(type, path->key.from, path->key.to, &reached);
	if (reached != path->key.to)
		return;
	foreach(cell, steps)
	{
		const EvUpcast *step = lfirst(cell);

		path->immutable &= func_volatile(step->function) == PROVOLATILE_IMMUTABLE;
		path->parallel_safe &= func_parallel(step->function) == PROPARALLEL_SAFE;
	}
	path->exists = true;
}

static void
init_paths(void)
{
	HASHCTL		control = {.keysize = sizeof(UpcastPathKey), .entrysize = sizeof(UpcastPath), .hcxt = TopMemoryContext};

	paths = hash_create("event_validate paths of upcasts", 16, &control,
						HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	paths_generation = ev_upcast_generation();
}

/* Shortens a type; remembers the last one, since a view asks for each of its columns. */
static bool
shorten(const char *type, int length, NameData *name)
{
	static char last[EV_TYPE_MAX];
	static int	last_length = 0;
	static NameData shortened;

	if (length != last_length || memcmp(last, type, length) != 0)
	{
		last_length = 0;
		if (!ev_short_type(type, length, &shortened))
			return false;
		memcpy(last, type, length);
		last_length = length;
	}
	*name = shortened;
	return true;
}

/* Finds the path from a version to a later one; false if there is none. */
static bool
get_path(const text *type, int32 from, int32 to, UpcastPath *path)
{
	const char *data = VARDATA_ANY(type);
	int			length = VARSIZE_ANY_EXHDR(type);
	UpcastPath *known;

	if (length > EV_TYPE_MAX || from >= to)
		return false;
	if (paths != NULL && (paths_generation != ev_upcast_generation() || hash_get_num_entries(paths) >= KEPT_PATHS))
	{
		hash_destroy(paths);
		paths = NULL;
	}
	if (paths == NULL)
		init_paths();
	memset(path, 0, sizeof(UpcastPath));
	if (length < NAMEDATALEN)
		memcpy(NameStr(path->key.type), data, length);
	else if (!shorten(data, length, &path->key.type))
		return false;
	path->key.type_length = length;
	path->key.from = from;
	path->key.to = to;
	known = hash_search(paths, &path->key, HASH_FIND, NULL);
	if (known != NULL)
		*path = *known;
	else
	{
		find_path(type, path);

		/* do not keep a path if functions changed meanwhile */
		if (paths_generation == ev_upcast_generation())
		{
			known = hash_search(paths, &path->key, HASH_ENTER, NULL);
			*known = *path;
		}
	}
	return path->exists;
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

/* Returns the last answer of the query with this memory context. */
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
 * PL/pgSQL also evaluates expressions in one memory context, but each with its
 * own snapshot.
 */
static bool
same_snapshot(const SnapshotData *a, const SnapshotData *b)
{
	return a->xmin == b->xmin && a->xmax == b->xmax && a->xcnt == b->xcnt && a->curcid == b->curcid;
}

static bool
is_last(const Last *last, const UpcastPathKey *path, const Jsonb *event)
{
	return last->answer != NULL &&
		last->generation == ev_upcast_generation() &&
		last->user == GetUserId() && same_snapshot(&last->snapshot, GetActiveSnapshot()) &&
		memcmp(&last->path, path, sizeof(UpcastPathKey)) == 0 &&
		VARSIZE(last->event) == VARSIZE(event) &&
		memcmp(last->event, event, VARSIZE(event)) == 0;
}

static void
keep(Last *last, const UpcastPathKey *path, const Jsonb *event, const Jsonb *answer)
{
	MemoryContext caller;

	last->answer = NULL;
	if (VARSIZE(event) > KEPT_BYTES || VARSIZE(answer) > KEPT_BYTES)
		return;
	MemoryContextReset(last->context);
	last->generation = ev_upcast_generation();
	last->user = GetUserId();
	last->snapshot = *GetActiveSnapshot();
	last->path = *path;
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
 * event_at_version(data jsonb, event_type text, schema_version int, to_version
 * int) returns jsonb
 *
 * Returns the result of upcast_event; or the event unchanged if it has that
 * version or a newer one, if a step is missing, or if an argument is NULL.
 */
Datum
ev_event_at_version(PG_FUNCTION_ARGS)
{
	LOCAL_FCINFO(call, 4);
	AtVersionCall *site;
	Jsonb	   *event;
	UpcastPath	path;
	uint64		before;
	Datum		answer;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	event = PG_GETARG_JSONB_P(0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) ||
		!get_path(PG_GETARG_TEXT_PP(1), PG_GETARG_INT32(2), PG_GETARG_INT32(3), &path))
		PG_RETURN_JSONB_P(event);

	/*
	 * A view that is older than the upcasts may run in parallel.  Few
	 * functions are marked PARALLEL SAFE. But an IMMUTABLE function rarely
	 * does anything that is unsafe there; if it does, PostgreSQL raises an
	 * error.
	 */
	if (!path.parallel_safe && !path.immutable && IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("upcasts of event \"%s\" from version %d to version %d are not parallel safe",
						text_to_cstring(PG_GETARG_TEXT_PP(1)), path.key.from, path.key.to),
				 errhint("Create the view again with create_event_view.")));
	site = get_call_site(fcinfo->flinfo);
	if (path.immutable && ActiveSnapshotSet() && is_last(site->last, &path.key, event))
		PG_RETURN_JSONB_P(copy_jsonb(site->last->answer));

	before = ev_upcast_generation();
	InitFunctionCallInfoData(*call, &site->upcast_event, 4, InvalidOid, NULL, NULL);
	for (int i = 0; i < 4; i++)
		call->args[i] = fcinfo->args[i];
	call->args[0].value = JsonbPGetDatum(event);
	answer = FunctionCallInvoke(call);
	if (call->isnull)
		PG_RETURN_NULL();
	if (path.immutable && ActiveSnapshotSet() && before == ev_upcast_generation())
		keep(site->last, &path.key, event, DatumGetJsonbP(answer));
	PG_RETURN_DATUM(answer);
}
