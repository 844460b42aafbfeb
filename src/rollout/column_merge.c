/*
 * column_merge.c
 *	  The trigger of merge_event_column: keeps two columns of a row in step
 *	  while one is being merged into the other.
 *
 * Writers of both columns continue to work.  A value that is written to one
 * column is copied to the other, in place of that column's default.  A
 * document that jsonb cannot hold without a loss is not copied: the column
 * stays NULL, and the merge ends with an error later, but no writer fails
 * because of it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "rollout/audit.h"
#include "rows/pure_expression.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_keep_event_columns);
PG_FUNCTION_INFO_V1(ev_event_column_fill_command);
PG_FUNCTION_INFO_V1(ev_expression_is_volatile);

/* A column of the new row, and whether the command sets it. */
typedef struct Column
{
	int			number;
	Oid			type;
	int32		typmod;
	Datum		value;
	bool		is_null;
	bool		is_set;
} Column;

static Column
read_column(const TriggerData *data, int argument)
{
	TupleDesc	descriptor = RelationGetDescr(data->tg_relation);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(data->tg_event);
	HeapTuple	row = is_update ? data->tg_newtuple : data->tg_trigtuple;
	const char *name = data->tg_trigger->tgargs[argument];
	Column		column = {.number = SPI_fnumber(descriptor, name)};
	Datum		old;
	bool		old_is_null;

	if (column.number <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column \"%s\" any more, which trigger \"%s\" keeps in step with another",
						RelationGetRelationName(data->tg_relation), name, data->tg_trigger->tgname)));
	column.type = TupleDescAttr(descriptor, column.number - 1)->atttypid;
	column.typmod = TupleDescAttr(descriptor, column.number - 1)->atttypmod;
	if (column.type != JSONBOID &&
		(argument == 1 || (column.type != JSONOID && column.type != TEXTOID && column.type != VARCHAROID)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" has another type than when trigger \"%s\" was created",
						name, RelationGetRelationName(data->tg_relation), data->tg_trigger->tgname)));
	column.value = heap_getattr(row, column.number, descriptor, &column.is_null);
	column.is_set = !column.is_null;
	if (is_update)
	{
		old = heap_getattr(data->tg_trigtuple, column.number, descriptor, &old_is_null);
		column.is_set = old_is_null != column.is_null ||
			(!old_is_null && !datum_image_eq(old, column.value, false, -1));
	}
	return column;
}

/* Returns the document as jsonb; NULL if there is none, or something would be lost. */
static Jsonb *
as_jsonb(const Column *source)
{
	text	   *document;

	if (source->is_null)
		return NULL;
	if (source->type == JSONBOID)
		return DatumGetJsonbP(source->value);
	document = DatumGetTextPP(source->value);
	if (ev_json_loss(document) != NULL)
		return NULL;
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(document))));
}

/*
 * Is the column's value that of the default which this relation has for it?  A
 * default that is not the table's own must only compute.
 */
static bool
equals_default(Relation relation, AttrNumber number, const Column *column, bool is_own)
{
	Node	   *expression;
	EState	   *state;
	Datum		value;
	bool		is_null;
	bool		result;

	if (TupleDescAttr(RelationGetDescr(relation), number - 1)->atttypid != column->type)
		return false;
	expression = build_column_default(relation, number);
	if (expression == NULL || (!is_own && !ev_is_pure(expression, NIL)))
		return false;
	state = CreateExecutorState();
	value = ExecEvalExprSwitchContext(ExecPrepareExpr((Expr *) expression, state), GetPerTupleExprContext(state), &is_null);
	result = !is_null && datum_image_eq(value, column->value, false, -1);
	FreeExecutorState(state);
	return result;
}

/*
 * Has the column the value of its default?  Then the command need not have set
 * it.  An INSERT into a partitioned table takes the default of the table that it
 * names, which need not be that of the partition.  An INSERT into the partition does
 * not, so it runs no default of an owner without the rights of the partition's.
 */
static bool
has_default(const TriggerData *data, const Column *column)
{
	const char *name = SPI_fname(RelationGetDescr(data->tg_relation), column->number);
	bool		result = equals_default(data->tg_relation, column->number, column, true);
	List	   *ancestors;
	ListCell   *cell;

	if (result || !data->tg_relation->rd_rel->relispartition)
		return result;
	ancestors = get_partition_ancestors(RelationGetRelid(data->tg_relation));
	foreach(cell, ancestors)
	{
		Relation	ancestor = try_table_open(lfirst_oid(cell), AccessShareLock);
		AttrNumber	number = ancestor != NULL ? get_attnum(lfirst_oid(cell), name) : InvalidAttrNumber;

		result = number > 0 && equals_default(ancestor, number, column, has_privs_of_role(ancestor->rd_rel->relowner,
																						  data->tg_relation->rd_rel->relowner));
		if (ancestor != NULL)
			table_close(ancestor, NoLock);
		if (result)
			break;
	}
	return result;
}

static HeapTuple
set_column(const TriggerData *data, HeapTuple row, const Column *column, Datum value, bool is_null)
{
	int			number = column->number;

	if (is_null && column->is_null)
		return row;
	return heap_modify_tuple_by_cols(row, RelationGetDescr(data->tg_relation), 1, &number, &value, &is_null);
}

static HeapTuple
set_source(const TriggerData *data, HeapTuple row, const Column *source, const Column *target)
{
	Datum		value = target->value;

	if (!target->is_null && source->type != JSONBOID)
		value = PointerGetDatum(cstring_to_text(DatumGetCString(DirectFunctionCall1(jsonb_out, target->value))));
	if (!target->is_null && source->type == VARCHAROID)
		value = DirectFunctionCall3(varchar, value, Int32GetDatum(source->typmod), BoolGetDatum(false));
	return set_column(data, row, source, value, target->is_null);
}

/*
 * keep_event_columns(from_column, to_column) → trigger
 *
 * BEFORE INSERT OR UPDATE, for each row.  Raises data_exception if a command
 * sets both columns to documents that differ.
 */
Datum
ev_keep_event_columns(PG_FUNCTION_ARGS)
{
	const TriggerData *data = (const TriggerData *) fcinfo->context;
	HeapTuple	row;
	Column		source;
	Column		target;
	Jsonb	   *document;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(data->tg_event) || !TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(data->tg_event) || data->tg_trigger->tgnargs != 2)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function is called only by the trigger of merge_event_column")));
	row = TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple;
	source = read_column(data, 0);
	target = read_column(data, 1);
	if (!source.is_set && !target.is_set && (source.is_null || !target.is_null))
		return PointerGetDatum(row);

	document = as_jsonb(&source);
	if (document != NULL && !target.is_null &&
		compareJsonbContainers(&document->root, &DatumGetJsonbP(target.value)->root) == 0)
		return PointerGetDatum(row);
	if (source.is_set && target.is_set && !source.is_null && !target.is_null &&
		TRIGGER_FIRED_BY_INSERT(data->tg_event))
	{
		source.is_set = !has_default(data, &source);
		target.is_set = !source.is_set || !has_default(data, &target);
	}
	if (source.is_set && target.is_set && !source.is_null && !target.is_null)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("columns \"%s\" and \"%s\" of table \"%s\" are set to different documents",
						data->tg_trigger->tgargs[0], data->tg_trigger->tgargs[1], RelationGetRelationName(data->tg_relation)),
				 errdetail("One is being merged into the other.")));
	if (target.is_set && (!source.is_set || source.is_null))
		return PointerGetDatum(set_source(data, row, &source, &target));
	return PointerGetDatum(set_column(data, row, &target, PointerGetDatum(document), document == NULL));
}

/*
 * event_column_fill_command(part regclass, from_column name, to_column name,
 * first_block bigint, end_block bigint) returns text
 *
 * Returns an UPDATE, for any search_path, of the rows in these blocks whose
 * document is only in the first column.  It changes nothing itself: the trigger
 * copies the document.  It leaves locked rows out.
 */
Datum
ev_event_column_fill_command(PG_FUNCTION_ARGS)
{
	const char *table = ev_table_name(PG_GETARG_OID(0));
	const char *source = quote_identifier(NameStr(*PG_GETARG_NAME(1)));
	const char *target = quote_identifier(NameStr(*PG_GETARG_NAME(2)));
	int64		first = PG_GETARG_INT64(3);
	int64		end = PG_GETARG_INT64(4);

	PG_RETURN_TEXT_P(cstring_to_text(psprintf("UPDATE ONLY %s AS t SET %s = t.%s WHERE t.ctid OPERATOR(pg_catalog.=) ANY"
											  " (ARRAY(SELECT s.ctid FROM ONLY %s AS s"
											  " WHERE s.ctid OPERATOR(pg_catalog.>=) '(" INT64_FORMAT ",0)'::pg_catalog.tid"
											  " AND s.ctid OPERATOR(pg_catalog.<) '(" INT64_FORMAT ",0)'::pg_catalog.tid"
											  " AND s.%s IS NULL AND s.%s IS NOT NULL FOR UPDATE SKIP LOCKED))",
											  table, target, target, table, first, end, target, source)));
}

/*
 * expression_is_volatile(expression pg_node_tree) returns boolean
 *
 * Does an expression of a catalog call a volatile function?  To compute it again
 * may give another value then.
 */
Datum
ev_expression_is_volatile(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(contain_volatile_functions(stringToNode(TextDatumGetCString(PG_GETARG_DATUM(0)))));
}
