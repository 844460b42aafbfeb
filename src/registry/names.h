/*
 * names.h
 *	  The names of functions in the schema event_schema.
 *
 * 	  TYPE@VERSION			a schema version
 * 	  TYPE@FROM>TO			an upcast
 * 	  TYPE@compatibility	the policy of a type
 * 	  @compatibility		that of all types without one
 * 	  URI					a document for $ref
 *
 * If such a name would have more than EV_NAME_MAX bytes, the type is shortened:
 *
 * 	  PREFIX@HASH~VERSION
 * 	  PREFIX@HASH~FROM>TO
 * 	  PREFIX@HASH~compatibility
 *
 * PREFIX is the beginning of the type: as many characters as have at most
 * EV_PREFIX_MAX bytes.  HASH is the first 128 bits of the SHA-256 of the type
 * in UTF-8, in base64url.  No other name has '~' after its last '@'.  The
 * function's body has the whole type (function_row.h).
 *
 * Names are in the server encoding.  TYPE is not empty and has at most
 * EV_TYPE_MAX bytes and no invisible characters (unseen_characters.h).
 * VERSION is canonical: 0, or digits without a leading zero, within int4.
 * EV_NAME_MAX is one less than the server's limit, so that no name is the
 * truncation of another.  A shortened one can have one byte more, since its
 * hash is checked.
 *
 * In the rest of the code, the name of a schema version is TYPE@VERSION with
 * the whole type, whatever the name of its function is.
 */
#ifndef EV_NAMES_H
#define EV_NAMES_H

#define EV_SCHEMA_NAMESPACE		"event_schema"
#define EV_LANGUAGE				"jsonschema"
#define EV_NAME_MAX				(NAMEDATALEN - 2)
#define EV_TYPE_MAX				512
#define EV_PREFIX_MAX			18

/*
 * A type of up to this number of bytes is not shortened in the name of any
 * version.
 */
#define EV_WHOLE_TYPE_MAX		(EV_NAME_MAX - 11)

/* Compares two types in the order of their bytes, as strcmp does. */
static inline int
ev_type_order(const char *a, int a_length, const char *b, int b_length)
{
	int			order = memcmp(a, b, Min(a_length, b_length));

	return order != 0 ? order : a_length - b_length;
}

/* The kinds of names in the schema event_schema. */
typedef enum EvNameKind
{
	EV_NAME_EVENT,				/* TYPE@VERSION */
	EV_NAME_UPCAST,				/* TYPE@FROM>TO */
	EV_NAME_POLICY,				/* TYPE@compatibility */
	EV_NAME_URI,				/* URI */
	EV_NAME_BAD
} EvNameKind;

/* The parts of a function's name. */
typedef struct EvNameParts
{
	EvNameKind	kind;
	bool		shortened;		/* the type is shortened */
	int			type_length;	/* of TYPE, or of PREFIX@HASH */
	int32		version;		/* of an upcast, FROM */
	int32		to;				/* of an upcast */
} EvNameParts;

/*
 * Splits the name of a function into its parts.  Returns false, with kind
 * EV_NAME_BAD, if it is not the name of a schema version, an upcast or a
 * policy.
 */
extern bool ev_take_apart(const char *name, EvNameParts *parts);

/* Returns true if the name of a function shortens its event type. */
extern bool ev_has_short_type(const char *function_name);

/*
 * Returns the kind of a function's name.  For an invalid name, sets *reason to
 * a sentence.
 */
extern EvNameKind ev_name_kind(const char *name, const char **reason);

/*
 * Writes the name of a schema version's function.  Returns false, with nothing
 * written, if no such schema version can exist: the type is empty, has
 * invisible characters or is too long, or the version is negative.  Allocates
 * memory only if it shortens the type.
 */
extern bool ev_event_name(const char *type, int type_length, int32 version,
						  NameData *name);

/*
 * The same for a type's policy, and for an upcast.  An empty type stands for all
 * types without a policy.
 */
extern bool ev_policy_name(const char *type, int length, NameData *name);
extern bool ev_upcast_name(const char *type, int type_length, int32 from, int32 to,
						   NameData *name);

/*
 * Writes the beginning of all names that shorten a type, PREFIX@HASH~.
 * Returns false if the string cannot be a type.
 */
extern bool ev_short_type(const char *type, int length, NameData *name);

/*
 * Returns TYPE@VERSION for a type and a version from SQL, in
 * CurrentMemoryContext.  Raises invalid_parameter_value, with the reason, if
 * no such version can exist.
 */
extern char *ev_require_event_name(const text *type, int32 version);

/*
 * Splits TYPE@VERSION at its last '@'.  Returns false if the name is not a
 * canonical TYPE@VERSION.
 */
extern bool ev_parse_event_name(const char *name, int *type_length, int32 *version);

/*
 * Writes the name of the function of a document.  For TYPE@VERSION, this is
 * the name of the version's function; for other names (ev_uri_name), the same
 * name.  Returns false if it is too long.
 */
extern bool ev_function_name(const char *name, NameData *function);

/*
 * Writes the function's name for a document that is registered under a URI:
 * the URI itself or, if it is too long or contains '@' and so could be another
 * kind of name, "uri:" and the first 32 hexadecimal digits of its SHA-256.
 */
extern void ev_uri_name(const char *uri, NameData *name);

/*
 * Raises invalid_name if the name of a schema version's or a policy's function
 * is not the one for the event type that a line of its body has, or if it
 * shortens the type and there is no such line (`type` is NULL).  `line` is the
 * beginning of the line, for messages.
 */
extern void ev_require_whole_type(const char *function_name, const char *type, const char *line);

/*
 * Returns the name of the document that a reference to this URI looks for
 * first, in CurrentMemoryContext: TYPE@VERSION, or a URI's.
 */
extern char *ev_reference_name(const char *uri);

/*
 * Returns the URI of an event schema by its name, TYPE@VERSION, in
 * CurrentMemoryContext: "event:" and the name, percent-encoded where
 * necessary.
 */
extern char *ev_event_uri(const char *name);

/* Computes SHA-256 into 32 bytes. */
extern void ev_sha256(const char *data, int length, uint8 *digest);

#endif							/* EV_NAMES_H */
