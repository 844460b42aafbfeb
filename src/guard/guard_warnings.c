/*
 * guard_warnings.c
 *	  The WARNINGs of guards: one for each reason in a statement.
 *
 * A COPY of a million rows must not raise a million WARNINGs.  So rows are
 * counted by their reason, and the statement raises the WARNINGs when its
 * executor's memory is freed.  A statement that fails stores no rows, and
 * raises none, even if its memory is freed only when the transaction ends, as
 * that of functions in expressions of PL/pgSQL.
 *
 * The reason is the place in the schema, not the text of the message, which can
 * quote values of the row.  The message, and with event_validate.error_format the
 * DETAIL in JSON, are those of the first row.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/event_log.h"
#include "base/shown_text.h"
#include "guard/guard_warnings.h"

/* Number of reasons of a statement; rows with others are counted together. */
#define MOST_REASONS	50

/* Rows with the same reason. */
typedef struct Reason
{
	struct Reason *next;
	EvWarned	what;
	Oid			table;
	char	   *reason;			/* with type and version */
	char	   *message;
	char	   *json;			/* the DETAIL of the first row; NULL: it is
								 * text */
	char	   *schema;
	char	   *name;			/* of the first row's relation */
	char	   *key;			/* of the first row; NULL: none */
	bool		is_recorded;
	int64		rows;
} Reason;

/* The WARNINGs of a statement, in its memory. */
typedef struct Statement
{
	struct Statement *next;
	MemoryContext query;
	SubTransactionId subtransaction;	/* that stores the rows */
	MemoryContextCallback callback;
	Reason	   *first;
	Reason	   *last;
	int			count;
	int64		others;			/* rows with other reasons */
} Statement;

static Statement *statements = NULL;

/* ---------- raising ---------- */

static void
key_context(void *arg)
{
	const Reason *reason = arg;

	errcontext("row of table \"%s\" with key %s", ev_visible(reason->name), reason->key);
}

/* Returns the level of a WARNING about some rows: the log's rate applies to it. */
static int
level_of(int64 rows)
{
	if (EV_LOG_MIN_MESSAGES > WARNING || EV_LOG_MIN_MESSAGES == LOG || ev_event_log_rate(rows))
		return WARNING;
	return WARNING_CLIENT_ONLY;
}

static const char *
details_of(const Reason *reason)
{
	switch (reason->what)
	{
		case EV_WARNED_STAYS:
			return "The guard would divert it, but it was in the table already: this transaction has deleted it there.";
		case EV_WARNED_LEAVES:
			return "This transaction has deleted rows of the table. Perhaps it moves them.";
		default:
			return reason->is_recorded ? NULL :
				"It is not recorded, since there is no table \"event_schema.quarantine\".";
	}
}

/*
 * Returns the HINT, or NULL.  A DETAIL in JSON has the violations, and then the HINT says
 * what the DETAIL would say otherwise.
 */
static const char *
hint_of(const Reason *reason)
{
	const char *detail = reason->json != NULL ? details_of(reason) : NULL;

	if (reason->what != EV_WARNED_LEAVES)
		return detail;
	return psprintf("%s%sSwitch the guard to \"warn\" or \"off\" while rows are moved, and replay those that were diverted.",
					detail != NULL ? detail : "", detail != NULL ? " " : "");
}

static void
raise_reason(Reason *reason)
{
	ErrorContextCallback context = {error_context_stack, key_context, reason};
	const char *detail = reason->json != NULL ? reason->json : details_of(reason);
	const char *hint = hint_of(reason);

	if (reason->key != NULL)
		error_context_stack = &context;
	ereport(level_of(reason->rows),
			(reason->rows == 1 ? errmsg_internal("%s", reason->message) :
			 errmsg("%s (%lld events)", reason->message, (long long) reason->rows),
			 detail != NULL ? errdetail_internal("%s", detail) : 0,
			 hint != NULL ? errhint("%s", hint) : 0,
			 err_generic_string(PG_DIAG_SCHEMA_NAME, reason->schema),
			 err_generic_string(PG_DIAG_TABLE_NAME, reason->name)));
	error_context_stack = context.previous;
}

/* Raises the WARNINGs of a statement whose memory is about to be freed. */
static void
end_statement(void *arg)
{
	Statement  *statement = arg;
	Statement **link = &statements;

	while (*link != NULL && *link != statement)
		link = &(*link)->next;
	if (*link != NULL)
		*link = statement->next;
	/* not if the transaction fails */
	if (!IsTransactionState())
		return;
	/* a cancel request must not end the freeing of memory */
	HOLD_INTERRUPTS();
	for (Reason *reason = statement->first; reason != NULL; reason = reason->next)
		raise_reason(reason);
	if (statement->others > 0)
		ereport(level_of(statement->others),
				(errmsg("events are not valid for other reasons (%lld events)", (long long) statement->others)));
	RESUME_INTERRUPTS();
}

/* ---------- counting ---------- */

/* The rows of an aborted subtransaction are not stored. */
static void
subtransaction_ended(SubXactEvent event, SubTransactionId ended, SubTransactionId parent, void *arg pg_attribute_unused())
{
	for (Statement *statement = statements; statement != NULL; statement = statement->next)
	{
		if (statement->subtransaction != ended)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			statement->subtransaction = parent;
		else if (event == SUBXACT_EVENT_ABORT_SUB)
		{
			statement->first = statement->last = NULL;
			statement->count = 0;
			statement->others = 0;
		}
	}
}

static Statement *
statement_of(MemoryContext query)
{
	static bool is_registered = false;
	Statement  *statement = statements;
	SubTransactionId current = GetCurrentSubTransactionId();

	if (!is_registered)
		RegisterSubXactCallback(subtransaction_ended, NULL);
	is_registered = true;
	while (statement != NULL && (statement->query != query || statement->subtransaction != current))
		statement = statement->next;
	if (statement != NULL)
		return statement;
	statement = MemoryContextAllocZero(query, sizeof(Statement));
	statement->query = query;
	statement->subtransaction = current;
	statement->callback.func = end_statement;
	statement->callback.arg = statement;
	statement->next = statements;
	statements = statement;
	MemoryContextRegisterResetCallback(query, &statement->callback);
	return statement;
}

/* Returns the message for the first row with a reason. */
static char *
message_of(const EvRowWarning *warning)
{
	const EvRowEvent *event = warning->event;
	const char *fate = warning->what == EV_WARNED_STAYS ? ", and stays in its table" :
		warning->what == EV_WARNED_LEAVES ? ", and is diverted to the quarantine" : "";

	if (event->type == NULL)
		return psprintf("event is not valid%s: %s", fate, warning->words);
	if (!event->has_version)
		return psprintf("event %s is not valid%s: %s", ev_type_show(event->type), fate, warning->words);
	return psprintf("event %s version %d is not valid%s: %s", ev_type_show(event->type), event->version, fate, warning->words);
}

/* Returns what rows with the same reason have in common. */
static char *
whole_reason(const EvRowWarning *warning)
{
	const EvRowEvent *event = warning->event;

	return psprintf("%s %d %s", event->type != NULL ? ev_type_show(event->type) : "", event->has_version ? event->version : -1,
					warning->reason);
}

static void
add_reason(Statement *statement, const EvRowWarning *warning, char *whole)
{
	Reason	   *reason = palloc0(sizeof(Reason));
	char	   *namespace = get_namespace_name(RelationGetNamespace(warning->relation));

	reason->what = warning->what;
	reason->table = warning->table;
	reason->reason = whole;
	reason->message = message_of(warning);
	reason->json = warning->json != NULL ? pstrdup(warning->json) : NULL;
	reason->schema = namespace != NULL ? namespace : pstrdup("");
	reason->name = pstrdup(RelationGetRelationName(warning->relation));
	reason->key = warning->key != NULL ? pstrdup(warning->key) : NULL;
	reason->is_recorded = warning->is_recorded;
	reason->rows = 1;
	if (statement->last == NULL)
		statement->first = reason;
	else
		statement->last->next = reason;
	statement->last = reason;
	statement->count++;
}

void
ev_guard_warn(MemoryContext query, const EvRowWarning *warning)
{
	Statement  *statement = statement_of(query);
	char	   *whole = whole_reason(warning);
	MemoryContext caller;

	for (Reason *reason = statement->first; reason != NULL; reason = reason->next)
		if (reason->what == warning->what && reason->table == warning->table && strcmp(reason->reason, whole) == 0)
		{
			reason->rows++;
			pfree(whole);
			return;
		}
	if (statement->count >= MOST_REASONS)
	{
		statement->others++;
		return;
	}
	caller = MemoryContextSwitchTo(query);
	add_reason(statement, warning, pstrdup(whole));
	MemoryContextSwitchTo(caller);
}
