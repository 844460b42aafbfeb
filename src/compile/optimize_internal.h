/*
 * optimize_internal.h
 *	  What the parts of the optimizer share: optimize.c is the pass,
 *	  block_check.c makes checks of blocks, merge_allof.c merges what several
 *	  schemas say about an object or an array.
 */
#ifndef EV_OPTIMIZE_INTERNAL_H
#define EV_OPTIMIZE_INTERNAL_H

#include "compile/optimize.h"

/* What a block comes to that is put together from others. */
typedef struct EvMerge
{
	const EvObject **objects;	/* what it says of objects, in any case */
	uint32		object_count;
	const EvObject **sources;	/* what its branches say of them */
	uint32		source_count;
	const EvArray **arrays;		/* what it says of arrays, in any case */
	uint32		array_count;
	uint32		unevaluated_properties; /* blocks */
	uint32		unevaluated_items;
	bool		evaluates_all;	/* of an object's properties */
	uint32		types;			/* that may be valid */
	bool		is_whole;		/* a check says it all, ... */
	uint8		subject;		/* ... about values of this type */
	EvObject   *object;			/* what becomes of the objects; NULL: nothing */
	EvArray    *array;			/* and of the arrays */
	EvTracked  *tracked;		/* what TRACK runs; NULL: no such block */
} EvMerge;

typedef struct EvOptimizer
{
	EvProgram  *program;
	EvMerge   **merges;			/* by the first instruction of the block */
	uint32		names_left;		/* so many more may be made */
	int64		strings_left;	/* so many constant strings may be looked at,
								 * to tell branches apart */
	uint8	   *types;			/* that blocks may find valid, by the hops
								 * that were left and the instruction; NULL:
								 * none is known */
} EvOptimizer;

/* References are followed this far. */
#define EV_MAX_HOPS	8

/*
 * The check of a block, references followed for so many hops; where its single
 * check is a short string, as STRINGS.
 */
extern EvCheck ev_derive_check(const EvOptimizer *o, uint32 block, int hops);

/* The check of a block, or of EV_BLOCK_NONE and EV_BLOCK_TRUE. */
extern EvCheck ev_make_check(const EvOptimizer *o, uint32 block);

/* What is to be done for each object when its checks are there. */
extern void ev_finish_object(EvObject *object);

/*
 * Writes REMEMBER instructions where blocks would be run again and again for
 * one value.  What tells branches apart is known by then.  The program may grow.
 */
extern void ev_find_repeats(EvProgram *program);

/* Finds what can be merged; no check is made yet.  The program may grow. */
extern void ev_find_merges(EvOptimizer *o);

/* Fills in the objects and arrays that were found. */
extern void ev_fill_merges(EvOptimizer *o);

/*
 * The check of a property, given what an object's other keywords say about its
 * name.  False where that is not known in advance.
 */
extern bool ev_resolve_property(const EvOptimizer *o, const EvObject *object, EvString name, EvCheck *check);

#endif							/* EV_OPTIMIZE_INTERNAL_H */
