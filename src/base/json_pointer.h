/*
 * json_pointer.h
 *	  Tokens of JSON Pointers (RFC 6901, section 3).
 */
#ifndef EV_JSON_POINTER_H
#define EV_JSON_POINTER_H

#include "lib/stringinfo.h"

/* Appends a key as a token: "~" as "~0", "/" as "~1".  Adds no "/". */
extern void ev_pointer_append_key(StringInfo pointer, const char *key, int length);

/* Appends the key of a token, unescaped. */
extern void ev_pointer_append_unescaped(StringInfo key, const char *token, int length);

#endif							/* EV_JSON_POINTER_H */
