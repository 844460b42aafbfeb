/*
 * schema_cache.h
 *	  The registered schemas as programs: a cache of each backend.
 *
 * An entry is made when its function is first used, marked invalid when the
 * function's row in pg_proc, or that of a function that it refers to,
 * changes, and made anew when next looked up.  Entries are looked up between
 * validations, never during one, so a program in use is not freed.
 */
#ifndef EV_SCHEMA_CACHE_H
#define EV_SCHEMA_CACHE_H

#include "datatype/timestamp.h"
#include "schema/document.h"
#include "nodes/pg_list.h"
#include "program/program.h"

typedef struct EvSchema
{
	Oid			function;		/* hash key; must be first */
	bool		valid;			/* program is what the catalog says */
	bool		deprecated;		/* its document says so */
	EvProgram  *program;
	const char *name;			/* for messages: TYPE@VERSION, or a
								 * function's; never freed while it is that */
	TimestampTz last_warned_client; /* of the statement in which the client
									 * was last told so */
	TimestampTz last_warned_log;	/* when the server's log was */
	EvProgram  *annotated;		/* the same for reports, made when first asked
								 * for */
	MemoryContext context;		/* "event_validate program", of all these */
	uint32	   *hashes;			/* PROCOID hash values of what it refers to */
	int			hash_count;
} EvSchema;

/* Registers the invalidation callbacks; called once, by _PG_init. */
extern void ev_registry_init(void);

/*
 * The schema that a function in language jsonschema holds, compiled.  The
 * entry lives as long as the backend, so a caller may keep the pointer, but
 * must come here again when it is no longer valid.  Raises where the function
 * does not exist, is in another language, or its document does not compile.
 */
extern EvSchema *ev_registry_by_function(Oid function);

/*
 * The function that is registered under a name (TYPE@VERSION, or a URI's, see
 * names.h) in event_schema, in language jsonschema; InvalidOid where there is
 * none.
 */
extern Oid	ev_registered_function(const char *name);

/* The function of a schema version; InvalidOid where it is not registered. */
extern Oid	ev_registered_version(const char *type, int type_length, int32 version);

/*
 * The schema of (type, version); NULL where it is not registered.  Type is in
 * the server encoding.  Raises where the document does not compile.
 */
extern EvSchema *ev_registry_find(const char *type, int type_length, int32 version);

/*
 * The program of a schema that was found before other functions ran, which may
 * have changed schemas.  Raises as ev_registry_by_function does.
 */
extern const EvProgram *ev_registry_program(EvSchema *schema);

/*
 * The program that a schema had when it was last looked up, valid or not; it is
 * kept until a program of any schema is made.  After that as
 * ev_registry_program.
 */
extern const EvProgram *ev_registry_kept_program(EvSchema *schema);

/*
 * The schema's program with annotations.  Lives as long as schema->program
 * does.
 */
extern EvProgram *ev_registry_annotated(EvSchema *schema);

/*
 * OIDs of all event schema functions of a type (NULL: all types), ordered by
 * type and version, read from the catalog; with their versions, if wanted.
 */
extern List *ev_registry_list(const char *type, int type_length, List **versions);

/*
 * The event type of an upcast whose function's name shortens it, in
 * CurrentMemoryContext: that of the versions that it leads from or to; NULL
 * where neither is registered.
 */
extern char *ev_registry_type_of_upcast(const char *function_name);

/* An EvResolver over the registered documents. */
extern bool ev_registry_resolve(const char *uri, EvDocument *document);

/*
 * Changes with each invalidation of any schema: for who keeps a program that
 * the registry does not know, with references to documents that it does.
 */
extern uint64 ev_registry_generation(void);

#endif							/* EV_SCHEMA_CACHE_H */
