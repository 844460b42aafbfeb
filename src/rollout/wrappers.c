/*
 * wrappers.c
 *	  Functions that call check_event for a constraint, a policy or a view.
 *
 * These depend on the functions that they call.  If the body of such a
 * function was parsed (BEGIN ATOMIC), it depends in turn on the functions that it
 * calls.  If its body is a string, the string is searched for check_event, and
 * for the names of functions that call it.  A function that hides the name (EXECUTE with a computed string) is not found.
 *
 * A name alone does not say which function is meant, and anybody can create one
 * with the name of a function that others call.  So a function with a mentioned
 * name counts if its schema is mentioned with it; or else if its owner could
 * have written the text: a role with the rights of the text's owner, a
 * superuser, or the owner of the database.
 *
 * The text that is read of a role that lacks the rights of the user is limited, and
 * any role can let its constraints call functions of others.  So what is read counts
 * for both: the role that asks, whose constraint, policy or view is at the beginning
 * of the calls, and the role whose functions these came to.  No role uses up what is
 * read for another one, or of its functions.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_language.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "parser/scansup.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "registry/function_row.h"
#include "rollout/wrappers.h"
#include "rows/table_rights.h"

/*
 * The depth of calls between functions down to which calls of check_event are
 * found.
 */
#define MAX_DEPTH	8

/* The maximum number of pairs of a function of one other role and one that its text can mean. */
#define MOST_CALLEES	100000

/* A function whose text may call check_event. */
typedef struct Candidate
{
	Oid			function;		/* the key */
	Oid			namespace;
	Oid			owner;
	struct Candidate *next;		/* of the same name */
	bool		is_reached;		/* from a constraint, policy or view */
	bool		is_read;		/* what it calls is known */
	bool		is_wrapper;
	Oid			unread;			/* the function whose text is beyond the
								 * limit: itself, or one that it calls; or
								 * InvalidOid */
	List	   *callees;		/* of Candidate * */
	List	   *accounts;		/* of Account *: for which it was reached */
} Candidate;

typedef struct FunctionName
{
	char		name[NAMEDATALEN];	/* the key, in lower case */
	Candidate  *first;
} FunctionName;

/* A function about which it is not known whether it calls them, and the one whose text was not read. */
typedef struct UnreadText
{
	Oid			function;		/* the key */
	Oid			text;
} UnreadText;

/*
 * What is read for a role that asks: text of its own functions, or text that is reached
 * by calls into the functions of another role.
 */
typedef struct AccountKey
{
	Oid			asker;			/* InvalidOid: the user, or a trusted role */
	Oid			other;			/* InvalidOid: none */
} AccountKey;

typedef struct Account
{
	AccountKey	key;
	Size		read;			/* bytes */
} Account;

/* A function, and the account for which it was reached. */
typedef struct ReachedFor
{
	Candidate  *candidate;
	Account    *account;
} ReachedFor;

/* A role that owns functions, or asks. */
typedef struct TextOwner
{
	Oid			role;			/* the key */
	bool		is_trusted;		/* a superuser, or the owner of the database */
	bool		has_user;		/* it has the rights of the user */
	int			callees;
} TextOwner;

typedef struct Wrappers
{
	const EvEventFunctions *functions;
	const char *function_names[lengthof(((EvEventFunctions *) NULL)->oids)];
	Oid			user;
	HTAB	   *candidates;
	HTAB	   *names;
	HTAB	   *owners;
	HTAB	   *accounts;
	HTAB	   *reached_for;	/* of ReachedFor */
	List	   *queue;			/* the same, in the order in which they are
								 * met */
	List	   *reached;		/* of Candidate * */
} Wrappers;

/* ---------- functions and their names ---------- */

static HTAB *
new_table(const char *name, Size key_size, Size entry_size, int flags)
{
	HASHCTL		control = {.keysize = key_size, .entrysize = entry_size, .hcxt = CurrentMemoryContext};

	return hash_create(name, 256, &control, HASH_ELEM | HASH_CONTEXT | flags);
}

static TextOwner *
find_owner(Wrappers *wrappers, Oid role)
{
	bool		is_known;
	TextOwner  *owner = hash_search(wrappers->owners, &role, HASH_ENTER, &is_known);

	if (!is_known)
	{
		owner->is_trusted = superuser_arg(role) || role == ev_database_owner();
		owner->has_user = owner->is_trusted || has_privs_of_role(role, wrappers->user);
		owner->callees = 0;
	}
	return owner;
}

static FunctionName *
find_name(const Wrappers *wrappers, const char *name, HASHACTION action)
{
	char		key[NAMEDATALEN] = {0};
	bool		is_known;
	FunctionName *result;

	for (int i = 0; i < NAMEDATALEN - 1 && name[i] != '\0'; i++)
		key[i] = pg_tolower((unsigned char) name[i]);
	result = hash_search(wrappers->names, key, action, &is_known);
	if (result != NULL && !is_known)
		result->first = NULL;
	return result;
}

/*
 * All functions whose text could call another function.  Not temporary ones:
 * anybody can give these the names of functions that all others call.
 */
static void
list_candidates(Wrappers *wrappers)
{
	Relation	pg_proc = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(pg_proc, InvalidOid, false, NULL, 0, NULL);
	Oid			jsonschema = ev_language_oid();
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
		Candidate  *candidate;
		FunctionName *name;

		CHECK_FOR_INTERRUPTS();
		if (form->oid < (Oid) FirstNormalObjectId || form->prokind != PROKIND_FUNCTION ||
			form->prolang == INTERNALlanguageId || form->prolang == ClanguageId ||
			form->prolang == jsonschema || form->prorettype == TRIGGEROID ||
			isAnyTempNamespace(form->pronamespace))
			continue;
		candidate = hash_search(wrappers->candidates, &form->oid, HASH_ENTER, NULL);
		name = find_name(wrappers, NameStr(form->proname), HASH_ENTER);
		candidate->namespace = form->pronamespace;
		candidate->owner = form->proowner;
		candidate->next = name->first;
		candidate->is_reached = candidate->is_read = candidate->is_wrapper = false;
		candidate->unread = InvalidOid;
		candidate->callees = candidate->accounts = NIL;
		name->first = candidate;
	}
	systable_endscan(scan);
	table_close(pg_proc, AccessShareLock);
}

static Candidate *
find_candidate(const Wrappers *wrappers, Oid function)
{
	return hash_search(wrappers->candidates, &function, HASH_FIND, NULL);
}

static Account *
find_account(Wrappers *wrappers, Oid asker, Oid other)
{
	AccountKey	key = {asker, other};
	bool		is_known;
	Account    *account = hash_search(wrappers->accounts, &key, HASH_ENTER, &is_known);

	if (!is_known)
		account->read = 0;
	return account;
}

/*
 * Returns the account for a function that is called where another account holds.  It stays
 * that of the first role whose functions are called by those of the role that asks.
 */
static Account *
account_of_call(Wrappers *wrappers, Account *account, const Candidate *called)
{
	if (OidIsValid(account->key.other) || called->owner == account->key.asker || find_owner(wrappers, called->owner)->has_user)
		return account;
	return find_account(wrappers, account->key.asker, called->owner);
}

static void
reach(Wrappers *wrappers, Candidate *candidate, Account *account)
{
	ReachedFor	key = {candidate, account_of_call(wrappers, account, candidate)};
	bool		is_known;

	(void) hash_search(wrappers->reached_for, &key, HASH_ENTER, &is_known);
	if (is_known)
		return;
	wrappers->queue = lappend(wrappers->queue, memcpy(palloc(sizeof(key)), &key, sizeof(key)));
	if (!candidate->is_reached)
		wrappers->reached = lappend(wrappers->reached, candidate);
	candidate->is_reached = true;
}

/* Returns the role that wrote a constraint, policy or view; InvalidOid if it was dropped. */
static Oid
author_of(Oid catalog, Oid object)
{
	Relation	relation = table_open(catalog, AccessShareLock);
	HeapTuple	row = get_catalog_object_by_oid(relation, get_object_attnum_oid(catalog), object);
	Oid			table = InvalidOid;
	Oid			domain = InvalidOid;
	HeapTuple	type;
	Oid			owner;

	if (HeapTupleIsValid(row) && catalog == PolicyRelationId)
		table = ((Form_pg_policy) GETSTRUCT(row))->polrelid;
	else if (HeapTupleIsValid(row) && catalog == RewriteRelationId)
		table = ((Form_pg_rewrite) GETSTRUCT(row))->ev_class;
	else if (HeapTupleIsValid(row))
	{
		table = ((Form_pg_constraint) GETSTRUCT(row))->conrelid;
		domain = ((Form_pg_constraint) GETSTRUCT(row))->contypid;
	}
	if (HeapTupleIsValid(row))
		heap_freetuple(row);	/* there may be many */
	table_close(relation, AccessShareLock);
	if (!OidIsValid(domain))
		return OidIsValid(table) ? ev_table_owner(table) : InvalidOid;
	type = SearchSysCache1(TYPEOID, ObjectIdGetDatum(domain));
	if (!HeapTupleIsValid(type))
		return InvalidOid;
	owner = ((Form_pg_type) GETSTRUCT(type))->typowner;
	ReleaseSysCache(type);
	return owner;
}

/* Marks the functions that constraints, policies or views call: the objects of a catalog. */
static void
reach_from(Wrappers *wrappers, Oid catalog)
{
	Relation	pg_depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			object = InvalidOid;
	Oid			author = InvalidOid;

	ScanKeyInit(&key, Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(catalog));
	scan = systable_beginscan(pg_depend, DependDependerIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);
		Candidate  *candidate;

		CHECK_FOR_INTERRUPTS();
		candidate = form->refclassid == ProcedureRelationId ? find_candidate(wrappers, form->refobjid) : NULL;
		if (candidate == NULL)
			continue;
		/* the rows of an object follow each other */
		if (form->objid != object)
			author = author_of(catalog, form->objid);
		object = form->objid;
		if (OidIsValid(author))
			reach(wrappers, candidate, find_account(wrappers, find_owner(wrappers, author)->has_user ? InvalidOid : author, InvalidOid));
	}
	systable_endscan(scan);
	table_close(pg_depend, AccessShareLock);
}

/* ---------- what a function calls ---------- */

static void
add_callee(Candidate *caller, Candidate *callee)
{
	if (callee != NULL && callee != caller)
		caller->callees = lappend(caller->callees, callee);
}

/* A function whose body was parsed depends on what it calls. */
static void
read_dependencies(Wrappers *wrappers, Candidate *caller)
{
	ListCell   *cell;

	foreach(cell, ev_function_all_dependencies(caller->function))
	{
		if (ev_is_event_function(lfirst_oid(cell), wrappers->functions))
			caller->is_wrapper = true;
		else
			add_callee(caller, find_candidate(wrappers, lfirst_oid(cell)));
	}
}

/* A word of a text, and the word before it, if only a dot is between them. */
typedef struct Word
{
	char		name[NAMEDATALEN];	/* in lower case, with zeros at its end */
	char		schema[NAMEDATALEN];	/* the same; empty: none */
} Word;

static inline bool
is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		c == '$' || IS_HIGHBIT_SET(c);
}

/*
 * Reads the next word; false at the end.  Letters are folded to lower case, like
 * the names of functions in the table.
 */
static bool
next_word(const char **body, Word *word)
{
	const char *p = *body;
	int			length = 0;
	bool		has_dot = false;
	bool		has_other = false;

	for (; *p != '\0' && !is_name_character(*p); p++)
	{
		has_other |= *p != '"' && !scanner_isspace(*p) && (*p != '.' || has_dot);
		has_dot |= *p == '.';
	}
	if (*p == '\0')
		return false;
	if (has_dot && !has_other)
		memcpy(word->schema, word->name, NAMEDATALEN);
	else
		memset(word->schema, 0, NAMEDATALEN);
	memset(word->name, 0, NAMEDATALEN);
	for (; is_name_character(*p); p++)
		if (length < NAMEDATALEN - 1)
			word->name[length++] = pg_tolower((unsigned char) *p);
	*body = p;
	return true;
}

/* Could the owner of a caller have meant a function of this owner by a name without a schema? */
static bool
is_meant(Wrappers *wrappers, const Candidate *caller, const Candidate *callee)
{
	return find_owner(wrappers, callee->owner)->is_trusted || has_privs_of_role(callee->owner, caller->owner);
}

/* Adds the functions that a caller can mean by a name. */
static void
add_meant(Wrappers *wrappers, Candidate *caller, const FunctionName *name, Oid namespace)
{
	TextOwner  *owner = find_owner(wrappers, caller->owner);

	for (Candidate *callee = name->first; callee != NULL; callee = callee->next)
	{
		CHECK_FOR_INTERRUPTS();

		/*
		 * overloads, and functions that mention them, make a product; a look
		 * counts too, also at a function of another role, so beyond the limit
		 * it is not known what is called
		 */
		if (!owner->has_user && ++owner->callees > MOST_CALLEES)
		{
			owner->callees = MOST_CALLEES;
			caller->is_wrapper = true;
			return;
		}
		if (callee->namespace == namespace || is_meant(wrappers, caller, callee))
			add_callee(caller, callee);
	}
}

static void
read_text(Wrappers *wrappers, Candidate *caller, const char *body)
{
	HTAB	   *met = new_table("event_validate words", sizeof(Word), sizeof(Word), HASH_BLOBS);
	Word		word = {{0}, {0}};

	while (next_word(&body, &word))
	{
		FunctionName *name = find_name(wrappers, word.name, HASH_FIND);
		Oid			namespace = InvalidOid;
		Word		key = word;
		bool		is_met;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < (int) lengthof(wrappers->function_names); i++)
			if (wrappers->function_names[i] != NULL && strcmp(wrappers->function_names[i], word.name) == 0)
				caller->is_wrapper = true;
		if (name == NULL)
			continue;
		if (word.schema[0] != '\0')
			namespace = get_namespace_oid(word.schema, true);
		if (!OidIsValid(namespace))
			memset(key.schema, 0, NAMEDATALEN);
		(void) hash_search(met, &key, HASH_ENTER, &is_met);
		if (!is_met)
			add_meant(wrappers, caller, name, namespace);
	}
	hash_destroy(met);
}

/* Reads what a function calls, if there is space for its text in an account. */
static void
read_function(Wrappers *wrappers, Candidate *caller, Account *account)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(caller->function));
	bool		is_limited = !find_owner(wrappers, caller->owner)->has_user;
	bool		is_null;
	Datum		source;

	if (!HeapTupleIsValid(tuple))
		return;
	source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &is_null);
	if (is_null || !is_limited || toast_raw_datum_size(source) <= EV_MOST_FUNCTION_TEXT - account->read)
	{
		char	   *body = is_null ? pstrdup("") : TextDatumGetCString(source);

		if (is_limited && !is_null)
			account->read += toast_raw_datum_size(source);
		read_text(wrappers, caller, body);
		pfree(body);
		caller->is_read = true;
	}
	caller->unread = caller->is_read ? InvalidOid : caller->function;
	ReleaseSysCache(tuple);
}

/* Reaches what a function calls. */
static void
reach_callees(Wrappers *wrappers, const Candidate *caller, Account *account)
{
	ListCell   *cell;

	foreach(cell, caller->callees)
	{
		CHECK_FOR_INTERRUPTS();
		reach(wrappers, lfirst(cell), account);
	}
}

/*
 * Goes from a function to those that it calls.  If there was no space for its text in the
 * accounts for which it was reached before, what it calls is reached for these now.
 */
static void
go_on(Wrappers *wrappers, Candidate *caller, Account *account)
{
	bool		was_read = caller->is_read;
	ListCell   *cell;

	/* what a parsed body calls has no limit, and is known at once */
	if (caller->accounts == NIL)
		read_dependencies(wrappers, caller);
	if (!was_read)
		read_function(wrappers, caller, account);
	if (!was_read && caller->is_read)
		foreach(cell, caller->accounts)
			reach_callees(wrappers, caller, lfirst(cell));
	caller->accounts = lappend(caller->accounts, account);
	reach_callees(wrappers, caller, account);
}

/* ---------- all ---------- */

/*
 * Passes what is known of a function on to one that calls it.
 *
 * A word before a dot can be an alias of a table, with the name of a schema that anybody made.  So
 * what a stranger's function hides is not passed on: its caller counts as a wrapper,
 * and the table is looked at.
 */
static bool
pass_to(Wrappers *wrappers, Candidate *caller, const Candidate *called)
{
	if (caller->is_wrapper)
		return false;
	if (called->is_wrapper || (OidIsValid(called->unread) && !is_meant(wrappers, caller, called)))
		return caller->is_wrapper = true;
	if (!OidIsValid(called->unread) || OidIsValid(caller->unread))
		return false;
	caller->unread = called->unread;
	return true;
}

/* A function is a wrapper if one that it calls is; or it may be one, if that is not known. */
static bool
pass_on(Wrappers *wrappers)
{
	bool		is_changed = false;
	ListCell   *cell;
	ListCell   *callee;

	foreach(cell, wrappers->reached)
		foreach(callee, ((Candidate *) lfirst(cell))->callees)
		if (pass_to(wrappers, lfirst(cell), lfirst(callee)))
		is_changed = true;
	return is_changed;
}

/* Reads the functions that were reached, and those that they call. */
static void
read_reached(Wrappers *wrappers, int *read)
{
	for (int depth = 0; depth < MAX_DEPTH; depth++)
		for (int end = list_length(wrappers->queue); *read < end; ++*read)
		{
			const ReachedFor *next = list_nth(wrappers->queue, *read);

			CHECK_FOR_INTERRUPTS();
			go_on(wrappers, next->candidate, next->account);
		}
}

List *
ev_find_wrappers(const EvEventFunctions *functions, Oid user, List **unread, HTAB **texts)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "event_validate wrappers",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Wrappers	wrappers = {.functions = functions, .user = user};
	List	   *result = NIL;
	int			read = 0;
	ListCell   *cell;

	for (int i = 0; i < (int) lengthof(functions->oids); i++)
		if (OidIsValid(functions->oids[i]))
			wrappers.function_names[i] = get_func_name(functions->oids[i]);
	wrappers.candidates = new_table("event_validate functions", sizeof(Oid), sizeof(Candidate), HASH_BLOBS);
	wrappers.names = new_table("event_validate names of functions", NAMEDATALEN, sizeof(FunctionName), HASH_STRINGS);
	wrappers.owners = new_table("event_validate owners of functions", sizeof(Oid), sizeof(TextOwner), HASH_BLOBS);
	wrappers.accounts = new_table("event_validate texts of roles", sizeof(AccountKey), sizeof(Account), HASH_BLOBS);
	wrappers.reached_for = new_table("event_validate reached functions", sizeof(ReachedFor), sizeof(ReachedFor), HASH_BLOBS);
	list_candidates(&wrappers);
	reach_from(&wrappers, ConstraintRelationId);
	reach_from(&wrappers, PolicyRelationId);
	read_reached(&wrappers, &read);

	/*
	 * any view counts, so views must not use up what is read for constraints
	 * and policies
	 */
	reach_from(&wrappers, RewriteRelationId);
	read_reached(&wrappers, &read);
	for (int depth = 0; depth < MAX_DEPTH && pass_on(&wrappers); depth++)
		CHECK_FOR_INTERRUPTS();

	MemoryContextSwitchTo(caller);
	*unread = NIL;
	*texts = new_table("event_validate texts", sizeof(Oid), sizeof(UnreadText), HASH_BLOBS);
	foreach(cell, wrappers.reached)
	{
		const Candidate *candidate = lfirst(cell);

		if (candidate->is_wrapper)
			result = lappend_oid(result, candidate->function);
		else if (OidIsValid(candidate->unread))
		{
			*unread = lappend_oid(*unread, candidate->function);
			((UnreadText *) hash_search(*texts, &candidate->function, HASH_ENTER, NULL))->text = candidate->unread;
		}
	}
	MemoryContextDelete(context);
	return result;
}

Oid
ev_unread_text(Oid catalog, Oid object, HTAB *texts)
{
	Relation	pg_depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			result = InvalidOid;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(catalog));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
	scan = systable_beginscan(pg_depend, DependDependerIndexId, true, NULL, 2, keys);
	while (!OidIsValid(result) && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);
		const UnreadText *found = form->refclassid != ProcedureRelationId ? NULL :
			hash_search(texts, &form->refobjid, HASH_FIND, NULL);

		CHECK_FOR_INTERRUPTS();
		if (found != NULL)
			result = found->text;
	}
	systable_endscan(scan);
	table_close(pg_depend, AccessShareLock);
	return result;
}
