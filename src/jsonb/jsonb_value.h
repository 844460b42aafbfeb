/*
 * jsonb_value.h
 *	  JSON values inside a jsonb: reading, equality, hashing, showing.
 */
#ifndef EV_JSONB_VALUE_H
#define EV_JSONB_VALUE_H

#include "utils/jsonb.h"

/*
 * Types of instances, numbered as JEntry numbers them, but that arrays are
 * told from objects, so that a type is a shift away.
 */
typedef enum EvType
{
	EV_STRING,
	EV_NUMBER,
	EV_FALSE,
	EV_TRUE,
	EV_NULL,
	EV_OBJECT,
	EV_ARRAY
} EvType;

#define EV_TYPE_COUNT	7
#define EV_BIT(type)	(1 << (type))
#define EV_BOOLEAN_BITS	(EV_BIT(EV_FALSE) | EV_BIT(EV_TRUE))
#define EV_ALL_TYPES	((1 << EV_TYPE_COUNT) - 1)

/* A string in the server encoding, not terminated. */
typedef struct EvString
{
	const char *data;
	uint32		length;			/* bytes */
} EvString;

/*
 * A JSON value inside a jsonb: data is a string's bytes, a Numeric, or a
 * JsonbContainer; length counts only for strings.
 */
typedef struct EvInstance
{
	EvType		type;
	uint32		length;
	const char *data;
} EvInstance;

/*
 * The end of entry i, given the end of entry i - 1 (0 before the first).  An
 * entry holds its length, but each 32nd its end.
 */
static inline uint32
ev_entry_end(JEntry entry, uint32 previous_end)
{
	return JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) : previous_end + JBE_OFFLENFLD(entry);
}

/*
 * The value of an entry.  base is where the container's data begin; start
 * and end are offsets from there.
 */
static inline EvInstance
ev_entry_value(JEntry entry, const char *base, uint32 start, uint32 end)
{
	EvInstance	value;

	value.type = (EvType) ((entry & JENTRY_TYPEMASK) >> 28);
	value.length = end - start;
	value.data = base + start;
	if (value.type == EV_NUMBER)
		value.data = base + INTALIGN(start);
	else if (value.type == EV_OBJECT)
	{
		/* 5 stands for both kinds of container; its header tells */
		value.data = base + INTALIGN(start);
		if (JsonContainerIsArray((const JsonbContainer *) value.data))
			value.type = EV_ARRAY;
	}
	return value;
}

/* The value that a jsonb is. */
extern EvInstance ev_root_value(const Jsonb *jsonb);

/* The type of a value that PostgreSQL's functions read from a jsonb. */
extern EvType ev_value_type(const JsonbValue *value);

/* Are two values equal (2020-12 core, 4.2.2)?  1.0 equals 1. */
extern bool ev_values_equal(const EvInstance *a, const EvInstance *b);

/* Some order of values; 0 where they are equal. */
extern int	ev_values_compare(const EvInstance *a, const EvInstance *b);

/* Equal values have equal hashes. */
extern uint32 ev_value_hash(const EvInstance *value);

/* "null", "boolean", "number", ... */
extern const char *ev_type_name(EvType type);

/*
 * A value as messages show it, in CurrentMemoryContext: as JSON, cut; large
 * containers by what they are.
 */
extern char *ev_value_show(const EvInstance *value);

#endif							/* EV_JSONB_VALUE_H */
