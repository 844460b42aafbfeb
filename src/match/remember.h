/*
 * remember.h
 *	  Answers that are remembered within a run: whether a block matched a
 *	  value.
 *
 * Only blocks that can run again and again for one value have a REMEMBER
 * instruction (see repeat.c).  Answers live until the end of the run.
 */
#ifndef EV_REMEMBER_H
#define EV_REMEMBER_H

#include "match/marks.h"
#include "match/match_internal.h"

/* The kinds of answers: what is remembered besides yes or no. */
typedef enum EvAnswerKind
{
	EV_ANSWER_NONE,				/* a free slot */
	EV_ANSWER_PLAIN,			/* nothing */
	EV_ANSWER_SOURCES,			/* the sources that matched */
	EV_ANSWER_MARKS,			/* the children that were evaluated */
	EV_ANSWER_COUNT,			/* the number of violations */
	EV_ANSWER_COUNT_MARKS		/* both of these */
} EvAnswerKind;

/* The key of an answer.  Type, length and data identify a value. */
typedef struct EvQuestion
{
	const char *data;
	uint32		length;
	uint32		block;			/* index of its REMEMBER */
	uint32		scope;			/* see ev_scope_state */
	uint8		type;			/* EvType */
	uint8		kind;			/* EvAnswerKind */
} EvQuestion;

typedef struct EvAnswer
{
	EvQuestion	question;
	bool		valid;
	int64		count;			/* of violations */
	uint64		sources;
	uint64	   *marks;			/* NULL: none are set */
	uint32		words;			/* length of marks */
} EvAnswer;

/* This number needs no allocation. */
#define EV_FEW_ANSWERS	16

typedef struct EvMemory
{
	const EvProgram *program;
	MemoryContext caller;		/* the current one at the begin of the run */
	MemoryContext context;		/* NULL: nothing is allocated yet */
	EvAnswer   *answers;
	uint32		mask;			/* a power of 2, minus 1 */
	uint32		replaced;
	Size		marks_size;		/* bytes of all marks */
	int			again;			/* number of blocks being run although their
								 * answers are known */
	int64		listed_again;	/* number of violations that these blocks
								 * listed */
	struct HTAB *scopes;		/* NULL: there are none yet */
	uint32		scope_count;
	EvAnswer	few[EV_FEW_ANSWERS];
} EvMemory;

/*
 * Begins a run of a program that remembers.  Its memory is allocated below
 * CurrentMemoryContext.
 */
extern void ev_remember_begin(EvMemory *memory, const EvProgram *program);

/* Frees all of its memory. */
extern void ev_remember_end(EvMemory *memory);

/* Returns the answer to a question; NULL if it is not known, or no longer. */
extern const EvAnswer *ev_remembered(EvMemory *memory, const EvQuestion *question);

/* Makes a question about the block of the REMEMBER at `at`. */
extern EvQuestion ev_make_question(const EvMatch *m, uint32 at, EvInstance in, const EvMarks *marks, EvRunMode mode);

/*
 * Are the violations of a known answer only counted?  True if the collector
 * has enough violations, or if enough were listed again.
 */
extern bool ev_only_counts(const EvMatch *m);

/*
 * Applies the count, the marks and the sources of an answer; returns whether
 * it is valid.
 */
extern bool ev_recall(EvMatch *m, const EvAnswer *answer, EvMarks *marks, EvRunMode mode);

/* Remembers an answer, with a copy of its marks. */
extern void ev_remember(EvMemory *memory, const EvAnswer *answer);

/*
 * Returns a number that identifies the targets of $dynamicRef after a resource
 * is entered in a dynamic scope.  Raises statement_too_complex if there are
 * too many.
 */
extern uint32 ev_scope_state(EvMemory *memory, const EvDynamicScope *outer, uint32 resource);

#endif							/* EV_REMEMBER_H */
