/*
 * names.h
 *	  What the functions in the schema event_schema are called.
 *
 *	  TYPE@VERSION			a schema version
 *	  TYPE@FROM>TO			an upcast
 *	  TYPE@compatibility	the policy of a type
 *	  URI					a document for $ref
 *
 * Where that has more than EV_NAME_MAX bytes, TYPE is shortened:
 *
 *	  PREFIX@HASH~VERSION, PREFIX@HASH~FROM>TO, PREFIX@HASH~compatibility
 *
 * PREFIX is how the type begins: as many characters as have at most
 * EV_PREFIX_MAX bytes.  HASH is the SHA-256 of the type in UTF-8: its first 128 bits, in
 * base64url.  No other name has a '~' after its last '@'.  The whole type is in
 * the function's body (function_row.h).
 *
 * Names are in the server encoding.  TYPE is not empty, has at most EV_TYPE_MAX bytes and no characters
 * that are not seen (unseen_characters.h); VERSION is canonical (0, or digits without a leading zero,
 * within int4).  EV_NAME_MAX is one less than the
 * server truncates at, so that no name is another's truncation; a shortened
 * one can have one byte more, because its hash says what it is.
 *
 * The name of a schema version is TYPE@VERSION, whatever its function is called.
 */
#ifndef EV_NAMES_H
#define EV_NAMES_H

#define EV_SCHEMA_NAMESPACE		"event_schema"
#define EV_LANGUAGE				"jsonschema"
#define EV_NAME_MAX				(NAMEDATALEN - 2)
#define EV_TYPE_MAX				512
#define EV_PREFIX_MAX			18

/* A type of so many bytes is never shortened in the name of a schema version. */
#define EV_WHOLE_TYPE_MAX		(EV_NAME_MAX - 11)

/* What a name in the schema event_schema stands for: see above. */
typedef enum EvNameKind
{
	EV_NAME_EVENT,				/* TYPE@VERSION */
	EV_NAME_UPCAST,				/* TYPE@FROM>TO */
	EV_NAME_POLICY,				/* TYPE@compatibility */
	EV_NAME_URI,				/* URI */
	EV_NAME_BAD
} EvNameKind;

/* A function's name, taken apart. */
typedef struct EvNameParts
{
	EvNameKind	kind;
	bool		shortened;		/* the type is shortened */
	int			type_length;	/* of TYPE, or PREFIX@HASH */
	int32		version;		/* or FROM */
	int32		to;				/* of an upcast */
} EvNameParts;

/*
 * Takes the name of a function apart.  False where it is not that of a schema
 * version, an upcast or a policy; kind is EV_NAME_BAD then.
 */
extern bool ev_take_apart(const char *name, EvNameParts *parts);

/* Does the name of a function shorten its event type? */
extern bool ev_has_short_type(const char *function_name);

/*
 * The kind of a function's name; what is wrong with a bad one, as a sentence, in
 * *reason.
 */
extern EvNameKind ev_name_kind(const char *name, const char **reason);

/*
 * Has a type, or a name, no control characters, and none else that is not
 * seen, or that makes it be taken for another one?  What is not assigned yet is
 * counted among these.
 */
extern bool ev_name_is_seen(const char *string, int length);

/*
 * Writes the name of a schema version's function.  False, with nothing written,
 * where the type is empty,
 * has characters that are not seen or is too long, or the version is negative: no such
 * schema version can exist.  Allocates memory for a type that it shortens only.
 */
extern bool ev_event_name(const char *type, int type_length, int32 version,
						  NameData *name);

/* The same for the policy of a type, and for an upcast. */
extern bool ev_policy_name(const char *type, int length, NameData *name);
extern bool ev_upcast_name(const char *type, int type_length, int32 from, int32 to,
						   NameData *name);

/*
 * The beginning of all names in which a type is shortened, PREFIX@HASH~.  False
 * where the type is not one.
 */
extern bool ev_short_type(const char *type, int length, NameData *name);

/*
 * TYPE@VERSION for a type and a version from SQL, in CurrentMemoryContext.  Raises
 * invalid_parameter_value, and says why, where there can be none.
 */
extern char *ev_require_event_name(const text *type, int32 version);

/*
 * Takes TYPE@VERSION apart at its last '@'.  False where the name is no
 * canonical TYPE@VERSION.
 */
extern bool ev_parse_event_name(const char *name, int *type_length, int32 *version);

/*
 * The name of the function of a document: that of a schema version for
 * TYPE@VERSION, or else the same (a URI's, see ev_uri_name).  False where it is too long.
 */
extern bool ev_function_name(const char *name, NameData *function);

/*
 * The function's name for a document registered under a URI: the URI itself,
 * or, where it is too long or could be taken for another kind of name (it
 * contains '@'), "uri:" and the first 32 hexadecimal digits of its SHA-256.
 */
extern void ev_uri_name(const char *uri, NameData *name);

/*
 * Raises invalid_name where the name of a schema version's function, or of a policy's,
 * is not that of the event type that its body has in a line, or shortens one
 * that the body does not have (NULL).
 */
extern void ev_require_whole_type(const char *function_name, const char *type, const char *line);

/*
 * The URI of an event schema by its name, TYPE@VERSION, in CurrentMemoryContext:
 * "event:" and the name, percent-encoded where a URI could not hold it.
 */
extern char *ev_event_uri(const char *name);

#endif							/* EV_NAMES_H */
