/*
 * call_site_cache.c
 *	  Finds the schema of a type and version, for a call site that is called
 *	  for each row.
 *
 * An entry is only used while the registry's entry is valid, so nothing is
 * invalidated here.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "registry/call_site_cache.h"

#define SLOTS	128				/* 2 ^ 7, see slot_of */

EvMissed	ev_missed;

static uint32
slot_of(const char *type, int type_length, int32 version)
{
	uint64		words[2];
	uint64		hash;

	ev_words(type, type_length, words);
	hash = ev_string_hash(type, type_length, words) + (uint64) version * UINT64CONST(0xC2B2AE3D27D4EB4F);
	/* the upper bits are well mixed */
	return (uint32) (hash >> 57);
}

EvSchema *
ev_call_site_search(EvCallSiteCache **kept, MemoryContext context,
					const char *type, int type_length, int32 version)
{
	EvCallSiteCache *cache = *kept;
	EvSchema   *schema;
	EvMet	   *met;

	if (cache == NULL)
	{
		cache = MemoryContextAllocZero(context, sizeof(EvCallSiteCache));
		cache->last = &cache->first;
		*kept = cache;
	}
	if (cache->slots != NULL)
	{
		uint32		slot = slot_of(type, type_length, version);

		/*
		 * Each key has two slots, so that two alternating keys do not
		 * displace each other.
		 */
		for (int i = 0; i < 2; i++)
		{
			met = &cache->slots[slot ^ i];
			if (ev_is_met(met, type, type_length, version))
			{
				cache->last = met;
				met->schema->is_used = true;
				return met->schema;
			}
		}
	}

	schema = ev_registry_find(type, type_length, version);
	if (schema == NULL)
	{
		if (ev_missed != NULL)
			ev_missed(type, type_length, version);
		return NULL;
	}
	if (cache->first.schema != NULL && cache->slots == NULL)
		cache->slots = MemoryContextAllocZero(context, sizeof(EvMet) * SLOTS);
	met = &cache->first;
	if (cache->slots != NULL)
	{
		met = &cache->slots[slot_of(type, type_length, version)];
		if (met->schema != NULL && met->schema->valid)
			met = &cache->slots[slot_of(type, type_length, version) ^ 1];
	}
	met->schema = schema;
	met->version = version;
	met->type_length = type_length;
	met->type = schema->name;
	met->counters = NULL;
	ev_words(type, type_length, met->words);
	cache->last = met;
	return schema;
}
