/*
 * json_text.h
 *	  Places in JSON text, for messages, and keys that occur twice.
 *
 * The text is JSON already (pg_parse_json has accepted it), in the server
 * encoding, terminated by a zero byte.
 */
#ifndef EV_JSON_TEXT_H
#define EV_JSON_TEXT_H

#include "nodes/pg_list.h"

/* A key of an object that has the same key before. */
typedef struct EvRepeatedKey
{
	char	   *location;		/* JSON Pointer of its value */
	char	   *key;
	const char *first;			/* the two keys in the text */
	const char *second;
} EvRepeatedKey;

/*
 * Where the value of a JSON Pointer begins; NULL where there is none.  Of keys
 * that occur twice, the last one counts, as in jsonb.
 */
extern const char *ev_json_find(const char *json, const char *pointer);

/*
 * The keys that occur twice in an object of the text: a List of EvRepeatedKey in
 * the order of the text, in CurrentMemoryContext.
 */
extern List *ev_json_repeated_keys(const char *json);

/*
 * The first number of the text that numeric cannot hold; NULL where there is
 * none.
 */
extern const char *ev_json_unfit_number(const char *json);

/*
 * The line and the column of a place in a text, both from 1.  Columns count
 * characters.
 */
extern void ev_text_position(const char *text, const char *place, int *line, int *column);

#endif							/* EV_JSON_TEXT_H */
