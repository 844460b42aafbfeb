/*
 * match_internal.h
 *	  Shared parts of the two engines.
 *
 * The fast matcher (fast_entry.c, fast_match.c) answers only true or false.
 * It runs the checks that the optimizer derived from the program: objects,
 * arrays and checks of single values.  A block that is more than one check is
 * an EV_CHECK_BLOCK, which the interpreter runs without a collector
 * (ev_run_block).
 *
 * The interpreter (interpret.c) runs the instructions.  In EV_COLLECT mode it
 * explains: it collects all violations, or the units of an output format.
 *
 * Calls that need only true or false, such as validate_event, and guards run
 * the fast matcher (ev_match).  The interpreter runs with a collector
 * (ev_match_collect) for rejected documents whose violations are needed, and
 * for calls that list violations or write reports.  The suites golden,
 * differential and fuzz compare the answers of both engines.
 */
#ifndef EV_MATCH_INTERNAL_H
#define EV_MATCH_INTERNAL_H

#include "match/interpret.h"
#include "match/key_cache.h"

/* The dynamic scope: the resources that were entered. */
typedef struct EvDynamicScope
{
	const struct EvDynamicScope *outer;
	uint32		resource;		/* each occurs once */
	uint32		state;			/* see ev_scope_state; only for programs with
								 * REMEMBER */
} EvDynamicScope;

struct EvMemory;

/* One run of a program. */
typedef struct EvMatch
{
	const EvProgram *program;
	const EvDynamicScope *scope;
	bool		is_utf8;		/* of the server encoding */
	uint32		depth;			/* of containers */
	struct EvMemory *memory;	/* only for programs with REMEMBER */
	EvCollector *collector;		/* only in EV_COLLECT mode, as all below */
	EvCollector *top;			/* the caller's */
	int			explaining;		/* nesting depth of branches that are being
								 * explained */
	int64		ranked;			/* branches that were run to rank them */
	int64		choice_work;	/* see branch_choice.h */
	MemoryContext context;		/* for messages; reset after each violation
								 * passed to `top` */
} EvMatch;

/* The other members are only for runs that remember or collect. */
static inline void
ev_begin_run(EvMatch *m, const EvProgram *program)
{
	m->program = program;
	m->scope = NULL;
	m->is_utf8 = program->is_utf8;
	m->depth = 0;
}

/*
 * Does the block at instruction `at` match?  It is interpreted, without marks.
 */
extern bool ev_run_block(EvMatch *m, uint32 at, EvInstance in);

/* The same for a check, and for the parts of checks. */
extern bool ev_match_check(EvMatch *m, const EvCheck *check, EvInstance in);
extern bool ev_match_plain_object(EvMatch *m, const EvObject *object, const JsonbContainer *container);
extern bool ev_match_plain_array(EvMatch *m, const EvArray *array, const JsonbContainer *container);

/* Properties that are unevaluated unless one of some branches matches. */
typedef struct EvPendingProperty
{
	uint64		sources;
	EvInstance	value;
} EvPendingProperty;

/* This number needs no allocation. */
#define EV_FEW_PENDING	32

typedef struct EvPendingProperties
{
	uint32		count;
	uint32		room;
	EvPendingProperty *pending;
	EvPendingProperty few[EV_FEW_PENDING];
} EvPendingProperties;

/*
 * Matches an object, with or without pending properties (NULL), whose keys are
 * not in the key layout cache.
 */
extern bool ev_match_new_object(EvMatch *m, const EvObject *object, const JsonbContainer *container,
								EvPendingProperties *pending);

/*
 * Matches the values of a root object that has the keys of the set, without
 * the first `done`.  The next value begins at `start`.
 */
extern Datum ev_match_rest(const EvProgram *program, const JsonbContainer *root, const EvKeySet *set, uint32 done,
						   uint32 start);

/*
 * Like ev_match_plain_object, but also records the object's pending
 * properties.
 */
extern bool ev_match_object_with_pending(EvMatch *m, const EvObject *object, const JsonbContainer *container,
										 EvPendingProperties *pending);

/*
 * Stack depth is checked once for this number of nested containers.  Their
 * frames need far less than the server's reserve of stack.
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

/*
 * Returns the block for a $dynamicRef: the one of the outermost resource in
 * scope that has one.
 */
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
