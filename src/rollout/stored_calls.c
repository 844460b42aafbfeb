/*
 * stored_calls.c
 *	  Did a command that was built as text store the calls that were meant?
 *
 * add_event_check and create_event_view build a command of expressions that their
 * caller gave.  The command is resolved once more where it runs.  Between the two,
 * the owner of a type can add a cast that is taken then.  So the stored expression is
 * looked at, and an error undoes the command if it calls anything else.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/dependency.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"

#include "base/table_members.h"
#include "registry/extension_objects.h"
#include "registry/function_row.h"
#include "rollout/event_checks.h"
#include "rollout/usage_sites.h"
#include "rows/event_calls.h"
#include "rows/functions_called.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_require_event_check_calls);
PG_FUNCTION_INFO_V1(ev_require_event_view_calls);

static void
refuse(const char *what, Oid other, const char *call)
{
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_FUNCTION),
			 errmsg("%s would call function %s, which its expressions do not call", what, format_procedure(other)),
			 errdetail("It, or an operator or cast that calls it, was added while the command ran, and fits better."),
			 errhint("Call %s again.", call)));
}

/* Returns the functions that the caller's expressions call. */
static List *
functions_meant(FunctionCallInfo fcinfo, Oid relation, int first_argument, bool is_version_tolerant)
{
	List	   *expressions = NIL;

	for (int i = 0; i < EV_ROW_PARTS; i++)
		expressions = lappend(expressions, ev_row_meant(relation, text_to_cstring(PG_GETARG_TEXT_PP(first_argument + i)),
														(EvRowPart) i, is_version_tolerant && i == EV_ROW_VERSION));
	return ev_functions_called((Node *) expressions);
}

/*
 * require_event_check_calls(relation regclass, constraint_name name, data_expr text,
 * type_expr text, version_expr text) returns void
 *
 * Raises ambiguous_function if the event check calls other functions than these
 * expressions; also in a partition or child, which has an expression of its own.
 * Raises object_in_use if the table has no constraint of this name: the command names
 * the table, and an event trigger of users can give the name to another one before.
 */
Datum
ev_require_event_check_calls(PG_FUNCTION_ARGS)
{
	Oid			table = PG_GETARG_OID(0);
	const char *name = NameStr(*PG_GETARG_NAME(1));
	List	   *meant = functions_meant(fcinfo, table, 2, false);
	EvEventFunctions functions;
	List	   *members;
	ListCell   *cell;

	ev_event_functions_find(&functions);
	for (int i = 0; i < (int) lengthof(functions.oids); i++)
		meant = lappend_oid(meant, functions.oids[i]);
	meant = lappend_oid(meant, F_TEXTEQ);	/* of the event types */
	if (!OidIsValid(get_relation_constraint_oid(table, name, true)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("table %s has not got constraint \"%s\"", ev_table_name(table), name),
				 errdetail("The table or the constraint was changed while the command ran."),
				 errhint("Look for an event trigger that renames, drops or shadows tables.")));
	members = ev_table_members(table);
	foreach(cell, members)
	{
		Node	   *stored = ev_check_expression(get_relation_constraint_oid(lfirst_oid(cell), name, true));
		Oid			other = stored != NULL ? ev_function_not_meant(stored, meant) : InvalidOid;

		if (OidIsValid(other))
			refuse(psprintf("constraint \"%s\" of table %s", name, ev_table_name(lfirst_oid(cell))), other, "add_event_check");
	}
	PG_RETURN_VOID();
}

/* The functions that create_event_view itself writes, with exact types. */
static bool
is_of_view(Oid function)
{
	static const Oid written[] = {
		F_TEXTEQ, F_INT4EQ, F_INT84LT, F_INT84GT, F_INT4_INT8, F_JSONB_OBJECT_FIELD_TEXT
	};

	for (int i = 0; i < (int) lengthof(written); i++)
		if (function == written[i])
			return true;
	return get_func_namespace(function) == ev_namespace_oid() ||
		getExtensionOfObject(ProcedureRelationId, function) == get_extension_oid(EV_EXTENSION, true);
}

/*
 * require_event_view_calls(view regclass, relation regclass, data_expr text, type_expr
 * text, version_expr text) returns void
 *
 * The same for a view of create_event_view.
 */
Datum
ev_require_event_view_calls(PG_FUNCTION_ARGS)
{
	Oid			view = PG_GETARG_OID(0);
	Relation	relation = ev_open_with_any_privilege(view);
	List	   *called = relation->rd_rel->relkind == RELKIND_VIEW ? ev_functions_called((Node *) get_view_query(relation)) : NIL;
	List	   *meant;
	ListCell   *cell;

	relation_close(relation, AccessShareLock);
	meant = functions_meant(fcinfo, PG_GETARG_OID(1), 2, true);
	foreach(cell, called)
		if (!list_member_oid(meant, lfirst_oid(cell)) && !is_of_view(lfirst_oid(cell)))
		refuse(psprintf("view %s", ev_table_name(view)), lfirst_oid(cell), "create_event_view");
	PG_RETURN_VOID();
}
