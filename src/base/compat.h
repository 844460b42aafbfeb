/*
 * compat.h
 *	  Differences between the supported versions of PostgreSQL.
 */
#ifndef EV_COMPAT_H
#define EV_COMPAT_H

#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "utils/jsonb.h"
#if PG_VERSION_NUM >= 170000
#include "storage/procarray.h"
#else
#include "storage/sinvaladt.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "rewrite/rewriteHandler.h"
#endif
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/*
 * Checks the syntax of JSON text without raising.  Returns NULL if it is JSON
 * that jsonb can store, and otherwise a message, in CurrentMemoryContext.  Unless
 * at is NULL, sets *at to the start of the wrong token, or to the end of
 * the text.
 */
static inline char *
ev_json_syntax_error(char *json, int length, const char **at)
{
	JsonLexContext *lex;
	JsonParseErrorType result;

#if PG_VERSION_NUM >= 170000
	lex = makeJsonLexContextCstringLen(NULL, json, length, GetDatabaseEncoding(), true);
#else
	lex = makeJsonLexContextCstringLen(json, length, GetDatabaseEncoding(), true);
#endif
	result = pg_parse_json(lex, &nullSemAction);
	if (at != NULL)
		*at = lex->token_start != NULL ? lex->token_start : json + length;
	return result == JSON_SUCCESS ? NULL : json_errdetail(result, lex);
}

/*
 * Adds a token to a jsonb under construction, whose state starts as {0}.
 * After the last token, state->result is the value, in CurrentMemoryContext.
 * PostgreSQL 19 added this state to pushJsonbValue.
 */
#if PG_VERSION_NUM < 190000
typedef struct JsonbInState
{
	JsonbValue *result;
	JsonbParseState *parse_state;
} JsonbInState;
#endif

static inline void
ev_push_jsonb(JsonbInState *state, JsonbIteratorToken token, JsonbValue *value)
{
#if PG_VERSION_NUM >= 190000
	pushJsonbValue(state, token, value);
#else
	state->result = pushJsonbValue(&state->parse_state, token, value);
#endif
}

/* PostgreSQL 18 has pg_noreturn instead, at another position. */
#ifndef pg_attribute_noreturn
#define pg_attribute_noreturn() __attribute__((noreturn))
#endif

/*
 * Is a CHECK constraint (a Form_pg_constraint) enforced?  PostgreSQL 18 added
 * NOT ENFORCED.
 */
#if PG_VERSION_NUM >= 180000
#define EV_CONSTRAINT_ENFORCED(form)	((form)->conenforced)
#else
#define EV_CONSTRAINT_ENFORCED(form)	((void) (form), true)
#endif

/*
 * Is a ConstrCheck enforced?  Also: an expression over a relation's row, with
 * virtual generated columns expanded.  PostgreSQL 18 added both, and renamed a
 * field of ResultRelInfo.
 */
#if PG_VERSION_NUM >= 180000
#define EV_CHECK_ENFORCED(check)	((check)->ccenforced)
#define EV_EXPAND_GENERATED(node, relation)	expand_generated_columns_in_expr((Node *) (node), (relation), 1)
#else
#define EV_CHECK_ENFORCED(check)	((void) (check), true)
#define EV_EXPAND_GENERATED(node, relation)	((Node *) (node))
#define ri_CheckConstraintExprs ri_ConstraintExprs
#endif

/*
 * The regex engine allocates with malloc before PostgreSQL 16, and in
 * CurrentMemoryContext since then.
 */
#define EV_REGEX_USES_MALLOC	(PG_VERSION_NUM < 160000)

/*
 * The first two check EXECUTE on a function and CREATE on a schema for the
 * current user, and return an AclResult.  The third tells whether a role has
 * CREATE on a schema.  PostgreSQL 16 replaced the functions that check
 * privileges by one.
 */
#if PG_VERSION_NUM >= 160000
#define EV_ACLCHECK_FUNCTION(function)	object_aclcheck(ProcedureRelationId, (function), GetUserId(), ACL_EXECUTE)
#define EV_ACLCHECK_SCHEMA(schema)		object_aclcheck(NamespaceRelationId, (schema), GetUserId(), ACL_CREATE)
#define EV_MAY_CREATE(schema, role) \
	(object_aclcheck(NamespaceRelationId, (schema), (role), ACL_CREATE) == ACLCHECK_OK)
#else
#define EV_ACLCHECK_FUNCTION(function)	pg_proc_aclcheck((function), GetUserId(), ACL_EXECUTE)
#define EV_ACLCHECK_SCHEMA(schema)		pg_namespace_aclcheck((schema), GetUserId(), ACL_CREATE)
#define EV_MAY_CREATE(schema, role)		(pg_namespace_aclcheck((schema), (role), ACL_CREATE) == ACLCHECK_OK)
#endif

/*
 * Is the current user the owner of the object, or a member of the role that
 * owns it?
 */
#if PG_VERSION_NUM >= 160000
#define EV_OWNS_EXTENSION(extension)	object_ownercheck(ExtensionRelationId, (extension), GetUserId())
#define EV_OWNS_LANGUAGE(language)		object_ownercheck(LanguageRelationId, (language), GetUserId())
#define EV_OWNS_SCHEMA(schema)			object_ownercheck(NamespaceRelationId, (schema), GetUserId())
#else
#define EV_OWNS_EXTENSION(extension)	pg_extension_ownercheck((extension), GetUserId())
#define EV_OWNS_LANGUAGE(language)		pg_language_ownercheck((language), GetUserId())
#define EV_OWNS_SCHEMA(schema)			pg_namespace_ownercheck((schema), GetUserId())
#endif

/*
 * May a role become another one by SET ROLE?  Since PostgreSQL 16, not every
 * member of a role may.
 */
#if PG_VERSION_NUM >= 160000
#define EV_MAY_SET_ROLE(member, role)	member_can_set_role((member), (role))
#else
#define EV_MAY_SET_ROLE(member, role)	is_member_of_role((member), (role))
#endif

#define EV_CHECK_EXECUTE(function, name) \
	do { \
		AclResult	ev_result = EV_ACLCHECK_FUNCTION(function); \
		if (ev_result != ACLCHECK_OK) \
			aclcheck_error(ev_result, OBJECT_FUNCTION, (name)); \
	} while (0)

/*
 * The local number of the backend's current transaction.  A transaction has
 * this number from its start, before it has an xid.  PostgreSQL 17 moved the
 * field.
 */
#if PG_VERSION_NUM >= 170000
#define EV_LOCAL_TRANSACTION	(MyProc->vxid.lxid)
#else
#define EV_LOCAL_TRANSACTION	(MyProc->lxid)
#endif

/*
 * The process that a virtual transaction is or was of (NULL: it has ended), and the number
 * of the transaction that a process runs now.
 */
#if PG_VERSION_NUM >= 170000
#define EV_VXID_PROC(vxid)		ProcNumberGetProc((vxid).procNumber)
#define EV_PROC_TRANSACTION(proc)	((proc)->vxid.lxid)
#else
#define EV_VXID_PROC(vxid)		BackendIdGetProc((vxid).backendId)
#define EV_PROC_TRANSACTION(proc)	((proc)->lxid)
#endif

/*
 * The first plans a query without parallel workers; PostgreSQL 19 added a
 * parameter.  The second runs a plan (a QueryDesc) to its end; PostgreSQL 18
 * removed a parameter.
 */
#if PG_VERSION_NUM >= 190000
#define EV_PLAN_QUERY(query, text, options, parameters)	pg_plan_query((query), (text), (options), (parameters), NULL)
#else
#define EV_PLAN_QUERY(query, text, options, parameters)	pg_plan_query((query), (text), (options), (parameters))
#endif
#if PG_VERSION_NUM >= 180000
#define EV_EXECUTOR_RUN(execution)	ExecutorRun((execution), ForwardScanDirection, 0)
#else
#define EV_EXECUTOR_RUN(execution)	ExecutorRun((execution), ForwardScanDirection, 0, true)
#endif

/* PostgreSQL 19 has a level of the log for each type of process. */
#if PG_VERSION_NUM >= 190000
#define EV_LOG_MIN_MESSAGES	(log_min_messages[MyBackendType])
#else
#define EV_LOG_MIN_MESSAGES	log_min_messages
#endif

/* A scan of all rows of a table, or of those in a range.  PostgreSQL 19 added flags. */
#if PG_VERSION_NUM >= 190000
#define EV_TABLE_BEGINSCAN(relation, snapshot)	table_beginscan((relation), (snapshot), 0, NULL, SO_NONE)
#define EV_TABLE_BEGINSCAN_TIDRANGE(relation, snapshot, first, last) \
	table_beginscan_tidrange((relation), (snapshot), (first), (last), SO_NONE)
#else
#define EV_TABLE_BEGINSCAN(relation, snapshot)	table_beginscan((relation), (snapshot), 0, NULL)
#define EV_TABLE_BEGINSCAN_TIDRANGE(relation, snapshot, first, last) \
	table_beginscan_tidrange((relation), (snapshot), (first), (last))
#endif

/*
 * A copy of the status of one of the backends, from 1 to
 * pgstat_fetch_stat_numbackends().  PostgreSQL 16 renamed the function.
 */
#if PG_VERSION_NUM >= 160000
#define EV_LOCAL_BACKEND(number)	pgstat_get_local_beentry_by_index(number)
#else
#define EV_LOCAL_BACKEND(number)	pgstat_fetch_stat_local_beentry(number)
#endif

/* Does the transaction hold exactly this lock?  PostgreSQL 17 added a parameter. */
#if PG_VERSION_NUM >= 170000
#define EV_LOCK_HELD(tag, mode)		LockHeldByMe((tag), (mode), false)
#else
#define EV_LOCK_HELD(tag, mode)		LockHeldByMe((tag), (mode))
#endif

#endif							/* EV_COMPAT_H */
