/*
 * enforcement.c
 *	  Where events are checked, and which rows need a schema version.
 *
 * A schema version that rows carry must stay: without it they could neither be
 * updated nor restored from a dump.  check_event and validate_event find it by
 * its name in the row, which no dependency records, so we look at the rows.
 *
 * A row inserted by a transaction that is still open is not seen, and so each
 * table is first locked against writers: that waits for the open ones, and
 * keeps new ones out until the drop is committed.  (A table that is itself
 * created by an open transaction, or that gets its constraint from one,
 * escapes, as it does from DROP in general.)
 *
 * The tables belong to other users than who drops, and the expressions in
 * their constraints call what those users wrote.  So these run as the table's
 * owner in a security-restricted operation, as VACUUM does with the
 * expressions of an index.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/rls.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "enforcement.h"
#include "names.h"
#include "row_guard.h"

PG_FUNCTION_INFO_V1(ev_event_usage);

/* What is looked for. */
typedef struct Search
{
	List	   *versions;		/* of EvVersion *; NIL: all */
	Oid			functions[2];	/* check_event, validate_event */
	Oid			guard;			/* guard_event */
	List	   *enforcements;	/* found, of Enforcement * */
} Search;

/*
 * A constraint on a table, or on the domain of one of its columns; or a guard
 * on a table.
 */
typedef struct Enforcement
{
	Oid			relation;
	Oid			trigger;		/* the guard, or InvalidOid */
	Oid			constraint;
	Oid			domain;			/* InvalidOid: it is on the table itself */
	char	   *column;			/* that leads to the domain's value, ... */
	List	   *path;			/* ... through fields, by name (char *), and
								 * elements of arrays (NULL) */
} Enforcement;

/* ---------- calls in expressions ---------- */

static bool
is_call(const Node *node, const Search *search)
{
	Oid			function = IsA(node, FuncExpr) ? castNode(FuncExpr, node)->funcid : InvalidOid;

	return OidIsValid(function) &&
		(function == search->functions[0] || function == search->functions[1]);
}

/* An argument of a call by its position (from 0), named or not. */
static Node *
call_argument(const FuncExpr *call, int position)
{
	for (int i = 0; i < list_length(call->args); i++)
	{
		Node	   *argument = (Node *) list_nth(call->args, i);

		if (IsA(argument, NamedArgExpr))
		{
			NamedArgExpr *named = castNode(NamedArgExpr, argument);

			if (named->argnumber == position)
				return (Node *) named->arg;
		}
		else if (i == position)
			return argument;
	}
	elog(ERROR, "call of function %u has no argument %d", call->funcid, position);
}

/* The constant that a node is, through coercions that change nothing. */
static Const *
constant_of(Node *node)
{
	while (IsA(node, RelabelType))
		node = (Node *) castNode(RelabelType, node)->arg;
	return IsA(node, Const) ? castNode(Const, node) : NULL;
}

/* Could a call be for one of the versions, as far as its constants tell? */
static bool
may_apply(const FuncExpr *call, const Search *search)
{
	Const	   *type = constant_of(call_argument(call, 1));
	Const	   *version = constant_of(call_argument(call, 2));
	ListCell   *cell;

	if (search->versions == NIL)
		return true;
	foreach(cell, search->versions)
	{
		EvVersion  *wanted = (EvVersion *) lfirst(cell);

		if ((type == NULL ||
			 (!type->constisnull &&
			  strcmp(TextDatumGetCString(type->constvalue), wanted->type) == 0)) &&
			(version == NULL ||
			 (!version->constisnull &&
			  DatumGetInt32(version->constvalue) == wanted->version)))
			return true;
	}
	return false;
}

static bool
may_apply_walker(Node *node, void *search)
{
	if (node == NULL)
		return false;
	if (is_call(node, search) && may_apply(castNode(FuncExpr, node), search))
		return true;
	return expression_tree_walker(node, may_apply_walker, search);
}

static bool
has_call_walker(Node *node, void *search)
{
	if (node == NULL)
		return false;
	return is_call(node, search) ||
		expression_tree_walker(node, has_call_walker, search);
}

/* expression = ANY ($parameter) */
static Node *
is_any_of(Node *expression, Oid operator, Oid array_type, int parameter)
{
	ScalarArrayOpExpr *any = makeNode(ScalarArrayOpExpr);
	Param	   *array = makeNode(Param);
	Oid			collation = exprCollation(expression);

	/*
	 * Types are equal where their bytes are.  Otherwise the collation is left
	 * alone, so that an index on the column can be used.
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

/* The call is for one of the versions in the parameters. */
static Node *
carries(const FuncExpr *call)
{
	return (Node *)
		make_andclause(list_make2(is_any_of(copyObject(call_argument(call, 1)),
											TextEqualOperator, TEXTARRAYOID, 1),
								  is_any_of(copyObject(call_argument(call, 2)),
											Int4EqualOperator, INT4ARRAYOID, 2)));
}

static Node *
replace_calls_mutator(Node *node, void *search)
{
	if (node == NULL)
		return NULL;
	if (is_call(node, search))
		return (Node *) make_notclause((Expr *) carries(castNode(FuncExpr, node)));
	return expression_tree_mutator(node, replace_calls_mutator, search);
}

/* The same with every call false. */
static Node *
refuse_calls_mutator(Node *node, void *search)
{
	if (node == NULL)
		return NULL;
	if (is_call(node, search))
		return makeBoolConst(false, false);
	return expression_tree_mutator(node, refuse_calls_mutator, search);
}

/*
 * From a constraint's expression to the condition that a row carries one of
 * the versions.  Where a call is the constraint, or a term of its AND, that is
 * what its arguments say, and an index may serve.  Elsewhere ("kind <>
 * 'order' OR check_event(...)") it may not apply to every row: then the
 * question is whether the constraint would be false if calls for these
 * versions were, and all others were true.
 */
static Node *
needing_rows(Node *constraint, Search *search)
{
	List	   *terms = list_make1(constraint);
	List	   *conditions = NIL;
	ListCell   *cell;
	BooleanTest *test;

	if (is_andclause(constraint))
		terms = castNode(BoolExpr, constraint)->args;
	foreach(cell, terms)
	{
		Node	   *term = (Node *) lfirst(cell);

		if (is_call(term, search))
			conditions = lappend(conditions, carries(castNode(FuncExpr, term)));
		else if (has_call_walker(term, search))
		{
			test = makeNode(BooleanTest);
			test->arg = (Expr *) replace_calls_mutator(term, search);
			test->booltesttype = IS_FALSE;
			test->location = -1;
			conditions = lappend(conditions, test);
		}
	}
	return list_length(conditions) == 1 ? (Node *) linitial(conditions) :
		(Node *) make_orclause(conditions);
}

/* ---------- finding constraints and tables ---------- */

/*
 * Rows of pg_depend for what depends on an object.  The callback gets each.
 */
static void
for_each_dependent(Oid class, Oid object,
				   void (*callback) (Form_pg_depend dependent, void *context),
				   void *context)
{
	Relation	pg_depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(class));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(object));
	scan = systable_beginscan(pg_depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		callback((Form_pg_depend) GETSTRUCT(tuple), context);
	systable_endscan(scan);
	table_close(pg_depend, AccessShareLock);
}

/*
 * Has a relation rows of its own that a dump would hold and that constraints
 * are enforced on?  Or has it partitions (whose constraints are found by
 * themselves, but new ones must wait)?  Neither views nor foreign tables do,
 * and temporary tables of other sessions can't be read.
 */
static bool
holds_rows(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Form_pg_class form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_class) GETSTRUCT(tuple);
	result = (form->relkind == RELKIND_RELATION ||
			  form->relkind == RELKIND_PARTITIONED_TABLE) &&
		(form->relpersistence != RELPERSISTENCE_TEMP ||
		 isTempNamespace(form->relnamespace));
	ReleaseSysCache(tuple);
	return result;
}

/* The way from columns to values of a type. */
typedef struct TypeUse
{
	Search	   *search;
	Oid			constraint;
	Oid			domain;
	Oid			type;
	List	   *path;
} TypeUse;

static void add_columns(TypeUse *use);

/*
 * What depends on a type: columns, composite types by their attributes, arrays
 * and domains over it.  (Ranges over it are left out: who would order
 * documents?)
 */
static void
add_type_dependent(Form_pg_depend dependent, void *context)
{
	TypeUse		use = *(TypeUse *) context;

	if (dependent->classid == RelationRelationId && dependent->objsubid > 0)
	{
		char	   *column = get_attname(dependent->objid, dependent->objsubid, true);

		/* the type of a column, not what its default or the like uses */
		if (column == NULL ||
			get_atttype(dependent->objid, dependent->objsubid) != use.type)
			return;

		if (holds_rows(dependent->objid))
		{
			Enforcement *enforcement = palloc0(sizeof(Enforcement));

			enforcement->relation = dependent->objid;
			enforcement->constraint = use.constraint;
			enforcement->domain = use.domain;
			enforcement->column = column;
			enforcement->path = use.path;
			use.search->enforcements = lappend(use.search->enforcements, enforcement);
		}
		/* its rows may be values of a column elsewhere */
		use.type = get_rel_type_id(dependent->objid);
		if (!OidIsValid(use.type))
			return;
		use.path = lcons(column, list_copy(use.path));
		add_columns(&use);
	}
	else if (dependent->classid == TypeRelationId)
	{
		bool		is_array = get_element_type(dependent->objid) == use.type;

		if (!is_array && get_typtype(dependent->objid) != TYPTYPE_DOMAIN)
			return;
		use.type = dependent->objid;
		if (is_array)
			use.path = lcons(NULL, list_copy(use.path));
		add_columns(&use);
	}
}

static void
add_columns(TypeUse *use)
{
	check_stack_depth();
	for_each_dependent(TypeRelationId, use->type, add_type_dependent, use);
}

/* The expression of a CHECK constraint, and its row; NULL where it is none. */
static Node *
check_expression(Oid constraint, HeapTuple *tuple)
{
	Form_pg_constraint form;
	Datum		expression;
	bool		is_null;

	*tuple = SearchSysCacheCopy1(CONSTROID, ObjectIdGetDatum(constraint));
	if (!HeapTupleIsValid(*tuple))
		return NULL;
	form = (Form_pg_constraint) GETSTRUCT(*tuple);
	expression = SysCacheGetAttr(CONSTROID, *tuple, Anum_pg_constraint_conbin, &is_null);
	if (form->contype != CONSTRAINT_CHECK || is_null || !EV_CONSTRAINT_ENFORCED(form))
		return NULL;
	return stringToNode(TextDatumGetCString(expression));
}

static void
add_constraint(Form_pg_depend dependent, void *context)
{
	Search	   *search = (Search *) context;
	HeapTuple	tuple;
	Form_pg_constraint form;
	Node	   *expression;

	if (dependent->classid != ConstraintRelationId)
		return;
	expression = check_expression(dependent->objid, &tuple);
	if (expression == NULL || !may_apply_walker(expression, search))
		return;

	form = (Form_pg_constraint) GETSTRUCT(tuple);
	if (OidIsValid(form->contypid))
	{
		TypeUse		use = {
			.search = search,
			.constraint = form->oid,
			.domain = form->contypid,
			.type = form->contypid,
			.path = NIL
		};

		add_columns(&use);
	}
	else if (holds_rows(form->conrelid))
	{
		Enforcement *enforcement = palloc0(sizeof(Enforcement));

		enforcement->relation = form->conrelid;
		enforcement->constraint = form->oid;
		search->enforcements = lappend(search->enforcements, enforcement);
	}
}

/* A trigger that is a guard; its clones on partitions are found by themselves. */
static void
add_guard(Form_pg_depend dependent, void *context)
{
	Search	   *search = (Search *) context;
	Relation	pg_trigger;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (dependent->classid != TriggerRelationId)
		return;
	pg_trigger = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(dependent->objid));
	scan = systable_beginscan(pg_trigger, TriggerOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple) && holds_rows(((Form_pg_trigger) GETSTRUCT(tuple))->tgrelid))
	{
		Enforcement *enforcement = palloc0(sizeof(Enforcement));

		enforcement->relation = ((Form_pg_trigger) GETSTRUCT(tuple))->tgrelid;
		enforcement->trigger = dependent->objid;
		search->enforcements = lappend(search->enforcements, enforcement);
	}
	systable_endscan(scan);
	table_close(pg_trigger, AccessShareLock);
}

/*
 * Fills search->enforcements with what the catalogs say now: constraints on
 * tables and on domains, and guards.
 */
static void
find_enforcements(Search *search)
{
	search->enforcements = NIL;
	for (int i = 0; i < (int) lengthof(search->functions); i++)
		if (OidIsValid(search->functions[i]))
			for_each_dependent(ProcedureRelationId, search->functions[i],
							   add_constraint, search);
	if (OidIsValid(search->guard))
		for_each_dependent(ProcedureRelationId, search->guard, add_guard, search);
}

/*
 * Finds the enforced tables and locks them against writers.  While we wait
 * for a lock, others may come to be (a partition is attached under a lock on
 * its parent that ours conflicts with), so look again until there is no more
 * to lock.  In the order of their OIDs, so that two of us do not deadlock.
 */
static void
lock_enforced_tables(Search *search)
{
	List	   *locked = NIL;
	bool		waited;

	do
	{
		List	   *relations = NIL;
		ListCell   *cell;

		waited = false;
		find_enforcements(search);
		foreach(cell, search->enforcements)
			relations = list_append_unique_oid(relations,
											   ((Enforcement *) lfirst(cell))->relation);
		list_sort(relations, list_oid_cmp);
		foreach(cell, relations)
		{
			Oid			relation = lfirst_oid(cell);

			if (list_member_oid(locked, relation))
				continue;
			LockRelationOid(relation, ShareRowExclusiveLock);
			locked = lappend_oid(locked, relation);
			waited = true;
		}
	} while (waited);
}

/* ---------- looking for rows ---------- */

/*
 * The query for rows whose guard reads one of the versions from them; NULL
 * where the guard is gone.  The search_path must be pinned.
 */
static char *
guarded_row_query(const Enforcement *enforcement)
{
	Relation	relation = table_open(enforcement->relation, AccessShareLock);
	TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);
	char	   *query = NULL;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		EvGuardArguments arguments;
		Node	   *type;
		Node	   *version;
		Node	   *condition;
		Oid			equal;

		if (trigger->tgoid != enforcement->trigger)
			continue;
		ev_guard_arguments(trigger, &arguments);
		type = ev_guard_operand(relation, &arguments, EV_ROW_TYPE);
		version = ev_guard_operand(relation, &arguments, EV_ROW_VERSION);
		equal = get_opfamily_member(INTEGER_BTREE_FAM_OID, exprType(version), INT4OID,
									BTEqualStrategyNumber);
		condition = (Node *)
			make_andclause(list_make2(is_any_of(type, TextEqualOperator, TEXTARRAYOID, 1),
									  is_any_of(version, equal, INT4ARRAYOID, 2)));
		query = psprintf("SELECT 1 FROM ONLY %s AS t WHERE %s LIMIT 1",
						 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
													RelationGetRelationName(relation)),
						 deparse_expression(condition,
											deparse_context_for("t", enforcement->relation),
											false, true));
	}
	table_close(relation, AccessShareLock);
	return query;
}

/*
 * The values of a domain in a table, for FROM: in a column "value".  A
 * domain's own value is deparsed as the word VALUE, which is no reserved word:
 * it finds the column of that name.
 */
static char *
domain_values(const Enforcement *enforcement, const char *table)
{
	StringInfoData from;
	char	   *value = psprintf("t.%s", quote_identifier(enforcement->column));
	int			arrays = 0;
	ListCell   *cell;

	initStringInfo(&from);
	appendStringInfo(&from, "ONLY %s AS t", table);
	foreach(cell, enforcement->path)
	{
		const char *field = (const char *) lfirst(cell);

		if (field != NULL)
			value = psprintf("(%s).%s", value, quote_identifier(field));
		else
		{
			/* in a SELECT list, so that rows are not spread over columns */
			appendStringInfo(&from, ", LATERAL (SELECT pg_catalog.unnest(%s) AS v) AS u%d",
							 value, ++arrays);
			value = psprintf("u%d.v", arrays);
		}
	}
	return psprintf("(SELECT (%s)::%s AS value FROM %s) AS v", value,
					format_type_extended(getBaseType(enforcement->domain), -1,
										 FORMAT_TYPE_FORCE_QUALIFY),
					from.data);
}

/*
 * The query for rows that carry one of the versions.  The search_path must be
 * pinned: what it does not hold is written with its schema.
 */
static char *
row_query(const Enforcement *enforcement, Search *search)
{
	StringInfoData query;
	HeapTuple	constraint;
	Node	   *condition;
	char	   *table;

	if (OidIsValid(enforcement->trigger))
		return guarded_row_query(enforcement);
	condition = check_expression(enforcement->constraint, &constraint);
	if (condition == NULL)
		elog(ERROR, "cache lookup failed for constraint %u", enforcement->constraint);
	condition = needing_rows(condition, search);
	table = quote_qualified_identifier(get_namespace_name(get_rel_namespace(enforcement->relation)),
									   get_rel_name(enforcement->relation));

	initStringInfo(&query);
	if (!OidIsValid(enforcement->domain))
		appendStringInfo(&query, "SELECT 1 FROM ONLY %s AS t WHERE %s", table,
						 deparse_expression(condition,
											deparse_context_for("t", enforcement->relation),
											false, true));
	else
		appendStringInfo(&query, "SELECT 1 FROM %s WHERE value IS DISTINCT FROM NULL AND %s",
						 domain_values(enforcement, table),
						 deparse_expression(condition, NIL, false, true));
	appendStringInfoString(&query, " LIMIT 1");
	return query.data;
}

/* Is there a row that carries one of the versions?  All are committed ones. */
static bool
row_exists(SPIPlanPtr plan, List *versions)
{
	int			count = list_length(versions);
	Datum	   *types = palloc(count * sizeof(Datum));
	Datum	   *numbers = palloc(count * sizeof(Datum));
	Datum		parameters[2];
	int			result;

	for (int i = 0; i < count; i++)
	{
		EvVersion  *version = (EvVersion *) list_nth(versions, i);

		types[i] = CStringGetTextDatum(version->type);
		numbers[i] = Int32GetDatum(version->version);
	}
	parameters[0] = PointerGetDatum(construct_array(types, count, TEXTOID, -1, false, TYPALIGN_INT));
	parameters[1] = PointerGetDatum(construct_array(numbers, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));

	/* the transaction's own snapshot may be older than our locks */
	result = SPI_execute_snapshot(plan, parameters, NULL, GetLatestSnapshot(),
								  InvalidSnapshot, true, false, 1);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_snapshot returned %s", SPI_result_code_string(result));
	return SPI_processed > 0;
}

static void
add_context(void *relation)
{
	errcontext("while looking for rows of table \"%s\" that need the event schema",
			   (const char *) relation);
}

static void
check_table(const Enforcement *enforcement, Search *search)
{
	Oid			types[2] = {TEXTARRAYOID, INT4ARRAYOID};
	EvVersion  *used = NULL;
	char	   *table;
	char	   *constraint;
	ErrorContextCallback context;
	HeapTuple	relation;
	Oid			owner;
	Oid			user;
	int			security;
	int			guc_level;

	relation = SearchSysCache1(RELOID, ObjectIdGetDatum(enforcement->relation));
	if (!HeapTupleIsValid(relation))
		return;
	owner = ((Form_pg_class) GETSTRUCT(relation))->relowner;
	if (((Form_pg_class) GETSTRUCT(relation))->relkind == RELKIND_PARTITIONED_TABLE)
	{
		ReleaseSysCache(relation);
		return;
	}
	ReleaseSysCache(relation);
	table = psprintf("%s.%s",
					 get_namespace_name(get_rel_namespace(enforcement->relation)),
					 get_rel_name(enforcement->relation));

	context.callback = add_context;
	context.arg = table;
	context.previous = error_context_stack;
	error_context_stack = &context;

	/* row security would hide rows from an owner who is subject to it */
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_RESTRICTED_OPERATION |
						   SECURITY_NOFORCE_RLS);
	guc_level = NewGUCNestLevel();
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
					  PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	{
		char	   *query = row_query(enforcement, search);
		SPIPlanPtr	plan = query ? SPI_prepare(query, 2, types) : NULL;

		if (query != NULL && plan == NULL)
			elog(ERROR, "SPI_prepare returned %s", SPI_result_code_string(SPI_result));
		if (query != NULL && row_exists(plan, search->versions))
		{
			/* which one? */
			ListCell   *cell;

			foreach(cell, search->versions)
			{
				used = (EvVersion *) lfirst(cell);
				if (row_exists(plan, list_make1(used)))
					break;
			}
		}
		if (plan != NULL)
			SPI_freeplan(plan);
	}
	AtEOXact_GUC(false, guc_level);
	SetUserIdAndSecContext(user, security);
	error_context_stack = context.previous;

	if (used == NULL)
		return;
	if (OidIsValid(enforcement->trigger))
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop event schema \"%s@%d\" because rows of table \"%s\" carry that type and version",
						used->type, used->version, table),
				 errdetail("The table has an event guard."),
				 errhint("Delete these rows or bring them to another version first, or drop the guard with drop_event_guard.")));
	constraint = get_constraint_name(enforcement->constraint);
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot drop event schema \"%s@%d\" because rows of table \"%s\" carry that type and version",
					used->type, used->version, table),
			 OidIsValid(enforcement->domain) ?
			 errdetail("Constraint \"%s\" of domain %s checks them with it.",
					   constraint, format_type_be(enforcement->domain)) :
			 errdetail("Constraint \"%s\" of the table checks them with it.", constraint),
			 errhint("Delete these rows or bring them to another version first, or drop the constraint.")));
}

static Oid
extension_function(const char *name, const Oid *types, int count, Oid namespace)
{
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(types, count)),
						   ObjectIdGetDatum(namespace));
}

static void
init_search(Search *search, Oid extension_namespace)
{
	static const Oid types[] = {JSONBOID, TEXTOID, INT4OID, TEXTOID};

	search->functions[0] = extension_function("check_event", types, 4, extension_namespace);
	search->functions[1] = extension_function("validate_event", types, 3, extension_namespace);
	search->guard = extension_function("guard_event", NULL, 0, extension_namespace);
}

void
ev_enforcement_check_unused(List *versions, Oid extension_namespace)
{
	Search		search = {.versions = versions};
	ListCell   *cell;

	init_search(&search, extension_namespace);
	lock_enforced_tables(&search);
	foreach(cell, search.enforcements)
		check_table((Enforcement *) lfirst(cell), &search);
}

/* ---------- counting rows ---------- */

/* Where a table's rows have a type and a version. */
typedef struct Place
{
	Oid			relation;
	Node	   *type;			/* as they were found, without casts */
	Node	   *version;
	Node	   *condition;		/* of the rows that count, or NULL */
	Oid			domain;			/* the expressions are over its values */
	char	   *query;
} Place;

typedef struct Counter
{
	List	   *places;			/* of Place, of the table that is looked at */
	StringInfoData left_out;	/* tables that are not the user's to read */
	bool		incomplete;		/* others were left out */
	Oid			user;
} Counter;

/* Without casts that do not change which row says what. */
static Node *
without_casts(Node *node)
{
	for (;;)
	{
		if (IsA(node, RelabelType))
			node = (Node *) castNode(RelabelType, node)->arg;
		else if (IsA(node, CollateExpr))
			node = (Node *) castNode(CollateExpr, node)->arg;
		else if (IsA(node, FuncExpr) && (castNode(FuncExpr, node)->funcid == F_INT4_INT2 ||
										 castNode(FuncExpr, node)->funcid == F_INT4_INT8))
			node = (Node *) linitial(castNode(FuncExpr, node)->args);
		else
			return node;
	}
}

/*
 * Adds a place, unless it is known: a table often has a constraint and a guard
 * that look at the same columns.
 */
static void
add_place(Counter *counter, const Enforcement *enforcement, Node *type, Node *version, Node *condition)
{
	Place	   *place = palloc0(sizeof(Place));
	const char *table = quote_qualified_identifier(get_namespace_name(get_rel_namespace(enforcement->relation)),
												   get_rel_name(enforcement->relation));
	List	   *context = OidIsValid(enforcement->domain) ? NIL : deparse_context_for("t", enforcement->relation);
	const char *type_text = deparse_expression(type, context, false, true);
	const char *version_text = deparse_expression(version, context, false, true);
	Oid			collation = exprCollation(type);
	const char *collate = OidIsValid(collation) && get_collation_isdeterministic(collation) ? "" :
		" COLLATE pg_catalog.\"C\"";	/* types are equal where their bytes are */
		ListCell   *cell;

	place->relation = enforcement->relation;
	place->type = without_casts(type);
	place->version = without_casts(version);
	place->condition = condition;
	place->domain = enforcement->domain;
	if (OidIsValid(enforcement->domain))
		place->query = domain_values(enforcement, table);
	else
		place->query = psprintf("ONLY %s AS t", table);
	foreach(cell, counter->places)
	{
		Place	   *known = lfirst(cell);

		if (known->relation == place->relation && known->domain == place->domain &&
			equal(known->type, place->type) && equal(known->version, place->version) &&
			equal(known->condition, condition) &&
			strstr(known->query, place->query) != NULL)
			return;
	}

	/* an expression may raise for rows that it is not meant for */
	if (condition != NULL)
	{
		const char *text = deparse_expression(condition, context, false, true);

		type_text = psprintf("CASE WHEN %s THEN %s END", text, type_text);
		version_text = psprintf("CASE WHEN %s THEN %s END", text, version_text);
		place->query = psprintf("%s WHERE %s%s", place->query, text,
								OidIsValid(place->domain) ? " AND value IS DISTINCT FROM NULL" : "");
	}
	else if (OidIsValid(place->domain))
		place->query = psprintf("%s WHERE value IS DISTINCT FROM NULL", place->query);
	place->query = psprintf("SELECT type, version, pg_catalog.count(*)"
							" FROM (SELECT (%s)::pg_catalog.text%s AS type, (%s)::pg_catalog.int8 AS version FROM %s) AS e"
							" WHERE $1 OPERATOR(pg_catalog.=) type OR $1 IS NULL GROUP BY 1, 2",
							type_text, collate, version_text, place->query);
	counter->places = lappend(counter->places, place);
}

/* The calls in a term of a constraint. */
typedef struct Calls
{
	Search	   *search;
	List	   *calls;			/* of FuncExpr */
} Calls;

static bool
find_calls_walker(Node *node, void *context)
{
	Calls	   *found = (Calls *) context;

	if (node == NULL)
		return false;
	if (is_call(node, found->search))
		found->calls = lappend(found->calls, node);
	return expression_tree_walker(node, find_calls_walker, context);
}

static void
add_places_of_constraint(Counter *counter, const Enforcement *enforcement, Search *search)
{
	HeapTuple	constraint;
	Node	   *expression = check_expression(enforcement->constraint, &constraint);
	List	   *terms = list_make1(expression);
	ListCell   *cell;
	ListCell   *call;

	if (expression == NULL)
		return;
	if (is_andclause(expression))
		terms = castNode(BoolExpr, expression)->args;
	foreach(cell, terms)
	{
		Node	   *term = lfirst(cell);
		Calls		found = {search, NIL};
		Node	   *condition = NULL;

		find_calls_walker(term, &found);
		if (found.calls != NIL && !is_call(term, search))
		{
			/* the rows whose validity the constraint asks for */
			BooleanTest *test = makeNode(BooleanTest);

			test->arg = (Expr *) refuse_calls_mutator(term, search);
			test->booltesttype = IS_FALSE;
			test->location = -1;
			condition = (Node *) test;
		}
		foreach(call, found.calls)
			add_place(counter, enforcement, call_argument(lfirst(call), 1),
					  call_argument(lfirst(call), 2), condition);
	}
}

static void
add_place_of_guard(Counter *counter, const Enforcement *enforcement)
{
	Relation	relation = table_open(enforcement->relation, AccessShareLock);
	TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		EvGuardArguments arguments;

		if (trigger->tgoid != enforcement->trigger)
			continue;
		ev_guard_arguments(trigger, &arguments);
		add_place(counter, enforcement,
				  ev_guard_operand(relation, &arguments, EV_ROW_TYPE),
				  ev_guard_operand(relation, &arguments, EV_ROW_VERSION), NULL);
	}
	table_close(relation, AccessShareLock);
}

/* May the user see all rows of a table? */
static bool
may_read(Oid relation, Oid user)
{
	return pg_class_aclcheck(relation, user, ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relation, user, true) != RLS_ENABLED;
}

/* The table that a partition's rows are counted for: the top one. */
static Oid
top_table(Oid relation)
{
	List	   *ancestors = get_rel_relispartition(relation) ? get_partition_ancestors(relation) : NIL;

	return ancestors == NIL ? relation : llast_oid(ancestors);
}

static void
count_place(const Place *place, text *type, ReturnSetInfo *result)
{
	Oid			types[1] = {TEXTOID};
	Datum		parameters[1] = {PointerGetDatum(type)};

	if (SPI_execute_with_args(place->query, 1, types, parameters, type != NULL ? " " : "n", true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not count events");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {0};

		values[0] = ObjectIdGetDatum(top_table(place->relation));
		for (int column = 1; column <= 3; column++)
			values[column] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, column, &nulls[column]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Finds the places of one enforced table and counts their rows, as the table's
 * owner: its expressions call what that user wrote.
 */
static void
count_table(Counter *counter, Oid relation, Search *search, text *type, ReturnSetInfo *result)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	ListCell   *cell;
	Oid			owner;
	char		kind;
	Oid			user;
	int			security;
	int			guc_level;

	if (!HeapTupleIsValid(tuple))
		return;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	kind = ((Form_pg_class) GETSTRUCT(tuple))->relkind;
	ReleaseSysCache(tuple);
	if (kind == RELKIND_PARTITIONED_TABLE)
		return;					/* its partitions are counted */
	if (!may_read(relation, counter->user) && !may_read(top_table(relation), counter->user))
	{
		appendStringInfo(&counter->left_out, "%s%s", counter->left_out.len > 0 ? ", " : "",
						 quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
													get_rel_name(relation)));
		return;
	}

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_RESTRICTED_OPERATION |
						   SECURITY_NOFORCE_RLS);
	guc_level = NewGUCNestLevel();
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
					  PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);

	counter->places = NIL;
	foreach(cell, search->enforcements)
	{
		Enforcement *enforcement = lfirst(cell);

		if (enforcement->relation != relation)
			continue;
		if (OidIsValid(enforcement->trigger))
			add_place_of_guard(counter, enforcement);
		else
			add_places_of_constraint(counter, enforcement, search);
	}
	foreach(cell, counter->places)
		count_place(lfirst(cell), type, result);

	AtEOXact_GUC(false, guc_level);
	SetUserIdAndSecContext(user, security);
}

/* Is an error one that a table's own rows and expressions are to blame for? */
static bool
is_of_table(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return category != ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) &&
		category != ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) &&
		category != ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR) &&
		category != ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR);
}

/*
 * The same, but a table whose expressions raise is left out, and the others
 * are counted all the same.
 */
static void
try_count_table(Counter *counter, Oid relation, Search *search, text *type, ReturnSetInfo *result)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		count_table(counter, relation, search, type, result);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		if (!is_of_table(error))
			ReThrowError(error);
		counter->incomplete = true;
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("events of table \"%s\" are not counted: %s", get_rel_name(relation), error->message),
				 error->detail ? errdetail_internal("%s", error->detail) : 0,
				 errhint("Write its expressions so that they raise for no row, or repair these rows.")));
	}
	PG_END_TRY();
}

/*
 * event_usage(event_type text) → SETOF (relation regclass, event_type text,
 * schema_version bigint, events bigint)
 *
 * How many rows of each enforced table carry which type (all types, if it is
 * NULL) and version.  Rows of partitions count for the table that they are
 * partitions of.  Tables that the user may not read, or whose expressions
 * raise, are left out; a NOTICE or WARNING says so, and a row that is all NULL.
 */
Datum
ev_event_usage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	text	   *type = PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);
	Search		search = {.versions = NIL};
	Counter		counter = {.user = GetUserId()};
	List	   *relations = NIL;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	initStringInfo(&counter.left_out);
	init_search(&search, get_func_namespace(fcinfo->flinfo->fn_oid));
	find_enforcements(&search);
	foreach(cell, search.enforcements)
		relations = list_append_unique_oid(relations, ((Enforcement *) lfirst(cell))->relation);
	list_sort(relations, list_oid_cmp);
	foreach(cell, relations)
	{
		/* it may be gone by now */
		LockRelationOid(lfirst_oid(cell), AccessShareLock);
		try_count_table(&counter, lfirst_oid(cell), &search, type, result);
	}
	if (counter.left_out.len > 0)
		ereport(NOTICE,
				(errmsg("tables that you may not read are not counted: %s", counter.left_out.data)));
	if (counter.left_out.len > 0 || counter.incomplete)
	{
		Datum		values[4] = {0};
		bool		nulls[4] = {true, true, true, true};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}
