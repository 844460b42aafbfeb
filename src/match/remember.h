/*
 * remember.h
 *	  The answers that a run remembers: whether a block matched a value.
 *
 * Only blocks that may be run again and again for one value have a REMEMBER
 * instruction (see repeat.c); a program without any has no answers to
 * remember.  Answers live as long as the run.
 */
#ifndef EV_REMEMBER_H
#define EV_REMEMBER_H

#include "match/marks.h"
#include "match/match_internal.h"

/* What was asked: what it left behind is remembered, too. */
typedef enum EvAnswerKind
{
	EV_ANSWER_NONE,				/* an empty slot */
	EV_ANSWER_PLAIN,			/* yes or no */
	EV_ANSWER_SOURCES,			/* with the sources that matched */
	EV_ANSWER_MARKS,			/* with the children that were evaluated */
	EV_ANSWER_COUNT,			/* with the number of violations */
	EV_ANSWER_COUNT_MARKS		/* with both */
} EvAnswerKind;

/* What of an answer says what it is about: type, length and data tell a value. */
typedef struct EvQuestion
{
	const char *data;
	uint32		length;
	uint32		block;			/* where its REMEMBER is */
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
	uint32		words;			/* of the marks */
} EvAnswer;

/* So many answers there is room for without allocating any. */
#define EV_FEW_ANSWERS	16

typedef struct EvMemory
{
	const EvProgram *program;
	MemoryContext caller;		/* in which the run was begun */
	MemoryContext context;		/* NULL: nothing is allocated yet */
	EvAnswer   *answers;
	uint32		mask;			/* a power of 2 less 1 */
	uint32		replaced;
	Size		marks_size;		/* bytes of all marks */
	int			again;			/* blocks being run whose answers are known */
	int64		listed_again;	/* violations that they listed */
	struct HTAB *scopes;		/* NULL: there are none yet */
	uint32		scope_count;
	EvAnswer	few[EV_FEW_ANSWERS];
} EvMemory;

/* Begins a run of a program that remembers; what it allocates is below CurrentMemoryContext. */
extern void ev_remember_begin(EvMemory *memory, const EvProgram *program);

/* Frees all that was allocated. */
extern void ev_remember_end(EvMemory *memory);

/* The answer to a question; NULL: it is not known, or not any more. */
extern const EvAnswer *ev_remembered(EvMemory *memory, const EvQuestion *question);

/* A question about the block of the REMEMBER at `at`. */
extern EvQuestion ev_make_question(const EvMatch *m, uint32 at, EvInstance in, const EvMarks *marks, EvRunMode mode);

/* Are violations that were there before only counted? */
extern bool ev_only_counts(const EvMatch *m);

/* Takes over the count, the marks and the sources of an answer; returns whether it is valid. */
extern bool ev_recall(EvMatch *m, const EvAnswer *answer, EvMarks *marks, EvRunMode mode);

/* Remembers an answer, with a copy of its marks. */
extern void ev_remember(EvMemory *memory, const EvAnswer *answer);

/*
 * A number for what $dynamicRef finds when a resource is entered in a dynamic
 * scope.  Raises statement_too_complex where there are too many of them.
 */
extern uint32 ev_scope_state(EvMemory *memory, const EvDynamicScope *outer, uint32 resource);

#endif							/* EV_REMEMBER_H */
