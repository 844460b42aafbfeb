/*
 * foreign_enforcement.c
 *	  What other servers enforce on the foreign partitions of a table.
 *
 * A server is asked over postgres_fdw, by the temporary foreign tables that
 * _event_validate.ask_foreign_server makes for some of its catalogs and for its view
 * event_enforcement.  That happens in a subtransaction that is rolled back.  So no
 * object is left, and an error is a problem of this server only.  (If the server ends the
 * connection, postgres_fdw lets the transaction fail at its end.)  All happens with
 * the rights of the caller, and with the caller's user mapping.
 *
 * What the server answers is only shown.
 */
#include "postgres.h"

#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "base/run_as_owner.h"
#include "base/shown_text.h"
#include "base/table_members.h"
#include "base/time_limit.h"
#include "registry/extension_objects.h"
#include "rows/table_rights.h"

PG_FUNCTION_INFO_V1(ev_event_foreign_enforcement);

/* The first columns of the result; the query of ask() has all, in their order. */
enum
{
	FOREIGN_TABLE, SERVER, REMOTE_RELATION, ENFORCED, PROBLEM, COLUMNS = 17
};

/* As many tables, parents, constraints, triggers or checks of a server are read. */
#define MOST_LISTED		10000

/* Problems are cut at this number of characters. */
#define SHOWN_PROBLEM	500

/*
 * The time in which a server must answer, in ms.  From 16 on, postgres_fdw waits for a
 * connection without regard to connect_timeout.
 */
#define ANSWER_TIME		15000

/* A server with the foreign tables to ask it about, and its answer. */
typedef struct Question
{
	Oid			server;
	List	   *tables;
	MemoryContext context;		/* of the answer */
	List	   *rows;			/* of HeapTuple */
	TupleDesc	descriptor;		/* of them */
} Question;

/* ---------- the servers to ask ---------- */

/* Returns the server of a foreign table, InvalidOid if it is none or was dropped. */
static Oid
server_of(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(FOREIGNTABLEREL, ObjectIdGetDatum(table));
	Oid			server = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		server = ((Form_pg_foreign_table) GETSTRUCT(tuple))->ftserver;
		ReleaseSysCache(tuple);
	}
	return server;
}

/* Returns a Question for each server of a table and of the tables below it. */
static List *
questions_about(Oid relation)
{
	List	   *questions = NIL;
	ListCell   *cell;

	foreach(cell, ev_table_members(relation))
	{
		Oid			server = server_of(lfirst_oid(cell));
		Question   *question = NULL;
		ListCell   *other;

		CHECK_FOR_INTERRUPTS();
		if (!OidIsValid(server))
			continue;
		foreach(other, questions)
			if (((Question *) lfirst(other))->server == server)
			question = lfirst(other);
		if (question == NULL)
		{
			question = palloc0(sizeof(Question));
			question->server = server;
			question->context = CurrentMemoryContext;
			questions = lappend(questions, question);
		}
		question->tables = lappend_oid(question->tables, lfirst_oid(cell));
	}
	return questions;
}

/*
 * Returns why a server is not asked, or NULL.  A superuser's connection may use the
 * credentials of the server process, for the address that the owner of the server
 * chose.
 */
static const char *
refusal(const ForeignServer *server)
{
	const ForeignDataWrapper *wrapper = GetForeignDataWrapper(server->fdwid);
	Oid			postgres_fdw = get_extension_oid("postgres_fdw", true);

	if (!OidIsValid(postgres_fdw) || !OidIsValid(wrapper->fdwhandler) ||
		getExtensionOfObject(ProcedureRelationId, wrapper->fdwhandler) != postgres_fdw)
		return psprintf("foreign-data wrapper \"%s\" is not postgres_fdw, so the server cannot be asked", wrapper->fdwname);
	if (superuser() && !superuser_arg(server->owner))
		return psprintf("server \"%s\" belongs to role \"%s\", which is not a superuser: SET ROLE to it, and ask again",
						server->servername, GetUserNameFromId(server->owner, false));
	return NULL;
}

/* ---------- asking one ---------- */

static Datum
oid_array(List *oids)
{
	Datum	   *values = palloc(list_length(oids) * sizeof(Datum));
	ListCell   *cell;
	int			count = 0;

	foreach(cell, oids)
		values[count++] = ObjectIdGetDatum(lfirst_oid(cell));
	return PointerGetDatum(construct_array(values, count, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
}

static void
ask(void *arg)
{
	Question   *question = arg;
	Oid			types[] = {OIDOID, OIDARRAYOID, INT4OID};
	Datum		values[] = {ObjectIdGetDatum(question->server), oid_array(question->tables),
	Int32GetDatum(MOST_LISTED)};

	SPI_connect();
	if (SPI_execute_with_args("SELECT * FROM " EV_INTERNAL_NAMESPACE ".ask_foreign_server($1, $2, $3)",
							  lengthof(types), types, values, NULL, false, MOST_LISTED + 1) != SPI_OK_SELECT ||
		SPI_tuptable->tupdesc->natts != COLUMNS)
		elog(ERROR, "ask_foreign_server has another result");
	if (SPI_processed > MOST_LISTED)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the answer has more than %d rows", MOST_LISTED)));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext before = MemoryContextSwitchTo(question->context);

		/* long values are in temporary tables, which are rolled back */
		question->rows = lappend(question->rows, toast_flatten_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc));
		question->descriptor = question->descriptor != NULL ? question->descriptor :
			CreateTupleDescCopy(SPI_tuptable->tupdesc);
		MemoryContextSwitchTo(before);
	}
	SPI_finish();
}

/* ---------- the result ---------- */

static void
put_answer(ReturnSetInfo *result, const Question *question)
{
	ListCell   *cell;

	foreach(cell, question->rows)
	{
		Datum		values[COLUMNS];
		bool		nulls[COLUMNS];

		heap_deform_tuple(lfirst(cell), question->descriptor, values, nulls);
		if (!nulls[PROBLEM])
			values[PROBLEM] = CStringGetTextDatum(ev_visible_cut(TextDatumGetCString(values[PROBLEM]), SHOWN_PROBLEM));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* Puts a row for each foreign table of a server that was not asked, or gave no answer. */
static void
put_problem(ReturnSetInfo *result, const Question *question, const char *problem)
{
	ForeignServer *server = GetForeignServerExtended(question->server, FSV_MISSING_OK);
	ListCell   *cell;

	foreach(cell, question->tables)
	{
		Datum		values[COLUMNS] = {0};
		bool		nulls[COLUMNS];
		NameData	name;

		memset(nulls, true, sizeof(nulls));
		values[FOREIGN_TABLE] = lfirst_oid(cell);
		nulls[FOREIGN_TABLE] = false;
		if (server != NULL)
		{
			namestrcpy(&name, server->servername);
			values[SERVER] = NameGetDatum(&name);
			nulls[SERVER] = false;
		}
		values[PROBLEM] = CStringGetTextDatum(ev_visible_cut(problem, SHOWN_PROBLEM));
		nulls[PROBLEM] = false;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* Returns the error of a server as the text of a problem. */
static const char *
problem_of(const ErrorData *error)
{
	/* the temporary tables of what was read have keys */
	if (error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION && error->table_name != NULL &&
		strncmp(error->table_name, "event_validate read ", strlen("event_validate read ")) == 0)
		return "the other server lists an object twice";
	return error->detail == NULL ? error->message : psprintf("%s: %s", error->message, error->detail);
}

static void
answer(ReturnSetInfo *result, Question *question)
{
	const ForeignServer *server = GetForeignServerExtended(question->server, FSV_MISSING_OK);
	const char *problem = server == NULL ? "its server was dropped" : refusal(server);
	ErrorData  *error;
	bool		ran_out;

	if (problem != NULL)
	{
		put_problem(result, question, problem);
		return;
	}
	error = ev_in_limited_time(ask, question, EV_LET_GO, ANSWER_TIME, &ran_out);
	if (error == NULL)
		put_answer(result, question);
	else if (ran_out)
		put_problem(result, question, psprintf("the server did not answer within %d s", ANSWER_TIME / 1000));
	else if (ev_is_interrupt(error))
		ReThrowError(error);
	else
		put_problem(result, question, problem_of(error));
}

/*
 * event_foreign_enforcement(relation regclass) returns SETOF record
 *
 * Asks the servers of a foreign table, or of the foreign tables below a table, what
 * they enforce there.  This is the only function that opens connections to other
 * servers by itself.
 */
Datum
ev_event_foreign_enforcement(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			relation = PG_GETARG_OID(0);
	char		kind;
	int			guc_level;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	ev_require_any_privilege(relation);
	kind = get_rel_relkind(relation);
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is not a table", ev_table_name(relation))));
	PreventCommandIfReadOnly("event_foreign_enforcement()");
	guc_level = NewGUCNestLevel();
	ev_pin_search_path();
	foreach(cell, questions_about(relation))
		answer(result, lfirst(cell));
	AtEOXact_GUC(false, guc_level);
	return (Datum) 0;
}
