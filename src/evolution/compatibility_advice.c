/*
 * compatibility_advice.c
 *	  The sentences of a HINT that say what to do about a version that the policy refuses.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "base/shown_text.h"
#include "evolution/compatibility_advice.h"

/* Renames in a HINT have so many bytes. */
#define RENAMES_SIZE	1000

/* Does it refuse events of an earlier version? */
static bool
is_about_old_events(const EvFinding *finding, int32 version)
{
	return finding->treatment == EV_REFUSED && !finding->forward && finding->against < version;
}

/* Returns the length of a location up to the name of its property, or -1 if it is no property's. */
static int
parent_length(const char *location)
{
	static const char keyword[] = "/properties";
	const char *name = strrchr(location, '/');
	int			length = name != NULL ? name - location : 0;
	int			rest = length - strlen(keyword);

	return rest >= 0 && strncmp(location + rest, keyword, strlen(keyword)) == 0 ? length : -1;
}

/*
 * Returns the only change of a rule that is about a property of this object; NULL if there is
 * none, or another one.
 */
static const EvChange *
only_change(const List *changes, EvChangeRule rule, const char *object, int length)
{
	const EvChange *found = NULL;
	ListCell   *cell;

	foreach(cell, changes)
	{
		const EvChange *change = lfirst(cell);

		if (change->rule != rule || parent_length(change->location) != length ||
			strncmp(change->location, object, length) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = change;
	}
	return found;
}

/*
 * Returns a location in an event, as renames have it, for that of a property in a schema; NULL if
 * there is more on the way than properties and items.
 */
static char *
renames_pointer(const char *location)
{
	StringInfoData pointer;

	initStringInfo(&pointer);
	while (*location != '\0')
	{
		if (strncmp(location, "/items/", strlen("/items/")) == 0)
		{
			appendStringInfoString(&pointer, "/*");
			location += strlen("/items");
		}
		else if (strncmp(location, "/properties/", strlen("/properties/")) == 0)
		{
			int			length;

			location += strlen("/properties");
			length = 1 + strcspn(location + 1, "/");
			/* renames take it for each item of an array */
			if (length == 2 && location[1] == '*')
				return NULL;
			appendBinaryStringInfo(&pointer, location, length);
			location += length;
		}
		else
			return NULL;
	}
	return pointer.data;
}

/* Is this a location of the event's own property, which renames can name without a pointer? */
static bool
is_plain(const char *pointer)
{
	return strchr(pointer + 1, '/') == NULL && strchr(pointer, '~') == NULL;
}

/*
 * Returns a sentence with the renames that explain a required property that was added, where the
 * same object has lost another required one, and these are the only two; otherwise NULL.
 */
static char *
renames_advice(const EvFinding *finding, int32 version)
{
	const char *added = finding->change->location;
	int			length = parent_length(added);
	const EvChange *removed;
	char	   *from;
	char	   *to;
	StringInfoData advice;

	if (length < 0 || !finding->is_adjacent || finding->change->rule != EV_CHANGE_PROPERTY_REQUIRED_ADDED ||
		only_change(finding->changes, EV_CHANGE_PROPERTY_REQUIRED_ADDED, added, length) != finding->change)
		return NULL;
	removed = only_change(finding->changes, EV_CHANGE_PROPERTY_REQUIRED_REMOVED, added, length);
	from = removed != NULL ? renames_pointer(removed->location) : NULL;
	to = renames_pointer(added);
	if (from == NULL || to == NULL || strcmp(ev_visible(from), from) != 0 || strcmp(ev_visible(to), to) != 0)
		return NULL;
	if (is_plain(from) && is_plain(to))
	{
		from++;
		to++;
	}
	initStringInfo(&advice);
	appendStringInfoChar(&advice, '{');
	escape_json(&advice, from);
	appendStringInfoString(&advice, ": ");
	escape_json(&advice, to);
	appendStringInfoChar(&advice, '}');
	if (advice.len > RENAMES_SIZE)
		return NULL;
	return psprintf("If \"%s\" is only called \"%s\" now, register version %d with renames => %s. ",
					from, to, version, quote_literal_cstr(advice.data));
}

char *
ev_advice_without(const EvDocument *document, int32 version, bool lenient, const List *findings)
{
	StringInfoData advice;
	bool		added = false;
	bool		required = false;
	bool		pattern = false;
	bool		has_renames = document->renames != NULL;
	ListCell   *cell;

	initStringInfo(&advice);
	foreach(cell, findings)
	{
		const EvFinding *finding = lfirst(cell);
		char	   *renames;

		CHECK_FOR_INTERRUPTS();
		pattern |= finding->treatment == EV_REFUSED && finding->change->rule == EV_CHANGE_PATTERN_CHANGED;
		if (!is_about_old_events(finding, version))
			continue;
		added |= finding->change->rule == EV_CHANGE_PROPERTY_REQUIRED_ADDED;
		required |= finding->change->rule == EV_CHANGE_PROPERTY_BECAME_REQUIRED;
		renames = has_renames ? NULL : renames_advice(finding, version);
		if (renames == NULL)
			continue;
		has_renames = true;
		appendStringInfoString(&advice, renames);
	}

	/*
	 * strictly, events can have any value in a property that no schema
	 * declared
	 */
	if (added && lenient)
		appendStringInfoString(&advice, "A property that is added without being required is compatible; \"default\" does not give old events a value. ");
	else if (required)
		appendStringInfoString(&advice, "A property that stays optional is compatible; \"default\" does not give old events a value. ");
	else if (added)
		appendStringInfoString(&advice, "\"default\" does not give old events a value. ");
	if (pattern)
		appendStringInfoString(&advice, EV_PATTERN_IDIOM " ");
	return advice.data;
}

const char *
ev_advice_with(int32 version, const List *findings)
{
	ListCell   *cell;

	foreach(cell, findings)
	{
		const EvFinding *finding = lfirst(cell);

		if (is_about_old_events(finding, version))
			return psprintf(" Then write an upcast for events of version %d (register_event_upcast).", finding->against);
	}
	return "";
}
