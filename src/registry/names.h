/*
 * names.h
 *	  What the functions in the schema event_schema are called.
 *
 *	  TYPE@VERSION			a schema version
 *	  TYPE@FROM>TO			an upcast
 *	  TYPE@compatibility	the policy of a type
 *	  URI					a document for $ref
 *
 * Names are in the server encoding.  TYPE is not empty and has no characters
 * that are not seen (unseen_characters.h); VERSION is canonical (0, or digits without a leading zero,
 * within int4); a name has at most EV_NAME_MAX bytes, one less than the
 * server truncates at, so that no name is another's truncation.
 */
#ifndef EV_NAMES_H
#define EV_NAMES_H

#define EV_SCHEMA_NAMESPACE		"event_schema"
#define EV_LANGUAGE				"jsonschema"
#define EV_NAME_MAX				(NAMEDATALEN - 2)

/* What a name in the schema event_schema stands for: see above. */
typedef enum EvNameKind
{
	EV_NAME_EVENT,				/* TYPE@VERSION */
	EV_NAME_UPCAST,				/* TYPE@FROM>TO */
	EV_NAME_POLICY,				/* TYPE@compatibility */
	EV_NAME_URI,				/* URI */
	EV_NAME_BAD
} EvNameKind;

/* The kind of a name; what is wrong with a bad one, as a sentence, in *reason. */
extern EvNameKind ev_name_kind(const char *name, const char **reason);

/*
 * Writes TYPE@VERSION.  False, with nothing written, where the type is empty,
 * has characters that are not seen or is too long, or the version is negative: no such
 * schema version can exist.
 */
extern bool ev_event_name(const char *type, int type_length, int32 version,
						  NameData *name);

/*
 * TYPE@VERSION for a type and a version from SQL.  Raises
 * invalid_parameter_value, and says why, where there can be none.
 */
extern void ev_require_event_name(const text *type, int32 version, NameData *name);

/*
 * Takes TYPE@VERSION apart at its last '@'.  False where the name is no
 * canonical TYPE@VERSION.
 */
extern bool ev_parse_event_name(const char *name, int *type_length, int32 *version);

/*
 * The name of a type's policy, TYPE@compatibility.  False, with nothing written,
 * where it would be too long.
 */
extern bool ev_policy_name(const char *type, int length, NameData *name);

/*
 * The same for TYPE@FROM>TO.
 */
extern bool ev_upcast_name(const char *type, int type_length, int32 from, int32 to,
						   NameData *name);
extern bool ev_parse_upcast_name(const char *name, int *type_length, int32 *from, int32 *to);

/*
 * The function's name for a document registered under a URI: the URI itself,
 * or, where it is too long or could be taken for another kind of name (it
 * contains '@'), "uri:" and the first 32 hexadecimal digits of its SHA-256.
 */
extern void ev_uri_name(const char *uri, NameData *name);

/*
 * The URI of an event schema by its function's name, in CurrentMemoryContext:
 * "event:" and the name, percent-encoded where a URI could not hold it.
 */
extern char *ev_event_uri(const char *name);

#endif							/* EV_NAMES_H */
