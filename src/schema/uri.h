/*
 * uri.h
 *	  URI references: RFC 3986, section 5.2.
 */
#ifndef EV_URI_H
#define EV_URI_H

/*
 * Resolves a reference against a base (RFC 3986, 5.2.2) and splits off the
 * fragment.  The URI comes without it; *fragment is percent-decoded, and NULL
 * where there is none.  A base of "" leaves a relative reference as it is.
 * Both results are in CurrentMemoryContext.
 */
extern char *ev_uri_resolve(const char *base, const char *reference, char **fragment);

/* Does it begin with a scheme (RFC 3986, 3.1)? */
extern bool ev_uri_has_scheme(const char *uri);

/*
 * Percent-decodes, in CurrentMemoryContext; what is encoded is UTF-8, and is
 * given in the server encoding like the rest.  NULL where a "%" is not followed
 * by two hexadecimal digits, a NUL would come out, or there is no such text.
 */
extern char *ev_uri_decode(const char *string);

#endif							/* EV_URI_H */
