/*
 * bundle_options.c
 *	  Options of register_schemas for single schemas of the bundle: accepted
 *	  findings, and renames.
 *
 * What one version may have, others may not.  So each finding is that of a version,
 * whose name stands before it; it may be left out if there is only one.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/shown_text.h"
#include "registration/bundle_options.h"
#include "registration/definition.h"
#include "schema/accept_option.h"
#include "schema/renames.h"

/* Returns what follows the name of a version and a space; NULL if the text begins otherwise. */
static const char *
after_version(const char *text, const char *version)
{
	int			length = strlen(version);

	return strncmp(text, version, length) == 0 && text[length] == ' ' ? text + length + 1 : NULL;
}

/* Is this the finding of a version in the bundle? */
static bool
has_version(const char *finding, const List *versions)
{
	ListCell   *cell;

	foreach(cell, versions)
		if (after_version(finding, lfirst(cell)) != NULL)
		return true;
	return false;
}

static void
check_findings(const EvBundleOptions *options, const List *versions)
{
	ListCell   *cell;

	foreach(cell, options->accept)
	{
		const char *finding = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (options->only == NULL && !has_version(finding, versions))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("finding %s is of no version in the bundle", ev_string_show(finding, strlen(finding))),
					 errhint("Write the version before it: \"order.placed@2 /properties/a PATTERN_CHANGED\".")));
	}
}

/* Checks each mapping, and that its version is in the bundle. */
static void
check_renames(const Jsonb *renames, const List *versions)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(renames))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("renames must be an object"),
				 errhint("Its keys are versions in the bundle: {\"order.placed@2\": {\"qty\": \"quantity\"}}.")));
	iterator = JsonbIteratorInit((JsonbContainer *) &renames->root);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		ListCell   *cell;
		bool		found = false;

		if (token != WJB_KEY)
			continue;
		CHECK_FOR_INTERRUPTS();
		(void) JsonbIteratorNext(&iterator, &value, true);
		foreach(cell, versions)
			found |= strlen(lfirst(cell)) == (size_t) key.val.string.len &&
			memcmp(lfirst(cell), key.val.string.val, key.val.string.len) == 0;
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("there are renames for %s, which is no version in the bundle",
							ev_string_show(key.val.string.val, key.val.string.len))));
		(void) ev_renames_argument(JsonbValueToJsonb(&value));
	}
}

void
ev_bundle_options(FunctionCallInfo fcinfo, int first, bool breaking, List *versions, EvBundleOptions *options)
{
	options->only = list_length(versions) == 1 ? linitial(versions) : NULL;
	options->accept = PG_ARGISNULL(first) ? NIL : ev_definition_accept(PG_GETARG_DATUM(first), breaking);
	options->renames = PG_ARGISNULL(first + 1) ? NULL : PG_GETARG_JSONB_P_COPY(first + 1);
	check_findings(options, versions);
	if (options->renames != NULL)
		check_renames(options->renames, versions);
}

List *
ev_bundle_accept(const EvBundleOptions *options, const char *version)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, options->accept)
	{
		const char *finding = lfirst(cell);
		const char *rest = after_version(finding, version);
		const char *rule;

		CHECK_FOR_INTERRUPTS();
		if (rest == NULL && options->only != NULL && strcmp(options->only, version) == 0)
			rest = finding;
		if (rest != NULL)
			result = ev_accept_add(result, ev_accept_read(rest, strlen(rest), &rule));
	}
	return result;
}

Jsonb *
ev_bundle_renames(const EvBundleOptions *options, const char *version)
{
	JsonbValue	value;

	if (options->renames == NULL ||
		getKeyJsonValueFromContainer(&options->renames->root, version, strlen(version), &value) == NULL)
		return NULL;
	return JsonbValueToJsonb(&value);
}
