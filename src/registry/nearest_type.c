/*
 * nearest_type.c
 *	  Finds the registered type that was probably meant.
 *
 * This is called for each rejected event with an unregistered type, so it must
 * not search the catalog each time.  The types are listed once, and again
 * after a function has changed.  The session's memory for this is bounded by
 * the number of registered types and by MANY_TYPES, not by the requests.  Most
 * types are excluded by the set of their characters; at most MANY_COMPARED
 * others are compared.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#include "base/shown_text.h"
#include "registry/function_row.h"
#include "registry/names.h"
#include "registry/nearest_type.h"
#include "registry/schema_cache.h"

#define MANY_TYPES		20000
#define MANY_COMPARED	100

/* The number of types in warnings of one call. */
#define MOST_WARNINGS	5

/*
 * One edit changes the set of characters by at most this: it removes one and
 * adds one.
 */
#define CHANGED_BY_EDIT	2

typedef struct KnownType
{
	uint64		characters;		/* the characters in it, see characters_of */
	int			length;
	char	   *name;
} KnownType;

/* Kept until the end of the session. */
static MemoryContext kept = NULL;
static KnownType *types;
static int	type_count;
static uint64 listed_at;		/* the registry's generation at that time */

/* Returns the set of a name's bytes, reduced to 64 bits. */
static uint64
characters_of(const char *name, int length)
{
	uint64		result = 0;

	for (int i = 0; i < length; i++)
		result |= UINT64CONST(1) << ((unsigned char) name[i] & 63);
	return result;
}

static int
compare_types(const void *a, const void *b)
{
	const KnownType *x = a;
	const KnownType *y = b;

	return ev_type_order(x->name, x->length, y->name, y->length);
}

/* Lists all registered types, sorted, without duplicates. */
static void
list_types(void)
{
	Oid			namespace = ev_namespace_oid();
	Oid			language = ev_language_oid();
	uint64		generation = ev_registry_generation();
	int			room = 64;
	int			count = 0;
	Relation	pg_proc;
	SysScanDesc scan;
	HeapTuple	tuple;
	MemoryContext caller;

	if (kept != NULL && listed_at == generation)
		return;
	if (kept == NULL)
		kept = AllocSetContextCreate(CacheMemoryContext, "event_validate types", ALLOCSET_SMALL_SIZES);
	type_count = 0;
	listed_at = 0;
	MemoryContextReset(kept);
	caller = MemoryContextSwitchTo(kept);
	types = palloc(sizeof(KnownType) * room);

	pg_proc = table_open(ProcedureRelationId, AccessShareLock);
	scan = systable_beginscan(pg_proc, InvalidOid, false, NULL, 0, NULL);
	while (count < MANY_TYPES && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
		KnownType	type;
		int32		version;

		if (form->pronamespace != namespace || form->prolang != language)
			continue;
		type.name = ev_function_version(tuple, &type.length, &version);
		if (type.name == NULL)
			continue;
		if (count > 0 && types[count - 1].length == type.length &&
			memcmp(types[count - 1].name, type.name, type.length) == 0)
		{
			pfree(type.name);
			continue;
		}
		if (count == room)
			types = repalloc(types, sizeof(KnownType) * (room *= 2));
		type.characters = characters_of(type.name, type.length);
		types[count++] = type;
	}
	systable_endscan(scan);
	table_close(pg_proc, AccessShareLock);
	MemoryContextSwitchTo(caller);

	qsort(types, count, sizeof(KnownType), compare_types);
	for (int i = 0; i < count; i++)
		if (i == 0 || compare_types(&types[i], &types[type_count - 1]) != 0)
			types[type_count++] = types[i];
	listed_at = generation;
}

/* Returns the position of a name in the sorted list of types. */
static int
position_of(const char *name, int length)
{
	KnownType	wanted = {.name = unconstify(char *, name), .length = length};
	int			low = 0;
	int			high = type_count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (compare_types(&types[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

char *
ev_nearest_type(const char *name, int length)
{
	int			least = Min(3, length / 3);
	uint64		characters = characters_of(name, length);
	const KnownType *nearest = NULL;
	int			compared = 0;
	int			position;

	if (length > EV_TYPE_MAX || least == 0)
		return NULL;
	list_types();

	/* search in both directions, since neighbours have a common prefix */
	position = position_of(name, length);
	for (int i = 0; least > 0 && compared < MANY_COMPARED &&
		 (position - 1 - i / 2 >= 0 || position + i / 2 < type_count); i++)
	{
		int			at = i % 2 == 0 ? position + i / 2 : position - 1 - i / 2;
		const KnownType *type = &types[at];
		int			distance;

		if (at < 0 || at >= type_count || abs(type->length - length) > least ||
			pg_popcount64(type->characters ^ characters) > CHANGED_BY_EDIT * least)
			continue;
		compared++;
		distance = varstr_levenshtein_less_equal(name, length, type->name, type->length,
												 1, 1, 1, least, true);
		if (distance <= least && distance > 0)
		{
			nearest = type;
			least = distance - 1;
		}
	}
	return nearest != NULL ? pnstrdup(nearest->name, nearest->length) : NULL;
}

void
ev_warn_of_unregistered_types(const ArrayType *types)
{
	Datum	   *values;
	bool	   *nulls;
	int			count;
	int			warnings = 0;

	deconstruct_array(unconstify(ArrayType *, types), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	for (int i = 0; i < count && warnings < MOST_WARNINGS; i++)
	{
		const text *type = nulls[i] ? NULL : DatumGetTextPP(values[i]);
		List	   *versions = NIL;
		char	   *nearest;

		if (type == NULL)
			continue;
		ev_registry_list(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), &versions);
		if (versions != NIL)
			continue;
		nearest = ev_nearest_type(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type));
		ereport(WARNING,
				(errmsg("no version of event type %s is registered", ev_type_show(type)),
				 nearest != NULL ? errhint("Did you mean \"%s\"?", nearest) :
				 errhint("No event of this type is valid until register_event_schema registers one.")));
		warnings++;
	}
}
