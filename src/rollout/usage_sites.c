/*
 * usage_sites.c
 *	  Where events are checked: what the catalogs say.
 *
 * What calls check_event or validate_event depends on them.  A constraint that
 * calls another function, which calls them, depends on that one only: the
 * functions of the database whose text has these names, or the name of such a
 * function, are looked for first.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
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
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "registry/extension_objects.h"
#include "registry/function_row.h"
#include "rollout/usage_sites.h"
#include "rows/pure_expression.h"
#include "rows/table_rights.h"

/* On how many ways a domain's values are looked for. */
#define MAX_WAYS	1000

/* How deep calls of check_event are looked for in functions that call functions. */
#define MAX_DEPTH	8

/* ---------- calls in expressions ---------- */

static bool
is_wrapper(const Node *node, const EvSearch *search)
{
	return IsA(node, FuncExpr) && list_member_oid(search->wrappers, castNode(FuncExpr, node)->funcid);
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

/*
 * What the arguments of a wrapper say: its only text is the type, its only
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

/* The value of a CASE, or of an array's element, is not there outside of it. */
static bool
has_placeholder_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CaseTestExpr))
		return true;
	return expression_tree_walker(node, has_placeholder_walker, context);
}

/* Does an expression read something from the row, or a domain's value? */
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
	return expression_tree_walker(node, find_calls_walker, context);
}

List *
ev_site_calls(Node *expression, const EvSearch *search)
{
	List	   *terms = is_andclause(expression) ? castNode(BoolExpr, expression)->args : list_make1(expression);
	Calls		found = {search, NIL, NULL};
	ListCell   *cell;

	foreach(cell, terms)
	{
		found.term = lfirst(cell);
		find_calls_walker(found.term, &found);
	}
	return found.calls;
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

/* The ways from columns to the values of a domain. */
typedef struct Ways
{
	EvSearch   *search;
	Oid			constraint;
	Oid			domain;
	int			count;			/* of types met on all ways */
	List	   *met;			/* from when they are too many: each once */
} Ways;

/* One of them, from behind. */
typedef struct TypePath
{
	Ways	   *all;
	Oid			type;
	List	   *path;
} TypePath;

static void add_columns(const TypePath *way);

static void
add_site(EvSearch *search, const EvSite *found)
{
	EvSite	   *site = palloc(sizeof(EvSite));

	*site = *found;
	search->sites = lappend(search->sites, site);
}

static void
add_column(const TypePath *way, Oid relation, char *column)
{
	Ways	   *all = way->all;
	bool		too_many = all->count > MAX_WAYS;
	EvSite		site = {
		.relation = relation, .constraint = all->constraint, .domain = all->domain,
		.too_many = too_many, .column = column, .path = way->path
	};
	TypePath	next = {.all = all, .type = get_rel_type_id(relation)};

	if (holds_rows(relation))
		add_site(all->search, &site);
	/* its rows may be values of a column elsewhere */
	if (!OidIsValid(next.type))
		return;
	next.path = lcons(column, list_copy(way->path));
	add_columns(&next);
}

/*
 * What depends on a type: columns, composite types by their attributes, arrays
 * and domains over it.  (Ranges over it are left out: who would order
 * documents?)
 */
static void
add_type_dependent(Form_pg_depend dependent, void *context)
{
	const TypePath *way = (const TypePath *) context;

	if (dependent->classid == RelationRelationId && dependent->objsubid > 0)
	{
		char	   *column = get_attname(dependent->objid, dependent->objsubid, true);

		/* the type of a column, not what its default or the like uses */
		if (column != NULL &&
			get_atttype(dependent->objid, dependent->objsubid) == way->type)
			add_column(way, dependent->objid, column);
	}
	else if (dependent->classid == TypeRelationId)
	{
		bool		is_array = get_element_type(dependent->objid) == way->type;
		TypePath	next = {.all = way->all, .type = dependent->objid, .path = way->path};

		if (!is_array && get_typtype(dependent->objid) != TYPTYPE_DOMAIN)
			return;
		if (is_array)
			next.path = lcons(NULL, list_copy(way->path));
		add_columns(&next);
	}
}

/*
 * Types within types can lead to a value by more ways than anybody could look
 * at: ten types of ten columns each make 10 ^ 10.  From MAX_WAYS on each type
 * is met once, to say of its tables that they are not looked at.
 */
static void
add_columns(const TypePath *way)
{
	CHECK_FOR_INTERRUPTS();
	check_stack_depth();
	if (++way->all->count > MAX_WAYS)
	{
		if (list_member_oid(way->all->met, way->type))
			return;
		way->all->met = lappend_oid(way->all->met, way->type);
	}
	for_each_dependent(TypeRelationId, way->type, add_type_dependent, (void *) way);
}

/* The expression of a CHECK constraint that is enforced; NULL where it is none. */
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

static void
add_constraint(Form_pg_depend dependent, void *context)
{
	EvSearch   *search = (EvSearch *) context;
	HeapTuple	tuple;
	Form_pg_constraint form;
	Node	   *expression;

	/* by two functions, or twice by one */
	if (dependent->classid != ConstraintRelationId ||
		list_member_oid(search->constraints, dependent->objid))
		return;
	search->constraints = lappend_oid(search->constraints, dependent->objid);
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(dependent->objid));
	if (!HeapTupleIsValid(tuple))
		return;
	expression = check_expression(tuple);
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	if (expression != NULL && may_apply_walker(expression, search))
	{
		if (OidIsValid(form->contypid))
		{
			Ways		ways = {.search = search, .constraint = form->oid, .domain = form->contypid};
			TypePath	way = {.all = &ways, .type = form->contypid, .path = NIL};

			add_columns(&way);
		}
		else if (holds_rows(form->conrelid))
		{
			EvSite		site = {.relation = form->conrelid, .constraint = form->oid};

			add_site(search, &site);
		}
	}
	ReleaseSysCache(tuple);
}

/* A trigger that is a guard; its clones on partitions are found by themselves. */
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
	if (HeapTupleIsValid(tuple) && holds_rows(((Form_pg_trigger) GETSTRUCT(tuple))->tgrelid))
	{
		EvSite		site = {
			.relation = ((Form_pg_trigger) GETSTRUCT(tuple))->tgrelid,
			.trigger = dependent->objid
		};

		add_site(search, &site);
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

/* Only the owner of a table adds constraints to it. */
static bool
is_by_owner(const EvSite *site)
{
	Oid			owner = ev_table_owner(site->relation);

	if (OidIsValid(site->trigger))
		return ev_only_owner_has(site->relation, owner, ACL_TRIGGER);
	return !OidIsValid(site->domain) || domain_owner_is(site->domain, owner);
}

void
ev_site_require_trusted(const EvSite *site, const EvSearch *search, List *expressions)
{
	List	   *own = list_make2_oid(search->functions.oids[0], search->functions.oids[1]);

	if (is_by_owner(site) || ev_is_pure((Node *) expressions, own))
		return;
	if (OidIsValid(site->trigger))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the guard calls functions, and others than the table's owner may have written it (TRIGGER)")));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("domain %s belongs to another role than the table, and calls functions", format_type_be(site->domain))));
}

/* ---------- wrappers ---------- */

static inline bool
is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		c == '$' || IS_HIGHBIT_SET(c);
}

/*
 * Is a word of the text one of the names (keys of a hash table)?  Upper case is
 * another spelling of a name that has none.
 */
static bool
mentions(const char *text, HTAB *names)
{
	while (*text != '\0')
	{
		char		name[NAMEDATALEN] = {0};
		int			length = 0;

		for (; is_name_character(*text); text++)
			if (length < NAMEDATALEN - 1)
				name[length++] = pg_tolower((unsigned char) *text);
		if (length > 0 && hash_search(names, name, HASH_FIND, NULL) != NULL)
			return true;
		if (*text != '\0' && length == 0)
			text++;
	}
	return false;
}

static void
add_name(HTAB *names, const char *name)
{
	char		key[NAMEDATALEN] = {0};

	for (int i = 0; i < NAMEDATALEN - 1 && name[i] != '\0'; i++)
		key[i] = pg_tolower((unsigned char) name[i]);
	(void) hash_search(names, key, HASH_ENTER, NULL);
}

/* A function whose body was parsed (BEGIN ATOMIC) depends on what it calls. */
static void
add_dependent_function(Form_pg_depend dependent, void *context)
{
	EvSearch   *search = (EvSearch *) context;

	if (dependent->classid == ProcedureRelationId)
		search->wrappers = list_append_unique_oid(search->wrappers, dependent->objid);
}

/*
 * Adds the functions whose text mentions one of the names, and their names; true
 * where there are more.  Not temporary ones: anybody can give these the names of
 * functions that all others call.
 */
static bool
add_mentioning_functions(EvSearch *search, HTAB *names)
{
	Relation	pg_proc = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(pg_proc, InvalidOid, false, NULL, 0, NULL);
	Oid			jsonschema = ev_language_oid();
	int			before = list_length(search->wrappers);
	List	   *found = NIL;
	ListCell   *cell;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
		bool		is_null;
		Datum		source;
		char	   *body;

		CHECK_FOR_INTERRUPTS();
		if (form->oid < (Oid) FirstNormalObjectId || form->prokind != PROKIND_FUNCTION ||
			form->prolang == INTERNALlanguageId || form->prolang == ClanguageId ||
			form->prolang == jsonschema || form->prorettype == TRIGGEROID ||
			isAnyTempNamespace(form->pronamespace))
			continue;
		source = heap_getattr(tuple, Anum_pg_proc_prosrc, RelationGetDescr(pg_proc), &is_null);
		if (is_null)
			continue;
		body = TextDatumGetCString(source);
		if (mentions(body, names))
			found = lappend_oid(found, form->oid);
		pfree(body);
	}
	systable_endscan(scan);
	table_close(pg_proc, AccessShareLock);

	/* only now, so that the next look at the texts is for all of them */
	foreach(cell, found)
	{
		char	   *name = get_func_name(lfirst_oid(cell));

		search->wrappers = list_append_unique_oid(search->wrappers, lfirst_oid(cell));
		if (name != NULL)
			add_name(names, name);
	}
	return list_length(search->wrappers) > before;
}

/*
 * Fills search->wrappers.  A function that hides the name (EXECUTE with a
 * computed string) is not found.
 */
static void
find_wrappers(EvSearch *search)
{
	HASHCTL		control = {.keysize = NAMEDATALEN, .entrysize = NAMEDATALEN, .hcxt = CurrentMemoryContext};
	HTAB	   *names = hash_create("event_validate wrappers", 64, &control,
									HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	int			looked_at = 0;	/* of the wrappers, for what depends on them */

	search->wrappers = NIL;
	for (int i = 0; i < (int) lengthof(search->functions.oids); i++)
		if (OidIsValid(search->functions.oids[i]))
		{
			add_name(names, get_func_name(search->functions.oids[i]));
			for_each_dependent(ProcedureRelationId, search->functions.oids[i], add_dependent_function, search);
		}
	for (int depth = 0; depth < MAX_DEPTH; depth++)
	{
		for (; looked_at < list_length(search->wrappers); looked_at++)
		{
			char	   *name = get_func_name(list_nth_oid(search->wrappers, looked_at));

			if (name != NULL)
				add_name(names, name);
			for_each_dependent(ProcedureRelationId, list_nth_oid(search->wrappers, looked_at),
							   add_dependent_function, search);
		}
		if (!add_mentioning_functions(search, names))
			break;
	}
	hash_destroy(names);
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

	search->sites = search->constraints = NIL;
	find_wrappers(search);
	for (int i = 0; i < (int) lengthof(search->functions.oids); i++)
		if (OidIsValid(search->functions.oids[i]))
			for_each_dependent(ProcedureRelationId, search->functions.oids[i],
							   add_constraint, search);
	foreach(cell, search->wrappers)
		for_each_dependent(ProcedureRelationId, lfirst_oid(cell), add_constraint, search);
	if (OidIsValid(search->guard))
		for_each_dependent(ProcedureRelationId, search->guard, add_guard, search);
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
	for_each_dependent(LanguageRelationId, language, add_schema, &schemas);
	list_sort(schemas, list_oid_cmp);
	list_deduplicate_oid(schemas);
	search->schemas = schemas;
	search->wrappers = list_concat(search->wrappers, schemas);
	foreach(cell, schemas)
	{
		CHECK_FOR_INTERRUPTS();
		for_each_dependent(ProcedureRelationId, lfirst_oid(cell), add_constraint, search);
	}
}

List *
ev_site_tables(const EvSearch *search)
{
	List	   *tables = NIL;
	ListCell   *cell;

	foreach(cell, search->sites)
		tables = list_append_unique_oid(tables, ((EvSite *) lfirst(cell))->relation);
	list_sort(tables, list_oid_cmp);
	return tables;
}

/* ---------- as SQL ---------- */

/*
 * A domain's own value is deparsed as the word VALUE, which is no reserved
 * word: it finds the column of that name.
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
			/* in a SELECT list, so that rows are not spread over columns */
			appendStringInfo(&from, ", LATERAL (SELECT pg_catalog.unnest(%s) AS v) AS u%d",
							 value, ++arrays);
			value = psprintf("u%d.v", arrays);
		}
	}
	return psprintf("(SELECT (%s)::%s AS value FROM %s%s%s) AS v", value,
					format_type_extended(getBaseType(site->domain), -1,
										 FORMAT_TYPE_FORCE_QUALIFY),
					from.data, those != NULL ? " WHERE " : "", those != NULL ? those : "");
}

char *
ev_site_from(const EvSite *site, const char *those)
{
	const char *table = psprintf("ONLY %s", ev_table_name(site->relation));

	if (OidIsValid(site->domain))
		return domain_values(site, table, those);
	return psprintf("%s AS t WHERE %s", table, those != NULL ? those : "true");
}
