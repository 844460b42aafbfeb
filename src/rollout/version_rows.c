/*
 * version_rows.c
 *	  Finds the rows that have a type and version.
 *
 * For each call in a constraint, this looks for rows with its type and
 * version, in the cheapest of three ways:
 *
 * - If the call is the constraint, or a term of its AND, it and its arguments are
 *   evaluated for each row: so they can be compared directly, and an index can be
 *   used.
 * - Elsewhere ("archived OR check_event(...)"), the arguments can raise errors for
 *   rows to which the call does not apply.  Such a row has no type and version.
 *   So if one query raises an error, smaller ones find the rows that cause it.
 * - If the type is not read from the row ("kind <> 'order' OR check_event(data,
 *   'order', 1)"), or if a function that calls check_event does not take it as an
 *   argument, only the constraint decides for which rows check_event is called.
 *   So the constraint is evaluated for each row, and the arguments of check_event
 *   are recorded: the dropped versions are not registered any more, so
 *   validation reports them as missing.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "storage/itemptr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/row_fault.h"
#include "base/subtransaction.h"
#include "guard/guard_definition.h"
#include "registry/call_site_cache.h"
#include "rollout/rule_sites.h"
#include "rollout/site_authors.h"
#include "rollout/site_calls.h"
#include "rollout/version_rows.h"

/* Number of rows that are tried together if some raise errors. */
#define BATCH	1024

/* ---------- conditions ---------- */

/* Makes: expression = ANY ($parameter) */
static Node *
is_any_of(Node *expression, Oid operator, Oid array_type, int parameter)
{
	ScalarArrayOpExpr *any = makeNode(ScalarArrayOpExpr);
	Param	   *array = makeNode(Param);
	Oid			collation = exprCollation(expression);

	/*
	 * Types are equal if their bytes are.  Apart from that, the collation
	 * stays unchanged, so that an index on the column can be used.
	 */
	if (operator == TextEqualOperator &&
		(!OidIsValid(collation) || !get_collation_isdeterministic(collation)))
	{
		CollateExpr *collate = makeNode(CollateExpr);

		collate->arg = (Expr *) expression;
		collate->collOid = C_COLLATION_OID;
		collate->location = -1;
		expression = (Node *) collate;
		collation = C_COLLATION_OID;
	}

	array->paramkind = PARAM_EXTERN;
	array->paramid = parameter;
	array->paramtype = array_type;
	array->paramtypmod = -1;
	array->paramcollid = get_typcollation(array_type);
	array->location = -1;

	any->opno = operator;
	any->opfuncid = get_opcode(operator);
	any->useOr = true;
	any->inputcollid = collation;
	any->args = list_make2(expression, array);
	any->location = -1;
	return (Node *) any;
}

/* Makes a text type comparable as text. */
static Node *
is_any_type(Node *type)
{
	if (exprType(type) != TEXTOID)
		type = (Node *) makeRelabelType((Expr *) type, TEXTOID, -1, exprCollation(type), COERCE_IMPLICIT_CAST);
	return is_any_of(copyObject(type), TextEqualOperator, TEXTARRAYOID, 1);
}

static Node *
is_any_version(Node *version)
{
	Oid			type = getBaseType(exprType(version));
	Oid			equal = get_opfamily_member(INTEGER_BTREE_FAM_OID, type, INT4OID, BTEqualStrategyNumber);

	if (exprType(version) != type)
		version = (Node *) makeRelabelType((Expr *) version, type, -1, InvalidOid, COERCE_IMPLICIT_CAST);
	return is_any_of(copyObject(version), equal, INT4ARRAYOID, 2);
}

static char *
carries(Node *type, Node *version, EvStoredQuery *query)
{
	return ev_stored_place(query, (Node *) make_andclause(list_make2(is_any_type(type), is_any_version(version))));
}

char *
ev_soft_version(Node *version, EvStoredQuery *query)
{
	Node	   *text = version;
	char	   *source;

	while (IsA(text, FuncExpr) && (castNode(FuncExpr, text)->funcid == F_INT4_INT8 ||
								   castNode(FuncExpr, text)->funcid == F_INT4_INT2))
		text = linitial(castNode(FuncExpr, text)->args);
	if (!IsA(text, CoerceViaIO) ||
		!(castNode(CoerceViaIO, text)->resulttype == INT4OID || castNode(CoerceViaIO, text)->resulttype == INT2OID ||
		  castNode(CoerceViaIO, text)->resulttype == INT8OID) ||
		getBaseType(exprType((Node *) castNode(CoerceViaIO, text)->arg)) != TEXTOID)
		return psprintf("(%s)::pg_catalog.int8", ev_stored_place(query, version));
	source = ev_stored_place(query, (Node *) castNode(CoerceViaIO, text)->arg);
	return psprintf("CASE WHEN (%s)::pg_catalog.text ~ '^[[:space:]]*[+-]?[0-9]{1,18}[[:space:]]*$'"
					" THEN ((%s)::pg_catalog.text)::pg_catalog.int8 END", source, source);
}

/* The same, with the version evaluated only for rows with the type. */
static char *
carries_softly(Node *type, Node *version, EvStoredQuery *query)
{
	return psprintf("CASE WHEN %s THEN (%s) = ANY ($2) END",
					ev_stored_place(query, is_any_type(type)),
					ev_soft_version(version, query));
}

/* ---------- running them ---------- */

/* types, versions, and the places of rows in batches */
static const Oid parameter_types[] = {TEXTARRAYOID, INT4ARRAYOID, TIDARRAYOID};

/*
 * Searches the rows of a site that satisfy a condition, or for which
 * check_event is called.
 */
typedef struct RowSearch
{
	const EvSite *site;
	const EvSearch *search;
	const char *condition;		/* NULL: evaluate `expression`, and record
								 * calls of check_event */
	const char *expression;
	EvVersion  *found;
	EvStoredQuery query;		/* what is in both */

	/* in batches */
	SPIPlanPtr	plan;
	ItemPointerData rows[BATCH];
	int			first;
	int			count;
} RowSearch;

static Datum
version_types(List *versions)
{
	int			count = list_length(versions);
	Datum	   *types = palloc(count * sizeof(Datum));

	for (int i = 0; i < count; i++)
		types[i] = CStringGetTextDatum(((EvVersion *) list_nth(versions, i))->type);
	return PointerGetDatum(construct_array(types, count, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
version_numbers(List *versions)
{
	int			count = list_length(versions);
	Datum	   *numbers = palloc(count * sizeof(Datum));

	for (int i = 0; i < count; i++)
		numbers[i] = Int32GetDatum(((EvVersion *) list_nth(versions, i))->version);
	return PointerGetDatum(construct_array(numbers, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

static Datum
row_places(const RowSearch *rows)
{
	Datum		places[BATCH];

	for (int i = 0; i < rows->count; i++)
		places[i] = PointerGetDatum(&rows->rows[rows->first + i]);
	return PointerGetDatum(construct_array(places, rows->count, TIDOID, sizeof(ItemPointerData),
										   false, TYPALIGN_SHORT));
}

/*
 * Prepares the query; if in_batches, for some rows of the table.  Other rows
 * raise no errors, whatever the plan is.  An expression stands in FILTER, since
 * PostgreSQL 19 does not evaluate count(expression) if it can never be null.
 */
static SPIPlanPtr
prepare(RowSearch *rows, bool in_batches)
{
	static const char *const among = "t.ctid = ANY ($3)";
	const char *from = ev_site_from(rows->site, in_batches ? among : NULL);
	const char *those = OidIsValid(rows->site->domain) ?
		"WHERE value IS DISTINCT FROM NULL AND _event_validate.count_progress() AND" :
		"AND _event_validate.count_progress() AND";
	const char *asked = rows->condition != NULL ? rows->condition : rows->expression;
	char	   *query;

	if (in_batches && !OidIsValid(rows->site->domain))
		asked = psprintf("CASE WHEN %s THEN (%s) END", among, asked);
	if (rows->condition != NULL)
		query = psprintf("SELECT 1 FROM %s %s (%s) LIMIT 1", from, those, asked);
	else
		query = psprintf("SELECT pg_catalog.count(*) FILTER (WHERE %s) FROM %s %s true", asked, from, those);
	return ev_stored_prepare(query, &rows->query);
}

static bool
run(const RowSearch *rows, List *versions, bool in_batches)
{
	Datum		parameters[] = {version_types(versions), version_numbers(versions),
	in_batches ? row_places(rows) : (Datum) 0};

	ev_stored_select(rows->plan, &rows->query, parameters, in_batches ? NULL : "  n", 1);
	return rows->condition != NULL && SPI_processed > 0;
}

/* Finds which of several versions a row has. */
static void
find_which(RowSearch *rows, bool in_batches)
{
	ListCell   *cell;

	if (!run(rows, rows->search->versions, in_batches))
		return;
	foreach(cell, rows->search->versions)
	{
		rows->found = (EvVersion *) lfirst(cell);
		if (list_length(rows->search->versions) == 1 || run(rows, list_make1(rows->found), in_batches))
			return;
	}
}

static void
run_whole(void *arg)
{
	RowSearch  *rows = (RowSearch *) arg;

	rows->plan = prepare(rows, false);
	find_which(rows, false);
}

static void
run_batch(void *arg)
{
	find_which((RowSearch *) arg, true);
}

/* ---------- arguments of check_event ---------- */

static RowSearch *observing;

/* An EvMissed that records the version. */
static void
note_missing(const char *type, int type_length, int32 version)
{
	ListCell   *cell;

	if (observing == NULL)
		return;
	foreach(cell, observing->search->versions)
	{
		EvVersion  *wanted = (EvVersion *) lfirst(cell);

		if (wanted->version == version && (int) strlen(wanted->type) == type_length &&
			memcmp(wanted->type, type, type_length) == 0)
			observing->found = wanted;
	}
}

/* Calls ev_in_subtransaction, and records the calls of check_event. */
static ErrorData *
observe(void (*work) (void *arg), RowSearch *rows)
{
	RowSearch  *outer = observing;
	EvMissed	outer_hook = ev_missed;
	ErrorData  *error;

	observing = rows->condition == NULL ? rows : NULL;
	ev_missed = note_missing;
	error = ev_in_subtransaction(work, rows, EV_LET_GO);
	observing = outer;
	ev_missed = outer_hook;
	return error;
}

/* ---------- rows that raise ---------- */

/*
 * Does the error mean that the row has no type and version?  If it is an error
 * of validation, check_event was called, and no version that matters was
 * missing.
 */
static bool
is_of_row(const RowSearch *rows, const ErrorData *error)
{
	if (ev_is_row_fault(error->sqlerrcode, EV_WORK_READ))
		return true;
	return rows->condition == NULL &&
		(error->sqlerrcode == ERRCODE_CHECK_VIOLATION || error->sqlerrcode == ERRCODE_UNDEFINED_OBJECT);
}

/*
 * Tries rows->rows[first .. first + count - 1], without those that raise
 * errors.
 */
static void
try_rows(RowSearch *rows, int first, int count)
{
	ErrorData  *error;

	CHECK_FOR_INTERRUPTS();
	rows->first = first;
	rows->count = count;
	error = observe(run_batch, rows);
	if (error == NULL || rows->found != NULL)
		return;
	if (!is_of_row(rows, error))
		ReThrowError(error);
	FreeErrorData(error);
	if (count == 1)
		return;
	try_rows(rows, first, count / 2);
	if (rows->found == NULL)
		try_rows(rows, first + count / 2, count - count / 2);
}

/*
 * Reads the locations of the next rows of a scan, at most a batch.  Returns
 * their number.
 */
static int
next_rows(TableScanDesc scan, TupleTableSlot *slot, ItemPointer rows)
{
	int			count = 0;

	while (count < BATCH && table_scan_getnextslot(scan, ForwardScanDirection, slot))
		rows[count++] = slot->tts_tid;
	ExecClearTuple(slot);
	return count;
}

/*
 * The rows' locations are read by a scan and not by a cursor, which users'
 * code between two batches could close or move.
 */
static void
search_in_batches(RowSearch *rows)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "event_validate rows",
												  ALLOCSET_DEFAULT_SIZES);
	Relation	relation = table_open(rows->site->relation, NoLock);
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	TableScanDesc scan = EV_TABLE_BEGINSCAN(relation, GetActiveSnapshot());
	int			count = BATCH;

	rows->plan = prepare(rows, true);
	/* a scan that has ended would start again */
	while (rows->found == NULL && count == BATCH)
	{
		MemoryContext caller;

		count = next_rows(scan, slot, rows->rows);
		caller = MemoryContextSwitchTo(context);
		if (count > 0)
			try_rows(rows, 0, count);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(relation, NoLock);
}

/* ---------- sites ---------- */

/* Does the guard read type and version by expressions that are stored parsed, or from plain columns? */
static bool
needs_no_parser(Relation relation, const EvGuardArguments *arguments)
{
	return arguments->reads != NULL ||
		(get_attnum(RelationGetRelid(relation), arguments->expressions[EV_ROW_TYPE]) != InvalidAttrNumber &&
		 get_attnum(RelationGetRelid(relation), arguments->expressions[EV_ROW_VERSION]) != InvalidAttrNumber);
}

bool
ev_guarded_operands(const EvSite *site, Node **type, Node **version)
{
	Relation	relation = table_open(site->relation, AccessShareLock);
	TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);
	bool		found = false;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		EvGuardArguments arguments;

		if (trigger->tgoid != site->trigger)
			continue;
		ev_guard_arguments(trigger, &arguments);
		/* parsing a text can run code */
		if (!needs_no_parser(relation, &arguments))
			ev_site_require_author(site);
		*type = ev_guard_operand(relation, &arguments, EV_ROW_TYPE);
		*version = ev_guard_operand(relation, &arguments, EV_ROW_VERSION);
		found = true;
	}
	table_close(relation, AccessShareLock);
	return found;
}

static void
search_rows(RowSearch *rows, bool may_raise)
{
	ErrorData  *error;

	if (!may_raise)
	{
		run_whole(rows);
		return;
	}
	error = observe(run_whole, rows);
	if (rows->found != NULL || error == NULL)
		return;
	if (!is_of_row(rows, error))
		ReThrowError(error);
	FreeErrorData(error);
	search_in_batches(rows);
}

static void
search_call(const EvSiteCall *call, Node *constraint, RowSearch *rows)
{
	bool		is_exact = call->is_term && !call->is_wrapper;

	rows->condition = rows->expression = NULL;
	rows->query.expressions = NIL;
	if (call->type == NULL || !(call->is_term || call->is_by_row))
		rows->expression = ev_stored_place(&rows->query, constraint);
	else if (is_exact ||
			 !(ev_guard_expression_may_raise(call->type) || ev_guard_expression_may_raise(call->version)))
		rows->condition = carries(call->type, call->version, &rows->query);
	else
		rows->condition = carries_softly(call->type, call->version, &rows->query);
	search_rows(rows, rows->condition == NULL || !is_exact);
}

static void
search_expressions(RowSearch *rows)
{
	const EvSite *site = rows->site;
	List	   *expressions = ev_site_expressions(site);
	ListCell   *expression;
	ListCell   *cell;

	ev_site_require_trusted(site, rows->search, expressions);
	foreach(expression, expressions)
		foreach(cell, ev_site_calls(site, lfirst(expression), rows->search))
	{
		search_call(lfirst(cell), lfirst(expression), rows);
		if (rows->found != NULL)
			return;
	}
}

EvVersion *
ev_version_in_rows(const EvSite *site, const EvSearch *search)
{
	RowSearch  *rows = palloc0(sizeof(RowSearch));
	Node	   *type;
	Node	   *version;

	rows->site = site;
	rows->search = search;
	rows->query.types = parameter_types;
	rows->query.count = lengthof(parameter_types);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (!OidIsValid(site->trigger))
		search_expressions(rows);
	else if (ev_guarded_operands(site, &type, &version))
	{
		ev_site_require_trusted(site, search, list_make2(type, version));
		rows->condition = carries(type, version, &rows->query);
		search_rows(rows, false);
	}
	SPI_finish();
	return rows->found;
}
