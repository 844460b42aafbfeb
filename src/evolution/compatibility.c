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
#include "evolution/compatibility_advice.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "registry/utility_command.h"
#include "schema/accept_option.h"

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
	bool		warn_unknown;	/* what is unknown gives a WARNING, no error */
} Policy;

static const Policy policies[] = {
#define EV_POLICY(name, backward, forward, transitive) {name, backward, forward, transitive, true, false},
	EV_POLICIES(EV_POLICY)
#undef EV_POLICY
};

/* The options in a policy's text, after its name. */
static const char strict_suffix[] = " strict";
static const char warn_suffix[] = " unknown warn";

#define DEFAULT_POLICY	1		/* backward */

/* The argument unknown of set_event_compatibility, by warn_unknown. */
static const char *const unknown_words[] = {"refuse", "warn"};

/* ---------- policies as texts and as functions ---------- */

/* Finds a policy by its name, in any case; false if there is none. */
static bool
find_policy(const char *name, int length, Policy *policy)
{
	for (int i = 0; i < (int) lengthof(policies); i++)
		if (strlen(policies[i].name) == (size_t) length && pg_strncasecmp(policies[i].name, name, length) == 0)
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

/* Shortens a text by a suffix, if it has it; returns whether it has. */
static bool
take_suffix(const char *text, int *length, const char *suffix)
{
	int			suffix_length = strlen(suffix);

	if (*length <= suffix_length || memcmp(text + *length - suffix_length, suffix, suffix_length) != 0)
		return false;
	*length -= suffix_length;
	return true;
}

/* Parses SELECT 'POLICY', with "strict" and "unknown warn" after its name, which may follow that line. */
static bool
parse_body(const char *body, Policy *policy)
{
	const char *p = skip_space(body + type_line_length(body));
	const char *end;
	int			length;
	bool		is_strict;
	bool		warn_unknown;

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

	warn_unknown = take_suffix(p, &length, warn_suffix);
	is_strict = take_suffix(p, &length, strict_suffix);
	if (!find_policy(p, length, policy))
		return false;
	policy->lenient = !is_strict;
	policy->warn_unknown = warn_unknown;
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

/*
 * Sets the policy of a type: its own, that of the database, or the default.  Returns NULL,
 * or the name of the function that should hold it but does not.
 */
static char *
look_up_policy(const char *type, int length, Policy *policy)
{
	HeapTuple	function = SearchSysCache1(PROCOID, ObjectIdGetDatum(ev_policy_function(type, length)));
	char	   *broken = NULL;

	*policy = policies[DEFAULT_POLICY];
	if (!HeapTupleIsValid(function))
		function = SearchSysCache1(PROCOID, ObjectIdGetDatum(ev_policy_function("", 0)));
	if (!HeapTupleIsValid(function))
		return NULL;
	if (((Form_pg_proc) GETSTRUCT(function))->prolang != SQLlanguageId ||
		!parse_body(ev_function_body(function), policy))
		broken = ev_function_shown_name(function);
	ReleaseSysCache(function);
	return broken;
}

static Policy
read_policy(const char *type, int length)
{
	Policy		policy;
	char	   *broken = look_up_policy(type, length, &policy);

	if (broken != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function \"%s\" does not hold a compatibility policy", broken),
				 errhint("Set the policy with set_event_compatibility.")));
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
	return psprintf("%s, %s%s", policy->name, policy->lenient ? "lenient" : "strict",
					policy->warn_unknown ? ", unknown => 'warn'" : "");
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
	bool		compared;		/* with any */
	int64		work;			/* remaining for comparisons */
} PolicyCheck;

/* What does registration do about a change that is not compatible? */
static EvTreatment
treatment(const PolicyCheck *check, const char *name, EvVerdict verdict)
{
	if (ev_accept_has(check->document->accept, name))
		return EV_ACCEPTED;
	return verdict == EV_UNKNOWN && check->policy->warn_unknown ? EV_TOLERATED : EV_REFUSED;
}

const char *
ev_finding_verdict(const EvFinding *finding)
{
	return finding->treatment == EV_ACCEPTED ? "accepted" : finding->treatment == EV_TOLERATED ? "warned" :
		ev_verdict_name(finding->verdict);
}

static void
add_findings(PolicyCheck *check, List *changes, int32 other_version, bool forward, bool is_adjacent)
{
	ListCell   *cell;

	foreach(cell, changes)
	{
		const EvChange *change = lfirst(cell);
		EvVerdict	verdict = forward ? change->forward : change->backward;
		EvFinding  *finding;

		CHECK_FOR_INTERRUPTS();
		if (verdict == EV_COMPATIBLE)
			continue;
		finding = palloc(sizeof(EvFinding));
		finding->against = other_version;
		finding->forward = forward;
		finding->is_adjacent = is_adjacent;
		finding->change = change;
		finding->changes = changes;
		finding->verdict = verdict;
		finding->name = ev_accept_name(change->location, ev_change_rule_name(change->rule));
		finding->treatment = treatment(check, finding->name, verdict);
		check->findings = lappend(check->findings, finding);
	}
}

/*
 * Compares with another version.  `mappings` are the renames of the versions after the
 * older one of the two, up to the newer one.
 */
static void
compare_with(PolicyCheck *check, const EvDocument *other, int32 other_version, const List *mappings, bool is_adjacent)
{
	bool		is_older = other_version < check->version;
	const EvDocument *old = is_older ? other : check->document;
	const EvDocument *new = is_older ? check->document : other;
	EvVerdict	forward;
	List	   *changes;

	check->compared = true;
	if (mappings != NIL)
		ev_compare_renamed(old, new, mappings, is_adjacent, check->policy->lenient, &check->work, &forward, &changes);
	else
		ev_compare_schemas(old, new, ev_registry_resolve, check->policy->lenient, &check->work, &forward, &changes);
	if (check->policy->backward)
		add_findings(check, changes, other_version, false, is_adjacent);
	if (check->policy->forward)
		add_findings(check, changes, other_version, true, is_adjacent);
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
	List	   *mappings = check->document->renames != NULL ? list_make1(check->document->renames) : NIL;
	bool		is_adjacent = true;
	int			first_later = 0;
	EvDocument	other;

	while (first_later < list_length(versions) && list_nth_int(versions, first_later) < check->version)
		first_later++;
	for (int i = first_later - 1; i >= 0; i--)
	{
		read_version(list_nth_oid(functions, i), &other);
		compare_with(check, &other, list_nth_int(versions, i), mappings, is_adjacent);
		if (!check->policy->transitive || other.breaking)
			break;
		if (other.renames != NULL)
			mappings = lcons(other.renames, mappings);
		is_adjacent = false;
	}
	mappings = NIL;
	for (int i = first_later; i < list_length(versions); i++)
	{
		/* the validator has created it already */
		if (list_nth_int(versions, i) == check->version || list_member_oid(later, list_nth_oid(functions, i)))
			continue;
		read_version(list_nth_oid(functions, i), &other);
		if (other.breaking)
			break;
		if (other.renames != NULL)
			mappings = lappend(mappings, other.renames);
		compare_with(check, &other, list_nth_int(versions, i), mappings, false);
		if (!check->policy->transitive)
			break;
	}
}

/*
 * Compares a document, TYPE@VERSION, as a policy demands; returns the findings, and
 * whether there was a version to compare with.
 */
static List *
find_all(const EvDocument *document, int type_length, int32 version, const Policy *policy, const List *later,
		 bool *compared)
{
	PolicyCheck check = {.policy = policy, .document = document, .version = version, .work = EV_COMPARISONS_WORK};

	if (!document->breaking && (policy->backward || policy->forward))
		compare_with_neighbours(&check, type_length, later);
	*compared = check.compared;
	return check.findings;
}

/* So many of the names that no finding has are in a WARNING. */
#define UNMATCHED_NAMES		5

static bool
is_accepted_finding(const List *findings, const char *name)
{
	ListCell   *cell;

	CHECK_FOR_INTERRUPTS();
	foreach(cell, findings)
	{
		const EvFinding *finding = lfirst(cell);

		if (finding->treatment == EV_ACCEPTED && strcmp(finding->name, name) == 0)
			return true;
	}
	return false;
}

/*
 * Warns of accepted findings that there are not, if there was something to compare with.
 * They can be about versions that were dropped, so this is no error.
 */
static void
warn_of_unmatched(const EvDocument *document, const List *findings, bool compared)
{
	StringInfoData names;
	int			count = 0;
	ListCell   *accepted;

	initStringInfo(&names);
	foreach(accepted, compared ? document->accept : NIL)
	{
		const char *name = lfirst(accepted);

		if (!is_accepted_finding(findings, name) && ++count <= UNMATCHED_NAMES)
			appendStringInfo(&names, "%s%s", count > 1 ? ", " : "", ev_string_show(name, strlen(name)));
	}
	if (count > UNMATCHED_NAMES)
		appendStringInfo(&names, " and %d more", count - UNMATCHED_NAMES);
	if (count > 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 count == 1 ?
				 errmsg("event schema \"%s\" accepts the finding %s, but there is no such finding",
						document->name, names.data) :
				 errmsg("event schema \"%s\" accepts the findings %s, but there are no such findings",
						document->name, names.data),
				 errhint("check_event_compatibility lists the findings.")));
}

List *
ev_compatibility_findings(const EvDocument *document)
{
	int			type_length;
	int32		version;
	Policy		policy;
	List	   *findings;
	bool		compared;

	if (!ev_parse_event_name(document->name, &type_length, &version))
		return NIL;
	policy = read_policy(document->name, type_length);
	findings = find_all(document, type_length, version, &policy, NIL, &compared);
	warn_of_unmatched(document, findings, compared);
	return findings;
}

/* The maximum number of findings, and of bytes of their names, in the HINT. */
#define NAMED_FINDINGS		20
#define NAMED_FINDINGS_SIZE	2000

/*
 * Returns the argument that accepts all findings that were refused or accepted; NULL if
 * there are too many, or if a location cannot be shown as it is.
 */
static char *
accept_argument(const List *findings)
{
	List	   *accept = NIL;
	Size		size = 0;
	Oid			output;
	bool		is_varlena;
	ListCell   *cell;

	foreach(cell, findings)
	{
		const EvFinding *finding = lfirst(cell);

		if (finding->treatment == EV_TOLERATED || ev_accept_has(accept, finding->name))
			continue;
		size += strlen(finding->name);
		accept = ev_accept_add(accept, pstrdup(finding->name));
		if (list_length(accept) > NAMED_FINDINGS || size > NAMED_FINDINGS_SIZE ||
			strcmp(ev_visible(finding->name), finding->name) != 0)
			return NULL;
	}
	getTypeOutputInfo(TEXTARRAYOID, &output, &is_varlena);
	return psprintf("accept => %s", quote_literal_cstr(OidOutputFunctionCall(output, ev_accept_array(accept))));
}

/* Returns lines with the findings that are treated so. */
static char *
reasons_of(const List *findings, int32 version, EvTreatment treated)
{
	StringInfoData reasons;
	ListCell   *cell;

	initStringInfo(&reasons);
	foreach(cell, findings)
	{
		const EvFinding *finding = lfirst(cell);

		if (finding->treatment == treated)
			append_reason(&reasons, psprintf("version %d to %d, ", Min(finding->against, version),
											 Max(finding->against, version)),
						  finding->change, finding->verdict);
	}
	return reasons.data;
}

/* Returns the first finding that is treated so, or NULL. */
static const EvFinding *
first_of(const List *findings, EvTreatment treated)
{
	ListCell   *cell;

	foreach(cell, findings)
		if (((EvFinding *) lfirst(cell))->treatment == treated)
		return lfirst(cell);
	return NULL;
}

/* Raises an error with all findings that are refused. */
static void
refuse(const EvDocument *document, int type_length, int32 version, const Policy *policy, const List *findings)
{
	const EvFinding *first = first_of(findings, EV_REFUSED);
	const char *accept = accept_argument(findings);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("event schema \"%s\" is not %s compatible with version %d",
					document->name, first->forward ? "forward" : "backward", first->against),
			 errdetail_internal("%s", reasons_of(findings, version, EV_REFUSED)),
			 errhint("%sIf that is meant, register version %d with %s (in CREATE FUNCTION: with a line \"#accept LOCATION RULE\" for each).%s breaking => true (the line \"#breaking\") switches all comparison with earlier versions off, and under a transitive policy that of later versions with these. The policy of \"%s\" is %s; set_event_compatibility sets another one.",
					 ev_advice_without(document, version, policy->lenient, findings), version,
					 accept != NULL ? accept : "accept => '{...}' and the findings that check_event_compatibility lists",
					 ev_advice_with(version, findings),
					 pnstrdup(document->name, type_length), policy_text(policy))));
}

/* Warns of findings that are unknown, where the policy says so. */
static void
warn_of_unknown(const EvDocument *document, int32 version, const List *findings)
{
	const EvFinding *first = first_of(findings, EV_TOLERATED);

	if (first != NULL)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("it is unknown whether event schema \"%s\" is %s compatible with version %d",
						document->name, first->forward ? "forward" : "backward", first->against),
				 errdetail_internal("%s", reasons_of(findings, version, EV_TOLERATED)),
				 errhint("The policy lets this pass. check_event_upgrade says whether stored events would be valid.")));
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
	bool		compared;

	if (!ev_parse_event_name(document->name, &type_length, &version) || document->breaking)
		return;

	context = AllocSetContextCreate(caller, "event_validate compatibility", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	ev_type_lock(document->name, type_length);
	policy = read_policy(document->name, type_length);
	findings = find_all(document, type_length, version, &policy, later, &compared);
	warn_of_unmatched(document, findings, compared);
	if (first_of(findings, EV_REFUSED) != NULL)
		refuse(document, type_length, version, &policy, findings);
	warn_of_unknown(document, version, findings);

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

bool
ev_compatibility_policy(const char *type, int length, const char **name, bool *lenient, const char **unknown)
{
	Policy		policy;

	if (look_up_policy(type, length, &policy) != NULL)
		return false;
	*name = policy.name;
	*lenient = policy.lenient;
	*unknown = unknown_words[policy.warn_unknown];
	return true;
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

/* Reads the argument unknown. */
static bool
read_unknown(const text *argument)
{
	char	   *word = text_to_cstring(argument);

	for (int i = 0; i < (int) lengthof(unknown_words); i++)
		if (pg_strcasecmp(word, unknown_words[i]) == 0)
			return i != 0;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown must be 'refuse' or 'warn', not %s", ev_string_show(word, strlen(word)))));
}

/*
 * set_event_compatibility(event_type text, policy text, lenient boolean, unknown text)
 *
 * Sets the policy of a type or, if the type is NULL, of all types without one.
 */
Datum
ev_set_event_compatibility(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"event_type", "policy", "lenient", "unknown"};
	char	   *type = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));
	text	   *text_policy;
	NameData	name;
	Policy		policy;
	bool		warn_unknown;

	ev_require_arguments(fcinfo, 1, lengthof(arguments), arguments);
	text_policy = PG_GETARG_TEXT_PP(1);
	if (!PG_ARGISNULL(0))
		ev_require_event_name(PG_GETARG_TEXT_PP(0), 0);
	if (!find_policy(VARDATA_ANY(text_policy), VARSIZE_ANY_EXHDR(text_policy), &policy))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no compatibility policy \"%s\"",
						ev_visible_cut(text_to_cstring(text_policy), EV_SHOWN_ARGUMENT)),
				 errhint("The policies are %s.", policy_names())));
	warn_unknown = read_unknown(PG_GETARG_TEXT_PP(3));

	PreventCommandIfReadOnly("CREATE FUNCTION");
	ev_ownership_require_create();
	if (PG_ARGISNULL(0))
	{
		ev_ownership_require_default_policy();
		ev_type_lock(type, 0);
	}
	else
		ev_ownership_lock_type(type, strlen(type), InvalidOid);
	if (!ev_policy_name(type, strlen(type), &name))
		elog(ERROR, "event type \"%s\" has no name for its policy", type);
	create_policy(NameStr(name), type, psprintf("%s%s%s", policy.name, PG_GETARG_BOOL(2) ? "" : strict_suffix,
												warn_unknown ? warn_suffix : ""));
	PG_RETURN_VOID();
}
