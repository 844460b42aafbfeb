/*
 * location.c
 *	  The location of a subschema in its document.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "schema/location.h"

static void
append_location(StringInfo pointer, const EvLocation *location, bool from_resource)
{
	check_stack_depth();
	if (location->parent == NULL || (from_resource && location->resource != NULL))
		return;
	append_location(pointer, location->parent, from_resource);
	appendStringInfoString(pointer, location->tail);
}

char *
ev_location_pointer(const EvLocation *location, bool from_resource)
{
	StringInfoData pointer;

	initStringInfo(&pointer);
	append_location(&pointer, location, from_resource);
	return pointer.data;
}
