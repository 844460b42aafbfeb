/*
 * guard_definition.c
 *	  The definition of a guard in its trigger: its mode, and the columns of
 *	  the event.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "guard/guard_definition.h"
#include "registry/extension_objects.h"

PG_FUNCTION_INFO_V1(ev_event_guard_reads);

#define GUARD_FUNCTION	"guard_event"

EvReplay   *ev_replay = NULL;

/* ---------- arguments ---------- */

static const char *const modes[] = {"enforce", "quarantine", "warn", "off"};

bool
ev_guard_mode(const char *name, EvGuardMode *mode)
{
	for (int i = 0; i < (int) lengthof(modes); i++)
		if (strcmp(name, modes[i]) == 0)
		{
			*mode = (EvGuardMode) i;
			return true;
		}
	return false;
}

const char *
ev_guard_mode_name(EvGuardMode mode)
{
	return modes[mode];
}

void
ev_guard_arguments(const Trigger *trigger, EvGuardArguments *arguments)
{
	int			rest;			/* index of the arguments before the time */

	arguments->expressions[EV_ROW_DATA] = "data";
	arguments->expressions[EV_ROW_TYPE] = "event_type";
	arguments->expressions[EV_ROW_VERSION] = "schema_version";
	arguments->until = DT_NOEND;
	arguments->reads = ev_guard_reads(trigger);

	arguments->types = NULL;
	rest = arguments->reads == NULL ? 1 + EV_ROW_PARTS : 1;
	if (trigger->tgnargs < 1 || trigger->tgnargs > rest + 2 ||
		!ev_guard_mode(trigger->tgargs[0], &arguments->mode))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid arguments of trigger \"%s\"", trigger->tgname),
				 arguments->reads == NULL ?
				 errdetail("They are a mode (enforce, quarantine, warn or off), three expressions, a time, and event types.") :
				 errdetail("They are a mode (enforce, quarantine, warn or off), a time, and event types."),
				 errhint("Use add_event_guard.")));
	for (int i = 1; i < Min(trigger->tgnargs, rest); i++)
		arguments->expressions[i - 1] = trigger->tgargs[i];
	if (trigger->tgnargs > rest)
		arguments->until =
			DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
													CStringGetDatum(trigger->tgargs[rest]),
													ObjectIdGetDatum(InvalidOid),
													Int32GetDatum(-1)));
	if (trigger->tgnargs > rest + 1)
		arguments->types = trigger->tgargs[rest + 1];
}

text	  **
ev_guard_types(const char *types, int *count)
{
	ArrayType  *array = DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN, pstrdup(types), TEXTOID, -1));
	Datum	   *elements;
	bool	   *nulls;
	text	  **result;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, count);
	result = palloc(sizeof(text *) * (*count + 1));
	for (int i = 0; i < *count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("an event type of a guard must not be null")));
		result[i] = DatumGetTextPP(elements[i]);
	}
	return result;
}

Node *
ev_guard_operand(Relation relation, const EvGuardArguments *arguments, EvRowPart operand)
{
	if (arguments->reads != NULL)
		return ev_guard_reads_operand(relation, arguments->reads, operand);
	return ev_guard_expression_pinned(relation, operand, arguments->expressions[operand]);
}

/*
 * event_guard_reads(event record) returns boolean
 *
 * Only called by users.
 */
Datum
ev_event_guard_reads(PG_FUNCTION_ARGS pg_attribute_unused())
{
	PG_RETURN_BOOL(true);
}

bool
ev_has_guard(Relation relation, Oid function)
{
	const TriggerDesc *triggers = relation->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (triggers->triggers[i].tgfoid == function)
			return true;
	return false;
}

Oid
ev_guard_function(void)
{
	Oid			function = ev_extension_function(GUARD_FUNCTION, 0, NULL);

	if (!OidIsValid(function))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function \"%s\" does not exist", GUARD_FUNCTION)));
	return function;
}
