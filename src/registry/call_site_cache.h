/*
 * call_site_cache.h
 *	  Finds the schema of a type and version, for a call site that is called
 *	  for each row.
 *
 * A call site remembers the last type and version and, after it has met two, a
 * hash table in which newer entries replace older ones.
 */
#ifndef EV_CALL_SITE_CACHE_H
#define EV_CALL_SITE_CACHE_H

#include "base/short_string.h"
#include "registry/schema_cache.h"

/* A type and version that a call site has met. */
typedef struct EvMet
{
	EvSchema   *schema;			/* NULL: the slot is free */
	int32		version;
	int			type_length;
	uint64		words[2];		/* of the type, see short_string.h */
	const char *type;			/* the beginning of schema->name */
	EvCounters *counters;		/* for the caller's use; NULL in a new one */
} EvMet;

/* The memory of a call site. */
typedef struct EvCallSiteCache
{
	EvMet	   *last;
	EvMet		first;
	EvMet	   *slots;
} EvCallSiteCache;

static inline bool
ev_is_met(const EvMet *met, const char *type, int type_length, int32 version)
{
	return met->schema != NULL && met->schema->valid && met->version == version &&
		met->type_length == type_length && ev_same_bytes(type, type_length, met->words, met->type);
}

/*
 * A hook that is called with each type and version that is not registered; may
 * be NULL.
 */
typedef void (*EvMissed) (const char *type, int type_length, int32 version);

extern EvMissed ev_missed;

/* For ev_call_site_schema: finds other entries than the last one. */
extern EvSchema *ev_call_site_search(EvCallSiteCache **cache, MemoryContext context,
									 const char *type, int type_length, int32 version);

/*
 * Returns the schema of a type (not toasted) and version; NULL if it is not
 * registered.  *cache is initially NULL; its memory is allocated in the
 * context.  Raises the errors of ev_registry_find().
 */
static inline EvSchema *
ev_call_site_schema(EvCallSiteCache **cache, MemoryContext context, const text *type, int32 version)
{
	const char *name = VARDATA_ANY(type);
	int			length = VARSIZE_ANY_EXHDR(type);

	if (*cache != NULL && ev_is_met((*cache)->last, name, length, version))
	{
		EvSchema   *schema = (*cache)->last->schema;

		schema->is_used = true;
		return schema;
	}
	return ev_call_site_search(cache, context, name, length, version);
}

#endif							/* EV_CALL_SITE_CACHE_H */
