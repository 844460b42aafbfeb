/*
 * event_checks.c
 *	  Expressions over the rows of a table, given as text, and the CHECK
 *	  constraints that are made of them.
 *
 * The functions for live tables (add_event_check and others) take columns and
 * expressions as text, and build commands from them in PL/pgSQL.  This file
 * parses the text, so that only a single expression can get into a command,
 * and reads the expressions back from constraints.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_node.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/shown_text.h"
#include "registry/extension_objects.h"
#include "registry/nearest_type.h"
#include "rollout/event_checks.h"
#include "rollout/usage_sites.h"
#include "rows/event_calls.h"
#include "rows/row_expression.h"
#include "rows/stored_query.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_event_row_expression);
PG_FUNCTION_INFO_V1(ev_event_row_equals);
PG_FUNCTION_INFO_V1(ev_event_row_other_types);
PG_FUNCTION_INFO_V1(ev_event_checks);
PG_FUNCTION_INFO_V1(ev_event_check_report);
PG_FUNCTION_INFO_V1(ev_event_check_types);

/* ---------- text to expression ---------- */

static Node *
cast_to(ParseState *pstate, Node *node, Oid type)
{
	Oid			from = exprType(node);
	Node	   *result;

	if (from == type)
		return node;
	result = coerce_to_target_type(pstate, node, from, type, -1, COERCION_EXPLICIT,
								   COERCE_EXPLICIT_CAST, -1);
	if (result == NULL)
		elog(ERROR, "cannot cast type %u to %u", from, type);
	return result;
}

/*
 * Is it text that needs no cast?  A cast function of a type that is not built
 * in can belong to any role, and would run as the role that reads the table.
 */
static bool
is_text(Oid type)
{
	Oid			function;

	switch (find_coercion_pathway(TEXTOID, type, COERCION_IMPLICIT, &function))
	{
		case COERCION_PATH_RELABELTYPE:
			return true;
		case COERCION_PATH_FUNC:
			return type < FirstNormalObjectId;
		default:
			return false;
	}
}

/* An EvRowCast; its argument says whether to be tolerant. */
static Node *
cast_to_part(ParseState *pstate, Node *node, const EvRowSource *source, void *arg)
{
	bool		tolerant = *(bool *) arg;
	Oid			type = exprType(node);
	Oid			base = getBaseType(type);

	switch (source->part)
	{
		case EV_ROW_DATA:
			if (type == UNKNOWNOID || base == JSONBOID)
				return cast_to(pstate, node, JSONBOID);
			if (base != JSONOID && !is_text(base))
				ev_row_refuse_type(source, type, NULL);
			return cast_to(pstate, node, tolerant ? TEXTOID : JSONBOID);
		case EV_ROW_TYPE:
			if (type_is_enum(base))
				return ev_row_enum_label(pstate, node, tolerant);
			if (type != UNKNOWNOID && !is_text(base))
				ev_row_refuse_type(source, type, NULL);
			return cast_to(pstate, node, TEXTOID);
		case EV_ROW_VERSION:
			if (type != UNKNOWNOID && base != INT2OID && base != INT4OID && base != INT8OID)
				ev_row_refuse_type(source, type,
								   is_text(base) ? "Add \"::int\" if it always contains digits." : NULL);
			return tolerant && base == INT8OID ? node : cast_to(pstate, node, INT4OID);
	}
	return node;
}

static Node *
analyzed(Relation relation, const char *text, EvRowPart part, bool tolerant)
{
	EvRowSource source = {relation, part, text};

	return ev_row_analyze(&source, EXPR_KIND_CHECK_CONSTRAINT, cast_to_part, &tolerant);
}

/* A version outside int4 is -1.  `source` is SQL of this type. */
static char *
within_int4(char *source, EvRowPart part, Oid type)
{
	if (part != EV_ROW_VERSION || type == INT4OID)
		return source;
	return psprintf("CASE WHEN (%s) OPERATOR(pg_catalog.<) 0 OR (%s) OPERATOR(pg_catalog.>) 2147483647"
					" THEN -1 ELSE (%s)::pg_catalog.int4 END", source, source, source);
}

/*
 * The caller wrote the text, and the result is parsed again in the same call: whatever
 * is added in between could as well have been added before.  A command that stores it
 * is checked afterwards (stored_calls.c).
 */
char *
ev_row_expression(Oid relation, const char *text, EvRowPart part, bool tolerant)
{
	Relation	rel = ev_open_with_any_privilege(relation);
	Node	   *node = analyzed(rel, text, part, tolerant);
	char	   *result = within_int4(deparse_expression(node, deparse_context_for(RelationGetRelationName(rel), relation), false, false),
									 part, exprType(node));

	/* a tolerant one is for a query: its types must not change before that */
	relation_close(rel, tolerant ? NoLock : AccessShareLock);
	return result;
}

Node *
ev_row_meant(Oid relation, const char *text, EvRowPart part, bool tolerant)
{
	Relation	rel = ev_open_with_any_privilege(relation);
	Node	   *node = analyzed(rel, text, part, tolerant);

	relation_close(rel, AccessShareLock);
	return node;
}

/*
 * event_row_expression(relation regclass, expression text, part text, tolerant
 * boolean) returns text
 *
 * See ev_row_expression.
 */
Datum
ev_event_row_expression(PG_FUNCTION_ARGS)
{
	char	   *part = text_to_cstring(PG_GETARG_TEXT_PP(2));

	for (int i = 0; i < EV_ROW_PARTS; i++)
		if (strcmp(part, ev_row_part_name((EvRowPart) i)) == 0)
			PG_RETURN_TEXT_P(cstring_to_text(ev_row_expression(PG_GETARG_OID(0),
															   text_to_cstring(PG_GETARG_TEXT_PP(1)),
															   (EvRowPart) i, PG_GETARG_BOOL(3))));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("an event has no part \"%s\"", ev_visible_cut(part, EV_SHOWN_ARGUMENT))));
}

/*
 * event_row_equals(expression text, value text) returns text
 *
 * Returns SQL that compares an expression with a constant, for any
 * search_path.
 */
Datum
ev_event_row_equals(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("(%s) OPERATOR(pg_catalog.=) %s",
											  text_to_cstring(PG_GETARG_TEXT_PP(0)),
											  quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(1))))));
}

/*
 * event_row_other_types(expression text, types text[]) returns text
 *
 * Returns SQL that is true unless the expression has one of these event types,
 * for any search_path; ev_sole_call() recognizes it.  Raises
 * invalid_parameter_value if there is no type, or if one is null.
 */
Datum
ev_event_row_other_types(PG_FUNCTION_ARGS)
{
	ArrayType  *types = PG_GETARG_ARRAYTYPE_P(1);

	if (ArrayGetNItems(ARR_NDIM(types), ARR_DIMS(types)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("types is empty"),
				 errdetail("The constraint would check no event."),
				 errhint("Leave types out, to check events of all types.")));
	if (array_contains_nulls(types))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an event type of a constraint must not be null")));
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("(((%s) COLLATE pg_catalog.\"C\") OPERATOR(pg_catalog.=) ANY (%s::pg_catalog.text[])) IS NOT TRUE",
											  text_to_cstring(PG_GETARG_TEXT_PP(0)),
											  quote_literal_cstr(OidOutputFunctionCall(F_ARRAY_OUT, PointerGetDatum(types))))));
}

/* ---------- constraints ---------- */

/* A json document with the cast that add_event_check adds. */
static Node *
with_cast(Node *node)
{
	CoerceViaIO *cast;

	if (getBaseType(exprType(node)) != JSONOID)
		return node;
	cast = makeNode(CoerceViaIO);
	cast->arg = (Expr *) node;
	cast->resulttype = JSONBOID;
	cast->coerceformat = COERCE_EXPLICIT_CAST;
	cast->location = -1;
	return (Node *) cast;
}

/*
 * Returns an argument of a call without the cast of an enum that add_event_check
 * adds: audit_events reads the label in a way that runs no cast.
 */
static Node *
without_enum_cast(Node *argument, EvRowPart part)
{
	Node	   *column;

	if (part != EV_ROW_TYPE || !IsA(argument, CoerceViaIO) || castNode(CoerceViaIO, argument)->resulttype != TEXTOID)
		return argument;
	column = (Node *) castNode(CoerceViaIO, argument)->arg;
	return type_is_enum(getBaseType(exprType(column))) ? column : argument;
}

/* To be shown, and to be compared with a call's own expressions: nothing parses it. */
static Datum
expression_text(Node *expression, List *context)
{
	return CStringGetTextDatum(deparse_expression(expression, context, false, false));
}

/*
 * event_checks(relation regclass) returns SETOF event_check
 *
 * Lists the CHECK constraints of a relation that call check_event or
 * validate_event; their arguments, with and without our casts, and event types,
 * if the constraint is only such a call (ev_sole_call()); and whether this transaction added or last
 * changed them.  Raises undefined_table if the relation does not exist.
 */
Datum
ev_event_checks(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			relation = PG_GETARG_OID(0);
	EvEventFunctions functions;
	List	   *context;
	Relation	pg_constraint;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	InitMaterializedSRF(fcinfo, 0);
	ev_require_any_privilege(relation);
	ev_event_functions_find(&functions);
	context = deparse_context_for(get_rel_name(relation), relation);
	pg_constraint = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_constraint_conrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relation));
	scan = systable_beginscan(pg_constraint, ConstraintRelidTypidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
		Datum		values[9] = {0};
		bool		nulls[9] = {0};
		Datum		arguments[3];
		bool		is_null;
		Datum		conbin = heap_getattr(tuple, Anum_pg_constraint_conbin,
										  RelationGetDescr(pg_constraint), &is_null);
		Node	   *expression;
		FuncExpr   *call;
		Const	   *types;

		if (form->contype != CONSTRAINT_CHECK || is_null || !EV_CONSTRAINT_ENFORCED(form))
			continue;
		expression = stringToNode(TextDatumGetCString(conbin));
		if (!ev_has_event_call(expression, &functions))
			continue;

		values[0] = NameGetDatum(&form->conname);
		values[1] = BoolGetDatum(form->convalidated);
		values[2] = BoolGetDatum(TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data)));
		call = ev_sole_call(expression, &functions, &types);
		if (call != NULL)
		{
			for (int i = 0; i < 3; i++)
			{
				Node	   *argument = ev_call_argument(call, i);

				values[3 + i] = expression_text(ev_without_event_cast(without_enum_cast(argument, (EvRowPart) i)), context);
				arguments[i] = expression_text(i == 0 ? with_cast(argument) : argument, context);
			}
			values[6] = PointerGetDatum(construct_array(arguments, 3, TEXTOID, -1, false, TYPALIGN_INT));
		}
		else
			nulls[3] = nulls[4] = nulls[5] = nulls[6] = true;
		values[7] = expression_text(expression, context);
		nulls[8] = call == NULL || types == NULL;
		if (!nulls[8])
			values[8] = types->constvalue;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	systable_endscan(scan);
	table_close(pg_constraint, AccessShareLock);
	return (Datum) 0;
}

/* ---------- the report about old rows ---------- */

/* Can an audit read an expression of this type without the cast that the constraint has? */
static bool
is_audited(EvRowPart part, Oid type)
{
	Oid			base = getBaseType(type);

	switch (part)
	{
		case EV_ROW_DATA:
			return base == JSONBOID || base == JSONOID || is_text(base);
		case EV_ROW_TYPE:
			return type_is_enum(base) || is_text(base);
		case EV_ROW_VERSION:
			return base == INT2OID || base == INT4OID || base == INT8OID;
	}
	return false;
}

/*
 * Returns what an audit reads in the place of an argument of a stored call: an
 * expression whose casts raise no error, as SQL for a stored query.
 */
static char *
audited(Relation relation, const FuncExpr *call, EvRowPart part, EvStoredQuery *query)
{
	EvRowSource source = {.relation = relation, .part = part};
	bool		tolerant = true;
	Node	   *argument = ev_call_argument(call, part);
	Node	   *bare = ev_without_event_cast(without_enum_cast(argument, part));
	Node	   *read = copyObject(is_audited(part, exprType(bare)) ? bare : argument);

	/* for messages */
	source.text = deparse_expression(read, deparse_context_for(RelationGetRelationName(relation), RelationGetRelid(relation)),
									 false, false);
	read = ev_row_cast(&source, read, cast_to_part, &tolerant);
	return within_int4(ev_stored_place(query, read), part, exprType(read));
}

/* Returns the query that audit_events would run for these expressions, in CurrentMemoryContext. */
static char *
audit_query(Oid table, char *const *expressions, int32 sample_limit)
{
	Oid			types[] = {REGCLASSOID, TEXTOID, TEXTOID, TEXTOID, INT4OID};
	Datum		values[] = {
		ObjectIdGetDatum(table), CStringGetTextDatum(expressions[EV_ROW_DATA]), CStringGetTextDatum(expressions[EV_ROW_TYPE]),
		CStringGetTextDatum(expressions[EV_ROW_VERSION]), Int32GetDatum(sample_limit)
	};

	if (SPI_execute_with_args("SELECT " EV_INTERNAL_NAMESPACE ".event_audit_report("
							  EV_INTERNAL_NAMESPACE ".event_audit_select($1, $2, $3, $4, $5, true))",
							  lengthof(types), types, values, NULL, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not make the query of an audit");
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

static void
put_report(ReturnSetInfo *result)
{
	int			columns = result->setDesc->natts;
	Datum	   *values = palloc(columns * sizeof(Datum));
	bool	   *nulls = palloc(columns * sizeof(bool));

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * event_check_report(relation regclass, constraint_name name, sample_limit int)
 * returns SETOF record
 *
 * The rows of audit_events for the arguments of an event check, which are evaluated as
 * they are stored: their text could mean other functions now.  No row if there is no
 * such check, or if it is more than a call.
 */
Datum
ev_event_check_report(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			table = PG_GETARG_OID(0);
	EvStoredQuery query = {.cursor_options = CURSOR_OPT_PARALLEL_OK};
	EvEventFunctions functions;
	char	   *expressions[EV_ROW_PARTS];
	Relation	relation;
	Node	   *constraint;
	FuncExpr   *call;
	Const	   *types;

	InitMaterializedSRF(fcinfo, 0);
	relation = ev_open_with_any_privilege(table);
	ev_event_functions_find(&functions);
	constraint = ev_check_expression(get_relation_constraint_oid(table, NameStr(*PG_GETARG_NAME(1)), true));
	call = constraint != NULL ? ev_sole_call(constraint, &functions, &types) : NULL;
	if (call != NULL)
	{
		SPI_connect();
		for (int i = 0; i < EV_ROW_PARTS; i++)
			expressions[i] = audited(relation, call, (EvRowPart) i, &query);
		ev_stored_select(ev_stored_prepare(audit_query(table, expressions, PG_GETARG_INT32(2)), &query), &query, NULL, NULL, 0);
		put_report(result);
		SPI_finish();
	}
	/* the types of its columns must not change before the end */
	relation_close(relation, NoLock);
	return (Datum) 0;
}

/*
 * warn_of_unregistered_types(types text[]) returns void
 */
Datum
ev_event_check_types(PG_FUNCTION_ARGS)
{
	ev_warn_of_unregistered_types(PG_GETARG_ARRAYTYPE_P(0));
	PG_RETURN_VOID();
}
