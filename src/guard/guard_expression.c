/*
 * guard_expression.c
 *	  The expressions that a guard reads from a row.
 *
 * They are in the WHEN condition of the trigger, which is always true:
 *
 *   WHEN (true OR _event_validate.event_guard_reads(ROW(NEW.data, NEW.event_type, NEW.schema_version)))
 *
 * The planner simplifies it, so event_guard_reads is never called.
 *
 * Expressions there are stored parsed.  So PostgreSQL itself dumps them with
 * the trigger, follows renamed columns and functions, maps them to the columns
 * of partitions, and prevents drops of the objects that they refer to.
 *
 * A manually created trigger can have them as text in its arguments instead.
 * This text is parsed with only pg_catalog in the search_path, so that a
 * session's search_path has no influence on an event.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "base/compat.h"
#include "base/run_as_owner.h"
#include "guard/guard_expression.h"
#include "registry/extension_objects.h"
#include "rows/event_calls.h"

/* ---------- its type ---------- */

static bool
check_columns_walker(Node *node, void *context)
{
	const EvRowSource *source = (const EvRowSource *) context;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		AttrNumber	column = castNode(Var, node)->varattno;

		if (column <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
					 errmsg("%s must not refer to %s", ev_row_part_argument(source->part),
							column == 0 ? "the whole row" : "a system column")));

		/*
		 * the statement that fires the trigger may have dropped or changed it
		 */
		if (column > RelationGetNumberOfAttributes(source->relation) ||
			TupleDescAttr(RelationGetDescr(source->relation), column - 1)->atttypid != castNode(Var, node)->vartype)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("%s refers to a column that table \"%s\" does not have any more",
							ev_row_part_argument(source->part), RelationGetRelationName(source->relation))));
		if (TupleDescAttr(RelationGetDescr(source->relation), column - 1)->attgenerated != '\0')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
					 errmsg("%s must not refer to the generated column \"%s\"",
							ev_row_part_argument(source->part),
							NameStr(TupleDescAttr(RelationGetDescr(source->relation), column - 1)->attname)),
					 errdetail("Generated columns are computed after the guard has run."),
					 errhint("Write the column's own expression instead.")));
		return false;
	}
	return expression_tree_walker(node, check_columns_walker, context);
}

/*
 * Returns the operand's type for an expression of a type; InvalidOid if there
 * is none.
 */
static Oid
operand_type(EvRowPart part, Oid type)
{
	Oid			base = getBaseType(type);

	if (type == UNKNOWNOID)		/* a literal */
		return part == EV_ROW_VERSION ? INT4OID : TEXTOID;
	switch (part)
	{
		case EV_ROW_DATA:
			if (base == JSONBOID || base == JSONOID || base == TEXTOID || base == VARCHAROID)
				return type;
			return InvalidOid;
		case EV_ROW_TYPE:
			return TypeCategory(base) == TYPCATEGORY_STRING || type_is_enum(base) ? TEXTOID : InvalidOid;
		case EV_ROW_VERSION:
			return base == INT2OID || base == INT4OID ? INT4OID : base == INT8OID ? INT8OID : InvalidOid;
	}
	return InvalidOid;
}

/* An EvRowCast. */
static Node *
to_operand(ParseState *pstate, Node *expression, const EvRowSource *source, void *arg pg_attribute_unused())
{
	Oid			type = exprType(expression);
	Oid			wanted = operand_type(source->part, type);

	if (source->part == EV_ROW_TYPE && type_is_enum(getBaseType(type)))
		expression = ev_row_enum_label(pstate, expression, false);
	else if (OidIsValid(wanted) && type != wanted)
		expression = coerce_to_target_type(pstate, expression, type, wanted, -1,
										   COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);
	if (!OidIsValid(wanted) || expression == NULL)
		ev_row_refuse_type(source, type,
						   psprintf("Write a cast in %s.", ev_row_part_argument(source->part)));
	check_columns_walker(expression, (void *) source);
	return expression;
}

Node *
ev_guard_expression(Relation relation, EvRowPart part, const char *text)
{
	EvRowSource source = {relation, part, text};

	return ev_row_analyze(&source, EXPR_KIND_TRIGGER_WHEN, to_operand, NULL);
}

Node *
ev_guard_expression_pinned(Relation relation, EvRowPart part, const char *text)
{
	int			guc_level = NewGUCNestLevel();
	Node	   *expression;

	ev_pin_search_path();
	expression = ev_guard_expression(relation, part, text);
	AtEOXact_GUC(false, guc_level);
	return expression;
}

/*
 * Like ev_guard_expression, for an analyzed expression over the relation's rows
 * (Vars of varno 1), which it copies.
 */
static Node *
analyzed_operand(Relation relation, EvRowPart part, Node *expression)
{
	EvRowSource source = {relation, part, NULL};

	expression = copyObject(expression);
	check_columns_walker(expression, &source);
	source.text = deparse_expression(expression,
									 deparse_context_for(RelationGetRelationName(relation),
														 RelationGetRelid(relation)),
									 false, false);
	return ev_row_cast(&source, expression, to_operand, NULL);
}

/* ---------- in a CHECK constraint ---------- */

/*
 * Does an expression read values that do not exist yet when a BEFORE trigger
 * runs?
 */
static bool
reads_later_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		AttrNumber	column = castNode(Var, node)->varattno;

		return column <= 0 || TupleDescAttr((TupleDesc) context, column - 1)->attgenerated != '\0';
	}
	return expression_tree_walker(node, reads_later_walker, context);
}

/* A CHECK constraint that validates events. */
typedef struct EventCheck
{
	char	   *name;
	Node	   *expression;
} EventCheck;

/*
 * Finds the constraints that call check_event or validate_event, or those that call a
 * schema's function.  Returns their number, and the last one.
 */
static int
find_event_checks(Relation relation, const EvEventFunctions *functions, bool of_schemas, EventCheck *found)
{
	const TupleConstr *constraints = RelationGetDescr(relation)->constr;
	int			count = 0;

	for (int i = 0; constraints != NULL && i < constraints->num_check; i++)
	{
		const ConstrCheck *check = &constraints->check[i];
		Node	   *expression;

		if (!EV_CHECK_ENFORCED(check))
			continue;
		expression = stringToNode(check->ccbin);
		if (!(of_schemas ? ev_has_schema_call(expression) : ev_has_event_call(expression, functions)))
			continue;
		found->name = pstrdup(check->ccname);
		found->expression = expression;
		count++;
	}
	return count;
}

/* The type and version of a schema's function, as constants. */
static Node *
text_constant(const char *value)
{
	return (Node *) makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1, CStringGetTextDatum(value), false, false);
}

static Node *
int4_constant(int32 value)
{
	return (Node *) makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(value), false, true);
}

/*
 * Reads the data, type and version that a constraint passes on.  Returns false if it is
 * more than one call.
 */
static bool
checked_arguments(Node *expression, const EvEventFunctions *functions, Node **arguments, const char **types)
{
	Const	   *checked_types;
	FuncExpr   *call = ev_sole_call(expression, functions, &checked_types);
	char	   *type;
	int32		version;

	*types = NULL;
	if (call != NULL)
	{
		for (int i = 0; i < EV_ROW_PARTS; i++)
			arguments[i] = ev_call_argument(call, i);
		if (checked_types != NULL)
			*types = OidOutputFunctionCall(F_ARRAY_OUT, checked_types->constvalue);
		return true;
	}
	if (!ev_is_schema_call(expression, &type, &version))
		return false;
	arguments[EV_ROW_DATA] = ev_call_argument(castNode(FuncExpr, expression), 0);
	arguments[EV_ROW_TYPE] = text_constant(type);
	arguments[EV_ROW_VERSION] = int4_constant(version);
	return true;
}

/* Reads the operands of a constraint that is one call; false if it is anything else. */
static bool
read_operands(Relation relation, Node *expression, const EvEventFunctions *functions, Node **operands,
			  const char **types, bool tolerant)
{
	Node	   *arguments[EV_ROW_PARTS];

	if (!checked_arguments(expression, functions, arguments, types) ||
		(tolerant && reads_later_walker(expression, RelationGetDescr(relation))))
		return false;
	for (int i = 0; i < EV_ROW_PARTS; i++)
	{
		Node	   *bare = ev_without_event_cast(arguments[i]);

		operands[i] = analyzed_operand(relation, (EvRowPart) i,
									   OidIsValid(operand_type((EvRowPart) i, exprType(bare))) ? bare : arguments[i]);
	}
	return true;
}

char *
ev_guard_check_operands(Relation relation, Node **operands, const char **types, bool tolerant)
{
	EvEventFunctions functions;
	EventCheck	found;
	int			count;

	ev_event_functions_find(&functions);
	count = find_event_checks(relation, &functions, false, &found);
	if (count == 0)
		count = find_event_checks(relation, &functions, true, &found);
	if (count != 1 || !read_operands(relation, found.expression, &functions, operands, types, tolerant))
		return NULL;
	return found.name;
}

bool
ev_guard_read_check(Relation relation, Node *expression, Node **operands, const char **types)
{
	EvEventFunctions functions;

	ev_event_functions_find(&functions);
	return read_operands(relation, expression, &functions, operands, types, true);
}

bool
ev_guard_same_operand(Node *operand, Node *checked)
{
	return equal(ev_without_event_cast(operand), ev_without_event_cast(checked));
}

/* ---------- in a WHEN condition ---------- */

#define READS	"event_guard_reads"

FuncExpr *
ev_guard_reads(const Trigger *trigger)
{
	static const Oid types[] = {RECORDOID};
	Node	   *condition;
	FuncExpr   *call;

	if (trigger->tgqual == NULL)
		return NULL;
	condition = stringToNode(trigger->tgqual);
	if (is_orclause(condition) && list_length(castNode(BoolExpr, condition)->args) == 2 &&
		IsA(linitial(castNode(BoolExpr, condition)->args), Const) &&
		DatumGetBool(castNode(Const, linitial(castNode(BoolExpr, condition)->args))->constvalue))
		condition = lsecond(castNode(BoolExpr, condition)->args);
	else
		return NULL;
	if (!IsA(condition, FuncExpr))
		return NULL;
	call = castNode(FuncExpr, condition);
	if (call->funcid != ev_internal_function(READS, lengthof(types), types) ||
		!IsA(linitial(call->args), RowExpr) ||
		list_length(linitial_node(RowExpr, call->args)->args) != EV_ROW_PARTS ||
		rangeTableEntry_used((Node *) call->args, PRS2_OLD_VARNO, 0))
		return NULL;
	return call;
}

Node *
ev_guard_reads_operand(Relation relation, FuncExpr *reads, EvRowPart part)
{
	Node	   *expression = copyObject(list_nth(linitial_node(RowExpr, reads->args)->args, part));

	ChangeVarNodes(expression, PRS2_NEW_VARNO, 1, 0);
	return analyzed_operand(relation, part, expression);
}

char *
ev_guard_reads_condition(Relation relation, Node *const *operands, Node **parsed)
{
	List	   *context = deparse_context_for("new", RelationGetRelid(relation));
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "true OR %s(ROW(",
					 quote_qualified_identifier(EV_INTERNAL_NAMESPACE, READS));
	for (int i = 0; i < EV_ROW_PARTS; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "",
						 deparse_expression(operands[i], context, true, false));
	appendStringInfoString(&text, "))");
	*parsed = ev_row_parse(text.data);
	return text.data;
}

/* ---------- about an expression ---------- */

AttrNumber
ev_guard_expression_column(Node *expression)
{
	while (IsA(expression, RelabelType))
		expression = (Node *) castNode(RelabelType, expression)->arg;
	return IsA(expression, Var) ? castNode(Var, expression)->varattno : 0;
}

/*
 * Can the function raise an error?  Only some of the server's functions have a
 * result for any argument.
 */
static bool
function_may_raise(Oid function, void *context pg_attribute_unused())
{
	switch (function)
	{
		case F_JSONB_OBJECT_FIELD:
		case F_JSONB_OBJECT_FIELD_TEXT:
		case F_JSONB_EXTRACT_PATH:
		case F_JSONB_EXTRACT_PATH_TEXT:
		case F_JSON_OBJECT_FIELD:
		case F_JSON_OBJECT_FIELD_TEXT:
		case F_TEXT_BPCHAR:
		case F_TEXT_NAME:
		case F_INT4_INT2:
			return false;
		default:
			return true;
	}
}

static bool
may_raise_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
		case T_Const:
		case T_RelabelType:
		case T_CollateExpr:
			break;
		case T_FuncExpr:
		case T_OpExpr:
			if (check_functions_in_node(node, function_may_raise, context))
				return true;
			break;
		case T_CoerceViaIO:
			if (castNode(CoerceViaIO, node)->resulttype != TEXTOID ||
				!type_is_enum(exprType((Node *) castNode(CoerceViaIO, node)->arg)))
				return true;
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, may_raise_walker, context);
}

bool
ev_guard_expression_may_raise(Node *expression)
{
	return may_raise_walker(expression, NULL);
}
