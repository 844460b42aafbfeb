/*
 * upcast_path.c
 *	  From one version to another: by upcasts, or by downcasts to an earlier one.
 *
 * A step for which no function is registered is made by the renames of the later version's
 * schema, if it has some.
 *
 * A step needs no function where the versions are proved to be compatible: then an
 * event stays as it is.  What was proved is remembered for the session until one of the two
 * versions, or a document to which they refer, changes.  The events are validated after each step in any case, so the lenient reading
 * suffices.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "base/arguments.h"
#include "changes/changes.h"
#include "evolution/upcast.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/schema_cache.h"
#include "registry/validation_error.h"
#include "schema/document.h"
#include "schema/renames.h"

/* The work of one comparison: less than registration allows itself, since a query waits. */
#define PATH_WORK	(EV_COMPARISON_WORK / 10)

PG_FUNCTION_INFO_V1(ev_event_upcast_path);
PG_FUNCTION_INFO_V1(ev_event_upcasts);

/* So many pairs of versions are remembered. */
#define KEPT_PAIRS	1000

/* ---------- what was proved ---------- */

typedef struct PairKey
{
	Oid			lower;			/* the functions of two versions */
	Oid			higher;
} PairKey;

/* One of two versions that were compared. */
typedef struct Compared
{
	EvSchema   *schema;			/* NULL: its document cannot be read */
	uint64		definition;		/* schema->definition at that time */
} Compared;

typedef struct Pair
{
	PairKey		key;			/* hash key, must be the first member */
	Compared	lower;
	Compared	higher;
	bool		backward;		/* proved to be compatible */
	bool		forward;
} Pair;

static HTAB *pairs = NULL;

static bool
read_document(Oid function, EvDocument *document)
{
	HeapTuple	row = ev_function_row(function);
	EvFault		fault;

	return HeapTupleIsValid(row) && ev_function_document(row, document, &fault);
}

static bool
read_documents(const Pair *pair, EvDocument *lower, EvDocument *higher)
{
	return read_document(pair->key.lower, lower) && read_document(pair->key.higher, higher);
}

static void
begin_comparison(Compared *compared, Oid function)
{
	compared->schema = ev_registry_by_function(function);
	compared->definition = compared->schema->definition;
}

/* Is a version, with all that it refers to, the same as when it was compared? */
static bool
is_same(const Compared *compared)
{
	return compared->schema != NULL && ev_schema_is_as_defined(compared->schema, compared->definition);
}

static void
compare(Pair *pair)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "event_validate path", ALLOCSET_DEFAULT_SIZES);
	EvDocument	lower;
	EvDocument	higher;
	EvVerdict	forward;
	List	   *changes;
	int64		work = PATH_WORK;

	MemoryContextSwitchTo(context);
	pair->backward = pair->forward = false;
	if (read_documents(pair, &lower, &higher))
	{
		begin_comparison(&pair->lower, pair->key.lower);
		begin_comparison(&pair->higher, pair->key.higher);

		/*
		 * read again: the versions can have changed until now, and later
		 * changes are noticed
		 */
		if (read_documents(pair, &lower, &higher))
		{
			pair->backward = ev_compare_schemas(&lower, &higher, ev_registry_resolve, true, &work, &forward,
												&changes) == EV_COMPATIBLE;
			pair->forward = forward == EV_COMPATIBLE;
		}
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* Remembers what was proved, and forgets all pairs if they are too many. */
static void
keep_pair(const Pair *pair)
{
	HASHCTL		control = {.keysize = sizeof(PairKey), .entrysize = sizeof(Pair), .hcxt = TopMemoryContext};
	Pair	   *kept;

	if (pairs != NULL && hash_get_num_entries(pairs) >= KEPT_PAIRS)
	{
		hash_destroy(pairs);
		pairs = NULL;
	}
	if (pairs == NULL)
		pairs = hash_create("event_validate compatible versions", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	kept = hash_search(pairs, &pair->key, HASH_ENTER, NULL);
	*kept = *pair;
}

/* Is it proved that events of one version are valid as the other? */
static bool
is_proved(Oid from, Oid to, bool upward)
{
	Pair		pair = {.key = {upward ? from : to, upward ? to : from}};
	const Pair *known = pairs != NULL ? hash_search(pairs, &pair.key, HASH_FIND, NULL) : NULL;

	if (known != NULL && is_same(&known->lower) && is_same(&known->higher))
		return upward ? known->backward : known->forward;
	compare(&pair);

	/* comparing reads the catalog, which can bring news of changes */
	if (is_same(&pair.lower) && is_same(&pair.higher))
		keep_pair(&pair);
	return upward ? pair.backward : pair.forward;
}

/* ---------- paths ---------- */

/* The search for a path. */
typedef struct PathSearch
{
	const text *type;
	int32		from;
	int32		to;
	List	   *functions;		/* of the registered versions */
	List	   *versions;
	int32		reached;
	const EvUpcast *past;		/* it leads from there beyond the wanted
								 * version */
	bool		converts;		/* one of the steps has a function or renames */
} PathSearch;

/* Returns the registered upcast from a version, or the downcast; NULL if there is none. */
static EvUpcast *
registered_step(const PathSearch *search, const List *upcasts, bool upward)
{
	ListCell   *cell;

	/* if a restore brought several, the nearest, by their order */
	foreach(cell, upcasts)
	{
		EvUpcast   *upcast = lfirst(cell);

		if (upcast->from == search->reached && (upcast->to > upcast->from) == upward &&
			list_member_int(search->versions, upcast->to))
			return upcast;
	}
	return NULL;
}

/* The body is read in a context of its own, since a query can ask for each of many events. */
Jsonb *
ev_schema_renames(Oid function)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "event_validate renames", ALLOCSET_SMALL_SIZES);
	HeapTuple	row;
	Jsonb	   *renames = NULL;

	MemoryContextSwitchTo(context);
	row = ev_function_row(function);
	if (HeapTupleIsValid(row))
		renames = ev_document_renames(ev_function_body(row));
	MemoryContextSwitchTo(caller);
	if (renames != NULL)
		renames = (Jsonb *) PG_DETOAST_DATUM_COPY(JsonbPGetDatum(renames));
	MemoryContextDelete(context);
	return renames;
}

/*
 * Is a version, registered or not, between two registered ones of which the later has
 * renames?  Sets *before and *after to these.
 */
static bool
is_before_renames(const char *type, int type_length, int32 version, int32 *before, int32 *after)
{
	List	   *versions;
	List	   *functions = ev_registry_list(type, type_length, &versions);
	bool		has_before = false;

	for (int i = 0; i < list_length(versions); i++)
	{
		int32		other = list_nth_int(versions, i);

		if (other < version)
		{
			*before = other;
			has_before = true;
		}
		else if (other > version)
		{
			*after = other;
			return has_before && ev_schema_renames(list_nth_oid(functions, i)) != NULL;
		}
	}
	return false;
}

void
ev_renames_check_drop(const char *type, int type_length, int32 version)
{
	char	   *name = pnstrdup(type, type_length);
	int32		before;
	int32		after;

	if (is_before_renames(type, type_length, version, &before, &after))
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop event schema \"%s@%d\" because the renames of version %d lead from it",
						name, version, after),
				 errdetail("They would be applied to events of version %d, which have other names.", before),
				 errhint("Drop the versions before it first, or version %d.", after)));
}

void
ev_renames_check_new(const char *name)
{
	int			type_length;
	int32		version;
	int32		before;
	int32		after;

	if (ev_parse_event_name(name, &type_length, &version) &&
		is_before_renames(name, type_length, version, &before, &after))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot register event schema \"%s\" because the renames of version %d lead from version %d",
						name, after, before),
				 errdetail("They would be applied to events of version %d.", version),
				 errhint("Register the schema as a version later than %d.", after)));
}

/* Has the current transaction created a function?  Then no other one drops it. */
static bool
is_of_transaction(Oid function)
{
	HeapTuple	row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		result = HeapTupleIsValid(row) && TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data));

	if (HeapTupleIsValid(row))
		ReleaseSysCache(row);
	return result;
}

void
ev_renames_hold_previous(const char *type, int type_length, int32 version)
{
	for (;;)
	{
		List	   *versions;
		List	   *functions = ev_registry_list(type, type_length, &versions);
		int			last = list_length(versions) - 1;
		Oid			previous;

		while (last >= 0 && list_nth_int(versions, last) >= version)
			last--;
		if (last < 0)
			return;
		previous = list_nth_oid(functions, last);
		if (is_of_transaction(previous))
			return;
		ev_function_lock(previous, AccessShareLock, psprintf("%.*s@%d", type_length, type, list_nth_int(versions, last)));
		if (SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(previous)))
			return;
		/* it was dropped meanwhile: the one before it is the previous one now */
		ev_function_unlock(previous, AccessShareLock);
	}
}

/* Has a version between the two ends of a path renames, which can be a step of it? */
static bool
has_renames(const PathSearch *search)
{
	for (int i = 1; i < list_length(search->versions); i++)
	{
		int32		version = list_nth_int(search->versions, i);

		CHECK_FOR_INTERRUPTS();
		if (version > Min(search->from, search->to) && version <= Max(search->from, search->to) &&
			ev_schema_renames(list_nth_oid(search->functions, i)) != NULL)
			return true;
	}
	return false;
}

/*
 * Returns the step to the next version without a function: by the renames of the later of
 * the two, or because none is needed; otherwise NULL.
 */
static EvUpcast *
step_without_function(const PathSearch *search, bool upward)
{
	EvUpcast   *step;
	Jsonb	   *renames;
	int			at = 0;
	int			next;

	while (at < list_length(search->versions) && list_nth_int(search->versions, at) != search->reached)
		at++;
	next = upward ? at + 1 : at - 1;
	if (at == list_length(search->versions) || next < 0 || next >= list_length(search->versions))
		return NULL;
	renames = ev_schema_renames(list_nth_oid(search->functions, Max(at, next)));
	if (renames == NULL && !is_proved(list_nth_oid(search->functions, at), list_nth_oid(search->functions, next), upward))
		return NULL;
	step = palloc0(sizeof(EvUpcast));
	step->renames = renames == NULL || upward ? renames : ev_renames_inverse(renames);
	step->from = search->reached;
	step->to = list_nth_int(search->versions, next);
	step->type_length = VARSIZE_ANY_EXHDR(search->type);
	step->name = psprintf("%s@%d>%d", text_to_cstring(search->type), step->from, step->to);
	return step;
}

/*
 * Returns the first steps of the path, as many as exist.  Without upcasts of the type and
 * renames of its versions, and if only_converting is set, nothing is compared.
 */
static List *
find_prefix(PathSearch *search, bool only_converting)
{
	List	   *upcasts = search->from != search->to ?
		ev_upcast_list(VARDATA_ANY(search->type), VARSIZE_ANY_EXHDR(search->type)) : NIL;
	bool		upward = search->from < search->to;
	bool		can_convert = upcasts != NIL || has_renames(search);
	List	   *path = NIL;

	search->reached = search->from;
	while (search->reached != search->to && (can_convert || (upward && !only_converting)))
	{
		EvUpcast   *step = registered_step(search, upcasts, upward);

		CHECK_FOR_INTERRUPTS();
		if (step == NULL)
			step = step_without_function(search, upward);
		if (step == NULL)
			break;
		if (upward ? step->to > search->to : step->to < search->to)
		{
			search->past = step;
			break;
		}
		search->converts |= OidIsValid(step->function) || step->renames != NULL;
		path = lappend(path, step);
		search->reached = step->to;
	}
	return path;
}

List *
ev_upcast_path_prefix(const text *type, int32 from, int32 to, bool only_converting, int32 *reached, bool *converts)
{
	PathSearch	search = {.type = type, .from = from, .to = to};
	List	   *path;

	search.functions = ev_registry_list(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), &search.versions);
	path = find_prefix(&search, only_converting);
	*reached = search.reached;
	*converts = search.converts;
	return path;
}

/* Raises an error that says how far the upcasts lead. */
static void
refuse_path(const PathSearch *search)
{
	char	   *name = text_to_cstring(search->type);

	if (search->to < search->from)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot bring event \"%s\" from version %d back to version %d", name, search->from, search->to),
				 search->past != NULL ?
				 errhint("Drop the downcast from version %d to version %d, and register one to each version in between: %s.",
						 search->past->from, search->past->to, ev_upcast_drop_command(search->past)) :
				 errhint("Register a downcast from version %d to the version before it with register_event_downcast.",
						 search->reached == search->to ? search->from : search->reached)));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("no upcast of event \"%s\" leads from version %d to version %d", name, search->from, search->to),
			 search->past != NULL ?
			 errdetail("The one from version %d leads to version %d.", search->past->from, search->past->to) :
			 search->reached > search->from ?
			 errdetail("From version %d upcasts lead to version %d, and no further.", search->from, search->reached) :
			 errdetail("There is none from version %d.", search->from),
			 search->past != NULL ?
			 errhint("Drop it, and register one to each version in between: %s.", ev_upcast_drop_command(search->past)) :
			 errhint("Register one from version %d to the next with register_event_upcast. None is needed between versions that are proved to be backward compatible.",
					 search->reached)));
}

List *
ev_upcast_path(const text *type, int32 from, int32 *to)
{
	PathSearch	search = {.type = type, .from = from};
	List	   *path;

	search.functions = ev_registry_list(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), &search.versions);
	if (!list_member_int(search.versions, from))
		ev_refuse_unregistered(type, from);
	if (*to == EV_LATEST)
		*to = llast_int(search.versions);
	if (!list_member_int(search.versions, *to))
		ev_refuse_unregistered(type, *to);
	search.to = *to;
	path = find_prefix(&search, false);
	if (search.reached != *to || (*to < from && !search.converts))
		refuse_path(&search);
	return path;
}

/* ---------- SQL ---------- */

/* Returns the functions of upcasts as regprocedure[]. */
static Datum
functions_of(List *upcasts)
{
	Datum	   *functions = palloc(sizeof(Datum) * (list_length(upcasts) + 1));

	int			count = 0;
	ListCell   *cell;

	foreach(cell, upcasts)
	{
		Oid			function = ((EvUpcast *) lfirst(cell))->function;

		if (OidIsValid(function))
			functions[count++] = ObjectIdGetDatum(function);
	}
	return PointerGetDatum(construct_array(functions, count, REGPROCEDUREOID,
										   sizeof(Oid), true, TYPALIGN_INT));
}

/*
 * event_upcast_path(event_type text, from_version int, to_version int DEFAULT
 * NULL) returns regprocedure[]
 *
 * Returns the upcasts that upcast_event would run, in order.
 */
Datum
ev_event_upcast_path(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"event_type", "from_version"};
	int32		to = PG_ARGISNULL(2) ? EV_LATEST : PG_GETARG_INT32(2);
	List	   *path;

	ev_require_arguments(fcinfo, 0, lengthof(names), names);
	if (!PG_ARGISNULL(2) && to < 0)
		ev_refuse_unregistered(PG_GETARG_TEXT_PP(0), to);
	path = ev_upcast_path(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1), &to);
	PG_RETURN_DATUM(functions_of(path));
}

/*
 * _event_validate.event_upcasts(event_type text) → regprocedure[]
 */
Datum
ev_event_upcasts(PG_FUNCTION_ARGS)
{
	text	   *type = PG_GETARG_TEXT_PP(0);

	PG_RETURN_DATUM(functions_of(ev_upcast_list(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type))));
}
