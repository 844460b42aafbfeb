/*
 * claims.c
 *	  The URIs that registered documents are found by, and who refers to them.
 *
 * A reference leads to the document of that name, or else to the only one with
 * that $id, or else to the only schema in a document with that $id.  So a new
 * document can turn a reference from the one that it led to when it was
 * published: that is refused to everybody.  And it can make one ambiguous, or
 * lie in wait for who refers to it next: that is refused to those whose the
 * URI is not.  None of this depends on the order in which documents come, nor
 * on check_function_bodies, which anybody can set; except that the rights of
 * the database's owner restore a dump, in whose order a document may come
 * between a schema in another one and the document that hides it.
 *
 * Copies of a schema in several documents are common, so a $id below the root
 * is nobody's until a document refers to it.
 *
 * Documents are found by the index (uri_index.c), and then read.  The records of
 * pg_depend between functions say the same of most references, but not of
 * documents that refer to each other: pg_dump could not put these in an order.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "commands/proclang.h"
#include "miscadmin.h"
#include "storage/lockdefs.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "registry/claims.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "registry/uri_index.h"
#include "schema/document.h"
#include "schema/uri.h"

/* ---------- names ---------- */

/* The names of URIs, in CurrentMemoryContext. */
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

void
ev_claims_mentioned(const EvDocument *document, List **parts, List **references)
{
	List	   *part_uris;
	List	   *reference_uris;

	ev_document_mentions(document, &part_uris, &reference_uris);
	*parts = list_length(part_uris) <= EV_CLAIMS_MOST_PARTS ? names_of(part_uris) : NIL;
	*references = names_of(reference_uris);
}

List *
ev_claims_names(const EvDocument *document)
{
	List	   *parts;
	List	   *references;

	ev_claims_mentioned(document, &parts, &references);
	return list_concat(ev_claims_roots(document), parts);
}

void
ev_claims_record(const EvDocument *document, bool is_registered)
{
	List	   *roots = NIL;
	List	   *parts;
	List	   *references;

	ev_claims_mentioned(document, &parts, &references);
	if (is_registered)
		roots = names_of(ev_document_ids(document));
	else
		parts = NIL;
	ev_uri_index_record(document->function, roots, parts, references);
}

/* ---------- documents by URI ---------- */

/* A function in event_schema, in our language? */
static bool
is_registered(HeapTuple function)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(function);

	return form->pronamespace == ev_namespace_oid() && form->prolang == ev_language_oid();
}

/* The URI of a document, of a kind, that has a name; NULL: none has. */
static char *
uri_of_name(const EvDocument *document, EvUriKind kind, const char *name)
{
	ListCell   *cell;

	foreach(cell, ev_uri_index_uris(document, kind))
		if (strcmp(ev_reference_name(lfirst(cell)), name) == 0)
		return lfirst(cell);
	return NULL;
}

/* A document that was found by a name, and the URI. */
typedef struct Found
{
	Oid			function;
	Oid			owner;
	char	   *name;			/* of the function */
	char	   *uri;
} Found;

/*
 * The registered documents that have a name among those of their URIs of a
 * kind, except one: of Found.  Stops at the first if that is enough.
 */
static List *
find_documents(EvUriKind kind, const char *name, Oid but, bool first_only)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "event_validate document", ALLOCSET_DEFAULT_SIZES);
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, ev_uri_index_find(kind, name, but))
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

List *
ev_claims_referrers(List *names, Oid but)
{
	List	   *result = NIL;
	ListCell   *cell;
	ListCell   *found_cell;

	foreach(cell, names)
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
	return result;
}

/*
 * The first other document that refers to a name, except two functions; NULL:
 * there is none.
 */
static const char *
first_referrer(const char *name, Oid but, Oid but_also)
{
	ListCell   *cell;

	foreach(cell, find_documents(EV_URI_REFERENCE, name, but, false))
	{
		const Found *found = lfirst(cell);

		if (found->function != but_also)
			return found->name;
	}
	return NULL;
}

/* ---------- who has a URI already ---------- */

/*
 * Functions that may have a name: the one that is called so, and those whose
 * $id it may be.
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
 * Another document that may claim a name which this one claims.  Its body is
 * read only where that matters: versions of a type may share their $id.
 */
static bool
check_claimant(const EvDocument *document, const char *name, Oid other)
{
	HeapTuple	row = ev_function_row(other);
	EvDocument	other_document;
	EvFault		fault;
	const char *other_name;
	const char *referrer;
	bool		is_mine;

	if (!HeapTupleIsValid(row) || !is_registered(row))
		return false;
	other_name = NameStr(((Form_pg_proc) GETSTRUCT(row))->proname);
	is_mine = ev_ownership_has_document(row);

	/* what is found by its name stays found by it */
	if (strcmp(other_name, name) == 0)
	{
		if (!is_mine)
			refuse_stranger(document, name, other_name);
		return true;
	}
	if (is_mine && ev_uri_index_find(EV_URI_REFERENCE, name, document->function) == NIL)
		return true;
	if (!ev_function_document(row, &other_document, &fault) ||
		uri_of_name(&other_document, EV_URI_ROOT, name) == NULL)
		return false;
	if (!is_mine)
		refuse_stranger(document, name, other_name);
	referrer = first_referrer(name, document->function, other);
	if (referrer != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("schema \"%s\" would take over the URI \"%s\"", document->name, name),
				 errdetail("It is the $id of \"%s\", to which \"%s\" refers by it.", other_name, referrer),
				 errhint("Give the document another URI.")));
	return true;
}

/*
 * A schema in another document has this name, and a third document refers to
 * it: is it this document that the reference would lead to now?
 */
static void
check_part_claimants(const EvDocument *document, const char *name, const char *message)
{
	List	   *others;
	const Found *other;
	const char *referrer;

	if (ev_uri_index_find(EV_URI_REFERENCE, name, document->function) == NIL ||
		(!check_function_bodies && ev_ownership_is_privileged()))
		return;
	others = find_documents(EV_URI_PART, name, document->function, true);
	if (others == NIL)
		return;
	other = linitial(others);
	referrer = first_referrer(name, document->function, other->function);
	if (referrer != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg(message, document->name, name),
				 errdetail("It is the $id of a schema in \"%s\", to which \"%s\" refers by it.",
						   other->name, referrer),
				 errhint("Give it another URI.")));
}

/* The URIs of events are theirs, whether they are registered yet or not. */
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

/* The names of the document itself, which are locked. */
static void
check_roots(const EvDocument *document, List *names)
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
			is_claimed |= check_claimant(document, name, lfirst_oid(other_cell));
		}
		if (!is_claimed)
			check_part_claimants(document, name, "schema \"%s\" would take over the URI \"%s\"");
	}
}

/*
 * The names of the schemas in it.  Where a document has the name, references
 * lead there, and nothing changes.
 */
static void
check_parts(const EvDocument *document, List *names)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		const char *name = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (OidIsValid(ev_registered_function(name)) ||
			find_documents(EV_URI_ROOT, name, document->function, true) != NIL)
			continue;
		ev_name_lock(name, ExclusiveLock);
		check_part_claimants(document, name, "schema \"%s\" would make the URI \"%s\" ambiguous");
	}
}

void
ev_claims_check(const EvDocument *document)
{
	const char *reason;
	List	   *names;
	List	   *parts;
	List	   *references;
	ListCell   *cell;

	check_event_uris(document);
	names = ev_claims_roots(document);
	if (ev_name_kind(document->name, &reason) == EV_NAME_EVENT)
		names = list_delete_first(names);	/* nobody else can */

	/* keep out who refers to such a URI at the same time, or claims it */
	foreach(cell, names)
		ev_name_lock(lfirst(cell), ExclusiveLock);
	check_roots(document, names);
	ev_claims_mentioned(document, &parts, &references);
	check_parts(document, parts);
}
