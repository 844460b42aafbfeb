/*
 * search_bounds.c
 *	  How much of other roles' objects a search for usage sites looks at.
 *
 * A drop searches while tables are locked against writers, and any role can make
 * constraints, domains, policies and views that call check_event: many, and long ones,
 * which take little place on disk, because they are compressed there.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/hsearch.h"

#include "rollout/search_bounds.h"
#include "rows/table_rights.h"

/* The maximum number of bytes of expressions and views of one other role that are parsed. */
#define MOST_PARSED	(4 * 1024 * 1024)

/* The maximum number of sites on tables of one other role. */
#define MOST_SITES	50000

/* The maximum number of types on all ways from the domains of one other role; the same if each domain meets each once. */
#define MOST_TYPES			20000
#define MOST_TYPES_ONCE		100000

typedef struct RoleCount
{
	Oid			role;			/* the key */
	bool		is_own;
	Size		bytes;
	int			sites;
	int			types;
} RoleCount;

struct EvSearchCounts
{
	Oid			user;
	HTAB	   *roles;			/* of RoleCount */
};

EvSearchCounts *
ev_search_counts(Oid user)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(RoleCount), .hcxt = CurrentMemoryContext};
	EvSearchCounts *counts = palloc(sizeof(EvSearchCounts));

	counts->user = user;
	counts->roles = hash_create("event_validate search", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return counts;
}

static RoleCount *
count_of(EvSearchCounts *counts, Oid role)
{
	bool		found;
	RoleCount  *count = hash_search(counts->roles, &role, HASH_ENTER, &found);

	if (!found)
	{
		count->is_own = ev_is_own_role(role, counts->user) || superuser_arg(role) || role == ev_database_owner();
		count->bytes = 0;
		count->sites = count->types = 0;
	}
	return count;
}

bool
ev_search_is_own(EvSearchCounts *counts, Oid role)
{
	return count_of(counts, role)->is_own;
}

bool
ev_search_may_read(EvSearchCounts *counts, Oid role, Size bytes)
{
	RoleCount  *count = count_of(counts, role);

	if (count->is_own)
		return true;
	count->bytes = Min(count->bytes + bytes, (Size) MOST_PARSED + 1);
	return count->bytes <= MOST_PARSED;
}

bool
ev_search_is_full(EvSearchCounts *counts, Oid role)
{
	RoleCount  *count = count_of(counts, role);

	return !count->is_own && count->sites >= MOST_SITES;
}

bool
ev_search_may_add_site(EvSearchCounts *counts, Oid role, bool *is_last)
{
	RoleCount  *count = count_of(counts, role);

	*is_last = false;
	if (count->is_own)
		return true;
	if (count->sites >= MOST_SITES)
		return false;
	*is_last = ++count->sites == MOST_SITES;
	return true;
}

EvFollow
ev_search_follow(EvSearchCounts *counts, Oid role)
{
	RoleCount  *count = count_of(counts, role);

	if (!count->is_own)
		count->types = Min(count->types + 1, MOST_TYPES_ONCE + 1);
	return count->types <= MOST_TYPES ? EV_FOLLOW_ALL : count->types <= MOST_TYPES_ONCE ? EV_FOLLOW_ONCE : EV_FOLLOW_NONE;
}
