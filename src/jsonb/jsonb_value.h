/*
 * jsonb_value.h
 *	  JSON values inside a jsonb: reading, equality, order, hashing, text
 *	  for messages.
 */
#ifndef EV_JSONB_VALUE_H
#define EV_JSONB_VALUE_H

#include "utils/jsonb.h"

/*
 * Types of instances.  Their numbers are those of JEntry, except that arrays
 * and objects are different, so that a type is found with a shift.
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
 * A JSON value inside a jsonb. data points to the bytes of a string, a
 * Numeric, or a JsonbContainer; length is set only for strings.
 */
typedef struct EvInstance
{
	EvType		type;
	uint32		length;
	const char *data;
} EvInstance;

/*
 * Returns the end of entry i, given the end of entry i - 1 (0 before the
 * first).  An entry stores its length, but each 32nd stores its end.
 */
static inline uint32
ev_entry_end(JEntry entry, uint32 previous_end)
{
	return JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) : previous_end + JBE_OFFLENFLD(entry);
}

/*
 * Returns the value of an entry. base is the start of the container's data;
 * start and end are offsets from it.
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
		/*
		 * 5 stands for both kinds of container; its header distinguishes them
		 */
		value.data = base + INTALIGN(start);
		if (JsonContainerIsArray((const JsonbContainer *) value.data))
			value.type = EV_ARRAY;
	}
	return value;
}

/* Returns the value of a whole jsonb. */
extern EvInstance ev_root_value(const Jsonb *jsonb);

/*
 * Returns the type of a value that PostgreSQL's functions read from a jsonb.
 */
extern EvType ev_value_type(const JsonbValue *value);

/*
 * Returns the text of a JsonbValue that is a string or a key, without copying
 * it.
 */
static inline EvString
ev_string_of(const JsonbValue *value)
{
	return (EvString) {value->val.string.val, value->val.string.len};
}

/* Compares two keys in jsonb's order: by length, then by bytes. */
static inline int
ev_key_order(const EvString *a, const EvString *b)
{
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->data, b->data, a->length);
}

/* Are two values equal (2020-12 core, 4.2.2)?  1.0 equals 1. */
extern bool ev_values_equal(const EvInstance *a, const EvInstance *b);

/* Compares two values in an arbitrary total order; 0 if they are equal. */
extern int	ev_values_compare(const EvInstance *a, const EvInstance *b);

/* Returns a hash; equal values have equal hashes. */
extern uint32 ev_value_hash(const EvInstance *value);

/* Returns "null", "boolean", "number", ... */
extern const char *ev_type_name(EvType type);

/*
 * Returns a value as text for messages, in CurrentMemoryContext: as JSON, cut;
 * large containers are described.
 */
extern char *ev_value_show(const EvInstance *value);

#endif							/* EV_JSONB_VALUE_H */
