/*
 * claims.c
 *	  The URIs by which references find registered documents, and the
 *	  references to them.
 *
 * A reference leads to the document with that name, or else to the only
 * document with that $id.  So a new document can change the target of a
 * reference that existed before: this is refused for all roles.  It can also
 * make a reference ambiguous, or take a URI that others will refer to: this is
 * refused for roles that do not own the URI.  These rules depend neither on
 * the order of registration nor on check_function_bodies, which any role can
 * set.
 *
 * References are read from function bodies here. pg_depend records most of
 * them, but not those of documents that refer to each other, since pg_dump
 * could not order these.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "storage/lockdefs.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compile/codegen.h"
#include "registry/claims.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "schema/document.h"
#include "schema/uri.h"

/*
 * Up to this number, names are searched in a body; for more, parsing it is
 * faster.
 */
#define MANY_NAMES	16

/* ---------- names ---------- */

char *
ev_claims_name(const char *uri)
{
	NameData	name;

	if (strncmp(uri, "event:", strlen("event:")) == 0)
	{
		char	   *decoded = ev_uri_decode(uri + strlen("event:"));
		int			type_length;
		int32		version;

		if (decoded != NULL && ev_parse_event_name(decoded, &type_length, &version))
			return decoded;
	}
	ev_uri_name(uri, &name);
	return pstrdup(NameStr(name));
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

List *
ev_claims_names(const EvDocument *document)
{
	List	   *names = list_make1(pstrdup(document->name));
	ListCell   *cell;

	foreach(cell, ev_document_ids(document))
		names = lappend(names, ev_claims_name(lfirst(cell)));
	return names;
}

/* ---------- all documents ---------- */

static bool
contains(const char *string, size_t length, const char *part)
{
	return memmem(string, length, part, strlen(part)) != NULL;
}

/*
 * Can a body contain one of these names?  If not, it need not be parsed.
 * Escaped text, and a name of which only the hash is known, can be anything.
 */
static bool
may_mention(const char *body, size_t length, List *names)
{
	ListCell   *cell;

	if (list_length(names) > MANY_NAMES || memchr(body, '\\', length) != NULL || memchr(body, '%', length) != NULL)
		return true;
	foreach(cell, names)
	{
		const char *name = lfirst(cell);
		const char *part = name;

		/*
		 * a relative reference has only the last part, and "." not even that
		 */
		for (const char *p = name; *p != '\0'; p++)
			if (*p == '/' || *p == '?')
				part = p + 1;
		if (strncmp(name, "uri:", strlen("uri:")) == 0 || contains(body, length, part))
			return true;
	}
	return false;
}

/* The same for a row of pg_proc, whose body is usually read in place. */
static bool
may_be_concerned(HeapTuple function, TupleDesc descriptor, List *names)
{
	bool		is_null;
	Datum		datum = heap_getattr(function, Anum_pg_proc_prosrc, descriptor, &is_null);
	text	   *body;
	bool		result;

	if (is_null)
		return false;
	if (has_name(names, NameStr(((Form_pg_proc) GETSTRUCT(function))->proname)))
		return true;
	body = DatumGetTextPP(datum);
	result = may_mention(VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), names);
	if ((Pointer) body != DatumGetPointer(datum))
		pfree(body);
	return result;
}

/* Is called for one document, in a memory context that is reset afterwards. */
typedef void (*Visitor) (HeapTuple function, const EvDocument *document, void *arg);

/*
 * Visits all documents in event_schema, except one, that can contain one of
 * the names or have one of them as their name.
 */
static void
visit_documents(List *names, Oid but, Visitor visit, void *arg)
{
	Oid			namespace = ev_namespace_oid();
	Oid			language = ev_language_oid();
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "event_validate document",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = CurrentMemoryContext;
	Relation	pg_proc = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(pg_proc, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
		EvDocument	document;
		EvFault		fault;

		CHECK_FOR_INTERRUPTS();
		if (form->pronamespace != namespace || form->prolang != language || form->oid == but ||
			!may_be_concerned(tuple, RelationGetDescr(pg_proc), names))
			continue;
		MemoryContextSwitchTo(context);
		if (ev_function_document(tuple, &document, &fault))
			visit(tuple, &document, arg);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
	}
	systable_endscan(scan);
	table_close(pg_proc, AccessShareLock);
	MemoryContextDelete(context);
}

typedef struct Referrers
{
	List	   *names;
	List	   *found;
	MemoryContext context;		/* for the result */
} Referrers;

static void
find_referrer(HeapTuple function, const EvDocument *document, void *arg)
{
	Referrers  *referrers = arg;
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(function);
	ListCell   *cell;

	foreach(cell, ev_document_references(document))
	{
		char	   *name = ev_claims_name(lfirst(cell));
		MemoryContext caller;
		EvReferrer *referrer;

		if (!has_name(referrers->names, name))
			continue;
		caller = MemoryContextSwitchTo(referrers->context);
		referrer = palloc(sizeof(EvReferrer));
		referrer->function = form->oid;
		referrer->owner = form->proowner;
		referrer->name = pstrdup(NameStr(form->proname));
		referrer->by = pstrdup(name);
		referrer->uri = pstrdup(lfirst(cell));
		referrers->found = lappend(referrers->found, referrer);
		MemoryContextSwitchTo(caller);
	}
}

List *
ev_claims_referrers(List *names, Oid but)
{
	Referrers	referrers = {.names = names, .context = CurrentMemoryContext};

	visit_documents(names, but, find_referrer, &referrers);
	return referrers.found;
}

/* ---------- claims of other documents ---------- */

typedef struct Claims
{
	const EvDocument *document;
	List	   *names;			/* that it claims */
} Claims;

/* Checks whether another document claims one of these names. */
static void
check_claimant(HeapTuple function, const EvDocument *other, void *arg)
{
	const Claims *claims = arg;
	ListCell   *cell;

	foreach(cell, ev_claims_names(other))
	{
		const char *name = lfirst(cell);
		List	   *referrers;

		if (!has_name(claims->names, name))
			continue;
		if (!ev_ownership_has_document(function))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied for URI \"%s\" of schema \"%s\"", name, claims->document->name),
					 errdetail("It is that of \"%s\", which belongs to another role.", other->name),
					 errhint("Give the document another URI, or let the owner of \"%s\" or of the database register it.",
							 other->name)));

		/* references by this name still lead to that document */
		if (strcmp(name, other->name) == 0)
			continue;
		referrers = ev_claims_referrers(list_make1(lfirst(cell)), other->function);
		for (int i = 0; i < list_length(referrers); i++)
		{
			const EvReferrer *referrer = list_nth(referrers, i);

			if (referrer->function == claims->document->function)
				continue;
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("schema \"%s\" would take over the URI \"%s\"", claims->document->name, name),
					 errdetail("It is the $id of \"%s\", to which \"%s\" refers by it.",
							   other->name, referrer->name),
					 errhint("Give the document another URI.")));
		}
	}
}

/* A URI of an event schema belongs to that schema, registered or not. */
static void
check_event_uris(const EvDocument *document)
{
	ListCell   *cell;

	foreach(cell, ev_document_ids(document))
	{
		char	   *name = ev_claims_name(lfirst(cell));
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

void
ev_claims_check(const EvDocument *document)
{
	const char *reason;
	Claims		claims = {.document = document};
	ListCell   *cell;

	check_event_uris(document);
	claims.names = ev_claims_names(document);
	if (ev_name_kind(document->name, &reason) == EV_NAME_EVENT)
		claims.names = list_delete_first(claims.names); /* the name itself is
														 * unique */
	if (claims.names == NIL)
		return;

	/* lock out concurrent references to the URIs, and claims */
	foreach(cell, claims.names)
		ev_name_lock(lfirst(cell), ExclusiveLock);
	visit_documents(claims.names, document->function, check_claimant, &claims);
}
