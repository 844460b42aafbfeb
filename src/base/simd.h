/*
 * simd.h
 *	  Operations on sixteen bytes at a time, by vectors if the compiler
 *	  supports them, otherwise (or with EV_NO_SIMD) byte by byte.
 *
 * Private to pattern_*.c.  Include postgres.h first.
 */
#ifndef EV_SIMD_H
#define EV_SIMD_H

#define EV_LANES			16

#if defined(__GNUC__) && !defined(EV_NO_SIMD)
#define EV_LANES_ARE_VECTORS
#endif

#ifdef EV_LANES_ARE_VECTORS
typedef uint8 EvLanes __attribute__((vector_size(EV_LANES)));

typedef uint64 EvLaneWords __attribute__((vector_size(EV_LANES)));
#else
typedef struct EvLanes
{
	uint8		bytes[EV_LANES];
} EvLanes;
#endif

/* Reads sixteen bytes: the caller knows that all of them are in the string. */
static inline EvLanes
ev_lanes_of_bytes(const void *bytes)
{
	EvLanes		data;

	memcpy(&data, bytes, sizeof(data));
	return data;
}

#ifdef EV_LANES_ARE_VECTORS
static inline EvLanes
ev_lanes_of_words(const uint64 words[2])
{
	return (EvLanes) (EvLaneWords) {words[0], words[1]};
}

static inline EvLanes
ev_lanes_of_byte(uint8 byte)
{
	return byte - (EvLanes) {0};
}

/*
 * Returns all ones in each lane where both have the same byte, zeros
 * elsewhere.
 */
static inline EvLanes
ev_lanes_equal(EvLanes a, EvLanes b)
{
	return (EvLanes) (a == b);
}

static inline EvLanes
ev_lanes_and(EvLanes a, EvLanes b)
{
	return a & b;
}

static inline bool
ev_all_lanes(EvLanes lanes)
{
	EvLaneWords words = (EvLaneWords) lanes;

	return (words[0] & words[1]) == PG_UINT64_MAX;
}

static inline bool
ev_any_lane(EvLanes lanes)
{
	EvLaneWords words = (EvLaneWords) lanes;

	return (words[0] | words[1]) != 0;
}
#else
static inline EvLanes
ev_lanes_of_words(const uint64 words[2])
{
	return ev_lanes_of_bytes(words);
}

static inline EvLanes
ev_lanes_of_byte(uint8 byte)
{
	EvLanes		data;

	memset(&data, byte, sizeof(data));
	return data;
}

static inline EvLanes
ev_lanes_equal(EvLanes a, EvLanes b)
{
	for (int i = 0; i < EV_LANES; i++)
		a.bytes[i] = a.bytes[i] == b.bytes[i] ? 0xFF : 0;
	return a;
}

static inline EvLanes
ev_lanes_and(EvLanes a, EvLanes b)
{
	for (int i = 0; i < EV_LANES; i++)
		a.bytes[i] &= b.bytes[i];
	return a;
}

static inline bool
ev_all_lanes(EvLanes lanes)
{
	for (int i = 0; i < EV_LANES; i++)
		if (lanes.bytes[i] == 0)
			return false;
	return true;
}

static inline bool
ev_any_lane(EvLanes lanes)
{
	for (int i = 0; i < EV_LANES; i++)
		if (lanes.bytes[i] != 0)
			return true;
	return false;
}
#endif

#endif							/* EV_SIMD_H */
