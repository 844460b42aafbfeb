/*
 * claims.c
 *	  The URIs by which references find registered documents, and the
 *	  references to them.
 *
 * A reference leads to the document with that name, or else to the only
 * document with that $id, or else to the only schema in a document with that
 * $id.  So a new document can change the target of a reference that existed
 * before: this is refused for all roles.  It can also make a reference
 * ambiguous, or take a URI that others will refer to: this is refused for roles
 * that do not own the URI.  These rules depend neither on the order of
 * registration nor on check_function_bodies, which any role can set.
 *
 * Copies of one schema in several documents are common.  So a $id below the
 * root belongs to no role, and only a reference makes it matter.  A restore by
 * the database's owner is not stopped by it, since a dump can have a document
 * after a copy of it and a reference.
 *
 * The index (uri_index.c) finds the documents, and they are read here.
 * Dependencies between functions are not sufficient: documents that refer to
 * each other do not have all of them, since pg_dump could not order these.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "commands/proclang.h"
#include "miscadmin.h"
#include "storage/lockdefs.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "registry/claims.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "registry/uri_index.h"
#include "schema/document.h"

/* ---------- names ---------- */

/* Returns the names of URIs, in CurrentMemoryContext. */
static List *
names_of(List *uris)
{
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, uris)
		names = lappend(names, ev_reference_name(lfirst(cell)));
	return names;
}

List *
ev_claims_roots(const EvDocument *document)
{
	return lcons(pstrdup(document->name), names_of(ev_document_ids(document)));
}

/* Returns the names of the parts of a document; none if there are too many. */
static List *
names_of_parts(const EvMentions *mentions)
{
	return list_length(mentions->parts) <= EV_CLAIMS_MOST_PARTS ? names_of(mentions->parts) : NIL;
}

List *
ev_claims_names(const EvDocument *document)
{
	EvMentions	mentions = ev_document_mentions(document);

	return list_concat(ev_claims_roots(document), names_of_parts(&mentions));
}

void
ev_claims_record(const EvDocument *document, const EvMentions *mentions, bool is_registered)
{
	ev_uri_index_record(document->function,
						is_registered ? names_of(ev_document_ids(document)) : NIL,
						is_registered ? names_of_parts(mentions) : NIL,
						names_of(mentions->references));
}

/* ---------- documents by URI ---------- */

/* Is this a function in event_schema, in our language? */
static bool
is_registered(HeapTuple function)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(function);

	return form->pronamespace == ev_namespace_oid() && form->prolang == ev_language_oid();
}

/*
 * Returns the URI in a document that is of this kind and has this name, or
 * NULL.
 */
static char *
uri_of_name(const EvDocument *document, EvUriKind kind, const char *name)
{
	ListCell   *cell;

	foreach(cell, ev_uri_index_uris(document, kind))
		if (strcmp(ev_reference_name(lfirst(cell)), name) == 0)
		return lfirst(cell);
	return NULL;
}

/* A document that was found by the name of one of its URIs. */
typedef struct Found
{
	Oid			function;
	Oid			owner;
	char	   *name;			/* of the function */
	char	   *uri;
} Found;

/*
 * Returns those of the functions that are registered documents (Found *) and have a
 * URI of this kind with this name; with first_only, not more than one.
 */
static List *
documents_with(List *functions, EvUriKind kind, const char *name, bool first_only)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "event_validate document", ALLOCSET_DEFAULT_SIZES);
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, functions)
	{
		HeapTuple	row;
		EvDocument	document;
		EvFault		fault;
		char	   *uri;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(context);
		MemoryContextSwitchTo(context);
		row = ev_function_row(lfirst_oid(cell));
		uri = HeapTupleIsValid(row) && is_registered(row) && ev_function_document(row, &document, &fault) ?
			uri_of_name(&document, kind, name) : NULL;
		MemoryContextSwitchTo(caller);
		if (uri != NULL)
		{
			Found	   *found = palloc(sizeof(Found));

			found->function = lfirst_oid(cell);
			found->owner = ((Form_pg_proc) GETSTRUCT(row))->proowner;
			found->name = pstrdup(document.name);
			found->uri = pstrdup(uri);
			result = lappend(result, found);
			if (first_only)
				break;
		}
	}
	MemoryContextDelete(context);
	return result;
}

/* The same for all functions except one. */
static List *
find_documents(EvUriKind kind, const char *name, Oid but, bool first_only)
{
	return documents_with(ev_uri_index_find(kind, name, but), kind, name, first_only);
}

List *
ev_claims_referrers(List *names, Oid but)
{
	List	   *result = NIL;
	ListCell   *cell;
	ListCell   *found_cell;

	foreach(cell, names)
	{
		CHECK_FOR_INTERRUPTS();
		foreach(found_cell, find_documents(EV_URI_REFERENCE, lfirst(cell), but, false))
		{
			const Found *found = lfirst(found_cell);
			EvReferrer *referrer = palloc(sizeof(EvReferrer));

			referrer->function = found->function;
			referrer->owner = found->owner;
			referrer->name = found->name;
			referrer->by = lfirst(cell);
			referrer->uri = found->uri;
			result = lappend(result, referrer);
		}
	}
	return result;
}

/* Functions whose references do not count. */
typedef struct NotCounted
{
	Oid			document;
	Oid			other;
	HTAB	   *together;		/* by OID, or NULL */
} NotCounted;

/* Returns the functions that can refer to a name, except those that do not count. */
static List *
possible_referrers(const char *name, const NotCounted *but)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, ev_uri_index_find(EV_URI_REFERENCE, name, but->document))
	{
		Oid			function = lfirst_oid(cell);

		if (function != but->other &&
			(but->together == NULL || hash_search(but->together, &function, HASH_FIND, NULL) == NULL))
			result = lappend_oid(result, function);
	}
	return result;
}

/* Returns the name of a document that refers to a name and counts, or NULL. */
static const char *
first_referrer(const char *name, const NotCounted *but)
{
	List	   *found = documents_with(possible_referrers(name, but), EV_URI_REFERENCE, name, true);

	return found != NIL ? ((const Found *) linitial(found))->name : NULL;
}

/* ---------- names to lock ---------- */

/*
 * Do references by the name of a part lead to another document, because that
 * document has the name itself?
 */
static bool
leads_elsewhere(const EvDocument *document, const char *name)
{
	return OidIsValid(ev_registered_function(name)) ||
		find_documents(EV_URI_ROOT, name, document->function, true) != NIL;
}

List *
ev_claims_to_lock(const EvDocument *document)
{
	EvMentions	mentions = ev_document_mentions(document);
	List	   *names = ev_claims_roots(document);
	ListCell   *cell;

	foreach(cell, names_of_parts(&mentions))
	{
		CHECK_FOR_INTERRUPTS();
		if (!leads_elsewhere(document, lfirst(cell)))
			names = lappend(names, lfirst(cell));
	}
	return names;
}

/* ---------- claims of other documents ---------- */

/*
 * Returns the function with this name, and the functions that may have it as
 * their $id.
 */
static List *
claimants(const char *name, Oid but)
{
	List	   *functions = ev_uri_index_find(EV_URI_ROOT, name, but);
	Oid			named = ev_registered_function(name);

	if (OidIsValid(named) && named != but)
		functions = lcons_oid(named, list_delete_oid(functions, named));
	return functions;
}

static void
refuse_stranger(const EvDocument *document, const char *name, const char *other)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for URI \"%s\" of schema \"%s\"", name, document->name),
			 errdetail("It is that of \"%s\", which belongs to another role.", other),
			 errhint("Give the document another URI, or let the owner of \"%s\" or of the database register it.",
					 other)));
}

/*
 * Checks a document that may have a name that a new document claims too.
 * Returns whether it has the name.  The body is read only if the result
 * depends on it: many versions of a type can share one $id.
 */
static bool
check_claimant(const EvDocument *document, const char *name, Oid other, HTAB *together)
{
	HeapTuple	row = ev_function_row(other);
	EvDocument	other_document;
	EvFault		fault;
	const char *other_name;
	const char *referrer;
	NotCounted	not_counted = {document->function, other, together};
	bool		is_mine;

	if (!HeapTupleIsValid(row) || !is_registered(row))
		return false;
	other_name = ev_function_shown_name(row);
	is_mine = ev_ownership_has_document(row);

	/* references by this name still lead to that document */
	if (strcmp(other_name, name) == 0)
	{
		if (!is_mine)
			refuse_stranger(document, name, other_name);
		return true;
	}
	if (is_mine && possible_referrers(name, &not_counted) == NIL)
		return true;
	if (!ev_function_document(row, &other_document, &fault) ||
		uri_of_name(&other_document, EV_URI_ROOT, name) == NULL)
		return false;
	if (!is_mine)
		refuse_stranger(document, name, other_name);
	referrer = first_referrer(name, &not_counted);
	if (referrer != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("schema \"%s\" would take over the URI \"%s\"", document->name, name),
				 errdetail("It is the $id of \"%s\", and \"%s\" refers to it.", other_name, referrer),
				 errhint("Give the document another URI.")));
	return true;
}

/*
 * Raises an error if a third document refers by this name to a schema in
 * another document.
 */
static void
check_part_claimants(const EvDocument *document, const char *name, HTAB *together, const char *message)
{
	List	   *others;
	const Found *other;
	const char *referrer;
	NotCounted	not_counted = {document->function, InvalidOid, together};

	if (possible_referrers(name, &not_counted) == NIL ||
		(!check_function_bodies && ev_ownership_is_privileged()))
		return;
	others = find_documents(EV_URI_PART, name, document->function, true);
	if (others == NIL)
		return;
	other = linitial(others);
	not_counted.other = other->function;
	referrer = first_referrer(name, &not_counted);
	if (referrer != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg(message, document->name, name),
				 errdetail("It is the $id of a schema in \"%s\", and \"%s\" refers to it.",
						   other->name, referrer),
				 errhint("Give it another URI.")));
}

/* A URI of an event schema belongs to that schema, registered or not. */
static void
check_event_uris(const EvDocument *document)
{
	ListCell   *cell;

	foreach(cell, ev_document_ids(document))
	{
		char	   *name = ev_reference_name(lfirst(cell));
		int			type_length;
		int32		version;

		if (strcmp(name, document->name) != 0 &&
			ev_parse_event_name(name, &type_length, &version))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid JSON Schema \"%s\": its $id is the URI of event schema \"%s\"",
							document->name, name),
					 errhint("Leave the $id out, or give the document a URI of its own.")));
	}
}

static bool
has_name(List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
		if (strcmp(lfirst(cell), name) == 0)
		return true;
	return false;
}

/*
 * Checks the names of the document itself, which are locked.  References by the
 * names that it had before lead to it already.
 */
static void
check_roots(const EvDocument *document, List *names, List *before, HTAB *together)
{
	ListCell   *cell;
	ListCell   *other_cell;

	foreach(cell, names)
	{
		const char *name = lfirst(cell);
		bool		is_claimed = false;

		foreach(other_cell, claimants(name, document->function))
		{
			CHECK_FOR_INTERRUPTS();
			is_claimed |= check_claimant(document, name, lfirst_oid(other_cell), together);
		}
		if (!is_claimed && !has_name(before, name))
			check_part_claimants(document, name, together, "schema \"%s\" would take over the URI \"%s\"");
	}
}

/*
 * Checks the names of the schemas in a document, and locks them.  If another
 * document has such a name itself, references lead there before and after.
 */
static void
check_parts(const EvDocument *document, List *names, List *before, HTAB *together)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		const char *name = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (has_name(before, name) || leads_elsewhere(document, name))
			continue;
		ev_name_lock(name, ExclusiveLock);
		check_part_claimants(document, name, together, "schema \"%s\" would make the URI \"%s\" ambiguous");
	}
}

void
ev_claims_check(const EvDocument *document, const EvMentions *mentions, const EvDocument *old, HTAB *together)
{
	int			type_length;
	int32		version;
	List	   *names;
	ListCell   *cell;

	check_event_uris(document);
	names = ev_claims_roots(document);
	if (ev_parse_event_name(document->name, &type_length, &version))
		names = list_delete_first(names);	/* the name itself is unique */

	/* lock out concurrent references to the URIs, and claims */
	foreach(cell, names)
		ev_name_lock(lfirst(cell), ExclusiveLock);
	check_roots(document, names, old != NULL ? ev_claims_roots(old) : NIL, together);
	check_parts(document, names_of_parts(mentions), old != NULL ? ev_claims_names(old) : NIL, together);
}

/* ---------- widening ---------- */

/* Can a function prevent a change of a document to which it refers? */
static bool
referrer_counts(HeapTuple row, Oid document)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(row);

	return form->prolang == ev_language_oid() && !isAnyTempNamespace(form->pronamespace) &&
		(form->pronamespace == ev_namespace_oid() || ev_ownership_counts(form->proowner, document));
}

/*
 * Describes a function if it counts, and if its reference by this name leads
 * to a document; otherwise returns NULL.
 */
static char *
describe_referrer(HeapTuple row, const char *name, Oid document)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(row);
	EvDocument	referrer;
	EvDocument	target = {0};
	EvFault		fault;
	const char *uri;

	if (!referrer_counts(row, document) || !ev_function_document(row, &referrer, &fault))
		return NULL;
	uri = uri_of_name(&referrer, EV_URI_REFERENCE, name);
	if (uri == NULL || !ev_registry_try_resolve(uri, &target) || target.function != document)
		return NULL;
	if (is_registered(row))
		return psprintf("Schema \"%s\"", referrer.name);
	return psprintf("Function %s", quote_qualified_identifier(get_namespace_name(form->pronamespace),
															  NameStr(form->proname)));
}

/* Describes the first such function, or returns NULL. */
static char *
find_referrer(const char *name, Oid document)
{
	List	   *functions = ev_uri_index_find(EV_URI_REFERENCE, name, document);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "event_validate referrer", ALLOCSET_DEFAULT_SIZES);
	char	   *result = NULL;
	ListCell   *cell;

	foreach(cell, functions)
	{
		HeapTuple	row;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(context);
		MemoryContextSwitchTo(context);
		row = ev_function_row(lfirst_oid(cell));
		result = HeapTupleIsValid(row) ? describe_referrer(row, name, document) : NULL;
		MemoryContextSwitchTo(caller);
		if (result != NULL)
			break;
	}
	if (result != NULL)
		result = pstrdup(result);
	MemoryContextDelete(context);
	return result;
}

/*
 * A $id of the document itself must not become that of a part only, since
 * parts of other documents can have it too.
 */
void
ev_claims_check_kept(const EvDocument *old, const EvDocument *new)
{
	List	   *old_roots = ev_claims_roots(old);
	List	   *roots = ev_claims_roots(new);
	List	   *names = ev_claims_names(new);
	ListCell   *cell;

	foreach(cell, ev_claims_to_lock(old))
	{
		const char *name = lfirst(cell);
		const char *referrer;

		CHECK_FOR_INTERRUPTS();
		if (has_name(has_name(old_roots, name) ? roots : names, name))
			continue;
		/* lock out new references */
		ev_name_lock(name, ExclusiveLock);
		referrer = find_referrer(name, old->function);
		if (referrer != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("schema \"%s\" must keep the URI \"%s\"", old->name, name),
					 errdetail("%s refers to it by this URI, which the new document does not have%s.", referrer,
							   has_name(names, name) ? " at its root" : ""),
					 errhint("Give the new document, or the schema in it, the same $id.")));
	}
}

bool
ev_claims_has_its_ids(const EvDocument *document)
{
	ListCell   *cell;

	foreach(cell, ev_document_ids(document))
	{
		EvDocument	found = {0};

		if (!ev_registry_try_resolve(lfirst(cell), &found) || found.function != document->function)
			return false;
		pfree(found.schema);
	}
	return true;
}
