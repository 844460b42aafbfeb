/*
 * widen.c
 *	  May a published schema be replaced by a wider one?
 *
 * The schema's function is IMMUTABLE, so PostgreSQL stores its results: in
 * indexes, in generated columns, in the choice of a partition.  A wider schema
 * would make these results wrong, so none of them may depend on the function.
 * A CHECK constraint may, if more accepted events cannot make it false: the
 * rows that it accepted still satisfy it.  CHECK (NOT ...) is different.
 * Schemas that refer to this one become wider with it, so the same rules apply
 * to their functions.
 *
 * Any role may use the function in an object of its own, and could so prevent
 * the replacement.  Therefore a WARNING names the objects of roles without
 * CREATE on event_schema, and they do not prevent it.  Temporary objects are
 * ignored.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "changes/changes.h"
#include "compile/metaschema_check.h"
#include "evolution/compatibility.h"
#include "evolution/widen.h"
#include "registry/claims.h"
#include "registry/dependents.h"
#include "registry/function_row.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "rows/table_rights.h"

/* The maximum number of objects in the WARNING. */
#define NAMED_OBJECTS	20

/* ---------- users of a function ---------- */

typedef struct Users
{
	Oid			language;
	Oid			function;		/* that is to be replaced */
	List	   *functions;		/* OIDs of the function and of those that
								 * depend on it */
	HTAB	   *met;			/* the same as a set */
	List	   *schemas;		/* those of them in language jsonschema that
								 * count */
	List	   *constraints;	/* OIDs of constraints that depend on them */
	List	   *reasons;		/* char *, a line each */
	List	   *passed;			/* char *: objects that do not count */
	int			more_passed;	/* and how many are not in the list */
} Users;

/* Returns the owner of an object; InvalidOid if it is temporary or does not exist any more. */
static Oid
owner_of(Oid class, Oid object)
{
	Oid			relation = InvalidOid;
	HeapTuple	tuple;
	Oid			result = InvalidOid;

	switch (class)
	{
		case RelationRelationId:
			relation = object;
			break;
		case AttrDefaultRelationId:
			relation = GetAttrDefaultColumnAddress(object).objectId;
			break;
		case ConstraintRelationId:
			tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(object));
			if (!HeapTupleIsValid(tuple))
				return InvalidOid;
			relation = ((Form_pg_constraint) GETSTRUCT(tuple))->conrelid;
			object = ((Form_pg_constraint) GETSTRUCT(tuple))->contypid;
			ReleaseSysCache(tuple);
			if (OidIsValid(relation))
				break;
			tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(object));
			if (!HeapTupleIsValid(tuple))
				return InvalidOid;
			if (!isAnyTempNamespace(((Form_pg_type) GETSTRUCT(tuple))->typnamespace))
				result = ((Form_pg_type) GETSTRUCT(tuple))->typowner;
			ReleaseSysCache(tuple);
			return result;
		case ProcedureRelationId:
			tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(object));
			if (!HeapTupleIsValid(tuple))
				return InvalidOid;
			if (!isAnyTempNamespace(((Form_pg_proc) GETSTRUCT(tuple))->pronamespace))
				result = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
			ReleaseSysCache(tuple);
			return result;
		default:
			break;
	}
	if (!OidIsValid(relation) || isAnyTempNamespace(get_rel_namespace(relation)))
		return InvalidOid;
	return ev_table_owner(relation);
}

/* Does an object count?  One that does not is noted, unless it is temporary. */
static bool
counts(Users *users, Oid class, Oid object, int32 sub_object)
{
	Oid			owner = owner_of(class, object);
	ObjectAddress address;

	if (!OidIsValid(owner))
		return false;
	if (ev_ownership_counts(owner, users->function))
		return true;
	ObjectAddressSubSet(address, class, object, sub_object);
	if (list_length(users->passed) < NAMED_OBJECTS)
		users->passed = lappend(users->passed, getObjectDescription(&address, false));
	else
		users->more_passed++;
	return false;
}

static void
add_reason(Users *users, Oid class, Oid object, int32 sub_object, const char *why)
{
	ObjectAddress address;

	if (!counts(users, class, object, sub_object))
		return;
	ObjectAddressSubSet(address, class, object, sub_object);
	users->reasons = lappend(users->reasons, psprintf("%s %s", getObjectDescription(&address, false), why));
}

static int
compare_reasons(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* Joins the reasons in a fixed order, since pg_depend has no order. */
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

/* The context of an expression. */
typedef struct Polarity
{
	const Users *users;
	bool		accepts;		/* a true answer is needed here */
	bool		bad;			/* a function is used where a true answer is
								 * not needed */
} Polarity;

static bool
calls_schema(Node *node, const Users *users)
{
	return IsA(node, FuncExpr) && list_member_oid(users->schemas, ((FuncExpr *) node)->funcid);
}

static bool
calls_user(Node *node, const Users *users)
{
	return IsA(node, FuncExpr) && hash_search(users->met, &((FuncExpr *) node)->funcid, HASH_FIND, NULL) != NULL;
}

static bool
check_polarity(Node *node, void *context)
{
	Polarity   *polarity = context;

	if (node == NULL)
		return false;
	check_stack_depth();

	/* expressions that pass a true answer on */
	if (polarity->accepts)
	{
		if (calls_schema(node, polarity->users))
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

	/* anywhere else, no function may be used */
	if (calls_user(node, polarity->users))
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
 * Does a CHECK constraint stay true if the schemas accept more?  The effect of
 * their answers in a function in another language is not known.
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

static bool
is_registered(Form_pg_proc form)
{
	return form->pronamespace == ev_namespace_oid();
}

static void
look_at_function(Users *users, Oid function)
{
	HeapTuple	tuple;
	Form_pg_proc form;
	bool		is_met;

	(void) hash_search(users->met, &function, HASH_ENTER, &is_met);
	if (is_met)
		return;
	users->functions = lappend_oid(users->functions, function);
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prolang == users->language &&
		(is_registered(form) || counts(users, ProcedureRelationId, function, 0)))
		users->schemas = lappend_oid(users->schemas, function);
	ReleaseSysCache(tuple);
}

static void
look_at_user(Form_pg_depend dependent, void *context)
{
	Users	   *users = (Users *) context;
	Oid			class = dependent->classid;
	Oid			object = dependent->objid;
	ObjectAddress column;

	switch (class)
	{
		case RelationRelationId:

			/*
			 * an index, a generated column, or a partitioned table by its key
			 */
			add_reason(users, class, object, dependent->objsubid, "stores its answers.");
			break;
		case AttrDefaultRelationId:
			column = GetAttrDefaultColumnAddress(object);
			if (OidIsValid(column.objectId) &&
				get_attgenerated(column.objectId, column.objectSubId) != '\0')
				add_reason(users, column.classId, column.objectId, column.objectSubId, "stores its answers.");
			break;
		case ConstraintRelationId:
			users->constraints = lappend_oid(users->constraints, object);
			break;
		case ProcedureRelationId:
			look_at_function(users, object);
			break;
		default:
			break;
	}
}

/*
 * Adds the documents that refer to a function's document, including those that
 * pg_depend does not record.
 */
static void
look_at_referrers(Users *users, Oid function)
{
	HeapTuple	row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	EvDocument	document;
	EvFault		fault;
	ListCell   *cell;

	if (!HeapTupleIsValid(row))
		return;
	if (is_registered((Form_pg_proc) GETSTRUCT(row)) &&
		ev_function_document(row, &document, &fault))
		foreach(cell, ev_claims_referrers(ev_claims_names(&document), function))
			look_at_function(users, ((EvReferrer *) lfirst(cell))->function);
	ReleaseSysCache(row);
}

/* Finds the objects that use a function, and the functions that use it. */
static void
find_users(Users *users, Oid function)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(Oid), .hcxt = CurrentMemoryContext};
	ListCell   *cell;

	users->met = hash_create("event_validate users of a schema", 64, &control,
							 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	look_at_function(users, function);
	for (int i = 0; i < list_length(users->functions); i++)
	{
		Oid			used = list_nth_oid(users->functions, i);

		CHECK_FOR_INTERRUPTS();
		ev_for_each_dependent(ProcedureRelationId, used, look_at_user, users);
		if (list_member_oid(users->schemas, used))
			look_at_referrers(users, used);
	}

	/*
	 * an object that calls it twice, or calls two of them, is in the list
	 * twice
	 */
	list_sort(users->constraints, list_oid_cmp);
	list_deduplicate_oid(users->constraints);
	foreach(cell, users->constraints)
	{
		CHECK_FOR_INTERRUPTS();
		if (!stays_true(lfirst_oid(cell), users))
			add_reason(users, ConstraintRelationId, lfirst_oid(cell), 0, "may no longer be true.");
	}
}

/* ---------- proofs ---------- */

/*
 * The document that replaces another one, and the one that it replaces, for the resolvers.
 * The function can have either of them now.
 */
static const EvDocument *coming;
static const EvDocument *going;

/* Lets a document be the given one, if it is that of the same function. */
static void
take_document(EvDocument *document, const EvDocument *instead)
{
	if (instead == NULL || document->function != instead->function)
		return;
	document->schema = instead->schema;
	document->assert_format = instead->assert_format;
	document->except_formats = instead->except_formats;
}

static bool
resolve_coming(const char *uri, EvDocument *document)
{
	if (!ev_registry_resolve(uri, document))
		return false;
	take_document(document, coming);
	return true;
}

static bool
resolve_going(const char *uri, EvDocument *document)
{
	if (!ev_registry_resolve(uri, document))
		return false;
	take_document(document, going);
	return true;
}

/* Adds the changes that are not proved to the reasons. */
static void
prove_wider(const EvDocument *old, const EvDocument *new, const char *prefix, int64 *work, StringInfo reasons)
{
	EvVerdict	forward;
	List	   *changes;
	char	   *found;

	ev_compare_schemas_resolved(old, resolve_going, new, resolve_coming, false, work, &forward, &changes);
	found = ev_compatibility_reasons(changes, false, prefix);
	if (found != NULL)
		appendStringInfo(reasons, "%s%s", reasons->len > 0 ? "\n" : "", found);
}

/* Names the objects that do not count. */
static void
warn_of_passed(const Users *users, const char *name)
{
	StringInfoData list;

	if (users->passed == NIL)
		return;
	initStringInfo(&list);
	appendStringInfoString(&list, join_reasons(users->passed));
	if (users->more_passed > 0)
		appendStringInfo(&list, "\nand %d more", users->more_passed);
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("event schema \"%s\" is widened although objects of other roles use its answers", name),
			 errdetail_internal("%s", list.data),
			 errhint("Their owners do not have CREATE on schema %s. They should check these objects, and rebuild indexes and generated columns.",
					 EV_SCHEMA_NAMESPACE)));
}

EvReplacement
ev_widen_compare(const EvDocument *old, const EvDocument *new)
{
	EvFault		fault = {0};
	volatile EvReplacement result = EV_REPLACEMENT_OTHER;

	coming = new;
	going = old;
	PG_TRY();
	{
		if (ev_compile_checked(old, resolve_going, &fault, NULL, NULL) != NULL &&
			ev_compile_checked(new, resolve_coming, &fault, NULL, NULL) != NULL)
		{
			int64		work = EV_COMPARISON_WORK;
			EvVerdict	backward;
			EvVerdict	forward;
			List	   *changes;

			backward = ev_compare_schemas_resolved(old, resolve_going, new, resolve_coming, false, &work,
												   &forward, &changes);
			if (backward == EV_COMPATIBLE)
				result = EV_REPLACEMENT_WIDER;
			else if (forward == EV_COMPATIBLE)
				result = EV_REPLACEMENT_NARROWER;
		}
	}
	PG_FINALLY();
	{
		coming = going = NULL;
	}
	PG_END_TRY();
	return result;
}

void
ev_widen_check(const EvDocument *old, const EvDocument *new)
{
	Users		users = {.language = ev_language_oid(), .function = old->function};
	StringInfoData reasons;
	int64		work = EV_COMPARISONS_WORK;
	ListCell   *cell;

	initStringInfo(&reasons);
	find_users(&users, old->function);

	coming = new;
	going = old;
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
		coming = going = NULL;
	}
	PG_END_TRY();

	if (reasons.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event schema \"%s\" would not accept all events that it accepts now", old->name),
				 errdetail_internal("%s", reasons.data),
				 errhint("A published schema can only become wider, and that must be proved. Register the next version with register_event_schema.%s",
						 strstr(reasons.data, "(PATTERN_CHANGED") != NULL ? " " EV_PATTERN_IDIOM : "")));
	if (users.reasons != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot widen event schema \"%s\" because other objects depend on its answers", old->name),
				 errdetail_internal("%s", join_reasons(users.reasons)),
				 errhint("Drop them first and create them again afterwards, or register the next version with register_event_schema.")));
	warn_of_passed(&users, old->name);
}
