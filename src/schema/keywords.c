/*
 * keywords.c
 *	  The table of keywords, and look-ups in it.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

#include "schema/keywords.h"

const EvKeyword ev_keywords[EV_KEYWORD_COUNT] = {
#define EV_KEYWORD(symbol, name, drafts, vocabulary, shape, types, gatherer) {name, drafts, vocabulary, shape, types, gatherer},
	EV_KEYWORDS(EV_KEYWORD)
#undef EV_KEYWORD
};

static const char *const draft_uris[EV_DRAFT_COUNT] = {
	[EV_DRAFT4] = "http://json-schema.org/draft-04/schema",
	[EV_DRAFT6] = "http://json-schema.org/draft-06/schema",
	[EV_DRAFT7] = "http://json-schema.org/draft-07/schema",
	[EV_DRAFT2019] = "https://json-schema.org/draft/2019-09/schema",
	[EV_DRAFT2020] = "https://json-schema.org/draft/2020-12/schema",
	[EV_V1] = "https://json-schema.org/v1",
};

/*
 * The keywords by length and first character, as chains of indexes that end
 * with -1.
 */
#define SLOTS	64

static int8 first_in_slot[SLOTS];
static int8 next_in_slot[EV_KEYWORD_COUNT];
static uint8 name_lengths[EV_KEYWORD_COUNT];
static bool has_slots = false;

StaticAssertDecl(EV_KEYWORD_COUNT <= PG_INT8_MAX, "the index of a keyword fits into int8");

static int
slot_of(const char *name, int length)
{
	return (length * 5 + (unsigned char) name[0]) % SLOTS;
}

static void
make_slots(void)
{
	memset(first_in_slot, -1, sizeof(first_in_slot));
	for (int i = EV_KEYWORD_COUNT - 1; i >= 0; i--)
	{
		int			slot;

		name_lengths[i] = strlen(ev_keywords[i].name);
		slot = slot_of(ev_keywords[i].name, name_lengths[i]);
		next_in_slot[i] = first_in_slot[slot];
		first_in_slot[slot] = i;
	}
	has_slots = true;
}

int
ev_keyword_find(const char *name, int length, EvDraft draft)
{
	if (length == 0)
		return -1;
	if (!has_slots)
		make_slots();
	for (int i = first_in_slot[slot_of(name, length)]; i >= 0; i = next_in_slot[i])
		if (name_lengths[i] == length && (ev_keywords[i].drafts & EV_IN(draft)) != 0 &&
			memcmp(ev_keywords[i].name, name, length) == 0)
			return i;
	return -1;
}

/*
 * Are two names of equal length the same except for two adjacent characters
 * that are swapped?
 */
static bool
is_transposed(const char *name, const char *other, int length)
{
	int			first = 0;

	while (first < length && name[first] == other[first])
		first++;
	return first + 1 < length && name[first] == other[first + 1] && name[first + 1] == other[first] &&
		memcmp(name + first + 2, other + first + 2, length - first - 2) == 0;
}

/* Leaves memory behind, since PostgreSQL's function for the distance does. */
static const char *
find_nearest(const char *name, int length, EvDraft draft)
{
	const char *nearest = NULL;
	int			least = length < 5 ? 1 : 2;

	for (int i = 0; i < EV_KEYWORD_COUNT; i++)
	{
		const EvKeyword *keyword = &ev_keywords[i];
		int			distance;

		if ((keyword->drafts & EV_IN(draft)) == 0)
			continue;
		if (strlen(keyword->name) == (size_t) length &&
			pg_strncasecmp(keyword->name, name, length) == 0)
			return keyword->name;
		distance = varstr_levenshtein_less_equal(name, length,
												 keyword->name, strlen(keyword->name),
												 1, 1, 1, least, false);
		/* count this as one edit */
		if (strlen(keyword->name) == (size_t) length && is_transposed(name, keyword->name, length))
			distance = 1;
		if (distance <= least)
		{
			nearest = keyword->name;
			least = distance - 1;
			if (least < 0)
				break;
		}
	}
	return nearest;
}

const char *
ev_keyword_nearest(const char *name, int length, EvDraft draft)
{
	MemoryContext context;
	MemoryContext caller;
	const char *nearest;

	if (length < 3 || length > 30)
		return NULL;
	context = AllocSetContextCreate(CurrentMemoryContext, "event_validate nearest keyword", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	nearest = find_nearest(name, length, draft);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return nearest;
}

int
ev_draft_of_uri(const char *uri)
{
	size_t		length = strlen(uri);

	if (length > 0 && uri[length - 1] == '#')
		length--;
	for (int i = 0; i < EV_DRAFT_COUNT; i++)
		if (strlen(draft_uris[i]) == length && memcmp(draft_uris[i], uri, length) == 0)
			return i;
	return -1;
}

const char *
ev_draft_uri(EvDraft draft)
{
	return draft_uris[draft];
}
