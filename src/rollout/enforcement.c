/*
 * enforcement.c
 *	  The view event_enforcement: the tables that enforce event schemas, and
 *	  how.
 *
 * It shows data of the catalogs, which every role can read, so it checks no
 * privilege.  Each table is read in a subtransaction that is rolled back, so
 * that its lock is released when its row is complete, and an error is a
 * problem of this table only.  It does not wait for locked tables.
 *
 * Expressions and definitions are text for readers.  Nothing in the extension parses
 * it: it could mean other functions than what is stored.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteManip.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/run_as_owner.h"
#include "base/subtransaction.h"
#include "guard/guard_definition.h"
#include "guard/guard_family.h"
#include "rollout/site_calls.h"
#include "rollout/usage_sites.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_list_event_enforcement);

/* The columns of the result. */
enum
{
	RELATION, KIND, NAME, COLUMN_NAME, DATA_EXPR, TYPE_EXPR, VERSION_EXPR, MODE, MODE_UNTIL,
	VALIDATED, ENABLED, DEFINITION, PROBLEM, TYPES, COLUMNS
};

typedef struct ListedRow
{
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];
} ListedRow;

/* The work of a subtransaction. */
typedef struct Description
{
	const EvSearch *search;
	const EvSite *site;
	ListedRow	common;			/* of all rows of the site */
	List	   *rows;			/* of ListedRow *; NIL: an ancestor has the
								 * rows */
} Description;

static void
set(ListedRow *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

static void
set_text(ListedRow *row, int column, const char *value)
{
	if (value != NULL)
		set(row, column, CStringGetTextDatum(value));
}

static void
set_name(ListedRow *row, int column, const char *value)
{
	Name		name = palloc0(NAMEDATALEN);

	namestrcpy(name, value);
	set(row, column, NameGetDatum(name));
}

/* Adds a new row for the site. */
static ListedRow *
add_row(Description *description)
{
	ListedRow  *row = palloc(sizeof(ListedRow));

	*row = description->common;
	description->rows = lappend(description->rows, row);
	return row;
}

/* ---------- constraints ---------- */

/* Describes a call of TYPE@VERSION(data) by the function's name. */
static void
describe_schema_call(ListedRow *row, const FuncExpr *call)
{
	char	   *type;
	int32		version;

	if (!ev_is_schema_call((const Node *) call, &type, &version))
		return;
	set_text(row, TYPE_EXPR, psprintf("%s::text", quote_literal_cstr(type)));
	set_text(row, VERSION_EXPR, psprintf("%d", version));
}

static void
describe_calls(Description *description)
{
	const EvSite *site = description->site;
	Node	   *expression = ev_check_expression(site->constraint);
	List	   *context = OidIsValid(site->domain) ? NIL :
		deparse_context_for(get_rel_name(site->relation), site->relation);
	Const	   *types;
	ListCell   *cell;

	if (expression == NULL)
		return;
	if (ev_sole_call(expression, &description->search->functions, &types) != NULL && types != NULL)
		set(&description->common, TYPES, types->constvalue);
	foreach(cell, ev_site_calls(site, expression, description->search))
	{
		const EvSiteCall *call = lfirst(cell);
		bool		is_schema = call->call != NULL &&
			list_member_oid(description->search->schemas, call->call->funcid);
		ListedRow  *row = add_row(description);

		if (call->call != NULL && (!call->is_wrapper || is_schema))
			set_text(row, DATA_EXPR, deparse_expression(ev_call_argument(call->call, 0), context, false, false));
		if (is_schema)
			describe_schema_call(row, call->call);
		if (call->type == NULL)
			continue;
		set_text(row, TYPE_EXPR, deparse_expression(call->type, context, false, false));
		set_text(row, VERSION_EXPR, deparse_expression(call->version, context, false, false));
	}
}

static void
describe_constraint(Description *description)
{
	const EvSite *site = description->site;
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(site->constraint));
	Form_pg_constraint form;
	bool		is_inherited;

	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	is_inherited = OidIsValid(site->domain) ? ev_top_table(site->relation) != site->relation : !form->conislocal;
	set_text(&description->common, KIND, OidIsValid(site->domain) ? "domain" : "check");
	set_name(&description->common, NAME, NameStr(form->conname));
	set_text(&description->common, MODE, ev_guard_mode_name(EV_GUARD_ENFORCE));
	set(&description->common, VALIDATED, BoolGetDatum(form->convalidated));
	set(&description->common, ENABLED, BoolGetDatum(true));
	if (site->column != NULL)
		set_name(&description->common, COLUMN_NAME, site->column);
	ReleaseSysCache(tuple);
	if (is_inherited)
		return;
	set(&description->common, DEFINITION,
		OidFunctionCall1(F_PG_GET_CONSTRAINTDEF_OID, ObjectIdGetDatum(site->constraint)));
	describe_calls(description);
}

/* ---------- guards ---------- */

static void
describe_operands(ListedRow *row, Relation relation, const EvGuardArguments *arguments)
{
	List	   *context = deparse_context_for(RelationGetRelationName(relation), RelationGetRelid(relation));

	for (int part = 0; part < EV_ROW_PARTS; part++)
	{
		Node	   *operand;

		if (arguments->reads == NULL)
		{
			/* not parsed: that could run code of other roles */
			set_text(row, DATA_EXPR + part, arguments->expressions[part]);
			continue;
		}
		operand = copyObject(list_nth(linitial_node(RowExpr, arguments->reads->args)->args, part));
		ChangeVarNodes(operand, PRS2_NEW_VARNO, 1, 0);
		set_text(row, DATA_EXPR + part, deparse_expression(operand, context, false, false));
	}
}

static void
describe_trigger(Description *description, Relation relation, const Trigger *trigger)
{
	EvGuardArguments arguments;
	ListedRow  *row;

	set_text(&description->common, KIND, "guard");
	set_name(&description->common, NAME, trigger->tgname);
	set(&description->common, ENABLED, BoolGetDatum(trigger->tgenabled != TRIGGER_DISABLED));
	if (ev_guard_is_of_parent(trigger->tgoid))
		return;
	set(&description->common, DEFINITION,
		OidFunctionCall1(F_PG_GET_TRIGGERDEF_OID, ObjectIdGetDatum(trigger->tgoid)));
	ev_guard_arguments(trigger, &arguments);
	row = add_row(description);
	if (arguments.until <= GetCurrentTimestamp())
		arguments.mode = EV_GUARD_ENFORCE;
	else if (arguments.until != DT_NOEND)
		set(row, MODE_UNTIL, TimestampTzGetDatum(arguments.until));
	set_text(row, MODE, ev_guard_mode_name(arguments.mode));
	if (arguments.types != NULL)
		set(row, TYPES, OidInputFunctionCall(F_ARRAY_IN, pstrdup(arguments.types), TEXTOID, -1));
	describe_operands(row, relation, &arguments);
}

static void
describe_guard(Description *description)
{
	Relation	relation = table_open(description->site->relation, NoLock);
	TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (triggers->triggers[i].tgoid == description->site->trigger)
			describe_trigger(description, relation, &triggers->triggers[i]);
	table_close(relation, NoLock);
}

/* ---------- sites ---------- */

static void
describe(void *arg)
{
	Description *description = arg;
	const EvSite *site = description->site;

	if (!ConditionalLockRelationOid(site->relation, AccessShareLock))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("table \"%s\" is locked by another transaction", get_rel_name(site->relation))));
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(site->relation)))
		return;
	if (OidIsValid(site->trigger))
		describe_guard(description);
	else
		describe_constraint(description);
}

/*
 * Returns the name of a site's trigger, which is not locked; NULL if it was
 * dropped, or is a clone.
 */
static char *
trigger_name(Oid trigger)
{
	Relation	pg_trigger = table_open(TriggerRelationId, AccessShareLock);
	char	   *name = NULL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
	scan = systable_beginscan(pg_trigger, TriggerOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple) && !OidIsValid(((Form_pg_trigger) GETSTRUCT(tuple))->tgparentid))
		name = pstrdup(NameStr(((Form_pg_trigger) GETSTRUCT(tuple))->tgname));
	systable_endscan(scan);
	table_close(pg_trigger, AccessShareLock);
	return name;
}

/* Adds a row with the data that needs no lock on the table. */
static void
describe_problem(Description *description, const char *problem)
{
	const EvSite *site = description->site;
	char	   *name = OidIsValid(site->trigger) ? trigger_name(site->trigger) : get_constraint_name(site->constraint);
	ListedRow  *row;

	if (name == NULL || ev_top_table(site->relation) != site->relation ||
		(OidIsValid(site->trigger) && ev_guard_is_of_parent(site->trigger)))
		return;
	row = add_row(description);
	set_text(row, KIND, OidIsValid(site->trigger) ? "guard" : OidIsValid(site->domain) ? "domain" : "check");
	set_name(row, NAME, name);
	set_text(row, PROBLEM, problem);
}

static void
put_site(const EvSearch *search, const EvSite *site, ReturnSetInfo *result)
{
	Description description = {.search = search, .site = site};
	ListedRow	common;
	ErrorData  *error;
	ListCell   *cell;

	if (get_rel_name(site->relation) == NULL)
		return;					/* it was dropped in the meantime */
	memset(description.common.nulls, true, sizeof(description.common.nulls));
	set(&description.common, RELATION, ObjectIdGetDatum(site->relation));
	common = description.common;
	error = ev_in_subtransaction(describe, &description, EV_LET_GO);
	if (error != NULL)
	{
		if (ev_is_interrupt(error))
			ReThrowError(error);
		description.common = common;
		description.rows = NIL;
		describe_problem(&description, error->message);
	}
	foreach(cell, description.rows)
	{
		ListedRow  *row = lfirst(cell);

		tuplestore_putvalues(result->setResult, result->setDesc, row->values, row->nulls);
	}
}

/*
 * list_event_enforcement() returns SETOF record
 *
 * A row for each call of check_event, validate_event or a schema function in a
 * CHECK constraint of a table or of a domain of its columns, and for each
 * guard; not for policies and views.  Partitions are not listed, only their
 * partitioned tables, nor children that have the check or guard of their parent.
 * Expressions are written for an empty search_path.
 */
Datum
ev_list_event_enforcement(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			guc_level;
	EvSearch	search = {0};
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	guc_level = NewGUCNestLevel();
	ev_pin_search_path();
	ev_search_init(&search, GetUserId());
	ev_find_sites(&search);
	ev_find_schema_sites(&search);
	foreach(cell, search.sites)
	{
		CHECK_FOR_INTERRUPTS();
		put_site(&search, lfirst(cell), result);
	}
	AtEOXact_GUC(false, guc_level);
	return (Datum) 0;
}
