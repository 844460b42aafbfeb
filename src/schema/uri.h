/*
 * uri.h
 *	  Resolves URI references: RFC 3986, section 5.2.
 */
#ifndef EV_URI_H
#define EV_URI_H

/*
 * Resolves a reference against a base (RFC 3986, 5.2.2).  Returns the URI
 * without its fragment; sets *fragment to the percent-decoded fragment, NULL
 * if there is none.  If the base is "", a relative reference stays unchanged.
 * Both results are in CurrentMemoryContext.
 */
extern char *ev_uri_resolve(const char *base, const char *reference, char **fragment);

/* Does it start with a scheme (RFC 3986, 3.1)? */
extern bool ev_uri_has_scheme(const char *uri);

/*
 * Percent-decodes a string, in CurrentMemoryContext.  The encoded bytes are
 * UTF-8; the result is in the server encoding.  Returns NULL if a "%" is not
 * followed by two hexadecimal digits, or if the result would contain NUL or
 * cannot be converted.
 */
extern char *ev_uri_decode(const char *string);

#endif							/* EV_URI_H */
