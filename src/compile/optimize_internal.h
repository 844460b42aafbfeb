/*
 * optimize_internal.h
 *	  Shared parts of the optimizer: optimize.c is the pass, block_check.c
 *	  derives checks from blocks, merge_allof.c merges the keywords of
 *	  several schemas for an object or an array.
 */
#ifndef EV_OPTIMIZE_INTERNAL_H
#define EV_OPTIMIZE_INTERNAL_H

#include "compile/optimize.h"

/* The merge of a block with the blocks that it calls. */
typedef struct EvMerge
{
	const EvObject **objects;	/* keywords for objects that always apply */
	uint32		object_count;
	const EvObject **sources;	/* keywords for objects of branches */
	uint32		source_count;
	const EvArray **arrays;		/* keywords for arrays that always apply */
	uint32		array_count;
	uint32		unevaluated_properties; /* blocks */
	uint32		unevaluated_items;
	bool		evaluates_all;	/* of an object's properties */
	uint32		types;			/* that can be valid */
	bool		is_whole;		/* one check is enough, */
	uint8		subject;		/* for values of this type */
	EvObject   *object;			/* the merged objects; NULL: none */
	EvArray    *array;			/* the merged arrays; NULL: none */
	EvTracked  *tracked;		/* for TRACK; NULL: there is no TRACK */
} EvMerge;

typedef struct EvOptimizer
{
	EvProgram  *program;
	EvMerge   **merges;			/* by the block's first instruction */
	uint32		names_left;		/* number of names that may still be made */
	int64		strings_left;	/* number of constant strings that may still
								 * be examined to find discriminators */
	uint8	   *types;			/* valid types of blocks, by the remaining
								 * hops and the instruction; NULL: none is
								 * known */
} EvOptimizer;

/* References are followed up to this number. */
#define EV_MAX_HOPS	8

/*
 * Returns the check of a block; at most this number of references is followed.
 * A single short string gives a STRINGS check.
 */
extern EvCheck ev_derive_check(const EvOptimizer *o, uint32 block, int hops);

/* Returns the check of a block, of EV_BLOCK_NONE or of EV_BLOCK_TRUE. */
extern EvCheck ev_make_check(const EvOptimizer *o, uint32 block);

/* Completes an object after its checks are set. */
extern void ev_finish_object(EvObject *object);

/*
 * Writes REMEMBER instructions for blocks that would run again and again for
 * one value.  Discriminators must be known.  The program may grow.
 */
extern void ev_find_repeats(EvProgram *program);

/*
 * Finds blocks that can be merged; makes no checks yet.  The program may grow.
 */
extern void ev_find_merges(EvOptimizer *o);

/* Fills in the merged objects and arrays. */
extern void ev_fill_merges(EvOptimizer *o);

/*
 * Returns the check of a property in *check, including the object's other
 * keywords for its name.  Returns false if it is not known at compile time.
 */
extern bool ev_resolve_property(const EvOptimizer *o, const EvObject *object, EvString name, EvCheck *check);

#endif							/* EV_OPTIMIZE_INTERNAL_H */
