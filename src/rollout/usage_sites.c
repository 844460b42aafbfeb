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
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteManip.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "registry/dependents.h"
#include "registry/extension_objects.h"
#include "registry/function_row.h"
#include "rollout/usage_sites.h"
#include "rollout/wrappers.h"
#include "rows/pure_expression.h"
#include "rows/table_rights.h"

/* Number of paths on which the values of a domain are searched. */
#define MAX_PATHS	1000

/* ---------- calls in expressions ---------- */

static bool
is_wrapper(const Node *node, const EvSearch *search)
{
	return IsA(node, FuncExpr) && list_member_oid(search->wrappers, ((const FuncExpr *) node)->funcid);
}

/* Is this a cast to a domain whose CHECK calls them? */
static bool
is_cast(const Node *node, const EvSearch *search)
{
	return IsA(node, CoerceToDomain) &&
		list_member_oid(search->domains, ((const CoerceToDomain *) node)->resulttype);
}

static bool
has_cast_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return is_cast(node, (const EvSearch *) context) || expression_tree_walker(node, has_cast_walker, context);
}

/*
 * Returns the constant in a node, below coercions that do not change it; NULL
 * if there is none.
 */
static Const *
constant_of(Node *node)
{
	while (IsA(node, RelabelType))
		node = (Node *) castNode(RelabelType, node)->arg;
	return IsA(node, Const) ? castNode(Const, node) : NULL;
}

/* Can a call be for one of the versions, as far as its constants show? */
static bool
may_apply(const FuncExpr *call, const EvSearch *search)
{
	Const	   *type = constant_of(ev_call_argument(call, 1));
	Const	   *version = constant_of(ev_call_argument(call, 2));
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

/*
 * Is a check that is restricted to some event types for the type of one of the
 * versions?
 */
static bool
has_a_type(const Const *types, const EvSearch *search)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	ListCell   *cell;

	if (search->versions == NIL)
		return true;
	deconstruct_array(DatumGetArrayTypeP(types->constvalue), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	foreach(cell, search->versions)
		for (int i = 0; i < count; i++)
		if (strcmp(TextDatumGetCString(elements[i]), ((EvVersion *) lfirst(cell))->type) == 0)
			return true;
	return false;
}

static bool
may_apply_walker(Node *node, void *context)
{
	const EvSearch *search = (const EvSearch *) context;

	if (node == NULL)
		return false;
	if (ev_is_event_call(node, &search->functions) && may_apply(castNode(FuncExpr, node), search))
		return true;
	if (is_wrapper(node, search))
		return true;
	return expression_tree_walker(node, may_apply_walker, context);
}

bool
ev_expression_may_apply(Node *expression, EvSearch *search)
{
	Const	   *types;

	if (ev_sole_call(expression, &search->functions, &types) != NULL && types != NULL && !has_a_type(types, search))
		return false;
	return may_apply_walker(expression, search);
}

/*
 * Reads the arguments of a wrapper: its only text is the type, its only
 * integer the version.
 */
static void
read_wrapper(EvSiteCall *found)
{
	int			texts = 0;
	int			integers = 0;
	ListCell   *cell;

	foreach(cell, found->call->args)
	{
		Node	   *argument = lfirst(cell);
		Oid			type;

		if (IsA(argument, NamedArgExpr))
			argument = (Node *) castNode(NamedArgExpr, argument)->arg;
		type = getBaseType(exprType(argument));
		if (type == TEXTOID || type == VARCHAROID || type == BPCHAROID)
		{
			found->type = argument;
			texts++;
		}
		else if (type == INT2OID || type == INT4OID || type == INT8OID)
		{
			found->version = argument;
			integers++;
		}
	}
	if (texts != 1 || integers != 1)
		found->type = found->version = NULL;
}

/*
 * The value of a CASE, or of an array's element, does not exist outside of it.
 */
static bool
has_placeholder_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CaseTestExpr))
		return true;
	return expression_tree_walker(node, has_placeholder_walker, context);
}

/* Does an expression read a column, or a domain's value? */
static bool
reads_row_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) || IsA(node, CoerceToDomainValue))
		return true;
	return expression_tree_walker(node, reads_row_walker, context);
}

typedef struct Calls
{
	const EvSearch *search;
	List	   *calls;			/* of EvSiteCall * */
	Node	   *term;
} Calls;

static bool
find_calls_walker(Node *node, void *context)
{
	Calls	   *found = (Calls *) context;

	if (node == NULL)
		return false;
	if (ev_is_event_call(node, &found->search->functions) || is_wrapper(node, found->search))
	{
		EvSiteCall *call = palloc0(sizeof(EvSiteCall));

		call->call = castNode(FuncExpr, node);
		call->is_wrapper = !ev_is_event_call(node, &found->search->functions);
		call->is_term = node == found->term;
		if (call->is_wrapper)
			read_wrapper(call);
		else
		{
			call->type = ev_call_argument(call->call, 1);
			call->version = ev_call_argument(call->call, 2);
		}
		if (has_placeholder_walker(call->type, NULL) || has_placeholder_walker(call->version, NULL))
			call->type = call->version = NULL;
		call->is_by_row = reads_row_walker(call->type, NULL);
		found->calls = lappend(found->calls, call);
	}
	else if (is_cast(node, found->search))
		found->calls = lappend(found->calls, palloc0(sizeof(EvSiteCall)));
	return expression_tree_walker(node, find_calls_walker, context);
}

/*
 * Leaves out the calls of which nothing is known without evaluating a subquery.  The
 * whole expression is evaluated for calls whose type is not in the row.
 */
static List *
without_subqueries(List *calls, Node *expression)
{
	List	   *result = NIL;
	ListCell   *cell;

	if (!checkExprHasSubLink(expression))
		return calls;
	foreach(cell, calls)
	{
		EvSiteCall *call = lfirst(cell);

		if (call->is_by_row && !checkExprHasSubLink(call->type) && !checkExprHasSubLink(call->version))
			result = lappend(result, call);
	}
	return result;
}

List *
ev_site_calls(const EvSite *site, Node *expression, const EvSearch *search)
{
	bool		is_rule = OidIsValid(site->policy) || OidIsValid(site->view);
	List	   *terms = is_andclause(expression) ? castNode(BoolExpr, expression)->args : list_make1(expression);
	Calls		found = {search, NIL, NULL};
	ListCell   *cell;

	foreach(cell, terms)
	{
		/* policies are alternatives, and old rows need not have passed a view */
		found.term = is_rule ? NULL : lfirst(cell);
		find_calls_walker(lfirst(cell), &found);
	}
	return without_subqueries(found.calls, expression);
}

static Node *
refuse_calls_mutator(Node *node, void *context)
{
	const EvSearch *search = (const EvSearch *) context;

	if (node == NULL)
		return NULL;
	if (ev_is_event_call(node, &search->functions) || is_wrapper(node, search))
		return makeBoolConst(false, false);
	return expression_tree_mutator(node, refuse_calls_mutator, context);
}

Node *
ev_refuse_calls(Node *expression, const EvSearch *search)
{
	return refuse_calls_mutator(expression, (void *) search);
}

/* ---------- finding constraints and tables ---------- */

/*
 * Does a relation have rows of its own that a dump contains and on which
 * constraints are enforced?  Or is it partitioned?  The constraints of its
 * partitions are found separately, but new partitions must wait for the lock
 * on it.  Views and foreign tables have no such rows; temporary tables of
 * other sessions cannot be read.
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

/* The paths from columns to the values of a domain. */
typedef struct DomainPaths
{
	EvSearch   *search;
	Oid			constraint;
	Oid			domain;
	int			count;			/* number of types met on all paths */
	List	   *met;			/* if there are too many: each type once */
} DomainPaths;

/* One of these paths, from its end. */
typedef struct TypePath
{
	DomainPaths *all;
	Oid			type;
	List	   *path;
} TypePath;

static void add_columns(const TypePath *step);
static void add_cast(EvSearch *search, Oid constraint);

void
ev_site_add(EvSearch *search, const EvSite *found)
{
	EvSite	   *site;

	if (!holds_rows(found->relation))
		return;
	site = palloc(sizeof(EvSite));
	*site = *found;
	search->sites = lappend(search->sites, site);
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
	TypePath	next = {.all = all, .type = get_rel_type_id(relation)};

	ev_site_add(all->search, &site);
	/* rows of this relation may be values of a column elsewhere */
	if (!OidIsValid(next.type))
		return;
	next.path = lcons(column, list_copy(step->path));
	add_columns(&next);
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
		TypePath	next = {.all = step->all, .type = dependent->objid, .path = step->path};

		if (!is_array && get_typtype(dependent->objid) != TYPTYPE_DOMAIN)
			return;
		if (is_array)
			next.path = lcons(NULL, list_copy(step->path));
		else if (list_member_oid(step->all->search->domains, step->type))
			step->all->search->domains = list_append_unique_oid(step->all->search->domains, dependent->objid);
		add_columns(&next);
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
add_columns(const TypePath *step)
{
	CHECK_FOR_INTERRUPTS();
	check_stack_depth();
	if (++step->all->count > MAX_PATHS)
	{
		if (list_member_oid(step->all->met, step->type))
			return;
		step->all->met = lappend_oid(step->all->met, step->type);
	}
	ev_for_each_dependent(TypeRelationId, step->type, add_type_dependent, (void *) step);
}

/*
 * Returns the expression of an enforced CHECK constraint; NULL if it is not
 * one.
 */
static Node *
check_expression(HeapTuple constraint)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(constraint);
	bool		is_null;
	Datum		expression = SysCacheGetAttr(CONSTROID, constraint, Anum_pg_constraint_conbin, &is_null);

	if (form->contype != CONSTRAINT_CHECK || is_null || !EV_CONSTRAINT_ENFORCED(form))
		return NULL;
	return stringToNode(TextDatumGetCString(expression));
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

Oid
ev_check_declared(Oid relation, Oid constraint)
{
	while (OidIsValid(constraint))
	{
		HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
		Form_pg_constraint form;
		NameData	name;
		bool		is_own;
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		if (!HeapTupleIsValid(tuple))
			return relation;
		form = (Form_pg_constraint) GETSTRUCT(tuple);
		is_own = form->conislocal;
		name = form->conname;
		ReleaseSysCache(tuple);
		constraint = InvalidOid;
		if (is_own)
			return relation;
		foreach(cell, ev_parents(relation))
		{
			constraint = get_relation_constraint_oid(lfirst_oid(cell), NameStr(name), true);
			if (!OidIsValid(constraint))
				continue;
			relation = lfirst_oid(cell);
			break;
		}
	}
	return relation;
}

/* Adds the table of a constraint, or the columns of its domain. */
static void
add_places(EvSearch *search, Form_pg_constraint constraint)
{
	if (OidIsValid(constraint->contypid))
	{
		DomainPaths paths = {.search = search, .constraint = constraint->oid, .domain = constraint->contypid};
		TypePath	step = {.all = &paths, .type = constraint->contypid, .path = NIL};

		search->domains = list_append_unique_oid(search->domains, constraint->contypid);
		add_columns(&step);
	}
	else
	{
		EvSite		site = {.relation = constraint->conrelid, .constraint = constraint->oid};

		ev_site_add(search, &site);
	}
}

static bool
has_site(const EvSearch *search, Oid constraint)
{
	ListCell   *cell;

	foreach(cell, search->sites)
		if (((EvSite *) lfirst(cell))->constraint == constraint)
		return true;
	return false;
}

/* Adds a constraint that depends on the type of a domain, if it has a cast to it. */
static void
add_cast(EvSearch *search, Oid constraint)
{
	HeapTuple	tuple;
	Node	   *expression;

	CHECK_FOR_INTERRUPTS();
	if (list_member_oid(search->casts, constraint))
		return;
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	if (!HeapTupleIsValid(tuple))
		return;
	expression = check_expression(tuple);
	if (expression != NULL && has_cast_walker(expression, search))
	{
		search->casts = lappend_oid(search->casts, constraint);
		if (!has_site(search, constraint))
			add_places(search, (Form_pg_constraint) GETSTRUCT(tuple));
	}
	ReleaseSysCache(tuple);
}

static void
add_constraint(Form_pg_depend dependent, void *context)
{
	EvSearch   *search = (EvSearch *) context;
	HeapTuple	tuple;
	Node	   *expression;

	/* found before, by another function, another call or a cast */
	if (dependent->classid != ConstraintRelationId ||
		list_member_oid(search->constraints, dependent->objid) ||
		list_member_oid(search->casts, dependent->objid))
		return;
	search->constraints = lappend_oid(search->constraints, dependent->objid);
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(dependent->objid));
	if (!HeapTupleIsValid(tuple))
		return;
	expression = check_expression(tuple);
	if (expression != NULL && ev_expression_may_apply(expression, search))
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

/* ---------- authors of expressions ---------- */

static bool
domain_owner_is(Oid domain, Oid role)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(domain));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = has_privs_of_role(((Form_pg_type) GETSTRUCT(tuple))->typowner, role);
	ReleaseSysCache(tuple);
	return result;
}

/* Returns the type that a domain is directly over. */
static Oid
base_of_domain(Oid domain)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(domain));
	Oid			result = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		result = ((Form_pg_type) GETSTRUCT(tuple))->typbasetype;
		ReleaseSysCache(tuple);
	}
	return result;
}

/* Only the owner of a table adds constraints and policies to it; views: rule_sites.c. */
static bool
is_by_owner(const EvSite *site)
{
	Oid			owner = ev_table_owner(site->relation);

	if (OidIsValid(site->trigger))
		return ev_only_owner_has(site->relation, owner, ACL_TRIGGER);
	if (OidIsValid(site->declared))
		return has_privs_of_role(ev_table_owner(site->declared), owner);
	return !OidIsValid(site->domain) || domain_owner_is(site->domain, owner);
}

void
ev_site_require_author(const EvSite *site)
{
	if (is_by_owner(site))
		return;
	if (OidIsValid(site->trigger))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the guard calls functions, and others than the table's owner may have written it (TRIGGER)")));
	if (OidIsValid(site->declared))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s, of which it is a partition or child, belongs to another role, and a condition of it calls functions",
						ev_table_name(site->declared))));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("domain %s belongs to another role than the table, and calls functions", format_type_be(site->domain))));
}

/* The casts in expressions of a table. */
typedef struct Casts
{
	Oid			owner;			/* of the table */
	List	   *own;			/* functions that may be called */
	Oid			domain;			/* whose CHECKs are looked at */
} Casts;

/* Sets casts->domain to InvalidOid if a CHECK of it calls other functions. */
static void
look_at_domain_check(Form_pg_depend dependent, void *context)
{
	Casts	   *casts = (Casts *) context;
	HeapTuple	tuple;

	if (dependent->classid != ConstraintRelationId || !OidIsValid(casts->domain))
		return;
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(dependent->objid));
	if (!HeapTupleIsValid(tuple))
		return;
	if (((Form_pg_constraint) GETSTRUCT(tuple))->contypid == casts->domain &&
		!ev_is_pure(check_expression(tuple), casts->own))
		casts->domain = InvalidOid;
	ReleaseSysCache(tuple);
}

/* Is there a cast that runs functions in a domain of another role? */
static bool
has_others_cast_walker(Node *node, void *context)
{
	Casts	   *casts = (Casts *) context;

	if (node == NULL)
		return false;
	if (IsA(node, CoerceToDomain))
		for (Oid type = castNode(CoerceToDomain, node)->resulttype; get_typtype(type) == TYPTYPE_DOMAIN;
			 type = base_of_domain(type))
		{
			casts->domain = type;
			if (!domain_owner_is(type, casts->owner))
				ev_for_each_dependent(TypeRelationId, type, look_at_domain_check, casts);
			if (!OidIsValid(casts->domain))
				return true;
		}
	return expression_tree_walker(node, has_others_cast_walker, context);
}

void
ev_site_require_trusted(const EvSite *site, const EvSearch *search, List *expressions)
{
	Casts		casts = {.owner = ev_table_owner(site->relation)};
	List	   *own = NIL;

	for (int i = 0; i < (int) lengthof(search->functions.oids); i++)
		own = lappend_oid(own, search->functions.oids[i]);
	if (ev_is_pure((Node *) expressions, own))
		return;
	ev_site_require_author(site);
	casts.own = own;
	if (has_others_cast_walker((Node *) expressions, &casts))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("an expression casts to a domain of another role than the table's owner, and the domain calls functions")));
}

/* ---------- all ---------- */

void
ev_search_init(EvSearch *search)
{
	ev_event_functions_find(&search->functions);
	search->guard = ev_extension_function("guard_event", 0, NULL);
}

void
ev_find_sites(EvSearch *search)
{
	ListCell   *cell;

	search->sites = search->constraints = search->casts = search->domains = NIL;
	search->wrappers = ev_find_wrappers(&search->functions, GetUserId());
	for (int i = 0; i < (int) lengthof(search->functions.oids); i++)
		if (OidIsValid(search->functions.oids[i]))
			ev_for_each_dependent(ProcedureRelationId, search->functions.oids[i],
								  add_constraint, search);
	foreach(cell, search->wrappers)
		ev_for_each_dependent(ProcedureRelationId, lfirst_oid(cell), add_constraint, search);
	if (OidIsValid(search->guard))
		ev_for_each_dependent(ProcedureRelationId, search->guard, add_guard, search);
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
