/*
 * event_usage.c
 *	  Counts rows by type and version.
 *
 * A table is read for a role that may read it, with its owner's rights.  No
 * error in one table stops the others, and locks are released after each
 * table.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "base/row_fault.h"
#include "base/table_members.h"
#include "guard/guard_expression.h"
#include "guard/guard_family.h"
#include "rollout/rule_sites.h"
#include "rollout/site_authors.h"
#include "rollout/site_calls.h"
#include "rollout/version_rows.h"
#include "rows/table_lock.h"
#include "rows/table_look.h"
#include "rows/table_rights.h"
#include "stats/progress.h"

PG_FUNCTION_INFO_V1(ev_event_usage);

/* The type and version of a table's rows. */
typedef struct EventColumns
{
	Oid			domain;			/* InvalidOid, or the domain over whose values
								 * the expressions are */
	const char *from;			/* of the query */
	Node	   *type;			/* without casts */
	Node	   *version;
	bool		is_term;		/* evaluated for each row */
} EventColumns;

/* A row of the result. */
typedef struct Count
{
	text	   *type;			/* NULL: it has none */
	int64		version;
	bool		no_version;
	int64		rows;
} Count;

/* A check or guard. */
typedef struct ObjectKey
{
	Oid			catalog;
	Oid			object;
} ObjectKey;

/* The topmost table that has it. */
typedef struct ObjectTable
{
	ObjectKey	key;
	Oid			table;
} ObjectTable;

typedef struct Counter
{
	EvSearch	search;
	text	   *type;			/* to be counted; NULL: all */
	Oid			relation;		/* the current one */
	bool		careful;		/* count only rows to which the constraints
								 * apply */
	List	   *columns;		/* of EventColumns */
	List	   *counts;			/* of Count, in the context */
	MemoryContext context;
	EvOwnerTimes times;
	bool		is_opaque;		/* has calls without a type or version */
	bool		is_partial;		/* has, or its owner has, too many sites */
	HTAB	   *tables;			/* of ObjectTable */
} Counter;

/* Removes casts that do not change the result. */
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
 * Are the columns known?  A table often has a constraint and a guard for the
 * same columns.
 */
static bool
is_known(const Counter *counter, const EventColumns *columns)
{
	ListCell   *cell;

	foreach(cell, counter->columns)
	{
		const EventColumns *known = lfirst(cell);

		if (known->domain == columns->domain && strcmp(known->from, columns->from) == 0 &&
			equal(known->type, columns->type) && equal(known->version, columns->version))
			return true;
	}
	return false;
}

/*
 * Returns a condition for the rows to which a constraint applies: it would be
 * false if they were not valid.
 */
static char *
asked_rows(Node *constraint, const EvSearch *search, EvStoredQuery *query)
{
	BooleanTest *test = makeNode(BooleanTest);

	test->arg = (Expr *) ev_refuse_calls(constraint, search);
	test->booltesttype = IS_FALSE;
	test->location = -1;
	return ev_stored_place(query, (Node *) test);
}

static void
add_count(Counter *counter, HeapTuple row, TupleDesc descriptor)
{
	MemoryContext caller;
	bool		no_type;
	bool		no_version;
	bool		no_rows;
	Datum		type = SPI_getbinval(row, descriptor, 1, &no_type);
	Datum		version = SPI_getbinval(row, descriptor, 2, &no_version);
	Datum		rows = SPI_getbinval(row, descriptor, 3, &no_rows);
	Count	   *count;

	caller = MemoryContextSwitchTo(counter->context);
	count = palloc0(sizeof(Count));
	count->type = no_type ? NULL : DatumGetTextPCopy(type);
	count->version = no_version ? 0 : DatumGetInt64(version);
	count->no_version = no_version;
	count->rows = DatumGetInt64(rows);
	counter->counts = lappend(counter->counts, count);
	MemoryContextSwitchTo(caller);
}

/*
 * Counts rows.  The expressions and the condition are SQL over these rows, with
 * parameters of the query.
 */
static void
count_rows(Counter *counter, const EventColumns *columns, EvStoredQuery *query,
		   const char *type, const char *version, const char *condition)
{
	Datum		parameters[] = {PointerGetDatum(counter->type)};
	Oid			collation = exprCollation(columns->type);
	const char *collate = OidIsValid(collation) && get_collation_isdeterministic(collation) ? "" :
		" COLLATE pg_catalog.\"C\"";	/* types are equal if their bytes are */
		char	   *command = psprintf("SELECT type, version, pg_catalog.count(*)"
									   " FROM (SELECT (%s)::pg_catalog.text%s AS type, (%s)::pg_catalog.int8 AS version FROM %s%s) AS e"
									   " WHERE ($1 = type OR $1 IS NULL)%s GROUP BY 1, 2",
									   type, collate, version, columns->from, condition,
									   columns->is_term ? "" : " AND type IS NOT NULL AND version IS NOT NULL");

	ev_stored_select(ev_stored_prepare(command, query), query, parameters, counter->type != NULL ? " " : "n", 0);
	for (uint64 i = 0; i < SPI_processed; i++)
		add_count(counter, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
	SPI_freetuptable(SPI_tuptable);
}

static void
count_place(Counter *counter, const EvSite *site, const EvSiteCall *call, Node *constraint)
{
	bool		is_term = call->is_term;
	Node	   *type = call->type;
	Node	   *version = call->version;
	static const Oid types[] = {TEXTOID};
	EvStoredQuery query = {.count = lengthof(types), .types = types};
	const char *condition = OidIsValid(site->domain) ?
		" WHERE value IS DISTINCT FROM NULL AND _event_validate.count_progress()" :
		" AND _event_validate.count_progress()";
	const char *type_text = ev_stored_place(&query, type);
	const char *version_text = is_term ? ev_stored_place(&query, version) :
		ev_soft_version(version, &query);
	EventColumns *columns = palloc0(sizeof(EventColumns));

	columns->domain = site->domain;
	columns->from = ev_site_from(site, NULL);
	columns->type = without_casts(type);
	columns->version = without_casts(version);
	columns->is_term = is_term;
	if (is_known(counter, columns))
		return;
	counter->columns = lappend(counter->columns, columns);
	/* an expression can raise errors for rows to which it does not apply */
	if (!is_term && (counter->careful || !call->is_by_row) && !checkExprHasSubLink(constraint))
	{
		const char *asked = asked_rows(constraint, &counter->search, &query);

		type_text = psprintf("CASE WHEN %s THEN %s END", asked, type_text);
		version_text = psprintf("CASE WHEN %s THEN %s END", asked, version_text);
	}
	count_rows(counter, columns, &query, type_text, version_text, condition);
}

static void
count_site(Counter *counter, const EvSite *site)
{
	EvSiteCall	guard = {.is_term = true, .is_by_row = true};
	List	   *expressions;
	ListCell   *expression;
	ListCell   *cell;

	if (OidIsValid(site->trigger))
	{
		if (ev_guarded_operands(site, &guard.type, &guard.version))
		{
			ev_site_require_trusted(site, &counter->search, list_make2(guard.type, guard.version));
			count_place(counter, site, &guard, NULL);
		}
		return;
	}
	expressions = ev_site_expressions(site);
	ev_site_require_trusted(site, &counter->search, expressions);
	foreach(expression, expressions)
		foreach(cell, ev_site_calls(site, lfirst(expression), &counter->search))
	{
		const EvSiteCall *call = lfirst(cell);

		if (call->type == NULL)
			counter->is_opaque = true;
		else
			count_place(counter, site, call, lfirst(expression));
	}
}

/* The work of ev_look: counts all sites of one table. */
static void
count_table(void *arg)
{
	Counter    *counter = (Counter *) arg;
	ListCell   *cell;

	counter->columns = counter->counts = NIL;
	counter->is_opaque = counter->is_partial = false;
	ev_progress_phase(EV_PHASE_COUNTING, ev_progress_estimate_only(counter->relation));
	if (!ev_share_table(counter->relation))
		return;					/* it was dropped in the meantime */
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	foreach(cell, counter->search.sites)
	{
		const EvSite *site = lfirst(cell);

		if (site->relation != counter->relation)
			continue;
		if (site->too_many || site->is_unread)
			counter->is_partial = true;
		else
			count_site(counter, site);
	}
	SPI_finish();
}

static void
warn_of_partial(Oid relation, bool is_left_out)
{
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("not all events of table %s are counted", ev_table_name(relation)),
			 is_left_out ?
			 errdetail("A domain is used in too many columns to search each, too many constraints, guards, policies and views check the events of its owner's tables, or a function that one of them calls is too long to be read.") :
			 errdetail("A constraint calls a function that validates events, but their type and version are not among its arguments.")));
}

/* Counts a table; if that is not possible, warns and returns false. */
static bool
try_count_table(Counter *counter)
{
	EvLook		look = {
		.relation = counter->relation, .user = GetUserId(),
		.milliseconds = ev_is_own_table(counter->relation, GetUserId()) ? 0 : EV_COUNT_MS,
		.times = &counter->times,
		.work = count_table, .arg = counter
	};
	ErrorData  *error;

	counter->careful = false;
	error = ev_look(&look);
	if (error != NULL && !look.overdue && ev_is_row_fault(error->sqlerrcode, EV_WORK_READ))
	{
		counter->careful = true;
		error = ev_look(&look);
	}
	if (error != NULL)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("events of table %s are not counted", ev_table_name(counter->relation)),
				 errdetail_internal("%s", ev_look_reason(&look, error)),
				 errhint("Write its expressions so that they raise no error for any row, or repair these rows.")));
	else if (counter->is_opaque || counter->is_partial)
		warn_of_partial(counter->relation, counter->is_partial);
	return error == NULL;
}

/*
 * Returns the constraint of a parent from which a relation has a CHECK constraint by
 * inheritance, and the parent; InvalidOid if the constraint is its own.
 */
static Oid
check_of_parent(Oid constraint, Oid *relation)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	NameData	name;
	bool		is_own;
	ListCell   *cell;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	is_own = ((Form_pg_constraint) GETSTRUCT(tuple))->conislocal;
	name = ((Form_pg_constraint) GETSTRUCT(tuple))->conname;
	ReleaseSysCache(tuple);
	if (is_own)
		return InvalidOid;
	foreach(cell, ev_parents(*relation))
	{
		Oid			found = get_relation_constraint_oid(lfirst_oid(cell), NameStr(name), true);

		if (!OidIsValid(found))
			continue;
		*relation = lfirst_oid(cell);
		return found;
	}
	return InvalidOid;
}

/*
 * Returns the topmost table from which the current one has the check or guard of a site.
 * Each step is made once for all tables, since children can be nested deep.
 */
static Oid
site_table(const Counter *counter, const EvSite *site)
{
	Oid			(*of_parent) (Oid object, Oid *relation) = OidIsValid(site->trigger) ? ev_guard_of_parent : check_of_parent;
	ObjectKey	key = {
		.catalog = OidIsValid(site->trigger) ? TriggerRelationId : ConstraintRelationId,
		.object = OidIsValid(site->trigger) ? site->trigger : site->constraint
	};
	Oid			table = site->relation;
	List	   *steps = NIL;
	ListCell   *cell;

	while (OidIsValid(key.object))
	{
		const ObjectTable *known = hash_search(counter->tables, &key, HASH_FIND, NULL);

		CHECK_FOR_INTERRUPTS();
		if (known != NULL)
		{
			table = known->table;
			break;
		}
		steps = lappend_oid(steps, key.object);
		key.object = of_parent(key.object, &table);
	}
	foreach(cell, steps)
	{
		key.object = lfirst_oid(cell);
		((ObjectTable *) hash_search(counter->tables, &key, HASH_ENTER, NULL))->table = table;
	}
	list_free(steps);
	return table;
}

/*
 * Returns the table for which the rows of the current one count: the topmost
 * one of which it is a partition, or from which it has a check or guard.
 */
static Oid
counted_for(const Counter *counter)
{
	Oid			result = ev_top_table(counter->relation);
	ListCell   *cell;

	foreach(cell, counter->search.sites)
	{
		const EvSite *site = lfirst(cell);

		if (result != counter->relation)
			break;
		if (site->relation == counter->relation &&
			(OidIsValid(site->trigger) || (OidIsValid(site->constraint) && !OidIsValid(site->domain))))
			result = site_table(counter, site);
	}
	return result;
}

static bool
try_count_with_progress(Counter *counter)
{
	bool		result;

	ev_progress_start(EV_PROGRESS_USAGE, counter->relation, false);
	result = try_count_table(counter);
	ev_progress_end();
	return result;
}

static void
put_counts(const Counter *counter, ReturnSetInfo *result)
{
	Oid			table;
	ListCell   *cell;

	if (counter->counts == NIL)
		return;
	table = counted_for(counter);
	foreach(cell, counter->counts)
	{
		const Count *count = lfirst(cell);
		Datum		values[] = {
			ObjectIdGetDatum(table), PointerGetDatum(count->type),
			Int64GetDatum(count->version), Int64GetDatum(count->rows)
		};
		bool		nulls[] = {false, count->type == NULL, count->no_version, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * Appends the foreign partitions and children of a table, whose rows are not
 * counted, to a text.
 */
static void
append_foreign(StringInfo text, Oid table)
{
	ListCell   *cell;

	foreach(cell, ev_table_children(table))
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_FOREIGN_TABLE)
		appendStringInfo(text, "%s%s", text->len > 0 ? ", " : "", ev_table_name(lfirst_oid(cell)));
}

/*
 * Warns of sites on partitioned tables, which are not counted themselves, that stand for
 * those that were left out.  Returns whether there are such sites.
 */
static bool
warn_of_uncounted(const EvSearch *search)
{
	bool		found = false;
	ListCell   *cell;

	foreach(cell, search->sites)
	{
		const EvSite *site = lfirst(cell);

		if (!site->is_last || get_rel_relkind(site->relation) != RELKIND_PARTITIONED_TABLE)
			continue;
		found = true;
		warn_of_partial(site->relation, true);
	}
	return found;
}

/*
 * event_usage(event_type text) returns SETOF (relation regclass, event_type
 * text, schema_version bigint, events bigint)
 *
 * Counts the rows of each enforced table by type (all types, if it is NULL)
 * and version.  Rows of partitions count for their partitioned table, and rows
 * of children for the topmost table from which they have the check or guard.  Tables
 * that the user may not read, or whose expressions raise errors, are left out,
 * with a NOTICE or WARNING and a row that is all NULL.
 */
Datum
ev_event_usage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Counter		counter = {.type = PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), .context = CurrentMemoryContext,
	.times = {.most = EV_OWNER_COUNT_MS}};
	StringInfoData left_out;
	StringInfoData foreign;
	HASHCTL		control = {.keysize = sizeof(ObjectKey), .entrysize = sizeof(ObjectTable), .hcxt = CurrentMemoryContext};
	bool		incomplete = false;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	counter.tables = hash_create("event_validate tables of sites", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	initStringInfo(&left_out);
	initStringInfo(&foreign);
	ev_search_init(&counter.search, GetUserId());
	ev_find_sites(&counter.search);
	ev_find_rule_sites(&counter.search);
	foreach(cell, ev_site_tables(&counter.search))
	{
		CHECK_FOR_INTERRUPTS();
		counter.relation = lfirst_oid(cell);
		append_foreign(&foreign, counter.relation);
		if (get_rel_relkind(counter.relation) != RELKIND_RELATION)
			continue;			/* it was dropped, or its partitions are
								 * counted */
		if (!ev_may_read_all(counter.relation, GetUserId()))
			appendStringInfo(&left_out, "%s%s", left_out.len > 0 ? ", " : "", ev_table_name(counter.relation));
		else if (try_count_with_progress(&counter))
		{
			put_counts(&counter, result);
			incomplete |= counter.is_opaque || counter.is_partial;
		}
		else
			incomplete = true;
	}
	incomplete |= warn_of_uncounted(&counter.search);
	if (left_out.len > 0)
		ereport(NOTICE,
				(errmsg("tables that you may not read are not counted: %s", left_out.data)));
	if (foreign.len > 0)
		ereport(NOTICE,
				(errmsg("events in foreign tables are not counted: %s", foreign.data),
				 errhint("Ask event_schema_usage on their servers. event_foreign_enforcement asks the servers what they enforce.")));
	if (left_out.len > 0 || foreign.len > 0 || incomplete)
	{
		Datum		values[4] = {0};
		bool		nulls[4] = {true, true, true, true};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
