/*
 * widen.c
 *	  May a published schema be replaced by a wider one?
 *
 * Its function is IMMUTABLE, and PostgreSQL keeps results of it: in indexes,
 * in generated columns, in the choice of a partition.  So nothing of the kind
 * may use it.  A CHECK constraint has looked at rows and let them pass; it
 * still holds where the schema accepts more, if the constraint wants it to
 * accept: not in CHECK (NOT ...).  Schemas that refer to this one change with
 * it, and the same is asked of each.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "changes/changes.h"
#include "evolution/compatibility.h"
#include "evolution/widen.h"
#include "registry/claims.h"
#include "registry/function_row.h"
#include "registry/schema_cache.h"

/* ---------- users of a function ---------- */

typedef struct Users
{
	Oid			language;
	List	   *functions;		/* OIDs of the function and of those that
								 * depend on it */
	List	   *schemas;		/* those of them in language jsonschema */
	List	   *reasons;		/* char *, a line each */
} Users;

static void
add_reason(Users *users, Oid class, Oid object, int32 sub_object, const char *why)
{
	ObjectAddress address;

	ObjectAddressSubSet(address, class, object, sub_object);
	users->reasons = lappend(users->reasons, psprintf("%s %s", getObjectDescription(&address, false), why));
}

static int
compare_reasons(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* The reasons in a fixed order: pg_depend has its rows in any. */
static char *
join_reasons(List *reasons)
{
	StringInfoData result;
	ListCell   *cell;

	list_sort(reasons, compare_reasons);
	initStringInfo(&result);
	foreach(cell, reasons)
		appendStringInfo(&result, "%s%s", result.len > 0 ? "\n" : "", (char *) lfirst(cell));
	return result.data;
}

/* What is known of the place of an expression. */
typedef struct Polarity
{
	const Users *users;
	bool		accepts;		/* true answers are wanted here */
	bool		bad;			/* a function stands where that is not so */
} Polarity;

static bool
calls(Node *node, const List *functions)
{
	return IsA(node, FuncExpr) && list_member_oid(functions, ((FuncExpr *) node)->funcid);
}

static bool
check_polarity(Node *node, void *context)
{
	Polarity   *polarity = context;

	if (node == NULL)
		return false;
	check_stack_depth();

	/* what hands a true answer on as it is */
	if (polarity->accepts)
	{
		if (calls(node, polarity->users->schemas))
		{
			Polarity	below = {polarity->users, false, false};

			check_polarity((Node *) ((FuncExpr *) node)->args, &below);
			polarity->bad |= below.bad;
			return false;
		}
		if (IsA(node, BoolExpr) && ((BoolExpr *) node)->boolop != NOT_EXPR)
			return expression_tree_walker(node, check_polarity, polarity);
		if (IsA(node, BooleanTest) && (((BooleanTest *) node)->booltesttype == IS_TRUE ||
									   ((BooleanTest *) node)->booltesttype == IS_NOT_FALSE))
			return check_polarity((Node *) ((BooleanTest *) node)->arg, polarity);
		if (IsA(node, List))
			return expression_tree_walker(node, check_polarity, polarity);
		if (IsA(node, CaseExpr))
		{
			CaseExpr   *expression = (CaseExpr *) node;
			Polarity	condition = {polarity->users, false, false};
			ListCell   *cell;

			check_polarity((Node *) expression->arg, &condition);
			foreach(cell, expression->args)
			{
				CaseWhen   *when = lfirst_node(CaseWhen, cell);

				check_polarity((Node *) when->expr, &condition);
				check_polarity((Node *) when->result, polarity);
			}
			check_polarity((Node *) expression->defresult, polarity);
			polarity->bad |= condition.bad;
			return false;
		}
	}

	/* anywhere else, none may be */
	if (calls(node, polarity->users->functions))
		polarity->bad = true;
	else
	{
		bool		accepts = polarity->accepts;

		polarity->accepts = false;
		expression_tree_walker(node, check_polarity, polarity);
		polarity->accepts = accepts;
	}
	return false;
}

/*
 * Does a CHECK constraint stay true where the schemas accept more?  What a
 * function in another language makes of their answers is not known.
 */
static bool
stays_true(Oid constraint, const Users *users)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Polarity	polarity = {users, true, false};
	bool		is_null;
	Datum		expression;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	expression = SysCacheGetAttr(CONSTROID, tuple, Anum_pg_constraint_conbin, &is_null);
	if (is_null)
		polarity.bad = true;
	else
		check_polarity(stringToNode(TextDatumGetCString(expression)), &polarity);
	ReleaseSysCache(tuple);
	return !polarity.bad;
}

static void
look_at_function(Users *users, Oid function)
{
	HeapTuple	tuple;

	if (list_member_oid(users->functions, function))
		return;
	users->functions = lappend_oid(users->functions, function);
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		return;
	if (((Form_pg_proc) GETSTRUCT(tuple))->prolang == users->language)
		users->schemas = lappend_oid(users->schemas, function);
	ReleaseSysCache(tuple);
}

static void
look_at_user(Users *users, Oid class, Oid object, int32 sub_object, List **constraints)
{
	ObjectAddress column;

	switch (class)
	{
		case RelationRelationId:

			/* an index, a generated column, or a partitioned table by its key */
			add_reason(users, class, object, sub_object, "keeps its answers.");
			break;
		case AttrDefaultRelationId:
			column = GetAttrDefaultColumnAddress(object);
			if (OidIsValid(column.objectId) &&
				get_attgenerated(column.objectId, column.objectSubId) != '\0')
				add_reason(users, column.classId, column.objectId, column.objectSubId, "keeps its answers.");
			break;
		case ConstraintRelationId:
			*constraints = list_append_unique_oid(*constraints, object);
			break;
		case ProcedureRelationId:
			look_at_function(users, object);
			break;
		default:
			break;
	}
}

/* The documents that refer to one, also those that pg_depend does not know. */
static void
look_at_referrers(Users *users, Oid function)
{
	HeapTuple	row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	EvDocument	document;
	EvFault		fault;
	ListCell   *cell;

	if (!HeapTupleIsValid(row))
		return;
	if (((Form_pg_proc) GETSTRUCT(row))->pronamespace == ev_namespace_oid() &&
		ev_function_document(row, &document, &fault))
		foreach(cell, ev_claims_referrers(ev_claims_names(&document), function))
			look_at_function(users, ((EvReferrer *) lfirst(cell))->function);
	ReleaseSysCache(row);
}

/* Who uses a function, and the functions that use it. */
static void
find_users(Users *users, Oid function)
{
	Relation	pg_depend = table_open(DependRelationId, AccessShareLock);
	List	   *constraints = NIL;
	ListCell   *cell;

	look_at_function(users, function);
	for (int i = 0; i < list_length(users->functions); i++)
	{
		ScanKeyData keys[2];
		SysScanDesc scan;
		HeapTuple	tuple;

		CHECK_FOR_INTERRUPTS();
		ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(ProcedureRelationId));
		ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(list_nth_oid(users->functions, i)));
		scan = systable_beginscan(pg_depend, DependReferenceIndexId, true, NULL, 2, keys);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

			look_at_user(users, form->classid, form->objid, form->objsubid, &constraints);
		}
		systable_endscan(scan);
		if (list_member_oid(users->schemas, list_nth_oid(users->functions, i)))
			look_at_referrers(users, list_nth_oid(users->functions, i));
	}
	table_close(pg_depend, AccessShareLock);

	foreach(cell, constraints)
	{
		if (!stays_true(lfirst_oid(cell), users))
			add_reason(users, ConstraintRelationId, lfirst_oid(cell), 0, "may not hold any more.");
	}
}

/* ---------- proofs ---------- */

/* The document that is about to take a name, for the resolver. */
static const EvDocument *coming;

static bool
resolve_coming(const char *uri, EvDocument *document)
{
	if (!ev_registry_resolve(uri, document))
		return false;
	if (coming != NULL && document->function == coming->function)
	{
		document->schema = coming->schema;
		document->assert_format = coming->assert_format;
	}
	return true;
}

/* Adds the unproved changes to the reasons. */
static void
prove_wider(const EvDocument *old, const EvDocument *new, const char *prefix, int64 *work, StringInfo reasons)
{
	EvVerdict	forward;
	List	   *changes;
	char	   *found;

	ev_compare_schemas_resolved(old, ev_registry_resolve, new, resolve_coming, false, work, &forward, &changes);
	found = ev_compatibility_reasons(changes, false, prefix);
	if (found != NULL)
		appendStringInfo(reasons, "%s%s", reasons->len > 0 ? "\n" : "", found);
}

void
ev_widen_check(const EvDocument *old, const EvDocument *new)
{
	Users		users = {.language = ev_language_oid()};
	StringInfoData reasons;
	int64		work = EV_COMPARISONS_WORK;
	ListCell   *cell;

	initStringInfo(&reasons);
	find_users(&users, old->function);

	coming = new;
	PG_TRY();
	{
		prove_wider(old, new, "", &work, &reasons);
		for_each_from(cell, users.schemas, 1)
		{
			HeapTuple	row = SearchSysCache1(PROCOID, ObjectIdGetDatum(lfirst_oid(cell)));
			EvDocument	document;
			EvFault		fault;

			if (!HeapTupleIsValid(row))
				continue;
			if (!ev_function_document(row, &document, &fault))
				ev_fault_report(&fault, document.name);
			ReleaseSysCache(row);
			prove_wider(&document, &document, psprintf("\"%s\", which refers to it, ", document.name), &work,
						&reasons);
		}
	}
	PG_FINALLY();
	{
		coming = NULL;
	}
	PG_END_TRY();

	if (reasons.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event schema \"%s\" would not accept all events that it accepts now", old->name),
				 errdetail_internal("%s", reasons.data),
				 errhint("A published schema can only become wider, and that must be proved. Register the next version with register_event_schema.")));
	if (users.reasons != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot widen event schema \"%s\" because other objects depend on its answers", old->name),
				 errdetail_internal("%s", join_reasons(users.reasons)),
				 errhint("Drop them first and create them again afterwards, or register the next version with register_event_schema.")));
}
