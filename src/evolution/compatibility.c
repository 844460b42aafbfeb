/*
 * compatibility.c
 *	  The compatibility policies of event types: how they are stored, and
 *	  what they demand of a new version.
 *
 * A policy is a function, so that it is dumped, restored and owned by
 * extensions like a schema.  It is read, never run: a role that registers a
 * schema need not trust the roles that may create functions in event_schema.
 *
 * A version is compared with its neighbours by number, so that a late version
 * between two others must fit both.  A transitive policy compares it with all
 * earlier versions, back to the last #breaking one, and with all later ones up
 * to the next #breaking one.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "base/arguments.h"
#include "base/shown_text.h"
#include "changes/changes.h"
#include "evolution/compatibility.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "registry/utility_command.h"

PG_FUNCTION_INFO_V1(ev_set_event_compatibility);

/* X(name, backward, forward, transitive) */
#define EV_POLICIES(X) \
	X("none", false, false, false) \
	X("backward", true, false, false) \
	X("backward_transitive", true, false, true) \
	X("forward", false, true, false) \
	X("forward_transitive", false, true, true) \
	X("full", true, true, false) \
	X("full_transitive", true, true, true)

typedef struct Policy
{
	const char *name;
	bool		backward;
	bool		forward;
	bool		transitive;
	bool		lenient;
} Policy;

static const Policy policies[] = {
#define EV_POLICY(name, backward, forward, transitive) {name, backward, forward, transitive, true},
	EV_POLICIES(EV_POLICY)
#undef EV_POLICY
};

static const char strict_suffix[] = " strict";

#define DEFAULT_POLICY	1		/* backward */

/* ---------- policies as texts and as functions ---------- */

static bool
find_policy(const char *name, int length, Policy *policy)
{
	for (int i = 0; i < (int) lengthof(policies); i++)
		if (strlen(policies[i].name) == (size_t) length && memcmp(policies[i].name, name, length) == 0)
		{
			*policy = policies[i];
			return true;
		}
	return false;
}

static const char *
skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/*
 * Returns the length of the line with the whole type at the head of a body,
 * with its line end; 0 if there is none.
 */
static int
type_line_length(const char *body)
{
	const char *end = strchr(body, '\n');

	return end != NULL && strncmp(body, EV_POLICY_TYPE_LINE, strlen(EV_POLICY_TYPE_LINE)) == 0 ? end + 1 - body : 0;
}

/* Parses SELECT 'POLICY' or SELECT 'POLICY strict', which may follow that line. */
static bool
parse_body(const char *body, Policy *policy)
{
	const char *p = skip_space(body + type_line_length(body));
	const char *end;
	int			length;
	int			suffix = strlen(strict_suffix);
	bool		is_strict;

	if (pg_strncasecmp(p, "SELECT", 6) != 0)
		return false;
	p = skip_space(p + 6);
	if (*p++ != '\'')
		return false;
	end = strchr(p, '\'');
	if (end == NULL)
		return false;
	length = end - p;
	end = skip_space(end + 1);
	if (*end == ';')
		end = skip_space(end + 1);
	if (*end != '\0')
		return false;

	is_strict = length > suffix && memcmp(p + length - suffix, strict_suffix, suffix) == 0;
	if (!find_policy(p, is_strict ? length - suffix : length, policy))
		return false;
	policy->lenient = !is_strict;
	return true;
}

bool
ev_compatibility_is_policy(HeapTuple function)
{
	Policy		policy;

	return parse_body(ev_function_body(function), &policy);
}

char *
ev_compatibility_none(HeapTuple function)
{
	char	   *body = ev_function_body(function);

	return psprintf("%.*sSELECT 'none'", type_line_length(body), body);
}

char *
ev_compatibility_type(HeapTuple function)
{
	const char *name = NameStr(((Form_pg_proc) GETSTRUCT(function))->proname);
	char	   *type = ev_function_event_type(function);

	ev_require_whole_type(name, type, "--event_type");
	return type != NULL ? type : pnstrdup(name, strrchr(name, '@') - name);
}

/* Returns the policy of a type. */
static Policy
read_policy(const char *type, int length)
{
	Policy		policy = policies[DEFAULT_POLICY];
	HeapTuple	function;

	function = SearchSysCache1(PROCOID, ObjectIdGetDatum(ev_policy_function(type, length)));
	if (!HeapTupleIsValid(function))
		return policy;
	if (((Form_pg_proc) GETSTRUCT(function))->prolang != SQLlanguageId ||
		!parse_body(ev_function_body(function), &policy))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function \"%s\" does not hold a compatibility policy",
						ev_function_shown_name(function)),
				 errhint("Set the policy with set_event_compatibility.")));
	ReleaseSysCache(function);
	return policy;
}

/* A listed policy. */
typedef struct Listed
{
	Oid			function;
	NameData	name;
} Listed;

static int
compare_policies(const ListCell *a, const ListCell *b)
{
	return strcmp(NameStr(((const Listed *) lfirst(a))->name), NameStr(((const Listed *) lfirst(b))->name));
}

List *
ev_compatibility_list(const char *type, int length)
{
	Oid			namespace = ev_namespace_oid();
	NameData	wanted;
	List	   *policies_found = NIL;
	List	   *result = NIL;
	ListCell   *cell;
	Relation	pg_proc = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(pg_proc, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	bool		has_name = type != NULL && ev_policy_name(type, length, &wanted);

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
		const char *name = NameStr(form->proname);
		const char *reason;

		if (form->pronamespace != namespace || form->prolang != SQLlanguageId ||
			ev_name_kind(name, &reason) != EV_NAME_POLICY)
			continue;
		if (type == NULL || (has_name && strcmp(name, NameStr(wanted)) == 0))
		{
			Listed	   *listed = palloc(sizeof(Listed));

			listed->function = form->oid;
			listed->name = form->proname;
			policies_found = lappend(policies_found, listed);
		}
	}
	systable_endscan(scan);
	table_close(pg_proc, AccessShareLock);
	list_sort(policies_found, compare_policies);
	foreach(cell, policies_found)
		result = lappend_oid(result, ((Listed *) lfirst(cell))->function);
	return result;
}

static char *
policy_text(const Policy *policy)
{
	return psprintf("%s, %s", policy->name, policy->lenient ? "lenient" : "strict");
}

/* ---------- the check ---------- */

/* Adds a line for a change that is not compatible in a direction. */
static void
append_reason(StringInfo reasons, const char *prefix, const EvChange *change, EvVerdict verdict)
{
	appendStringInfo(reasons, "%s%s%s: %s (%s%s)", reasons->len > 0 ? "\n" : "", prefix,
					 ev_location_show(change->location), change->message, ev_change_rule_name(change->rule),
					 verdict == EV_UNKNOWN ? "; unknown: neither proved nor refuted" : "");
}

char *
ev_compatibility_reasons(List *changes, bool forward, const char *prefix)
{
	StringInfoData reasons;
	ListCell   *cell;

	initStringInfo(&reasons);
	foreach(cell, changes)
	{
		EvChange   *change = lfirst(cell);
		EvVerdict	verdict = forward ? change->forward : change->backward;

		if (verdict != EV_COMPATIBLE)
			append_reason(&reasons, prefix, change, verdict);
	}
	return reasons.len > 0 ? reasons.data : NULL;
}

/* The comparisons of a document with other versions. */
typedef struct PolicyCheck
{
	const Policy *policy;
	const EvDocument *document;
	int32		version;
	List	   *findings;		/* EvFinding */
	int64		work;			/* remaining for comparisons */
} PolicyCheck;

static void
add_findings(PolicyCheck *check, List *changes, int32 other_version, bool forward)
{
	ListCell   *cell;

	foreach(cell, changes)
	{
		const EvChange *change = lfirst(cell);
		EvVerdict	verdict = forward ? change->forward : change->backward;
		EvFinding  *finding;

		if (verdict == EV_COMPATIBLE)
			continue;
		finding = palloc(sizeof(EvFinding));
		finding->against = other_version;
		finding->forward = forward;
		finding->change = change;
		finding->verdict = verdict;
		check->findings = lappend(check->findings, finding);
	}
}

static void
compare_with(PolicyCheck *check, const EvDocument *other, int32 other_version)
{
	bool		is_older = other_version < check->version;
	EvVerdict	forward;
	List	   *changes;

	ev_compare_schemas(is_older ? other : check->document, is_older ? check->document : other,
					   ev_registry_resolve, check->policy->lenient, &check->work, &forward, &changes);
	if (check->policy->backward)
		add_findings(check, changes, other_version, false);
	if (check->policy->forward)
		add_findings(check, changes, other_version, true);
}

/* Reads the document of a registered version. */
static void
read_version(Oid function, EvDocument *document)
{
	HeapTuple	row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	EvFault		fault;

	if (!HeapTupleIsValid(row))
		elog(ERROR, "cache lookup failed for function %u", function);
	if (!ev_function_document(row, document, &fault))
		ev_fault_report(&fault, document->name);
	ReleaseSysCache(row);
}

/* Compares with all versions that the policy demands. */
static void
compare_with_neighbours(PolicyCheck *check, int type_length, const List *later)
{
	List	   *versions;
	List	   *functions = ev_registry_list(check->document->name, type_length, &versions);
	int			first_later = 0;
	EvDocument	other;

	while (first_later < list_length(versions) && list_nth_int(versions, first_later) < check->version)
		first_later++;
	for (int i = first_later - 1; i >= 0; i--)
	{
		read_version(list_nth_oid(functions, i), &other);
		compare_with(check, &other, list_nth_int(versions, i));
		if (!check->policy->transitive || other.breaking)
			break;
	}
	for (int i = first_later; i < list_length(versions); i++)
	{
		/* the validator has created it already */
		if (list_nth_int(versions, i) == check->version || list_member_oid(later, list_nth_oid(functions, i)))
			continue;
		read_version(list_nth_oid(functions, i), &other);
		if (other.breaking)
			break;
		compare_with(check, &other, list_nth_int(versions, i));
		if (!check->policy->transitive)
			break;
	}
}

/* Compares a document, TYPE@VERSION, as a policy demands; returns the findings. */
static List *
find_all(const EvDocument *document, int type_length, int32 version, const Policy *policy, const List *later)
{
	PolicyCheck check = {.policy = policy, .document = document, .version = version, .work = EV_COMPARISONS_WORK};

	if (!document->breaking && (policy->backward || policy->forward))
		compare_with_neighbours(&check, type_length, later);
	return check.findings;
}

List *
ev_compatibility_findings(const EvDocument *document)
{
	int			type_length;
	int32		version;
	Policy		policy;

	if (!ev_parse_event_name(document->name, &type_length, &version))
		return NIL;
	policy = read_policy(document->name, type_length);
	return find_all(document, type_length, version, &policy, NIL);
}

/* Raises an error with all findings. */
static void
refuse(const EvDocument *document, int type_length, int32 version, const Policy *policy, const List *findings)
{
	const EvFinding *first = linitial(findings);
	StringInfoData reasons;
	ListCell   *cell;

	initStringInfo(&reasons);
	foreach(cell, findings)
	{
		const EvFinding *finding = lfirst(cell);

		append_reason(&reasons, psprintf("version %d to %d, ", Min(finding->against, version),
										 Max(finding->against, version)),
					  finding->change, finding->verdict);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("event schema \"%s\" is not %s compatible with version %d",
					document->name, first->forward ? "forward" : "backward", first->against),
			 errdetail_internal("%s", reasons.data),
			 errhint("If that is meant, register version %d with breaking => true (in CREATE FUNCTION: with the line \"#breaking\"). The policy of \"%s\" is %s; set_event_compatibility sets another one.",
					 version, pnstrdup(document->name, type_length), policy_text(policy))));
}

void
ev_compatibility_check(const EvDocument *document, const List *later)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	Policy		policy;
	int			type_length;
	int32		version;
	List	   *findings;

	if (!ev_parse_event_name(document->name, &type_length, &version) || document->breaking)
		return;

	context = AllocSetContextCreate(caller, "event_validate compatibility", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	ev_type_lock(document->name, type_length);
	policy = read_policy(document->name, type_length);
	findings = find_all(document, type_length, version, &policy, later);
	if (findings != NIL)
		refuse(document, type_length, version, &policy, findings);

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* ---------- SQL ---------- */

static char *
policy_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(policies); i++)
		appendStringInfo(&names, "%s%s", i == 0 ? "" : i == lengthof(policies) - 1 ? " and " : ", ",
						 policies[i].name);
	return names.data;
}

/* Runs CREATE OR REPLACE FUNCTION event_schema."TYPE@compatibility"(). */
static void
create_policy(const char *name, const char *type, const char *text)
{
	CreateFunctionStmt *command = makeNode(CreateFunctionStmt);
	bool		shortened = ev_has_short_type(name);
	char	   *body = shortened ? psprintf(EV_POLICY_TYPE_LINE "%s\nSELECT '%s'", type, text) :
		psprintf("SELECT '%s'", text);

	command->replace = true;
	command->funcname = ev_qualified_name(name);
	command->returnType = SystemTypeName(pstrdup("text"));
	command->options =
		list_make4(makeDefElem("language", (Node *) makeString(pstrdup("sql")), -1),
				   makeDefElem("volatility", (Node *) makeString(pstrdup("immutable")), -1),
				   makeDefElem("parallel", (Node *) makeString(pstrdup("safe")), -1),
				   makeDefElem("as", (Node *) list_make1(makeString(body)), -1));
	ev_run_command((Node *) command,
				   psprintf("CREATE OR REPLACE FUNCTION %s() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %s",
							ev_quoted_name(name), quote_literal_cstr(body)));
	if (shortened)
		ev_comment_on_function(name, false, psprintf("%s@compatibility", type));
}

/*
 * set_event_compatibility(event_type text, policy text, lenient boolean)
 * returns void
 */
Datum
ev_set_event_compatibility(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"event_type", "policy", "lenient"};
	text	   *type;
	text	   *text_policy;
	NameData	name;
	Policy		policy;

	ev_require_arguments(fcinfo, 0, lengthof(arguments), arguments);
	type = PG_GETARG_TEXT_PP(0);
	text_policy = PG_GETARG_TEXT_PP(1);
	ev_require_event_name(type, 0);
	if (!find_policy(VARDATA_ANY(text_policy), VARSIZE_ANY_EXHDR(text_policy), &policy))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no compatibility policy \"%s\"", text_to_cstring(text_policy)),
				 errhint("The policies are %s.", policy_names())));

	PreventCommandIfReadOnly("CREATE FUNCTION");
	ev_ownership_require_create();
	ev_ownership_lock_type(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), InvalidOid);
	if (!ev_policy_name(VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type), &name))
		elog(ERROR, "event type \"%s\" has no name for its policy", text_to_cstring(type));
	create_policy(NameStr(name), text_to_cstring(type), psprintf("%s%s", policy.name, PG_GETARG_BOOL(2) ? "" : strict_suffix));
	PG_RETURN_VOID();
}
