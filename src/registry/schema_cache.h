/*
 * schema_cache.h
 *	  The registered schemas as programs: a cache in each backend.
 *
 * An entry is made when its function is first used.  It becomes invalid when
 * the row in pg_proc of its function, or of a function that it refers to,
 * changes, or when its program leaves the cache to make room for others.  The next
 * look-up then makes it anew.  Entries are looked up between validations, never
 * during one, so a program in use is not freed.
 */
#ifndef EV_SCHEMA_CACHE_H
#define EV_SCHEMA_CACHE_H

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "schema/document.h"
#include "nodes/pg_list.h"
#include "program/program.h"
#include "stats/verdict.h"

typedef struct EvSchema
{
	Oid			function;		/* hash key, must be the first member */
	bool		valid;			/* the program is up to date */
	bool		is_used;		/* since programs last left the cache */
	bool		has_left;		/* the program left it, and nothing that it
								 * depends on has changed since */
	uint64		made;			/* another number each time that the program
								 * is made */
	uint64		definition;		/* another number each time that it is made
								 * after a change */
	bool		deprecated;		/* as its document says */
	EvProgram  *program;
	const char *name;			/* for messages: TYPE@VERSION, or a function's
								 * name; never freed */
	int			type_length;	/* of TYPE in the name; 0: not a version */
	int32		version;
	EvCounters *counters;		/* for statistics; NULL: not needed yet */
	TimestampTz last_warned_client; /* start of the statement in which the
									 * client was last warned of this version */
	TimestampTz last_warned_log;	/* when the server's log last was, by
									 * ev_steady_time(); 0: never */
	EvProgram  *annotated;		/* the program with annotations, made when
								 * first needed */
	MemoryContext context;		/* "event_validate program", for all of these */
	uint32	   *hashes;			/* PROCOID hash values of functions that it
								 * depends on; kept when the program leaves */
	int			hash_count;		/* 0, and it has left: on any function */
} EvSchema;

/*
 * Is the schema, with all that it refers to, as it was when it had this number as its
 * `definition`?
 */
static inline bool
ev_schema_is_as_defined(const EvSchema *schema, uint64 definition)
{
	return (schema->valid || schema->has_left) && schema->definition == definition;
}

/* For ev_schema_counters: finds them, for the current user. */
extern EvCounters *ev_schema_find_counters(EvSchema *schema);

/*
 * Returns the counters of a schema's events, where the relation is not known.
 * They are the current user's.
 */
static inline EvCounters *
ev_schema_counters(EvSchema *schema)
{
	if (likely(schema->counters != NULL && schema->counters->origin.role == GetUserId()))
		return schema->counters;
	return ev_schema_find_counters(schema);
}

/* The same for events of a relation; each call looks them up. */
extern EvCounters *ev_schema_relation_counters(const EvSchema *schema, Oid relation);

/* Registers the invalidation callbacks; called once, by _PG_init. */
extern void ev_registry_init(void);

/*
 * Returns the compiled schema of a function in language jsonschema.  The entry
 * is never freed, so a caller may keep the pointer, but must call this
 * function again when the entry is no longer valid.  Raises an error if the
 * function does not exist or is in another language, or if its document does
 * not compile.
 */
extern EvSchema *ev_registry_by_function(Oid function);

/*
 * Returns the function that is registered under a name (TYPE@VERSION, or a
 * URI's, see names.h) in event_schema, in language jsonschema; InvalidOid if
 * there is none.
 */
extern Oid	ev_registered_function(const char *name);

/* The function of a schema version; InvalidOid where it is not registered. */
extern Oid	ev_registered_version(const char *type, int type_length, int32 version);

/*
 * Returns the schema of a type and version; NULL if it is not registered.
 * Type is in the server encoding.  Raises an error if the document does not
 * compile.
 */
extern EvSchema *ev_registry_find(const char *type, int type_length, int32 version);

/*
 * Returns the program of a schema that was found before other code ran, which
 * may have changed schemas.  Raises the errors of ev_registry_by_function().
 */
extern const EvProgram *ev_registry_program(EvSchema *schema);

/*
 * Returns the program that a schema had when it was last looked up, valid or
 * not.  It is kept until a program of any schema is compiled; after that, this
 * is ev_registry_program().
 */
extern const EvProgram *ev_registry_kept_program(EvSchema *schema);

/*
 * Returns the schema's program with annotations.  It lives as long as
 * schema->program.
 */
extern EvProgram *ev_registry_annotated(EvSchema *schema);

/*
 * Returns the OIDs of all event schema functions of a type (NULL: all types),
 * ordered by type and version, read from the catalog; also their versions, if
 * versions is not NULL.
 */
extern List *ev_registry_list(const char *type, int type_length, List **versions);

/*
 * Returns the event type of an upcast whose function's name shortens it, in
 * CurrentMemoryContext: the type of the versions that it leads from or to.
 * Returns NULL if neither is registered.
 */
extern char *ev_registry_type_of_upcast(const char *function_name);

/*
 * An EvResolver that finds the registered documents.  It raises
 * invalid_parameter_value for an ambiguous URI.
 */
extern bool ev_registry_resolve(const char *uri, EvDocument *document);

/* The same, except that an ambiguous URI is not found. */
extern bool ev_registry_try_resolve(const char *uri, EvDocument *document);

/*
 * Keeps the documents that both functions find, as long as no function changes, so
 * that a document to which many others refer is parsed once; false: no longer.  Their
 * memory is bounded, and below CurrentMemoryContext.  Must be reset, also after an
 * error.
 */
extern void ev_registry_keep_documents(bool keep);

/*
 * Returns a number that changes with each invalidation of a schema.  It is for
 * callers that keep a program outside of the registry, which refers to
 * registered documents.
 */
extern uint64 ev_registry_generation(void);

#endif							/* EV_SCHEMA_CACHE_H */
