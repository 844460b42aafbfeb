/*
 * column_default.c
 *	  Carries over the default of a column that becomes jsonb, or that is merged into
 *	  another one.
 *
 * The default stays the expression that is stored.  Its text, parsed anew, could call
 * other functions, and run code of the owner of a type in it.  So ALTER TABLE gets the
 * expression already analyzed, as CREATE TABLE ... LIKE does.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_coerce.h"
#include "parser/parser.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "registry/utility_command.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_event_column_to_jsonb);
PG_FUNCTION_INFO_V1(ev_copy_event_default);
PG_FUNCTION_INFO_V1(ev_event_defaults_match);

/* ---------- reading ---------- */

/*
 * Returns the default that a column of an open relation has itself, or by its type,
 * in CurrentMemoryContext; NULL if there is none.
 */
static Node *
default_of(Relation relation, const char *column)
{
	AttrNumber	number = get_attnum(RelationGetRelid(relation), column);

	if (number <= 0 || !TupleDescAttr(RelationGetDescr(relation), number - 1)->atthasdef)
		return NULL;
	if (TupleDescAttr(RelationGetDescr(relation), number - 1)->attgenerated != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" of table %s is generated", column, ev_table_name(RelationGetRelid(relation))),
				 errhint("Make it an ordinary column first: ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION.")));
	return build_column_default(relation, number);
}

/* Locks the relation only while it reads. */
static Node *
stored_default(Oid table, const char *column)
{
	Relation	relation = ev_open_with_any_privilege(table);
	Node	   *result = default_of(relation, column);

	relation_close(relation, AccessShareLock);
	return result;
}

static Node *
as_jsonb(Node *expression)
{
	Node	   *result = coerce_to_target_type(NULL, expression, exprType(expression), JSONBOID, -1,
											   COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);

	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CANNOT_COERCE),
				 errmsg("a default of type %s cannot be cast to jsonb", format_type_be(exprType(expression)))));
	return result;
}

/* ---------- writing ---------- */

/* A part of ALTER TABLE; SQL has no text for it. */
static AlterTableCmd *
set_default(AttrNumber number, Node *expression)
{
	AlterTableCmd *result = makeNode(AlterTableCmd);

	result->subtype = AT_CookedColumnDefault;
	result->num = number;
	result->def = copyObject(expression);
	return result;
}

/* The same as text, for hooks and logs. */
static char *
set_default_text(const char *column, Node *expression)
{
	return psprintf("ALTER COLUMN %s SET DEFAULT %s", quote_identifier(column),
					deparse_expression(expression, NIL, false, false));
}

/* Does the column have the type jsonb and this default? False if an event trigger dropped the table. */
static bool
has_default(Oid table, const char *column, Node *expression)
{
	Relation	relation = try_table_open(table, NoLock);
	AttrNumber	number = get_attnum(table, column);
	bool		result;

	if (relation == NULL)
		return false;
	result = number > 0 && TupleDescAttr(RelationGetDescr(relation), number - 1)->atttypid == JSONBOID &&
		equal(default_of(relation, column), expression);

	table_close(relation, NoLock);
	return result;
}

static void
require_jsonb(Oid table, const char *column)
{
	AttrNumber	number = get_attnum(table, column);

	if (number <= 0 || get_atttype(table, number) != JSONBOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table %s is not of type jsonb", column, ev_table_name(table))));
}

/* An event trigger may have changed the column while the command ran. */
static void
require_default(Oid table, const char *name, const char *column, Node *expression)
{
	if (!has_default(table, column, expression))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("column \"%s\" of table %s was changed while it got its default", column, name),
				 errhint("Drop the default first, and set it again afterwards.")));
}

/* Sets the default of one relation's column. */
static void
give_default(Oid table, const char *column, Node *expression)
{
	AlterTableStmt *command = makeNode(AlterTableStmt);
	char	   *name = ev_table_name(table);

	require_jsonb(table, column);
	command->relation = makeRangeVar(get_namespace_name(get_rel_namespace(table)), get_rel_name(table), -1);
	command->relation->inh = false;
	command->objtype = OBJECT_TABLE;
	command->cmds = list_make1(set_default(get_attnum(table, column), expression));
	ev_run_command((Node *) command, psprintf("ALTER TABLE ONLY %s %s", name, set_default_text(column, expression)));
	require_default(table, name, column, expression);
}

/* Sets the defaults of partitions and children, as SET DEFAULT does. */
static void
give_defaults_below(Oid table, const char *column, Node *expression)
{
	List	   *members = find_all_inheritors(table, AccessExclusiveLock, NULL);
	ListCell   *cell;

	foreach(cell, members)
		if (lfirst_oid(cell) != table && !has_default(lfirst_oid(cell), column, expression))
		give_default(lfirst_oid(cell), column, expression);
}

/*
 * event_column_to_jsonb(relation regclass, column_name name) returns void
 *
 * ALTER COLUMN ... TYPE jsonb, with the default.  As for SET DEFAULT, partitions and
 * children get it too.
 */
Datum
ev_event_column_to_jsonb(PG_FUNCTION_ARGS)
{
	Oid			table = PG_GETARG_OID(0);
	const char *column = NameStr(*PG_GETARG_NAME(1));
	const char *quoted = quote_identifier(column);
	char	   *name = ev_table_name(table);
	Node	   *expression = stored_default(table, column);
	char	   *text = psprintf("ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT,"
								" ALTER COLUMN %s TYPE pg_catalog.jsonb USING %s::pg_catalog.jsonb",
								name, quoted, quoted, quoted);
	AlterTableStmt *command = castNode(AlterTableStmt, linitial_node(RawStmt, raw_parser(text, RAW_PARSE_DEFAULT))->stmt);

	if (expression != NULL)
	{
		expression = as_jsonb(expression);
		command->cmds = lappend(command->cmds, set_default(get_attnum(table, column), expression));
		text = psprintf("%s, %s", text, set_default_text(column, expression));
	}
	ev_run_command((Node *) command, text);
	if (expression != NULL)
	{
		require_default(table, name, column, expression);
		give_defaults_below(table, column, expression);
	}
	PG_RETURN_VOID();
}

/*
 * copy_event_default(relation regclass, from_column name, to_column name) returns
 * void
 *
 * Gives a column of type jsonb the default of another one, if that has any.
 */
Datum
ev_copy_event_default(PG_FUNCTION_ARGS)
{
	Oid			table = PG_GETARG_OID(0);
	const char *column = NameStr(*PG_GETARG_NAME(2));
	Node	   *expression = stored_default(table, NameStr(*PG_GETARG_NAME(1)));

	if (expression == NULL)
		PG_RETURN_VOID();
	expression = as_jsonb(expression);
	give_default(table, column, expression);
	give_defaults_below(table, column, expression);
	PG_RETURN_VOID();
}

/*
 * event_defaults_match(relation regclass, column_name name, other_relation regclass,
 * other_column name) returns boolean
 *
 * Do two columns have the same default, apart from a cast of the first to jsonb?  Also
 * true if neither has one.  Equal texts can mean different functions.
 */
Datum
ev_event_defaults_match(PG_FUNCTION_ARGS)
{
	Node	   *one = stored_default(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)));
	Node	   *other = stored_default(PG_GETARG_OID(2), NameStr(*PG_GETARG_NAME(3)));

	if (one != NULL && other != NULL && exprType(one) != JSONBOID && exprType(other) == JSONBOID)
		one = as_jsonb(one);
	PG_RETURN_BOOL(equal(one, other));
}
