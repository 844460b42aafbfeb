/*
 * row_fault.c
 *	  Which errors are caused by the data of a row, and not by the server,
 *	  the caller or concurrent work.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "base/row_fault.h"

#define MOST_NAME	1000		/* bytes of a message in the name of its kind */
#define MOST_MESSAGE	1000	/* bytes of a message in a report */

/*
 * Is this a category of errors in users' code, that is, not of the server or
 * of concurrent work?
 */
static bool
is_data_dependent(int category, EvRowWork work)
{
	switch (category)
	{
		case ERRCODE_CONNECTION_EXCEPTION:
		case ERRCODE_INVALID_TRANSACTION_STATE:
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_SYSTEM_ERROR:
		case ERRCODE_CONFIG_FILE_ERROR:
		case ERRCODE_INTERNAL_ERROR:
			return false;
		case ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION:
			return work == EV_WORK_INSERT;
		default:
			return true;
	}
}

bool
ev_is_row_fault(int sqlstate, EvRowWork work)
{
	int			category = ERRCODE_TO_CATEGORY(sqlstate);

	switch (work)
	{
		case EV_WORK_READ:
			return category == ERRCODE_DATA_EXCEPTION;
		case EV_WORK_VALIDATE:
			return category == ERRCODE_DATA_EXCEPTION || category == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		case EV_WORK_UPCAST:
		case EV_WORK_INSERT:
			return is_data_dependent(category, work);
	}
	return false;
}

bool
ev_is_expression_fault(int sqlstate)
{
	return ev_is_row_fault(sqlstate, EV_WORK_READ) ||
		ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION;
}

/*
 * Returns the head of a message, without values: of what is quoted the quotes, and "0" for a
 * word that has a digit.
 */
static char *
without_values(const char *message)
{
	StringInfoData result;
	const char *p = message;

	initStringInfo(&result);
	while (*p != '\0' && result.len < MOST_NAME)
	{
		int			length;

		if (*p == '"' && strchr(p + 1, '"') != NULL)
		{
			appendStringInfoString(&result, "\"\"");
			p = strchr(p + 1, '"') + 1;
			continue;
		}
		length = strcspn(p, " \"():,;=[]{}");
		if (length == 0)
			appendStringInfoChar(&result, *p++);
		else if ((int) strcspn(p, " \"():,;=[]{}0123456789") < length)
			appendStringInfoChar(&result, '0');
		else
			appendBinaryStringInfo(&result, p, pg_mbcliplen(p, length, MOST_NAME));
		p += length;
	}
	return result.data;
}

char *
ev_message_cut(const char *message)
{
	int			length = strnlen(message, MOST_MESSAGE + 1);

	if (length <= MOST_MESSAGE)
		return pstrdup(message);
	return psprintf("%.*s...", pg_mbcliplen(message, length, MOST_MESSAGE), message);
}

char *
ev_row_fault_name(const ErrorData *error)
{
	const char *state = unpack_sql_state(error->sqlerrcode);

	if (error->constraint_name != NULL)
		return psprintf("%s constraint \"%s\"", state, error->constraint_name);
	if (error->column_name != NULL)
		return psprintf("%s column \"%s\"", state, error->column_name);
	return psprintf("%s: %s", state, error->message != NULL ? without_values(error->message) : "");
}
