/*
 * definition.c
 *	  The definition of a schema as an argument of an SQL function, with its
 *	  options.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "changes/changes.h"
#include "registration/definition.h"
#include "schema/accept_option.h"
#include "schema/format_option.h"
#include "schema/renames.h"

List *
ev_definition_accept(Datum names, bool breaking)
{
	List	   *accept = ev_accept_argument(names);
	ListCell   *cell;

	foreach(cell, accept)
	{
		const char *name = lfirst(cell);
		const char *rule;

		(void) ev_accept_read(name, strlen(name), &rule);
		if (!ev_change_rule_exists(rule))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("there is no rule \"%s\" for compatibility", rule),
					 errhint("check_event_compatibility returns the findings about a definition, with their rules.")));
	}
	if (accept != NIL && breaking)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("accept is not empty, but breaking is true"),
				 errhint("Nothing is compared then.  Leave one of the two arguments out.")));
	return accept;
}

void
ev_definition_arguments(FunctionCallInfo fcinfo, int first, bool is_jsonb, EvDefinition *definition)
{
	definition->is_jsonb = is_jsonb;
	if (is_jsonb)
	{
		Jsonb	   *value = PG_GETARG_JSONB_P(first);

		definition->json = JsonbToCStringIndent(NULL, &value->root, VARSIZE(value));
	}
	else
		definition->json = text_to_cstring(PG_GETARG_TEXT_PP(first));
	definition->assert_format = PG_GETARG_BOOL(first + 1);
	definition->breaking = PG_GETARG_BOOL(first + 2);
	definition->strict = PG_GETARG_BOOL(first + 3);
	if (!PG_ARGISNULL(first + 4))
		definition->except_formats = ev_format_set_argument(PG_GETARG_DATUM(first + 4), definition->assert_format);
	if (!PG_ARGISNULL(first + 5))
		definition->accept = ev_definition_accept(PG_GETARG_DATUM(first + 5), definition->breaking);
}

void
ev_definition_renames(FunctionCallInfo fcinfo, int argument, EvDefinition *definition)
{
	if (PG_ARGISNULL(argument))
		return;
	definition->renames = PG_GETARG_JSONB_P(argument);
	(void) ev_renames_argument(definition->renames);
}

void
ev_definition_read(const EvDefinition *definition, const char *name, const char *uri, EvDocument *document)
{
	const char *start = definition->json + strspn(definition->json, " \t\r\n");
	EvFault		fault = {0};

	if (*start == '#')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid JSON Schema \"%s\": the definition is not JSON", name),
				 errdetail("It begins with \"#\"."),
				 errhint("Options are arguments here; lines with \"#\" are for CREATE FUNCTION.")));

	/* without pragma lines, so that lines and columns are those of the user */
	memset(document, 0, sizeof(*document));
	document->name = name;
	document->uri = uri;
	if (!ev_document_parse(definition->json, document, &fault))
		ev_fault_report(&fault, name);
	document->assert_format = definition->assert_format;
	document->except_formats = definition->except_formats;
	document->breaking = definition->breaking;
	document->accept = definition->accept;
	document->renames = definition->renames;
	document->strict = definition->strict;
	document->is_new = true;
	if (definition->is_jsonb)
		document->text = NULL;
}
