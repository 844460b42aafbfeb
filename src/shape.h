/*
 * shape.h
 *	  Patterns that say no more than which ASCII characters may stand where:
 *	  "^[A-Z.]{1,8}$", "^[0-9a-f]{8}-[0-9a-f]{4}$".
 *
 * They are checked sixteen bytes at a time.
 */
#ifndef EV_SHAPE_H
#define EV_SHAPE_H

#define EV_SHAPE_LANES		16
#define EV_SHAPE_CHUNKS		4

/* Sixteen bytes to be within one of two ranges each. */
typedef struct EvShapeChunk
{
	uint8		first[2][EV_SHAPE_LANES];
	uint8		span[2][EV_SHAPE_LANES];	/* last - first */
} EvShapeChunk;

typedef struct EvPatternShape
{
	uint32		minimum;		/* bytes */
	uint32		maximum;
	uint32		chunk_count;	/* of a fixed length; else all bytes are as
								 * the first chunk says */
	EvShapeChunk chunks[EV_SHAPE_CHUNKS];
} EvPatternShape;

/*
 * The shape of a pattern (UTF-8, one that compiles), in CurrentMemoryContext;
 * NULL where it says more than a shape can.
 */
extern EvPatternShape *ev_pattern_shape(const char *pattern, int length);

/* Has the string the shape?  Allocates nothing. */
extern bool ev_shape_matches(const EvPatternShape *shape, const char *string, uint32 length);

#endif							/* EV_SHAPE_H */
