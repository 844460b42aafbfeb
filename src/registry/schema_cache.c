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
 *
 * The memory of all programs is bounded (event_validate.program_memory).  Beyond,
 * programs that were not used for long leave the cache, as if they had become
 * invalid.  Their entries are still told of changes, so that what was found out about
 * such a schema is not found out again.
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
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compile/codegen.h"
#include "registry/function_row.h"
#include "registry/names.h"
#include "registry/schema_cache.h"
#include "registry/uri_index.h"
#include "schema/document.h"
#include "schema/uri.h"

#define PROGRAM_MEMORY	65536	/* default of event_validate.program_memory,
								 * in kB */

static HTAB *programs = NULL;	/* EvSchema by function */
static HTAB *names = NULL;		/* KnownSchema by name */
static uint64 generation = 0;
static uint64 programs_made = 0;
static bool any_stale = false;	/* a program is invalid */
static int	program_memory = PROGRAM_MEMORY;	/* the maximum for all
												 * programs, in kB */
static Size memory_used = 0;	/* by all programs, when it was last counted,
								 * and those made since then */
static uint64 counted_at = 0;	/* programs_made then */
static uint32 namespace_hash = 0;	/* of event_schema, once it was looked up */
static uint32 language_hash = 0;	/* of jsonschema */

typedef struct KnownSchema
{
	NameData	name;			/* of the function; hash key, must be the
								 * first member */
	EvSchema   *schema;
} KnownSchema;

/* ---------- invalidation ---------- */

/* Does an entry, whose program may have left, depend on the row with this hash? */
static bool
depends_on(const EvSchema *schema, uint32 hash)
{
	if (hash == 0 || schema->hash_count == 0)
		return true;
	for (int i = 0; i < schema->hash_count; i++)
		if (schema->hashes[i] == hash)
			return true;
	return false;
}

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
		if ((schema->valid || schema->has_left) && depends_on(schema, hash))
			schema->valid = schema->has_left = false;
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
	DefineCustomIntVariable("event_validate.program_memory",
							"Sets the maximum memory for the compiled schemas that a session keeps.",
							"Beyond, those that were not used for long are compiled anew when they are needed.",
							&program_memory, PROGRAM_MEMORY, 64, MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
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

/* Returns true if this is the name of a version of this type. */
static bool
is_of_type(const char *name, const char *type, int type_length)
{
	return strncmp(name, type, type_length) == 0 && name[type_length] == '@' &&
		strchr(name + type_length + 1, '@') == NULL;
}

/*
 * Returns true if a function with the name of a version of this type is one of
 * this type.  Types with the same hash could have the same shortened name.
 */
static bool
has_type(HeapTuple function, const char *type, int type_length)
{
	char	   *whole;

	if (!ev_has_short_type(NameStr(((Form_pg_proc) GETSTRUCT(function))->proname)))
		return true;
	whole = ev_function_event_type(function);
	return whole != NULL && strlen(whole) == (size_t) type_length && memcmp(whole, type, type_length) == 0;
}

/*
 * Returns the function with this name, or InvalidOid.  If the name may be
 * shortened, the function must have this type.
 *
 * Reads the catalog itself.  The syscache would keep an entry for each name
 * that does not exist until the end of the session, and users choose these
 * names.
 */
static Oid
find_function(NameData *key, const char *type, int type_length)
{
	Oid			namespace = get_namespace_oid(EV_SCHEMA_NAMESPACE, true);
	Oid			language = get_language_oid(EV_LANGUAGE, true);
	Oid			argument = JSONBOID;
	oidvector  *arguments;
	ScanKeyData keys[3];
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			function = InvalidOid;

	if (!OidIsValid(namespace) || !OidIsValid(language))
		return InvalidOid;
	namespace_hash = GetSysCacheHashValue1(NAMESPACEOID, ObjectIdGetDatum(namespace));
	language_hash = GetSysCacheHashValue1(LANGOID, ObjectIdGetDatum(language));
	arguments = buildoidvector(&argument, 1);
	ScanKeyInit(&keys[0], Anum_pg_proc_proname, BTEqualStrategyNumber, F_NAMEEQ, NameGetDatum(key));
	ScanKeyInit(&keys[1], Anum_pg_proc_proargtypes, BTEqualStrategyNumber, F_OIDVECTOREQ, PointerGetDatum(arguments));
	ScanKeyInit(&keys[2], Anum_pg_proc_pronamespace, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(namespace));
	relation = table_open(ProcedureRelationId, AccessShareLock);
	scan = systable_beginscan(relation, ProcedureNameArgsNspIndexId, true, NULL, 3, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple) && ((Form_pg_proc) GETSTRUCT(tuple))->prolang == language &&
		(type_length <= EV_WHOLE_TYPE_MAX || has_type(tuple, type, type_length)))
		function = ((Form_pg_proc) GETSTRUCT(tuple))->oid;
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	pfree(arguments);
	return function;
}

Oid
ev_registered_version(const char *type, int type_length, int32 version)
{
	NameData	name;

	return ev_event_name(type, type_length, version, &name) ? find_function(&name, type, type_length) : InvalidOid;
}

Oid
ev_registered_function(const char *name)
{
	NameData	key;
	int			type_length;
	int32		version;

	if (ev_parse_event_name(name, &type_length, &version))
		return ev_registered_version(name, type_length, version);
	return ev_function_name(name, &key) ? find_function(&key, NULL, 0) : InvalidOid;
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

static void
free_program(EvSchema *schema)
{
	MemoryContextDelete(schema->context);
	schema->context = NULL;
	schema->program = NULL;
	schema->annotated = NULL;
	if (schema->hashes != NULL)
		pfree(schema->hashes);
	schema->hashes = NULL;
	schema->hash_count = 0;
}

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
		if (!schema->valid && schema->context != NULL)
			free_program(schema);
	}
}

/* ---------- memory ---------- */

/* How many programs are made until the memory of all is counted anew: patterns are compiled when they are first used. */
#define COUNT_INTERVAL	64

/* The programs in the cache. */
static List *
list_programs(void)
{
	List	   *list = NIL;
	HASH_SEQ_STATUS status;
	EvSchema   *schema;

	hash_seq_init(&status, programs);
	while ((schema = hash_seq_search(&status)) != NULL)
		if (schema->context != NULL)
			list = lappend(list, schema);
	return list;
}

/* Those that were not used for long come first, the oldest of them before the others. */
static int
compare_use(const ListCell *a, const ListCell *b)
{
	const EvSchema *x = lfirst(a);
	const EvSchema *y = lfirst(b);

	if (x->is_used != y->is_used)
		return x->is_used ? 1 : -1;
	return x->made < y->made ? -1 : x->made > y->made;
}

/* An entry whose program has left keeps at most so many hashes, so that it stays small. */
#define MOST_KEPT_HASHES	64

/* Frees a valid program, to make room.  With more hashes, any change of a function counts as one of this. */
static void
let_leave(EvSchema *schema)
{
	uint32	   *hashes = schema->hashes;
	int			count = schema->hash_count;

	if (count <= MOST_KEPT_HASHES)
		schema->hashes = NULL;
	free_program(schema);
	if (count <= MOST_KEPT_HASHES)
	{
		schema->hashes = hashes;
		schema->hash_count = count;
	}
	schema->has_left = schema->valid;
	schema->valid = false;
}

/*
 * Frees programs until there is room for others.  No program is running here, as in
 * free_stale_programs().
 */
static void
free_unused_programs(void)
{
	Size		most = (Size) program_memory * 1024;
	List	   *list;
	ListCell   *cell;

	if (memory_used <= most && programs_made - counted_at < COUNT_INTERVAL)
		return;
	list = list_programs();
	memory_used = 0;
	counted_at = programs_made;
	foreach(cell, list)
		memory_used += MemoryContextMemAllocated(((EvSchema *) lfirst(cell))->context, true);
	if (memory_used > most)
	{
		list_sort(list, compare_use);
		foreach(cell, list)
		{
			EvSchema   *schema = lfirst(cell);

			schema->is_used = false;
			/* a quarter becomes free, so that this is rare */
			if (memory_used <= most - most / 4)
				continue;
			memory_used -= MemoryContextMemAllocated(schema->context, true);
			let_leave(schema);
		}
	}
	list_free(list);
}

/*
 * Sets the name.  The old one is not freed, since call sites point to it; but it
 * changes only if another function gets the same OID.
 */
static void
set_name(EvSchema *schema, HeapTuple function)
{
	char	   *name = ev_function_shown_name(function);

	if (schema->name == NULL || strcmp(schema->name, name) != 0)
		schema->name = MemoryContextStrdup(CacheMemoryContext, name);
	pfree(name);
	/* the type depends on the function's schema, too */
	schema->counters = NULL;
	if (((Form_pg_proc) GETSTRUCT(function))->pronamespace != ev_namespace_oid() ||
		!ev_parse_event_name(schema->name, &schema->type_length, &schema->version))
		schema->type_length = 0;
}

EvCounters *
ev_schema_relation_counters(const EvSchema *schema, Oid relation)
{
	return ev_counters(relation, schema->type_length > 0 ? schema->name : NULL, schema->type_length, schema->version);
}

EvCounters *
ev_schema_find_counters(EvSchema *schema)
{
	schema->counters = ev_schema_relation_counters(schema, InvalidOid);
	return schema->counters;
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
	free_unused_programs();
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

	context = AllocSetContextCreate(CacheMemoryContext, "event_validate program",
									ALLOCSET_SMALL_SIZES);
	schema->context = context;
	PG_TRY();
	{
		uint64		before;
		int			count = 0;

		/*
		 * The entry stays invalid until everything is done.  It becomes valid
		 * before the catalog is read further, so that an invalidation in the
		 * meantime is not lost.
		 */
		set_name(schema, tuple);
		MemoryContextCopyAndSetIdentifier(context, schema->name);
		if (schema->hashes == NULL)
			schema->hashes = MemoryContextAlloc(CacheMemoryContext, sizeof(uint32));
		schema->hashes[0] = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(schema->function));
		schema->hash_count = 1;
		schema->made = ++programs_made;
		if (!schema->has_left)
		{
			schema->definition = programs_made;
			schema->last_warned_client = schema->last_warned_log = 0;
		}
		schema->has_left = false;
		schema->valid = true;
		before = generation;

		read_document(tuple, &document);
		schema->deprecated = ev_document_is_deprecated(&document);
		MemoryContextSwitchTo(context);
		program = ev_compile(&document, ev_registry_resolve, &fault, &references, NULL);
		if (program == NULL)
		{
			ev_document_locate(&document, &fault);
			ev_fault_report(&fault, schema->name);
		}

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
		memory_used += MemoryContextMemAllocated(context, true);
		MemoryContextSwitchTo(caller);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		schema->valid = false;
		/* nobody has a pointer to what was not completed; it can be large */
		free_program(schema);
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
	schema->is_used = true;
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
	{
		named->schema->is_used = true;
		return type_length <= EV_WHOLE_TYPE_MAX || is_of_type(named->schema->name, type, type_length) ?
			named->schema : NULL;
	}

	function = find_function(&name, type, type_length);
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
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	EvProgram  *program;

	if (!schema->valid)
		ev_registry_by_function(schema->function);
	if (schema->annotated != NULL)
		return schema->annotated;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(schema->function));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", schema->function);
	read_document(tuple, &document);
	ReleaseSysCache(tuple);
	/* an error frees it with its parent */
	context = AllocSetContextCreate(caller, "event_validate annotated program", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(context);
	program = ev_compile_annotated(&document, ev_registry_resolve, &fault);
	MemoryContextSwitchTo(caller);
	if (program == NULL)
		ev_fault_report(&fault, schema->name);
	MemoryContextSetParent(context, schema->context);
	memory_used += MemoryContextMemAllocated(context, true);
	schema->annotated = program;
	return program;
}

/* ---------- lists and references ---------- */

typedef struct ListedSchema
{
	Oid			function;
	int32		version;
	int			type_length;
	char	   *name;			/* TYPE@VERSION */
} ListedSchema;

typedef struct SchemaList
{
	ListedSchema *items;
	int			room;
	int			count;
} SchemaList;

static int
compare_listed(const void *a, const void *b)
{
	const ListedSchema *x = a;
	const ListedSchema *y = b;
	int			order = ev_type_order(x->name, x->type_length, y->name, y->type_length);

	if (order == 0)
		order = x->version < y->version ? -1 : x->version > y->version;
	return order;
}

/*
 * Adds the schema versions whose functions' names have this beginning, or all
 * (NULL), in any order.
 */
static void
list_versions(SchemaList *list, const char *beginning, int length)
{
	Oid			namespace = get_namespace_oid(EV_SCHEMA_NAMESPACE, true);
	Oid			language = get_language_oid(EV_LANGUAGE, true);
	NameData	range[2];
	ScanKeyData keys[2];
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (!OidIsValid(namespace) || !OidIsValid(language))
		return;
	relation = table_open(ProcedureRelationId, AccessShareLock);
	if (beginning != NULL)
		ev_function_name_range(beginning, length, range, keys);
	scan = systable_beginscan(relation, ProcedureNameArgsNspIndexId, beginning != NULL, NULL,
							  beginning != NULL ? 2 : 0, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc row = (Form_pg_proc) GETSTRUCT(tuple);
		ListedSchema entry = {.function = row->oid};

		if (row->pronamespace != namespace || row->prolang != language)
			continue;
		entry.name = ev_function_version(tuple, &entry.type_length, &entry.version);
		if (entry.name == NULL)
			continue;
		if (list->count == list->room)
			list->items = list->room == 0 ? palloc(sizeof(ListedSchema) * (list->room = 16)) :
				repalloc(list->items, sizeof(ListedSchema) * (list->room *= 2));
		list->items[list->count++] = entry;
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

List *
ev_registry_list(const char *type, int type_length, List **versions)
{
	SchemaList	list = {0};
	List	   *result = NIL;
	NameData	shortened;

	if (versions != NULL)
		*versions = NIL;
	if (type == NULL)
		list_versions(&list, NULL, 0);
	else if (type_length <= EV_TYPE_MAX)
	{
		/* a type can have functions with names of both kinds */
		if (type_length < EV_NAME_MAX)
			list_versions(&list, psprintf("%.*s@", type_length, type), type_length + 1);
		if (type_length > EV_WHOLE_TYPE_MAX && ev_short_type(type, type_length, &shortened))
			list_versions(&list, NameStr(shortened), strlen(NameStr(shortened)));
	}

	qsort(list.items, list.count, sizeof(ListedSchema), compare_listed);
	for (int i = 0; i < list.count; i++)
	{
		const ListedSchema *item = &list.items[i];

		if (type == NULL || (item->type_length == type_length && memcmp(item->name, type, type_length) == 0))
		{
			result = lappend_oid(result, item->function);
			if (versions != NULL)
				*versions = lappend_int(*versions, item->version);
		}
		pfree(item->name);
	}
	return result;
}

char *
ev_registry_type_of_upcast(const char *function_name)
{
	const char *prefix_end = strrchr(function_name, '@');
	EvNameParts parts;
	SchemaList	list = {0};
	char	   *result = NULL;

	if (!ev_take_apart(function_name, &parts) || parts.kind != EV_NAME_UPCAST)
		return NULL;
	list_versions(&list, function_name, prefix_end - function_name);
	for (int i = 0; i < list.count && result == NULL; i++)
	{
		const ListedSchema *item = &list.items[i];
		NameData	name;

		if ((item->version == parts.version || item->version == parts.to) &&
			ev_upcast_name(item->name, item->type_length, parts.version, parts.to, &name) &&
			strcmp(NameStr(name), function_name) == 0)
			result = pnstrdup(item->name, item->type_length);
	}
	return result;
}

static bool
has_uri(const EvDocument *document, const char *uri, EvUriKind kind)
{
	ListCell   *cell;

	foreach(cell, ev_uri_index_uris(document, kind))
		if (strcmp(lfirst(cell), uri) == 0)
		return true;
	return false;
}

/*
 * Finds a document by its $id, or by that of a schema in it, and reads it into
 * CurrentMemoryContext.  An ambiguous $id is an error or, without `raise`, not
 * found.
 */
static bool
resolve_by_id(const char *uri, EvUriKind kind, bool raise, EvDocument *document)
{
	Oid			namespace = ev_namespace_oid();
	Oid			language = ev_language_oid();
	bool		found = false;
	ListCell   *cell;

	foreach(cell, ev_uri_index_find(kind, ev_reference_name(uri), InvalidOid))
	{
		HeapTuple	row = ev_function_row(lfirst_oid(cell));
		EvDocument	candidate;
		EvFault		fault;

		CHECK_FOR_INTERRUPTS();
		if (!HeapTupleIsValid(row) ||
			((Form_pg_proc) GETSTRUCT(row))->pronamespace != namespace ||
			((Form_pg_proc) GETSTRUCT(row))->prolang != language ||
			!ev_function_document(row, &candidate, &fault))
			continue;
		heap_freetuple(row);
		if (!has_uri(&candidate, uri, kind))
		{
			pfree(candidate.schema);
			continue;
		}
		if (found && !raise)
			return false;
		if (found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("reference to \"%s\" is ambiguous", uri),
					 errdetail(kind == EV_URI_ROOT ? "It is the $id of \"%s\" and of \"%s\"." :
							   "It is the $id of a schema in \"%s\" and of one in \"%s\".",
							   document->name, candidate.name),
					 errhint("Refer to one of them as \"event:TYPE@VERSION\".")));
		*document = candidate;
		document->by_part = kind == EV_URI_PART;
		found = true;
	}

	/* the base of a document whose URI is too long for a name */
	if (found && kind == EV_URI_PART && document->uri[0] == '\0')
		document->uri = document->name;
	return found;
}

/* ---------- documents that are kept ---------- */

/* The maximum size of all documents that are kept. */
#define KEPT_BYTES	((Size) 64 * 1024 * 1024)

typedef struct KeptDocument
{
	const char *uri;			/* hash key, must be the first member */
	EvDocument	document;
} KeptDocument;

static struct
{
	MemoryContext context;		/* NULL: nothing is kept */
	HTAB	   *documents;		/* KeptDocument by URI */
	uint64		generation;		/* of the registry, when they were read */
	Size		bytes;
}			kept;

static uint32
hash_uri(const void *key, Size size pg_attribute_unused())
{
	const char *uri = *(const char *const *) key;

	return DatumGetUInt32(hash_any((const unsigned char *) uri, strlen(uri)));
}

static int
match_uris(const void *a, const void *b, Size size pg_attribute_unused())
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
forget_documents(void)
{
	HASHCTL		control = {.keysize = sizeof(char *), .entrysize = sizeof(KeptDocument),
	.hash = hash_uri, .match = match_uris};

	MemoryContextReset(kept.context);
	control.hcxt = kept.context;
	kept.documents = hash_create("event_validate documents", 64, &control,
								 HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	kept.generation = generation;
	kept.bytes = 0;
}

void
ev_registry_keep_documents(bool keep)
{
	if (!keep)
	{
		kept.context = NULL;
		return;
	}
	kept.context = AllocSetContextCreate(CurrentMemoryContext, "event_validate documents", ALLOCSET_DEFAULT_SIZES);
	forget_documents();
}

/* Copies a document to CurrentMemoryContext, without its text. */
static void
copy_document(const EvDocument *from, EvDocument *to)
{
	*to = *from;
	to->name = pstrdup(from->name);
	to->uri = pstrdup(from->uri);
	to->schema = palloc(VARSIZE(from->schema));
	memcpy(to->schema, from->schema, VARSIZE(from->schema));
	to->event_type = from->event_type != NULL ? pstrdup(from->event_type) : NULL;
	to->text = to->json = NULL;
}

static bool
find_kept(const char *uri, EvDocument *document)
{
	KeptDocument *found;

	if (kept.context == NULL)
		return false;
	if (kept.generation != generation)
		forget_documents();
	found = hash_search(kept.documents, &uri, HASH_FIND, NULL);
	if (found != NULL)
		copy_document(&found->document, document);
	return found != NULL;
}

static void
keep_document(const char *uri, const EvDocument *document)
{
	MemoryContext caller;
	KeptDocument *entry;
	Size		size = VARSIZE(document->schema);

	if (kept.context == NULL || kept.generation != generation || size > KEPT_BYTES - kept.bytes)
		return;
	kept.bytes += size;
	caller = MemoryContextSwitchTo(kept.context);
	uri = pstrdup(uri);
	entry = hash_search(kept.documents, &uri, HASH_ENTER, NULL);
	copy_document(document, &entry->document);
	MemoryContextSwitchTo(caller);
}

static bool
resolve(const char *uri, bool raise, EvDocument *document)
{
	Oid			function = ev_uri_has_scheme(uri) ? ev_registered_function(ev_reference_name(uri)) : InvalidOid;
	HeapTuple	tuple;

	if (!OidIsValid(function))
		return resolve_by_id(uri, EV_URI_ROOT, raise, document) ||
			resolve_by_id(uri, EV_URI_PART, raise, document);

	tuple = ev_function_row(function);
	if (!HeapTupleIsValid(tuple))
		return false;
	read_document(tuple, document);
	if (document->uri[0] == '\0')
		document->uri = uri;
	heap_freetuple(tuple);
	return true;
}

static bool
resolve_kept(const char *uri, bool raise, EvDocument *document)
{
	if (find_kept(uri, document))
		return true;
	if (!resolve(uri, raise, document))
		return false;
	keep_document(uri, document);
	return true;
}

bool
ev_registry_resolve(const char *uri, EvDocument *document)
{
	return resolve_kept(uri, true, document);
}

bool
ev_registry_try_resolve(const char *uri, EvDocument *document)
{
	return resolve_kept(uri, false, document);
}
