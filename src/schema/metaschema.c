/*
 * metaschema.c
 *	  The built-in meta-schemas of the drafts.
 *
 * metaschema_data.h contains them; it is generated from the files in
 * metaschemas/.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/fmgrprotos.h"

#include "schema/metaschema.h"
#include "schema/metaschema_data.h"

bool
ev_metaschema_find(const char *uri, EvDocument *document)
{
	for (int i = 0; i < (int) lengthof(metaschemas); i++)
	{
		if (strcmp(metaschemas[i].uri, uri) != 0)
			continue;
		memset(document, 0, sizeof(*document));
		document->uri = metaschemas[i].uri;
		document->schema = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(metaschemas[i].json)));
		return true;
	}
	return false;
}
