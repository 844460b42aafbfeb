/*
 * registered_upcasts.c
 *	  The rows of event_upcasts: the upcasts and downcasts of all types, by functions
 *	  and by the renames of schemas.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "evolution/upcast.h"
#include "registration/registered_list.h"
#include "registry/function_row.h"
#include "schema/renames.h"

PG_FUNCTION_INFO_V1(ev_list_event_upcasts);

/* A row of event_upcasts; InvalidOid and NULL are NULL in it. */
typedef struct UpcastRow
{
	int32		from;
	int32		to;
	Oid			function;
	Oid			calls;
	Jsonb	   *renames;
	Oid			owner;
} UpcastRow;

static void
put_row(ReturnSetInfo *result, const text *type, const UpcastRow *row)
{
	char	   *owner = GetUserNameFromId(row->owner, true);
	Datum		values[7];
	bool		nulls[7] = {0};

	values[0] = PointerGetDatum(type);
	values[1] = Int32GetDatum(row->from);
	values[2] = Int32GetDatum(row->to);
	values[3] = ObjectIdGetDatum(row->function);
	nulls[3] = !OidIsValid(row->function);
	values[4] = ObjectIdGetDatum(row->calls);
	nulls[4] = !OidIsValid(row->calls);
	values[5] = JsonbPGetDatum(row->renames);
	nulls[5] = row->renames == NULL;
	nulls[6] = owner == NULL;
	values[6] = nulls[6] ? (Datum) 0 : DirectFunctionCall1(namein, CStringGetDatum(owner));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Is a function registered for this step, so that it is run instead of the renames? */
static bool
is_registered_from(const List *upcasts, int32 from, bool upward)
{
	ListCell   *cell;

	foreach(cell, upcasts)
	{
		const EvUpcast *upcast = lfirst(cell);

		if (upcast->from == from && (upcast->to > from) == upward)
			return true;
	}
	return false;
}

static void
put_functions(ReturnSetInfo *result, const text *type, const List *upcasts)
{
	ListCell   *cell;

	foreach(cell, upcasts)
	{
		const EvUpcast *upcast = lfirst(cell);
		UpcastRow	row = {.from = upcast->from, .to = upcast->to, .function = upcast->function};

		CHECK_FOR_INTERRUPTS();
		if (ev_upcast_describe(upcast->function, &row.calls, &row.renames, &row.owner))
			put_row(result, type, &row);
	}
}

/* Adds the steps between a version and the one before it that its renames make. */
static void
put_renames(ReturnSetInfo *result, const text *type, const List *upcasts, int32 before, const EvRegistered *version)
{
	Jsonb	   *renames = ev_schema_renames(version->function);
	HeapTuple	function = ev_function_row(version->function);
	UpcastRow	up = {.from = before, .to = version->version, .renames = renames};
	UpcastRow	down = {.from = version->version, .to = before};

	if (renames == NULL || !HeapTupleIsValid(function))
		return;
	down.renames = ev_renames_inverse(renames);
	up.owner = down.owner = ((Form_pg_proc) GETSTRUCT(function))->proowner;
	if (!is_registered_from(upcasts, up.from, true))
		put_row(result, type, &up);
	if (!is_registered_from(upcasts, down.from, false))
		put_row(result, type, &down);
}

static bool
is_same_type(const EvRegistered *a, const EvRegistered *b)
{
	return a != NULL && a->type_length == b->type_length && memcmp(a->name, b->name, a->type_length) == 0;
}

/*
 * list_event_upcasts() returns setof record
 */
Datum
ev_list_event_upcasts(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext list_context = AllocSetContextCreate(caller, "event_validate listing", ALLOCSET_DEFAULT_SIZES);
	MemoryContext type_context = AllocSetContextCreate(list_context, "event_validate type", ALLOCSET_DEFAULT_SIZES);
	const EvRegistered *before = NULL;
	text	   *type = NULL;
	List	   *upcasts = NIL;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	MemoryContextSwitchTo(list_context);
	foreach(cell, ev_registered_functions())
	{
		const EvRegistered *version = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (version->type_length < 0)
			break;
		if (!is_same_type(before, version))
		{
			MemoryContextReset(type_context);
			MemoryContextSwitchTo(type_context);
			type = cstring_to_text_with_len(version->name, version->type_length);
			upcasts = ev_upcast_list(version->name, version->type_length);
			put_functions(result, type, upcasts);
		}
		else
		{
			MemoryContextSwitchTo(type_context);
			put_renames(result, type, upcasts, before->version, version);
		}
		MemoryContextSwitchTo(list_context);
		before = version;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(list_context);
	return (Datum) 0;
}
