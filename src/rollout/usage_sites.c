/*
 * usage_sites.c
 *	  Finds the constraints, indexes, columns and guards that use schemas,
 *	  in the catalogs.
 *
 * PostgreSQL records that an object depends on check_event or validate_event if
 * its expression calls one of them.  If a constraint calls a function that calls
 * check_event, only a dependency on that function is recorded: wrappers.c finds
 * such functions.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/oid_set.h"
#include "registry/dependents.h"
#include "registry/extension_objects.h"
#include "registry/function_row.h"
#include "rollout/search_bounds.h"
#include "rollout/site_calls.h"
#include "rollout/usage_sites.h"
#include "rollout/wrappers.h"
#include "rows/table_rights.h"

/* Number of paths on which the values of a domain are searched. */
#define MAX_PATHS	1000

/* ---------- finding constraints and tables ---------- */

/*
 * Does a relation have rows of its own that a dump contains and on which
 * constraints are enforced?  Or is it partitioned?  The constraints of its
 * partitions are found separately, but new partitions must wait for the lock
 * on it.  Views and foreign tables have no such rows; temporary tables of
 * other sessions cannot be read.
 */
static bool
holds_rows(Oid relation, Oid *owner)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Form_pg_class form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_class) GETSTRUCT(tuple);
	*owner = form->relowner;
	result = (form->relkind == RELKIND_RELATION ||
			  form->relkind == RELKIND_PARTITIONED_TABLE) &&
		(form->relpersistence != RELPERSISTENCE_TEMP ||
		 isTempNamespace(form->relnamespace));
	ReleaseSysCache(tuple);
	return result;
}

/* The paths from columns to the values of a domain. */
typedef struct DomainPaths
{
	EvSearch   *search;
	Oid			constraint;
	Oid			domain;
	Oid			owner;			/* of the domain */
	int			count;			/* number of types met on all paths */
	HTAB	   *met;			/* if there are too many: each type once */
	List	   *ahead;			/* of TypePath *: those to follow, the next
								 * one last */
} DomainPaths;

/* One of these paths, from its end. */
typedef struct TypePath
{
	DomainPaths *all;
	Oid			type;
	bool		has_part;		/* a column, or NULL for an array's element */
	char	   *part;
	List	   *path;			/* without this part, until it is followed */
} TypePath;

static void add_cast(EvSearch *search, Oid constraint);

void
ev_site_add(EvSearch *search, const EvSite *found)
{
	EvSite	   *site;
	Oid			owner;
	bool		is_last;

	if (!holds_rows(found->relation, &owner) || !ev_search_may_add_site(search->counts, owner, &is_last))
		return;
	site = palloc(sizeof(EvSite));
	*site = *found;
	site->is_last = is_last;
	site->too_many |= is_last;
	site->is_unread = search->is_for_unread;
	search->sites = lappend(search->sites, site);
}

/*
 * Notes a way that goes on from a step.  It is followed later, since types of other roles
 * can be nested deeper than the stack.
 */
static void
go_on(const TypePath *step, Oid type, bool has_part, char *part)
{
	TypePath   *next = palloc(sizeof(TypePath));

	*next = *step;
	next->type = type;
	next->has_part = has_part;
	next->part = part;
	step->all->ahead = lappend(step->all->ahead, next);
}

static void
add_column(const TypePath *step, Oid relation, char *column)
{
	DomainPaths *all = step->all;
	bool		too_many = all->count > MAX_PATHS;
	EvSite		site = {
		.relation = relation, .constraint = all->constraint, .domain = all->domain,
		.too_many = too_many, .column = column, .path = step->path
	};
	Oid			type = get_rel_type_id(relation);

	ev_site_add(all->search, &site);
	/* rows of this relation may be values of a column elsewhere */
	if (OidIsValid(type))
		go_on(step, type, true, column);
}

/*
 * Adds an object that depends on a type: a column, a composite type by its
 * attributes, an array or domain over it, or a constraint with a cast.  Ranges
 * are left out, since documents have no order.
 */
static void
add_type_dependent(Form_pg_depend dependent, void *context)
{
	const TypePath *step = (const TypePath *) context;

	if (dependent->classid == RelationRelationId && dependent->objsubid > 0)
	{
		char	   *column = get_attname(dependent->objid, dependent->objsubid, true);

		/* the type of a column, not the use in a default or similar */
		if (column != NULL &&
			get_atttype(dependent->objid, dependent->objsubid) == step->type)
			add_column(step, dependent->objid, column);
	}
	else if (dependent->classid == TypeRelationId)
	{
		bool		is_array = get_element_type(dependent->objid) == step->type;

		if (!is_array && get_typtype(dependent->objid) != TYPTYPE_DOMAIN)
			return;
		if (!is_array && ev_oid_set_has(step->all->search->domains, step->type))
			(void) ev_oid_set_add(step->all->search->domains, dependent->objid);
		go_on(step, dependent->objid, is_array, NULL);
	}
	else if (dependent->classid == ConstraintRelationId)
		add_cast(step->all->search, dependent->objid);
}

/*
 * Nested types can have too many paths to a value: ten types with ten columns
 * each have 10 ^ 10.  After MAX_PATHS, each type is met once, to report that
 * its tables are not read.
 */
static void
follow(TypePath *step)
{
	DomainPaths *all = step->all;
	EvFollow	how;

	CHECK_FOR_INTERRUPTS();
	how = ev_search_follow(all->search->counts, all->owner);
	if (how == EV_FOLLOW_NONE)
		return;
	if (how == EV_FOLLOW_ONCE)
		all->count = MAX_PATHS;
	if (++all->count > MAX_PATHS)
	{
		if (all->met == NULL)
			all->met = ev_oid_set();
		if (!ev_oid_set_add(all->met, step->type))
			return;
		/* nothing is read there */
		step->path = NIL;
	}
	else if (step->has_part)
		step->path = lcons(step->part, list_copy(step->path));
	ev_for_each_dependent(TypeRelationId, step->type, add_type_dependent, step);
}

/* Adds the columns that hold values of a domain. */
static void
add_columns(DomainPaths *all)
{
	TypePath   *step = palloc0(sizeof(TypePath));

	step->all = all;
	step->type = all->domain;
	all->ahead = list_make1(step);
	while (all->ahead != NIL)
	{
		step = llast(all->ahead);
		all->ahead = list_delete_last(all->ahead);
		follow(step);
		pfree(step);
	}
}

/* Finds the text of an enforced CHECK constraint; false if it is not one. */
static bool
check_text(HeapTuple constraint, Datum *expression)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(constraint);
	bool		is_null;

	*expression = SysCacheGetAttr(CONSTROID, constraint, Anum_pg_constraint_conbin, &is_null);
	return form->contype == CONSTRAINT_CHECK && !is_null && EV_CONSTRAINT_ENFORCED(form);
}

/*
 * Returns the expression of an enforced CHECK constraint; NULL if it is not
 * one.
 */
static Node *
check_expression(HeapTuple constraint)
{
	Datum		expression;

	return check_text(constraint, &expression) ? stringToNode(TextDatumGetCString(expression)) : NULL;
}

/* The role that wrote a constraint. */
static Oid
constraint_owner(Form_pg_constraint constraint)
{
	HeapTuple	tuple;
	Oid			owner;

	if (!OidIsValid(constraint->contypid))
		return ev_table_owner(constraint->conrelid);
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(constraint->contypid));
	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_type) GETSTRUCT(tuple))->typowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * Is this an enforced CHECK constraint that passes a test?  One of a role of which too much
 * was read passes: its table is looked at, in limited time.
 */
static bool
check_passes(HeapTuple constraint, bool (*test) (Node *expression, EvSearch *search), EvSearch *search)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	Datum		expression;
	bool		result;

	if (!check_text(constraint, &expression))
		return false;
	if (!ev_search_may_read(search->counts, constraint_owner((Form_pg_constraint) GETSTRUCT(constraint)), toast_raw_datum_size(expression)))
		return true;
	context = AllocSetContextCreate(caller, "event_validate constraint", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	result = test(stringToNode(TextDatumGetCString(expression)), search);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return result;
}

Node *
ev_check_expression(Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Node	   *expression;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	expression = check_expression(tuple);
	ReleaseSysCache(tuple);
	return expression;
}

/* Adds the table of a constraint, or the columns of its domain. */
static void
add_places(EvSearch *search, Form_pg_constraint constraint)
{
	(void) ev_oid_set_add(search->placed, constraint->oid);
	if (OidIsValid(constraint->contypid))
	{
		DomainPaths paths = {.search = search, .constraint = constraint->oid, .domain = constraint->contypid,
		.owner = constraint_owner(constraint)};

		(void) ev_oid_set_add(search->domains, constraint->contypid);
		add_columns(&paths);
	}
	else
	{
		EvSite		site = {.relation = constraint->conrelid, .constraint = constraint->oid};

		ev_site_add(search, &site);
	}
}

/* Adds a constraint that depends on the type of a domain, if it has a cast to it. */
static void
add_cast(EvSearch *search, Oid constraint)
{
	HeapTuple	tuple;

	CHECK_FOR_INTERRUPTS();
	if (ev_oid_set_has(search->casts, constraint))
		return;
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	if (!HeapTupleIsValid(tuple))
		return;
	if (check_passes(tuple, ev_expression_has_cast, search))
	{
		(void) ev_oid_set_add(search->casts, constraint);
		if (!ev_oid_set_has(search->placed, constraint))
			add_places(search, (Form_pg_constraint) GETSTRUCT(tuple));
	}
	ReleaseSysCache(tuple);
}

static void
add_constraint(Form_pg_depend dependent, void *context)
{
	EvSearch   *search = (EvSearch *) context;
	HeapTuple	tuple;

	CHECK_FOR_INTERRUPTS();
	/* found before, by another function, another call or a cast */
	if (dependent->classid != ConstraintRelationId || ev_oid_set_has(search->casts, dependent->objid) ||
		!ev_oid_set_add(search->constraints, dependent->objid))
		return;
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(dependent->objid));
	if (!HeapTupleIsValid(tuple))
		return;
	if (check_passes(tuple, ev_expression_may_apply, search))
		add_places(search, (Form_pg_constraint) GETSTRUCT(tuple));
	ReleaseSysCache(tuple);
}

/*
 * Adds a trigger that is a guard.  Its clones on partitions are found
 * separately.
 */
static void
add_guard(Form_pg_depend dependent, void *context)
{
	EvSearch   *search = (EvSearch *) context;
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
	if (HeapTupleIsValid(tuple))
	{
		EvSite		site = {
			.relation = ((Form_pg_trigger) GETSTRUCT(tuple))->tgrelid,
			.trigger = dependent->objid
		};

		ev_site_add(search, &site);
	}
	systable_endscan(scan);
	table_close(pg_trigger, AccessShareLock);
}

/* ---------- all ---------- */

void
ev_search_init(EvSearch *search, Oid user)
{
	search->user = user;
	ev_event_functions_find(&search->functions);
	search->guard = ev_extension_function("guard_event", 0, NULL);
}

/* Makes the sets of a search that has found nothing. */
static void
make_sets(EvSearch *search)
{
	ListCell   *cell;

	search->sites = NIL;
	search->constraints = ev_oid_set();
	search->casts = ev_oid_set();
	search->placed = ev_oid_set();
	search->domains = ev_oid_set();
	search->wrapper_set = ev_oid_set();
	foreach(cell, search->wrappers)
		(void) ev_oid_set_add(search->wrapper_set, lfirst_oid(cell));
}

/* Searches for the constraints that call functions which were not read. */
static EvSearch *
search_for_unread(const EvSearch *search, List *functions, HTAB *texts)
{
	EvSearch   *unread = palloc(sizeof(EvSearch));
	ListCell   *cell;

	*unread = *search;
	unread->is_for_unread = true;
	unread->wrappers = functions;
	unread->texts = texts;
	make_sets(unread);
	foreach(cell, functions)
		ev_for_each_dependent(ProcedureRelationId, lfirst_oid(cell), add_constraint, unread);
	return unread;
}

void
ev_find_sites(EvSearch *search)
{
	List	   *unread;
	HTAB	   *texts;
	ListCell   *cell;

	search->is_for_unread = false;
	search->counts = ev_search_counts(search->user);
	search->wrappers = ev_find_wrappers(&search->functions, search->user, &unread, &texts);
	make_sets(search);
	for (int i = 0; i < (int) lengthof(search->functions.oids); i++)
		if (OidIsValid(search->functions.oids[i]))
			ev_for_each_dependent(ProcedureRelationId, search->functions.oids[i],
								  add_constraint, search);
	foreach(cell, search->wrappers)
		ev_for_each_dependent(ProcedureRelationId, lfirst_oid(cell), add_constraint, search);
	if (OidIsValid(search->guard))
		ev_for_each_dependent(ProcedureRelationId, search->guard, add_guard, search);
	search->unread = unread != NIL ? search_for_unread(search, unread, texts) : NULL;
}

/* A schema: a function in language jsonschema. */
static void
add_schema(Form_pg_depend dependent, void *context)
{
	List	  **schemas = (List **) context;

	if (dependent->classid == ProcedureRelationId)
		*schemas = lappend_oid(*schemas, dependent->objid);
}

void
ev_find_schema_sites(EvSearch *search)
{
	Oid			language = ev_language_oid();
	List	   *schemas = NIL;
	ListCell   *cell;

	if (!OidIsValid(language))
		return;
	ev_for_each_dependent(LanguageRelationId, language, add_schema, &schemas);
	list_sort(schemas, list_oid_cmp);
	list_deduplicate_oid(schemas);
	search->schemas = schemas;
	search->wrappers = list_concat(search->wrappers, schemas);
	foreach(cell, schemas)
		(void) ev_oid_set_add(search->wrapper_set, lfirst_oid(cell));
	foreach(cell, schemas)
	{
		CHECK_FOR_INTERRUPTS();
		ev_for_each_dependent(ProcedureRelationId, lfirst_oid(cell), add_constraint, search);
	}
}

List *
ev_site_tables(const EvSearch *search)
{
	List	   *tables = NIL;
	ListCell   *cell;

	foreach(cell, search->sites)
		tables = lappend_oid(tables, ((EvSite *) lfirst(cell))->relation);
	list_sort(tables, list_oid_cmp);
	list_deduplicate_oid(tables);
	return tables;
}

/* ---------- as SQL ---------- */

/*
 * Reads the values of a domain.  Their column has the name that stored_query.h wants.
 * The SQL names no type: its owner could give the name to another one.
 */
static char *
domain_values(const EvSite *site, const char *table, const char *those)
{
	StringInfoData from;
	char	   *value = psprintf("t.%s", quote_identifier(site->column));
	int			arrays = 0;
	ListCell   *cell;

	initStringInfo(&from);
	appendStringInfo(&from, "%s AS t", table);
	foreach(cell, site->path)
	{
		const char *field = (const char *) lfirst(cell);

		if (field != NULL)
			value = psprintf("(%s).%s", value, quote_identifier(field));
		else
		{
			/* in a SELECT list, so that rows are not expanded into columns */
			appendStringInfo(&from, ", LATERAL (SELECT pg_catalog.unnest(%s) AS v) AS u%d",
							 value, ++arrays);
			value = psprintf("u%d.v", arrays);
		}
	}
	return psprintf("(SELECT %s AS value FROM %s%s%s) AS v", value, from.data, those != NULL ? " WHERE " : "", those != NULL ? those : "");
}

char *
ev_site_from(const EvSite *site, const char *those)
{
	const char *table = psprintf("ONLY %s", ev_table_name(site->relation));

	if (OidIsValid(site->domain))
		return domain_values(site, table, those);
	return psprintf("%s AS t WHERE %s", table, those != NULL ? those : "true");
}
