/*
 * dispatch.c
 *	  From (type, version) to the schema, for a call site that asks once a row.
 *
 * What was met is only believed while the registry's entry is valid, so there
 * is nothing to invalidate here.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "dispatch.h"
#include "words.h"

#define PLACES	128				/* a power of 2 */

static uint32
place_of(const char *type, int type_length, int32 version)
{
	uint64		words[2];
	uint64		hash;

	ev_words(type, type_length, words);
	hash = (words[0] ^ (words[1] << 1) ^ (uint64) version * UINT64CONST(0x9E3779B97F4A7C15) ^ type_length) *
		UINT64CONST(0xD6E8FEB86659FD93);
	return (uint32) (hash >> 40) & (PLACES - 1);
}

EvSchema *
ev_dispatch_search(EvDispatch **kept, MemoryContext context,
				   const char *type, int type_length, int32 version)
{
	EvDispatch *dispatch = *kept;
	EvSchema   *schema;
	EvMet	   *met;

	if (dispatch == NULL)
	{
		dispatch = MemoryContextAllocZero(context, sizeof(EvDispatch));
		dispatch->last = &dispatch->first;
		*kept = dispatch;
	}
	if (dispatch->places != NULL)
	{
		met = &dispatch->places[place_of(type, type_length, version)];
		if (ev_is_met(met, type, type_length, version))
		{
			dispatch->last = met;
			return met->schema;
		}
	}

	schema = ev_registry_find(type, type_length, version);
	if (schema == NULL)
		return NULL;
	if (dispatch->first.schema != NULL && dispatch->places == NULL)
		dispatch->places = MemoryContextAllocZero(context, sizeof(EvMet) * PLACES);
	met = dispatch->places == NULL ? &dispatch->first :
		&dispatch->places[place_of(type, type_length, version)];
	met->schema = schema;
	met->version = version;
	met->type_length = type_length;
	memcpy(met->type, type, type_length);
	dispatch->last = met;
	return schema;
}
