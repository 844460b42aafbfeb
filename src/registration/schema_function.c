/*
 * schema_function.c
 *	  Finds, creates and replaces the functions of schemas, for the functions
 *	  that register them.
 *
 * The command is passed as a parse tree, so nothing needs quoting, and settings
 * such as search_path have no effect.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "funcapi.h"
#include "nodes/makefuncs.h"
#include "parser/parser.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "base/shown_text.h"
#include "evolution/view_followers.h"
#include "format/format.h"
#include "registration/schema_function.h"
#include "registration/validator.h"
#include "registry/function_row.h"
#include "registry/name_lock.h"
#include "registry/names.h"
#include "registry/ownership.h"
#include "registry/schema_cache.h"
#include "registry/utility_command.h"

Oid
ev_find_and_wait(const char *name)
{
	Oid			function;

	while (OidIsValid(function = ev_registered_function(name)))
	{
		ev_function_lock(function, AccessShareLock, name);
		if (SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(function)))
			break;
		ev_function_unlock(function, AccessShareLock);
	}
	return function;
}

/*
 * Runs CREATE [OR REPLACE] FUNCTION.  The document has been compiled already,
 * with its URI, which the validator cannot compute from a hash.
 */
static void
create_function(const char *name, const char *body, HeapTuple replaced)
{
	CreateFunctionStmt *command = makeNode(CreateFunctionStmt);
	FunctionParameter *parameter = makeNode(FunctionParameter);
	const char *argument = "data";
	char	   *ddl;

	if (HeapTupleIsValid(replaced))
	{
		/* replacing cannot change the name of an argument */
		bool		no_names;
		Datum		names = SysCacheGetAttr(PROCOID, replaced, Anum_pg_proc_proargnames,
											&no_names);

		argument = NULL;
		if (!no_names)
		{
			char	  **arguments;

			if (get_func_input_arg_names(names, (Datum) 0, &arguments) == 1)
				argument = arguments[0];
		}
	}
	parameter->name = argument ? pstrdup(argument) : NULL;
	parameter->argType = SystemTypeName(pstrdup("jsonb"));
	parameter->mode = FUNC_PARAM_DEFAULT;

	command->replace = HeapTupleIsValid(replaced);
	command->funcname = ev_qualified_name(name);
	command->parameters = list_make1(parameter);
	command->returnType = SystemTypeName(pstrdup("bool"));
	command->options =
		list_make4(makeDefElem("language", (Node *) makeString(pstrdup(EV_LANGUAGE)), -1),
				   makeDefElem("volatility", (Node *) makeString(pstrdup("immutable")), -1),
				   makeDefElem("parallel", (Node *) makeString(pstrdup("safe")), -1),
				   makeDefElem("as", (Node *) list_make1(makeString(pstrdup(body))), -1));

	/* for hooks and logs */
	ddl = psprintf("CREATE %sFUNCTION %s(%s jsonb) RETURNS boolean LANGUAGE %s IMMUTABLE PARALLEL SAFE AS %s",
				   command->replace ? "OR REPLACE " : "",
				   ev_quoted_name(name),
				   argument ? quote_identifier(argument) : "",
				   EV_LANGUAGE, quote_literal_cstr(body));

	ev_run_command((Node *) command, ddl);
}

char *
ev_shortened_type(const char *name)
{
	NameData	function;
	int			type_length;
	int32		version;

	if (!ev_parse_event_name(name, &type_length, &version) || !ev_function_name(name, &function) ||
		!ev_has_short_type(NameStr(function)))
		return NULL;
	return pnstrdup(name, type_length);
}

Oid
ev_create_function(const char *name, const char *uri, const char *body, HeapTuple replaced, EvVouched vouched,
				   bool is_wider)
{
	EvVouch		vouch = {.name = name, .body = body, .checks = vouched, .narrower = is_wider ? replaced : NULL};
	const EvVouch *outer = ev_validator_vouch(&vouch);
	int			type_length;
	int32		version;

	PG_TRY();
	{
		create_function(name, body, replaced);
	}
	PG_FINALLY();
	{
		(void) ev_validator_vouch(outer);
	}
	PG_END_TRY();
	if (replaced == NULL && ev_shortened_type(name) != NULL)
		ev_comment_on_function(name, true, name);
	else if (replaced == NULL && uri[0] != '\0' && strcmp(name, uri) != 0 && !ev_parse_event_name(name, &type_length, &version))
		ev_comment_on_function(name, true, uri);
	if (replaced == NULL && vouched != EV_VOUCHED_ALL)
		ev_view_followers_notice(name);
	return ev_registered_function(name);
}

void
ev_lock_to_register(const char *name)
{
	int			type_length;
	int32		version;

	if (ev_parse_event_name(name, &type_length, &version))
		ev_type_lock(name, type_length);
	else
		ev_name_lock(name, ExclusiveLock);
}

HeapTuple
ev_schema_row(Oid function)
{
	HeapTuple	row = SearchSysCacheCopy1(PROCOID, ObjectIdGetDatum(function));

	if (!HeapTupleIsValid(row))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", function),
				 errdetail("It was dropped concurrently.")));
	return row;
}

HeapTuple
ev_schema_read(Oid function, EvDocument *document)
{
	HeapTuple	row = ev_schema_row(function);
	EvFault		fault = {0};

	/* its body can be parsed, since it was created */
	if (!ev_function_document(row, document, &fault))
		ev_fault_report(&fault, document->name);
	return row;
}

Oid
ev_find_to_register(const char *name, bool keep_lock)
{
	Oid			function = ev_registered_function(name);
	int			type_length;
	int32		version;

	if (OidIsValid(function))
	{
		if (!ev_ownership_has_function(ev_schema_row(function)))
			return function;
		ev_lock_to_register(name);
	}
	else
	{
		ev_ownership_require_create();
		if (ev_parse_event_name(name, &type_length, &version))
			ev_ownership_lock_type(name, type_length, InvalidOid);
		else
			ev_name_lock(name, ExclusiveLock);
	}
	function = ev_find_and_wait(name);
	if (OidIsValid(function) && !keep_lock)
		ev_function_unlock(function, AccessShareLock);
	return function;
}

static bool
equal_strings(List *a, List *b)
{
	ListCell   *x;
	ListCell   *y;

	if (list_length(a) != list_length(b))
		return false;
	forboth(x, a, y, b)
		if (strcmp((const char *) lfirst(x), (const char *) lfirst(y)) != 0)
		return false;
	return true;
}

/*
 * A document whose URI is too long for a name has a name that is a hash of the
 * URI, from which the base of relative references cannot be computed.
 */
void
ev_refuse_relative_references(const char *uri, EvDocument *document)
{
	const char *before = document->uri;
	List	   *by_name;
	List	   *by_uri;

	document->uri = "";
	by_name = ev_document_references(document);
	document->uri = uri;
	by_uri = ev_document_references(document);
	document->uri = before;
	if (!equal_strings(by_name, by_uri))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the document of the long URI \"%s\" has relative references", uri),
				 errhint("Give the document its URI as $id.")));
}

void
ev_require_document_uri(char *uri, NameData *name)
{
	const EvFormat *format = ev_format_find("uri", strlen("uri"), EV_DRAFT2020);
	char	   *fragment;

	if (format != NULL && !format->matches(uri, strlen(uri)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not an absolute URI: \"%s\"", ev_visible_cut(uri, EV_SHOWN_ARGUMENT)),
				 errhint("An absolute URI begins with a scheme, such as \"https://example.com/money\" or \"urn:example:money\".")));
	fragment = strchr(uri, '#');
	if (fragment != NULL && fragment[1] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the URI of a document must not have a fragment: \"%s\"", ev_visible_cut(uri, EV_SHOWN_ARGUMENT))));
	if (fragment != NULL)
		*fragment = '\0';
	if (pg_strncasecmp(uri, "event:", strlen("event:")) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the URI \"%s\" is that of an event schema", ev_visible_cut(uri, EV_SHOWN_ARGUMENT)),
				 errhint("Use register_event_schema.")));

	ev_uri_name(uri, name);
}
