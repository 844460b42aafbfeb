/*
 * schema_cache.c
 *	  The registered schemas as programs: a cache in each backend.
 *
 * There are two hash tables: programs by the OID of their function, and
 * functions by their name, that is, by type and version.  A program that
 * became invalid is compiled anew when it is needed, and freed when the next
 * program is compiled.  An entry itself has some hundred bytes and is never
 * freed, so that callers can keep pointers to it.  Names that do not exist are
 * not cached.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/proclang.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compile/codegen.h"
#include "registry/claims.h"
#include "registry/function_row.h"
#include "registry/names.h"
#include "registry/schema_cache.h"
#include "schema/document.h"
#include "schema/uri.h"

static HTAB *programs = NULL;	/* EvSchema by function */
static HTAB *names = NULL;		/* KnownSchema by name */
static uint64 generation = 0;
static bool any_stale = false;	/* a program is invalid */
static uint32 namespace_hash = 0;	/* of event_schema, once it was looked up */
static uint32 language_hash = 0;	/* of jsonschema */

typedef struct KnownSchema
{
	NameData	name;			/* hash key, must be the first member */
	EvSchema   *schema;
} KnownSchema;

/* ---------- invalidation ---------- */

/*
 * Invalidates all programs that depend on the row with this hash; 0: all
 * programs.
 */
static void
invalidate(uint32 hash)
{
	HASH_SEQ_STATUS status;
	EvSchema   *schema;

	generation++;
	any_stale = true;
	if (programs == NULL)
		return;
	hash_seq_init(&status, programs);
	while ((schema = hash_seq_search(&status)) != NULL)
	{
		if (!schema->valid)
			continue;
		if (hash == 0)
			schema->valid = false;
		for (int i = 0; i < schema->hash_count && schema->valid; i++)
			if (schema->hashes[i] == hash)
				schema->valid = false;
	}
}

static void
function_changed(Datum arg pg_attribute_unused(), int cacheid pg_attribute_unused(), uint32 hash)
{
	invalidate(hash);
}

/* The namespace or the language of schema functions has changed. */
static void
surroundings_changed(Datum arg pg_attribute_unused(), int cacheid, uint32 hash)
{
	uint32		ours = cacheid == NAMESPACEOID ? namespace_hash : language_hash;

	if (hash == 0 || hash == ours)
		invalidate(0);
}

void
ev_registry_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, function_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, surroundings_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(LANGOID, surroundings_changed, (Datum) 0);
}

uint64
ev_registry_generation(void)
{
	return generation;
}

/* ---------- the catalog ---------- */

/*
 * Reads the catalog itself.  The syscache would keep an entry for each name
 * that does not exist until the end of the session, and users choose these
 * names.
 */
Oid
ev_registered_function(const char *name)
{
	Oid			namespace = get_namespace_oid(EV_SCHEMA_NAMESPACE, true);
	Oid			language = get_language_oid(EV_LANGUAGE, true);
	Oid			argument = JSONBOID;
	oidvector  *arguments;
	NameData	key;
	ScanKeyData keys[3];
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			function = InvalidOid;

	if (!OidIsValid(namespace) || !OidIsValid(language))
		return InvalidOid;
	namespace_hash = GetSysCacheHashValue1(NAMESPACEOID, ObjectIdGetDatum(namespace));
	language_hash = GetSysCacheHashValue1(LANGOID, ObjectIdGetDatum(language));
	namestrcpy(&key, name);
	arguments = buildoidvector(&argument, 1);
	ScanKeyInit(&keys[0], Anum_pg_proc_proname, BTEqualStrategyNumber, F_NAMEEQ, NameGetDatum(&key));
	ScanKeyInit(&keys[1], Anum_pg_proc_proargtypes, BTEqualStrategyNumber, F_OIDVECTOREQ, PointerGetDatum(arguments));
	ScanKeyInit(&keys[2], Anum_pg_proc_pronamespace, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(namespace));
	relation = table_open(ProcedureRelationId, AccessShareLock);
	scan = systable_beginscan(relation, ProcedureNameArgsNspIndexId, true, NULL, 3, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple) && ((Form_pg_proc) GETSTRUCT(tuple))->prolang == language)
		function = ((Form_pg_proc) GETSTRUCT(tuple))->oid;
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	pfree(arguments);
	return function;
}

/*
 * Reads a function's body.  Raises an error if the validator would not have
 * accepted it.
 */
static void
read_document(HeapTuple tuple, EvDocument *document)
{
	EvFault		fault;

	if (!ev_function_document(tuple, document, &fault))
		ev_fault_report(&fault, document->name);
}

/* ---------- look-ups ---------- */

/*
 * Frees the invalid programs, including those of functions that are not used
 * again.  No program is running here, since no schema is looked up while
 * another is being matched.
 */
static void
free_stale_programs(void)
{
	HASH_SEQ_STATUS status;
	EvSchema   *schema;

	if (!any_stale)
		return;
	any_stale = false;
	hash_seq_init(&status, programs);
	while ((schema = hash_seq_search(&status)) != NULL)
	{
		if (schema->valid || schema->context == NULL)
			continue;
		MemoryContextDelete(schema->context);
		schema->context = NULL;
		schema->program = NULL;
		schema->annotated = NULL;
		schema->hashes = NULL;
		schema->hash_count = 0;
	}
}

static void
make_program(EvSchema *schema)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	HeapTuple	tuple;
	Form_pg_proc row;
	EvDocument	document = {0};
	EvFault		fault = {0};
	List	   *references;
	ListCell   *cell;
	EvProgram  *program;

	free_stale_programs();
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(schema->function));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", schema->function)));
	row = (Form_pg_proc) GETSTRUCT(tuple);
	if (row->prolang != get_language_oid(EV_LANGUAGE, true))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("function %u is not in language %s", schema->function, EV_LANGUAGE)));

	/*
	 * The entry stays invalid until everything is done.  It becomes valid
	 * before the catalog is read further, so that an invalidation in the
	 * meantime is not lost.
	 */
	context = AllocSetContextCreate(CacheMemoryContext, "event_validate program",
									ALLOCSET_SMALL_SIZES);
	schema->context = context;
	schema->name = row->proname;
	MemoryContextCopyAndSetIdentifier(context, NameStr(row->proname));
	MemoryContextSwitchTo(context);
	schema->hashes = palloc(sizeof(uint32));
	schema->hashes[0] = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(schema->function));
	schema->hash_count = 1;
	schema->valid = true;
	MemoryContextSwitchTo(caller);

	PG_TRY();
	{
		uint64		before = generation;
		int			count = 0;

		read_document(tuple, &document);
		schema->deprecated = ev_document_is_deprecated(&document);
		schema->last_warned_client = schema->last_warned_log = 0;
		MemoryContextSwitchTo(context);
		program = ev_compile(&document, ev_registry_resolve, &fault, &references, NULL);
		if (program == NULL)
			ev_fault_report(&fault, NameStr(schema->name));

		schema->hashes = repalloc(schema->hashes, sizeof(uint32) * (1 + list_length(references)));
		foreach(cell, references)
			schema->hashes[++count] = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(lfirst_oid(cell)));
		schema->hash_count = 1 + count;
		schema->program = program;

		/*
		 * a document that was referred to may have changed while it was read
		 */
		if (generation != before)
		{
			schema->valid = false;
			any_stale = true;
		}
		MemoryContextSwitchTo(caller);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		schema->valid = false;
		any_stale = true;
		PG_RE_THROW();
	}
	PG_END_TRY();
	ReleaseSysCache(tuple);
	pfree(document.schema);
}

EvSchema *
ev_registry_by_function(Oid function)
{
	EvSchema   *schema;
	bool		found;

	if (programs == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(EvSchema)};

		control.hcxt = CacheMemoryContext;
		programs = hash_create("event_validate programs", 64, &control,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	schema = hash_search(programs, &function, HASH_ENTER, &found);
	if (!found)
		memset((char *) schema + sizeof(Oid), 0, sizeof(EvSchema) - sizeof(Oid));
	if (!schema->valid)
		make_program(schema);
	return schema;
}

EvSchema *
ev_registry_find(const char *type, int type_length, int32 version)
{
	NameData	name;
	KnownSchema *named;
	bool		found;
	Oid			function;

	if (!ev_event_name(type, type_length, version, &name))
		return NULL;
	if (names == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(NameData), .entrysize = sizeof(KnownSchema)};

		control.hcxt = CacheMemoryContext;
		names = hash_create("event_validate names", 64, &control,
							HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	named = hash_search(names, &name, HASH_FIND, NULL);

	/*
	 * A valid program has a valid name, since a change of either is a change
	 * of the same row.
	 */
	if (named != NULL && named->schema->valid)
		return named->schema;

	function = ev_registered_function(NameStr(name));
	if (!OidIsValid(function))
	{
		if (named != NULL)
			hash_search(names, &name, HASH_REMOVE, NULL);
		return NULL;
	}
	named = hash_search(names, &name, HASH_ENTER, &found);
	if (!found)
		named->schema = NULL;
	PG_TRY();
	{
		named->schema = ev_registry_by_function(function);
	}
	PG_CATCH();
	{
		/* do not leave an entry without a schema */
		hash_search(names, &name, HASH_REMOVE, NULL);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return named->schema;
}

const EvProgram *
ev_registry_program(EvSchema *schema)
{
	return schema->valid ? schema->program : ev_registry_by_function(schema->function)->program;
}

const EvProgram *
ev_registry_kept_program(EvSchema *schema)
{
	return schema->program != NULL ? schema->program : ev_registry_program(schema);
}

EvProgram *
ev_registry_annotated(EvSchema *schema)
{
	EvDocument	document = {0};
	EvFault		fault = {0};
	HeapTuple	tuple;
	MemoryContext caller;

	if (!schema->valid)
		ev_registry_by_function(schema->function);
	if (schema->annotated != NULL)
		return schema->annotated;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(schema->function));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", schema->function);
	read_document(tuple, &document);
	ReleaseSysCache(tuple);
	caller = MemoryContextSwitchTo(schema->context);
	schema->annotated = ev_compile_annotated(&document, ev_registry_resolve, &fault);
	MemoryContextSwitchTo(caller);
	if (schema->annotated == NULL)
		ev_fault_report(&fault, NameStr(schema->name));
	return schema->annotated;
}

/* ---------- lists and references ---------- */

typedef struct ListedSchema
{
	Oid			function;
	int32		version;
	int			type_length;
	NameData	name;
} ListedSchema;

static int
compare_listed(const void *a, const void *b)
{
	const ListedSchema *x = a;
	const ListedSchema *y = b;
	int			order = memcmp(NameStr(x->name), NameStr(y->name), Min(x->type_length, y->type_length));

	if (order == 0)
		order = x->type_length - y->type_length;
	if (order == 0)
		order = x->version < y->version ? -1 : x->version > y->version;
	return order;
}

List *
ev_registry_list(const char *type, int type_length, List **versions)
{
	Oid			namespace = get_namespace_oid(EV_SCHEMA_NAMESPACE, true);
	Oid			language = get_language_oid(EV_LANGUAGE, true);
	ListedSchema *listed = palloc(sizeof(ListedSchema) * 16);
	int			room = 16;
	int			count = 0;
	List	   *result = NIL;
	NameData	first;
	NameData	end;
	ScanKeyData keys[2];
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (versions != NULL)
		*versions = NIL;
	if (!OidIsValid(namespace) || !OidIsValid(language) || (type != NULL && type_length + 1 >= NAMEDATALEN))
		return NIL;

	relation = table_open(ProcedureRelationId, AccessShareLock);
	if (type != NULL)
	{
		/* range of all names that begin with "TYPE@" */
		memset(&first, 0, sizeof(first));
		memcpy(NameStr(first), type, type_length);
		end = first;
		NameStr(first)[type_length] = '@';
		NameStr(end)[type_length] = '@' + 1;
		ScanKeyInit(&keys[0], Anum_pg_proc_proname, BTGreaterEqualStrategyNumber, F_NAMEGE, NameGetDatum(&first));
		ScanKeyInit(&keys[1], Anum_pg_proc_proname, BTLessStrategyNumber, F_NAMELT, NameGetDatum(&end));
	}
	scan = systable_beginscan(relation, ProcedureNameArgsNspIndexId, type != NULL, NULL, type != NULL ? 2 : 0, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc row = (Form_pg_proc) GETSTRUCT(tuple);
		ListedSchema entry = {.function = row->oid, .name = row->proname};

		if (row->pronamespace != namespace || row->prolang != language ||
			!ev_parse_event_name(NameStr(row->proname), &entry.type_length, &entry.version))
			continue;
		if (type != NULL && (entry.type_length != type_length ||
							 memcmp(NameStr(row->proname), type, type_length) != 0))
			continue;
		if (count == room)
			listed = repalloc(listed, sizeof(ListedSchema) * (room *= 2));
		listed[count++] = entry;
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);

	qsort(listed, count, sizeof(ListedSchema), compare_listed);
	for (int i = 0; i < count; i++)
	{
		result = lappend_oid(result, listed[i].function);
		if (versions != NULL)
			*versions = lappend_int(*versions, listed[i].version);
	}
	pfree(listed);
	return result;
}

/* Is this the $id of a document, resolved against its own URI? */
static bool
has_id(const EvDocument *document, const char *uri)
{
	ListCell   *cell;

	foreach(cell, ev_document_ids(document))
		if (strcmp(lfirst(cell), uri) == 0)
		return true;
	return false;
}

/*
 * Finds a document by its $id.  This is rare, so all documents are searched.
 * A document is not parsed if it neither contains the last part of the URI nor
 * has escapes that could express it.
 */
static bool
resolve_by_id(const char *uri, EvDocument *document)
{
	Oid			namespace = get_namespace_oid(EV_SCHEMA_NAMESPACE, true);
	Oid			language = get_language_oid(EV_LANGUAGE, true);
	const char *part = strrchr(uri, '/');
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	part = part != NULL && part[1] != '\0' ? part + 1 : uri;
	relation = table_open(ProcedureRelationId, AccessShareLock);
	scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc row = (Form_pg_proc) GETSTRUCT(tuple);
		EvDocument	candidate;
		EvFault		fault;
		char	   *body;

		if (row->pronamespace != namespace || row->prolang != language)
			continue;
		body = ev_function_body(tuple);
		if ((strstr(body, part) != NULL || strchr(body, '\\') != NULL) &&
			ev_function_document(tuple, &candidate, &fault) && has_id(&candidate, uri))
		{
			if (found)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("reference to \"%s\" is ambiguous", uri),
						 errdetail("It is the $id of \"%s\" and of \"%s\".", document->name, candidate.name),
						 errhint("Refer to one of them as \"event:TYPE@VERSION\".")));
			*document = candidate;
			found = true;
		}
		pfree(body);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return found;
}

bool
ev_registry_resolve(const char *uri, EvDocument *document)
{
	NameData	name;
	Oid			function = InvalidOid;
	HeapTuple	tuple;

	if (strncmp(uri, "event:", 6) == 0)
	{
		char	   *decoded = ev_uri_decode(uri + 6);
		int			type_length;
		int32		version;

		if (decoded != NULL && ev_parse_event_name(decoded, &type_length, &version))
			function = ev_registered_function(decoded);
	}
	if (!OidIsValid(function) && ev_uri_has_scheme(uri))
	{
		ev_uri_name(uri, &name);
		function = ev_registered_function(NameStr(name));
	}
	if (!OidIsValid(function))
		return resolve_by_id(uri, document);

	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		return false;
	read_document(tuple, document);
	if (document->uri[0] == '\0')
		document->uri = uri;
	ReleaseSysCache(tuple);
	return true;
}
