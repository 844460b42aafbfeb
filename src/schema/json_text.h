/*
 * json_text.h
 *	  Finds positions in JSON text, for messages, and duplicate keys.
 *
 * The functions need valid JSON text, as pg_parse_json accepts it, in the server
 * encoding and terminated by a zero byte.  A position is a pointer into the text.
 */
#ifndef EV_JSON_TEXT_H
#define EV_JSON_TEXT_H

#include "nodes/pg_list.h"

/* Two equal keys of an object. */
typedef struct EvRepeatedKey
{
	char	   *location;		/* JSON Pointer of its value */
	char	   *key;
	const char *first;			/* the positions of the two keys */
	const char *second;
} EvRepeatedKey;

/*
 * Returns the start of the value at a JSON Pointer, or NULL if there is none.  Of
 * duplicate keys, the last one is used, as in jsonb.
 */
extern const char *ev_json_find(const char *json, const char *pointer);

/*
 * Returns the duplicate keys of all objects in the text: a List of EvRepeatedKey,
 * in the order of the text, in CurrentMemoryContext.
 */
extern List *ev_json_repeated_keys(const char *json);

/*
 * Returns the first number in the text that numeric cannot store, or NULL if there
 * is none.
 */
extern const char *ev_json_unfit_number(const char *json);

/* Returns the first character from p on that is not white space of JSON. */
static inline const char *
ev_skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* A position in a text, with its line and column; both start at 1. */
typedef struct EvTextPosition
{
	const char *at;
	int			line;
	int			column;			/* in characters */
} EvTextPosition;

/*
 * Sets the lines and columns of some positions, which are in the order of the text.
 * Takes time linear in the length of the text.
 */
extern void ev_text_positions(const char *text, EvTextPosition *positions, int count);

#endif							/* EV_JSON_TEXT_H */
