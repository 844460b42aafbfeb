/*
 * row_rights.c
 *	  Could the current user have inserted a row if it had been valid?
 *
 * A BEFORE trigger is called after PostgreSQL checked the privileges on the
 * named relation, but before it checks the policies of row security and the
 * CHECK OPTION of views.  A row that the trigger diverts, and that another
 * role inserts later, would escape these.  So they are checked here.
 *
 * PostgreSQL returns the policies that apply.  Their expressions are evaluated for
 * the row as they are stored; in a query if they contain subqueries.
 * PostgreSQL does not return the checks of views, so the privilege on the table is
 * required: a role that has it needs no view.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tupconvert.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "rewrite/rowsecurity.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "rows/row_rights.h"
#include "rows/stored_query.h"
#include "rows/table_rights.h"

/* ---------- privileges ---------- */

/*
 * Is there a view of one of the tables, or a rule that writes to it, through which the
 * current user may write with this privilege (INSERT or UPDATE) of its owner?  Any role can
 * have a view of any table: its owner must have the privilege.  If columns (a name[]) is not
 * NULL, only those count that have one of the columns, and the privilege on it.
 *
 * Through a view with security_invoker, the user has no privileges but its own.  It counts only
 * for INSERT without columns, since it can give values to other columns by defaults.
 */
static bool
writes_through_rules(List *tables, ArrayType *columns, const char *privilege)
{
	Oid			types[] = {OIDARRAYOID, NAMEARRAYOID, TEXTOID};
	Datum	   *elements = palloc(list_length(tables) * sizeof(Datum));
	Datum		values[lengthof(types)] = {0, PointerGetDatum(columns), CStringGetTextDatum(privilege)};
	bool		found;

	for (int i = 0; i < list_length(tables); i++)
		elements[i] = ObjectIdGetDatum(list_nth_oid(tables, i));
	values[0] = PointerGetDatum(construct_array(elements, list_length(tables), OIDOID, sizeof(Oid), true, TYPALIGN_INT));
	SPI_connect();
	/* a rule depends on its own table, too */
	if (SPI_execute_with_args("WITH RECURSIVE rules (member, is_given) AS ("
							  " SELECT t, true FROM pg_catalog.unnest($1) AS t"
							  " UNION SELECT r.ev_class, false FROM rules"
							  " JOIN pg_catalog.pg_depend AS d ON d.refobjid OPERATOR(pg_catalog.=) member"
							  " AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
							  " AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass"
							  " JOIN pg_catalog.pg_rewrite AS r ON r.oid OPERATOR(pg_catalog.=) d.objid"
							  " AND r.ev_class OPERATOR(pg_catalog.<>) member"
							  " JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) r.ev_class"
							  " CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_catalog.pg_options_to_table(c.reloptions)"
							  "  WHERE CASE WHEN option_name OPERATOR(pg_catalog.=) 'security_invoker' THEN option_value::pg_catalog.bool END)) AS o (is_invoker)"
							  " WHERE CASE WHEN is_invoker THEN $2 IS NULL AND $3 OPERATOR(pg_catalog.=) 'INSERT'"
							  "  WHEN is_given AND $2 IS NOT NULL THEN EXISTS (SELECT FROM pg_catalog.pg_attribute AS a"
							  "   WHERE a.attrelid OPERATOR(pg_catalog.=) member AND a.attnum OPERATOR(pg_catalog.=) d.refobjsubid"
							  "   AND a.attname OPERATOR(pg_catalog.=) ANY ($2)"
							  "   AND pg_catalog.has_column_privilege(c.relowner, member, a.attnum, $3))"
							  "  WHEN is_given THEN pg_catalog.has_table_privilege(c.relowner, member, $3)"
							  "   OR pg_catalog.has_any_column_privilege(c.relowner, member, $3)"
							  "  ELSE pg_catalog.has_table_privilege(c.relowner, member, 'INSERT, UPDATE, DELETE')"
							  "   OR pg_catalog.has_any_column_privilege(c.relowner, member, 'INSERT, UPDATE') END)"
							  " SELECT FROM rules WHERE NOT is_given"
							  " AND (pg_catalog.has_table_privilege(member, 'INSERT, UPDATE, DELETE')"
							  " OR pg_catalog.has_any_column_privilege(member, 'INSERT, UPDATE'))",
							  lengthof(types), types, values, columns != NULL ? "   " : " n ", true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the rules of table %u", linitial_oid(tables));
	found = SPI_processed > 0;
	SPI_finish();
	return found;
}

/*
 * The tables that a command may have named to insert a row into the relation: itself,
 * and those that it is a partition of.
 */
static List *
ways_into(Oid relation)
{
	return lcons_oid(relation, get_rel_relispartition(relation) ? get_partition_ancestors(relation) : NIL);
}

/* May the current user have inserted the row of the relation by naming the table? */
static bool
has_privilege(Oid table, Oid relation)
{
	if (pg_class_aclcheck(table, GetUserId(), ACL_INSERT) == ACLCHECK_OK)
		return true;

	/*
	 * With the privilege on some columns, the others have their defaults, if
	 * the table itself was named, and not a view of any table through which
	 * the row can come.
	 */
	return pg_attribute_aclcheck_all(table, GetUserId(), ACL_INSERT, ACLMASK_ANY) == ACLCHECK_OK &&
		!writes_through_rules(ways_into(relation), NULL, "INSERT");
}

static bool
may_update(Oid table)
{
	return pg_class_aclcheck(table, GetUserId(), ACL_UPDATE) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(table, GetUserId(), ACL_UPDATE, ACLMASK_ANY) == ACLCHECK_OK ||
		writes_through_rules(list_make1_oid(table), NULL, "UPDATE");
}

bool
ev_row_may_be_moved(Relation relation)
{
	ListCell   *cell;

	if (!relation->rd_rel->relispartition)
		return false;
	if (InNoForceRLSOperation())	/* a foreign key */
		return true;
	foreach(cell, get_partition_ancestors(RelationGetRelid(relation)))
		if (may_update(lfirst_oid(cell)))
		return true;
	return false;
}

static ArrayType *
name_array(List *names)
{
	Datum	   *elements = palloc(list_length(names) * sizeof(Datum));

	for (int i = 0; i < list_length(names); i++)
		elements[i] = DirectFunctionCall1(namein, CStringGetDatum((char *) list_nth(names, i)));
	return construct_array(elements, list_length(names), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR);
}

/* May the current user insert into one of the columns by naming the table? */
static bool
may_insert_column(Oid table, List *columns)
{
	ListCell   *cell;

	if (pg_class_aclcheck(table, GetUserId(), ACL_INSERT) == ACLCHECK_OK)
		return true;
	foreach(cell, columns)
	{
		AttrNumber	number = get_attnum(table, (char *) lfirst(cell));

		if (number != InvalidAttrNumber &&
			pg_attribute_aclcheck(table, number, GetUserId(), ACL_INSERT) == ACLCHECK_OK)
			return true;
	}
	return false;
}

bool
ev_row_may_be_given(Relation relation, List *columns)
{
	List	   *tables = ways_into(RelationGetRelid(relation));
	ListCell   *cell;

	foreach(cell, tables)
		if (may_insert_column(lfirst_oid(cell), columns))
		return true;
	return columns != NIL && writes_through_rules(tables, name_array(columns), "INSERT");
}

/* ---------- policies ---------- */

typedef struct LaterSearch
{
	TupleDesc	descriptor;
	int			level;			/* nesting depth of queries in the expression */
} LaterSearch;

static bool
has_generated_columns(TupleDesc descriptor)
{
	for (int i = 0; i < descriptor->natts; i++)
		if (TupleDescAttr(descriptor, i)->attgenerated != '\0')
			return true;
	return false;
}

/*
 * Does the expression need values that do not exist yet when a BEFORE trigger
 * is called?
 */
static bool
needs_later_walker(Node *node, void *context)
{
	LaterSearch *search = (LaterSearch *) context;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		const Var  *var = castNode(Var, node);

		if ((int) var->varlevelsup != search->level)
			return false;
		if (var->varattno == 0)
			return has_generated_columns(search->descriptor);
		return var->varattno < 0 ||
			TupleDescAttr(search->descriptor, var->varattno - 1)->attgenerated != '\0';
	}
	if (IsA(node, Query))
	{
		bool		result;

		search->level++;
		result = query_tree_walker(castNode(Query, node), needs_later_walker, context, 0);
		search->level--;
		return result;
	}
	return expression_tree_walker(node, needs_later_walker, context);
}

/*
 * Returns the expressions that a row of the relation must satisfy to be inserted,
 * or to be read, over its columns (Vars of varno 1).
 */
static List *
policies(Relation relation, bool is_read)
{
	char	   *command = psprintf(is_read ? "SELECT FROM %s" : "INSERT INTO %s DEFAULT VALUES",
								   ev_table_name(RelationGetRelid(relation)));
	Query	   *query = parse_analyze_fixedparams(linitial_node(RawStmt, raw_parser(command, RAW_PARSE_DEFAULT)),
												  command, NULL, 0, NULL);
	int			index = is_read ? 1 : query->resultRelation;
	List	   *security_quals;
	List	   *check_options;
	List	   *expressions = NIL;
	ListCell   *cell;
	bool		has_row_security;
	bool		has_sub_links;

	if (rt_fetch(index, query->rtable)->relid != RelationGetRelid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("the schema of table \"%s\" was renamed while the guard ran", RelationGetRelationName(relation))));
	get_row_security_policies(query, rt_fetch(index, query->rtable), index,
							  &security_quals, &check_options,
							  &has_row_security, &has_sub_links);
	if (is_read)
		expressions = security_quals;
	else
		foreach(cell, check_options)
			expressions = lappend(expressions, lfirst_node(WithCheckOption, cell)->qual);
	ChangeVarNodes((Node *) expressions, index, 1, 0);
	return expressions;
}

/* Does the row satisfy all expressions, which contain no subquery? */
static bool
satisfies(Relation relation, HeapTuple row, List *expressions)
{
	EState	   *state = CreateExecutorState();
	ExprContext *context = GetPerTupleExprContext(state);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsHeapTuple);
	bool		result;

	ExecStoreHeapTuple(row, slot, false);
	context->ecxt_scantuple = slot;
	result = ExecQual(ExecPrepareQual(expressions, state), context);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(state);
	return result;
}

/*
 * Returns a query of a row if its parameter, a row of the relation, satisfies all
 * expressions, and of none otherwise.  The expressions get into it as they are
 * stored: the policies of the tables in their subqueries apply.
 */
static Query *
query_of(Relation relation, List *expressions, const char *text)
{
	Oid			types[] = {relation->rd_rel->reltype};
	EvStoredQuery stored = {
		.count = lengthof(types), .types = types,
		.expressions = list_make1(make_ands_explicit(expressions))
	};
	Query	   *query = parse_analyze_withcb(linitial_node(RawStmt, raw_parser(text, RAW_PARSE_DEFAULT)),
											 text, ev_stored_setup, &stored, NULL);

	/* the parser has locked no table of a stored expression */
	AcquireRewriteLocks(query, true, false);
	return linitial_node(Query, pg_rewrite_query(query));
}

/*
 * The same for expressions with subqueries.  Functions in them see the sender's
 * search_path, as they do in an INSERT.
 */
static bool
satisfies_by_query(Relation relation, HeapTuple row, List *expressions)
{
	TupleDesc	descriptor = RelationGetDescr(relation);
	ParamListInfo parameters = makeParamList(1);
	static const char *const text = "SELECT FROM pg_catalog.unnest(ARRAY[$1]) AS t WHERE $2";
	Query	   *query = query_of(relation, expressions, text);
	QueryDesc  *execution;
	bool		result;

	/* with the values of columns that were added after the row */
	if (HeapTupleHeaderGetNatts(row->t_data) < descriptor->natts)
		row = heap_expand_tuple(row, descriptor);
	parameters->params[0] = (ParamExternData)
	{
		.value = heap_copy_tuple_as_datum(row, descriptor),
			.pflags = PARAM_FLAG_CONST,
			.ptype = relation->rd_rel->reltype
	};
	execution = CreateQueryDesc(EV_PLAN_QUERY(query, text, 0, parameters), text, GetActiveSnapshot(), InvalidSnapshot,
								None_Receiver, parameters, NULL, 0);
	ExecutorStart(execution, 0);
	EV_EXECUTOR_RUN(execution);
	result = execution->estate->es_processed > 0;
	ExecutorFinish(execution);
	ExecutorEnd(execution);
	FreeQueryDesc(execution);
	return result;
}

/*
 * Returns NULL if the policies allow the row to be inserted into the relation,
 * or to be read there; otherwise the reason.
 */
static char *
why_not_by_policies(Relation relation, HeapTuple row, bool is_read)
{
	LaterSearch search = {.descriptor = RelationGetDescr(relation)};
	const char *name = RelationGetRelationName(relation);
	List	   *expressions;
	bool		met;

	if (check_enable_rls(RelationGetRelid(relation), InvalidOid, true) != RLS_ENABLED)
		return NULL;
	expressions = policies(relation, is_read);
	if (needs_later_walker((Node *) expressions, &search))
		return psprintf("the policies of table \"%s\" need columns that are not computed yet when the guard runs", name);
	met = checkExprHasSubLink((Node *) expressions) ? satisfies_by_query(relation, row, expressions) : satisfies(relation, row, expressions);
	return met ? NULL : psprintf("the policies of table \"%s\" do not let role \"%s\" %s it",
								 name, GetUserNameFromId(GetUserId(), false), is_read ? "read" : "insert");
}

/* The same for the row of a partition as a row of its table. */
static char *
why_not_as_row_of(Oid table, Relation relation, HeapTuple row, bool is_read)
{
	Relation	parent = table_open(table, is_read ? AccessShareLock : RowExclusiveLock);
	char	   *reason = NULL;

	if (check_enable_rls(table, InvalidOid, true) == RLS_ENABLED)
	{
		TupleConversionMap *map = convert_tuples_by_name(RelationGetDescr(relation), RelationGetDescr(parent));

		reason = why_not_by_policies(parent, map ? execute_attr_map_tuple(row, map) : row, is_read);
	}
	table_close(parent, NoLock);
	return reason;
}

/* ---------- both ---------- */

char *
ev_row_why_not_insert(Relation relation, Oid table, HeapTuple row)
{
	char	   *reason = NULL;

	if (has_privilege(RelationGetRelid(relation), RelationGetRelid(relation)))
	{
		reason = why_not_by_policies(relation, row, false);
		if (reason == NULL)
			return NULL;
	}
	if (table == RelationGetRelid(relation) || !has_privilege(table, RelationGetRelid(relation)))
		return reason != NULL ? reason :
			psprintf("role \"%s\" may not insert into table \"%s\" itself",
					 GetUserNameFromId(GetUserId(), false), get_rel_name(table));
	return why_not_as_row_of(table, relation, row, false);
}

bool
ev_row_may_read(Relation relation, HeapTuple row)
{
	Oid			table = RelationGetRelid(relation);
	Oid			top = ev_top_table(table);

	if (pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK && why_not_by_policies(relation, row, true) == NULL)
		return true;
	return top != table && pg_class_aclcheck(top, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		why_not_as_row_of(top, relation, row, true) == NULL;
}
