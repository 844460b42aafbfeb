/*
 * changes_duplicates.c
 *	  Each change is listed once.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "changes/changes_list.h"

/* A change is identified by its location, kind and message. */
static uint32
hash_change(const void *key, Size size pg_attribute_unused())
{
	const EvChange *change = *(EvChange *const *) key;

	return hash_bytes((const unsigned char *) change->location, strlen(change->location)) * 31 +
		hash_bytes((const unsigned char *) change->message, strlen(change->message)) + change->rule;
}

static int
match_changes(const void *a, const void *b, Size size pg_attribute_unused())
{
	const EvChange *x = *(EvChange *const *) a;
	const EvChange *y = *(EvChange *const *) b;

	return x->rule != y->rule || strcmp(x->location, y->location) != 0 || strcmp(x->message, y->message) != 0;
}

List *
ev_changes_without_duplicates(EvProver *p, List *changes, int first)
{
	HASHCTL		control = {.keysize = sizeof(EvChange *), .entrysize = sizeof(EvChange *), .hash = hash_change,
	.match = match_changes};
	HTAB	   *seen;
	int			kept = first;

	control.hcxt = CurrentMemoryContext;
	seen = hash_create("event_validate changes", 64, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	for (int i = first; i < list_length(changes); i++)
	{
		EvChange   *change = list_nth(changes, i);
		EvChange  **known;
		bool		found;

		ev_spend(p, 20 + (strlen(change->location) + strlen(change->message)) / 8);
		known = hash_search(seen, &change, HASH_ENTER, &found);
		if (!found)
		{
			lfirst(list_nth_cell(changes, kept++)) = change;
			continue;
		}
		(*known)->backward = Max((*known)->backward, change->backward);
		(*known)->forward = Max((*known)->forward, change->forward);
	}
	hash_destroy(seen);
	return list_truncate(changes, kept);
}
