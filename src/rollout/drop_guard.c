/*
 * drop_guard.c
 *	  Prevents drops of schema versions that rows need.
 *
 * A schema version must stay while rows have it: without it, they could
 * neither be updated nor restored from a dump. check_event and validate_event
 * find it by its name in the row, which no dependency records, so the rows are
 * searched.
 *
 * They are searched twice.  First when a version is dropped, without keeping
 * locks, so that nearly every drop that must be refused is refused then,
 * without delaying others.  Then when the transaction commits, since rows of
 * transactions that were still open were not visible: each table is locked
 * against writers, which waits for the open transactions and blocks new ones,
 * searched again, and unlocked by the commit.  (A table that an open
 * transaction creates, or to which it adds the constraint, is not found, as
 * with DROP in general; nor is one that another role makes while tables are locked.)
 *
 * The tables can belong to other roles than the one that drops.  Searching
 * another role's table has a time limit, and so have all tables of one role (table_look.h); and while other roles'
 * tables are locked, a short limit for all of them together.  The user's own
 * tables are locked and searched before, without a limit.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "commands/tablecmds.h"
#include "miscadmin.h"
#include "storage/lockdefs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/oid_set.h"
#include "base/row_fault.h"
#include "base/shown_text.h"
#include "base/steady_time.h"
#include "base/subtransaction.h"
#include "registry/function_row.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "rollout/drop_guard.h"
#include "rollout/rule_sites.h"
#include "rollout/version_rows.h"
#include "rollout/wrappers.h"
#include "rows/table_lock.h"
#include "rows/table_look.h"
#include "rows/table_rights.h"
#include "stats/progress.h"

const EvVersion *ev_enforcement_forced = NULL;

/* Versions that the transaction has dropped. */
typedef struct Drop
{
	List	   *versions;		/* of EvVersion * */
	bool		forced;
	CommandId	command;		/* the current command then */
	bool		again;			/* registered again, with other documents */
	Oid			user;			/* who dropped them */
	HTAB	   *passed;			/* tables with a WARNING; NULL: none */
} Drop;

static List *drops = NIL;		/* of this transaction, in its context */

/* ---------- findings ---------- */

typedef struct Finding
{
	const EvSite *site;
	const EvSearch *search;
	EvVersion  *version;		/* of a row; NULL: none */
} Finding;

/*
 * Names the first version if a table's error is not about one of them.
 */
static const EvVersion *
named_version(const Finding *finding)
{
	return finding->version != NULL ? finding->version : linitial(finding->search->versions);
}

/* Returns the constraint, policy or view of a site as the subject of a sentence. */
static char *
what_checks(const EvSite *site)
{
	const char *constraint;

	if (OidIsValid(site->policy))
		return psprintf("Policy \"%s\" of table %s", ev_security_policy_name(site->policy), ev_table_name(site->declared));
	if (OidIsValid(site->view))
		return psprintf("The CHECK OPTION of view %s, or of a view over it,", ev_table_name(site->view));
	constraint = get_constraint_name(site->constraint);
	if (OidIsValid(site->domain))
		return psprintf("Constraint \"%s\" of domain %s", constraint, format_type_be(site->domain));
	return psprintf("Constraint \"%s\" of the table", constraint);
}

static char *
why_checked(const EvSite *site)
{
	if (OidIsValid(site->trigger))
		return pstrdup("The table has an event guard.");
	return psprintf("%s checks them with it.", what_checks(site));
}

static const char *
kind_of(const EvSite *site)
{
	return OidIsValid(site->policy) ? "policy" : OidIsValid(site->view) ? "view" : "constraint";
}

/* Returns schema.table, for messages that quote it. */
static char *
plain_table_name(Oid relation)
{
	char	   *name = get_rel_name(relation);

	return name == NULL ? psprintf("%u", relation) :
		psprintf("%s.%s", get_namespace_name(get_rel_namespace(relation)), name);
}

static void
refuse_used(const Finding *finding)
{
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot drop event schema \"%s@%d\" because rows of table \"%s\" carry that type and version",
					finding->version->type, finding->version->version, plain_table_name(finding->site->relation)),
			 errdetail_internal("%s", why_checked(finding->site)),
			 OidIsValid(finding->site->trigger) ?
			 errhint("Delete these rows or bring them to another version first, or drop the guard with drop_event_guard.") :
			 errhint("Delete these rows or bring them to another version first, or drop the %s.", kind_of(finding->site))));
}

/*
 * A role that may read the rows gets the SQLSTATE of an expression's error, so
 * that it can be distinguished.
 */
static int
unreadable_code(const EvLook *look, const ErrorData *error)
{
	if (error != NULL && look->readable && !look->overdue && ev_is_expression_fault(error->sqlerrcode))
		return error->sqlerrcode;
	return ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST;
}

static void
refuse_unreadable(const Finding *finding, const char *reason, const EvLook *look, const ErrorData *error)
{
	const EvVersion *version = named_version(finding);

	ereport(ERROR,
			(errcode(unreadable_code(look, error)),
			 errmsg("cannot drop event schema \"%s@%d\" because it is not known whether rows of table \"%s\" carry that type and version",
					version->type, version->version, plain_table_name(finding->site->relation)),
			 errdetail_internal("%s", reason),
			 error != NULL ? errdetail_log("%s", error->message) : 0,
			 errcontext("while looking for rows of table \"%s\" that need the event schema",
						plain_table_name(finding->site->relation)),
			 finding->site->is_unread ?
			 errhint("Make these functions shorter, or drop the %s. The owner of the database can drop the event schema in spite of it by drop_event_schema with force => true.", kind_of(finding->site)) :
			 errhint("Write the expressions of its constraint or guard so that they are quick (an index on type and version helps) and raise no error for any row, and qualify functions with their schemas. The owner of the database can drop it in spite of other roles' tables by drop_event_schema with force => true.")));
}

static bool
is_passed(const Drop *drop, Oid relation)
{
	return drop->passed != NULL && ev_oid_set_has(drop->passed, relation);
}

/* Leaves a table out from now on, until the transaction ends. */
static void
note_passed(Drop *drop, Oid relation)
{
	MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);

	if (drop->passed == NULL)
		drop->passed = ev_oid_set();
	(void) ev_oid_set_add(drop->passed, relation);
	MemoryContextSwitchTo(caller);
}

/*
 * Returns true if the drop continues in spite of the finding.  It does for the user's own
 * tables only where another role's functions are not read.
 */
static bool
pass(Drop *drop, const Finding *finding, const char *reason)
{
	const EvVersion *version = named_version(finding);
	Oid			relation = finding->site->relation;
	bool		is_own = ev_is_own_table(relation, drop->user);

	if (!drop->forced || (is_own && !finding->site->is_unread))
		return false;
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 finding->version != NULL ?
			 errmsg("event schema \"%s@%d\" is dropped although rows of table \"%s\" carry that type and version",
					version->type, version->version, plain_table_name(relation)) :
			 errmsg("event schema \"%s@%d\" is dropped although it is not known whether rows of table \"%s\" carry that type and version",
					version->type, version->version, plain_table_name(relation)),
			 errdetail_internal("%s", reason)));
	if (!is_own)
		note_passed(drop, relation);
	return true;
}

/* ---------- looking ---------- */

static void
look_at_site(void *arg)
{
	Finding    *finding = (Finding *) arg;

	if (get_rel_relkind(finding->site->relation) == RELKIND_PARTITIONED_TABLE)
		return;					/* its partitions have the rows */
	if (!ev_share_table(finding->site->relation))
		return;					/* it was dropped in the meantime */
	finding->version = ev_version_in_rows(finding->site, finding->search);
}

/* Returns a sentence that names the function whose text was not read, or nothing if it is not known. */
static const char *
unread_function(const EvSite *site, const EvSearch *unread)
{
	Oid			catalog = OidIsValid(site->policy) ? PolicyRelationId : OidIsValid(site->view) ? RewriteRelationId : ConstraintRelationId;
	Oid			object = OidIsValid(site->policy) ? site->policy : OidIsValid(site->view) ? ev_rule_of_view(site->view) : site->constraint;
	Oid			function = unread != NULL ? ev_unread_text(catalog, object, unread->texts) : InvalidOid;
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	char	   *name;
	const char *schema;

	if (!HeapTupleIsValid(tuple))
		return "";
	schema = get_namespace_name(((Form_pg_proc) GETSTRUCT(tuple))->pronamespace);
	name = psprintf(" Function %s of role \"%s\" was not read.",
					quote_qualified_identifier(schema, NameStr(((Form_pg_proc) GETSTRUCT(tuple))->proname)),
					GetUserNameFromId(((Form_pg_proc) GETSTRUCT(tuple))->proowner, true));
	ReleaseSysCache(tuple);
	return ev_visible(name);
}

/* Returns why the rows of a site are not looked at, as a sentence for DETAIL; NULL: they are. */
static char *
why_not_looked_at(const EvSite *site, const EvSearch *search, int milliseconds)
{
	if (site->too_many && OidIsValid(site->domain))
		return psprintf("Values of domain %s are in too many columns to be searched.", format_type_be(site->domain));
	if (site->is_unread)
		return psprintf("%s calls functions with more text than is read of one role (%d MB), so it is not known whether it checks events.%s",
						what_checks(site), EV_MOST_FUNCTION_TEXT / (1024 * 1024), unread_function(site, search->unread));
	if (site->too_many)
		return pstrdup("Too many constraints, guards, policies and views check the events of its owner's tables.");
	if (milliseconds < 0)
		return psprintf("Reading the tables of other roles took longer than %g s.", EV_LOCKED_LOOK_MS / 1000.0);
	return NULL;
}

/*
 * Raises an error if a row is found, or if the table cannot be searched; if
 * the drop is forced, warns instead.  milliseconds: 0: without a limit; negative: the
 * time for it has passed.
 */
static void
check_site(Drop *drop, const EvSite *site, const EvSearch *search, int milliseconds, EvOwnerTimes *times)
{
	Finding		finding = {.site = site, .search = search};
	EvLook		look = {
		.relation = site->relation, .user = drop->user, .milliseconds = milliseconds, .times = times,
		.command = drop->again ? drop->command : 0,
		.work = look_at_site, .arg = &finding
	};
	char	   *unknown;
	ErrorData  *error;

	CHECK_FOR_INTERRUPTS();
	if (is_passed(drop, site->relation))
		return;
	/* an own table had its WARNING in the first search */
	if (site->is_unread && drop->forced && times == NULL && ev_is_own_table(site->relation, drop->user))
		return;
	unknown = why_not_looked_at(site, search, milliseconds);
	if (unknown != NULL)
	{
		if (!pass(drop, &finding, unknown))
			refuse_unreadable(&finding, unknown, &look, NULL);
		return;
	}
	ev_progress_start(EV_PROGRESS_DROP, site->relation, false);
	ev_progress_phase(EV_PHASE_SEARCHING, ev_progress_estimate_only(site->relation));
	error = ev_look(&look);
	ev_progress_end();
	if (finding.version != NULL)
	{
		if (!pass(drop, &finding, why_checked(site)))
			refuse_used(&finding);
	}
	else if (error != NULL)
	{
		const char *reason = ev_look_reason(&look, error);

		if (!pass(drop, &finding, reason))
			refuse_unreadable(&finding, reason, &look, error);
	}
	if (error != NULL)
		FreeErrorData(error);
}

static void
init_search(EvSearch *search, const Drop *drop)
{
	memset(search, 0, sizeof(EvSearch));
	search->versions = drop->versions;
	ev_search_init(search, drop->user);
	ev_find_sites(search);
	ev_find_rule_sites(search);
}

/* The first search, without locks. */
static void
look_unlocked(Drop *drop)
{
	EvSearch	search;
	EvOwnerTimes times = {.most = EV_OWNER_LOOK_MS};
	ListCell   *cell;

	init_search(&search, drop);
	foreach(cell, search.sites)
	{
		const EvSite *site = lfirst(cell);

		check_site(drop, site, &search,
				   ev_is_own_table(site->relation, drop->user) ? 0 : EV_LOOK_MS, &times);
	}
}

/* ---------- looking under locks ---------- */

/*
 * The maximum number of other roles' tables that a drop locks.  The lock table of the
 * server has place for some thousands, and others cannot work while it is full.
 */
#define MOST_TABLES	4096

/*
 * How often partitions and children of other roles' tables are looked for, which were attached while the
 * drop waited for locks.
 */
#define MOST_ROUNDS	8

/*
 * For a forced drop, how long to wait for all tables of other roles together, in
 * milliseconds: while nothing is locked, and while tables are.
 */
#define FORCED_WAIT			5000
#define FORCED_LOCKED_WAIT	500

/* The tables that are locked during the second search. */
typedef struct Locked
{
	List	   *tables;
	HTAB	   *set;			/* the same */
	int			others;			/* of other roles */
	int			rounds;			/* in which other roles' tables were locked */
} Locked;

/*
 * Is a table directly below one that is locked?  Then it was attached before the lock.
 */
static bool
is_below(Oid relation, const Locked *locked)
{
	ListCell   *cell;

	foreach(cell, ev_parents(relation))
		if (ev_oid_set_has(locked->set, lfirst_oid(cell)))
		return true;
	return false;
}

/*
 * Returns the tables that are not locked yet and have no WARNING, sorted: those that
 * belong to the user, or the others.
 *
 * Others make tables at any time, so once their tables were locked, only those count that
 * were attached to one that was about to be locked.
 */
static List *
tables_to_lock(const Drop *drop, const EvSearch *search, bool own, const Locked *locked)
{
	List	   *tables = NIL;
	ListCell   *cell;

	foreach(cell, ev_site_tables(search))
	{
		Oid			relation = lfirst_oid(cell);

		CHECK_FOR_INTERRUPTS();
		if (!ev_oid_set_has(locked->set, relation) && !is_passed(drop, relation) &&
			ev_is_own_table(relation, drop->user) == own &&
			(own || locked->rounds == 0 || is_below(relation, locked)))
			tables = lappend_oid(tables, relation);
	}
	return tables;
}

/* Warns about a table of another role, which is not searched again. */
static void
pass_table(Drop *drop, const EvSearch *search, Oid relation, const char *reason)
{
	EvSite		site = {.relation = relation};
	Finding		finding = {.site = &site, .search = search};

	(void) pass(drop, &finding, reason);
}

/* Raises an error if more tables of other roles would be locked than MOST_TABLES. */
static void
refuse_many_tables(const EvSearch *search, const List *tables, const Locked *locked)
{
	const EvVersion *version = linitial(search->versions);

	if (locked->others + list_length(tables) > MOST_TABLES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot drop event schema \"%s@%d\" because more than %d tables of other roles can have rows with it",
						version->type, version->version, MOST_TABLES),
				 errdetail("Locks on all of them would fill the lock table, which all sessions of the server share."),
				 errhint("The owner of the database can drop it in spite of other roles' tables by drop_event_schema with force => true.")));
}

/* Ends the rounds: no table is left, or an error is raised. */
static List *
pass_attached(Drop *drop, const EvSearch *search, const List *tables)
{
	ListCell   *cell;

	foreach(cell, tables)
	{
		if (!drop->forced)
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 errmsg("could not lock table \"%s\"", plain_table_name(lfirst_oid(cell))),
					 errdetail("Partitions or children are added while it is looked for all of them."),
					 errhint("Try again when they are not.")));
		pass_table(drop, search, lfirst_oid(cell), "It was added to a table while it was looked for all of them.");
	}
	return NIL;
}

/*
 * Locks tables of other roles one by one, or only tries to, and warns about those that
 * cannot be locked.  After the time for all of them has passed, tables whose locks are kept are not tried.
 */
static List *
lock_or_pass(Drop *drop, const EvSearch *search, List *tables, const Locked *before, bool keep, int milliseconds)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(ev_steady_time(), milliseconds);
	List	   *locked = NIL;
	ListCell   *cell;

	foreach(cell, tables)
	{
		Oid			relation = lfirst_oid(cell);
		int			rest = (int) Min(TimestampDifferenceMilliseconds(ev_steady_time(), deadline), EV_ATTEMPT_MS);

		CHECK_FOR_INTERRUPTS();
		if (before->others + list_length(locked) == MOST_TABLES)
			pass_table(drop, search, relation, psprintf("It is one of more than %d tables of other roles.", MOST_TABLES));
		else if (keep && rest <= 0)
			pass_table(drop, search, relation, psprintf("Locking the tables of other roles took longer than %g s.", milliseconds / 1000.0));
		else if (keep ? ev_try_lock_table(relation, ShareRowExclusiveLock, rest) :
				 ev_can_lock_table(relation, ShareRowExclusiveLock, rest))
			locked = lappend_oid(locked, relation);
		else
			pass_table(drop, search, relation, "Transactions that use it do not end.");
	}
	return locked;
}

static void
lock_others(void *arg)
{
	ev_lock_others_tables((List *) arg, ShareRowExclusiveLock, false);
}

/*
 * Waits for other roles' transactions on their tables before the user's own tables are
 * locked, whose writers would wait too.
 */
static void
wait_for_others(Drop *drop, const EvSearch *search, const Locked *none)
{
	List	   *tables = tables_to_lock(drop, search, false, none);
	ErrorData  *error;

	if (drop->forced)
	{
		(void) lock_or_pass(drop, search, tables, none, false, FORCED_WAIT);
		return;
	}
	refuse_many_tables(search, tables, none);
	if (tables == NIL || tables_to_lock(drop, search, true, none) == NIL)
		return;
	error = ev_in_subtransaction(lock_others, tables, EV_LET_GO);
	if (error != NULL)
		ReThrowError(error);
}

/*
 * Locks tables against writers: all that belong to the user, or all others
 * that are not locked yet.  Returns false if there are none.
 */
static bool
lock_tables(Drop *drop, const EvSearch *search, bool own, Locked *locked)
{
	List	   *tables = tables_to_lock(drop, search, own, locked);
	bool		briefly = locked->tables != NIL;
	ListCell   *cell;

	if (!own && ++locked->rounds > MOST_ROUNDS)
		tables = pass_attached(drop, search, tables);
	if (tables == NIL)
		return false;
	if (own)
		ev_lock_tables(tables, ShareRowExclusiveLock);
	else if (drop->forced)
		tables = lock_or_pass(drop, search, tables, locked, true, FORCED_LOCKED_WAIT);
	else
	{
		refuse_many_tables(search, tables, locked);
		ev_lock_others_tables(tables, ShareRowExclusiveLock, briefly);
	}
	foreach(cell, tables)
		(void) ev_oid_set_add(locked->set, lfirst_oid(cell));
	locked->tables = list_concat(locked->tables, tables);
	locked->others += own ? 0 : list_length(tables);
	return true;
}

/*
 * The second search.  While it waits for a lock, new tables can appear (a
 * partition is attached under a lock on its parent that conflicts with ours),
 * so it is repeated until no table is left to lock.
 */
static void
look_locked(Drop *drop)
{
	EvSearch	search;
	Locked		locked = {.set = ev_oid_set()};
	HTAB	   *own = ev_oid_set();
	ListCell   *cell;
	TimestampTz deadline;

	init_search(&search, drop);
	wait_for_others(drop, &search, &locked);
	while (lock_tables(drop, &search, true, &locked))
		init_search(&search, drop);
	foreach(cell, locked.tables)
		(void) ev_oid_set_add(own, lfirst_oid(cell));
	foreach(cell, search.sites)
		if (ev_oid_set_has(own, ((EvSite *) lfirst(cell))->relation))
		check_site(drop, lfirst(cell), &search, 0, NULL);

	while (lock_tables(drop, &search, false, &locked) || lock_tables(drop, &search, true, &locked))
		init_search(&search, drop);
	deadline = TimestampTzPlusMilliseconds(ev_steady_time(), EV_LOCKED_LOOK_MS);
	foreach(cell, search.sites)
		if (ev_oid_set_has(locked.set, ((EvSite *) lfirst(cell))->relation) &&
			!ev_oid_set_has(own, ((EvSite *) lfirst(cell))->relation))
	{
		long		rest = TimestampDifferenceMilliseconds(ev_steady_time(), deadline);

		check_site(drop, lfirst(cell), &search, rest > 0 ? (int) rest : -1, NULL);
	}
}

/*
 * Does a version that was registered again give other answers?  Rows that
 * other transactions inserted in the meantime were checked by the old schema.
 */
static bool
has_other_answers(const EvVersion *version, Oid function)
{
	HeapTuple	old = ev_function_dropped(version->function);
	HeapTuple	new = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	EvDocument	old_document;
	EvDocument	new_document;
	EvFault		fault;
	bool		result;

	if (!HeapTupleIsValid(new))
		return false;
	result = HeapTupleIsValid(old) && ev_function_document(old, &old_document, &fault) &&
		ev_function_document(new, &new_document, &fault) &&
		!ev_document_same_answers(&old_document, &new_document);
	ReleaseSysCache(new);
	return result;
}

/*
 * Returns the versions that are not registered, or those that are registered
 * again with other documents.
 */
static List *
still_dropped(List *versions, bool again)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, versions)
	{
		EvVersion  *version = lfirst(cell);
		Oid			function = ev_registered_version(version->type, strlen(version->type), version->version);

		if (again ? OidIsValid(function) && has_other_answers(version, function) : !OidIsValid(function))
			result = lappend(result, version);
	}
	return result;
}

static void
look_before_commit(void *arg)
{
	PushActiveSnapshot(GetTransactionSnapshot());
	look_locked((Drop *) arg);
	PopActiveSnapshot();
}

typedef struct ProtectedLook
{
	Drop	   *drop;
	ErrorData  *error;			/* or NULL */
} ProtectedLook;

/* Returns the search's error in *arg instead of raising it. */
static void
look_protected(void *arg)
{
	ProtectedLook *look = arg;

	look->error = ev_in_subtransaction(look_before_commit, look->drop, EV_KEEP);
}

/*
 * Checks some of the versions of a drop at commit.
 *
 * All subtransactions of the search are inside one that raises no error, since
 * a subtransaction whose parent is the committing transaction must not be
 * rolled back.
 */
static void
check_before_commit(Drop *drop, bool again)
{
	Drop		part = *drop;
	ProtectedLook look = {.drop = &part};
	ErrorData  *error;

	part.again = again;
	part.versions = still_dropped(drop->versions, again);
	if (part.versions == NIL)
		return;
	error = ev_in_subtransaction(look_protected, &look, EV_KEEP);
	drop->passed = part.passed;
	if (error == NULL)
		error = look.error;
	if (error != NULL)
		ReThrowError(error);
}

static void
before_commit(void)
{
	List	   *all = drops;
	ListCell   *cell;

	/* code that runs from here on must not call this again */
	drops = NIL;

	/*
	 * Dropping temporary tables (ON COMMIT DROP) can take long.  PostgreSQL
	 * does it after this, while others would wait for our locks; so it is
	 * done first.
	 */
	PreCommit_on_commit_actions();
	foreach(cell, all)
	{
		check_before_commit(lfirst(cell), false);
		check_before_commit(lfirst(cell), true);
	}
}

/*
 * May this transaction be prepared?  Its locks stay until it ends.  Citus, which drops
 * a function on all servers by a two-phase commit, ends it at once.  Any role can set
 * application_name, so it counts only for roles that could lock the tables anyway.
 */
static bool
may_prepare(void)
{
	return application_name != NULL &&
		strncmp(application_name, "citus_internal ", strlen("citus_internal ")) == 0 &&
		ev_ownership_is_privileged();
}

static void
refuse_prepare(void)
{
	ListCell   *cell;

	foreach(cell, drops)
		if (still_dropped(((Drop *) lfirst(cell))->versions, false) != NIL ||
			still_dropped(((Drop *) lfirst(cell))->versions, true) != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot PREPARE a transaction that has dropped an event schema"),
				 errdetail("It would keep tables locked against writers until it ends."),
				 errhint("On a distributed database, let its owner drop the schema.")));
}

static void
at_transaction_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (drops == NIL)
		return;
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			before_commit();
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (may_prepare())
				before_commit();
			else
				refuse_prepare();
			break;
		default:
			drops = NIL;
	}
}

/* ---------- entry ---------- */

static EvVersion *
copy_version(const EvVersion *version)
{
	EvVersion  *copy = palloc(sizeof(EvVersion));

	copy->type = pstrdup(version->type);
	copy->version = version->version;
	copy->function = version->function;
	return copy;
}

static bool
is_forced(const EvVersion *version)
{
	return ev_enforcement_forced != NULL && ev_enforcement_forced->version == version->version &&
		strcmp(ev_enforcement_forced->type, version->type) == 0;
}

static void
add_drop(List *versions, bool forced)
{
	MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);
	Drop	   *drop = palloc0(sizeof(Drop));
	ListCell   *cell;

	drop->forced = forced;
	drop->command = GetCurrentCommandId(false);
	drop->user = GetUserId();
	foreach(cell, versions)
		if (is_forced(lfirst(cell)) == forced)
		drop->versions = lappend(drop->versions, copy_version(lfirst(cell)));
	if (drop->versions != NIL)
		drops = lappend(drops, drop);
	MemoryContextSwitchTo(caller);
	if (drop->versions != NIL)
		look_unlocked(drop);
}

void
ev_enforcement_check_unused(List *versions)
{
	static bool is_registered = false;

	if (!is_registered)
	{
		RegisterXactCallback(at_transaction_end, NULL);
		is_registered = true;
	}
	add_drop(versions, false);
	add_drop(versions, true);
}

void
ev_enforcement_require_force(void)
{
	if (!ev_ownership_is_privileged())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of the database to drop an event schema with force")));
}
