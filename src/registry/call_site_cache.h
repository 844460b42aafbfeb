/*
 * call_site_cache.h
 *	  From (type, version) to the schema, for a call site that asks once a row.
 *
 * A call site remembers what it met: the last one, and once it meets another,
 * a table of places by hash, where the newer takes the place of the older.
 */
#ifndef EV_CALL_SITE_CACHE_H
#define EV_CALL_SITE_CACHE_H

#include "base/short_string.h"
#include "registry/schema_cache.h"

/* One (type, version) that a call site met. */
typedef struct EvMet
{
	EvSchema   *schema;			/* NULL: the place is free */
	int32		version;
	int			type_length;
	uint64		words[2];		/* of the type, see short_string.h */
	const char *type;			/* where schema->name begins */
} EvMet;

/* What a call site keeps. */
typedef struct EvCallSiteCache
{
	EvMet	   *last;
	EvMet		first;
	EvMet	   *places;
} EvCallSiteCache;

static inline bool
ev_is_met(const EvMet *met, const char *type, int type_length, int32 version)
{
	return met->schema != NULL && met->schema->valid && met->version == version &&
		met->type_length == type_length && ev_same_bytes(type, type_length, met->words, met->type);
}

/*
 * Who is told of a type and version that is looked for and not registered; NULL:
 * nobody.
 */
typedef void (*EvMissed) (const char *type, int type_length, int32 version);

extern EvMissed ev_missed;

/* For ev_call_site_schema: all but the last one that was met. */
extern EvSchema *ev_call_site_search(EvCallSiteCache **dispatch, MemoryContext context,
									 const char *type, int type_length, int32 version);

/*
 * The schema of a type (not toasted) and version; NULL: not registered.
 * *dispatch is NULL at first; what is kept there is allocated in the context.
 * Raises as ev_registry_find does.
 */
static inline EvSchema *
ev_call_site_schema(EvCallSiteCache **dispatch, MemoryContext context, const text *type, int32 version)
{
	const char *name = VARDATA_ANY(type);
	int			length = VARSIZE_ANY_EXHDR(type);

	if (*dispatch != NULL && ev_is_met((*dispatch)->last, name, length, version))
		return (*dispatch)->last->schema;
	return ev_call_site_search(dispatch, context, name, length, version);
}

#endif							/* EV_CALL_SITE_CACHE_H */
