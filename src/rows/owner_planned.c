/*
 * owner_planned.c
 *	  Queries of the caller on a table of another role.
 *
 * The planner evaluates constants in a table's indexes, extended statistics and
 * partition keys, and in the constraints of partitions.  The functions in them are
 * code of the table's owner, and a SELECT runs them as the role that reads the
 * table.  So a role with the owner's rights, such as a superuser, plans its query as
 * the owner.  The query is parsed before and executed afterwards, as the caller.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "executor/tstoreReceiver.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/run_as_owner.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_rows_planned_as_owner);

/* As SPI does: positions in this text are not positions in the client's command. */
static void
query_context(void *arg)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery((const char *) arg);
	}
	else
		errcontext("SQL statement \"%s\"", (const char *) arg);
}

/* Parses and rewrites a SELECT, as the caller. */
static Query *
query_of(const char *text)
{
	List	   *commands = raw_parser(text, RAW_PARSE_DEFAULT);
	Query	   *query;

	if (list_length(commands) != 1 || !IsA(linitial_node(RawStmt, commands)->stmt, SelectStmt))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("this is not a single SELECT")));
	query = parse_analyze_fixedparams(linitial_node(RawStmt, commands), text, NULL, 0, NULL);
	if (query->commandType != CMD_SELECT || query->hasModifyingCTE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("this is not a SELECT that only reads")));
	return linitial_node(Query, pg_rewrite_query(query));
}

/* Plans a query, as the owner of the table if the caller has the owner's rights. */
static PlannedStmt *
plan_of(Query *query, const char *text, Oid table)
{
	Oid			owner = ev_table_owner(table);
	int			security = SECURITY_LOCAL_USERID_CHANGE;
	EvRunAs		caller;
	PlannedStmt *plan;

	if (!OidIsValid(owner) || owner == GetUserId() || !has_privs_of_role(GetUserId(), owner))
		return EV_PLAN_QUERY(query, text, CURSOR_OPT_PARALLEL_OK, NULL);
	if (!EV_MAY_SET_ROLE(owner, GetUserId()))
		security |= SECURITY_RESTRICTED_OPERATION;
	/* functions in the caller's expressions see the caller's search_path */
	ev_run_as_begin_with_path(&caller, owner, security);
	plan = EV_PLAN_QUERY(query, text, CURSOR_OPT_PARALLEL_OK, NULL);
	ev_run_as_end(&caller);
	return plan;
}

/*
 * rows_planned_as_owner(query text, relation regclass) → SETOF record
 *
 * Runs a SELECT that reads the relation, in the snapshot of the calling query.
 */
Datum
ev_rows_planned_as_owner(PG_FUNCTION_ARGS)
{
	char	   *command = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			relation = PG_GETARG_OID(1);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ErrorContextCallback context = {error_context_stack, query_context, command};
	DestReceiver *receiver = CreateDestReceiver(DestTuplestore);
	QueryDesc  *execution;
	PlannedStmt *plan;

	ev_require_any_privilege(relation);
	if (get_call_result_type(fcinfo, NULL, NULL) != TYPEFUNC_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the columns are not known: call the function in FROM, with a list of columns")));
	InitMaterializedSRF(fcinfo, 0);
	error_context_stack = &context;
	plan = plan_of(query_of(command), command, relation);
	SetTuplestoreDestReceiverParams(receiver, result->setResult, CurrentMemoryContext, false, NULL, NULL);
	execution = CreateQueryDesc(plan, command, GetActiveSnapshot(), InvalidSnapshot, receiver, NULL, NULL, 0);
	ExecutorStart(execution, 0);
	/* PostgreSQL compares it with the columns that the caller expects */
	result->setDesc = CreateTupleDescCopy(execution->tupDesc);
	EV_EXECUTOR_RUN(execution);
	ExecutorFinish(execution);
	ExecutorEnd(execution);
	FreeQueryDesc(execution);
	error_context_stack = context.previous;
	return (Datum) 0;
}
