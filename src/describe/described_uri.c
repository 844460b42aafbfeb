/*
 * described_uri.c
 *	  The URI that names a schema to others.
 */
#include "postgres.h"

#include "describe/described_uri.h"
#include "schema/schema_graph.h"
#include "schema/uri.h"

char *
ev_described_uri(const EvDocument *document)
{
	static const char *const keywords[] = {"$id", "id"};

	for (int i = 0; i < (int) lengthof(keywords); i++)
	{
		JsonbValue *value = JB_ROOT_IS_OBJECT(document->schema) ?
			getKeyJsonValueFromContainer(&document->schema->root, keywords[i], strlen(keywords[i]), NULL) : NULL;
		char	   *uri;
		char	   *fragment;

		/* "id" is a keyword in draft 4 only, and there "$id" is none */
		if (value == NULL || value->type != jbvString)
			continue;
		if (i == 1)
		{
			char	   *dialect;

			if (!ev_get_string(&document->schema->root, "$schema", &dialect) || ev_draft_of_uri(dialect) != EV_DRAFT4)
				continue;
		}
		uri = ev_node_string(value);
		if (ev_uri_has_scheme(uri))
			return ev_uri_resolve("", uri, &fragment);
	}
	return pstrdup(document->uri);
}
