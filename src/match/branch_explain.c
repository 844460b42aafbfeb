/*
 * branch_explain.c
 *	  Lists the violations of the branches of an anyOf or oneOf that do not match.
 *
 * They are listed from the one that the value fits best.  Each is run once for
 * its rank and, if it is listed, once for its messages.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/shown_text.h"
#include "match/branch_explain.h"
#include "match/match_checks.h"

/* The number of nested levels on which branches are explained. */
#define MOST_EXPLAINING	2

/* Violations of a branch are counted up to this number. */
#define MOST_MISFITS	20

/* Schemas that a branch refers to are followed so far. */
#define MOST_HOPS	6

/* So much of a branch is looked at for known properties. */
#define MOST_WORK	10000

/* The first violations of one branch of an anyOf or oneOf. */
typedef struct BranchCollector
{
	EvCollector collector;
	StringInfoData text;
	int			skip;			/* of the instance location: the part that the
								 * whole anyOf has */
	int			misfits;		/* wrong properties, types and constants of
								 * the value itself, and of its children */
} BranchCollector;

static void
add_to_branch(EvCollector *collector, const EvViolation *violation)
{
	BranchCollector *branch = (BranchCollector *) collector;

	if (branch->text.len > 0)
		appendStringInfoString(&branch->text, ", ");
	if (strlen(violation->instance_location) > (size_t) branch->skip)
		appendStringInfo(&branch->text, "%s ", ev_location_show(violation->instance_location + branch->skip));
	appendStringInfoString(&branch->text, violation->message);
}

static void
count_misfit(EvCollector *collector, const EvViolation *violation)
{
	static const char *const keywords[] = {
		"type", "const", "enum", "required", "dependentRequired", "additionalProperties", "unevaluatedProperties",
		"anyOf", "oneOf",
	};
	BranchCollector *branch = (BranchCollector *) collector;
	const char *below = violation->instance_location + branch->skip;

	/* deeper than the value's own children */
	if (below[0] != '\0' && strchr(below + 1, '/') != NULL)
		return;
	for (int i = 0; i < (int) lengthof(keywords); i++)
		branch->misfits += strcmp(violation->keyword, keywords[i]) == 0;
}

/* A branch that does not match, and the numbers by which such branches are ordered. */
typedef struct RankedBranch
{
	uint32		branch;
	bool		is_run;			/* for its type, and within the limit */
	int			misfits;
	uint32		known;			/* properties of the value that it knows */
	int64		count;			/* of its violations */
} RankedBranch;

/*
 * The number of branches that one run of a program ranks; further ones stay in the
 * order of the schema.  A branch counts once more for each MANY_VIOLATIONS that it
 * has, since all of them had to be found.
 */
#define MOST_RANKED		1000
#define MANY_VIOLATIONS	16

/* The number of violations that are shown of the first branch; of others, it is one. */
#define FIRST_VIOLATIONS	3

static int
compare_ranked(const void *a, const void *b)
{
	const RankedBranch *x = a;
	const RankedBranch *y = b;

	if (x->is_run != y->is_run)
		return x->is_run ? -1 : 1;
	if (x->misfits != y->misfits)
		return x->misfits < y->misfits ? -1 : 1;
	if (x->known != y->known)
		return x->known > y->known ? -1 : 1;
	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	return x->branch < y->branch ? -1 : 1;
}

/*
 * Returns how many properties of an object a schema describes; repeated ones count
 * again.  It looks at *work instructions and properties, and counts them down.
 */
static uint32
known_properties(const EvProgram *program, uint32 block, const JsonbContainer *container, int hops, int *work)
{
	uint32		count = 0;

	check_stack_depth();
	if (block >= EV_BLOCK_TRUE || hops == 0)
		return 0;
	for (const EvInstruction *instruction = &program->code[block]; instruction->opcode != EVOP_RETURN && (*work)-- > 0; instruction++)
	{
		const EvObject *object = instruction->u.object;

		switch ((EvOpcode) instruction->opcode)
		{
			case EVOP_CALL:
			case EVOP_CALL_REF:
			case EVOP_REMEMBER:
				count += known_properties(program, instruction->target, container, hops - 1, work);
				break;
			case EVOP_OBJECT:
				for (uint32 i = 0; i < object->property_count && (*work)-- > 0; i++)
					count += object->properties[i].block != EV_BLOCK_NONE && ev_has_key(container, object->properties[i].name);
				break;
			default:
				break;
		}
	}
	return count;
}

/*
 * The branches in the order in which they are shown: first the one that the value
 * fits best.  Branches in branches are not explained meanwhile.
 */
static RankedBranch *
rank_branches(EvMatch *m, const EvBranches *branches, EvInstance in, const EvStep *step, int skip, EvRunBranch run)
{
	RankedBranch *ranked = palloc0(branches->count * sizeof(RankedBranch));
	int			explaining = m->explaining;

	m->explaining = MOST_EXPLAINING;
	for (uint32 i = 0; i < branches->count; i++)
	{
		BranchCollector branch = {.collector = {.add = count_misfit, .limit = MOST_MISFITS, .wants_no_messages = true}, .skip = skip};
		int			work = MOST_WORK;

		CHECK_FOR_INTERRUPTS();
		ranked[i].branch = i;
		if ((branches->types[i] & EV_BIT(in.type)) == 0 || m->ranked >= MOST_RANKED)
			continue;
		run(m, &branch.collector, branches->blocks[i], in, step);
		ranked[i].is_run = true;
		ranked[i].misfits = branch.misfits;
		if (in.type == EV_OBJECT)
			ranked[i].known = known_properties(m->program, branches->blocks[i], (const JsonbContainer *) in.data, MOST_HOPS, &work);
		ranked[i].count = branch.collector.count;
		m->ranked += 1 + branch.collector.count / MANY_VIOLATIONS;
	}
	m->explaining = explaining;
	qsort(ranked, branches->count, sizeof(RankedBranch), compare_ranked);
	return ranked;
}

const char *
ev_explain_branches(EvMatch *m, const EvBranches *branches, EvInstance in, const EvStep *step, EvRunBranch run)
{
	RankedBranch *ranked;
	StringInfoData text;
	StringInfoData location;

	if (m->collector->enter != NULL || m->explaining == MOST_EXPLAINING)
		return "";
	initStringInfo(&text);
	appendStringInfoString(&text, " (");
	initStringInfo(&location);
	ev_append_instance_location(&location, step);
	ranked = rank_branches(m, branches, in, step, location.len, run);
	m->explaining++;
	for (uint32 i = 0; i < branches->count; i++)
	{
		BranchCollector branch = {.collector = {.add = add_to_branch, .limit = i == 0 ? FIRST_VIOLATIONS : 1}};

		if (i == 4 || text.len > 500)
		{
			appendStringInfo(&text, "; and %u more", branches->count - i);
			break;
		}
		initStringInfo(&branch.text);
		branch.skip = location.len;
		run(m, &branch.collector, branches->blocks[ranked[i].branch], in, step);
		appendStringInfo(&text, "%s%u: %s", i > 0 ? "; " : "", ranked[i].branch, branch.text.data);
		if (branch.collector.count > branch.collector.limit)
			appendStringInfo(&text, " and " INT64_FORMAT " more", branch.collector.count - branch.collector.limit);
	}
	appendStringInfoChar(&text, ')');
	m->explaining--;
	return text.data;
}
