/*
 * rule_sites.c
 *	  Row-level security policies and views WITH CHECK OPTION that validate events.
 *
 * Both refuse rows, like a CHECK constraint, and are stored parsed, with dependencies
 * on the functions that they call.  A partition or child has none of its own for those
 * of its table, so they are looked at for each.
 *
 * A policy or view that is not parsed before, because its owner has too many, counts: the table is looked at, in limited
 * time.  Which table a view is over is not known then, so each counts that the view depends on.
 *
 * A view counts if it has the option, or if a view over it, of a role with its owner's rights, has
 * CASCADED, and if its owner has the rights of the table's owner: the condition is evaluated as the latter.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteManip.h"
#include "rewrite/rewriteSupport.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/oid_set.h"
#include "base/table_members.h"
#include "registry/dependents.h"
#include "rollout/rule_sites.h"
#include "rollout/search_bounds.h"
#include "rollout/site_calls.h"
#include "rows/table_rights.h"

/*
 * Views over views can be written so that the condition doubles with each, and any role
 * writes views.  A condition with more nodes, or through more views, is none.
 */
#define MOST_NODES	10000
#define MOST_LEVELS	64

/* More views over one, with none that has the option so far, are taken for one that has it. */
#define MOST_ABOVE	64

/* ---------- reading the catalogs ---------- */

/* Returns the row of a catalog, as a copy in CurrentMemoryContext; NULL if there is none. */
static HeapTuple
row_of(Oid catalog, Oid index, AttrNumber key_column, Oid object, TupleDesc *descriptor)
{
	Relation	relation = table_open(catalog, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, key_column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
	scan = systable_beginscan(relation, index, true, NULL, 1, &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		row = heap_copytuple(row);
	*descriptor = CreateTupleDescCopy(RelationGetDescr(relation));
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return row;
}

static HeapTuple
policy_row(Oid policy, TupleDesc *descriptor)
{
	return row_of(PolicyRelationId, PolicyOidIndexId, Anum_pg_policy_oid, policy, descriptor);
}

/*
 * May so many bytes of a role be parsed for an object of another one?  They count for the
 * other one, so that it cannot use up what is parsed for this role; but what is parsed for
 * the user's objects counts for their owner.
 */
static bool
may_read(const EvSearch *search, Oid owner, Oid asker, Size bytes)
{
	return ev_search_may_read(search->counts, ev_search_is_own(search->counts, asker) ? owner : asker, bytes);
}

/*
 * Parses a column of a catalog's row; NULL if it is, or if too much was parsed for the role
 * that asks (*is_unread).
 */
static Node *
node_in(HeapTuple row, AttrNumber column, TupleDesc descriptor, const EvSearch *search, Oid owner, Oid asker, bool *is_unread)
{
	bool		is_null;
	Datum		value = heap_getattr(row, column, descriptor, &is_null);

	*is_unread = !is_null && search != NULL && !may_read(search, owner, asker, toast_raw_datum_size(value));
	if (is_null || *is_unread)
		return NULL;
	return stringToNode(TextDatumGetCString(value));
}

char *
ev_security_policy_name(Oid policy)
{
	TupleDesc	descriptor;
	HeapTuple	row = policy_row(policy, &descriptor);

	return HeapTupleIsValid(row) ? pstrdup(NameStr(((Form_pg_policy) GETSTRUCT(row))->polname)) : psprintf("%u", policy);
}

/*
 * Returns the conditions of a policy, in full if search is NULL.  Otherwise *is_unread says
 * whether one is left out.
 */
static List *
policy_expressions(Oid policy, const EvSearch *search, bool *is_unread)
{
	TupleDesc	descriptor;
	HeapTuple	row = policy_row(policy, &descriptor);
	static const AttrNumber columns[] = {Anum_pg_policy_polqual, Anum_pg_policy_polwithcheck};
	List	   *expressions = NIL;

	*is_unread = false;
	for (int i = 0; i < (int) lengthof(columns) && HeapTupleIsValid(row); i++)
	{
		Oid			owner = ev_table_owner(((Form_pg_policy) GETSTRUCT(row))->polrelid);
		bool		left_out;
		Node	   *expression = node_in(row, columns[i], descriptor, search, owner, owner, &left_out);

		if (expression != NULL)
			expressions = lappend(expressions, expression);
		*is_unread |= left_out;
	}
	return expressions;
}

/* ---------- views ---------- */

/* A view over one relation. */
typedef struct View
{
	Oid			oid;
	Oid			owner;
	Query	   *query;
	int			index;			/* of the relation in its query */
	Oid			base;
	bool		is_unread;		/* too much was parsed; nothing is known */
} View;

/* The relation that a rule belongs to, as far as it was looked at. */
typedef struct ViewOfRule
{
	Oid			rule;			/* the key */
	Oid			view;			/* InvalidOid: it is not the rule of a view */
	Oid			owner;
	bool		is_read;
	bool		is_unread;		/* too much was parsed */
	Oid			base;			/* if it was read: InvalidOid: it is not over
								 * one relation */
	Oid			asked_for;		/* the owner for whom is_cascaded was found;
								 * or InvalidOid */
	bool		is_cascaded;	/* CASCADED, or below a view with it */
} ViewOfRule;

/* Is the relation a view, and the rule the one that makes it one? */
static bool
is_rule_of_view(HeapTuple row, ViewOfRule *found)
{
	Form_pg_rewrite form = (Form_pg_rewrite) GETSTRUCT(row);

	found->owner = ev_table_owner(form->ev_class);
	return form->ev_type == CMD_SELECT + '0' && OidIsValid(found->owner) && get_rel_relkind(form->ev_class) == RELKIND_VIEW;
}

/* Finds the view of a rule without reading what it says. */
static ViewOfRule *
find_view(const EvSearch *search, Oid rule)
{
	bool		found;
	ViewOfRule *result = hash_search(search->views, &rule, HASH_ENTER, &found);
	TupleDesc	descriptor;
	HeapTuple	row;

	if (found)
		return result;
	result->view = result->owner = result->base = result->asked_for = InvalidOid;
	result->is_read = result->is_unread = result->is_cascaded = false;
	row = row_of(RewriteRelationId, RewriteOidIndexId, Anum_pg_rewrite_oid, rule, &descriptor);
	if (HeapTupleIsValid(row) && is_rule_of_view(row, result))
		result->view = ((Form_pg_rewrite) GETSTRUCT(row))->ev_class;
	return result;
}

/*
 * Reads the view of a rule, for a view of another role (or InvalidOid), within the limits of a
 * search; false if it is anything else.
 */
static bool
read_rule(Oid rule, const EvSearch *search, Oid asker, View *view)
{
	TupleDesc	descriptor;
	HeapTuple	row = row_of(RewriteRelationId, RewriteOidIndexId, Anum_pg_rewrite_oid, rule, &descriptor);
	ViewOfRule	of;
	Node	   *queries;
	FromExpr   *from;

	view->is_unread = false;
	if (!HeapTupleIsValid(row) || !is_rule_of_view(row, &of))
		return false;
	view->oid = ((Form_pg_rewrite) GETSTRUCT(row))->ev_class;
	view->owner = of.owner;
	queries = node_in(row, Anum_pg_rewrite_ev_action, descriptor, search, view->owner, OidIsValid(asker) ? asker : view->owner, &view->is_unread);
	if (queries == NULL || !IsA(queries, List) || list_length((List *) queries) != 1)
		return false;
	view->query = linitial_node(Query, (List *) queries);
	from = view->query->jointree;
	if (view->query->setOperations != NULL || view->query->groupClause != NIL || view->query->hasAggs ||
		view->query->distinctClause != NIL || view->query->limitCount != NULL || view->query->limitOffset != NULL ||
		list_length(from->fromlist) != 1 || !IsA(linitial(from->fromlist), RangeTblRef))
		return false;
	view->index = linitial_node(RangeTblRef, from->fromlist)->rtindex;
	if (rt_fetch(view->index, view->query->rtable)->rtekind != RTE_RELATION)
		return false;
	view->base = rt_fetch(view->index, view->query->rtable)->relid;
	return true;
}

/*
 * Can a view be over one relation alone, on which it depends?  It is, if the view is not
 * parsed.  A view is read once in a search.
 */
static bool
may_be_over(const EvSearch *search, ViewOfRule *of, Oid relation)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	View		view;

	if (of->is_read)
		return of->is_unread || of->base == relation;
	context = AllocSetContextCreate(caller, "event_validate rule", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	of->base = read_rule(of->rule, search, InvalidOid, &view) ? view.base : InvalidOid;
	of->is_read = true;
	of->is_unread = view.is_unread;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return of->is_unread || of->base == relation;
}

Oid
ev_rule_of_view(Oid view)
{
	HeapTuple	row = SearchSysCache2(RULERELNAME, ObjectIdGetDatum(view), CStringGetDatum(ViewSelectRuleName));
	Oid			rule;

	if (!HeapTupleIsValid(row))
		return InvalidOid;
	rule = ((Form_pg_rewrite) GETSTRUCT(row))->oid;
	ReleaseSysCache(row);
	return rule;
}

/* Reads a view by the OID of the relation, as read_rule() does. */
static bool
read_view(Oid relation, const EvSearch *search, Oid asker, View *view)
{
	Oid			rule = ev_rule_of_view(relation);

	view->is_unread = false;
	return OidIsValid(rule) && read_rule(rule, search, asker, view);
}

/* Returns "local" or "cascaded"; NULL if a view has no CHECK OPTION. */
static char *
check_option(Oid view)
{
	HeapTuple	row = SearchSysCache1(RELOID, ObjectIdGetDatum(view));
	char	   *result = NULL;
	bool		is_null;
	Datum		options;
	ListCell   *cell;

	if (!HeapTupleIsValid(row))
		return NULL;
	options = SysCacheGetAttr(RELOID, row, Anum_pg_class_reloptions, &is_null);
	if (!is_null)
		foreach(cell, untransformRelOptions(options))
			if (strcmp(lfirst_node(DefElem, cell)->defname, "check_option") == 0)
			result = pstrdup(defGetString(lfirst_node(DefElem, cell)));
	ReleaseSysCache(row);
	return result;
}

/* The search for a view with CASCADED over another one. */
typedef struct Above
{
	const EvSearch *search;
	Oid			owner;			/* views of roles without this one's rights do
								 * not count */
	int			seen;
	List	   *rules;			/* OIDs of the dependents of one view */
} Above;

static void
note_rule(Form_pg_depend dependent, void *context)
{
	if (dependent->classid == RewriteRelationId)
		((Above *) context)->rules = lappend_oid(((Above *) context)->rules, dependent->objid);
}

/* Is a condition of the view enforced, by its own option or by that of a view over it? */
static bool
is_enforced(Oid oid, bool only_cascaded, Above *above)
{
	char	   *option = check_option(oid);
	List	   *rules;
	ListCell   *cell;

	check_stack_depth();
	if (option != NULL && (!only_cascaded || pg_strcasecmp(option, "cascaded") == 0))
		return true;
	above->rules = NIL;
	ev_for_each_dependent(RelationRelationId, oid, note_rule, above);
	rules = above->rules;
	list_sort(rules, list_oid_cmp);
	list_deduplicate_oid(rules);
	foreach(cell, rules)
	{
		ViewOfRule *view = find_view(above->search, lfirst_oid(cell));

		CHECK_FOR_INTERRUPTS();
		if (!OidIsValid(view->view) || view->view == oid || !has_privs_of_role(view->owner, above->owner) ||
			!may_be_over(above->search, view, oid))
			continue;
		/* many views can be below the same ones */
		if (view->asked_for != above->owner)
		{
			view->is_cascaded = ++above->seen > MOST_ABOVE || is_enforced(view->view, true, above);
			view->asked_for = above->owner;
		}
		if (view->is_cascaded)
			return true;
	}
	return false;
}

/* Puts the columns of a view in the places of those of the view over it. */
typedef struct Columns
{
	List	   *target_list;
	int			nodes;			/* of what was put there */
	bool		failed;
} Columns;

static bool
count_nodes_walker(Node *node, void *context)
{
	int		   *count = (int *) context;

	CHECK_FOR_INTERRUPTS();
	if (node == NULL || *count > MOST_NODES)
		return *count > MOST_NODES;
	++*count;
	return expression_tree_walker(node, count_nodes_walker, context);
}

static Node *
columns_mutator(Node *node, void *context)
{
	Columns    *columns = (Columns *) context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		TargetEntry *entry = get_tle_by_resno(columns->target_list, castNode(Var, node)->varattno);

		if (entry == NULL || castNode(Var, node)->varlevelsup != 0 ||
			count_nodes_walker((Node *) entry->expr, &columns->nodes))
		{
			columns->failed = true;
			return copyObject(node);
		}
		return copyObject((Node *) entry->expr);
	}
	return expression_tree_mutator(node, columns_mutator, context);
}

/*
 * Returns the condition of a view over the rows of a table (Vars of varno 1), and that
 * table; NULL if there is none, or if a role without the rights of the table's owner
 * may have written it, or if a view was not parsed (*is_unread).
 */
static Node *
view_expression(Oid oid, const EvSearch *search, Oid *table, bool *is_unread)
{
	View		view;
	Columns		columns = {0};
	List	   *owners;
	ListCell   *cell;
	Node	   *expression;

	if (!read_view(oid, search, InvalidOid, &view) || view.query->jointree->quals == NULL)
	{
		*is_unread = view.is_unread;
		return NULL;
	}
	*is_unread = false;
	expression = view.query->jointree->quals;
	owners = list_make1_oid(view.owner);
	while (get_rel_relkind(view.base) == RELKIND_VIEW)
	{
		CHECK_FOR_INTERRUPTS();
		if (list_length(owners) > MOST_LEVELS || checkExprHasSubLink(expression) || !read_view(view.base, search, linitial_oid(owners), &view))
		{
			*is_unread = view.is_unread;
			return NULL;
		}
		columns.target_list = view.query->targetList;
		expression = columns_mutator(expression, &columns);
		if (columns.failed)
			return NULL;
		owners = lappend_oid(owners, view.owner);
	}
	*table = view.base;
	foreach(cell, owners)
		if (!has_privs_of_role(lfirst_oid(cell), ev_table_owner(view.base)))
		return NULL;
	expression = copyObject(expression);
	ChangeVarNodes(expression, view.index, 1, 0);
	return expression;
}

/* ---------- sites ---------- */

/*
 * Adds a site for a table, and for each partition and child; none if its owner has too
 * many already, of which one says so.
 */
static void
add_members(EvSearch *search, EvSite *site)
{
	Oid			owner = ev_table_owner(site->declared);
	List	   *members;
	ListCell   *cell;

	if (!OidIsValid(owner) || ev_search_is_full(search->counts, owner))
		return;
	members = ev_table_members(site->declared);
	foreach(cell, members)
	{
		CHECK_FOR_INTERRUPTS();
		site->relation = lfirst_oid(cell);
		ev_site_add(search, site);
	}
	list_free(members);
}

static bool
policy_applies(Oid policy, EvSearch *search)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "event_validate policy", ALLOCSET_DEFAULT_SIZES);
	bool		is_unread;
	bool		result = false;
	ListCell   *cell;

	MemoryContextSwitchTo(context);
	foreach(cell, policy_expressions(policy, search, &is_unread))
		result |= ev_expression_may_apply(lfirst(cell), search);
	/* it depends on one of the functions, or would not be asked about */
	result |= is_unread;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return result;
}

static void
add_policy(Form_pg_depend dependent, void *context)
{
	EvSearch   *search = (EvSearch *) context;
	EvSite		site = {.policy = dependent->objid};
	TupleDesc	descriptor;
	HeapTuple	row;

	CHECK_FOR_INTERRUPTS();
	if (dependent->classid != PolicyRelationId || !ev_oid_set_add(search->policies, dependent->objid))
		return;
	row = policy_row(site.policy, &descriptor);
	if (!HeapTupleIsValid(row))
		return;
	site.declared = ((Form_pg_policy) GETSTRUCT(row))->polrelid;
	if (policy_applies(site.policy, search))
		add_members(search, &site);
}

/* What is known of a view whose condition is enforced. */
typedef enum Enforced
{
	CALLS_NOTHING,
	CALLS_THEM,
	IS_UNREAD
} Enforced;

/* Does the condition of a view of a rule call functions of the search, and is it enforced? */
static Enforced
look_at_view(Oid rule, EvSearch *search, EvSite *site)
{
	const ViewOfRule *view = find_view(search, rule);
	Above		above = {.search = search, .owner = view->owner};
	Node	   *expression;
	bool		is_unread;

	if (!OidIsValid(view->view) || !is_enforced(view->view, false, &above))
		return CALLS_NOTHING;
	site->view = view->view;
	expression = view_expression(view->view, search, &site->declared, &is_unread);
	if (is_unread)
		return IS_UNREAD;
	return expression != NULL && ev_expression_may_apply(expression, search) ? CALLS_THEM : CALLS_NOTHING;
}

/* Returns the relations that a view depends on. */
static List *
relations_of_view(Oid view)
{
	Relation	pg_depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *result = NIL;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(RewriteRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(ev_rule_of_view(view)));
	scan = systable_beginscan(pg_depend, DependDependerIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		CHECK_FOR_INTERRUPTS();
		if (form->refclassid == RelationRelationId && form->refobjid != view)
			result = lappend_oid(result, form->refobjid);
	}
	systable_endscan(scan);
	table_close(pg_depend, AccessShareLock);
	list_sort(result, list_oid_cmp);
	list_deduplicate_oid(result);
	return result;
}

/*
 * Adds the tables over which a view can be that is not parsed: those that it depends on, also
 * through views, and whose owner's rights its owner has.  The look at a table parses it.
 */
static void
add_possible_tables(EvSearch *search, const EvSite *unread)
{
	Oid			owner = ev_table_owner(unread->view);
	HTAB	   *met = ev_oid_set();
	List	   *views = list_make1_oid(unread->view);

	for (int i = 0; i < list_length(views); i++)
	{
		List	   *relations = relations_of_view(list_nth_oid(views, i));
		ListCell   *cell;

		foreach(cell, relations)
		{
			Oid			relation = lfirst_oid(cell);
			EvSite		site = {.view = unread->view, .declared = relation};

			CHECK_FOR_INTERRUPTS();
			if (!ev_oid_set_add(met, relation))
				continue;
			if (get_rel_relkind(relation) == RELKIND_VIEW)
				views = lappend_oid(views, relation);
			else if (OidIsValid(ev_table_owner(relation)) && has_privs_of_role(owner, ev_table_owner(relation)))
				add_members(search, &site);
		}
		list_free(relations);
	}
	hash_destroy(met);
	list_free(views);
}

static void
add_view(Form_pg_depend dependent, void *context)
{
	EvSearch   *search = (EvSearch *) context;
	EvSite		site = {0};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext rule;
	Enforced	enforced;

	CHECK_FOR_INTERRUPTS();
	if (dependent->classid != RewriteRelationId || !ev_oid_set_add(search->rules, dependent->objid))
		return;
	/* the conditions of others' views may be many, and long */
	rule = AllocSetContextCreate(caller, "event_validate view", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(rule);
	enforced = look_at_view(dependent->objid, search, &site);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(rule);
	if (enforced == CALLS_THEM)
		add_members(search, &site);
	else if (enforced == IS_UNREAD)
		add_possible_tables(search, &site);
}

static void
add_users(EvSearch *search, Oid function)
{
	if (!OidIsValid(function))
		return;
	ev_for_each_dependent(ProcedureRelationId, function, add_policy, search);
	ev_for_each_dependent(ProcedureRelationId, function, add_view, search);
}

void
ev_find_rule_sites(EvSearch *search)
{
	HASHCTL		by_rule = {.keysize = sizeof(Oid), .entrysize = sizeof(ViewOfRule), .hcxt = CurrentMemoryContext};
	ListCell   *cell;

	search->policies = ev_oid_set();
	search->rules = ev_oid_set();
	search->views = hash_create("event_validate views", 64, &by_rule, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int i = 0; i < (int) lengthof(search->functions.oids) && !search->is_for_unread; i++)
		add_users(search, search->functions.oids[i]);
	foreach(cell, search->wrappers)
		add_users(search, lfirst_oid(cell));
	if (search->unread == NULL || search->is_for_unread)
		return;
	ev_find_rule_sites(search->unread);
	/* at the end: what is known is looked at first */
	search->sites = list_concat(search->sites, search->unread->sites);
}

/* ---------- expressions ---------- */

/* From the columns of a table to those of a partition or child. */
typedef struct TableMember
{
	Oid			from;
	Oid			to;
} TableMember;

static Node *
member_mutator(Node *node, void *context)
{
	const TableMember *member = (const TableMember *) context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var) && castNode(Var, node)->varlevelsup == 0)
	{
		Var		   *column = copyObject(castNode(Var, node));
		char	   *name = get_attname(member->from, column->varattno, true);

		if (column->varattno > 0)
			column->varattno = name != NULL ? get_attnum(member->to, name) : InvalidAttrNumber;
		if (column->varattno == InvalidAttrNumber || get_atttype(member->to, column->varattno) != column->vartype)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("a condition of table %s cannot be evaluated for table %s",
							ev_table_name(member->from), ev_table_name(member->to))));
		return (Node *) column;
	}
	return expression_tree_mutator(node, member_mutator, context);
}

List *
ev_site_expressions(const EvSite *site)
{
	TableMember member = {site->declared, site->relation};
	Node	   *expression;
	Oid			table;
	bool		is_unread;

	if (OidIsValid(site->policy))
	{
		List	   *expressions = policy_expressions(site->policy, NULL, &is_unread);

		return member.from == member.to ? expressions : castNode(List, member_mutator((Node *) expressions, &member));
	}
	expression = OidIsValid(site->view) ? view_expression(site->view, NULL, &table, &is_unread) : ev_check_expression(site->constraint);
	if (expression == NULL || (OidIsValid(site->view) && table != site->declared))
		return NIL;				/* it was dropped or changed in the meantime */
	return list_make1(OidIsValid(site->view) && member.from != member.to ? member_mutator(expression, &member) : expression);
}
