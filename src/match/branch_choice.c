/*
 * branch_choice.c
 *	  Chooses the branch of an anyOf or oneOf that messages speak about.
 *
 * Answers do not depend on the choice, since no branch matches.  The author of
 * a value usually meant one of the branches, and the violations of this branch
 * are the useful ones.  The optimizer finds tags that decide the answer
 * (optimize.c: discriminate).  Here tags count even if they are not required,
 * or are missing in some branches.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "match/branch_choice.h"
#include "match/match_checks.h"

/*
 * The number of instructions that one run examines for choices.  After that,
 * no branch is chosen.
 */
#define MOST_WORK	10000000

/* The number of references that are followed from a branch. */
#define MOST_HOPS	6

/* The result of comparing the constants of a branch with the value of a property. */
typedef enum Says
{
	SAYS_NOTHING,				/* it has no constants for the property */
	SAYS_YES,					/* the value is one of its constants */
	SAYS_NO
} Says;

/* A value that is looked for. */
typedef struct BranchSearch
{
	EvMatch    *m;
	EvString	name;			/* of the property */
	EvInstance	value;
	bool		is_single;		/* the branch's constants are one constant */
	EvTag	   *collected;		/* takes the constants, or NULL */
	uint32		room;
} BranchSearch;

typedef Says (*Walk) (BranchSearch *search, uint32 block, int hops);

static Says says_of_property(BranchSearch *search, uint32 block, int hops);
static Says says_of_value(BranchSearch *search, uint32 block, int hops);

/* Combines the answers of two schemas that both apply. */
static Says
both(Says a, Says b)
{
	if (a == SAYS_NO || b == SAYS_NO)
		return SAYS_NO;
	return a == SAYS_YES || b == SAYS_YES ? SAYS_YES : SAYS_NOTHING;
}

/* Combines the answers of nested branches, of which one must match. */
static Says
any_of(BranchSearch *search, const EvBranches *branches, int hops, Walk walk)
{
	Says		result = branches->count > 0 ? SAYS_NO : SAYS_NOTHING;

	for (uint32 i = 0; i < branches->count; i++)
	{
		Says		said = walk(search, branches->blocks[i], hops);

		if (said == SAYS_YES)
			return SAYS_YES;
		if (said == SAYS_NOTHING)
			result = SAYS_NOTHING;
	}
	return result;
}

static void
collect(BranchSearch *search, const EvEnum *enumeration)
{
	EvTag	   *tag = search->collected;

	for (uint32 i = 0; tag != NULL && i < enumeration->count; i++)
	{
		bool		known = false;

		CHECK_FOR_INTERRUPTS();
		search->m->choice_work += tag->value_count;
		if (search->m->choice_work > MOST_WORK)
			return;
		for (uint32 j = 0; j < tag->value_count && !known; j++)
			known = ev_values_equal(&tag->values[j], &enumeration->shown[i]);
		if (known)
			continue;
		if (tag->value_count == search->room)
		{
			search->room = Max(16, 2 * search->room);
			tag->values = tag->values == NULL ? palloc(search->room * sizeof(EvInstance)) :
				repalloc(tag->values, search->room * sizeof(EvInstance));
		}
		tag->values[tag->value_count++] = enumeration->shown[i];
	}
}

static Says
walk_block(BranchSearch *search, uint32 block, int hops, Walk walk)
{
	const EvInstruction *code = search->m->program->code;
	Says		result = SAYS_NOTHING;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (block >= EV_BLOCK_TRUE || hops == 0)
		return SAYS_NOTHING;
	for (const EvInstruction *instruction = &code[block]; instruction->opcode != EVOP_RETURN; instruction++)
	{
		Says		said = SAYS_NOTHING;

		if (++search->m->choice_work > MOST_WORK)
			return SAYS_NOTHING;
		switch ((EvOpcode) instruction->opcode)
		{
			case EVOP_FAIL:
				return SAYS_NO;
			case EVOP_CALL:
			case EVOP_CALL_REF:
			case EVOP_REMEMBER:
				said = walk(search, instruction->target, hops - 1);
				break;
			case EVOP_ANY_OF:
			case EVOP_ONE_OF:
				said = any_of(search, instruction->u.branches, hops - 1, walk);
				break;
			case EVOP_OBJECT:
				if (walk == says_of_property)
				{
					bool		found;
					uint32		at = ev_seek_property(instruction->u.object, 0, search->name, &found);

					if (found)
						said = says_of_value(search, instruction->u.object->properties[at].block, hops - 1);
				}
				break;
			case EVOP_ENUM:
			case EVOP_ENUM_STRINGS:
				if (walk == says_of_value)
				{
					const EvEnum *enumeration = instruction->u.enumeration;

					said = (instruction->opcode == EVOP_ENUM ? ev_in_values(enumeration, &search->value) :
							(search->value.type == EV_STRING &&
							 ev_in_strings(enumeration, search->value.data, search->value.length))) ?
						SAYS_YES : SAYS_NO;
					search->is_single = enumeration->count == 1;
					collect(search, enumeration);
				}
				break;
			default:
				break;
		}
		result = both(result, said);
	}
	return result;
}

/* Returns the answer of a schema for the whole object. */
static Says
says_of_property(BranchSearch *search, uint32 block, int hops)
{
	return walk_block(search, block, hops, says_of_property);
}

/* Returns the answer of a schema for the property's value. */
static Says
says_of_value(BranchSearch *search, uint32 block, int hops)
{
	return walk_block(search, block, hops, says_of_value);
}

/* ---------- choosing ---------- */

/* The branch that the value of a property chooses. */
typedef struct Vote
{
	int			branch;			/* the only one that says yes; EV_NO_BRANCH:
								 * all say no; EV_ANY_BRANCH: not decided */
	bool		is_named;		/* by "discriminator" */
	bool		is_single;		/* it is the only constant of the branch */
	uint32		known;			/* branches that have constants for it */
	uint32		single;			/* branches that have one constant for it */
} Vote;

static Vote
vote_of(BranchSearch *search, const EvBranches *branches)
{
	Vote		vote = {.branch = EV_ANY_BRANCH};
	uint32		yes = 0;
	uint32		nothing = 0;

	vote.is_named = branches->tag.data != NULL && branches->tag.length == search->name.length &&
		memcmp(branches->tag.data, search->name.data, search->name.length) == 0;
	for (uint32 i = 0; i < branches->count; i++)
	{
		Says		said;

		if ((branches->types[i] & EV_BIT(EV_OBJECT)) == 0)
			continue;
		search->is_single = false;
		said = says_of_property(search, branches->blocks[i], MOST_HOPS);
		vote.known += said != SAYS_NOTHING;
		vote.single += said != SAYS_NOTHING && search->is_single;
		nothing += said == SAYS_NOTHING;
		if (said == SAYS_YES && yes++ == 0)
		{
			vote.branch = i;
			vote.is_single = search->is_single;
		}
	}
	if (yes != 1)
		vote.branch = yes == 0 && nothing == 0 && vote.known > 1 ? EV_NO_BRANCH : EV_ANY_BRANCH;

	/* "discriminator" names the branch where constants do not */
	for (uint32 i = 0; vote.is_named && vote.branch == EV_ANY_BRANCH && i < branches->tag_value_count; i++)
	{
		EvString	value = branches->tag_values[i].value;

		if (search->value.type == EV_STRING && value.length == search->value.length &&
			memcmp(value.data, search->value.data, value.length) == 0)
			vote.branch = branches->tag_values[i].branch;
	}
	return vote;
}

/*
 * Does a vote count for more than the best vote so far?  Of equal votes, the
 * first is kept.
 */
static bool
is_better(const Vote *vote, const Vote *best)
{
	if (vote->branch == EV_ANY_BRANCH || best->branch == EV_ANY_BRANCH)
		return vote->branch != EV_ANY_BRANCH;
	if (vote->is_named != best->is_named)
		return vote->is_named;
	if ((vote->branch >= 0) != (best->branch >= 0))
		return vote->branch >= 0;
	if (vote->is_single != best->is_single)
		return vote->is_single;

	/*
	 * if no branch has the value: "kind", one constant a branch, before
	 * "status", a list in each
	 */
	if (vote->branch < 0 && vote->single != best->single)
		return vote->single > best->single;
	return vote->known > best->known;
}

static int
choose_by_tag(EvMatch *m, const EvBranches *branches, const JsonbContainer *container, EvTag *tag)
{
	uint32		count = JsonContainerSize(container);
	const JEntry *values = container->children + count;
	const char *base = (const char *) (values + count);
	uint32		key_start = 0;
	uint32		value_start = count > 0 ? getJsonbOffset(container, count) : 0;
	Vote		best = {.branch = EV_ANY_BRANCH};
	BranchSearch found = {.m = m};

	for (uint32 i = 0; i < count && m->choice_work <= MOST_WORK; i++)
	{
		uint32		key_end = ev_entry_end(container->children[i], key_start);
		uint32		value_end = ev_entry_end(values[i], value_start);
		BranchSearch search = {.m = m};
		Vote		vote;

		search.name = (EvString) {base + key_start, key_end - key_start};
		search.value = ev_entry_value(values[i], base, value_start, value_end);
		key_start = key_end;
		value_start = value_end;
		if (search.value.type == EV_OBJECT || search.value.type == EV_ARRAY)
			continue;
		vote = vote_of(&search, branches);
		if (is_better(&vote, &best))
		{
			best = vote;
			found = search;
		}
	}
	if (m->choice_work > MOST_WORK)
		return EV_ANY_BRANCH;
	if (best.branch == EV_NO_BRANCH)
	{
		memset(tag, 0, sizeof(*tag));
		tag->name = found.name;
		tag->value = found.value;
		found.collected = tag;
		(void) vote_of(&found, branches);
	}
	return best.branch;
}

int
ev_choose_branch(EvMatch *m, const EvBranches *branches, EvInstance in, EvTag *tag)
{
	int			only = EV_NO_BRANCH;

	for (uint32 i = 0; i < branches->count; i++)
	{
		if ((branches->types[i] & EV_BIT(in.type)) == 0)
			continue;
		if (only != EV_NO_BRANCH)
			return in.type == EV_OBJECT ?
				choose_by_tag(m, branches, (const JsonbContainer *) in.data, tag) : EV_ANY_BRANCH;
		only = i;
	}
	return only >= 0 ? only : EV_ANY_BRANCH;
}
