/*
 * names.h
 *	  The names of functions in the schema event_schema.
 *
 * 	  TYPE@VERSION			a schema version
 * 	  TYPE@FROM>TO			an upcast
 * 	  TYPE@compatibility	the policy of a type
 * 	  URI					a document for $ref
 *
 * Names are in the server encoding.  TYPE is not empty and has no invisible
 * characters (unseen_characters.h).  VERSION is canonical: 0, or digits
 * without a leading zero, within int4.  A name has at most EV_NAME_MAX bytes,
 * one less than the server's limit, so that no name is the truncation of
 * another.
 */
#ifndef EV_NAMES_H
#define EV_NAMES_H

#define EV_SCHEMA_NAMESPACE		"event_schema"
#define EV_LANGUAGE				"jsonschema"
#define EV_NAME_MAX				(NAMEDATALEN - 2)

/* The kinds of names in the schema event_schema. */
typedef enum EvNameKind
{
	EV_NAME_EVENT,				/* TYPE@VERSION */
	EV_NAME_UPCAST,				/* TYPE@FROM>TO */
	EV_NAME_POLICY,				/* TYPE@compatibility */
	EV_NAME_URI,				/* URI */
	EV_NAME_BAD
} EvNameKind;

/*
 * Returns the kind of a name.  For an invalid name, sets *reason to a
 * sentence.
 */
extern EvNameKind ev_name_kind(const char *name, const char **reason);

/*
 * Does a type or a name have only visible characters?  Control characters,
 * invisible ones, ones that make it look like another name, and unassigned
 * code points are not allowed.
 */
extern bool ev_name_is_seen(const char *string, int length);

/*
 * Writes TYPE@VERSION.  Returns false, with nothing written, if no such schema
 * version can exist: the type is empty, has invisible characters or is too
 * long, or the version is negative.
 */
extern bool ev_event_name(const char *type, int type_length, int32 version,
						  NameData *name);

/*
 * Writes TYPE@VERSION for a type and a version from SQL.  Raises
 * invalid_parameter_value, with the reason, if no such version can exist.
 */
extern void ev_require_event_name(const text *type, int32 version, NameData *name);

/*
 * Splits TYPE@VERSION at its last '@'.  Returns false if the name is not a
 * canonical TYPE@VERSION.
 */
extern bool ev_parse_event_name(const char *name, int *type_length, int32 *version);

/*
 * Writes the name of a type's policy, TYPE@compatibility.  Returns false, with
 * nothing written, if it would be too long.
 */
extern bool ev_policy_name(const char *type, int length, NameData *name);

/*
 * The same for TYPE@FROM>TO.
 */
extern bool ev_upcast_name(const char *type, int type_length, int32 from, int32 to,
						   NameData *name);
extern bool ev_parse_upcast_name(const char *name, int *type_length, int32 *from, int32 *to);

/*
 * Writes the function's name for a document that is registered under a URI:
 * the URI itself or, if it is too long or contains '@' and so could be another
 * kind of name, "uri:" and the first 32 hexadecimal digits of its SHA-256.
 */
extern void ev_uri_name(const char *uri, NameData *name);

/*
 * Returns the URI of an event schema by its function's name, in
 * CurrentMemoryContext: "event:" and the name, percent-encoded where
 * necessary.
 */
extern char *ev_event_uri(const char *name);

#endif							/* EV_NAMES_H */
