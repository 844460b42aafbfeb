/*
 * bundle_key.c
 *	  The keys of a bundle: which schema does each name?
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "registration/bundle_key.h"
#include "registration/schema_function.h"
#include "registry/names.h"
#include "schema/uri.h"

bool
ev_bundle_key_is_hash(const char *key)
{
	return strncmp(key, "uri:", 4) == 0 && strlen(key) == 36 && strspn(key + 4, "0123456789abcdef") == 32;
}

/* TYPE@VERSION, or the URI event:TYPE@VERSION.  Returns the URI, or NULL for another key. */
static char *
read_event_key(const char *key, EvRegistered *registered)
{
	const char *name = key;

	if (strncmp(name, "event:", strlen("event:")) == 0)
	{
		name = ev_uri_decode(name + strlen("event:"));
		if (name == NULL || !ev_parse_event_name(name, &registered->type_length, &registered->version))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is not the URI of an event schema", key),
					 errhint("It is event:TYPE@VERSION, such as \"event:order.placed@1\".")));
	}
	else if (!ev_parse_event_name(name, &registered->type_length, &registered->version))
		return NULL;
	else if (strstr(name, "://") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" can be an event schema or a URI", key),
				 errhint("Write \"%s\" for the event schema, or \"%s#\" for the URI.",
						 ev_event_uri(name), key)));
	registered->name = pstrdup(name);
	return ev_event_uri(name);
}

char *
ev_bundle_key_read(const char *key, EvRegistered *registered)
{
	char	   *uri = read_event_key(key, registered);
	NameData	name;

	if (uri != NULL)
		return uri;
	if (ev_bundle_key_is_hash(key))
	{
		registered->name = pstrdup(key);
		return pstrdup("");
	}
	if (strstr(key, ":") == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is neither TYPE@VERSION nor an absolute URI", key),
				 errhint("A key is the type and version of an event schema, such as \"order.placed@1\", or the URI of a document.")));
	uri = pstrdup(key);
	ev_require_document_uri(uri, &name);
	registered->name = pstrdup(NameStr(name));
	return uri;
}

void
ev_bundle_key_check_type(const char *key, const EvRegistered *registered, const char *event_type)
{
	if (event_type == NULL)
		return;
	if (registered->type_length < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("document \"%s\" cannot have a line \"#event_type\"", key)));
	if (strlen(event_type) != (size_t) registered->type_length ||
		memcmp(event_type, registered->name, registered->type_length) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("schema \"%s\" has the line \"#event_type %s\"", registered->name, event_type)));
}
