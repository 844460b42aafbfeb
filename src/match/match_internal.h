/*
 * match_internal.h
 *	  What the two engines share.
 *
 * The fast matcher (fast_entry.c, fast_match.c) answers only true or false.
 * It runs the checks that the optimizer made of the program: objects, arrays
 * and single checks.  A block that is no single check is an EV_CHECK_BLOCK,
 * which the interpreter runs without collecting anything (ev_run_block).
 *
 * The interpreter (interpret.c) runs the instructions.  In EV_COLLECT mode it
 * explains: it collects every violation, or the units of an output format.
 *
 * Calls that need only true or false, such as validate_event, and guards run
 * the fast matcher (ev_match).  The interpreter runs with a collector
 * (ev_match_collect) for documents that the fast matcher rejected and whose
 * violations are wanted, and for calls that list violations or write reports.  The suites golden, differential and fuzz compare the
 * answers of both engines.
 */
#ifndef EV_MATCH_INTERNAL_H
#define EV_MATCH_INTERNAL_H

#include "match/interpret.h"
#include "match/key_cache.h"

/* The dynamic scope: the resources that the run is in. */
typedef struct EvDynamicScope
{
	const struct EvDynamicScope *outer;
	uint32		resource;		/* each is in it once */
	uint32		state;			/* see ev_scope_state; only in programs that
								 * remember */
} EvDynamicScope;

struct EvMemory;

/* One run of a program. */
typedef struct EvMatch
{
	const EvProgram *program;
	const EvDynamicScope *scope;
	bool		is_utf8;		/* the server encoding is */
	uint32		depth;			/* of containers */
	struct EvMemory *memory;	/* only of programs that remember */
	EvCollector *collector;		/* COLLECT only, and what follows */
	EvCollector *top;			/* the caller's */
	int			explaining;		/* branches within branches being explained */
	int64		ranked;			/* branches that were run to rank them */
	int64		choice_work;	/* see branch_choice.h */
	MemoryContext context;		/* for messages; reset after each of top's */
} EvMatch;

/* The rest of it is for runs that remember or collect. */
static inline void
ev_begin_run(EvMatch *m, const EvProgram *program)
{
	m->program = program;
	m->scope = NULL;
	m->is_utf8 = program->is_utf8;
	m->depth = 0;
}

/* Does the block at `at`, an instruction, match?  Interpreted, without marks. */
extern bool ev_run_block(EvMatch *m, uint32 at, EvInstance in);

/* The same for a check, and for what checks are made of. */
extern bool ev_match_check(EvMatch *m, const EvCheck *check, EvInstance in);
extern bool ev_match_plain_object(EvMatch *m, const EvObject *object, const JsonbContainer *container);
extern bool ev_match_plain_array(EvMatch *m, const EvArray *array, const JsonbContainer *container);

/* Properties that are unevaluated unless one of some branches matches. */
typedef struct EvPendingProperty
{
	uint64		sources;
	EvInstance	value;
} EvPendingProperty;

/* So many there is room for without allocating any. */
#define EV_FEW_PENDING	32

typedef struct EvPendingProperties
{
	uint32		count;
	uint32		room;
	EvPendingProperty *pending;
	EvPendingProperty few[EV_FEW_PENDING];
} EvPendingProperties;

/*
 * As both, for an object whose keys are none of those that are remembered;
 * pending are NULL where there are none.
 */
extern bool ev_match_new_object(EvMatch *m, const EvObject *object, const JsonbContainer *container,
								EvPendingProperties *pending);

/*
 * The values of a root object that has the keys of the set, but for the first
 * `done`; the next begins at `start`.
 */
extern Datum ev_match_rest(const EvProgram *program, const JsonbContainer *root, const EvKeySet *set, uint32 done,
						   uint32 start);

/* As ev_match_plain_object, for an object with such properties, which are noted. */
extern bool ev_match_object_with_pending(EvMatch *m, const EvObject *object, const JsonbContainer *container,
										 EvPendingProperties *pending);

/*
 * Containers are nested at most so deep between two looks at the stack; the
 * frames in between are far less than the server's reserve.
 */
#define EV_DEPTH_STEP	8

static inline bool
ev_is_in_scope(const EvDynamicScope *scope, uint32 resource)
{
	for (; scope != NULL; scope = scope->outer)
		if (scope->resource == resource)
			return true;
	return false;
}

/* The block for a $dynamicRef: the outermost resource in scope that has one. */
static inline uint32
ev_dynamic_target(const EvMatch *m, const EvDynamic *dynamic)
{
	uint32		found = dynamic->initial;

	for (const EvDynamicScope *scope = m->scope; scope != NULL; scope = scope->outer)
	{
		uint32		target = ev_anchor_target(dynamic->anchor, scope->resource);

		if (target != EV_BLOCK_NONE)
			found = target;
	}
	return found;
}

#endif							/* EV_MATCH_INTERNAL_H */
