/*
 * view_followers.c
 *	  The views of create_event_view that were made to show the latest version.
 *
 * A view shows one version.  The role that registers the next one often may not replace
 * the view, which belongs to another role and has readers of its own, so a NOTICE has
 * the call that does.
 *
 * create_event_view writes the arguments of its call into the condition of such a view, as
 * an array that is compared with NULL after "true OR".  What is in it is data: the call
 * is written here, and quoted.  Expressions of another role are left out, since the reader
 * would run the call.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "evolution/view_followers.h"
#include "registry/dependents.h"
#include "registry/extension_objects.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "rows/table_rights.h"

/* So many views are named. */
#define NAMED_VIEWS		20

/* The arguments in a view, and their defaults. */
static const struct
{
	const char *name;
	const char *by_default;
}			arguments[] = {
	{"data_expr", "data"},
	{"type_expr", "event_type"},
	{"version_expr", "schema_version"},
	{"integer_type", "bigint"},
};

/* The search for views. */
typedef struct Followers
{
	Oid			function;		/* of the version that they show */
	List	   *rules;			/* OIDs */
} Followers;

static void
look_at_dependent(Form_pg_depend dependent, void *context)
{
	Followers  *followers = context;

	CHECK_FOR_INTERRUPTS();
	if (dependent->classid == RewriteRelationId)
		followers->rules = lappend_oid(followers->rules, dependent->objid);
}

/* Finds the array of arguments in a condition. */
static bool
find_arguments(Node *node, void *context)
{
	ArrayExpr **found = context;

	if (node == NULL || *found != NULL)
		return false;
	if (IsA(node, NullTest) && ((NullTest *) node)->arg != NULL && IsA(((NullTest *) node)->arg, ArrayExpr))
	{
		ArrayExpr  *array = castNode(ArrayExpr, ((NullTest *) node)->arg);
		ListCell   *cell;

		if (list_length(array->elements) != (int) lengthof(arguments))
			return false;
		foreach(cell, array->elements)
			if (!IsA(lfirst(cell), Const) || lfirst_node(Const, cell)->consttype != TEXTOID ||
				lfirst_node(Const, cell)->constisnull)
			return false;
		*found = array;
		return false;
	}
	check_stack_depth();
	return expression_tree_walker(node, find_arguments, context);
}

/* Returns the qualified name of a relation; NULL if it does not exist any more. */
static char *
qualified_name(Oid relation)
{
	char	   *name = get_rel_name(relation);
	char	   *schema = get_namespace_name(get_rel_namespace(relation));

	return name != NULL && schema != NULL ? quote_qualified_identifier(schema, name) : NULL;
}

/* Returns the relation of which a query is a view. */
static Oid
source_of(const Query *query, Oid view)
{
	ListCell   *cell;

	foreach(cell, query->rtable)
	{
		const RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);

		if (entry->rtekind == RTE_RELATION && entry->relid != view)
			return entry->relid;
	}
	return InvalidOid;
}

/*
 * Returns the call that creates a view anew; NULL if it does not follow the latest
 * version.  *is_foreign: the call has an expression of a role without the rights of the
 * current user; to parse it can run code.
 */
static char *
call_of(const Query *query, Oid view, Oid owner, const char *type, bool *is_foreign)
{
	ArrayExpr  *array = NULL;
	char	   *view_name = qualified_name(view);
	char	   *source = qualified_name(source_of(query, view));
	StringInfoData call;

	*is_foreign = false;
	if (query->jointree != NULL)
		(void) find_arguments(query->jointree->quals, &array);
	if (array == NULL || view_name == NULL || source == NULL)
		return NULL;
	initStringInfo(&call);
	appendStringInfo(&call, "SELECT %s(%s, %s, %s",
					 quote_qualified_identifier(get_namespace_name(ev_extension_namespace()), "create_event_view"),
					 quote_literal_cstr(view_name), quote_literal_cstr(source), quote_literal_cstr(type));
	for (int i = 0; i < (int) lengthof(arguments); i++)
	{
		char	   *value = TextDatumGetCString(list_nth_node(Const, array->elements, i)->constvalue);

		if (strcmp(value, arguments[i].by_default) == 0)
			continue;
		appendStringInfo(&call, ", %s => %s", arguments[i].name, quote_literal_cstr(value));
		/* a name is not code */
		if (value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
			*is_foreign = !has_privs_of_role(owner, GetUserId());
	}
	appendStringInfoString(&call, ")");
	return call.data;
}

/* Returns the row of a rule, as a copy in CurrentMemoryContext; NULL if there is none. */
static HeapTuple
rule_row(Oid rule)
{
	Relation	pg_rewrite = table_open(RewriteRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, Anum_pg_rewrite_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(rule));
	scan = systable_beginscan(pg_rewrite, RewriteOidIndexId, true, NULL, 1, &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		row = heap_copytuple(row);
	systable_endscan(scan);
	table_close(pg_rewrite, AccessShareLock);
	return row;
}

/* Gives the NOTICE for the view of a rule, if it is one; returns whether it did. */
static bool
notice(Oid rule, Oid function, const char *name, int type_length, int32 shown)
{
	HeapTuple	row = rule_row(rule);
	Relation	pg_rewrite;
	Oid			view;
	Oid			owner;
	bool		is_null;
	Datum		action;
	Node	   *queries;
	char	   *call;
	bool		is_foreign;

	if (!HeapTupleIsValid(row))
		return false;
	view = ((Form_pg_rewrite) GETSTRUCT(row))->ev_class;
	owner = ev_table_owner(view);
	if (get_rel_relkind(view) != RELKIND_VIEW || !OidIsValid(owner) || !ev_ownership_counts(owner, function))
		return false;
	pg_rewrite = table_open(RewriteRelationId, AccessShareLock);
	action = heap_getattr(row, Anum_pg_rewrite_ev_action, RelationGetDescr(pg_rewrite), &is_null);
	table_close(pg_rewrite, AccessShareLock);
	if (is_null)
		return false;
	queries = stringToNode(TextDatumGetCString(action));
	if (queries == NULL || !IsA(queries, List) || list_length((List *) queries) != 1)
		return false;
	call = call_of(linitial_node(Query, (List *) queries), view, owner, pnstrdup(name, type_length), &is_foreign);
	if (call == NULL)
		return false;
	ereport(NOTICE,
			(errmsg("view %s still shows events \"%s\" as version %d", qualified_name(view),
					pnstrdup(name, type_length), shown),
			 is_foreign ? errhint("To show version %s, its owner, role \"%s\", calls create_event_view again.",
								  name + type_length + 1, GetUserNameFromId(owner, false)) :
			 errhint("To show version %s: %s.", name + type_length + 1, call)));
	return true;
}

void
ev_view_followers_notice(const char *name)
{
	int			type_length;
	int32		version;
	List	   *versions;
	List	   *functions;
	int			named = 0;

	if (!ev_parse_event_name(name, &type_length, &version))
		return;
	functions = ev_registry_list(name, type_length, &versions);
	if (versions == NIL || llast_int(versions) > version)
		return;
	for (int i = list_length(versions) - 1; i >= 0; i--)
	{
		Followers	followers = {.function = list_nth_oid(functions, i)};
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		if (list_nth_int(versions, i) == version)
			continue;
		ev_for_each_dependent(ProcedureRelationId, followers.function, look_at_dependent, &followers);
		list_sort(followers.rules, list_oid_cmp);
		list_deduplicate_oid(followers.rules);
		foreach(cell, followers.rules)
		{
			CHECK_FOR_INTERRUPTS();
			if (notice(lfirst_oid(cell), followers.function, name, type_length, list_nth_int(versions, i)) &&
				++named == NAMED_VIEWS)
				return;
		}
	}
}
