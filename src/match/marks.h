/*
 * marks.h
 *	  How a block is run, and which children of an instance were evaluated.
 */
#ifndef EV_MARKS_H
#define EV_MARKS_H

typedef enum EvRunMode
{
	EV_FAST,					/* yes or no */
	EV_MARKS,					/* yes or no, and the evaluated children */
	EV_COLLECT					/* all violations */
} EvRunMode;

/* The evaluated children of an instance: one bit for each. */
typedef struct EvMarks
{
	uint64	   *bits;
	uint32		words;
	bool		by_source;		/* the bits are numbers of EvObject.source;
								 * the properties of these objects count as
								 * evaluated */
} EvMarks;

static inline void
ev_mark(EvMarks *marks, uint32 child)
{
	marks->bits[child / 64] |= UINT64CONST(1) << (child % 64);
}

static inline bool
ev_is_marked(const EvMarks *marks, uint32 child)
{
	return (marks->bits[child / 64] & (UINT64CONST(1) << (child % 64))) != 0;
}

static inline void
ev_mark_all(EvMarks *marks, uint32 count)
{
	for (uint32 i = 0; i < count; i++)
		ev_mark(marks, i);
}

#endif							/* EV_MARKS_H */
