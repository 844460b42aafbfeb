/*
 * call_site_cache.c
 *	  From (type, version) to the schema, for a call site that asks once a row.
 *
 * What was met is only believed while the registry's entry is valid, so there
 * is nothing to invalidate here.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "registry/call_site_cache.h"

#define PLACES	128				/* 2 ^ 7, see place_of */

EvMissed	ev_missed;

static uint32
place_of(const char *type, int type_length, int32 version)
{
	uint64		words[2];
	uint64		hash;

	ev_words(type, type_length, words);
	hash = ev_string_hash(type, type_length, words) + (uint64) version * UINT64CONST(0xC2B2AE3D27D4EB4F);
	/* the upper bits are the good ones */
	return (uint32) (hash >> 57);
}

EvSchema *
ev_call_site_search(EvCallSiteCache **kept, MemoryContext context,
					const char *type, int type_length, int32 version)
{
	EvCallSiteCache *dispatch = *kept;
	EvSchema   *schema;
	EvMet	   *met;

	if (dispatch == NULL)
	{
		dispatch = MemoryContextAllocZero(context, sizeof(EvCallSiteCache));
		dispatch->last = &dispatch->first;
		*kept = dispatch;
	}
	if (dispatch->places != NULL)
	{
		uint32		place = place_of(type, type_length, version);

		/*
		 * two places for each, so that two that alternate do not displace
		 * each other
		 */
		for (int i = 0; i < 2; i++)
		{
			met = &dispatch->places[place ^ i];
			if (ev_is_met(met, type, type_length, version))
			{
				dispatch->last = met;
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
	if (dispatch->first.schema != NULL && dispatch->places == NULL)
		dispatch->places = MemoryContextAllocZero(context, sizeof(EvMet) * PLACES);
	met = &dispatch->first;
	if (dispatch->places != NULL)
	{
		met = &dispatch->places[place_of(type, type_length, version)];
		if (met->schema != NULL && met->schema->valid)
			met = &dispatch->places[place_of(type, type_length, version) ^ 1];
	}
	met->schema = schema;
	met->version = version;
	met->type_length = type_length;
	met->type = schema->name;
	ev_words(type, type_length, met->words);
	dispatch->last = met;
	return schema;
}
